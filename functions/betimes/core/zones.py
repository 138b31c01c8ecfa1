"""Local time lives here and nowhere else: (civil date, local time, zone) becomes an instant, and back.

A due date is a date. An instant is an aware UTC datetime. The two meet only through a zone, as late as possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from betimes.core.errors import Rejected

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


# A machine's folder of zones may hold more than zones: its own setting, a place holder, a second set of clocks that
# counts leap seconds. None of it means the same on every machine.
_NO_ZONE = re.compile(r"(localtime|posixrules|Factory)$|(posix|right)/")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the zone called `name` (IANA).

    Raises:
        Rejected: code "unknown_zone".
    """
    try:
        if _NO_ZONE.match(name):
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Rejected(
            "unknown_zone", "zone", "a zone is an IANA time zone such as Asia/Shanghai"
        ) from None


# Remembered: a bill day gives the same few instants to very many obligations.
@lru_cache(maxsize=8192)
def instant(on: date, at: time, zone_name: str, *, second: bool = False) -> datetime:
    """Return the UTC instant at which clocks in the zone show `at` on the civil date `on`.

    A time that a change of clocks skips is moved forward by the length of the gap; one that occurs twice means its
    first occurrence, with `second` its second one. So a reminder is neither lost to a gap nor doubled by a fold.

    Source: RFC 5545 section 3.3.5 (local times in gaps and folds).
    """
    return datetime.combine(on, at.replace(fold=int(second)), zone(zone_name)).astimezone(UTC)


# Remembered, like `instant`: one look asks for the day of one instant many times.
@lru_cache(maxsize=8192)
def local_date(at: datetime, zone_name: str) -> date:
    """Return the civil date in the zone at the instant `at`."""
    return at.astimezone(zone(zone_name)).date()


def local_time(at: datetime, zone_name: str) -> time:
    """Return the naive wall-clock time in the zone at the instant `at`."""
    return at.astimezone(zone(zone_name)).time()


class Stretch(NamedTuple):
    """Instants from `start` until before `end` (UTC) in which clocks of a zone run evenly, `offset` ahead of UTC."""

    start: datetime
    end: datetime
    offset: timedelta


@lru_cache(maxsize=8192)
def stretches(day: date, zone_name: str) -> tuple[Stretch, ...]:
    """Return the UTC day `day` cut where clocks of the zone change: one stretch, or two in order on a day of change.

    Two changes of one zone never share a day: the closest pair in the IANA database (2026) lies 167 hours apart.
    """
    start = datetime.combine(day, time(), UTC)
    end = start + _DAY
    before, after = _offset(start, zone_name), _offset(end - _SECOND, zone_name)
    if before == after:
        return (Stretch(start, end, before),)
    # Clocks change on a whole second; `change` is the first one that has the new offset.
    last, change = start, end - _SECOND
    while change - last > _SECOND:
        middle = last + (change - last) // _SECOND // 2 * _SECOND
        if _offset(middle, zone_name) == before:
            last = middle
        else:
            change = middle
    return Stretch(start, change, before), Stretch(change, end, after)


def _offset(at: datetime, zone_name: str) -> timedelta:
    offset = at.astimezone(zone(zone_name)).utcoffset()
    assert offset is not None, "a zone of the database always has an offset"
    return offset


# Remembered for the same reason as `instant`: few zones and days, very many questions.
@lru_cache(maxsize=8192)
def spans(
    day: date, zone_name: str, opens: timedelta, closes: timedelta
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the parts [start, end) of the UTC day `day` in which clocks of the zone show a time in [opens, closes).

    `opens` and `closes` are times of day, counted from the midnight of the clock. The parts are in order, do not touch
    one another, and may be none. A part that reaches the end of the UTC day may go on in the next one. Clocks that jump
    forward over an edge open or close at the jump; clocks that are set back over one open or close twice.
    """
    found: list[tuple[datetime, datetime]] = []
    for stretch in stretches(day, zone_name):
        on = (stretch.start + stretch.offset).date()
        # Every civil date of the stretch: an offset is below a day, so there are two at most.
        while (midnight := datetime.combine(on, time(), UTC) - stretch.offset) < stretch.end:
            start = max(midnight + opens, stretch.start)
            end = min(midnight + closes, stretch.end)
            if start < end:
                if found and found[-1][1] == start:
                    start = found.pop()[0]
                found.append((start, end))
            on += _DAY
    return tuple(found)


def _parts_of(on: date, zone_name: str) -> list[tuple[datetime, datetime]]:
    """Return the parts of UTC days in which the civil date in the zone is `on`, in order."""
    parts = []
    for day in (on - _DAY, on, on + _DAY):
        for stretch in stretches(day, zone_name):
            midnight = datetime.combine(on, time(), UTC) - stretch.offset
            start, end = max(midnight, stretch.start), min(midnight + _DAY, stretch.end)
            if start < end:
                parts.append((start, end))
    return parts


def day_hours(on: date, zone_name: str) -> Fraction:
    """Return how many hours the civil date `on` has in the zone, exactly.

    24 on nearly all days; 23 or 25 where clocks change by an hour, 47/2 or 49/2 by half of one (Lord Howe), and 0 on a
    date that the zone never had (Apia, 2011-12-30). So days past due are a difference of dates and never hours by 24.
    """
    parts = _parts_of(on, zone_name)
    return Fraction(sum((end - start for start, end in parts), timedelta()) // _SECOND, 3600)


def first_instant(on: date, zone_name: str) -> datetime | None:
    """Return the first instant (UTC) of the civil date `on` in the zone, None on a date that the zone never had.

    On most days clocks show midnight then; where midnight is skipped they show the end of the gap (Cairo, 01:00).
    """
    parts = _parts_of(on, zone_name)
    return parts[0][0] if parts else None


def midnights(zone_name: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the midnights of a zone between two instants, both left out, in order."""
    on = local_date(start, zone_name)
    while True:
        on += _DAY
        at = instant(on, time.min, zone_name)
        if at >= end:
            return
        if at > start:
            yield at


# Remembered, like `instant`: the agenda, the records and the reports write the same instants again and again.
@lru_cache(maxsize=8192)
def to_text(at: datetime) -> str:
    """Return an instant as sortable UTC text of fixed width: `2026-03-09T02:00:00.000000Z`."""
    assert at.tzinfo is not None, "an instant carries its zone"
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """Return the instant that `to_text` wrote.

    Raises:
        ValueError: the text has another form.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is not UTC or len(text) != _TEXT_LENGTH:
        raise ValueError(f"{text!r} is not an instant of the form 2026-03-09T02:00:00.000000Z")
    return at


_TEXT_LENGTH = len("2026-03-09T02:00:00.000000Z")
