"""Loans told by their terms and bills told by their purchases, as pydantic models; each turns into a value of
`core.opening`.

Amounts are whole minor units of the account's currency, rates and fees decimal text and parts of one: "0.0003" is
0.03 %.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt

from betimes.core.errors import Rejected
from betimes.core.opening import Bill, Loan, Prepayment, Running, Settling, Spread
from betimes.core.schedule import Instalment, Terms
from betimes.core.statement import Forward, Purchase, Refund, Supplied
from betimes.core.workdays import Rolled
from betimes.wire.cells import RATE
from betimes.wire.requests import checked_id

# A request holds what a person can have made in a month, and a loan of any product we know.
MAX_ROWS: Final = 600
MAX_ITEMS: Final = 2_000
MAX_PAYMENTS: Final = 32
_MONTH: Final = re.compile(r"(19[7-9][0-9]|2[01][0-9][0-9])-(0[1-9]|1[0-2])", re.ASCII)

Minor = StrictInt
Rate = Annotated[str, Field(pattern=f"^{RATE.pattern}$")]


class _Told(BaseModel):
    # Strict, as every request: no value of another type is bent into the one asked for.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RowIn(_Told):
    """One row of the lender's own schedule, and, where the lender has one, its id for the obligation.

    `due_on` is the date that the borrower sees: moved to a business day where the product moves it.
    """

    number: StrictInt
    due_on: date
    principal_minor: Minor
    interest_minor: Minor
    fee_minor: Minor = 0
    balance_minor: Minor
    obligation_id: str = ""

    def to_core(self) -> Instalment:
        """Return the row, as `core.schedule.check` compares it."""
        return Instalment(
            number=self.number,
            due=Rolled(self.due_on, self.due_on),
            accrues_to=self.due_on,
            days=0,
            principal_minor=self.principal_minor,
            interest_minor=self.interest_minor,
            fee_minor=self.fee_minor,
            balance_minor=self.balance_minor,
        )


class DrawIn(_Told):
    """A payment made by the lender as work progresses."""

    on: date
    amount_minor: Minor


class PrepaymentIn(_Told):
    """A part of a loan that was paid ahead of time; it is not told as a repayment again.

    `revision` is above that of every amendment of the loan's obligations so far. `keep` says what stays: the "term",
    with smaller instalments, or the "instalment", with fewer of them.
    """

    repayment_id: str
    paid_at: AwareDatetime
    amount_minor: Minor
    revision: Annotated[StrictInt, Field(ge=1, le=999_999_999)]
    keep: Literal["term", "instalment"] = "term"

    def to_core(self) -> Prepayment:
        """Return the prepayment.

        Raises:
            Rejected: code "bad_id".
        """
        return Prepayment(
            checked_id("repayment_id", self.repayment_id),
            self.paid_at,
            self.amount_minor,
            self.revision,
            self.keep,
        )


class SettlementIn(_Told):
    """Money that settled a loan; it is not told as a repayment again.

    `paid` is how many rows had been paid by then, prepayments counted; left out, all that were due before that day.
    """

    repayment_id: str
    paid_at: AwareDatetime
    amount_minor: Minor
    paid: Annotated[StrictInt, Field(ge=0, le=MAX_ROWS)] | None = None
    waive_later_fees: bool = False

    def to_core(self) -> Settling:
        """Return the settlement.

        Raises:
            Rejected: code "bad_id".
        """
        return Settling(
            checked_id("repayment_id", self.repayment_id),
            self.paid_at,
            self.amount_minor,
            self.paid,
            self.waive_later_fees,
        )


class LoanIn(_Told):
    """A loan by its terms, as `core.schedule.Terms` has them, with everything paid on it ahead of time so far.

    The rate is `daily_rate` or `annual_rate`; without either it is that of the product. `rows` is the lender's own
    schedule, which must be the one that the terms give.
    """

    currency: str
    issued_at: AwareDatetime
    start: date
    principal_minor: Minor
    months: StrictInt
    daily_rate: Rate | None = None
    annual_rate: Rate | None = None
    flat_fee: Rate | None = None
    due_day: StrictInt = 0
    first_due: date | None = None
    due_dates: tuple[date, ...] = Field((), max_length=MAX_ROWS)
    draws: tuple[DrawIn, ...] = Field((), max_length=MAX_PAYMENTS)
    rows: tuple[RowIn, ...] | None = Field(None, max_length=MAX_ROWS)
    prepayments: tuple[PrepaymentIn, ...] = Field((), max_length=MAX_PAYMENTS)
    settlement: SettlementIn | None = None

    def to_core(self) -> Loan:
        """Return the loan; whether its terms make one is the core's to say.

        Raises:
            Rejected: code "bad_id", where an id is none.
        """
        return Loan(
            terms=Terms(
                principal_minor=self.principal_minor,
                currency=self.currency,
                months=self.months,
                start=self.start,
                daily_rate=_decimal(self.daily_rate),
                annual_rate=_decimal(self.annual_rate),
                due_day=self.due_day,
                first_due=self.first_due,
                flat_fee=_decimal(self.flat_fee),
                due_dates=self.due_dates,
                draws=tuple((draw.on, draw.amount_minor) for draw in self.draws),
            ),
            issued_at=self.issued_at,
            rows=None if self.rows is None else tuple(row.to_core() for row in self.rows),
            names={
                row.number: checked_id("obligation_id", row.obligation_id)
                for row in self.rows or ()
                if row.obligation_id
            },
            prepayments=tuple(payment.to_core() for payment in self.prepayments),
            settling=None if self.settlement is None else self.settlement.to_core(),
        )


class PurchaseIn(_Told):
    """A purchase; `confirmed_on` is when the receipt of the goods was confirmed, left out as long as it was not."""

    id: str
    bought_on: date
    confirmed_on: date | None = None
    amount_minor: Minor


class RefundIn(_Told):
    """Money given back for a purchase."""

    id: str
    purchase_id: str
    refunded_on: date
    amount_minor: Minor


class PlanIn(_Told):
    """What was spread on an earlier bill, the one made on `billed_on`, and is paid in parts on those after it."""

    plan_id: str
    billed_on: date
    months: StrictInt
    amount_minor: Minor
    purchase_id: str = ""


class SpreadIn(_Told):
    """What of this bill is spread: all that can be, or the purchase named, or an amount of either."""

    plan_id: str
    on: date
    months: StrictInt
    amount_minor: Annotated[StrictInt, Field(ge=0)] = 0
    purchase_id: str = ""
    paid_minor: Annotated[StrictInt, Field(ge=0)] = 0
    revision: Annotated[StrictInt, Field(ge=1, le=999_999_999)]


class ForwardIn(_Told):
    """What earlier bills hand on to this one; see `core.statement.Forward`."""

    revolving_minor: Minor = 0
    overdue_minor: Minor = 0
    fee_minor: Minor = 0
    credit_minor: Minor = 0


class FiguresIn(_Told):
    """The lender's own figures of the bill: they are checked and never replaced."""

    bill_on: date
    due_on: date
    balance_minor: Minor
    minimum_minor: Minor


class StatementIn(_Told):
    """A bill by what stands on it: purchases and refunds of its cycle, plans that run, and what earlier bills hand on.

    Purchases may be those of other cycles too, as long as `billed` names those that stood on an earlier bill. The bill
    before, from which an amount is handed on, is `before_id` where it has not the id that its month gives.
    """

    due_day: StrictInt
    purchases: tuple[PurchaseIn, ...] = Field((), max_length=MAX_ITEMS)
    refunds: tuple[RefundIn, ...] = Field((), max_length=MAX_ITEMS)
    plans: tuple[PlanIn, ...] = Field((), max_length=MAX_ITEMS)
    billed: tuple[str, ...] = Field((), max_length=MAX_ITEMS)
    forward: ForwardIn = ForwardIn()
    figures: FiguresIn | None = None
    spreads: tuple[SpreadIn, ...] = Field((), max_length=MAX_PAYMENTS)
    obligation_id: str = ""
    before_id: str = ""

    def to_core(self, month: str) -> Bill:
        """Return the bill of the month in the path, such as 2026-08: that of its bill day.

        Raises:
            Rejected: code "bad_month"; "bad_id", where an id is none; "negative_amount", where something handed on is.
        """
        if not _MONTH.fullmatch(month):
            raise Rejected("bad_month", "month", "a month is written as 2026-08, from 1970 to 2199")
        return Bill(
            month=date.fromisoformat(f"{month}-01"),
            due_day=self.due_day,
            purchases=tuple(
                Purchase(
                    checked_id("purchases", each.id),
                    each.bought_on,
                    each.confirmed_on,
                    each.amount_minor,
                )
                for each in self.purchases
            ),
            refunds=tuple(
                Refund(
                    checked_id("refunds", each.id),
                    checked_id("refunds", each.purchase_id),
                    each.refunded_on,
                    each.amount_minor,
                )
                for each in self.refunds
            ),
            running=tuple(
                Running(
                    checked_id("plans", each.plan_id),
                    each.billed_on,
                    each.months,
                    each.amount_minor,
                    _id_or_none("plans", each.purchase_id),
                )
                for each in self.plans
            ),
            billed=frozenset(checked_id("billed", each) for each in self.billed),
            forward=Forward(
                self.forward.revolving_minor,
                self.forward.overdue_minor,
                self.forward.fee_minor,
                self.forward.credit_minor,
            ),
            supplied=None
            if self.figures is None
            else Supplied(
                self.figures.bill_on,
                self.figures.due_on,
                self.figures.balance_minor,
                self.figures.minimum_minor,
            ),
            spreads=tuple(
                Spread(
                    checked_id("spreads", each.plan_id),
                    each.on,
                    each.months,
                    each.amount_minor,
                    _id_or_none("spreads", each.purchase_id),
                    each.paid_minor,
                    each.revision,
                )
                for each in self.spreads
            ),
            obligation_id=_id_or_none("obligation_id", self.obligation_id),
            before_id=_id_or_none("before_id", self.before_id),
        )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _id_or_none(field: str, value: str) -> str:
    return checked_id(field, value) if value else ""
