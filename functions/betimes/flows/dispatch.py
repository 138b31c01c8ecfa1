"""Dispatch: one contact, decided again, claimed, sent once, and its outcome recorded.

The order is the promise. The contact is decided again from fresh facts; the text is rendered from exactly those
facts; one transaction claims the contact and holds only if obligation and borrower still have the versions rendered
from; then there is exactly one call to the provider; then the outcome is recorded under the fence of the attempt.
Nothing but the provider call is treated as the provider's answer. A payment, a block or another worker in between
makes the claim fail, and the contact is decided anew or left alone.

Source: Betimes specification S1, S1b, S2, S4, S5, S13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from betimes.core import agenda, endpoints, message, sms_parts, suppression, unsayable, zones
from betimes.core.book import Pages, Snapshot
from betimes.core.borrower import ContactPoint
from betimes.core.budget import Budget, attempt_id
from betimes.core.change import (
    Append,
    Change,
    CheckHead,
    CheckListed,
    MoveContact,
    SaveBudget,
    SaveHead,
    SaveListed,
    SaveObligation,
)
from betimes.core.contact import REPEATABLE, Contact, Event, Spoke, State
from betimes.core.decide import decide, dropped, redated
from betimes.core.decision import Decision, Facts, Send, Suppress, Wait
from betimes.core.errors import Stale, Unavailable
from betimes.core.links import Issued
from betimes.core.look import (
    AFTER_SENDING,
    AT_DISPATCH,
    HAD_NO_ROOM,
    REOFFER,
    chained,
    decision_record,
    event_record,
    missed,
    taken_back,
)
from betimes.core.message import Around, Body, Text
from betimes.core.obligation import Obligation, Tried, Watch, due_of
from betimes.core.pace import WaitUntil, Why
from betimes.core.policies import DIGEST, Policies
from betimes.core.reason import Reason
from betimes.core.receipts import BASELINE
from betimes.core.rules import request
from betimes.core.suppression import Listed
from betimes.core.touch import Touch
from betimes.core.treatment import Fallback, MessageClass, Step, Treatment
from betimes.core.values import dataclass, replace
from betimes.core.variables import Code, ShortLink
from betimes.flows import addresses, ahead
from betimes.flows.pacing import Cleared, Held, Pacing, Parcel
from betimes.flows.sweep import fed_until
from betimes.ports import (
    Accepted,
    Answer,
    Blind,
    Clock,
    Letter,
    Links,
    Refused,
    Sender,
    Stores,
    Unknown,
)

# Tries of one delivery against other writers; after that the queue delivers again.
MAX_TRIES = 3
# What waits no longer than this for its pace waits in the queue; what waits longer is looked at again by then.
IN_QUEUE = timedelta(minutes=1)

# How a contact ends for each reason not to send it; for the others the step itself has become pointless: cancelled.
_ENDS = {
    Reason.NO_CONTACT_POINT: Event.SUPPRESSED,
    Reason.CONTACT_POINT_SUPPRESSED: Event.SUPPRESSED,
    Reason.ADDRESS_RESTING: Event.SUPPRESSED,
    Reason.CONTACT_POINT_UNCONFIRMED: Event.SUPPRESSED,
    Reason.CATCH_UP_EXCEEDED: Event.EXPIRED,
    Reason.PLANNED_AFTER_WINDOW: Event.EXPIRED,
    Reason.QUIET_UNTIL_TOO_LATE: Event.EXPIRED,
    Reason.PROVIDER_BUSY: Event.EXPIRED,
    Reason.BUDGET_SPENT: Event.EXPIRED,
}


class Dispatched(StrEnum):
    """What became of one delivery of a contact to dispatch."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PUT_BACK = "put_back"
    UNKNOWN = "unknown"
    ENDED = "ended"
    NOT_NOW = "not_now"
    PACED = "paced"
    NOT_READY = "not_ready"
    CONTESTED = "contested"


@dataclass(frozen=True, slots=True)
class Later:
    """The contact waits for its pace with nothing spent: deliver it again at `until` (UTC) or a little later."""

    until: datetime
    why: Why


# Called with what operations should know: that a budget is nearly spent, or why a provider is given nothing.
Notice = Callable[[str], None]
SPEND_WARNED = "spend_warned"


def _unheard(_what: str) -> None:
    """Where nobody is to be told."""


# A wait for the right hour that would outlast the contact, by its reason: what is recorded instead.
_TOO_LATE = {
    Reason.NOT_YET: Reason.PLANNED_AFTER_WINDOW,
    Reason.QUIET_HOURS: Reason.QUIET_UNTIL_TOO_LATE,
    Reason.CLOSED_DAY: Reason.CLOSED_DAY,
    Reason.TOO_SOON: Reason.TOO_SOON,
    Reason.ADDRESS_RESTING: Reason.ADDRESS_RESTING,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One step that a contact is to speak of, what is known of its obligation, and what is decided of it now."""

    snapshot: Snapshot
    treatment: Treatment
    spoke: Spoke
    decision: Decision | None = None

    @property
    def step(self) -> str:
        """The key of the step."""
        return self.spoke.step


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A claimed contact, its letter and when it was claimed; `first` is what was asked of its own obligation, None
    where the contact does not speak of it. `cleared` says that its pace allows it, None where nobody keeps one.
    """

    contact: Contact
    letter: Letter
    first: _Asked | None
    at: datetime
    cleared: Cleared | None = None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The flow with what it needs. `lease` bounds an attempt; a call starts at most `lease - guard` after its claim.
    Without `links` messages have none, and no code and no one-click unsubscription. `providers` names that of each
    channel; without `pacing` none is asked how fast it may be used. Without `blind` no list of addresses is asked.
    """

    stores: Stores
    policies: Policies
    senders: Mapping[str, Sender]
    clock: Clock
    lease: timedelta
    guard: timedelta
    links: Links | None = None
    providers: Mapping[str, str] = field(default_factory=lambda: BASELINE)
    pacing: Pacing | None = None
    notice: Notice = _unheard
    blind: Blind | None = None

    def deliver(self, contact_id: str) -> Dispatched | Later:
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
            if not isinstance(claimed, _Claimed):
                return claimed
            return self._send(claimed.contact, claimed)
        return Dispatched.CONTESTED

    def _prepare(self, contact: Contact) -> _Claimed | Dispatched | Later:
        """Return the claim and its letter, or why there is nothing to send.

        Raises:
            Stale: what was read is no longer so.
        """
        now = self.clock.now()
        pages = self.stores.book.pages(contact.tenant, contact.borrower_id)
        fed_at = fed_until(self.stores, self.policies, contact.tenant)
        asked = [
            self._asked(
                pages.snapshot(spoke.obligation_id, self.policies.profiles, fed_at=fed_at), spoke
            )
            for spoke in contact.everything
        ]
        asked = [replace(each, decision=self._decide(contact, each, now)) for each in asked]
        asked = [self._leaving_room(contact, pages, each, now, fed_at) for each in asked]
        if any(isinstance(each.decision, Send) for each in asked):
            return self._claim(contact, asked, now)
        if any(isinstance(each.decision, Wait) for each in asked):
            return self._not_now(contact, asked, now)
        first = asked[0].decision
        assert isinstance(first, Suppress), "what neither goes nor waits is not sent"
        return self._end(contact, asked, first, now)

    def _asked(self, snapshot: Snapshot, spoke: Spoke) -> _Asked:
        return _Asked(snapshot, self.policies.treatment_of(snapshot.profile), spoke)

    def _leaving_room(
        self,
        contact: Contact,
        pages: Pages,
        asked: _Asked,
        now: datetime,
        fed_at: datetime | None,
    ) -> _Asked:
        """Return what is decided of a step that may go, once it has left room for what is ahead and comes first."""
        if not isinstance(asked.decision, Send) or len(pages.obligations) == 1:
            return asked
        line = asked.treatment.version(str(asked.decision.facts["treatment"]))
        purpose = request(asked.snapshot, line.step(asked.step), now, contact.channel).purpose
        beside = {spoke.obligation_id for spoke in contact.everything}
        first = ahead.expected(
            self.stores, self.policies, pages, purpose, now, fed_at=fed_at, beside=beside
        )
        if not first:
            return asked
        decision = self._decide(contact, asked, now, first)
        if isinstance(decision, Send):
            return asked
        decision = replace(
            decision,
            facts={**decision.facts, "leaves_room_for": ",".join(each.id for each in first)},
        )
        # Once that has come due, it is counted, or it will not go: then this one is asked about again.
        until = max(now, min(each.at for each in first)) + REOFFER
        if until < min(contact.not_after, asked.decision.not_after):
            if isinstance(decision, Wait):
                until = min(until, decision.until)
            decision = Wait(asked.step, decision.reason, decision.facts, until=until)
        return replace(asked, decision=decision)

    def _decide(
        self, contact: Contact, asked: _Asked, now: datetime, first: tuple[Touch, ...] = ()
    ) -> Decision:
        """Return the decision about one step of the contact, by the version of the treatment it was decided under;
        touches that come `first` count as if they had been made.
        """
        snapshot, step, rules = asked.snapshot, asked.step, self.policies.rules
        budget = _held_against(contact, snapshot.budget)
        if first or budget is not snapshot.budget:
            snapshot = replace(snapshot, budget=replace(budget, touches=(*budget.touches, *first)))
        line = asked.treatment
        if snapshot.obligation.id == contact.obligation_id:
            line = line.version(contact.treatment)
        if asked.spoke.cycle != snapshot.obligation.cycle:
            moved = redated(snapshot, line, rules, step, now)
            # The step is one of the cycle that is over.
            due_on = due_of(asked.spoke.cycle)
            return replace(moved, facts={**moved.facts, "due_on": due_on.isoformat()})
        together = [(spoke.obligation_id, spoke.step) for spoke in contact.everything]
        # Another channel may do, but this contact is for this one.
        decision = decide(
            snapshot, line, rules, now, step=step, together=together, channel=contact.channel
        )
        if decision is None:
            if not line.has(step):
                raise AssertionError(f"contact {contact.id} names a step its treatment lacks")
            return dropped(snapshot, line, rules, step, now)
        if not isinstance(decision, Send):
            return decision
        # A claim needs its whole lease before the contact stops being useful or lawful.
        done_by = now + self.lease
        if done_by > min(contact.not_after, decision.not_after):
            coming = agenda.planned(snapshot, line, step)
            return Suppress(step, missed(contact, coming, done_by), decision.facts)
        return decision

    def _claim(
        self, contact: Contact, asked: Sequence[_Asked], now: datetime
    ) -> _Claimed | Dispatched | Later:
        """Claim the contact for the steps that may go; what else it was to speak of is recorded as not sent."""
        speaking = [each for each in asked if isinstance(each.decision, Send)]
        borrower = speaking[0].snapshot.borrower
        point = borrower.point(contact.channel)
        assert point is not None, "a contact without a contact point is not decided as a send"
        listed = self._listed(contact, point)
        if listed is not None and _is_closed(listed, contact, now):
            return self._elsewhere(contact, asked, listed, point, now)
        spoken = [_as_spoken(each, now) for each in speaking]
        body = self._body(contact, spoken[0])
        issued = None
        if self.links is not None:
            issued = self.links.issued(contact.tenant, contact.id, now.date())
        text = self._render(contact, body, spoken, now, issued)
        steps = [(each.snapshot, _step_of(each)) for each in speaking]
        because = unsayable.against(self.policies.rules, steps, body, text, now)
        if because:
            return self._end_unsayable(contact, asked, because, now)
        useful_until = min(contact.not_after, *(_send_of(each).not_after for each in speaking))
        cleared = self._cleared(contact, speaking, text, now, useful_until)
        if isinstance(cleared, Held):
            return self._paced(contact, asked, cleared, now)
        claimed, written = chained(
            contact,
            contact.claimed(
                now,
                self.lease,
                text.sha256,
                speaking[0].snapshot.owed(now),
                point=point.since,
                address_index="" if listed is None else listed.index,
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
            _counted(claimed, speaking, now),
            *_as_listed(listed),
        ]
        for n, each in enumerate(asked, start=1):
            changes += _spoken(each, now) if each in speaking else _unsaid(claimed, each, n, now)
        try:
            self.stores.store.commit(changes)
        except (Stale, Unavailable):
            self._unsent(cleared)
            raise
        letter = Letter(
            claimed.id,
            claimed.attempt,
            claimed.tenant,
            point.address,
            text,
            lives_s=max(0, (useful_until - now) // timedelta(seconds=1)),
            unsubscribe=_unsubscribe(contact, issued, [step for _, step in steps]),
            borrower_id=claimed.borrower_id,
            decided_at=claimed.decided_at,
        )
        first = asked[0] if asked[0] in speaking else None
        return _Claimed(claimed, letter, first, now, cleared)

    def _listed(self, contact: Contact, point: ContactPoint) -> Listed | None:
        """Return what is known of the address of a contact point, None where no list is kept of such."""
        if self.blind is None or self.stores.addresses is None:
            return None
        if not suppression.has_address(contact.channel):
            return None
        index = self.blind.index(contact.tenant, contact.channel, point.address)
        return self.stores.addresses.listed(contact.tenant, index, contact.channel)

    def _elsewhere(
        self,
        contact: Contact,
        asked: Sequence[_Asked],
        listed: Listed,
        point: ContactPoint,
        now: datetime,
    ) -> Dispatched:
        """End a contact whose address is closed, or rests; its step goes on by its next channel, as after a refusal.

        The borrower's own contact point is closed in the same transaction, where the address is closed for everything.
        An address that rests, where no other channel is left, is waited for.
        """
        entry = listed.barring(contact.message_class)
        reason = Reason.ADDRESS_RESTING if entry is None else Reason.CONTACT_POINT_SUPPRESSED
        why = "soft_bounces" if entry is None else entry.why.value
        own = asked[0]
        before = own.snapshot.borrower
        head = before if entry is None else addresses.closed(before, contact, entry, point)
        asked = [replace(each, snapshot=replace(each.snapshot, borrower=head)) for each in asked]
        freed = self._by_another(contact, asked[0], now)
        rests_until = listed.rests_until(now)
        if entry is None and freed is None and rests_until is not None:
            return self._not_now(
                contact, [_waiting(each, reason, why, rests_until) for each in asked], now
            )
        ended = contact.ended_unsent(Event.SUPPRESSED, reason, now)
        held = ended.state is State.UNKNOWN
        event = Event.HELD if held else Event.SUPPRESSED
        ended, written = chained(
            contact, ended, event, now, place=AT_DISPATCH, facts={"suppressed": why}
        )
        changes: list[Change] = [MoveContact.of(contact, ended), Append(written)]
        first, *others = asked
        if isinstance(first.decision, Send):
            facts = {**first.decision.facts, "suppressed": why}
            first = replace(first, decision=Suppress(first.step, reason, facts))
            if freed is not None and not held:
                first = replace(first, snapshot=replace(first.snapshot, obligation=freed))
        changes += _unsaid(ended, first, 1, now, look_at=now)
        if not held:
            for n, each in enumerate(others, start=2):
                # Undecided again, and looked at now for itself.
                changes += _unsaid(ended, _waiting(each, reason, why, now + REOFFER), n, now)
        if head is before:
            changes += [CheckHead(head.tenant, head.id, head.version), *_as_listed(listed)]
        else:
            changes.append(SaveHead(replace(head, version=head.version + 1), head.version))
            known = listed.of(contact.borrower_id)
            changes += _as_listed(listed) if known is listed else [SaveListed.of(listed, known)]
        self.stores.store.commit(changes)
        return Dispatched.ENDED

    def _by_another(self, contact: Contact, asked: _Asked, now: datetime) -> Obligation | None:
        """Return the obligation with the contact's step undecided again and its channel used up, None where the step
        would neither go nor wait to go by a channel that is left.
        """
        if not isinstance(asked.decision, Send):
            return None
        snapshot, line, step = asked.snapshot, asked.treatment, _step_of(asked)
        if contact.channel not in step.channels:
            return None
        watch = snapshot.obligation.watch
        slot = step.channels.index(contact.channel)
        watch = replace(
            watch,
            decided=tuple(each for each in watch.decided if each != asked.step),
            tried=(*watch.tried, Tried(asked.step, slot, contact.id)),
        )
        freed = replace(snapshot.obligation, watch=watch)
        together = [(spoke.obligation_id, spoke.step) for spoke in contact.everything]
        seen = replace(snapshot, obligation=freed)
        verdict = decide(seen, line, self.policies.rules, now, step=asked.step, together=together)
        return freed if isinstance(verdict, Send | Wait) else None

    def _cleared(
        self,
        contact: Contact,
        speaking: Sequence[_Asked],
        text: Text,
        now: datetime,
        useful_until: datetime,
    ) -> Cleared | Held | None:
        """Return whether the message may go now as far as its provider's pace and its tenant's budget go.

        Asked last before the claim: whoever waits has claimed nothing and spent no attempt.
        """
        if self.pacing is None:
            return None
        first = speaking[0].snapshot
        today = zones.local_date(now, first.zone)
        tomorrow = today + timedelta(days=1)
        parcel = Parcel(
            self.providers[contact.channel],
            contact.tenant,
            contact.channel,
            first.borrower.jurisdiction,
            attempt_id(contact.id, contact.attempt + 1),
            len(sms_parts.parts(text.body).lengths) if contact.channel == "sms" else 1,
            today,
            due_today=any(each.snapshot.obligation.due_on <= today for each in speaking),
        )
        cleared = self.pacing.clear(
            parcel,
            not_after=useful_until - self.lease,
            next_day=zones.first_instant(tomorrow, first.zone) or now + timedelta(days=1),
        )
        if isinstance(cleared, Cleared) and cleared.warns:
            self.notice(SPEND_WARNED)
        return cleared

    def _paced(
        self, contact: Contact, asked: Sequence[_Asked], held: Held, now: datetime
    ) -> Dispatched | Later:
        """Leave the contact READY until there is room: for moments in the queue; for longer the reason is recorded, and
        it is looked at when there may be.
        """
        if held.why.alarms:
            self.notice(held.why)
        if held.until - now <= IN_QUEUE:
            return Later(held.until, held.why)
        snapshot = asked[0].snapshot
        look_at = max(now, min(held.until, contact.not_after))
        changes = _watched(snapshot, replace(snapshot.obligation.watch, look_at=look_at))
        reason = Reason.BUDGET_SPENT if held.why is Why.BUDGET else Reason.PROVIDER_BUSY
        if (contact.reason, contact.offered) != (reason, False):
            waiting, written = chained(
                contact,
                contact.paced(reason, now),
                Event.PACED,
                now,
                place=AT_DISPATCH,
                facts={"why": held.why.value},
            )
            changes = [MoveContact.of(contact, waiting), Append(written), *changes]
        self.stores.store.commit(changes)
        return Dispatched.PACED

    def _unsent(self, cleared: Cleared | None) -> None:
        """Take back what was counted for a message that did not go. Where that fails a day counts one too many."""
        if self.pacing is not None and cleared is not None:
            with suppress(Unavailable):
                self.pacing.unsent(cleared)

    def _heard(self, cleared: Cleared | None, answer: Answer) -> WaitUntil | None:
        """Let the pace follow the provider's answer; return until when the same message should wait, None for no wait.

        The outcome is on record by then: a pace that cannot be told learns it from the next answer.
        """
        if self.pacing is None or cleared is None:
            return None
        with suppress(Unavailable):
            return self.pacing.heard(cleared, answer)
        return None

    def _end_unsayable(
        self, contact: Contact, asked: Sequence[_Asked], because: Facts, now: datetime
    ) -> Dispatched:
        """End a contact whose words a rule forbids, and record that for each step that it would have gone for."""
        refused = [
            replace(
                each,
                decision=Suppress(
                    each.step,
                    Reason.FORBIDDEN_BY_RULE,
                    {**each.decision.facts, **because},
                ),
            )
            if isinstance(each.decision, Send)
            else each
            for each in asked
        ]
        first = refused[0].decision
        if not isinstance(first, Suppress):
            facts = {**first.facts, **because} if first is not None else because
            first = Suppress(contact.step, Reason.FORBIDDEN_BY_RULE, facts)
        return self._end(contact, refused, first, now)

    def _body(self, contact: Contact, first: Snapshot) -> Body:
        """Return the template's text for a contact: that of its step, or of a list where it is a digest."""
        name = DIGEST
        if not contact.also:
            version = self.policies.treatment_of(first.profile).version(contact.treatment)
            name = version.step(contact.step).template_for(first.has_mandate)
        return self.policies.templates[name].body(
            first.borrower.language, contact.channel, self.policies.default_locale
        )

    def _render(
        self,
        contact: Contact,
        body: Body,
        speaking: Sequence[Snapshot],
        now: datetime,
        issued: Issued | None,
    ) -> Text:
        """Return the text about what is owed now."""
        first, *along = speaking
        items = along if contact.also else None
        values = message.values(
            first, now=now, lender=self.policies.lender, along=items, around=_around(issued)
        )
        return message.render(body, values)

    def _send(self, claimed: Contact, claim: _Claimed) -> Dispatched | Later:
        """Make the one call and record its outcome."""
        assert claimed.lease_until is not None
        if self.clock.now() > claimed.lease_until - self.guard:
            # Too late to call: the attempt expires unused and the review settles it.
            self._unsent(claim.cleared)
            return Dispatched.UNKNOWN
        answer = self.senders[claimed.channel].send(claim.letter)
        done = self._outcome(claimed, claim, answer)
        if isinstance(answer, Refused) and answer.code in endpoints.OFF:
            self.notice(endpoints.IS_OFF)
        waits = self._heard(claim.cleared, answer)
        if waits is None:
            return done
        if waits.why.alarms:
            self.notice(waits.why)
        # Where it takes longer the contact's review offers it again.
        soon = waits.at - self.clock.now() <= IN_QUEUE
        return Later(waits.at, waits.why) if soon and done is Dispatched.PUT_BACK else done

    def _outcome(self, claimed: Contact, claim: _Claimed, answer: Answer) -> Dispatched:
        """Record what the provider answered."""
        now = self.clock.now()
        match answer:
            case Accepted(provider_id):
                after = replace(
                    claimed.after(Event.ACCEPTED, Reason.ACCEPTED, now),
                    provider_id=provider_id,
                    lease_until=None,
                )
                return self._record(
                    claimed,
                    after,
                    Event.ACCEPTED,
                    now,
                    Dispatched.ACCEPTED,
                    self._looked(claim, now),
                )
            case Refused(may_retry=True):
                after = claimed.put_back(now)
                return self._record(claimed, after, Event.PUT_BACK, now, Dispatched.PUT_BACK)
            case Refused(code):
                after = claimed.refused(now)
                if after.state is State.UNKNOWN:
                    return self._record(
                        claimed, after, Event.HELD, now, Dispatched.UNKNOWN, code=code
                    )
                return self._record(
                    claimed, after, Event.REFUSED, now, Dispatched.REFUSED, code=code
                )
            case Unknown():
                after = claimed.unknown(Reason.PROVIDER_TIMEOUT, now)
                return self._record(claimed, after, Event.TIMED_OUT, now, Dispatched.UNKNOWN)
            case _ as never:
                assert_never(never)

    def _record(
        self,
        claimed: Contact,
        after: Contact,
        event: Event,
        now: datetime,
        answer: Dispatched,
        along: Sequence[Change] = (),
        *,
        code: str = "",
    ) -> Dispatched:
        """Write the outcome under the fence of the attempt, with what goes along as long as nobody is in the way;
        `code` is that of a refusal for good.

        Losing the fence is no failure: an event of the provider, or the review, has moved the contact on. The outcome
        then becomes a fact in the contact's chain, and moves the contact only if it is evidence.

        Raises:
            Unavailable: other writers kept winning, and the outcome is not on record.
        """
        before, outcome, settled = claimed, after, after
        refused = event in (Event.REFUSED, Event.PUT_BACK, Event.HELD)
        for attempt in range(MAX_TRIES):
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
            if attempt == 0:
                changes += along
            # Where a provider has reported the contact meanwhile, something of it has gone.
            if refused and settled.sent_at is None and attempt < MAX_TRIES - 1:
                changes += self._taken_back(claimed, settled, now, code)
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

    def _looked(self, claim: _Claimed, now: datetime) -> list[Change]:
        """Return the changes that end the wait for an accepted contact: its obligation is looked at for the next step.

        They hold only while obligation and borrower are as the claim left them. Where they are not, the contact's
        review does the same a little later, from what is known then.
        """
        if claim.first is None:
            return []
        spoken = _as_spoken(claim.first, claim.at)
        obligation = spoken.obligation
        watch = replace(obligation.watch, contact_id="", seq=obligation.watch.seq + 1)
        within = self.policies.receipts.get(claim.contact.channel)
        if within is not None:
            watch = replace(watch, awaits=(*watch.awaits, claim.contact.id))
            if Fallback.NO_RECEIPT in _step_of(claim.first).fallback:
                watch = replace(watch, ask_at=min(now + within, watch.ask_at or now + within))
        seen = replace(spoken, obligation=replace(obligation, watch=watch))
        look_at = agenda.look_at(seen, claim.first.treatment, now)
        if look_at == agenda.NEVER and within is not None:
            # Nothing else would ever ask for the receipt.
            look_at = now + within
            watch = replace(watch, ask_at=look_at)
        return _watched(seen, replace(watch, look_at=look_at))

    def _taken_back(
        self, claimed: Contact, after: Contact, now: datetime, code: str
    ) -> list[Change]:
        """Return the changes that take back an attempt that the provider surely did not take: nobody was tried, and
        where no earlier attempt may have gone, nothing was spoken. After a refusal for good the step is looked at now:
        another of its channels may be left. Where the provider's code says that the address is none, or that its owner
        opted out, contact point and address are closed: no report will ever come to do it.

        The outcome matters more: where others keep writing the person's pages, it is recorded without this.
        """
        pages = self.stores.book.pages(claimed.tenant, claimed.borrower_id)
        why = suppression.why_refused(code)
        changes = addresses.of_the_point(pages, claimed, why, now, now)
        changes += addresses.refused(self.stores.addresses, claimed, code, now)
        budget = pages.budget.without(attempt_id(claimed.id, claimed.attempt), claimed.tenant)
        if budget is not pages.budget:
            changes.append(SaveBudget.of(pages, budget))
        for spoke in claimed.everything if not claimed.unknowns else ():
            snapshot = pages.snapshot(spoke.obligation_id, self.policies.profiles)
            watch = before = snapshot.obligation.watch
            left = tuple(each for each in watch.spoken if each != (spoke.step, claimed.changed_at))
            if left != watch.spoken:
                line = self.policies.treatment_of(snapshot.profile)
                sets = line.has(spoke.step) and line.step(spoke.step).deadline_days
                watch = replace(watch, spoken=left, pay_by=None if sets else watch.pay_by)
            if watch.contact_id == claimed.id and after.state is State.REFUSED:
                watch = replace(watch, look_at=now)
            if watch != before:
                changes.append(_saved(snapshot, watch))
        return changes

    def _not_now(self, contact: Contact, asked: Sequence[_Asked], now: datetime) -> Dispatched:
        """Leave the contact READY and have it looked at when any of it may go; end it where that is too late for all.

        What stops contact otherwise, a hold or money under way, may be over at any moment: it ends with the contact's
        own time, and whoever tells of its end brings the look forward.
        """
        waits = [each.decision for each in asked if isinstance(each.decision, Wait)]
        in_time = [
            wait for wait in waits if wait.until < contact.not_after or wait.reason not in _TOO_LATE
        ]
        if not in_time:
            first = asked[0].decision
            assert first is not None
            reason = _TOO_LATE.get(first.reason, first.reason)
            return self._end(contact, asked, Suppress(contact.step, reason, first.facts), now)
        look_at = min(contact.not_after, *(wait.until for wait in in_time))
        watch = replace(asked[0].snapshot.obligation.watch, look_at=look_at)
        self.stores.store.commit(_watched(asked[0].snapshot, watch))
        return Dispatched.NOT_NOW

    def _end(
        self, contact: Contact, asked: Sequence[_Asked], decision: Suppress, now: datetime
    ) -> Dispatched:
        """End a READY contact unsent: its event and the decision not to send it, in one transaction.

        What a digest was to speak of beside is decided for itself: not sent, or undecided again.
        """
        event = _ENDS.get(decision.reason, Event.CANCELLED)
        if agenda.planned(asked[0].snapshot, asked[0].treatment, contact.step) is None:
            # What the step counted from is gone: it has become pointless, not late.
            event = Event.CANCELLED
        if event is Event.EXPIRED and contact.reason in HAD_NO_ROOM:
            # It was in time, and there was no room for it: that it became late is only what came of it.
            decision = replace(decision, reason=contact.reason)
        ended = contact.ended_unsent(event, decision.reason, now)
        event = event if ended.state is not State.UNKNOWN else Event.HELD
        ended, written = chained(contact, ended, event, now, place=AT_DISPATCH)
        changes: list[Change] = [MoveContact.of(contact, ended), Append(written)]
        first = replace(asked[0], decision=decision)
        changes += _unsaid(ended, first, 1, now, look_at=now)
        if event is not Event.HELD:
            for n, each in enumerate(asked[1:], start=2):
                changes += _unsaid(ended, each, n, now, look_at=now)
        borrower = asked[0].snapshot.borrower
        changes.append(CheckHead(borrower.tenant, borrower.id, borrower.version))
        self.stores.store.commit(changes)
        return Dispatched.ENDED


def _is_closed(listed: Listed, contact: Contact, now: datetime) -> bool:
    """Return whether a contact may not go to an address now, as far as is known of it."""
    return listed.barring(contact.message_class) is not None or listed.rests_until(now) is not None


def _as_listed(listed: Listed | None) -> list[Change]:
    """Return the check that nothing has become known of an address since."""
    if listed is None:
        return []
    return [CheckListed(listed.tenant, listed.index, listed.channel, listed.version)]


def _waiting(asked: _Asked, reason: Reason, why: str, until: datetime) -> _Asked:
    """Return what was to be sent, as waiting for its address."""
    if not isinstance(asked.decision, Send):
        return asked
    facts = {**asked.decision.facts, "suppressed": why}
    return replace(asked, decision=Wait(asked.step, reason, facts, until=until))


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
        replace(obligation, watch=replace(watch, seq=seen + 1)),
        obligation.version,
        seen,
    )


def _counted(contact: Contact, speaking: Sequence[_Asked], now: datetime) -> SaveBudget:
    """Return the write that counts the contact in the person's budget, if nobody has counted anything since.

    Every claim writes it, so of two contacts claimed for one person at once the second is decided again. A contact that
    is claimed once more is counted once more, unless its provider surely did not take what was claimed before.
    """
    first = speaking[0].snapshot
    asked = request(first, speaking[0].treatment.step(speaking[0].step), now, contact.channel)
    touch = Touch(
        attempt_id(contact.id, contact.attempt),
        now,
        contact.channel,
        by=contact.tenant,
        debts=tuple(each.snapshot.obligation.id for each in speaking),
        accounts=tuple(sorted({each.snapshot.obligation.account_id for each in speaking})),
        products=tuple(sorted({each.snapshot.profile.name for each in speaking} - {""})),
        number=asked.number,
        purpose=asked.purpose,
    )
    seen = first.budget.version
    budget = _held_against(contact, first.budget).with_touch(touch, now)
    return SaveBudget(contact.tenant, contact.borrower_id, replace(budget, version=seen + 1), seen)


def _held_against(contact: Contact, budget: Budget) -> Budget:
    """Return what an unclaimed contact is held against: all that is counted, but attempts that surely were not made.

    Those are given back with their outcome; where that could not be written, they are left out here: while no attempt
    of a contact is unknown, none of them has gone. Where a channel takes two attempts for one, the person is reached
    once by both.
    """
    counts = contact.unknowns and contact.channel not in REPEATABLE
    return budget if counts or not contact.attempt else budget.without_attempts(contact.id)


def _with_outcome(current: Contact, outcome: Contact, event: Event, now: datetime) -> Contact:
    """Return the contact as it stands by now with the outcome of an attempt that has lost its fence."""
    if event in (Event.REFUSED, Event.PUT_BACK, Event.HELD):
        return current.refused_by(outcome)
    if event is not Event.ACCEPTED:
        return current
    after = current.after(event, outcome.reason, now, attempt=outcome.attempt)
    return replace(
        after,
        provider_id=current.provider_id or outcome.provider_id,
        lease_until=after.lease_until if after.state is State.SENDING else None,
    )


def _spoken(asked: _Asked, now: datetime) -> list[Change]:
    """Return the change that keeps when a step was spoken; it holds only while the obligation is as it was rendered."""
    return [_saved(asked.snapshot, _as_spoken(asked, now).obligation.watch)]


def _around(issued: Issued | None) -> Around:
    if issued is None:
        return message.NOTHING_AROUND
    return Around(ShortLink(issued.pay), ShortLink(issued.preferences), Code(issued.code))


def _unsubscribe(contact: Contact, issued: Issued | None, steps: Sequence[Step]) -> str:
    """Return the address for one-click unsubscription of an e-mail, "" for one without: what the law asks to be sent
    cannot be unsubscribed from.
    """
    statutory = any(step.message_class is MessageClass.STATUTORY for step in steps)
    if issued is None or statutory or contact.channel != "email":
        return ""
    return issued.unsubscribe


def _send_of(asked: _Asked) -> Send:
    assert isinstance(asked.decision, Send), "only what goes is spoken"
    return asked.decision


def _step_of(asked: _Asked) -> Step:
    """Return the step that is spoken, by the version of the treatment it was decided under."""
    return asked.treatment.version(str(_send_of(asked).facts["treatment"])).step(asked.step)


def _as_spoken(asked: _Asked, now: datetime) -> Snapshot:
    """Return the snapshot as it is once the step has been spoken: a deadline that it sets stands in its own text."""
    obligation = asked.snapshot.obligation
    others = tuple((step, at) for step, at in obligation.watch.spoken if step != asked.step)
    watch = replace(obligation.watch, spoken=(*others, (asked.step, now)))
    days = _step_of(asked).deadline_days
    if days:
        today = zones.local_date(now, asked.snapshot.zone)
        watch = replace(watch, pay_by=today + timedelta(days=days))
    return replace(asked.snapshot, obligation=replace(obligation, watch=watch))


def _unsaid(
    contact: Contact,
    asked: _Asked,
    place: int,
    now: datetime,
    *,
    look_at: datetime | None = None,
) -> list[Change]:
    """Return the changes that record why a contact does not speak of something it was to speak of.

    What is not to be sent at all is recorded as that. What only waits is undecided again, and looked at for itself; the
    contact's own step cannot be, since the contact has its id, so it ends with the reason it waits for.
    """
    decision = asked.decision
    assert decision is not None
    obligation = asked.snapshot.obligation
    own = obligation.id == contact.obligation_id
    if own and not isinstance(decision, Suppress):
        decision = Suppress(asked.step, decision.reason, decision.facts)
    written = decision_record(
        asked.snapshot,
        decision,
        now,
        prev=obligation.watch.chain,
        contact_id=contact.id,
        place=AT_DISPATCH + place,
    )
    if not isinstance(decision, Suppress):
        obligation = taken_back(obligation, asked.spoke, now)
    watch = replace(obligation.watch, chain=written.hash)
    if look_at is not None:
        watch = replace(watch, look_at=look_at)
    return [_saved(asked.snapshot, watch), Append(written)]
