"""Single attributes in DynamoDB's own notation, both ways.

Stream images have the same notation, so the readers serve them as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
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
