"""Late interest: what being late costs, exact to the last digit until somebody asks for a figure.

Days are civil dates, counted half open as all interest is (the first day counts, the day of payment does not): charged
on the date `on` are the days from the first charged day up to, not including, `on`. With DUE_DAY the first charged day
is the due date, so the number of days equals days past due and follows on from contract interest, which ends at the due
date; with DAY_AFTER_DUE the due date itself is free. Both shift to the end of grace where grace is WAIVED.

What the parameters mean:

    mode      REPLACES: only the late rate. ADDS: the contract's rate goes on and the late rate comes on top, both on
              the base, because the interest that was billed ends at the due date
    base      what is unpaid of the principal, of principal and interest, or of everything billed
    grace     inside it nothing is owed; paid in full inside it, nothing ever was. Afterwards WAIVED counts from its
              end, RETROACTIVE from the due date. NONE: the days of grace do not touch late interest
    compound  unpaid late interest bears late interest itself, capitalised daily
    cap       the most that late interest may ever come to, as a share of the principal billed
    frozen    half-open intervals of civil dates in which none accrues (a moratorium)

Amounts are Decimals of minor units. They are rounded once, by `rounded`, when a figure is needed: rounding a day at a
time would lose half a unit a day.

Source: PBOC 银发〔2003〕251号 (the contract's rate and 30 to 50 % more, also on unpaid interest); the other values are
those of published products.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from betimes.core.allocation import Parts
from betimes.core.product import (
    PLAIN,
    Grace,
    LateBase,
    LateMode,
    LateStart,
    Profile,
    Rounding,
)
from betimes.core.values import dataclass, replace

# A half-open interval of civil dates: the first day that is frozen and the first that is not.
Interval = tuple[date, date]

# 16 digits of base, 28 of a rate that came from a division, 6 of days: simple interest never reaches this precision, so
# it is exact. Compound interest has more digits than could be kept and is cut here, far below anything rounding sees.
_EXACT = decimal.Context(prec=100)
_MODES = {
    Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    Rounding.HALF_UP: decimal.ROUND_HALF_UP,
    Rounding.DOWN: decimal.ROUND_DOWN,
    Rounding.UP: decimal.ROUND_UP,
}
_NONE = Decimal(0)
_DAY = timedelta(days=1)


def daily_rate(profile: Profile, contract_rate: Decimal) -> Decimal:
    """Return the rate a day that is charged on what is overdue; `contract_rate` is the account's own rate a day.

    The late rate is the product's fixed rate where it has one, else its multiplier times the contract's rate; where
    late interest ADDS, the contract's rate is on top of it. PLAIN, which no file describes, charges none whatever the
    contract's rate: nothing is added to what the lender says is owed.
    """
    late = profile.late
    # A profile with late terms of its own is not plain, even where it was made from it.
    if profile.id == PLAIN.id and late == PLAIN.late:
        return _NONE
    rate = late.daily_rate or _EXACT.multiply(late.multiplier, contract_rate)
    return _EXACT.add(rate, contract_rate) if late.mode is LateMode.ADDS else rate


def first_day(due_on: date, profile: Profile) -> date:
    """Return the first civil date that late interest is charged for, should the debt still be unpaid after grace."""
    late = profile.late
    start = due_on + timedelta(profile.grace_days) if late.grace is Grace.WAIVED else due_on
    return start if late.start is LateStart.DUE_DAY else start + _DAY


def is_inside_grace(due_on: date, on: date, profile: Profile) -> bool:
    """Return whether a payment on the civil date `on` still costs no late interest; true on the last day of grace."""
    if profile.late.grace is Grace.NONE:
        return on <= due_on
    return on <= due_on + timedelta(profile.grace_days)


def base(unpaid: Parts, profile: Profile) -> int:
    """Return what late interest is charged on, in minor units, where `unpaid` is left of the parts that were billed."""
    match profile.late.base:
        case LateBase.PRINCIPAL:
            return unpaid.principal
        case LateBase.PRINCIPAL_AND_INTEREST:
            return unpaid.principal + unpaid.interest
        case LateBase.WHOLE:
            return unpaid.total


def accrue(base_minor: int, rate: Decimal, days: int) -> Decimal:
    """Return simple interest on `base_minor` at `rate` a day for `days` days, in minor units, exact."""
    return _EXACT.multiply(_EXACT.multiply(Decimal(base_minor), rate), Decimal(days))


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the same days as `intervals` as disjoint intervals in order; empty and reversed ones vanish."""
    disjoint: list[Interval] = []
    for start, end in sorted(each for each in intervals if each[0] < each[1]):
        if disjoint and start <= disjoint[-1][1]:
            disjoint[-1] = (disjoint[-1][0], max(end, disjoint[-1][1]))
        else:
            disjoint.append((start, end))
    return tuple(disjoint)


def charged_days(start: date, end: date, frozen: Sequence[Interval] = ()) -> int:
    """Return the number of days from `start` up to, not including, `end` that are in none of `frozen`.

    `frozen` must be disjoint, as `merged` returns it. 0 if `end` is not after `start`.
    """
    if end <= start:
        return 0
    days = (end - start).days
    for first, last in frozen:
        days -= max(0, (min(end, last) - max(start, first)).days)
    return days


def rounded(amount: Decimal, rounding: Rounding) -> int:
    """Return an exact amount of minor units as a whole number of them."""
    return int(amount.to_integral_value(_MODES[rounding]))


@dataclass(frozen=True, slots=True)
class Meter:
    """How late interest runs on one account: its profile, its rate a day, and the days on which it stands still."""

    profile: Profile
    rate: Decimal
    frozen: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, profile: Profile, contract_rate: Decimal, frozen: Iterable[Interval] = ()) -> Meter:
        """Return the meter of an account; `frozen` may overlap and stand in any order."""
        return cls(profile, daily_rate(profile, contract_rate), merged(frozen))

    def standing_still(self, frozen: Sequence[Interval]) -> Meter:
        """Return the meter with further days on which it stands still; they may overlap those it has."""
        return replace(self, frozen=merged((*self.frozen, *frozen))) if frozen else self

    def run(
        self, billed: Parts, paid: Parts, accrued: Decimal, due_on: date, start: date, end: date
    ) -> Decimal:
        """Return late interest in total up to the civil date `end`, exact, in minor units; never less than `accrued`.

        `accrued` is what had come together by `start`; between the two dates nothing was paid, and `paid` is all that
        was paid before. A penalty that was billed counts as paid before late interest is. Nothing is deducted for
        grace here: whether the debt is paid inside it is not known while it runs.
        """
        first = max(start, first_day(due_on, self.profile))
        # Most debts are looked at before they are late, and most accounts charge nothing.
        if not self.rate or end <= first:
            return accrued
        days = charged_days(first, end, self.frozen)
        billed_penalty = max(0, billed.penalty - paid.penalty)
        unpaid = Parts(
            billed_penalty,
            billed.fee - paid.fee,
            billed.interest - paid.interest,
            billed.principal - paid.principal,
        )
        bearing = base(unpaid, self.profile)
        if self.profile.late.compound:
            paid_late = max(0, paid.penalty - billed.penalty)
            total = self._compounded(bearing, accrued, paid_late, days)
        else:
            total = _EXACT.add(accrued, accrue(bearing, self.rate, days))
        return max(accrued, self._capped(total, billed.principal))

    def _compounded(self, bearing: int, accrued: Decimal, paid_late: int, days: int) -> Decimal:
        capital = _EXACT.add(Decimal(bearing - paid_late), accrued)
        growth = _EXACT.power(_EXACT.add(Decimal(1), self.rate), Decimal(days))
        grown = _EXACT.multiply(capital, _EXACT.subtract(growth, Decimal(1)))
        # Rounding may have collected a fraction more than was exact; that never runs backwards.
        return _EXACT.add(accrued, max(_NONE, grown))

    def _capped(self, total: Decimal, principal_minor: int) -> Decimal:
        cap = self.profile.late.cap
        return total if cap is None else min(total, _EXACT.multiply(Decimal(principal_minor), cap))
