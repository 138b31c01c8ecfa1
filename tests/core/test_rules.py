"""The contact window: exact to the microsecond at both edges, on every day of every zone."""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.rules import Rules, Window, parse_window
from tests.core.support import DAY, RULES, SECOND, TICK, ZONES, utc
from tests.core.test_zones import CHANGES

CN = RULES.window("CN")
HOUSE = RULES.window("HOUSE")
SHANGHAI = "Asia/Shanghai"
MINUTE = timedelta(minutes=1)
SHIPPED: dict[str, Any] = tomllib.loads(
    (resources.files("betimes.packs") / "rules" / "CN.toml").read_text("utf-8")
)


OPTIONAL = {"closes_inclusive", "zones"}
NEW_YORK = "America/New_York"


def window(opens: time, closes: time, *, closes_inclusive: bool = False) -> Window:
    """Return a window of some jurisdiction."""
    return Window("X", "X", opens, closes, "verified", "made up for a test", closes_inclusive)


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
    assert rule.allows(second, NEW_YORK)
    assert rule.closing(second, NEW_YORK) == utc("2026-11-01 06:30")


def test_a_window_that_closes_in_a_gap_closes_at_the_gap() -> None:
    """New York skips 02:00 to 03:00 on 8 March 2026, at 07:00 UTC: a window until half past two is closed from then."""
    rule = window(time(1), time(2, 30))
    assert rule.closing(utc("2026-03-08 06:30"), NEW_YORK) == utc("2026-03-08 07:00")
    assert not rule.allows(utc("2026-03-08 07:00"), NEW_YORK)


def test_a_window_that_opens_in_a_gap_opens_at_the_gap() -> None:
    """And not later by the length of the gap."""
    rule = window(time(2, 30), time(5))
    assert rule.next_opening(utc("2026-03-08 06:30"), NEW_YORK) == utc("2026-03-08 07:00")
    assert rule.allows(utc("2026-03-08 07:00"), NEW_YORK)


def test_a_window_inside_a_gap_does_not_open_that_day() -> None:
    """No clock shows a time of it; it opens the day after. Nor does any window on a date that never was."""
    rule = window(time(2, 10), time(2, 50))
    assert rule.next_opening(utc("2026-03-08 06:30"), NEW_YORK) == utc("2026-03-09 06:10")
    apia = "Pacific/Apia"
    assert CN.next_opening(utc("2011-12-30 08:00"), apia) == utc("2011-12-30 18:00")
    assert zones.local_date(utc("2011-12-30 18:00"), apia) == date(2011, 12, 31)


def test_a_window_goes_on_where_its_closing_is_skipped_together_with_the_night() -> None:
    """Nuuk jumps from 23:00 to midnight: a window of all day but the last half hour has no break in that night."""
    rule = window(time(0), time(23, 30))
    assert rule.closing(utc("2026-03-28 12:00"), "America/Nuuk") == utc("2026-03-30 00:30")


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        ("07:59:59.999999", False),
        ("08:00:00", True),
        ("20:59:59.999999", True),
        ("21:00:00", True),
        ("21:00:00.000001", False),
        ("21:00:01", False),
    ],
)
def test_a_window_may_contain_its_closing_time(local: str, allowed: bool) -> None:
    """Then that very instant is inside, and the closing lies one tick later."""
    rule = window(time(8), time(21), closes_inclusive=True)
    at = zones.instant(date(2026, 3, 9), time.fromisoformat(local), NEW_YORK)
    assert rule.allows(at, NEW_YORK) is allowed
    end = utc("2026-03-10 01:00") + TICK
    if allowed:
        assert rule.closing(at, NEW_YORK) == end
        assert rule.next_opening(at, NEW_YORK) == at
    elif local > "21":
        assert rule.next_opening(at, NEW_YORK) == utc("2026-03-10 12:00")


# Several candidate zones


def test_conflicting_evidence_allows_what_every_zone_allows() -> None:
    """New York and Shanghai share two hours: the evening of one date, the morning of the next."""
    rule = window(time(8), time(21))
    both = (NEW_YORK, SHANGHAI)
    opening = rule.next_opening_in(utc("2026-11-24 12:00"), both)
    assert opening == utc("2026-11-25 00:00")
    assert rule.closing_in(opening, both) == utc("2026-11-25 02:00")


def test_what_is_open_everywhere_is_open_now() -> None:
    """The instant itself is the answer, to the microsecond; at the closing it is the next common opening."""
    both = (NEW_YORK, SHANGHAI)
    last = utc("2026-11-25 01:00") - TICK
    rule = window(time(8), time(20))
    assert rule.next_opening_in(last, both) == last
    assert rule.next_opening_in(last + TICK, both) == utc("2026-11-26 00:00")


def test_nothing_in_common_is_no_instant() -> None:
    """Los Angeles, London and Shanghai have no hour of a window of thirteen in common: wait, and ask."""
    rule = window(time(8), time(21))
    three = ("America/Los_Angeles", "Europe/London", SHANGHAI)
    assert rule.next_opening_in(utc("2026-11-24 00:00"), three) is None
    assert rule.intervals(three, utc("2026-11-24 00:00"), utc("2026-12-24 00:00")) == ()


def test_no_zone_is_no_instant() -> None:
    """Nothing known is not everything allowed; to ask for the end of nothing is a mistake."""
    assert CN.next_opening_in(utc("2026-11-24 02:00"), ()) is None
    assert CN.intervals((), utc("2026-11-24 00:00"), utc("2026-11-25 00:00")) == ()
    with pytest.raises(AssertionError):
        CN.closing_in(utc("2026-11-24 02:00"), ())


def test_common_hours_that_come_only_with_a_change_of_clocks_are_found() -> None:
    """On 8 March 2026 New York comes an hour nearer to Berlin. What begins less than eight days ahead is found."""
    rule = window(time(9), time(14, 30))
    both = (NEW_YORK, "Europe/Berlin")
    opening = utc("2026-03-08 13:00")
    assert rule.next_opening_in(opening - 8 * DAY + TICK, both) == opening
    assert rule.next_opening_in(opening - 8 * DAY, both) is None
    assert rule.closing_in(opening, both) == utc("2026-03-08 13:30")


@lru_cache(maxsize=32)
def _clocks(zone: str, day: date) -> tuple[datetime, ...]:
    """Return what clocks of the zone show at every minute from a day before `day` UTC, for eleven days."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    place = zoneinfo.ZoneInfo(zone)
    return tuple((start + n * MINUTE).astimezone(place) for n in range(11 * 24 * 60))


def _walk(rule: Window, names: Sequence[str], day: date) -> list[tuple[datetime, bool]]:
    """Return, for each of those minutes and for the second after it, whether every zone allows it. Clocks change on
    whole minutes and windows have edges on whole minutes, so nothing happens between the two but a closed end.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    opens, closes = (edge.hour * 60 + edge.minute for edge in (rule.opens, rule.closes))
    found = []
    for n, walls in enumerate(zip(*(_clocks(name, day) for name in names), strict=True)):
        shown = [wall.hour * 60 + wall.minute for wall in walls]
        at = start + n * MINUTE
        upto = closes + 1 if rule.closes_inclusive else closes
        found.append((at, all(opens <= minute < upto for minute in shown)))
        found.append((at + SECOND, all(opens <= minute < closes for minute in shown)))
    return found


@given(
    st.sampled_from(CHANGES),
    st.lists(st.sampled_from(ZONES), max_size=2),
    st.lists(st.integers(0, 95), min_size=2, max_size=2, unique=True).map(sorted),
    st.booleans(),
    st.lists(st.integers(0, 3 * 24 * 60 - 1), min_size=20, max_size=20),
)
def test_common_windows_agree_with_walking_minute_by_minute(
    place: tuple[str, date],
    others: list[str],
    quarters: list[int],
    closes_inclusive: bool,
    asked: list[int],
) -> None:
    """Around every kind of change of clocks, with edges in gaps and folds, with closed ends, for up to three zones:
    the opening is the first instant that a walk finds, the closing the first at which it stops, and the intervals are
    the runs in between.
    """
    zone, day = place
    names = (zone, *others)
    opens, closes = (time(quarter // 4, quarter % 4 * 15) for quarter in quarters)
    rule = window(opens, closes, closes_inclusive=closes_inclusive)
    walked = _walk(rule, names, day)
    runs: list[tuple[datetime, datetime]] = []
    for (before, was), (at, now) in pairwise(walked):
        if now and not was:
            runs.append((at, datetime.max.replace(tzinfo=UTC)))
        elif was and not now:
            # Open at a whole minute and closed a second later: the closing time itself was the last.
            end = before + TICK if at - before == SECOND else at
            runs[-1:] = [(runs[-1][0] if runs else walked[0][0], end)]
    for n in asked:
        at, allowed = walked[2 * n]
        found = next((max(at, start) for start, end in runs if end > at), None)
        if found is not None and found >= at + 8 * DAY:
            found = None
        assert rule.next_opening_in(at, names) == found
        assert rule.next_opening_in(at, names[::-1]) == found
        assert all(rule.allows(at, name) for name in names) is allowed
        if found is not None:
            end = next(end for start, end in runs if start <= found < end)
            assert rule.closing_in(found, names) == end
    first, last = walked[0][0] + DAY, walked[0][0] + 4 * DAY
    begun = tuple(run for run in runs if first <= run[0] < last)
    assert rule.intervals(names, first, last) == begun


def test_a_jurisdiction_says_where_its_people_may_live() -> None:
    """China keeps one time; of a jurisdiction without a pack nothing is known, so the zones of the house count."""
    assert RULES.candidates("CN") == (SHANGHAI,)
    assert RULES.candidates("ZZ") == RULES.candidates("HOUSE") == HOUSE.zones
    silent = Rules({"HOUSE": HOUSE, "X": window(time(8), time(21))})
    assert silent.candidates("X") == HOUSE.zones


def test_the_fifty_states_share_a_part_of_every_day() -> None:
    """From eight in Hawaii until nine in New York, that very instant included: on each day of a year, and no more."""
    us = RULES.window("US")
    assert us.allows(zones.instant(date(2026, 11, 24), time(21), NEW_YORK), NEW_YORK)
    shared = us.intervals(us.zones, utc("2026-01-01 12:00"), utc("2027-01-01 12:00"))
    assert len(shared) == 365
    for opening, closing in shared:
        assert zones.local_time(opening, "Pacific/Honolulu") == time(8)
        assert zones.local_time(closing - TICK, NEW_YORK) == time(21)


def test_the_zones_of_the_house_have_no_hour_in_common() -> None:
    """On no day of four years: whoever may live anywhere is not contacted on a guess."""
    for week in range(4 * 53):
        assert HOUSE.next_opening_in(utc("2026-01-01 00:00") + 7 * week * DAY, HOUSE.zones) is None


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
        {"closes_inclusive": "yes"},
        {"closes_inclusive": 1},
        {"opens": "00:00", "closes": "23:59:59.999999", "closes_inclusive": True},
        {"zones": SHANGHAI},
        {"zones": [8]},
        {"zones": ["Mars/Olympus"]},
        {"zones": [SHANGHAI, SHANGHAI]},
    ],
)
def test_a_rule_with_a_typing_error_is_refused(fields: dict[str, Any]) -> None:
    """Every refusal is "bad_rule" and names the file and one of the keys."""
    with pytest.raises(Rejected) as caught:
        parse_window({**SHIPPED, **fields}, "rules/x.toml")
    assert caught.value.code == "bad_rule"
    assert "rules/x.toml" in caught.value.message
    assert caught.value.field in {*fields, "closes"}  # an opening may be too late for the closing
    assert repr(caught.value.field) in caught.value.message


def test_an_end_is_open_and_candidates_are_none_unless_a_rule_says_otherwise() -> None:
    """Both keys may be left out."""
    rule = parse_window({k: v for k, v in SHIPPED.items() if k not in OPTIONAL}, "x")
    assert (rule.closes_inclusive, rule.zones) == (False, ())
    told = parse_window({**SHIPPED, "closes_inclusive": True, "zones": [NEW_YORK, SHANGHAI]}, "x")
    assert (told.closes_inclusive, told.zones) == (True, (NEW_YORK, SHANGHAI))


@pytest.mark.parametrize("key", sorted(set(SHIPPED) - OPTIONAL))
def test_a_rule_lacks_nothing(key: str) -> None:
    """Each of the other keys is needed."""
    with pytest.raises(Rejected) as caught:
        parse_window({k: v for k, v in SHIPPED.items() if k != key}, "x")
    assert caught.value.field == key
