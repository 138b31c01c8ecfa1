"""`betimes plan`: what will happen to one borrower, rendered by the code that sends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from betimes.cli import main

AT = "2026-11-20T10:00+08:00"
ACCOUNTS = (
    "account_id,borrower_id,opened_on,product,currency,limit_minor,email,phone,locale,zone,jurisdiction\n"
    "a1,b1,2026-01-01,huabei_like,CNY,0,li@borrowers.example,,zh-CN,Asia/Shanghai,CN\n"
    "a2,b2,2026-01-01,other,CNY,0,,,zh-CN,Asia/Shanghai,CN\n"
)
OBLIGATIONS = (
    "obligation_id,account_id,borrower_id,seq,issued_at,due_on,principal_minor,amount_minor,minimum_minor\n"
    "o1,a1,b1,1,2026-11-19T00:00:00+08:00,2026-11-29,120000,120000,12000\n"
    "o2,a2,b2,1,2026-11-19T00:00:00+08:00,2026-11-29,50000,50000,0\n"
)
REPAYMENTS = (
    "repayment_id,obligation_id,account_id,paid_at,amount_minor\n"
    "r1,o1,a1,2026-11-19T12:00:00+08:00,10000\n"
    "r2,o1,a1,2026-11-25T12:00:00+08:00,110000\n"
)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A tape of two borrowers; one has paid a part, and pays the rest after the instant asked for."""
    for name, text in (
        ("accounts.csv", ACCOUNTS),
        ("obligations.csv", OBLIGATIONS),
        ("repayments.csv", REPAYMENTS),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Sequence[str]:
    assert main(["plan", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, *arguments, "--json")[-1])
    return found


def test_preview_with_fake_data_only__a_real_borrower_at_a_chosen_instant(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The borrower's own amount, in the borrower's language, on the days of the product's treatment."""
    found = asked(capsys, "b1", "--tape", str(tape), "--as-of", AT)
    assert found["owed"] == [
        {
            "obligation_id": "o1",
            "product": "huabei_like",
            "due_on": "2026-11-29",
            "owed_minor": 110_000,
            "currency": "CNY",
            "dpd": 0,
            "phase": "pre_due",
        }
    ]
    sends = [each for each in found["coming"] if each["decision"] == "send"]
    assert [each["step"] for each in sends] == [
        "bill", "T-3", "T-1", "T0", "T+1", "T+3", "T+7", "T+15", "T+15.2"
    ]  # fmt: skip
    assert all(each["amount"].startswith("CNY 1,1") for each in sends)
    assert "1,100.00元" in sends[0]["text"]
    assert {each["obligation_id"] for each in found["coming"]} == {"o1"}, "nobody else's"


def test_what_is_not_sent_is_named_with_its_reason(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A borrower who cannot be reached: every step, on its day, and why."""
    lines = told(capsys, "b2", "--tape", str(tape), "--as-of", AT)
    assert "reached by: nothing" in lines
    steps = [line for line in lines if "no_contact_point" in line]
    assert len(steps) == 8
    assert steps[0].startswith("2026-11-26 10:00  o2")


def test_texts_are_shown_on_demand(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Below the step that sends them, and only then."""
    plain = told(capsys, "b1", "--tape", str(tape), "--as-of", AT)
    assert not any(line.startswith("    | ") for line in plain)
    shown = told(capsys, "b1", "--tape", str(tape), "--as-of", AT, "--texts")
    assert any(line.startswith("    | ") and "待还" in line for line in shown)


def test_days_bound_what_is_looked_at(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing behind the last day asked for."""
    found = asked(capsys, "b1", "--tape", str(tape), "--as-of", AT, "--days", "8")
    assert {each["step"] for each in found["coming"]} == {"bill", "T-3", "T-1"}


def test_a_borrower_of_whom_nothing_is_known_is_named(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the way out, and the exit code of wrong input."""
    assert main(["plan", "nobody", "--tape", str(tape), "--as-of", AT]) == 2
    error = capsys.readouterr().err
    assert "unknown_borrower" in error
    assert "'nobody'" in error


def test_history_is_what_happened_not_an_import(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long after the due date: what was said then has been said, and the plan goes on from there."""
    found = asked(capsys, "b1", "--tape", str(tape), "--as-of", "2026-12-01T09:00+08:00")
    assert found["owed"] == [], "the rest was paid on 25 November"
    (tape / "repayments.csv").write_text(REPAYMENTS.rsplit("r2", 1)[0], encoding="utf-8")
    found = asked(capsys, "b1", "--tape", str(tape), "--as-of", "2026-12-01T09:00+08:00")
    assert [each["step"] for each in found["coming"] if each["decision"] == "send"] == [
        "T+3", "T+7", "T+15", "T+15.2"
    ]  # fmt: skip
    assert found["coming"][0]["at"] == "2026-12-02T02:00:00.000000Z"


def test_two_debts_of_one_day_are_one_message_in_the_plan(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a message that has to keep its distance stands where it is sent, not where it was decided."""
    (tape / "accounts.csv").write_text(
        ACCOUNTS
        + "a3,b1,2026-01-01,jiebei_like,CNY,0,li@borrowers.example,,zh-CN,Asia/Shanghai,CN\n",
        encoding="utf-8",
    )
    (tape / "obligations.csv").write_text(
        OBLIGATIONS + "o3,a3,b1,1,2026-11-19T00:00:00+08:00,2026-11-29,30000,30000,0\n",
        encoding="utf-8",
    )
    found = asked(capsys, "b1", "--tape", str(tape), "--as-of", AT)
    by_step = {(each["obligation_id"], each["step"]): each for each in found["coming"]}
    assert by_step["o3", "T-1"]["with"] == "o1" or by_step["o1", "T-1"]["with"] == "o3"
    after_due = sorted(by_step[name, "T+1"]["at"] for name in ("o1", "o3"))
    assert after_due == ["2026-11-30T02:00:00.000000Z", "2026-12-01T00:00:00.000000Z"]
    lines = told(capsys, "b1", "--tape", str(tape), "--as-of", AT)
    assert any("is in the message about" in line for line in lines)
