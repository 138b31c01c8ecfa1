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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from betimes.core import allocation, late
from betimes.core.allocation import NOTHING, Claim, Parts
from betimes.core.late import Interval, Meter
from betimes.core.product import Leftover, Part, Profile, When


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
    meter = Meter.of(profile, contract_rate, frozen)
    ordered = sorted(receipts, key=lambda each: (each.on, not each.credit, each.at, each.id))
    parts = _plain_order(meter, ordered)
    if parts:
        return _replayed_plainly(debts, ordered, profile, parts)
    own = _own_order(profile)
    if len(set(own)) == len(Part) and all(receipt.obligation_id for receipt in ordered):
        return _replayed_apart(debts, ordered, meter, own)
    return _Course(debts, meter).after(ordered)


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
    if meter.rate and not late.is_inside_grace(debt.due_on, on, meter.profile):
        penalty += late.rounded(_accrued(debt, standing, on, meter), meter.profile.rounding)
    return Parts(
        max(0, penalty - paid.penalty),
        max(0, billed.fee - paid.fee),
        max(0, billed.interest - paid.interest),
        max(0, billed.principal - paid.principal),
    )


def _accrued(debt: Debt, standing: Standing, on: date, meter: Meter) -> Decimal:
    return meter.standing_still(debt.frozen).run(
        debt.parts, standing.paid, standing.accrued, debt.due_on, standing.accrued_to, on
    )


def _opened(debt: Debt) -> Standing:
    """Return the standing of a debt that has received nothing."""
    return Standing(NOTHING, Decimal(0), debt.due_on)


def _paid(
    debt: Debt, standing: Standing, receipt: Receipt, applied: Parts, on: date, meter: Meter
) -> Standing:
    """Return the standing after `applied` of `receipt` reached an open debt on the civil date `on`."""
    after = Standing(
        standing.paid + applied,
        _accrued(debt, standing, on, meter),
        max(standing.accrued_to, on),
        standing.overpaid_minor,
    )
    if _owed(debt, after, on, meter).total > meter.profile.tolerance_minor:
        return after
    waived = late.is_inside_grace(debt.due_on, on, meter.profile)
    return Standing(
        after.paid,
        Decimal(0) if waived else after.accrued,
        after.accrued_to,
        after.overpaid_minor,
        receipt.id,
    )


class _Course:
    """The account on its way through its facts: the general case."""

    __slots__ = (
        "_credit",
        "_debts",
        "_issued",
        "_lost",
        "_meter",
        "_own",
        "_standings",
    )

    def __init__(self, debts: Sequence[Debt], meter: Meter) -> None:
        self._meter = meter
        own = _own_order(meter.profile)
        # The order of components of money that stays with its debt, where the other debts have no say in it.
        self._own = own if len(set(own)) == len(Part) else ()
        self._debts = {debt.id: debt for debt in debts}
        self._standings = {debt.id: _opened(debt) for debt in debts}
        self._issued: list[Debt] = []
        # The credit balance: receipts of which something is left to spend, oldest first.
        self._credit: dict[str, tuple[Receipt, int]] = {}
        self._lost: dict[str, int] = {}

    def after(self, ordered: Iterable[Receipt]) -> Replayed:
        """Return how everything stands after the receipts, which come in the defined order of facts."""
        issues = sorted(self._debts.values(), key=lambda debt: debt.issued_on, reverse=True)
        turns = {debt.issued_on for debt in issues}
        turns |= {debt.due_on + timedelta(days=1) for debt in issues}
        ahead = sorted(turns, reverse=True)
        for receipt in ordered:
            self._turn(ahead, issues, receipt.on)
            self._take(receipt)
        self._turn(ahead, issues, date.max)
        left = {key: minor for key, (_, minor) in self._credit.items()}
        return Replayed(self._standings, self._lost | left)

    def _turn(self, ahead: list[date], issues: list[Debt], until: date) -> None:
        """Issue what is issued by the date `until`, and spend the credit balance on each day that calls for it."""
        while ahead and ahead[-1] <= until:
            on = ahead.pop()
            while issues and issues[-1].issued_on <= on:
                self._issued.append(issues.pop())
            for receipt, minor in list(self._credit.values()):
                self._spend(receipt, minor, on)
                # What it leaves over says that nothing else asks for money today.
                if receipt.id in self._credit:
                    break

    def _take(self, receipt: Receipt) -> None:
        if receipt.obligation_id and receipt.obligation_id not in self._debts:
            self._lost[receipt.id] = receipt.minor
            return
        if receipt.obligation_id and self._own:
            debt = self._debts[receipt.obligation_id]
            self._standings[debt.id] = _received(
                debt, self._standings[debt.id], receipt, self._meter, self._own
            )
            return
        self._spend(receipt, receipt.minor, receipt.on, designated=receipt.obligation_id)

    def _spend(self, receipt: Receipt, minor: int, on: date, designated: str = "") -> None:
        """Allocate money on a date; what is left over is overpaid or joins the credit balance."""
        profile = self._meter.profile
        went = allocation.allocate(
            self._claims(on, designated),
            minor,
            on,
            profile.allocation,
            profile.leftover,
            designated,
        )
        for debt_id, applied in went.applied.items():
            self._pay(debt_id, receipt, applied, on)
        if designated and designated not in went.applied:
            # It asked for nothing, yet money came for it: a debt over nothing is settled by this.
            self._pay(designated, receipt, NOTHING, on)
        if designated and profile.leftover is Leftover.KEPT:
            standing = self._standings[designated]
            overpaid = standing.overpaid_minor + went.unapplied_minor
            self._standings[designated] = replace(standing, overpaid_minor=overpaid)
        elif went.unapplied_minor:
            self._credit[receipt.id] = (receipt, went.unapplied_minor)
        else:
            self._credit.pop(receipt.id, None)

    def _claims(self, on: date, designated: str) -> list[Claim]:
        """Return what every issued debt asks for on a date, and a designated one that is not issued yet."""
        debts = self._issued
        if designated and self._debts[designated].issued_on > on:
            debts = [*debts, self._debts[designated]]
        return [
            Claim(
                debt.id,
                debt.due_on,
                debt.seq,
                _owed(debt, self._standings[debt.id], on, self._meter),
            )
            for debt in debts
        ]

    def _pay(self, debt_id: str, receipt: Receipt, applied: Parts, on: date) -> None:
        standing = self._standings[debt_id]
        if not standing.settled_by:
            debt = self._debts[debt_id]
            self._standings[debt_id] = _paid(debt, standing, receipt, applied, on, self._meter)


def _own_order(profile: Profile) -> tuple[Part, ...]:
    """Return the order of components that designated money follows at any time; empty where that depends on others.

    It does not where surplus stays where it was paid, and what is past due, due and in advance has the same order.
    """
    orders = {allocation.parts_of(profile.allocation, when) for when in When}
    if profile.leftover is not Leftover.KEPT or len(orders) > 1:
        return ()
    (only,) = orders
    return only


def _plain_order(meter: Meter, receipts: Iterable[Receipt]) -> tuple[Part, ...]:
    """Return the order of components if it settles all: no late interest runs and every receipt is designated.

    Empty if the general case is needed.
    """
    if meter.rate or any(not receipt.obligation_id for receipt in receipts):
        return ()
    only = _own_order(meter.profile)
    return only if len(set(only)) == len(Part) else ()


def _by_debt(
    debts: Sequence[Debt], ordered: Iterable[Receipt]
) -> tuple[dict[str, list[Receipt]], dict[str, int]]:
    """Return the designated receipts of each debt, in order, and the money for debts that are not known."""
    theirs: dict[str, list[Receipt]] = {debt.id: [] for debt in debts}
    unapplied: dict[str, int] = {}
    for receipt in ordered:
        if receipt.obligation_id in theirs:
            theirs[receipt.obligation_id].append(receipt)
        else:
            unapplied[receipt.id] = receipt.minor
    return theirs, unapplied


def _replayed_apart(
    debts: Sequence[Debt], ordered: Iterable[Receipt], meter: Meter, parts: Sequence[Part]
) -> Replayed:
    """Return what the general case returns, where no debt has a say in the money of another one."""
    theirs, unapplied = _by_debt(debts, ordered)
    standings = {debt.id: _settled_apart(debt, theirs[debt.id], meter, parts) for debt in debts}
    return Replayed(standings, unapplied)


def _settled_apart(
    debt: Debt, receipts: Iterable[Receipt], meter: Meter, parts: Sequence[Part]
) -> Standing:
    standing = _opened(debt)
    for receipt in receipts:
        standing = _received(debt, standing, receipt, meter, parts)
    return standing


def _received(
    debt: Debt, standing: Standing, receipt: Receipt, meter: Meter, parts: Sequence[Part]
) -> Standing:
    """Return the standing of a debt after money that was designated to it and stays with it."""
    if standing.settled_by:
        return replace(standing, overpaid_minor=standing.overpaid_minor + receipt.minor)
    asked = _owed(debt, standing, receipt.on, meter)
    minor = min(receipt.minor, asked.total)
    applied = _filled(asked, minor, parts)
    after = _paid(debt, standing, receipt, applied, receipt.on, meter)
    if minor < receipt.minor:
        after = replace(after, overpaid_minor=after.overpaid_minor + receipt.minor - minor)
    return after


def _replayed_plainly(
    debts: Sequence[Debt], ordered: Iterable[Receipt], profile: Profile, parts: Sequence[Part]
) -> Replayed:
    """Return what the general case returns, for an account without late interest whose money is all designated."""
    theirs, unapplied = _by_debt(debts, ordered)
    standings = {
        debt.id: _settled_plainly(debt, theirs[debt.id], profile.tolerance_minor, parts)
        for debt in debts
    }
    return Replayed(standings, unapplied)


def _settled_plainly(
    debt: Debt, receipts: Iterable[Receipt], tolerance_minor: int, parts: Sequence[Part]
) -> Standing:
    total = debt.parts.total
    paid = overpaid = 0
    settled_by = ""
    accrued_to = debt.due_on
    for receipt in receipts:
        applied = 0 if settled_by else min(receipt.minor, total - paid)
        overpaid += receipt.minor - applied
        if settled_by:
            continue
        paid += applied
        accrued_to = max(accrued_to, receipt.on)
        if total - paid <= tolerance_minor:
            settled_by = receipt.id
    return Standing(_filled(debt.parts, paid, parts), Decimal(0), accrued_to, overpaid, settled_by)


def _filled(billed: Parts, paid: int, parts: Sequence[Part]) -> Parts:
    """Return `paid` minor units spread over the components of `billed`, in the order of `parts`."""
    if paid in (0, billed.total):
        return billed if paid else NOTHING
    filled: dict[str, int] = {}
    for part in parts:
        filled[part.value] = min(paid, billed.of(part))
        paid -= filled[part.value]
    return Parts(**filled)
