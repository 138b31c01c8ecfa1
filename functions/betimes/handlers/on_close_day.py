"""on_close_day: once a day, due dates that a new calendar moves, ageing, and the completeness audit; the report goes to
the evidence bucket.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from betimes import wiring
from betimes.config import REPORTS
from betimes.core import zones
from betimes.core.pace import Gauge
from betimes.flows.close_day import close_day, foreseen, reroll_all
from betimes.flows.pacing import paced_by
from betimes.handlers.batches import count, logger

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Close the day, store the report, raise the alarm metric for undecided work, and return the counts."""
    now = WORLD.clock.now()
    shards = WORLD.settings.shards
    redated = reroll_all(WORLD.stores, WORLD.policies, shards=shards, now=now)
    closed = close_day(WORLD.stores.book, WORLD.policies, shards=shards, now=now)
    ahead = foreseen(closed, _gauges())
    # Signed again in time, nobody sees this; after its last day a treatment can be deployed no more.
    ending = WORLD.proofs_ending(now.date())
    report = {
        "at": zones.to_text(now),
        "obligations": closed.obligations,
        "buckets": dict(closed.buckets),
        "outstanding_minor": dict(closed.outstanding_minor),
        "aged": [asdict(aged) for aged in closed.aged],
        "promises": dict(closed.promises),
        "provisional": closed.provisional,
        "redated": [
            {**asdict(moved), "before": str(moved.before), "after": str(moved.after)}
            for moved in redated
        ],
        "missed_notices": closed.missed_notices,
        "undecided": closed.undecided,
        "stranded": closed.stranded,
        "broken": closed.broken,
        "stale_feeds": closed.stale_feeds,
        "forecast": {
            channel: {
                "planned": each.planned,
                "late": each.late,
                "late_from": zones.to_text(each.late_from) if each.late_from else "",
                "done_at": zones.to_text(each.done_at) if each.done_at else "",
                "longest_wait_s": each.longest_s,
            }
            for channel, each in ahead.items()
        },
        "proofs_ending": {name: str(last) for name, last in ending.items()},
    }
    name = f"{REPORTS}close-day/{zones.to_text(now)}.json"
    WORLD.evidence.put(name, json.dumps(report, sort_keys=True).encode(), "application/json")
    missing = len(closed.undecided) + len(closed.stranded) + len(closed.broken)
    count("Undecided", missing)
    count("StaleFeeds", len(closed.stale_feeds))
    count("ProofsEnding", len(ending))
    count("ForecastLate", sum(each.late for each in ahead.values()))
    logger.info(
        "on_close_day",
        extra={
            "obligations": closed.obligations,
            "undecided": missing,
            "stale_feeds": len(closed.stale_feeds),
        },
    )
    return {"report": name, "obligations": closed.obligations, "undecided": missing}


def _gauges() -> dict[str, Gauge | None]:
    """Return what is known of the pace of each channel's provider: what deliveries have kept of it."""
    limiter = WORLD.pacing.pace.limiter
    return {
        channel: limiter.gauge(paced_by(channel, provider))
        for channel, provider in WORLD.providers.items()
    }
