"""Replan: a borrower's facts have changed; every look of theirs is set to what agenda, treatment and zone now ask for.

Level-triggered: what the change was is not believed, only whom it concerns, so order, repetition and loss of stream
records are harmless. A payment comes through here too and cancels a contact that is still READY.
"""

from __future__ import annotations

from datetime import datetime

from betimes.core.book import Pages, Snapshot
from betimes.core.change import changes_between, in_parts
from betimes.core.decide import decide
from betimes.core.decision import Wait
from betimes.core.errors import Stale, Unavailable
from betimes.core.intake import looked, waiting_for
from betimes.core.policies import Policies
from betimes.flows.sweep import MAX_TRIES, look_once
from betimes.ports import DueLook, Stores


def replan(
    stores: Stores, policies: Policies, tenant: str, borrower_id: str, *, now: datetime
) -> int:
    """Return how many looks of the borrower moved; 0 when everything was in place already.

    Raises:
        Unavailable: other writers kept winning, or the stores are out of reach; the stream delivers again.
    """
    for _ in range(MAX_TRIES):
        try:
            before = stores.book.pages(tenant, borrower_id)
            after = _replanned(before, policies, now)
            changes = changes_between(before, after)
            # Every look stands alone, so a part that is not written any more is found by whoever tries again.
            for part in in_parts(changes[0], changes[1:]) if changes else ():
                stores.store.commit(part)
        except Stale:
            continue
        _settle_in_flight(stores, policies, after, now)
        return max(0, len(changes) - 1)
    raise Unavailable("other writers kept winning for one borrower")


def _replanned(pages: Pages, policies: Policies, now: datetime) -> Pages:
    waits = pages.head is not None and pages.head.unmatched > 0
    for obligation_id, obligation in pages.obligations.items():
        watch = obligation.watch
        if not obligation.is_open and (watch.contact_id or watch.look_at is None):
            # Nothing is left to say of it; what is on its way is taken up by _settle_in_flight.
            continue
        if waits and any(waiting_for(pages, obligation_id)):
            continue  # it may have been paid long ago: whoever matches that money sets its look
        snapshot = pages.snapshot(obligation_id, policies.profiles)
        moved = looked(snapshot, policies, now)
        if moved != obligation and not _waits(snapshot, policies, now):
            pages = pages.with_obligation(moved)
    return pages


def _waits(snapshot: Snapshot, policies: Policies, now: datetime) -> bool:
    """Return whether the look is where a step waits for its window: the sweep has put it there and recorded why."""
    obligation = snapshot.obligation
    if not obligation.is_open or obligation.watch.contact_id:
        return False
    treatment = policies.treatment_of(snapshot.profile)
    decision = decide(snapshot, treatment, policies.rules, now)
    return isinstance(decision, Wait) and decision.until == obligation.watch.look_at


def _settle_in_flight(stores: Stores, policies: Policies, pages: Pages, now: datetime) -> None:
    """Cancel at once what is still READY for an obligation that has been settled."""
    for obligation in pages.obligations.values():
        if obligation.watch.contact_id and not obligation.is_open:
            look_once(
                stores,
                policies,
                DueLook(pages.tenant, pages.borrower_id, obligation.id, now),
                now,
            )
