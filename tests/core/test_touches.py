"""Reports of touches: each is counted once, with what it was about, and what is wrong is refused with its code."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from betimes.core.book import Pages
from betimes.core.budget import KEEP, attempt_id, token_of
from betimes.core.change import SaveBudget, changes_between
from betimes.core.hold import Kind
from betimes.core.ids import contact_id
from betimes.core.intake import (
    MAX_NAMED,
    MAX_REPORTED,
    TOUCH_TOLERANCE,
    LiftHold,
    Outcome,
    PutAccount,
    PutHold,
    ReportTouches,
)
from betimes.core.rule import Recipient
from betimes.core.touch import Direction, Touch
from tests.core.support import POLICIES, TICK
from tests.core.test_intake import ACCOUNT, BILL, EMPTY, NOW, OWING, READY, code, outcome, told
from tests.factories import touch

HOUR = timedelta(hours=1)
CALL = touch(id="call-1", at=NOW - HOUR)


def report(*touches: Touch) -> ReportTouches:
    """Return the command that tells of these."""
    return ReportTouches(touches)


def stored(pages: Pages) -> Touch:
    """Return the only touch in the budget."""
    [found] = pages.budget.touches
    return found


@pytest.mark.parametrize(
    ("pages", "command", "expected"),
    [
        (EMPTY, report(CALL), ("unknown_borrower", "borrower_id")),
        (OWING, report(), ("bad_touch", "touches")),
        (
            OWING,
            report(*(touch(id=f"t{n}") for n in range(MAX_REPORTED + 1))),
            ("bad_touch", "touches"),
        ),
        (OWING, report(touch(id="")), ("bad_id", "id")),
        (OWING, report(touch(id="a#b")), ("bad_id", "id")),
        (OWING, report(CALL, touch(id="")), ("bad_id", "touches.1.id")),
        (
            OWING,
            report(touch(id=contact_id("bank", "b1", "o1", "c", "s", 0))),
            ("duplicate_id", "id"),
        ),
        (
            OWING,
            report(touch(id=attempt_id(contact_id("bank", "b1", "o1", "c", "s", 0), 1))),
            ("duplicate_id", "id"),
        ),
        (OWING, report(touch(at=NOW + TOUCH_TOLERANCE + TICK)), ("in_the_future", "at")),
        (OWING, report(touch(at=NOW - KEEP - TICK)), ("too_old", "at")),
        (OWING, report(touch(debts=("o9",))), ("unknown_obligation", "debts")),
        (OWING, report(touch(accounts=("a9",))), ("unknown_account", "accounts")),
        (OWING, report(touch(excluded=("x",) * (MAX_NAMED + 1))), ("bad_touch", "excluded")),
    ],
)
def test_a_wrong_report_is_refused(
    pages: Pages, command: ReportTouches, expected: tuple[str, str]
) -> None:
    """One code per mistake, naming the field, and in a report of several the touch."""
    assert code(pages, command) == expected


@pytest.mark.parametrize(
    ("at", "counts_at"), [(NOW + TOUCH_TOLERANCE, NOW), (NOW, NOW), (NOW - KEEP, NOW - KEEP)]
)
def test_the_last_instants_that_may_be_told_are_taken(at: datetime, counts_at: datetime) -> None:
    """Ten minutes ahead by somebody else's clock, which counts from now on; or exactly as old as touches are kept."""
    assert stored(told([report(replace(CALL, at=at))], OWING)).at == counts_at


def test_told_twice_by_a_clock_that_runs_ahead_changes_nothing() -> None:
    """The same report once more, a little later, is the same touch; with the clock past it, it is so at its instant."""
    ahead = report(replace(CALL, at=NOW + TOUCH_TOLERANCE))
    pages = told([ahead], OWING)
    assert outcome(pages, ahead, NOW + TICK) is Outcome.UNCHANGED
    later = NOW + 2 * TOUCH_TOLERANCE
    assert stored(told([ahead], pages, later)).at == NOW + TOUCH_TOLERANCE
    assert outcome(pages, report(replace(CALL, at=NOW - TICK))) is Outcome.STORED
    # What says more, or comes much later, is no repetition.
    more = replace(CALL, at=NOW + TOUCH_TOLERANCE, conversation=True)
    assert stored(told([report(more)], pages)) == replace(more, at=NOW)
    before = told([report(replace(CALL, at=NOW - HOUR))], OWING)
    assert stored(told([ahead], before)).at == NOW


def test_an_old_contact_with_somebody_else_may_be_told() -> None:
    """It counts for as long as there are rules: who comes from another system tells of it."""
    other = replace(CALL, at=NOW - 9 * KEEP, recipient=Recipient.CONTACT, number="n_1")
    assert stored(told([report(other)], OWING)) == other
    assert code(OWING, report(replace(other, attempt=False)))[0] == "too_old"
    assert code(OWING, report(replace(other, at=other.at.replace(year=1))))[0] == "too_old"


def test_a_report_is_whole_or_not_at_all() -> None:
    """One wrong touch refuses all of them: nobody has to find out which were taken."""
    assert code(OWING, report(CALL, touch(id="t2", debts=("o9",))))[0] == "unknown_obligation"


def test_told_twice_changes_nothing() -> None:
    """The same report again is unchanged and writes nothing; a touch of it alone is, too."""
    both = report(CALL, touch(id="t2", at=NOW))
    pages = told([both], OWING)
    assert outcome(OWING, both) is Outcome.STORED
    assert outcome(pages, both) is Outcome.UNCHANGED
    assert outcome(pages, report(CALL)) is Outcome.UNCHANGED
    assert changes_between(pages, told([both, report(CALL)], pages)) == []


def test_a_report_writes_the_budget_and_nothing_else() -> None:
    """One guarded write: who replays money at the same time is not disturbed."""
    pages = told([report(CALL)], OWING)
    assert changes_between(OWING, pages) == [SaveBudget.of(OWING, pages.budget)]


def test_facts_stay_apart() -> None:
    """A conversation that the borrower began is no attempt of anybody, and is told as such."""
    came_in = replace(
        CALL, direction=Direction.IN, attempt=False, connected=True, conversation=True
    )
    found = stored(told([report(came_in)], OWING))
    assert (found.attempt, found.connected, found.conversation, found.message_left) == (
        False,
        True,
        True,
        False,
    )
    assert found.direction is Direction.IN


def test_a_touch_knows_accounts_and_products_of_its_debts() -> None:
    """A debt that is named stands for its account and product; nothing named stands for all of them."""
    found = stored(told([report(replace(CALL, debts=("o1", "o1")))], OWING))
    assert (found.debts, found.accounts, found.products) == (("o1",), ("a1",), ("card",))
    bare = stored(told([report(CALL)], OWING))
    assert (bare.debts, bare.accounts, bare.products) == ((), (), ())


def test_an_account_of_no_known_product_may_be_of_any() -> None:
    """A second account without a product makes the touch count for every product."""
    pages = told([PutAccount("a2", "", "CNY", ACCOUNT.opened_on)], OWING)
    found = stored(told([report(replace(CALL, accounts=("a1", "a2")))], pages))
    assert (found.accounts, found.products) == (("a1", "a2"), ())


def test_a_touch_by_nobody_named_is_the_lender_s() -> None:
    """The tenant stands for itself where no agency is named."""
    assert stored(told([report(replace(CALL, by=""))], OWING)).by == "bank"


def test_of_a_number_only_a_token_is_kept() -> None:
    """The command has the plain number beside the touch; the borrower's pages do not."""
    number = "+8613800000000"
    found = stored(told([ReportTouches((CALL,), (number,))], OWING))
    assert found.number == token_of("bank", "b1", number)
    assert number[1:] not in repr(told([ReportTouches((CALL,), (number,))], OWING).budget)
    assert stored(told([ReportTouches((CALL,), ("",))], OWING)) == CALL


def test_an_outcome_replaces_what_was_reserved() -> None:
    """The same id is the same touch: it counts once, as it was told last."""
    spoken = replace(CALL, at=NOW, connected=True, conversation=True)
    pages = told([report(CALL), report(spoken)], OWING)
    assert pages.budget.touches == (spoken,)


@pytest.mark.parametrize("other", [{"channel": "sms"}, {"direction": Direction.IN}])
def test_an_id_is_a_touch_of_one_kind(other: dict[str, Any]) -> None:
    """An id in use for another channel or direction is refused, and what was told stays."""
    pages = told([report(CALL)], OWING)
    assert code(pages, report(replace(CALL, **other))) == ("duplicate_id", "id")


def test_nobody_overwrites_another_s_touch() -> None:
    """Two agencies may number their calls in the same way: each has its own."""
    pages = told([report(CALL), report(replace(CALL, by="agency-8", attempt=False))], OWING)
    assert [(each.by, each.attempt) for each in pages.budget.touches] == [
        (CALL.by, True),
        ("agency-8", False),
    ]


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        ({"attempt": False}, True),
        ({"excluded": ("consented",)}, True),
        ({"at": NOW - 2 * HOUR}, True),
        ({"connected": True}, False),
        ({"at": NOW}, False),
    ],
)
def test_what_makes_room_wakes_what_waits(change: dict[str, Any], wakes: bool) -> None:
    """A contact that waits for the budget is looked at again when a touch counts less than it did, and only then."""
    held = told([BILL, report(CALL), PutHold("h1", Kind.DISPUTE, NOW)], READY)
    bill = held.obligations["o1"]
    waits = replace(bill, watch=replace(bill.watch, contact_id="c1", look_at=NOW + HOUR))
    pages = told([report(replace(CALL, **change))], held.with_obligation(waits))
    look_at = pages.obligations["o1"].watch.look_at
    assert look_at == (NOW if wakes else NOW + HOUR)


def test_the_budget_stands_beside_everything_else() -> None:
    """No other command loses it, and each obligation's snapshot has it whole."""
    pages = told([report(CALL), PutHold("h1", Kind.DISPUTE, NOW), LiftHold("h1", NOW)], OWING)
    snapshot = pages.snapshot("o1", POLICIES.profiles)
    assert snapshot.budget == pages.budget
    assert snapshot.touches == (CALL,)
