"""The law of a contact: which rules apply to it, and what they say together.

Rules come in packs, one for each jurisdiction. Where somebody lives, where their number belongs and under which licence
the lender acts may name several: then the rules of all of them bind, so the most restrictive wins. A pack brings the
pack it refines, and the house is always there; the rules of a fallback pack hold only where a jurisdiction has none.

Evaluation is of the instant of sending, with the text of the rules in force on the civil date of that instant, for a
date in the past as well. Whether a rule is in force is asked by the clock it names, else by each clock that may be the
consumer's: in force by one is in force. All rules are answered, also those that bind nobody; which of them are about a
party, stage, purpose, channel and product is worked out once for a stretch of days in which no rule begins or ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import field
from itertools import groupby
from typing import Final

from betimes.core import judges, zones
from betimes.core.hours import Hours, Timetable
from betimes.core.judges import Case, Judge, WindowJudge
from betimes.core.question import Answer, Effect, Event, Given, Request, Trigger, Verdict
from betimes.core.rule import (
    CapTerms,
    ConsentTerms,
    CooloffTerms,
    Enforce,
    Kind,
    Pack,
    Rule,
    WindowTerms,
)
from betimes.core.values import dataclass
from betimes.core.workdays import Calendar

__all__ = [
    "HOUSE",
    "Answer",
    "Effect",
    "Event",
    "Given",
    "Law",
    "Request",
    "Trigger",
    "Verdict",
]

HOUSE: Final = "HOUSE"

# Kinds of contacts times jurisdictions times stretches of days; more than a lender has in one process.
_PLANS_KEPT: Final = 2048
_CHAINS_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class _Chain:
    """The rules of some jurisdictions: all, those that are evaluated (the texts of one id together), binding windows.

    `changes` are the days (ordinals, in order) on which a text begins or ends, `clocks` the zones that rules name.
    """

    rules: tuple[Rule, ...]
    evaluated: tuple[tuple[Rule, ...], ...]
    windows: tuple[Rule, ...]
    changes: tuple[int, ...]
    clocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How contacts of one kind are answered: the answers of rules that are not about them, and who judges the others,
    each with its place.
    """

    answers: list[Answer]
    judges: tuple[tuple[int, Judge], ...]


class _Memory:
    """What a `Law` has worked out. It is no part of its value, and stays behind where that is copied or sent away."""

    __slots__ = ("chains", "judges", "plans")

    def __init__(self) -> None:
        self.chains: dict[tuple[str, ...], _Chain] = {}
        self.judges: dict[tuple[str, str, int], Judge] = {}
        self.plans: dict[object, _Plan] = {}

    def __reduce__(self) -> tuple[type[_Memory], tuple[()]]:
        return _Memory, ()


@dataclass(frozen=True, slots=True)
class Law:
    """All packs by name, of which one is `HOUSE`, and the calendars they name. Neither may change afterwards.

    A rule's id belongs to one pack, which may hold several texts of it, each for its own days (`core.pack.check_all`).
    """

    packs: Mapping[str, Pack]
    calendars: Mapping[str, Calendar]
    _memory: _Memory = field(default_factory=_Memory, compare=False, repr=False)

    def __post_init__(self) -> None:
        assert HOUSE in self.packs, "the rules of the house are always loaded"
        # A copy with other packs starts anew.
        self._memory = _Memory()  # type: ignore[misc]  # no part of the value, see `_Memory`

    def resolve(self, jurisdiction: str) -> str:
        """Return the name of the pack that a jurisdiction has, or its region or country: "US" for "US-TX" where there
        is no pack "US-TX"; then the pack that covers its country: "EU" for "DE"; "" where there is none at all.
        """
        name = jurisdiction
        while name and name not in self.packs:
            wider = name.rpartition("-")[0]
            if not wider:
                return next((each.name for each in self.packs.values() if name in each.covers), "")
            name = wider
        return name

    def select(self, residence: str, number: str = "", licence: str = "") -> tuple[str, ...]:
        """Return the jurisdictions whose rules bind, by name: those of the residence, of the number (E.164; the longest
        prefix that a pack claims, all packs that claim it) and of the licence. "" is a fact that is not known.

        A jurisdiction without a pack stays under its own name and a number nobody claims stands for `HOUSE`, so that
        `chain` adds what holds for the unknown.
        """
        found = {self.resolve(each) or each for each in (residence, licence) if each}
        if number:
            claims = [
                (len(prefix), name)
                for name, pack in self.packs.items()
                for prefix in pack.phones
                if number.startswith(prefix)
            ]
            longest = max(claims, default=(0, HOUSE))[0]
            found |= {name for length, name in claims if length == longest} or {HOUSE}
        return tuple(sorted(found))

    def chain(self, jurisdictions: Collection[str]) -> tuple[Rule, ...]:
        """Return all rules of the packs of these jurisdictions, of the packs these refine, and of the house, in order
        of id and of the day from which a text of it holds.

        Fallback packs are left out unless one of the jurisdictions has no pack, or none is named; but what the house
        says of consent binds everywhere.
        """
        return self._chain(jurisdictions).rules

    def evaluate(self, request: Request, jurisdictions: Collection[str]) -> Verdict:
        """Return what the rules of these jurisdictions say about a request; never raises for one that is well-formed.

        A rule in force gives one answer; one that is not in force that day says so. Rules that are switched off give
        none. Where two texts of a rule meet within the dates of the candidate zones, both answer.

        Raises:
            Rejected: code "unknown_zone", a zone of the request.
        """
        plan = self._plan(request, jurisdictions)
        answers = plan.answers.copy()
        case = Case(request)
        effect = allow = Effect.ALLOW
        until = None
        requires: list[str] = []
        for place, judge in plan.judges:
            said = answers[place] = judge(case)
            if said.effect is allow or not said.enforce.binds:
                continue
            if said.effect is Effect.DENY:
                effect, until = Effect.DENY, None
            elif said.effect is Effect.REQUIRE:
                requires.append(said.rule_id)
            elif effect is not Effect.DENY and said.until is not None:
                effect = Effect.DEFER
                until = said.until if until is None else max(until, said.until)
        return Verdict(effect, tuple(answers), until, tuple(requires))

    def refusals(
        self, request: Request, jurisdictions: Collection[str], kinds: Collection[Kind]
    ) -> tuple[Answer, ...]:
        """Return the answers by which binding rules of these kinds forbid a request, in the order of `evaluate`, which
        says the same of them and asks all others too.

        Raises:
            Rejected: code "unknown_zone", a zone of the request.
        """
        case = Case(request)
        found = []
        for rule in self._chain(jurisdictions).rules:
            if rule.kind in kinds and rule.enforce.binds and _is_in_force(rule, request):
                if judges.sets_aside(rule, request):
                    continue
                answer = self._judge(rule)(case)
                if answer.effect is Effect.DENY:
                    found.append(answer)
        return tuple(found)

    def ask(self, rule: Rule, request: Request) -> Answer:
        """Return what one rule alone says about a request, also a rule that is switched off or in no pack.

        Raises:
            Rejected: code "unknown_zone", a zone of the request.
        """
        if not _is_in_force(rule, request):
            return judges.idle(rule, "not in force", in_force=False)
        because = judges.sets_aside(rule, request)
        return judges.idle(rule, because) if because else self._make_judge(rule)(Case(request))

    def hours(self, request: Request, jurisdictions: Collection[str]) -> Hours:
        """Return the hours that all binding windows leave open for contacts like this one, at any time: the same party,
        stage, purpose, channel, product, days past due and zones. Its own instant is of no account.
        """
        tables: list[Timetable] = []
        for rule in self._chain(jurisdictions).windows:
            judge = self._judge(rule)
            assert isinstance(judge, WindowJudge), "a window is judged by its hours"
            if not judges.sets_aside(rule, request) and judge.lets_go(request) is None:
                tables += judge.tables(request)
        return Hours(tuple(tables))

    def _chain(self, jurisdictions: Collection[str]) -> _Chain:
        key = tuple(jurisdictions)
        chain = self._memory.chains.get(key)
        if chain is None:
            if len(self._memory.chains) >= _CHAINS_KEPT:
                self._memory.chains.clear()
            chain = self._memory.chains[key] = self._make_chain(key)
        return chain

    def _make_chain(self, jurisdictions: tuple[str, ...]) -> _Chain:
        resolved = [self.resolve(each) for each in jurisdictions]
        names = {name for name in resolved if name}
        if not all(resolved) or not resolved:
            names |= {name for name, pack in self.packs.items() if pack.fallback}
        house = self.packs[HOUSE]
        if not house.fallback:
            names.add(HOUSE)
        waiting = sorted(names)
        while waiting:
            wider = self.resolve(self.packs[waiting.pop()].refines)
            if wider and wider not in names:
                names.add(wider)
                waiting.append(wider)
        # Whoever said stop to us is heard, also where the packs of their jurisdictions have nothing about it.
        always = (
            () if HOUSE in names else [r for r in house.rules if isinstance(r.terms, ConsentTerms)]
        )
        rules = sorted(
            (*always, *(rule for name in names for rule in self.packs[name].rules)),
            key=lambda rule: (rule.id, rule.effective_from, rule.pack),
        )
        evaluated = [rule for rule in rules if rule.enforce is not Enforce.OFF]
        ends = (rule.effective_to for rule in rules if rule.effective_to is not None)
        days = {*(rule.effective_from for rule in rules), *ends}
        return _Chain(
            rules=tuple(rules),
            evaluated=tuple(
                tuple(texts) for _, texts in groupby(evaluated, key=lambda rule: rule.id)
            ),
            windows=tuple(
                rule for rule in rules if isinstance(rule.terms, WindowTerms) and rule.enforce.binds
            ),
            changes=tuple(sorted(day.toordinal() for day in days)),
            clocks=tuple(sorted({zone for rule in rules if (zone := _own_zone(rule))})),
        )

    def _plan(self, request: Request, jurisdictions: Collection[str]) -> _Plan:
        chain = self._chain(jurisdictions)
        today = request.at.toordinal()
        # A civil date is that of UTC, the day before or the day after it.
        stretch = bisect_right(chain.changes, today - 1)
        dates: object = None
        if stretch < len(chain.changes) and chain.changes[stretch] <= today + 1:
            where = (request.zones, request.address_zones, request.number_zones)
            clocks = (*request.zones, *request.address_zones, *request.number_zones, *chain.clocks)
            dates = (where, *(zones.local_date(request.at, zone) for zone in clocks))
        key = (
            tuple(jurisdictions),
            request.party,
            request.stage,
            request.purpose,
            request.channel,
            request.product,
            request.kinds,
            stretch,
            dates,
        )
        plan = self._memory.plans.get(key)
        if plan is None:
            if len(self._memory.plans) >= _PLANS_KEPT:
                self._memory.plans.clear()
            plan = self._memory.plans[key] = self._make_plan(chain, request)
        return plan

    def _make_plan(self, chain: _Chain, request: Request) -> _Plan:
        answers: list[Answer] = []
        asked: list[tuple[int, Judge]] = []
        for texts in chain.evaluated:
            current = [rule for rule in texts if _is_in_force(rule, request)]
            if not current:
                answers.append(judges.idle(texts[-1], "not in force", in_force=False))
            for rule in current:
                because = judges.sets_aside(rule, request)
                if not because:
                    asked.append((len(answers), self._judge(rule)))
                answers.append(judges.idle(rule, because))
        return _Plan(answers, tuple(asked))

    def _judge(self, rule: Rule) -> Judge:
        key = (rule.pack, rule.id, rule.effective_from.toordinal())
        judge = self._memory.judges.get(key)
        if judge is None:
            judge = self._memory.judges[key] = self._make_judge(rule)
        return judge

    def _make_judge(self, rule: Rule) -> Judge:
        pack = self.packs.get(rule.pack)
        name = pack.calendar if pack else ""
        if isinstance(rule.terms, WindowTerms) and rule.terms.calendar:
            name = rule.terms.calendar
        return judges.make(rule, self.calendars.get(name))


def _own_zone(rule: Rule) -> str:
    terms = rule.terms
    if isinstance(terms, (WindowTerms, CapTerms, CooloffTerms)):
        return terms.zone
    return ""


def _is_in_force(rule: Rule, request: Request) -> bool:
    """Return whether a rule is in force by any clock it is asked by."""
    return any(
        rule.is_in_force(zones.local_date(request.at, zone))
        for zone in judges.places(rule, request)
    )
