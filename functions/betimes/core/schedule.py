"""Schedules: which amount of a loan is due on which date, from its terms and the profile of its product.

Every period has its own rate, because months have 28 to 31 days. With period rates r₁ … rₙ the equal instalment is

    E = P · Π (1 + rᵢ)  over  Σⱼ Πᵢ₌ⱼ₊₁…ₙ (1 + rᵢ)

the interest of a period is the balance times its rate, and the last row pays the balance, so the principals add up to
what was lent whatever was rounded. Rates are exact fractions until a figure is printed: a product that truncates must
not lose a fen to a repeating decimal, and each figure is rounded once, by the profile's rounding.

A row belongs to the period that ends on `accrues_to`; interest counts its days over [from, to), and the due date, which
a business-day convention may move by itself, says only when the row is paid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from betimes.core.dates import add_months, days_counted, year_fraction
from betimes.core.errors import Rejected
from betimes.core.money import minor_units
from betimes.core.product import DayCount, Family, Method, Profile, Roll, Rounding
from betimes.core.values import dataclass, replace
from betimes.core.workdays import Calendar, Rolled, Unpublished, roll, rolled

MAX_MINOR: Final = 10**15
# 300 % a year. The highest cap on a rate that we know is 0.8 % a day (United Kingdom, CONC 5A.2.3R); above it somebody
# wrote percent where a fraction belongs.
MAX_YEARLY_RATE: Final = Decimal(3)
MAX_DECIMALS: Final = 20
YEARS: Final = range(1970, 2200)
PREPAYMENT: Final = 0  # the number of a row that is no instalment


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed about one loan. Amounts are whole minor units of `currency`, rates are fractions of one.

    `months` is the number of instalments; for a single payment the months until it is due. The rate is `daily_rate` or
    `annual_rate`, never both; without either it is the profile's daily rate. `flat_fee` is a part of the principal,
    taken instead of interest.

    Due dates run monthly from `start`, on `due_day` where it is above 0, or from `first_due`; or they are `due_dates`,
    one for each instalment, as a term calendar gives them. `draws` are the payments made by the lender as work
    progresses, (date, amount), the first on `start`; until the last one only interest is due.
    """

    principal_minor: int
    currency: str
    months: int
    start: date
    daily_rate: Decimal | None = None
    annual_rate: Decimal | None = None
    due_day: int = 0
    first_due: date | None = None
    flat_fee: Decimal | None = None
    due_dates: tuple[date, ...] = ()
    draws: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Instalment:
    """One row of a schedule, amounts in minor units. `balance_minor` is what is left after it.

    `number` counts from 1; a prepayment is no instalment and has the number 0. Interest runs to `accrues_to`, that day
    not counted, and `days` are those of its period as the profile counts them. `due.provisional` says that a date of
    the row may still move.
    """

    number: int
    due: Rolled
    accrues_to: date
    days: int
    principal_minor: int
    interest_minor: int
    fee_minor: int
    balance_minor: int

    @property
    def amount_minor(self) -> int:
        """What is to be paid: principal, interest and fee."""
        return self.principal_minor + self.interest_minor + self.fee_minor


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settles a loan on one day, in minor units. Late interest is not in it."""

    principal_minor: int
    interest_minor: int
    fee_minor: int

    @property
    def amount_minor(self) -> int:
        """What is to be paid: principal, interest and fee."""
        return self.principal_minor + self.interest_minor + self.fee_minor


@dataclass(frozen=True, slots=True)
class _Interest:
    """How interest runs: a rate a day or a year, and how days are counted."""

    daily: Decimal | None
    annual: Decimal | None
    count: DayCount
    day: int

    def over(self, start: date, end: date) -> Fraction:
        """Return the rate of the period [start, end), exact."""
        if self.daily is not None:
            return Fraction(self.daily) * days_counted(self.count, start, end, self.day)
        if self.annual is not None:
            return Fraction(self.annual) * year_fraction(self.count, start, end, self.day)
        return Fraction(0)

    def on(self, draws: Sequence[tuple[date, int]], start: date, end: date) -> Fraction:
        """Return the interest of the period [start, end) on what has been drawn, exact, in minor units."""
        return sum(
            (minor * self.over(max(on, start), end) for on, minor in draws if on < end),
            Fraction(0),
        )


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a row stands in time."""

    number: int
    due: Rolled
    start: date
    end: date
    days: int


def schedule(
    terms: Terms, profile: Profile, calendar: Calendar | None = None
) -> tuple[Instalment, ...]:
    """Return the rows of a loan, in order of time; their principals add up to `terms.principal_minor`.

    `calendar` is the one that `profile.calendar` names; it is needed where the profile rolls dates. Where a date would
    need a year that is not published, the row is provisional, or refused, as the profile says. In a product with
    deferred months nothing is due in them and their interest is charged with the first row; in one whose instalments
    fall due in some months of the year only, interest of the others comes with the next row. A row may be 0, such as
    interest at no rate.

    Not covered: weekly and fortnightly schedules, and rates that change during the loan.

    Raises:
        Rejected: code "bad_terms", field = the term that is wrong; "calendar_ends"; "unknown_currency".
    """
    _check(terms, profile)
    interest, fee = _interest_of(terms, profile), _fee(terms, profile)
    slots = tuple(_slots(terms, profile, calendar))
    draws = _draws(terms)
    last_draw = draws[-1][0]
    deferred_to = add_months(terms.start, profile.deferred_months)
    if profile.deferred_months and slots[0].end <= deferred_to:
        raise _bad(
            "due_dates" if terms.due_dates else "first_due",
            f"lies within the {profile.deferred_months} deferred months of {profile.name}; choose a date after them",
        )
    drawing = [slot for slot in slots if slot.end <= last_draw]
    rows = [_drawing_row(slot, draws, interest, profile) for slot in drawing]
    repaying = slots[len(drawing) :]
    first = repaying[0]
    carried = Fraction(0)
    begin = first.start
    if first is slots[0]:
        begin = deferred_to
        carried = interest.on(draws, first.start, deferred_to)
    # While money is still paid out, a period's rate is its interest as a part of what will have been lent.
    factors = [
        Fraction(interest.on(draws, begin, first.end), terms.principal_minor),
        *(interest.over(slot.start, slot.end) for slot in repaying[1:]),
    ]
    plan = _Plan(terms.principal_minor, fee, factors, carried, profile)
    return (*rows, *plan.rows(repaying))


def equal_instalment(principal: Fraction, factors: Sequence[Fraction]) -> Fraction:
    """Return the exact instalment that pays back `principal` in equal parts, given the rate of each period.

    Source: the rate-factor form in this module's text; equal periods give P·r over 1 − (1+r)^−n.
    """
    growth, weight = Fraction(1), Fraction(0)
    for factor in factors:
        growth *= 1 + factor
        weight = weight * (1 + factor) + 1
    return Fraction(principal * growth, weight)


def rounded(value: Fraction, rounding: Rounding) -> int:
    """Return an amount of minor units, not negative, brought to whole ones."""
    assert value >= 0, "no part of a schedule is negative"
    whole, rest = divmod(value.numerator, value.denominator)
    match rounding:
        case Rounding.DOWN:
            up = False
        case Rounding.UP:
            up = rest > 0
        case Rounding.HALF_UP:
            up = 2 * rest >= value.denominator
        case Rounding.HALF_EVEN:
            twice = 2 * rest
            up = twice > value.denominator or (twice == value.denominator and whole % 2 == 1)
    return whole + up


def due_day_of(terms: Terms) -> int:
    """Return the day of the month on which the loan is due where the month is long enough; unused with `due_dates`."""
    return terms.due_day or (terms.first_due or terms.start).day


def method_of(profile: Profile) -> Method:
    """Return how loans of the product are paid back; a bill that is spread over months bears a flat fee."""
    return Method.FLAT_FEE if profile.family is Family.REVOLVING else profile.method


def yearly_rate(terms: Terms, profile: Profile) -> Decimal | None:
    """Return the contract's nominal yearly rate, None where a fee is charged and no interest.

    A daily rate becomes a yearly one by the profile's `year_days`.
    """
    interest = _interest_of(terms, profile)
    return interest.daily * profile.year_days if interest.daily is not None else interest.annual


def check(supplied: Sequence[Instalment], generated: Sequence[Instalment]) -> None:
    """Compare a lender's own schedule with the one its terms give; nothing in it is corrected.

    Compared are number, due date, principal, interest, fee and balance; how a lender counts days is its own affair.

    Raises:
        Rejected: code "schedule_mismatch", field "rows" or such as "3.interest_minor": the first difference.
    """
    for theirs, ours in zip(supplied, generated, strict=False):
        figures: tuple[tuple[str, object, object], ...] = (
            ("number", theirs.number, ours.number),
            ("due", theirs.due.on, ours.due.on),
            ("interest_minor", theirs.interest_minor, ours.interest_minor),
            ("fee_minor", theirs.fee_minor, ours.fee_minor),
            ("principal_minor", theirs.principal_minor, ours.principal_minor),
            ("balance_minor", theirs.balance_minor, ours.balance_minor),
        )
        for name, told, expected in figures:
            if told != expected:
                raise Rejected(
                    "schedule_mismatch",
                    f"{ours.number}.{name}",
                    f"row {ours.number}: {name} is not what terms and profile give; "
                    "correct the row, the terms or the profile",
                )
    if len(supplied) != len(generated):
        raise Rejected(
            "schedule_mismatch",
            "rows",
            f"there are {len(supplied)} rows, but terms and profile give {len(generated)}; "
            "correct the rows or the months",
        )


def is_paid(row: Instalment, place: int, on: date, paid: int | None) -> bool:
    """Return whether settling the loan on the day `on` takes a row for paid; `place` counts the rows from 0.

    The first `paid` rows are; with None all that were due before that day. A prepayment of the day itself is there
    because it was made.
    """
    if paid is not None:
        return place < paid
    return row.due.on < on or (row.number == PREPAYMENT and row.due.on == on)


def settle(
    rows: Sequence[Instalment],
    on: date,
    terms: Terms,
    profile: Profile,
    *,
    paid: int | None = None,
    waive_later_fees: bool = False,
) -> Settlement:
    """Return what settles the loan on the day `on`, which itself bears no interest.

    It is the principal that has been paid out and not paid back, the interest to that day and the fees. The first
    `paid` rows have been paid in full; left out, all that were due before `on` have. Rows whose period has ended
    count whole. Fees of later periods are owed as well, because they were agreed for the loan, unless
    `waive_later_fees`; that of the period that runs always is. Interest paid ahead is not given back.

    Raises:
        Rejected: code "bad_terms", field "on", when it lies before the loan.
    """
    if on < terms.start:
        raise _bad("on", "lies before the start of the loan; choose a later day")
    interest, draws = _interest_of(terms, profile), _draws(terms)
    principal_minor = interest_minor = fee_minor = 0
    begin = terms.start
    for place, row in enumerate(rows):
        if not is_paid(row, place, on, paid):
            principal_minor += row.principal_minor
            if begin < on or not waive_later_fees:
                fee_minor += row.fee_minor
            if row.accrues_to <= on:
                interest_minor += row.interest_minor
            elif begin < on:
                exact = _accrued(row, begin, on, draws, interest)
                interest_minor += rounded(exact, profile.rounding)
        begin = row.accrues_to
    # What will only be paid out later cannot be owed yet.
    later = sum(minor for day, minor in draws if day > on)
    return Settlement(max(principal_minor - later, 0), interest_minor, fee_minor)


def prepay(
    rows: Sequence[Instalment],
    on: date,
    minor: int,
    terms: Terms,
    profile: Profile,
    *,
    keep: str = "term",
) -> tuple[Instalment, ...]:
    """Return the schedule after `minor` was paid on the day `on` beyond what was due: principals still add up.

    The rows whose interest has run to `on` stay and are taken as paid. The prepayment is a row with the number 0: it
    pays the interest of the running period to that day, the rest is principal. What follows keeps its dates and
    becomes smaller (`keep` "term"), or keeps its instalment and ends sooner ("instalment"). With interest only, both
    lower the interest and the last row. Fees do not change; those of rows that fall away are due with the last.

    Raises:
        Rejected: code "bad_terms": field "on", outside of the loan or before the last draw; "minor", when it does not
            exceed the interest or would settle the loan; "keep".
    """
    if keep not in {"term", "instalment"}:
        raise _bad("keep", 'is neither "term" nor "instalment"')
    interest, draws = _interest_of(terms, profile), _draws(terms)
    place = next((n for n, row in enumerate(rows) if row.accrues_to > on), len(rows))
    if on < draws[-1][0] or place == len(rows):
        raise _bad(
            "on",
            "lies outside of the time from the last draw to the end of the loan; before and after it nothing can be "
            "paid in advance",
        )
    left = rows[place:]
    if any(row.number == PREPAYMENT for row in left):
        raise _bad("on", "lies before a prepayment of this schedule; apply them in order of time")
    begin = rows[place - 1].accrues_to if place else terms.start
    accrued = rounded(_accrued(rows[place], begin, on, draws, interest), profile.rounding)
    owed = rows[place].balance_minor + rows[place].principal_minor
    principal = minor - accrued
    if not 0 < principal < owed:
        raise _bad(
            "minor",
            "is not above the interest to that day and below what settles the loan; pay more, or settle it",
        )
    ends = [on, *(row.accrues_to for row in left)]
    slots = [
        _Slot(row.number, row.due, start, row.accrues_to, _days(start, row.accrues_to, interest))
        for row, start in zip(left, ends, strict=False)
    ]
    # What is left of the deferred months still comes with the first instalment.
    regular = on
    if left[0].number == 1:
        regular = max(on, add_months(terms.start, profile.deferred_months))
    plan = _Plan(
        balance=owed - principal,
        fee=sum(row.fee_minor for row in left),
        factors=[
            interest.over(regular, slots[0].end),
            *(interest.over(slot.start, slot.end) for slot in slots[1:]),
        ],
        carried=(owed - principal) * interest.over(on, regular),
        profile=profile,
        level=_level(left, profile) if keep == "instalment" else None,
    )
    paid = Instalment(
        number=PREPAYMENT,
        due=Rolled(on, on),
        accrues_to=on,
        days=_days(begin, on, interest),
        principal_minor=principal,
        interest_minor=accrued,
        fee_minor=0,
        balance_minor=owed - principal,
    )
    return (*rows[:place], paid, *plan.rows(slots))


@dataclass(frozen=True, slots=True)
class _Plan:
    """A balance to be paid back in one row for each of `factors`, the period rates.

    `fee` is spread over the rows, `carried` is interest from before the first period. `level` is the instalment (of
    equal principals, the principal) to keep, None to find it.
    """

    balance: int
    fee: int
    factors: Sequence[Fraction]
    carried: Fraction
    profile: Profile
    level: int | None = None

    def rows(self, slots: Sequence[_Slot]) -> Iterator[Instalment]:
        """Yield the rows, one for each slot; with a level to keep, none after the balance has reached 0."""
        balance = self.balance
        for slot, (principal, interest, fee) in zip(slots, self._parts(), strict=True):
            if self.level is not None and not balance:
                return
            balance -= principal
            yield Instalment(
                number=slot.number,
                due=slot.due,
                accrues_to=slot.end,
                days=slot.days,
                principal_minor=principal,
                interest_minor=interest,
                fee_minor=fee,
                balance_minor=balance,
            )
        assert balance == 0, "the last row pays the balance"

    def _parts(self) -> list[tuple[int, int, int]]:
        """Return principal, interest and fee of each row."""
        count = len(self.factors)
        match method_of(self.profile):
            case Method.EQUAL_INSTALMENT:
                return self._equal_instalments()
            case Method.EQUAL_PRINCIPAL:
                shares = self._shares(self.balance, count, self.level)
                return self._run(lambda n, _: shares[n])
            case Method.INTEREST_ONLY:
                return self._run(lambda _n, _i: 0)
            case Method.FLAT_FEE:
                return self._flat_fee()
            case Method.SINGLE_PAYMENT:
                parts = self._run(lambda _n, _i: 0)
                principal, interest, _ = parts[-1]
                return [*parts[:-1], (principal, interest, self.fee)]

    def _run(self, principal: Callable[[int, int], int]) -> list[tuple[int, int, int]]:
        """Return the rows without a fee; `principal` is given the row's place and its interest.

        It is never more than the balance, and the last row pays the balance.
        """
        balance, parts = self.balance, []
        for n, factor in enumerate(self.factors):
            interest = self._rounded(balance * factor)
            is_last = n == len(self.factors) - 1
            paid = balance if is_last else min(principal(n, interest), balance)
            charged = self._rounded(balance * factor + self.carried) if n == 0 else interest
            parts.append((paid, charged, 0))
            balance -= paid
        return parts

    def _equal_instalments(self) -> list[tuple[int, int, int]]:
        """Return the rows of equal instalments, the last one with the rest.

        An instalment is never below the interest of its period: after a long gap in a term calendar it is just that,
        so that no interest is added to the balance, and the last row is the smaller for it.
        """
        level = self.level
        if level is None:
            level = self._rounded(equal_instalment(Fraction(self.balance), self.factors))
        instalment: int = level

        def spread(units: int) -> list[tuple[int, int, int]]:
            """Return the rows with `units` more in all, one by one over the rows before the last, the first first."""
            each, rest = divmod(abs(units), max(len(self.factors) - 1, 1))
            sign = 1 if units > 0 else -1
            return self._run(
                lambda n, interest: max(instalment + sign * (each + (n < rest)) - interest, 0)
            )

        def gap(parts: Sequence[tuple[int, int, int]]) -> int:
            return parts[-1][0] + parts[-1][1] - instalment

        parts = spread(0)
        if self.profile.remainder == "last" or self.level is not None or len(parts) == 1:
            return parts
        # A unit more in a row makes the last one smaller by at least one: the fewest that do are found by halving.
        most = abs(gap(parts))
        sign = 1 if gap(parts) > 0 else -1
        units = bisect_left(range(most), 0, key=lambda n: -sign * gap(spread(sign * n)))
        return spread(sign * units)

    def _flat_fee(self) -> list[tuple[int, int, int]]:
        count, balance, fee = len(self.factors), self.balance, self.fee
        amounts = self._shares(balance + fee, count, self.level)
        fees = self._shares(fee, count, None)
        parts = []
        for n in range(count):
            is_last = n == count - 1 or (self.level is not None and amounts[n] - fees[n] >= balance)
            paid = balance if is_last else min(max(amounts[n] - fees[n], 0), balance)
            charged = fee if is_last else fees[n]
            parts.append((paid, 0, charged))
            balance -= paid
            fee -= charged
        return parts

    def _shares(self, total: int, count: int, level: int | None) -> list[int]:
        """Return `total` in `count` equal parts; the last, or the first ones, take what does not divide."""
        if self.profile.remainder == "first" and level is None:
            each, rest = divmod(total, count)
            return [each + (n < rest) for n in range(count)]
        each = self._rounded(Fraction(total, count)) if level is None else level
        shares = []
        for _ in range(count - 1):
            shares.append(min(each, total))
            total -= shares[-1]
        return [*shares, total]

    def _rounded(self, value: Fraction) -> int:
        return rounded(value, self.profile.rounding)


def _level(left: Sequence[Instalment], profile: Profile) -> int:
    """Return what the borrower has been paying: the instalment to keep, or, of equal principals, the principal."""
    row = left[0]
    # The first row of a deferred loan also holds the interest of the months before it.
    if row.number == 1 and profile.deferred_months and len(left) > 1:
        row = left[1]
    return row.principal_minor if method_of(profile) is Method.EQUAL_PRINCIPAL else row.amount_minor


def _accrued(
    row: Instalment,
    begin: date,
    on: date,
    draws: Sequence[tuple[date, int]],
    interest: _Interest,
) -> Fraction:
    """Return the interest of the period of `row` from its `begin` up to `on`, exact, in minor units."""
    # Until the last draw nothing has been paid back.
    if begin < draws[-1][0]:
        return interest.on(draws, begin, on)
    return (row.balance_minor + row.principal_minor) * interest.over(begin, on)


def _drawing_row(
    slot: _Slot, draws: Sequence[tuple[date, int]], interest: _Interest, profile: Profile
) -> Instalment:
    """Return the row of a period in which money is still paid out: interest on what has been."""
    return Instalment(
        number=slot.number,
        due=slot.due,
        accrues_to=slot.end,
        days=slot.days,
        principal_minor=0,
        interest_minor=rounded(interest.on(draws, slot.start, slot.end), profile.rounding),
        fee_minor=0,
        balance_minor=sum(minor for on, minor in draws if on < slot.end),
    )


def _slots(terms: Terms, profile: Profile, calendar: Calendar | None) -> Iterator[_Slot]:
    """Yield where the rows stand: `months` of them after the last draw, one for a single payment."""
    if calendar is None and {profile.due_roll, profile.accrual_roll} != {Roll.UNADJUSTED}:
        raise _bad(
            "calendar",
            f"{profile.name} moves dates by working days; give the calendar {profile.calendar!r}",
        )
    last_draw = _draws(terms)[-1][0]
    is_single = method_of(profile) is Method.SINGLE_PAYMENT
    wanted = 1 if is_single else terms.months
    interest = _interest_of(terms, profile)
    start, number = terms.start, 1
    for nominal_on in _nominal_dates(terms, profile, is_single=is_single):
        due, end = _moved(nominal_on, number, profile, calendar)
        if end <= last_draw and is_single:
            raise _bad("draws", "run beyond the day on which the loan is due; correct one of them")
        if end <= last_draw and method_of(profile) is Method.FLAT_FEE:
            # Nothing is owed for the time of the draws; the first row comes after them.
            continue
        if end <= start or due.on <= terms.start:
            raise _bad(
                "due_dates" if terms.due_dates else "first_due" if terms.first_due else "due_day",
                f"instalment {number} would not fall after the start and the instalment before it; choose a later date",
            )
        yield _Slot(number, due, start, end, _days(start, end, interest))
        wanted -= end > last_draw
        start, number = end, number + 1
        if not wanted and not terms.due_dates:
            return
    if wanted:
        given = (1 if is_single else terms.months) - wanted
        raise _bad(
            "due_dates",
            f"give {given} {'after the last draw' if terms.draws else 'in all'}, "
            f"but there are {given + wanted} instalments; give one date for each",
        )


def _nominal_dates(terms: Terms, profile: Profile, *, is_single: bool) -> Iterator[date]:
    """Yield the due dates before any convention moves them: those that are given, else one a month without an end."""
    if terms.due_dates:
        yield from terms.due_dates
        return
    if terms.first_due:
        anchor, months = terms.first_due, 0
    else:
        anchor, months = terms.start, profile.deferred_months + (terms.months if is_single else 1)
    while True:
        on = add_months(anchor, months, terms.due_day)
        months += 1
        if not profile.due_months or on.month in profile.due_months:
            yield on


def _moved(
    nominal_on: date, number: int, profile: Profile, calendar: Calendar | None
) -> tuple[Rolled, date]:
    """Return the due date and the end of the period, each moved by its own convention.

    Raises:
        Rejected: code "calendar_ends".
    """
    if calendar is not None and profile.unpublished == "refuse":
        try:
            roll(nominal_on, profile.due_roll, calendar)
            roll(nominal_on, profile.accrual_roll, calendar)
        except Unpublished as error:
            raise Rejected(
                "calendar_ends",
                "calendar",
                f"the calendar {error.calendar} is not published for {error.year}, which instalment {number} on "
                f'{nominal_on} needs; take fewer months, publish the year, or set "unpublished" of {profile.name} to '
                '"provisional"',
            ) from None
    due = rolled(nominal_on, profile.due_roll, calendar)
    end = rolled(nominal_on, profile.accrual_roll, calendar)
    return replace(due, provisional=due.provisional or end.provisional), end.on


def _days(start: date, end: date, interest: _Interest) -> int:
    return days_counted(interest.count, start, end, interest.day)


def _draws(terms: Terms) -> tuple[tuple[date, int], ...]:
    return terms.draws or ((terms.start, terms.principal_minor),)


def _interest_of(terms: Terms, profile: Profile) -> _Interest:
    """Return how interest runs.

    Raises:
        Rejected: code "bad_terms", when no rate is known, or one too many.
    """
    day = 0 if terms.due_dates else due_day_of(terms)
    daily, annual = terms.daily_rate, terms.annual_rate
    if daily is not None and annual is not None:
        raise _bad("annual_rate", "stands beside a daily rate; leave one of them out")
    is_told = daily is not None or annual is not None
    if method_of(profile) is Method.FLAT_FEE and is_told:
        raise _bad(
            "annual_rate" if daily is None else "daily_rate",
            f"has no meaning in {profile.name}, where a flat fee takes the place of interest; leave it out",
        )
    if not is_told and method_of(profile) is not Method.FLAT_FEE and terms.flat_fee is None:
        if not profile.daily_rate:
            raise _bad(
                "daily_rate", f"is missing, and {profile.name} has none; give one, 0 for none"
            )
        daily = profile.daily_rate
    return _Interest(daily, annual, profile.day_count, day)


def _fee(terms: Terms, profile: Profile) -> int:
    """Return the flat fee in minor units, 0 where none is charged.

    Raises:
        Rejected: code "bad_terms", field "flat_fee", when the product has none or its tariff has no such term.
    """
    fee = terms.flat_fee
    if method_of(profile) not in {Method.FLAT_FEE, Method.SINGLE_PAYMENT}:
        if fee is not None:
            raise _bad("flat_fee", f"is not charged by {profile.name}; leave it out")
        return 0
    if fee is None and method_of(profile) is Method.FLAT_FEE:
        tariff = profile.billing.instalment_fees if profile.billing else {}
        if terms.months not in tariff:
            offered = ", ".join(map(str, sorted(tariff)))
            raise _bad(
                "flat_fee",
                f"is missing, and {profile.name} has none for so many months"
                + (f", only for {offered}" if tariff else "")
                + "; give the fee",
            )
        fee = tariff[terms.months]
    return rounded(Fraction(fee or 0) * terms.principal_minor, profile.rounding)


def _check(terms: Terms, profile: Profile) -> None:
    """Refuse terms that no loan can have.

    Raises:
        Rejected: code "bad_terms"; "unknown_currency".
    """
    minor_units(terms.currency)
    if not 0 < terms.principal_minor <= MAX_MINOR:
        raise _bad("principal_minor", "is not from 1 to 10^15 minor units; correct it")
    if not 1 <= terms.months <= profile.max_months:
        raise _bad("months", f"is not from 1 to {profile.max_months}, which {profile.name} allows")
    if terms.start.year not in YEARS:
        raise _bad("start", f"lies before {YEARS[0]} or after {YEARS[-1]}; correct it")
    for field, rate, times in (
        ("daily_rate", terms.daily_rate, profile.year_days),
        ("annual_rate", terms.annual_rate, 1),
    ):
        if rate is not None:
            _check_part(field, rate)
            if rate * times > MAX_YEARLY_RATE:
                raise _bad(
                    field, "is above 300 % a year; a rate is a part of one: 0.0003 is 0.03 %"
                )
    if terms.flat_fee is not None:
        _check_part("flat_fee", terms.flat_fee)
        if terms.flat_fee > 1:
            raise _bad("flat_fee", "is above 100 %; a fee is a part of the principal: 0.088")
    _check_dates(terms, profile)
    _check_draws(terms, profile)


def _check_part(field: str, part: Decimal) -> None:
    if not part.is_finite() or part < 0:
        raise _bad(field, "is negative or no number; give 0 or more")
    exponent = part.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        raise _bad(field, f"has more than {MAX_DECIMALS} decimals; round it")


def _check_dates(terms: Terms, profile: Profile) -> None:
    if not 0 <= terms.due_day <= 31:
        raise _bad("due_day", "is not from 1 to 31; leave it out for the day of the start")
    latest = add_months(terms.start, profile.deferred_months + profile.max_months)
    if terms.first_due is not None:
        if terms.due_dates:
            raise _bad("first_due", "stands beside due dates; leave one of them out")
        if not terms.start < terms.first_due <= latest:
            raise _bad(
                "first_due",
                f"is not after the start and within the {profile.max_months} months of {profile.name}; correct it",
            )
        if profile.due_months and terms.first_due.month not in profile.due_months:
            months = ", ".join(map(str, profile.due_months))
            raise _bad("first_due", f"lies in none of the due months of {profile.name}: {months}")
        if terms.first_due != add_months(terms.first_due, 0, terms.due_day):
            raise _bad("first_due", "does not fall on the due day; correct one of them")
    if terms.due_dates:
        if terms.due_day:
            raise _bad("due_day", "stands beside due dates; leave one of them out")
        before = terms.start
        for place, on in enumerate(terms.due_dates, start=1):
            if not before < on <= latest:
                raise _bad(
                    "due_dates",
                    f"number {place} is not after the start and the date before it, and within the "
                    f"{profile.max_months} months of {profile.name}; correct it",
                )
            before = on


def _check_draws(terms: Terms, profile: Profile) -> None:
    if not terms.draws:
        return
    if terms.draws[0][0] != terms.start:
        raise _bad("draws", "do not begin on the start of the loan; correct one of them")
    latest = add_months(terms.start, profile.max_months)
    before = terms.start - timedelta(days=1)
    for place, (on, minor) in enumerate(terms.draws, start=1):
        if not before < on <= latest:
            raise _bad(
                "draws",
                f"number {place} is not after the one before it and within the {profile.max_months} months of "
                f"{profile.name}; sort them",
            )
        if minor <= 0:
            raise _bad("draws", f"number {place} is not above 0; correct it")
        before = on
    if sum(minor for _, minor in terms.draws) != terms.principal_minor:
        raise _bad("draws", "do not add up to the principal; correct one of them")


def _bad(field: str, message: str) -> Rejected:
    return Rejected("bad_terms", field, message)
