"""Hints: one id, and nothing else gets through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from betimes.core.errors import Rejected
from betimes.wire import hints

EVENTS = Path(__file__).parents[2] / "events"


def test_a_hint_comes_back() -> None:
    """Decoding what was encoded gives the contact id."""
    assert hints.decode(hints.encode("c_abc")) == "c_abc"


def test_a_hint_holds_the_id_only() -> None:
    """Nothing but the contact id is on the queue."""
    assert json.loads(hints.encode("c_abc")) == {"contact_id": "c_abc"}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "c_abc",
        "[]",
        "null",
        "{}",
        '{"contact_id": ""}',
        '{"contact_id": 7}',
        '{"contact_id": null}',
        '{"contact_id": "c_abc", "address": "b@example.com"}',
    ],
)
def test_anything_else_is_rejected(body: str) -> None:
    """A body of another form is rejected, and the error repeats nothing of it."""
    with pytest.raises(Rejected) as caught:
        hints.decode(body)

    assert caught.value.code == "bad_hint"
    assert "example.com" not in str(caught.value)


def test_the_example_event_and_the_example_contact_belong_together() -> None:
    """events/on_delivery.json is the hint that events/on_contact.json leads to."""
    delivery = json.loads((EVENTS / "on_delivery.json").read_text())
    contact = json.loads((EVENTS / "on_contact.json").read_text())
    image = contact["Records"][0]["dynamodb"]["NewImage"]

    assert hints.decode(delivery["Records"][0]["body"]) == image["pk"]["S"]
    assert image["state"]["S"] == "READY"
