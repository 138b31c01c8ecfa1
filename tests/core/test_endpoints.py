"""An endpoint's life: growing waits, giving up after days without a success, and nothing else that ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.endpoints import (
    COUNTED_EVERY,
    JITTER,
    LASTING,
    LEAST,
    WAITS,
    Endpoint,
    Outcome,
    Why,
    wait_after,
)
from tests.factories import NOW

HOUR = timedelta(hours=1)
URL = "https://hooks.lender.example/in"
NEW = Endpoint("t1").at(URL)


def failing(hours: int, *, every: int = 6, start: Endpoint = NEW) -> Endpoint:
    """Return an endpoint that has failed each `every` hours, from NOW until `hours` later."""
    for hour in range(0, hours + 1, every):
        start = start.after(Outcome.FAILURE, NOW + hour * HOUR)
    return start


def test_days_without_a_success_end_it_at_the_edge() -> None:
    """The failure before the span is full does not; the one that fills it does, and says why and since when."""
    edge = LASTING // HOUR
    almost = failing(edge - 6)
    assert not almost.is_off
    assert not almost.after(Outcome.FAILURE, NOW + LASTING - timedelta(microseconds=1)).is_off
    ended = almost.after(Outcome.FAILURE, NOW + LASTING)
    assert (ended.off_at, ended.why, ended.failing_since) == (NOW + LASTING, Why.LASTING, NOW)


def test_a_quiet_endpoint_is_not_given_up_for_two_failures() -> None:
    """Days may lie between two messages: it takes some tries as well."""
    few = NEW
    for n in range(LEAST - 1):
        few = few.after(Outcome.FAILURE, NOW + n * LASTING)
    assert (few.failures, few.is_off) == (LEAST - 1, False)
    assert few.after(Outcome.FAILURE, NOW + LEAST * LASTING).is_off


def test_one_success_begins_anew() -> None:
    """However long it had failed before."""
    worked = failing(100).after(Outcome.SUCCESS, NOW + 101 * HOUR)
    assert (worked.failing_since, worked.failures, worked.worked_at) == (None, 0, NOW + 101 * HOUR)
    again = failing(6, start=worked)
    assert again == worked, "failures of before are told late"
    assert worked.after(Outcome.FAILURE, NOW + 102 * HOUR).failing_since == NOW + 102 * HOUR


def test_a_success_that_is_told_late_ends_no_newer_failure() -> None:
    """Workers tell in any order."""
    known = failing(12)
    assert known.after(Outcome.SUCCESS, NOW + 11 * HOUR) is known
    assert known.after(Outcome.SUCCESS, NOW + 12 * HOUR).failures == 0


def test_many_failures_at_once_count_once() -> None:
    """And are no change: nothing is to be written for them."""
    known = failing(0)
    for seconds in range(0, COUNTED_EVERY // timedelta(seconds=1), 7):
        assert known.after(Outcome.FAILURE, NOW + timedelta(seconds=seconds)) is known
    assert known.after(Outcome.FAILURE, NOW + COUNTED_EVERY).failures == 2


def test_a_working_endpoint_is_never_written() -> None:
    """A success on a success is the same endpoint."""
    assert NEW.after(Outcome.SUCCESS, NOW) is NEW


def test_gone_is_gone_at_once_and_only_a_person_or_another_address_ends_it() -> None:
    """Neither a success nor time."""
    gone = NEW.after(Outcome.GONE, NOW)
    assert (gone.is_off, gone.why) == (True, Why.GONE)
    for outcome in Outcome:
        assert gone.after(outcome, NOW + 100 * LASTING) is gone
    assert gone.at(URL) == gone
    assert gone.switched_on() == NEW
    moved = replace(gone, version=7).at(f"{URL}2")
    assert (moved.is_off, moved.version, moved.address != gone.address) == (False, 7, True)


def test_switching_on_what_works_changes_nothing() -> None:
    """Also twice."""
    assert NEW.switched_on() is NEW
    on = failing(LASTING // HOUR).switched_on()
    assert on.switched_on() is on


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26), st.integers(1, 40))
def test_waits_grow_and_are_moved_by_a_fifth_at_most(letters: str, failed: int) -> None:
    """The same each time: whoever asks twice hears the same."""
    contact_id = f"c_{letters}"
    wait = wait_after(contact_id, failed)
    base = WAITS[min(failed, len(WAITS)) - 1]
    assert base <= wait <= base + base * JITTER // 1000
    assert wait == wait_after(contact_id, failed)


def test_contacts_that_failed_together_do_not_come_back_together() -> None:
    """Of a hundred, nearly all at instants of their own, spread over the whole fifth."""
    waits = [wait_after(f"c_{n:026}", 2) for n in range(100)]
    assert len(set(waits)) > 50
    assert max(waits) - min(waits) > WAITS[1] * JITTER // 1000 // 2
    assert list(WAITS) == sorted(WAITS)


@pytest.mark.parametrize("failed", [0, -1])
def test_nobody_waits_for_what_has_not_failed(failed: int) -> None:
    """An error of ours."""
    with pytest.raises(AssertionError):
        wait_after("c_1", failed)
