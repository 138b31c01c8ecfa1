"""Which debts a payment settles, and which part of each: the allocation of money that has come in.

Two questions are answered by one list. The list names pairs of (when, part): past due, due or in advance, and penalty,
fee, interest or principal. Money runs down the list; inside a pair it takes the obligations by due date, then sequence
number, then id. Every published order is such a list (`core.product.ORDERS`).

Where a claim stands in time follows from the calendar of all claims, paid or not: PAST_DUE before the day in question,
DUE at the earliest due date that is not past, IN_ADVANCE after that. Money that goes in advance takes one obligation at
a time, all its parts, before the next one: otherwise the interest of a far instalment would be paid before the
principal of the coming one.

Sources: PRC Civil Code 560 (the payer's designation goes first), 561; Fineract, "advanced payment allocation".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby

from betimes.core.product import Leftover, Part, When
from betimes.core.values import dataclass

Pair = tuple[When, Part]


@dataclass(frozen=True, slots=True)
class Parts:
    """An amount by component, in minor units of the account's currency."""

    penalty: int = 0
    fee: int = 0
    interest: int = 0
    principal: int = 0

    @property
    def total(self) -> int:
        """The sum of all components, in minor units."""
        return self.penalty + self.fee + self.interest + self.principal

    def of(self, part: Part) -> int:
        """Return one component, in minor units."""
        match part:
            case Part.PENALTY:
                return self.penalty
            case Part.FEE:
                return self.fee
            case Part.INTEREST:
                return self.interest
            case Part.PRINCIPAL:
                return self.principal

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            self.penalty + other.penalty,
            self.fee + other.fee,
            self.interest + other.interest,
            self.principal + other.principal,
        )

    def __sub__(self, other: Parts) -> Parts:
        return Parts(
            self.penalty - other.penalty,
            self.fee - other.fee,
            self.interest - other.interest,
            self.principal - other.principal,
        )


NOTHING = Parts()


@dataclass(frozen=True, slots=True)
class Claim:
    """What one obligation asks for on the day money arrives.

    A paid one, with nothing owed, still belongs in the list: it takes no money, but its due date says what is due and
    what is in advance.
    """

    id: str
    due_on: date
    seq: int
    owed: Parts


@dataclass(frozen=True, slots=True)
class Allocated:
    """Where the money went: what each obligation received, and what no obligation took, in minor units.

    `applied` names only obligations that received something.
    """

    applied: Mapping[str, Parts]
    unapplied_minor: int


def parts_of(order: Sequence[Pair], when: When) -> tuple[Part, ...]:
    """Return the order of components that `order` has for claims that stand at `when`; may be empty."""
    return tuple([part for each, part in order if each is when])


def standing_at(claims: Iterable[Claim], on: date) -> dict[str, When]:
    """Return where each claim stands in time on the civil date `on`, by id.

    A claim due on `on` itself is not past due. Several claims with the same due date stand alike.
    """
    dues = {claim.id: claim.due_on for claim in claims}
    coming = min((due_on for due_on in dues.values() if due_on >= on), default=None)
    return {
        claim_id: When.PAST_DUE
        if due_on < on
        else (When.DUE if due_on == coming else When.IN_ADVANCE)
        for claim_id, due_on in dues.items()
    }


def allocate(
    claims: Sequence[Claim],
    minor: int,
    on: date,
    order: Sequence[Pair],
    leftover: Leftover,
    designated: str = "",
) -> Allocated:
    """Return where `minor` units of money with the value date `on` go.

    Money the payer designated goes to that obligation first, wherever it stands in time. What is then left follows
    `leftover`: KEPT leaves it unapplied (the obligation is overpaid), NEXT and LAST let it run down the list like money
    without designation. A designated obligation that is not among the claims leaves all of it unapplied.

    Money without designation runs down `order`. With KEPT it pays nothing in advance; with NEXT it pays in advance in
    order of due date, with LAST from the last instalment backwards. No claim receives more than it asks for, part by
    part, and a pair that `order` does not name receives nothing.
    """
    assert minor >= 0, "money that comes in is not negative"
    ranked = sorted(claims, key=lambda claim: (claim.due_on, claim.seq, claim.id))
    whens = standing_at(ranked, on)
    pool = _Pool(minor)
    if designated:
        own = next((claim for claim in ranked if claim.id == designated), None)
        if own is None:
            return Allocated({}, minor)
        for part in parts_of(order, whens[own.id]):
            pool.pay(own, part)
        if leftover is Leftover.KEPT:
            return Allocated(pool.applied(), pool.left)
    for claim, part in _sequence(ranked, whens, order, leftover):
        if pool.left == 0:
            break
        pool.pay(claim, part)
    return Allocated(pool.applied(), pool.left)


def _sequence(
    ranked: Sequence[Claim], whens: Mapping[str, When], order: Sequence[Pair], leftover: Leftover
) -> Iterator[tuple[Claim, Part]]:
    """Yield who is paid what, in order, for money that follows the list."""
    at: dict[When, list[Claim]] = {when: [] for when in When}
    for claim in ranked:
        if claim.owed != NOTHING:
            at[whens[claim.id]].append(claim)
    for when, pairs in groupby(order, key=lambda pair: pair[0]):
        parts = [part for _, part in pairs]
        if when is not When.IN_ADVANCE:
            yield from ((claim, part) for part in parts for claim in at[when])
        elif leftover is not Leftover.KEPT:
            ahead = at[when] if leftover is Leftover.NEXT else reversed(at[when])
            yield from ((claim, part) for claim in ahead for part in parts)


class _Pool:
    """Money on its way down the list; what it has paid is kept by claim and part."""

    __slots__ = ("_paid", "left")

    def __init__(self, minor: int) -> None:
        self.left = minor
        self._paid: dict[str, dict[Part, int]] = {}

    def pay(self, claim: Claim, part: Part) -> None:
        """Pay as much of the part as is still owed and there is money for."""
        paid = self._paid.setdefault(claim.id, {})
        minor = min(self.left, claim.owed.of(part) - paid.get(part, 0))
        if minor > 0:
            paid[part] = paid.get(part, 0) + minor
            self.left -= minor

    def applied(self) -> dict[str, Parts]:
        """Return what each claim that received something has received."""
        return {
            claim_id: Parts(**{part.value: minor for part, minor in paid.items()})
            for claim_id, paid in self._paid.items()
            if paid
        }
