"""Parts of a text message: nothing is lost, no part is too long, and no character is cut in half."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.segments import PART, WHOLE, segments


def units(text: str) -> int:
    """Return how many 16-bit units the text takes on the air."""
    return len(text.encode("utf-16-be")) // 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("a", (1,)),
        ("【商户】" + "款" * 66, (70,)),
        ("【商户】" + "款" * 67, (67, 4)),
        ("😀" * 35, (70,)),
        ("😀" * 36, (66, 6)),
        ("a" + "😀" * 35, (67, 4)),
    ],
)
def test_a_text_is_cut_as_carriers_cut_it(text: str, parts: tuple[int, ...]) -> None:
    """The signature counts; an emoji counts twice and stays whole."""
    assert segments(text) == parts


@given(st.text(st.characters(codec="utf-16"), max_size=400))
def test_parts_hold_the_whole_text(text: str) -> None:
    """Every unit once; one part up to 70, else parts of 67 of which only the last is shorter by more than one."""
    parts = segments(text)
    assert sum(parts) == units(text)
    assert (len(parts) <= 1) is (units(text) <= WHOLE)
    if len(parts) > 1:
        assert all(part in (PART - 1, PART) for part in parts[:-1])
        assert 1 <= parts[-1] <= PART
