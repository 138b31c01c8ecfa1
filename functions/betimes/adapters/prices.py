"""The prices that are part of the package, read into core values."""

from __future__ import annotations

from functools import lru_cache

from betimes.adapters import pack_files
from betimes.core.spend import Prices, parse

FILE = "prices.toml"


@lru_cache(maxsize=1)
def prices() -> Prices:
    """Return the shipped prices.

    Raises:
        Rejected: code "bad_toml" or "bad_prices"; the message names file, list and key.
    """
    return parse(pack_files.document(pack_files.root() / FILE, FILE), FILE)
