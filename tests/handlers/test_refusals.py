"""What the HTTP API refuses: each wrong request gets its status, code and field, and nothing of it comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from betimes.lab.world import TENANT, VirtualClock
from tests.handlers import told
from tests.handlers.cloud import Cloud
from tests.handlers.pump import Pump

# In every value and id that must not come back.
CANARY = "canary@example.com"

Request = tuple[str, Any]

PROMISE = {"kind": "promise", "promise_minor": 100, "promise_on": "2026-03-05"}


def person(**fields: Any) -> Request:
    return told.path(), told.borrower(**fields)


def account(**fields: Any) -> Request:
    return told.path("accounts", "a-2"), told.account(**fields)


def bill(**fields: Any) -> Request:
    return told.path("obligations", "o-2"), told.obligation(**fields)


def money(**fields: Any) -> Request:
    return told.path("repayments", "r-2"), told.repayment(**fields)


def reversal(repayment_id: str) -> Request:
    body = {"reversed_at": "2026-03-01T09:45:00+08:00"}
    return told.path("repayments", repayment_id, "reversal"), body


def amended(revision: str = "1", obligation_id: str = told.OBLIGATION, **fields: Any) -> Request:
    return told.path("obligations", obligation_id, "amendments", revision), told.amendment(**fields)


def entry(obligation_id: str, **fields: Any) -> Request:
    return told.path("obligations", obligation_id, "entry"), {"entry_on": "2026-03-20", **fields}


def flight(**fields: Any) -> Request:
    return told.path("flights", "f-2"), told.flight(**fields)


def hold(**fields: Any) -> Request:
    return told.path("holds", "h-2"), told.hold(**fields)


def lift(hold_id: str, lifted_at: Any = "2026-03-01T09:45:00+08:00") -> Request:
    return told.path("holds", hold_id, "lift"), {"lifted_at": lifted_at}


def fed(until: Any, tenant: str = TENANT) -> Request:
    return f"/v1/{tenant}/feed", {"complete_until": until}


REFUSED: list[tuple[Request, str]] = [
    # Not a request
    ((told.path(), "{"), "400 bad_request"),
    ((told.path(), ""), "400 bad_request"),
    ((told.path(), "[]"), "400 bad_request"),
    ((told.path(), "null"), "400 bad_request"),
    (person(**{CANARY: 1}), "400 bad_request"),
    (person(zonne="Asia/Shanghai"), "400 bad_request zonne"),
    (person(locale="zh\u202e"), "400 bad_request locale"),
    (person(jurisdiction="C\nN"), "400 bad_request jurisdiction"),
    (account(product="a\nb"), "400 bad_request product"),
    (account(product="a\u202eb"), "400 bad_request product"),
    (account(creditor="a\u202eb"), "400 bad_request creditor"),
    (account(creditor="a\u200bb"), "400 bad_request creditor"),
    (hold(owner="o\u202e"), "400 bad_id owner"),
    (flight(reason="a\u202e"), "400 bad_request reason"),
    (bill(seq=0), "400 bad_request seq"),
    (bill(seq=-3), "400 bad_request seq"),
    (bill(seq=10**6 + 1), "400 bad_request seq"),
    (bill(seq=10**25), "400 bad_request seq"),
    (person(email=7), "400 bad_request email"),
    (person(zone=CANARY * 9), "400 bad_request zone"),
    ((told.path("accounts", "a-2"), {}), "400 bad_request product"),
    (account(opened_on=20_250_309), "400 bad_request opened_on"),
    (account(opened_on=CANARY), "400 bad_request opened_on"),
    (account(limit_minor=None), "400 bad_request limit_minor"),
    (bill(amount_minor=1200.5), "400 bad_request amount_minor"),
    (bill(amount_minor="120000"), "400 bad_request amount_minor"),
    (bill(amount_minor=True), "400 bad_request amount_minor"),
    (bill(issued_at="2026-02-09T10:00:00"), "400 bad_request issued_at"),
    (bill(seq="1"), "400 bad_request seq"),
    (money(paid_at=1_772_330_400), "400 bad_request paid_at"),
    (money(paid_at=CANARY), "400 bad_request paid_at"),
    (person(email_unconfirmed="yes"), "400 bad_request email_unconfirmed"),
    (person(push_endpoint=f"arn:aws:sns: {CANARY}"), "422 bad_push push_endpoint"),
    (person(tags=[CANARY]), "400 bad_request tags.0"),
    (person(tags=["t"] * 33), "400 bad_request tags"),
    (person(score_band=CANARY), "400 bad_request score_band"),
    (person(zone_evidence=["Asia/Shanghai"] * 17), "400 bad_request zone_evidence"),
    (account(daily_rate=0.0005), "400 bad_request daily_rate"),
    (account(daily_rate="-0.1"), "400 bad_request daily_rate"),
    (account(daily_rate="0.05%"), "400 bad_request daily_rate"),
    (account(mandate="6222020000001234567"), "400 bad_request mandate"),
    (account(creditor="one\ntwo"), "400 bad_request creditor"),
    (money(credit=1), "400 bad_request credit"),
    (amended(due_on=None), "400 bad_request due_on"),
    (amended(amount_minor="60000"), "400 bad_request amount_minor"),
    (entry(told.OBLIGATION, entry_on="soon"), "400 bad_request entry_on"),
    (flight(means=CANARY), "400 bad_request means"),
    (flight(state="gone"), "400 bad_request state"),
    (flight(expected_by=None), "400 bad_request expected_by"),
    (flight(reason="the card of canary@example.com"), "400 bad_request reason"),
    (hold(kind=CANARY), "400 bad_request kind"),
    (hold(starts_at="2026-03-01T10:00:00"), "400 bad_request starts_at"),
    (lift("h-1", None), "400 bad_request lifted_at"),
    (fed("2026-03-01"), "400 bad_request complete_until"),
    # Not an id
    ((told.path(borrower=CANARY), told.borrower()), "400 bad_id borrower_id"),
    ((told.path(borrower="b" * 129), told.borrower()), "400 bad_id borrower_id"),
    ((told.path(tenant=CANARY), told.borrower()), "400 bad_id tenant"),
    ((told.path("accounts", CANARY), told.account()), "400 bad_id account_id"),
    ((told.path("obligations", CANARY), told.obligation()), "400 bad_id obligation_id"),
    ((told.path("repayments", CANARY), told.repayment()), "400 bad_id repayment_id"),
    (reversal(CANARY), "400 bad_id repayment_id"),
    (bill(account_id=CANARY), "400 bad_id account_id"),
    (money(obligation_id=CANARY), "400 bad_id obligation_id"),
    (amended(obligation_id=CANARY), "400 bad_id obligation_id"),
    (entry(CANARY), "400 bad_id obligation_id"),
    ((told.path("flights", CANARY), told.flight()), "400 bad_id flight_id"),
    (flight(account_id=""), "400 bad_id account_id"),
    (flight(obligation_id=CANARY), "400 bad_id obligation_id"),
    ((told.path("holds", CANARY), told.hold()), "400 bad_id hold_id"),
    (hold(account_id=CANARY), "400 bad_id account_id"),
    (hold(obligation_id=CANARY), "400 bad_id obligation_id"),
    (hold(owner=CANARY), "400 bad_id owner"),
    (lift(CANARY), "400 bad_id hold_id"),
    (fed("2026-03-01T09:00:00+08:00", tenant=CANARY), "400 bad_id tenant"),
    # Not there
    (
        (told.path("accounts", "a-2", borrower="b-canary"), told.account()),
        "404 unknown_borrower borrower_id",
    ),
    (bill(account_id="a-canary"), "404 unknown_account account_id"),
    (reversal("r-canary"), "404 unknown_repayment repayment_id"),
    (amended(obligation_id="o-canary"), "404 unknown_obligation obligation_id"),
    (entry("o-canary"), "404 unknown_obligation obligation_id"),
    (flight(account_id="a-canary"), "404 unknown_account account_id"),
    (
        (told.path("holds", "h-2", borrower="b-canary"), told.hold()),
        "404 unknown_borrower borrower_id",
    ),
    (hold(account_id="a-canary"), "404 unknown_account account_id"),
    (hold(obligation_id="o-canary"), "404 unknown_obligation obligation_id"),
    (lift("h-canary"), "404 unknown_hold hold_id"),
    # There, with other content
    (
        (told.path("obligations", told.OBLIGATION), told.obligation(amount_minor=130_000)),
        "409 duplicate_id obligation_id",
    ),
    (
        (told.path("accounts", told.ACCOUNT), told.account(currency="USD")),
        "409 currency_changed currency",
    ),
    (
        (told.path("accounts", told.ACCOUNT, borrower="b-1002"), told.account()),
        "409 account_taken account_id",
    ),
    (
        (told.path("flights", "f-1001"), told.flight(amount_minor=1)),
        "409 duplicate_id flight_id",
    ),
    ((told.path("flights", "f-1001"), told.flight(state="failed")), "409 flight_ended state"),
    (
        (told.path("holds", "h-1001"), told.hold(kind="hardship")),
        "409 duplicate_id hold_id",
    ),
    (
        (told.path("obligations", "o-2", borrower="b-1002"), told.obligation()),
        "409 account_taken account_id",
    ),
    (lift("h-1002", "2026-03-01T09:50:00+08:00"), "409 hold_lifted lifted_at"),
    # Understood, and wrong in itself
    (person(zone=CANARY), "422 unknown_zone zone"),
    (person(email="canary"), "422 bad_email email"),
    (person(phone=CANARY), "422 bad_phone phone"),
    (account(currency=CANARY), "422 unknown_currency currency"),
    (account(limit_minor=-1), "422 negative_amount limit_minor"),
    (bill(due_on="2026-02-01"), "422 due_before_issue due_on"),
    (bill(due_on="9999-12-31"), "422 bad_date due_on"),
    (bill(issued_at="0001-01-01T00:00:00+14:00"), "422 bad_date issued_at"),
    (bill(amount_minor=0), "422 bad_amount amount_minor"),
    (bill(amount_minor=-1), "422 bad_amount amount_minor"),
    (bill(amount_minor=10**40), "422 bad_amount amount_minor"),
    (bill(principal_minor=-1), "422 negative_amount principal_minor"),
    (bill(minimum_minor=130_000), "422 bad_minimum minimum_minor"),
    (money(paid_at="2026-04-01T00:00:00+08:00"), "422 in_the_future paid_at"),
    (money(amount_minor=-1), "422 bad_amount amount_minor"),
    (money(currency="USD"), "422 wrong_currency currency"),
    (person(zone_evidence=[CANARY]), "422 unknown_zone zone_evidence"),
    (account(daily_rate="1.5"), "422 bad_rate daily_rate"),
    (account(daily_rate="0.03"), "422 bad_rate daily_rate"),
    (account(daily_rate="0.9"), "422 bad_rate daily_rate"),
    (account(daily_rate="0.008000000001"), "422 bad_rate daily_rate"),
    (
        flight(account_id="a-1003", obligation_id=told.OBLIGATION),
        "422 wrong_account account_id",
    ),
    (hold(account_id="a-1003", obligation_id=told.OBLIGATION), "422 wrong_account account_id"),
    (bill(fee_minor=130_000), "422 bad_amount fee_minor"),
    (amended("0"), "422 bad_revision revision"),
    (amended("first"), "422 bad_revision revision"),
    (amended("\u0661"), "422 bad_revision revision"),
    (amended(amount_minor=0), "422 bad_amount amount_minor"),
    (entry(told.OBLIGATION, entry_on="9999-12-31"), "422 bad_date entry_on"),
    (flight(amount_minor=0), "422 bad_amount amount_minor"),
    (flight(at="2026-04-01T00:00:00+08:00"), "422 bad_date expected_by"),
    (
        flight(at="2026-03-02T00:00:00+08:00"),
        "422 in_the_future at",
    ),
    (hold(channel=CANARY), "422 bad_hold channel"),
    (hold(ends_at="2026-03-01T10:00:00+08:00"), "422 bad_hold ends_at"),
    (hold(kind="promise", promise_minor=100), "422 bad_hold promise_on"),
    (hold(**PROMISE, ends_at="2026-03-04T00:00:00Z"), "422 bad_hold ends_at"),
    (hold(**{**PROMISE, "promise_on": "2026-02-28"}), "422 bad_hold promise_on"),
    (hold(promise_on="2026-03-05"), "422 bad_hold promise_on"),
    (lift("h-1001", "2026-04-01T00:00:00Z"), "422 in_the_future lifted_at"),
    (fed("2026-04-01T00:00:00Z"), "422 in_the_future complete_until"),
    (fed("0001-01-01T00:00:00Z"), "422 bad_date complete_until"),
]


@pytest.fixture(scope="module")
def pump(cloud: Cloud) -> Iterator[Pump]:
    """One deployment with two borrowers, a bill, a debit that settled, a dispute, a second account and a hold that was
    lifted for all tests of the module: a refused request leaves no trace in it.
    """
    with pytest.MonkeyPatch.context() as patch:
        made = Pump(cloud, patch, VirtualClock(told.TOLD_AT))
        told.bill(made)
        made.put(told.path(borrower="b-1002"), told.borrower())
        made.put(told.path("flights", "f-1001"), told.flight(state="settled"))
        made.put(told.path("holds", "h-1001"), told.hold())
        made.put(told.path("accounts", "a-1003"), told.account())
        made.put(told.path("holds", "h-1002"), told.hold(kind="hardship"))
        made.put(*lift("h-1002"))
        yield made


@pytest.mark.parametrize(("request_", "refusal"), REFUSED, ids=[refusal for _, refusal in REFUSED])
def test_a_refusal_says_what_is_wrong_and_repeats_nothing(
    pump: Pump, request_: Request, refusal: str
) -> None:
    """The request gets its status, code and field, leaves no trace, and none of what it held comes back."""
    path, body = request_
    before = pump.tables()

    answer = pump.answer("PUT", path, body if isinstance(body, str) else json.dumps(body))

    error = told.error_in(answer)
    assert f"{answer['statusCode']} {error['code']} {error['field']}".strip() == refusal
    assert "canary" not in answer["body"]
    assert pump.tables() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", f"/v2/{CANARY}"),
        ("PUT", told.path("holds", "h-1", CANARY)),
        ("GET", told.path("holds", "h-1")),
        ("PUT", told.path("obligations", "o-1", "amendments")),
        ("PUT", f"/v1/{TENANT}/feeds"),
        ("POST", told.path()),
        ("DELETE", told.path()),
        ("PUT", told.path("repayments", "r-1", "refund")),
    ],
)
def test_an_unknown_route_is_not_found(pump: Pump, method: str, path: str) -> None:
    """What is no route of ours answers 404 in the shape of every other error."""
    answer = pump.answer(method, path, "{}")

    assert (answer["statusCode"], told.error_in(answer)["code"]) == (404, "unknown_route")
    assert "canary" not in answer["body"]


@pytest.mark.parametrize(
    "path",
    [told.path("timeline", borrower="b-canary"), told.path("timeline", tenant="canary")],
    ids=["another borrower", "another tenant"],
)
def test_the_timeline_of_a_stranger_is_not_found(pump: Pump, path: str) -> None:
    """A borrower whom nobody told us about, or whom another tenant told us about, has no timeline."""
    answer = pump.answer("GET", path, None)

    assert (answer["statusCode"], told.error_in(answer)["code"]) == (404, "unknown_borrower")
    assert "canary" not in answer["body"]
