"""The calendars that are part of the package: China from a maintained package, others from files of `packs/calendars`.

The package for China is imported when China's calendar is first asked for: a function that rolls no date does not pay
for it (docs/decisions/0008-calendars.md).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Final

from betimes.adapters import pack_files
from betimes.core import workdays
from betimes.core.errors import Rejected
from betimes.core.workdays import Calendar

CHINA: Final = "CN"


@lru_cache(maxsize=32)
def calendar(name: str) -> Calendar:
    """Return the shipped calendar called `name`, the same object on every call.

    Raises:
        Rejected: code "unknown_calendar", when there is none of this name, with the names there are; "bad_toml" or
            "bad_calendar", when its file is malformed, with the file's name.
    """
    if name == CHINA:
        return _china()
    file = _files().get(name)
    if file is None:
        raise Rejected(
            "unknown_calendar",
            "calendar",
            f"there is no calendar {name!r}; shipped: {', '.join(shipped())}",
        )
    place = f"calendars/{file.name}"
    return read(pack_files.text(file, place), place, name)


def shipped() -> tuple[str, ...]:
    """Return the names `calendar` knows, sorted."""
    return tuple(sorted({CHINA, *_files()}))


def read(text: str, source: str, name: str) -> Calendar:
    """Return the calendar in the TOML `text` of the file `source`, which has to be called `name`.

    Raises:
        Rejected: code "bad_toml", when it is no TOML, which a date that does not exist makes it; "bad_calendar", when
            the content is malformed or the calendar has another name.
    """
    found = workdays.parse(pack_files.parsed(text, source), source)
    if found.name != name:
        raise Rejected(
            "bad_calendar",
            "name",
            f"{source}: 'name' is {found.name!r}, but the file says {name!r}",
        )
    return found


def published_years(holidays: Collection[date]) -> frozenset[int]:
    """Return the years of China whose notice is in `holidays`: those with both 1 January and 1 October.

    Days around New Year may be listed with the year before or after, so one date alone does not publish a year.
    """
    new_years = {day.year for day in holidays if (day.month, day.day) == (1, 1)}
    national_days = {day.year for day in holidays if (day.month, day.day) == (10, 1)}
    return frozenset(new_years & national_days)


def _china() -> Calendar:
    """Return China's calendar: days off and make-up workdays (调休) by the yearly notice of the State Council."""
    import chinese_calendar

    published = published_years(chinese_calendar.holidays.keys())
    return Calendar(
        name=CHINA,
        jurisdiction="CN",
        source=f"chinesecalendar {chinese_calendar.__version__}, from the State Council's notices",
        published=published,
        holidays=frozenset(day for day in chinese_calendar.holidays if day.year in published),
        workdays=frozenset(day for day in chinese_calendar.workdays if day.year in published),
        status="secondary",
    )


def _files() -> dict[str, Traversable]:
    return {file.name.removesuffix(".toml"): file for file in pack_files.in_folder("calendars")}
