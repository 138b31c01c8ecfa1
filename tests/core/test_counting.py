"""Counting days: which day is day 1, what a cap over consecutive days holds, and which text is in force."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.counting import (
    Cap,
    Dated,
    Scope,
    credit_repair_may_be_named,
    earliest_due,
    first_after,
    in_force,
    last_of,
    revocation_scope,
)

DAY = timedelta(days=1)
JUNE = date(2026, 6, 1)
SEVEN = Cap(most=7, days=7)
DATES = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(DATES, st.integers(1, 400))
def test_a_period_has_as_many_days_as_it_says(first: date, days: int) -> None:
    """The first and the last are inside, and the next day is the first outside."""
    last = last_of(first, days)
    assert (last - first).days + 1 == days
    assert first_after(first, days) == last + DAY


def test_one_day_ends_on_itself() -> None:
    """Month ends and the leap day are days like others."""
    assert last_of(JUNE, 1) == JUNE
    assert last_of(date(2028, 2, 28), 3) == date(2028, 3, 1)


@given(DATES, st.integers(0, 400))
def test_the_day_of_mailing_does_not_count(mailed: date, days: int) -> None:
    """At least so many days lie between; one day earlier is one too few."""
    assert (earliest_due(mailed, days) - mailed).days == days


@pytest.mark.parametrize("days", [0, -1])
def test_a_period_without_a_day_is_a_mistake(days: int) -> None:
    """Ours, since a pack that says so has been refused before."""
    with pytest.raises(AssertionError):
        last_of(JUNE, days)


def test_what_comes_later_counts_too() -> None:
    """A call of an agency on the 10th, reported first: one on the 8th would be the eighth in the week to the 10th."""
    week = [date(2026, 6, day) for day in (5, 6, 7, 9, 9, 10, 10)]
    assert not SEVEN.allows(week, date(2026, 6, 8))
    assert SEVEN.allows(week[:-1], date(2026, 6, 8))


def test_a_day_counts_as_often_as_it_was_used() -> None:
    """Seven calls on one day fill its week."""
    calls = [JUNE] * 7
    assert not SEVEN.allows(calls, JUNE)
    assert not SEVEN.allows(calls, JUNE + 6 * DAY)
    assert SEVEN.next_allowed(calls, JUNE) == JUNE + 7 * DAY


@given(
    st.lists(st.integers(0, 30), max_size=20),
    st.integers(0, 30),
    st.integers(1, 4),
    st.integers(1, 8),
)
def test_a_cap_holds_in_every_run_of_days(
    used: list[int], asked: int, most: int, days: int
) -> None:
    """Against counting: of a history within the cap, one more is allowed exactly when no run of days goes beyond it."""
    cap = Cap(most, days)
    history: list[date] = []
    for day in used:
        if cap.allows(history, JUNE + day * DAY):
            history.append(JUNE + day * DAY)

    def worst(dates: list[date]) -> int:
        return max(
            sum(start <= (on - JUNE).days < start + days for on in dates)
            for start in range(-days, 40)
        )

    assert worst(history) <= most
    on = JUNE + asked * DAY
    assert cap.allows(history, on) is (worst([*history, on]) <= most)
    following = cap.next_allowed(history, on)
    assert following >= on and cap.allows(history, following)
    assert not any(cap.allows(history, on + n * DAY) for n in range((following - on).days))


@pytest.mark.parametrize(("most", "days"), [(0, 7), (7, 0)])
def test_a_cap_of_nothing_is_a_mistake(most: int, days: int) -> None:
    """What is never allowed is a suppression and no cap."""
    with pytest.raises(AssertionError):
        Cap(most, days)


def test_a_text_is_in_force_from_its_first_day_until_before_its_end() -> None:
    """Before and after it the quieter value applies."""
    text = [Dated("said", "made up for a test", JUNE, JUNE + 2 * DAY)]
    shown = [in_force(text, JUNE + n * DAY, "silent") for n in range(-1, 3)]
    assert shown == ["silent", "said", "said", "silent"]


def test_a_text_without_an_end_stays() -> None:
    """Until further notice."""
    assert in_force([Dated(1, "made up for a test", JUNE)], date(2199, 1, 1), 0) == 1


def test_two_texts_at_once_are_a_mistake() -> None:
    """Which one counts would be a guess; on the other days there is no doubt."""
    texts = [
        Dated(1, "one", JUNE, JUNE + 2 * DAY),
        Dated(2, "other", JUNE + DAY),
    ]
    assert in_force(texts, JUNE, 0) == 1
    assert in_force(texts, JUNE + 2 * DAY, 0) == 2
    with pytest.raises(AssertionError, match="other"):
        in_force(texts, JUNE + DAY, 0)


@pytest.mark.parametrize("end", [JUNE, JUNE - DAY])
def test_a_text_that_is_never_in_force_is_a_mistake(end: date) -> None:
    """A period has a day."""
    with pytest.raises(AssertionError):
        Dated(1, "made up for a test", JUNE, end)


@given(DATES)
def test_what_is_not_known_to_be_in_force_makes_us_quieter(on: date) -> None:
    """A revocation reaches the whole person but in the period in which it need not; a promise of the law is made in its
    own period only.
    """
    assert (revocation_scope(on) is Scope.TOPIC) is (date(2025, 4, 11) <= on <= date(2027, 1, 30))
    assert credit_repair_may_be_named(on) is (date(2025, 12, 22) <= on <= date(2026, 3, 31))
