"""Requests of the HTTP API as pydantic models; each turns into a command of `core.intake`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt

from betimes.config import CHANNELS
from betimes.core import keywords, zones
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.consent import Switch
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.ids import is_contact_id, is_id
from betimes.core.inbox import Acknowledged, Sign
from betimes.core.intake import (
    MAX_NAMED,
    MAX_REPORTED,
    AddObligation,
    AddRepayment,
    AmendObligation,
    ChooseEntry,
    LiftHold,
    PutAccount,
    PutBorrower,
    PutFlight,
    PutHold,
    ReportTouches,
    ReverseRepayment,
)
from betimes.core.keywords import Keywords
from betimes.core.pack import CHANNELS as WAYS
from betimes.core.pack import EXCLUSIONS
from betimes.core.permission import Wanted
from betimes.core.preferences import CHANNELS as PREFERRED
from betimes.core.preferences import Preferences
from betimes.core.question import Given, Trigger
from betimes.core.rule import ConsentForm, Party, Purpose, Recipient
from betimes.core.said import (
    MAX_EVIDENCE,
    MAX_STATEMENTS,
    Act,
    Statement,
    TellConsents,
    TellReply,
)
from betimes.core.suppression import Scope
from betimes.core.touch import Direction, Touch
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


def _one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Return the check that a text is one of these words, which the refusal names."""

    def checked(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return checked


_RULE = r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)+"
# Nobody consents to a statutory notice or refuses one, and silence is no form of consent.
SWITCHES = (Switch.REMINDER, Switch.MARKETING)
FORMS = (ConsentForm.OPT_IN, ConsentForm.EXPRESS, ConsentForm.WRITTEN)
# What an app may tell at once, when it comes online again.
MAX_ACKNOWLEDGED = 25
# The longest text that may be asked about: a long e-mail.
MAX_TEXT = 20_000

Minor = StrictInt
Way = Annotated[str, AfterValidator(_one_of(WAYS))]
AnyWay = Annotated[str, AfterValidator(_one_of(("", *WAYS)))]
Exclusion = Annotated[str, AfterValidator(_one_of(EXCLUSIONS))]
Ids = Annotated[tuple[str, ...], Field(max_length=MAX_NAMED)]
Address = Annotated[str, Field(max_length=254)]
Word = Annotated[str, _text(WORD)]
Tag = Annotated[str, Field(pattern=f"^{WORD.pattern}$")]


class _Request(BaseModel):
    # Strict: JSON has text for dates and whole numbers for amounts, and no value of another type is bent into one.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BorrowerIn(_Request):
    """Who may be contacted, where, in which language and zone.

    `zone` "" says that it is unknown; without one a borrower of CN lives in Asia/Shanghai, any other in an unknown
    zone. An unconfirmed address is kept and not used until it is told again without the mark.
    `push_endpoint` is the ARN of the phone's platform endpoint at SNS.
    """

    locale: str = Field("zh-CN", pattern=f"^{LOCALE.pattern}$")
    zone: str | None = Field(None, max_length=64)
    jurisdiction: str = Field("CN", pattern=f"^{JURISDICTION.pattern}$")
    email: str | None = None
    phone: str | None = None
    push_endpoint: str | None = None
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
            ("push", self.push_endpoint, False),
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


class PreferencesIn(_Request):
    """What a borrower asks of us; what is left out is no wish. Times are by the clock of the borrower's zone."""

    channels: tuple[Word, ...] = Field((), max_length=len(PREFERRED))
    quiet_from: time | None = None
    quiet_until: time | None = None
    language: str = Field("", max_length=35)
    one_reminder: bool = False
    digest: bool = False

    def to_core(self) -> Preferences:
        """Return the wishes, not checked yet against what there is."""
        return Preferences(
            self.channels,
            self.quiet_from,
            self.quiet_until,
            self.language,
            one_reminder=self.one_reminder,
            digest=self.digest,
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


class TouchIn(_Request):
    """One contact or try that the platform did not make itself; `channel` is one of `core.pack.CHANNELS`.

    `by` is the id of who did it, "" the lender. `number` is the plain number (E.164) or address, of which only a token
    is kept.
    """

    id: str
    at: AwareDatetime
    channel: Way
    direction: Direction = Direction.OUT
    attempt: bool = True
    connected: bool = False
    conversation: bool = False
    message_left: bool = False
    party: Party = Party.FIRST
    by: str = ""
    debts: Ids = ()
    accounts: Ids = ()
    products: tuple[Tag, ...] = Field((), max_length=MAX_NAMED)
    number: Address = ""
    recipient: Recipient = Recipient.BORROWER
    excluded: tuple[Exclusion, ...] = ()
    purpose: Purpose = Purpose.OVERDUE

    def to_core(self) -> Touch:
        """Return the touch, without its number.

        Raises:
            Rejected: code "bad_id".
        """
        return Touch(
            id=checked_id("id", self.id),
            at=self.at.astimezone(UTC),
            channel=self.channel,
            direction=self.direction,
            attempt=self.attempt,
            connected=self.connected,
            conversation=self.conversation,
            message_left=self.message_left,
            party=self.party,
            by=_id_or_none("by", self.by),
            debts=_ids("debts", self.debts),
            accounts=_ids("accounts", self.accounts),
            products=self.products,
            recipient=self.recipient,
            excluded=self.excluded,
            purpose=self.purpose,
        )


class TouchesIn(_Request):
    """What has been between one borrower and others: agents, agencies, the borrower's own calls."""

    touches: tuple[TouchIn, ...] = Field(min_length=1, max_length=MAX_REPORTED)

    def to_core(self) -> ReportTouches:
        """Return the command.

        Raises:
            Rejected: code "bad_id" or "bad_phone"; the field names the touch.
        """
        touches, addresses = [], []
        for n, each in enumerate(self.touches):
            try:
                touches.append(each.to_core())
                addresses.append(phones.checked_address(each.channel, each.number))
            except Rejected as bad:
                raise Rejected(bad.code, f"touches.{n}.{bad.field}", bad.message) from None
        return ReportTouches(tuple(touches), tuple(addresses))


class AcknowledgementIn(_Request):
    """What the lender's app tells of one message of the inbox, or of one push message: `shown` (it arrived on the
    phone), `seen`, `dismissed` or `opened`. `attempt` 0 is whichever was the last.
    """

    contact_id: str = Field(max_length=128)
    sign: Annotated[str, AfterValidator(_one_of(tuple(Sign)))]
    at: AwareDatetime
    attempt: Annotated[StrictInt, Field(ge=0, le=MAX_SEQ)] = 0

    def to_core(self) -> Acknowledged:
        """Return what is told.

        Raises:
            Rejected: code "bad_id".
        """
        if not is_contact_id(self.contact_id):
            raise Rejected("bad_id", "contact_id", "the id of a contact stands in its message")
        return Acknowledged(self.contact_id, Sign(self.sign), self.at.astimezone(UTC), self.attempt)


class AcknowledgementsIn(_Request):
    """What the lender's app tells of messages to one borrower."""

    acknowledgements: tuple[AcknowledgementIn, ...] = Field(
        min_length=1, max_length=MAX_ACKNOWLEDGED
    )

    def to_core(self) -> tuple[Acknowledged, ...]:
        """Return what is told, in order.

        Raises:
            Rejected: code "bad_id"; the field names the acknowledgement.
        """
        found = []
        for n, each in enumerate(self.acknowledgements):
            try:
                found.append(each.to_core())
            except Rejected as bad:
                raise Rejected(bad.code, f"acknowledgements.{n}.{bad.field}", bad.message) from None
        return tuple(found)


class ConsentIn(_Request):
    """What a person agreed to, refused or took back; `revoke` and `lift` name the id of what they end.

    `switch` is what it is about. `channel` and `address` "" are any; of the plain address only a token is kept.
    """

    id: str
    act: Act
    at: AwareDatetime
    switch: Annotated[str, AfterValidator(_one_of(SWITCHES))] = Switch.REMINDER.value
    channel: AnyWay = ""
    address: Address = ""
    form: Annotated[str, AfterValidator(_one_of(FORMS))] = ConsentForm.OPT_IN.value
    evidence: str = Field("", max_length=MAX_EVIDENCE)
    by: str = ""
    language: Annotated[str, _text(LOCALE)] = ""
    valid_until: AwareDatetime | None = None

    def to_core(self) -> Statement:
        """Return the statement.

        Raises:
            Rejected: code "bad_id" or "bad_phone".
        """
        return Statement(
            id=checked_id("id", self.id),
            act=self.act,
            at=self.at.astimezone(UTC),
            switch=Switch(self.switch),
            channel=self.channel,
            address=_plain(self.channel, self.address),
            form=ConsentForm(self.form),
            evidence=self.evidence,
            by=_id_or_none("by", self.by),
            language=self.language,
            valid_until=None if self.valid_until is None else self.valid_until.astimezone(UTC),
        )


class ConsentsIn(_Request):
    """What one borrower agreed to, refused or took back, in the order in which it is to be applied."""

    consents: tuple[ConsentIn, ...] = Field(min_length=1, max_length=MAX_STATEMENTS)

    def to_core(self) -> TellConsents:
        """Return the command; what is wrong with one statement goes along with the others, since they may refuse.

        Raises:
            Rejected: code "bad_id" or "bad_phone"; the field names the statement, of which there is no good one.
        """
        statements: list[Statement] = []
        unread: Rejected | None = None
        for n, each in enumerate(self.consents):
            try:
                statements.append(each.to_core())
            except Rejected as bad:
                field = f"consents.{n}.{bad.field}"
                unread = unread or Rejected(bad.code, field, bad.message)
        if unread is not None and not statements:
            raise unread
        return TellConsents(tuple(statements), unread)


class SuppressionIn(_Request):
    """An address that is to be closed for a scope, and who asks for it and why. The address is not kept."""

    channel: Way
    address: Address
    scope: Annotated[str, AfterValidator(_one_of(tuple(Scope)))] = Scope.ALL
    by: Annotated[str, Field(max_length=200)]
    reason: Annotated[str, Field(max_length=200)]

    @property
    def plain(self) -> str:
        """The number or address as it was told.

        Raises:
            Rejected: code "bad_phone".
        """
        return _plain(self.channel, self.address)


class ReleaseIn(_Request):
    """An address that is to be released, named by itself or by its `index` in the list; without `scope` for all."""

    channel: Way
    address: Address = ""
    index: Annotated[str, Field(pattern="^(x_[0-9a-f]{32})?$")] = ""
    scope: Annotated[str, AfterValidator(_one_of(("", *Scope)))] = ""
    by: Annotated[str, Field(max_length=200)]
    reason: Annotated[str, Field(max_length=200)]

    @property
    def plain(self) -> str:
        """The number or address as it was told, "" where the index names it.

        Raises:
            Rejected: code "bad_phone", or "bad_request" where not exactly one of the two names it.
        """
        if bool(self.address) == bool(self.index):
            raise Rejected("bad_request", "address", "name the address or its index, one of them")
        return _plain(self.channel, self.address) if self.address else ""


class ReplyIn(_Request):
    """What a borrower answered; `message_id` is the provider's. `address` is where the answer came from, plain; only a
    token of it is kept, and of the text nothing but the keyword that decided. A text that is longer than can be read
    is for a person.
    """

    message_id: str
    at: AwareDatetime
    channel: Way
    address: Address = ""
    text: str = ""

    def to_core(self, words: Keywords) -> TellReply:
        """Return the command, with the answer as it is read by `words`.

        Raises:
            Rejected: code "bad_id" or "bad_phone".
        """
        return TellReply(
            message_id=checked_id("message_id", self.message_id),
            channel=self.channel,
            address=_plain(self.channel, self.address),
            at=self.at.astimezone(UTC),
            reply=_read(self.text, words),
        )


class GivenIn(_Request):
    """A notice that was given: the rule by which it was owed, and when."""

    rule_id: Annotated[str, Field(pattern=f"^{_RULE}$")]
    at: AwareDatetime


class TriggerIn(_Request):
    """What a notice hangs on, such as "due" or "debit", and when it is or was."""

    kind: Annotated[str, Field(pattern="^[a-z][a-z_]{0,47}$")]
    at: AwareDatetime


class WantedIn(_Request):
    """A contact that somebody wants to make now; with `reserve`, room for it is kept under `touch_id`.

    What is left out makes the answer stricter. `text` is the message with its subject, for the rules about words.
    """

    channel: Way
    purpose: Purpose
    touch_id: str = ""
    reserve: bool = False
    party: Party = Party.FIRST
    by: str = ""
    debts: Ids = ()
    number: Address = ""
    recipient: Recipient = Recipient.BORROWER
    reveals_debt: bool = True
    borrower_unreachable: bool = False
    agreed_hours: bool = False
    language: Annotated[str, _text(LOCALE)] = ""
    text: str = Field("", max_length=MAX_TEXT)
    notices_given: tuple[GivenIn, ...] = Field((), max_length=MAX_NAMED)
    triggers: tuple[TriggerIn, ...] = Field((), max_length=MAX_NAMED)

    def to_core(self) -> Wanted:
        """Return what is wanted, with the zones of the number's area.

        Raises:
            Rejected: code "bad_id" or "bad_phone".
        """
        number = phones.checked_address(self.channel, self.number)
        return Wanted(
            channel=self.channel,
            purpose=self.purpose,
            touch_id=_id_or_none("touch_id", self.touch_id),
            reserve=self.reserve,
            party=self.party,
            by=_id_or_none("by", self.by),
            debts=_ids("debts", self.debts),
            address=number,
            number_zones=phones.zones_of(number) if number else (),
            recipient=self.recipient,
            reveals_debt=self.reveals_debt,
            borrower_unreachable=self.borrower_unreachable,
            agreed_hours=self.agreed_hours,
            language=self.language,
            text=self.text,
            notices_given=tuple(
                Given(each.rule_id, each.at.astimezone(UTC)) for each in self.notices_given
            ),
            triggers=tuple(Trigger(each.kind, each.at.astimezone(UTC)) for each in self.triggers),
        )


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


def _ids(field: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(checked_id(field, value) for value in values)


def _read(text: str, words: Keywords) -> keywords.Reply:
    """Return what an answer means. One that is too long may say anything where it is cut: it is UNSURE, never lost."""
    if len(text) > MAX_TEXT:
        return keywords.Reply(keywords.Meaning.UNSURE)
    return keywords.read(text, words)


def _plain(channel: str, address: str) -> str:
    """Return a number or an address as it was told.

    Raises:
        Rejected: code "bad_phone", field "address".
    """
    try:
        return phones.checked_address(channel, address)
    except Rejected as bad:
        raise Rejected(bad.code, "address", bad.message) from None


def _check_zone(field: str, name: str) -> None:
    try:
        zones.zone(name)
    except Rejected as rejected:
        raise Rejected(rejected.code, field, rejected.message) from None
