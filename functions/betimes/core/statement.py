"""Statements: which purchases stand on which bill, what is due of it and when, and how a bill is spread over months.

**Which bill.** A cycle runs from one bill day up to, not including, the next: a bill is made at the start of its day,
so what happens on a bill day belongs to the next bill. With bill day 1 and due day 10, what was confirmed on 31 July
stands on the bill of 1 August and is due on 10 August; what was confirmed on 1 August is due on 10 September. What
counts is the event that the product names, confirmed receipt or purchase; a purchase whose receipt nobody confirmed is
not billed. A purchase told too late for its own bill stands on the next one that is made: none is lost, and none is
billed twice, because a bill takes no purchase that an earlier one holds.

**When the due day moves,** the bill day moves with it. Every calendar month keeps exactly one bill: the one of the
month in which the running cycle would end is made on the new bill day, so that one cycle is longer or shorter than a
month (19 to 40 days with bill days 1, 5 and 10). Where the new bill day of that month has passed already, that bill
stays as it was and the next month's is the first to move. A bill that was made keeps its due date.

**Refunds.** One before its purchase is billed reduces that bill. One after it is a credit on the obligation of that
bill; what is more than is still open there is a credit balance, carried to the next bill. No bill is below zero.

**Spreading.** From its bill day up to its due day a bill, or a purchase on it, can be spread over months at a flat fee.
The amount leaves the bill, and each of the following bills carries one part with its fee, due in full: parts count in
the minimum payment with their whole amount.

All amounts are whole minor units of the account's currency, all dates are civil dates of the product's zone. Due dates
are nominal: a product that moves them to business days rolls `Cycle.due_on` (`core.workdays`).

Sources: mitaoonline.cc/1/1530648.html (which month), tech.shenzhenrexian.net/digi/20230419/52393.html (bill and due
days), mip.tianqing123.cn/caijing/659720.html (minimum, fees), all secondary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from betimes.core.errors import Rejected
from betimes.core.late import rounded
from betimes.core.product import Billing, Event, Profile, Roll, Rounding
from betimes.core.schedule import Terms, schedule
from betimes.core.values import dataclass, replace

# Facts


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase; `confirmed_on` is when the receipt of the goods was confirmed, None as long as it was not."""

    id: str
    bought_on: date
    confirmed_on: date | None
    amount_minor: int

    def counts_on(self, event: Event) -> date | None:
        """Return the date that decides on which bill it stands, None while it stands on none."""
        return self.confirmed_on if event is Event.CONFIRMED_RECEIPT else self.bought_on


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back for a purchase, all of it or a part."""

    id: str
    purchase_id: str
    refunded_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """A borrower's choice of a due day, from the day on which it was made."""

    chosen_on: date
    due_day: int


@dataclass(frozen=True, slots=True)
class Forward:
    """What earlier bills hand on to this one. What is billed again here ends on the old bill with the same amount.

    `revolving_minor` is what was left over a minimum that was paid, `overdue_minor` what was due and not paid,
    `fee_minor` the fees of the cycle, `credit_minor` a balance in the borrower's favour. None is negative.
    """

    revolving_minor: int = 0
    overdue_minor: int = 0
    fee_minor: int = 0
    credit_minor: int = 0

    def __post_init__(self) -> None:
        for key in ("revolving_minor", "overdue_minor", "fee_minor", "credit_minor"):
            if getattr(self, key) < 0:
                raise Rejected("negative_amount", key, f"{key} is negative: correct it, or send 0")


# Cycles


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle: from `opens_on` up to, not including, `bill_on`, the day of its bill, which is due on `due_on`."""

    opens_on: date
    bill_on: date
    due_on: date

    def holds(self, on: date) -> bool:
        """Return whether `on` lies in it; its bill day does not."""
        return self.opens_on <= on < self.bill_on


def cycle_of(on: date, billing: Billing, due_day: int) -> Cycle:
    """Return the cycle that `on` lies in, for a borrower whose due day has always been `due_day`.

    Raises:
        Rejected: code "unknown_due_day", if the product does not offer it.
    """
    month = _month(on) if on < _day(_month(on), _bill_day(billing, due_day)) else _month(on) + 1
    opens_on = _day(month - 1, _bill_day(billing, due_day))
    return _cycle(opens_on, month, billing, due_day)


def cycles(chosen: Sequence[Chosen], billing: Billing, through: date) -> tuple[Cycle, ...]:
    """Return the cycles of an account that hold its days up to `through`, in order, without a gap or an overlap.

    `chosen` holds the due days chosen in the life of the account in any order; the first was chosen when it was opened,
    and of two on one day the one that stands later counts. The first cycle begins on the day of opening. From its bill
    on, every calendar month has exactly one bill day. Empty if the account was opened after `through`.

    Raises:
        Rejected: code "unknown_due_day", if the product does not offer one of them.
    """
    waiting = sorted(chosen, key=lambda choice: choice.chosen_on)
    assert waiting, "an account has a due day from its first day on"
    for choice in waiting:
        _bill_day(billing, choice.due_day)
    first = waiting.pop(0)
    opens_on, due_day = first.chosen_on, first.due_day
    month = _month(cycle_of(opens_on, billing, due_day).bill_on)
    found = []
    while opens_on <= through:
        cycle = _cycle(opens_on, month, billing, due_day)
        while waiting and waiting[0].chosen_on < cycle.bill_on:
            choice = waiting.pop(0)
            due_day = choice.due_day
            moved = _cycle(opens_on, month, billing, due_day)
            if moved.bill_on > choice.chosen_on:
                cycle = moved
        found.append(cycle)
        opens_on, month = cycle.bill_on, month + 1
    return tuple(found)


def cycle_in(month: date, billing: Billing, due_day: int) -> Cycle:
    """Return the cycle whose bill is made in the month of `month`, of whose days any will do.

    It is that of a borrower whose due day has always been `due_day`; where the due day moved the cycle opened on
    another day, and its bill, which holds whatever no earlier one does, is the same.

    Raises:
        Rejected: code "unknown_due_day", if the product does not offer it.
    """
    return cycle_of(month.replace(day=1) - timedelta(days=1), billing, due_day)


def billing_of(profile: Profile) -> Billing:
    """Return the product's terms of billing.

    Raises:
        Rejected: code "no_billing": it has none.
    """
    if profile.billing is None:
        raise Rejected(
            "no_billing",
            "product",
            f"{profile.name} has no terms of billing: tell a loan of it, or give the account its revolving product",
        )
    return profile.billing


def _bill_day(billing: Billing, due_day: int) -> int:
    if due_day not in billing.due_days:
        offered = ", ".join(map(str, billing.due_days))
        raise Rejected(
            "unknown_due_day", "due_day", f"due_day is not offered: choose one of {offered}"
        )
    return billing.due_days[due_day]


def _cycle(opens_on: date, month: int, billing: Billing, due_day: int) -> Cycle:
    bill_day = _bill_day(billing, due_day)
    return Cycle(opens_on, _day(month, bill_day), _day(month + (due_day <= bill_day), due_day))


def _month(on: date) -> int:
    """Return the number of a calendar month, one more for each next one."""
    return on.year * 12 + on.month - 1


def _day(month: int, day: int) -> date:
    # A profile's bill and due days are at most 28: every month has them.
    return date(month // 12, month % 12 + 1, day)


# Bills


class Kind(StrEnum):
    """What a line of a bill is. Only purchases and what revolves count by their share in the minimum."""

    PURCHASE = "purchase"
    INSTALMENT = "instalment"
    FEE = "fee"
    OVERDUE = "overdue"
    REVOLVING = "revolving"


_BY_SHARE = frozenset({Kind.PURCHASE, Kind.REVOLVING})


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a bill. `amount_minor` includes `fee_minor`; `id` is that of the purchase or `plan/number` of a part,
    "" for what was handed on.
    """

    kind: Kind
    id: str
    amount_minor: int
    fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Credit:
    """Money off a bill: a refund by its id with its purchase, or with both "" a balance handed on to this bill."""

    id: str
    purchase_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One of the parts a conversion is paid in, numbered from 1."""

    number: int
    principal_minor: int
    fee_minor: int

    @property
    def amount_minor(self) -> int:
        """What is due of it."""
        return self.principal_minor + self.fee_minor


@dataclass(frozen=True, slots=True)
class Plan:
    """A bill or a purchase spread over months: part 1 stands on the bill after the one of `billed_on`, and so on.

    `purchase_id` is "" where the bill itself was spread. The principals of the parts add up to `amount_minor`.
    """

    id: str
    billed_on: date
    purchase_id: str
    amount_minor: int
    parts: tuple[PlanPart, ...]

    @property
    def fee_minor(self) -> int:
        """The fee of all parts."""
        return sum(part.fee_minor for part in self.parts)


@dataclass(frozen=True, slots=True)
class Statement:
    """A bill. `balance_minor` is all its items less its credits and less what its `plans` took off, never negative.

    `minimum_minor` is the minimum payment, never above the balance; 0 means there is none and the whole bill is due.
    `credit_left_minor` is what of a credit balance was more than this bill, to be handed on to the next one. A bill of
    0 is no obligation.
    """

    cycle: Cycle
    items: tuple[Item, ...]
    credits: tuple[Credit, ...]
    balance_minor: int
    minimum_minor: int
    credit_left_minor: int = 0
    plans: tuple[Plan, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the purchases and parts on it, which no later bill may hold."""
        return frozenset(item.id for item in self.items if item.id)

    @property
    def fee_minor(self) -> int:
        """The fees in the balance. A credit takes them last."""
        return min(self.balance_minor, sum(item.fee_minor for item in self.items))

    @property
    def principal_minor(self) -> int:
        """The balance without its fees."""
        return self.balance_minor - self.fee_minor

    @property
    def spreadable_minor(self) -> int:
        """What of it can still be spread: neither fees nor parts of an earlier plan nor what is overdue."""
        by_share = sum(item.amount_minor for item in self.items if item.kind in _BY_SHARE)
        off = sum(credit.amount_minor for credit in self.credits)
        return max(0, by_share - off - sum(plan.amount_minor for plan in self.plans))


def minimum(
    billing: Billing,
    rounding: Rounding,
    *,
    balance_minor: int,
    revolving_minor: int,
    in_full_minor: int,
) -> int:
    """Return the minimum payment of a bill: min(balance, max(floor, share of what revolves + what is due in full)).

    The share is rounded once. 0 where the product has neither share nor floor, and where a share of next to nothing
    rounds to 0: then the whole bill is due.

    Source: design, after CN practice: fees, overdue amounts and instalments are due in full.
    """
    if not billing.minimum_share and not billing.minimum_floor_minor:
        return 0
    share = rounded(revolving_minor * billing.minimum_share, rounding)
    return min(balance_minor, max(billing.minimum_floor_minor, share + in_full_minor))


def bill(
    cycle: Cycle,
    profile: Profile,
    purchases: Iterable[Purchase],
    *,
    refunds: Iterable[Refund] = (),
    plans: Iterable[Plan] = (),
    billed: AbstractSet[str] = frozenset(),
    forward: Forward | None = None,
) -> Statement:
    """Return the bill of a cycle, made at the start of its bill day.

    `purchases`, `refunds` and `plans` may be all of the account's: those of later days are left for later bills, and a
    fact told twice counts once. `billed` is the union of `Statement.ids` of the earlier bills; leaving one out bills
    its purchases again. A refund whose purchase is not known waits for it. Items stand in order of date and id.

    Raises:
        Rejected: "bad_amount" for a purchase or refund that is not above zero, "duplicate_id" for one id with two
            contents, "refund_too_high" where refunds before the bill are more than their purchase.
    """
    billing = billing_of(profile)
    forward = forward or Forward()
    bought = [
        (on, purchase)
        for purchase in _once(purchases)
        if purchase.id not in billed
        and (on := purchase.counts_on(billing.event)) is not None
        and on < cycle.bill_on
    ]
    bought.sort(key=lambda each: (each[0], each[1].id))
    items = [Item(Kind.PURCHASE, purchase.id, purchase.amount_minor) for _, purchase in bought]
    before = [refund for refund in refunds if refund.refunded_on < cycle.bill_on]
    off = _credits(items, before)
    items += _parts_due(plans, cycle, billed)
    items += [
        Item(kind, "", minor, minor if kind is Kind.FEE else 0)
        for kind, minor in (
            (Kind.FEE, forward.fee_minor),
            (Kind.OVERDUE, forward.overdue_minor),
            (Kind.REVOLVING, forward.revolving_minor),
        )
        if minor
    ]
    room = sum(item.amount_minor for item in items) - sum(credit.amount_minor for credit in off)
    used = min(room, forward.credit_minor)
    if used:
        off.append(Credit("", "", used))
    statement = Statement(cycle, tuple(items), tuple(off), 0, 0, forward.credit_minor - used)
    return _totalled(statement, billing, profile.rounding)


def _totalled(statement: Statement, billing: Billing, rounding: Rounding) -> Statement:
    """Return the bill with its balance and minimum as its items, credits and plans give them."""
    gross = sum(item.amount_minor for item in statement.items)
    off = sum(credit.amount_minor for credit in statement.credits)
    balance = gross - off - sum(plan.amount_minor for plan in statement.plans)
    assert balance >= 0, "no bill is below zero"
    least = minimum(
        billing,
        rounding,
        balance_minor=balance,
        revolving_minor=statement.spreadable_minor,
        in_full_minor=sum(i.amount_minor for i in statement.items if i.kind not in _BY_SHARE),
    )
    return replace(statement, balance_minor=balance, minimum_minor=least)


def _parts_due(plans: Iterable[Plan], cycle: Cycle, billed: AbstractSet[str]) -> list[Item]:
    """Return the parts that stand on this bill; as every month has one bill, the number of a part is that of months."""
    return [
        Item(Kind.INSTALMENT, id_, part.amount_minor, part.fee_minor)
        for plan in sorted(set(plans), key=lambda plan: plan.id)
        for part in plan.parts
        if _month(plan.billed_on) + part.number <= _month(cycle.bill_on)
        and (id_ := f"{plan.id}/{part.number}") not in billed
    ]


_Fact = TypeVar("_Fact", Purchase, Refund)


def _once(facts: Iterable[_Fact]) -> list[_Fact]:
    """Return each fact once, however often it was told."""
    found: dict[str, _Fact] = {}
    for fact in facts:
        if found.setdefault(fact.id, fact) != fact:
            raise Rejected("duplicate_id", "id", "one id has two contents: use a new id")
        if fact.amount_minor <= 0:
            raise Rejected("bad_amount", "amount_minor", "an amount is above zero: correct it")
    return list(found.values())


def _credits(items: Iterable[Item], refunds: Iterable[Refund]) -> list[Credit]:
    """Return the refunds of the purchases among `items` as credits, in order of date and id."""
    left = {item.id: item.amount_minor for item in items if item.kind is Kind.PURCHASE}
    found = []
    for refund in sorted(_once(refunds), key=lambda refund: (refund.refunded_on, refund.id)):
        if refund.purchase_id not in left:
            continue
        left[refund.purchase_id] -= refund.amount_minor
        if left[refund.purchase_id] < 0:
            raise Rejected(
                "refund_too_high",
                "amount_minor",
                "the refunds of a purchase are more than the purchase: correct them, or the purchase first",
            )
        found.append(Credit(refund.id, refund.purchase_id, refund.amount_minor))
    return found


def after_billing(
    statement: Statement, refunds: Iterable[Refund], open_minor: int
) -> tuple[tuple[Credit, ...], int]:
    """Return the refunds that came after their purchase was billed, as credits on the obligation of this bill, and what
    of them is more than the `open_minor` still owed there: a credit balance for the next bill (`Forward.credit_minor`).

    `refunds` may be all of the account's; those of other bills and those this bill has taken off already are passed
    over. A refund can be cut in two by what is open, and one of which nothing is left to apply is no credit.

    Raises:
        Rejected: as `bill`; "refund_too_high" counts the refunds before the bill too.
    """
    taken = {credit.id for credit in statement.credits if credit.id}
    applied = []
    left = 0
    for credit in _credits(statement.items, refunds):
        if credit.id in taken:
            continue
        minor = min(open_minor, credit.amount_minor)
        open_minor -= minor
        left += credit.amount_minor - minor
        if minor:
            applied.append(replace(credit, amount_minor=minor))
    return tuple(applied), left


# Conversion to instalments


def convert(
    statement: Statement,
    profile: Profile,
    months: int,
    on: date,
    *,
    plan_id: str,
    amount_minor: int = 0,
    purchase_id: str = "",
    paid_minor: int = 0,
) -> tuple[Statement, Plan]:
    """Return the bill without what is spread over `months`, and the plan of its parts.

    Without an amount all that can be spread is: of the bill, or of the purchase named. `paid_minor` is what the bill
    has received so far; that is not spread again. The parts are those of `core.schedule` at a flat fee: the fee is
    rounded once, and principal and fee add up exactly.

    Raises:
        Rejected: code "bad_conversion" with the field that is wrong: "on" before the bill day or after the due day,
            "months" not in the product's tariff, "amount_minor" more than can be spread, or nothing, "purchase_id" not
            on this bill or spread already, "plan_id" taken.
    """
    _check_months(profile, months)
    if not statement.cycle.bill_on <= on <= statement.cycle.due_on:
        raise _refused(
            "on", "is not from the bill day up to the due day: only then a bill is spread"
        )
    if any(plan.id == plan_id for plan in statement.plans):
        raise _refused("plan_id", "is taken: use a new one")
    most = min(statement.spreadable_minor, statement.balance_minor - paid_minor)
    whole = _purchase_left(statement, purchase_id) if purchase_id else most
    amount = amount_minor or whole
    if not 0 < amount <= min(most, whole):
        raise _refused("amount_minor", "is nothing, or more than can be spread: lower it")
    plan = plan_of(profile, plan_id, statement.cycle.bill_on, amount, months, purchase_id)
    spread = replace(statement, plans=(*statement.plans, plan))
    return _totalled(spread, billing_of(profile), profile.rounding), plan


def plan_of(
    profile: Profile,
    plan_id: str,
    billed_on: date,
    amount_minor: int,
    months: int,
    purchase_id: str = "",
) -> Plan:
    """Return the plan by which `amount_minor` of the bill of `billed_on` is spread, for the bills that follow it.

    Raises:
        Rejected: code "bad_conversion", field "months", where the product's tariff has none for so many; "bad_terms"
            for an amount or a day that no plan can have.
    """
    _check_months(profile, months)
    parts = _parts(profile, amount_minor, months, billed_on)
    return Plan(plan_id, billed_on, purchase_id, amount_minor, parts)


def parts_before(plans: Iterable[Plan], cycle: Cycle) -> frozenset[str]:
    """Return the ids of the parts that stood on the bills before this one, for a lender whose bills were all made."""
    return frozenset(
        f"{plan.id}/{part.number}"
        for plan in plans
        for part in plan.parts
        if _month(plan.billed_on) + part.number < _month(cycle.bill_on)
    )


def _check_months(profile: Profile, months: int) -> None:
    fees = billing_of(profile).instalment_fees
    if months not in fees:
        offered = ", ".join(map(str, fees)) or "none is offered"
        raise _refused("months", f"is not in the tariff of {profile.name}: {offered}")


def _purchase_left(statement: Statement, purchase_id: str) -> int:
    """Return what a purchase on the bill costs after its refunds."""
    amounts = {i.id: i.amount_minor for i in statement.items if i.kind is Kind.PURCHASE}
    if purchase_id not in amounts:
        raise _refused("purchase_id", "is no purchase on this bill: name one that is")
    if any(plan.purchase_id == purchase_id for plan in statement.plans):
        raise _refused("purchase_id", "is spread already: it cannot be spread twice")
    off = sum(c.amount_minor for c in statement.credits if c.purchase_id == purchase_id)
    return amounts[purchase_id] - off


def _refused(field: str, problem: str) -> Rejected:
    return Rejected("bad_conversion", field, f"{field} {problem}")


def _parts(profile: Profile, amount: int, months: int, billed_on: date) -> tuple[PlanPart, ...]:
    """Return the parts as a schedule at a flat fee has them; each is due with its bill, so no date of it is rolled."""
    terms = Terms(
        principal_minor=amount,
        currency="CNY",  # the figures are whole minor units of whatever currency
        months=months,
        start=billed_on,
        flat_fee=billing_of(profile).instalment_fees[months],
    )
    unrolled = replace(profile, due_roll=Roll.UNADJUSTED, accrual_roll=Roll.UNADJUSTED)
    return tuple(
        PlanPart(row.number, row.principal_minor, row.fee_minor)
        for row in schedule(terms, unrolled)
    )


def _filled(total: int, wanted: Iterable[int]) -> list[int]:
    """Return the amounts wanted as far as `total` reaches, and one more with what is left of it."""
    parts = []
    for want in wanted:
        parts.append(min(want, total))
        total -= parts[-1]
    return [*parts, total]


# Statements supplied by the lender


@dataclass(frozen=True, slots=True)
class Supplied:
    """The figures of a bill that a lender has made: they are checked and never replaced."""

    bill_on: date
    due_on: date
    balance_minor: int
    minimum_minor: int


def check(supplied: Supplied, computed: Statement) -> None:
    """Return if a bill of the lender has the figures that its own terms and the facts told give.

    Raises:
        Rejected: code "statement_mismatch", field = the first figure that differs.
    """
    ours = Supplied(
        computed.cycle.bill_on,
        computed.cycle.due_on,
        computed.balance_minor,
        computed.minimum_minor,
    )
    for figure in ("bill_on", "due_on", "balance_minor", "minimum_minor"):
        if getattr(supplied, figure) != getattr(ours, figure):
            raise Rejected(
                "statement_mismatch",
                figure,
                f"{figure} is not what the purchases told and the terms of the product give: correct the statement, "
                "tell what is missing, or correct the profile",
            )


# Progress payments


@dataclass(frozen=True, slots=True)
class Progress:
    """The payment for one stage of work; `due_on` is None, and nothing billed, until its delivery is confirmed."""

    stage: str
    amount_minor: int
    due_on: date | None


def progress(
    amount_minor: int, profile: Profile, confirmed: Mapping[str, date]
) -> tuple[Progress, ...]:
    """Return what is paid for each stage of work, in the order of the work; the amounts add up to `amount_minor`.

    `confirmed` holds the day on which the delivery of a stage was confirmed, in whatever order that came. Each share is
    rounded, and the last stage takes what that leaves.

    Raises:
        Rejected: code "unknown_stage", if the product has no such stage.
    """
    assert profile.stages, f"{profile.name} has no stages"
    names = [stage.name for stage in profile.stages]
    if not set(confirmed) <= set(names):
        raise Rejected(
            "unknown_stage", "stage", f"stage is none of {profile.name}: {', '.join(names)}"
        )
    shares = [rounded(amount_minor * s.share, profile.rounding) for s in profile.stages[:-1]]
    found = []
    for stage, minor in zip(profile.stages, _filled(amount_minor, shares), strict=True):
        on = confirmed.get(stage.name)
        due_on = None if on is None else on + timedelta(days=stage.due_after_days)
        found.append(Progress(stage.name, minor, due_on))
    return tuple(found)
