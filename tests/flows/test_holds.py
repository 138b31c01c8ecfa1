"""Holds told late: what had gone out inside them is named, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from betimes.core.book import Snapshot
from betimes.core.change import Append
from betimes.core.contact import Event
from betimes.core.decision import Suppress
from betimes.core.hold import Hold, Kind
from betimes.core.intake import LiftHold, PutHold
from betimes.core.look import decision_record, event_record
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.flows.holds import sent_inside
from betimes.lab.world import TENANT, World
from betimes.ports import Stores
from tests.core.support import utc
from tests.flows.harness import (
    MINUTE,
    STEP_AT,
    account,
    bill,
    contact_of,
    person,
    played_out,
    ready,
    records_of,
    tell,
    world,
)

HOUR = timedelta(hours=1)


def held(here: World, starts_at: datetime, **fields: object) -> Hold:
    """Tell a dispute in a world and return it as stored."""
    command = replace(PutHold("h1", Kind.DISPUTE, starts_at), **fields)  # type: ignore[arg-type]  # fields of PutHold
    assert tell(here, command) == ["stored"]
    return here.memory.pages(TENANT, "b1").holds["h1"]


def inside(here: World, hold: Hold) -> tuple[str, ...]:
    return sent_inside(here.stores, TENANT, "b1", hold)


def _ledger(here: World, *more: Record) -> Stores:
    """Return the stores of a world with more records in the ledger."""
    here.memory.commit([Append(written) for written in more])
    return here.stores


def contacts(here: World) -> list[str]:
    """Return the contacts of b1 that went out, in order."""
    return [r.contact_id for r in records_of(here) if r.body.get("event") == "accepted"]


@pytest.fixture
def sent() -> tuple[World, str]:
    """A world in which one reminder has gone out at STEP_AT and nothing else come due, and the reminder's id."""
    here = played_out(world(), "2026-03-07 00:00")
    [contact_id] = set(contacts(here))
    return here, contact_id


def test_what_went_out_inside_is_named(sent: tuple[World, str]) -> None:
    """A hold that begins before it covers it, one that begins later does not."""
    here, contact_id = sent
    assert inside(here, held(here, STEP_AT - HOUR)) == (contact_id,)
    assert inside(here, held(here, STEP_AT + HOUR)) == ()


def test_the_start_belongs_to_a_hold_and_the_end_does_not(sent: tuple[World, str]) -> None:
    """Told, lifted or lifted before it began: the interval that holds now decides."""
    here, contact_id = sent
    [gone_at] = {r.at for r in records_of(here) if r.body.get("event") == "accepted"}
    assert inside(here, held(here, gone_at)) == (contact_id,)
    assert inside(here, held(here, gone_at - HOUR, ends_at=gone_at)) == ()
    hold = held(here, gone_at - HOUR)
    assert inside(here, hold) == (contact_id,)
    assert tell(here, LiftHold("h1", gone_at)) == ["stored"]
    assert inside(here, here.memory.pages(TENANT, "b1").holds["h1"]) == ()


def test_a_hold_names_what_it_concerns(sent: tuple[World, str]) -> None:
    """By channel, account and obligation; another one's reminder is not inside."""
    here, contact_id = sent
    assert set(tell(here, account("a2"), bill("o2", account_id="a2"))) == {"stored"}
    hold = held(here, STEP_AT - HOUR)
    for scope, expected in (
        ({"channel": "email"}, True),
        ({"channel": "sms"}, False),
        ({"account_id": "a1"}, True),
        ({"account_id": "a2"}, False),
        ({"obligation_id": "o1"}, True),
        ({"obligation_id": "o2"}, False),
        ({"account_id": "a1", "obligation_id": "o1", "channel": "email"}, True),
    ):
        scoped = replace(hold, **scope)  # type: ignore[arg-type]  # fields of Hold
        assert inside(here, scoped) == ((contact_id,) if expected else ()), scope


def test_what_never_went_is_not_named() -> None:
    """A contact that was cancelled, and one of which nobody knows yet, are not inside."""
    here, contact_id = ready()
    contact = contact_of(here, contact_id)
    hold = held(here, STEP_AT - HOUR)
    assert inside(here, hold) == ()
    for event in (Event.CLAIMED, Event.TIMED_OUT, Event.CANCELLED):
        written = event_record(
            contact, contact, event, STEP_AT, key="", reason=Reason.PROVIDER_TIMEOUT
        )
        assert sent_inside(_ledger(here, written), TENANT, "b1", hold) == ()


@pytest.mark.parametrize("event", ["accepted", "delivered", "bounced_hard", "complained"])
def test_any_evidence_shows_that_it_went(event: str) -> None:
    """Also where the provider's own answer was lost; the first evidence counts, however often it is reported."""
    here, contact_id = ready()
    contact = contact_of(here, contact_id)
    hold = held(here, STEP_AT - HOUR, ends_at=STEP_AT + HOUR)
    reports = [
        event_record(contact, contact, Event(event), at, key=str(at), reason=Reason.ACCEPTED)
        for at in (STEP_AT + MINUTE, STEP_AT + 2 * HOUR)
    ]
    assert sent_inside(_ledger(here, reports[1]), TENANT, "b1", hold) == ()
    assert sent_inside(_ledger(here, reports[0]), TENANT, "b1", hold) == (contact_id,)


def test_a_digest_is_inside_for_every_obligation_it_speaks_of() -> None:
    """And not for one that fell out of it before it went."""
    here, contact_id = ready()
    contact = contact_of(here, contact_id)
    assert set(tell(here, bill("o2", seq=2), bill("o3", seq=3))) == {"stored"}
    pages = here.memory.pages(TENANT, "b1")
    send = next(r for r in records_of(here) if r.body.get("decision") == "send")
    assert send.contact_id == contact_id
    o2, o3 = (pages.snapshot(obligation_id) for obligation_id in ("o2", "o3"))

    def said(snapshot: Snapshot, reason: Reason, at: datetime) -> Record:
        decision = Suppress("D-3", reason, {})
        return decision_record(snapshot, decision, at, prev="", contact_id=contact_id)

    stores = _ledger(
        here,
        said(o2, Reason.IN_DIGEST, STEP_AT),
        said(o3, Reason.IN_DIGEST, STEP_AT),
        said(o3, Reason.PAID, STEP_AT + MINUTE),
        event_record(
            contact, contact, Event.ACCEPTED, STEP_AT + MINUTE, key="", reason=Reason.ACCEPTED
        ),
    )
    hold = held(here, STEP_AT - HOUR)
    for obligation_id, expected in (("o1", True), ("o2", True), ("o3", False)):
        scoped = replace(hold, obligation_id=obligation_id)
        found = sent_inside(stores, TENANT, "b1", scoped)
        assert found == ((contact_id,) if expected else ()), obligation_id


def test_several_are_named_in_order() -> None:
    """Oldest first, each once."""
    here = played_out(world(), "2026-03-10 00:00")
    assert inside(here, held(here, utc("2026-03-01 00:00"))) == tuple(dict.fromkeys(contacts(here)))
    assert len(set(contacts(here))) == 3


def test_somebody_who_never_heard_from_us_heard_nothing_inside() -> None:
    """No ledger, no contacts."""
    here = played_out(world(), "2026-03-01 03:00")
    assert tell(here, person()) == ["unchanged"]
    assert inside(here, held(here, utc("2026-02-01 00:00"))) == ()
