"""The HTTP API: every route, repetition, and stores that cannot answer; `test_refusals` has what is refused."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from betimes.core.errors import Stale, Unavailable
from betimes.lab.world import TENANT
from tests.handlers import told
from tests.handlers.pump import Pump, http

AT = "2026-03-01T09:45:00+08:00"
# What can be told once there is a bill, in an order in which it can be told.
MORE: list[tuple[str, dict[str, Any]]] = [
    (told.path("obligations", told.OBLIGATION, "amendments", "1"), told.amendment()),
    (told.path("obligations", told.OBLIGATION, "entry"), {"entry_on": "2026-03-20"}),
    (told.path("flights", "f-1001"), told.flight()),
    (told.path("holds", "h-1001"), told.hold()),
    (told.path("holds", "h-1001", "lift"), {"lifted_at": AT}),
    (f"/v1/{TENANT}/feed", {"complete_until": AT}),
]


def test_everything_can_be_told(pump: Pump) -> None:
    """Each route takes its request and says what it did."""
    assert pump.put(told.path(), told.borrower()) == "stored"
    assert pump.put(told.path("accounts", told.ACCOUNT), told.account()) == "stored"
    assert pump.put(told.path("obligations", told.OBLIGATION), told.obligation()) == "stored"
    assert pump.put(told.path("repayments", told.REPAYMENT), told.repayment()) == "stored"
    reversal = told.path("repayments", told.REPAYMENT, "reversal")
    assert pump.put(reversal, {"reversed_at": "2026-03-01T09:45:00+08:00"}) == "stored"
    for path, body in MORE:
        assert pump.put(path, body) == "stored", path

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
        *MORE,
    ]
    for path, body in requests:
        pump.put(path, body)
    before = pump.tables()

    assert [pump.put(path, body) for path, body in requests] == ["unchanged"] * 11
    assert pump.tables() == before


def test_an_overpayment_is_taken_in_and_said(with_bill: Pump) -> None:
    """More money than was owed is stored, and the answer says so."""
    body = told.repayment(amount_minor=120_001)

    assert with_bill.put(told.path("repayments", told.REPAYMENT), body) == "overpaid"


def test_money_that_names_no_bill_pays_what_the_account_owes(with_bill: Pump) -> None:
    """Without an obligation the account's order decides; here there is one bill, and it is paid."""
    body = told.repayment()
    del body["obligation_id"]
    assert with_bill.put(told.path("repayments", told.REPAYMENT), body) == "stored"

    with_bill.settle()
    with_bill.sweep_at(told.D_3)
    assert with_bill.mails() == []


def test_money_under_way_is_not_asked_for(with_bill: Pump) -> None:
    """A pending debit silences the step; once it has failed, the borrower hears of the bill."""
    path = told.path("flights", "f-1001")
    assert with_bill.put(path, told.flight()) == "stored"
    with_bill.settle()
    with_bill.sweep_at(told.D_3)
    assert with_bill.mails() == []

    failed = told.flight(
        state="failed", at="2026-03-06T10:00:00+08:00", reason="insufficient_funds"
    )
    del failed["expected_by"]
    assert with_bill.put(path, failed) == "stored"
    with_bill.settle()
    with_bill.sweep_at(told.D_3 + timedelta(minutes=1))
    assert len(with_bill.mails()) == 1


def test_a_debit_with_too_little_notice_is_taken_in_and_said(
    pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduled debit closer than its product's notice is stored, and the answer says so."""
    world = pump.worlds["OnRequestFunction"]
    profile = world.policies.profiles["jiebei_like"]
    noticed = replace(profile, debit=replace(profile.debit, notice_days=1))
    profiles = {**world.policies.profiles, noticed.name: noticed}
    monkeypatch.setitem(vars(world), "policies", replace(world.policies, profiles=profiles))
    pump.put(told.path(), told.borrower())
    pump.put(told.path("accounts", told.ACCOUNT), told.account(product=noticed.name))
    body = told.flight(obligation_id="", state="scheduled")

    soon = {**body, "at": "2026-03-02T09:59:00+08:00"}
    assert pump.put(told.path("flights", "f-1001"), soon) == "short_notice"
    in_time = {**body, "at": "2026-03-02T10:00:00+08:00"}
    assert pump.put(told.path("flights", "f-1002"), in_time) == "stored"


def test_a_hold_that_begins_in_the_past_names_what_went_out_inside_it(with_bill: Pump) -> None:
    """The reminder of the morning lies inside a dispute of the night before, and nothing in one of the afternoon."""
    with_bill.sweep_at(told.D_3)
    night = told.hold(starts_at="2026-03-05T21:00:00+08:00")
    afternoon = told.hold(starts_at="2026-03-06T14:00:00+08:00")

    late = with_bill.request("PUT", told.path("holds", "h-1001"), night)
    coming = with_bill.request("PUT", told.path("holds", "h-1002"), afternoon)

    assert late == (200, {"outcome": "stored", "sent_inside": [told.contact_id("D-3", 0)]})
    assert coming == (200, {"outcome": "stored", "sent_inside": []})


def test_a_hold_stops_what_is_ready_and_its_lift_lets_later_steps_go(with_bill: Pump) -> None:
    """During a dispute nothing is sent, after it the next step is."""
    with_bill.put(told.path("holds", "h-1001"), told.hold())
    with_bill.settle()
    with_bill.sweep_at(told.D_3)
    assert with_bill.mails() == []

    lifted_at = with_bill.clock.now() + timedelta(hours=30)
    with_bill.clock.advance(lifted_at)
    with_bill.put(told.path("holds", "h-1001", "lift"), {"lifted_at": lifted_at.isoformat()})
    with_bill.settle()
    with_bill.sweep_at(told.D_1)
    assert ("D-1", "ACCEPTED", "accepted") in with_bill.contacts()
    assert len(with_bill.mails()) == 1


def test_an_unconfirmed_address_is_written_to_once_it_is_confirmed(pump: Pump) -> None:
    """It is kept and not used; told again without the mark, it is."""
    told.bill(pump, email_unconfirmed=True)
    pump.sweep_at(told.D_3)
    assert pump.mails() == []

    assert pump.put(told.path(), told.borrower()) == "stored"
    pump.settle()
    pump.sweep_at(told.D_1)
    assert [mail["To"] for mail in pump.mails()] == [told.EMAIL]


def test_a_number_from_elsewhere_keeps_both_clocks(pump: Pump) -> None:
    """The hours of a borrower in Shanghai with a number of Los Angeles are those of both, told without a word more."""
    pump.put(told.path(), told.borrower(phone="+13105550123"))

    pages = pump.worlds["OnRequestFunction"].stores.book.pages(TENANT, told.BORROWER)
    assert pages.head is not None
    assert pages.head.zones == ("Asia/Shanghai", "America/Los_Angeles")


def test_the_feed_moves_forward_only(pump: Pump) -> None:
    """What is complete stays complete: an earlier instant changes nothing."""
    path = f"/v1/{TENANT}/feed"
    assert pump.put(path, {"complete_until": AT}) == "stored"
    assert pump.put(path, {"complete_until": "2026-02-28T09:00:00+08:00"}) == "unchanged"

    book = pump.worlds["OnRequestFunction"].stores.book
    assert book.fed_until(TENANT) == datetime.fromisoformat(AT)


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

    good = event["body"]
    for body in (base64.b64encode(b"\xff\xfe{").decode(), "abc", f"@{good}", "\xe9"):
        event["body"] = body
        answer = pump.invoke("OnRequestFunction", event)
        assert (answer["statusCode"], told.error_in(answer)["code"]) == (400, "bad_request")
