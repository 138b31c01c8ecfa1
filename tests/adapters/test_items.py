"""Item codecs: every value that is stored comes back as it was, and what must not be stored is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betimes.adapters import items, keys
from betimes.adapters.attributes import Item
from betimes.core.borrower import Account, Borrower, ContactPoint, PointState
from betimes.core.contact import Contact, State
from betimes.core.ids import is_id
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Watch
from betimes.core.reason import Reason
from betimes.core.record import Record, record_id
from betimes.core.treatment import MessageClass
from tests import factories

ids = st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True)
# DynamoDB takes text in UTF-8, which has no lone surrogates.
texts = st.text(st.characters(codec="utf-8"), max_size=40)
instants = st.builds(
    lambda microseconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds),
    st.integers(0, 250 * 10**15),
)
days = st.dates(date(1900, 1, 1), date(9999, 12, 31))
counts = st.integers(0, 2**63)
positive = st.integers(1, 2**63)
amounts = st.builds(Money, minor=positive, currency=texts)


def all_fields(kind: type, /, **strategies: Any) -> Any:
    """Return a strategy for `kind` that leaves no field at its default: a codec that forgets one is found."""
    assert set(strategies) == {field.name for field in fields(kind)}
    return st.builds(kind, **strategies)


points = all_fields(
    ContactPoint,
    channel=texts,
    address=texts,
    state=st.sampled_from(PointState),
    since=counts,
)
borrowers = all_fields(
    Borrower,
    tenant=ids,
    id=ids,
    locale=texts,
    zone=texts,
    jurisdiction=texts,
    contact_points=st.lists(points, max_size=3).map(tuple),
    blocked=st.lists(points, max_size=3).map(tuple),
    unmatched=counts,
    version=positive,
)
accounts = all_fields(
    Account, id=ids, product=texts, currency=texts, opened_on=days, limit_minor=counts
)
watches = all_fields(
    Watch,
    shard=counts,
    look_at=st.none() | instants,
    decided=st.lists(texts, max_size=4).map(tuple),
    contact_id=texts,
    chain=texts,
    seq=positive,
)


def _settled(obligation: Obligation, at: datetime) -> Obligation:
    paid = obligation.paid_minor >= obligation.amount.minor
    return replace(obligation, settled_at=at if paid else None)


obligations = st.builds(
    _settled,
    all_fields(
        Obligation,
        id=ids,
        account_id=ids,
        seq=counts,
        issued_at=instants,
        due_on=days,
        amount=amounts,
        principal_minor=counts,
        minimum_minor=counts,
        stored_at=instants,
        watch=watches,
        paid_minor=counts,
        settled_at=st.none(),
        version=positive,
    ),
    instants,
)
repayments = all_fields(
    Repayment,
    id=ids,
    obligation_id=ids,
    account_id=ids,
    paid_at=instants,
    amount=amounts,
    matched=st.booleans(),
    reversed_at=st.none() | instants,
)


def _possible(contact: Contact, lease: datetime) -> Contact:
    leased = replace(contact, attempt=contact.attempt + contact.unknowns)
    return replace(leased, lease_until=lease) if contact.state is State.SENDING else leased


contacts = st.builds(
    _possible,
    all_fields(
        Contact,
        id=ids,
        tenant=ids,
        borrower_id=ids,
        obligation_id=ids,
        cycle=texts,
        step=texts,
        slot=counts,
        channel=texts,
        template=texts,
        treatment=texts,
        message_class=st.sampled_from(MessageClass),
        decided_at=instants,
        not_after=instants,
        amount=st.builds(Money, minor=counts, currency=texts),
        state=st.sampled_from(State),
        reason=st.sampled_from(Reason),
        attempt=counts,
        unknowns=counts,
        offers=counts,
        offered=st.booleans(),
        lease_until=st.none() | instants,
        changed_at=st.none() | instants,
        sent_at=st.none() | instants,
        text_sha256=texts,
        provider_id=texts,
        point=counts,
        chain=texts,
    ),
    instants,
)
records = all_fields(
    Record,
    id=st.builds(record_id, instants, texts),
    kind=texts,
    tenant=ids,
    borrower_id=ids,
    obligation_id=texts,
    contact_id=texts,
    at=instants,
    body=st.dictionaries(texts, texts | st.integers(-(2**70), 2**70), max_size=6),
    prev=texts,
    hash=texts,
).map(Record.sealed)


@settings(max_examples=60)
@given(borrowers)
def test_a_borrower_comes_back_as_it_was(head: Borrower) -> None:
    """Decoding undoes encoding, for every head."""
    assert items.borrower_from(items.borrower_item(head)) == head


@settings(max_examples=60)
@given(ids, ids, accounts)
def test_an_account_comes_back_as_it_was(tenant: str, borrower_id: str, account: Account) -> None:
    """Decoding undoes encoding, for every account."""
    assert items.account_from(items.account_item(tenant, borrower_id, account)) == account


@settings(max_examples=100)
@given(ids, ids, obligations)
def test_an_obligation_comes_back_as_it_was(
    tenant: str, borrower_id: str, obligation: Obligation
) -> None:
    """Decoding undoes encoding, for every obligation, and the agenda has only those with a look to come."""
    item = items.obligation_item(tenant, borrower_id, obligation)
    assert items.obligation_from(item) == obligation
    assert ("look_at" in item) is (obligation.watch.look_at is not None)


@settings(max_examples=60)
@given(ids, ids, repayments)
def test_a_repayment_comes_back_as_it_was(
    tenant: str, borrower_id: str, repayment: Repayment
) -> None:
    """Decoding undoes encoding, for every repayment, in a borrower's pages and parked."""
    item = items.repayment_item(tenant, borrower_id, repayment)
    assert items.repayment_from(item) == repayment
    waiting = replace(repayment, matched=False)
    assert items.parked_from(items.parked_item(tenant, waiting)) == waiting


@settings(max_examples=100)
@given(contacts)
def test_a_contact_comes_back_as_it_was(contact: Contact) -> None:
    """Decoding undoes encoding, for every contact."""
    assert items.contact_from(items.contact_item(contact)) == contact


@settings(max_examples=60)
@given(records)
def test_a_record_comes_back_intact(record: Record) -> None:
    """Decoding undoes encoding, for every ledger record, and its hash still fits."""
    found = items.record_from(items.record_item(record))
    assert found == record
    assert found.is_intact


@given(ids, ids)
def test_a_partition_key_names_its_borrower(tenant: str, borrower_id: str) -> None:
    """A stream record's key leads back to exactly one tenant and borrower."""
    assert keys.borrower_of(keys.partition(tenant, borrower_id)) == (tenant, borrower_id)


@given(ids, ids, ids)
def test_an_owner_partition_is_no_borrower(tenant: str, account_id: str, other: str) -> None:
    """The partition of an account's holder can never be taken for a borrower's."""
    key = keys.owner_partition(tenant, account_id)
    assert key != keys.partition(tenant, other)
    with pytest.raises(AssertionError):
        keys.borrower_of(key)


@pytest.mark.parametrize(
    "text", ["", "a#b", "a b", "@account", "a\x1fb", "ü", "\u0661", "a\n", "a/b", "x" * 129]
)
def test_what_would_blur_a_key_is_no_id(text: str) -> None:
    """Separators, control characters, other alphabets and over-long text are no ids and reach no key."""
    assert not is_id(text)
    with pytest.raises(AssertionError):
        keys.partition(text, "b1")
    with pytest.raises(AssertionError):
        keys.obligation_key("bank", "b1", text)
    with pytest.raises(AssertionError):
        keys.contact_key(text)


WRONG: dict[str, Callable[[], Item]] = {
    "a head never stored": lambda: items.borrower_item(factories.borrower(version=0)),
    "an obligation without version": lambda: items.obligation_item(
        "bank", "b1", factories.obligation(version=0)
    ),
    "an obligation without seq": lambda: items.obligation_item(
        "bank", "b1", factories.obligation(watch=factories.watch(seq=0))
    ),
    "paid in full and open": lambda: items.obligation_item(
        "bank", "b1", factories.obligation(paid_minor=120_000)
    ),
    "settled and not paid": lambda: items.obligation_item(
        "bank", "b1", factories.obligation(settled_at=factories.NOW)
    ),
    "more taken back than received": lambda: items.obligation_item(
        "bank", "b1", factories.obligation(paid_minor=-1)
    ),
    "a repayment of nothing": lambda: items.repayment_item(
        "bank", "b1", factories.repayment(amount=Money(0, "CNY"))
    ),
    "a matched repayment parked": lambda: items.parked_item("bank", factories.repayment()),
    "a sending contact without lease": lambda: items.contact_item(
        factories.contact(state=State.SENDING, attempt=1)
    ),
    "an unknown without attempt": lambda: items.contact_item(factories.contact(unknowns=1)),
    "an unsealed record": lambda: items.record_item(replace(factories.record(), hash="")),
    "a record with a truth value": lambda: items.record_item(factories.record(body={"sent": True})),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_must_not_be_is_not_written(case: str) -> None:
    """A value that contradicts itself stops the writer."""
    with pytest.raises(AssertionError):
        WRONG[case]()


def test_what_must_not_be_is_not_read() -> None:
    """An item changed by somebody else stops the reader: status and settled_at disagree."""
    item = items.obligation_item("bank", "b1", factories.obligation())
    with pytest.raises(AssertionError):
        items.obligation_from({**item, items.STATUS: {"S": items.SETTLED}})


def test_an_item_is_read_as_its_own_kind_only() -> None:
    """An account is not read as an obligation, nor a parked repayment as a taken one."""
    account = items.account_item("bank", "b1", factories.account())
    parked = items.parked_item("bank", factories.early())
    with pytest.raises(AssertionError):
        items.obligation_from(account)
    with pytest.raises(AssertionError):
        items.repayment_from(parked)


def test_a_forged_record_is_read_and_shows() -> None:
    """A changed ledger record comes back as it stands and does not claim to be intact."""
    item = items.record_item(factories.record())
    forged = items.record_from({**item, "prev": {"S": "0" * 64}})
    assert not forged.is_intact
