"""Dispatch: one contact, decided again, claimed, sent once, and its outcome recorded.

The order is the promise. The contact is decided again from fresh facts; the text is rendered from exactly those
facts; one transaction claims the contact and holds only if obligation and borrower still have the versions rendered
from; then there is exactly one call to the provider; then the outcome is recorded under the fence of the attempt.
Nothing but the provider call is treated as the provider's answer. A payment, a block or another worker in between
makes the claim fail, and the contact is decided anew or left alone.

Source: Betimes specification S1, S1b, S2, S4, S5, S13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from betimes.core import agenda, message, zones
from betimes.core.book import Snapshot
from betimes.core.borrower import PointState
from betimes.core.change import (
    Append,
    Change,
    CheckHead,
    CheckObligation,
    MoveContact,
    SaveObligation,
)
from betimes.core.contact import Contact, Event, State
from betimes.core.decide import decide, dropped
from betimes.core.decision import Send, Suppress, Wait
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
from betimes.core.policies import Policies
from betimes.core.reason import Reason
from betimes.ports import Accepted, Clock, Letter, Refused, Sender, Stores, Unknown

# Tries of one delivery against other writers; after that the queue delivers again.
MAX_TRIES = 3

# How a contact ends for each reason not to send it; for the others the step itself has become pointless: cancelled.
_ENDS = {
    Reason.NO_CONTACT_POINT: Event.SUPPRESSED,
    Reason.CONTACT_POINT_SUPPRESSED: Event.SUPPRESSED,
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
        snapshot = pages.snapshot(contact.obligation_id)
        if contact.cycle != snapshot.obligation.cycle:
            raise AssertionError("an obligation's cycle does not change under its contact")
        decision = decide(
            snapshot, self.policies.treatment, self.policies.rules, now, step=contact.step
        )
        # A claim needs its whole lease before the contact stops being useful or lawful.
        done_by = now + self.lease
        if isinstance(decision, Send) and done_by > min(contact.not_after, decision.not_after):
            coming = agenda.planned(snapshot, self.policies.treatment, contact.step)
            decision = Suppress(contact.step, missed(contact, coming, done_by), decision.facts)
        match decision:
            case Send():
                return self._claim(contact, snapshot, decision, now)
            case Wait():
                return self._not_now(contact, snapshot, decision, now)
            case Suppress():
                return self._end(contact, snapshot, decision, now)
            case None:
                treatment, rules = self.policies.treatment, self.policies.rules
                if all(step.name != contact.step for step in treatment.steps):
                    raise AssertionError(f"contact {contact.id} names a step its treatment lacks")
                pointless = dropped(snapshot, treatment, rules, contact.step)
                return self._end(contact, snapshot, pointless, now, Event.CANCELLED)
            case _ as never:
                assert_never(never)

    def _claim(
        self, contact: Contact, snapshot: Snapshot, decision: Send, now: datetime
    ) -> tuple[Contact, Letter] | Dispatched:
        point = snapshot.borrower.point(contact.channel)
        if point is None or point.state is not PointState.ACTIVE:
            # Another channel would do, but this contact is for this one.
            gone = Reason.CONTACT_POINT_SUPPRESSED if point else Reason.NO_CONTACT_POINT
            nowhere = Suppress(contact.step, gone, decision.facts)
            return self._end(contact, snapshot, nowhere, now)
        text = self._render(contact, snapshot, now)
        claimed, written = chained(
            contact,
            contact.claimed(
                now,
                self.lease,
                text.sha256,
                snapshot.obligation.outstanding,
                point=point.since,
            ),
            Event.CLAIMED,
            now,
            place=AT_DISPATCH,
        )
        self.stores.store.commit(
            [
                MoveContact.of(contact, claimed),
                *_guards(snapshot),
                Append(written),
            ]
        )
        return claimed, Letter(claimed.id, claimed.attempt, claimed.tenant, point.address, text)

    def _render(self, contact: Contact, snapshot: Snapshot, now: datetime) -> Text:
        step = self.policies.treatment.step(contact.step)
        borrower = snapshot.borrower
        body = self.policies.templates[step.template].body(
            borrower.locale, contact.channel, self.policies.default_locale
        )
        today = zones.local_date(now, borrower.zone)
        return message.render(
            body, message.values(snapshot, today=today, lender=self.policies.lender)
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
        self, contact: Contact, snapshot: Snapshot, decision: Wait, now: datetime
    ) -> Dispatched:
        """Leave the contact READY and have it looked at when it may go; end it if that is too late."""
        if decision.until >= contact.not_after:
            late = Suppress(contact.step, Reason.QUIET_UNTIL_TOO_LATE, decision.facts)
            return self._end(contact, snapshot, late, now)
        watch = replace(snapshot.obligation.watch, look_at=decision.until)
        self.stores.store.commit(_watched(snapshot, watch))
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
    borrower, obligation = snapshot.borrower, snapshot.obligation
    seen = obligation.watch.seq
    return [
        SaveObligation(
            borrower.tenant,
            borrower.id,
            replace(obligation, watch=replace(watch, seq=seen + 1)),
            obligation.version,
            seen,
        ),
        CheckHead(borrower.tenant, borrower.id, borrower.version),
    ]


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


def _guards(snapshot: Snapshot) -> list[Change]:
    """Return the checks that hold only while obligation and borrower are as they were rendered from."""
    borrower, obligation = snapshot.borrower, snapshot.obligation
    return [
        CheckObligation(borrower.tenant, borrower.id, obligation.id, obligation.version),
        CheckHead(borrower.tenant, borrower.id, borrower.version),
    ]
