"""Allocation: which debts a payment settles, and which part of each."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.allocation import (
    NOTHING,
    Allocated,
    Claim,
    Pair,
    Parts,
    allocate,
    parts_of,
    standing_at,
)
from betimes.core.product import ORDERS, PAIRS, Leftover, Part, When

MARCH, APRIL, MAY = date(2026, 3, 10), date(2026, 4, 10), date(2026, 5, 10)
TODAY = date(2026, 3, 20)

amounts = st.integers(0, 500)
parts = st.builds(Parts, amounts, amounts, amounts, amounts)
dues = st.dates(date(2026, 3, 1), date(2026, 4, 30))
days = st.dates(date(2026, 2, 20), date(2026, 5, 10))
leftovers = st.sampled_from(Leftover)
orders: st.SearchStrategy[list[Pair]] = st.permutations(PAIRS)


@st.composite
def books(draw: st.DrawFn) -> list[Claim]:
    count = draw(st.integers(0, 5))
    return [Claim(f"o{n}", draw(dues), draw(st.integers(1, 3)), draw(parts)) for n in range(count)]


def claim(name: str, due_on: date, principal: int = 100, seq: int = 1, **rest: int) -> Claim:
    return Claim(name, due_on, seq, Parts(principal=principal, **rest))


def went(allocated: Allocated) -> dict[str, int]:
    return {name: parts.total for name, parts in allocated.applied.items()}


THREE = [claim("march", MARCH), claim("april", APRIL, seq=2), claim("may", MAY, seq=3)]


def test_a_claim_due_today_is_due_and_the_next_due_date_is_in_advance() -> None:
    """The due date itself is not past; only the coming date is due, all later ones are ahead."""
    assert standing_at(THREE, MARCH) == {
        "march": When.DUE,
        "april": When.IN_ADVANCE,
        "may": When.IN_ADVANCE,
    }
    assert standing_at(THREE, TODAY) == {
        "march": When.PAST_DUE,
        "april": When.DUE,
        "may": When.IN_ADVANCE,
    }


def test_a_paid_claim_keeps_its_place_in_the_calendar() -> None:
    """Two payments of 100 go where one of 200 goes: what is due does not move up when it is paid."""
    paid = Claim("march", MARCH, 1, NOTHING)
    rest = allocate([paid, *THREE[1:]], 100, MARCH, PAIRS, Leftover.KEPT)
    assert rest == Allocated({}, 100)


def test_undesignated_money_is_kept_next_or_last() -> None:
    """The three ways of a surplus: it waits, it pays the coming instalments, or the last one first."""

    def spread(leftover: Leftover) -> tuple[dict[str, int], int]:
        allocated = allocate(THREE, 250, MARCH, PAIRS, leftover)
        return went(allocated), allocated.unapplied_minor

    assert spread(Leftover.KEPT) == ({"march": 100}, 150)
    assert spread(Leftover.NEXT) == ({"march": 100, "april": 100, "may": 50}, 0)
    assert spread(Leftover.LAST) == ({"march": 100, "may": 100, "april": 50}, 0)


def test_what_the_payer_designates_goes_before_what_is_past_due() -> None:
    """Civil Code 560: the payer's designation decides."""
    kept = allocate(THREE, 150, TODAY, PAIRS, Leftover.KEPT, "may")
    assert (went(kept), kept.unapplied_minor) == ({"may": 100}, 50)
    onward = allocate(THREE, 150, TODAY, PAIRS, Leftover.NEXT, "may")
    assert went(onward) == {"may": 100, "march": 50}


def test_money_designated_to_an_unknown_debt_pays_nothing() -> None:
    """Another debt is not what the payer meant, whatever the rule for a surplus."""
    for leftover in Leftover:
        assert allocate(THREE, 150, TODAY, PAIRS, leftover, "june") == Allocated({}, 150)


def test_one_pair_takes_the_oldest_due_date_then_the_lowest_seq_then_the_id() -> None:
    """The order inside a pair is total, so it never depends on how claims were listed."""
    claims = [
        claim("b", APRIL),
        claim("c", MARCH, seq=2),
        claim("a", MARCH, seq=2),
        claim("d", MARCH),
    ]
    assert list(allocate(claims, 400, MAY, PAIRS, Leftover.KEPT).applied) == ["d", "a", "c", "b"]


def test_all_interest_past_due_goes_before_any_principal_past_due() -> None:
    """A pair is paid across all obligations before the next pair begins."""
    claims = [claim("march", MARCH, interest=10), claim("april", APRIL, interest=10)]
    paid = allocate(claims, 30, MAY, PAIRS, Leftover.KEPT).applied
    assert paid == {"march": Parts(interest=10, principal=10), "april": Parts(interest=10)}


def test_money_in_advance_takes_one_instalment_at_a_time() -> None:
    """No money goes to the interest of a far instalment before the principal of the next one."""
    claims = [
        claim("march", MARCH),
        claim("april", APRIL, interest=10),
        claim("may", MAY, interest=10),
    ]
    paid = allocate(claims, 215, MARCH, PAIRS, Leftover.NEXT).applied
    assert paid["april"] == Parts(interest=10, principal=100)
    assert paid["may"] == Parts(interest=5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("penalty_fee_interest_principal", Parts(4, 3, 3, 0)),
        ("civil_code_561", Parts(3, 3, 4, 0)),
        ("interest_first", Parts(0, 0, 4, 6)),
        ("principal_first", Parts(0, 0, 0, 10)),
    ],
)
def test_each_named_order_fills_the_parts_in_its_own_way(name: str, expected: Parts) -> None:
    """Ten units on parts of 4, 3, 4 and 90: each published order leaves another rest."""
    owed = Parts(penalty=4, fee=3, interest=4, principal=90)
    paid = allocate([Claim("o", MARCH, 1, owed)], 10, TODAY, ORDERS[name], Leftover.KEPT)
    assert paid.applied["o"] == expected


def test_a_list_may_put_what_is_due_before_what_is_past_due() -> None:
    """Current first is an order like any other."""
    current_first = [pair for pair in PAIRS if pair[0] is When.DUE]
    order = [*current_first, *(pair for pair in PAIRS if pair[0] is not When.DUE)]
    assert went(allocate(THREE, 150, TODAY, order, Leftover.KEPT)) == {"april": 100, "march": 50}


def test_a_part_the_list_does_not_name_receives_nothing() -> None:
    """What no pair covers stays owed, and the money stays unapplied."""
    order = [(When.PAST_DUE, Part.INTEREST)]
    paid = allocate([claim("march", MARCH, interest=5)], 50, TODAY, order, Leftover.NEXT)
    assert paid == Allocated({"march": Parts(interest=5)}, 45)
    assert parts_of(order, When.DUE) == ()


def test_money_that_comes_in_is_not_negative() -> None:
    """A negative payment is our own mistake: it stops the program."""
    with pytest.raises(AssertionError):
        allocate(THREE, -1, TODAY, PAIRS, Leftover.KEPT)


@given(parts, parts)
def test_parts_add_up_and_subtract_component_by_component(one: Parts, other: Parts) -> None:
    """Subtracting what was added gives the same parts, and the total is the sum of the components."""
    assert (one + other) - other == one
    assert one.total == sum(one.of(part) for part in Part)
    assert (one + other).total == one.total + other.total


@given(books(), st.integers(0, 4_000), days, orders, leftovers, st.sampled_from(["", "o0", "o9"]))
def test_money_is_conserved_and_no_part_receives_more_than_it_asks_for(
    claims: list[Claim],
    minor: int,
    on: date,
    order: list[Pair],
    leftover: Leftover,
    designated: str,
) -> None:
    """Applied and unapplied make what was paid, for any list, claims, day and designation."""
    allocated = allocate(claims, minor, on, order, leftover, designated)
    owed = {claim.id: claim.owed for claim in claims}
    assert sum(went(allocated).values()) + allocated.unapplied_minor == minor
    assert allocated.unapplied_minor >= 0
    for name, paid in allocated.applied.items():
        assert paid.total > 0
        assert all(0 <= paid.of(part) <= owed[name].of(part) for part in Part)


@given(books(), st.integers(0, 4_000), days, orders, leftovers)
def test_the_order_in_which_claims_are_listed_changes_nothing(
    claims: list[Claim],
    minor: int,
    on: date,
    order: list[Pair],
    leftover: Leftover,
) -> None:
    """Claims are a set; the list of pairs and their dates decide."""
    shuffled = claims[::-1]
    one = allocate(claims, minor, on, order, leftover)
    other = allocate(shuffled, minor, on, order, leftover)
    assert one == other


@given(books(), st.integers(0, 2_000), st.integers(0, 2_000), days, orders, leftovers)
def test_two_payments_of_a_day_settle_what_one_of_their_sum_settles(
    claims: list[Claim],
    first: int,
    second: int,
    on: date,
    order: list[Pair],
    leftover: Leftover,
) -> None:
    """Splitting a payment gains and loses nothing, part by part."""
    at_once = allocate(claims, first + second, on, order, leftover)
    before = allocate(claims, first, on, order, leftover)
    left = [
        Claim(each.id, each.due_on, each.seq, each.owed - before.applied.get(each.id, NOTHING))
        for each in claims
    ]
    after = allocate(left, second, on, order, leftover)
    assert at_once.unapplied_minor == before.unapplied_minor + after.unapplied_minor
    for each in claims:
        got = before.applied.get(each.id, NOTHING) + after.applied.get(each.id, NOTHING)
        assert got == at_once.applied.get(each.id, NOTHING)


@given(books(), st.integers(0, 4_000), days, orders)
def test_money_waits_only_when_nothing_it_may_pay_is_left(
    claims: list[Claim], minor: int, on: date, order: list[Pair]
) -> None:
    """With KEPT that is what is past due and due, else everything."""
    owed = sum(each.owed.total for each in claims)
    whens = standing_at(claims, on)
    now = sum(each.owed.total for each in claims if whens[each.id] is not When.IN_ADVANCE)
    for leftover, payable in (
        (Leftover.KEPT, now),
        (Leftover.NEXT, owed),
        (Leftover.LAST, owed),
    ):
        allocated = allocate(claims, minor, on, order, leftover)
        assert allocated.unapplied_minor == max(0, minor - payable)
