"""What the tests of core and flows share: the shipped policies, a plan to reason about, and strategies of made-up
facts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from betimes.adapters.packs import policies
from betimes.core.agenda import Planned, planned
from betimes.core.book import Snapshot
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.policies import Policies
from betimes.core.treatment import MessageClass, Step, Treatment
from tests.factories import borrower, obligation, watch

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)

POLICIES: Policies = policies("default", "Betimes Demo")
TREATMENT = POLICIES.treatment
RULES = POLICIES.rules

# Zones with gaps and folds of an hour, of half an hour, at midnight, at two, and of a whole day.
ZONES = (
    "Asia/Shanghai",
    "Africa/Lagos",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Europe/London",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Nuuk",
)


def load_profile() -> None:
    """Make properties repeatable; `--hypothesis-profile=search` looks further, at random, and prints its seed."""
    settings.register_profile(
        "betimes",
        max_examples=50,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile("search", max_examples=2_000, deadline=None, print_blob=True)
    if settings.get_current_profile_name() != "search":
        settings.load_profile("betimes")


def utc(text: str) -> datetime:
    """Return the instant of `2026-03-06 02:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def step(name: str = "D-3", **fields: Any) -> Step:
    """Return a step three days before the due date at ten, by e-mail, at most a day late."""
    default = Step(
        name=name,
        offset_days=-3,
        send_at=time(10),
        channels=("email",),
        template="due_soon",
        message_class=MessageClass.COURTESY,
        catch_up=timedelta(hours=24),
    )
    return replace(default, **fields)


def treatment(*steps: Step) -> Treatment:
    """Return a treatment of these steps."""
    return Treatment("test@0", "test", steps)


def snapshot(*, zone: str = "Asia/Shanghai", jurisdiction: str = "CN", **fields: Any) -> Snapshot:
    """Return an open bill of CNY 1,200.00 due on 2026-03-09, told and issued in February, and its borrower."""
    early = utc("2026-02-01 00:00")
    facts = {"issued_at": early, "stored_at": early, "minimum_minor": 0, "watch": watch(), **fields}
    return Snapshot(borrower(zone=zone, jurisdiction=jurisdiction), obligation(**facts))


def coming(seen: Snapshot, name: str) -> Planned:
    """Return the step called `name` as it applies, by the shipped treatment."""
    found = planned(seen, TREATMENT, name)
    assert found is not None
    return found


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Make up a borrower with any contact points and zone, and an obligation anywhere in its life."""
    due_on = draw(st.dates(date(2015, 1, 1), date(2035, 12, 31)))
    issued_at = datetime(due_on.year, due_on.month, due_on.day, tzinfo=UTC) - timedelta(
        hours=draw(st.integers(0, 24 * 45))
    )
    stored_at = issued_at + timedelta(hours=draw(st.integers(0, 24 * 60)))
    paid = draw(st.sampled_from([0, 0, 1, 11_999, 12_000, 119_999, 120_000, 130_000]))
    states = st.sampled_from([None, *PointState])
    points = tuple(
        ContactPoint(channel, address, state)
        for channel, address in (("email", "li@example.com"), ("sms", "+8613800000000"))
        if (state := draw(states)) is not None
    )
    decided = draw(st.integers(0, len(TREATMENT.steps)))
    person = borrower(
        zone=draw(st.sampled_from(ZONES)),
        jurisdiction=draw(st.sampled_from(["CN", "US", "HOUSE"])),
        contact_points=points,
    )
    bill = obligation(
        due_on=due_on,
        issued_at=issued_at,
        stored_at=stored_at,
        minimum_minor=draw(st.sampled_from([0, 12_000])),
        paid_minor=paid,
        settled_at=stored_at if paid >= 120_000 else None,
        watch=watch(decided=tuple(s.name for s in TREATMENT.steps[:decided])),
    )
    return Snapshot(person, bill)
