"""The event simulator speaks as SES does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from betimes.adapters.sim import SLOW_S
from betimes.core.contact import Event
from betimes.local.mailbox import Delivered
from betimes.local.provider_events import events_of, publish
from betimes.wire import ses_events
from tests.local.conftest import ROOT, Cloud

SENT_AT = datetime(2026, 3, 6, 2, 0, 13, 412_000, tzinfo=UTC)
HEARD_AT = SENT_AT + timedelta(seconds=2)
ACCOUNT = "000000000000"


def mail(to: str, *, configuration_set: str = "set") -> Delivered:
    """Return a mail as the mailbox reads it."""
    return Delivered(
        channel="email",
        contact_id="c_1",
        to=to,
        subject="Your bill",
        text="",
        at=SENT_AT,
        provider_id="m-1",
        source="bills@lender.example",
        configuration_set=configuration_set,
        tags={"contact_id": "c_1", "attempt": "2", "tenant": "acme"},
        headers=(("From", "bills@lender.example"), ("X-Contact-Id", "c_1")),
    )


def heard(message: Delivered) -> Sequence[Any]:
    """Return what our own reader of SES events makes of the simulator's events."""
    events = events_of(message, sent_at=SENT_AT, heard_at=HEARD_AT, account=ACCOUNT)
    return [ses_events.parse(json.dumps(event)) for event in events]


@pytest.mark.parametrize(
    ("local_part", "expected"),
    [
        ("b1", [Event.ACCEPTED, Event.DELIVERED]),
        ("hard", [Event.ACCEPTED, Event.BOUNCED_HARD]),
        ("Hard+b7", [Event.ACCEPTED, Event.BOUNCED_HARD]),
        ("soft", [Event.ACCEPTED, Event.BOUNCED_SOFT]),
        ("optout", [Event.ACCEPTED, Event.DELIVERED]),
        ("throttle", [Event.ACCEPTED, Event.DELIVERED]),
        ("complaint", [Event.ACCEPTED, Event.DELIVERED, Event.COMPLAINED]),
        ("slow", [Event.ACCEPTED, Event.DELAYED, Event.DELIVERED]),
        ("refused", [Event.ACCEPTED, Event.FAILED]),
        ("doubled", [Event.ACCEPTED, Event.ACCEPTED, Event.DELIVERED, Event.DELIVERED]),
        ("reordered", [Event.COMPLAINED, Event.DELIVERED, Event.ACCEPTED]),
        ("silent", []),
    ],
)
def test_the_local_part_chooses_what_is_heard(local_part: str, expected: list[Event]) -> None:
    """Our reader understands each event as the one it stands for, with contact, attempt and time."""
    said = heard(mail(f"{local_part}@example.com"))
    assert [event.event for event in said] == expected
    assert {(event.contact_id, event.attempt) for event in said} <= {("c_1", 2)}
    own_act = (Event.ACCEPTED, Event.FAILED)
    late = timedelta(seconds=SLOW_S)
    for event in said:
        at = SENT_AT if event.event in own_act else HEARD_AT
        is_late = event.event is Event.DELIVERED and Event.DELAYED in expected
        assert event.at == (at + late if is_late else at)


def test_mail_without_a_configuration_set_has_no_tags() -> None:
    """As at SES: no configuration set, no tags, so nothing can be told about a contact."""
    assert heard(mail("b1@example.com", configuration_set="")) == [None, None]


@pytest.mark.parametrize(
    ("local_part", "place", "golden"),
    [
        ("b1", 0, "send"),
        ("b1", 1, "delivery"),
        ("hard", 1, "bounce_permanent"),
        ("soft", 1, "bounce_transient"),
        ("complaint", 2, "complaint"),
        ("slow", 1, "delay"),
    ],
)
def test_events_have_the_shape_of_real_ones(local_part: str, place: int, golden: str) -> None:
    """Every field that the simulator writes is in the recorded event of that kind, with its type."""
    message = mail(f"{local_part}@example.com")
    event = events_of(message, sent_at=SENT_AT, heard_at=HEARD_AT, account=ACCOUNT)[place]
    recorded = json.loads((ROOT / "events" / f"on_feedback_{golden}.json").read_text())
    body = json.loads(recorded["Records"][0]["body"])
    assert_part_of(event, json.loads(body["Message"]), Path())


def test_published_events_arrive_in_order(cloud: Cloud) -> None:
    """All events of more mails than fit a batch reach a subscribed queue; an SMS has none."""
    emulator = cloud.emulator
    topic = emulator.client("sns").create_topic(Name="feedback")["TopicArn"]
    url, arn = cloud.queue("heard")
    emulator.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    mails = [mail(f"b{number}@example.com") for number in range(7)]
    sms = Delivered("sms", "", "+8613800000000", "", "", SENT_AT, "m-2")
    count = publish(emulator, topic, [*mails, sms], sent_at=SENT_AT, heard_at=HEARD_AT)
    assert count == 14
    queues = emulator.read("/_ministack/sqs/messages")["messages"][ACCOUNT][emulator.region]
    (messages,) = queues.values()
    kinds = [json.loads(message["Body"])["eventType"] for message in messages]
    assert kinds == ["Send", "Delivery"] * 7
    assert url


def assert_part_of(made: Any, recorded: Any, place: Path) -> None:
    """Assert that `made` has no key, and no type of value, that `recorded` has not."""
    if isinstance(made, dict):
        own = set(made) - set(recorded)
        assert not own, f"{place}: {own}"
        for key, value in made.items():
            assert_part_of(value, recorded[key], place / key)
    elif isinstance(made, list):
        assert isinstance(recorded, list), str(place)
        for value in made:
            alike = [each for each in recorded if type(each) is type(value)]
            assert alike, str(place)
            assert_part_of(value, alike[0], place / "0")
    else:
        assert type(made) is type(recorded), str(place)
