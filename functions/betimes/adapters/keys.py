"""The keys of all items in the four tables, both ways.

=========  =====================  ==============================================================
table      partition key          sort key
=========  =====================  ==============================================================
Book       `tenant#borrower`      `head`, `account#id`, `obligation#id`, `repayment#id`, `hold#id`,
                                  `inflight#id`, `budget`, `said#number`
Book       `tenant#@account#id`   `owner`, `parked#id`: who holds an account, money that came early
Book       `tenant#@account`      `feed`: up to when the money for all accounts is known
Book       `tenant#@address#nn`   `address#index#channel`: the list of addresses, by blind index
Contacts   contact id             none
Ledger     `tenant#borrower`      record id, which starts with the record's instant
Inbox      `tenant#borrower`      the instant of the decision, then the contact's id
=========  =====================  ==============================================================

No id holds "#" or "@", so no key of one kind can be read as another. A parked repayment does not
start with `repayment#`, so it wakes nobody through the Book's stream.

A Query reads in the order of sort keys, and a transaction that is committed in its middle shows in what is read after
that. So a guard sorts before what it guards, or a read could pair the new guard with what was guarded before: the
account before obligations and repayments, the head before holds, money in flight and what the person said. An account
that is replaced sorts before the head nevertheless, as it always did. The contact budget has a version of its own and
is guarded by nothing else.

Source: DynamoDB Developer Guide, "Amazon DynamoDB Transactions: How it works", read-committed isolation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from betimes.adapters.attributes import Item, Value, text, text_value
from betimes.config import (
    ACCOUNT,
    BUDGET,
    FEED,
    FLIGHT,
    HEAD,
    HOLD,
    OBLIGATION,
    OWNER,
    PARTITION_KEY,
    REPAYMENT,
    SAID,
    SORT_KEY,
)
from betimes.core.ids import is_id
from betimes.core.inbox import place_of

SEPARATOR: Final = "#"
# Stands where a borrower's id stands in the partition of an account whose holder is looked up; no
# id can be equal to it.
ACCOUNTS: Final = "@account"
PARKED: Final = "parked"
# Stands there in the partitions of a tenant's list of addresses.
ADDRESSES: Final = "@address"
ADDRESS: Final = "address"
ADDRESS_PARTITIONS: Final = 16


def partition(tenant: str, borrower_id: str) -> str:
    """Return the partition key of a borrower in Book and Ledger."""
    assert_ids(tenant, borrower_id)
    return f"{tenant}{SEPARATOR}{borrower_id}"


def borrower_of(partition_key: str) -> tuple[str, str]:
    """Return the tenant and the borrower's id in a partition key of Book or Ledger.

    Raises:
        AssertionError: it is the key of something else.
    """
    tenant, _, borrower_id = partition_key.partition(SEPARATOR)
    assert_ids(tenant, borrower_id)
    return tenant, borrower_id


def is_of_tenants(partition_key: str) -> bool:
    """Return whether a partition of the Book is of no borrower: of accounts, of a pace, of what was spent."""
    return "@" in partition_key


def owner_partition(tenant: str, account_id: str) -> str:
    """Return the partition key of an account's holder and of its parked repayments."""
    assert_ids(tenant, account_id)
    return SEPARATOR.join((tenant, ACCOUNTS, account_id))


def feed_partition(tenant: str) -> str:
    """Return the partition key of what is known of all accounts of a tenant."""
    assert_ids(tenant)
    return SEPARATOR.join((tenant, ACCOUNTS))


def head_key(tenant: str, borrower_id: str) -> Item:
    """Return the key of a borrower's head."""
    return _key(partition(tenant, borrower_id), HEAD)


def account_key(tenant: str, borrower_id: str, account_id: str) -> Item:
    """Return the key of an account."""
    return _key(partition(tenant, borrower_id), _sort(ACCOUNT, account_id))


def obligation_key(tenant: str, borrower_id: str, obligation_id: str) -> Item:
    """Return the key of an obligation."""
    return _key(partition(tenant, borrower_id), _sort(OBLIGATION, obligation_id))


def repayment_key(tenant: str, borrower_id: str, repayment_id: str) -> Item:
    """Return the key of a repayment in a borrower's pages."""
    return _key(partition(tenant, borrower_id), _sort(REPAYMENT, repayment_id))


def hold_key(tenant: str, borrower_id: str, hold_id: str) -> Item:
    """Return the key of a hold."""
    return _key(partition(tenant, borrower_id), _sort(HOLD, hold_id))


def flight_key(tenant: str, borrower_id: str, flight_id: str) -> Item:
    """Return the key of money in flight."""
    return _key(partition(tenant, borrower_id), _sort(FLIGHT, flight_id))


def budget_key(tenant: str, borrower_id: str) -> Item:
    """Return the key of a person's contact budget."""
    return _key(partition(tenant, borrower_id), BUDGET)


def said_key(tenant: str, borrower_id: str, number: int) -> Item:
    """Return the key of the entry with this number, from 1, in the ledger of a person's consents and refusals.

    Sorts as the entries were told.
    """
    assert 0 < number < 10**6, "entries are counted from 1, in at most six digits"
    return _key(partition(tenant, borrower_id), SEPARATOR.join((SAID, f"{number:06d}")))


def feed_key(tenant: str) -> Item:
    """Return the key of the item that says up to when a tenant's repayments are complete."""
    return _key(feed_partition(tenant), FEED)


def listed_partition(tenant: str, number: int) -> str:
    """Return the partition key of one of the `ADDRESS_PARTITIONS` parts of a tenant's list of addresses, from 0.

    Every claim checks an item of the list, and one partition alone would not bear those of a large lender.
    """
    assert_ids(tenant)
    assert 0 <= number < ADDRESS_PARTITIONS, "there are so many parts of the list and no more"
    return SEPARATOR.join((tenant, ADDRESSES, f"{number:02d}"))


def listed_key(tenant: str, index: str, channel: str) -> Item:
    """Return the key of what is known of an address, by its blind index (`core.suppression.index_of`)."""
    assert_ids(index, channel)
    part = int(index[-2:], 16) % ADDRESS_PARTITIONS
    return _key(listed_partition(tenant, part), SEPARATOR.join((ADDRESS, index, channel)))


def listed_of(item: Mapping[str, Value]) -> tuple[str, str, str]:
    """Return tenant, blind index and channel in the key of what is known of an address."""
    tenant, _, _ = text(item, PARTITION_KEY).partition(SEPARATOR)
    kind, index, channel = text(item, SORT_KEY).split(SEPARATOR)
    assert kind == ADDRESS, "this item is of no address"
    assert_ids(tenant, index, channel)
    return tenant, index, channel


def owner_key(tenant: str, account_id: str) -> Item:
    """Return the key of the item that says who holds an account."""
    return _key(owner_partition(tenant, account_id), OWNER)


def parked_key(tenant: str, account_id: str, repayment_id: str) -> Item:
    """Return the key of a repayment that waits for its account."""
    return _key(owner_partition(tenant, account_id), _sort(PARKED, repayment_id))


def entry_key(tenant: str, borrower_id: str, decided_at: datetime, contact_id: str) -> Item:
    """Return the key of a message in an inbox: those of a borrower sort by when they were decided, and each has the
    same key whatever attempt stores it.
    """
    assert_ids(contact_id)
    return _key(partition(tenant, borrower_id), place_of(decided_at, contact_id))


def contact_key(contact_id: str) -> Item:
    """Return the key of a contact."""
    assert_ids(contact_id)
    return {PARTITION_KEY: text_value(contact_id)}


def record_key(tenant: str, borrower_id: str, record_id: str) -> Item:
    """Return the key of a ledger record."""
    assert_ids(*record_id.split(SEPARATOR))
    return _key(partition(tenant, borrower_id), record_id)


def _key(partition_key: str, sort_key: str) -> Item:
    return {PARTITION_KEY: text_value(partition_key), SORT_KEY: text_value(sort_key)}


def _sort(kind: str, identity: str) -> str:
    assert_ids(identity)
    return f"{kind}{SEPARATOR}{identity}"


def id_in(item: Mapping[str, Value], kind: str) -> str:
    """Return the id in the sort key of an item of `kind`; an item of another kind is an error of ours."""
    found, _, identity = text(item, SORT_KEY).partition(SEPARATOR)
    assert found == kind, f"an item of kind {found!r} is no {kind}"
    assert_ids(identity)
    return identity


def assert_ids(*identities: str) -> None:
    """Stop at anything that is not an id: intake refuses it before it can get here."""
    for identity in identities:
        assert is_id(identity), "an id has 1 to 128 ASCII letters, digits and ._:-"
