"""The functions: one code asset and one layer for all, and a role, a log group and an environment for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from betimes.config import METRICS_NAMESPACE, Env
from betimes.outputs import title
from infra.bundling import Bundle, code_bundle, wheels_bundle
from infra.catalogue import FunctionSpec
from infra.logical import pin
from infra.nag import acknowledge
from infra.residency import open_ways
from infra.roles import Target, make_role
from infra.settings import InfraSettings

# The dimension `service` of every metric; the alarms ask for it.
SERVICE: Final = "betimes"
POWERTOOLS_SERVICE: Final = "POWERTOOLS_SERVICE_NAME"
POWERTOOLS_NAMESPACE: Final = "POWERTOOLS_METRICS_NAMESPACE"
POWERTOOLS_LOG_LEVEL: Final = "POWERTOOLS_LOG_LEVEL"
# Empty: `zoneinfo` then looks into the tzdata package of the lock only, never into the runtime image's own zones.
ZONES_PATH: Final = "PYTHONTZPATH"

_RETENTION: Final[Mapping[int, logs.RetentionDays]] = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    2192: logs.RetentionDays.SIX_YEARS,
    2557: logs.RetentionDays.SEVEN_YEARS,
    2922: logs.RetentionDays.EIGHT_YEARS,
    3288: logs.RetentionDays.NINE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


class Functions(Construct):
    """`by_name` holds the functions under their names of the catalogue.

    `specs` are those to make. `values` says what each name of `config.Env` stands for, `own_queues` which queue each
    function empties; a function is told only the names of its row.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        specs: Iterable[FunctionSpec],
        arns: Mapping[Target, str],
        values: Mapping[str, str],
        own_queues: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._own_queues = own_queues
        self._arns = arns
        self._values = values
        self._runtime = lambda_.Runtime(settings.runtime, lambda_.RuntimeFamily.PYTHON)
        self._code = _code(code_bundle(settings))
        self._layer = self._wheels()
        self.by_name: Mapping[str, lambda_.Function] = {
            spec.name: self._function(spec) for spec in specs
        }

    def _wheels(self) -> lambda_.LayerVersion:
        layer = lambda_.LayerVersion(
            self,
            "Wheels",
            code=_code(wheels_bundle(self._settings)),
            description="requirements/lambda.lock",
            compatible_runtimes=[self._runtime],
        )
        pin(layer, "WheelsLayer")
        return layer

    def _function(self, spec: FunctionSpec) -> lambda_.Function:
        scope = Construct(self, title(spec.name))
        log = self._log_group(scope, spec)
        role = make_role(
            scope,
            spec.name,
            ways=open_ways(self._settings),
            arns=self._arns,
            log_group_arn=log.log_group_arn,
            region=self._settings.region,
        )
        function = lambda_.Function(
            scope,
            "Function",
            function_name=self._name(spec),
            description=f"Betimes {spec.name}",
            runtime=self._runtime,
            architecture=_ARCHITECTURES[self._settings.architecture],
            code=self._code,
            layers=[self._layer],
            handler=spec.handler,
            role=role,
            memory_size=spec.memory_mb,
            timeout=cdk.Duration.seconds(spec.timeout_s),
            log_group=log,
            environment=self._environment(spec),
        )
        pin(function, f"{title(spec.name)}Function")
        acknowledge(
            function,
            "L1",
            because="The runtime is a setting: it follows the Python that wheels were locked and tests were run for.",
        )
        return function

    def _log_group(self, scope: Construct, spec: FunctionSpec) -> logs.LogGroup:
        group = logs.LogGroup(
            scope,
            "Log",
            log_group_name=f"/aws/lambda/{self._name(spec)}",
            retention=_RETENTION[self._settings.log_retention_days],
            # Logs hold ids and reasons that the ledger holds too, so they may go with the stack.
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        pin(group, f"{title(spec.name)}Log")
        return group

    def _environment(self, spec: FunctionSpec) -> dict[str, str]:
        settings = self._settings
        environment = {
            Env.STAGE: settings.stage,
            POWERTOOLS_SERVICE: SERVICE,
            POWERTOOLS_NAMESPACE: METRICS_NAMESPACE,
            POWERTOOLS_LOG_LEVEL: settings.log_level,
            ZONES_PATH: "",
            **{name: self._value(spec, name) for name in spec.environment},
        }
        # The settings refuse an offset outside the local stage; elsewhere the variable does not even exist.
        if settings.is_local and settings.clock_offset_s:
            environment[Env.CLOCK_OFFSET] = str(settings.clock_offset_s)
        return environment

    def _value(self, spec: FunctionSpec, name: str) -> str:
        return self._own_queues[spec.name] if name == Env.OWN_QUEUE else self._values[name]

    def _name(self, spec: FunctionSpec) -> str:
        return f"betimes-{self._settings.stage}-{spec.name}"


_ARCHITECTURES: Final = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}


def _code(bundle: Bundle) -> lambda_.Code:
    """Return the asset of a bundle; its hash is the bundle's, so bytecode that differs in a bit does not redeploy."""
    return lambda_.Code.from_asset(
        str(bundle.path),
        asset_hash=bundle.digest,
        asset_hash_type=cdk.AssetHashType.CUSTOM,
    )
