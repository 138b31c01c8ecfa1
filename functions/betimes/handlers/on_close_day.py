"""on_close_day: once a day, ageing and the completeness audit; the report goes to the evidence bucket."""

from __future__ import annotations

import json
from typing import Any

from betimes import wiring
from betimes.config import REPORTS
from betimes.core import zones
from betimes.flows.close_day import close_day
from betimes.handlers.batches import count, logger

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Close the day, store the report, raise the alarm metric for undecided work, and return the counts."""
    now = WORLD.clock.now()
    closed = close_day(WORLD.stores.book, WORLD.policies, shards=WORLD.settings.shards, now=now)
    report = {
        "at": zones.to_text(now),
        "obligations": closed.obligations,
        "buckets": dict(closed.buckets),
        "outstanding_minor": dict(closed.outstanding_minor),
        "undecided": closed.undecided,
        "stranded": closed.stranded,
    }
    name = f"{REPORTS}close-day/{zones.to_text(now)}.json"
    WORLD.evidence.put(name, json.dumps(report, sort_keys=True).encode(), "application/json")
    missing = len(closed.undecided) + len(closed.stranded)
    count("Undecided", missing)
    logger.info("on_close_day", extra={"obligations": closed.obligations, "undecided": missing})
    return {"report": name, "obligations": closed.obligations, "undecided": missing}
