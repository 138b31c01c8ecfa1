"""The borrower: who may be reached, where, in which language and zone; and the accounts that bind the borrower to a
product.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from betimes.core.preferences import NONE, Preferences
from betimes.core.values import dataclass, replace


class PointState(StrEnum):
    """What is known of a contact point; only ACTIVE ones are used. An address that was changed or is shared with others
    is UNCONFIRMED until the lender says otherwise.
    """

    ACTIVE = "active"
    UNCONFIRMED = "unconfirmed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    SUPPRESSED = "suppressed"


# Channels that every borrower has without an address of their own: messages in the lender's app, and what is handed to
# the lender's own server. The borrower's id stands for the address.
IMPLICIT: Final = frozenset({"inbox", "webhook"})


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
    that comes back is as blocked as it was. `zone` is the zone of the civil dates and the send times; `zone_evidence`
    names further zones in which the person may be, and contact must be allowed in all of them. `tags` and `score_band`
    come from the lender and serve conditions of treatments. `held` counts the changes of holds and flights, so that a
    torn read of them shows. `preferences` are the person's own wishes (`core.preferences`); what a lender tells of the
    person leaves them as they are.
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
    zone_evidence: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    score_band: str = ""
    held: int = 0
    preferences: Preferences = NONE

    @property
    def language(self) -> str:
        """The language to write in: the one wanted, else the one told."""
        return self.preferences.language or self.locale

    @property
    def zones(self) -> tuple[str, ...]:
        """Every zone in which the person may be, the main one first."""
        return (self.zone, *(name for name in self.zone_evidence if name != self.zone))

    def blocking(self, channel: str, since: int, state: PointState) -> Borrower:
        """Return the borrower with the contact point in `state`, the same where it is blocked already or has been
        replaced: `since` is the version of the head that brought it in, and another address has not bounced.
        """
        points = tuple(
            replace(point, state=state)
            if (point.channel, point.since, point.state) == (channel, since, PointState.ACTIVE)
            else point
            for point in self.contact_points
        )
        told = any(point.channel == channel for point in (*points, *self.blocked))
        if channel in IMPLICIT and since == 0 and not told:
            points = (*points, ContactPoint(channel, self.id, state))
        return self if points == self.contact_points else replace(self, contact_points=points)

    def point(self, channel: str) -> ContactPoint | None:
        """Return the contact point of `channel`, in whatever state it is, or None where the borrower has none.

        One of `IMPLICIT` is there without being told, as long as nobody has told otherwise.
        """
        found = next((point for point in self.contact_points if point.channel == channel), None)
        if found is not None or channel not in IMPLICIT:
            return found
        # What was once said of it outlasts a borrower's being told anew.
        before = next((point for point in self.blocked if point.channel == channel), None)
        return before or ContactPoint(channel, self.id)


@dataclass(frozen=True, slots=True)
class Account:
    """One contract of one borrower. `limit_minor` is 0 where the product has no limit.

    `daily_rate` is the contract's, 0 where the product profile or nobody names one. `mandate` is the tail of the card
    or account that is debited, "" without auto-debit. `creditor` is the lender of record, "" for the tenant itself.
    `version` rises with every fact about the account's money, so that two who replay it never overwrite each other;
    `tally` counts those facts, so that a torn read of them shows; 0 where nobody has counted yet.
    """

    id: str
    product: str
    currency: str
    opened_on: date
    limit_minor: int = 0
    daily_rate: Decimal = Decimal(0)
    mandate: str = ""
    creditor: str = ""
    version: int = 0
    tally: int = 0
