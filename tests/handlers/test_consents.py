"""Consents and replies over the HTTP API: what a person says is stored, obeyed and told again on request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers import told
from tests.handlers.pump import Pump

CONSENTS, REPLIES = told.path("consents"), told.path("replies")
AT = "2026-03-01T10:00:00+08:00"


def said(**fields: Any) -> dict[str, Any]:
    """Return the body of one refusal of reminders by e-mail."""
    refusal = {"id": "s-1", "act": "refuse", "at": AT, "channel": "email", "evidence": "call-9"}
    return {"consents": [{**refusal, **fields}]}


def answer(text: str, message_id: str = "m-1") -> dict[str, Any]:
    """Return the body of an answer by e-mail."""
    where = {"channel": "email", "address": told.EMAIL}
    return {"message_id": message_id, "at": AT, "text": text, **where}


@pytest.mark.parametrize("path", ["consents", "replies"])
def test_nothing_is_sent_after_a_no(with_bill: Pump, path: str) -> None:
    """Told by the lender or by the person, before the step comes due."""
    pump = with_bill
    for channel in ("email", "sms"):
        if path == "consents":
            body = said(id=f"s-{channel}", channel=channel)
        else:
            body = {**answer("退订", f"m-{channel}"), "channel": channel, "address": ""}
        status, outcome = pump.request("POST", told.path(path), body)
        assert (status, outcome["outcome"]) == (200, "stored")
    pump.sweep_at(told.D_3)
    assert pump.mails() == []


def test_the_same_post_twice_changes_nothing(with_bill: Pump) -> None:
    """The second one says so, and the tables are as they were."""
    with_bill.request("POST", CONSENTS, said())
    with_bill.request("POST", REPLIES, answer("STOP"))
    before = with_bill.tables()
    assert with_bill.request("POST", CONSENTS, said()) == (200, {"outcome": "unchanged"})
    status, reply = with_bill.request("POST", REPLIES, answer("STOP"))
    assert (status, reply["outcome"], reply["meaning"]) == (200, "unchanged", "stop")
    assert with_bill.tables() == before


def test_what_nobody_understands_is_listed_for_a_person(with_bill: Pump) -> None:
    """Until it is lifted by the id of its message; neither text nor address is kept."""
    status, reply = with_bill.request("POST", REPLIES, answer("My cat is ill"))
    assert (status, reply["meaning"], reply["needs_person"]) == (200, "unsure", True)
    _, found = with_bill.request("GET", CONSENTS)
    assert [(e["id"], e["provisional"]) for e in found["consents"]] == [
        ("m-1:reminder", True),
        ("m-1:marketing", True),
    ]
    assert "cat" not in str(with_bill.tables()["BookTable"]) + str(found)
    lift = said(id="m-1", act="lift", at="2026-03-01T10:00:01+08:00")
    assert with_bill.request("POST", CONSENTS, lift) == (200, {"outcome": "stored"})
    _, found = with_bill.request("GET", CONSENTS)
    assert [e["ended_at"] is None for e in found["consents"]] == [True, True, False, False]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (CONSENTS, said(act="lift"), 404, "unknown_consent"),
        (CONSENTS, said(act="ask"), 400, "bad_request"),
        (CONSENTS, said(switch="statutory"), 400, "bad_request"),
        (CONSENTS, said(act="grant", evidence=""), 422, "bad_consent"),
        (CONSENTS, {"consents": []}, 400, "bad_request"),
        (REPLIES, {**answer("STOP"), "channel": "sms", "address": "138"}, 422, "bad_phone"),
        (REPLIES, answer("STOP", "m 1"), 400, "bad_id"),
        (told.path("consents").replace(told.BORROWER, "nobody"), said(), 404, "unknown_borrower"),
    ],
)
def test_what_is_wrong_is_refused(
    with_bill: Pump, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    """With its status and code."""
    got, found = with_bill.request("POST", path, body)
    assert (got, found["error"]["code"]) == (status, code)


def test_nothing_is_known_of_somebody_unknown(pump: Pump) -> None:
    """Asked for what an unknown borrower said."""
    status, found = pump.request("GET", CONSENTS)
    assert (status, found["error"]["code"]) == (404, "unknown_borrower")


def test_a_wrong_number_beside_a_refusal_does_not_lose_it(with_bill: Pump) -> None:
    """Named in the answer, while the refusal beside it is stored."""
    wrong = said(id="s-2", channel="sms", address="138")["consents"]
    status, found = with_bill.request("POST", CONSENTS, {"consents": [*wrong, *said()["consents"]]})
    assert (status, found["error"]["code"]) == (422, "bad_phone")
    assert found["error"]["field"] == "consents.0.address"
    _, found = with_bill.request("GET", CONSENTS)
    assert [each["id"] for each in found["consents"]] == ["s-1"]


def test_a_very_long_answer_is_for_a_person(with_bill: Pump) -> None:
    """It is heard, and closes its channel until it was read."""
    status, reply = with_bill.request("POST", REPLIES, answer("no " * 20_000))
    assert (status, reply["meaning"], reply["needs_person"]) == (200, "unsure", True)
