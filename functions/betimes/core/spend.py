"""Spend: what messages cost, counted before they go and corrected by what they did cost.

Prices are data (`packs/prices.toml`): whole millionths of one currency for a part of a text message, or for an e-mail,
by provider and country, each with a status that says how well the figure is known. An estimate is parts by price. What
the provider reports afterwards replaces it, message by message. A tenant may have a limit for each channel and civil
day; at `WARNED_PERMILLE` of it somebody should know, and beyond it nothing more goes that day: it waits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from betimes.core.errors import Rejected
from betimes.core.ids import is_id
from betimes.core.money import minor_units
from betimes.core.rule import Status
from betimes.core.values import dataclass

WARNED_PERMILLE: Final = 800
# The price of a country that a provider's list does not name.
ANYWHERE: Final = "*"

_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9:_-]{0,63}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}|\*", re.ASCII)
_KEYS: Final = frozenset({"provider", "channel", "currency", "countries", "status", "citation"})


@dataclass(frozen=True, slots=True)
class Price:
    """What one part of a message costs: `micro` millionths of `currency`, and how well that is known."""

    micro: int
    currency: str
    status: Status


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices by provider, channel and country."""

    by_place: Mapping[tuple[str, str, str], Price] = field(default_factory=dict)

    def of(self, provider: str, channel: str, country: str) -> Price | None:
        """Return the price of one part to a country (ISO 3166-1 alpha-2, or a jurisdiction such as US-MA that begins
        with one), that of anywhere where the country is not named, None where nobody has a price.
        """
        found = self.by_place.get((provider, channel, country[:2]))
        return found or self.by_place.get((provider, channel, ANYWHERE))


@dataclass(frozen=True, slots=True)
class Day:
    """What is added up: one tenant's spending on a channel, in one currency, on a civil day in the tenant's zone.

    Raises:
        AssertionError: a part of it would blur the keys it is stored under.
    """

    tenant: str
    channel: str
    currency: str
    on: date

    def __post_init__(self) -> None:
        assert is_id(self.tenant) and is_id(self.channel) and is_id(self.currency), "ids only"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a day has come to: `micro` is the sum of what is known of each message, the price where it has been
    reported and the estimate where not; `messages` of them were estimated, and of `trued` the price is known.
    """

    micro: int = 0
    messages: int = 0
    trued: int = 0

    def is_warned(self, limit: int) -> bool:
        """Return whether this is at least `WARNED_PERMILLE` of a limit in millionths; never where `limit` is 0."""
        return 0 < limit * WARNED_PERMILLE <= self.micro * 1000


def parse(document: Mapping[str, Any], place: str) -> Prices:
    """Return the prices in a parsed TOML file; `place` names it in errors.

    Raises:
        Rejected: code "bad_prices": a list has an unknown, missing or malformed key, or a place has two prices.
    """
    for key in sorted(set(document) - {"price"}):
        raise _bad(place, key, "is not known here; the file holds [[price]] lists alone")
    found: dict[tuple[str, str, str], Price] = {}
    for number, each in enumerate(document.get("price", ()), start=1):
        _read(found, each, f"{place}: price {number}")
    return Prices(MappingProxyType(found))


def _read(found: dict[tuple[str, str, str], Price], each: Mapping[str, Any], place: str) -> None:
    """Put one list of prices to the others."""
    for key in sorted(set(each) ^ _KEYS):
        what = "is missing" if key in _KEYS else "is not known here"
        raise _bad(place, key, f"{what}; a list has exactly the keys {', '.join(sorted(_KEYS))}")
    provider, channel, citation = each["provider"], each["channel"], each["citation"]
    if not isinstance(provider, str) or not _PROVIDER.fullmatch(provider):
        raise _bad(place, "provider", "is a name in small letters, such as sns")
    if not isinstance(channel, str) or not is_id(channel):
        raise _bad(place, "channel", "is a channel, such as sms")
    if not isinstance(citation, str) or not citation:
        raise _bad(place, "citation", "says where the figures are from")
    currency = each["currency"]
    try:
        minor_units(currency)
    except (Rejected, TypeError):
        raise _bad(place, "currency", "is an active ISO 4217 code such as USD") from None
    try:
        status = Status(each["status"])
    except ValueError:
        raise _bad(place, "status", f"is one of {', '.join(Status)}") from None
    countries = each["countries"]
    if not isinstance(countries, Mapping) or not countries:
        raise _bad(place, "countries", "names at least one country and its price")
    for country, micro in countries.items():
        if not _COUNTRY.fullmatch(country):
            raise _bad(place, "countries", f"{country} is no country of two letters, and not *")
        if type(micro) is not int or not 0 <= micro < 10**9:
            raise _bad(place, "countries", f"{country} has a whole number of millionths")
        where = (provider, channel, country)
        if where in found:
            raise _bad(place, "countries", f"{country} has two prices at {provider}")
        found[where] = Price(micro, currency, status)


def _bad(place: str, field: str, message: str) -> Rejected:
    named = f"{place}: {field} {message}" if field else f"{place}: {message}"
    return Rejected("bad_prices", field, f"{named}; correct it")
