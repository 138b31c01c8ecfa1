"""How values are kept in DynamoDB: one hand-written codec for each kind of item, both ways.

What must hold of a value is asserted before it is written and again after it was read: an item that
somebody else changed stops us instead of reaching a borrower. A ledger record's hash is asserted on
the way in only: on the way out a broken record is a finding for the audit.

The same functions read the images of stream events, which have the same form as items.
`adapters.keys` has the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from betimes.adapters.attributes import (
    Item,
    Value,
    day,
    day_value,
    instant,
    instant_fields,
    instant_or_none,
    instant_value,
    number,
    number_value,
    text,
    text_value,
)
from betimes.adapters.keys import (
    PARKED,
    SEPARATOR,
    account_key,
    assert_ids,
    borrower_of,
    contact_key,
    head_key,
    id_in,
    obligation_key,
    owner_key,
    parked_key,
    record_key,
    repayment_key,
)
from betimes.config import (
    ACCOUNT,
    AGENDA_PARTITION,
    AGENDA_SORT,
    HEAD,
    OBLIGATION,
    OWNER,
    PARTITION_KEY,
    REPAYMENT,
    SORT_KEY,
)
from betimes.core.book import Owner, Pages
from betimes.core.borrower import Account, Borrower, ContactPoint, PointState
from betimes.core.contact import Contact, State
from betimes.core.ids import is_id
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Watch
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.core.treatment import MessageClass
from betimes.ports import DueLook

# Attributes that conditions, stream filters or the agenda's projection refer to.
VERSION: Final = "version"
SEQ: Final = "seq"
STATUS: Final = "status"
OPEN: Final = "open"
SETTLED: Final = "settled"
STATE: Final = "state"
ATTEMPT: Final = "attempt"
CHAIN: Final = "chain"
OFFERED: Final = "offered"
PARKINGS: Final = "parkings"
BORROWER: Final = "borrower_id"
KIND: Final = "kind"


# The Book


def borrower_item(head: Borrower) -> Item:
    """Return the head of a borrower as an item."""
    _check_borrower(head)
    return {
        **head_key(head.tenant, head.id),
        "locale": text_value(head.locale),
        "zone": text_value(head.zone),
        "jurisdiction": text_value(head.jurisdiction),
        "contact_points": {"L": [_point(point) for point in head.contact_points]},
        "blocked": {"L": [_point(point) for point in head.blocked]},
        "unmatched": number_value(head.unmatched),
        VERSION: number_value(head.version),
    }


def borrower_from(item: Mapping[str, Value]) -> Borrower:
    """Return the head of a borrower that `borrower_item` wrote."""
    assert text(item, SORT_KEY) == HEAD, "this item is not a head"
    tenant, borrower_id = borrower_of(text(item, PARTITION_KEY))
    head = Borrower(
        tenant=tenant,
        id=borrower_id,
        locale=text(item, "locale"),
        zone=text(item, "zone"),
        jurisdiction=text(item, "jurisdiction"),
        contact_points=tuple(_point_from(point["M"]) for point in item["contact_points"]["L"]),
        blocked=tuple(_point_from(point["M"]) for point in item["blocked"]["L"]),
        unmatched=number(item, "unmatched"),
        version=number(item, VERSION),
    )
    _check_borrower(head)
    return head


def _check_borrower(head: Borrower) -> None:
    assert head.version >= 1, "a stored head has a version from 1"
    assert head.unmatched >= 0, "repayments that wait are counted from 0"


def _point(point: ContactPoint) -> Value:
    return {
        "M": {
            "channel": text_value(point.channel),
            "address": text_value(point.address),
            "state": text_value(point.state),
            "since": number_value(point.since),
        }
    }


def _point_from(fields: Mapping[str, Value]) -> ContactPoint:
    return ContactPoint(
        channel=text(fields, "channel"),
        address=text(fields, "address"),
        state=PointState(text(fields, "state")),
        since=number(fields, "since"),
    )


def account_item(tenant: str, borrower_id: str, account: Account) -> Item:
    """Return an account of a borrower as an item."""
    _check_account(account)
    return {
        **account_key(tenant, borrower_id, account.id),
        "product": text_value(account.product),
        "currency": text_value(account.currency),
        "opened_on": day_value(account.opened_on),
        "limit_minor": number_value(account.limit_minor),
    }


def account_from(item: Mapping[str, Value]) -> Account:
    """Return the account that `account_item` wrote."""
    account = Account(
        id=id_in(item, ACCOUNT),
        product=text(item, "product"),
        currency=text(item, "currency"),
        opened_on=day(item, "opened_on"),
        limit_minor=number(item, "limit_minor"),
    )
    _check_account(account)
    return account


def _check_account(account: Account) -> None:
    assert account.limit_minor >= 0, "a limit is not negative"


def obligation_item(tenant: str, borrower_id: str, obligation: Obligation) -> Item:
    """Return an obligation as an item.

    `look_at` is left out when there is nothing left to look at: without it the item is not in the
    agenda index.
    """
    _check_obligation(obligation)
    watch = obligation.watch
    return {
        **obligation_key(tenant, borrower_id, obligation.id),
        "account_id": text_value(obligation.account_id),
        "number": number_value(obligation.seq),
        "issued_at": instant_value(obligation.issued_at),
        "due_on": day_value(obligation.due_on),
        "amount_minor": number_value(obligation.amount.minor),
        "currency": text_value(obligation.amount.currency),
        "principal_minor": number_value(obligation.principal_minor),
        "minimum_minor": number_value(obligation.minimum_minor),
        "stored_at": instant_value(obligation.stored_at),
        "paid_minor": number_value(obligation.paid_minor),
        **instant_fields("settled_at", obligation.settled_at),
        STATUS: text_value(_status(obligation)),
        VERSION: number_value(obligation.version),
        AGENDA_PARTITION: number_value(watch.shard),
        **instant_fields(AGENDA_SORT, watch.look_at),
        "decided": {"L": [text_value(step) for step in watch.decided]},
        "contact_id": text_value(watch.contact_id),
        CHAIN: text_value(watch.chain),
        SEQ: number_value(watch.seq),
    }


def obligation_from(item: Mapping[str, Value]) -> Obligation:
    """Return the obligation that `obligation_item` wrote."""
    obligation = Obligation(
        id=id_in(item, OBLIGATION),
        account_id=text(item, "account_id"),
        seq=number(item, "number"),
        issued_at=instant(item, "issued_at"),
        due_on=day(item, "due_on"),
        amount=Money(number(item, "amount_minor"), text(item, "currency")),
        principal_minor=number(item, "principal_minor"),
        minimum_minor=number(item, "minimum_minor"),
        stored_at=instant(item, "stored_at"),
        watch=Watch(
            shard=number(item, AGENDA_PARTITION),
            look_at=instant_or_none(item, AGENDA_SORT),
            decided=tuple(step["S"] for step in item["decided"]["L"]),
            contact_id=text(item, "contact_id"),
            chain=text(item, CHAIN),
            seq=number(item, SEQ),
        ),
        paid_minor=number(item, "paid_minor"),
        settled_at=instant_or_none(item, "settled_at"),
        version=number(item, VERSION),
    )
    assert text(item, STATUS) == _status(obligation), "status and settled_at tell the same"
    _check_obligation(obligation)
    return obligation


def _status(obligation: Obligation) -> str:
    return OPEN if obligation.is_open else SETTLED


def _check_obligation(obligation: Obligation) -> None:
    assert_ids(obligation.account_id)
    assert obligation.version >= 1, "a stored obligation has a version from 1"
    assert obligation.watch.seq >= 1, "a stored obligation has a seq from 1"
    assert obligation.watch.shard >= 0, "shards are counted from 0"
    assert obligation.paid_minor >= 0, "more was taken back than was received"
    paid = obligation.paid_minor >= obligation.amount.minor
    assert paid is not obligation.is_open, "settled means paid in full, and paid in full settled"


def repayment_item(tenant: str, borrower_id: str, repayment: Repayment) -> Item:
    """Return a repayment in a borrower's pages as an item."""
    return {
        **repayment_key(tenant, borrower_id, repayment.id),
        **_repayment_fields(repayment),
    }


def repayment_from(item: Mapping[str, Value]) -> Repayment:
    """Return the repayment that `repayment_item` wrote."""
    return _repayment(id_in(item, REPAYMENT), item)


def parked_item(tenant: str, repayment: Repayment) -> Item:
    """Return a repayment that waits for its account as an item."""
    assert not repayment.matched, "a repayment without an account cannot be matched"
    return {
        **parked_key(tenant, repayment.account_id, repayment.id),
        **_repayment_fields(repayment),
    }


def parked_from(item: Mapping[str, Value]) -> Repayment:
    """Return the repayment that `parked_item` wrote."""
    repayment = _repayment(id_in(item, PARKED), item)
    assert not repayment.matched, "a repayment without an account cannot be matched"
    return repayment


def _repayment_fields(repayment: Repayment) -> Item:
    _check_repayment(repayment)
    return {
        "obligation_id": text_value(repayment.obligation_id),
        "account_id": text_value(repayment.account_id),
        "paid_at": instant_value(repayment.paid_at),
        "amount_minor": number_value(repayment.amount.minor),
        "currency": text_value(repayment.amount.currency),
        "matched": {"BOOL": repayment.matched},
        **instant_fields("reversed_at", repayment.reversed_at),
    }


def _repayment(identity: str, item: Mapping[str, Value]) -> Repayment:
    repayment = Repayment(
        id=identity,
        obligation_id=text(item, "obligation_id"),
        account_id=text(item, "account_id"),
        paid_at=instant(item, "paid_at"),
        amount=Money(number(item, "amount_minor"), text(item, "currency")),
        matched=bool(item["matched"]["BOOL"]),
        reversed_at=instant_or_none(item, "reversed_at"),
    )
    _check_repayment(repayment)
    return repayment


def _check_repayment(repayment: Repayment) -> None:
    assert_ids(repayment.obligation_id, repayment.account_id)
    assert repayment.amount.minor > 0, "a repayment is money received"


def owner_item(tenant: str, account_id: str, borrower_id: str, parkings: int) -> Item:
    """Return the holder of an account as an item; without a holder (""), only how often money was parked for it."""
    item = {**owner_key(tenant, account_id), PARKINGS: number_value(parkings)}
    if borrower_id:
        assert_ids(borrower_id)
        item[BORROWER] = text_value(borrower_id)
    return item


def pages_from(tenant: str, borrower_id: str, items: Iterable[Mapping[str, Value]]) -> Pages:
    """Return the pages made of all items of a borrower's partition; empty pages for no items."""
    heads: dict[str, Borrower] = {}
    accounts: dict[str, Account] = {}
    obligations: dict[str, Obligation] = {}
    repayments: dict[str, Repayment] = {}
    readers: Mapping[str, Callable[[Mapping[str, Value]], None]] = {
        HEAD: _into(heads, borrower_from),
        ACCOUNT: _into(accounts, account_from),
        OBLIGATION: _into(obligations, obligation_from),
        REPAYMENT: _into(repayments, repayment_from),
    }
    for item in items:
        readers[text(item, SORT_KEY).partition(SEPARATOR)[0]](item)
    return Pages(tenant, borrower_id, heads.get(borrower_id), accounts, obligations, repayments)


def _into(found: dict[str, Any], read: Callable[[Mapping[str, Value]], Any]) -> Callable[..., None]:
    def keep(item: Mapping[str, Value]) -> None:
        value = read(item)
        found[value.id] = value

    return keep


def owner_from(tenant: str, account_id: str, items: Iterable[Mapping[str, Value]]) -> Owner:
    """Return the owner made of all items of an account's partition, repayments in order of id."""
    borrower_id, parkings = "", 0
    parked: list[Repayment] = []
    for item in items:
        if text(item, SORT_KEY) == OWNER:
            parkings = number(item, PARKINGS)
            borrower_id = text(item, BORROWER) if BORROWER in item else ""
            assert is_id(borrower_id) or not borrower_id, "an owner's id is none"
        else:
            parked.append(parked_from(item))
    return Owner(tenant, account_id, borrower_id, tuple(parked), parkings)


def due_look_from(item: Mapping[str, Value]) -> DueLook:
    """Return a row of the agenda index, from its keys alone."""
    tenant, borrower_id = borrower_of(text(item, PARTITION_KEY))
    return DueLook(tenant, borrower_id, id_in(item, OBLIGATION), instant(item, AGENDA_SORT))


# Contacts


def contact_item(contact: Contact) -> Item:
    """Return a contact as an item."""
    _check_contact(contact)
    return {
        **contact_key(contact.id),
        "tenant": text_value(contact.tenant),
        BORROWER: text_value(contact.borrower_id),
        "obligation_id": text_value(contact.obligation_id),
        "cycle": text_value(contact.cycle),
        "step": text_value(contact.step),
        "slot": number_value(contact.slot),
        "channel": text_value(contact.channel),
        "template": text_value(contact.template),
        "treatment": text_value(contact.treatment),
        "message_class": text_value(contact.message_class),
        "decided_at": instant_value(contact.decided_at),
        "not_after": instant_value(contact.not_after),
        "amount_minor": number_value(contact.amount.minor),
        "currency": text_value(contact.amount.currency),
        STATE: text_value(contact.state),
        "reason": text_value(contact.reason),
        ATTEMPT: number_value(contact.attempt),
        "unknowns": number_value(contact.unknowns),
        "offers": number_value(contact.offers),
        OFFERED: {"BOOL": contact.offered},
        **instant_fields("lease_until", contact.lease_until),
        **instant_fields("changed_at", contact.changed_at),
        **instant_fields("sent_at", contact.sent_at),
        "text_sha256": text_value(contact.text_sha256),
        "provider_id": text_value(contact.provider_id),
        "point": number_value(contact.point),
        CHAIN: text_value(contact.chain),
    }


def contact_from(item: Mapping[str, Value]) -> Contact:
    """Return the contact that `contact_item` wrote."""
    contact = Contact(
        id=text(item, PARTITION_KEY),
        tenant=text(item, "tenant"),
        borrower_id=text(item, BORROWER),
        obligation_id=text(item, "obligation_id"),
        cycle=text(item, "cycle"),
        step=text(item, "step"),
        slot=number(item, "slot"),
        channel=text(item, "channel"),
        template=text(item, "template"),
        treatment=text(item, "treatment"),
        message_class=MessageClass(text(item, "message_class")),
        decided_at=instant(item, "decided_at"),
        not_after=instant(item, "not_after"),
        amount=Money(number(item, "amount_minor"), text(item, "currency")),
        state=State(text(item, STATE)),
        reason=Reason(text(item, "reason")),
        attempt=number(item, ATTEMPT),
        unknowns=number(item, "unknowns"),
        offers=number(item, "offers"),
        offered=bool(item[OFFERED]["BOOL"]),
        lease_until=instant_or_none(item, "lease_until"),
        changed_at=instant_or_none(item, "changed_at"),
        sent_at=instant_or_none(item, "sent_at"),
        text_sha256=text(item, "text_sha256"),
        provider_id=text(item, "provider_id"),
        point=number(item, "point"),
        chain=text(item, CHAIN),
    )
    _check_contact(contact)
    return contact


def _check_contact(contact: Contact) -> None:
    assert_ids(contact.id, contact.tenant, contact.borrower_id, contact.obligation_id)
    assert 0 <= contact.unknowns <= contact.attempt, "only an attempt can end unknown"
    running = contact.state is State.SENDING
    assert not running or contact.lease_until is not None, "a running attempt has a lease"


# The Ledger


def record_item(record: Record) -> Item:
    """Return a sealed ledger record as an item."""
    assert record.is_intact, "a record is sealed before it is appended"
    return {
        **record_key(record.tenant, record.borrower_id, record.id),
        KIND: text_value(record.kind),
        "obligation_id": text_value(record.obligation_id),
        "contact_id": text_value(record.contact_id),
        "at": instant_value(record.at),
        "body": {"M": {name: _word(value) for name, value in record.body.items()}},
        "prev": text_value(record.prev),
        "hash": text_value(record.hash),
    }


def record_from(item: Mapping[str, Value]) -> Record:
    """Return the ledger record that `record_item` wrote.

    Only its `is_intact` says whether it still is what was written.
    """
    tenant, borrower_id = borrower_of(text(item, PARTITION_KEY))
    return Record(
        id=text(item, SORT_KEY),
        kind=text(item, KIND),
        tenant=tenant,
        borrower_id=borrower_id,
        obligation_id=text(item, "obligation_id"),
        contact_id=text(item, "contact_id"),
        at=instant(item, "at"),
        body={name: _word_from(value) for name, value in item["body"]["M"].items()},
        prev=text(item, "prev"),
        hash=text(item, "hash"),
    )


def _word(value: str | int) -> Value:
    assert not isinstance(value, bool), "a record's body holds text and whole numbers only"
    return number_value(value) if isinstance(value, int) else text_value(value)


def _word_from(value: Value) -> str | int:
    return int(value["N"]) if "N" in value else str(value["S"])
