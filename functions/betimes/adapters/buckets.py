"""The bucket sets that are part of the package, read into core values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from betimes.core.ageing import Buckets, parse_buckets
from betimes.core.errors import Rejected

FILE = "buckets.toml"


@lru_cache(maxsize=1)
def buckets() -> Mapping[str, Buckets]:
    """Return the shipped bucket sets by name.

    Raises:
        Rejected: code "bad_toml" or "bad_buckets"; the message names file, key and reason.
    """
    text = (resources.files("betimes.packs") / FILE).read_text("utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Rejected("bad_toml", "", f"{FILE}: {error}") from None
    return parse_buckets(document, FILE)
