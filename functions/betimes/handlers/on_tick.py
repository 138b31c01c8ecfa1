"""on_tick: every minute, one message for each shard of the agenda onto the sweep queue."""

from __future__ import annotations

import json
from typing import Any

from betimes import wiring
from betimes.handlers.batches import logger

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Ask for a sweep of every shard and return how many were asked for.

    The event is not read: a tick says "now", and what is due is found by the clock.
    """
    shards = range(WORLD.settings.shards)
    WORLD.sweep_queue.send([json.dumps({"shard": shard}) for shard in shards])
    logger.info("on_tick", extra={"shards": len(shards)})
    return {"shards": len(shards)}
