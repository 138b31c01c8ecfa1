"""When people pay: measured shares by day and by hour, and how a day is drawn from them.

Whole numbers throughout, and the chance comes in as an argument: the same point gives the same day
on every machine. The pretend books of the lab draw from it, and so does the reader of monthly
statements, which carry no pay days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from betimes.core.errors import Rejected

# A point of chance is a whole number from 0 up to, not including, this one.
POINTS = 2**64
# Shares in the file are parts of these; weights are finer, so that rounding cannot be seen.
PER_HAZARD = 10_000
_FINE = 10**15


@dataclass(frozen=True, slots=True)
class Spread:
    """Weights of consecutive whole numbers from `first` on, as running sums."""

    first: int
    cumulative: tuple[int, ...]

    @classmethod
    def of(cls, first: int, weights: Iterable[int]) -> Spread:
        """Return the spread with these weights, none of them negative."""
        return cls(first, tuple(accumulate(weights)))

    @property
    def last(self) -> int:
        """The highest number in the spread."""
        return self.first + len(self.cumulative) - 1

    def draw(self, point: int, *, low: int | None = None, high: int | None = None) -> int:
        """Return the number at `point`, given that it lies between `low` and `high` (included).

        0 ≤ point < `POINTS`.

        Raises:
            AssertionError: nothing of the spread lies between them.
        """
        below = self._below(self.first if low is None else low)
        weight = self._below(self.last + 1 if high is None else high + 1) - below
        assert weight > 0, f"no weight between {low} and {high}"
        return self.first + bisect_right(self.cumulative, below + (point * weight) // POINTS)

    def _below(self, number: int) -> int:
        index = min(number - self.first, len(self.cumulative))
        return self.cumulative[index - 1] if index > 0 else 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Days of the first payment, counted from the due day, by product; hours of payment.

    `partial_share` is the share of obligations, per 10,000, whose first payment is less than what
    is due.
    """

    instalment: Spread
    statement: Spread
    hours: Spread
    partial_share: int


def parse(document: Mapping[str, Any], source: str) -> Calibration:
    """Return the calibration in a parsed TOML document; `source` names the file in errors.

    Raises:
        Rejected: code "bad_calibration", when a key is missing or holds something else than it
        should.
    """
    try:
        hours = [int(share) for share in document["paid_hours"]]
        if len(hours) != 24:
            raise ValueError("paid_hours needs 24 shares")
        return Calibration(
            instalment=_timing(document["instalment"]),
            statement=_timing(document["statement"]),
            hours=Spread.of(0, hours),
            partial_share=int(document["partial_share"]),
        )
    except KeyError as error:
        raise Rejected(
            "bad_calibration", str(error.args[0]), f"{source}: {error} is missing"
        ) from None
    except (TypeError, ValueError) as error:
        raise Rejected("bad_calibration", "", f"{source}: {error}") from None


def _timing(table: Mapping[str, Any]) -> Spread:
    """Return the weights by day: the bins give the sums, the hazards the shape inside a bin."""
    shape = _paid_by_day(int(table["first_hazard_day"]), table["daily_hazards"])
    weights: list[int] = []
    bins = [(int(low), int(high), int(share)) for low, high, share in table["bins"]]
    for low, high, share in bins:
        if low > high or (weights and low != bins[0][0] + len(weights)):
            raise ValueError(f"the bin from {low} does not follow the one before it")
        days = range(low, high + 1)
        known = all(day in shape for day in days)
        parts = [shape[day] if known else 1 for day in days]
        weights += [share * _FINE * part // sum(parts) for part in parts]
    return Spread.of(bins[0][0], weights)


def _paid_by_day(first: int, hazards: Sequence[int]) -> dict[int, int]:
    """Return what part of those unpaid at first pays on each day from `first` on, in fine units."""
    unpaid, paid = _FINE, {}
    for day, hazard in enumerate(hazards, start=first):
        paid[day] = unpaid * hazard // PER_HAZARD
        unpaid -= paid[day]
    return paid
