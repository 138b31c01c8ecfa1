"""The HTTP API: every route needs an IAM signature, is throttled and leaves a line in the access log."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.logical import pin
from infra.settings import InfraSettings

# Requests a second over all callers: a bound on cost and on concurrent functions, not a promise.
RATE: Final = 200
BURST: Final = 400

# No caller address and no query: who called is the principal, what for is in the ledger.
_ACCESS_LINE: Final = {
    "request_id": "$context.requestId",
    "at": "$context.requestTime",
    "principal": "$context.identity.userArn",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "error": "$context.error.message",
}


class Api(Construct):
    """`endpoint` is the base URL and `stage` where it is served; what `http` has no other route for is `on_request`'s,
    which answers 404 to the rest.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        function: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        api = apigateway.HttpApi(
            self,
            "Http",
            api_name=f"betimes-{settings.stage}",
            description="Betimes intake and questions",
            create_default_stage=False,
            default_authorizer=authorizers.HttpIamAuthorizer(),
        )
        pin(api, "HttpApi")
        api.add_routes(
            path="/{proxy+}",
            methods=[apigateway.HttpMethod.ANY],
            integration=integrations.HttpLambdaIntegration("OnRequest", function),
        )
        self.stage = self._stage(api, self._access_log(settings))
        self.http = api
        self.endpoint = api.api_endpoint

    def _access_log(self, settings: InfraSettings) -> logs.CfnLogGroup:
        group = logs.CfnLogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/vendedlogs/betimes-{settings.stage}-http-api",
            retention_in_days=settings.log_retention_days,
        )
        group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        pin(group, "HttpApiLog")
        return group

    def _stage(self, api: apigateway.HttpApi, log: logs.CfnLogGroup) -> apigateway.CfnStage:
        stage = apigateway.CfnStage(
            self,
            "Stage",
            api_id=api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.attr_arn, format=json.dumps(_ACCESS_LINE)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE, throttling_burst_limit=BURST
            ),
        )
        pin(stage, "HttpApiStage")
        return stage
