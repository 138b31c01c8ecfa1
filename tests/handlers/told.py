"""What a lender tells about one borrower, for tests: tenant demo, borrower b-1001, one bill due on 2026-03-09."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from betimes.core import ids
from betimes.core.contact import Event
from betimes.lab.world import TENANT
from betimes.ports import Letter
from tests.handlers.pump import Pump

BORROWER = "b-1001"
ACCOUNT = "a-1001"
OBLIGATION = "o-1001"
REPAYMENT = "r-1001"
EMAIL = "borrower@example.com"
PHONE = "+447700900123"

# Where the story begins, and the instants of its steps: 10:00 in Shanghai.
TOLD_AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
D_3 = datetime(2026, 3, 6, 2, 0, tzinfo=UTC)
D_1 = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
D1 = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def path(*more: str, borrower: str = BORROWER, tenant: str = TENANT) -> str:
    """Return the path of a borrower, or of something of theirs."""
    return "/".join(("/v1", tenant, "borrowers", borrower, *more))


def borrower(**fields: Any) -> dict[str, Any]:
    """Return the body of a borrower with an address and no number."""
    default = {
        "locale": "zh-CN",
        "zone": "Asia/Shanghai",
        "jurisdiction": "CN",
        "email": EMAIL,
    }
    return {**default, **fields}


def account(**fields: Any) -> dict[str, Any]:
    """Return the body of a cash-loan account."""
    return {"product": "cash-loan", "currency": "CNY", "opened_on": "2025-03-09", **fields}


def obligation(**fields: Any) -> dict[str, Any]:
    """Return the body of a bill of CNY 1,200.00 due on 2026-03-09."""
    default = {
        "account_id": ACCOUNT,
        "seq": 1,
        "issued_at": "2026-02-09T10:00:00+08:00",
        "due_on": "2026-03-09",
        "principal_minor": 118_000,
        "amount_minor": 120_000,
    }
    return {**default, **fields}


def repayment(**fields: Any) -> dict[str, Any]:
    """Return the body of a repayment of the whole bill."""
    default = {
        "obligation_id": OBLIGATION,
        "account_id": ACCOUNT,
        "paid_at": "2026-03-01T09:30:00+08:00",
        "amount_minor": 120_000,
    }
    return {**default, **fields}


def amendment(**fields: Any) -> dict[str, Any]:
    """Return the body of an amendment that halves the bill and moves its due date by a week."""
    default = {"due_on": "2026-03-16", "principal_minor": 59_000, "amount_minor": 60_000}
    return {**default, **fields}


def flight(**fields: Any) -> dict[str, Any]:
    """Return the body of a debit of the whole bill that was submitted on the evening before its first step."""
    default = {
        "account_id": ACCOUNT,
        "obligation_id": OBLIGATION,
        "means": "debit",
        "amount_minor": 120_000,
        "state": "pending",
        "at": "2026-03-01T09:30:00+08:00",
        "expected_by": "2026-03-06T12:00:00+08:00",
    }
    return {**default, **fields}


def hold(**fields: Any) -> dict[str, Any]:
    """Return the body of a dispute about everything, from the instant at which the story begins."""
    return {"kind": "dispute", "starts_at": "2026-03-01T10:00:00+08:00", **fields}


def bill(pump: Pump, **fields: Any) -> None:
    """Tell the borrower, the account and the bill, and let what follows happen; `fields` are the borrower's."""
    pump.put(path(), borrower(**fields))
    pump.put(path("accounts", ACCOUNT), account())
    pump.put(path("obligations", OBLIGATION), obligation())
    pump.settle()


def contact_id(step: str, slot: int, obligation_id: str = OBLIGATION) -> str:
    """Return the id of the contact of a step of the bill."""
    return ids.contact_id(TENANT, BORROWER, obligation_id, "1@2026-03-09", step, slot)


def error_in(answer: dict[str, Any]) -> dict[str, str]:
    """Return the error in an answer of the HTTP API, which is JSON of exactly the documented shape."""
    assert answer["headers"]["Content-Type"] == "application/json"
    body = json.loads(answer["body"])
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    assert set(error) == {"code", "field", "message"}
    assert error["message"]
    return error


_NAMES = {
    Event.ACCEPTED: ("Send", "send", {}),
    Event.DELIVERED: ("Delivery", "delivery", {}),
    Event.BOUNCED_HARD: (
        "Bounce",
        "bounce",
        {"bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "f-1"},
    ),
}


def ses_event(letter: Letter, event: Event, at: datetime) -> dict[str, Any]:
    """Return what SES would report about a letter, with the tags it was sent with."""
    name, key, facts = _NAMES[event]
    instant = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "eventType": name,
        "mail": {
            "timestamp": instant,
            "messageId": f"m-{letter.contact_id}-{letter.attempt}",
            "destination": [letter.address],
            "tags": {
                "contact_id": [letter.contact_id],
                "attempt": [str(letter.attempt)],
                "tenant": [letter.tenant],
            },
        },
        key: {"timestamp": instant, **facts},
    }
