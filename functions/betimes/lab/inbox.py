"""The inbox in memory: the same answers as on DynamoDB, without a network."""

from __future__ import annotations

from datetime import datetime

from betimes.core.contact import Event
from betimes.core.inbox import MAX_COUNTED, MAX_PAGE, Entry, Listing, checked_place, place_of
from betimes.flows.inbox import entry_of
from betimes.ports import Accepted, Answer, Clock, Letter


class MemoryInbox:
    """See `ports.Inbox`."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], dict[str, Entry]] = {}

    def put(self, entry: Entry) -> bool:
        """Store a message unless it is there, and return whether it was stored."""
        found = self._entries.setdefault((entry.tenant, entry.borrower_id), {})
        return found.setdefault(place_of(entry.decided_at, entry.contact_id), entry) is entry

    def listing(
        self, tenant: str, borrower_id: str, now: datetime, *, limit: int, after: str = ""
    ) -> Listing:
        """See `ports.Inbox.listing`."""
        assert 1 <= limit <= MAX_PAGE, "a page has 1 to 100 messages"
        checked_place(after)
        found = self._entries.get((tenant, borrower_id), {})
        places = sorted((each for each in found if not after or each < after), reverse=True)
        shown = [each for each in places if found[each].gone_at > now]
        more = len(shown) > limit
        return Listing(
            tuple(found[each] for each in shown[:limit]), shown[limit - 1] if more else ""
        )

    def unread(self, tenant: str, borrower_id: str, now: datetime) -> int:
        """See `ports.Inbox.unread`."""
        found = self._entries.get((tenant, borrower_id), {}).values()
        counted = sum(1 for each in found if each.read_at is None and each.gone_at > now)
        return min(counted, MAX_COUNTED)

    def mark(
        self,
        tenant: str,
        borrower_id: str,
        decided_at: datetime,
        contact_id: str,
        event: Event,
        at: datetime,
    ) -> bool:
        """See `ports.Inbox.mark`."""
        found = self._entries.get((tenant, borrower_id), {})
        place = place_of(decided_at, contact_id)
        if place not in found:
            return False
        found[place] = found[place].marked(event, at)
        return True


class Sender:
    """The sender of channel "inbox" (`ports.Sender`) of an inbox in memory."""

    def __init__(self, inbox: MemoryInbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    def send(self, letter: Letter) -> Answer:
        """See `ports.Sender.send`."""
        self._inbox.put(entry_of(letter, self._clock.now()))
        return Accepted(letter.contact_id)
