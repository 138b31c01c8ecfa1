"""The shipped calendars: China's agrees with its package on every day, those in files with the rule they rest on."""

from __future__ import annotations

import json
import subprocess
import sys
from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date, timedelta
from functools import cache

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betimes.adapters.calendars import calendar, published_years, read, shipped
from betimes.core.errors import Rejected
from betimes.core.product import Roll
from betimes.core.workdays import Unpublished, days_of, next_workday, previous_workday, roll

CN = calendar("CN")
DAY = timedelta(days=1)


@cache
def package_workdays() -> list[date]:
    """Return every workday of 2004 to 2026 by the package's own answer, day for day."""
    return [
        day
        for year in range(2004, 2027)
        for day in days_of(year)
        if chinese_calendar.is_workday(day)
    ]


def test_china_agrees_with_its_package_on_every_day() -> None:
    """From 2004 to the last published year."""
    ours = [day for year in sorted(CN.published) for day in days_of(year) if CN.is_workday(day)]
    assert [day for day in ours if day.year < 2027] == package_workdays()
    assert CN.published >= set(range(2004, 2027))


@settings(deadline=None)  # the first example counts the whole list
@given(st.dates(date(2004, 1, 10), date(2026, 12, 20)))
def test_rolls_in_china_agree_with_counting(day: date) -> None:
    """In the list of the package's workdays."""
    workdays = package_workdays()
    following = workdays[bisect_left(workdays, day)]
    preceding = workdays[bisect_right(workdays, day) - 1]
    assert roll(day, Roll.FOLLOWING, CN) == following
    assert roll(day, Roll.PRECEDING, CN) == preceding
    assert roll(day, Roll.MODIFIED_FOLLOWING, CN) == (
        following if following.month == day.month else preceding
    )
    assert next_workday(day, CN) == workdays[bisect_right(workdays, day)]
    assert previous_workday(day, CN) == workdays[bisect_left(workdays, day) - 1]


def test_china_refuses_where_its_package_does() -> None:
    """The year before the first and the year after the last; every published year is answered."""
    for year in range(min(CN.published) - 1, max(CN.published) + 2):
        new_year = date(year, 1, 1)
        if year in CN.published:
            assert not CN.is_workday(new_year)
        else:
            with pytest.raises(Unpublished):
                CN.is_workday(new_year)
            with pytest.raises(NotImplementedError):
                chinese_calendar.is_workday(new_year)


def test_make_up_workdays_of_china_fall_on_weekends() -> None:
    """And China's festivals, its own words, are days off."""
    assert all(day.weekday() in CN.weekend for day in CN.workdays)
    assert not any(CN.is_workday(day) for day in CN.holidays)
    assert (CN.name, CN.jurisdiction, CN.status) == ("CN", "CN", "secondary")


def test_one_day_does_not_publish_a_year() -> None:
    """New Year's days listed with the year before leave the new year unpublished until National Day is listed."""
    listed = {date(2026, 1, 1), date(2026, 10, 1), date(2026, 12, 31), date(2027, 1, 1)}
    assert published_years(listed) == {2026}
    assert published_years(listed | {date(2027, 10, 1)}) == {2026, 2027}
    assert published_years({date(2027, 10, 1)}) == frozenset()


def in_lieu(holiday: date) -> set[date]:
    """Return the days off for a federal holiday: itself, and the Friday before or the Monday after a weekend day."""
    return {holiday, holiday + {5: -DAY, 6: DAY}.get(holiday.weekday(), timedelta())}


def nth(year: int, month: int, weekday: int, count: int) -> date:
    """Return the `count`-th `weekday` of a month, the last one for -1."""
    days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
    return [day for day in days if day.weekday() == weekday][count if count < 0 else count - 1]


def test_federal_holidays_follow_the_statute() -> None:
    """5 U.S.C. 6103(a), worked out here a second time, with the days in lieu that fall into the three years."""
    expected: set[date] = set()
    for year in range(2024, 2029):
        fixed = [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)]
        floating = [(1, 0, 3), (2, 0, 3), (5, 0, -1), (9, 0, 1), (10, 0, 2), (11, 3, 4)]
        for holiday in [
            *(date(year, month, day) for month, day in fixed),
            *(nth(year, month, weekday, count) for month, weekday, count in floating),
        ]:
            expected |= in_lieu(holiday)
    found = calendar("US")
    assert found.published == {2025, 2026, 2027}
    assert found.holidays == {day for day in expected if day.year in found.published}
    assert date(2027, 12, 31) in found.holidays


def test_every_shipped_calendar_can_be_had() -> None:
    """Under its own name, the same object each time."""
    assert shipped() == ("BR", "BR-AM", "BR-ES", "BR-RJ", "BR-SP", "CN", "US")
    for name in shipped():
        assert calendar(name).name == name
        assert calendar(name) is calendar(name)


@pytest.mark.parametrize("name", ["ATLANTIS", "", "cn", "../rules/CN", "US.toml"])
def test_an_unknown_calendar_is_refused_with_those_there_are(name: str) -> None:
    """A name is looked up among the shipped ones, never taken for a path."""
    with pytest.raises(
        Rejected, match="shipped: BR, BR-AM, BR-ES, BR-RJ, BR-SP, CN, US"
    ) as refused:
        calendar(name)
    assert (refused.value.code, refused.value.field) == ("unknown_calendar", "calendar")


GOOD = """
name = "branch"
jurisdiction = "CN"
source = "the bank's own notice"
status = "verified"
published = [2026]
holidays = [2026-01-01]
"""


@pytest.mark.parametrize(
    ("text", "name", "code", "message"),
    [
        ("name = ", "branch", "bad_toml", "calendars/branch.toml: "),
        (GOOD.replace("01-01", "02-30"), "branch", "bad_toml", "calendars/branch.toml: "),
        (GOOD, "other", "bad_calendar", "'name' is 'branch', but the file says 'other'"),
        (GOOD + "colour = 1", "branch", "bad_calendar", "calendars/branch.toml: 'colour' is unk"),
    ],
)
def test_a_malformed_file_is_named(text: str, name: str, code: str, message: str) -> None:
    """Also one that is no TOML, holds a date that does not exist, or another calendar than its name says."""
    with pytest.raises(Rejected) as refused:
        read(text, "calendars/branch.toml", name)
    assert refused.value.code == code
    assert message in refused.value.message


def test_a_file_is_read_as_it_says() -> None:
    """The smallest one."""
    assert read(GOOD, "calendars/branch.toml", "branch").holidays == {date(2026, 1, 1)}


def test_who_asks_for_no_calendar_of_china_does_not_pay_for_it() -> None:
    """The package is imported with the first question about China, not with the module."""
    code = (
        "import json, sys; from betimes.adapters.calendars import calendar; calendar('US');"
        "before = 'chinese_calendar' in sys.modules; calendar('CN');"
        "print(json.dumps([before, 'chinese_calendar' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, True]
