"""Every check, cheapest first, each with its time; stops at the first that fails. `make test` runs this."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str | Path]] = {
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "lint": [BIN / "ruff", "check", "--quiet", "."],
    "import contracts": [BIN / "lint-imports"],
    "types": [BIN / "mypy"],
    "tests": [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"],
}


def main() -> int:
    """Run the checks and return 0 if all passed, else the exit code of the first that did not."""
    environment = {**os.environ, "PYTHONPATH": "functions"}
    for name, command in CHECKS.items():
        began = time.monotonic()
        print(f"── {name}", flush=True)
        done = subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, check=False)
        if done.returncode:
            print(f"── {name} failed", file=sys.stderr)
            return done.returncode
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
