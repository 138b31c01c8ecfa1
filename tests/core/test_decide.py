"""The one decision. Money first, then the time, then the way: never after the money, never at night, never too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.config import GUARD, LEASE
from betimes.core import zones
from betimes.core.agenda import plan
from betimes.core.book import Snapshot
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.budget import Budget
from betimes.core.decide import CLOSING_MARGIN, decide, dropped
from betimes.core.decision import Decision, Send, Suppress, Wait
from betimes.core.hold import Hold
from betimes.core.hold import Kind as HoldKind
from betimes.core.law import Law
from betimes.core.message import values
from betimes.core.product import PLAIN
from betimes.core.reason import Reason
from betimes.core.rule import (
    WEEKDAYS,
    CapTerms,
    Enforce,
    Force,
    Kind,
    Pack,
    Per,
    Rule,
    Scope,
    Span,
    Stage,
    Status,
    Terms,
    Unit,
    Where,
    WindowTerms,
)
from betimes.core.rules import Rules
from betimes.core.treatment import Entry, Late, MessageClass, Step
from betimes.core.workdays import Calendar
from tests.core.support import (
    RULES,
    SECOND,
    TICK,
    TREATMENT,
    coming,
    snapshot,
    snapshots,
    step,
    treatment,
    utc,
)
from tests.factories import hold, touch, watch

# Opening and closing by the packs, as their reader would write them down.
WINDOW = {
    "CN": (time(8), time(22)),
    "US": (time(8), time(21)),
    "HOUSE": (time(9), time(20)),
}
STEP_AT = utc("2026-03-06 02:00")  # D-3, ten in Shanghai
DUE_AT = utc("2026-03-09 02:00")  # D0


def asked(seen: Snapshot, now: datetime, name: str = "D-3") -> Decision:
    """Return the decision about a step of the shipped treatment."""
    decision = decide(seen, TREATMENT, RULES, now, step=name)
    assert decision is not None
    return decision


def reached(*points: ContactPoint, **fields: Any) -> Snapshot:
    """Return the bill of a borrower with these contact points."""
    seen = snapshot(**fields)
    return replace(seen, borrower=replace(seen.borrower, contact_points=points))


EMAIL = ContactPoint("email", "li@example.com")
SMS = ContactPoint("sms", "+8613800000000")


def blocked(point: ContactPoint, state: PointState = PointState.BOUNCED) -> ContactPoint:
    """Return the contact point with a block."""
    return replace(point, state=state)


def test_a_step_is_sent_from_its_very_instant_on() -> None:
    """A microsecond before it waits for that instant, as not due yet."""
    early = asked(snapshot(), STEP_AT - TICK)
    assert isinstance(early, Wait)
    assert (early.reason, early.until) == (Reason.NOT_YET, STEP_AT)
    sent = asked(snapshot(), STEP_AT)
    assert isinstance(sent, Send)
    assert (sent.reason, sent.channel, sent.slot) == (Reason.DUE, "email", 0)


def test_the_last_sendable_instant_is_just_before_the_deadline() -> None:
    """At the deadline the step is missed."""
    deadline = coming(snapshot(), "D-3").deadline
    assert isinstance(asked(snapshot(), deadline - TICK), Send)
    missed = asked(snapshot(), deadline)
    assert isinstance(missed, Suppress)
    assert missed.reason is Reason.CATCH_UP_EXCEEDED


def test_a_bill_told_of_after_the_deadline_was_planned_too_late() -> None:
    """Whose fault it was is told apart at the deadline itself."""
    deadline = coming(snapshot(), "D-3").deadline
    late = asked(snapshot(stored_at=deadline), deadline)
    in_time = asked(snapshot(stored_at=deadline - TICK), deadline)
    assert (late.reason, in_time.reason) == (Reason.PLANNED_AFTER_WINDOW, Reason.CATCH_UP_EXCEEDED)


def test_nobody_who_has_paid_is_contacted() -> None:
    """At no step and no instant; the reason is the payment, whatever else is true."""
    paid = snapshot(paid_minor=120_000, settled_at=STEP_AT)
    for name in ("D-3", "D0", "D+30"):
        for now in (STEP_AT - timedelta(days=9), STEP_AT, STEP_AT + timedelta(days=99)):
            assert asked(paid, now, name).reason is Reason.PAID
    unreachable = replace(paid, borrower=replace(paid.borrower, contact_points=()))
    assert asked(unreachable, STEP_AT).reason is Reason.PAID


def test_a_met_minimum_silences_what_is_overdue_and_nothing_before() -> None:
    """Up to the due day the rest is still reminded of; after it nothing is in arrears."""
    met = snapshot(minimum_minor=12_000, paid_minor=12_000)
    assert isinstance(asked(met, DUE_AT, "D0"), Send)
    after = asked(met, coming(met, "D+1").at, "D+1")
    assert after.reason is Reason.MINIMUM_PAID
    short = snapshot(minimum_minor=12_000, paid_minor=11_999)
    assert isinstance(asked(short, coming(short, "D+1").at, "D+1"), Send)


def test_without_a_minimum_a_part_payment_silences_nothing() -> None:
    """A minimum of zero is none."""
    part = snapshot(paid_minor=119_999)
    assert isinstance(asked(part, coming(part, "D+1").at, "D+1"), Send)


def test_at_night_a_step_waits_for_the_morning() -> None:
    """From ninety seconds before the closing at 22:00 until the opening at 08:00, to the instant."""
    closing, opening = utc("2026-03-06 14:00"), utc("2026-03-07 00:00")
    last = closing - CLOSING_MARGIN
    assert isinstance(asked(snapshot(), last - TICK), Send)
    for now in (last, last + SECOND, closing - SECOND, closing, closing + SECOND, opening - SECOND):
        night = asked(snapshot(), now)
        assert isinstance(night, Wait)
        assert (night.reason, night.until) == (Reason.QUIET_HOURS, opening)
    assert isinstance(asked(snapshot(), opening), Send)


def test_a_step_that_may_not_wait_for_the_morning_is_given_up() -> None:
    """The due day's step ends at 22:00; in the house window, which closes at 20:00, nothing lawful is left of it."""
    seen = snapshot(jurisdiction="ZZ")
    assert isinstance(asked(seen, utc("2026-03-09 11:58"), "D0"), Send)
    late = asked(seen, utc("2026-03-09 12:00"), "D0")
    assert isinstance(late, Suppress)
    assert late.reason is Reason.QUIET_UNTIL_TOO_LATE


@pytest.mark.parametrize(
    ("points", "channel", "slot"),
    [
        ((EMAIL, SMS), "email", 0),
        ((SMS, EMAIL), "email", 0),
        ((SMS,), "sms", 1),
        ((blocked(EMAIL), SMS), "sms", 1),
    ],
)
def test_the_first_usable_channel_of_the_step_is_taken(
    points: tuple[ContactPoint, ...], channel: str, slot: int
) -> None:
    """In the step's order, not the borrower's; a blocked address is passed over."""
    sent = asked(reached(*points), STEP_AT)
    assert isinstance(sent, Send)
    assert (sent.channel, sent.slot) == (channel, slot)


@pytest.mark.parametrize("state", [state for state in PointState if state is not PointState.ACTIVE])
def test_a_blocked_contact_point_is_never_used(state: PointState) -> None:
    """Whatever blocked it; and that is another reason than having none, or one that is not confirmed."""
    unconfirmed = state is PointState.UNCONFIRMED
    reason = Reason.CONTACT_POINT_UNCONFIRMED if unconfirmed else Reason.CONTACT_POINT_SUPPRESSED
    assert asked(reached(blocked(EMAIL, state)), STEP_AT).reason is reason
    assert asked(reached(), STEP_AT).reason is Reason.NO_CONTACT_POINT
    fax = ContactPoint("fax", "+8613800000000")
    assert asked(reached(fax), STEP_AT).reason is Reason.NO_CONTACT_POINT


def test_time_comes_before_the_way() -> None:
    """A borrower without an address is not yet without one: the step waits, it may be told in time."""
    assert asked(reached(), STEP_AT - SECOND).reason is Reason.NOT_YET


def test_a_send_ends_with_its_window_or_its_deadline() -> None:
    """Whichever comes first."""
    sent = asked(snapshot(), STEP_AT)
    assert isinstance(sent, Send)
    assert sent.not_after == utc("2026-03-06 14:00")
    morning = asked(snapshot(), utc("2026-03-07 01:00"))
    assert isinstance(morning, Send)
    assert morning.not_after == utc("2026-03-07 02:00")


def test_the_next_step_is_decided_by_default() -> None:
    """The first without a decision; None when the treatment is complete or does not know the step."""
    names = tuple(each.name for each in TREATMENT.steps)
    second = decide(snapshot(watch=watch(decided=names[:1])), TREATMENT, RULES, STEP_AT)
    assert second is not None
    assert second.step == names[1]
    assert decide(snapshot(watch=watch(decided=names)), TREATMENT, RULES, STEP_AT) is None
    assert decide(snapshot(), TREATMENT, RULES, STEP_AT, step="D+99") is None


def test_a_decision_names_the_facts_it_rests_on() -> None:
    """Versions, amount, policy and rule with its status: text and whole numbers only, and no address."""
    facts = asked(snapshot(paid_minor=20_000), STEP_AT).facts
    assert facts["outstanding_minor"] == 100_000
    assert (facts["obligation_version"], facts["borrower_version"]) == (1, 1)
    assert facts["treatment"] == TREATMENT.id
    assert (facts["jurisdiction"], facts["stage"]) == ("CN", "pre_due")
    assert "CN.GBT.TIME" in str(facts["rule"]).split(",")
    assert "secondary" in str(facts["rule_status"]).split(",")
    assert all(isinstance(value, str | int) for value in facts.values())
    assert not any("example.com" in str(value) for value in facts.values())


def test_the_margin_covers_a_lease_and_its_guard() -> None:
    """What is claimed at the last instant of a window has been sent, or given up, when the window closes."""
    assert CLOSING_MARGIN == LEASE + GUARD


def test_a_step_that_no_longer_applies_is_dropped_with_a_reason() -> None:
    """Nobody who has paid is told otherwise; the record says that there is no instant any more."""
    gone = dropped(snapshot(), TREATMENT, RULES, "D-3", utc("2026-03-01 00:00"))
    assert (gone.step, gone.reason) == ("D-3", Reason.PLANNED_AFTER_WINDOW)
    assert (gone.facts["step_at"], gone.facts["deadline"]) == ("", "")
    paid = snapshot(paid_minor=120_000, settled_at=STEP_AT)
    assert dropped(paid, TREATMENT, RULES, "D-3", utc("2026-03-01 00:00")).reason is Reason.PAID


INSTANTS = st.timedeltas(timedelta(days=-50), timedelta(days=50))


@given(snapshots(), INSTANTS, st.sampled_from([each.name for each in TREATMENT.steps]))
def test_a_send_breaks_no_promise(seen: Snapshot, offset: timedelta, name: str) -> None:
    """Whatever is true: a Send goes to someone who owes, to an active address, inside the local window, not before
    the step's instant, not at or after its deadline; computed here from the facts alone.
    """
    due = datetime.combine(seen.obligation.due_on, datetime.min.time(), UTC)
    now = due + offset
    decision = decide(seen, TREATMENT, RULES, now, step=name)
    if not isinstance(decision, Send):
        return
    one = next(each for each in TREATMENT.steps if each.name == name)
    at = one.instant(seen.obligation.due_on, seen.borrower.zone)
    assert seen.obligation.paid_minor < seen.obligation.amount.minor
    assert at >= seen.obligation.issued_at
    assert at <= now < at + one.catch_up
    opens, closes = WINDOW[seen.borrower.jurisdiction]
    assert opens <= zones.local_time(now, seen.borrower.zone) < closes
    point = seen.borrower.point(decision.channel)
    assert point is not None
    assert point.state is PointState.ACTIVE
    assert one.channels[decision.slot] == decision.channel
    assert now < decision.not_after <= at + one.catch_up
    last = zones.local_time(decision.not_after - TICK, seen.borrower.zone)
    assert opens <= last < closes


@given(snapshots(), st.sampled_from([each.name for each in TREATMENT.steps]))
def test_edges_are_passed_once(seen: Snapshot, name: str) -> None:
    """Over time a step goes from not yet, through sending and quiet hours, to its end, and never back; at each edge
    the answer is the new one at the instant itself and the old one a microsecond before.
    """
    found = next((each for each in plan(seen, TREATMENT) if each.step.name == name), None)
    if found is None:
        assert decide(seen, TREATMENT, RULES, seen.obligation.stored_at, step=name) is None
        return
    instants = {found.at, found.deadline}
    edges_of_day, zone = WINDOW[seen.borrower.jurisdiction], seen.borrower.zone
    for day in range(3):
        on = zones.local_date(found.at, zone) + timedelta(days=day)
        instants |= {zones.instant(on, edge, zone) for edge in edges_of_day}
    edges = sorted(at + tick for at in instants for tick in (-TICK, timedelta(), TICK))
    answers = [decide(seen, TREATMENT, RULES, at, step=name) for at in edges]
    order = {Reason.NOT_YET: 0, Reason.QUIET_HOURS: 1, Reason.DUE: 1}
    ranks = [
        order.get(answer.reason, 2 if at >= found.deadline else 1)
        for answer, at in zip(answers, edges, strict=True)
        if answer
    ]
    if answers[0] is not None and answers[0].reason is Reason.NOT_YET:
        assert ranks == sorted(ranks)
    else:
        # Paid or in no arrears: the same answer for ever.
        assert len({answer.reason for answer in answers if answer}) == 1
    for at, answer in zip(edges, answers, strict=True):
        if isinstance(answer, Wait):
            assert answer.until > at


@given(snapshots(), INSTANTS)
def test_waiting_until_the_time_named_ends_the_wait(seen: Snapshot, offset: timedelta) -> None:
    """Asked again at `until` a step no longer waits for the same reason: no look is repeated for ever."""
    now = datetime.combine(seen.obligation.due_on, datetime.min.time(), UTC) + offset
    decision = decide(seen, TREATMENT, RULES, now)
    if isinstance(decision, Wait):
        assert decision.until > now
        again = decide(seen, TREATMENT, RULES, decision.until, step=decision.step)
        assert again is not None
        assert again.reason is not decision.reason


@given(snapshots(), INSTANTS)
def test_the_same_facts_give_the_same_decision(seen: Snapshot, offset: timedelta) -> None:
    """Nothing but the arguments decides."""
    now = datetime.combine(seen.obligation.due_on, datetime.min.time(), UTC) + offset
    assert decide(seen, TREATMENT, RULES, now) == decide(seen, TREATMENT, RULES, now)


def test_a_step_at_the_edge_of_the_window_is_sent_in_the_borrowers_morning() -> None:
    """A treatment that speaks at six in the morning is made to wait until eight."""
    early = treatment(step("early", send_at=datetime(2026, 1, 1, 6).time()))
    at = utc("2026-03-05 22:00")
    decision = decide(snapshot(), early, RULES, at)
    assert isinstance(decision, Wait)
    assert decision.until == utc("2026-03-06 00:00")


@pytest.mark.parametrize(("hours", "given_up"), [(22, True), (21, True), (23, False)])
def test_a_window_that_opens_at_the_deadline_opens_too_late(hours: int, given_up: bool) -> None:
    """A step that is over at eight in the morning, when the window opens, is given up at night and does not wait."""
    night = utc("2026-03-06 15:00")
    one = treatment(step(catch_up=timedelta(hours=hours)))
    decision = decide(snapshot(), one, RULES, night)
    assert decision is not None
    assert isinstance(decision, Suppress) is given_up
    assert decision.reason is (Reason.QUIET_UNTIL_TOO_LATE if given_up else Reason.QUIET_HOURS)


def told(*holds: Hold, **fields: Any) -> Snapshot:
    """Return the bill with holds on its borrower."""
    return replace(snapshot(**fields), holds=holds)


def test_what_stopped_a_step_until_the_window_closed_is_its_reason() -> None:
    """A dispute that ends half a minute before the window does leaves no lawful instant: not the night is to blame. One
    that ends an hour before does, and then it is.
    """
    start = utc(
        "2026-03-09 01:00"
    )  # Shanghai: nine to ten in the evening, the end of the due day's step
    late = hold(starts_at=start, ends_at=utc("2026-03-09 13:59") + 30 * SECOND)
    named = asked(told(late), utc("2026-03-09 13:59") + 30 * SECOND, "D0")
    assert (type(named), named.reason) == (Suppress, Reason.HOLD_DISPUTE)
    early = hold(starts_at=start, ends_at=utc("2026-03-09 13:00"))
    quiet = asked(told(early), utc("2026-03-09 13:59") + 30 * SECOND, "D0")
    assert (type(quiet), quiet.reason) == (Suppress, Reason.QUIET_UNTIL_TOO_LATE)


@pytest.mark.parametrize("ends_at", ["2026-03-09 14:30", "2026-03-09 13:59"])
def test_a_stop_that_ended_in_the_night_is_named_after_the_deadline_too(ends_at: str) -> None:
    """The deadline lies in the night, an hour behind the window; nobody looked before it had passed."""
    evening = treatment(step("T0", offset_days=0, catch_up=timedelta(hours=13)))
    stop = hold(starts_at=utc("2026-03-09 01:00"), ends_at=utc(ends_at))
    decision = decide(told(stop), evening, RULES, utc("2026-03-09 15:00"))
    assert decision is not None
    assert decision.reason is Reason.HOLD_DISPUTE


def test_the_last_question_for_repayments_comes_in_time() -> None:
    """Every hour, but five minutes before the hours close and before the step's own end once more: what has come by
    then still lets it go.
    """
    overdue = step("T+1", offset_days=1, message_class=MessageClass.OVERDUE)
    fresh = replace(treatment(overdue), fresh_within=timedelta(hours=24))
    for now, until in (
        ("2026-03-10 02:00", "2026-03-10 03:00"),
        ("2026-03-10 13:00", "2026-03-10 13:55"),
        ("2026-03-10 13:55", "2026-03-10 14:55"),
        ("2026-03-11 01:30", "2026-03-11 01:55"),
        ("2026-03-11 01:55", "2026-03-11 02:00"),
    ):
        waits = decide(snapshot(), fresh, RULES, utc(now))
        assert isinstance(waits, Wait)
        assert (waits.reason, waits.until) == (Reason.STALE_FEED, utc(until))
    fed = replace(snapshot(), fed_at=utc("2026-03-11 01:50"))
    assert isinstance(decide(fed, fresh, RULES, utc("2026-03-11 01:55")), Send)


@pytest.mark.parametrize("entry_on", [None, date(2026, 4, 1)])
def test_no_choice_of_entry_stops_what_the_law_obliges(entry_on: date | None) -> None:
    """A debt that was overdue when it was told: a demand waits for its day, a statutory notice does not."""
    late = snapshot(stored_at=utc("2026-03-11 00:00"), entry_on=entry_on)
    for message_class, sent in ((MessageClass.OVERDUE, False), (MessageClass.STATUTORY, True)):
        notice = step("N", offset_days=3, message_class=message_class)
        chosen = replace(treatment(notice), entry=Entry.CHOSEN)
        decision = decide(late, chosen, RULES, utc("2026-03-12 02:00"))
        assert isinstance(decision, Send) is sent


@pytest.mark.parametrize(
    ("paid", "minimum", "reason"),
    [
        (11_000, 12_000, Reason.MINIMUM_PAID),
        (10_999, 12_000, Reason.DUE),
        (120_000, 0, Reason.DUE),
    ],
)
def test_a_minimum_that_is_short_by_the_tolerance_is_met(
    paid: int, minimum: int, reason: Reason
) -> None:
    """Ageing calls it settled, so no text may call it late. A bill that is paid and still open owes late interest: that
    may be spoken of.
    """
    lenient = replace(PLAIN, tolerance_minor=1000)
    seen = replace(snapshot(paid_minor=paid, minimum_minor=minimum), profile=lenient)
    assert asked(seen, utc("2026-03-10 02:00"), "D+1").reason is reason


@pytest.mark.parametrize(
    ("message_class", "reason"),
    [
        (MessageClass.OVERDUE, Reason.CONDITION_NOT_MET),
        (MessageClass.COURTESY, Reason.CONDITION_NOT_MET),
        (MessageClass.STATUTORY, Reason.DUE),
    ],
)
def test_a_debt_that_is_not_late_by_its_age_is_not_called_late(
    message_class: MessageClass, reason: Reason
) -> None:
    """Re-aged, it is late when its new date is over; until then no words about the old one, whatever their tone."""
    words = treatment(step("T+3", offset_days=3, message_class=message_class))
    seen = snapshot(aged_from=date(2026, 4, 1), aged_on=date(2026, 3, 10))
    decision = decide(seen, words, RULES, utc("2026-03-12 02:00"))
    assert decision is not None
    assert decision.reason is reason
    shown = values(seen, now=utc("2026-03-12 02:00"), lender="A")["overdue_days"]
    assert shown == 0
    assert values(seen, now=utc("2026-04-03 02:00"), lender="A")["overdue_days"] == 2


def test_a_demand_before_the_debt_is_due_is_not_sent() -> None:
    """Whatever its step counts from: on the due date nothing is overdue yet."""
    demand = treatment(step("T0", offset_days=0, message_class=MessageClass.OVERDUE))
    decision = decide(snapshot(), demand, RULES, DUE_AT)
    assert isinstance(decision, Suppress)
    assert decision.reason is Reason.CONDITION_NOT_MET


def test_days_that_were_paused_are_not_named() -> None:
    """Three days after the due date, all of them in a moratorium: nothing is overdue, and a text says so."""
    paused = replace(PLAIN, dpd_paused_by=(HoldKind.MORATORIUM,))
    stop = hold(
        kind=HoldKind.MORATORIUM, starts_at=utc("2026-03-08 16:00"), ends_at=utc("2026-03-12 01:00")
    )
    seen = replace(told(stop), profile=paused)
    demand = treatment(step("T+3", offset_days=3, message_class=MessageClass.OVERDUE))
    now = utc("2026-03-12 02:00")
    decision = decide(seen, demand, RULES, now)
    assert decision is not None
    assert values(seen, now=now, lender="A")["overdue_days"] == 1
    assert values(replace(seen, profile=PLAIN), now=now, lender="A")["overdue_days"] == 3


# Channels: a preference, as long as the law leaves a choice


def window_of(name: str, opens: int, closes: int, *channels: str, stages: str = "") -> Rule:
    """Return the same hours on every day, for some channels."""
    spans = (Span(time(opens), time(closes)),)
    terms = WindowTerms(dict.fromkeys(WEEKDAYS, spans), Where.CONSUMER)
    bound = frozenset({Stage(stages)}) if stages else frozenset()
    return replace(rule(terms, Kind.WINDOW), id=name, channels=frozenset(channels), stages=bound)


def rule(terms: Terms, kind: Kind) -> Rule:
    """Return a rule for everybody."""
    return Rule(
        id="X.RULE",
        title="X",
        pack="X",
        kind=kind,
        terms=terms,
        parties=frozenset(),
        stages=frozenset(),
        purposes=frozenset(),
        channels=frozenset(),
        products=frozenset(),
        effective_from=date(2000, 1, 1),
        effective_to=None,
        force=Force.LAW,
        status=Status.SECONDARY,
        enforce=Enforce.HARD,
        citation="made up",
    )


def law(*rules: Rule) -> Rules:
    """Return the law of one jurisdiction, X, and a house without rules."""
    packs = {"X": Pack("X", "X", "", (), (), "", rules)}
    packs["HOUSE"] = Pack("HOUSE", "House", "", ("Asia/Shanghai",), (), "", ())
    return Rules(Law(packs, {}))


ONE_TEXT = replace(
    rule(CapTerms(1, Unit.ATTEMPT, Per.ROLLING, Scope.PERSON, 7 * 86400), Kind.CAP),
    id="X.ONE",
    channels=frozenset({"sms"}),
)
BOTH = step(channels=("sms", "email"))
TEXTED = Budget(1, (touch(at=STEP_AT - timedelta(days=1), channel="sms"),))


def about(
    rules: Rules, now: datetime, one: Step = BOTH, *points: ContactPoint, **more: Any
) -> Decision:
    """Return the decision about a step for somebody under a law, with two contact points."""
    channel = more.pop("channel", "")
    seen = reached(*(points or (SMS, EMAIL)), jurisdiction="X")
    seen = replace(seen, **more)
    decision = decide(seen, treatment(one), rules, now, channel=channel)
    assert decision is not None
    return decision


def went(decision: Decision) -> tuple[str, int]:
    """Return the channel of a send, with its slot."""
    assert isinstance(decision, Send), decision
    return decision.channel, decision.slot


def test_a_channel_that_the_law_closes_to_the_end_gives_way_to_the_next() -> None:
    """By a cap or by hours; the record names the hours of the channel it goes by."""
    assert went(about(law(ONE_TEXT), STEP_AT)) == ("sms", 0)
    assert went(about(law(ONE_TEXT), STEP_AT, budget=TEXTED)) == ("email", 1)
    short = replace(BOTH, catch_up=timedelta(hours=2))
    evening = window_of("X.EVENING", 20, 22, "sms")
    mail = window_of("X.MAIL", 8, 12, "email")
    found = about(law(evening, mail), STEP_AT, short)
    assert went(found) == ("email", 1)
    assert (found.facts["rule"], found.facts["rule_status"]) == ("X.MAIL", "secondary")
    assert isinstance(found, Send)
    assert found.not_after == utc("2026-03-06 04:00")


def test_a_channel_that_opens_in_time_is_waited_for() -> None:
    """The order of channels is a preference: in the morning the mail is open, and the text waits for the evening."""
    found = about(law(window_of("X.EVENING", 20, 22, "sms")), STEP_AT)
    assert isinstance(found, Wait)
    assert (found.reason, found.until) == (Reason.QUIET_HOURS, utc("2026-03-06 12:00"))
    room = Budget(1, (touch(at=STEP_AT - timedelta(days=6, hours=12), channel="sms"),))
    found = about(law(ONE_TEXT), STEP_AT, budget=room)
    assert isinstance(found, Wait)
    assert found.reason is Reason.CONTACT_CAP


def test_what_opens_only_where_something_else_is_closed_is_not_waited_for() -> None:
    """There is room for a text at ten in the evening, and texts end at nine: the mail goes at once."""
    room = Budget(1, (touch(at=STEP_AT - timedelta(days=6, hours=12), channel="sms"),))
    until_nine = window_of("X.DAY", 9, 21, "sms")
    tomorrow = about(law(ONE_TEXT, until_nine), STEP_AT, budget=room)
    assert isinstance(tomorrow, Wait)
    assert tomorrow.until == STEP_AT + timedelta(hours=12)
    short = replace(BOTH, catch_up=timedelta(hours=14))
    assert went(about(law(ONE_TEXT, until_nine), STEP_AT, short, budget=room)) == ("email", 1)


def test_the_other_channel_is_waited_for_too() -> None:
    """Texts are closed to the end, and mail opens at noon: it goes then, and not before."""
    rules = law(ONE_TEXT, window_of("X.MAIL", 12, 20, "email"))
    found = about(rules, STEP_AT, budget=TEXTED)
    assert isinstance(found, Wait)
    assert (found.reason, found.until) == (Reason.QUIET_HOURS, utc("2026-03-06 04:00"))
    assert went(about(rules, found.until, budget=TEXTED)) == ("email", 1)


def test_a_channel_that_cannot_be_used_is_no_way_out() -> None:
    """A hold on it, a refusal, a blocked address: then the cap is why, as for one channel."""
    for points, holds in (
        ((SMS,), ()),
        ((SMS, blocked(EMAIL)), ()),
        ((SMS, EMAIL), (hold(kind=HoldKind.OPT_OUT, channel="email", ends_at=None),)),
    ):
        found = about(law(ONE_TEXT), STEP_AT, BOTH, *points, budget=TEXTED, holds=holds)
        assert isinstance(found, Suppress)
        assert (found.reason, found.facts["rule"]) == (Reason.CONTACT_CAP, "X.ONE")


def test_a_contact_for_one_channel_takes_no_other() -> None:
    """Decided again at dispatch it goes by its own channel or not at all, with the slot of that channel."""
    rules = law(ONE_TEXT)
    for channel, slot in (("sms", 0), ("email", 1)):
        assert went(about(rules, STEP_AT, channel=channel)) == (channel, slot)
    found = about(rules, STEP_AT, budget=TEXTED, channel="sms")
    assert isinstance(found, Suppress)
    assert found.reason is Reason.CONTACT_CAP
    assert went(about(rules, STEP_AT, budget=TEXTED, channel="email")) == ("email", 1)
    night = law(window_of("X.MAIL", 12, 20, "email"))
    assert isinstance(about(night, STEP_AT, channel="email"), Wait)


def test_a_step_is_as_late_as_its_first_channel_says() -> None:
    """It may go an hour after texts open at noon, whichever channel it takes; a contact by mail has the same time."""
    one = replace(BOTH, late=Late.MISS)
    rules = law(ONE_TEXT, window_of("X.TEXTS", 12, 20, "sms"))
    now = utc("2026-03-06 04:30")
    for channel in ("", "email"):
        found = about(rules, now, one, budget=TEXTED, channel=channel)
        assert went(found) == ("email", 1)
        assert isinstance(found, Send)
        assert found.deadline == utc("2026-03-06 05:00")


def test_a_stage_of_tomorrow_is_asked_about_as_that() -> None:
    """Texts open today only before the debt is due, and tomorrow it is: the mail is not kept waiting for them."""
    one = replace(BOTH, offset_days=-1, catch_up=timedelta(hours=30))
    early = window_of("X.EARLY", 8, 9, "sms", stages="pre_due")
    due = window_of("X.DUE", 20, 22, "sms", stages="due_day")
    now = utc("2026-03-08 02:00")
    assert went(about(law(early, due), now, one)) == ("email", 1)
    # The same texts until nine on both days would do.
    always = window_of("X.ALWAYS", 8, 9, "sms")
    assert isinstance(about(law(always), now, one), Wait)


def test_days_that_the_treatment_closes_do_not_open_a_channel() -> None:
    """Texts are open tomorrow only, a closed day: the mail goes today."""
    line = treatment(replace(BOTH, catch_up=timedelta(hours=47)))
    years = Calendar("X", "X", "", frozenset({2026}), frozenset())
    line = replace(line, calendar=years, closed=frozenset({"weekend"}))
    weekend = {day: (Span(time(8), time(20)),) for day in ("sat", "sun")}
    texts = rule(WindowTerms(weekend, Where.CONSUMER), Kind.WINDOW)
    rules = law(replace(texts, channels=frozenset({"sms"})))
    seen = reached(SMS, EMAIL, jurisdiction="X")
    decision = decide(seen, line, rules, STEP_AT)
    assert decision is not None
    assert went(decision) == ("email", 1)


# Where no channel is left, the rules are named


def test_a_step_that_expires_names_the_rules_that_closed_the_last_gaps() -> None:
    """Of each channel: hours that begin too late and not those that are open, and a cap."""
    short = replace(BOTH, catch_up=timedelta(hours=2))
    evening, day = window_of("X.EVENING", 20, 22, "sms"), window_of("X.DAY", 8, 22, "sms")
    night = window_of("X.NIGHT", 22, 23, "email")
    alone = about(law(evening, day), STEP_AT, short, SMS)
    assert isinstance(alone, Suppress)
    assert alone.reason is Reason.QUIET_UNTIL_TOO_LATE
    assert (alone.facts["rule"], alone.facts["rule_status"]) == ("X.EVENING", "secondary")
    both = about(law(evening, day, night), STEP_AT, short)
    assert isinstance(both, Suppress)
    assert both.facts["rule"] == "X.EVENING,X.NIGHT"
    capped = about(law(ONE_TEXT, night), STEP_AT, short, budget=TEXTED)
    assert isinstance(capped, Suppress)
    assert (capped.reason, capped.facts["rule"]) == (Reason.CONTACT_CAP, "X.NIGHT,X.ONE")


def test_hours_that_are_about_to_close_are_named_too() -> None:
    """Open to the last instant before the deadline, and yet too late to begin."""
    day = window_of("X.DAY", 8, 12, "sms")
    now = utc("2026-03-06 04:00") - CLOSING_MARGIN
    one = replace(BOTH, catch_up=timedelta(hours=2))
    found = about(law(day), now, one, SMS)
    assert isinstance(found, Suppress)
    assert (found.reason, found.facts["rule"]) == (Reason.QUIET_UNTIL_TOO_LATE, "X.DAY")


def test_a_budget_that_is_full_names_the_caps() -> None:
    """Nobody can say which of them has room, so all are named."""
    full = Budget(1, (), full_until=STEP_AT + timedelta(days=9))
    found = about(law(ONE_TEXT, window_of("X.DAY", 8, 22)), STEP_AT, budget=full)
    assert isinstance(found, Suppress)
    assert (found.reason, found.facts["rule"]) == (Reason.CONTACT_CAP, "X.ONE")


@given(snapshots(), INSTANTS, st.sampled_from([each.name for each in TREATMENT.steps]))
def test_no_step_is_stopped_by_the_law_without_a_rule_named(
    seen: Snapshot, offset: timedelta, name: str
) -> None:
    """Whatever the facts: what hours, a cap or a rule ends, names one and its status."""
    now = datetime.combine(seen.obligation.due_on, datetime.min.time(), UTC) + offset
    decision = decide(seen, TREATMENT, RULES, now, step=name)
    if decision is not None and decision.reason in (
        Reason.QUIET_UNTIL_TOO_LATE,
        Reason.NO_COMMON_WINDOW,
        Reason.QUIET_HOURS,
        Reason.CONTACT_CAP,
        Reason.FORBIDDEN_BY_RULE,
    ):
        assert decision.facts["rule"]
        assert decision.facts["rule_status"]
