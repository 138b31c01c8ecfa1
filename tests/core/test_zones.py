"""Zones: a civil date and a local time become one instant, on the days on which clocks change too."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

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
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "a\x00b", "x" * 300]
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    """Whatever the text is, it is either a zone or refused; no file outside the database is opened."""
    with pytest.raises(Rejected) as caught:
        zones.zone(name)
    assert caught.value.code == "unknown_zone"
