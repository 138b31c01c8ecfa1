"""Rows of a tape that were refused or noted: the same words for both commands, with the user's own lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from betimes.local.lab import lab
from betimes.local.summary import Rows, left_out
from betimes.local.tape import Prepared, Source

ACCOUNTS = """account_id,opened_on,product,currency,email
a1,2026-01-05,jiebei,CNY,
a2,2026-02-20,jiebei,CNY,li@borrowers.example
"""
OBLIGATIONS = """obligation_id,account_id,seq,issued_at,due_on,principal_minor,amount_minor

o1,a1,1,2026-01-05T08:00:00,2026-02-05,100,110
o2,a2,1,2026-02-20T08:00:00,2026-03-20,100,110
o3,a9,1,2026-02-20T08:00:00,2026-03-20,100,110
"""
REPAYMENTS = """obligation_id,account_id,paid_at,amount_minor
o2,a2,2027-03-02T09:00:00,110
o1,a1,2026-02-04T20:00:00,110
o1,a1,2026-02-04T21:00:00,20
o7,a1,2026-02-04T22:00:00,30
o8,a8,2026-02-04T22:00:00,40
nonsense
"""
AS_OF = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    folder = tmp_path / "tape"
    folder.mkdir()
    (folder / "accounts.csv").write_text(ACCOUNTS)
    (folder / "obligations.csv").write_text(OBLIGATIONS)
    (folder / "repayments.csv").write_text(REPAYMENTS)
    return folder


def play(tape: Path, out: Path | None, **options: Any) -> int:
    given: dict[str, Any] = {
        "zone": "Asia/Shanghai",
        "start": None,
        "end": None,
        "as_of": None,
        "limit": None,
        "as_json": False,
        "now": AS_OF,
    }
    return lab(tape=tape, out=out, **(given | options))


def places(file: Path) -> list[tuple[str, int, str, bool]]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [(row["file"], row["line"], row["code"], bool(row["key"])) for row in rows]


def test_the_lab_says_what_was_refused_and_what_is_to_be_known(
    tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines are those of the user's files though a later payment and an empty line were left out of the copy."""
    assert play(tape, tmp_path, as_of=AS_OF) == 0
    assert places(tmp_path / "rejected.jsonl") == [
        ("obligations", 5, "unknown_account", True),
        ("repayments", 7, "malformed_row", False),
    ]
    noted = places(tmp_path / "noted.jsonl")
    assert ("accounts", 2, "no_contact_point", True) in noted
    assert ("repayments", 5, "unknown_obligation", True) in noted
    said = capsys.readouterr().out
    assert said.count("malformed_row") == 1
    assert "1 × unknown_account" in said
    assert "(obligations.csv line 5)" in said
    assert "--out" not in said


def test_money_beyond_what_was_owed_is_noted_in_the_order_of_time(
    tape: Path, tmp_path: Path
) -> None:
    """Played day by day, the second payment of a paid obligation is the one that is too much."""
    assert play(tape, tmp_path, end=AS_OF) == 0
    noted = places(tmp_path / "noted.jsonl")
    assert ("repayments", 4, "overpaid", True) in noted
    assert not any(line == 2 and file == "repayments" for file, line, *_ in noted)


def test_equal_faults_are_told_once() -> None:
    """Grouped, with the first three lines; the way to the others is told unless it was taken."""
    faults = [
        {"file": "accounts", "line": n, "code": "bad_email", "message": "no address", "key": ""}
        for n in (5, 4, 3, 2)
    ]
    rows = Rows.of(faults, [], {"accounts": Source("accounts.csv.xz", (3, 7, 8, 9))})
    assert "4 × bad_email: no address (accounts.csv.xz line 3, 7, 8 …)" in rows.text(written=True)
    assert "--out" in rows.text(written=False)
    assert "--out" not in rows.text(written=True)


def test_a_limit_accounts_for_every_obligation() -> None:
    """Whoever asks for 300 and sees 237 is told where the others are."""
    prepared = Prepared({"obligations": 237}, (), None, None, {}, issued_later=63)
    assert left_out(prepared, 300) == " (of the first 300 obligations, 63 were issued later)"
    assert not left_out(prepared, None)
