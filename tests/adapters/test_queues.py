"""Queues: every body arrives, or the caller hears that some did not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from betimes.adapters.queues import Queue
from betimes.core.errors import Unavailable


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


class Picky:
    """An SQS that takes all but the first entry of a batch and answers 200."""

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        first, *others = request["Entries"]
        return {
            "Successful": [{"Id": entry["Id"]} for entry in others],
            "Failed": [
                {"Id": first["Id"], "Code": "InternalError", "Message": first["MessageBody"]}
            ],
        }


def test_all_bodies_arrive(sqs: Any) -> None:
    """More bodies than fit into a batch all arrive, each once."""
    url = sqs.create_queue(QueueName="sweep")["QueueUrl"]
    bodies = [f"shard {n}" for n in range(23)]

    Queue(sqs, url).send(bodies)

    received: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        received += [message["Body"] for message in messages]
    assert sorted(received) == sorted(bodies)


def test_a_delayed_body_is_not_seen_at_once(sqs: Any) -> None:
    """A delay keeps the message on the queue and out of sight."""
    url = sqs.create_queue(QueueName="sweep")["QueueUrl"]

    Queue(sqs, url).send(["later"], delay_s=900)

    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


def test_a_batch_taken_in_part_is_unavailable() -> None:
    """A 200 that names failed entries is not success, and the error does not repeat a body."""
    with pytest.raises(Unavailable, match="InternalError") as caught:
        Queue(Picky(), "url").send(["one", "two"])

    assert "one" not in str(caught.value)


def test_no_bodies_make_no_call() -> None:
    """An empty list is no request."""
    Queue(client=None, url="url").send([])


def test_a_queue_that_is_not_there_is_our_mistake(sqs: Any) -> None:
    """A wrong queue is an error of the deployment and is not tried again."""
    with pytest.raises(AssertionError):
        Queue(sqs, "https://sqs.us-east-1.amazonaws.com/123456789012/none").send(["one"])


@pytest.mark.parametrize("delay_s", [-1, 901])
def test_a_delay_sqs_does_not_have_is_our_mistake(delay_s: int) -> None:
    """Delays outside 0 to 900 seconds stop us before a call."""
    with pytest.raises(AssertionError):
        Queue(client=None, url="url").send(["one"], delay_s=delay_s)
