"""What goes wrong in pretend lives, and stops or changes contact: holds of every kind, amendments, books taken over.

Frequent troubles befall a debt by chance. Rare ones belong to borrowers by number, so that a book of two hundred has
each kind of them at least once and a larger one no other people. Shares are ours; no figures on them are public.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Final

from betimes.core import zones
from betimes.core.allocation import Parts
from betimes.core.hold import Kind
from betimes.core.intake import ChooseEntry, PutBorrower
from betimes.core.product import Profile
from betimes.core.values import dataclass
from betimes.lab.contracts import open_contract
from betimes.lab.customer import DAY, HOUR, Customer, Debt
from betimes.lab.habits import Payer, long_late

# Per 10,000 of debts, but for promises: of debts that will be paid at least two days late.
DISPUTED: Final = 120
COMPLAINED: Final = 40
HARDSHIP: Final = 80
MOVED: Final = 80
PROMISED: Final = 2_500
# Per 10,000 of debts still open so many days after the due date: counted anew from then on.
REAGED: Final = 3_000
REAGED_AFTER: Final = 40 * DAY
UPHELD: Final = 5_000  # of disputes: a part is credited

ROLES: Final = 150
# One borrower in ROLES each, by number: the kind of hold, its scope, and days until it ends, 0 for until it is lifted.
_STOPPED: Final = {
    1: (Kind.DECEASED, 0),
    2: (Kind.BANKRUPTCY, 0),
    3: (Kind.MILITARY, 120),
    4: (Kind.ATTORNEY, 0),
    5: (Kind.BEREAVEMENT, 30),
    6: (Kind.MORATORIUM, 60),
    7: (Kind.OPT_OUT, 0),
    8: (Kind.HARDSHIP, 45),
    9: (Kind.COMPLAINT, 20),
}
_ENDS_LENDING: Final = frozenset({Kind.DECEASED, Kind.BANKRUPTCY})
_OVERLAPPING: Final = range(10, 13)
_BY_CHANNEL: Final = range(13, 15)
# The provider is busy at their first attempt; their due dates are moved while the contact of three days before waits.
BUSY: Final = 30
_CHANGED: Final = range(50, 58)

# Of the borrowers of a book, one in AREAS lives where the disaster strikes; holds end on ten days in turn.
AREAS: Final = 13
AREA_TAG: Final = "area-east"
RAMP_DAYS: Final = 10
TAKEN_OVER: Final = 31  # one borrower in so many comes from the book of another lender


@dataclass(frozen=True, slots=True)
class Mass:
    """A disaster: everybody in the area is left alone from `starts_at` on, first until `ends_at`, then one by one."""

    hold_id: str
    starts_at: datetime
    ends_at: datetime


def masses(start: date, days: int, zone: str) -> tuple[Mass, ...]:
    """Return the disasters of a book: two, a quarter and two thirds of the way through it."""
    return tuple(
        Mass(
            f"mass-{number}",
            zones.instant(on, time(6), zone),
            zones.instant(on + 14 * DAY, time(), zone),
        )
        for number, on in enumerate(
            (start + timedelta(days=days // 4), start + timedelta(days=2 * days // 3)), start=1
        )
    )


def lives_in_area(number: int) -> bool:
    """Return whether a borrower lives where disasters strike."""
    return number % AREAS == 5


def is_taken_over(number: int) -> bool:
    """Return whether a borrower comes from another lender's book, with a debt that is overdue already."""
    return number % TAKEN_OVER == 7


def befall(customer: Customer, debt: Debt) -> None:
    """Put on the agenda what may befall a debt that is being told; most often nothing."""
    chance, told_at = customer.chance, debt.told_at
    assert told_at is not None
    zone = debt.contract.zone
    told_on = zones.local_date(told_at, zone)
    dice = chance.below(10_000)
    if dice < DISPUTED:
        on = told_on + chance.between(1, 30) * DAY
        customer.plan(customer.office_hours(on, zone), partial(_dispute, customer, debt))
    elif dice < DISPUTED + COMPLAINED:
        on = debt.due_on + chance.between(-5, 10) * DAY
        customer.plan(_after(customer, on, told_at, zone), partial(_complain, customer, debt))
    elif dice < DISPUTED + COMPLAINED + HARDSHIP:
        on = debt.due_on + chance.between(-3, 10) * DAY
        customer.plan(
            _after(customer, on, told_at, zone), partial(_fall_on_hard_times, customer, debt)
        )
    elif dice < DISPUTED + COMPLAINED + HARDSHIP + MOVED:
        on = debt.due_on - chance.between(1, 5) * DAY
        customer.plan(_after(customer, on, told_at, zone), partial(_move, customer, debt))
    if customer.number % ROLES == BUSY:
        moved_at = zones.instant(debt.due_on - 3 * DAY, time(10, 5), customer.person.zone)
        if moved_at > told_at:
            customer.plan(moved_at, partial(_move, customer, debt))
    if debt.pay_at is None or debt.pay_at > zones.instant(debt.due_on + REAGED_AFTER, time(), zone):
        if chance.happens(REAGED):
            at = customer.office_hours(debt.due_on + REAGED_AFTER, zone)
            customer.plan(max(at, told_at), partial(_age_anew, customer, debt))
    elif debt.pay_at > zones.instant(debt.due_on + 3 * DAY, time(), zone) and chance.happens(
        PROMISED
    ):
        late_days = (zones.local_date(debt.pay_at, zone) - debt.due_on).days
        on = debt.due_on + chance.between(1, min(late_days - 1, 14)) * DAY
        customer.plan(_after(customer, on, told_at, zone), partial(_promise, customer, debt))


def _after(customer: Customer, on: date, told_at: datetime, zone: str) -> datetime:
    """Return office hours of the civil date, or of the first one on which the platform knows what it is about."""
    at = customer.office_hours(on, zone)
    while at <= told_at + HOUR:
        at += DAY
    return at


def _is_open(debt: Debt, at: datetime) -> bool:
    return debt.is_told(at) and debt.id in debt.contract.debts


def _dispute(customer: Customer, debt: Debt, at: datetime) -> None:
    """Contest a debt, in every third case from days before the lender entered it; some are found to be right."""
    chance = customer.chance
    if not _is_open(debt, at):
        return
    began_at = at - chance.between(1, 10) * DAY if chance.below(3) == 0 else at
    lifted_at = at + timedelta(hours=chance.between(5 * 24, 40 * 24))
    customer.hold(Kind.DISPUTE, at, starts_at=began_at, debt=debt, lifted_at=lifted_at)
    if chance.happens(UPHELD):
        customer.plan(lifted_at - HOUR, partial(_uphold, customer, debt))


def _uphold(customer: Customer, debt: Debt, at: datetime) -> None:
    owed = customer.owed(debt, debt.contract.counts_on(at))
    minor = owed * customer.chance.between(10, 60) // 100
    if minor and _is_open(debt, at) and debt.flight is None:
        customer.counts["disputes upheld"] += 1
        customer.credit(debt, at, minor)


def _complain(customer: Customer, debt: Debt, at: datetime) -> None:
    days = customer.chance.between(7, 30)
    customer.hold(Kind.COMPLAINT, at, contract=debt.contract, ends_at=at + days * DAY)


def _fall_on_hard_times(customer: Customer, debt: Debt, at: datetime) -> None:
    """Leave an account alone for a month; the debt falls due later, and in half of the cases is aged anew."""
    chance, zone = customer.chance, debt.contract.zone
    if not _is_open(debt, at) or debt.flight is not None:
        return
    on = zones.local_date(at, zone)
    customer.hold(Kind.HARDSHIP, at, contract=debt.contract, ends_at=at + 30 * DAY)
    customer.counts["arrangements"] += 1
    due_on = max(on, debt.due_on) + chance.between(20, 35) * DAY
    customer.amend(debt, at, due_on=due_on, aged_from=due_on if chance.below(2) else None)


def _move(customer: Customer, debt: Debt, at: datetime) -> None:
    """Move a due date by some days before it has come."""
    if _is_open(debt, at) and debt.flight is None and not debt.revision:
        customer.counts["due dates moved"] += 1
        customer.amend(debt, at, due_on=debt.due_on + customer.chance.between(3, 10) * DAY)


def _age_anew(customer: Customer, debt: Debt, at: datetime) -> None:
    """Count the days past due of a debt that is long overdue from today on, by arrangement."""
    if _is_open(debt, at) and debt.flight is None:
        customer.counts["aged anew"] += 1
        customer.amend(debt, at, aged_from=zones.local_date(at, debt.contract.zone))


def _promise(customer: Customer, debt: Debt, at: datetime) -> None:
    """Promise to pay what is owed within days; whether it is kept follows from when the borrower pays anyway."""
    on = zones.local_date(at, customer.person.zone)
    owed = customer.owed(debt, debt.contract.counts_on(at))
    if not owed or not _is_open(debt, at):
        return
    promised_on = on + customer.chance.between(1, 6) * DAY
    ends_at = zones.instant(promised_on + DAY, time(), customer.person.zone)
    kept = debt.pay_at is not None and debt.pay_at < ends_at and not debt.in_part
    customer.counts["promises kept" if kept else "promises broken"] += 1
    customer.hold(Kind.PROMISE, at, debt=debt, promise=(owed, promised_on))


# What befalls a person


def live(customer: Customer, entered_at: datetime, disasters: tuple[Mass, ...]) -> None:
    """Put on the agenda what befalls a borrower as a person: by number, and with everybody in the area."""
    role = customer.number % ROLES
    if role in _STOPPED:
        customer.plan(_some_day(customer, entered_at), partial(_stop, customer, *_STOPPED[role]))
    elif role in _OVERLAPPING:
        customer.plan(_some_day(customer, entered_at), partial(_stop_in_every_way, customer))
    elif role in _BY_CHANNEL:
        customer.plan(_some_day(customer, entered_at), partial(_stop_channel, customer))
    elif role in _CHANGED:
        customer.plan(_some_day(customer, entered_at), partial(_change, customer))
    if lives_in_area(customer.number):
        for disaster in disasters:
            told_at = disaster.starts_at + timedelta(seconds=30 + customer.number % 600)
            if told_at > entered_at:
                customer.plan(told_at, partial(_strike, customer, disaster))


def _some_day(customer: Customer, entered_at: datetime) -> datetime:
    """Return office hours between a fifth and two thirds of what is left of the book."""
    left = (customer.frame.end_at - entered_at).days
    days = customer.chance.between(max(3, left // 5), max(3, 2 * left // 3))
    on = zones.local_date(entered_at, customer.person.zone) + days * DAY
    return customer.office_hours(on, customer.person.zone)


def _stop(customer: Customer, kind: Kind, days: int, at: datetime) -> None:
    """Stop a borrower for a reason in their life, which the lender heard of days later."""
    chance = customer.chance
    began_at = at - timedelta(hours=chance.between(24, 5 * 24))
    if days:
        customer.hold(kind, at, starts_at=began_at, ends_at=began_at + days * DAY)
    else:
        ends = kind in _ENDS_LENDING
        customer.is_closed = customer.is_closed or ends
        lifted_at = None if ends else at + chance.between(60, 150) * DAY
        customer.hold(kind, at, starts_at=began_at, lifted_at=lifted_at)


def _stop_in_every_way(customer: Customer, at: datetime) -> None:
    """Set holds that meet, overlap and enclose each other, one set anew with a later end, one lifted before its end."""
    hold = customer.hold
    hold(Kind.HARDSHIP, at, ends_at=at + 30 * DAY)
    hold(Kind.COMPLAINT, at + 8 * DAY, ends_at=at + 16 * DAY)
    hold(Kind.DISPUTE, at + 20 * DAY, starts_at=at + 5 * DAY, ends_at=at + 45 * DAY)
    hold(Kind.MILITARY, at + 45 * DAY, ends_at=at + 60 * DAY, lifted_at=at + 52 * DAY)
    again = f"{customer.id}-longer"
    hold(Kind.BEREAVEMENT, at + 46 * DAY, ends_at=at + 50 * DAY, hold_id=again)
    hold(
        Kind.BEREAVEMENT,
        at + 49 * DAY,
        starts_at=at + 46 * DAY,
        ends_at=at + 64 * DAY,
        hold_id=again,
    )


def _stop_channel(customer: Customer, at: datetime) -> None:
    customer.hold(Kind.COMPLAINT, at, channel="sms", ends_at=at + 60 * DAY)


def _change(customer: Customer, at: datetime) -> None:
    """Tell a borrower's new score band, tags and address."""
    person = customer.person
    points = tuple(
        point if point.channel != "email" else type(point)("email", f"new-{point.address}")
        for point in person.contact_points
    )
    customer.person = PutBorrower(
        locale=person.locale,
        zone=person.zone,
        jurisdiction=person.jurisdiction,
        contact_points=points,
        zone_evidence=person.zone_evidence,
        tags=(*person.tags, "watched"),
        score_band=customer.chance.one_of(*"abcde"),
    )
    customer.counts["borrowers changed"] += 1
    customer.tell(at, None, customer.person)


def _strike(customer: Customer, disaster: Mass, at: datetime) -> None:
    """Leave a borrower in the area alone: the same hold for everybody, with an end of each one's own."""
    ends_at = disaster.ends_at + timedelta(days=customer.number // AREAS % RAMP_DAYS)
    customer.hold(
        Kind.MASS,
        at,
        starts_at=disaster.starts_at,
        ends_at=ends_at,
        hold_id=disaster.hold_id,
    )


# A book taken over


def take_over(customer: Customer, profile: Profile, payer: Payer, at: datetime) -> None:
    """Tell a debt from another lender's book that is overdue already; days later somebody chooses where to begin."""
    chance = customer.chance
    contract = open_contract(customer, f"tk{customer.number:05d}", profile, payer, at)
    contract.mandate = ""
    never, days = False, chance.between(1, 29)
    place = customer.number // TAKEN_OVER
    if place % 3 != 2:
        days, never = long_late(place, chance)
    chosen_in, begins_in = 0, 0
    if place % 6 == 2:
        # A step comes due between the day on which somebody chooses and the one that is chosen.
        days, chosen_in, begins_in = 13, 1, 3
    told_on = zones.local_date(at, contract.zone)
    due_on = told_on - timedelta(days=days)
    issued_at = zones.instant(due_on - 30 * DAY, time(10), contract.zone)
    contract.opened_on = due_on - 30 * DAY
    principal = 100_000 + 50_000 * chance.small(40)
    debt = Debt(
        contract=contract,
        id=f"{contract.id}-1",
        seq=1,
        issued_at=issued_at,
        nominal_on=due_on,
        due_on=due_on,
        parts=Parts(interest=principal // 50, principal=principal),
        told_at=at,
    )
    contract.debts[debt.id] = debt
    customer.counts["taken over"] += 1
    customer.tell(at, contract, contract.told(), debt.told())
    chosen_in = chosen_in or chance.between(2, 9)
    entry_at = customer.office_hours(told_on + chosen_in * DAY, contract.zone)
    begins_in = begins_in or chance.between(0, 3)
    entry_on = zones.local_date(entry_at, contract.zone) + begins_in * DAY
    customer.tell(entry_at, contract, ChooseEntry(debt.id, entry_on))
    if not never:
        paid_on = told_on + chance.between(1, 60) * DAY
        customer.pays(
            debt,
            zones.instant(paid_on, chance.moment(), contract.zone),
            in_part=chance.below(4) == 0,
        )
    payer.stopped = never
