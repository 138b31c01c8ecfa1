"""The sweep: everything due is decided, once, whatever else goes on, and one bad obligation hides no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from betimes.core.book import Pages
from betimes.core.contact import State
from betimes.core.errors import Stale, Unavailable
from betimes.flows.sweep import MAX_SILENT, PAGE, look_once, sweep
from betimes.lab.memory import Memory
from betimes.lab.world import TENANT, World
from betimes.ports import DueLook
from tests.core.support import POLICIES, TICK, utc
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
    findings,
    money,
    of_b1,
    person,
    played_out,
    records_of,
    swept,
    tell,
    world,
)

DUE = DueLook(TENANT, "b1", "o1", STEP_AT)


def many(count: int) -> World:
    """Return a world in which one borrower has so many bills that come due at one instant."""
    here = world()
    here.intake.take_in(
        TENANT, [of_b1(bill(f"x{n}", seq=n + 2)) for n in range(count - 1)], here.clock.now()
    )
    here.clock.advance(STEP_AT)
    return here


def test_nothing_is_decided_before_its_time() -> None:
    """A microsecond before the step's instant there is nothing to look at; at the instant there is."""
    here = world()
    assert sweep(here.stores, POLICIES, 0, now=STEP_AT - TICK, limit=10).looks == 0
    done = sweep(here.stores, POLICIES, 0, now=STEP_AT, limit=10)
    assert (done.looks, done.contacts, done.left, done.more) == (1, 1, 0, False)
    assert done.decisions == {"send:due": 1}


def test_a_second_sweep_decides_nothing_again() -> None:
    """Not at the same instant, and not before the review."""
    here = world()
    swept(here)
    before = records_of(here)
    for now in (STEP_AT, STEP_AT + 9 * MINUTE):
        assert sweep(here.stores, POLICIES, 0, now=now, limit=10).looks == 0
    assert records_of(here) == before


@pytest.mark.parametrize(("count", "limit"), [(5, 3), (5, 5), (PAGE + 20, 1_000), (2 * PAGE, PAGE)])
def test_a_limit_is_kept_and_said(count: int, limit: int) -> None:
    """`more` is true exactly when something due is left; going on finds it, and every bill is decided once."""
    here = many(count)
    done = sweep(here.stores, POLICIES, 0, now=STEP_AT, limit=limit)
    assert done.looks == min(count, limit)
    assert done.more is (count > limit)
    while done.more:
        done = sweep(here.stores, POLICIES, 0, now=STEP_AT, limit=limit)
    assert len(here.memory.all_contacts()) == count
    assert here.memory.due(0, STEP_AT, limit=1).looks == ()


def test_a_stale_row_gets_its_true_look_and_no_decision() -> None:
    """The agenda lags behind: the bill is settled, not due yet, or nobody's."""
    here = world()
    early = look_once(here.stores, POLICIES, DUE, STEP_AT - TICK)
    assert early is not None
    assert (early.records, early.created) == ((), ())
    tell(here, money())
    settled = look_once(here.stores, POLICIES, DUE, STEP_AT)
    assert settled is not None
    assert settled.records == ()
    assert look_once(here.stores, POLICIES, replace(DUE, obligation_id="o9"), STEP_AT) is None
    assert records_of(here) == []


BREAK_INS: dict[str, Callable[[World], object]] = {
    "pays": lambda here: here.intake.take_in(TENANT, [of_b1(money())], here.clock.now()),
    "moves to London": lambda here: here.intake.take_in(
        TENANT, [of_b1(person(zone="Europe/London", jurisdiction="GB"))], here.clock.now()
    ),
    "loses the address": lambda here: here.intake.take_in(
        TENANT, [of_b1(person(""))], here.clock.now()
    ),
    "another sweep": lambda here: swept(here, here.clock.now()),
    "another tick": lambda here: here.tick(),
}


@pytest.mark.parametrize("name", sorted(BREAK_INS))
def test_whoever_breaks_in_the_decision_rests_on_facts_that_hold(name: str) -> None:
    """Before each call of a sweep somebody else does his whole work: in the end every promise is kept, one contact
    at most is made for a step, and nobody is decided about by facts that were no longer so.
    """
    at = 0
    while True:
        here = world()
        here.clock.advance(STEP_AT)
        before: list[str] = []

        def between(here: World = here, before: list[str] = before) -> None:
            BREAK_INS[name](here)
            before += [record.id for record in records_of(here)]

        stores = Interrupted(here.memory, at, between)
        assert sweep(stores.stores, POLICIES, 0, now=STEP_AT, limit=10).broken == ()
        if not stores.happened:
            break
        head = here.memory.pages(TENANT, "b1").head
        assert head is not None
        for written in records_of(here):
            assert written.id in before or written.body["borrower_version"] == head.version
        played_out(here)
        steps = [contact.step for contact in here.memory.all_contacts()]
        assert len(steps) == len(set(steps))
        assert not findings(here).duplicates
        assert not findings(here).undecided
        assert not findings(here).out_of_window
        assert chains_hold(here)
        if name == "pays":
            assert here.provider.accepted == []
        at += 1
    assert at >= 3


def test_a_worker_may_die_at_any_call() -> None:
    """The next tick finds what is left: one decision a step, one message."""
    at = 0
    while True:
        here = many(3)
        try:
            sweep(Broken(here.memory, at).stores, POLICIES, 0, now=STEP_AT, limit=10)
            break
        except WorkerGone:
            at += 1
        swept(here)
        assert len(here.memory.all_contacts()) == 3
        assert len([r for r in records_of(here) if r.kind == "decision"]) == 3
    assert at >= 6


class _Sour(Interrupted):
    """Stores in which some borrowers cannot be looked at."""

    def __init__(self, memory: Memory, error: Exception, *borrower_ids: str) -> None:
        super().__init__(memory, -1, lambda: None)
        self._sour, self._error = borrower_ids, error

    def pages(self, tenant: str, borrower_id: str) -> Pages:
        if borrower_id in self._sour:
            raise self._error
        return super().pages(tenant, borrower_id)


def crowd(size: int = 3) -> World:
    """Return a world of so many borrowers with a bill each, all due at once."""
    here = world()
    for n in range(2, size + 1):
        account_id = f"a{n}"
        tell(
            here, person(f"b{n}@borrowers.example"), account(account_id), bill(f"o{n}", account_id=account_id),
            borrower_id=f"b{n}",
        )  # fmt: skip
    here.clock.advance(STEP_AT)
    return here


@pytest.mark.parametrize("borrower_id", ["b1", "b2", "b3"])
@pytest.mark.parametrize(
    "error",
    [AssertionError("x"), KeyError("x"), ValueError("x"), TypeError("x"), Unavailable("x")],
)
def test_one_failing_obligation_keeps_no_other_from_its_decision(
    borrower_id: str, error: Exception
) -> None:
    """Wherever it stands in the order: the others are decided, and the tally names it and no more."""
    here = crowd()
    stores = _Sour(here.memory, error, borrower_id)
    done = sweep(stores.stores, POLICIES, 0, now=STEP_AT, limit=10)
    named = f"{borrower_id}/{borrower_id.replace('b', 'o')} ({type(error).__name__})"
    assert (done.looks, done.broken, done.more) == (2, (named,), False)
    decided = {contact.borrower_id for contact in here.memory.all_contacts()}
    assert decided == {"b1", "b2", "b3"} - {borrower_id}
    swept(here)
    assert len(here.memory.all_contacts()) == 3


def test_broken_obligations_in_front_do_not_use_up_the_limit() -> None:
    """More of them than the limit: what is due behind them is decided all the same."""
    here = crowd(6)
    stores = _Sour(here.memory, AssertionError("x"), "b1", "b2", "b3")
    done = sweep(stores.stores, POLICIES, 0, now=STEP_AT, limit=2)
    assert (done.looks, len(done.broken), done.more) == (2, 3, True)
    assert {contact.borrower_id for contact in here.memory.all_contacts()} == {"b4", "b5"}


def test_a_sweep_goes_on_behind_what_was_done() -> None:
    """With `after` of the one before it meets the broken obligations in front no second time."""
    here = crowd(6)
    stores = _Sour(here.memory, AssertionError("x"), "b1", "b2", "b3").stores
    first = sweep(stores, POLICIES, 0, now=STEP_AT, limit=2)
    rest = sweep(stores, POLICIES, 0, now=STEP_AT, limit=2, after=first.after)
    assert (rest.looks, rest.broken, rest.more, rest.after) == (1, (), False, "")
    assert len(here.memory.all_contacts()) == 3


def test_a_borrower_whose_read_stays_torn_is_left_for_the_next_tick() -> None:
    """Nothing is wrong with it: it is counted as left, the others are decided."""
    here = crowd()
    done = sweep(_Sour(here.memory, Stale(), "b1").stores, POLICIES, 0, now=STEP_AT, limit=10)
    assert (done.looks, done.left, done.contacts) == (3, 1, 2)
    swept(here)
    assert len(here.memory.all_contacts()) == 3


def test_a_store_out_of_reach_stops_the_sweep() -> None:
    """What was decided before stays decided; trying the others too would only add to the load."""
    here = crowd(MAX_SILENT + 2)
    silent = [f"b{n}" for n in range(2, MAX_SILENT + 3)]
    stores = _Sour(here.memory, Unavailable("throttled"), *silent)
    with pytest.raises(Unavailable):
        sweep(stores.stores, POLICIES, 0, now=STEP_AT, limit=100)
    assert [contact.borrower_id for contact in here.memory.all_contacts()] == ["b1"]


def test_borrowers_out_of_reach_here_and_there_stop_nothing() -> None:
    """However many there are, as long as others between them answer."""
    here = crowd(2 * MAX_SILENT + 2)
    order = [due.borrower_id for due in here.memory.due(0, STEP_AT, limit=100).looks]
    done = sweep(
        _Sour(here.memory, Unavailable("throttled"), *order[::2]).stores,
        POLICIES, 0, now=STEP_AT, limit=100,
    )  # fmt: skip
    assert (done.looks, len(done.broken)) == (MAX_SILENT + 1, MAX_SILENT + 1)


def test_a_lost_message_is_offered_again() -> None:
    """The channel's queue lost it: after ten minutes the contact is offered once more, and sent once."""
    here = world()
    swept(here)
    contact_id = here.memory.ready.popleft()
    swept(here, STEP_AT + 10 * MINUTE)
    assert list(here.memory.ready) == [contact_id]
    assert contact_of(here, contact_id).offers == 2
    played_out(here, "2026-03-07 00:00")
    assert len(here.provider.accepted) == 1


def test_a_contact_nobody_ever_takes_expires_and_the_agenda_goes_on() -> None:
    """Offered again and again in vain: at its end it is expired, and the next step has its turn."""
    here = world()
    now = STEP_AT
    while now < utc("2026-03-08 03:00"):
        swept(here, now)
        here.memory.ready.clear()
        now += 10 * MINUTE
    first, second = sorted(here.memory.all_contacts(), key=lambda contact: contact.decided_at)
    assert (first.step, first.state) == ("D-3", State.EXPIRED)
    assert (second.step, second.state) == ("D-1", State.READY)
    assert first.offers < 150


def test_a_payment_between_the_steps_instant_and_a_late_sweep_is_explained() -> None:
    """The platform was down: the step came due, then the money came. Nothing is sent, and the ledger says why."""
    here = world()
    here.clock.advance(STEP_AT + timedelta(hours=1))
    tell(here, money(paid_at=STEP_AT + timedelta(hours=1)))
    played_out(here)
    assert here.provider.accepted == []
    [written] = records_of(here)
    assert (written.body["step"], written.body["reason"]) == ("D-3", "paid")
    assert bill_of(here).watch.look_at is None
    assert findings(here).all_kept


def test_a_wait_that_money_ends_is_explained() -> None:
    """Held back by the night, paid before the morning: the wait is followed by its end."""
    here = world()
    here.clock.advance(utc("2026-03-06 15:00"))
    swept(here, here.clock.now())
    assert [str(r.body["decision"]) for r in records_of(here)] == ["wait"]
    here.clock.advance(utc("2026-03-06 20:00"))
    tell(here, money(paid_at=here.clock.now()))
    played_out(here)
    assert [str(r.body["decision"]) for r in records_of(here)] == ["wait", "suppress"]
    assert findings(here).all_kept


def test_a_reversal_lets_no_step_speak_twice() -> None:
    """Explained as paid, then the money is taken back: the step is over, the next one speaks."""
    here = world()
    here.clock.advance(STEP_AT + MINUTE)
    tell(here, money(paid_at=STEP_AT + MINUTE))
    swept(here, STEP_AT + MINUTE)
    here.clock.advance(STEP_AT + timedelta(hours=1))
    tell(here, back("r1", here.clock.now()))
    played_out(here, "2026-03-09 01:00")
    steps = [contact_of(here, arrived.letter.contact_id).step for arrived in here.provider.accepted]
    assert steps == ["D-1"]
    assert findings(here).all_kept
