"""The agenda: which step of an obligation comes next, and when it must be looked at.

A planned step has a key: its name where it can occur only once in a cycle, and behind a "~" the anchor it counts from
where it can occur again. The keys are what a watch remembers as decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from betimes.core import zones
from betimes.core.ageing import Pause, Phase, Standing, standing
from betimes.core.arrears import counted_from, pauses_of
from betimes.core.book import Snapshot
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.obligation import Watch
from betimes.core.product import PLAIN, DpdOrigin, Profile
from betimes.core.treatment import (
    ANCHORED,
    ANYBODY,
    ON_TIME,
    Anchor,
    Conditions,
    Late,
    MessageClass,
    Step,
    Treatment,
)
from betimes.core.values import dataclass, replace

# The look of an open obligation whose treatment is complete: it stays on the agenda, so that the close of day finds it,
# but no sweep ever reaches it.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
# A closed day moves a step no further than this: no calendar closes so many days in a row.
MAX_CLOSED_DAYS = 30
_DAY = timedelta(days=1)
# What counts from these is decided once for a debt, however often its due date moves: they do not happen again for it.
OUTLASTING = frozenset(
    {Anchor.STATEMENT, Anchor.DEBIT_FAILED, Anchor.PROMISE_BROKEN, Anchor.HOLD_LIFTED}
)
# Before the key of a step that was spoken before the due date moved, and alone for when any was last. No step's name
# begins so: none follows up on what was said then.
EARLIER = ANCHORED
# The borrower's zone, whose hours a step keeps, and the one in which the obligation's dates are counted.
Places = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """A step of the treatment with the instant at which it comes due for one obligation.

    `key` tells it from other occurrences of the same step. `superseded_at` is the instant of the step behind it that
    will speak, None without one: two steps never speak at once. `true_until` is the end of the day that a reminder
    before or on it speaks of, None for any other step: "due today" is not said tomorrow, however late the step may be.
    `opens_at` is the first lawful instant where that lies behind `at`: waiting for the morning is not being late.
    `version` is the id of the treatment's version that it comes from. `told_at` is when the platform heard of the event
    that it counts from, None where it counts from something of its own.
    """

    step: Step
    at: datetime
    superseded_at: datetime | None
    key: str
    true_until: datetime | None = None
    opens_at: datetime | None = None
    version: str = ""
    told_at: datetime | None = None

    @property
    def deadline(self) -> datetime:
        """The instant from which on this step is missed: its catch-up or its day is over, or the next step speaks."""
        return min(self._lapses_at, self.superseded_at or self._lapses_at)

    @property
    def is_merged(self) -> bool:
        """Whether the step, once missed, is taken up by the one behind it: it could still have gone, but for that."""
        merges = self.step.late is Late.MERGE
        return self.superseded_at is not None and (merges or self.superseded_at < self._lapses_at)

    @property
    def _lapses_at(self) -> datetime:
        """When the step itself is over, whatever speaks behind it."""
        ends = self.at + self.step.catch_up
        merges = self.step.late is Late.MERGE and self.superseded_at is not None
        if merges or self.step.late is Late.MISS:
            ends = min(ends, (self.opens_at or self.at) + ON_TIME)
        return min(ends, self.true_until or ends)


class _Terms(NamedTuple):
    """All that the age of an unpaid debt follows from where no day is paused: its due date, the date that days past due
    are counted from, and how its product counts them.
    """

    due_on: date
    aged_from: date
    grace_days: int
    dpd_origin: DpdOrigin


@dataclass(frozen=True, slots=True)
class _Version:
    """A version of a treatment as a key of what is remembered: found by its id, and equal only to itself."""

    id: str
    treatment: Treatment = field(hash=False)

    @classmethod
    def of(cls, treatment: Treatment) -> _Version:
        """Return the key of a version."""
        return cls(treatment.id, treatment)


def plan(snapshot: Snapshot, treatment: Treatment) -> tuple[Planned, ...]:
    """Return the steps of `treatment` that apply to the obligation, in order of time; may be empty.

    A step whose instant lies before the obligation was issued is not due and does not appear. Each version of the
    treatment gives the steps that come due while it is effective; a step that falls between two of them, because the
    newer one has it earlier, comes from the older one. A step that will not speak appears, and gets its decision, but
    supersedes no other: it is meant for somebody else, or its words would not be true at its instant. Steps that closed
    days have moved onto the day of a later one leave that day to it: after a closed weekend there is one contact, the
    latest.
    """
    version, obligation, profile = _Version.of(treatment), snapshot.obligation, snapshot.profile
    outline = _outline(version)
    terms = _Terms(
        obligation.due_on, counted_from(obligation), profile.grace_days, profile.dpd_origin
    )
    zone = snapshot.borrower.zone
    places = (zone, snapshot.zone)
    paused = bool(profile.dpd_paused_by and snapshot.holds)
    if treatment.earlier is None and not paused and not outline.asks_amounts:
        meant = tuple([when is ANYBODY or is_meant(when, snapshot) for when in outline.conditions])
        happened = _happened(snapshot, outline, zone)
        return _undisturbed(version, terms, obligation.issued_at, places, meant, happened)
    found = list(_occurrences(snapshot, treatment, terms, places))
    pauses = pauses_of(snapshot.holds, snapshot.zone) if paused else ()
    age_at = _ages(profile, terms.aged_from, snapshot.zone, pauses)
    fits = {each.step.when: is_meant(each.step.when, snapshot) for each in found}

    def speaks(each: _Occurrence) -> bool:
        when = each.step.when
        return (
            fits[when]
            and (when.min_minor is None or snapshot.owed(each.at).minor >= when.min_minor)
            and (when.max_minor is None or snapshot.owed(each.at).minor <= when.max_minor)
            and (
                each.is_true
                if each.is_true is not None and not paused
                else _is_true(each, terms.due_on, snapshot.zone, age_at)
            )
        )

    return _superseding(found, speaks, zone)


# Remembered, as `_dated` is: the whole plan, where it depends on no amount, no paused day and no earlier version.
# `meant` says which of the treatment's conditions are met, and `happened` what its steps count from.
@lru_cache(maxsize=4096)
def _undisturbed(
    version: _Version,
    terms: _Terms,
    issued_at: datetime,
    places: Places,
    meant: tuple[bool, ...],
    happened: tuple[_Happened, ...],
) -> tuple[Planned, ...]:
    zone, own = places
    dated = _dated(version, terms, zones.local_date(issued_at, zone), places)
    found = (*dated, *_eventful(version.treatment, happened, places))
    fits = dict(zip(_outline(version).conditions, meant, strict=True))
    age_at = _unpaused_ages(terms, own)

    def speaks(each: _Occurrence) -> bool:
        if not fits[each.step.when]:
            return False
        known = each.is_true
        return _is_true(each, terms.due_on, own, age_at) if known is None else known

    return _superseding([each for each in found if each.at >= issued_at], speaks, zone)


def _unpaused_ages(terms: _Terms, zone: str) -> Callable[[datetime], Standing]:
    counts = replace(PLAIN, grace_days=terms.grace_days, dpd_origin=terms.dpd_origin)
    return _ages(counts, terms.aged_from, zone, ())


def _ages(
    profile: Profile, aged_from: date, zone: str, pauses: Sequence[Pause]
) -> Callable[[datetime], Standing]:
    """Return what says how old the debt is at an instant, as long as it is not paid: a plan waits for no money."""

    def age_at(at: datetime) -> Standing:
        unpaid = profile.tolerance_minor + 1
        return standing(aged_from, unpaid, zones.local_date(at, zone), profile, pauses)

    return age_at


def _is_true(
    each: _Occurrence, due_on: date, zone: str, age_at: Callable[[datetime], Standing]
) -> bool:
    """Return whether an occurrence may speak as far as its event and the age of the debt go, at its own instant."""
    step, at = each.step, each.at
    if each.told_at is not None and each.told_at >= at + step.catch_up:
        return False
    aged = step.when.min_dpd is not None or step.when.max_dpd is not None
    late = zones.local_date(at, zone) > due_on
    if not aged and not late and step.message_class is not MessageClass.OVERDUE:
        return True
    age = age_at(at)
    return _fits_age(step.when, age.dpd) and not is_untrue(step, late, age.phase)


def is_untrue(step: Step, late: bool, phase: Phase) -> bool:
    """Return whether a step would speak of arrears that a debt in this phase does not have; `late` says that the step
    comes due after the due date.

    A demand needs a debt that is treated as overdue. Other words about a date that is over need one that is late by its
    age, which a re-ageing may deny. What the law obliges a lender to say is for the law.
    """
    match step.message_class:
        case MessageClass.STATUTORY:
            return False
        case MessageClass.OVERDUE:
            return phase is not Phase.OVERDUE
        case _:
            return late and phase in (Phase.PRE_DUE, Phase.DUE_DAY)


def _fits_age(when: Conditions, dpd: int) -> bool:
    return (when.min_dpd is None or dpd >= when.min_dpd) and (
        when.max_dpd is None or dpd <= when.max_dpd
    )


class _Outline(NamedTuple):
    """What every plan by a version asks of its steps: their different conditions, those that count from an event, each
    with its position, and whether one is meant for some amounts only: what is owed is different on every day.
    """

    conditions: tuple[Conditions, ...]
    on_events: tuple[tuple[int, Step], ...]
    asks_amounts: bool


@lru_cache(maxsize=64)
def _outline(version: _Version) -> _Outline:
    steps = version.treatment.steps
    conditions = tuple(dict.fromkeys(step.when for step in steps))
    return _Outline(
        conditions,
        tuple(
            (position, step)
            for position, step in enumerate(steps)
            if step.anchor not in (Anchor.DUE, Anchor.STATEMENT)
        ),
        any(when.min_minor is not None or when.max_minor is not None for when in conditions),
    )


def _superseding(
    found: Sequence[_Occurrence], speaks: Callable[[_Occurrence], bool], zone: str
) -> tuple[Planned, ...]:
    """Return the occurrences in order of time, each superseded by the next one that speaks."""
    planned: list[Planned] = []
    following: datetime | None = None
    for each in sorted(found, reverse=True, key=_in_order):
        at, superseded_at = each.at, following
        if at != each.wished and following is not None and _meets(at, following, zone):
            at = superseded_at = min(at, following)
        planned.append(
            Planned(
                each.step,
                at,
                superseded_at,
                each.key,
                each.true_until,
                version=each.version,
                told_at=each.told_at,
            )
        )
        if speaks(each):
            following = at
    return tuple(reversed(planned))


class _Occurrence(NamedTuple):
    """A step at the instant it was wished for and, where a closed day has moved it, at another one.

    `is_true` is what `_is_true` says of it, where that is remembered and no day is paused.
    """

    wished: datetime
    position: int
    key: str
    step: Step
    at: datetime
    version: str
    true_until: datetime | None = None
    told_at: datetime | None = None
    is_true: bool | None = None


class _Happened(NamedTuple):
    """An event that a step counts from: the step's position, the key and the instant that it gives the step, when the
    platform heard of it, and the day that the step speaks of, None where it speaks of none.
    """

    position: int
    key: str
    at: datetime
    told_at: datetime | None
    day: date | None


def _in_order(each: _Occurrence) -> tuple[datetime, int]:
    return each.wished, each.position


def _meets(at: datetime, following: datetime, zone: str) -> bool:
    """Return whether a step that was moved to `at` comes to the day of the one behind it, or past it."""
    return at >= following or zones.local_date(at, zone) == zones.local_date(following, zone)


def _occurrences(
    snapshot: Snapshot, treatment: Treatment, terms: _Terms, places: Places
) -> Iterator[_Occurrence]:
    """Yield each occurrence of each step, from the version effective at its instant."""
    issued_at, zone = snapshot.obligation.issued_at, snapshot.borrower.zone
    issued_on = zones.local_date(issued_at, zone)
    one_version = treatment.earlier is None
    seen: set[str] = set()
    newer: set[str] = set()
    between: dict[str, _Occurrence] = {}
    for version in treatment.versions():
        keys = set()
        key = _Version.of(version)
        happened = _happened(snapshot, _outline(key), zone)
        dated = _dated(key, terms, issued_on, places)
        for each in chain(dated, _eventful(version, happened, places)):
            keys.add(each.key)
            if each.at < issued_at or each.key in seen:
                continue
            if one_version or _holds(treatment, version, each.at, zone):
                seen.add(each.key)
                yield each
            elif each.key in newer and _is_over(version, each.at, zone):
                between.setdefault(each.key, each)
        newer |= keys
    # The newer version has it before it was in force itself, and the older one after it was.
    yield from (each for key, each in between.items() if key not in seen)


def _happened(snapshot: Snapshot, outline: _Outline, zone: str) -> tuple[_Happened, ...]:
    """Return what has happened that steps count from."""
    watch = snapshot.obligation.watch
    if not outline.on_events or not (
        snapshot.flights or snapshot.holds or watch.spoken or watch.pay_by
    ):
        return ()
    return tuple(
        _Happened(
            position, key, at, told_at, watch.pay_by if step.anchor is Anchor.DEADLINE else None
        )
        for position, step in outline.on_events
        for key, at, told_at in _instants(snapshot, step, zone)
    )


def _eventful(
    treatment: Treatment, happened: Iterable[_Happened], places: Places
) -> Iterator[_Occurrence]:
    """Yield each occurrence of what counts from an event that has happened."""
    for position, key, at, told_at, day in happened:
        step = treatment.steps[position]
        each = _Occurrence(at, position, key, step, at, treatment.id, None, told_at)
        yield _opened(treatment, each, day, places)


# Remembered: a bill day gives the same steps to very many obligations, and each is asked for them many times.
@lru_cache(maxsize=4096)
def _dated(
    version: _Version, terms: _Terms, issued_on: date, places: Places
) -> tuple[_Occurrence, ...]:
    """Return each occurrence of what counts from the due date or the statement date."""
    treatment, (zone, own) = version.treatment, places
    age_at = _unpaused_ages(terms, own)
    found = []
    for position, step in enumerate(treatment.steps):
        if step.anchor in (Anchor.DUE, Anchor.STATEMENT):
            of_due = step.anchor is Anchor.DUE
            at = step.instant(terms.due_on if of_due else issued_on, zone)
            each = _Occurrence(at, position, step.name, step, at, version.id)
            each = _opened(treatment, each, terms.due_on if of_due else None, places)
            found.append(each._replace(is_true=_is_true(each, terms.due_on, own, age_at)))
    return tuple(found)


def _opened(
    treatment: Treatment, each: _Occurrence, day: date | None, places: Places
) -> _Occurrence:
    """Return the occurrence on a day on which the treatment allows contact.

    A reminder of `day`, before it or on it, ends with that day, be it the borrower's or the contract's that ends first;
    where every open day comes too late for it, it stays where it is, and the closed day is why it is missed. What
    speaks of the day as over waits until it is over where it counts.
    """
    zone, own = places
    if day is None:
        return each._replace(at=_on_open_day(treatment, each.at, zone))
    over_at = zones.instant(day + _DAY, time.min, own)
    if each.step.offset_days > 0:
        wished = max(each.wished, over_at)
        return each._replace(wished=wished, at=_on_open_day(treatment, wished, zone))
    ends_at = zones.instant(day + _DAY, time.min, zone)
    if ends_at <= each.at:
        # A day that the borrower's zone has left out.
        return each
    ends_at = max(each.at, min(ends_at, over_at))
    at = _on_open_day(treatment, each.at, zone)
    return each._replace(at=at if at < ends_at else each.at, true_until=ends_at)


def _holds(treatment: Treatment, version: Treatment, at: datetime, zone: str) -> bool:
    return treatment.at(zones.local_date(at, zone)) is version


def _is_over(version: Treatment, at: datetime, zone: str) -> bool:
    """Return whether a version, of which there is a newer one, is in force no more at an instant."""
    return zones.local_date(at, zone) >= version.effective_from


def _on_open_day(treatment: Treatment, at: datetime, zone: str) -> datetime:
    """Return the same time of day on the first day, not before that of `at`, on which contact is allowed."""
    if not treatment.closed:
        return at
    on = zones.local_date(at, zone)
    open_on = _open_from(treatment, on)
    return at if open_on == on else zones.instant(open_on, zones.local_time(at, zone), zone)


def next_open_day(treatment: Treatment, on: date, zone: str) -> datetime:
    """Return the first instant of the first day after `on` on which the treatment allows contact (UTC)."""
    return zones.instant(_open_from(treatment, on + _DAY), time.min, zone)


def _open_from(treatment: Treatment, on: date) -> date:
    for _ in range(MAX_CLOSED_DAYS):
        if treatment.is_open(on):
            return on
        on += _DAY
    raise AssertionError(f"a calendar that closes {MAX_CLOSED_DAYS} days in a row")


# An event that a step counts from: when it happened, and when the platform heard of it.
_Event = tuple[datetime, datetime | None]


# And what it makes of a step: the key, the instant, and when the event was told.
_Instant = tuple[str, datetime, datetime | None]


def _instants(snapshot: Snapshot, step: Step, zone: str) -> list[_Instant]:
    """Return each occurrence of a step that counts from an event."""
    watch = snapshot.obligation.watch
    match step.anchor:
        case Anchor.DUE | Anchor.STATEMENT:
            raise AssertionError(
                "what counts from a date of the obligation is remembered: see _dated"
            )
        case Anchor.DEADLINE:
            pay_by = watch.pay_by
            return [] if pay_by is None else [(step.name, step.instant(pay_by, zone), None)]
        case Anchor.CONTACT:
            last = dict(watch.spoken).get(step.after)
            return [] if last is None else [(step.name, _counted(step, last, zone), None)]
        case Anchor.DEBIT_FAILED:
            failed = [(at, told_at) for at, _, _, told_at in _failures(snapshot)]
            return _each_day(step, failed, zone)
        case Anchor.PROMISE_BROKEN:
            return _each_day(step, _broken_promises(snapshot), zone)
        case Anchor.HOLD_LIFTED:
            return _each_day(step, _lifted_holds(snapshot), zone)


def _each_day(step: Step, events: Sequence[_Event], zone: str) -> list[_Instant]:
    """Return one occurrence a civil day of the borrower, that of its first event.

    Its key has the event's date in UTC, which stays as it is wherever the borrower turns out to live.
    """
    if not events:
        return []
    found: list[_Instant] = []
    days: set[date] = set()
    keys: set[str] = set()
    for at, told_at in events:
        on, key = zones.local_date(at, zone), f"{step.name}{ANCHORED}{at.date()}"
        if on not in days and key not in keys:
            days.add(on)
            keys.add(key)
            found.append((key, _counted(step, at, zone), told_at))
    return found


def _counted(step: Step, anchor: datetime, zone: str) -> datetime:
    """Return the instant of a step that counts from an instant: never before it."""
    if step.send_at is None:
        return anchor + step.offset_days * _DAY
    return max(anchor, step.instant(zones.local_date(anchor, zone), zone))


def _last_failure(snapshot: Snapshot) -> str:
    """Return the provider's word for the last debit that failed, "" if none did."""
    failures = _failures(snapshot)
    return failures[-1][2] if failures else ""


def _failures(snapshot: Snapshot) -> list[tuple[datetime, str, str, datetime]]:
    """Return when debits failed, their ids, the provider's words and when that was told, in order of time."""
    return sorted(
        (flight.ended_at, flight.id, flight.reason, flight.told_at or flight.ended_at)
        for flight in snapshot.flights
        if flight.means is Means.DEBIT
        and flight.state is FlightState.FAILED
        and flight.ended_at is not None
        and _was_about(snapshot, flight.obligation_id, flight.ended_at)
    )


def _was_about(snapshot: Snapshot, obligation_id: str, at: datetime) -> bool:
    """Return whether what happened at an instant was about this debt: it named it, or the debt was due by then.

    A debit or a promise for all that is owed says nothing of what falls due later.
    """
    return bool(obligation_id) or zones.local_date(at, snapshot.zone) >= snapshot.obligation.due_on


def _broken_promises(snapshot: Snapshot) -> list[_Event]:
    """Return when promises came to their end unkept; one that was lifted before was withdrawn, not broken."""
    return sorted(
        (hold.ends_at, hold.told_at)
        for hold in snapshot.holds
        if hold.kind is Kind.PROMISE
        and hold.ends_at is not None
        and hold.over_at == hold.ends_at
        and _was_about(snapshot, hold.obligation_id, hold.ends_at)
        and not hold.is_kept(_received(snapshot, hold))
    )


def _received(snapshot: Snapshot, hold: Hold) -> int:
    """Return what everything that a hold concerns has received, in minor units."""
    obligation = snapshot.obligation
    others = sum(
        other.paid_minor
        for other in snapshot.owing.values()
        if other.id != obligation.id and hold.concerns(other.account_id, other.id)
    )
    return obligation.paid_minor + others


def _lifted_holds(snapshot: Snapshot) -> list[_Event]:
    return sorted(
        (hold.over_at, hold.told_at)
        for hold in snapshot.holds
        if hold.over_at is not None
        and hold.kind not in (Kind.PROMISE, Kind.OPT_OUT)
        and hold.over_at > hold.starts_at
    )


def is_meant(when: Conditions, snapshot: Snapshot) -> bool:
    """Return whether what is known of the borrower and the account fits the conditions; amounts and days apart."""
    if when is ANYBODY:
        return True
    borrower, account = snapshot.borrower, snapshot.account
    product = account.product if account is not None else ""
    return (
        (when.mandate is None or when.mandate is snapshot.has_mandate)
        and when.currency in ("", snapshot.obligation.amount.currency)
        and (not when.products or product in when.products)
        and (not when.tags or all(tag in borrower.tags for tag in when.tags))
        and (not when.without_tags or not any(tag in borrower.tags for tag in when.without_tags))
        and (not when.score_bands or borrower.score_band in when.score_bands)
        and (not when.debit_reasons or _last_failure(snapshot) in when.debit_reasons)
    )


def is_meant_now(when: Conditions, snapshot: Snapshot, at: datetime, dpd: int) -> bool:
    """Return whether the conditions are met at an instant, by what is owed then and `dpd` days past due."""
    if when is ANYBODY:
        return True
    bounded = when.min_minor is not None or when.max_minor is not None
    owed = snapshot.owed(at).minor if bounded else 0
    return (
        is_meant(when, snapshot)
        and (when.min_minor is None or owed >= when.min_minor)
        and (when.max_minor is None or owed <= when.max_minor)
        and _fits_age(when, dpd)
    )


def renewed(watch: Watch, treatment: Treatment) -> Watch:
    """Return the watch as a new due date leaves it. What counts from that date is decided anew; what was said already
    and counts from the statement or from an event is not. When that was, and when anything was last said, is kept.
    """
    spoken = dict(watch.spoken)
    said = {key: spoken.get(key) or spoken.get(EARLIER + key) for key in watch.decided}
    # An event's key tells so itself, also where no version has its step any more.
    kept = {
        key: at
        for key, at in said.items()
        if at is not None
        and (ANCHORED in key or (treatment.has(key) and treatment.step(key).anchor in OUTLASTING))
    }
    last = ((EARLIER, max(spoken.values())),) if spoken else ()
    return replace(
        watch,
        decided=tuple(kept),
        spoken=(*((EARLIER + key, at) for key, at in kept.items()), *last),
        pay_by=None,
        tried=(),
    )


def next_step(snapshot: Snapshot, treatment: Treatment) -> Planned | None:
    """Return the first step that has no decision yet, None when the treatment is complete."""
    decided = snapshot.obligation.watch.decided
    for each in plan(snapshot, treatment):
        if each.key not in decided:
            return each
    return None


def planned(snapshot: Snapshot, treatment: Treatment, key: str) -> Planned | None:
    """Return the step with this key as it applies to the obligation, None where it does not."""
    return next((p for p in plan(snapshot, treatment) if p.key == key), None)


def is_unexplained(snapshot: Snapshot, treatment: Treatment) -> bool:
    """Return whether a step came due while the obligation was open and known to us, and has no decision yet.

    False for an open obligation: its steps are decided as they come.
    """
    settled_at = snapshot.obligation.settled_at
    coming = next_step(snapshot, treatment)
    if settled_at is None or coming is None:
        return False
    return max(coming.at, snapshot.obligation.known_at) < settled_at


def look_at(snapshot: Snapshot, treatment: Treatment, now: datetime) -> datetime | None:
    """Return when the obligation must next be looked at: `NEVER` when no step is left, None once it is settled.

    A step that came due before the money did still gets its decision, so a settled obligation is looked at once more.
    An unfinished contact keeps its review; on a settled obligation that review is brought forward to `now`, so that
    what is in flight is settled too. What is to be asked about a contact that was sent brings a look forward.
    """
    found, ask_at = _look_at(snapshot, treatment, now), snapshot.obligation.watch.ask_at
    return found if ask_at is None else min(ask_at, found or ask_at)


def _look_at(snapshot: Snapshot, treatment: Treatment, now: datetime) -> datetime | None:
    watch = snapshot.obligation.watch
    if watch.contact_id:
        return watch.look_at if snapshot.obligation.is_open else now
    if not snapshot.obligation.is_open:
        return snapshot.obligation.settled_at if is_unexplained(snapshot, treatment) else None
    coming = next_step(snapshot, treatment)
    return NEVER if coming is None else coming.at
