"""The tape reader: good rows become commands, bad ones a clear message, and nothing in between is lost."""

from __future__ import annotations

import gzip
import io
import lzma
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from betimes.core import zones
from betimes.core.borrower import ContactPoint
from betimes.core.errors import Rejected
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    PutAccount,
    PutBorrower,
    ReportTouches,
)
from betimes.core.rule import Party, Purpose, Recipient
from betimes.core.touch import Direction, Touch
from betimes.wire import archive, tape
from betimes.wire.tape import BadRow, Kind, Row, TapeDefaults

REPOSITORY = Path(__file__).parents[2]
TAPES = REPOSITORY.parent / "shared" / "data" / "tapes"
needs_tapes = pytest.mark.skipif(
    not TAPES.is_dir(), reason="the real tapes are not part of the repository and not beside it"
)

SHANGHAI = TapeDefaults("Asia/Shanghai")
ACCOUNTS = "account_id,opened_on,product,currency"
OBLIGATIONS = "obligation_id,account_id,seq,issued_at,due_on,principal_minor,amount_minor"
REPAYMENTS = "obligation_id,account_id,paid_at,amount_minor"
TOUCHES = "touch_id,at,channel,borrower_id"
STATEMENTS = "account_id,month,bill_minor,paid_in_month_minor,repay_status"
GOOD = {
    Kind.ACCOUNTS: "a1,2026-01-05,jiebei,CNY",
    Kind.OBLIGATIONS: "o1,a1,1,2026-03-01T08:30:00,2026-03-09,100000,103000",
    Kind.REPAYMENTS: "o1,a1,2026-03-08T14:10:00,103000",
    Kind.STATEMENTS_OBLIGATIONS: "7,2026-02,5000,0,0",
    Kind.TOUCHES: "t1,2026-03-08T14:10:00,call,b1",
}
HEADERS = {
    Kind.ACCOUNTS: ACCOUNTS,
    Kind.OBLIGATIONS: OBLIGATIONS,
    Kind.REPAYMENTS: REPAYMENTS,
    Kind.STATEMENTS_OBLIGATIONS: STATEMENTS,
    Kind.STATEMENTS_REPAYMENTS: STATEMENTS,
    Kind.TOUCHES: TOUCHES,
}
BILL, A, R, S = Kind.OBLIGATIONS, Kind.ACCOUNTS, Kind.REPAYMENTS, Kind.STATEMENTS_OBLIGATIONS
T = Kind.TOUCHES


def read(
    kind: str, *lines: str, header: str = "", defaults: TapeDefaults = SHANGHAI
) -> list[Row | BadRow]:
    text = "\n".join((header or HEADERS[Kind(kind)], *lines)) + "\n"
    return list(tape.rows(kind, io.BytesIO(text.encode()), f"{kind}.csv", defaults))


def good(kind: str, line: str, *, header: str = "", defaults: TapeDefaults = SHANGHAI) -> Row:
    (row,) = read(kind, line, header=header, defaults=defaults)
    assert isinstance(row, Row), row
    return row


def test_an_account_becomes_borrower_and_account() -> None:
    """Without borrower columns the account is its own borrower, unreachable, and that is noticed."""
    row = good(Kind.ACCOUNTS, GOOD[Kind.ACCOUNTS])
    assert row == Row(
        kind="accounts",
        line=2,
        key="a1",
        account_id="a1",
        borrower_id="a1",
        commands=(
            PutBorrower("zh-CN", "Asia/Shanghai", "CN", ()),
            PutAccount("a1", "jiebei", "CNY", date(2026, 1, 5)),
        ),
        notice="no_contact_point",
    )


def test_an_account_with_every_column_in_another_order() -> None:
    """Columns are found by name; all optional ones are read; a quoted comma is part of its cell."""
    row = good(
        Kind.ACCOUNTS,
        '"x, y",en,US-NY,America/New_York,+447700900001,a@b.example,p1,5000,GBP,huabei,a1',
        header="note,locale,jurisdiction,zone,phone,email,borrower_id,limit_minor,currency,product,account_id",
    )
    points = (ContactPoint("email", "a@b.example"), ContactPoint("sms", "+447700900001"))
    assert (row.borrower_id, row.notice) == ("p1", "")
    assert row.commands == (
        PutBorrower("en", "America/New_York", "US-NY", points),
        PutAccount("a1", "huabei", "GBP", tape.OPENED_UNKNOWN, 5000),
    )


def test_empty_optional_cells_mean_the_default() -> None:
    """A present but empty cell reads like a missing column."""
    header = f"{ACCOUNTS},borrower_id,email,phone,locale,zone,jurisdiction,limit_minor"
    row = good(Kind.ACCOUNTS, GOOD[Kind.ACCOUNTS] + ",,,,,,,", header=header)
    assert row.commands == good(Kind.ACCOUNTS, GOOD[Kind.ACCOUNTS]).commands
    header = f"{OBLIGATIONS},minimum_minor,borrower_id"
    row = good(Kind.OBLIGATIONS, GOOD[Kind.OBLIGATIONS] + ",,", header=header)
    assert row == good(Kind.OBLIGATIONS, GOOD[Kind.OBLIGATIONS])


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-03-01T08:30:00", "Asia/Shanghai", datetime(2026, 3, 1, 0, 30, tzinfo=UTC)),
        ("2026-03-01 08:30", "Asia/Shanghai", datetime(2026, 3, 1, 0, 30, tzinfo=UTC)),
        ("2026-03-01T08:30:00Z", "Asia/Shanghai", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("2026-03-01T08:30:00-05:00", "Asia/Shanghai", datetime(2026, 3, 1, 13, 30, tzinfo=UTC)),
        ("2026-03-01T08:30:00.25", "Africa/Lagos", datetime(2026, 3, 1, 7, 30, 0, 250000, UTC)),
        # Skipped by a change of clocks, and shown twice by one.
        ("2026-03-29T01:30:00", "Europe/London", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T01:30:00", "Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_instants(text: str, zone: str, instant: datetime) -> None:
    """An offset counts; without one the time is local to the tape."""
    row = good(
        Kind.OBLIGATIONS,
        GOOD[Kind.OBLIGATIONS].replace("2026-03-01T08:30:00", text),
        defaults=TapeDefaults(zone),
    )
    (command,) = row.commands
    assert isinstance(command, AddObligation)
    assert command.issued_at == instant


def test_the_same_repayment_twice_has_one_id() -> None:
    """Without repayment_id the id comes from obligation, instant and amount, however the instant is written."""
    first, again, other = read(
        Kind.REPAYMENTS,
        "o1,a1,2026-03-08T14:10:00,103000",
        "o1,a1,2026-03-08T06:10:00Z,103000",
        "o1,a1,2026-03-08T14:10:00,102999",
    )
    assert isinstance(first, Row) and isinstance(again, Row) and isinstance(other, Row)
    assert first.commands == again.commands
    assert first.key != other.key


def test_a_repayment_keeps_the_id_it_has() -> None:
    """repayment_id is used as it is; first_paid_at is known and not read."""
    row = good(
        Kind.REPAYMENTS,
        GOOD[Kind.REPAYMENTS] + ",pay-1,whenever",
        header=f"{REPAYMENTS},repayment_id,first_paid_at",
    )
    paid_at = datetime(2026, 3, 8, 6, 10, tzinfo=UTC)
    assert row.commands == (AddRepayment("pay-1", "o1", "a1", paid_at, 103000),)
    assert (row.account_id, row.borrower_id) == ("a1", "")


def test_the_columns_of_products_and_people() -> None:
    """Rate, mandate, creditor, tags, band and evidence are read, lists with blanks or doubles in them too."""
    row = good(
        Kind.ACCOUNTS,
        GOOD[Kind.ACCOUNTS] + ",0.0005,8821,某银行,vip; staff;vip;,B2,Asia/Urumqi",
        header=f"{ACCOUNTS},daily_rate,mandate,creditor,tags,score_band,zone_evidence",
    )
    opened_on = date(2026, 1, 5)
    assert row.commands == (
        PutBorrower("zh-CN", "Asia/Shanghai", "CN", (), ("Asia/Urumqi",), ("vip", "staff"), "B2"),
        PutAccount("a1", "jiebei", "CNY", opened_on, 0, Decimal("0.0005"), "8821", "某银行"),
    )


@pytest.mark.parametrize(
    ("zone", "phone", "expected"),
    [
        ("", "", ("Asia/Shanghai", ())),
        ("", "+8613800138000", ("Asia/Shanghai", ())),
        ("", "+447700900123", ("Asia/Shanghai", ())),
        ("", "+13105550123", ("Asia/Shanghai", ("America/Los_Angeles",))),
        ("America/Los_Angeles", "+13105550123", ("America/Los_Angeles", ())),
        ("unknown", "", ("", ())),
        ("unknown", "+13105550123", ("", ("America/Los_Angeles",))),
    ],
)
def test_a_number_that_does_not_fit_its_zone_is_evidence(
    zone: str, phone: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    """An empty zone is the tape's, "unknown" is nobody's."""
    cells = f"{GOOD[Kind.ACCOUNTS]},{zone},{phone}"
    person, _ = good(Kind.ACCOUNTS, cells, header=f"{ACCOUNTS},zone,phone").commands
    assert isinstance(person, PutBorrower)
    assert (person.zone, person.zone_evidence) == expected


def test_a_bill_names_its_fee() -> None:
    """What is neither principal nor fee is interest."""
    (command,) = good(BILL, GOOD[BILL] + ",700", header=f"{OBLIGATIONS},fee_minor").commands
    assert isinstance(command, AddObligation)
    assert (command.amount_minor, command.fee_minor) == (103_000, 700)


def test_money_may_name_no_obligation() -> None:
    """It is then the account's; its made id tells accounts apart, and a credit note from money."""
    header = f"{REPAYMENTS},credit"
    rows = read(
        Kind.REPAYMENTS,
        ",a1,2026-03-08T14:10:00,5000,",
        ",a1,2026-03-08T14:10:00,5000,no",
        ",a2,2026-03-08T14:10:00,5000,",
        ",a1,2026-03-08T14:10:00,5000,yes",
        "a1,a1,2026-03-08T14:10:00,5000,",
        header=header,
    )
    commands = [row.commands[0] for row in rows if isinstance(row, Row)]
    assert all(isinstance(command, AddRepayment) for command in commands) and len(commands) == 5
    assert commands[0] == commands[1]
    assert len({row.key for row in rows}) == 4
    assert [(c.obligation_id, c.credit) for c in commands if isinstance(c, AddRepayment)] == [
        ("", False),
        ("", False),
        ("", False),
        ("", True),
        ("a1", False),
    ]


@pytest.mark.parametrize("cell", ["true", "1", "YES", " yes"])
def test_a_flag_is_yes_or_no(cell: str) -> None:
    """Nothing else is guessed at."""
    (bad,) = read(Kind.REPAYMENTS, f"{GOOD[R]},{cell}", header=f"{REPAYMENTS},credit")
    assert isinstance(bad, BadRow)
    assert (bad.code, bad.field) == ("bad_flag", "credit")


TOUCHED_AT = datetime(2026, 3, 8, 6, 10, tzinfo=UTC)
MORE = (
    "account_id,direction,attempt,connected,conversation,message_left,party,by,debts,products,number,recipient,excluded,"
    "purpose"
)


def test_a_touch_becomes_a_report() -> None:
    """A bare row is an attempt about whatever the borrower owes."""
    row = good(T, GOOD[T])
    assert (row.key, row.account_id, row.borrower_id) == ("t1", "", "b1")
    assert row.commands == (ReportTouches((Touch("t1", TOUCHED_AT, "call"),), ("",)),)


def test_a_touch_with_every_column() -> None:
    """Each cell stands in the touch; the number goes along, to become a token where the borrower is known."""
    row = good(
        T,
        f"{GOOD[T]},a1,in,no,yes,yes,no,third,agency-7,o1; o2;o1,card,+13105550123,"
        "attorney,attorney;consented,statutory",
        header=f"{TOUCHES},{MORE}",
    )
    touch = Touch(
        "t1",
        TOUCHED_AT,
        "call",
        direction=Direction.IN,
        attempt=False,
        connected=True,
        conversation=True,
        party=Party.THIRD,
        by="agency-7",
        debts=("o1", "o2"),
        accounts=("a1",),
        products=("card",),
        recipient=Recipient.ATTORNEY,
        excluded=("attorney", "consented"),
        purpose=Purpose.STATUTORY,
    )
    assert row.commands == (ReportTouches((touch,), ("+13105550123",)),)
    empty = good(T, GOOD[T] + "," * (MORE.count(",") + 1), header=f"{TOUCHES},{MORE}")
    assert empty == good(T, GOOD[T])


def test_a_touch_may_leave_the_borrower_to_the_account() -> None:
    """Nobody named at all is refused."""
    row = good(T, "t1,2026-03-08T14:10:00,call,a1", header="touch_id,at,channel,account_id")
    assert (row.account_id, row.borrower_id) == ("a1", "")
    (bad,) = read(T, "t1,2026-03-08T14:10:00,call", header="touch_id,at,channel")
    assert isinstance(bad, BadRow)
    assert (bad.code, bad.field, bad.key) == ("missing_id", "account_id", "t1")


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("direction", "out of town", "bad_word"),
        ("party", "second", "bad_word"),
        ("recipient", "neighbour", "bad_word"),
        ("purpose", "fun", "bad_word"),
        ("excluded", "consented;reserved", "bad_word"),
        ("attempt", "true", "bad_flag"),
        ("connected", "1", "bad_flag"),
        ("by", "li@bank.example", "bad_id"),
        ("debts", "o1;o 2", "bad_id"),
        ("debts", ";".join(f"o{n}" for n in range(33)), "too_many"),
        ("products", "=cmd()", "bad_name"),
        ("number", "13105550123", "bad_phone"),
    ],
)
def test_a_bad_cell_of_a_touch(column: str, cell: str, code: str) -> None:
    """It is named by code and column, and its content is not repeated."""
    (bad,) = read(T, f"{GOOD[T]},{cell}", header=f"{TOUCHES},{column}")
    assert isinstance(bad, BadRow)
    assert (bad.kind, bad.line, bad.key) == ("touches", 2, "t1")
    assert (bad.code, bad.field) == (code, column)
    assert column in bad.message
    assert cell not in bad.message or len(cell) < 3


def test_unknown_columns_stay_noticed() -> None:
    """New columns are known, others are left aside and named."""
    head = f"{ACCOUNTS},tags,daily_rate,Tags,apr".encode()
    assert tape.header(A, io.BytesIO(head), "accounts.csv").extra == ("Tags", "apr")


def changed(kind: Kind, column: str, cell: str) -> str:
    """Return the good row of a kind with one cell changed."""
    columns = HEADERS[kind].split(",")
    cells = GOOD[kind].split(",")
    cells[columns.index(column)] = cell
    return ",".join(cells)


@pytest.mark.parametrize(
    ("kind", "column", "cell", "code"),
    [
        (BILL, "obligation_id", "", "missing_id"),
        (BILL, "obligation_id", "o#1", "bad_id"),
        (BILL, "obligation_id", "o 1", "bad_id"),
        (BILL, "obligation_id", "é", "bad_id"),
        (BILL, "obligation_id", "x" * 129, "bad_id"),
        (BILL, "account_id", "", "missing_id"),
        (BILL, "seq", "-1", "negative_amount"),
        (BILL, "seq", "", "bad_integer"),
        (BILL, "seq", "0", "bad_integer"),
        (BILL, "seq", "1000001", "bad_integer"),
        (BILL, "amount_minor", "-5", "negative_amount"),
        (BILL, "principal_minor", "-5", "negative_amount"),
        (BILL, "amount_minor", "1.5", "bad_integer"),
        (BILL, "amount_minor", "1e3", "bad_integer"),
        (BILL, "amount_minor", "", "bad_integer"),
        (BILL, "amount_minor", " 5", "bad_integer"),
        (BILL, "amount_minor", "5 ", "bad_integer"),
        (BILL, "amount_minor", "+5", "bad_integer"),
        (BILL, "amount_minor", "1_000", "bad_integer"),
        (BILL, "amount_minor", "0x10", "bad_integer"),
        (BILL, "amount_minor", "٣", "bad_integer"),
        (BILL, "amount_minor", "9" * 16, "bad_integer"),
        (BILL, "due_on", "", "bad_date"),
        (BILL, "due_on", "2026-02-30", "bad_date"),
        (BILL, "due_on", "09/03/2026", "bad_date"),
        (BILL, "due_on", "20260309", "bad_date"),
        (BILL, "due_on", "2026-W10-1", "bad_date"),
        (BILL, "due_on", "2026-03-09T00:00:00", "bad_date"),
        (BILL, "due_on", "0001-01-01", "bad_date"),
        (BILL, "due_on", "9999-12-31", "bad_date"),
        (BILL, "issued_at", "", "bad_instant"),
        (BILL, "issued_at", "2026-03-01", "bad_instant"),
        (BILL, "issued_at", "2026-03-01T25:00:00", "bad_instant"),
        (BILL, "issued_at", "2026-03-01T08:30:00+99:00", "bad_instant"),
        (BILL, "issued_at", "0001-01-01T00:00:00+14:00", "bad_instant"),
        (BILL, "issued_at", "1772325000", "bad_instant"),
        (A, "account_id", "", "missing_id"),
        (A, "currency", "", "unknown_currency"),
        (A, "currency", "cny", "unknown_currency"),
        (A, "currency", "RMB", "unknown_currency"),
        (A, "product", "", "bad_name"),
        (A, "product", "=cmd()", "bad_name"),
        (A, "opened_on", "", "bad_date"),
        (R, "obligation_id", "o#1", "bad_id"),
        (R, "account_id", "", "missing_id"),
        (R, "paid_at", "yesterday", "bad_instant"),
        (R, "amount_minor", "-1", "negative_amount"),
        (T, "touch_id", "", "missing_id"),
        (T, "touch_id", "t 1", "bad_id"),
        (T, "at", "yesterday", "bad_instant"),
        (T, "channel", "", "bad_word"),
        (T, "channel", "pigeon", "bad_word"),
        (T, "borrower_id", "li@bank.example", "bad_id"),
        (S, "month", "2026-13", "bad_month"),
        (S, "month", "2026-2", "bad_month"),
        (S, "month", "2026-02-01", "bad_month"),
        (S, "bill_minor", "12.50", "bad_integer"),
        (S, "paid_in_month_minor", "-1", "negative_amount"),
        (S, "account_id", "x" * 101, "bad_id"),
    ],
)
def test_a_bad_cell_costs_its_row_only(kind: Kind, column: str, cell: str, code: str) -> None:
    """The row is refused by code and column, the message names the column, and the rows around it are read."""
    before, bad, after = read(kind, GOOD[kind], changed(kind, column, cell), GOOD[kind])
    assert isinstance(before, Row) and isinstance(after, Row)
    assert isinstance(bad, BadRow)
    assert (bad.kind, bad.line, bad.code, bad.field) == (kind, 3, code, column)
    assert column in bad.message
    if len(cell) > 3:
        assert cell not in bad.message


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("zone", "Mars/Base", "unknown_zone"),
        ("zone", "../etc/passwd", "unknown_zone"),
        ("locale", "zh_CN!", "bad_locale"),
        ("jurisdiction", "china", "bad_jurisdiction"),
        ("limit_minor", "-1", "negative_amount"),
        ("borrower_id", "li@bank.example", "bad_id"),
        ("zone_evidence", "Asia/Shanghai;Mars/Base", "unknown_zone"),
        (
            "zone_evidence",
            ";".join(f"Etc/GMT+{n}" for n in range(1, 13)) + ";UTC;EST;MST;HST;GMT",
            "too_many",
        ),
        ("tags", "vip;li@bank.example", "bad_name"),
        ("tags", ";".join(f"tag{n}" for n in range(33)), "too_many"),
        ("score_band", "A B", "bad_name"),
        ("daily_rate", "0.05%", "bad_rate"),
        ("daily_rate", "-0.0005", "bad_rate"),
        ("mandate", "6222020200001234", "bad_name"),
        ("creditor", "a\x85b", "bad_name"),
        ("creditor", "a\u202eb", "bad_name"),
    ],
)
def test_a_bad_optional_cell_is_refused_too(column: str, cell: str, code: str) -> None:
    """Optional does not mean unchecked, and an address in the wrong column is not repeated."""
    (bad,) = read(A, f"{GOOD[A]},{cell}", header=f"{ACCOUNTS},{column}")
    assert isinstance(bad, BadRow)
    assert (bad.code, bad.field, bad.key) == (code, column, "a1")
    assert cell not in bad.message


@pytest.mark.parametrize(
    "line",
    [
        "a1,2026-01-05,jiebei",
        "a1,2026-01-05,jiebei,CNY,",
        'a1,2026-01-05,"jiebei,CNY',
        'a1,2026-01-05,jie"bei"x",CNY,',
        '"a1"x,2026-01-05,jiebei,CNY',
        "   ",
    ],
)
def test_a_row_of_the_wrong_form_costs_itself_only(line: str) -> None:
    """A wrong number of fields or an open quote never swallows the rows behind it."""
    bad, after = read(A, line, GOOD[A])
    assert isinstance(bad, BadRow)
    assert bad.code == "malformed_row"
    assert isinstance(after, Row) and after.line == 3


def test_a_key_is_reported_only_if_it_is_an_id() -> None:
    """What stands in the id's column may be anybody's data."""
    with_id, without = read(A, "a1,x,jiebei,CNY", "a@b.example,x,jiebei,CNY")
    assert isinstance(with_id, BadRow) and isinstance(without, BadRow)
    assert (with_id.key, without.key) == ("a1", "")
    assert "a@b.example" not in without.message


def test_the_key_of_money_is_its_own_id() -> None:
    """Not that of what it pays; "" where it has none."""
    (named,) = read(R, "o1,a1,soon,5,r7", header=f"{REPAYMENTS},repayment_id")
    (nameless,) = read(R, "o1,a1,soon,5")
    assert isinstance(named, BadRow) and isinstance(nameless, BadRow)
    assert (named.key, nameless.key) == ("r7", "")


def test_line_ends_bom_and_empty_lines() -> None:
    """CRLF, a byte order mark, empty lines and a missing last line feed change nothing but line numbers."""
    text = f"\ufeff{ACCOUNTS}\r\n\r\n{GOOD[A]}\r\n\n{GOOD[A].replace('a1', 'a2')}"
    found = list(tape.rows(A, io.BytesIO(text.encode()), "accounts.csv", SHANGHAI))
    assert [(row.key, row.line) for row in found] == [("a1", 3), ("a2", 5)]
    assert tape.verify(A, io.BytesIO(text.encode()), "accounts.csv") == 2


@pytest.mark.parametrize("kind", [A, BILL, R, Kind.STATEMENTS])
def test_a_missing_column_is_named(kind: Kind) -> None:
    """Each required column, when left out, refuses the file with the names of file and column."""
    columns = HEADERS.get(kind, STATEMENTS).split(",")
    for column in set(columns) - {"repay_status", "opened_on"}:
        head = ",".join(c for c in columns if c != column).encode()
        for act in (tape.verify, tape.header):
            with pytest.raises(Rejected) as caught:
                act(kind, io.BytesIO(head), "file.csv.xz"[:8])
            assert (caught.value.code, caught.value.field) == ("missing_column", column)
            assert "file.csv" in caught.value.message and column in caught.value.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_file"),
        (b"\n", "empty_file"),
        (f"{ACCOUNTS},currency\n".encode(), "duplicate_column"),
        (f'"{ACCOUNTS}\n'.encode(), "malformed_row"),
        (ACCOUNTS.encode() + b"\n\xff\xfe,2026-01-05,jiebei,CNY\n", "not_utf8"),
        (ACCOUNTS.encode("utf-16"), "not_utf8"),
        (ACCOUNTS.encode() + b"\n" + b"x" * (archive.MAX_LINE + 1), "line_too_long"),
        (b"x" * 1_000_000 + b"\n", "line_too_long"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(body: bytes, code: str) -> None:
    """The refusal names the file, and verification finds it before anything is applied."""
    with pytest.raises(Rejected) as caught:
        tape.verify(A, io.BytesIO(body), "accounts.csv")
    assert caught.value.code == code
    assert "accounts.csv" in caught.value.message


def test_a_bad_byte_is_found_at_its_line() -> None:
    """The line of the first bad byte is named, also far behind the first block."""
    lines = [ACCOUNTS.encode(), *[GOOD[A].encode()] * 9_000, b"\xff", b"x"]
    with pytest.raises(Rejected, match="line 9002 "):
        tape.verify(A, io.BytesIO(b"\n".join(lines)), "accounts.csv")


def test_a_long_line_of_the_greatest_length_is_read() -> None:
    """The limit is the last length that is accepted, wherever the line lies in the blocks."""
    for before in (0, 1, 1000):
        text = b"a\n" * before + b"x" * archive.MAX_LINE + b"\nz"
        assert [*archive.lines(io.BytesIO(text), "a.csv")][before:] == ["x" * archive.MAX_LINE, "z"]
        with pytest.raises(Rejected, match=f"line {before + 1} "):
            list(archive.lines(io.BytesIO(b"a\n" * before + b"x" * 65_537 + b"\nz"), "a.csv"))


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".csv.gz": gzip.compress,
    ".csv.xz": lzma.compress,
}


def table(rows: int) -> bytes:
    draw = random.Random(1)
    return "".join(f"{n},{draw.random()}\r\n" for n in range(rows)).encode()


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("rows", [0, 1, 20_000])
def test_archives_unpack_to_their_lines(suffix: str, rows: int) -> None:
    """Plain, gzip and xz files of any size give the lines that went in, also as two streams in one file."""
    body, pack = table(rows), PACK[suffix]
    wanted = body.decode().splitlines()
    assert list(archive.lines(io.BytesIO(pack(body)), "t" + suffix)) == wanted
    half = len(body) // 2
    two = pack(body[:half]) + pack(body[half:])
    assert list(archive.lines(io.BytesIO(two), "t" + suffix)) == wanted


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.xz"])
def test_every_truncation_of_an_archive_is_found(suffix: str) -> None:
    """Whatever is cut off the end, the file is refused; nothing shorter passes for whole."""
    packed = PACK[suffix](table(300))
    cuts = {*range(40), *range(40, len(packed), 97), *range(len(packed) - 40, len(packed))}
    for length in cuts:
        with pytest.raises(Rejected) as caught:
            list(archive.chunks(io.BytesIO(packed[:length]), "repayments" + suffix))
        assert (caught.value.code, caught.value.field) == (
            "truncated_archive",
            "repayments" + suffix,
        )


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.xz"])
def test_damage_in_an_archive_is_found(suffix: str) -> None:
    """A changed byte, another format or rubbish behind the end is refused."""
    packed = PACK[suffix](table(300))
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0x40
    other = PACK[".csv.xz" if suffix == ".csv.gz" else ".csv.gz"](table(3))
    for body in (bytes(flipped), other, table(300), packed + b"rubbish"):
        with pytest.raises(Rejected) as caught:
            list(archive.chunks(io.BytesIO(body), "t" + suffix))
        assert caught.value.code in {"bad_archive", "truncated_archive"}


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.xz"])
def test_a_bomb_is_stopped_while_it_unpacks(suffix: str) -> None:
    """A file that grows beyond measure stops early, whatever it would have become."""
    packed = PACK[suffix](b"\n" * 30_000_000)
    seen = 0
    with pytest.raises(Rejected) as caught:
        for chunk in archive.chunks(io.BytesIO(packed), "t" + suffix):
            assert len(chunk) <= archive.CHUNK
            seen += len(chunk)
    assert caught.value.code == "archive_bomb"
    assert seen <= max(archive.RATIO_COUNTS_FROM, archive.MAX_RATIO * len(packed))


def test_a_file_beyond_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cap counts unpacked bytes, of plain files too."""
    monkeypatch.setattr(archive, "MAX_BYTES", 100_000)
    with pytest.raises(Rejected) as caught:
        list(archive.lines(io.BytesIO(b"a\n" * 50_001), "a.csv"))
    assert caught.value.code == "file_too_large"


def test_the_files_of_a_tape() -> None:
    """Kinds are found by name, whatever their packing; other files are left aside; passes are in order."""
    found = tape.kinds(["tape.json", "repayments.csv", "obligations.csv.gz", "accounts.csv.xz"])
    assert found == {
        "accounts": "accounts.csv.xz",
        "obligations": "obligations.csv.gz",
        "repayments": "repayments.csv",
    }
    assert [kind for kind, _ in tape.passes(found)] == ["accounts", "obligations", "repayments"]
    found = tape.kinds(["statements.csv", "accounts.csv"])
    assert tape.passes(found) == (
        ("accounts", "accounts.csv"),
        ("statements-obligations", "statements.csv"),
        ("statements-repayments", "statements.csv"),
    )


def test_touches_stand_beside_the_others_or_alone() -> None:
    """They come last: what was said about a debt comes after it."""
    found = tape.kinds(["touches.csv.gz", "accounts.csv", "obligations.csv"])
    assert [kind for kind, _ in tape.passes(found)] == ["accounts", "obligations", "touches"]
    assert tape.kinds(["touches.csv"]) == {"touches": "touches.csv"}


@pytest.mark.parametrize(
    ("names", "code", "field"),
    [
        ([], "missing_file", "accounts"),
        (["touches.csv", "obligations.csv"], "missing_file", "accounts"),
        (["touches.csv", "touches.csv.xz"], "ambiguous_file", "touches"),
        (["obligations.csv"], "missing_file", "accounts"),
        (["accounts.csv"], "missing_file", "obligations"),
        (["accounts.csv", "repayments.csv"], "missing_file", "obligations"),
        (["accounts.csv", "ACCOUNTS.CSV", "Obligations.csv"], "missing_file", "obligations"),
        (["accounts.csv", "accounts.csv.gz", "obligations.csv"], "ambiguous_file", "accounts"),
        (["accounts.csv", "obligations.csv", "statements.csv"], "ambiguous_file", "statements"),
        (["accounts.csv", "repayments.csv", "statements.csv.xz"], "ambiguous_file", "statements"),
    ],
)
def test_a_tape_without_its_files_is_refused(names: list[str], code: str, field: str) -> None:
    """The refusal says what is missing or there twice."""
    with pytest.raises(Rejected) as caught:
        tape.kinds(names)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_extra_columns_are_named() -> None:
    """Columns nobody reads are reported in their order."""
    header = tape.header(BILL, io.BytesIO(f"{OBLIGATIONS},term_days,note\n".encode()), "o.csv")
    assert header.extra == ("term_days", "note")


def test_a_statement_becomes_a_bill() -> None:
    """The bill of a month is issued when the month is over and due on the 15th of the next."""
    (row,) = read(Kind.STATEMENTS_OBLIGATIONS, "7,2025-12,5000,0,0")
    assert isinstance(row, Row)
    assert row.commands == (
        AddObligation(
            obligation_id="7:2025-12",
            account_id="7",
            seq=2025 * 12 + 12,
            issued_at=datetime(2025, 12, 31, 16, tzinfo=UTC),
            due_on=date(2026, 1, 15),
            principal_minor=5000,
            amount_minor=5000,
        ),
    )


def test_no_bill_no_obligation() -> None:
    """A bill of zero or a credit balance asks for nothing; the row is read all the same."""
    found = read(Kind.STATEMENTS_OBLIGATIONS, "7,2026-01,0,0,0", "7,2026-02,-300,0,0")
    assert [(row.key, row.commands) for row in found if isinstance(row, Row)] == [
        ("7:2026-01", ()),
        ("7:2026-02", ()),
    ]


def payments(*lines: str) -> list[AddRepayment | None]:
    out: list[AddRepayment | None] = []
    for row in read(Kind.STATEMENTS_REPAYMENTS, *lines):
        assert isinstance(row, Row)
        (command,) = row.commands or (None,)
        assert command is None or isinstance(command, AddRepayment)
        out.append(command)
    return out


def test_money_of_a_month_pays_the_bill_before() -> None:
    """The repayment names the bill of the month before and lies within its own month, local time."""
    none, paid = payments("7,2026-01,5000,0,0", "7,2026-02,0,4000,0")
    assert none is None and paid is not None
    assert (paid.repayment_id, paid.obligation_id) == ("drawn-7:2026-01", "7:2026-01")
    assert (paid.account_id, paid.amount_minor) == ("7", 4000)
    assert zones.local_date(paid.paid_at, "Asia/Shanghai").replace(day=1) == date(2026, 2, 1)


def test_money_for_a_bill_of_another_tape_is_passed_on() -> None:
    """The first month's money pays a bill this tape does not hold; it is not dropped."""
    (paid,) = payments("7,2026-01,5000,4000,0")
    assert paid is not None and paid.obligation_id == "7:2025-12"


def test_money_without_a_bill_pays_nothing() -> None:
    """Where the tape shows that nothing was billed, by account or by month, there is nothing to pay."""
    by_account = payments("7,2026-01,0,0,0", "7,2026-02,10,4000,0", "8,2026-02,10,4000,0")
    assert [paid is None for paid in by_account] == [True, True, False]
    by_month = payments(
        "7,2026-01,0,0,0", "8,2026-01,5,0,0", "7,2026-02,9,4000,0", "8,2026-02,0,4000,0"
    )
    assert [paid is None for paid in by_month] == [True, True, True, False]


def test_a_bad_statement_is_reported_once() -> None:
    """The reading of obligations reports it; the reading of repayments goes on without it."""
    lines = ("7,2026-01,x,0,0", "7,2026-02", "7,2026-03,5,0,0")
    assert [isinstance(row, BadRow) for row in read(Kind.STATEMENTS_OBLIGATIONS, *lines)] == [
        True,
        True,
        False,
    ]
    assert payments(*lines) == [None, None, None]


def test_drawn_days_fill_the_month_and_stay() -> None:
    """Drawn pay days are the same in each reading, use the whole month, and most often the due day."""
    lines = [f"{n},2026-02,0,1000,0" for n in range(4000)]
    first = payments(*lines)
    assert first == payments(*lines)
    days = Counter(
        zones.local_date(paid.paid_at, "Asia/Shanghai") for paid in first if paid is not None
    )
    assert min(days) == date(2026, 2, 1) and max(days) == date(2026, 2, 28)
    assert days.most_common(1)[0][0] == date(2026, 2, 15)


def counted(folder: str, kind: Kind, name: str) -> Counter[str]:
    """Return how many rows a real file has, by what was read; also that verification counts the same."""
    path = TAPES / folder / name
    with path.open("rb") as stream:
        verified = tape.verify(kind, stream, name)
    with path.open("rb") as stream:
        found = Counter(
            type(row).__name__ if isinstance(row, BadRow) else f"{len(row.commands)} commands"
            for row in tape.rows(kind, stream, name, TapeDefaults("Africa/Lagos"))
        )
    assert found.total() == verified
    return found


@needs_tapes
def test_the_real_cash_loans_are_read_without_loss() -> None:
    """All accounts, obligations and repayments of the tape become commands."""
    assert counted("cash-loans", A, "accounts.csv.xz") == {"2 commands": 2_895}
    assert counted("cash-loans", BILL, "obligations.csv.xz") == {"1 commands": 12_229}
    assert counted("cash-loans", R, "repayments.csv.xz") == {"1 commands": 12_229}


@needs_tapes
def test_the_real_card_statements_are_read_without_loss() -> None:
    """All rows of the tape are read; those without a bill or without money ask for nothing."""
    assert counted("card-statements", A, "accounts.csv.xz") == {"2 commands": 19_881}
    bills = counted("card-statements", Kind.STATEMENTS_OBLIGATIONS, "statements.csv.xz")
    paid = counted("card-statements", Kind.STATEMENTS_REPAYMENTS, "statements.csv.xz")
    assert bills.total() == paid.total() == 119_286
    assert "BadRow" not in bills + paid
    assert bills["1 commands"] == 104_672
