"""Pictures of pages by a headless browser of this machine; where there is none, there is no picture."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A page of ours is drawn in a second; a browser that does not start is not waited for.
PATIENCE_S: Final = 60
# Pixels to a point: sharp on a screen of today.
_SCALE: Final = 2
_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    # Nothing is fetched and no script runs: a message is looked at, not opened.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--blink-settings=scriptEnabled=false",
    f"--force-device-scale-factor={_SCALE}",
)


def found() -> str:
    """Return the path of a browser, "" where the machine has none that we know how to ask."""
    return next((path for path in map(shutil.which, NAMES) if path), "")


def picture(page: Path, target: Path, *, width: int, height: int) -> bool:
    """Draw the HTML file `page`, `width` by `height` points, into the PNG file `target`; return whether it is there.

    False where there is no browser, or it failed: a picture is a help and never a reason to stop.
    """
    browser = found()
    if not browser:
        return False
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="betimes-browser-") as profile:
        command = [
            browser,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            f"--screenshot={target.resolve()}",
            page.resolve().as_uri(),
        ]
        try:
            subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=True)
        except (OSError, subprocess.SubprocessError):
            return False
    return target.is_file()
