"""The app as it is started: without the CLI, in a process of its own, and as cdk.json says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT, app
from infra.template import Template


def run(
    outdir: Path, context: dict[str, object], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m infra.app` in the repository with a clean environment and this context."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CDK_", "JSII_", "AWS_", "PYTHONPATH"))
    }
    return subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={
            **clean,
            "CDK_OUTDIR": str(outdir),
            "CDK_CONTEXT_JSON": json.dumps(context),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_process_writes_the_same_template_in_silence(
    template: Template, tmp_path: Path
) -> None:
    """Same settings, other hash seed, no network proxy to lean on: the same bytes and no warnings."""
    done = run(tmp_path, {}, PYTHONHASHSEED="7", HTTPS_PROXY="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert Template.in_folder(tmp_path).body == template.body
    assert "end-of-life" not in done.stderr


def test_without_the_cli_the_app_writes_where_the_cli_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nobody named a folder: it is cdk.out, and the app says so."""
    monkeypatch.delenv(app.OUTDIR_VARIABLE, raising=False)
    monkeypatch.setenv("CDK_CONTEXT_JSON", json.dumps({"stage": "local"}))
    monkeypatch.setattr(app, "OUTDIR", str(tmp_path / "cdk.out"))
    assert app.main() == 0
    assert list((tmp_path / "cdk.out").glob("*.template.json"))
    assert str(tmp_path / "cdk.out") in capsys.readouterr().out


def test_a_shifted_clock_is_refused_for_aws(tmp_path: Path) -> None:
    done = run(tmp_path, {"stage": "prod", "clock_offset_s": "3600"})
    assert done.returncode == 2
    assert "clock_offset_s=3600" in done.stderr
    assert not list(tmp_path.glob("*.template.json"))


def test_the_cli_starts_the_same_app() -> None:
    command = json.loads((ROOT / "cdk.json").read_text())["app"]
    assert command == ".venv/bin/python -m infra.app"
