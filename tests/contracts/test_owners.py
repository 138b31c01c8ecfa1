"""Who holds an account, and money that comes before the account does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from betimes.core.change import Park, SaveOwner, Unpark
from betimes.core.errors import Stale
from betimes.ports import Stores
from tests.factories import ACCOUNT_ID, BORROWER_ID, NOW, TENANT, early

OURS = SaveOwner(TENANT, ACCOUNT_ID, BORROWER_ID)
FIRST = early(id="r1")
SECOND = early(id="r2", paid_at=NOW - timedelta(hours=1))


def test_money_waits_for_its_account(stores: Stores) -> None:
    """Parked repayments are found with their account, each once, as they were."""
    for seen, money in enumerate((FIRST, SECOND)):
        stores.store.commit([Park(TENANT, money, seen)])
    owner = stores.book.owner(TENANT, ACCOUNT_ID)
    assert (owner.borrower_id, owner.parkings) == ("", 2)
    assert sorted(owner.parked, key=lambda money: money.id) == [FIRST, SECOND]
    assert stores.book.owner(TENANT, "a2").parked == ()


def test_taking_an_account_takes_its_money(stores: Stores) -> None:
    """Owner and taken money change in one transaction, in parts where it must: the account goes with the last."""
    stores.store.commit([Park(TENANT, FIRST)])
    stores.store.commit([Park(TENANT, SECOND, 1)])
    counted = SaveOwner(TENANT, ACCOUNT_ID, "", 2, left=1)
    stores.store.commit([counted, Unpark(TENANT, ACCOUNT_ID, FIRST.id)])
    owner = stores.book.owner(TENANT, ACCOUNT_ID)
    assert (owner.borrower_id, owner.parked, owner.parkings) == ("", (SECOND,), 1)
    taken = SaveOwner(TENANT, ACCOUNT_ID, BORROWER_ID, 1)
    stores.store.commit([taken, Unpark(TENANT, ACCOUNT_ID, SECOND.id)])
    owner = stores.book.owner(TENANT, ACCOUNT_ID)
    assert (owner.borrower_id, owner.parked, owner.parkings) == (BORROWER_ID, (), 0)


def test_money_that_comes_too_late_to_wait_is_told_so(stores: Stores) -> None:
    """Whoever read "nobody" and parks after the account was taken fails and must look again."""
    assert stores.book.owner(TENANT, ACCOUNT_ID).borrower_id == ""
    stores.store.commit([OURS])
    with pytest.raises(Stale) as stale:
        stores.store.commit([Park(TENANT, FIRST)])
    assert stale.value.failed == (0,)
    assert stores.book.owner(TENANT, ACCOUNT_ID).parked == ()


def test_an_account_is_taken_with_all_its_money(stores: Stores) -> None:
    """Money parked after the taker looked makes the taking fail, and so does money parked by two at once."""
    stores.store.commit([Park(TENANT, FIRST)])
    for too_late in (OURS, Park(TENANT, SECOND)):
        with pytest.raises(Stale):
            stores.store.commit([too_late])
    assert stores.book.owner(TENANT, ACCOUNT_ID).parked == (FIRST,)


def test_an_account_has_one_holder(stores: Stores) -> None:
    """A second borrower cannot take it; the first may take it again."""
    stores.store.commit([OURS])
    with pytest.raises(Stale) as stale:
        stores.store.commit([SaveOwner(TENANT, ACCOUNT_ID, "b2")])
    assert stale.value.failed == (0,)
    stores.store.commit([OURS])
    assert stores.book.owner(TENANT, ACCOUNT_ID).borrower_id == BORROWER_ID
