"""Rules of contact: in this release the daily window in which a jurisdiction allows contact.

A window is an interval of the borrower's local time. It always contains the time at which it opens; whether it contains
the one at which it closes is said by each rule, because laws differ ("between 22:00 and 08:00", "after 9 pm"). A
jurisdiction without a pack of its own gets the house window, which is narrower than any pack shipped: what is unknown
makes us quieter, never louder.

Several facts about where somebody lives may conflict. Then contact is allowed only when every candidate zone allows it:
sets of instants are intersected, never the windows of one date, because ten in the morning of one zone may lie on
another date than ten in the morning of the next. Where nothing is common, the answer is None: wait, and ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.values import dataclass

HOUSE = "HOUSE"
STATUSES = ("verified", "secondary", "unverified", "draft")

# How far ahead an instant is searched that all zones allow. Weeks differ by changes of clocks only: where nothing is
# common for eight days, better evidence is the way out and not waiting.
HORIZON_DAYS = 8
_HORIZON = timedelta(days=HORIZON_DAYS)
_DAY = timedelta(days=1)
# The resolution of an instant: a window that contains its closing time ends one tick later.
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """When contact is allowed, with the citation it rests on and how well that citation is known.

    `opens` is always inside; `closes` is inside where `closes_inclusive` says so. `zones` are the candidate zones of
    the jurisdiction, for a borrower of whose zone nothing is known; may be empty.
    """

    id: str
    jurisdiction: str
    opens: time
    closes: time
    status: str
    citation: str
    closes_inclusive: bool = False
    zones: tuple[str, ...] = ()

    def allows(self, at: datetime, zone: str) -> bool:
        """Return whether contact is allowed at the instant `at` by the clocks of one zone.

        True at `opens`. At `closes` true only where that is inside; one microsecond later always false.
        """
        clock = zones.local_time(at, zone)
        return self.opens <= clock < self.closes or (self.closes_inclusive and clock == self.closes)

    def next_opening(self, at: datetime, zone: str) -> datetime:
        """Return the first allowed instant that is not before `at` (UTC); `at` itself when it is allowed."""
        for start, end in self._spans(at, zone):
            if at < end:
                return max(start, at)
        raise AssertionError(f"the window {self.id} opens within {HORIZON_DAYS} days")

    def closing(self, at: datetime, zone: str) -> datetime:
        """Return the first instant after `at`, which must be allowed, that is no more allowed (UTC).

        For a window that contains its closing time this is one microsecond after that time.
        """
        for start, end in self._spans(at, zone):
            if start <= at < end:
                return end
        raise AssertionError("asked for the closing of a window that is not open")

    def _spans(self, at: datetime, zone: str) -> tuple[tuple[datetime, datetime], ...]:
        """Return the longest allowed intervals from the UTC day of `at` to the horizon, in order, cut at both ends."""
        today = at.astimezone(UTC).date()
        return _spans_from(today, zone, self.opens, self.closes, self.closes_inclusive)

    def next_opening_in(self, at: datetime, zones: Sequence[str]) -> datetime | None:
        """Return the first instant, not before `at`, that the clocks of every one of `zones` allow (UTC).

        None when there is none within `HORIZON_DAYS` days of `at`, and when `zones` is empty: of nobody's clock nothing
        is known then, and a caller takes the candidates of the jurisdiction instead. The order of `zones` is of no
        account.

        Source: 12 CFR 1006.6(b)(1), conflicting facts about a location: convenient at every one (US.REGF.LOC).
        """
        common = at
        # Each round goes on to an opening of some zone, of which there are few within the horizon.
        while zones and common < at + _HORIZON:
            latest = max(self.next_opening(common, zone) for zone in zones)
            if latest == common:
                return common
            common = latest
        return None

    def closing_in(self, at: datetime, zones: Sequence[str]) -> datetime:
        """Return the first instant after `at` that some clock of `zones` no more allows; every one must allow `at`."""
        assert zones, "no zone, no window"
        return min(self.closing(at, zone) for zone in zones)

    def intervals(
        self, zones: Sequence[str], start: datetime, end: datetime
    ) -> tuple[tuple[datetime, datetime], ...]:
        """Return the longest intervals [opening, closing) that every clock of `zones` allows and that begin in
        [start, end), in order (UTC); may be empty.

        One that is open already just before `start` is not among them; the closing of the last may lie after `end`.
        """
        found = []
        at = start
        if zones and all(
            self.allows(each, zone) for each in (start - _TICK, start) for zone in zones
        ):
            at = self.closing_in(start, zones)
        while at < end:
            opening = self.next_opening_in(at, zones)
            if opening is None:
                at += _HORIZON
            elif opening >= end:
                break
            else:
                at = self.closing_in(opening, zones)
                found.append((opening, at))
        return tuple(found)


# Remembered: few windows, zones and days, very many questions.
@lru_cache(maxsize=4096)
def _spans_from(
    today: date, zone: str, opens: time, closes: time, closes_inclusive: bool
) -> tuple[tuple[datetime, datetime], ...]:
    after = _since_midnight(closes) + (_TICK if closes_inclusive else timedelta())
    found: list[tuple[datetime, datetime]] = []
    for n in range(HORIZON_DAYS + 1):
        for start, end in zones.spans(today + n * _DAY, zone, _since_midnight(opens), after):
            # What goes on over midnight UTC is one interval.
            goes_on = bool(found) and found[-1][1] == start
            found.append((found.pop()[0] if goes_on else start, end))
    assert len(found) > 1, f"a window opens and closes within {HORIZON_DAYS} days"
    return tuple(found)


def _since_midnight(at: time) -> timedelta:
    return timedelta(
        hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """The windows of all loaded packs by jurisdiction; always holds the house window."""

    windows: Mapping[str, Window]

    def window(self, jurisdiction: str) -> Window:
        """Return the window for `jurisdiction`, the house window where it has no pack."""
        return self.windows.get(jurisdiction) or self.windows[HOUSE]

    def candidates(self, jurisdiction: str) -> tuple[str, ...]:
        """Return the zones a borrower may live in of whose zone nothing is known but the jurisdiction.

        Where its pack lists none, and where there is no pack, these are the zones of the house: a spread around the
        world that has no hour of the house window in common, so that nobody is contacted before more is known.
        """
        return self.window(jurisdiction).zones or self.windows[HOUSE].zones


_KEYS = {"id", "jurisdiction", "opens", "closes", "status", "citation"}
_OPTIONAL = {"closes_inclusive", "zones"}


def parse_window(document: Mapping[str, Any], source: str) -> Window:
    """Return the window rule in a parsed TOML document; `source` names the file in errors.

    `closes_inclusive` (default false) and `zones` (default none) may be left out.

    Raises:
        Rejected: code "bad_rule", when a key is unknown, missing or of the wrong form, when the window is empty or
        never closes, when a zone is unknown or told twice, or when there is no citation.
    """
    for key in sorted((set(document) - _OPTIONAL) ^ _KEYS):
        raise _bad(source, key, "is unknown" if key in document else "is missing")
    opens, closes = (_local_time(document[key], source, key) for key in ("opens", "closes"))
    inclusive = document.get("closes_inclusive", False)
    if not isinstance(inclusive, bool):
        raise _bad(source, "closes_inclusive", "is neither true nor false")
    if opens >= closes:
        raise _bad(source, "closes", "lies before the window opens")
    if inclusive and (opens, closes) == (time.min, time.max):
        raise _bad(source, "closes", "leaves no time of the day closed")
    if document["status"] not in STATUSES:
        raise _bad(source, "status", f"is none of {', '.join(STATUSES)}")
    for key in ("id", "jurisdiction", "citation"):
        if not isinstance(document[key], str) or not document[key]:
            raise _bad(source, key, "is no text")
    return Window(
        id=document["id"],
        jurisdiction=document["jurisdiction"],
        opens=opens,
        closes=closes,
        status=document["status"],
        citation=document["citation"],
        closes_inclusive=inclusive,
        zones=_zones(document.get("zones", []), source),
    )


def _local_time(value: object, source: str, key: str) -> time:
    if not isinstance(value, str):
        raise _bad(source, key, 'is no text such as "08:00"; write the time in quotes')
    try:
        at = time.fromisoformat(value)
    except ValueError:
        raise _bad(source, key, 'is no time of day: write it as "08:00", to "23:59:59"') from None
    if at.tzinfo is not None:
        raise _bad(source, key, "is the borrower's local time and carries no zone")
    return at


def _zones(value: object, source: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _bad(source, "zones", 'is no list of zones such as ["Asia/Shanghai"]')
    for name in value:
        try:
            zones.zone(name)
        except Rejected as error:
            raise _bad(source, "zones", f"holds {name!r}: {error.message}") from None
    if len(set(value)) != len(value):
        raise _bad(source, "zones", "holds a zone twice")
    return tuple(value)


def _bad(source: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_rule", key, f"{source}: {key!r} {problem}")
