"""One look at one obligation: what the sweep does with it, as a pure step from what was read to what is to be written.

A look first settles the contact that is still unfinished, then decides every step that has come due. It ends at a Send
(the contact's review is the next look), at a Wait, or when the treatment has nothing left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from betimes.core import agenda, ids, record, zones
from betimes.core.agenda import Planned
from betimes.core.book import Snapshot
from betimes.core.contact import Contact, Event, State
from betimes.core.decide import decide
from betimes.core.decision import Decision, Send, Suppress, Wait
from betimes.core.obligation import Obligation
from betimes.core.policies import Policies
from betimes.core.reason import Reason
from betimes.core.record import Record

# After this long a contact that is still READY is offered to its channel again: its message was lost on the way.
REOFFER = timedelta(minutes=10)
# How long evidence for an attempt of unknown outcome may take to arrive after its lease, by channel.
GRACE: Mapping[str, timedelta] = {"email": timedelta(minutes=15), "sms": timedelta(minutes=30)}
DEFAULT_GRACE = timedelta(minutes=30)
# Places of records among those of one instant: dispatch follows a look, and a provider's report follows dispatch.
AT_DISPATCH = 500
AFTER_SENDING = 600
AFTER_REPORT = 700


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look leads to: the obligation to store, contacts created or moved, and records to append, in order."""

    obligation: Obligation
    created: tuple[Contact, ...] = ()
    moved: tuple[tuple[Contact, Contact], ...] = ()
    records: tuple[Record, ...] = ()
    decisions: tuple[Decision, ...] = field(default=())


def look(
    snapshot: Snapshot, unfinished: Contact | None, policies: Policies, now: datetime
) -> Looked:
    """Return what a look at the snapshot's obligation leads to at `now` (UTC).

    `unfinished` is the contact that the obligation's watch names, None if it names none.
    """
    looked = Looked(snapshot.obligation)
    if unfinished is not None:
        looked = _review(looked, snapshot, unfinished, policies, now)
        if looked.obligation.watch.contact_id:
            return looked
    while True:
        seen = replace(snapshot, obligation=looked.obligation)
        if not looked.obligation.is_open and not agenda.is_unexplained(seen, policies.treatment):
            return _watched(looked, look_at=None)
        decision = decide(seen, policies.treatment, policies.rules, now)
        if decision is None:
            return _watched(looked, look_at=agenda.NEVER)
        looked, go_on = _follow(looked, seen, decision, policies, now)
        if not go_on:
            return looked


def _follow(
    looked: Looked, seen: Snapshot, decision: Decision, policies: Policies, now: datetime
) -> tuple[Looked, bool]:
    """Return the look after `decision`, and whether the next step is to be decided in the same look."""
    match decision:
        case Wait(reason=Reason.NOT_YET):
            # Not due: nothing to decide, hence nothing to record.
            return _watched(looked, look_at=decision.until), False
        case Wait():
            looked = _decided(looked, seen, decision, now)
            return _watched(looked, look_at=decision.until), False
        case Suppress():
            return _decided(looked, seen, decision, now), True
        case Send():
            contact = _contact(seen, decision, policies, now)
            looked = _decided(looked, seen, decision, now, contact)
            looked = replace(looked, created=(*looked.created, contact))
            return _watched(looked, look_at=now + REOFFER, contact_id=contact.id), False
        case _ as never:
            assert_never(never)


def _contact(seen: Snapshot, decision: Send, policies: Policies, now: datetime) -> Contact:
    obligation, borrower = seen.obligation, seen.borrower
    step = policies.treatment.step(decision.step)
    return Contact(
        id=ids.contact_id(
            borrower.tenant,
            borrower.id,
            obligation.id,
            obligation.cycle,
            decision.step,
            decision.slot,
        ),
        tenant=borrower.tenant,
        borrower_id=borrower.id,
        obligation_id=obligation.id,
        cycle=obligation.cycle,
        step=decision.step,
        slot=decision.slot,
        channel=decision.channel,
        template=policies.templates[step.template].id,
        treatment=policies.treatment.id,
        message_class=step.message_class,
        decided_at=now,
        not_after=decision.not_after,
        amount=obligation.outstanding,
        changed_at=now,
    )


def _watched(looked: Looked, **values: object) -> Looked:
    watch = replace(looked.obligation.watch, **values)  # type: ignore[arg-type]  # fields of Watch
    return replace(looked, obligation=replace(looked.obligation, watch=watch))


def _decided(
    looked: Looked,
    seen: Snapshot,
    decision: Decision,
    now: datetime,
    contact: Contact | None = None,
) -> Looked:
    """Return the look with the decision's record at the end of the obligation's chain."""
    written = decision_record(
        seen,
        decision,
        now,
        prev=looked.obligation.watch.chain,
        contact_id=contact.id if contact else "",
        place=len(looked.records),
    )
    looked = replace(
        looked,
        records=(*looked.records, written),
        decisions=(*looked.decisions, decision),
    )
    # A Wait leaves its step to be decided.
    done = () if isinstance(decision, Wait) else (decision.step,)
    decided = (*looked.obligation.watch.decided, *done)
    return _watched(looked, chain=written.hash, decided=decided)


def decision_record(
    seen: Snapshot,
    decision: Decision,
    now: datetime,
    *,
    prev: str,
    contact_id: str = "",
    place: int = 0,
) -> Record:
    """Return the sealed ledger record of one decision; `place` orders the records of one look."""
    borrower, obligation = seen.borrower, seen.obligation
    kind = type(decision).__name__.lower()
    until = zones.to_text(decision.until) if isinstance(decision, Wait) else ""
    decision_id = "d_" + ids.digest_id(
        borrower.tenant,
        borrower.id,
        obligation.id,
        obligation.cycle,
        decision.step,
        kind,
        decision.reason,
        until,
    )
    return Record(
        # With its predecessor: one answer given twice at one instant is two records, a retry is one.
        id=record.record_id(now, decision_id, prev, place=place),
        kind=record.DECISION,
        tenant=borrower.tenant,
        borrower_id=borrower.id,
        obligation_id=obligation.id,
        contact_id=contact_id,
        at=now,
        body={
            **decision.facts,
            "decision_id": decision_id,
            "decision": kind,
            "step": decision.step,
            "reason": decision.reason,
            "until": until,
        },
        prev=prev,
    ).sealed()


def event_record(
    before: Contact,
    after: Contact,
    event: Event,
    now: datetime,
    *,
    key: str,
    reason: Reason,
    place: int = 0,
) -> Record:
    """Return the sealed ledger record of one event of a contact; `key` tells apart events that share an instant.

    `place` orders it among the records of its instant.

    `reason` is the event's own: a complaint is recorded as one even where it does not move the contact.

    It chains to the contact's last record; the caller stores its hash on the contact (`chained`).
    """
    return Record(
        id=record.record_id(now, after.id, event, str(after.attempt), key, place=place),
        kind=record.EVENT,
        tenant=after.tenant,
        borrower_id=after.borrower_id,
        obligation_id=after.obligation_id,
        contact_id=after.id,
        at=now,
        body={
            "event": event,
            "step": after.step,
            "channel": after.channel,
            "from": before.state,
            "state": after.state,
            "reason": reason,
            "attempt": after.attempt,
            "text_sha256": after.text_sha256,
            "provider_id": after.provider_id,
        },
        prev=before.chain,
    ).sealed()


def chained(
    before: Contact,
    after: Contact,
    event: Event,
    now: datetime,
    *,
    key: str = "",
    reason: Reason | None = None,
    place: int = 0,
) -> tuple[Contact, Record]:
    """Return the contact `after` an event with the event's record at the end of its chain, and that record.

    `reason` is the event's own where it is not the contact's.
    """
    written = event_record(
        before, after, event, now, key=key, reason=reason or after.reason, place=place
    )
    return replace(after, chain=written.hash), written


def missed(contact: Contact, coming: Planned | None, by: datetime) -> Reason:
    """Return why a READY contact that may go no more `by` an instant never went.

    `coming` is its step as it applies now, None if it no longer does.
    """
    if contact.reason is Reason.PROVIDER_BUSY:
        return Reason.PROVIDER_BUSY
    if coming is None:
        return Reason.PLANNED_AFTER_WINDOW
    late = by >= coming.deadline
    return Reason.CATCH_UP_EXCEEDED if late else Reason.QUIET_UNTIL_TOO_LATE


def _review(
    looked: Looked, snapshot: Snapshot, contact: Contact, policies: Policies, now: datetime
) -> Looked:
    """Return the look after settling, as far as can be, the contact that is still unfinished."""
    settled = not snapshot.obligation.is_open
    match contact.state:
        case State.READY if settled:
            return _ended(looked, contact, Event.CANCELLED, Reason.PAID, now)
        case State.READY if now >= contact.not_after:
            coming = agenda.planned(snapshot, policies.treatment, contact.step)
            return _ended(looked, contact, Event.EXPIRED, missed(contact, coming, now), now)
        case State.READY:
            looked = replace(looked, moved=(*looked.moved, (contact, contact.offered_again())))
            return _watched(looked, look_at=min(now + REOFFER, contact.not_after))
        case State.SENDING:
            assert contact.lease_until is not None
            if now < contact.lease_until:
                return _watched(looked, look_at=contact.lease_until)
            lost = contact.unknown(Reason.LEASE_EXPIRED, now)
            looked = _moved(looked, contact, lost, Event.TIMED_OUT, now)
            return _watched(looked, look_at=now + grace(contact), contact_id=contact.id)
        case State.UNKNOWN if contact.reason is not Reason.HELD_UNKNOWN:
            return _settle_unknown(looked, contact, settled, now)
        case _:
            return _watched(looked, contact_id="")


def _ended(looked: Looked, contact: Contact, event: Event, reason: Reason, now: datetime) -> Looked:
    """Return the look with a READY contact ended unsent; the record says what happened to it, which may be "held"."""
    ended = contact.ended_unsent(event, reason, now)
    event = event if ended.state is not State.UNKNOWN else Event.HELD
    return _moved(looked, contact, ended, event, now)


def grace(contact: Contact) -> timedelta:
    """Return how long to wait for evidence about an attempt of unknown outcome on the contact's channel."""
    return GRACE.get(contact.channel, DEFAULT_GRACE)


def _settle_unknown(looked: Looked, contact: Contact, settled: bool, now: datetime) -> Looked:
    assert contact.changed_at is not None
    evidence_by = contact.changed_at + grace(contact)
    if now < evidence_by:
        return _watched(looked, look_at=evidence_by)
    if contact.may_try_again and not settled and now < contact.not_after:
        again = contact.after(Event.TRIED_AGAIN, Reason.ONE_MORE_ATTEMPT, now).offered_again()
        looked = _moved(looked, contact, again, Event.TRIED_AGAIN, now)
        return _watched(looked, look_at=now + REOFFER, contact_id=contact.id)
    held = contact.after(Event.HELD, Reason.HELD_UNKNOWN, now)
    return _moved(looked, contact, held, Event.HELD, now)


def _moved(looked: Looked, before: Contact, after: Contact, event: Event, now: datetime) -> Looked:
    """Return the look with a contact moved; the watch lets go of it, unless the caller says otherwise."""
    after, written = chained(before, after, event, now)
    looked = replace(
        looked,
        moved=(*looked.moved, (before, after)),
        records=(*looked.records, written),
    )
    return _watched(looked, contact_id="")
