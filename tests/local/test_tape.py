"""Tapes on this machine: cut, completed and put in order without losing or inventing a row."""

from __future__ import annotations

import gzip
import lzma
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from betimes.core.errors import Rejected
from betimes.core.intake import AddObligation, AddRepayment, PutAccount, PutBorrower
from betimes.lab.demo import reserved_points, write_demo
from betimes.local.tape import feed, prepare
from betimes.wire import tape
from betimes.wire.tape import BadRow, TapeDefaults

REPOSITORY = Path(__file__).parents[2]
TAPES = REPOSITORY.parent / "shared" / "data" / "tapes"
needs_tapes = pytest.mark.skipif(
    not TAPES.is_dir(), reason="the real tapes are not part of the repository and not beside it"
)

ZONE = "Asia/Shanghai"
ACCOUNTS = """account_id,opened_on,product,currency
a1,2026-01-05,jiebei,CNY
a2,2026-02-20,jiebei,CNY
a3,2026-03-05,jiebei,CNY
"""
OBLIGATIONS = """obligation_id,account_id,seq,issued_at,due_on,term_days,principal_minor,amount_minor
o1,a1,1,2026-01-05T08:00:00,2026-02-05,30,100,110
o2,a2,1,2026-02-19T08:00:00,2026-03-20,30,100,110
o3,a1,2,2026-03-01T08:00:00,2026-04-01,30,100,110
"""
REPAYMENTS = """obligation_id,account_id,paid_at,amount_minor
o1,a1,2026-02-04T20:00:00,110
o2,a2,2026-03-02T09:00:00,110
o1,a1,2026-03-01T08:00:00,5
"""


def make(
    folder: Path,
    accounts: str = ACCOUNTS,
    obligations: str = OBLIGATIONS,
    repayments: str = REPAYMENTS,
) -> Path:
    folder.mkdir()
    (folder / "accounts.csv.xz").write_bytes(lzma.compress(accounts.encode()))
    (folder / "obligations.csv.gz").write_bytes(gzip.compress(obligations.encode()))
    (folder / "repayments.csv").write_text(repayments, newline="")
    return folder


def rows(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text("utf-8").splitlines()


def keys(folder: Path, name: str) -> list[str]:
    return [line.split(",")[0] for line in rows(folder, name)[1:]]


def test_a_tape_is_unpacked_and_completed(tmp_path: Path) -> None:
    """All rows stand as they stood, in plain files; accounts without contact columns get reserved points."""
    target = tmp_path / "out"
    done = prepare(make(tmp_path / "in"), target, zone=ZONE)
    assert done.counts == {"accounts": 3, "obligations": 3, "repayments": 3}
    assert rows(target, "obligations.csv") == OBLIGATIONS.splitlines()
    assert rows(target, "repayments.csv") == REPAYMENTS.splitlines()
    assert rows(target, "accounts.csv") == [
        "account_id,opened_on,product,currency,email,phone",
        *(
            f"{line},{','.join(reserved_points(line.split(',')[0]))}"
            for line in ACCOUNTS.splitlines()[1:]
        ),
    ]
    assert done.first_at == datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
    assert done.last_at == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert "obligations.csv.gz: column term_days is not used" in done.notices


def test_the_same_tape_gives_the_same_bytes(tmp_path: Path) -> None:
    """Preparing twice, and preparing what was prepared, changes nothing more."""
    source = make(tmp_path / "in")
    first, again, once_more = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    prepare(source, first, zone=ZONE)
    prepare(source, again, zone=ZONE)
    prepare(first, once_more, zone=ZONE)
    for name in ("accounts.csv", "obligations.csv", "repayments.csv"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
        assert (first / name).read_bytes() == (once_more / name).read_bytes()


def test_as_of_keeps_what_was_known(tmp_path: Path) -> None:
    """Opened, issued and paid by the instant, included; an account with a known obligation is known."""
    source, target = make(tmp_path / "in"), tmp_path / "out"
    prepare(source, target, zone=ZONE, as_of=datetime(2026, 3, 1, 0, 0, tzinfo=UTC))
    assert keys(target, "accounts.csv") == ["a1", "a2"]
    assert keys(target, "obligations.csv") == ["o1", "o2", "o3"]
    assert rows(target, "repayments.csv")[1:] == [REPAYMENTS.splitlines()[n] for n in (1, 3)]
    done = prepare(source, target, zone=ZONE, as_of=datetime(2026, 2, 19, 1, 0, tzinfo=UTC))
    assert keys(target, "accounts.csv") == ["a1", "a2"], "issued on the eve of its opening"
    assert keys(target, "obligations.csv") == ["o1", "o2"]
    assert done.last_at == datetime(2026, 2, 19, 0, 0, tzinfo=UTC)


def test_a_limit_keeps_the_first_obligations_and_what_belongs_to_them(tmp_path: Path) -> None:
    """The first N in file order, with their accounts and repayments and no others."""
    source, target = make(tmp_path / "in"), tmp_path / "out"
    done = prepare(source, target, zone=ZONE, limit=1)
    assert done.counts == {"accounts": 1, "obligations": 1, "repayments": 2}
    assert keys(target, "accounts.csv") == ["a1"]
    assert set(keys(target, "repayments.csv")) == {"o1"}
    done = prepare(source, target, zone=ZONE, limit=5)
    assert done.counts == {"accounts": 2, "obligations": 3, "repayments": 3}


@pytest.mark.parametrize("columns", [("email",), ("phone",), ("email", "phone")])
def test_contact_columns_are_left_as_they_are(tmp_path: Path, columns: tuple[str, ...]) -> None:
    """Where the lender speaks of contact points at all, none is invented: an empty cell is nobody to reach."""
    head, *lines = ACCOUNTS.splitlines()
    accounts = "\n".join(
        [",".join((head, *columns)), *(line + "," * len(columns) for line in lines)]
    )
    source, target = make(tmp_path / "in", accounts=accounts), tmp_path / "out"
    done = prepare(source, target, zone=ZONE)
    assert rows(target, "accounts.csv") == accounts.splitlines()
    assert not any("reserved" in notice for notice in done.notices)
    for timed in feed(source, zone=ZONE).timed:
        assert (timed.notice == "no_contact_point") is (timed.kind == "accounts")
        for command in timed.commands:
            assert not isinstance(command, PutBorrower) or command.contact_points == ()


BAD_ACCOUNTS = (
    "a4,2026-01-05,jiebei,RMB",
    "a5,2026-01-05,jiebei",
    "a6,2026-01-05,jiebei,CNY,x@bank.example,+8613800000000",
    'a7,2026-01-05,"jiebei,CNY',
)


def bad_rows(folder: Path, kind: str) -> list[tuple[str, str]]:
    name = f"{kind}.csv"
    with (folder / name).open("rb") as stream:
        found = list(tape.rows(kind, stream, name, TapeDefaults(ZONE)))
    return [(row.code, row.field) for row in found if isinstance(row, BadRow)]


def test_bad_rows_stay_and_stay_bad(tmp_path: Path) -> None:
    """Every cut passes them on, so that intake reports each; added columns do not turn one into a good row."""
    source = make(
        tmp_path / "in",
        accounts=ACCOUNTS + "\n".join(BAD_ACCOUNTS) + "\n",
        obligations=OBLIGATIONS.replace("o1,a1,1,", "o0,a1,1,x,2026-02-05,30,100,110\no1,a1,1,"),
        repayments=REPAYMENTS + "o1,a1,never,110\n",
    )
    target = tmp_path / "out"
    for as_of, limit in ((None, None), (datetime(2020, 1, 1, tzinfo=UTC), None), (None, 1)):
        done = prepare(source, target, zone=ZONE, as_of=as_of, limit=limit)
        assert bad_rows(target, "accounts") == [
            ("unknown_currency", "currency"),
            ("malformed_row", ""),
            ("malformed_row", ""),
            ("malformed_row", ""),
        ]
        assert bad_rows(target, "obligations") == [("bad_instant", "issued_at")]
        assert bad_rows(target, "repayments") == [("bad_instant", "paid_at")]
        assert not any(" line " in notice for notice in done.notices), "intake names them"
    assert len(feed(source, zone=ZONE).bad) == 6


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("as_of", [None, datetime(2026, 3, 1, 0, 0, tzinfo=UTC)])
def test_rows_of_a_cut_are_found_in_the_files_given(
    tmp_path: Path, as_of: datetime | None, limit: int | None
) -> None:
    """Whatever is left out, each written line knows its file and line there: cuts and empty lines move rows up."""
    repayments = REPAYMENTS.replace("o2,a2", "\no2,a2") + "o1,a1,never,110\n"
    source, target = make(tmp_path / "in", repayments=repayments), tmp_path / "out"
    done = prepare(source, target, zone=ZONE, as_of=as_of, limit=limit)
    given = {
        "accounts": ("accounts.csv.xz", ACCOUNTS),
        "obligations": ("obligations.csv.gz", OBLIGATIONS),
        "repayments": ("repayments.csv", repayments),
    }
    for kind, (name, text) in given.items():
        origin = done.sources[kind]
        assert origin.name == name
        for number, line in enumerate(rows(target, f"{kind}.csv")[1:], start=2):
            assert line.startswith(text.splitlines()[origin.line(number) - 1])
    assert done.sources["repayments"].lines[-1] == 6


def test_a_limit_says_what_was_issued_later(tmp_path: Path) -> None:
    """Of the first two obligations the second was not issued yet: one is read, one is said to be left out."""
    at = datetime(2026, 2, 1, tzinfo=UTC)
    done = prepare(make(tmp_path / "in"), tmp_path / "out", zone=ZONE, as_of=at, limit=2)
    assert (done.counts["obligations"], done.issued_later) == (1, 1)


def test_a_file_that_cannot_be_trusted_leaves_nothing_behind(tmp_path: Path) -> None:
    """A truncated archive is found before the first row is written."""
    source, target = make(tmp_path / "in"), tmp_path / "out"
    whole = (source / "obligations.csv.gz").read_bytes()
    (source / "obligations.csv.gz").write_bytes(whole[:-9])
    with pytest.raises(Rejected, match="ends in the middle"):
        prepare(source, target, zone=ZONE)
    assert not target.exists()
    with pytest.raises(Rejected, match="ends in the middle"):
        feed(source, zone=ZONE)


@pytest.mark.parametrize(("name", "code"), [("nowhere", "missing_file"), ("file", "missing_file")])
def test_what_is_no_directory_is_no_tape(tmp_path: Path, name: str, code: str) -> None:
    """A wrong path is answered like a tape without files."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(Rejected) as caught:
        prepare(tmp_path / name, tmp_path / "out", zone=ZONE)
    assert caught.value.code == code


def test_a_tape_is_not_prepared_over_itself(tmp_path: Path) -> None:
    """Source and target are two directories; a wrong zone is refused as well."""
    source = make(tmp_path / "in")
    with pytest.raises(Rejected, match="own directory"):
        prepare(source, tmp_path / "x" / ".." / "in", zone=ZONE)
    with pytest.raises(Rejected, match="time zone"):
        prepare(source, tmp_path / "out", zone="Mars/Base")


def test_a_feed_is_in_order_of_time(tmp_path: Path) -> None:
    """Accounts come no later than their obligations; at one instant money comes before new debts."""
    fed = feed(make(tmp_path / "in"), zone=ZONE)
    told = [(t.at, t.order, type(t.commands[-1]), t.account_id, t.line) for t in fed.timed]
    at = datetime
    assert told == [
        (at(2026, 1, 4, 16, tzinfo=UTC), 0, PutAccount, "a1", 2),
        (at(2026, 1, 5, 0, tzinfo=UTC), 2, AddObligation, "a1", 2),
        (at(2026, 2, 4, 12, tzinfo=UTC), 1, AddRepayment, "a1", 2),
        (at(2026, 2, 19, 0, tzinfo=UTC), 0, PutAccount, "a2", 3),
        (at(2026, 2, 19, 0, tzinfo=UTC), 2, AddObligation, "a2", 3),
        (at(2026, 3, 1, 0, tzinfo=UTC), 1, AddRepayment, "a1", 4),
        (at(2026, 3, 1, 0, tzinfo=UTC), 2, AddObligation, "a1", 4),
        (at(2026, 3, 2, 1, tzinfo=UTC), 1, AddRepayment, "a2", 3),
        (at(2026, 3, 4, 16, tzinfo=UTC), 0, PutAccount, "a3", 4),
    ]
    assert {t.borrower_id for t in fed.timed} == {"a1", "a2", "a3"}
    person = fed.timed[0].commands[0]
    assert isinstance(person, PutBorrower)
    assert tuple(point.address for point in person.contact_points) == reserved_points("a1")


def test_a_feed_knows_the_borrower_of_an_account(tmp_path: Path) -> None:
    """Rows that leave the borrower to the account get the account's; an unknown account has none."""
    head, *lines = ACCOUNTS.splitlines()
    accounts = "\n".join([head + ",borrower_id", *(line + ",p1" for line in lines[:1])])
    fed = feed(make(tmp_path / "in", accounts=accounts), zone=ZONE)
    assert {(t.account_id, t.borrower_id) for t in fed.timed} == {("a1", "p1"), ("a2", "")}


STATEMENTS = """account_id,month,bill_minor,paid_in_month_minor,repay_status
1,2026-01,5000,0,0
2,2026-01,0,0,-2
1,2026-02,800,5000,-1
2,2026-02,300,70,0
1,2026-03,x,5000,-1
"""


def make_card(folder: Path) -> Path:
    folder.mkdir()
    (folder / "accounts.csv").write_text(
        "account_id,product,currency,limit_minor\n1,huabei,TWD,100\n2,huabei,TWD,100\n"
    )
    (folder / "statements.csv").write_text(STATEMENTS)
    return folder


def test_statements_become_obligations_and_repayments(tmp_path: Path) -> None:
    """What is written reads back as exactly what the statements say, and the drawn days are announced."""
    source, target = make_card(tmp_path / "in"), tmp_path / "out"
    done = prepare(source, target, zone=ZONE)
    assert keys(target, "obligations.csv") == ["1:2026-01", "1:2026-02", "2:2026-02", "1"]
    assert keys(target, "repayments.csv") == ["drawn-1:2026-01"]
    assert any("drawn" in notice for notice in done.notices)
    before, after = feed(source, zone=ZONE), feed(target, zone=ZONE)
    assert [t.commands for t in before.timed] == [t.commands for t in after.timed]
    assert len(before.bad) == len(after.bad) == 1
    assert not (target / "statements.csv").exists()


def test_an_account_of_unknown_opening_starts_with_its_first_fact(tmp_path: Path) -> None:
    """Statement tapes have no opening dates; no account is opened decades before its first bill."""
    fed = feed(make_card(tmp_path / "in"), zone=ZONE)
    first: dict[str, datetime] = {}
    for timed in fed.timed:
        first.setdefault(timed.account_id, timed.at)
        if isinstance(timed.commands[-1], PutAccount):
            assert timed.at == first[timed.account_id]
    assert min(first.values()) == datetime(2026, 1, 31, 16, tzinfo=UTC)


def test_the_demo_book_passes_through_unchanged(tmp_path: Path) -> None:
    """A tape that has everything is copied byte for byte."""
    source, target = tmp_path / "in", tmp_path / "out"
    as_of = datetime(2026, 3, 9, 2, tzinfo=UTC)
    write_demo(source, as_of=as_of, borrowers=50, zone=ZONE)
    done = prepare(source, target, zone=ZONE, as_of=as_of)
    for name in ("accounts.csv", "obligations.csv", "repayments.csv"):
        assert (source / name).read_bytes() == (target / name).read_bytes()
    assert done.last_at is not None and done.last_at <= as_of


def types(folder: Path, zone: str) -> Counter[str]:
    return Counter(type(t.commands[-1]).__name__ for t in feed(folder, zone=zone).timed)


@needs_tapes
def test_the_real_cash_loans_make_a_diary() -> None:
    """Every row of the tape happens once; a limited tape holds exactly the wanted number of loans."""
    assert types(TAPES / "cash-loans", "Africa/Lagos") == {
        "PutAccount": 2_895,
        "AddObligation": 12_229,
        "AddRepayment": 12_229,
    }


def _issues(command: object) -> bool:
    return isinstance(command, AddObligation)


@needs_tapes
def test_the_real_cash_loans_can_be_cut(tmp_path: Path) -> None:
    """At an instant in the tape nothing later is known, and the cut is complete up to it."""
    at = datetime(2017, 3, 1, tzinfo=UTC)
    whole = feed(TAPES / "cash-loans", zone="Africa/Lagos").timed
    done = prepare(TAPES / "cash-loans", tmp_path, zone="Africa/Lagos", as_of=at)
    known = Counter(type(t.commands[-1]) for t in whole if t.at <= at)
    assert done.counts["obligations"] == known[AddObligation]
    assert done.counts["repayments"] == known[AddRepayment]
    assert done.last_at is not None and done.last_at <= at
    first = tmp_path / "first"
    done = prepare(TAPES / "cash-loans", first, zone="Africa/Lagos", limit=200)
    assert done.counts["obligations"] == 200
    issued = [t.at for t in feed(first, zone="Africa/Lagos").timed if _issues(t.commands[-1])]
    done = prepare(TAPES / "cash-loans", tmp_path, zone="Africa/Lagos", as_of=at, limit=200)
    assert done.counts["obligations"] == sum(t <= at for t in issued)


@needs_tapes
def test_the_real_card_statements_are_converted(tmp_path: Path) -> None:
    """All accounts and bills of the tape come through, each bill due on the 15th."""
    done = prepare(TAPES / "card-statements", tmp_path, zone="Asia/Taipei")
    assert done.counts["accounts"] == 19_881
    assert done.counts["obligations"] == 104_672
    with (tmp_path / "obligations.csv").open("rb") as stream:
        for row in tape.rows("obligations", stream, "o.csv", TapeDefaults("Asia/Taipei")):
            assert not isinstance(row, BadRow)
            (command,) = row.commands
            assert isinstance(command, AddObligation)
            assert command.due_on.day == 15 and command.due_on >= date(2005, 5, 15)


TOUCHES = """touch_id,at,channel,borrower_id,account_id,debts
t1,2026-02-10T09:00:00,call,a1,,o1
t2,2026-03-05T09:00:00,call,,a1,o3
t3,2026-02-10T09:00:00,call,a2,,
t4,2026-02-10T09:00:00,fax,a2,,
"""


def with_touches(folder: Path) -> Path:
    """A tape with a file of touches."""
    made = make(folder)
    (made / "touches.csv").write_text(TOUCHES, newline="")
    return made


def test_touches_are_passed_on_and_cut_like_the_rest(tmp_path: Path) -> None:
    """All of them without a cut; with one, those of the accounts that are left, about debts that are left, by then."""
    source = with_touches(tmp_path / "in")
    done = prepare(source, tmp_path / "all", zone=ZONE)
    assert done.counts["touches"] == 4
    assert rows(tmp_path / "all", "touches.csv") == TOUCHES.splitlines()
    prepare(source, tmp_path / "early", zone=ZONE, as_of=datetime(2026, 3, 1, tzinfo=UTC))
    assert keys(tmp_path / "early", "touches.csv") == ["t1", "t3", "t4"]
    cut = prepare(source, tmp_path / "one", zone=ZONE, limit=1)
    # A row that cannot be read is passed on, so that intake reports it, with its line in the file given.
    assert keys(tmp_path / "one", "touches.csv") == ["t1", "t4"]
    assert [cut.sources["touches"].line(n) for n in (2, 3)] == [2, 5]


def test_touches_happen_in_order_of_time(tmp_path: Path) -> None:
    """Each at its instant, behind the account that it is about."""
    found = feed(with_touches(tmp_path / "in"), zone=ZONE)
    timed = [each for each in found.timed if each.kind == "touches"]
    assert [(each.key, each.at.day) for each in timed] == [("t1", 10), ("t3", 10), ("t2", 5)]
    opened = {each.key: n for n, each in enumerate(found.timed) if each.kind == "accounts"}
    assert all(opened["a1"] < n for n, each in enumerate(found.timed) if each.kind == "touches")
    assert [bad.code for bad in found.bad] == ["bad_word"]


def test_touches_alone_are_no_book(tmp_path: Path) -> None:
    """The platform takes them on their own; what is played on this machine needs the borrowers too."""
    (tmp_path / "touches.csv").write_text(TOUCHES)
    with pytest.raises(Rejected) as caught:
        feed(tmp_path, zone=ZONE)
    assert (caught.value.code, caught.value.field) == ("missing_file", "accounts")
