"""The contact window: exact to the microsecond at both edges, on every day of every zone."""

from __future__ import annotations

import tomllib
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.rules import Window, parse_window
from tests.core.support import DAY, RULES, SECOND, TICK, ZONES, utc
from tests.core.test_zones import CHANGES

CN = RULES.window("CN")
HOUSE = RULES.window("HOUSE")
SHANGHAI = "Asia/Shanghai"
MINUTE = timedelta(minutes=1)
SHIPPED: dict[str, Any] = tomllib.loads(
    (resources.files("betimes.packs") / "rules" / "CN.toml").read_text("utf-8")
)


def window(opens: time, closes: time) -> Window:
    """Return a window of some jurisdiction."""
    return Window("X", "X", opens, closes, "verified", "made up for a test")


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        ("07:59:59.999999", False),
        ("08:00:00", True),
        ("08:00:01", True),
        ("21:59:59", True),
        ("21:59:59.999999", True),
        ("22:00:00", False),
        ("22:00:01", False),
        ("23:59:59", False),
        ("00:00:00", False),
        ("12:00:00", True),
    ],
)
def test_the_window_is_half_open(local: str, allowed: bool) -> None:
    """Allowed at the very opening, no more at the very closing."""
    at = zones.instant(date(2026, 3, 9), time.fromisoformat(local), SHANGHAI)
    assert CN.allows(at, SHANGHAI) is allowed


def test_the_next_opening_is_now_or_the_next_morning() -> None:
    """Now inside the window, today before it, tomorrow from its closing on."""
    assert CN.next_opening(utc("2026-03-09 02:00"), SHANGHAI) == utc("2026-03-09 02:00")
    assert CN.next_opening(utc("2026-03-08 23:59"), SHANGHAI) == utc("2026-03-09 00:00")
    assert CN.next_opening(utc("2026-03-09 14:00"), SHANGHAI) == utc("2026-03-10 00:00")
    assert CN.next_opening(utc("2026-03-08 16:00"), SHANGHAI) == utc("2026-03-09 00:00")


def test_the_closing_of_a_closed_window_is_a_mistake() -> None:
    """Only what is open can close."""
    with pytest.raises(AssertionError):
        CN.closing(utc("2026-03-09 14:00"), SHANGHAI)


@pytest.mark.parametrize("rule", [CN, HOUSE], ids=["CN", "HOUSE"])
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_minute_around_a_change_of_clocks(rule: Window, zone: str, day: date) -> None:
    """Against walking minute by minute: open exactly while the wall clock is in the window, next opening and
    closing are the first minutes at which that changes.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    minutes = [start + n * MINUTE for n in range(5 * 24 * 60)]
    walls = [at.astimezone(zoneinfo.ZoneInfo(zone)) for at in minutes]
    is_open = [
        rule.opens.hour * 60 <= wall.hour * 60 + wall.minute < rule.closes.hour * 60
        for wall in walls
    ]
    opening = closing = None
    for n in reversed(range(len(minutes))):
        if is_open[n]:
            opening = minutes[n]
        else:
            closing = minutes[n]
        if n >= 3 * 24 * 60:
            continue  # what lies behind is needed to know what comes next
        at = minutes[n]
        assert rule.allows(at, zone) is is_open[n]
        assert rule.next_opening(at, zone) == opening
        if is_open[n]:
            assert rule.closing(at, zone) == closing


def _changes_of_clocks(name: str, first: int, last: int) -> list[datetime]:
    """Return the instants from year `first` to `last` at which clocks of the zone change, by bisection."""
    zone = zoneinfo.ZoneInfo(name)
    found = []
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    while at < end:
        after = at + timedelta(days=10)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            low, high = at, after
            while high - low > SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        at = after
    return found


def test_no_zone_of_the_world_opens_the_window_at_night() -> None:
    """All IANA zones, all changes of clocks of two years: one second around each edge of that and the next day."""
    checked = 0
    for name in sorted(zoneinfo.available_timezones()):
        for change in _changes_of_clocks(name, 2026, 2027):
            for day in range(-1, 3):
                on = zones.local_date(change + day * DAY, name)
                for rule in (CN, HOUSE):
                    opens = zones.instant(on, rule.opens, name)
                    closes = zones.instant(on, rule.closes, name)
                    assert rule.allows(opens, name)
                    assert not rule.allows(opens - TICK, name)
                    assert rule.closing(opens, name) == closes
                    assert rule.next_opening(opens - SECOND, name) == opens
                    for edge in (closes - SECOND, closes, closes + SECOND):
                        wall = edge.astimezone(zoneinfo.ZoneInfo(name)).time()
                        assert rule.allows(edge, name) is (rule.opens <= wall < rule.closes)
                    checked += 1
    assert checked > 1_000


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(ZONES),
    st.integers(0, 22),
    st.integers(1, 23),
)
def test_any_window_answers_at_any_instant(
    naive: datetime, zone: str, one: int, other: int
) -> None:
    """Whatever its hours: the next opening is allowed and not before, and a closing lies ahead."""
    if one == other:
        other += 1
    rule = window(time(min(one, other)), time(max(one, other)))
    at = naive.replace(tzinfo=UTC)
    opening = rule.next_opening(at, zone)
    assert opening >= at
    assert opening - at <= 2 * DAY
    if rule.allows(at, zone):
        assert opening == at
    if rule.allows(opening, zone):
        assert rule.closing(opening, zone) > opening


def test_a_window_that_clocks_close_twice_does_not_stop_us() -> None:
    """In New York the hour after one o'clock comes twice: a window until half past one is open twice, and each time
    there is a closing ahead.
    """
    rule = window(time(0), time(1, 30))
    second = utc("2026-11-01 06:10")
    assert rule.allows(second, "America/New_York")
    assert rule.closing(second, "America/New_York") == utc("2026-11-01 06:30")


def test_an_unknown_jurisdiction_gets_the_narrower_house_window() -> None:
    """What is unknown makes us quieter: the house window lies inside every window shipped."""
    assert RULES.window("ZZ") is HOUSE
    for rule in RULES.windows.values():
        assert rule.opens <= HOUSE.opens < HOUSE.closes <= rule.closes


@pytest.mark.parametrize(
    "fields",
    [
        {"extra": 1},
        {"opens": "22:00"},
        {"opens": "23:00"},
        {"opens": 8},
        {"opens": "8"},
        {"opens": "08:00+08:00"},
        {"opens": "08:00Z", "closes": "22:00Z"},
        {"closes": None},
        {"status": "certain"},
        {"citation": ""},
        {"citation": 3},
        {"jurisdiction": ""},
        {"id": None},
    ],
)
def test_a_rule_with_a_typing_error_is_refused(fields: dict[str, Any]) -> None:
    """Every refusal is "bad_rule" and names the file."""
    with pytest.raises(Rejected) as caught:
        parse_window({**SHIPPED, **fields}, "rules/x.toml")
    assert caught.value.code == "bad_rule"
    assert "rules/x.toml" in caught.value.message


@pytest.mark.parametrize("key", sorted(SHIPPED))
def test_a_rule_lacks_nothing(key: str) -> None:
    """Each key is needed."""
    with pytest.raises(Rejected) as caught:
        parse_window({k: v for k, v in SHIPPED.items() if k != key}, "x")
    assert caught.value.field == key
