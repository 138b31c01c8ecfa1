"""Event source mappings: streams and queues to their functions, with partial failures, bounds and an end for poison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from betimes.outputs import title
from infra.catalogue import STREAMS, WORK_QUEUES, QueueSpec, StreamSpec
from infra.logical import pin
from infra.tables import Tables

PARTIAL: Final = "ReportBatchItemFailures"
_Mapping = lambda_.CfnEventSourceMapping


class Mappings(Construct):
    """One mapping for each stream of the catalogue, and for each of its work queues that a function empties.

    Written at the level of CloudFormation: the L2 event sources grant more than the roles allow.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.Function],
        tables: Tables,
        work: Mapping[str, sqs.Queue],
        failures: Mapping[str, sqs.Queue],
    ) -> None:
        super().__init__(scope, construct_id)
        for stream in STREAMS:
            self._stream(stream, functions, tables, failures[stream.table])
        for queue in WORK_QUEUES:
            if queue.function in functions:
                self._queue(queue, functions, work[queue.name])

    def _stream(
        self,
        spec: StreamSpec,
        functions: Mapping[str, lambda_.Function],
        tables: Tables,
        failures: sqs.Queue,
    ) -> None:
        mapping = _Mapping(
            self,
            f"{title(spec.table)}Stream",
            event_source_arn=tables.stream_arn(spec.table),
            function_name=functions[spec.function].function_name,
            # LATEST can miss records while the mapping is being made.
            starting_position="TRIM_HORIZON",
            batch_size=spec.batch,
            maximum_batching_window_in_seconds=spec.window_s,
            parallelization_factor=spec.parallel,
            function_response_types=[PARTIAL],
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=spec.retries,
            maximum_record_age_in_seconds=spec.max_age_s,
            destination_config=_Mapping.DestinationConfigProperty(
                on_failure=_Mapping.OnFailureProperty(destination=failures.queue_arn)
            ),
            filter_criteria=_Mapping.FilterCriteriaProperty(
                filters=[_Mapping.FilterProperty(pattern=pattern) for pattern in spec.patterns]
            ),
        )
        pin(mapping, f"{title(spec.table)}StreamMapping")

    def _queue(
        self,
        spec: QueueSpec,
        functions: Mapping[str, lambda_.Function],
        queue: sqs.Queue,
    ) -> None:
        mapping = _Mapping(
            self,
            f"{title(spec.name)}Queue",
            event_source_arn=queue.queue_arn,
            function_name=functions[spec.function].function_name,
            batch_size=spec.batch,
            function_response_types=[PARTIAL],
            scaling_config=_Mapping.ScalingConfigProperty(maximum_concurrency=spec.concurrency),
        )
        pin(mapping, f"{title(spec.name)}QueueMapping")
