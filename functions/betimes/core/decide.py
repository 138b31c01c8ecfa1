"""The one decision: may this step of this obligation go to this borrower now?

Called by the sweep when a step comes due, and again by dispatch just before the send; by the lab, the story runner and
the preview as well. It looks at nothing but its arguments.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from betimes.core import agenda, zones
from betimes.core.agenda import Planned
from betimes.core.book import Snapshot
from betimes.core.borrower import Borrower, PointState
from betimes.core.decision import Decision, Facts, Send, Suppress, Wait
from betimes.core.reason import Reason
from betimes.core.rules import Rules, Window
from betimes.core.treatment import Step, Treatment

# The end of a contact window counts as closed: what is claimed just before it may still be on its way when it comes. As
# long as a lease (60 s) and its guard (30 s). Source: Betimes specification S3.
CLOSING_MARGIN = timedelta(seconds=90)


def decide(
    snapshot: Snapshot, treatment: Treatment, rules: Rules, now: datetime, *, step: str = ""
) -> Decision | None:
    """Return the decision about `step`, by default the next step without one; None when the treatment has none left.

    `now` is an aware UTC instant. The answer changes at the step's instant, at the opening of the contact window and
    `CLOSING_MARGIN` before its closing, at the step's deadline, and with any version of the borrower or the obligation.
    Money comes first: whatever else is true, nobody who has paid is contacted.
    """
    coming = (
        agenda.planned(snapshot, treatment, step) if step else agenda.next_step(snapshot, treatment)
    )
    if coming is None:
        return None
    window = rules.window(snapshot.borrower.jurisdiction)
    facts = _facts(snapshot, treatment, coming, window)
    return (
        _nothing_to_say(snapshot, coming, facts)
        or _wrong_time(snapshot, coming, window, now, facts)
        or _send(snapshot.borrower, coming, window, now, facts)
    )


def _nothing_to_say(snapshot: Snapshot, coming: Planned, facts: Facts) -> Suppress | None:
    if not snapshot.obligation.is_open:
        return Suppress(coming.step.name, Reason.PAID, facts)
    if snapshot.obligation.minimum_is_met and coming.step.offset_days > 0:
        # The minimum keeps the account out of arrears: an overdue text would be untrue.
        return Suppress(coming.step.name, Reason.MINIMUM_PAID, facts)
    return None


def _wrong_time(
    snapshot: Snapshot, coming: Planned, window: Window, now: datetime, facts: Facts
) -> Wait | Suppress | None:
    name = coming.step.name
    if now < coming.at:
        return Wait(name, Reason.NOT_YET, facts, until=coming.at)
    if now >= coming.deadline:
        late = snapshot.obligation.stored_at >= coming.deadline
        reason = Reason.PLANNED_AFTER_WINDOW if late else Reason.CATCH_UP_EXCEEDED
        return Suppress(name, reason, facts)
    opening = _next_opening(window, now, snapshot.borrower.zone)
    if opening >= coming.deadline:
        return Suppress(name, Reason.QUIET_UNTIL_TOO_LATE, facts)
    if opening > now:
        return Wait(name, Reason.QUIET_HOURS, facts, until=opening)
    return None


def _next_opening(window: Window, now: datetime, zone: str) -> datetime:
    """Return the first instant, not before `now`, at which a message may be started."""
    opening = window.next_opening(now, zone)
    if opening > now:
        return opening
    closing = window.closing(now, zone)
    return now if now < closing - CLOSING_MARGIN else window.next_opening(closing, zone)


def _send(
    borrower: Borrower, coming: Planned, window: Window, now: datetime, facts: Facts
) -> Send | Suppress:
    slot, reason = _channel(borrower, coming.step)
    if slot is None:
        return Suppress(coming.step.name, reason, facts)
    return Send(
        coming.step.name,
        reason,
        facts,
        channel=coming.step.channels[slot],
        slot=slot,
        not_after=min(coming.deadline, window.closing(now, borrower.zone)),
    )


def _channel(borrower: Borrower, step: Step) -> tuple[int | None, Reason]:
    """Return the position of the first channel with a usable contact point, or why there is none."""
    reason = Reason.NO_CONTACT_POINT
    for slot, channel in enumerate(step.channels):
        point = borrower.point(channel)
        if point is None:
            continue
        if point.state is PointState.ACTIVE:
            return slot, Reason.DUE
        reason = Reason.CONTACT_POINT_SUPPRESSED
    return None, reason


def dropped(snapshot: Snapshot, treatment: Treatment, rules: Rules, step: str) -> Suppress:
    """Return the decision about a step that applied when it was decided and no longer does.

    That is so when the borrower's zone changed and the step's instant now lies before the obligation was issued.
    """
    paid = not snapshot.obligation.is_open
    window = rules.window(snapshot.borrower.jurisdiction)
    reason = Reason.PAID if paid else Reason.PLANNED_AFTER_WINDOW
    return Suppress(step, reason, _facts(snapshot, treatment, None, window))


def _facts(
    snapshot: Snapshot, treatment: Treatment, coming: Planned | None, window: Window
) -> Facts:
    borrower, obligation = snapshot.borrower, snapshot.obligation
    return {
        "borrower_version": borrower.version,
        "obligation_version": obligation.version,
        "due_on": obligation.due_on.isoformat(),
        "step_at": zones.to_text(coming.at) if coming else "",
        "deadline": zones.to_text(coming.deadline) if coming else "",
        "zone": borrower.zone,
        "outstanding_minor": obligation.outstanding.minor,
        "currency": obligation.amount.currency,
        "treatment": treatment.id,
        "rule": window.id,
        "rule_status": window.status,
    }
