"""The sweep: looks at what is due in one shard of the agenda, oldest first, and decides it.

Each obligation stands alone: one that fails or was changed by somebody else in the meantime keeps no other from its
decision, and the next tick finds it again. One that fails keeps its place in the agenda, so it does not count against
the limit: however many of them stand in front, what is behind them is reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from functools import partial

from betimes.core.book import Pages, Snapshot
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
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import waiting_for
from betimes.core.look import Looked, look
from betimes.core.obligation import Obligation
from betimes.core.policies import Policies
from betimes.core.values import dataclass, replace
from betimes.ports import DueLook, Stores

# Tries for one obligation against other writers; after that the next tick takes it up.
MAX_TRIES = 3
PAGE = 100
# What goes wrong with one obligation alone: a broken promise of ours, or a fact that no longer fits, such as a zone
# that is gone. It must not keep the obligations behind it from their decision.
ITS_OWN = (AssertionError, LookupError, TypeError, ValueError, ArithmeticError, Rejected)
# Up to when each tenant's repayments are complete, as far as one sweep has asked.
Fed = dict[str, datetime | None]
# So many borrowers out of reach with no look between them: it is the stores, and asking on would add to their load.
MAX_SILENT = 10


@dataclass(slots=True)
class Swept:
    """A tally of one sweep.

    `left` counts looks in which other writers held on to the obligation; it stays due and the next sweep finds it.
    `broken` names the obligations that could not be looked at, as "borrower/obligation (error)"; they are no looks.
    `more` says that the limit was reached before the shard was done, `after` is then where to go on, otherwise "".
    """

    looks: int = 0
    contacts: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    left: int = 0
    broken: tuple[str, ...] = ()
    more: bool = False
    after: str = ""

    def add(self, looked: Looked | None) -> None:
        """Add a look, None for one in which other writers held on to the obligation."""
        self.looks += 1
        if looked is None:
            self.left += 1
            return
        for decision in looked.decisions:
            self.contacts += isinstance(decision, Send)
            self.decisions[f"{type(decision).__name__.lower()}:{decision.reason}"] += 1

    def add_broken(self, due: DueLook, error: Exception) -> None:
        """Add an obligation that could not be looked at."""
        name = f"{due.borrower_id}/{due.obligation_id} ({type(error).__name__})"
        self.broken = (*self.broken, name)


def sweep(
    stores: Stores,
    policies: Policies,
    shard: int,
    *,
    now: datetime,
    limit: int,
    after: str = "",
) -> Swept:
    """Look at up to `limit` due obligations of `shard`, from behind `after` on, and return the tally.

    Raises:
        Unavailable: the stores are out of reach, not for one borrower alone; what was decided before stays decided.
    """
    swept = Swept(more=True, after=after)
    silent: set[tuple[str, str]] = set()
    fed: Fed = {}
    while swept.more and swept.looks < limit:
        page = stores.book.due(shard, now, limit=min(PAGE, limit - swept.looks), after=swept.after)
        for due in page.looks:
            try:
                looked = look_once(stores, policies, due, now, fed)
            except Unavailable as error:
                silent.add((due.tenant, due.borrower_id))
                if len(silent) == MAX_SILENT:
                    raise
                swept.add_broken(due, error)
            except ITS_OWN as error:
                swept.add_broken(due, error)
            else:
                silent.clear()
                swept.add(looked)
        swept.more, swept.after = bool(page.after), page.after
    return swept


def look_once(
    stores: Stores,
    policies: Policies,
    due: DueLook,
    now: datetime,
    fed: Fed | None = None,
) -> Looked | None:
    """Look at one obligation and write what follows; return it, or None if other writers kept winning.

    `fed` remembers, for one sweep, up to when each tenant's repayments are complete.

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
        awaited = awaited_of(stores, obligation)
        fed = {} if fed is None else fed
        if due.tenant not in fed:
            fed[due.tenant] = fed_until(stores, policies, due.tenant)
        fed_at = fed[due.tenant]
        snapshot = pages.snapshot(obligation.id, policies.profiles, fed_at=fed_at)
        beside = [each for each in (unfinished, *awaited) if each is not None]
        siblings = partial(_siblings, pages, obligation, beside, policies, fed_at)
        looked = look(snapshot, unfinished, policies, now, siblings, awaited)
        try:
            stores.store.commit(changes_of(pages, obligation, looked))
        except Stale:
            continue
        return looked
    return None


def _siblings(
    pages: Pages,
    obligation: Obligation,
    contacts: Sequence[Contact],
    policies: Policies,
    fed_at: datetime | None,
) -> list[Snapshot]:
    """Return the obligations that a look has to know of beside its own: what its digests speak of, and what one could.

    One that may have been paid, by money that has not been matched yet, is taken along by nobody.
    """
    account = pages.accounts.get(obligation.account_id)
    named = {spoke.obligation_id for contact in contacts for spoke in contact.everything}
    named.discard(obligation.id)
    assert pages.head is not None
    lists = pages.head.preferences.digest
    if not named and not lists and not policies.treatment_of(policies.profile(account)).digest:
        return []
    waits = pages.head.unmatched > 0
    return [
        pages.snapshot(other, policies.profiles, fed_at=fed_at)
        for other, owed in pages.obligations.items()
        if other != obligation.id
        and (other in named or (owed.is_open and not (waits and any(waiting_for(pages, other)))))
    ]


def changes_of(pages: Pages, before: Obligation, looked: Looked) -> list[Change]:
    """Return the transaction of one look: obligation, head check, contacts, records; empty if nothing changes."""
    if not looked.moved and not looked.others and looked.obligation == before:
        return []
    assert pages.head is not None
    return [
        *(
            SaveObligation(
                pages.tenant,
                pages.borrower_id,
                replace(each, watch=replace(each.watch, seq=each.watch.seq + 1)),
                each.version,
                each.watch.seq,
            )
            for each in (looked.obligation, *looked.others)
        ),
        CheckHead(pages.tenant, pages.borrower_id, pages.head.version),
        *(CreateContact(contact) for contact in looked.created),
        *(MoveContact.of(old, new) for old, new in looked.moved),
        *(Append(record) for record in looked.records),
    ]


def fed_until(stores: Stores, policies: Policies, tenant: str) -> datetime | None:
    """Return up to when the tenant's repayments are known to be complete; None where no treatment asks."""
    asked = (policies.treatment, *policies.treatments.values())
    if not any(version.fresh_within for line in asked for version in line.versions()):
        return None
    return stores.book.fed_until(tenant)


def unfinished_of(stores: Stores, obligation: Obligation) -> Contact | None:
    """Return the contact that the obligation's watch names, None if it names none."""
    contact_id = obligation.watch.contact_id
    return stores.contacts.get(contact_id) if contact_id else None


def awaited_of(stores: Stores, obligation: Obligation) -> list[Contact]:
    """Return the contacts that the obligation's watch awaits word of, as far as they exist."""
    found = (stores.contacts.get(contact_id) for contact_id in obligation.watch.awaits)
    return [contact for contact in found if contact is not None]
