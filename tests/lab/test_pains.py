"""The pains of users of other systems, as diaries: each comes true, keeps every promise, and says what it is about."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from betimes.lab.story import Played, play
from tests.core.support import POLICIES

PAINS = sorted((Path(__file__).parents[1] / "stories" / "pains").glob("*.story"))


@cache
def played(path: Path) -> Played:
    """Return what a story showed; each is played once."""
    return play(path.read_text(encoding="utf-8").splitlines(), POLICIES, path.parent)


@pytest.mark.parametrize("path", PAINS, ids=lambda path: path.stem)
def test_every_pain_comes_true_and_keeps_every_promise(path: Path) -> None:
    """Line by line; and at its end the audit finds nothing."""
    findings = played(path).findings
    assert findings is not None
    assert findings.all_kept, findings


@pytest.mark.parametrize("path", PAINS, ids=lambda path: path.stem)
def test_a_pain_is_numbered_and_says_what_it_is_about(path: Path) -> None:
    """It is called by the number it has among the pains or the defects, and begins with a comment."""
    assert re.match(r"(\d\d|D\d+)_[a-z0-9_]+$", path.stem)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert re.search(r" (contact|silence|state|text|owed|dpd|answered) ", text)


def test_no_treatment_lies_beside_the_pains_unused() -> None:
    """Each file is named by a story."""
    stories = "\n".join(path.read_text(encoding="utf-8") for path in PAINS)
    lying = {path.name for path in PAINS[0].parent.glob("*.toml")}
    assert {name for name in lying if name not in stories} == set()
