"""Puts the synthesized stack onto the emulator, as `cdk deploy` would onto AWS: assets first, then CloudFormation.

`synthesize` runs the CDK app in a process of its own, because CDK needs Node and much memory and is needed once; its
result stays under `.local/assemblies/` until an input changes. `deploy` reads nothing but that cloud assembly.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from betimes.config import LOCAL_PAGE_URL, LOCAL_STAGE
from betimes.local.emulator import ACCOUNT, LOCAL_FOLDER, REGION, Emulator

# CloudFormation's quota for a template inside the request; a longer one goes through the bucket.
TEMPLATE_BODY_BYTES: Final = 51_200
DEPLOY_DEADLINE_S: Final = 120.0
SYNTH_DEADLINE_S: Final = 600.0
# Processes that may empty one queue at a time; AWS knows no fewer than two. Each takes a second of a
# core to start here, so the template's own numbers would make a small run slower.
PROCESSES_A_QUEUE: Final = 2
# Assemblies kept beside the newest one: another run may still read its own.
ASSEMBLIES_KEPT: Final = 3

_POLL_S: Final = 0.05
_MANIFEST: Final = "manifest.json"
_STACK: Final = "aws:cloudformation:stack"
_ASSETS: Final = "cdk:asset-manifest"
_LAYER: Final = "AWS::Lambda::LayerVersion"
_FAILED: Final = ("CREATE_FAILED", "ROLLBACK_IN_PROGRESS")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_API_URL: Final = re.compile(r"https?://(?P<id>[a-z0-9]+)\.execute-api\.[^/]+/?")
# What a synth reads: the app, the package it bundles, the wheels it locks.
_INPUTS: Final = ("infra", "functions/betimes", "requirements/lambda.lock", "cdk.json")
_TOOLS: Final = ("aws-cdk-lib", "constructs", "cdk-nag")


class SynthesisFailed(Exception):
    """The CDK app did not produce an assembly; the message has what it said."""


class DeploymentFailed(Exception):
    """CloudFormation did not create the stack; the message names the resources that failed, and why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack: its outputs by id, how many resources it has, and how long it took."""

    stack: str
    outputs: Mapping[str, str]
    resources: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Asset:
    """A file or folder of the assembly and where it belongs."""

    source: Path
    packaging: str
    bucket: str
    key: str


def synthesize(root: Path, *, context: Mapping[str, object] | None = None) -> Path:
    """Return the folder of the cloud assembly for this machine: stage local, its architecture, its Python.

    `context` adds to these settings or replaces them (`infra/settings.py` has the names). An assembly
    made from the same inputs is used again. Shift the clock with `Emulator(clock_offset_s=…)` rather
    than here: that needs no new assembly.

    Raises:
        SynthesisFailed: the app refused the settings, or the wheels could not be had.
    """
    settings = {**_local_settings(), **(context or {})}
    place = root / LOCAL_FOLDER / "assemblies" / _digest(root, settings)
    if _is_whole(place):
        os.utime(place)
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as scratch:
        built = Path(scratch) / "assembly"
        _run_app(root, settings, built)
        shutil.rmtree(place, ignore_errors=True)
        try:
            built.rename(place)
        except OSError:
            # Another run was faster with the same inputs.
            if not _is_whole(place):
                raise
    _forget_old(place)
    return place


def deploy(emulator: Emulator, assembly: Path) -> Deployed:
    """Create the one stack of `assembly` on the emulator and return its outputs when every resource stands.

    Raises:
        DeploymentFailed: the template was refused, or a resource could not be made in time (DEPLOY_DEADLINE_S).
    """
    started = time.monotonic()
    name, template = _stack(assembly)
    layers = _layer_keys(template)
    for asset in _assets(assembly):
        _upload(emulator, asset, linked=asset.key in layers)
    cloud = emulator.client("cloudformation")
    try:
        cloud.create_stack(
            StackName=name,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            **_template_argument(emulator, name, template),
        )
    except ClientError as refusal:
        raise DeploymentFailed(f"stack {name}: {refusal}") from refusal
    stack = _wait(cloud, name, deadline=started + DEPLOY_DEADLINE_S)
    _pace(emulator)
    outputs = {
        each["OutputKey"]: _reachable(emulator, each["OutputValue"])
        for each in stack.get("Outputs", [])
    }
    resources = len(json.loads(template)["Resources"])
    return Deployed(name, outputs, resources, time.monotonic() - started)


def zip_folder(folder: Path) -> bytes:
    """Return the files of `folder` as a zip archive: sorted, without dates, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _local_settings() -> dict[str, object]:
    machine = platform.machine().lower()
    return {
        "stage": LOCAL_STAGE,
        "account": ACCOUNT,
        "region": REGION,
        "bundle": "local",
        # A name that leads nowhere: what borrowers would open is served at `ApiEndpoint` here.
        "page_url": LOCAL_PAGE_URL,
        "architecture": "arm64" if machine in ("arm64", "aarch64") else "x86_64",
        # ministack runs functions with its own Python, which `make setup` takes from the one that runs here.
        "runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        # The assembly then names the bundles' folders instead of copying 60 MB.
        "aws:cdk:disable-asset-staging": True,
    }


def _digest(root: Path, settings: Mapping[str, object]) -> str:
    """Return a name for all that goes into a synth."""
    digest = hashlib.sha256()
    versions = [f"{tool} {_version(tool)}" for tool in _TOOLS]
    digest.update(json.dumps([settings, versions, sys.version], sort_keys=True).encode())
    for name in _INPUTS:
        for path in _files(root / name):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]


def _version(tool: str) -> str:
    try:
        return metadata.version(tool)
    except metadata.PackageNotFoundError:
        return "none"


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for path in sorted(place.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _is_whole(assembly: Path) -> bool:
    """Whether the assembly and the folders it names are there."""
    return (assembly / _MANIFEST).exists() and all(
        asset.source.exists() for asset in _assets(assembly)
    )


def _run_app(root: Path, settings: Mapping[str, object], outdir: Path) -> None:
    host = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **host,
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps(settings),
        "PYTHONPATH": str(root / "functions"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SYNTH_DEADLINE_S,
        check=False,
    )
    if done.returncode:
        raise SynthesisFailed(f"python -m infra.app: {(done.stderr or done.stdout).strip()}")


def _forget_old(newest: Path) -> None:
    others = [each for each in newest.parent.iterdir() if each != newest and each.name[0] != "."]
    for old in sorted(others, key=lambda each: each.stat().st_mtime, reverse=True)[
        ASSEMBLIES_KEPT:
    ]:
        shutil.rmtree(old, ignore_errors=True)


def _artifacts(assembly: Path, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    manifest = json.loads((assembly / _MANIFEST).read_text())
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] == kind:
            yield name, artifact["properties"]


def _stack(assembly: Path) -> tuple[str, str]:
    """Return the name of the assembly's only stack and its template.

    Raises:
        DeploymentFailed: there is another number of stacks.
    """
    stacks = list(_artifacts(assembly, _STACK))
    if len(stacks) != 1:
        raise DeploymentFailed(f"{assembly} has {len(stacks)} stacks; one is expected")
    name, properties = stacks[0]
    return properties.get("stackName", name), (assembly / properties["templateFile"]).read_text()


def _assets(assembly: Path) -> Iterator[_Asset]:
    for _name, properties in _artifacts(assembly, _ASSETS):
        files = json.loads((assembly / properties["file"]).read_text())["files"]
        for asset in files.values():
            source = asset["source"]
            for target in asset["destinations"].values():
                yield _Asset(
                    assembly / source["path"],
                    source["packaging"],
                    target["bucketName"],
                    target["objectKey"],
                )


def _layer_keys(template: str) -> frozenset[str]:
    resources = json.loads(template)["Resources"].values()
    return frozenset(
        each["Properties"]["Content"]["S3Key"] for each in resources if each["Type"] == _LAYER
    )


def _upload(emulator: Emulator, asset: _Asset, *, linked: bool) -> None:
    store = emulator.client("s3")
    # Creating a bucket that is ours already is no error in us-east-1.
    store.create_bucket(Bucket=asset.bucket)
    if asset.packaging == "file":
        body = asset.source.read_bytes()
    elif linked:
        body = _link(asset.source)
    else:
        body = zip_folder(asset.source)
    store.put_object(Bucket=asset.bucket, Key=asset.key, Body=body)


def _link(layer: Path) -> bytes:
    """Return a layer that leads to the folder it was to be made of, instead of a copy.

    ministack unpacks the layer anew for every process of every function: 60 MB and 0.6 s each. Lambda
    mounts it once, and so does this: a `.pth` file in the layer's site directory puts the folder before
    everything else on the path.
    """
    line = f"import sys; sys.path.insert(0, {str(layer.resolve() / 'python')!r})\n"
    site = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{site}/layer.pth", _EPOCH), line)
    return buffer.getvalue()


def _template_argument(emulator: Emulator, name: str, template: str) -> Mapping[str, str]:
    if len(template.encode()) <= TEMPLATE_BODY_BYTES:
        return {"TemplateBody": template}
    bucket, key = f"templates-{emulator.account}-{emulator.region}", f"{name}.json"
    store = emulator.client("s3")
    store.create_bucket(Bucket=bucket)
    store.put_object(Bucket=bucket, Key=key, Body=template.encode())
    return {"TemplateURL": f"{emulator.endpoint}/{bucket}/{key}"}


def _pace(emulator: Emulator) -> None:
    functions = emulator.client("lambda")
    for page in functions.get_paginator("list_event_source_mappings").paginate():
        for mapping in page["EventSourceMappings"]:
            if ":sqs:" in mapping["EventSourceArn"]:
                functions.update_event_source_mapping(
                    UUID=mapping["UUID"],
                    ScalingConfig={"MaximumConcurrency": PROCESSES_A_QUEUE},
                )


def _reachable(emulator: Emulator, output: str) -> str:
    """Return an output, the URL of an HTTP API in the form that needs no name to be looked up."""
    api = _API_URL.fullmatch(output)
    if api is None:
        return output
    return f"{emulator.endpoint}/_aws/execute-api/{api['id']}/$default"


def _wait(cloud: Any, name: str, *, deadline: float) -> Mapping[str, Any]:
    """Return the description of the stack when it is complete; poll until `deadline` on the monotonic clock."""
    while True:
        stack: Mapping[str, Any] = cloud.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status == "CREATE_COMPLETE":
            return stack
        if status != "CREATE_IN_PROGRESS":
            raise DeploymentFailed(f"stack {name}: {status}\n{_causes(cloud, name)}")
        if time.monotonic() > deadline:
            raise DeploymentFailed(
                f"stack {name}: still {status} after {DEPLOY_DEADLINE_S:.0f} s\n{_causes(cloud, name)}"
            )
        time.sleep(_POLL_S)


def _causes(cloud: Any, name: str) -> str:
    """Return a line for each resource that failed by itself, in order of time."""
    events = cloud.describe_stack_events(StackName=name)["StackEvents"]
    lines = [
        f"{each['LogicalResourceId']} ({each['ResourceType']}): {each.get('ResourceStatusReason', '?')}"
        for each in reversed(events)
        if each["ResourceStatus"] in _FAILED
    ]
    return "\n".join(lines) or "(no resource failed)"
