"""The bucket sets that are part of the package, read into core values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from betimes.adapters import pack_files
from betimes.core.ageing import Buckets, parse_buckets

FILE = "buckets.toml"


@lru_cache(maxsize=1)
def buckets() -> Mapping[str, Buckets]:
    """Return the shipped bucket sets by name.

    Raises:
        Rejected: code "bad_toml" or "bad_buckets"; the message names file, key and reason.
    """
    return parse_buckets(pack_files.document(pack_files.root() / FILE, FILE), FILE)
