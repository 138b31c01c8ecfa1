"""The agenda: which steps apply, which comes next, and when an obligation must be looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from betimes.core.agenda import NEVER, is_unexplained, look_at, next_step, plan, planned
from betimes.core.book import Snapshot
from tests.core.support import (
    SECOND,
    TICK,
    TREATMENT,
    snapshot,
    snapshots,
    step,
    treatment,
    utc,
)
from tests.factories import watch

NAMES = [each.name for each in TREATMENT.steps]


def paid(seen: Snapshot, at: str) -> Snapshot:
    """Return the snapshot with the bill settled at the instant."""
    bill = replace(seen.obligation, paid_minor=120_000, settled_at=utc(at))
    return replace(seen, obligation=bill)


def decided(seen: Snapshot, *steps: str, **fields: object) -> Snapshot:
    """Return the snapshot with decisions for these steps."""
    bill = replace(seen.obligation, watch=watch(decided=steps, **fields))
    return replace(seen, obligation=bill)


def test_a_bill_told_in_time_has_every_step() -> None:
    """All eight, each at ten of its own day."""
    found = plan(snapshot(), TREATMENT)
    assert [each.step.name for each in found] == NAMES
    assert found[0].at == utc("2026-03-06 02:00")
    assert found[-1].at == utc("2026-04-08 02:00")


def test_a_step_before_the_issue_is_not_due() -> None:
    """It applies at the very instant of the issue, and not if the bill was issued a microsecond later."""
    at = utc("2026-03-06 02:00")
    assert plan(snapshot(issued_at=at), TREATMENT)[0].step.name == "D-3"
    assert plan(snapshot(issued_at=at + TICK), TREATMENT)[0].step.name == "D-1"
    assert planned(snapshot(issued_at=at + TICK), TREATMENT, "D-3") is None


def test_a_step_is_missed_after_its_catch_up() -> None:
    """The deadline is the catch-up after the step's instant; for the due day that is ten in the evening."""
    found = {each.step.name: each for each in plan(snapshot(), TREATMENT)}
    assert found["D-3"].deadline == utc("2026-03-07 02:00")
    assert found["D0"].deadline == utc("2026-03-09 14:00")


def test_two_steps_never_speak_at_once() -> None:
    """A step whose catch-up reaches into the next one ends where that one begins; the last one keeps all of its own."""
    one = step("one", offset_days=1, catch_up=timedelta(days=9))
    two = step("two", offset_days=3, catch_up=timedelta(days=9))
    first, last = plan(snapshot(), treatment(one, two))
    assert first.deadline == first.superseded_at == last.at
    assert last.superseded_at is None
    assert last.deadline == last.at + timedelta(days=9)


@given(snapshots())
def test_deadlines_are_ahead_and_do_not_overlap(seen: Snapshot) -> None:
    """In any zone, on any day: at < deadline ≤ the next step's instant."""
    steps = plan(seen, TREATMENT)
    for one, other in pairwise(steps):
        assert one.at < one.deadline <= other.at


@given(snapshots())
def test_the_next_step_is_the_first_without_a_decision(seen: Snapshot) -> None:
    """In order of time; none is left out and none comes twice."""
    rest = [p for p in plan(seen, TREATMENT) if p.step.name not in seen.obligation.watch.decided]
    assert next_step(seen, TREATMENT) == (rest[0] if rest else None)


def test_an_open_bill_is_looked_at_when_its_next_step_comes_due() -> None:
    """And never again once the treatment is complete, though it stays on the agenda."""
    now = utc("2026-03-01 00:00")
    assert look_at(snapshot(), TREATMENT, now) == utc("2026-03-06 02:00")
    assert look_at(decided(snapshot(), *NAMES[:-1]), TREATMENT, now) == utc("2026-04-08 02:00")
    assert look_at(decided(snapshot(), *NAMES), TREATMENT, now) == NEVER


def test_a_settled_bill_is_not_looked_at() -> None:
    """Nothing is left to say, whichever steps are still to come."""
    settled = paid(snapshot(), "2026-03-05 00:00")
    assert look_at(settled, TREATMENT, utc("2026-03-05 00:00")) is None


def test_an_unfinished_contact_keeps_its_review_until_the_money_comes() -> None:
    """Open: the review stays where it is. Settled: it is brought forward, so that what is in flight is settled too."""
    review, now = utc("2026-03-06 02:10"), utc("2026-03-06 02:05")
    open_bill = decided(snapshot(), "D-3", contact_id="c1", look_at=review)
    assert look_at(open_bill, TREATMENT, now) == review
    assert look_at(paid(open_bill, "2026-03-06 02:05"), TREATMENT, now) == now


def test_a_step_that_came_due_before_the_money_did_is_still_explained() -> None:
    """The look is at the settlement, whenever it is asked for; a step that came due at that instant needs none."""
    step_at = utc("2026-03-06 02:00")
    late = paid(snapshot(), "2026-03-06 02:00")
    late = replace(late, obligation=replace(late.obligation, settled_at=step_at + SECOND))
    for now in (step_at + SECOND, step_at + timedelta(days=3)):
        assert look_at(late, TREATMENT, now) == step_at + SECOND
    in_time = replace(late, obligation=replace(late.obligation, settled_at=step_at))
    assert look_at(in_time, TREATMENT, step_at) is None


def test_money_that_was_there_before_we_heard_of_the_bill_needs_no_explanation() -> None:
    """A bill that is paid when it is told of: its steps were never ours."""
    told = utc("2026-03-20 00:00")
    settled = paid(snapshot(stored_at=told), "2026-03-20 00:00")
    assert not is_unexplained(settled, TREATMENT)
    assert look_at(settled, TREATMENT, told) is None


@given(snapshots(), st.integers(-3, 40))
def test_a_look_is_never_later_than_the_next_step(seen: Snapshot, days: int) -> None:
    """Whatever the obligation's life: an open one without a contact is looked at exactly when its next step comes
    due.
    """
    now = seen.obligation.stored_at + timedelta(days=days)
    at, coming = look_at(seen, TREATMENT, now), next_step(seen, TREATMENT)
    if not seen.obligation.is_open:
        assert at in (None, seen.obligation.settled_at)
    else:
        assert at == (coming.at if coming else NEVER)


def test_the_hour_of_a_step_is_the_borrowers_own() -> None:
    """The same bill is looked at at another instant in another zone."""
    here, there = snapshot(), snapshot(zone="America/New_York")
    assert plan(there, TREATMENT)[0].at - plan(here, TREATMENT)[0].at == timedelta(hours=13)


def test_steps_of_one_day_keep_their_order() -> None:
    """Morning before evening of the same day."""
    morning, evening = step("morning", send_at=time(9)), step("evening", send_at=time(18))
    first, last = plan(snapshot(due_on=date(2026, 3, 9)), treatment(morning, evening))
    assert (first.step.name, first.deadline) == ("morning", last.at)
