"""A hand that moves what AWS would move: it reads streams and queues and calls the handlers as their mappings do.

Every fault that AWS permits can be switched on: a message that comes twice, stream records out of order or lost, a
worker that dies at the provider. `settle` moves everything until nothing moves any more.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTP
from types import ModuleType
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from betimes.config import Env, Settings
from betimes.lab.world import VirtualClock
from betimes.ports import Accepted, Answer, Letter, Sender
from betimes.wiring import World
from tests.handlers.cloud import REGION, Cloud, Source

# Fewer than a deployment has: each costs every tick a message.
SHARDS = 2
# Rounds of `settle`; a reminder needs seven.
MAX_ROUNDS = 40
# How often a stream hands over a batch again before it gives its first record up.
TRIES = 3

Event = dict[str, Any]


class Killed(BaseException):
    """The worker's process is gone: nothing that stands behind this line has happened."""


@dataclass
class Context:
    """What Lambda tells a handler about its invocation."""

    remaining_ms: int = 300_000

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds the function may still run."""
        return self.remaining_ms


def plain(mail: EmailMessage) -> str:
    """Return the text of an e-mail that has one beside its HTML, as a reader of text sees it."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@dataclass
class Line:
    """The way to the providers of all channels: the real senders, and what may happen to the worker in front of them.

    The provider's id for a message is made from the contact's, so that two runs can be compared byte by byte.
    """

    letters: list[Letter] = field(default_factory=list)
    dies_before: int = 0
    dies_after: int = 0

    def senders(self, world: World) -> Callable[[str], Sender]:
        """Return what `world.sender` is to be replaced by."""
        return lambda channel: _Worker(self, World.sender(world, channel))


@dataclass
class _Worker:
    line: Line
    real: Sender

    def send(self, letter: Letter) -> Answer:
        if self.line.dies_before:
            self.line.dies_before -= 1
            raise Killed
        answer = self.real.send(letter)
        if not isinstance(answer, Accepted):
            return answer
        self.line.letters.append(letter)
        if self.line.dies_after:
            self.line.dies_after -= 1
            raise Killed
        return Accepted(f"m-{letter.contact_id}-{letter.attempt}")


@dataclass
class Pump:
    """The deployment in motion; `copies`, `shuffle` and `loses` are faults of queues and streams, off by default."""

    cloud: Cloud
    patch: pytest.MonkeyPatch
    clock: VirtualClock
    line: Line = field(default_factory=Line)
    context: Context = field(default_factory=Context)
    copies: int = 1
    shuffle: random.Random | None = None
    loses: Callable[[str, Event], bool] = lambda table, record: False
    died: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    given_up: list[Event] = field(default_factory=list)
    modules: dict[str, ModuleType] = field(default_factory=dict)
    worlds: dict[str, World] = field(default_factory=dict)
    _sources: dict[str, Source] = field(default_factory=dict)
    _places: dict[str, str] = field(default_factory=dict)
    _read: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for name, module, environment in self.cloud.functions():
            settings = Settings.read({**environment, Env.SHARDS: str(SHARDS)})
            world = World(settings, self.clock)
            self.patch.setattr(world, "sender", self.line.senders(world))
            self.modules[name], self.worlds[name] = module, world
        self._sources = {source.source: source for source in self.cloud.mappings()}

    # Calling

    def invoke(self, function: str, event: Event) -> Any:
        """Call a function's handler with its own world, and return its answer."""
        self.calls[function] += 1
        module = self.modules[function]
        self.patch.setattr(module, "WORLD", self.worlds[function])
        return module.handler(event, self.context)

    def request(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """Send one request to the HTTP API and return status and body of the answer."""
        answer = self.answer(method, path, None if body is None else json.dumps(body))
        return answer["statusCode"], json.loads(answer["body"])

    def answer(self, method: str, path: str, body: str | None) -> dict[str, Any]:
        """Send one request with a body as it stands and return the function's whole answer."""
        answer: dict[str, Any] = self.invoke("OnRequestFunction", http(method, path, body))
        return answer

    def put(self, path: str, body: object) -> str:
        """Send a PUT that must succeed and return what it did."""
        status, answer = self.request("PUT", path, body)
        assert status == 200, answer
        return str(answer["outcome"])

    def tick(self) -> None:
        """Fire the schedule of the minute."""
        self.invoke("OnTickFunction", {})

    def report(self, event: Mapping[str, Any]) -> None:
        """Publish an event of SES to the feedback topic."""
        self.cloud.client["sns"].publish(
            TopicArn=self.cloud.refs["FeedbackTopic"], Message=json.dumps(event)
        )

    # Moving

    def settle(self) -> None:
        """Drain every stream and queue until nothing moves."""
        for _ in range(MAX_ROUNDS):
            if not sum(self.drain(source) for source in self._sources):
                return
        raise AssertionError("the deployment does not come to rest")

    def drain(self, source: str) -> int:
        """Hand over what is in one stream or queue now, and return how many records or messages that was."""
        found = self._sources[source]
        return self._drain_stream(found) if found.is_stream else self._drain_queue(found)

    def skip(self, source: str) -> None:
        """Let what is in one stream now be lost."""
        self._records(self._sources[source])

    def sweep_at(self, at: datetime) -> None:
        """Let time pass until `at`, tick, and settle."""
        self.clock.advance(at)
        self.tick()
        self.settle()

    # Queues

    def _drain_queue(self, source: Source) -> int:
        sqs, url = self.cloud.client["sqs"], self.cloud.refs[source.source]
        moved = 0
        while self.cloud.has_messages(source.source):
            answer = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=source.batch,
                MessageAttributeNames=["All"],
                AttributeNames=["All"],
            )
            messages = answer.get("Messages", ())
            moved += len(messages)
            again = self._deliver(source, messages)
            for message in messages:
                handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
                if message["MessageId"] in again:
                    sqs.change_message_visibility(**handle, VisibilityTimeout=0)
                else:
                    sqs.delete_message(**handle)
        return moved

    def _deliver(self, source: Source, messages: Sequence[Mapping[str, Any]]) -> set[str]:
        """Hand a batch over and return the ids of messages that the queue delivers again."""
        event = {
            "Records": [_message(message, self.cloud.arns[source.source]) for message in messages]
        }
        again: set[str] = set()
        for _ in range(self.copies):
            try:
                answer = self.invoke(source.function, event)
            except Killed:
                self.died += 1
                return {message["MessageId"] for message in messages}
            again = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        return again

    # Streams

    def _drain_stream(self, source: Source) -> int:
        records = [
            record
            for record in self._records(source)
            if source.lets_through(record) and not self.loses(source.source, record)
        ]
        if self.shuffle is not None:
            self.shuffle.shuffle(records)
        for start in range(0, len(records), source.batch):
            self._hand_over(source, records[start : start + source.batch])
        return len(records)

    def _hand_over(self, source: Source, records: list[Event]) -> None:
        """Hand over a batch: from the first failed record on again, halved when the function fails as a whole."""
        for _ in range(TRIES):
            try:
                answer = self.invoke(source.function, {"Records": records})
            except Exception:  # noqa: BLE001  # whatever a handler raises, its mapping goes on
                if len(records) == 1:
                    continue
                half = len(records) // 2
                self._hand_over(source, records[:half])
                self._hand_over(source, records[half:])
                return
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            at = next((n for n, number in enumerate(numbers) if number in failed), None)
            if at is None:
                return
            records = records[at:]
        self.given_up.append(records[0])
        if records[1:]:
            self._hand_over(source, records[1:])

    def _records(self, source: Source) -> list[Event]:
        """Return what came into a stream since the last call, as Lambda writes it.

        Each call starts at a new iterator: when moto takes a transaction back it replaces the table, and an old
        iterator goes on reading the stream of the old one.
        """
        if self.cloud.records(source.source) == self._read[source.source]:
            return []
        streams, arn = self.cloud.client["dynamodbstreams"], self.cloud.streams[source.source]
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        place = self._places.get(source.source)
        start: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if place:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": place}
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **start)
        found = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
        self._places[source.source] = found[-1]["dynamodb"]["SequenceNumber"]
        self._read[source.source] += len(found)
        return [_record(record, arn) for record in found]

    # Looking

    def mails(self) -> list[EmailMessage]:
        """Return every mail that SES took, in order."""
        sent = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
        return [message_from_string(each.raw_data, policy=SMTP) for each in sent]

    def contacts(self) -> list[tuple[str, str, str]]:
        """Return step, state and reason of every contact, in order of steps by the time they were decided."""
        found = sorted(self.cloud.items("ContactsTable"), key=lambda item: item["decided_at"]["S"])
        return [(item["step"]["S"], item["state"]["S"], item["reason"]["S"]) for item in found]

    def tables(self) -> dict[str, list[Any]]:
        """Return all items but those that tell how records were batched and when who had room, not what happened."""
        return {
            table: [item for item in self.cloud.items(table) if not _is_about_work(item)]
            for table in self.cloud.template.of("DynamoDB::Table")
        }


def _is_about_work(item: Mapping[str, Any]) -> bool:
    """Whether an item is of the segments, of a provider's pace, or of the sums that are spent."""
    key: str = item["pk"]["S"]
    return key == "@segments" or key.startswith("@pace#") or "#@spend" in key


def http(method: str, path: str, body: str | None = None) -> Event:
    """Return a request as the HTTP API writes it, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.betimes.example"},
        "requestContext": {
            "accountId": DEFAULT_ACCOUNT_ID,
            "apiId": "example",
            "domainName": "api.betimes.example",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "lender/1.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Mar/2026:02:00:00 +0000",
            "timeEpoch": 1772330400000,
        },
        **({} if body is None else {"body": body}),
        "isBase64Encoded": False,
    }


def message(body: str, identity: str = "m-1") -> Event:
    """Return one record of an SQS batch."""
    return _message({"MessageId": identity, "ReceiptHandle": "r", "Body": body}, "arn:aws:sqs:x")


def _message(received: Mapping[str, Any], arn: str) -> Event:
    attributes = {
        name: {
            "stringValue": value["StringValue"],
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in received.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": received["MessageId"],
        "receiptHandle": received["ReceiptHandle"],
        "body": received["Body"],
        "attributes": received.get("Attributes", {}),
        "messageAttributes": attributes,
        "md5OfBody": received.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def _record(read: Mapping[str, Any], arn: str) -> Event:
    created = read["dynamodb"]["ApproximateCreationDateTime"]
    return {
        **read,
        "dynamodb": {**read["dynamodb"], "ApproximateCreationDateTime": created.timestamp()},
        "eventSourceARN": arn,
    }
