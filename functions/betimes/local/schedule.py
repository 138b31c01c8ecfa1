"""`betimes schedule`: the instalments of a loan by the profile of its product, with what the loan costs a year."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from betimes.adapters import calendars, packs
from betimes.core import rates
from betimes.core.errors import Rejected
from betimes.core.money import Money, minor_units
from betimes.core.product import Family, Method, Profile, Roll
from betimes.core.schedule import Instalment, Terms, method_of, schedule
from betimes.core.workdays import Calendar
from betimes.local.console import table

METHODS: Final = {
    Method.EQUAL_INSTALMENT: "equal instalments (等额本息)",
    Method.EQUAL_PRINCIPAL: "equal principals (等额本金)",
    Method.INTEREST_ONLY: "interest first, principal last (先息后本)",
    Method.FLAT_FEE: "instalments at a flat fee (分期手续费)",
    Method.SINGLE_PAYMENT: "one payment (一次性还本付息)",
}
_AMOUNT: Final = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,4})?")
_PART: Final = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,18})?)(%?)(/day|/year)?")
_HUNDRED: Final = Decimal(100)
# What the core calls a term, and what it is called on the command line.
_OPTIONS: Final = {
    "principal_minor": "--principal",
    "currency": "--currency",
    "months": "--months",
    "start": "--from",
    "daily_rate": "--rate",
    "annual_rate": "--rate",
    "due_day": "--due-day",
    "first_due": "--first-due",
    "due_dates": "--due",
    "draws": "--draw",
    "flat_fee": "--flat-fee",
    "calendar": "--calendar",
}
# A yearly rate is shown to the hundredth of a percent, in JSON to ten decimals.
_TOLD: Final = Decimal("1e-10")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says, as text where it needs a currency or a form to be understood."""

    profile: str
    principal: str
    rate: str
    months: int
    start: date
    due_day: int = 0
    first_due: date | None = None
    due_dates: tuple[date, ...] = ()
    draws: tuple[str, ...] = ()
    currency: str = "CNY"
    flat_fee: str = ""
    method: str = ""
    calendar: str = ""


def show(wish: Wish, *, as_json: bool) -> int:
    """Print the schedule, its totals and its yearly rates and return 0; as one JSON object with `as_json`.

    Raises:
        Rejected: code "unknown_profile", with those there are; "bad_options", field = the option that cannot be read;
            "bad_terms", "calendar_ends", "unknown_calendar" and "unknown_currency" as the core gives them, field = the
            option that gives the term.
    """
    try:
        rows, yearly, terms, profile = _computed(wish)
    except Rejected as error:
        field = _OPTIONS.get(error.field, error.field)
        raise Rejected(error.code, field, error.message) from None
    if as_json:
        print(json.dumps(_document(rows, yearly, terms, profile), ensure_ascii=False))
    else:
        print(_text(rows, yearly, terms, profile))
    return 0


def _computed(wish: Wish) -> tuple[Sequence[Instalment], rates.Yearly, Terms, Profile]:
    """Return rows and yearly rates, with the terms and the profile they come from."""
    profile = _profile(wish)
    calendar = _calendar(wish, profile)
    if calendar is not None:
        profile = replace(profile, calendar=calendar.name)
    terms = _terms(wish)
    if not (wish.rate or wish.flat_fee) and _bears_none(profile):
        terms = replace(terms, daily_rate=Decimal(0))
    rows = schedule(terms, profile, calendar)
    return rows, rates.yearly(rows, terms, profile), terms, profile


def parse_rate(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Return the daily and the yearly rate of `0.0003/day`, `0.03%/day`, `10.95%` or `0.1095/year`; one is None.

    A number that says neither % nor a time is refused, because nobody knows what it means, unless it is 0. "" gives no
    rate.

    Raises:
        Rejected: code "bad_options", field "--rate".
    """
    if not text:
        return None, None
    found = _PART.fullmatch(text)
    if found and not Decimal(found[1]):
        return Decimal(0), None
    if not found or not (found[2] or found[3]):
        raise Rejected(
            "bad_options",
            "--rate",
            f"{text!r} is no rate; write 0.0003/day, 0.03%/day, 10.95%, or 0 for none",
        )
    rate = Decimal(found[1]) / _HUNDRED if found[2] else Decimal(found[1])
    return (rate, None) if found[3] == "/day" else (None, rate)


def _profile(wish: Wish) -> Profile:
    shipped = packs.profiles()
    if wish.profile not in shipped:
        raise Rejected(
            "unknown_profile",
            "PROFILE",
            f"there is no product profile {wish.profile!r}; shipped: {', '.join(sorted(shipped))}",
        )
    profile = shipped[wish.profile]
    if wish.method in ("", method_of(profile)):
        return profile
    if profile.family is not Family.INSTALMENT or wish.method == Method.SINGLE_PAYMENT:
        raise Rejected(
            "bad_options",
            "--method",
            f"{profile.name} is paid back by {method_of(profile)}, never by {wish.method}; leave it out",
        )
    return replace(profile, method=Method(wish.method))


def _bears_none(profile: Profile) -> bool:
    """Return whether a product knows no interest at all, late or not; one that leaves its rate to the contract does."""
    late = profile.late
    known = profile.daily_rate or late.daily_rate or late.multiplier
    return not known and method_of(profile) is not Method.FLAT_FEE


def _calendar(wish: Wish, profile: Profile) -> Calendar | None:
    """Return the calendar that is asked for, or that the profile needs."""
    if wish.calendar:
        return calendars.calendar(wish.calendar)
    if {profile.due_roll, profile.accrual_roll} == {Roll.UNADJUSTED}:
        return None
    return calendars.calendar(profile.calendar)


def _terms(wish: Wish) -> Terms:
    daily_rate, annual_rate = parse_rate(wish.rate)
    return Terms(
        principal_minor=_minor(wish.principal, wish.currency, "--principal"),
        currency=wish.currency,
        months=wish.months,
        start=wish.start,
        daily_rate=daily_rate,
        annual_rate=annual_rate,
        due_day=wish.due_day,
        first_due=wish.first_due,
        flat_fee=_fee(wish.flat_fee),
        due_dates=wish.due_dates,
        draws=tuple(_draw(text, wish.currency) for text in wish.draws),
    )


def _minor(text: str, currency: str, option: str) -> int:
    digits = minor_units(currency)
    amount = text.replace(",", "")
    if not _AMOUNT.fullmatch(amount):
        raise Rejected("bad_options", option, f"{text!r} is no amount; write 6000 or 6000.50")
    minor = Decimal(amount).scaleb(digits)
    if minor != int(minor):
        raise Rejected(
            "bad_options", option, f"{text!r} has more than the {digits} decimals of {currency}"
        )
    return int(minor)


def _fee(text: str) -> Decimal | None:
    if not text:
        return None
    found = _PART.fullmatch(text)
    if not found or not found[2] or found[3]:
        raise Rejected("bad_options", "--flat-fee", f"{text!r} is no percentage; write 8.8%")
    return Decimal(found[1]) / _HUNDRED


def _draw(text: str, currency: str) -> tuple[date, int]:
    on, _, amount = text.partition("=")
    try:
        return date.fromisoformat(on), _minor(amount, currency, "--draw")
    except ValueError:
        raise Rejected(
            "bad_options", "--draw", f"{text!r} is no draw; write 2026-03-01=2000"
        ) from None


def _text(rows: Sequence[Instalment], yearly: rates.Yearly, terms: Terms, profile: Profile) -> str:
    """Return what a person reads."""

    def money(minor: int) -> str:
        return Money(minor, terms.currency).decimal()

    lines = [
        [
            str(row.number),
            f"{row.due.on}{'*' if row.due.provisional else ' '}",
            str(row.days),
            *map(money, _amounts(row)),
            money(row.balance_minor),
        ]
        for row in rows
    ]
    totals = [sum(column) for column in zip(*map(_amounts, rows), strict=True)]
    days = sum(row.days for row in rows)
    lines.append(["all", "", str(days), *map(money, totals), ""])
    header = ["no", "due ", "days", "instalment", "interest", "fee", "principal", "balance"]
    months = f"{terms.months} month{'' if terms.months == 1 else 's'}"
    lent = f"{terms.currency} {money(terms.principal_minor)}, {months} from {terms.start}"
    out = [
        f"{profile.name}: {lent}, {METHODS[method_of(profile)]}",
        "",
        table(header, lines),
        "",
    ]
    if any(row.due.provisional for row in rows):
        out += [
            f"* provisional: the calendar {profile.calendar} is not published for that year; the date may move",
            "",
        ]
    return "\n".join([*out, *_rates(yearly, terms, profile)])


def _rates(yearly: rates.Yearly, terms: Terms, profile: Profile) -> list[str]:
    """Return the three yearly rates, each with what it is: they are different figures and never mixed."""
    daily = terms.daily_rate
    if daily is None and terms.annual_rate is None and terms.flat_fee is None:
        daily = profile.daily_rate or None
    if daily == 0 and not yearly.nominal:
        of = "no interest"
    elif yearly.nominal == yearly.actuarial:
        of = f"period rate × periods: {_percent(yearly.period, 4)} × {_number(yearly.units)}"
    elif daily is not None:
        of = f"period rate × periods: {(daily * 100).normalize():f} % a day × {profile.year_days}"
    else:
        of = "period rate × periods: the rate of the contract"
    compound = f"(1 + i) ^ m − 1: i = {_percent(yearly.period, 4)}, m = {_number(yearly.units)}"
    return [
        f"nominal    {_percent(yearly.nominal):>8}   {of}",
        f"effective  {_percent(yearly.effective):>8}   {compound}",
        f"actuarial  {_percent(yearly.actuarial):>8}   rate of the cash flow (Regulation Z, Appendix J)",
    ]


def _number(units: Fraction) -> str:
    """Return the unit periods of a year, to two decimals where they are no whole number."""
    number = Decimal(units.numerator) / units.denominator
    return f"{number:.0f}" if units.denominator == 1 else f"{number:.2f}"


def _percent(rate: Decimal, digits: int = 2) -> str:
    return f"{rate * _HUNDRED:.{digits}f} %"


def _amounts(row: Instalment) -> tuple[int, int, int, int]:
    return row.amount_minor, row.interest_minor, row.fee_minor, row.principal_minor


def _document(
    rows: Sequence[Instalment], yearly: rates.Yearly, terms: Terms, profile: Profile
) -> dict[str, Any]:
    """Return the object of `--json`: amounts in minor units, rates as fractions of one."""
    names = ("amount_minor", "interest_minor", "fee_minor", "principal_minor")
    return {
        "profile": profile.id,
        "method": str(method_of(profile)),
        "currency": terms.currency,
        "rows": [
            {
                "number": row.number,
                "due_on": str(row.due.on),
                "nominal_on": str(row.due.nominal_on),
                "provisional": row.due.provisional,
                "accrues_to": str(row.accrues_to),
                "days": row.days,
                **dict(zip(names, _amounts(row), strict=True)),
                "balance_minor": row.balance_minor,
            }
            for row in rows
        ],
        "totals": {
            name: sum(column)
            for name, column in zip(names, zip(*map(_amounts, rows), strict=True), strict=True)
        },
        "yearly": {
            name: str(getattr(yearly, name).quantize(_TOLD))
            for name in ("nominal", "effective", "actuarial")
        },
    }
