"""What the tests of flows share: a world with one bill in it, and a store into which somebody else can break at any
step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from betimes.core.audit import Findings
from betimes.core.book import Owner, Pages
from betimes.core.borrower import ContactPoint
from betimes.core.change import Change
from betimes.core.contact import Contact
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    Command,
    PutAccount,
    PutBorrower,
    ReverseRepayment,
)
from betimes.core.obligation import Obligation
from betimes.core.record import Record
from betimes.flows.dispatch import Dispatch
from betimes.flows.intake import Answer, Told
from betimes.flows.sweep import sweep
from betimes.lab.memory import Memory
from betimes.lab.runner import report_of
from betimes.lab.world import GUARD, LEASE, TENANT, World
from betimes.ports import Answer as ProviderAnswer
from betimes.ports import Letter, Page, Sender, Stores
from tests.core.support import POLICIES, utc

STEP_AT = utc("2026-03-06 02:00")  # D-3 of a bill due on 2026-03-09: ten in Shanghai
TOLD_AT = utc("2026-03-01 02:00")
MINUTE = timedelta(minutes=1)
EMAIL = "li@borrowers.example"
PHONE = "+8613800000000"


def person(email: str = EMAIL, phone: str = "", **fields: Any) -> PutBorrower:
    """Return a borrower in Shanghai who is reached by e-mail, and by SMS if there is a number."""
    named = (("email", email), ("sms", phone))
    points = tuple(ContactPoint(channel, address) for channel, address in named if address)
    return replace(PutBorrower("zh-CN", "Asia/Shanghai", "CN", points), **fields)


def account(account_id: str = "a1", **fields: Any) -> PutAccount:
    """Return an account in CNY."""
    return replace(PutAccount(account_id, "card", "CNY", date(2024, 5, 6)), **fields)


def bill(obligation_id: str = "o1", **fields: Any) -> AddObligation:
    """Return a bill of CNY 10.00, issued when it is told, due on 2026-03-09."""
    default = AddObligation(obligation_id, "a1", 1, TOLD_AT, date(2026, 3, 9), 1000, 1000)
    return replace(default, **fields)


def money(repayment_id: str = "r1", minor: int = 1000, **fields: Any) -> AddRepayment:
    """Return a payment of the whole bill, made when it was told."""
    return replace(AddRepayment(repayment_id, "o1", "a1", TOLD_AT, minor), **fields)


def back(repayment_id: str = "r1", at: datetime = TOLD_AT) -> ReverseRepayment:
    """Return the reversal of a payment."""
    return ReverseRepayment(repayment_id, at)


def of_b1(*commands: Command, borrower_id: str = "b1") -> Told:
    """Return something told about one borrower."""
    account_id = next((c.account_id for c in commands if hasattr(c, "account_id")), "")
    return Told(account_id, borrower_id, commands)


def empty_world() -> World:
    """Return a world of one shard in which nobody is known."""
    return World(POLICIES, TOLD_AT, shards=1)


def world(email: str = EMAIL, phone: str = "", **fields: Any) -> World:
    """Return a world in which one bill has been told, and nothing come due."""
    here = empty_world()
    answers = tell(here, person(email, phone), account(), bill(**fields))
    assert set(answers) == {"stored"}
    return here


def tell(here: World, *commands: Command, borrower_id: str = "b1") -> list[Answer]:
    """Tell the commands one by one about one borrower, and let everything that follows happen."""
    return here.tell([of_b1(command, borrower_id=borrower_id) for command in commands])


def swept(here: World, at: datetime = STEP_AT) -> None:
    """Sweep at an instant, and leave what comes of it on the streams."""
    here.clock.advance(at)
    for shard in here.memory.shards():
        sweep(here.stores, POLICIES, shard, now=at, limit=1000)


def ready(email: str = EMAIL, phone: str = "", **fields: Any) -> tuple[World, str]:
    """Return a world in which the first step has come due, and the id of its contact, which nobody has taken yet."""
    here = world(email, phone, **fields)
    swept(here)
    contact_id = here.memory.ready.popleft()
    assert not here.memory.ready
    return here, contact_id


def contact_of(here: World, contact_id: str) -> Contact:
    """Return a contact that exists."""
    found = here.memory.get(contact_id)
    assert found is not None
    return found


def bill_of(here: World, obligation_id: str = "o1") -> Obligation:
    """Return a bill of the borrower b1."""
    return here.memory.pages(TENANT, "b1").obligations[obligation_id]


def records_of(here: World) -> Sequence[Record]:
    """Return the ledger of the borrower b1."""
    return here.memory.of_borrower(TENANT, "b1")


def events_of(here: World, contact_id: str = "") -> list[str]:
    """Return the events on record of a contact, by default of the only one, in the order of its chain."""
    events = [r for r in records_of(here) if r.kind == "event"]
    contact_id = contact_id or next((r.contact_id for r in events), "")
    after = {r.prev: r for r in events if r.contact_id == contact_id}
    found, prev = [], ""
    while prev in after:
        found.append(str(after[prev].body["event"]))
        prev = after[prev].hash
    return found


def findings(here: World) -> Findings:
    """Return what the audit finds in the world as it stands."""
    return report_of(here, POLICIES).findings


def chains_hold(here: World) -> bool:
    """Return whether every record is intact and names a record before it, none of them twice."""
    records = records_of(here)
    prevs = [r.prev for r in records if r.prev]
    hashes = {r.hash for r in records}
    return (
        all(r.is_intact for r in records) and len(set(prevs)) == len(prevs) and set(prevs) <= hashes
    )


class Interrupted:
    """The stores of a world; `between` happens once, just before the call number `at` (from 0) of any port."""

    def __init__(self, memory: Memory, at: int, between: Callable[[], object]) -> None:
        self._memory, self._at, self._between = memory, at, between
        self.calls = 0
        self.happened = False

    def step(self) -> None:
        """Count a call, and let happen what is to happen before it."""
        self.calls += 1
        if self.calls - 1 == self._at:
            self.happened = True
            self._between()

    @property
    def stores(self) -> Stores:
        """All four ports."""
        return Stores(self, self, self, self)

    def pages(self, tenant: str, borrower_id: str) -> Pages:
        """See `ports.Book`."""
        self.step()
        return self._memory.pages(tenant, borrower_id)

    def fed_until(self, tenant: str) -> datetime | None:
        """See `ports.Book`."""
        self.step()
        return self._memory.fed_until(tenant)

    def owner(self, tenant: str, account_id: str) -> Owner:
        """See `ports.Book`."""
        self.step()
        return self._memory.owner(tenant, account_id)

    def due(self, shard: int, now: datetime, *, limit: int, after: str = "") -> Page:
        """See `ports.Book`."""
        self.step()
        return self._memory.due(shard, now, limit=limit, after=after)

    def get(self, contact_id: str) -> Contact | None:
        """See `ports.Contacts`."""
        self.step()
        return self._memory.get(contact_id)

    def of_borrower(self, tenant: str, borrower_id: str) -> Sequence[Record]:
        """See `ports.Ledger`."""
        self.step()
        return self._memory.of_borrower(tenant, borrower_id)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `ports.Store`."""
        self.step()
        self._memory.commit(changes)


class Broken(Interrupted):
    """The stores of a world in which the call number `at` never comes back: the worker has died."""

    def __init__(self, memory: Memory, at: int) -> None:
        super().__init__(memory, at, self._die)

    def _die(self) -> None:
        raise WorkerGone


class WorkerGone(BaseException):
    """No code of ours may catch the death of its own process."""


class Watched:
    """A sender that counts as a call like any other, so that something can happen just before and after it."""

    def __init__(self, sender: Sender, stores: Interrupted) -> None:
        self._sender, self._stores = sender, stores

    def send(self, letter: Letter) -> ProviderAnswer:
        """See `ports.Sender`."""
        self._stores.step()
        answer = self._sender.send(letter)
        self._stores.step()
        return answer


def dispatch_with(here: World, stores: Interrupted, **fields: Any) -> Dispatch:
    """Return the dispatch of a world over interrupted stores and senders."""
    sender = Watched(here.provider, stores)
    default = Dispatch(
        stores.stores, POLICIES, {"email": sender, "sms": sender}, here.clock, LEASE, GUARD
    )
    return replace(default, **fields)


def played_out(here: World, until: str = "2026-06-01 00:00") -> World:
    """Return the world after everything has come to rest and the treatment is over."""
    here.settle()
    here.run_until(utc(until))
    return here
