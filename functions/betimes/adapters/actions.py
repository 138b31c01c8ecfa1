"""How a change becomes actions of a DynamoDB transaction: one builder for each kind of change.

The conditions are those that the changes state (`core.change`) and that the twin in memory
implements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from betimes.adapters import items, keys
from betimes.adapters.attributes import Item, Value, number_value, text_value
from betimes.config import PARTITION_KEY
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
)


class Table(StrEnum):
    """Which of the three tables."""

    BOOK = "book"
    CONTACTS = "contacts"
    LEDGER = "ledger"


class Verb(StrEnum):
    """What an action does, in the words of TransactWriteItems."""

    PUT = "Put"
    DELETE = "Delete"
    CHECK = "ConditionCheck"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression with its names (`#name`) and values (`:name`)."""

    expression: str
    names: tuple[str, ...]
    values: Mapping[str, Value] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """Return the parameters that express this condition."""
        parameters: dict[str, Any] = {
            "ConditionExpression": self.expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in self.names},
        }
        if self.values:
            parameters["ExpressionAttributeValues"] = {
                f":{name}": value for name, value in self.values.items()
            }
        return parameters


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a transaction; `content` is the whole item for a Put, else its key."""

    verb: Verb
    table: Table
    key: Item
    content: Item
    condition: Condition | None = None

    def request(self, tables: Mapping[Table, str]) -> dict[str, Any]:
        """Return the entry of TransactItems; `tables` holds the tables' names."""
        return {
            str(self.verb): {
                "TableName": tables[self.table],
                "Item" if self.verb is Verb.PUT else "Key": self.content,
                **(self.condition.request() if self.condition else {}),
            }
        }


def actions(change: Change) -> tuple[Action, ...]:
    """Return the actions of `change`: two where its condition lies in another item, else one."""
    return BUILDERS[type(change)](change)


_ABSENT: Final = Condition(f"attribute_not_exists(#{PARTITION_KEY})", (PARTITION_KEY,))
_PRESENT: Final = Condition(f"attribute_exists(#{PARTITION_KEY})", (PARTITION_KEY,))


def _equal(**expected: Value) -> Condition:
    """Return the condition that every attribute has its value; an absent item fails it."""
    expression = " AND ".join(f"#{name} = :{name}" for name in expected)
    return Condition(expression, tuple(expected), expected)


def _put(table: Table, key: Item, item: Item, condition: Condition | None) -> tuple[Action, ...]:
    return (Action(Verb.PUT, table, key, item, condition),)


def _check(key: Item, condition: Condition) -> Action:
    return Action(Verb.CHECK, Table.BOOK, key, key, condition)


def _save_head(change: SaveHead) -> tuple[Action, ...]:
    head = change.head
    condition = _equal(**{items.VERSION: number_value(change.seen)}) if change.seen else _ABSENT
    key = keys.head_key(head.tenant, head.id)
    return _put(Table.BOOK, key, items.borrower_item(head), condition)


def _check_head(change: CheckHead) -> tuple[Action, ...]:
    key = keys.head_key(change.tenant, change.borrower_id)
    return (_check(key, _equal(**{items.VERSION: number_value(change.seen)})),)


def _save_account(change: SaveAccount) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    key = keys.account_key(*of, change.account.id)
    condition = _account_seen(change.seen) if change.seen else _ABSENT
    return _put(Table.BOOK, key, items.account_item(*of, change.account), condition)


def _account_seen(seen: int) -> Condition:
    """Return the condition that an account has a version; one stored before there were versions has the first."""
    same = _equal(**{items.VERSION: number_value(seen)})
    if seen != items.FIRST_VERSION:
        return same
    unversioned = f"{_PRESENT.expression} AND attribute_not_exists(#{items.VERSION})"
    return Condition(
        f"{same.expression} OR ({unversioned})", (*same.names, *_PRESENT.names), same.values
    )


def _free(seen: int) -> Condition:
    """Return the condition that nobody holds an account and `seen` repayments are parked for it."""
    none = f"attribute_not_exists(#{items.PARKINGS}) OR " if not seen else ""
    return Condition(
        f"attribute_not_exists(#{items.BORROWER}) AND ({none}#{items.PARKINGS} = :{items.PARKINGS})",
        (items.BORROWER, items.PARKINGS),
        {items.PARKINGS: number_value(seen)},
    )


def _save_owner(change: SaveOwner) -> tuple[Action, ...]:
    item = items.owner_item(change.tenant, change.account_id, change.borrower_id, change.left)
    key = keys.owner_key(change.tenant, change.account_id)
    free = _free(change.seen)
    if not change.borrower_id:
        return _put(Table.BOOK, key, item, free)
    free_or_ours = Condition(
        f"({free.expression}) OR #{items.BORROWER} = :{items.BORROWER}",
        tuple(dict.fromkeys((*free.names, items.BORROWER))),
        {**free.values, items.BORROWER: text_value(change.borrower_id)},
    )
    return _put(Table.BOOK, key, item, free_or_ours)


def _save_obligation(change: SaveObligation) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    is_new = (change.seen_version, change.seen_seq) == (0, 0)
    seen = _equal(
        **{
            items.VERSION: number_value(change.seen_version),
            items.SEQ: number_value(change.seen_seq),
        }
    )
    key = keys.obligation_key(*of, change.obligation.id)
    item = items.obligation_item(*of, change.obligation)
    return _put(Table.BOOK, key, item, _ABSENT if is_new else seen)


def _check_obligation(change: CheckObligation) -> tuple[Action, ...]:
    key = keys.obligation_key(change.tenant, change.borrower_id, change.obligation_id)
    is_open = _equal(
        **{items.STATUS: text_value(items.OPEN), items.VERSION: number_value(change.seen)}
    )
    return (_check(key, is_open),)


def _check_no_obligation(change: CheckNoObligation) -> tuple[Action, ...]:
    key = keys.obligation_key(change.tenant, change.borrower_id, change.obligation_id)
    return (_check(key, _ABSENT),)


def _save_repayment(change: SaveRepayment) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    key = keys.repayment_key(*of, change.repayment.id)
    item = items.repayment_item(*of, change.repayment)
    return _put(Table.BOOK, key, item, _PRESENT if change.known else _ABSENT)


def _save_hold(change: SaveHold) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    key = keys.hold_key(*of, change.hold.id)
    return _put(Table.BOOK, key, items.hold_item(*of, change.hold), None)


def _save_flight(change: SaveFlight) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    key = keys.flight_key(*of, change.flight.id)
    return _put(Table.BOOK, key, items.flight_item(*of, change.flight), None)


def _save_budget(change: SaveBudget) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    condition = _equal(**{items.VERSION: number_value(change.seen)}) if change.seen else _ABSENT
    item = items.budget_item(*of, change.budget)
    return _put(Table.BOOK, keys.budget_key(*of), item, condition)


def _append_entry(change: AppendEntry) -> tuple[Action, ...]:
    of = (change.tenant, change.borrower_id)
    item = items.entry_item(*of, change.number, change.entry)
    return _put(Table.BOOK, keys.said_key(*of, change.number), item, _ABSENT)


def _save_feed(change: SaveFeed) -> tuple[Action, ...]:
    item = items.feed_item(change.tenant, change.complete_until)
    until = items.COMPLETE_UNTIL
    forward = Condition(
        f"attribute_not_exists(#{until}) OR #{until} < :{until}", (until,), {until: item[until]}
    )
    return _put(Table.BOOK, keys.feed_key(change.tenant), item, forward)


def _save_listed(change: SaveListed) -> tuple[Action, ...]:
    listed = change.listed
    key = keys.listed_key(listed.tenant, listed.index, listed.channel)
    return _put(Table.BOOK, key, items.listed_item(listed), _version_seen(change.seen))


def _check_listed(change: CheckListed) -> tuple[Action, ...]:
    key = keys.listed_key(change.tenant, change.index, change.channel)
    return (_check(key, _version_seen(change.seen)),)


def _version_seen(seen: int) -> Condition:
    """Return the condition that an item has a version, or is not there for 0."""
    return _equal(**{items.VERSION: number_value(seen)}) if seen else _ABSENT


def _park(change: Park) -> tuple[Action, ...]:
    account_id = change.repayment.account_id
    owner = keys.owner_key(change.tenant, account_id)
    counted = items.owner_item(change.tenant, account_id, "", change.seen + 1)
    key = keys.parked_key(change.tenant, account_id, change.repayment.id)
    return (
        *_put(Table.BOOK, owner, counted, _free(change.seen)),
        *_put(Table.BOOK, key, items.parked_item(change.tenant, change.repayment), None),
    )


def _unpark(change: Unpark) -> tuple[Action, ...]:
    key = keys.parked_key(change.tenant, change.account_id, change.repayment_id)
    return (Action(Verb.DELETE, Table.BOOK, key, key),)


def _create_contact(change: CreateContact) -> tuple[Action, ...]:
    contact = change.contact
    key = keys.contact_key(contact.id)
    return _put(Table.CONTACTS, key, items.contact_item(contact), _ABSENT)


def _move_contact(change: MoveContact) -> tuple[Action, ...]:
    contact = change.contact
    seen = _equal(
        **{
            items.STATE: text_value(change.seen_state),
            items.ATTEMPT: number_value(change.seen_attempt),
            items.CHAIN: text_value(change.seen_chain),
        }
    )
    return _put(Table.CONTACTS, keys.contact_key(contact.id), items.contact_item(contact), seen)


def _append(change: Append) -> tuple[Action, ...]:
    record = change.record
    key = keys.record_key(record.tenant, record.borrower_id, record.id)
    return _put(Table.LEDGER, key, items.record_item(record), _ABSENT)


# mypy cannot tie a key of a mapping to its value; a test holds the table against the union of
# changes.
BUILDERS: Final[Mapping[type[Change], Callable[[Any], tuple[Action, ...]]]] = {
    SaveHead: _save_head,
    CheckHead: _check_head,
    SaveAccount: _save_account,
    SaveOwner: _save_owner,
    SaveObligation: _save_obligation,
    CheckObligation: _check_obligation,
    CheckNoObligation: _check_no_obligation,
    SaveRepayment: _save_repayment,
    SaveHold: _save_hold,
    SaveFlight: _save_flight,
    SaveBudget: _save_budget,
    AppendEntry: _append_entry,
    SaveFeed: _save_feed,
    SaveListed: _save_listed,
    CheckListed: _check_listed,
    Park: _park,
    Unpark: _unpark,
    CreateContact: _create_contact,
    MoveContact: _move_contact,
    Append: _append,
}
