"""What a provider reports about a message, in our words."""

from __future__ import annotations

from datetime import datetime

from betimes.core.contact import Event
from betimes.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What a provider charges for an attempt, in millionths of a currency."""

    micro: int
    currency: str


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One report about one attempt of a contact, found by the ids that travelled with the message.

    `at` is the provider's instant (UTC, aware). `key` identifies the report: the same one delivered
    twice has the same key, two reports never share one. `detail` is the provider's type or code (""
    if none), never an address or a text. `cost` is what it says the attempt has cost, None where it does not.
    """

    contact_id: str
    attempt: int
    event: Event
    at: datetime
    key: str
    detail: str = ""
    cost: Cost | None = None
