"""Reports of the simulator: our own form, so anything else is an error."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from betimes.core.contact import EVIDENCE, Event
from betimes.core.errors import Rejected
from betimes.core.feedback import ProviderEvent
from betimes.wire import sim_events

REPORTS = Path(__file__).parents[2] / "events" / "reports"
CONTACT = "c_tov7vxuz4j3pxapj7nd5rryjx2"


def fields(**changes: Any) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((REPORTS / "sim_delivered.json").read_text("utf-8"))
    return sample | changes


def test_a_report_becomes_its_evidence() -> None:
    """All of a core event comes from the report itself, bare or in SNS's envelope."""
    expected = ProviderEvent(
        contact_id=CONTACT,
        attempt=1,
        event=Event.DELIVERED,
        at=datetime(2026, 3, 6, 2, 0, 14, tzinfo=UTC),
        key=f"sim#sim-{CONTACT}-1#delivered#1",
    )

    assert sim_events.parse(json.dumps(fields())) == expected
    envelope = {"Type": "Notification", "Message": json.dumps(fields())}
    assert sim_events.parse(json.dumps(envelope)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "claimed"},
        {"event": "receipt_overdue"},
        {"event": "levitated"},
        {"at": "2026-03-06T02:00:14Z"},
        {"at": "yesterday"},
        {"attempt": 0},
        {"attempt": "first"},
        {"contact_id": ""},
        {"message_id": ""},
        {"provider": "ses"},
        {"schema_version": 2},
        {"report": -1},
        {"detail": "b@example.com" * 10},
        {"address": "b@example.com"},
    ],
)
def test_anything_else_is_rejected_without_repeating_it(changes: dict[str, Any]) -> None:
    """Both ends are ours: an act of our own, another version or a field too many is an error."""
    with pytest.raises(Rejected) as caught:
        sim_events.parse(json.dumps(fields(**changes)))

    assert caught.value.code == "bad_event"
    assert "example" not in str(caught.value) + caught.value.field


@pytest.mark.parametrize("event", list(Event))
def test_a_provider_reports_evidence_and_never_acts(event: Event) -> None:
    """Every kind of evidence is taken, nothing else is."""
    if event in EVIDENCE:
        assert sim_events.parse(json.dumps(fields(event=event))).event is event
        return
    with pytest.raises(Rejected, match="event"):
        sim_events.parse(json.dumps(fields(event=event)))
