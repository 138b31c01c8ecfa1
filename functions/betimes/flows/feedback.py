"""Feedback: what providers report moves contacts by rank and closes contact points, and the addresses themselves,
that must not be used again.

A report that comes late, twice or out of order changes nothing it should not: each is appended to the ledger once,
under an id made from its own identity, and the contact is folded by `core.contact`.

A report by which a contact has failed has its obligation looked at, in the same transaction: what is to be done about
it is decided there (`core.look`), from all that is known by then.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from betimes.core import suppression
from betimes.core.change import Append, Change, MoveContact, SaveObligation
from betimes.core.contact import Contact, Event
from betimes.core.errors import Stale, Unavailable
from betimes.core.feedback import ProviderEvent
from betimes.core.look import AFTER_REPORT, chained
from betimes.core.reason import Reason
from betimes.core.values import replace
from betimes.flows import addresses
from betimes.ports import Stores

MAX_TRIES = 5

_REASONS = {
    Event.ACCEPTED: Reason.ACCEPTED,
    Event.DELAYED: Reason.ACCEPTED,
    Event.FAILED: Reason.PROVIDER_FAILED,
    Event.BOUNCED_SOFT: Reason.BOUNCED_SOFT,
    Event.DELIVERED: Reason.DELIVERED,
    Event.BOUNCED_HARD: Reason.BOUNCED_HARD,
    # A complaint proves delivery and is recorded as what it is; where the contact stands does not depend on which came
    # first.
    Event.COMPLAINED: Reason.DELIVERED,
    Event.UNSUBSCRIBED: Reason.DELIVERED,
    Event.SEEN: Reason.DELIVERED,
    Event.READ: Reason.DELIVERED,
}
_RECORDED = {**_REASONS, Event.COMPLAINED: Reason.COMPLAINED}


class Heard(StrEnum):
    """What a report did."""

    MOVED = "moved"
    NOTED = "noted"
    REPEATED = "repeated"
    NOT_OURS = "not_ours"


def hear(stores: Stores, reported: ProviderEvent) -> Heard:
    """Fold one report into its contact and return what it did.

    Raises:
        Unavailable: other writers kept winning, or the stores are out of reach; deliver the report again.
    """
    for _ in range(MAX_TRIES):
        contact = stores.contacts.get(reported.contact_id)
        if contact is None:
            return Heard.NOT_OURS
        after, written = chained(
            contact,
            contact.after(
                reported.event, _REASONS[reported.event], reported.at, attempt=reported.attempt
            ),
            reported.event,
            reported.at,
            key=reported.key,
            place=AFTER_REPORT,
            reason=_RECORDED[reported.event],
        )
        try:
            changes: list[Change] = [
                MoveContact.of(contact, after),
                Append(written),
                *_block(stores, contact, reported),
                *_look_again(stores, after, reported.at),
            ]
            stores.store.commit(changes)
        except Stale as stale:
            if 1 in stale.failed:
                return Heard.REPEATED
            continue
        return Heard.MOVED if after.state is not contact.state else Heard.NOTED
    raise Unavailable("other writers kept winning for one contact")


def _look_again(stores: Stores, contact: Contact, at: datetime) -> list[Change]:
    """Return the change that has the obligation of a failed contact looked at now; nothing for any other.

    Also where it is paid: what else a digest spoke of may not be.
    """
    if contact.failure is None:
        return []
    pages = stores.book.pages(contact.tenant, contact.borrower_id)
    obligation = pages.obligations.get(contact.obligation_id)
    if obligation is None or not (obligation.is_open or contact.also):
        return []
    watch = obligation.watch
    awaits = watch.awaits
    if contact.id not in (watch.contact_id, *awaits):
        awaits = (*awaits, contact.id)
    asked = replace(
        watch,
        awaits=awaits,
        ask_at=min(at, watch.ask_at or at),
        look_at=min(at, watch.look_at or at),
        seq=watch.seq + 1,
    )
    again = replace(obligation, watch=asked)
    return [
        SaveObligation(contact.tenant, contact.borrower_id, again, obligation.version, watch.seq)
    ]


def _block(stores: Stores, contact: Contact, reported: ProviderEvent) -> list[Change]:
    """Return the changes by which an address is not written to again after a hard bounce, a complaint or an opt-out:
    the borrower's own contact point and what the person said, and the list of addresses.
    """
    why = suppression.why_of(reported.event, reported.detail)
    listed = addresses.reported(stores.addresses, contact, reported)
    if why is None:
        return listed
    pages = stores.book.pages(contact.tenant, contact.borrower_id)
    at = reported.at
    return [*addresses.of_the_point(pages, contact, why, at, at), *listed]
