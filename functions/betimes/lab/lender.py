"""A pretend lender: months of everything its platform has to cope with, as one stream in order of time.

Borrowers have bills, loans and stages of work to pay (`lab.contracts`), pay when measured people pay (`lab.habits`),
tell late, twice and in the wrong order (`lab.customer`), and meet with every trouble the platform knows
(`lab.troubles`). The seed and the number of a borrower decide everything about them: more borrowers change nobody, and
another start, length or seed gives another book.

The stream is made as it is read, and keeps no more than open debts: memory follows the number of borrowers, never that
of days. Nobody in it exists; addresses are those of `lab.demo`.
"""

from __future__ import annotations

import heapq
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from importlib import resources
from typing import Final

from betimes.core import product, zones
from betimes.core.borrower import ContactPoint
from betimes.core.intake import PutBorrower
from betimes.core.product import Profile, Roll
from betimes.core.values import dataclass, replace
from betimes.core.workdays import Calendar
from betimes.lab import contracts, troubles
from betimes.lab.contracts import Loan
from betimes.lab.customer import Customer, Frame
from betimes.lab.demo import reserved_points
from betimes.lab.habits import Chance, Payer, Source
from betimes.lab.runner import Event

# Customers come within so many days.
ENTRY_DAYS: Final = 40
PRODUCTS: Final = (
    "huabei_like",
    "jiebei_like",
    "single_payment",
    "education",
    "medical",
    "home_improvement",
)
# What each of so many borrowers in turn has, by number. A plus: every instalment is told when the loan is drawn.
_LOTS: Final = (
    *[("huabei_like",)] * 6,
    *[("jiebei_like",)] * 2,
    *[("jiebei_like+",)] * 3,
    *[("huabei_like", "jiebei_like")] * 3,
    *[("huabei_like", "jiebei_like+")] * 3,
    *[("single_payment",)] * 3,
    ("medical+",),
    ("education+",),
    ("home_improvement", "huabei_like"),
)
# Of those with bills and loans: both fall due on the same day of the month.
_SAME_DUE_DAY_PERCENT: Final = 60
_MARKS: Final = {"jiebei_like": "jb", "single_payment": "sp", "education": "ed", "medical": "md"}

_UNREACHABLE_PERCENT: Final = 2
_PHONE_ONLY_PERCENT: Final = 5
_CHINESE_PERCENT: Final = 70
# By number, among `troubles.ROLES`: where somebody lives, and where else they may be.
_HOMES: Final = {
    20: ("America/New_York", "US", ()),
    21: ("America/New_York", "US", ("America/Los_Angeles",)),
    22: ("Europe/London", "GB", ()),
    23: ("Africa/Cairo", "EG", ()),
    24: ("Australia/Lord_Howe", "AU", ()),
    25: ("Asia/Shanghai", "CN", ("America/New_York",)),
    26: ("Asia/Shanghai", "CN", ("Europe/London", "Asia/Urumqi")),
    27: ("Europe/London", "GB", ("Africa/Cairo",)),
    28: ("Australia/Lord_Howe", "AU", ("Australia/Sydney",)),
    29: ("Asia/Urumqi", "CN", ()),
}
# By number too: whose provider answers as their address rehearses (`lab.world.Provider`); they have no other point.
_REHEARSED: Final = {
    troubles.BUSY: "busy",
    31: "timeout-lost",
    32: "timeout-accepted",
    33: "timeout-silent",
    34: "crash",
    35: "refused",
    36: "hard",
    37: "soft",
    39: "complaint",
    40: "failed",
}


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without the platform, half-open: nothing is swept in it, and while it is `deaf` nothing is taken in."""

    starts_at: datetime
    ends_at: datetime
    deaf: bool = True


@dataclass(frozen=True, slots=True)
class PretendBook:
    """A book to be played. `events` can be read once; `counts` says what was told and what happened, up to the event
    last read, by words such as "AddRepayment", "hold mass", "debit failed", "again" or "reversals".
    """

    events: Iterator[Event]
    outages: tuple[Outage, ...]
    counts: Counter[str]


def book(
    start: date,
    days: int,
    borrowers: int,
    seed: int,
    zone: str = "Asia/Shanghai",
    *,
    first: int = 1,
    profiles: Mapping[str, Profile] | None = None,
    calendars: Mapping[str, Calendar] | None = None,
) -> PretendBook:
    """Return the pretend book of `borrowers` that begins on the civil date `start` in `zone` and lasts for `days`.

    Borrowers are numbered from `first` on: the borrowers of one number are the same in every book. Events come in order
    of time, those of one instant in the order of the borrowers' numbers. `profiles` hold at least
    `PRODUCTS` and are the shipped ones if left out; a product whose calendar is not in `calendars` moves no due dates.
    """
    known = shipped() if profiles is None else profiles
    calendars = calendars or {}
    frame = Frame(
        seed=seed,
        start=start,
        days=days,
        zone=zone,
        profiles={name: _playable(known[name], calendars) for name in PRODUCTS},
        calendars=calendars,
        start_at=zones.instant(start, time(), zone),
        end_at=zones.instant(start + timedelta(days=days), time(), zone),
    )
    counts: Counter[str] = Counter()
    disasters = troubles.masses(start, days, zone)
    streams = [
        _keyed(number, _customer(number, frame, counts, disasters).events())
        for number in range(first, first + borrowers)
    ]
    merged = (event for _, _, event in heapq.merge(*streams))
    return PretendBook(merged, _outages(frame), counts)


def shipped() -> dict[str, Profile]:
    """Return the profiles of `PRODUCTS` that are part of the package."""
    folder = resources.files("betimes.packs") / "products"
    return {
        name: product.parse(
            tomllib.loads((folder / f"{name}.toml").read_text("utf-8")), f"products/{name}.toml"
        )
        for name in PRODUCTS
    }


def _playable(profile: Profile, calendars: Mapping[str, Calendar]) -> Profile:
    if profile.calendar in calendars:
        return profile
    return replace(profile, due_roll=Roll.UNADJUSTED, accrual_roll=Roll.UNADJUSTED)


def _keyed(number: int, events: Iterator[Event]) -> Iterator[tuple[datetime, int, Event]]:
    """Yield the events with what they are merged by; no borrower has two events before the other is read."""
    for event in events:
        yield event.at, number, event


def _outages(frame: Frame) -> tuple[Outage, ...]:
    """Return a day that is lost, and six hours from the morning of a day on which many bills fall due."""
    lost = _day_of_month(frame.start + timedelta(days=2 * frame.days // 5), 9)
    morning = _day_of_month(frame.start + timedelta(days=7 * frame.days // 10), 10)
    return (
        Outage(
            zones.instant(lost, time(), frame.zone),
            zones.instant(lost + timedelta(days=1), time(), frame.zone),
            deaf=False,
        ),
        Outage(
            zones.instant(morning, time(9), frame.zone),
            zones.instant(morning, time(15), frame.zone),
        ),
    )


def _day_of_month(on: date, day: int) -> date:
    """Return the first date from `on` on that is the day of its month."""
    while on.day != day:
        on += timedelta(days=1)
    return on


def _customer(
    number: int, frame: Frame, counts: Counter[str], disasters: tuple[troubles.Mass, ...]
) -> Customer:
    """Return a borrower with everything that begins their life as a customer on the agenda."""
    chance = Chance(f"{frame.seed}:{frame.start.isoformat()}:{number}")
    customer = Customer(number, frame, _person(number, chance, frame.zone), chance, troubles.befall)
    customer.counts = counts
    entered_on = frame.start + timedelta(days=chance.below(ENTRY_DAYS))
    at = zones.instant(entered_on, chance.moment(), frame.zone)
    customer.tell(at, None, customer.person)
    customer.plan(at, partial(_enter, customer))
    troubles.live(customer, at, disasters)
    return customer


def _enter(customer: Customer, at: datetime) -> None:
    """Give a borrower the products of their lot, or a debt from another lender's book."""
    chance, profiles = customer.chance, customer.frame.profiles
    if troubles.is_taken_over(customer.number):
        payer = Payer(chance, Source.CASH_LOANS)
        troubles.take_over(customer, profiles["jiebei_like"], payer, at)
    due_day = 0
    for name in _LOTS[customer.number % len(_LOTS)]:
        product_name, knows_all = name.rstrip("+"), name.endswith("+")
        profile, payer = profiles[product_name], _payer(customer, product_name, knows_all)
        match product_name:
            case "huabei_like":
                line = contracts.open_line(customer, profile, payer, at)
                due_day = line.due_day if chance.below(100) < _SAME_DUE_DAY_PERCENT else 0
            case "home_improvement":
                contracts.renovate(customer, profile, payer, 1, at)
            case _:
                mark = _MARKS[product_name]
                contracts.draw(customer, Loan(mark, profile, payer, knows_all, due_day), at)


def _payer(customer: Customer, product_name: str, knows_all: bool) -> Payer:
    """Return how a borrower pays a product: cash loans as those of their source, all else as instalments are paid."""
    is_cash = product_name in ("jiebei_like", "single_payment") and not knows_all
    return Payer(customer.chance, Source.CASH_LOANS if is_cash else Source.INSTALMENTS)


def _person(number: int, chance: Chance, zone: str) -> PutBorrower:
    home = _HOMES.get(number % troubles.ROLES, (zone, "CN", ()))
    chinese = home[1] == "CN" and chance.below(100) < _CHINESE_PERCENT
    tags = [chance.one_of("new", "regular", "student", "self-employed")]
    if troubles.lives_in_area(number):
        tags.append(troubles.AREA_TAG)
    return PutBorrower(
        locale="zh-CN" if chinese else "en",
        zone=home[0],
        jurisdiction=home[1],
        contact_points=_points(chance, number),
        zone_evidence=home[2],
        tags=tuple(tags),
        score_band=chance.one_of(*"abcde"),
    )


def _points(chance: Chance, number: int) -> tuple[ContactPoint, ...]:
    email, phone = reserved_points(f"b{number:05d}")
    percent = chance.below(100)
    if percent < _UNREACHABLE_PERCENT:
        return ()
    rehearsed = _REHEARSED.get(number % troubles.ROLES)
    if rehearsed is not None:
        return (ContactPoint("email", f"{rehearsed}@{email.partition('@')[2]}"),)
    by_phone = ContactPoint("sms", phone)
    if percent < _UNREACHABLE_PERCENT + _PHONE_ONLY_PERCENT:
        return (by_phone,)
    return ContactPoint("email", email), by_phone
