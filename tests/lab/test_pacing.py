"""A crowd of workers against a provider that counts: the pace is kept, nearly all of the quota is used, nothing is
lost.

Time is virtual: every worker's next step stands in a heap, and the earliest one is taken.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

import pytest

from betimes.core import pace
from betimes.core.pace import Go, Quota, Shares, Why
from betimes.flows.pacing import Pace
from betimes.lab.pacing import MemoryLimiter, StatedQuota
from tests.factories import NOW

SES = "ses"
SECOND = timedelta(seconds=1)
MS = timedelta(milliseconds=1)
# Calls arrive so much later than they leave, answers take so long, and clocks are so wrong.
JITTER_MS = 20
LATENCY_MS = (40, 220)
SKEW_MS = 3
# The queue hands a message out again after a worker has died with it.
VISIBLE_AGAIN = timedelta(seconds=30)


@dataclass
class CountingProvider:
    """Takes `rate` units in any second that begins with a call, and answers "too fast" beyond; also by `chance`."""

    rate: int
    dice: random.Random
    chance: float = 0.0
    seconds: deque[tuple[datetime, int]] = field(default_factory=deque)
    accepted: Counter[str] = field(default_factory=Counter)
    by_tenant: Counter[str] = field(default_factory=Counter)
    violations: int = 0
    throttles: int = 0
    last_at: datetime = NOW
    most_in_a_second: int = 0

    def call(self, message: str, tenant: str, units: int, at: datetime) -> bool:
        """Return whether the message is taken."""
        while self.seconds and self.seconds[0][0] <= at - SECOND:
            self.seconds.popleft()
        held = sum(taken for _, taken in self.seconds) + units
        if held > self.rate:
            self.violations += 1
        elif self.dice.random() >= self.chance:
            self.seconds.append((at, units))
            self.most_in_a_second = max(self.most_in_a_second, held)
            self.accepted[message] += 1
            self.by_tenant[tenant] += 1
            self.last_at = max(self.last_at, at)
            return True
        self.throttles += 1
        return False


@dataclass(frozen=True)
class Work:
    """A message in the queue."""

    id: str
    tenant: str = "t1"
    units: int = 1


@dataclass
class Crowd:
    """Workers, each with what it remembers and a clock of its own error, at one queue of work."""

    provider: CountingProvider
    stated: StatedQuota
    workers: int
    dice: random.Random
    shares: Mapping[str, Shares] = field(default_factory=dict)
    dies_at: Callable[[int], bool] = lambda _: False
    limiter: MemoryLimiter = field(default_factory=MemoryLimiter)
    now: datetime = NOW
    died: int = 0
    waits: Counter[Why] = field(default_factory=Counter)

    def run(
        self, work: Iterator[Work], until: datetime, events: Mapping[datetime, Callable[[], None]]
    ) -> None:
        """Work until the queue is empty or it is `until`; `events` happen at their instants."""
        heap: list[tuple[datetime, int, Callable[[], None]]] = []
        order = iter(range(10**9))
        late: deque[Work] = deque()
        takes = iter(range(10**9))

        def later(at: datetime, then: Callable[[], None]) -> None:
            heappush(heap, (at, next(order), then))

        def worker() -> Callable[[], None]:
            mind = Pace(self.limiter, {SES: self.stated}, self.shares)
            skew = self.dice.randint(-SKEW_MS, SKEW_MS) * MS

            def fetch() -> None:
                message = late.popleft() if late else next(work, None)
                if message is not None:
                    ask(message)
                else:
                    # A long poll that found nothing.
                    later(self.now + SECOND, fetch)

            def ask(message: Work) -> None:
                own = self.now + skew
                permit = mind.take(SES, message.tenant, own, units=message.units, key=message.id)
                if not isinstance(permit, Go):
                    self.waits[permit.why] += 1
                    if permit.at - own > 2 * SECOND:
                        later(permit.at - skew, lambda: late.append(message))
                        later(self.now + MS, fetch)
                    else:
                        later(max(permit.at - skew, self.now + MS), lambda: ask(message))
                elif self.dies_at(next(takes)):
                    self.died += 1
                    later(self.now + VISIBLE_AGAIN, lambda: late.append(message))
                else:
                    arrives = self.dice.uniform(0, JITTER_MS) * MS
                    later(max(permit.at - skew, self.now) + arrives, lambda: call(message))

            def call(message: Work) -> None:
                if not self.provider.call(message.id, message.tenant, message.units, self.now):
                    mind.throttled(SES, self.now + skew)
                    late.append(message)
                later(self.now + self.dice.uniform(*LATENCY_MS) * MS, fetch)

            return fetch

        for _ in range(self.workers):
            later(NOW, worker())
        for at, happens in events.items():
            later(at, happens)
        while heap and heap[0][0] <= until:
            self.now, _, then = heappop(heap)
            then()


def crowd(rate: int, *, seed: int, workers: int, chance: float = 0.0, **more: object) -> Crowd:
    dice = random.Random(seed)
    return Crowd(
        CountingProvider(rate, dice, chance),
        StatedQuota(Quota(rate * 1000)),
        workers,
        dice,
        **more,  # type: ignore[arg-type]  # the fields of a crowd by their names
    )


def messages(count: int, **more: object) -> Iterator[Work]:
    return (Work(f"m{n}", **more) for n in range(count))  # type: ignore[arg-type]  # fields by name


def took_s(found: Crowd) -> float:
    return (found.provider.last_at - NOW) / SECOND


def all_once(found: Crowd, count: int) -> bool:
    return set(found.provider.accepted.values()) == {1} and len(found.provider.accepted) == count


@pytest.mark.parametrize(
    ("rate", "workers", "count", "seed"),
    [(14, 8, 1_400, 1), (14, 40, 1_400, 2), (50, 30, 3_000, 3), (1_000, 400, 20_000, 4)],
)
def test_a_burst_takes_what_the_quota_allows_and_no_more(
    rate: int, workers: int, count: int, seed: int
) -> None:
    """Within 1.05 of count by quota, with no throttle and no second above the quota; seeds are in the parameters."""
    found = crowd(rate, seed=seed, workers=workers)
    found.run(messages(count), NOW + 2 * count // rate * SECOND, {})
    assert all_once(found, count)
    assert found.provider.violations == found.provider.throttles == 0
    assert found.provider.most_in_a_second <= rate
    assert took_s(found) <= 1.05 * count / rate


def test_parts_of_a_text_message_count_each() -> None:
    """Messages of three parts at 30 parts a second: ten messages a second."""
    found = crowd(30, seed=5, workers=12)
    found.run(messages(600, units=3), NOW + 100 * SECOND, {})
    assert all_once(found, 600)
    assert found.provider.violations == 0
    assert took_s(found) <= 1.05 * 60


@pytest.mark.parametrize("seed", range(3))
def test_a_provider_that_throttles_by_chance_is_not_believed(seed: int) -> None:
    """One call in a hundred is refused whatever the pace: 95 % of the quota goes all the same, each message once."""
    found = crowd(50, seed=seed, workers=30, chance=0.01)
    found.run(messages(3_000), NOW + 200 * SECOND, {})
    assert all_once(found, 3_000)
    assert found.provider.throttles > 0 == found.provider.violations
    assert 3_000 / took_s(found) >= 0.95 * 50


def test_a_provider_that_throttles_a_third_loses_nothing() -> None:
    """The pace goes down and everything still arrives, each message once, long after."""
    found = crowd(50, seed=7, workers=30, chance=0.3)
    found.run(messages(500), NOW + 3_600 * SECOND, {})
    assert all_once(found, 500)
    gauge = found.limiter.gauge(SES)
    assert gauge is not None
    assert gauge.cut_at is not None
    assert found.waits[Why.BACKING_OFF] > 0


def test_a_quota_that_is_stated_too_high_is_found_out() -> None:
    """The provider takes half of what it states: the pace backs off, and most of the half is used."""
    found = crowd(50, seed=8, workers=40)
    found.provider.rate = 25
    found.run(messages(2_500), NOW + 1_000 * SECOND, {})
    assert all_once(found, 2_500)
    # A cut to a half of what the provider takes and a slow way back: three quarters on average.
    assert took_s(found) <= 2_500 / 25 / 0.7
    assert found.provider.violations <= 0.1 * 2_500


@pytest.mark.parametrize(("before", "then"), [(20, 60), (60, 20)])
def test_a_quota_may_change_in_the_middle(before: int, then: int) -> None:
    """Once the new one is read, nobody sells by the old one; the whole takes no longer than both quotas allow."""
    found = crowd(before, seed=9, workers=40)
    change_at = NOW + 30 * SECOND

    def change() -> None:
        found.stated.quota = Quota(then * 1000)
        Pace(found.limiter, {SES: found.stated}).refresh(SES, found.now)

    def provider_changes() -> None:
        found.provider.rate = then

    # A lower quota binds the provider once its last second is over; a higher one holds when it is stated.
    lag = 1.3 * SECOND if then < before else -MS
    count = 30 * before + 30 * then
    found.run(
        messages(count),
        NOW + 200 * SECOND,
        {change_at: change, change_at + lag: provider_changes},
    )
    assert all_once(found, count)
    assert found.provider.violations == 0
    # 1.05 of what either quota takes, each for as long as it holds.
    assert took_s(found) <= 30 + (1.05 * count - 30 * before) / then


def test_a_worker_that_dies_with_permits_costs_its_slots_only() -> None:
    """Every permit from the 200th on for a while is never used: no second above the quota, nothing lost, nothing
    twice.
    """
    found = crowd(50, seed=10, workers=30, dies_at=lambda n: 200 <= n < 210)
    found.run(messages(3_000), NOW + 200 * SECOND, {})
    assert found.died == 10
    assert all_once(found, 3_000)
    assert found.provider.violations == found.provider.throttles == 0
    assert took_s(found) <= 1.05 * (3_000 + 10) / 50


def test_a_used_up_day_waits_and_alarms_and_goes_on() -> None:
    """250 due against 100 a day: 100 go, the rest waits with a reason that alarms, and goes when the day has room."""
    found = crowd(20, seed=11, workers=10)
    found.stated.quota = Quota(20_000, per_day=100)
    # What is due today may use all of it; these are not, and leave a tenth.
    found.run(messages(250), NOW + 60 * SECOND, {})
    assert sum(found.provider.accepted.values()) == 90
    assert found.waits[Why.DAILY_QUOTA] > 0
    assert Why.DAILY_QUOTA.alarms
    mind = Pace(found.limiter, {SES: found.stated})
    urgent = [mind.take(SES, "t1", found.now + n * SECOND, due_today=True) for n in range(12)]
    assert sum(isinstance(permit, Go) for permit in urgent) == 10
    assert urgent[-1] == pace.WaitUntil(NOW + pace.QUOTA_AGE, Why.DAILY_QUOTA)

    later = found.now + timedelta(hours=25)
    found.stated.quota = Quota(20_000, per_day=100)
    assert isinstance(mind.take(SES, "t1", later), Go), "the old statement is read anew"


def test_tenants_share_fairly_and_lend_what_they_do_not_use() -> None:
    """A greedy tenant of a tenth and a steady one of the rest: the steady one gets all it asks for, the rest is
    lent.
    """
    shares = {SES: Shares({"greedy": 1, "steady": 9}, others=0)}
    found = crowd(50, seed=12, workers=60, shares=shares)
    # Of every ten messages in the queue four are the steady one's, less than its share of nine.
    work = (Work(f"m{n}", "steady" if n % 10 < 4 else "greedy") for n in range(10**6))
    found.run(work, NOW + 60 * SECOND, {})
    taken = found.provider.by_tenant
    assert found.provider.violations == 0
    assert sum(taken.values()) >= 0.95 * 50 * 60, "what one leaves the other uses"
    assert taken["greedy"] >= 0.5 * 50 * 60, "far beyond its tenth"


@pytest.mark.parametrize("greedy_workers", [10, 40])
def test_who_is_within_its_share_never_waits_for_who_is_not(greedy_workers: int) -> None:
    """Every tenth of a second a tenant asks within its share, while a crowd asks without pause: it always gets a
    slot.
    """
    shares = {SES: Shares({"greedy": 1, "quiet": 1}, others=0)}
    found = crowd(50, seed=13, workers=greedy_workers, shares=shares)
    quiet = Pace(found.limiter, {SES: found.stated}, shares)
    answers: list[bool] = []

    def asks() -> None:
        answers.append(isinstance(quiet.take(SES, "quiet", found.now), Go))

    events = {NOW + SECOND + n * 100 * MS: asks for n in range(200)}
    found.run(messages(10**5, tenant="greedy"), NOW + 22 * SECOND, events)
    assert answers == [True] * 200
    assert found.provider.violations == 0
