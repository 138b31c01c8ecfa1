"""Zones: a civil date and a local time become one instant, on the days on which clocks change too."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from zoneinfo._common import load_data, load_tzdata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import zones
from betimes.core.errors import Rejected
from tests.core.support import DAY, ZONES

MINUTE = timedelta(minutes=1)

# Days around a change of clocks: gap, fold, half an hour, midnight, a whole day.
CHANGES = (
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 17)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("Europe/London", date(2026, 3, 29)),
    ("America/Nuuk", date(2026, 3, 28)),
    ("America/Nuuk", date(2026, 10, 24)),
)


@pytest.mark.parametrize(
    ("zone", "on", "at", "expected"),
    [
        ("Asia/Shanghai", date(2026, 3, 9), time(10), "2026-03-09T02:00"),
        # New York skips 02:00-03:00: half past two is moved on by the hour that is missing.
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:30"),
        # New York has 01:30 twice: the first one.
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
        # Lord Howe changes by half an hour.
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:45"),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-04T14:45"),
        # Samoa had no 30 December 2011: ten on that day is ten on the next.
        ("Pacific/Apia", date(2011, 12, 30), time(10), "2011-12-30T20:00"),
        ("Pacific/Apia", date(2011, 12, 31), time(10), "2011-12-30T20:00"),
        # São Paulo and Cairo had and have no midnight on these days.
        ("America/Sao_Paulo", date(2018, 11, 4), time(0), "2018-11-04T03:00"),
        ("Africa/Cairo", date(2026, 4, 24), time(0, 30), "2026-04-23T22:30"),
        # The hour before midnight comes twice in Cairo.
        ("Africa/Cairo", date(2026, 10, 29), time(23, 30), "2026-10-29T20:30"),
    ],
)
def test_a_local_time_is_one_instant(zone: str, on: date, at: time, expected: str) -> None:
    """A skipped time moves forward by the length of the gap; one that comes twice means its first occurrence."""
    assert zones.instant(on, at, zone) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_time_that_comes_twice_has_a_second_occurrence() -> None:
    """Asked for, it is the later one; elsewhere nothing changes."""
    twice = zones.instant(date(2026, 11, 1), time(1, 30), "America/New_York", second=True)
    assert twice == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    once = zones.instant(date(2026, 11, 2), time(1, 30), "America/New_York", second=True)
    assert once == zones.instant(date(2026, 11, 2), time(1, 30), "America/New_York")


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_minute_of_a_day_of_change_is_read_back(zone: str, day: date) -> None:
    """Walking all real minutes of three days: each shows a local time whose instants include that minute."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    for n in range(3 * 24 * 60):
        now = at + n * MINUTE
        on, clock = zones.local_date(now, zone), zones.local_time(now, zone)
        found = {zones.instant(on, clock, zone, second=second) for second in (False, True)}
        assert now in found


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_local_minute_of_a_day_of_change_has_one_instant(zone: str, day: date) -> None:
    """It shows that very time, or, where the clocks skip it, the time later by the length of the gap."""
    for n in range(24 * 60):
        wanted = time(n // 60, n % 60)
        got = zones.instant(day, wanted, zone)
        assert got.tzinfo is UTC
        shown = datetime.combine(zones.local_date(got, zone), zones.local_time(got, zone))
        late = shown - datetime.combine(day, wanted)
        assert late in (timedelta(), timedelta(minutes=30), timedelta(hours=1), DAY)
        if late:
            # No instant of these days shows the wanted time.
            assert zones.instant(day, wanted, zone, second=True) < got


@given(st.dates(date(1975, 1, 1), date(2190, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_an_instant_is_later_than_the_same_time_of_the_day_before(
    on: date, at: time, zone: str
) -> None:
    """Days follow each other in every zone; only Samoa's missing day equals its successor."""
    before, after = zones.instant(on - DAY, at, zone), zones.instant(on, at, zone)
    assert before < after or (zone, on) == ("Pacific/Apia", date(2011, 12, 31))


# Days on which the civil date itself is odd: it comes back after midnight, has another length, or never was.
DAYS = (
    ("America/St_Johns", date(2006, 10, 28)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Pacific/Apia", date(2011, 12, 29)),
    ("Pacific/Apia", date(2011, 12, 31)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("Asia/Shanghai", date(2026, 3, 9)),
)


@lru_cache(maxsize=64)
def minutes_around(zone: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Return every minute (UTC) from two days before `day` to two days after it with what clocks of the zone show."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - 2 * DAY
    clock = zoneinfo.ZoneInfo(zone)
    minutes = [start + n * MINUTE for n in range(5 * 24 * 60)]
    return tuple((at, at.astimezone(clock).replace(tzinfo=None, fold=0)) for at in minutes)


@pytest.mark.parametrize(("zone", "day"), CHANGES + DAYS)
def test_a_civil_day_has_the_minutes_that_show_its_date(zone: str, day: date) -> None:
    """Against walking all minutes of five days: how long the date is shown in all, and when first."""
    shown = [at for at, wall in minutes_around(zone, day) if wall.date() == day]
    assert zones.day_hours(day, zone) == Fraction(len(shown), 60)
    assert zones.first_instant(day, zone) == (shown[0] if shown else None)


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Australia/Lord_Howe", date(2026, 10, 4), Fraction(47, 2)),
        ("Australia/Lord_Howe", date(2026, 4, 5), Fraction(49, 2)),
        ("Pacific/Apia", date(2011, 12, 31), Fraction(24)),
    ],
)
def test_hours_of_a_day_are_exact(zone: str, on: date, hours: Fraction) -> None:
    """Half hours as well; the day after a missing one is an ordinary day."""
    assert zones.day_hours(on, zone) == hours


def test_a_date_that_never_was_has_no_hours() -> None:
    """Apia went from 29 to 31 December 2011 at midnight."""
    on = date(2011, 12, 30)
    assert zones.day_hours(on, "Pacific/Apia") == 0
    assert zones.first_instant(on, "Pacific/Apia") is None
    assert zones.first_instant(on + DAY, "Pacific/Apia") == datetime(2011, 12, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "day"), CHANGES + DAYS)
def test_stretches_tell_the_offset_of_every_minute(zone: str, day: date) -> None:
    """They follow one another without a hole, from midnight to midnight UTC."""
    for on in (day - DAY, day, day + DAY):
        found = zones.stretches(on, zone)
        assert found[0].start == datetime(on.year, on.month, on.day, tzinfo=UTC)
        assert found[-1].end == found[0].start + DAY
        assert all(one.end == other.start for one, other in pairwise(found))
        for at, wall in minutes_around(zone, day):
            for stretch in found:
                if stretch.start <= at < stretch.end:
                    assert (at + stretch.offset).replace(tzinfo=None) == wall


@given(
    st.sampled_from(CHANGES + DAYS),
    st.lists(st.integers(0, 24 * 60), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_spans_hold_exactly_the_minutes_of_their_times(
    place: tuple[str, date], edges: list[int]
) -> None:
    """Against walking minute by minute, with edges inside gaps and folds too; parts of a day do not touch."""
    zone, day = place
    opens, closes = (timedelta(minutes=edge) for edge in edges)
    midnight = time(0)
    for on in (day - DAY, day, day + DAY):
        found = zones.spans(on, zone, opens, closes)
        assert all(one[1] < other[0] for one, other in pairwise(found))
        inside = {
            at
            for at, wall in minutes_around(zone, day)
            if at.date() == on and opens <= wall - datetime.combine(wall.date(), midnight) < closes
        }
        assert inside == {
            start + n * MINUTE for start, end in found for n in range((end - start) // MINUTE)
        }


def test_two_changes_of_clocks_never_share_a_day() -> None:
    """What `stretches` relies on, read from the database itself: all zones, all recorded changes."""
    checked = 0
    for name in (resources.files("tzdata") / "zones").read_text("utf-8").split():
        with load_tzdata(name) as data:
            kinds, changes, offsets, *_ = load_data(data)
        before, last = offsets[0], None
        for kind, at in zip(kinds, changes, strict=True):
            if offsets[kind] != before:
                assert last is None or at - last > 2 * 24 * 3600, name
                before, last = offsets[kind], at
                checked += 1
    assert checked > 10_000


@given(st.datetimes(datetime(1971, 1, 1), datetime(2190, 1, 1)))
def test_text_and_instant_are_the_same_thing(naive: datetime) -> None:
    """Writing and reading loses no microsecond, in whatever zone the instant came."""
    at = naive.replace(tzinfo=UTC)
    assert zones.from_text(zones.to_text(at)) == at
    assert zones.to_text(at.astimezone(timezone(timedelta(hours=8)))) == zones.to_text(at)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2190, 1, 1)),
    st.datetimes(datetime(1971, 1, 1), datetime(2190, 1, 1)),
)
def test_text_sorts_as_time_does(one: datetime, other: datetime) -> None:
    """Keys are compared as text."""
    first, second = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    assert (zones.to_text(first) < zones.to_text(second)) is (first < second)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-09",
        "2026-03-09T02:00:00Z",
        "2026-03-09T02:00:00.000000+08:00",
        "20260309T020000",
    ],
)
def test_only_our_own_form_is_read_as_an_instant(text: str) -> None:
    """Text of another length, zone or form is an error."""
    with pytest.raises(ValueError):
        zones.from_text(text)


def test_an_instant_without_a_zone_is_not_written() -> None:
    """A naive time is no instant."""
    with pytest.raises(AssertionError):
        zones.to_text(datetime(2026, 3, 9))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "../etc/passwd",
        "/etc/localtime",
        "a\x00b",
        "x" * 300,
        # Some machines have these too: their own setting, no zone at all, and clocks that count leap seconds.
        "localtime",
        "posixrules",
        "Factory",
        "posix/Asia/Shanghai",
        "right/Asia/Shanghai",
    ],
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    """Whatever the text is, it is either a zone or refused; no file outside the database is opened."""
    with pytest.raises(Rejected) as caught:
        zones.zone(name)
    assert caught.value.code == "unknown_zone"


def test_midnights_between_two_instants_leave_both_out() -> None:
    """In order, each time anew; a midnight that a zone skips is where its day begins."""
    start, end = datetime(2018, 11, 3, 3, tzinfo=UTC), datetime(2018, 11, 5, 2, tzinfo=UTC)
    for _ in range(2):
        assert list(zones.midnights("America/Sao_Paulo", start, end)) == [start + DAY]
    after = start - timedelta(microseconds=1)
    assert list(zones.midnights("America/Sao_Paulo", after, end + timedelta(microseconds=1))) == [
        start,
        start + DAY,
        end,
    ]
