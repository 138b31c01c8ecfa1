"""What all batch handlers share: each record stands alone, failed ones go back to their source, one log line a batch.

Logs and metrics carry counts, reasons and ids; never an address, a name, an amount or a message body.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from betimes.config import METRICS_NAMESPACE, SettingMissing
from betimes.core.errors import Rejected, Stale, Unavailable, Uncertain

# Errors whose messages are ours and carry no personal data.
_OURS = (Rejected, Stale, Unavailable, Uncertain, AssertionError, SettingMissing)

logger = Logger(service="betimes")
metrics = Metrics(namespace=METRICS_NAMESPACE, service="betimes")


def each_record(
    event: Mapping[str, Any],
    kind: EventType,
    handle: Callable[[Any], str],
    *,
    name: str,
) -> dict[str, Any]:
    """Return the partial batch response after `handle` took each record and said in a word what it did.

    A record whose handling raises goes back to its source; the others stand. The exception's type is logged, and its
    message only where we wrote it: what a library says may quote the record.
    """
    tally: Counter[str] = Counter()
    failures: Counter[str] = Counter()

    def record_handler(record: Any) -> None:
        try:
            tally[handle(record)] += 1
        except Exception as error:
            # The one place where everything is caught: the record goes back to the batch.
            failures[type(error).__name__] += 1
            detail = str(error) if isinstance(error, _OURS) else ""
            logger.warning(
                "record failed",
                extra={"handler": name, "error": type(error).__name__, "detail": detail},
            )
            raise

    processor = BatchProcessor(event_type=kind, raise_on_entire_batch_failure=False)
    with processor(records=event["Records"], handler=record_handler):
        processor.process()
    logger.info(name, extra={"tally": dict(tally), "failures": dict(failures)})
    return dict(processor.response())


def count(name: str, value: float) -> None:
    """Emit one metric of the batch at once; the namespace is ours."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
