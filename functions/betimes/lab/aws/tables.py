"""Tables of the pretend DynamoDB: items, indexes that lag behind, reads that are stale, and streams.

Items are never changed once they are stored: a write replaces them. So what `kept` returns costs a copy of the
references, and a reader who changes what he was given changes nothing here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from betimes.core.values import dataclass
from betimes.lab.aws.expressions import Invalid, Item, Value, number, text_of

MAX_ITEM: Final = 400 * 1024
MAX_PAGE: Final = 1024 * 1024
# Of a key: bytes of the partition key and of the sort key.
MAX_PARTITION: Final = 2048
MAX_SORT: Final = 1024
_DIGITS: Final = 38
# Stands where a table has no sort key.
NO_SORT: Final = ""

Scalar = str | int | Decimal | bytes
Key = tuple[Scalar, Scalar]
# An entry of an index: its sort key, then the key of the item in the table.
_Entry = tuple[Scalar, Scalar, Scalar]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A key attribute and its type: "S", "N" or "B"."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Schema:
    """What a table or an index is found by; `sort` is None where there is no sort key."""

    partition: Attribute
    sort: Attribute | None


@dataclass(frozen=True, slots=True)
class IndexSchema:
    """A global secondary index: its keys, and what it shows beside keys; None for everything."""

    schema: Schema
    shows: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Stored:
    """An item as it is kept, with its size in bytes."""

    item: Item
    size: int


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change in a table's stream, as a Lambda function is given it by `event`."""

    number: int
    at: datetime
    keys: Item
    old: Item | None
    new: Item | None

    def event(self, view: str) -> dict[str, Any]:
        """Return the record of a Lambda event; `view` is the table's, KEYS_ONLY or NEW_IMAGE."""
        name = "INSERT" if self.old is None else "REMOVE" if self.new is None else "MODIFY"
        images = {"NewImage": copied(self.new)} if view == "NEW_IMAGE" and self.new else {}
        return {
            "eventID": f"{self.number:032x}",
            "eventName": name,
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.1",
            "dynamodb": {
                "ApproximateCreationDateTime": int(self.at.timestamp()),
                "Keys": copied(self.keys),
                **images,
                "SequenceNumber": f"{self.number:021d}",
                "StreamViewType": view,
            },
        }


@dataclass(frozen=True, slots=True)
class _Change:
    at: datetime
    key: Key
    new: Stored | None


def copied(item: Mapping[str, Value]) -> Item:
    """Return an item that shares nothing with another that could be changed."""
    return {
        name: dict(value) if not ("L" in value or "M" in value) else _copied(value)
        for name, value in item.items()
    }


def _copied(value: Value) -> Value:
    if "L" in value:
        return {"L": [_copied(each) for each in value["L"]]}
    if "M" in value:
        return {"M": copied(value["M"])}
    return dict(value)


def normal(item: Mapping[str, Value]) -> Stored:
    """Return an item as DynamoDB keeps it: its own copy, numbers in their one form, and its size.

    Raises:
        Invalid: a type that is none, a number of more than 38 digits, or more than 400 KB.
    """
    found: Item = {}
    size = 0
    for name, value in item.items():
        found[name], more = _normal(value)
        size += _bytes(name) + more
    if size > MAX_ITEM:
        raise Invalid("Item size has exceeded the maximum allowed size")
    return Stored(found, size)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _normal(value: Value) -> tuple[Value, int]:
    if len(value) != 1:
        raise Invalid("Supplied AttributeValue must contain exactly one of the supported datatypes")
    ((kind, held),) = value.items()
    if kind == "S":
        return {"S": held}, _bytes(held)
    if kind == "N":
        return _number(held)
    if kind in ("BOOL", "NULL"):
        return {kind: held}, 1
    if kind == "L":
        parts = [_normal(each) for each in held]
        return {"L": [part for part, _ in parts]}, 3 + sum(size + 1 for _, size in parts)
    if kind == "M":
        named = {name: _normal(each) for name, each in held.items()}
        inside = {name: part for name, (part, _) in named.items()}
        return {"M": inside}, 3 + sum(_bytes(n) + size + 1 for n, (_, size) in named.items())
    if kind == "B":
        return {"B": bytes(held)}, len(held)
    raise Invalid(f"Supplied AttributeValue has an unknown datatype {kind}")


def _number(held: str) -> tuple[Value, int]:
    if not isinstance(held, str):
        raise Invalid("a number is given as text")
    if not held.isdecimal() or held[0] == "0" or len(held) > _DIGITS:
        try:
            value = Decimal(held)
            digits = len("".join(map(str, value.as_tuple().digits)).strip("0"))
        except InvalidOperation:
            raise Invalid("The parameter cannot be converted to a numeric value") from None
        if digits > _DIGITS:
            raise Invalid("Attempting to store more than 38 significant digits in a Number")
        held = text_of(number(text_of(value)))
    return {"N": held}, (len(held) + 1) // 2 + 1


class Rows:
    """Items by partition and in order of sort key; what a table, an index or a stale copy is made of."""

    def __init__(self) -> None:
        self.items: dict[Scalar, dict[_Entry, Stored]] = {}
        self.order: dict[Scalar, list[_Entry]] = {}
        # Of an index: where the item of each key of the table stands in it.
        self.places: dict[Key, tuple[Scalar, _Entry]] = {}

    def put(self, partition: Scalar, entry: _Entry, stored: Stored) -> None:
        """Keep an item, in place of one with the same entry."""
        rows = self.items.get(partition)
        if rows is None:
            rows = self.items[partition] = {}
            self.order[partition] = []
        if entry not in rows:
            insort(self.order[partition], entry)
        rows[entry] = stored

    def drop(self, partition: Scalar, entry: _Entry) -> None:
        """Forget an item, if it is there."""
        rows = self.items.get(partition, {})
        if rows.pop(entry, None) is not None:
            order = self.order[partition]
            del order[bisect_left(order, entry)]

    def copy(self) -> Rows:
        """Return rows of their own with the same items."""
        other = Rows()
        other.items = {partition: dict(rows) for partition, rows in self.items.items()}
        other.order = {partition: list(order) for partition, order in self.order.items()}
        other.places = dict(self.places)
        return other

    def walk(
        self, partition: Scalar, *, after: _Entry | None, forward: bool, first: Scalar | None
    ) -> Iterator[tuple[_Entry, Stored]]:
        """Yield the entries of a partition in order, from behind `after` and not before the sort key `first`."""
        order = self.order.get(partition, [])
        rows = self.items.get(partition, {})
        if forward:
            start = bisect_left(order, (first,)) if first is not None else 0
            start = max(start, bisect_right(order, after) if after is not None else 0)
            places: Sequence[int] = range(start, len(order))
        else:
            start = bisect_left(order, after) if after is not None else len(order)
            places = range(start - 1, -1, -1)
        for place in places:
            yield order[place], rows[order[place]]


class Lagging:
    """Rows that follow a table at a distance in time."""

    def __init__(
        self,
        lag: timedelta,
        put: Callable[[Rows, _Change], None],
        rows: Rows,
    ) -> None:
        self.lag = lag
        self._put = put
        self._rows = rows
        self._pending: deque[_Change] = deque()

    def follow(self, change: _Change) -> None:
        """Take note of a change."""
        if not self.lag and not self._pending:
            self._put(self._rows, change)
        else:
            self._pending.append(change)

    def at(self, now: datetime) -> Rows:
        """Return the rows as they are seen at an instant."""
        pending = self._pending
        while pending and pending[0].at + self.lag <= now:
            self._put(self._rows, pending.popleft())
        return self._rows

    def kept(self) -> Any:
        """Return the state, for `restore`."""
        return self.lag, self._rows.copy(), tuple(self._pending)

    def restore(self, kept: Any) -> None:
        """Set the state back."""
        self.lag, rows, pending = kept
        self._rows, self._pending = rows.copy(), deque(pending)


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table: its keys, its indexes by name, and what its stream shows: KEYS_ONLY, NEW_IMAGE, or "" for no stream."""

    schema: Schema
    indexes: Mapping[str, IndexSchema] = field(default_factory=dict)
    view: str = ""


class Table:
    """One table."""

    def __init__(self, schema: TableSchema, clock: Callable[[], datetime]) -> None:
        self.schema = schema
        self._clock = clock
        self.rows = Rows()
        self.stream: list[StreamRecord] = []
        self._changes = 0
        self._stale: Lagging | None = None
        self._indexes = {
            name: Lagging(timedelta(), _follower(index, schema.schema), Rows())
            for name, index in schema.indexes.items()
        }

    def lag_index(self, name: str, lag: timedelta) -> None:
        """Let an index show a write only `lag` later."""
        self._indexes[name].lag = lag

    def lag_reads(self, lag: timedelta) -> None:
        """Let reads that are not consistent show a write only `lag` later, from now on."""
        if self._stale is None:
            self._stale = Lagging(lag, _keep, self.rows.copy())
        self._stale.lag = lag

    def key_of(self, item: Mapping[str, Value]) -> Key:
        """Return the key of an item.

        Raises:
            Invalid: a key attribute is missing, empty, too long, or of another type.
        """
        schema = self.schema.schema
        partition = scalar(item, schema.partition, MAX_PARTITION)
        sort = scalar(item, schema.sort, MAX_SORT) if schema.sort else NO_SORT
        return partition, sort

    def only_key(self, key: Mapping[str, Value]) -> Key:
        """Return the key that is given as such.

        Raises:
            Invalid: it has other attributes than the table's key.
        """
        schema = self.schema.schema
        if len(key) != (2 if schema.sort else 1):
            raise Invalid("The provided key element does not match the schema")
        return self.key_of(key)

    def get(self, key: Key, *, consistent: bool = True) -> Stored | None:
        """Return an item, None if there is none."""
        rows = self.rows if consistent or self._stale is None else self._stale.at(self._clock())
        return rows.items.get(key[0], _NOTHING).get((key[1], NO_SORT, NO_SORT))

    def seen(self, index: str, *, consistent: bool) -> Rows:
        """Return the rows that a Query reads; `index` is "" for the table itself."""
        if index:
            return self._indexes[index].at(self._clock())
        return self.rows if consistent or self._stale is None else self._stale.at(self._clock())

    def write(self, key: Key, new: Stored | None) -> None:
        """Put an item, or delete one where `new` is None; what does not change anything reaches no stream."""
        old = self.get(key)
        entry = (key[1], NO_SORT, NO_SORT)
        if new is None:
            if old is None:
                return
            self.rows.drop(key[0], entry)
        else:
            self.rows.put(key[0], entry, new)
        if old is not None and new is not None and old.item == new.item:
            return
        change = _Change(self._clock(), key, new)
        for index in self._indexes.values():
            index.follow(change)
        if self._stale is not None:
            self._stale.follow(change)
        if self.schema.view:
            self._changes += 1
            shown = new or old
            assert shown is not None, "a change has an image before or after it"
            names = [part.name for part in self._key_parts()]
            self.stream.append(
                StreamRecord(
                    self._changes,
                    change.at,
                    {name: shown.item[name] for name in names},
                    old.item if old else None,
                    new.item if new else None,
                )
            )

    def _key_parts(self) -> list[Attribute]:
        schema = self.schema.schema
        return [schema.partition, *([schema.sort] if schema.sort else [])]

    def taken(self, limit: int = 1_000_000) -> list[dict[str, Any]]:
        """Return the oldest records of the stream as Lambda is given them, in order, and take them off."""
        found, self.stream = self.stream[:limit], self.stream[limit:]
        return [record.event(self.schema.view) for record in found]

    def all_items(self) -> list[Item]:
        """Return every item, in order of keys: what an export of the table would hold."""
        return [
            copied(self.rows.items[partition][entry].item)
            for partition in sorted(self.rows.items, key=str)
            for entry in self.rows.order[partition]
        ]

    def kept(self) -> Any:
        """Return the state, for `restore`."""
        indexes = {name: index.kept() for name, index in self._indexes.items()}
        stale = self._stale.kept() if self._stale else None
        return self.rows.copy(), list(self.stream), self._changes, indexes, stale

    def restore(self, kept: Any) -> None:
        """Set the state back."""
        rows, stream, self._changes, indexes, stale = kept
        self.rows, self.stream = rows.copy(), list(stream)
        for name, index in self._indexes.items():
            index.restore(indexes[name])
        self._stale = None
        if stale is not None:
            self._stale = Lagging(timedelta(), _keep, Rows())
            self._stale.restore(stale)


_NOTHING: Final[dict[_Entry, Stored]] = {}


def _keep(rows: Rows, change: _Change) -> None:
    entry = (change.key[1], NO_SORT, NO_SORT)
    if change.new is None:
        rows.drop(change.key[0], entry)
    else:
        rows.put(change.key[0], entry, change.new)


def _follower(index: IndexSchema, table: Schema) -> Callable[[Rows, _Change], None]:
    """Return what brings a change of a table into an index."""
    schema = index.schema
    assert schema.sort is not None, "an index without a sort key is not modelled"
    sort = schema.sort
    keys = [part.name for part in (schema.partition, sort, table.partition, table.sort) if part]
    shown = None if index.shows is None else frozenset((*keys, *index.shows))

    def follow(rows: Rows, change: _Change) -> None:
        before = rows.places.pop(change.key, None)
        if before is not None:
            rows.drop(*before)
        new = change.new
        if new is None or not (_has(new.item, schema.partition) and _has(new.item, sort)):
            return
        partition = scalar(new.item, schema.partition, MAX_PARTITION)
        entry = (scalar(new.item, sort, MAX_SORT), *change.key)
        item = new.item
        if shown is not None:
            item = {name: value for name, value in item.items() if name in shown}
        rows.put(partition, entry, Stored(item, new.size))
        rows.places[change.key] = partition, entry

    return follow


def _has(item: Mapping[str, Value], part: Attribute) -> bool:
    return part.name in item and part.kind in item[part.name]


def scalar(item: Mapping[str, Value], part: Attribute, longest: int) -> Scalar:
    """Return a key attribute as a value that can be ordered.

    Raises:
        Invalid: it is missing, empty, too long, or of another type.
    """
    value = item.get(part.name)
    if value is None:
        raise Invalid("One or more parameter values were invalid: Missing a key in the item")
    held = value.get(part.kind)
    if held is None:
        raise Invalid("One or more parameter values were invalid: Type mismatch for key")
    if part.kind == "N":
        return number(text_of(number(held)))
    if not held:
        raise Invalid("The AttributeValue for a key attribute cannot contain an empty value")
    if (_bytes(held) if isinstance(held, str) else len(held)) > longest:
        raise Invalid(f"Size of a key has exceeded the maximum size limit of {longest} bytes")
    found: Scalar = held
    return found
