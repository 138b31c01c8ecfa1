"""Pace and spend in memory: the same answers as on DynamoDB, one at a time."""

from __future__ import annotations

import threading
from datetime import datetime

from betimes.core import pace
from betimes.core.errors import Stale
from betimes.core.pace import Ask, Gauge, Lane, Quota, Slot, Verdict
from betimes.core.spend import Day, Spent
from betimes.core.values import replace
from betimes.lab.world import VirtualClock


class MemoryLimiter:
    """See `ports.Limiter`."""

    def __init__(self) -> None:
        self._gauges: dict[str, Gauge] = {}
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._shares: dict[tuple[str, int, str], int] = {}
        self._filled: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def gauge(self, provider: str) -> Gauge | None:
        """See `ports.Limiter.gauge`."""
        return self._gauges.get(provider)

    def save(self, provider: str, gauge: Gauge) -> None:
        """See `ports.Limiter.save`."""
        with self._lock:
            stored = self._gauges.get(provider)
            if gauge.version != (stored.version if stored else 0) + 1:
                raise Stale
            self._gauges[provider] = gauge

    def take(self, provider: str, lane: int, ask: Ask) -> Verdict:
        """See `ports.Limiter.take`."""
        place, share = (provider, lane), (provider, lane, ask.share)
        with self._lock:
            shared = self._lanes.get(place, Lane())
            held = replace(shared, share_us=self._shares.get(share, 0))
            verdict = pace.judge(held, ask)
            if isinstance(verdict, Slot):
                sold = pace.after(held, ask, verdict)
                self._lanes[place] = sold
                self._shares[share] = sold.share_us
        return verdict

    def fill(self, provider: str, lane: int, *, gear: int, left: int | None) -> None:
        """See `ports.Limiter.fill`."""
        place = (provider, lane)
        with self._lock:
            held = self._lanes.get(place, Lane())
            if left is not None and self._filled.get(place, 0) < gear:
                self._filled[place] = gear
                held = replace(held, left=left)
            self._lanes[place] = replace(held, gear=max(held.gear, gear))


class MemorySpend:
    """See `ports.Spend`."""

    def __init__(self) -> None:
        self._days: dict[Day, dict[str, tuple[int, bool]]] = {}
        self._lock = threading.Lock()

    def spent(self, day: Day) -> Spent:
        """See `ports.Spend.spent`."""
        entries = [each for each in self._days.get(day, {}).values() if each[0]]
        return Spent(
            sum(micro for micro, _ in entries),
            len(entries),
            sum(1 for _, is_true in entries if is_true),
        )

    def estimate(self, day: Day, key: str, micro: int, *, limit: int) -> bool:
        """See `ports.Spend.estimate`."""
        with self._lock:
            entries = self._days.setdefault(day, {})
            if entries.get(key, (0, False))[0]:
                return True
            if limit and self.spent(day).micro + micro > limit:
                return False
            entries[key] = (micro, False)
            return True

    def true_up(self, day: Day, key: str, micro: int) -> bool:
        """See `ports.Spend.true_up`."""
        with self._lock:
            entries = self._days.get(day, {})
            if key not in entries:
                return False
            entries[key] = (micro, True)
            return True


class StatedQuota:
    """A provider that states what it is told to state (`ports.Quotas`)."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.reads = 0

    def read(self) -> Quota:
        """See `ports.Quotas.read`."""
        self.reads += 1
        return self.quota


class VirtualPatience:
    """Waiting that moves a virtual clock (`ports.Patience`)."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def wait(self, until: datetime) -> None:
        """See `ports.Patience.wait`."""
        self._clock.advance(until)
