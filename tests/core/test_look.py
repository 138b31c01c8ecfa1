"""One look at one obligation: everything due is decided in it, every decision is on record, and the next look is
set.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import agenda, ids
from betimes.core.book import Snapshot
from betimes.core.contact import Contact, Event, State
from betimes.core.decision import Send
from betimes.core.look import REOFFER, Looked, grace, look
from betimes.core.reason import Reason
from betimes.core.treatment import MessageClass
from tests.core.support import POLICIES, SECOND, TREATMENT, snapshot, snapshots, utc
from tests.factories import contact as any_contact
from tests.factories import watch

STEP_AT = utc("2026-03-06 02:00")
NAMES = tuple(each.name for each in TREATMENT.steps)
MINUTE = timedelta(minutes=1)


def fresh(**fields: Any) -> Snapshot:
    """Return an open bill nothing has been decided about yet."""
    return snapshot(watch=watch(chain="", decided=(), contact_id=""), **fields)


def looked_at(seen: Snapshot, now: datetime, unfinished: Contact | None = None) -> Looked:
    """Return what a look leads to."""
    return look(seen, unfinished, POLICIES, now)


def watching(one: Contact, **fields: Any) -> Snapshot:
    """Return the bill whose watch names the contact."""
    return snapshot(watch=watch(contact_id=one.id, decided=("D-3",), chain="abc"), **fields)


def d3(**fields: Any) -> Contact:
    """Return the contact of the first step, offered at its instant and good until the evening."""
    default: dict[str, Any] = {
        "step": "D-3",
        "channel": "email",
        "decided_at": STEP_AT,
        "changed_at": STEP_AT,
        "not_after": utc("2026-03-06 14:00"),
    }
    return any_contact(**{**default, **fields})


def test_before_a_step_nothing_is_decided_and_nothing_recorded() -> None:
    """Only the look is set to the step's instant."""
    looked = looked_at(fresh(), STEP_AT - SECOND)
    assert looked.obligation.watch.look_at == STEP_AT
    assert (looked.records, looked.created, looked.decisions) == ((), (), ())


def test_a_due_step_creates_one_contact_with_its_record() -> None:
    """The contact's id is made of its facts; the record names it; the step is decided; the next look is its review."""
    looked = looked_at(fresh(), STEP_AT)
    [one], [written] = looked.created, looked.records
    assert one.id == ids.contact_id("bank", "b1", "o1", "1@2026-03-09", "D-3", 0)
    assert (one.state, one.channel, one.offered) == (State.READY, "email", True)
    assert one.amount == fresh().obligation.outstanding
    assert one.template == POLICIES.templates["due_soon"].id
    assert written.contact_id == one.id
    assert written.is_intact
    assert (written.body["decision"], written.body["reason"]) == ("send", "due")
    after = looked.obligation.watch
    assert (after.contact_id, after.look_at, after.decided) == (one.id, STEP_AT + REOFFER, ("D-3",))
    assert after.chain == written.hash


def test_after_an_outage_every_missed_step_gets_its_own_record() -> None:
    """One look decides all of them in order, chained, and sends the one that may still go."""
    looked = looked_at(fresh(), utc("2026-03-10 03:00"))
    assert [str(r.body["step"]) for r in looked.records] == ["D-3", "D-1", "D0", "D+1"]
    assert [d.reason for d in looked.decisions] == [Reason.CATCH_UP_EXCEEDED] * 3 + [Reason.DUE]
    hashes = ["", *(r.hash for r in looked.records)]
    assert [r.prev for r in looked.records] == hashes[:-1]
    assert [one.step for one in looked.created] == ["D+1"]


def test_a_wait_at_night_is_recorded_and_looked_at_in_the_morning() -> None:
    """The step keeps waiting for its decision."""
    looked = looked_at(fresh(), utc("2026-03-06 15:00"))
    [written] = looked.records
    assert (written.body["decision"], written.body["reason"]) == ("wait", "quiet_hours")
    assert written.body["until"] == "2026-03-07T00:00:00.000000Z"
    assert looked.obligation.watch.look_at == utc("2026-03-07 00:00")
    assert looked.obligation.watch.decided == ()


def test_a_complete_treatment_stays_on_the_agenda_out_of_reach() -> None:
    """Open, but nothing is left to say."""
    looked = looked_at(snapshot(watch=watch(decided=NAMES)), utc("2026-05-01 00:00"))
    assert looked.obligation.watch.look_at == agenda.NEVER
    assert looked.records == ()


def test_a_settled_bill_leaves_the_agenda() -> None:
    """Without a record where no step came due before the money."""
    looked = looked_at(fresh(paid_minor=120_000, settled_at=STEP_AT), STEP_AT)
    assert looked.obligation.watch.look_at is None
    assert looked.records == ()


def test_a_step_that_came_due_before_the_money_is_recorded_as_paid() -> None:
    """The platform was down at the step's instant and the money came before it was up again: the step is explained,
    and steps that had not come due are not.
    """
    settled_at = STEP_AT + timedelta(hours=1)
    seen = fresh(paid_minor=120_000, settled_at=settled_at)
    looked = looked_at(seen, STEP_AT + timedelta(hours=2))
    assert [(str(r.body["step"]), str(r.body["reason"])) for r in looked.records] == [
        ("D-3", "paid")
    ]
    assert looked.obligation.watch.look_at is None
    assert looked.created == ()


def test_a_ready_contact_is_offered_again_until_it_is_too_late() -> None:
    """Every ten minutes; the last look is at its end, where it expires."""
    one = d3()
    again = looked_at(watching(one), STEP_AT + REOFFER, one)
    [(before, after)] = again.moved
    assert (before, after.offers, after.offered) == (one, 2, True)
    assert again.obligation.watch.look_at == STEP_AT + 2 * REOFFER
    late = looked_at(watching(one), one.not_after - MINUTE, one)
    assert late.obligation.watch.look_at == one.not_after
    over = looked_at(watching(one), one.not_after, one)
    assert over.moved[0][1].state is State.EXPIRED
    assert over.records[0].body["event"] == Event.EXPIRED


@pytest.mark.parametrize(
    ("fields", "issued_at", "minutes", "reason"),
    [
        ({}, "2026-02-01 00:00", 0, Reason.QUIET_UNTIL_TOO_LATE),
        ({}, "2026-02-01 00:00", 12 * 60, Reason.CATCH_UP_EXCEEDED),
        ({}, "2026-03-06 03:00", 0, Reason.PLANNED_AFTER_WINDOW),
        ({"reason": Reason.PROVIDER_BUSY}, "2026-02-01 00:00", 0, Reason.PROVIDER_BUSY),
        ({"reason": Reason.PROVIDER_BUSY}, "2026-02-01 00:00", 12 * 60, Reason.PROVIDER_BUSY),
    ],
)
def test_a_contact_expires_for_the_true_reason(
    fields: dict[str, Any], issued_at: str, minutes: int, reason: Reason
) -> None:
    """Its window closed, its step's time passed, its step went away, or its provider never had room."""
    one = d3(**fields)
    seen = watching(one, issued_at=utc(issued_at))
    over = looked_at(seen, one.not_after + minutes * MINUTE, one)
    ended = over.moved[0][1]
    assert (ended.state, ended.reason) == (State.EXPIRED, reason)


def test_a_payment_cancels_what_is_ready() -> None:
    """With its record; nothing else is decided and nothing looked at any more."""
    one = d3()
    looked = looked_at(
        watching(one, paid_minor=120_000, settled_at=STEP_AT + MINUTE), STEP_AT + MINUTE, one
    )
    [(_, after)], [written] = looked.moved, looked.records
    assert (after.state, after.reason) == (State.CANCELLED, Reason.PAID)
    assert after.chain == written.hash
    assert (written.body["event"], written.body["state"]) == ("cancelled", "CANCELLED")
    assert (looked.obligation.watch.contact_id, looked.obligation.watch.look_at) == ("", None)


@pytest.mark.parametrize("settled", [True, False])
def test_what_may_have_gone_is_held_and_the_record_says_so(settled: bool) -> None:
    """A READY contact with an unknown attempt is neither cancelled nor expired: event and state on record agree."""
    one = d3(unknowns=1, attempt=1)
    fields = {"paid_minor": 120_000, "settled_at": STEP_AT + MINUTE} if settled else {}
    looked = looked_at(watching(one, **fields), one.not_after, one)
    after, written = looked.moved[0][1], looked.records[0]
    assert (after.state, after.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
    assert (written.body["event"], written.body["state"]) == ("held", "UNKNOWN")


def test_a_lease_is_left_alone_while_it_runs() -> None:
    """At its end the attempt becomes unknown; a second before nothing is touched, payment or not."""
    lease = STEP_AT + MINUTE
    one = d3(state=State.SENDING, attempt=1, lease_until=lease)
    for fields in ({}, {"paid_minor": 120_000, "settled_at": STEP_AT}):
        running = looked_at(watching(one, **fields), lease - SECOND, one)
        assert running.moved == ()
        assert running.obligation.watch.look_at == lease
    lost = looked_at(watching(one), lease, one)
    after = lost.moved[0][1]
    assert (after.state, after.reason, after.unknowns) == (State.UNKNOWN, Reason.LEASE_EXPIRED, 1)
    assert lost.obligation.watch.look_at == lease + grace(one)
    assert lost.obligation.watch.contact_id == one.id


@pytest.mark.parametrize(("channel", "minutes"), [("email", 15), ("sms", 30), ("push", 30)])
def test_evidence_has_its_time_before_an_unknown_outcome_is_settled(
    channel: str, minutes: int
) -> None:
    """By channel; a second before its end nothing is done."""
    one = d3(
        state=State.UNKNOWN, unknowns=1, attempt=1, channel=channel, reason=Reason.PROVIDER_TIMEOUT
    )
    by = STEP_AT + minutes * MINUTE
    waiting = looked_at(watching(one), by - SECOND, one)
    assert (waiting.moved, waiting.obligation.watch.look_at) == ((), by)
    again = looked_at(watching(one), by, one)
    after = again.moved[0][1]
    assert (after.state, after.reason, after.offered) == (
        State.READY,
        Reason.ONE_MORE_ATTEMPT,
        True,
    )
    assert again.obligation.watch.look_at == by + REOFFER


@pytest.mark.parametrize(
    ("fields", "bill", "minutes"),
    [
        ({"message_class": MessageClass.OVERDUE}, {}, 15),
        ({"unknowns": 2}, {}, 15),
        ({}, {"paid_minor": 120_000, "settled_at": STEP_AT}, 15),
        ({}, {}, 12 * 60),
    ],
)
def test_otherwise_it_is_held(fields: dict[str, Any], bill: dict[str, Any], minutes: int) -> None:
    """Counted by law, tried twice, paid in the meantime, or too late: no further attempt, in plain sight."""
    one = d3(**{"state": State.UNKNOWN, "unknowns": 1, "attempt": 1, **fields})
    looked = looked_at(watching(one, **bill), STEP_AT + minutes * MINUTE, one)
    after = looked.moved[0][1]
    assert (after.state, after.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
    assert looked.obligation.watch.contact_id == ""


@pytest.mark.parametrize(
    "state",
    [s for s in State if s not in (State.READY, State.SENDING, State.UNKNOWN, State.REFUSED)],
)
def test_a_finished_contact_lets_the_agenda_go_on(state: State) -> None:
    """The watch lets go of it and the next step is looked at."""
    one = d3(state=state)
    looked = looked_at(watching(one), STEP_AT + MINUTE, one)
    assert (looked.moved, looked.records) == ((), ())
    assert looked.obligation.watch.contact_id == ""
    assert looked.obligation.watch.look_at == utc("2026-03-08 02:00")


@given(snapshots(), st.timedeltas(timedelta(days=-10), timedelta(days=60)))
def test_every_look_moves_on(seen: Snapshot, offset: timedelta) -> None:
    """Whatever is true: the next look lies ahead (or never comes), at most one contact is made and it is watched,
    records are intact and chained, each step is decided once, and looking again at the same instant decides nothing
    more.
    """
    now = datetime.combine(seen.obligation.due_on, time(), UTC) + offset
    looked = looked_at(seen, now)
    after = looked.obligation.watch
    assert after.look_at is None or after.look_at > now
    assert (after.look_at is None) is (seen.obligation.settled_at is not None)
    assert len(looked.created) <= 1
    assert after.contact_id == (looked.created[0].id if looked.created else "")
    assert len(set(after.decided)) == len(after.decided)
    chain = seen.obligation.watch.chain
    for written in looked.records:
        assert written.prev == chain
        assert written.is_intact
        chain = written.hash
    assert after.chain == chain
    assert len(looked.decisions) == len(looked.records)
    if not looked.created:
        again = looked_at(replace(seen, obligation=looked.obligation), now)
        waits = [r for r in again.records if r.body["decision"] == "wait"]
        assert len(again.records) == len(waits) <= 1
    for decision in looked.decisions:
        if isinstance(decision, Send):
            assert seen.obligation.is_open
