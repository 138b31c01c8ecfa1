"""Values: hashed and copied like frozen dataclasses, refused an assignment by the type checker."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from betimes.core.values import dataclass, replace

FUNCTIONS = Path(__file__).parents[2] / "functions"


@dataclass(frozen=True, slots=True)
class _Point:
    x: int
    y: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Positive:
    amount: int

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError("not positive")


def test_equal_values_have_equal_hashes_and_find_each_other_in_a_set() -> None:
    """A value is its fields."""
    assert _Point(1, 2) == _Point(1, 2) != _Point(2, 1)
    assert len({_Point(1, 2), _Point(1, 2), _Point(2, 1)}) == 2


def test_a_copy_has_the_changes_and_leaves_the_first_as_it_is() -> None:
    """What the standard library's replace would give."""
    first = _Point(1, 2, ("a",))
    other = replace(first, y=5)
    assert (first, other) == (_Point(1, 2, ("a",)), dataclasses.replace(first, y=5))


def test_a_copy_refuses_a_field_that_is_not_there() -> None:
    """A misspelt field is no new attribute."""
    with pytest.raises(KeyError):
        replace(_Point(1), z=3)  # type: ignore[call-arg]  # the point of the test


def test_a_copy_is_checked_like_the_first() -> None:
    """A value that checks itself when it is made checks its copies too."""
    with pytest.raises(ValueError, match="not positive"):
        replace(_Positive(1), amount=-1)


def test_the_type_checker_refuses_an_assignment_and_a_copy_of_another_type(tmp_path: Path) -> None:
    """What the interpreter lets pass, the gate does not."""
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from betimes.core.values import dataclass, replace\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Point:\n"
        "    x: int\n"
        "point = Point(1)\n"
        "point.x = 2\n"
        "replace(point, x='one')\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(bad),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": str(FUNCTIONS), "PATH": ""},
    )
    assert "bad.py:6" in done.stdout, done.stdout + done.stderr
    assert 'Property "x" defined in "Point" is read-only' in done.stdout
    assert "bad.py:7" in done.stdout
