"""on_sweep: one message per agenda shard; decides what is due in it.

A shard with more due than one message may look at goes on in a further message, which starts behind what was done.
Every tick begins such a chain of its own at the oldest row: after an outage several chains meet at the same rows, and
the conditions of each write let one of them win. That costs reads, and decides nothing twice.
"""

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
# Names of broken obligations in one line of the log.
MAX_NAMED = 20


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sweep each shard named in the SQS batch and return the ids of messages that must be delivered again."""
    return each_record(event, EventType.SQS, _sweep, name="on_sweep")


def _sweep(record: SQSRecord) -> str:
    message = json.loads(record.body)
    shard, after = int(message["shard"]), str(message.get("after", ""))
    swept = sweep(
        WORLD.stores, WORLD.policies, shard, now=WORLD.clock.now(), limit=LIMIT, after=after
    )
    logger.info(
        "swept",
        extra={
            "shard": shard,
            "looks": swept.looks,
            "decisions": dict(swept.decisions),
            "left": swept.left,
            "broken": len(swept.broken),
            "more": swept.more,
        },
    )
    if swept.more:
        WORLD.sweep_queue.send([json.dumps({"shard": shard, "after": swept.after})])
    # Only now: the message is delivered again for what is broken in it, and ends where a person is called.
    if swept.broken:
        names = ", ".join(swept.broken[:MAX_NAMED])
        raise AssertionError(f"{len(swept.broken)} could not be looked at: {names}")
    return "more" if swept.more else "done"
