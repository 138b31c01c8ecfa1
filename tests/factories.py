"""Values with defaults that hold together: one borrower, one account, one open bill.

Each builder takes the fields that matter to a test and fills in the rest; versions are those of values already stored.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from betimes.core.allocation import Parts
from betimes.core.book import Pages
from betimes.core.borrower import Account, Borrower, ContactPoint
from betimes.core.budget import Budget
from betimes.core.consent import Consent, Refusal, Switch
from betimes.core.contact import Contact
from betimes.core.flight import Flight, FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Watch
from betimes.core.record import DECISION, Record, record_id
from betimes.core.rule import ConsentForm, Purpose
from betimes.core.touch import Touch
from betimes.core.treatment import MessageClass

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
TENANT = "bank"
BORROWER_ID = "b1"
ACCOUNT_ID = "a1"
OBLIGATION_ID = "o1"
SHARD = 2

_BORROWER = Borrower(
    tenant=TENANT,
    id=BORROWER_ID,
    locale="zh-CN",
    zone="Asia/Shanghai",
    jurisdiction="CN",
    contact_points=(
        ContactPoint("sms", "+8613800000000", since=1),
        ContactPoint("email", "li@example.com", since=1),
    ),
    version=1,
)
_ACCOUNT = Account(ACCOUNT_ID, "card", "CNY", date(2024, 5, 6), limit_minor=2_000_000, version=1)
_OBLIGATION = Obligation(
    id=OBLIGATION_ID,
    account_id=ACCOUNT_ID,
    seq=1,
    issued_at=NOW - timedelta(days=1),
    due_on=date(2026, 3, 9),
    amount=Money(120_000, "CNY"),
    principal_minor=118_000,
    minimum_minor=12_000,
    stored_at=NOW,
    watch=Watch(SHARD, look_at=NOW + timedelta(days=5), seq=1),
    version=1,
)
_REPAYMENT = Repayment(
    id="r1",
    obligation_id=OBLIGATION_ID,
    account_id=ACCOUNT_ID,
    paid_at=NOW,
    amount=Money(120_000, "CNY"),
    matched=True,
)
_HOLD = Hold(
    id="h1",
    kind=Kind.DISPUTE,
    starts_at=NOW - timedelta(hours=1),
    told_at=NOW,
    ends_at=NOW + timedelta(days=7),
)
_FLIGHT = Flight(
    id="f1",
    account_id=ACCOUNT_ID,
    obligation_id=OBLIGATION_ID,
    means=Means.DEBIT,
    amount_minor=120_000,
    state=FlightState.PENDING,
    since=NOW,
    expected_by=NOW + timedelta(days=1),
)
_TOUCH = Touch(id="t1", at=NOW - timedelta(hours=1), channel="call", by="agency-7")
_CONSENT = Consent(
    id="g1:overdue",
    purpose=Purpose.OVERDUE,
    channel="sms",
    address="",
    form=ConsentForm.OPT_IN,
    given_at=NOW - timedelta(hours=1),
    evidence="contract-7",
    source=TENANT,
    told_at=NOW,
)
_REFUSAL = Refusal(
    id="r1",
    switch=Switch.REMINDER,
    channel="sms",
    address="",
    at=NOW - timedelta(hours=1),
    evidence="m-1",
    source="reply",
    told_at=NOW,
)
_CONTACT = Contact(
    id="c1",
    tenant=TENANT,
    borrower_id=BORROWER_ID,
    obligation_id=OBLIGATION_ID,
    cycle="1@2026-03-09",
    step="T-3",
    slot=0,
    channel="sms",
    template="reminder@1",
    treatment="default@1",
    message_class=MessageClass.COURTESY,
    decided_at=NOW,
    not_after=NOW + timedelta(days=1),
    amount=Money(120_000, "CNY"),
    changed_at=NOW,
)


def borrower(**fields: Any) -> Borrower:
    """Return a stored borrower in Shanghai with a number and an address."""
    return replace(_BORROWER, **fields)


def account(**fields: Any) -> Account:
    """Return a stored credit card account in CNY."""
    return replace(_ACCOUNT, **fields)


def watch(**fields: Any) -> Watch:
    """Return the watch of a stored obligation, looked at five days from NOW."""
    return replace(_OBLIGATION.watch, **fields)


def obligation(**fields: Any) -> Obligation:
    """Return a stored, open bill of CNY 1,200.00 due on 2026-03-09."""
    return replace(_OBLIGATION, **fields)


def settled(**fields: Any) -> Obligation:
    """Return the same bill paid in full at NOW, with nothing left to look at."""
    paid = {
        "paid_minor": 120_000,
        "paid": _OBLIGATION.billed,
        "settled_at": NOW,
        "watch": watch(look_at=None),
    }
    return replace(_OBLIGATION, **{**paid, **fields})


def part_paid(minor: int, **fields: Any) -> Obligation:
    """Return the same bill, open, with `minor` units of its principal received."""
    paid = {"paid_minor": minor, "paid": Parts(principal=minor)}
    return replace(_OBLIGATION, **{**paid, **fields})


def hold(**fields: Any) -> Hold:
    """Return a dispute of the whole borrower, in force at NOW and for a week."""
    return replace(_HOLD, **fields)


def flight(**fields: Any) -> Flight:
    """Return a debit of the whole bill that was submitted at NOW."""
    return replace(_FLIGHT, **fields)


def touch(**fields: Any) -> Touch:
    """Return a call by an agency that nobody answered, an hour before NOW."""
    return replace(_TOUCH, **fields)


def budget(*touches: Touch, **fields: Any) -> Budget:
    """Return a stored contact budget of these touches, by default of one call."""
    return replace(Budget(1, touches or (_TOUCH,)), **fields)


def consent(**fields: Any) -> Consent:
    """Return an opt-in to overdue messages by SMS, an hour before NOW."""
    return replace(_CONSENT, **fields)


def refusal(**fields: Any) -> Refusal:
    """Return a refusal of reminders by SMS, an hour before NOW."""
    return replace(_REFUSAL, **fields)


def repayment(**fields: Any) -> Repayment:
    """Return a repayment of the whole bill, matched to it."""
    return replace(_REPAYMENT, **fields)


def early(**fields: Any) -> Repayment:
    """Return the same repayment before anything is known of its bill: not matched."""
    return replace(_REPAYMENT, **{"matched": False, **fields})


def contact(**fields: Any) -> Contact:
    """Return a contact by SMS that is READY."""
    return replace(_CONTACT, **fields)


def record(**fields: Any) -> Record:
    """Return a sealed decision record at NOW; its id is made of its instant and, if given, `fact`."""
    fact = fields.pop("fact", "d1")
    at = fields.get("at", NOW)
    default = Record(
        id=record_id(at, fact),
        kind=DECISION,
        tenant=TENANT,
        borrower_id=BORROWER_ID,
        obligation_id=OBLIGATION_ID,
        contact_id="",
        at=at,
        body={"decision": "send", "step": "T-3", "outstanding_minor": 120_000},
        prev="",
    )
    return replace(default, **fields).sealed()


def pages(**fields: Any) -> Pages:
    """Return the pages of the borrower with the account and the open bill."""
    default = Pages(
        TENANT,
        BORROWER_ID,
        head=borrower(),
        accounts={ACCOUNT_ID: account()},
        obligations={OBLIGATION_ID: obligation()},
    )
    return replace(default, **fields)
