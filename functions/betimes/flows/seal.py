"""Seal: ledger records, as the stream delivers them, are checked and appended to a segment that names its predecessor.

In this release a segment is chained, not signed: its hash covers its records and the hash of the segment before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from betimes.core import zones
from betimes.core.record import Record
from betimes.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of ledger records as they will be kept: canonical lines, and the hash that the next segment names."""

    number: int
    prev: str
    lines: tuple[str, ...]
    hash: str
    sealed_at: datetime

    @property
    def name(self) -> str:
        """The object name: sorts by number, and two segments that compete for one number differ in their hash."""
        return f"{self.number:012d}-{self.hash[:16]}.jsonl"

    def document(self) -> bytes:
        """Return the segment as JSON lines: a header, then one canonical record a line."""
        header = json.dumps(
            {
                "segment": self.number,
                "prev": self.prev,
                "hash": self.hash,
                "records": len(self.lines),
                "sealed_at": zones.to_text(self.sealed_at),
            },
            sort_keys=True,
        )
        return ("\n".join([header, *self.lines]) + "\n").encode()


def seal(records: Sequence[Record], *, number: int, prev: str, now: datetime) -> Segment:
    """Return the segment with `number` that holds `records` in the order given, chained to the segment hash `prev`.

    Raises:
        AssertionError: a record's hash does not fit its content.
    """
    lines = []
    for record in records:
        assert record.is_intact, f"ledger record {record.id} does not match its hash"
        lines.append(f"{record.hash} {record.canonical().decode()}")
    digest = hashlib.sha256("\n".join([str(number), prev, *lines]).encode()).hexdigest()
    return Segment(number, prev, tuple(lines), digest, now)
