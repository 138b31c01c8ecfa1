"""The writes of a transaction: versions rise exactly when facts differ, and every write has its condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.book import Pages
from betimes.core.change import (
    CheckHead,
    MoveContact,
    SaveAccount,
    SaveHead,
    SaveObligation,
    SaveRepayment,
    changes_between,
)
from betimes.core.errors import Rejected, Stale
from betimes.core.intake import accept
from betimes.lab.memory import Memory
from tests.core.support import POLICIES, utc
from tests.core.test_intake import ACCOUNT, BACK, BILL, MONEY, PERSON
from tests.factories import account, borrower, contact, obligation, pages, repayment, watch

STORED = pages()


def with_bill(**fields: Any) -> Pages:
    """Return the stored pages with another obligation in the place of the stored one."""
    return STORED.with_obligation(obligation(**fields))


def test_nothing_changed_writes_nothing() -> None:
    """Not even a check."""
    assert changes_between(STORED, STORED) == []
    assert changes_between(STORED, pages()) == []


def test_a_first_head_must_not_exist_yet() -> None:
    """It gets version one."""
    new = borrower(version=0)
    [change] = changes_between(Pages("bank", "b1"), Pages("bank", "b1", head=new))
    assert change == SaveHead(borrower(version=1), 0)


def test_a_changed_head_rises_by_one_and_expects_the_version_seen() -> None:
    """And then needs no further check."""
    moved = borrower(zone="Europe/London", version=7)
    before = STORED.with_head(borrower(version=7))
    [change] = changes_between(before, before.with_head(moved))
    assert change == SaveHead(replace(moved, version=8), 7)


@pytest.mark.parametrize(
    "fields",
    [
        {"paid_minor": 1},
        {"settled_at": utc("2026-03-02 00:00")},
        {"due_on": obligation().due_on.replace(day=10)},
        {"minimum_minor": 0},
        {"paid_minor": 1, "watch": watch(look_at=None)},
    ],
)
def test_a_fact_of_an_obligation_raises_its_version(fields: dict[str, Any]) -> None:
    """By one, together with the sequence of its writes; the head is checked in the same transaction, and the account's
    version rises too.
    """
    check, of_account, save = changes_between(STORED, with_bill(**fields))
    assert check == CheckHead("bank", "b1", 1)
    assert of_account == SaveAccount("bank", "b1", account(version=2, tally=2), seen=1)
    assert isinstance(save, SaveObligation)
    assert (save.obligation.version, save.seen_version) == (2, 1)
    assert (save.obligation.watch.seq, save.seen_seq) == (2, 1)


@pytest.mark.parametrize(
    "fields", [{"look_at": None}, {"decided": ("D-3",)}, {"contact_id": "c1"}, {"chain": "x"}]
)
def test_a_moved_watch_raises_the_sequence_only(fields: dict[str, Any]) -> None:
    """Whoever rendered a text from the facts need not render it anew."""
    _, save = changes_between(STORED, with_bill(watch=watch(**fields)))
    assert isinstance(save, SaveObligation)
    assert (save.obligation.version, save.obligation.watch.seq) == (1, 2)


def test_accounts_and_repayments_are_guarded_by_the_head() -> None:
    """At the version seen; a repayment that is known must exist, a new one must not. Each fact of an account's money
    raises the account's version, so two who replay it at once never both write.
    """
    after = STORED.with_account(account(id="a2", version=0)).with_repayment(repayment())
    assert changes_between(STORED, after) == [
        SaveHead(borrower(version=2), seen=1),
        SaveAccount("bank", "b1", account(version=2, tally=3), seen=1),
        SaveAccount("bank", "b1", account(id="a2", version=1), seen=0),
        SaveRepayment("bank", "b1", repayment(), known=False),
    ]
    replaced = changes_between(STORED, STORED.with_account(account(limit_minor=1)))
    assert isinstance(replaced[0], SaveHead), (
        "whoever told of the account meanwhile must look again"
    )
    assert (replaced[0].seen, replaced[0].head.version) == (1, 2)
    back = after.with_repayment(repayment(reversed_at=utc("2026-03-02 00:00")))
    assert changes_between(after, back)[2] == SaveRepayment(
        "bank", "b1", back.repayments["r1"], known=True
    )


def test_a_move_is_fenced_by_state_attempt_and_chain() -> None:
    """As they were before; a move between two contacts is our mistake."""
    before, after = contact(attempt=3, chain="abc"), contact(attempt=4)
    move = MoveContact.of(before, after)
    assert (move.contact, move.seen_state, move.seen_attempt, move.seen_chain) == (
        after,
        "READY",
        3,
        "abc",
    )
    with pytest.raises(AssertionError):
        MoveContact.of(before, contact(id="c2"))


COMMANDS = [
    PERSON,
    replace(PERSON, locale="en"),
    ACCOUNT,
    BILL,
    MONEY,
    replace(MONEY, repayment_id="r2"),
    BACK,
]


@given(st.lists(st.sampled_from(COMMANDS), max_size=8))
def test_what_is_written_is_what_was_meant(commands: list[Any]) -> None:
    """Any history of commands: the stored pages are those computed, versions of facts rise by one with each fact
    and stay with each repetition, and whatever moves a version cannot be written twice.
    """
    store, now = Memory(), utc("2026-03-01 05:00")
    for command in commands:
        before = store.pages("bank", "b1")
        try:
            after, _ = accept(before, command, POLICIES, shards=4, now=now)
        except Rejected:
            continue
        changes = changes_between(before, after)
        store.commit(changes)
        stored = store.pages("bank", "b1")
        assert stored.repayments == after.repayments
        for account_id, kept in stored.accounts.items():
            meant_account = replace(
                after.accounts[account_id], version=kept.version, tally=kept.tally
            )
            assert kept == meant_account
        assert not stored.is_torn, "what is written whole is never taken for torn"
        for obligation_id, bill in stored.obligations.items():
            meant = after.obligations[obligation_id]
            assert replace(bill, version=0, watch=meant.watch) == replace(meant, version=0)
            old = before.obligations.get(obligation_id)
            same = old is not None and (old.paid_minor, old.settled_at) == (
                bill.paid_minor,
                bill.settled_at,
            )
            assert bill.version == (old.version if old else 0) + (not same)
        assert changes_between(stored, stored) == []
        if any(isinstance(change, SaveHead | SaveObligation) for change in changes):
            with pytest.raises(Stale):
                store.commit(changes)
            assert store.pages("bank", "b1") == stored
