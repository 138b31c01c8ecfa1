"""Tapes on this machine: made ready for the inbox, or turned into a diary for the lab.

Borrowers of a tape without contact columns get reserved test addresses here, and only here: the
functions in the cloud never invent an address.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path
from typing import Final, TextIO

from betimes.core import zones
from betimes.core.borrower import ContactPoint
from betimes.core.errors import Rejected
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    Command,
    PutAccount,
    PutBorrower,
    ReportTouches,
)
from betimes.core.said import TellConsents
from betimes.lab.demo import reserved_points
from betimes.wire import tape
from betimes.wire.cells import split
from betimes.wire.statements import DRAWN
from betimes.wire.tape import BadRow, Header, Kind, Row, TapeDefaults

CONTACT_COLUMNS: Final = ("email", "phone")
_BILL_COLUMNS: Final = "obligation_id,account_id,seq,issued_at,due_on,principal_minor,amount_minor"
_PAYMENT_COLUMNS: Final = "repayment_id,obligation_id,account_id,paid_at,amount_minor"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a written file come from: the name of the file given, and for each row its line there."""

    name: str
    lines: Sequence[int]

    def line(self, written: int) -> int:
        """Return the line in the file given of what stands in line `written` of the copy; both count from 1, the
        header's.
        """
        return self.lines[written - 2] if written > 1 else written


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was written: rows by kind, notices, and the first and last instant of a fact in them.

    Openings of accounts do not count as facts; both instants are None where there is none. `sources` says for each
    kind where its rows come from. Of the obligations that a limit
    let through, `issued_later` were left out because they were not issued yet.
    """

    counts: Mapping[str, int]
    notices: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None
    sources: Mapping[str, Source]
    issued_later: int = 0


@dataclass(frozen=True, slots=True)
class Timed:
    """A row as something that happens at an instant.

    At one instant lower `order` comes first: accounts, repayments, obligations, touches, consents. `borrower_id` is ""
    where nobody is known to hold the account. `kind`, `line` and `key` say which row it is, `notice` is the code of
    what its lender should know, "" if nothing.
    """

    at: datetime
    order: int
    account_id: str
    borrower_id: str
    commands: tuple[Command, ...]
    file: str
    line: int
    kind: str = ""
    key: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A whole tape in order of time, the rows that cannot be read, and notices."""

    timed: tuple[Timed, ...]
    bad: tuple[BadRow, ...]
    notices: tuple[str, ...]


def prepare(
    source: Path,
    target: Path,
    *,
    zone: str,
    as_of: datetime | None = None,
    limit: int | None = None,
) -> Prepared:
    """Write the tape in the directory `source` as plain CSV files into the directory `target`.

    With `as_of` only what a lender knew then: accounts opened, obligations issued and money received by that instant.
    With `limit` only the first so many obligations of the file, their accounts, repayments, touches and consents;
    `as_of` then cuts that slice. Accounts get reserved contact points where their file has no contact columns at all.
    Statements become obligations and repayments. Rows that cannot be read are passed on as they stand, so that intake
    reports them. The same tape gives the same bytes.

    Raises:
        Rejected: the tape lacks a file, or one of its files cannot be trusted; nothing has been
        written then.
    """
    if target.resolve() == source.resolve():
        raise Rejected("same_directory", "target", "a tape is not prepared in its own directory")
    files = _Files.of(source, zone)
    for kind, name in files.found.items():
        with (source / name).open("rb") as stream:
            tape.verify(kind, stream, name)
    target.mkdir(parents=True, exist_ok=True)
    cut = _Cut(zone, as_of, limit)
    # Obligations come first: they say which accounts and which money are wanted.
    obligations = _prepare_obligations(files, target, cut)
    repayments = _prepare_repayments(files, target, cut)
    sources = {
        Kind.ACCOUNTS.value: _prepare_accounts(files, target, cut),
        Kind.OBLIGATIONS.value: obligations,
        Kind.REPAYMENTS.value: repayments,
    }
    for kind in (Kind.TOUCHES, Kind.CONSENTS):
        if kind in files.found:
            sources[kind.value] = _prepare_told(kind, files, target, cut)
    return Prepared(
        counts={kind: len(source.lines) for kind, source in sources.items()},
        notices=files.notices(),
        first_at=cut.first_at,
        last_at=cut.last_at,
        sources=sources,
        issued_later=cut.issued_later,
    )


def feed(source: Path, *, zone: str) -> Feed:
    """Return everything in the tape in the directory `source` in order of time.

    Contact points are filled in as in `prepare`. An account happens at midnight of its opening, but
    never after its first obligation or repayment; one whose opening is unknown happens with these,
    or when the tape begins.

    Raises:
        Rejected: the tape lacks a file, or one of its files cannot be trusted.
    """
    files = _Files.of(source, zone)
    bad: list[BadRow] = []
    accounts: list[Row] = []
    happened: list[tuple[datetime, int, Row, str]] = []
    for kind, name in tape.passes(files.found):
        for row in files.rows(kind, name):
            if isinstance(row, BadRow):
                bad.append(row)
            elif kind == Kind.ACCOUNTS:
                accounts.append(row)
            elif row.commands:
                at, order = _instant(row.commands[0])
                happened.append((at, order, row, name))
    placed = _placed(accounts, happened, files)
    happened = sorted(placed + happened, key=lambda fact: fact[:2])
    owners = {row.account_id: row.borrower_id for row in accounts}
    timed = tuple(
        Timed(
            at,
            order,
            row.account_id,
            row.borrower_id or owners.get(row.account_id, ""),
            row.commands,
            name,
            row.line,
            _KIND_OF[order],
            row.key,
            row.notice,
        )
        for at, order, row, name in happened
    )
    return Feed(timed, tuple(bad), files.notices())


_ORDER: Final = {
    PutAccount: 0,
    AddRepayment: 1,
    AddObligation: 2,
    ReportTouches: 3,
    TellConsents: 4,
}
_KIND_OF: Final = (
    Kind.ACCOUNTS.value,
    Kind.REPAYMENTS.value,
    Kind.OBLIGATIONS.value,
    Kind.TOUCHES.value,
    Kind.CONSENTS.value,
)


def _instant(command: Command) -> tuple[datetime, int]:
    match command:
        case AddObligation():
            return command.issued_at, _ORDER[AddObligation]
        case AddRepayment():
            return command.paid_at, _ORDER[AddRepayment]
        case ReportTouches(touches=(touch,)):
            return touch.at, _ORDER[ReportTouches]
        case TellConsents(statements=(statement,)):
            return statement.at, _ORDER[TellConsents]
    raise AssertionError("a row of a tape brings a debt, money, a touch or a consent")


def _placed(
    accounts: list[Row], happened: list[tuple[datetime, int, Row, str]], files: _Files
) -> list[tuple[datetime, int, Row, str]]:
    """Return the accounts with their instants and, where asked for, their reserved points."""
    first: dict[str, datetime] = {}
    for at, _, row, _ in happened:
        first[row.account_id] = min(at, first.get(row.account_id, at))
    begins = min(first.values(), default=None)
    reserved = not files.has_contacts()
    out = []
    for row in accounts:
        person, account = row.commands
        assert isinstance(person, PutBorrower) and isinstance(account, PutAccount)
        opened_at = zones.instant(account.opened_on, time(), files.zone)
        if account.opened_on == tape.OPENED_UNKNOWN:
            opened_at = first.get(row.account_id) or begins or opened_at
        at = min(opened_at, first.get(row.account_id, opened_at))
        if reserved:
            email, phone = reserved_points(row.borrower_id)
            points = (ContactPoint("email", email), ContactPoint("sms", phone))
            person = replace(person, contact_points=points)
        placed = replace(row, commands=(person, account))
        out.append((at, _ORDER[PutAccount], placed, files.found[Kind.ACCOUNTS]))
    return out


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of one tape on disk."""

    source: Path
    zone: str
    found: Mapping[str, str]
    headers: Mapping[str, Header]

    @classmethod
    def of(cls, source: Path, zone: str) -> _Files:
        zones.zone(zone)
        if not source.is_dir():
            raise Rejected(
                "missing_file", "source", f"{source.name} is not a directory; a tape is one"
            )
        found = tape.kinds(path.name for path in source.iterdir() if path.is_file())
        if Kind.ACCOUNTS not in found:
            raise Rejected(
                "missing_file",
                Kind.ACCOUNTS,
                "touches or consents alone are no book; put them beside accounts.csv and obligations.csv",
            )
        headers = {}
        for kind, name in found.items():
            with (source / name).open("rb") as stream:
                headers[kind] = tape.header(kind, stream, name)
        return cls(source, zone, found, headers)

    def has_contacts(self) -> bool:
        """Whether the accounts say how to reach their borrowers, be it with empty cells."""
        return any(column in self.headers[Kind.ACCOUNTS].columns for column in CONTACT_COLUMNS)

    def rows(self, kind: str, name: str) -> Iterator[Row | BadRow]:
        with (self.source / name).open("rb") as stream:
            yield from tape.rows(kind, stream, name, TapeDefaults(self.zone))

    def both(self, kind: str, name: str) -> Iterator[tuple[str, Row | BadRow]]:
        """Yield every data row as it stands beside what it says."""
        with (self.source / name).open("rb") as stream:
            yield from tape.lines_and_rows(kind, stream, name, TapeDefaults(self.zone))

    def head(self, name: str) -> str:
        """Return the header line of a file as it stands."""
        with (self.source / name).open("rb") as stream:
            return next(tape.lines(stream, name))

    def notices(self) -> tuple[str, ...]:
        """Return what is left aside and what is made up, one sentence each."""
        out = [
            f"{self.found[kind]}: column {column} is not used"
            for kind, header in self.headers.items()
            for column in header.extra
        ]
        if Kind.STATEMENTS in self.found:
            out.append(
                f"{self.found[Kind.STATEMENTS]}: statements carry no pay days; they are drawn, and "
                f'the ids of these repayments start with "{DRAWN}"'
            )
        if not self.has_contacts():
            out.append(
                f"{self.found[Kind.ACCOUNTS]}: no contact columns; borrowers get reserved test "
                "addresses and numbers"
            )
        return tuple(out)


@dataclass(slots=True)
class _Cut:
    """What part of a tape is wanted, and what has been taken so far."""

    zone: str
    as_of: datetime | None
    limit: int | None
    obligations: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    borrowers: set[str] = field(default_factory=set)
    first_at: datetime | None = None
    last_at: datetime | None = None
    taken: int = 0
    issued_later: int = 0

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.taken >= self.limit

    def takes_obligation(self, command: AddObligation) -> bool:
        if self.is_full:
            return False
        self.taken += 1
        if not self._known(command.issued_at):
            self.issued_later += 1
            return False
        self.accounts.add(command.account_id)
        if self.limit is not None:
            self.obligations.add(command.obligation_id)
        self._saw(command.issued_at)
        return True

    def takes_repayment(self, command: AddRepayment) -> bool:
        of_debt = command.obligation_id in self.obligations
        of_account = not command.obligation_id and command.account_id in self.accounts
        wanted = self.limit is None or of_debt or of_account
        if not wanted or not self._known(command.paid_at):
            return False
        self._saw(command.paid_at)
        return True

    def takes_account(self, row: Row) -> bool:
        account = row.commands[1]
        assert isinstance(account, PutAccount)
        opened_at = zones.instant(account.opened_on, time(), self.zone)
        owes = account.account_id in self.accounts
        if not owes and (self.limit is not None or not self._known(opened_at)):
            return False
        self.accounts.add(account.account_id)
        self.borrowers.add(row.borrower_id)
        return True

    def takes_told(self, row: Row, command: ReportTouches | TellConsents) -> bool:
        debts: set[str] = set()
        if isinstance(command, ReportTouches):
            [touch] = command.touches
            at, debts = touch.at, set(touch.debts)
        else:
            [statement] = command.statements
            at = statement.at
        if not self._known(at):
            return False
        known = row.borrower_id in self.borrowers or row.account_id in self.accounts
        return self.limit is None or (known and debts <= self.obligations)

    def _known(self, at: datetime) -> bool:
        return self.as_of is None or at <= self.as_of

    def _saw(self, at: datetime) -> None:
        self.first_at = min(at, self.first_at or at)
        self.last_at = max(at, self.last_at or at)


def _prepare_obligations(files: _Files, target: Path, cut: _Cut) -> Source:
    from_statements = Kind.STATEMENTS in files.found
    kind = Kind.STATEMENTS_OBLIGATIONS if from_statements else Kind.OBLIGATIONS
    name = files.found[Kind.STATEMENTS if from_statements else Kind.OBLIGATIONS]
    head = files.head(name)
    with _new(target / "obligations.csv") as file:
        out = _Out(file, _BILL_COLUMNS if from_statements else head, source_head=head)
        for line, row in files.both(kind, name):
            if cut.is_full:
                break
            if isinstance(row, BadRow):
                out.bad(line, row.line)
                continue
            for command in row.commands:
                assert isinstance(command, AddObligation)
                if cut.takes_obligation(command):
                    out.good(_bill_row(command) if from_statements else line, row.line)
    return out.source(name)


def _prepare_repayments(files: _Files, target: Path, cut: _Cut) -> Source:
    from_statements = Kind.STATEMENTS in files.found
    kind = Kind.STATEMENTS_REPAYMENTS if from_statements else Kind.REPAYMENTS
    name = files.found.get(Kind.STATEMENTS if from_statements else Kind.REPAYMENTS)
    with _new(target / "repayments.csv") as file:
        if name is None:
            return _Out(file, _PAYMENT_COLUMNS, source_head="").source("repayments.csv")
        head = files.head(name)
        out = _Out(file, _PAYMENT_COLUMNS if from_statements else head, source_head=head)
        for line, row in files.both(kind, name):
            if isinstance(row, BadRow):
                out.bad(line, row.line)
                continue
            for command in row.commands:
                assert isinstance(command, AddRepayment)
                if cut.takes_repayment(command):
                    out.good(_payment_row(command) if from_statements else line, row.line)
    return out.source(name)


def _prepare_told(kind: Kind, files: _Files, target: Path, cut: _Cut) -> Source:
    """Write the touches or consents that are wanted; the accounts must have been cut before, since they say who is
    there.
    """
    name = files.found[kind]
    head = files.head(name)
    with _new(target / f"{kind}.csv") as file:
        out = _Out(file, head, source_head=head)
        for line, row in files.both(kind, name):
            if isinstance(row, BadRow):
                out.bad(line, row.line)
                continue
            [command] = row.commands
            assert isinstance(command, ReportTouches | TellConsents)
            if cut.takes_told(row, command):
                out.good(line, row.line)
    return out.source(name)


def _prepare_accounts(files: _Files, target: Path, cut: _Cut) -> Source:
    name = files.found[Kind.ACCOUNTS]
    reserved = not files.has_contacts()
    head = files.head(name)
    with _new(target / "accounts.csv") as file:
        new_head = ",".join((head, *CONTACT_COLUMNS)) if reserved else head
        out = _Out(file, new_head, source_head=head)
        for line, row in files.both(Kind.ACCOUNTS, name):
            if isinstance(row, BadRow):
                # With empty contact cells the row keeps its own fault; a wrong width stays wrong.
                if reserved and _width(line) == _width(head):
                    out.good(line + "," * len(CONTACT_COLUMNS), row.line)
                else:
                    out.bad(line, row.line)
            elif cut.takes_account(row):
                points = reserved_points(row.borrower_id) if reserved else ()
                out.good(",".join((line, *points)), row.line)
    return out.source(name)


class _Out:
    """A CSV file being written, row by row."""

    def __init__(self, file: TextIO, head: str, *, source_head: str) -> None:
        self._file = file
        self._renamed = head != source_head
        self._width = _width(head)
        self._lines = array("L")
        file.write(head + "\n")

    def good(self, line: str, number: int) -> None:
        """Write a row that stands in line `number` of the file given."""
        self._file.write(line + "\n")
        self._lines.append(number)

    def bad(self, line: str, number: int) -> None:
        """Pass a bad row on as it stands; under a new header its width must not happen to fit."""
        self.good(line + "," if self._renamed and _width(line) == self._width else line, number)

    def source(self, name: str) -> Source:
        """Return where the rows written so far come from; `name` is that of the file given."""
        return Source(name, self._lines)


def _width(line: str) -> int:
    """Return the number of fields of a line, 0 where its quotes do not match."""
    try:
        return len(split(line))
    except Rejected:
        return 0


def _new(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _bill_row(command: AddObligation) -> str:
    return ",".join(
        (
            command.obligation_id,
            command.account_id,
            str(command.seq),
            zones.to_text(command.issued_at),
            command.due_on.isoformat(),
            str(command.principal_minor),
            str(command.amount_minor),
        )
    )


def _payment_row(command: AddRepayment) -> str:
    return ",".join(
        (
            command.repayment_id,
            command.obligation_id,
            command.account_id,
            zones.to_text(command.paid_at),
            str(command.amount_minor),
        )
    )
