"""Loans and bills in JSON become values of the core as they stand, and nothing is bent into a form that fits."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from betimes.core.errors import Rejected
from betimes.core.opening import Prepayment, Running, Settling, Spread
from betimes.core.schedule import Terms
from betimes.core.statement import Forward, Purchase, Refund, Supplied
from betimes.core.workdays import Rolled
from betimes.wire.openings import LoanIn, StatementIn

CHINA = timezone(timedelta(hours=8))
ROW = {
    "number": 1,
    "due_on": "2026-03-10",
    "principal_minor": 198_489,
    "interest_minor": 5_040,
    "balance_minor": 401_511,
}
LOAN: dict[str, Any] = {
    "currency": "CNY",
    "issued_at": "2026-02-10T10:00:00+08:00",
    "start": "2026-02-10",
    "principal_minor": 600_000,
    "months": 3,
}


def loan(**fields: Any) -> LoanIn:
    return LoanIn.model_validate_json(json.dumps({**LOAN, **fields}))


def statement(**fields: Any) -> StatementIn:
    return StatementIn.model_validate_json(json.dumps({"due_day": 10, **fields}))


def test_a_loan_needs_no_more_than_its_terms() -> None:
    """What is left out is left to the product: rate, due day, schedule."""
    found = loan().to_core()
    assert found.terms == Terms(600_000, "CNY", 3, date(2026, 2, 10))
    assert found.issued_at == datetime(2026, 2, 10, 10, tzinfo=CHINA)
    assert (found.rows, found.payments, found.names) == (None, (), {})


def test_every_term_arrives() -> None:
    """Rates as decimals and never as floats, dates as dates."""
    terms = (
        loan(
            annual_rate="0.1095",
            flat_fee="0.088",
            due_day=31,
            first_due="2026-03-31",
            due_dates=["2026-04-01"],
            draws=[{"on": "2026-02-10", "amount_minor": 600_000}],
        )
        .to_core()
        .terms
    )
    assert terms == Terms(
        600_000,
        "CNY",
        3,
        date(2026, 2, 10),
        annual_rate=Decimal("0.1095"),
        flat_fee=Decimal("0.088"),
        due_day=31,
        first_due=date(2026, 3, 31),
        due_dates=(date(2026, 4, 1),),
        draws=((date(2026, 2, 10), 600_000),),
    )
    assert loan(daily_rate="0.0003").to_core().terms.daily_rate == Decimal("0.0003")


def test_a_schedule_is_rows_with_the_names_of_those_that_have_one() -> None:
    """An empty schedule is one, and differs from none."""
    found = loan(rows=[ROW, {**ROW, "number": 2, "obligation_id": "their-2"}]).to_core()
    assert found.rows is not None
    (row, _) = found.rows
    assert (row.due, row.amount_minor, row.balance_minor) == (
        Rolled(date(2026, 3, 10), date(2026, 3, 10)),
        203_529,
        401_511,
    )
    assert found.names == {2: "their-2"}
    assert loan(rows=[]).to_core().rows == ()


def test_money_paid_ahead_arrives_in_its_order() -> None:
    """Prepayments, then what settles the loan."""
    paid = {"repayment_id": "p-1", "paid_at": "2026-03-01T09:30:00+08:00", "amount_minor": 5}
    found = loan(prepayments=[{**paid, "revision": 4, "keep": "instalment"}], settlement=paid)
    at = datetime(2026, 3, 1, 9, 30, tzinfo=CHINA)
    assert found.to_core().payments == (
        Prepayment("p-1", at, 5, 4, "instalment"),
        Settling("p-1", at, 5),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"principal_minor": 6000.0},
        {"principal_minor": True},
        {"months": "3"},
        {"daily_rate": 0.0003},
        {"daily_rate": "0.03%"},
        {"daily_rate": "0.0003\n"},
        {"annual_rate": "-0.1"},
        {"start": "2026-02-10T00:00:00"},
        {"issued_at": "2026-02-10T10:00:00"},
        {"rate": "0.0003"},
        {"rows": [{**ROW, "days": 28}]},
        {"rows": [ROW] * 601},
        {"draws": [["2026-02-10", 600_000]]},
        {"prepayments": [{"repayment_id": "p-1", "amount_minor": 5}]},
    ],
)
def test_nothing_is_bent_into_a_loan(fields: dict[str, Any]) -> None:
    """Another type, an unknown key, a rate in per cent: refused."""
    with pytest.raises(ValidationError):
        loan(**fields)


def test_a_bill_needs_its_due_day_and_its_month() -> None:
    """The month is that of the path."""
    found = statement().to_core("2026-08")
    assert (found.month, found.due_day, found.forward) == (date(2026, 8, 1), 10, Forward())
    assert (found.purchases, found.supplied, found.obligation_id) == ((), None, "")
    for month in ("2026-8", "2026-13", "2026-00", "1969-12", "2200-01", "2026-08\n", "２０２６-08"):
        with pytest.raises(Rejected) as caught:
            statement().to_core(month)
        assert (caught.value.code, caught.value.field) == ("bad_month", "month")


def test_everything_on_a_bill_arrives() -> None:
    """Purchases, refunds, plans, what is handed on, the lender's figures, and what is spread."""
    found = statement(
        purchases=[{"id": "p", "bought_on": "2026-07-20", "amount_minor": 1_000}],
        refunds=[{"id": "r", "purchase_id": "p", "refunded_on": "2026-07-21", "amount_minor": 100}],
        plans=[{"plan_id": "c", "billed_on": "2026-07-01", "months": 3, "amount_minor": 900}],
        billed=["old"],
        forward={"revolving_minor": 1, "overdue_minor": 2, "fee_minor": 3, "credit_minor": 4},
        figures={
            "bill_on": "2026-08-01",
            "due_on": "2026-08-10",
            "balance_minor": 5,
            "minimum_minor": 6,
        },
        spreads=[{"plan_id": "d", "on": "2026-08-02", "months": 6, "revision": 2}],
        obligation_id="their-8",
        before_id="their-7",
    ).to_core("2026-08")
    assert found.purchases == (Purchase("p", date(2026, 7, 20), None, 1_000),)
    assert found.refunds == (Refund("r", "p", date(2026, 7, 21), 100),)
    assert found.running == (Running("c", date(2026, 7, 1), 3, 900),)
    assert found.billed == {"old"}
    assert found.forward == Forward(1, 2, 3, 4)
    assert found.supplied == Supplied(date(2026, 8, 1), date(2026, 8, 10), 5, 6)
    assert found.spreads == (Spread("d", date(2026, 8, 2), 6, revision=2),)
    assert (found.obligation_id, found.before_id) == ("their-8", "their-7")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"purchases": [{"id": "#", "bought_on": "2026-07-20", "amount_minor": 1}]}, "purchases"),
        (
            {
                "spreads": [{"plan_id": "c/1", "on": "2026-08-02", "months": 6, "revision": 2}],
            },
            "spreads",
        ),
        ({"obligation_id": "a b"}, "obligation_id"),
        ({"before_id": "a#b"}, "before_id"),
    ],
)
def test_an_id_on_a_bill_is_an_id(fields: dict[str, Any], field: str) -> None:
    """A slash in the id of a plan would blur it with those of its parts."""
    with pytest.raises(Rejected) as caught:
        statement(**fields).to_core("2026-08")
    assert (caught.value.code, caught.value.field) == ("bad_id", field)
