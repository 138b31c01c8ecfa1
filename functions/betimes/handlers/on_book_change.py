"""on_book_change: facts about a borrower changed; their looks are set anew and what is unsent and paid is cancelled."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from betimes import wiring
from betimes.adapters.keys import borrower_of
from betimes.config import PARTITION_KEY
from betimes.flows.replan import replan
from betimes.handlers.batches import each_record

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Replan each borrower in the stream batch and return the first record that must be delivered again.

    All records of the batch are older than this call, so one look at a borrower serves every record about them.
    """
    seen: set[tuple[str, str]] = set()

    def replan_record(record: DynamoDBRecord) -> str:
        assert record.dynamodb is not None and record.dynamodb.keys is not None
        key = borrower_of(record.dynamodb.keys[PARTITION_KEY])
        if key in seen:
            return "same_borrower"
        moved = replan(WORLD.stores, WORLD.policies, *key, now=WORLD.clock.now())
        seen.add(key)
        return "moved" if moved else "in_place"

    return each_record(event, EventType.DynamoDBStreams, replan_record, name="on_book_change")
