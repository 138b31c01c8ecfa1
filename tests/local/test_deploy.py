"""A cloud assembly becomes a stack, or an error that names the resource."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from betimes.local.deploy import (
    TEMPLATE_BODY_BYTES,
    DeploymentFailed,
    SynthesisFailed,
    deploy,
    synthesize,
    zip_folder,
)
from tests.local.conftest import Cloud

BUCKET = "assets"
HANDLER = """
import helper
def handler(event, context):
    return helper.ANSWER
"""


def assembly(folder: Path, template: Any, files: Any = None) -> Path:
    """Write a cloud assembly with one stack, as CDK writes it."""
    manifest = {
        "artifacts": {
            "Stack.assets": {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}},
            "Stack": {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": "template.json"},
            },
            "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
        }
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "assets.json").write_text(json.dumps({"files": files or {}}))
    (folder / "template.json").write_text(json.dumps(template))
    return folder


def zipped(path: Path, key: str) -> Any:
    """Return the manifest's entry of a folder that becomes an archive."""
    place = {"bucketName": BUCKET, "objectKey": key}
    return {
        "source": {"path": str(path), "packaging": "zip"},
        "destinations": {"here": place},
    }


def test_code_and_layer_of_an_assembly_run(cloud: Cloud, tmp_path: Path) -> None:
    """A function imports from its layer, which is the folder itself and not a copy of it."""
    code, layer = tmp_path / "code", tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    code.mkdir()
    (code / "module.py").write_text(HANDLER)
    helper = layer / "python" / "helper.py"
    helper.write_text("ANSWER = __file__\n")
    resources = {
        "Wheels": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"Content": {"S3Bucket": BUCKET, "S3Key": "layer.zip"}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "module.handler",
                "Role": f"arn:aws:iam::{cloud.emulator.account}:role/any",
                "Code": {"S3Bucket": BUCKET, "S3Key": "code.zip"},
                "Layers": [{"Ref": "Wheels"}],
            },
        },
    }
    template = {"Resources": resources, "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}
    files = {"a": zipped(code, "code.zip"), "b": zipped(layer, "layer.zip")}
    deployed = deploy(cloud.emulator, assembly(tmp_path, template, files))
    assert deployed.resources == 2
    answer = cloud.emulator.client("lambda").invoke(FunctionName=deployed.outputs["Name"])
    assert json.loads(answer["Payload"].read()) == str(helper)


def test_a_template_too_long_for_a_request_goes_through_a_bucket(
    cloud: Cloud, tmp_path: Path
) -> None:
    """Above CloudFormation's limit for a request the stack is created all the same."""
    topic = {"Type": "AWS::SNS::Topic", "Metadata": {"note": "x" * TEMPLATE_BODY_BYTES}}
    template = {"Resources": {"Topic": topic}}
    assert deploy(cloud.emulator, assembly(tmp_path, template)).resources == 1


def test_a_failure_names_the_resource_and_the_reason(cloud: Cloud, tmp_path: Path) -> None:
    """Not the rollback is reported, but what led to it."""
    key = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "no-prefix", "TargetKeyId": "x"}}
    with pytest.raises(DeploymentFailed, match=r"Broken \(AWS::KMS::Alias\): .*no-prefix"):
        deploy(cloud.emulator, assembly(tmp_path, {"Resources": {"Broken": key}}))


def test_a_refused_template_is_a_failure(cloud: Cloud, tmp_path: Path) -> None:
    """A type of resource that the emulator does not know is named before anything is made."""
    template = {"Resources": {"Strange": {"Type": "AWS::Flux::Capacitor"}}}
    with pytest.raises(DeploymentFailed, match="AWS::Flux::Capacitor"):
        deploy(cloud.emulator, assembly(tmp_path, template))


def test_an_archive_depends_on_the_files_only(tmp_path: Path) -> None:
    """Dates and the order of writing do not matter; names, bytes and the right to execute do."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, names in ((one, ("a.py", "b.py")), (two, ("b.py", "a.py"))):
        (folder / "sub").mkdir(parents=True)
        for name in names:
            (folder / "sub" / name).write_text(name)
    assert zip_folder(one) == zip_folder(two)
    with zipfile.ZipFile(io.BytesIO(zip_folder(one))) as archive:
        assert archive.namelist() == ["sub/a.py", "sub/b.py"]
    (two / "sub" / "a.py").write_text("other")
    assert zip_folder(one) != zip_folder(two)


def test_an_assembly_is_made_again_only_when_an_input_changed(tmp_path: Path) -> None:
    """The same sources and settings give the same folder without a run; others give another."""
    write_app(tmp_path)
    first = synthesize(tmp_path)
    assert (first / "manifest.json").exists()
    marker = first / "marker"
    marker.touch()
    assert synthesize(tmp_path) == first
    assert marker.exists(), "it was made again"
    assert synthesize(tmp_path, context={"shards": 8}) != first
    (tmp_path / "functions" / "betimes" / "new.py").write_text("")
    assert synthesize(tmp_path) != first


def test_an_assembly_whose_folders_are_gone_is_made_again(tmp_path: Path) -> None:
    """A bundle that somebody removed does not make a deployment of nothing."""
    write_app(tmp_path)
    place = synthesize(tmp_path)
    files = {"a": zipped(tmp_path / "gone", "a.zip")}
    (place / "assets.json").write_text(json.dumps({"files": files}))
    assert synthesize(tmp_path) == place
    assert json.loads((place / "assets.json").read_text()) == {"files": {}}


def test_settings_that_the_app_refuses_are_an_error(tmp_path: Path) -> None:
    """What the CDK app says is in the error, and nothing is left that a later run could take."""
    write_app(tmp_path)
    with pytest.raises(SynthesisFailed, match="shards=0: too few"):
        synthesize(tmp_path, context={"shards": 0})
    assert not list((tmp_path / ".local" / "assemblies").iterdir())


def test_the_app_sees_no_aws_setting_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Synthesizing for this machine can look nothing up in an account."""
    monkeypatch.setenv("AWS_PROFILE", "of-the-host")
    write_app(tmp_path)
    seen = json.loads((synthesize(tmp_path) / "seen.json").read_text())
    assert not [name for name in seen["environment"] if name.startswith("AWS_")]
    assert seen["context"]["stage"] == "local"
    assert seen["context"]["bundle"] == "local"


APP = """
import json, os, sys
from pathlib import Path
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
if context.get("shards") == 0:
    sys.exit("shards=0: too few")
out = Path(os.environ["CDK_OUTDIR"])
out.mkdir()
seen = {"context": context, "environment": list(os.environ)}
(out / "seen.json").write_text(json.dumps(seen))
(out / "assets.json").write_text(json.dumps({"files": {}}))
asset = {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}}
(out / "manifest.json").write_text(json.dumps({"artifacts": {"Stack.assets": asset}}))
"""


def write_app(root: Path) -> None:
    """Write a repository whose CDK app is made of a few lines."""
    (root / "infra").mkdir()
    (root / "infra" / "app.py").write_text(APP)
    (root / "functions" / "betimes").mkdir(parents=True)
