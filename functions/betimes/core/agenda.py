"""The agenda: which step of an obligation comes next, and when it must be looked at.

A planned step has a key: its name where it can occur only once in a cycle, and behind a "~" the anchor it counts from
where it can occur again. The keys are what a watch remembers as decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from betimes.core import zones
from betimes.core.book import Snapshot
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.treatment import (
    ANCHORED,
    ANYBODY,
    ON_TIME,
    Anchor,
    Conditions,
    Late,
    Step,
    Treatment,
)

# The look of an open obligation whose treatment is complete: it stays on the agenda, so that the close of day finds it,
# but no sweep ever reaches it.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
# A closed day moves a step no further than this: no calendar closes so many days in a row.
MAX_CLOSED_DAYS = 30
_DAY = timedelta(days=1)
# The borrower's zone, whose hours a step keeps, and the one in which the obligation's dates are counted.
Places = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """A step of the treatment with the instant at which it comes due for one obligation.

    `key` tells it from other occurrences of the same step. `superseded_at` is the instant of the step behind it, None
    for the last one: two steps never speak at once. `true_until` is the end of the day that a reminder before or on it
    speaks of, None for any other step: "due today" is not said tomorrow, however late the step may be. `opens_at` is
    the first lawful instant where that lies behind `at`: waiting for the morning is not being late.
    """

    step: Step
    at: datetime
    superseded_at: datetime | None
    key: str
    true_until: datetime | None = None
    opens_at: datetime | None = None

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
    treatment gives the steps that come due while it is effective. A step that is not meant for this borrower appears,
    and gets its decision, but supersedes no other. Steps that closed days have moved onto the day of a later one leave
    that day to it: after a closed weekend there is one contact, the latest.
    """
    version, zone = _Version.of(treatment), snapshot.borrower.zone
    if treatment.earlier is None and next(_events(snapshot, version, zone), None) is None:
        obligation = snapshot.obligation
        meant = tuple(
            [when is ANYBODY or is_meant(when, snapshot) for when in _conditions(version)]
        )
        places = (zone, snapshot.zone)
        return _undisturbed(version, obligation.due_on, obligation.issued_at, places, meant)
    found = list(_occurrences(snapshot, treatment))
    fits = {each.step.when: is_meant(each.step.when, snapshot) for each in found}
    return _superseding(found, fits, zone)


# Remembered, as `_dated` is: the whole plan, where nothing has happened that a step could count from. `meant` says
# which of the treatment's conditions are met.
@lru_cache(maxsize=4096)
def _undisturbed(
    version: _Version, due_on: date, issued_at: datetime, places: Places, meant: tuple[bool, ...]
) -> tuple[Planned, ...]:
    zone, _ = places
    dated = _dated(version, due_on, zones.local_date(issued_at, zone), places)
    fits = dict(zip(_conditions(version), meant, strict=True))
    return _superseding([each for each in dated if each.at >= issued_at], fits, zone)


@lru_cache(maxsize=64)
def _conditions(version: _Version) -> tuple[Conditions, ...]:
    """Return the different conditions of a version's steps."""
    return tuple(dict.fromkeys(step.when for step in version.treatment.steps))


@lru_cache(maxsize=64)
def _eventful(version: _Version) -> tuple[tuple[int, Step], ...]:
    """Return the steps of a version that count from an event, each with its position."""
    return tuple(
        (position, step)
        for position, step in enumerate(version.treatment.steps)
        if step.anchor not in (Anchor.DUE, Anchor.STATEMENT)
    )


def _superseding(
    found: Sequence[_Occurrence], fits: Mapping[Conditions, bool], zone: str
) -> tuple[Planned, ...]:
    """Return the occurrences in order of time, each superseded by the next one whose conditions are met (`fits`)."""
    planned: list[Planned] = []
    following: datetime | None = None
    for each in sorted(found, reverse=True, key=_in_order):
        at, superseded_at = each.at, following
        if at != each.wished and following is not None and _meets(at, following, zone):
            at = superseded_at = min(at, following)
        planned.append(Planned(each.step, at, superseded_at, each.key, each.true_until))
        if fits[each.step.when]:
            following = at
    return tuple(reversed(planned))


class _Occurrence(NamedTuple):
    """A step at the instant it was wished for and, where a closed day has moved it, at another one."""

    wished: datetime
    position: int
    key: str
    step: Step
    at: datetime
    true_until: datetime | None


def _in_order(each: _Occurrence) -> tuple[datetime, int]:
    return each.wished, each.position


def _meets(at: datetime, following: datetime, zone: str) -> bool:
    """Return whether a step that was moved to `at` comes to the day of the one behind it, or past it."""
    return at >= following or zones.local_date(at, zone) == zones.local_date(following, zone)


def _occurrences(snapshot: Snapshot, treatment: Treatment) -> Iterator[_Occurrence]:
    """Yield each occurrence of each step, from the version effective at its instant."""
    issued_at, zone = snapshot.obligation.issued_at, snapshot.borrower.zone
    one_version = treatment.earlier is None
    seen: set[str] = set()
    for version in treatment.versions():
        for each in _of_version(snapshot, version, zone):
            if each.at < issued_at or each.key in seen:
                continue
            if one_version or _holds(treatment, version, each.at, zone):
                seen.add(each.key)
                yield each


def _of_version(snapshot: Snapshot, treatment: Treatment, zone: str) -> Iterator[_Occurrence]:
    obligation, version = snapshot.obligation, _Version.of(treatment)
    issued_on = zones.local_date(obligation.issued_at, zone)
    yield from _dated(version, obligation.due_on, issued_on, (zone, snapshot.zone))
    yield from _events(snapshot, version, zone)


def _events(snapshot: Snapshot, version: _Version, zone: str) -> Iterator[_Occurrence]:
    """Yield each occurrence of what counts from an event that has happened."""
    for position, step in _eventful(version):
        day = snapshot.obligation.watch.pay_by if step.anchor is Anchor.DEADLINE else None
        for key, at in _instants(snapshot, step, zone):
            each = _Occurrence(at, position, key, step, at, None)
            yield _opened(version.treatment, each, day, (zone, snapshot.zone))


# Remembered: a bill day gives the same steps to very many obligations, and each is asked for them many times.
@lru_cache(maxsize=4096)
def _dated(
    version: _Version, due_on: date, issued_on: date, places: Places
) -> tuple[_Occurrence, ...]:
    """Return each occurrence of what counts from the due date or the statement date."""
    treatment, (zone, _) = version.treatment, places
    found = []
    for position, step in enumerate(treatment.steps):
        if step.anchor in (Anchor.DUE, Anchor.STATEMENT):
            of_due = step.anchor is Anchor.DUE
            at = step.instant(due_on if of_due else issued_on, zone)
            each = _Occurrence(at, position, step.name, step, at, None)
            found.append(_opened(treatment, each, due_on if of_due else None, places))
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


def _instants(snapshot: Snapshot, step: Step, zone: str) -> Iterator[tuple[str, datetime]]:
    """Yield the key and the instant of each occurrence of a step that counts from an event."""
    obligation = snapshot.obligation
    match step.anchor:
        case Anchor.DUE | Anchor.STATEMENT:
            raise AssertionError(
                "what counts from a date of the obligation is remembered: see _dated"
            )
        case Anchor.DEADLINE:
            if obligation.watch.pay_by is not None:
                yield step.name, step.instant(obligation.watch.pay_by, zone)
        case Anchor.CONTACT:
            spoken = dict(obligation.watch.spoken)
            if step.after in spoken:
                yield step.name, _counted(step, spoken[step.after], zone)
        case Anchor.DEBIT_FAILED:
            yield from _each_day(step, _failed_debits(snapshot), zone)
        case Anchor.PROMISE_BROKEN:
            yield from _each_day(step, _broken_promises(snapshot), zone)
        case Anchor.HOLD_LIFTED:
            lifted = sorted(
                hold.over_at
                for hold in snapshot.holds
                if hold.over_at is not None
                and hold.kind not in (Kind.PROMISE, Kind.OPT_OUT)
                and hold.over_at > hold.starts_at
            )
            yield from _each_day(step, lifted, zone)


def _each_day(step: Step, anchors: list[datetime], zone: str) -> Iterator[tuple[str, datetime]]:
    """Yield one occurrence a civil day, that of its first anchor."""
    days: set[date] = set()
    for anchor in anchors:
        on = zones.local_date(anchor, zone)
        if on not in days:
            days.add(on)
            yield f"{step.name}{ANCHORED}{on}", _counted(step, anchor, zone)


def _counted(step: Step, anchor: datetime, zone: str) -> datetime:
    """Return the instant of a step that counts from an instant: never before it."""
    if step.send_at is None:
        return anchor + step.offset_days * _DAY
    return max(anchor, step.instant(zones.local_date(anchor, zone), zone))


def _failed_debits(snapshot: Snapshot) -> list[datetime]:
    return [at for at, _, _ in _failures(snapshot)]


def _last_failure(snapshot: Snapshot) -> str:
    """Return the provider's word for the last debit that failed, "" if none did."""
    failures = _failures(snapshot)
    return failures[-1][2] if failures else ""


def _failures(snapshot: Snapshot) -> list[tuple[datetime, str, str]]:
    """Return when debits failed, with their ids and the provider's words, in order of time."""
    return sorted(
        (flight.ended_at, flight.id, flight.reason)
        for flight in snapshot.flights
        if flight.means is Means.DEBIT
        and flight.state is FlightState.FAILED
        and flight.ended_at is not None
    )


def _broken_promises(snapshot: Snapshot) -> list[datetime]:
    """Return when promises came to their end unkept; one that was lifted before was withdrawn, not broken."""
    return sorted(
        hold.ends_at
        for hold in snapshot.holds
        if hold.kind is Kind.PROMISE
        and hold.ends_at is not None
        and hold.over_at == hold.ends_at
        and not hold.is_kept(snapshot.obligation.paid_minor)
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
        and all(tag in borrower.tags for tag in when.tags)
        and not any(tag in borrower.tags for tag in when.without_tags)
        and (not when.score_bands or borrower.score_band in when.score_bands)
        and (not when.debit_reasons or _last_failure(snapshot) in when.debit_reasons)
    )


def next_step(snapshot: Snapshot, treatment: Treatment) -> Planned | None:
    """Return the first step that has no decision yet, None when the treatment is complete."""
    decided = snapshot.obligation.watch.decided
    return next((p for p in plan(snapshot, treatment) if p.key not in decided), None)


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
    what is in flight is settled too.
    """
    watch = snapshot.obligation.watch
    if watch.contact_id:
        return watch.look_at if snapshot.obligation.is_open else now
    if not snapshot.obligation.is_open:
        return snapshot.obligation.settled_at if is_unexplained(snapshot, treatment) else None
    coming = next_step(snapshot, treatment)
    return NEVER if coming is None else coming.at
