"""A queue of SQS, to put messages on. Lambda's event source mapping takes them off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters.failures import failure
from betimes.core.errors import Unavailable

# SQS: entries of one SendMessageBatch, and the longest delay of a message.
MAX_BATCH: Final = 10
MAX_DELAY_S: Final = 900


class Queue:
    """One standard queue."""

    def __init__(self, client: Any, url: str) -> None:
        """Send through an SQS `client` that may repeat its calls: any message may come twice."""
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[str], delay_s: int = 0) -> None:
        """Put all bodies on the queue, to be seen after `delay_s` seconds, 0 to 900.

        Without bodies it makes no call.

        Raises:
            Unavailable: some were not taken, others may be on the queue. Send all of them again.
            AssertionError: the delay is out of range, or the call or the deployment is wrong.
        """
        assert 0 <= delay_s <= MAX_DELAY_S, f"SQS delays by 0 to {MAX_DELAY_S} seconds"
        for start in range(0, len(bodies), MAX_BATCH):
            self._batch(bodies[start : start + MAX_BATCH], delay_s)

    def _batch(self, bodies: Sequence[str], delay_s: int) -> None:
        entries = [
            {"Id": str(position), "MessageBody": body, "DelaySeconds": delay_s}
            for position, body in enumerate(bodies)
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        # SQS answers 200 also when it took only some of them.
        failed = answer.get("Failed", ())
        if failed:
            codes = sorted({entry.get("Code", "") for entry in failed})
            raise Unavailable(f"SendMessageBatch: {len(failed)} not taken: {', '.join(codes)}")
