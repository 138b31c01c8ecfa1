"""The pretend AWS answers what AWS answers: the same questions to it and to moto; where the two differ, the
documentation decided (docs/fake-aws.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.conftest import Aws

Item = dict[str, dict[str, Any]]


def key(sort: str = "a", partition: str = "p") -> Item:
    """Return a key of the Book."""
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def put(aws: Aws, sort: str, partition: str = "p", **more: Any) -> None:
    """Put an item into the Book; further attributes are given as text or whole numbers."""
    values = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in more.items()
    }
    aws.db.put_item(TableName="book", Item={**key(sort, partition), **values})


def refused(call: Callable[[], object]) -> ClientError:
    """Return the error that a call raises."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value


def code(call: Callable[[], object]) -> str:
    """Return the code of the error that a call raises."""
    return str(refused(call).response["Error"]["Code"])


def found(aws: Aws, sort: str = "a") -> Item | None:
    """Return an item of the Book, None if there is none."""
    answer = aws.db.get_item(TableName="book", Key=key(sort), ConsistentRead=True)
    item: Item | None = answer.get("Item")
    return item


ALL_TYPES: Item = {
    **key(),
    "text": {"S": "逾期 ü"},
    "empty": {"S": ""},
    "number": {"N": "-12"},
    "yes": {"BOOL": True},
    "list": {"L": [{"S": "x"}, {"M": {"in": {"N": "1"}}}]},
    "map": {"M": {"a": {"L": []}}},
}


def test_an_item_is_read_as_it_was_put(aws: Aws) -> None:
    """Of every type that the house uses; and none is read where none was put."""
    aws.db.put_item(TableName="book", Item=ALL_TYPES)
    assert found(aws) == ALL_TYPES
    assert found(aws, "b") is None


def test_what_was_read_and_what_was_given_are_copies(aws: Aws) -> None:
    """Whoever changes an item in his hands changes nothing in the table."""
    given = {**key(), "list": {"L": [{"S": "x"}]}}
    aws.db.put_item(TableName="book", Item=given)
    given["list"]["L"].append({"S": "y"})
    first = found(aws)
    assert first is not None
    first["list"]["L"].clear()
    assert found(aws) == {**key(), "list": {"L": [{"S": "x"}]}}


@pytest.mark.parametrize(
    ("expression", "names", "values", "holds"),
    [
        ("attribute_not_exists(#n)", {"#n": "pk"}, {}, False),
        ("attribute_exists(#n)", {"#n": "pk"}, {}, True),
        ("#n = :v", {"#n": "version"}, {":v": {"N": "3"}}, True),
        ("#n = :v", {"#n": "version"}, {":v": {"N": "3.0"}}, True),
        ("#n = :v", {"#n": "version"}, {":v": {"S": "3"}}, False),
        ("#n = :v", {"#n": "other"}, {":v": {"N": "3"}}, False),
        ("#n < :v", {"#n": "version"}, {":v": {"N": "10"}}, True),
        ("#n <= :v", {"#n": "version"}, {":v": {"N": "3"}}, True),
        ("#n > :v", {"#n": "version"}, {":v": {"N": "3"}}, False),
        ("#n > :v", {"#n": "version"}, {":v": {"S": "0"}}, False),
        ("#n >= :v", {"#n": "name"}, {":v": {"S": "li"}}, True),
        ("#n < :v", {"#n": "absent"}, {":v": {"N": "3"}}, False),
        ("NOT #n = :v", {"#n": "version"}, {":v": {"N": "4"}}, True),
        ("attribute_exists(#a) OR #n = :v AND #n > :v", {"#a": "pk", "#n": "version"},
         {":v": {"N": "3"}}, True),
        ("(attribute_exists(#a) OR #n = :v) AND #n > :v", {"#a": "pk", "#n": "version"},
         {":v": {"N": "3"}}, False),
        ("attribute_exists(pk) AND name = :v", {}, {":v": {"S": "li"}}, None),
    ],
)  # fmt: skip
def test_conditions(
    aws: Aws, expression: str, names: dict[str, str], values: Item, holds: bool | None
) -> None:
    """Comparisons, types that differ, attributes that are absent, and what binds more; None is a reserved word."""
    put(aws, "a", version=3, name="li")
    more: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
    if values:
        more["ExpressionAttributeValues"] = values

    def act() -> None:
        aws.db.put_item(
            TableName="book",
            Item={**key(), "new": {"S": "x"}},
            ConditionExpression=expression,
            **more,
        )

    if holds:
        act()
        assert found(aws) == {**key(), "new": {"S": "x"}}
    else:
        expected = "ConditionalCheckFailedException" if holds is False else "ValidationException"
        assert code(act) == expected
        assert found(aws) == {**key(), "version": {"N": "3"}, "name": {"S": "li"}}


@pytest.mark.parametrize(
    "more",
    [
        {"ConditionExpression": "#a = :b", "ExpressionAttributeNames": {"#a": "x"}},
        {"ConditionExpression": "attribute_exists(#a)"},
        {"ConditionExpression": "attribute_exists(#a)",
         "ExpressionAttributeNames": {"#a": "x", "#b": "y"}},
        {"ConditionExpression": "attribute_exists(#a)", "ExpressionAttributeNames": {"#a": "x"},
         "ExpressionAttributeValues": {":v": {"S": ""}}},
        {"ConditionExpression": "attribute_exists(#a) AND",
         "ExpressionAttributeNames": {"#a": "x"}},
        {"Item": {"pk": {"S": "p"}}},
        {"Item": {"pk": {"S": "p"}, "sk": {"S": ""}}},
        {"Item": {"pk": {"S": "p"}, "sk": {"N": "1"}}},
        {"Item": {**key(), "big": {"S": "x" * 410_000}}},
        {"Item": {**key(), "n": {"N": "three"}}},
    ],
    ids=["value missing", "name missing", "name unused", "value unused", "half a condition",
         "no sort key", "empty key", "number as key", "too large", "no number"],
)  # fmt: skip
def test_a_put_that_is_wrong(aws: Aws, more: dict[str, Any]) -> None:
    """Names and values missing or unused, keys missing, empty or of another type, too large an item."""
    request = {"TableName": "book", "Item": key(), **more}
    assert code(lambda: aws.db.put_item(**request)) == "ValidationException"
    assert found(aws) is None


def test_a_number_has_one_form(aws: Aws) -> None:
    """Zeros behind are not kept."""
    aws.db.put_item(TableName="book", Item={**key(), "n": {"N": "1.00"}, "m": {"N": "1e2"}})
    item = found(aws)
    assert item is not None
    assert (item["n"], item["m"]) == ({"N": "1"}, {"N": "100"})


def test_a_number_has_38_digits(aws: Aws) -> None:
    """A longer one is refused."""
    aws.db.put_item(TableName="book", Item={**key(), "n": {"N": "9" * 38}})
    wrong = {**key(), "n": {"N": "9" * 39}}
    assert code(lambda: aws.db.put_item(TableName="book", Item=wrong)) == "ValidationException"


def test_a_table_that_is_missing(aws: Aws) -> None:
    """It is said so, alone and in a transaction."""
    put_item = {"TableName": "none", "Item": key()}
    error = refused(lambda: aws.db.put_item(**put_item))
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
    act = aws.db.transact_write_items
    assert code(lambda: act(TransactItems=[{"Put": put_item}])) == "ResourceNotFoundException"


# Updates


def update(aws: Aws, expression: str, **more: Any) -> Any:
    """Update an item of the Book by an expression whose name is `n` and value `v`."""
    names = {"#n": "n"} if "#n" in expression + more.get("ConditionExpression", "") else {}
    return aws.db.update_item(
        TableName="book",
        Key=key(),
        UpdateExpression=expression,
        **({"ExpressionAttributeNames": names} if names else {}),
        ExpressionAttributeValues=more.pop("values", {":v": {"N": "5"}}),
        **more,
    )


def test_an_update_sets_and_counts(aws: Aws) -> None:
    """It makes the item where there is none, and answers with what is new."""
    assert update(aws, "SET #n = :v", ReturnValues="ALL_NEW")["Attributes"]["n"] == {"N": "5"}
    assert update(aws, "SET #n = #n + :v", ReturnValues="ALL_NEW")["Attributes"]["n"] == {"N": "10"}
    assert update(aws, "SET #n = #n - :v", ReturnValues="ALL_NEW")["Attributes"]["n"] == {"N": "5"}
    assert "Attributes" not in update(aws, "ADD #n :v")
    assert found(aws) == {**key(), "n": {"N": "10"}}


def test_an_addition_begins_at_nothing(aws: Aws) -> None:
    """ADD makes item and attribute; SET cannot count from an attribute that is not there."""
    assert code(lambda: update(aws, "SET #n = #n + :v")) == "ValidationException"
    assert found(aws) is None
    update(aws, "ADD #n :v", values={":v": {"N": "-7"}})
    assert found(aws) == {**key(), "n": {"N": "-7"}}


def test_operands_are_read_before_anything_is_written(aws: Aws) -> None:
    """Each attribute is set from what stood there before."""
    put(aws, "a", one=1, two=2)
    aws.db.update_item(
        TableName="book",
        Key=key(),
        UpdateExpression="SET #one = #two, #two = #one",
        ExpressionAttributeNames={"#one": "one", "#two": "two"},
    )
    assert found(aws) == {**key(), "one": {"N": "2"}, "two": {"N": "1"}}


def test_an_update_under_a_condition_that_fails_returns_the_item(aws: Aws) -> None:
    """Where it is asked for, and where there is one."""
    more = {"ConditionExpression": "#n > :v", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    error = refused(lambda: update(aws, "SET #n = :v", **more))
    assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert "Item" not in error.response
    put(aws, "a", n=3)
    error = refused(lambda: update(aws, "SET #n = :v", **more))
    assert error.response["Item"] == {**key(), "n": {"N": "3"}}
    error = refused(lambda: update(aws, "SET #n = :v", ConditionExpression="#n > :v"))
    assert "Item" not in error.response


# Queries


def query(aws: Aws, condition: str = "pk = :p", **more: Any) -> Any:
    """Query the partition `p` of the Book."""
    values = {":p": {"S": "p"}, **more.pop("values", {})}
    return aws.db.query(
        TableName="book",
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        **more,
    )


def sorts(answer: Any) -> list[str]:
    """Return the sort keys of an answer."""
    return [item["sk"]["S"] for item in answer["Items"]]


def test_a_partition_is_read_in_order_of_bytes(aws: Aws) -> None:
    """Both ways, and nothing of other partitions."""
    for sort in ("b", "a", "Z", "é", "a#1", "😀"):
        put(aws, sort)
    put(aws, "c", partition="q")
    expected = ["Z", "a", "a#1", "b", "é", "😀"]
    assert sorts(query(aws)) == expected
    assert sorts(query(aws, ScanIndexForward=False)) == expected[::-1]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("pk = :p AND begins_with(sk, :s)", ["b", "b#1"]),
        ("pk = :p AND sk = :s", ["b"]),
        ("pk = :p AND sk < :s", ["a"]),
        ("pk = :p AND sk <= :s", ["a", "b"]),
        ("pk = :p AND sk > :s", ["b#1", "c"]),
        ("pk = :p AND sk >= :s", ["b", "b#1", "c"]),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_a_range_of_sort_keys(aws: Aws, condition: str, expected: list[str], forward: bool) -> None:
    """Every comparison, both ways."""
    for sort in ("a", "b", "b#1", "c"):
        put(aws, sort)
    answer = query(aws, condition, values={":s": {"S": "b"}}, ScanIndexForward=forward)
    assert sorts(answer) == (expected if forward else expected[::-1])


@pytest.mark.parametrize("forward", [True, False])
def test_pages_go_on_where_they_ended(aws: Aws, forward: bool) -> None:
    """Nothing twice and nothing left out, with a limit; the item at the end may be gone by then."""
    for n in range(7):
        put(aws, f"{n}")
    read: list[str] = []
    start: dict[str, Any] = {}
    while True:
        answer = query(aws, Limit=3, ScanIndexForward=forward, **start)
        read += sorts(answer)
        if "LastEvaluatedKey" not in answer:
            break
        assert answer["LastEvaluatedKey"] == key(read[-1])
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert read == sorted(read, reverse=not forward)
    assert len(read) == 7


def test_a_page_that_ends_with_the_last_item_names_it(aws: Aws) -> None:
    """DynamoDB stops at the limit and does not look whether anything follows."""
    put(aws, "a")
    put(aws, "b")
    answer = query(aws, Limit=2)
    assert answer["LastEvaluatedKey"] == key("b")
    assert sorts(query(aws, ExclusiveStartKey=key("b"))) == []


def test_a_page_holds_a_megabyte(aws: Aws) -> None:
    """Behind it the answer says where to go on."""
    for n in range(4):
        put(aws, f"{n}", big="x" * 390_000)
    answer = query(aws)
    assert sorts(answer) == ["0", "1"]
    assert sorts(query(aws, ExclusiveStartKey=answer["LastEvaluatedKey"])) == ["2", "3"]


def test_a_filter_comes_after_the_limit(aws: Aws) -> None:
    """It leaves items out of a page that was read; a count has no items."""
    for n in range(4):
        put(aws, f"{n}", n=n)
    more: dict[str, Any] = {
        "FilterExpression": "#n > :n AND attribute_not_exists(read_at)",
        "ExpressionAttributeNames": {"#n": "n"},
        "values": {":n": {"N": "1"}},
    }
    first = query(aws, Limit=3, **more)
    assert (sorts(first), first["Count"], first["ScannedCount"]) == (["2"], 1, 3)
    counted = query(aws, Select="COUNT", **{**more, "values": {":n": {"N": "1"}}})
    assert counted["Count"] == 2
    assert "Items" not in counted


@pytest.mark.parametrize(
    "more",
    [
        {"Limit": 0},
        {"condition": "sk = :p"},
        {"condition": "pk = :p AND other = :p"},
        {"IndexName": "none"},
        {"IndexName": "agenda", "ConsistentRead": True},
        {"values": {":unused": {"S": "x"}}},
    ],
    ids=["no limit", "no partition", "no key", "no index", "consistent index", "value unused"],
)
def test_a_query_that_is_wrong(aws: Aws, more: dict[str, Any]) -> None:
    """Another key, an index that there is not, or a consistent read of one."""
    error = refused(lambda: query(aws, **more))
    assert error.response["Error"]["Code"] == "ValidationException"


def agenda(aws: Aws, **more: Any) -> Any:
    """Query shard 1 of the agenda up to "5"."""
    return aws.db.query(
        TableName="book",
        IndexName="agenda",
        KeyConditionExpression="#shard = :shard AND #at <= :now",
        ExpressionAttributeNames={"#shard": "shard", "#at": "look_at"},
        ExpressionAttributeValues={":shard": {"N": "1"}, ":now": {"S": "5"}},
        **more,
    )


def test_an_index_holds_what_has_its_keys(aws: Aws) -> None:
    """Its own order and projection; an item that loses a key or moves is found no more where it was."""
    put(aws, "b", shard=1, look_at="3", status="open", secret="x")
    put(aws, "a", shard=1, look_at="4")
    put(aws, "c", shard=1, look_at="6")
    put(aws, "d", shard=2, look_at="1")
    put(aws, "e", look_at="1")
    answer = agenda(aws)
    assert sorts(answer) == ["b", "a"]
    assert set(answer["Items"][0]) == {"pk", "sk", "shard", "look_at", "status"}
    put(aws, "b", shard=1)
    put(aws, "a", shard=1, look_at="7")
    put(aws, "c", shard=1, look_at="2")
    assert sorts(agenda(aws)) == ["c"]


def test_pages_of_an_index_go_on_where_they_ended(aws: Aws) -> None:
    """Also among equal sort keys; the place names all keys of index and table."""
    for n in range(5):
        put(aws, f"{n}", shard=1, look_at="3")
    read: list[str] = []
    start: dict[str, Any] = {}
    for _ in range(4):
        answer = agenda(aws, Limit=2, **start)
        read += sorts(answer)
        if "LastEvaluatedKey" not in answer:
            break
        assert set(answer["LastEvaluatedKey"]) == {"pk", "sk", "shard", "look_at"}
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert sorted(read) == ["0", "1", "2", "3", "4"]


# Batches


def test_a_batch_reads_what_is_there(aws: Aws) -> None:
    """In no order, at most 100 keys, none of them missing from the answer."""
    put(aws, "a", n=1)
    put(aws, "b", n=2)
    wanted = {"book": {"Keys": [key("a"), key("b"), key("none")], "ConsistentRead": True}}
    answer = aws.db.batch_get_item(RequestItems=wanted)
    assert sorted(item["sk"]["S"] for item in answer["Responses"]["book"]) == ["a", "b"]
    assert not answer.get("UnprocessedKeys")
    many = {"book": {"Keys": [key(f"{n}") for n in range(101)]}}
    assert code(lambda: aws.db.batch_get_item(RequestItems=many)) == "ValidationException"


def test_a_key_is_read_once_in_a_batch(aws: Aws) -> None:
    """The same key twice is refused."""
    wanted = {"book": {"Keys": [key("a"), key("a")]}}
    assert code(lambda: aws.db.batch_get_item(RequestItems=wanted)) == "ValidationException"


# Transactions


def action(sort: str, verb: str = "Put", **more: Any) -> dict[str, Any]:
    """Return an action; one with `absent` or `present` holds only if the item is so."""
    content = (
        {"Item": {**key(sort), **more.pop("more", {})}} if verb == "Put" else {"Key": key(sort)}
    )
    if more.pop("absent", False):
        more |= {"ConditionExpression": "attribute_not_exists(pk)"}
    if more.pop("present", False):
        more |= {"ConditionExpression": "attribute_exists(pk)"}
    return {verb: {"TableName": "book", **content, **more}}


def test_a_transaction_is_all_or_nothing(aws: Aws) -> None:
    """The reasons stand in the order of the actions, with the items where they are asked for."""
    put(aws, "b", n=1)
    returns = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    actions = [
        action("a", absent=True),
        action("b", absent=True, **returns),
        action("b2", "Delete"),
        action("c", "ConditionCheck", present=True, **returns),
    ]
    error = refused(lambda: aws.db.transact_write_items(TransactItems=actions))
    assert error.response["Error"]["Code"] == "TransactionCanceledException"
    reasons = error.response["CancellationReasons"]
    codes = ["None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"]
    assert [reason["Code"] for reason in reasons] == codes
    assert [reason.get("Item") for reason in reasons] == [
        None,
        {**key("b"), "n": {"N": "1"}},
        None,
        None,
    ]
    assert found(aws) is None
    aws.db.transact_write_items(
        TransactItems=[
            action("a", absent=True),
            action("b", "Delete", present=True),
            action("c", "ConditionCheck", absent=True),
        ]
    )
    assert (found(aws), found(aws, "b"), found(aws, "c")) == (key("a"), None, None)


def test_a_transaction_that_is_wrong(aws: Aws) -> None:
    """One item twice, more than 100 actions, none."""
    act = aws.db.transact_write_items
    twice = [action("a"), action("a", "ConditionCheck", present=True)]
    assert code(lambda: act(TransactItems=twice)) == "ValidationException"
    many = [action(f"{n}") for n in range(101)]
    assert code(lambda: act(TransactItems=many)) == "ValidationException"
    act(TransactItems=many[:100])
    assert found(aws, "99") is not None


def test_a_transaction_holds_four_megabytes(aws: Aws) -> None:
    """Eleven items just below the limit of one are too much together."""
    big = [action(f"{n}", more={"x": {"S": "y" * 399_000}}) for n in range(11)]
    act = aws.db.transact_write_items
    assert code(lambda: act(TransactItems=big)) == "ValidationException"
    assert found(aws, "0") is None


def test_a_token_makes_a_transaction_happen_once(aws: Aws) -> None:
    """The same again succeeds although its condition fails by now, and writes nothing."""
    request = {"TransactItems": [action("a", absent=True)], "ClientRequestToken": "t-1"}
    aws.db.transact_write_items(**request)
    put(aws, "a", n=2)
    aws.db.transact_write_items(**request)
    assert found(aws) == {**key(), "n": {"N": "2"}}


def test_a_token_with_other_parameters_is_refused(aws: Aws) -> None:
    """It names one transaction only."""
    act = aws.db.transact_write_items
    act(TransactItems=[action("a")], ClientRequestToken="t-1")
    other = lambda: act(TransactItems=[action("b")], ClientRequestToken="t-1")  # noqa: E731  # one line reads better
    assert code(other) == "IdempotentParameterMismatchException"


def test_a_token_of_a_transaction_that_failed_is_free(aws: Aws) -> None:
    """What was cancelled is asked again."""
    request = {"TransactItems": [action("a", present=True)], "ClientRequestToken": "t-1"}
    act = aws.db.transact_write_items
    assert code(lambda: act(**request)) == "TransactionCanceledException"
    put(aws, "a")
    act(**request)


# Queues, topics, objects, secrets


def test_a_queue_takes_ten_at_once(aws: Aws) -> None:
    """And says so of eleven, of none, of one id twice, and of a queue that there is not."""
    send = aws.client("sqs").send_message_batch
    entries = [{"Id": f"{n}", "MessageBody": f"m{n}", "DelaySeconds": 0} for n in range(11)]
    answer = send(QueueUrl=aws.queue, Entries=entries[:10])
    assert [entry["Id"] for entry in answer["Successful"]] == [f"{n}" for n in range(10)]
    assert not answer.get("Failed")
    assert sorted(aws.received(aws.queue)) == sorted(f"m{n}" for n in range(10))
    assert aws.received(aws.queue) == []
    prefix = "AWS.SimpleQueueService."
    many = code(lambda: send(QueueUrl=aws.queue, Entries=entries))
    assert many == f"{prefix}TooManyEntriesInBatchRequest"
    twice = [entries[0], entries[0]]
    assert (
        code(lambda: send(QueueUrl=aws.queue, Entries=twice)) == f"{prefix}BatchEntryIdsNotDistinct"
    )
    missing = aws.queue.replace("email", "none")
    assert code(lambda: send(QueueUrl=missing, Entries=entries[:1])) == f"{prefix}NonExistentQueue"


def test_a_topic_leads_by_an_attribute(aws: Aws) -> None:
    """Raw, and only to the queue whose filter names the value."""
    entries = [
        {
            "Id": channel,
            "Message": f"for {channel}",
            "MessageAttributes": {"channel": {"DataType": "String", "StringValue": channel}},
        }
        for channel in ("email", "sms")
    ]
    publish = aws.client("sns").publish_batch
    answer = publish(TopicArn=aws.topic, PublishBatchRequestEntries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["email", "sms"]
    assert aws.received(aws.queue) == ["for email"]
    missing = aws.topic.replace("contacts", "none")
    other = lambda: publish(TopicArn=missing, PublishBatchRequestEntries=entries)  # noqa: E731  # one line reads better
    assert code(other) == "NotFound"


def test_an_object_is_read_as_it_was_put(aws: Aws) -> None:
    """In parts; one that is missing is said to be in the two ways of S3."""
    s3 = aws.client("s3")
    s3.put_object(Bucket=aws.bucket, Key="a/b", Body=b"twelve bytes", ContentType="text/plain")
    body = s3.get_object(Bucket=aws.bucket, Key="a/b")["Body"]
    assert (body.read(6), body.read(6), body.read(6)) == (b"twelve", b" bytes", b"")
    body.close()
    assert s3.head_object(Bucket=aws.bucket, Key="a/b")["ContentLength"] == 12
    assert code(lambda: s3.get_object(Bucket=aws.bucket, Key="none")) == "NoSuchKey"
    assert code(lambda: s3.head_object(Bucket=aws.bucket, Key="none")) == "404"
    assert code(lambda: s3.get_object(Bucket="no-bucket", Key="a")) == "NoSuchBucket"


def test_a_secret_is_read(aws: Aws) -> None:
    """And one that is missing is said to be."""
    read = aws.client("secretsmanager").get_secret_value
    assert read(SecretId=aws.secret)["SecretString"] == "a text"
    assert code(lambda: read(SecretId="none")) == "ResourceNotFoundException"
