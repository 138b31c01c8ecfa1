"""on_delivery: one channel's queue; each message names a contact, which is decided again, claimed and sent once.

One function per channel runs this module, so that each has no more rights than its channel needs.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from betimes import wiring
from betimes.core.errors import Unavailable
from betimes.core.values import replace
from betimes.flows.dispatch import Dispatched, Later
from betimes.handlers.batches import count, each_record
from betimes.wire import hints

# What operations are told of a wait, as a metric with an alarm.
METRICS = {
    "spend_warned": "SpendWarned",
    "budget": "BudgetSpent",
    "daily_quota": "ProviderPaused",
    "spend_limit": "ProviderPaused",
    "closed": "ProviderPaused",
    "endpoint_off": "EndpointOff",
}

WORLD = wiring.from_environment()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Deliver each contact in the SQS batch and return the ids of messages that must be delivered again."""
    return each_record(event, EventType.SQS, _deliver, name="on_delivery")


def _deliver(record: SQSRecord) -> str:
    contact_id = hints.decode(record.body)
    done = replace(WORLD.dispatch, notice=_notice).deliver(contact_id)
    if isinstance(done, Later):
        # A new message, since one that comes back by itself spends one of its deliveries.
        WORLD.own_queue.send([hints.encode(contact_id)], delay_s=WORLD.seconds_until(done.until))
        return f"later_{done.why}"
    if done is Dispatched.CONTESTED:
        raise Unavailable(f"contact {contact_id} is contested; deliver it again")
    return done


def _notice(what: str) -> None:
    count(METRICS[what], 1)
