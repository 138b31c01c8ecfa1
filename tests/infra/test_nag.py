"""cdk-nag finds nothing unacknowledged, would find a violation, and every acknowledgement answers a finding."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from infra import functions, queues, roles
from infra.app import build
from infra.nag import guard
from infra.settings import InfraSettings


def test_no_finding_is_left_unacknowledged(cloud: Any) -> None:
    assert not cloud.findings, cloud.findings


def test_findings_are_seen_and_each_acknowledgement_answers_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same app with its acknowledgements collected instead of given, and a violation planted in it."""
    given: dict[tuple[str, str], str] = {}

    def collect(construct: IConstruct, rule: str, *, because: str) -> None:
        given[construct.node.path, rule] = because

    for module in (functions, queues, roles):
        monkeypatch.setattr(module, "acknowledge", collect)
    app = build(InfraSettings(), tmp_path)
    stack = app.node.find_child("Betimes-dev")
    assert isinstance(stack, cdk.Stack)
    sqs.Queue(stack, "Planted")
    guard(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    found = findings(tmp_path)
    planted = {(path, rule) for path, rule in found if path.endswith("/Planted")}
    assert ("Betimes-dev/Planted", "SQS4") in planted
    assert found - planted == set(given), "an acknowledgement without a finding, or the reverse"
    for (path, rule), because in given.items():
        assert len(because.split()) >= 10, f"{path} {rule}: say why"


def findings(folder: Path) -> set[tuple[str, str]]:
    """Return what the report names: path of the construct (without its resource) and rule (without the pack)."""
    report = json.loads((folder / "validation-report.json").read_text())
    return {
        (
            re.sub(r"/Resource$", "", where["constructPath"]),
            violation["ruleName"].removeprefix("AwsSolutions-"),
        )
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for where in violation["violatingConstructs"]
    }
