"""The in-app inbox in use: what is stored of a letter, what an app is given to show, and what it tells of it.

What an app tells goes the way of every provider's report (`flows.feedback`), so the contact, its ledger and whatever
follows from them know of it; beside, the inbox itself keeps what was read, to count what was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from betimes.core import inbox as core
from betimes.core.contact import Contact
from betimes.core.errors import Rejected
from betimes.core.inbox import EVENTS, Acknowledged, Entry, Listing, Sign
from betimes.core.values import dataclass
from betimes.flows.feedback import Heard, hear
from betimes.ports import Inbox, Letter, Stores


def entry_of(letter: Letter, now: datetime) -> Entry:
    """Return what is stored of a letter at `now` (UTC)."""
    assert letter.borrower_id and letter.decided_at, "an inbox is somebody's, and has an order"
    text = letter.text
    return Entry(
        letter.tenant,
        letter.borrower_id,
        letter.contact_id,
        letter.attempt,
        letter.decided_at,
        stored_at=now,
        useful_until=now + timedelta(seconds=letter.lives_s),
        locale=text.locale,
        subject=text.subject,
        body=text.body,
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of an inbox, and how many messages in all of it nobody has read."""

    listing: Listing
    unread: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Where inboxes are read, and what apps tell is heard."""

    stores: Stores
    inbox: Inbox

    def show(
        self, tenant: str, borrower_id: str, now: datetime, *, limit: int, after: str = ""
    ) -> Shown:
        """Return a page of a borrower's inbox, newest first; reads only.

        Raises:
            Rejected: code "unknown_borrower", or what `ports.Inbox.listing` raises.
            Stale: the pages stayed torn; ask again.
            Unavailable: out of reach.
        """
        if self.stores.book.pages(tenant, borrower_id).head is None:
            raise Rejected("unknown_borrower", "borrower_id", "this borrower is not known")
        listing = self.inbox.listing(tenant, borrower_id, now, limit=limit, after=after)
        return Shown(listing, self.inbox.unread(tenant, borrower_id, now))

    def acknowledge(
        self, tenant: str, borrower_id: str, told: Sequence[Acknowledged], now: datetime
    ) -> tuple[Heard, ...]:
        """Hear what an app tells of messages to one borrower, and return what each telling did; those that are known
        already are REPEATED. Nothing is heard where one of them is refused.

        Raises:
            Rejected: code "unknown_contact", where a contact is not this borrower's, or what `core.inbox.reported`
                raises; the field says which of them.
            Unavailable: out of reach, or other writers kept winning; it may be repeated.
        """
        contacts = [self._of(tenant, borrower_id, each, n) for n, each in enumerate(told)]
        for n, (contact, each) in enumerate(zip(contacts, told, strict=True)):
            try:
                core.reported(contact, each, now)
            except Rejected as wrong:
                field = f"acknowledgements.{n}.{wrong.field}"
                raise Rejected(wrong.code, field, wrong.message) from None
        return tuple(self._hear(each, now) for each in told)

    def _of(self, tenant: str, borrower_id: str, told: Acknowledged, n: int) -> Contact:
        contact = self.stores.contacts.get(told.contact_id)
        if contact is None or (contact.tenant, contact.borrower_id) != (tenant, borrower_id):
            raise Rejected(
                "unknown_contact",
                f"acknowledgements.{n}.contact_id",
                "this borrower has no such contact",
            )
        return contact

    def _hear(self, told: Acknowledged, now: datetime) -> Heard:
        # Read again: the telling before may have been about the same contact.
        contact = self.stores.contacts.get(told.contact_id)
        assert contact is not None, "a contact that was there is not forgotten"
        reported = core.reported(contact, told, now)
        heard = Heard.REPEATED if reported is None else hear(self.stores, reported)
        if contact.channel == core.CHANNEL and told.sign is not Sign.SHOWN:
            # Also where the contact knew: a worker may have died between the two writes.
            at = min(told.at, now) if reported is None else reported.at
            event = EVENTS[told.sign]
            of = (contact.tenant, contact.borrower_id, contact.decided_at, contact.id)
            self.inbox.mark(*of, event, at)
        return heard
