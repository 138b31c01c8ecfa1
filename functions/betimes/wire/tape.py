"""The loan tape: CSV files about accounts, obligations, repayments, touches and consents, read row by row.

    accounts.csv      account_id product currency, and if known opened_on borrower_id email phone
                      locale zone zone_evidence jurisdiction tags score_band limit_minor
                      daily_rate mandate creditor
    obligations.csv   obligation_id account_id seq issued_at due_on principal_minor amount_minor,
                      and if known minimum_minor fee_minor borrower_id
    repayments.csv    obligation_id account_id paid_at amount_minor, and if known repayment_id
                      first_paid_at credit; the file may be missing
    statements.csv    account_id month bill_minor paid_in_month_minor; instead of the two above,
                      see `wire.statements`
    touches.csv       touch_id at channel, one of borrower_id and account_id, and if known the
                      other fields of a touch (`core.touch`); beside the others or alone
    consents.csv      consent_id act at, one of borrower_id and account_id, and if known the other
                      fields of a statement (`core.said`); beside the others or alone

Each plain, .csv.gz or .csv.xz. Columns stand in any order; others are left aside and reported. A
row is read or refused on its own: a bad one gets its line, its column and the way out, and stops no
other. A file is refused as a whole when it cannot be trusted as a whole (`verify` finds out before
anything is applied).

A row of accounts states all that is known of its borrower: where a borrower holds several accounts,
each row repeats it. `tags` and `zone_evidence` are lists with ";" between their entries. A `zone` is
"unknown" where nobody knows it; a number that does not fit the zone is evidence against it
(`wire.phones`). Accounts without `opened_on` are taken as opened on `OPENED_UNKNOWN`. A repayment
without an `obligation_id` pays what its account owes, in the order of the product; `credit` is yes
for a credit note. One without an id of its own gets one made from obligation (or account), instant
and amount, so the same row twice is one payment.

A row of touches is a contact or a try outside the platform. `attempt` is yes unless it says no; `debts` and `products`
are lists; `number` is the plain number or address, of which only a token is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, Final

from betimes.core import ids, zones
from betimes.core.borrower import ContactPoint
from betimes.core.consent import Switch
from betimes.core.errors import Rejected
from betimes.core.intake import (
    MAX_NAMED,
    AddObligation,
    AddRepayment,
    Command,
    PutAccount,
    PutBorrower,
    ReportTouches,
)
from betimes.core.pack import CHANNELS, EXCLUSIONS
from betimes.core.rule import ConsentForm, Party, Purpose, Recipient
from betimes.core.said import Act, Statement, TellConsents
from betimes.core.touch import Direction, Touch
from betimes.wire import archive, phones, statements
from betimes.wire.archive import lines
from betimes.wire.cells import Cells, split

__all__ = [
    "BadRow",
    "Header",
    "Kind",
    "Row",
    "TapeDefaults",
    "header",
    "kinds",
    "lines",
    "lines_and_rows",
    "passes",
    "rows",
    "verify",
]

OPENED_UNKNOWN: Final = date(2000, 1, 1)
NO_CONTACT_POINT: Final = "no_contact_point"


class Kind(StrEnum):
    """What a file holds; a file of statements is read twice, for what is owed and for what was paid."""

    ACCOUNTS = "accounts"
    OBLIGATIONS = "obligations"
    REPAYMENTS = "repayments"
    STATEMENTS = "statements"
    STATEMENTS_OBLIGATIONS = "statements-obligations"
    STATEMENTS_REPAYMENTS = "statements-repayments"
    TOUCHES = "touches"
    CONSENTS = "consents"


FILES: Final = (
    Kind.ACCOUNTS,
    Kind.OBLIGATIONS,
    Kind.REPAYMENTS,
    Kind.STATEMENTS,
    Kind.TOUCHES,
    Kind.CONSENTS,
)
# What lenders tell every day; the borrowers are known already.
_ALONE: Final = frozenset({Kind.TOUCHES, Kind.CONSENTS})


@dataclass(frozen=True, slots=True)
class TapeDefaults:
    """What holds where a row does not say; `zone` also for times without an offset."""

    zone: str
    jurisdiction: str = "CN"
    locale: str = "zh-CN"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as commands; they hold together or not at all.

    There may be none: a statement of zero asks for nothing. `line` counts from 1, the header's.
    `key` is the id of what the row tells. `borrower_id` is "" where the file leaves it to the
    account. `notice` is the code of something the lender should know, "" if nothing.
    """

    kind: str
    line: int
    key: str
    account_id: str
    borrower_id: str
    commands: tuple[Command, ...]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read; never quotes what a cell holds.

    `key` is the row's own id in it, "" where there is none or that is not readable either.
    """

    kind: str
    line: int
    key: str
    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file in order, and those of them that are left aside."""

    columns: tuple[str, ...]
    extra: tuple[str, ...]


# What one row says, before it has a line: key, account, borrower, commands, notice.
_Said = tuple[str, str, str, tuple[Command, ...], str]
_Reader = Callable[[Cells], _Said]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The columns of a kind of file, the one with the id of a row, and what makes its reader."""

    key: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    reader: Callable[[TapeDefaults], _Reader]


def kinds(names: Iterable[str]) -> dict[str, str]:
    """Return the file of each kind among the file names of a tape, in order of reading.

    Such as {"accounts": "accounts.csv.xz"}. Other names are left aside.

    Raises:
        Rejected: code "missing_file" or "ambiguous_file"; the field is the kind.
    """
    found: dict[str, str] = {}
    given = set(names)
    for kind in FILES:
        forms = [kind + suffix for suffix in archive.SUFFIXES if kind + suffix in given]
        if len(forms) > 1:
            raise Rejected(
                "ambiguous_file", kind, f"the tape has {' and '.join(forms)}; leave one of them out"
            )
        if forms:
            found[kind] = forms[0]
    _check_set(found)
    return found


def _check_set(found: Mapping[str, str]) -> None:
    if found and set(found) <= _ALONE:
        return
    by_loan = [found[kind] for kind in (Kind.OBLIGATIONS, Kind.REPAYMENTS) if kind in found]
    if Kind.STATEMENTS in found and by_loan:
        raise Rejected(
            "ambiguous_file",
            Kind.STATEMENTS,
            f"the tape has {found[Kind.STATEMENTS]} and {by_loan[0]}; "
            "a tape holds statements or obligations with repayments, not both",
        )
    if Kind.ACCOUNTS not in found:
        raise Rejected("missing_file", Kind.ACCOUNTS, _missing("accounts.csv"))
    if Kind.STATEMENTS not in found and Kind.OBLIGATIONS not in found:
        raise Rejected(
            "missing_file", Kind.OBLIGATIONS, _missing("obligations.csv (or statements.csv)")
        )


def _missing(name: str) -> str:
    return f"the tape has no {name}; it may be plain or end in .gz or .xz"


def passes(found: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return (kind, file name) of every reading of a tape, in order; `found` is from `kinds`."""
    out: list[tuple[str, str]] = []
    for kind, name in found.items():
        if kind == Kind.STATEMENTS:
            out += [(Kind.STATEMENTS_OBLIGATIONS, name), (Kind.STATEMENTS_REPAYMENTS, name)]
        else:
            out.append((kind, name))
    return tuple(out)


def header(kind: str, stream: BinaryIO, name: str) -> Header:
    """Return the columns of a file; reads no further than its first lines.

    Raises:
        Rejected: as `verify`, for what can be wrong with an archive or a header.
    """
    return _header(kind, lines(stream, name), name)


def verify(kind: str, stream: BinaryIO, name: str) -> int:
    """Return the number of data rows of a file after unpacking all of it.

    The rows themselves are not looked at.

    Raises:
        Rejected: code "empty_file", "missing_column" or "duplicate_column", or what `lines` raises.
    """
    source = lines(stream, name)
    _header(kind, source, name)
    return sum(1 for line in source if line)


def rows(kind: str, stream: BinaryIO, name: str, defaults: TapeDefaults) -> Iterator[Row | BadRow]:
    """Yield one `Row` or `BadRow` for every data row, in the order of the file.

    Empty lines are none. A bad row of statements is reported by the reading of obligations; the
    reading of repayments takes no command from it.

    Raises:
        Rejected: as `verify`; rows before the fault have been yielded.
    """
    return (row for _, row in lines_and_rows(kind, stream, name, defaults))


def lines_and_rows(
    kind: str, stream: BinaryIO, name: str, defaults: TapeDefaults
) -> Iterator[tuple[str, Row | BadRow]]:
    """Yield every data row as it stands in the file beside what it says; see `rows`."""
    source = lines(stream, name)
    columns = _header(kind, source, name).columns
    shape = _SHAPES[Kind(kind)]
    read = shape.reader(defaults)
    for number, line in enumerate(source, start=2):
        if not line:
            continue
        fields: dict[str, str] = {}
        try:
            fields = _fields(line, columns)
            key, account_id, borrower_id, commands, notice = read(Cells(fields))
        except Rejected as bad:
            key = fields.get(shape.key, "")
            key = key if ids.is_id(key) else ""
            if kind == Kind.STATEMENTS_REPAYMENTS:
                yield line, Row(kind, number, key, "", "", ())
            else:
                yield line, BadRow(kind, number, key, bad.code, bad.field, bad.message)
        else:
            yield line, Row(kind, number, key, account_id, borrower_id, commands, notice)


def _fields(line: str, columns: tuple[str, ...]) -> dict[str, str]:
    fields = split(line)
    if len(fields) != len(columns):
        raise Rejected(
            "malformed_row",
            "",
            f"this row has {len(fields)} fields, the header has {len(columns)}; "
            "a field that holds a comma stands in quotes",
        )
    return dict(zip(columns, fields, strict=True))


def _header(kind: str, source: Iterator[str], name: str) -> Header:
    """Return the columns named in the first line, which is taken from `source`."""
    shape = _SHAPES[Kind(kind)]
    first = next(source, "")
    if not first:
        raise Rejected(
            "empty_file", name, f"{name} has no header; its first line names its columns"
        )
    try:
        columns = tuple(split(first))
    except Rejected as bad:
        raise Rejected(bad.code, name, f"{name} line 1: {bad.message}") from None
    for column in shape.required:
        if column not in columns:
            raise Rejected(
                "missing_column",
                column,
                f"{name} has no column {column}; it needs {', '.join(shape.required)}",
            )
    known = shape.required + shape.optional
    for column in known:
        if columns.count(column) > 1:
            raise Rejected(
                "duplicate_column",
                column,
                f"{name} has two columns {column}; leave one of them out",
            )
    return Header(columns, tuple(column for column in columns if column not in known))


def _account_reader(defaults: TapeDefaults) -> _Reader:
    def read(cells: Cells) -> _Said:
        account_id = cells.id("account_id")
        borrower_id = cells.id("borrower_id", default=account_id)
        points = tuple(
            ContactPoint(channel, address)
            for channel, address in (("email", cells.text("email")), ("sms", cells.text("phone")))
            if address
        )
        zone = cells.zone("zone", default=defaults.zone)
        person = PutBorrower(
            locale=cells.locale("locale", default=defaults.locale),
            zone=zone,
            jurisdiction=cells.jurisdiction("jurisdiction", default=defaults.jurisdiction),
            contact_points=points,
            zone_evidence=phones.joined(zone, cells.zones("zone_evidence"), cells.text("phone")),
            tags=cells.words("tags"),
            score_band=cells.word("score_band", default=""),
        )
        account = PutAccount(
            account_id=account_id,
            product=cells.word("product"),
            currency=cells.currency("currency"),
            opened_on=cells.day("opened_on") if cells.has("opened_on") else OPENED_UNKNOWN,
            limit_minor=cells.whole("limit_minor", default=0),
            daily_rate=cells.rate("daily_rate"),
            mandate=cells.tail("mandate"),
            creditor=cells.title("creditor"),
        )
        notice = "" if points else NO_CONTACT_POINT
        return account_id, account_id, borrower_id, (person, account), notice

    return read


def _obligation_reader(defaults: TapeDefaults) -> _Reader:
    def read(cells: Cells) -> _Said:
        command = AddObligation(
            obligation_id=cells.id("obligation_id"),
            account_id=cells.id("account_id"),
            seq=cells.place("seq"),
            issued_at=cells.instant("issued_at", defaults.zone),
            due_on=cells.day("due_on"),
            principal_minor=cells.whole("principal_minor"),
            amount_minor=cells.whole("amount_minor"),
            minimum_minor=cells.whole("minimum_minor", default=0),
            fee_minor=cells.whole("fee_minor", default=0),
        )
        borrower_id = cells.id("borrower_id", default="")
        return command.obligation_id, command.account_id, borrower_id, (command,), ""

    return read


def _repayment_reader(defaults: TapeDefaults) -> _Reader:
    def read(cells: Cells) -> _Said:
        obligation_id = cells.id("obligation_id", default="")
        account_id = cells.id("account_id")
        paid_at = cells.instant("paid_at", defaults.zone)
        amount = cells.whole("amount_minor")
        is_credit = cells.flag("credit")
        # No id has an "@": money for an account is never taken for money for an obligation.
        made = ids.digest_id(
            obligation_id or f"@{account_id}",
            zones.to_text(paid_at),
            str(amount),
            *(("credit",) if is_credit else ()),
        )
        command = AddRepayment(
            repayment_id=cells.id("repayment_id", default=f"r_{made}"),
            obligation_id=obligation_id,
            account_id=account_id,
            paid_at=paid_at,
            amount_minor=amount,
            credit=is_credit,
        )
        return command.repayment_id, account_id, "", (command,), ""

    return read


def _touch_reader(defaults: TapeDefaults) -> _Reader:
    def read(cells: Cells) -> _Said:
        borrower_id = cells.id("borrower_id", default="")
        # Somebody must be named: a borrower, or an account whose holder is known.
        account_id = cells.id("account_id", default="" if borrower_id else None)
        channel = cells.choice("channel", CHANNELS)
        touch = Touch(
            id=cells.id("touch_id"),
            at=cells.instant("at", defaults.zone),
            channel=channel,
            direction=Direction(cells.choice("direction", [*Direction], default=Direction.OUT)),
            attempt=cells.flag("attempt", default=True),
            connected=cells.flag("connected"),
            conversation=cells.flag("conversation"),
            message_left=cells.flag("message_left"),
            party=Party(cells.choice("party", [*Party], default=Party.FIRST)),
            by=cells.id("by", default=""),
            debts=cells.ids("debts", MAX_NAMED),
            accounts=(account_id,) if account_id else (),
            products=cells.words("products"),
            recipient=Recipient(
                cells.choice("recipient", [*Recipient], default=Recipient.BORROWER)
            ),
            excluded=cells.choices("excluded", EXCLUSIONS),
            purpose=Purpose(cells.choice("purpose", [*Purpose], default=Purpose.OVERDUE)),
        )
        address = phones.checked_address(channel, cells.text("number"))
        command = ReportTouches((touch,), (address,))
        return touch.id, account_id, borrower_id, (command,), ""

    return read


def _consent_reader(defaults: TapeDefaults) -> _Reader:
    def read(cells: Cells) -> _Said:
        borrower_id = cells.id("borrower_id", default="")
        account_id = cells.id("account_id", default="" if borrower_id else None)
        channel = cells.choice("channel", CHANNELS) if cells.text("channel") else ""
        statement = Statement(
            id=cells.id("consent_id"),
            act=Act(cells.choice("act", [*Act])),
            at=cells.instant("at", defaults.zone),
            switch=Switch(
                cells.choice("switch", [Switch.REMINDER, Switch.MARKETING], default=Switch.REMINDER)
            ),
            channel=channel,
            address=_checked(channel, cells.text("address")),
            form=ConsentForm(cells.choice("form", [*ConsentForm][1:], default=ConsentForm.OPT_IN)),
            evidence=cells.text("evidence"),
            by=cells.id("by", default=""),
            language=cells.locale("language", default=""),
            valid_until=cells.instant("valid_until", defaults.zone)
            if cells.text("valid_until")
            else None,
        )
        return statement.id, account_id, borrower_id, (TellConsents((statement,)),), ""

    return read


def _checked(channel: str, address: str) -> str:
    try:
        return phones.checked_address(channel, address)
    except Rejected as bad:
        raise Rejected(bad.code, "address", bad.message) from None


def _bill_reader(defaults: TapeDefaults) -> _Reader:
    def read(cells: Cells) -> _Said:
        key, command = statements.bill(cells, defaults.zone)
        return key, cells.text("account_id"), "", (command,) if command else (), ""

    return read


def _payment_reader(defaults: TapeDefaults) -> _Reader:
    payments = statements.Payments(defaults.zone)

    def read(cells: Cells) -> _Said:
        key, command = payments.payment(cells)
        return key, cells.text("account_id"), "", (command,) if command else (), ""

    return read


_SHAPES: Final[Mapping[Kind, _Shape]] = {
    Kind.ACCOUNTS: _Shape(
        "account_id",
        ("account_id", "product", "currency"),
        (
            "opened_on",
            "borrower_id",
            "email",
            "phone",
            "locale",
            "zone",
            "zone_evidence",
            "jurisdiction",
            "tags",
            "score_band",
            "limit_minor",
            "daily_rate",
            "mandate",
            "creditor",
        ),
        _account_reader,
    ),
    Kind.OBLIGATIONS: _Shape(
        "obligation_id",
        (
            "obligation_id",
            "account_id",
            "seq",
            "issued_at",
            "due_on",
            "principal_minor",
            "amount_minor",
        ),
        ("minimum_minor", "fee_minor", "borrower_id"),
        _obligation_reader,
    ),
    Kind.REPAYMENTS: _Shape(
        "repayment_id",
        ("obligation_id", "account_id", "paid_at", "amount_minor"),
        ("repayment_id", "first_paid_at", "credit"),
        _repayment_reader,
    ),
    Kind.STATEMENTS: _Shape("account_id", statements.COLUMNS, (), _bill_reader),
    Kind.STATEMENTS_OBLIGATIONS: _Shape("account_id", statements.COLUMNS, (), _bill_reader),
    Kind.STATEMENTS_REPAYMENTS: _Shape("account_id", statements.COLUMNS, (), _payment_reader),
    Kind.TOUCHES: _Shape(
        "touch_id",
        ("touch_id", "at", "channel"),
        (
            "borrower_id",
            "account_id",
            "direction",
            "attempt",
            "connected",
            "conversation",
            "message_left",
            "party",
            "by",
            "debts",
            "products",
            "number",
            "recipient",
            "excluded",
            "purpose",
        ),
        _touch_reader,
    ),
    Kind.CONSENTS: _Shape(
        "consent_id",
        ("consent_id", "act", "at"),
        (
            "borrower_id",
            "account_id",
            "switch",
            "channel",
            "address",
            "form",
            "evidence",
            "by",
            "language",
            "valid_until",
        ),
        _consent_reader,
    ),
}
