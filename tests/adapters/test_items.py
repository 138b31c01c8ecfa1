"""Item codecs: every value that is stored comes back as it was, and what must not be stored is stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betimes.adapters import attributes, items, keys
from betimes.adapters.attributes import Item
from betimes.core.allocation import Parts
from betimes.core.borrower import Account, Borrower, ContactPoint, PointState
from betimes.core.budget import Budget
from betimes.core.contact import Contact, Spoke, State
from betimes.core.flight import Flight, FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.ids import is_id
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Tried, Watch
from betimes.core.preferences import Preferences
from betimes.core.reason import Reason
from betimes.core.record import Record, record_id
from betimes.core.rule import Party, Purpose, Recipient
from betimes.core.touch import Direction, Touch
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
# Small ones too, or no bill would ever be paid in full.
minors = st.integers(0, 3) | counts
amounts = st.builds(Money, minor=st.integers(1, 3) | positive, currency=texts)
some_texts = st.lists(texts, max_size=4).map(tuple)
decimals = st.just(Decimal(0)) | st.decimals(
    0, 10**15, allow_nan=False, allow_infinity=False, places=30
)
ids_or_none = st.just("") | ids


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
clocks = st.none() | st.times()
wishes = all_fields(
    Preferences,
    channels=some_texts,
    quiet_from=clocks,
    quiet_until=clocks,
    language=texts,
    one_reminder=st.booleans(),
    digest=st.booleans(),
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
    zone_evidence=some_texts,
    tags=some_texts,
    score_band=texts,
    held=counts,
    preferences=wishes,
)
accounts = all_fields(
    Account,
    id=ids,
    product=texts,
    currency=texts,
    opened_on=days,
    limit_minor=counts,
    daily_rate=decimals,
    mandate=texts,
    creditor=texts,
    tally=counts,
    version=positive,
)
watches = all_fields(
    Watch,
    shard=counts,
    look_at=st.none() | instants,
    decided=some_texts,
    contact_id=texts,
    chain=texts,
    seq=positive,
    spoken=st.lists(st.tuples(texts, instants), max_size=3).map(tuple),
    pay_by=st.none() | days,
    tried=st.lists(st.builds(Tried, texts, counts, texts), max_size=3).map(tuple),
    awaits=some_texts,
    ask_at=st.none() | instants,
)
spans = st.tuples(instants, instants).filter(lambda span: span[0] < span[1])


def _consistent(obligation: Obligation, settles: bool, at: datetime) -> Obligation:
    """Return the obligation with money that a replay could have left: see `items` for what holds of it."""
    obligation = replace(obligation, fee_minor=min(obligation.fee_minor, obligation.amount.minor))
    billed, paid = obligation.billed, obligation.paid
    paid = Parts(
        paid.penalty,
        min(paid.fee, billed.fee),
        min(paid.interest, billed.interest),
        min(paid.principal, billed.principal),
    )
    in_full = paid.total - paid.penalty == obligation.amount.minor
    settled = paid.total > 0 and (settles or (in_full and not obligation.accrued))
    overpaid = obligation.overpaid_minor if settled else 0
    is_late = obligation.accrued > 0 or paid.penalty > 0
    return replace(
        obligation,
        paid=paid,
        overpaid_minor=overpaid,
        paid_minor=paid.total + overpaid,
        settled_at=at if settled else None,
        accrued_to=obligation.accrued_to or (obligation.due_on if is_late else None),
    )


obligations = st.builds(
    _consistent,
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
        paid_minor=st.just(0),
        settled_at=st.none(),
        version=positive,
        fee_minor=minors,
        paid=all_fields(
            Parts, penalty=st.just(0) | counts, fee=minors, interest=minors, principal=minors
        ),
        accrued=decimals,
        accrued_to=st.none() | days,
        overpaid_minor=counts,
        spans=st.lists(spans, max_size=3).map(tuple),
        nominal_on=st.none() | days,
        provisional=st.booleans(),
        aged_from=st.none() | days,
        aged_on=st.none() | days,
        entry_on=st.none() | days,
        revision=counts,
        redated_at=st.none() | instants,
        amended_at=st.none() | instants,
    ),
    st.booleans(),
    instants,
)


def _told_in_order(repayment: Repayment) -> Repayment:
    told = repayment.reversal_told_at if repayment.reversed_at is not None else None
    return replace(repayment, reversal_told_at=told)


repayments = all_fields(
    Repayment,
    id=ids,
    obligation_id=ids_or_none,
    account_id=ids,
    paid_at=instants,
    amount=amounts,
    matched=st.booleans(),
    reversed_at=st.none() | instants,
    told_at=st.none() | instants,
    reversal_told_at=st.none() | instants,
    credit=st.booleans(),
).map(_told_in_order)


def _dated(hold: Hold, promise_on: date, promise_minor: int) -> Hold:
    ends_at = hold.ends_at if hold.ends_at and hold.starts_at < hold.ends_at else None
    if hold.kind is not Kind.PROMISE:
        return replace(hold, ends_at=ends_at)
    return replace(hold, ends_at=ends_at, promise_on=promise_on, promise_minor=promise_minor)


holds = st.builds(
    _dated,
    all_fields(
        Hold,
        id=ids,
        kind=st.sampled_from(Kind),
        starts_at=instants,
        told_at=instants,
        ends_at=st.none() | instants,
        lifted_at=st.none() | instants,
        account_id=ids_or_none,
        obligation_id=ids_or_none,
        channel=texts,
        promise_minor=st.just(0),
        promise_on=st.none(),
        paid_before_minor=counts,
        owner=texts,
        revision=positive,
        reopened_from=st.none() | instants,
    ),
    days,
    positive,
)


def _ended(flight: Flight, at: datetime) -> Flight:
    ended = flight.state in (FlightState.SETTLED, FlightState.FAILED)
    return replace(flight, ended_at=at if ended else None)


flights = st.builds(
    _ended,
    all_fields(
        Flight,
        id=ids,
        account_id=ids,
        obligation_id=ids_or_none,
        means=st.sampled_from(Means),
        amount_minor=positive,
        state=st.sampled_from(FlightState),
        since=instants,
        expected_by=instants,
        ended_at=st.none(),
        reason=texts,
        told_at=st.none() | instants,
        revision=positive,
    ),
    instants,
)


def _possible(contact: Contact, lease: datetime) -> Contact:
    others = {spoke.obligation_id: spoke for spoke in contact.also}
    others.pop(contact.obligation_id, None)
    leased = replace(
        contact, attempt=contact.attempt + contact.unknowns, also=tuple(others.values())
    )
    return replace(leased, lease_until=lease) if contact.state is State.SENDING else leased


names = st.lists(texts, max_size=3).map(tuple)
touches = all_fields(
    Touch,
    id=ids,
    at=instants,
    channel=texts,
    direction=st.sampled_from(Direction),
    attempt=st.booleans(),
    connected=st.booleans(),
    conversation=st.booleans(),
    message_left=st.booleans(),
    party=st.sampled_from(Party),
    by=texts,
    debts=names,
    accounts=names,
    products=names,
    number=texts,
    recipient=st.sampled_from(Recipient),
    excluded=names,
    purpose=st.sampled_from(Purpose),
    reserved=st.booleans(),
)


def _in_order(found: list[Touch]) -> tuple[Touch, ...]:
    """Touches as a budget has them: each id once, in order of time."""
    once = {touch.id: touch for touch in found}
    return tuple(sorted(once.values(), key=lambda touch: (touch.at, touch.id)))


budgets = all_fields(
    Budget,
    version=positive,
    touches=st.lists(touches, max_size=4).map(_in_order),
    full_until=st.none() | instants,
    chain=texts,
)
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
        also=st.lists(st.builds(Spoke, ids, texts, texts), max_size=3).map(tuple),
        cause=texts,
        claimed_at=st.none() | instants,
        taken=st.lists(counts, max_size=3).map(tuple),
        refusals=st.lists(counts, max_size=3).map(tuple),
        complained_at=st.none() | instants,
        unsubscribed_at=st.none() | instants,
        seen_at=st.none() | instants,
        read_at=st.none() | instants,
        address_index=texts,
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


@settings(max_examples=60)
@given(ids, ids, holds)
def test_a_hold_comes_back_as_it_was(tenant: str, borrower_id: str, hold: Hold) -> None:
    """Decoding undoes encoding, for every hold."""
    assert items.hold_from(items.hold_item(tenant, borrower_id, hold)) == hold


@settings(max_examples=60)
@given(ids, ids, flights)
def test_money_in_flight_comes_back_as_it_was(
    tenant: str, borrower_id: str, flight: Flight
) -> None:
    """Decoding undoes encoding, for all money in flight."""
    assert items.flight_from(items.flight_item(tenant, borrower_id, flight)) == flight


@given(ids, ids, budgets)
def test_a_contact_budget_comes_back_as_it_was(
    tenant: str, borrower_id: str, budget: Budget
) -> None:
    """The contact budget of a person with its touches."""
    assert items.budget_from(items.budget_item(tenant, borrower_id, budget)) == budget


@given(ids, instants)
def test_a_feed_comes_back_as_it_was(tenant: str, until: datetime) -> None:
    """Decoding undoes encoding, and no borrower's pages are in that partition."""
    item = items.feed_item(tenant, until)
    assert items.feed_from(item) == until
    with pytest.raises(AssertionError):
        keys.borrower_of(attributes.text(item, "pk"))


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


def bill(**fields: Any) -> Item:
    return items.obligation_item("bank", "b1", factories.obligation(**fields))


def counted(*touches: Touch, **fields: Any) -> Item:
    return items.budget_item("bank", "b1", factories.budget(*touches, **fields))


def stop(**fields: Any) -> Item:
    return items.hold_item("bank", "b1", factories.hold(**fields))


def under_way(**fields: Any) -> Item:
    return items.flight_item("bank", "b1", factories.flight(**fields))


IN_FULL = Parts(interest=2_000, principal=118_000)
WRONG: dict[str, Callable[[], Item]] = {
    "a head never stored": lambda: items.borrower_item(factories.borrower(version=0)),
    "an account never stored": lambda: items.account_item(
        "bank", "b1", factories.account(version=0)
    ),
    "a rate below zero": lambda: items.account_item(
        "bank", "b1", factories.account(daily_rate=Decimal("-0.1"))
    ),
    "a rate that is no number": lambda: items.account_item(
        "bank", "b1", factories.account(daily_rate=Decimal("NaN"))
    ),
    "an obligation without version": lambda: bill(version=0),
    "an obligation without seq": lambda: bill(watch=factories.watch(seq=0)),
    "paid in full and open": lambda: bill(paid_minor=120_000, paid=IN_FULL),
    "settled by nothing": lambda: bill(settled_at=factories.NOW),
    "more taken back than received": lambda: bill(paid_minor=-1, paid=Parts(principal=-1)),
    "money that went nowhere": lambda: bill(paid_minor=5),
    "money out of nowhere": lambda: bill(paid=Parts(principal=5)),
    "money too much for an open debt": lambda: bill(paid_minor=5, overpaid_minor=5),
    "less than nothing too much": lambda: items.obligation_item(
        "bank", "b1", factories.settled(paid_minor=119_995, overpaid_minor=-5)
    ),
    "a part below zero": lambda: bill(paid=Parts(fee=-5, principal=5)),
    "more principal than was billed": lambda: bill(
        paid_minor=118_001, paid=Parts(principal=118_001)
    ),
    "more interest than was billed": lambda: bill(paid_minor=2_001, paid=Parts(interest=2_001)),
    "a fee that was not billed": lambda: bill(paid_minor=1, paid=Parts(fee=1)),
    "a fee above the amount": lambda: bill(fee_minor=120_001),
    "late interest below zero": lambda: bill(accrued=Decimal(-1), accrued_to=factories.NOW.date()),
    "late interest without end": lambda: bill(
        accrued=Decimal("Infinity"), accrued_to=factories.NOW.date()
    ),
    "late interest up to no day": lambda: bill(accrued=Decimal("0.5")),
    "settled before it was owed": lambda: bill(spans=((factories.NOW, factories.NOW),)),
    "an amendment before the first": lambda: bill(revision=-1),
    "a hold that ends before it starts": lambda: stop(ends_at=factories.NOW - timedelta(days=1)),
    "a hold on no id": lambda: stop(account_id="a#1"),
    "a promise without a day": lambda: stop(kind=Kind.PROMISE, promise_minor=1),
    "a promise of nothing": lambda: stop(kind=Kind.PROMISE, promise_on=factories.NOW.date()),
    "a dispute with an amount": lambda: stop(promise_minor=1),
    "a dispute with a promised day": lambda: stop(promise_on=factories.NOW.date()),
    "money received before, below zero": lambda: stop(paid_before_minor=-1),
    "nothing in flight": lambda: under_way(amount_minor=0),
    "in flight for nobody": lambda: under_way(account_id=""),
    "pending and ended": lambda: under_way(ended_at=factories.NOW),
    "settled and not ended": lambda: under_way(state=FlightState.SETTLED),
    "a budget never stored": lambda: counted(version=0),
    "a touch twice": lambda: counted(factories.touch(), factories.touch(at=factories.NOW)),
    "touches out of order": lambda: counted(
        factories.touch(at=factories.NOW), factories.touch(id="t2")
    ),
    "more touches than are kept": lambda: counted(
        *(factories.touch(id=f"t{n:03}") for n in range(401))
    ),
    "a touch with no id": lambda: counted(factories.touch(id="")),
    "a repayment of nothing": lambda: items.repayment_item(
        "bank", "b1", factories.repayment(amount=Money(0, "CNY"))
    ),
    "a repayment for no account": lambda: items.repayment_item(
        "bank", "b1", factories.repayment(account_id="")
    ),
    "a reversal told of and not there": lambda: items.repayment_item(
        "bank", "b1", factories.repayment(reversal_told_at=factories.NOW)
    ),
    "a matched repayment parked": lambda: items.parked_item("bank", factories.repayment()),
    "a sending contact without lease": lambda: items.contact_item(
        factories.contact(state=State.SENDING, attempt=1)
    ),
    "an unknown without attempt": lambda: items.contact_item(factories.contact(unknowns=1)),
    "a digest that names its own obligation": lambda: items.contact_item(
        factories.contact(also=(Spoke("o1", "1@2026-03-09", "T-3"),))
    ),
    "a digest that names one twice": lambda: items.contact_item(
        factories.contact(
            also=(Spoke("o2", "1@2026-03-09", "T-3"), Spoke("o2", "1@2026-03-09", "D0"))
        )
    ),
    "an unsealed record": lambda: items.record_item(replace(factories.record(), hash="")),
    "a record with a truth value": lambda: items.record_item(factories.record(body={"sent": True})),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_must_not_be_is_not_written(case: str) -> None:
    """A value that contradicts itself stops the writer."""
    with pytest.raises(AssertionError):
        WRONG[case]()


# What somebody else wrote over a good item.
SPOILED: dict[str, tuple[Callable[[Item], object], Item, Item]] = {
    "status and settled_at disagree": (
        items.obligation_from,
        bill(),
        {items.STATUS: {"S": items.SETTLED}},
    ),
    "money that went nowhere": (
        items.obligation_from,
        items.obligation_item("bank", "b1", factories.part_paid(5)),
        {"paid_minor": {"N": "6"}},
    ),
    "late interest that is no number": (
        items.obligation_from,
        bill(),
        {"accrued": {"S": "NaN"}, "accrued_to": {"S": "2026-03-10"}},
    ),
    "an account without a version": (
        items.account_from,
        items.account_item("bank", "b1", factories.account()),
        {items.VERSION: {"N": "0"}},
    ),
    "a hold that ends before it starts": (
        items.hold_from,
        stop(),
        {"ends_at": {"S": "2020-01-01T00:00:00.000000Z"}},
    ),
    "pending and ended": (
        items.flight_from,
        under_way(),
        {"ended_at": {"S": "2026-03-01T00:00:00.000000Z"}},
    ),
    "a budget without a version": (items.budget_from, counted(), {items.VERSION: {"N": "0"}}),
    "a touch that says something unknown": (
        items.budget_from,
        counted(),
        {
            "touches": attributes.rows_fields(
                "touches", [["2026-03-01T00:00:00.000000Z", "t1", "call", "attempt", "mood=good"]]
            )["touches"]
        },
    ),
    "a repayment of nothing": (
        items.repayment_from,
        items.repayment_item("bank", "b1", factories.repayment()),
        {"amount_minor": {"N": "0"}},
    ),
    "a digest that names one twice": (
        items.contact_from,
        items.contact_item(factories.contact(also=(Spoke("o2", "1@2026-03-09", "T-3"),))),
        {"obligation_id": {"S": "o2"}},
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_must_not_be_is_not_read(case: str) -> None:
    """An item changed by somebody else stops the reader; the same item unchanged does not."""
    read, item, change = SPOILED[case]
    read(item)
    with pytest.raises(AssertionError):
        read({**item, **change})


# The attributes that the first release wrote, beside the keys.
FIRST_RELEASE: dict[str, tuple[Item, str]] = {
    "head": (
        items.borrower_item(factories.borrower()),
        "locale zone jurisdiction contact_points blocked unmatched version",
    ),
    "account": (
        items.account_item("bank", "b1", factories.account()),
        # The version is new and always there: the next write asks for it.
        "product currency opened_on limit_minor version",
    ),
    "obligation": (
        bill(),
        """account_id number issued_at due_on amount_minor currency principal_minor minimum_minor stored_at paid_minor
        status version shard look_at decided contact_id chain seq""",
    ),
    "repayment": (
        items.repayment_item("bank", "b1", factories.repayment()),
        "obligation_id account_id paid_at amount_minor currency matched",
    ),
    "contact": (
        items.contact_item(factories.contact()),
        """tenant borrower_id obligation_id cycle step slot channel template treatment message_class decided_at
        not_after amount_minor currency state reason attempt unknowns offers offered changed_at text_sha256
        provider_id point chain""",
    ),
}


@pytest.mark.parametrize("kind", FIRST_RELEASE)
def test_what_says_nothing_takes_no_room(kind: str) -> None:
    """A plain value makes the item that the first release made, so the one form is read like the other."""
    item, names = FIRST_RELEASE[kind]
    assert set(item) - {"pk", "sk"} == set(names.split())


def test_an_account_without_a_version_has_the_first() -> None:
    """What was stored before accounts had versions is read as stored once."""
    item = items.account_item("bank", "b1", factories.account(version=7))
    del item[items.VERSION]
    assert items.account_from(item) == factories.account(version=items.FIRST_VERSION)


@pytest.mark.parametrize(
    ("minor", "paid", "overpaid_minor"),
    [
        (0, Parts(), 0),
        (1_500, Parts(interest=1_500), 0),
        (2_500, Parts(interest=2_000, principal=500), 0),
        (120_000, IN_FULL, 0),
        (120_007, IN_FULL, 7),
    ],
)
def test_money_that_was_kept_as_a_sum_is_read_by_component(
    minor: int, paid: Parts, overpaid_minor: int
) -> None:
    """The first release kept one sum: interest comes first, too much stays too much, and nothing is lost."""
    whole = minor >= 120_000
    stored = factories.settled() if whole else factories.obligation()
    item = items.obligation_item("bank", "b1", stored)
    item.pop("paid", None)
    found = items.obligation_from({**item, "paid_minor": {"N": str(minor)}})
    assert (found.paid_minor, found.paid, found.overpaid_minor) == (minor, paid, overpaid_minor)
    assert items.obligation_from(items.obligation_item("bank", "b1", found)) == found


def test_every_digit_of_late_interest_is_kept() -> None:
    """More digits than DynamoDB's numbers hold come back as they were."""
    exact = Decimal("123456789012345.0000000000000000000000000000000000000001")
    late = factories.obligation(accrued=exact, accrued_to=factories.NOW.date())
    item = items.obligation_item("bank", "b1", late)
    assert str(items.obligation_from(item).accrued) == str(exact)


def test_a_guard_sorts_before_what_it_guards() -> None:
    """A Query that meets a transaction in its middle shows the new guard with what was new, never with the old."""
    of = ("bank", "b1")

    def place(key: Item) -> bytes:
        return attributes.text(key, "sk").encode()

    account, head = place(keys.account_key(*of, "z")), place(keys.head_key(*of))
    assert account < place(keys.obligation_key(*of, "a"))
    assert account < place(keys.repayment_key(*of, "a"))
    assert head < place(keys.hold_key(*of, "a"))
    assert head < place(keys.flight_key(*of, "a"))


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


def test_a_full_budget_fits_an_item() -> None:
    """As many touches with as many names as a budget takes stay below the 400 KB that an item may have."""
    full = Budget()
    long = tuple("d" * 120 + f"{n:03}" for n in range(8))
    for n in range(450):
        at = factories.NOW + timedelta(seconds=n)
        touch = factories.touch(id="t" * 120 + f"{n:05}", at=at, debts=long, number="n" * 28)
        full = full.with_touch(touch, at)
    item = items.budget_item("bank", "b1", replace(full, version=1))
    assert full.is_full(factories.NOW)
    # DynamoDB counts the bytes of names and values; JSON of the item is more than that.
    assert len(json.dumps(item)) < 400_000
