"""One account from its facts: what each debt received, what it still asks for, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import replay as replaying
from betimes.core.allocation import NOTHING, Parts
from betimes.core.late import Interval, Meter
from betimes.core.product import (
    ORDERS,
    PAIRS,
    PLAIN,
    Grace,
    Late,
    LateBase,
    LateMode,
    LateStart,
    Leftover,
    Part,
    Profile,
    Rounding,
    When,
)
from betimes.core.replay import Debt, Receipt, Replayed, Standing, owed, replay

ISSUED, DUE = date(2026, 3, 1), date(2026, 3, 10)
NO_RATE = Decimal(0)
# 0.05 % a day from the due day on: 1000.00 costs 0.50 a day, so that days charged are days past due.
LATE = Late(daily_rate=Decimal("0.0005"), start=LateStart.DUE_DAY)
CHARGING = Profile("charging@1", late=LATE)
WAITING = replace(PLAIN, leftover=Leftover.NEXT)


def due_plus(days: int) -> date:
    return DUE + timedelta(days)


def debt(name: str = "o1", principal: int = 100_000, month: int = 3, **parts: int) -> Debt:
    issued_on, due_on = date(2026, month, 1), date(2026, month, 10)
    return Debt(name, month, issued_on, due_on, Parts(principal=principal, **parts))


def paid(name: str, on: date, minor: int, to: str = "o1", **rest: Any) -> Receipt:
    return Receipt(name, on, datetime.combine(on, time(4), UTC), minor, to, **rest)


def after(
    debts: Debt | Sequence[Debt],
    *receipts: Receipt,
    profile: Profile = CHARGING,
    frozen: Sequence[Interval] = (),
) -> Replayed:
    debts = [debts] if isinstance(debts, Debt) else debts
    return replay(debts, receipts, profile, NO_RATE, frozen)


def asks(
    one: Debt, on: date, *receipts: Receipt, profile: Profile = CHARGING, **rest: Any
) -> Parts:
    """Return what a debt alone in its account asks for on a date."""
    standing = after(one, *receipts, profile=profile, **rest).standings[one.id]
    return owed(one, standing, on, profile, NO_RATE, **rest)


# --- one debt -----------------------------------------------------------------------------------


def test_late_interest_of_a_debt_is_a_half_a_day_and_is_asked_for_as_penalty() -> None:
    """1000.00 at 0.05 % is 0.50 a day, on top of a penalty that was billed."""
    one = debt(penalty=500)
    assert asks(one, DUE) == Parts(penalty=500, principal=100_000)
    assert asks(one, due_plus(1)) == Parts(penalty=550, principal=100_000)
    assert asks(one, due_plus(92)) == Parts(penalty=500 + 92 * 50, principal=100_000)


def test_the_rest_after_a_part_payment_bears_late_interest_from_then_on() -> None:
    """500 of late interest paid, then 40,000 of principal bear 20 a day."""
    receipts = [paid("r1", due_plus(10), 60_500)]
    standing = after(debt(), *receipts).standings["o1"]
    assert standing == Standing(Parts(penalty=500, principal=60_000), Decimal(500), due_plus(10))
    assert asks(debt(), due_plus(10), *receipts) == Parts(principal=40_000)
    assert asks(debt(), due_plus(15), *receipts) == Parts(penalty=5 * 20, principal=40_000)


def test_principal_settled_but_late_interest_open_is_still_open() -> None:
    """Defect of another system: late interest lost once the principal is paid (frappe/erpnext 58220)."""
    profile = replace(CHARGING, allocation=ORDERS["principal_first"])
    receipts = [paid("r1", due_plus(10), 100_000)]
    standing = after(debt(), *receipts, profile=profile).standings["o1"]
    assert not standing.is_settled
    for later in (10, 11, 400):
        assert asks(debt(), due_plus(later), *receipts, profile=profile) == Parts(penalty=500)
    receipts.append(paid("r2", due_plus(30), 500))
    assert after(debt(), *receipts, profile=profile).standings["o1"].settled_by == "r2"
    assert asks(debt(), due_plus(400), *receipts, profile=profile) == NOTHING


def test_a_shortfall_within_tolerance_settles_and_is_forgiven_for_good() -> None:
    """Exactly the tolerance short is settled and never grows again; one minor unit more is open."""
    profile = replace(CHARGING, tolerance_minor=1_000)
    short = paid("r1", DUE, 99_000)
    assert after(debt(), short, profile=profile).standings["o1"].settled_by == "r1"
    assert asks(debt(), due_plus(90), short, profile=profile) == NOTHING
    too_short = paid("r1", DUE, 98_999)
    assert not after(debt(), too_short, profile=profile).standings["o1"].is_settled
    assert asks(debt(), DUE, too_short, profile=profile) == Parts(principal=1_001)


def test_money_for_a_debt_settled_within_tolerance_is_overpaid() -> None:
    """What was forgiven is not taken back when it comes after all."""
    profile = replace(PLAIN, tolerance_minor=1_000)
    replayed = after(debt(), paid("r1", DUE, 99_500), paid("r2", DUE, 500), profile=profile)
    assert replayed.standings["o1"].overpaid_minor == 500
    assert replayed.standings["o1"].paid == Parts(principal=99_500)


def test_tolerance_counts_late_interest_on_the_receipts_date() -> None:
    """The principal in full 20 days late leaves 10.00 of late interest: settled; 21 days: open."""
    profile = replace(CHARGING, tolerance_minor=1_000, allocation=ORDERS["principal_first"])
    principal = {days: paid("r1", due_plus(days), 100_000) for days in (20, 21)}
    assert after(debt(), principal[20], profile=profile).standings["o1"].is_settled
    assert not after(debt(), principal[21], profile=profile).standings["o1"].is_settled


@pytest.mark.parametrize(
    ("grace", "costs"),
    [
        (Grace.NONE, {3: 150, 4: 200, 5: 250}),
        (Grace.WAIVED, {3: 0, 4: 50, 5: 100}),
        (Grace.RETROACTIVE, {3: 0, 4: 200, 5: 250}),
    ],
)
def test_late_interest_waits_for_the_end_of_grace(grace: Grace, costs: dict[int, int]) -> None:
    """Three kinds of grace on days 3, 4 and 5 after the due date."""
    profile = replace(CHARGING, grace_days=3, late=replace(LATE, grace=grace))
    for days, penalty in costs.items():
        assert asks(debt(), due_plus(days), profile=profile).penalty == penalty


@pytest.mark.parametrize("grace", [Grace.WAIVED, Grace.RETROACTIVE])
def test_paid_in_full_inside_grace_never_cost_late_interest(grace: Grace) -> None:
    """Also in two payments, the last on the last day."""
    profile = replace(CHARGING, grace_days=3, late=replace(LATE, grace=grace))
    receipts = [paid("r1", due_plus(1), 40_000), paid("r2", due_plus(3), 60_000)]
    standing = after(debt(), *receipts, profile=profile).standings["o1"]
    assert standing == Standing(Parts(principal=100_000), Decimal(0), due_plus(3), settled_by="r2")
    assert asks(debt(), due_plus(30), *receipts, profile=profile) == NOTHING


def test_part_paid_inside_grace_counts_back_to_the_due_date_on_what_was_unpaid() -> None:
    """Two days on the whole and two on the rest, owed once grace is over."""
    profile = replace(CHARGING, grace_days=3, late=replace(LATE, grace=Grace.RETROACTIVE))
    part = paid("r1", due_plus(2), 60_000)
    assert asks(debt(), due_plus(3), part, profile=profile) == Parts(principal=40_000)
    expected = 2 * 50 + 2 * 20
    assert asks(debt(), due_plus(4), part, profile=profile).penalty == expected


def test_late_interest_is_rounded_once_and_not_a_day_at_a_time() -> None:
    """0.4 a day: rounded daily it would never come to anything."""
    profile = replace(CHARGING, rounding=Rounding.DOWN)
    one = debt(principal=800)
    assert [asks(one, due_plus(days), profile=profile).penalty for days in (1, 2, 3, 5)] == [
        0,
        0,
        1,
        2,
    ]
    part = [paid(f"r{days}", due_plus(days), 1) for days in (3, 5)]
    assert asks(one, due_plus(10), *part, profile=profile).penalty == 4 - 2


def test_a_moratorium_stops_late_interest() -> None:
    """Four frozen days cost nothing, also where a payment falls among them."""
    frozen = [(due_plus(5), due_plus(9))]
    assert asks(debt(), due_plus(20), frozen=frozen).penalty == 16 * 50
    part = paid("r1", due_plus(7), 250)
    assert asks(debt(), due_plus(20), part, frozen=frozen) == Parts(11 * 50, 0, 0, 100_000)


def test_adds_charges_the_contracts_rate_as_well() -> None:
    """0.05 % and 0.03 % a day are 0.80 a day on 1000.00."""
    profile = replace(CHARGING, late=replace(LATE, mode=LateMode.ADDS))
    standing = replay([debt()], [], profile, Decimal("0.0003")).standings["o1"]
    assert owed(debt(), standing, due_plus(10), profile, Decimal("0.0003")).penalty == 800


def test_a_date_before_the_last_receipt_is_answered_with_the_standing() -> None:
    """No late interest is taken back, and the receipt counts."""
    receipts = [paid("r1", due_plus(10), 50_500)]
    assert asks(debt(), DUE, *receipts) == Parts(principal=50_000)


def test_a_debt_over_nothing_owes_nothing_and_keeps_what_comes_for_it() -> None:
    """It is settled only by money, and all of that is too much."""
    empty = debt(principal=0)
    assert not after(empty).standings["o1"].is_settled
    assert asks(empty, due_plus(90)) == NOTHING
    standing = after(empty, paid("r1", DUE, 5)).standings["o1"]
    assert (standing.settled_by, standing.overpaid_minor) == ("r1", 5)


# --- the order of facts -------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [PLAIN, CHARGING])
def test_a_credit_counts_before_a_payment_of_the_same_day(profile: Profile) -> None:
    """Although the credit note came nine hours later."""
    money = paid("a", DUE, 70_000)
    note = replace(paid("z", DUE, 30_000, credit=True), at=money.at + timedelta(hours=9))
    assert after(debt(), money, note, profile=profile).standings["o1"].settled_by == "a"
    no_note = replace(note, credit=False)
    assert after(debt(), money, no_note, profile=profile).standings["o1"].settled_by == "z"


def test_payments_of_a_day_count_by_instant_then_id() -> None:
    """At the same instant the id decides, not the order of delivery."""
    same = [paid(name, DUE, 60_000) for name in ("r2", "r1")]
    assert after(debt(), *same).standings["o1"].settled_by == "r2"
    earlier = replace(same[0], at=same[0].at - timedelta(seconds=1))
    assert after(debt(), earlier, same[1]).standings["o1"].settled_by == "r1"


def test_a_backdated_payment_replays_what_came_after_it() -> None:
    """Twenty days back on an account that was closed meanwhile: settled then, without late interest."""
    late_one = paid("r1", due_plus(20), 101_000)
    assert after(debt(), late_one).standings["o1"].accrued == 1_000
    replayed = after(debt(), late_one, paid("r0", DUE, 100_000))
    standing = replayed.standings["o1"]
    assert standing == Standing(Parts(principal=100_000), Decimal(0), DUE, 101_000, "r0")


def test_a_reversal_brings_back_exactly_what_was_owed() -> None:
    """The late interest of the days between comes back with it."""
    first, bounced = paid("r1", DUE, 20_000), paid("r2", due_plus(2), 80_080)
    before = asks(debt(), due_plus(40), first)
    assert asks(debt(), due_plus(40), first, bounced) == NOTHING
    assert before == asks(debt(), due_plus(40), first) == Parts(40 * 40, 0, 0, 80_000)


# --- whose money --------------------------------------------------------------------------------


def test_designated_money_reaches_a_debt_that_is_not_issued_yet() -> None:
    """A source may date money before the debt it settles."""
    replayed = after(debt(), paid("r1", ISSUED - timedelta(9), 100_000))
    assert replayed.standings["o1"].settled_by == "r1"


def test_money_for_a_debt_that_is_not_known_waits_for_it() -> None:
    """It settles nothing else meanwhile, and its own debt once that is told."""
    money = paid("r1", DUE, 100_000, to="o2")
    assert after(debt(), money).unapplied == {"r1": 100_000}
    assert not after(debt(), money).standings["o1"].is_settled
    for profile in (CHARGING, WAITING):
        replayed = after([debt(), debt("o2")], money, profile=profile)
        assert (dict(replayed.unapplied), replayed.standings["o2"].settled_by) == ({}, "r1")


def test_a_surplus_stays_where_it_was_paid_or_goes_on() -> None:
    """300.00 too much: overpaid on the first instalment, or paid on the second."""
    two = [debt(), debt("o2", month=4)]
    two[1] = replace(two[1], issued_on=ISSUED)
    money = paid("r1", DUE, 130_000)
    kept = after(two, money, profile=PLAIN)
    assert (kept.standings["o1"].overpaid_minor, kept.standings["o2"].paid) == (30_000, NOTHING)
    onward = after(two, money, profile=WAITING)
    assert onward.standings["o1"].overpaid_minor == 0
    assert onward.standings["o2"].paid == Parts(principal=30_000)


@pytest.mark.parametrize("late", [Late(), LATE])
def test_where_the_order_depends_on_the_calendar_designated_money_follows_it(late: Late) -> None:
    """Principal first once past due, interest first before: the next due date decides for a debt that is in advance."""
    firsts = {When.PAST_DUE: "principal_first", When.DUE: "interest_first"}
    order = tuple(
        pair
        for when in When
        for pair in ORDERS[firsts.get(when, "penalty_fee_interest_principal")]
        if pair[0] is when
    )
    profile = replace(PLAIN, allocation=order, late=late)
    first = debt("o1")
    second = replace(debt("o2", interest=700, fee=300, month=4), issued_on=ISSUED)

    def settles(on: date) -> Parts:
        money = paid("r1", on, 500, to="o2")
        return after([first, second], money, profile=profile).standings["o2"].paid

    assert settles(DUE) == Parts(fee=300, interest=200)
    assert settles(due_plus(1)) == Parts(interest=500)
    assert settles(second.due_on + timedelta(1)) == Parts(principal=500)


@pytest.mark.parametrize("leftover", Leftover)
def test_a_credit_balance_is_spent_when_the_next_debt_is_issued(leftover: Leftover) -> None:
    """Whatever the rule for a surplus: nobody is asked for what he has paid already."""
    profile = replace(CHARGING, leftover=leftover)
    money = paid("r1", DUE, 130_000, to="")
    assert after(debt(), money, profile=profile).unapplied == {"r1": 30_000}
    replayed = after([debt(), debt("o2", month=4)], money, profile=profile)
    assert dict(replayed.unapplied) == {}
    assert replayed.standings["o2"].paid == Parts(principal=30_000)


def test_a_kept_credit_balance_goes_to_what_falls_due_first() -> None:
    """A fee issued after the money, due before the second instalment: kept money takes it, NEXT has paid in advance."""
    second = replace(debt("o2", month=4), issued_on=ISSUED)
    fee = Debt("fee", 9, DUE, DUE + timedelta(9), Parts(fee=30_000))
    facts = [debt(), second, fee], paid("r1", ISSUED, 130_000, to="")
    kept = after(*facts).standings
    assert (kept["fee"].settled_by, kept["o2"].paid) == ("r1", NOTHING)
    onward = after(*facts, profile=replace(CHARGING, leftover=Leftover.NEXT)).standings
    assert (onward["fee"].paid, onward["o2"].paid) == (NOTHING, Parts(principal=30_000))


def test_a_debt_that_is_paid_already_still_says_what_is_due_next() -> None:
    """The first instalment is paid before its due date: until that is over, kept money goes to nothing after it."""
    second = replace(debt("o2", month=4), issued_on=ISSUED)
    fee = Debt("fee", 9, due_plus(-2), due_plus(9), Parts(fee=30_000))
    money = [paid("r1", ISSUED, 100_000), paid("r2", due_plus(-5), 30_000, to="")]
    standings = after([debt(), second, fee], *money).standings
    assert standings["o1"].settled_by == "r1"
    assert (standings["fee"].settled_by, standings["o2"].paid) == ("r2", NOTHING)


def test_a_kept_credit_balance_meets_an_instalment_before_it_can_be_late() -> None:
    """Three instalments issued at once, paid for two and a half in advance: only the rest of the third costs."""
    schedule = [replace(debt(f"o{month}", month=month), issued_on=ISSUED) for month in (3, 4, 5)]
    replayed = after(schedule, paid("r1", ISSUED, 250_000, to=""))
    assert [replayed.standings[each.id].paid.total for each in schedule] == [
        100_000,
        100_000,
        50_000,
    ]
    third = replayed.standings["o5"]
    assert owed(schedule[2], third, date(2026, 5, 20), CHARGING, NO_RATE) == Parts(
        250, 0, 0, 50_000
    )


def test_the_oldest_credit_is_spent_first() -> None:
    """The second receipt settles the debt and keeps the rest."""
    money = [paid(name, DUE, 10_000, to="") for name in ("r1", "r2")]
    replayed = after([debt("o2", principal=15_000, month=4)], *money)
    assert dict(replayed.unapplied) == {"r2": 5_000}
    assert replayed.standings["o2"].settled_by == "r2"


def test_undesignated_money_settles_the_oldest_arrears_first() -> None:
    """After all late interest, the first debt's principal; nothing is left for the second's."""
    two = [debt(), debt("o2", month=4)]
    on = date(2026, 4, 20)
    replayed = after(two, paid("r1", on, 100_000 + 41 * 50 + 10 * 50, to=""))
    assert replayed.standings["o1"].settled_by == "r1"
    assert replayed.standings["o2"].paid == Parts(penalty=500)


# --- properties ---------------------------------------------------------------------------------

small = st.integers(0, 3_000)
days = st.integers(0, 120)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[list[Debt], list[Receipt]]:
    debts = []
    for n in range(draw(st.integers(0, 4))):
        issued = draw(days)
        due = issued + draw(st.integers(0, 40))
        amount = Parts(draw(small), draw(small), draw(small), draw(small))
        dates = ISSUED + timedelta(issued), ISSUED + timedelta(due)
        debts.append(Debt(f"o{n}", draw(st.integers(1, 2)), *dates, amount))
    receipts = []
    for n in range(draw(st.integers(0, 6))):
        on = ISSUED + timedelta(draw(days))
        at = datetime.combine(on, time(draw(st.integers(0, 2))), UTC)
        minor, to = draw(st.integers(1, 9_000)), draw(st.sampled_from(["", "o0", "o1", "o9"]))
        receipts.append(Receipt(f"r{n}", on, at, minor, to, draw(st.booleans())))
    return debts, receipts


lates = st.builds(
    Late,
    mode=st.sampled_from(LateMode),
    base=st.sampled_from(LateBase),
    daily_rate=st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.013")]),
    multiplier=st.sampled_from([Decimal(0), Decimal("1.5")]),
    start=st.sampled_from(LateStart),
    grace=st.sampled_from(Grace),
    compound=st.booleans(),
    cap=st.sampled_from([None, Decimal("0.1")]),
)
profiles = st.builds(
    Profile,
    id=st.just("p@1"),
    rounding=st.sampled_from(Rounding),
    grace_days=st.integers(0, 5),
    tolerance_minor=st.sampled_from([0, 0, 50]),
    late=lates,
    allocation=st.permutations(PAIRS).map(tuple),
    leftover=st.sampled_from(Leftover),
)
contract_rates = st.sampled_from([Decimal(0), Decimal("0.0003")])
frozens = st.lists(
    st.tuples(days, days).map(
        lambda pair: (ISSUED + timedelta(pair[0]), ISSUED + timedelta(pair[1]))
    ),
    max_size=2,
)
Account = tuple[list[Debt], list[Receipt]]


def received(replayed: Replayed) -> int:
    standings = replayed.standings.values()
    applied = sum(each.paid.total + each.overpaid_minor for each in standings)
    return applied + sum(replayed.unapplied.values())


@given(accounts(), profiles, contract_rates, frozens)
def test_money_is_conserved(
    account: Account, profile: Profile, rate: Decimal, frozen: list[Interval]
) -> None:
    """Paid, overpaid and unapplied make what was received, in any account under any terms."""
    replayed = replay(*account, profile, rate, frozen)
    assert received(replayed) == sum(receipt.minor for receipt in account[1])
    assert all(minor > 0 for minor in replayed.unapplied.values())


@given(accounts(), profiles, contract_rates, frozens, days)
def test_nothing_is_paid_beyond_what_is_owed_and_nothing_owed_is_negative(
    account: Account, profile: Profile, rate: Decimal, frozen: list[Interval], day: int
) -> None:
    """Part by part; a settled debt asks for nothing, and an open one was not overpaid."""
    replayed = replay(*account, profile, rate, frozen)
    for each in account[0]:
        standing = replayed.standings[each.id]
        late_minor = int(standing.accrued.to_integral_value("ROUND_UP"))
        most = each.parts + Parts(penalty=late_minor)
        assert all(0 <= standing.paid.of(part) <= most.of(part) for part in Part)
        asked = owed(each, standing, ISSUED + timedelta(day), profile, rate, frozen)
        assert all(asked.of(part) >= 0 for part in Part)
        if standing.is_settled:
            assert asked == NOTHING
        elif standing.overpaid_minor:
            pytest.fail("an open debt has money it did not need")


@given(accounts(), profiles, contract_rates, st.data())
def test_facts_told_in_any_order_stand_alike(
    account: Account, profile: Profile, rate: Decimal, data: st.DataObject
) -> None:
    """Debts and receipts permuted: the same standings and the same money left."""
    debts = data.draw(st.permutations(account[0]))
    receipts = data.draw(st.permutations(account[1]))
    assert replay(debts, receipts, profile, rate) == replay(*account, profile, rate)


@given(accounts(), profiles, contract_rates)
def test_what_is_owed_never_falls_by_waiting(
    account: Account, profile: Profile, rate: Decimal
) -> None:
    """Without a receipt a debt grows or stays."""
    replayed = replay(*account, profile, rate)
    for each in account[0]:
        standing = replayed.standings[each.id]
        asked = [
            owed(each, standing, ISSUED + timedelta(day), profile, rate).total
            for day in range(0, 300, 7)
        ]
        assert asked == sorted(asked)


@given(accounts(), profiles, contract_rates)
def test_late_interest_stops_once_its_base_is_paid(
    account: Account, profile: Profile, rate: Decimal
) -> None:
    """Five hundred days later the same is owed."""
    profile = replace(profile, late=replace(profile.late, compound=False, base=LateBase.WHOLE))
    replayed = replay(*account, profile, rate)
    end = ISSUED + timedelta(200)
    for each in account[0]:
        standing = replayed.standings[each.id]
        left = each.parts - standing.paid
        if max(left.penalty, 0) + left.fee + left.interest + left.principal == 0:
            much_later = owed(each, standing, end + timedelta(500), profile, rate)
            assert owed(each, standing, end, profile, rate) == much_later


@given(accounts(), profiles, contract_rates, frozens, st.sampled_from(sorted(ORDERS)))
def test_money_that_stays_with_its_debt_needs_no_calendar(
    account: Account, profile: Profile, rate: Decimal, frozen: list[Interval], order: str
) -> None:
    """Where the calendar does not matter, designated money asks only its own debt: the answer is the general one."""
    profile = replace(profile, allocation=ORDERS[order])
    debts, receipts = account
    course = replaying._Course(debts, Meter.of(profile, rate, frozen))
    assert course._order
    course._order = ()
    ordered = sorted(receipts, key=lambda each: (each.on, not each.credit, each.at, each.id))
    assert course.after(ordered) == replay(debts, receipts, profile, rate, frozen)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 2_000)), max_size=5),
    st.sampled_from(LateStart),
    st.sampled_from(LateBase),
    st.integers(0, 90),
)
def test_one_debt_agrees_with_a_ledger_kept_day_by_day(
    payments: list[tuple[int, int]], start: LateStart, base: LateBase, day: int
) -> None:
    """Midnight by midnight, with fractions: the plainest reading of the terms."""
    rate, rounding = Fraction(13, 1000), Rounding.HALF_UP
    terms = Late(base=base, daily_rate=Decimal("0.013"), start=start)
    profile = Profile("p@1", late=terms, rounding=rounding)
    one = debt(principal=3_000, interest=400, fee=50, penalty=7)
    bearing = {
        LateBase.PRINCIPAL: ("principal",),
        LateBase.PRINCIPAL_AND_INTEREST: ("principal", "interest"),
        LateBase.WHOLE: ("principal", "interest", "fee", "penalty"),
    }[base]
    left = {"penalty": 7, "fee": 50, "interest": 400, "principal": 3_000}
    accrued, late_paid, over = Fraction(0), 0, 0

    def late_left() -> int:
        return int(accrued + Fraction(1, 2)) - late_paid

    receipts = sorted(payments)
    last = max([day, *(on for on, _ in receipts)])
    for today in range(last + 1):
        for minor in (minor for on, minor in receipts if on == today):
            rest = minor
            for part in ("penalty", "late", "fee", "interest", "principal"):
                taken = min(rest, late_left() if part == "late" else left[part])
                rest -= taken
                if part == "late":
                    late_paid += taken
                else:
                    left[part] -= taken
            over += rest
        if today == last:
            break
        if today > 0 or start is LateStart.DUE_DAY:
            accrued += sum(left[part] for part in bearing) * rate
        if sum(left.values()) + late_left() == 0:
            accrued = Fraction(int(accrued + Fraction(1, 2)))

    facts = [paid(f"r{n}", due_plus(on), minor) for n, (on, minor) in enumerate(receipts)]
    standing = after(one, *facts, profile=profile).standings["o1"]
    asked = owed(one, standing, due_plus(last), profile, NO_RATE)
    assert asked == Parts(
        left["penalty"] + late_left(), left["fee"], left["interest"], left["principal"]
    )
    assert standing.overpaid_minor == over
