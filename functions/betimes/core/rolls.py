"""Roll rates: what moved between the buckets from one day to a later one, and every change of bucket of one account.

Each account (or borrower) is in exactly one state on a day: a bucket, paid off, charged off, or outside the book. So
the states of two days differ by movements alone: what was in a bucket, plus what came, less what left, is what is in
it. A rate is the share of a bucket that moved to another state; the rates of a bucket add up to exactly 1, being
fractions.

With every figure belongs what it counts (accounts or borrowers, `Level`; their number or their balance, `Weight`) and
the two days it lies between. The newest days look better than they are where closings are told late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from betimes.core.ageing import Buckets, Day
from betimes.core.values import dataclass


class Exit(StrEnum):
    """States that are no bucket. `OUTSIDE`: not in the book on that day, neither yet nor any more."""

    PAID_OFF = "paid_off"
    CHARGED_OFF = "charged_off"
    OUTSIDE = "outside"


class Level(StrEnum):
    """What is counted."""

    ACCOUNT = "account"
    BORROWER = "borrower"


class Weight(StrEnum):
    """How it is counted: each as one, or by its balance on the earlier day."""

    COUNT = "count"
    BALANCE = "balance"


class Kind(StrEnum):
    """What a movement is. A return to 0 is a cure, to a lower bucket a partial cure (降期); where terms were changed it
    is neither, but a re-ageing. `STAY` includes what stays paid off, charged off or outside.
    """

    FORWARD = "forward"
    STAY = "stay"
    PARTIAL_CURE = "partial_cure"
    CURE = "cure"
    RE_AGED = "re_aged"
    PAID_OFF = "paid_off"
    CHARGED_OFF = "charged_off"
    ENTERED = "entered"
    LEFT = "left"
    REOPENED = "reopened"


def kind(before: str, after: str, buckets: Buckets) -> Kind:
    """Return what the movement from one state to another is. A re-ageing cannot be seen from states: see `turns`.

    REOPENED is a return from paid off or charged off into a bucket, as after a reversal.
    """
    if before == after:
        return Kind.STAY
    if after in list(Exit):
        return {
            Exit.PAID_OFF: Kind.PAID_OFF,
            Exit.CHARGED_OFF: Kind.CHARGED_OFF,
            Exit.OUTSIDE: Kind.LEFT,
        }[Exit(after)]
    if before in list(Exit):
        return Kind.ENTERED if before == Exit.OUTSIDE else Kind.REOPENED
    if buckets.rank(after) > buckets.rank(before):
        return Kind.FORWARD
    return Kind.CURE if buckets.rank(after) == 0 else Kind.PARTIAL_CURE


@dataclass(frozen=True, slots=True)
class Position:
    """One account or borrower on a day: its state (the name of a bucket, or an `Exit`) and what it owes."""

    state: str
    balance_minor: int = 0


@dataclass(frozen=True, slots=True)
class Rolls:
    """What moved between the close of `from_on` and that of `to_on`, as numbers and balances by (before, after).

    A balance is that of the earlier day, in minor units of one currency: a book of several has one `Rolls` for each.
    """

    from_on: date
    to_on: date
    level: Level
    buckets: Buckets
    number: Counter[tuple[str, str]] = field(default_factory=Counter)
    balance_minor: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __add__(self, other: Rolls) -> Rolls:
        """Return the movements of two parts of a book that have nothing in common.

        The two must lie between the same days, on the same level and in the same bucket set.
        """
        assert (self.from_on, self.to_on, self.level, self.buckets) == (
            other.from_on,
            other.to_on,
            other.level,
            other.buckets,
        ), "movements of different periods, levels or bucket sets do not add up"
        number, balance = self.number.copy(), self.balance_minor.copy()
        number.update(other.number)
        balance.update(other.balance_minor)
        return Rolls(self.from_on, self.to_on, self.level, self.buckets, number, balance)

    @property
    def states(self) -> tuple[str, ...]:
        """Every state there is: the buckets in order, then the exits."""
        return (*self.buckets.names, *Exit)

    def rates(self, weight: Weight = Weight.COUNT) -> dict[str, dict[str, Fraction]]:
        """Return the matrix of shares, by state before and state after; each row adds up to exactly 1.

        A row has every state. A state that held nothing on the earlier day has no row, because it has no rates; nor
        has OUTSIDE, because what is outside the book cannot be counted.
        """
        cells = self.number if weight is Weight.COUNT else self.balance_minor
        rows = {}
        for before in self.states:
            total = sum(cells[before, after] for after in self.states)
            if before != Exit.OUTSIDE and total:
                rows[before] = {
                    after: Fraction(cells[before, after], total) for after in self.states
                }
        return rows

    def roll_rate(self, bucket: str, weight: Weight = Weight.COUNT) -> Fraction | None:
        """Return the share of `bucket` that is in the next one on the later day; None where it was empty, and for the
        last bucket, which has no next one.
        """
        names = self.buckets.names
        row = self.rates(weight).get(bucket)
        if row is None or bucket == names[-1]:
            return None
        return row[names[names.index(bucket) + 1]]

    def kinds(self) -> Counter[Kind]:
        """Return how many movements there were of each kind."""
        found: Counter[Kind] = Counter()
        for (before, after), number in self.number.items():
            found[kind(before, after, self.buckets)] += number
        return found

    def carried(self, before: Mapping[str, int]) -> Counter[str]:
        """Return the number in each state on the later day, from those of the earlier day and the movements; OUTSIDE
        is left out. What was counted on the later day must be the same, or a movement was lost.
        """
        after = Counter(before)
        for (old, new), number in self.number.items():
            after[old] -= number
            after[new] += number
        del after[Exit.OUTSIDE]
        return +after


def rolls(
    before: Mapping[str, Position],
    after: Mapping[str, Position],
    *,
    buckets: Buckets,
    between: tuple[date, date],
    level: Level = Level.ACCOUNT,
) -> Rolls:
    """Return the movements between two days, from the position of each account or borrower by id.

    An id that is missing on one of the days was outside the book then. A state must be a bucket of the set or an exit.
    """
    outside = Position(Exit.OUTSIDE)
    moved = Rolls(*between, level, buckets)
    known = set(moved.states)
    for key in {**before, **after}:
        old, new = before.get(key, outside), after.get(key, outside)
        assert {old.state, new.state} <= known, "a position has a state that is not in the set"
        moved.number[old.state, new.state] += 1
        moved.balance_minor[old.state, new.state] += old.balance_minor
    return moved


def counted(positions: Iterable[Position]) -> Counter[str]:
    """Return how many are in each state, those outside the book left out."""
    return Counter(each.state for each in positions if each.state != Exit.OUTSIDE)


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of bucket along a history: on which day it was first seen, from where to where, and what it is."""

    on: date
    before: str
    after: str
    kind: Kind


def turns(days: Iterable[Day], buckets: Buckets) -> tuple[Turn, ...]:
    """Return every change of bucket along the days of one account, in their order.

    A fall of the bucket between two days is a re-ageing where an agreement on what is still unpaid was made
    between them, and a cure or partial cure otherwise.
    """
    found = []
    for old, new in pairwise(days):
        if old.bucket == new.bucket:
            continue
        moved = kind(old.bucket, new.bucket, buckets)
        agreed = new.reaged_on is not None and old.on < new.reaged_on <= new.on
        if agreed and moved is not Kind.FORWARD:
            moved = Kind.RE_AGED
        found.append(Turn(new.on, old.bucket, new.bucket, moved))
    return tuple(found)
