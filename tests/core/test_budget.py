"""The contact budget of a person: each touch once, in order; bounded, and never more permissive for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.budget import (
    KEEP,
    MAX_LASTING,
    MAX_OF_ONE,
    MAX_ROOM,
    MAX_TOUCHES,
    NO_BUDGET,
    Budget,
    attempt_id,
    token_of,
)
from betimes.core.rule import Recipient
from betimes.core.touch import Touch
from tests.core.support import TICK
from tests.factories import NOW, touch

SECOND = timedelta(seconds=1)
BY = touch().by

# What is told, in whatever order: a few ids, so that some are told twice, at instants within and beyond what is kept.
told = st.lists(
    st.builds(
        lambda n, days, heavy: touch(
            id=f"t{n}", at=NOW - timedelta(days=days), excluded=("heavy",) * heavy
        ),
        st.integers(0, 9),
        st.integers(-1, 40),
        st.sampled_from([0, 0, 0, 1]),
    ),
    max_size=30,
)


def counted(touches: list[Touch]) -> Budget:
    """Return a budget in which these were counted, in order."""
    budget = NO_BUDGET
    for each in touches:
        budget = budget.with_touch(_weighty(each), NOW)
    return budget


def _weighty(each: Touch) -> Touch:
    """Return the touch with names of half the room where it is a heavy one; so much in examples cannot be read."""
    return replace(each, debts=("d" * (MAX_ROOM // 2),)) if each.excluded else each


@given(told)
def test_a_touch_stands_once_and_in_order(touches: list[Touch]) -> None:
    """Whatever is told how often, each id stands at most once, in order of time, as it was told last."""
    budget = counted(touches)
    last = {each.id: each for each in touches}
    assert list(budget.touches) == sorted(budget.touches, key=lambda each: (each.at, each.id))
    assert len({each.id for each in budget.touches}) == len(budget.touches)
    assert all(_weighty(last[each.id]) == each for each in budget.touches)


@given(told)
def test_what_is_not_kept_is_old_or_the_budget_is_full(touches: list[Touch]) -> None:
    """Every touch of the last weeks is there, or the budget is full until it would have counted for nothing."""
    budget = counted(touches)
    for each in {each.id: each for each in touches}.values():
        if budget.find(each.id, each.by) is None and each.at > NOW - KEEP:
            assert budget.full_until is not None
            assert budget.full_until >= each.at + KEEP


@given(told, st.integers(0, 29))
def test_told_twice_changes_nothing(touches: list[Touch], which: int) -> None:
    """The last word about a touch, said again, leaves the budget as it is."""
    if not touches:
        return
    budget = counted(touches)
    again = _weighty({each.id: each for each in touches}[touches[which % len(touches)].id])
    if budget.find(again.id, again.by) is not None:
        assert budget.with_touch(again, NOW) == budget


@pytest.mark.parametrize(
    ("age", "kept"), [(KEEP - SECOND, True), (KEEP, True), (KEEP + SECOND, False)]
)
def test_a_touch_is_kept_for_five_weeks(age: timedelta, kept: bool) -> None:
    """Exactly as old as what is kept is kept; a second older is not, be it new or there already."""
    old = touch(id="old", at=NOW - age)
    assert (NO_BUDGET.with_touch(old, NOW).find("old", BY) is not None) is kept
    before = NO_BUDGET.with_touch(old, old.at)
    assert (before.with_touch(touch(), NOW).find("old", BY) is not None) is kept
    assert before.with_touch(touch(), NOW).full_until is None


def test_beyond_the_most_the_oldest_are_counted_out() -> None:
    """One more than there is room for: the oldest goes, and the budget is full until it would count for nothing."""
    touches = [
        touch(id=f"t{n:03}", at=NOW - timedelta(minutes=500 - n)) for n in range(MAX_TOUCHES)
    ]
    budget = counted(touches)
    assert budget.full_until is None
    over = budget.with_touch(touch(id="new", at=NOW), NOW)
    assert len(over.touches) == MAX_TOUCHES
    assert over.find("t000", BY) is None
    assert over.find("t001", BY) is not None
    assert over.full_until == touches[0].at + KEEP
    # An old one told late is counted out itself, and what was lost before is not forgotten.
    late = over.with_touch(touch(id="late", at=touches[0].at - SECOND), NOW)
    assert late == over
    assert over.is_full(NOW)
    assert over.is_full(touches[0].at + KEEP - TICK)
    assert not over.is_full(touches[0].at + KEEP)


def test_names_take_room_too() -> None:
    """Touches that name very much are counted out before the item could not be stored."""
    big = [touch(id=f"t{n}", at=NOW + n * SECOND, debts=("d" * (MAX_ROOM // 3),)) for n in range(3)]
    budget = counted(big)
    assert [each.id for each in budget.touches] == ["t1", "t2"]
    assert budget.full_until == NOW + KEEP
    huge = touch(id="huge", at=NOW + 9 * SECOND, debts=("d" * MAX_ROOM,))
    assert budget.with_touch(huge, NOW).touches == ()
    assert budget.with_touch(huge, NOW).full_until == huge.at + KEEP


def test_a_budget_is_full_no_longer_when_time_has_passed() -> None:
    """The mark goes with the first write after its time, and says nothing any more before."""
    full = Budget(3, (), NOW)
    assert not full.is_full(NOW)
    assert full.with_touch(touch(), NOW).full_until is None
    assert full.with_touch(touch(), NOW - TICK).full_until == NOW


def test_a_touch_can_be_left_out() -> None:
    """What is held against the budget without itself leaves everything else as it is."""
    budget = replace(counted([touch(), touch(id="t2")]), version=7, full_until=NOW)
    assert [each.id for each in budget.without("t1", BY).touches] == ["t2"]
    assert replace(budget.without("t1", BY), touches=budget.touches) == budget
    assert budget.without("t9", BY) is budget


def test_the_attempts_of_a_contact_are_left_out_together() -> None:
    """All of them, and nothing of a contact whose id only begins so."""
    ids = [attempt_id("c_a", 1), attempt_id("c_a", 2), attempt_id("c_ab", 1), "c_a"]
    budget = replace(counted([touch(id=each) for each in ids]), chain="h")
    assert {each.id for each in budget.without_attempts("c_a").touches} == {"c_a", "c_ab:1"}
    assert budget.without_attempts("c_a").chain == "h"
    assert budget.without_attempts("c_b") is budget


def test_a_token_links_nobody() -> None:
    """One number is one token for all callers of a borrower, another one for anybody else, and none for none."""
    number = "+8613800000000"
    assert token_of("bank", "b1", number) == token_of("bank", "b1", number)
    others = {
        token_of(*of)
        for of in [("bank", "b2", number), ("shop", "b1", number), ("bank", "b1", "x")]
    }
    assert token_of("bank", "b1", number) not in others
    assert number[1:] not in token_of("bank", "b1", number)
    assert token_of("bank", "b1", "") == ""


def test_an_id_is_one_of_its_caller() -> None:
    """Two agencies that number their calls in the same way have two touches; each finds and leaves out its own."""
    one, other = touch(by="agency-1"), touch(by="agency-2", connected=True)
    budget = counted([other, one])
    assert budget.touches == (one, other)
    assert budget.find(one.id, "agency-1") == one
    assert budget.find(one.id, "agency-3") is None
    assert budget.without(one.id, "agency-1").touches == (other,)
    assert budget.with_touch(one, NOW) == budget


def to_contact(n: int = 0, days: int = 0, **fields: object) -> Touch:
    """Return a call to somebody else than the borrower, so many days ago."""
    more = {"number": "n_1", "recipient": Recipient.CONTACT, **fields}
    return touch(id=f"c{n}", at=NOW - timedelta(days=days), **more)


def test_a_contact_with_others_is_never_forgotten() -> None:
    """What may be done once is not allowed again after five weeks; what was not made, or came in, is forgotten."""
    once = to_contact(days=400)
    assert NO_BUDGET.with_touch(once, NOW).touches == (once,)
    assert NO_BUDGET.with_touch(once, NOW).full_until is None
    before = NO_BUDGET.with_touch(once, once.at)
    assert before.with_touch(touch(), NOW).find("c0", BY) == once
    assert NO_BUDGET.with_touch(replace(once, attempt=False), NOW).touches == ()
    assert NO_BUDGET.with_touch(replace(once, recipient=Recipient.BORROWER), NOW).touches == ()


def test_of_old_contacts_with_others_some_are_enough() -> None:
    """The newest few of each number and kind of person say that it was often enough; so the rest has room."""
    often = [to_contact(n, days=90 - n) for n in range(9)]
    budget = counted(often)
    assert budget.touches == tuple(often[-MAX_OF_ONE:])
    assert budget.full_until is None
    of_others = [to_contact(10 + n, 200 - n, number=f"n_{n}") for n in range(MAX_LASTING + 9)]
    assert len(counted(of_others).touches) == MAX_LASTING
    # One number that is called again and again drives nobody else out.
    budget = counted([*of_others[9:-1], *often])
    assert {each.number for each in budget.touches} >= {each.number for each in of_others[9:-1]}
    assert len(budget.touches) == MAX_LASTING
    recent = [touch(id=f"t{n}", at=NOW - n * SECOND) for n in range(MAX_TOUCHES)]
    full = counted([*often, *recent])
    assert len(full.touches) == MAX_TOUCHES
    assert full.touches[:MAX_OF_ONE] == tuple(often[-MAX_OF_ONE:])
    assert full.full_until is not None
    assert full.is_full(NOW)
