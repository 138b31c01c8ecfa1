"""`betimes lab --days`: what it prints, what it writes, and which options it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from betimes.cli import main

LAB = ("lab", "--days", "70", "--borrowers", "12")


def test_the_months_are_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts that fit the files, the four promises, and one digest for one seed."""
    assert main([*LAB, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "12 borrowers" in shown
    assert "every promise kept" in shown
    assert "restated 0" in shown
    assert main([*LAB, "--json"]) == 0
    totals = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert totals["digest"][:16] in shown
    contacts = (tmp_path / "contacts.jsonl").read_text("utf-8").splitlines()
    decisions = (tmp_path / "decisions.jsonl").read_text("utf-8").splitlines()
    assert len(decisions) == totals["decisions"]
    assert sum(bool(json.loads(line)["sent_at"]) for line in contacts) == totals["sent"]
    assert [totals[name] for name in ("undecided", "duplicates", "after_payment", "out_of_window")] == [
        0, 0, 0, 0
    ]  # fmt: skip


@pytest.mark.parametrize(
    "more", [("--tape", "x"), ("--to", "2026-01-01"), ("--as-of", "2026-01-01"), ("--limit", "3")]
)
def test_options_of_a_tape_do_not_go_with_days(
    more: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A pretend book is no tape."""
    assert main([*LAB, *more]) == 2
    assert "bad_options (--days)" in capsys.readouterr().err
