"""Golden vectors of China's calendar: make-up workdays, rolls, and the refusal of a year without a notice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import pytest

from betimes.adapters.calendars import calendar
from betimes.core.product import Roll
from betimes.core.workdays import Rolled, Unpublished, days_of, roll, rolled
from tests.golden.vectors import GOLDEN

GROUP: Final[dict[str, Any]] = GOLDEN["calendar_cn"]
CN = calendar("CN")
CONVENTIONS = [Roll(name) for name in GROUP["roll_cols"][1:]]


@pytest.mark.parametrize("year", [2025, 2026])
def test_make_up_workdays(year: int) -> None:
    """Exactly these weekend days of the year are workdays."""
    expected = [date.fromisoformat(day) for day in GROUP[f"makeup_workdays_{year}"]]
    weekends = [day for day in days_of(year) if day.weekday() >= 5]
    assert [day for day in weekends if CN.is_workday(day)] == expected


@pytest.mark.parametrize("row", GROUP["roll"], ids=lambda row: row[0])
def test_rolls(row: list[str]) -> None:
    """Each date under each convention, and none of them provisional."""
    on, *expected = (date.fromisoformat(day) for day in row)
    assert [roll(on, convention, CN) for convention in CONVENTIONS] == expected
    assert [rolled(on, convention, CN) for convention in CONVENTIONS] == [
        Rolled(day, on) for day in expected
    ]


def test_the_year_without_a_notice_is_refused() -> None:
    """Every day of it by every convention that looks; a date in it stays where it is and is provisional.

    A version of the data that has the notice fails here: then the vector is due for its next year.
    """
    assert GROUP["unpublished"]["must"] == "refuse"
    for day in days_of(GROUP["unpublished"]["year"]):
        with pytest.raises(Unpublished):
            CN.is_workday(day)
        for convention in CONVENTIONS:
            with pytest.raises(Unpublished):
                roll(day, convention, CN)
            assert rolled(day, convention, CN) == Rolled(day, day, provisional=True)


def test_the_last_days_before_the_year_without_a_notice() -> None:
    """Following may need the next year, preceding and modified following do not."""
    last = date(GROUP["unpublished"]["year"], 1, 1) - timedelta(days=1)
    assert roll(last, Roll.PRECEDING, CN) <= last
    assert roll(last, Roll.MODIFIED_FOLLOWING, CN) <= last
