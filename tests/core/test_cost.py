"""What paying late costs: an upper bound, where the product states late terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from betimes.core import cost
from betimes.core.message import values
from betimes.core.money import Money
from tests.core.support import POLICIES, snapshot, utc

NOON = utc("2026-03-09 04:00")
HUABEI = POLICIES.profiles["huabei_like"]
CARD = POLICIES.profiles["card_like"]


def test_the_figures_are_those_of_thirty_days_by_the_late_rate() -> None:
    """0.05 % a day: of CNY 1,200.00 it is 18.00, of what the minimum of 120.00 leaves 16.20."""
    bill = replace(snapshot(minimum_minor=12_000), profile=HUABEI)
    assert cost.of_delay(bill, NOON) == Money(1_800, "CNY")
    assert cost.of_minimum(bill, NOON) == Money(1_620, "CNY")
    paid = replace(snapshot(minimum_minor=12_000, paid_minor=2_000), profile=HUABEI)
    assert cost.of_delay(paid, NOON) == Money(1_770, "CNY")
    assert cost.of_minimum(paid, NOON) == Money(1_620, "CNY")


def test_interest_on_interest_counts_where_the_product_charges_it() -> None:
    """1.0005 to the thirtieth, less one, of CNY 1,200.00, rounded up."""
    assert cost.of_delay(replace(snapshot(), profile=CARD), NOON) == Money(1_814, "CNY")


def test_nothing_is_said_where_the_product_says_nothing() -> None:
    """A plain debt has no late terms; a bill without a minimum no cost of it; a loan has none either."""
    assert cost.of_delay(snapshot(minimum_minor=12_000), NOON) is None
    assert cost.of_minimum(snapshot(minimum_minor=12_000), NOON) is None
    assert cost.of_minimum(replace(snapshot(), profile=HUABEI), NOON) is None
    loan = replace(snapshot(minimum_minor=12_000), profile=POLICIES.profiles["jiebei_like"])
    assert cost.of_minimum(loan, NOON) is None


@given(st.integers(1, 119_999), st.integers(0, 29))
def test_it_never_costs_more(missing: int, days: int) -> None:
    """Late interest of any day within thirty of the due date is at most what the borrower was told."""
    bill = replace(snapshot(minimum_minor=missing), profile=HUABEI)
    told = cost.of_delay(bill, NOON)
    assert told is not None
    later = bill.owed(NOON + timedelta(days=days))
    assert later.minor - bill.owed(NOON).minor <= told.minor
    least = cost.of_minimum(bill, NOON)
    assert least is not None
    assert least.minor <= told.minor


def test_a_message_names_them_only_where_one_figure_is_true() -> None:
    """Not in a list of several debts, and not for a minimum that has been met."""
    bill = replace(snapshot(minimum_minor=12_000), profile=HUABEI)
    one = values(bill, now=NOON, lender="A")
    assert (one["minimum_cost"], one["late_cost"]) == (Money(1_620, "CNY"), Money(1_800, "CNY"))
    several = values(bill, now=NOON, lender="A", along=[bill])
    assert (several["minimum_cost"], several["late_cost"]) == (None, None)
    met = replace(snapshot(minimum_minor=12_000, paid_minor=12_000), profile=HUABEI)
    assert values(met, now=NOON, lender="A")["minimum_cost"] is None
