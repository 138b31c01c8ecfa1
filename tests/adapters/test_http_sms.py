"""SMS by a profile: one request spelt as the profile says, and each answer what it says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.adapters import pack_files
from betimes.adapters.http_sms import GatewayAccount, HttpSms, profile
from betimes.core import gateway
from betimes.core.errors import Rejected, Unavailable
from betimes.core.gateway import Encoding, Means
from betimes.core.message import Text
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown
from tests.adapters.tls import HOST, Server

TWILIO = profile("twilio")
SHIPPED = (pack_files.root() / "gateways" / "twilio.toml").read_text("utf-8")
TEXT = "【某某】账单12.00元。&To=+447700900999"
NUMBER = "+447700900123"


def letter(address: str = NUMBER, body: str = TEXT) -> Letter:
    return Letter("c_abc", 2, "t1", address, Text("sms", "zh-CN", "", body))


def sender(server: Server, **fields: Any) -> HttpSms:
    """Return the shipped profile's sender with the server in the provider's place."""
    spelt = replace(TWILIO, url=TWILIO.url.replace("api.twilio.com", HOST), **fields)
    return HttpSms(server.client, spelt, GatewayAccount("AC/1", "Lender", lambda: "c2VjcmV0"))


def test_a_form_holds_number_and_text_whatever_they_hold(server: Server) -> None:
    """Nothing in a text becomes a field, nothing in an account's name a part of the path."""
    server.status, server.body = 201, b'{"sid": "SM1"}'
    assert sender(server).send(letter()) == Accepted("SM1")
    ((path, headers, body),) = server.asked
    assert path == "/2010-04-01/Accounts/AC%2F1/Messages.json"
    assert headers["authorization"] == "Basic c2VjcmV0"
    assert parse_qs(body.decode()) == {"To": [NUMBER], "From": ["Lender"], "Body": [TEXT]}


@given(st.text(min_size=1, max_size=200), st.sampled_from(Encoding))
def test_no_text_changes_the_fields(text: str, encoding: Encoding) -> None:
    """Slots, quotes and line ends inside a value stay a value."""
    values = {slot: f"x{slot}" for slot in gateway.SLOTS} | {"text": text}
    encodable = text.encode("utf-8", "surrogatepass").decode("utf-8", "ignore") == text
    if not encodable:
        with pytest.raises(Rejected, match="half of a character"):
            gateway.request(replace(TWILIO, encoding=encoding), values)
    else:
        made = gateway.request(replace(TWILIO, encoding=encoding), values)
        found = (
            json.loads(made.body)
            if encoding is Encoding.JSON
            else {k: v[0] for k, v in parse_qs(made.body.decode(), keep_blank_values=True).items()}
        )
        assert found == {"To": "xnumber", "From": "xsender", "Body": text}


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (201, {"sid": "SM1"}, Accepted("SM1")),
        (201, {}, Unknown("no_message_id")),
        (200, {"sid": "SM1"}, Unknown("http_200")),
        (400, {"code": 21610}, Refused("opted_out", may_retry=False)),
        (400, {"code": "21211"}, Refused("bad_address", may_retry=False)),
        (400, {"code": 1}, Refused("refused", may_retry=False)),
        (401, {}, Refused("refused", may_retry=False)),
        (429, {}, Refused("throttled", may_retry=True, throttled=True, retry_after_s=9)),
        (302, {}, Unknown("http_302")),
        (500, {"sid": "SM1"}, Unknown("http_500")),
        (0, {}, Unknown("no_answer")),
    ],
)
def test_each_answer_is_one_request_and_means_what_the_profile_says(
    server: Server, status: int, body: dict[str, object], answer: Answer
) -> None:
    """And what it does not know is a refusal where HTTP says so, else unknown."""
    server.status, server.body = status, json.dumps(body).encode()
    server.headers = {"Retry-After": "9"}
    assert sender(server).send(letter()) == answer
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'"sid"', b"[" * 60_000, b"\xff" * 10, b"null"]
)
def test_an_answer_that_is_no_document_is_never_an_acceptance(server: Server, body: bytes) -> None:
    """A page of a proxy, or brackets without end."""
    server.status, server.body = 201, body
    assert sender(server).send(letter()) == Unknown("no_message_id")


def test_what_cannot_be_sent_is_refused_without_a_request(server: Server) -> None:
    """A number of another form, a text that is too long; and a gateway that is away is tried later."""
    assert sender(server).send(letter("12")) == Refused("bad_address", may_retry=False)
    assert sender(server).send(letter(body="x" * 1_601)) == Refused("too_long", may_retry=False)
    away = HttpSms(
        server.at(port=1),
        replace(TWILIO, url=f"https://{HOST}/"),
        GatewayAccount("a", "b", lambda: "c"),
    )
    assert away.send(letter()) == Refused("gateway_unreachable", may_retry=True)
    inside = HttpSms(
        server.at(permits=lambda address: False),
        replace(TWILIO, url=f"https://{HOST}/"),
        GatewayAccount("a", "b", lambda: "c"),
    )
    assert inside.send(letter()) == Refused("gateway_bad_address", may_retry=True)
    assert not server.asked


def out_of_reach() -> str:
    raise Unavailable("no secrets today")


@pytest.mark.parametrize(
    ("secret", "answer"),
    [
        (out_of_reach, Refused("no_secret", may_retry=True)),
        (lambda: "a\nb", Refused("bad_header", may_retry=True)),
        (lambda: "schlüssel", Refused("bad_header", may_retry=True)),
        (lambda: "\ud800", Refused("bad_text", may_retry=False)),
    ],
)
def test_a_secret_that_cannot_be_said_is_an_answer(
    server: Server, secret: Callable[[], str], answer: Answer
) -> None:
    """The contact is claimed by then: an error would leave the outcome open, and nothing was sent."""
    sms = HttpSms(
        server.client, replace(TWILIO, url=f"https://{HOST}/"), GatewayAccount("a", "b", secret)
    )
    assert sms.send(letter()) == answer
    assert not server.asked


def test_half_a_character_is_refused_without_a_request(server: Server) -> None:
    """Whoever cut it off; nothing is said to the provider."""
    assert sender(server).send(letter(body="a\ud83d")) == Refused("bad_text", may_retry=False)
    assert not server.asked


def test_an_id_that_cannot_be_stored_is_mended() -> None:
    """JSON can name half a character, and the outcome has to be recorded all the same."""
    found = gateway.meaning(TWILIO, 201, b'{"sid": "a\\ud800"}')
    assert found == (Means.ACCEPTED, "a?")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("https://api", "http://api", "url"),
        ("((account))", "((number))", "url"),
        ('encoding = "form"', 'encoding = "xml"', "encoding"),
        ('encoding = "form"', "", "encoding"),
        ('encoding = "form"', 'encoding = "form"\nretries = 3', "retries"),
        ("Basic ((secret))", "Basic ((text))", "headers.Authorization"),
        ("Basic ((secret))", r"Basic\r\nX: y", "headers.Authorization"),
        ("((text))", "((texts))", "body.Body"),
        ("((text))", "((text)) ((Text))", "body.Body"),
        ("((number))", "(( number ))", "body.To"),
        ("https://api.twilio.com", "https://[api", "url"),
        ("Authorization =", "Content-Length =", "headers.Content-Length"),
        ("Basic ((secret))", "Básic ((secret))", "headers.Authorization"),
        ("[21610]", "[true]", "answer.rule 2.equals"),
        ("((text))", "text", "body"),
        ("((number))", "number", "body"),
        ('means = "throttled"', 'means = "fine"', "means"),
        ("http = [429]\n", "", "answer.rule 4"),
        ("http = [429]", "http = [4290]", "answer.rule 4.http"),
        ("http = [429]", 'http = [429]\nat = "code"', "answer.rule 4.at"),
        ('id = "sid"', "id = 1", "id"),
        ('status = "unverified"', 'status = "fine"', "status"),
    ],
)
def test_a_profile_that_is_wrong_names_the_key(old: str, new: str, field: str) -> None:
    """Read when the function starts, and refused with file and key."""
    assert old in SHIPPED
    with pytest.raises(Rejected) as refused:
        gateway.parse(tomllib.loads(SHIPPED.replace(old, new)), "twilio.toml")
    assert (refused.value.code, refused.value.field) == ("bad_gateway", field)
    assert refused.value.message.startswith("twilio.toml: ")


def test_the_first_rule_that_fits_decides() -> None:
    """In the order of the file."""
    rules = (
        gateway.AnswerRule((200,), "code", ("0",), Means.ACCEPTED),
        gateway.AnswerRule((200,), "", (), Means.BUSY),
    )
    spelt = replace(TWILIO, rules=rules, id_at="data.id")
    assert gateway.meaning(spelt, 200, b'{"code": 0, "data": {"id": 7}}') == (Means.ACCEPTED, "7")
    assert gateway.meaning(spelt, 200, b'{"code": 1}') == (Means.BUSY, "")
    assert gateway.meaning(spelt, 200, b'{"code": true}') == (Means.BUSY, "")
