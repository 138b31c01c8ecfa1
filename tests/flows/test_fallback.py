"""Fallback: a step whose message failed goes by its next channel, once, within the same rules, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from betimes.core.contact import EVIDENCE, Contact, Event, State
from betimes.core.feedback import ProviderEvent
from betimes.core.hold import Kind
from betimes.core.intake import AmendObligation, PutHold
from betimes.core.policies import Policies
from betimes.core.preferences import Preferences
from betimes.core.treatment import Fallback
from betimes.flows.feedback import Heard, hear
from betimes.flows.sweep import sweep
from betimes.flows.timeline import timeline
from betimes.lab.runner import report_of
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES, TREATMENT, step, utc
from tests.flows.harness import (
    EMAIL,
    MINUTE,
    PHONE,
    STEP_AT,
    TOLD_AT,
    Broken,
    WorkerGone,
    account,
    bill,
    bill_of,
    chains_hold,
    money,
    of_b1,
    person,
    tell,
)

BOTH = ("email", "sms")
EVERY = frozenset(Fallback)
LATER = STEP_AT + 5 * MINUTE


def by(fallback: frozenset[Fallback] = EVERY, **fields: object) -> Policies:
    """Return policies of one step by e-mail, else by SMS."""
    one = step(channels=BOTH, fallback=fallback)
    return replace(POLICIES, treatment=replace(TREATMENT, steps=(one,), **fields))  # type: ignore[arg-type]  # fields


def told(email: str = EMAIL, phone: str = PHONE, policies: Policies | None = None) -> World:
    """Return a world with one bill, its step sent, and no word of the provider heard."""
    here = World(policies or by(), TOLD_AT, shards=1)
    tell(here, person(email, phone), account(), bill())
    here.run_until(STEP_AT)
    return here


def contacts(here: World) -> list[Contact]:
    return sorted(here.memory.all_contacts(), key=lambda each: (each.decided_at, each.slot))


def mail(here: World) -> Contact:
    return next(each for each in contacts(here) if each.channel == "email")


def hears(here: World, event: Event, key: str = "k") -> Heard:
    """Tell of the e-mail, and let everything that follows happen."""
    here.clock.advance(LATER)
    reported = ProviderEvent(mail(here).id, 1, event, LATER, key)
    heard = hear(here.stores, reported)
    here.run_until(here.clock.now())
    return heard


def kept(here: World) -> bool:
    """Return whether every promise was kept and every chain holds."""
    found = report_of(here, here.policies).findings
    assert found.all_kept, found
    return chains_hold(here)


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (Event.BOUNCED_HARD, Fallback.HARD),
        (Event.BOUNCED_SOFT, Fallback.SOFT),
        (Event.FAILED, Fallback.FAILED),
    ],
)
def test_a_reported_failure_is_followed_by_the_next_channel(event: Event, word: Fallback) -> None:
    """At once, by a contact that names the one that failed; and only where the step asks for it."""
    here = told("silent@borrowers.example")
    hears(here, event)
    first, second = contacts(here)
    assert (second.channel, second.slot, second.cause) == ("sms", 1, first.id)
    assert second.id != first.id
    assert second.decided_at == LATER
    causes = [each.cause for each in timeline(here.memory, TENANT, "b1") if each.what == "send"]
    assert causes == ["", first.id]
    assert kept(here)
    without = told("silent@borrowers.example", policies=by(EVERY - {word}))
    hears(without, event)
    assert len(contacts(without)) == 1
    assert kept(without)


def test_a_refusal_is_followed_at_once_and_counts_for_nothing() -> None:
    """The provider surely did not take it: only the second contact is counted."""
    here = told("refused@borrowers.example")
    first, second = contacts(here)
    assert (first.state, second.channel, second.decided_at) == (State.REFUSED, "sms", STEP_AT)
    touches = here.memory.pages(TENANT, "b1").budget.touches
    assert [touch.channel for touch in touches] == ["sms"]
    assert kept(here)


def test_a_bounce_counts_as_an_attempt() -> None:
    """The law counts what was tried."""
    here = told("hard@borrowers.example")
    touches = here.memory.pages(TENANT, "b1").budget.touches
    assert sorted(touch.channel for touch in touches) == ["email", "sms"]


def test_both_channels_may_fail_and_that_is_the_end() -> None:
    """No channel is left, none is tried twice; the step is decided."""
    here = told("hard@borrowers.example")
    sms = contacts(here)[1]
    hear(here.stores, ProviderEvent(sms.id, 1, Event.BOUNCED_HARD, LATER, "s"))
    here.run_until(LATER)
    assert len(contacts(here)) == 2
    assert bill_of(here).watch.decided == ("D-3",)
    assert bill_of(here).watch.awaits == ()
    assert kept(here)


@pytest.mark.parametrize("again", list(EVIDENCE))
def test_what_is_reported_after_the_fallback_changes_nothing_more(again: Event) -> None:
    """Late, repeated or of another kind."""
    here = told("hard@borrowers.example")
    before = len(contacts(here))
    hears(here, again)
    hears(here, again)
    hears(here, again, key="other")
    assert len(contacts(here)) == before == 2
    assert kept(here)


def test_after_the_money_the_due_date_or_the_deadline_nothing_follows() -> None:
    """And a hold is kept."""
    whats: dict[str, Callable[[World], object]] = {
        "paid": lambda here: tell(here, money()),
        "redated": lambda here: tell(here, AmendObligation("o1", 1, date(2026, 4, 9), 1000, 1000)),
        "late": lambda here: here.run_until(STEP_AT + timedelta(hours=25)),
        "held": lambda here: tell(here, PutHold("h1", Kind.DISPUTE, LATER)),
        "no number": lambda here: tell(here, person("silent@borrowers.example")),
    }
    for what, happens in whats.items():
        here = told("silent@borrowers.example", policies=by(EVERY - {Fallback.NO_RECEIPT}))
        here.clock.advance(LATER)
        happens(here)
        hear(here.stores, ProviderEvent(mail(here).id, 1, Event.BOUNCED_HARD, LATER, "k"))
        here.run_until(here.clock.now())
        assert [each.channel for each in contacts(here)] == ["email"], what
        assert kept(here)


def test_the_hours_of_the_next_channel_are_kept() -> None:
    """A bounce at night waits for the morning, as long as the step's own time lasts."""
    here = told("silent@borrowers.example", policies=by(EVERY - {Fallback.NO_RECEIPT}))
    night = utc("2026-03-06 17:00")  # one in the night in Shanghai
    here.run_until(night)
    hear(here.stores, ProviderEvent(mail(here).id, 1, Event.BOUNCED_HARD, night, "k"))
    here.run_until(night)
    assert len(contacts(here)) == 1
    assert "D-3" not in bill_of(here).watch.decided
    here.run_until(utc("2026-03-07 02:00"))
    assert contacts(here)[1].decided_at == utc("2026-03-07 00:00")
    assert kept(here)


def test_of_an_unknown_outcome_no_other_channel_is_taken() -> None:
    """Nor when nothing is ever heard of it."""
    here = told("timeout-silent@borrowers.example")
    here.run_until(utc("2026-03-09 02:00"))
    assert [each.channel for each in contacts(here)] == ["email"]


def test_silence_is_called_so_when_its_time_is_over() -> None:
    """Fifteen hours for an e-mail; a later receipt still counts; an SMS without receipts is never late."""
    here = told("silent@borrowers.example", policies=by(frozenset()))
    limit = STEP_AT + timedelta(hours=15)
    here.run_until(limit - MINUTE)
    assert mail(here).state is State.ACCEPTED
    here.run_until(limit)
    assert mail(here).state is State.NO_RECEIPT
    assert hears(here, Event.DELIVERED) is Heard.MOVED
    assert mail(here).state is State.DELIVERED
    sms = told("", PHONE)
    sms.run_until(utc("2026-03-20 00:00"))
    assert [each.state for each in contacts(sms)] == [State.ACCEPTED]


def test_a_digest_that_failed_becomes_one_again() -> None:
    """All that it spoke of goes by the next channel, in one contact; what was paid meanwhile does not."""
    for paid, wanted in ((False, 1), (True, 0)):
        here = World(by(digest=True), TOLD_AT, shards=1)
        tell(here, person("silent@borrowers.example", PHONE), account(), bill(), bill("o2"))
        here.run_until(STEP_AT)
        here.clock.advance(LATER)
        if paid:
            tell(here, money("r2", obligation_id="o2"))
        hears(here, Event.BOUNCED_HARD)
        first, second = contacts(here)
        assert (len(first.also), second.channel, len(second.also)) == (1, "sms", wanted)
        assert second.cause == first.id
        assert kept(here)


def test_a_digest_whose_own_debt_is_paid_frees_the_others() -> None:
    """The look at the paid one does it."""
    here = World(by(digest=True), TOLD_AT, shards=1)
    tell(here, person("silent@borrowers.example", PHONE), account(), bill(), bill("o2"))
    here.run_until(STEP_AT)
    own = contacts(here)[0].obligation_id
    here.clock.advance(LATER)
    tell(here, money(obligation_id=own))
    hears(here, Event.BOUNCED_HARD)
    second = contacts(here)[1]
    assert second.obligation_id != own
    assert kept(here)


def test_a_worker_may_die_at_any_call_of_the_report() -> None:
    """It is delivered again, and one contact follows."""
    at = 0
    while True:
        here = told("silent@borrowers.example")
        here.clock.advance(LATER)
        reported = ProviderEvent(mail(here).id, 1, Event.BOUNCED_HARD, LATER, "k")
        died = False
        try:
            hear(Broken(here.memory, at).stores, reported)
        except WorkerGone:
            died = True
        hear(here.stores, reported)
        here.run_until(LATER)
        assert [each.channel for each in contacts(here)] == ["email", "sms"]
        assert kept(here)
        if not died:
            break
        at += 1
    assert at >= 3


def test_what_a_digest_left_out_and_was_said_since_is_not_said_again() -> None:
    """The digest went without a debt on hold, which was spoken of once that was over; then the digest bounced."""
    here = World(by(digest=True), TOLD_AT, shards=1)
    tell(here, person("silent@borrowers.example", PHONE), account(), bill(), bill("o2"))
    here.clock.advance(STEP_AT)
    swept = sweep(here.stores, here.policies, 0, now=STEP_AT, limit=10)
    assert swept.contacts == 1
    digest = mail(here)
    other = digest.also[0].obligation_id
    ends_at = STEP_AT + 2 * MINUTE
    hold = PutHold("h1", Kind.DISPUTE, STEP_AT, obligation_id=other, ends_at=ends_at)
    here.intake.take_in(TENANT, [of_b1(hold)], STEP_AT)
    here.settle()
    here.run_until(LATER)
    alone = next(each for each in contacts(here) if each.obligation_id == other)
    assert (alone.channel, alone.state) == ("email", State.ACCEPTED)
    hear(here.stores, ProviderEvent(digest.id, 1, Event.BOUNCED_HARD, LATER, "k"))
    here.run_until(LATER)
    assert [each.obligation_id for each in contacts(here) if each.cause] == [digest.obligation_id]
    assert kept(here)


def test_the_order_a_person_wants_is_kept() -> None:
    """Who wants SMS first gets the e-mail after it, however the step lists them."""
    here = World(by(), TOLD_AT, shards=1)
    tell(here, person(EMAIL, PHONE), account(), bill())
    pages = here.memory.pages(TENANT, "b1")
    assert pages.head is not None
    wanted = replace(pages.head, preferences=Preferences(channels=("sms",)))
    here.memory._put(pages.with_head(wanted))
    here.run_until(STEP_AT)
    [sms] = contacts(here)
    assert sms.channel == "sms"
    hear(here.stores, ProviderEvent(sms.id, 1, Event.BOUNCED_HARD, LATER, "k"))
    here.clock.advance(LATER)
    here.run_until(LATER)
    assert [(each.channel, each.cause) for each in contacts(here)] == [
        ("sms", ""),
        ("email", sms.id),
    ]
    assert kept(here)
