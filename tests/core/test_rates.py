"""A yearly rate is the one at which what is paid out is worth what is paid back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.errors import Rejected
from betimes.core.product import DayCount, Family, Method, Profile
from betimes.core.rates import (
    Flow,
    Yearly,
    effective,
    flat_fee,
    irr,
    nominal,
    period_rate,
    yearly,
)
from betimes.core.schedule import Terms, prepay, schedule

TINY = Decimal("1e-25")
PROFILE = Profile(
    name="loan",
    family=Family.INSTALMENT,
    method=Method.EQUAL_INSTALMENT,
    day_count=DayCount.THIRTY_360,
)
TERMS = Terms(10**9, "CNY", 12, date(2026, 1, 10), annual_rate=Decimal("0.12"))


def of(terms: Terms, profile: Profile = PROFILE) -> Yearly:
    return yearly(schedule(terms, profile), terms, profile)


@given(
    rate=st.decimals(0, 2, places=6),
    amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=24),
)
def test_discounting_finds_the_rate_again(rate: Decimal, amounts: list[int]) -> None:
    """What the payments are worth at a rate, lent out, has that internal rate."""
    with localcontext() as context:
        context.prec = 50
        parts = (amount / (1 + rate) ** n for n, amount in enumerate(amounts, start=1))
        lent = sum(parts, Decimal(0))
        found = irr([-lent, *map(Decimal, amounts)])
        assert abs(found - rate) < TINY


def test_odd_days_bear_simple_interest_before_compounding_starts() -> None:
    """By the general equation: 1 + odd · i times (1 + i) for each whole unit period."""
    flow = Flow(Decimal(1000) * Decimal("1.005") * Decimal("1.0201"), 2, Fraction(1, 2))
    found = period_rate([Flow(Decimal(1000), 0)], [flow])
    assert abs(found - Decimal("0.01")) < TINY


def test_no_charge_is_no_rate() -> None:
    """Paid back exactly as it was lent, a loan costs exactly nothing."""
    assert irr([Decimal(-900), Decimal(300), Decimal(300), Decimal(300)]) == 0


@pytest.mark.parametrize("flow", [[-100, 99], [100], [-100], [-100, 0, 20]])
def test_what_has_no_rate_is_refused(flow: list[int]) -> None:
    """Paid back less than was lent, or nothing lent at all: there is no rate from 0 up."""
    with pytest.raises(Rejected) as caught:
        irr([Decimal(each) for each in flow])
    assert (caught.value.code, caught.value.field) == ("bad_terms", "payments")


def test_a_rate_does_not_depend_on_the_decimal_context_around_it() -> None:
    """A caller that works with six digits gets the same answer."""
    flow = [Decimal(-1000), *[Decimal(100)] * 11]
    exact = irr(flow), effective(irr(flow), Fraction(12)), flat_fee(Decimal("0.088"), 12)
    with localcontext() as context:
        context.prec = 6
        assert exact == (
            irr(flow),
            effective(irr(flow), Fraction(12)),
            flat_fee(Decimal("0.088"), 12),
        )


def test_nominal_and_effective_are_two_figures() -> None:
    """One percent a month is 12 % nominal and 12.68 % effective."""
    assert nominal(Decimal("0.01"), Fraction(12)) == Decimal("0.12")
    assert effective(Decimal("0.01"), Fraction(12)).quantize(Decimal("1e-6")) == Decimal("0.126825")


def test_equal_months_at_a_yearly_rate_give_that_rate_back() -> None:
    """By 30/360 nominal and actuarial rate agree, and the effective one is higher."""
    found = of(TERMS)
    assert found.nominal == Decimal("0.12")
    assert abs(found.actuarial - found.nominal) < Decimal("1e-8")
    assert found.effective.quantize(Decimal("1e-6")) == Decimal("0.126825")


def test_a_month_end_loan_has_no_odd_days() -> None:
    """From 31 January the first payment of 28 February is one month away, as the clipped day says."""
    found = of(replace(TERMS, start=date(2026, 1, 31)))
    assert abs(found.actuarial - Decimal("0.12")) < Decimal("1e-8")


@pytest.mark.parametrize("first_due", [date(2026, 1, 25), date(2026, 3, 1)])
def test_odd_days_before_the_first_payment_are_counted(first_due: date) -> None:
    """A short or long first period bears its own interest, so the rate stays near the contract's."""
    found = of(replace(TERMS, first_due=first_due))
    assert abs(found.actuarial - found.nominal) < Decimal("0.001")


def test_draws_count_from_the_day_each_was_paid_out() -> None:
    """Progress payments: the rate is the contract's, not the higher one of a loan paid out at once."""
    draws = ((date(2026, 1, 10), 4 * 10**8), (date(2026, 4, 10), 6 * 10**8))
    assert abs(of(replace(TERMS, draws=draws)).actuarial - Decimal("0.12")) < Decimal("1e-8")


def test_paying_ahead_does_not_change_what_the_loan_costs_a_year() -> None:
    """Interest is paid for the days the money was out, so the rate stays where it was."""
    rows = schedule(TERMS, PROFILE)
    for keep in ("term", "instalment"):
        ahead = prepay(rows, date(2026, 5, 25), 2 * 10**8, TERMS, PROFILE, keep=keep)
        found = yearly(ahead, TERMS, PROFILE).actuarial
        assert abs(found - Decimal("0.12")) < Decimal("0.001")


SINGLE = Profile(
    name="single", method=Method.SINGLE_PAYMENT, max_months=36, day_count=DayCount.ACT_365F
)


@pytest.mark.parametrize(
    ("months", "first_due", "units"),
    [
        (3, None, Fraction(4)),
        (1, None, Fraction(12)),
        (1, date(2026, 1, 24), Fraction(365, 14)),
        (12, None, Fraction(1)),
        (24, None, Fraction(1)),
    ],
)
def test_a_single_payment_has_its_term_for_a_unit_period(
    months: int, first_due: date | None, units: Fraction
) -> None:
    """Whole months, else days, at most a year; the rate is the charge of a unit times the units of a year."""
    terms = Terms(
        10**9,
        "CNY",
        months,
        date(2026, 1, 10),
        first_due=first_due,
        flat_fee=Decimal("0.03"),
    )
    found = of(terms, SINGLE)
    assert found.units == units
    expected = Decimal("0.03") if months <= 12 else Decimal("1.03").sqrt() - 1
    assert abs(found.period - expected) < Decimal("1e-20")
    assert found.nominal == found.actuarial


def test_a_fee_on_top_of_interest_raises_the_nominal_rate() -> None:
    """What is charged beside the interest is part of the price: the contract's rate alone would hide it."""
    terms = Terms(10**9, "CNY", 1, date(2026, 1, 10), annual_rate=Decimal("0.12"))
    assert of(terms, SINGLE).nominal == Decimal("0.12")
    assert of(replace(terms, flat_fee=Decimal("0.02")), SINGLE).nominal > Decimal("0.36")


@pytest.mark.parametrize(
    ("fee", "months", "field"),
    [("0.02", 0, "months"), ("-0.01", 3, "flat_fee"), ("NaN", 3, "flat_fee")],
)
def test_a_flat_fee_that_makes_no_sense_is_refused(fee: str, months: int, field: str) -> None:
    """The message names the term that is wrong."""
    with pytest.raises(Rejected) as caught:
        flat_fee(Decimal(fee), months)
    assert caught.value.field == field
