"""Requests of the HTTP API as pydantic models; each turns into a command of `core.intake`."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt

from betimes.core.borrower import ContactPoint
from betimes.core.errors import Rejected
from betimes.core.ids import is_id
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    PutAccount,
    PutBorrower,
    ReverseRepayment,
)

Minor = StrictInt


class _Request(BaseModel):
    # Strict: JSON has text for dates and whole numbers for amounts, and no value of another type is bent into one.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BorrowerIn(_Request):
    """Who may be contacted, where, in which language and zone."""

    locale: str = Field("zh-CN", max_length=35)
    zone: str = Field("Asia/Shanghai", max_length=64)
    jurisdiction: str = Field("CN", max_length=16)
    email: str | None = None
    phone: str | None = None

    def to_core(self) -> PutBorrower:
        """Return the command; an absent address means the borrower has none."""
        points = [("email", self.email), ("sms", self.phone)]
        return PutBorrower(
            self.locale,
            self.zone,
            self.jurisdiction,
            tuple(ContactPoint(channel, address) for channel, address in points if address),
        )


class AccountIn(_Request):
    """One contract of a borrower."""

    product: str = Field(min_length=1, max_length=64)
    currency: str
    opened_on: date
    limit_minor: Minor = 0

    def to_core(self, account_id: str) -> PutAccount:
        """Return the command for the account called `account_id`."""
        return PutAccount(account_id, self.product, self.currency, self.opened_on, self.limit_minor)


class ObligationIn(_Request):
    """An amount with a due date; instants carry their offset."""

    account_id: str
    seq: StrictInt = 1
    issued_at: AwareDatetime
    due_on: date
    principal_minor: Minor
    amount_minor: Minor
    minimum_minor: Minor = 0

    def to_core(self, obligation_id: str) -> AddObligation:
        """Return the command for the obligation called `obligation_id`."""
        return AddObligation(
            obligation_id,
            checked_id("account_id", self.account_id),
            self.seq,
            self.issued_at,
            self.due_on,
            self.principal_minor,
            self.amount_minor,
            self.minimum_minor,
        )


class RepaymentIn(_Request):
    """Money received for an obligation."""

    obligation_id: str
    account_id: str
    paid_at: AwareDatetime
    amount_minor: Minor
    currency: str = ""

    def to_core(self, repayment_id: str) -> AddRepayment:
        """Return the command for the repayment called `repayment_id`."""
        return AddRepayment(
            repayment_id,
            checked_id("obligation_id", self.obligation_id),
            checked_id("account_id", self.account_id),
            self.paid_at,
            self.amount_minor,
            self.currency,
        )


class ReversalIn(_Request):
    """A repayment taken back."""

    reversed_at: AwareDatetime

    def to_core(self, repayment_id: str) -> ReverseRepayment:
        """Return the command for the repayment called `repayment_id`."""
        return ReverseRepayment(repayment_id, self.reversed_at)


def checked_id(field: str, value: str) -> str:
    """Return `value` if it can be an id.

    Raises:
        Rejected: code "bad_id", naming `field`.
    """
    if not is_id(value):
        raise Rejected("bad_id", field, "an id has 1 to 128 letters, digits or . _ : -")
    return value
