"""Ids made from facts: the same obligation, cycle, step and slot give the same id, so a retry meets itself.

Deliberately not in a contact's id: treatment and template version, address, attempt. Activating a new version in
mid-cycle must not create a second contact for the same step.
"""

from __future__ import annotations

import hashlib
import re
import zlib

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [high + low for high in _BASE32 for low in _BASE32]
_CONTACT = re.compile(r"c_[a-z2-7]{26}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def is_id(text: str) -> bool:
    """Return whether `text` may serve as an id: 1 to 128 ASCII letters, digits and `._:-`.

    Anything else, "#" above all, would blur the keys that ids are joined into.
    """
    return _ID.fullmatch(text) is not None


def digest_id(*facts: str) -> str:
    """Return 26 characters of lower-case base32 over the SHA-256 of the facts, in order.

    Fits the tag alphabet of SES (`[A-Za-z0-9_-]`, up to 256 characters).
    """
    # The unit separator keeps ("a", "bc") apart from ("ab", "c"); no id may hold a control character.
    joined = "\x1f".join(facts).encode()
    # 26 characters are the first 130 bits; the library's base32 encoder takes ten times as long.
    bits = int.from_bytes(hashlib.sha256(joined).digest()) >> 126
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(120, -1, -10)])


def contact_id(
    tenant: str, borrower_id: str, obligation_id: str, cycle: str, step: str, slot: int
) -> str:
    """Return the id of the one contact for this obligation, cycle, step and position in the step's channel list.

    The borrower is part of it: obligation ids are unique within a borrower only.
    """
    return "c_" + digest_id(tenant, borrower_id, obligation_id, cycle, step, str(slot))


def is_contact_id(text: str) -> bool:
    """Return whether `text` has the form of the ids that `contact_id` makes."""
    return _CONTACT.fullmatch(text) is not None


def shard_of(tenant: str, borrower_id: str, shards: int) -> int:
    """Return the agenda shard, 0 ≤ n < `shards`, for a new obligation of this borrower; stored on the item."""
    return zlib.crc32(f"{tenant}#{borrower_id}".encode()) % shards
