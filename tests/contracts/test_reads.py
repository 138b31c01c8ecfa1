"""What is read is what was written: pages, contacts and records, each tenant for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from betimes.core.book import Pages
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.change import (
    Append,
    CreateContact,
    SaveHead,
    changes_between,
)
from betimes.core.contact import State
from betimes.core.reason import Reason
from betimes.ports import Stores
from tests.factories import (
    BORROWER_ID,
    NOW,
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

EMPTY = Pages(TENANT, BORROWER_ID)


def test_nobody_is_empty_pages(stores: Stores) -> None:
    """A borrower, an account, a contact and a ledger that are not there are empty, not errors."""
    assert stores.book.pages(TENANT, BORROWER_ID) == EMPTY
    assert stores.book.owner(TENANT, "a1").borrower_id == ""
    assert stores.book.owner(TENANT, "a1").parked == ()
    assert stores.contacts.get("c1") is None
    assert list(stores.ledger.of_borrower(TENANT, BORROWER_ID)) == []


def test_pages_come_back_as_written(stores: Stores) -> None:
    """Every field of head, accounts, obligations and repayments survives, rare values too."""
    points = (
        ContactPoint("email", "ünï@example.com", PointState.BOUNCED),
        ContactPoint("sms", "+8613800000000", PointState.OPTED_OUT),
    )
    written = Pages(
        TENANT,
        BORROWER_ID,
        head=borrower(contact_points=points, unmatched=1),
        accounts={"a1": account(), "a:2": account(id="a:2", product="", limit_minor=0)},
        obligations={
            "o1": settled(),
            "o2": obligation(
                id="o2",
                minimum_minor=0,
                paid_minor=5,
                watch=watch(decided=("T-3", "D0"), contact_id="c1", chain="f" * 64),
            ),
        },
        repayments={
            "r1": repayment(reversed_at=NOW + timedelta(microseconds=1)),
            "r2": early(id="r2", obligation_id="o9"),
        },
    )
    stores.store.commit(changes_between(EMPTY, written))
    found = stores.book.pages(TENANT, BORROWER_ID)
    # Versions and seqs are set by `changes_between`: 1 here, as the builders have them.
    assert found == written


def test_an_update_is_seen_at_once(stores: Stores) -> None:
    """A read after a commit shows it: reads are consistent."""
    stores.store.commit(changes_between(EMPTY, pages()))
    before = stores.book.pages(TENANT, BORROWER_ID)
    assert before.head is not None
    after = before.with_head(replace(before.head, locale="en"))
    stores.store.commit(changes_between(before, after))
    found = stores.book.pages(TENANT, BORROWER_ID).head
    assert found == replace(before.head, locale="en", version=2)


def test_a_contact_comes_back_as_written(stores: Stores) -> None:
    """Every field of a contact survives, those of its end too."""
    written = contact(
        state=State.DELIVERED,
        reason=Reason.DELIVERED,
        attempt=2,
        unknowns=1,
        offers=3,
        offered=False,
        sent_at=NOW,
        lease_until=NOW,
        text_sha256="0" * 64,
        provider_id="0100-ä",
        chain="f" * 64,
    )
    stores.store.commit([CreateContact(written)])
    assert stores.contacts.get(written.id) == written


def test_records_come_in_order_of_time(stores: Stores) -> None:
    """The ledger of a borrower is read from the oldest record to the newest, each intact."""
    written = [
        record(at=NOW + timedelta(seconds=n), fact=str(n), body={"n": n, "text": "", "é": "中"})
        for n in (3, 1, 2, 0)
    ]
    stores.store.commit([Append(each) for each in written])
    found = list(stores.ledger.of_borrower(TENANT, BORROWER_ID))
    assert found == sorted(written, key=lambda each: each.at)
    assert all(each.is_intact for each in found)


def test_tenants_do_not_see_each_other(stores: Stores) -> None:
    """The same ids in another tenant are other borrowers, accounts and records."""
    stores.store.commit(changes_between(EMPTY, pages()))
    stores.store.commit([Append(record())])
    assert stores.book.pages("shop", BORROWER_ID) == Pages("shop", BORROWER_ID)
    assert stores.book.owner("shop", "a1").borrower_id == ""
    assert list(stores.ledger.of_borrower("shop", BORROWER_ID)) == []
    theirs = borrower(tenant="shop", locale="en")
    stores.store.commit([SaveHead(theirs, 0)])
    assert stores.book.pages("shop", BORROWER_ID).head == theirs
    assert stores.book.pages(TENANT, BORROWER_ID).head == borrower()


def test_a_borrower_whose_id_begins_like_another_is_another(stores: Stores) -> None:
    """Keys are compared whole: b1 is not b10."""
    stores.store.commit([SaveHead(borrower(id="b10"), 0)])
    assert stores.book.pages(TENANT, "b1").head is None
