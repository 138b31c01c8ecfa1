"""The HTTP API: every route, repetition, and stores that cannot answer; `test_refusals` has what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from betimes.core.errors import Stale, Unavailable
from tests.handlers import told
from tests.handlers.pump import Pump, http


def test_everything_can_be_told(pump: Pump) -> None:
    """Each route takes its request and says what it did."""
    assert pump.put(told.path(), told.borrower()) == "stored"
    assert pump.put(told.path("accounts", told.ACCOUNT), told.account()) == "stored"
    assert pump.put(told.path("obligations", told.OBLIGATION), told.obligation()) == "stored"
    assert pump.put(told.path("repayments", told.REPAYMENT), told.repayment()) == "stored"
    reversal = told.path("repayments", told.REPAYMENT, "reversal")
    assert pump.put(reversal, {"reversed_at": "2026-03-01T09:45:00+08:00"}) == "stored"

    assert pump.request("GET", told.path("timeline")) == (
        200,
        {"schema_version": 1, "borrower_id": told.BORROWER, "timeline": []},
    )


def test_a_repeated_request_changes_nothing(with_bill: Pump) -> None:
    """The same PUT twice answers "unchanged" and leaves the tables as they are."""
    pump = with_bill
    requests = [
        (told.path(), told.borrower()),
        (told.path("accounts", told.ACCOUNT), told.account()),
        (told.path("obligations", told.OBLIGATION), told.obligation()),
        (told.path("repayments", told.REPAYMENT), told.repayment()),
        (
            told.path("repayments", told.REPAYMENT, "reversal"),
            {"reversed_at": "2026-03-01T09:45:00+08:00"},
        ),
    ]
    for path, body in requests:
        pump.put(path, body)
    before = pump.tables()

    assert [pump.put(path, body) for path, body in requests] == ["unchanged"] * 5
    assert pump.tables() == before


def test_an_overpayment_is_taken_in_and_said(with_bill: Pump) -> None:
    """More money than was owed is stored, and the answer says so."""
    body = told.repayment(amount_minor=120_001)

    assert with_bill.put(told.path("repayments", told.REPAYMENT), body) == "overpaid"


def test_money_before_its_bill_is_kept(pump: Pump) -> None:
    """A repayment for an obligation not known yet is kept, and pays the bill when it arrives."""
    pump.put(told.path(), told.borrower())
    pump.put(told.path("accounts", told.ACCOUNT), told.account())
    assert pump.put(told.path("repayments", told.REPAYMENT), told.repayment()) == "kept"

    pump.put(told.path("obligations", told.OBLIGATION), told.obligation())
    pump.settle()
    pump.sweep_at(told.D_3)
    assert pump.mails() == []


@pytest.mark.parametrize("failure", [Unavailable("throttled", retry_after_s=3), Stale()])
def test_a_store_out_of_reach_asks_to_come_back(
    with_bill: Pump, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A throttled or contested store answers 503 with Retry-After and says nothing of the inside."""

    class Broken:
        def take_in(self, *arguments: Any) -> None:
            raise failure

    monkeypatch.setattr(with_bill.worlds["OnRequestFunction"], "intake", Broken())

    answer = with_bill.answer("PUT", told.path(), json.dumps(told.borrower()))

    assert (answer["statusCode"], told.error_in(answer)["code"]) == (503, "unavailable")
    assert int(answer["headers"]["Retry-After"]) >= 1
    assert "throttled" not in answer["body"]


def test_a_body_in_base64_is_read(pump: Pump) -> None:
    """The HTTP API encodes bodies whose content type it does not know as text."""
    event = http("PUT", told.path())
    event["body"] = base64.b64encode(json.dumps(told.borrower()).encode()).decode()
    event["isBase64Encoded"] = True
    event["headers"]["content-type"] = "application/x-www-form-urlencoded"

    assert pump.invoke("OnRequestFunction", event)["statusCode"] == 200

    event["body"] = base64.b64encode(b"\xff\xfe{").decode()
    assert pump.invoke("OnRequestFunction", event)["statusCode"] == 400
