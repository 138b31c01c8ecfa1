"""What the prover asks about caps: whether contacts of one treatment alone can be more than a rule allows.

Each contact may be anywhere between its first and its last lawful instant; `core.densest` finds the most that a run of
time can hold. That is asked twice. First with the widest instants of all due dates at once: where even these keep
within the cap, every due date does. Else due date by due date, in order, so that the first one found is the earliest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final

from betimes.core import judges, zones
from betimes.core.cases import DAY, MONTHS, clocks
from betimes.core.densest import Hull, Run, fullest, runs_of
from betimes.core.product import PLAIN, Family
from betimes.core.proof import Asked, Sent
from betimes.core.prover_facts import is_meant_on
from betimes.core.prover_times import DATED, EVENTS, Asking, Place, said
from betimes.core.question import Request
from betimes.core.rule import CapTerms, Per, Rule, Scope
from betimes.core.touch import Touch
from betimes.core.treatment import Anchor, MessageClass, Step
from betimes.core.values import dataclass

_NOON: Final = time(12)
_MIDNIGHT: Final = time()
_TICK: Final = timedelta(microseconds=1)
_NO_TIME: Final = timedelta()
_SECOND: Final = timedelta(seconds=1)
_ONE_DEBT: Final = frozenset({Scope.DEBT})
_ONE_BILL: Final = frozenset({Scope.DEBT, Scope.ACCOUNT})
_NUMBERS: Final = frozenset({Scope.NUMBER, Scope.ADDRESS})


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that counts: it is sent from `first` until before `last`, counted from the due date's midnight, and
    rules know it by `asked`.
    """

    step: Step
    first: timedelta
    last: timedelta
    asked: tuple[Asking, ...]


@dataclass(frozen=True, slots=True)
class _Debts:
    """Debts of one borrower: by how many days each falls due after the first. `alone`: of the others only steps count
    that do not come due at the same instants as those of the first, and hence are not told together with them.
    """

    days: tuple[int, ...]
    alone: bool = False


class _Days:
    """The days around a due date by the clocks of a borrower and of a debt, counted from the midnight of the due date;
    each as wide as `slack` makes it.
    """

    def __init__(self, place: Place, due_on: date, slack: timedelta) -> None:
        self._place, self._due_on, self._slack = place, due_on, slack
        self._base, _ = place.key_of(due_on)

    def of_event(self, step: Step, day: int) -> tuple[timedelta, timedelta]:
        """Return when a step may first and last come due for events of a day, as the planner counts from them."""
        on, moved = self._due_on + day * DAY, step.offset_days * DAY
        zone = self._place.zone
        start, end = (zones.instant(on + n * DAY, _MIDNIGHT, zone) for n in (0, 1))
        first, last = start + moved, end + moved
        if step.send_at is not None:
            at = step.instant(on, zone)
            first, last = max(start, at), max(end, at)
        return first - self._base - self._slack, last - self._base + self._slack

    def civil(self, day: int) -> tuple[timedelta, timedelta]:
        """Return the beginning and the end of a civil day of the debt."""
        on, zone = self._due_on + day * DAY, self._place.own
        start, end = (zones.instant(on + n * DAY, _MIDNIGHT, zone) for n in (0, 1))
        return start - self._base - self._slack, end - self._base + self._slack


class Counting:
    """Asks about every cap for one kind of borrower in one place."""

    def __init__(self, place: Place) -> None:
        self.place, self.scenery = place, place.scenery
        self.inquiry, self.scene = place.inquiry, place.scene
        versions = list(self.scenery.treatment.versions())
        self.gap = min(version.min_gap for version in versions)
        self.digest = all(version.digest for version in versions)
        first, last = self.inquiry.first, self.inquiry.last
        self._years = first - 366 * DAY, last + 366 * DAY
        caps = [each.terms for each in self.inquiry.binding if isinstance(each.terms, CapTerms)]
        self._known: dict[tuple[Step, int], tuple[Request, ...]] = {}
        # The longest run of days in which any cap counts.
        self._longest = max((_days_in(each) for each in caps), default=1)

    def ask(self) -> None:
        """Refuse the treatment where some due dates let it come to more contacts than a binding cap allows."""
        widest: list[Contact] | None = None
        for rule in self.inquiry.binding:
            terms = rule.terms
            if not isinstance(terms, CapTerms) or not self._is_asked(rule, terms):
                continue
            if widest is None:
                widest = self._widest()
            for channels in self._pools(rule, terms, widest):
                # The first debts that come to too many are enough.
                any(self._ask(rule, terms, channels, debts, widest) for debts in self._debts(terms))

    def _is_asked(self, rule: Rule, terms: CapTerms) -> bool:
        about = self.inquiry.is_about(rule, self.scene.profile)
        known = self.inquiry.needs_fewer_zones(Asked.CAP, rule.id, self.place.where)
        return about and not known and terms.most > 0

    def _ask(
        self,
        rule: Rule,
        terms: CapTerms,
        channels: frozenset[str],
        debts: _Debts,
        widest: Sequence[Contact],
    ) -> bool:
        """Refuse the treatment where contacts about such debts are too many; return whether they are."""
        slack = self._slack(self.place.zone)
        hulls: list[Hull[timedelta]] = []
        for n, days in enumerate(debts.days):
            hulls += self._of_debt(
                rule, channels, debts, n, widest, days * DAY, slack if days else _NO_TIME
            )
        wide = self._wide_runs(terms)
        if not any(fullest(hulls, runs, self.gap, terms.most) for runs in wide):
            return False
        for due_on in self.inquiry.due_dates():
            for on_time in (True, False):
                run = self._at(rule, terms, channels, debts, due_on, on_time=on_time)
                if run is not None:
                    self._refuse(rule, terms, channels, due_on, run, on_time=on_time)
                    return True
        return False

    # Which contacts

    def _widest(self) -> list[Contact]:
        """Return each step once with its widest instants over all due dates, and what counts from events."""
        found: dict[tuple[str, str], Contact] = {}
        for worked in self.place.worked():
            first, last = worked.first, worked.last
            if first is None or last is None:
                continue
            key = (worked.step.name, worked.planned.version)
            known = found.get(key)
            if known is not None:
                first, last = min(first, known.first), max(last, known.last)
            asked = _joined((*(known.asked if known is not None else ()), *worked.asked))
            found[key] = Contact(worked.step, first, last, asked)
        dated = list(found.values())
        # Clocks may change between any due date and an event.
        slack = self._slack(self.place.zone)
        slack += self._slack(self.place.own) if self.place.own != self.place.zone else _NO_TIME
        return [*dated, *self._eventful(dated, _Days(self.place, self.inquiry.first, slack))]

    def _on(self, due_on: date) -> list[Contact]:
        """Return the contacts of one due date."""
        found = [
            Contact(worked.step, worked.first, worked.last, worked.asked)
            for worked in self.place.due(due_on).steps
            if worked.first is not None and worked.last is not None
        ]
        return [*found, *self._eventful(found, _Days(self.place, due_on, _NO_TIME))]

    def _eventful(self, dated: Sequence[Contact], days: _Days) -> list[Contact]:
        """Return what may count from events of one cycle: of each step that a failed debit, a broken promise or the end
        of a hold brings one contact on every day on which it may speak, for such an event may come on any day and on
        each of them; a contact behind another one, and a deadline behind the step that sets it, once.
        """
        known = list(dated)
        for _, step, _ in self.inquiry.steps():
            if step.anchor not in DATED and self.scenery.is_for(step):
                known += self._of_event(step, dated, known, days)
        return known[len(dated) :]

    def _of_event(
        self, step: Step, dated: Sequence[Contact], known: Sequence[Contact], days: _Days
    ) -> Iterator[Contact]:
        moved = step.offset_days * DAY
        at = _NO_TIME if step.send_at is None else _clock(step)
        requests = self._requests(step)

        def contact(first: timedelta, last: timedelta) -> Contact:
            asked = tuple(Asking(request, first, last) for request in requests)
            return Contact(step, first, last, asked)

        if step.anchor in EVENTS:
            for day in self._event_days(step, dated):
                first, last = days.of_event(step, day)
                yield self._brought(step, first, last + step.catch_up, days)
            return
        behind = []
        if step.anchor is Anchor.CONTACT:
            for base in (each for each in known if each.step.name == step.after):
                first, last = base.first + moved, base.last + moved
                if step.send_at is not None:
                    first = max(base.first, base.first // DAY * DAY + moved + at)
                    last = max(base.last, (base.last - _TICK) // DAY * DAY + moved + at)
                behind.append((base, first, last))
        else:
            assert step.anchor is Anchor.DEADLINE, f"nobody knows what brings {step.name}"
            for base in (each for each in known if each.step.deadline_days):
                later = base.step.deadline_days * DAY + moved + at
                first = base.first // DAY * DAY + later
                last = (base.last - _TICK) // DAY * DAY + later
                behind.append((base, first, last))
        # It is said once, behind whichever of the contacts that events bring it is.
        for base, first, last in behind:
            if base.step.anchor in DATED:
                yield contact(first, last + step.catch_up)
        events = [(first, last) for base, first, last in behind if base.step.anchor not in DATED]
        if events:
            yield contact(
                min(first for first, _ in events), max(last for _, last in events) + step.catch_up
            )

    def _event_days(self, step: Step, dated: Sequence[Contact]) -> Iterator[int]:
        """Yield the days, counted from the due date, on which an event may bring a step: those around the steps that
        count from dates, as far as any cap sees from them, and as many in which it has only others like it beside it.
        """
        late = -(-step.catch_up // DAY) + 1
        reach = self._longest + late + abs(step.offset_days)

        def may_bring(day: int) -> bool:
            spoken = range(day + step.offset_days, day + step.offset_days + late + 1)
            return any(is_meant_on(step, on, self.scene.profile) for on in spoken)

        least = step.when.min_dpd or 0
        start = min([least, *(each.first // DAY for each in dated)])
        end = max([least, *(each.last // DAY for each in dated)])
        end = max(end, self.scene.profile.grace_days) + self.scene.profile.grace_days
        # No debt has events before it is told.
        for day in range(max(start - reach, -self.scene.billed_before), end + reach + 1):
            if may_bring(day):
                yield day

    def _brought(self, step: Step, first: timedelta, last: timedelta, days: _Days) -> Contact:
        """Return a contact that an event brings, with how rules know it on each of its days."""
        asked = []
        for day in range(first // DAY - 1, (last - _TICK) // DAY + 2):
            start, end = days.civil(day)
            start, end = max(first, start), min(last, end)
            if start < end:
                asked += [Asking(request, start, end) for request in self._on_day(step, day)]
        return Contact(step, first, last, tuple(asked))

    def _on_day(self, step: Step, day: int) -> tuple[Request, ...]:
        """Return the requests by which rules may know a step that speaks so many days after the due date."""
        known = self._known.get((step, day))
        if known is None:
            on = zones.instant(self.inquiry.first + day * DAY, _NOON, self.place.own)
            snapshot = self.scene.snapshot(self.place.where, self.inquiry.first)
            known = tuple(
                [self.scenery.request(snapshot, step, on, channel) for channel in step.channels]
            )
            self._known[step, day] = known
        return known

    def _requests(self, step: Step) -> tuple[Request, ...]:
        """Return the requests by which rules may know a step that counts from an event."""
        profile = self.scene.profile
        days = [
            day
            for day in (-1, 0, 1, profile.grace_days + 1, *self.inquiry.ages)
            if is_meant_on(step, day, profile)
        ]
        return tuple(
            [request for day in dict.fromkeys(days) for request in self._on_day(step, day)]
        )

    # What counts together

    def _pools(
        self, rule: Rule, terms: CapTerms, contacts: Sequence[Contact]
    ) -> Iterator[frozenset[str]]:
        """Yield the channels that count together: all that the cap counts, or each alone where it counts by number."""
        wanted = frozenset(terms.counted) or rule.channels
        used = {channel for each in contacts for channel in each.step.channels}
        counted = {
            channel
            for channel in used
            if (not wanted or channel in wanted) and _sent(channel).counts(terms.unit)
        }
        if not counted:
            return
        if terms.scope in _NUMBERS:
            yield from (frozenset({channel}) for channel in sorted(counted))
        else:
            yield frozenset(counted)

    def _debts(self, terms: CapTerms) -> Iterator[_Debts]:
        """Yield the debts that count together: one; another due on the same day; the next bills of its account; another
        due on any other day on which steps of both come near each other.
        """
        yield _Debts((0,))
        if terms.scope not in _ONE_BILL:
            yield _Debts((0, 0), alone=self.digest)
        profile = self.scene.profile
        once = profile.family is Family.SINGLE and profile.name != PLAIN.name
        span = self.scenery.span.before + self.scenery.span.after
        if terms.scope not in _ONE_DEBT and not once:
            reach = -(-span // MONTHS[0])
            for month in MONTHS:
                yield _Debts(tuple(n * month for n in range(reach + 1)))
        if terms.scope not in _ONE_BILL:
            # Also where debts are told together: what comes due on another day is told on another day.
            for apart in range(1, span + _days_in(terms) + 1):
                yield _Debts((0, apart))

    def _of_debt(
        self,
        rule: Rule,
        channels: frozenset[str],
        debts: _Debts,
        n: int,
        contacts: Sequence[Contact],
        base: Any,
        slack: timedelta = _NO_TIME,
        *,
        on_time: bool = False,
    ) -> Iterator[Hull[Any]]:
        """Yield the contacts about the debt `n` of several: instants where `base` is one, else counted from the first
        due date. `on_time`: only those that count from a date, each at its first instant.
        """
        for each in contacts:
            step = each.step
            if channels.isdisjoint(step.channels):
                continue
            if on_time and step.anchor not in DATED:
                continue
            # A step that sets a deadline speaks alone; what an event brings has an instant of its own for each debt.
            if n and debts.alone and not step.deadline_days and step.anchor not in EVENTS:
                continue
            first = base + each.first - slack
            last = first if on_time else base + each.last + slack
            bound = [
                (base + asked.start - slack, base + asked.end + slack)
                for asked in each.asked
                if asked.request.channel in channels and not judges.sets_aside(rule, asked.request)
            ]
            start = max(first, min((opens for opens, _ in bound), default=first))
            end = min(max(last, first + _TICK), max((over for _, over in bound), default=first))
            is_bound = start < end
            yield Hull(
                step.name,
                n + 1,
                first,
                last,
                step.message_class is not MessageClass.STATUTORY,
                start if is_bound else None,
                end if is_bound else None,
            )

    # Runs of time

    def _slack(self, zone: str) -> timedelta:
        return clocks(zone, *self._years).slack

    def _wide_runs(
        self, terms: CapTerms
    ) -> Iterator[Callable[[timedelta], Sequence[tuple[timedelta, timedelta]]]]:
        """Yield what gives the runs around a contact, counted from the due date: for days, by each clock that
        counts.
        """
        if terms.per is Per.ROLLING:
            yield runs_of(timedelta(seconds=terms.n))
            return
        days = 1 if terms.per is Per.CALENDAR_DAY else terms.n
        for zone in (terms.zone,) if terms.zone else self.place.where:
            slack = self._slack(zone) + self._slack(self.place.zone)
            begins = tuple(sorted(set(self._midnights(zone))))
            yield partial(_wide_days, begins=begins, days=days, slack=slack)

    def _midnights(self, zone: str) -> Iterator[timedelta]:
        """Yield by how much days begin later than at the borrower, for each due date."""
        for due_on in self.inquiry.due_dates():
            base, _ = self.place.key_of(due_on)
            yield (zones.instant(due_on, _MIDNIGHT, zone) - base) % DAY

    def _at(
        self,
        rule: Rule,
        terms: CapTerms,
        channels: frozenset[str],
        debts: _Debts,
        due_on: date,
        *,
        on_time: bool,
    ) -> Run[datetime] | None:
        """Return a run of time with too many contacts about debts of which the first falls due on a day, if any."""
        hulls: list[Hull[datetime]] = []
        for n, days in enumerate(debts.days):
            due = due_on + days * DAY
            base, _ = self.place.key_of(due)
            hulls += self._of_debt(rule, channels, debts, n, self._on(due), base, on_time=on_time)
        if terms.per is Per.ROLLING:
            length = timedelta(seconds=terms.n)
            return fullest(hulls, self._held(rule, runs_of(length)), self.gap, terms.most)
        days = 1 if terms.per is Per.CALENDAR_DAY else terms.n
        for zone in (terms.zone,) if terms.zone else self.place.where:
            runs = self._held(rule, partial(_days, zone=zone, days=days))
            found = fullest(hulls, runs, self.gap, terms.most)
            if found is not None:
                return found
        return None

    def _held(
        self, rule: Rule, runs: Callable[[datetime], Sequence[tuple[datetime, datetime]]]
    ) -> Callable[[datetime], Sequence[tuple[datetime, datetime]]]:
        """Return the runs in which the rule is in force on some day, by some clock."""

        def held(latest: datetime) -> Sequence[tuple[datetime, datetime]]:
            return [
                (start, end)
                for start, end in runs(latest)
                if any(
                    rule.effective_from <= zones.local_date(end, zone)
                    and (
                        rule.effective_to is None
                        or zones.local_date(start, zone) < rule.effective_to
                    )
                    for zone in self.place.where
                )
            ]

        return held

    def _refuse(
        self,
        rule: Rule,
        terms: CapTerms,
        channels: frozenset[str],
        due_on: date,
        run: Run[datetime],
        *,
        on_time: bool,
    ) -> None:
        sent: list[Sent] = []
        for hull in run.holds:
            at = _lawful_at(hull, run)
            if sent and hull.waits and self.gap:
                at = max(at, sent[-1].at + self.gap)
            sent.append(Sent(hull.name, hull.debt, at))
        told = sorted(zip(sent, run.holds, strict=True), key=lambda pair: pair[0].at)
        sent = [each for each, _ in told]
        bound = [n for n, (_, hull) in enumerate(told) if hull.is_bound(run.start, run.end)]
        place = next((n for n in bound if n >= terms.most), bound[-1])
        too_many = sent[place]
        # What comes behind the first one too many is not needed to see it, nor more before it than are allowed.
        sent = sent[max(place - terms.most, 0) : max(place, terms.most) + 1]
        position = self.inquiry.positions[too_many.step]
        step = next(step for _, step, _ in self.inquiry.steps() if step.name == too_many.step)
        debts = max(each.debt for each in sent)
        what = f"{len(sent)} contacts{f' about {debts} debts' if debts > 1 else ''}"
        how = "sent on time" if on_time else "some of them late, as catch_up_hours lets them be"
        self.inquiry.broken(
            rule,
            Asked.CAP,
            self.scenery.names[0],
            due_on,
            f"{what} in one run of {_length(terms)}, {how}; allowed are {terms.most}. Step {step.name} is one too "
            f"many, {said(too_many.at, self.place.zone)}. Contacts of others are counted as none",
            "leave out steps or set them further apart, shorten catch_up_hours, use channels that do not count, raise "
            "min_gap_hours, or set digest = true where debts count together",
            zones=self.place.where,
            borrower=str(self.scene.kind),
            step=step.name,
            position=position,
            channel=next(channel for channel in step.channels if channel in channels),
            at=too_many.at,
            contacts=tuple(sent),
        )


def _lawful_at(hull: Hull[datetime], run: Run[datetime]) -> datetime:
    """Return an instant of a contact in a run, one at which the rule may stop it if there is one: its first, else just
    before its last, where they lie in the run.
    """
    first = hull.earliest if hull.bound_from is None else max(hull.earliest, hull.bound_from)
    if run.start <= first < run.end:
        return first
    return hull.latest - _SECOND if run.start + _SECOND < hull.latest <= run.end else run.start


def _joined(asked: Sequence[Asking]) -> tuple[Asking, ...]:
    """Return the ways in which rules may know a contact, each once, as wide as they come."""
    found: dict[object, Asking] = {}
    for each in asked:
        request = each.request
        key = (request.channel, request.stage, request.purpose, request.dpd)
        known = found.get(key, each)
        found[key] = Asking(known.request, min(known.start, each.start), max(known.end, each.end))
    return tuple(found.values())


def _sent(channel: str) -> Touch:
    """Return a contact that was sent, as caps count it."""
    return Touch("", datetime(2000, 1, 1, tzinfo=UTC), channel)


def _days(latest: datetime, zone: str, days: int) -> tuple[tuple[datetime, datetime], ...]:
    """Return the run of civil days that begins with the last day on which a contact can be."""
    on = zones.local_date(latest - _TICK, zone)
    start, end = (zones.instant(on + n * DAY, _MIDNIGHT, zone) for n in (0, days))
    return ((start, end),)


def _wide_days(
    latest: timedelta, begins: Sequence[timedelta], days: int, slack: timedelta
) -> list[tuple[timedelta, timedelta]]:
    """Return the runs of civil days that may begin with the last day of a contact, each as wide as clocks may make
    it.
    """
    found = []
    for begin in begins:
        first, last = ((latest - _TICK + by - begin) // DAY for by in (-slack, slack))
        for day in range(first, last + 1):
            start = begin + day * DAY
            found.append((start - slack, start + days * DAY + slack))
    return found


def _clock(step: Step) -> timedelta:
    assert step.send_at is not None, "a step at its anchor's instant has no hour"
    at = step.send_at
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _days_in(terms: CapTerms) -> int:
    """Return how many days the runs of a cap touch, at most."""
    if terms.per is Per.ROLLING:
        return -(-timedelta(seconds=terms.n) // DAY) + 1
    return 1 if terms.per is Per.CALENDAR_DAY else terms.n


def _length(terms: CapTerms) -> str:
    if terms.per is Per.ROLLING:
        length = timedelta(seconds=terms.n)
        return f"{length // DAY} days" if not length % DAY else f"{terms.n} seconds"
    return "one day" if terms.per is Per.CALENDAR_DAY else f"{terms.n} days"
