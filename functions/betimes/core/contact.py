"""The contact: one message on one channel for one step, and the machine of its states.

Theory
------
A contact is written READY before anything is sent, so it exists whatever crashes. A claim moves it to SENDING for one
attempt under a lease; exactly one call to the provider follows. The answer is one of three: it was accepted, it was
surely refused, or nobody knows. What nobody knows is called UNKNOWN and is never quietly turned into something else.

Each state has a rank. Evidence from a provider (an event that carries our contact id) may only raise the rank, so
events may come late, twice and in any order and leave the same state behind. Verdicts of our own (UNKNOWN, REFUSED,
NO_RECEIPT) rank below all evidence. Two moves go down, both fenced by the attempt number: SENDING to READY after a
sure refusal for now, and UNKNOWN to READY where the message class allows one more attempt (`may_try_again`).

CANCELLED, SUPPRESSED and EXPIRED are reached from READY only, and only while no attempt of the contact is unknown:
after an unknown attempt a message may have gone, so such a contact is HELD: it ends UNKNOWN. They are never left. The
same holds for REFUSED: a sure refusal of the second attempt says nothing about the first.

For e-mail a hard bounce outranks a delivery (a mail can be delivered and bounce later); for SMS a delivery outranks a
failure (a carrier can fail and deliver later).

Source: Betimes specification S2, S9, S13; the ranks follow the provider semantics of SES and of SMS carriers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from betimes.core.money import Money
from betimes.core.reason import Reason
from betimes.core.treatment import Fallback, MessageClass
from betimes.core.values import dataclass, replace


class State(StrEnum):
    """Where a contact stands; see the theory above."""

    READY = "READY"
    CANCELLED = "CANCELLED"
    SUPPRESSED = "SUPPRESSED"
    EXPIRED = "EXPIRED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    REFUSED = "REFUSED"
    ACCEPTED = "ACCEPTED"
    IN_TRANSIT = "IN_TRANSIT"
    NO_RECEIPT = "NO_RECEIPT"
    FAILED = "FAILED"
    UNDELIVERED_SOFT = "UNDELIVERED_SOFT"
    DELIVERED = "DELIVERED"
    UNDELIVERED_HARD = "UNDELIVERED_HARD"


class Event(StrEnum):
    """What can happen to a contact: our own acts and verdicts first, then what providers report."""

    CLAIMED = "claimed"
    PUT_BACK = "put_back"
    PACED = "paced"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    TRIED_AGAIN = "tried_again"
    HELD = "held"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    RECEIPT_OVERDUE = "receipt_overdue"
    # Evidence
    ACCEPTED = "accepted"
    DELAYED = "delayed"
    FAILED = "failed"
    BOUNCED_SOFT = "bounced_soft"
    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SEEN = "seen"
    READ = "read"


# Channels that take two attempts for one: a message has its contact's id there, and what is known is not taken again.
REPEATABLE = frozenset({"inbox", "webhook"})

ENDED_UNSENT = frozenset({State.CANCELLED, State.SUPPRESSED, State.EXPIRED})

_RANK = {
    State.READY: 10,
    State.SENDING: 20,
    State.UNKNOWN: 30,
    State.REFUSED: 35,
    State.ACCEPTED: 40,
    State.IN_TRANSIT: 50,
    State.NO_RECEIPT: 60,
    State.FAILED: 65,
    State.UNDELIVERED_SOFT: 70,
}
_RANK_BY_CHANNEL = {
    "email": {State.DELIVERED: 80, State.UNDELIVERED_HARD: 85},
    "sms": {State.UNDELIVERED_HARD: 80, State.DELIVERED: 85},
}

# Our own acts: legal from exactly these states; anything else is an error of ours and raises.
MOVES: dict[tuple[State, Event], State] = {
    (State.READY, Event.CLAIMED): State.SENDING,
    (State.READY, Event.PACED): State.READY,
    (State.READY, Event.CANCELLED): State.CANCELLED,
    (State.READY, Event.SUPPRESSED): State.SUPPRESSED,
    (State.READY, Event.EXPIRED): State.EXPIRED,
    (State.SENDING, Event.PUT_BACK): State.READY,
    (State.SENDING, Event.REFUSED): State.REFUSED,
    (State.SENDING, Event.TIMED_OUT): State.UNKNOWN,
    (State.SENDING, Event.HELD): State.UNKNOWN,
    (State.UNKNOWN, Event.TRIED_AGAIN): State.READY,
    (State.UNKNOWN, Event.HELD): State.UNKNOWN,
    (State.READY, Event.HELD): State.UNKNOWN,
    (State.ACCEPTED, Event.RECEIPT_OVERDUE): State.NO_RECEIPT,
    (State.IN_TRANSIT, Event.RECEIPT_OVERDUE): State.NO_RECEIPT,
}

# Evidence: leads to its state from every state of lower rank; from a higher one it changes nothing.
EVIDENCE: dict[Event, State] = {
    Event.ACCEPTED: State.ACCEPTED,
    Event.DELAYED: State.IN_TRANSIT,
    Event.FAILED: State.FAILED,
    Event.BOUNCED_SOFT: State.UNDELIVERED_SOFT,
    Event.DELIVERED: State.DELIVERED,
    Event.BOUNCED_HARD: State.UNDELIVERED_HARD,
    # A complaint proves delivery; that it is a complaint is a fact beside the state. So with what a reader does.
    Event.COMPLAINED: State.DELIVERED,
    Event.UNSUBSCRIBED: State.DELIVERED,
    Event.SEEN: State.DELIVERED,
    Event.READ: State.DELIVERED,
}

# The facts beside the state, and when they were first so.
FACETS: dict[Event, str] = {
    Event.COMPLAINED: "complained_at",
    Event.UNSUBSCRIBED: "unsubscribed_at",
    Event.SEEN: "seen_at",
    Event.READ: "read_at",
}

# The ends that are failures.
FAILURES: dict[State, Fallback] = {
    State.REFUSED: Fallback.REFUSED,
    State.FAILED: Fallback.FAILED,
    State.UNDELIVERED_SOFT: Fallback.SOFT,
    State.NO_RECEIPT: Fallback.NO_RECEIPT,
    State.UNDELIVERED_HARD: Fallback.HARD,
}


class IllegalMove(AssertionError):
    """Our own code asked for a move that the machine does not have."""


def rank(state: State, channel: str) -> int:
    """Return the rank of `state` on `channel`; states that end unsent have none and answer 0."""
    by_channel = _RANK_BY_CHANNEL.get(channel, _RANK_BY_CHANNEL["sms"])
    return _RANK.get(state) or by_channel.get(state, 0)


def moved(state: State, event: Event, channel: str) -> State:
    """Return the state after `event`; the same state for evidence that is late, repeated or overtaken.

    Raises:
        IllegalMove: `event` is an act of ours that `state` does not allow.
    """
    evidence = EVIDENCE.get(event)
    if evidence is not None:
        if state in ENDED_UNSENT:
            return state
        return evidence if rank(evidence, channel) > rank(state, channel) else state
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalMove(f"{state} does not allow {event}") from None


class Spoke(NamedTuple):
    """One thing a contact speaks of: an obligation in one of its cycles, by one of its steps."""

    obligation_id: str
    cycle: str
    step: str


@dataclass(frozen=True, slots=True)
class Contact:
    """One message for one step. Holds ids and hashes only: no address, no name, no text.

    `amount` and `text_sha256` are those of the last rendering, empty until claimed. `unknowns` counts attempts whose
    outcome was unknown, `offers` how often the contact was handed to its channel. `offered` says that a READY contact
    is to be handed to its channel now; one that was put back waits for its review instead. `sent_at` is when a
    provider accepted it. `also` names the other obligations of a digest, each with its cycle and the key of its step.
    `point` is the `since` of the contact point last claimed for, 0 before, and `address_index` the blind index of its
    address (`core.suppression`), "" where no list of addresses is kept. `chain` is the hash of its last ledger record.

    `cause` is the contact that failed and that this one takes the place of, "" for none. `claimed_at` is when it was
    last claimed. `taken` are the attempts that a provider is known to have taken, `refusals` those of which its answer
    said that it surely had not; both in order. The facets (`complained_at` and so on) are only ever added, each with
    the earliest instant at which it was so.
    """

    id: str
    tenant: str
    borrower_id: str
    obligation_id: str
    cycle: str
    step: str
    slot: int
    channel: str
    template: str
    treatment: str
    message_class: MessageClass
    decided_at: datetime
    not_after: datetime
    amount: Money
    state: State = State.READY
    reason: Reason = Reason.DUE
    attempt: int = 0
    unknowns: int = 0
    offers: int = 1
    offered: bool = True
    lease_until: datetime | None = None
    changed_at: datetime | None = None
    sent_at: datetime | None = None
    text_sha256: str = ""
    provider_id: str = ""
    point: int = 0
    chain: str = ""
    also: tuple[Spoke, ...] = ()
    cause: str = ""
    claimed_at: datetime | None = None
    taken: tuple[int, ...] = ()
    refusals: tuple[int, ...] = ()
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    seen_at: datetime | None = None
    read_at: datetime | None = None
    address_index: str = ""

    @property
    def everything(self) -> tuple[Spoke, ...]:
        """All that it speaks of, its own obligation first."""
        return (Spoke(self.obligation_id, self.cycle, self.step), *self.also)

    @property
    def is_finished(self) -> bool:
        """Whether the agenda may go on to the next step: nothing more will be attempted for this contact."""
        return self.state not in (State.READY, State.SENDING, State.UNKNOWN) or (
            self.state is State.UNKNOWN and self.reason is Reason.HELD_UNKNOWN
        )

    @property
    def may_try_again(self) -> bool:
        """Whether an unknown outcome allows one more attempt: once, and not in the overdue class; by a channel that
        takes two attempts for one always.

        An overdue contact is counted by law, so an unknown one is held instead. A statutory notice must reach the
        borrower, and a second one does no harm.
        """
        if self.channel in REPEATABLE:
            return True
        return self.message_class is not MessageClass.OVERDUE and self.unknowns <= 1

    @property
    def failure(self) -> Fallback | None:
        """How it failed, None where it did not or where nobody knows: an earlier attempt of unknown outcome may have
        arrived, whatever is known of a later one, unless the address takes nothing at all.
        """
        failure = FAILURES.get(self.state)
        if self.unknowns and self.attempt > 1 and failure is not Fallback.HARD:
            return None
        return failure

    @property
    def duplicates_confirmed(self) -> bool:
        """Whether a provider is known to have taken more than one attempt of it."""
        return len(self.taken) > 1

    @property
    def provider_contradiction(self) -> bool:
        """Whether a provider took an attempt after all that its answer had refused: our reading of the answer is
        wrong.
        """
        return not set(self.refusals).isdisjoint(self.taken)

    def after(
        self, event: Event, reason: Reason, at: datetime, *, attempt: int | None = None
    ) -> Contact:
        """Return the contact after `event`, which is about an `attempt`, by default the last one.

        Evidence that does not move the state can only show that something was so, or was so earlier. Whatever evidence
        there is, in any order and any number of copies: the contact is the same in the end.

        Raises:
            IllegalMove: see `moved`.
        """
        state = moved(self.state, event, self.channel)
        if event not in EVIDENCE:
            return replace(self, state=state, reason=reason, changed_at=at)
        if self.state in ENDED_UNSENT:
            return self
        about = self.attempt if attempt is None else attempt
        known = replace(self, sent_at=_earlier(self.sent_at, at), taken=_with(self.taken, about))
        facet = FACETS.get(event)
        if facet is not None:
            first: dict[str, Any] = {facet: _earlier(getattr(self, facet), at)}
            known = replace(known, **first)
        if state is not self.state:
            return replace(known, state=state, reason=reason, changed_at=at)
        if EVIDENCE[event] is state:
            return replace(known, changed_at=_earlier(self.changed_at, at))
        return known

    def refused_by(self, answer: Contact) -> Contact:
        """Return the contact with what a provider refused of it, by the outcome `answer` of an attempt."""
        return replace(self, refusals=_with(self.refusals, answer.attempt))

    def offered_again(self) -> Contact:
        """Return the READY contact, to be handed to its channel once more."""
        assert self.state is State.READY
        return replace(self, offers=self.offers + 1, offered=True)

    def ended_unsent(self, event: Event, reason: Reason, at: datetime) -> Contact:
        """Return the contact ended by `event` (cancelled, suppressed or expired), or held if an attempt is unknown."""
        if self.unknowns:
            return self.after(Event.HELD, Reason.HELD_UNKNOWN, at)
        return self.after(event, reason, at)

    def claimed(
        self,
        at: datetime,
        lease: timedelta,
        text_sha256: str,
        amount: Money,
        *,
        point: int,
        address_index: str = "",
    ) -> Contact:
        """Return the contact claimed for its next attempt, to the contact point known `since` the version `point`."""
        return replace(
            self.after(Event.CLAIMED, self.reason, at),
            attempt=self.attempt + 1,
            offered=False,
            lease_until=at + lease,
            text_sha256=text_sha256,
            amount=amount,
            point=point,
            address_index=address_index,
            claimed_at=at,
        )

    def refused(self, at: datetime) -> Contact:
        """Return the contact with its running attempt refused for good; held if an earlier attempt is unknown."""
        held = self.unknowns > 0
        event = Event.HELD if held else Event.REFUSED
        reason = Reason.HELD_UNKNOWN if held else Reason.PROVIDER_REFUSED
        return replace(self.after(event, reason, at).refused_by(self), lease_until=None)

    def put_back(self, at: datetime) -> Contact:
        """Return the contact with its running attempt refused for now: READY again."""
        after = self.after(Event.PUT_BACK, Reason.PROVIDER_BUSY, at)
        return replace(after.refused_by(self), lease_until=None)

    def paced(self, reason: Reason, at: datetime) -> Contact:
        """Return the READY contact that waits for room at its provider, or in its tenant's budget: its review offers it
        again.
        """
        return replace(self.after(Event.PACED, reason, at), offered=False)

    def unknown(self, reason: Reason, at: datetime) -> Contact:
        """Return the contact with its running attempt recorded as unknown."""
        return replace(
            self.after(Event.TIMED_OUT, reason, at), unknowns=self.unknowns + 1, lease_until=None
        )


def _earlier(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)


def _with(attempts: tuple[int, ...], attempt: int) -> tuple[int, ...]:
    return attempts if attempt in attempts else tuple(sorted((*attempts, attempt)))
