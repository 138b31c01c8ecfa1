"""The simulator: each magic recipient's answer and reports, and that they come back as provider events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from betimes.adapters.queues import Queue
from betimes.adapters.sim import CHANNELS, NUMBERS, Scene, Sim, provider_id, scene_of
from betimes.core.bounces import bounce_class, is_opt_out
from betimes.core.contact import Event, State, moved
from betimes.core.errors import Unavailable
from betimes.core.feedback import ProviderEvent
from betimes.core.message import Text
from betimes.lab.world import VirtualClock
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown
from betimes.wire import sim_events

NOW = datetime(2026, 3, 6, 2, tzinfo=UTC)
OK, BUSY, BACK_S, BACK_H = Event.ACCEPTED, Event.DELAYED, Event.BOUNCED_SOFT, Event.BOUNCED_HARD
DONE, COMPLAINED = Event.DELIVERED, Event.COMPLAINED
TAKEN = Accepted("sim-c_abc-1")
UNKNOWN = Unknown("ReadTimeoutError")
THROTTLED = Refused("Throttling", may_retry=True, throttled=True, retry_after_s=5)
NEVER = Refused("MessageRejected", may_retry=False)
GONE = Refused("endpoint_disabled", may_retry=False)
OPTED_OUT = Refused("opted_out", may_retry=False)


def address_of(channel: str, scene: Scene, more: str = "") -> str:
    match channel:
        case "email":
            return f"{scene}{f'+{more}' if more else ''}@sim.example"
        case "sms":
            (number,) = [number for number, played in NUMBERS.items() if played is scene]
            return f"+447700900{more or '0'}{number}"
        case _:
            return f"sim:{scene}{f'+{more}' if more else ''}"


def letter(channel: str, address: str, attempt: int = 1) -> Letter:
    return Letter("c_abc", attempt, "t1", address, Text(channel, "en", "Bill", "CNY 12.00"))


def played(channel: str, address: str, attempt: int = 1) -> tuple[Answer, list[ProviderEvent]]:
    """Return the answer to one letter and all reports of it, read as a queue's consumer reads them."""
    bodies: list[str] = []
    sim = Sim(channel, lambda body, _: bodies.append(body), VirtualClock(NOW))
    answer = sim.send(letter(channel, address, attempt))
    return answer, [sim_events.parse(body) for body in bodies]


TABLE: dict[Scene, dict[str, tuple[Answer, list[Event]]]] = {
    Scene.DELIVERED: dict.fromkeys(CHANNELS, (TAKEN, [OK, DONE])),
    Scene.SOFT: {
        "email": (TAKEN, [OK, BACK_S]),
        "sms": (TAKEN, [OK, BACK_S]),
        "push": (TAKEN, [OK]),
    },
    Scene.HARD: {
        "email": (TAKEN, [OK, BACK_H]),
        "sms": (TAKEN, [OK, BACK_H]),
        "push": (GONE, []),
    },
    Scene.COMPLAINT: {
        "email": (TAKEN, [OK, DONE, COMPLAINED]),
        "sms": (TAKEN, [OK, DONE]),
        "push": (TAKEN, [OK, DONE]),
    },
    Scene.OPTOUT: {
        "email": (TAKEN, [OK, DONE, DONE]),
        "sms": (OPTED_OUT, []),
        "push": (GONE, []),
    },
    Scene.SLOW: dict.fromkeys(CHANNELS, (TAKEN, [OK, BUSY, DONE])),
    Scene.TIMEOUT_ACCEPTED: dict.fromkeys(CHANNELS, (UNKNOWN, [OK, DONE])),
    Scene.TIMEOUT_LOST: dict.fromkeys(CHANNELS, (UNKNOWN, [])),
    Scene.THROTTLE: dict.fromkeys(CHANNELS, (THROTTLED, [])),
    Scene.REFUSED: dict.fromkeys(CHANNELS, (NEVER, [])),
}
CASES = [(scene, channel) for scene in Scene for channel in CHANNELS]


@pytest.mark.parametrize(("scene", "channel"), CASES)
def test_each_recipient_has_its_answer_and_its_reports(scene: Scene, channel: str) -> None:
    """Answer and events are those of the table, with the ids of the letter."""
    answer, reports = played(channel, address_of(channel, scene))

    assert (answer, [each.event for each in reports]) == TABLE[scene][channel]
    assert {(each.contact_id, each.attempt) for each in reports} <= {("c_abc", 1)}
    assert len({each.key for each in reports}) == len(reports)


@pytest.mark.parametrize(("scene", "channel"), CASES)
def test_one_table_of_docs_says_the_same(scene: Scene, channel: str) -> None:
    """docs/simulator.md names each recipient; a lender reads the table and not the code."""
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")
    answer, reports = TABLE[scene][channel]
    match answer:
        case Refused():
            outcome = f"refused `{answer.code}`"
        case Unknown():
            outcome = "unknown"
        case _:
            outcome = "accepted"
    (row,) = [
        line
        for line in page.splitlines()
        if line.startswith(f"| {channel} |") and f"| `{address_of(channel, scene)}` |" in line
    ]
    told = [cell.strip() for cell in row.strip("|").split("|")]
    assert told[2] == outcome
    assert told[3] == (", ".join(each.value for each in reports) or "–")


@pytest.mark.parametrize(("scene", "channel"), CASES)
def test_many_recipients_of_one_kind_can_be_told_apart(scene: Scene, channel: str) -> None:
    """A tape of many borrowers can use each outcome often: what tells them apart changes nothing."""
    assert scene_of(channel, address_of(channel, scene, "7")) is scene


@pytest.mark.parametrize("scene", list(Scene))
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_same_letter_has_the_same_end_each_time(scene: Scene, channel: str) -> None:
    """Ids and keys come from contact and attempt: a repetition is recognised, another attempt is not."""
    address = address_of(channel, scene)

    assert played(channel, address) == played(channel, address)
    assert provider_id(letter(channel, address)) == "sim-c_abc-1"
    first, second = ({each.key for each in played(channel, address, n)[1]} for n in (1, 2))
    assert not first & second


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_throttled_message_goes_at_the_second_attempt(channel: str) -> None:
    """A throttle passes: the pace slows down, and the message is delivered all the same."""
    address = address_of(channel, Scene.THROTTLE)

    assert played(channel, address, 1)[0] == THROTTLED
    answer, reports = played(channel, address, 2)
    assert answer == Accepted("sim-c_abc-2")
    assert reports[-1].event is DONE


@pytest.mark.parametrize(
    ("channel", "scene", "state"),
    [
        ("email", Scene.SOFT, State.UNDELIVERED_SOFT),
        ("email", Scene.HARD, State.UNDELIVERED_HARD),
        ("email", Scene.COMPLAINT, State.DELIVERED),
        ("sms", Scene.SOFT, State.UNDELIVERED_SOFT),
        ("sms", Scene.HARD, State.UNDELIVERED_HARD),
        ("sms", Scene.SLOW, State.DELIVERED),
        ("push", Scene.DELIVERED, State.DELIVERED),
    ],
)
def test_a_contact_ends_where_the_recipient_says(channel: str, scene: Scene, state: State) -> None:
    """Folded by the machine of states, in either order, the reports end in the state that is meant."""
    _, reports = played(channel, address_of(channel, scene))
    for order in (reports, reports[::-1]):
        end = State.SENDING
        for report in order:
            end = moved(end, report.event, channel)
        assert end is state


def test_what_comes_back_has_a_class_and_an_opt_out_is_one() -> None:
    """Details are in the words of the providers, so that what reads them reads these."""
    details = {
        (channel, scene): played(channel, address_of(channel, scene))[1][-1].detail
        for channel in ("email", "sms")
        for scene in (Scene.SOFT, Scene.HARD)
    }
    assert {key: bounce_class(detail).value for key, detail in details.items()} == {
        ("email", Scene.SOFT): "soft_count",
        ("email", Scene.HARD): "hard",
        ("sms", Scene.SOFT): "soft_count",
        ("sms", Scene.HARD): "hard",
    }
    assert is_opt_out(played("email", address_of("email", Scene.OPTOUT))[1][-1].detail)


@given(st.text(max_size=40), st.sampled_from(CHANNELS))
def test_any_other_recipient_is_delivered_to(address: str, channel: str) -> None:
    """Whoever is not in the table gets the message, as far as anybody gets one here."""
    name = address.rpartition("@")[0].partition("+")[0].lower()
    if channel == "email" and name in set(Scene):
        return
    if address.startswith(("sim:", "+447700900")):
        return
    assert scene_of(channel, address) is Scene.DELIVERED


def test_a_real_number_that_ends_like_a_magic_one_is_not_one() -> None:
    """Only the reserved range is magic."""
    assert scene_of("sms", "+447700900003") is Scene.HARD
    assert scene_of("sms", "+447700901003") is Scene.DELIVERED
    assert scene_of("sms", "+4477009000031") is Scene.DELIVERED


def test_reports_are_held_back_by_what_is_asked() -> None:
    """Each report says when it happened, and how long it is to be held back, 15 minutes at most."""
    told: list[tuple[str, int]] = []
    sim = Sim("email", lambda body, delay_s: told.append((body, delay_s)), VirtualClock(NOW))
    sim.send(letter("email", "slow@sim.example"))

    assert [delay for _, delay in told] == [0, 1, 900]
    for body, delay_s in told:
        assert sim_events.parse(body).at == NOW + timedelta(seconds=delay_s)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_report_holds_no_address_and_no_text(channel: str) -> None:
    """What stands in a queue says which contact and what became of it, and nothing about a person."""
    bodies: list[str] = []
    sim = Sim(channel, lambda body, _: bodies.append(body), VirtualClock(NOW))
    for scene in Scene:
        sim.send(letter(channel, address_of(channel, scene, "7")))
    everything = "".join(bodies)

    assert bodies
    assert "sim.example" not in everything
    assert "447700900" not in everything
    assert "12.00" not in everything


def test_a_report_that_cannot_be_published_leaves_the_outcome_unknown() -> None:
    """An accepted message without reports would wait for them in vain."""

    def out_of_reach(body: str, delay_s: int) -> None:
        raise Unavailable("no queue")

    sim = Sim("email", out_of_reach, VirtualClock(NOW))

    assert sim.send(letter("email", "delivered@sim.example")) == Unknown("report_lost")
    assert sim.send(letter("email", "refused@sim.example")) == NEVER


def test_reports_go_through_a_real_queue() -> None:
    """Deployed, `publish` is the feedback queue: bodies arrive there as they can be read."""
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="feedback")["QueueUrl"]
        queue = Queue(sqs, url)
        sim = Sim("sms", lambda body, delay_s: queue.send([body], delay_s), VirtualClock(NOW))

        assert sim.send(letter("sms", "+447700900006")) == TAKEN

        waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        (now,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert waiting["ApproximateNumberOfMessagesDelayed"] == "2"
        assert sim_events.parse(now["Body"]).event is OK


def test_a_channel_that_is_not_played_stops_the_function() -> None:
    """The inbox is our own and a webhook is the lender's: nothing plays them."""
    with pytest.raises(ValueError, match="plays"):
        Sim("webhook", lambda body, delay_s: None, VirtualClock(NOW))


def test_the_shape_of_a_report_is_that_of_the_samples() -> None:
    """`events/reports` shows what is published, field by field."""
    sample = json.loads(
        (Path(__file__).parents[2] / "events" / "reports" / "sim_delivered.json").read_text("utf-8")
    )
    bodies: list[str] = []
    Sim("email", lambda body, _: bodies.append(body), VirtualClock(NOW)).send(
        letter("email", "delivered@sim.example")
    )

    assert json.loads(bodies[1]).keys() == sample.keys()
