"""Takes the pictures of the hosted pages that the docs show: `python -m tests.pages.pictures`.

They are what the handler answers over memory stores, seen by a headless Chromium of the system on a phone of 360
points. Fonts are the system's, so another machine gives other bytes and the same page.
"""

from __future__ import annotations

import base64
import logging
import sys
import tempfile
from pathlib import Path

from betimes.core.links import Action
from betimes.handlers.batches import logger
from tests.pages.browser import SCALE, WIDTH, installed, phone
from tests.pages.deployment import deployment, served

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PICTURES = (
    (Action.PREFERENCES, "zh-CN"),
    (Action.PREFERENCES, "en"),
    (Action.NEED_HELP, "en"),
)


def main() -> int:
    """Write the pictures and return 0; 1 where there is no browser."""
    if not all(installed()):
        print("no browser found: install chromium and chromium-driver", file=sys.stderr)
        return 1
    logger.setLevel(logging.ERROR)
    FOLDER.mkdir(exist_ok=True)
    made = deployment()
    with (
        tempfile.TemporaryDirectory() as profile,
        served(made) as base,
        phone(Path(profile)) as chrome,
    ):
        for action, language in PICTURES:
            chrome.get(f"{base}/l/{made.token(action)}?lang={language}")
            tall = chrome.execute_script("return document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": WIDTH, "height": tall, "scale": 1}
            shot = chrome.execute_cdp_cmd(
                "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
            )
            file = FOLDER / f"page_{action}_{language}.png"
            file.write_bytes(base64.b64decode(shot["data"]))
            print(f"{file.name}: {WIDTH * SCALE} × {tall * SCALE} pixels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
