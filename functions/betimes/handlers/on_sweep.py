"""on_sweep: one message per agenda shard; decides what is due in it."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from betimes import wiring
from betimes.flows.sweep import sweep
from betimes.handlers.batches import each_record, logger

WORLD = wiring.from_environment()
# Looks of one message; the rest of a shard goes on in a message of its own, so that no sweep meets its time limit.
LIMIT = 500


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sweep each shard named in the SQS batch and return the ids of messages that must be delivered again."""
    return each_record(event, EventType.SQS, _sweep, name="on_sweep")


def _sweep(record: SQSRecord) -> str:
    shard = int(json.loads(record.body)["shard"])
    swept = sweep(WORLD.stores, WORLD.policies, shard, now=WORLD.clock.now(), limit=LIMIT)
    logger.info(
        "swept",
        extra={
            "shard": shard,
            "looks": swept.looks,
            "decisions": dict(swept.decisions),
            "left": swept.left,
            "more": swept.more,
        },
    )
    if swept.more:
        WORLD.sweep_queue.send([json.dumps({"shard": shard})])
        return "more"
    return "done"
