"""Loans and bills told over the HTTP API: by their terms, checked, repeated, and refused whole."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from betimes.core.obligation import Obligation
from betimes.lab.world import TENANT
from tests.handlers import told
from tests.handlers.pump import Pump, plain

LOAN_AT = told.path("accounts", "a-2", "loan")
BILL_AT = told.path("accounts", "a-3", "statements", "2026-03")
CANARY = "canary@example.com"
# Ten in Shanghai on the day before the first row and the bill are due.
DAY_BEFORE = told.D_1 + timedelta(days=1)
# More than any row of the loan, so that it cannot be there by chance.
ODD = 987_654_321


def loan(**fields: Any) -> dict[str, Any]:
    """Return the body of a loan of CNY 6,000.00 over three months at 0.03 % a day."""
    default = {
        "currency": "CNY",
        "issued_at": "2026-02-10T10:00:00+08:00",
        "start": "2026-02-10",
        "principal_minor": 600_000,
        "months": 3,
        "daily_rate": "0.0003",
    }
    return {**default, **fields}


def rows(**changes: int) -> list[dict[str, Any]]:
    """Return the lender's own schedule of it; `changes` are those of the second row."""
    made = [
        ("2026-03-10", 198_489, 5_040, 401_511),
        ("2026-04-10", 199_795, 3_734, 201_716),
        ("2026-05-10", 201_716, 1_815, 0),
    ]
    found: list[dict[str, Any]] = [
        {
            "number": number,
            "due_on": due_on,
            "principal_minor": principal,
            "interest_minor": interest,
            "balance_minor": balance,
        }
        for number, (due_on, principal, interest, balance) in enumerate(made, start=1)
    ]
    found[1].update(changes)
    return found


def prepayment(**fields: Any) -> dict[str, Any]:
    """Return a part of the loan paid ahead of time, half an hour before the story begins."""
    default = {
        "repayment_id": "p-1",
        "paid_at": "2026-03-01T09:30:00+08:00",
        "amount_minor": 200_000,
        "revision": 1,
    }
    return {**default, **fields}


def bill(**fields: Any) -> dict[str, Any]:
    """Return the body of a bill with one purchase of CNY 500.00."""
    purchase = {"id": "q-1", "bought_on": "2026-02-10", "amount_minor": 50_000}
    return {"due_day": 10, "purchases": [{**purchase, "confirmed_on": "2026-02-12"}], **fields}


@pytest.fixture
def opened(pump: Pump) -> Pump:
    """A borrower with an account of a loan, one of a bill, and one of a product that no profile describes."""
    pump.put(told.path(), told.borrower())
    for account_id, product in (("a-2", "jiebei_like"), ("a-3", "huabei_like"), ("a-4", "other")):
        pump.put(told.path("accounts", account_id), told.account(product=product))
    return pump


def owing(pump: Pump) -> dict[str, Obligation]:
    """Return what the borrower owes, by id."""
    pages = pump.worlds["OnRequestFunction"].stores.book.pages(TENANT, told.BORROWER)
    return {key: each for key, each in pages.obligations.items() if each.is_open}


def test_a_loan_is_told_by_its_terms_and_reminded_of(opened: Pump) -> None:
    """With the lender's own schedule beside them; the first row is due on 10 March and its reminder goes out."""
    assert opened.put(LOAN_AT, loan(rows=rows())) == "stored"
    found = owing(opened)
    assert [(key, each.amount.minor) for key, each in sorted(found.items())] == [
        ("a-2-001", 203_529),
        ("a-2-002", 203_529),
        ("a-2-003", 203_531),
    ]
    before = opened.tables()
    assert opened.put(LOAN_AT, loan(rows=rows())) == "unchanged"
    assert opened.put(LOAN_AT, loan()) == "unchanged"
    assert opened.tables() == before
    opened.settle()
    opened.sweep_at(DAY_BEFORE)
    (mail,) = opened.mails()
    assert "2,035.29" in plain(mail)


def test_the_lender_s_ids_are_kept(opened: Pump) -> None:
    """Those of the rows that have one."""
    named = rows()
    named[0]["obligation_id"] = "their-1"
    opened.put(LOAN_AT, loan(rows=named))
    assert sorted(owing(opened)) == ["a-2-002", "a-2-003", "their-1"]


def test_money_paid_ahead_is_told_with_the_loan(opened: Pump) -> None:
    """Later, with the loan as it was told before, or all at once: what is owed afterwards is the same."""
    opened.put(LOAN_AT, loan())
    assert opened.put(LOAN_AT, loan(prepayments=[prepayment()])) == "stored"
    assert opened.put(LOAN_AT, loan(prepayments=[prepayment()])) == "unchanged"
    left = {key: each.outstanding.minor for key, each in owing(opened).items()}
    assert sum(left.values()) < 3 * 140_000
    assert set(left) == {"a-2-001", "a-2-002", "a-2-003"}
    settled = {
        "repayment_id": "s-1",
        "paid_at": "2026-03-01T09:45:00+08:00",
        # 4,000.00 and nineteen days of interest less what was prepaid, and nothing for this day.
        "amount_minor": 600_000 + 600_000 * 19 * 3 // 10_000 - 200_000,
    }
    body = loan(prepayments=[prepayment()], settlement=settled)
    assert opened.put(LOAN_AT, body) == "stored"
    assert opened.put(LOAN_AT, body) == "unchanged"
    assert owing(opened) == {}
    opened.settle()
    opened.sweep_at(DAY_BEFORE)
    assert opened.mails() == []


def test_a_bill_is_told_by_what_stands_on_it(opened: Pump) -> None:
    """With its minimum, checked against the lender's figures; told again it changes nothing."""
    figures = {
        "bill_on": "2026-03-01",
        "due_on": "2026-03-10",
        "balance_minor": 50_000,
        "minimum_minor": 5_000,
    }
    assert opened.put(BILL_AT, bill(figures=figures)) == "stored"
    assert opened.put(BILL_AT, bill(figures=figures)) == "unchanged"
    found = owing(opened)["a-3:2026-03"]
    assert (found.amount.minor, found.minimum_minor) == (50_000, 5_000)
    assert found.due_on.isoformat() == "2026-03-10"
    assert opened.put(told.path("accounts", "a-3", "statements", "2026-02"), {"due_day": 10}) == (
        "unchanged"
    )


def test_a_bill_that_is_spread_leaves_its_parts_to_the_next(opened: Pump) -> None:
    """The bill is closed, and the part of the month stands on the bill after it."""
    spread = {"plan_id": "c-1", "on": "2026-03-01", "months": 3, "revision": 1}
    opened.put(BILL_AT, bill(spreads=[spread]))
    assert owing(opened) == {}
    plan = {"plan_id": "c-1", "billed_on": "2026-03-01", "months": 3, "amount_minor": 50_000}
    april = told.path("accounts", "a-3", "statements", "2026-04")
    assert opened.put(april, {"due_day": 10, "plans": [plan]}) == "stored"
    part = owing(opened)["a-3:2026-04"]
    assert (part.amount.minor, part.fee_minor, part.minimum_minor) == (17_083, 417, 17_083)


def statement(month: str = "2026-03", account: str = "a-3", **fields: Any) -> tuple[str, Any]:
    return told.path("accounts", account, "statements", month), bill(**fields)


def opening(*, at: str = "a-2", **fields: Any) -> tuple[str, Any]:
    return told.path("accounts", at, "loan"), loan(**fields)


REFUSED = [
    (opening(rows=rows(interest_minor=3_735)), "422 schedule_mismatch 2.interest_minor"),
    (opening(rows=rows(principal_minor=ODD)), "422 schedule_mismatch 2.principal_minor"),
    (opening(rows=rows()[:2]), "422 schedule_mismatch rows"),
    (opening(principal_minor=0), "422 bad_terms principal_minor"),
    (opening(months=13), "422 bad_terms months"),
    (opening(start="0001-01-01"), "422 bad_terms start"),
    (opening(first_due="9999-12-31"), "422 bad_terms first_due"),
    (opening(currency="USD"), "422 wrong_currency currency"),
    (opening(at="a-4"), "422 unknown_profile product"),
    (opening(at="a-canary"), "404 unknown_account account_id"),
    (opening(at="a" * 129), "400 bad_id account_id"),
    (opening(daily_rate=0.0003), "400 bad_request daily_rate"),
    (opening(daily_rate="0.03%"), "400 bad_request daily_rate"),
    (opening(principal_minor="600000"), "400 bad_request principal_minor"),
    (opening(issued_at="2026-02-10T10:00:00"), "400 bad_request issued_at"),
    ((LOAN_AT, loan(**{CANARY: 1})), "400 bad_request"),
    (opening(rows=[{**rows()[0], "obligation_id": CANARY}]), "400 bad_id obligation_id"),
    (opening(issued_at="2026-05-20T10:00:00+08:00"), "422 due_before_issue due_on"),
    (opening(prepayments=[prepayment(revision=0)]), "400 bad_request prepayments.0.revision"),
    (opening(prepayments=[prepayment(keep="both")]), "400 bad_request prepayments.0.keep"),
    (opening(prepayments=[prepayment(repayment_id=CANARY)]), "400 bad_id repayment_id"),
    (
        opening(prepayments=[prepayment(amount_minor=ODD)]),
        "422 bad_terms prepayments.0.amount_minor",
    ),
    (
        opening(prepayments=[prepayment(paid_at="2026-03-02T09:30:00+08:00")]),
        "422 in_the_future paid_at",
    ),
    (
        opening(prepayments=[prepayment(paid_at="0001-01-01T00:00:00+14:00")]),
        "422 bad_date paid_at",
    ),
    (
        opening(settlement={**prepayment(amount_minor=ODD), "revision": 1}),
        "400 bad_request settlement.revision",
    ),
    (
        opening(
            settlement={
                "repayment_id": "s-1",
                "paid_at": "2026-03-01T09:30:00+08:00",
                "amount_minor": ODD,
            }
        ),
        "422 schedule_mismatch settlement.amount_minor",
    ),
    (statement(month="2026-3"), "422 bad_month month"),
    (statement(month="2026-13"), "422 bad_month month"),
    (statement(month="0001-01"), "422 bad_month month"),
    (statement(due_day=11), "422 unknown_due_day due_day"),
    (statement(account="a-2"), "422 no_billing product"),
    (statement(account="a-4"), "422 unknown_profile product"),
    (statement(account="a-canary"), "404 unknown_account account_id"),
    (statement(forward={"revolving_minor": -1}), "422 negative_amount revolving_minor"),
    (statement(forward={"revolving_minor": ODD}), "404 unknown_obligation before_id"),
    (statement(purchases=[{"id": CANARY}]), "400 bad_request purchases.0.bought_on"),
    (
        statement(purchases=[{"id": CANARY, "bought_on": "2026-02-01", "amount_minor": 1}]),
        "400 bad_id purchases",
    ),
    (
        statement(
            figures={
                "bill_on": "2026-03-01",
                "due_on": "2026-03-10",
                "balance_minor": ODD,
                "minimum_minor": 5_000,
            }
        ),
        "422 statement_mismatch balance_minor",
    ),
    (
        statement(spreads=[{"plan_id": "c-1", "on": "0001-01-01", "months": 3, "revision": 1}]),
        "422 bad_conversion on",
    ),
    (
        statement(
            plans=[
                {"plan_id": "c-1", "billed_on": "2026-02-01", "months": 5, "amount_minor": 9_000}
            ]
        ),
        "422 bad_conversion months",
    ),
    (
        statement(
            plans=[
                {"plan_id": "c-1", "billed_on": "0001-01-01", "months": 3, "amount_minor": 9_000}
            ]
        ),
        "422 bad_terms start",
    ),
]


def test_what_is_wrong_is_refused_whole_and_never_said_back(opened: Pump) -> None:
    """Status, code and field; no obligation of it is stored, and no amount or name of it comes back."""
    before = opened.tables()
    for (path, body), expected in REFUSED:
        answer = opened.answer("PUT", path, json.dumps(body))
        error = told.error_in(answer)
        said = f"{answer['statusCode']} {error['code']} {error['field']}".strip()
        assert said == expected, body
        assert "canary" not in answer["body"], body
        assert str(ODD) not in answer["body"], body
    assert opened.tables() == before


def test_a_loan_of_which_a_part_is_known_otherwise_is_refused_whole(opened: Pump) -> None:
    """Its third row has an id that stands for something else: none of the three is stored."""
    other = told.obligation(account_id="a-2")
    opened.put(told.path("obligations", "a-2-003"), other)
    before = opened.tables()
    status, answer = opened.request("PUT", LOAN_AT, loan())
    assert (status, answer["error"]["code"]) == (409, "duplicate_id")
    assert opened.tables() == before


def test_a_long_loan_is_settled_in_parts_that_a_repetition_finds_done(opened: Pump) -> None:
    """60 rows and as many credit notes are more than one transaction holds."""
    body = loan(start="2026-03-01", issued_at="2026-03-01T09:00:00+08:00", months=60)
    del body["daily_rate"]
    where = told.path("accounts", "a-5", "loan")
    opened.put(told.path("accounts", "a-5"), told.account(product="education"))
    body |= {"annual_rate": "0.05"}
    assert opened.put(where, body) == "stored"
    assert len(owing(opened)) == 60
    settled = {
        "repayment_id": "s-1",
        "paid_at": "2026-03-01T09:30:00+08:00",
        "amount_minor": 600_000,
    }
    body |= {"settlement": settled}
    assert opened.put(where, body) == "stored"
    assert owing(opened) == {}
    assert opened.put(where, body) == "unchanged"
