"""`betimes preview`: every text of a template as a borrower would get it, in the terminal and as files to look at."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from datetime import date, time
from pathlib import Path
from typing import Final

from betimes.adapters import packs
from betimes.core import sms_parts
from betimes.core.errors import Rejected
from betimes.core.message import Body, Text, Value, render
from betimes.core.money import Money
from betimes.core.variables import Code, Item, MaskedName, Moment, Phone, ShortLink

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A phone's width, and room for a whole message.
SIZE: Final = "--window-size=420,1400"
NO_BROWSER: Final = "no picture: no browser found; install chromium (.ci/run does)"
_TODAY: Final = date(2026, 3, 6)
_DUE: Final = date(2026, 3, 9)
_PATIENCE_S: Final = 60


def examples(lender: str) -> dict[str, dict[str, Value]]:
    """Return the values that are shown: one with everything there is, and one with nothing that may be missing."""
    amount, debit_at = Money(123_450, "CNY"), Moment(_DUE, time(11, 30), _TODAY)
    bare: dict[str, Value] = {
        "lender": lender,
        "amount": amount,
        "due": _DUE,
        "overdue_days": 3,
        "as_of": _TODAY,
        "items": (Item(lender, amount, _DUE), Item(lender, Money(88_000, "CNY"), _DUE)),
    }
    full = {
        **bare,
        "minimum": Money(12_345, "CNY"),
        "pay_by": date(2026, 3, 20),
        "instrument": "8821",
        "debit_at": debit_at,
        "items": (Item(lender, amount, _DUE, debit_at, "8821"), Item(lender, amount, _DUE)),
        "name": MaskedName("王"),
        "minimum_cost": Money(1_667, "CNY"),
        "late_cost": Money(1_852, "CNY"),
        "link": ShortLink("https://example.com/p/4k2v9"),
        "stop_link": ShortLink("https://example.com/s/4k2v9"),
        "code": Code("7KQ2-M9XD"),
        "service_phone": Phone("400-000-0000"),
    }
    return {"everything": full, "least": bare}


def preview(
    name: str,
    *,
    lender: str,
    locale: str = "",
    channel: str = "",
    out: Path | None = None,
    as_json: bool = False,
) -> int:
    """Print every text of a template, of one language or channel where one is named; with `out` write each as a file,
    e-mails as HTML and as PNG too where there is a browser. Return 0.

    Raises:
        Rejected: code "unknown_template"; "bad_options", where it has no such text; "bad_out".
    """
    templates = packs.drafts("default", lender).templates
    if name not in templates:
        known = ", ".join(sorted(templates))
        raise Rejected(
            "unknown_template", "TEMPLATE", f"there is no template {name!r}; there are: {known}"
        )
    bodies = [
        each
        for each in templates[name].bodies.values()
        if locale in ("", each.locale) and channel in ("", each.channel)
    ]
    if not bodies:
        known = ", ".join(f"{loc}.{ch}" for loc, ch in templates[name].bodies)
        raise Rejected("bad_options", "--locale", f"{name} has no such text; it has {known}")
    shown = [
        (body, case, render(body, values))
        for body in bodies
        for case, values in examples(lender).items()
    ]
    written, said = _written(name, shown, out) if out is not None else ([], "")
    if as_json:
        texts = [
            {
                "locale": body.locale,
                "channel": body.channel,
                "case": case,
                "subject": text.subject,
                "text": text.body,
                "html": text.html,
                "sha256": text.sha256,
            }
            for body, case, text in shown
        ]
        document = {"template": templates[name].id, "texts": texts, "files": written, "note": said}
        print(json.dumps(document, ensure_ascii=False))
        return 0
    print(templates[name].id)
    for body, case, text in shown:
        print("\n".join(_lines(body, case, text)))
    for each in written:
        print(f"written: {each}")
    if said:
        print(said)
    return 0


def _lines(body: Body, case: str, text: Text) -> list[str]:
    parts = sms_parts.parts(text.body)
    more = f", {len(parts.lengths)} parts of {parts.alphabet}" if body.channel == "sms" else ""
    lines = ["", f"--- {body.locale} {body.channel}, {case}{more}; sha256 {text.sha256[:12]}"]
    if text.subject:
        word = "locked screen" if body.channel == "push" else "subject"
        lines.append(f"{word}: {text.subject}")
    return [*lines, text.body.rstrip()]


def _written(name: str, shown: list[tuple[Body, str, Text]], out: Path) -> tuple[list[str], str]:
    browser = next((path for each in BROWSERS if (path := shutil.which(each))), "")
    found, said = [], ""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for body, case, text in shown:
            file = out / f"{name}.{body.locale}.{body.channel}.{case}.txt"
            file.write_text(f"{text.subject}\n\n{text.body}\n", "utf-8")
            found.append(str(file))
            if text.html:
                page = file.with_suffix(".html")
                page.write_text(text.html, "utf-8")
                found.append(str(page))
                said = said or _picture(browser, page)
                if not said:
                    found.append(str(page.with_suffix(".png")))
    except OSError as error:
        raise Rejected(
            "bad_out", "--out", f"{out} cannot be written to: {error.strerror}"
        ) from None
    return found, said


def _picture(browser: str, page: Path) -> str:
    """Write a picture of a page beside it, and return "", or why there is none."""
    if not browser:
        return NO_BROWSER
    picture = page.with_suffix(".png").resolve()
    picture.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="betimes-preview-") as profile:
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", SIZE),
            # The page needs nothing from anywhere.
            *(
                "--proxy-server=127.0.0.1:9",
                f"--user-data-dir={profile}",
                "--disable-dev-shm-usage",
            ),
            *(f"--screenshot={picture}", page.resolve().as_uri()),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE_S)
        except (OSError, subprocess.SubprocessError) as error:
            return f"no picture: the browser failed ({type(error).__name__})"
    return "" if picture.exists() else "no picture: the browser wrote none"
