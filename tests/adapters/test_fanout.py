"""The contacts topic: attributes route a notice, and what SNS did not take is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from betimes import config
from betimes.adapters.fanout import Fanout, Notice
from betimes.core.errors import Unavailable

REGION = "us-east-1"


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def notices(count: int, channel: str = "email") -> list[Notice]:
    return [Notice(channel, "t1", json.dumps({"contact_id": f"c_{n}"})) for n in range(count)]


class Picky:
    """An SNS that does not take the entries with the given ids."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.sizes: list[int] = []

    def publish_batch(self, **request: Any) -> dict[str, Any]:
        ids = [entry["Id"] for entry in request["PublishBatchRequestEntries"]]
        self.sizes.append(len(ids))
        return {
            "Successful": [{"Id": i} for i in ids if i not in self.refused],
            "Failed": [{"Id": i, "Code": "InternalError"} for i in ids if i in self.refused],
        }


class Throttled:
    def publish_batch(self, **request: Any) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "Throttling"}}, "PublishBatch")


def test_each_channel_gets_its_own_notices(aws: None) -> None:
    """With a filter on the channel and raw delivery, a queue gets its channel's bare hints only."""
    sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    topic = sns.create_topic(Name="contacts")["TopicArn"]
    urls = {}
    for channel in config.CHANNELS:
        urls[channel] = sqs.create_queue(QueueName=channel)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=urls[channel], AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={
                "RawMessageDelivery": "true",
                "FilterPolicy": json.dumps({config.CHANNEL_ATTRIBUTE: [channel]}),
            },
        )

    failed = Fanout(sns, topic).publish([*notices(2, "email"), *notices(1, "sms")])

    assert failed == ()
    for channel, count in (("email", 2), ("sms", 1)):
        answer = sqs.receive_message(
            QueueUrl=urls[channel], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        assert [m["Body"] for m in answer["Messages"]] == [n.body for n in notices(count)]
        attributes = answer["Messages"][0]["MessageAttributes"]
        assert attributes[config.TENANT_ATTRIBUTE]["StringValue"] == "t1"


def test_refused_entries_are_returned_by_position() -> None:
    """Notices go out ten at a time, and the positions not taken count over all batches."""
    client = Picky("3", "10", "22")

    assert Fanout(client, "topic").publish(notices(23)) == (3, 10, 22)
    assert client.sizes == [10, 10, 3]


def test_nothing_to_publish_makes_no_call() -> None:
    """An empty list is no request."""
    client = Picky()

    assert Fanout(client, "topic").publish([]) == ()
    assert client.sizes == []


def test_a_throttled_topic_is_unavailable() -> None:
    """A call that SNS turned down as a whole can be made again later."""
    with pytest.raises(Unavailable):
        Fanout(Throttled(), "topic").publish(notices(1))
