"""Dispatch asks for room before it claims: who waits has claimed nothing, and no answer of a pace loses a message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from betimes.core.contact import State
from betimes.core.errors import Unavailable
from betimes.core.pace import Quota, Why
from betimes.core.reason import Reason
from betimes.core.rule import Status
from betimes.core.spend import ANYWHERE, Day, Price, Prices
from betimes.core.values import replace
from betimes.flows.dispatch import IN_QUEUE, SPEND_WARNED, Dispatched, Later
from betimes.flows.pacing import Pace, Pacing, paced_by
from betimes.lab.pacing import MemoryLimiter, MemorySpend, StatedQuota, VirtualPatience
from betimes.lab.world import TENANT, World
from betimes.ports import Accepted, Refused
from tests.flows.harness import (
    STEP_AT,
    chains_hold,
    contact_of,
    events_of,
    money,
    ready,
    swept,
    tell,
)
from tests.flows.test_dispatch import Provider

SES = paced_by("email", "ses")
PRICE = 100
TODAY = Day(TENANT, "email", "USD", STEP_AT.date())


class Kept:
    """A world whose dispatch keeps a pace, with all that the pace is kept by."""

    def __init__(self, quota: Quota | None = None, limit: int = 0) -> None:
        self.here, self.contact_id = ready()
        self.quota = StatedQuota(quota or Quota(1_000_000))
        self.spend = MemorySpend()
        self.limiter = MemoryLimiter()
        self.noticed: list[str] = []
        self.limit = limit

    def pacing(self) -> Pacing:
        """Return the pace as a worker that has just started keeps it."""
        clock = self.here.clock
        return Pacing(
            Pace(self.limiter, {SES: self.quota}),
            self.spend,
            Prices({("ses", "email", ANYWHERE): Price(PRICE, "USD", Status.DRAFT)}),
            clock,
            VirtualPatience(clock),
            {(TENANT, "email"): self.limit} if self.limit else {},
        )

    def deliver(self, provider: Provider, **fields: Any) -> Dispatched | Later:
        """Deliver the contact once."""
        dispatch = replace(
            self.here.dispatch,
            senders={"email": provider},
            pacing=self.pacing(),
            notice=self.noticed.append,
            **fields,
        )
        return dispatch.deliver(self.contact_id)


def test_what_has_room_goes_and_is_counted() -> None:
    """One message, its price counted once."""
    kept = Kept()
    assert kept.deliver(Provider([Accepted("p-1")])) is Dispatched.ACCEPTED
    spent = kept.spend.spent(TODAY)
    assert (spent.micro, spent.messages) == (PRICE, 1)
    assert kept.noticed == []


def test_a_closed_provider_is_given_nothing_and_the_contact_says_why() -> None:
    """No claim, no attempt; operations are told; the contact goes once the provider is open again."""
    kept = Kept(Quota(1_000_000, is_open=False))
    provider = Provider([Accepted("p-1")])
    assert kept.deliver(provider) is Dispatched.PACED
    waiting = contact_of(kept.here, kept.contact_id)
    assert (waiting.state, waiting.reason) == (State.READY, Reason.PROVIDER_BUSY)
    assert (waiting.attempt, waiting.offered) == (0, False)
    assert provider.letters == []
    assert kept.noticed == [Why.CLOSED]
    assert events_of(kept.here) == ["paced"]
    # A second hint changes nothing more, and writes no second record.
    assert kept.deliver(provider) is Dispatched.PACED
    assert events_of(kept.here) == ["paced"]
    assert chains_hold(kept.here)
    kept.quota.quota = Quota(1_000_000)
    kept.here.clock.advance(STEP_AT + timedelta(hours=1))
    assert kept.deliver(provider) is Dispatched.ACCEPTED
    assert len(provider.letters) == 1
    assert chains_hold(kept.here)


def test_a_used_up_budget_waits_for_tomorrow_and_alarms() -> None:
    """What does not fit is not sent, not claimed and not counted."""
    kept = Kept(limit=PRICE - 1)
    provider = Provider([Accepted("p-1")])
    assert kept.deliver(provider) is Dispatched.PACED
    waiting = contact_of(kept.here, kept.contact_id)
    assert (waiting.state, waiting.reason) == (State.READY, Reason.BUDGET_SPENT)
    assert (provider.letters, kept.noticed) == ([], [Why.BUDGET])
    assert kept.spend.spent(TODAY).messages == 0


def test_a_budget_that_is_nearly_spent_is_told() -> None:
    """At four fifths somebody should know; the message goes."""
    kept = Kept(limit=PRICE)
    assert kept.deliver(Provider([Accepted("p-1")])) is Dispatched.ACCEPTED
    assert kept.noticed == [SPEND_WARNED]


@pytest.mark.parametrize(
    ("asks_s", "soon"), [(0, True), (5, True), (IN_QUEUE // timedelta(seconds=1) + 60, False)]
)
def test_a_throttled_message_waits_as_long_as_it_is_told_to(asks_s: int, soon: bool) -> None:
    """Moments are waited for in the queue, and longer by the review; nothing stays counted."""
    kept = Kept()
    busy = Refused("Throttling", may_retry=True, throttled=True, retry_after_s=asks_s)
    provider = Provider([busy, Accepted("p-1")])
    done = kept.deliver(provider)
    if soon:
        assert isinstance(done, Later)
        assert done.until >= kept.here.clock.now() + timedelta(seconds=asks_s)
        assert done.why is Why.BACKING_OFF
    else:
        assert done is Dispatched.PUT_BACK
    waiting = contact_of(kept.here, kept.contact_id)
    assert (waiting.state, waiting.reason) == (State.READY, Reason.PROVIDER_BUSY)
    assert kept.spend.spent(TODAY).messages == 0
    kept.here.clock.advance(kept.here.clock.now() + timedelta(seconds=asks_s + 1))
    assert kept.deliver(provider) is Dispatched.ACCEPTED
    assert kept.spend.spent(TODAY).messages == 1


def test_a_used_up_day_pauses_everybody_and_alarms() -> None:
    """The one refusal is heard by all workers: the next message is not even tried."""
    kept = Kept()
    provider = Provider([Refused("daily_quota", may_retry=True)])
    assert kept.deliver(provider) is Dispatched.PUT_BACK
    assert kept.noticed == [Why.DAILY_QUOTA]
    assert kept.deliver(provider) is Dispatched.PACED
    assert len(provider.letters) == 1


def test_who_is_overtaken_at_the_claim_takes_its_estimate_back() -> None:
    """Money between the question and the claim: nothing goes, and nothing stays counted."""
    kept = Kept()
    provider = Provider([Accepted("p-1")])

    class Paid(MemorySpend):
        def estimate(self, day: Day, key: str, micro: int, *, limit: int) -> bool:
            counted = super().estimate(day, key, micro, limit=limit)
            tell(kept.here, money(minor=1000))
            return counted

    kept.spend = Paid()
    assert kept.deliver(provider) in (Dispatched.ENDED, Dispatched.NOT_READY)
    assert provider.letters == []
    assert kept.spend.spent(TODAY).messages == 0


def test_nobody_is_asked_twice_where_the_claim_is_lost() -> None:
    """Stores out of reach after the question: the estimate goes back, and the queue delivers again."""
    kept = Kept()
    provider = Provider([Accepted("p-1")])
    stores = kept.here.stores

    class Broken:
        def commit(self, changes: object) -> None:
            raise Unavailable("out of reach")

    with pytest.raises(Unavailable):
        kept.deliver(provider, stores=replace(stores, store=Broken()))
    assert kept.spend.spent(TODAY).messages == 0
    assert provider.letters == []


def test_a_pace_that_cannot_be_told_loses_no_outcome() -> None:
    """The provider took it; the ledger of spending is out of reach: the contact is accepted all the same."""
    kept = Kept()

    class Deaf(MemorySpend):
        def true_up(self, day: Day, key: str, micro: int) -> bool:
            raise Unavailable("out of reach")

    kept.spend = Deaf()
    provider = Provider([Refused("Throttling", may_retry=True, throttled=True)])
    assert kept.deliver(provider) is Dispatched.PUT_BACK
    assert contact_of(kept.here, kept.contact_id).state is State.READY


def test_an_unreachable_limiter_lets_nothing_through() -> None:
    """Nobody knows the pace: nothing goes, and the queue delivers again."""
    kept = Kept()

    class Gone(MemoryLimiter):
        def gauge(self, provider: str) -> None:
            raise Unavailable("out of reach")

    kept.limiter = Gone()
    provider = Provider([Accepted("p-1")])
    with pytest.raises(Unavailable):
        kept.deliver(provider)
    assert provider.letters == []
    assert contact_of(kept.here, kept.contact_id).attempt == 0


def test_a_contact_that_found_no_room_to_its_end_expires_with_that_word() -> None:
    """Late is only what came of it; the reason is the budget."""
    kept = Kept(limit=PRICE - 1)
    here: World = kept.here
    assert kept.deliver(Provider([Accepted("p-1")])) is Dispatched.PACED
    ends = contact_of(here, kept.contact_id).not_after
    swept(here, ends)
    ended = contact_of(here, kept.contact_id)
    assert (ended.state, ended.reason) == (State.EXPIRED, Reason.BUDGET_SPENT)
    assert chains_hold(here)
