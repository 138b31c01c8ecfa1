"""Pace: how fast a provider may be asked, who may ask next, and what follows when it says "too fast".

Theory
------
Two values. A *lane* sells instants: `tat_us` is the instant up to which all capacity is sold (the generic cell rate
algorithm, its theoretical arrival time). Whoever takes a slot is told when to send, so slots lie evenly and no second
holds more than its share, however the workers crowd. A slot is sold at most `lead_us` ahead, the longest that anybody
is asked to stand and wait; beyond that one is told when to ask again, and nothing is spent.

Each tenant has such an instant of its own in the lane, running at its share of the rate. Who is within that share may
take slots up to the whole lead ahead, who is beyond it only up to a part of it. So an unused share is lent, and whoever
it belongs to finds room at once: the far end of the lead is kept for those within their shares, whose rates together
are the rate of the lane.

A *gauge* is what is known of the provider: the quota it states, the rate in use, whether it is paused. Throttles beyond
what chance explains halve the rate, and time gives it back a little a second (additive increase, multiplicative
decrease). The increase follows from the clock, so nothing is written for it. Each change of rate puts the gauge into a
higher gear; a lane refuses whoever comes with an older gear than it has seen, so nobody sells at a rate that is over.

Everything is whole microseconds since 1970 and whole units: recipients of an e-mail, parts of a text message. Rates are
units per 1,000 seconds, so that 0.5 a second is a rate. Costs are rounded up: what is sold is never more than the rate.

Source: ITU-T I.371, annex A (GCRA); Chiu and Jain 1989 (additive increase, multiplicative decrease).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

from betimes.core.values import dataclass, replace

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
MILLION: Final = 1_000_000
# Microseconds in the 1,000 seconds that a rate counts units of.
_PER_RATE: Final = 1_000 * MILLION

# How far ahead a slot is sold, and how much of that to those who are beyond their share.
LEAD_US: Final = 200_000
LENT_LEAD_US: Final = LEAD_US // 2
# Of the quota, in thousandths: calls leave evenly and arrive up to 30 ms apart from that, so a second may see 3 % more.
IN_USE_PERMILLE: Final = 970
# The rate never falls below this part of the quota: a provider that is back is found so.
FLOOR_PERMILLE: Final = 50
# Given back of the quota each second.
RISE_PERMILLE: Final = 10
# Throttles are counted for so long; so many, or that part of what was sold meanwhile, is chance and changes nothing.
COUNTED: Final = timedelta(seconds=10)
CHANCE: Final = 3
CHANCE_PERMILLE: Final = 50
# Throttles that come so soon after a cut belong to calls made before it.
SETTLING: Final = timedelta(seconds=2)
# A used-up quota of a day or of money is tried again after this; where the provider can be asked, it is asked before.
PROBE: Final = timedelta(hours=1)
# A quota is read anew when it is older than this; a gauge is known for so long without looking.
QUOTA_AGE: Final = timedelta(minutes=5)
# One item of the database takes some 500 writes a second. Beyond that the rate is split over lanes.
LANE_RATE: Final = 400_000
# Of the quota of a day, in thousandths: kept for what is due today.
KEPT_PERMILLE: Final = 100
# The share of all tenants that have none of their own.
OTHERS: Final = "@others"


class Why(StrEnum):
    """Why something has to wait for its pace."""

    RATE = "rate"
    BACKING_OFF = "backing_off"
    DAILY_QUOTA = "daily_quota"
    SPEND_LIMIT = "spend_limit"
    CLOSED = "closed"
    BUDGET = "budget"

    @property
    def alarms(self) -> bool:
        """Whether a person must know: time alone does not mend it within the hour."""
        return self not in (Why.RATE, Why.BACKING_OFF)


@dataclass(frozen=True, slots=True)
class Go:
    """Send at `at` (UTC), which lies at most the lead after the instant that was asked at. Whoever does not send lets
    the slot pass unused; it need not be given back.
    """

    at: datetime


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing was sold: ask again at `at` (UTC) or later."""

    at: datetime
    why: Why


Permit = Go | WaitUntil


def micros(at: datetime) -> int:
    """Return an instant as whole microseconds since 1970-01-01T00:00Z."""
    return (at - _EPOCH) // _TICK


def instant(us: int) -> datetime:
    """Return the instant (UTC) that `micros` gave `us` for."""
    return _EPOCH + us * _TICK


def cost_us(units: int, rate: int) -> int:
    """Return how many microseconds of a `rate` (units per 1,000 s, at least 1) `units` take, rounded up."""
    assert units > 0 < rate, "something is sold, at some rate"
    return -(-units * _PER_RATE // rate)


# Lanes


@dataclass(frozen=True, slots=True)
class Shares:
    """How tenants divide a provider: whole weights above 0 by tenant; all that are not named share the weight `others`.

    `others` may be 0 where every tenant is named: one that is not then only borrows.
    """

    weights: Mapping[str, int] = field(default_factory=dict)
    others: int = 1

    def key(self, tenant: str) -> str:
        """Return the name of the share that a tenant draws from."""
        return tenant if tenant in self.weights else OTHERS

    def rate(self, tenant: str, rate: int) -> int:
        """Return the part of a `rate` that the tenant's share has; 0 for one that only borrows."""
        weight = self.weights.get(tenant, self.others)
        return rate * weight // (sum(self.weights.values()) + self.others)


ALONE: Final = Shares()


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a lane at `now_us`, all that its answer depends on.

    `cost_us` is what the units take of the lane, `share_cost_us` what they take of the share `share`, 0 where that has
    no rate of its own. `gear` is the version of the gauge they follow from. `limited` says that the lane holds how many
    units are left for the day, of which `keep` are not for this one.
    """

    now_us: int
    units: int
    cost_us: int
    share: str
    share_cost_us: int
    gear: int = 0
    limited: bool = False
    keep: int = 0
    lead_us: int = LEAD_US
    lent_lead_us: int = LENT_LEAD_US


@dataclass(frozen=True, slots=True)
class Lane:
    """What a lane holds: sold up to `tat_us`, the asking share up to `share_us`; `left` of the day, None where it was
    never filled; the highest gear it has seen.
    """

    tat_us: int = 0
    share_us: int = 0
    left: int | None = None
    gear: int = 0


class Own(Enum):
    """How a slot stands to the share of its tenant."""

    RESTED = "the share had nothing sold ahead"
    AHEAD = "the share had something sold ahead, within the lead"
    LENT = "the share is used up: the slot is lent and not counted"


@dataclass(frozen=True, slots=True)
class Slot:
    """A lane's yes. `at_us` is when to send. `idle` says that the lane had nothing sold ahead; with `own` it says which
    of the six ways the lane moves, and so under which conditions this holds.
    """

    at_us: int
    idle: bool
    own: Own


@dataclass(frozen=True, slots=True)
class Full:
    """A lane's no: there may be room at `until_us`."""

    until_us: int


class Snag(Enum):
    """A lane's no for another reason than the rate."""

    OUTDATED = "the gauge has changed: read it again"
    UNFILLED = "how much is left for the day was never told to this lane"
    SPENT = "too little is left for the day"


Verdict = Slot | Full | Snag


def judge(lane: Lane, ask: Ask) -> Verdict:
    """Return what the lane answers; the same values always give the same answer. See the theory above."""
    if lane.gear > ask.gear:
        return Snag.OUTDATED
    if ask.limited:
        if lane.left is None:
            return Snag.UNFILLED
        if lane.left < ask.units + ask.keep:
            return Snag.SPENT
    own = Own.LENT
    if ask.share_cost_us and lane.share_us <= ask.now_us:
        own = Own.RESTED
    elif ask.share_cost_us and lane.share_us <= ask.now_us + ask.lead_us:
        own = Own.AHEAD
    if lane.tat_us <= ask.now_us:
        return Slot(ask.now_us, True, own)
    lead = ask.lent_lead_us if own is Own.LENT else ask.lead_us
    if lane.tat_us <= ask.now_us + lead:
        return Slot(lane.tat_us, False, own)
    until = lane.tat_us - lead
    if own is Own.LENT and ask.share_cost_us:
        # Its own share may open before there is anything to lend.
        until = min(until, max(lane.tat_us, lane.share_us) - ask.lead_us)
    return Full(until)


def after(lane: Lane, ask: Ask, slot: Slot) -> Lane:
    """Return the lane once it has sold the slot that `judge` offered."""
    share = lane.share_us
    if slot.own is not Own.LENT:
        share = (ask.now_us if slot.own is Own.RESTED else share) + ask.share_cost_us
    left = lane.left
    if ask.limited and left is not None:
        left -= ask.units
    return Lane(slot.at_us + ask.cost_us, share, left, ask.gear)


def lane_of(key: str, lanes: int, *, step: int = 0) -> int:
    """Return the lane, 0 ≤ n < `lanes`, that `key` draws from; `step` on from there."""
    return (zlib.crc32(key.encode()) + step) % lanes


# Gauges


@dataclass(frozen=True, slots=True)
class Quota:
    """What a provider says it allows: `rate` in units per 1,000 s, `per_day` units in 24 hours (0: no limit that is
    known) of which `sent` are used, and whether it takes anything at all. `spend_limit` is its limit of money for the
    month in whole US dollars, 0 unknown.
    """

    rate: int
    per_day: int = 0
    sent: int = 0
    is_open: bool = True
    spend_limit: int = 0

    @property
    def left(self) -> int:
        """How many units are left for the day, never below 0; meaningless without `per_day`."""
        return max(0, self.per_day - self.sent)


@dataclass(frozen=True, slots=True)
class Gauge:
    """What is known of a provider's pace as of its last change.

    `rate` was in use at `changed_at` and has risen since (`rate_at`). `throttles` were counted from `counted_from` on,
    `cut_at` is when the rate was last cut. Until `paused_until` nothing goes, because of `why`. `asked_at` is when
    somebody last set out to read the quota, `read_at` when it was read. `version` counts all changes from 1, `gear`
    those after which nothing may be sold by what was known before.
    """

    quota: Quota
    rate: int
    changed_at: datetime
    read_at: datetime
    asked_at: datetime
    throttles: int = 0
    counted_from: datetime | None = None
    cut_at: datetime | None = None
    paused_until: datetime | None = None
    why: Why | None = None
    version: int = 1
    gear: int = 1

    @property
    def ceiling(self) -> int:
        """The highest rate in use: the quota less room for calls that arrive unevenly; at least 1."""
        return max(1, self.quota.rate * IN_USE_PERMILLE // 1000)

    @property
    def floor(self) -> int:
        """The lowest rate in use; at least 1, at most the ceiling."""
        return min(self.ceiling, max(1, self.quota.rate * FLOOR_PERMILLE // 1000))

    @property
    def lanes(self) -> int:
        """Over how many lanes the rate is split. Follows from the quota alone, so a cut moves nobody."""
        return max(1, -(-self.ceiling // LANE_RATE))

    def rate_at(self, now: datetime) -> int:
        """Return the rate in use at `now`: between floor and ceiling, rising with time."""
        seconds = max(0, (now - self.changed_at) // _TICK) // MILLION
        risen = self.rate + self.quota.rate * RISE_PERMILLE * seconds // 1000
        return min(self.ceiling, max(self.floor, risen))

    def pause_at(self, now: datetime) -> WaitUntil | None:
        """Return until when the provider is paused, and why; None where it is not."""
        if self.paused_until is None or self.why is None or self.paused_until <= now:
            return None
        return WaitUntil(self.paused_until, self.why)

    def is_old(self, now: datetime) -> bool:
        """Whether the quota should be read anew, and nobody has set out to within the last moments."""
        return now - self.read_at >= QUOTA_AGE and now - self.asked_at >= COUNTED


def opened(quota: Quota, now: datetime) -> Gauge:
    """Return the first gauge of a provider that states `quota`, at full pace."""
    fresh = Gauge(quota, 1, now, now, now)
    return _with_room(replace(fresh, rate=fresh.ceiling), now)


def told(gauge: Gauge, quota: Quota, now: datetime) -> Gauge:
    """Return the gauge once the provider has stated its quota (again).

    At full pace it goes on at the full new pace. While it backs off it goes on from the rate it has, if that is still
    allowed: what the provider states does not undo what it does. A pause ends where the statement shows room.
    """
    rate = gauge.rate_at(now)
    full = rate >= gauge.ceiling
    moved = replace(
        gauge,
        quota=quota,
        changed_at=now,
        read_at=now,
        asked_at=now,
        version=gauge.version + 1,
        gear=gauge.gear + 1,
    )
    moved = replace(
        moved, rate=moved.ceiling if full else max(moved.floor, min(rate, moved.ceiling))
    )
    more_money = quota.spend_limit > gauge.quota.spend_limit > 0
    if gauge.why in (Why.DAILY_QUOTA, Why.CLOSED) or (
        gauge.why is Why.SPEND_LIMIT and more_money and quota.is_open
    ):
        moved = replace(moved, paused_until=None, why=None)
    return _with_room(moved, now)


def _with_room(gauge: Gauge, now: datetime) -> Gauge:
    """Return the gauge, paused if its quota leaves nothing to send."""
    quota = gauge.quota
    if not quota.is_open or quota.rate < 1:
        return replace(gauge, paused_until=now + PROBE, why=Why.CLOSED)
    if quota.per_day and not quota.left:
        return replace(gauge, paused_until=now + PROBE, why=Why.DAILY_QUOTA)
    return gauge


def throttled(gauge: Gauge, now: datetime, *, retry_after_s: int = 0) -> Gauge:
    """Return the gauge once the provider has answered "too fast".

    A few throttles are chance and change nothing but their count; more than that within `COUNTED` halve the rate, down
    to the floor, and hold everything for `retry_after_s` if the provider asked for that. Those that come within
    `SETTLING` of a cut belong to calls made before it and are not counted.
    """
    if gauge.cut_at is not None and now - gauge.cut_at < SETTLING:
        return gauge
    since = gauge.counted_from
    is_new = since is None or now - since >= COUNTED
    counted = 1 if is_new else gauge.throttles + 1
    moved = replace(
        gauge,
        throttles=counted,
        counted_from=now if is_new else since,
        version=gauge.version + 1,
    )
    rate = gauge.rate_at(now)
    sold = rate * (COUNTED // timedelta(seconds=1)) // 1000
    if counted <= max(CHANCE, sold * CHANCE_PERMILLE // 1000):
        return moved
    cut = replace(
        moved,
        rate=max(gauge.floor, rate // 2),
        changed_at=now,
        cut_at=now,
        throttles=0,
        counted_from=None,
        gear=gauge.gear + 1,
    )
    if not retry_after_s or gauge.pause_at(now) is not None:
        return cut
    until = now + timedelta(seconds=retry_after_s)
    return replace(cut, paused_until=until, why=Why.BACKING_OFF)


def exhausted(gauge: Gauge, now: datetime, why: Why) -> Gauge:
    """Return the gauge once the provider has refused because its quota of a day, or of money, is used up.

    Everything waits for `PROBE` or until a new statement shows room; then one message tries, and if it is refused the
    same way, all wait again. Nothing is dropped, and no retry is spent.
    """
    assert why.alarms, "only what a person has to know pauses a provider"
    return replace(
        gauge,
        paused_until=now + PROBE,
        why=why,
        version=gauge.version + 1,
        gear=gauge.gear + 1,
    )


def asking(gauge: Gauge, now: datetime) -> Gauge:
    """Return the gauge once somebody has set out to read the quota; nothing may be sold otherwise because of it."""
    return replace(gauge, asked_at=now, version=gauge.version + 1)
