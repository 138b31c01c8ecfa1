"""Forecast: whether what is planned for a provider can go out while it is still of use.

Messages are taken together in slots of time, by when they may first go and by when they have to be gone. Each slot
sends as much as the provider's rate allows, first what has to be gone first, which leaves the fewest behind (earliest
deadline first). What is late in the forecast will wait, and expire with the reason `provider_busy` unless somebody
asks the provider for more, moves a step or gives it another channel.

Source: Liu and Layland 1973 (earliest deadline first).
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from betimes.core.values import dataclass

SLOT: Final = timedelta(minutes=5)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Planned:
    """What is planned for one provider: how many messages by slots of when they may first go and when they are useless.

    A message is counted in the slot in which it may first go, and as useless from the beginning of the slot in which it
    becomes so: the forecast errs on the early side by less than a slot.
    """

    def __init__(self) -> None:
        self._waves: Counter[tuple[int, int]] = Counter()

    def add(self, at: datetime, not_after: datetime, count: int = 1) -> None:
        """Count messages that may go from `at` on and before `not_after`."""
        self._waves[_slot(at), _slot(not_after)] += count

    def __len__(self) -> int:
        """How many messages are planned."""
        return self._waves.total()

    def update(self, other: Planned) -> None:
        """Add all that another one has counted."""
        self._waves.update(other._waves)

    def waves(self) -> list[tuple[int, int, int]]:
        """Return (first slot, useless from slot, messages), in order of the first slot."""
        return sorted((first, last, count) for (first, last), count in self._waves.items())


@dataclass(frozen=True, slots=True)
class Forecast:
    """How it will go: of the messages `planned`, `late` cannot go in time, the first of them useless at `late_from`.

    `done_at` is when the last one has gone, None where there is none; `longest_s` the longest that one of them waits,
    in seconds.
    """

    planned: int
    late: int
    done_at: datetime | None
    longest_s: int
    late_from: datetime | None = None


def forecast(planned: Planned, *, rate: int, left: int | None = None) -> Forecast:
    """Return how it will go at `rate` messages in 1,000 seconds, 0 for no limit that is known; `left` is how many the
    provider still takes in these hours, None for as many as come.
    """
    waves = planned.waves()
    waiting: list[tuple[int, int, int]] = []
    done, late, longest = -1, 0, 0
    first_late: int | None = None
    credit = 0
    now = waves[0][0] if waves else 0
    seconds = SLOT // timedelta(seconds=1)
    taken = 0
    while taken < len(waves) or waiting:
        while taken < len(waves) and waves[taken][0] <= now:
            first, last, count = waves[taken]
            heappush(waiting, (last, first, count))
            taken += 1
        # Thousandths of messages; what a slot leaves unused is lost, but for less than one.
        credit = credit % 1000 + rate * seconds if rate else 0
        while waiting:
            last, first, count = heappop(waiting)
            if last <= now and first < last:
                late += count
                first_late = last if first_late is None else min(first_late, last)
                continue
            room = count if not rate else credit // 1000
            going = min(count, room, count if left is None else left)
            if going:
                credit -= 1000 * going
                left = None if left is None else left - going
                done, longest = now, max(longest, now - first)
            if going < count:
                heappush(waiting, (last, first, count - going))
                break
        if left == 0:
            for last, _, count in (*waiting, *((w[1], w[0], w[2]) for w in waves[taken:])):
                late += count
                first_late = last if first_late is None else min(first_late, last)
            break
        now = waves[taken][0] if not waiting and taken < len(waves) else now + 1
    return Forecast(
        len(planned),
        late,
        _instant(done + 1) if done >= 0 else None,
        longest * seconds,
        _instant(first_late) if first_late is not None else None,
    )


def _slot(at: datetime) -> int:
    return (at - _EPOCH) // SLOT


def _instant(slot: int) -> datetime:
    return _EPOCH + slot * SLOT
