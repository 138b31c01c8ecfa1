"""cdk-nag over the whole app, and how a finding is acknowledged: on the construct, with a reason, next to the cause."""

from __future__ import annotations

import aws_cdk as cdk
import cdk_nag
from constructs import IConstruct


def guard(app: cdk.App) -> None:
    """Make `app.synth()` raise RuntimeError for every AwsSolutions finding that nobody acknowledged.

    The findings are then in `validation-report.json` in the app's output folder. Offline; costs about a second.
    """
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct, rule: str, *, because: str) -> None:
    """Accept the finding `rule` (for example "SQS3", or "IAM5[Resource::*]") on `construct` and below it.

    `because` has to say why the rule's aim is met or does not apply; a test refuses reasons that are too short to
    do so.
    """
    cdk.Validations.of(construct).acknowledge(
        cdk.Acknowledgment(id=f"AwsSolutions-{rule}", reason=because)
    )
