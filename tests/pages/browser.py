"""A real browser for the tests of pages: headless Chromium of the system, driven by Selenium through its own driver.

Nothing is downloaded: where the system has no Chromium or no driver, the tests say so and are skipped. `.ci/run`
installs both where it can.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A small phone, in points, and how many pixels a point has there.
WIDTH, HEIGHT, SCALE = 360, 740, 2


def installed() -> tuple[str, str]:
    """Return the paths of browser and driver, "" for what the system has not."""
    found = (shutil.which(name) for name in BROWSERS)
    return next((path for path in found if path), ""), shutil.which("chromedriver") or ""


def needed() -> None:
    """Skip the test where there is no browser, and say so."""
    if not all(installed()):
        pytest.skip("no browser found: install chromium and chromium-driver (.ci/run does)")


@contextmanager
def phone(profile: Path) -> Iterator[Chrome]:
    """Give a browser with the screen of a small phone, and end it.

    It reaches the loopback interface and nothing else; `profile` is an empty folder for what it writes. Scripts may
    run, since a driver that cannot run one hangs at the next page; the pages' own policy forbids theirs.
    """
    browser, driver = installed()
    options = ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--hide-scrollbars",
        "--lang=en",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={profile}",
        f"--force-device-scale-factor={SCALE}",
    ):
        options.add_argument(argument)
    options.add_experimental_option(
        "mobileEmulation",
        {"deviceMetrics": {"width": WIDTH, "height": HEIGHT, "pixelRatio": SCALE, "mobile": True}},
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(executable_path=driver))
    try:
        chrome.set_page_load_timeout(30)
        yield chrome
    finally:
        chrome.quit()
