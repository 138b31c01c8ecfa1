"""Running a book through the lab: what a lender tells, in order of time, with the sweep in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from datetime import datetime, time, timedelta

from betimes.core import zones
from betimes.core.audit import Arrival, audit
from betimes.core.errors import Rejected
from betimes.core.intake import Outcome
from betimes.core.policies import Policies
from betimes.core.report import Report
from betimes.core.values import dataclass
from betimes.flows.intake import Told
from betimes.flows.load import REMARKS
from betimes.lab.links import LocalLinks
from betimes.lab.world import TENANT, World

# After the last thing told and the last due date, a lab goes on for as long as the default treatment may still speak.
AFTERMATH = timedelta(days=32)
_BLINK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Event:
    """Something a lender tells at an instant; `place` says where it stands, for messages about it."""

    at: datetime
    told: Told
    place: str


@dataclass
class LabRun:
    """What a lab run leaves: the report, what was rejected and where, and the places of money beyond what was owed."""

    report: Report
    world: World
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)
    remarked: dict[str, Outcome] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)


def run(
    events: Sequence[Event],
    policies: Policies,
    *,
    end: datetime | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> LabRun:
    """Return what happens when `events`, in order of time, are told to a fresh world that is then left until `end`.

    `end` defaults to the last event or due date and the time the treatment may still speak after it.
    """
    start = events[0].at if events else end
    if start is None:
        raise Rejected("empty_tape", "", "the tape holds no rows")
    world = World(policies, start, links=LocalLinks())
    done = LabRun(report_of(world, policies), world)
    for n, event in enumerate(events):
        if end is not None and event.at > end:
            break
        world.run_until(event.at - _BLINK)
        world.clock.advance(event.at)
        _note(done, event, world.tell([event.told]))
        progress(n + 1, len(events))
    last = end if end is not None else max(world.clock.now(), _last_due(world)) + AFTERMATH
    world.run_until(last)
    done.report = report_of(world, policies)
    return done


def _last_due(world: World) -> datetime:
    """Return the end of the last due date of any obligation, the clock's instant if there is none."""
    due = [
        zones.instant(obligation.due_on, time.max, pages.head.zone)
        for pages in world.memory.everyone()
        if pages.head is not None
        for obligation in pages.obligations.values()
    ]
    return max(due, default=world.clock.now())


def run_at(events: Iterable[Event], policies: Policies, at: datetime) -> LabRun:
    """Return what happens when everything known at the instant `at` is told at once, then, and swept once.

    This is what a run on the pocket cloud does: the same contacts with the same texts.
    """
    world = World(policies, at, links=LocalLinks())
    done = LabRun(report_of(world, policies), world)
    known = [event for event in events if event.at <= at]
    for event, answer in zip(
        known, world.intake.take_in(TENANT, [event.told for event in known], at), strict=True
    ):
        _note(done, event, [answer])
    world.settle()
    world.run_until(at)
    done.report = report_of(world, policies)
    return done


def _note(done: LabRun, event: Event, answers: Sequence[object]) -> None:
    for answer in answers:
        if isinstance(answer, Rejected):
            done.rejected.append((event.place, answer))
        else:
            done.outcomes[str(answer)] += 1
            if answer in REMARKS:
                done.remarked[event.place] = Outcome(str(answer))


def report_of(world: World, policies: Policies) -> Report:
    """Return the audited report of a world as it stands."""
    everyone = world.memory.everyone()
    contacts = world.memory.all_contacts()
    records = [
        record
        for pages in everyone
        for record in world.memory.of_borrower(pages.tenant, pages.borrower_id)
    ]
    arrivals = [
        Arrival(arrived.letter.contact_id, arrived.at) for arrived in world.provider.accepted
    ]
    findings = audit(everyone, contacts, records, arrivals, policies, now=world.clock.now())
    obligations = sum(len(pages.obligations) for pages in everyone)
    return Report.of(obligations, contacts, records, findings)
