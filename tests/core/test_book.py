"""Pages: one borrower's facts, read in one go, and how a read that is half of a transaction shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from betimes.core.book import Pages
from tests.factories import (
    NOW,
    account,
    borrower,
    early,
    flight,
    hold,
    obligation,
    pages,
    repayment,
)


def test_money_that_waits_is_counted_by_the_head() -> None:
    """A read that shows more or less of it than the head counts is torn."""
    waiting = pages(head=borrower(unmatched=1))
    assert waiting.is_torn
    assert not waiting.with_repayment(early()).is_torn
    assert waiting.with_repayment(early()).with_repayment(early(id="r2")).is_torn
    assert not pages().with_repayment(repayment()).is_torn
    assert pages().with_repayment(early()).is_torn


def test_nobody_is_never_torn() -> None:
    """Empty pages are those of one who is unknown."""
    assert not Pages("bank", "b9").is_torn


def test_pages_are_values() -> None:
    """Another page leaves the old pages as they were."""
    before = pages()
    after = before.with_account(account(id="a2")).with_obligation(obligation(id="o2"))
    assert (set(before.accounts), set(before.obligations)) == ({"a1"}, {"o1"})
    assert (set(after.accounts), set(after.obligations)) == ({"a1", "a2"}, {"o1", "o2"})


def test_a_snapshot_is_of_one_bill_and_its_borrower() -> None:
    """An unknown bill is an error, and a bill without its borrower our mistake."""
    seen = pages().snapshot("o1")
    assert (seen.borrower, seen.obligation) == (borrower(), obligation())
    with pytest.raises(KeyError):
        pages().snapshot("o2")
    with pytest.raises(AssertionError):
        replace(pages(), head=None).snapshot("o1")


def test_what_was_said_beside_a_contact_is_said_after_an_instant() -> None:
    """Not at it, and not by the contact's own steps."""
    watch = replace(obligation().watch, spoken=(("T-3", NOW), ("T-1", NOW + timedelta(hours=1))))
    seen = pages().with_obligation(replace(obligation(), watch=watch)).snapshot("o1")
    assert seen.spoken_beside((), since=NOW) == [NOW + timedelta(hours=1)]
    assert seen.spoken_beside({("o1", "T-1")}, since=NOW) == []
    assert seen.spoken_beside({("o2", "T-1")}, since=NOW - timedelta(seconds=1)) == [
        NOW,
        NOW + timedelta(hours=1),
    ]


def test_a_read_without_a_fact_that_was_counted_is_torn() -> None:
    """The account has the tally of all facts of its money: one that is missing, or older than the account, shows."""
    told = pages().with_repayment(repayment())
    assert told.head is not None
    whole = told.with_account(account(tally=told.tally("a1", {"o1": 1})))
    assert not whole.is_torn
    assert replace(whole, repayments={}).is_torn
    assert replace(whole, obligations={}).is_torn
    assert whole.with_obligation(obligation(version=2)).is_torn
    assert whole.with_repayment(repayment(reversed_at=NOW)).is_torn


def test_a_read_without_a_hold_that_was_counted_is_torn() -> None:
    """The head counts every change of a hold or a flight."""
    stopped = pages().with_hold(hold()).with_flight(flight())
    assert stopped.head is not None
    whole = stopped.with_head(replace(stopped.head, held=stopped.held))
    assert not whole.is_torn
    assert replace(whole, holds={}).is_torn
    assert replace(whole, flights={}).is_torn
    assert whole.with_hold(hold(revision=2)).is_torn
