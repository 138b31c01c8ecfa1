"""Late interest: its rate, its days, its base, and when it stands still."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import late
from betimes.core.allocation import NOTHING, Parts
from betimes.core.late import Interval, Meter
from betimes.core.product import (
    PLAIN,
    Grace,
    Late,
    LateBase,
    LateMode,
    LateStart,
    Profile,
    Rounding,
)

DUE = date(2026, 3, 10)
RATE = Decimal("0.0005")
BILLED = Parts(penalty=10, fee=200, interest=3_000, principal=100_000)

rates = st.decimals(0, Decimal("0.02"), places=6)
near = st.dates(date(2026, 2, 20), date(2026, 6, 30))
intervals = st.lists(st.tuples(near, near), max_size=4)


def profile(
    grace_days: int = 0,
    *,
    mode: LateMode = LateMode.REPLACES,
    base: LateBase = LateBase.PRINCIPAL,
    daily_rate: Decimal = RATE,
    multiplier: Decimal = Decimal(1),
    start: LateStart = LateStart.DUE_DAY,
    grace: Grace = Grace.NONE,
    compound: bool = False,
    cap: Decimal | None = None,
) -> Profile:
    terms = Late(mode, base, daily_rate, multiplier, start, grace, compound, cap)
    return Profile("p@1", late=terms, grace_days=grace_days)


def due_plus(days: int) -> date:
    return DUE + timedelta(days)


def late_on(day: int, terms: Profile, frozen: list[Interval] | None = None) -> Decimal:
    """Return late interest on BILLED, wholly unpaid, so many days after the due date."""
    meter = Meter.of(terms, Decimal(0), frozen or [])
    return meter.run(BILLED, NOTHING, Decimal(0), DUE, DUE, due_plus(day))


def test_the_products_own_rate_goes_before_the_multiplied_one() -> None:
    """A fixed rate a day wins; without one it is the multiplier times the contract's."""
    contract = Decimal("0.0003")
    own = profile(multiplier=Decimal("1.5"))
    multiplied = profile(daily_rate=Decimal(0), multiplier=Decimal("1.5"))
    assert late.daily_rate(own, contract) == RATE
    assert late.daily_rate(multiplied, contract) == Decimal("0.00045")


def test_adds_puts_the_contracts_rate_on_top() -> None:
    """4 and 6 in ten thousand a day are 10: the published conflict over the same product."""
    adds = profile(mode=LateMode.ADDS, daily_rate=Decimal(0), multiplier=Decimal("1.5"))
    assert late.daily_rate(adds, Decimal("0.0004")) == Decimal("0.0010")


def test_a_product_without_a_file_charges_none_and_one_that_says_once_the_rate_does() -> None:
    """A multiplier of 1 that a file states is charged; what nobody stated is not, nor is a multiplier of 0."""
    assert late.daily_rate(PLAIN, RATE) == 0
    assert late.daily_rate(Profile("p@1"), RATE) == RATE
    assert late.daily_rate(profile(daily_rate=Decimal(0), multiplier=Decimal(0)), RATE) == 0


def test_from_the_due_day_the_days_charged_equal_days_past_due() -> None:
    """The due date is the first charged day, the day of payment is none: 1 day on due + 1."""
    terms = profile()
    assert [late_on(day, terms) for day in (-1, 0, 1, 2)] == [0, 0, 50, 100]


def test_from_the_day_after_the_due_date_itself_is_free() -> None:
    """The first charged day is due + 1, over on due + 2."""
    terms = profile(start=LateStart.DAY_AFTER_DUE)
    assert [late_on(day, terms) for day in (0, 1, 2, 3)] == [0, 0, 50, 100]


@pytest.mark.parametrize(
    ("grace", "inside", "first"),
    [
        (Grace.NONE, [True, False, False, False], DUE),
        (Grace.WAIVED, [True, True, True, False], due_plus(3)),
        (Grace.RETROACTIVE, [True, True, True, False], DUE),
    ],
)
def test_grace_moves_the_start_only_where_it_waives(
    grace: Grace, inside: list[bool], first: date
) -> None:
    """Retroactive grace delays the charge but counts from the due date; the last day of grace is inside."""
    terms = profile(3, grace=grace)
    assert [late.is_inside_grace(DUE, due_plus(day), terms) for day in (0, 1, 3, 4)] == inside
    assert late.first_day(DUE, terms) == first
    later = profile(3, grace=grace, start=LateStart.DAY_AFTER_DUE)
    assert late.first_day(DUE, later) == first + timedelta(1)


def test_the_base_is_what_is_unpaid_of_the_parts_it_names() -> None:
    """Principal; principal and interest; everything that was billed."""
    assert late.base(BILLED, profile()) == 100_000
    assert late.base(BILLED, profile(base=LateBase.PRINCIPAL_AND_INTEREST)) == 103_000
    assert late.base(BILLED, profile(base=LateBase.WHOLE)) == 103_210


def test_a_paid_part_of_the_base_bears_no_more_and_late_interest_paid_is_no_base() -> None:
    """What is paid as penalty beyond the billed one does not lower the base below what is unpaid."""
    meter = Meter.of(profile(base=LateBase.WHOLE), Decimal(0))
    paid = Parts(penalty=40, fee=200, interest=3_000, principal=60_000)
    assert meter.run(BILLED, paid, Decimal(30), DUE, DUE, due_plus(1)) == 30 + 20
    nothing_left = BILLED + Parts(penalty=30)
    assert meter.run(BILLED, nothing_left, Decimal(30), DUE, DUE, due_plus(99)) == 30


def test_compound_interest_bears_interest_from_the_next_day() -> None:
    """1 % a day on 100,000: 1,000, then 1 % of 101,000 more, then 1 % of 102,010."""
    terms = profile(daily_rate=Decimal("0.01"), compound=True)
    assert [late_on(day, terms) for day in (1, 2, 3)] == [1_000, 2_010, Decimal("3030.1")]
    simple = profile(daily_rate=Decimal("0.01"))
    assert [late_on(day, simple) for day in (1, 2, 3)] == [1_000, 2_000, 3_000]


def test_late_interest_paid_is_not_compounded() -> None:
    """The second day costs as much as the first where the first was paid."""
    meter = Meter.of(profile(daily_rate=Decimal("0.01"), compound=True), Decimal(0))
    paid = Parts(penalty=BILLED.penalty + 1_000)
    assert meter.run(BILLED, paid, Decimal(1_000), DUE, due_plus(1), due_plus(2)) == 2_000


def test_a_cap_is_a_share_of_the_principal_billed() -> None:
    """Reached in the middle of a day, it holds for good."""
    terms = profile(cap=Decimal("0.0012"))
    assert [late_on(day, terms) for day in (1, 2, 3, 900)] == [50, 100, 120, 120]


def test_what_was_accrued_above_a_cap_is_never_taken_back() -> None:
    """A cap stops growth; it forgives nothing that had come together."""
    meter = Meter.of(profile(cap=Decimal("0.0012")), Decimal(0))
    assert meter.run(BILLED, NOTHING, Decimal(150), DUE, DUE, due_plus(9)) == 150


def test_frozen_days_do_not_accrue() -> None:
    """A moratorium from the third day to before the sixth, told twice and overlapping, stops three days."""
    frozen = [(due_plus(3), due_plus(5)), (due_plus(2), due_plus(5)), (due_plus(4), due_plus(4))]
    accrued = [late_on(day, profile(), frozen) / 50 for day in range(8)]
    assert accrued == [0, 1, 2, 2, 2, 2, 3, 4]


def test_a_moratorium_inside_another_ends_with_the_longer_one() -> None:
    """The shorter one inside does not cut it."""
    frozen = [(due_plus(1), due_plus(9)), (due_plus(2), due_plus(4))]
    assert late_on(10, profile(), frozen) == 2 * 50


def test_frozen_before_the_due_date_changes_nothing() -> None:
    """Days on which nothing accrues anyway are not deducted."""
    assert late_on(2, profile(), [(date.min, DUE)]) == 100


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.HALF_EVEN, [2, 2, 3]),
        (Rounding.HALF_UP, [2, 3, 3]),
        (Rounding.DOWN, [2, 2, 2]),
        (Rounding.UP, [3, 3, 3]),
    ],
)
def test_rounding_is_the_profiles(rounding: Rounding, expected: list[int]) -> None:
    """The four modes on 2.4, 2.5 and 2.6."""
    amounts = [Decimal("2.4"), Decimal("2.5"), Decimal("2.6")]
    assert [late.rounded(amount, rounding) for amount in amounts] == expected


@given(st.integers(0, 10**15), rates, st.integers(0, 100_000))
def test_simple_interest_is_exact(base: int, rate: Decimal, days: int) -> None:
    """Equal to the fraction, up to the largest amount and the longest time."""
    exact = base * Fraction(rate) * days
    assert Fraction(late.accrue(base, rate, days)) == exact


def test_a_rate_that_came_from_a_division_stays_exact_on_the_largest_debt() -> None:
    """28 digits of rate and 16 of base do not fit the default precision; ours holds them."""
    rate = Decimal("0.24") / 365
    assert Fraction(late.accrue(10**15 - 1, rate, 99_999)) == (10**15 - 1) * Fraction(rate) * 99_999


@given(near, near, intervals)
def test_charged_days_are_the_days_that_no_interval_covers(
    start: date, end: date, frozen: list[Interval]
) -> None:
    """Counted one by one, whatever overlaps, touches or is reversed."""
    days = (start + timedelta(n) for n in range(max(0, (end - start).days)))
    brute = sum(not any(first <= day < last for first, last in frozen) for day in days)
    assert late.charged_days(start, end, late.merged(frozen)) == brute


@given(near, near, intervals, rates, st.sampled_from(LateBase), st.booleans())
def test_running_to_a_day_between_changes_nothing(
    one: date, other: date, frozen: list[Interval], rate: Decimal, base: LateBase, compound: bool
) -> None:
    """A look at the meter costs nothing; compound interest differs by less than any rounding sees."""
    between, end = sorted((one, other))
    meter = Meter.of(profile(base=base, daily_rate=rate, compound=compound), Decimal(0), frozen)
    at_once = meter.run(BILLED, NOTHING, Decimal(0), DUE, DUE, end)
    first = meter.run(BILLED, NOTHING, Decimal(0), DUE, DUE, between)
    in_two = meter.run(BILLED, NOTHING, first, DUE, max(DUE, between), end)
    if compound:
        assert abs(at_once - in_two) < Decimal("1e-60")
    else:
        assert at_once == in_two
    assert 0 <= first <= at_once
