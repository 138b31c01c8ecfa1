"""What browsers and mail programs send to the hosted pages: requests of the HTTP API, and forms in their bodies.

Standard library only: the page starts while somebody waits. A form is small and flat; whatever is anything else is
refused before it is read.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import date, time
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from betimes.core.errors import Rejected
from betimes.core.preferences import Preferences
from betimes.core.values import dataclass

# The longest body in bytes, and the most fields in it.
MAX_BODY: Final = 4096
MAX_FIELDS: Final = 20
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
# What RFC 8058 puts into the body of a one-click request.
ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")

Form = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a page: its method, the token in its path, the language asked for ("" none), and its form."""

    method: str
    token: str
    language: str
    form: Form

    def value(self, name: str) -> str:
        """Return the first value of a field, "" where the form has none."""
        return self.form.get(name, ("",))[0]

    @property
    def is_one_click(self) -> bool:
        """Whether a mail program unsubscribes by itself, without anybody at a page (RFC 8058)."""
        name, value = ONE_CLICK
        return value in self.form.get(name, ())


def asked(event: Mapping[str, Any], prefix: str) -> Asked:
    """Return the request in an event of the HTTP API (payload 2.0); its path begins with `prefix`, such as "/l/".

    Raises:
        Rejected: code "unknown_route" for another path, "bad_request" for a body that is no small form.
    """
    path = str(event.get("rawPath", ""))
    token = path.removeprefix(prefix)
    if token == path or not token or "/" in token:
        raise Rejected("unknown_route", "", "there is nothing under this method and path")
    method = str(event["requestContext"]["http"]["method"]).upper()
    query = parse_qs(str(event.get("rawQueryString", ""))[:MAX_BODY])
    form: Form = {}
    if method == "POST":
        kind = next(
            (v for k, v in event.get("headers", {}).items() if k.lower() == "content-type"), ""
        )
        form = posted(_raw(event), kind)
    return Asked(method, unquote(token), query.get("lang", [""])[0], form)


def posted(body: bytes, kind: str) -> Form:
    """Return the fields of a form, url-encoded or multipart: mail programs send either.

    Raises:
        Rejected: code "bad_request".
    """
    wrong = Rejected("bad_request", "", "the body is not a small form")
    if len(body) > MAX_BODY:
        raise wrong
    media = kind.partition(";")[0].strip().lower()
    try:
        if media == _MULTIPART:
            return _parts(body, kind)
        if media in ("", _URLENCODED):
            found = parse_qs(
                body.decode(),
                keep_blank_values=True,
                strict_parsing=bool(body),
                max_num_fields=MAX_FIELDS,
            )
            return {name: tuple(values) for name, values in found.items()}
    except (ValueError, LookupError):
        raise wrong from None
    raise wrong


def _parts(body: bytes, kind: str) -> Form:
    """Return the text fields of a multipart form; a file among them is no field of ours."""
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise ValueError("no parts")
    found: dict[str, tuple[str, ...]] = {}
    for part in message.iter_parts():
        disposition = part["Content-Disposition"]
        name = disposition.params.get("name", "") if disposition is not None else ""
        payload = part.get_payload(decode=True)
        if name and isinstance(payload, bytes) and len(found) < MAX_FIELDS:
            found[name] = (*found.get(name, ()), payload.decode().strip("\r\n"))
    return found


def promised_day(request: Asked) -> date | None:
    """Return the day that a form names, None where it is none."""
    try:
        return date.fromisoformat(request.value("on"))
    except ValueError:
        return None


def preferences_in(request: Asked) -> Preferences:
    """Return the wishes in a form, not checked yet: of channels the first and the second choice.

    Raises:
        Rejected: code "bad_preferences", where a clock time is none.
    """
    chosen = (request.value("first"), request.value("second"))
    return Preferences(
        channels=tuple(each for each in chosen if each),
        quiet_from=_clock(request, "quiet_from"),
        quiet_until=_clock(request, "quiet_until"),
        language=request.value("language"),
        one_reminder=request.value("one_reminder") == "yes",
        digest=request.value("digest") == "yes",
    )


def _clock(request: Asked, name: str) -> time | None:
    text = request.value(name)
    if not text:
        return None
    try:
        at = time.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise Rejected("bad_preferences", name, "a time of day has the form 21:30")
    return at


def _raw(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("bad_request", "", "the body is said to be base64 and is none") from None
