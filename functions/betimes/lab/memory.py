"""The stores in memory: the same conditions and the same answers as on DynamoDB, without a network.

Two streams are kept as on AWS: `book_changes` (keys of borrowers whose facts changed) and `ready` (ids of contacts
offered to their channel). The lab drains them; a test may reorder or repeat them.
"""

from __future__ import annotations

import bisect
import json
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from betimes.core import zones
from betimes.core.agenda import NEVER
from betimes.core.book import Owner, Pages
from betimes.core.change import (
    MAX_CHANGES,
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
from betimes.core.contact import Contact, State
from betimes.core.errors import Stale
from betimes.core.obligation import Obligation, Repayment
from betimes.core.record import Record
from betimes.core.suppression import Listed
from betimes.ports import DueLook, ListedPage, Page

Key = tuple[str, str]
# When to look, and at what: tenant, borrower and obligation.
_Row = tuple[datetime, str, str, str]


class Memory:
    """Book, Store, Contacts and Ledger in one; every port is this object."""

    def __init__(self) -> None:
        self._pages: dict[Key, Pages] = {}
        self._owners: dict[Key, str] = {}
        self._parked: dict[Key, dict[str, Repayment]] = {}
        self._parkings: dict[Key, int] = {}
        self._feeds: dict[str, datetime] = {}
        self._listed: dict[tuple[str, str, str], Listed] = {}
        self._contacts: dict[str, Contact] = {}
        self._records: dict[Key, dict[str, Record]] = {}
        self._agenda: dict[int, list[_Row]] = {}
        self.book_changes: deque[Key] = deque()
        self.ready: deque[str] = deque()

    # Book

    def pages(self, tenant: str, borrower_id: str) -> Pages:
        """See `ports.Book.pages`."""
        return self._pages.get((tenant, borrower_id)) or Pages(tenant, borrower_id)

    def owner(self, tenant: str, account_id: str) -> Owner:
        """See `ports.Book.owner`."""
        key = (tenant, account_id)
        parked = tuple(self._parked.get(key, {}).values())
        parkings = self._parkings.get(key, 0)
        return Owner(tenant, account_id, self._owners.get(key, ""), parked, parkings)

    def fed_until(self, tenant: str) -> datetime | None:
        """See `ports.Book.fed_until`."""
        return self._feeds.get(tenant)

    def due(self, shard: int, now: datetime, *, limit: int, after: str = "") -> Page:
        """See `ports.Book.due`."""
        rows = self._agenda.get(shard, [])
        start = bisect.bisect_right(rows, _row_of(after)) if after else 0
        end = bisect.bisect_right(rows, (now, "\U0010ffff"))
        taken = rows[start : max(start, min(end, start + limit))]
        looks = tuple(
            DueLook(tenant, borrower_id, obligation_id, look_at)
            for look_at, tenant, borrower_id, obligation_id in taken
        )
        more = start + limit < end
        return Page(looks, _text_of(taken[-1]) if more else "")

    def next_look(self) -> datetime | None:
        """Return the earliest look of any shard, None if none will ever be; the lab's clock jumps there."""
        firsts = [rows[0][0] for rows in self._agenda.values() if rows]
        first = min(firsts, default=NEVER)
        return first if first < NEVER else None

    def shards(self) -> Sequence[int]:
        """Return the agenda shards in use, in order."""
        return sorted(shard for shard, rows in self._agenda.items() if rows)

    def everyone(self) -> Sequence[Pages]:
        """Return the pages of all borrowers, in order of key; for audits and reports."""
        return [self._pages[key] for key in sorted(self._pages)]

    # Addresses

    def listed(self, tenant: str, index: str, channel: str) -> Listed:
        """See `ports.Addresses.listed`."""
        found = self._listed.get((tenant, index, channel))
        return found or Listed(tenant, index, channel)

    def addresses(self, tenant: str, *, limit: int, after: str = "") -> ListedPage:
        """See `ports.Addresses.addresses`."""
        places = sorted(place for place in self._listed if place[0] == tenant)
        rest = [place for place in places if "#".join(place[1:]) > after]
        more = rest[limit:]
        taken = tuple(self._listed[place] for place in rest[:limit])
        return ListedPage(taken, "#".join(rest[limit - 1][1:]) if more else "")

    # Contacts and Ledger

    def get(self, contact_id: str) -> Contact | None:
        """See `ports.Contacts.get`."""
        return self._contacts.get(contact_id)

    def all_contacts(self) -> Sequence[Contact]:
        """Return all contacts in order of id."""
        return [self._contacts[contact_id] for contact_id in sorted(self._contacts)]

    def of_borrower(self, tenant: str, borrower_id: str) -> Sequence[Record]:
        """See `ports.Ledger.of_borrower`."""
        records = self._records.get((tenant, borrower_id), {})
        return [records[record_id] for record_id in sorted(records)]

    # Store

    def commit(self, changes: Sequence[Change]) -> None:
        """See `ports.Store.commit`."""
        assert len(changes) <= MAX_CHANGES, "a transaction holds at most 100 changes"
        failed = tuple(n for n, change in enumerate(changes) if not self._holds(change))
        if failed:
            raise Stale(failed)
        for change in changes:
            self._apply(change)

    def _holds(self, change: Change) -> bool:
        # The most frequent changes come first, here and in `_apply`.
        match change:
            case SaveObligation(tenant, borrower_id, obligation, version, seq):
                old = self.pages(tenant, borrower_id).obligations.get(obligation.id)
                return ((old.version, old.watch.seq) if old else (0, 0)) == (version, seq)
            case Append(record):
                return record.id not in self._records.get((record.tenant, record.borrower_id), {})
            case MoveContact(contact, state, attempt, chain):
                old_contact = self._contacts.get(contact.id)
                return old_contact is not None and (
                    (old_contact.state, old_contact.attempt, old_contact.chain)
                    == (state, attempt, chain)
                )
            case CheckHead(tenant, borrower_id, seen):
                found_head = self.pages(tenant, borrower_id).head
                return found_head is not None and found_head.version == seen
            case SaveHead(head, seen):
                stored = self.pages(head.tenant, head.id).head
                return (stored.version if stored else 0) == seen
            case SaveAccount(tenant, borrower_id, account, seen):
                known = self.pages(tenant, borrower_id).accounts.get(account.id)
                return (known.version if known else 0) == seen
            case SaveBudget(tenant, borrower_id, _, seen):
                return self.pages(tenant, borrower_id).budget.version == seen
            case AppendEntry(tenant, borrower_id, number, _):
                return len(self.pages(tenant, borrower_id).consents) < number
            case SaveRepayment(tenant, borrower_id, repayment, known):
                return (repayment.id in self.pages(tenant, borrower_id).repayments) is known
            case CreateContact(contact):
                return contact.id not in self._contacts
            case SaveOwner(tenant, account_id, borrower_id, seen, _):
                holder = self._owners.get((tenant, account_id))
                free = holder is None and self._parkings.get((tenant, account_id), 0) == seen
                return free or holder == borrower_id
            case CheckObligation(tenant, borrower_id, obligation_id, seen):
                found = self.pages(tenant, borrower_id).obligations.get(obligation_id)
                return found is not None and found.is_open and found.version == seen
            case CheckNoObligation(tenant, borrower_id, obligation_id):
                return obligation_id not in self.pages(tenant, borrower_id).obligations
            case Park(tenant, repayment, seen):
                place = (tenant, repayment.account_id)
                return place not in self._owners and self._parkings.get(place, 0) == seen
            case SaveListed(listed, seen):
                place_of = (listed.tenant, listed.index, listed.channel)
                return self.listed(*place_of).version == seen
            case CheckListed(tenant, index, channel, seen):
                return self.listed(tenant, index, channel).version == seen
            case SaveHold() | SaveFlight() | SaveFeed() | Unpark():
                return True

    def _apply(self, change: Change) -> None:
        match change:
            case SaveObligation(tenant, borrower_id, obligation, _, _):
                before = self.pages(tenant, borrower_id)
                self._move_look(before, obligation)
                self._put(before.with_obligation(obligation))
            case Append(record):
                chain = self._records.setdefault((record.tenant, record.borrower_id), {})
                chain[record.id] = record
            case CheckHead() | CheckObligation() | CheckNoObligation() | CheckListed():
                pass
            case SaveListed(listed, _):
                self._listed[listed.tenant, listed.index, listed.channel] = listed
            case CreateContact(contact) | MoveContact(contact, _, _, _):
                self._contacts[contact.id] = contact
                if contact.state is State.READY and contact.offered:
                    self.ready.append(contact.id)
            case SaveHead(head, seen):
                self._put(self.pages(head.tenant, head.id).with_head(head), wake=seen > 0)
            case SaveAccount(tenant, borrower_id, account, _):
                self._put(self.pages(tenant, borrower_id).with_account(account))
            case SaveRepayment(tenant, borrower_id, repayment, _):
                self._put(self.pages(tenant, borrower_id).with_repayment(repayment), wake=True)
            case SaveHold(tenant, borrower_id, hold):
                self._put(self.pages(tenant, borrower_id).with_hold(hold))
            case SaveFlight(tenant, borrower_id, flight):
                self._put(self.pages(tenant, borrower_id).with_flight(flight))
            case SaveBudget(tenant, borrower_id, budget, _):
                self._put(self.pages(tenant, borrower_id).with_budget(budget))
            case AppendEntry(tenant, borrower_id, _, entry):
                self._put(self.pages(tenant, borrower_id).with_entry(entry))
            case SaveOwner(tenant, account_id, borrower_id, _, left):
                self._parkings[tenant, account_id] = left
                if borrower_id:
                    self._owners[tenant, account_id] = borrower_id
            case SaveFeed(tenant, complete_until):
                self._feeds[tenant] = max(self._feeds.get(tenant, complete_until), complete_until)
            case Park(tenant, repayment, seen):
                place = (tenant, repayment.account_id)
                self._parked.setdefault(place, {})[repayment.id] = repayment
                self._parkings[place] = seen + 1
            case Unpark(tenant, account_id, repayment_id):
                self._parked.get((tenant, account_id), {}).pop(repayment_id, None)

    def _put(self, pages: Pages, *, wake: bool = False) -> None:
        key = (pages.tenant, pages.borrower_id)
        self._pages[key] = pages
        if wake:
            self.book_changes.append(key)

    def _move_look(self, pages: Pages, new: Obligation) -> None:
        old = pages.obligations.get(new.id)
        gone, come = _place(pages, old), _place(pages, new)
        if gone == come:
            return
        if gone is not None:
            shard, row = gone
            rows = self._agenda[shard]
            del rows[bisect.bisect_left(rows, row)]
        if come is not None:
            shard, row = come
            bisect.insort(self._agenda.setdefault(shard, []), row)


def _place(pages: Pages, obligation: Obligation | None) -> tuple[int, _Row] | None:
    """Return the shard and the row in which an obligation stands on the agenda, None if it is not there."""
    if obligation is None or obligation.watch.look_at is None:
        return None
    row = (obligation.watch.look_at, pages.tenant, pages.borrower_id, obligation.id)
    return obligation.watch.shard, row


def _text_of(row: _Row) -> str:
    """Return a row as the text that says where a page of the agenda ended."""
    look_at, *rest = row
    return json.dumps([zones.to_text(look_at), *rest])


def _row_of(text: str) -> _Row:
    """Return the row that `_text_of` wrote."""
    look_at, tenant, borrower_id, obligation_id = json.loads(text)
    return zones.from_text(look_at), tenant, borrower_id, obligation_id
