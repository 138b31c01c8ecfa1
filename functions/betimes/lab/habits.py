"""How pretend people pay: on which day, at which hour, late again or not, in full or in part, or never.

Days of payment must agree with three measured figures at once: days from the due day, weekdays, and how often somebody
is late again. So lateness is drawn first, as a chain in which the obligation before decides, at a level that keeps the
late share of the source; then a day from the early or the late half of the measured days, by the weekday of the due
day. Those spreads come from fitting the table (weekday due × days from the due day) to its three margins in turn, until
none moves. Source: Deming and Stephan 1940, iterative proportional fitting.

Whole numbers and a seed decide everything; nothing secret comes from here.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, time
from enum import StrEnum
from functools import lru_cache
from typing import Final

from betimes.core.calibration import PER_HAZARD, POINTS, Spread
from betimes.core.values import dataclass
from betimes.measured import measured

WEEK: Final = 7
# The rest of a part payment follows within so many days.
REST_WITHIN_DAYS: Final = 20
# Weights are parts of this while a table is fitted: until no margin is off by one in a million, which is soon.
_WHOLE: Final = 10**15
_CLOSE: Final = 10**6
_ROUNDS: Final = 200
_PER_BILLION: Final = 10**9
# Multiples of the golden section never cluster; with this first point the second debt is one of the oldest.
_GOLDEN: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 3 * POINTS // 10


class Chance:
    """Whole numbers drawn from a seed; the same on every machine, Python and hash seed."""

    __slots__ = ("_bits",)

    def __init__(self, seed: str) -> None:
        # A text is hashed by the module itself, not by `hash`.
        self._bits = random.Random(seed).getrandbits  # noqa: S311 # repeatable on purpose

    def point(self) -> int:
        """Return a point of chance for `Spread.draw`."""
        return self._bits(64)

    def below(self, number: int) -> int:
        """Return a whole number from 0 up to, not including, `number`."""
        return self._bits(64) * number // POINTS

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def small(self, number: int) -> int:
        """Return a whole number below `number`, small ones more often, as amounts are."""
        return self.below(number) * self.below(number) // number

    def happens(self, per_10000: int) -> bool:
        """Return whether something does that happens so many times in 10,000."""
        return self.below(10_000) < per_10000

    def one_of(self, *choices: str) -> str:
        """Return one of `choices`, each as likely."""
        return choices[self.below(len(choices))]

    def moment(self) -> time:
        """Return a time of day at which people pay."""
        bits = self._bits(64)
        return time(
            measured().hours.draw(self._bits(64)),
            bits % 60,
            (bits >> 16) % 60,
            (bits >> 32) % 10**6,
        )


class Source(StrEnum):
    """Whose measured days of payment somebody has: a table of the calibration."""

    CASH_LOANS = "instalment"
    INSTALMENTS = "statement"


@dataclass(frozen=True, slots=True)
class Habit:
    """How the people of one source pay. `after` is the chance, per 10^9, of being late: after an obligation that was
    paid on time, and after one that was late; `share` that of the first one. `days` are the days from the due day by
    lateness and by weekday of the due day.
    """

    share: int
    after: tuple[int, int]
    days: tuple[tuple[Spread, ...], tuple[Spread, ...]]

    def day(self, point: int, due_on: date, *, was_late: bool | None, earliest: int) -> int:
        """Return the day of the first payment at a point of chance, counted from `due_on` and not before `earliest`.

        The highest points are late. `was_late` says how the obligation before was paid, None without one: in the long
        run the share of late ones is that of the source all the same.
        """
        share = self.share if was_late is None else self.after[was_late]
        on_time = POINTS - share * POINTS // _PER_BILLION
        is_late = point >= on_time
        inside = (
            (point - on_time) * POINTS // (POINTS - on_time)
            if is_late
            else point * POINTS // on_time
        )
        days = self.days[is_late or earliest > 0][due_on.weekday()]
        return days.draw(inside, low=min(earliest, days.last))


@lru_cache(maxsize=64)
def habit(source: Source, earliest: int = -10_000) -> Habit:
    """Return the habit of a source where nothing can be paid before the day `earliest`, counted from the due day.

    The late share is that of the source all the same: who would have paid earlier pays early.
    """
    calibrated = measured()
    timing: Spread = getattr(calibrated, source)
    late = sum(timing.weight(day) for day in range(1, timing.last + 1))
    share = late * _PER_BILLION // timing.cumulative[-1]
    kept = calibrated.late_after_late - calibrated.late_after_on_time
    on_time = share * (PER_HAZARD - kept) // PER_HAZARD
    return Habit(
        share=share,
        after=(on_time, on_time + kept * (_PER_BILLION // PER_HAZARD)),
        days=(
            _fitted(source, max(timing.first, min(earliest, 0)), 0),
            _fitted(source, 1, timing.last),
        ),
    )


@lru_cache(maxsize=64)
def _fitted(source: Source, low: int, high: int) -> tuple[Spread, ...]:
    """Return the days of a source from `low` to `high` as one spread for each weekday of a due day.

    Over due days of all weekdays alike their mean is that of the source, and the weekdays of payment are the measured
    ones as far as the days allow.
    """
    timing: Spread = getattr(measured(), source)
    weekdays = measured().weekdays
    days = range(low, high + 1)
    wanted = (
        _scaled([weekdays.weight(n) for n in range(WEEK)]),
        _scaled([timing.weight(day) for day in days]),
        [_WHOLE // WEEK] * WEEK,
    )
    # The cells of the table, by weekday due, then by day; and where each stands along the three margins.
    cells = [wanted[1][n] // WEEK for _ in range(WEEK) for n in range(len(days))]
    along = (
        [(due + day) % WEEK for due in range(WEEK) for day in days],
        [n for _ in range(WEEK) for n in range(len(days))],
        [due for due in range(WEEK) for _ in days],
    )
    for _ in range(_ROUNDS):
        moved = [_fit(cells, margin, sums) for margin, sums in zip(along, wanted, strict=True)]
        if max(moved) < _WHOLE // _CLOSE:
            break
    size = len(days)
    return tuple(Spread.of(low, cells[due * size : (due + 1) * size]) for due in range(WEEK))


def _fit(cells: list[int], along: Sequence[int], wanted: Sequence[int]) -> int:
    """Scale the cells so that they add up to `wanted` along a margin; return by how much its worst sum was off."""
    found = [0] * len(wanted)
    for place, cell in zip(along, cells, strict=True):
        found[place] += cell
    cells[:] = [
        cell * wanted[place] // (found[place] or 1)
        for place, cell in zip(along, cells, strict=True)
    ]
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True))


def _scaled(weights: Sequence[int]) -> list[int]:
    return [weight * _WHOLE // sum(weights) for weight in weights]


@lru_cache(maxsize=WEEK)
def _rest(weekday: int) -> Spread:
    """Return the days until the rest of a part payment follows, by the weekday of the part."""
    weekdays = measured().weekdays
    days = range(1, REST_WITHIN_DAYS + 1)
    return Spread.of(1, [weekdays.weight((weekday + day) % WEEK) for day in days])


def days_until_rest(chance: Chance, first_on: date) -> int:
    """Return after how many days somebody who paid a part on `first_on` pays the rest."""
    return _rest(first_on.weekday()).draw(chance.point())


@dataclass(frozen=True, slots=True)
class Plan:
    """When somebody pays something due: days counted from the due day, local time, and whether only a part at first."""

    days: int
    at: time
    in_part: bool


@dataclass(slots=True)
class Payer:
    """One account and how it has been paid so far. `stopped` once an obligation is never paid: none is after it."""

    chance: Chance
    source: Source
    was_late: bool | None = None
    stopped: bool = False

    def plan(self, due_on: date, *, earliest: int, fitted_to: int = -10_000) -> Plan | None:
        """Return how the next obligation, due on `due_on`, is paid, None for never.

        `earliest` is the first possible day, counted from the due day. Where all obligations of a product have about
        the same, `fitted_to` names it, and the weekdays of payment are right in spite of it.
        """
        chance = self.chance
        self.stopped = self.stopped or chance.below(_PER_BILLION) < _never_paid("0")
        if self.stopped:
            return None
        days = habit(self.source, fitted_to).day(
            chance.point(), due_on, was_late=self.was_late, earliest=earliest
        )
        self.was_late = days > 0
        return Plan(
            days=days,
            at=chance.moment(),
            in_part=chance.happens(measured().partial_share),
        )


@lru_cache(maxsize=8)
def _never_paid(status: str) -> int:
    return measured().rolls.never_paid(status)


@lru_cache(maxsize=1)
def _late_stock() -> Spread:
    rolls = measured().rolls
    return Spread.of(1, [rolls.stock(str(status)) for status in _late_statuses()])


def _late_statuses() -> range:
    return range(1, max(int(name) for name in measured().rolls.order if name.isdigit()) + 1)


def long_late(place: int, chance: Chance) -> tuple[int, bool]:
    """Return how many days past due, from 30 on, an obligation of a book that is taken over stands, and whether it is
    never paid; `place` is its place among them, and any few in a row are spread over the stock.

    Source: stock and rolls of the card panel, whose status n is n months late.
    """
    status = _late_stock().draw((_FIRST + place * _GOLDEN) % POINTS)
    never = chance.below(_PER_BILLION) < _never_paid(str(status))
    return 30 * status + chance.below(30), never
