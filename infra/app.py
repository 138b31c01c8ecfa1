"""The CDK app. `cdk synth` runs it through cdk.json; `python -m infra.app` writes the same without the CLI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import aws_cdk as cdk

from infra import proved, residency
from infra.bundling import BundlingError
from infra.nag import guard
from infra.settings import InfraSettings, cli_defaults
from infra.stack import BetimesStack, stack_name

# Where the CDK CLI, or whoever starts the app, wants the assembly; and where it goes otherwise.
OUTDIR_VARIABLE: Final = "CDK_OUTDIR"
OUTDIR: Final = "cdk.out"

# Behaviour of CDK that newer projects get by default. Here and not in cdk.json, so that both ways of running the
# app give the same template.
FLAGS: Final[dict[str, object]] = {
    # Access logs are allowed by a bucket policy: access control lists are switched off on our buckets.
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-s3:createDefaultLoggingPolicy": True,
    # One statement a line of the table in roles.py: merging would hide which is which.
    "@aws-cdk/aws-iam:minimizePolicies": False,
    "@aws-cdk/core:enablePartitionLiterals": True,
}


def build(settings: InfraSettings, outdir: Path | str | None = None) -> cdk.App:
    """Return the app of `settings`, not yet synthesized; `outdir` is where `synth()` will write.

    Raises:
        BundlingError: the wheels of a bundle could not be had.
        ResidencyError: a stack would hold data of borrowers where they may not live.
        UnprovedError: the policies are not those that were proved.
    """
    proved.check(settings.treatment, licence=settings.licence, serves=settings.jurisdictions)
    app = cdk.App(
        outdir=str(outdir) if outdir is not None else None,
        context=FLAGS,
        analytics_reporting=False,
        auto_synth=False,
        tree_metadata=False,
    )
    BetimesStack(app, settings)
    return app


def _tell(app: cdk.App, settings: InfraSettings) -> None:
    """Say whose borrowers' data this region keeps out, where it was left to the region."""
    stack = app.node.find_child(stack_name(settings))
    assert isinstance(stack, BetimesStack)
    said = "" if settings.jurisdictions else residency.told(stack.served, residency.read())
    if said:
        print(f"infra: {said}", file=sys.stderr)
    for channel, because in residency.closed_channels(settings.region, settings.ways).items():
        what = f"the channel {channel} is closed: {because}; what is meant for it waits in its queue for a gateway"
        print(f"infra: {what}", file=sys.stderr)


def main() -> int:
    """Synthesize what the CDK context asks for, guarded by cdk-nag unless local; return 0, or 2 with a message."""
    outdir = os.environ.get(OUTDIR_VARIABLE)
    try:
        # An app of its own to read the context with: settings come before anything is built.
        reader = cdk.App(analytics_reporting=False, auto_synth=False, tree_metadata=False)
        settings = InfraSettings.from_context(reader.node, cli_defaults(os.environ))
        app = build(settings, outdir or OUTDIR)
    except (ValueError, BundlingError) as problem:
        print(f"infra: {problem}", file=sys.stderr)
        return 2
    _tell(app, settings)
    if not settings.is_local:
        guard(app)
    assembly = app.synth()
    if not outdir:
        print(f"written to {assembly.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
