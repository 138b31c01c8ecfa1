"""Seal: a segment holds records exactly as they are and names the one before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from betimes.flows.seal import Segment, seal
from tests.factories import NOW, record

RECORDS = [record(fact=f"d{n}", at=NOW + timedelta(minutes=n)) for n in range(3)]


def segment(*, number: int = 1, prev: str = "") -> Segment:
    """Return a segment of three records."""
    return seal(RECORDS, number=number, prev=prev, now=NOW)


def test_a_segment_can_be_checked_by_anybody() -> None:
    """From its own text alone: a header, then one canonical record a line behind its hash; the hash covers number,
    predecessor and lines in order.
    """
    header, *lines = segment(prev="abc").document().decode().splitlines()
    facts = json.loads(header)
    assert (facts["segment"], facts["prev"], facts["records"]) == (1, "abc", 3)
    for line in lines:
        digest, _, canonical = line.partition(" ")
        assert hashlib.sha256(canonical.encode()).hexdigest() == digest
    covered = "\n".join([str(facts["segment"]), facts["prev"], *lines])
    assert hashlib.sha256(covered.encode()).hexdigest() == facts["hash"]


def test_segments_form_a_chain() -> None:
    """Another predecessor, number, order or record gives another hash; the clock does not."""
    first = segment()
    others = [
        segment(number=2),
        segment(prev=first.hash),
        seal(RECORDS[::-1], number=1, prev="", now=NOW),
        seal(RECORDS[:2], number=1, prev="", now=NOW),
    ]
    assert len({first.hash, *(other.hash for other in others)}) == 5
    assert seal(RECORDS, number=1, prev="", now=NOW + timedelta(days=1)).hash == first.hash


def test_names_sort_by_number_and_tell_competitors_apart() -> None:
    """Two that compete for a number are two objects."""
    assert segment(number=9).name < segment(number=10).name
    assert segment(prev="a").name != segment(prev="b").name


def test_a_record_that_was_changed_is_not_sealed() -> None:
    """Whichever it is: the stream stops, and somebody looks."""
    for n in range(3):
        changed = [*RECORDS]
        changed[n] = replace(RECORDS[n], borrower_id="b2")
        with pytest.raises(AssertionError, match="does not match its hash"):
            seal(changed, number=1, prev="", now=NOW)


def test_nothing_is_sealed_as_nothing() -> None:
    """An empty segment has a header only."""
    assert len(seal([], number=1, prev="", now=NOW).document().splitlines()) == 1
