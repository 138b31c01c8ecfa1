"""Every change under its condition: it holds exactly when it should, and a transaction that fails leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import get_args

import pytest

from betimes.core.book import Pages
from betimes.core.change import (
    Append,
    AppendEntry,
    Change,
    CheckHead,
    CheckListed,
    CheckNoObligation,
    CheckObligation,
    CreateContact,
    MoveContact,
    Park,
    SaveAccount,
    SaveBudget,
    SaveFeed,
    SaveFlight,
    SaveHead,
    SaveHold,
    SaveListed,
    SaveObligation,
    SaveOwner,
    SaveRepayment,
    Unpark,
    changes_between,
)
from betimes.core.contact import State
from betimes.core.errors import Stale
from betimes.core.money import Money
from betimes.core.suppression import Entry, Listed, Scope, Why
from betimes.ports import Stores
from tests.factories import (
    ACCOUNT_ID,
    BORROWER_ID,
    NOW,
    OBLIGATION_ID,
    TENANT,
    account,
    borrower,
    budget,
    contact,
    early,
    flight,
    hold,
    obligation,
    pages,
    part_paid,
    record,
    refusal,
    repayment,
    settled,
    touch,
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


def contract(version: int, seen: int) -> SaveAccount:
    return SaveAccount(*OF, account(version=version, product=f"p{version}"), seen)


def said(number: int, identity: str = "r1") -> AppendEntry:
    return AppendEntry(*OF, number, refusal(id=identity))


def touched(version: int, seen: int, *, by: str = "agency-7") -> SaveBudget:
    return SaveBudget(*OF, budget(touch(by=by), version=version), seen)


def moved(*, state: State = State.READY, attempt: int = 0, chain: str = "") -> MoveContact:
    """A claim of the READY contact that was seen in this state, attempt and chain."""
    claimed = contact(state=State.SENDING, attempt=1, lease_until=NOW, chain="x1")
    return MoveContact(claimed, state, attempt, chain)


INDEX = "x_" + "0a" * 16


def closed(version: int, seen: int) -> SaveListed:
    entry = Entry(Scope.ALL, Why.HARD_BOUNCE, NOW, "c1")
    return SaveListed(Listed(TENANT, INDEX, "email", version, (entry,)), seen)


def unlisted(seen: int) -> CheckListed:
    return CheckListed(TENANT, INDEX, "email", seen)


NOBODY = Pages(*OF)
BEFORE = NOW - timedelta(microseconds=1)
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
    "a new account": Case([], contract(1, 0), True),
    "a new account where one is": Case([contract(1, 0)], contract(1, 0), False),
    "an account at the version seen": Case([contract(1, 0)], contract(2, 1), True),
    "an account at a later version seen": Case(
        [contract(1, 0), contract(2, 1)], contract(3, 2), True
    ),
    "an account that somebody changed": Case(
        [contract(1, 0), contract(2, 1)], contract(2, 1), False
    ),
    "an account of a version to come": Case([contract(1, 0)], contract(3, 2), False),
    "an account that is not there": Case([], contract(2, 1), False),
    "an account that is not there, seen later": Case([], contract(3, 2), False),
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
    "money for whatever the account owes": Case(
        [], SaveRepayment(*OF, repayment(obligation_id=""), known=False), True
    ),
    "a hold": Case([], SaveHold(*OF, hold()), True),
    "a hold with other dates": Case(
        [SaveHold(*OF, hold())], SaveHold(*OF, hold(lifted_at=NOW)), True
    ),
    "money in flight": Case([], SaveFlight(*OF, flight()), True),
    "money in flight, further on": Case(
        [SaveFlight(*OF, flight())], SaveFlight(*OF, flight(reason="x")), True
    ),
    "a new budget": Case([], touched(1, 0), True),
    "a new budget where one is": Case([touched(1, 0)], touched(1, 0, by="b"), False),
    "a budget at the version seen": Case([touched(1, 0)], touched(2, 1), True),
    "a budget that somebody wrote": Case(
        [touched(1, 0), touched(2, 1)], touched(2, 1, by="b"), False
    ),
    "a budget that is not there": Case([], touched(2, 1), False),
    "a first word of the person": Case([], said(1), True),
    "a word behind another": Case([said(1)], said(2), True),
    "a word that somebody else put there": Case([said(1)], said(1, "r2"), False),
    "a new address": Case([], closed(1, 0), True),
    "a new address where one is": Case([closed(1, 0)], closed(1, 0), False),
    "an address at the version seen": Case([closed(1, 0)], closed(2, 1), True),
    "an address that somebody changed": Case([closed(1, 0), closed(2, 1)], closed(2, 1), False),
    "a check of an address nothing is known of": Case([], unlisted(0), True),
    "a check of an address that became known": Case([closed(1, 0)], unlisted(0), False),
    "a check of an address at the version seen": Case([closed(1, 0)], unlisted(1), True),
    "a check of a changed address": Case([closed(1, 0), closed(2, 1)], unlisted(1), False),
    "a check of an address of another channel": Case(
        [closed(1, 0)], CheckListed(TENANT, INDEX, "sms", 0), True
    ),
    "a feed": Case([], SaveFeed(TENANT, NOW), True),
    "a feed that moves forward": Case([SaveFeed(TENANT, BEFORE)], SaveFeed(TENANT, NOW), True),
    "a feed told again": Case([SaveFeed(TENANT, NOW)], SaveFeed(TENANT, NOW), True),
    "a feed that was overtaken": Case([SaveFeed(TENANT, NOW)], SaveFeed(TENANT, BEFORE), True),
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
    always = {SaveHold, SaveFlight, SaveFeed, Unpark}
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
        stores.book.fed_until(TENANT),
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
                SaveAccount(*OF, account(), 0),
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
            SaveAccount(*OF, account(), 0),
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


def paying(seen: Pages, money_id: str, minor: int) -> list[Change]:
    """What someone writes who saw these pages and takes in one more repayment of the bill."""
    before = seen.obligations[OBLIGATION_ID]
    received = part_paid(before.paid_minor + minor, version=before.version, watch=before.watch)
    money = repayment(id=money_id, amount=Money(minor, "CNY"))
    return changes_between(seen, seen.with_repayment(money).with_obligation(received))


def test_of_two_who_replay_an_account_one_must_look_again(stores: Stores) -> None:
    """Both saw the same money: only one standing of the bill is written, and after another look both sums are in it."""
    stores.store.commit(changes_between(NOBODY, pages()))
    seen = stores.book.pages(*OF)
    stores.store.commit(paying(seen, "r1", 500))
    second = paying(seen, "r2", 70)
    with pytest.raises(Stale) as stale:
        stores.store.commit(second)
    (account_at,) = (n for n, change in enumerate(second) if isinstance(change, SaveAccount))
    assert account_at in stale.value.failed
    assert set(stores.book.pages(*OF).repayments) == {"r1"}
    stores.store.commit(paying(stores.book.pages(*OF), "r2", 70))
    found = stores.book.pages(*OF)
    assert set(found.repayments) == {"r1", "r2"}
    assert found.obligations[OBLIGATION_ID].paid_minor == 570
    assert found.accounts[ACCOUNT_ID].version == 3


def test_of_two_writers_of_one_account_one_wins(stores: Stores) -> None:
    """Money for the account alone, which settles nothing yet, is guarded by the account's version and nothing else."""
    stores.store.commit([SaveAccount(*OF, account(), 0)])
    rivals: list[list[Change]] = [
        [
            SaveRepayment(*OF, repayment(id=money_id, obligation_id=""), known=False),
            SaveAccount(*OF, account(version=2), 1),
        ]
        for money_id in ("r1", "r2")
    ]
    stores.store.commit(rivals[0])
    with pytest.raises(Stale) as stale:
        stores.store.commit(rivals[1])
    assert stale.value.failed == (1,)
    assert set(stores.book.pages(*OF).repayments) == {"r1"}


@pytest.mark.parametrize("kind", ["hold", "flight"])
def test_who_decided_without_a_stop_must_decide_again(stores: Stores, kind: str) -> None:
    """A hold and money in flight come with the head: a check of the head as it was before fails."""
    stores.store.commit(changes_between(NOBODY, pages()))
    before = stores.book.pages(*OF)
    after = before.with_hold(hold()) if kind == "hold" else before.with_flight(flight())
    stores.store.commit(changes_between(before, after))
    with pytest.raises(Stale) as stale:
        stores.store.commit([CheckHead(*OF, 1)])
    assert stale.value.failed == (0,)
    found = stores.book.pages(*OF)
    assert (found.holds, found.flights) == (after.holds, after.flights)
    assert found.head == borrower(version=2, held=after.held)


def test_of_two_who_count_for_one_person_one_must_look_again(stores: Stores) -> None:
    """Both saw the same touches: only one more is counted, and its loser sees it at the next look."""
    stores.store.commit(changes_between(NOBODY, pages()))
    seen = stores.book.pages(*OF)
    rivals = [
        changes_between(seen, seen.with_budget(seen.budget.with_touch(touch(id=name), NOW)))
        for name in ("t1", "t2")
    ]
    stores.store.commit(rivals[0])
    with pytest.raises(Stale) as stale:
        stores.store.commit(rivals[1])
    assert stale.value.failed == (0,)
    found = stores.book.pages(*OF)
    assert found.budget == budget(touch(id="t1"))
    # The head is left alone: whoever decided without the touch is stopped by the budget's own version.
    assert found.head == seen.head


def test_a_feed_never_moves_back(stores: Stores) -> None:
    """In whatever order it is told, the latest word stands; each tenant has its own."""
    assert stores.book.fed_until(TENANT) is None
    for minutes in (0, 5, 3, 5, 4):
        stores.store.commit([SaveFeed(TENANT, NOW + timedelta(minutes=minutes))])
    assert stores.book.fed_until(TENANT) == NOW + timedelta(minutes=5)
    assert stores.book.fed_until("shop") is None


def test_an_overtaken_feed_hides_no_other_failure(stores: Stores) -> None:
    """What fails beside it is named by its place in the list, and only that."""
    stores.store.commit([SaveFeed(TENANT, NOW), Append(record())])
    with pytest.raises(Stale) as stale:
        stores.store.commit([SaveFeed(TENANT, BEFORE), NEW_BILL, Append(record())])
    assert stale.value.failed == (2,)
    assert stores.book.fed_until(TENANT) == NOW
    assert stores.book.pages(*OF).obligations == {}


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
