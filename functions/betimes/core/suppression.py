"""The list of addresses that are not written to, whoever they belong to, by what for and by which channel.

Theory
------
A contact point is one borrower's; an address may be that of several, and what became of it holds for all of them. So
beside the point (`core.borrower`) the address itself is listed, under a blind index: an HMAC of it under a key of the
deployment and the tenant. Nobody who reads the list learns an address, and nobody without the key can try them all.

An entry has a scope, because one list for everything would let a reminder that somebody complained of silence a notice
that the law demands. A hard bounce and a carrier's own opt-out list close an address for everything: nothing would
arrive. A complaint closes it for reminders and marketing.

Soft bounces are counted on the same item; after several within a while an address rests (`core.bounces`).

What providers report may come late, twice and in any order: the same entries come of it. A report of an instant before
an entry was released says nothing new and lists nothing again.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Final

from betimes.core import bounces
from betimes.core.borrower import IMPLICIT, PointState
from betimes.core.bounces import BounceClass, Resting
from betimes.core.contact import Event
from betimes.core.links import Keys
from betimes.core.treatment import MessageClass
from betimes.core.values import dataclass, replace

# Entries kept of one address; beyond that the oldest ones that were released are forgotten.
MAX_ENTRIES: Final = 20
# Borrowers kept of one address: whose points a release makes active again.
MAX_BORROWERS: Final = 50
# Soft bounces kept of one address: as many as any rule may ask for.
MAX_BOUNCES: Final = 20
# Hexadecimal digits of a blind index: 128 bits.
_DIGITS: Final = 32
RESTING: Final = Resting()


class Scope(StrEnum):
    """What an address is closed for. Marketing is no message of ours and is listed for a lender's other systems."""

    ALL = "all"
    STATUTORY = "statutory"
    REMINDER = "reminder"
    MARKETING = "marketing"

    def covers(self, message_class: MessageClass) -> bool:
        """Return whether a message of this class is none that may go."""
        if self is Scope.ALL:
            return True
        statutory = message_class is MessageClass.STATUTORY
        return self is (Scope.STATUTORY if statutory else Scope.REMINDER)


class Why(StrEnum):
    """Why an address is listed; LENDER where somebody at the lender asked for it."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    OPT_OUT = "opt_out"
    WRONG_PERSON = "wrong_person"
    LENDER = "lender"

    @property
    def point(self) -> PointState:
        """The state of a contact point with such an address."""
        return _POINTS[self]


_POINTS: Final = {
    Why.HARD_BOUNCE: PointState.BOUNCED,
    Why.COMPLAINT: PointState.COMPLAINED,
    Why.OPT_OUT: PointState.OPTED_OUT,
    Why.WRONG_PERSON: PointState.WRONG_PERSON,
    Why.LENDER: PointState.SUPPRESSED,
}
_SCOPES: Final = {
    Why.HARD_BOUNCE: (Scope.ALL,),
    Why.COMPLAINT: (Scope.REMINDER, Scope.MARKETING),
    Why.OPT_OUT: (Scope.ALL,),
    Why.WRONG_PERSON: (Scope.ALL,),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason to close an address for a scope: since when (UTC), and who said so, a contact's id or a person's name
    at the lender. `note` is what a person gave as the reason. Once released it is history.
    """

    scope: Scope
    why: Why
    since: datetime
    by: str
    note: str = ""
    released_at: datetime | None = None
    released_by: str = ""
    released_for: str = ""

    @property
    def stands(self) -> bool:
        """Whether it still closes anything."""
        return self.released_at is None


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of one address of a tenant on a channel; `version` rises with every write, 0 before the first.

    `index` is the blind index, never the address. `borrowers` are those whose contact points are closed by it.
    `bounced_at` are the soft bounces that count since `delivered_at`, the last delivery known.
    """

    tenant: str
    index: str
    channel: str
    version: int = 0
    entries: tuple[Entry, ...] = ()
    borrowers: tuple[str, ...] = ()
    bounced_at: tuple[datetime, ...] = ()
    delivered_at: datetime | None = None

    @property
    def standing(self) -> tuple[Entry, ...]:
        """The entries that close something."""
        return tuple(entry for entry in self.entries if entry.stands)

    def barring(self, message_class: MessageClass) -> Entry | None:
        """Return the entry that stops a message of a class, the widest first, None where none does."""
        stops = [each for each in self.standing if each.scope.covers(message_class)]
        return min(stops, key=lambda each: (each.scope is not Scope.ALL, each.since), default=None)

    def rests_until(self, now: datetime, rule: Resting = RESTING) -> datetime | None:
        """Return until when (UTC) the address rests for its soft bounces, None where it does not at `now`."""
        until = bounces.rests_until(self.bounced_at, self.delivered_at, rule)
        return until if until is not None and now < until else None

    def listing(self, entry: Entry) -> Listed:
        """Return the address with an entry; the same value where it says nothing new: it stands already, since then or
        longer, or it was released after that.
        """
        alike = [
            each for each in self.entries if (each.scope, each.why) == (entry.scope, entry.why)
        ]
        if any(each.released_at is not None and entry.since <= each.released_at for each in alike):
            return self
        standing = next((each for each in alike if each.stands), None)
        if standing is None:
            return replace(self, entries=_kept((*self.entries, entry)))
        if _place(standing) <= _place(entry):
            return self
        left = tuple(each for each in self.entries if each is not standing)
        return replace(self, entries=_kept((*left, entry)))

    def released(
        self, scope: Scope | None, by: str, because: str, at: datetime
    ) -> tuple[Listed, tuple[Entry, ...]]:
        """Return the address with what stands for `scope` (None: for anything) released, and those entries; soft
        bounces are forgotten with the last of them.
        """
        freed = tuple(each for each in self.standing if scope in (None, each.scope))
        entries = tuple(
            replace(each, released_at=max(at, each.since), released_by=by, released_for=because)
            if each in freed
            else each
            for each in self.entries
        )
        after = replace(self, entries=_kept(entries))
        if not after.standing:
            after = replace(after, bounced_at=())
        return after, freed

    def of(self, borrower_id: str) -> Listed:
        """Return the address with one more borrower whose contact point is closed by it."""
        if borrower_id in self.borrowers or len(self.borrowers) >= MAX_BORROWERS:
            return self
        return replace(self, borrowers=tuple(sorted((*self.borrowers, borrower_id))))

    def heard(self, event: Event, detail: str, at: datetime, contact_id: str) -> Listed:
        """Return the address after a provider's report about a message to it; the same value where it says nothing."""
        why = why_of(event, detail)
        if why is not None:
            return self._closed(why, at, contact_id)
        if event is Event.BOUNCED_SOFT and bounces.bounce_class(detail) is BounceClass.SOFT_COUNT:
            return self._bounced(at)
        if event is Event.DELIVERED and self.bounced_at:
            delivered_at = max(at, self.delivered_at or at)
            left = tuple(each for each in self.bounced_at if each > delivered_at)
            return replace(self, bounced_at=left, delivered_at=delivered_at)
        return self

    def refused(self, code: str, at: datetime, contact_id: str) -> Listed:
        """Return the address after a final refusal with this code; the same value where it says nothing of it."""
        why = why_refused(code)
        return self if why is None else self._closed(why, at, contact_id)

    def _closed(self, why: Why, at: datetime, by: str) -> Listed:
        found = self
        for scope in _SCOPES[why]:
            found = found.listing(Entry(scope, why, at, by))
        return found

    def _bounced(self, at: datetime) -> Listed:
        # Two messages may bounce at one instant; a report told again never gets here.
        if self.delivered_at is not None and at <= self.delivered_at:
            return self
        return replace(self, bounced_at=tuple(sorted((*self.bounced_at, at)))[-MAX_BOUNCES:])


def why_of(event: Event, detail: str) -> Why | None:
    """Return why a provider's report closes an address, None where it does not."""
    if bounces.is_opt_out(detail):
        return Why.OPT_OUT
    return {Event.BOUNCED_HARD: Why.HARD_BOUNCE, Event.COMPLAINED: Why.COMPLAINT}.get(event)


def why_refused(code: str) -> Why | None:
    """Return why a provider's final refusal closes an address, None where it does not."""
    if bounces.ends_address(code):
        return Why.HARD_BOUNCE
    return Why.OPT_OUT if bounces.is_opt_out(code) else None


def has_address(channel: str) -> bool:
    """Return whether messages of a channel go to an address that could be listed."""
    return channel not in IMPLICIT


def index_of(keys: Keys, tenant: str, channel: str, address: str) -> str:
    """Return the blind index of an address: `x_` and 32 hexadecimal digits, another one for every tenant and channel.

    It is made with the oldest of the keys, the one with the lowest number: the list must outlive a change of keys, so
    that one is never taken away.
    """
    secret = keys.secrets[min(keys.secrets)]
    key = hmac.digest(secret, b"betimes address 1\x00" + tenant.encode(), hashlib.sha256)
    text = f"{channel}\x00{normalised(channel, address)}"
    return "x_" + hmac.digest(key, text.encode(), hashlib.sha256).hex()[:_DIGITS]


def normalised(channel: str, address: str) -> str:
    """Return an address in the one spelling that is compared: an e-mail address in small letters, a number without its
    spaces, hyphens and brackets. Providers tell capitals of a mailbox apart in theory and never in practice.
    """
    folded = unicodedata.normalize("NFKC", address).strip()
    if channel == "email":
        return folded.casefold()
    if channel == "sms":
        return "".join(each for each in folded if each.isdigit() or each == "+")
    return folded


def _place(entry: Entry) -> tuple[datetime, str]:
    return entry.since, entry.by


def _kept(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return the entries in order of time, without the oldest that were released where they are too many."""
    ordered = sorted(entries, key=lambda each: (*_place(each), each.scope, each.why))
    spare = max(0, len(ordered) - MAX_ENTRIES)
    gone = [each for each in ordered if not each.stands][:spare]
    return tuple(each for each in ordered if each not in gone)
