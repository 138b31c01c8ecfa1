"""Packs with one parameter changed, for tests of what people are told of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from betimes.adapters import law_packs
from betimes.core.pack import REACHES
from betimes.core.rule import WEEKDAYS, Pack, Party, Purpose, Recipient, Rule, Span, Stage
from betimes.core.values import replace

# Of empty lists, what they are lists of; others are lists of text.
WORDS: Mapping[str, type[StrEnum]] = {
    "parties": Party,
    "stages": Stage,
    "purposes": Purpose,
    "allowed": Recipient,
    "if_unreachable": Recipient,
}
NAMES = {"effective_from": "from", "effective_to": "to", "parties": "party"}


@cache
def packs() -> tuple[Pack, ...]:
    """Return the packs that are shipped."""
    return tuple(law_packs.law().packs.values())


def other(value: Any, field: str) -> Any:
    """Return another value of the same form."""
    match value:
        case bool():
            return not value
        case StrEnum():
            kinds = list(type(value))
            return kinds[(kinds.index(value) + 1) % len(kinds)]
        case str() if field == "reach":
            return REACHES[(REACHES.index(value) + 1) % len(REACHES)]
        case str():
            return f"{value}x"
        case int():
            return value + 1
        case Decimal():
            return value + Decimal("0.5")
        case date():
            return value + timedelta(days=1)
        case None:
            unknown = {
                "effective_to": date(2190, 1, 1),
                "at_least": Decimal(7),
                "at_most": Decimal(7),
            }
            return unknown.get(field, 7)
        case frozenset():
            found = [*WORDS[field]] if field in WORDS else ["x"]
            return value ^ {found[0]}
        case tuple():
            found = [*WORDS[field]] if field in WORDS else ["x"]
            missing = [each for each in found if each not in value]
            return (*value, missing[0]) if missing else value[1:]
    raise AssertionError(f"{field}: a form of value without another one: {value!r}")


def hours(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return other hours of a day: open for an hour where it was closed, three hours less where it was open."""
    if not spans:
        return (Span(time(12), time(13)),)
    first = spans[0]
    return (
        Span(first.opens.replace(hour=first.opens.hour + 3), first.closes, first.closes_inclusive),
        *spans[1:],
    )


def tables(table: Mapping[str, Any], *, is_hours: bool) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a table with one entry changed, one more or one less, under the entry's key."""
    for key, value in table.items():
        yield key, {**table, key: hours(value) if is_hours else (*value, "x")}
        # Hours without one of the seven days are no hours: only those of holidays may be left out.
        if not is_hours or key not in WEEKDAYS:
            yield key, {name: each for name, each in table.items() if name != key}
    more = "holiday" if is_hours else "zz"
    if more not in table:
        yield more, {**table, more: () if is_hours else ("x",)}


def having(rule: Rule, **terms: Any) -> Rule:
    """Return a rule with other terms."""
    changed: Any = replace(rule.terms, **terms)
    return replace(rule, terms=changed)


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield a rule with one parameter changed, under its key in the file; each parameter in turn."""
    for field in dataclasses.fields(rule):
        if field.name not in ("pack", "terms"):
            value = other(getattr(rule, field.name), field.name)
            yield NAMES.get(field.name, field.name), replace(rule, **{field.name: value})
    for field in dataclasses.fields(rule.terms):
        value = getattr(rule.terms, field.name)
        key = f"{rule.kind}.{field.name}"
        if isinstance(value, Mapping):
            for entry, table in tables(value, is_hours=field.name == "days"):
                yield f"{key}.{entry}", having(rule, **{field.name: table})
        else:
            yield key, having(rule, **{field.name: other(value, field.name)})


def pack_mutants(pack: Pack) -> Iterator[tuple[str, Pack]]:
    """Yield a pack with one parameter of its own changed, under its key."""
    for name in ("title", "refines", "zones", "phones", "calendar", "sha256", "fallback"):
        yield name, replace(pack, **{name: other(getattr(pack, name), name)})
    if pack.residency is not None:
        for field in dataclasses.fields(pack.residency):
            value = other(getattr(pack.residency, field.name), field.name)
            yield (
                f"residency.{field.name}",
                replace(pack, residency=replace(pack.residency, **{field.name: value})),
            )
