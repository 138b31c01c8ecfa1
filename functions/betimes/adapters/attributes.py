"""Single attributes in DynamoDB's own notation, both ways.

Stream images have the same notation, so the readers serve them as well.

Writers called `..._fields` leave an empty value out, and their readers take an absent attribute for the empty value.
So items stay small, and one written before the attribute existed is read as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from betimes.core import zones

# {"S": "text"}, {"N": "12"}, {"BOOL": true}, {"L": [...]} or {"M": {...}}.
Value = dict[str, Any]
Item = dict[str, Value]


def text(item: Mapping[str, Value], name: str) -> str:
    """Return the text attribute `name`.

    Raises:
        KeyError: the item has no such attribute, or one of another type.
    """
    found: str = item[name]["S"]
    return found


def number(item: Mapping[str, Value], name: str) -> int:
    """Return the whole-number attribute `name`.

    Raises:
        KeyError: the item has no such attribute, or one of another type.
        ValueError: the number is not whole.
    """
    return int(item[name]["N"])


def text_value(value: str) -> Value:
    """Return a text attribute."""
    return {"S": str(value)}


def number_value(value: int) -> Value:
    """Return a whole-number attribute."""
    # DynamoDB keeps 38 digits; a longer number would be refused with a message that names no
    # attribute.
    assert abs(value) < 10**38, "a number has at most 38 digits"
    return {"N": str(value)}


def instant_value(at: datetime) -> Value:
    """Return an instant as a sortable text attribute (UTC)."""
    return {"S": zones.to_text(at)}


def instant(item: Mapping[str, Value], name: str) -> datetime:
    """Return the instant attribute `name`; raises as `text`, and ValueError for another form."""
    return zones.from_text(text(item, name))


def instant_fields(name: str, at: datetime | None) -> Item:
    """Return the attribute `name`, or none at all where there is no instant."""
    return {} if at is None else {name: instant_value(at)}


def instant_or_none(item: Mapping[str, Value], name: str) -> datetime | None:
    """Return the instant attribute `name`, None where the item has none."""
    return instant(item, name) if name in item else None


def day_value(on: date) -> Value:
    """Return a civil date as a text attribute."""
    return {"S": on.isoformat()}


def day(item: Mapping[str, Value], name: str) -> date:
    """Return the civil date attribute `name`; raises as `text`, and ValueError for another form."""
    return date.fromisoformat(text(item, name))


def day_fields(name: str, on: date | None) -> Item:
    """Return the attribute `name`, or none at all where there is no date."""
    return {} if on is None else {name: day_value(on)}


def day_or_none(item: Mapping[str, Value], name: str) -> date | None:
    """Return the civil date attribute `name`, None where the item has none."""
    return day(item, name) if name in item else None


def text_fields(name: str, value: str) -> Item:
    """Return the attribute `name`, or none at all for empty text."""
    return {name: text_value(value)} if value else {}


def text_or_empty(item: Mapping[str, Value], name: str) -> str:
    """Return the text attribute `name`, "" where the item has none."""
    return text(item, name) if name in item else ""


def number_fields(name: str, value: int) -> Item:
    """Return the attribute `name`, or none at all for 0."""
    return {name: number_value(value)} if value else {}


def number_or_zero(item: Mapping[str, Value], name: str) -> int:
    """Return the whole-number attribute `name`, 0 where the item has none."""
    return number(item, name) if name in item else 0


def flag_fields(name: str, value: bool) -> Item:
    """Return the attribute `name`, or none at all where it does not hold."""
    return {name: {"BOOL": True}} if value else {}


def flag(item: Mapping[str, Value], name: str) -> bool:
    """Return the truth value `name`, False where the item has none."""
    return name in item and bool(item[name]["BOOL"])


def decimal_fields(name: str, value: Decimal) -> Item:
    """Return the attribute `name` with every digit, as text, or none at all for 0.

    DynamoDB's own numbers end at 38 digits, which an exact fraction of a minor unit can pass.
    """
    return {name: text_value(str(value))} if value else {}


def decimal_or_zero(item: Mapping[str, Value], name: str) -> Decimal:
    """Return the number that `decimal_fields` wrote, 0 where the item has none.

    Raises:
        KeyError: as `text`.
        InvalidOperation: the text is no number; one that is not finite is for the caller to refuse.
    """
    return Decimal(text(item, name)) if name in item else Decimal(0)


def texts_value(values: Sequence[str]) -> Value:
    """Return a list of texts, in order."""
    return {"L": [text_value(value) for value in values]}


def texts_fields(name: str, values: Sequence[str]) -> Item:
    """Return the attribute `name`, or none at all for no texts."""
    return {name: texts_value(values)} if values else {}


def texts(item: Mapping[str, Value], name: str) -> tuple[str, ...]:
    """Return the list of texts `name` in order, empty where the item has none."""
    return tuple(value["S"] for value in item[name]["L"]) if name in item else ()


def rows_fields(name: str, rows: Sequence[Sequence[str]]) -> Item:
    """Return the attribute `name`, a list of lists of texts, or none at all for no rows."""
    return {name: {"L": [texts_value(row) for row in rows]}} if rows else {}


def rows(item: Mapping[str, Value], name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of texts `name` in order, empty where the item has none."""
    found = item[name]["L"] if name in item else ()
    return tuple(tuple(cell["S"] for cell in row["L"]) for row in found)
