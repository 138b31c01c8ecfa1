"""Channel "webhook": a contact handed to a server of the lender, which sends it on its own ways.

The request's id is the contact's, on every attempt: a receiver that keeps ids takes no contact twice, whatever answer
was lost on the way. It is signed (`core.webhooks`) and goes to public addresses only (`adapters.guarded_https`).

Where each tenant's server is, and what its requests are signed with, stands in one secret, a JSON object:

    {"acme": {"url": "https://hooks.acme.example/betimes", "secrets": ["whsec_…"]}}

The newest of the secrets stands first; all of them sign, so that one can be changed without a gap.

Source: Standard Webhooks 1.0.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from betimes import __version__
from betimes.adapters.guarded_https import GuardedHttps, NoAnswer, NotSent, Status
from betimes.core import webhooks, zones
from betimes.core.endpoints import GONE
from betimes.core.errors import Rejected, Unavailable
from betimes.core.values import dataclass
from betimes.ports import Accepted, Answer, Clock, Letter, Refused, Unknown

TYPE: Final = "contact.message"
# What a receiver that is up has to be able to take; a text of an inbox is shorter.
MAX_BODY: Final = 256 * 1024
# Answers of "no" that say nothing of the message: it came too slowly, or somebody has to mend something first.
_LATER: Final = frozenset({401, 403, 404, 408, 423, 425})
_KEYS: Final = {"url", "secrets"}


@dataclass(frozen=True, slots=True)
class Hook:
    """A tenant's server and what its requests are signed with, the newest secret first."""

    url: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)


# The server of a tenant, None for one that has none; raises Unavailable.
Hooks = Callable[[str], Hook | None]


class Webhook:
    """The sender of channel "webhook" (`ports.Sender`); where a letter goes is the tenant's setting."""

    def __init__(self, client: GuardedHttps, hooks: Hooks, clock: Clock) -> None:
        self._client = client
        self._hooks = hooks
        self._clock = clock

    def send(self, letter: Letter) -> Answer:
        """Make one request and return what its status says; see `ports.Sender`.

        Without any request it returns Refused "no_endpoint" for a tenant without a server, "no_secret" where the
        setting is out of reach, "too_long" above 256 KB, "bad_text" for half a character, and "bad_endpoint" for an
        address that `GuardedHttps` does not ask. A 2xx is Accepted, 410 Refused "endpoint_gone". 429 waits, and so does
        a server that cannot be reached, or where somebody has to mend something first; 3xx and every other 4xx are
        Refused for good; a 5xx, or none in time, Unknown. No refusal says anything of the borrower.
        """
        try:
            hook = self._hooks(letter.tenant)
        except Unavailable:
            return Refused("no_secret", may_retry=True)
        if hook is None:
            return Refused("no_endpoint", may_retry=False)
        now = self._clock.now()
        try:
            body = payload(letter, zones.to_text(now))
        except UnicodeEncodeError:
            return Refused("bad_text", may_retry=False)
        if len(body) > MAX_BODY:
            return Refused("too_long", may_retry=False)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"betimes/{__version__}",
            **webhooks.headers(hook.secrets, letter.contact_id, now, body),
        }
        try:
            # The status says it all.
            return _answer(letter, self._client.post(hook.url, headers, body, most=0))
        except NotSent as why:
            code = "bad_endpoint" if why.code == "bad_address" else why.code
            return Refused(code, may_retry=not why.for_good)
        except NoAnswer:
            return Unknown("no_answer")


def payload(letter: Letter, at: str) -> bytes:
    """Return the body of a request: JSON, in UTF-8, the same for the same letter and instant `at`.

    Raises:
        UnicodeEncodeError: a text holds half of a character.
    """
    text = letter.text
    document = {
        "type": TYPE,
        "timestamp": at,
        "data": {
            "contact_id": letter.contact_id,
            "attempt": letter.attempt,
            "tenant": letter.tenant,
            "borrower_id": letter.borrower_id,
            "locale": text.locale,
            "subject": text.subject,
            "text": text.body,
            "lives_s": letter.lives_s,
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def parsed(text: str) -> Mapping[str, Hook]:
    """Return the servers in the text of a secret, by tenant.

    Raises:
        Unavailable: it has another form; the message holds nothing of it.
    """
    wrong = Unavailable("the secret of the webhooks has another form than it should")
    try:
        found = {}
        for tenant, hook in dict(json.loads(text)).items():
            if set(hook) != _KEYS or not isinstance(hook["url"], str) or not hook["secrets"]:
                raise wrong
            found[tenant] = Hook(hook["url"], tuple(map(webhooks.secret, list(hook["secrets"]))))
    except (ValueError, TypeError, AttributeError, Rejected):
        raise wrong from None
    return found


def _answer(letter: Letter, status: Status) -> Answer:
    if 200 <= status.code < 300:
        return Accepted(letter.contact_id)
    if status.code == 410:
        return Refused(GONE, may_retry=False)
    if status.code == 429:
        return Refused(
            "http_429", may_retry=True, throttled=True, retry_after_s=status.retry_after_s
        )
    if status.code in _LATER:
        return Refused(f"http_{status.code}", may_retry=True)
    if 300 <= status.code < 500:
        return Refused(f"http_{status.code}", may_retry=False)
    return Unknown(f"http_{status.code}")
