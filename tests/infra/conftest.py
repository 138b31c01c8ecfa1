"""One synthesis for the whole run: the template that all tests of the infrastructure read, guarded by cdk-nag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.app import build
from infra.nag import guard
from infra.settings import InfraSettings
from infra.template import Template


@dataclass(frozen=True, slots=True)
class Synthesized:
    """A cloud assembly: where it lies, its template, and what cdk-nag said ("" if it found nothing)."""

    folder: Path
    template: Template
    findings: str


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The deployment with default settings, as `cdk synth` makes it."""
    folder = tmp_path_factory.mktemp("cloud")
    app = build(InfraSettings(), folder)
    guard(app)
    try:
        app.synth()
        findings = ""
    except RuntimeError as failure:
        findings = f"{failure}\n{(folder / 'validation-report.json').read_text()}"
    return Synthesized(folder, Template.in_folder(folder), findings)


@pytest.fixture(scope="session")
def template(cloud: Synthesized) -> Template:
    """The template with default settings."""
    return cloud.template


@pytest.fixture(scope="session")
def pocket(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of the local stage: shifted clock, another runtime, architecture, retention and more shards."""
    folder = tmp_path_factory.mktemp("pocket")
    settings = InfraSettings(
        stage="local",
        runtime="python3.12",
        architecture="x86_64",
        clock_offset_s=-3600,
        log_retention_days=7,
        shards=2,
        evidence_lock_days=0,
        alarm_address="ops@betimes.example",
        tags=(("team", "loans"),),
    )
    build(settings, folder).synth()
    return Template.in_folder(folder)
