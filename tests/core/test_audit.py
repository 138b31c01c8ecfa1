"""The audit finds what it is there to find: each kind of broken promise is planted here and must be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from betimes.core.audit import Arrival, Findings, audit
from betimes.core.book import Pages
from betimes.core.consent import Switch
from betimes.core.contact import Contact, Spoke, State
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.money import Money
from betimes.core.policies import Policies
from betimes.core.product import PLAIN
from betimes.core.record import EVENT, Record
from betimes.core.treatment import Anchor, Conditions, Entry, Late, MessageClass, Step
from tests.core.support import DAY, POLICIES, SECOND, TICK, TREATMENT, utc
from tests.core.support import step as a_step
from tests.factories import (
    borrower,
    contact,
    early,
    flight,
    hold,
    obligation,
    pages,
    record,
    refusal,
    repayment,
)

STEP_AT = utc("2026-03-06 02:00")
NOW = utc("2026-03-07 02:00")
TOLD = utc("2026-02-01 00:00")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

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
    policies: Policies = POLICIES,
) -> Findings:
    """Return the findings over one borrower, whose D-3 was decided and sent unless the test says otherwise."""
    return audit([everyone or book()], contacts, records, arrivals, policies, now=now)


def test_a_kept_book_has_no_findings() -> None:
    """Decided, sent once, in time, to someone who owes."""
    assert found(Arrival("c1", STEP_AT)) == Findings((), (), (), (), ())
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
    body = {**SENT.body, "zone": "Asia/Shanghai", "jurisdiction": "CN"}
    seen = record(at=STEP_AT, contact_id="c1", body=body)
    assert found(night, everyone=moved).out_of_window == ()
    assert found(night, everyone=moved, records=(seen,)).out_of_window == ("c1",)
    unknown = record(at=STEP_AT, contact_id="c1", body={**body, "jurisdiction": "XX"})
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


@pytest.mark.parametrize(
    ("fields", "is_found"),
    [
        ({}, True),
        ({"channel": ""}, True),
        ({"channel": "email"}, False),
        ({"switch": Switch.MARKETING}, False),
        ({"told_at": STEP_AT}, False),
        ({"lifted_at": STEP_AT - HOUR}, False),
        ({"provisional": True}, True),
    ],
)
def test_a_message_on_a_channel_that_was_refused_is_found(
    fields: dict[str, Any], is_found: bool
) -> None:
    """Only where we had heard of the refusal before the message was started, and it was about such messages."""
    said = refusal(**{"at": TOLD, "told_at": TOLD, **fields})
    found_ = found(Arrival("c1", STEP_AT), everyone=replace(book(), consents=(said,)))
    expected = ("c1:o1 forbidden_by_rule",) if is_found else ()
    assert found_.against_policy == expected


def test_findings_add_up_by_list() -> None:
    """Those of one lot before those of the next; any list that holds something says that not all was kept."""
    one, other = Findings(undecided=("a",)), Findings(undecided=("b",), against_policy=("c",))
    assert one + other == Findings(undecided=("a", "b"), against_policy=("c",))
    assert dict((one + other).counts) == {
        "undecided": 2,
        "duplicates": 0,
        "after_payment": 0,
        "out_of_window": 0,
        "against_policy": 1,
    }
    for name in Findings().lists:
        assert not Findings(**{name: ("x",)}).all_kept


# What a decision rests on


def suppressed(reason: str, step: str = "D-3", at: datetime = STEP_AT, **fields: Any) -> Record:
    """Return the decision not to send a step."""
    extra = fields.pop("body", {})
    body = {"decision": "suppress", "step": step, "reason": reason, "until": "", **extra}
    return record(at=at, body=body, **fields)


def test_a_decision_of_an_earlier_cycle_answers_for_no_step_of_this_one() -> None:
    """A due date that has moved asks every step anew; what ended with the old date is no answer either."""
    known: dict[str, Any] = {"body": {"due_on": "2026-03-09"}}
    assert found(records=(suppressed("no_contact_point", **known),), contacts=()).all_kept
    for other in (
        suppressed("no_contact_point", body={"due_on": "2026-03-08"}),
        suppressed("redated", **known),
    ):
        assert found(records=(other,), contacts=()).undecided == ("o1:D-3",)


def test_a_step_that_does_not_count_from_the_due_date_is_answered_in_any_cycle() -> None:
    """Unless what was to say it ended with the old date."""
    announced = a_step("bill", anchor=Anchor.STATEMENT, offset_days=1)
    policies = replace(POLICIES, treatment=replace(TREATMENT, steps=(announced,)))
    told = book(issued_at=STEP_AT - DAY - TICK)
    before = record(
        at=STEP_AT,
        contact_id="c1",
        body={**SENT.body, "step": "bill", "due_on": "2026-03-08"},
    )
    ended = replace(ONE, step="bill", cycle="1@2026-03-08", state=State.CANCELLED)
    said = replace(ended, state=State.ACCEPTED)
    asked: dict[str, Any] = {"everyone": told, "records": (before,), "policies": policies}
    assert found(contacts=(said,), **asked).all_kept
    assert found(contacts=(ended,), **asked).undecided == ("o1:bill",)
    # And it is said once, whatever the due date.
    twice = replace(said, id="c2", cycle="1@2026-03-09")
    arrivals = (Arrival("c1", STEP_AT), Arrival("c2", STEP_AT))
    assert found(*arrivals, contacts=(said, twice), **asked).duplicates == ("o1:bill",)


@pytest.mark.parametrize("paid", [True, False])
def test_paid_is_believed_where_there_was_money(paid: bool) -> None:
    """And an untold payment is none."""
    money = repayment(paid_at=STEP_AT - SECOND, told_at=STEP_AT if paid else STEP_AT + TICK)
    late = book().with_repayment(money)
    said = suppressed("paid", at=STEP_AT)
    # Asked for a step at whose instant nothing had been told yet.
    seen = replace(late, obligations={"o1": replace(late.obligations["o1"], stored_at=TOLD)})
    findings = found(everyone=seen, records=(said,), contacts=(), now=STEP_AT)
    assert findings.undecided == (() if paid else ("o1:D-3",))


def test_paid_is_believed_where_the_money_went_back_since() -> None:
    """At the step's instant it was there, when the step was decided it was gone."""
    money = repayment(paid_at=STEP_AT - SECOND, reversed_at=STEP_AT + MINUTE)
    both = book().with_repayment(money)
    body = {"step_at": "2026-03-06T02:00:00.000000Z"}
    said = suppressed("paid", at=STEP_AT + DAY, body=body)
    assert found(everyone=both, records=(said,), contacts=()).all_kept


def test_a_merged_step_needs_one_that_takes_it_up() -> None:
    """A step behind it that is to come, or was decided as one that is meant: in time, unless it merges by its rule."""
    merged, later = suppressed("merged_into_next"), STEP_AT + 3 * DAY
    first, *others = TREATMENT.steps[:3]

    def missing(first: Step, *others: Step, reason: str = "", now: datetime = NOW) -> object:
        steps = replace(POLICIES, treatment=replace(TREATMENT, steps=(first, *others)))
        said = [suppressed(reason, step.name, at=later, fact=step.name) for step in others]
        records = (merged, *said) if reason else (merged,)
        return found(records=records, contacts=(), policies=steps, now=now).undecided

    by_rule, lasting = replace(first, late=Late.MERGE), replace(first, catch_up=3 * DAY)
    for step in (by_rule, lasting):
        assert missing(step, *others) == ()
        assert missing(step, *others, reason="no_contact_point", now=later) == ()
        assert missing(step, *others, reason="condition_not_met", now=later) == ("o1:D-3",)
        assert missing(step) == ("o1:D-3",)
    assert missing(first, *others) == ("o1:D-3",), "its time is over before the next one comes"
    event = suppressed("hold_dispute", "promise~2026-03-06", fact="promise")
    assert found(records=(merged, event), contacts=()).all_kept


def test_a_step_is_late_only_from_its_deadline_on() -> None:
    """What a claim needs before it apart."""
    for at, missing in (
        (STEP_AT + DAY, ()),
        (STEP_AT + DAY - MINUTE, ()),
        (STEP_AT + DAY / 2, ("o1:D-3",)),
    ):
        said = suppressed("catch_up_exceeded", at=at)
        assert found(records=(said,), contacts=(), now=at).undecided == missing


def test_a_stop_is_believed_where_there_is_one() -> None:
    """A hold of that kind, money under way."""
    for reason, fact in (
        ("hold_dispute", book(id="o1").with_hold(hold(told_at=TOLD))),
        ("money_in_flight", book().with_flight(flight(told_at=TOLD))),
    ):
        said = suppressed(reason)
        assert found(everyone=fact, records=(said,), contacts=()).all_kept
        assert found(records=(said,), contacts=()).undecided == ("o1:D-3",)
    for other in (hold(kind=Kind.MASS), hold(account_id="a2")):
        said = suppressed("hold_dispute")
        held = book().with_hold(other)
        assert found(everyone=held, records=(said,), contacts=()).undecided == ("o1:D-3",)


# Digests

CYCLE = "1@2026-03-09"
DIGEST = replace(ONE, also=(Spoke("o2", CYCLE, "D-3"),), state=State.ACCEPTED, sent_at=STEP_AT)


def two_bills() -> Pages:
    """Return the pages of a borrower with two bills alike."""
    one = book()
    other = replace(one.obligations["o1"], id="o2")
    return replace(one, obligations={**one.obligations, "o2": other})


def taken(contact_id: str = "c1", **fields: Any) -> Record:
    """Return the decision that the second bill's word stands in a contact."""
    return suppressed("in_digest", obligation_id="o2", contact_id=contact_id, **fields)


@pytest.mark.parametrize(
    ("digest", "arrives", "explained"),
    [
        (DIGEST, True, True),
        (replace(DIGEST, sent_at=None, state=State.READY), False, True),
        (replace(DIGEST, sent_at=None, state=State.REFUSED), False, True),
        (replace(DIGEST, sent_at=None, state=State.CANCELLED), False, False),
        (replace(DIGEST, also=()), True, False),
        (replace(DIGEST, also=(Spoke("o2", CYCLE, "D-1"),)), True, False),
        (replace(DIGEST, also=(Spoke("o2", "1@2026-03-08", "D-3"),)), True, False),
    ],
)
def test_a_word_in_a_digest_is_believed_where_the_digest_has_it(
    digest: Contact, arrives: bool, explained: bool
) -> None:
    """It arrived and spoke of the bill, or may still, or ended in a way that allows no second word."""
    arrivals = (Arrival("c1", STEP_AT),) if arrives else ()
    findings = found(*arrivals, everyone=two_bills(), contacts=(digest,), records=(SENT, taken()))
    assert findings.undecided == (() if explained else ("o2:D-3",))
    assert found(everyone=two_bills(), records=(SENT, taken("c9"))).undecided == ("o2:D-3",)


def test_what_a_digest_left_out_was_not_said_by_it() -> None:
    """By the attempt that left it out: a reason of its own answers for the step, a wait asks for another decision."""
    went = Arrival("c1", STEP_AT)
    for decision, missing in (("suppress", ()), ("wait", ("o2:D-3",))):
        body = {"decision": decision, "until": "2026-03-06T03:00:00.000000Z"}
        left_out = suppressed(
            "no_contact_point", obligation_id="o2", contact_id="c1", body=body, fact="left out"
        )
        records = (SENT, taken(), left_out)
        findings = found(went, everyone=two_bills(), contacts=(DIGEST,), records=records)
        assert findings.undecided == missing


def claimed(at: datetime) -> Record:
    """Return the record that the digest was claimed for an attempt."""
    return record(at=at, kind=EVENT, contact_id="c1", body={"event": "claimed"}, fact=f"claim {at}")


def test_an_attempt_that_left_a_bill_out_excuses_no_other_one() -> None:
    """The first attempt did not speak of the second bill; the second one did, after it was paid."""
    later = STEP_AT + 20 * MINUTE
    left_out = suppressed("hold_dispute", obligation_id="o2", contact_id="c1")
    paid = two_bills().with_repayment(repayment(obligation_id="o2", paid_at=STEP_AT + MINUTE))
    records = (SENT, taken(), left_out, claimed(STEP_AT), claimed(later))
    unknown = replace(DIGEST, unknowns=1)

    def after(*instants: datetime) -> tuple[str, ...]:
        arrivals = [Arrival("c1", at) for at in instants]
        findings = found(*arrivals, everyone=paid, contacts=(unknown,), records=records)
        assert findings.duplicates == ()
        return findings.after_payment

    assert after(STEP_AT) == ()
    assert after(STEP_AT, later) == ("c1:o2",)


def test_a_step_in_a_digest_and_in_its_own_contact_was_said_twice() -> None:
    """In the same cycle; another due date makes it another step."""
    own = replace(ONE, id="c2", obligation_id="o2")
    arrivals = (Arrival("c1", STEP_AT), Arrival("c2", STEP_AT + MINUTE))

    def twice(own: Contact) -> tuple[str, ...]:
        records = (SENT, taken())
        return found(
            *arrivals, everyone=two_bills(), contacts=(DIGEST, own), records=records
        ).duplicates

    assert twice(own) == ("o2:D-3",)
    assert twice(replace(own, cycle="1@2026-04-09")) == ()
    assert twice(replace(own, step="D-1")) == ()


# Amendments


def test_of_an_amended_bill_the_money_is_counted_by_its_present_terms() -> None:
    """From its amendment on; before it, what the platform knew is all there is."""
    amended_at = STEP_AT - MINUTE
    amended = {"revision": 1, "amended_at": amended_at, "amount": Money(90_000, "CNY")}
    money = repayment(paid_at=STEP_AT - DAY, amount=Money(90_000, "CNY"))

    def after(at: datetime, **fields: Any) -> tuple[str, ...]:
        paid = book(**{**amended, **fields}).with_repayment(money)
        return found(Arrival("c1", at), everyone=paid).after_payment

    assert after(STEP_AT) == ("c1",), "nobody has noticed that it is settled"
    assert after(STEP_AT - 2 * MINUTE) == ()
    assert after(STEP_AT - 2 * MINUTE, settled_at=STEP_AT - DAY) == ("c1",)
    assert after(STEP_AT, amount=Money(90_001, "CNY")) == ()
    assert after(STEP_AT, amended_at=None) == (), "told by an older release"
    rolled = {"revision": 0, "amended_at": None, "redated_at": STEP_AT + MINUTE}
    assert after(STEP_AT, **rolled) == (), "its due date was another one"
    assert after(STEP_AT + MINUTE, **rolled) == ("c1",)


def test_where_another_bill_of_the_account_was_amended_since_nothing_is_replayed() -> None:
    """Which of them the money reached then, the terms of today do not tell."""
    both = two_bills().with_repayment(repayment(obligation_id="", paid_at=STEP_AT - SECOND))
    both = both.with_obligation(replace(both.obligations["o2"], due_on=date(2026, 4, 9)))
    assert found(Arrival("c1", STEP_AT), everyone=both).after_payment == ("c1",)
    since = replace(both.obligations["o2"], revision=1, amended_at=STEP_AT + TICK)
    amended = both.with_obligation(since)
    assert found(Arrival("c1", STEP_AT), everyone=amended).after_payment == ()


# Against the policy

OVERDUE_AT = utc("2026-03-10 02:00")  # D+1
DEMAND = replace(ONE, step="D+1", message_class=MessageClass.OVERDUE)
LATER = utc("2026-03-20 00:00")


def against(
    at: datetime = STEP_AT,
    one: Contact = ONE,
    everyone: Pages | None = None,
    policies: Policies = POLICIES,
    records: Sequence[Record] = (),
) -> list[str]:
    """Return what forbade a message, by the audit."""
    findings = audit([everyone or book()], [one], records, [Arrival("c1", at)], policies, now=LATER)
    assert all(named.startswith("c1:o1 ") for named in findings.against_policy)
    return [named.partition(" ")[2] for named in findings.against_policy]


HELD = hold(starts_at=STEP_AT, told_at=STEP_AT, ends_at=STEP_AT + DAY)
LIFTED: dict[str, Any] = {"revision": 2, "lifted_at": STEP_AT + MINUTE}


@pytest.mark.parametrize(
    ("held", "at", "message_class", "stopped"),
    [
        (HELD, STEP_AT, "courtesy", True),
        (HELD, STEP_AT - TICK, "courtesy", False),
        (HELD, STEP_AT + DAY - TICK, "courtesy", True),
        (HELD, STEP_AT + DAY, "courtesy", False),
        (HELD, STEP_AT, "statutory", False),
        (replace(HELD, told_at=STEP_AT + TICK), STEP_AT, "courtesy", False),
        (replace(HELD, channel="email"), STEP_AT, "courtesy", False),
        (replace(HELD, channel="sms"), STEP_AT, "courtesy", True),
        (replace(HELD, account_id="a1"), STEP_AT, "courtesy", True),
        (replace(HELD, account_id="a2"), STEP_AT, "courtesy", False),
        (replace(HELD, obligation_id="o1"), STEP_AT, "courtesy", True),
        (replace(HELD, obligation_id="o2"), STEP_AT, "courtesy", False),
        (replace(HELD, kind=Kind.HARDSHIP), STEP_AT, "courtesy", False),
        (replace(HELD, kind=Kind.OPT_OUT), STEP_AT, "courtesy", True),
        (replace(HELD, **LIFTED), STEP_AT, "courtesy", True),
        (replace(HELD, **LIFTED), STEP_AT + MINUTE, "courtesy", False),
        (replace(HELD, **LIFTED, reopened_from=STEP_AT - DAY), STEP_AT, "courtesy", False),
        # Set anew, nobody knows what it was before.
        (replace(HELD, revision=2), STEP_AT, "courtesy", False),
    ],
)
def test_a_message_during_a_hold_is_found(
    held: Hold, at: datetime, message_class: str, stopped: bool
) -> None:
    """One that was known, in force, and concerns what was said, by whom, how and in which class."""
    steps = [replace(step, message_class=MessageClass(message_class)) for step in TREATMENT.steps]
    policies = replace(POLICIES, treatment=replace(TREATMENT, steps=tuple(steps)))
    found_ = against(at, everyone=book().with_hold(held), policies=policies)
    assert found_ == ([str(held.meaning.reason)] if stopped else [])


UNDER_WAY = flight(since=STEP_AT, told_at=STEP_AT, expected_by=STEP_AT + DAY)
ENDED: dict[str, Any] = {
    "revision": 2,
    "ended_at": STEP_AT + MINUTE,
    "told_at": STEP_AT + 2 * MINUTE,
}
FAILED = replace(UNDER_WAY, state=FlightState.FAILED, **ENDED)
SETTLED = replace(UNDER_WAY, state=FlightState.SETTLED, **ENDED)
PATIENCE = timedelta(hours=PLAIN.debit.patience_hours)


@pytest.mark.parametrize(
    ("money", "at", "silent"),
    [
        (UNDER_WAY, STEP_AT, True),
        (UNDER_WAY, STEP_AT - TICK, False),
        (UNDER_WAY, STEP_AT + DAY + PATIENCE - TICK, True),
        (UNDER_WAY, STEP_AT + DAY + PATIENCE, False),
        (replace(UNDER_WAY, told_at=STEP_AT + TICK), STEP_AT, False),
        (replace(UNDER_WAY, state=FlightState.SCHEDULED), STEP_AT, False),
        (replace(UNDER_WAY, obligation_id=""), STEP_AT, True),
        (replace(UNDER_WAY, obligation_id="o2"), STEP_AT, False),
        (replace(UNDER_WAY, account_id="a2", obligation_id=""), STEP_AT, False),
        (FAILED, STEP_AT, True),
        (FAILED, STEP_AT + 2 * MINUTE, False),
        (SETTLED, STEP_AT, True),
        (SETTLED, STEP_AT + 2 * MINUTE, True),
        (replace(SETTLED, revision=1), STEP_AT, False),
    ],
)
def test_a_message_while_money_is_under_way_is_found(
    money: Any, at: datetime, silent: bool
) -> None:
    """From when it was told until its result is known, or should have been long ago."""
    everyone = book().with_flight(money)
    assert against(at, everyone=everyone) == (["money_in_flight"] if silent else [])


def test_money_that_has_come_is_under_way_no_more() -> None:
    """As a repayment of just its amount, also where it was taken back since."""
    at = STEP_AT + 5 * MINUTE
    came = repayment(
        paid_at=STEP_AT + MINUTE,
        told_at=STEP_AT + 3 * MINUTE,
        reversed_at=STEP_AT + 4 * MINUTE,
    )
    everyone = book().with_flight(SETTLED)
    assert against(at, everyone=everyone) == ["money_in_flight"]
    assert against(at, everyone=everyone.with_repayment(came)) == []
    other = replace(came, amount=Money(119_999, "CNY"))
    assert against(at, everyone=everyone.with_repayment(other)) == ["money_in_flight"]
    waiting = book().with_flight(UNDER_WAY)
    assert against(at, everyone=waiting.with_repayment(came)) == ["money_in_flight"]
    refund = everyone.with_flight(replace(SETTLED, means=Means.REFUND))
    assert against(at, everyone=refund.with_repayment(came)) == ["money_in_flight"]


def test_a_message_too_soon_behind_another_one_is_found() -> None:
    """By the pace of the later one's treatment; another attempt of the same contact is no other message."""
    slow = replace(POLICIES, treatment=replace(TREATMENT, min_gap=timedelta(hours=20)))
    other = replace(ONE, id="c2", step="D-1", obligation_id="o2")

    def soon(apart: timedelta, other: Contact = other, policies: Policies = slow) -> object:
        arrivals = [Arrival("c2", STEP_AT + apart), Arrival("c1", STEP_AT)]
        audited = audit([two_bills()], [ONE, other], [], arrivals, policies, now=STEP_AT)
        return audited.against_policy

    assert soon(timedelta(hours=19)) == ("c2:o2 too_soon",)
    assert soon(timedelta(hours=20)) == ()
    assert soon(timedelta(0)) == ("c1:o1 too_soon",)
    assert soon(timedelta(hours=19), policies=POLICIES) == ()
    twice = [Arrival("c1", STEP_AT), Arrival("c1", STEP_AT + MINUTE)]
    assert audit([book()], [ONE], [], twice, slow, now=STEP_AT).against_policy == ()


def test_a_message_on_a_closed_day_is_found() -> None:
    """By the borrower's calendar, of the version that the contact was decided under."""
    friday, saturday = STEP_AT, STEP_AT + DAY
    calendar = next(iter(POLICIES.calendars.values()))
    closed = replace(TREATMENT, calendar=calendar, closed=frozenset({"weekend"}))
    weekdays = replace(POLICIES, treatment=closed)
    assert against(saturday, policies=weekdays) == ["closed_day"]
    assert against(friday, policies=weekdays) == []
    assert against(saturday) == []


def graced(policies: Policies = POLICIES) -> Policies:
    """Return policies by which a card has three days of grace."""
    card = replace(PLAIN, grace_days=3)
    return replace(policies, profiles={**policies.profiles, "card": card})


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (OVERDUE_AT - 2 * DAY, ["not_yet"]),
        (OVERDUE_AT - DAY, ["not_yet"]),
        (OVERDUE_AT, ["in_grace"]),
        (OVERDUE_AT + 2 * DAY, ["in_grace"]),
        (OVERDUE_AT + 3 * DAY, []),
    ],
)
def test_a_demand_for_what_is_not_overdue_is_found(at: datetime, reason: list[str]) -> None:
    """Before the due date, on it, and within the days of grace; a courtesy may go then."""
    assert against(at, DEMAND, policies=graced()) == reason
    assert against(at, policies=graced()) == []


def test_a_demand_is_judged_by_the_due_date_it_speaks_of() -> None:
    """Not by one that was agreed since; from when on it was aged anew counts once that was agreed."""
    moved = book(due_on=date(2026, 4, 9), revision=1, amended_at=LATER, redated_at=LATER)
    assert against(OVERDUE_AT, DEMAND, moved) == []
    aged = {"revision": 1, "aged_from": date(2026, 3, 12)}
    before = {**aged, "aged_on": date(2026, 3, 9), "amended_at": OVERDUE_AT - DAY}
    assert against(OVERDUE_AT, DEMAND, book(**before)) == ["not_yet"]
    since = {**aged, "aged_on": date(2026, 3, 10), "amended_at": OVERDUE_AT + TICK}
    assert against(OVERDUE_AT, DEMAND, book(**since)) == []


def test_a_demand_with_the_minimum_paid_is_found() -> None:
    """So is a courtesy of a step that came due after the debt: both speak of arrears that are none."""
    enough = repayment(paid_at=STEP_AT, amount=Money(12_000, "CNY"))
    paid = book().with_repayment(enough)
    assert against(OVERDUE_AT, DEMAND, paid) == ["minimum_paid"]
    short = book().with_repayment(replace(enough, amount=Money(11_999, "CNY")))
    assert against(OVERDUE_AT, DEMAND, short) == []
    gentle = replace(DEMAND, message_class=MessageClass.COURTESY)
    soft = [replace(step, message_class=MessageClass.COURTESY) for step in TREATMENT.steps]
    policies = replace(POLICIES, treatment=replace(TREATMENT, steps=tuple(soft)))
    for step_at, reasons in (
        ("2026-03-10T02:00:00.000000Z", ["minimum_paid"]),
        ("2026-03-09T02:00:00.000000Z", []),
    ):
        seen = record(
            at=STEP_AT, contact_id="c1", body={**SENT.body, "step": "D+1", "step_at": step_at}
        )
        assert against(OVERDUE_AT, gentle, paid, policies, [seen]) == reasons


def test_a_step_for_other_days_past_due_is_found() -> None:
    """Its conditions bound them."""
    bounded = replace(TREATMENT, steps=(a_step("D+1", offset_days=1, when=Conditions(max_dpd=1)),))
    policies = replace(POLICIES, treatment=bounded)
    late = replace(ONE, step="D+1")
    assert against(OVERDUE_AT, late, policies=policies) == []
    assert against(OVERDUE_AT + DAY, late, policies=policies) == ["condition_not_met"]


def test_a_message_before_the_entry_is_found() -> None:
    """Of a debt that was overdue when it was first told, where the treatment asks for a day to be chosen."""
    asks = replace(POLICIES, treatment=replace(TREATMENT, entry=Entry.CHOSEN))
    known = {"stored_at": OVERDUE_AT - MINUTE}
    at = OVERDUE_AT
    assert against(at, DEMAND, book(**known), asks) == ["awaiting_entry"]
    assert against(at, DEMAND, book(**known, entry_on=date(2026, 3, 11)), asks) == ["before_entry"]
    assert against(at, DEMAND, book(**known, entry_on=date(2026, 3, 10)), asks) == []
    assert against(at, DEMAND, book(), asks) == []
    assert against(at, DEMAND, book(stored_at=OVERDUE_AT - DAY), asks) == [], "told on its due date"
    assert against(at, DEMAND, book(**known)) == []


def test_the_law_is_stopped_by_nothing_but_the_law() -> None:
    """A statutory notice goes whatever else is true of the debt."""
    notice = replace(TREATMENT.step("D+1"), message_class=MessageClass.STATUTORY)
    calendar = next(iter(POLICIES.calendars.values()))
    strict = replace(
        TREATMENT,
        steps=(notice,),
        entry=Entry.CHOSEN,
        calendar=calendar,
        closed=frozenset({"weekend"}),
        min_gap=timedelta(days=9),
    )
    saturday = OVERDUE_AT + 4 * DAY
    known = book(stored_at=OVERDUE_AT).with_flight(replace(UNDER_WAY, expected_by=LATER))
    law = replace(DEMAND, message_class=MessageClass.STATUTORY)
    policies = replace(POLICIES, treatment=strict)
    assert against(saturday, law, known, policies) == []
    other = replace(strict, steps=(TREATMENT.step("D+1"),))
    assert against(saturday, DEMAND, known, replace(POLICIES, treatment=other)) == [
        "money_in_flight",
        "closed_day",
        "awaiting_entry",
    ]
