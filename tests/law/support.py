"""The packs of the law with their vectors, and how a vector is asked: of one rule, as if it were enforced."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

from betimes.adapters import calendars
from betimes.core import consent, pack_checks, zones
from betimes.core.consent import Consent, Entry, Reach, Refusal, Switch
from betimes.core.law import Event, Given, Law, Request, Trigger
from betimes.core.pack import parse
from betimes.core.rule import (
    CalcTerms,
    ConsentForm,
    ConsentTerms,
    DebitTerms,
    Enforce,
    Pack,
    Party,
    Purpose,
    Recipient,
    RetainTerms,
    Rule,
    Stage,
)
from betimes.core.touch import Direction, Touch
from betimes.core.values import replace
from betimes.core.workdays import Calendar

CASES = ("allow", "deny", "boundary", "effective")
ANSWERS = ("allow", "deny", "defer", "require", "not_in_force", "not_applicable")

Vector = Mapping[str, Any]


class Said(NamedTuple):
    """What a rule answers to a vector: one of `ANSWERS`, and until when (UTC)."""

    answer: str
    until: datetime | None = None
    obey_by: datetime | None = None


def folder() -> Traversable:
    """Return the folder of the packs of rules."""
    return resources.files("betimes.packs") / "rules"


def _documents(where: Traversable) -> dict[str, dict[str, Any]]:
    files = sorted(
        (each for each in where.iterdir() if each.name.endswith(".toml")),
        key=lambda each: each.name,
    )
    return {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in files
    }


@lru_cache(maxsize=1)
def documents() -> Mapping[str, dict[str, Any]]:
    """Return the parsed files of all packs by name; nobody may change them."""
    return _documents(folder())


@lru_cache(maxsize=1)
def packs() -> Mapping[str, Pack]:
    """Return all packs by name."""
    return {name: parse(document, f"{name}.toml") for name, document in documents().items()}


@lru_cache(maxsize=1)
def vectors() -> Mapping[str, tuple[Vector, ...]]:
    """Return the vectors of each pack by its name."""
    found = _documents(folder() / "vectors")
    return {name: tuple(document["vector"]) for name, document in found.items()}


@lru_cache(maxsize=1)
def known_calendars() -> Mapping[str, Calendar]:
    """Return the shipped calendars by name."""
    return {name: calendars.calendar(name) for name in calendars.shipped()}


@lru_cache(maxsize=1)
def law() -> Law:
    """Return the law of all packs."""
    return Law(packs(), known_calendars())


def ask(vector: Vector, pack: Pack, texts: Iterable[Rule]) -> Said:
    """Return what the rule says of which `texts` are the versions, each taken as enforced."""
    at = vector["at"].astimezone(UTC)
    where = tuple(vector.get("zones", pack.zones[:1]))
    said = Said("not_in_force")
    for rule in (replace(each, enforce=Enforce.HARD) for each in texts):
        if isinstance(rule.terms, CalcTerms | DebitTerms | RetainTerms):
            if rule.is_in_force(zones.local_date(at, where[0])):
                return _figure(vector, rule.terms)
            continue
        answer = law().ask(rule, request(vector, where))
        if answer.in_force:
            word = answer.effect.value if answer.applies else "not_applicable"
            said = Said(word, answer.until, _obey_by(vector, rule, where[0]))
    return said


def _obey_by(vector: Vector, rule: Rule, zone: str) -> datetime | None:
    if "obey_by" not in vector or not isinstance(rule.terms, ConsentTerms):
        return None
    (refused,) = vector["refusals"]
    calendar = known_calendars()[packs()[rule.pack].calendar]
    days = rule.terms.revoked_within_days
    return consent.obey_by(refused["at"].astimezone(UTC), days, zone, calendar)


def _figure(vector: Vector, terms: CalcTerms | DebitTerms | RetainTerms) -> Said:
    match terms:
        case CalcTerms():
            word: str = vector["figure"]
            figure = word if terms.one_of else Decimal(word)
            allowed = pack_checks.is_figure_allowed(terms, figure)
        case DebitTerms():
            names = ("failures", "representments", "days_since_return")
            allowed = pack_checks.is_debit_allowed(
                terms, **{name: vector[name] for name in names if name in vector}
            )
        case RetainTerms() if "keep_after_months" in vector:
            allowed = pack_checks.may_keep(terms, vector["keep_after_months"])
        case RetainTerms():
            allowed = pack_checks.may_delete(terms, vector["delete_after_months"])
    return Said("allow" if allowed else "deny")


def request(vector: Vector, where: tuple[str, ...]) -> Request:
    """Return the contact of a vector; keys that no reader knows are an error."""
    given = {key: value for key, value in vector.items() if key not in _NO_FACTS}
    rule_id = vector["rule"]
    facts: dict[str, Any] = {"zones": where}
    ledger: list[Entry] = []
    for key, value in given.items():
        if key == "given":
            facts["notices_given"] = tuple(Given(rule_id, at.astimezone(UTC)) for at in value)
        elif key == "consents":
            ledger += [Consent(**_entry(row, n, _CONSENT)) for n, row in enumerate(value)]
        elif key == "refusals":
            ledger += [Refusal(**_entry(row, n, _REFUSAL)) for n, row in enumerate(value)]
        else:
            facts[key] = _READERS[key](value)
    return Request(**facts, consents=tuple(ledger))


def _instants(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.astimezone(UTC) if isinstance(value, datetime) else value
        for key, value in row.items()
    }


def _entry(
    row: Mapping[str, Any], n: int, readers: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    known = {key: readers.get(key, _same)(value) for key, value in _instants(row).items()}
    usual = {"evidence": "vector", "source": "vector"}
    return {"id": f"entry-{n}", **usual, **known}


def _touches(rows: list[dict[str, Any]]) -> tuple[Touch, ...]:
    found: list[Touch] = []
    for row in rows:
        facts = {key: _TOUCH.get(key, _same)(value) for key, value in _instants(row).items()}
        for _ in range(facts.pop("times", 1)):
            found.append(Touch(id=f"touch-{len(found)}", **facts))
    return tuple(found)


def _same(value: Any) -> Any:
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _rows(kind: Callable[..., Any]) -> Callable[[list[dict[str, Any]]], tuple[Any, ...]]:
    return lambda rows: tuple(kind(**_instants(row)) for row in rows)


# What a vector holds beside the facts of the contact.
_NO_FACTS = frozenset({"rule", "case", "why", "expect", "until", "obey_by", "zones"})
_CONSENT = {"purpose": Purpose, "form": ConsentForm}
_REFUSAL = {"switch": Switch, "reach": Reach, "media": frozenset}
_TOUCH: Mapping[str, Callable[[Any], Any]] = {
    "direction": Direction,
    "party": Party,
    "recipient": Recipient,
    "purpose": Purpose,
    "debts": tuple,
    "accounts": tuple,
    "products": tuple,
    "excluded": tuple,
}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "at": _utc,
    "channel": str,
    "purpose": Purpose,
    "stage": Stage,
    "party": Party,
    "by": str,
    "product": str,
    "debts": tuple,
    "accounts": tuple,
    "number": str,
    "address_zones": tuple,
    "dpd": int,
    "agreed_hours": bool,
    "recipient": Recipient,
    "reveals_debt": bool,
    "borrower_unreachable": bool,
    "touches": _touches,
    "events": _rows(Event),
    "language": str,
    "text": str,
    "triggers": _rows(Trigger),
}


def fits(vector: Vector, said: Said) -> bool:
    """Return whether an answer is the one the vector expects, with its instants where the vector names them."""
    return said.answer == vector["expect"] and all(
        key not in vector or vector[key].astimezone(UTC) == instant
        for key, instant in (("until", said.until), ("obey_by", said.obey_by))
    )


def by_rule(name: str) -> dict[str, list[Vector]]:
    """Return the vectors of a pack by the id of their rule."""
    found: dict[str, list[Vector]] = {}
    for vector in vectors()[name]:
        found.setdefault(vector["rule"], []).append(vector)
    return found


def texts(pack: Pack, rule_id: str) -> tuple[Rule, ...]:
    """Return the versions of one rule of a pack, in order of their days."""
    return tuple(rule for rule in pack.rules if rule.id == rule_id)


def local_day(vector: Vector, pack: Pack) -> date:
    """Return the civil day of a vector in the first zone of its pack."""
    return zones.local_date(vector["at"].astimezone(UTC), pack.zones[0])
