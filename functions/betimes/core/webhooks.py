"""Signatures of webhooks: how a lender's server can tell that a request is ours, and we that one is theirs.

A request carries an id, the second it was signed, and one signature for each secret that is valid, so that secrets can
be changed without a gap. What is signed is id, second and body, joined by dots; a request that was signed long ago is
refused, so that nobody can repeat one later.

Source: Standard Webhooks 1.0.0 (symmetric signatures, `v1`); RFC 2104.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from betimes.core.errors import Rejected

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

PREFIX: Final = "whsec_"
# Bytes of a secret.
MIN_SECRET, MAX_SECRET = 24, 64
# How far the sender's clock may be from ours.
TOLERANCE: Final = timedelta(minutes=5)
_VERSION: Final = "v1"


def secret(text: str) -> bytes:
    """Return the bytes of a secret as it is handed over: `whsec_` and base64 of 24 to 64 bytes.

    Raises:
        Rejected: code "bad_secret"; the message repeats nothing of it.
    """
    wrong = Rejected(
        "bad_secret",
        "secret",
        f"a secret is {PREFIX} and base64 of {MIN_SECRET} to {MAX_SECRET} bytes",
    )
    if not text.startswith(PREFIX):
        raise wrong
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if not MIN_SECRET <= len(found) <= MAX_SECRET:
        raise wrong
    return found


def headers(secrets: Sequence[bytes], identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a request signed `at` an instant (aware), with a signature by each of the secrets.

    `identity` has no dot: it would let one request's signature pass for another's.
    """
    assert secrets, "a request is signed"
    assert identity and "." not in identity, "an id of a request has no dot"
    second = str(int(at.timestamp()))
    signatures = (_signature(each, identity, second, body) for each in secrets)
    return {ID: identity, TIMESTAMP: second, SIGNATURE: " ".join(signatures)}


def verified(secrets: Sequence[bytes], found: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the id of a request whose headers (names in small letters) and body are signed by one of the secrets.

    Raises:
        Rejected: code "bad_signature", always with the same words: unsigned, forged, changed, or signed more than five
            minutes from `now` (aware).
    """
    wrong = Rejected("bad_signature", SIGNATURE, "the request is not signed as it should be")
    identity, second = found.get(ID, ""), found.get(TIMESTAMP, "")
    signatures = found.get(SIGNATURE, "")
    if not (identity + second + signatures).isascii():
        raise wrong
    wanted = [_signature(each, identity, second, body) for each in secrets]
    # All are compared, so that the time it takes says nothing of which one was near.
    right = [hmac.compare_digest(each, one) for each in wanted for one in signatures.split()]
    if not any(right) or not identity or "." in identity or not _is_recent(second, now):
        raise wrong
    return identity


def _is_recent(second: str, now: datetime) -> bool:
    if not (second.isascii() and second.isdigit() and len(second) <= 12):
        return False
    return abs(int(second) - int(now.timestamp())) <= TOLERANCE // timedelta(seconds=1)


def _signature(key: bytes, identity: str, second: str, body: bytes) -> str:
    signed = b".".join((identity.encode(), second.encode(), body))
    mac = hmac.digest(key, signed, hashlib.sha256)
    return f"{_VERSION},{base64.b64encode(mac).decode()}"
