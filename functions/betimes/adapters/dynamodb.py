"""Book, Store, Contacts and Ledger on three DynamoDB tables.

Theory
------
All writes are transactions under conditions, so two writers who saw the same facts cannot both
win. A transaction whose answer was lost is repeated under the same token until its
answer is definite: DynamoDB answers a repetition of one that succeeded with success and writes
nothing. Every commit draws a token of its own. A token made from the content alone would tell two
workers who happen to write the same thing that both had won, and a claim must be won by one.

A conflict with another running transaction is not a "no": nobody looked at the condition. It is
tried again.

A feed only moves forward. That one is further on already is a condition that fails, and no error:
the transaction is written without it, and what is left of it fails or succeeds as ever.

A Query is not a snapshot of a transaction, so pages that show half of one are read again
(`Pages.is_torn`).

Source: DynamoDB Developer Guide, "Amazon DynamoDB Transactions: How it works" (idempotency,
isolation levels, conflicts).
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters import items, keys
from betimes.adapters.actions import Table, actions
from betimes.adapters.attributes import Item
from betimes.adapters.failures import failure
from betimes.config import (
    AGENDA_INDEX,
    AGENDA_PARTITION,
    AGENDA_SORT,
    PARTITION_KEY,
    SORT_KEY,
)
from betimes.core import zones
from betimes.core.book import Owner, Pages
from betimes.core.change import MAX_CHANGES, Change, SaveFeed
from betimes.core.contact import Contact
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.record import Record
from betimes.core.suppression import Listed
from betimes.ports import ListedPage, Page

# Tries of one transaction, or of one batch, before the caller is asked to come back; each botocore
# retries on its own.
MAX_TRIES: Final = 6
BACKOFF_S: Final = 0.05
# Reads of one borrower's pages before they count as torn for good.
MAX_READS: Final = 3
# Answers of one paginated Query, each of up to 1 MB.
MAX_ANSWERS: Final = 64
# DynamoDB's limit on the keys of one BatchGetItem.
MAX_KEYS: Final = 100


def _place_in(tenant: str, after: str) -> tuple[int, str]:
    """Return the part of the list of addresses that `after` says to go on in, and the sort key to go on behind.

    Raises:
        Rejected: code "bad_page", where it is none that a page said.
    """
    number, _, place = after.partition(keys.SEPARATOR)
    if not after:
        return 0, ""
    key = {PARTITION_KEY: {"S": f"{tenant}{keys.SEPARATOR}"}, SORT_KEY: {"S": place}}
    try:
        part = int(number) if number.isascii() and number.isdecimal() and len(number) < 3 else -1
        if place:
            keys.listed_of(key)
    except (AssertionError, ValueError):
        part = -1
    if not 0 <= part < keys.ADDRESS_PARTITIONS:
        raise Rejected("bad_page", "after", "ask for the next page by what the page before said")
    return part, place


def _fresh_token() -> str:
    return str(uuid.uuid4())


class Tables:
    """The four stores on DynamoDB; `client` is a low-level boto3 client.

    Holds no state and may be shared by threads.

    `sleep` (seconds), `jitter` (a number from 0 to 1) and `token` (text of 1 to 36 characters,
    never the same twice) are there for tests.
    """

    def __init__(
        self,
        client: Any,
        *,
        book: str,
        contacts: str,
        ledger: str,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        token: Callable[[], str] = _fresh_token,
    ) -> None:
        self._client = client
        self._names = {Table.BOOK: book, Table.CONTACTS: contacts, Table.LEDGER: ledger}
        self._sleep = sleep
        self._jitter = jitter
        self._token = token

    # Book

    def pages(self, tenant: str, borrower_id: str) -> Pages:
        """See `ports.Book.pages`."""
        key = keys.partition(tenant, borrower_id)
        for attempt in range(MAX_READS):
            pages = items.pages_from(tenant, borrower_id, self._partition(Table.BOOK, key))
            if not pages.is_torn:
                return pages
            self._pause(attempt)
        raise Stale

    def owner(self, tenant: str, account_id: str) -> Owner:
        """See `ports.Book.owner`."""
        key = keys.owner_partition(tenant, account_id)
        for attempt in range(MAX_READS):
            owner = items.owner_from(tenant, account_id, self._partition(Table.BOOK, key))
            if not owner.is_torn:
                return owner
            self._pause(attempt)
        raise Stale

    def fed_until(self, tenant: str) -> datetime | None:
        """See `ports.Book.fed_until`."""
        found = self._partition(Table.BOOK, keys.feed_partition(tenant))
        return items.feed_from(found[0]) if found else None

    def due(self, shard: int, now: datetime, *, limit: int, after: str = "") -> Page:
        """See `ports.Book.due`."""
        assert limit >= 1, "a page has at least one row"
        answer = self._call(
            "query",
            TableName=self._names[Table.BOOK],
            IndexName=AGENDA_INDEX,
            KeyConditionExpression="#shard = :shard AND #look_at <= :now",
            ExpressionAttributeNames={"#shard": AGENDA_PARTITION, "#look_at": AGENDA_SORT},
            ExpressionAttributeValues={
                ":shard": {"N": str(shard)},
                ":now": {"S": zones.to_text(now)},
            },
            Limit=limit,
            **({"ExclusiveStartKey": json.loads(after)} if after else {}),
        )
        last = answer.get("LastEvaluatedKey")
        return Page(
            tuple(items.due_look_from(item) for item in answer["Items"]),
            json.dumps(last, separators=(",", ":")) if last else "",
        )

    # Addresses

    def listed(self, tenant: str, index: str, channel: str) -> Listed:
        """See `ports.Addresses.listed`."""
        key = keys.listed_key(tenant, index, channel)
        # A Query, like every other consistent read of the Book.
        found = self._partition(Table.BOOK, key[PARTITION_KEY]["S"], key[SORT_KEY]["S"])
        return items.listed_from(found[0]) if found else Listed(tenant, index, channel)

    def addresses(self, tenant: str, *, limit: int, after: str = "") -> ListedPage:
        """See `ports.Addresses.addresses`."""
        assert limit >= 1, "a page has at least one row"
        part, place = _place_in(tenant, after)
        rows: list[Listed] = []
        while part < keys.ADDRESS_PARTITIONS and len(rows) < limit:
            partition_key = keys.listed_partition(tenant, part)
            start = {PARTITION_KEY: {"S": partition_key}, SORT_KEY: {"S": place}} if place else None
            answer = self._call(
                "query",
                TableName=self._names[Table.BOOK],
                KeyConditionExpression="#key = :key",
                ExpressionAttributeNames={"#key": PARTITION_KEY},
                ExpressionAttributeValues={":key": {"S": partition_key}},
                Limit=limit - len(rows),
                **({"ExclusiveStartKey": start} if start else {}),
            )
            rows += [items.listed_from(item) for item in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            part, place = (part, last[SORT_KEY]["S"]) if last else (part + 1, "")
        more = part < keys.ADDRESS_PARTITIONS
        return ListedPage(tuple(rows), f"{part}{keys.SEPARATOR}{place}" if more else "")

    # Contacts

    def get(self, contact_id: str) -> Contact | None:
        """See `ports.Contacts.get`."""
        answer = self._call(
            "get_item",
            TableName=self._names[Table.CONTACTS],
            Key=keys.contact_key(contact_id),
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return items.contact_from(item) if item else None

    def contacts(self, contact_ids: Iterable[str]) -> dict[str, Contact]:
        """Return the contacts that exist among `contact_ids`, by id; may be empty.

        Each is read consistently, but not all at one instant.

        Raises:
            Unavailable: throttled or out of reach.
        """
        wanted = [keys.contact_key(contact_id) for contact_id in dict.fromkeys(contact_ids)]
        found: dict[str, Contact] = {}
        for start in range(0, len(wanted), MAX_KEYS):
            for item in self._batch(Table.CONTACTS, wanted[start : start + MAX_KEYS]):
                contact = items.contact_from(item)
                found[contact.id] = contact
        return found

    # Ledger

    def of_borrower(self, tenant: str, borrower_id: str) -> Sequence[Record]:
        """See `ports.Ledger.of_borrower`."""
        key = keys.partition(tenant, borrower_id)
        return [items.record_from(item) for item in self._partition(Table.LEDGER, key)]

    # Store

    def commit(self, changes: Sequence[Change]) -> None:
        """See `ports.Store.commit`. Two changes of one list never touch the same item."""
        rows = [(n, action) for n, change in enumerate(changes) for action in actions(change)]
        assert len(changes) <= len(rows) <= MAX_CHANGES, "a transaction holds at most 100 actions"
        touched = {(action.table, *map(str, action.key.values())) for _, action in rows}
        assert len(touched) == len(rows), "two changes of one transaction touch the same item"
        while rows:
            try:
                self._transact([action.request(self._names) for _, action in rows])
            except Stale as stale:
                # A change may have made two actions: name the change, once.
                failed = tuple(dict.fromkeys(rows[at][0] for at in stale.failed))
                against = tuple(n for n in failed if not isinstance(changes[n], SaveFeed))
                if against or not failed:
                    raise Stale(against) from stale
                rows = [(n, action) for n, action in rows if n not in failed]
            else:
                return

    def _transact(self, requests: Sequence[Mapping[str, Any]]) -> None:
        token = self._token()
        for attempt in range(MAX_TRIES):
            try:
                self._call("transact_write_items", TransactItems=requests, ClientRequestToken=token)
            except Unavailable:
                if attempt + 1 == MAX_TRIES:
                    raise
                self._pause(attempt)
            else:
                return

    # Reading

    def _partition(self, table: Table, key: str, place: str = "") -> list[Item]:
        """Return all items of a partition in order of sort key, consistently read; with `place` the one that has this
        sort key.
        """
        condition = {"#key": PARTITION_KEY, **({"#place": SORT_KEY} if place else {})}
        values = {":key": {"S": key}, **({":place": {"S": place}} if place else {})}
        found: list[Item] = []
        start: dict[str, Any] = {}
        for _ in range(MAX_ANSWERS):
            answer = self._call(
                "query",
                TableName=self._names[table],
                KeyConditionExpression="#key = :key" + (" AND #place = :place" if place else ""),
                ExpressionAttributeNames=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **start,
            )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        raise AssertionError(f"a partition of the {table} needs more than {MAX_ANSWERS} reads")

    def _batch(self, table: Table, wanted_keys: Sequence[Item]) -> list[Item]:
        """Return the items that exist among at most MAX_KEYS `wanted_keys`, in no order."""
        found: list[Item] = []
        name = self._names[table]
        wanted: dict[str, Any] = {name: {"Keys": wanted_keys, "ConsistentRead": True}}
        for attempt in range(MAX_TRIES):
            answer = self._call("batch_get_item", RequestItems=wanted)
            found += answer["Responses"].get(name, [])
            wanted = answer.get("UnprocessedKeys", {})
            if not wanted:
                return found
            self._pause(attempt)
        raise Unavailable(f"BatchGetItem left keys unprocessed {MAX_TRIES} times")

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        return answer

    def _pause(self, attempt: int) -> None:
        # Full jitter: writers who met once should not meet again in step.
        self._sleep(BACKOFF_S * 2**attempt * self._jitter())
