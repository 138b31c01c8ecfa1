"""Which provider a report is from, told by its form: one queue may hold those of several."""

from __future__ import annotations

from typing import Any

from betimes.core.feedback import ProviderEvent
from betimes.wire import end_user_messaging_events, ses_events, sim_events
from betimes.wire.envelopes import json_object, message_of


def parse(body: str) -> ProviderEvent | None:
    """Return what one message of a feedback queue says, or None for one that is not about a contact of ours.

    An event of End User Messaging carries its version, one of the simulator its provider; all else is read as SES's.

    Raises:
        Rejected: code "bad_event", it is not JSON or of no known form; the message repeats nothing of the payload.
    """
    fields = _inner(json_object(body))
    if "provider" in fields:
        return sim_events.parse(body)
    if "eventVersion" in fields and "mail" not in fields:
        return end_user_messaging_events.parse(body)
    return ses_events.parse(body)


def _inner(fields: dict[str, Any]) -> dict[str, Any]:
    inside = message_of(fields)
    if inside is None or not inside.lstrip().startswith("{"):
        return fields
    return json_object(inside)
