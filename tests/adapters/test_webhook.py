"""Webhooks: one request to a real TLS server, what each answer means, and that no private address is ever asked."""

from __future__ import annotations

import json
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from betimes.adapters.guarded_https import is_public, world
from betimes.adapters.webhook import MAX_BODY, Webhook
from betimes.core import webhooks
from betimes.core.message import Text
from betimes.lab.world import VirtualClock
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown
from tests.adapters.tls import HOST, LOOPBACK, Server

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
KEY = b"k" * 32


def letter(address: str = f"https://{HOST}/in?a=1", body: str = "您的账单将于3月9日到期") -> Letter:
    return Letter("c_abc", 2, "t1", address, Text("inbox", "zh-CN", "账单提醒", body), lives_s=60)


def sender(server: Server, **fields: Any) -> Webhook:
    """Return a sender whose names all lead to the server."""
    return Webhook(server.at(**fields), lambda tenant: [KEY], VirtualClock(AT))


def test_a_contact_arrives_signed_under_its_own_id(server: Server) -> None:
    """The body is JSON with our ids, and the receiver's own check passes; a second attempt has the same id."""
    webhook = sender(server)
    assert webhook.send(letter()) == Accepted("c_abc")
    assert webhook.send(replace(letter(), attempt=3)) == Accepted("c_abc")
    (path, headers, body), (_, again, _) = server.asked
    assert path == "/in?a=1"
    assert headers["host"].startswith(HOST)
    assert webhooks.verified([KEY], headers, body, AT) == again[webhooks.ID] == "c_abc"
    assert json.loads(body) == {
        "type": "contact.message",
        "timestamp": "2026-03-01T08:00:00.000000Z",
        "data": {
            "contact_id": "c_abc",
            "attempt": 2,
            "tenant": "t1",
            "locale": "zh-CN",
            "subject": "账单提醒",
            "text": "您的账单将于3月9日到期",
            "lives_s": 60,
        },
    }


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Accepted("c_abc")),
        (204, Accepted("c_abc")),
        (302, Refused("http_302", may_retry=False)),
        (400, Refused("http_400", may_retry=False)),
        (410, Refused("endpoint_disabled", may_retry=False)),
        (429, Refused("http_429", may_retry=True, throttled=True, retry_after_s=17)),
        (500, Unknown("http_500")),
        (503, Unknown("http_503")),
        (0, Unknown("no_answer")),
    ],
)
def test_each_answer_is_one_request_and_means_what_it_says(
    server: Server, status: int, answer: Answer
) -> None:
    """Also where none comes in time, and where the answer leads elsewhere: nothing is asked twice, nothing followed."""
    server.status = status
    server.headers = {"Retry-After": "17", "Location": f"https://{HOST}/other"}
    assert sender(server).send(letter()) == answer
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.lender.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://user:word@hooks.lender.example/",
        "https://hooks.lender.example:8443/",
        "https://hooks.lender.example/#part",
        "https://hooks.lender.example/\r\nX: y",
        "https://hooks.lender.example/ a",
        "https://hooks.lender.exampleé/",
        "ftp://hooks.lender.example/",
        "",
    ],
)
def test_an_address_of_another_form_is_never_asked(server: Server, url: str) -> None:
    """Refused for good before a name is looked up: an address that ends is blocked."""

    def never(host: str) -> list[str]:
        raise AssertionError("a name was looked up")

    assert sender(server, resolve=never).send(letter(url)) == Refused(
        "bad_address", may_retry=False
    )
    assert not server.asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1",
        "2001:0:7f00:1::1", "2001:db8::1", "nothing", "",
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_never_asked(server: Server, address: str) -> None:
    """Neither alone nor behind a public address; `is_public` is what the sender of a deployment asks."""
    assert not is_public(address)
    for found in ([address], ["93.184.216.34", address]):
        inside = sender(server, resolve=lambda host, found=found: found, permits=is_public)
        assert inside.send(letter()) == Refused("bad_address", may_retry=False)
    assert world().permits is is_public


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    """So that the refusals above are of something."""
    assert is_public(address)


def test_a_name_is_looked_up_once(server: Server) -> None:
    """One that answers otherwise the second time leads nowhere: the connection goes to what was checked."""
    seen = []

    def turning(host: str) -> list[str]:
        seen.append(host)
        return [LOOPBACK] if len(seen) == 1 else ["169.254.169.254"]

    assert sender(server, resolve=turning).send(letter()) == Accepted("c_abc")
    assert seen == [HOST]


def test_a_server_that_is_not_who_it_says_hears_nothing(server: Server) -> None:
    """A certificate of nobody we trust, or for another name: nothing was sent, and it may be mended."""
    strangers = sender(server, context=ssl.create_default_context())
    assert strangers.send(letter()) == Refused("bad_certificate", may_retry=True)
    named = letter("https://other.lender.example/")
    assert sender(server).send(named) == Refused("bad_certificate", may_retry=True)
    assert not server.asked


def test_a_server_that_is_away_is_tried_later(server: Server) -> None:
    """No such name, and nobody at the door."""

    def unknown(host: str) -> list[str]:
        raise OSError("no such name")

    for away in (sender(server, resolve=unknown), sender(server, port=1)):
        assert away.send(letter()) == Refused("unreachable", may_retry=True)
    assert not server.asked


def test_a_tenant_without_a_secret_and_a_text_too_long_are_refused(server: Server) -> None:
    """Unsigned, nothing goes."""
    unsigned = Webhook(server.client, lambda tenant: [], VirtualClock(AT))
    assert unsigned.send(letter()) == Refused("no_secret", may_retry=False)
    assert sender(server).send(letter(body="x" * MAX_BODY)) == Refused("too_long", may_retry=False)
    assert not server.asked
