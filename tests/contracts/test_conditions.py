"""Every change under its condition: it holds exactly when it should, and a transaction that fails leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import pytest

from betimes.core.change import (
    Append,
    Change,
    CheckHead,
    CheckNoObligation,
    CheckObligation,
    CreateContact,
    MoveContact,
    Park,
    SaveAccount,
    SaveHead,
    SaveObligation,
    SaveOwner,
    SaveRepayment,
    Unpark,
)
from betimes.core.contact import State
from betimes.core.errors import Stale
from betimes.ports import Stores
from tests.factories import (
    ACCOUNT_ID,
    BORROWER_ID,
    NOW,
    OBLIGATION_ID,
    TENANT,
    account,
    borrower,
    contact,
    early,
    obligation,
    pages,
    record,
    repayment,
    settled,
    watch,
)

OF = (TENANT, BORROWER_ID)


@dataclass(frozen=True, slots=True)
class Case:
    """What was written before, each in a transaction of its own, and whether `change` then holds."""

    before: Sequence[Change]
    change: Change
    holds: bool


def head(version: int, seen: int) -> SaveHead:
    return SaveHead(borrower(version=version), seen)


def bill(version: int, seq: int, *, seen: tuple[int, int]) -> SaveObligation:
    stored = obligation(version=version, watch=watch(seq=seq))
    return SaveObligation(*OF, stored, *seen)


def moved(*, state: State = State.READY, attempt: int = 0, chain: str = "") -> MoveContact:
    """A claim of the READY contact that was seen in this state, attempt and chain."""
    claimed = contact(state=State.SENDING, attempt=1, lease_until=NOW, chain="x1")
    return MoveContact(claimed, state, attempt, chain)


PAID = SaveObligation(*OF, settled(version=2, watch=watch(look_at=None, seq=2)), 1, 1)
NEW_BILL = bill(1, 1, seen=(0, 0))
OURS = SaveOwner(TENANT, ACCOUNT_ID, BORROWER_ID)
PARKED = Park(TENANT, early())

CASES = {
    "a new head": Case([], head(1, 0), True),
    "a new head where one is": Case([head(1, 0)], head(1, 0), False),
    "a head at the version seen": Case([head(1, 0)], head(2, 1), True),
    "a head that somebody changed": Case([head(1, 0), head(2, 1)], head(2, 1), False),
    "a head that is not there": Case([], head(2, 1), False),
    "a check of the head at the version seen": Case([head(1, 0)], CheckHead(*OF, 1), True),
    "a check of a changed head": Case([head(1, 0), head(2, 1)], CheckHead(*OF, 1), False),
    "a check of an absent head": Case([], CheckHead(*OF, 1), False),
    "an account": Case([], SaveAccount(*OF, account()), True),
    "an account again": Case(
        [SaveAccount(*OF, account())], SaveAccount(*OF, account(product="loan")), True
    ),
    "an account nobody holds": Case([], OURS, True),
    "an account we hold": Case([OURS], OURS, True),
    "an account of another": Case([SaveOwner(TENANT, ACCOUNT_ID, "b2")], OURS, False),
    "an account of another tenant": Case([SaveOwner("shop", ACCOUNT_ID, "b2")], OURS, True),
    "an account with money waiting that was seen": Case(
        [PARKED], SaveOwner(TENANT, ACCOUNT_ID, BORROWER_ID, 1), True
    ),
    "an account with money waiting that was not seen": Case([PARKED], OURS, False),
    "a new obligation": Case([], NEW_BILL, True),
    "a new obligation where one is": Case([NEW_BILL], NEW_BILL, False),
    "an obligation as seen": Case([NEW_BILL], bill(1, 2, seen=(1, 1)), True),
    "an obligation whose facts changed": Case(
        [NEW_BILL, bill(2, 2, seen=(1, 1))], bill(1, 2, seen=(1, 1)), False
    ),
    "an obligation whose watch moved": Case(
        [NEW_BILL, bill(1, 2, seen=(1, 1))], bill(1, 2, seen=(1, 1)), False
    ),
    "an obligation that is not there": Case([], bill(2, 2, seen=(1, 1)), False),
    "a check of an open obligation": Case([NEW_BILL], CheckObligation(*OF, OBLIGATION_ID, 1), True),
    "a check after the watch moved": Case(
        [NEW_BILL, bill(1, 2, seen=(1, 1))], CheckObligation(*OF, OBLIGATION_ID, 1), True
    ),
    "a check after the facts changed": Case(
        [NEW_BILL, bill(2, 2, seen=(1, 1))], CheckObligation(*OF, OBLIGATION_ID, 1), False
    ),
    "a check of a paid obligation": Case(
        [NEW_BILL, PAID], CheckObligation(*OF, OBLIGATION_ID, 2), False
    ),
    "a check of an absent obligation": Case([], CheckObligation(*OF, OBLIGATION_ID, 1), False),
    "a new repayment": Case([], SaveRepayment(*OF, repayment(), known=False), True),
    "a new repayment again": Case(
        [SaveRepayment(*OF, repayment(), known=False)],
        SaveRepayment(*OF, repayment(), known=False),
        False,
    ),
    "a change of a repayment": Case(
        [SaveRepayment(*OF, early(), known=False)],
        SaveRepayment(*OF, repayment(), known=True),
        True,
    ),
    "a change of an absent repayment": Case([], SaveRepayment(*OF, repayment(), known=True), False),
    "money for an account nobody holds": Case([], PARKED, True),
    "money for a bill that is not there": Case([], CheckNoObligation(*OF, "o1"), True),
    "money for a bill that is there": Case([NEW_BILL], CheckNoObligation(*OF, "o1"), False),
    "the same money again": Case([PARKED], Park(TENANT, early(), 1), True),
    "money for an account somebody holds": Case([OURS], PARKED, False),
    "money taken out of waiting": Case([PARKED], Unpark(TENANT, ACCOUNT_ID, "r1"), True),
    "money not there taken out": Case([], Unpark(TENANT, ACCOUNT_ID, "r1"), True),
    "a new contact": Case([], CreateContact(contact()), True),
    "a new contact where one is": Case([CreateContact(contact())], CreateContact(contact()), False),
    "a contact as seen": Case([CreateContact(contact())], moved(), True),
    "a contact in another state": Case(
        [CreateContact(contact(state=State.CANCELLED))], moved(), False
    ),
    "a contact in another attempt": Case([CreateContact(contact(attempt=1))], moved(), False),
    "a contact with another chain": Case([CreateContact(contact(chain="x0"))], moved(), False),
    "a contact that is not there": Case([], moved(), False),
    "a record": Case([], Append(record()), True),
    "a record again": Case([Append(record())], Append(record()), False),
    "the same id for another borrower": Case(
        [Append(record(borrower_id="b2"))], Append(record()), True
    ),
}


def test_every_kind_of_change_has_a_case() -> None:
    """No change is left out of this suite, and each that can fail does so in a case."""
    kinds = set(get_args(Change))
    always = {SaveAccount, Unpark}
    assert {type(case.change) for case in CASES.values() if case.holds} == kinds
    assert {type(case.change) for case in CASES.values() if not case.holds} == kinds - always


@pytest.mark.parametrize("name", CASES)
def test_a_change_holds_exactly_under_its_condition(stores: Stores, name: str) -> None:
    """A change whose condition fails is named by its position, and nothing of its transaction is written."""
    case = CASES[name]
    for change in case.before:
        stores.store.commit([change])
    beside = Append(record(fact="beside", borrower_id="b9"))
    if case.holds:
        stores.store.commit([beside, case.change])
        assert stores.ledger.of_borrower(TENANT, "b9")
        return
    seen = everything(stores)
    with pytest.raises(Stale) as stale:
        stores.store.commit([beside, case.change])
    assert stale.value.failed == (1,)
    assert everything(stores) == seen


def everything(stores: Stores) -> tuple[object, ...]:
    """Return all that a transaction of this module can have written."""
    return (
        stores.book.pages(*OF),
        stores.book.owner(TENANT, ACCOUNT_ID),
        stores.contacts.get("c1"),
        stores.ledger.of_borrower(*OF),
        stores.ledger.of_borrower(TENANT, "b9"),
    )


def test_all_failed_conditions_are_named(stores: Stores) -> None:
    """Two conditions that fail at once are both reported, in the order of the changes."""
    stores.store.commit([CreateContact(contact()), Append(record())])
    with pytest.raises(Stale) as stale:
        stores.store.commit(
            [
                SaveAccount(*OF, account()),
                CreateContact(contact()),
                NEW_BILL,
                Append(record()),
            ]
        )
    assert stale.value.failed == (1, 3)
    assert stores.book.pages(*OF) == pages(head=None, accounts={}, obligations={})


def test_a_change_of_two_actions_counts_once(stores: Stores) -> None:
    """Parking asks one item and writes another; positions still count changes."""
    stores.store.commit([SaveOwner(TENANT, "a7", "b7"), Append(record())])
    with pytest.raises(Stale) as stale:
        stores.store.commit([Park(TENANT, early(account_id="a7")), PARKED, Append(record())])
    assert stale.value.failed == (0, 2)


def test_nothing_to_write_is_no_transaction(stores: Stores) -> None:
    """An empty list is accepted and changes nothing."""
    stores.store.commit([])
    assert stores.book.pages(*OF).head is None


def test_a_whole_intake_is_one_transaction(stores: Stores) -> None:
    """Head, account, owner, obligation and repayment go in together and are read back together."""
    money = early()
    stores.store.commit(
        [
            SaveHead(borrower(unmatched=1), 0),
            SaveOwner(TENANT, ACCOUNT_ID, BORROWER_ID),
            SaveAccount(*OF, account()),
            NEW_BILL,
            SaveRepayment(*OF, money, known=False),
        ]
    )
    assert stores.book.pages(*OF) == pages(head=borrower(unmatched=1), repayments={money.id: money})


def test_a_claim_is_won_once(stores: Stores) -> None:
    """Two workers that write the very same claim do not both win: one commit is one winner."""
    stores.store.commit([SaveHead(borrower(), 0), NEW_BILL, CreateContact(contact())])
    claim: list[Change] = [
        moved(),
        CheckObligation(*OF, OBLIGATION_ID, 1),
        CheckHead(*OF, 1),
        Append(record(contact_id="c1")),
    ]
    stores.store.commit(claim)
    with pytest.raises(Stale) as stale:
        stores.store.commit(claim)
    assert stale.value.failed == (0, 3)


def test_a_payment_beats_a_claim(stores: Stores) -> None:
    """Once the bill is paid, a claim made from the facts before fails and leaves the contact READY."""
    stores.store.commit([SaveHead(borrower(), 0), NEW_BILL, CreateContact(contact())])
    stores.store.commit([CheckHead(*OF, 1), PAID])
    with pytest.raises(Stale) as stale:
        stores.store.commit([moved(), CheckObligation(*OF, OBLIGATION_ID, 1), CheckHead(*OF, 1)])
    assert stale.value.failed == (1,)
    assert stores.contacts.get("c1") == contact()


def test_a_transaction_holds_a_hundred_changes(stores: Stores) -> None:
    """The largest transaction that DynamoDB takes goes in whole."""
    records = [record(fact=str(n)) for n in range(100)]
    stores.store.commit([Append(each) for each in records])
    assert len(stores.ledger.of_borrower(*OF)) == 100


def test_more_than_a_hundred_changes_are_our_mistake(stores: Stores) -> None:
    """A longer transaction is refused before anything is sent."""
    with pytest.raises(AssertionError):
        stores.store.commit([Append(record(fact=str(n))) for n in range(101)])


def test_a_move_replaces_the_whole_contact(stores: Stores) -> None:
    """What a move leaves out is gone: a lease that ended is not there any more."""
    stores.store.commit([CreateContact(contact())])
    stores.store.commit([moved()])
    claimed = stores.contacts.get("c1")
    assert claimed is not None
    assert claimed.lease_until == NOW
    after = replace(claimed, state=State.ACCEPTED, lease_until=None, sent_at=NOW, chain="x2")
    stores.store.commit([MoveContact.of(claimed, after)])
    assert stores.contacts.get("c1") == after
