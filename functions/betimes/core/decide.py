"""The one decision: may this step of this obligation go to this borrower now?

Called by the sweep when a step comes due, and again by dispatch just before the send; by the lab, the story runner and
the preview as well. It looks at nothing but its arguments.

The order of the questions is the order of the promises: the money first, then whether it is time at all, then what
stops contact (money under way, holds, a book whose entry was not chosen), then for whom the step is meant and whether
its words are true, then the hours, and last where to write. What stops contact only for a while makes the step wait,
until its own deadline; then the same cause is its reason for not being sent.

The order of a step's channels is a preference, the borrower's own where one is told (`core.preferences`). It goes by
the first one that can be used and that the law opens before the step's deadline, also where it has to wait for that one
and another is open now. Where the law closes the first one until then, the next one is taken; where it closes all of
them, the decision names the rules that closed the last gaps.

A step whose message has failed may come back (`core.look`). Then only the channels behind the one that failed are left
to it, and all the same is asked anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from betimes.core import agenda, zones
from betimes.core.ageing import Phase
from betimes.core.agenda import Planned
from betimes.core.allowed import Ask, Expired, or_else
from betimes.core.arrears import spoken_age
from betimes.core.book import Snapshot
from betimes.core.borrower import PointState
from betimes.core.decision import Decision, Facts, Send, Suppress, Wait
from betimes.core.hold import stopping
from betimes.core.hours import Hours
from betimes.core.preferences import ordered, quiet_until
from betimes.core.question import Answer, Effect
from betimes.core.reason import Reason
from betimes.core.rule import CapTerms, CooloffAfter, CooloffTerms, Rule, Terms
from betimes.core.rules import HORIZON, Rules, request, stage_of
from betimes.core.treatment import ANCHORED, ANYBODY, Entry, Late, MessageClass, Step, Treatment
from betimes.core.values import replace

# The end of a contact window counts as closed: what is claimed just before it may still be on its way when it comes. As
# long as a lease (60 s) and its guard (30 s). Source: Betimes specification S3.
CLOSING_MARGIN = timedelta(seconds=90)
# A step that waits for a lender's repayments asks again after this long: their arrival names no obligation to look at.
FEED_RETRY = timedelta(hours=1)
# And once more so long before the hours close or its time is over: what has come by then still counts.
FEED_LAST_CALL = timedelta(minutes=5)
# Behind this the last lawful instant before another one is not looked for: longer than any weekend with its holidays.
_DAYS_BACK = timedelta(days=6)
# Of a step that is no more there is no hour to be asked.
NO_HOURS = Hours(())
_BLINK = timedelta(microseconds=1)
# What stops a step whichever channel it takes.
_WHATEVER_CHANNEL = frozenset({Reason.CLOSED_DAY, Reason.TOO_SOON, Reason.OWN_QUIET_HOURS})
_CLOSED_HOURS = frozenset({Reason.QUIET_UNTIL_TOO_LATE, Reason.NO_COMMON_WINDOW})
# A blocker: the reason, and when it may be over, None while nobody knows.
Blocker = tuple[Reason, datetime | None]


def decide(
    snapshot: Snapshot,
    treatment: Treatment,
    rules: Rules,
    now: datetime,
    *,
    step: str = "",
    together: Collection[tuple[str, str]] = (),
    coming: Planned | None = None,
    channel: str = "",
) -> Decision | None:
    """Return the decision about the step with the key `step`, by default the next step without one; None when the
    treatment has none left. `together` names other steps, as (obligation id, key), that speak in the same contact.
    A caller that has planned already hands in the step as `coming`. With a `channel` the step goes by that one or by
    none: a contact that was made for one takes no other.

    `now` is an aware UTC instant. The answer changes at the step's instant, at the opening of the contact window and
    `CLOSING_MARGIN` before its closing, at the start and the end of a hold, at the step's deadline, and with any
    version of the borrower or the obligation. Money comes first: whatever else is true, nobody who has paid is
    contacted.
    """
    if coming is None:
        coming = (
            agenda.planned(snapshot, treatment, step)
            if step
            else agenda.next_step(snapshot, treatment)
        )
    if coming is None:
        return None
    if coming.superseded_at is not None and coming.superseded_at <= now:
        coming = _before_what_speaks(snapshot, treatment, rules, coming, now)
    way = _way(snapshot, coming, rules, now)
    # How late the step may be follows from its first channel that can be used, whichever it goes by.
    coming = from_opening(coming, way.hours)
    if channel not in ("", way.channel):
        way = _way(snapshot, coming, rules, now, channel)
    hours, facts = way.hours, _facts(snapshot, treatment, coming, rules, way.hours, now)
    against = (
        _nothing_to_say(snapshot, coming, facts)
        or _not_yet(coming, now, facts)
        or _out_of_arrears(snapshot, coming, now, facts)
        or _blocked(snapshot, treatment, coming, hours, now, facts)
        or _not_meant(snapshot, treatment, coming, now, facts)
        or _too_late(snapshot, treatment, coming, hours, now, facts)
    )
    if against is not None:
        return against
    decision = _by(snapshot, treatment, rules, coming, way, now, facts, together)
    if isinstance(decision, Send) or channel or way.slot is None:
        return decision
    return _or_else(snapshot, treatment, rules, coming, way, now, decision, together)


class _Way(NamedTuple):
    """A channel of a step, with its position, and the hours at which the step may speak by it.

    Where the step can go by none, `slot` is None, `channel` the one the law is asked about all the same, and `closed`
    and `refused_by` are why.
    """

    slot: int | None
    channel: str
    hours: Hours
    closed: Reason = Reason.DUE
    refused_by: tuple[Rule, ...] = ()


def _way(
    snapshot: Snapshot, coming: Planned, rules: Rules, now: datetime, channel: str = ""
) -> _Way:
    """Return the first channel that the step can go by, or whether it can by this one."""
    step = coming.step
    tried = snapshot.obligation.watch.last_tried(coming.key)
    order = _order(snapshot, step)
    left = order
    if tried is not None:
        # None is tried twice, also where the person has changed the order since.
        used_up = snapshot.obligation.watch.slots_tried(coming.key)
        behind = _behind(order, step.channels[tried.slot])
        left = tuple(each for each in behind if step.channels.index(each) not in used_up)
    if channel:
        # A list takes a debt along by a channel that its step need not name.
        left = () if channel in order and channel not in left else (channel,)
    place, closed, refused_by = _channel(snapshot, step, left, rules, now)
    # The law is asked all the same where none is left.
    taken = left[place or 0] if left else channel or order[-1]
    slot = None
    if place is not None:
        slot = step.channels.index(taken) if taken in step.channels else 0
    hours = rules.hours(snapshot, step, max(coming.at, now), taken)
    return _Way(slot, taken, hours, closed, refused_by)


def _by(
    snapshot: Snapshot,
    treatment: Treatment,
    rules: Rules,
    coming: Planned,
    way: _Way,
    now: datetime,
    facts: Facts,
    together: Collection[tuple[str, str]],
) -> Decision:
    """Return the decision about a step by one of its channels, once nothing else is against it."""
    return (
        _wrong_hour(snapshot, treatment, coming, way.hours, now, facts, together)
        or _unaddressed(coming, way, facts)
        or _unlawful(snapshot, coming, rules, now, facts, way.channel)
        or _send(coming, way, now, facts)
    )


def _or_else(
    snapshot: Snapshot,
    treatment: Treatment,
    rules: Rules,
    coming: Planned,
    way: _Way,
    now: datetime,
    decision: Wait | Suppress,
    together: Collection[tuple[str, str]],
) -> Decision:
    """Return what becomes of a step that cannot go now by its first channel, as `decision` says: it waits for that one
    where the law opens it in time; else it goes, or waits, by the next one that the law opens; else it stays as it is,
    and a step that is given up names the rules of every channel.
    """
    others = list(_ways_behind(snapshot, coming, rules, way, now))
    if not others or decision.reason in _WHATEVER_CHANNEL:
        return decision
    ways = [way, *others] if isinstance(decision, Wait) else others

    def pace(at: datetime) -> datetime:
        later = _closed_or_too_soon(snapshot, treatment, coming, at, together)
        full_until = _full_until(snapshot, coming, at)
        return max(full_until or at, at if later is None else later[1])

    found = or_else(
        rules.law,
        rules.jurisdictions(snapshot.borrower),
        [_asking(snapshot, coming, each.channel) for each in ways],
        not_before=now,
        deadline=coming.deadline,
        changes=tuple(zones.midnights(snapshot.zone, now, coming.deadline)),
        margin=CLOSING_MARGIN,
        pace=pace,
    )
    if isinstance(found, Expired):
        return _none_left(snapshot, rules, decision, found)
    taken = ways[found.place]
    if taken is way:
        return decision
    facts = _facts(snapshot, treatment, coming, rules, taken.hours, now)
    other = _by(snapshot, treatment, rules, coming, taken, now, facts, together)
    if not isinstance(other, Suppress):
        return other
    # Its hours, or what else the law has against it, are others on the day on which it goes.
    reason = Reason.QUIET_HOURS if other.reason in _CLOSED_HOURS else Reason.CONTACT_CAP
    return Wait(coming.key, reason, other.facts, until=max(found.request.at, now + _BLINK))


def _ways_behind(
    snapshot: Snapshot, coming: Planned, rules: Rules, way: _Way, now: datetime
) -> Iterator[_Way]:
    """Yield the channels behind the first one that can be used, as far as they can be used too."""
    assert way.slot is not None, "without a first one there is no other"
    for channel in _behind(_order(snapshot, coming.step), way.channel):
        other = _way(snapshot, coming, rules, now, channel)
        if other.slot is not None and not rules.refused_by(snapshot, coming.step, now, channel):
            yield other


def _order(snapshot: Snapshot, step: Step) -> tuple[str, ...]:
    """Return the channels of a step as the borrower wants them tried; a slot is a place in the step's own order."""
    return ordered(step.channels, snapshot.borrower.preferences)


def _behind(order: Sequence[str], channel: str) -> tuple[str, ...]:
    """Return the channels behind one of an order; all of them, where it is none of them."""
    return tuple(order[order.index(channel) + 1 :] if channel in order else order)


def _asking(snapshot: Snapshot, coming: Planned, channel: str) -> Ask:
    """Return what the law is asked about the step by a channel, at any instant."""
    return lambda at: request(snapshot, coming.step, at, channel, past=True)


def _none_left(
    snapshot: Snapshot, rules: Rules, decision: Wait | Suppress, found: Expired
) -> Wait | Suppress:
    """Return the decision about a step that no channel is open for. One to give it up names the rules beside its own
    that close the last gaps of the other channels; one to wait stands until then: rules and facts may change.
    """
    if isinstance(decision, Wait):
        return decision
    chain = rules.law.chain(rules.jurisdictions(snapshot.borrower))
    closing = {*str(decision.facts["rule"]).split(","), *found.last_rule_ids}
    facts = {**decision.facts, **named(rule for rule in chain if rule.id in closing)}
    return replace(decision, facts=facts)


def _before_what_speaks(
    snapshot: Snapshot, treatment: Treatment, rules: Rules, coming: Planned, now: datetime
) -> Planned:
    """Return the step without the steps behind it that count from an event and will not speak any more.

    A step is merged only into one that speaks. Whether a failed debit is still spoken of depends on when that is
    decided: after a lost day it may be too late for it, and then nobody would be told of anything.
    """
    steps = agenda.plan(snapshot, treatment)
    watch = snapshot.obligation.watch
    said = {step for step, _ in watch.spoken}
    while coming.superseded_at is not None and coming.superseded_at <= now:
        behind = [p for p in steps if p.at == coming.superseded_at and p.key != coming.key]
        if not behind or any(ANCHORED not in each.key or each.key in said for each in behind):
            return coming
        open_ones = [each.key for each in behind if each.key not in watch.decided]
        verdicts = [decide(snapshot, treatment, rules, now, step=key) for key in open_ones]
        if any(isinstance(verdict, Send | Wait) for verdict in verdicts):
            return coming
        coming = replace(coming, superseded_at=behind[-1].superseded_at)
    return coming


def from_opening(coming: Planned, hours: Hours) -> Planned:
    """Return the step with the first instant at which `hours` allow it, where only that much time may pass."""
    if coming.step.late is Late.SEND:
        return coming
    opening = _next_opening(hours, coming.at)
    return coming if opening is None else replace(coming, opens_at=opening)


def _nothing_to_say(snapshot: Snapshot, coming: Planned, facts: Facts) -> Suppress | None:
    if not snapshot.obligation.is_open:
        return Suppress(coming.key, Reason.PAID, facts)
    return None


def _out_of_arrears(
    snapshot: Snapshot, coming: Planned, now: datetime, facts: Facts
) -> Suppress | None:
    """Return that the minimum was paid, up to the tolerance, where it keeps the account out of arrears: an overdue text
    would be untrue.

    Asked once the step has come due: money that is taken back before then leaves nothing decided.
    """
    if not _speaks_of_arrears(snapshot, coming):
        return None
    if not is_out_of_arrears(snapshot, now):
        return None
    return Suppress(coming.key, Reason.MINIMUM_PAID, facts)


def is_out_of_arrears(snapshot: Snapshot, at: datetime) -> bool:
    """Return whether what was paid keeps the debt out of arrears, so that a word about them would be untrue."""
    return spoken_age(snapshot, at).phase is Phase.SETTLED


def _speaks_of_arrears(snapshot: Snapshot, coming: Planned) -> bool:
    return _is_late(snapshot, coming) or coming.step.message_class is MessageClass.OVERDUE


def _is_late(snapshot: Snapshot, coming: Planned) -> bool:
    """Return whether the step comes due when the due date is over, where that is a date."""
    return zones.local_date(coming.at, snapshot.zone) > snapshot.obligation.due_on


def _not_yet(coming: Planned, now: datetime, facts: Facts) -> Wait | None:
    if now < coming.at:
        return Wait(coming.key, Reason.NOT_YET, facts, until=coming.at)
    return None


def _blocked(
    snapshot: Snapshot,
    treatment: Treatment,
    coming: Planned,
    hours: Hours,
    now: datetime,
    facts: Facts,
) -> Wait | Suppress | None:
    """Return why the step is stopped for now, or, once its deadline has passed, why it was."""
    deadline = coming.deadline
    # What counts is the last instant at which the step could have gone.
    at = min(now, deadline - _BLINK)
    blocker = _blocker(snapshot, treatment, coming, hours, at)
    if blocker is None:
        return None
    reason, until = blocker
    if now >= deadline:
        return Suppress(coming.key, reason, facts)
    until = deadline if until is None else min(until, deadline)
    return Wait(coming.key, reason, facts, until=until)


def _blocker(
    snapshot: Snapshot, treatment: Treatment, coming: Planned, hours: Hours, at: datetime
) -> Blocker | None:
    """Return what stops the step at the instant `at` for longest, None where nothing does."""
    blockers = list(_blockers(snapshot, treatment, coming, hours, at))
    return max(blockers, key=lambda blocker: blocker[1] or agenda.NEVER, default=None)


def _blockers(
    snapshot: Snapshot, treatment: Treatment, coming: Planned, hours: Hours, at: datetime
) -> Iterator[Blocker]:
    """Yield everything that stops the step at the instant `at`. Nothing but the law stops a statutory notice: no hold,
    and no wait for a day of entry, which is the lender's own choice.
    """
    if coming.step.message_class is MessageClass.STATUTORY:
        return
    for until in _silent_until(snapshot):
        if at < until:
            yield Reason.MONEY_IN_FLIGHT, until
    hold = stopping(snapshot.holds, coming.step.message_class, at)
    if hold is not None:
        yield hold.meaning.reason, hold.over_at
    if awaits_entry(snapshot, treatment):
        yield Reason.AWAITING_ENTRY, None
    if is_unfed(snapshot, treatment, at) and _speaks_of_arrears(snapshot, coming):
        # Nobody knows who has paid since: what comes before the due date does no harm, a demand would.
        yield Reason.STALE_FEED, _asked_again(coming, hours, at)


def _asked_again(coming: Planned, hours: Hours, at: datetime) -> datetime:
    """Return when to ask again whether the lender's repayments are complete: soon, and a last time just in time."""
    ends_at = coming.deadline
    if _next_opening(hours, at) == at:
        ends_at = min(ends_at, hours.closing(at))
    last = ends_at - FEED_LAST_CALL
    return last if at < last < at + FEED_RETRY else at + FEED_RETRY


def _stopped_to_the_end(
    snapshot: Snapshot, treatment: Treatment, coming: Planned, hours: Hours, now: datetime
) -> Reason | None:
    """Return what stopped the step at the last lawful instant there was for it, None where nothing did."""
    last = _last_lawful(coming, hours, min(now, coming.deadline))
    if last is None:
        return None
    blocker = _blocker(snapshot, treatment, coming, hours, last)
    if blocker is not None:
        return blocker[0]
    return Reason.OWN_QUIET_HOURS if _own_quiet_until(snapshot, coming, last) else None


def _last_lawful(coming: Planned, hours: Hours, before: datetime) -> datetime | None:
    """Return the last instant before another one at which the step was due and a message could be started, if any."""
    last = None
    opening = _next_opening(hours, max(coming.at, before - _DAYS_BACK))
    while opening is not None and opening < before:
        closing = hours.closing(opening)
        last = min(closing - CLOSING_MARGIN, before) - _BLINK
        opening = _next_opening(hours, closing)
    return last


def is_unfed(snapshot: Snapshot, treatment: Treatment, at: datetime) -> bool:
    """Return whether the lender's repayments are not as fresh at `at` as the treatment wants them."""
    fed_at, fresh = snapshot.fed_at, treatment.fresh_within
    return bool(fresh) and (fed_at is None or at >= fed_at + fresh)


def _silent_until(snapshot: Snapshot) -> Iterator[datetime]:
    patience = timedelta(hours=snapshot.profile.debit.patience_hours)
    for flight in snapshot.flights:
        until = flight.silent_until(patience)
        if until is not None:
            yield until


def was_told_overdue(snapshot: Snapshot) -> bool:
    """Return whether the debt's due date had passed when the platform first heard of it."""
    obligation = snapshot.obligation
    return zones.local_date(obligation.stored_at, snapshot.borrower.zone) > obligation.due_on


def awaits_entry(snapshot: Snapshot, treatment: Treatment) -> bool:
    """Return whether a debt that was told when it was overdue has no day yet on which it enters."""
    return (
        treatment.entry is Entry.CHOSEN
        and snapshot.obligation.entry_on is None
        and was_told_overdue(snapshot)
    )


def _not_meant(
    snapshot: Snapshot, treatment: Treatment, coming: Planned, now: datetime, facts: Facts
) -> Suppress | None:
    """Return why the step is not for this borrower, or not for a debt in this state."""
    step, statutory = coming.step, coming.step.message_class is MessageClass.STATUTORY
    entry_on = snapshot.obligation.entry_on if not statutory else None
    if entry_on is not None and zones.local_date(coming.at, snapshot.borrower.zone) < entry_on:
        return Suppress(coming.key, Reason.BEFORE_ENTRY, facts)
    if _was_reminded(snapshot, treatment, coming):
        return Suppress(coming.key, Reason.ONE_REMINDER_WANTED, facts)
    if step.when is ANYBODY and not _speaks_of_arrears(snapshot, coming):
        return None
    age = spoken_age(snapshot, now)
    if not agenda.is_meant_now(step.when, snapshot, now, age.dpd):
        return Suppress(coming.key, Reason.CONDITION_NOT_MET, facts)
    if agenda.is_untrue(step, _is_late(snapshot, coming), age.phase):
        in_grace = age.phase is Phase.GRACE
        reason = Reason.IN_GRACE if in_grace else Reason.CONDITION_NOT_MET
        return Suppress(coming.key, reason, facts)
    return None


def _was_reminded(snapshot: Snapshot, treatment: Treatment, coming: Planned) -> bool:
    """Return whether a second courtesy reminder of the debt would go to somebody who wants one and no more. What the
    law demands is none, nor is a word about arrears.
    """
    if not snapshot.borrower.preferences.one_reminder:
        return False
    return coming.step.message_class is MessageClass.COURTESY and any(
        key != coming.key
        and treatment.has(key)
        and treatment.step(key).message_class is MessageClass.COURTESY
        for key, _ in snapshot.obligation.watch.spoken
    )


def _too_late(
    snapshot: Snapshot,
    treatment: Treatment,
    coming: Planned,
    hours: Hours,
    now: datetime,
    facts: Facts,
) -> Suppress | None:
    if now < coming.deadline:
        return None
    obligation = snapshot.obligation
    known_at = max(obligation.known_at, coming.told_at or obligation.known_at)
    stopped = _stopped_to_the_end(snapshot, treatment, coming, hours, now)
    if known_at >= coming.deadline:
        reason = Reason.PLANNED_AFTER_WINDOW
    elif any(start <= coming.at < end for start, end in obligation.spans):
        reason = Reason.PAID
    elif stopped is not None:
        reason = stopped
    else:
        reason = Reason.MERGED_INTO_NEXT if coming.is_merged else Reason.CATCH_UP_EXCEEDED
    return Suppress(coming.key, reason, facts)


def _wrong_hour(
    snapshot: Snapshot,
    treatment: Treatment,
    coming: Planned,
    hours: Hours,
    now: datetime,
    facts: Facts,
    together: Collection[tuple[str, str]],
) -> Wait | Suppress | None:
    """Return the wait for the hours, the days and the pace at which contact is allowed, or that it is too long."""
    opening = _next_opening(hours, now)
    if opening is None:
        return Suppress(coming.key, Reason.NO_COMMON_WINDOW, facts)
    if opening >= coming.deadline:
        stopped = _stopped_to_the_end(snapshot, treatment, coming, hours, now)
        if stopped is None:
            facts = {**facts, **named(_closing(hours, coming.deadline))}
        return Suppress(coming.key, stopped or Reason.QUIET_UNTIL_TOO_LATE, facts)
    if opening > now:
        return Wait(coming.key, Reason.QUIET_HOURS, facts, until=opening)
    later = _closed_or_too_soon(snapshot, treatment, coming, now, together)
    if later is None:
        return None
    reason, until = later
    if until >= coming.deadline:
        return Suppress(coming.key, reason, facts)
    return Wait(coming.key, reason, facts, until=until)


def _closing(hours: Hours, deadline: datetime) -> list[Rule]:
    """Return the rules by which hours that open too late are closed to the end: those that close the last gap, or that
    are about to close.
    """
    ids = hours.closed_by(deadline - _BLINK) or hours.closed_by(hours.closing(deadline - _BLINK))
    return [rule for rule in hours.rules if rule.id in ids]


def _closed_or_too_soon(
    snapshot: Snapshot,
    treatment: Treatment,
    coming: Planned,
    now: datetime,
    together: Collection[tuple[str, str]],
) -> tuple[Reason, datetime] | None:
    if coming.step.message_class is MessageClass.STATUTORY:
        return None
    zone = snapshot.borrower.zone
    own_until = _own_quiet_until(snapshot, coming, now)
    if own_until is not None:
        return Reason.OWN_QUIET_HOURS, own_until
    version = _version(treatment, coming)
    today = zones.local_date(now, zone)
    if not version.is_open(today):
        return Reason.CLOSED_DAY, agenda.next_open_day(version, today, zone)
    if version.min_gap:
        # A second attempt of the same contact is no second contact.
        same = {(snapshot.obligation.id, coming.key), *together}
        spoken_at = snapshot.spoken_beside(same, since=now - version.min_gap)
        if spoken_at:
            return Reason.TOO_SOON, max(spoken_at) + version.min_gap
    return None


def _own_quiet_until(snapshot: Snapshot, coming: Planned, at: datetime) -> datetime | None:
    """Return until when the borrower's own quiet hours keep a message at `at` from starting, None where none do."""
    if coming.step.message_class is MessageClass.STATUTORY:
        return None
    zone, wishes = snapshot.borrower.zone, snapshot.borrower.preferences
    # As with the hours of the law, what is claimed just before they begin may still be on its way.
    return quiet_until(wishes, zone, at) or quiet_until(wishes, zone, at + CLOSING_MARGIN)


def _next_opening(hours: Hours, now: datetime) -> datetime | None:
    """Return the first instant, not before `now`, at which a message may be started; None if never."""
    opening = hours.next_opening(now, now + HORIZON)
    if opening is None or opening > now:
        return opening
    closing = hours.closing(now)
    if now < closing - CLOSING_MARGIN:
        return now
    return hours.next_opening(closing, closing + HORIZON)


def _unlawful(
    snapshot: Snapshot,
    coming: Planned,
    rules: Rules,
    now: datetime,
    facts: Facts,
    channel: str,
) -> Wait | Suppress | None:
    """Return what the law has against the step beside its hours: a cap, a cool-off, a consent, an event."""
    verdict = rules.verdict(snapshot, coming.step, now, channel)
    if verdict.effect is Effect.ALLOW:
        full_until = _full_until(snapshot, coming, now)
        if full_until is None:
            return None
        chain = rules.law.chain(rules.jurisdictions(snapshot.borrower))
        facts = {**facts, **named(counting(chain, verdict.answers))}
        reason, until = Reason.CONTACT_CAP, full_until
    else:
        facts = {
            **facts,
            "rule": ",".join(verdict.rule_ids),
            "rule_status": ",".join(sorted(verdict.statuses)),
        }
        reason, until = Reason.FORBIDDEN_BY_RULE, None
        if verdict.effect is Effect.DEFER:
            reason, until = Reason.CONTACT_CAP, verdict.until
    if until is None or until >= coming.deadline:
        return Suppress(coming.key, reason, facts)
    return Wait(coming.key, reason, facts, until=max(until, now + _BLINK))


def _full_until(snapshot: Snapshot, coming: Planned, at: datetime) -> datetime | None:
    """Return until when the person's budget says nothing of room for the step, None where it does at `at`."""
    if not snapshot.budget.is_full(at) or coming.step.message_class is MessageClass.STATUTORY:
        return None
    return snapshot.budget.full_until


def counting(chain: Iterable[Rule], answers: Iterable[Answer]) -> list[Rule]:
    """Return those of the binding rules of a chain that look at the touches of a person for a contact that has these
    answers: where touches had to be counted out, each of them stands in the way, for nobody can say that it has room.
    """
    asked = {each.rule_id for each in answers if each.applies}
    return [
        rule
        for rule in chain
        if rule.id in asked
        and rule.enforce.binds
        and (isinstance(rule.terms, CapTerms) or _is_after_talk(rule.terms))
    ]


def _is_after_talk(terms: Terms) -> bool:
    return isinstance(terms, CooloffTerms) and terms.after is CooloffAfter.CONVERSATION


def _unaddressed(coming: Planned, way: _Way, facts: Facts) -> Suppress | None:
    if way.slot is not None:
        return None
    if way.refused_by:
        facts = {**facts, **named(way.refused_by)}
    return Suppress(coming.key, way.closed, facts)


def named(rules: Iterable[Rule]) -> Facts:
    """Return the facts that name the rules a decision rests on, and how well they are known."""
    found = list(rules)
    return {
        "rule": ",".join(sorted({rule.id for rule in found})),
        "rule_status": ",".join(sorted({rule.status for rule in found})),
    }


def _send(coming: Planned, way: _Way, now: datetime, facts: Facts) -> Send:
    assert way.slot is not None, "only what can go is sent"
    deadline = coming.deadline
    return Send(
        coming.key,
        Reason.DUE,
        facts,
        channel=way.channel,
        slot=way.slot,
        not_after=min(deadline, way.hours.closing(now)),
        deadline=deadline,
    )


_UNUSABLE = {PointState.UNCONFIRMED: Reason.CONTACT_POINT_UNCONFIRMED}


def _channel(
    snapshot: Snapshot, step: Step, channels: Sequence[str], rules: Rules, now: datetime
) -> tuple[int | None, Reason, tuple[Rule, ...]]:
    """Return the position of the first of the channels with a usable contact point, no hold and all consent it needs;
    else why there is none, and the rules by which the person's word closes what was left.

    A statutory notice goes by a channel that was refused where there is no other: nobody can refuse it.
    """
    reason, refused_by, last = Reason.NO_CONTACT_POINT, tuple[Rule, ...](), None
    for slot, channel in enumerate(channels):
        closed = closed_because(snapshot, step.message_class, channel, now)
        if closed is None:
            against = rules.refused_by(snapshot, step, now, channel)
            if not against:
                return slot, Reason.DUE, ()
            closed, refused_by = Reason.FORBIDDEN_BY_RULE, (*refused_by, *against)
            last = slot if last is None else last
        if closed is not Reason.NO_CONTACT_POINT:
            reason = closed
    if last is not None:
        if step.message_class is MessageClass.STATUTORY:
            return last, Reason.DUE, ()
        # What was refused closes more for good than an address or a hold does.
        reason = Reason.FORBIDDEN_BY_RULE
    return None, reason, refused_by


def closed_because(
    snapshot: Snapshot, message_class: MessageClass, channel: str, now: datetime
) -> Reason | None:
    """Return why a message of a class may not take a channel at `now`: no usable contact point, or a hold on it; None
    where it may.
    """
    point = snapshot.borrower.point(channel)
    if point is None:
        return Reason.NO_CONTACT_POINT
    if point.state is not PointState.ACTIVE:
        return _UNUSABLE.get(point.state, Reason.CONTACT_POINT_SUPPRESSED)
    hold = stopping(snapshot.holds, message_class, now, channel=channel)
    return hold.meaning.reason if hold is not None else None


def dropped(
    snapshot: Snapshot, treatment: Treatment, rules: Rules, step: str, now: datetime
) -> Suppress:
    """Return the decision about a step that applied when it was decided and no longer does.

    That is so when the borrower's zone changed and the step's instant now lies before the obligation was issued, or
    when what it counted from is gone: a failed debit that settled after all.
    """
    paid = not snapshot.obligation.is_open
    reason = Reason.PAID if paid else Reason.PLANNED_AFTER_WINDOW
    return Suppress(step, reason, _facts(snapshot, treatment, None, rules, NO_HOURS, now))


def redated(
    snapshot: Snapshot, treatment: Treatment, rules: Rules, step: str, now: datetime
) -> Suppress:
    """Return the decision about a step of a cycle that is over: the due date has moved since."""
    return Suppress(step, Reason.REDATED, _facts(snapshot, treatment, None, rules, NO_HOURS, now))


def _facts(
    snapshot: Snapshot,
    treatment: Treatment,
    coming: Planned | None,
    rules: Rules,
    hours: Hours,
    now: datetime,
) -> Facts:
    borrower, obligation = snapshot.borrower, snapshot.obligation
    tried = obligation.watch.last_tried(coming.key) if coming else None
    return {
        **({"cause": tried.contact_id} if tried else {}),
        "borrower_version": borrower.version,
        "obligation_version": obligation.version,
        "due_on": obligation.due_on.isoformat(),
        "step_at": zones.to_text(coming.at) if coming else "",
        "deadline": zones.to_text(coming.deadline) if coming else "",
        "zone": ",".join(borrower.zones),
        "outstanding_minor": snapshot.owed(now).minor,
        "currency": obligation.amount.currency,
        "treatment": _version(treatment, coming).id,
        "product": snapshot.profile.id,
        "jurisdiction": ",".join(rules.jurisdictions(borrower)),
        "stage": stage_of(snapshot, now),
        "rule": ",".join(hours.rule_ids),
        "rule_status": ",".join(sorted({rule.status for rule in hours.rules})),
    }


def _version(treatment: Treatment, coming: Planned | None) -> Treatment:
    """Return the version of the treatment that a step comes from; the newest one for none."""
    return treatment if coming is None else treatment.version(coming.version)
