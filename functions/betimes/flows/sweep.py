"""The sweep: looks at what is due in one shard of the agenda, oldest first, and decides it.

Each obligation stands alone: one that fails or was changed by somebody else in the meantime keeps no other from its
decision, and the next tick finds it again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from betimes.core.book import Pages
from betimes.core.change import (
    Append,
    Change,
    CheckHead,
    CreateContact,
    MoveContact,
    SaveObligation,
)
from betimes.core.contact import Contact
from betimes.core.decision import Send
from betimes.core.errors import Rejected, Stale
from betimes.core.look import Looked, look
from betimes.core.obligation import Obligation
from betimes.core.policies import Policies
from betimes.ports import DueLook, Stores

# Tries for one obligation against other writers; after that the next tick takes it up.
MAX_TRIES = 3
PAGE = 100
# What goes wrong with one obligation alone: a broken promise of ours, or a fact that no longer fits, such as a zone
# that is gone. It must not keep the obligations behind it from their decision.
_ITS_OWN = (AssertionError, LookupError, TypeError, ValueError, ArithmeticError, Rejected)


@dataclass(frozen=True, slots=True)
class Swept:
    """A tally of one sweep. `more` says that the limit was reached before the shard was done."""

    looks: int = 0
    contacts: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    left: int = 0
    more: bool = False


def sweep(stores: Stores, policies: Policies, shard: int, *, now: datetime, limit: int) -> Swept:
    """Look at up to `limit` due obligations of `shard` and return the tally.

    `left` counts obligations that other writers held on to; they stay due and are found by the next sweep.

    Raises:
        Unavailable: the stores are out of reach; what was decided before stays decided.
        AssertionError: some obligations could not be looked at, named in the message; raised after all others were.
    """
    swept = Swept(more=True)
    broken: list[tuple[str, Exception]] = []
    after = ""
    while swept.more and swept.looks < limit:
        page = stores.book.due(shard, now, limit=min(PAGE, limit - swept.looks), after=after)
        for due in page.looks:
            looked = None
            try:
                looked = look_once(stores, policies, due, now)
            except _ITS_OWN as error:
                broken.append((due.obligation_id, error))
            swept = _counted(swept, looked)
        after = page.after
        swept = replace(swept, more=bool(after))
    if broken:
        names = ", ".join(f"{name} ({type(error).__name__})" for name, error in broken)
        raise AssertionError(f"could not be looked at: {names}") from broken[0][1]
    return swept


def _counted(swept: Swept, looked: Looked | None) -> Swept:
    if looked is None:
        return replace(swept, looks=swept.looks + 1, left=swept.left + 1)
    words = (f"{type(d).__name__.lower()}:{d.reason}" for d in looked.decisions)
    return replace(
        swept,
        looks=swept.looks + 1,
        contacts=swept.contacts + sum(isinstance(d, Send) for d in looked.decisions),
        decisions=swept.decisions + Counter(words),
    )


def look_once(stores: Stores, policies: Policies, due: DueLook, now: datetime) -> Looked | None:
    """Look at one obligation and write what follows; return it, or None if other writers kept winning.

    A row of the agenda may be stale: an obligation that is not due after all gets its true look and no decision.
    """
    for _ in range(MAX_TRIES):
        try:
            pages = stores.book.pages(due.tenant, due.borrower_id)
        except Stale:
            continue
        obligation = pages.obligations.get(due.obligation_id)
        if obligation is None or obligation.watch.look_at is None or obligation.watch.look_at > now:
            return Looked(obligation) if obligation else None
        unfinished = unfinished_of(stores, obligation)
        looked = look(pages.snapshot(obligation.id), unfinished, policies, now)
        try:
            stores.store.commit(changes_of(pages, obligation, looked))
        except Stale:
            continue
        return looked
    return None


def changes_of(pages: Pages, before: Obligation, looked: Looked) -> list[Change]:
    """Return the transaction of one look: obligation, head check, contacts, records; empty if nothing changes."""
    if looked.obligation == before and not looked.moved:
        return []
    assert pages.head is not None
    watch = replace(looked.obligation.watch, seq=before.watch.seq + 1)
    return [
        SaveObligation(
            pages.tenant,
            pages.borrower_id,
            replace(looked.obligation, watch=watch),
            before.version,
            before.watch.seq,
        ),
        CheckHead(pages.tenant, pages.borrower_id, pages.head.version),
        *(CreateContact(contact) for contact in looked.created),
        *(MoveContact.of(old, new) for old, new in looked.moved),
        *(Append(record) for record in looked.records),
    ]


def unfinished_of(stores: Stores, obligation: Obligation) -> Contact | None:
    """Return the contact that the obligation's watch names, None if it names none."""
    contact_id = obligation.watch.contact_id
    return stores.contacts.get(contact_id) if contact_id else None
