"""The hosted pages behind the links of our messages: open to whoever holds a link, since a borrower signs in nowhere.

What a link may do stands in its token, signed with a key that only this stack's functions can read; the API's throttle
bounds how fast tokens can be tried.
"""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import SecretValue
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from betimes.config import LINKS, LOCAL_LINK_KEY
from infra.keys import removal
from infra.logical import pin
from infra.nag import acknowledge
from infra.settings import InfraSettings

# Letters and figures: 64 of them hold more than 256 bits.
KEY_LENGTH: Final = 64
PATH: Final = f"{LINKS}{{token}}"
# Requests a second for each method, over everybody who opens a link.
RATE: Final = 50
BURST: Final = 100
METHODS: Final = (
    apigateway.HttpMethod.GET,
    apigateway.HttpMethod.HEAD,
    apigateway.HttpMethod.POST,
)


class LinkKeys(Construct):
    """`secret` holds the keys of links as `betimes.adapters.link_keys` reads them; its first key is
    made by AWS, and nobody has seen it, but for the local stage.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: InfraSettings, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = secrets.Secret(
            self,
            "Keys",
            description=f"Betimes {settings.stage}: keys of action links and message codes",
            encryption_key=key,
            generate_secret_string=None if settings.is_local else _made_by_aws(),
            secret_string_value=_known_to_all() if settings.is_local else None,
            removal_policy=removal(settings),
        )
        pin(self.secret, "LinkKeys")
        acknowledge(
            self.secret,
            "SMG4",
            because="Links live for a year, so a key outlives its successor: a person adds one, none is replaced.",
        )


def _made_by_aws() -> secrets.SecretStringGenerator:
    return secrets.SecretStringGenerator(
        secret_string_template=json.dumps({"current": "1"}),
        generate_string_key="1",
        password_length=KEY_LENGTH,
        exclude_punctuation=True,
    )


def _known_to_all() -> SecretValue:
    """Return the local stage's key, which the lab signs with too: what both write is compared."""
    return SecretValue.unsafe_plain_text(json.dumps({"current": "1", "1": LOCAL_LINK_KEY}))


class Page(Construct):
    """The routes `/l/{token}` of an API, answered by `function` without a signature of AWS."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.HttpApi,
        stage: apigateway.CfnStage,
        function: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        routes = api.add_routes(
            path=PATH,
            methods=list(METHODS),
            integration=integrations.HttpLambdaIntegration("OnPage", function),
            authorizer=apigateway.HttpNoneAuthorizer(),
        )
        # Whoever tries tokens uses up this bound, and not what lenders' own requests have.
        stage.route_settings = {
            f"{method.value} {PATH}": {"ThrottlingRateLimit": RATE, "ThrottlingBurstLimit": BURST}
            for method in METHODS
        }
        for route in routes:
            resource = route.node.default_child
            assert isinstance(resource, apigateway.CfnRoute)
            stage.add_dependency(resource)
            acknowledge(
                route,
                "APIG4",
                because="A borrower opens it from a message and signs in nowhere; the signed token is what is checked.",
            )
