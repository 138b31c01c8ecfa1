"""Events of End User Messaging: the real shapes, what each means to a contact, and what is not ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from betimes.core.bounces import bounce_class
from betimes.core.contact import Event, State, moved
from betimes.core.errors import Rejected
from betimes.core.feedback import Cost, ProviderEvent
from betimes.wire import end_user_messaging_events as events

REPORTS = Path(__file__).parents[2] / "events" / "reports"
NAMES = sorted(
    path.stem.removeprefix("end_user_messaging_")
    for path in REPORTS.glob("end_user_messaging_*.json")
)
CONTACT = "c_tov7vxuz4j3pxapj7nd5rryjx2"
MESSAGE = "862a8790-60c0-4430-9b2b-658bd0000001"


def body(name: str) -> str:
    return (REPORTS / f"end_user_messaging_{name}.json").read_text("utf-8")


def payload(name: str = "delivered", **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(json.loads(body(name))["Message"])
    return event | changes


def parsed(fields: dict[str, Any]) -> ProviderEvent | None:
    return events.parse(json.dumps(fields))


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("queued", Event.ACCEPTED),
        ("sent", Event.ACCEPTED),
        ("pending", Event.DELAYED),
        ("successful", Event.DELAYED),
        ("delivered", Event.DELIVERED),
        ("unreachable", Event.BOUNCED_SOFT),
        ("ttl_expired", Event.BOUNCED_SOFT),
        ("invalid", Event.BOUNCED_HARD),
        ("carrier_blocked", Event.BOUNCED_HARD),
        ("spam", Event.BOUNCED_HARD),
        ("invalid_message", Event.FAILED),
        ("unknown", None),
    ],
)
def test_each_sample_becomes_its_evidence(name: str, event: Event | None) -> None:
    """Every sample in SNS's envelope gives its evidence, or none where nothing is known."""
    found = events.parse(body(name))

    assert (found.event if found else None) is event
    assert found == parsed(payload(name)), "the same without the envelope"


def test_every_sample_is_in_the_table_above() -> None:
    """A new sample needs a row."""
    assert len(NAMES) == 12


def test_an_event_carries_contact_attempt_time_identity_and_code() -> None:
    """All of a core event comes from the report itself."""
    assert events.parse(body("delivered")) == ProviderEvent(
        contact_id=CONTACT,
        attempt=1,
        event=Event.DELIVERED,
        at=datetime(2026, 3, 6, 2, 0, 15, 755_000, tzinfo=UTC),
        key=f"eum#{MESSAGE}#TEXT_DELIVERED#final#2026-03-06T02:00:15.755000Z",
        detail="TEXT_DELIVERED",
        cost=Cost(8_810, "USD"),
    )


@pytest.mark.parametrize(
    ("kind", "early", "final"),
    [
        ("TEXT_SUCCESSFUL", Event.DELAYED, Event.DELIVERED),
        ("TEXT_UNREACHABLE", Event.DELAYED, Event.BOUNCED_SOFT),
        ("TEXT_CARRIER_UNREACHABLE", Event.DELAYED, Event.BOUNCED_SOFT),
        ("TEXT_TTL_EXPIRED", Event.BOUNCED_SOFT, Event.BOUNCED_SOFT),
        ("TEXT_INVALID", Event.DELAYED, Event.BOUNCED_HARD),
        ("TEXT_BLOCKED", Event.DELAYED, Event.BOUNCED_HARD),
        ("TEXT_CARRIER_BLOCKED", Event.DELAYED, Event.BOUNCED_HARD),
        ("TEXT_SPAM", Event.DELAYED, Event.BOUNCED_HARD),
        ("TEXT_PROTECT_BLOCKED", Event.DELAYED, Event.BOUNCED_HARD),
        ("TEXT_QUEUED", Event.ACCEPTED, Event.ACCEPTED),
        ("TEXT_SENT", Event.ACCEPTED, Event.ACCEPTED),
        ("TEXT_PENDING", Event.DELAYED, Event.DELAYED),
        ("TEXT_DELIVERED", Event.DELIVERED, Event.DELIVERED),
        ("TEXT_INVALID_MESSAGE", Event.FAILED, Event.FAILED),
        ("TEXT_UNKNOWN", None, None),
    ],
)
def test_a_failure_counts_when_it_is_final(
    kind: str, early: Event | None, final: Event | None
) -> None:
    """A carrier may fail and go on trying: until its last word that is progress."""
    found = [parsed(payload(eventType=kind, isFinal=is_final)) for is_final in (False, True)]

    assert [each.event if each else None for each in found] == [early, final]
    assert len({each.key for each in found if each}) == (2 if early else 0)


def test_every_type_is_judged_and_every_failure_has_a_class() -> None:
    """Types and the classes of `core.bounces` are of the same list; a bounce says what it says about."""
    for kind in events.TYPES:
        found = parsed(payload(eventType=kind, isFinal=True))
        if found and found.event is Event.BOUNCED_SOFT:
            assert bounce_class(found.detail) == "soft_count"
        if found and found.event is Event.BOUNCED_HARD:
            assert bounce_class(found.detail) in ("hard", "soft_ignore")


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"account": "bar"},
        {"contact_id": CONTACT},
        {"attempt": "1"},
        {"contact_id": "", "attempt": "1"},
        ["contact_id", "attempt"],
    ],
)
@pytest.mark.parametrize("kind", ["TEXT_DELIVERED", "VOICE_COMPLETED", "MEDIA_DELIVERED"])
def test_a_message_without_our_ids_is_not_ours(context: Any, kind: str) -> None:
    """Somebody else's message through the same set is passed over, whatever it is."""
    fields = payload(eventType=kind, context=context)
    if context is None:
        del fields["context"]

    assert parsed(fields) is None


def test_fields_that_the_service_adds_do_not_stop_feedback() -> None:
    """Unknown fields are ignored."""
    assert parsed(payload(newField={"nested": True})) == events.parse(body("delivered"))


@pytest.mark.parametrize(
    "text",
    [
        "+447700900123",
        '["+447700900123"]',
        "[" * 100_000,
        json.dumps({"Type": "Notification", "Message": "+447700900123"}),
        json.dumps({"phone": "+447700900123"}),
        json.dumps(payload(eventType="TEXT_LEVITATED")),
        json.dumps(payload(eventType=None)),
        json.dumps(payload(eventType="+447700900123")),
        json.dumps(payload(eventTimestamp="yesterday +447700900123")),
        json.dumps(payload(eventTimestamp=-1)),
        json.dumps(payload(eventTimestamp=10**20)),
        json.dumps(payload(messageId="")),
        json.dumps(payload(messageId=None)),
        json.dumps(payload(totalMessagePrice="+447700900123")),
        json.dumps(payload(context={"contact_id": CONTACT, "attempt": "+447700900123"})),
        json.dumps(payload(context={"contact_id": CONTACT, "attempt": "-1"})),
        json.dumps(payload(context={"contact_id": CONTACT, "attempt": 1})),
        json.dumps(payload(context={"contact_id": CONTACT, "attempt": "1" * 5000})),
    ],
)
def test_what_nobody_understands_is_rejected_without_repeating_it(text: str) -> None:
    """An event we cannot read goes to the dead letters, and its error holds no number."""
    with pytest.raises(Rejected) as caught:
        events.parse(text)

    assert caught.value.code == "bad_event"
    assert "7700900123" not in str(caught.value) + caught.value.field


def test_a_carrier_that_fails_first_and_delivers_later_ends_delivered() -> None:
    """Any order and any repetition of one SMS's events ends in the same state."""
    found = [events.parse(body(name)) for name in ("queued", "sent", "unreachable", "delivered")]
    kinds = [each.event for each in found if each]
    ends = set()
    for order in permutations([*kinds, kinds[0]]):
        state = State.SENDING
        for event in order:
            state = moved(state, event, "sms")
        ends.add(state)

    assert ends == {State.DELIVERED}


def test_the_same_event_twice_has_one_key_and_two_events_have_two() -> None:
    """The key recognises a repetition and tells apart all events of one message."""
    found = [each for name in NAMES if (each := events.parse(body(name)))]
    again = [each for name in NAMES if (each := events.parse(body(name)))]

    assert [each.key for each in found] == [each.key for each in again]
    assert len({each.key for each in found}) == len(found) == len(NAMES) - 1


@pytest.mark.parametrize(
    ("price", "fee", "micros"),
    [(0.00581, 0.003, 8_810), (0.0, 0.0, 0), (0.0000001, 0, 1), (1, 0.5, 1_500_000)],
)
def test_what_a_message_cost_is_told_in_whole_millionths(
    price: float, fee: float, micros: int
) -> None:
    """Price and carrier's fee together, exact and rounded up: never less than was paid."""
    event = events.read(json.dumps(payload(totalMessagePrice=price, totalCarrierFee=fee)))

    assert event is not None
    assert event.price_micros == micros
