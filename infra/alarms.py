"""Alarms: work that nobody did, work that waits too long, functions that fail, clocks that stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from betimes.config import METRICS_NAMESPACE
from betimes.outputs import title
from infra.catalogue import ON_CLOSE_DAY, ON_TICK, SCHEDULES, STREAMS
from infra.functions import SERVICE
from infra.logical import pin
from infra.settings import InfraSettings

# Due obligations without a decision, counted by `on_close_day`: the completeness promise, as a number that must be 0.
UNDECIDED_METRIC: Final = "Undecided"
# Lenders whose repayments are older than a treatment of theirs allows, counted by `on_close_day`: their demands wait.
STALE_FEEDS_METRIC: Final = "StaleFeeds"
PROOFS_ENDING_METRIC: Final = "ProofsEnding"
# What a delivery has to wait for longer than time alone mends, counted by `on_delivery`.
PROVIDER_PAUSED_METRIC: Final = "ProviderPaused"
BUDGET_SPENT_METRIC: Final = "BudgetSpent"
SPEND_WARNED_METRIC: Final = "SpendWarned"
ENDPOINT_OFF_METRIC: Final = "EndpointOff"
# Messages of the day ahead that cannot go in time, counted by `on_close_day`.
FORECAST_LATE_METRIC: Final = "ForecastLate"
# The dimension Powertools puts on every metric.
SERVICE_DIMENSION: Final = "service"

_MINUTE: Final = cdk.Duration.minutes(1)
_FIVE_MINUTES: Final = cdk.Duration.minutes(5)
# Older than this, work waits longer than a sweep and a retry explain.
QUEUE_AGE_S: Final = 900
STREAM_AGE_MS: Final = 300_000


class Alarms(Construct):
    """Every alarm tells `topic`; one mailbox may be subscribed by a setting."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        functions: Mapping[str, lambda_.Function],
        work: Mapping[str, sqs.Queue],
        last_stops: Mapping[str, sqs.Queue],
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        pin(self.topic, "AlarmTopic")
        if settings.alarm_address:
            subscription = sns.Subscription(
                self,
                "Mailbox",
                topic=self.topic,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=settings.alarm_address,
            )
            pin(subscription, "AlarmMailbox")
        self._counted(
            "UndecidedAlarm",
            UNDECIDED_METRIC,
            "An obligation came due and has no recorded decision; the report of that day names it.",
        )
        self._counted(
            "StaleFeedsAlarm",
            STALE_FEEDS_METRIC,
            "A lender's repayments are not fresh, so nobody is asked to pay; the report of that day names the lender.",
        )
        self._counted(
            "ProofsEndingAlarm",
            PROOFS_ENDING_METRIC,
            "The proof of a treatment ends within 60 days, after which nothing can be deployed: run 'betimes check "
            "--sign' and release. The report of that day names the treatments.",
        )
        self._counted(
            "ProviderPausedAlarm",
            PROVIDER_PAUSED_METRIC,
            "A provider takes nothing more: its quota of the day or its limit of money is used up, or it is closed. "
            "What is meant for it waits; ask the provider for more, or see which treatment sends so much.",
        )
        self._counted(
            "ForecastLateAlarm",
            FORECAST_LATE_METRIC,
            "More is planned for the day ahead than a provider can send while it is of use; the report of the day says "
            "on which channel and how much. Ask the provider for more, move a step, or give it another channel.",
        )
        self._counted(
            "BudgetSpentAlarm",
            BUDGET_SPENT_METRIC,
            "A tenant has spent what it may in a day on a channel (daily_limits): the rest waits for tomorrow.",
        )
        self._counted(
            "SpendWarnedAlarm",
            SPEND_WARNED_METRIC,
            "A tenant has spent four fifths of what it may in a day on a channel (daily_limits).",
        )
        self._counted(
            "EndpointOffAlarm",
            ENDPOINT_OFF_METRIC,
            "A lender's own server has failed for days, or said that it is gone: nothing is sent to it. GET "
            "/v1/TENANT/webhook says more; once it works, PUT /v1/TENANT/webhook/on.",
        )
        for name, queue in last_stops.items():
            self._last_stop(name, queue)
        for name, queue in work.items():
            self._waiting(name, queue)
        for name, function in functions.items():
            self._function(name, function)
        for stream in STREAMS:
            self._behind(stream.table, functions[stream.function])
        self._stopped(ON_TICK, functions[ON_TICK], _FIVE_MINUTES)
        self._stopped(ON_CLOSE_DAY, functions[ON_CLOSE_DAY], cdk.Duration.days(1))

    def _counted(self, logical_id: str, metric: str, says: str) -> None:
        self._alarm(
            logical_id,
            cloudwatch.Metric(
                namespace=METRICS_NAMESPACE,
                metric_name=metric,
                dimensions_map={SERVICE_DIMENSION: SERVICE},
                statistic="Maximum",
                period=_FIVE_MINUTES,
            ),
            threshold=1,
            says=says,
        )

    def _last_stop(self, name: str, queue: sqs.Queue) -> None:
        self._alarm(
            f"{name}Alarm",
            queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=_MINUTE
            ),
            threshold=1,
            says=f"Work was given up and waits in {name}; redriving it is harmless on any later day.",
        )

    def _waiting(self, name: str, queue: sqs.Queue) -> None:
        self._alarm(
            f"{title(name)}QueueAgeAlarm",
            queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_MINUTE),
            threshold=QUEUE_AGE_S,
            evaluations=3,
            says=f"Work in the queue {name} has waited for a quarter of an hour.",
        )

    def _function(self, name: str, function: lambda_.Function) -> None:
        self._alarm(
            f"{title(name)}ErrorsAlarm",
            function.metric_errors(period=_FIVE_MINUTES),
            threshold=1,
            says=f"{name} failed as a whole; single records that fail do not count here.",
        )
        self._alarm(
            f"{title(name)}ThrottlesAlarm",
            function.metric_throttles(period=_FIVE_MINUTES),
            threshold=1,
            evaluations=3,
            says=f"{name} is being throttled: the account's concurrency is spent.",
        )

    def _behind(self, table: str, function: lambda_.Function) -> None:
        self._alarm(
            f"{title(table)}StreamAgeAlarm",
            function.metric(
                "IteratorAge",
                statistic="Maximum",
                period=_MINUTE,
            ),
            threshold=STREAM_AGE_MS,
            evaluations=3,
            says=f"The reader of the stream of {table} is five minutes behind.",
        )

    def _stopped(self, name: str, function: lambda_.Function, period: cdk.Duration) -> None:
        assert any(spec.function == name for spec in SCHEDULES), f"{name} has no schedule"
        self._alarm(
            f"{title(name)}StoppedAlarm",
            function.metric_invocations(period=period),
            threshold=1,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.BREACHING,
            says=f"{name} has not been called for longer than its schedule allows.",
        )

    def _alarm(
        self,
        logical_id: str,
        metric: cloudwatch.Metric,
        *,
        threshold: int,
        says: str,
        evaluations: int = 1,
        comparison: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            logical_id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=evaluations,
            comparison_operator=comparison,
            treat_missing_data=missing,
            alarm_description=says,
        )
        pin(alarm, logical_id)
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_actions = [self.topic.topic_arn]
