"""What AWS does to every system in the end: workers die, messages come twice, records are lost or out of order."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from betimes.adapters.items import record_item
from betimes.adapters.segments import Segments
from betimes.core.contact import Event
from tests import factories
from tests.handlers import told
from tests.handlers.pump import Pump, plain

MINUTE = timedelta(minutes=1)
# One review each: the offer is old, the lease is over and the grace has passed, one more attempt.
REVIEWS = (11, 27, 43, 59)


def reviewed(pump: Pump) -> None:
    """Tick through the hour after the clock's instant, in which a contact is settled whatever became of it."""
    began = pump.clock.now()
    for minutes in REVIEWS:
        pump.sweep_at(began + minutes * MINUTE)


def test_a_worker_that_dies_before_the_call_costs_no_mail_and_makes_no_second(
    with_bill: Pump,
) -> None:
    """Killed between claim and call: the queue's redelivery sends nothing, the review sends the one mail."""
    pump = with_bill
    pump.line.dies_before = 1

    pump.sweep_at(told.D_3)
    assert (pump.died, pump.calls["OnDeliveryEmailFunction"]) == (1, 2)
    assert pump.contacts() == [("D-3", "SENDING", "due")]
    assert pump.mails() == []

    reviewed(pump)
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]
    assert len(pump.mails()) == 1


def test_evidence_settles_what_a_dead_worker_had_sent(with_bill: Pump) -> None:
    """Killed after the call: the provider's Send event makes the contact ACCEPTED, and no second mail follows."""
    pump = with_bill
    pump.line.dies_after = 1
    pump.sweep_at(told.D_3)
    assert pump.contacts() == [("D-3", "SENDING", "due")]

    pump.report(told.ses_event(pump.line.letters[0], Event.ACCEPTED, told.D_3))
    pump.settle()
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]

    reviewed(pump)
    assert len(pump.mails()) == 1


def test_an_overdue_contact_of_unknown_outcome_is_held(with_bill: Pump) -> None:
    """Killed after the call without any evidence: an overdue step is held UNKNOWN and never sent again."""
    pump = with_bill
    pump.line.dies_after = 1
    pump.sweep_at(told.D1)
    assert pump.contacts() == [("D+1", "SENDING", "due")]

    reviewed(pump)
    pump.settle()
    assert pump.contacts() == [("D+1", "UNKNOWN", "held_unknown")]
    assert len(pump.mails()) == 1


def test_late_evidence_settles_a_held_contact(with_bill: Pump) -> None:
    """A held contact whose delivery is reported hours later is DELIVERED, and nothing is sent for it."""
    pump = with_bill
    pump.line.dies_after = 1
    pump.sweep_at(told.D1)
    reviewed(pump)

    pump.report(told.ses_event(pump.line.letters[0], Event.DELIVERED, told.D1 + timedelta(hours=5)))
    pump.settle()
    assert pump.contacts() == [("D+1", "DELIVERED", "delivered")]
    assert len(pump.mails()) == 1


def test_a_courtesy_contact_is_tried_once_more_and_no_more(with_bill: Pump) -> None:
    """Two silent deaths after the call: the policy allows a courtesy step one more attempt, then it is held."""
    pump = with_bill
    pump.line.dies_after = 2

    pump.sweep_at(told.D_3)
    reviewed(pump)
    reviewed(pump)

    (contact,) = pump.cloud.items("ContactsTable")
    assert pump.contacts() == [("D-3", "UNKNOWN", "held_unknown")]
    assert (contact["attempt"]["N"], contact["unknowns"]["N"]) == ("2", "2")
    assert len(pump.mails()) == 2


def test_a_worker_that_dies_does_not_hold_up_the_rest_of_its_batch(with_bill: Pump) -> None:
    """Two contacts in one batch, killed at the first: both are sent, each once."""
    pump = with_bill
    pump.put(told.path("obligations", "o-1002"), told.obligation(seq=2))
    pump.line.dies_before = 1

    pump.sweep_at(told.D_3)
    reviewed(pump)

    assert [state for _, state, _ in pump.contacts()] == ["ACCEPTED", "ACCEPTED"]
    assert len(pump.mails()) == 2
    assert len({letter.contact_id for letter in pump.line.letters}) == 2


@pytest.mark.parametrize("heard_first", ["BookTable", "EmailQueue"])
def test_money_between_sweep_and_delivery_stops_the_mail(with_bill: Pump, heard_first: str) -> None:
    """A payment that arrives while the reminder is in the queue: no mail, and the contact is CANCELLED as paid."""
    pump = with_bill
    pump.clock.advance(told.D_3)
    pump.tick()
    for source in ("SweepQueue", "ContactsTable"):
        pump.drain(source)
    assert pump.cloud.waiting("EmailQueue") == 1
    pump.put(
        told.path("repayments", told.REPAYMENT),
        told.repayment(paid_at="2026-03-06T10:00:00+08:00"),
    )

    pump.drain(heard_first)
    pump.settle()

    assert pump.mails() == []
    assert pump.contacts() == [("D-3", "CANCELLED", "paid")]
    _, answer = pump.request("GET", told.path("timeline"))
    assert ("cancelled", "paid") in [(e["what"], e["reason"]) for e in answer["timeline"]]


def test_a_part_payment_in_between_changes_the_amount_in_the_mail(with_bill: Pump) -> None:
    """What is rendered is what is owed at the claim, not at the sweep."""
    pump = with_bill
    pump.clock.advance(told.D_3)
    pump.tick()
    pump.drain("SweepQueue")
    pump.put(
        told.path("repayments", told.REPAYMENT),
        told.repayment(paid_at="2026-03-06T10:00:00+08:00", amount_minor=20_000),
    )
    pump.settle()

    (mail,) = pump.mails()
    assert "1,000.00元" in plain(mail)


def two_borrowers_until_the_second_step(pump: Pump) -> None:
    """Two bills; one is paid between its first two steps, by a repayment that comes in parts."""
    told.bill(pump)
    other = {"borrower": "b-1002"}
    pump.put(told.path(**other), told.borrower(email="other@example.com"))
    pump.put(told.path("accounts", "a-1002", **other), told.account())
    pump.put(told.path("obligations", "o-1002", **other), told.obligation(account_id="a-1002"))
    pump.settle()
    pump.sweep_at(told.D_3)
    for letter in pump.line.letters:
        pump.report(told.ses_event(letter, Event.DELIVERED, told.D_3 + MINUTE))
    pump.settle()
    for number, minor in enumerate((50_000, 70_000)):
        pump.put(
            told.path("repayments", f"r-{number}", **other),
            told.repayment(
                obligation_id="o-1002",
                account_id="a-1002",
                paid_at="2026-03-06T10:00:00+08:00",
                amount_minor=minor,
            ),
        )
    pump.settle()
    pump.sweep_at(told.D_1)


def test_repetition_and_disorder_change_nothing(fresh: Callable[[], Pump]) -> None:
    """With every message twice, streams shuffled and the Book's stream half lost, the tables end the same."""
    calm = fresh()
    two_borrowers_until_the_second_step(calm)
    expected = calm.tables()
    assert len(calm.mails()) == 3

    for seed in range(2):
        rough = fresh()
        rough.copies = 2
        rough.shuffle = chance = random.Random(seed)
        rough.loses = lambda table, _, chance=chance: (  # type: ignore[misc]  # binds the loop's value
            table == "BookTable" and chance.random() < 0.5
        )
        two_borrowers_until_the_second_step(rough)
        assert len(rough.mails()) == 3
        assert rough.tables() == expected


def test_reports_in_any_order_leave_the_same_state(with_bill: Pump) -> None:
    """Delivered before sent, each twice: the contact is DELIVERED and each report is in the ledger once."""
    pump = with_bill
    pump.copies = 2
    pump.sweep_at(told.D_3)
    (letter,) = pump.line.letters
    for event in (Event.DELIVERED, Event.ACCEPTED, Event.DELIVERED):
        pump.report(told.ses_event(letter, event, told.D_3 + MINUTE))
    pump.settle()

    _, answer = pump.request("GET", told.path("timeline"))
    said = [entry["what"] for entry in answer["timeline"]]
    assert pump.contacts() == [("D-3", "DELIVERED", "delivered")]
    assert sorted(said) == ["accepted", "accepted", "claimed", "delivered", "send"]


def test_a_contact_whose_record_is_lost_is_offered_again(with_bill: Pump) -> None:
    """A lost record of the contacts stream delays a reminder until its review, and neither loses nor doubles it."""
    pump = with_bill
    pump.loses = lambda table, record: table == "ContactsTable"
    pump.sweep_at(told.D_3)
    assert pump.contacts() == [("D-3", "READY", "due")]

    pump.loses = lambda table, record: False
    pump.sweep_at(told.D_3 + 11 * MINUTE)
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]

    reviewed(pump)
    assert len(pump.mails()) == 1


def test_a_hint_that_comes_late_after_the_offer_was_repeated_sends_nothing(with_bill: Pump) -> None:
    """Two hints for one contact, the first of them ten minutes late: one mail."""
    pump = with_bill
    pump.clock.advance(told.D_3)
    pump.tick()
    pump.drain("SweepQueue")
    pump.drain("ContactsTable")
    pump.clock.advance(told.D_3 + 11 * MINUTE)
    pump.tick()
    pump.drain("SweepQueue")
    pump.drain("ContactsTable")
    assert pump.cloud.waiting("EmailQueue") == 2

    pump.settle()
    assert len(pump.mails()) == 1
    assert pump.contacts() == [("D-3", "ACCEPTED", "accepted")]


def test_two_sealers_do_not_break_the_chain(
    with_bill: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sealer that is overtaken between reading the chain's end and writing to it seals behind the other."""
    pump = with_bill
    segments = pump.worlds["OnLedgerFunction"].segments
    events = [{"Records": [ledger_image(fact)]} for fact in ("first", "second")]
    last, seen = type(segments).last, [0]

    def overtaken(self: Segments) -> tuple[int, str]:
        end = last(self)
        seen[0] += 1
        if seen[0] == 1:
            pump.invoke("OnLedgerFunction", events[1])
        return end

    monkeypatch.setattr(type(segments), "last", overtaken)
    pump.invoke("OnLedgerFunction", events[0])

    chain = [item for item in pump.cloud.items("LedgerTable") if item["pk"]["S"] == "@segments"]
    named = [pump.cloud.object("EvidenceBucket", item["object"]["S"]).decode() for item in chain]
    assert [item["number"]["N"] for item in chain] == ["1", "2"]
    assert chain[1]["prev"] == chain[0]["hash"]
    assert ["second" in document for document in named] == [True, False]


def ledger_image(fact: str) -> dict[str, Any]:
    record = factories.record(fact=fact, contact_id=fact)
    return {"dynamodb": {"NewImage": record_item(record), "SequenceNumber": "1"}}


def test_an_outage_of_the_sweep_is_caught_up(with_bill: Pump) -> None:
    """With no tick for a day and a half, what may still go goes, once; what is too late is recorded as missed."""
    pump = with_bill
    pump.sweep_at(told.D_1 + timedelta(hours=2))

    _, answer = pump.request("GET", told.path("timeline"))
    decided = [(e["step"], e["what"], e["reason"]) for e in answer["timeline"] if not e["state"]]
    assert decided == [("D-3", "suppress", "catch_up_exceeded"), ("D-1", "send", "due")]
    assert len(pump.mails()) == 1
