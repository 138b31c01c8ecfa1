"""One contact's life on a pretend AWS with the real adapters, and everything that can go wrong at each of its requests.

A life begins when the contact is READY. What AWS does then is done here: its hint is delivered, and delivered again;
the obligation is looked at when it is to be; the provider reports, twice. Each request that our code makes is a point.
A plan says what happens at which points; a life lived by a plan is judged by what the provider took, what the tables
hold, and what was told when.

`python -m tests.lab.crashes` lives them all: every single fault and every pair. `--every N` takes one pair in N.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import count
from typing import Any

from betimes.adapters import items
from betimes.adapters.dynamodb import Tables
from betimes.adapters.ses import Email
from betimes.adapters.sms import Sms
from betimes.config import AGENDA_INDEX, SORT_KEY
from betimes.core import zones
from betimes.core.contact import ENDED_UNSENT, Contact, Event, State
from betimes.core.errors import Unavailable
from betimes.core.feedback import ProviderEvent
from betimes.core.hold import Kind
from betimes.core.intake import Command, PutHold
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.core.treatment import MessageClass
from betimes.flows.dispatch import Dispatch, Dispatched, Later
from betimes.flows.feedback import hear
from betimes.flows.intake import Intake
from betimes.flows.replan import replan
from betimes.flows.sweep import sweep
from betimes.lab.aws import errors, house
from betimes.lab.aws.cloud import Cloud, Fault, Point
from betimes.lab.aws.providers import Sent
from betimes.lab.world import GUARD, LEASE, TENANT, VirtualClock
from betimes.ports import Sender, Stores
from tests.core.support import POLICIES, utc
from tests.flows.harness import EMAIL, PHONE, TOLD_AT, account, bill, money, of_b1, person

BORROWER = "b1"
OBLIGATION = "o1"
SECOND = timedelta(seconds=1)
# When what was not deleted from its queue comes again, and when the next tick sweeps.
AGAIN = timedelta(seconds=90)
TICK = timedelta(minutes=1)
# More deliveries of one message than any queue of ours makes.
MAX_RECEIVES = 8
AFTERMATH = timedelta(hours=2)


@dataclass(frozen=True)
class Scenario:
    """Which contact: the step that comes due, by which channel, and whether its provider reports."""

    name: str
    step: str
    step_at: datetime
    channel: str = "email"
    reports: bool = True

    @property
    def stops(self) -> tuple[str, ...]:
        """What forbids every later claim; an opt-out from courtesy does not stop what is overdue."""
        return (PAID, HELD) if self.step == "D+1" else (PAID, HELD, OPTED_OUT)


SCENARIOS = (
    Scenario("courtesy", "D-3", utc("2026-03-06 02:00")),
    Scenario("overdue", "D+1", utc("2026-03-10 02:00")),
    Scenario("overdue, no reports", "D+1", utc("2026-03-10 02:00"), reports=False),
    Scenario("courtesy by SMS", "D-3", utc("2026-03-06 02:00"), channel="sms", reports=False),
)

Happens = Fault | str
Plan = Mapping[int, Happens]
# What somebody else does just before a request.
OTHER, PAID, PART, HELD, OPTED_OUT = "other dispatcher", "paid", "part paid", "hold", "opt-out"
INTRUDERS = (OTHER, PAID, PART, HELD, OPTED_OUT)
_WRITES = frozenset({"transact_write_items", "put_item", "update_item"})
_TECHNICAL = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.REQUEST_LOST,
    Fault.REPLY_LOST,
    Fault.THROTTLED,
    Fault.BROKEN,
)


@dataclass
class Told:
    """Something told in the middle: what, what stood then, and how much had been sent."""

    what: str
    state: State
    attempt: int
    sent: int


@dataclass
class Life:
    """Everything of one scenario; made once, and set back for each plan."""

    scenario: Scenario
    tables: type[Tables] = Tables
    sender_repeats: bool = False
    change: Callable[[Dispatch], Dispatch] = lambda dispatch: dispatch
    told: list[Told] = field(default_factory=list)
    trace: list[Point] = field(default_factory=list)
    plan: Plan = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(TOLD_AT)
        self.cloud = Cloud(self.clock.now, random.Random(0))
        house.make_tables(self.cloud.dynamodb)
        tokens = count()
        # One attempt a call: what the SDK would hide is to be seen by our code.
        made = self.tables(
            self.cloud.client("dynamodb", sends=True),
            book=house.BOOK,
            contacts=house.CONTACTS,
            ledger=house.LEDGER,
            sleep=lambda _: None,
            jitter=lambda: 0.0,
            token=lambda: f"t-{next(tokens)}",
        )
        self.stores = Stores(made, made, made, made)
        self.intake = Intake(self.stores, POLICIES, 1)
        once = not self.sender_repeats
        senders: dict[str, Sender] = {
            "email": Email(
                self.cloud.client("sesv2", sends=once),
                sender="Lender <bills@lender.example>",
                configuration_set="set",
            ),
            "sms": Sms(self.cloud.client("sns", sends=once)),
        }
        dispatch = Dispatch(self.stores, POLICIES, senders, self.clock, LEASE, GUARD)
        self.dispatch = self.change(dispatch)
        self._busy = True
        self.cloud.hook = self._hook
        reached = (
            {"email": EMAIL} if self.scenario.channel == "email" else {"email": "", "phone": PHONE}
        )
        for command in (person(**reached), account(), bill()):
            self._tell(command)
        self.clock.advance(self.scenario.step_at)
        sweep(self.stores, POLICIES, 0, now=self.clock.now(), limit=100)
        self.contact_id = self._bill().watch.contact_id
        assert self.contact_id, "the step of the scenario has come due"
        assert self.contact().step == self.scenario.step
        for name in house.DEFINITIONS:
            self.cloud.dynamodb.tables[name].taken()
        self._ready = self.cloud.kept()

    # What is asked of the world

    def contact(self) -> Contact:
        """Return the contact as it stands."""
        self._busy, busy = True, self._busy
        found = self.stores.contacts.get(self.contact_id)
        self._busy = busy
        assert found is not None
        return found

    def records(self) -> Sequence[Record]:
        """Return the ledger of the borrower."""
        self._busy, busy = True, self._busy
        found = self.stores.ledger.of_borrower(TENANT, BORROWER)
        self._busy = busy
        return found

    @property
    def sent(self) -> Sequence[Sent]:
        """What the provider took, in order."""
        return self.cloud.providers.sent

    def _bill(self) -> Any:
        self._busy, busy = True, self._busy
        found = self.stores.book.pages(TENANT, BORROWER).obligations[OBLIGATION]
        self._busy = busy
        return found

    def watch_contact(self) -> str:
        """Return the contact that the obligation still waits for, "" for none."""
        found: str = self._bill().watch.contact_id
        return found

    # Living

    def live(self, plan: Plan) -> None:
        """Live the contact's life from READY to its end, by a plan."""
        self.cloud.restore(self._ready)
        self.clock.at = self.scenario.step_at
        self.plan, self.trace, self.told = plan, [], []
        self._busy = False
        self._jobs: list[tuple[datetime, int, Callable[[], object], int]] = []
        self._numbers = count()
        self._reported = 0
        self._tick_at = self.clock.at
        # The hint, and the same once more: a standard queue delivers at least once.
        self._later(timedelta(), self._deliver)
        self._later(SECOND, self._deliver)
        end = self.contact().not_after + AFTERMATH
        while (at := self._next()) is not None and at <= end:
            self.clock.advance(at)
            while self._jobs and self._jobs[0][0] <= self.clock.at:
                _, _, job, receives = heapq.heappop(self._jobs)
                self._run(job, receives)
            if self._look_at() <= self.clock.at and self._tick_at <= self.clock.at:
                self._tick_at = self.clock.at + TICK
                self._run(self._sweep, MAX_RECEIVES)
            self._drain()
        self._busy = True

    def _next(self) -> datetime | None:
        look_at = self._look_at()
        looks = [max(look_at, self._tick_at)] if look_at.year < 9999 else []
        return min([*looks, *(job[0] for job in self._jobs[:1])], default=None)

    def _look_at(self) -> datetime:
        order = self.cloud.dynamodb.tables[house.BOOK].seen(AGENDA_INDEX, consistent=False).order
        looks = [entries[0][0] for entries in order.values() if entries]
        return min((zones.from_text(str(each)) for each in looks), default=utc("9999-01-01 00:00"))

    def _later(self, wait: timedelta, job: Callable[[], object], receives: int = 0) -> None:
        heapq.heappush(self._jobs, (self.clock.at + wait, next(self._numbers), job, receives))

    def _run(self, job: Callable[[], object], receives: int) -> None:
        """Run a worker; where it dies or cannot go on, its message comes again."""
        try:
            done = job()
        except (errors.Crashed, Unavailable):
            done = Dispatched.CONTESTED
        if isinstance(done, Later):
            self._later(max(SECOND, done.until - self.clock.at), job)
        elif done is Dispatched.CONTESTED and receives < MAX_RECEIVES:
            self._later(AGAIN, job, receives + 1)

    def _deliver(self) -> Dispatched | Later:
        return self.dispatch.deliver(self.contact_id)

    def _sweep(self) -> None:
        tally = sweep(self.stores, POLICIES, 0, now=self.clock.now(), limit=100)
        wrong = [each for each in tally.broken if "Unavailable" not in each]
        assert not wrong, f"a look that cannot be taken: {wrong}"

    def _drain(self) -> None:
        """Do what follows from the streams and from what was sent."""
        tables = self.cloud.dynamodb.tables
        for record in tables[house.CONTACTS].taken():
            image = record["dynamodb"].get("NewImage", {})
            offered = image.get(items.OFFERED, {}).get("BOOL")
            if offered and image[items.STATE]["S"] == State.READY:
                self._later(timedelta(), self._deliver)
        changed = {
            record["dynamodb"]["Keys"][SORT_KEY]["S"].partition("#")[0]
            for record in tables[house.BOOK].taken()
        }
        if changed & {"head", "repayment", "hold"}:
            self._later(timedelta(), self._replan)
        tables[house.LEDGER].taken()
        for sent in self.sent[self._reported :] if self.scenario.reports else ():
            self._reported += 1
            for wait in (10 * SECOND, 20 * SECOND):
                self._later(wait, self._hearing(sent))

    def _replan(self) -> None:
        replan(self.stores, POLICIES, TENANT, BORROWER, now=self.clock.now())

    def _hearing(self, sent: Sent) -> Callable[[], object]:
        attempt = int(sent.tags["attempt"])
        key = f"{sent.tags['contact_id']}-{attempt}-{sent.id}"
        at = sent.at + SECOND
        event = ProviderEvent(sent.tags["contact_id"], attempt, Event.DELIVERED, at, key)
        return lambda: hear(self.stores, event)

    # What happens at the points

    def _hook(self, point: Point) -> Fault | None:
        if self._busy:
            return None
        number = len(self.trace)
        self.trace.append(point)
        happens = self.plan.get(number)
        if happens is None or isinstance(happens, Fault):
            return happens
        self._busy = True
        try:
            self._intrude(happens)
        finally:
            self._busy = False
        return None

    def _intrude(self, what: str) -> None:
        if what == OTHER:
            self.dispatch.deliver(self.contact_id)
            return
        contact = self.contact()
        self.told.append(Told(what, contact.state, contact.attempt, len(self.sent)))
        # What has been told once is told as something else the second time.
        n = len(self.told)
        now = self.clock.now()
        told: dict[str, Command] = {
            PAID: money(f"r{n}"),
            PART: money(f"r{n}", minor=400),
            HELD: PutHold(f"h{n}", Kind.DISPUTE, now),
            OPTED_OUT: PutHold(f"h{n}", Kind.OPT_OUT, now),
        }
        self._tell(told[what])

    def _tell(self, command: Command) -> None:
        (answer,) = self.intake.take_in(TENANT, [of_b1(command)], self.clock.now())
        assert not isinstance(answer, Exception), answer


def wrong_with(life: Life) -> list[str]:
    """Return which promises a life that was lived broke; empty if none."""
    contact, sent, records = life.contact(), life.sent, life.records()
    return [
        *_too_often(life, contact, sent, records),
        *_after_a_stop(life, contact, sent),
        *_untrue_end(life, contact, sent, records),
        *_broken_chain(records),
    ]


def _too_often(
    life: Life, contact: Contact, sent: Sequence[Sent], records: Sequence[Record]
) -> Iterator[str]:
    once = contact.message_class is MessageClass.OVERDUE
    unknown = sum(1 for r in records if r.contact_id == contact.id and _event(r) == Event.TIMED_OUT)
    if len(sent) > 1 + (0 if once else min(1, contact.unknowns)):
        yield f"sent {len(sent)} times, {contact.unknowns} unknown"
    if len(sent) > 1 + unknown:
        yield "more sends than attempts whose end is on record as unknown"
    attempts = [each.tags["attempt"] for each in sent if each.tags]
    if len(set(attempts)) != len(attempts):
        yield "one attempt was sent twice"
    claims = sum(1 for r in records if r.contact_id == contact.id and _event(r) == Event.CLAIMED)
    if len(sent) > claims:
        yield "sent without a claim on record"
    if life.scenario.reports and any(each.tags["contact_id"] != contact.id for each in sent):
        yield "sent with another contact's id"


def _after_a_stop(life: Life, contact: Contact, sent: Sequence[Sent]) -> Iterator[str]:
    for told in life.told:
        # Claimed before it was told: that attempt may still go, and no other.
        running = told.attempt if told.state is State.SENDING else 0
        later = sent[told.sent :]
        fresh = [n for n, each in enumerate(later) if not _is_of(each, running, n)]
        if told.what in life.scenario.stops and fresh:
            yield f"sent after {told.what}"
        if told.what == PART and any("10.00" in _words(later[n]) for n in fresh):
            yield "a claim after the part payment named the old amount"


def _is_of(sent: Sent, running: int, place: int) -> bool:
    if sent.tags:
        return int(sent.tags["attempt"]) == running
    return running > 0 and place == 0


_SENT = frozenset(
    set(State) - ENDED_UNSENT - {State.READY, State.SENDING, State.UNKNOWN, State.REFUSED}
)
_BECAUSE = {
    Reason.PAID: (PAID, PART),
    Reason.HOLD_DISPUTE: (HELD,),
    Reason.HOLD_OPT_OUT: (OPTED_OUT,),
}


def _untrue_end(
    life: Life, contact: Contact, sent: Sequence[Sent], records: Sequence[Record]
) -> Iterator[str]:
    events = {_event(r) for r in records if r.contact_id == contact.id}
    state, reason = contact.state, contact.reason
    told = {each.what for each in life.told}
    if state in (State.READY, State.SENDING):
        yield f"left {state}"
    if state is State.UNKNOWN and reason is not Reason.HELD_UNKNOWN:
        yield f"left UNKNOWN as {reason}"
    if state is State.UNKNOWN and not events & {Event.TIMED_OUT, Event.HELD}:
        yield "unknown without a record of it"
    if state in _SENT and not sent:
        yield f"{state}, and nothing was sent"
    if sent and (state in ENDED_UNSENT or state is State.REFUSED):
        yield f"{state}, and it was sent"
    if state in ENDED_UNSENT and not told & set(_BECAUSE.get(reason, ())):
        yield f"{state} as {reason}, and nothing of the kind was told"
    if not told & set(life.scenario.stops) and not sent and state is not State.UNKNOWN:
        yield f"lost: {state} as {reason}"
    if life.scenario.reports and sent and state is not State.DELIVERED:
        yield f"{state} as {reason}, and its delivery was reported"
    if life.watch_contact() == contact.id:
        yield "the obligation still waits for it"


def _broken_chain(records: Sequence[Record]) -> Iterator[str]:
    prevs = [r.prev for r in records if r.prev]
    if not all(r.is_intact for r in records):
        yield "a record is not intact"
    if len(set(prevs)) != len(prevs) or not set(prevs) <= {r.hash for r in records}:
        yield "a chain is broken"


def _event(record: Record) -> str:
    return str(record.body.get("event", "")) if record.kind == "event" else ""


def _words(sent: Sent) -> str:
    if sent.channel != "email":
        return sent.body.decode()
    found = message_from_bytes(sent.body, policy=default).get_body(("plain",))
    assert found is not None
    return str(found.get_content())


# All of them


def faults_at(point: Point) -> tuple[Happens, ...]:
    """Return everything that can happen at a request."""
    conflicts = (Fault.CONFLICT,) if point.operation in _WRITES else ()
    return (*_TECHNICAL, *conflicts, *INTRUDERS)


def singles(life: Life) -> Iterator[dict[int, Happens]]:
    """Yield a plan for every fault at every request of a life in which nothing goes wrong."""
    life.live({})
    for number, point in enumerate(list(life.trace)):
        for happens in faults_at(point):
            yield {number: happens}


def pairs(life: Life, first: Mapping[int, Happens]) -> Iterator[dict[int, Happens]]:
    """Yield every plan with one fault more, at a request behind the first fault's; the life is lived by the first."""
    life.live(first)
    ((at, _),) = first.items()
    for number, point in enumerate(list(life.trace)):
        if number > at:
            for happens in faults_at(point):
                yield {**first, number: happens}


@dataclass
class Tally:
    """What was lived, and what was wrong with it: the first plan for each complaint."""

    lives: int = 0
    points: int = 0
    wrong: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)

    def live(self, life: Life, plan: Plan) -> None:
        """Live a life by a plan and take down what is wrong with it."""
        life.live(plan)
        self.lives += 1
        self.points += len(life.trace)
        contact = life.contact()
        self.ends[f"{contact.state} {contact.reason}, sent {len(life.sent)}"] += 1
        for each in wrong_with(life):
            self.counts[each] += 1
            self.wrong.setdefault(each, described(life, plan))


def described(life: Life, plan: Plan) -> str:
    """Return a plan in words."""
    parts = []
    for number, happens in plan.items():
        name = happens.name if isinstance(happens, Fault) else happens
        reached = number < len(life.trace)
        parts.append(f"{name} at {number} ({life.trace[number].operation if reached else 'never'})")
    return f"{life.scenario.name}: {', then '.join(parts) or 'nothing'}"


def run(life: Life, *, every: int = 0) -> Tally:
    """Return the tally of every single fault, and of one pair in `every`; 0 for no pairs, 1 for all."""
    tally = Tally()
    tally.live(life, {})
    place = 0
    for first in list(singles(life)):
        tally.live(life, first)
        if not every:
            continue
        for plan in list(pairs(life, first)):
            place += 1
            if place % every == 0:
                tally.live(life, plan)
    return tally


def main(arguments: Sequence[str]) -> int:
    """Live all lives and print what came of them; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description="Every fault and every pair of faults.")
    parser.add_argument("--every", type=int, default=1, help="take one pair in so many")
    parser.add_argument("--scenario", default="", help="one scenario only, by its name")
    asked = parser.parse_args(arguments)
    broken = 0
    for scenario in SCENARIOS:
        if asked.scenario in ("", scenario.name):
            tally = run(Life(scenario), every=asked.every)
            print(f"{scenario.name}: {tally.lives} lives, {tally.points} requests")
            for end, times in sorted(tally.ends.items()):
                print(f"  {times:7d}  {end}")
            for complaint, plan in sorted(tally.wrong.items()):
                print(f"  BROKEN {tally.counts[complaint]:5d}  {complaint}: {plan}")
            broken += len(tally.wrong)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
