"""Golden vectors of allocation and of late interest."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from betimes.core import late
from betimes.core.allocation import Claim, Parts, allocate
from betimes.core.late import Meter
from betimes.core.product import (
    ORDERS,
    PLAIN,
    Late,
    LateMode,
    LateStart,
    Leftover,
    Part,
    Profile,
    When,
)
from tests.golden.vectors import GOLDEN

DUE = date(2026, 3, 10)
# Enforcement costs are kept as a fee (`core.product.Part`).
PART = {"cost": Part.FEE} | {part.value: part for part in Part}


def ids(group: str) -> list[str]:
    return [vector["id"] for vector in GOLDEN[group]]


def minor(amount: str) -> int:
    return int(Decimal(amount) * 100)


def parts(amounts: dict[str, str]) -> Parts:
    return Parts(**{PART[name].value: minor(amount) for name, amount in amounts.items()})


def applied(vector: dict[str, Any], order: tuple[tuple[When, Part], ...], on: date) -> Parts:
    claim = Claim("o1", DUE, 1, parts(vector["owed"]))
    went = allocate([claim], minor(vector["paid"]), on, order, Leftover.KEPT, "o1")
    assert went.unapplied_minor == 0
    return went.applied["o1"]


@pytest.mark.parametrize("vector", GOLDEN["allocation"], ids=ids("allocation"))
@pytest.mark.parametrize("days", [-30, 0, 30])
def test_a_short_payment_settles_the_parts_in_the_vectors_order(
    vector: dict[str, Any], days: int
) -> None:
    """Before, on and after the due date; the order reversed does not reproduce it."""
    named = [PART[name] for name in vector["order"]]
    order = tuple((when, part) for when in When for part in named)
    on = DUE + timedelta(days)
    assert applied(vector, order, on) == parts(vector["applied"])
    assert applied(vector, order[::-1], on) != parts(vector["applied"])
    for wrong in vector.get("must_not_match", ()):
        assert parts(vector["applied"]) != parts(wrong)


@pytest.mark.parametrize("vector", GOLDEN["allocation"], ids=ids("allocation"))
def test_the_named_order_of_the_law_or_the_core_gives_the_vector(vector: dict[str, Any]) -> None:
    """As shipped in the profiles; principal first does not reproduce it."""
    name = {
        "civil-code-561": "civil_code_561",
        "penalty-fee-interest-principal": "penalty_fee_interest_principal",
    }[vector["id"]]
    assert applied(vector, ORDERS[name], DUE) == parts(vector["applied"])
    assert applied(vector, ORDERS["principal_first"], DUE) != parts(vector["applied"])


def terms(vector: dict[str, Any], mode: LateMode) -> tuple[Profile, Decimal]:
    """Return a profile with the vector's late terms, and the contract's rate a day."""
    rate = Decimal(vector["daily_rate"])
    if "multiplier" in vector:
        multiplier = Decimal(vector["multiplier"])
        return Profile("p@1", late=Late(mode, multiplier=multiplier, start=LateStart.DUE_DAY)), rate
    return Profile("p@1", late=Late(mode, daily_rate=rate)), Decimal("0.0003")


@pytest.mark.parametrize("vector", GOLDEN["late_interest"], ids=ids("late_interest"))
def test_late_interest_of_a_day_and_of_many_is_exact(vector: dict[str, Any]) -> None:
    """To the fen; the other mode does not reproduce it."""
    mode = LateMode(vector.get("mode", "replaces"))
    profile, contract = terms(vector, mode)
    base, rate = minor(vector["base"]), late.daily_rate(profile, contract)
    assert late.accrue(base, rate, 1) == minor(vector["per_day"])
    other = terms(vector, LateMode.ADDS if mode is LateMode.REPLACES else LateMode.REPLACES)
    assert late.accrue(base, late.daily_rate(*other), 1) != minor(vector["per_day"])
    if "total" in vector:
        assert late.accrue(base, rate, vector["days"]) == minor(vector["total"])
        for wrong in vector.get("must_not_match", ()):
            assert late.accrue(base, rate, vector["days"]) != minor(wrong)


@pytest.mark.parametrize("vector", GOLDEN["late_interest"], ids=ids("late_interest"))
def test_the_meter_runs_the_vector_from_the_first_charged_day(vector: dict[str, Any]) -> None:
    """Nothing on the first charged day itself, one day's worth a day later."""
    profile, contract = terms(vector, LateMode(vector.get("mode", "replaces")))
    meter = Meter.of(profile, contract)
    billed = Parts(principal=minor(vector["base"]))
    first = late.first_day(DUE, profile)
    if "starts" in vector:
        assert (vector["starts"], first) == ("day after due date", DUE + timedelta(1))

    def run(days: int) -> Decimal:
        end = first + timedelta(days)
        return meter.run(billed, Parts(), Decimal(0), DUE, DUE, end)

    assert run(0) == 0
    assert run(1) == minor(vector["per_day"])
    assert run(vector.get("days", 10)) == vector.get("days", 10) * minor(vector["per_day"])


def test_a_profile_that_no_file_describes_charges_nothing_on_the_published_debts() -> None:
    """Nothing is added to what the lender says is owed."""
    for vector in GOLDEN["late_interest"]:
        assert late.daily_rate(PLAIN, Decimal(vector["daily_rate"])) == 0
