"""What only the pretend AWS can show: faults at every request, reads that are stale, redelivery, and going back."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from betimes.lab.aws import house
from betimes.lab.aws.cloud import Cloud, Fault, Point
from betimes.lab.aws.errors import Crashed, NotModelled
from betimes.lab.aws.messages import Redrive
from betimes.lab.world import VirtualClock
from tests.contracts import tables
from tests.contracts.conftest import definitions  # noqa: F401  # a fixture
from tests.lab.aws.conftest import START

SECOND = timedelta(seconds=1)
KEY = {"pk": {"S": "p"}, "sk": {"S": "a"}}


def put(cloud: Cloud, n: int, **more: Any) -> None:
    """Put an item that holds a number."""
    item = {**KEY, "n": {"N": str(n)}, **more}
    cloud.client("dynamodb", sends=True).put_item(TableName="book", Item=item)


def read(cloud: Cloud, *, consistent: bool = True) -> int:
    """Return the number, 0 where there is no item."""
    found = cloud.client("dynamodb").get_item(TableName="book", Key=KEY, ConsistentRead=consistent)
    return int(found["Item"]["n"]["N"]) if "Item" in found else 0


def once(fault: Fault) -> Callable[[Point], Fault | None]:
    """Return a hook by which one request goes wrong."""
    left = [fault]
    return lambda _: left.pop() if left else None


@pytest.mark.parametrize(
    ("fault", "raised", "done"),
    [
        (Fault.CRASH_BEFORE, Crashed, 0),
        (Fault.CRASH_AFTER, Crashed, 1),
        (Fault.REQUEST_LOST, ReadTimeoutError, 0),
        (Fault.REPLY_LOST, ReadTimeoutError, 1),
        (Fault.THROTTLED, ClientError, 0),
        (Fault.BROKEN, ClientError, 0),
        (Fault.CONFLICT, ClientError, 0),
    ],
)
def test_a_fault_is_what_it_says(
    cloud: Cloud, fault: Fault, raised: type[BaseException], done: int
) -> None:
    """What is raised, and whether it was done."""
    cloud.hook = once(fault)
    with pytest.raises(raised):
        put(cloud, 1)
    assert read(cloud) == done


def test_a_client_that_may_repeats_as_the_sdk_does(cloud: Cloud) -> None:
    """Three attempts, each a request of its own; one that sends makes one, and a conflict is not repeated."""
    seen: list[int] = []

    def hook(point: Point) -> Fault:
        seen.append(point.number)
        return Fault.REPLY_LOST

    cloud.hook = hook
    item = {**KEY, "n": {"N": "1"}}
    with pytest.raises(ReadTimeoutError):
        cloud.client("dynamodb").put_item(TableName="book", Item=item)
    assert seen == [0, 1, 2]
    with pytest.raises(ReadTimeoutError):
        cloud.client("dynamodb", sends=True).put_item(TableName="book", Item=item)
    assert seen == [0, 1, 2, 3]
    cloud.hook = once(Fault.CONFLICT)
    with pytest.raises(ClientError, match="TransactionConflict"):
        cloud.client("dynamodb").put_item(TableName="book", Item=item)
    assert cloud.points == 5


def test_a_conflict_in_a_transaction_is_a_reason(cloud: Cloud) -> None:
    """In the place of an action."""
    cloud.hook = once(Fault.CONFLICT)
    actions = [{"Put": {"TableName": "book", "Item": KEY}}] * 2
    with pytest.raises(ClientError) as caught:
        cloud.client("dynamodb").transact_write_items(TransactItems=actions)
    codes = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["TransactionConflict", "None"]


@pytest.mark.parametrize(
    "call",
    [
        lambda cloud: cloud.client("dynamodb").scan(TableName="book"),
        lambda cloud: cloud.client("dynamodb").get_item(TableName="book"),
        lambda cloud: cloud.client("dynamodb").get_item(
            TableName="book", Key=KEY, ProjectionExpression="n"
        ),
        lambda cloud: cloud.client("dynamodb").put_item(
            TableName="book", Item=KEY, ConditionExpression="size(read_at) = :v"
        ),
        lambda cloud: cloud.client("dynamodb").transact_write_items(
            TransactItems=[{"Update": {"TableName": "book", "Key": KEY}}]
        ),
        lambda cloud: cloud.client("s3").list_objects_v2(Bucket="files"),
        lambda cloud: cloud.client("kms"),
    ],
    ids=["operation", "missing", "parameter", "function", "action", "listing", "service"],
)
def test_what_no_adapter_asks_stops_the_test(cloud: Cloud, call: Callable[[Cloud], object]) -> None:
    """Nothing is true here by an oversight."""
    with pytest.raises(NotModelled):
        call(cloud)


def test_a_read_that_is_not_consistent_may_be_stale(cloud: Cloud, clock: VirtualClock) -> None:
    """As long as it was set to be; a consistent one never is."""
    put(cloud, 1)
    cloud.dynamodb.tables["book"].lag_reads(2 * SECOND)
    put(cloud, 2)
    assert (read(cloud, consistent=False), read(cloud)) == (1, 2)
    clock.advance(START + 2 * SECOND)
    assert read(cloud, consistent=False) == 2


def test_an_index_may_lag(cloud: Cloud, clock: VirtualClock) -> None:
    """It shows what was, and nothing else, until its time is over."""
    book = cloud.dynamodb.tables["book"]
    book.lag_index("agenda", 2 * SECOND)

    def due() -> int:
        return int(
            cloud.client("dynamodb").query(
                TableName="book",
                IndexName="agenda",
                KeyConditionExpression="#shard = :s",
                ExpressionAttributeNames={"#shard": "shard"},
                ExpressionAttributeValues={":s": {"N": "1"}},
            )["Count"]
        )

    put(cloud, 1, shard={"N": "1"}, look_at={"S": "3"})
    assert due() == 0
    clock.advance(START + 2 * SECOND)
    assert due() == 1
    put(cloud, 2)
    assert due() == 1
    clock.advance(START + 4 * SECOND)
    assert due() == 0


def test_a_stream_has_each_change_once_in_order(cloud: Cloud) -> None:
    """Keys or images as the table says; the same put again changes nothing and is no record."""
    for n in (1, 1, 2):
        put(cloud, n)
    contact = {"pk": {"S": "c"}, "state": {"S": "READY"}}
    cloud.client("dynamodb").put_item(TableName="contacts", Item=contact)
    records = cloud.dynamodb.tables["book"].taken()
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY"]
    assert all(record["dynamodb"]["Keys"] == KEY for record in records)
    assert not any("NewImage" in record["dynamodb"] for record in records)
    (image,) = cloud.dynamodb.tables["contacts"].taken()
    assert image["dynamodb"]["NewImage"] == contact
    assert cloud.dynamodb.tables["book"].taken() == []


def test_a_token_is_forgotten_after_ten_minutes(cloud: Cloud, clock: VirtualClock) -> None:
    """Then the same transaction is a new one, and its condition counts again."""
    act = cloud.client("dynamodb").transact_write_items
    absent = {"ConditionExpression": "attribute_not_exists(pk)"}
    actions = [{"Put": {"TableName": "book", "Item": KEY, **absent}}]
    act(TransactItems=actions, ClientRequestToken="t")
    clock.advance(START + timedelta(minutes=9, seconds=59))
    act(TransactItems=actions, ClientRequestToken="t")
    clock.advance(START + timedelta(minutes=10))
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        act(TransactItems=actions, ClientRequestToken="t")


def test_a_message_that_is_not_deleted_comes_again_and_ends_in_dead_letters(
    cloud: Cloud, clock: VirtualClock
) -> None:
    """Hidden for its visibility timeout, counted, and given up after the last receive; a delay hides it too."""
    messages = cloud.messages
    messages.make_queue("dead")
    messages.make_queue("work", visibility=30 * SECOND, redrive=Redrive("dead", 2))
    entries = [{"Id": "0", "MessageBody": "m", "DelaySeconds": 5}]
    cloud.client("sqs").send_message_batch(QueueUrl="work", Entries=entries)
    assert messages.receive("work") == []
    counts = []
    for after in (5, 35):
        clock.advance(START + after * SECOND)
        (record,) = messages.receive("work")
        assert messages.receive("work") == []
        counts.append(record["attributes"]["ApproximateReceiveCount"])
    assert counts == ["1", "2"]
    clock.advance(START + 65 * SECOND)
    assert messages.receive("work") == []
    assert (messages.waiting("work"), messages.waiting("dead")) == ((), ("m",))
    (record,) = messages.receive("dead")
    messages.delete("dead", record)
    assert messages.waiting("dead") == ()


def test_a_batch_in_part_says_what_is_left(cloud: Cloud) -> None:
    """Of keys, and of messages; what is said to have failed was not done."""
    put(cloud, 1)
    cloud.hook = once(Fault.PARTIAL)
    keys = [KEY, {**KEY, "sk": {"S": "b"}}]
    wanted = {"book": {"Keys": keys, "ConsistentRead": True}}
    answer = cloud.client("dynamodb").batch_get_item(RequestItems=wanted)
    assert answer["UnprocessedKeys"]["book"]["Keys"] == keys[1:]
    cloud.messages.make_queue("work")
    cloud.hook = once(Fault.PARTIAL)
    entries = [{"Id": f"{n}", "MessageBody": f"m{n}"} for n in range(6)]
    answer = cloud.client("sqs").send_message_batch(QueueUrl="work", Entries=entries)
    failed = {f"m{entry['Id']}" for entry in answer["Failed"]}
    assert failed
    assert set(cloud.messages.waiting("work")) == {f"m{n}" for n in range(6)} - failed


def test_a_cloud_goes_back(cloud: Cloud, clock: VirtualClock) -> None:
    """To all it held: items, index, stream, queues, and what chance will say."""
    cloud.messages.make_queue("work")
    put(cloud, 1, shard={"N": "1"}, look_at={"S": "3"})
    kept = cloud.kept()
    seen = []
    for _ in range(2):
        put(cloud, 2)
        entries = [{"Id": f"{n}", "MessageBody": f"m{n}"} for n in range(9)]
        cloud.client("sqs").send_message_batch(QueueUrl="work", Entries=entries)
        bodies = [record["body"] for record in cloud.messages.receive("work")]
        seen.append((bodies, cloud.dynamodb.tables["book"].taken(), cloud.points))
        cloud.restore(kept)
        assert read(cloud) == 1
        cloud.restore(kept)
    assert seen[0] == seen[1]


def test_the_tables_are_those_of_the_template(
    definitions: tables.Definitions,  # noqa: F811  # the fixture
) -> None:
    """Keys and indexes of the pretend house are those that infra makes."""
    for name, ours in house.DEFINITIONS.items():
        theirs = definitions[name]
        assert ours["KeySchema"] == theirs["KeySchema"]
        kinds = [
            {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
            for found in (ours, theirs)
        ]
        assert kinds[0] == kinds[1]
        assert ours.get("GlobalSecondaryIndexes") == theirs.get("GlobalSecondaryIndexes")


def test_names_without_a_sign_are_never_reserved() -> None:
    """DynamoDB's reserved words, as moto lists them: none is a key of ours, none has an underscore."""
    from importlib.resources import files

    text = files("moto.dynamodb.parsing").joinpath("reserved_keywords.txt").read_text()
    words = {word.strip().lower() for word in text.splitlines()}
    assert len(words) > 500
    assert not words & {"pk", "sk"}
    assert not [word for word in words if "_" in word]


def test_chance_is_given(clock: VirtualClock) -> None:
    """The same numbers give the same order, others another."""
    orders = []
    for seed in (1, 1, 2):
        cloud = Cloud(clock.now, random.Random(seed))
        cloud.messages.make_queue("work")
        entries = [{"Id": f"{n}", "MessageBody": f"m{n}"} for n in range(10)]
        cloud.client("sqs").send_message_batch(QueueUrl="work", Entries=entries)
        orders.append([record["body"] for record in cloud.messages.receive("work")])
    assert orders[0] == orders[1] != orders[2]
