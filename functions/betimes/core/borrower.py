"""The borrower: who may be reached, where, in which language and zone; and the accounts that bind the borrower to a
product.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class PointState(StrEnum):
    """What is known of a contact point; only ACTIVE ones are used."""

    ACTIVE = "active"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """An address (e-mail) or number (SMS, E.164) of one channel.

    `since` is the version of the head that brought the address in, 0 before it is stored: it tells two addresses of a
    channel apart without naming them.
    """

    channel: str
    address: str
    state: PointState = PointState.ACTIVE
    since: int = 0


@dataclass(frozen=True, slots=True)
class Borrower:
    """The head of a borrower's partition; `version` rises with every change of it, 0 before it is first stored.

    No name: no message of this release needs one. `unmatched` counts repayments in the partition whose obligation has
    not arrived; it makes a torn read visible. `blocked` keeps the blocked contact points that were replaced: an address
    that comes back is as blocked as it was.
    """

    tenant: str
    id: str
    locale: str
    zone: str
    jurisdiction: str
    contact_points: tuple[ContactPoint, ...] = ()
    blocked: tuple[ContactPoint, ...] = ()
    unmatched: int = 0
    version: int = 0

    def point(self, channel: str) -> ContactPoint | None:
        """Return the contact point of `channel`, in whatever state it is, or None where the borrower has none."""
        return next((point for point in self.contact_points if point.channel == channel), None)


@dataclass(frozen=True, slots=True)
class Account:
    """One contract of one borrower. `limit_minor` is 0 where the product has no limit."""

    id: str
    product: str
    currency: str
    opened_on: date
    limit_minor: int = 0
