"""The contacts topic: hints go out in batches, and their attributes lead to the channel's queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes import config
from betimes.adapters.failures import failure

# SNS: entries of one PublishBatch.
MAX_BATCH: Final = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """One message of the topic: `body` is a hint of `wire.hints`, the others become attributes."""

    channel: str
    tenant: str
    body: str


class Fanout:
    """The topic that wakes the channels."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        """Publish through an SNS `client` that may repeat its calls: a hint may come twice."""
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, notices: Sequence[Notice]) -> tuple[int, ...]:
        """Publish all notices and return the positions of those that SNS did not take.

        The positions are in order; empty if it took all.

        Raises:
            Unavailable: a whole batch got no answer or a "not now"; earlier batches may be out.
                Publish all of them again.
            AssertionError: the call or the deployment is wrong.
        """
        failed: list[int] = []
        for start in range(0, len(notices), MAX_BATCH):
            failed += self._batch(start, notices[start : start + MAX_BATCH])
        return tuple(sorted(failed))

    def _batch(self, start: int, notices: Sequence[Notice]) -> list[int]:
        entries = [_entry(position, notice) for position, notice in enumerate(notices, start)]
        try:
            answer = self._client.publish_batch(
                TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        return [int(entry["Id"]) for entry in answer.get("Failed", ())]


def _entry(position: int, notice: Notice) -> dict[str, Any]:
    attributes = {config.CHANNEL_ATTRIBUTE: notice.channel, config.TENANT_ATTRIBUTE: notice.tenant}
    return {
        "Id": str(position),
        "Message": notice.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
