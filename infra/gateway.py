"""What a provider's HTTP interface needs: the secret of the lender's account there, filled in by a person."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from infra.keys import removal
from infra.logical import pin
from infra.nag import acknowledge
from infra.settings import InfraSettings


class GatewaySecret(Construct):
    """`secret` is made with a text that no provider takes: until a person puts the account's own there, the provider
    refuses every message, and none is sent.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: InfraSettings, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = secrets.Secret(
            self,
            "Secret",
            description=f"Betimes {settings.stage}: the secret of the account at {settings.ways['sms']}",
            encryption_key=key,
            removal_policy=removal(settings),
        )
        pin(self.secret, "GatewayKey")
        acknowledge(
            self.secret,
            "SMG4",
            because="The provider issues it and takes it back: a person changes it there and here.",
        )
