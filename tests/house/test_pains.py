"""docs/pains.md: every complaint about other systems has a row, and every row names something that is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TABLE = (REPOSITORY / "docs" / "pains.md").read_text(encoding="utf-8")
NUMBERS = [*(str(n) for n in range(1, 47)), *(f"D{n}" for n in range(1, 21))]
ROWS = re.findall(r"^\| (D?\d+) \| ([^|]+) \| ([^|]+) \|$", TABLE, re.MULTILINE)


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the test functions of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_number_has_one_row() -> None:
    """All 46 complaints and all 20 defects, none of them twice."""
    found = [number for number, _, _ in ROWS]
    assert sorted(set(found)) == sorted(found)
    assert sorted(set(NUMBERS) - set(found)) == []
    assert sorted(set(found) - set(NUMBERS)) == []


def test_no_row_is_of_another_form() -> None:
    """Whatever looks like a row is one, so that none is passed over by the tests here."""
    rows = [line for line in TABLE.splitlines() if line.startswith("|")]
    heads = [line for line in rows if line.startswith(("| number |", "|---"))]
    assert len(rows) - len(heads) == len(ROWS)


@pytest.mark.parametrize(("number", "pain", "shown_by"), ROWS, ids=[row[0] for row in ROWS])
def test_what_shows_a_pain_is_there(number: str, pain: str, shown_by: str) -> None:
    """Each row names at least one story, test or whole module of tests in backticks; the file exists, and the test in
    it. A defect of something that is not built here may say so in words, beginning with a dash.
    """
    named = re.findall(r"`([^`]+)`", shown_by)
    assert pain.strip()
    assert named or shown_by.strip().startswith("–")
    for each in named:
        name, _, test = each.partition("::")
        path = REPOSITORY / name
        assert path.is_file(), each
        if test:
            assert test in names_in(path), each
        else:
            assert path.suffix == ".story" or any(n.startswith("test_") for n in names_in(path)), (
                each
            )


@pytest.mark.parametrize(
    "path",
    sorted((REPOSITORY / "tests" / "stories" / "pains").glob("*.story")),
    ids=lambda p: p.stem,
)
def test_every_diary_of_a_pain_stands_in_its_row(path: Path) -> None:
    """The number it begins with is the number of a row that names it."""
    number = path.stem.split("_", maxsplit=1)[0].lstrip("0")
    [shown_by] = [row[2] for row in ROWS if row[0] == number]
    assert f"`{path.relative_to(REPOSITORY).as_posix()}`" in shown_by
