"""An inquiry into a treatment: what is asked about, the rules that have a say, and what has come of it so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from itertools import permutations
from typing import Any, Final

from betimes.core import rules, wording
from betimes.core.cases import DAY, counted
from betimes.core.law import HOUSE, Law
from betimes.core.message import Template
from betimes.core.product import Profile
from betimes.core.proof import OWN_RULES, Asked, Counterexample, Note
from betimes.core.rule import Bound, Enforce, NoticeTerms, Party, Rule, Status, WindowTerms
from betimes.core.treatment import Anchor, Step, Treatment
from betimes.core.values import replace

# Triggers of notices that a treatment itself brings about.
BEFORE_DUE: Final = frozenset({"due", "debit"})
ARREARS: Final = frozenset({"arrears", "missed_payment"})
BILL: Final = frozenset({"statement"})
OF_TREATMENTS: Final = BEFORE_DUE | ARREARS | BILL


class Inquiry:
    """Holds what is asked about one treatment, and gathers counterexamples, counts and notes."""

    def __init__(
        self,
        treatment: Treatment,
        law: Law,
        jurisdictions: tuple[str, ...],
        profiles: tuple[Profile, ...],
        templates: Mapping[str, Template],
        first: date,
        last: date,
        party: Party,
        notices: Mapping[str, str],
        disclosures: Mapping[str, frozenset[str]],
        licence: str = "",
    ) -> None:
        self.treatment, self.law, self.homes = treatment, law, jurisdictions
        # The licence binds wherever the borrower lives, and is no place to live in.
        self.jurisdictions = tuple(dict.fromkeys((*jurisdictions, *[licence] * bool(licence))))
        self.profiles, self.templates = profiles, templates
        self.first, self.last, self.party = first, last, party
        self.notices, self.disclosures = notices, disclosures
        self.found: dict[tuple[Asked, str], Counterexample] = {}
        self.cases = self.classes = 0
        self.shifted: dict[str, int] = {}
        self.missed: dict[str, int] = {}
        self.notes: list[Note] = []

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that are evaluated for this party on some day on which a step may fall."""
        # A step may fall on days before the first due date and after the last one.
        reach = max(abs(step.offset_days) for _, step, _ in self.steps()) + 60
        early, late = self.first - reach * DAY, self.last + reach * DAY
        return tuple(
            rule
            for rule in self.law.chain(self.jurisdictions)
            if rule.enforce is not Enforce.OFF
            and (not rule.parties or self.party in rule.parties)
            and rule.effective_from <= late
            and (rule.effective_to is None or early < rule.effective_to)
        )

    @cached_property
    def binding(self) -> tuple[Rule, ...]:
        """Those of them that can stop or demand anything."""
        return tuple(rule for rule in self.rules if rule.enforce.binds)

    @cached_property
    def ages(self) -> tuple[int, ...]:
        """Days past due, in order, at which some window begins or ceases to bind."""
        edges: set[int] = set()
        for rule in self.binding:
            if isinstance(rule.terms, WindowTerms):
                least, most = rule.terms.dpd_at_least, rule.terms.dpd_at_most
                edges |= {least} if least is not None else set()
                edges |= {most + 1} if most is not None else set()
        return tuple(sorted(edges))

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The place of each step in its treatment, in the newest version that has it."""
        found: dict[str, int] = {}
        for position, step, _ in self.steps():
            found.setdefault(step.name, position)
        return found

    @cached_property
    def groups(self) -> tuple[tuple[Profile, tuple[str, ...]], ...]:
        """One profile of each group between which neither plans nor rules tell a difference, with the names of all."""
        asked = {name for rule in self.rules for name in rule.products}
        asked |= {name for _, step, _ in self.steps() for name in step.when.products}
        groups: dict[object, list[Profile]] = {}
        for profile in self.profiles:
            alike = replace(counted(profile), id="", name="")
            days = profile.billing.due_days if profile.billing is not None else {}
            own = profile.name if profile.name in asked else ""
            groups.setdefault((alike, tuple(sorted(days.items())), own), []).append(profile)
        return tuple((each[0], tuple(one.name for one in each)) for each in groups.values())

    def steps(self) -> Iterator[tuple[int, Step, Treatment]]:
        """Yield each step of each version with its place, the newest version first."""
        for version in self.treatment.versions():
            for position, step in enumerate(version.steps):
                yield position, step, version

    def places(self) -> Iterator[tuple[str, ...]]:
        """Yield where a borrower may be: each zone of the jurisdictions, then each pair that may conflict, each of the
        two once as the one whose clock the steps keep.
        """
        known: list[str] = []
        for name in self.homes or (HOUSE,):
            known += rules.Rules(self.law).candidates(name)
        known = list(dict.fromkeys(known))
        yield from ((zone,) for zone in known)
        yield from permutations(known, 2)

    def due_dates(self) -> Iterator[date]:
        """Yield the due dates of the horizon in order."""
        for n in range((self.last - self.first).days + 1):
            yield self.first + n * DAY

    def is_about(self, rule: Rule, profile: Profile) -> bool:
        """Return whether a rule is about debts of a product, as the run time names it."""
        return rule.is_about(profile.name, profile.kinds)

    def refuse(self, found: Counterexample) -> None:
        """Keep a counterexample if none so small is known of its rule."""
        key = (found.asked, found.rule_id)
        known = self.found.get(key)
        if known is None or found.size < known.size:
            self.found[key] = found

    def needs_fewer_zones(self, asked: Asked, rule_id: str, where: tuple[str, ...]) -> bool:
        """Return whether a counterexample is known that fewer zones are enough for: one for `where` is not smaller."""
        known = self.found.get((asked, rule_id))
        return known is not None and len(known.zones) < len(where)

    def broken(
        self,
        rule: Rule,
        asked: Asked,
        product: str,
        on: date,
        problem: str,
        way_out: str,
        **more: Any,
    ) -> None:
        """Keep a counterexample against a rule of a pack."""
        self.refuse(
            Counterexample(
                asked,
                rule.id,
                rule.citation,
                rule.status,
                rule.enforce,
                product,
                on,
                problem,
                way_out,
                **more,
            )
        )

    def broken_own(
        self,
        rule_id: str,
        asked: Asked,
        product: str,
        on: date,
        problem: str,
        way_out: str,
        **more: Any,
    ) -> None:
        """Keep a counterexample against a rule of this house that stands in no pack."""
        self.refuse(
            Counterexample(
                asked,
                rule_id,
                OWN_RULES[rule_id],
                Status.VERIFIED,
                Enforce.HARD,
                product,
                on,
                problem,
                way_out,
                **more,
            )
        )

    def serves(self, step: Step, rule: Rule) -> bool:
        """Return whether a step can be the notice of a rule, by its anchor and its side of the trigger, or by name."""
        terms = rule.terms
        if not isinstance(terms, NoticeTerms):
            return False
        named = self.notices.get(step.name)
        if named is not None:
            return named == rule.id
        before = terms.bound is Bound.AT_LEAST_BEFORE
        match step.anchor:
            case Anchor.STATEMENT if before:
                return terms.trigger in BEFORE_DUE
            case Anchor.STATEMENT:
                return terms.trigger in BILL
            case Anchor.DEBIT_FAILED:
                # It announces the next attempt.
                return terms.trigger == "debit" and before
            case Anchor.DUE if before:
                return terms.trigger in BEFORE_DUE and step.offset_days <= 0
            case Anchor.DUE:
                return terms.trigger in ARREARS and step.offset_days > 0
        return False

    def lacks(self, step: Step, terms: NoticeTerms) -> str:
        """Return what a notice must hold and some text of the step does not, "" if nothing."""
        for name in step.templates:
            template = self.templates.get(name)
            if template is None:
                return f"the text {name!r}"
            signed = self.disclosures.get(name, frozenset())
            bodies = [each for each in template.bodies.values() if each.channel in step.channels]
            for wanted in (each for each in terms.content if each not in signed):
                for body in bodies:
                    shown = wording.fields_of(body.text)
                    if wanted not in shown and not wording.holds(body.text, wanted):
                        return f"{wanted!r} in templates/{name}.toml [{body.locale}.{body.channel}]"
        return ""
