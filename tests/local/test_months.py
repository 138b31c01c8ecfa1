"""`betimes lab --days`: what it prints, what it writes, and which options it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from betimes.adapters.packs import policies
from betimes.cli import main

LAB = ("lab", "--days", "70", "--borrowers", "12")


def test_the_months_are_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts that fit the files, the four promises, and one digest for one seed."""
    assert main([*LAB, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "12 of 12 borrowers had entered" in shown
    assert "every promise kept" in shown
    assert "restated 0" in shown
    assert main([*LAB, "--json"]) == 0
    totals = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert totals["digest"][:16] in shown
    contacts = (tmp_path / "contacts.jsonl").read_text("utf-8").splitlines()
    decisions = (tmp_path / "decisions.jsonl").read_text("utf-8").splitlines()
    assert len(decisions) == totals["decisions"]
    assert sum(bool(json.loads(line)["sent_at"]) for line in contacts) == totals["sent"]
    promises = ("undecided", "duplicates", "after_payment", "out_of_window", "against_policy")
    assert [totals[name] for name in promises] == [0] * 5


@pytest.mark.parametrize(
    "more", [("--tape", "x"), ("--to", "2026-01-01"), ("--as-of", "2026-01-01"), ("--limit", "3")]
)
def test_options_of_a_tape_do_not_go_with_days(
    more: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A pretend book is no tape."""
    assert main([*LAB, *more]) == 2
    assert "bad_options (--days)" in capsys.readouterr().err


def rows(shown: str, header: str) -> dict[str, list[str]]:
    """Return the cells of the table whose header begins so, by the first cell, indentation included."""
    lines = shown.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(header)) + 2
    found = {}
    for line in lines[start:]:
        if not line:
            break
        cells = re.split(r"  +", line.rstrip()[2:] if line.startswith("  ") else line.rstrip())
        found[("  " if line.startswith("  ") else "") + cells[0]] = cells[1:]
    return found


def number(cells: list[str]) -> int:
    """Return the last cell as a number."""
    return int(cells[-1].replace(",", ""))


def test_the_tables_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands to their sum, what commands are about to the commands, contacts by step and by state to what was sent
    for.
    """
    assert main([*LAB]) == 0
    shown = capsys.readouterr().out
    told = rows(shown, "commands told")
    whole = {name: number(cells) for name, cells in told.items() if not name.startswith("  ")}
    assert whole.pop("all") == sum(whole.values())
    assert {"AddObligation", "PutHold", "PutFlight"} <= set(whole)
    parts = [number(cells) for name, cells in told.items() if name.startswith("  ")]
    assert sum(parts) == whole["PutHold"] + whole["PutFlight"]
    happened = rows(shown, "what happened")
    assert "payments" in happened
    assert not any(name[0].isupper() or name.startswith("hold ") for name in happened)
    due = number(rows(shown, "decisions")["send due"])
    states = {name: number(cells) for name, cells in rows(shown, "contacts by state").items()}
    assert states.pop("all (send due)") == sum(states.values()) == due
    steps = rows(shown, "step")
    assert number(steps["all"]) == due
    by_channel = [int(cell.replace("·", "0").replace(",", "")) for cell in steps["all"]]
    assert sum(by_channel[:-1]) == due


def test_steps_stand_in_the_order_of_their_treatment(capsys: pytest.CaptureFixture[str]) -> None:
    """Below its name, with every step of it; and a second time of a step is explained."""
    assert main([*LAB]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    place = lines.index("huabei_like")
    names = [line.split()[0] for line in lines[place + 1 :] if line]
    wanted = [step.name for step in policies("default", "x").treatments["huabei_like"].steps]
    assert names[: len(wanted)] == wanted
    assert "T+15.2 is the second time of T+15" in shown
    footer = next(line for line in lines if line.startswith("digest"))
    assert "huabei_like@" in footer


def test_outages_are_told_with_their_local_times(capsys: pytest.CaptureFixture[str]) -> None:
    """The day that is lost, and the morning on which nothing was heard either."""
    assert main([*LAB]) == 0
    shown = capsys.readouterr().out
    assert "down 2025-02-09 00:00 to 2025-02-10 00:00" in shown
    assert "down 2025-03-10 09:00 to 2025-03-10 15:00" in shown


def test_a_book_that_has_hardly_begun_says_how_many_had_entered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Borrowers come within forty days: on the first few most of them are still missing."""
    assert main(["lab", "--days", "2", "--borrowers", "12"]) == 0
    shown = capsys.readouterr().out
    assert re.match(r"[0-9] of 12 borrowers had entered", shown)


def test_a_tape_shows_only_the_treatments_that_spoke(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their own order; the default one, whose steps nobody had, is in no row and not in the footer."""
    (tmp_path / "accounts.csv").write_text(
        "account_id,opened_on,product,currency\na1,2026-01-05,jiebei_like,CNY\n"
    )
    (tmp_path / "obligations.csv").write_text(
        "obligation_id,account_id,seq,issued_at,due_on,principal_minor,amount_minor\n"
        "o1,a1,1,2026-01-05T08:00:00,2026-02-05,10000,11000\n"
    )
    (tmp_path / "repayments.csv").write_text("obligation_id,account_id,paid_at,amount_minor\n")
    assert main(["lab", "--tape", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    wanted = [step.name for step in policies("default", "x").treatments["jiebei_like"].steps]
    assert list(rows(shown, "step")) == [*wanted, "all"]
    footer = next(line for line in shown.splitlines() if line.startswith("digest"))
    assert re.search(r"treatment jiebei_like@[0-9a-f]{12}$", footer)
