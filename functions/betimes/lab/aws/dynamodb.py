"""The pretend DynamoDB: the operations of its client.

Source: DynamoDB API reference; Developer Guide, "Amazon DynamoDB Transactions: How it works" and "Service, account, and
table quotas".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Final

from betimes.core.values import dataclass
from betimes.lab.aws import expressions
from betimes.lab.aws.errors import NotModelled, refusal
from betimes.lab.aws.expressions import Invalid
from betimes.lab.aws.service import Parameters, Service, operation
from betimes.lab.aws.tables import (
    MAX_PAGE,
    MAX_PARTITION,
    MAX_SORT,
    NO_SORT,
    Attribute,
    IndexSchema,
    Key,
    Scalar,
    Schema,
    Stored,
    Table,
    TableSchema,
    copied,
    normal,
    scalar,
)

MAX_ACTIONS: Final = 100
MAX_TRANSACTION: Final = 4 * 1024 * 1024
MAX_KEYS: Final = 100
MAX_BATCH: Final = 16 * 1024 * 1024
TOKEN_HOLDS: Final = timedelta(minutes=10)

_INVALID: Final = "ValidationException"
_CHECK_FAILED: Final = "ConditionalCheckFailed"
_MESSAGE: Final = "The conditional request failed"
_EXPRESSION: Final = "ConditionExpression ExpressionAttributeNames ExpressionAttributeValues"
_VERBS: Final = {"Put": "Item", "Delete": "Key", "ConditionCheck": "Key"}
_IN_ACTION: Final = frozenset(
    {"TableName", *_EXPRESSION.split(), "ReturnValuesOnConditionCheckFailure"}
)


@dataclass(frozen=True, slots=True)
class _Action:
    """One action of a transaction: `new` is what it writes, None for a deletion, and `writes` whether it does."""

    table: Table
    key: Key
    new: Stored | None
    writes: bool
    asked: Parameters = field(repr=False)


class DynamoDB(Service):
    """All tables, and the transactions of the last ten minutes by their tokens."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.tables: dict[str, Table] = {}
        self._tokens: dict[str, Any] = {}
        self._spent: deque[tuple[datetime, str]] = deque()
        operations = {
            "get_item": operation(self._get, "TableName Key", "ConsistentRead"),
            "put_item": operation(self._put, "TableName Item", _EXPRESSION),
            "update_item": operation(
                self._update,
                "TableName Key UpdateExpression",
                f"{_EXPRESSION} ReturnValues ReturnValuesOnConditionCheckFailure",
            ),
            "query": operation(
                self._query,
                "TableName KeyConditionExpression ExpressionAttributeValues",
                "IndexName ExpressionAttributeNames FilterExpression Limit ConsistentRead"
                " ExclusiveStartKey ScanIndexForward Select",
            ),
            "batch_get_item": operation(self._batch, "RequestItems"),
            "transact_write_items": operation(
                self._transact, "TransactItems", "ClientRequestToken"
            ),
        }
        self.offered = {"dynamodb": operations}

    def make(self, name: str, definition: Mapping[str, Any]) -> Table:
        """Make an empty table from what CreateTable takes, and return it."""
        kinds = {
            each["AttributeName"]: each["AttributeType"]
            for each in definition["AttributeDefinitions"]
        }
        stream = definition.get("StreamSpecification", {})
        made = Table(
            TableSchema(
                _schema(definition["KeySchema"], kinds),
                {
                    index["IndexName"]: IndexSchema(
                        _schema(index["KeySchema"], kinds), _shown(index["Projection"])
                    )
                    for index in definition.get("GlobalSecondaryIndexes", ())
                },
                stream.get("StreamViewType", ""),
            ),
            self._clock,
        )
        self.tables[name] = made
        return made

    def kept(self) -> object:
        """See `Service.kept`."""
        tables = {name: table.kept() for name, table in self.tables.items()}
        return tables, dict(self._tokens), tuple(self._spent)

    def restore(self, kept: Any) -> None:
        """See `Service.restore`."""
        tables, tokens, spent = kept
        for name, table in self.tables.items():
            table.restore(tables[name])
        self._tokens, self._spent = dict(tokens), deque(spent)

    def conflict(self, operation: str, asked: Parameters) -> Exception:
        """See `Service.conflict`; in a transaction the conflict is at its first action."""
        if operation == "transact_write_items":
            codes = [_reason("TransactionConflict", "Transaction is ongoing for the item")]
            codes += [_reason("None")] * (len(asked["TransactItems"]) - 1)
            return _cancelled(codes)
        if operation == "query":
            raise NotModelled("a Query meets no transactions")
        return refusal(operation, "TransactionConflictException", "Transaction is ongoing")

    def partly(self, operation: str, asked: Parameters) -> dict[str, Any]:
        """See `Service.partly`: the first half of the keys is read."""
        if operation != "batch_get_item":
            raise NotModelled(f"{operation} is no batch")
        ((name, wanted),) = asked["RequestItems"].items()
        half = (len(wanted["Keys"]) + 1) // 2
        answer = self._batch({"RequestItems": {name: {**wanted, "Keys": wanted["Keys"][:half]}}})
        left = {**wanted, "Keys": wanted["Keys"][half:]}
        return {**answer, "UnprocessedKeys": {name: left} if left["Keys"] else {}}

    # Single items

    def _table(self, operation: str, asked: Parameters) -> Table:
        table = self.tables.get(asked["TableName"])
        if table is None:
            raise refusal(
                operation, "ResourceNotFoundException", "Cannot do operations on a missing table"
            )
        return table

    def _get(self, asked: Parameters) -> dict[str, Any]:
        table = self._table("get_item", asked)
        try:
            key = table.only_key(asked["Key"])
        except Invalid as error:
            raise refusal("get_item", _INVALID, str(error)) from None
        found = table.get(key, consistent=asked.get("ConsistentRead", False))
        return {"Item": copied(found.item)} if found is not None else {}

    def _put(self, asked: Parameters) -> dict[str, Any]:
        table = self._table("put_item", asked)
        try:
            key = table.key_of(asked["Item"])
            new = normal(asked["Item"])
            holds = _holds(asked, table.get(key))
        except Invalid as error:
            raise refusal("put_item", _INVALID, str(error)) from None
        if not holds:
            raise _failed("put_item", asked, table.get(key))
        table.write(key, new)
        return {}

    def _update(self, asked: Parameters) -> dict[str, Any]:
        table = self._table("update_item", asked)
        returns = asked.get("ReturnValues", "NONE")
        if returns not in ("NONE", "ALL_NEW"):
            raise NotModelled(f"update_item: ReturnValues {returns}")
        try:
            key = table.only_key(asked["Key"])
            old = table.get(key)
            change = expressions.update(asked["UpdateExpression"])
            holds = _holds(asked, old, change)
            if not holds:
                raise _failed("update_item", asked, old)
            new = normal(_updated(asked, old, change))
            if table.key_of(new.item) != key:
                raise Invalid("Cannot update an attribute that is part of the key")
        except Invalid as error:
            raise refusal("update_item", _INVALID, str(error)) from None
        table.write(key, new)
        return {"Attributes": copied(new.item)} if returns == "ALL_NEW" else {}

    def _batch(self, asked: Parameters) -> dict[str, Any]:
        if len(asked["RequestItems"]) != 1:
            raise NotModelled("batch_get_item of several tables")
        ((name, wanted),) = asked["RequestItems"].items()
        if not wanted.keys() <= {"Keys", "ConsistentRead"}:
            raise NotModelled("batch_get_item with other parameters")
        table = self._table("batch_get_item", {"TableName": name})
        try:
            found_keys = [table.only_key(key) for key in wanted["Keys"]]
            if not 1 <= len(found_keys) <= MAX_KEYS:
                raise Invalid("Too many items requested for the BatchGetItem call")
            if len(set(found_keys)) != len(found_keys):
                raise Invalid("Provided list of item keys contains duplicates")
        except Invalid as error:
            raise refusal("batch_get_item", _INVALID, str(error)) from None
        items = []
        left: list[Any] = []
        size = 0
        for given, key in zip(wanted["Keys"], found_keys, strict=True):
            found = table.get(key, consistent=wanted.get("ConsistentRead", False))
            size += found.size if found else 0
            if size > MAX_BATCH:
                left.append(given)
            elif found is not None:
                items.append(copied(found.item))
        return {
            "Responses": {name: items},
            "UnprocessedKeys": {name: {**wanted, "Keys": left}} if left else {},
        }

    # Queries

    def _query(self, asked: Parameters) -> dict[str, Any]:
        table = self._table("query", asked)
        try:
            return _queried(table, asked)
        except Invalid as error:
            raise refusal("query", _INVALID, str(error)) from None

    # Transactions

    def _transact(self, asked: Parameters) -> dict[str, Any]:
        requests = asked["TransactItems"]
        token = asked.get("ClientRequestToken", "")
        self._forget()
        if token in self._tokens:
            if self._tokens[token] != requests:
                raise refusal(
                    "transact_write_items",
                    "IdempotentParameterMismatchException",
                    "The token was used with other parameters",
                )
            return {}
        try:
            actions, reasons = self._prepared(requests)
        except Invalid as error:
            raise refusal("transact_write_items", _INVALID, str(error)) from None
        if any(reason["Code"] != "None" for reason in reasons):
            raise _cancelled(reasons)
        for action in actions:
            if action.writes:
                action.table.write(action.key, action.new)
        if token:
            self._tokens[token] = requests
            self._spent.append((self._clock(), token))
        return {}

    def _forget(self) -> None:
        now = self._clock()
        while self._spent and self._spent[0][0] + TOKEN_HOLDS <= now:
            self._tokens.pop(self._spent.popleft()[1], None)

    def _prepared(
        self, requests: Sequence[Parameters]
    ) -> tuple[list[_Action], list[dict[str, Any]]]:
        """Return the actions and for each the reason against it.

        Raises:
            Invalid: the request as a whole is wrong.
        """
        if not 1 <= len(requests) <= MAX_ACTIONS:
            raise Invalid(
                f"Member must have length less than or equal to {MAX_ACTIONS} and at least 1"
            )
        actions: list[_Action] = []
        reasons: list[dict[str, Any]] = []
        touched: set[tuple[int, Key]] = set()
        size = 0
        for request in requests:
            action, reason = self._action(request)
            place = (id(action.table), action.key)
            if place in touched:
                raise Invalid("Transaction request cannot include multiple operations on one item")
            touched.add(place)
            size += action.new.size if action.new is not None else 0
            actions.append(action)
            reasons.append(reason)
        if size > MAX_TRANSACTION:
            raise Invalid("Collection size of items in the transaction exceeded 4 MB")
        return actions, reasons

    def _action(self, request: Parameters) -> tuple[_Action, dict[str, Any]]:
        ((verb, asked),) = request.items()
        content = _VERBS.get(verb)
        if content is None or not asked.keys() - {content} <= _IN_ACTION:
            raise NotModelled(f"the action {verb} of a transaction, or one of its parameters")
        table = self._table("transact_write_items", asked)
        if verb == "ConditionCheck" and "ConditionExpression" not in asked:
            raise Invalid("a ConditionCheck needs a condition")
        given = asked[content]
        key = table.key_of(given) if verb == "Put" else table.only_key(given)
        new, reason = None, _reason("None")
        if verb == "Put":
            try:
                new = normal(given)
            except Invalid as error:
                reason = _reason("ValidationError", str(error))
        found = table.get(key)
        if not _holds(asked, found):
            reason = _reason(_CHECK_FAILED, _MESSAGE)
            if found is not None and _returns_old(asked):
                reason["Item"] = copied(found.item)
        return _Action(table, key, new, verb != "ConditionCheck", asked), reason


def _schema(parts: Sequence[Mapping[str, str]], kinds: Mapping[str, str]) -> Schema:
    by_role = {part["KeyType"]: part["AttributeName"] for part in parts}
    sort = by_role.get("RANGE")
    return Schema(
        Attribute(by_role["HASH"], kinds[by_role["HASH"]]),
        Attribute(sort, kinds[sort]) if sort is not None else None,
    )


def _shown(projection: Mapping[str, Any]) -> tuple[str, ...] | None:
    if projection["ProjectionType"] == "ALL":
        return None
    return tuple(projection.get("NonKeyAttributes", ()))


def _holds(
    asked: Parameters, found: Stored | None, *others: expressions.Update | expressions.KeyCondition
) -> bool:
    """Return whether the condition of a request holds for what is stored; without one it does.

    Raises:
        Invalid: names or values are missing, or given and not used.
    """
    names = asked.get("ExpressionAttributeNames", _NONE)
    values = asked.get("ExpressionAttributeValues", _NONE)
    text = asked.get("ConditionExpression")
    if text is None:
        expressions.all_used(names, values, *others)
        return True
    compiled = expressions.condition(text)
    if not others and names.keys() == compiled.names and values.keys() == compiled.values:
        return compiled.test(found.item if found is not None else _NONE, names, values)
    expressions.all_used(names, values, compiled, *others)
    return compiled.test(found.item if found is not None else _NONE, names, values)


_NONE: Final[Mapping[str, Any]] = {}


def _updated(
    asked: Parameters, old: Stored | None, change: expressions.Update
) -> dict[str, dict[str, Any]]:
    names = asked.get("ExpressionAttributeNames", _NONE)
    values = asked.get("ExpressionAttributeValues", _NONE)
    before = old.item if old is not None else asked["Key"]
    # All operands are read before anything is written.
    written = {
        expressions.named(target, names): new(before, names, values) for target, new in change.sets
    }
    return {**before, **written}


def _returns_old(asked: Parameters) -> bool:
    returns = asked.get("ReturnValuesOnConditionCheckFailure", "NONE")
    if returns not in ("NONE", "ALL_OLD"):
        raise NotModelled(f"ReturnValuesOnConditionCheckFailure {returns}")
    return bool(returns == "ALL_OLD")


def _failed(operation: str, asked: Parameters, found: Stored | None) -> Exception:
    more = {"Item": copied(found.item)} if found is not None and _returns_old(asked) else {}
    return refusal(operation, "ConditionalCheckFailedException", _MESSAGE, more=more)


def _reason(code: str, message: str = "") -> dict[str, Any]:
    return {"Code": code, **({"Message": message} if message else {})}


def _cancelled(reasons: Sequence[dict[str, Any]]) -> Exception:
    codes = ", ".join(reason["Code"] for reason in reasons)
    return refusal(
        "transact_write_items",
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        more={"CancellationReasons": list(reasons)},
    )


def _queried(table: Table, asked: Parameters) -> dict[str, Any]:
    """Return the answer to a Query.

    Raises:
        Invalid: the request is wrong.
    """
    index = asked.get("IndexName", "")
    consistent = asked.get("ConsistentRead", False)
    if index and index not in table.schema.indexes:
        raise Invalid("The table does not have the specified index")
    if index and consistent:
        raise Invalid("Consistent reads are not supported on global secondary indexes")
    schema = table.schema.indexes[index].schema if index else table.schema.schema
    names = asked.get("ExpressionAttributeNames", _NONE)
    values = asked["ExpressionAttributeValues"]
    wanted = expressions.key_condition(asked["KeyConditionExpression"])
    only = expressions.condition(asked["FilterExpression"]) if "FilterExpression" in asked else None
    expressions.all_used(names, values, wanted, *([only] if only else []))
    counts = asked.get("Select")
    if counts not in (None, "COUNT"):
        raise NotModelled(f"query: Select {counts}")
    limit = asked.get("Limit", 0)
    if "Limit" in asked and limit < 1:
        raise Invalid("Limit must be at least 1")
    partition = _asked_for(schema.partition, wanted.partition, names, values, MAX_PARTITION)
    within, first = _range(schema, wanted, names, values)
    forward = asked.get("ScanIndexForward", True)
    after = _place(table, schema, index, asked.get("ExclusiveStartKey"))
    found = []
    read = size = 0
    before = last = None
    walk = table.seen(index, consistent=consistent).walk(
        partition, after=after, forward=forward, first=first if forward else None
    )
    for entry, stored in walk:
        side = within(entry[0])
        if side > 0 if forward else side < 0:
            break
        if side:
            continue
        if before is not None and size + stored.size > MAX_PAGE:
            last = before
            break
        before = stored
        read, size = read + 1, size + stored.size
        if only is None or only.test(stored.item, names, values):
            found.append(stored)
        if read == limit:
            # Whether more would come, DynamoDB does not know yet.
            last = stored
            break
    return _answer(table, schema, found, read, last, counts)


def _answer(
    table: Table,
    schema: Schema,
    found: Sequence[Stored],
    read: int,
    last: Stored | None,
    counts: str | None,
) -> dict[str, Any]:
    answer: dict[str, Any] = {"Count": len(found), "ScannedCount": read}
    if counts is None:
        answer["Items"] = [copied(stored.item) for stored in found]
    if last is not None:
        own = table.schema.schema
        parts = [own.partition, own.sort, schema.partition, schema.sort]
        answer["LastEvaluatedKey"] = {
            part.name: dict(last.item[part.name]) for part in parts if part is not None
        }
    return answer


def _asked_for(
    part: Attribute,
    asked: tuple[str, str],
    names: Mapping[str, str],
    values: Mapping[str, Any],
    longest: int,
) -> Scalar:
    """Return the value that a key condition compares a key with."""
    name, value = asked
    if expressions.named(name, names) != part.name:
        raise Invalid("Query condition missed key schema element")
    return scalar({part.name: expressions.valued(value, values)}, part, longest)


def _range(
    schema: Schema,
    wanted: expressions.KeyCondition,
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> tuple[Callable[[Scalar], int], Scalar | None]:
    """Return where a sort key lies, below (-1), within (0) or above (1) what is asked for, and the first within."""
    if wanted.sort is None:
        return lambda _: 0, None
    if schema.sort is None:
        raise Invalid("Query key condition not supported")
    operator, name, value = wanted.sort
    edge: Any = _asked_for(schema.sort, (name, value), names, values, MAX_SORT)
    match operator:
        case "=":
            return lambda key: (key > edge) - (key < edge), edge
        case "<":
            return lambda key: int(key >= edge), None
        case "<=":
            return lambda key: int(key > edge), None
        case ">":
            return lambda key: -int(key <= edge), edge
        case ">=":
            return lambda key: -int(key < edge), edge
    if schema.sort.kind != "S":
        raise Invalid("Incorrect operand type for operator or function; begins_with")

    def beginning(key: Any) -> int:
        return 0 if key.startswith(edge) else (key > edge) - (key < edge)

    return beginning, edge


def _place(
    table: Table, schema: Schema, index: str, start: Parameters | None
) -> tuple[Scalar, Scalar, Scalar] | None:
    """Return the entry behind which a Query goes on."""
    if start is None:
        return None
    own = table.schema.schema
    parts = {part.name for part in (own.partition, own.sort, schema.partition, schema.sort) if part}
    if start.keys() != parts:
        raise Invalid("The provided starting key is invalid")
    key = table.key_of(start)
    if not index:
        return key[1], NO_SORT, NO_SORT
    assert schema.sort is not None, "an index has a sort key"
    return scalar(start, schema.sort, MAX_SORT), *key
