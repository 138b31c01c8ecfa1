"""Ledger records: canonical bytes, and a chain that shows every change."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.record import EVENT, Record, record_id
from tests.factories import NOW, record

# Another value for each field: a record in which it was changed afterwards.
CHANGES: dict[str, Any] = {
    "id": "x",
    "kind": EVENT,
    "tenant": "other",
    "borrower_id": "b2",
    "obligation_id": "o2",
    "contact_id": "c2",
    "at": NOW + timedelta(microseconds=1),
    "body": {"decision": "send", "step": "T-3", "outstanding_minor": 120_001},
    "prev": "0" * 64,
    "hash": "0" * 64,
}


def chain(length: int) -> list[Record]:
    """Return records each of which names the one before."""
    records: list[Record] = []
    for n in range(length):
        prev = records[-1].hash if records else ""
        records.append(record(fact=f"d{n}", at=NOW + timedelta(minutes=n), prev=prev))
    return records


def holds(records: list[Record]) -> bool:
    """Return whether a chain is whole: each record fits its hash and names the one before."""
    names = ["", *(each.hash for each in records)]
    return all(
        each.is_intact and each.prev == name for each, name in zip(records, names, strict=False)
    )


@pytest.mark.parametrize("field", [field.name for field in fields(Record)])
def test_a_change_of_any_field_is_seen(field: str) -> None:
    """The hash covers every field there is; none can be added to the record and forgotten here."""
    sealed = record()
    assert sealed.is_intact
    assert not replace(sealed, **{field: CHANGES[field]}).is_intact


@given(st.integers(0, 11), st.integers(0, 11), st.integers(2, 12))
def test_a_dropped_or_swapped_record_breaks_the_chain(one: int, other: int, length: int) -> None:
    """Wherever it stood; only the end can be cut off unseen, which is what segments are for."""
    records = chain(length)
    assert holds(records)
    one, other = one % length, other % length
    dropped = records[:one] + records[one + 1 :]
    assert holds(dropped) is (one == length - 1)
    swapped = list(records)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert holds(swapped) is (one == other)


def test_one_changed_bit_is_seen() -> None:
    """In each byte of the canonical form, which is read back here."""
    sealed = record()
    document = json.loads(sealed.canonical())
    assert document["body"] == dict(sealed.body)
    assert "hash" not in document
    body = {**sealed.body, "step": "T-4"}
    assert not replace(sealed, body=body).is_intact


def test_the_canonical_form_does_not_depend_on_the_order_of_keys() -> None:
    """Sorted, without spaces, in UTF-8."""
    one = record(body={"a": "元", "b": 1})
    other = record(body={"b": 1, "a": "元"})
    assert one == other
    assert one.canonical() == other.canonical()
    assert "元".encode() in one.canonical()
    assert b": " not in one.canonical()


def test_the_hash_of_a_record_stays_the_same_in_later_versions() -> None:
    """Pinned: sealed evidence must verify for years."""
    assert record().hash == "2509973bca19e483712580368bf5c885b7e71c6447e30db2eb321308146b50ab"


def test_ids_sort_by_time_and_meet_themselves() -> None:
    """The same facts at the same instant have the same id; a later one sorts behind."""
    assert record_id(NOW, "a", "b") == record_id(NOW, "a", "b")
    assert record_id(NOW, "a", "b") != record_id(NOW, "ab")
    assert record_id(NOW, "z") < record_id(NOW + timedelta(microseconds=1), "a")
