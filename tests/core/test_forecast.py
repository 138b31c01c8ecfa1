"""The forecast against a plain simulation, message by message, and what it says of a day that is too full."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from betimes.core.forecast import SLOT, Planned, forecast

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
SECONDS = SLOT // timedelta(seconds=1)


def of(*waves: tuple[int, int, int]) -> Planned:
    """Return what is planned: (first slot, useless from slot, messages), in slots from noon."""
    planned = Planned()
    for first, last, count in waves:
        planned.add(NOON + first * SLOT, NOON + last * SLOT, count)
    return planned


def by_hand(waves: list[tuple[int, int, int]], room: int) -> int:
    """Return how many of the messages are late, sent one by one: `room` in a slot, the most urgent first."""
    left = [(last, first) for first, last, count in waves for _ in range(count)]
    slot = late = 0
    while left:
        gone = [each for each in left if each[0] <= slot and each[1] < each[0]]
        late += len(gone)
        left = [each for each in left if each not in gone]
        for each in sorted(each for each in left if each[1] <= slot)[:room]:
            left.remove(each)
        slot += 1
    return late


def test_what_fits_is_done_in_the_time_it_takes() -> None:
    """600 messages at one a second take ten minutes: two slots."""
    found = forecast(of((0, 100, 600)), rate=1000)
    assert (found.planned, found.late, found.late_from) == (600, 0, None)
    assert found.done_at == NOON + 2 * SLOT
    assert found.longest_s == SECONDS


def test_what_does_not_fit_is_counted_with_its_instant() -> None:
    """Of 1,000 messages with two slots of time 600 go."""
    found = forecast(of((0, 2, 1000)), rate=1000)
    assert (found.late, found.late_from) == (400, NOON + 2 * SLOT)


def test_the_most_urgent_goes_first() -> None:
    """What has all day waits for what has not."""
    assert forecast(of((0, 100, 300), (0, 1, 300)), rate=1000).late == 0


def test_a_used_up_day_leaves_the_rest_behind() -> None:
    """The provider takes 500 more; nobody can say when the rest goes."""
    found = forecast(of((0, 100, 600), (50, 100, 50)), rate=10_000, left=500)
    assert found.late == 150


def test_without_a_known_rate_everything_goes_at_once() -> None:
    """No figure is no limit."""
    found = forecast(of((0, 1, 10**6)), rate=0)
    assert (found.late, found.longest_s) == (0, 0)


def test_nothing_planned_is_nothing_to_do() -> None:
    """And no day to divide by."""
    found = forecast(Planned(), rate=1000)
    assert (found.planned, found.late, found.done_at) == (0, 0, None)


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 8), st.integers(1, 9)).map(
            lambda wave: (wave[0], wave[0] + wave[1], wave[2])
        ),
        max_size=6,
    ),
    st.sampled_from((10, 20)),
)
def test_it_says_what_a_simulation_says(waves: list[tuple[int, int, int]], rate: int) -> None:
    """Taken together or one by one: as many are late. The rates give a slot a whole number of messages."""
    assert forecast(of(*waves), rate=rate).late == by_hand(waves, rate * SECONDS // 1000)
