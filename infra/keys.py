"""The data key: one KMS key for the three tables, the two buckets of data and the feedback that names recipients.

Functions may use it only through the service that holds the data (`kms:ViaService` in their roles), so that no
function can decrypt a blob by itself. Services that deliver into an encrypted topic or queue on our behalf stand
in its policy.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.catalogue import reports_by_topic
from infra.logical import pin
from infra.residency import open_ways
from infra.settings import InfraSettings

# Providers of AWS publish events to the feedback topic; Amazon SNS puts them into the feedback queue. Without such a
# provider, nothing is delivered into anything encrypted.
QUEUES = "queues"
DELIVERING_SERVICES = {
    "ses": "ses.amazonaws.com",
    "eum": "sms-voice.amazonaws.com",
    QUEUES: "sns.amazonaws.com",
}


class DataKey(Construct):
    """A rotating symmetric key; it outlives the stack everywhere but in the local stage."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: InfraSettings) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Betimes {settings.stage}: tables, buckets and feedback",
            enable_key_rotation=True,
            removal_policy=removal(settings),
        )
        pin(self.key, "DataKey")
        ways = open_ways(settings)
        if not reports_by_topic(ways):
            return
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="DeliverIntoEncryptedTopicAndQueue",
                principals=[
                    iam.ServicePrincipal(name)
                    for provider, name in DELIVERING_SERVICES.items()
                    if provider in (*ways.values(), QUEUES)
                ],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                # In a key policy "*" is the key itself.
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": settings.account}},
            )
        )


def removal(settings: InfraSettings) -> cdk.RemovalPolicy:
    """Return what happens to things that hold data when the stack goes: kept, but in the local stage deleted."""
    return cdk.RemovalPolicy.DESTROY if settings.is_local else cdk.RemovalPolicy.RETAIN
