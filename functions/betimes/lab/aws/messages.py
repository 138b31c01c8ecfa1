"""The pretend SQS and SNS: queues that redeliver and give up, topics that lead to queues by an attribute.

What Lambda's poller does with a queue (receive, delete) is done here by the service itself and is no point: in between
stands no code of ours.

Source: SQS developer guide, "Amazon SQS message quotas", "Using dead-letter queues"; SNS developer guide, "Message
filtering".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from betimes.core.values import dataclass, replace
from betimes.lab.aws.errors import NotModelled, refusal
from betimes.lab.aws.service import Parameters, Service, operation

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 1024 * 1024
MAX_TOPIC_BYTES: Final = 256 * 1024
MAX_DELAY_S: Final = 900
_QUEUE_ERROR: Final = "AWS.SimpleQueueService."


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a queue: from when it can be seen, and how often it has been received."""

    id: str
    body: str
    visible_at: datetime
    received: int = 0

    def record(self) -> dict[str, Any]:
        """Return the record of a Lambda event."""
        return {
            "messageId": self.id,
            "receiptHandle": f"{self.id}/{self.received}",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.received)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }


@dataclass(frozen=True, slots=True)
class Redrive:
    """Where messages go that were received so often without being deleted."""

    dead_letters: str
    max_receives: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A queue that gets those messages of a topic whose attribute has one of the values; raw, without an envelope."""

    queue: str
    attribute: str
    values: tuple[str, ...]


class Messages(Service):
    """All queues by URL and all topics by ARN; `to_phone` is what SNS does with a message to a phone."""

    def __init__(self, clock: Callable[[], datetime], chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._queues: dict[str, list[Message]] = {}
        self._visibility: dict[str, timedelta] = {}
        self._redrives: dict[str, Redrive] = {}
        self._topics: dict[str, list[Subscription]] = {}
        self._count = 0
        self.to_phone: Callable[[Parameters], dict[str, Any]] = _nowhere
        self.spend_limit = "1"
        sqs = {
            "send_message_batch": operation(self._send, "QueueUrl Entries"),
        }
        sns = {
            "publish_batch": operation(self._publish_batch, "TopicArn PublishBatchRequestEntries"),
            "publish": operation(
                self._publish,
                "Message MessageAttributes",
                "PhoneNumber TargetArn MessageStructure",
            ),
            "get_sms_attributes": operation(self._sms_attributes, "attributes"),
        }
        self.offered = {"sqs": sqs, "sns": sns}

    def make_queue(
        self,
        url: str,
        *,
        visibility: timedelta = timedelta(seconds=30),
        redrive: Redrive | None = None,
    ) -> None:
        """Make an empty standard queue."""
        self._queues[url] = []
        self._visibility[url] = visibility
        if redrive is not None:
            self._redrives[url] = redrive

    def make_topic(self, arn: str, subscriptions: Sequence[Subscription]) -> None:
        """Make a topic with its subscriptions."""
        self._topics[arn] = list(subscriptions)

    def kept(self) -> object:
        """See `Service.kept`."""
        queues = {url: tuple(messages) for url, messages in self._queues.items()}
        return queues, self._count, self._chance.getstate()

    def restore(self, kept: Any) -> None:
        """See `Service.restore`."""
        queues, self._count, state = kept
        self._queues = {url: list(messages) for url, messages in queues.items()}
        self._chance.setstate(state)

    def partly(self, operation: str, asked: Parameters) -> dict[str, Any]:
        """See `Service.partly`: chance says of each entry whether it is taken; at least one is not."""
        name = {"send_message_batch": "Entries", "publish_batch": "PublishBatchRequestEntries"}.get(
            operation
        )
        if name is None:
            raise NotModelled(f"{operation} is no batch")
        entries = asked[name]
        lost = self._chance.randrange(len(entries))
        taken = [e for n, e in enumerate(entries) if n != lost and self._chance.random() < 0.5]
        act = self.offered["sqs" if name == "Entries" else "sns"][operation].act
        answer = act({**asked, name: taken}) if taken else {"Successful": [], "Failed": []}
        failed = [
            {"Id": e["Id"], "Code": "InternalError", "SenderFault": False}
            for e in entries
            if e not in taken
        ]
        return {**answer, "Failed": [*answer["Failed"], *failed]}

    # What Lambda's poller does

    def receive(self, url: str, limit: int = 10) -> list[dict[str, Any]]:
        """Return up to `limit` visible messages as Lambda is given them, in no order, and hide them for a time.

        One that was received too often already goes to the dead letters instead.
        """
        now = self._clock()
        redrive = self._redrives.get(url)
        visible = [message for message in self._queues[url] if message.visible_at <= now]
        self._chance.shuffle(visible)
        found: list[dict[str, Any]] = []
        for message in visible:
            if redrive is not None and message.received >= redrive.max_receives:
                self._queues[url].remove(message)
                moved = replace(message, visible_at=now, received=0)
                self._queues[redrive.dead_letters].append(moved)
                continue
            if len(found) == limit:
                break
            taken = replace(
                message, visible_at=now + self._visibility[url], received=message.received + 1
            )
            self._queues[url][self._queues[url].index(message)] = taken
            found.append(taken.record())
        return found

    def delete(self, url: str, record: Mapping[str, Any]) -> None:
        """Delete a message that was received, unless it was received again since."""
        self._queues[url] = [
            message
            for message in self._queues[url]
            if record["receiptHandle"] != f"{message.id}/{message.received}"
        ]

    def waiting(self, url: str) -> tuple[str, ...]:
        """Return the bodies of all messages of a queue, seen or not, oldest first."""
        return tuple(message.body for message in self._queues[url])

    def next_visible(self, url: str) -> datetime | None:
        """Return when the next message of a queue can be received, None if it is empty."""
        return min((message.visible_at for message in self._queues[url]), default=None)

    # The clients

    def _put(self, url: str, body: str, delay_s: int = 0) -> str:
        self._count += 1
        identity = f"m-{self._count:08d}"
        visible_at = self._clock() + timedelta(seconds=delay_s)
        self._queues[url].append(Message(identity, body, visible_at))
        return identity

    def _send(self, asked: Parameters) -> dict[str, Any]:
        url, entries = asked["QueueUrl"], asked["Entries"]
        if url not in self._queues:
            raise refusal("send_message_batch", f"{_QUEUE_ERROR}NonExistentQueue")
        _check_batch("send_message_batch", entries, "MessageBody", MAX_BYTES, _QUEUE_ERROR)
        successful, failed = [], []
        for entry in entries:
            if not entry.keys() <= {"Id", "MessageBody", "DelaySeconds"}:
                raise NotModelled("send_message_batch: an entry with other parameters")
            delay_s = entry.get("DelaySeconds", 0)
            if not 0 <= delay_s <= MAX_DELAY_S:
                failed.append(_refused(entry["Id"], "InvalidParameterValue"))
                continue
            identity = self._put(url, entry["MessageBody"], delay_s)
            successful.append({"Id": entry["Id"], "MessageId": identity})
        return {"Successful": successful, "Failed": failed}

    def _publish_batch(self, asked: Parameters) -> dict[str, Any]:
        arn, entries = asked["TopicArn"], asked["PublishBatchRequestEntries"]
        if arn not in self._topics:
            raise refusal("publish_batch", "NotFound", "Topic does not exist", 404)
        _check_batch("publish_batch", entries, "Message", MAX_TOPIC_BYTES, "")
        successful = []
        for entry in entries:
            if not entry.keys() <= {"Id", "Message", "MessageAttributes"}:
                raise NotModelled("publish_batch: an entry with other parameters")
            self._count += 1
            attributes = entry.get("MessageAttributes", {})
            for subscription in self._topics[arn]:
                value = attributes.get(subscription.attribute, {}).get("StringValue")
                if value in subscription.values:
                    self._put(subscription.queue, entry["Message"])
            successful.append({"Id": entry["Id"], "MessageId": f"p-{self._count:08d}"})
        return {"Successful": successful, "Failed": []}

    def _publish(self, asked: Parameters) -> dict[str, Any]:
        if ("PhoneNumber" in asked) is ("TargetArn" in asked):
            raise NotModelled("publish goes to a phone or to an endpoint")
        return self.to_phone(asked)

    def _sms_attributes(self, asked: Parameters) -> dict[str, Any]:
        if asked["attributes"] != ["MonthlySpendLimit"]:
            raise NotModelled("get_sms_attributes of other attributes")
        return {"attributes": {"MonthlySpendLimit": self.spend_limit}}


def _nowhere(asked: Parameters) -> dict[str, Any]:
    raise NotModelled(f"nobody takes messages to phones: {', '.join(asked)}")


def _refused(identity: str, code: str) -> dict[str, Any]:
    return {"Id": identity, "Code": code, "SenderFault": True}


def _check_batch(
    operation: str, entries: Sequence[Parameters], body: str, most: int, prefix: str
) -> None:
    """Raise what AWS answers to a batch that is wrong as a whole."""
    if not entries:
        raise refusal(operation, f"{prefix}EmptyBatchRequest")
    if len(entries) > MAX_ENTRIES:
        name = "TooManyEntriesInBatchRequest"
        raise refusal(operation, f"{prefix}{name}")
    if len({entry["Id"] for entry in entries}) != len(entries):
        raise refusal(operation, f"{prefix}BatchEntryIdsNotDistinct")
    if sum(len(entry[body].encode()) for entry in entries) > most:
        name = "BatchRequestTooLong"
        raise refusal(operation, f"{prefix}{name}")
