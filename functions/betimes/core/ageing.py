"""Ageing: days past due, their bucket and the phase of a debt, on any day, from dated facts.

Days past due (DPD) are civil dates counted, never blocks of 24 hours: the due date of the oldest unpaid debt is 0 and
the day after it 1. A product that counts from the end of the due day itself (RBI) has 1 on the due date. Grace and
tolerance never move this count, else it could not be compared between products: grace changes the phase, tolerance
decides whether anything counts as unpaid at all. What is measured is the minimum payment where one exists.

A date `as_of` means the close of that day: what was paid on it has been paid. Nothing of ageing is stored and then
patched. A history is computed anew from the facts, so that a repayment with a value date in the past, a pause told
late or a reversal changes every day it concerns. Three things follow and are tested:

    without a payment, a credit, a re-ageing or a reversal DPD never falls, and rises by at most 1 a day;
    no bucket is skipped, because a bucket set has no gap;
    a part payment changes neither DPD nor bucket: only what takes a debt to within the tolerance does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from betimes.core.dates import add_months
from betimes.core.errors import Rejected
from betimes.core.product import DpdOrigin, Profile
from betimes.core.values import dataclass

_DAY = timedelta(days=1)


# Bucket sets


@dataclass(frozen=True, slots=True)
class Bucket:
    """A named range of DPD; `first` and `last` both belong to it, and `last` is None where it has no end."""

    name: str
    first: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Buckets:
    """A bucket set, in order of DPD: from 0 on, without gap or overlap, the last one without end.

    `origin` is the way of counting days that the set is defined for, None where it is defined for any.
    """

    name: str
    ranges: tuple[Bucket, ...]
    source: str = ""
    origin: DpdOrigin | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the buckets, from current to worst."""
        return tuple(each.name for each in self.ranges)

    def of(self, dpd: int) -> str:
        """Return the name of the bucket of `dpd`, which is never negative; the edges belong to their bucket."""
        assert dpd >= 0, "days past due are never negative"
        return next(each.name for each in self.ranges if each.last is None or dpd <= each.last)

    def rank(self, name: str) -> int:
        """Return the place of a bucket of this set, 0 for current, rising as debts get older."""
        return self.names.index(name)


def parse_buckets(document: Mapping[str, Any], source: str) -> dict[str, Buckets]:
    """Return the bucket sets in a parsed TOML document by name; `source` names the file in errors.

    A set has `source` (a text), perhaps `origin`, and `edges`: by bucket name, in rising order, `[first, last]`, and
    `[first]` for the last one.

    Raises:
        Rejected: code "bad_buckets"; the message names file, key and reason: an unknown or missing key, a wrong form,
            a gap, an overlap, a set that does not begin at 0, or one that ends.
    """
    if not document:
        raise _bad(source, "", "holds no bucket set; write at least one")
    return {name: _parse_set(name, table, source) for name, table in document.items()}


def _parse_set(name: str, table: object, source: str) -> Buckets:
    if not isinstance(table, dict):
        raise _bad(source, name, "is no table with source and edges")
    for key in sorted(set(table) - {"source", "origin", "edges"}):
        raise _bad(
            source, f"{name}.{key}", "is unknown; a set has source, edges and perhaps origin"
        )
    for key in ("source", "edges"):
        if key not in table:
            raise _bad(source, f"{name}.{key}", "is missing")
    if not isinstance(table["source"], str) or not table["source"]:
        raise _bad(source, f"{name}.source", "is no text; say where the edges come from")
    origin = table.get("origin")
    if origin is not None and origin not in list(DpdOrigin):
        raise _bad(source, f"{name}.origin", f"is none of {', '.join(DpdOrigin)}")
    return Buckets(
        name=name,
        ranges=_parse_edges(name, table["edges"], source),
        source=table["source"],
        origin=None if origin is None else DpdOrigin(origin),
    )


def _parse_edges(name: str, edges: object, source: str) -> tuple[Bucket, ...]:
    if not isinstance(edges, dict) or not edges:
        raise _bad(source, f"{name}.edges", "is no table of buckets, or an empty one")
    found: list[Bucket] = []
    expected = 0
    for bucket_name, edge in edges.items():
        key = f"{name}.edges.{bucket_name}"
        if not bucket_name:
            raise _bad(source, key, "has no name")
        if not isinstance(edge, list) or not all(type(day) is int for day in edge):
            raise _bad(source, key, "is no list of whole days such as [1, 30]")
        if len(edge) not in (1, 2):
            raise _bad(source, key, "is neither [first, last] nor [first]")
        if found and found[-1].last is None:
            raise _bad(source, key, f"comes after {found[-1].name!r}, which has no end")
        if edge[0] != expected:
            fault = "overlaps the bucket before it" if edge[0] < expected else "leaves a gap"
            raise _bad(source, key, f"{fault}: it must begin at {expected}, not at {edge[0]}")
        if edge[-1] < edge[0]:
            raise _bad(source, key, f"ends at {edge[-1]}, before it begins at {edge[0]}")
        found.append(Bucket(bucket_name, edge[0], edge[1] if len(edge) == 2 else None))
        expected = edge[-1] + 1
    if found[-1].last is not None:
        raise _bad(
            source,
            f"{name}.edges.{found[-1].name}",
            f"is the last bucket and must have no end; write [{found[-1].first}]",
        )
    return tuple(found)


def _bad(source: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_buckets", key, f"{source}: {key!r} {problem}")


def chosen(sets: Mapping[str, Buckets], profile: Profile) -> Buckets:
    """Return the bucket set that a product names.

    Raises:
        Rejected: code "unknown_buckets", where there is no such set, or where the set is defined for another way of
            counting days than the product's: every account would be reported a day off.
    """
    found, place = sets.get(profile.buckets), f"products/{profile.name}.toml"
    if found is None:
        raise Rejected(
            "unknown_buckets",
            "buckets",
            f"{place}: 'buckets' names {profile.buckets!r}; there are: {', '.join(sorted(sets))}",
        )
    if found.origin not in (None, profile.dpd_origin):
        raise Rejected(
            "unknown_buckets",
            "dpd_origin",
            f"{place}: bucket set {found.name!r} is defined for dpd_origin {found.origin}, not for "
            f"{profile.dpd_origin}; change one of the two",
        )
    return found


# One debt on one day


class Phase(StrEnum):
    """Where a debt stands. `SETTLED`: nothing is unpaid that could be late, be it paid in full, short by no more than
    the tolerance, or a bill whose minimum is met (what revolves is the obligation's own figure). `GRACE`: past the due
    date and not treated as overdue, within the grace period or because every day since was paused.
    """

    SETTLED = "settled"
    PRE_DUE = "pre_due"
    DUE_DAY = "due_day"
    GRACE = "grace"
    OVERDUE = "overdue"


_SEVERITY = {phase: rank for rank, phase in enumerate(Phase)}


@dataclass(frozen=True, slots=True)
class Standing:
    """Phase and DPD of a debt at the close of a day. DPD is above 0 in grace too."""

    phase: Phase
    dpd: int

    @property
    def overdue(self) -> bool:
        """Whether the debt is treated as overdue: not before the grace period has ended."""
        return self.phase is Phase.OVERDUE


@dataclass(frozen=True, slots=True)
class Pause:
    """Civil dates that count for nothing where the product says so of its `kind` (a kind of hold).

    Half-open: `resumes_on` is the first day that counts again, None while the pause runs. Pauses may touch, overlap and
    enclose each other; a day is left out once.
    """

    starts_on: date
    resumes_on: date | None = None
    kind: str = ""


def standing(
    due_on: date, unpaid_minor: int, as_of: date, profile: Profile, pauses: Iterable[Pause] = ()
) -> Standing:
    """Return where a debt stands at the close of `as_of`, a civil date in the product's zone.

    `unpaid_minor` is what is missing from what keeps the debt from being late: of the minimum payment where one
    exists, else of the amount. Up to and including the tolerance it counts as paid. Never raises.

    The phase follows the date: on the due date it is DUE_DAY also where the product counts from the end of that day
    and DPD is 1 already, because the borrower has until midnight.

    Source: CN.CARD.GRACE for grace (three days) and tolerance (ten yuan, inclusive).
    """
    if unpaid_minor <= profile.tolerance_minor:
        return Standing(Phase.SETTLED, 0)
    counting = _counting(pauses, profile)
    return Standing(
        _phase(due_on, as_of, profile, counting),
        _days(_first_day(due_on, profile), as_of, counting),
    )


def _phase(due_on: date, as_of: date, profile: Profile, counting: Sequence[Pause]) -> Phase:
    if as_of < due_on:
        return Phase.PRE_DUE
    if as_of == due_on:
        return Phase.DUE_DAY
    late = _days(due_on + _DAY, as_of, counting)
    return Phase.GRACE if late <= profile.grace_days else Phase.OVERDUE


def dpd_of(due_on: date, as_of: date, profile: Profile, pauses: Iterable[Pause] = ()) -> int:
    """Return the DPD of an unpaid debt at the close of `as_of`, never negative.

    Counted by the product's origin: 0 on the due date and 1 the day after, or 1 on the due date itself. Days of a
    pause that the product names are left out. Never raises.
    """
    return _days(_first_day(due_on, profile), as_of, _counting(pauses, profile))


def reached_on(
    due_on: date, dpd: int, profile: Profile, pauses: Iterable[Pause] = ()
) -> date | None:
    """Return the first day on which an unpaid debt has `dpd` days past due (1 or more), None if a pause without an end
    keeps it from getting there.
    """
    assert dpd > 0, "every debt has 0 from the start"
    counting = _counting(pauses, profile)
    first = _first_day(due_on, profile)
    reached = first + (dpd - 1) * _DAY
    # Each round adds the paused days met so far; it ends where no further one is met.
    while True:
        if any(each.resumes_on is None and each.starts_on <= reached for each in counting):
            return None
        later = first + (dpd - 1 + _paused(first, reached, counting)) * _DAY
        if later == reached:
            return reached
        reached = later


def entry_days(
    due_on: date, buckets: Buckets, profile: Profile, pauses: Iterable[Pause] = ()
) -> dict[str, date]:
    """Return the day on which an unpaid debt enters each bucket above the first; one that is never reached is absent.

    Source: for the set `sma`, the RBI clarification of 2021-11-12 (due 31 March: SMA-0 on that day, SMA-1 30 April).
    """
    held = tuple(pauses)
    days = {
        each.name: reached_on(due_on, each.first, profile, held)
        for each in buckets.ranges
        if each.first > 0
    }
    return {name: on for name, on in days.items() if on is not None}


def _first_day(due_on: date, profile: Profile) -> date:
    return due_on if profile.dpd_origin is DpdOrigin.DUE_DAY_END else due_on + _DAY


def _counting(pauses: Iterable[Pause], profile: Profile) -> tuple[Pause, ...]:
    """Return the pauses that stop the count of this product."""
    if not profile.dpd_paused_by:
        return ()
    return tuple(each for each in pauses if each.kind in profile.dpd_paused_by)


def _days(first: date, last: date, counting: Sequence[Pause]) -> int:
    """Return the number of days from `first` to `last`, both counted, that no pause covers."""
    return max(0, (last - first).days + 1) - _paused(first, last, counting)


def _paused(first: date, last: date, counting: Sequence[Pause]) -> int:
    """Return how many days from `first` to `last` are covered by a pause: of their union, so that no day counts twice
    however they lie to each other.
    """
    if not counting:
        return 0
    end = last + _DAY
    spans = sorted(
        (max(first, each.starts_on), min(end, each.resumes_on or end)) for each in counting
    )
    days, reached = 0, first
    for starts_on, resumes_on in spans:
        days += max(0, (resumes_on - max(starts_on, reached)).days)
        reached = max(reached, resumes_on)
    return days


# An account, day by day


@dataclass(frozen=True, slots=True)
class Entry:
    """Money on one obligation at its value date: above 0 what was paid or credited, below 0 what was reversed."""

    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class ReAge:
    """An agreement made on `on`: from that day the obligation is aged as if it had been due on `aged_from`.

    Days before `on` keep their age, and an obligation never gets older by it.
    """

    on: date
    aged_from: date


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one obligation, as ageing needs it: all that ever happened to it.

    `issued_on` is the first day on which it is owed; `minimum_minor` is 0 where the product has no minimum payment.
    Amount and entries are those of the bill itself: late interest on it has no due date of its own and ages nothing.
    `entries` need no order: those of one day are netted. Of two agreements of one day the later in `reaged` holds.
    `pauses` are those of this obligation alone; those of the account stand in `Facts`.
    """

    issued_on: date
    due_on: date
    amount_minor: int
    minimum_minor: int = 0
    entries: tuple[Entry, ...] = ()
    reaged: tuple[ReAge, ...] = ()
    pauses: tuple[Pause, ...] = ()

    def unpaid_minor(self, as_of: date) -> int:
        """Return what is missing at the close of `as_of` from what keeps the debt from being late: of the minimum
        where there is one, else of the amount. 0 before it is issued, never negative.
        """
        if as_of < self.issued_on:
            return 0
        needed = min(self.minimum_minor, self.amount_minor) or self.amount_minor
        return max(0, needed - sum(each.minor for each in self.entries if each.on <= as_of))

    def reaged_by(self, as_of: date) -> ReAge | None:
        """Return the agreement in force at the close of `as_of`, None if there is none."""
        return max(
            (each for each in reversed(self.reaged) if each.on <= as_of),
            key=lambda each: each.on,
            default=None,
        )

    def counted_from(self, as_of: date) -> date:
        """Return the date that the DPD of `as_of` is counted from: the due date, or a later one after re-ageing."""
        agreement = self.reaged_by(as_of)
        return self.due_on if agreement is None else max(self.due_on, agreement.aged_from)


@dataclass(frozen=True, slots=True)
class Facts:
    """An account as ageing needs it: its obligations, the terms they are aged by, and the pauses of the whole account.

    In any order; a settled obligation may be left out only where the days asked for lie after it was settled.
    """

    courses: tuple[Course, ...]
    profile: Profile
    buckets: Buckets
    pauses: tuple[Pause, ...] = ()

    def standing(self, course: Course, as_of: date) -> Standing:
        """Return where one of the obligations stands at the close of `as_of`."""
        return standing(
            course.counted_from(as_of),
            course.unpaid_minor(as_of),
            as_of,
            self.profile,
            (*self.pauses, *course.pauses),
        )


@dataclass(frozen=True, slots=True)
class Day:
    """An account at the close of the day `on`.

    `arrears_minor` is what is past due of all obligations (of the minimum where there is one). `oldest_due_on` is the
    due date of the oldest unpaid one, in the future while nothing is past due. `counted_from` is what DPD is counted
    from: with `reaged_on`, the day of the last agreement on an unpaid one, it is the trace of a re-ageing. All three
    are None where nothing is unpaid.
    """

    on: date
    dpd: int
    bucket: str
    phase: Phase
    arrears_minor: int = 0
    oldest_due_on: date | None = None
    counted_from: date | None = None
    reaged_on: date | None = None


def day_of(facts: Facts, as_of: date) -> Day:
    """Return the account at the close of `as_of`: the largest DPD and the worst phase of its unpaid obligations."""
    unpaid = [
        (course, where)
        for course in facts.courses
        if (where := facts.standing(course, as_of)).phase is not Phase.SETTLED
    ]
    if not unpaid:
        return Day(as_of, 0, facts.buckets.of(0), Phase.SETTLED)
    # Of several with the largest count the one due first, so that the order of the facts decides nothing.
    dpd = max(where.dpd for _, where in unpaid)
    _, counted_from = min(
        (course.due_on, course.counted_from(as_of)) for course, where in unpaid if where.dpd == dpd
    )
    agreements = [each.on for course, _ in unpaid if (each := course.reaged_by(as_of)) is not None]
    return Day(
        on=as_of,
        dpd=dpd,
        bucket=facts.buckets.of(dpd),
        phase=max((where.phase for _, where in unpaid), key=lambda phase: _SEVERITY[phase]),
        arrears_minor=sum(
            course.unpaid_minor(as_of)
            for course, where in unpaid
            if where.dpd > 0 or where.phase in (Phase.GRACE, Phase.OVERDUE)
        ),
        oldest_due_on=min(course.due_on for course, _ in unpaid),
        counted_from=counted_from,
        reaged_on=max(agreements, default=None),
    )


def history(facts: Facts, days: Iterable[date]) -> tuple[Day, ...]:
    """Return the account at the close of each of `days`, in their order, as the facts known now have it.

    Computed anew each time: facts that arrive late change all days from their date on.
    """
    return tuple(day_of(facts, on) for on in days)


def borrower_dpd(accounts: Iterable[Facts], as_of: date) -> int:
    """Return the DPD of a borrower: the largest of the accounts', 0 without any."""
    return max((day_of(each, as_of).dpd for each in accounts), default=0)


def first_payment_default(facts: Facts, as_of: date, dpd: int = 1) -> date | None:
    """Return the first day up to `as_of` on which the account's first obligation, or one of several due first, was
    overdue with at least `dpd` days, None if none was. Paid within the grace period is on time; paid later does not
    undo it.
    """
    first_due = min((each.due_on for each in facts.courses), default=None)
    if first_due is None:
        return None
    firsts = [each for each in facts.courses if each.due_on == first_due]
    for on in _dates(first_due, as_of):
        found = [facts.standing(each, on) for each in firsts]
        if any(where.overdue and where.dpd >= dpd for where in found):
            return on
    return None


def _dates(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + number * _DAY


# Other ways of counting


class Delinquency(StrEnum):
    """Two ways of counting missed monthly payments of a mortgage, in steps of 30 days."""

    MBA = "mba"
    OTS = "ots"


def months_late(first_unpaid_due: date, as_of: date, method: Delinquency, due_day: int = 0) -> int:
    """Return days delinquent in steps of 30 at the close of `as_of`, for monthly payments unpaid since
    `first_unpaid_due`; `due_day` is the day of the month where it is another than that date's own.

    MBA: 30 more at the end of the day before each next due date. OTS: at the close of the next due date itself.

    Source: ad-co.com, MBA and OTS compared.
    """
    reached = as_of + _DAY if method is Delinquency.MBA else as_of
    months = 12 * (reached.year - first_unpaid_due.year) + reached.month - first_unpaid_due.month
    if add_months(first_unpaid_due, months, due_day) > reached:
        months -= 1
    return 30 * max(0, months)


@dataclass(frozen=True, slots=True)
class Materiality:
    """When arrears are material: above `floor_minor` and above `share` of what is owed in all; a default after more
    than `days` such days in a row. The values are those for retail exposures in euros.

    Source: EU.DPD, EU.DPD.MAT (CRR article 178; Delegated Regulation (EU) 2018/171).
    """

    floor_minor: int = 10_000
    share: Decimal = Decimal("0.01")
    days: int = 90

    def is_breached(self, arrears_minor: int, exposure_minor: int) -> bool:
        """Return whether both limits are exceeded; arrears equal to a limit do not exceed it."""
        return arrears_minor > self.floor_minor and arrears_minor > self.share * exposure_minor

    def counted(self, days: Iterable[tuple[int, int]]) -> tuple[int, ...]:
        """Return for each of consecutive days, given as (arrears, exposure) in minor units, how many days in a row both
        limits have been exceeded; 0 on a day on which one is not.
        """
        row, counts = 0, []
        for arrears_minor, exposure_minor in days:
            row = row + 1 if self.is_breached(arrears_minor, exposure_minor) else 0
            counts.append(row)
        return tuple(counts)

    def is_default(self, count: int) -> bool:
        """Return whether `count` days in a row are a default: more than the limit, the limit itself is not."""
        return count > self.days
