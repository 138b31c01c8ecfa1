"""Billing: the estimate of what a message costs gives way to what its provider says it has cost.

Source: docs/decisions/0019-pace-and-spend.md.
"""

from __future__ import annotations

from betimes.core import zones
from betimes.core.budget import attempt_id
from betimes.core.feedback import ProviderEvent
from betimes.core.spend import Day
from betimes.ports import Spend, Stores


def settle(stores: Stores, spend: Spend, reported: ProviderEvent) -> bool:
    """Replace the estimate for the attempt that a report is about by its cost, and return whether there was one.

    Repeatable, and in any order of reports: each says what the attempt has cost in all. The day is that on which the
    contact was last claimed: an attempt of an earlier day keeps its estimate there.

    Raises:
        Unavailable: stores or ledger are out of reach; deliver the report again.
    """
    if reported.cost is None:
        return False
    contact = stores.contacts.get(reported.contact_id)
    if contact is None or contact.claimed_at is None:
        return False
    head = stores.book.pages(contact.tenant, contact.borrower_id).head
    if head is None:
        return False
    on = zones.local_date(contact.claimed_at, head.zone)
    day = Day(contact.tenant, contact.channel, reported.cost.currency, on)
    return spend.true_up(day, attempt_id(contact.id, reported.attempt), reported.cost.micro)
