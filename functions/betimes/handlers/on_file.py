"""on_file: a tape's manifest was dropped into the bucket, or a tape goes on where the last message stopped."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from betimes import wiring
from betimes.flows.load import DONE, Progress, begin, load
from betimes.handlers.batches import each_record, logger
from betimes.tapes import ResultsInBucket, TapeInBucket, tape_in

WORLD = wiring.from_environment()
# A chunk takes seconds; what is not begun by then goes on in a message of its own.
ENOUGH_MS = 30_000
PROGRESS = "progress.json"


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Load the tapes in the SQS batch as far as time allows and return the messages to be delivered again."""

    def load_record(record: SQSRecord) -> str:
        words = [_take_up(progress, context) for progress in _read(record.body)]
        return ",".join(words) or "ignored"

    return each_record(event, EventType.SQS, load_record, name="on_file")


def _read(body: str) -> list[Progress]:
    """Return where to go on: a continuation of ours, or the beginning of each tape that S3 announces."""
    message = json.loads(body)
    if "Records" not in message:
        return [] if message.get("Event") == "s3:TestEvent" else [Progress.from_json(body)]
    found = []
    for record in message["Records"]:
        name = tape_in(unquote_plus(record["s3"]["object"]["key"]))
        found.append(begin(TapeInBucket(WORLD.files, name), ResultsInBucket(WORLD.files, name)))
    return found


def _take_up(progress: Progress, context: LambdaContext) -> str:
    """Go on from `progress`, unless another delivery of the same message has got further already.

    Without this a message that came twice would go on twice, and each of the two could double again.
    """
    results = ResultsInBucket(WORLD.files, progress.tape)
    if progress.stage == DONE:
        return "refused"
    if progress == Progress(progress.tape, notices=progress.notices):
        results.put(PROGRESS, progress.to_json().encode())
    elif progress.is_behind(Progress.from_json(results.get(PROGRESS).decode())):
        return "overtaken"
    return _go_on(progress, results, context)


def _go_on(progress: Progress, results: ResultsInBucket, context: LambdaContext) -> str:
    progress = load(
        WORLD.intake,
        TapeInBucket(WORLD.files, progress.tape),
        results,
        progress,
        clock=WORLD.clock,
        enough=lambda: context.get_remaining_time_in_millis() < ENOUGH_MS,
    )
    logger.info(
        "loaded", extra={"tape": progress.tape, "stage": progress.stage, "row": progress.row}
    )
    results.put(PROGRESS, progress.to_json().encode())
    if progress.stage == DONE:
        return "loaded"
    WORLD.files_queue.send([progress.to_json()])
    return "goes_on"
