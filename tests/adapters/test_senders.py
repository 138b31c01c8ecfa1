"""The senders against a server that loses answers: one call, one request, one true answer."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import botocore.session
import pytest
from botocore.config import Config

from betimes.adapters import clients, send_failures
from betimes.adapters.end_user_messaging import EndUserMessaging
from betimes.adapters.inbox import Inbox
from betimes.adapters.push import Push
from betimes.adapters.send_failures import Verdict
from betimes.adapters.ses import Email
from betimes.adapters.sms import Sms
from betimes.core.message import Text
from betimes.lab.world import VirtualClock
from betimes.ports import Accepted, Letter, Refused, Sender, Unknown

SENDERS = ("email", "sms", "eum", "push", "inbox")
SERVICES = {
    "email": "sesv2",
    "sms": "sns",
    "eum": "pinpoint-sms-voice-v2",
    "push": "sns",
    "inbox": "dynamodb",
}
ADDRESSES = {
    "email": "borrower@example.com",
    "sms": "+12025550123",
    "eum": "+12025550123",
    "push": "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/betimes/0a1b2c3d-4e5f",
    "inbox": "b-1",
}
# What is accepted has the provider's id; a message in an inbox has none but our own.
IDS = {"inbox": "c_1"}

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@dataclass
class Provider:
    """A server on loopback that takes every request and then behaves as told."""

    behaviour: str = "accept"
    status: int = 200
    code: str = ""
    words: str = "no"
    reason: str = ""
    retry_after: str = ""
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
        # End User Messaging names its operation in a header, SESv2 in the path, SNS in the body.
        if "X-Amz-Target" in self.headers or self.path.startswith("/v2/"):
            answer = {"MessageId": "m-1"}
            refusal = {"message": provider.words, "__type": provider.code}
            if provider.reason:
                refusal["Reason"] = provider.reason
            body = json.dumps(answer if provider.status == 200 else refusal).encode()
        elif provider.status == 200:
            body = (
                b"<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>"
                b"</PublishResponse>"
            )
        else:
            error = (
                f"<Error><Code>{provider.code}</Code><Message>{provider.words}</Message></Error>"
            )
            body = f"<ErrorResponse>{error}</ErrorResponse>".encode()
        if provider.behaviour == "garbage":
            body = b"<<<{{{"
        self.send_response(provider.status)
        self.send_header("Content-Length", str(len(body)))
        if provider.code:
            self.send_header("x-amzn-errortype", provider.code)
        if provider.retry_after:
            self.send_header("Retry-After", provider.retry_after)
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


def over(channel: str, client: Any) -> Sender:
    match channel:
        case "email":
            return Email(client, sender="bills@lender.example", configuration_set="reminders")
        case "eum":
            return EndUserMessaging(client, configuration_set="reminders")
        case "push":
            return Push(client)
        case "inbox":
            return Inbox(client, "inbox", VirtualClock(AT))
        case _:
            return Sms(client)


def sender(channel: str, endpoint: str) -> Sender:
    return over(
        channel,
        clients.client(SERVICES[channel], region="us-east-1", endpoint=endpoint, sends=True),
    )


def letter(channel: str) -> Letter:
    name = "sms" if channel == "eum" else channel
    text = Text(name, "en", "Bill due", "CNY 12.00 is due.")
    return Letter(
        "c_1", 1, "t1", ADDRESSES[channel], text, lives_s=3600, borrower_id="b-1", decided_at=AT
    )


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
    over(channel, careless).send(letter(channel))

    assert len(provider.requests) > 1


@pytest.mark.parametrize("channel", SENDERS)
def test_an_answer_with_an_id_is_accepted(provider: Provider, channel: str) -> None:
    """A 2xx with the provider's id is the only thing that counts as accepted."""
    accepted = Accepted(IDS.get(channel, "m-1"))
    assert sender(channel, provider.url).send(letter(channel)) == accepted
    assert len(provider.requests) == 1


# DynamoDB's answer to a write says nothing but its status.
@pytest.mark.parametrize("channel", [each for each in SENDERS if each != "inbox"])
def test_an_answer_nobody_can_read_is_unknown(provider: Provider, channel: str) -> None:
    """A 200 whose body is not an answer leaves the outcome unknown."""
    provider.behaviour = "garbage"

    assert isinstance(sender(channel, provider.url).send(letter(channel)), Unknown)
    assert len(provider.requests) == 1


def test_a_message_that_is_there_already_is_accepted(provider: Provider) -> None:
    """Whoever repeats it after a lost answer stores nothing twice, and knows by the answer that it is there."""
    provider.status, provider.code = 400, "ConditionalCheckFailedException"
    assert sender("inbox", provider.url).send(letter("inbox")) == Accepted("c_1")
    [asked] = provider.requests
    assert json.loads(asked)["ConditionExpression"] == "attribute_not_exists(pk)"


def test_words_that_no_item_holds_are_refused_without_a_request(provider: Provider) -> None:
    """More than an item takes, and half of a character."""
    inbox = sender("inbox", provider.url)
    for body, code in (("账" * 200_000, "too_long"), ("a\ud800", "bad_text")):
        words = replace(letter("inbox"), text=Text("inbox", "en", "Bill due", body))
        assert inbox.send(words) == Refused(code, may_retry=False)
    assert provider.requests == []


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


TABLES = {
    "email": send_failures.SES,
    "sms": send_failures.SNS,
    "eum": send_failures.END_USER_MESSAGING,
    "push": send_failures.SNS,
    "inbox": send_failures.DYNAMODB,
}
# Codes that all providers have in common, whatever they call them.
OURS = {"EndpointDisabled": "endpoint_disabled", "OptedOut": "opted_out"}
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

    name = OURS.get(code, code)
    expected = {
        Verdict.PACE: Refused(name, may_retry=True, throttled=True),
        Verdict.LATER: Refused(name, may_retry=True),
        Verdict.NEVER: Refused(name, may_retry=False),
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


@pytest.mark.parametrize("channel", SENDERS)
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("999999", 3600), ("Fri, 06 Mar 2026 02:00:00 GMT", 0), ("-5", 0)],
)
def test_a_throttle_says_how_long_to_wait_where_the_provider_does(
    provider: Provider, channel: str, header: str, seconds: int
) -> None:
    """Too much at once is a refusal of the pace, with the provider's wait, an hour at most."""
    provider.status, provider.code, provider.retry_after = 429, "ThrottlingException", header

    assert sender(channel, provider.url).send(letter(channel)) == Refused(
        "ThrottlingException", may_retry=True, throttled=True, retry_after_s=seconds
    )


@pytest.mark.parametrize(
    ("channel", "code", "words", "reason", "expected"),
    [
        ("email", "TooManyRequestsException", "Maximum sending rate exceeded.", "", ""),
        ("email", "TooManyRequestsException", "Daily message quota exceeded.", "", "daily_quota"),
        ("email", "LimitExceededException", "Daily message quota exceeded", "", "daily_quota"),
        ("email", "Throttling", "Daily message quota exceeded.", "", "daily_quota"),
        ("eum", "ServiceQuotaExceededException", "", "DAILY_DESTINATION_CALL_LIMIT", "daily_quota"),
        (
            "eum",
            "ServiceQuotaExceededException",
            "",
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
            "spend_limit",
        ),
        ("eum", "ServiceQuotaExceededException", "", "POOLS_PER_ACCOUNT", ""),
    ],
)
def test_a_quota_for_a_day_or_a_month_has_a_code_of_its_own(
    provider: Provider, channel: str, code: str, words: str, reason: str, expected: str
) -> None:
    """A quota that is used up pauses the channel: it is a throttle that seconds do not mend."""
    provider.status, provider.code, provider.words, provider.reason = 400, code, words, reason

    assert sender(channel, provider.url).send(letter(channel)) == Refused(
        expected or code, may_retry=True, throttled=True
    )


@pytest.mark.parametrize(
    ("channel", "code", "words", "reason"),
    [
        ("sms", "InvalidParameter", "Phone number +12025550123 is opted out", ""),
        ("sms", "OptedOut", "no", ""),
        ("eum", "ConflictException", "no", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
    ],
)
def test_who_opted_out_is_refused_for_good_and_by_name(
    provider: Provider, channel: str, code: str, words: str, reason: str
) -> None:
    """No event will come for it: the answer itself says that the person opted out."""
    provider.status, provider.code, provider.words, provider.reason = 400, code, words, reason

    answer = sender(channel, provider.url).send(letter(channel))

    assert answer == Refused("opted_out", may_retry=False)


@pytest.mark.parametrize(
    ("reason", "may_retry"),
    [
        ("DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION", False),
        ("DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE", False),
        ("DESTINATION_PHONE_NUMBER_NOT_VERIFIED", False),
        ("NO_ORIGINATION_IDENTITIES_FOUND", True),
        ("RESOURCE_NOT_ACTIVE", True),
        ("", True),
    ],
)
def test_a_conflict_is_about_the_number_or_about_our_set_up(
    provider: Provider, reason: str, may_retry: bool
) -> None:
    """What a person can mend may be tried again; a number that is blocked may not."""
    provider.status, provider.code, provider.reason = 400, "ConflictException", reason

    answer = sender("eum", provider.url).send(letter("eum"))

    assert answer == Refused("ConflictException", may_retry=may_retry)


def test_the_reasons_that_are_judged_exist() -> None:
    """Each reason in our tables is one of the service's model: a misspelt one would never match."""
    service = botocore.session.Session().get_service_model("pinpoint-sms-voice-v2")
    conflicts = set(service.shape_for("ConflictExceptionReason").enum)
    quotas = set(service.shape_for("ServiceQuotaExceededExceptionReason").enum)

    assert send_failures._REASONS_OF_THE_NUMBER | {send_failures._REASON_OPTED_OUT} <= conflicts
    assert quotas >= send_failures._REASONS_OF_A_DAY | send_failures._REASONS_OF_MONEY


@pytest.mark.parametrize("channel", SENDERS)
def test_no_answer_repeats_what_the_provider_wrote(provider: Provider, channel: str) -> None:
    """The words of an error may hold an address or a number: neither code nor cause has them."""
    provider.status, provider.words = 400, f"{ADDRESSES[channel]} is opted out, daily"
    for code in [*TABLES[channel], "BrandNewException"]:
        provider.code = code
        answer = sender(channel, provider.url).send(letter(channel))
        assert ADDRESSES[channel] not in repr(answer)


@pytest.mark.parametrize(
    ("service", "operation", "table"),
    [
        ("sesv2", "SendEmail", send_failures.SES),
        ("sns", "Publish", send_failures.SNS),
        ("pinpoint-sms-voice-v2", "SendTextMessage", send_failures.END_USER_MESSAGING),
        (
            "dynamodb",
            "PutItem",
            # That the message is there already is an acceptance.
            {**send_failures.DYNAMODB, "ConditionalCheckFailedException": Verdict.NEVER},
        ),
    ],
)
def test_every_error_of_the_service_models_is_listed(
    service: str, operation: str, table: dict[str, Verdict]
) -> None:
    """A botocore release with a new error code of a send fails here until somebody judged it."""
    model = botocore.session.Session().get_service_model(service).operation_model(operation)
    errors = {
        shape.metadata.get("error", {}).get("code", shape.name): shape.metadata
        for shape in model.error_shapes
    }

    assert errors, "the model names its errors"
    assert set(errors) <= set(table)
    for code, metadata in errors.items():
        status = metadata.get("error", {}).get("httpStatusCode", 0)
        # A model without statuses marks its own failure as one that may be repeated, and is no throttle.
        retryable = metadata.get("retryable")
        if status >= 500 or (retryable and not retryable["throttling"]):
            assert table[code] is Verdict.UNKNOWN, code
        if retryable and retryable["throttling"]:
            assert table[code] is Verdict.PACE, code
