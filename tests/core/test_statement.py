"""Statements: every purchase on exactly one bill, however the due day moves, and money neither made nor lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from betimes.adapters.packs import profiles
from betimes.core.errors import Rejected
from betimes.core.product import Billing, Event, Profile, Rounding, Stage
from betimes.core.statement import (
    Chosen,
    Credit,
    Cycle,
    Forward,
    Item,
    Kind,
    Plan,
    Progress,
    Purchase,
    Refund,
    Statement,
    Supplied,
    after_billing,
    bill,
    check,
    convert,
    cycle_of,
    cycles,
    minimum,
    progress,
)
from tests.golden.vectors import GOLDEN

HUABEI = profiles()["huabei_like"]
assert HUABEI.billing is not None
TERMS: Billing = HUABEI.billing
AUGUST = Cycle(date(2026, 7, 1), date(2026, 8, 1), date(2026, 8, 10))
DAY = timedelta(days=1)


def with_terms(profile: Profile = HUABEI, **fields: object) -> Profile:
    """Return a profile with other terms of billing."""
    return replace(profile, billing=replace(TERMS, **fields))  # type: ignore[arg-type]  # fields of Billing


def bought(id_: str, on: str, minor: int = 1000) -> Purchase:
    """Return a purchase whose receipt was confirmed on a day, made five days before."""
    day = date.fromisoformat(on)
    return Purchase(id_, day - 5 * DAY, day, minor)


def august(*purchases: Purchase, **facts: object) -> Statement:
    """Return the bill of 1 August 2026."""
    return bill(AUGUST, HUABEI, purchases, **facts)  # type: ignore[arg-type]  # facts as bill takes them


def refusal(code: str, field: str) -> pytest.RaisesExc[Rejected]:
    """Return what catches a refusal with this code and field."""
    return pytest.RaisesExc(Rejected, check=lambda e: (e.code, e.field) == (code, field))


# Which bill


def test_confirmed_on_31_july_is_due_in_august_and_on_1_august_in_september() -> None:
    """The published example: the date of the confirmation decides, not that of the purchase."""
    july = cycle_of(date(2026, 7, 31), TERMS, 10)
    assert july == AUGUST
    assert cycle_of(date(2026, 8, 1), TERMS, 10).due_on == date(2026, 9, 10)
    late = Purchase("late", date(2026, 7, 2), date(2026, 8, 1), 700)
    statement = august(bought("in", "2026-07-31"), late)
    assert statement.items == (Item(Kind.PURCHASE, "in", 1000),)
    following = cycle_of(date(2026, 8, 1), TERMS, 10)
    assert bill(following, HUABEI, [late], billed=statement.ids).balance_minor == 700


@pytest.mark.parametrize(
    ("on", "due_day", "opens_on", "bill_on", "due_on"),
    [
        ("2026-07-31", 8, "2026-07-01", "2026-08-01", "2026-08-08"),
        ("2026-08-04", 15, "2026-07-05", "2026-08-05", "2026-08-15"),
        ("2026-08-05", 15, "2026-08-05", "2026-09-05", "2026-09-15"),
        ("2026-12-31", 20, "2026-12-10", "2027-01-10", "2027-01-20"),
        ("2028-02-29", 10, "2028-02-01", "2028-03-01", "2028-03-10"),
        ("2026-01-01", 10, "2026-01-01", "2026-02-01", "2026-02-10"),
    ],
)
def test_each_due_day_has_its_bill_day(
    on: str, due_day: int, opens_on: str, bill_on: str, due_on: str
) -> None:
    """8, 9 and 10 go with the 1st, 15 with the 5th, 20 with the 10th."""
    expected = Cycle(*map(date.fromisoformat, (opens_on, bill_on, due_on)))
    assert cycle_of(date.fromisoformat(on), TERMS, due_day) == expected
    assert expected.holds(date.fromisoformat(on))
    assert expected.holds(expected.opens_on)
    assert not expected.holds(expected.bill_on)


def test_a_bill_late_in_the_month_is_due_in_the_next_one() -> None:
    """As cards have it: bill on the 25th, due on the 15th."""
    billing = profiles()["card_like"].billing
    assert billing is not None
    cycle = cycle_of(date(2026, 12, 3), billing, 15)
    assert cycle == Cycle(date(2026, 11, 25), date(2026, 12, 25), date(2027, 1, 15))


def test_a_due_day_that_is_not_offered_is_refused() -> None:
    """The message names those that are."""
    with refusal("unknown_due_day", "due_day") as caught:
        cycle_of(date(2026, 7, 1), TERMS, 11)
    assert "8, 9, 10, 15, 20" in caught.value.message
    with refusal("unknown_due_day", "due_day"):
        cycles(
            [Chosen(date(2026, 7, 1), 10), Chosen(date(2030, 1, 1), 11)], TERMS, date(2026, 8, 1)
        )


def test_an_unconfirmed_purchase_is_not_billed_where_receipt_counts() -> None:
    """Where the purchase itself counts, it is."""
    waiting = Purchase("p", date(2026, 7, 3), None, 1000)
    assert august(waiting).items == ()
    by_purchase = with_terms(event=Event.PURCHASE)
    assert bill(AUGUST, by_purchase, [waiting]).balance_minor == 1000


def test_a_purchase_told_too_late_for_its_bill_stands_on_the_next_one() -> None:
    """It is not lost because its cycle is over."""
    cycle = cycle_of(date(2026, 8, 2), TERMS, 10)
    assert bill(cycle, HUABEI, [bought("late", "2026-07-30")]).balance_minor == 1000


def test_a_purchase_told_twice_is_billed_once() -> None:
    """The same id with another content is refused."""
    assert august(bought("p", "2026-07-30"), bought("p", "2026-07-30")).balance_minor == 1000
    with refusal("duplicate_id", "id"):
        august(bought("p", "2026-07-30"), bought("p", "2026-07-30", 1001))
    with refusal("bad_amount", "amount_minor"):
        august(bought("p", "2026-07-30", 0))


# When the due day moves


def moved(*chosen: tuple[str, int], through: str = "2026-10-01") -> list[tuple[str, str]]:
    """Return bill day and due day of the cycles after these choices."""
    choices = [Chosen(date.fromisoformat(on), day) for on, day in chosen]
    found = cycles(choices, TERMS, date.fromisoformat(through))
    return [(c.bill_on.isoformat()[5:], c.due_on.isoformat()[5:]) for c in found]


def test_a_later_due_day_makes_one_cycle_longer() -> None:
    """Bill 1 and due 10 become 5 and 15 from the running cycle on; the bill that was made stays due on the 10th."""
    assert moved(("2026-06-01", 10), ("2026-07-20", 15)) == [
        ("07-01", "07-10"),
        ("08-05", "08-15"),
        ("09-05", "09-15"),
        ("10-05", "10-15"),
    ]


def test_an_earlier_due_day_makes_one_cycle_shorter() -> None:
    """Bill 10 and due 20 become 1 and 8."""
    assert moved(("2026-06-10", 20), ("2026-07-20", 8))[:3] == [
        ("07-10", "07-20"),
        ("08-01", "08-08"),
        ("09-01", "09-08"),
    ]


def test_a_new_bill_day_that_has_passed_this_month_moves_the_next_bill() -> None:
    """On 5 August the bill of 10 August can no longer be made on the 1st: it stays, with the due day it had."""
    assert moved(("2026-07-10", 20), ("2026-08-05", 10))[:2] == [
        ("08-10", "08-20"),
        ("09-01", "09-10"),
    ]


def test_a_choice_made_on_the_new_bill_day_itself_comes_too_late_for_it() -> None:
    """A bill is made at the start of its day."""
    assert moved(("2026-07-10", 20), ("2026-08-05", 15))[:2] == [
        ("08-10", "08-20"),
        ("09-05", "09-15"),
    ]
    assert moved(("2026-07-10", 20), ("2026-08-04", 15))[0] == ("08-05", "08-15")


def test_a_choice_on_the_bill_day_is_for_the_next_bill() -> None:
    """The bill of that day was made at its start."""
    assert moved(("2026-06-01", 10), ("2026-07-01", 15))[:2] == [
        ("07-01", "07-10"),
        ("08-05", "08-15"),
    ]
    assert moved(("2026-06-01", 10), ("2026-06-30", 15))[0] == ("07-05", "07-15")


def test_a_due_day_with_the_same_bill_day_moves_only_the_due_date() -> None:
    """From 10 to 8: no cycle changes its length."""
    assert moved(("2026-06-01", 10), ("2026-07-20", 8))[:2] == [
        ("07-01", "07-10"),
        ("08-01", "08-08"),
    ]


def test_of_several_choices_in_one_cycle_the_last_counts() -> None:
    """Also where they are told out of order, and where two were made on one day."""
    first = moved(("2026-06-01", 10), ("2026-07-10", 20), ("2026-07-12", 15))
    assert first[1] == ("08-05", "08-15")
    assert moved(("2026-07-12", 15), ("2026-06-01", 10), ("2026-07-10", 20)) == first
    assert moved(("2026-06-01", 10), ("2026-07-12", 20), ("2026-07-12", 15)) == first


def test_an_account_opened_later_has_no_cycle_yet() -> None:
    """And one opened on the last day has one."""
    assert moved(("2026-10-02", 10)) == []
    assert moved(("2026-10-01", 10)) == [("11-01", "11-10")]


DATES = st.dates(date(2026, 1, 1), date(2028, 12, 31))


@st.composite
def billings(draw: st.DrawFn) -> Billing:
    """Make up terms of billing: some due days with their bill days, all due in the same month or all in the next."""
    same_month = draw(st.booleans())
    pairs = draw(
        st.dictionaries(st.integers(1, 28), st.integers(1, 28), min_size=3, max_size=8).map(
            lambda days: {d: b for d, b in days.items() if (d > b) is same_month}
        )
    )
    assume(pairs)
    return replace(TERMS, due_days=pairs)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Billing, list[Chosen], tuple[Cycle, ...]]:
    """Make up terms, an account's choices of due day in any order, and its cycles."""
    billing = draw(st.one_of(st.just(TERMS), billings()))
    days = st.sampled_from(sorted(billing.due_days))
    chosen = draw(st.lists(st.builds(Chosen, DATES, days), min_size=1, max_size=8))
    opened_on = min(choice.chosen_on for choice in chosen)
    through = opened_on + draw(st.integers(0, 800)) * DAY
    return billing, chosen, cycles(chosen, billing, through)


@given(lives())
def test_cycles_follow_each_other_without_gap_or_overlap(
    life: tuple[Billing, list[Chosen], tuple[Cycle, ...]],
) -> None:
    """Every day since the opening lies in one cycle, and a bill is due after it is made."""
    _, chosen, found = life
    assert found[0].opens_on == min(choice.chosen_on for choice in chosen)
    for before, after in pairwise(found):
        assert before.bill_on == after.opens_on
        assert before.due_on < after.due_on
    for cycle in found:
        assert cycle.opens_on < cycle.bill_on < cycle.due_on


@given(lives())
def test_every_month_has_one_bill_however_the_due_day_moves(
    life: tuple[Billing, list[Chosen], tuple[Cycle, ...]],
) -> None:
    """So no step of a month is lost and none is doubled."""
    months = [cycle.bill_on.year * 12 + cycle.bill_on.month for cycle in life[2]]
    assert months == list(range(months[0], months[0] + len(months)))


@given(lives())
def test_a_later_choice_changes_no_bill_that_was_made(
    life: tuple[Billing, list[Chosen], tuple[Cycle, ...]],
) -> None:
    """An old bill keeps its bill day and its due date."""
    billing, chosen, found = life
    last = max(chosen, key=lambda choice: choice.chosen_on)
    others = [choice for choice in chosen if choice is not last]
    assume(others and last.chosen_on > min(choice.chosen_on for choice in others))
    without = cycles(others, billing, found[-1].opens_on)
    for before, after in zip(without, found, strict=False):
        if before.bill_on <= last.chosen_on:
            assert before == after


# Every purchase once


@st.composite
def accounts(draw: st.DrawFn) -> tuple[tuple[Cycle, ...], list[Purchase], list[Refund]]:
    """Make up cycles, purchases of their time with and without confirmation, and refunds of them."""
    _, _, found = draw(lives())
    days = st.dates(found[0].opens_on, found[-1].bill_on - DAY)
    purchases = [
        Purchase(f"p{n}", on, draw(st.one_of(st.none(), days)), minor)
        for n, (on, minor) in enumerate(draw(st.lists(st.tuples(days, MINOR), max_size=12)))
    ]
    refunds = []
    for n, purchase in enumerate(purchases):
        left = purchase.amount_minor
        for part in draw(st.lists(st.integers(1, 10**6), max_size=2)):
            if part <= left:
                left -= part
                refunds.append(Refund(f"r{n}-{part}-{left}", purchase.id, draw(days), part))
    return found, purchases, refunds


MINOR = st.integers(1, 10**6)


def all_bills(
    profile: Profile,
    found: Sequence[Cycle],
    purchases: Sequence[Purchase],
    refunds: Sequence[Refund],
) -> tuple[list[Statement], int]:
    """Return the bills of an account that pays none of them, and the credit balance at its end."""
    made: list[Statement] = []
    billed: frozenset[str] = frozenset()
    credit = 0
    for cycle in found:
        forward = Forward(credit_minor=credit)
        statement = bill(cycle, profile, purchases, refunds=refunds, billed=billed, forward=forward)
        applied, left = after_billing(statement, refunds, statement.balance_minor)
        credit = statement.credit_left_minor + left
        made.append(replace(statement, credits=statement.credits + applied))
        billed |= statement.ids
    return made, credit


@given(accounts())
def test_every_purchase_is_billed_exactly_once_however_the_due_day_moves(
    account: tuple[tuple[Cycle, ...], list[Purchase], list[Refund]],
) -> None:
    """Those confirmed, on the bill of the cycle that holds the day; the others on none."""
    found, purchases, refunds = account
    made, _ = all_bills(HUABEI, found, purchases, refunds)
    lines = [item.id for statement in made for item in statement.items]
    assert sorted(lines) == sorted(p.id for p in purchases if p.confirmed_on is not None)
    days = {purchase.id: purchase.confirmed_on for purchase in purchases}
    for statement in made:
        for item in statement.items:
            on = days[item.id]
            assert on is not None
            assert statement.cycle.holds(on)


@given(accounts())
def test_what_is_billed_less_the_credits_is_what_was_bought_less_the_refunds(
    account: tuple[tuple[Cycle, ...], list[Purchase], list[Refund]],
) -> None:
    """Over the whole life of an account, whenever the refunds came."""
    found, purchases, refunds = account
    made, credit = all_bills(HUABEI, found, purchases, refunds)
    billed = sum(item.amount_minor for statement in made for item in statement.items)
    off = sum(c.amount_minor for statement in made for c in statement.credits)
    confirmed = {p.id: p.amount_minor for p in purchases if p.confirmed_on is not None}
    given_back = sum(r.amount_minor for r in refunds if r.purchase_id in confirmed)
    assert billed == sum(confirmed.values())
    assert off + credit == given_back
    for statement in made:
        assert sum(c.amount_minor for c in statement.credits) <= sum(
            item.amount_minor for item in statement.items
        )


# Refunds


def test_a_refund_before_the_bill_reduces_it() -> None:
    """The purchase stands there in full, with its refund as a credit."""
    statement = august(
        bought("p", "2026-07-20"), refunds=[Refund("r", "p", date(2026, 7, 31), 400)]
    )
    assert statement.credits == (Credit("r", "p", 400),)
    assert statement.balance_minor == 600
    assert after_billing(statement, [Refund("r", "p", date(2026, 7, 31), 400)], 600) == ((), 0)


def test_a_refund_on_the_bill_day_or_later_is_a_credit_on_the_billed_obligation() -> None:
    """It does not change the bill."""
    refund = Refund("r", "p", date(2026, 8, 1), 400)
    statement = august(bought("p", "2026-07-20"), refunds=[refund])
    assert statement.balance_minor == 1000
    assert after_billing(statement, [refund], 1000) == ((Credit("r", "p", 400),), 0)


def test_a_refund_of_what_is_paid_already_is_carried_to_the_next_bill() -> None:
    """Cut in two by what is open; the next bill is never below zero and hands on what is left."""
    refund = Refund("r", "p", date(2026, 8, 20), 800)
    statement = august(bought("p", "2026-07-20"))
    applied, left = after_billing(statement, [refund], 300)
    assert (applied, left) == ((Credit("r", "p", 300),), 500)
    assert after_billing(statement, [refund], 0) == ((), 800)
    following = cycle_of(date(2026, 8, 2), TERMS, 10)
    small = [bought("q", "2026-08-02", 200)]
    after = bill(following, HUABEI, small, billed=statement.ids, forward=Forward(credit_minor=left))
    assert after.balance_minor == after.minimum_minor == 0
    assert after.credit_left_minor == 300
    assert after.credits == (Credit("", "", 200),)


def test_a_refund_told_late_is_a_credit_on_the_bill_that_missed_it() -> None:
    """Its date lies before the bill, but the bill was made without it."""
    statement = august(bought("p", "2026-07-20"))
    late = Refund("r", "p", date(2026, 7, 25), 100)
    assert after_billing(statement, [late], 1000) == ((Credit("r", "p", 100),), 0)


def test_a_refund_of_an_unknown_or_unconfirmed_purchase_waits() -> None:
    """Nothing is billed for it, so nothing is given back."""
    refunds = [Refund("r", "none", date(2026, 7, 3), 5), Refund("s", "u", date(2026, 7, 3), 5)]
    statement = august(Purchase("u", date(2026, 7, 2), None, 10), refunds=refunds)
    assert (statement.items, statement.credits) == ((), ())


def test_refunds_above_their_purchase_are_refused() -> None:
    """Before the bill and across it."""
    refunds = [
        Refund("r", "p", date(2026, 7, 21), 600),
        Refund("s", "p", date(2026, 7, 22), 401),
    ]
    with refusal("refund_too_high", "amount_minor"):
        august(bought("p", "2026-07-20"), refunds=refunds)
    later = [refunds[0], replace(refunds[1], refunded_on=date(2026, 8, 3))]
    statement = august(bought("p", "2026-07-20"), refunds=later)
    with refusal("refund_too_high", "amount_minor"):
        after_billing(statement, later, 400)


def test_what_earlier_bills_hand_on_is_never_negative() -> None:
    """A credit balance has a field of its own."""
    with refusal("negative_amount", "credit_minor"):
        Forward(credit_minor=-1)


# Minimum payment


def test_the_minimum_is_a_share_of_what_revolves_and_all_of_the_rest() -> None:
    """10 % of purchases and of what was left before, and fees, overdue amounts and instalments in full."""
    plan = convert(
        august(bought("p", "2026-07-20", 3000)), HUABEI, 3, date(2026, 8, 2), plan_id="c"
    )[1]
    following = cycle_of(date(2026, 8, 2), TERMS, 10)
    statement = bill(
        following,
        HUABEI,
        [bought("q", "2026-08-02", 10_000)],
        plans=[plan],
        forward=Forward(revolving_minor=5000, overdue_minor=700, fee_minor=20),
    )
    part = plan.parts[0].amount_minor
    assert statement.balance_minor == 10_000 + 5000 + 700 + 20 + part
    assert statement.minimum_minor == 1500 + 700 + 20 + part
    assert statement.fee_minor == 20 + plan.parts[0].fee_minor
    assert statement.principal_minor + statement.fee_minor == statement.balance_minor


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [(Rounding.HALF_EVEN, 12), (Rounding.HALF_UP, 13), (Rounding.DOWN, 12), (Rounding.UP, 13)],
)
def test_the_share_is_rounded_as_the_product_rounds(rounding: Rounding, expected: int) -> None:
    """10 % of 1.25 is 12.5 fen."""
    profile = replace(HUABEI, rounding=rounding)
    assert bill(AUGUST, profile, [bought("p", "2026-07-20", 125)]).minimum_minor == expected


def test_the_floor_is_the_least_of_a_minimum_and_the_bill_the_most() -> None:
    """A bill below the floor is due in full."""
    profile = with_terms(minimum_floor_minor=500)
    for balance, expected in ((400, 400), (500, 500), (4999, 500), (5000, 500), (5010, 501)):
        purchase = bought("p", "2026-07-20", balance)
        assert bill(AUGUST, profile, [purchase]).minimum_minor == expected


def test_a_product_without_share_and_floor_has_no_minimum() -> None:
    """0 says that there is none: the whole bill is due."""
    profile = with_terms(minimum_share=Decimal(0))
    statement = bill(
        AUGUST, profile, [bought("p", "2026-07-20")], forward=Forward(overdue_minor=50)
    )
    assert (statement.balance_minor, statement.minimum_minor) == (1050, 0)


@given(
    share=st.decimals(0, 1, places=4),
    floor=st.integers(0, 10**6),
    rounding=st.sampled_from(Rounding),
    revolving=st.integers(0, 10**12),
    in_full=st.integers(0, 10**12),
    off=st.integers(0, 10**6),
)
def test_the_minimum_is_never_above_the_bill(
    share: Decimal, floor: int, rounding: Rounding, revolving: int, in_full: int, off: int
) -> None:
    """And never negative."""
    billing = replace(TERMS, minimum_share=share, minimum_floor_minor=floor)
    balance = max(0, revolving + in_full - off)
    least = minimum(
        billing, rounding, balance_minor=balance, revolving_minor=revolving, in_full_minor=in_full
    )
    assert 0 <= least <= balance


# Conversion


BILLED = august(bought("p", "2026-07-20", 100_000), bought("q", "2026-07-22", 20_000))


def test_a_bill_spread_over_twelve_months_carries_its_fee_in_the_parts() -> None:
    """1,200.00 at 8.8 %: 105.60 of fee, 100.00 and 8.80 on each of the next twelve bills."""
    left, plan = convert(BILLED, HUABEI, 12, date(2026, 8, 1), plan_id="c")
    assert (left.balance_minor, left.minimum_minor, left.principal_minor) == (0, 0, 0)
    assert plan.amount_minor == 120_000
    assert plan.fee_minor == 10_560
    assert {(part.principal_minor, part.fee_minor) for part in plan.parts} == {(10_000, 880)}


@pytest.mark.parametrize("row", GOLDEN["flat_fee"]["rows"], ids=lambda row: f"{row[0]} months")
def test_a_part_is_what_the_published_tariff_gives(row: list[Any]) -> None:
    """For 1,000.00 at the fee of the profile; the last part takes what rounding leaves."""
    months, fee, payment = row[:3]
    statement = august(bought("p", "2026-07-20", 100_000))
    plan = convert(statement, HUABEI, months, date(2026, 8, 1), plan_id="c")[1]
    assert plan.fee_minor == int(Decimal(fee) * 1000)
    assert {part.amount_minor for part in plan.parts[:-1]} == {int(Decimal(payment) * 100)}


def test_a_purchase_on_the_bill_can_be_spread_alone() -> None:
    """Less its refund; the rest of the bill stays, with a lower minimum."""
    refund = Refund("r", "q", date(2026, 7, 30), 5000)
    purchases = [bought("p", "2026-07-20", 100_000), bought("q", "2026-07-22", 20_000)]
    statement = august(*purchases, refunds=[refund])
    left, plan = convert(statement, HUABEI, 3, date(2026, 8, 10), plan_id="c", purchase_id="q")
    assert (plan.purchase_id, plan.amount_minor) == ("q", 15_000)
    assert (left.balance_minor, left.minimum_minor) == (100_000, 10_000)
    with refusal("bad_conversion", "purchase_id"):
        convert(left, HUABEI, 3, date(2026, 8, 10), plan_id="d", purchase_id="q")


def test_a_bill_can_be_spread_from_its_bill_day_up_to_its_due_day() -> None:
    """On the day before and on the day after it is refused."""
    for day in (1, 10):
        assert convert(BILLED, HUABEI, 3, date(2026, 8, day), plan_id="c")
    for on in (date(2026, 7, 31), date(2026, 8, 11)):
        with refusal("bad_conversion", "on"):
            convert(BILLED, HUABEI, 3, on, plan_id="c")


@pytest.mark.parametrize(
    ("months", "asked", "field"),
    [
        (4, {}, "months"),
        (0, {}, "months"),
        (3, {"amount_minor": 120_001}, "amount_minor"),
        (3, {"amount_minor": -1}, "amount_minor"),
        (3, {"amount_minor": 20_001, "paid_minor": 100_000}, "amount_minor"),
        (3, {"paid_minor": 120_000}, "amount_minor"),
        (3, {"paid_minor": 200_000}, "amount_minor"),
        (3, {"purchase_id": "q", "amount_minor": 20_001}, "amount_minor"),
        (3, {"purchase_id": "p", "paid_minor": 30_000}, "amount_minor"),
        (3, {"purchase_id": "x"}, "purchase_id"),
    ],
)
def test_what_cannot_be_spread_is_refused(
    months: int, asked: dict[str, int | str], field: str
) -> None:
    """Months outside the tariff, more than the bill, more than is still open of it, no purchase of it."""
    with refusal("bad_conversion", field):
        convert(BILLED, HUABEI, months, date(2026, 8, 2), plan_id="c", **asked)  # type: ignore[arg-type]  # by name


def test_fees_overdue_amounts_and_parts_are_not_spread_again() -> None:
    """Only purchases and what revolves are."""
    statement = august(bought("p", "2026-07-20"), forward=Forward(overdue_minor=300, fee_minor=40))
    assert statement.spreadable_minor == 1000
    with refusal("bad_conversion", "amount_minor"):
        convert(statement, HUABEI, 3, date(2026, 8, 2), plan_id="c", amount_minor=1001)
    left, _ = convert(statement, HUABEI, 3, date(2026, 8, 2), plan_id="c")
    assert left.balance_minor == left.minimum_minor == 340
    with refusal("bad_conversion", "plan_id"):
        convert(left, HUABEI, 3, date(2026, 8, 2), plan_id="c")


def test_a_part_follows_its_bill_when_the_due_day_moves() -> None:
    """One part a month, on the bill of that month, and none after the last."""
    plan = convert(BILLED, HUABEI, 3, date(2026, 8, 2), plan_id="c")[1]
    chosen = [Chosen(date(2026, 7, 1), 10), Chosen(date(2026, 9, 20), 20)]
    seen = []
    billed = BILLED.ids
    for cycle in cycles(chosen, TERMS, date(2027, 1, 1)):
        statement = bill(cycle, HUABEI, (), plans=[plan, plan], billed=billed)
        billed |= statement.ids
        assert statement.minimum_minor == statement.balance_minor
        seen += [(cycle.bill_on, item.id) for item in statement.items]
    assert seen == [
        (date(2026, 9, 1), "c/1"),
        (date(2026, 10, 10), "c/2"),
        (date(2026, 11, 10), "c/3"),
    ]


def plans_total(plans: Iterable[Plan]) -> int:
    """Return the principal in all parts of some plans."""
    return sum(part.principal_minor for plan in plans for part in plan.parts)


@given(
    amounts=st.lists(MINOR, min_size=1, max_size=4),
    asked=st.lists(st.tuples(st.integers(1, 10**6), st.sampled_from([3, 6, 9, 12])), max_size=3),
    rounding=st.sampled_from(Rounding),
    remainder=st.sampled_from(["last", "first"]),
    paid=st.integers(0, 10**5),
)
@example(amounts=[5], asked=[(5, 12)], rounding=Rounding.UP, remainder="last", paid=0)
def test_conversion_conserves_money(
    amounts: list[int],
    asked: list[tuple[int, int]],
    rounding: Rounding,
    remainder: str,
    paid: int,
) -> None:
    """Bill and parts add up to what was bought; fees add up to the tariff; no part is negative, and none is lost."""
    profile = replace(HUABEI, rounding=rounding, remainder=remainder)
    purchases = [bought(f"p{n}", "2026-07-20", minor) for n, minor in enumerate(amounts)]
    statement = bill(AUGUST, profile, purchases)
    for n, (minor, months) in enumerate(asked):
        if minor > statement.balance_minor - paid:
            continue
        statement, plan = convert(
            statement,
            profile,
            months,
            date(2026, 8, 3),
            plan_id=f"c{n}",
            amount_minor=minor,
            paid_minor=paid,
        )
        assert len(plan.parts) == months
        assert plan_fee_is_exact(plan, TERMS.instalment_fees[months])
        assert all(part.principal_minor >= 0 <= part.fee_minor for part in plan.parts)
    assert statement.balance_minor + plans_total(statement.plans) == sum(amounts)
    assert 0 <= statement.minimum_minor <= statement.balance_minor
    billed = statement.ids
    later = 0
    for cycle in cycles([Chosen(date(2026, 8, 1), 10)], TERMS, date(2027, 8, 1)):
        after = bill(cycle, profile, (), plans=statement.plans, billed=billed)
        billed |= after.ids
        later += after.principal_minor
    assert later == plans_total(statement.plans)


def plan_fee_is_exact(plan: Plan, share: Decimal) -> bool:
    """Return whether the fee of a plan is its share of the principal to within one unit."""
    return abs(plan.fee_minor - plan.amount_minor * share) < 1


def test_rounding_lies_in_the_last_part_or_is_spread_over_the_first_ones() -> None:
    """100 fen over three months."""
    statement = august(bought("p", "2026-07-20", 100))
    for remainder, expected in (("last", [33, 33, 34]), ("first", [34, 33, 33])):
        profile = replace(HUABEI, remainder=remainder)
        plan = convert(statement, profile, 3, date(2026, 8, 2), plan_id="c")[1]
        assert [part.principal_minor for part in plan.parts] == expected


# Statements of the lender


def test_a_statement_of_the_lender_is_checked_figure_by_figure() -> None:
    """The first that differs is named, without its value; none is replaced."""
    right = Supplied(date(2026, 8, 1), date(2026, 8, 10), 120_000, 12_000)
    check(right, BILLED)
    for figure in ("bill_on", "due_on"):
        with refusal("statement_mismatch", figure) as caught:
            check(replace(right, **{figure: date(2026, 8, 15)}), BILLED)  # type: ignore[arg-type]  # both are dates
        assert figure in caught.value.message
    for figure in ("balance_minor", "minimum_minor"):
        with refusal("statement_mismatch", figure) as caught:
            check(replace(right, **{figure: 11_999}), BILLED)  # type: ignore[arg-type]  # both are amounts
        assert figure in caught.value.message
        assert "11999" not in caught.value.message


# Progress payments


WORK = profiles()["home_improvement"]


def test_a_stage_falls_due_after_its_delivery_is_confirmed_and_not_before() -> None:
    """10,000.00 in four stages; what was not delivered is not billed, also when a later stage was."""
    confirmed = {"signed": date(2026, 3, 1), "tiling_and_carpentry": date(2026, 4, 20)}
    assert progress(1_000_000, WORK, confirmed) == (
        Progress("signed", 300_000, date(2026, 3, 4)),
        Progress("plumbing_and_wiring", 300_000, None),
        Progress("tiling_and_carpentry", 300_000, date(2026, 4, 27)),
        Progress("handed_over", 100_000, None),
    )


def test_an_unknown_stage_is_refused() -> None:
    """The message names the stages of the product."""
    with refusal("unknown_stage", "stage") as caught:
        progress(100, WORK, {"painting": date(2026, 3, 1)})
    assert "handed_over" in caught.value.message


@given(
    minor=st.integers(0, 10**12),
    weights=st.lists(st.integers(1, 100), min_size=1, max_size=6),
    rounding=st.sampled_from(Rounding),
)
def test_the_stages_add_up_to_the_whole(minor: int, weights: list[int], rounding: Rounding) -> None:
    """However the shares round, and no stage is negative."""
    shares = [(Decimal(weight) / sum(weights)).quantize(Decimal("0.0001")) for weight in weights]
    stages = tuple(Stage(f"s{n}", share, 0) for n, share in enumerate(shares))
    parts = progress(minor, replace(WORK, stages=stages, rounding=rounding), {})
    assert sum(part.amount_minor for part in parts) == minor
    assert all(part.amount_minor >= 0 for part in parts)
