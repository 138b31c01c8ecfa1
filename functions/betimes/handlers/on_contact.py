"""on_contact: contacts offered to their channel become hints on the contacts topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betimes import wiring
from betimes.adapters.fanout import Notice
from betimes.config import CHANNEL_ATTRIBUTE, PARTITION_KEY, TENANT_ATTRIBUTE
from betimes.handlers.batches import logger
from betimes.wire import hints

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish a hint for each contact in the stream batch and return the records that must be delivered again.

    The image is used for routing only; what is sent, and whether, is decided again from the tables.
    """
    records = event["Records"]
    failed = WORLD.fanout.publish([_notice(record) for record in records])
    logger.info("on_contact", extra={"contacts": len(records), "failed": len(failed)})
    return {
        "batchItemFailures": [
            {"itemIdentifier": records[n]["dynamodb"]["SequenceNumber"]} for n in failed
        ]
    }


def _notice(record: Mapping[str, Any]) -> Notice:
    image = record["dynamodb"]["NewImage"]
    return Notice(
        channel=image[CHANNEL_ATTRIBUTE]["S"],
        tenant=image[TENANT_ATTRIBUTE]["S"],
        body=hints.encode(image[PARTITION_KEY]["S"]),
    )
