"""Arithmetic of civil dates: months that never drift, and the day counts of loans. No weekday, no holiday, no zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from fractions import Fraction

from betimes.core.product import DayCount


def add_months(anchor: date, months: int, day: int = 0) -> date:
    """Return the date `months` months after `anchor` (before it where negative), on the day of the anchor.

    A month that is too short for that day gives its last day. Every date of a series is counted from the one anchor,
    so a 31st comes back after February. A `day` of 1 to 31 takes the place of the anchor's day; 0 leaves it.

    Source: Civil Code of the PRC, article 202 (no corresponding day: the last of the month).
    """
    assert 0 <= day <= 31, "a day of a month"
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day or anchor.day, last))


def months_back(start: date, end: date, day: int = 0) -> tuple[int, int]:
    """Return the whole months from `start` to `end`, counted back from `end`, and the days left over at the start.

    `day` is the day of the month that `end` belongs to where a short month clipped it, as in `add_months`. From
    10 January to 1 March is one month (from 1 February) and 22 days.

    Source: 12 CFR 1026 Appendix J (b)(5)(ii): months are measured back from the later date.
    """
    assert start <= end, "an interval runs forward"
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(end, -months, day) < start:
        months -= 1
    return months, (add_months(end, -months, day) - start).days


def days_counted(convention: DayCount, start: date, end: date, day: int = 0) -> int:
    """Return the days of a period by `convention`: `start` counts, `end` does not; so periods add up without a seam.

    30/360 gives every whole month 30 days. `day` is the due day of the loan: a month that clipped it to its last day
    counts as if it had that day, so 31 January to 28 February is 30 days and not 28.

    Source: ISDA 2006 Definitions, section 4.16 (b), (d), (e), (g); the clipped day is this design's.
    """
    if convention is not DayCount.THIRTY_360:
        return (end - start).days
    months = (end.year - start.year) * 12 + end.month - start.month
    return 30 * months + _day_of_30(end, day) - _day_of_30(start, day)


def year_fraction(convention: DayCount, start: date, end: date, day: int = 0) -> Fraction:
    """Return the part of a year that a period is, exact. By ACT/ACT each day counts by the length of its own year.

    `start`, `end` and `day` are as in `days_counted`.
    """
    match convention:
        case DayCount.THIRTY_360 | DayCount.ACT_360:
            return Fraction(days_counted(convention, start, end, day), 360)
        case DayCount.ACT_365F:
            return Fraction((end - start).days, 365)
        case DayCount.ACT_ACT:
            return _years(end) - _years(start)


def _day_of_30(on: date, day: int) -> int:
    """Return the day of the month as 30/360 sees it."""
    is_last = on.day == monthrange(on.year, on.month)[1]
    return min(max(on.day, day) if is_last else on.day, 30)


def _years(on: date) -> Fraction:
    """Return how many years have passed at the start of `on`, the days of its own year as a part of it."""
    first, following = date(on.year, 1, 1), date(on.year + 1, 1, 1)
    return on.year + Fraction((on - first).days, (following - first).days)
