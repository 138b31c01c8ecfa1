"""One look at one obligation: what the sweep does with it, as a pure step from what was read to what is to be written.

A look first settles the contact that is still unfinished, then decides every step that has come due. It ends at a Send
(the contact's review is the next look), at a Wait, or when the treatment has nothing left.

A message may fail after all: refused, bounced, or without a word from its provider for too long. Where the step says so
(`Step.fallback`), it is then undecided again, and decided anew like any other, but for the channels behind the one that
failed: within the same hours, caps and holds, and only where it would go, or wait to go. Else it stays decided, and the
contact tells how it ended. A digest that failed frees all it spoke of, so that it can become one again.

Where the treatment asks for a digest, a Send takes along the steps of the borrower's other obligations that could be
sent now through the same channel: one contact speaks of all of them, and each of them has its decision and its record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, assert_never

from betimes.core import agenda, endpoints, ids, record, zones
from betimes.core.agenda import Planned
from betimes.core.book import Snapshot
from betimes.core.contact import Contact, Event, Spoke, State
from betimes.core.decide import decide
from betimes.core.decision import Decision, Facts, Send, Suppress, Wait
from betimes.core.hold import KINDS
from betimes.core.obligation import Obligation, Tried
from betimes.core.policies import DIGEST, Policies
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.core.treatment import REACHED_NOBODY, Fallback, Step, Treatment
from betimes.core.values import dataclass, replace

# After this long a contact that is still READY is offered to its channel again: its message was lost on the way.
REOFFER = timedelta(minutes=10)
# Why a contact that was in time had to wait: its provider, or its tenant's budget, had no room.
HAD_NO_ROOM = frozenset({Reason.PROVIDER_BUSY, Reason.BUDGET_SPENT})
# How long evidence for an attempt of unknown outcome may take to arrive after its lease, by channel.
GRACE: Mapping[str, timedelta] = {
    "email": timedelta(minutes=15),
    "sms": timedelta(minutes=30),
    # Nobody will ever report that it was stored; storing it again stores it once.
    "inbox": timedelta(),
}
DEFAULT_GRACE = timedelta(minutes=30)
# Why a contact that was already written never went, where that is not that it became late.
_ENDS = frozenset(
    {
        Reason.PAID,
        Reason.MINIMUM_PAID,
        Reason.MONEY_IN_FLIGHT,
        Reason.STALE_FEED,
        Reason.AWAITING_ENTRY,
        *(meaning.reason for meaning in KINDS.values()),
    }
)
# Obligations that one digest speaks of, at most: a text must stay readable, and a transaction holds 100 writes.
MAX_ALONG = 8
# Places of records among those of one instant: dispatch follows a look, and a provider's report follows dispatch.
AT_DISPATCH = 500
AFTER_SENDING = 600
AFTER_REPORT = 700


# How a look comes to know of the borrower's other obligations.
Siblings = Callable[[], Sequence[Snapshot]]


def nobody() -> Sequence[Snapshot]:
    """Return no other obligations."""
    return ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look leads to: the obligation to store, contacts created or moved, and records to append, in order.

    `others` are the borrower's obligations that a digest takes along, as they are to be stored.
    """

    obligation: Obligation
    created: tuple[Contact, ...] = ()
    moved: tuple[tuple[Contact, Contact], ...] = ()
    records: tuple[Record, ...] = ()
    decisions: tuple[Decision, ...] = field(default=())
    others: tuple[Obligation, ...] = ()


def look(
    snapshot: Snapshot,
    unfinished: Contact | None,
    policies: Policies,
    now: datetime,
    siblings: Siblings = nobody,
    awaited: Sequence[Contact] = (),
) -> Looked:
    """Return what a look at the snapshot's obligation leads to at `now` (UTC).

    `unfinished` is the contact that the obligation's watch names, None if it names none, and `awaited` are those that
    it awaits word of. `siblings` gives the snapshots of the borrower's other obligations; it is asked only where they
    have a say.
    """
    looked = _look(snapshot, unfinished, policies, now, siblings, awaited)
    return _asking(looked, [*awaited, *([unfinished] if unfinished else [])], policies)


def _asking(looked: Looked, contacts: Sequence[Contact], policies: Policies) -> Looked:
    """Return the look with the instant at which to ask about the contacts that it still awaits word of: where a step
    depends on their silence, or nothing else will be looked at.
    """
    watch = looked.obligation.watch
    known = [contact for contact in contacts if contact.id in watch.awaits]
    dues = [
        receipt_due(contact, policies)
        for contact in known
        if watch.look_at == agenda.NEVER or _needs_receipt(contact, policies)
    ]
    ask_at = min((due for due in dues if due is not None), default=None)
    awaits = tuple(contact.id for contact in known)
    if ask_at is None or watch.look_at is None:
        return _watched(looked, awaits=awaits, ask_at=None)
    return _watched(looked, awaits=awaits, ask_at=ask_at, look_at=min(ask_at, watch.look_at))


def _needs_receipt(contact: Contact, policies: Policies) -> bool:
    """Return whether the step of a contact is taken up again where no receipt comes."""
    lines = (policies.treatment, *policies.treatments.values())
    own = (version for line in lines for version in line.versions())
    version = next((version for version in own if version.id == contact.treatment), None)
    if version is None or not version.has(contact.step):
        return False
    return Fallback.NO_RECEIPT in version.step(contact.step).fallback


def _look(
    snapshot: Snapshot,
    unfinished: Contact | None,
    policies: Policies,
    now: datetime,
    siblings: Siblings,
    awaited: Sequence[Contact],
) -> Looked:
    treatment = policies.treatment_of(snapshot.profile)
    looked = Looked(snapshot.obligation)
    for contact in awaited:
        if not looked.others:
            looked = _heard(looked, snapshot, contact, policies, now, siblings)
    if looked.others:
        # What a digest spoke of beside is looked at now for itself; only then can there be one again.
        return _watched(looked, look_at=now)
    if unfinished is not None:
        looked = _review(looked, snapshot, unfinished, policies, now, siblings)
        if looked.obligation.watch.contact_id:
            return looked
        if looked.others and unfinished.failure is not None:
            return _watched(looked, look_at=now)
        if looked.others:
            # They were told to be looked at for themselves: none of them is taken along here.
            siblings = nobody
    while True:
        seen = replace(snapshot, obligation=looked.obligation)
        is_open = looked.obligation.is_open
        if not is_open and not agenda.is_unexplained(seen, treatment):
            return _watched(looked, look_at=None)
        coming = agenda.next_step(seen, treatment)
        if coming is None:
            return _watched(looked, look_at=agenda.NEVER)
        if is_open and now < coming.at:
            # Not due: nothing to decide, hence nothing to record.
            return _watched(looked, look_at=coming.at)
        decision = decide(seen, treatment, policies.rules, now, coming=coming)
        assert decision is not None, "a step that is planned is decided"
        looked, go_on = _follow(looked, seen, decision, policies, now, siblings)
        if not go_on:
            return looked


def _follow(
    looked: Looked,
    seen: Snapshot,
    decision: Decision,
    policies: Policies,
    now: datetime,
    siblings: Siblings,
) -> tuple[Looked, bool]:
    """Return the look after `decision`, and whether the next step is to be decided in the same look."""
    match decision:
        case Wait(reason=Reason.NOT_YET):
            return _watched(looked, look_at=decision.until), False
        case Wait():
            return _decided(looked, seen, decision, now, look_at=decision.until), False
        case Suppress():
            return _decided(looked, seen, decision, now), True
        case Send():
            along = list(_along(seen, decision, policies, now, siblings))
            contact = _contact(seen, decision, policies, now, along)
            looked = _decided(looked, seen, decision, now, contact, look_at=now + REOFFER)
            for sibling, step in along:
                looked = _taken_along(looked, sibling, step, contact, now)
            return looked, False
        case _ as never:
            assert_never(never)


def _along(
    seen: Snapshot,
    decision: Send,
    policies: Policies,
    now: datetime,
    siblings: Siblings,
) -> Iterator[tuple[Snapshot, Send]]:
    """Yield the borrower's other obligations with a step that may go now in the same contact, and that step.

    A step that sets a deadline speaks alone: a list has no room for the date by which each of its debts is to be paid.
    """
    line = policies.treatment_of(seen.profile)
    asking = _step_of(line, decision)
    wanted = seen.borrower.preferences.digest
    lists = wanted or line.at(zones.local_date(now, seen.borrower.zone)).digest
    if asking.deadline_days or not lists:
        return
    taken = 0
    for sibling in siblings():
        if taken == MAX_ALONG:
            return
        obligation = sibling.obligation
        treatment = policies.treatment_of(sibling.profile)
        if not obligation.is_open or obligation.watch.contact_id:
            continue
        if not wanted and not treatment.digest:
            continue
        coming = agenda.next_step(sibling, treatment)
        if coming is None or now < coming.at:
            continue
        step, channel = coming.step, decision.channel
        if step.message_class is not asking.message_class or step.deadline_days:
            continue
        if channel not in step.channels:
            continue
        # Its own first choice may be another channel: one contact on this one is better than two.
        also = decide(sibling, treatment, policies.rules, now, coming=coming, channel=channel)
        if not isinstance(also, Send):
            continue
        # What was refused is left to a statutory notice that has no other way.
        if not policies.rules.refused_by(sibling, step, now, channel):
            taken += 1
            yield sibling, also


def _step_of(line: Treatment, decision: Send) -> Step:
    """Return the step that was decided, in the version of the treatment that it came from."""
    return line.version(str(decision.facts["treatment"])).step(decision.step)


def _taken_along(
    looked: Looked, sibling: Snapshot, step: Send, contact: Contact, now: datetime
) -> Looked:
    """Return the look with another obligation's step decided: its word stands in `contact`."""
    taken = Suppress(step.step, Reason.IN_DIGEST, step.facts)
    watch = sibling.obligation.watch
    written = decision_record(
        sibling, taken, now, prev=watch.chain, contact_id=contact.id, place=len(looked.records)
    )
    watch = replace(
        watch, chain=written.hash, decided=(*watch.decided, step.step), look_at=now + REOFFER
    )
    other = replace(sibling.obligation, watch=watch)
    return replace(
        looked,
        records=(*looked.records, written),
        decisions=(*looked.decisions, taken),
        others=(*looked.others, other),
    )


def _contact(
    seen: Snapshot,
    decision: Send,
    policies: Policies,
    now: datetime,
    along: Sequence[tuple[Snapshot, Send]],
) -> Contact:
    obligation, borrower = seen.obligation, seen.borrower
    version = policies.treatment_of(seen.profile).version(str(decision.facts["treatment"]))
    step = version.step(decision.step)
    template = DIGEST if along else step.template_for(seen.has_mandate)
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
        template=policies.templates[template].id,
        treatment=str(decision.facts["treatment"]),
        message_class=step.message_class,
        decided_at=now,
        not_after=max([decision.deadline, *(also.deadline for _, also in along)]),
        amount=seen.owed(now),
        changed_at=now,
        also=tuple(
            Spoke(sibling.obligation.id, sibling.obligation.cycle, also.step)
            for sibling, also in along
        ),
        cause=str(decision.facts.get("cause", "")),
    )


def _watched(looked: Looked, **values: Any) -> Looked:
    watch = replace(looked.obligation.watch, **values)
    return replace(looked, obligation=replace(looked.obligation, watch=watch))


def _decided(
    looked: Looked,
    seen: Snapshot,
    decision: Decision,
    now: datetime,
    contact: Contact | None = None,
    **watched: Any,
) -> Looked:
    """Return the look with the decision's record at the end of the obligation's chain, and the contact it leads to;
    `watched` is what else it sets on the watch.
    """
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
        created=(*looked.created, contact) if contact else looked.created,
        records=(*looked.records, written),
        decisions=(*looked.decisions, decision),
    )
    if contact is not None:
        watched["contact_id"] = contact.id
    # A Wait leaves its step to be decided.
    done = () if isinstance(decision, Wait) else (decision.step,)
    decided = (*looked.obligation.watch.decided, *done)
    return _watched(looked, chain=written.hash, decided=decided, **watched)


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
    facts: Facts | None = None,
) -> Record:
    """Return the sealed ledger record of one event of a contact; `key` tells apart events that share an instant.

    `place` orders it among the records of its instant. `facts` are what belongs to this event alone.

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
            **(facts or {}),
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
    facts: Facts | None = None,
) -> tuple[Contact, Record]:
    """Return the contact `after` an event with the event's record at the end of its chain, and that record.

    `reason` is the event's own where it is not the contact's, `facts` what belongs to this event alone.
    """
    written = event_record(
        before, after, event, now, key=key, reason=reason or after.reason, place=place, facts=facts
    )
    return replace(after, chain=written.hash), written


def missed(contact: Contact, coming: Planned | None, by: datetime) -> Reason:
    """Return why a READY contact that may go no more `by` an instant never went.

    `coming` is its step as it applies now, None if it no longer does.
    """
    if contact.reason in HAD_NO_ROOM:
        return contact.reason
    if coming is None:
        return Reason.PLANNED_AFTER_WINDOW
    late = by >= coming.deadline
    return Reason.CATCH_UP_EXCEEDED if late else Reason.QUIET_UNTIL_TOO_LATE


def _review(
    looked: Looked,
    snapshot: Snapshot,
    contact: Contact,
    policies: Policies,
    now: datetime,
    siblings: Siblings,
) -> Looked:
    """Return the look after settling, as far as can be, the contact that is still unfinished."""
    spoken_of = {spoke.obligation_id: spoke.cycle for spoke in contact.everything}
    others = siblings() if contact.also else ()
    known = [snapshot, *(s for s in others if s.obligation.id in spoken_of)]
    settled = not any(each.obligation.is_open for each in known)
    # Whether anything it was to speak of is still as it was: open, and due on the same day.
    stands = any(
        each.obligation.is_open and each.obligation.cycle == spoken_of[each.obligation.id]
        for each in known
    )
    match contact.state:
        case State.READY if settled:
            return _ended(looked, contact, Event.CANCELLED, Reason.PAID, now, siblings)
        case State.READY if not stands:
            return _ended(looked, contact, Event.CANCELLED, Reason.REDATED, now, siblings)
        case State.READY if now >= contact.not_after:
            reason = _expired(snapshot, contact, policies, now)
            return _ended(looked, contact, Event.EXPIRED, reason, now, siblings)
        case State.READY if (again_at := _again_at(contact)) is not None and now < again_at:
            return _watched(looked, look_at=min(again_at, contact.not_after))
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
        case State.ACCEPTED | State.IN_TRANSIT:
            looked = _watched(looked, contact_id="")
            return _heard(
                _awaiting(looked, contact, policies), snapshot, contact, policies, now, siblings
            )
        case _:
            looked = _watched(looked, contact_id="")
            return _heard(looked, snapshot, contact, policies, now, siblings)


def _awaiting(looked: Looked, contact: Contact, policies: Policies) -> Looked:
    """Return the look with its obligation awaiting a receipt, where the contact's channel has any."""
    awaits = looked.obligation.watch.awaits
    if contact.id in awaits or policies.receipts.get(contact.channel) is None:
        return looked
    return _watched(looked, awaits=(*awaits, contact.id))


def _heard(
    looked: Looked,
    snapshot: Snapshot,
    contact: Contact,
    policies: Policies,
    now: datetime,
    siblings: Siblings,
) -> Looked:
    """Return the look with what has come of a contact since it was sent: a receipt that is overdue is called missing,
    and what failed is taken up again where its step says so.
    """
    if contact.state in (State.ACCEPTED, State.IN_TRANSIT):
        overdue_at = receipt_due(contact, policies)
        if overdue_at is not None and now < overdue_at:
            return looked
        if overdue_at is not None:
            silent = contact.after(Event.RECEIPT_OVERDUE, Reason.NO_RECEIPT, now)
            silent, written = chained(contact, silent, Event.RECEIPT_OVERDUE, now)
            looked = replace(
                looked,
                moved=(*looked.moved, (contact, silent)),
                records=(*looked.records, written),
            )
            contact = silent
    left = tuple(each for each in looked.obligation.watch.awaits if each != contact.id)
    looked = _watched(looked, awaits=left)
    failure = contact.failure
    return (
        looked
        if failure is None
        else _fallen_back(looked, snapshot, contact, failure, policies, now, siblings)
    )


def receipt_due(contact: Contact, policies: Policies) -> datetime | None:
    """Return until when a receipt for an accepted contact may still come, None where its channel has none."""
    within = policies.receipts.get(contact.channel)
    return None if within is None else (contact.sent_at or contact.decided_at) + within


def _fallen_back(
    looked: Looked,
    snapshot: Snapshot,
    contact: Contact,
    failure: Fallback,
    policies: Policies,
    now: datetime,
    siblings: Siblings,
) -> Looked:
    """Return the look with all that a failed contact spoke of undecided again, as far as it would go by a channel that
    is left to it.
    """
    spoken = {spoke.obligation_id: spoke for spoke in contact.everything}
    own = replace(snapshot, obligation=looked.obligation)
    known = [own, *(s for s in (siblings() if contact.also else ()) if s.obligation.id in spoken)]
    freed = {}
    for each in known:
        spoke = spoken.get(each.obligation.id)
        again = _without(each, spoke, contact, failure, policies) if spoke is not None else None
        if again is None or spoke is None:
            continue
        line = policies.treatment_of(each.profile)
        together = [(one.obligation_id, one.step) for one in contact.everything]
        seen = replace(each, obligation=again)
        verdict = decide(seen, line, policies.rules, now, step=spoke.step, together=together)
        if isinstance(verdict, Send | Wait):
            freed[again.id] = replace(again, watch=replace(again.watch, look_at=now))
    obligation = freed.pop(looked.obligation.id, looked.obligation)
    return replace(looked, obligation=obligation, others=(*looked.others, *freed.values()))


def _without(
    seen: Snapshot, spoke: Spoke, contact: Contact, failure: Fallback, policies: Policies
) -> Obligation | None:
    """Return the obligation with the step that a failed contact spoke of undecided again and its channel used up; None
    where the step says otherwise, or stands no more as the contact left it: paid, redated, or taken up elsewhere.
    """
    obligation, line = seen.obligation, policies.treatment_of(seen.profile)
    watch = obligation.watch
    if not obligation.is_open or obligation.cycle != spoke.cycle:
        return None
    if spoke.step not in watch.decided or not line.has(spoke.step):
        return None
    if obligation.id == contact.obligation_id:
        line = line.version(contact.treatment)
    step = line.step(spoke.step)
    if failure not in step.fallback or contact.channel not in step.channels:
        return None
    slot = step.channels.index(contact.channel)
    if slot in watch.slots_tried(spoke.step):
        return None
    # Of what was refused nothing is kept as spoken.
    spoken_at = dict(watch.spoken).get(spoke.step)
    if spoken_at not in (None, contact.claimed_at) or watch.contact_id not in ("", contact.id):
        return None
    if spoken_at is None and failure is not Fallback.REFUSED:
        return None
    watch = replace(
        watch,
        decided=tuple(each for each in watch.decided if each != spoke.step),
        tried=(*watch.tried, Tried(spoke.step, slot, contact.id)),
    )
    if failure in REACHED_NOBODY:
        watch = replace(
            watch,
            spoken=tuple(each for each in watch.spoken if each[0] != spoke.step),
            pay_by=None if step.deadline_days else watch.pay_by,
        )
    return replace(obligation, watch=watch)


def _expired(snapshot: Snapshot, contact: Contact, policies: Policies, now: datetime) -> Reason:
    """Return why a READY contact whose time is over never went: what stopped it to the end, else that it was late."""
    line = policies.treatment_of(snapshot.profile).version(contact.treatment)
    decision = decide(
        snapshot, line, policies.rules, now, step=contact.step, channel=contact.channel
    )
    if decision is not None and decision.reason in _ENDS:
        return decision.reason
    return missed(contact, agenda.planned(snapshot, line, contact.step), now)


def _ended(
    looked: Looked,
    contact: Contact,
    event: Event,
    reason: Reason,
    now: datetime,
    siblings: Siblings,
) -> Looked:
    """Return the look with a READY contact ended unsent; the record says what happened to it, which may be "held".

    What a digest was to speak of beside is not lost with it: those steps are undecided again, each to be looked at now
    for itself. Only where an attempt is unknown do they stay as they are: they may have been spoken.
    """
    ended = contact.ended_unsent(event, reason, now)
    held = ended.state is State.UNKNOWN
    looked = _moved(looked, contact, ended, Event.HELD if held else event, now)
    if held:
        return looked
    steps = {spoke.obligation_id: spoke for spoke in contact.also}
    undecided = tuple(
        taken_back(sibling.obligation, steps[sibling.obligation.id], now)
        for sibling in (siblings() if steps else ())
        if sibling.obligation.id in steps
    )
    return replace(looked, others=(*looked.others, *undecided))


def taken_back(obligation: Obligation, spoke: Spoke, now: datetime) -> Obligation:
    """Return the obligation with a step of this cycle undecided again, and a look at it now."""
    if obligation.cycle != spoke.cycle:
        return obligation
    decided = tuple(step for step in obligation.watch.decided if step != spoke.step)
    watch = replace(obligation.watch, decided=decided, look_at=now)
    return replace(obligation, watch=watch)


def grace(contact: Contact) -> timedelta:
    """Return how long to wait for evidence about an attempt of unknown outcome on the contact's channel. Of a webhook
    none will come: it is sent again after as long as after any failure.
    """
    if contact.channel == "webhook":
        return endpoints.wait_after(contact.id, contact.attempt)
    return GRACE.get(contact.channel, DEFAULT_GRACE)


def _again_at(contact: Contact) -> datetime | None:
    """Return when a contact that was refused for now is offered again at the earliest, None where any look may do it.

    Whose server is down is asked less and less often; a provider's own pace says when it takes more.
    """
    if contact.channel != "webhook" or contact.attempt not in contact.refusals:
        return None
    assert contact.changed_at is not None, "a refusal has its instant"
    return contact.changed_at + endpoints.wait_after(contact.id, contact.attempt)


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
