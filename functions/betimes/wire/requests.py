"""Requests of the HTTP API as pydantic models; each turns into a command of `core.intake`."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt

from betimes.config import CHANNELS
from betimes.core import zones
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.ids import is_id
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    AmendObligation,
    ChooseEntry,
    LiftHold,
    PutAccount,
    PutBorrower,
    PutFlight,
    PutHold,
    ReverseRepayment,
)
from betimes.wire import phones
from betimes.wire.cells import (
    CREDITOR,
    JURISDICTION,
    LOCALE,
    MAX_SEQ,
    MAX_TAGS,
    MAX_ZONES,
    RATE,
    TAIL,
    WORD,
)

# Where a borrower lives of whose zone nothing is told: China has one by law.
_ZONE_OF = {"CN": "Asia/Shanghai"}
_REVISION = re.compile(r"[0-9]{1,9}", re.ASCII)


def _text(form: re.Pattern[str]) -> object:
    """Return the field of a text of this form, or of none; pydantic's `$` does not look past a line feed."""
    return Field(pattern=f"^(?:{form.pattern})?$")


Minor = StrictInt
Word = Annotated[str, _text(WORD)]
Tag = Annotated[str, Field(pattern=f"^{WORD.pattern}$")]


class _Request(BaseModel):
    # Strict: JSON has text for dates and whole numbers for amounts, and no value of another type is bent into one.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BorrowerIn(_Request):
    """Who may be contacted, where, in which language and zone.

    `zone` "" says that it is unknown; without one a borrower of CN lives in Asia/Shanghai, any other in an unknown
    zone. An unconfirmed address is kept and not used until it is told again without the mark.
    """

    locale: str = Field("zh-CN", pattern=f"^{LOCALE.pattern}$")
    zone: str | None = Field(None, max_length=64)
    jurisdiction: str = Field("CN", pattern=f"^{JURISDICTION.pattern}$")
    email: str | None = None
    phone: str | None = None
    email_unconfirmed: bool = False
    phone_unconfirmed: bool = False
    zone_evidence: tuple[str, ...] = Field((), max_length=MAX_ZONES)
    tags: tuple[Tag, ...] = Field((), max_length=MAX_TAGS)
    score_band: Word = ""

    def to_core(self) -> PutBorrower:
        """Return the command; an absent address means the borrower has none.

        Raises:
            Rejected: code "unknown_zone", where a further zone is none.
        """
        zone = _ZONE_OF.get(self.jurisdiction, "") if self.zone is None else self.zone
        for name in self.zone_evidence:
            _check_zone("zone_evidence", name)
        points = [
            ("email", self.email, self.email_unconfirmed),
            ("sms", self.phone, self.phone_unconfirmed),
        ]
        return PutBorrower(
            self.locale,
            zone,
            self.jurisdiction,
            tuple(
                ContactPoint(
                    channel,
                    address,
                    PointState.UNCONFIRMED if unconfirmed else PointState.ACTIVE,
                )
                for channel, address, unconfirmed in points
                if address
            ),
            phones.joined(zone, self.zone_evidence, self.phone or ""),
            tuple(dict.fromkeys(self.tags)),
            self.score_band,
        )


class AccountIn(_Request):
    """One contract of a borrower.

    `daily_rate` is decimal text such as "0.0005". `mandate` is the tail of the card or account that is debited, never
    the whole number.
    """

    product: Tag
    currency: str
    opened_on: date
    limit_minor: Minor = 0
    daily_rate: Annotated[str, Field(pattern=f"^{RATE.pattern}$")] = "0"
    mandate: Annotated[str, _text(TAIL)] = ""
    creditor: Annotated[str, _text(CREDITOR)] = ""

    def to_core(self, account_id: str) -> PutAccount:
        """Return the command for the account called `account_id`."""
        return PutAccount(
            account_id,
            self.product,
            self.currency,
            self.opened_on,
            self.limit_minor,
            Decimal(self.daily_rate),
            self.mandate,
            self.creditor,
        )


class ObligationIn(_Request):
    """An amount with a due date; instants carry their offset."""

    account_id: str
    seq: Annotated[StrictInt, Field(ge=1, le=MAX_SEQ)] = 1
    issued_at: AwareDatetime
    due_on: date
    principal_minor: Minor
    amount_minor: Minor
    minimum_minor: Minor = 0
    fee_minor: Minor = 0

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
            self.fee_minor,
        )


class AmendmentIn(_Request):
    """What an obligation comes to from now on, whole: not what is to be added to it."""

    due_on: date
    principal_minor: Minor
    amount_minor: Minor
    minimum_minor: Minor = 0
    fee_minor: Minor = 0
    aged_from: date | None = None

    def to_core(self, obligation_id: str, revision: str) -> AmendObligation:
        """Return the command; `revision` is the number in the path.

        Raises:
            Rejected: code "bad_revision", if it is no number.
        """
        if not _REVISION.fullmatch(revision):
            raise Rejected(
                "bad_revision", "revision", "amendments are counted from 1, in at most 9 digits"
            )
        return AmendObligation(
            obligation_id,
            int(revision),
            self.due_on,
            self.principal_minor,
            self.amount_minor,
            self.minimum_minor,
            self.fee_minor,
            self.aged_from,
        )


class EntryIn(_Request):
    """From which day on the steps of a debt may speak that was overdue when it was first told."""

    entry_on: date

    def to_core(self, obligation_id: str) -> ChooseEntry:
        """Return the command for the obligation called `obligation_id`."""
        return ChooseEntry(obligation_id, self.entry_on)


class RepaymentIn(_Request):
    """Money received for an obligation, or, where none is named, for what the account owes in its product's order."""

    obligation_id: str = ""
    account_id: str
    paid_at: AwareDatetime
    amount_minor: Minor
    currency: str = ""
    credit: bool = False

    def to_core(self, repayment_id: str) -> AddRepayment:
        """Return the command for the repayment called `repayment_id`."""
        return AddRepayment(
            repayment_id,
            _id_or_none("obligation_id", self.obligation_id),
            checked_id("account_id", self.account_id),
            self.paid_at,
            self.amount_minor,
            self.currency,
            self.credit,
        )


class ReversalIn(_Request):
    """A repayment taken back."""

    reversed_at: AwareDatetime

    def to_core(self, repayment_id: str) -> ReverseRepayment:
        """Return the command for the repayment called `repayment_id`."""
        return ReverseRepayment(repayment_id, self.reversed_at)


class FlightIn(_Request):
    """Money under way, told again with each state it gets to; `at` is when it got there.

    `expected_by` may be left out once it has settled or failed. `reason` is the provider's code for a failure.
    """

    account_id: str
    obligation_id: str = ""
    means: Means
    amount_minor: Minor
    state: FlightState
    at: AwareDatetime
    expected_by: AwareDatetime | None = None
    reason: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,64}$")] = ""

    def to_core(self, flight_id: str) -> PutFlight:
        """Return the command for the flight called `flight_id`.

        Raises:
            Rejected: code "bad_request", if it is still under way and nobody says when its result is expected.
        """
        return PutFlight(
            flight_id,
            checked_id("account_id", self.account_id),
            _id_or_none("obligation_id", self.obligation_id),
            self.means,
            self.amount_minor,
            self.state,
            self.at,
            self._expected_by(),
            self.reason,
        )

    def _expected_by(self) -> datetime:
        if self.state in (FlightState.SETTLED, FlightState.FAILED):
            # The result is there, be it later than was expected.
            return max(self.at, self.expected_by or self.at)
        if self.expected_by is None:
            raise Rejected(
                "bad_request", "expected_by", f"expected_by: needed as long as it is {self.state}"
            )
        return self.expected_by


class HoldIn(_Request):
    """A stop of contact from `starts_at` on, which may lie in the past; with nothing named, of the whole borrower."""

    kind: Kind
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    account_id: str = ""
    obligation_id: str = ""
    channel: str = ""
    promise_minor: Minor = 0
    promise_on: date | None = None
    owner: str = ""

    def to_core(self, hold_id: str) -> PutHold:
        """Return the command for the hold called `hold_id`.

        Raises:
            Rejected: code "bad_id", or "bad_hold" where there is no such channel.
        """
        if self.channel not in ("", *CHANNELS):
            raise Rejected("bad_hold", "channel", f"a channel is one of {', '.join(CHANNELS)}")
        return PutHold(
            hold_id,
            self.kind,
            self.starts_at,
            self.ends_at,
            _id_or_none("account_id", self.account_id),
            _id_or_none("obligation_id", self.obligation_id),
            self.channel,
            self.promise_minor,
            self.promise_on,
            _id_or_none("owner", self.owner),
        )


class LiftIn(_Request):
    """The end of a hold that had none, or had a later one."""

    lifted_at: AwareDatetime

    def to_core(self, hold_id: str) -> LiftHold:
        """Return the command for the hold called `hold_id`."""
        return LiftHold(hold_id, self.lifted_at)


class FeedIn(_Request):
    """Up to when everything that was paid has been told."""

    complete_until: AwareDatetime


def checked_id(field: str, value: str) -> str:
    """Return `value` if it can be an id.

    Raises:
        Rejected: code "bad_id", naming `field`.
    """
    if not is_id(value):
        raise Rejected("bad_id", field, "an id has 1 to 128 letters, digits or . _ : -")
    return value


def _id_or_none(field: str, value: str) -> str:
    return checked_id(field, value) if value else ""


def _check_zone(field: str, name: str) -> None:
    try:
        zones.zone(name)
    except Rejected as rejected:
        raise Rejected(rejected.code, field, rejected.message) from None
