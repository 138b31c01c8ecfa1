"""The report: one digest over what was decided and said, whatever the order and the clock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.audit import Findings
from betimes.core.contact import Contact, State
from betimes.core.money import Money
from betimes.core.reason import Reason
from betimes.core.record import EVENT, Record
from betimes.core.report import Report, contact_line, decision_line, jsonl
from tests.factories import NOW, contact, record

KEPT = Findings((), (), (), ())
CONTACTS = [
    contact(
        id=f"c{n}",
        sent_at=NOW if n % 2 else None,
        text_sha256=f"t{n}",
        decided_at=NOW + n * timedelta(hours=1),
    )
    for n in range(4)
]


def decision(n: int, **body: Any) -> Record:
    """Return a decision record."""
    facts = {
        "decision_id": f"d{n}",
        "decision": "send",
        "step": "D-3",
        "reason": "due",
        "until": "",
    }
    return record(fact=f"d{n}", at=NOW + timedelta(minutes=n), body={**facts, **body})


DECISIONS = [
    decision(0),
    decision(1, decision="suppress", reason="paid"),
    decision(2, decision="wait", reason="quiet_hours", until="2026-03-07T00:00:00.000000Z"),
]


def report(contacts: list[Contact] = CONTACTS, records: list[Record] = DECISIONS) -> Report:
    """Return the report of three bills."""
    return Report.of(3, contacts, records, KEPT)


@given(st.permutations(CONTACTS), st.permutations(DECISIONS))
def test_no_order_changes_the_report(contacts: list[Contact], records: list[Record]) -> None:
    """Neither its lines nor its digest."""
    assert report(contacts, records) == report()
    assert report(contacts, records).digest == report().digest


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "c9"},
        {"sent_at": None},
        {"amount": Money(1, "CNY")},
        {"amount": Money(120_000, "USD")},
        {"text_sha256": "other"},
    ],
)
def test_the_digest_changes_with_anything_said(fields: dict[str, Any]) -> None:
    """Another contact, sent or not, another amount, currency or text."""
    changed = [*CONTACTS[:1], replace(CONTACTS[1], **fields), *CONTACTS[2:]]
    assert report(changed).digest != report().digest


def test_the_digest_changes_with_anything_decided() -> None:
    """One decision more, less, or another one."""
    assert report(records=DECISIONS[:2]).digest != report().digest
    assert report(records=[*DECISIONS, decision(3)]).digest != report().digest
    assert report(records=[*DECISIONS[:2], decision(9)]).digest != report().digest
    assert report(contacts=CONTACTS[:3]).digest != report().digest


@pytest.mark.parametrize(
    "fields", [{"sent_at": NOW + timedelta(hours=9)}, {"decided_at": NOW}, {"chain": "x"}]
)
def test_the_digest_does_not_depend_on_the_clock(fields: dict[str, Any]) -> None:
    """A run with a moving clock that says the same has the same digest."""
    moved = [*CONTACTS[:1], replace(CONTACTS[1], **fields), *CONTACTS[2:]]
    assert report(moved).digest == report().digest


def test_a_decision_recorded_twice_counts_once_in_the_digest() -> None:
    """A retry meets itself."""
    again = record(fact="again", at=NOW + timedelta(hours=1), body=dict(DECISIONS[0].body))
    assert report(records=[*DECISIONS, again]).digest == report().digest


def test_events_are_no_decisions() -> None:
    """Only decisions are reported as such."""
    event = record(fact="e", kind=EVENT, body={"event": "claimed"})
    assert report(records=[*DECISIONS, event]) == report()


def test_totals_count_by_kind() -> None:
    """What is printed as JSON: counts, findings, time and digest."""
    totals = report().totals(1.23456)
    assert totals == {
        "obligations": 3, "decisions": 3, "sent": 2, "suppressed": 1, "waiting": 1, "undecided": 0, "duplicates": 0,
        "after_payment": 0, "out_of_window": 0, "against_policy": 0, "seconds": 1.235, "digest": report().digest,
    }  # fmt: skip
    broken = replace(report(), findings=Findings(("o1:D0",), ("a", "b"), (), ("c",)))
    totals = broken.totals(0)
    assert [totals[k] for k in ("undecided", "duplicates", "after_payment", "out_of_window")] == [
        1,
        2,
        0,
        1,
    ]


def test_lines_are_json_without_personal_data() -> None:
    """One a line, ending in a line break; ids, amounts, instants and hashes."""
    sent = contact(sent_at=NOW, state=State.DELIVERED, reason=Reason.DELIVERED)
    [line] = jsonl([contact_line(sent)]).splitlines()
    assert json.loads(line)["sent_at"] == "2026-03-01T02:00:00.000000Z"
    assert contact_line(contact())["sent_at"] == ""
    [written] = jsonl([decision_line(DECISIONS[2])]).splitlines()
    assert json.loads(written)["until"] == "2026-03-07T00:00:00.000000Z"
    assert jsonl([]) == ""
    assert set(contact_line(sent)).isdisjoint({"address", "email", "phone", "text", "body"})
