"""A stack is refused where it would hold data of borrowers outside the regions of their packs."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import region_info

from betimes import config
from betimes.adapters import law_packs, pack_files
from betimes.core import rule
from betimes.core.rule import Enforce, Pack
from infra import ROOT, app, residency
from infra.nag import guard
from infra.residency import ResidencyError, check, partition_of, read
from infra.settings import InfraSettings
from infra.stack import RESIDENCY, BetimesStack
from infra.template import Template

LAW: dict[str, Pack] = dict(law_packs.law().packs)
PACKS = read()
PARTITIONS = {each.name: each.partition for each in region_info.RegionInfo.regions}
REGIONS = sorted(PARTITIONS)
# Regions a deployment can name: the sovereign cloud's names have another form.
NAMED = [each for each in REGIONS if not each.startswith("eusc-")]
GOOD = """\
pack = "{name}"
refines = "{refines}"
[residency]
partitions = ["aws"]
regions = ["eu-central-1"]
status = "verified"
enforce = "{enforce}"
citation = "Some Act, section 1"
"""


def allowed(name: str, region: str) -> bool:
    """Return whether a pack and all it refines allow a region, as the platform reads them."""
    partition = PARTITIONS[region]
    while name:
        limit = LAW[name].residency
        if limit is not None and limit.enforce.binds:
            if limit.partitions and partition not in limit.partitions:
                return False
            if limit.regions and region not in limit.regions:
                return False
        name = LAW[name].refines
    return True


def write(folder: Path, name: str, *, refines: str = "", enforce: str = "hard") -> None:
    """Write a pack that keeps its data in Frankfurt."""
    text = GOOD.format(name=name, refines=refines, enforce=enforce)
    (folder / f"{name}.toml").write_text(text, "utf-8")


@pytest.mark.parametrize("name", sorted(LAW))
def test_each_pack_is_served_where_its_data_may_live_and_nowhere_else(name: str) -> None:
    """Every shipped pack in every region that AWS has."""
    for region in NAMED:
        settings = InfraSettings(region=region, jurisdictions=(name,))
        if allowed(name, region):
            assert check(settings, PACKS).jurisdictions == (name,), region
            continue
        with pytest.raises(ResidencyError) as refused:
            check(settings, PACKS)
        limit = LAW[name].residency
        assert limit is not None
        said = str(refused.value)
        way_out = ("-c region=", "-c jurisdictions=")
        for word in (name, limit.citation, region, *limit.regions, *way_out):
            assert word in said


@pytest.mark.parametrize("region", NAMED)
def test_without_a_choice_those_are_served_who_may_be(region: str) -> None:
    served = check(InfraSettings(region=region), PACKS)
    assert set(served.jurisdictions) == {name for name in LAW if allowed(name, region)}
    assert set(served.left_out) == set(LAW) - set(served.jurisdictions)
    said = residency.told(served, PACKS)
    for name in served.left_out:
        assert f"{name} (only in " in said
    assert bool(said) == bool(served.left_out)


def test_china_and_the_rest_of_the_world_are_two_deployments() -> None:
    """The shipped packs are not without effect: data of one never lie beside those of the other."""
    assert "CN" in check(InfraSettings(region="cn-north-1"), PACKS).jurisdictions
    assert "CN" in check(InfraSettings(region="us-east-1"), PACKS).left_out
    with pytest.raises(ResidencyError, match="CN may live only in cn-north-1"):
        check(InfraSettings(region="us-east-1", jurisdictions=("CN", "US")), PACKS)


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_lies_in_the_partition_that_cdk_says(region: str) -> None:
    assert partition_of(region) == PARTITIONS[region]


def test_words_and_places_are_those_of_the_platform() -> None:
    """What cannot be imported here is compared here."""
    assert {each.value: each.binds for each in Enforce} == residency.ENFORCE
    assert Path(str(pack_files.root())) / law_packs.FOLDER == residency.PACKS
    fields = {field.name for field in dataclasses.fields(rule.Residency)}
    assert fields == residency._KEYS


def test_a_pack_lives_where_the_one_it_refines_may(tmp_path: Path) -> None:
    write(tmp_path, "XX")
    (tmp_path / "XX-A.toml").write_text('pack = "XX-A"\nrefines = "XX"\n')
    (tmp_path / "XX-A-B.toml").write_text('pack = "XX-A-B"\nrefines = "XX-A"\n')
    for name in ("XX", "XX-A", "XX-A-B"):
        check(InfraSettings(region="eu-central-1", jurisdictions=(name,)), read(tmp_path))
        with pytest.raises(ResidencyError, match=r"XX .*Some Act, section 1 \(XX.toml"):
            check(InfraSettings(region="eu-west-1", jurisdictions=(name,)), read(tmp_path))
    assert check(InfraSettings(region="eu-west-1"), read(tmp_path)).jurisdictions == ()


@pytest.mark.parametrize("enforce", ["shown", "off"])
def test_what_is_not_enforced_refuses_nothing_and_is_told(tmp_path: Path, enforce: str) -> None:
    write(tmp_path, "XX", enforce=enforce)
    served = check(InfraSettings(region="us-east-1", jurisdictions=("XX",)), read(tmp_path))
    assert served.jurisdictions == ("XX",)
    assert served.metadata()["against_shown_residency"] == ["XX"]
    assert check(InfraSettings(region="eu-central-1"), read(tmp_path)).shown == ()


def test_cautious_refuses_like_hard(tmp_path: Path) -> None:
    write(tmp_path, "XX", enforce="cautious")
    with pytest.raises(ResidencyError, match="enforce 'cautious'"):
        check(InfraSettings(region="us-east-1", jurisdictions=("XX",)), read(tmp_path))


def test_a_jurisdiction_without_a_pack_is_a_typing_error() -> None:
    for stage in ("dev", "local"):
        with pytest.raises(ResidencyError, match="jurisdictions=XY: there is no such rule pack"):
            check(InfraSettings(stage=stage, jurisdictions=("XY",)), PACKS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('enforce = "hard"', 'enforce = "maybe"', "residency.enforce must be one of"),
        ('enforce = "hard"\n', "", "must have the keys"),
        ('enforce = "hard"', 'enforce = ["hard"]', "residency.enforce must be one of"),
        ('citation = "Some Act, section 1"', 'citation = " "', "citation is missing"),
        ('["eu-central-1"]', '"eu-central-1"', "residency.regions must be a list"),
        ('partitions = ["aws"]', "partition = []", "must have the keys"),
        ('["aws"]\nregions = ["eu-central-1"]', "[]\nregions = []", "allows all"),
        ("[residency]", "residency = 7\n[other]", "must have the keys"),
        ('refines = ""', 'refines = "YY"', "'refines' names 'YY'"),
        ('refines = ""', 'refines = "XX"', "'refines' goes in a circle"),
        ('pack = "XX"', 'pack = "XY"', "call the file as its pack"),
        ('pack = "XX"', "pack = ", "is no TOML"),
    ],
)
def test_what_is_not_understood_might_have_forbidden_it(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """A pack that cannot be read is refused, by its file, and never taken for one without limits."""
    write(tmp_path, "XX")
    file = tmp_path / "XX.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ResidencyError, match=f"^XX.toml: .*{said}"):
        check(InfraSettings(region="eu-central-1"), read(tmp_path))


def test_no_packs_at_all_are_no_permission(tmp_path: Path) -> None:
    with pytest.raises(ResidencyError, match="there are no rule packs"):
        check(InfraSettings(), read(tmp_path))


def test_the_local_stage_stands_in_no_region() -> None:
    """Its data stay on this machine; the template says that nothing was checked."""
    served = check(InfraSettings(stage="local", jurisdictions=("CN", "US")), PACKS)
    assert (served.jurisdictions, served.checked) == (("CN", "US"), False)
    assert set(check(InfraSettings(stage="local"), PACKS).jurisdictions) == set(LAW)


# Settings


def test_jurisdictions_are_names_in_order_each_once() -> None:
    for given in ("US, CN,US", ["US", "CN"]):
        settings = InfraSettings.from_mapping({"jurisdictions": given})
        assert settings.jurisdictions == ("CN", "US")
    assert InfraSettings().jurisdictions == ()


@pytest.mark.parametrize("given", ["", "cn", "CN,", [], [7], 7, {"CN": "yes"}, "C N"])
def test_what_names_no_jurisdiction_is_refused(given: object) -> None:
    """Nobody serves everybody by an empty list."""
    with pytest.raises(ValueError, match="jurisdictions"):
        InfraSettings.from_mapping({"jurisdictions": given})


# The stack


def test_no_stack_is_built_where_it_may_not_stand() -> None:
    """Whoever builds it, and before anything of it."""
    scope = cdk.App(analytics_reporting=False, auto_synth=False)
    with pytest.raises(ResidencyError):
        BetimesStack(scope, InfraSettings(jurisdictions=("CN",)))
    assert scope.node.children == []


def test_synthesis_ends_with_2_and_writes_no_template(tmp_path: Path) -> None:
    context = {"stage": "prod", "jurisdictions": "CN", "region": "eu-central-1"}
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    said = "infra: region=eu-central-1: data of borrowers of CN may live only in cn-"
    assert done.stderr.startswith(said)
    assert "articles 38 to 40" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_template_says_whom_it_serves(template: Template, pocket: Template) -> None:
    said = template.body["Metadata"][RESIDENCY]
    assert (said["region"], said["partition"], said["checked"]) == ("us-east-1", "aws", True)
    assert set(said["serves"]) | set(said["does_not_serve"]) == set(LAW)
    assert "CN" in said["does_not_serve"]
    assert pocket.body["Metadata"][RESIDENCY]["checked"] is False


def test_the_template_is_refused_in_a_region_it_was_not_checked_for(
    template: Template, pocket: Template
) -> None:
    """By CloudFormation, before it touches anything; the local stage has no region to be in."""

    def regions(found: Template) -> list[Any]:
        rules = found.body.get("Rules", {})
        return [each["Assert"] for each in rules.get("Region", {}).get("Assertions", [])]

    assert regions(template) == [{"Fn::Contains": [["us-east-1"], {"Ref": "AWS::Region"}]}]
    assert regions(pocket) == []


def test_what_the_region_keeps_out_is_said_unless_somebody_chose(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = InfraSettings(region="us-east-1")
    app._tell(app.build(settings), settings)
    assert "may not hold data of borrowers of CN (only in cn-north-1" in capsys.readouterr().err
    settings = InfraSettings(region="us-east-1", jurisdictions=("US",))
    app._tell(app.build(settings), settings)
    assert capsys.readouterr().err == ""


def test_two_jurisdictions_with_nothing_in_common_are_two_deployments() -> None:
    """Wherever it stands: the message says that another region does not help."""
    for region in ("us-east-1", "ap-south-1", "cn-north-1"):
        with pytest.raises(ResidencyError, match="No region will do for both") as refused:
            check(InfraSettings(region=region, jurisdictions=("CN", "IN")), PACKS)
        assert "two deployments" in str(refused.value)
    with pytest.raises(ResidencyError) as refused:
        check(InfraSettings(region="us-east-1", jurisdictions=("CN", "US")), PACKS)
    assert "No region" not in str(refused.value), "cn-north-1 would do for both"


def test_partitions_alone_may_have_nothing_in_common(tmp_path: Path) -> None:
    write(tmp_path, "XX")
    china = GOOD.format(name="YY", refines="", enforce="hard")
    china = china.replace('["aws"]', '["aws-cn"]').replace('["eu-central-1"]', "[]")
    (tmp_path / "YY.toml").write_text(china, "utf-8")
    settings = InfraSettings(region="cn-north-1", jurisdictions=("XX", "YY"))
    with pytest.raises(ResidencyError, match="No region will do for both XX and YY"):
        check(settings, read(tmp_path))


def test_a_member_of_the_union_is_served_by_its_pack() -> None:
    """Who names the member is told the pack."""
    with pytest.raises(ResidencyError, match=r"jurisdictions=DE: .*EU stands for it: name that"):
        check(InfraSettings(jurisdictions=("DE",)), PACKS)
    assert {name: set(pack.covers) for name, pack in LAW.items()} == {
        name: set(pack.covers) for name, pack in PACKS.items()
    }


# The licence


@pytest.mark.parametrize("licence", ["CN", "US-MA", "US-TX", "DE"])
def test_a_licence_has_a_pack(licence: str) -> None:
    """Its own, that of its country, or one that covers it, as the platform resolves it."""
    assert law_packs.law().resolve(licence)
    check(InfraSettings(licence=licence, jurisdictions=("US",)), PACKS)


def test_a_licence_nobody_knows_is_refused() -> None:
    """It would bind nothing, silently."""
    assert not law_packs.law().resolve("XY")
    for stage in ("dev", "local"):
        with pytest.raises(ResidencyError, match="licence=XY: there is no rule pack for it"):
            check(InfraSettings(stage=stage, licence="XY"), PACKS)
    with pytest.raises(ValueError, match="licence='cn'"):
        InfraSettings(licence="cn")


# China


@pytest.fixture(scope="module")
def china(tmp_path_factory: pytest.TempPathFactory) -> tuple[Template, str]:
    """The template of a deployment in China for China, and what cdk-nag found in it."""
    folder = tmp_path_factory.mktemp("china")
    settings = InfraSettings(stage="prod", region="cn-north-1", jurisdictions=("CN",), licence="CN")
    built = app.build(settings, folder)
    guard(built)
    try:
        built.synth()
        findings = ""
    except RuntimeError as failure:
        findings = str(failure)
    return Template.in_folder(folder), findings


def test_china_can_be_deployed(china: tuple[Template, str]) -> None:
    """Nothing in the template belongs to another partition, or to a service that China has not."""
    found, findings = china
    text = json.dumps(found.body)
    assert not findings
    assert found.body["Metadata"][RESIDENCY]["serves"] == ["CN"]
    assert "arn:aws:" not in text
    assert "arn:aws-cn:" in text
    assert "AWS::SES" not in text
    assert "ses:" not in text
    assert "ses.amazonaws.com" not in text


def test_keys_are_used_through_the_services_of_china(china: tuple[Template, str]) -> None:
    found, _ = china
    via = {each.via for role in found.of("IAM::Role") for each in found.statements(role)} - {""}
    assert via
    assert all(
        name.endswith(".cn-north-1.amazonaws.com.cn") for each in via for name in each.split()
    )


def test_closed_channels_are_told_and_what_is_meant_for_them_waits(
    china: tuple[Template, str], template: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    """No function sends on them; the queues stay subscribed, and their alarm of age stands."""
    found, _ = china
    closed = found.body["Metadata"]["betimes:closed_channels"]
    assert set(closed) == {"email", "sms", "push"}
    assert template.body["Metadata"]["betimes:closed_channels"] == {}
    functions, queues = found.of("Lambda::Function"), found.of("SQS::Queue")
    absent = {f"OnDelivery{name}Function" for name in ("Email", "Sms", "Push")}
    absent.add("OnFeedbackFunction")
    assert set(template.of("Lambda::Function")) - set(functions) == absent
    assert {"EmailQueue", "SmsQueue"} <= set(queues)
    assert "FeedbackQueue" not in queues
    endpoints = {found.word(each["Endpoint"]) for each in found.of("SNS::Subscription").values()}
    assert endpoints == {f"{channel.title()}Queue" for channel in config.CHANNELS}
    assert {"EmailQueueAgeAlarm", "SmsQueueAgeAlarm"} <= set(found.of("CloudWatch::Alarm"))
    settings = InfraSettings(region="cn-north-1", jurisdictions=("CN",))
    app._tell(app.build(settings), settings)
    said = capsys.readouterr().err
    assert "the channel email is closed: Amazon SES does not exist in cn-north-1" in said
    assert "the channel sms is closed" in said


def test_the_licence_reaches_every_function_that_decides(china: tuple[Template, str]) -> None:
    found, _ = china
    for name in ("OnRequest", "OnFile", "OnSweep", "OnBookChange", "OnCloseDay"):
        variables = found.of("Lambda::Function")[f"{name}Function"]["Environment"]["Variables"]
        assert variables["BETIMES_LICENCE"] == "CN"
