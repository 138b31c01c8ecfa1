"""The earliest instant at which the law lets a contact be, or a proof that there is none before a deadline.

The theory. Held against one request, the law divides time into stretches within which no rule changes its answer. A
rule that stops a contact names the instant until which it does, where time alone heals it (`Effect.DEFER`); one that
time does not heal (`Effect.DENY`) can change its answer only at a *turn*: where a rule comes into force or ends, where
an entry on record (consent, refusal, hold, touch) begins or ends. So from an instant that is not lawful the search
jumps to the furthest one up to which a single rule stops everything, and asks again there. What it jumps over is not
unknown: the rule named covers it. The jumps that reach the deadline are the proof, one `Gap` each, and whoever doubts
it can hold each gap against its rule alone. Minutes are never scanned.

A request is asked about as it stands: its stage, its days past due and the text of its message stay what they are at
all instants tried. A caller who looks ahead over a change of stage says at which instants it changes, and the contact
is asked about anew from each of them (`first_allowed`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from betimes.core import zones
from betimes.core.consent import Consent, Refusal
from betimes.core.hours import HORIZON
from betimes.core.law import Law
from betimes.core.question import Answer, Effect, Request, Verdict
from betimes.core.rule import CapTerms, CooloffTerms, Rule, WindowTerms
from betimes.core.values import dataclass, replace

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)
_STOPS: Final = (Effect.DENY, Effect.DEFER)
_NO_TIME: Final = timedelta()
# A contact as it stands at an instant: its stage and its days past due are those of then.
Ask = Callable[[datetime], Request]
# What the asker keeps to beside the law: the first instant from one on that it allows, that one itself where it does.
Pace = Callable[[datetime], datetime]
# In the place of a rule's id: the gap is the asker's own, by its `Pace`.
OWN: Final = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The law lets the contact be at `at` (UTC), which is the first such instant; `verdict` is what it says then, with
    the notices that it requires.
    """

    at: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Gap:
    """The rule stops the contact at every instant from `start` until before `end` (UTC); for `OWN` the asker itself."""

    rule_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Never:
    """No instant is lawful: `gaps` follow one another from the first instant searched to the deadline without a hole.

    `facts` are what the rule of the last gap looked at; `verdict` is what the law says just before the deadline. There
    are no gaps where there was no time to search.
    """

    gaps: tuple[Gap, ...]
    facts: Mapping[str, str | int | bool]
    verdict: Verdict

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The rules that close the time between them, each once, that of the last gap first."""
        return tuple(
            dict.fromkeys(gap.rule_id for gap in reversed(self.gaps) if gap.rule_id != OWN)
        )


class How(StrEnum):
    """What became of a contact that cannot be as it was meant."""

    AS_MEANT = "as_meant"
    OTHER_CHANNEL = "other_channel"
    BROUGHT_FORWARD = "brought_forward"


@dataclass(frozen=True, slots=True)
class Way:
    """A lawful way: which contact, as of its instant of sending `request.at` (UTC), and what the law says of it.

    `place` is its position among the ways that were asked about.
    """

    how: How
    place: int
    request: Request
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Expired:
    """There is no lawful way. `nevers` are the proofs, one for each way in the order asked, from the earliest instant
    to which the contact could be brought forward.
    """

    nevers: tuple[Never, ...]

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The rules that stand in the way, each once: first those that stop the contact as it was meant."""
        return tuple(dict.fromkeys(each for never in self.nevers for each in never.rule_ids))

    @property
    def last_rule_ids(self) -> tuple[str, ...]:
        """The rules that close the last gap of each way, each once; none for a gap that is the asker's own."""
        last = (never.gaps[-1].rule_id for never in self.nevers if never.gaps)
        return tuple(dict.fromkeys(rule_id for rule_id in last if rule_id != OWN))


def next_allowed(
    law: Law,
    jurisdictions: Collection[str],
    request: Request,
    not_before: datetime,
    deadline: datetime,
    *,
    margin: timedelta = _NO_TIME,
    pace: Pace | None = None,
) -> Allowed | Never:
    """Return the earliest instant in [not_before, deadline) at which the law of `jurisdictions` lets `request` be, or
    the proof that there is none.

    `not_before` itself when it is lawful; the deadline itself never is an answer. `request.at` is of no account, and a
    notice that the law requires does not stop the contact. With a `margin` no instant will do from which the hours
    close within that time: what is begun then may come too late. With a `pace` only instants that it allows will do.
    Instants are aware; those of the answer are UTC.

    Source: the knowledge base's `domain/rules.md`, section 10, traps 1, 2, 26 and 32.
    """
    at, deadline = not_before.astimezone(UTC), deadline.astimezone(UTC)
    verdict = law.evaluate(replace(request, at=at), jurisdictions)
    turns: list[datetime] | None = None
    gaps: list[Gap] = []
    facts: Mapping[str, str | int | bool] = {}
    while at < deadline:
        if verdict.effect is Effect.ALLOW:
            gap = _closing(law, jurisdictions, request, at, margin) or _paced(pace, at)
            if gap is None:
                return Allowed(at, verdict)
            at = min(gap.end, deadline)
            _add(gaps, replace(gap, end=at))
            verdict = law.evaluate(replace(request, at=min(at, deadline - _TICK)), jurisdictions)
            continue
        if turns is None:
            # Most contacts are lawful at once; only the others pay for the search of turns.
            turns = _turns(law.chain(jurisdictions), request, at, deadline)
        ends = ((_end(each, at, turns, deadline), each) for each in _stopping(verdict))
        end, answer = max(ends, key=lambda found: found[0])
        _add(gaps, Gap(answer.rule_id, at, end))
        at, facts = end, answer.facts
        verdict = law.evaluate(replace(request, at=min(at, deadline - _TICK)), jurisdictions)
    return Never(tuple(gaps), facts, verdict)


def first_allowed(
    law: Law,
    jurisdictions: Collection[str],
    ask: Ask,
    not_before: datetime,
    deadline: datetime,
    *,
    changes: Iterable[datetime] = (),
    margin: timedelta = _NO_TIME,
    pace: Pace | None = None,
) -> Allowed | Never:
    """Return what `next_allowed` does, of a contact that is another one from each of `changes` on, in order of time:
    its stage may change there, or its days past due.

    `changes` are taken only as far as they are needed; `margin` and `pace` are those of `next_allowed`.
    """
    at, end = not_before.astimezone(UTC), deadline.astimezone(UTC)
    gaps: list[Gap] = []
    for turn in changes:
        if at < turn < end:
            found = next_allowed(law, jurisdictions, ask(at), at, turn, margin=margin, pace=pace)
            if isinstance(found, Allowed):
                return found
            _add(gaps, *found.gaps)
            at = turn
    found = next_allowed(law, jurisdictions, ask(at), at, end, margin=margin, pace=pace)
    if isinstance(found, Allowed):
        return found
    _add(gaps, *found.gaps)
    return replace(found, gaps=tuple(gaps))


def or_else(
    law: Law,
    jurisdictions: Collection[str],
    ways: Sequence[Ask],
    *,
    not_before: datetime,
    deadline: datetime,
    earliest: datetime | None = None,
    changes: Collection[datetime] = (),
    margin: timedelta = _NO_TIME,
    pace: Pace | None = None,
) -> Way | Expired:
    """Return how a contact that is meant for [not_before, deadline) can lawfully be.

    `ways` are the same contact by each channel, best first, each with the number, zones and text of its own. The first
    of them that is lawful in time, at its first lawful instant; else, with `earliest`, the first that is lawful in
    [earliest, not_before). Else `Expired`, with the rules named. `changes`, `margin` and `pace` are
    those of `first_allowed`.
    """
    nevers: list[Never] = []
    spans = [(not_before, deadline), *([(earliest, not_before)] if earliest is not None else [])]
    for n, (start, end) in enumerate(spans):
        for place, ask in enumerate(ways):
            found = first_allowed(
                law, jurisdictions, ask, start, end, changes=changes, margin=margin, pace=pace
            )
            if isinstance(found, Allowed):
                meant = How.AS_MEANT if place == 0 else How.OTHER_CHANNEL
                how = How.BROUGHT_FORWARD if n else meant
                return Way(how, place, replace(ask(found.at), at=found.at), found.verdict)
            if n == 0:
                nevers.append(found)
            else:
                gaps = [*found.gaps]
                _add(gaps, *nevers[place].gaps)
                nevers[place] = replace(nevers[place], gaps=tuple(gaps))
    return Expired(tuple(nevers))


def _add(gaps: list[Gap], *more: Gap) -> None:
    """Add gaps that follow on those that are there; two of one rule are one."""
    for gap in more:
        if gaps and gaps[-1].rule_id == gap.rule_id:
            gaps[-1] = replace(gaps[-1], end=gap.end)
        else:
            gaps.append(gap)


def _closing(
    law: Law, jurisdictions: Collection[str], request: Request, at: datetime, margin: timedelta
) -> Gap | None:
    """Return the rest of the hours that are open at `at`, by the rule that ends them, where it is within the margin."""
    if not margin:
        return None
    hours = law.hours(replace(request, at=at), jurisdictions)
    closing = hours.closing(at)
    if at < closing - margin:
        return None
    return Gap(hours.closed_by(closing)[0], at, closing)


def _paced(pace: Pace | None, at: datetime) -> Gap | None:
    """Return the time for which the asker itself does not let a lawful contact be, None where it does."""
    end = at if pace is None else pace(at)
    return Gap(OWN, at, end) if at < end else None


def _stopping(verdict: Verdict) -> tuple[Answer, ...]:
    """Return the answers that stop the contact, in order of rule ids."""
    return tuple(
        each
        for each in verdict.answers
        if each.effect in _STOPS and each.in_force and each.enforce.binds
    )


def _end(answer: Answer, at: datetime, turns: Sequence[datetime], deadline: datetime) -> datetime:
    """Return until when a rule surely stops the contact, `deadline` at the latest."""
    # An end may lie behind where clocks are set back over midnight and show a day once more.
    if answer.effect is Effect.DEFER and answer.until is not None and at < answer.until:
        return min(answer.until, deadline)
    place = bisect_right(turns, at)
    turn = turns[place] if place < len(turns) else deadline
    # A window that does not open within the horizon says no more than that.
    return min(turn, at + HORIZON)


def _turns(
    rules: Iterable[Rule], request: Request, after: datetime, until: datetime
) -> list[datetime]:
    """Return the instants in (after, until), in order, at which something on record begins or ends, or a binding rule
    by some clock.
    """
    first, last = after.date() - _DAY, until.date() + _DAY
    found = _entries(request)
    for rule in rules:
        for on in (rule.effective_from, rule.effective_to):
            if on is not None and first <= on <= last and rule.enforce.binds:
                for zone in _clocks(rule, request):
                    found.update(_turns_to(on, zone))
    return sorted(at for at in found if after < at < until)


def _clocks(rule: Rule, request: Request) -> set[str]:
    """Return the zones by whose calendars a rule may be in force."""
    own = rule.terms.zone if isinstance(rule.terms, WindowTerms | CapTerms | CooloffTerms) else ""
    return {*request.zones, *request.address_zones, *request.number_zones, *([own] if own else [])}


def _turns_to(on: date, zone: str) -> Iterator[datetime]:
    """Yield the instants at which the calendar of the zone goes over the start of `on`: most often one, its midnight.

    A change of clocks may skip the midnight, or show it twice, so each change near it is one of the instants too.
    """
    for day in (on - _DAY, on, on + _DAY):
        stretches = zones.stretches(day, zone)
        yield from (stretch.start for stretch in stretches[1:])
        for stretch in stretches:
            midnight = datetime.combine(on, time(), UTC) - stretch.offset
            if stretch.start <= midnight < stretch.end:
                yield midnight


def _entries(request: Request) -> set[datetime]:
    """Return the instants at which something on record begins or ends."""
    found: set[datetime | None] = {touch.at for touch in request.touches}
    for event in request.events:
        found |= {event.starts_at, event.ends_at}
    for entry in request.consents:
        if isinstance(entry, Consent):
            found |= {entry.given_at, entry.revoked_at, entry.valid_until}
        elif isinstance(entry, Refusal):
            found |= {entry.at, entry.lifted_at}
        else:
            found.add(entry.at)
    return {at for at in found if at is not None}
