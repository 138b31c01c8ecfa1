"""What pretend borrowers owe: bills of a pay-later line, loans in instalments, single payments, stages of work.

Dates and amounts come from `core.statement` and `core.schedule`, as a lender with the same terms would have them. When
a loan has run its course its borrower waits a while and draws another one, which is an account of its own.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from betimes.core import schedule, statement, zones
from betimes.core.allocation import Parts
from betimes.core.dates import add_months
from betimes.core.flight import Means
from betimes.core.intake import PutFlight
from betimes.core.product import Family, Profile
from betimes.core.schedule import Instalment, Terms
from betimes.core.statement import Chosen, Cycle, Forward, Item, Purchase, Refund, Statement
from betimes.core.values import dataclass, replace
from betimes.lab.customer import CURRENCY, DAY, MINUTE, Contract, Customer, Debt
from betimes.lab.habits import Payer

# Per 10,000 of what they are a share of.
MANDATES: Final = 4_000  # of accounts whose product can be debited
MOVED_DUE_DAY: Final = 100  # of bills: the borrower chooses another due day
CONVERTED: Final = 300  # of bills: spread over months
REFUNDED: Final = 500  # of bills: a purchase is given back before it is billed, and as often after
UNCONFIRMED: Final = 200  # of purchases: nobody ever confirms that they were received
REPAID_EARLY: Final = 200  # of instalments paid before the due day: the whole loan is repaid
PREPAID: Final = 300  # of the same: more than is due is paid

DAILY_RATES: Final = ("0.00025", "0.0003", "0.0004", "0.0005")
# Days from the drawdown to the due day of a single payment, and the fewest to the first due day of a loan: people who
# pay a month ahead must be able to, or the measured days would come out too late.
SINGLE_DAYS: Final = (30, 30, 60)
FEWEST_DAYS: Final = 30
# Where a whole schedule is known from the drawdown on, it may be paid weeks ahead: the first row is due late enough.
FIRST_DUE_DAYS: Final = (46, 60)
PAUSE_DAYS: Final = (3, 60)


def open_contract(
    customer: Customer,
    contract_id: str,
    profile: Profile,
    payer: Payer,
    at: datetime,
    *,
    rate: Decimal = Decimal(0),
    limit_minor: int = 0,
) -> Contract:
    """Return a new account, not told yet; four in ten of those that can be debited have a mandate."""
    chance = customer.chance
    zone = profile.zone or customer.person.zone
    has_mandate = bool(profile.debit.windows) and chance.happens(MANDATES)
    return Contract(
        id=contract_id,
        profile=profile,
        opened_on=zones.local_date(at, zone),
        zone=zone,
        payer=payer,
        rate=rate,
        limit_minor=limit_minor,
        mandate=f"{chance.below(10_000):04d}" if has_mandate else "",
    )


# Loans


@dataclass(slots=True)
class Loan:
    """A loan on its way through its rows; `next` is the place of the next row to be told. `due_day` is 0, or the day of
    the month that the borrower prefers; `number` counts the loans of one borrower.
    """

    mark: str
    profile: Profile
    payer: Payer
    knows_all: bool
    due_day: int = 0
    number: int = 0
    contract: Contract | None = None
    terms: Terms | None = None
    rows: tuple[Instalment, ...] = ()
    next: int = 0


def draw(customer: Customer, loan: Loan, at: datetime) -> None:
    """Pay out a loan at the instant `at`, tell its account and what is due, and plan the next loan."""
    chance, profile = customer.chance, loan.profile
    if customer.is_closed or loan.payer.stopped:
        return
    loan.number += 1
    rate = Decimal(chance.one_of(*DAILY_RATES))
    contract = open_contract(
        customer,
        f"{loan.mark}{customer.number:05d}-{loan.number}",
        profile,
        loan.payer,
        at,
        rate=rate,
    )
    loan.contract, loan.next = contract, 0
    loan.terms = _terms(customer, loan, contract)
    loan.rows = schedule.schedule(
        loan.terms, profile, customer.frame.calendars.get(profile.calendar)
    )
    if loan.knows_all or len(loan.rows) == 1:
        debts = [_debt(contract, row, at) for row in loan.rows]
        loan.next = len(debts)
        customer.owe(*debts, at=at, opening=(contract.told(),))
    else:
        customer.owe(_debt(contract, loan.rows[0], at), at=at, opening=(contract.told(),))
        _announce_next(customer, loan)
    if loan.knows_all:
        _perhaps_prepays(customer, loan)
    if loan.next == len(loan.rows):
        _draw_again(customer, loan)


def _terms(customer: Customer, loan: Loan, contract: Contract) -> Terms:
    chance, profile, start = customer.chance, loan.profile, contract.opened_on
    months = min((3, 6, 6, 12, 12)[chance.below(5)], profile.max_months)
    first_due = None
    if profile.family is Family.SINGLE:
        first_due = start + timedelta(days=SINGLE_DAYS[chance.below(len(SINGLE_DAYS))])
        months = 1
    elif loan.knows_all and not profile.deferred_months:
        first_due = start + timedelta(days=chance.between(*FIRST_DUE_DAYS))
    elif loan.due_day:
        next_month = add_months(start, 1, loan.due_day)
        is_soon = (next_month - start).days < FEWEST_DAYS
        first_due = add_months(start, 2, loan.due_day) if is_soon else next_month
    terms = Terms(
        principal_minor=100_000 + 50_000 * chance.small(60),
        currency=CURRENCY,
        months=months,
        start=start,
        daily_rate=contract.rate,
        first_due=first_due,
    )
    if profile.due_months:
        return replace(terms, due_dates=_term_dates(start, months, profile))
    return terms


def _term_dates(start: date, count: int, profile: Profile) -> tuple[date, ...]:
    """Return the due dates of a term calendar: on the day of the drawdown in the months that the product names."""
    found: list[date] = []
    months = profile.deferred_months + 1
    while len(found) < count:
        due_on = add_months(start, months)
        if due_on.month in profile.due_months:
            found.append(due_on)
        months += 1
    return tuple(found)


def _debt(contract: Contract, row: Instalment, at: datetime) -> Debt:
    return Debt(
        contract=contract,
        id=_id(contract, row),
        seq=row.number,
        issued_at=at,
        nominal_on=row.due.nominal_on,
        due_on=row.due.on,
        parts=_parts(row),
    )


def _id(contract: Contract, row: Instalment) -> str:
    return f"{contract.id}-{row.number:02d}"


def _parts(row: Instalment) -> Parts:
    return Parts(fee=row.fee_minor, interest=row.interest_minor, principal=row.principal_minor)


def _announce_next(customer: Customer, loan: Loan) -> None:
    """Plan that the next row is told on the day on which the one before it falls due."""
    assert loan.contract is not None
    told = loan.rows[loan.next]
    loan.next += 1
    if loan.next == len(loan.rows):
        _draw_again(customer, loan)
        return
    on = told.due.on
    at = zones.instant(on, time(0, 0, customer.chance.below(60)), loan.contract.zone)
    customer.plan(at, partial(_announce, customer, loan, loan.contract))
    debt = loan.contract.debts.get(_id(loan.contract, told))
    if debt is not None and customer.chance.happens(REPAID_EARLY + PREPAID):
        whole = customer.chance.below(REPAID_EARLY + PREPAID) < REPAID_EARLY
        _plan_early(customer, loan, debt, whole=whole)


def _plan_early(customer: Customer, loan: Loan, debt: Debt, *, whole: bool) -> None:
    """Plan that somebody who pays before the due day anyway then pays the whole loan, or a good part of it."""
    contract = debt.contract
    if debt.pay_at is not None and zones.local_date(debt.pay_at, contract.zone) < debt.due_on:
        do = _repay_early if whole else _prepay
        customer.plan(debt.pay_at - MINUTE, partial(do, customer, loan, contract, debt))


def _announce(customer: Customer, loan: Loan, contract: Contract, at: datetime) -> None:
    if loan.contract is not contract or loan.next >= len(loan.rows):
        return
    customer.owe(_debt(contract, loan.rows[loan.next], at), at=at)
    _announce_next(customer, loan)


def _draw_again(customer: Customer, loan: Loan) -> None:
    contract = loan.contract
    assert contract is not None
    again_on = loan.rows[-1].due.on + timedelta(days=customer.chance.between(*PAUSE_DAYS))
    at = zones.instant(again_on, customer.chance.moment(), contract.zone)
    customer.plan(at, partial(draw, customer, loan))


def _repay_early(
    customer: Customer, loan: Loan, contract: Contract, debt: Debt, at: datetime
) -> None:
    """Let the borrower pay back the whole loan: the row that was told becomes all that is left, and is paid."""
    on = zones.local_date(at, contract.zone)
    if loan.contract is not contract or not _is_untouched(debt, at):
        return
    assert loan.terms is not None
    left = schedule.settle(loan.rows, on, loan.terms, contract.profile, paid=debt.seq - 1)
    customer.counts["repaid early"] += 1
    loan.next = len(loan.rows)
    customer.amend(
        debt, at, parts=Parts(0, left.fee_minor, left.interest_minor, left.principal_minor)
    )
    customer.pays(debt, at + MINUTE)  # which is when this row was to be paid
    again_at = at + timedelta(days=customer.chance.between(*PAUSE_DAYS))
    customer.plan(again_at, partial(draw, customer, loan))


def _perhaps_prepays(customer: Customer, loan: Loan) -> None:
    """Plan a prepayment in part of a loan of which every row is told: with the first row paid in its own period that
    chance picks.
    """
    contract = loan.contract
    assert contract is not None
    begin = contract.opened_on
    for row in loan.rows:
        debt = contract.debts.get(_id(contract, row))
        paid_on = None
        if debt is not None and debt.pay_at is not None:
            paid_on = zones.local_date(debt.pay_at, contract.zone)
        if (
            debt is not None
            and paid_on is not None
            and paid_on > begin
            and customer.chance.happens(PREPAID)
        ):
            _plan_early(customer, loan, debt, whole=False)
            return
        begin = row.accrues_to


def _is_untouched(debt: Debt, at: datetime) -> bool:
    """Return whether a debt is told, open, not paid in part and not under way."""
    return (
        debt.is_told(at)
        and debt.id in debt.contract.debts
        and not debt.receipts
        and debt.flight is None
        and debt.pay_at is not None
        and debt.pay_at > at
    )


def _prepay(customer: Customer, loan: Loan, contract: Contract, debt: Debt, at: datetime) -> None:
    """Let the borrower pay more than is due before it is: what is left becomes smaller, and is told anew."""
    on = zones.local_date(at, contract.zone)
    place = debt.seq - 1
    if loan.contract is not contract or not _is_untouched(debt, at) or debt.revision:
        return
    assert loan.terms is not None
    row = loan.rows[place]
    begin = loan.rows[place - 1].accrues_to if place else loan.terms.start
    later = [contract.debts.get(_id(contract, r)) for r in loan.rows[place + 1 :]]
    told = [each for each in later if each is not None]
    if not begin < on < row.accrues_to or (loan.knows_all and len(told) < len(later)):
        return
    if any(not _is_untouched(each, at) or each.revision for each in told):
        return
    minor = (row.balance_minor + row.principal_minor) * customer.chance.between(30, 60) // 100
    rows = schedule.prepay(loan.rows, on, minor, loan.terms, contract.profile)
    paid, left = rows[place], rows[place + 1 :]
    customer.counts["prepaid in part"] += 1
    loan.rows = (*loan.rows[:place], *left)
    customer.amend(debt, at, parts=_parts(left[0]) + _parts(paid))
    for each, smaller in zip(told, left[1:], strict=False):
        customer.amend(each, at, parts=_parts(smaller))
    rest_on = min(row.due.on, on + customer.chance.between(1, 20) * DAY)
    customer.pays(debt, zones.instant(rest_on, customer.chance.moment(), contract.zone))
    customer.receive(debt, at + MINUTE, minor)


# Bills


@dataclass(slots=True)
class Line:
    """A pay-later line with what is not billed yet and what earlier bills hand on. `last` is the newest bill with its
    debt, None where it came to nothing.
    """

    contract: Contract
    due_day: int
    opens_on: date
    chosen: tuple[Chosen, ...] = ()
    purchases: list[Purchase] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    plans: list[statement.Plan] = field(default_factory=list)
    billed: frozenset[str] = frozenset()
    credit_minor: int = 0
    last: tuple[Statement, Debt] | None = None
    bought: int = 0


def open_line(customer: Customer, profile: Profile, payer: Payer, at: datetime) -> Line:
    """Open and tell a pay-later line at the instant `at`, and plan its bills; return it."""
    chance, billing = customer.chance, profile.billing
    assert billing is not None, "a pay-later line has bills"
    contract = open_contract(
        customer,
        f"hb{customer.number:05d}",
        profile,
        payer,
        at,
        limit_minor=500_000 + 100_000 * chance.below(46),
    )
    due_days = tuple(billing.due_days)
    line = Line(contract, due_days[chance.below(len(due_days))], contract.opened_on)
    customer.tell(at, contract, contract.told())
    _plan_bill(customer, line)
    return line


def _plan_bill(customer: Customer, line: Line) -> None:
    cycle = _cycle(line)
    at = zones.instant(
        cycle.bill_on,
        time(0, customer.chance.below(5), customer.chance.below(60)),
        line.contract.zone,
    )
    customer.plan(at, partial(_bill, customer, line))


def _cycle(line: Line) -> Cycle:
    billing = line.contract.profile.billing
    assert billing is not None
    chosen = [Chosen(line.opens_on, line.due_day), *line.chosen]
    return statement.cycles(chosen, billing, line.opens_on)[0]


def _bill(customer: Customer, line: Line, at: datetime) -> None:
    """Make the bill of the cycle that ends, tell it, and plan what may become of it and the next one."""
    contract, chance = line.contract, customer.chance
    cycle = _cycle(line)
    _shop(customer, line, cycle)
    forward = Forward(revolving_minor=_carried(customer, line, at), credit_minor=line.credit_minor)
    made = statement.bill(
        cycle,
        contract.profile,
        line.purchases,
        refunds=line.refunds,
        plans=line.plans,
        billed=line.billed,
        forward=forward,
    )
    _keep_open(line, made, cycle)
    line.last = None
    if made.balance_minor:
        debt = Debt(
            contract=contract,
            id=f"{contract.id}-{cycle.bill_on:%Y-%m}",
            seq=cycle.bill_on.year * 12 + cycle.bill_on.month,
            issued_at=at,
            nominal_on=cycle.due_on,
            due_on=customer.moved(contract, cycle.due_on),
            parts=Parts(fee=made.fee_minor, principal=made.principal_minor),
            minimum_minor=made.minimum_minor,
        )
        contract.fitted_to = (cycle.bill_on - debt.due_on).days
        line.last = (made, debt)
        customer.owe(debt, at=at)
        _plan_turns(customer, line, debt)
    if chance.happens(MOVED_DUE_DAY):
        _choose_due_day(customer, line)
    if not (customer.is_closed or contract.payer.stopped):
        _plan_bill(customer, line)


def _shop(customer: Customer, line: Line, cycle: Cycle) -> None:
    """Add the purchases of a cycle: some are confirmed after it, some never, some given back before they are billed."""
    chance = customer.chance
    days = (cycle.bill_on - cycle.opens_on).days
    for _ in range(2 + chance.below(5)):
        line.bought += 1
        bought_on = cycle.opens_on + timedelta(days=chance.below(days))
        confirmed_on = bought_on + timedelta(days=chance.small(15))
        purchase = Purchase(
            id=f"{line.contract.id}-x{line.bought}",
            bought_on=bought_on,
            confirmed_on=None if chance.happens(UNCONFIRMED) else confirmed_on,
            amount_minor=500 + chance.small(90_000),
        )
        line.purchases.append(purchase)
    if chance.happens(REFUNDED):
        customer.counts["refunds before billing"] += 1
        last = line.purchases[-1]
        line.refunds.append(Refund(f"{last.id}-r", last.id, cycle.bill_on - DAY, last.amount_minor))


def _carried(customer: Customer, line: Line, at: datetime) -> int:
    """End earlier bills of which only the minimum was paid, by a credit note; return what the next bill takes over."""
    carried = 0
    for debt in list(line.contract.debts.values()):
        if debt.revolves and debt.is_told(at):
            minor = customer.owed(debt, line.contract.counts_on(at))
            if minor:
                customer.counts["revolved"] += 1
                customer.credit(debt, at, minor)
                carried += minor
    return carried


def _keep_open(line: Line, made: Statement, cycle: Cycle) -> None:
    """Keep what later bills will need, and nothing else."""
    line.opens_on, line.credit_minor = cycle.bill_on, made.credit_left_minor
    # What was chosen before this bill day counts from the next cycle on.
    for choice in line.chosen:
        line.due_day = choice.due_day
    line.chosen = ()
    long_ago, billed = cycle.bill_on - 60 * DAY, made.ids
    line.purchases = [
        each for each in line.purchases if each.id not in billed and each.bought_on > long_ago
    ]
    waiting = {purchase.id for purchase in line.purchases}
    line.refunds = [each for each in line.refunds if each.purchase_id in waiting]
    parts = line.billed | {item.id for item in made.items if item.kind is statement.Kind.INSTALMENT}
    line.plans = [
        plan
        for plan in line.plans
        if any(f"{plan.id}/{part.number}" not in parts for part in plan.parts)
    ]
    running = tuple(f"{plan.id}/" for plan in line.plans)
    line.billed = (
        frozenset(id_ for id_ in parts if id_.startswith(running)) if running else frozenset()
    )


def _plan_turns(customer: Customer, line: Line, debt: Debt) -> None:
    """Plan what may become of a bill: a part of it is spread over months, or a purchase on it is given back."""
    chance, zone = customer.chance, line.contract.zone
    days = (debt.due_on - zones.local_date(debt.issued_at, zone)).days
    if chance.happens(CONVERTED):
        on = debt.due_on - timedelta(days=chance.between(1, days - 1))
        customer.plan(customer.office_hours(on, zone), partial(_convert, customer, line, debt))
    elif chance.happens(REFUNDED):
        on = debt.due_on + timedelta(days=chance.between(2 - days, 5))
        customer.plan(customer.office_hours(on, zone), partial(_give_back, customer, line, debt))


def _convert(customer: Customer, line: Line, debt: Debt, at: datetime) -> None:
    """Spread a part of a bill over months: the bill becomes smaller, and the following ones carry the parts."""
    contract, chance = line.contract, customer.chance
    if line.last is None or line.last[1] is not debt or not _is_untouched(debt, at):
        return
    made, billing = line.last[0], contract.profile.billing
    assert billing is not None
    amount = made.spreadable_minor * chance.between(30, 80) // 100
    if not amount or not billing.instalment_fees:
        return
    months = tuple(billing.instalment_fees)[chance.below(len(billing.instalment_fees))]
    made, plan = statement.convert(
        made,
        contract.profile,
        months,
        zones.local_date(at, contract.zone),
        plan_id=f"{debt.id}-i",
        amount_minor=amount,
    )
    customer.counts["bills converted"] += 1
    line.last = (made, debt)
    line.plans.append(plan)
    customer.amend(
        debt,
        at,
        parts=Parts(fee=made.fee_minor, principal=made.principal_minor),
        minimum_minor=made.minimum_minor,
    )


def _give_back(customer: Customer, line: Line, debt: Debt, at: datetime) -> None:
    """Give a purchase back that was billed: a refund runs for some days, then it is credited, the rest next month."""
    if line.last is None or line.last[1] is not debt or not debt.is_told(at):
        return
    made = line.last[0]
    bought = [item for item in made.items if item.kind is statement.Kind.PURCHASE]
    owed = customer.owed(debt, line.contract.counts_on(at))
    if not bought or not owed or debt.flight is not None:
        return
    item = bought[customer.chance.below(len(bought))]
    minor = min(item.amount_minor, owed)
    flight = customer.fly(debt, Means.REFUND, minor, at, at + 3 * DAY)
    ends_at = at + timedelta(hours=customer.chance.between(2, 60))
    customer.plan(ends_at, partial(_refunded, customer, line, debt, item, flight))


def _refunded(
    customer: Customer, line: Line, debt: Debt, item: Item, flight: PutFlight, at: datetime
) -> None:
    """Credit a purchase that was given back; what its bill no longer needs is taken off the next one."""
    if line.last is None or line.last[1] is not debt:
        customer.land(debt, flight, "cancelled", at)
        return
    on = line.contract.counts_on(at)
    refund = Refund(f"{item.id}-r", item.id, on, item.amount_minor)
    credited, left = statement.after_billing(line.last[0], [refund], customer.owed(debt, on))
    customer.counts["refunds after billing"] += 1
    line.credit_minor += left
    customer.credit(debt, at, sum(credit.amount_minor for credit in credited), flight)


def _choose_due_day(customer: Customer, line: Line) -> None:
    """Let the borrower choose another due day in the course of the next cycle, which moves its bill day as well."""
    billing = line.contract.profile.billing
    assert billing is not None
    others = [day for day in billing.due_days if day != line.due_day]
    if others:
        chosen_on = line.opens_on + timedelta(days=customer.chance.below(20))
        line.chosen = (Chosen(chosen_on, others[customer.chance.below(len(others))]),)
        customer.counts["due days chosen"] += 1


# Work by stages


@dataclass(slots=True)
class Work:
    """Work on a home that is paid by stages; `confirmed` holds the days on which stages were delivered."""

    contract: Contract
    amount_minor: int
    confirmed: dict[str, date] = field(default_factory=dict)


def renovate(customer: Customer, profile: Profile, payer: Payer, number: int, at: datetime) -> None:
    """Sign for work on a home at the instant `at`, tell its account, and plan its stages and the next work."""
    chance = customer.chance
    if customer.is_closed or payer.stopped:
        return
    contract = open_contract(customer, f"hi{customer.number:05d}-{number}", profile, payer, at)
    work = Work(contract, 3_000_000 + 100_000 * chance.small(100))
    customer.tell(at, contract, contract.told())
    on = contract.opened_on
    for place in range(len(profile.stages)):
        on += timedelta(days=chance.between(1, 10) if place == 0 else chance.between(20, 45))
        customer.plan(
            customer.office_hours(on, contract.zone), partial(_deliver, customer, work, place)
        )
    again_at = at + timedelta(days=240 + chance.below(200))
    customer.plan(again_at, partial(renovate, customer, profile, payer, number + 1))


def _deliver(customer: Customer, work: Work, place: int, at: datetime) -> None:
    """Confirm the delivery of a stage: what is due for it is known from now on."""
    contract = work.contract
    name = contract.profile.stages[place].name
    work.confirmed[name] = zones.local_date(at, contract.zone)
    stage = statement.progress(work.amount_minor, contract.profile, work.confirmed)[place]
    assert stage.due_on is not None, "a stage that was delivered is due"
    debt = Debt(
        contract=contract,
        id=f"{contract.id}-{name}",
        seq=place + 1,
        issued_at=at,
        nominal_on=stage.due_on,
        due_on=customer.moved(contract, stage.due_on),
        parts=Parts(principal=stage.amount_minor),
    )
    customer.owe(debt, at=at)
