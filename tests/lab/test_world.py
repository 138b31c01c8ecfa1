"""The lab's world: time, queues and the pretend provider behave as AWS does where it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.contact import Event, State
from betimes.core.message import Text
from betimes.flows.dispatch import Dispatched
from betimes.lab.world import TENANT, Faults, Provider, VirtualClock, WorkerDied, World
from betimes.ports import Accepted, Letter, Refused, Unknown
from tests.core.support import POLICIES, TICK, utc
from tests.flows.harness import (
    MINUTE,
    STEP_AT,
    TOLD_AT,
    account,
    back,
    bill,
    bill_of,
    chains_hold,
    findings,
    money,
    of_b1,
    person,
    played_out,
    swept,
    tell,
    world,
)


def letter(mailbox: str, attempt: int = 1) -> Letter:
    """Return a letter to a rehearsal address."""
    text = Text("email", "en", "a", "b")
    return Letter("c_1", attempt, TENANT, f"{mailbox}@borrowers.example", text)


def test_the_clock_never_goes_back() -> None:
    """Whatever it is told."""
    clock = VirtualClock(TOLD_AT)
    clock.advance(TOLD_AT - MINUTE)
    assert clock.now() == TOLD_AT
    clock.advance(TOLD_AT + MINUTE)
    assert clock.now() == TOLD_AT + MINUTE


@pytest.mark.parametrize(
    ("mailbox", "answers", "reports", "arrived"),
    [
        ("li", [Accepted], [Event.DELIVERED], 1),
        ("refused", [Refused], [], 0),
        ("busy", [Refused, Accepted], [Event.DELIVERED], 1),
        ("hard", [Accepted], [Event.BOUNCED_HARD], 1),
        ("soft", [Accepted], [Event.BOUNCED_SOFT], 1),
        ("failed", [Accepted], [Event.FAILED], 1),
        ("complaint", [Accepted], [Event.DELIVERED, Event.COMPLAINED], 1),
        ("timeout-lost", [Unknown, Accepted], [Event.DELIVERED], 1),
        ("timeout-silent", [Unknown, Unknown, Unknown], [], 0),
        ("timeout-accepted", [Unknown], [Event.DELIVERED, Event.ACCEPTED], 1),
    ],
)
def test_an_address_rehearses_its_outcome(
    mailbox: str, answers: list[type], reports: list[Event], arrived: int
) -> None:
    """Answer by answer, with the reports that follow."""
    provider = Provider(VirtualClock(TOLD_AT))
    given_back = [provider.send(letter(mailbox, n)) for n in range(1, len(answers) + 1)]
    assert [type(answer) for answer in given_back] == answers
    assert [report.event for report in provider.reports] == reports
    assert len(provider.accepted) == arrived
    assert provider.asked["c_1"] == len(answers)
    assert len({report.key for report in provider.reports}) == len(reports)


def test_a_worker_dies_once() -> None:
    """Between claim and call; the next attempt goes through."""
    provider = Provider(VirtualClock(TOLD_AT))
    with pytest.raises(WorkerDied):
        provider.send(letter("crash"))
    assert provider.accepted == []
    assert isinstance(provider.send(letter("crash", 2)), Accepted)


def test_time_stops_at_every_instant_at_which_something_is_due() -> None:
    """And goes on to the end that was asked for."""
    here = world()
    here.run_until(utc("2026-03-12 03:00"))
    assert here.clock.now() == utc("2026-03-12 03:00")
    assert [arrived.at for arrived in here.provider.accepted] == [
        utc(f"2026-03-{day} 02:00") for day in ("06", "08", "09", "10", "12")
    ]


def test_the_end_asked_for_is_included() -> None:
    """What is due at that very instant is done; a moment earlier it is not."""
    here = world()
    here.run_until(STEP_AT - timedelta(microseconds=1))
    assert here.provider.accepted == []
    here.run_until(STEP_AT)
    assert len(here.provider.accepted) == 1


def test_the_same_history_leaves_the_same_world() -> None:
    """Nothing in it depends on chance, on the hash seed or on the machine's clock."""
    one, other = (
        played_out(world("busy@borrowers.example")),
        played_out(world("busy@borrowers.example")),
    )
    assert one.memory.everyone() == other.memory.everyone()
    assert one.memory.all_contacts() == other.memory.all_contacts()
    assert one.memory.of_borrower(TENANT, "b1") == other.memory.of_borrower(TENANT, "b1")


def test_a_repeated_message_is_taken_once() -> None:
    """Streams and queues deliver at least once."""
    here = world()
    swept(here)
    here.memory.ready.extend([*here.memory.ready] * 3)
    here.memory.book_changes.extend([(TENANT, "b1")] * 3)
    here.settle()
    here.memory.ready.append(here.memory.all_contacts()[0].id)
    here.settle()
    assert len(here.provider.accepted) == 1
    assert here.dispatched == Counter({Dispatched.ACCEPTED: 1, Dispatched.NOT_READY: 1})


# A month of faults: what can happen at any time, drawn and shuffled.

MAILBOXES = ("li", "busy", "refused", "hard", "soft", "complaint", "failed", "timeout-lost", "timeout-silent",
             "timeout-accepted", "crash")  # fmt: skip


def _pay(here: World, n: int, minor: int) -> None:
    # Not at the very instant of a message: which came first could not be told.
    here.clock.advance(here.clock.now() + TICK)
    key = f"r{n}-{minor}-{len(here.memory.pages(TENANT, f'b{n}').repayments)}"
    paid = money(key, minor, obligation_id=f"o{n}", account_id=f"a{n}", paid_at=here.clock.now())
    tell(here, paid, borrower_id=f"b{n}")


def _take_back(here: World, n: int) -> None:
    here.clock.advance(here.clock.now() + TICK)
    for repayment in here.memory.pages(TENANT, f"b{n}").repayments.values():
        if repayment.reversed_at is None:
            tell(here, back(repayment.id, here.clock.now()), borrower_id=f"b{n}")
            return


FAULTS: dict[str, Callable[[World, int], object]] = {
    "pays": lambda here, n: _pay(here, n, 1000),
    "pays a part": lambda here, n: _pay(here, n, 300),
    "takes money back": _take_back,
    "is told again": lambda here, n: tell(here, account(f"a{n}"), borrower_id=f"b{n}"),
    "loses the queue": lambda here, _: here.memory.ready.clear(),
    "loses the stream": lambda here, _: here.memory.book_changes.clear(),
    "repeats the queue": lambda here, _: here.memory.ready.extend(
        contact.id for contact in here.memory.all_contacts()
    ),
    "repeats the stream": lambda here, n: here.memory.book_changes.append((TENANT, f"b{n}")),
    "repeats the reports": lambda here, _: here.provider.reports.extend(
        [*here.provider.reports] * 2
    ),
    "sweeps": lambda here, _: swept(here, here.clock.now()),
    "settles": lambda here, _: here.settle(),
    "lets an hour pass": lambda here, _: here.clock.advance(here.clock.now() + 60 * MINUTE),
    "lets a night pass": lambda here, _: here.clock.advance(here.clock.now() + 13 * 60 * MINUTE),
    "lets days pass": lambda here, _: here.run_until(here.clock.now() + timedelta(days=3)),
}


@given(
    st.lists(st.sampled_from(MAILBOXES), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 2)), max_size=25),
)
def test_no_month_of_faults_breaks_a_promise(
    mailboxes: list[str], faults: list[tuple[str, int]]
) -> None:
    """Outages, lost and repeated messages, payments at any time and every way of a provider to fail: at the end
    every step is decided, nobody was written to after the money, twice, or at night, every chain holds, nothing is
    left in flight, and no settled bill is on the agenda.
    """
    here = World(POLICIES, TOLD_AT, shards=2)
    for n, mailbox in enumerate(mailboxes):
        person_of = person(f"{mailbox}@borrowers.example", "+8613800000000" if n else "")
        tell(
            here,
            person_of,
            account(f"a{n}"),
            bill(f"o{n}", account_id=f"a{n}"),
            borrower_id=f"b{n}",
        )
    here.clock.advance(STEP_AT)
    for name, n in faults:
        FAULTS[name](here, n % len(mailboxes))
    played_out(here)
    assert findings(here).all_kept
    assert all(contact.is_finished for contact in here.memory.all_contacts())
    assert not any(contact.state is State.SENDING for contact in here.memory.all_contacts())
    for pages in here.memory.everyone():
        assert not pages.is_torn
        for each in pages.obligations.values():
            assert not each.watch.contact_id
            assert each.is_open or each.watch.look_at is None
    assert chains_hold(here)


def test_the_faults_of_this_test_can_break_a_promise() -> None:
    """Guards the property above: money of before the message, told after it, is found."""
    here = world()
    late = of_b1(money(paid_at=STEP_AT - MINUTE))
    here.clock.advance(STEP_AT)
    here.tick()
    here.intake.take_in(TENANT, [late], here.clock.now())
    assert findings(here).after_payment
    assert bill_of(here).paid_minor == 1000


def faulty(faults: Faults) -> World:
    """Return a world with one bill, whose queue has these faults."""
    here = World(POLICIES, TOLD_AT, shards=1, faults=faults)
    tell(here, person(), account(), bill())
    return here


def test_a_queue_may_hand_a_contact_over_late() -> None:
    """By some minutes, the same for the same contact; what has gone by then goes no more."""
    here = faulty(Faults(late_in=1))
    here.run_until(STEP_AT)
    assert not here.provider.accepted
    here.run_until(STEP_AT + timedelta(hours=1))
    (arrived,) = here.provider.accepted
    late = arrived.at - STEP_AT
    assert timedelta(minutes=1) <= late <= timedelta(minutes=45)
    assert late == here.faults.by(arrived.letter.contact_id)
    assert here.late >= 1
    assert here.repeated == 0
    assert findings(here).all_kept


def test_a_queue_may_hand_a_contact_over_twice() -> None:
    """At once and again later: one message goes."""
    here = faulty(Faults(twice_in=1))
    here.run_until(STEP_AT + timedelta(hours=1))
    assert [arrived.at for arrived in here.provider.accepted] == [STEP_AT]
    assert here.dispatched[Dispatched.NOT_READY] == here.repeated == 1
    assert here.late == 0


def test_faults_strike_some_contacts_and_depend_on_nothing_else() -> None:
    """About one in as many as was asked for; none at all by default."""
    faults, names = Faults(late_in=10, twice_in=5), [f"c_{n}" for n in range(1_000)]
    assert 50 < sum(map(faults.is_late, names)) < 150
    assert 120 < sum(map(faults.is_repeated, names)) < 280
    assert not any(Faults().is_late(name) or Faults().is_repeated(name) for name in names)
