"""Channel "webhook": a contact handed to a server of the lender, which sends it on its own ways.

The request's id is the contact's, on every attempt: a receiver that keeps ids takes no contact twice, whatever answer
was lost on the way. It is signed (`core.webhooks`) and goes to public addresses only (`adapters.guarded_https`).

Source: Standard Webhooks 1.0.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from betimes import __version__
from betimes.adapters.guarded_https import GuardedHttps, NoAnswer, NotSent, Status
from betimes.core import bounces, webhooks, zones
from betimes.ports import Accepted, Answer, Clock, Letter, Refused, Unknown

TYPE: Final = "contact.message"
# What a receiver that is up has to be able to take; a text of an inbox is shorter.
MAX_BODY: Final = 256 * 1024

# The secrets of a tenant, the newest first; none for a tenant that has no webhook.
Secrets = Callable[[str], Sequence[bytes]]


class Webhook:
    """The sender of channel "webhook" (`ports.Sender`); an address is an https address of the lender's."""

    def __init__(self, client: GuardedHttps, secrets: Secrets, clock: Clock) -> None:
        self._client = client
        self._secrets = secrets
        self._clock = clock

    def send(self, letter: Letter) -> Answer:
        """Make one request and return what its status says; see `ports.Sender`.

        Without any request it returns Refused "bad_address" for what `GuardedHttps` does not ask, "no_secret" for a
        tenant without one and "too_long" above 256 KB. A 2xx is Accepted, 410 ends the address, 429 waits, and so does
        a server that cannot be reached; 3xx and every other 4xx are Refused for good; a 5xx, or none in time, Unknown.
        """
        secrets = self._secrets(letter.tenant)
        if not secrets:
            return Refused("no_secret", may_retry=False)
        body = payload(letter, zones.to_text(self._clock.now()))
        if len(body) > MAX_BODY:
            return Refused("too_long", may_retry=False)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"betimes/{__version__}",
            **webhooks.headers(secrets, letter.contact_id, self._clock.now(), body),
        }
        try:
            return _answer(letter, self._client.post(letter.address, headers, body))
        except NotSent as why:
            code = bounces.BAD_ADDRESS if why.code == "bad_address" else why.code
            return Refused(code, may_retry=not why.for_good)
        except NoAnswer:
            return Unknown("no_answer")


def payload(letter: Letter, at: str) -> bytes:
    """Return the body of a request: JSON, in UTF-8, the same for the same letter and instant `at`."""
    text = letter.text
    document = {
        "type": TYPE,
        "timestamp": at,
        "data": {
            "contact_id": letter.contact_id,
            "attempt": letter.attempt,
            "tenant": letter.tenant,
            "locale": text.locale,
            "subject": text.subject,
            "text": text.body,
            "lives_s": letter.lives_s,
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(letter: Letter, status: Status) -> Answer:
    if 200 <= status.code < 300:
        return Accepted(letter.contact_id)
    if status.code == 410:
        return Refused(bounces.ENDPOINT_DISABLED, may_retry=False)
    if status.code == 429:
        return Refused(
            "http_429", may_retry=True, throttled=True, retry_after_s=status.retry_after_s
        )
    if 300 <= status.code < 500:
        return Refused(f"http_{status.code}", may_retry=False)
    return Unknown(f"http_{status.code}")
