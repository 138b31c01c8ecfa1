"""A world in memory: the same flows, in the same order as on AWS, on memory stores and a virtual clock.

What AWS does between the steps (streams, topics, queues) is a loop here: `settle` drains every stream until nothing
moves. A test can put faults in between; see the parameters of `World`.
"""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final, TypeVar

from betimes.config import CHANNELS
from betimes.core import ids
from betimes.core.contact import Event
from betimes.core.feedback import ProviderEvent
from betimes.core.policies import Policies
from betimes.core.values import dataclass
from betimes.flows.dispatch import Dispatch, Dispatched, Later
from betimes.flows.feedback import hear
from betimes.flows.intake import Answer, Intake, Told
from betimes.flows.replan import replan
from betimes.flows.sweep import Swept, sweep
from betimes.lab.memory import Memory
from betimes.ports import Accepted, Blind, Letter, Links, Refused, Stores, Unknown
from betimes.ports import Answer as ProviderAnswer

T = TypeVar("T")
TENANT = "demo"
LEASE = timedelta(seconds=60)
GUARD = timedelta(seconds=30)
SWEEP_LIMIT = 1_000_000
MAX_TICKS_AT_ONCE = 100


@dataclass
class VirtualClock:
    """A clock that stands still until it is set; never goes back."""

    at: datetime

    def now(self) -> datetime:
        """Return the virtual instant."""
        return self.at

    def advance(self, to: datetime) -> None:
        """Set the clock to `to`, unless it is there or past it already."""
        self.at = max(self.at, to)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message that the pretend provider accepted, as its recipient would see it."""

    letter: Letter
    at: datetime


@dataclass(frozen=True, slots=True)
class Faults:
    """What a queue does wrong with the ids of contacts that are ready; 0 is never.

    One contact in `late_in` is handed over some minutes late, at most `MOST_LATE`, one in `twice_in` at once and once
    more after that time. Which ones, and how late, follows from the id of the contact and nothing else.
    """

    late_in: int = 0
    twice_in: int = 0

    def is_late(self, contact_id: str) -> bool:
        """Return whether a contact is handed over late."""
        return self.late_in > 0 and _dice("late", contact_id) % self.late_in == 0

    def is_repeated(self, contact_id: str) -> bool:
        """Return whether a contact is handed over twice."""
        return self.twice_in > 0 and _dice("twice", contact_id) % self.twice_in == 0

    def by(self, contact_id: str) -> timedelta:
        """Return how late a contact comes where it does."""
        return timedelta(minutes=1 + _dice("by", contact_id) % MOST_LATE)


# In minutes: longer than it takes until a contact that is still READY is offered again.
MOST_LATE: Final = 45
NO_FAULTS: Final = Faults()


def _dice(what: str, contact_id: str) -> int:
    return zlib.crc32(f"{what} {contact_id}".encode())


class WorkerDied(Exception):
    """A pretend worker died in the middle of its work; nothing it had not written is known to anybody."""


@dataclass
class Provider:
    """A pretend provider for every channel: accepts, and reports delivery.

    Local parts of an address rehearse other outcomes: `refused@`, `busy@`, `hard@`, `soft@`, `complaint@`, `failed@`
    (accepted, then failed technically), `silent@` (accepted, and never a word about it), `timeout-lost@` (no answer,
    nothing accepted, the next attempt works), `timeout-silent@` (never an answer), `timeout-accepted@` (no answer, yet
    accepted and reported), and `crash@` (the worker dies between claim and call, once).
    """

    clock: VirtualClock
    accepted: list[Arrived] = field(default_factory=list)
    reports: list[ProviderEvent] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def send(self, letter: Letter) -> ProviderAnswer:
        """See `ports.Sender.send`."""
        self.asked[letter.contact_id] += 1
        match letter.address.partition("@")[0]:
            case "refused":
                return Refused("MessageRejected", may_retry=False)
            case "busy" if self.asked[letter.contact_id] == 1:
                return Refused("TooManyRequestsException", may_retry=True)
            case "crash" if self.asked[letter.contact_id] == 1:
                raise WorkerDied
            case "timeout-lost" if self.asked[letter.contact_id] == 1:
                return Unknown("read timeout")
            case "timeout-silent":
                return Unknown("read timeout")
            case "timeout-accepted":
                self._accept(letter)
                self._report(letter, Event.ACCEPTED)
                return Unknown("read timeout")
        return self._accept(letter)

    def _accept(self, letter: Letter) -> Accepted:
        self.accepted.append(Arrived(letter, self.clock.now()))
        match letter.address.partition("@")[0]:
            case "hard":
                self._report(letter, Event.BOUNCED_HARD)
            case "failed":
                self._report(letter, Event.FAILED)
            case "soft":
                self._report(letter, Event.BOUNCED_SOFT)
            case "silent":
                pass
            case "complaint":
                self._report(letter, Event.DELIVERED)
                self._report(letter, Event.COMPLAINED)
            case _ if letter.text.channel == "email":
                self._report(letter, Event.DELIVERED)
        return Accepted(ids.digest_id(letter.contact_id, str(letter.attempt)))

    def _report(self, letter: Letter, event: Event) -> None:
        key = f"{letter.contact_id}-{letter.attempt}-{event}"
        now = self.clock.now()
        self.reports.append(
            ProviderEvent(letter.contact_id, letter.attempt, event, now, key, "pretend")
        )


class World:
    """Memory stores, a virtual clock, a pretend provider, and the flows wired as on AWS.

    `faults` are those of its queue; `late` and `repeated` count how often they struck. Without `links`
    messages have none, and without `blind` no list of addresses is kept.
    """

    def __init__(
        self,
        policies: Policies,
        start: datetime,
        *,
        shards: int = 4,
        faults: Faults = NO_FAULTS,
        links: Links | None = None,
        blind: Blind | None = None,
    ) -> None:
        self.policies = policies
        self.clock = VirtualClock(start)
        self.memory = Memory()
        self.stores = Stores(self.memory, self.memory, self.memory, self.memory, self.memory)
        self.provider = Provider(self.clock)
        self.intake = Intake(self.stores, policies, shards)
        self.dispatch = Dispatch(
            self.stores,
            policies,
            dict.fromkeys(CHANNELS, self.provider),
            self.clock,
            LEASE,
            GUARD,
            links,
            blind=blind,
        )
        self.dispatched: Counter[Dispatched] = Counter()
        self.died = 0
        self.faults = faults
        self.late = 0
        self.repeated = 0
        # Contacts that the queue hands over later: when, in which order, which.
        self._held_back: list[tuple[datetime, int, str]] = []
        self._waits = 0

    def tell(self, told: Sequence[Told], *, tenant: str = TENANT) -> list[Answer]:
        """Take in what a source tells and let everything that follows from it happen."""
        answers = self.intake.take_in(tenant, told, self.clock.now())
        self.settle()
        return answers

    def tick(self) -> list[Swept]:
        """Sweep every shard at the clock's instant and let everything that follows happen; return the tallies."""
        now = self.clock.now()
        while self._held_back and self._held_back[0][0] <= now:
            self._deliver(heappop(self._held_back)[2])
        swept = [
            sweep(self.stores, self.policies, shard, now=now, limit=SWEEP_LIMIT)
            for shard in self.memory.shards()
        ]
        broken = [name for tally in swept for name in tally.broken]
        assert not broken, f"looks that cannot be taken: {', '.join(broken[:5])}"
        self.settle()
        return swept

    def settle(self) -> None:
        """Drain the streams, the queues and the provider's reports until nothing moves."""
        memory, provider = self.memory, self.provider
        while memory.book_changes or memory.ready or provider.reports:
            for tenant, borrower_id in _taken(memory.book_changes):
                replan(self.stores, self.policies, tenant, borrower_id, now=self.clock.now())
            for contact_id in _taken(memory.ready):
                self._hand_over(contact_id)
            reports, provider.reports = provider.reports, []
            for reported in reports:
                hear(self.stores, reported)

    def _hand_over(self, contact_id: str) -> None:
        """Deliver a contact that is ready, as the faults of the queue will have it."""
        late = self.faults.is_late(contact_id)
        again = not late and self.faults.is_repeated(contact_id)
        if late or again:
            self.late += late
            self.repeated += again
            at = self.clock.now() + self.faults.by(contact_id)
            heappush(self._held_back, (at, self.late + self.repeated + self._waits, contact_id))
        if not late:
            self._deliver(contact_id)

    def _deliver(self, contact_id: str) -> None:
        try:
            done = self.dispatch.deliver(contact_id)
        except WorkerDied:
            # What a queue would do now, deliver again, finds the contact claimed; its review settles it.
            self.died += 1
        else:
            if isinstance(done, Later):
                self._waits += 1
                heappush(
                    self._held_back,
                    (done.until, self.late + self.repeated + self._waits, contact_id),
                )
                return
            self.dispatched[done] += 1

    def run_until(self, end: datetime) -> None:
        """Let time pass until `end`: stop at every instant at which something is to be looked at, `end` included."""
        stuck = 0
        while (at := self._next_at()) is not None and at <= end:
            stuck = stuck + 1 if at <= self.clock.now() else 0
            assert stuck <= MAX_TICKS_AT_ONCE, "a look stays due however often it is looked at"
            self.clock.advance(at)
            self.tick()
        self.clock.advance(end)

    def _next_at(self) -> datetime | None:
        """Return the next instant at which something is to be looked at or handed over, None if there is none."""
        look_at = self.memory.next_look()
        if not self._held_back:
            return look_at
        held_until = self._held_back[0][0]
        return held_until if look_at is None else min(look_at, held_until)


def _taken(queue: deque[T]) -> list[T]:
    """Return what is in the queue, each entry once, in order of first arrival; the queue is empty afterwards."""
    taken = list(dict.fromkeys(queue))
    queue.clear()
    return taken
