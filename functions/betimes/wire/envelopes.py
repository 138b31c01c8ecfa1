"""What a report of a provider comes in: SNS's envelope or none, and the one error for what nobody understands.

No error repeats what was in the payload, since it holds addresses and numbers.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from betimes.core.errors import Rejected


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        Rejected: code "bad_event", the text is something else.
    """
    try:
        fields = json.loads(text)
    # Also one that is nested deeper than the interpreter's stack.
    except (ValueError, RecursionError):
        raise Rejected("bad_event", "", "the message is not JSON") from None
    if not isinstance(fields, dict):
        raise Rejected("bad_event", "", "the message is not an object")
    return fields


def message_of(fields: dict[str, Any]) -> str | None:
    """Return the text inside SNS's envelope, None where the subscription delivers raw messages and there is none."""
    message = fields.get("Message")
    return message if isinstance(message, str) else None


def bad_event(error: ValidationError) -> Rejected:
    """Return the rejection for the first thing that is wrong with an event: code "bad_event", its place and kind."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return Rejected("bad_event", place, f"{place or 'event'}: {first['type']}")


def attempt_of(text: str, place: str) -> int:
    """Return the number of an attempt that a provider echoes as text.

    Raises:
        Rejected: code "bad_event", `place` does not hold a number.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Rejected("bad_event", place, f"{place} is not a number")
    return int(text)
