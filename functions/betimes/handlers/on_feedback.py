"""on_feedback: what providers report, folded into contacts and contact points."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from betimes import wiring
from betimes.flows.billing import settle
from betimes.flows.feedback import hear
from betimes.handlers.batches import each_record
from betimes.wire import reports

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Fold each report in the SQS batch and return the ids of messages that must be delivered again."""
    return each_record(event, EventType.SQS, _hear, name="on_feedback")


def _hear(record: SQSRecord) -> str:
    reported = reports.parse(record.body)
    if reported is None:
        return "ignored"
    heard = hear(WORLD.stores, reported)
    settle(WORLD.stores, WORLD.pacing.spend, reported)
    return heard
