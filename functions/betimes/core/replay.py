"""One account from its facts: debts and receipts in, the standing of every debt out.

The facts are the truth and the standing is derived. A payment dated back, a reversal or an amended debt changes the
facts, and everything is computed again from them; nothing is patched. A receipt that was reversed is left out, so what
it had settled is owed again, down to the last day of late interest.

**The order of facts is theirs, not that of their delivery.** By civil date; on one date debts are issued first, then
credits count, then payments, each by instant and id. So the same facts in any order give the same standing.

**Whose money.** What a payer designates goes to that debt, also before the debt is issued; for a debt that is not
known it waits. Other money runs down the profile's list (`core.allocation`). What it leaves over is the account's
credit balance: it is spent, oldest first, on the day a debt is issued, and on the day after a due date, when the next
debt becomes the one that is due. Those days may lie ahead: a debt that the credit balance will meet is not asked for.

**Settled for good.** Once what is owed on the day of a receipt is no more than the profile's tolerance, the debt is
settled, the shortfall is forgiven, and late interest stands still; what comes for it later is overpaid. Paid in full
inside grace, it never cost late interest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from betimes.core import allocation, late
from betimes.core.allocation import NOTHING, Claim, Parts
from betimes.core.late import Interval, Meter
from betimes.core.product import Leftover, Part, Profile, When
from betimes.core.values import dataclass, replace

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Debt:
    """What was billed: an instalment or a statement. Dates are civil dates in the product's zone.

    `parts` is the amount by component, without late interest, which is derived. `minimum_minor` is the minimum payment,
    0 without one; it decides arrears, not allocation. `seq` orders debts with the same due date. `frozen` are half-open
    intervals of civil dates in which this debt bears no late interest, such as a dispute about it alone.
    """

    id: str
    seq: int
    issued_on: date
    due_on: date
    parts: Parts
    minimum_minor: int = 0
    frozen: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in, or a credit note. `on` is the value date, `at` the instant, `minor` is above zero.

    `obligation_id` is the debt the payer designated, "" where the account's list decides.
    """

    id: str
    on: date
    at: datetime
    minor: int
    obligation_id: str = ""
    credit: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How one debt stands.

    `paid` is what it received, by component: late interest is paid as penalty. `accrued` is all late interest that came
    together up to `accrued_to`, exact, in minor units, paid or not, and not yet owed while grace may still waive it;
    what comes after that date is `owed`'s to add.
    `overpaid_minor` is money designated to the debt that it did not need. `settled_by` is the id of the receipt that
    settled it, "" while it is open; a debt over nothing that received nothing owes nothing and is never settled.
    """

    paid: Parts
    accrued: Decimal
    accrued_to: date
    overpaid_minor: int = 0
    settled_by: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether a receipt has settled the debt."""
        return self.settled_by != ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The standing of every debt by id, and the money that settled nothing, in minor units by id of its receipt.

    `unapplied` names only receipts of which something is left. Over an account, paid + overpaid + unapplied is what
    was received.
    """

    standings: Mapping[str, Standing]
    unapplied: Mapping[str, int]


def replay(
    debts: Sequence[Debt],
    receipts: Sequence[Receipt],
    profile: Profile,
    contract_rate: Decimal,
    frozen: Sequence[Interval] = (),
) -> Replayed:
    """Return how the debts of one account stand after all its receipts, in the defined order of facts.

    `receipts` are those that count: a reversed one is left out. `contract_rate` is the account's rate a day. `frozen`
    are half-open intervals of civil dates in which no late interest accrues. Ids are unique among debts and among
    receipts. The order of both sequences does not matter, but standings come in the order of `debts`.
    """
    course = _Course(debts, Meter.of(profile, contract_rate, frozen))
    return course.after(
        sorted(receipts, key=lambda each: (each.on, not each.credit, each.at, each.id))
    )


def owed(
    debt: Debt,
    standing: Standing,
    on: date,
    profile: Profile,
    contract_rate: Decimal,
    frozen: Sequence[Interval] = (),
) -> Parts:
    """Return what is owed for `debt` on the civil date `on`, by component, in minor units.

    Late interest up to that date is rounded once, with the profile's rounding, and is part of the penalty; inside grace
    there is none. No part is negative, and all are zero once the debt is settled. On a date before the last receipt
    the answer is that of the standing, which knows this receipt.
    """
    if standing.settled_by:
        return NOTHING
    return _owed(debt, standing, on, Meter.of(profile, contract_rate, frozen))


def _owed(debt: Debt, standing: Standing, on: date, meter: Meter) -> Parts:
    if standing.settled_by:
        return NOTHING
    billed, paid = debt.parts, standing.paid
    penalty = billed.penalty
    if _is_charged(debt, on, meter):
        penalty += late.rounded(_accrued(debt, standing, on, meter), meter.profile.rounding)
    return Parts(
        max(0, penalty - paid.penalty),
        max(0, billed.fee - paid.fee),
        max(0, billed.interest - paid.interest),
        max(0, billed.principal - paid.principal),
    )


def _is_charged(debt: Debt, on: date, meter: Meter) -> bool:
    """Return whether late interest is owed for a debt that is still open on the date `on`."""
    return bool(meter.rate) and not late.is_inside_grace(debt.due_on, on, meter.profile)


def _accrued(debt: Debt, standing: Standing, on: date, meter: Meter) -> Decimal:
    return meter.standing_still(debt.frozen).run(
        debt.parts, standing.paid, standing.accrued, debt.due_on, standing.accrued_to, on
    )


def _received(
    debt: Debt, standing: Standing, receipt: Receipt, meter: Meter, order: Sequence[Part]
) -> Standing:
    """Return the standing of a debt after money that was designated to it; what it does not need is overpaid."""
    if standing.settled_by:
        return replace(standing, overpaid_minor=standing.overpaid_minor + receipt.minor)
    on, minor = receipt.on, receipt.minor
    left = debt.parts.total - standing.paid.total
    if minor >= left and not _is_charged(debt, on, meter):
        # So are most debts paid: in full, and before anything was charged for being late.
        return Standing(
            debt.parts,
            _NONE,
            max(standing.accrued_to, on),
            standing.overpaid_minor + minor - left,
            receipt.id,
        )
    asked = _owed(debt, standing, on, meter)
    most = min(minor, asked.total)
    after = _paid(debt, standing, receipt, _filled(asked, most, order), asked, on, meter)
    if most < minor:
        after = replace(after, overpaid_minor=after.overpaid_minor + minor - most)
    return after


def _paid(
    debt: Debt,
    standing: Standing,
    receipt: Receipt,
    applied: Parts,
    asked: Parts,
    on: date,
    meter: Meter,
) -> Standing:
    """Return the standing after `applied` of `receipt` reached an open debt that asked for `asked` on the date `on`."""
    accrued = _accrued(debt, standing, on, meter)
    settles = asked.total - applied.total <= meter.profile.tolerance_minor
    if settles and not _is_charged(debt, on, meter):
        accrued = _NONE
    return Standing(
        standing.paid + applied,
        accrued,
        max(standing.accrued_to, on),
        standing.overpaid_minor,
        receipt.id if settles else "",
    )


def _filled(asked: Parts, minor: int, order: Sequence[Part]) -> Parts:
    """Return `minor` minor units spread over the components of `asked`, in an order of components."""
    if minor in (0, asked.total):
        return asked if minor else NOTHING
    filled: dict[str, int] = {}
    for part in order:
        filled[part.value] = min(minor, asked.of(part))
        minor -= filled[part.value]
    return Parts(**filled)


def _order_at_any_time(profile: Profile) -> tuple[Part, ...]:
    """Return the order in which money settles the components of one debt; empty where that depends on other debts.

    It does where what is past due, due and in advance has different orders.
    """
    first, *others = (allocation.parts_of(profile.allocation, when) for when in When)
    whole = len(set(first)) == len(Part)
    return first if whole and all(other == first for other in others) else ()


class _Course:
    """The account on its way through its facts."""

    __slots__ = (
        "_credit",
        "_debts",
        "_lost",
        "_meter",
        "_on",
        "_order",
        "_standings",
    )

    def __init__(self, debts: Sequence[Debt], meter: Meter) -> None:
        self._meter = meter
        self._order = _order_at_any_time(meter.profile)
        self._debts = {debt.id: debt for debt in debts}
        self._standings = {debt.id: Standing(NOTHING, _NONE, debt.due_on) for debt in debts}
        # Up to when, that day included, everything has happened.
        self._on = date.min
        # The credit balance: receipts of which something is left to spend, oldest first.
        self._credit: dict[str, tuple[Receipt, int]] = {}
        self._lost: dict[str, int] = {}

    def after(self, ordered: Iterable[Receipt]) -> Replayed:
        """Return how everything stands after the receipts, which come in the defined order of facts."""
        for receipt in ordered:
            self._turn(receipt.on)
            self._take(receipt)
        self._turn(date.max)
        left = {key: minor for key, (_, minor) in self._credit.items()}
        return Replayed(self._standings, self._lost | left)

    def _turn(self, until: date) -> None:
        """Spend the credit balance on each day up to the date `until` that calls for it."""
        if self._credit:
            turns = {debt.issued_on for debt in self._debts.values()}
            turns |= {debt.due_on + timedelta(days=1) for debt in self._debts.values()}
            for on in sorted(day for day in turns if self._on < day <= until):
                for receipt, minor in list(self._credit.values()):
                    self._spend(receipt, minor, on)
                    # What it leaves over says that nothing else asks for money today.
                    if receipt.id in self._credit:
                        break
        self._on = until

    def _take(self, receipt: Receipt) -> None:
        debt = self._debts.get(receipt.obligation_id)
        if debt is None and receipt.obligation_id:
            self._lost[receipt.id] = receipt.minor
            return
        if debt is not None and self._order:
            after = _received(debt, self._standings[debt.id], receipt, self._meter, self._order)
            if self._keeps or not after.overpaid_minor:
                # It stays with its debt, so that no other one has a say in it.
                self._standings[debt.id] = after
                return
        self._spend(receipt, receipt.minor, receipt.on, designated=receipt.obligation_id)

    @property
    def _keeps(self) -> bool:
        return self._meter.profile.leftover is Leftover.KEPT

    def _spend(self, receipt: Receipt, minor: int, on: date, designated: str = "") -> None:
        """Allocate money on a date; what is left over is overpaid or joins the credit balance."""
        profile = self._meter.profile
        claims = {claim.id: claim for claim in self._claims(on, designated)}
        went = allocation.allocate(
            tuple(claims.values()),
            minor,
            on,
            profile.allocation,
            profile.leftover,
            designated,
        )
        applied = went.applied
        if designated and designated not in applied:
            # It asked for nothing, yet money came for it: a debt over nothing is settled by this.
            applied = {**applied, designated: NOTHING}
        for debt_id, parts in applied.items():
            standing = self._standings[debt_id]
            if not standing.settled_by:
                self._standings[debt_id] = _paid(
                    self._debts[debt_id],
                    standing,
                    receipt,
                    parts,
                    claims[debt_id].owed,
                    on,
                    self._meter,
                )
        if designated and self._keeps:
            standing = self._standings[designated]
            overpaid = standing.overpaid_minor + went.unapplied_minor
            self._standings[designated] = replace(standing, overpaid_minor=overpaid)
        elif went.unapplied_minor:
            self._credit[receipt.id] = (receipt, went.unapplied_minor)
        else:
            self._credit.pop(receipt.id, None)

    def _claims(self, on: date, designated: str) -> Iterator[Claim]:
        """Yield what every issued debt asks for on a date, and a designated one that is not issued yet.

        One that is settled and past due is left out: it takes no money, and no date depends on it.
        """
        for debt in self._debts.values():
            standing = self._standings[debt.id]
            over = standing.settled_by and debt.due_on < on
            if debt.id == designated or (debt.issued_on <= on and not over):
                asked = _owed(debt, standing, on, self._meter)
                yield Claim(debt.id, debt.due_on, debt.seq, asked)
