"""Dispatch: one contact, decided again, claimed, sent once, and its outcome recorded.

The order is the promise. The contact is decided again from fresh facts; the text is rendered from exactly those
facts; one transaction claims the contact and holds only if obligation and borrower still have the versions rendered
from; then there is exactly one call to the provider; then the outcome is recorded under the fence of the attempt.
Nothing but the provider call is treated as the provider's answer. A payment, a block or another worker in between
makes the claim fail, and the contact is decided anew or left alone.

Source: Betimes specification S1, S1b, S2, S4, S5, S13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from betimes.core import agenda, message, zones
from betimes.core.book import Snapshot
from betimes.core.change import (
    Append,
    Change,
    CheckHead,
    MoveContact,
    SaveObligation,
)
from betimes.core.contact import Contact, Event, State
from betimes.core.decide import closed_because, decide, dropped, redated
from betimes.core.decision import Decision, Send, Suppress, Wait
from betimes.core.errors import Stale, Unavailable
from betimes.core.look import (
    AFTER_SENDING,
    AT_DISPATCH,
    chained,
    decision_record,
    event_record,
    missed,
)
from betimes.core.message import Text
from betimes.core.obligation import Watch
from betimes.core.policies import DIGEST, Policies
from betimes.core.reason import Reason
from betimes.core.treatment import Treatment
from betimes.core.values import copied
from betimes.flows.sweep import fed_until
from betimes.ports import Accepted, Clock, Letter, Refused, Sender, Stores, Unknown

# Tries of one delivery against other writers; after that the queue delivers again.
MAX_TRIES = 3

# How a contact ends for each reason not to send it; for the others the step itself has become pointless: cancelled.
_ENDS = {
    Reason.NO_CONTACT_POINT: Event.SUPPRESSED,
    Reason.CONTACT_POINT_SUPPRESSED: Event.SUPPRESSED,
    Reason.CONTACT_POINT_UNCONFIRMED: Event.SUPPRESSED,
    Reason.CATCH_UP_EXCEEDED: Event.EXPIRED,
    Reason.PLANNED_AFTER_WINDOW: Event.EXPIRED,
    Reason.QUIET_UNTIL_TOO_LATE: Event.EXPIRED,
    Reason.PROVIDER_BUSY: Event.EXPIRED,
}


class Dispatched(StrEnum):
    """What became of one delivery of a contact to dispatch."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PUT_BACK = "put_back"
    UNKNOWN = "unknown"
    ENDED = "ended"
    NOT_NOW = "not_now"
    NOT_READY = "not_ready"
    CONTESTED = "contested"


# A wait for the right hour that would outlast the contact, by its reason: what is recorded instead.
_TOO_LATE = {
    Reason.NOT_YET: Reason.PLANNED_AFTER_WINDOW,
    Reason.QUIET_HOURS: Reason.QUIET_UNTIL_TOO_LATE,
    Reason.CLOSED_DAY: Reason.CLOSED_DAY,
    Reason.TOO_SOON: Reason.TOO_SOON,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One step that a contact is to speak of, what is known of its obligation, and what is decided of it now."""

    snapshot: Snapshot
    treatment: Treatment
    step: str
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The flow with what it needs. `lease` bounds an attempt; a call starts at most `lease - guard` after its claim."""

    stores: Stores
    policies: Policies
    senders: Mapping[str, Sender]
    clock: Clock
    lease: timedelta
    guard: timedelta

    def deliver(self, contact_id: str) -> Dispatched:
        """Bring one contact to its provider, if it may still go, and return what became of it.

        CONTESTED means other writers kept winning and nothing was sent: deliver it again. Every other answer is final
        for this delivery; a second delivery of the same contact finds it not READY and does nothing.

        Raises:
            Unavailable: the stores are out of reach. Before the claim nothing was sent; after it the lease settles it.
        """
        for _ in range(MAX_TRIES):
            contact = self.stores.contacts.get(contact_id)
            if contact is None or contact.state is not State.READY:
                return Dispatched.NOT_READY
            try:
                claimed = self._prepare(contact)
            except Stale:
                continue
            if not isinstance(claimed, tuple):
                return claimed
            return self._send(*claimed)
        return Dispatched.CONTESTED

    def _prepare(self, contact: Contact) -> tuple[Contact, Letter] | Dispatched:
        """Return the claimed contact and its letter, or why there is nothing to send.

        Raises:
            Stale: what was read is no longer so.
        """
        now = self.clock.now()
        pages = self.stores.book.pages(contact.tenant, contact.borrower_id)
        fed_at = fed_until(self.stores, self.policies, contact.tenant)
        steps = ((contact.obligation_id, contact.step), *contact.also)
        asked = [
            self._asked(pages.snapshot(obligation_id, self.policies.profiles, fed_at=fed_at), step)
            for obligation_id, step in steps
        ]
        asked = [replace(each, decision=self._decide(contact, each, steps, now)) for each in asked]
        if any(isinstance(each.decision, Send) for each in asked):
            return self._claim(contact, asked, now)
        waiting = next((each for each in asked if isinstance(each.decision, Wait)), None)
        if waiting is not None:
            assert isinstance(waiting.decision, Wait)
            return self._not_now(contact, asked[0], waiting.decision, now)
        first = asked[0].decision
        assert isinstance(first, Suppress), "what neither goes nor waits is not sent"
        # What the step counted from is gone, or its due date has moved: it has become pointless, not late.
        pointless = agenda.planned(asked[0].snapshot, asked[0].treatment, contact.step) is None
        event = Event.CANCELLED if pointless or first.reason is Reason.REDATED else None
        return self._end(contact, asked[0].snapshot, first, now, event)

    def _asked(self, snapshot: Snapshot, step: str) -> _Asked:
        return _Asked(snapshot, self.policies.treatment_of(snapshot.profile), step)

    def _decide(
        self, contact: Contact, asked: _Asked, steps: Sequence[tuple[str, str]], now: datetime
    ) -> Decision:
        """Return the decision about one step of the contact, by the version of the treatment it was decided under."""
        snapshot, step, rules = asked.snapshot, asked.step, self.policies.rules
        line = asked.treatment
        if snapshot.obligation.id == contact.obligation_id:
            line = line.version(contact.treatment)
            if contact.cycle != snapshot.obligation.cycle:
                return redated(snapshot, line, rules, step, now)
        decision = decide(snapshot, line, rules, now, step=step, together=steps)
        if decision is None:
            if not line.has(step):
                raise AssertionError(f"contact {contact.id} names a step its treatment lacks")
            return dropped(snapshot, line, rules, step, now)
        if not isinstance(decision, Send):
            return decision
        # Another channel may do, but this contact is for this one.
        closed = closed_because(snapshot, contact.message_class, contact.channel, now)
        if closed is not None:
            return Suppress(step, closed, decision.facts)
        # A claim needs its whole lease before the contact stops being useful or lawful.
        done_by = now + self.lease
        if done_by > min(contact.not_after, decision.not_after):
            coming = agenda.planned(snapshot, line, step)
            return Suppress(step, missed(contact, coming, done_by), decision.facts)
        return decision

    def _claim(
        self, contact: Contact, asked: Sequence[_Asked], now: datetime
    ) -> tuple[Contact, Letter] | Dispatched:
        """Claim the contact for the steps that may go; what else it was to speak of is recorded as not sent."""
        speaking = [each for each in asked if isinstance(each.decision, Send)]
        borrower = speaking[0].snapshot.borrower
        point = borrower.point(contact.channel)
        assert point is not None, "a contact without a contact point is not decided as a send"
        text = self._render(contact, [_as_spoken(each, now) for each in speaking], now)
        claimed, written = chained(
            contact,
            contact.claimed(
                now,
                self.lease,
                text.sha256,
                speaking[0].snapshot.owed(now),
                point=point.since,
            ),
            Event.CLAIMED,
            now,
            place=AT_DISPATCH,
            facts={"point": point.since, "locale": text.locale},
        )
        changes: list[Change] = [
            MoveContact.of(contact, claimed),
            Append(written),
            CheckHead(borrower.tenant, borrower.id, borrower.version),
        ]
        for n, each in enumerate(asked, start=1):
            changes += _spoken(each, now) if each in speaking else _unsaid(claimed, each, n, now)
        self.stores.store.commit(changes)
        return claimed, Letter(claimed.id, claimed.attempt, claimed.tenant, point.address, text)

    def _render(self, contact: Contact, speaking: Sequence[Snapshot], now: datetime) -> Text:
        """Return the text about what is owed now: by its step's template, or as a list where it is a digest."""
        first, *along = speaking
        borrower = first.borrower
        version = self.policies.treatment_of(first.profile).version(contact.treatment)
        step = version.step(contact.step)
        name = DIGEST if contact.also else step.template_for(first.has_mandate)
        body = self.policies.templates[name].body(
            borrower.locale, contact.channel, self.policies.default_locale
        )
        items = along if contact.also else None
        return message.render(
            body, message.values(first, now=now, lender=self.policies.lender, along=items)
        )

    def _send(self, claimed: Contact, letter: Letter) -> Dispatched:
        assert claimed.lease_until is not None
        if self.clock.now() > claimed.lease_until - self.guard:
            # Too late to call: the attempt expires unused and the review settles it.
            return Dispatched.UNKNOWN
        answer = self.senders[claimed.channel].send(letter)
        now = self.clock.now()
        match answer:
            case Accepted(provider_id):
                after = replace(
                    claimed.after(Event.ACCEPTED, Reason.ACCEPTED, now),
                    provider_id=provider_id,
                    lease_until=None,
                )
                return self._record(claimed, after, Event.ACCEPTED, now, Dispatched.ACCEPTED)
            case Refused(may_retry=True):
                after = replace(
                    claimed.after(Event.PUT_BACK, Reason.PROVIDER_BUSY, now), lease_until=None
                )
                return self._record(claimed, after, Event.PUT_BACK, now, Dispatched.PUT_BACK)
            case Refused():
                after = claimed.refused(now)
                if after.state is State.UNKNOWN:
                    return self._record(claimed, after, Event.HELD, now, Dispatched.UNKNOWN)
                return self._record(claimed, after, Event.REFUSED, now, Dispatched.REFUSED)
            case Unknown():
                after = claimed.unknown(Reason.PROVIDER_TIMEOUT, now)
                return self._record(claimed, after, Event.TIMED_OUT, now, Dispatched.UNKNOWN)
            case _ as never:
                assert_never(never)

    def _record(
        self, claimed: Contact, after: Contact, event: Event, now: datetime, answer: Dispatched
    ) -> Dispatched:
        """Write the outcome under the fence of the attempt.

        Losing the fence is no failure: an event of the provider, or the review, has moved the contact on. The outcome
        then becomes a fact in the contact's chain, and moves the contact only if it is evidence.

        Raises:
            Unavailable: other writers kept winning, and the outcome is not on record.
        """
        before, outcome, settled = claimed, after, after
        for _ in range(MAX_TRIES):
            written = event_record(
                before,
                # The attempt that was made, also where the contact is at another one by now.
                replace(outcome, state=settled.state),
                event,
                now,
                key="",
                reason=outcome.reason,
                place=AFTER_SENDING,
            )
            changes: list[Change] = [
                MoveContact.of(before, replace(settled, chain=written.hash)),
                Append(written),
            ]
            try:
                self.stores.store.commit(changes)
            except Stale as stale:
                current = self.stores.contacts.get(claimed.id)
                if 1 in stale.failed or current is None:
                    # This very outcome is on record already.
                    return answer
                # A conflict of writes is no lost fence: while nobody has moved the contact, the outcome still does.
                held = current.chain == claimed.chain
                before = current
                settled = outcome if held else _with_outcome(current, outcome, event, now)
                continue
            return answer
        raise Unavailable("other writers kept winning for one contact")

    def _not_now(
        self, contact: Contact, first: _Asked, decision: Wait, now: datetime
    ) -> Dispatched:
        """Leave the contact READY and have it looked at when it may go; end it if the hours allow it only too late.

        What stops contact otherwise, a hold or money under way, may be over at any moment: it ends with the contact's
        own time, and whoever tells of its end brings the look forward.
        """
        late = _TOO_LATE.get(decision.reason)
        if decision.until >= contact.not_after and late is not None:
            ended = Suppress(contact.step, late, decision.facts)
            return self._end(contact, first.snapshot, ended, now)
        look_at = min(decision.until, contact.not_after)
        watch = replace(first.snapshot.obligation.watch, look_at=look_at)
        self.stores.store.commit(_watched(first.snapshot, watch))
        return Dispatched.NOT_NOW

    def _end(
        self,
        contact: Contact,
        snapshot: Snapshot,
        decision: Suppress,
        now: datetime,
        event: Event | None = None,
    ) -> Dispatched:
        """End a READY contact unsent: its event and the decision not to send it, in one transaction.

        `event` is the one of the decision's reason unless it is given.
        """
        event = event or _ENDS.get(decision.reason, Event.CANCELLED)
        if event is Event.EXPIRED and contact.reason is Reason.PROVIDER_BUSY:
            # It was in time, and the provider had no room: that it became late is only what came of it.
            decision = replace(decision, reason=Reason.PROVIDER_BUSY)
        ended = contact.ended_unsent(event, decision.reason, now)
        event = event if ended.state is not State.UNKNOWN else Event.HELD
        ended, written = chained(contact, ended, event, now, place=AT_DISPATCH)
        decided = decision_record(
            snapshot,
            decision,
            now,
            prev=snapshot.obligation.watch.chain,
            contact_id=contact.id,
            place=AT_DISPATCH + 1,
        )
        watch = replace(snapshot.obligation.watch, chain=decided.hash, look_at=now)
        self.stores.store.commit(
            [
                MoveContact.of(contact, ended),
                Append(written),
                *_watched(snapshot, watch),
                Append(decided),
            ]
        )
        return Dispatched.ENDED


def _watched(snapshot: Snapshot, watch: Watch) -> list[Change]:
    """Return the changes that give the snapshot's obligation another watch, if it and the borrower are as seen."""
    borrower = snapshot.borrower
    return [
        _saved(snapshot, watch),
        CheckHead(borrower.tenant, borrower.id, borrower.version),
    ]


def _saved(snapshot: Snapshot, watch: Watch) -> SaveObligation:
    """Return the write of the snapshot's obligation with another watch, if it is as seen."""
    borrower, obligation = snapshot.borrower, snapshot.obligation
    seen = obligation.watch.seq
    return SaveObligation(
        borrower.tenant,
        borrower.id,
        copied(obligation, watch=copied(watch, seq=seen + 1)),
        obligation.version,
        seen,
    )


def _with_outcome(current: Contact, outcome: Contact, event: Event, now: datetime) -> Contact:
    """Return the contact as it stands by now with the outcome of an attempt that has lost its fence."""
    if event is not Event.ACCEPTED:
        return current
    after = current.after(event, outcome.reason, now)
    return replace(
        after,
        provider_id=current.provider_id or outcome.provider_id,
        lease_until=after.lease_until if after.state is State.SENDING else None,
    )


def _spoken(asked: _Asked, now: datetime) -> list[Change]:
    """Return the change that keeps when a step was spoken; it holds only while the obligation is as it was rendered."""
    return [_saved(asked.snapshot, _as_spoken(asked, now).obligation.watch)]


def _as_spoken(asked: _Asked, now: datetime) -> Snapshot:
    """Return the snapshot as it is once the step has been spoken: a deadline that it sets stands in its own text."""
    obligation = asked.snapshot.obligation
    others = tuple((step, at) for step, at in obligation.watch.spoken if step != asked.step)
    watch = copied(obligation.watch, spoken=(*others, (asked.step, now)))
    assert isinstance(asked.decision, Send), "only what goes is spoken"
    version = asked.treatment.version(str(asked.decision.facts["treatment"]))
    days = version.step(asked.step).deadline_days
    if days:
        today = zones.local_date(now, asked.snapshot.zone)
        watch = replace(watch, pay_by=today + timedelta(days=days))
    return copied(asked.snapshot, obligation=copied(obligation, watch=watch))


def _unsaid(claimed: Contact, asked: _Asked, place: int, now: datetime) -> list[Change]:
    """Return the changes that record why a digest that goes does not speak of one of its obligations any more."""
    decision = asked.decision
    assert decision is not None
    unsaid = Suppress(asked.step, decision.reason, decision.facts)
    watch = asked.snapshot.obligation.watch
    written = decision_record(
        asked.snapshot,
        unsaid,
        now,
        prev=watch.chain,
        contact_id=claimed.id,
        place=AT_DISPATCH + place,
    )
    return [_saved(asked.snapshot, replace(watch, chain=written.hash)), Append(written)]
