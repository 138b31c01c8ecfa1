"""Hours of contact: the instants that every window in force allows, by every clock that may be the consumer's.

Windows are sets of instants and are intersected as such, never as the hours of one date, because ten in the morning of
one zone may lie on another date than ten in the morning of the next. Each civil date of each zone has the hours of its
weekday, or of a holiday, if the rule is in force on that date, and all of the day if it is not.

Clocks that jump forward over an edge open or close at the jump; clocks that are set back over one open or close twice
(`zones.stretches`, as `zones.spans` has it). In a year that the calendar of a rule does not publish, a day is open only
when it would be open as a holiday and as its weekday.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from betimes.core import zones
from betimes.core.rule import HOLIDAY, WEEKDAYS, Rule, Span, WindowTerms
from betimes.core.values import dataclass
from betimes.core.workdays import Calendar, DayKind, Unpublished

# How far ahead an end is looked for: longer than any shutdown for festivals, short enough to be searched day by day.
HORIZON: Final = timedelta(days=35)

Interval = tuple[datetime, datetime]
_Times = tuple[tuple[timedelta, timedelta], ...]

_DAY: Final = timedelta(days=1)
_MIDNIGHT: Final = time()
# The resolution of an instant: a span that contains its closing time ends one tick later.
_TICK: Final = timedelta(microseconds=1)
_ALL_DAY: Final[_Times] = ((timedelta(), _DAY),)
# Few days are asked for again and again; a search that goes through years starts its memory anew.
_DAYS_KEPT: Final = 1024


class Timetable:
    """When one rule lets contact through by the clocks of one zone; remembers the days it was asked for."""

    __slots__ = ("_calendar", "_days", "_holiday", "_week", "rule", "zone")

    def __init__(self, rule: Rule, zone: str, calendar: Calendar | None) -> None:
        """Take a window rule, one zone, and the calendar that says what a holiday is (None: not known)."""
        assert isinstance(rule.terms, WindowTerms), f"{rule.id} is no window"
        days = rule.terms.days
        self.rule = rule
        self.zone = zone
        self._calendar = calendar
        self._week = [_times(days.get(name, ())) for name in WEEKDAYS]
        self._holiday = _times(days[HOLIDAY]) if HOLIDAY in days else None
        self._days: dict[date, tuple[Interval, ...]] = {}

    def times_on(self, on: date) -> _Times:
        """Return the hours [opens, closes) of the civil date `on`, counted from the midnight of the clock, in order."""
        if not self.rule.is_in_force(on):
            return _ALL_DAY
        usual = self._week[on.weekday()]
        if self._holiday is None:
            return usual
        either = _common(usual, self._holiday)
        if self._calendar is None:
            return either
        try:
            is_holiday = self._calendar.kind(on) is DayKind.HOLIDAY
        except Unpublished:
            return either
        return self._holiday if is_holiday else usual

    def parts_of(self, day: date) -> tuple[Interval, ...]:
        """Return the open parts [start, end) of the UTC day `day`, in order; none touches the next one."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            found = self._days[day] = self._parts_of(day)
        return found

    def _parts_of(self, day: date) -> tuple[Interval, ...]:
        found: list[Interval] = []
        for stretch in zones.stretches(day, self.zone):
            on = (stretch.start + stretch.offset).date()
            # Every civil date of the stretch: an offset is below a day, so there are two at most.
            while (midnight := _midnight(on) - stretch.offset) < stretch.end:
                for opens, closes in self.times_on(on):
                    start = max(midnight + opens, stretch.start)
                    end = min(midnight + closes, stretch.end)
                    if start < end:
                        goes_on = bool(found) and found[-1][1] == start
                        found.append((found.pop()[0] if goes_on else start, end))
                on += _DAY
        return tuple(found)

    def part_at(self, at: datetime) -> Interval | None:
        """Return the open part of a UTC day that `at` lies in, None when it is closed."""
        for part in self.parts_of(_day(at)):
            if part[0] <= at < part[1]:
                return part
        return None

    def next_opening(self, at: datetime, until: datetime) -> datetime | None:
        """Return the first allowed instant in [at, until), `at` itself when it is one; None where there is none."""
        day, last = _day(at), _day(until)
        while day <= last:
            for start, end in self.parts_of(day):
                if at < end:
                    return max(start, at) if max(start, at) < until else None
            day += _DAY
        return None

    def closing(self, at: datetime, limit: datetime) -> datetime:
        """Return the first instant from `at` on that is not allowed, `limit` where it is allowed all the way there."""
        while at < limit and (part := self.part_at(at)):
            at = part[1]
        return min(at, limit)


_Days = dict[date, tuple[Interval, ...]]


@dataclass(frozen=True, slots=True)
class Hours:
    """The instants that all of `tables` allow: one for each window rule and each zone. Without any, all instants."""

    tables: tuple[Timetable, ...]
    rules: tuple[Rule, ...] = field(init=False, compare=False, repr=False)
    rule_ids: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _days: _Days = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        found = {table.rule.id: table.rule for table in self.tables}
        self.rule_ids = tuple(sorted(found))  # type: ignore[misc]  # follows from the tables
        self.rules = tuple(found[id_] for id_ in self.rule_ids)  # type: ignore[misc]  # so does this
        self._days = _Days()  # type: ignore[misc]  # no part of the value

    def parts_of(self, day: date) -> tuple[Interval, ...]:
        """Return the parts [start, end) of the UTC day `day` that every window allows, in order; none touches the next
        one.
        """
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            start = _midnight(day)
            parts: list[Interval] = [(start, start + _DAY)]
            for table in self.tables:
                parts = [
                    (max(start, other[0]), min(end, other[1]))
                    for start, end in parts
                    for other in table.parts_of(day)
                    if start < other[1] and other[0] < end
                ]
            found = self._days[day] = tuple(parts)
        return found

    def part_at(self, at: datetime) -> Interval | None:
        """Return the part of a UTC day that `at` lies in and every window allows, None when one does not."""
        for part in self.parts_of(_day(at)):
            if part[0] <= at < part[1]:
                return part
        return None

    def open_at(self, at: datetime) -> bool:
        """Return whether every window allows the instant `at`."""
        return self.part_at(at) is not None

    def closed_by(self, at: datetime) -> tuple[str, ...]:
        """Return the ids of the rules that do not allow the instant `at`, each once, by id; empty when it is open."""
        return tuple(sorted({table.rule.id for table in self.tables if not table.part_at(at)}))

    def next_opening(self, at: datetime, until: datetime) -> datetime | None:
        """Return the first allowed instant in [at, until), None where there is none; `at` itself when it is allowed.

        Source: 12 CFR 1006.6(b)(1), conflicting facts about a location: convenient at every one (US.REGF.LOC).
        """
        day, last = _day(at), _day(until)
        while day <= last:
            for start, end in self.parts_of(day):
                if at < end:
                    opening = max(start, at)
                    return opening if opening < until else None
            day += _DAY
        return None

    def closing(self, at: datetime) -> datetime:
        """Return the first instant after `at`, which must be allowed, that some window no more allows.

        `at` + `HORIZON` where all of it is allowed until there. For a window that contains its closing time this is one
        microsecond after that time.
        """
        limit, end = at + HORIZON, at
        while end < limit and (part := self.part_at(end)):
            end = part[1]
        assert at < end, "asked for the closing of hours that are not open"
        return min(end, limit)

    def intervals(self, start: datetime, end: datetime) -> tuple[Interval, ...]:
        """Return the longest allowed intervals [opening, closing) within [start, end), in order; may be empty.

        They are cut at both ends: one that is open at `start` begins there.
        """
        found: list[Interval] = []
        at = start
        while (opening := self.next_opening(at, end)) is not None:
            at = min(self.closing(opening), end)
            goes_on = bool(found) and found[-1][1] == opening
            found.append((found.pop()[0] if goes_on else opening, at))
        return tuple(found)


def _day(at: datetime) -> date:
    """Return the UTC day of an instant."""
    return at.date() if at.tzinfo is UTC else at.astimezone(UTC).date()


def _midnight(on: date) -> datetime:
    return datetime.combine(on, _MIDNIGHT, UTC)


def _times(spans: Sequence[Span]) -> _Times:
    """Return spans as times since midnight, in order, those joined that touch or overlap."""
    found: list[tuple[timedelta, timedelta]] = []
    for opens, closes in sorted((_since_midnight(each.opens), _end(each)) for each in spans):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes))
        elif opens < closes:
            found.append((opens, closes))
    return tuple(found)


def _end(span: Span) -> timedelta:
    if span.closes is None:
        return _DAY
    return _since_midnight(span.closes) + (_TICK if span.closes_inclusive else timedelta())


def _since_midnight(at: time) -> timedelta:
    return timedelta(
        hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond
    )


def _common(one: _Times, other: _Times) -> _Times:
    """Return the times that lie in both."""
    common = (
        (max(opens, others_open), min(closes, others_close))
        for opens, closes in one
        for others_open, others_close in other
    )
    return tuple(sorted(each for each in common if each[0] < each[1]))
