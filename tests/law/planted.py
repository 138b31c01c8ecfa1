"""Bad policies planted on purpose: a shipped treatment, product, text or pack with one thing changed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from betimes.adapters import packs
from betimes.core import treatment as treatments
from betimes.core.law import Law
from betimes.core.message import Template
from betimes.core.product import PLAIN, Profile
from betimes.core.proof import Proof, Refusal
from betimes.core.prover import prove
from betimes.core.rule import CapTerms, Enforce, Party, Rule, Span, WindowTerms
from betimes.core.treatment import Treatment
from betimes.core.values import replace

POLICIES = packs.drafts("default", "A Lender")
LAW = POLICIES.rules.law
FIRST = date(2026, 11, 24)
Document = dict[str, Any]
Change = Callable[[Document], None]


@cache
def _text(name: str) -> str:
    return (resources.files("betimes.packs") / "treatments" / f"{name}.toml").read_text("utf-8")


def document(name: str = "default") -> Document:
    """Return a shipped treatment as it is written, to be changed."""
    return tomllib.loads(_text(name))


def treatment(*changes: Change, of: str = "default") -> Treatment:
    """Return a shipped treatment with changes."""
    changed = document(of)
    for change in changes:
        change(changed)
    return treatments.parse(changed, f"treatments/{of}.toml")


def step(name: str, **keys: Any) -> Change:
    """Return what changes keys of a step."""

    def change(of: Document) -> None:
        next(each for each in of["step"] if each["name"] == name).update(keys)

    return change


def top(**keys: Any) -> Change:
    """Return what changes keys of the treatment."""
    return lambda of: of.update(keys)


def only(*names: str) -> Change:
    """Return what leaves only these steps."""

    def change(of: Document) -> None:
        of["step"] = [each for each in of["step"] if each["name"] in names]

    return change


def add(**keys: Any) -> Change:
    """Return what adds a step like the last one, but for some keys, behind all others."""
    return lambda of: of["step"].append({**of["step"][-1], **keys})


def product(base: Profile = PLAIN, **changes: Any) -> Profile:
    """Return a product with changes."""
    return replace(base, **changes)


def debited(name: str, hours: int, *, daily: bool = False) -> Profile:
    """Return a product that debits so many times on the due day, and with `daily` every day behind it."""
    windows = tuple(time(9 + 2 * n) for n in range(hours))
    return product(name=name, debit=replace(PLAIN.debit, windows=windows, again_daily=daily))


def penalty(multiplier: str) -> Profile:
    """Return a product whose late interest is so many times that of the contract."""
    base = POLICIES.profiles["single_payment"]
    return replace(base, late=replace(base.late, multiplier=Decimal(multiplier)))


def words(template: str, locale: str, channel: str, more: str) -> Mapping[str, Template]:
    """Return the texts with some more words in one of them."""
    found = dict(POLICIES.templates)
    bodies = dict(found[template].bodies)
    body = bodies[locale, channel]
    bodies[locale, channel] = replace(body, text=f"{body.text} {more}")
    found[template] = replace(found[template], bodies=bodies)
    return found


def law(rule_id: str, change: Callable[[Rule], Rule]) -> Law:
    """Return the law with one rule changed."""
    changed = {
        name: replace(
            pack,
            rules=tuple(change(rule) if rule.id == rule_id else rule for rule in pack.rules),
        )
        for name, pack in LAW.packs.items()
    }
    return Law(changed, LAW.calendars)


def most(count: int) -> Callable[[Rule], Rule]:
    """Return what lowers a cap."""

    def change(rule: Rule) -> Rule:
        assert isinstance(rule.terms, CapTerms)
        return replace(rule, terms=replace(rule.terms, most=count))

    return change


def hours(opens: time, closes: time) -> Callable[[Rule], Rule]:
    """Return what gives a window other hours on every day."""

    def change(rule: Rule) -> Rule:
        assert isinstance(rule.terms, WindowTerms)
        days = dict.fromkeys(rule.terms.days, (Span(opens, closes),))
        return replace(rule, terms=replace(rule.terms, days=days))

    return change


def enforced(rule: Rule) -> Rule:
    """Return a rule that binds, where it is only shown."""
    return replace(rule, enforce=Enforce.CAUTIOUS)


def off(rule: Rule) -> Rule:
    """Return a rule that is switched off, so that another one is seen."""
    return replace(rule, enforce=Enforce.OFF)


@dataclass(frozen=True)
class Policy:
    """What is asked about: a treatment with products and texts, in places, under a law."""

    treatment: Treatment
    places: tuple[str, ...]
    products: tuple[Profile, ...] = (PLAIN,)
    templates: Mapping[str, Template] = field(default_factory=lambda: POLICIES.templates)
    law: Law = LAW
    party: Party = Party.FIRST
    first: date = FIRST
    days: int = 60
    disclosures: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def asked(self) -> Proof | Refusal:
        """Return what the prover says."""
        return prove(
            self.treatment,
            self.law,
            self.places,
            self.products,
            self.templates,
            first=self.first,
            days=self.days,
            party=self.party,
            disclosures=self.disclosures,
        )
