"""Product profiles: read strictly, every value checked, and told apart by their content."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import fields
from datetime import time
from decimal import Decimal
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import hold
from betimes.core.errors import Rejected
from betimes.core.product import (
    HOLDS,
    ORDERS,
    PAIRS,
    PLAIN,
    DpdOrigin,
    Event,
    Family,
    Grace,
    LateMode,
    Method,
    Part,
    Profile,
    Roll,
    Rounding,
    Stage,
    When,
    parse,
)


def shipped(name: str) -> dict[str, Any]:
    """Return the document of a shipped profile."""
    file = resources.files("betimes.packs") / "products" / f"{name}.toml"
    return tomllib.loads(file.read_text("utf-8"))


BILL = shipped("huabei_like")
LOAN = shipped("jiebei_like")
TERM = shipped("education")
WORK = shipped("home_improvement")
PAIR_NAMES = [f"{when}.{part}" for when, part in PAIRS]


def changed(document: dict[str, Any], path: str, value: Any = None) -> dict[str, Any]:
    """Return a copy of a document with another value under a dotted key, or without that key where none is given."""
    copied = copy.deepcopy(document)
    *tables, key = path.split(".")
    table = copied
    for name in tables:
        table = table[name]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return copied


def test_the_huabei_like_profile_says_what_the_published_pages_say() -> None:
    """The values of the table of product facts, one by one."""
    profile = parse(BILL, "x")
    assert (profile.family, profile.treatment) == (Family.REVOLVING, "huabei_like")
    assert profile.billing is not None
    assert profile.billing.due_days == {8: 1, 9: 1, 10: 1, 15: 5, 20: 10}
    assert profile.billing.event is Event.CONFIRMED_RECEIPT
    assert profile.billing.minimum_share == Decimal("0.10")
    assert profile.billing.minimum_floor_minor == 0
    assert profile.billing.instalment_fees == {
        3: Decimal("0.025"),
        6: Decimal("0.045"),
        9: Decimal("0.065"),
        12: Decimal("0.088"),
    }
    assert profile.late.daily_rate == Decimal("0.0005")
    assert (profile.grace_days, profile.tolerance_minor) == (3, 0)
    assert profile.debit.windows == (time(11, 30), time(19))
    assert profile.debit.off_by_minimum


def test_the_jiebei_like_profile_says_what_the_published_pages_say() -> None:
    """The values of the table of product facts, one by one."""
    profile = parse(LOAN, "x")
    assert (profile.family, profile.method) == (Family.INSTALMENT, Method.EQUAL_INSTALMENT)
    assert profile.rounding is Rounding.DOWN
    assert profile.daily_rate == 0
    assert (profile.late.mode, profile.late.multiplier) == (LateMode.REPLACES, Decimal("1.5"))
    assert (profile.grace_days, profile.late.grace) == (0, Grace.NONE)
    assert profile.cut_off == time(23, 59, 59)
    assert profile.debit.again_daily
    assert profile.treatment == "jiebei_like"


def test_conflicting_practice_is_two_profiles_not_one_constant() -> None:
    """Late interest, grace, tolerance, cut-off, origin of days past due and order of allocation have both values."""
    loan, other = parse(LOAN, "x"), parse(shipped("jiebei_like_adds"), "x")
    bill, card = parse(BILL, "x"), parse(shipped("card_like"), "x")
    india = parse(shipped("india_term_loan"), "x")
    assert (loan.late.mode, other.late.mode) == (LateMode.REPLACES, LateMode.ADDS)
    assert loan.late.base is not other.late.base
    assert (loan.grace_days, other.grace_days) == (0, 3)
    assert (loan.cut_off, other.cut_off) == (time(23, 59, 59), time(18))
    assert (loan.year_days, other.year_days) == (365, 360)
    assert loan.allocation != other.allocation
    assert (bill.tolerance_minor, card.tolerance_minor) == (0, 1000)
    assert bill.day_count is not card.day_count
    assert (bill.dpd_origin, india.dpd_origin) == (DpdOrigin.AFTER_DUE, DpdOrigin.DUE_DAY_END)


def test_an_education_loan_waits_and_keeps_to_the_months_of_term() -> None:
    """A deferred start, and months of the year in which nothing falls due."""
    profile = parse(TERM, "x")
    assert profile.deferred_months == 6
    assert set(range(1, 13)) - set(profile.due_months) == {2, 7, 8}


def test_undelivered_work_stops_days_past_due_and_late_interest() -> None:
    """Home improvement is paid by stages, and a dispute about one freezes it."""
    profile = parse(WORK, "x")
    assert profile.stages[-1] == Stage("handed_over", Decimal("0.10"), 30)
    assert sum(stage.share for stage in profile.stages) == 1
    assert profile.dpd_paused_by == profile.late.frozen_by == ("dispute",)


def test_the_id_is_made_of_the_content() -> None:
    """The same content has the same id, whatever the order of its keys; any change has another one."""
    same = dict(reversed(BILL.items()))
    assert parse(BILL, "x").id == parse(same, "y").id
    assert parse(BILL, "x").id.startswith("huabei_like@")
    ids = {
        parse(document, "x").id
        for document in (
            BILL,
            changed(BILL, "grace_days", 4),
            changed(BILL, "late.daily_rate", "0.0006"),
            changed(BILL, "billing.due_days.8"),
            changed(BILL, "zone", "Asia/Hong_Kong"),
        )
    }
    assert len(ids) == 5


def test_what_may_be_left_out_is_as_the_plain_profile_has_it() -> None:
    """A file of the needed keys only."""
    profile = parse(
        {
            "name": "small",
            "family": "single",
            "method": "single_payment",
            "rounding": "half_even",
            "day_count": "act/365f",
            "year_days": 365,
            "cut_off": "23:59:59",
            "grace_days": 0,
            "tolerance_minor": 0,
            "dpd_origin": "after_due",
            "allocation": PAIR_NAMES,
            "late": {"mode": "replaces", "base": "principal", "grace": "none", "multiplier": "1"},
        },
        "x",
    )
    for field in fields(Profile):
        if field.name not in ("id", "name"):
            assert getattr(profile, field.name) == getattr(PLAIN, field.name), field.name


# document, what is wrong in it, the field that the refusal names
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown key", changed(BILL, "colour", "blue"), "colour"),
    ("an unknown key of late", changed(BILL, "late.colour", "blue"), "late.colour"),
    ("an unknown key of billing", changed(BILL, "billing.floor", 1), "billing.floor"),
    ("an unknown key of debit", changed(BILL, "debit.order", []), "debit.order"),
    ("no name", changed(BILL, "name"), "name"),
    ("no rounding", changed(BILL, "rounding"), "rounding"),
    ("no late interest", changed(BILL, "late"), "late"),
    ("no base of late interest", changed(BILL, "late.base"), "late.base"),
    ("no event", changed(BILL, "billing.event"), "billing.event"),
    ("a name with an @", changed(BILL, "name", "a@b"), "name"),
    ("a name that is a number", changed(BILL, "name", 1), "name"),
    ("a treatment with a blank", changed(BILL, "treatment", "a b"), "treatment"),
    ("an unknown family", changed(BILL, "family", "credit"), "family"),
    ("a family that is a list", changed(BILL, "family", ["revolving"]), "family"),
    ("an unknown rounding", changed(BILL, "rounding", "HALF_EVEN"), "rounding"),
    ("an unknown method", changed(LOAN, "method", "balloon"), "method"),
    ("an unknown remainder", changed(LOAN, "remainder", "middle"), "remainder"),
    ("a year of 366 days", changed(BILL, "year_days", 366), "year_days"),
    ("a year of 365.0 days", changed(BILL, "year_days", 365.0), "year_days"),
    ("an unknown zone", changed(BILL, "zone", "Asia/Peking"), "zone"),
    ("a zone that is a number", changed(BILL, "zone", 8), "zone"),
    ("a cut-off of 25 hours", changed(BILL, "cut_off", "25:00"), "cut_off"),
    ("a cut-off with an offset", changed(BILL, "cut_off", "18:00+08:00"), "cut_off"),
    ("a cut-off without quotes", changed(BILL, "cut_off", time(18)), "cut_off"),
    ("a negative grace", changed(BILL, "grace_days", -1), "grace_days"),
    ("a grace that is true", changed(BILL, "grace_days", True), "grace_days"),
    ("a tolerance in decimals", changed(BILL, "tolerance_minor", 10.0), "tolerance_minor"),
    ("a negative rate", changed(BILL, "late.daily_rate", "-0.0005"), "late.daily_rate"),
    ("a negative zero", changed(LOAN, "daily_rate", "-0"), "daily_rate"),
    ("a rate as a float", changed(BILL, "late.daily_rate", 0.0005), "late.daily_rate"),
    ("a rate as a whole number", changed(LOAN, "daily_rate", 1), "daily_rate"),
    ("a rate in per cent", changed(BILL, "late.daily_rate", "0.05"), "late.daily_rate"),
    ("a rate with an exponent", changed(LOAN, "daily_rate", "5e-4"), "daily_rate"),
    ("a rate that is no number", changed(LOAN, "daily_rate", "NaN"), "daily_rate"),
    ("a rate in other digits", changed(LOAN, "daily_rate", "٠.٠"), "daily_rate"),
    ("a multiplier of 15", changed(LOAN, "late.multiplier", "15"), "late.multiplier"),
    ("a cap of nothing", changed(WORK, "late.cap", "0"), "late.cap"),
    ("two late rates", changed(BILL, "late.multiplier", "1.5"), "late.multiplier"),
    ("no late rate", changed(BILL, "late.daily_rate"), "late.multiplier"),
    ("a late rate of 0", changed(BILL, "late.daily_rate", "0"), "late.daily_rate"),
    ("compound as text", changed(BILL, "late.compound", "no"), "late.compound"),
    ("late that is no table", changed(BILL, "late", "none"), "late"),
    ("an unknown kind of hold", changed(WORK, "dpd_paused_by", ["war"]), "dpd_paused_by"),
    ("a hold twice", changed(WORK, "late.frozen_by", ["dispute"] * 2), "late.frozen_by"),
    ("grace without days", changed(LOAN, "late.grace", "waived"), "late.grace"),
    ("an unknown order", changed(BILL, "allocation", "fifo"), "allocation"),
    ("eleven pairs", changed(BILL, "allocation", PAIR_NAMES[1:]), "allocation"),
    ("a pair twice", changed(BILL, "allocation", [*PAIR_NAMES, PAIR_NAMES[0]]), "allocation"),
    (
        "a pair in place of another",
        changed(BILL, "allocation", [*PAIR_NAMES[1:], PAIR_NAMES[1]]),
        "allocation",
    ),
    ("a pair of nothing", changed(BILL, "allocation", ["due.tips"] * 12), "allocation"),
    ("pairs as lists", changed(BILL, "allocation", [["due", "fee"]]), "allocation"),
    ("a bill day of 31", changed(BILL, "billing.due_days.8", 31), "billing.due_days.8"),
    ("a due day of 31", changed(BILL, "billing.due_days.31", 1), "billing.due_days.31"),
    ("a due day of 08", changed(BILL, "billing.due_days.08", 1), "billing.due_days.08"),
    ("a due day that is text", changed(BILL, "billing.due_days.last", 1), "billing.due_days.last"),
    ("no due day", changed(BILL, "billing.due_days", {}), "billing.due_days"),
    ("due days in two months", changed(BILL, "billing.due_days.12", 25), "billing.due_days"),
    (
        "a fee in per cent",
        changed(BILL, "billing.instalment_fees.3", "2.5"),
        "billing.instalment_fees.3",
    ),
    (
        "a fee for one month",
        changed(BILL, "billing.instalment_fees.1", "0.01"),
        "billing.instalment_fees.1",
    ),
    (
        "a minimum above the bill",
        changed(BILL, "billing.minimum_share", "1.1"),
        "billing.minimum_share",
    ),
    (
        "a negative floor",
        changed(BILL, "billing.minimum_floor_minor", -1),
        "billing.minimum_floor_minor",
    ),
    ("windows out of order", changed(BILL, "debit.windows", ["19:00", "11:30"]), "debit.windows"),
    ("a window twice", changed(BILL, "debit.windows", ["19:00", "19:00"]), "debit.windows"),
    ("a window alone", changed(BILL, "debit.windows", "19:00"), "debit.windows"),
    ("no patience", changed(BILL, "debit.patience_hours", 0), "debit.patience_hours"),
    ("a bill without terms", changed(BILL, "billing"), "billing"),
    ("a loan with a bill", changed(LOAN, "billing", BILL["billing"]), "billing"),
    ("a bill with a method", changed(BILL, "method", "flat_fee"), "method"),
    ("a loan without a method", changed(LOAN, "method"), "method"),
    ("a loan in one payment", changed(LOAN, "method", "single_payment"), "method"),
    ("one payment in instalments", changed(WORK, "method", "flat_fee"), "method"),
    ("a deferred bill", changed(BILL, "deferred_months", 1), "deferred_months"),
    ("a bill in term", changed(BILL, "due_months", [3]), "due_months"),
    ("a thirteenth month", changed(TERM, "due_months", [3, 13]), "due_months"),
    ("no month at all", changed(TERM, "due_months", []), "due_months"),
    ("months out of order", changed(TERM, "due_months", [9, 3]), "due_months"),
    ("deferred for good", changed(TERM, "deferred_months", 120), "deferred_months"),
    ("a loan in stages", changed(LOAN, "stage", WORK["stage"]), "stage"),
    ("shares below the whole", changed(WORK, "stage", WORK["stage"][1:]), "stage.share"),
    (
        "a stage twice",
        changed(WORK, "stage", [{**WORK["stage"][0], "share": "0.5"}] * 2),
        "stage.name",
    ),
    ("a stage of text", changed(WORK, "stage", ["signed"]), "stage"),
    (
        "a stage without days",
        changed(WORK, "stage", [{"name": "all", "share": "1"}]),
        "stage.due_after_days",
    ),
    ("a roll without a calendar", changed(WORK, "calendar"), "due_roll"),
    (
        "an accrual end without a calendar",
        changed(LOAN, "accrual_roll", "following"),
        "accrual_roll",
    ),
]


@pytest.mark.parametrize(
    ("document", "field"), [row[1:] for row in WRONG], ids=[r[0] for r in WRONG]
)
def test_what_is_wrong_in_a_profile_is_refused_with_file_key_and_way_out(
    document: dict[str, Any], field: str
) -> None:
    """Nothing is guessed and no key is passed over."""
    with pytest.raises(Rejected) as caught:
        parse(document, "products/mine.toml")
    assert (caught.value.code, caught.value.field) == ("bad_product", field)
    assert caught.value.message.startswith(f"products/mine.toml: {field!r} ")
    assert len(caught.value.message) > len(field) + 40


@pytest.mark.parametrize("document", [BILL, LOAN, TERM, WORK], ids=lambda d: str(d["name"]))
def test_no_key_of_a_shipped_profile_may_hold_something_else(document: dict[str, Any]) -> None:
    """Every value is checked: none of the keys takes a list of nothing in particular."""
    for key in document:
        with pytest.raises(Rejected) as caught:
            parse(changed(document, key, [object()]), "x")
        assert caught.value.field.split(".")[0] == key


def test_a_named_order_has_each_pair_once_and_past_due_first() -> None:
    """So has every list that a lender writes."""
    for name, order in ORDERS.items():
        assert sorted(order) == sorted(PAIRS), name
        assert [when for when, _ in order] == [when for when in When for _ in Part], name
        assert parse(changed(BILL, "allocation", name), "x").allocation == order


def test_the_civil_code_settles_costs_then_interest_then_principal() -> None:
    """Article 561, with enforcement costs kept as a fee."""
    order = [part for when, part in ORDERS["civil_code_561"] if when is When.PAST_DUE]
    kept = [part for part in order if part is not Part.PENALTY]
    assert kept == [Part.FEE, Part.INTEREST, Part.PRINCIPAL]


@given(st.permutations(PAIR_NAMES))
def test_any_order_of_the_twelve_pairs_can_be_written(names: list[str]) -> None:
    """The list is kept as it stands."""
    order = parse(changed(BILL, "allocation", names), "x").allocation
    assert [f"{when}.{part}" for when, part in order] == names


def test_the_kinds_of_hold_are_those_of_the_holds() -> None:
    """Written twice because holds build on this module."""
    assert tuple(kind.value for kind in hold.Kind) == HOLDS


def test_dates_are_rolled_only_with_a_calendar() -> None:
    """The medical profile rolls its due dates, and only those."""
    profile = parse(shipped("medical"), "x")
    assert (profile.due_roll, profile.accrual_roll) == (Roll.FOLLOWING, Roll.UNADJUSTED)
    assert profile.calendar == "CN"


@given(st.permutations([("20", 10), ("8", 1), ("15", 5)]))
def test_due_days_may_be_written_in_any_order(days: list[tuple[str, int]]) -> None:
    """They are offered in order of the day."""
    billing = parse(changed(BILL, "billing.due_days", dict(days)), "x").billing
    assert billing is not None
    assert list(billing.due_days) == [8, 15, 20]
