"""The hint that wakes a channel: the id of a contact, and nothing that is believed.

Standard library only: the delivery functions read it while they start.
"""

from __future__ import annotations

import json
from typing import Final

from betimes.core.errors import Rejected

_FIELD: Final = "contact_id"


def encode(contact_id: str) -> str:
    """Return the hint for a contact as JSON; it holds no personal data.

    Raises:
        AssertionError: the id is empty.
    """
    assert contact_id, "a hint names a contact"
    return json.dumps({_FIELD: contact_id}, separators=(",", ":"))


def decode(body: str) -> str:
    """Return the contact id in a hint.

    Raises:
        Rejected: code "bad_hint", when `body` is not JSON, has unknown fields, or names no contact.
    """
    try:
        fields = json.loads(body)
    except ValueError:
        raise Rejected("bad_hint", "", "the hint is not JSON") from None
    if not isinstance(fields, dict):
        raise Rejected("bad_hint", "", "the hint is not an object")
    if set(fields) - {_FIELD}:
        # The names are not repeated: they may be anybody's data.
        raise Rejected("bad_hint", "", f"the hint has fields other than {_FIELD}")
    contact_id = fields.get(_FIELD)
    if not isinstance(contact_id, str) or not contact_id:
        raise Rejected("bad_hint", _FIELD, f"{_FIELD} must be a text that is not empty")
    return contact_id
