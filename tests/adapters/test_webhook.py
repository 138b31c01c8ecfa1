"""Webhooks: one request to a real TLS server, what each answer means, and that no private address is ever asked."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from betimes.adapters import guarded_https
from betimes.adapters.guarded_https import GuardedHttps, NoAnswer, NotSent, is_public, world
from betimes.adapters.webhook import MAX_BODY, Hook, Webhook, parsed
from betimes.core import bounces, webhooks
from betimes.core.endpoints import NOT_ASKED, Outcome
from betimes.core.errors import Unavailable
from betimes.core.message import Text
from betimes.flows.endpoints import outcome_of
from betimes.lab.world import VirtualClock
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown
from tests.adapters.tls import HOST, LOOPBACK, Server

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
KEY = b"k" * 32


def letter(address: str = f"https://{HOST}/in?a=1", body: str = "您的账单将于3月9日到期") -> Letter:
    text = Text("inbox", "zh-CN", "账单提醒", body)
    return Letter("c_abc", 2, "t1", address, text, lives_s=60, borrower_id="b1")


@dataclass
class ToAddress:
    """A sender to a server that stands at the address of each letter."""

    client: GuardedHttps

    def send(self, letter: Letter) -> Answer:
        hook = Hook(letter.address, (KEY,))
        return Webhook(self.client, lambda tenant: hook, VirtualClock(AT)).send(letter)


def sender(server: Server, **fields: Any) -> ToAddress:
    """Return a sender whose names all lead to the server."""
    return ToAddress(server.at(**fields))


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
            "borrower_id": "b1",
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
        (404, Refused("http_404", may_retry=True)),
        (408, Refused("http_408", may_retry=True)),
        (410, Refused("endpoint_gone", may_retry=False)),
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
        f"https://{'a' * 64}.lender.example/",
        "https://hooks..example/",
        "https://-.example/",
        "https://hooks%2elender.example/",
        "https://hooks.lender.example,evil.example/",
        "https://hooks.lender.123/",
        "ftp://hooks.lender.example/",
        "",
    ],
)
def test_an_address_of_another_form_is_never_asked(server: Server, url: str) -> None:
    """Refused for good before a name is looked up: an address that ends is blocked."""

    def never(host: str) -> list[str]:
        raise AssertionError("a name was looked up")

    assert sender(server, resolve=never).send(letter(url)) == Refused(
        "bad_endpoint", may_retry=False
    )
    assert not server.asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1",
        "2001:0:7f00:1::1", "2001:db8::1", "::7f00:1", "::10.0.0.1", "64:ff9b:1::1", "fec0::1", "nothing", "",
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_never_asked(server: Server, address: str) -> None:
    """Neither alone nor behind a public address; `is_public` is what the sender of a deployment asks."""
    assert not is_public(address)
    for found in ([address], ["93.184.216.34", address]):
        inside = sender(server, resolve=lambda host, found=found: found, permits=is_public)
        assert inside.send(letter()) == Refused("bad_endpoint", may_retry=False)
    assert world().permits is is_public


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    """So that the refusals above are of something."""
    assert is_public(address)


def test_a_name_in_another_script_is_a_name(server: Server) -> None:
    """Written as DNS has it: its last label holds digits and hyphens."""
    seen: list[str] = []

    def away(host: str) -> list[str]:
        seen.append(host)
        raise OSError("not today")

    for url in ("https://xn--fsqu00a.xn--fiqs8s/in", "https://HOOKS.lender.example:443/in"):
        assert sender(server, resolve=away).send(letter(url)) == Refused(
            "unreachable", may_retry=True
        )
    assert seen == ["xn--fsqu00a.xn--fiqs8s", HOST]


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


def test_an_answer_that_drips_is_cut_at_the_deadline(server: Server) -> None:
    """No single read waits long; the whole call does, and ends as one nobody knows the outcome of."""
    server.drips = b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 400 + b"\r\nContent-Length: 0\r\n\r\n"
    assert sender(server).send(letter()) == Unknown("no_answer")
    assert len(server.asked) == 1


def test_a_body_that_drips_is_not_waited_for(server: Server) -> None:
    """The status of a webhook's answer says all there is."""
    server.drips = b"HTTP/1.1 204 No\r\nContent-Length: 900\r\n\r\n" + b"a" * 900
    assert sender(server).send(letter()) == Accepted("c_abc")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-hello\r\n",
    ],
)
def test_an_answer_of_nonsense_is_no_answer(server: Server, answer: bytes) -> None:
    """And never an error of ours: the request was made, and its outcome has to be recorded."""
    server.drips = answer
    with pytest.raises(NoAnswer):
        server.client.post(f"https://{HOST}/", {}, b"{}")


def test_an_answer_without_end_is_not_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the interim answers before the real one, nor a body in parts of a length below nothing."""
    monkeypatch.setattr(guarded_https, "MAX_READ", 60)
    server.drips = b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\n\r\n"
    assert sender(server).send(letter()) == Unknown("no_answer")


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nY: b"}, {"X": "a\n"}, {"X": "é"}, {"X Y": "a"}, {"": "a"}, {"X": "\ud800"}],
)
def test_a_header_that_is_no_line_is_never_sent(server: Server, headers: dict[str, str]) -> None:
    """It could say something else than was meant, and an error after the claim would leave the outcome open."""
    with pytest.raises(NotSent, match="bad_header"):
        server.client.post(f"https://{HOST}/", headers, b"{}")
    assert not server.asked


def test_half_a_character_is_refused_without_a_request(server: Server) -> None:
    """It cannot be written as UTF-8; the claim has been made by then, so it is an answer and no error."""
    assert sender(server).send(letter(body="a\ud800")) == Refused("bad_text", may_retry=False)
    assert not server.asked


def test_the_next_address_is_tried_while_nothing_was_said(server: Server) -> None:
    """A name with an address that does not answer here, such as one of IPv6: the request is made once."""
    ways = {"resolve": lambda host: ["127.0.0.2", LOOPBACK], "permits": lambda address: True}
    assert sender(server, **ways).send(letter()) == Accepted("c_abc")
    assert len(server.asked) == 1


def test_a_slow_name_server_leaves_no_time_to_connect(server: Server) -> None:
    """The lease of an attempt is not overrun: nothing was said, and it is tried later."""
    hours = iter([0.0, 3_600.0])
    slow = sender(server, clock=lambda: next(hours))
    assert slow.send(letter()) == Refused("unreachable", may_retry=True)
    assert not server.asked


def test_a_tenant_without_a_secret_and_a_text_too_long_are_refused(server: Server) -> None:
    """Unsigned, nothing goes."""
    nowhere = Webhook(server.client, lambda tenant: None, VirtualClock(AT))
    assert nowhere.send(letter()) == Refused("no_endpoint", may_retry=False)

    def away(tenant: str) -> Hook:
        raise Unavailable("no secrets today")

    unsigned = Webhook(server.client, away, VirtualClock(AT))
    assert unsigned.send(letter()) == Refused("no_secret", may_retry=True)
    assert sender(server).send(letter(body="x" * MAX_BODY)) == Refused("too_long", may_retry=False)
    assert not server.asked


def test_no_refusal_of_a_server_blocks_a_borrower(server: Server) -> None:
    """It is about the lender's own machine: whatever the server says, the borrower can be reached otherwise."""
    answers = []
    for status in (302, 400, 401, 404, 410, 429):
        server.status = status
        answers.append(sender(server).send(letter()))
    answers.append(sender(server).send(letter("https://10.0.0.1/")))
    for answer in answers:
        assert isinstance(answer, Refused)
        assert not bounces.ends_address(answer.code)
        assert not bounces.is_opt_out(answer.code)
        assert outcome_of(answer) in (Outcome.FAILURE, Outcome.GONE)


def test_what_was_not_asked_says_nothing_of_the_server(server: Server) -> None:
    """The refusals of our own are listed, each of them."""
    own = [
        Webhook(server.client, lambda tenant: None, VirtualClock(AT)).send(letter()),
        sender(server).send(letter(body="x" * MAX_BODY)),
        sender(server).send(letter(body="\ud800")),
    ]
    assert {each.code for each in own if isinstance(each, Refused)} < NOT_ASKED
    assert [outcome_of(each) for each in own] == [None] * 3


SECRET = "whsec_" + "a2tr" * 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"t1": 1}',
        '{"t1": {"url": "https://a.example/"}}',
        f'{{"t1": {{"url": 1, "secrets": ["{SECRET}"]}}}}',
        '{"t1": {"url": "https://a.example/", "secrets": []}}',
        '{"t1": {"url": "https://a.example/", "secrets": ["whsec_short"]}}',
        f'{{"t1": {{"url": "https://a.example/", "secrets": ["{SECRET}"], "more": 1}}}}',
    ],
)
def test_a_setting_of_another_form_is_refused_in_silence(text: str) -> None:
    """And nothing of it stands in the error."""
    with pytest.raises(Unavailable) as refused:
        parsed(text)
    assert "whsec" not in str(refused.value)
    assert "example" not in str(refused.value)


def test_a_setting_names_each_tenants_server() -> None:
    """With all its secrets, in order, and no word of it in `repr`."""
    text = json.dumps({"t1": {"url": "https://a.example/", "secrets": [SECRET, SECRET[:-4]]}})
    found = parsed(text)["t1"]
    assert found == Hook("https://a.example/", (b"kkk" * 10, b"kkk" * 9))
    assert "example" not in repr(found)
    assert "kkk" not in repr(found)
