"""Judges: how a rule of each kind is asked about one contact.

A judge is made once for a rule and asked many times; what never changes is worked out when it is made, and answers
without facts of their own are shared. Whether a rule is about such a contact at all (`sets_aside`) and whether it is
in force is asked before, in `core.law`.

Counting. A touch belongs to a day of the zone the rule names, else of each zone the consumer may be in, and every one
must have room. The contact itself is one more. Touches after it count too, because an agency may report late: any run
of days, or of seconds, that contains the contact keeps within the cap. What a touch was about, whose number it went to
or who made it may be unknown; then it counts.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple

from betimes.core import consent, zones
from betimes.core.consent import Consent
from betimes.core.counting import Cap, earliest_due, first_after, last_of
from betimes.core.hours import HORIZON, Hours, Interval, Timetable
from betimes.core.question import Answer, Effect, Request, Trigger
from betimes.core.rule import (
    Bound,
    CapTerms,
    ConsentForm,
    ConsentTerms,
    ContentTerms,
    CooloffAfter,
    CooloffTerms,
    Kind,
    NoticeTerms,
    NoticeUnit,
    Party,
    Per,
    Pool,
    Purpose,
    Recipient,
    RecipientTerms,
    Rule,
    Scope,
    Stage,
    Stops,
    SuppressTerms,
    Unit,
    Where,
    WindowTerms,
)
from betimes.core.touch import ONE_WAY, TEXTS, Direction, Touch, counted
from betimes.core.wording import Content
from betimes.core.workdays import Calendar, Unpublished, add_workdays

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)
# Longer than clocks were ever set back.
_FOLD: Final = timedelta(hours=26)
# Answers and hours kept for one rule; consumers share a few sets of zones.
_KEPT: Final = 64
# Texts whose words one rule remembers: a few templates by a few lenders, each with few lengths of its figures.
_TEXTS_KEPT: Final = 256
_FIGURE: Final = re.compile("[0-9]")
_AT: Final = attrgetter("at")

# Stages in which a contact is collection, whatever it calls itself.
_LATE: Final = frozenset({Stage.OVERDUE, Stage.DEFAULT_NOTICE, Stage.CHARGED_OFF, Stage.MORATORIUM})
_NO_CONTACT: Final = frozenset({Kind.DEBIT, Kind.RETAIN, Kind.CALC})

# Members by a name of this module: to look one up in its class takes longer than to compare it, and judges are asked at
# every contact.
_ALLOW: Final = Effect.ALLOW
_DEBT: Final = Scope.DEBT
_ACCOUNT: Final = Scope.ACCOUNT
_PRODUCT: Final = Scope.PRODUCT
_NUMBERS: Final = frozenset({Scope.NUMBER, Scope.ADDRESS})
_OWN: Final = Pool.OWN
_LENDER: Final = Pool.LENDER
_FIRST: Final = Party.FIRST
_CONVERSATION: Final = CooloffAfter.CONVERSATION
_CONSUMER: Final = Where.CONSUMER

Facts = Mapping[str, str | int | bool]
Judge = Callable[["Case"], Answer]


class Case:
    """A request before its judges: what several of them ask for is worked out once, when the first one asks."""

    __slots__ = ("_figureless", "_nothing_refused", "_times", "_touches", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self._touches: list[Touch] | None = None
        self._times: list[datetime] = []
        self._nothing_refused: bool | None = None
        self._figureless: str | None = None

    def since(self, start: datetime) -> list[Touch]:
        """Return the touches from `start` on, in order of time."""
        touches = self._touches
        if touches is None:
            # Most often they come in one order or the other, and then sorting is no work.
            touches = self._touches = sorted(self.request.touches, key=_AT)
            self._times = [touch.at for touch in touches]
        return touches[bisect_left(self._times, start) :]

    @property
    def nothing_refused(self) -> bool:
        """Whether the ledger holds nothing but what was agreed to: so nothing in it stops anything."""
        found = self._nothing_refused
        if found is None:
            found = self._nothing_refused = all(
                isinstance(entry, Consent) for entry in self.request.consents
            )
        return found

    @property
    def figureless(self) -> str:
        """The text with each figure as 0."""
        found = self._figureless
        if found is None:
            found = self._figureless = _FIGURE.sub("0", self.request.text)
        return found


def sets_aside(rule: Rule, request: Request) -> str:
    """Return why a rule is not about a contact of this party, stage, purpose, channel and product, "" if it is.

    A notice is owed whatever channel and purpose the contact has that asks. A statutory notice is beyond caps,
    cool-offs, and what stops less than all.
    """
    terms, purpose = rule.terms, request.purpose
    if rule.kind in _NO_CONTACT:
        return "kind"
    if rule.parties and request.party not in rule.parties:
        return "party"
    if rule.stages and request.stage not in rule.stages:
        return "stage"
    # Which product it is may be unknown, and then a rule about any may bind.
    if rule.products and not rule.is_about(request.product, request.kinds):
        return "product"
    if isinstance(terms, NoticeTerms):
        return ""
    if rule.purposes and purpose not in rule.purposes:
        return "purpose"
    if rule.channels and request.channel not in rule.channels:
        return "channel"
    match terms:
        case CapTerms() | CooloffTerms() if purpose is Purpose.STATUTORY:
            return "statutory"
        case CapTerms():
            return "" if _is_counted(terms, request.channel) else "channel"
        case SuppressTerms():
            return "" if _is_stopped(terms.stops, purpose, request.stage) else "purpose"
        case ConsentTerms():
            others = bool(terms.purposes) or purpose is Purpose.STATUTORY
            return "purpose" if others and purpose not in terms.purposes else ""
    return ""


def _is_counted(terms: CapTerms, channel: str) -> bool:
    """Return whether a contact by `channel` could be one more of what the cap counts."""
    if terms.counted and channel not in terms.counted:
        return False
    # Nobody answers a letter, so no letter is one call put through too many.
    return terms.unit not in (Unit.CONNECTED, Unit.CONVERSATION) or channel not in ONE_WAY


def _is_stopped(stops: Stops, purpose: Purpose, stage: Stage) -> bool:
    match stops:
        case Stops.COURTESY:
            return purpose in (Purpose.COURTESY, Purpose.MARKETING)
        case Stops.COLLECTION:
            return purpose is Purpose.OVERDUE or (purpose is Purpose.COURTESY and stage in _LATE)
        case Stops.ALL_BUT_STATUTORY:
            return purpose is not Purpose.STATUTORY
        case Stops.ALL:
            return True


def places(rule: Rule, request: Request) -> tuple[str, ...]:
    """Return the zones by whose clocks and dates the rule is asked about a request; at least one."""
    match rule.terms:
        case WindowTerms(where=Where.FIXED, zone=zone):
            return (zone,)
        case WindowTerms(where=Where.ADDRESS):
            return request.address_zones or request.zones
        case WindowTerms(where=Where.NUMBER):
            return request.number_zones or request.zones
        case CapTerms(zone=zone) | CooloffTerms(zone=zone) if zone:
            return (zone,)
    return request.zones


def answer(
    rule: Rule,
    effect: Effect,
    facts: Facts,
    until: datetime | None = None,
    notice: str = "",
) -> Answer:
    """Return the answer of a rule that is in force."""
    return Answer(rule.id, effect, rule.status, rule.enforce, facts, until, notice)


def idle(rule: Rule, because: str, *, in_force: bool = True) -> Answer:
    """Return the answer of a rule that is not about the contact, or not in force."""
    facts: Facts = {"applies": False, "because": because}
    return Answer(rule.id, Effect.ALLOW, rule.status, rule.enforce, facts, in_force=in_force)


def make(rule: Rule, calendar: Calendar | None) -> Judge:
    """Return the judge of a rule about contact; `calendar` is that of its window, else of its pack; None: not known."""
    match rule.terms:
        case WindowTerms() as terms:
            return WindowJudge(rule, terms, calendar)
        case CapTerms() as terms:
            return _CapJudge(rule, terms)
        case CooloffTerms() as terms:
            return _CooloffJudge(rule, terms)
        case NoticeTerms() as terms:
            return _NoticeJudge(rule, terms, calendar)
        case SuppressTerms() as terms:
            return _SuppressJudge(rule, terms)
        case ConsentTerms() as terms:
            return _ConsentJudge(rule, terms)
        case ContentTerms() as terms:
            return _ContentJudge(rule, terms)
        case RecipientTerms() as terms:
            return _RecipientJudge(rule, terms)
    raise AssertionError(f"{rule.id} is not about contact: nobody asks it")


def _date_of(at: datetime, zone: str) -> date:
    """Return the civil date at an instant in UTC. Unlike `zones.local_date`, it remembers days and not instants: it is
    for touches, of which no two have the same one.
    """
    for _, end, offset in zones.stretches(at.date(), zone):
        if at < end:
            return (at + offset).date()
    raise AssertionError("a day of UTC holds each of its instants")


def _day_of(at: datetime, zone: str) -> tuple[date, Interval]:
    """Return the civil date at an instant in UTC, and instants [start, end) around it that all have that date."""
    for start, end, offset in zones.stretches(at.date(), zone):
        if at < end:
            on = (at + offset).date()
            midnight = datetime.combine(on, time(), UTC) - offset
            return on, (max(start, midnight), min(end, midnight + _DAY))
    raise AssertionError("a day of UTC holds each of its instants")


# Few days and zones, very many contacts.
@lru_cache(maxsize=4096)
def _first_instant(on: date, zone: str) -> datetime:
    """Return the first instant of a day, of the next one where the zone never had it."""
    while (found := zones.first_instant(on, zone)) is None:
        on += _DAY
    return found


@lru_cache(maxsize=4096)
def _last_midnight(on: date, zone: str) -> datetime:
    """Return the last instant at which a day begins: as `_first_instant`, but where clocks set back over its midnight
    show that twice, the second time.
    """
    last = _first_instant(on, zone)
    for piece in zones.stretches(last.date(), zone) + zones.stretches(last.date() + _DAY, zone):
        midnight = datetime.combine(on, time(), UTC) - piece.offset
        if piece.start < midnight <= piece.end:
            last = max(last, midnight)
    return last


def _until_ended(rule: Rule, where: Sequence[str], until: datetime) -> datetime:
    """Return `until`, or the instant at which the rule is no more in force in any of the zones if that is earlier."""
    if rule.effective_to is None:
        return until
    return min(until, max(_first_instant(rule.effective_to, zone) for zone in where))


class WindowJudge:
    """Answers by the clock; DEFER until the next opening, DENY where none comes within `HORIZON`."""

    __slots__ = (
        "_agreed",
        "_calendar",
        "_hours",
        "_is_for_some",
        "_known",
        "_other_dpd",
        "_rule",
        "_tables",
        "_terms",
        "_where",
    )

    def __init__(self, rule: Rule, terms: WindowTerms, calendar: Calendar | None) -> None:
        self._rule, self._terms, self._calendar = rule, terms, calendar
        self._where = terms.where
        self._agreed, self._other_dpd = idle(rule, "agreed"), idle(rule, "dpd")
        self._is_for_some = (
            terms.unless_agreed or terms.dpd_at_least is not None or terms.dpd_at_most is not None
        )
        self._tables: dict[str, Timetable] = {}
        self._hours: dict[tuple[str, ...], tuple[Hours, Answer]] = {}
        self._known: dict[tuple[str, ...], tuple[datetime, datetime, Answer]] = {}

    def lets_go(self, request: Request) -> Answer | None:
        """Return why this consumer or debt is not bound by the window, None if it is."""
        terms = self._terms
        if terms.unless_agreed and request.agreed_hours:
            return self._agreed
        least, most = terms.dpd_at_least, terms.dpd_at_most
        if (least is not None and request.dpd < least) or (most is not None and request.dpd > most):
            return self._other_dpd
        return None

    def tables(self, request: Request) -> tuple[Timetable, ...]:
        """Return the timetable of each zone that counts."""
        return tuple(self._table(zone) for zone in places(self._rule, request))

    def _table(self, zone: str) -> Timetable:
        if zone not in self._tables:
            if len(self._tables) >= _KEPT:
                self._tables.clear()
            self._tables[zone] = Timetable(self._rule, zone, self._calendar)
        return self._tables[zone]

    def __call__(self, case: Case) -> Answer:
        """Return the answer to one request."""
        request = case.request
        if self._is_for_some and (let_go := self.lets_go(request)) is not None:
            return let_go
        at = request.at
        where = request.zones if self._where is _CONSUMER else places(self._rule, request)
        known = self._known.get(where)
        # Contacts come in order of time, so the hours they fall into, or the night, are most often the last asked for.
        if known is not None and known[0] <= at < known[1]:
            return known[2]
        hours, allowed = self._hours.get(where) or self._hours_of(where, request)
        part = hours.part_at(at)
        if part is not None:
            self._remember(where, (*part, allowed))
            return allowed
        opening = hours.next_opening(at, at + HORIZON)
        if opening is None:
            return answer(self._rule, Effect.DENY, {**allowed.facts, "opens_at": ""})
        facts = {**allowed.facts, "opens_at": zones.to_text(opening)}
        said = answer(self._rule, Effect.DEFER, facts, opening)
        # Nothing is open before the opening, so the same is said until there.
        self._remember(where, (at, opening, said))
        return said

    def _hours_of(self, where: tuple[str, ...], request: Request) -> tuple[Hours, Answer]:
        """Return the hours by the clocks of all these zones, and what is said within them."""
        if len(self._hours) >= _KEPT:
            self._hours.clear()
        allowed = answer(self._rule, Effect.ALLOW, {"zones": " ".join(where)})
        found = self._hours[where] = (Hours(self.tables(request)), allowed)
        return found

    def _remember(self, where: tuple[str, ...], known: tuple[datetime, datetime, Answer]) -> None:
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[where] = known


class _CapJudge:
    """Answers by counting; DEFER until one more would fit for every debt, account or product and by every clock."""

    __slots__ = (
        "_allow",
        "_cap",
        "_channels",
        "_days",
        "_excludes",
        "_is_plain",
        "_rolling",
        "_rule",
        "_runs",
        "_terms",
        "_where",
    )

    def __init__(self, rule: Rule, terms: CapTerms) -> None:
        assert terms.most >= 1 and terms.n >= 1, f"{rule.id} lets nothing through"
        self._rule, self._terms = rule, terms
        self._channels = frozenset(terms.counted) or rule.channels
        self._excludes = frozenset(terms.excludes)
        self._rolling = timedelta(seconds=terms.n) if terms.per is Per.ROLLING else None
        self._days = 1 if terms.per is Per.CALENDAR_DAY else terms.n
        self._cap = Cap(terms.most, self._days)
        self._where = (terms.zone,) if terms.zone else ()
        # Whether all touches of the person count together, without a question.
        everybody = terms.pool in (Pool.LENDER_AND_AGENCIES, Pool.ALL)
        self._is_plain = everybody and terms.scope is Scope.PERSON and not terms.excludes
        self._allow: dict[int, Answer] = {}
        # By zone: instants of one civil date there, and the run around it.
        self._runs: dict[str, tuple[Interval, _Run]] = {}

    def __call__(self, case: Case) -> Answer:
        request, most = case.request, 0
        if not request.touches:
            return self._fits(0)
        for zone in self._where or request.zones:
            run = self._run(request.at, zone)
            near = self._counted(case.since(run.start))
            if near and near[-1].at >= run.end:
                near = [touch for touch in near if touch.at < run.end]
            if not near:
                continue
            if self._is_plain and len(near) < self._terms.most:
                most = max(most, len(near))
                continue
            for name, times in self._pools(request, near):
                # Where so few are near, no run holds too many.
                if len(times) >= self._terms.most:
                    at = request.at
                    if at < self._room_at(times, run, at):
                        return self._full(case, name, len(times))
                most = max(most, len(times))
        return self._fits(most)

    def _counted(self, touches: Iterable[Touch]) -> list[Touch]:
        """Return those of `touches` that the cap counts."""
        channels = self._channels
        if channels:
            touches = [touch for touch in touches if touch.channel in channels]
        return counted(touches, self._terms.unit)

    def _run(self, at: datetime, zone: str) -> _Run:
        """Return where the touches lie that may share a run with a contact at `at`."""
        if self._rolling is not None:
            return _Run(zone, at - self._rolling + _TICK, at + self._rolling, None)
        known = self._runs.get(zone)
        # As with hours, the day of a contact is most often that of the last one.
        if known is None or not known[0][0] <= at < known[0][1]:
            if len(self._runs) >= _KEPT:
                self._runs.clear()
            on, alike = _day_of(at, zone)
            known = self._runs[zone] = (alike, _run_around(on, self._days, zone))
        return known[1]

    def _fits(self, count: int) -> Answer:
        said = self._allow.get(count)
        if said is None:
            if len(self._allow) >= _KEPT:
                self._allow.clear()
            facts = {"counted": count, "most": self._terms.most}
            said = self._allow[count] = answer(self._rule, Effect.ALLOW, facts)
        return said

    def _full(self, case: Case, name: str, count: int) -> Answer:
        request = case.request
        at, where = request.at, places(self._rule, request)
        # What lies before the run of the contact makes no later one fuller.
        runs = [self._run(at, zone) for zone in where]
        pools = [
            (times, run)
            for run in (runs if self._rolling is None else runs[:1])
            for _, times in self._pools(request, self._counted(case.since(run.start)))
        ]
        until, room = at, at + _TICK
        if self._rolling is not None:
            span = self._rolling
            while until < room:
                until = room
                room = max(self._room_rolling(times, until, span) for times, _ in pools)
        else:
            dated = [(self._days_of(times, run, at), run.zone) for times, run in pools]
            # Each round goes on to an instant at which room is made somewhere; there are no more than touches.
            while until < room:
                until = room
                room = max(self._room_by_days(days, zone, until) for days, zone in dated)
        facts: dict[str, str | int | bool] = {"counted": count, "most": self._terms.most}
        if name:
            facts[self._terms.scope.value] = name
        until = _until_ended(self._rule, where, until)
        return answer(self._rule, Effect.DEFER, facts, until)

    def _pools(self, request: Request, touches: list[Touch]) -> list[tuple[str, list[datetime]]]:
        """Return the instants of what counts together, under the name of the debt, account or product, "" for all."""
        terms, excludes = self._terms, self._excludes
        if excludes:
            touches = [touch for touch in touches if excludes.isdisjoint(touch.excluded)]
        if terms.pool is _LENDER:
            touches = [touch for touch in touches if touch.party is _FIRST]
        elif terms.pool is _OWN and request.by:
            touches = [touch for touch in touches if touch.by in ("", request.by)]
        return [
            (name, [touch.at for touch in each])
            for name, each in _by_scope(terms.scope, request, touches)
        ]

    def _room_at(self, times: list[datetime], run: _Run, at: datetime) -> datetime:
        """Return the first instant, not before `at`, at which one more fits; `at` itself where it does."""
        if self._rolling is not None:
            return self._room_rolling(times, at, self._rolling)
        return self._room_by_days(self._days_of(times, run, at), run.zone, at)

    def _days_of(self, times: list[datetime], run: _Run, at: datetime) -> list[date]:
        """Return the civil days of touches, which come in order: of all, or of those that matter from `at` on."""
        most, zone, offset = self._terms.most, run.zone, run.offset
        if times and times[-1] <= at:
            # Of what is over only the last `most` keep room from being made.
            if offset is not None:
                return [(each + offset).date() for each in times[-most:]]
            if len(times) > most:
                # Where clocks are set back, a date is shown again within a day.
                since = times[-most] - _FOLD
                near = sorted(_date_of(each, zone) for each in times if each >= since)
                if near[-1] <= _date_of(at, zone):
                    return near
        return sorted(_date_of(each, zone) for each in times)

    def _room_by_days(self, days: list[date], zone: str, at: datetime) -> datetime:
        """Return the same for touches of these civil days of the zone, in order."""
        on = _date_of(at, zone)
        if days and on < days[-1]:
            day = self._cap.next_allowed(days, on)
        elif len(days) < self._terms.most:
            return at
        else:
            # With none ahead, room is made when the first of the last `most` is out of every run.
            day = first_after(days[-self._terms.most], self._days)
        if day <= on:
            return at
        first = _first_instant(day, zone)
        return first if at < first else _last_midnight(day, zone)

    def _room_rolling(self, times: list[datetime], at: datetime, span: timedelta) -> datetime:
        times = sorted(times)
        if len(times) < self._terms.most:
            return at
        if times[-1] <= at:
            return max(at, times[-self._terms.most] + span)
        leaving = [each + span for each in times if at < each + span]
        for room in (at, *leaving):
            if _most_in(times, room, span) < self._terms.most:
                return room
        raise AssertionError("when the last one is out of every run, one more fits")


class _Run(NamedTuple):
    """Instants [start, end) in which all lies that shares a run with a contact, by the clocks of a zone; `offset` is
    how far these are ahead of UTC where they run evenly all that time.
    """

    zone: str
    start: datetime
    end: datetime
    offset: timedelta | None


@lru_cache(maxsize=4096)
def _run_around(on: date, days: int, zone: str) -> _Run:
    """Return instants [start, end) in which all civil dates lie that share a run of `days` days with `on`.

    Where clocks are set back over a midnight the end of a day is shown twice, and they hold a little more.
    """
    start = _first_instant(on - (days - 1) * _DAY, zone)
    end = _last_midnight(on + days * _DAY, zone)
    offsets = {
        piece.offset
        for n in range((end.date() - start.date()).days + 1)
        for piece in zones.stretches(start.date() + n * _DAY, zone)
    }
    return _Run(zone, start, end, offsets.pop() if len(offsets) == 1 else None)


def _most_in(times: Iterable[datetime], at: datetime, span: timedelta) -> int:
    """Return how many of `times` lie in that stretch of length `span`, open at its start, which contains `at` and holds
    the most of them; so one exactly `span` ago no longer counts.
    """
    near = [each for each in times if at - span < each < at + span]
    ends = [at, *(each for each in near if each > at)]
    return max(sum(end - span < each <= end for each in near) for end in ends)


def _by_scope(
    scope: Scope, request: Request, touches: list[Touch]
) -> list[tuple[str, list[Touch]]]:
    """Return the touches that belong to each debt, account or product of the request, by its name; all of them under ""
    where the scope is wider than these or the request names none.
    """
    if scope is _DEBT and request.debts:
        return [
            (name, [each for each in touches if not each.debts or name in each.debts])
            for name in request.debts
        ]
    if scope is _ACCOUNT and request.accounts:
        return [
            (name, [each for each in touches if not each.accounts or name in each.accounts])
            for name in request.accounts
        ]
    if scope is _PRODUCT and request.product:
        name = request.product
        return [(name, [each for each in touches if not each.products or name in each.products])]
    if scope in _NUMBERS and request.number:
        return [("", [each for each in touches if each.number in ("", request.number)])]
    return [("", touches)]


class _CooloffJudge:
    """Answers by what happened before; DEFER until the day after the last day of the cool-off.

    A conversation counts for every debt that was spoken of, whoever started it and on whatever channel.
    """

    __slots__ = ("_allow", "_reach", "_rule", "_terms")

    def __init__(self, rule: Rule, terms: CooloffTerms) -> None:
        assert terms.days >= 1, f"{rule.id} lasts no day"
        self._rule, self._terms = rule, terms
        self._reach = (terms.days + 2) * _DAY
        self._allow = answer(rule, Effect.ALLOW, {"after": terms.after.value, "active": False})

    def __call__(self, case: Case) -> Answer:
        request = case.request
        at = request.at
        began = [each for each in self._starts(request) if at - self._reach < each <= at]
        if not began:
            return self._allow
        where, days = places(self._rule, request), self._terms.days
        until, started = max(
            (_first_instant(first_after(zones.local_date(each, zone), days), zone), each)
            for each in began
            for zone in where
        )
        if until <= at:
            return self._allow
        facts = {
            "after": self._terms.after.value,
            "active": True,
            "started_at": zones.to_text(started),
        }
        until = _until_ended(self._rule, where, until)
        return answer(self._rule, Effect.DEFER, facts, until)

    def _starts(self, request: Request) -> list[datetime]:
        if self._terms.after is not _CONVERSATION:
            kind = self._terms.after.value
            return [event.starts_at for event in request.events if event.kind == kind]
        spoken = [touch for touch in request.touches if touch.conversation]
        if not spoken:
            return []
        groups = _by_scope(self._terms.scope, request, spoken)
        return [touch.at for _, each in groups for touch in each]


class _SuppressJudge:
    """Answers by what is on record; DEFER until the last of it is over, DENY where no end is known.

    Where a rule bounds a stop by days, these are days of 24 hours from its start.
    """

    __slots__ = ("_allow", "_days", "_events", "_rule")

    def __init__(self, rule: Rule, terms: SuppressTerms) -> None:
        self._rule = rule
        self._events = frozenset(terms.events)
        self._days = terms.days * _DAY if terms.days else None
        self._allow = answer(rule, Effect.ALLOW, {"active": False})

    def __call__(self, case: Case) -> Answer:
        request = case.request
        events = self._events
        stopping = [event for event in request.events if event.kind in events]
        if not stopping:
            return self._allow
        until, first = request.at, ""
        # In order of their start, so one that begins before the last is over goes on where that one ends.
        for event in sorted(stopping, key=lambda each: each.starts_at):
            if event.starts_at > until:
                continue
            over_at = event.ends_at
            if self._days is not None:
                bound = event.starts_at + self._days
                over_at = bound if over_at is None else min(over_at, bound)
            if over_at is None:
                return answer(self._rule, Effect.DENY, {"active": True, "event": event.kind})
            if until < over_at:
                until, first = over_at, first or event.kind
        if not first:
            return self._allow
        until = _until_ended(self._rule, request.zones, until)
        return answer(self._rule, Effect.DEFER, {"active": True, "event": first}, until)


class _ConsentJudge:
    """Answers by the ledger of consents and refusals, see `consent.allows`; DENY, since time gives no consent."""

    __slots__ = ("_allow", "_deny", "_needs_none", "_rule", "_terms")

    def __init__(self, rule: Rule, terms: ConsentTerms) -> None:
        self._rule, self._terms = rule, terms
        self._needs_none = terms.form is ConsentForm.NOT_REFUSED
        facts = {"form": terms.form.value}
        self._allow = answer(rule, Effect.ALLOW, {**facts, "stands": True})
        self._deny = answer(rule, Effect.DENY, {**facts, "stands": False})

    def __call__(self, case: Case) -> Answer:
        if self._needs_none and case.nothing_refused:
            return self._allow
        request = case.request
        stands = consent.allows(
            request.consents,
            self._terms,
            request.purpose,
            request.channel,
            request.number,
            request.at,
            sender=request.by,
            media=self._rule.channels,
        )
        return self._allow if stands else self._deny


class _ContentJudge:
    """Answers by the words of the message, as `core.wording` finds them. A language for which a rule knows no wording
    it asks for is refused: nobody can say that the words are there.

    Most texts differ from the last one in figures alone, which are no words: a text is read once with whatever figures,
    unless the rule has one in its own phrases.
    """

    __slots__ = ("_allow", "_content", "_has_figures", "_known", "_no_text", "_rule")

    def __init__(self, rule: Rule, terms: ContentTerms) -> None:
        self._rule, self._content = rule, Content(terms)
        self._no_text = idle(rule, "no text")
        self._allow = answer(rule, Effect.ALLOW, {"words": "as they must be"})
        self._has_figures = any(
            _FIGURE.search(unicodedata.normalize("NFKC", phrase))
            for lists in (terms.must, terms.must_not)
            for phrases in lists.values()
            for phrase in phrases
        )
        self._known: dict[tuple[str, str], Answer] = {}

    def __call__(self, case: Case) -> Answer:
        text, language = case.request.text, case.request.language
        if not text:
            return self._no_text
        key = (language, text if self._has_figures else case.figureless)
        said = self._known.get(key)
        if said is None:
            if len(self._known) >= _TEXTS_KEPT:
                self._known.clear()
            said = self._known[key] = self._read(text, language)
        return said

    def _read(self, text: str, language: str) -> Answer:
        banned = self._content.banned(text, language)
        if banned:
            return answer(self._rule, Effect.DENY, {"holds": banned})
        lacks = self._content.lacks(text, language)
        if lacks is not None:
            return answer(self._rule, Effect.DENY, {"lacks": lacks})
        return self._allow


class _RecipientJudge:
    """Answers by who is spoken to.

    Others may be where the borrower cannot be reached, which is told or shows in so many calls in a row that nobody
    answered; and each of them no more than so often, by the number that was used.
    """

    __slots__ = ("_allow", "_rule", "_terms")

    def __init__(self, rule: Rule, terms: RecipientTerms) -> None:
        self._rule, self._terms = rule, terms
        self._allow = {
            each: answer(rule, Effect.ALLOW, {"recipient": each.value}) for each in terms.allowed
        }

    def __call__(self, case: Case) -> Answer:
        request, terms = case.request, self._terms
        said = self._allow.get(request.recipient)
        if said is not None:
            return said
        facts: dict[str, str | int | bool] = {"recipient": request.recipient.value}
        if request.recipient not in terms.if_unreachable:
            return answer(self._rule, Effect.DENY, facts)
        facts["unreachable"] = self._is_unreachable(request)
        facts["reveals_debt"] = request.reveals_debt
        contacts = facts["contacts"] = self._contacts(request)
        if (
            facts["unreachable"]
            and not (request.reveals_debt and not terms.reveal_debt)
            and not 0 < terms.max_contacts <= contacts
        ):
            return answer(self._rule, Effect.ALLOW, facts)
        return answer(self._rule, Effect.DENY, facts)

    def _is_unreachable(self, request: Request) -> bool:
        needed = self._terms.unreachable_misses
        return request.borrower_unreachable or 0 < needed <= _misses(request)

    def _contacts(self, request: Request) -> int:
        return sum(
            touch.recipient is request.recipient
            and touch.counts(Unit.ANY)
            and touch.at <= request.at
            and (not request.number or touch.number in ("", request.number))
            for touch in request.touches
        )


def _misses(request: Request) -> int:
    """Return how many of the last calls and visits to the borrower in a row nobody answered; texts say nothing."""
    misses = 0
    before = (touch for touch in request.touches if touch.at <= request.at)
    for touch in sorted(before, key=lambda each: each.at, reverse=True):
        if touch.recipient is not Recipient.BORROWER:
            continue
        if touch.direction is Direction.IN or touch.connected or touch.conversation:
            break
        misses += touch.attempt and touch.channel not in TEXTS
    return misses


class _NoticeJudge:
    """Answers by what was given: REQUIRE where a trigger is there and its notice was not given in time.

    One notice serves one trigger. After the trigger, a notice that had to come before it is missed and no more owed;
    one that had to come after it stays owed until it is given, be it late.
    """

    __slots__ = ("_allow", "_calendar", "_rule", "_terms")

    def __init__(self, rule: Rule, terms: NoticeTerms, calendar: Calendar | None) -> None:
        self._rule, self._terms, self._calendar = rule, terms, calendar
        self._allow = answer(rule, Effect.ALLOW, {"trigger": "", "missed": False})

    def __call__(self, case: Case) -> Answer:
        request, terms = case.request, self._terms
        if not request.triggers:
            return self._allow
        triggers = [each for each in request.triggers if each.kind == terms.trigger]
        if not triggers:
            return self._allow
        owed, missed = self._owed(request, triggers)
        if not owed:
            return answer(self._rule, Effect.ALLOW, {"trigger": terms.trigger, "missed": missed})
        deadline, trigger = min(owed)
        facts: Facts = {
            "trigger": terms.trigger,
            "trigger_at": zones.to_text(trigger),
            "deadline": zones.to_text(deadline),
            "missed": deadline < request.at,
        }
        return answer(self._rule, Effect.REQUIRE, facts, deadline, terms.trigger)

    def _owed(
        self, request: Request, triggers: Sequence[Trigger]
    ) -> tuple[list[tuple[datetime, datetime]], bool]:
        """Return deadline and trigger of each notice owed now, and whether one was missed that is owed no more."""
        at = request.at
        unused = sorted(
            each.at
            for each in request.notices_given
            if each.rule_id == self._rule.id and each.at <= at
        )
        before = self._terms.bound is Bound.AT_LEAST_BEFORE
        missing = []
        for trigger in sorted(each.at for each in triggers):
            deadline = min(self._deadline(trigger, zone) for zone in request.zones)
            timely = [each for each in unused if each <= deadline and (before or trigger <= each)]
            if timely:
                # The latest before a trigger belongs to it, and the first one after.
                unused.remove(timely[-1] if before else timely[0])
            else:
                missing.append((deadline, trigger))
        if before:
            owed = [(deadline, trigger) for deadline, trigger in missing if at < trigger]
            return owed, len(owed) < len(missing)
        owed = []
        was_late = False
        for deadline, trigger in missing:
            late = [each for each in unused if deadline < each]
            if late:
                unused.remove(late[0])
                was_late = True
            elif trigger <= at:
                owed.append((deadline, trigger))
        return owed, was_late

    def _deadline(self, trigger: datetime, zone: str) -> datetime:
        """Return the last instant at which the notice is in time, by the clocks of a zone.

        Source: Consumer Credit Act 1974 s 86B (UK), 14 days beginning with the day of the trigger.
        """
        terms = self._terms
        before = terms.bound is Bound.AT_LEAST_BEFORE
        if terms.unit is NoticeUnit.HOURS:
            return trigger + timedelta(hours=-terms.n if before else terms.n)
        on = zones.local_date(trigger, zone)
        if terms.unit is NoticeUnit.BUSINESS_DAYS:
            last = self._workday(on)
        elif before:
            # As `earliest_due` counts, from the other end: the day of the notice is not one of them.
            last = on - terms.n * _DAY
        elif terms.trigger_is_day_one:
            last = last_of(on, terms.n)
        else:
            last = earliest_due(on, terms.n)
        return _first_instant(last + _DAY, zone) - _TICK

    def _workday(self, on: date) -> date:
        """Return the last day for a notice in business days; a day that is surely early enough without a calendar."""
        n = self._terms.n
        before = self._terms.bound is Bound.AT_LEAST_BEFORE
        # A weekend for every five days and the longest festival besides; after the trigger, every day may be one.
        surely = on - (2 * n + 10) * _DAY if before else last_of(on, n)
        if self._calendar is None:
            return surely
        try:
            if self._terms.trigger_is_day_one and self._calendar.is_workday(on):
                n -= 1
            return add_workdays(on, -n if before else n, self._calendar)
        except Unpublished:
            return surely
