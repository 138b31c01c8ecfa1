"""Parts of a text message: as carriers cut it, in either alphabet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.segments import segments
from betimes.core.sms_parts import BASIC, EXTENDED, FOLDS, folded, is_gsm7, parts


@pytest.mark.parametrize(
    ("text", "alphabet", "lengths"),
    [
        ("", "gsm7", ()),
        ("a" * 160, "gsm7", (160,)),
        ("a" * 161, "gsm7", (153, 8)),
        ("a" * 306, "gsm7", (153, 153)),
        ("a" * 158 + "€", "gsm7", (160,)),
        ("a" * 159 + "€", "gsm7", (153, 8)),
        # 306 septets in three parts: the pair of the euro sign is never cut.
        ("a" * 152 + "€" + "a" * 152, "gsm7", (152, 153, 1)),
        ("a" * 156 + "’", "ucs2", (67, 67, 23)),
        ("期" * 70, "ucs2", (70,)),
        ("¥5", "gsm7", (2,)),
        ("￥5", "ucs2", (2,)),
    ],
)
def test_a_text_travels_in_these_parts(text: str, alphabet: str, lengths: tuple[int, ...]) -> None:
    """At each border, with signs that take two, and with one sign that changes the alphabet of all."""
    assert (parts(text).alphabet, parts(text).lengths) == (alphabet, lengths)


def slow(text: str) -> int:
    """Return the number of parts of a GSM-7 text, by writing out septets and cutting before a pair, not in it."""
    septets = [(each, "\x1b" + each)[each in EXTENDED] for each in text]
    if len("".join(septets)) <= 160:
        return 1 if text else 0
    count, room = 1, 153
    for each in septets:
        if len(each) > room:
            count, room = count + 1, 153
        room -= len(each)
    return count


@given(st.text(alphabet=sorted(BASIC | EXTENDED), max_size=500))
def test_parts_of_the_small_alphabet_agree_with_writing_them_out(text: str) -> None:
    """And hold everything."""
    found = parts(text)
    assert found.alphabet == "gsm7"
    assert len(found.lengths) == slow(text)
    assert sum(found.lengths) == sum(2 if each in EXTENDED else 1 for each in text)


@given(st.text(max_size=300))
def test_any_other_text_is_cut_as_chinese_carriers_cut_it(text: str) -> None:
    """One sign outside is enough."""
    if not is_gsm7(text):
        assert parts(text).lengths == segments(text)


def test_the_signs_of_word_processors_are_foreign_and_what_is_typed_for_them_is_not() -> None:
    """Else folding would save nothing."""
    for sign, plain in FOLDS.items():
        if sign != "`":
            assert not is_gsm7(sign)
        assert is_gsm7(plain)
    assert folded("it’s “x” – y") == 'it\'s "x" - y'
