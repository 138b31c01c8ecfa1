"""Copies of values: the same as the library's, only sooner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from betimes.core.values import copied
from tests.factories import NOW, obligation, watch


def test_a_copy_is_what_the_library_makes_of_it() -> None:
    """With one field, with several, with none."""
    bill, other = obligation(), watch(look_at=None, seq=9)
    assert copied(bill, watch=other) == replace(bill, watch=other)
    assert copied(bill, version=7, settled_at=NOW) == replace(bill, version=7, settled_at=NOW)
    assert copied(bill) == bill
    assert copied(other, decided=("D-3",)) == replace(other, decided=("D-3",))


def test_a_field_that_is_not_there_is_an_error() -> None:
    """A misspelt name is not lost."""
    with pytest.raises(KeyError):
        copied(obligation(), wach=watch())
