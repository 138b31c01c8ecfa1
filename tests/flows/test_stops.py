"""A stop is never refused for the size of the book that it stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from betimes.core import intake
from betimes.core.change import MAX_CHANGES, Change, SaveHold
from betimes.core.errors import Stale
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import AddRepayment, Command, LiftHold, PutFlight, PutHold
from betimes.flows.close_day import reroll_all
from betimes.flows.intake import Intake
from betimes.lab.memory import Memory
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES, utc
from tests.flows.harness import (
    STEP_AT,
    TOLD_AT,
    Interrupted,
    account,
    bill,
    of_b1,
    person,
    swept,
    tell,
)

OPEN = 60
QUIET = utc("2026-03-05 18:00")  # two at night in Shanghai
HOUR = timedelta(hours=1)


def flooded(product: str = "card", **fields: object) -> World:
    """Return a world in which the looks of two accounts' bills do not fit one transaction."""
    here = World(POLICIES, TOLD_AT, shards=1)
    tell(here, person(), *(account(f"a{k}", product=product, **fields) for k in (1, 2)))
    here.intake.take_in(
        TENANT,
        [
            of_b1(bill(f"o{k}-{n}", account_id=f"a{k}", seq=n + 1))
            for k in (1, 2)
            for n in range(OPEN)
        ],
        TOLD_AT,
    )
    here.settle()
    assert len(here.memory.pages(TENANT, "b1").obligations) == 2 * OPEN > MAX_CHANGES
    return here


def waiting() -> World:
    """Return such a world in which every bill waits for the opening of the contact window."""
    here = World(POLICIES, utc("2026-03-05 15:00"), shards=1)
    tell(here, person(zone="Asia/Shanghai"), account("a1"), account("a2"))
    hold = PutHold("first", Kind.DISPUTE, TOLD_AT, ends_at=STEP_AT + 5 * HOUR)
    tell(here, hold)
    items = [
        of_b1(bill(f"o{k}-{n}", account_id=f"a{k}", seq=n + 1)) for k in (1, 2) for n in range(OPEN)
    ]
    here.intake.take_in(TENANT, items, here.clock.now())
    here.settle()
    swept(here)
    looks = {o.watch.look_at for o in here.memory.pages(TENANT, "b1").obligations.values()}
    assert looks == {STEP_AT + 5 * HOUR}
    return here


STOPS: Sequence[Command] = [
    PutHold("h1", Kind.DECEASED, STEP_AT),
    PutFlight("f1", "a1", "", Means.DEBIT, 1000, FlightState.PENDING, STEP_AT, STEP_AT + 30 * HOUR),
]


@pytest.mark.parametrize("stop", STOPS, ids=["hold", "flight"])
def test_a_stop_is_stored_however_many_debts_wait(stop: Command) -> None:
    """And nothing that it stops goes out."""
    here = waiting()
    assert tell(here, stop) == ["stored"]
    assert tell(here, stop) == ["unchanged"]
    here.run_until(STEP_AT + 23 * HOUR)
    stopped = {"a1", "a2"} if isinstance(stop, PutHold) else {"a1"}
    pages = here.memory.pages(TENANT, "b1")
    sent = {pages.obligations[c.obligation_id].account_id for c in here.memory.all_contacts()}
    assert not sent & stopped


def test_a_lift_is_stored_however_many_debts_wait() -> None:
    """Their looks follow at once, in parts."""
    here = waiting()
    told = of_b1(LiftHold("first", STEP_AT))
    assert here.intake.take_in(TENANT, [told], STEP_AT) == ["stored"]
    looks = {o.watch.look_at for o in here.memory.pages(TENANT, "b1").obligations.values()}
    assert looks == {STEP_AT}


class _Contested(Interrupted):
    """Stores in which everything that follows the stop itself is contested."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, -1, lambda: None)

    def commit(self, changes: Sequence[Change]) -> None:
        if not any(isinstance(change, SaveHold) for change in changes):
            raise Stale
        super().commit(changes)


def test_looks_that_others_hold_on_to_are_left_to_replan() -> None:
    """The stop itself is in force with its own transaction, whose head wakes replan."""
    here = waiting()
    contested = _Contested(here.memory)
    answers = Intake(contested.stores, POLICIES, 1).take_in(
        TENANT, [of_b1(LiftHold("first", STEP_AT))], STEP_AT
    )
    assert answers == ["stored"]
    here.settle()
    looks = {o.watch.look_at for o in here.memory.pages(TENANT, "b1").obligations.values()}
    assert looks == {STEP_AT}


def frozen() -> tuple[World, PutHold]:
    """Return a world in which every bill has paid late interest, and a hardship that would have stopped it."""
    here = flooded("education", daily_rate=Decimal("0.001"))
    here.run_until(utc("2026-04-02 02:00"))
    for account_id in ("a1", "a2"):
        tell(here, AddRepayment(f"r-{account_id}", "", account_id, here.clock.now(), OPEN * 1100))
    return here, PutHold("h1", Kind.HARDSHIP, utc("2026-03-10 02:00"))


def test_a_stop_that_restates_more_than_fits_is_stored_first() -> None:
    """The money of each account follows on its own, and telling it again finds nothing left to do."""
    here, hardship = frozen()
    before = here.memory.pages(TENANT, "b1")
    after, _ = intake.accept(before, hardship, POLICIES, shards=1, now=here.clock.now())
    moved = [o for o in after.obligations.values() if o.paid != before.obligations[o.id].paid]
    assert len(moved) > MAX_CHANGES, "nothing to show otherwise"
    assert tell(here, hardship) == ["stored"]
    pages = here.memory.pages(TENANT, "b1")
    assert not pages.is_torn
    assert intake.restated(pages, POLICIES, here.clock.now()) == []
    assert tell(here, hardship) == ["unchanged"]


def test_a_stop_told_again_restates_what_a_dead_worker_left() -> None:
    """Its money too, and not only its looks."""
    here, hardship = frozen()
    contested = _Contested(here.memory)
    Intake(contested.stores, POLICIES, 1).take_in(TENANT, [of_b1(hardship)], here.clock.now())
    here.settle()
    assert intake.restated(here.memory.pages(TENANT, "b1"), POLICIES, here.clock.now())
    assert tell(here, hardship) == ["unchanged"]
    assert not intake.restated(here.memory.pages(TENANT, "b1"), POLICIES, here.clock.now())


def test_a_calendar_moves_the_bills_of_a_big_borrower_and_of_those_behind() -> None:
    """In parts where they do not fit one transaction; done twice, nothing moves."""
    unpublished = replace(POLICIES, calendars={})
    here = World(unpublished, TOLD_AT, shards=1)
    on = date(2026, 5, 2)  # a Saturday, in the holidays of May
    for borrower_id, count in (("b1", OPEN), ("b2", 1)):
        tell(here, person(), borrower_id=borrower_id)
        for account_id in (f"{borrower_id}-a1", f"{borrower_id}-a2"):
            tell(here, account(account_id, product="home_improvement"), borrower_id=borrower_id)
            bills = [
                of_b1(
                    bill(f"{account_id}-{n}", account_id=account_id, seq=n + 1, due_on=on),
                    borrower_id=borrower_id,
                )
                for n in range(count)
            ]
            here.intake.take_in(TENANT, bills, TOLD_AT)
    here.settle()
    moved = reroll_all(here.stores, POLICIES, shards=1, now=TOLD_AT)
    assert len(moved) == 2 * OPEN + 2
    assert {each.before for each in moved} == {on}
    assert all(each.after > on for each in moved)
    assert {each.borrower_id for each in moved} == {"b1", "b2"}
    assert reroll_all(here.stores, POLICIES, shards=1, now=TOLD_AT) == []
    assert not any(o.provisional for p in here.memory.everyone() for o in p.obligations.values())
