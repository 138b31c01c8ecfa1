"""The list of addresses in the flows: read before a claim, written with what providers say, kept by lenders.

An address is found by its blind index alone (`core.suppression`). A contact keeps the index of the address it was
claimed for, so what comes back later needs neither the address nor the key.
"""

from __future__ import annotations

from datetime import datetime

from betimes.core import outside, said, suppression, zones
from betimes.core.book import Pages
from betimes.core.borrower import Borrower, ContactPoint, PointState
from betimes.core.change import (
    Append,
    Change,
    SaveBudget,
    SaveHead,
    SaveListed,
    changes_between,
)
from betimes.core.contact import Contact
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.feedback import ProviderEvent
from betimes.core.suppression import Entry, Listed, Scope, Why
from betimes.core.values import dataclass, replace
from betimes.ports import Addresses, Blind, ListedPage, Stores

MAX_TRIES = 5
# The longest name of who asks, and the longest reason given.
MAX_WORDS = 200


@dataclass(frozen=True, slots=True)
class AddressList:
    """The list as lenders keep it: what is on it, putting an address there, and releasing it."""

    stores: Stores
    addresses: Addresses
    blind: Blind

    def page(self, tenant: str, *, limit: int, after: str = "") -> ListedPage:
        """Return some of the addresses of which anything is known; see `ports.Addresses.addresses`."""
        return self.addresses.addresses(tenant, limit=limit, after=after)

    def index(self, tenant: str, channel: str, address: str) -> str:
        """Return the blind index of an address.

        Raises:
            Rejected: code "bad_address", where messages of the channel go to no address, or there is none.
        """
        if not suppression.has_address(channel) or not suppression.normalised(channel, address):
            raise Rejected(
                "bad_address", "address", "name the address that is meant, and its channel"
            )
        return self.blind.index(tenant, channel, address)

    def add(
        self,
        tenant: str,
        index: str,
        channel: str,
        scope: Scope,
        by: str,
        because: str,
        now: datetime,
    ) -> Listed:
        """Close an address for a scope and return what is known of it then; told again it changes nothing.

        Contact points are closed as messages to them come up: nothing goes to the address from now on.

        Raises:
            Rejected: code "bad_suppression", where nobody, or no reason, is named.
            Unavailable: other writers kept winning.
        """
        _check(by, because)
        entry = Entry(scope, Why.LENDER, now, by, because)
        for _ in range(MAX_TRIES):
            before = self.addresses.listed(tenant, index, channel)
            if any((each.scope, each.why) == (scope, Why.LENDER) for each in before.standing):
                return before
            saved = SaveListed.of(before, before.listing(entry))
            try:
                self.stores.store.commit([saved])
            except Stale:
                continue
            return saved.listed
        raise Unavailable("other writers kept winning for one address")

    def release(
        self,
        tenant: str,
        index: str,
        channel: str,
        scope: Scope | None,
        by: str,
        because: str,
        now: datetime,
    ) -> Listed:
        """Release an address, for one scope or for all (None), and return what is known of it then.

        Once nothing closes it any more, the contact points that were closed for it are active again, each with a record
        in the ledger of its borrower.

        Raises:
            Rejected: code "not_suppressed", where nothing closes the address for the scope, or "bad_suppression", where
                nobody, or no reason, is named.
            Unavailable: other writers kept winning; told again it goes on where it stopped.
        """
        _check(by, because)
        for _ in range(MAX_TRIES):
            before = self.addresses.listed(tenant, index, channel)
            after, freed = before.released(scope, by, because, now)
            if not freed and not (before.borrowers and not before.standing):
                raise Rejected(
                    "not_suppressed", "address", "nothing closes this address for that scope"
                )
            try:
                # The points first: whoever fails in between is told again, and the address is closed until the end.
                if not after.standing:
                    for borrower_id in after.borrowers:
                        self._reopen(before, borrower_id, by, because, now)
                    after = replace(after, borrowers=())
                saved = SaveListed.of(before, after)
                self.stores.store.commit([saved])
            except Stale:
                continue
            return saved.listed
        raise Unavailable("other writers kept winning for one address")

    def _reopen(
        self, listed: Listed, borrower_id: str, by: str, because: str, now: datetime
    ) -> None:
        """Make a borrower's contact points active again that are closed for an address.

        Raises:
            Stale: somebody else wrote first.
        """
        pages = self.stores.book.pages(listed.tenant, borrower_id)
        states = {entry.why.point for entry in listed.entries}
        head = pages.head
        if head is None:
            return

        def reopened(point: ContactPoint) -> ContactPoint:
            ours = point.channel == listed.channel and point.state in states
            if ours and self._is_at(listed, point.address):
                return replace(point, state=PointState.ACTIVE)
            return point

        points = tuple(map(reopened, head.contact_points))
        # One that was replaced is forgotten, so that the address may come back as any other.
        blocked = tuple(point for point in head.blocked if reopened(point) is point)
        if (points, blocked) == (head.contact_points, head.blocked):
            return
        body: dict[str, str | int] = {
            "event": outside.RELEASED,
            "state": "released",
            "reason": because,
            "by": by,
            "channel": listed.channel,
            "address_index": listed.index,
            "since": zones.to_text(now),
        }
        budget, written = outside.noted(pages, body, now)
        opened = replace(head, contact_points=points, blocked=blocked, version=head.version + 1)
        self.stores.store.commit(
            [SaveHead(opened, head.version), Append(written), SaveBudget.of(pages, budget)]
        )

    def _is_at(self, listed: Listed, address: str) -> bool:
        return self.blind.index(listed.tenant, listed.channel, address) == listed.index


def reported(addresses: Addresses | None, contact: Contact, event: ProviderEvent) -> list[Change]:
    """Return the change of the list that a report leads to, if it says anything of the address."""
    if addresses is None or not contact.address_index:
        return []
    before = addresses.listed(contact.tenant, contact.address_index, contact.channel)
    after = before.heard(event.event, event.detail, event.at, contact.id)
    return _written(before, after, contact)


def refused(
    addresses: Addresses | None, contact: Contact, code: str, now: datetime
) -> list[Change]:
    """Return the change of the list that a provider's final refusal leads to, if it says anything of the address."""
    if addresses is None or not contact.address_index or suppression.why_refused(code) is None:
        return []
    before = addresses.listed(contact.tenant, contact.address_index, contact.channel)
    return _written(before, before.refused(code, now, contact.id), contact)


def _written(before: Listed, after: Listed, contact: Contact) -> list[Change]:
    if after is before:
        return []
    if after.entries != before.entries:
        # The borrower whose own point the same transaction closes.
        after = after.of(contact.borrower_id)
    return [SaveListed.of(before, after)]


def of_the_point(
    pages: Pages, contact: Contact, why: Why | None, at: datetime, now: datetime
) -> list[Change]:
    """Return the changes by which a borrower's pages learn what became of a message to a contact point: the point is
    closed, and an opt-out stands among what the person said.

    Nothing for a reason that is none, or where the address the message went to has been replaced: another address has
    not bounced.
    """
    if why is None or pages.head is None:
        return []
    head = pages.head.blocking(contact.channel, contact.point, why.point)
    after = pages if head == pages.head else pages.with_head(head)
    point = pages.head.point(contact.channel)
    if why is Why.OPT_OUT and point is not None and point.since == contact.point:
        identity = f"{contact.id}:{why}"
        after = said.opted_out(after, identity, contact.channel, point.address, at, now)
    return changes_between(pages, after)


def closed(head: Borrower, contact: Contact, entry: Entry, point: ContactPoint) -> Borrower:
    """Return the head of a borrower whose contact point is at an address that is closed for everything, the same where
    it is closed for some messages only.
    """
    if entry.scope is not Scope.ALL:
        return head
    return head.blocking(contact.channel, point.since, entry.why.point)


def _check(by: str, because: str) -> None:
    for field, told in (("by", by), ("reason", because)):
        if not told.strip() or len(told) > MAX_WORDS or not told.isprintable():
            raise Rejected("bad_suppression", field, f"say it in 1 to {MAX_WORDS} plain characters")
