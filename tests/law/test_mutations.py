"""Whoever changes a number, a time, a date or a switch of a rule breaks a vector: the vectors hold the packs.

Each pack is changed in one place at a time, by the least step: a number by one, a time by a minute, a date by a day, a
switch to its other side. Each change has to be refused by the loader or answered wrongly to some vector of the rule.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from betimes.core import pack
from betimes.core.errors import Rejected
from betimes.core.rule import Kind
from tests.law import support

NAMES = tuple(support.packs())
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
# Switches that may be left out: turned on where they are not named.
_SWITCHES = {Kind.WINDOW: ("unless_agreed",), Kind.NOTICE: ("trigger_is_day_one",)}

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return every value in a table that is no table or list itself, with the way to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from places(inner, (*path, n))
    else:
        yield path, value


def changed(value: Any) -> list[Any]:
    """Return what a number, time, date or switch is changed to; nothing for words."""
    match value:
        case bool():
            return [not value]
        case int():
            return [value - 1, value + 1]
        case date():
            return [value - DAY, value + DAY]
        case str() if _CLOCK.fullmatch(value):
            clock = datetime.combine(date(2026, 1, 1), time.fromisoformat(value))
            return [f"{clock + step:%H:%M:%S}" for step in (-MINUTE, MINUTE)]
        case str() if _NUMBER.fullmatch(value):
            return [str(Decimal(value) - 1), str(Decimal(value) + 1)]
    return []


def mutations(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the changed copies of a rule as its file has it, each with what was changed."""
    kind = row["kind"]
    told = {key: row[key] for key in ("from", "to", kind) if key in row}
    for path, value in places(told):
        for new in changed(value):
            other = copy.deepcopy(dict(row))
            inside: Any = other
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = new
            yield f"{'.'.join(map(str, path))} = {new}, not {value}", other
    for name in _SWITCHES.get(Kind(kind), ()):
        if name not in row[kind]:
            other = copy.deepcopy(dict(row))
            other[kind][name] = True
            yield f"{name} = true", other


def is_noticed(name: str, n: int, row: dict[str, Any]) -> bool:
    """Return whether the pack with another rule in place `n` is refused, or a vector of the rule breaks."""
    document = support.documents()[name]
    # Only the versions of one rule: the others are as they were.
    rows = [
        row if place == n else each
        for place, each in enumerate(document["rule"])
        if each["id"] == row["id"]
    ]
    try:
        other = pack.parse({**document, "rule": rows}, name)
    except Rejected:
        return True
    vectors = (vector for vector in support.vectors()[name] if vector["rule"] == row["id"])
    return any(
        not support.fits(vector, support.ask(vector, other, other.rules)) for vector in vectors
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_change_of_a_number_breaks_a_vector(name: str) -> None:
    """No number, time, date or switch of any rule can be changed by its least step without a vector that says so."""
    unnoticed = [
        f"{row['id']} from {row['from']}: {what}"
        for n, row in enumerate(support.documents()[name]["rule"])
        for what, other in mutations(row)
        if not is_noticed(name, n, other)
    ]
    assert not unnoticed, "\n".join(unnoticed)


def test_every_rule_is_changed_somewhere() -> None:
    """Each rule has at least its first day to change, and a rule with a figure has more."""
    for document in support.documents().values():
        for row in document["rule"]:
            assert len(list(mutations(row))) >= 2, row["id"]


def test_a_change_that_no_vector_knows_is_told() -> None:
    """The harness finds what it looks for: without its boundary vectors a window can be moved unnoticed."""
    row = next(each for each in support.documents()["CN"]["rule"] if each["id"] == "CN.GBT.TIME")
    of = support.packs()["CN"]
    later = copy.deepcopy(row)
    later["window"]["days"]["every"][0]["closes"] = "22:01:00"
    other = pack.parse({**support.documents()["CN"], "rule": [later]}, "CN")
    mine = [each for each in support.vectors()["CN"] if each["rule"] == row["id"]]
    blunt = [each for each in mine if each["case"] != "boundary"]
    assert all(support.fits(each, support.ask(each, other, other.rules)) for each in blunt)
    assert not all(support.fits(each, support.ask(each, other, other.rules)) for each in mine)
    assert all(
        support.fits(each, support.ask(each, of, support.texts(of, row["id"]))) for each in mine
    )
