"""The measured figures that are part of the package: when people pay, read once for all who draw from them."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources

from betimes.core import calibration
from betimes.core.calibration import Calibration


@lru_cache(maxsize=1)
def measured() -> Calibration:
    """Return the calibration in `packs/calibration.toml`."""
    name = "calibration.toml"
    text = (resources.files("betimes.packs") / name).read_text("utf-8")
    return calibration.parse(tomllib.loads(text), name)
