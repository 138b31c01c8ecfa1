"""Yearly rates: what a loan costs a year, said in three ways that are never mixed.

    nominal    period rate × periods in a year: what a contract quotes
    effective  (1 + i) ** periods − 1: with interest on interest
    actuarial  the rate of the cash flow itself, odd days before the first payment counted: what a law wants disclosed

A flat fee is none of them: 8.8 % for twelve months is 15.86 % nominal, because the borrower holds half of the money on
average. All rates are fractions of one (0.1586 is 15.86 %), exact to `DIGITS` digits and never rounded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal, getcontext, localcontext
from fractions import Fraction
from typing import Final

from betimes.core.dates import months_back
from betimes.core.errors import Rejected
from betimes.core.product import Method, Profile
from betimes.core.schedule import Instalment, Terms, due_day_of, method_of, yearly_rate
from betimes.core.values import dataclass

DIGITS: Final = 40
# The width of the bracket shrinks to 2 ** -110 of itself, about 1e-33: far below any figure that is shown.
HALVINGS: Final = 110
# The largest rate looked for is 2 ** 20 in one period.
DOUBLINGS: Final = 20
MONTH_DAYS: Final = 30  # what odd days are a part of, where the unit period is a month


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount that moves `units` whole unit periods and the part `odd` of one after the first advance."""

    amount: Decimal
    units: int
    odd: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Yearly:
    """The three yearly rates of one loan, and the rate of one unit period, of which a year has `units`."""

    nominal: Decimal
    effective: Decimal
    actuarial: Decimal
    period: Decimal
    units: Fraction


def period_rate(advances: Sequence[Flow], payments: Sequence[Flow]) -> Decimal:
    """Return the rate of one unit period at which the advances are worth what the payments are worth.

    An amount after `units` and a part `odd` of a unit period is discounted by (1 + odd · i) · (1 + i) ** units.
    Found by bisection in a fixed number of steps, so the answer is the same everywhere. 0 if the payments come to
    exactly what was advanced.

    Raises:
        Rejected: code "bad_terms", field "payments": they come to less than was advanced, or are made as soon as
            the money is, so that no rate up to 2 ** 20 describes them.

    Source: 12 CFR 1026 Appendix J (b)(8), general equation.
    """
    with localcontext(Context(prec=DIGITS)):
        gap = sum(f.amount for f in payments) - sum(f.amount for f in advances)
        if gap < 0:
            raise Rejected(
                "bad_terms", "payments", "they come to less than was advanced; add what is missing"
            )
        if gap == 0:
            return Decimal(0)
        low, high = Decimal(0), Decimal(1)
        for _ in range(DOUBLINGS):
            if _worth(payments, high) <= _worth(advances, high):
                break
            low, high = high, high * 2
        else:
            raise Rejected(
                "bad_terms",
                "payments",
                "no rate describes them; a payment lies at least a day after the advance",
            )
        for _ in range(HALVINGS):
            middle = _half(low + high)
            if _worth(payments, middle) > _worth(advances, middle):
                low = middle
            else:
                high = middle
        return _half(low + high)


def irr(flow: Sequence[Decimal]) -> Decimal:
    """Return the internal rate of one period of `flow`: one amount a period from now on, what is lent below zero.

    Raises:
        Rejected: code "bad_terms", as `period_rate`.
    """
    return period_rate(
        [Flow(-amount, n) for n, amount in enumerate(flow) if amount < 0],
        [Flow(amount, n) for n, amount in enumerate(flow) if amount > 0],
    )


def apr_actuarial(
    amount: Decimal,
    payments: Sequence[Decimal],
    *,
    units_per_year: int,
    full_units_to_first: int,
    odd: Fraction = Fraction(0),
) -> Decimal:
    """Return the actuarial yearly rate of one advance of `amount` that is paid back by `payments`, one a unit period.

    The first comes after `full_units_to_first` unit periods and the part `odd` of one.

    Raises:
        Rejected: code "bad_terms", as `period_rate`.

    Source: 12 CFR 1026 Appendix J (b)(8), examples (c)(1) to (c)(4).
    """
    rate = period_rate(
        [Flow(amount, 0)],
        [Flow(paid, full_units_to_first + n, odd) for n, paid in enumerate(payments)],
    )
    return nominal(rate, Fraction(units_per_year))


def nominal(rate: Decimal, periods: Fraction) -> Decimal:
    """Return the nominal yearly rate of a rate for each of `periods` periods in a year."""
    with localcontext(Context(prec=DIGITS)):
        return rate * _decimal(periods)


def effective(rate: Decimal, periods: Fraction) -> Decimal:
    """Return the effective yearly rate of a rate for each of `periods` periods in a year."""
    with localcontext(Context(prec=DIGITS)):
        return (1 + rate) ** _decimal(periods) - 1


def flat_fee(fee: Decimal, months: int) -> Yearly:
    """Return what a flat fee, a part of the amount, costs a year if amount and fee are paid in `months` equal parts.

    From the exact instalment, before it is rounded: the same for every amount.

    Raises:
        Rejected: code "bad_terms", field "months" or "flat_fee".
    """
    if months < 1:
        raise Rejected("bad_terms", "months", "is below 1; give the number of instalments")
    if not fee.is_finite() or fee < 0:
        raise Rejected("bad_terms", "flat_fee", "is no part of the amount; write 0.088 for 8.8 %")
    with localcontext(Context(prec=DIGITS)):
        part = getcontext().divide(1 + fee, Decimal(months))
        rate = irr([Decimal(-1), *[part] * months])
    yearly = nominal(rate, Fraction(12))
    return Yearly(yearly, effective(rate, Fraction(12)), yearly, rate, Fraction(12))


def yearly(rows: Sequence[Instalment], terms: Terms, profile: Profile) -> Yearly:
    """Return the yearly rates of a schedule, from what is paid out and what is paid back on which date.

    The unit period is a month; odd days are a part of 30. A loan that is paid back at once has its whole term as the
    unit period, but at most a year. A due date counts as it was before weekends moved it. The nominal rate is the
    contract's where interest is charged, and units × period rate where a fee is.

    Raises:
        Rejected: code "bad_terms", as `period_rate`.

    Source: 12 CFR 1026 Appendix J (b)(4) and (b)(5); 1026.17(c)(3) for weekends.
    """
    paid = [row for row in rows if row.amount_minor]
    day = 0 if terms.due_dates else due_day_of(terms)
    draws = terms.draws or ((terms.start, terms.principal_minor),)
    if method_of(profile) is Method.SINGLE_PAYMENT and len(paid) == 1 and len(draws) == 1:
        units, flow = _single(terms, paid[0], day)
        rate = period_rate([Flow(Decimal(terms.principal_minor), 0)], [flow])
    else:
        units = Fraction(12)
        advances = [Flow(Decimal(minor), *_since(terms, on, 0)) for on, minor in draws]
        rate = period_rate(
            advances,
            [
                Flow(
                    Decimal(row.amount_minor),
                    *_since(terms, row.due.nominal_on, day if row.number else 0),
                )
                for row in paid
            ],
        )
    actuarial = nominal(rate, units)
    contract = yearly_rate(terms, profile)
    fees = sum(row.fee_minor for row in rows)
    return Yearly(
        nominal=actuarial if fees or contract is None else contract,
        effective=effective(rate, units),
        actuarial=actuarial,
        period=rate,
        units=units,
    )


def _since(terms: Terms, on: date, day: int) -> tuple[int, Fraction]:
    """Return the months and the part of a month from the first advance to `on`."""
    months, days = months_back(terms.start, on, day)
    return months, Fraction(days, MONTH_DAYS)


def _single(terms: Terms, row: Instalment, day: int) -> tuple[Fraction, Flow]:
    """Return the unit periods of a year and the payment of a loan that is paid back at once."""
    amount, on = Decimal(row.amount_minor), row.due.nominal_on
    months, odd_days = months_back(terms.start, on, day)
    days = (on - terms.start).days
    if months >= 12:
        years, months = divmod(months, 12)
        odd = Fraction(months, 12) + Fraction(odd_days, 365)
        return Fraction(1), Flow(amount, years, odd)
    return (Fraction(365, days) if odd_days else Fraction(12, months)), Flow(amount, 1)


def _worth(flows: Sequence[Flow], rate: Decimal) -> Decimal:
    """Return what the flows are worth at the first advance."""
    divide, growth = getcontext().divide, 1 + rate
    return sum(
        (
            divide(flow.amount, (1 + rate * _decimal(flow.odd)) * growth**flow.units)
            for flow in flows
        ),
        Decimal(0),
    )


def _half(value: Decimal) -> Decimal:
    return getcontext().divide(value, Decimal(2))


def _decimal(value: Fraction) -> Decimal:
    return getcontext().divide(Decimal(value.numerator), Decimal(value.denominator))
