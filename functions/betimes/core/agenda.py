"""The agenda: which step of an obligation comes next, and when it must be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from betimes.core.book import Snapshot
from betimes.core.treatment import Step, Treatment

# The look of an open obligation whose treatment is complete: it stays on the agenda, so that the close of day finds it,
# but no sweep ever reaches it.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Planned:
    """A step of the treatment with the instant at which it comes due for one obligation.

    `superseded_at` is the instant of the step behind it, None for the last one: two steps never speak at once.
    """

    step: Step
    at: datetime
    superseded_at: datetime | None

    @property
    def deadline(self) -> datetime:
        """The instant from which on this step is missed: its catch-up has passed, or the next step speaks."""
        late = self.at + self.step.catch_up
        return late if self.superseded_at is None else min(late, self.superseded_at)


def plan(snapshot: Snapshot, treatment: Treatment) -> tuple[Planned, ...]:
    """Return the steps of `treatment` that apply to the obligation, in order of time; may be empty.

    A step whose instant lies before the obligation was issued is not due and does not appear.
    """
    obligation, zone = snapshot.obligation, snapshot.borrower.zone
    at = [(step, step.instant(obligation.due_on, zone)) for step in treatment.steps]
    nexts = [instant for _, instant in at[1:]] + [None]
    return tuple(
        Planned(step, instant, following)
        for (step, instant), following in zip(at, nexts, strict=True)
        if instant >= obligation.issued_at
    )


def next_step(snapshot: Snapshot, treatment: Treatment) -> Planned | None:
    """Return the first step that has no decision yet, None when the treatment is complete."""
    decided = snapshot.obligation.watch.decided
    return next((p for p in plan(snapshot, treatment) if p.step.name not in decided), None)


def planned(snapshot: Snapshot, treatment: Treatment, step: str) -> Planned | None:
    """Return the step called `step` as it applies to the obligation, None where it does not."""
    return next((p for p in plan(snapshot, treatment) if p.step.name == step), None)


def is_unexplained(snapshot: Snapshot, treatment: Treatment) -> bool:
    """Return whether a step came due while the obligation was open and known to us, and has no decision yet.

    False for an open obligation: its steps are decided as they come.
    """
    settled_at = snapshot.obligation.settled_at
    coming = next_step(snapshot, treatment)
    if settled_at is None or coming is None:
        return False
    return max(coming.at, snapshot.obligation.stored_at) < settled_at


def look_at(snapshot: Snapshot, treatment: Treatment, now: datetime) -> datetime | None:
    """Return when the obligation must next be looked at: `NEVER` when no step is left, None once it is settled.

    A step that came due before the money did still gets its decision, so a settled obligation is looked at once more.
    An unfinished contact keeps its review; on a settled obligation that review is brought forward to `now`, so that
    what is in flight is settled too.
    """
    watch = snapshot.obligation.watch
    if watch.contact_id:
        return watch.look_at if snapshot.obligation.is_open else now
    if not snapshot.obligation.is_open:
        return snapshot.obligation.settled_at if is_unexplained(snapshot, treatment) else None
    coming = next_step(snapshot, treatment)
    return NEVER if coming is None else coming.at
