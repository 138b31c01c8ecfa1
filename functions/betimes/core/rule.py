"""Rules of contact as data: what a law, a code of conduct or a carrier says, since when, on whose word, and how far it
is enforced.

A pack is all rules of one jurisdiction; a pack may refine another one (a country its region, a region its city).
Nothing here decides anything: `core.law` asks rules about a contact, `core.pack` reads them from TOML and refuses what
is wrong.

Source: the forms follow the knowledge base's `domain/rules.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from betimes.core.values import dataclass


class Kind(StrEnum):
    """What a rule is about."""

    WINDOW = "window"
    CAP = "cap"
    COOLOFF = "cooloff"
    NOTICE = "notice"
    SUPPRESS = "suppress"
    CONSENT = "consent"
    CONTENT = "content"
    RECIPIENT = "recipient"
    DEBIT = "debit"
    RETAIN = "retain"
    CALC = "calc"


# Kinds that can only make us quieter: enforced on secondary or unverified word too, if the pack says "cautious".
QUIETER = frozenset(
    {
        Kind.WINDOW,
        Kind.CAP,
        Kind.COOLOFF,
        Kind.SUPPRESS,
        Kind.CONSENT,
        Kind.RECIPIENT,
        Kind.CONTENT,
        Kind.DEBIT,
        Kind.RETAIN,
    }
)


class Party(StrEnum):
    """Who contacts: the lender itself, or somebody who collects for it or bought the debt."""

    FIRST = "first"
    THIRD = "third"


class Stage(StrEnum):
    """Where a debt stands in law. Contact before the due day is service, after it is collection."""

    PRE_DUE = "pre_due"
    DUE_DAY = "due_day"
    GRACE = "grace"
    OVERDUE = "overdue"
    DEFAULT_NOTICE = "default_notice"
    CHARGED_OFF = "charged_off"
    MORATORIUM = "moratorium"


class Purpose(StrEnum):
    """What a contact is for, in order of priority for the budget of a person, the first before all others.

    `MARKETING` is no reminder: it exists so that an opt-out of marketing has something to stop, and stops nothing else.
    """

    STATUTORY = "statutory"
    PRE_DEBIT = "pre_debit"
    OVERDUE = "overdue"
    COURTESY = "courtesy"
    MARKETING = "marketing"


class Force(StrEnum):
    """What stands behind a rule."""

    LAW = "law"
    REGULATION = "reg"
    STANDARD = "standard"
    SELF_REGULATION = "self_reg"
    CONTRACT = "contract"
    PLATFORM = "platform"
    HOUSE = "house"


class Status(StrEnum):
    """How well the text of a rule is known: read; known from others; common knowledge only; a draft or of doubtful
    scope.
    """

    VERIFIED = "verified"
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"
    DRAFT = "draft"


class Enforce(StrEnum):
    """How far a rule binds. `HARD`: on verified word, or signed for by name. `CAUTIOUS`: it makes us quieter on word
    that is not verified, and every decision says so. `SHOWN`: it is evaluated and recorded and stops nothing. `OFF`: it
    is in the book and not evaluated.
    """

    HARD = "hard"
    CAUTIOUS = "cautious"
    SHOWN = "shown"
    OFF = "off"

    @property
    def binds(self) -> bool:
        """Whether a rule enforced so can stop or demand anything."""
        return self in (Enforce.HARD, Enforce.CAUTIOUS)


class Where(StrEnum):
    """Whose clock a window or a day means: each place the consumer may be, the postal address, the number's area, or
    one zone the rule names.
    """

    CONSUMER = "consumer_location"
    ADDRESS = "address"
    NUMBER = "number"
    FIXED = "fixed"


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Span:
    """Hours of one day, local time. `opens` is inside; `closes` is where `closes_inclusive` says so. `closes` None: to
    the end of the day.
    """

    opens: time
    closes: time | None
    closes_inclusive: bool = False


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """Contact is allowed only in these hours, by the clock of `where`.

    `days` has the spans of each of `WEEKDAYS`, and of `HOLIDAY` where holidays (of `calendar`) differ from their
    weekday; no spans: closed all day. `unless_agreed`: a consumer who agreed to other hours is not bound by it.
    `dpd_at_most` / `dpd_at_least`: it binds only debts that many days past due; None: any.
    """

    days: Mapping[str, tuple[Span, ...]]
    where: Where = Where.CONSUMER
    zone: str = ""
    calendar: str = ""
    unless_agreed: bool = False
    dpd_at_least: int | None = None
    dpd_at_most: int | None = None


class Unit(StrEnum):
    """What a cap counts. An attempt is any try, also an unanswered one; connected: somebody answered; conversation: the
    debt was spoken of with the borrower; message: one that was left, or a text that was submitted; any: each of them.
    """

    ATTEMPT = "attempt"
    CONNECTED = "connected"
    CONVERSATION = "conversation"
    MESSAGE = "message"
    ANY = "any"


class Per(StrEnum):
    """Over which time a cap counts: one civil day; any `n` seconds on end; any `n` civil days on end, first to last."""

    CALENDAR_DAY = "calendar_day"
    ROLLING = "rolling"
    CONSECUTIVE_DAYS = "consecutive_days"


class ProductKind(StrEnum):
    """What a product is in the eyes of the law, where a rule is about such products and no others.

    `packs/rules` name these words in `products`. One product may be several of them, and of some countries only.
    """

    BNPL = "bnpl"  # deferred payment credit, buy now and pay later
    CARD = "card"  # a credit card, or a credit card account under an open-end plan
    COVERED_LOAN = "covered_loan"  # US, 12 CFR 1041.3: short-term, balloon and high-cost loans
    FIXED_SUM = "fixed_sum"  # GB: a regulated agreement for fixed-sum credit
    OPEN_END = "open_end"  # US: open-end credit without a grace period
    OPEN_END_GRACE = "open_end_grace"  # US: open-end credit with a grace period
    RUNNING_ACCOUNT = "running_account"  # GB: a regulated agreement for running-account credit
    SHORT_TERM = "short_term"  # GB: high-cost short-term credit
    SINGLE = "single"  # CN: a loan paid back in one sum at its end


class Scope(StrEnum):
    """About what a cap or a cool-off counts together."""

    DEBT = "debt"
    ACCOUNT = "account"
    PRODUCT = "product"
    PERSON = "person"
    NUMBER = "number"
    ADDRESS = "address"


class Pool(StrEnum):
    """Whose contacts count together: the asking party's own; the lender's and its agencies'; everybody's on record."""

    OWN = "own"
    LENDER = "lender"
    LENDER_AND_AGENCIES = "lender+agencies"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class CapTerms:
    """At most `most` of `unit` per `per` (`n` days or seconds), counted together by `scope` and `pool`.

    `counted` are the channels that count, empty: those the rule applies to. `excludes` names reasons for which a
    contact does not count ("consented", "out_of_service", "attorney"). `zone`: the zone of the civil day, "": the
    consumer's.
    """

    most: int
    unit: Unit
    per: Per
    scope: Scope
    n: int = 1
    pool: Pool = Pool.ALL
    counted: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    zone: str = ""


class CooloffAfter(StrEnum):
    """What a cool-off starts from."""

    CONVERSATION = "conversation"
    CURE = "cure"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class CooloffTerms:
    """No contact for `days` civil days, of which the day of the event is the first; an inbound call starts it too."""

    after: CooloffAfter
    days: int
    scope: Scope
    zone: str = ""


class NoticeUnit(StrEnum):
    """In what the time of a notice is counted."""

    HOURS = "hours"
    DAYS = "days"
    BUSINESS_DAYS = "business_days"


class Bound(StrEnum):
    """On which side of its anchor a notice stands: at least so long before it, or at most so long after it."""

    AT_LEAST_BEFORE = "at_least_before"
    AT_MOST_AFTER = "at_most_after"


@dataclass(frozen=True, slots=True)
class NoticeTerms:
    """A notice that must be given. `trigger` names the event ("due", "debit", "arrears", "negative_report", ...).

    AT_LEAST_BEFORE: given `n` units or more before the trigger. AT_MOST_AFTER: within `n` units of it, where
    `trigger_is_day_one` counts the day of the trigger as the first. `content` are the words for what it must hold.
    `bypasses` names what cannot stop it: "cap", "optout" (by another permitted medium where that channel is closed).
    """

    trigger: str
    bound: Bound
    n: int
    unit: NoticeUnit
    trigger_is_day_one: bool = False
    content: tuple[str, ...] = ()
    bypasses: tuple[str, ...] = ("cap", "optout")


class Stops(StrEnum):
    """What an event stops: reminders before anything is late, everything but statutory notices, or all."""

    COURTESY = "courtesy"
    COLLECTION = "collection"
    ALL_BUT_STATUTORY = "all_but_statutory"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class SuppressTerms:
    """Contact stops while one of `events` is on record (kinds of `core.hold`); `days` bounds it from its start, 0:
    while it lasts.
    """

    events: tuple[str, ...]
    stops: Stops = Stops.ALL_BUT_STATUTORY
    days: int = 0


class ConsentForm(StrEnum):
    """What counts as consent, weakest first."""

    NOT_REFUSED = "not_refused"
    OPT_IN = "opt_in"
    EXPRESS = "express"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """Contact for `purposes` needs consent of at least `form`; a revocation counts within `revoked_within_days`
    business days at the latest (we: at once) and reaches `reach` ("address", "channel", "topic", "sender", "all").
    """

    form: ConsentForm
    purposes: tuple[Purpose, ...]
    revoked_within_days: int = 0
    reach: str = "channel"
    keywords: tuple[str, ...] = ()
    valid_days: int = 0


@dataclass(frozen=True, slots=True)
class ContentTerms:
    """Words that a message must or must not hold. `must` are alternatives by language: one of each entry is enough.

    `must` and `must_not` map a language ("zh-CN", "en", "*" any) to phrases; matched without case, width and spacing.
    """

    must: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    must_not: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    disclosure: str = ""


class Recipient(StrEnum):
    """Who is spoken to."""

    BORROWER = "borrower"
    GUARANTOR = "guarantor"
    SPOUSE_LIABLE = "spouse_liable"
    CONTACT = "contact"
    ATTORNEY = "attorney"
    EMPLOYER = "employer"


@dataclass(frozen=True, slots=True)
class RecipientTerms:
    """Who may be spoken to. `if_unreachable`: who else where the borrower cannot be reached; `reveal_debt` whether
    these may learn of the debt; `max_contacts` how often each of them, 0: no number.
    """

    allowed: tuple[Recipient, ...]
    if_unreachable: tuple[Recipient, ...] = ()
    reveal_debt: bool = False
    max_contacts: int = 0
    unreachable_misses: int = 0


@dataclass(frozen=True, slots=True)
class DebitTerms:
    """Limits of auto-debits: failures in a row (counted per `scope`), attempts anew of one returned entry within
    `window_days`. 0: no limit.
    """

    max_consecutive_failures: int = 0
    max_representments: int = 0
    window_days: int = 0
    scope: Scope = Scope.PERSON


@dataclass(frozen=True, slots=True)
class RetainTerms:
    """How long records of `what` are kept, in months; 0: no bound on that side."""

    what: str
    min_months: int = 0
    max_months: int = 0


@dataclass(frozen=True, slots=True)
class CalcTerms:
    """Figures that a product profile must keep to: `parameter` of `core.product.Profile` (or a name of the reference)
    lies between `at_least` and `at_most`, or is one of `one_of`.
    """

    parameter: str
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    one_of: tuple[str, ...] = ()


Terms = (
    WindowTerms
    | CapTerms
    | CooloffTerms
    | NoticeTerms
    | SuppressTerms
    | ConsentTerms
    | ContentTerms
    | RecipientTerms
    | DebitTerms
    | RetainTerms
    | CalcTerms
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It applies to a contact whose party, stage, purpose, channel and product are among those named (empty:
    any), on a day from `effective_from` until before `effective_to` (None: until further notice), by the consumer's
    calendar.

    `pack` is the jurisdiction whose file it stands in, such as "US-MA". `signed_by` names who answers for enforcing it
    on word that is not verified, "" where nobody does.
    """

    id: str
    title: str
    pack: str
    kind: Kind
    terms: Terms
    parties: frozenset[Party]
    stages: frozenset[Stage]
    purposes: frozenset[Purpose]
    channels: frozenset[str]
    products: frozenset[str]
    effective_from: date
    effective_to: date | None
    force: Force
    status: Status
    enforce: Enforce
    citation: str
    source: str = ""
    note: str = ""
    signed_by: str = ""

    def is_about(self, product: str, kinds: Iterable[str]) -> bool:
        """Return whether the rule is about a product that is called `product` and that the law knows as `kinds`; also
        where nobody knows which product it is ("").
        """
        return (
            not self.products
            or product in ("", *self.products)
            or not self.products.isdisjoint(kinds)
        )

    def is_in_force(self, on: date) -> bool:
        """Return whether the rule is in force on the day `on`: on the first day yes, on `effective_to` no more."""
        return self.effective_from <= on and (self.effective_to is None or on < self.effective_to)


@dataclass(frozen=True, slots=True)
class Residency:
    """Where data of a pack's borrowers may live: AWS partitions ("aws", "aws-cn") and regions, empty: any. Cited like a
    rule.
    """

    partitions: tuple[str, ...]
    regions: tuple[str, ...]
    status: Status
    enforce: Enforce
    citation: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who answers for a pack, since which day, and the digest of what the pack said then (`core.sign_off.digest`)."""

    by: str
    on: date
    digest: str


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one jurisdiction. `refines` is the pack it narrows, "" for a country; `phones` are the prefixes of
    numbers that belong to it, such as "+86"; `zones` the zones somebody may live in of whom nothing else is known.
    `sha256` is the hash of its file's text, `signed` who answers for what it says, None: nobody. The rules of a
    `fallback` pack hold only where a jurisdiction has no pack of its own: they never narrow one that has. `covers` are
    countries for which a pack of several stands while they have none of their own, such as "DE" for "EU".
    """

    name: str
    title: str
    refines: str
    zones: tuple[str, ...]
    phones: tuple[str, ...]
    calendar: str
    rules: tuple[Rule, ...]
    residency: Residency | None = None
    sha256: str = ""
    fallback: bool = False
    covers: tuple[str, ...] = ()
    signed: Signature | None = None
