"""Pace in the whole deployment: what has to wait goes back into its queue as a new message, and operations are told."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from betimes.core import forecast, pace, zones
from betimes.core.pace import Quota
from betimes.flows.close_day import DayClosed, foreseen
from betimes.flows.pacing import paced_by
from betimes.lab.pacing import StatedQuota
from betimes.ports import Accepted, Answer, Letter, Refused
from betimes.wire import hints
from tests.handlers import told
from tests.handlers.pump import Pump, message

DELIVERY = "OnDeliveryEmailFunction"


@dataclass
class Scripted:
    """A provider that gives these answers in turn, the last one for good."""

    answers: list[Answer]
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> Answer:
        """See `ports.Sender`."""
        self.letters.append(letter)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def delayed(pump: Pump) -> int:
    """Return how many messages of the e-mail queue are held back."""
    name = "ApproximateNumberOfMessagesDelayed"
    answer = pump.cloud.client["sqs"].get_queue_attributes(
        QueueUrl=pump.cloud.refs["EmailQueue"], AttributeNames=[name]
    )
    return int(answer["Attributes"][name])


def test_a_throttled_message_goes_back_into_its_queue_as_a_new_one(
    with_bill: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back after what the provider asked for, and no delivery of the queue is spent on the wait."""
    pump = with_bill
    throttle = Refused("Throttling", may_retry=True, throttled=True, retry_after_s=40)
    provider = Scripted([throttle, Accepted("m-1")])
    monkeypatch.setattr(pump.worlds[DELIVERY], "sender", lambda channel: provider)
    pump.sweep_at(told.D_3)
    assert pump.contacts() == [("D-3", "READY", "provider_busy")]
    assert delayed(pump) == 1
    assert not pump.cloud.has_messages("EmailDeadLetters")

    pump.clock.advance(told.D_3 + timedelta(seconds=41))
    contact_id = provider.letters[0].contact_id
    pump.invoke(DELIVERY, {"Records": [message(hints.encode(contact_id))]})
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]
    assert [letter.attempt for letter in provider.letters] == [1, 2]


def test_a_provider_that_is_closed_is_an_alarm_and_loses_nothing(
    with_bill: Pump, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is asked while it is closed; once it is open the review sends the one mail."""
    pump = with_bill
    quota = StatedQuota(Quota(1_000_000, is_open=False))
    quotas = pump.worlds[DELIVERY].pacing.pace.quotas
    assert isinstance(quotas, dict)
    quotas[paced_by("email", "ses")] = quota
    pump.sweep_at(told.D_3)
    assert pump.contacts() == [("D-3", "READY", "provider_busy")]
    assert pump.mails() == []
    assert '"ProviderPaused"' in capsys.readouterr().out
    assert '"paced":1' in logs.getvalue().replace(" ", "")

    quota.quota = Quota(1_000_000)
    for minutes in range(10, 100, 10):
        pump.sweep_at(told.D_3 + timedelta(minutes=minutes))
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]
    assert len(pump.mails()) == 1


def closed(pump: Pump) -> dict[str, Any]:
    """Close the day and return its report."""
    name = pump.invoke("OnCloseDayFunction", {})["report"]
    report: dict[str, Any] = json.loads(pump.cloud.object("EvidenceBucket", name))
    return report


def test_the_close_of_day_tells_what_the_day_ahead_brings(
    with_bill: Pump, capsys: pytest.CaptureFixture[str]
) -> None:
    """One mail is planned for the morning; it fits, as far as anything is known of the provider."""
    pump = with_bill
    pump.clock.advance(told.D_3 - timedelta(hours=9))
    ahead = closed(pump)["forecast"]
    assert set(ahead) == {"email"}
    assert (ahead["email"]["planned"], ahead["email"]["late"]) == (1, 0)
    assert ahead["email"]["done_at"] >= zones.to_text(told.D_3)
    assert '"ForecastLate":[0.0]' in capsys.readouterr().out.replace(" ", "")


def test_what_a_quota_leaves_behind_is_counted_before_it_happens() -> None:
    """Three mails, and a provider that takes two a day; a channel of which nothing is known has no limit."""
    day = DayClosed(at=told.D_3)
    for channel in ("email", "sms"):
        day.coming[channel] = forecast.Planned()
        day.coming[channel].add(told.D_3, told.D_3 + timedelta(hours=10), 3)
    gauge = pace.opened(Quota(1_000_000, per_day=2), told.D_3)
    found = foreseen(day, {"email": gauge, "sms": None})
    assert (found["email"].planned, found["email"].late) == (3, 1)
    assert (found["sms"].planned, found["sms"].late) == (3, 0)
