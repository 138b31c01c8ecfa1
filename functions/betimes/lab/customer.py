"""One pretend borrower: what they owe, when they pay it, and what their lender tells about it, in order of time.

A customer is an agenda of things that will happen, each of which may tell the platform something and put more on the
agenda. Only debts that are open, or may be opened again by a reversal, are kept, so months of pretending take no more
memory than one.

The lender knows at once what happens; the platform hears of it a little later, now and then days later, twice, or in
the wrong order, as with real lenders. What is owed, late interest included, comes from the same functions of the core.

Shares without a source are ours: what is measured is in the calibration, all else is chosen so that it happens often
enough to matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from typing import Final

from betimes.core import replay, zones
from betimes.core.allocation import Parts
from betimes.core.book import frozen_days
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    AmendObligation,
    Command,
    LiftHold,
    PutAccount,
    PutBorrower,
    PutFlight,
    PutHold,
    ReverseRepayment,
)
from betimes.core.product import Leftover, Profile
from betimes.core.values import dataclass, replace
from betimes.core.workdays import Calendar, rolled
from betimes.flows.intake import Told
from betimes.lab.habits import Chance, Payer, days_until_rest
from betimes.lab.runner import Event

CURRENCY: Final = "CNY"
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

# Per 10,000 of what they are a share of.
REPEATED: Final = 80  # of all that is told: told again
HEARD_LATE: Final = 150  # of payments: told one to twenty days later
REVERSED: Final = 150  # of payments
UNNAMED: Final = (
    1_000  # of payments that could be meant for one obligation only: told without naming it
)
OVERPAID: Final = 150  # of payments of the whole
MINIMUM_ONLY: Final = 6_000  # of part payments, where there is a minimum
REVOLVING: Final = 5_000  # of those: the rest is left for the next bill
TRANSFERRED: Final = 400  # of payments: under way for hours
BOUNCED: Final = 1_000  # of transfers: sent back first
FORGOTTEN: Final = 500  # of transfers: nobody ever tells how they ended
SEPARATE: Final = 1_500  # of debits that succeed: the repayment is told after the result
UNKNOWN_YET: Final = 400  # of obligations paid within days: told after their payment

HEARD_LATE_DAYS: Final = 20
# Overpayments are round: the next full hundred yuan.
ROUND_MINOR: Final = 10_000
# A lender debits an overdue amount every day for so long.
DEBIT_DAYS: Final = 45
# Why a debit fails, each as often as it is named.
FAILURES: Final = (
    *["insufficient_funds"] * 14, *["limit_exceeded"] * 2, *["bank_unavailable"] * 3, "card_closed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """What all customers of a pretend book share; `start_at` and `end_at` bound it (UTC)."""

    seed: int
    start: date
    days: int
    zone: str
    profiles: Mapping[str, Profile]
    calendars: Mapping[str, Calendar]
    start_at: datetime
    end_at: datetime


@dataclass(slots=True)
class Contract:
    """One account. Nothing can be paid before the day `fitted_to`, counted from the due day, where all its obligations
    have about the same; `last` is the seq of its newest obligation.
    """

    id: str
    profile: Profile
    opened_on: date
    zone: str
    payer: Payer
    rate: Decimal = Decimal(0)
    limit_minor: int = 0
    mandate: str = ""
    fitted_to: int = -10_000
    last: int = 0
    surplus: tuple[replay.Receipt, ...] = ()
    debts: dict[str, Debt] = field(default_factory=dict)

    @property
    def is_alone(self) -> bool:
        """Whether no more than one debt is open, so that money can be meant for nothing else."""
        return sum(not debt.settled for debt in self.debts.values()) <= 1

    def counts_on(self, at: datetime) -> date:
        """Return the civil date as of which money that comes at the instant `at` counts: after the cut-off the next."""
        here = at.astimezone(zones.zone(self.zone))
        is_after = here.time().replace(microsecond=0) > self.profile.cut_off
        return here.date() + timedelta(days=is_after)

    def told(self) -> PutAccount:
        """Return what the lender says of the account."""
        return PutAccount(
            account_id=self.id,
            product=self.profile.name,
            currency=CURRENCY,
            opened_on=self.opened_on,
            limit_minor=self.limit_minor,
            daily_rate=self.rate,
            mandate=self.mandate,
        )


@dataclass(slots=True)
class Debt:
    """One obligation as its lender sees it. `nominal_on` is the due date before it was moved to a business day, which
    is the platform's to do. `pay_at` is when the borrower pays next, None for never, in part if `in_part`; `flight` is
    the money under way that will then arrive. What `revolves` is left for the next bill, what is
    `over_minor` was paid beyond what was owed. `course` counts how often it
    was decided how it is paid.
    """

    contract: Contract
    id: str
    seq: int
    issued_at: datetime
    nominal_on: date
    due_on: date
    parts: Parts
    minimum_minor: int = 0
    revision: int = 0
    receipts: list[replay.Receipt] = field(default_factory=list)
    told_at: datetime | None = None
    pay_at: datetime | None = None
    in_part: bool = False
    flight: PutFlight | None = None
    settled: bool = False
    revolves: bool = False
    over_minor: int = 0
    course: int = 0
    payments: int = 0
    flights: int = 0

    def told(self) -> AddObligation:
        """Return how the lender announces it."""
        return AddObligation(
            obligation_id=self.id,
            account_id=self.contract.id,
            seq=self.seq,
            issued_at=self.issued_at,
            due_on=self.nominal_on,
            principal_minor=self.parts.principal,
            amount_minor=self.parts.total,
            minimum_minor=self.minimum_minor,
            fee_minor=self.parts.fee,
        )

    def amended(self, aged_from: date | None = None) -> AmendObligation:
        """Return how the lender tells what it is now."""
        return AmendObligation(
            obligation_id=self.id,
            revision=self.revision,
            due_on=self.nominal_on,
            principal_minor=self.parts.principal,
            amount_minor=self.parts.total,
            minimum_minor=self.minimum_minor,
            fee_minor=self.parts.fee,
            aged_from=aged_from,
        )

    def is_told(self, at: datetime) -> bool:
        """Return whether the platform has heard of it by the instant `at`."""
        return self.told_at is not None and self.told_at <= at

    @property
    def received(self) -> int:
        """What it has received, in minor units."""
        return sum(receipt.minor for receipt in self.receipts)


Doing = Callable[[datetime], None]


class Customer:
    """One borrower of the pretend lender; `events` is what the lender tells of them."""

    def __init__(
        self,
        number: int,
        frame: Frame,
        person: PutBorrower,
        chance: Chance,
        trouble: Callable[[Customer, Debt], None],
    ) -> None:
        self.number = number
        self.id = f"b{number:05d}"
        self.frame = frame
        self.person = person
        self.chance = chance
        self.trouble = trouble  # what may befall a debt once it is told
        self.holds: list[Hold] = []
        self.is_closed = False  # nothing more is lent
        self.counts: Counter[str] = Counter()
        self._agenda: list[tuple[datetime, int, Doing | Told, str]] = []
        self._order = 0
        self._hold_number = 0

    def events(self) -> Iterator[Event]:
        """Yield what the lender tells, in order of time, until the book ends."""
        agenda, chance = self._agenda, self.chance
        told = 0
        while agenda:
            at, _, what, mark = heappop(agenda)
            if at >= self.frame.end_at:
                return
            if not isinstance(what, Told):
                what(at)
                continue
            told += 1
            self._count(what, mark)
            yield Event(at, what, f"{self.id} event {told}{mark and f' ({mark})'}")
            # Who a borrower is, and how they may be reached, is replaced by what is told last: never by an echo.
            if (
                not mark
                and chance.happens(REPEATED)
                and not isinstance(what.commands[0], PutBorrower)
            ):
                self._push(at + timedelta(seconds=chance.small(6 * 3600) + 1), what, "again")

    def _count(self, told: Told, mark: str) -> None:
        if mark:
            self.counts[mark] += 1
        for command in told.commands:
            name = type(command).__name__
            self.counts[name] += 1
            match command:
                case PutHold(kind=kind):
                    self.counts[f"hold {kind}"] += 1
                case PutFlight(means=means, state=state):
                    self.counts[f"{means} {state}"] += 1

    # The agenda

    def plan(self, at: datetime, do: Doing) -> None:
        """Put something on the agenda for the instant `at`."""
        self._push(at, do)

    def tell(
        self, at: datetime, contract: Contract | None, *commands: Command, mark: str = ""
    ) -> None:
        """Put on the agenda that the lender tells these commands, together, at the instant `at`."""
        self._push(at, Told(contract.id if contract else "", self.id, commands), mark)

    def _push(self, at: datetime, what: Doing | Told, mark: str = "") -> None:
        assert not isinstance(what, Told) or what.commands, "something is told"
        if at < self.frame.end_at:
            self._order += 1
            heappush(self._agenda, (at, self._order, what, mark))

    def office_hours(self, on: date, zone: str) -> datetime:
        """Return an instant of the civil date at which people at the lender work."""
        chance = self.chance
        return zones.instant(
            on, time(9 + chance.below(9), chance.below(60), chance.below(60)), zone
        )

    # What is owed

    def owe(self, *debts: Debt, at: datetime, opening: tuple[Command, ...] = ()) -> None:
        """Issue debts of one contract at the instant `at`, told together, and decide how they will be paid."""
        contract = debts[0].contract
        for debt in debts:
            contract.debts[debt.id] = debt
            contract.last = max(contract.last, debt.seq)
            debt.receipts += [replace(over, obligation_id=debt.id) for over in contract.surplus]
            contract.surplus = ()
            self.follow(debt, at)
        told_at = at if opening or len(debts) > 1 else self._told_after_payment(debts[0], at)
        for debt in debts:
            debt.told_at = told_at
        self.tell(told_at, contract, *opening, *(debt.told() for debt in debts))
        for debt in debts:
            self.trouble(self, debt)

    def moved(self, contract: Contract, nominal_on: date) -> date:
        """Return a due date of a contract on the business day that its product moves it to."""
        profile = contract.profile
        calendar = self.frame.calendars.get(profile.calendar)
        return rolled(nominal_on, profile.due_roll, calendar).on

    def _told_after_payment(self, debt: Debt, at: datetime) -> datetime:
        """Return when an obligation is told: at once, or in a few cases after it was paid."""
        early = debt.pay_at is not None and debt.pay_at < min(
            at + 6 * DAY, zones.instant(debt.due_on, time(), debt.contract.zone)
        )
        if not early or not self.chance.happens(UNKNOWN_YET):
            return at
        assert debt.pay_at is not None
        self.counts["money before its obligation"] += 1
        return debt.pay_at + self.chance.between(10, 180) * MINUTE

    def follow(self, debt: Debt, at: datetime) -> None:
        """Decide, as of the instant `at`, when a debt is paid, and put it and its debits on the agenda."""
        contract, zone = debt.contract, debt.contract.zone
        earliest = (zones.local_date(at, zone) - debt.due_on).days
        plan = contract.payer.plan(debt.due_on, earliest=earliest, fitted_to=contract.fitted_to)
        debt.pay_at, debt.in_part = None, False
        debt.course += 1
        if plan is not None:
            pays_at = zones.instant(debt.due_on + timedelta(days=plan.days), plan.at, zone)
            self.pays(debt, max(pays_at, at + MINUTE), in_part=plan.in_part)
            self._perhaps_transfers(debt, at)
        windows = contract.profile.debit.windows
        if contract.mandate and windows and earliest <= 0:
            first_at = zones.instant(debt.due_on, windows[0], zone)
            if first_at > at:
                self.plan(first_at, partial(self._debit, debt, debt.course, debt.due_on, 0))

    def pays(self, debt: Debt, at: datetime, *, in_part: bool = False) -> None:
        """Decide that a debt is next paid at the instant `at`."""
        debt.pay_at, debt.in_part = at, in_part
        self.plan(at, partial(self._pay, debt))

    def owed(self, debt: Debt, on: date) -> int:
        """Return what is owed on the civil date `on`, in minor units, late interest included; 0 once settled."""
        contract = debt.contract
        if on <= debt.due_on and all(receipt.on <= debt.due_on for receipt in debt.receipts):
            # Most debts are paid before anything is charged for being late: no replay can tell more than the sum.
            left = debt.parts.total - debt.received
            debt.settled = left <= contract.profile.tolerance_minor and bool(debt.receipts)
            debt.over_minor = max(0, -left)
            return 0 if debt.settled else left
        debts = [
            replay.Debt(
                debt.id,
                debt.seq,
                zones.local_date(debt.issued_at, contract.zone),
                debt.due_on,
                debt.parts,
                debt.minimum_minor,
            )
        ]
        holds = [hold for hold in self.holds if hold.concerns(contract.id, debt.id)]
        frozen = frozen_days(holds, contract.profile, contract.zone, on)
        rest = (contract.profile, contract.rate, frozen)
        replayed = replay.replay(debts, debt.receipts, *rest)
        standing = replayed.standings[debt.id]
        debt.settled = standing.is_settled
        debt.over_minor = standing.overpaid_minor + sum(replayed.unapplied.values())
        return replay.owed(debts[0], standing, on, *rest).total

    # Money

    def _pay(self, debt: Debt, at: datetime) -> None:
        """Let the borrower pay what was decided, unless that has changed since."""
        if debt.pay_at != at:
            return
        debt.pay_at = None
        owed = self.owed(debt, debt.contract.counts_on(at))
        if not owed:
            self._cancel(debt, at)
            return
        amount = self._amount(debt, owed)
        if amount < owed and not debt.revolves:
            on = zones.local_date(at, debt.contract.zone)
            rest_on = on + timedelta(days=days_until_rest(self.chance, on))
            self.pays(debt, zones.instant(rest_on, self.chance.moment(), debt.contract.zone))
        self.counts["payments"] += 1
        self.receive(debt, at, amount)

    def _amount(self, debt: Debt, owed: int) -> int:
        chance = self.chance
        if debt.flight is not None:
            # Late interest may have grown while it was under way.
            return min(owed, debt.flight.amount_minor)
        if debt.in_part and owed > 100:
            self.counts["part payments"] += 1
            if debt.received < debt.minimum_minor < owed and chance.happens(MINIMUM_ONLY):
                debt.revolves = chance.happens(REVOLVING)
                return debt.minimum_minor - debt.received
            return owed * chance.between(20, 80) // 100
        if debt.contract.is_alone and chance.happens(OVERPAID):
            self.counts["overpayments"] += 1
            return (owed // ROUND_MINOR + 1) * ROUND_MINOR
        return max(1, owed - chance.small(debt.contract.profile.tolerance_minor + 1))

    def receive(self, debt: Debt, at: datetime, minor: int) -> None:
        """Book a payment made at `at`, let it be told, and perhaps taken back."""
        chance, contract = self.chance, debt.contract
        on = contract.counts_on(at)
        debt.payments += 1
        repayment_id = f"{debt.id}-p{debt.payments}"
        names_none = (
            contract.is_alone
            and debt.is_told(at)
            and at > debt.issued_at + DAY
            and chance.happens(UNNAMED)
        )
        told = AddRepayment(
            repayment_id=repayment_id,
            obligation_id="" if names_none else debt.id,
            account_id=contract.id,
            paid_at=at,
            amount_minor=minor,
        )
        self.counts["unnamed payments"] += names_none
        debt.receipts.append(replay.Receipt(repayment_id, on, at, minor, debt.id))
        told_at = self._tell_payment(debt, told, at)
        self._close(debt, on)
        if chance.happens(REVERSED):
            self.counts["reversals"] += 1
            back_at = at + timedelta(minutes=chance.between(8 * 60, 6 * 24 * 60))
            self.plan(back_at, partial(self._take_back, debt, repayment_id, told_at))

    def _tell_payment(self, debt: Debt, told: AddRepayment, at: datetime) -> datetime:
        """Put on the agenda that a payment is told, with the result of the flight that brought it; return when."""
        chance, contract = self.chance, debt.contract
        lag = timedelta(seconds=5 + (chance.below(90) if chance.below(10) else chance.small(7200)))
        flight, debt.flight = debt.flight, None
        if flight is not None:
            settled = _ended(flight, FlightState.SETTLED, at)
            if chance.happens(SEPARATE):
                self.tell(at + lag, contract, settled)
                lag += chance.between(5, 180) * MINUTE
                self.tell(at + lag, contract, told)
            else:
                self.tell(at + lag, contract, told, settled)
        elif chance.happens(HEARD_LATE):
            self.counts["heard late"] += 1
            lag += timedelta(minutes=chance.between(24 * 60, HEARD_LATE_DAYS * 24 * 60 - 180))
            self.tell(at + lag, contract, told)
        else:
            self.tell(at + lag, contract, told)
        return at + lag

    def _close(self, debt: Debt, on: date) -> None:
        """Forget a debt that is settled; what it received beyond that goes where the product says."""
        self.owed(debt, on)
        if not debt.settled:
            return
        contract = debt.contract
        contract.debts.pop(debt.id, None)
        over, last = debt.over_minor, debt.receipts[-1]
        if over and contract.profile.leftover is not Leftover.KEPT and not contract.debts:
            contract.surplus = (replace(last, minor=over),)

    def _take_back(self, debt: Debt, repayment_id: str, told_at: datetime, at: datetime) -> None:
        """Reverse a payment: the arrears are back, and are paid again some days later."""
        chance, contract = self.chance, debt.contract
        debt.receipts = [each for each in debt.receipts if each.id != repayment_id]
        back_at = max(at, told_at) + chance.between(1, 90) * MINUTE
        self.tell(back_at, contract, ReverseRepayment(repayment_id, at))
        contract.surplus = ()
        if not self.owed(debt, contract.counts_on(at)):
            return
        contract.debts[debt.id] = debt
        if debt.pay_at is None and not contract.payer.stopped:
            again_on = zones.local_date(at, contract.zone) + chance.between(1, 10) * DAY
            self.pays(debt, zones.instant(again_on, chance.moment(), contract.zone))

    def credit(self, debt: Debt, at: datetime, minor: int, flight: PutFlight | None = None) -> None:
        """Book a credit note of `minor` for a debt, none if it is 0, told with the refund that was under way."""
        contract = debt.contract
        landed = (_ended(flight, FlightState.SETTLED, at),) if flight else ()
        if not minor:
            self.tell(at + MINUTE, contract, *landed)
            return
        debt.payments += 1
        note = f"{debt.id}-c{debt.payments}"
        on = contract.counts_on(at)
        debt.receipts.append(replay.Receipt(note, on, at, minor, debt.id, credit=True))
        self._close(debt, on)
        told = AddRepayment(note, debt.id, contract.id, at, minor, credit=True)
        self.tell(at + MINUTE, contract, told, *landed)

    # Money in flight

    def fly(
        self, debt: Debt, means: Means, minor: int, at: datetime, expected_by: datetime
    ) -> PutFlight:
        """Tell that money is under way, and return what was told. Every third borrower names the account, not the debt,
        in a transfer.
        """
        debt.flights += 1
        of_account = means is Means.TRANSFER and self.number % 3 == 0
        self.counts["money for the account"] += of_account
        flight = PutFlight(
            flight_id=f"{debt.id}-f{debt.flights}",
            account_id=debt.contract.id,
            obligation_id="" if of_account else debt.id,
            means=means,
            amount_minor=minor,
            state=FlightState.PENDING,
            at=at,
            expected_by=expected_by,
        )
        self.tell(at, debt.contract, flight)
        return flight

    def land(self, debt: Debt, flight: PutFlight, reason: str, at: datetime) -> None:
        """Tell that money under way does not arrive."""
        self.tell(at, debt.contract, _ended(flight, FlightState.FAILED, at, reason))

    def _cancel(self, debt: Debt, at: datetime) -> None:
        """Let the money under way for a debt not arrive, if there is any."""
        if debt.flight is not None:
            self.land(debt, debt.flight, "cancelled", at)
            debt.flight = None

    def _perhaps_transfers(self, debt: Debt, at: datetime) -> None:
        """Let some payments be transfers that are under way for hours or days before they arrive."""
        chance, pays_at = self.chance, debt.pay_at
        if pays_at is None or debt.in_part or not chance.happens(TRANSFERRED):
            return
        sent_at = pays_at - chance.between(60, 40 * 60) * MINUTE
        if sent_at <= max(at, debt.issued_at) + 7 * DAY:
            return
        self.plan(sent_at, partial(self._transfer, debt, debt.course))

    def _transfer(self, debt: Debt, course: int, at: datetime) -> None:
        chance, pays_at = self.chance, debt.pay_at
        owed = self.owed(debt, debt.contract.counts_on(at))
        stale = course != debt.course or pays_at is None or pays_at <= at
        if stale or not owed or debt.flight is not None or not debt.is_told(at):
            return
        assert pays_at is not None
        flight = self.fly(debt, Means.TRANSFER, owed, at, at + 2 * DAY)
        if chance.happens(BOUNCED):
            returned_at = at + (pays_at - at) * chance.between(20, 80) // 100
            self.plan(returned_at, partial(self.land, debt, flight, "rejected_by_bank"))
        elif not chance.happens(FORGOTTEN):
            debt.flight = flight

    def _debit(self, debt: Debt, course: int, on: date, window: int, at: datetime) -> None:
        """Try to debit what is owed in a window of the civil date `on`; it succeeds if the borrower pays before the
        next window anyway, so that the mandate changes how people pay and not when.
        """
        contract, terms = debt.contract, debt.contract.profile.debit
        owed = self.owed(debt, on)
        if not owed or course != debt.course or not contract.mandate:
            return
        if terms.off_by_minimum and 0 < debt.minimum_minor <= debt.received:
            return
        is_last = window + 1 == len(terms.windows)
        next_on = on + DAY if is_last else on
        next_at = zones.instant(
            next_on, time() if is_last else terms.windows[window + 1], contract.zone
        )
        if not is_last:
            self.plan(next_at, partial(self._debit, debt, course, on, window + 1))
        elif terms.again_daily and (on - debt.due_on).days < DEBIT_DAYS:
            again_at = zones.instant(next_on, terms.windows[0], contract.zone)
            self.plan(again_at, partial(self._debit, debt, course, next_on, 0))
        if debt.flight is not None or not debt.is_told(at):
            return
        flight = self.fly(debt, Means.DEBIT, owed, at, at + 2 * HOUR)
        if not debt.in_part and debt.pay_at is not None and at <= debt.pay_at < next_at:
            debt.flight = flight
        else:
            failed_at = at + self.chance.between(2, 40) * MINUTE
            self.plan(failed_at, partial(self._refuse, debt, flight))

    def _refuse(self, debt: Debt, flight: PutFlight, at: datetime) -> None:
        """Let a debit fail; with a closed card the mandate ends, and half of the borrowers name another card."""
        chance, contract = self.chance, debt.contract
        reason = chance.one_of(*FAILURES)
        self.land(debt, flight, reason, at)
        if reason == "card_closed" and contract.mandate:
            contract.mandate = ""
            self.tell(at + MINUTE, contract, contract.told())
            if chance.below(2):
                self.plan(at + chance.between(3, 30) * DAY, partial(self._new_card, contract))

    def _new_card(self, contract: Contract, at: datetime) -> None:
        contract.mandate = f"{self.chance.below(10_000):04d}"
        self.tell(at, contract, contract.told())

    # Amendments and holds

    def amend(
        self,
        debt: Debt,
        at: datetime,
        *,
        due_on: date | None = None,
        parts: Parts | None = None,
        minimum_minor: int | None = None,
        aged_from: date | None = None,
        also: tuple[Command, ...] = (),
    ) -> None:
        """Change a debt, tell it together with `also`, and decide anew when it is paid if its due date moved."""
        self._cancel(debt, at)
        debt.revision += 1
        if due_on is not None:
            debt.nominal_on, debt.due_on = due_on, self.moved(debt.contract, due_on)
        debt.parts = parts or debt.parts
        if minimum_minor is not None:
            debt.minimum_minor = minimum_minor
        self.tell(at, debt.contract, debt.amended(aged_from), *also)
        if due_on is not None:
            self.follow(debt, at)

    def hold(
        self,
        kind: Kind,
        at: datetime,
        *,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        contract: Contract | None = None,
        debt: Debt | None = None,
        channel: str = "",
        promise: tuple[int, date] | None = None,
        hold_id: str = "",
        lifted_at: datetime | None = None,
    ) -> None:
        """Tell a hold at the instant `at`, from when on it holds unless `starts_at` is named, and its lifting."""
        self._hold_number += 1
        minor, on = promise or (0, None)
        told = PutHold(
            hold_id=hold_id or f"{self.id}-h{self._hold_number}",
            kind=kind,
            account_id=contract.id if contract else "",
            obligation_id=debt.id if debt else "",
            channel=channel,
            starts_at=starts_at or at,
            ends_at=ends_at,
            promise_minor=minor,
            promise_on=on,
            owner=f"officer-{self.chance.below(40) + 1}",
        )
        self.tell(at, contract or (debt.contract if debt else None), told)
        self.counts["backdated holds"] += told.starts_at < at
        self._remember(told, at, lifted_at)
        if lifted_at is not None:
            self.tell(lifted_at, None, LiftHold(told.hold_id, lifted_at))

    def _remember(self, told: PutHold, at: datetime, lifted_at: datetime | None) -> None:
        """Keep what a product may not charge late interest for; what is long over concerns nothing open."""
        long_ago = at - 180 * DAY
        self.holds = [
            hold for hold in self.holds if hold.over_at is None or hold.over_at > long_ago
        ]
        self.holds.append(
            Hold(
                id=told.hold_id,
                kind=told.kind,
                starts_at=told.starts_at,
                told_at=at,
                ends_at=told.ends_at,
                lifted_at=lifted_at,
                account_id=told.account_id,
                obligation_id=told.obligation_id,
                channel=told.channel,
            )
        )


def _ended(flight: PutFlight, state: FlightState, at: datetime, reason: str = "") -> PutFlight:
    """Return how the end of a flight is told; where it came late, with the time it took after all."""
    expected_by = max(flight.expected_by, at)
    return replace(flight, state=state, at=at, expected_by=expected_by, reason=reason)
