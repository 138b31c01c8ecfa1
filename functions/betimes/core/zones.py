"""Local time lives here and nowhere else: (civil date, local time, zone) becomes an instant, and back.

A due date is a date. An instant is an aware UTC datetime. The two meet only through a zone, as late as possible.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from betimes.core.errors import Rejected


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the zone called `name` (IANA).

    Raises:
        Rejected: code "unknown_zone".
    """
    try:
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


def local_date(at: datetime, zone_name: str) -> date:
    """Return the civil date in the zone at the instant `at`."""
    return at.astimezone(zone(zone_name)).date()


def local_time(at: datetime, zone_name: str) -> time:
    """Return the naive wall-clock time in the zone at the instant `at`."""
    return at.astimezone(zone(zone_name)).time()


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
