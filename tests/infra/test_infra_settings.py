"""Settings are read from CDK context, checked before anything is built, and refused with the key's name."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from infra.settings import InfraSettings, cli_defaults


def test_defaults_are_a_stage_that_can_be_synthesized_offline() -> None:
    settings = InfraSettings()
    assert (settings.stage, settings.bundle) == ("dev", "none")
    assert (settings.runtime, settings.architecture) == ("python3.13", "arm64")
    assert settings.clock_offset_s == 0


def test_text_of_the_command_line_becomes_values() -> None:
    settings = InfraSettings.from_mapping(
        {
            "stage": "prod",
            "shards": "64",
            "tags": "team=loans, cost=42",
            "log_retention_days": "365",
        }
    )
    assert (settings.stage, settings.shards, settings.log_retention_days) == ("prod", 64, 365)
    assert settings.tags == (("cost", "42"), ("team", "loans"))


def test_json_of_the_context_becomes_values() -> None:
    settings = InfraSettings.from_mapping({"shards": 64, "tags": {"team": "loans"}})
    assert (settings.shards, settings.tags) == (64, (("team", "loans"),))


def test_the_context_of_an_app_is_read_and_the_keys_of_cdk_are_left_alone() -> None:
    app = cdk.App(
        context={
            "stage": "qa",
            "@aws-cdk/core:enablePartitionLiterals": True,
            "aws:cdk:bundling-stacks": ["*"],
            "availability-zones:account=1:region=eu-west-1": ["a"],
        },
        auto_synth=False,
    )
    defaults = cli_defaults({"CDK_DEFAULT_ACCOUNT": "111122223333", "CDK_DEFAULT_REGION": ""})
    settings = InfraSettings.from_context(app.node, defaults)
    assert (settings.stage, settings.account, settings.region) == (
        "qa",
        "111122223333",
        "us-east-1",
    )


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_shifted_clock_is_refused_outside_the_local_stage(stage: str) -> None:
    with pytest.raises(ValueError, match="clock_offset_s=86400"):
        InfraSettings.from_mapping({"stage": stage, "clock_offset_s": "86400"})


def test_a_shifted_clock_is_a_setting_of_the_local_stage() -> None:
    settings = InfraSettings.from_mapping({"stage": "local", "clock_offset_s": "-86400"})
    assert settings.clock_offset_s == -86_400


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stage", "Prod!"),
        ("stage", ""),
        ("account", "12"),
        ("account", 12_345_678_901),
        ("region", "mars"),
        ("runtime", "nodejs22.x"),
        ("architecture", "sparc"),
        ("bundle", "docker"),
        ("bundle", "local"),
        ("shards", "0"),
        ("shards", "many"),
        ("shards", True),
        ("shards", 2.5),
        ("shards", 100_000),
        ("log_retention_days", "31"),
        ("log_level", "LOUD"),
        ("evidence_lock_days", -1),
        ("sender_address", "not an address"),
        ("alarm_address", "nobody"),
        ("page_url", "http://remind.lender.example"),
        ("page_url", "https://remind.lender.example/path"),
        ("page_url", "remind.lender.example"),
        ("link_hosts", "https://pay.lender.example"),
        ("pay_url", "https://elsewhere.example/start"),
        ("lender", " "),
        ("tags", "team"),
        ("tags", 7),
    ],
)
def test_a_value_that_cannot_be_deployed_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        InfraSettings.from_mapping({key: value})


def test_a_typing_error_does_not_deploy_a_default() -> None:
    with pytest.raises(ValueError, match="unknown context key clock_ofset_s"):
        InfraSettings.from_mapping({"clock_ofset_s": "0"})


def test_the_sender_signs_for_its_own_domain() -> None:
    assert InfraSettings(sender_address="Bills@Lender.Example").sender_domain == "lender.example"
