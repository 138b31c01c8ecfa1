"""The in-app inbox: what a borrower finds in the lender's own app, and what becomes known when it is looked at.

Every borrower has one, without telling us an address: it is open where no provider is, and there is nothing about it
that could bounce. A message is in it once, however often its contact was handed over, and stays for some time after it
has ceased to be of use, so that somebody who was away can read what there was.

The app shows it, so it is the app that tells when something was seen. It tells the same of a push message, for which no
provider reports anything.
"""

from __future__ import annotations

import re
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from betimes.core import ids, zones
from betimes.core.contact import Contact, Event
from betimes.core.errors import Rejected
from betimes.core.feedback import ProviderEvent
from betimes.core.reason import Reason
from betimes.core.values import dataclass, replace

CHANNEL: Final = "inbox"
# How long a message stays after it has ceased to be of use: as long as somebody may ask what we wrote.
KEPT: Final = timedelta(days=90)
# Messages of one page.
MAX_PAGE: Final = 100
# Of how many messages it is counted which are unread; where there are more, the count stops there.
MAX_COUNTED: Final = 1_000
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
# Channels whose messages an app shows.
SHOWN_BY_APP: Final = frozenset({CHANNEL, "push"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in an inbox; instants are UTC.

    `decided_at` orders it among the others and is the same on each attempt. `useful_until` is when it ceases to be of
    use. `seen_at` and `read_at` are the earliest instants told, None before anything is.
    """

    tenant: str
    borrower_id: str
    contact_id: str
    attempt: int
    decided_at: datetime
    stored_at: datetime
    useful_until: datetime
    locale: str
    subject: str = field(repr=False)
    body: str = field(repr=False)
    seen_at: datetime | None = None
    read_at: datetime | None = None

    @property
    def gone_at(self) -> datetime:
        """From when on it is in the inbox no more."""
        return self.useful_until + KEPT

    def marked(self, event: Event, at: datetime) -> Entry:
        """Return the entry after SEEN or READ `at` an instant; what was read was seen. The earliest instants stay."""
        assert event in (Event.SEEN, Event.READ), "nothing else happens to an entry"
        seen_at = at if self.seen_at is None else min(self.seen_at, at)
        if event is Event.SEEN:
            return replace(self, seen_at=seen_at)
        return replace(
            self, seen_at=seen_at, read_at=at if self.read_at is None else min(self.read_at, at)
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """Some messages of an inbox, newest first, and where to go on; `after` is "" on the last page."""

    entries: tuple[Entry, ...]
    after: str = ""


def place_of(decided_at: datetime, contact_id: str) -> str:
    """Return where a message stands in its inbox: places sort as the messages were decided, and one is its contact's
    alone.
    """
    return f"{zones.to_text(decided_at)}#{contact_id}"


def checked_place(after: str) -> str:
    """Return where a page ended, "" for the first page.

    Raises:
        Rejected: code "bad_page", for what no page has ever said.
    """
    at, _, contact_id = after.partition("#")
    if after and not (_INSTANT.fullmatch(at) and ids.is_contact_id(contact_id)):
        raise Rejected("bad_page", "after", "take `after` as the page before gave it")
    return after


class Sign(StrEnum):
    """What an app tells of a message: it arrived on the phone, it was before somebody's eyes, it was wiped away, or it
    was opened.
    """

    SHOWN = "shown"
    SEEN = "seen"
    DISMISSED = "dismissed"
    OPENED = "opened"


# A notice that somebody has wiped away was before their eyes.
EVENTS: Final = {
    Sign.SHOWN: Event.DELIVERED,
    Sign.SEEN: Event.SEEN,
    Sign.DISMISSED: Event.SEEN,
    Sign.OPENED: Event.READ,
}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What an app tells of one message, by its own clock; `attempt` 0 where it does not know which one it got."""

    contact_id: str
    sign: Sign
    at: datetime
    attempt: int = 0


def reported(contact: Contact, told: Acknowledged, now: datetime) -> ProviderEvent | None:
    """Return what an app tells of a contact as a report, None where the contact shows it already.

    A phone's clock may be wrong: the instant is put between the contact's last claim and `now` (UTC).

    Raises:
        Rejected: code "not_shown", where no app shows messages of the contact's channel, or "not_sent", where nothing
            was ever sent for it, or not in that attempt.
    """
    if contact.channel not in SHOWN_BY_APP:
        raise Rejected(
            "not_shown", "contact_id", f"an app shows {' and '.join(sorted(SHOWN_BY_APP))} only"
        )
    if not contact.attempt or told.attempt > contact.attempt:
        raise Rejected("not_sent", "attempt", "nothing was sent in this attempt of the contact")
    event = EVENTS[told.sign]
    at = min(told.at, now)
    if contact.claimed_at is not None and told.attempt in (0, contact.attempt):
        at = max(at, contact.claimed_at)
    attempt = told.attempt or contact.attempt
    if contact.after(event, Reason.DELIVERED, at, attempt=attempt) == contact:
        return None
    return ProviderEvent(
        contact.id, attempt, event, at, key=f"app:{attempt}:{event}", detail=told.sign
    )
