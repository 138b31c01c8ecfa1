"""What is ahead: planned contacts for which one of lower priority leaves room in the person's budget.

The budget of a person serves statutory notices first, then announcements of a debit, then what is overdue, then
courtesy (`core.rule.Purpose`). A contact counts the planned steps of higher priority that would go, as far as is known
now, within the days that a cap looks at, as if they had been made: so it takes no place that one of them will need. The
step that was planned needs no reservation of its own, and what becomes of it, paid, held or moved, frees its place by
itself. Steps of the debt that the contact is about are not counted for it: their order is the treatment's own, and the
prover has shown that they fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

from betimes.core import agenda
from betimes.core.agenda import Planned
from betimes.core.book import Pages, Snapshot
from betimes.core.contact import State
from betimes.core.decide import decide
from betimes.core.decision import Send, Wait
from betimes.core.policies import Policies
from betimes.core.rule import CapTerms, Per, Purpose
from betimes.core.rules import request
from betimes.core.touch import Touch
from betimes.core.treatment import Treatment
from betimes.ports import Stores

# Waits of one step that are followed: for the hours, the days, the pace, and once more for the hours.
_WAITS: Final = 4
_RANK: Final = {purpose: n for n, purpose in enumerate(Purpose)}


def expected(
    stores: Stores,
    policies: Policies,
    pages: Pages,
    purpose: Purpose,
    now: datetime,
    *,
    fed_at: datetime | None = None,
    beside: Collection[str] = (),
) -> tuple[Touch, ...]:
    """Return the touches of higher priority than `purpose` that are planned for the person within the days of the
    longest cap that binds; none about the obligations `beside`. Each is marked as reserved.

    Raises:
        Unavailable: the stores are out of reach.
    """
    others = [each for each in pages.obligations.values() if each.is_open and each.id not in beside]
    if not others or purpose is Purpose.STATUTORY:
        return ()
    until = now + _span(policies, pages)
    found: dict[tuple[object, ...], Touch] = {}
    for obligation in others:
        watch = obligation.watch
        if not watch.contact_id and (watch.look_at is None or watch.look_at >= until):
            # Nothing of it is decided before then.
            continue
        snapshot = pages.snapshot(obligation.id, policies.profiles, fed_at=fed_at)
        line = policies.treatment_of(snapshot.profile)
        for touch in _of(stores, policies, snapshot, line, purpose, now, until):
            # What one digest would speak of is one contact.
            digest = line.digest and (touch.at, touch.channel, touch.purpose)
            found.setdefault(digest or (touch.id,), touch)
    return tuple(found.values())


def _span(policies: Policies, pages: Pages) -> timedelta:
    """Return how far ahead a cap may count that binds for the person, 0 where none does."""
    assert pages.head is not None, "nobody without a head owes anything"
    span = timedelta(0)
    for rule in policies.rules.law.chain(policies.rules.jurisdictions(pages.head)):
        terms = rule.terms
        if isinstance(terms, CapTerms) and rule.enforce.binds:
            one = timedelta(seconds=1) if terms.per is Per.ROLLING else timedelta(days=1)
            span = max(span, one * (1 if terms.per is Per.CALENDAR_DAY else terms.n))
    return span


def _of(
    stores: Stores,
    policies: Policies,
    snapshot: Snapshot,
    line: Treatment,
    purpose: Purpose,
    now: datetime,
    until: datetime,
) -> Iterator[Touch]:
    """Yield the touches that one obligation is planned to bring before `until`."""
    watch = snapshot.obligation.watch
    waiting = ""
    if watch.contact_id:
        contact = stores.contacts.get(watch.contact_id)
        # One that was claimed counts already.
        if contact is not None and contact.state is State.READY:
            waiting = contact.step
    for coming in agenda.plan(snapshot, line):
        if coming.at >= until:
            return
        if coming.deadline <= now or (coming.key in watch.decided and coming.key != waiting):
            continue
        asked = request(snapshot, coming.step, now, coming.step.channels[0])
        if _RANK[asked.purpose] >= _RANK[purpose]:
            continue
        went = would_go(policies, snapshot, line, coming, max(now, coming.at), until)
        if went is not None:
            at, channel = went[0], went[1].channel
            obligation = snapshot.obligation
            yield Touch(
                f"{obligation.id}~{coming.key}",
                at,
                channel,
                by=snapshot.borrower.tenant,
                debts=(obligation.id,),
                accounts=(obligation.account_id,),
                products=(snapshot.profile.name,) if snapshot.profile.name else (),
                number=request(snapshot, coming.step, at, channel).number,
                purpose=asked.purpose,
                reserved=True,
            )


def would_go(
    policies: Policies,
    snapshot: Snapshot,
    line: Treatment,
    coming: Planned,
    at: datetime,
    until: datetime,
) -> tuple[datetime, Send] | None:
    """Return when, from `at` and before `until`, a step would go by what is known now, and the decision to send it."""
    for _ in range(_WAITS):
        decision = decide(snapshot, line, policies.rules, at, coming=coming)
        if isinstance(decision, Send):
            return at, decision
        if not isinstance(decision, Wait) or not at < decision.until < until:
            return None
        at = decision.until
    return None
