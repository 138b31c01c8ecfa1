"""When people pay: measured shares by day and by hour, and how a day is drawn from them.

Whole numbers throughout, and the chance comes in as an argument: the same point gives the same day
on every machine. The pretend books of the lab draw from it, and so does the reader of monthly
statements, which carry no pay days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from betimes.core.errors import Rejected
from betimes.core.values import dataclass

# A point of chance is a whole number from 0 up to, not including, this one.
POINTS = 2**64
# Shares in the file are parts of these; weights are finer, so that rounding cannot be seen.
PER_HAZARD = 10_000
_FINE = 10**15
_PER_BILLION = 10**9
# Rounds after which the chances of never paying stand still to the last of nine digits.
_ROUNDS = 60


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

    def weight(self, number: int) -> int:
        """Return the weight of `number`, 0 outside of the spread."""
        return self._below(number + 1) - self._below(number)

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
class Rolls:
    """How card accounts move from one status to the next within a month, as counts by (row, column) of `order`."""

    order: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def stock(self, status: str) -> int:
        """Return how many account-months stand in `status` at the start of a month."""
        return sum(self.counts[self.order.index(status)])

    def never_paid(self, status: str) -> int:
        """Return what part of the accounts in `status`, per 10^9, comes to the last status before it is current again.

        The last status stands for never: nine of ten in it are in it a month later. "0" is one month of an account
        that is current: the chance that the bill of that month is the first one never paid.
        """
        return self._next(self.order.index(status), self._reaching())

    def _reaching(self) -> list[int]:
        """Return the answer for every status, those that are not late with 0, so that a cure ends the count."""
        late = [n for n, name in enumerate(self.order) if name.isdigit() and name != "0"]
        reaching = [0] * len(self.order)
        reaching[late[-1]] = _PER_BILLION
        for _ in range(_ROUNDS):
            for n in late[:-1]:
                reaching[n] = self._next(n, reaching)
        return reaching

    def _next(self, row: int, reaching: Sequence[int]) -> int:
        if reaching[row] == _PER_BILLION:
            return _PER_BILLION
        counts = self.counts[row]
        return sum(n * to for n, to in zip(counts, reaching, strict=True)) // sum(counts)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Days of the first payment, counted from the due day, by product; hours and weekdays of payment.

    `partial_share` is the share of obligations, per 10,000, whose first payment is less than what
    is due. `late_after_late` and `late_after_on_time` are the shares of late ones, per 10,000, by
    how the obligation before was paid.
    """

    instalment: Spread
    statement: Spread
    hours: Spread
    partial_share: int
    weekdays: Spread
    late_after_late: int
    late_after_on_time: int
    rolls: Rolls


_KEYS = {
    "instalment",
    "statement",
    "paid_hours",
    "partial_share",
    "paid_weekdays",
    "late_after_late",
    "late_after_on_time",
    "rolls",
}
# The first three say where the figures come from, and what to compare a generated book with.
_TIMING_KEYS = {"source", "n", "late_share", "bins", "first_hazard_day", "daily_hazards"}


def parse(document: Mapping[str, Any], source: str) -> Calibration:
    """Return the calibration in a parsed TOML document; `source` names the file in errors.

    Raises:
        Rejected: code "bad_calibration", when a key is unknown, missing or holds something else
        than it should.
    """
    try:
        _check_keys(document, _KEYS)
        for name in ("instalment", "statement"):
            _check_keys(document[name], _TIMING_KEYS)
        _check_keys(document["rolls"], {"order", "counts"})
        return Calibration(
            instalment=_timing(document["instalment"]),
            statement=_timing(document["statement"]),
            hours=_shares(document, "paid_hours", 24),
            partial_share=int(document["partial_share"]),
            weekdays=_shares(document, "paid_weekdays", 7),
            late_after_late=int(document["late_after_late"]),
            late_after_on_time=int(document["late_after_on_time"]),
            rolls=_rolls(document["rolls"]),
        )
    except KeyError as error:
        raise Rejected(
            "bad_calibration", str(error.args[0]), f"{source}: {error} is missing"
        ) from None
    except (TypeError, ValueError) as error:
        raise Rejected("bad_calibration", "", f"{source}: {error}") from None


def _check_keys(table: Mapping[str, Any], known: set[str]) -> None:
    for key in sorted({*table} - known):
        raise ValueError(f"{key!r} is unknown")


def _shares(document: Mapping[str, Any], key: str, count: int) -> Spread:
    shares = [int(share) for share in document[key]]
    if len(shares) != count or min(shares) < 0:
        raise ValueError(f"{key} needs {count} shares, none of them negative")
    return Spread.of(0, shares)


def _rolls(table: Mapping[str, Any]) -> Rolls:
    order = tuple(str(name) for name in table["order"])
    counts = tuple(tuple(int(count) for count in row) for row in table["counts"])
    if len(counts) != len(order) or any(len(row) != len(order) for row in counts):
        raise ValueError(f"rolls.counts needs {len(order)} rows of {len(order)} counts")
    if any(min(row) < 0 or not sum(row) for row in counts):
        raise ValueError("rolls.counts holds a row that is empty or below zero")
    if not {"0", "1", "2"} <= {*order}:
        raise ValueError("rolls.order needs the statuses 0, 1 and at least one that is later")
    return Rolls(order, counts)


def _timing(table: Mapping[str, Any]) -> Spread:
    """Return the weights by day: the bins give the sums, the hazards the shape inside a bin."""
    bins = [(int(low), int(high), int(share)) for low, high, share in table["bins"]]
    first = int(table["first_hazard_day"])
    before = sum(share for _, high, share in bins if high < first)
    total = sum(share for _, _, share in bins)
    shape = _paid_by_day(first, total - before, table["daily_hazards"])
    weights: list[int] = []
    for low, high, share in bins:
        if low > high or (weights and low != bins[0][0] + len(weights)):
            raise ValueError(f"the bin from {low} does not follow the one before it")
        weights += _inside(range(low, high + 1), share * _FINE, shape)
    return Spread.of(bins[0][0], weights)


def _inside(days: range, weight: int, shape: Mapping[int, int]) -> list[int]:
    """Return the weight of a bin by day: as the days are in `shape`, those that are not share the rest evenly."""
    known = [shape[day] for day in days if day in shape]
    if len(known) == len(days):
        return [weight * part // sum(known) for part in known]
    rest = weight - sum(known)
    if rest < 0:
        raise ValueError(f"the hazards pay more than the bin from {days[0]} holds")
    return [shape.get(day, rest // (len(days) - len(known))) for day in days]


def _paid_by_day(first: int, unpaid: int, hazards: Sequence[int]) -> dict[int, int]:
    """Return what part of those unpaid at first pays on each day from `first` on, in fine units."""
    left, paid = unpaid * _FINE, {}
    for day, hazard in enumerate(hazards, start=first):
        paid[day] = left * hazard // PER_HAZARD
        left -= paid[day]
    return paid
