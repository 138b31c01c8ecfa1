"""Hours of contact: exact to the microsecond, the same as a look at each clock, on every day of every zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import zones
from betimes.core.hours import HORIZON, Hours, Timetable
from betimes.core.rule import (
    HOLIDAY,
    WEEKDAYS,
    CooloffAfter,
    CooloffTerms,
    Enforce,
    Force,
    Kind,
    Rule,
    Scope,
    Span,
    Status,
    Where,
    WindowTerms,
)
from betimes.core.workdays import Calendar, DayKind
from tests.core.support import DAY, SECOND, TICK, ZONES, utc
from tests.core.test_zones import CHANGES

SHANGHAI, NEW_YORK, LOS_ANGELES = "Asia/Shanghai", "America/New_York", "America/Los_Angeles"
MINUTE = timedelta(minutes=1)
BRAZIL = Calendar(
    name="BR",
    jurisdiction="BR",
    source="made up for a test",
    published=frozenset({2026}),
    holidays=frozenset({date(2026, 9, 7), date(2026, 12, 25)}),
)


def every_day(*spans: Span) -> dict[str, tuple[Span, ...]]:
    """Return the same hours for each day of the week."""
    return dict.fromkeys(WEEKDAYS, spans)


def window(
    days: Mapping[str, tuple[Span, ...]],
    since: date = date(2000, 1, 1),
    until: date | None = None,
    name: str = "X.WINDOW",
) -> Rule:
    """Return a window rule of nobody in particular."""
    return Rule(
        id=name,
        title="a window",
        pack="X",
        kind=Kind.WINDOW,
        terms=WindowTerms(days, Where.CONSUMER),
        parties=frozenset(),
        stages=frozenset(),
        purposes=frozenset(),
        channels=frozenset(),
        products=frozenset(),
        effective_from=since,
        effective_to=until,
        force=Force.LAW,
        status=Status.VERIFIED,
        enforce=Enforce.HARD,
        citation="made up for a test",
    )


def hours(rule: Rule, *names: str, calendar: Calendar | None = None) -> Hours:
    """Return the hours of one rule by the clocks of some zones."""
    return Hours(tuple(Timetable(rule, name, calendar) for name in names))


CHINA = window(every_day(Span(time(8), time(22))))
REG_F = window(every_day(Span(time(8), time(21), closes_inclusive=True)))
SAO_PAULO_STATE = window(
    dict.fromkeys(WEEKDAYS[:5], (Span(time(8), time(20)),))
    | {"sat": (Span(time(8), time(14)),), "sun": (), HOLIDAY: ()}
)


def allows(rule: Rule, at: datetime, zone: str, calendar: Calendar | None = None) -> bool:
    """Return what a look at one clock says, without any arithmetic of intervals."""
    on, clock = zones.local_date(at, zone), zones.local_time(at, zone)
    assert isinstance(rule.terms, WindowTerms)
    if not rule.is_in_force(on):
        return True
    days = rule.terms.days
    names = [WEEKDAYS[on.weekday()]]
    if HOLIDAY in days:
        if calendar is None or on.year not in calendar.published:
            names.append(HOLIDAY)
        elif calendar.kind(on) is DayKind.HOLIDAY:
            names = [HOLIDAY]
    return all(
        any(
            span.opens <= clock
            and (
                span.closes is None
                or clock < span.closes
                or (span.closes_inclusive and clock == span.closes)
            )
            for span in days.get(name, ())
        )
        for name in names
    )


def test_edges_are_those_of_the_rule() -> None:
    """Trap 2: 08:00:00 yes; Reg F 21:00:00 yes and 21:00:01 no; China 22:00:00 no."""
    reg_f, china = hours(REG_F, NEW_YORK), hours(CHINA, SHANGHAI)
    opens = utc("2026-03-02 13:00")
    assert reg_f.open_at(opens) and not reg_f.open_at(opens - TICK)
    closes = utc("2026-03-03 02:00")
    assert reg_f.open_at(closes) and not reg_f.open_at(closes + TICK)
    assert not reg_f.open_at(closes + SECOND)
    assert reg_f.closing(opens) == closes + TICK
    closes = utc("2026-03-02 14:00")
    assert china.open_at(closes - TICK) and not china.open_at(closes)
    assert china.closing(closes - TICK) == closes
    assert china.next_opening(closes, closes + DAY) == utc("2026-03-03 00:00")


def test_conflicting_places_leave_what_all_of_them_allow() -> None:
    """Trap 1: New York and California have 10 hours in common on 2026-11-24 and not 13, with Hawaii 8."""
    day = utc("2026-11-24 12:00"), utc("2026-11-25 12:00")
    both = hours(REG_F, NEW_YORK, LOS_ANGELES)
    assert both.intervals(*day) == ((utc("2026-11-24 16:00"), utc("2026-11-25 02:00") + TICK),)
    three = hours(REG_F, NEW_YORK, LOS_ANGELES, "Pacific/Honolulu")
    assert three.intervals(*day) == ((utc("2026-11-24 18:00"), utc("2026-11-25 02:00") + TICK),)


def test_places_with_no_hour_in_common_never_open() -> None:
    """Los Angeles, London and Shanghai share no hour of a window of 13; the answer is None, not a guess."""
    nowhere = hours(REG_F, LOS_ANGELES, "Europe/London", SHANGHAI)
    start = utc("2026-11-24 00:00")
    assert nowhere.next_opening(start, start + HORIZON) is None
    assert nowhere.intervals(start, start + HORIZON) == ()
    assert nowhere.closed_by(start) == ("X.WINDOW",)


def test_a_day_has_the_hours_of_its_weekday() -> None:
    """São Paulo: Monday to Friday to 20, Saturday to 14, Sunday closed."""
    sao_paulo = hours(SAO_PAULO_STATE, "America/Sao_Paulo", calendar=BRAZIL)
    # 2026-11-20 is a Friday; the clocks are three hours behind UTC.
    assert sao_paulo.intervals(utc("2026-11-20 00:00"), utc("2026-11-24 00:00")) == (
        (utc("2026-11-20 11:00"), utc("2026-11-20 23:00")),
        (utc("2026-11-21 11:00"), utc("2026-11-21 17:00")),
        (utc("2026-11-23 11:00"), utc("2026-11-23 23:00")),
    )


def test_a_holiday_has_hours_of_its_own() -> None:
    """A Monday that is a holiday is closed where the rule closes holidays, and open to a rule that names none."""
    holiday = utc("2026-09-07 15:00")
    assert not hours(SAO_PAULO_STATE, "America/Sao_Paulo", calendar=BRAZIL).open_at(holiday)
    assert hours(SAO_PAULO_STATE, "America/Sao_Paulo", calendar=BRAZIL).open_at(holiday + DAY)
    assert hours(CHINA, "America/Sao_Paulo", calendar=BRAZIL).open_at(holiday)


@pytest.mark.parametrize("calendar", [BRAZIL, None], ids=["unpublished", "no calendar"])
def test_a_year_without_a_calendar_is_open_only_when_a_holiday_would_be(
    calendar: Calendar | None,
) -> None:
    """What is unknown makes us quieter: 9 to 12 on holidays is all that is left of a weekday's 8 to 20."""
    rule = window(every_day(Span(time(8), time(20))) | {HOLIDAY: (Span(time(9), time(12)),)})
    unknown = hours(rule, "UTC", calendar=calendar)
    assert unknown.intervals(utc("2027-01-05 00:00"), utc("2027-01-06 00:00")) == (
        (utc("2027-01-05 09:00"), utc("2027-01-05 12:00")),
    )


def test_a_rule_binds_from_its_first_day_to_the_last_before_its_end() -> None:
    """Per civil date of the zone: all hours on the day before, and again on `effective_to`."""
    rule = window(every_day(Span(time(8), time(22))), date(2026, 7, 1), date(2026, 7, 3))
    assert hours(rule, SHANGHAI).intervals(utc("2026-06-29 16:00"), utc("2026-07-03 16:00")) == (
        (utc("2026-06-29 16:00"), utc("2026-06-30 16:00")),
        (utc("2026-07-01 00:00"), utc("2026-07-01 14:00")),
        (utc("2026-07-02 00:00"), utc("2026-07-02 14:00")),
        (utc("2026-07-02 16:00"), utc("2026-07-03 16:00")),
    )


def test_two_texts_of_a_rule_follow_one_another() -> None:
    """The hours of a date are those of the text in force on it, planned before or after."""
    until_june = window(every_day(Span(time(6), time(22))), until=date(2026, 7, 1))
    since_july = window(every_day(Span(time(8), time(19))), date(2026, 7, 1))
    both = Hours(tuple(Timetable(rule, SHANGHAI, None) for rule in (until_june, since_july)))
    assert both.intervals(utc("2026-06-29 16:00"), utc("2026-07-01 16:00")) == (
        (utc("2026-06-29 22:00"), utc("2026-06-30 14:00")),
        (utc("2026-07-01 00:00"), utc("2026-07-01 11:00")),
    )


def test_several_spans_of_a_day_are_kept_apart_and_joined_where_they_touch() -> None:
    """A pause at noon is a pause; two spans that touch are one."""
    pause = window(every_day(Span(time(9), time(12)), Span(time(14), time(18))))
    joined = window(every_day(Span(time(9), time(12)), Span(time(12), time(18))))
    day = utc("2026-03-02 00:00"), utc("2026-03-03 00:00")
    assert [end - start for start, end in hours(pause, "UTC").intervals(*day)] == [
        timedelta(hours=3),
        timedelta(hours=4),
    ]
    assert [end - start for start, end in hours(joined, "UTC").intervals(*day)] == [
        timedelta(hours=9)
    ]


def test_hours_go_on_over_midnight() -> None:
    """Open to the end of one day and from the start of the next is one interval, by the clock and over midnight UTC."""
    weekend = window({"sat": (Span(time(8), None),), "sun": (Span(time(0), time(10)),)})
    assert hours(weekend, "UTC").intervals(utc("2026-03-06 00:00"), utc("2026-03-10 00:00")) == (
        (utc("2026-03-07 08:00"), utc("2026-03-08 10:00")),
    )
    tokyo = hours(CHINA, "Asia/Tokyo")
    assert tokyo.closing(utc("2026-03-01 23:30")) == utc("2026-03-02 13:00")


def test_hours_that_never_close_are_told_to_the_horizon() -> None:
    """Without a window all is allowed; a closing is looked for as far as the horizon and no further."""
    start = utc("2026-03-02 00:00")
    assert Hours(()).open_at(start) and Hours(()).closed_by(start) == ()
    assert Hours(()).closing(start) == start + HORIZON
    assert Hours(()).intervals(start, start + 90 * DAY) == ((start, start + 90 * DAY),)
    assert Hours(()).next_opening(start, start) is None
    later = window(every_day(Span(time(8), time(9))), since=date(2027, 1, 1))
    assert hours(later, "UTC").closing(start) == start + HORIZON


def test_a_closing_is_asked_of_hours_that_are_open() -> None:
    """To ask for the closing of what is closed is a mistake of ours."""
    with pytest.raises(AssertionError, match="not open"):
        hours(CHINA, SHANGHAI).closing(utc("2026-03-02 15:00"))


def test_a_gap_over_an_edge_opens_at_the_jump_and_a_fold_opens_twice() -> None:
    """New York 2026: clocks jump from 2 to 3 on 8 March, and show the hour from 1 to 2 twice on 1 November."""
    gap = window(every_day(Span(time(2, 30), time(4))))
    assert hours(gap, NEW_YORK).intervals(utc("2026-03-08 05:00"), utc("2026-03-09 00:00")) == (
        (utc("2026-03-08 07:00"), utc("2026-03-08 08:00")),
    )
    fold = window(every_day(Span(time(1, 15), time(1, 45))))
    assert hours(fold, NEW_YORK).intervals(utc("2026-11-01 04:00"), utc("2026-11-02 00:00")) == (
        (utc("2026-11-01 05:15"), utc("2026-11-01 05:45")),
        (utc("2026-11-01 06:15"), utc("2026-11-01 06:45")),
    )


TIMES = st.integers(0, 24 * 4 - 1).map(lambda n: time(n // 4, n % 4 * 15))


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Draw none, one or two spans of a day, in order."""
    edges = sorted(draw(st.lists(TIMES, max_size=4, unique=True)))
    inclusive = draw(st.booleans())
    pairs = zip(edges[::2], edges[1::2], strict=False)
    found = [Span(opens, closes, inclusive) for opens, closes in pairs]
    if len(edges) % 2 and draw(st.booleans()):
        found.append(Span(edges[-1], None))
    return tuple(found)


@st.composite
def windows(draw: st.DrawFn, around: date) -> Rule:
    """Draw a window with hours for each weekday, and perhaps for holidays, that may begin or end near a date."""
    days = {name: draw(spans()) for name in WEEKDAYS}
    if draw(st.booleans()):
        days[HOLIDAY] = draw(spans())
    near = st.integers(-3, 3).map(lambda n: around + n * DAY)
    since = draw(st.just(date(2000, 1, 1)) | near)
    until = draw(st.none() | st.integers(1, 4).map(lambda n: since + n * DAY))
    return window(days, since, until)


@given(data=st.data())
def test_hours_are_what_each_clock_says(data: st.DataObject) -> None:
    """Property: an instant is open if and only if a look at the clock of each zone allows it, around changes of clocks;
    intervals hold exactly these instants, and their ends are where the answer changes.
    """
    zone, on = data.draw(st.sampled_from((*CHANGES, (SHANGHAI, date(2026, 12, 31)))))
    names = tuple(dict.fromkeys([zone, *data.draw(st.lists(st.sampled_from(ZONES), max_size=1))]))
    rule = data.draw(windows(on))
    some = hours(rule, *names, calendar=BRAZIL)
    start = datetime.combine(on, time(12), UTC) - data.draw(st.integers(0, 40)) * timedelta(hours=1)
    end = start + timedelta(hours=60)
    found = some.intervals(start, end)
    for (_, before), (after, _) in pairwise(found):
        assert before < after
    edges = {each for interval in found for each in interval}
    probes = {start + n * timedelta(minutes=15) for n in range(240)}
    probes |= {each + offset for each in edges for offset in (-TICK, timedelta(), TICK)}
    for probe in sorted(probes):
        if start <= probe < end:
            expected = all(allows(rule, probe, name, BRAZIL) for name in names)
            assert some.open_at(probe) is expected
            assert any(opens <= probe < closes for opens, closes in found) is expected
            opening = some.next_opening(probe, end)
            later = (max(opens, probe) for opens, closes in found if probe < closes)
            assert opening == next(later, None)
            if expected and some.closing(probe) < end:
                assert not all(allows(rule, some.closing(probe), name, BRAZIL) for name in names)


def test_a_search_over_years_keeps_few_days() -> None:
    """Memory is bounded, and what was forgotten is worked out again."""
    china = hours(CHINA, SHANGHAI)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert (
        china.intervals(start, start + 3000 * DAY)[-1]
        == china.intervals(start + 2999 * DAY, start + 3000 * DAY)[-1]
    )


def test_a_timetable_is_of_a_window() -> None:
    """Another kind of rule has no hours, and a week without any never opens."""
    closed = window(every_day())
    assert Timetable(closed, "UTC", None).parts_of(date(2026, 3, 2)) == ()
    promise = replace(closed, terms=CooloffTerms(CooloffAfter.PROMISE, 7, Scope.PERSON))
    with pytest.raises(AssertionError, match="no window"):
        Timetable(promise, "UTC", None)
