"""Working days: which dates are holidays or make-up workdays, and where a date goes that is none of them.

A calendar knows the years that its authority has published and answers for no other. China moves its festivals and its
make-up workdays by a notice that comes out some weeks before the year, so a date in a year without a notice has no
answer yet: `roll` refuses it, `rolled` leaves it where it is and calls it provisional, and once the year is published
`difference` says what the new calendar changes. A notice may also change the last days of the year before it, so two
calendars are compared over every day that both publish.

Saturday and Sunday are days off unless they are make-up workdays; a make-up workday wins over the weekend, a holiday
over a weekday.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from betimes.core.errors import Rejected
from betimes.core.product import Roll
from betimes.core.values import dataclass

WEEKEND: Final = frozenset({5, 6})  # as date.weekday() counts: Saturday and Sunday
STATUSES: Final = ("verified", "secondary", "unverified", "draft")
YEARS: Final = range(1970, 2200)
_DAY: Final = timedelta(days=1)


class Unpublished(ValueError):
    """The calendar does not know the year: `year` and the name of the `calendar`."""

    def __init__(self, year: int, calendar: str) -> None:
        super().__init__(f"the calendar {calendar} is not published for {year}")
        self.year = year
        self.calendar = calendar

    def __reduce__(self) -> tuple[type[Unpublished], tuple[int, str]]:
        return (type(self), (self.year, self.calendar))


class DayKind(StrEnum):
    """What a day is in a calendar. A holiday on a Sunday is a holiday."""

    WORKDAY = "workday"
    MAKE_UP = "make_up"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


CLOSED: Final = frozenset({DayKind.WEEKEND, DayKind.HOLIDAY})


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one jurisdiction in the years `published`.

    `holidays` are days off, also those that fall on a weekend; `workdays` are make-up workdays, which only mean
    something on a weekend. `weekend` holds days of the week, 0 for Monday. `status` says how well the data is known,
    one of `STATUSES`; `source` is what it rests on.
    """

    name: str
    jurisdiction: str
    source: str
    published: frozenset[int]
    holidays: frozenset[date]
    workdays: frozenset[date] = frozenset()
    weekend: frozenset[int] = WEEKEND
    status: str = "unverified"

    def __post_init__(self) -> None:
        both = self.holidays & self.workdays
        assert not both, f"{self.name}: {min(both, default='')} is a holiday and a make-up workday"
        # Without it a search for the next workday would find none.
        assert self.weekend < frozenset(range(7)), f"{self.name}: a week without a workday"

    def kind(self, on: date) -> DayKind:
        """Return what `on` is.

        Raises:
            Unpublished: its year is not published.
        """
        if on.year not in self.published:
            raise Unpublished(on.year, self.name)
        if on in self.holidays:
            return DayKind.HOLIDAY
        if on.weekday() not in self.weekend:
            return DayKind.WORKDAY
        return DayKind.MAKE_UP if on in self.workdays else DayKind.WEEKEND

    def is_workday(self, on: date) -> bool:
        """Return whether `on` is a working day, make-up workdays included.

        Raises:
            Unpublished: its year is not published.
        """
        return self.kind(on) not in CLOSED


@dataclass(frozen=True, slots=True)
class Rolled:
    """A date as it stands, `on`, and as it was before its convention, `nominal_on`.

    `provisional` means that the convention could not be applied yet, because a year it needs is not published; then
    both dates are the same.
    """

    on: date
    nominal_on: date
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new calendar changes, each in order of time.

    `published` and `withdrawn` are the years that only the new or only the old calendar publishes; `opened` and
    `closed` are the days of the years that both publish which became a workday or a day off.
    """

    published: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()
    opened: tuple[date, ...] = ()
    closed: tuple[date, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.published or self.withdrawn or self.opened or self.closed)


def roll(on: date, convention: Roll, calendar: Calendar) -> date:
    """Return `on` itself if it is a workday, else the workday that `convention` puts in its place.

    Following takes the next workday, preceding the one before; modified following takes the next one unless that
    lies in another month, else the one before. In a month that holds no workday at all, modified following cannot stay
    in it and takes the one before.

    Raises:
        Unpublished: a day that decides the answer lies in a year that is not published. The last days of a month are
            rolled back by modified following without a look at the next year, unadjusted looks at no year.

    Source: ISDA 2006 Definitions, section 4.12; Civil Code of the PRC, article 203, is following.
    """
    match convention:
        case Roll.UNADJUSTED:
            return on
        case Roll.FOLLOWING:
            return _first(on, _DAY, calendar)
        case Roll.PRECEDING:
            return _first(on, -_DAY, calendar)
        case Roll.MODIFIED_FOLLOWING:
            day = on
            while (day.year, day.month) == (on.year, on.month):
                if calendar.is_workday(day):
                    return day
                day += _DAY
            return _first(on, -_DAY, calendar)


def rolled(on: date, convention: Roll, calendar: Calendar | None) -> Rolled:
    """Return where `on` goes by `convention`, and whether that is provisional; never raises and never guesses.

    Where a year that decides is not published, the date stays where it is and is provisional. Without a calendar, or
    unadjusted, the date stays where it is and that is final.
    """
    if calendar is None:
        return Rolled(on, on)
    try:
        return Rolled(roll(on, convention, calendar), on)
    except Unpublished:
        return Rolled(on, on, provisional=True)


def next_workday(on: date, calendar: Calendar) -> date:
    """Return the first workday after `on`, never `on` itself.

    Raises:
        Unpublished: it, or a day before it, lies in a year that is not published.
    """
    return _first(on + _DAY, _DAY, calendar)


def previous_workday(on: date, calendar: Calendar) -> date:
    """Return the last workday before `on`, never `on` itself.

    Raises:
        Unpublished: it, or a day after it, lies in a year that is not published.
    """
    return _first(on - _DAY, -_DAY, calendar)


def add_workdays(on: date, count: int, calendar: Calendar) -> date:
    """Return the `count`-th workday after `on`, before it where `count` is negative.

    `on` is not counted, whether it is a workday or not; a `count` of 0 returns it as it is.

    Raises:
        Unpublished: a day on the way lies in a year that is not published.
    """
    step = next_workday if count > 0 else previous_workday
    for _ in range(abs(count)):
        on = step(on, calendar)
    return on


def is_open(on: date, calendar: Calendar, closed: frozenset[DayKind] = CLOSED) -> bool:
    """Return whether `on` is none of the kinds `closed`: for rules and lenders that do not contact on such days.

    In a year that is not published a day is closed if it could be any of `closed`: what is unknown makes us quieter.
    Never raises.
    """
    try:
        return calendar.kind(on) not in closed
    except Unpublished:
        usual = {DayKind.WEEKEND, DayKind.MAKE_UP, DayKind.HOLIDAY}
        if on.weekday() not in calendar.weekend:
            usual = {DayKind.WORKDAY, DayKind.HOLIDAY}
        return not usual & closed


def difference(old: Calendar, new: Calendar) -> Difference:
    """Return what `new` changes against `old`; false in a condition if nothing does.

    A date in a year of `published` may have been provisional; whether one date moves is `rolled` under both.
    """
    opened: list[date] = []
    closed: list[date] = []
    for year in sorted(old.published & new.published):
        for day in days_of(year):
            if old.is_workday(day) != (now_open := new.is_workday(day)):
                (opened if now_open else closed).append(day)
    return Difference(
        published=tuple(sorted(new.published - old.published)),
        withdrawn=tuple(sorted(old.published - new.published)),
        opened=tuple(opened),
        closed=tuple(closed),
    )


def days_of(year: int) -> Iterator[date]:
    """Yield every day of `year` in order."""
    first = date(year, 1, 1).toordinal()
    for number in range(first, date(year, 12, 31).toordinal() + 1):
        yield date.fromordinal(number)


def _first(on: date, step: timedelta, calendar: Calendar) -> date:
    """Return the first workday from `on` in the direction of `step`; bounded by the years that are published."""
    while not calendar.is_workday(on):
        on += step
    return on


_NEEDED: Final = {"name", "jurisdiction", "source", "status", "published", "holidays"}
_KEYS: Final = _NEEDED | {"workdays", "weekend"}


def parse(document: Mapping[str, Any], source: str) -> Calendar:
    """Return the calendar in a parsed TOML document; `source` names the file in errors.

    Keys: `name`, `jurisdiction`, `source`, `status` (one of `STATUSES`), `published` (years), `holidays` and, where
    there are any, `workdays` (make-up workdays): dates without quotes. `weekend` holds days of the week from 0 for
    Monday to 6 for Sunday, [5, 6] if left out.

    Raises:
        Rejected: code "bad_calendar", field = key, when a key is unknown, missing or of the wrong form; when no year is
            published; when a date is listed twice, is both a holiday and a make-up workday, or lies in a year that is
            not published; when a make-up workday is no weekend day; when the week has no workday.
    """
    for key in sorted(set(document) - _KEYS):
        raise _bad(source, key, f"is unknown; known: {', '.join(sorted(_KEYS))}")
    for key in sorted(_NEEDED - set(document)):
        raise _bad(source, key, "is missing")
    for key in ("name", "jurisdiction", "source", "status"):
        if not isinstance(document[key], str) or not document[key]:
            raise _bad(source, key, "is no text")
    if document["status"] not in STATUSES:
        raise _bad(source, "status", f"is none of {', '.join(STATUSES)}")
    published = _numbers(document, "published", source, YEARS)
    weekend = _numbers(document, "weekend", source, range(7)) if "weekend" in document else WEEKEND
    if not published:
        raise _bad(source, "published", "names no year, so the calendar would answer nothing")
    if len(weekend) == 7:
        raise _bad(source, "weekend", "leaves no workday in a week")
    holidays = _dates(document, "holidays", source, published)
    workdays = _dates(document, "workdays", source, published)
    for day in sorted(holidays & workdays):
        raise _bad(source, "workdays", f"holds {day}, which is also a holiday; leave one out")
    for day in sorted(workdays):
        if day.weekday() not in weekend:
            raise _bad(source, "workdays", f"holds {day}, which is no weekend day to be made up")
    return Calendar(
        name=document["name"],
        jurisdiction=document["jurisdiction"],
        source=document["source"],
        published=published,
        holidays=holidays,
        workdays=workdays,
        weekend=weekend,
        status=document["status"],
    )


def _numbers(document: Mapping[str, Any], key: str, source: str, allowed: range) -> frozenset[int]:
    numbers = document[key]
    if not isinstance(numbers, list):
        raise _bad(source, key, "is no list")
    for place, number in enumerate(numbers):
        if type(number) is not int or number not in allowed:
            raise _bad(source, key, f"holds {number!r}, not from {allowed[0]} to {allowed[-1]}")
        if number in numbers[:place]:
            raise _bad(source, key, f"holds {number} twice")
    return frozenset(numbers)


def _dates(
    document: Mapping[str, Any], key: str, source: str, published: frozenset[int]
) -> frozenset[date]:
    days = document.get(key, [])
    if not isinstance(days, list):
        raise _bad(source, key, "is no list of dates")
    seen: set[date] = set()
    for day in days:
        # A datetime is a date to Python; a calendar has no use for its time.
        if type(day) is not date:
            raise _bad(source, key, f"holds {day!r}; write a date without quotes: 2026-10-01")
        if day in seen:
            raise _bad(source, key, f"holds {day} twice")
        if day.year not in published:
            raise _bad(source, key, f"holds {day}, but {day.year} is not in 'published'; add it")
        seen.add(day)
    return frozenset(seen)


def _bad(source: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_calendar", key, f"{source}: {key!r} {problem}")
