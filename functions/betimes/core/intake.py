"""Taking in what lenders tell us: each command turns a borrower's pages into new pages, or is rejected with the reason.

Ids come from the source, so the same command twice changes nothing. The same id with other content is rejected, except
for borrowers and accounts, which are replaced. A repayment whose obligation is not known yet is kept and matched when
the obligation arrives; money is never turned away because of the order in which files arrive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from betimes.core import agenda, ids, money, said, zones
from betimes.core.book import Pages, Snapshot, contract_rate, debts_of, receipt_of
from betimes.core.borrower import Account, Borrower, ContactPoint, PointState
from betimes.core.budget import KEEP, lasts, token_of
from betimes.core.errors import Rejected
from betimes.core.flight import RANK, Flight, FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Watch
from betimes.core.policies import Policies
from betimes.core.preferences import NONE, Preferences
from betimes.core.product import MAX_DAILY_RATE, PLAIN, Profile, Roll
from betimes.core.replay import Standing, replay
from betimes.core.rule import Unit
from betimes.core.said import TellConsents, TellReply
from betimes.core.touch import Touch
from betimes.core.values import dataclass, replace
from betimes.core.workdays import rolled

# How far a source's clock may run ahead of ours before its payment counts as not yet made.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Waiting repayments credited in one go; what is left over is credited when the obligation is told again.
MAX_MATCHED = 40
# Open obligations of one account: a payment may change all of them, and one transaction must hold the change.
MAX_OPEN = 72
# How far the clock of somebody who reports a touch may run ahead of ours.
TOUCH_TOLERANCE = timedelta(minutes=10)
# Touches that one report may tell of.
MAX_REPORTED = 50
# Debts, accounts, products or exclusions that one touch may name of each.
MAX_NAMED = 32
# Longer than the ARN of any platform endpoint.
MAX_ENDPOINT = 512
# Beyond these a date or an amount is a typing error; calendar and stores hold what lies within exactly.
YEARS = range(1970, 2200)
MAX_MINOR = 10**15


@dataclass(frozen=True, slots=True)
class PutBorrower:
    """Create or replace what is known of a person. Addresses not named are forgotten, blocked ones are not."""

    locale: str
    zone: str
    jurisdiction: str
    contact_points: tuple[ContactPoint, ...]
    zone_evidence: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    score_band: str = ""


@dataclass(frozen=True, slots=True)
class PutAccount:
    """Create or replace an account; see `core.borrower.Account` for what the fields mean."""

    account_id: str
    product: str
    currency: str
    opened_on: date
    limit_minor: int = 0
    daily_rate: Decimal = Decimal(0)
    mandate: str = ""
    creditor: str = ""


@dataclass(frozen=True, slots=True)
class AddObligation:
    """Create an obligation; `minimum_minor` is 0 where there is no minimum payment. What is neither principal nor fee
    is interest.
    """

    obligation_id: str
    account_id: str
    seq: int
    issued_at: datetime
    due_on: date
    principal_minor: int
    amount_minor: int
    minimum_minor: int = 0
    fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class AmendObligation:
    """Change what is owed or when: a prepayment in part, a moved due date, an arrangement. `revision` rises with each
    amendment of the obligation; one that is not above the last changes nothing.

    With `aged_from` days past due count from that date on: a re-ageing. A new due date begins a new cycle of steps.
    """

    obligation_id: str
    revision: int
    due_on: date
    principal_minor: int
    amount_minor: int
    minimum_minor: int = 0
    fee_minor: int = 0
    aged_from: date | None = None


@dataclass(frozen=True, slots=True)
class ChooseEntry:
    """Let the steps of a debt that was overdue when it was first told speak from `entry_on` on."""

    obligation_id: str
    entry_on: date


@dataclass(frozen=True, slots=True)
class PutFlight:
    """Tell of money in flight, or how far it has got; see `core.flight.Flight`. `at` is when it got there.

    As long as it has not ended, it may be told again with a later `expected_by`: the result takes longer.
    """

    flight_id: str
    account_id: str
    obligation_id: str
    means: Means
    amount_minor: int
    state: FlightState
    at: datetime
    expected_by: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PutHold:
    """Set a hold, or set its dates anew; see `core.hold.Hold`. With nothing named it stops the whole borrower.

    A promise names its amount and day and ends with that day. A hold that was lifted is opened again by a start or an
    end after that; what it was before is forgotten, so whoever needs both periods gives the second another id.
    """

    hold_id: str
    kind: Kind
    starts_at: datetime
    ends_at: datetime | None = None
    account_id: str = ""
    obligation_id: str = ""
    channel: str = ""
    promise_minor: int = 0
    promise_on: date | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class LiftHold:
    """End a hold at `lifted_at`, which may lie in the past. A hold is lifted once: `PutHold` opens it again."""

    hold_id: str
    lifted_at: datetime


@dataclass(frozen=True, slots=True)
class AddRepayment:
    """Record money received: for an obligation, or with `obligation_id` "" for what the account owes, in the order of
    its product. `currency` is "" where the source leaves it to the account. `credit` marks a credit note.
    """

    repayment_id: str
    obligation_id: str
    account_id: str
    paid_at: datetime
    amount_minor: int
    currency: str = ""
    credit: bool = False


@dataclass(frozen=True, slots=True)
class ReverseRepayment:
    """Take a repayment back: the arrears come back with it."""

    repayment_id: str
    reversed_at: datetime


@dataclass(frozen=True, slots=True)
class ReportTouches:
    """Tell of contacts and tries outside the platform: by a person, an agency, or the borrower. See
    `core.touch.Touch`; `by` "" is the lender itself. `addresses` are the plain number or address of each, "" where it
    is not told, or none at all; only a token of it is kept (`core.budget.token_of`).

    At most `MAX_REPORTED`. A touch told again under its id replaces what was told before, or what was reserved for it.
    """

    touches: tuple[Touch, ...]
    addresses: tuple[str, ...] = ()

    def of(self, tenant: str, borrower_id: str) -> tuple[Touch, ...]:
        """Return the touches as those of this borrower, with tokens for the addresses."""
        if not self.addresses:
            return self.touches
        return tuple(
            replace(touch, number=token_of(tenant, borrower_id, address))
            for touch, address in zip(self.touches, self.addresses, strict=True)
        )


@dataclass(frozen=True, slots=True)
class PutPreferences:
    """Replace what a borrower asks of us; checked by whoever knows which channels and languages there are
    (`core.preferences.checked`).
    """

    preferences: Preferences


@dataclass(frozen=True, slots=True)
class DisownPoint:
    """Somebody says that a message reached the wrong person: the address of `channel` that came in with version `since`
    of the head is used no more, for whatever it would be.
    """

    channel: str
    since: int


Command = (
    PutBorrower
    | PutAccount
    | AddObligation
    | AmendObligation
    | ChooseEntry
    | AddRepayment
    | ReverseRepayment
    | PutFlight
    | PutHold
    | LiftHold
    | ReportTouches
    | TellConsents
    | TellReply
    | PutPreferences
    | DisownPoint
)


class Outcome(StrEnum):
    """What a command did."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # a repayment whose obligation is not known yet
    REPLACED = "replaced"  # an account that was known with other content
    OVERPAID = "overpaid"  # stored; the obligation has now received more than was owed
    SHORT_NOTICE = (
        "short_notice"  # stored; a debit was scheduled with less notice than its product asks for
    )


def accept(
    pages: Pages, command: Command, policies: Policies, *, shards: int, now: datetime
) -> tuple[Pages, Outcome]:
    """Return the pages after `command` and what it did. `now` is when the platform heard of it (UTC).

    Raises:
        Rejected: the command is wrong; its code is one of those in docs/errors.md. Nothing of it is in any pages.
    """
    match command:
        case PutBorrower():
            return _put_borrower(pages, command, policies, now)
        case PutAccount():
            return _put_account(pages, command, policies, now)
        case AddObligation():
            return _add_obligation(pages, command, policies, shards, now)
        case AmendObligation():
            return _amend(pages, command, policies, now)
        case ChooseEntry():
            return _choose_entry(pages, command, policies, now)
        case AddRepayment():
            return _add_repayment(pages, command, policies, now)
        case ReverseRepayment():
            return _reverse(pages, command, policies, now)
        case PutFlight():
            return _put_flight(pages, command, policies, now)
        case PutHold():
            return _put_hold(pages, command, policies, now)
        case LiftHold():
            return _lift_hold(pages, command, policies, now)
        case ReportTouches():
            return _report(pages, command, policies, now)
        case TellConsents():
            return _spoken(pages, said.consented(pages, command, policies, now), policies, now)
        case TellReply():
            return _spoken(pages, said.answered(pages, command, policies, now), policies, now)
        case PutPreferences():
            return _prefer(pages, command, policies, now)
        case DisownPoint():
            return _disown(pages, command, policies, now)


def _put_borrower(
    pages: Pages, command: PutBorrower, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    if not policies.is_served(command.jurisdiction):
        raise Rejected(
            "not_served",
            "jurisdiction",
            f"borrowers of {command.jurisdiction} are not served here, where no policy was proved for them and their "
            f"data may not be allowed to live; served are: {', '.join(sorted(policies.serves))}",
        )
    if not command.zone:
        # Nobody knows where the person is: where the evidence puts them, or wherever the jurisdiction reaches. Evidence
        # from elsewhere does not take them out of it: both count.
        candidates = policies.rules.candidates(command.jurisdiction)
        found = command.zone_evidence or candidates
        if not set(found) & set(candidates):
            found = (*candidates, *found)
        command = replace(command, zone=found[0], zone_evidence=found)
    for name in (command.zone, *command.zone_evidence):
        zones.zone(name)
    _unique_channels(command.contact_points)
    old = pages.head
    version = old.version if old else 0
    points = tuple(_kept(point, old, version + 1) for point in command.contact_points)
    head = Borrower(
        tenant=pages.tenant,
        id=pages.borrower_id,
        locale=command.locale,
        zone=command.zone,
        jurisdiction=command.jurisdiction,
        contact_points=points,
        blocked=_blocked(points, old),
        unmatched=old.unmatched if old else 0,
        version=version,
        zone_evidence=command.zone_evidence,
        tags=command.tags,
        score_band=command.score_band,
        held=old.held if old else 0,
        preferences=old.preferences if old else NONE,
    )
    if head == old:
        return pages, Outcome.UNCHANGED
    pages = pages.with_head(head)
    if old is not None and old.zone != head.zone:
        # Civil dates of money and of days past due are those of the zone.
        for account_id in pages.accounts:
            pages = _replayed(pages, account_id, policies, now)
    return pages, Outcome.STORED


def _kept(point: ContactPoint, old: Borrower | None, version: int) -> ContactPoint:
    """Return `point` with the block that its address carries or once carried: replacing a person lifts no bounce.

    An address that was not in use comes in with `version`.
    """
    known = (*old.contact_points, *old.blocked) if old else ()
    before = next((each for each in known if _same_address(each, point)), None)
    if before is None:
        return replace(point, since=version)
    # Whether an address is confirmed is the lender's word; a bounce, a complaint and an opt-out are not.
    if before.state in (PointState.ACTIVE, PointState.UNCONFIRMED):
        return replace(point, since=before.since)
    return before


def _blocked(points: tuple[ContactPoint, ...], old: Borrower | None) -> tuple[ContactPoint, ...]:
    """Return the blocked contact points of `old` that are not among `points`."""
    known = (*old.blocked, *old.contact_points) if old else ()
    return tuple(
        before
        for before in known
        if before.state is not PointState.ACTIVE
        and not any(_same_address(before, point) for point in points)
    )


def _same_address(one: ContactPoint, other: ContactPoint) -> bool:
    return (one.channel, one.address) == (other.channel, other.address)


def _unique_channels(points: tuple[ContactPoint, ...]) -> None:
    channels = [point.channel for point in points]
    if len(set(channels)) != len(channels):
        raise Rejected("duplicate_channel", "contact_points", "one contact point per channel")
    for point in points:
        _check_address(point)


def _check_address(point: ContactPoint) -> None:
    """Refuse what no provider could deliver to; never quote the address itself."""
    address = point.address
    if point.channel == "sms":
        if not (address.startswith("+") and address[1:].isascii() and address[1:].isdigit()):
            raise Rejected("bad_phone", "phone", "a phone number has the E.164 form +8613800000000")
        if not 8 <= len(address) <= 16:
            raise Rejected("bad_phone", "phone", "an E.164 number has 7 to 15 digits after the +")
    elif point.channel == "email":
        local, _, domain = address.rpartition("@")
        printable = address.isascii() and address.isprintable() and " " not in address
        one = address.count("@") == 1
        if not (one and local and "." in domain and printable and len(address) <= 254):
            raise Rejected("bad_email", "email", "an e-mail address has the form name@host.example")
        if any(character in address for character in ',;:<>()[]"\\'):
            raise Rejected("bad_email", "email", "an e-mail address must be one plain address")
    elif point.channel == "push":
        plain = address.isascii() and address.isprintable() and " " not in address
        if not plain or len(address) > MAX_ENDPOINT:
            raise Rejected("bad_push", "push_endpoint", "a push endpoint is its ARN at SNS")


def _put_account(
    pages: Pages, command: PutAccount, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before the account")
    money.minor_units(command.currency)
    if command.limit_minor < 0:
        raise Rejected("negative_amount", "limit_minor", "a limit is not negative")
    if command.limit_minor > MAX_MINOR:
        raise Rejected("bad_amount", "limit_minor", "a limit is at most 10^15 minor units")
    if not 0 <= command.daily_rate <= MAX_DAILY_RATE:
        raise Rejected(
            "bad_rate",
            "daily_rate",
            f"a daily rate lies between 0 and {MAX_DAILY_RATE}; 0.03 % a day is written as 0.0003",
        )
    old = pages.accounts.get(command.account_id)
    account = Account(
        command.account_id,
        command.product,
        command.currency,
        command.opened_on,
        command.limit_minor,
        command.daily_rate,
        command.mandate,
        command.creditor,
        version=old.version if old else 0,
        tally=old.tally if old else 0,
    )
    if old is not None and old.currency != account.currency:
        # Also without obligations: one may be on its way in another request.
        raise Rejected(
            "currency_changed", "currency", "an account keeps its currency; open another account"
        )
    if old == account:
        return pages, Outcome.UNCHANGED
    pages = pages.with_account(account)
    if old is not None:
        return _replayed(pages, account.id, policies, now), Outcome.REPLACED
    for repayment in list(pages.repayments.values()):
        # Money that named no debt has waited for its account only.
        mine = repayment.account_id == account.id and repayment.obligation_id == ""
        if mine and not repayment.matched and repayment.amount.currency in ("", account.currency):
            pages = _match(pages, repayment)
    return pages, Outcome.STORED


def _add_obligation(
    pages: Pages, command: AddObligation, policies: Policies, shards: int, now: datetime
) -> tuple[Pages, Outcome]:
    account = pages.accounts.get(command.account_id)
    if pages.head is None or account is None:
        raise Rejected("unknown_account", "account_id", "create the account before its obligations")
    zone = policies.profile(account).zone or pages.head.zone
    _check_year(command.issued_at, "issued_at")
    _check_terms(command)
    _check_issue(command.issued_at, command.due_on, zone)
    obligation = Obligation(
        id=command.obligation_id,
        account_id=command.account_id,
        seq=command.seq,
        issued_at=command.issued_at,
        due_on=command.due_on,
        amount=Money(command.amount_minor, account.currency),
        principal_minor=command.principal_minor,
        minimum_minor=command.minimum_minor,
        fee_minor=command.fee_minor,
        stored_at=now,
        watch=Watch(shard=ids.shard_of(pages.tenant, pages.borrower_id, shards)),
    )
    old = pages.obligations.get(obligation.id)
    if old is not None:
        # What was amended since was told as this once.
        if not old.revision and _terms(old) != _terms(obligation):
            raise Rejected(
                "duplicate_id",
                "obligation_id",
                "this obligation is stored with other content; amend it, or give a new debt a new id",
            )
        if not any(waiting_for(pages, old.id)):
            return pages, Outcome.UNCHANGED
        return _matched(pages, old, policies, now), Outcome.UNCHANGED
    profile = policies.profile(account)
    if profile is not PLAIN:
        _check_room(pages, account.id)
    rolled = _rolled(obligation, profile, policies)
    pages = _matched(pages.with_obligation(rolled), rolled, policies, now)
    return pages, _stored_or_overpaid(pages.obligations[obligation.id])


def _check_issue(issued_at: datetime, due_on: date, zone: str) -> None:
    if due_on < zones.local_date(issued_at, zone):
        raise Rejected(
            "due_before_issue", "due_on", "the due date lies before the obligation was issued"
        )


def _rolled(obligation: Obligation, profile: Profile, policies: Policies) -> Obligation:
    """Return the obligation with its due date moved to a business day, where the product says so.

    Where the calendar of the year is not published the date stays, and is provisional until it is.
    """
    nominal = obligation.nominal_on or obligation.due_on
    moved = rolled(nominal, profile.due_roll, policies.calendars.get(profile.calendar))
    return replace(
        obligation,
        due_on=moved.on,
        nominal_on=nominal if moved.on != nominal or moved.provisional else None,
        provisional=moved.provisional,
    )


def _is_nominal(obligation: Obligation, on: date) -> bool:
    return on == (obligation.nominal_on or obligation.due_on)


def _amend(
    pages: Pages, command: AmendObligation, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    old = pages.obligations.get(command.obligation_id)
    if old is None:
        raise Rejected(
            "unknown_obligation", "obligation_id", "create the obligation before it is amended"
        )
    _check_terms(command)
    if command.revision < 1:
        raise Rejected("bad_revision", "revision", "amendments are counted from 1")
    if command.aged_from is not None:
        _check_year(command.aged_from, "aged_from")
    if command.revision <= old.revision:
        return pages, Outcome.UNCHANGED
    assert pages.head is not None, "an obligation never stands without its borrower"
    profile = policies.profile(pages.accounts.get(old.account_id))
    zone = profile.zone or pages.head.zone
    _check_issue(old.issued_at, command.due_on, zone)
    amended = replace(
        old,
        due_on=command.due_on,
        nominal_on=None,
        amount=Money(command.amount_minor, old.amount.currency),
        principal_minor=command.principal_minor,
        minimum_minor=command.minimum_minor,
        fee_minor=command.fee_minor,
        aged_from=command.aged_from or old.aged_from,
        aged_on=zones.local_date(now, zone) if command.aged_from is not None else old.aged_on,
        revision=command.revision,
        amended_at=now,
    )
    if _is_nominal(old, command.due_on):
        # The same day as before: where a newer calendar moves it is for `reroll` to say.
        new = replace(
            amended, due_on=old.due_on, nominal_on=old.nominal_on, provisional=old.provisional
        )
    else:
        new = _rolled(amended, profile, policies)
    pages = _recycled(pages, old, new, policies, now)
    return _replayed(pages, old.account_id, policies, now, relook=old.id), Outcome.STORED


def reroll(
    pages: Pages, policies: Policies, now: datetime, only: Collection[str] | None = None
) -> Pages:
    """Return the pages with every due date that its product rolls where the calendars in force put it; with `only`, of
    the obligations with these ids.

    Debts that are settled, or whose due date is over, keep theirs: nobody's past is moved by a notice.
    """
    assert pages.head is not None
    for obligation_id in pages.obligations if only is None else only:
        old = pages.obligations[obligation_id]
        account = pages.accounts.get(old.account_id)
        profile = policies.profile(account)
        zone = profile.zone or pages.head.zone
        if not old.is_open or profile.due_roll is Roll.UNADJUSTED:
            continue
        new = _rolled(old, profile, policies)
        if new != old and min(old.due_on, new.due_on) >= zones.local_date(now, zone):
            pages = _recycled(pages, old, new, policies, now)
            pages = _replayed(pages, old.account_id, policies, now, relook=old.id)
    return pages


def _recycled(
    pages: Pages, old: Obligation, new: Obligation, policies: Policies, now: datetime
) -> Pages:
    """Return the pages with an amended obligation; a new due date begins a new cycle: see `core.agenda.renewed`."""
    if new.due_on != old.due_on:
        profile = policies.profile(pages.accounts.get(new.account_id))
        watch = agenda.renewed(new.watch, policies.treatment_of(profile))
        if watch.contact_id:
            # What is on its way speaks of the old date.
            watch = replace(watch, look_at=now)
        new = replace(new, watch=watch, redated_at=now)
    return pages.with_obligation(new)


def _choose_entry(
    pages: Pages, command: ChooseEntry, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    old = pages.obligations.get(command.obligation_id)
    if old is None:
        raise Rejected("unknown_obligation", "obligation_id", "there is no such obligation")
    _check_year(command.entry_on, "entry_on")
    if old.entry_on == command.entry_on:
        return pages, Outcome.UNCHANGED
    pages = pages.with_obligation(replace(old, entry_on=command.entry_on))
    return _relooked(pages, old.id, policies, now), Outcome.STORED


def _check_room(pages: Pages, account_id: str) -> None:
    """Refuse an account with more open debts than one transaction can settle."""
    count = sum(o.is_open and o.account_id == account_id for o in pages.obligations.values())
    if count >= MAX_OPEN:
        raise Rejected(
            "too_many_open",
            "account_id",
            f"the account has {MAX_OPEN} open obligations; tell later instalments as they come due",
        )


def _matched(pages: Pages, obligation: Obligation, policies: Policies, now: datetime) -> Pages:
    """Return the pages with the money that waited for an obligation, and its look.

    What one transaction cannot take goes on waiting, and until all of it is matched the obligation is not looked at:
    it may have been paid long ago.
    """
    waiting = list(waiting_for(pages, obligation.id))
    for repayment in waiting[:MAX_MATCHED]:
        pages = _match(pages, repayment)
    pages = _replayed(pages, obligation.account_id, policies, now, relook=obligation.id)
    if len(waiting) <= MAX_MATCHED:
        return pages
    unseen = pages.obligations[obligation.id]
    watch = replace(unseen.watch, look_at=agenda.NEVER)
    return pages.with_obligation(replace(unseen, watch=watch))


def waiting_for(pages: Pages, obligation_id: str) -> Iterator[Repayment]:
    """Yield the repayments in the pages that wait for an obligation although it is there."""
    obligation = pages.obligations[obligation_id]
    if pages.head is None or not pages.head.unmatched:
        return
    for repayment in pages.repayments.values():
        if not repayment.matched and _pays(repayment, obligation):
            yield repayment


def _stored_or_overpaid(obligation: Obligation) -> Outcome:
    return Outcome.OVERPAID if obligation.overpaid_minor > 0 else Outcome.STORED


def _pays(repayment: Repayment, obligation: Obligation) -> bool:
    """Return whether a waiting repayment is money for this obligation: its id, in its currency or in none named."""
    return (
        repayment.obligation_id == obligation.id
        and repayment.account_id == obligation.account_id
        and repayment.amount.currency in ("", obligation.amount.currency)
    )


def _terms(obligation: Obligation) -> tuple[object, ...]:
    return (
        obligation.account_id,
        obligation.seq,
        obligation.issued_at,
        obligation.nominal_on or obligation.due_on,
        obligation.amount,
        obligation.principal_minor,
        obligation.minimum_minor,
        obligation.fee_minor,
    )


def _check_year(on: date, field: str) -> None:
    if on.year not in YEARS:
        raise Rejected("bad_date", field, f"{field} lies in a year from {YEARS[0]} to {YEARS[-1]}")


def _check_terms(command: AddObligation | AmendObligation) -> None:
    _check_year(command.due_on, "due_on")
    if not 0 < command.amount_minor <= MAX_MINOR:
        raise Rejected(
            "bad_amount",
            "amount_minor",
            "an obligation is above zero and at most 10^15 minor units",
        )
    if command.principal_minor < 0:
        raise Rejected("negative_amount", "principal_minor", "a principal is not negative")
    if command.principal_minor > MAX_MINOR:
        raise Rejected("bad_amount", "principal_minor", "a principal is at most 10^15 minor units")
    if not 0 <= command.fee_minor <= command.amount_minor:
        raise Rejected("bad_amount", "fee_minor", "a fee lies between 0 and the amount")
    if not 0 <= command.minimum_minor <= command.amount_minor:
        raise Rejected(
            "bad_minimum", "minimum_minor", "a minimum payment lies between 0 and the amount"
        )


def _add_repayment(
    pages: Pages, command: AddRepayment, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before a repayment")
    obligation = pages.obligations.get(command.obligation_id)
    account = pages.accounts.get(obligation.account_id if obligation else command.account_id)
    repayment = checked_repayment(command, account.currency if account else "", now)
    old = pages.repayments.get(repayment.id)
    if old is not None:
        if _receipt(old) != _receipt(repayment):
            raise Rejected(
                "duplicate_id", "repayment_id", "this repayment is stored with other content"
            )
        return pages, Outcome.UNCHANGED
    pages = _keep(pages, repayment)
    if repayment.obligation_id == "" and account is not None:
        pages = _replayed(_match(pages, repayment), account.id, policies, now)
        return pages, Outcome.STORED
    if obligation is None:
        return pages, Outcome.KEPT
    if obligation.account_id != command.account_id:
        raise Rejected("wrong_account", "account_id", "the obligation belongs to another account")
    pages = _match(pages, repayment)
    pages = _replayed(pages, obligation.account_id, policies, now, relook=obligation.id)
    return pages, _stored_or_overpaid(pages.obligations[obligation.id])


def _receipt(repayment: Repayment) -> tuple[object, ...]:
    return (
        repayment.obligation_id,
        repayment.account_id,
        repayment.paid_at,
        repayment.amount.minor,
        repayment.credit,
    )


def checked_repayment(command: AddRepayment, currency: str, now: datetime) -> Repayment:
    """Return the repayment of `command`, in `currency` unless the command names one; not yet matched.

    Raises:
        Rejected: the amount is not above zero, the currency is unknown or another one, or the payment lies in the
        future.
    """
    if not 0 < command.amount_minor <= MAX_MINOR:
        raise Rejected(
            "bad_amount",
            "amount_minor",
            "a repayment is above zero and at most 10^15 minor units; take one back by a reversal",
        )
    _check_year(command.paid_at, "paid_at")
    if command.paid_at > now + CLOCK_TOLERANCE:
        raise Rejected("in_the_future", "paid_at", "the repayment lies in the future")
    if command.currency:
        money.minor_units(command.currency)
    if command.currency and currency and command.currency != currency:
        raise Rejected("wrong_currency", "currency", f"the account is kept in {currency}")
    return Repayment(
        id=command.repayment_id,
        obligation_id=command.obligation_id,
        account_id=command.account_id,
        paid_at=command.paid_at,
        amount=Money(command.amount_minor, command.currency or currency),
        told_at=now,
        credit=command.credit,
    )


def adopt(pages: Pages, parked: Repayment, policies: Policies, now: datetime) -> Pages:
    """Return the pages with a repayment that was parked until its account became known; unchanged if already there."""
    if parked.id in pages.repayments:
        return pages
    pages = _keep(pages, parked)
    account = pages.accounts.get(parked.account_id)
    if parked.obligation_id == "":
        if account is None or parked.amount.currency not in ("", account.currency):
            return pages
        return _replayed(_match(pages, parked), account.id, policies, now)
    obligation = pages.obligations.get(parked.obligation_id)
    if obligation is None or not _pays(parked, obligation):
        return pages
    return _replayed(_match(pages, parked), obligation.account_id, policies, now)


def _keep(pages: Pages, repayment: Repayment) -> Pages:
    assert pages.head is not None
    waiting = replace(pages.head, unmatched=pages.head.unmatched + 1)
    return pages.with_repayment(repayment).with_head(waiting)


def _match(pages: Pages, repayment: Repayment) -> Pages:
    """Return the pages with a waiting repayment counted among the money of its account."""
    assert pages.head is not None
    currency = pages.accounts[repayment.account_id].currency
    fewer = replace(pages.head, unmatched=pages.head.unmatched - 1)
    matched = replace(repayment, matched=True, amount=Money(repayment.amount.minor, currency))
    return pages.with_repayment(matched).with_head(fewer)


def _replayed(
    pages: Pages, account_id: str, policies: Policies, now: datetime, *, relook: str = ""
) -> Pages:
    """Return the pages with every obligation of an account as the facts of its money leave it, each with its look.

    `relook` names an obligation whose look is set in any case.
    """
    assert pages.head is not None
    account = pages.accounts[account_id]
    profile = policies.profile(account)
    zone = profile.zone or pages.head.zone
    owing = [o for o in pages.obligations.values() if o.account_id == account_id]
    today = zones.local_date(now, zone)
    debts = debts_of(owing, pages.holds.values(), profile, zone, today)
    receipts = [
        receipt_of(repayment, profile, zone)
        for repayment in pages.repayments.values()
        if repayment.account_id == account_id
        and repayment.matched
        and repayment.reversed_at is None
    ]
    found = replay(debts, receipts, profile, contract_rate(account, profile))
    for obligation in owing:
        after = _standing(obligation, found.standings[obligation.id], now)
        if after is not obligation:
            pages = pages.with_obligation(after)
        if after is not obligation or obligation.id == relook:
            pages = _relooked(pages, obligation.id, policies, now)
    return pages


def restated(pages: Pages, policies: Policies, now: datetime) -> list[str]:
    """Return the accounts for which a replay of all facts gives something else than what is stored; none, it is hoped.

    Whether something is settled is compared, not when that became known.
    """
    wrong = []
    for account_id in pages.accounts:
        again = _replayed(pages, account_id, policies, now)
        for obligation in again.obligations.values():
            stored = pages.obligations[obligation.id]
            same = replace(
                obligation,
                watch=stored.watch,
                settled_at=stored.settled_at
                if obligation.is_open is stored.is_open
                else obligation.settled_at,
                spans=stored.spans,
            )
            if same != stored:
                wrong.append(account_id)
                break
    return wrong


def _standing(obligation: Obligation, found: Standing, now: datetime) -> Obligation:
    """Return the obligation with what a replay found of it; `now` is when it became known."""
    settled_at, spans = obligation.settled_at, obligation.spans
    if found.is_settled:
        settled_at = settled_at or now
    elif settled_at is not None:
        spans = (*spans, (settled_at, now)) if settled_at < now else spans
        settled_at = None
    accrued_to = found.accrued_to if found.accrued or found.paid.penalty else None
    paid_minor = found.paid.total + found.overpaid_minor
    stands = (
        obligation.paid_minor == paid_minor
        and obligation.settled_at == settled_at
        and obligation.overpaid_minor == found.overpaid_minor
        and obligation.accrued_to == accrued_to
        and obligation.accrued == found.accrued
        and obligation.paid == found.paid
    )
    if stands:
        return obligation
    return replace(
        obligation,
        paid_minor=paid_minor,
        paid=found.paid,
        accrued=found.accrued,
        accrued_to=accrued_to,
        overpaid_minor=found.overpaid_minor,
        settled_at=settled_at,
        spans=spans,
    )


def _reverse(
    pages: Pages, command: ReverseRepayment, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    repayment = pages.repayments.get(command.repayment_id)
    if repayment is None:
        raise Rejected("unknown_repayment", "repayment_id", "this borrower has no such repayment")
    if repayment.reversed_at is not None:
        return pages, Outcome.UNCHANGED
    _check_year(command.reversed_at, "reversed_at")
    if command.reversed_at > now + CLOCK_TOLERANCE:
        raise Rejected("in_the_future", "reversed_at", "the reversal lies in the future")
    if command.reversed_at < repayment.paid_at:
        raise Rejected(
            "reversed_before_paid", "reversed_at", "the reversal lies before the payment"
        )
    taken_back = replace(repayment, reversed_at=command.reversed_at, reversal_told_at=now)
    pages = pages.with_repayment(taken_back)
    if repayment.matched:
        pages = _replayed(pages, repayment.account_id, policies, now)
    return pages, Outcome.STORED


def _put_flight(
    pages: Pages, command: PutFlight, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    account = pages.accounts.get(command.account_id)
    if pages.head is None or account is None:
        raise Rejected("unknown_account", "account_id", "create the account before money for it")
    if not 0 < command.amount_minor <= MAX_MINOR:
        raise Rejected("bad_amount", "amount_minor", "an amount is above zero, at most 10^15")
    _check_year(command.at, "at")
    _check_year(command.expected_by, "expected_by")
    ended = command.state in (FlightState.SETTLED, FlightState.FAILED)
    if command.expected_by < command.at and not ended:
        raise Rejected("bad_date", "expected_by", "the result is expected before the event itself")
    if command.at > now + CLOCK_TOLERANCE and command.state is not FlightState.SCHEDULED:
        raise Rejected("in_the_future", "at", "only a scheduled flight may lie in the future")
    _check_scope(pages, command.account_id, command.obligation_id)
    old = pages.flights.get(command.flight_id)
    new = Flight(
        id=command.flight_id,
        account_id=command.account_id,
        obligation_id=command.obligation_id,
        means=command.means,
        amount_minor=command.amount_minor,
        state=command.state,
        since=_since(old, command),
        # What has ended is no more expected: until when it was, is known from before.
        expected_by=old.expected_by if old is not None and ended else command.expected_by,
        ended_at=command.at if ended else None,
        reason=command.reason,
        told_at=now,
        revision=old.revision + 1 if old is not None else 1,
    )
    if old is not None:
        what = (old.account_id, old.obligation_id, old.means, old.amount_minor)
        if what != (new.account_id, new.obligation_id, new.means, new.amount_minor):
            raise Rejected("duplicate_id", "flight_id", "this id is money of another kind")
        both_ended = RANK[old.state] == RANK[new.state] == RANK[FlightState.SETTLED]
        if both_ended and old.state is not new.state:
            raise Rejected(
                "flight_ended",
                "state",
                f"it is {old.state} already; money that comes back later is a reversal of the repayment",
            )
        takes_longer = new.state is old.state and not ended and new.expected_by > old.expected_by
        if RANK[new.state] <= RANK[old.state] and not takes_longer:
            return pages, Outcome.UNCHANGED
    pages = _all_relooked(pages.with_flight(new), policies, now)
    scheduled = command.state is FlightState.SCHEDULED
    notice = timedelta(days=policies.profile(account).debit.notice_days)
    if scheduled and notice and command.at < now + notice:
        return pages, Outcome.SHORT_NOTICE
    return pages, Outcome.STORED


def _since(old: Flight | None, command: PutFlight) -> datetime:
    """Return when a flight was submitted: what was only scheduled begins when it is pending."""
    begins = command.state is FlightState.PENDING
    if old is None or (begins and old.state is FlightState.SCHEDULED):
        return command.at
    return old.since


def _check_scope(pages: Pages, account_id: str, obligation_id: str) -> None:
    """Refuse what names a debt and an account that it does not belong to: it would be stored and stop nothing."""
    obligation = pages.obligations.get(obligation_id)
    if obligation is not None and account_id and obligation.account_id != account_id:
        raise Rejected("wrong_account", "account_id", "the obligation belongs to another account")


def _put_hold(
    pages: Pages, command: PutHold, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before a hold")
    if command.account_id and command.account_id not in pages.accounts:
        raise Rejected("unknown_account", "account_id", "this borrower has no such account")
    if command.obligation_id and command.obligation_id not in pages.obligations:
        raise Rejected("unknown_obligation", "obligation_id", "this borrower owes no such thing")
    _check_scope(pages, command.account_id, command.obligation_id)
    ends_at = _end_of(pages.head.zone, command)
    old = pages.holds.get(command.hold_id)
    opened = old is None or _opens(old, command.starts_at, ends_at)
    concerned = [
        o
        for o in pages.obligations.values()
        if command.account_id in ("", o.account_id) and command.obligation_id in ("", o.id)
    ]
    hold = Hold(
        id=command.hold_id,
        kind=command.kind,
        starts_at=command.starts_at,
        told_at=now if old is None or opened else old.told_at,
        ends_at=ends_at,
        lifted_at=None if old is None or opened else old.lifted_at,
        account_id=command.account_id,
        obligation_id=command.obligation_id,
        channel=command.channel,
        promise_minor=command.promise_minor,
        promise_on=command.promise_on,
        paid_before_minor=sum(o.paid_minor for o in concerned)
        if old is None or opened
        else old.paid_before_minor,
        owner=command.owner,
        revision=old.revision if old is not None else 1,
        reopened_from=_taken_back(old, opened),
    )
    if old == hold:
        # Told again, it makes good what a worker who died had left to be done.
        return _restated_by(pages, hold, policies, now), Outcome.UNCHANGED
    if old is not None:
        hold = replace(hold, revision=old.revision + 1)
    if old is not None and (old.kind, old.account_id, old.obligation_id, old.channel) != (
        hold.kind,
        hold.account_id,
        hold.obligation_id,
        hold.channel,
    ):
        raise Rejected("duplicate_id", "hold_id", "this id is a hold of another kind or scope")
    return _held(pages, hold, policies, now), Outcome.STORED


def _opens(old: Hold, starts_at: datetime, ends_at: datetime | None) -> bool:
    """Return whether these dates open a lifted hold again: one that is new lies after the lift."""
    lifted_at = old.lifted_at
    if lifted_at is None:
        return False
    starts_anew = starts_at != old.starts_at and starts_at >= lifted_at
    return starts_anew or (ends_at != old.ends_at and (ends_at is None or ends_at > lifted_at))


def _taken_back(old: Hold | None, opened: bool) -> datetime | None:
    """Return the last lift that was taken back."""
    if old is None:
        return None
    return old.lifted_at if opened else old.reopened_from


def _end_of(zone: str, command: PutHold) -> datetime | None:
    """Return when a hold ends: as told, for a promise with the promised day."""
    _check_year(command.starts_at, "starts_at")
    ends_at = command.ends_at
    if command.kind is Kind.PROMISE:
        if command.promise_on is None or command.promise_minor <= 0:
            raise Rejected("bad_hold", "promise_on", "a promise names its day and its amount")
        _check_year(command.promise_on, "promise_on")
        if command.promise_minor > MAX_MINOR:
            raise Rejected("bad_amount", "promise_minor", "an amount is at most 10^15")
        if ends_at is not None:
            raise Rejected("bad_hold", "ends_at", "a promise ends with its day; leave out the end")
        ends_at = zones.instant(command.promise_on + timedelta(days=1), time.min, zone)
        if ends_at <= command.starts_at:
            raise Rejected("bad_hold", "promise_on", "the promised day is over before the promise")
    elif command.promise_on is not None or command.promise_minor:
        raise Rejected("bad_hold", "promise_on", f"a hold of kind {command.kind} is no promise")
    if ends_at is not None:
        _check_year(ends_at, "ends_at")
        if ends_at <= command.starts_at:
            raise Rejected("bad_hold", "ends_at", "a hold ends after it starts")
    return ends_at


def _lift_hold(
    pages: Pages, command: LiftHold, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    hold = pages.holds.get(command.hold_id)
    if hold is None:
        raise Rejected("unknown_hold", "hold_id", "this borrower has no such hold")
    _check_year(command.lifted_at, "lifted_at")
    if command.lifted_at > now + CLOCK_TOLERANCE:
        raise Rejected("in_the_future", "lifted_at", "set the end of the hold instead")
    if hold.reopened_from is not None and command.lifted_at <= hold.reopened_from:
        # The lift of a life that is over, told once more.
        return pages, Outcome.UNCHANGED
    if hold.lifted_at == command.lifted_at:
        return _restated_by(pages, hold, policies, now), Outcome.UNCHANGED
    if hold.lifted_at is not None:
        # What was let out since rested on the first lift; another one would say that it had not.
        raise Rejected(
            "hold_lifted",
            "lifted_at",
            "this hold was lifted at another instant; the first lift stands. Set the hold again to open it",
        )
    lifted = replace(hold, lifted_at=command.lifted_at, revision=hold.revision + 1)
    return _held(pages, lifted, policies, now), Outcome.STORED


def _held(pages: Pages, hold: Hold, policies: Policies, now: datetime) -> Pages:
    """Return the pages with a hold that was set or lifted: late interest may stand still, and every look may move."""
    pages = _restated_by(pages.with_hold(hold), hold, policies, now)
    return _all_relooked(pages, policies, now)


def _restated_by(pages: Pages, hold: Hold, policies: Policies, now: datetime) -> Pages:
    for account_id in pages.accounts:
        pages = restated_by(pages, hold.kind, account_id, policies, now)
    return pages


def restated_by(
    pages: Pages, kind: Kind, account_id: str, policies: Policies, now: datetime
) -> Pages:
    """Return the pages with the late interest of an account restated, if holds of the kind make it stand still."""
    profile = policies.profile(pages.accounts[account_id])
    if kind not in profile.late.frozen_by:
        return pages
    return _replayed(pages, account_id, policies, now)


def _spoken(
    before: Pages, after: Pages, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    """Return the pages after somebody agreed or refused: whatever waits is looked at again."""
    if after is before:
        return before, Outcome.UNCHANGED
    return _all_relooked(after, policies, now), Outcome.STORED


def _prefer(
    pages: Pages, command: PutPreferences, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower first")
    head = replace(pages.head, preferences=command.preferences)
    if head == pages.head:
        return pages, Outcome.UNCHANGED
    return _all_relooked(pages.with_head(head), policies, now), Outcome.STORED


def _disown(
    pages: Pages, command: DisownPoint, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    """Return the pages with the address blocked, also where it was bounced or is used no more: a block that knows more
    replaces one that knows less.
    """
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower first")

    def disowned(point: ContactPoint) -> ContactPoint:
        meant = (point.channel, point.since) == (command.channel, command.since)
        return replace(point, state=PointState.WRONG_PERSON) if meant else point

    head = replace(
        pages.head,
        contact_points=tuple(map(disowned, pages.head.contact_points)),
        blocked=tuple(map(disowned, pages.head.blocked)),
    )
    if head == pages.head:
        return pages, Outcome.UNCHANGED
    return _all_relooked(pages.with_head(head), policies, now), Outcome.STORED


def _report(
    pages: Pages, command: ReportTouches, policies: Policies, now: datetime
) -> tuple[Pages, Outcome]:
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before its touches")
    if not 1 <= len(command.touches) <= MAX_REPORTED:
        raise Rejected("bad_touch", "touches", f"a report has 1 to {MAX_REPORTED} touches")
    budget = pages.budget
    makes_room = False
    for n, each in enumerate(command.of(pages.tenant, pages.borrower_id)):
        try:
            touch = checked_touch(pages, each, now)
        except Rejected as rejected:
            field = f"touches.{n}.{rejected.field}" if len(command.touches) > 1 else rejected.field
            raise Rejected(rejected.code, field, rejected.message) from None
        old = budget.find(touch.id, touch.by)
        if touch != old:
            makes_room |= old is not None and _counts_less(touch, old)
            budget = budget.with_touch(touch, now)
    if budget == pages.budget:
        return pages, Outcome.UNCHANGED
    pages = pages.with_budget(budget)
    # What was reserved and not used, or told wrongly, may be what others wait for.
    return _all_relooked(pages, policies, now) if makes_room else pages, Outcome.STORED


def checked_touch(pages: Pages, touch: Touch, now: datetime) -> Touch:
    """Return a touch told from outside with all that is known of what it was about; the borrower must be known. One
    told by a clock that runs ahead counts from `now` on: what it stops must not be let out until then.

    Raises:
        Rejected: code "bad_id", "in_the_future", "too_old", "bad_touch", "unknown_account", "unknown_obligation", or
        "duplicate_id" where the id stands for a touch by another way.
    """
    if not ids.is_id(touch.id):
        raise Rejected("bad_id", "id", "an id has 1 to 128 letters, digits or . _ : -")
    if ids.is_contact_id(touch.id.partition(":")[0]):
        raise Rejected(
            "duplicate_id", "id", "ids of this form are the platform's own; choose another"
        )
    if touch.at > now + TOUCH_TOLERANCE:
        raise Rejected("in_the_future", "at", "the touch lies in the future")
    if touch.at < now - KEEP and not (lasts(touch) and touch.at.year in YEARS):
        raise Rejected(
            "too_old", "at", f"a touch older than {KEEP.days} days counts for nothing; leave it out"
        )
    for field in ("debts", "accounts", "products", "excluded"):
        if len(getattr(touch, field)) > MAX_NAMED:
            raise Rejected("bad_touch", field, f"a touch names at most {MAX_NAMED} of each")
    touch = _completed(pages, touch)
    old = pages.budget.find(touch.id, touch.by)
    if old is not None and (old.channel, old.direction) != (touch.channel, touch.direction):
        raise Rejected("duplicate_id", "id", "this id is a touch by another channel or direction")
    if touch.at <= now:
        return touch
    again = old is not None and replace(touch, at=old.at) == old
    if old is not None and again and touch.at - old.at <= TOUCH_TOLERANCE:
        return old
    return replace(touch, at=now)


def _completed(pages: Pages, touch: Touch) -> Touch:
    """Return the touch with the accounts of its debts and the products of its accounts; one that names none counts for
    all.
    """
    for debt in touch.debts:
        if debt not in pages.obligations:
            raise Rejected("unknown_obligation", "debts", "this borrower owes no such thing")
    accounts = {*touch.accounts, *(pages.obligations[debt].account_id for debt in touch.debts)}
    for account_id in touch.accounts:
        if account_id not in pages.accounts:
            raise Rejected("unknown_account", "accounts", "this borrower has no such account")
    products = {*touch.products, *(pages.accounts[each].product for each in accounts)}
    return replace(
        touch,
        by=touch.by or pages.tenant,
        debts=tuple(sorted(set(touch.debts))),
        accounts=tuple(sorted(accounts)),
        # Where one of them is not known, it may be any.
        products=tuple(sorted(products)) if "" not in products else (),
        excluded=tuple(sorted(set(touch.excluded))),
    )


def _counts_less(new: Touch, old: Touch) -> bool:
    """Return whether there may be a cap that counted the touch as it was and does not as it is."""
    return (
        any(old.counts(unit) and not new.counts(unit) for unit in Unit)
        or not set(new.excluded) <= set(old.excluded)
        or (old.conversation and not new.conversation)
        or new.at < old.at
    )


def _all_relooked(pages: Pages, policies: Policies, now: datetime) -> Pages:
    for obligation in pages.obligations.values():
        watch = obligation.watch
        if not obligation.is_open:
            continue
        if watch.contact_id and (watch.look_at is None or watch.look_at > now):
            # A contact that waits for this may go now.
            sooner = replace(obligation, watch=replace(watch, look_at=now))
            pages = pages.with_obligation(sooner)
        else:
            pages = _relooked(pages, obligation.id, policies, now)
    return pages


def _relooked(pages: Pages, obligation_id: str, policies: Policies, now: datetime) -> Pages:
    if any(waiting_for(pages, obligation_id)):
        # Money that waits may have paid it long ago: whoever matches that money sets the look.
        return pages
    snapshot = pages.snapshot(obligation_id, policies.profiles)
    obligation = looked(snapshot, policies, now)
    return pages if obligation is snapshot.obligation else pages.with_obligation(obligation)


def looked(snapshot: Snapshot, policies: Policies, now: datetime) -> Obligation:
    """Return the obligation with the `look_at` that agenda, treatment and zone ask for."""
    obligation = snapshot.obligation
    at = agenda.look_at(snapshot, policies.treatment_of(snapshot.profile), now)
    if at == obligation.watch.look_at:
        return obligation
    return replace(obligation, watch=replace(obligation.watch, look_at=at))
