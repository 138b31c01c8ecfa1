"""Golden texts: every shipped template in every language, on every channel, with every example, byte by byte.

Where words are changed on purpose, `python -m tests.golden.test_texts` writes the file anew; the diff is what a person
reviews.
"""

from __future__ import annotations

import json
from pathlib import Path

from betimes.core.message import render
from betimes.local.preview import examples
from tests.core.support import POLICIES

FILE = Path(__file__).with_name("texts.json")


def rendered() -> dict[str, dict[str, str]]:
    """Return each text with its identity; of HTML the hash alone, which is part of that of the text."""
    found = {}
    for name, template in sorted(POLICIES.templates.items()):
        for (locale, channel), body in sorted(template.bodies.items()):
            for case, values in examples("Betimes Demo").items():
                text = render(body, values)
                found[f"{name} {locale} {channel} {case}"] = {
                    "template": template.id,
                    "subject": text.subject,
                    "text": text.body,
                    "sha256": text.sha256,
                }
    return found


def test_every_text_is_the_one_that_was_reviewed() -> None:
    """The words, the id of the template, and the hash of the text, its HTML included."""
    golden = json.loads(FILE.read_text("utf-8"))
    assert len(golden) == 10 * 2 * 4 * 2
    assert rendered() == golden


if __name__ == "__main__":
    FILE.write_text(json.dumps(rendered(), ensure_ascii=False, indent=1) + "\n", "utf-8")
