"""What webhooks need: where each tenant's own server is, and what its requests are signed with.

A person fills it in.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from infra.keys import removal
from infra.logical import pin
from infra.nag import acknowledge
from infra.settings import InfraSettings


class Webhooks(Construct):
    """`secret` is made without servers: until a person puts one there, every tenant has none, and what would go to it
    takes the step's next channel.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: InfraSettings, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = secrets.Secret(
            self,
            "Secret",
            description=f"Betimes {settings.stage}: the tenants' own servers and their signing secrets",
            encryption_key=key,
            # No secret yet: an object without tenants.
            secret_string_value=cdk.SecretValue.unsafe_plain_text("{}"),
            removal_policy=removal(settings),
        )
        pin(self.secret, "Webhooks")
        acknowledge(
            self.secret,
            "SMG4",
            because="Both sides have to change a signing secret: a person adds the new one here and there.",
        )
