"""Working days: every function agrees with a calendar that is simply counted through, and nothing is ever guessed."""

from __future__ import annotations

import pickle
import tomllib
from bisect import bisect_left, bisect_right
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from betimes.core.errors import Rejected
from betimes.core.product import Roll
from betimes.core.workdays import (
    CLOSED,
    Calendar,
    DayKind,
    Difference,
    Rolled,
    Unpublished,
    add_workdays,
    days_of,
    difference,
    is_open,
    next_workday,
    parse,
    previous_workday,
    roll,
    rolled,
)

YEARS = frozenset(range(2004, 2027))
EVERY_DAY = [day for year in sorted(YEARS) for day in days_of(year)]
DAY = timedelta(days=1)

# Saturday 14 February is made up for the Spring Festival; 1 to 7 October are off; 2027 is not published.
SMALL = Calendar(
    name="small",
    jurisdiction="CN",
    source="made up",
    published=frozenset({2025, 2026}),
    holidays=frozenset(date(2026, 10, day) for day in range(1, 8)) | {date(2026, 2, 16)},
    workdays=frozenset({date(2026, 2, 14)}),
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Make up a calendar of 2004 to 2026: holidays anywhere, in runs of up to five weeks, and make-up workdays."""
    days = st.sampled_from(EVERY_DAY)
    holidays = set(draw(st.lists(days, max_size=30)))
    for first, length in draw(st.lists(st.tuples(days, st.integers(2, 35)), max_size=5)):
        run = {first + n * DAY for n in range(length)}
        holidays |= {day for day in run if day.year in YEARS}
    weekend = frozenset(draw(st.sets(st.integers(0, 6), max_size=6)))
    made_up = {day for day in draw(st.lists(days, max_size=30)) if day.weekday() in weekend}
    return Calendar(
        name="made up",
        jurisdiction="CN",
        source="made up",
        published=YEARS,
        holidays=frozenset(holidays),
        workdays=frozenset(made_up - holidays),
        weekend=weekend,
    )


def counted(calendar: Calendar) -> list[date]:
    """Return every workday in order, told by the definition alone."""
    return [
        day
        for day in EVERY_DAY
        if day not in calendar.holidays
        and (day.weekday() not in calendar.weekend or day in calendar.workdays)
    ]


inner_days = st.dates(date(2004, 6, 1), date(2026, 6, 30))


@given(calendars(), st.lists(inner_days, min_size=1, max_size=40))
def test_every_convention_agrees_with_counting(calendar: Calendar, days: list[date]) -> None:
    """Over 2004 to 2026, for holidays in runs, other weekends and make-up workdays."""
    workdays = counted(calendar)
    known = set(workdays)
    for day in days:
        following = workdays[bisect_left(workdays, day)]
        preceding = workdays[bisect_right(workdays, day) - 1]
        same_month = (following.year, following.month) == (day.year, day.month)
        assert calendar.is_workday(day) == (day in known)
        assert roll(day, Roll.UNADJUSTED, calendar) == day
        assert roll(day, Roll.FOLLOWING, calendar) == following
        assert roll(day, Roll.PRECEDING, calendar) == preceding
        modified = roll(day, Roll.MODIFIED_FOLLOWING, calendar)
        assert modified == (following if same_month else preceding)


@given(calendars(), inner_days, st.integers(-30, 30))
def test_workdays_added_are_workdays_counted(calendar: Calendar, day: date, count: int) -> None:
    """The day itself is not counted, whether it is a workday or not; there and back ends at a workday no later."""
    workdays = counted(calendar)
    if count > 0:
        expected = workdays[bisect_right(workdays, day) + count - 1]
    elif count < 0:
        expected = workdays[bisect_left(workdays, day) + count]
    else:
        expected = day
    assert add_workdays(day, count, calendar) == expected
    assert next_workday(day, calendar) == workdays[bisect_right(workdays, day)]
    assert previous_workday(day, calendar) == workdays[bisect_left(workdays, day) - 1]
    if day in set(workdays):
        assert add_workdays(expected, -count, calendar) == day


@given(calendars(), inner_days, st.sampled_from([r for r in Roll if r is not Roll.UNADJUSTED]))
def test_a_roll_ends_on_a_workday_and_stays_there(
    calendar: Calendar, day: date, convention: Roll
) -> None:
    """Rolling twice is rolling once, and a workday does not move."""
    found = roll(day, convention, calendar)
    assert calendar.is_workday(found)
    assert roll(found, convention, calendar) == found
    if calendar.is_workday(day):
        assert found == day


@given(calendars(), inner_days, inner_days)
def test_preceding_and_following_are_adjoint(calendar: Calendar, a: date, b: date) -> None:
    """A workday w is not before `a` rolled on exactly if it is not before `a`, and so the other way round."""
    workday = roll(b, Roll.FOLLOWING, calendar)
    assert (roll(a, Roll.FOLLOWING, calendar) <= workday) == (a <= workday)
    assert (workday <= roll(a, Roll.PRECEDING, calendar)) == (workday <= a)
    assert roll(a, Roll.PRECEDING, calendar) <= a <= roll(a, Roll.FOLLOWING, calendar)


@given(calendars(), inner_days)
def test_modified_following_stays_in_its_month(calendar: Calendar, day: date) -> None:
    """Unless the month holds no workday at all."""
    month = [d for d in counted(calendar) if (d.year, d.month) == (day.year, day.month)]
    assume(month)
    found = roll(day, Roll.MODIFIED_FOLLOWING, calendar)
    assert (found.year, found.month) == (day.year, day.month)


def test_a_month_without_a_workday_is_left_backwards() -> None:
    """A whole February off: modified following ends in January."""
    february = frozenset(date(2026, 2, 1) + n * DAY for n in range(28))
    closed = replace(SMALL, holidays=february, workdays=frozenset())
    assert roll(date(2026, 2, 10), Roll.MODIFIED_FOLLOWING, closed) == date(2026, 1, 30)


@given(calendars(), st.dates(date(2003, 1, 1), date(2028, 1, 31)), st.sampled_from(list(Roll)))
def test_what_is_not_published_is_never_guessed(
    calendar: Calendar, day: date, convention: Roll
) -> None:
    """`roll` refuses exactly where `rolled` is provisional, and a provisional date has not moved."""
    found = rolled(day, convention, calendar)
    assert found.nominal_on == day
    if found.provisional:
        assert found.on == day
        with pytest.raises(Unpublished) as refused:
            roll(day, convention, calendar)
        assert refused.value.year not in YEARS
        assert convention is not Roll.UNADJUSTED
    else:
        assert found.on == roll(day, convention, calendar)
        if convention is not Roll.UNADJUSTED:
            assert day.year in YEARS
            assert found.on.year in YEARS


def test_a_date_at_the_end_of_the_last_published_year() -> None:
    """Thursday is a workday whatever 2027 brings. Off on Thursday, only following has to know the next year."""
    last = date(2026, 12, 31)
    assert rolled(last, Roll.FOLLOWING, SMALL) == Rolled(last, last)
    off = replace(SMALL, holidays=SMALL.holidays | {last})
    assert rolled(last, Roll.FOLLOWING, off) == Rolled(last, last, provisional=True)
    assert rolled(last, Roll.MODIFIED_FOLLOWING, off) == Rolled(date(2026, 12, 30), last)
    assert rolled(last, Roll.PRECEDING, off) == Rolled(date(2026, 12, 30), last)


def test_without_a_calendar_or_unadjusted_a_date_is_final() -> None:
    """Also in a year that nobody has published."""
    day = date(2030, 5, 4)
    for convention in Roll:
        assert rolled(day, convention, None) == Rolled(day, day)
    assert rolled(day, Roll.UNADJUSTED, SMALL) == Rolled(day, day)
    assert roll(day, Roll.UNADJUSTED, SMALL) == day


def test_an_unpublished_year_is_named() -> None:
    """With the calendar, and it survives a trip between processes."""
    with pytest.raises(Unpublished, match="small is not published for 2027") as refused:
        SMALL.is_workday(date(2027, 2, 11))
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.year, again.calendar, str(again)) == (2027, "small", str(refused.value))


@pytest.mark.parametrize(
    ("on", "kind"),
    [
        (date(2026, 2, 13), DayKind.WORKDAY),
        (date(2026, 2, 14), DayKind.MAKE_UP),
        (date(2026, 2, 15), DayKind.WEEKEND),
        (date(2026, 2, 16), DayKind.HOLIDAY),
        (date(2026, 10, 3), DayKind.HOLIDAY),
    ],
)
def test_kinds_of_day(on: date, kind: DayKind) -> None:
    """A holiday on a Saturday is a holiday, a Saturday that is made up is a workday."""
    assert SMALL.kind(on) is kind
    assert SMALL.is_workday(on) == (kind not in CLOSED)


def test_which_days_are_closed_is_chosen() -> None:
    """A lender that only keeps holidays writes on a Sunday; one that keeps every weekend day keeps made-up ones too."""
    sunday, made_up, holiday = date(2026, 2, 15), date(2026, 2, 14), date(2026, 2, 16)
    assert not is_open(sunday, SMALL)
    assert is_open(sunday, SMALL, frozenset({DayKind.HOLIDAY}))
    assert not is_open(holiday, SMALL, frozenset({DayKind.HOLIDAY}))
    assert is_open(made_up, SMALL)
    assert not is_open(made_up, SMALL, CLOSED | {DayKind.MAKE_UP})


def test_in_an_unpublished_year_a_day_that_may_be_closed_is() -> None:
    """What is unknown makes us quieter; a Monday cannot be a weekend day, nor a Sunday a plain workday."""
    monday, sunday = date(2027, 3, 1), date(2027, 3, 7)
    assert not is_open(monday, SMALL)
    assert is_open(monday, SMALL, frozenset({DayKind.WEEKEND}))
    assert not is_open(sunday, SMALL, frozenset({DayKind.WEEKEND}))
    assert is_open(sunday, SMALL, frozenset({DayKind.WORKDAY}))
    assert is_open(monday, SMALL, frozenset())


@given(calendars(), calendars(), st.lists(inner_days, max_size=20))
def test_a_date_moves_only_by_days_of_the_difference(
    old: Calendar, new: Calendar, days: list[date]
) -> None:
    """Where the two roll a date apart, a day between the date and where it went has changed."""
    told = difference(old, new)
    moved = set(told.opened) | set(told.closed)
    assert not set(told.opened) & set(told.closed)
    for day in days:
        before, after = (roll(day, Roll.FOLLOWING, each) for each in (old, new))
        if before != after:
            assert min(before, after) in moved
    assert set(told.opened) == set(counted(new)) - set(counted(old))
    assert set(told.closed) == set(counted(old)) - set(counted(new))


def test_publishing_a_year_says_what_it_changes() -> None:
    """Also in the December before it, which next year's notice may still touch."""
    new = replace(
        SMALL,
        published=frozenset({2026, 2027}),
        holidays=SMALL.holidays | {date(2026, 12, 31), date(2027, 1, 1)},
        workdays=SMALL.workdays | {date(2026, 12, 27)},
    )
    assert difference(SMALL, new) == Difference(
        published=(2027,),
        withdrawn=(2025,),
        opened=(date(2026, 12, 27),),
        closed=(date(2026, 12, 31),),
    )
    assert difference(SMALL, new)
    assert not difference(SMALL, replace(SMALL, name="again"))


def test_a_calendar_that_contradicts_itself_cannot_be() -> None:
    """A day is not off and made up at once, and a week has a workday: else a search for one would find none."""
    with pytest.raises(AssertionError, match="2026-02-14"):
        replace(SMALL, holidays=SMALL.workdays)
    with pytest.raises(AssertionError, match="week without a workday"):
        replace(SMALL, weekend=frozenset(range(7)))


GOOD = """
name = "branch"
jurisdiction = "CN"
source = "the bank's own notice of 2025-12-01"
status = "verified"
published = [2026]
holidays = [2026-01-01, 2026-01-02]
workdays = [2026-01-04]
weekend = [5, 6]
"""


def test_a_calendar_of_a_lenders_own() -> None:
    """All keys, and those that may be left out."""
    assert parse(tomllib.loads(GOOD), "branch.toml") == Calendar(
        name="branch",
        jurisdiction="CN",
        source="the bank's own notice of 2025-12-01",
        published=frozenset({2026}),
        holidays=frozenset({date(2026, 1, 1), date(2026, 1, 2)}),
        workdays=frozenset({date(2026, 1, 4)}),
        weekend=frozenset({5, 6}),
        status="verified",
    )
    short = GOOD.replace("workdays = [2026-01-04]", "").replace("weekend = [5, 6]", "")
    found = parse(tomllib.loads(short), "branch.toml")
    assert (found.workdays, found.weekend) == (frozenset(), frozenset({5, 6}))


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("weekend", "weekends", "weekends", "is unknown; known: holidays, "),
        ("published = [2026]", "", "published", "is missing"),
        ('"branch"', '""', "name", "is no text"),
        ('"CN"', "86", "jurisdiction", "is no text"),
        ('"verified"', '"sure"', "status", "is none of verified, "),
        ("[2026]", "2026", "published", "is no list"),
        ("[2026]", "[]", "published", "names no year"),
        ("[2026]", "[2026, 2026]", "published", "holds 2026 twice"),
        ("[2026]", '["2026"]', "published", "holds '2026', not from 1970 to 2199"),
        ("[2026]", "[true]", "published", "holds True, not from 1970"),
        ("[2026]", "[1969]", "published", "holds 1969, not from 1970"),
        ("[5, 6]", "[7]", "weekend", "holds 7, not from 0 to 6"),
        ("[5, 6]", "[0, 1, 2, 3, 4, 5, 6]", "weekend", "leaves no workday in a week"),
        ("[2026-01-04]", "2026-01-04", "workdays", "is no list of dates"),
        ("2026-01-02]", '"2026-01-02"]', "holidays", "holds '2026-01-02'; write a date without"),
        ("2026-01-02]", "2026-01-02T00:00:00]", "holidays", "write a date without quotes"),
        ("2026-01-02]", "2026-01-01]", "holidays", "holds 2026-01-01 twice"),
        ("2026-01-02]", "2027-01-01]", "holidays", "holds 2027-01-01, but 2027 is not in 'publ"),
        ("[2026-01-04]", "[2025-12-28]", "workdays", "holds 2025-12-28, but 2025 is not in 'p"),
        ("2026-01-02]", "2026-01-04]", "workdays", "holds 2026-01-04, which is also a holiday"),
        ("[2026-01-04]", "[2026-01-05]", "workdays", "holds 2026-01-05, which is no weekend"),
    ],
)
def test_a_malformed_calendar_names_file_key_and_reason(
    old: str, new: str, key: str, reason: str
) -> None:
    """And nothing of it is taken."""
    assert old in GOOD
    with pytest.raises(Rejected) as refused:
        parse(tomllib.loads(GOOD.replace(old, new, 1)), "branch.toml")
    assert (refused.value.code, refused.value.field) == ("bad_calendar", key)
    assert refused.value.message.startswith(f"branch.toml: {key!r} ")
    assert reason in refused.value.message
