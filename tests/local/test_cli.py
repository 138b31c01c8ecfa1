"""The command line answers wrong input with code 2 and the way out, before it does any work."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from betimes import cli
from betimes.core.errors import Rejected
from betimes.local import up
from betimes.local.console import steady
from betimes.local.summary import make_out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command says when it ends with code 2."""
    try:
        code = cli.main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lab", "--from", "2026-03-02", "--to", "2026-03-01"), "--to"),
        (("lab", "--as-of", "2026-03-02", "--to", "2026-03-01"), "--as-of"),
        (("lab", "--as-of", "2026-03-02", "--from", "2026-03-01"), "--as-of"),
        (("lab", "--seed", "3"), "bad_options (--seed)"),
        (("lab", "--borrowers", "30"), "bad_options (--borrowers)"),
        (("lab", "--days", "3661"), "--days: must be a whole number from 1 to 3,660"),
        (
            ("lab", "--days", "9", "--borrowers", "1000001"),
            "--borrowers: must be a whole number from 1 to 1,000,000",
        ),
        (("lab", "--days", "9", "--from", "9999-12-01"), "bad_options (--from)"),
        (("lab", "--days", "30", "--from", "2199-12-20"), "bad_options (--from)"),
        (("lab", "--to", "9999-12-01"), "bad_options (--to)"),
        (("lab", "--as-of", "9999-12-01"), "bad_options (--as-of)"),
        (("plan", "b00001", "--days", "100000"), "--days: must be a whole number from 1 to 3,660"),
        (("plan", "b00001", "--as-of", "nonsense"), "bad_instant (--as-of)"),
        (("run", "--as-of", "nonsense"), "bad_instant (--as-of)"),
        (("lab", "--as-of", "nonsense"), "bad_instant (--as-of)"),
        (("lab", "--zone", "Mars/Base", "--as-of", "2026-03-02"), "unknown_zone (--zone)"),
        (("lab", "--tape", "/no/such/tape"), "missing_file (--tape): /no/such/tape is not a"),
        (("plan", "b1", "--tape", "/no/such/tape"), "missing_file (--tape): /no/such/tape"),
        (("run", "--limit", "x"), "must be a whole number of at least 1"),
        (("run", "--limit", "0"), "must be a whole number of at least 1"),
        (("lab", "--from", "2026-02-30"), "is not a date such as 2026-03-01"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """Contradictions and malformed values end with code 2 and one line that names the option."""
    line = refused(capsys, *arguments)
    assert said in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "betimes: the following arguments are required: COMMAND; see betimes --help\n"),
        (("plan",), "betimes plan: the following arguments are required: BORROWER; see betimes plan --help\n"),
        (("lab", "--seed"), "betimes lab: --seed: expected one argument; see betimes lab --help\n"),
        (("up", "now"), "betimes up: unrecognized arguments: now; see betimes up --help\n"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_answered_with_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str
) -> None:
    """Which command, what is wrong with it, and where help is."""
    assert refused(capsys, *arguments) == line


def test_every_command_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """In the help, in an example of it, and in the text of the module; and the plan shown there says something."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out
    for command in ("run", "lab", "plan", "up", "invoke", "schedule"):
        assert f"\n  betimes {command}" in said
        assert command in str(cli.__doc__)
    [example] = [line.split("  ")[1] for line in said.splitlines() if "betimes plan" in line]
    assert cli.main(example.split()[1:]) == 0
    assert "sends by" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["lab", "--help"])
    assert "--days" in capsys.readouterr().out.split("options:")[0].partition("\n\n")[2]


@pytest.mark.parametrize("command", ["run", "lab"])
def test_out_must_be_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    """A file in its place is found before any work is done."""
    (tmp_path / "file").write_text("x")
    said = refused(capsys, command, "--out", str(tmp_path / "file"))
    assert "bad_out" in said
    with pytest.raises(Rejected):
        make_out(tmp_path / "file" / "below")
    make_out(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()


def test_a_terminal_without_chinese_gets_question_marks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No command ends because the terminal lacks a character."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii"))
    assert cli.main(["lab", "--tape", str(tmp_path / "数据")]) == 2
    sys.stderr.flush()
    assert b"?? is not a directory" in raw.getvalue()


def note(root: Path, pid: int) -> Path:
    file = root / up.RUNNING
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"pid": pid, "endpoint": "http://127.0.0.1:1"}))
    return file


def test_a_note_of_a_cloud_that_is_gone_is_removed(tmp_path: Path) -> None:
    """A killed cloud leaves its note; whoever finds it takes it for nothing."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    file = note(tmp_path, process.pid)
    assert up.running(tmp_path) is None
    assert not file.exists()
    assert up.running(tmp_path) is None


def test_a_second_cloud_is_refused(tmp_path: Path) -> None:
    """Beside a living one none starts, and the living one's note stays."""
    file = note(tmp_path, os.getpid())
    with pytest.raises(Rejected) as caught:
        up.up(root=tmp_path)
    assert caught.value.code == "already_up"
    assert file.exists()


def test_progress_speaks_five_times_a_second_at_most() -> None:
    """What is said in between is left out, so a terminal does not flicker."""
    said: list[str] = []
    times = iter([0.0, 0.0, 0.1, 0.19, 0.3, 0.3])
    say = steady(said.append, lambda: next(times))
    for word in ("one", "two", "three", "four"):
        say(word)
    assert said == ["one", "four"]
