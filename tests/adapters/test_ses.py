"""E-mail: the bytes that leave, and what can never get into a header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, message_from_string
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from betimes import config
from betimes.adapters import ses as ses_adapter
from betimes.adapters.ses import CONTACT_HEADER, UNSUBSCRIBE_HEADERS, Email, mime
from betimes.core.message import Text
from betimes.ports import Accepted, Letter, Refused

REGION = "us-east-1"
SENDER = "某某消费金融 <bills@lender.example>"
HEADERS = [
    "From",
    "To",
    "Subject",
    CONTACT_HEADER,
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
]
# A multipart message has its content's headers in another order, and no encoding of its own.
ALTERNATIVE = ["From", "To", "Subject", CONTACT_HEADER, "MIME-Version", "Content-Type"]
# What has broken a mail program before: what ends a header, what looks like one, marks of direction, halves of letters,
# other alphabets and figures, markup, quoting, and characters that are shown as nothing.
_PIECES = [
    *(chr(code) for code in (*range(0x20), *range(0x7F, 0xA1))),
    *"\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ufffd\ufffe\U0001f4b8\U000e0001",
    *"<>()[]{}|\\^`~!@#$%&*+=/?;:'\",.-_",
    *(
        "\r\nBcc: evil@x.y",
        "\nBcc: evil@x.y",
        "\rBcc: evil@x.y",
        "\r\n\r\nanother body",
        "%0d%0aBcc: evil@x.y",
    ),
    *(
        "Bcc: evil@x.y",
        "--betimes",
        "<!--",
        "]]>",
        "<script>",
        "&lt;",
        "&#13;&#10;",
        "=?",
        "?=",
        "=0d=0a",
        "=\r\n",
    ),
    *(
        "${due}",
        "((amount))",
        "{{ due }}",
        "%s",
        "%n",
        "../..",
        "null",
        "NaN",
        "1e999",
        "' or '1'='1",
        '";--',
    ),
    *(
        "账单",
        "請求書",
        "청구서",
        "فاتورة",
        "חשבון",
        "ใบแจ้งหนี้",
        "Ω≈ç√∫",
        "ﬁ",
        "Ｂｃｃ：",
        "٣٢١",
        "e\u0301\u0301\u0301",
    ),
    *("👩‍👩‍👧", "🏳️‍🌈", "x" * 998, "词" * 400, " " * 90, "a b " * 60),
]
NAUGHTY = [
    "",
    *(text for each in _PIECES for text in (each, f"Bill {each} due", each * 2)),
]
ENCODED_WORDS = [
    "=?utf-8?q?x=0d=0aBcc:_evil=40x.y?=",
    "=?utf-8?b?eA0KQmNjOiBldmlsQHgueQ==?=",
    "=?UTF-8?Q?x=0D=0ABcc:_evil=40x.y?=",
    "=?iso-8859-1?q?x=0aBcc:_evil=40x.y?=",
    "=?utf-8*en?q?x=0d=0aBcc:_evil=40x.y?=",
    "Bill =?utf-8?q?x=0d=0aBcc:_evil=40x.y?= due",
    "=?utf-8?q?=3d=3futf-8=3fq=3fx=0d=0aBcc:_evil=40x.y=3f=3d?=",
    "=?utf-8?b?PT91dGYtOD9xP3g9MGQ9MGFCY2M6X2V2aWw9NDB4Lnk/PQ==?=",
    "=?utf-8?q?x=0d=0a?= =?utf-8?q?Bcc:_evil=40x.y?=",
    "Bill\r\n =?utf-8?q?x=0d=0aBcc:_evil=40x.y?=",
    "Bill\r\n\tdue",
]


def letter(
    subject: str = "账单提醒",
    body: str = "您本期账单1,234.50元。",
    address: str = "b@example.com",
    html: str = "",
    unsubscribe: str = "",
) -> Letter:
    text = Text("email", "zh-CN", subject, body, html)
    return Letter("c_abc", 2, "t1", address, text, unsubscribe=unsubscribe)


class Recorder:
    """A client that keeps what it is asked to send."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def send_email(self, **request: Any) -> dict[str, str]:
        self.requests.append(request)
        return {"MessageId": "m-1"}


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def email(recorder: Recorder) -> Email:
    return Email(recorder, sender=SENDER, configuration_set="reminders")


@pytest.fixture
def ses() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sesv2", region_name=REGION)


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def test_ses_gets_the_text_as_it_was_rendered(ses: Any) -> None:
    """The mail that SES keeps has the rendered subject and body, the address, the contact's id."""
    ses.create_email_identity(EmailIdentity="bills@lender.example")
    sender = Email(ses, sender=SENDER, configuration_set="reminders")

    answer = sender.send(letter())

    (sent,) = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    assert answer == Accepted(sent.id)
    message = message_from_string(sent.raw_data, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "账单提醒"
    assert message["To"] == "b@example.com"
    assert message[CONTACT_HEADER] == "c_abc"
    assert message.get_content() == "您本期账单1,234.50元。\r\n"


def test_an_unverified_sender_is_refused(ses: Any) -> None:
    """SES's own refusal is a value and final."""
    sender = Email(ses, sender=SENDER, configuration_set="reminders")

    assert sender.send(letter()) == Refused("MessageRejected", may_retry=False)


def test_ids_envelope_and_configuration_set_travel_with_the_mail(
    recorder: Recorder, email: Email
) -> None:
    """Tags name contact, attempt and tenant; the one recipient stands in the envelope."""
    email.send(letter())

    (request,) = recorder.requests
    assert {tag["Name"]: tag["Value"] for tag in request["EmailTags"]} == {
        config.TAG_CONTACT: "c_abc",
        config.TAG_ATTEMPT: "2",
        config.TAG_TENANT: "t1",
    }
    assert request["Destination"] == {"ToAddresses": ["b@example.com"]}
    assert request["ConfigurationSetName"] == "reminders"
    assert request["FromEmailAddress"] == "bills@lender.example"


def test_a_tenant_that_no_tag_can_hold_does_not_stop_the_mail(
    recorder: Recorder, email: Email
) -> None:
    """Ids may hold characters that SES's tags may not; the tenant's tag then shows a stand-in."""
    email.send(replace(letter(), tenant="acme.bank:cn"))

    tags = {tag["Name"]: tag["Value"] for tag in recorder.requests[0]["EmailTags"]}
    assert tags[config.TAG_TENANT] == "acme_bank_cn"
    assert tags[config.TAG_CONTACT] == "c_abc"


@pytest.mark.parametrize(
    "subject",
    [
        *ENCODED_WORDS,
        "Bill\r\nBcc: evil@x.y",
        "Bill\nBcc: evil@x.y",
        "Bill\x0bBcc: evil@x.y",
        "Bill\x00",
        "Bill\x85Bcc: evil@x.y",
        "Bill\u2028Bcc: evil@x.y",
        "Bill\u2029Bcc: evil@x.y",
        "Bill \ud800",
    ],
)
def test_a_subject_that_could_become_a_header_is_refused(
    recorder: Recorder, email: Email, subject: str
) -> None:
    """Encoded words, control characters and line separators never reach `email`."""
    assert email.send(letter(subject=subject)) == Refused("unsafe_header", may_retry=False)
    assert recorder.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "b",
        "b@example",
        "b@example.com, evil@example.com",
        "b@example.com\r\nBcc: evil@example.com",
        "b@example.com\n",
        "=?utf-8?q?x=0d=0aBcc:_evil=40x.y?=@example.com",
        "B <b@example.com>",
        '"b c"@example.com',
        "张@example.com",
        "b@例子.example",
        f"{'b' * 250}@example.com",
    ],
)
def test_an_address_that_is_not_one_plain_address_is_refused(
    recorder: Recorder, email: Email, address: str
) -> None:
    """One mail has one recipient: lists, names and what SES cannot take are refused unsent."""
    assert email.send(letter(address=address)) == Refused("bad_address", may_retry=False)
    assert recorder.requests == []


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "Lender",
        "=?utf-8?q?x=0d=0aBcc:_evil=40x.y?= <bills@lender.example>",
        "Lender\r\nBcc: evil@x.y <bills@lender.example>",
        *(f"{word} <bills@lender.example>" for word in ENCODED_WORDS),
        *(f'"{word}" <bills@lender.example>' for word in ENCODED_WORDS),
    ],
)
def test_a_sender_that_could_become_a_header_stops_the_function(
    recorder: Recorder, sender: str
) -> None:
    """The sender is a setting: a bad one is an error at start-up, not at the first mail."""
    with pytest.raises(ValueError, match="sender"):
        Email(recorder, sender=sender, configuration_set="reminders")


def test_injected_headers_are_found_in_the_finished_bytes() -> None:
    """An injection past the first check is found in the bytes, unless `email` encoded it away."""
    hostile = letter(subject="=?utf-8?q?x=0d=0aBcc:_evil=40x.y?=")
    found: list[str] = []
    try:
        found = parsed(mime(hostile, SENDER)).keys()
    except AssertionError:
        # Python 3.11 and 3.12 as first released: the injection works, and our second look finds it.
        found = HEADERS
    assert found == HEADERS


@given(
    subject=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200),
    body=st.text(
        st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), max_size=500
    ),
)
def test_any_text_keeps_the_headers_and_the_body(subject: str, body: str) -> None:
    """For every text that is let through, the headers are the expected ones, the body too."""
    recorder = Recorder()
    sender = Email(recorder, sender=SENDER, configuration_set="reminders")

    answer = sender.send(letter(subject=subject, body=body))

    if "=?" in subject:
        assert answer == Refused("unsafe_header", may_retry=False)
        return
    message = parsed(recorder.requests[0]["Content"]["Raw"]["Data"])
    assert message.keys() == HEADERS
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == body.rstrip("\n")


def test_the_same_letter_gives_the_same_bytes() -> None:
    """No clock and no random part: what was sent can be shown again byte for byte."""
    assert mime(letter(), SENDER) == mime(letter(), SENDER)


@pytest.mark.parametrize(
    ("body", "encoding"), [("CNY 12.00 is due.", "quoted-printable"), ("12.00元", "base64")]
)
def test_the_body_is_encoded_for_seven_bit_transport(body: str, encoding: str) -> None:
    """ASCII text stays readable in the source, other text is base64; no byte above 127."""
    data = mime(letter(body=body), SENDER)

    assert data.isascii()
    assert parsed(data)["Content-Transfer-Encoding"] == encoding


def test_a_mail_with_html_has_its_text_first(recorder: Recorder, email: Email) -> None:
    """Readers show the last part they understand: text, then HTML, each as it was rendered."""
    html = "<!doctype html><html lang=zh-CN><p>您本期账单<b>1,234.50元</b>。</p></html>"

    assert email.send(letter(html=html)) == Accepted("m-1")

    message = parsed(recorder.requests[0]["Content"]["Raw"]["Data"])
    assert message.keys() == ALTERNATIVE
    assert message.get_content_type() == "multipart/alternative"
    text, rich = (part for part in message.iter_parts() if isinstance(part, EmailMessage))
    assert (text.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content() == "您本期账单1,234.50元。\r\n"
    assert rich.get_content() == f"{html}\r\n"
    assert text.keys() == rich.keys() == ["Content-Type", "Content-Transfer-Encoding"]


def test_the_same_letter_with_html_gives_the_same_bytes() -> None:
    """The line between the parts is made from what they say, not drawn by chance."""
    rich = letter(html="<p>1,234.50元</p>")

    assert mime(rich, SENDER) == mime(rich, SENDER)
    assert mime(rich, SENDER) != mime(letter(html="<p>1,234.51元</p>"), SENDER)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), max_size=300),
    st.text(
        st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"),
        min_size=1,
        max_size=300,
    ),
)
def test_any_html_keeps_the_headers_and_both_parts(body: str, html: str) -> None:
    """Whatever stands in text and HTML, even a boundary or a header, it stays inside its part."""
    message = parsed(mime(letter(body=body, html=html), SENDER))

    assert message.keys() == ALTERNATIVE
    contents = [
        part.get_content() for part in message.iter_parts() if isinstance(part, EmailMessage)
    ]
    kept = [content.replace("\r\n", "\n").rstrip("\n") for content in contents]
    assert kept == [body.rstrip("\n"), html.rstrip("\n")]


def test_a_part_cannot_end_before_its_end() -> None:
    """A text that holds the very line between the parts does not become one."""
    rich = letter(body="CNY 12.00", html="<p>CNY 12.00</p>")
    boundary = str(parsed(mime(rich, SENDER)).get_boundary())
    for hostile in (
        letter(body=f"--{boundary}--\r\n\r\nBcc: evil@x.y", html="<p>CNY 12.00</p>"),
        letter(body="CNY 12.00", html=f"\n--{boundary}\nContent-Type: text/html\n\n<p>evil</p>"),
    ):
        message = parsed(mime(hostile, SENDER))
        assert len(list(message.iter_parts())) == 2
        assert message.keys() == ALTERNATIVE


@pytest.mark.parametrize("token", ["t", "t" * 60, "t" * 600])
@pytest.mark.parametrize("html", ["", "<p>12.00元</p>"])
def test_one_click_unsubscription_is_offered_word_for_word(
    recorder: Recorder, email: Email, token: str, html: str
) -> None:
    """RFC 8058: the https address on one line as it was given, and the one value of the other."""
    address = f"https://u.lender.example/v1/stop?k=1&t={token}"

    assert email.send(letter(html=html, unsubscribe=address)) == Accepted("m-1")

    data = recorder.requests[0]["Content"]["Raw"]["Data"]
    assert f"List-Unsubscribe: <{address}>\r\n".encode() in data
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in data
    assert parsed(data).keys() == [*UNSUBSCRIBE_HEADERS, *(ALTERNATIVE if html else HEADERS)]
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))


@pytest.mark.parametrize(
    "address",
    [
        "http://u.lender.example/stop",
        "HTTPS://u.lender.example/stop",
        "mailto:stop@lender.example",
        "https://u.lender.example",
        "https:///stop",
        "https://a@u.lender.example/stop",
        "https://u.lender.example/stop>, <mailto:evil@x.y",
        "https://u.lender.example/stop\r\nBcc: evil@x.y",
        "https://u.lender.example/stop\n",
        "https://u.lender.example/a b",
        "https://u.lender.example/=?utf-8?q?x=0d=0aBcc:_evil=40x.y?=",
        "https://例子.example/stop",
        f"https://u.lender.example/{'t' * 900}",
        *(f"https://u.lender.example/{word}" for word in ENCODED_WORDS),
    ],
)
def test_an_address_for_unsubscribing_that_is_not_plain_https_is_refused(
    recorder: Recorder, email: Email, address: str
) -> None:
    """Nothing but one https address gets into that header; the mail does not go without it."""
    answer = email.send(letter(unsubscribe=address))

    assert answer == Refused("bad_unsubscribe", may_retry=False)
    assert recorder.requests == []


def test_an_unsafe_address_for_unsubscribing_is_found_again_below() -> None:
    """The function that makes the bytes does not rely on its caller."""
    with pytest.raises(AssertionError, match="https"):
        mime(letter(unsubscribe="https://u.lender.example/x>\r\nBcc: evil@x.y"), SENDER)


def test_a_header_too_many_is_found_in_the_finished_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look is a real one: bytes with another header do not leave."""
    monkeypatch.setattr(ses_adapter, "_one_click", lambda _: b"Bcc: evil@x.y\r\n")

    with pytest.raises(AssertionError, match="Bcc"):
        mime(letter(), SENDER)


def test_no_naughty_string_gets_a_header_or_a_part_of_its_own() -> None:
    """Each as subject, text and HTML: refused, or a mail with the expected headers."""
    recorder = Recorder()
    email = Email(recorder, sender=SENDER, configuration_set="reminders")
    refused = 0
    for naughty in NAUGHTY:
        answer = email.send(letter(subject=naughty, body=f"{naughty} ", html=f"<p>{naughty}</p>"))
        refused += answer == Refused("unsafe_header", may_retry=False)
    messages = [parsed(request["Content"]["Raw"]["Data"]) for request in recorder.requests]

    assert len(NAUGHTY) == len(messages) + refused
    assert len(messages) > 200
    assert refused > 100
    assert {tuple(message.keys()) for message in messages} == {tuple(ALTERNATIVE)}
    assert {len(list(message.iter_parts())) for message in messages} == {2}
    # Neither does any as a name, an address or an address for unsubscribing.
    for naughty in NAUGHTY:
        assert email.send(letter(address=naughty)) == Refused("bad_address", may_retry=False)
        if naughty:
            bad = email.send(letter(unsubscribe=naughty))
            assert bad == Refused("bad_unsubscribe", may_retry=False)


def test_no_naughty_name_of_a_lender_gets_a_header_of_its_own() -> None:
    """As a display name each is refused at start-up, or a mail has the expected headers."""
    sent = 0
    for naughty in NAUGHTY:
        recorder = Recorder()
        try:
            email = Email(
                recorder,
                sender=f"{naughty} <bills@lender.example>",
                configuration_set="reminders",
            )
        except ValueError:
            continue
        email.send(letter())
        data = recorder.requests[0]["Content"]["Raw"]["Data"]
        message = parsed(data)
        assert message.keys() == HEADERS
        assert [each.addr_spec for each in message["From"].addresses] == ["bills@lender.example"]
        sent += 1
    assert sent > 100
