"""Months never drift from the original day, and the days of periods add up."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.dates import add_months, days_counted, months_back, year_fraction
from betimes.core.product import DayCount

DATES = st.dates(date(1970, 1, 1), date(2199, 12, 31))


@given(start=DATES, day=st.integers(0, 31))
def test_over_48_months_every_month_that_has_the_day_gets_it(start: date, day: int) -> None:
    """The others get their last day; nothing is clipped twice."""
    wanted = day or start.day
    for months in range(49):
        on = add_months(start, months, day)
        assert (on.year - start.year) * 12 + on.month - start.month == months
        assert on.day == min(wanted, monthrange(on.year, on.month)[1])


@given(start=DATES, months=st.integers(-400, 400))
def test_months_can_be_taken_back(start: date, months: int) -> None:
    """Back and forth again on the original day is where it began."""
    assert add_months(add_months(start, months), -months, start.day) == start


@given(start=DATES, days=st.integers(0, 4000))
def test_months_back_and_days_left_over_make_the_interval(start: date, days: int) -> None:
    """The months are as many as fit, and the days left over are fewer than a month."""
    end = start + timedelta(days=days)
    months, left = months_back(start, end)
    assert add_months(end, -months) - timedelta(days=left) == start
    assert add_months(end, -months - 1) < start
    assert 0 <= left <= 31


@pytest.mark.parametrize(
    ("start", "end", "day", "expected"),
    [
        ("2026-01-10", "2026-03-01", 0, (1, 22)),
        ("2026-01-31", "2026-02-28", 31, (1, 0)),
        ("2026-01-31", "2026-02-28", 0, (0, 28)),
        ("2026-01-31", "2026-01-31", 0, (0, 0)),
    ],
)
def test_whole_months_are_counted_back_from_the_later_date(
    start: str, end: str, day: int, expected: tuple[int, int]
) -> None:
    """A last day that a short month clipped counts as the day it was clipped from, if that is told."""
    assert months_back(date.fromisoformat(start), date.fromisoformat(end), day) == expected


@given(
    days=st.lists(DATES, min_size=3, max_size=3),
    convention=st.sampled_from(DayCount),
    day=st.integers(0, 31),
)
def test_periods_add_up_without_a_seam(days: list[date], convention: DayCount, day: int) -> None:
    """Two periods that meet count as one, in days and in parts of a year."""
    a, b, c = sorted(days)
    for measure in (days_counted, year_fraction):
        halves = measure(convention, a, b, day) + measure(convention, b, c, day)
        assert halves == measure(convention, a, c, day)


@given(start=DATES, day=st.integers(1, 31), months=st.integers(0, 60))
def test_a_month_of_30_360_has_30_days_whatever_was_clipped(
    start: date, day: int, months: int
) -> None:
    """Each period of a monthly series is a twelfth of a year."""
    begin, end = add_months(start, months, day), add_months(start, months + 1, day)
    assert days_counted(DayCount.THIRTY_360, begin, end, day) == 30
    assert year_fraction(DayCount.THIRTY_360, begin, end, day) == Fraction(1, 12)


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        (DayCount.ACT_365F, Fraction(62, 365)),
        (DayCount.ACT_360, Fraction(62, 360)),
        (DayCount.ACT_ACT, Fraction(31, 365) + Fraction(31, 366)),
        (DayCount.THIRTY_360, Fraction(60, 360)),
    ],
)
def test_each_convention_has_its_own_year(convention: DayCount, expected: Fraction) -> None:
    """December of an ordinary year and January of a leap year."""
    assert year_fraction(convention, date(2027, 12, 1), date(2028, 2, 1)) == expected
