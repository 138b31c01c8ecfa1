"""The senders against a server that loses answers: one call, one request, one true answer."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import botocore.session
import pytest
from botocore.config import Config

from betimes.adapters import clients, send_failures
from betimes.adapters.send_failures import Verdict
from betimes.adapters.ses import Email
from betimes.adapters.sms import Sms
from betimes.core.message import Text
from betimes.ports import Accepted, Letter, Refused, Sender, Unknown

SENDERS = ("email", "sms")
SERVICES = {"email": "sesv2", "sms": "sns"}


@dataclass
class Provider:
    """A server on loopback that takes every request and then behaves as told."""

    behaviour: str = "accept"
    status: int = 200
    code: str = ""
    requests: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    provider: ClassVar[Provider]

    def do_POST(self) -> None:
        provider = self.provider
        provider.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
        if provider.behaviour == "too_slow":
            provider.released.wait()
        elif provider.behaviour == "reset":
            # Lingering for zero seconds makes close() send a reset instead of an orderly end.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        else:
            self._answer(provider)

    def _answer(self, provider: Provider) -> None:
        if self.path.startswith("/v2/"):
            body = b'{"MessageId": "m-1"}' if provider.status == 200 else b'{"message": "no"}'
        elif provider.status == 200:
            body = (
                b"<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>"
                b"</PublishResponse>"
            )
        else:
            error = f"<Error><Code>{provider.code}</Code><Message>no</Message></Error>"
            body = f"<ErrorResponse>{error}</ErrorResponse>".encode()
        if provider.behaviour == "garbage":
            body = b"<<<{{{"
        self.send_response(provider.status)
        self.send_header("Content-Length", str(len(body)))
        if provider.code:
            self.send_header("x-amzn-errortype", provider.code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    # Connections that are cut on purpose are no news.
    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = _Server(("127.0.0.1", 0), handler)
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    provider.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client factory of production, with a reading time that a test can afford."""
    monkeypatch.setattr(clients, "READ_TIMEOUT_S", 0.3)


def sender(channel: str, endpoint: str) -> Sender:
    client = clients.client(SERVICES[channel], region="us-east-1", endpoint=endpoint, sends=True)
    if channel == "email":
        return Email(client, sender="bills@lender.example", configuration_set="reminders")
    return Sms(client)


def letter(channel: str) -> Letter:
    address = {"email": "borrower@example.com", "sms": "+12025550123"}[channel]
    return Letter("c_1", 1, "t1", address, Text(channel, "en", "Bill due", "CNY 12.00 is due."))


@pytest.mark.parametrize("channel", SENDERS)
@pytest.mark.parametrize(
    ("behaviour", "status", "cause"),
    [
        ("too_slow", 200, "ReadTimeoutError"),
        ("reset", 200, "ConnectionClosedError"),
        ("answer", 500, "http_500"),
        ("answer", 503, "http_503"),
    ],
)
def test_a_lost_answer_is_one_request_and_unknown(
    provider: Provider, channel: str, behaviour: str, status: int, cause: str
) -> None:
    """When the answer is late, lost or a 5xx, one send is one request, and its outcome unknown."""
    provider.behaviour, provider.status = behaviour, status
    if status == 503:
        # A code that sounds like a refusal does not make a 5xx one.
        provider.code = "ThrottlingException"

    answer = sender(channel, provider.url).send(letter(channel))

    assert answer == Unknown(cause)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("channel", SENDERS)
def test_the_slow_server_would_catch_a_client_that_retries(
    provider: Provider, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard above can fail: with boto3's own settings one call is several requests."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore's back-off
    provider.behaviour = "reset"
    careless = boto3.client(
        SERVICES[channel],
        region_name="us-east-1",
        endpoint_url=provider.url,
        config=Config(retries={"mode": "standard"}),
    )
    channels: dict[str, Sender] = {
        "email": Email(careless, sender="bills@lender.example", configuration_set="reminders"),
        "sms": Sms(careless),
    }

    channels[channel].send(letter(channel))

    assert len(provider.requests) > 1


@pytest.mark.parametrize("channel", SENDERS)
def test_an_answer_with_an_id_is_accepted(provider: Provider, channel: str) -> None:
    """A 2xx with the provider's id is the only thing that counts as accepted."""
    assert sender(channel, provider.url).send(letter(channel)) == Accepted("m-1")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("channel", SENDERS)
def test_an_answer_nobody_can_read_is_unknown(provider: Provider, channel: str) -> None:
    """A 200 whose body is not an answer leaves the outcome unknown."""
    provider.behaviour = "garbage"

    assert isinstance(sender(channel, provider.url).send(letter(channel)), Unknown)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("channel", SENDERS)
def test_a_refused_connection_is_surely_not_sent(channel: str) -> None:
    """A connection that was never made is a refusal that may be tried again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        # Bound and not listening: the port is ours and refuses.
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
        answer = sender(channel, endpoint).send(letter(channel))

    assert answer == Refused("EndpointConnectionError", may_retry=True)


@pytest.mark.parametrize("channel", SENDERS)
def test_a_failed_handshake_is_surely_not_sent(provider: Provider, channel: str) -> None:
    """A server that does not speak TLS got no message: a refusal that may be tried again."""
    answer = sender(channel, provider.url.replace("http:", "https:")).send(letter(channel))

    assert answer == Refused("SSLError", may_retry=True)
    assert provider.requests == []


TABLES = {"email": send_failures.SES, "sms": send_failures.SNS}
CASES = [
    (channel, code, verdict) for channel in SENDERS for code, verdict in TABLES[channel].items()
]


@pytest.mark.parametrize(("channel", "code", "verdict"), CASES)
def test_each_code_gets_its_verdict(
    provider: Provider, channel: str, code: str, verdict: Verdict
) -> None:
    """A 4xx with a listed code is what the table says, and cost one request."""
    provider.status, provider.code = 400, code

    answer = sender(channel, provider.url).send(letter(channel))

    expected = {
        Verdict.LATER: Refused(code, may_retry=True),
        Verdict.NEVER: Refused(code, may_retry=False),
        Verdict.UNKNOWN: Unknown(code),
    }
    assert answer == expected[verdict]
    assert len(provider.requests) == 1


@pytest.mark.parametrize("channel", SENDERS)
def test_a_code_nobody_has_judged_is_unknown(provider: Provider, channel: str) -> None:
    """A 4xx with a code that is in no table is unknown, never a refusal."""
    provider.status, provider.code = 400, "BrandNewException"

    assert sender(channel, provider.url).send(letter(channel)) == Unknown(
        "unlisted:BrandNewException"
    )


@pytest.mark.parametrize(
    ("service", "operation", "table"),
    [("sesv2", "SendEmail", send_failures.SES), ("sns", "Publish", send_failures.SNS)],
)
def test_every_error_of_the_service_models_is_listed(
    service: str, operation: str, table: dict[str, Verdict]
) -> None:
    """A botocore release with a new error code of a send fails here until somebody judged it."""
    model = botocore.session.Session().get_service_model(service).operation_model(operation)
    shapes = {
        shape.metadata.get("error", {}).get("code", shape.name): shape
        for shape in model.error_shapes
    }

    assert shapes, "the model names its errors"
    assert set(shapes) <= set(table)
    for code, shape in shapes.items():
        if shape.metadata["error"]["httpStatusCode"] >= 500:
            assert table[code] is Verdict.UNKNOWN, code
