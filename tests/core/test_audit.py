"""The audit finds what it is there to find: each kind of broken promise is planted here and must be named."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from betimes.core.audit import Arrival, Findings, audit
from betimes.core.book import Pages
from betimes.core.contact import Contact
from betimes.core.money import Money
from betimes.core.record import Record
from betimes.core.treatment import MessageClass
from tests.core.support import POLICIES, SECOND, TICK, utc
from tests.factories import borrower, contact, early, obligation, pages, record, repayment

STEP_AT = utc("2026-03-06 02:00")
NOW = utc("2026-03-07 02:00")
TOLD = utc("2026-02-01 00:00")
MINUTE = timedelta(minutes=1)

ONE = contact(id="c1", step="D-3", decided_at=STEP_AT)
SENT = record(at=STEP_AT, body={"decision": "send", "step": "D-3", "reason": "due", "until": ""})


def book(**fields: Any) -> Pages:
    """Return the pages of the borrower, whose bill was told in February."""
    stored = pages()
    bill = obligation(**{"issued_at": TOLD, "stored_at": TOLD, **fields})
    return replace(stored, obligations={"o1": bill})


def found(
    *arrivals: Arrival,
    everyone: Pages | None = None,
    contacts: tuple[Contact, ...] = (ONE,),
    records: tuple[Record, ...] = (SENT,),
    now: datetime = NOW,
) -> Findings:
    """Return the findings over one borrower, whose D-3 was decided and sent unless the test says otherwise."""
    return audit([everyone or book()], contacts, records, arrivals, POLICIES, now=now)


def test_a_kept_book_has_no_findings() -> None:
    """Decided, sent once, in time, to someone who owes."""
    assert found(Arrival("c1", STEP_AT)) == Findings((), (), (), ())
    assert found(Arrival("c1", STEP_AT)).all_kept


def test_a_step_without_a_decision_is_found() -> None:
    """From the step's very instant on."""
    assert found(records=(), contacts=()).undecided == ("o1:D-3",)
    assert not found(records=(), contacts=()).all_kept
    assert found(records=(), contacts=(), now=STEP_AT).undecided == ("o1:D-3",)
    assert found(records=(), contacts=(), now=STEP_AT - TICK).all_kept


def test_a_decision_about_another_step_tenant_or_bill_is_none() -> None:
    """And neither is an event."""
    for other in (
        replace(SENT, tenant="other"),
        replace(SENT, obligation_id="o2"),
        replace(SENT, body={**SENT.body, "step": "D-1"}),
        replace(SENT, kind="event"),
    ):
        assert found(records=(other,), contacts=()).undecided == ("o1:D-3",)


def test_a_wait_answers_only_until_its_time_is_over() -> None:
    """A step that waited and was then forgotten has no decision."""
    body = {
        "decision": "wait",
        "step": "D-3",
        "reason": "quiet_hours",
        "until": "2026-03-07T02:00:00.000000Z",
    }
    waited = record(at=STEP_AT, body=body)
    assert found(records=(waited,), contacts=(), now=NOW - TICK).all_kept
    assert found(records=(waited,), contacts=(), now=NOW).undecided == ("o1:D-3",)


@pytest.mark.parametrize(
    ("paid_at", "missing"), [(STEP_AT - SECOND, ()), (STEP_AT, ()), (STEP_AT + TICK, ("o1:D-3",))]
)
def test_money_that_was_there_at_the_step_makes_it_fall_away(
    paid_at: datetime, missing: tuple[str, ...]
) -> None:
    """At its instant at the latest; a later payment does not excuse a missing decision."""
    paid = book().with_repayment(repayment(paid_at=paid_at))
    assert found(everyone=paid, records=(), contacts=()).undecided == missing


def test_a_step_before_the_issue_is_not_asked_for() -> None:
    """The bill did not exist."""
    assert found(everyone=book(issued_at=STEP_AT + TICK), records=(), contacts=()).all_kept
    assert not found(everyone=book(issued_at=STEP_AT), records=(), contacts=()).all_kept


def test_a_bill_that_was_paid_when_we_heard_of_it_is_not_asked_for() -> None:
    """The money was there before the platform knew of the debt."""
    late = book(stored_at=STEP_AT + 2 * MINUTE)
    paid = late.with_repayment(repayment(paid_at=STEP_AT + MINUTE))
    assert found(everyone=paid, records=(), contacts=()).all_kept


@pytest.mark.parametrize(
    ("money", "after_payment"),
    [
        (repayment(paid_at=STEP_AT - SECOND), True),
        (repayment(paid_at=STEP_AT), True),
        (repayment(paid_at=STEP_AT + TICK), False),
        (repayment(paid_at=STEP_AT - SECOND, amount=Money(119_999, "CNY")), False),
        (repayment(paid_at=STEP_AT - SECOND, reversed_at=STEP_AT), False),
        (repayment(paid_at=STEP_AT - SECOND, reversed_at=STEP_AT + TICK), True),
        (repayment(paid_at=STEP_AT - SECOND, obligation_id="o2"), False),
        (early(paid_at=STEP_AT - SECOND), True),
        (early(paid_at=STEP_AT - SECOND, account_id="a2"), False),
        (early(paid_at=STEP_AT - SECOND, amount=Money(120_000, "USD")), False),
        (early(paid_at=STEP_AT - SECOND, amount=Money(120_000, "")), True),
    ],
)
def test_a_message_after_the_money_is_found(money: Any, after_payment: bool) -> None:
    """Summed from the receipts as they stood at the arrival: paid in full and not taken back by then.

    Money of this bill counts whether or not the flows have matched it.
    """
    findings = found(Arrival("c1", STEP_AT), everyone=book().with_repayment(money))
    assert findings.after_payment == (("c1",) if after_payment else ())


def test_a_payment_that_was_told_after_the_message_is_no_finding() -> None:
    """Dated before the message, told after it: the platform could not know; told at its instant, it could."""
    for told_at, after_payment in ((STEP_AT + TICK, ()), (STEP_AT, ("c1",))):
        paid = book(settled_at=told_at, paid_minor=120_000)
        paid = paid.with_repayment(repayment(paid_at=STEP_AT - SECOND, told_at=told_at))
        assert found(Arrival("c1", STEP_AT), everyone=paid).after_payment == after_payment


def test_a_later_settlement_does_not_excuse_a_message_after_an_earlier_one() -> None:
    """Paid, reminded, taken back, paid again: the message went after the first payment."""
    paid = book(settled_at=STEP_AT + 3 * MINUTE, paid_minor=120_000)
    first = repayment(paid_at=STEP_AT - SECOND, reversed_at=STEP_AT + MINUTE)
    again = repayment(id="r2", paid_at=STEP_AT + 2 * MINUTE)
    both = paid.with_repayment(first).with_repayment(again)
    assert found(Arrival("c1", STEP_AT), everyone=both).after_payment == ("c1",)


def test_several_receipts_make_up_the_money() -> None:
    """Two halves are a whole."""
    half = repayment(paid_at=STEP_AT - SECOND, amount=Money(60_000, "CNY"))
    one = book().with_repayment(half)
    assert found(Arrival("c1", STEP_AT), everyone=one).after_payment == ()
    both = one.with_repayment(replace(half, id="r2"))
    assert found(Arrival("c1", STEP_AT), everyone=both).after_payment == ("c1",)


@pytest.mark.parametrize(
    ("at", "at_night"),
    [
        ("2026-03-05 23:59:59", True),
        ("2026-03-06 00:00:00", False),
        ("2026-03-06 13:59:59", False),
        ("2026-03-06 14:00:00", True),
        ("2026-03-06 20:00:00", True),
    ],
)
def test_a_message_at_night_is_found(at: str, at_night: bool) -> None:
    """By the borrower's clock: 08:00 to 22:00 in Shanghai."""
    findings = found(Arrival("c1", utc(at)))
    assert findings.out_of_window == (("c1",) if at_night else ())


def test_the_hour_is_that_of_the_zone_and_the_rule_that_were_decided_by() -> None:
    """The borrower has moved since, to where other hours hold: the message went at three in the night."""
    night = Arrival("c1", utc("2026-03-05 19:00"))
    moved = replace(book(), head=borrower(zone="America/New_York", jurisdiction="US"))
    rule = POLICIES.rules.window("CN").id
    body = {**SENT.body, "zone": "Asia/Shanghai", "rule": rule}
    seen = record(at=STEP_AT, contact_id="c1", body=body)
    assert found(night, everyone=moved).out_of_window == ()
    assert found(night, everyone=moved, records=(seen,)).out_of_window == ("c1",)
    unknown = record(at=STEP_AT, contact_id="c1", body={**body, "rule": "gone@1"})
    assert found(night, everyone=moved, records=(unknown,)).out_of_window == ("c1",)


def test_bills_of_one_name_under_two_borrowers_are_two() -> None:
    """One's decision does not answer for the other's step, and a message to each is no duplicate."""
    other = replace(book(), borrower_id="b2", head=borrower(id="b2"))
    two = replace(ONE, id="c2", borrower_id="b2")
    arrivals = (Arrival("c1", STEP_AT), Arrival("c2", STEP_AT))
    findings = audit([book(), other], (ONE, two), (SENT,), arrivals, POLICIES, now=NOW)
    assert (findings.undecided, findings.duplicates) == (("o1:D-3",), ())
    both = (SENT, replace(SENT, borrower_id="b2"))
    assert audit([book(), other], (ONE, two), both, arrivals, POLICIES, now=NOW).all_kept


def test_a_second_message_for_a_step_is_found() -> None:
    """The same contact twice, or two contacts of one step."""
    twice = (Arrival("c1", STEP_AT), Arrival("c1", STEP_AT + MINUTE))
    assert found(*twice).duplicates == ("o1:D-3",)
    other = replace(ONE, id="c2", slot=1, channel="email")
    pair = (Arrival("c1", STEP_AT), Arrival("c2", STEP_AT))
    assert found(*pair, contacts=(ONE, other)).duplicates == ("o1:D-3",)
    next_step = replace(ONE, id="c2", step="D-1")
    assert found(*pair, contacts=(ONE, next_step)).duplicates == ()


@pytest.mark.parametrize(
    ("message_class", "unknowns", "arrived", "allowed"),
    [
        (MessageClass.COURTESY, 0, 1, True),
        (MessageClass.COURTESY, 1, 2, True),
        (MessageClass.COURTESY, 1, 3, False),
        (MessageClass.COURTESY, 2, 2, True),
        (MessageClass.COURTESY, 2, 3, False),
        (MessageClass.OVERDUE, 1, 1, True),
        # What is counted by law is never sent twice, whatever was unknown.
        (MessageClass.OVERDUE, 1, 2, False),
    ],
)
def test_a_second_attempt_is_allowed_to_courtesies_after_an_unknown_one(
    message_class: MessageClass, unknowns: int, arrived: int, allowed: bool
) -> None:
    """One, and on record."""
    one = replace(ONE, message_class=message_class, unknowns=unknowns)
    arrivals = [Arrival("c1", STEP_AT + n * MINUTE) for n in range(arrived)]
    assert (found(*arrivals, contacts=(one,)).duplicates == ()) is allowed
