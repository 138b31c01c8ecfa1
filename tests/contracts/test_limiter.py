"""The limiter: gauges change under their version, lanes sell as `core.pace.judge` says, whoever is first."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betimes.adapters.limiter import Lanes, gauge_fields, gauge_from
from betimes.core import pace
from betimes.core.errors import Stale
from betimes.core.pace import Ask, Full, Gauge, Lane, Own, Quota, Slot, Snag, Why
from betimes.core.values import replace
from betimes.lab.pacing import MemoryLimiter
from betimes.ports import Limiter
from tests.factories import NOW

SES = "ses"
US = pace.micros(NOW)
SECOND = 1_000_000
Make = Callable[[], Limiter]
_numbers = itertools.count()


class OneAtATime:
    """A client whose single calls are whole, as DynamoDB's are; moto checks and writes with no lock between them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            with self._lock:
                return getattr(self._client, operation)(**parameters)

        return call


def _lanes(client: Any, tables: Any) -> Make:
    return lambda: Lanes(client, tables._names["book"])


@pytest.fixture(params=["memory", "moto", "ministack"])
def workers(request: pytest.FixtureRequest) -> Make:
    """What makes one more worker's limiter; all of them share what they know."""
    if request.param == "memory":
        memory = MemoryLimiter()
        return lambda: memory
    tables = request.getfixturevalue(f"{request.param}_tables")
    client = request.getfixturevalue(f"{request.param}_client")
    return _lanes(OneAtATime(client) if request.param == "moto" else client, tables)


@pytest.fixture
def provider() -> str:
    """A provider of whom nothing is known, also where tables outlive one example."""
    return f"{SES}-{next(_numbers)}"


def ask(
    at_us: int = US,
    *,
    units: int = 1,
    rate: int = 10_000,
    share: str = "t1",
    own: int = 10_000,
    gear: int = 1,
    limited: bool = False,
    keep: int = 0,
) -> Ask:
    return Ask(
        at_us,
        units,
        pace.cost_us(units, rate),
        share,
        pace.cost_us(units, own) if own else 0,
        gear=gear,
        limited=limited,
        keep=keep,
    )


def test_a_lane_that_was_never_asked_sells_now(workers: Make, provider: str) -> None:
    """And the next slot a tenth of a second later, at ten a second, as far as the lead goes."""
    limiter = workers()
    answers = [limiter.take(provider, 0, ask()) for _ in range(4)]
    assert answers == [
        Slot(US, True, Own.RESTED),
        Slot(US + 100_000, False, Own.AHEAD),
        Slot(US + 200_000, False, Own.AHEAD),
        Full(US + 100_000),
    ]


def test_lanes_and_providers_are_apart(workers: Make, provider: str) -> None:
    """A slot of one is none of another's."""
    limiter = workers()
    for place in ((provider, 0), (provider, 1), (f"{provider}-b", 0)):
        assert limiter.take(*place, ask()) == Slot(US, True, Own.RESTED)


def test_who_is_beyond_its_share_leaves_room(workers: Make, provider: str) -> None:
    """A tenant with a tenth of the rate borrows, but only half of the lead; the other one finds room at once."""
    limiter = workers()
    small = [
        limiter.take(provider, 0, ask(rate=20_000, share="small", own=2_000)) for _ in range(4)
    ]
    assert small[:2] == [Slot(US, True, Own.RESTED), Slot(US + 50_000, False, Own.LENT)]
    assert small[2:] == [Slot(US + 100_000, False, Own.LENT), Full(US + 50_000)]
    other = limiter.take(provider, 0, ask(rate=20_000, share="other", own=18_000))
    assert other == Slot(US + 150_000, False, Own.RESTED)


def test_who_has_no_share_only_borrows(workers: Make, provider: str) -> None:
    """Also after others who have one, and where nothing else is sold."""
    limiter = workers()
    assert limiter.take(provider, 0, ask(share="a")) == Slot(US, True, Own.RESTED)
    assert limiter.take(provider, 0, ask(share="b", own=0)) == Slot(US + 100_000, False, Own.LENT)
    assert limiter.take(provider, 0, ask(share="b", own=0)) == Full(US + 100_000)
    assert limiter.take(provider, 0, ask(share="a")) == Slot(US + 200_000, False, Own.AHEAD)


def test_an_old_gear_sells_nothing(workers: Make, provider: str) -> None:
    """Neither once another worker has sold by a newer one, nor once the lane was told of it."""
    old, new = workers(), workers()
    assert isinstance(new.take(provider, 0, ask(gear=3)), Slot)
    assert old.take(provider, 0, ask(US + SECOND, gear=2)) is Snag.OUTDATED
    new.fill(provider, 0, gear=5, left=None)
    assert old.take(provider, 0, ask(US + SECOND, gear=4)) is Snag.OUTDATED
    assert isinstance(old.take(provider, 0, ask(US + SECOND, gear=5)), Slot)


def test_what_is_left_for_the_day_is_sold_and_no_more(workers: Make, provider: str) -> None:
    """To the last unit, with what is kept for others left over; a lane that was never told sells nothing."""
    limiter = workers()
    assert limiter.take(provider, 0, ask(limited=True)) is Snag.UNFILLED
    limiter.fill(provider, 0, gear=1, left=3)
    later = (US + n * SECOND for n in itertools.count(1))
    assert isinstance(limiter.take(provider, 0, ask(next(later), limited=True, keep=1)), Slot)
    assert limiter.take(provider, 0, ask(next(later), units=2, limited=True, keep=1)) is Snag.SPENT
    assert isinstance(limiter.take(provider, 0, ask(next(later), units=2, limited=True)), Slot)
    assert limiter.take(provider, 0, ask(next(later), limited=True)) is Snag.SPENT


def test_a_lane_is_filled_once_for_each_gear(workers: Make, provider: str) -> None:
    """What was sold since stays sold when the same statement, or an older one, is told again."""
    limiter = workers()
    limiter.fill(provider, 0, gear=2, left=1)
    assert isinstance(limiter.take(provider, 0, ask(limited=True, gear=2)), Slot)
    limiter.fill(provider, 0, gear=2, left=1)
    limiter.fill(provider, 0, gear=1, left=9)
    # A cut of the rate is a higher gear and no statement.
    limiter.fill(provider, 0, gear=3, left=None)
    assert limiter.take(provider, 0, ask(US + SECOND, limited=True, gear=3)) is Snag.SPENT
    limiter.fill(provider, 0, gear=4, left=1)
    assert isinstance(limiter.take(provider, 0, ask(US + SECOND, limited=True, gear=4)), Slot)


def test_a_gauge_is_changed_by_one(workers: Make, provider: str) -> None:
    """Of two who saw the same version one is first; nobody opens a gauge twice."""
    one, two = workers(), workers()
    assert one.gauge(provider) is None
    first = pace.opened(Quota(14_000, 50_000, 7), NOW)
    one.save(provider, first)
    with pytest.raises(Stale):
        two.save(provider, first)
    assert two.gauge(provider) == first
    two.save(provider, pace.exhausted(first, NOW, Why.DAILY_QUOTA))
    with pytest.raises(Stale):
        one.save(provider, pace.throttled(first, NOW))
    kept = one.gauge(provider)
    assert kept is not None
    assert kept.pause_at(NOW) == pace.WaitUntil(NOW + pace.PROBE, Why.DAILY_QUOTA)


instants = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2099, 1, 1)).map(
    lambda at: at.replace(tzinfo=NOW.tzinfo)
)
numbers = st.integers(0, 10**9)
gauges = st.builds(
    Gauge,
    quota=st.builds(Quota, numbers, numbers, numbers, st.booleans(), numbers),
    rate=numbers,
    changed_at=instants,
    read_at=instants,
    asked_at=instants,
    throttles=numbers,
    counted_from=st.none() | instants,
    cut_at=st.none() | instants,
    paused_until=st.none() | instants,
    why=st.none() | st.sampled_from(Why),
    version=numbers,
    gear=numbers,
)


@given(gauges)
def test_a_gauge_comes_back_as_it_was_kept(gauge: Gauge) -> None:
    """Every field, whatever it holds."""
    assert gauge_from(gauge_fields(gauge)) == gauge


questions = st.lists(
    st.tuples(
        st.integers(0, 2),  # which worker, each with a clock of its own error
        st.sampled_from(["t1", "t2", "t3"]),
        st.integers(1, 3),
        st.sampled_from([4_000, 10_000, 30_000]),
        st.integers(0, 400_000),
    ),
    max_size=30,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(questions=questions, skews=st.tuples(*[st.integers(-300_000, 300_000)] * 3))
def test_every_lane_answers_as_it_is_judged(
    workers: Make, questions: list[tuple[int, str, int, int, int]], skews: tuple[int, ...]
) -> None:
    """The same questions in the same order have the answers of the pure function, also under clocks that are wrong."""
    place = f"{SES}-{next(_numbers)}"
    limiters = [workers() for _ in skews]
    lane, shares, at = Lane(), dict.fromkeys(("t1", "t2", "t3"), 0), US
    for worker, share, units, rate, passed in questions:
        at += passed
        asked = ask(at + skews[worker], units=units, rate=rate, share=share, own=rate // 3)
        held = replace(lane, share_us=shares[share])
        expected = pace.judge(held, asked)
        assert limiters[worker].take(place, 0, asked) == expected
        if isinstance(expected, Slot):
            lane = pace.after(held, asked, expected)
            shares[share] = lane.share_us


def test_threads_never_get_more_than_the_rate(workers: Make, provider: str) -> None:
    """Six workers that crowd at one lane: no slot is sold twice, they lie a cost apart, and none beyond the lead."""
    steps, cost = 12, pace.cost_us(1, 20_000)
    slots: list[list[int]] = [[] for _ in range(6)]
    barrier = threading.Barrier(6)

    def work(mine: list[int], limiter: Limiter) -> None:
        for step in range(steps):
            barrier.wait(30)
            answer = limiter.take(provider, 0, ask(US + step * 100_000, rate=20_000, own=20_000))
            if isinstance(answer, Slot):
                mine.append(answer.at_us)

    threads = [threading.Thread(target=work, args=(mine, workers())) for mine in slots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sold = sorted(at for mine in slots for at in mine)
    assert all(later - earlier >= cost for earlier, later in itertools.pairwise(sold))
    end = (steps - 1) * 100_000 + pace.LEAD_US
    assert sold == [US + n * cost for n in range(end // cost + 1)], "and none of them is lost"
    assert timedelta(microseconds=end) < timedelta(seconds=2)
