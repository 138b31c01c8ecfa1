"""Ids are made from facts: the same facts meet again, others never do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.ids import contact_id, digest_id, is_id, shard_of

IDS = st.from_regex(r"[A-Za-z0-9._:-]{1,12}", fullmatch=True)


@pytest.mark.parametrize("text", ["a", "A-1_b.c:d", "x" * 128])
def test_letters_digits_and_four_marks_make_an_id(text: str) -> None:
    """1 to 128 of them."""
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 129, "a#b", "a b", "a\n", "\n", "é", "a/b", "a\x1fb"])
def test_anything_else_is_no_id(text: str) -> None:
    """Above all not "#", which joins keys, and no control character, which joins facts."""
    assert not is_id(text)


@given(IDS, IDS, st.integers(0, 3))
def test_a_contact_id_meets_itself_and_fits_a_tag(tenant: str, obligation: str, slot: int) -> None:
    """Same facts, same id; it fits the tag alphabet of SES and is itself an id."""
    made = contact_id(tenant, "b1", obligation, "1@2026-03-09", "D-3", slot)
    assert made == contact_id(tenant, "b1", obligation, "1@2026-03-09", "D-3", slot)
    assert re.fullmatch(r"c_[a-z2-7]{26}", made)
    assert is_id(made)


@given(st.lists(IDS, min_size=1, max_size=4), st.lists(IDS, min_size=1, max_size=4))
def test_other_facts_give_another_id(one: list[str], other: list[str]) -> None:
    """Not even where the joined texts are equal: ("a", "bc") is not ("ab", "c")."""
    assert (digest_id(*one) == digest_id(*other)) is (one == other)


def test_ids_are_the_same_on_every_machine() -> None:
    """Pinned: stored ids must be found again by every later version."""
    made = contact_id("demo", "b1", "o1", "1@2026-03-09", "D-3", 0)
    assert made == "c_ezvsm4rwe2lvhcegpfpnwtvf2b"
    assert shard_of("demo", "b1", 4) == 2


@given(IDS, IDS, st.integers(1, 64))
def test_a_shard_lies_in_its_range(tenant: str, borrower: str, shards: int) -> None:
    """0 ≤ shard < shards, and the same borrower is always in the same one."""
    shard = shard_of(tenant, borrower, shards)
    assert 0 <= shard < shards
    assert shard == shard_of(tenant, borrower, shards)


def test_borrowers_spread_over_shards() -> None:
    """No shard of four holds more than a third of a thousand borrowers."""
    counts = [0] * 4
    for n in range(1000):
        counts[shard_of("demo", f"b{n}", 4)] += 1
    assert max(counts) < 334
