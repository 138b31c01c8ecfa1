"""The keys of action links and message codes, from AWS Secrets Manager: no key stands in code, environment or template.

The secret is a JSON object: each key under its number, from 1 to 255, and which one signs new links under "current":

    {"current": "2", "1": "…", "2": "…"}

A key is text of at least 32 random characters. Whoever changes keys adds one and names it as the current; the old one
stays for a year, as long as links live. The one with the lowest number is never taken away: the list of addresses is
kept under it (`core.suppression`), and links that it signed end by themselves.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any, Final

from betimes.core import links, suppression
from betimes.core.errors import Unavailable
from betimes.core.links import Issued, Keys
from betimes.ports import Clock

# How long keys are kept in memory: a new one is known everywhere after that.
KEPT: Final = timedelta(minutes=5)


class LinkKeys:
    """The keys of one secret, read again when they are older than `KEPT` by `clock`."""

    def __init__(self, client: Any, secret: str, clock: Clock) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock
        self._read_at: datetime | None = None
        self._keys: Keys | None = None

    def keys(self) -> Keys:
        """Return the keys.

        Raises:
            Unavailable: they cannot be read, or the secret is none of this form; its content is in no message.
        """
        now = self._clock.now()
        if self._keys is None or self._read_at is None or now >= self._read_at + KEPT:
            self._keys, self._read_at = self._fetched(), now
        return self._keys

    def _fetched(self) -> Keys:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            text = self._client.get_secret_value(SecretId=self._secret)["SecretString"]
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"the keys of links cannot be read: {type(error).__name__}") from None
        return parsed(text)


class BlindIndex:
    """Blind indexes of addresses, under the oldest of the keys (`ports.Blind`)."""

    def __init__(self, ring: LinkKeys) -> None:
        self._ring = ring

    def index(self, tenant: str, channel: str, address: str) -> str:
        """See `ports.Blind.index`."""
        return suppression.index_of(self._ring.keys(), tenant, channel, address)


class PageLinks:
    """Links to the hosted pages at `page`, the address that a token is put behind (`ports.Links`)."""

    def __init__(self, ring: LinkKeys, page: str) -> None:
        self._ring = ring
        self._page = page

    def issued(self, tenant: str, contact_id: str, on: date) -> Issued:
        """See `ports.Links.issued`."""
        return links.issued(self._ring.keys(), self._page, tenant, contact_id, on)


def parsed(text: str) -> Keys:
    """Return the keys in the text of a secret.

    Raises:
        Unavailable: it has another form, or a key that is too short; the message holds nothing of it.
    """
    try:
        document = dict(json.loads(text))
        current = int(document.pop("current"))
        return Keys(current, {int(number): key.encode() for number, key in document.items()})
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError):
        raise Unavailable("the secret of the links' keys has another form than it should") from None
