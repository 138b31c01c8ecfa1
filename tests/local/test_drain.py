"""When all work is done, and what is said when it is not."""

from __future__ import annotations

import json
import time

import pytest

from betimes.local.drain import Load, NotDrained, WorkFailed, look, wait_until_quiet
from tests.local.conftest import Cloud

# Takes a message, waits, and passes it on: to a queue, or into a table.
FORWARD = """
import botocore.session, os, time
session = botocore.session.get_session()
sqs, dynamodb = session.create_client("sqs"), session.create_client("dynamodb")
def handler(event, context):
    time.sleep(0.3)
    for record in event["Records"]:
        if "NEXT_QUEUE" in os.environ:
            sqs.send_message(QueueUrl=os.environ["NEXT_QUEUE"], MessageBody=record["body"])
        if "NEXT_TABLE" in os.environ:
            key = {"pk": {"S": record["body"]}}
            dynamodb.put_item(TableName=os.environ["NEXT_TABLE"], Item=key)
"""
# Reads a stream and writes what it read into the table "seen".
SEE = """
import botocore.session
dynamodb = botocore.session.get_session().create_client("dynamodb")
def handler(event, context):
    for record in event["Records"]:
        dynamodb.put_item(TableName="seen", Item=record["dynamodb"]["NewImage"])
"""
REFUSE = """
def handler(event, context):
    raise RuntimeError("no")
"""
DEADLINE_S = 30.0


def test_quiet_means_the_whole_chain_is_done(cloud: Cloud) -> None:
    """Queue, function, queue, function, table, stream, function: all have finished on return."""
    (first, first_arn), (second, second_arn) = cloud.queue("first"), cloud.queue("second")
    stream = cloud.table("written")
    cloud.table("seen")
    cloud.function("forward", FORWARD, NEXT_QUEUE=second)
    cloud.function("write", FORWARD, NEXT_TABLE="written")
    cloud.function("see", SEE)
    cloud.mapping(first_arn, "forward", BatchSize=1)
    cloud.mapping(second_arn, "write", BatchSize=1)
    cloud.mapping(stream, "see", StartingPosition="TRIM_HORIZON", BatchSize=2)
    for number in range(5):
        cloud.emulator.client("sqs").send_message(QueueUrl=first, MessageBody=f"m{number}")
    looks: list[Load] = []
    seconds = wait_until_quiet(cloud.emulator, {}, deadline_s=DEADLINE_S, progress=looks.append)
    found = cloud.emulator.client("dynamodb").scan(TableName="seen")["Items"]
    assert {item["pk"]["S"] for item in found} == {f"m{number}" for number in range(5)}
    assert 0.6 <= seconds < DEADLINE_S
    assert not looks[0].is_done
    assert looks[-1].is_done


def test_an_idle_emulator_is_quiet_at_once(cloud: Cloud) -> None:
    """Nothing deployed, nothing to wait for."""
    assert wait_until_quiet(cloud.emulator, {}, deadline_s=DEADLINE_S) < 5


def test_records_that_a_filter_drops_count_as_read(cloud: Cloud) -> None:
    """A reader that wants none of the records is not behind."""
    stream = cloud.table("filtered")
    cloud.function("see", REFUSE)
    pattern = json.dumps({"dynamodb": {"Keys": {"pk": {"S": ["only-this"]}}}})
    criteria = {"Filters": [{"Pattern": pattern}]}
    cloud.mapping(stream, "see", StartingPosition="TRIM_HORIZON", FilterCriteria=criteria)
    for number in range(3):
        cloud.emulator.client("dynamodb").put_item(
            TableName="filtered", Item={"pk": {"S": f"k{number}"}}
        )
    wait_until_quiet(cloud.emulator, {}, deadline_s=DEADLINE_S)


def test_the_deadline_names_the_queue_by_its_output(cloud: Cloud) -> None:
    """A message still delayed at the deadline is reported, under the id of the stack's output."""
    url, arn = cloud.queue("slow")
    cloud.function("any", FORWARD)
    cloud.mapping(arn, "any")
    cloud.emulator.client("sqs").send_message(QueueUrl=url, MessageBody="x", DelaySeconds=1)
    with pytest.raises(NotDrained, match="SlowQueueUrl: 1 messages, 1 hidden"):
        wait_until_quiet(cloud.emulator, {"SlowQueueUrl": url}, deadline_s=0.4)
    wait_until_quiet(cloud.emulator, {"SlowQueueUrl": url}, deadline_s=DEADLINE_S)


def test_a_running_function_is_not_quiet(cloud: Cloud) -> None:
    """While a function runs nothing is done, also when it holds the only message."""
    url, arn = cloud.queue("long")
    cloud.function("long", "import time\ndef handler(event, context):\n    time.sleep(2)\n")
    cloud.mapping(arn, "long")
    cloud.emulator.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    with pytest.raises(NotDrained, match="1 functions are running"):
        wait_until_quiet(cloud.emulator, {}, deadline_s=1)


def test_a_function_that_was_called_asynchronously_is_waited_for(cloud: Cloud) -> None:
    """What a schedule starts is in no queue and no stream, and is work all the same."""
    cloud.function("long", "import time\ndef handler(event, context):\n    time.sleep(1)\n")
    cloud.emulator.client("lambda").invoke(FunctionName="long", InvocationType="Event")
    while not look(cloud.emulator).running:
        pass
    assert wait_until_quiet(cloud.emulator, {}, deadline_s=DEADLINE_S) > 0.9


def test_work_that_comes_back_too_late_is_not_waited_for(cloud: Cloud) -> None:
    """A failed batch hidden for ten minutes ends a wait of one at once."""
    url, arn = cloud.queue("hidden", VisibilityTimeout="600")
    cloud.function("refuse", REFUSE)
    cloud.mapping(arn, "refuse")
    cloud.emulator.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    started = time.monotonic()
    with pytest.raises(NotDrained, match=r"hidden, the first for (5\d\d|600) s more"):
        wait_until_quiet(cloud.emulator, {}, deadline_s=60)
    assert time.monotonic() - started < 30


def test_a_stream_whose_reader_fails_is_named(cloud: Cloud) -> None:
    """A batch that is tried again and again is not read, and the report says that it fails."""
    stream = cloud.table("poisoned")
    cloud.function("refuse", REFUSE)
    cloud.mapping(stream, "refuse", StartingPosition="TRIM_HORIZON")
    cloud.emulator.client("dynamodb").put_item(TableName="poisoned", Item={"pk": {"S": "k"}})
    with pytest.raises(NotDrained, match="Poison: 1 records not read by refuse; its last batch"):
        wait_until_quiet(cloud.emulator, {"Poison": "poisoned"}, deadline_s=3)


def test_failed_messages_are_reported_by_their_ids_only(cloud: Cloud) -> None:
    """What ends in a queue without a reader is a failure; its ids are said, its text is not."""
    end_url, end_arn = cloud.queue("end")
    redrive = json.dumps({"deadLetterTargetArn": end_arn, "maxReceiveCount": 1})
    url, arn = cloud.queue("work", VisibilityTimeout="0", RedrivePolicy=redrive)
    cloud.function("refuse", REFUSE)
    cloud.mapping(arn, "refuse")
    body = json.dumps({"contact_id": "c_1", "text": "private words"})
    sent = cloud.emulator.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    with pytest.raises(WorkFailed) as failure:
        wait_until_quiet(cloud.emulator, {"EndUrl": end_url}, deadline_s=DEADLINE_S)
    said = str(failure.value)
    assert f"EndUrl: 1 failed messages: {sent['MessageId']} contact_id=c_1" in said
    assert "private words" not in said
    assert look(cloud.emulator).failed[0].name == "end"
