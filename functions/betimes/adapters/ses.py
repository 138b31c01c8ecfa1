"""E-mail through Amazon SES: raw MIME by the standard library, one recipient for each SendEmail.

Raw, so that the exact bytes are ours. That makes header injection our concern: in `email` up to
Python 3.12 an encoded word in a header value is decoded and written out again with its line breaks.
Hence every value is checked before it reaches `email`, and the finished bytes are parsed again and
must have the expected headers and no others, in every part.

A mail with HTML is multipart/alternative, plain text first: what a reader shows is the last part it
understands (RFC 2046, section 5.1.4). A mail that carries an address for unsubscribing can be ended
with one click (RFC 8058).
"""

from __future__ import annotations

import hashlib
import re
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any, Final

from betimes import config
from betimes.adapters import send_failures
from betimes.core.bounces import BAD_ADDRESS
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown

CONTACT_HEADER: Final = "X-Contact-Id"

# What must never reach a header: encoded words, control characters, line separators, and halves of
# surrogate pairs.
_UNSAFE: Final = re.compile("=\\?|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# One plain address. SES takes ASCII local parts and domains in punycode only; quoted local parts
# are not worth their risk.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
)
_MAX_ADDRESS: Final = 254
# SES: the alphabet of a tag's value. Our own ids may also hold "." and ":".
_TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NOT_IN_A_TAG: Final = re.compile(r"[^A-Za-z0-9_-]")

# RFC 8058, section 3.1: exactly this, and an https address.
_ONE_CLICK: Final = "List-Unsubscribe=One-Click"
UNSUBSCRIBE_HEADERS: Final = ("List-Unsubscribe", "List-Unsubscribe-Post")
# RFC 3986, without what would end the brackets around it; and short enough for one line of a mail.
_HTTPS: Final = re.compile(
    r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*", re.ASCII
)
_MAX_HTTPS: Final = 900

_ADDRESSED: Final = ("From", "To", "Subject", CONTACT_HEADER)
_PART: Final = ("Content-Type", "Content-Transfer-Encoding")


class Email:
    """The sender of channel "email" (`ports.Sender`)."""

    def __init__(self, client: Any, *, sender: str, configuration_set: str) -> None:
        """Send through a SESv2 `client` of the sender kind (one attempt a call).

        `sender` is an address, or a display name with one: `Lender <bills@lender.example>`.
        `configuration_set` is the one whose events come back as feedback.

        Raises:
            ValueError: `sender` is not of that form.
        """
        # A name with a colon or a comma makes a list or a group of it, whose address is another one.
        meant = sender.rpartition("<")[2].removesuffix(">").strip()
        if _UNSAFE.search(sender) or not _is_address(meant) or parseaddr(sender)[1] != meant:
            raise ValueError("the sender must be an e-mail address, with or without a display name")
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, letter: Letter) -> Answer:
        """Make one request to SES and return its answer; see `ports.Sender`.

        Without any request it returns Refused "bad_address", "unsafe_header" or "bad_unsubscribe",
        none to be tried again.

        Raises:
            AssertionError: the bytes made have other headers than intended, or the contact's id
                does not fit a tag.
        """
        if not _is_address(letter.address):
            return Refused(BAD_ADDRESS, may_retry=False)
        if _UNSAFE.search(letter.text.subject):
            return Refused("unsafe_header", may_retry=False)
        if letter.unsubscribe and not _is_https(letter.unsubscribe):
            return Refused("bad_unsubscribe", may_retry=False)
        request = self._request(letter)
        try:
            response = self._client.send_email(**request)
        except send_failures.FAILURES as failure:
            return send_failures.answer_to(failure, send_failures.SES)
        provider_id = response.get("MessageId")
        return Accepted(provider_id) if provider_id else Unknown("no_message_id")

    def _request(self, letter: Letter) -> dict[str, Any]:
        tags = {
            config.TAG_CONTACT: letter.contact_id,
            config.TAG_ATTEMPT: str(letter.attempt),
            # For people and statistics only, so it need not be reversible: the contact's id names
            # the tenant.
            config.TAG_TENANT: _NOT_IN_A_TAG.sub("_", letter.tenant),
        }
        assert all(_TAG.fullmatch(value) for value in tags.values()), "an id does not fit a tag"
        return {
            "FromEmailAddress": parseaddr(self._sender)[1],
            # The envelope is given here and never taken from the headers.
            "Destination": {"ToAddresses": [letter.address]},
            "Content": {"Raw": {"Data": mime(letter, self._sender)}},
            "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()],
            "ConfigurationSetName": self._configuration_set,
        }


def mime(letter: Letter, sender: str) -> bytes:
    """Return the message as bytes, in UTF-8, with its HTML as an alternative to the text if there is one; the same
    bytes for the same letter.

    Lines end with CRLF, also the last one of a body. Date and Message-ID are left to SES, so that
    no clock is read here.

    Raises:
        AssertionError: the bytes parse to other headers than the intended ones, or to other parts.
    """
    message = EmailMessage(policy=SMTP)
    # As a value with two parts: the parser of the library fails on some names that are given as text.
    name, address = parseaddr(sender)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=letter.address)
    message["Subject"] = letter.text.subject
    message[CONTACT_HEADER] = letter.contact_id
    text, html = letter.text.body, letter.text.html
    message.set_content(text, charset="utf-8", cte=_encoding(text))
    if html:
        message.add_alternative(html, subtype="html", charset="utf-8", cte=_encoding(html))
        for part in message.iter_parts():
            del part["MIME-Version"]
        # The library would draw one by chance. "=_" occurs in neither of the two encodings (RFC
        # 2045, section 6.7).
        message.set_boundary(f"=_{hashlib.sha256((text + html).encode()).hexdigest()[:32]}")
    data = _one_click(letter) + message.as_bytes()
    _check(data, letter)
    return data


def _one_click(letter: Letter) -> bytes:
    """Return the lines for unsubscribing, made by hand: `email` writes an address longer than a line as encoded words,
    which nobody who reads this header decodes.
    """
    if not letter.unsubscribe:
        return b""
    assert _is_https(letter.unsubscribe), "the address for unsubscribing is not plain https"
    values = (f"<{letter.unsubscribe}>", _ONE_CLICK)
    lines = (
        f"{name}: {value}\r\n" for name, value in zip(UNSUBSCRIBE_HEADERS, values, strict=True)
    )
    return "".join(lines).encode("ascii")


def _encoding(text: str) -> str:
    return "quoted-printable" if text.isascii() else "base64"


def _check(data: bytes, letter: Letter) -> None:
    """Raise AssertionError if the bytes are not the message that was meant; it names headers and no values."""
    found = message_from_bytes(data, policy=SMTP)
    assert tuple(found.keys()) == _headers(letter), f"the message has the headers {found.keys()}"
    parts = list(found.iter_parts())
    kinds = [part.get_content_type() for part in parts]
    assert kinds == (["text/plain", "text/html"] if letter.text.html else []), (
        "the message has other parts than its text and its HTML"
    )
    for part in parts:
        assert tuple(part.keys()) == _PART, f"a part has the headers {part.keys()}"
    if letter.unsubscribe:
        kept = found[UNSUBSCRIBE_HEADERS[0]] == f"<{letter.unsubscribe}>"
        assert kept, "the address for unsubscribing is not as it was given"


def _headers(letter: Letter) -> tuple[str, ...]:
    """Return the headers that the message of a letter has, in order."""
    content = ("MIME-Version", "Content-Type") if letter.text.html else (*_PART, "MIME-Version")
    return (*(UNSUBSCRIBE_HEADERS if letter.unsubscribe else ()), *_ADDRESSED, *content)


def _is_https(text: str) -> bool:
    return (
        len(text) <= _MAX_HTTPS and _HTTPS.fullmatch(text) is not None and not _UNSAFE.search(text)
    )


def _is_address(text: str) -> bool:
    return (
        len(text) <= _MAX_ADDRESS
        and _ADDRESS.fullmatch(text) is not None
        and not _UNSAFE.search(text)
    )
