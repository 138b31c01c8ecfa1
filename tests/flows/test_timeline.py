"""The timeline: everything decided about and done for a borrower, oldest first, each with its reason."""

from __future__ import annotations

from itertools import pairwise

from betimes.flows.timeline import timeline
from betimes.lab.world import TENANT
from tests.flows.harness import (
    STEP_AT,
    events_of,
    money,
    person,
    played_out,
    records_of,
    tell,
    world,
)


def test_it_tells_the_whole_story_in_order() -> None:
    """A reminder goes out, the next step finds the money: nothing is left out, and later never comes before earlier."""
    here = played_out(world(), "2026-03-07 00:00")
    tell(here, money(paid_at=here.clock.now()))
    played_out(here)
    entries = timeline(here.memory, TENANT, "b1")
    assert len(entries) == len(records_of(here))
    assert all(one.at <= other.at for one, other in pairwise(entries))
    assert {(entry.what, entry.step, entry.reason) for entry in entries} == {
        ("send", "D-3", "due"),
        ("claimed", "D-3", "due"),
        ("accepted", "D-3", "accepted"),
        ("delivered", "D-3", "delivered"),
    }
    assert entries[0].at == STEP_AT
    assert len({entry.record_id for entry in entries}) == len(entries)


def test_each_entry_says_what_happened_to_which_contact() -> None:
    """A decision not to send names no contact; an event names contact, channel and state."""
    here = played_out(world("hard@borrowers.example"), "2026-03-09 00:00")
    entries = timeline(here.memory, TENANT, "b1")
    [bounced] = [entry for entry in entries if entry.what == "bounced_hard"]
    assert (bounced.channel, bounced.state, bounced.reason) == (
        "email",
        "UNDELIVERED_HARD",
        "bounced_hard",
    )
    assert bounced.contact_id
    [silent] = [entry for entry in entries if entry.what == "suppress"]
    assert (silent.step, silent.reason, silent.contact_id) == (
        "D-1",
        "contact_point_suppressed",
        "",
    )
    assert events_of(here) == ["claimed", "accepted", "bounced_hard"]


def test_a_complaint_is_shown_as_one() -> None:
    """Though the contact only counts as delivered."""
    here = played_out(world("complaint@borrowers.example"), "2026-03-07 00:00")
    [complaint] = [e for e in timeline(here.memory, TENANT, "b1") if e.what == "complained"]
    assert (complaint.reason, complaint.state) == ("complained", "DELIVERED")


def test_nobody_has_an_empty_timeline() -> None:
    """Unknown to us, of another tenant, or nothing decided yet; and no address is in any."""
    here = world()
    assert timeline(here.memory, TENANT, "b1") == []
    assert timeline(here.memory, TENANT, "b9") == []
    tell(here, person("new@borrowers.example"))
    played_out(here)
    assert timeline(here.memory, "other", "b1") == []
    assert "borrowers.example" not in repr(timeline(here.memory, TENANT, "b1"))
