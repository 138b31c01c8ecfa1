"""Ageing: days past due and their bucket, to the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.ageing import age, bucket, days_past_due
from tests.core.support import utc
from tests.factories import obligation

DUE = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("dpd", "name"),
    [
        (-30, "C"), (0, "C"), (1, "M1"), (30, "M1"), (31, "M2"), (60, "M2"), (61, "M3"), (90, "M3"),
        (91, "M3+"), (3650, "M3+"),
    ],
)  # fmt: skip
def test_the_edges_of_the_buckets(dpd: int, name: str) -> None:
    """C up to the due date, M1 to 30 days, M2 to 60, M3 to 90, M3+ above."""
    assert bucket(dpd) == name


def test_the_first_day_past_due_is_the_day_after() -> None:
    """On the due date itself nothing is overdue; before it the count is negative."""
    assert [days_past_due(DUE, DUE + timedelta(days=n)) for n in (-1, 0, 1)] == [-1, 0, 1]
    assert days_past_due(date(2024, 2, 28), date(2024, 3, 1)) == 2


def test_what_is_settled_or_has_its_minimum_is_current() -> None:
    """Long after the due date too."""
    later = DUE + timedelta(days=100)
    assert age(obligation(), later) == (100, "M3+")
    assert age(obligation(paid_minor=12_000), later) == (0, "C")
    assert age(obligation(paid_minor=11_999), later) == (100, "M3+")
    assert age(obligation(minimum_minor=0, paid_minor=0), later) == (100, "M3+")
    assert age(obligation(settled_at=utc("2026-03-01 00:00")), later) == (0, "C")


@given(st.integers(-400, 4000))
def test_age_never_falls_as_time_passes(days: int) -> None:
    """And is never negative."""
    order = ["C", "M1", "M2", "M3", "M3+"]
    today = DUE + timedelta(days=days)
    dpd, name = age(obligation(), today)
    next_dpd, next_name = age(obligation(), today + timedelta(days=1))
    assert 0 <= dpd <= next_dpd <= dpd + 1
    assert order.index(name) <= order.index(next_name)
