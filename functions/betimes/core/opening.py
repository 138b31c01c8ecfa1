"""Openings: a loan told by its terms and a bill told by its purchases, as the commands of `core.intake` they mean.

A lender that keeps its own books tells obligations; one that has terms tells those, and every figure comes from
`core.schedule` and `core.statement`. Figures of its own are checked against them and refused where one differs: nothing
is corrected, and nothing is told before all of it is right. The ids are made from those the lender gives, so the same
thing told twice gives the same commands, and they change nothing.

**Due dates** are told as the terms have them. `core.intake` moves them to business days and marks those provisional
whose calendar is not published; moved here as well, they would be moved twice.

**What changes, and what falls away.** A row or a bill that comes to something else is amended to it; one of which
nothing is left is closed by a credit note over what it came to, because nothing can be amended to nothing. A credit
note alone would count towards the minimum payment of what is left.

**Prepaying and settling.** The money is a debt of its own, which the same telling pays: its principal is gone from the
rows that follow, its interest has run. It is due with the row of whose period it takes a part, so that a cut-off or a
weekend never makes it late, and when the payment is taken back it is asked for with that row. Designated to the row
itself, the money would pay the row's interest before the principal that was meant.

**Spreading.** The parts of a plan stand on the bills that follow, as a borrower sees them, and never as debts of their
own: they count in those bills' minimum payments, and a lender that tells its whole bills has them in there anyway.

**What is billed again.** What was overdue stays on the bill that is overdue, or its days past due would begin anew; the
new debt is the rest of the bill. What revolves, its minimum having been paid, leaves the bill before by a credit note.
Late interest that came together there stays owed there: handed on as a fee it would be asked for twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from datetime import date, datetime, time, timedelta
from typing import Final

from betimes.core import ids, statement, zones
from betimes.core.change import MAX_CHANGES
from betimes.core.errors import Rejected
from betimes.core.intake import (
    MAX_MATCHED,
    MAX_OPEN,
    AddObligation,
    AddRepayment,
    AmendObligation,
    Command,
)
from betimes.core.product import Profile
from betimes.core.schedule import (
    PREPAYMENT,
    Instalment,
    Terms,
    check,
    is_paid,
    prepay,
    schedule,
    settle,
)
from betimes.core.statement import Cycle, Forward, Kind, Plan, Purchase, Refund, Statement, Supplied
from betimes.core.values import dataclass
from betimes.core.workdays import Calendar

# Writes of one transaction that commands may ask for: some room is left for head, account and checks.
PORTION: Final = MAX_CHANGES - 10
# A lender may name the obligations of a loan, by the number of the row; others get their id from the account's.
Names = Mapping[int, str]
_NO_NAMES: Final[Names] = {}
_NONE_WAIT: Final[Mapping[str, int]] = {}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prepayment:
    """Money paid on a loan ahead of what is due: a part of it, or all that settles it.

    `revision` is that of the amendments it means, above the last one of each of the loan's obligations. `keep` is that
    of `core.schedule.prepay`.
    """

    repayment_id: str
    paid_at: datetime
    amount_minor: int
    revision: int = 1
    keep: str = "term"


@dataclass(frozen=True, slots=True)
class Settling:
    """Money that settles a loan. The first `paid` rows, prepayments counted, are paid; with None all due before it."""

    repayment_id: str
    paid_at: datetime
    amount_minor: int
    paid: int | None = None
    waive_later_fees: bool = False


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as its lender tells it: its terms, and what was paid on it ahead of time so far, in order of time.

    `rows` is the lender's own schedule, None where ours is wanted.
    """

    terms: Terms
    issued_at: datetime
    rows: tuple[Instalment, ...] | None = None
    names: Names = field(default_factory=dict)
    prepayments: tuple[Prepayment, ...] = ()
    settling: Settling | None = None

    @property
    def payments(self) -> tuple[Prepayment | Settling, ...]:
        """Everything paid ahead of time, in order of time."""
        return (*self.prepayments, *(() if self.settling is None else (self.settling,)))


@dataclass(frozen=True, slots=True)
class Spread:
    """The wish to spread a bill or a purchase on it; see `core.statement.convert`. `revision` is that of the bill's
    amendment.
    """

    plan_id: str
    on: date
    months: int
    amount_minor: int = 0
    purchase_id: str = ""
    paid_minor: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Running:
    """A plan made on an earlier bill, the one of `billed_on`."""

    plan_id: str
    billed_on: date
    months: int
    amount_minor: int
    purchase_id: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill as its lender tells it: the month of its bill day, and what may stand on it.

    `billed` names what earlier bills hold. `supplied` is the lender's own figures, None where ours are wanted.
    `obligation_id` "" makes the id from account and month, `before_id` "" that of the bill before from its month.
    """

    month: date
    due_day: int
    purchases: tuple[Purchase, ...] = ()
    refunds: tuple[Refund, ...] = ()
    running: tuple[Running, ...] = ()
    billed: frozenset[str] = frozenset()
    forward: Forward = field(default_factory=Forward)
    supplied: Supplied | None = None
    spreads: tuple[Spread, ...] = ()
    obligation_id: str = ""
    before_id: str = ""


# Loans


def open_loan(
    account_id: str,
    terms: Terms,
    profile: Profile,
    calendar: Calendar | None = None,
    *,
    issued_at: datetime,
    supplied: Sequence[Instalment] | None = None,
    names: Names = _NO_NAMES,
) -> tuple[AddObligation, ...]:
    """Return one obligation for each row of a loan that comes to something, nearest first.

    Their principals add up to what was lent. An id is the account's with the number of the row, or the one in `names`.
    `supplied` is the lender's own schedule: its due dates are those that borrowers see, moved to business days.

    Raises:
        Rejected: as `core.schedule.schedule` gives it; code "schedule_mismatch" with the first figure in which
            `supplied` differs; "too_many_open", field "months", for more rows than an account may owe at once;
            "bad_id", where the account's id leaves no room for the number.
    """
    rows = schedule(terms, profile, calendar)
    if supplied is not None:
        check(supplied, rows)
    owing = [row for row in rows if row.amount_minor]
    if len(owing) > MAX_OPEN:
        raise Rejected(
            "too_many_open",
            "months",
            f"the loan has {len(owing)} instalments, but an account owes at most {MAX_OPEN} at once; tell the first "
            "of them as obligations of their own, and later ones as they come due",
        )
    return tuple(_added(account_id, row, issued_at, names) for row in owing)


def prepay_part(
    account_id: str,
    rows: Sequence[Instalment],
    on: date,
    terms: Terms,
    profile: Profile,
    payment: Prepayment,
    *,
    names: Names = _NO_NAMES,
) -> tuple[tuple[Instalment, ...], tuple[Command, ...]]:
    """Return the schedule after a prepayment with the value date `on`, and the commands it means.

    `rows` is the schedule before it. What was due by then is taken as paid, and nothing as paid ahead on later rows. An
    account that owes as many debts as it may, and is to keep them all, has no room for it until one is paid.

    Raises:
        Rejected: as `core.schedule.prepay` gives it, with "amount_minor" for the amount; code "bad_id".
    """
    try:
        after = prepay(rows, on, payment.amount_minor, terms, profile, keep=payment.keep)
    except Rejected as rejected:
        wrong = {"minor": "amount_minor", "on": "paid_at"}.get(rejected.field, rejected.field)
        raise Rejected(rejected.code, wrong, rejected.message) from None
    place, paid = next(
        (n, new) for n, (new, old) in enumerate(zip(after, rows, strict=False)) if new != old
    )
    apart = _paid_apart(account_id, rows[place], on, payment, paid.principal_minor, paid.fee_minor)
    left = {row.number: row for row in after[place + 1 :]}
    changed = [
        command
        for old in rows[place:]
        for command in _changed(account_id, old, left.get(old.number), payment, names)
    ]
    return after, _with_room(apart, changed)


def settle_early(
    account_id: str,
    rows: Sequence[Instalment],
    on: date,
    terms: Terms,
    profile: Profile,
    payment: Settling,
    *,
    names: Names = _NO_NAMES,
) -> tuple[Command, ...]:
    """Return the commands by which a payment with the value date `on` settles a loan whose schedule is `rows`.

    Every row that is not paid is closed; late interest of one that is overdue stays owed there.

    Raises:
        Rejected: code "bad_terms", field "paid_at", when it lies before the loan or nothing is left to settle;
            "schedule_mismatch", field "amount_minor", when another amount settles it; "bad_id".
    """
    if on < terms.start:
        raise Rejected("bad_terms", "paid_at", "lies before the start of the loan; correct it")
    left = [row for n, row in enumerate(rows) if not is_paid(row, n, on, payment.paid)]
    due = settle(
        rows,
        on,
        terms,
        profile,
        paid=payment.paid,
        waive_later_fees=payment.waive_later_fees,
    )
    if not due.amount_minor:
        raise Rejected("bad_terms", "paid_at", "leaves nothing of the loan to settle; leave it out")
    if due.amount_minor != payment.amount_minor:
        raise Rejected(
            "schedule_mismatch",
            "amount_minor",
            "amount_minor is not what settles the loan on that day by its terms; correct it, the day or the terms, "
            "or tell another amount as a prepayment",
        )
    apart = _paid_apart(account_id, left[0], on, payment, due.principal_minor, due.fee_minor)
    closed = [each for row in left for each in _closed(account_id, row, payment, names)]
    return _with_room(apart, closed)


def loan_commands(
    account_id: str,
    loan: Loan,
    profile: Profile,
    calendar: Calendar | None,
    dates: Mapping[str, date],
) -> tuple[Command, ...]:
    """Return everything that a loan means that was told with what was paid ahead of time; `dates` has the value date
    of each payment by its id.

    Raises:
        Rejected: as the functions above give it, the field of a payment behind its place: "prepayments.0.amount_minor".
    """
    commands: list[Command] = [
        *open_loan(
            account_id,
            loan.terms,
            profile,
            calendar,
            issued_at=loan.issued_at,
            supplied=loan.rows,
            names=loan.names,
        )
    ]
    rows = schedule(loan.terms, profile, calendar)
    place = ""
    try:
        for n, payment in enumerate(loan.prepayments):
            place = f"prepayments.{n}."
            on = dates[payment.repayment_id]
            rows, told = prepay_part(
                account_id, rows, on, loan.terms, profile, payment, names=loan.names
            )
            commands += told
        if loan.settling is not None:
            place = "settlement."
            on = dates[loan.settling.repayment_id]
            commands += settle_early(
                account_id, rows, on, loan.terms, profile, loan.settling, names=loan.names
            )
    except Rejected as rejected:
        raise Rejected(rejected.code, place + rejected.field, rejected.message) from None
    return tuple(commands)


def _paid_apart(
    account_id: str,
    row: Instalment,
    on: date,
    payment: Prepayment | Settling,
    principal_minor: int,
    fee_minor: int,
) -> Iterator[Command]:
    """Yield a payment and the debt that it pays, due with `row`; the money first, so that nobody is asked for it."""
    obligation_id = _id(f"{account_id}-{payment.repayment_id}")
    yield AddRepayment(
        payment.repayment_id, obligation_id, account_id, payment.paid_at, payment.amount_minor
    )
    yield AddObligation(
        obligation_id,
        account_id,
        row.number,
        payment.paid_at,
        max(row.due.nominal_on, on),
        principal_minor,
        payment.amount_minor,
        0,
        fee_minor,
    )


def _with_room(apart: Iterable[Command], changes: Sequence[Command]) -> tuple[Command, ...]:
    """Return the payment before what it changes, but behind one row that it closes: an account that owes as much as it
    may has no room for a debt more.
    """
    closing = next((each for each in changes if isinstance(each, AddRepayment)), None)
    rest = [each for each in changes if each is not closing]
    return (*([closing] if closing is not None else []), *apart, *rest)


def _changed(
    account_id: str,
    old: Instalment,
    new: Instalment | None,
    payment: Prepayment,
    names: Names,
) -> Iterator[Command]:
    """Yield what a row becomes by a prepayment: nothing where it stays what it is."""
    if new is None or not new.amount_minor:
        yield from _closed(account_id, old, payment, names)
    elif not old.amount_minor:
        # A product that rounds up may have paid the loan back before its last row.
        yield _added(account_id, new, payment.paid_at, names)
    elif _figures(old) != _figures(new):
        yield AmendObligation(
            _named(account_id, new, names),
            payment.revision,
            new.due.nominal_on,
            new.principal_minor,
            new.amount_minor,
            0,
            new.fee_minor,
        )


def _closed(
    account_id: str, row: Instalment, payment: Prepayment | Settling, names: Names
) -> Iterator[Command]:
    """Yield the credit note that closes a row; none where nothing was owed."""
    if row.amount_minor:
        yield AddRepayment(
            _id(f"{payment.repayment_id}-{row.number:03d}"),
            _named(account_id, row, names),
            account_id,
            payment.paid_at,
            row.amount_minor,
            credit=True,
        )


def _added(account_id: str, row: Instalment, issued_at: datetime, names: Names) -> AddObligation:
    return AddObligation(
        _named(account_id, row, names),
        account_id,
        row.number,
        issued_at,
        row.due.nominal_on,
        row.principal_minor,
        row.amount_minor,
        0,
        row.fee_minor,
    )


def _figures(row: Instalment) -> tuple[int, int, int]:
    return row.principal_minor, row.interest_minor, row.fee_minor


def _named(account_id: str, row: Instalment, names: Names) -> str:
    assert row.number != PREPAYMENT, "a prepayment is no instalment"
    return _id(names.get(row.number, f"{account_id}-{row.number:03d}"))


def _id(text: str) -> str:
    """Return an id made of others.

    Raises:
        Rejected: code "bad_id": together they are too long.
    """
    if not ids.is_id(text):
        raise Rejected(
            "bad_id",
            "account_id",
            "an id made from that of the account or the payment is longer than 128 characters; name the rows, or "
            "use shorter ids",
        )
    return text


# Bills


def bill_id(account_id: str, month: date) -> str:
    """Return the id of the bill that is made in the month of `month`, the one that tapes of statements use as well."""
    return _id(f"{account_id}:{month:%Y-%m}")


def close_bill(
    account_id: str,
    cycle: Cycle,
    profile: Profile,
    purchases: Iterable[Purchase],
    refunds: Iterable[Refund] = (),
    *,
    zone: str,
    plans: Sequence[Plan] = (),
    billed: AbstractSet[str] = frozenset(),
    forward: Forward | None = None,
    supplied: Supplied | None = None,
    obligation_id: str = "",
    before_id: str = "",
) -> tuple[Statement, tuple[Command, ...]]:
    """Return the bill of a cycle and the commands it means; none where nothing is asked for.

    It is issued at the start of its bill day in `zone`. `supplied` is checked against all of the bill; the obligation
    is the bill without what is overdue. `before_id` names the bill from which the rest of `forward` comes.

    Raises:
        Rejected: as `core.statement.bill` gives it; code "statement_mismatch" with the first figure in which `supplied`
            differs; "no_billing"; "bad_id".
    """
    made = statement.bill(
        cycle,
        profile,
        purchases,
        refunds=refunds,
        plans=plans,
        billed=billed,
        forward=forward,
    )
    if supplied is not None:
        statement.check(supplied, made)
    obligation_id = obligation_id or bill_id(account_id, cycle.bill_on)
    issued_at = zones.instant(cycle.bill_on, time(), zone)
    commands: list[Command] = []
    revolving = forward.revolving_minor if forward is not None else 0
    # A credit that is more than what is new on the bill is money off what is overdue.
    carried = revolving + max(0, _overdue(made) - made.balance_minor)
    if carried:
        before_id = before_id or bill_id(account_id, cycle.bill_on.replace(day=1) - _DAY)
        commands.append(
            AddRepayment(
                _id(f"{obligation_id}-carried"),
                before_id,
                account_id,
                issued_at,
                carried,
                credit=True,
            )
        )
    asked = _asked(made)
    if asked.amount_minor:
        commands.append(
            AddObligation(
                obligation_id,
                account_id,
                cycle.bill_on.year * 12 + cycle.bill_on.month,
                issued_at,
                cycle.due_on,
                asked.principal_minor,
                asked.amount_minor,
                asked.minimum_minor,
                asked.fee_minor,
            )
        )
    return made, tuple(commands)


def spread_bill(
    account_id: str,
    made: Statement,
    profile: Profile,
    wish: Spread,
    *,
    zone: str,
    obligation_id: str = "",
) -> tuple[Statement, Plan, tuple[Command, ...]]:
    """Return the bill without what is spread, the plan whose parts the next bills are to carry, and the command for
    the bill: its amendment, or a credit note where all of it is spread.

    Raises:
        Rejected: code "bad_conversion", see `core.statement.convert`; "bad_id".
    """
    left, plan = statement.convert(
        made,
        profile,
        wish.months,
        wish.on,
        plan_id=wish.plan_id,
        amount_minor=wish.amount_minor,
        purchase_id=wish.purchase_id,
        paid_minor=wish.paid_minor,
    )
    obligation_id = obligation_id or bill_id(account_id, made.cycle.bill_on)
    asked = _asked(left)
    if not asked.amount_minor:
        at = zones.instant(wish.on, time(), zone)
        credit_id = _id(f"{obligation_id}-{wish.plan_id}")
        credit = AddRepayment(
            credit_id, obligation_id, account_id, at, plan.amount_minor, credit=True
        )
        return left, plan, (credit,)
    amendment = AmendObligation(
        obligation_id,
        wish.revision,
        made.cycle.due_on,
        asked.principal_minor,
        asked.amount_minor,
        asked.minimum_minor,
        asked.fee_minor,
    )
    return left, plan, (amendment,)


def bill_commands(
    account_id: str, bill: Bill, profile: Profile, zone: str
) -> tuple[Statement, tuple[Command, ...]]:
    """Return a bill that was told with what of it is spread, as it stands after that, and everything it means.

    Raises:
        Rejected: as the functions above give it; code "unknown_due_day".
    """
    cycle = statement.cycle_in(bill.month, statement.billing_of(profile), bill.due_day)
    plans = [
        statement.plan_of(
            profile, each.plan_id, each.billed_on, each.amount_minor, each.months, each.purchase_id
        )
        for each in bill.running
    ]
    made, told = close_bill(
        account_id,
        cycle,
        profile,
        bill.purchases,
        bill.refunds,
        zone=zone,
        plans=plans,
        billed=bill.billed | statement.parts_before(plans, cycle),
        forward=bill.forward,
        supplied=bill.supplied,
        obligation_id=bill.obligation_id,
        before_id=bill.before_id,
    )
    commands = [*told]
    for wish in bill.spreads:
        made, _, told = spread_bill(
            account_id, made, profile, wish, zone=zone, obligation_id=bill.obligation_id
        )
        commands += told
    return made, tuple(commands)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of a bill is asked for as a new debt."""

    amount_minor: int
    principal_minor: int
    fee_minor: int
    minimum_minor: int


def _overdue(made: Statement) -> int:
    return sum(item.amount_minor for item in made.items if item.kind is Kind.OVERDUE)


def _asked(made: Statement) -> _Asked:
    overdue = _overdue(made)
    amount = max(0, made.balance_minor - overdue)
    fee = min(made.fee_minor, amount)
    minimum = min(amount, max(0, made.minimum_minor - overdue))
    return _Asked(amount, amount - fee, fee, minimum)


# Transactions


def portions(
    commands: Sequence[Command], waiting: Mapping[str, int] = _NONE_WAIT
) -> tuple[tuple[Command, ...], ...]:
    """Return the commands in their order, cut so that each part fits one transaction; mostly that is one part.

    `waiting` is how many repayments wait for an obligation, by its id: they are credited as it is told. A loan and what
    changes its nearest rows stand in front, so what comes with a later part lies farthest ahead. A part that is not
    told any more is made up for by telling everything again.
    """
    parts: list[tuple[Command, ...]] = []
    part: list[Command] = []
    written: set[tuple[str, str]] = set()
    for command in commands:
        writes = set(_writes(command, waiting))
        if part and len(written | writes) > PORTION:
            parts.append(tuple(part))
            part, written = [], set()
        part.append(command)
        written |= writes
    return (*parts, tuple(part)) if part else tuple(parts)


def _writes(command: Command, waiting: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield what a command writes, besides head and account."""
    if isinstance(command, AddObligation):
        for n in range(min(waiting.get(command.obligation_id, 0), MAX_MATCHED)):
            yield "waiting", f"{command.obligation_id}#{n}"
    if isinstance(command, AddRepayment):
        yield "repayment", command.repayment_id
    if isinstance(command, AddRepayment | AddObligation | AmendObligation):
        yield "obligation", command.obligation_id
