"""The commands as a person gives them, against the deployed stack on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from betimes.lab.demo import write_demo

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-03-09T10:00+08:00"
PATIENCE_S = 300

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (ROOT / ".local/ministack/bin/python").exists(),
        reason="the embedded AWS is not installed: make setup",
    ),
]


def betimes(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "betimes.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={**os.environ, "PYTHONPATH": "functions"},
    )


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    write_demo(folder, as_of=datetime.fromisoformat(AS_OF).astimezone(UTC), borrowers=60)
    with (folder / "obligations.csv").open("a", encoding="utf-8") as file:
        file.write("this is not a row\n")
    return folder


@pytest.fixture(scope="module")
def ran(book: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("out")
    done = betimes("run", "--tape", book, "--as-of", AS_OF, "--out", out, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1]), out


@pytest.fixture(scope="module")
def twin(book: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("twin")
    done = betimes("lab", "--tape", book, "--as-of", AS_OF, "--out", out, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1]), out


Ran = tuple[dict[str, Any], Path]


def test_a_run_keeps_every_promise(ran: Ran) -> None:
    """Messages go out, and none of the four counts is above zero."""
    totals, _ = ran
    assert totals["sent"] > 0
    broken = ("undecided", "duplicates", "after_payment", "out_of_window")
    assert {name: totals[name] for name in broken} == dict.fromkeys(broken, 0)


def test_the_deployed_stack_says_what_the_lab_decides(ran: Ran, twin: Ran) -> None:
    """Same contacts, same texts, same amounts, same digest: one code path, two worlds."""
    said = ("contact_id", "borrower_id", "step", "channel", "amount_minor", "text_sha256")

    def contacts(out: Path) -> list[tuple[Any, ...]]:
        return sorted(tuple(line[key] for key in said) for line in lines(out / "contacts.jsonl"))

    assert contacts(ran[1]) == contacts(twin[1])
    assert ran[0]["digest"] == twin[0]["digest"]


def test_mail_is_heard_of_and_every_line_has_a_reason(ran: Ran) -> None:
    """The receivers' answers come back through the feedback queue; nothing is left without a reason."""
    found = lines(ran[1] / "contacts.jsonl")
    states = {(line["channel"], line["state"]) for line in found}
    assert states == {("email", "DELIVERED"), ("sms", "ACCEPTED")}
    assert all(line["reason"] for line in lines(ran[1] / "decisions.jsonl"))


def test_a_bad_row_is_named_and_stops_nothing(ran: Ran, twin: Ran, book: Path) -> None:
    """The malformed row stands in rejected.jsonl with its line and its reason, alone; cloud and lab note the same."""
    [row] = lines(ran[1] / "rejected.jsonl")
    last = len((book / "obligations.csv").read_text("utf-8").splitlines())
    assert (row["file"], row["line"], row["code"]) == ("obligations", last, "malformed_row")
    for name in ("rejected.jsonl", "noted.jsonl"):
        assert lines(ran[1] / name) == lines(twin[1] / name)


def test_a_tape_that_cannot_be_read_is_refused_with_the_way_out(book: Path, tmp_path: Path) -> None:
    """A missing column ends with code 2, names file and column, and shows no traceback."""
    text = (book / "accounts.csv").read_text("utf-8").replace("currency", "money", 1)
    (tmp_path / "accounts.csv").write_text(text, "utf-8")
    (tmp_path / "obligations.csv").write_bytes((book / "obligations.csv").read_bytes())
    done = betimes("run", "--tape", tmp_path, "--as-of", AS_OF)
    assert done.returncode == 2
    assert "missing_column" in done.stderr
    assert "currency" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def cloud() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "betimes.cli", "up"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": "functions"},
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(PATIENCE_S)
    assert process.stdout is not None
    process.stdout.close()


def test_up_stays_up_takes_events_and_ends_cleanly(cloud: subprocess.Popen[str]) -> None:
    """The cloud says where it is, a handler answers on it, and Ctrl-C leaves nothing behind."""
    assert cloud.stdout is not None
    said = ""
    for line in cloud.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    assert "is up" in said, said
    note = json.loads((ROOT / ".local/running.json").read_text("utf-8"))
    done = betimes("invoke", "on_request", "events/on_request.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statusCode"] == 200, done.stdout
    cloud.send_signal(signal.SIGINT)
    assert "nothing is left running" in cloud.stdout.read()
    assert cloud.wait(PATIENCE_S) == 0
    assert not (ROOT / ".local/running.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(note["pid"], 0)
