"""What reached people: every mail and SMS the emulator accepted, parsed from the bytes that were sent.

`host.py` keeps them, because ministack's own read-back drops headers and tags of a raw mail and the
time of an SMS. Nothing here asks our own tables, so it is evidence against them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any, Final

from betimes.adapters.ses import CONTACT_HEADER
from betimes.config import TAG_CONTACT
from betimes.local.emulator import Emulator
from betimes.local.host import LETTERS_PATH

EMAIL: Final = "email"
SMS: Final = "sms"
# Letters read back at most; a run that sends more has gone wrong.
MAX_LETTERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Delivered:
    """One accepted message.

    `contact_id` is that of the mail's header, else of its tags; "" for an SMS, which carries none.
    `at` is the instant of acceptance on the functions' clock (UTC, aware), shifted if theirs is.
    `provider_id` is what the provider answered; `tags`, `headers` and `html` ("" without one) are those of a mail.
    """

    channel: str
    contact_id: str
    to: str
    subject: str
    text: str
    at: datetime
    provider_id: str
    source: str = ""
    configuration_set: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    html: str = ""

    def header(self, name: str) -> str:
        """Return the value of a header, "" where the message has none of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def delivered(emulator: Emulator, *, after: int = 0) -> list[Delivered]:
    """Return all messages in order of acceptance, or those after the first `after`; may be empty.

    Raises:
        EmulatorFailed: the emulator does not answer.
    """
    offset = timedelta(seconds=emulator.clock_offset_s)
    return [_delivered(letter, offset) for letter in _letters(emulator, after)]


def _letters(emulator: Emulator, after: int) -> Iterator[Mapping[str, Any]]:
    while after < MAX_LETTERS:
        page = emulator.read(f"{LETTERS_PATH}?after={after}")
        if not page:
            return
        yield from page
        after += len(page)
    raise AssertionError(f"more than {MAX_LETTERS} messages were sent")


def _delivered(letter: Mapping[str, Any], offset: timedelta) -> Delivered:
    at = datetime.fromtimestamp(letter["at"], UTC) + offset
    (recipient,) = letter["to"]
    raw = base64.b64decode(letter["raw"])
    if letter["channel"] == SMS:
        return Delivered(SMS, "", recipient, "", raw.decode(), at, letter["id"])
    message = message_from_bytes(raw, policy=default)
    body, rich = message.get_body(("plain",)), message.get_body(("html",))
    tags: Mapping[str, str] = letter["tags"]
    return Delivered(
        channel=EMAIL,
        contact_id=str(message.get(CONTACT_HEADER, "")) or tags.get(TAG_CONTACT, ""),
        to=recipient,
        subject=str(message.get("Subject", "")),
        text=str(body.get_content()).replace("\r\n", "\n") if body is not None else "",
        at=at,
        provider_id=letter["id"],
        source=letter["source"],
        configuration_set=letter["configuration_set"],
        tags=tags,
        headers=tuple((name, str(value)) for name, value in message.items()),
        html=str(rich.get_content()) if rich is not None else "",
    )
