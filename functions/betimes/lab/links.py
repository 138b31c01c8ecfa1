"""The links of messages as the local stage makes them: the same key, so the same texts."""

from __future__ import annotations

from datetime import date
from typing import Final

from betimes.config import LINKS, LOCAL_LINK_KEY, LOCAL_PAGE_URL
from betimes.core import links, suppression
from betimes.core.links import Issued, Keys

KEYS: Final = Keys(1, {1: LOCAL_LINK_KEY.encode()})


class LocalLinks:
    """See `ports.Links`."""

    def issued(self, tenant: str, contact_id: str, on: date) -> Issued:
        """See `ports.Links.issued`."""
        return links.issued(KEYS, LOCAL_PAGE_URL + LINKS, tenant, contact_id, on)


class LocalBlind:
    """See `ports.Blind`; with the key of the local stage."""

    def index(self, tenant: str, channel: str, address: str) -> str:
        """See `ports.Blind.index`."""
        return suppression.index_of(KEYS, tenant, channel, address)
