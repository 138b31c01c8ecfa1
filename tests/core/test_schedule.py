"""A schedule pays back what was lent, to the fen, whatever its product rounds, rolls or defers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from betimes.core.dates import add_months, days_counted
from betimes.core.errors import Rejected
from betimes.core.product import (
    Billing,
    DayCount,
    Family,
    Method,
    Profile,
    Roll,
    Rounding,
)
from betimes.core.schedule import (
    Instalment,
    Settlement,
    Terms,
    check,
    equal_instalment,
    prepay,
    rounded,
    schedule,
    settle,
)
from betimes.core.workdays import Calendar, Rolled

START = date(2026, 6, 15)
LOAN = Profile(
    name="loan",
    family=Family.INSTALMENT,
    method=Method.EQUAL_INSTALMENT,
    rounding=Rounding.DOWN,
)
TERMS = Terms(600_000, "CNY", 3, START, daily_rate=Decimal("0.0003"))
FEE = replace(LOAN, method=Method.FLAT_FEE)
SINGLE = replace(LOAN, family=Family.SINGLE, method=Method.SINGLE_PAYMENT)
YEARS = frozenset(range(2020, 2045))
WEEK = Calendar("WEEK", "XX", "weekends only", YEARS, frozenset())
WITHOUT_2027 = replace(WEEK, published=YEARS - {2027})


@st.composite
def loans(
    draw: st.DrawFn, methods: tuple[Method, ...] = tuple(Method), *, plain: bool = False
) -> tuple[Terms, Profile]:
    """Return terms and a profile of a method; rates up to 36 % a year. `plain` is without draws and deferred months."""
    method = draw(st.sampled_from(methods))
    months = draw(st.integers(1, 60))
    is_fee = method is Method.FLAT_FEE
    start = draw(st.dates(date(2020, 1, 1), date(2026, 12, 31)))
    principal = draw(st.integers(10_000, 10**9))
    draws: tuple[tuple[date, int], ...] = ()
    if not plain and method not in {Method.SINGLE_PAYMENT, Method.FLAT_FEE} and draw(st.booleans()):
        first = draw(st.integers(1, principal - 1))
        draws = (
            (start, first),
            (start + timedelta(days=draw(st.integers(1, 200))), principal - first),
        )
    profile = Profile(
        name="drawn",
        family=Family.SINGLE if method is Method.SINGLE_PAYMENT else Family.INSTALMENT,
        method=method,
        rounding=draw(st.sampled_from(Rounding)),
        remainder=draw(st.sampled_from(["last", "first"])),
        day_count=draw(st.sampled_from(DayCount)),
        due_roll=draw(st.sampled_from(Roll)),
        accrual_roll=draw(st.sampled_from(Roll)),
        deferred_months=0 if plain else draw(st.sampled_from([0, 0, 1, 6])),
        due_months=draw(st.sampled_from([(), (), (1, 3, 4, 5, 6, 9, 10, 11, 12)])),
    )
    terms = Terms(
        principal_minor=principal,
        currency="CNY",
        months=months,
        start=start,
        annual_rate=None if is_fee else draw(st.decimals(0, "0.36", places=5)),
        due_day=draw(st.sampled_from([0, 0, 10, 29, 31])),
        flat_fee=draw(st.decimals(0, "0.2", places=4)) if is_fee else None,
        draws=draws,
    )
    return terms, profile


def made(loan: tuple[Terms, Profile]) -> tuple[Instalment, ...]:
    """Return the schedule.

    No example is a first due date that a roll would move before the loan.
    """
    try:
        return schedule(*loan, WEEK)
    except Rejected as rejected:
        assume(rejected.field != "due_day")
        raise


def drawn_by(terms: Terms, row: Instalment) -> int:
    draws = terms.draws or ((terms.start, terms.principal_minor),)
    return sum(minor for on, minor in draws if on < row.accrues_to)


@given(loan=loans())
def test_principals_add_up_and_every_balance_follows(loan: tuple[Terms, Profile]) -> None:
    """What is lent is paid back exactly; no figure is negative, no balance below 0, the last one 0."""
    terms, _ = loan
    rows = made(loan)
    assert sum(row.principal_minor for row in rows) == terms.principal_minor
    repaid = 0
    for number, row in enumerate(rows, start=1):
        repaid += row.principal_minor
        assert row.number == number
        assert min(row.principal_minor, row.interest_minor, row.fee_minor) >= 0
        assert row.amount_minor == row.principal_minor + row.interest_minor + row.fee_minor
        assert row.balance_minor == drawn_by(terms, row) - repaid >= 0
    assert rows[-1].balance_minor == 0


@given(loan=loans(plain=True))
def test_interest_is_the_balance_times_the_rate_of_each_period(loan: tuple[Terms, Profile]) -> None:
    """Each row's interest, computed again from the balance before it and the days of its own period."""
    terms, profile = loan
    profile = replace(profile, day_count=DayCount.ACT_365F)
    rows = made((terms, profile))
    balance, start = terms.principal_minor, terms.start
    for row in rows:
        days = (row.accrues_to - start).days
        assert row.days == days
        exact = Fraction(terms.annual_rate or 0) * balance * days / 365
        assert row.interest_minor == rounded(exact, profile.rounding)
        balance, start = row.balance_minor, row.accrues_to


@given(loan=loans())
def test_dates_rise_and_days_cover_the_loan_without_a_seam(loan: tuple[Terms, Profile]) -> None:
    """Every day of the loan bears interest in exactly one row."""
    terms, profile = loan
    rows = made(loan)
    ends = [row.accrues_to for row in rows]
    assert ends == sorted(set(ends))
    assert ends[0] > terms.start
    day = terms.due_day or terms.start.day
    whole = days_counted(profile.day_count, terms.start, ends[-1], day)
    assert sum(row.days for row in rows) == whole


@given(loan=loans())
def test_a_fee_is_charged_once_and_in_full(loan: tuple[Terms, Profile]) -> None:
    """The fees of the rows add up to the fee on the whole amount."""
    terms, profile = loan
    exact = Fraction(terms.flat_fee or 0) * terms.principal_minor
    assert sum(row.fee_minor for row in made(loan)) == rounded(exact, profile.rounding)


@given(loan=loans((Method.EQUAL_INSTALMENT,), plain=True))
def test_equal_means_equal(loan: tuple[Terms, Profile]) -> None:
    """Instalments differ in the last row only, or, with the remainder first, step once by one unit."""
    terms, profile = loan
    terms, profile = replace(terms, due_day=0), replace(profile, due_months=())
    # A balance that rounding up pays off early leaves rows of nothing.
    amounts = [row.amount_minor for row in made((terms, profile)) if row.balance_minor]
    if profile.remainder == "last":
        assert len(set(amounts)) <= 1
    else:
        assert amounts in (sorted(amounts), sorted(amounts, reverse=True))
        assert max(amounts, default=0) - min(amounts, default=0) <= 1


@given(loan=loans(), days=st.integers(0, 3000), paid=st.booleans())
def test_settling_takes_the_principal_that_is_out_and_interest_to_that_day(
    loan: tuple[Terms, Profile], days: int, paid: bool
) -> None:
    """Principal is what was drawn and not repaid; interest of the period grows from 0 to the row's, never beyond."""
    terms, profile = loan
    rows = made(loan)
    on = terms.start + timedelta(days=days)
    done = sum(row.accrues_to <= on for row in rows) if paid else 0
    found = settle(rows, on, terms, profile, paid=done)
    draws = terms.draws or ((terms.start, terms.principal_minor),)
    drawn = sum(minor for day, minor in draws if day <= on)
    assert found.principal_minor == drawn - sum(row.principal_minor for row in rows[:done])
    assert found.fee_minor == sum(row.fee_minor for row in rows[done:])
    due = sum(row.interest_minor for row in rows[done:] if row.accrues_to <= on)
    running = next((row.interest_minor for row in rows[done:] if row.accrues_to > on), 0)
    assert due <= found.interest_minor <= due + running
    assert found.amount_minor == found.principal_minor + found.interest_minor + found.fee_minor


@given(
    loan=loans(),
    days=st.integers(0, 2000),
    share=st.integers(1, 99),
    keep=st.sampled_from(["term", "instalment"]),
)
def test_prepaying_conserves_principal_and_never_costs_more(
    loan: tuple[Terms, Profile], days: int, share: int, keep: str
) -> None:
    """Principals still add up, rows that ran stay, dates stay, and interest in all is not above what it was."""
    terms, profile = loan
    rows = made(loan)
    on = terms.start + timedelta(days=days)
    last_draw = terms.draws[-1][0] if terms.draws else terms.start
    assume(last_draw <= on < rows[-1].accrues_to)
    ran = sum(row.accrues_to <= on for row in rows)
    owed = settle(rows, on, terms, profile, paid=ran)
    assume(owed.principal_minor > 1_000)
    minor = owed.interest_minor + owed.principal_minor * share // 100
    after = prepay(rows, on, minor, terms, profile, keep=keep)
    ahead = after[ran]
    assert after[:ran] == rows[:ran]
    assert (ahead.number, ahead.amount_minor, ahead.due.on) == (0, minor, on)
    assert sum(row.principal_minor for row in after) == terms.principal_minor
    assert sum(row.fee_minor for row in after) == sum(row.fee_minor for row in rows)
    assert after[-1].balance_minor == 0
    assert all(row.principal_minor >= 0 for row in after)
    later = after[ran + 1 :]
    assert [(row.number, row.due) for row in later] == [
        (row.number, row.due) for row in rows[ran : ran + len(later)]
    ]
    if keep == "term":
        assert len(after) == len(rows) + 1
    if not profile.due_months:  # after a long gap a new level may take longer than the old one did
        # Rounding each of two parts of a period can cost a unit more than rounding the whole.
        interest = sum(row.interest_minor for row in after)
        assert interest <= sum(row.interest_minor for row in rows) + len(rows) + 1
    # Settled a moment later, the loan costs what it would have without, less what was paid.
    rest = settle(after, on, terms, profile, paid=ran + 1)
    assert rest.amount_minor == owed.amount_minor - minor


def test_keeping_the_instalment_ends_the_loan_sooner() -> None:
    """The same amount is paid until nothing is left; keeping the term makes it smaller instead."""
    terms = replace(TERMS, months=12)
    rows = schedule(terms, LOAN)
    on = date(2026, 9, 20)
    shorter = prepay(rows, on, 200_000, terms, LOAN, keep="instalment")
    smaller = prepay(rows, on, 200_000, terms, LOAN, keep="term")
    assert len(shorter) < len(rows)
    assert {row.amount_minor for row in shorter[4:-1]} == {rows[0].amount_minor}
    assert shorter[-1].amount_minor <= rows[0].amount_minor
    assert [row.number for row in smaller] == [1, 2, 3, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert max(row.amount_minor for row in smaller[4:]) < rows[0].amount_minor


def test_a_second_prepayment_follows_the_first_in_time() -> None:
    """It may fall into the same period, and not before the first."""
    rows = schedule(TERMS, LOAN)
    once = prepay(rows, date(2026, 7, 20), 50_000, TERMS, LOAN)
    twice = prepay(once, date(2026, 7, 25), 50_000, TERMS, LOAN)
    assert [row.number for row in twice] == [1, 0, 0, 2, 3]
    assert twice[2].interest_minor == once[1].balance_minor * 3 * 5 // 10_000
    assert sum(row.principal_minor for row in twice) == TERMS.principal_minor
    with pytest.raises(Rejected, match="before a prepayment"):
        prepay(once, date(2026, 7, 18), 50_000, TERMS, LOAN)


def test_a_prepayment_between_the_end_of_interest_and_a_due_date_that_moved_stays_paid() -> None:
    """15 August 2026 is a Saturday, so row 2 is due on Monday; what is paid on Sunday is not asked for again."""
    rolling = replace(LOAN, due_roll=Roll.FOLLOWING, calendar="WEEK")
    after = prepay(schedule(TERMS, rolling, WEEK), date(2026, 8, 16), 50_000, TERMS, rolling)
    assert [row.number for row in after] == [1, 2, 0, 3]
    monday = settle(after, date(2026, 8, 17), TERMS, rolling)
    assert monday.principal_minor == after[1].principal_minor + after[3].principal_minor
    assert monday.interest_minor == after[1].interest_minor + after[2].balance_minor * 3 // 10_000
    once = settle(after, date(2026, 8, 16), TERMS, rolling)
    assert once.principal_minor == monday.principal_minor


def test_a_prepayment_on_the_day_of_the_loan_bears_no_interest() -> None:
    """And the rest of the period bears interest on what is left only."""
    after = prepay(schedule(TERMS, LOAN), START, 200_000, TERMS, LOAN)
    assert (after[0].interest_minor, after[0].days) == (0, 0)
    assert after[1].interest_minor == 400_000 * 30 * 3 // 10_000
    found = settle(after, date(2026, 6, 25), TERMS, LOAN, paid=1)
    assert found == Settlement(400_000, 400_000 * 10 * 3 // 10_000, 0)


def test_the_day_of_payment_bears_no_interest() -> None:
    """Settled on the day of the loan or on a due date, nothing is added for that day."""
    rows = schedule(TERMS, LOAN)
    assert settle(rows, START, TERMS, LOAN) == Settlement(600_000, 0, 0)
    one_day = settle(rows, START + timedelta(days=1), TERMS, LOAN)
    assert one_day == Settlement(600_000, 180, 0)
    first_due = rows[0].due.on
    assert settle(rows, first_due, TERMS, LOAN).interest_minor == rows[0].interest_minor
    # The day after, the first instalment counts as paid unless it is said otherwise.
    after = first_due + timedelta(days=1)
    assert settle(rows, after, TERMS, LOAN).principal_minor == rows[0].balance_minor
    # Unpaid, its period bears no more than its own interest; what late payment costs is not counted here.
    next_day = rows[0].balance_minor * 3 // 10_000
    expected = Settlement(600_000, rows[0].interest_minor + next_day, 0)
    assert settle(rows, after, TERMS, LOAN, paid=0) == expected


def test_fees_of_later_periods_are_owed_unless_they_are_waived() -> None:
    """Settled in the second period, its fee is charged in either case."""
    terms = Terms(100_000, "CNY", 3, START, flat_fee=Decimal("0.03"))
    rows = schedule(terms, FEE)
    on = date(2026, 7, 20)
    assert settle(rows, on, terms, FEE).fee_minor == 2_000
    assert settle(rows, on, terms, FEE, waive_later_fees=True).fee_minor == 1_000


def test_what_is_not_paid_out_yet_is_not_owed() -> None:
    """Settled between two draws, only the first is paid back."""
    draws = ((START, 200_000), (date(2026, 8, 20), 400_000))
    terms = replace(TERMS, draws=draws)
    rows = schedule(terms, LOAN)
    assert settle(rows, date(2026, 8, 19), terms, LOAN).principal_minor == 200_000
    assert settle(rows, date(2026, 8, 20), terms, LOAN).principal_minor == 600_000


def test_a_truncating_product_loses_no_fen_to_a_repeating_decimal() -> None:
    """365.00 at 10 % for 30 days is 3.00 exactly, though 30 over 365 has no end."""
    terms = Terms(36_500, "CNY", 1, START, annual_rate=Decimal("0.1"))
    assert schedule(terms, LOAN)[0].interest_minor == 300


def test_equal_periods_give_the_usual_formula() -> None:
    """P·r over 1 − (1+r)^−n, exactly; without interest, P over n."""
    rate, count = Fraction(1, 100), 24
    usual = 1000 * rate / (1 - 1 / (1 + rate) ** count)
    assert equal_instalment(Fraction(1000), [rate] * count) == usual
    assert equal_instalment(Fraction(1000), [Fraction(0)] * 4) == 250


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.DOWN, [0, 0, 1, 2]),
        (Rounding.UP, [1, 1, 2, 3]),
        (Rounding.HALF_UP, [0, 1, 2, 3]),
        (Rounding.HALF_EVEN, [0, 0, 2, 2]),
    ],
)
def test_each_rounding_is_that_of_the_decimal_module(
    rounding: Rounding, expected: list[int]
) -> None:
    """At a third and at three halves; whole numbers stay."""
    values = [Fraction(1, 3), Fraction(1, 2), Fraction(3, 2), Fraction(5, 2)]
    assert [rounded(value, rounding) for value in values] == expected
    assert rounded(Fraction(7), rounding) == 7


@given(value=st.fractions(0, 10**6, max_denominator=64), rounding=st.sampled_from(Rounding))
def test_rounding_agrees_with_the_decimal_module(value: Fraction, rounding: Rounding) -> None:
    """For every fraction whose decimal ends."""
    assume(value.denominator & (value.denominator - 1) == 0)
    exact = Decimal(value.numerator) / value.denominator
    assert rounded(value, rounding) == int(
        exact.to_integral_value(f"ROUND_{rounding.value.upper()}")
    )


def test_remainder_first_spreads_it_one_unit_at_a_time() -> None:
    """100 over 3 is 34, 33, 33; with the last, 33, 33, 34."""
    terms = Terms(100, "CNY", 3, START, annual_rate=Decimal(0))
    for method in (Method.EQUAL_PRINCIPAL, Method.EQUAL_INSTALMENT, Method.FLAT_FEE):
        profile = replace(LOAN, method=method)
        asked = terms
        if method is Method.FLAT_FEE:
            asked = replace(terms, annual_rate=None, flat_fee=Decimal(0))
        last = [row.amount_minor for row in schedule(asked, profile)]
        first = [row.amount_minor for row in schedule(asked, replace(profile, remainder="first"))]
        assert (last, first) == ([33, 33, 34], [34, 33, 33])


def test_interest_of_deferred_months_comes_with_the_first_row() -> None:
    """The first due date moves; the instalment itself is not made larger by the interest before it."""
    deferred = replace(LOAN, deferred_months=6)
    plain, moved = schedule(TERMS, LOAN), schedule(TERMS, deferred)
    assert moved[0].due.on == add_months(START, 7)
    days = (add_months(START, 6) - START).days
    expected = (600_000 * 3 * (days + 31)) // 10_000
    assert moved[0].interest_minor == expected
    assert moved[0].principal_minor + 600_000 * 3 * 31 // 10_000 == moved[1].amount_minor
    assert abs(moved[1].amount_minor - plain[1].amount_minor) < 500


def test_a_prepayment_in_the_deferred_months_leaves_the_rest_of_them_to_the_first_row() -> None:
    """Kept, the instalment is paid beside the interest of the deferred months that are left."""
    deferred = replace(LOAN, deferred_months=6)
    terms = replace(TERMS, months=12)
    rows = schedule(terms, deferred)
    on = add_months(START, 2)
    after = prepay(rows, on, 100_000, terms, deferred, keep="instalment")
    first, usual = after[1], rows[1].amount_minor
    waited = (add_months(START, 6) - on).days
    owed = after[0].balance_minor
    assert first.interest_minor == owed * 3 * (waited + 31) // 10_000
    assert first.principal_minor == usual - owed * 3 * 31 // 10_000
    assert {row.amount_minor for row in after[2:-1]} == {usual}


def test_a_term_calendar_is_followed() -> None:
    """Due dates as they were given, each period with its own days; or the months of the year of the profile."""
    days = (date(2026, 9, 1), date(2027, 3, 1), date(2027, 9, 1))
    rows = schedule(replace(TERMS, due_dates=days), LOAN)
    assert [row.due.on for row in rows] == list(days)
    assert [row.days for row in rows] == [78, 181, 184]
    of_term = schedule(TERMS, replace(LOAN, due_months=(9, 10, 11, 12, 1)))
    assert [row.due.on.month for row in of_term] == [9, 10, 11]


def test_no_interest_is_added_to_the_balance_after_a_long_gap() -> None:
    """Where a period bears more interest than an equal instalment pays, its row is that interest and no principal."""
    days = (date(2026, 6, 16), date(2027, 6, 15), date(2027, 6, 16), date(2027, 6, 17))
    terms = replace(TERMS, months=4, daily_rate=Decimal("0.004"), due_dates=days)
    rows = schedule(terms, LOAN)
    assert rows[1].principal_minor == 0
    assert rows[1].interest_minor == rows[0].balance_minor * 364 * 4 // 1000
    assert rows[1].amount_minor > rows[0].amount_minor
    assert rows[-1].amount_minor < rows[0].amount_minor


def test_while_money_is_paid_out_only_interest_is_due() -> None:
    """Interest runs on each draw from its own day; the instalments come after the last."""
    draws = ((START, 200_000), (date(2026, 7, 25), 100_000), (date(2026, 9, 15), 300_000))
    terms = replace(TERMS, draws=draws)
    rows = schedule(terms, LOAN)
    assert [row.principal_minor > 0 for row in rows] == [False, False, False, True, True, True]
    assert [row.balance_minor for row in rows[:3]] == [200_000, 300_000, 300_000]
    assert rows[1].interest_minor == (200_000 * 31 + 100_000 * 21) * 3 // 10_000
    # The draw of a due date bears interest from that day on, in the next row.
    assert rows[3].interest_minor == 600_000 * 30 * 3 // 10_000


def test_due_date_and_end_of_interest_move_by_their_own_convention() -> None:
    """15 August 2026 is a Saturday: paid on Monday, with interest to the Saturday or to the Monday."""
    due_only = replace(LOAN, due_roll=Roll.FOLLOWING, calendar="WEEK")
    both = replace(due_only, accrual_roll=Roll.FOLLOWING)
    saturday, monday = date(2026, 8, 15), date(2026, 8, 17)
    row = schedule(TERMS, due_only, WEEK)[1]
    assert (row.due, row.accrues_to, row.days) == (Rolled(monday, saturday), saturday, 31)
    row = schedule(TERMS, both, WEEK)[1]
    assert (row.due, row.accrues_to, row.days) == (Rolled(monday, saturday), monday, 33)


def test_an_unpublished_year_is_provisional_or_refused() -> None:
    """As the profile says; the refusal names calendar, year and instalment, and unadjusted dates need no year."""
    terms = replace(TERMS, months=8)
    rolling = replace(LOAN, due_roll=Roll.FOLLOWING, calendar="WEEK")
    rows = schedule(terms, rolling, WITHOUT_2027)
    assert [row.due.provisional for row in rows] == [False] * 6 + [True] * 2
    # An end of interest that may still move makes the row provisional too.
    accrual = replace(LOAN, accrual_roll=Roll.FOLLOWING, calendar="WEEK")
    assert schedule(terms, accrual, WITHOUT_2027)[6].due.provisional
    with pytest.raises(Rejected) as caught:
        schedule(terms, replace(rolling, unpublished="refuse"), WITHOUT_2027)
    assert (caught.value.code, caught.value.field) == ("calendar_ends", "calendar")
    for word in ("WEEK", "2027", "instalment 7", "2027-01-15"):
        assert word in caught.value.message
    fixed = replace(LOAN, unpublished="refuse")
    assert not any(row.due.provisional for row in schedule(terms, fixed, WITHOUT_2027))


def test_one_payment_has_one_row() -> None:
    """Principal with interest, or with a fee, or with both; due after the months, or on the date given."""
    terms = replace(TERMS, months=2)
    (row,) = schedule(terms, SINGLE)
    assert (row.due.on, row.days, row.interest_minor) == (date(2026, 8, 15), 61, 10_980)
    (row,) = schedule(replace(terms, flat_fee=Decimal("0.01"), daily_rate=None), SINGLE)
    assert (row.interest_minor, row.fee_minor) == (0, 6_000)
    (row,) = schedule(replace(terms, flat_fee=Decimal("0.01")), SINGLE)
    assert row.amount_minor == 600_000 + 10_980 + 6_000
    (row,) = schedule(replace(terms, first_due=date(2026, 6, 25)), SINGLE)
    assert (row.due.on, row.days) == (date(2026, 6, 25), 10)


def test_a_bill_is_spread_at_the_fee_of_its_tariff() -> None:
    """A revolving product has no method of its own: its bills are converted at the flat fee of the months."""
    billing = Billing({10: 1}, instalment_fees={3: Decimal("0.025")})
    profile = Profile(name="bill", family=Family.REVOLVING, billing=billing)
    terms = Terms(100_000, "CNY", 3, START)
    assert sum(row.fee_minor for row in schedule(terms, profile)) == 2_500
    with pytest.raises(Rejected, match="only for 3"):
        schedule(replace(terms, months=4), profile)


def test_a_profile_s_own_rate_is_used_where_none_is_told() -> None:
    """A rate that is told wins."""
    own = replace(LOAN, daily_rate=Decimal("0.0003"))
    assert schedule(replace(TERMS, daily_rate=None), own) == schedule(TERMS, LOAN)
    assert schedule(replace(TERMS, daily_rate=Decimal(0)), own)[0].interest_minor == 0


NO_TERMS: list[tuple[str, dict[str, Any], Profile]] = [
    ("principal_minor", {"principal_minor": 0}, LOAN),
    ("principal_minor", {"principal_minor": -5}, LOAN),
    ("principal_minor", {"principal_minor": 10**15 + 1}, LOAN),
    ("months", {"months": 0}, LOAN),
    ("months", {"months": 61}, LOAN),
    ("start", {"start": date(1969, 12, 31)}, LOAN),
    ("daily_rate", {"daily_rate": Decimal("-0.0001")}, LOAN),
    ("daily_rate", {"daily_rate": Decimal("0.03")}, LOAN),
    ("daily_rate", {"daily_rate": Decimal("NaN")}, LOAN),
    ("daily_rate", {"daily_rate": Decimal("1e-21")}, LOAN),
    ("daily_rate", {"daily_rate": None}, LOAN),
    ("daily_rate", {}, FEE),
    ("annual_rate", {"annual_rate": Decimal("0.1")}, LOAN),
    ("annual_rate", {"daily_rate": None, "annual_rate": Decimal("10.95")}, LOAN),
    ("annual_rate", {"daily_rate": None, "annual_rate": Decimal("0.1")}, FEE),
    ("due_day", {"due_day": 32}, LOAN),
    ("due_day", {"due_day": -1}, LOAN),
    ("due_day", {"due_day": 1, "due_dates": (date(2026, 9, 1),), "months": 1}, LOAN),
    ("first_due", {"first_due": START}, LOAN),
    ("first_due", {"first_due": date(2040, 1, 1)}, LOAN),
    ("first_due", {"first_due": date(2026, 7, 20), "due_day": 10}, LOAN),
    ("first_due", {"first_due": date(2026, 7, 20), "due_dates": (date(2026, 8, 1),)}, LOAN),
    ("first_due", {"first_due": date(2026, 7, 20)}, replace(LOAN, deferred_months=3)),
    ("first_due", {"first_due": date(2026, 7, 20)}, replace(LOAN, due_months=(8,))),
    ("flat_fee", {"flat_fee": Decimal("0.05")}, LOAN),
    ("flat_fee", {"daily_rate": None}, FEE),
    ("flat_fee", {"daily_rate": None, "flat_fee": Decimal("8.8")}, FEE),
    ("flat_fee", {"daily_rate": None, "flat_fee": Decimal("-0.1")}, FEE),
    ("due_dates", {"due_dates": (date(2026, 9, 1), date(2026, 10, 1))}, LOAN),
    ("due_dates", {"due_dates": (date(2026, 9, 1), date(2026, 10, 1)), "months": 1}, LOAN),
    ("due_dates", {"due_dates": (date(2026, 9, 1), date(2026, 9, 1)), "months": 2}, LOAN),
    ("due_dates", {"due_dates": (START,), "months": 1}, LOAN),
    (
        "due_dates",
        {"due_dates": (date(2026, 7, 20),), "months": 1},
        replace(LOAN, deferred_months=3),
    ),
    ("draws", {"draws": ((date(2026, 7, 1), 600_000),)}, LOAN),
    ("draws", {"draws": ((START, 200_000), (date(2026, 7, 1), 300_000))}, LOAN),
    ("draws", {"draws": ((START, 600_000), (date(2026, 7, 1), 0))}, LOAN),
    ("draws", {"draws": ((START, 300_000), (START, 300_000))}, LOAN),
    ("draws", {"draws": ((START, 300_000), (date(2026, 12, 1), 300_000))}, SINGLE),
    ("calendar", {}, replace(LOAN, due_roll=Roll.FOLLOWING, calendar="CN")),
]


@pytest.mark.parametrize(("field", "change", "profile"), NO_TERMS)
def test_terms_that_no_loan_can_have_are_refused(
    field: str, change: dict[str, Any], profile: Profile
) -> None:
    """The field is named, and the message is one a person can act on."""
    with pytest.raises(Rejected) as caught:
        schedule(replace(TERMS, **change), profile)
    assert (caught.value.code, caught.value.field) == ("bad_terms", field)
    assert len(caught.value.message) > 20


def test_a_currency_that_does_not_exist_is_refused() -> None:
    """As everywhere else."""
    with pytest.raises(Rejected) as caught:
        schedule(replace(TERMS, currency="XYZ"), LOAN)
    assert caught.value.code == "unknown_currency"


@pytest.mark.parametrize(("start", "due_day"), [(date(2026, 1, 31), 1), (date(2026, 10, 30), 1)])
def test_a_first_date_that_would_move_before_the_loan_is_refused(start: date, due_day: int) -> None:
    """Preceding takes a first due date on a Sunday to the day before the loan or to its own day."""
    rolling = replace(LOAN, due_roll=Roll.PRECEDING, accrual_roll=Roll.PRECEDING, calendar="WEEK")
    with pytest.raises(Rejected) as caught:
        schedule(replace(TERMS, start=start, due_day=due_day), rolling, WEEK)
    assert caught.value.field == "due_day"


@pytest.mark.parametrize(
    ("field", "on", "minor", "keep"),
    [
        ("on", date(2026, 6, 14), 50_000, "term"),
        ("on", date(2026, 9, 15), 50_000, "term"),
        ("minor", date(2026, 7, 20), 602, "term"),
        ("minor", date(2026, 7, 20), 402_332, "term"),
        ("minor", date(2026, 7, 20), -1, "term"),
        ("keep", date(2026, 7, 20), 50_000, "both"),
    ],
)
def test_a_prepayment_that_makes_no_sense_is_refused(
    field: str, on: date, minor: int, keep: str
) -> None:
    """Outside of the loan, no more than the interest so far, or as much as settles it."""
    with pytest.raises(Rejected) as caught:
        prepay(schedule(TERMS, LOAN), on, minor, TERMS, LOAN, keep=keep)
    assert (caught.value.code, caught.value.field) == ("bad_terms", field)


def test_a_loan_is_not_settled_before_it_starts() -> None:
    """The message says what to do."""
    with pytest.raises(Rejected, match="choose a later day"):
        settle(schedule(TERMS, LOAN), START - timedelta(days=1), TERMS, LOAN)


def test_a_lender_s_own_schedule_is_only_checked() -> None:
    """Equal figures pass; the first that differs is named with its row, and so is a row too many or too few."""
    rows = schedule(TERMS, LOAN)
    check(rows, rows)
    check([replace(row, days=0) for row in rows], rows)
    changes: dict[str, Any] = {
        "number": 9,
        "due": Rolled(date(2026, 8, 16), date(2026, 8, 16)),
        "interest_minor": 3_737,
        "fee_minor": 1,
        "principal_minor": 199_933,
        "balance_minor": 0,
    }
    for name, value in changes.items():
        supplied = [rows[0], replace(rows[1], **{name: value}), rows[2]]
        with pytest.raises(Rejected) as caught:
            check(supplied, rows)
        assert (caught.value.code, caught.value.field) == ("schedule_mismatch", f"2.{name}")
        assert name in caught.value.message
    for supplied in ([*rows, rows[2]], list(rows[:2])):
        with pytest.raises(Rejected) as caught:
            check(supplied, rows)
        assert caught.value.field == "rows"
