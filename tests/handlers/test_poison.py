"""Poison: a record that cannot be handled goes back alone, ends where a person finds it, and tells the logs nothing."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from betimes.adapters.fanout import Notice
from betimes.adapters.items import contact_item, record_item
from betimes.core.contact import Event
from betimes.wire import hints
from tests import factories
from tests.canary import Net
from tests.handlers import told
from tests.handlers.pump import Pump, message

CANARY = "canary@example.com"
POISON = ("", "{", "[]", "7", json.dumps(CANARY), json.dumps({CANARY: CANARY}), CANARY)

# For each function that reads a queue: a message it can handle, and one of its own form with a wrong value.
QUEUES = {
    "OnSweepFunction": (json.dumps({"shard": 0}), json.dumps({"shard": CANARY})),
    "OnDeliveryEmailFunction": (hints.encode("c_1"), json.dumps({"contact_id": {"x": CANARY}})),
    "OnFeedbackFunction": (
        json.dumps({"eventType": "Open"}),
        json.dumps({"eventType": "Bounce", "mail": {"messageId": CANARY, "timestamp": CANARY}}),
    ),
    "OnFileFunction": (
        json.dumps({"Event": "s3:TestEvent"}),
        json.dumps({"Records": [{"s3": {"object": {"key": f"inbox/{CANARY}/a/tape.json"}}}]}),
    ),
}


@pytest.mark.parametrize("function", QUEUES)
def test_only_the_poison_goes_back_to_its_queue(
    pump: Pump, function: str, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a batch of good and bad messages exactly the bad ones come back, and nothing of them is in the logs."""
    good, wrong = QUEUES[function]
    bad = [*POISON, wrong]
    records = [message(good, "first")]
    records += [message(body, f"bad-{n}") for n, body in enumerate(bad)]
    records += [message(good, "last")]

    answer = pump.invoke(function, {"Records": records})

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    printed = capsys.readouterr()
    said = logs.getvalue() + printed.out + printed.err
    assert failed == [f"bad-{n}" for n in range(len(bad))]
    assert "record failed" in said
    assert "canary" not in said


def test_poison_in_a_queue_becomes_a_dead_letter(with_bill: Pump, net: Net) -> None:
    """After five deliveries the message is among the dead letters, and the reminder beside it has gone out."""
    pump = with_bill
    pump.cloud.client["sqs"].send_message(
        QueueUrl=pump.cloud.refs["EmailQueue"], MessageBody=CANARY
    )
    pump.sweep_at(told.D_3)

    assert pump.cloud.waiting("EmailQueue") == 0
    assert pump.cloud.waiting("EmailDeadLetters") == 1
    # What somebody else put there, and nothing of ours: in the queue once, and once among its dead letters.
    assert net.take() == [
        f"message in {queue}: address in {CANARY!r}" for queue in ("EmailQueue", "EmailDeadLetters")
    ]
    assert len(pump.mails()) == 1


def test_poison_in_the_stream_of_the_book_is_given_up_alone(with_bill: Pump) -> None:
    """A key that is none of ours goes to the failure destination; the payment behind it is taken up."""
    pump = with_bill
    pump.clock.advance(told.D_3)
    pump.tick()
    pump.drain("SweepQueue")
    poison = {"pk": {"S": CANARY}, "sk": {"S": "repayment#r-1"}}
    pump.cloud.client["dynamodb"].put_item(TableName=pump.cloud.refs["BookTable"], Item=poison)
    pump.put(
        told.path("repayments", told.REPAYMENT),
        told.repayment(paid_at="2026-03-06T10:00:00+08:00"),
    )

    pump.drain("BookTable")

    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in pump.given_up] == [CANARY]
    assert pump.contacts() == [("D-3", "CANCELLED", "paid")]


def test_poison_in_the_stream_of_contacts_is_given_up_alone(with_bill: Pump) -> None:
    """A contact that names no channel goes to the failure destination; the others are fanned out."""
    pump = with_bill
    poison = {"pk": {"S": "c_1"}, "state": {"S": "READY"}, "offered": {"BOOL": True}}
    pump.cloud.client["dynamodb"].put_item(TableName=pump.cloud.refs["ContactsTable"], Item=poison)
    pump.clock.advance(told.D_3)
    pump.tick()
    pump.settle()

    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in pump.given_up] == ["c_1"]
    assert len(pump.mails()) == 1


def test_a_forged_record_is_not_sealed(pump: Pump) -> None:
    """A ledger record whose hash does not fit goes to the failure destination; its neighbours are sealed."""
    records = [factories.record(fact=f"d{n}") for n in range(3)]
    items = [record_item(record) for record in records]
    items[1]["body"]["M"]["outstanding_minor"] = {"N": "1"}
    for item in items:
        pump.cloud.client["dynamodb"].put_item(TableName=pump.cloud.refs["LedgerTable"], Item=item)
    pump.settle()

    sealed = b"".join(pump.cloud.objects("EvidenceBucket", "segments/").values()).decode()
    assert [r["dynamodb"]["Keys"]["sk"]["S"] for r in pump.given_up] == [records[1].id]
    assert [record.hash in sealed for record in records] == [True, False, True]


def test_a_hint_that_the_topic_did_not_take_comes_back(
    pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records whose hints SNS refused are named by their sequence numbers, so the stream hands them over again."""

    class Picky:
        def publish(self, notices: list[Notice]) -> tuple[int, ...]:
            return tuple(n for n, notice in enumerate(notices) if notice.channel == "sms")

    monkeypatch.setattr(pump.worlds["OnContactFunction"], "fanout", Picky())
    contacts = [
        factories.contact(id=f"c{n}", channel=channel)
        for n, channel in enumerate(("email", "sms", "email", "sms"))
    ]
    records = [
        {"dynamodb": {"NewImage": contact_item(contact), "SequenceNumber": f"{n}00"}}
        for n, contact in enumerate(contacts)
    ]

    answer = pump.invoke("OnContactFunction", {"Records": records})

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert failed == ["100", "300"]


def test_a_report_about_somebody_elses_mail_is_ignored(with_bill: Pump) -> None:
    """Reports without our tags, about no contact of ours, or of a kind we do not use, change nothing."""
    pump = with_bill
    pump.sweep_at(told.D_3)
    before = pump.tables()
    ours = told.ses_event(pump.line.letters[0], Event.DELIVERED, told.D_3)

    strange: list[dict[str, Any]] = [
        {**ours, "mail": {**ours["mail"], "tags": {}}},
        {**ours, "mail": {**ours["mail"], "tags": {"contact_id": ["c_other"], "attempt": ["1"]}}},
        {**ours, "eventType": "Open"},
    ]
    for event in strange:
        pump.report(event)
    pump.settle()

    assert pump.tables() == before
    assert pump.cloud.waiting("FeedbackDeadLetters") == 0
