"""One queue, several providers: each report is read by the one who knows its form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from betimes.core.errors import Rejected
from betimes.wire import end_user_messaging_events, reports, ses_events, sim_events

EVENTS = Path(__file__).parents[2] / "events"
SAMPLES = sorted((EVENTS / "reports").glob("*.json"))
READERS = {
    "end_user_messaging": end_user_messaging_events.parse,
    "ses": ses_events.parse,
    "sim": sim_events.parse,
}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_each_sample_is_read_by_its_provider(path: Path) -> None:
    """What the common reader finds is what the provider's own finds, enveloped or bare."""
    (reader,) = (read for name, read in READERS.items() if path.stem.startswith(f"{name}_"))
    text = path.read_text("utf-8")
    fields = json.loads(text)
    bare = fields.get("Message", text)

    assert reports.parse(text) == reports.parse(bare) == reader(text)
    envelope = json.dumps({"Type": "Notification", "Message": bare})
    assert reports.parse(envelope) == reader(text)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("on_feedback_*.json")), ids=lambda p: p.stem)
def test_the_samples_of_the_handler_are_read_as_before(path: Path) -> None:
    """A deployment with SES alone hears what it heard."""
    text = json.loads(path.read_text("utf-8"))["Records"][0]["body"]

    assert reports.parse(text) == ses_events.parse(text)


def test_the_greeting_of_a_new_topic_is_passed_over() -> None:
    """SES's one sentence to a new topic is not JSON and not an error."""
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."

    assert reports.parse(json.dumps({"Type": "Notification", "Message": greeting})) is None


@pytest.mark.parametrize(
    "text",
    [
        "b@example.com",
        "[]",
        "{}",
        json.dumps({"Message": "b@example.com"}),
        json.dumps({"Message": '{"b@example.com": '}),
        json.dumps({"Message": json.dumps({"provider": "b@example.com"})}),
        json.dumps({"eventVersion": "1.0", "b@example.com": 1}),
    ],
)
def test_what_nobody_understands_is_rejected_without_repeating_it(text: str) -> None:
    """A report of no known form goes to the dead letters, and its error holds no address."""
    with pytest.raises(Rejected) as caught:
        reports.parse(text)

    assert caught.value.code == "bad_event"
    assert "example" not in str(caught.value) + caught.value.field
