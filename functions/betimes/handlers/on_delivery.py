"""on_delivery: one channel's queue; each message names a contact, which is decided again, claimed and sent once.

One function per channel runs this module, so that each has no more rights than its channel needs.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from betimes import wiring
from betimes.core.errors import Unavailable
from betimes.flows.dispatch import Dispatched
from betimes.handlers.batches import each_record
from betimes.wire import hints

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Deliver each contact in the SQS batch and return the ids of messages that must be delivered again."""
    return each_record(event, EventType.SQS, _deliver, name="on_delivery")


def _deliver(record: SQSRecord) -> str:
    contact_id = hints.decode(record.body)
    done = WORLD.dispatch.deliver(contact_id)
    if done is Dispatched.CONTESTED:
        raise Unavailable(f"contact {contact_id} is contested; deliver it again")
    return done
