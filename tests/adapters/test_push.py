"""Mobile push: what a locked screen is given, what only the app is given, and endpoints that are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from betimes.adapters.push import MAX_PAYLOAD, Push
from betimes.core.message import Text
from betimes.ports import Accepted, Letter, Refused

REGION = "us-east-1"
LOCK = "账单提醒：请在App内查看"
OPEN = "您本期账单1,234.50元，请于12月9日前还款。"
PLATFORMS = ("APNS", "APNS_SANDBOX", "GCM", "BAIDU")


def arn(platform: str) -> str:
    return f"arn:aws:sns:{REGION}:123456789012:endpoint/{platform}/betimes/0a1b2c3d-4e5f"


def letter(address: str, *, lock: str = LOCK, body: str = OPEN, lives_s: int = 3600) -> Letter:
    return Letter("c_abc", 2, "t1", address, Text("push", "zh-CN", lock, body), lives_s=lives_s)


class Recorder:
    """A client that keeps what it is asked to publish."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def publish(self, **request: Any) -> dict[str, str]:
        self.requests.append(request)
        return {"MessageId": "m-1"}


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def sns() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sns", region_name=REGION)


def endpoint(sns: Any) -> str:
    application = sns.create_platform_application(
        Name="betimes", Platform="GCM", Attributes={"PlatformCredential": "key"}
    )["PlatformApplicationArn"]
    made: str = sns.create_platform_endpoint(PlatformApplicationArn=application, Token="token")[
        "EndpointArn"
    ]
    return made


def published(recorder: Recorder, platform: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the payload of the platform and the attributes of the one request."""
    (request,) = recorder.requests
    attributes = {n: v["StringValue"] for n, v in request["MessageAttributes"].items()}
    return json.loads(json.loads(request["Message"])[platform]), attributes


def test_sns_takes_the_message_for_an_endpoint(sns: Any) -> None:
    """A working endpoint takes the message, and its id comes back."""
    assert isinstance(Push(sns).send(letter(endpoint(sns))), Accepted)


def test_an_endpoint_that_is_disabled_says_so(sns: Any) -> None:
    """The app is gone: a final refusal with the code by which the address is given up."""
    gone = endpoint(sns)
    sns.set_endpoint_attributes(EndpointArn=gone, Attributes={"Enabled": "false"})

    assert Push(sns).send(letter(gone)) == Refused("endpoint_disabled", may_retry=False)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_locked_screen_is_given_the_lock_text_alone(recorder: Recorder, platform: str) -> None:
    """Text, amount and ids stand where only the app looks; what a phone shows is the subject."""
    assert Push(recorder).send(letter(arn(platform))) == Accepted("m-1")

    payload, _ = published(recorder, platform)
    data = {"contact_id": "c_abc", "attempt": "2", "text": OPEN}
    match platform:
        case "GCM":
            message = payload["fcmV1Message"]["message"]
            hidden = message.pop("data")
            assert message["notification"] == {"title": LOCK}
            assert message["android"]["notification"]["visibility"] == "PRIVATE"
        case "BAIDU":
            hidden = payload.pop("custom_content")
            assert set(payload.values()) == {LOCK}
        case _:
            hidden = payload.pop("betimes")
            assert payload == {"aps": {"alert": LOCK, "sound": "default"}}
    assert hidden == data
    assert "1,234.50" not in json.dumps(payload, ensure_ascii=False)
    default = json.loads(recorder.requests[0]["Message"])["default"]
    assert default == LOCK


@pytest.mark.parametrize("platform", PLATFORMS)
def test_only_the_platform_of_the_endpoint_gets_a_payload(
    recorder: Recorder, platform: str
) -> None:
    """One endpoint is of one platform; SNS wants a default besides."""
    Push(recorder).send(letter(arn(platform)))

    assert recorder.requests[0]["MessageStructure"] == "json"
    assert set(json.loads(recorder.requests[0]["Message"])) == {"default", platform}


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("APNS", {"APNS"}),
        ("APNS_SANDBOX", {"APNS_SANDBOX"}),
        ("GCM", {"FCM", "GCM"}),
        ("BAIDU", {"BAIDU"}),
    ],
)
def test_a_message_lives_as_long_as_it_is_useful(
    recorder: Recorder, platform: str, names: set[str]
) -> None:
    """The time to live goes to the platform under each of its names; none where nobody said."""
    push = Push(recorder)
    push.send(letter(arn(platform)))
    _, attributes = published(recorder, platform)
    recorder.requests.clear()
    push.send(letter(arn(platform), lives_s=0))
    _, without = published(recorder, platform)

    expected = {f"AWS.SNS.MOBILE.{name}.TTL": "3600" for name in names}
    assert {n: v for n, v in attributes.items() if n.endswith("TTL")} == expected
    assert not any(name.endswith("TTL") for name in without)


def test_a_repetition_replaces_the_message_on_the_phone(recorder: Recorder) -> None:
    """Apple's collapse id and Android's tag are the contact: two attempts are one entry."""
    push = Push(recorder)
    push.send(letter(arn("APNS")))
    push.send(letter(arn("GCM")))

    apple, android = recorder.requests
    attribute = apple["MessageAttributes"]["AWS.SNS.MOBILE.APNS.COLLAPSE_ID"]
    assert attribute["StringValue"] == "c_abc"
    message = json.loads(json.loads(android["Message"])["GCM"])["fcmV1Message"]["message"]
    assert message["android"]["notification"]["tag"] == "c_abc"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_payload_has_at_most_four_kilobytes(recorder: Recorder, platform: str) -> None:
    """The longest text that fits goes; one byte more is refused without a request."""
    push = Push(recorder)
    push.send(letter(arn(platform), body=""))
    empty = json.loads(recorder.requests.pop()["Message"])[platform]
    room = MAX_PAYLOAD - len(empty.encode())

    assert push.send(letter(arn(platform), body="a" * room)) == Accepted("m-1")
    refused = Refused("too_long", may_retry=False)
    assert push.send(letter(arn(platform), body="a" * (room + 1))) == refused
    assert push.send(letter(arn(platform), body="账" * (room // 3 + 1))) == refused
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "token",
        "arn:aws:sns:us-east-1:123456789012:topic",
        arn("GCM") + "\n",
        arn("LEVITATION"),
        arn("ADM"),
        "arn:aws:sns:us-east-1:12345:endpoint/GCM/betimes/0a1b2c3d",
    ],
)
def test_what_is_no_endpoint_of_ours_is_refused(recorder: Recorder, address: str) -> None:
    """A topic would be a message to many: anything but one endpoint is refused without a request."""
    assert Push(recorder).send(letter(address)) == Refused("bad_address", may_retry=False)
    assert recorder.requests == []


def test_a_message_without_a_lock_text_is_refused(recorder: Recorder) -> None:
    """Where there is nothing to show on a locked screen, the other text is not taken instead."""
    answer = Push(recorder).send(letter(arn("APNS"), lock=" "))

    assert answer == Refused("no_lock_text", may_retry=False)
    assert recorder.requests == []
