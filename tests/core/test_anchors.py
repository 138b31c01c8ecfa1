"""What steps count from: which failed debit and which promise concerns which debt, when a step takes another one's
time, and what is left of it all when the due date, the borrower's zone or the treatment's version changes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from betimes.core.agenda import plan, planned
from betimes.core.book import Snapshot
from betimes.core.decide import decide
from betimes.core.decision import Send, Suppress
from betimes.core.flight import Flight, FlightState
from betimes.core.hold import Hold, Kind
from betimes.core.intake import AmendObligation, accept
from betimes.core.product import PLAIN
from betimes.core.reason import Reason
from betimes.core.treatment import Anchor, Conditions, MessageClass, Step, Treatment, line
from tests.core.support import POLICIES, RULES, snapshot, step, treatment, utc
from tests.factories import account, borrower, flight, hold, obligation, pages, watch

DUE_ON = date(2026, 3, 9)
DEBIT = step("debit", anchor=Anchor.DEBIT_FAILED, offset_days=0, send_at=None)
PROMISE = step("promise", anchor=Anchor.PROMISE_BROKEN, offset_days=0)
DEMAND = step("T+3", offset_days=3, message_class=MessageClass.OVERDUE)


def failed(at: str, **fields: object) -> Flight:
    """Return a debit that failed at the instant."""
    return flight(state=FlightState.FAILED, ended_at=utc(at), **fields)


def promise(on: date, **fields: object) -> Hold:
    """Return a promise of CNY 3.00 until the end of a day in Shanghai."""
    ends_at = datetime(on.year, on.month, on.day, 16, tzinfo=utc("2026-01-01").tzinfo)
    return hold(kind=Kind.PROMISE, promise_on=on, promise_minor=300, ends_at=ends_at, **fields)


def keys(seen: Snapshot, *steps: Step) -> list[str]:
    """Return the keys of the steps that are planned."""
    return [each.key for each in plan(seen, treatment(*steps))]


@pytest.mark.parametrize(("paid", "broken"), [(299, True), (300, False)])
def test_a_promise_is_kept_by_what_everything_it_concerns_has_received(
    paid: int, broken: bool
) -> None:
    """Another debt of the account had been paid before the promise; a debt of another account counts for nothing."""
    seen = snapshot(paid_minor=paid)
    owing = {
        "o0": obligation(id="o0", paid_minor=1000),
        "o1": seen.obligation,
        "o9": obligation(id="o9", account_id="a9", paid_minor=9000),
    }
    made = promise(date(2026, 3, 12), account_id="a1", paid_before_minor=1000)
    seen = replace(seen, owing=owing, holds=(made,))
    assert bool(keys(seen, PROMISE)) is broken


@pytest.mark.parametrize(("due_on", "concerned"), [(9, True), (10, False)])
def test_a_debit_for_the_account_was_for_what_was_due(due_on: int, concerned: bool) -> None:
    """On the due date it is due; a debit for the debt itself concerns it in any case."""
    seen = snapshot(due_on=date(2026, 3, due_on))
    whole = failed("2026-03-09 03:30", obligation_id="")
    assert bool(keys(replace(seen, flights=(whole,)), DEBIT)) is concerned
    assert keys(replace(seen, flights=(failed("2026-03-09 03:30"),)), DEBIT)


@pytest.mark.parametrize("scope", [{"account_id": "a1"}, {}])
def test_a_promise_for_everything_was_about_what_was_due(scope: dict[str, str]) -> None:
    """Broken, it says nothing of a debt of the month after; one made for that debt does."""
    seen = snapshot(due_on=date(2026, 4, 9))
    assert keys(replace(seen, holds=(promise(date(2026, 3, 12), **scope),)), PROMISE) == []
    own = promise(date(2026, 3, 12), account_id="a1", obligation_id="o1")
    assert keys(replace(seen, holds=(own,)), PROMISE) == ["promise~2026-03-12"]


def test_what_was_due_is_a_date_in_the_zone_of_the_product() -> None:
    """At 03:30 in London on the due date it is still the day before in New York."""
    seen = snapshot(zone="America/New_York", jurisdiction="US")
    seen = replace(seen, flights=(failed("2026-03-09 03:30", obligation_id=""),))
    assert keys(seen, DEBIT) == []
    assert keys(replace(seen, profile=replace(PLAIN, zone="Asia/Shanghai")), DEBIT)


@pytest.mark.parametrize(
    ("when", "takes"),
    [
        (Conditions(max_dpd=1), False),
        (Conditions(max_dpd=3), True),
        (Conditions(min_minor=120_001), False),
        (Conditions(min_minor=120_000), True),
        (Conditions(max_minor=119_999), False),
        (Conditions(tags=("vip",)), False),
    ],
)
def test_only_a_step_that_will_speak_takes_the_time_of_the_one_before(
    when: Conditions, takes: bool
) -> None:
    """Three days past due a debit fails two hours after the demand came due, which waits: by days, amount, tags."""
    seen = replace(snapshot(), flights=(failed("2026-03-12 04:00"),))
    demand, _ = plan(seen, treatment(DEMAND, replace(DEBIT, when=when)))
    assert demand.key == "T+3"
    assert demand.superseded_at == (utc("2026-03-12 04:00") if takes else None)


@pytest.mark.parametrize(("min_dpd", "takes"), [(4, True), (5, False)])
def test_a_dated_step_that_is_for_older_debts_takes_no_time(min_dpd: int, takes: bool) -> None:
    """The same without any event: the day after, for those with four days, or with five."""
    later = step("T+4", offset_days=4, when=Conditions(min_dpd=min_dpd))
    demand = plan(snapshot(), treatment(replace(DEMAND, catch_up=timedelta(days=2)), later))[0]
    assert (demand.superseded_at is not None) is takes


def test_a_demand_in_grace_takes_no_time_from_other_words() -> None:
    """It is not said; once grace is over it would be."""
    words = step("T+2", offset_days=2, catch_up=timedelta(days=9))
    lenient = replace(snapshot(), profile=replace(PLAIN, grace_days=3))
    assert plan(lenient, treatment(words, DEMAND))[0].superseded_at is None
    later = replace(DEMAND, name="T+4", offset_days=4)
    assert plan(lenient, treatment(words, later))[0].superseded_at == utc("2026-03-13 02:00")


def test_a_paused_or_re_aged_debt_has_no_demand_that_takes_time() -> None:
    """Neither the days of a moratorium nor those before the agreed date are late."""
    words = step("T+2", offset_days=2, catch_up=timedelta(days=9))
    paused = replace(PLAIN, dpd_paused_by=(Kind.MORATORIUM,))
    stop = hold(kind=Kind.MORATORIUM, ends_at=utc("2026-04-01 00:00"))
    seen = replace(snapshot(), profile=paused, holds=(stop,))
    assert plan(seen, treatment(words, DEMAND))[0].superseded_at is None
    aged = snapshot(aged_from=date(2026, 4, 1), aged_on=date(2026, 3, 1))
    assert plan(aged, treatment(words, DEMAND))[0].superseded_at is None


def test_a_failure_that_is_told_too_late_to_speak_of_takes_no_time() -> None:
    """The demand that waited for the debit's result may still go."""
    late = failed("2026-03-12 04:00", told_at=utc("2026-03-13 04:00"))
    demand, _ = plan(replace(snapshot(), flights=(late,)), treatment(DEMAND, DEBIT))
    assert demand.superseded_at is None


def test_an_event_has_one_key_wherever_the_borrower_lives() -> None:
    """No zone moves it: neither the evening of one day nor the morning of the next."""
    flights = (failed("2026-03-09 16:30"), failed("2026-03-09 23:30", id="f2"))
    for zone in ("Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Pacific/Apia"):
        seen = replace(snapshot(zone=zone), flights=flights)
        assert keys(seen, DEBIT)[0] == "debit~2026-03-09"
        assert len(set(keys(seen, DEBIT))) == len(keys(seen, DEBIT)) == 1


def test_an_event_speaks_once_a_day_of_the_borrower() -> None:
    """Two failures of one day in New York lie on two days in London, and are one word."""
    flights = (failed("2026-03-09 16:30"), failed("2026-03-10 01:30", id="f2"))
    seen = replace(snapshot(zone="America/New_York"), flights=flights)
    assert keys(seen, DEBIT) == ["debit~2026-03-09"]
    again = (*flights, failed("2026-03-10 16:30", id="f3"))
    assert keys(replace(seen, flights=again), DEBIT) == ["debit~2026-03-09", "debit~2026-03-10"]


def versions(before: int, after: int, switch: date) -> Treatment:
    """Return a line of two versions, of which the second one moves the step to another day."""
    old = replace(treatment(step("T", offset_days=before, template="due_soon")), id="test@1")
    new = replace(treatment(step("T", offset_days=after, template="overdue")), id="test@2")
    new = replace(new, effective_from=switch)
    return line([old, new])


def test_a_step_that_a_new_version_moves_before_itself_is_kept_by_the_old_one() -> None:
    """Else it would fall between the two: neither would say it, and nothing would be recorded."""
    moved = versions(3, 2, date(2026, 3, 12))
    found = planned(snapshot(), moved, "T")
    assert found is not None
    assert (found.at, found.step.template) == (utc("2026-03-12 02:00"), "due_soon")
    decision = decide(snapshot(), moved, RULES, utc("2026-03-12 02:00"))
    assert isinstance(decision, Send)
    assert decision.facts["treatment"] == "test@1"


@pytest.mark.parametrize(
    ("before", "after", "day", "template"),
    [(2, 3, 12, "overdue"), (3, 2, 11, "overdue"), (3, 2, 13, "due_soon"), (2, 2, 12, "due_soon")],
)
def test_a_step_of_two_versions_comes_from_one(
    before: int, after: int, day: int, template: str
) -> None:
    """Wherever the switch lies: exactly once."""
    found = plan(snapshot(), versions(before, after, date(2026, 3, day)))
    assert [each.step.template for each in found] == [template]


def test_a_new_due_date_keeps_what_was_said_of_events() -> None:
    """What was said of the statement or of an event is not decided again; what hangs on the due date is. When something
    was last said is kept too, under no step's name: no follow-up of the old cycle is due in the new one. The same if
    the date moves once more.
    """
    seen = watch(
        decided=("bill", "T-3", "debit~2026-03-05", "debit~2026-03-06", "T-1"),
        spoken=(
            ("bill", utc("2026-03-02 02:00")),
            ("debit~2026-03-05", utc("2026-03-05 04:00")),
            ("T-1", utc("2026-03-08 02:00")),
        ),
    )
    book = pages(
        head=borrower(),
        accounts={"a1": account(product="huabei_like")},
        obligations={"o1": obligation(watch=seen)},
    )
    told = AmendObligation("o1", 1, date(2026, 3, 20), 120_000, 120_000)
    after, _ = accept(book, told, POLICIES, shards=4, now=utc("2026-03-08 03:00"))
    found = after.obligations["o1"].watch
    assert found.decided == ("bill", "debit~2026-03-05")
    assert found.spoken == (
        ("~bill", utc("2026-03-02 02:00")),
        ("~debit~2026-03-05", utc("2026-03-05 04:00")),
        ("~", utc("2026-03-08 02:00")),
    )
    again = replace(told, revision=2, due_on=date(2026, 3, 21))
    twice, _ = accept(after, again, POLICIES, shards=4, now=utc("2026-03-08 03:01"))
    assert twice.obligations["o1"].watch.decided == ("bill", "debit~2026-03-05")
    assert twice.obligations["o1"].watch.spoken == found.spoken


def test_a_word_on_an_event_that_was_not_said_yet_is_said_in_the_new_cycle() -> None:
    """Its contact still waits, and names the old date: it is cancelled, and decided again."""
    said = (("bill", utc("2026-03-02 02:00")),)
    seen = watch(decided=("bill", "debit~2026-03-05"), spoken=said, contact_id="c1")
    book = pages(
        head=borrower(),
        accounts={"a1": account(product="huabei_like")},
        obligations={"o1": obligation(watch=seen)},
    )
    told = AmendObligation("o1", 1, date(2026, 3, 20), 120_000, 120_000)
    after, _ = accept(book, told, POLICIES, shards=4, now=utc("2026-03-08 03:00"))
    assert after.obligations["o1"].watch.decided == ("bill",)


def test_the_gap_outlasts_a_new_due_date() -> None:
    """The same step of the new cycle is no second attempt of the old one's contact."""
    gapped = replace(treatment(step("T0", offset_days=0)), min_gap=timedelta(hours=20))
    seen = snapshot(watch=watch(spoken=(("~", utc("2026-03-08 12:00")),)))
    seen = replace(seen, owing={"o1": seen.obligation})
    waits = decide(seen, gapped, RULES, utc("2026-03-09 02:00"))
    assert waits is not None
    assert waits.reason is Reason.TOO_SOON


@pytest.mark.parametrize("told", [True, False])
def test_a_failure_that_is_told_too_late_is_the_lenders_delay(told: bool) -> None:
    """Nobody here was late. Where it was told in time and never spoken of, somebody was."""
    told_at = utc("2026-03-10 09:00" if told else "2026-03-09 04:00")
    seen = replace(snapshot(), flights=(failed("2026-03-09 03:30", told_at=told_at),))
    missed = decide(seen, treatment(replace(DEBIT, catch_up=timedelta(hours=14))), RULES, told_at)
    assert missed is not None
    late = decide(
        seen,
        treatment(replace(DEBIT, catch_up=timedelta(hours=14))),
        RULES,
        utc("2026-03-10 09:00"),
    )
    assert isinstance(late, Suppress)
    assert late.reason is (Reason.PLANNED_AFTER_WINDOW if told else Reason.CATCH_UP_EXCEEDED)


def test_the_rate_of_a_debt_moves_no_step() -> None:
    """An amount that a step asks for is what is owed at its own instant, late interest included."""
    charged = replace(PLAIN, daily_rate=Decimal("0.0005"), id="charged@1")
    asks = replace(DEBIT, when=Conditions(min_minor=120_001))
    seen = replace(snapshot(), profile=charged, flights=(failed("2026-03-12 04:00"),))
    assert plan(seen, treatment(DEMAND, asks))[0].key == "T+3"
