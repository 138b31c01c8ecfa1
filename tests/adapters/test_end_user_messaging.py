"""SMS through End User Messaging: what the service is asked for, checked against its own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from betimes import config
from betimes.adapters.end_user_messaging import MAX_LIVES_S, EndUserMessaging
from betimes.core.message import Text
from betimes.ports import Accepted, Letter, Refused, Unknown

NUMBER = "+447700900123"


def letter(body: str = "【某某】账单12.00元。", address: str = NUMBER, lives_s: int = 0) -> Letter:
    return Letter("c_abc", 2, "t1", address, Text("sms", "zh-CN", "", body), lives_s=lives_s)


@pytest.fixture
def client() -> Any:
    return boto3.client("pinpoint-sms-voice-v2", region_name="eu-west-1")


@pytest.fixture
def service(client: Any) -> Iterator[Stubber]:
    """Botocore's own stub: it checks requests and answers against the service's model."""
    with Stubber(client) as stub:
        yield stub


def request(**more: Any) -> dict[str, Any]:
    return {
        "DestinationPhoneNumber": NUMBER,
        "MessageBody": "【某某】账单12.00元。",
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "reminders",
        "Context": {
            config.TAG_CONTACT: "c_abc",
            config.TAG_ATTEMPT: "2",
            config.TAG_TENANT: "t1",
        },
        **more,
    }


def test_the_service_gets_text_number_and_our_ids(client: Any, service: Stubber) -> None:
    """The request is exactly this, and the service's id comes back."""
    service.add_response("send_text_message", {"MessageId": "m-1"}, request())

    answer = EndUserMessaging(client, configuration_set="reminders").send(letter())

    assert answer == Accepted("m-1")
    service.assert_no_pending_responses()


def test_what_is_set_travels_with_every_message(client: Any, service: Stubber) -> None:
    """Pool, country rules and the highest price are part of each request."""
    expected = request(
        OriginationIdentity="pool-1", ProtectConfigurationId="protect-1", MaxPrice="0.05"
    )
    service.add_response("send_text_message", {"MessageId": "m-1"}, expected)

    sender = EndUserMessaging(
        client,
        configuration_set="reminders",
        origination="pool-1",
        protect_configuration="protect-1",
        max_price="0.05",
    )

    assert sender.send(letter()) == Accepted("m-1")


@pytest.mark.parametrize(
    ("lives_s", "told"),
    [(1, 5), (5, 5), (3600, 3600), (MAX_LIVES_S, 259_200), (MAX_LIVES_S + 1, 259_200)],
)
def test_a_message_lives_as_long_as_it_is_useful(
    client: Any, service: Stubber, lives_s: int, told: int
) -> None:
    """The time to live is that of the letter, within what the service takes."""
    service.add_response("send_text_message", {"MessageId": "m-1"}, request(TimeToLive=told))

    answer = EndUserMessaging(client, configuration_set="reminders").send(letter(lives_s=lives_s))

    assert answer == Accepted("m-1")


def test_the_limits_are_those_of_the_model(client: Any) -> None:
    """A new model with other limits of the time to live or the text fails here."""
    shape = client.meta.service_model.operation_model("SendTextMessage").input_shape

    assert shape.members["TimeToLive"].metadata == {"min": 5, "max": MAX_LIVES_S}
    assert shape.members["MessageBody"].metadata["max"] == 1_600


def test_an_answer_without_an_id_is_unknown(client: Any, service: Stubber) -> None:
    """A 2xx that names no message may have sent one."""
    service.add_response("send_text_message", {}, request())

    answer = EndUserMessaging(client, configuration_set="reminders").send(letter())

    assert answer == Unknown("no_message_id")


@pytest.mark.parametrize("address", ["", "12025550123", "+0202555012", "+44 7700900123", "pool-1"])
def test_a_number_that_is_not_e164_is_refused(address: str) -> None:
    """No request is made for a bad number."""
    sender = EndUserMessaging(None, configuration_set="reminders")

    assert sender.send(letter(address=address)) == Refused("bad_address", may_retry=False)


def test_a_text_above_the_limit_is_refused(client: Any, service: Stubber) -> None:
    """1,600 characters go, one more is refused without a request."""
    service.add_response(
        "send_text_message", {"MessageId": "m-1"}, request(MessageBody="账" * 1600)
    )
    sender = EndUserMessaging(client, configuration_set="reminders")

    assert sender.send(letter("账" * 1600)) == Accepted("m-1")
    assert sender.send(letter("账" * 1601)) == Refused("too_long", may_retry=False)


@pytest.mark.parametrize(
    "settings",
    [
        {"configuration_set": ""},
        {"configuration_set": "reminders", "max_price": "5 cents"},
        {"configuration_set": "reminders", "max_price": "100.0"},
        {"configuration_set": "reminders", "max_price": "1"},
    ],
)
def test_a_bad_setting_stops_the_function(settings: dict[str, str]) -> None:
    """Settings are checked at start-up, not at the first message."""
    with pytest.raises(ValueError, match=r"configuration set|highest price"):
        EndUserMessaging(None, **settings)
