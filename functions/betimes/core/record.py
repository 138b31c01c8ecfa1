"""Ledger records: one for each decision, each event of a contact and each word with a caller outside, as canonical
bytes, chained by hash.

A record's `prev` is the hash of the record before it in its chain: decisions chain per obligation, events per contact,
what callers outside ask and tell per person. The hash covers every other field, so a changed, dropped or swapped record
breaks its chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from betimes.core import ids, zones
from betimes.core.values import dataclass, replace

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
DECISION = "decision"
EVENT = "event"
# What a caller outside the platform asked or told (`core.outside`).
OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the Ledger. `id` sorts by time and is made from the record's facts; `hash` is hex SHA-256.

    `body` holds text and whole numbers only; no name, address, number or message text ever enters it.
    """

    id: str
    kind: str
    tenant: str
    borrower_id: str
    obligation_id: str
    contact_id: str
    at: datetime
    body: Mapping[str, str | int]
    prev: str
    hash: str = ""

    def canonical(self) -> bytes:
        """Return the bytes that the hash covers: JSON with sorted keys, no spaces, UTF-8, without the hash itself."""
        return _CANONICAL.encode(
            {
                "id": self.id,
                "kind": self.kind,
                "tenant": self.tenant,
                "borrower_id": self.borrower_id,
                "obligation_id": self.obligation_id,
                "contact_id": self.contact_id,
                "at": zones.to_text(self.at),
                "body": dict(self.body),
                "prev": self.prev,
            }
        ).encode()

    def sealed(self) -> Record:
        """Return this record with its hash."""
        return replace(self, hash=hashlib.sha256(self.canonical()).hexdigest())

    @property
    def is_intact(self) -> bool:
        """Whether the hash fits the content."""
        return self.hash == hashlib.sha256(self.canonical()).hexdigest()


def record_id(at: datetime, *facts: str, place: int = 0) -> str:
    """Return an id that sorts by `at`, then by `place` (0 to 999) among records of one act, and is made from the
    facts.
    """
    return f"{zones.to_text(at)}#{place:03d}-{ids.digest_id(*facts)}"
