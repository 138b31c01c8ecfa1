"""Taking in what lenders tell us: each command turns a borrower's pages into new pages, or is rejected with the reason.

Ids come from the source, so the same command twice changes nothing. The same id with other content is rejected, except
for borrowers and accounts, which are replaced. A repayment whose obligation is not known yet is kept and matched when
the obligation arrives; money is never turned away because of the order in which files arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from betimes.core import agenda, ids, money, zones
from betimes.core.book import Pages, Snapshot
from betimes.core.borrower import Account, Borrower, ContactPoint, PointState
from betimes.core.errors import Rejected
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Watch
from betimes.core.treatment import Treatment

# How far a source's clock may run ahead of ours before its payment counts as not yet made.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Waiting repayments credited in one go; what is left over is credited when the obligation is told again.
MAX_MATCHED = 40
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


@dataclass(frozen=True, slots=True)
class PutAccount:
    """Create or replace an account."""

    account_id: str
    product: str
    currency: str
    opened_on: date
    limit_minor: int = 0


@dataclass(frozen=True, slots=True)
class AddObligation:
    """Create an obligation; `minimum_minor` is 0 where there is no minimum payment."""

    obligation_id: str
    account_id: str
    seq: int
    issued_at: datetime
    due_on: date
    principal_minor: int
    amount_minor: int
    minimum_minor: int = 0


@dataclass(frozen=True, slots=True)
class AddRepayment:
    """Record money received for an obligation. `currency` is "" where the source leaves it to the account."""

    repayment_id: str
    obligation_id: str
    account_id: str
    paid_at: datetime
    amount_minor: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ReverseRepayment:
    """Take a repayment back: the arrears come back with it."""

    repayment_id: str
    reversed_at: datetime


Command = PutBorrower | PutAccount | AddObligation | AddRepayment | ReverseRepayment


class Outcome(StrEnum):
    """What a command did."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # a repayment whose obligation is not known yet
    REPLACED = "replaced"  # an account that was known with other content
    OVERPAID = "overpaid"  # stored; the obligation has now received more than was owed


def accept(
    pages: Pages, command: Command, treatment: Treatment, *, shards: int, now: datetime
) -> tuple[Pages, Outcome]:
    """Return the pages after `command` and what it did. `now` is when the platform heard of it (UTC).

    Raises:
        Rejected: the command is wrong; its code is one of those in docs/errors.md. Nothing of it is in any pages.
    """
    match command:
        case PutBorrower():
            return _put_borrower(pages, command)
        case PutAccount():
            return _put_account(pages, command)
        case AddObligation():
            return _add_obligation(pages, command, treatment, shards, now)
        case AddRepayment():
            return _add_repayment(pages, command, treatment, now)
        case ReverseRepayment():
            return _reverse(pages, command, treatment, now)


def _put_borrower(pages: Pages, command: PutBorrower) -> tuple[Pages, Outcome]:
    zones.zone(command.zone)
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
    )
    return (pages, Outcome.UNCHANGED) if head == old else (pages.with_head(head), Outcome.STORED)


def _kept(point: ContactPoint, old: Borrower | None, version: int) -> ContactPoint:
    """Return `point` with the block that its address carries or once carried: replacing a person lifts no bounce.

    An address that was not in use comes in with `version`.
    """
    known = (*old.contact_points, *old.blocked) if old else ()
    before = next((each for each in known if _same_address(each, point)), None)
    if before is None:
        return replace(point, since=version)
    return replace(point, since=before.since) if before.state is PointState.ACTIVE else before


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


def _put_account(pages: Pages, command: PutAccount) -> tuple[Pages, Outcome]:
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before the account")
    money.minor_units(command.currency)
    if command.limit_minor < 0:
        raise Rejected("negative_amount", "limit_minor", "a limit is not negative")
    if command.limit_minor > MAX_MINOR:
        raise Rejected("bad_amount", "limit_minor", "a limit is at most 10^15 minor units")
    account = Account(
        command.account_id,
        command.product,
        command.currency,
        command.opened_on,
        command.limit_minor,
    )
    old = pages.accounts.get(account.id)
    if old is not None and old.currency != account.currency:
        # Also without obligations: one may be on its way in another request.
        raise Rejected(
            "currency_changed", "currency", "an account keeps its currency; open another account"
        )
    if old == account:
        return pages, Outcome.UNCHANGED
    return pages.with_account(account), Outcome.REPLACED if old else Outcome.STORED


def _add_obligation(
    pages: Pages, command: AddObligation, treatment: Treatment, shards: int, now: datetime
) -> tuple[Pages, Outcome]:
    account = pages.accounts.get(command.account_id)
    if pages.head is None or account is None:
        raise Rejected("unknown_account", "account_id", "create the account before its obligations")
    _check_obligation(command, pages.head.zone)
    obligation = Obligation(
        id=command.obligation_id,
        account_id=command.account_id,
        seq=command.seq,
        issued_at=command.issued_at,
        due_on=command.due_on,
        amount=Money(command.amount_minor, account.currency),
        principal_minor=command.principal_minor,
        minimum_minor=command.minimum_minor,
        stored_at=now,
        watch=Watch(shard=ids.shard_of(pages.tenant, pages.borrower_id, shards)),
    )
    old = pages.obligations.get(obligation.id)
    if old is not None:
        if _terms(old) != _terms(obligation):
            raise Rejected(
                "duplicate_id",
                "obligation_id",
                "this obligation is stored with other content; a changed debt needs a new id",
            )
        if not any(waiting_for(pages, old.id)):
            return pages, Outcome.UNCHANGED
        return _matched(pages, old, treatment, now), Outcome.UNCHANGED
    pages = _matched(pages.with_obligation(obligation), obligation, treatment, now)
    return pages, _stored_or_overpaid(pages.obligations[obligation.id])


def _matched(pages: Pages, obligation: Obligation, treatment: Treatment, now: datetime) -> Pages:
    """Return the pages with the money that waited for an obligation, and its look.

    What one transaction cannot take goes on waiting, and until all of it is matched the obligation is not looked at:
    it may have been paid long ago.
    """
    waiting = list(waiting_for(pages, obligation.id))
    for repayment in waiting[:MAX_MATCHED]:
        pages = _match(pages, repayment, now)
    if len(waiting) <= MAX_MATCHED:
        return _relooked(pages, obligation.id, treatment, now)
    unseen = pages.obligations[obligation.id]
    watch = replace(unseen.watch, look_at=agenda.NEVER)
    return pages.with_obligation(replace(unseen, watch=watch))


def waiting_for(pages: Pages, obligation_id: str) -> Iterator[Repayment]:
    """Yield the repayments in the pages that wait for an obligation although it is there."""
    obligation = pages.obligations[obligation_id]
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
        obligation.due_on,
        obligation.amount,
        obligation.principal_minor,
        obligation.minimum_minor,
    )


def _check_year(on: date, field: str) -> None:
    if on.year not in YEARS:
        raise Rejected("bad_date", field, f"{field} lies in a year from {YEARS[0]} to {YEARS[-1]}")


def _check_obligation(command: AddObligation, zone: str) -> None:
    _check_year(command.due_on, "due_on")
    _check_year(command.issued_at, "issued_at")
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
    if not 0 <= command.minimum_minor <= command.amount_minor:
        raise Rejected(
            "bad_minimum", "minimum_minor", "a minimum payment lies between 0 and the amount"
        )
    if command.due_on < zones.local_date(command.issued_at, zone):
        raise Rejected(
            "due_before_issue", "due_on", "the due date lies before the obligation was issued"
        )


def _add_repayment(
    pages: Pages, command: AddRepayment, treatment: Treatment, now: datetime
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
    if obligation is None:
        return _keep(pages, repayment), Outcome.KEPT
    if obligation.account_id != command.account_id:
        raise Rejected("wrong_account", "account_id", "the obligation belongs to another account")
    pages = _match(_keep(pages, repayment), repayment, now)
    pages = _relooked(pages, obligation.id, treatment, now)
    return pages, _stored_or_overpaid(pages.obligations[obligation.id])


def _receipt(repayment: Repayment) -> tuple[object, ...]:
    return (
        repayment.obligation_id,
        repayment.account_id,
        repayment.paid_at,
        repayment.amount.minor,
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
    )


def adopt(pages: Pages, parked: Repayment, treatment: Treatment, now: datetime) -> Pages:
    """Return the pages with a repayment that was parked until its account became known; unchanged if already there."""
    if parked.id in pages.repayments:
        return pages
    pages = _keep(pages, parked)
    obligation = pages.obligations.get(parked.obligation_id)
    if obligation is None or not _pays(parked, obligation):
        return pages
    return _relooked(_match(pages, parked, now), obligation.id, treatment, now)


def _keep(pages: Pages, repayment: Repayment) -> Pages:
    assert pages.head is not None
    waiting = replace(pages.head, unmatched=pages.head.unmatched + 1)
    return pages.with_repayment(repayment).with_head(waiting)


def _match(pages: Pages, repayment: Repayment, now: datetime) -> Pages:
    """Return the pages with a waiting repayment credited to its obligation."""
    assert pages.head is not None
    currency = pages.obligations[repayment.obligation_id].amount.currency
    fewer = replace(pages.head, unmatched=pages.head.unmatched - 1)
    matched = replace(repayment, matched=True, amount=Money(repayment.amount.minor, currency))
    pages = pages.with_repayment(matched).with_head(fewer)
    if repayment.reversed_at is not None:
        return pages
    return _credited(pages, repayment.obligation_id, repayment.amount.minor, now)


def _credited(pages: Pages, obligation_id: str, minor: int, now: datetime) -> Pages:
    obligation = pages.obligations[obligation_id]
    paid = obligation.paid_minor + minor
    assert paid >= 0, "more was taken back than was received"
    settled = paid >= obligation.amount.minor
    settled_at = (obligation.settled_at or now) if settled else None
    return pages.with_obligation(replace(obligation, paid_minor=paid, settled_at=settled_at))


def _reverse(
    pages: Pages, command: ReverseRepayment, treatment: Treatment, now: datetime
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
    pages = pages.with_repayment(replace(repayment, reversed_at=command.reversed_at))
    if repayment.matched:
        pages = _credited(pages, repayment.obligation_id, -repayment.amount.minor, now)
        pages = _relooked(pages, repayment.obligation_id, treatment, now)
    return pages, Outcome.STORED


def _relooked(pages: Pages, obligation_id: str, treatment: Treatment, now: datetime) -> Pages:
    snapshot = pages.snapshot(obligation_id)
    return pages.with_obligation(looked(snapshot, treatment, now))


def looked(snapshot: Snapshot, treatment: Treatment, now: datetime) -> Obligation:
    """Return the obligation with the `look_at` that agenda, treatment and zone ask for."""
    obligation = snapshot.obligation
    at = agenda.look_at(snapshot, treatment, now)
    if at == obligation.watch.look_at:
        return obligation
    return replace(obligation, watch=replace(obligation.watch, look_at=at))
