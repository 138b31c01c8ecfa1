"""on_ledger: new ledger records are checked and sealed into the next segment of the chain."""

from __future__ import annotations

from typing import Any

from betimes import wiring
from betimes.adapters.items import record_from
from betimes.core.errors import Stale, Unavailable
from betimes.flows.seal import seal
from betimes.handlers.batches import logger

WORLD = wiring.from_environment()
MAX_TRIES = 5


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Seal the stream batch as one segment; a batch that comes twice is sealed twice, which proves nothing less.

    Raises:
        Unavailable: other writers kept taking the next number; the stream delivers the batch again.
    """
    records = [record_from(entry["dynamodb"]["NewImage"]) for entry in event["Records"]]
    for _ in range(MAX_TRIES):
        number, prev = WORLD.segments.last()
        segment = seal(records, number=number + 1, prev=prev, now=WORLD.clock.now())
        try:
            WORLD.segments.append(segment)
        except Stale:
            continue
        logger.info("on_ledger", extra={"segment": segment.number, "records": len(records)})
        return {"batchItemFailures": []}
    raise Unavailable("other writers kept taking the next segment")
