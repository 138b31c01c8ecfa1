"""What stops contact is taken as it is told: a settlement told late, a longer wait, a hold opened again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from betimes.core.book import Pages
from betimes.core.change import changes_between
from betimes.core.flight import Flight, FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.intake import (
    AddRepayment,
    AmendObligation,
    Command,
    LiftHold,
    Outcome,
    PutAccount,
    PutFlight,
    PutHold,
    ReverseRepayment,
    accept,
)
from tests.core.support import DAY, POLICIES, TICK
from tests.core.test_intake import BILL, NOW, OWING, code

HOUR = timedelta(hours=1)
PATIENCE = timedelta(hours=24)
TRANSFER = PutFlight(
    "f1", "a1", "o1", Means.TRANSFER, 1000, FlightState.PENDING, NOW, NOW + 3 * HOUR
)
DISPUTE = PutHold("h1", Kind.DISPUTE, NOW)


def after(pages: Pages, command: Command, at: datetime) -> tuple[Pages, Outcome]:
    """Return the pages after a command told at an instant, and what it did."""
    return accept(pages, command, POLICIES, shards=1, now=at)


def played(events: Sequence[tuple[Command, datetime]], pages: Pages = OWING) -> Pages:
    """Return the pages after commands, each told at its instant."""
    for command, at in events:
        pages, _ = after(pages, command, at)
    return pages


def ended(state: FlightState, at: datetime) -> PutFlight:
    """Return how the end of the transfer is told by whoever says when it was reached and nothing else."""
    return replace(TRANSFER, state=state, at=at, expected_by=at)


def flight_of(pages: Pages) -> Flight:
    """Return the money in flight."""
    return pages.flights["f1"]


def hold_of(pages: Pages) -> Hold:
    """Return the hold."""
    return pages.holds["h1"]


def silences(pages: Pages, at: datetime) -> bool:
    """Return whether a flight that the bill still has to heed silences it at an instant."""
    flights = pages.snapshot("o1", POLICIES.profiles).flights
    return any(
        (end := flight.silent_until(PATIENCE)) is not None and at < end for flight in flights
    )


def test_a_settlement_told_late_silences_from_when_it_was_told() -> None:
    """Its repayment takes as long to be told after that as after any other."""
    told_at = NOW + 50 * HOUR
    pages = played([(TRANSFER, NOW), (ended(FlightState.SETTLED, NOW + HOUR), told_at)])
    assert flight_of(pages).ended_at == NOW + HOUR
    assert flight_of(pages).told_at == told_at
    assert flight_of(pages).silent_until(PATIENCE) == told_at + PATIENCE


def test_a_settlement_silences_no_shorter_than_the_wait_for_it() -> None:
    """Good news must not bring a reminder forward."""
    far = replace(TRANSFER, expected_by=NOW + 100 * HOUR)
    pages = played([(far, NOW), (ended(FlightState.SETTLED, NOW + HOUR), NOW + HOUR)])
    assert flight_of(pages).silent_until(PATIENCE) == far.expected_by + PATIENCE


def test_a_failure_silences_nothing_whenever_it_is_told() -> None:
    """Its step counts from when it failed."""
    pages = played([(TRANSFER, NOW), (ended(FlightState.FAILED, NOW + HOUR), NOW + 50 * HOUR)])
    assert flight_of(pages).silent_until(PATIENCE) is None
    assert flight_of(pages).ended_at == NOW + HOUR


def test_a_result_that_takes_longer_is_waited_for_longer() -> None:
    """Told again with a later instant it is taken; with an earlier or the same one it changes nothing."""
    pages = played([(TRANSFER, NOW)])
    later = replace(TRANSFER, expected_by=TRANSFER.expected_by + DAY)
    longer, did = after(pages, later, NOW + HOUR)
    assert did is Outcome.STORED
    assert flight_of(longer).expected_by == later.expected_by
    assert longer.held > pages.held, "half of it read must show"
    for command in (TRANSFER, later):
        assert after(longer, command, NOW + 2 * HOUR) == (longer, Outcome.UNCHANGED)


def test_what_has_ended_is_not_waited_for_longer() -> None:
    """A message that comes late changes nothing."""
    pages = played([(TRANSFER, NOW), (ended(FlightState.SETTLED, NOW + HOUR), NOW + HOUR)])
    for late in (
        replace(TRANSFER, expected_by=TRANSFER.expected_by + DAY),
        ended(FlightState.SETTLED, NOW + 2 * HOUR),
    ):
        assert after(pages, late, NOW + 3 * HOUR) == (pages, Outcome.UNCHANGED)


@pytest.mark.parametrize("money_first", [True, False])
@pytest.mark.parametrize(
    ("told", "answered"),
    [
        (AddRepayment("r1", "o1", "a1", NOW + HOUR, 300), True),
        (AddRepayment("r1", "", "a1", NOW + HOUR, 300), True),
        (AddRepayment("r1", "o1", "a1", NOW + HOUR, 299), False),
        (AddRepayment("r1", "o1", "a1", NOW + HOUR, 301), False),
        (AddRepayment("r1", "o1", "a1", NOW + HOUR, 300, credit=True), False),
    ],
    ids=["of the bill", "of the account", "less", "other money", "a credit note"],
)
def test_the_repayment_that_a_settled_flight_brought_ends_its_silence(
    told: AddRepayment, answered: bool, money_first: bool
) -> None:
    """What is left of the debt may be spoken of at once, whichever of the two is told first."""
    part = replace(TRANSFER, amount_minor=300)
    settled = replace(part, state=FlightState.SETTLED, at=NOW + HOUR)
    both: list[tuple[Command, datetime]] = [(settled, NOW + 2 * HOUR), (told, NOW + 2 * HOUR)]
    pages = played([(part, NOW), *(both[::-1] if money_first else both)])
    assert silences(pages, NOW + 3 * HOUR) is not answered


def test_a_refund_is_answered_by_a_credit_note() -> None:
    """And by nothing that the borrower paid meanwhile."""
    refund = replace(TRANSFER, means=Means.REFUND, amount_minor=300)
    settled = replace(refund, state=FlightState.SETTLED, at=NOW + HOUR)
    pages = played([(refund, NOW), (settled, NOW + HOUR)])
    paid = AddRepayment("r1", "o1", "a1", NOW + HOUR, 300)
    assert silences(played([(paid, NOW + HOUR)], pages), NOW + 2 * HOUR)
    assert not silences(played([(replace(paid, credit=True), NOW + HOUR)], pages), NOW + 2 * HOUR)


def test_a_repayment_answers_one_flight_and_none_that_began_after_it() -> None:
    """Two transfers of the same amount need two repayments, and yesterday's money is not today's."""
    first = replace(TRANSFER, amount_minor=300)
    second = replace(first, flight_id="f2")
    done: list[tuple[Command, datetime]] = [
        (replace(each, state=FlightState.SETTLED, at=NOW + HOUR), NOW + HOUR)
        for each in (first, second)
    ]
    money = AddRepayment("r1", "o1", "a1", NOW, 300)
    pages = played([(first, NOW), (second, NOW), *done, (money, NOW + HOUR)])
    assert silences(pages, NOW + 2 * HOUR)
    pages = played([(replace(money, repayment_id="r2"), NOW + HOUR)], pages)
    assert not silences(pages, NOW + 2 * HOUR)
    # Taken back, it was that money all the same.
    assert not silences(
        played([(ReverseRepayment("r2", NOW + HOUR), NOW + HOUR)], pages), NOW + 2 * HOUR
    )
    early = played([(replace(money, paid_at=NOW - DAY), NOW - TICK), (first, NOW), done[0]])
    assert silences(early, NOW + 2 * HOUR)


def test_money_that_is_pending_is_answered_by_no_repayment() -> None:
    """As long as nobody says that it has settled, it may come on top."""
    part = replace(TRANSFER, amount_minor=300)
    money = AddRepayment("r1", "o1", "a1", NOW, 300)
    assert silences(played([(part, NOW), (money, NOW + HOUR)]), NOW + 2 * HOUR)


LIFTED_AT = NOW + DAY
LATER = NOW + 3 * DAY


def lifted(command: PutHold = DISPUTE) -> Pages:
    """Return the pages with a hold that was lifted."""
    return played([(command, NOW), (LiftHold("h1", LIFTED_AT), LIFTED_AT)])


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (DISPUTE, replace(DISPUTE, starts_at=LATER)),
        (DISPUTE, replace(DISPUTE, ends_at=LATER + DAY)),
        (replace(DISPUTE, ends_at=NOW + 2 * DAY), replace(DISPUTE, ends_at=LATER + DAY)),
        (replace(DISPUTE, ends_at=NOW + 2 * DAY), DISPUTE),
    ],
    ids=["a later start", "an end", "a later end", "no end any more"],
)
def test_a_hold_that_is_opened_again_stops_again(first: PutHold, again: PutHold) -> None:
    """Told again under its id with a start or an end after it was lifted; that is told twice like anything else."""
    pages, did = after(lifted(first), again, LATER)
    assert did is Outcome.STORED
    assert hold_of(pages).covers(LATER)
    assert after(pages, again, LATER + HOUR) == (pages, Outcome.UNCHANGED)
    # The lift of its first life, delivered once more, ends nothing.
    assert after(pages, LiftHold("h1", LIFTED_AT), LATER + HOUR) == (pages, Outcome.UNCHANGED)
    over, did = after(pages, LiftHold("h1", LATER + HOUR), LATER + HOUR)
    assert did is Outcome.STORED
    assert not hold_of(over).covers(LATER + HOUR)


@pytest.mark.parametrize(
    "again",
    [
        DISPUTE,
        replace(DISPUTE, starts_at=NOW - DAY),
        replace(DISPUTE, starts_at=NOW + HOUR),
        replace(DISPUTE, ends_at=LIFTED_AT),
    ],
    ids=["as it was", "an earlier start", "a start before the lift", "an end at the lift"],
)
def test_a_hold_that_is_corrected_stays_lifted(again: PutHold) -> None:
    """Neither what was told before nor another date of what is over opens it."""
    pages, _ = after(lifted(), again, LATER)
    assert hold_of(pages).lifted_at == LIFTED_AT
    assert not hold_of(pages).covers(LATER)


def test_a_hold_that_was_called_off_before_it_started_is_not_opened_by_being_told_twice() -> None:
    """Its start lies after its lift, but it is no other start than before."""
    coming = replace(DISPUTE, starts_at=LATER)
    pages = played([(coming, NOW), (LiftHold("h1", LIFTED_AT), LIFTED_AT)])
    assert after(pages, coming, LIFTED_AT + HOUR) == (pages, Outcome.UNCHANGED)


def test_a_promise_that_is_made_again_counts_money_from_then_on() -> None:
    """What kept the first one does not keep the second."""
    promise = PutHold("h1", Kind.PROMISE, NOW, promise_minor=300, promise_on=date(2026, 3, 2))
    paid = AddRepayment("r1", "o1", "a1", NOW, 300)
    pages = played([(promise, NOW), (paid, NOW), (LiftHold("h1", LIFTED_AT), LIFTED_AT)])
    assert hold_of(pages).is_kept(pages.obligations["o1"].paid_minor)
    again = replace(promise, starts_at=LATER, promise_on=date(2026, 3, 6))
    pages = played([(again, LATER)], pages)
    assert not hold_of(pages).is_kept(pages.obligations["o1"].paid_minor)
    assert hold_of(pages).told_at == LATER


def test_a_hold_that_is_lifted_before_it_starts_was_never_there() -> None:
    """The plan it would have stopped goes on."""
    pages = played([(replace(DISPUTE, starts_at=LATER), NOW), (LiftHold("h1", NOW), NOW)])
    assert not any(hold_of(pages).covers(LATER + n * DAY) for n in range(-5, 5))
    assert pages.obligations["o1"].watch.look_at == OWING.obligations["o1"].watch.look_at


def test_a_hold_that_is_told_when_it_is_over_stops_nothing() -> None:
    """It is stored: what went out inside it can be named."""
    past = replace(DISPUTE, starts_at=NOW - 3 * DAY, ends_at=NOW - DAY)
    pages, did = after(OWING, past, NOW)
    assert did is Outcome.STORED
    assert not hold_of(pages).covers(NOW)
    assert hold_of(pages).covers(NOW - 2 * DAY)
    assert pages.obligations["o1"].watch.look_at == OWING.obligations["o1"].watch.look_at


def test_a_stop_for_a_debt_of_another_account_is_refused() -> None:
    """It would be stored and stop nothing."""
    two = played([(PutAccount("a2", "card", "CNY", date(2024, 5, 6)), NOW)])
    assert code(two, replace(TRANSFER, account_id="a2")) == ("wrong_account", "account_id")
    assert code(two, replace(DISPUTE, account_id="a2", obligation_id="o1")) == (
        "wrong_account",
        "account_id",
    )


def test_an_amendment_to_the_same_terms_is_no_new_cycle() -> None:
    """What was decided stays decided, and only the revision is written."""
    bill = OWING.obligations["o1"]
    spoken = replace(bill.watch, decided=("D-3",), spoken=(("D-3", NOW),))
    pages = OWING.with_obligation(replace(bill, watch=spoken))
    same = AmendObligation(
        "o1", 4, BILL.due_on, BILL.principal_minor, BILL.amount_minor, BILL.minimum_minor
    )
    again, did = after(pages, same, LATER)
    assert did is Outcome.STORED
    amended = again.obligations["o1"]
    assert (amended.revision, amended.redated_at, amended.cycle) == (4, None, bill.cycle)
    assert (amended.watch.decided, amended.watch.spoken) == (("D-3",), (("D-3", NOW),))
    assert len(changes_between(pages, again)) == 3, "the head's check, the account, the bill"
