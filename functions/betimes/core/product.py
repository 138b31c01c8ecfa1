"""The product profile: every parameter in which products differ, so that no product's practice is a constant of ours.

Published practice conflicts on nearly all of them (grace, rounding, late interest, the order of allocation), so a
lender states them in a file of `packs/products`, and the hash of that file is the profile's identity.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import time
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.rule import ProductKind
from betimes.core.values import dataclass


class Family(StrEnum):
    """The shape of a product: a monthly bill, a loan in instalments, or one amount on one day."""

    REVOLVING = "revolving"
    INSTALMENT = "instalment"
    SINGLE = "single"


class Method(StrEnum):
    """How a loan is paid back. Chinese names: 等额本息, 等额本金, 先息后本, 分期手续费, 一次性还本付息."""

    EQUAL_INSTALMENT = "equal_instalment"
    EQUAL_PRINCIPAL = "equal_principal"
    INTEREST_ONLY = "interest_only"
    FLAT_FEE = "flat_fee"
    SINGLE_PAYMENT = "single_payment"


class Rounding(StrEnum):
    """How a figure is brought to whole minor units; each is a rounding mode of the module `decimal`."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    DOWN = "down"
    UP = "up"


class Event(StrEnum):
    """What puts a purchase on a bill: that it was made, or that the receipt of the goods was confirmed."""

    PURCHASE = "purchase"
    CONFIRMED_RECEIPT = "confirmed_receipt"


class DayCount(StrEnum):
    """How the days of a period are counted, and what a year has."""

    THIRTY_360 = "30/360"
    ACT_365F = "act/365f"
    ACT_360 = "act/360"
    ACT_ACT = "act/act"


class Roll(StrEnum):
    """What happens to a date that is no business day."""

    UNADJUSTED = "unadjusted"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified_following"
    PRECEDING = "preceding"


class Grace(StrEnum):
    """What paying inside the grace period does to late interest."""

    NONE = "none"
    WAIVED = "waived"  # paid inside: none is charged; after it, days count from its end
    RETROACTIVE = (
        "retroactive"  # paid inside: none is charged; after it, days count from the due date
    )


class LateMode(StrEnum):
    """Whether late interest takes the place of the contract's interest on what is overdue, or comes on top of it."""

    REPLACES = "replaces"
    ADDS = "adds"


class LateBase(StrEnum):
    """What late interest is charged on."""

    PRINCIPAL = "principal"
    PRINCIPAL_AND_INTEREST = "principal_and_interest"
    WHOLE = "whole"


class LateStart(StrEnum):
    """The first day that late interest is charged for."""

    DAY_AFTER_DUE = "day_after_due"
    DUE_DAY = "due_day"


class DpdOrigin(StrEnum):
    """From when days past due are counted: 0 on the due date, or overdue already at the end of that day."""

    AFTER_DUE = "after_due"
    DUE_DAY_END = "due_day_end"


class When(StrEnum):
    """Where an amount stands in time when money arrives."""

    PAST_DUE = "past_due"
    DUE = "due"
    IN_ADVANCE = "in_advance"


class Part(StrEnum):
    """A component of what is owed. Enforcement costs (Civil Code 561) are kept as a fee."""

    PENALTY = "penalty"
    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class Leftover(StrEnum):
    """Where money goes that is more than what is due."""

    KEPT = "kept"  # stays where it was paid and is shown as overpaid
    NEXT = "next"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Late:
    """Terms of late interest. `daily_rate` is the product's own rate where it has one, else `multiplier` times the
    contract's daily rate; `cap` is the most it may come to, as a share of the principal, None without one. `frozen_by`
    names kinds of hold during which none accrues.
    """

    mode: LateMode = LateMode.REPLACES
    base: LateBase = LateBase.PRINCIPAL
    daily_rate: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    start: LateStart = LateStart.DAY_AFTER_DUE
    grace: Grace = Grace.NONE
    compound: bool = False
    cap: Decimal | None = None
    frozen_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Billing:
    """Terms of a monthly bill. `due_days` are the due days a borrower may choose, each with its bill day.

    `minimum_share` and `minimum_floor_minor` give the minimum payment, without both there is none; `instalment_fees`
    the flat fee, as a share of the principal, by number of months for which a bill or a purchase may be spread. `event`
    is what decides on which bill a purchase stands.
    """

    due_days: Mapping[int, int]
    event: Event = Event.CONFIRMED_RECEIPT
    minimum_share: Decimal = Decimal(0)
    minimum_floor_minor: int = 0
    instalment_fees: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DebitTerms:
    """Terms of auto-debit: local times of the attempts on a due day, whether an unpaid amount is tried again every
    following day, and whether choosing the minimum switches the month's debit off. An attempt without a result stops
    silencing contact `patience_hours` after its result was expected. A debit is to be told `notice_days` before it
    runs, at the latest.
    """

    windows: tuple[time, ...] = ()
    again_daily: bool = False
    off_by_minimum: bool = False
    patience_hours: int = 24
    notice_days: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of work that is paid for when its delivery is confirmed: its share of the whole amount, and how many
    days after the confirmation that is due.
    """

    name: str
    share: Decimal
    due_after_days: int


PAIRS = tuple((when, part) for when in When for part in Part)


def _in_order(*parts: Part) -> tuple[tuple[When, Part], ...]:
    """Return the pairs with what is past due before what is due before what is in advance, each in this order."""
    return tuple((when, part) for when in When for part in parts)


# Orders of allocation by name. Sources: Civil Code of the PRC, article 561 (costs, interest, principal: the fee stands
# for the costs, late interest comes with the interest); the others are orders of Apache Fineract, of which rbi_india
# says "overdue/due fee/int, principal" and leaves the penal charge open: it stands behind the contract's interest.
ORDERS: Final[Mapping[str, tuple[tuple[When, Part], ...]]] = {
    "penalty_fee_interest_principal": PAIRS,
    "civil_code_561": _in_order(Part.FEE, Part.INTEREST, Part.PENALTY, Part.PRINCIPAL),
    "rbi_india": _in_order(Part.FEE, Part.INTEREST, Part.PENALTY, Part.PRINCIPAL),
    "interest_first": _in_order(Part.INTEREST, Part.PRINCIPAL, Part.PENALTY, Part.FEE),
    "principal_first": _in_order(Part.PRINCIPAL, Part.INTEREST, Part.PENALTY, Part.FEE),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One product. `id` is `name@hash` of its file; `treatment` names the treatment of its obligations, "" for the
    default one; `zone` is the zone its due dates are dates of, "" for the borrower's own. `kinds` are what the law
    knows it as: a rule about some kinds of product binds it where it is one of them.

    `allocation` lists the twelve pairs of (when, part) in the order in which money settles them. `dpd_paused_by` names
    kinds of hold whose days do not count as days past due. `due_months` are the months of the year in which an
    instalment may fall due (a term calendar), none named for every month; `deferred_months` pass before the first one.
    `stages` are those of progress payments, in the order of the work.
    """

    id: str = "plain@0"
    name: str = "plain"
    kinds: tuple[ProductKind, ...] = ()
    family: Family = Family.SINGLE
    method: Method = Method.SINGLE_PAYMENT
    treatment: str = ""
    zone: str = ""
    rounding: Rounding = Rounding.HALF_EVEN
    remainder: str = "last"  # or "first": which rows take the rounding
    day_count: DayCount = DayCount.ACT_365F
    year_days: int = 365  # by which a daily rate becomes a yearly one
    calendar: str = ""
    due_roll: Roll = Roll.UNADJUSTED
    accrual_roll: Roll = Roll.UNADJUSTED
    unpublished: str = "provisional"  # or "refuse": what a date in an unpublished year leads to
    cut_off: time = time(23, 59, 59)
    grace_days: int = 0
    tolerance_minor: int = 0
    late: Late = Late()
    dpd_origin: DpdOrigin = DpdOrigin.AFTER_DUE
    dpd_paused_by: tuple[str, ...] = ()
    buckets: str = "m"
    allocation: tuple[tuple[When, Part], ...] = PAIRS
    leftover: Leftover = Leftover.KEPT
    billing: Billing | None = None
    debit: DebitTerms = DebitTerms()
    deferred_months: int = 0
    due_months: tuple[int, ...] = ()
    stages: tuple[Stage, ...] = ()
    daily_rate: Decimal = Decimal(0)
    max_months: int = 60


# The profile of an account whose product no file describes: nothing is added to what the lender says is owed.
PLAIN = Profile()


# Wider than any product known, so that only a slip is refused: a percentage written for a share, a year for a month.
# 0.8 % a day is the highest cap on a daily rate that we know (United Kingdom, CONC 5A.2.3R).
MAX_DAILY_RATE: Final = Decimal("0.008")
MAX_MULTIPLIER: Final = Decimal(3)
MAX_MONTHS: Final = 600
MAX_DAYS: Final = 366
MAX_MINOR: Final = 10**15
MAX_BILL_DAY: Final = 28  # the last day that every month has

# The kinds of hold, as `core.hold.Kind` has them: holds build on treatments and calendars, which build on this module.
HOLDS: Final = (
    "dispute",
    "hardship",
    "promise",
    "complaint",
    "bereavement",
    "moratorium",
    "deceased",
    "bankruptcy",
    "military",
    "attorney",
    "mass",
    "opt_out",
    "paid_claim",
)

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")


class _Wrong(ValueError):
    """What is wrong with the value of a key, and the way out; `key` is dotted where tables are nested."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


def parse(document: Mapping[str, Any], source: str) -> Profile:
    """Return the profile in a parsed TOML document; `source` names the file in errors.

    Everything in which products are known to differ has to be stated; what is left out elsewhere is as `Profile` has
    it. Rates and shares are decimals in quotes, never floats: a share of 10 % is "0.10", 0.05 % a day is "0.0005".

    Raises:
        Rejected: code "bad_product", field = the key (dotted inside a table), when a key is unknown, missing or has a
            value of the wrong form, when a rate is negative or written as a percentage, when an order of allocation
            does not name each of the twelve pairs once, or when two keys contradict each other.
    """
    try:
        read = _table(document, _PROFILE, _NEEDED)
        profile = Profile(id=f"{read['name']}@{_digest(document)}", **read)
        _check(profile, set(document))
    except _Wrong as wrong:
        raise Rejected("bad_product", wrong.key, f"{source}: {wrong.key!r} {wrong}") from None
    return profile


def _digest(document: Mapping[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str).encode()
    return hashlib.sha256(canonical).hexdigest()[:12]


def _check(profile: Profile, given: set[str]) -> None:
    """Refuse what is well-formed key by key and makes no sense together."""
    revolving = profile.family is Family.REVOLVING
    single = profile.method is Method.SINGLE_PAYMENT
    if revolving != (profile.billing is not None):
        raise _Wrong(
            "billing", "belongs to the family revolving, and to no other: add or remove it"
        )
    if revolving == ("method" in given):
        raise _Wrong("method", "says how a loan is paid back: state it for a loan, not for a bill")
    if not revolving and single != (profile.family is Family.SINGLE):
        raise _Wrong("method", "is single_payment for the family single, and for no other")
    if profile.family is not Family.INSTALMENT and (profile.deferred_months or profile.due_months):
        key = "deferred_months" if profile.deferred_months else "due_months"
        raise _Wrong(key, "moves instalments: use it with the family instalment only")
    if profile.family is not Family.SINGLE and profile.stages:
        raise _Wrong("stage", "is of a progress payment: use it with the family single only")
    if profile.late.grace is not Grace.NONE and not profile.grace_days:
        raise _Wrong("late.grace", "needs grace_days above 0; without a grace period it is none")
    for key, roll in (("due_roll", profile.due_roll), ("accrual_roll", profile.accrual_roll)):
        if roll is not Roll.UNADJUSTED and not profile.calendar:
            raise _Wrong(key, "moves dates to business days: name the calendar, or say unadjusted")
    if profile.deferred_months >= profile.max_months:
        raise _Wrong("deferred_months", "leaves no month to pay in: keep it below max_months")


_Reader = Callable[[Any], Any]


def _table(given: object, readers: Mapping[str, _Reader], needed: frozenset[str]) -> dict[str, Any]:
    """Return the values of a table as their readers return them.

    Raises:
        _Wrong: a key is unknown or missing, or a reader refuses its value.
    """
    if not isinstance(given, Mapping):
        raise ValueError("is not a table of keys: write it as one")
    for key in sorted(set(given) - set(readers)):
        raise _Wrong(
            key, f"is not known here: remove it, or use one of {', '.join(sorted(readers))}"
        )
    for key in sorted(needed - set(given)):
        raise _Wrong(key, "is missing: state it, products differ in it")
    read = {}
    for key, value in given.items():
        try:
            read[_FIELDS.get(key, key)] = readers[key](value)
        except _Wrong as wrong:
            raise _Wrong(f"{key}.{wrong.key}", str(wrong)) from None
        except ValueError as error:
            raise _Wrong(key, str(error)) from None
    return read


def _word(words: type[StrEnum]) -> _Reader:
    def read(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in tuple(words):
            raise ValueError(f"is not one of {', '.join(words)}: choose one")
        return words(value)

    return read


def _choice(*choices: object) -> _Reader:
    def read(value: object) -> object:
        # 365.0 and True are equal to a whole number and are none.
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise ValueError(f"is not one of {', '.join(map(str, choices))}: choose one")
        return value

    return read


def _whole(least: int, most: int) -> _Reader:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"is no whole number from {least} to {most}: correct it")
        return value

    return read


def _decimal(most: Decimal, least: Decimal = Decimal(0)) -> _Reader:
    def read(value: object) -> Decimal:
        if isinstance(value, str) and value.startswith("-"):
            raise ValueError("is negative: a rate or a share is 0 or above")
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise ValueError(
                'is no decimal in quotes: write it as "0.0005", as a share and not in per cent'
            )
        number = Decimal(value)
        if not least <= number <= most:
            raise ValueError(
                f"is not between {least} and {most}: write it as a share, not in per cent"
            )
        return number

    return read


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false: write one of them without quotes")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("is not 1 to 32 ASCII letters, digits or . _ -: choose another name")
    return value


def _name_or_nothing(value: object) -> str:
    return "" if value == "" else _name(value)


def _zone(value: object) -> str:
    if value == "":
        return ""
    try:
        zones.zone(str(value))
    except Rejected:
        raise ValueError("is no IANA time zone: write a name such as Asia/Shanghai") from None
    return str(value)


def _time(value: object) -> time:
    try:
        at = time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise ValueError('is no local time in quotes: write it as "19:00", without an offset')
    return at


def _list(reader: _Reader) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("is no list: write it in square brackets")
        return tuple(reader(each) for each in value)

    return read


def _rising(reader: _Reader) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: object) -> tuple[Any, ...]:
        each = _list(reader)(value)
        if any(before >= after for before, after in pairwise(each)):
            raise ValueError("is not in rising order, each once: sort it")
        return each

    return read


def _due_months(value: object) -> tuple[int, ...]:
    months = _rising(_whole(1, 12))(value)
    if not months:
        raise ValueError("is empty, so nothing could fall due: leave it out for every month")
    return months


def _kinds(value: object) -> tuple[str, ...]:
    kinds = _list(_choice(*HOLDS))(value)
    if len(set(kinds)) != len(kinds):
        raise ValueError("names a kind of hold twice: leave one out")
    return kinds


def _product_kinds(value: object) -> tuple[ProductKind, ...]:
    kinds = _list(_word(ProductKind))(value)
    if len(set(kinds)) != len(kinds):
        raise ValueError("names a kind of product twice: leave one out")
    return tuple(sorted(kinds))


def _numbered(keys: range, reader: _Reader) -> Callable[[Any], dict[int, Any]]:
    """Read a table whose keys are numbers; TOML has them as text."""
    texts = {str(key): key for key in keys}

    def read(value: object) -> dict[int, Any]:
        if not isinstance(value, Mapping) or not value:
            raise ValueError("is no table with a number as each key: write it as one")
        for key in value:
            if key not in texts:
                raise _Wrong(
                    str(key), f"is no number from {keys[0]} to {keys[-1]}: correct the key"
                )
        given = _table(value, dict.fromkeys(value, reader), frozenset())
        return {texts[key]: given[key] for key in sorted(given, key=texts.__getitem__)}

    return read


def _due_days(value: object) -> dict[int, int]:
    days = _numbered(range(1, MAX_BILL_DAY + 1), _whole(1, MAX_BILL_DAY))(value)
    # Otherwise a change of the due day could let a bill fall due before an older one.
    if len({due_day > bill_day for due_day, bill_day in days.items()}) > 1:
        raise ValueError(
            "has bills due in their own month beside bills due in the next: keep to one of the two"
        )
    return days


def _allocation(value: object) -> tuple[tuple[When, Part], ...]:
    if isinstance(value, str):
        if value not in ORDERS:
            raise ValueError(
                f"is no order known by name: use one of {', '.join(ORDERS)}, or a list"
            )
        return ORDERS[value]
    names = {f"{when}.{part}": (when, part) for when, part in PAIRS}
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError('is neither a name nor a list of pairs such as "past_due.interest"')
    if sorted(value) != sorted(names):
        raise ValueError(f"does not name each of the twelve pairs once: {', '.join(names)}")
    return tuple(names[each] for each in value)


def _late(value: object) -> Late:
    late = Late(**_table(value, _LATE, frozenset({"mode", "base", "grace"})))
    given = set(value) if isinstance(value, Mapping) else set()
    if ("daily_rate" in given) == ("multiplier" in given):
        raise _Wrong(
            "multiplier", "and daily_rate are two ways to state one thing: give one of them"
        )
    if "daily_rate" in given and not late.daily_rate:
        raise _Wrong(
            "daily_rate", 'is 0: where no late interest is charged, write multiplier = "0"'
        )
    return late


def _billing(value: object) -> Billing:
    return Billing(**_table(value, _BILLING, frozenset({"due_days", "event", "minimum_share"})))


def _debit(value: object) -> DebitTerms:
    return DebitTerms(**_table(value, _DEBIT, frozenset()))


def _stages(value: object) -> tuple[Stage, ...]:
    def stage(row: object) -> Stage:
        return Stage(**_table(row, _STAGE, frozenset(_STAGE)))

    stages = _list(stage)(value)
    if sum(each.share for each in stages) != 1:
        raise _Wrong("share", "does not add up to 1 over all stages: correct the shares")
    if len({each.name for each in stages}) != len(stages):
        raise _Wrong("name", "is that of two stages: give each its own")
    return stages


_SHARE: Final = _decimal(Decimal(1))
_RATE: Final = _decimal(MAX_DAILY_RATE)
_FIELDS: Final = {"stage": "stages"}

_LATE: Final[Mapping[str, _Reader]] = {
    "mode": _word(LateMode),
    "base": _word(LateBase),
    "daily_rate": _RATE,
    "multiplier": _decimal(MAX_MULTIPLIER),
    "start": _word(LateStart),
    "grace": _word(Grace),
    "compound": _truth,
    "cap": _decimal(Decimal(1), Decimal("0.0001")),
    "frozen_by": _kinds,
}
_BILLING: Final[Mapping[str, _Reader]] = {
    "due_days": _due_days,
    "event": _word(Event),
    "minimum_share": _SHARE,
    "minimum_floor_minor": _whole(0, MAX_MINOR),
    "instalment_fees": _numbered(range(2, 61), _SHARE),
}
_DEBIT: Final[Mapping[str, _Reader]] = {
    "windows": _rising(_time),
    "again_daily": _truth,
    "off_by_minimum": _truth,
    "patience_hours": _whole(1, 240),
    "notice_days": _whole(0, MAX_DAYS),
}
_STAGE: Final[Mapping[str, _Reader]] = {
    "name": _name,
    "share": _decimal(Decimal(1), Decimal("0.0001")),
    "due_after_days": _whole(0, MAX_DAYS),
}
_PROFILE: Final[Mapping[str, _Reader]] = {
    "name": _name,
    "kinds": _product_kinds,
    "family": _word(Family),
    "method": _word(Method),
    "treatment": _name_or_nothing,
    "zone": _zone,
    "rounding": _word(Rounding),
    "remainder": _choice("last", "first"),
    "day_count": _word(DayCount),
    "year_days": _choice(360, 365),
    "calendar": _name_or_nothing,
    "due_roll": _word(Roll),
    "accrual_roll": _word(Roll),
    "unpublished": _choice("provisional", "refuse"),
    "cut_off": _time,
    "grace_days": _whole(0, MAX_DAYS),
    "tolerance_minor": _whole(0, MAX_MINOR),
    "late": _late,
    "dpd_origin": _word(DpdOrigin),
    "dpd_paused_by": _kinds,
    "buckets": _name,
    "allocation": _allocation,
    "leftover": _word(Leftover),
    "billing": _billing,
    "debit": _debit,
    "deferred_months": _whole(0, MAX_MONTHS),
    "due_months": _due_months,
    "stage": _stages,
    "daily_rate": _RATE,
    "max_months": _whole(1, MAX_MONTHS),
}
_NEEDED: Final = frozenset(
    {
        "name",
        "family",
        "rounding",
        "day_count",
        "year_days",
        "cut_off",
        "grace_days",
        "tolerance_minor",
        "late",
        "dpd_origin",
        "allocation",
    }
)
