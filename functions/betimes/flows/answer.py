"""What an action link does: a person answers a message by a press, and something is in place before the page is shown.

Opening a link reads and changes nothing, however often and by whomever it is opened. Acting on it is one transaction of
the same commands that lenders send: a hold, a refusal, a blocked address. Whether something is left to be done is
decided on the pages that the transaction is guarded by, so the same answer twice, also at the same instant, is one
change.

An answer is about what its message spoke of: the obligation of the contact and, in a digest, those beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from betimes.core import links, said, zones
from betimes.core.book import Pages
from betimes.core.borrower import Borrower
from betimes.core.change import MAX_CHANGES, changes_between
from betimes.core.consent import Switch
from betimes.core.contact import Contact
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.hold import Hold, Kind
from betimes.core.intake import Command, DisownPoint, PutHold, accept
from betimes.core.links import Action, Keys, Link
from betimes.core.obligation import Obligation
from betimes.core.record import Record
from betimes.core.said import Act, Statement, TellConsents
from betimes.core.values import dataclass
from betimes.flows.intake import MAX_TRIES, Intake, Told
from betimes.ports import Stores

# How long the word that it is paid stops reminders: a transfer between banks takes up to three working days, and a
# lender tells of it on the day after. Money that is told sooner settles the debt, and with it the matter.
CLAIM_WAIT: Final = timedelta(days=5)
# How long overdue messages rest after a call for help, so that a person can look for a way. The lender may set its own
# hold of hardship meanwhile. Source: Betimes specification, preferences; a choice, no law.
HELP_WAIT: Final = timedelta(days=30)
# A promise names a day at most so far ahead.
PROMISE_DAYS: Final = 31
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that works, with the message it came with and the person it was sent to, as they stand now."""

    link: Link
    contact: Contact
    head: Borrower
    pages: Pages

    @property
    def debts(self) -> tuple[Obligation, ...]:
        """What the message spoke of and is open still, in its order."""
        known = (self.pages.obligations.get(id_) for id_ in _spoken_of(self.contact))
        return tuple(each for each in known if each is not None and each.is_open)

    def promise_days(self, now: datetime) -> tuple[date, date]:
        """Return the first and the last day that may be promised, by the clock of the person's zone."""
        today = zones.local_date(now, self.head.zone)
        return today, today + PROMISE_DAYS * _DAY


class Done(StrEnum):
    """What became of an answer."""

    DONE = "done"
    # It was in place already, by the same link.
    BEFORE = "before"
    # Nothing that the message spoke of is open any more.
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer, and the last day, in the person's zone, on which it stops reminders; None where it has
    no end of its own.
    """

    done: Done
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where links are opened and answered."""

    stores: Stores
    intake: Intake

    def open(self, keys: Keys, token: str, now: datetime) -> Opened:
        """Return what a link opens; reads only.

        Raises:
            Rejected: code "bad_link": forged, too old, of another tenant, or of a person who is gone.
            Stale: the pages stayed torn; ask again.
        """
        link = links.opened(keys, token, now)
        contact = self.stores.contacts.get(link.contact_id)
        if contact is None or contact.tenant != link.tenant:
            raise links.bad_link()
        pages = self.stores.book.pages(contact.tenant, contact.borrower_id)
        if pages.head is None:
            raise links.bad_link()
        return Opened(link, contact, pages.head, pages)

    def answer(self, opened: Opened, now: datetime, *, on: date | None = None) -> Answered:
        """Do what the link is for and return what became of it. `on` is the day that a promise names.

        Raises:
            Rejected: code "bad_action", where the link is none to act on, or "bad_promise", where the day cannot be
                promised; nothing is changed.
            Unavailable: the stores cannot write now, or other writers kept winning; the answer may be repeated.
        """
        link = opened.link
        if link.action in (Action.PAY, Action.PREFERENCES):
            raise Rejected(
                "bad_action", "link", "this link opens a page and changes nothing itself"
            )
        if link.action is Action.PROMISE:
            first, last = opened.promise_days(now)
            if on is None or not first <= on <= last:
                raise Rejected("bad_promise", "on", f"choose a day from {first} to {last}")
        if link.action in _ABOUT_DEBTS and not opened.debts:
            return Answered(Done.SETTLED)
        changed = self._commit(opened.contact, link.action, now, on)
        pages = self.stores.book.pages(opened.contact.tenant, opened.contact.borrower_id)
        done = Done.DONE if changed else Done.BEFORE
        return Answered(done, _until(pages, opened.contact, link.action))

    def _commit(self, contact: Contact, action: Action, now: datetime, on: date | None) -> bool:
        """Apply the commands of an answer to the pages as they stand, and return whether there was anything to do."""
        tenant, borrower_id = contact.tenant, contact.borrower_id
        changed = False
        for _ in range(MAX_TRIES):
            try:
                before = self.stores.book.pages(tenant, borrower_id)
                commands = tuple(_commands(before, contact, action, now, on))
                after = self._after(before, commands, now)
                changes = changes_between(before, after)
                if not changes:
                    return changed
                if len(changes) > MAX_CHANGES:
                    told = Told("", borrower_id, commands)
                    [answer] = self.intake.take_in(tenant, [told], now)
                    if isinstance(answer, Rejected):
                        raise answer
                    return True
                self.stores.store.commit(changes)
            except Stale:
                continue
            changed = True
            if not said.is_unfinished(before, after):
                return changed
        raise Unavailable(f"other writers kept winning {MAX_TRIES} times for one borrower")

    def _after(self, pages: Pages, commands: tuple[Command, ...], now: datetime) -> Pages:
        for command in commands:
            pages, _ = accept(
                pages, command, self.intake.policies, shards=self.intake.shards, now=now
            )
        return pages


# Answers that are about the bills spoken of, not about the person or the address.
_ABOUT_DEBTS: Final = frozenset({Action.ALREADY_PAID, Action.PROMISE, Action.DISPUTE})
_KINDS: Final = {
    Action.ALREADY_PAID: Kind.PAID_CLAIM,
    Action.PROMISE: Kind.PROMISE,
    Action.DISPUTE: Kind.DISPUTE,
    Action.NEED_HELP: Kind.HARDSHIP,
}


def _commands(
    pages: Pages, contact: Contact, action: Action, now: datetime, on: date | None
) -> Iterator[Command]:
    """Yield the commands of an answer that are still to be done on these pages."""
    match action:
        case Action.WRONG_PERSON:
            if contact.point:
                yield DisownPoint(contact.channel, contact.point)
        case Action.STOP_CHANNEL | Action.UNSUBSCRIBE:
            statement = Statement(
                id=f"{contact.id}:{action}",
                act=Act.REFUSE,
                at=now,
                switch=Switch.REMINDER,
                channel=contact.channel,
                evidence=_owner(contact),
            )
            yield TellConsents((statement,))
        case Action.NEED_HELP:
            yield from _new_hold(pages, contact, action, "", now, now + HELP_WAIT)
        case Action.DISPUTE:
            for id_ in _open_debts(pages, contact):
                yield from _new_hold(pages, contact, action, id_, now, None)
        case Action.ALREADY_PAID:
            for id_ in _open_debts(pages, contact):
                yield from _new_hold(pages, contact, action, id_, now, now + CLAIM_WAIT)
        case Action.PROMISE:
            assert on is not None, "a promise names its day"
            for id_ in _open_debts(pages, contact):
                yield from _promise(pages, contact, id_, now, on)
        case _:
            raise AssertionError(f"{action} changes nothing")


def _new_hold(
    pages: Pages,
    contact: Contact,
    action: Action,
    obligation_id: str,
    now: datetime,
    ends_at: datetime | None,
) -> Iterator[PutHold]:
    """Yield the hold of an answer, unless the link has set it before: what a lender lifted since stays lifted."""
    id_ = hold_id(contact, action, obligation_id)
    if id_ not in pages.holds:
        yield PutHold(
            id_,
            _KINDS[action],
            starts_at=now,
            ends_at=ends_at,
            obligation_id=obligation_id,
            owner=_owner(contact),
        )


def _promise(
    pages: Pages, contact: Contact, obligation_id: str, now: datetime, on: date
) -> Iterator[PutHold]:
    """Yield the promise of what is owed, or its new day while it is in force; one that is over was kept or broken, and
    another needs another message.
    """
    id_ = hold_id(contact, Action.PROMISE, obligation_id)
    old = pages.holds.get(id_)
    if old is not None and (not old.covers(now) or old.promise_on == on):
        return
    yield PutHold(
        id_,
        Kind.PROMISE,
        starts_at=now if old is None else old.starts_at,
        obligation_id=obligation_id,
        promise_minor=pages.obligations[obligation_id].outstanding.minor
        if old is None
        else old.promise_minor,
        promise_on=on,
        owner=_owner(contact),
    )


def message_of(keys: Keys, records: Iterable[Record], tenant: str, code: str) -> str:
    """Return the id of the contact among these records whose code this is, "" where it is that of none.

    The records are those of one borrower: whoever guesses has one person's messages to hit and learns nothing about
    others.
    """
    contacts = dict.fromkeys(each.contact_id for each in records if each.contact_id)
    # All of them are compared, so the time it takes does not tell which one it was.
    found = [each for each in contacts if links.is_code(keys, tenant, each, code)]
    return found[0] if found else ""


def hold_id(contact: Contact, action: Action, obligation_id: str) -> str:
    """Return the id of the hold that a link sets about an obligation, "" the person: one for each, for ever."""
    spoken_of = _spoken_of(contact)
    place = spoken_of.index(obligation_id) if obligation_id else 0
    return f"{contact.id}:{action}:{place}"


def _spoken_of(contact: Contact) -> tuple[str, ...]:
    return tuple(each.obligation_id for each in contact.everything)


def _open_debts(pages: Pages, contact: Contact) -> Iterator[str]:
    for id_ in _spoken_of(contact):
        obligation = pages.obligations.get(id_)
        if obligation is not None and obligation.is_open:
            yield id_


def _owner(contact: Contact) -> str:
    return f"link:{contact.id}"


def _until(pages: Pages, contact: Contact, action: Action) -> date | None:
    """Return the last day on which the holds of an answer stop anything."""
    assert pages.head is not None, "a person who was there is not forgotten"
    ends = [hold.over_at for hold in _holds_of(pages, contact, action) if hold.over_at is not None]
    if not ends:
        return None
    return zones.local_date(max(ends) - timedelta(microseconds=1), pages.head.zone)


def _holds_of(pages: Pages, contact: Contact, action: Action) -> Iterator[Hold]:
    prefix = f"{contact.id}:{action}:"
    return (hold for id_, hold in pages.holds.items() if id_.startswith(prefix))
