"""What the prover asks of a treatment that has to do with time: hours, pace, caps, and notices within their deadlines.

One kind of borrower of one product is taken to one place, and each due date of the horizon is worked out there: each
step gets the parts of time in which it can lawfully be sent. Of due dates that are equal but for a shift one is worked
out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from betimes.core import agenda, rules, zones
from betimes.core.agenda import Planned
from betimes.core.book import Snapshot
from betimes.core.cases import DAY, Scene, plan_key, span_of, utc_days
from betimes.core.decide import CLOSING_MARGIN, from_opening
from betimes.core.flight import Flight, FlightState, Means
from betimes.core.hours import Hours, Interval, Timetable
from betimes.core.inquiry import Inquiry
from betimes.core.proof import NEVER_RULE, Asked
from betimes.core.prover_facts import is_meant_on
from betimes.core.question import Request
from betimes.core.rule import Party, Rule
from betimes.core.treatment import Anchor, Late, MessageClass, Step
from betimes.core.values import dataclass, replace

# Steps that count from an event have no date of their own: they are asked about for each day of the horizon.
EVENTS: Final = frozenset({Anchor.DEBIT_FAILED, Anchor.PROMISE_BROKEN, Anchor.HOLD_LIFTED})
DATED: Final = frozenset({Anchor.DUE, Anchor.STATEMENT})
_MAY_BE_MISSED: Final = frozenset({Late.MISS, Late.MERGE})
_NO_TIME: Final = timedelta()
_TICK: Final = timedelta(microseconds=1)
# Days beyond a plan that a search may look at: that for an opening, and the next bills of an account.
_BEYOND: Final = 40
# Debits that fail day after day are played this long: as long as steps of a pace below a week can meet them.
_DEBIT_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """When a step can be sent by some channels: from `first` until before `last`, counted from the due date's midnight;
    both None where it never can.
    """

    channels: tuple[str, ...]
    first: timedelta | None
    last: timedelta | None


@dataclass(frozen=True, slots=True)
class Asking:
    """How rules may know a contact: by this request, from `start` until before `end`, counted from the due date's
    midnight.
    """

    request: Request
    start: timedelta
    end: timedelta


@dataclass(frozen=True, slots=True)
class Worked:
    """A step of a due date worked out. `at` is when it comes due, counted from the midnight of the due date by the
    borrower's clocks.

    `asked` are the ways in which rules may know it, by channel and stage. `is_behind`: its hour
    lies behind the hours of its own day. `in_conflict`: the zones have hours, and none in common for a day.
    """

    planned: Planned
    at: timedelta
    reaches: tuple[Reach, ...]
    asked: tuple[Asking, ...]
    is_behind: bool
    in_conflict: bool

    @property
    def step(self) -> Step:
        """The step."""
        return self.planned.step

    @property
    def first(self) -> timedelta | None:
        """The first lawful instant by any channel, None where there is none."""
        return min((each.first for each in self.reaches if each.first is not None), default=None)

    @property
    def surely(self) -> timedelta | None:
        """The instant by which it can have been sent whatever channel the borrower has; None where one never can."""
        firsts = [each.first for each in self.reaches]
        return None if None in firsts else max(each for each in firsts if each is not None)

    @property
    def last(self) -> timedelta | None:
        """Before when it is sent at the latest, None where it never can."""
        return max((each.last for each in self.reaches if each.last is not None), default=None)


@dataclass(frozen=True, slots=True)
class DueDate:
    """One due date worked out; `base` is its midnight by the borrower's clocks."""

    due_on: date
    base: datetime
    steps: tuple[Worked, ...]


class Scenery:
    """A kind of borrower of some like products, with the plans that are known of it."""

    def __init__(self, inquiry: Inquiry, scene: Scene, names: tuple[str, ...]) -> None:
        self.inquiry, self.scene, self.names = inquiry, scene, names
        self.treatment = scene.treatment
        self.span = span_of(scene)
        self.closes = any(version.closed for version in self.treatment.versions())
        self._plans: dict[object, tuple[datetime, tuple[Planned, ...]]] = {}

    def request(self, snapshot: Snapshot, step: Step, at: datetime, channel: str) -> Request:
        """Return a step as the run time asks the law about it."""
        asked = rules.request(snapshot, step, at, channel)
        party = self.inquiry.party
        return asked if party is Party.FIRST else replace(asked, party=party)

    def planned(self, where: tuple[str, ...], due_on: date, key: object) -> tuple[Planned, ...]:
        """Return the steps that speak of a due date, in order of time; `key` is all that they depend on."""
        zone = where[0]
        base = zones.instant(due_on, time.min, zone)
        known = self._plans.get((zone, key))
        if known is None:
            known = base, self.scene.speaking(self.scene.snapshot(where, due_on))
            self._plans[zone, key] = known
        by = base - known[0]
        return tuple(shifted(each, by) for each in known[1])

    def is_for(self, step: Step) -> bool:
        """Return whether a step is meant for this kind of borrower, whatever the age of the debt."""
        snapshot = self.scene.snapshot(("UTC",), self.inquiry.first)
        when = replace(step.when, min_dpd=None, max_dpd=None, debit_reasons=())
        at = snapshot.obligation.issued_at
        fits = agenda.is_meant_now(when, snapshot, at, 0)
        return fits and (step.anchor is not Anchor.DEBIT_FAILED or self.scene.kind.mandate)


def shifted(planned: Planned, by: timedelta) -> Planned:
    """Return a planned step, with all that it waits for, at another time."""
    superseded, true_until = planned.superseded_at, planned.true_until
    return replace(
        planned,
        at=planned.at + by,
        superseded_at=None if superseded is None else superseded + by,
        true_until=None if true_until is None else true_until + by,
    )


class Ground:
    """Some zones of a borrower: the hours that windows leave open there, and which days are alike by all of them."""

    def __init__(
        self, inquiry: Inquiry, where: tuple[str, ...], sceneries: Sequence[Scenery]
    ) -> None:
        self.inquiry, self.where, self.zone = inquiry, where, where[0]
        self._hours: dict[object, Hours] = {}
        self._tables: tuple[Timetable, ...] = ()
        for scenery in sceneries:
            self._make_hours(scenery)
        reach = max(max(each.span.before, each.span.after) for each in sceneries) + _BEYOND
        self._first = (inquiry.first - reach * DAY).toordinal()
        last = (inquiry.last + 2 * reach * DAY).toordinal()
        alike: dict[object, int] = {}
        self._days = tuple(
            [alike.setdefault(self._opens(day), len(alike)) for day in range(self._first, last + 1)]
        )
        self.known: dict[object, Worked] = {}
        self._keys: dict[object, tuple[datetime, int]] = {}
        self._numbers: dict[object, int] = {}

    def _make_hours(self, scenery: Scenery) -> None:
        """Make all hours that may be asked for, so that days are told apart by all of their windows."""
        scene, first = scenery.scene, self.inquiry.first
        snapshot = scene.snapshot(self.where, first)
        for _, step, _ in self.inquiry.steps():
            for channel in step.channels:
                for days in (-1, 0, 1, scene.profile.grace_days + 1, *self.inquiry.ages):
                    at = zones.instant(first + days * DAY, time(12), scene.own(self.zone))
                    self.hours(scenery.request(snapshot, step, at, channel))

    def hours(self, asked: Request) -> Hours:
        """Return the hours for a contact; equal questions give the same object."""
        age = bisect_right(self.inquiry.ages, asked.dpd)
        key = (asked.channel, asked.purpose, asked.stage, age, asked.product, asked.kinds)
        found = self._hours.get(key)
        if found is None:
            found = self._hours[key] = self.inquiry.law.hours(asked, self.inquiry.jurisdictions)
            new = tuple(table for table in found.tables if table not in self._tables)
            assert not (new and hasattr(self, "_days")), "days are told apart by every window"
            self._tables += new
        return found

    def _opens(self, ordinal: int) -> object:
        """Return at which times of a UTC day each window is open."""
        on = date.fromordinal(ordinal)
        start = datetime.combine(on, time.min, UTC)
        return tuple(
            tuple((opens - start, closes - start) for opens, closes in table.parts_of(on))
            for table in self._tables
        )

    def days_of(self, start: datetime, end: datetime) -> tuple[int, ...]:
        """Return a number for each UTC day from that of `start` to that of `end`: equal ones are open at the same times
        by every window.
        """
        days = utc_days(start, end)
        first, last = days.start - self._first, days.stop - self._first
        assert first >= 0 and last <= len(self._days), "no search goes so far"
        return self._days[first:last]

    def key_of(self, scenery: Scenery, due_on: date) -> tuple[datetime, int]:
        """Return the midnight of a due date, and a number that stands for all that what happens around it depends on
        but for a shift, among due dates of one kind of borrower.
        """
        own, span = scenery.scene.own(self.zone), scenery.span
        known = self._keys.get((due_on, own, span))
        if known is None:
            base = zones.instant(due_on, time.min, self.zone)
            plan = plan_key(scenery.scene, self.zone, due_on, span, base)
            days = self.days_of(base - span.before * DAY, base + span.after * DAY)
            number = self._numbers.setdefault((plan, base.time(), days), len(self._numbers))
            known = self._keys[due_on, own, span] = base, number
        return known


class Place:
    """One kind of borrower on some ground: its due dates, each worked out once for all that are equal to it."""

    def __init__(self, scenery: Scenery, ground: Ground) -> None:
        self.scenery, self.inquiry, self.scene = scenery, scenery.inquiry, scenery.scene
        self.where, self.zone = ground.where, ground.zone
        self.own = self.scene.own(self.zone)
        self.hours = ground.hours
        self._ground = ground
        # What a step's own time depends on of borrower and product, beside what its plan says.
        profile = self.scene.profile
        self._who = (profile.grace_days, profile.name, self.own, self.scene.kind.mandate)
        self._used: dict[object, Worked] = {}
        self._whole: dict[int, tuple[Worked, ...]] = {}

    def key_of(self, due_on: date) -> tuple[datetime, int]:
        """Return the midnight of a due date, and a number that equal due dates share."""
        return self._ground.key_of(self.scenery, due_on)

    def due(self, due_on: date) -> DueDate:
        """Return a due date worked out."""
        base, key = self.key_of(due_on)
        steps = self._whole.get(key)
        if steps is None:
            plan = plan_key(self.scene, self.zone, due_on, self.scenery.span, base)
            planned = self.scenery.planned(self.where, due_on, plan)
            steps = tuple([self._step(each, due_on, base, plan) for each in planned])
            self._whole[key] = steps
        return DueDate(due_on, base, steps)

    def days_of(self, start: datetime, end: datetime) -> tuple[int, ...]:
        """Return a number for each UTC day between two instants: equal ones are open at the same times."""
        return self._ground.days_of(start, end)

    def worked(self) -> Iterator[Worked]:
        """Yield every step that was worked out, once for each way in which it differs."""
        yield from self._used.values()

    def _step(self, planned: Planned, due_on: date, base: datetime, plan: object) -> Worked:
        step = planned.step
        end = planned.at + step.catch_up
        superseded, true_until = planned.superseded_at, planned.true_until
        key = (
            self._who,
            planned.key,
            planned.version,
            planned.at - base,
            superseded if superseded is None else superseded - base,
            true_until if true_until is None else true_until - base,
            tuple(each - base for each in zones.midnights(self.own, planned.at, end)),
            zones.local_date(planned.at, self.own) - due_on,
            base.time(),
            self._ground.days_of(planned.at - DAY, end + DAY),
            plan if self.scenery.closes else None,
        )
        found = self._ground.known.get(key)
        if found is None:
            self.inquiry.classes += 1
            found = self._ground.known[key] = self._work(planned, due_on, base)
        self._used[key] = found
        return found

    def _work(self, planned: Planned, due_on: date, base: datetime) -> Worked:
        snapshot = self.scene.snapshot(self.where, due_on)
        found: dict[tuple[Interval, ...], list[str]] = {}
        asked: list[Asking] = []
        for channel in planned.step.channels:
            parts: list[Interval] = []
            for start, end, request in self._segments(snapshot, planned, channel):
                asked.append(Asking(request, start - base, end - base))
                parts += sendable(self.hours(request), start, end)
            found.setdefault(tuple(parts), []).append(channel)
        reaches = [
            Reach(tuple(channels), parts[0][0] - base, parts[-1][1] - base)
            if parts
            else Reach(tuple(channels), None, None)
            for parts, channels in found.items()
        ]
        never = any(each.first is None for each in reaches)
        return Worked(
            planned,
            planned.at - base,
            tuple(reaches),
            tuple(asked),
            len(self.where) == 1 and self._is_behind(snapshot, planned),
            never and len(self.where) > 1 and self._is_in_conflict(snapshot, planned),
        )

    def first_from(self, snapshot: Snapshot, planned: Planned, start: datetime) -> datetime | None:
        """Return the first instant from `start` on at which a planned step can be sent by its first channel, if any."""
        for opens, closes, request in self._segments(snapshot, planned, planned.step.channels[0]):
            if start < closes:
                parts = sendable(self.hours(request), max(opens, start), closes)
                if parts:
                    return parts[0][0]
        return None

    def deadline(self, snapshot: Snapshot, planned: Planned, channel: str) -> datetime:
        """Return from when on a step is missed, as the run time has it."""
        if planned.step.late is Late.SEND:
            return planned.deadline
        request = self.scenery.request(snapshot, planned.step, planned.at, channel)
        return from_opening(planned, self.hours(request)).deadline

    def _segments(
        self, snapshot: Snapshot, planned: Planned, channel: str
    ) -> Iterator[tuple[datetime, datetime, Request]]:
        """Yield the parts of a step's time in which the stage of the debt is one, without the days on which the
        treatment itself is silent; each with the request of its first instant.
        """
        step = planned.step
        version = self.scenery.treatment.version(planned.version)
        obeys = bool(version.closed) and step.message_class is not MessageClass.STATUTORY
        start, end = planned.at, self.deadline(snapshot, planned, channel)
        if start >= end:
            return
        cuts = set(zones.midnights(self.own, start, end))
        if obeys:
            cuts |= set(zones.midnights(self.zone, start, end))
        held: tuple[datetime, datetime, Request] | None = None
        for opens, closes in pairwise([start, *sorted(cuts), end]):
            if obeys and not version.is_open(zones.local_date(opens, self.zone)):
                continue
            request = self.scenery.request(snapshot, step, opens, channel)
            if held is not None and held[1] == opens and self._is_alike(held[2], request):
                held = held[0], closes, held[2]
                continue
            if held is not None:
                yield held
            held = opens, closes, request
        if held is not None:
            yield held

    def _is_alike(self, one: Request, other: Request) -> bool:
        return one.stage is other.stage and self.hours(one) is self.hours(other)

    def _is_behind(self, snapshot: Snapshot, planned: Planned) -> bool:
        """Return whether a step's hour lies behind the hours of its own day, by some channel."""
        on = zones.local_date(planned.at, self.zone)
        morning, night = (zones.instant(on + n * DAY, time.min, self.zone) for n in (0, 1))
        for channel in planned.step.channels:
            request = self.scenery.request(snapshot, planned.step, planned.at, channel)
            parts = sendable(self.hours(request), morning, night)
            if parts and parts[-1][1] <= planned.at:
                return True
        return False

    def _is_in_conflict(self, snapshot: Snapshot, planned: Planned) -> bool:
        """Return whether the zones, each of which has hours, have none in common for a day: then nobody could send
        it.
        """
        start, end = planned.at, planned.at + DAY
        for channel in planned.step.channels:
            request = self.scenery.request(snapshot, planned.step, planned.at, channel)
            if sendable(self.hours(request), start, end):
                return False
            for zone in self.where:
                asked = replace(request, zones=(zone,))
                alone = self.inquiry.law.hours(asked, self.inquiry.jurisdictions)
                if not sendable(alone, start, end):
                    return False
        return True


def sendable(hours: Hours, start: datetime, end: datetime) -> list[Interval]:
    """Return the parts of [start, end) in which a message may be started, in order: none just before hours close."""
    found: list[Interval] = []
    at = start
    while (opening := hours.next_opening(at, end)) is not None:
        closing = hours.closing(opening)
        last = min(closing - CLOSING_MARGIN, end)
        if opening < last:
            found.append((opening, last))
        at = closing
        if at >= end:
            break
    return found


class Hearing:
    """Asks about hours and pace in one place, due date by due date."""

    def __init__(self, place: Place) -> None:
        self.place, self.scenery = place, place.scenery
        self.inquiry, self.scene = place.inquiry, place.scene
        self._counts: dict[object, tuple[int, tuple[str, ...], tuple[str, ...]]] = {}
        # The first due date on which a step's hour lies behind the hours of its day; None once it did not.
        self._behind: dict[str, tuple[DueDate, Worked] | None] = {}

    def ask(self) -> None:
        """Ask about every due date, and about every day for the steps that count from events."""
        for due_on in self.inquiry.due_dates():
            _, key = self.place.key_of(due_on)
            if key not in self._counts:
                due = self.place.due(due_on)
                cases, moved, missed = self._ask_hours(due)
                self._counts[key] = cases, moved, (*missed, *self._ask_pace(due))
            cases, moved, missed = self._counts[key]
            self.inquiry.cases += cases
            for name in moved:
                self.inquiry.shifted[name] = self.inquiry.shifted.get(name, 0) + 1
            for name in missed:
                self.inquiry.missed[name] = self.inquiry.missed.get(name, 0) + 1
        for found in self._behind.values():
            if found is not None:
                self._refuse_behind(*found)
        self._ask_events()

    def _ask_hours(self, due: DueDate) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
        """Refuse each step of a due date that can never be sent; return how many cases were asked, which steps are sent
        later than planned, and which may be missed.
        """
        moved: list[str] = []
        missed: list[str] = []
        for worked in due.steps:
            step = worked.step
            for reach in worked.reaches:
                if reach.first is not None:
                    moved += [step.name] if reach.first > worked.at else []
                elif worked.in_conflict:
                    missed.append(f"{step.name}, where zones that conflict have no hour in common")
                elif step.late in _MAY_BE_MISSED:
                    missed.append(step.name)
                else:
                    self._refuse_never(due, worked, reach.channels[0])
            if not worked.is_behind:
                self._behind[step.name] = None
            else:
                self._behind.setdefault(step.name, (due, worked))
        cases = sum(len(worked.step.channels) for worked in due.steps)
        return cases * len(self.scenery.names), tuple(moved), tuple(missed)

    def _refuse_never(self, due: DueDate, worked: Worked, channel: str) -> None:
        at = due.base + worked.at
        planned = shifted(worked.planned, at - worked.planned.at)
        snapshot = self.scene.snapshot(self.place.where, due.due_on)
        deadline = self.place.deadline(snapshot, planned, channel)
        told = f"before its deadline {said(deadline, self.place.zone)}"
        rule = self._closed_by(snapshot, planned.step, at, channel)
        if rule is None:
            self._refuse_own(due, planned, deadline, channel)
            return
        self.inquiry.broken(
            rule,
            Asked.HOURS,
            self.scenery.names[0],
            due.due_on,
            f"step {planned.step.name} is due {said(at, self.place.zone)} and has no lawful instant {told}",
            "give it a longer catch_up_hours, move send_at, or, if it need not be sent on such days, say "
            'late = "miss"',
            **self._facts(planned.step, channel, at),
        )

    def _refuse_own(self, due: DueDate, planned: Planned, deadline: datetime, channel: str) -> None:
        """Refuse a step that no window stops: it is over before it is due, or the treatment itself is silent."""
        name, at, zone = planned.step.name, planned.at, self.place.zone
        if deadline <= at:
            why = f"what it says of {due.due_on} is over before that by the clocks of {self.place.own}"
            way_out = "move send_at, or do not use it for products whose dates are of another zone"
        else:
            why = f"the days that the treatment closes leave it no instant before {said(deadline, zone)}"
            way_out = 'give it a longer catch_up_hours, close fewer days, or say late = "miss"'
        self.inquiry.broken_own(
            NEVER_RULE,
            Asked.HOURS,
            self.scenery.names[0],
            due.due_on,
            f"step {name} is due {said(at, zone)}, and {why}",
            way_out,
            **self._facts(planned.step, channel, at),
        )

    def _refuse_behind(self, due: DueDate, worked: Worked) -> None:
        at = due.base + worked.at
        step = worked.step
        snapshot = self.scene.snapshot(self.place.where, due.due_on)
        for channel in step.channels:
            rule = self._closed_by(snapshot, step, at, channel)
            if rule is not None:
                self.inquiry.broken(
                    rule,
                    Asked.HOURS,
                    self.scenery.names[0],
                    due.due_on,
                    f"step {step.name} is meant for {zones.local_time(at, self.place.zone):%H:%M}, when the hours of "
                    "the day are over, on every day",
                    "move send_at into the hours",
                    **self._facts(step, channel, at),
                )
                return

    def _closed_by(self, snapshot: Snapshot, step: Step, at: datetime, channel: str) -> Rule | None:
        """Return the window that closes an instant, or the minute and a half behind it; None where none does."""
        hours = self.place.hours(self.scenery.request(snapshot, step, at, channel))
        ids = hours.closed_by(at) or hours.closed_by(at + CLOSING_MARGIN)
        return next((rule for rule in hours.rules if rule.id in ids), None)

    def _facts(self, step: Step, channel: str, at: datetime) -> dict[str, object]:
        return {
            "zones": self.place.where,
            "borrower": str(self.scene.kind),
            "step": step.name,
            "position": self.inquiry.positions[step.name],
            "channel": channel,
            "at": at,
        }

    # Pace

    def _ask_pace(self, due: DueDate) -> tuple[str, ...]:
        """Refuse a step that the least gap between contacts holds back until it is too late, though each is sent as
        soon as it may; return which steps are, and may be missed.

        Played are one debt alone, two that fall due on one day where they are not told together, and debits that fail
        at the hours the product has for them.
        """
        versions = list(self.scenery.treatment.versions())
        if not any(version.min_gap for version in versions):
            return ()
        snapshot = self.scene.snapshot(self.place.where, due.due_on)
        own = [shifted(each.planned, due.base + each.at - each.planned.at) for each in due.steps]
        plays = [own]
        if not all(version.digest for version in versions):
            plays.append([each for each in own for _ in range(2)])
        plays += [list(self.scene.speaking(failed)) for failed in self._failing(due.due_on)]
        missed = [name for steps in plays for name in self._play(due, snapshot, steps)]
        return tuple(dict.fromkeys(missed))

    def _failing(self, due_on: date) -> Iterator[Snapshot]:
        """Yield the debt with debits that fail: at each hour of the product alone, and at all of them."""
        debit = self.scene.profile.debit
        steps = [step for _, step, _ in self.inquiry.steps()]
        has_step = any(step.anchor is Anchor.DEBIT_FAILED for step in steps)
        if not (has_step and self.scene.kind.mandate and debit.windows):
            return
        days = range(_DEBIT_DAYS if debit.again_daily else 1)
        each_day = [
            zones.instant(due_on + n * DAY, at, self.place.own)
            for n in days
            for at in debit.windows
        ]
        for chosen in ([at] for at in each_day[: len(debit.windows)]):
            yield self.scene.snapshot(self.place.where, due_on, _flights(chosen))
        yield self.scene.snapshot(self.place.where, due_on, _flights(each_day))

    def _play(self, due: DueDate, snapshot: Snapshot, steps: Sequence[Planned]) -> list[str]:
        last: datetime | None = None
        missed: list[str] = []
        for planned in steps:
            step = planned.step
            version = self.scenery.treatment.version(planned.version)
            waits = step.message_class is not MessageClass.STATUTORY
            start = planned.at
            if last is not None and waits:
                start = max(start, last + version.min_gap)
            sent = self.place.first_from(snapshot, planned, start)
            if sent is not None:
                last = sent
            elif self.place.first_from(snapshot, planned, planned.at) is None:
                continue  # The hours are what stops it, and they were asked about.
            elif step.late in _MAY_BE_MISSED:
                missed.append(f"{step.name}, held back by min_gap_hours")
            else:
                assert last is not None, "only what was sent before holds a step back"
                self.inquiry.broken_own(
                    NEVER_RULE,
                    Asked.PACE,
                    self.scenery.names[0],
                    due.due_on,
                    f"step {step.name} is due {said(planned.at, self.place.zone)}, min_gap_hours holds it back until "
                    f"{said(last + version.min_gap, self.place.zone)}, and then it is too late for it",
                    'shorten min_gap_hours, give the step a longer catch_up_hours, or say late = "miss"',
                    **self._facts(step, step.channels[0], planned.at),
                )
        return missed

    # Steps that count from events

    def _ask_events(self) -> None:
        """Refuse a step that counts from an event where, on some day of the horizon, an event would leave it no lawful
        instant: at its hour, or, where it goes at once, at the instants from which the next opening is furthest.
        """
        for _, step, _ in self.inquiry.steps():
            if step.anchor in DATED or not self.scenery.is_for(step):
                continue
            for stage_day in self._days_of(step):
                self._ask_event(step, stage_day)

    def _days_of(self, step: Step) -> list[int]:
        """Return one day after the due date for each stage and age of a debt that the step may speak of."""
        profile = self.scene.profile
        days = [-1, 0, 1, profile.grace_days + 1, *self.inquiry.ages]
        return [day for day in dict.fromkeys(days) if is_meant_on(step, day, profile)]

    def _ask_event(self, step: Step, stage_day: int) -> None:
        asked: set[object] = set()
        for on in self.inquiry.due_dates():
            base = zones.instant(on, time.min, self.place.zone)
            night = zones.instant(on + DAY, time.min, self.place.zone)
            self.inquiry.cases += len(step.channels) * len(self.scenery.names)
            end = night + step.catch_up + DAY
            key = (base.time(), night - base, self.place.days_of(base - DAY, end))
            if key in asked:
                continue
            asked.add(key)
            self.inquiry.classes += 1
            snapshot = self.scene.snapshot(self.place.where, on - stage_day * DAY)
            for channel in step.channels:
                request = self.scenery.request(snapshot, step, base + (night - base) // 2, channel)
                hours = self.place.hours(request)
                for at in self._instants(step, hours, on, base, night):
                    if not sendable(hours, at, at + step.catch_up):
                        self._refuse_event(step, on, at, channel, hours)
                        break

    def _instants(
        self, step: Step, hours: Hours, on: date, base: datetime, night: datetime
    ) -> list[datetime]:
        if step.send_at is not None:
            return [zones.instant(on, step.send_at, self.place.zone)]
        # From the end of hours on the next opening is furthest; so it is from midnight where a day begins closed.
        return [base, *(end for _, end in sendable(hours, base, night) if end < night)]

    def _refuse_event(self, step: Step, on: date, at: datetime, channel: str, hours: Hours) -> None:
        if step.late in _MAY_BE_MISSED:
            self.inquiry.missed[step.name] = self.inquiry.missed.get(step.name, 0) + 1
            return
        if len(self.place.where) > 1 and not sendable(hours, at, at + DAY):
            name = f"{step.name}, where zones that conflict have no hour in common"
            self.inquiry.missed[name] = self.inquiry.missed.get(name, 0) + 1
            return
        ids = hours.closed_by(at) or hours.closed_by(at + CLOSING_MARGIN)
        rule = next((rule for rule in hours.rules if rule.id in ids), None)
        assert rule is not None, "only a window keeps an event's step from being sent"
        self.inquiry.broken(
            rule,
            Asked.HOURS,
            self.scenery.names[0],
            on,
            f"step {step.name} counts from {step.anchor}; for what happens so that it is due "
            f"{said(at, self.place.zone)} it has no lawful instant within {step.catch_up // timedelta(hours=1)} hours",
            'give it a longer catch_up_hours, or, if it need not be sent then, say late = "miss"',
            **self._facts(step, channel, at),
        )


def _flights(failed: Sequence[datetime]) -> tuple[Flight, ...]:
    return tuple(
        Flight(
            id=f"f{n}",
            account_id="a1",
            obligation_id="",
            means=Means.DEBIT,
            amount_minor=1,
            state=FlightState.FAILED,
            since=at,
            expected_by=at,
            ended_at=at,
            told_at=at,
        )
        for n, at in enumerate(failed)
    )


_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def said(at: datetime, zone: str) -> str:
    """Return an instant as people say it, by the clocks of a zone."""
    on = zones.local_date(at, zone)
    return f"{_WEEKDAYS[on.weekday()]} {on} {zones.local_time(at, zone):%H:%M}"
