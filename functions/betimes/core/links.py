"""Signed action links, and the code by which a borrower can tell a genuine message.

A link is an address of ours that ends in a token. The token says which message it came with and what it is for, and
nothing of a person: an id of ours that is made by a hash, a day, and the name of the lender's tenant. Who the borrower
is and which debts were spoken of follows from the contact, on our side.

Layout, as bytes behind base64url without padding:

    format 1 · key 1 · action 1 · day issued 2 (from 2000-01-01, UTC) · contact 17 · tenant, the rest · mac 16

The mac is HMAC-SHA256 over everything before it, cut to 16 bytes, with a key of the tenant's own that is derived from
the deployment's; it is compared before anything else is read. A token is reusable and what it does is idempotent: a
mail gateway that opens it does nothing, a person who presses twice changes one thing.

Source: RFC 2104 (section 5: cut to no less than half of the hash); RFC 8058 for `Action.UNSUBSCRIBE`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from betimes.core import ids
from betimes.core.errors import Rejected
from betimes.core.values import dataclass

FORMAT: Final = 1
EPOCH: Final = date(2000, 1, 1)
# The shortest key, in bytes; HMAC-SHA256 gains nothing from more than 64.
MIN_KEY: Final = 32
MAC: Final = 16
# The longest token, in characters: a tenant's id has 128.
MAX_TOKEN: Final = 256
# Clocks of two machines may lie on both sides of midnight.
_SLACK: Final = timedelta(days=1)
_HEAD: Final = 5
_CONTACT: Final = 17
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
# What a code is written in: no I, L, O or U, as in Crockford's base 32; whoever types one of those means 1, 1, 0 or V.
_SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})
# 40 bits: with all callers together at 200 tries a second, one guess at one message takes some 87 years on average.
CODE: Final = 8


class Action(StrEnum):
    """What a link is for."""

    PAY = "pay"
    ALREADY_PAID = "already_paid"
    PROMISE = "promise"
    NEED_HELP = "need_help"
    DISPUTE = "dispute"
    WRONG_PERSON = "wrong_person"
    STOP_CHANNEL = "stop_channel"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"


# The number of an action in a token; never given to another one.
_NUMBER: Final = {
    Action.PAY: 1,
    Action.ALREADY_PAID: 2,
    Action.PROMISE: 3,
    Action.NEED_HELP: 4,
    Action.DISPUTE: 5,
    Action.WRONG_PERSON: 6,
    Action.STOP_CHANNEL: 7,
    Action.PREFERENCES: 8,
    Action.UNSUBSCRIBE: 9,
}
_ACTION: Final = {number: action for action, number in _NUMBER.items()}

# Days a link works, the day of issue not counted. What speaks of one bill ages with it; what protects a person, or
# takes them off a list, works for a year.
LIVES: Final = {
    Action.PAY: 30,
    Action.ALREADY_PAID: 30,
    Action.PROMISE: 30,
    Action.NEED_HELP: 90,
    Action.DISPUTE: 90,
    Action.WRONG_PERSON: 365,
    Action.STOP_CHANNEL: 365,
    Action.PREFERENCES: 365,
    Action.UNSUBSCRIBE: 365,
}


# What the page of a message offers beside paying.
OFFERED: Final = (
    Action.ALREADY_PAID,
    Action.PROMISE,
    Action.NEED_HELP,
    Action.DISPUTE,
    Action.WRONG_PERSON,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a deployment by their number, 1 to 255: all of them open links, `current` signs new ones.

    To change keys, add one and make it the current one; take the old one away a year later.
    """

    current: int
    secrets: Mapping[int, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        assert self.current in self.secrets, "the current key is one of the keys"
        assert all(1 <= number <= 255 for number in self.secrets), "a key's number fits a byte"
        assert all(len(secret) >= MIN_KEY for secret in self.secrets.values()), "a key is too short"


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: for which tenant, with which message it came, what it is for, and when it was issued (UTC)."""

    tenant: str
    contact_id: str
    action: Action
    issued_on: date

    @property
    def ends_on(self) -> date:
        """The last day, UTC, on which it works."""
        return self.issued_on + timedelta(days=LIVES[self.action])


@dataclass(frozen=True, slots=True)
class Issued:
    """What a message about one contact carries: where a borrower can pay or tell what is the matter, where they choose
    how we write, the address for one-click unsubscription (RFC 8058), and the message's code.
    """

    pay: str
    preferences: str
    unsubscribe: str
    code: str


def issued(keys: Keys, page: str, tenant: str, contact_id: str, on: date) -> Issued:
    """Return the links of a message issued `on` a day (UTC), the same each time; `page` is what stands before a token.

    Raises:
        Rejected: what `token` raises.
    """

    def address(action: Action) -> str:
        return page + token(keys, Link(tenant, contact_id, action, on))

    return Issued(
        address(Action.PAY),
        address(Action.PREFERENCES),
        address(Action.UNSUBSCRIBE),
        code(keys, tenant, contact_id),
    )


def token(keys: Keys, link: Link) -> str:
    """Return the token of a link, signed with the current key: letters, digits, `-` and `_`, and the same each time.

    Raises:
        Rejected: code "bad_id", where the tenant or the contact is none of ours, or "bad_date", where the day of issue
            lies outside the years 2000 to 2178.
    """
    if not ids.is_id(link.tenant):
        raise Rejected("bad_id", "tenant", "an id has 1 to 128 letters, digits or . _ : -")
    if not ids.is_contact_id(link.contact_id):
        raise Rejected("bad_id", "contact_id", "a link belongs to a contact of the platform")
    days = (link.issued_on - EPOCH).days
    if not 0 <= days <= 0xFFFF:
        raise Rejected("bad_date", "issued_on", "a link is issued between 2000 and 2178")
    payload = b"".join(
        (
            bytes((FORMAT, keys.current, _NUMBER[link.action])),
            days.to_bytes(2),
            _packed(link.contact_id),
            link.tenant.encode(),
        )
    )
    mac = _mac(keys.secrets[keys.current], link.tenant, payload)
    return base64.urlsafe_b64encode(payload + mac).decode().rstrip("=")


def opened(keys: Keys, text: str, now: datetime) -> Link:
    """Return what a token says, if it is one of ours and works at `now` (UTC).

    Raises:
        Rejected: code "bad_link", always with the same words: whoever tries tokens learns nothing from the answer.
    """
    link = _verified(keys, text)
    today = now.date()
    if link is None or not link.issued_on - _SLACK <= today <= link.ends_on:
        raise bad_link()
    return link


def bad_link() -> Rejected:
    """Return the one refusal of every link that does not work, whatever the reason."""
    return Rejected(
        "bad_link", "link", "this link does not work; take the one in the latest message"
    )


def _verified(keys: Keys, text: str) -> Link | None:
    """Return what a token says, whenever it was issued, None where it is not signed by one of the keys."""
    raw = _bytes(text)
    if raw is None or len(raw) <= _HEAD + _CONTACT + MAC or raw[0] != FORMAT:
        return None
    payload, mac = raw[:-MAC], raw[-MAC:]
    secret = keys.secrets.get(payload[1])
    name = payload[_HEAD + _CONTACT :]
    # The tenant chooses the key, so a token of one tenant says nothing under another.
    if secret is None or not hmac.compare_digest(_mac_of(secret, name, payload), mac):
        return None
    action = _ACTION.get(payload[2])
    if action is None:
        # Signed by a later release that knows more of them.
        return None
    return Link(
        tenant=name.decode(),
        contact_id=_unpacked(payload[_HEAD : _HEAD + _CONTACT]),
        action=action,
        issued_on=EPOCH + timedelta(days=int.from_bytes(payload[3:5])),
    )


def code(keys: Keys, tenant: str, contact_id: str) -> str:
    """Return the code of a message as it is shown, for example `7KQ2-M9XD`: it follows from contact and current key."""
    return _code(keys.secrets[keys.current], tenant, contact_id)


def is_code(keys: Keys, tenant: str, contact_id: str, text: str) -> bool:
    """Return whether a text is the code of this message under any of the keys, however it is spelt: in small letters,
    with or without the hyphen, with O for 0, or in full width.
    """
    given = spelt(text)
    answers = [
        hmac.compare_digest(spelt(_code(secret, tenant, contact_id)).encode(), given.encode())
        for secret in keys.secrets.values()
    ]
    return any(answers)


def spelt(text: str) -> str:
    """Return a code as somebody typed it, in the one spelling that is compared; "" where it cannot be one."""
    folded = unicodedata.normalize("NFKC", text[:64]).upper().translate(_MISREAD)
    symbols = "".join(each for each in folded if each.isalnum())
    right = len(symbols) == CODE and all(each in _SYMBOLS for each in symbols)
    return symbols if right else ""


def checked_url(url: str, hosts: tuple[str, ...]) -> str:
    """Return an address that a borrower may be sent to: https, on one of `hosts`, with no name or password in it.

    Raises:
        Rejected: code "bad_url"; the message does not repeat the address.
    """
    wrong = Rejected(
        "bad_url", "url", f"an address begins with https:// and one of {', '.join(hosts)}"
    )
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \"'<>\\^`{|}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if not plain or parts.scheme != "https" or parts.username is not None or "@" in parts.netloc:
        raise wrong
    if parts.hostname not in hosts or port not in (None, 443) or parts.fragment:
        raise wrong
    return url


def _code(secret: bytes, tenant: str, contact_id: str) -> str:
    key = _tenant_key(secret, tenant.encode(), b"betimes message code 1")
    bits = int.from_bytes(hmac.digest(key, contact_id.encode(), hashlib.sha256)[:5])
    symbols = "".join(_SYMBOLS[bits >> shift & 31] for shift in range(35, -1, -5))
    return f"{symbols[:4]}-{symbols[4:]}"


def _mac(secret: bytes, tenant: str, payload: bytes) -> bytes:
    return _mac_of(secret, tenant.encode(), payload)


def _mac_of(secret: bytes, tenant: bytes, payload: bytes) -> bytes:
    key = _tenant_key(secret, tenant, b"betimes link 1")
    return hmac.digest(key, payload, hashlib.sha256)[:MAC]


def _tenant_key(secret: bytes, tenant: bytes, purpose: bytes) -> bytes:
    """Return the key of one tenant for one purpose: links and codes never meet under one key."""
    return hmac.digest(secret, purpose + b"\x00" + tenant, hashlib.sha256)


def _bytes(text: str) -> bytes | None:
    """Return what base64url holds, None for anything that is not exactly what `token` would have written."""
    if not text or len(text) > MAX_TOKEN or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == text else None


def _packed(contact_id: str) -> bytes:
    bits = 0
    for letter in contact_id[2:]:
        bits = bits << 5 | _LETTERS.index(letter)
    return bits.to_bytes(_CONTACT)


def _unpacked(packed: bytes) -> str:
    bits = int.from_bytes(packed)
    return "c_" + "".join(_LETTERS[bits >> shift & 31] for shift in range(125, -1, -5))
