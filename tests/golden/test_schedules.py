"""Schedules, yearly rates and due dates come out as their sources print them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pytest

from betimes.core import rates
from betimes.core.dates import add_months, year_fraction
from betimes.core.product import DayCount, Family, Method, Profile, Rounding
from betimes.core.schedule import Instalment, Terms, equal_instalment, schedule
from tests.golden.vectors import GOLDEN

SCHEDULES = {vector["id"]: vector for vector in GOLDEN["schedules"]}
CENT = Decimal("0.01")


def minor(text: str) -> int:
    return int(Decimal(text) * 100)


def percent(rate: Decimal, quantum: str) -> Decimal:
    return (rate * 100).quantize(Decimal(quantum))


def loan(vector: dict[str, Any]) -> tuple[Terms, Profile]:
    """Return terms and profile of a vector; one that names the days of its periods starts where months have them."""
    start = date.fromisoformat(vector.get("start", "2026-06-15"))
    annual = None
    if "annual_pct" in vector:
        annual = Decimal(vector["annual_pct"]) / 100
    elif "monthly_rate" in vector:
        annual = Decimal(vector["monthly_rate"]) * 12
    terms = Terms(
        principal_minor=minor(vector["principal"]),
        currency="USD",
        months=vector.get("n") or len(vector["period_days"]),
        start=start,
        daily_rate=Decimal(vector["daily_rate"]) if "daily_rate" in vector else None,
        annual_rate=annual,
    )
    default = "ACT/365F" if "daily_rate" in vector else "30/360"
    return terms, Profile(
        name="golden",
        family=Family.INSTALMENT,
        method=Method(vector["method"]),
        rounding=Rounding(vector["rounding"].lower()),
        day_count=DayCount(vector.get("day_count", default).lower()),
    )


def figures(row: Instalment) -> list[int]:
    return [row.amount_minor, row.interest_minor, row.principal_minor, row.balance_minor]


def in_minor(rows: list[list[str]]) -> list[list[int]]:
    return [[minor(figure) for figure in row] for row in rows]


WITH_ROWS = [name for name, vector in SCHEDULES.items() if "rows" in vector]


@pytest.mark.parametrize("name", WITH_ROWS)
def test_every_row_is_the_published_one(name: str) -> None:
    """Instalment, interest, principal and balance, to the cent."""
    vector = SCHEDULES[name]
    terms, profile = loan(vector)
    rows = schedule(terms, profile)
    assert [figures(row) for row in rows] == in_minor(vector["rows"])
    if "period_days" in vector:
        assert [row.days for row in rows] == vector["period_days"]
    if "total_interest" in vector:
        assert sum(row.interest_minor for row in rows) == minor(vector["total_interest"])


@pytest.mark.parametrize("rounding", [Rounding.HALF_UP, Rounding.HALF_EVEN])
def test_another_rounding_does_not_reproduce_the_truncated_table(rounding: Rounding) -> None:
    """The vector pins the rounding: with the variant it names, its wrong figures come out and not the right ones."""
    vector = SCHEDULES["jiebei-6000-3m"]
    terms, profile = loan(vector)
    rows = schedule(terms, replace(profile, rounding=rounding))
    wrong = vector["must_not_match"]
    assert Rounding(wrong["rounding"].lower()) is Rounding.HALF_UP
    assert rows[0].amount_minor == minor(wrong["emi"])
    assert rows[-1].interest_minor == minor(wrong["last_interest"])
    assert [figures(row) for row in rows] != in_minor(vector["rows"])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("jiebei-6000-3m", {"rounding": Rounding.UP}),
        ("jiebei-6000-3m", {"remainder": "first"}),
        ("fineract-30-360", {"day_count": DayCount.ACT_365F}),
        ("fineract-act-365", {"day_count": DayCount.ACT_360}),
        ("fineract-act-365", {"day_count": DayCount.ACT_ACT}),
        ("fineract-act-365", {"remainder": "first"}),
    ],
)
def test_each_parameter_decides_a_published_figure(name: str, change: dict[str, Any]) -> None:
    """Another rounding, remainder or day count does not reproduce the table."""
    vector = SCHEDULES[name]
    terms, profile = loan(vector)
    rows = schedule(terms, replace(profile, **change))
    assert [figures(row) for row in rows] != in_minor(vector["rows"])


def test_the_leap_year_tells_two_day_counts_apart() -> None:
    """By ACT/ACT of 2024 row 2 bears 1.04 instead of 1.05, and the last row is 17.45: as golden.md has it."""
    terms, profile = loan(SCHEDULES["fineract-act-365"])
    rows = schedule(terms, replace(profile, day_count=DayCount.ACT_ACT))
    assert (rows[1].interest_minor, rows[-1].amount_minor) == (104, 1745)


def test_equal_principals_fall_to_the_computed_last_row() -> None:
    """First row, last row and the interest in all of the vector."""
    vector = SCHEDULES["equal-principal-12000"]
    rows = schedule(*loan(vector))
    assert [figures(rows[0]), figures(rows[-1])] == in_minor([vector["first"], vector["last"]])
    assert sum(row.interest_minor for row in rows) == minor(vector["total_interest"])


def test_an_unrounded_instalment_is_the_formula_s() -> None:
    """To the seven decimals printed, and first and last interest to the cent, when nothing is rounded."""
    vector = SCHEDULES["npf-ipmt"]
    rate = Fraction(Decimal(vector["annual_pct"])) / 1200
    principal = Fraction(vector["principal"])
    exact = equal_instalment(principal, [rate] * vector["n"])

    def shown(value: Fraction, quantum: Decimal = CENT, mode: str = ROUND_HALF_EVEN) -> Decimal:
        return (Decimal(value.numerator) / value.denominator).quantize(quantum, mode)

    # The figure goes on with 53: the vector has its first seven decimals, cut off.
    assert shown(exact, Decimal("1e-7"), ROUND_DOWN) == Decimal(vector["emi"])
    assert shown(exact * vector["n"] - principal) == Decimal(vector["total_interest"])
    first = principal * rate
    last = exact - exact / (1 + rate)
    for key, interest in (("first", first), ("last", last)):
        expected = [Decimal(figure) for figure in vector[f"{key}_principal_interest"]]
        assert [shown(exact - interest), shown(interest)] == expected


def test_a_month_s_rate_follows_its_days() -> None:
    """January and February of a leap year, to twelve decimals."""
    vector = SCHEDULES["month-rate-factors"]
    months = {31: (date(2024, 1, 1), date(2024, 2, 1)), 29: (date(2024, 2, 1), date(2024, 3, 1))}
    for each in vector["factors"]:
        part = year_fraction(DayCount(vector["day_count"].lower()), *months[each["days"]])
        factor = Fraction(Decimal(vector["annual_pct"])) / 100 * part
        shown = (Decimal(factor.numerator) / factor.denominator).quantize(Decimal("1e-12"))
        assert shown == Decimal(each["factor"])


APR = {row[0]: row for row in GOLDEN["apr_actuarial"]["rows"]}


def actuarial(row: list[Any], odd: str) -> Decimal:
    _, _, amount, units, full, _, groups = row
    payments: list[Decimal] = []
    for group in groups.split(","):
        count, _, paid = group.rpartition("x")
        payments += [Decimal(paid)] * int(count or 1)
    rate = rates.apr_actuarial(
        Decimal(amount),
        payments,
        units_per_year=units,
        full_units_to_first=full,
        odd=Fraction(odd),
    )
    return percent(rate, "0.01")


@pytest.mark.parametrize("name", APR)
def test_the_actuarial_rate_is_the_regulation_s(name: str) -> None:
    """Each example of Appendix J, to the hundredth of a percent."""
    row = APR[name]
    assert actuarial(row, row[5]) == Decimal(row[1])


def test_odd_days_counted_naively_give_another_rate() -> None:
    """Full months are counted back from the payment first; without that the rate is the wrong one of the vector."""
    wrong = GOLDEN["apr_actuarial"]["must_not_match"]
    row = APR[wrong["example"]]
    assert actuarial(row, wrong["odd_fraction"]) == Decimal(wrong["gives_pct"]) != Decimal(row[1])


@pytest.mark.parametrize("row", GOLDEN["flat_fee"]["rows"], ids=lambda row: f"{row[0]}-months")
def test_a_flat_fee_is_not_the_yearly_rate(row: list[Any]) -> None:
    """Instalment, nominal and effective rate of the tariff; the fee itself is neither."""
    months, fee_pct, payment, nominal, effective = row
    fee = Decimal(fee_pct) / 100
    yearly = rates.flat_fee(fee, months)
    assert percent(yearly.nominal, "0.0001") == Decimal(nominal)
    assert percent(yearly.effective, "0.0001") == Decimal(effective)
    assert yearly.nominal > fee
    profile = Profile(name="golden", family=Family.INSTALMENT, method=Method.FLAT_FEE)
    terms = Terms(100_000, "CNY", months, date(2026, 1, 10), flat_fee=fee)
    rows = schedule(terms, profile)
    assert rows[0].amount_minor == minor(payment)
    assert sum(row.fee_minor for row in rows) == minor(fee_pct) * 10
    # Paid out and paid back in whole cents, the loan costs the same to the hundredth of a percent.
    assert percent(rates.yearly(rows, terms, profile).actuarial, "0.01") == Decimal(
        nominal
    ).quantize(CENT)


@pytest.mark.parametrize("row", GOLDEN["due_dates"]["rows"], ids=lambda row: f"{row[0]}+{row[1]}")
def test_a_month_that_is_too_short_clips_from_the_original_day(row: list[Any]) -> None:
    """The anchor's day comes back as soon as a month has it."""
    anchor, months, due = row
    assert add_months(date.fromisoformat(anchor), months) == date.fromisoformat(due)
