"""The demo book: pretend borrowers who pay when measured people pay, written as a loan tape.

Two products. A bill (Huabei-like) is issued on the 1st, due on the account's own day, with a
minimum of a tenth; the last three are in the book. A cash loan (Jiebei-like) is drawn on any day
and paid back in 3, 6 or 12 equal monthly instalments, so on every date something is about to fall
due, falls due or is overdue; each instalment is announced when the one before it falls due. Pay
days and hours come from `packs/calibration.toml`.

Nobody in it exists: there are no names, mail goes to a reserved domain (RFC 2606, `.example`), and
numbers are of the range that Ofcom keeps free for drama (07700 900000 to 900999). The seed and the
civil date decide everything.

A rehearsal adds one borrower for each thing that may come back of an e-mail: `b-hard` bounces, `b-optout`
unsubscribes. Their addresses are recipients of the simulated provider (docs/simulator.md).
"""

from __future__ import annotations

import calendar
import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from betimes.core import calibration, ids, zones
from betimes.core.borrower import ContactPoint
from betimes.core.calibration import POINTS, Calibration, Spread
from betimes.core.intake import AddObligation, AddRepayment, PutAccount, PutBorrower
from betimes.core.values import dataclass, replace
from betimes.measured import measured

CURRENCY: Final = "CNY"
DUE_DAYS: Final = (8, 9, 10, 15, 20)
BILLS: Final = 3
TERMS: Final = (3, 6, 12)
# Flat interest of a cash loan, per mille of the principal and month.
INTEREST_PER_MILLE: Final = 12
# Instalments that fell due longer ago than this are left out: they are paid or beyond every step.
HISTORY: Final = timedelta(days=100)
MINIMUM_PARTS: Final = 10
OVERPAID_PERCENT: Final = 1
# The rest of a part payment follows within so many days.
REST_WITHIN_DAYS: Final = 20
# Overpayments are round: the next full hundred yuan.
ROUND_MINOR: Final = 10_000

# Percent of borrowers up to which each home applies: zone ("" for the book's), jurisdiction, locale
# ("" for either).
_HOMES: Final = (
    (94, "", "CN", ""),
    (96, "Asia/Urumqi", "CN", ""),
    (98, "Europe/London", "GB", "en"),
    (100, "America/New_York", "US", "en"),
)
_CHINESE_PERCENT: Final = 70
_UNREACHABLE_PERCENT: Final = 2
_PHONE_ONLY_PERCENT: Final = 5

ACCOUNT_COLUMNS: Final = (
    "account_id",
    "borrower_id",
    "opened_on",
    "product",
    "currency",
    "limit_minor",
    "email",
    "phone",
    "locale",
    "zone",
    "jurisdiction",
)
OBLIGATION_COLUMNS: Final = (
    "obligation_id",
    "account_id",
    "borrower_id",
    "seq",
    "issued_at",
    "due_on",
    "principal_minor",
    "amount_minor",
    "minimum_minor",
)
REPAYMENT_COLUMNS: Final = (
    "repayment_id",
    "obligation_id",
    "account_id",
    "paid_at",
    "amount_minor",
)


# What comes back of an e-mail to each borrower of the rehearsal: a recipient of docs/simulator.md.
REHEARSED: Final = ("delivered", "soft", "hard", "complaint", "optout", "refused")
REHEARSAL_DOMAIN: Final = "sim.example"
_REHEARSED_MINOR: Final = 100_000
# Ends with 01, which stands for a delivered text message.
_REHEARSED_PHONE: Final = "+447700900{}01"


@dataclass(frozen=True, slots=True)
class Holding:
    """An account with the borrower who holds it."""

    borrower_id: str
    person: PutBorrower
    account: PutAccount


@dataclass(frozen=True, slots=True)
class Book:
    """A whole demo book in the order of borrowers, with payments that lie in its future."""

    holdings: tuple[Holding, ...]
    obligations: tuple[tuple[str, AddObligation], ...]
    repayments: tuple[AddRepayment, ...]


def write_demo(
    target: Path,
    *,
    as_of: datetime,
    borrowers: int = 500,
    seed: int = 7,
    zone: str = "Asia/Shanghai",
    until: datetime | None = None,
    since: date | None = None,
    rehearsal: bool = False,
) -> None:
    """Write the demo book of the day of `as_of` (aware) in `zone` as a tape into `target`.

    Holds what a lender knows at `until`, by default at `as_of`: nothing issued or paid later; with
    `since` nothing due before that day; with `rehearsal` also the borrowers of `rehearse`. The same
    arguments give the same bytes.
    """
    known = until or as_of
    today = zones.local_date(as_of, zone)
    book = generate(today, borrowers=borrowers, seed=seed, zone=zone)
    if rehearsal:
        more = rehearse(today, zone=zone)
        book = replace(
            book,
            holdings=(*book.holdings, *more.holdings),
            obligations=(*book.obligations, *more.obligations),
        )
    told = {
        o.obligation_id
        for _, o in book.obligations
        if o.issued_at <= known and (since is None or o.due_on >= since)
    }
    target.mkdir(parents=True, exist_ok=True)
    _write(target / "accounts.csv", ACCOUNT_COLUMNS, map(_account_row, book.holdings))
    _write(
        target / "obligations.csv",
        OBLIGATION_COLUMNS,
        (
            _obligation_row(borrower_id, o, zone)
            for borrower_id, o in book.obligations
            if o.obligation_id in told
        ),
    )
    _write(
        target / "repayments.csv",
        REPAYMENT_COLUMNS,
        (
            _repayment_row(r, zone)
            for r in book.repayments
            if r.paid_at <= known and r.obligation_id in told
        ),
    )


def reserved_points(borrower_id: str) -> tuple[str, str]:
    """Return the e-mail address and the phone number that stand in for those of a borrower.

    Deterministic and reserved: no mail host and no subscriber is behind them. Borrowers may share a
    number, of which there are a thousand. Source: RFC 2606 section 2; Ofcom, telephone numbers for
    use in TV and radio drama.
    """
    mark = ids.digest_id("reserved-point", borrower_id)
    number = int.from_bytes(mark.encode(), "big") % 1000
    return f"b-{mark[:16]}@borrowers.example", f"+447700900{number:03d}"


def generate(today: date, *, borrowers: int, seed: int, zone: str) -> Book:
    """Return the demo book of the civil date `today`, with all payments, also later ones."""
    holdings: list[Holding] = []
    obligations: list[tuple[str, AddObligation]] = []
    repayments: list[AddRepayment] = []
    for number in range(1, borrowers + 1):
        chance = _Chance(f"{seed}:{today.isoformat()}:{number}")
        borrower_id = f"b{number:05d}"
        person = _person(chance, borrower_id, zone)
        for account, owed, timing in _accounts(chance, number, today, zone):
            holdings.append(Holding(borrower_id, person, account))
            for obligation in owed:
                obligations.append((borrower_id, obligation))
                repayments += _payments(chance, obligation, timing, person.zone)
    return Book(tuple(holdings), tuple(obligations), tuple(repayments))


def rehearse(today: date, *, zone: str) -> Book:
    """Return the borrowers of the rehearsal, each with a bill that falls due tomorrow and is not paid.

    They have an e-mail address of the simulated provider and a number at which texts arrive, so that what
    fails by e-mail has a channel to fall back to.
    """
    holdings, obligations = [], []
    opened_on = _months_later(today, -6)
    for number, recipient in enumerate(REHEARSED):
        borrower_id, account_id = f"b-{recipient}", f"hb-{recipient}"
        person = PutBorrower(
            locale="en" if number % 2 else "zh-CN",
            zone=zone,
            jurisdiction="CN",
            contact_points=(
                ContactPoint("email", f"{recipient}@{REHEARSAL_DOMAIN}"),
                ContactPoint("sms", _REHEARSED_PHONE.format(number)),
            ),
        )
        account = PutAccount(account_id, "huabei", CURRENCY, opened_on, limit_minor=1_000_000)
        holdings.append(Holding(borrower_id, person, account))
        amount = _REHEARSED_MINOR + 11_100 * number
        owed = AddObligation(
            obligation_id=f"{account_id}-{today:%Y-%m-%d}",
            account_id=account_id,
            seq=1,
            issued_at=zones.instant(today - timedelta(days=8), time(), zone),
            due_on=today + timedelta(days=1),
            principal_minor=amount,
            amount_minor=amount,
            minimum_minor=-(-amount // MINIMUM_PARTS),
        )
        obligations.append((borrower_id, owed))
    return Book(tuple(holdings), tuple(obligations), ())


class _Chance:
    """Whole numbers drawn from a seed; the same on every machine and Python."""

    def __init__(self, seed: str) -> None:
        # Repeatable on purpose: nothing secret comes from here.
        self._bits = random.Random(seed).getrandbits  # noqa: S311

    def point(self) -> int:
        """Return a point of chance for `Spread.draw`."""
        return self._bits(64)

    def below(self, number: int) -> int:
        """Return a whole number from 0 up to, not including, `number`."""
        return self.point() * number // POINTS

    def small(self, number: int) -> int:
        """Return a whole number below `number`, small ones more often, as amounts are."""
        return self.below(number) * self.below(number) // number

    def moment(self, measured: Calibration) -> time:
        """Return a time of day at which people pay."""
        return time(measured.hours.draw(self.point()), self.below(60), self.below(60))


def _person(chance: _Chance, borrower_id: str, book_zone: str) -> PutBorrower:
    percent = chance.below(100)
    zone, jurisdiction, locale = next(home for upto, *home in _HOMES if percent < upto)
    chinese = chance.below(100) < _CHINESE_PERCENT
    return PutBorrower(
        locale=locale or ("zh-CN" if chinese else "en"),
        zone=zone or book_zone,
        jurisdiction=jurisdiction,
        contact_points=_points(chance, borrower_id),
    )


def _points(chance: _Chance, borrower_id: str) -> tuple[ContactPoint, ...]:
    email, phone = reserved_points(borrower_id)
    percent = chance.below(100)
    if percent < _UNREACHABLE_PERCENT:
        return ()
    by_phone = ContactPoint("sms", phone)
    if percent < _UNREACHABLE_PERCENT + _PHONE_ONLY_PERCENT:
        return (by_phone,)
    return ContactPoint("email", email), by_phone


_Owed = tuple[PutAccount, list[AddObligation], Spread]


def _accounts(chance: _Chance, number: int, today: date, zone: str) -> Iterator[_Owed]:
    """Yield the accounts of a borrower: three of ten have bills, three a cash loan, four both."""
    mix = chance.below(10)
    if mix < 7:
        yield _bills(chance, f"hb{number:05d}", today, zone)
    if mix >= 3:
        yield _loan(chance, f"jb{number:05d}", today, zone)


def _bills(chance: _Chance, account_id: str, today: date, zone: str) -> _Owed:
    account = PutAccount(
        account_id=account_id,
        product="huabei",
        currency=CURRENCY,
        opened_on=today - HISTORY - timedelta(days=chance.below(1000)),
        limit_minor=500_000 + 100_000 * chance.below(46),
    )
    due_day = DUE_DAYS[chance.below(len(DUE_DAYS))]
    owed = []
    for ago in reversed(range(BILLS)):
        statement_on = _months_later(today.replace(day=1), -ago)
        amount = 5_000 + chance.small(495_000)
        owed.append(
            AddObligation(
                obligation_id=f"{account_id}-{statement_on:%Y-%m}",
                account_id=account_id,
                seq=statement_on.year * 12 + statement_on.month,
                issued_at=zones.instant(statement_on, time(), zone),
                due_on=statement_on.replace(day=due_day),
                principal_minor=amount,
                amount_minor=amount,
                minimum_minor=-(-amount // MINIMUM_PARTS),
            )
        )
    return account, owed, measured().statement


def _loan(chance: _Chance, account_id: str, today: date, zone: str) -> _Owed:
    months = TERMS[chance.below(len(TERMS))]
    # Some loans have just ended, so that late last instalments occur as well.
    drawn_on = today - timedelta(days=chance.below(30 * months + 20))
    drawn_at = zones.instant(drawn_on, chance.moment(measured()), zone)
    principal = 100_000 + 50_000 * chance.small(60)
    total = principal + principal * INTEREST_PER_MILLE * months // 1000
    account = PutAccount(account_id, "jiebei", CURRENCY, drawn_on)
    owed = []
    for seq in range(1, months + 1):
        due_on = _months_later(drawn_on, seq)
        announced_on = _months_later(drawn_on, seq - 1)
        if due_on < today - HISTORY or announced_on > today:
            continue
        owed.append(
            AddObligation(
                obligation_id=f"{account_id}-{seq:02d}",
                account_id=account_id,
                seq=seq,
                issued_at=drawn_at if seq == 1 else zones.instant(announced_on, time(), zone),
                due_on=due_on,
                principal_minor=_part(principal, seq, months),
                amount_minor=_part(total, seq, months),
            )
        )
    return account, owed, measured().instalment


def _part(total: int, seq: int, parts: int) -> int:
    """Return part `seq` of `total` in equal parts; the last takes what is left over."""
    return total // parts + (total % parts if seq == parts else 0)


def _months_later(day: date, months: int) -> date:
    """Return the same day of the month `months` later, the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _payments(
    chance: _Chance, owed: AddObligation, timing: Spread, zone: str
) -> list[AddRepayment]:
    """Return the payments of an obligation: one, or a part and later the rest.

    The first falls on the drawn day. Whether it is late is drawn first, so a short time between
    issue and due date does not change the share of late ones.
    """
    announced = (zones.local_date(owed.issued_at, zone) - owed.due_on).days
    late = timing.draw(chance.point()) > 0
    days = (
        timing.draw(chance.point(), low=1)
        if late
        else timing.draw(chance.point(), low=announced, high=0)
    )
    payer = _Payer(chance, owed, zone)
    first = payer.payment(1, days, owed.amount_minor)
    if chance.below(calibration.PER_HAZARD) < measured().partial_share:
        part = owed.minimum_minor or owed.amount_minor * (20 + chance.below(60)) // 100
        later = days + 1 + chance.below(REST_WITHIN_DAYS)
        rest = payer.payment(2, later, owed.amount_minor - part)
        return [replace(first, amount_minor=part), rest]
    if chance.below(100) < OVERPAID_PERCENT:
        rounded = (owed.amount_minor // ROUND_MINOR + 1) * ROUND_MINOR
        return [replace(first, amount_minor=rounded)]
    return [first]


@dataclass(frozen=True, slots=True)
class _Payer:
    """Whoever pays one obligation, on days counted from its due date and at hours of their zone."""

    chance: _Chance
    owed: AddObligation
    zone: str

    def payment(self, number: int, days: int, amount_minor: int) -> AddRepayment:
        owed = self.owed
        on = owed.due_on + timedelta(days=days)
        paid_at = zones.instant(on, self.chance.moment(measured()), self.zone)
        return AddRepayment(
            repayment_id=f"{owed.obligation_id}-p{number}",
            obligation_id=owed.obligation_id,
            account_id=owed.account_id,
            paid_at=max(paid_at, owed.issued_at),
            amount_minor=amount_minor,
        )


def _account_row(holding: Holding) -> Sequence[object]:
    person, account = holding.person, holding.account
    address = {point.channel: point.address for point in person.contact_points}
    return (
        account.account_id,
        holding.borrower_id,
        account.opened_on,
        account.product,
        account.currency,
        account.limit_minor,
        address.get("email", ""),
        address.get("sms", ""),
        person.locale,
        person.zone,
        person.jurisdiction,
    )


def _obligation_row(borrower_id: str, owed: AddObligation, zone: str) -> Sequence[object]:
    return (
        owed.obligation_id,
        owed.account_id,
        borrower_id,
        owed.seq,
        _local(owed.issued_at, zone),
        owed.due_on,
        owed.principal_minor,
        owed.amount_minor,
        owed.minimum_minor,
    )


def _repayment_row(payment: AddRepayment, zone: str) -> Sequence[object]:
    return (
        payment.repayment_id,
        payment.obligation_id,
        payment.account_id,
        _local(payment.paid_at, zone),
        payment.amount_minor,
    )


def _local(at: datetime, zone: str) -> str:
    """Return the instant as local time with its offset, so that no reader can mistake it."""
    return at.astimezone(zones.zone(zone)).isoformat()


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
