"""The golden vectors: facts that a correct implementation must reproduce, each with its source in the file itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

GOLDEN: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("golden.json").read_text("utf-8")
)
