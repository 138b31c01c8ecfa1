"""Pacing: whether the next message may go to its provider now, and what follows from the provider's answer.

Asked after the message is rendered, when its parts are known, and before it is claimed: who has to wait has claimed
nothing, so waiting spends no attempt and no retry. `clear` stands still for as long as a worker may be asked to; what
takes longer is put back into the queue until the instant given.

Whoever is cleared claims, waits for nothing more, calls, and hands the answer to `heard`. A worker that dies in between
leaves a slot unused and an estimate that nobody corrects; neither lets too much through.

Source: docs/decisions/0019-pace-and-spend.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date, datetime, timedelta
from typing import Final

from betimes.core import pace
from betimes.core.errors import Stale, Unavailable
from betimes.core.pace import (
    ALONE,
    Ask,
    Full,
    Gauge,
    Go,
    Permit,
    Shares,
    Slot,
    Snag,
    WaitUntil,
    Why,
)
from betimes.core.spend import Day, Prices
from betimes.core.values import dataclass
from betimes.ports import (
    Answer,
    Clock,
    Limiter,
    Patience,
    Quotas,
    Refused,
    Spend,
)

# Questions to lanes for one permit; reaching it is an answer too: wait.
MAX_TRIES: Final = 6
# Writers of one gauge who may be first before a report of a throttle is left to the others, who saw one too.
MAX_SAVES: Final = 5
# A gauge is used without looking for so long; its lanes refuse it earlier where it has changed (`Snag.OUTDATED`).
KNOWN_FOR: Final = timedelta(seconds=5)
# The longest that a worker stands still for one message: longer than a lead, shorter than a queue's shortest delay.
STANDS: Final = timedelta(seconds=2)
MAX_STANDS: Final = 8
SOON: Final = timedelta(seconds=1)

# Codes of refusals that are the same for all providers, and what they say of its pace (`adapters.send_failures`).
EXHAUSTED: Final[Mapping[str, Why]] = {
    "daily_quota": Why.DAILY_QUOTA,
    "spend_limit": Why.SPEND_LIMIT,
}


@dataclass
class Pace:
    """Permits of every provider, from what all workers know together and what this one remembers of it.

    `quotas` says where each provider's quota is read; a provider that is not in it has no pace, and everything may go.
    Not to be shared by threads; any number of workers, each with its own, keep one pace.
    """

    limiter: Limiter
    quotas: Mapping[str, Quotas]
    shares: Mapping[str, Shares] = field(default_factory=dict)
    _known: dict[str, tuple[Gauge, datetime]] = field(default_factory=dict)

    def take(
        self,
        provider: str,
        tenant: str,
        now: datetime,
        *,
        units: int = 1,
        key: str = "",
        due_today: bool = False,
    ) -> Permit:
        """Return when to send `units` to the provider, or until when to wait with nothing spent.

        `key` spreads over lanes where the rate needs several; any text that differs between messages will do. What is
        `due_today` may use all that is left of the quota of the day, the rest leaves a part of it.

        Raises:
            Unavailable: the limiter, or a quota that was never read, is out of reach: nothing may go.
        """
        if provider not in self.quotas:
            return Go(now)
        gauge = self.gauge(provider, now)
        step = 0
        earliest: int | None = None
        for _ in range(MAX_TRIES):
            if (paused := gauge.pause_at(now)) is not None:
                return paused
            lane = pace.lane_of(key, gauge.lanes, step=step)
            ask = self._ask(provider, gauge, tenant, now, units, due_today)
            match self.limiter.take(provider, lane, ask):
                case Slot(at_us):
                    return Go(max(now, pace.instant(at_us)))
                case Full(until_us):
                    earliest = until_us if earliest is None else min(earliest, until_us)
                    step += 1
                    # One more lane may have room where there are several.
                    if step >= min(2, gauge.lanes):
                        return WaitUntil(pace.instant(earliest), _why(gauge, now))
                case Snag.SPENT:
                    again = max(gauge.read_at + pace.QUOTA_AGE, now + SOON)
                    return WaitUntil(again, Why.DAILY_QUOTA)
                case Snag.UNFILLED:
                    self._fill(provider, gauge, gauge.quota.left)
                case Snag.OUTDATED:
                    gauge = self._read(provider, now)
        return WaitUntil(now + SOON, Why.RATE)

    def gauge(self, provider: str, now: datetime) -> Gauge:
        """Return what is known of a provider's pace, its quota read (again) where that is due.

        Raises:
            Unavailable: the limiter, or a quota that was never read, is out of reach.
        """
        known = self._known.get(provider)
        gauge = known[0] if known and now - known[1] < KNOWN_FOR else self._read(provider, now)
        if not gauge.is_old(now):
            return gauge
        try:
            # One of all workers reads; the others go on with what they have.
            self.limiter.save(provider, pace.asking(gauge, now))
        except Stale:
            return self._read(provider, now)
        try:
            return self.refresh(provider, now)
        except Unavailable:
            return self._read(provider, now)

    def refresh(self, provider: str, now: datetime) -> Gauge:
        """Read the provider's quota now, keep it, and return what is known then.

        Raises:
            Unavailable: the provider or the limiter is out of reach; nothing is changed.
        """
        quota = self.quotas[provider].read()
        return self._change(
            provider, now, lambda seen: pace.told(seen, quota, now), left=quota.left
        )

    def throttled(self, provider: str, now: datetime, *, retry_after_s: int = 0) -> Gauge:
        """Note that the provider has answered "too fast", and return what is known then.

        Raises:
            Unavailable: the limiter is out of reach.
        """
        return self._change(
            provider, now, lambda seen: pace.throttled(seen, now, retry_after_s=retry_after_s)
        )

    def exhausted(self, provider: str, now: datetime, why: Why) -> Gauge:
        """Note that the provider's quota of a day or of money is used up, and return what is known then: a pause.

        Raises:
            Unavailable: the limiter is out of reach.
        """
        return self._change(provider, now, lambda seen: pace.exhausted(seen, now, why))

    def _ask(
        self, provider: str, gauge: Gauge, tenant: str, now: datetime, units: int, due_today: bool
    ) -> Ask:
        rate = max(1, gauge.rate_at(now) // gauge.lanes)
        shares = self.shares.get(provider, ALONE)
        own = shares.rate(tenant, rate)
        kept = 0 if due_today else gauge.quota.per_day * pace.KEPT_PERMILLE // 1000
        return Ask(
            pace.micros(now),
            units,
            pace.cost_us(units, rate),
            shares.key(tenant),
            pace.cost_us(units, own) if own else 0,
            gear=gauge.gear,
            limited=gauge.quota.per_day > 0,
            keep=kept // gauge.lanes,
        )

    def _read(self, provider: str, now: datetime) -> Gauge:
        """Return the gauge as it is stored; the first of all workers opens it."""
        gauge = self.limiter.gauge(provider)
        if gauge is None:
            quota = self.quotas[provider].read()
            gauge = pace.opened(quota, now)
            try:
                self.limiter.save(provider, gauge)
            except Stale:
                gauge = self.limiter.gauge(provider)
                assert gauge is not None, "somebody else has opened it"
            else:
                self._fill(provider, gauge, quota.left)
        self._known[provider] = (gauge, now)
        return gauge

    def _change(
        self,
        provider: str,
        now: datetime,
        change: Callable[[Gauge], Gauge],
        *,
        left: int | None = None,
    ) -> Gauge:
        """Change the stored gauge and tell its lanes; return it as it is then."""
        gauge = self._read(provider, now)
        for _ in range(MAX_SAVES):
            moved = change(gauge)
            if moved == gauge:
                return gauge
            try:
                self.limiter.save(provider, moved)
            except Stale:
                gauge = self._read(provider, now)
                continue
            self._known[provider] = (moved, now)
            if moved.gear > gauge.gear:
                self._fill(provider, moved, left)
            return moved
        return gauge

    def _fill(self, provider: str, gauge: Gauge, left: int | None) -> None:
        limited = gauge.quota.per_day > 0 and left is not None
        for lane in range(gauge.lanes):
            part = (left or 0) // gauge.lanes if limited else None
            self.limiter.fill(provider, lane, gear=gauge.gear, left=part)


def _why(gauge: Gauge, now: datetime) -> Why:
    return Why.RATE if gauge.rate_at(now) >= gauge.ceiling else Why.BACKING_OFF


def paced_by(channel: str, provider: str) -> str:
    """Return the name under which the pace of a provider on a channel is kept."""
    return f"{channel}:{provider}"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A rendered message as far as its pace and price go: `units` are parts of a text message, 1 of anything else.

    `key` tells one attempt at one contact from all others and is an id; `today` is the tenant's civil date.
    """

    provider: str
    tenant: str
    channel: str
    country: str
    key: str
    units: int
    today: date
    due_today: bool = False

    @property
    def paced_by(self) -> str:
        """Whose pace binds it: one account may have one for text messages and another for push."""
        return paced_by(self.channel, self.provider)


@dataclass(frozen=True, slots=True)
class Cleared:
    """The message may go now. `estimated` is what was counted for it, None where nobody has a price; `warns` that the
    tenant's spending on the channel is near its limit.
    """

    parcel: Parcel
    estimated: Day | None = None
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The message waits until `until` (UTC) with nothing spent: no attempt, no retry, no slot."""

    until: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Pacing:
    """The flow with what it needs. `limits` are of a day, in millionths of the price's currency, by tenant and channel;
    none without an entry.
    """

    pace: Pace
    spend: Spend
    prices: Prices
    clock: Clock
    patience: Patience
    limits: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def clear(self, parcel: Parcel, *, not_after: datetime, next_day: datetime) -> Cleared | Held:
        """Return whether the message may go now, having stood still for as long as a worker may.

        Never stands beyond `not_after`, when the message has become useless: it is Held then, and whoever asks next
        finds it expired. A tenant's budget that is used up waits for `next_day`, the first instant of the tenant's next
        civil day.

        Raises:
            Unavailable: limiter, ledger or a quota that was never read is out of reach: nothing may go, nothing has.
        """
        held = self._stand(parcel, not_after)
        if held is not None:
            return held
        # Last, so that only what goes is counted. A slot that the budget leaves unused is lost, once a day.
        day = self._estimated(parcel)
        if isinstance(day, Why):
            return Held(next_day, day)
        return Cleared(parcel, day, day is not None and self._warns(parcel, day))

    def heard(self, cleared: Cleared, answer: Answer) -> WaitUntil | None:
        """Take the provider's answer into account; return until when the same message should wait, None where its pace
        does not say so.

        What was surely not sent costs nothing. What is unknown stays counted until an event of the provider settles it.

        Raises:
            Unavailable: limiter or ledger is out of reach. The outcome of the message is not in question.
        """
        parcel, now = cleared.parcel, self.clock.now()
        if isinstance(answer, Refused):
            self._given_back(parcel, cleared.estimated)
            if answer.code in EXHAUSTED:
                return self._exhausted(parcel.paced_by, now, EXHAUSTED[answer.code])
            if answer.throttled:
                return self._throttled(parcel.paced_by, now, answer.retry_after_s)
        return None

    def unsent(self, cleared: Cleared) -> None:
        """Take back what was counted for a message that was cleared and then not sent.

        Raises:
            Unavailable: the ledger is out of reach.
        """
        self._given_back(cleared.parcel, cleared.estimated)

    def cost(self, day: Day, key: str, micro: int) -> bool:
        """Replace the estimate for `key` by what the provider says it has cost; see `ports.Spend.true_up`."""
        return self.spend.true_up(day, key, micro)

    def _stand(self, parcel: Parcel, not_after: datetime) -> Held | None:
        """Wait for a slot and for its instant; return None then, or why a worker should not wait so long."""
        began = self.clock.now()
        now = began
        for _ in range(MAX_STANDS):
            permit = self.pace.take(
                parcel.paced_by,
                parcel.tenant,
                now,
                units=parcel.units,
                key=parcel.key,
                due_today=parcel.due_today,
            )
            if permit.at >= not_after:
                return Held(permit.at, permit.why if isinstance(permit, WaitUntil) else Why.RATE)
            if isinstance(permit, Go):
                self.patience.wait(permit.at)
                return None
            if permit.why.alarms or permit.at - began > STANDS:
                return Held(permit.at, permit.why)
            self.patience.wait(permit.at)
            now = self.clock.now()
        return Held(now + SOON, Why.RATE)

    def _estimated(self, parcel: Parcel) -> Day | Why | None:
        price = self.prices.of(parcel.provider, parcel.channel, parcel.country)
        if price is None:
            return None
        day = Day(parcel.tenant, parcel.channel, price.currency, parcel.today)
        limit = self.limits.get((parcel.tenant, parcel.channel), 0)
        counted = self.spend.estimate(day, parcel.key, parcel.units * price.micro, limit=limit)
        return day if counted else Why.BUDGET

    def _warns(self, parcel: Parcel, day: Day) -> bool:
        limit = self.limits.get((parcel.tenant, parcel.channel), 0)
        return limit > 0 and self.spend.spent(day).is_warned(limit)

    def _given_back(self, parcel: Parcel, day: Day | None) -> None:
        if day is not None:
            self.spend.true_up(day, parcel.key, 0)

    def _exhausted(self, provider: str, now: datetime, why: Why) -> WaitUntil:
        if provider not in self.pace.quotas:
            return WaitUntil(now + pace.PROBE, why)
        gauge = self.pace.exhausted(provider, now, why)
        return gauge.pause_at(now) or WaitUntil(now + SOON, why)

    def _throttled(self, provider: str, now: datetime, retry_after_s: int) -> WaitUntil:
        again = now + max(SOON, timedelta(seconds=retry_after_s))
        if provider in self.pace.quotas:
            gauge = self.pace.throttled(provider, now, retry_after_s=retry_after_s)
            paused = gauge.pause_at(now)
            again = max(again, paused.at) if paused else again
        return WaitUntil(again, Why.BACKING_OFF)
