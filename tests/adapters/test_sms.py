"""SMS: the number and the class of the message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from betimes.adapters.sms import Sms
from betimes.core.message import Text
from betimes.ports import Accepted, Letter, Refused

REGION = "us-east-1"


def letter(address: str = "+12025550123") -> Letter:
    return Letter("c_abc", 1, "t1", address, Text("sms", "zh-CN", "", "【某某】账单12.00元。"))


@pytest.fixture
def sns() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sns", region_name=REGION)


def test_sns_gets_the_text_as_it_was_rendered(sns: Any) -> None:
    """The SMS that SNS keeps has the number and the rendered text, and its id comes back."""
    answer = Sms(sns).send(letter())

    sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages
    assert isinstance(answer, Accepted)
    assert sent[answer.provider_id] == ("+12025550123", "【某某】账单12.00元。")


def test_a_reminder_is_transactional(sns: Any) -> None:
    """The message goes out in the class for messages that matter."""
    seen: dict[str, Any] = {}
    sns.meta.events.register(
        "provide-client-params.sns.Publish", lambda params, **_: seen.update(params)
    )

    Sms(sns).send(letter())

    assert seen["MessageAttributes"]["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "abc",
        "12025550123",
        "+02025550123",
        "+120255",
        "+1202555012345678",
        "+1 2025550123",
        "+12025550123\n",
        "+١٢٠٢٥٥٥٠١٢٣",
        "arn:aws:sns:us-east-1:123456789012:topic",
    ],
)
def test_a_number_that_is_not_e164_is_refused(address: str) -> None:
    """Numbers are checked here, since emulators take any: no request is made for a bad one."""
    assert Sms(client=None).send(letter(address)) == Refused("bad_address", may_retry=False)


def test_how_long_a_message_lives_is_nothing_that_sns_can_be_told(sns: Any) -> None:
    """SNS has no time to live for an SMS: the request is the same with one and without."""
    seen: list[dict[str, Any]] = []
    sns.meta.events.register(
        "provide-client-params.sns.Publish", lambda params, **_: seen.append(dict(params))
    )

    Sms(sns).send(letter())
    Sms(sns).send(replace(letter(), lives_s=3600))

    assert seen[0] == seen[1]
