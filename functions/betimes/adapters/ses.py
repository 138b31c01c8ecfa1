"""E-mail through Amazon SES: raw MIME by the standard library, one recipient for each SendEmail.

Raw, so that the exact bytes are ours. That makes header injection our concern: in `email` up to
Python 3.12 an encoded word in a header value is decoded and written out again with its line breaks.
Hence every value is checked before it reaches `email`, and the finished bytes are parsed again and
must have the expected headers and no others.
"""

from __future__ import annotations

import re
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any, Final

from betimes import config
from betimes.adapters import send_failures
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

_HEADERS: Final = (
    "From",
    "To",
    "Subject",
    CONTACT_HEADER,
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
)


class Email:
    """The sender of channel "email" (`ports.Sender`)."""

    def __init__(self, client: Any, *, sender: str, configuration_set: str) -> None:
        """Send through a SESv2 `client` of the sender kind (one attempt a call).

        `sender` is an address, or a display name with one: `Lender <bills@lender.example>`.
        `configuration_set` is the one whose events come back as feedback.

        Raises:
            ValueError: `sender` is not of that form.
        """
        if _UNSAFE.search(sender) or not _is_address(parseaddr(sender)[1]):
            raise ValueError("the sender must be an e-mail address, with or without a display name")
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, letter: Letter) -> Answer:
        """Make one request to SES and return its answer; see `ports.Sender`.

        Without any request it returns Refused "bad_address" or "unsafe_header", neither to be tried
        again.

        Raises:
            AssertionError: the bytes made have other headers than intended, or the contact's id
                does not fit a tag.
        """
        if not _is_address(letter.address):
            return Refused("bad_address", may_retry=False)
        if _UNSAFE.search(letter.text.subject):
            return Refused("unsafe_header", may_retry=False)
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
    """Return the message as bytes, plain text in UTF-8; the same bytes for the same letter.

    Lines end with CRLF, also the last one of the body. Date and Message-ID are left to SES, so that
    no clock is read here.

    Raises:
        AssertionError: the bytes parse to other headers than the intended ones.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=letter.address)
    message["Subject"] = letter.text.subject
    message[CONTACT_HEADER] = letter.contact_id
    body = letter.text.body
    message.set_content(
        body, charset="utf-8", cte="quoted-printable" if body.isascii() else "base64"
    )
    data = message.as_bytes()
    found = tuple(message_from_bytes(data, policy=SMTP).keys())
    assert found == _HEADERS, f"the message has the headers {found}"
    return data


def _is_address(text: str) -> bool:
    return (
        len(text) <= _MAX_ADDRESS
        and _ADDRESS.fullmatch(text) is not None
        and not _UNSAFE.search(text)
    )
