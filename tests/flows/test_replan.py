"""Replan: whatever has changed, looks are where agenda, treatment and zone ask for them, and paid contacts end at
once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from betimes.core import agenda
from betimes.core.contact import State
from betimes.core.errors import Stale, Unavailable
from betimes.core.reason import Reason
from betimes.flows.intake import Intake
from betimes.flows.replan import replan
from betimes.flows.sweep import MAX_TRIES
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES, SECOND, utc
from tests.flows.harness import (
    MINUTE,
    STEP_AT,
    Broken,
    Interrupted,
    WorkerGone,
    account,
    back,
    bill,
    bill_of,
    chains_hold,
    contact_of,
    empty_world,
    findings,
    money,
    of_b1,
    person,
    played_out,
    ready,
    records_of,
    swept,
    tell,
    world,
)


def replanned(here: World, stores: Interrupted | None = None) -> int:
    """Return how many looks of the borrower moved."""
    return replan(
        stores.stores if stores else here.stores, POLICIES, TENANT, "b1", now=here.clock.now()
    )


def in_place(here: World) -> bool:
    """Return whether every look is the one that is asked for."""
    pages = here.memory.pages(TENANT, "b1")
    return all(
        bill.watch.look_at
        == agenda.look_at(pages.snapshot(bill.id), POLICIES.treatment, here.clock.now())
        for bill in pages.obligations.values()
    )


LONDON = of_b1(person(zone="Europe/London", jurisdiction="GB"))


def test_what_is_in_place_is_left_alone() -> None:
    """Repeated stream records write nothing; neither do those of somebody unknown."""
    here = world()
    sequence = bill_of(here).watch.seq
    assert [replanned(here) for _ in range(3)] == [0, 0, 0]
    assert bill_of(here).watch.seq == sequence
    assert replan(here.stores, POLICIES, TENANT, "nobody", now=here.clock.now()) == 0


def test_a_move_to_another_zone_moves_every_look() -> None:
    """All open bills, once; the facts keep their version."""
    here = world()
    here.intake.take_in(
        TENANT, [LONDON, of_b1(bill("o2", seq=2)), of_b1(money())], here.clock.now()
    )
    replanned(here)
    assert bill_of(here, "o2").watch.look_at == utc("2026-03-06 10:00")
    assert bill_of(here).watch.look_at is None
    assert in_place(here)
    assert replanned(here) == 0


def test_a_payment_cancels_what_nobody_has_taken_yet() -> None:
    """At once, not at the next sweep."""
    here, contact_id = ready()
    here.intake.take_in(TENANT, [of_b1(money())], here.clock.now())
    replanned(here)
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.CANCELLED, Reason.PAID)
    assert bill_of(here).watch.look_at is None
    assert bill_of(here).watch.contact_id == ""
    assert chains_hold(here)


def test_a_payment_leaves_a_running_attempt_to_its_lease() -> None:
    """What is being sent is neither cancelled nor forgotten: it is looked at when the lease is over."""
    here, contact_id = ready("crash@borrowers.example")
    here.memory.ready.append(contact_id)
    here.settle()
    here.clock.advance(STEP_AT + SECOND)
    here.intake.take_in(TENANT, [of_b1(money())], here.clock.now())
    replanned(here)
    assert contact_of(here, contact_id).state is State.SENDING
    assert bill_of(here).watch.look_at == STEP_AT + timedelta(seconds=60)
    played_out(here)
    assert contact_of(here, contact_id).reason is Reason.HELD_UNKNOWN
    assert here.provider.accepted == []


def test_a_reversal_brings_the_looks_back() -> None:
    """The bill is open again and its next step is looked at."""
    here = world()
    here.intake.take_in(TENANT, [of_b1(money()), of_b1(back())], here.clock.now())
    replanned(here)
    assert bill_of(here).watch.look_at == STEP_AT


@pytest.mark.parametrize("count", [98, 99, 100, 101, 250])
def test_any_number_of_looks_is_moved(count: int) -> None:
    """Also where they do not fit one transaction."""
    here = world()
    bills = [of_b1(bill(f"x{n}", seq=n + 2)) for n in range(count - 1)]
    here.intake.take_in(TENANT, [*bills, LONDON], here.clock.now())
    assert replanned(here) == count
    assert in_place(here)


BREAK_INS: dict[str, Callable[[World], object]] = {
    "pays": lambda here: here.intake.take_in(TENANT, [of_b1(money())], here.clock.now()),
    "moves back": lambda here: here.intake.take_in(TENANT, [of_b1(person())], here.clock.now()),
    "is swept": lambda here: swept(here, here.clock.now()),
    "is dispatched": lambda here: here.settle(),
    "is replanned": replanned,
}


@pytest.mark.parametrize("step_due", [False, True])
@pytest.mark.parametrize("name", sorted(BREAK_INS))
def test_whoever_breaks_in_looks_end_in_place(name: str, step_due: bool) -> None:
    """Before each call somebody else does his work, and his stream record comes too: nothing due is lost."""
    at = 0
    while True:
        here = world()
        if step_due:
            swept(here)
        here.intake.take_in(TENANT, [of_b1(bill("o2", seq=2)), LONDON], here.clock.now())
        stores = Interrupted(here.memory, at, lambda here=here: BREAK_INS[name](here))  # type: ignore[misc]
        replanned(here, stores)
        if not stores.happened:
            break
        replanned(here)
        assert in_place(here)
        played_out(here)
        found = findings(here)
        assert not (found.duplicates or found.undecided or found.out_of_window)
        at += 1
    assert at >= 2


def test_a_worker_may_die_at_any_call() -> None:
    """The stream delivers again, and everything is in place then."""
    at = 0
    while True:
        here, contact_id = ready()
        here.intake.take_in(
            TENANT, [of_b1(money()), of_b1(bill("o2", seq=2)), LONDON], here.clock.now()
        )
        try:
            replanned(here, Broken(here.memory, at))
            break
        except WorkerGone:
            at += 1
        replanned(here)
        assert contact_of(here, contact_id).state is State.CANCELLED
        assert in_place(here)
    assert at >= 4


def test_other_writers_who_keep_winning_send_the_record_back() -> None:
    """After a bounded number of tries; a torn read is one of them."""
    here = world()
    here.intake.take_in(TENANT, [LONDON], here.clock.now())

    class Always(Interrupted):
        def commit(self, changes: object) -> None:
            self.step()
            raise Stale

    always = Always(here.memory, -1, lambda: None)
    with pytest.raises(Unavailable):
        replanned(here, always)
    assert always.calls == 2 * MAX_TRIES


def test_a_late_record_does_not_postpone_what_is_due() -> None:
    """A stream record of long ago comes after the step's instant: the step stays due."""
    here = world()
    here.clock.advance(STEP_AT + MINUTE)
    assert replanned(here) == 0
    assert bill_of(here).watch.look_at == STEP_AT


def test_a_wait_for_the_window_is_left_where_it_is() -> None:
    """A stream record at night does not wake what waits for the morning: one wait is on record, however many
    records come; and a move to a zone where it is day does wake it.
    """
    here = world()
    here.clock.advance(utc("2026-03-06 15:00"))
    swept(here, here.clock.now())
    for _ in range(3):
        assert replanned(here) == 0
        swept(here, here.clock.now())
    assert bill_of(here).watch.look_at == utc("2026-03-07 00:00")
    assert [str(r.body["decision"]) for r in records_of(here)] == ["wait"]
    here.clock.advance(utc("2026-03-06 15:01"))
    here.intake.take_in(TENANT, [LONDON], here.clock.now())
    assert replanned(here) == 1
    swept(here, here.clock.now())
    assert [str(r.body["decision"]) for r in records_of(here)] == ["wait", "send"]


def test_a_part_payment_at_night_is_two_waits_and_no_more() -> None:
    """Other facts, hence another record, at the same instant too; the sweep comes to rest."""
    here = world()
    here.clock.advance(utc("2026-03-06 15:00"))
    here.run_until(here.clock.now())
    here.intake.take_in(TENANT, [of_b1(money(minor=400))], here.clock.now())
    here.settle()
    here.run_until(here.clock.now())
    waits = [r for r in records_of(here) if r.body["decision"] == "wait"]
    assert {r.body["outstanding_minor"] for r in waits} == {1000, 600}
    assert len(waits) == 2
    assert chains_hold(here)


def test_a_bill_whose_money_is_still_being_matched_is_not_looked_at() -> None:
    """More kept money than one transaction takes: between the parts, neither a stream record nor a sweep speaks of
    the bill, which has been paid already; and in the end it is settled.
    """

    def between(here: World) -> None:
        replanned(here)
        here.tick()

    at = 0
    while True:
        here = empty_world()
        tell(here, person(), account())
        kept = [of_b1(money(f"r{n:03d}", minor=10)) for n in range(100)]
        here.intake.take_in(TENANT, kept, here.clock.now())
        here.clock.advance(STEP_AT)
        stores = Interrupted(here.memory, at, lambda here=here: between(here))  # type: ignore[misc]
        Intake(stores.stores, POLICIES, 1).take_in(TENANT, [of_b1(bill())], here.clock.now())
        if not stores.happened:
            break
        played_out(here)
        assert not bill_of(here).is_open
        assert here.memory.all_contacts() == []
        at += 1
    assert at >= 4
