"""One reminder from the lender's request to the report of the day, through every handler of the deployment."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, time, timedelta
from operator import itemgetter

import pytest

from betimes.adapters import proofs
from betimes.config import REPORTS, SEGMENTS
from betimes.core.contact import Event
from tests.handlers import told
from tests.handlers.pump import Pump, plain

SECOND = timedelta(seconds=1)


def hear(pump: Pump, *events: Event) -> None:
    """Let SES report about the last letter, a second apart, and let what follows happen."""
    for event in events:
        pump.clock.advance(pump.clock.now() + SECOND)
        pump.report(told.ses_event(pump.line.letters[-1], event, pump.clock.now()))
        pump.settle()


def test_a_reminder_walks_through_every_handler(with_bill: Pump) -> None:
    """A bill told over HTTP ends in one mail, a delivered contact, a timeline, segments and a report."""
    pump = with_bill
    pump.put(told.path(), told.borrower(phone=told.PHONE))
    pump.settle()
    pump.clock.advance(told.D_3)
    pump.tick()
    pump.drain("SweepQueue")
    pump.clock.advance(told.D_3 + SECOND)
    pump.settle()

    (mail,) = pump.mails()
    text = plain(mail)
    assert mail["To"] == told.EMAIL
    assert mail["Subject"] == "Betimes Demo：账单提醒"
    assert "您有一笔账单将于2026年3月9日到期，待还金额为1,200.00元。" in text
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]

    hear(pump, Event.ACCEPTED, Event.DELIVERED)
    assert pump.contacts() == [("D-3", "DELIVERED", "delivered")]

    status, answer = pump.request("GET", told.path("timeline"))
    said = [(entry["what"], entry["reason"]) for entry in answer["timeline"]]
    assert status == 200
    assert said[0] == ("send", "due")
    assert sorted(said[1:3]) == [("accepted", "accepted"), ("claimed", "due")]
    assert said[3:] == [("accepted", "accepted"), ("delivered", "delivered")]
    assert {entry["contact_id"] for entry in answer["timeline"]} == {told.contact_id("D-3", 0)}

    closed = pump.invoke("OnCloseDayFunction", {})
    assert closed["undecided"] == 0
    report = json.loads(pump.cloud.object("EvidenceBucket", closed["report"]))
    assert closed["report"].startswith(REPORTS)
    assert report["obligations"] == 1
    assert report["outstanding_minor"] == {"CNY M0": 120_000}
    assert len(pump.mails()) == 1
    # No other channel, no tape, and nobody opened a link (tests/pages).
    channels = ("Sms", "Push", "Inbox", "Webhook")
    others = {
        *(f"OnDelivery{each}Function" for each in channels),
        *("OnFileFunction", "OnPageFunction"),
    }
    assert set(pump.calls) == set(pump.modules) - others


def test_every_ledger_record_is_in_a_segment_once(with_bill: Pump) -> None:
    """The segments in the bucket chain, and hold exactly the records of the ledger."""
    pump = with_bill
    pump.sweep_at(told.D_3)
    hear(pump, Event.DELIVERED)

    documents = pump.cloud.objects("EvidenceBucket", SEGMENTS).values()
    heads, lines = [], []
    for document in documents:
        head, *records = document.decode().splitlines()
        heads.append(json.loads(head))
        lines += [json.loads(line.partition(" ")[2])["id"] for line in records]
    assert [head["segment"] for head in heads] == list(range(1, len(heads) + 1))
    assert [head["prev"] for head in heads] == ["", *(head["hash"] for head in heads[:-1])]
    assert sorted(lines) == [item["sk"]["S"] for item in pump.tables()["LedgerTable"]]


def test_a_borrower_with_only_a_number_gets_an_sms(pump: Pump) -> None:
    """Without an address the step goes by SMS, through that channel's own queue and function."""
    told.bill(pump, email=None, phone=told.PHONE)
    pump.sweep_at(told.D_3)

    (letter,) = pump.line.letters
    assert (letter.text.channel, letter.address) == ("sms", told.PHONE)
    assert pump.calls["OnDeliverySmsFunction"] == 1
    assert pump.calls["OnDeliveryEmailFunction"] == 0


def test_a_hard_bounce_blocks_the_address_for_the_next_step(with_bill: Pump) -> None:
    """After a hard bounce the next step is suppressed, with the reason in the timeline."""
    pump = with_bill
    pump.sweep_at(told.D_3)
    hear(pump, Event.BOUNCED_HARD)
    pump.sweep_at(told.D_1)

    _, answer = pump.request("GET", told.path("timeline"))
    last = answer["timeline"][-1]
    assert (last["step"], last["what"], last["reason"]) == (
        "D-1",
        "suppress",
        "contact_point_suppressed",
    )
    assert len(pump.mails()) == 1


def test_the_stream_of_looks_wakes_nobody(with_bill: Pump) -> None:
    """A sweep moves look_at of an obligation, and on_book_change is not called for it."""
    pump = with_bill
    before = pump.calls["OnBookChangeFunction"]
    pump.sweep_at(told.D_3)

    assert pump.calls["OnBookChangeFunction"] == before


def test_an_undecided_step_is_reported_and_counted(
    with_bill: Pump, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step past its deadline without a decision is named in the report and raises the alarm metric."""
    pump = with_bill
    pump.clock.advance(told.D_3 + timedelta(hours=26))

    closed = pump.invoke("OnCloseDayFunction", {})

    report = json.loads(pump.cloud.object("EvidenceBucket", closed["report"]))
    metric = next(
        line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line
    )
    assert report["undecided"] == [f"{told.OBLIGATION}:D-3"]
    assert metric["Undecided"] == [1.0]


def test_a_proof_that_ends_soon_is_reported_and_counted(
    pump: Pump, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sixty days before a treatment could be deployed no more, the close of day says so, and not a day earlier."""
    name, last = min(
        ((each.treatment, each.last) for each in proofs.read().values()), key=itemgetter(1)
    )
    for days, says in ((61, False), (60, True)):
        at = datetime.combine(last - timedelta(days=days), time(17), UTC)
        pump.clock.advance(at)
        closed = pump.invoke("OnCloseDayFunction", {})
        report = json.loads(pump.cloud.object("EvidenceBucket", closed["report"]))
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert (report["proofs_ending"].get(name) == str(last)) is says
        assert any(line.get("ProofsEnding", [0.0]) > [0.0] for line in lines) is says


def test_nothing_personal_is_logged(
    pump: Pump, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the whole walk no address, number, amount or text of a message reaches a log or a metric."""
    pump.put(told.path(), told.borrower(email="canary@example.com", phone="+447700900999"))
    pump.put(told.path("accounts", told.ACCOUNT), told.account())
    pump.put(told.path("obligations", told.OBLIGATION), told.obligation(amount_minor=7_654_321))
    pump.settle()
    pump.sweep_at(told.D_3)
    hear(pump, Event.BOUNCED_HARD)
    pump.sweep_at(told.D_1)
    pump.invoke("OnCloseDayFunction", {})

    printed = capsys.readouterr()
    said = logs.getvalue() + printed.out + printed.err
    assert "on_delivery" in said
    assert [letter.text.channel for letter in pump.line.letters] == ["email", "sms"]
    for canary in ("canary", "900999", "7654321", "76,543", "还款", "账单"):
        assert canary not in said
