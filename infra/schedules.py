"""Schedules: the tick and the close of the day, never one schedule a reminder.

A schedule a reminder would race with its own cancellation, could not be queried and could not be caught up after
an outage; the agenda index can.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from betimes.outputs import title
from infra.catalogue import SCHEDULES, ScheduleSpec
from infra.logical import pin
from infra.settings import InfraSettings


class Schedules(Construct):
    """`names` holds the schedules' names under those of the catalogue.

    What cannot be delivered, and what a function failed to do with a delivered one, ends in the schedules' failure
    queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        functions: Mapping[str, lambda_.Function],
        failures: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        role = self._role([functions[spec.function] for spec in SCHEDULES], failures)
        self.names: Mapping[str, str] = {
            spec.name: self._schedule(spec, functions[spec.function], role, failures)
            for spec in SCHEDULES
        }

    def _role(self, functions: list[lambda_.Function], failures: sqs.Queue) -> iam.Role:
        may = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="InvokeScheduledFunctions",
                    actions=["lambda:InvokeFunction"],
                    resources=[function.function_arn for function in functions],
                ),
                iam.PolicyStatement(
                    sid="KeepWhatCouldNotBeDelivered",
                    actions=["sqs:SendMessage"],
                    resources=[failures.queue_arn],
                ),
            ]
        )
        role = iam.Role(
            self,
            "Role",
            description="Betimes schedules",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self._settings.account}},
            ),
            inline_policies={"Access": may},
        )
        pin(role, "ScheduleRole")
        return role

    def _schedule(
        self,
        spec: ScheduleSpec,
        function: lambda_.Function,
        role: iam.Role,
        failures: sqs.Queue,
    ) -> str:
        name = f"betimes-{self._settings.stage}-{spec.name}"
        schedule = scheduler.CfnSchedule(
            self,
            title(spec.name),
            name=name,
            description=f"Betimes {spec.function}",
            schedule_expression=spec.expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=spec.retries,
                    maximum_event_age_in_seconds=spec.max_age_s,
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=failures.queue_arn
                ),
            ),
        )
        pin(schedule, f"{title(spec.name)}Schedule")
        # The scheduler invokes asynchronously, so a function that raises is Lambda's to retry, inside the same bounds.
        invoked = lambda_.CfnEventInvokeConfig(
            self,
            f"{title(spec.name)}Invocation",
            function_name=function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=min(spec.retries, 2),
            maximum_event_age_in_seconds=spec.max_age_s,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=failures.queue_arn
                )
            ),
        )
        pin(invoked, f"{title(spec.name)}Invocation")
        return name
