"""What is read is what was written: pages, contacts and records, each tenant for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from betimes.core.allocation import Parts
from betimes.core.book import Pages
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.change import (
    Append,
    CreateContact,
    SaveHead,
    SaveListed,
    changes_between,
)
from betimes.core.consent import Reassigned
from betimes.core.contact import Spoke, State
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.obligation import Tried
from betimes.core.reason import Reason
from betimes.core.rule import Party, Purpose, Recipient
from betimes.core.suppression import Entry, Listed, Scope, Why
from betimes.core.touch import Direction
from betimes.ports import Stores
from tests.factories import (
    BORROWER_ID,
    NOW,
    TENANT,
    account,
    borrower,
    budget,
    consent,
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

EMPTY = Pages(TENANT, BORROWER_ID)


def test_nobody_is_empty_pages(stores: Stores) -> None:
    """A borrower, an account, a contact and a ledger that are not there are empty, not errors."""
    assert stores.book.pages(TENANT, BORROWER_ID) == EMPTY
    assert stores.book.owner(TENANT, "a1").borrower_id == ""
    assert stores.book.owner(TENANT, "a1").parked == ()
    assert stores.contacts.get("c1") is None
    assert list(stores.ledger.of_borrower(TENANT, BORROWER_ID)) == []


def test_pages_come_back_as_written(stores: Stores) -> None:
    """Every field of everything in the pages survives, rare values too."""
    points = (
        ContactPoint("email", "ünï@example.com", PointState.BOUNCED),
        ContactPoint("sms", "+8613800000000", PointState.UNCONFIRMED),
    )
    late = obligation(
        id="o3",
        amount=obligation().amount,
        fee_minor=2_000,
        paid_minor=70,
        paid=Parts(penalty=20, fee=50),
        accrued=Decimal("20.0000000000000000000000000000000000000000005"),
        accrued_to=date(2026, 3, 11),
        spans=((NOW, NOW + timedelta(microseconds=1)),),
        nominal_on=date(2026, 3, 7),
        provisional=True,
        aged_from=date(2026, 4, 1),
        aged_on=date(2026, 3, 30),
        entry_on=date(2026, 4, 2),
        revision=3,
        redated_at=NOW,
        amended_at=NOW,
        watch=watch(
            spoken=(("T-3", NOW), ("D0", NOW)),
            pay_by=date(2026, 3, 20),
            tried=(Tried("T-3", 0, "c1"), Tried("T-3", 1, "c2")),
            awaits=("c3", "c4"),
            ask_at=NOW,
        ),
    )
    written = Pages(
        TENANT,
        BORROWER_ID,
        head=borrower(
            contact_points=points,
            unmatched=1,
            zone_evidence=("Asia/Urumqi", "Europe/Berlin"),
            tags=("vip", ""),
            score_band="B",
        ),
        accounts={
            "a1": account(daily_rate=Decimal("0.0005"), mandate="1234", creditor="Bank 中"),
            "a:2": account(id="a:2", product="", limit_minor=0),
        },
        obligations={
            "o1": settled(),
            "o2": part_paid(
                5,
                id="o2",
                minimum_minor=0,
                watch=watch(decided=("T-3", "D0"), contact_id="c1", chain="f" * 64),
            ),
            "o3": late,
        },
        repayments={
            "r1": repayment(
                reversed_at=NOW + timedelta(microseconds=1), told_at=NOW, reversal_told_at=NOW
            ),
            "r2": early(id="r2", obligation_id="o9", credit=True),
            "r3": repayment(id="r3", obligation_id=""),
        },
        holds={
            "h1": hold(account_id="a1", obligation_id="o2", channel="sms", owner="agent:7"),
            "h2": hold(
                id="h2",
                kind=Kind.PROMISE,
                promise_minor=100,
                promise_on=date(2026, 3, 9),
                paid_before_minor=5,
            ),
            "h3": hold(id="h3", kind=Kind.DECEASED, ends_at=None, lifted_at=NOW),
        },
        flights={
            "f1": flight(),
            "f2": flight(
                id="f2",
                obligation_id="",
                means=Means.REFUND,
                state=FlightState.FAILED,
                ended_at=NOW,
                reason="insufficient_funds",
            ),
        },
        budget=budget(
            touch(
                at=NOW - timedelta(days=2),
                debts=("o1", "o2"),
                number="n_x",
                excluded=("consented",),
            ),
            touch(
                id="t2",
                direction=Direction.IN,
                attempt=False,
                connected=True,
                conversation=True,
                message_left=True,
                party=Party.THIRD,
                recipient=Recipient.EMPLOYER,
                purpose=Purpose.STATUTORY,
                accounts=("a1",),
                products=("card", "loan"),
                by="",
            ),
            full_until=NOW + timedelta(days=3),
        ),
        consents=(
            consent(revoked_at=NOW, revocation_due_at=NOW, valid_until=NOW, language="en"),
            refusal(media=frozenset({"sms", "push"}), lifted_at=NOW, provisional=True, words="x"),
            refusal(topic="t", sender="s", told_at=None),
            Reassigned("g1", "n_x", NOW, "letter", "bank"),
        ),
    )
    stores.store.commit(changes_between(EMPTY, written))
    found = stores.book.pages(TENANT, BORROWER_ID)
    # Versions and seqs are set by `changes_between`: 1 here, as the builders have them. So are the counts by which a
    # torn read is known.
    assert written.head is not None
    versions = dict.fromkeys(written.obligations, 1)
    counted = {
        account_id: replace(each, tally=written.tally(account_id, versions))
        for account_id, each in written.accounts.items()
    }
    assert found == replace(
        written, head=replace(written.head, held=written.held), accounts=counted
    )
    assert not found.is_torn


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
        also=(Spoke("o2", "1@2026-03-09", "T-3"), Spoke("o3", "2@2026-04-09", "D0")),
        cause="c_failed",
        claimed_at=NOW,
        taken=(1, 2),
        refusals=(2,),
        complained_at=NOW,
        unsubscribed_at=NOW,
        seen_at=NOW,
        read_at=NOW,
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


def known(index: str, channel: str = "email", tenant: str = TENANT) -> Listed:
    """Return an address of which all there is is known."""
    return Listed(
        tenant,
        index,
        channel,
        1,
        (
            Entry(Scope.ALL, Why.HARD_BOUNCE, NOW, "c1"),
            Entry(Scope.REMINDER, Why.LENDER, NOW, "ana", "why", NOW, "bo", "because"),
        ),
        (BORROWER_ID,),
        (NOW, NOW + timedelta(hours=1)),
        NOW,
    )


def test_an_address_comes_back_as_written(stores: Stores) -> None:
    """Under its index and channel; of any other nothing is known."""
    assert stores.addresses is not None
    index = "x_" + "1f" * 16
    listed = known(index)
    stores.store.commit([SaveListed(listed, 0)])
    assert stores.addresses.listed(TENANT, index, "email") == listed
    assert stores.addresses.listed(TENANT, index, "sms") == Listed(TENANT, index, "sms")
    assert stores.addresses.listed("shop", index, "email") == Listed("shop", index, "email")


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_the_list_of_addresses_is_read_page_by_page(stores: Stores, limit: int) -> None:
    """Each address once, those of the tenant alone, however long a page is."""
    assert stores.addresses is not None
    indexes = [f"x_{n:02x}{7 * n % 256:030x}" for n in range(7)]
    for index in indexes:
        stores.store.commit([SaveListed(known(index), 0)])
    stores.store.commit([SaveListed(known("x_" + "2b" * 16, tenant="shop"), 0)])
    found, after = [], ""
    for _ in range(60):
        page = stores.addresses.addresses(TENANT, limit=limit, after=after)
        assert len(page.rows) <= limit
        found += [listed.index for listed in page.rows]
        after = page.after
        if not after:
            break
    assert (sorted(found), after) == (sorted(indexes), "")
