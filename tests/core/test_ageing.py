"""Ageing: days past due, buckets and phases, to the day, and histories that follow the facts."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from betimes.adapters.buckets import buckets
from betimes.core.ageing import (
    Buckets,
    Course,
    Day,
    Delinquency,
    Entry,
    Facts,
    Materiality,
    Pause,
    Phase,
    ReAge,
    Standing,
    borrower_dpd,
    chosen,
    day_of,
    dpd_of,
    entry_days,
    first_payment_default,
    history,
    months_late,
    parse_buckets,
    reached_on,
    standing,
)
from betimes.core.dates import add_months
from betimes.core.errors import Rejected
from betimes.core.product import PLAIN, DpdOrigin, Profile

DUE = date(2026, 3, 9)
M = buckets()["m"]
CARD = Profile(grace_days=3, tolerance_minor=1_000)
DAY_END = Profile(dpd_origin=DpdOrigin.DUE_DAY_END)
PAUSING = Profile(dpd_paused_by=("moratorium", "hardship"))


def after(days: int, due_on: date = DUE) -> date:
    """Return the civil date this many days after the due date."""
    return due_on + timedelta(days=days)


def dates(first: date, last: date) -> list[date]:
    """Return every civil date from first to last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def course(due_on: date = DUE, *entries: tuple[date, int], **fields: Any) -> Course:
    """Return a bill of 500.00, issued 20 days before it is due, with its entries."""
    default: dict[str, Any] = {
        "issued_on": due_on - timedelta(days=20),
        "amount_minor": 50_000,
        "entries": tuple(Entry(on, minor) for on, minor in entries),
    }
    return Course(due_on=due_on, **{**default, **fields})


def account(*courses: Course, **fields: Any) -> Facts:
    """Return an account of a plain product, aged in M buckets."""
    return Facts(courses, **{"profile": PLAIN, "buckets": M, **fields})


def dpds(facts: Facts, first: int, last: int) -> list[int]:
    """Return DPD on each day from `first` to `last` days after the due date."""
    return [day.dpd for day in history(facts, dates(after(first), after(last)))]


# Bucket sets


def test_every_shipped_set_starts_at_0_and_has_no_gap() -> None:
    """Every count of days has a bucket, and going up one day never skips one."""
    assert {"m", "cn_five_class", "cn_five_class_card", "sma", "fineract"} <= set(buckets())
    for found in buckets().values():
        ranks = [found.rank(found.of(dpd)) for dpd in range(500)]
        assert ranks[0] == 0
        assert set(ranks) == set(range(len(found.names)))
        assert all(0 <= new - old <= 1 for old, new in pairwise(ranks))
        assert found.source


def edges(**fields: Any) -> dict[str, Any]:
    """Return the document of a set called x with these edges."""
    return {"x": {"source": "made up", "edges": fields}}


@pytest.mark.parametrize(
    ("document", "key", "reason"),
    [
        ({}, "", "no bucket set"),
        ({"x": 3}, "x", "no table"),
        ({"x": {"source": "s"}}, "x.edges", "missing"),
        ({"x": {"edges": {"a": [0]}}}, "x.source", "missing"),
        ({"x": {"source": "", "edges": {"a": [0]}}}, "x.source", "no text"),
        ({"x": {"source": "s", "edges": {"a": [0]}, "colour": 1}}, "x.colour", "unknown"),
        ({"x": {"source": "s", "edges": {"a": [0]}, "origin": "noon"}}, "x.origin", "none of"),
        ({"x": {"source": "s", "edges": {"a": [0]}, "origin": ["noon"]}}, "x.origin", "none of"),
        (edges(), "x.edges", "empty"),
        ({"x": {"source": "s", "edges": [[0]]}}, "x.edges", "no table"),
        (edges(**{"": [0]}), "x.edges.", "no name"),
        (edges(a=0), "x.edges.a", "no list"),
        (edges(a=["0"]), "x.edges.a", "no list"),
        (edges(a=[True]), "x.edges.a", "no list"),
        (edges(a=[]), "x.edges.a", "neither"),
        (edges(a=[0, 1, 2]), "x.edges.a", "neither"),
        (edges(a=[1]), "x.edges.a", "must begin at 0"),
        (edges(a=[-5, 0], b=[1]), "x.edges.a", "must begin at 0"),
        (edges(a=[0, 0], b=[2]), "x.edges.b", "gap"),
        (edges(a=[0, 5], b=[5]), "x.edges.b", "overlaps"),
        (edges(a=[0, 0], c=[31, 60], b=[1, 30]), "x.edges.c", "gap"),
        (edges(a=[0, 0], b=[1, 0], c=[1]), "x.edges.b", "before it begins"),
        (edges(a=[0], b=[1]), "x.edges.b", "which has no end"),
        (edges(a=[0, 0], b=[1, 90]), "x.edges.b", "must have no end"),
    ],
)
def test_a_bad_bucket_set_is_refused(document: dict[str, Any], key: str, reason: str) -> None:
    """The message names file, key and reason."""
    with pytest.raises(Rejected) as caught:
        parse_buckets(document, "own.toml")
    assert (caught.value.code, caught.value.field) == ("bad_buckets", key)
    assert caught.value.message.startswith(f"own.toml: {key!r} ")
    assert reason in caught.value.message


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_any_set_without_gap_and_overlap_is_taken(widths: list[int]) -> None:
    """Each day belongs to the bucket whose edges enclose it, edges included."""
    table, first = {}, 0
    for number, width in enumerate(widths):
        table[f"b{number}"] = [first, first + width - 1]
        first += width
    found = parse_buckets(edges(**table, rest=[first]), "own.toml")["x"]
    for name, (low, high) in table.items():
        assert found.of(low) == found.of(high) == name
    assert found.of(first) == found.of(first + 10_000) == "rest"


def test_the_order_of_a_file_is_the_order_of_the_buckets() -> None:
    """As it is written, not as names sort."""
    text = '[x]\nsource = "s"\n[x.edges]\nz = [0, 0]\n"M3+" = [1, 4]\na = [5]\n'
    assert parse_buckets(tomllib.loads(text), "own.toml")["x"].names == ("z", "M3+", "a")


def test_a_product_names_a_set_that_exists_and_counts_as_it_does() -> None:
    """SMA is defined for a count from the end of the due day; under another count each account would be a day late."""
    assert chosen(buckets(), PLAIN) is M
    assert chosen(buckets(), replace(DAY_END, buckets="sma")).names[-1] == "NPA"
    assert chosen(buckets(), replace(DAY_END, buckets="m")) is M
    for profile, field in (
        (Profile(buckets="n"), "buckets"),
        (Profile(buckets="sma"), "dpd_origin"),
    ):
        with pytest.raises(Rejected) as caught:
            chosen(buckets(), profile)
        assert (caught.value.code, caught.value.field) == ("unknown_buckets", field)


# One obligation on one day


def test_phases_in_their_order() -> None:
    """Before, on and after the due date, through grace, until what is short is within the tolerance."""
    found = [standing(DUE, 50_000, after(n), CARD) for n in (-1, 0, 1, 3, 4)]
    assert found == [
        Standing(Phase.PRE_DUE, 0),
        Standing(Phase.DUE_DAY, 0),
        Standing(Phase.GRACE, 1),
        Standing(Phase.GRACE, 3),
        Standing(Phase.OVERDUE, 4),
    ]
    assert standing(DUE, 1_000, after(4), CARD) == Standing(Phase.SETTLED, 0)
    assert standing(DUE, 1_001, after(4), CARD).overdue
    assert standing(DUE, -1, after(4), PLAIN) == Standing(Phase.SETTLED, 0)
    assert standing(DUE, 1, after(1), PLAIN).overdue


def test_the_end_of_the_due_day_counts_one_more_and_is_no_harsher() -> None:
    """DPD is 1 on the due date, yet it is still the due day, and grace ends on the same date."""
    profile = replace(CARD, dpd_origin=DpdOrigin.DUE_DAY_END)
    for n in range(-3, 9):
        one, other = (standing(DUE, 50_000, after(n), each) for each in (CARD, profile))
        assert one.phase is other.phase
        assert other.dpd == (one.dpd + 1 if n >= 0 else 0)


@given(st.integers(-40, 400), st.integers(0, 30), st.integers(0, 5_000))
def test_grace_and_tolerance_never_shift_the_count(n: int, grace: int, tolerance: int) -> None:
    """What is unpaid has the same DPD whatever the product allows."""
    profile = Profile(grace_days=grace, tolerance_minor=tolerance)
    found = standing(DUE, tolerance + 1, after(n), profile)
    assert found.dpd == max(0, n)
    assert found.overdue is (n > grace)


def test_sma_is_a_day_ahead_of_plain_counting() -> None:
    """30 days after the due date the account is SMA-1, while plain counting says 30 days and M1."""
    on = after(30)
    sma = account(course(), profile=DAY_END, buckets=buckets()["sma"])
    assert (day_of(sma, on).bucket, day_of(sma, on).dpd) == ("SMA-1", 31)
    assert (day_of(account(course()), on).bucket, day_of(account(course()), on).dpd) == ("M1", 30)


@given(st.dates(date(2015, 1, 31), date(2030, 1, 1)), st.integers(1, 60))
def test_mortgage_methods_differ_by_one_day_only(due_on: date, months: int) -> None:
    """OTS says on a due date what MBA said the evening before; both count whole months, the 31st clipped."""
    next_due = add_months(due_on, months)
    eve = next_due - timedelta(days=1)
    assert months_late(due_on, next_due, Delinquency.OTS) == 30 * months
    assert months_late(due_on, eve, Delinquency.MBA) == 30 * months
    assert months_late(due_on, eve, Delinquency.OTS) == 30 * (months - 1)
    assert months_late(due_on, eve - timedelta(days=1), Delinquency.MBA) == 30 * (months - 1)
    assert months_late(due_on, due_on - timedelta(days=70), Delinquency.OTS) == 0


# Pauses

# Where a pause of days 10 to 19 after the due date can lie to another one: the thirteen relations of two intervals.
RELATIONS = {
    "before": (2, 5), "meets": (5, 10), "overlaps": (5, 15), "starts": (10, 15), "during": (12, 15),
    "finishes": (15, 20), "equals": (10, 20), "finished by": (5, 20), "contains": (5, 25),
    "started by": (10, 25), "overlapped by": (15, 25), "met by": (20, 25), "after": (22, 25),
}  # fmt: skip


def pause(first: int, resumes: int | None, kind: str = "moratorium") -> Pause:
    """Return a pause from `first` to before `resumes` days after the due date."""
    return Pause(after(first), None if resumes is None else after(resumes), kind)


@pytest.mark.parametrize("relation", RELATIONS)
def test_two_pauses_in_every_relation_leave_out_each_day_once(relation: str) -> None:
    """Their union is left out, whichever is told first."""
    first, second = pause(10, 20), pause(*RELATIONS[relation], kind="hardship")
    days = {*range(10, 20), *range(*RELATIONS[relation])}
    for n in range(-5, 40):
        expected = sum(1 for day in range(1, n + 1) if day not in days)
        for pauses in ((first, second), (second, first), (first, second, first)):
            assert dpd_of(DUE, after(n), PAUSING, pauses) == expected


@given(
    st.lists(st.tuples(st.integers(-20, 60), st.integers(0, 30) | st.none()), max_size=5),
    st.sampled_from(DpdOrigin),
    st.integers(-10, 80),
)
def test_pauses_against_counting_day_by_day(
    spans: list[tuple[int, int | None]], origin: DpdOrigin, n: int
) -> None:
    """However many, empty or without an end: a day counts that no pause covers."""
    profile = replace(PAUSING, dpd_origin=origin)
    pauses = [pause(first, None if length is None else first + length) for first, length in spans]
    start = 0 if origin is DpdOrigin.DUE_DAY_END else 1
    expected = sum(
        1
        for day in range(start, n + 1)
        if not any(
            each.starts_on <= after(day)
            and (each.resumes_on is None or after(day) < each.resumes_on)
            for each in pauses
        )
    )
    assert dpd_of(DUE, after(n), profile, pauses) == expected


@given(
    st.lists(st.tuples(st.integers(-20, 60), st.integers(0, 30) | st.none()), max_size=4),
    st.integers(1, 60),
)
def test_the_day_a_count_is_reached_is_the_first_one_that_has_it(
    spans: list[tuple[int, int | None]], dpd: int
) -> None:
    """The day before has one less; where a pause has no end, no later day has it."""
    pauses = [pause(first, None if length is None else first + length) for first, length in spans]
    reached = reached_on(DUE, dpd, PAUSING, pauses)
    if reached is None:
        assert dpd_of(DUE, after(5_000), PAUSING, pauses) < dpd
    else:
        assert dpd_of(DUE, reached, PAUSING, pauses) == dpd
        assert dpd_of(DUE, reached - timedelta(days=1), PAUSING, pauses) == dpd - 1


def test_a_bucket_behind_an_endless_pause_is_never_entered() -> None:
    """M1 is entered before the pause begins; the others are absent."""
    assert entry_days(DUE, M, PAUSING, [pause(5, None)]) == {"M1": after(1)}
    assert list(entry_days(DUE, M, PLAIN)) == ["M1", "M2", "M3", "M3+"]


def test_only_pauses_that_the_product_names_stop_the_count() -> None:
    """A dispute stops contact, and here it does not stop DPD."""
    other = pause(1, None, "dispute")
    assert dpd_of(DUE, after(50), PAUSING, [other]) == 50
    assert dpd_of(DUE, after(50), PLAIN, [pause(1, None)]) == 50
    assert dpd_of(DUE, after(50), PAUSING, [pause(1, None)]) == 0


def test_paused_days_do_not_use_up_grace() -> None:
    """Past the due date with every day paused it is not overdue; grace goes on where the count does."""
    profile = replace(PAUSING, grace_days=3)
    pauses = [pause(1, 11)]
    found = [standing(DUE, 50_000, after(n), profile, pauses) for n in (5, 11, 13, 14)]
    assert found == [
        Standing(Phase.GRACE, 0),
        Standing(Phase.GRACE, 1),
        Standing(Phase.GRACE, 3),
        Standing(Phase.OVERDUE, 4),
    ]
    assert standing(DUE, 50_000, after(5), PAUSING, pauses) == Standing(Phase.GRACE, 0)


def test_a_pause_told_late_recomputes_the_days_behind_it() -> None:
    """Told on day 20 to have begun on day 3: day 20 has 3 days, and so have all days since."""
    facts = account(course(), profile=PAUSING)
    assert dpds(facts, 0, 20) == list(range(21))
    for told in (
        replace(facts, pauses=(pause(4, None),)),
        account(course(pauses=(pause(4, None),)), profile=PAUSING),
    ):
        assert dpds(told, 0, 20) == [0, 1, 2] + [3] * 18


# Accounts and their history


def test_a_repayment_20_days_back_changes_the_buckets_of_all_20_days() -> None:
    """No day keeps what was computed before the repayment was told."""
    days = dates(after(11), after(30))
    before = history(account(course()), days)
    paid = history(account(course(DUE, (after(11), 50_000))), days)
    assert [day.bucket for day in before] == ["M1"] * 20
    assert [(day.bucket, day.dpd, day.phase) for day in paid] == [("M0", 0, Phase.SETTLED)] * 20
    assert day_of(account(course(DUE, (after(11), 50_000))), after(10)).bucket == "M1"


def test_the_oldest_unpaid_obligation_counts_and_what_is_paid_moves_it() -> None:
    """Three bills a month apart: paying the oldest is a partial cure, paying the second first changes nothing."""
    due = [DUE, date(2026, 4, 9), date(2026, 5, 9)]
    on = date(2026, 5, 20)
    paid = (date(2026, 5, 15), 50_000)
    none = day_of(account(*map(course, due)), on)
    oldest = day_of(account(course(due[0], paid), course(due[1]), course(due[2])), on)
    second = day_of(account(course(due[0]), course(due[1], paid), course(due[2])), on)
    assert none == Day(on, 72, "M3", Phase.OVERDUE, 150_000, due[0], due[0])
    assert oldest == Day(on, 41, "M2", Phase.OVERDUE, 100_000, due[1], due[1])
    assert second == Day(on, 72, "M3", Phase.OVERDUE, 100_000, due[0], due[0])


def test_nothing_is_past_due_before_it_is_issued_or_due() -> None:
    """Not issued: nothing is owed. Not due: the due date ahead is the oldest."""
    facts = account(course())
    assert day_of(facts, after(-21)) == Day(after(-21), 0, "M0", Phase.SETTLED)
    assert day_of(facts, after(-1)) == Day(after(-1), 0, "M0", Phase.PRE_DUE, 0, DUE, DUE)
    assert day_of(facts, after(-20)).phase is Phase.PRE_DUE
    two = day_of(account(course(after(30)), course()), after(-1))
    assert (two.oldest_due_on, two.counted_from) == (DUE, DUE)
    assert day_of(account(), DUE) == Day(DUE, 0, "M0", Phase.SETTLED)


def test_late_is_measured_on_the_minimum_where_one_exists() -> None:
    """A met minimum keeps the account current, a cent below it does not, and only the minimum is in arrears."""
    bill = course(minimum_minor=5_000)
    on = after(40)
    assert day_of(account(bill), on).arrears_minor == 5_000
    met = replace(bill, entries=(Entry(DUE, 5_000),))
    assert day_of(account(met), on) == Day(on, 0, "M0", Phase.SETTLED)
    short = replace(bill, entries=(Entry(DUE, 4_999),))
    assert (day_of(account(short), on).dpd, day_of(account(short), on).arrears_minor) == (40, 1)
    assert course(minimum_minor=90_000).unpaid_minor(on) == 50_000
    tolerant = replace(account(short), profile=CARD)
    assert day_of(tolerant, on).phase is Phase.SETTLED


def test_a_borrower_has_the_largest_count_of_the_accounts() -> None:
    """0 without an account."""
    facts = [account(course()), account(course(after(-10))), account(course(after(30)))]
    assert borrower_dpd(facts, after(5)) == 15
    assert borrower_dpd([], DUE) == 0


def test_of_two_due_on_one_day_neither_is_preferred() -> None:
    """One of them re-aged to a date ahead: the other is what is counted, in either order, and so for the first bill."""
    plain, agreed = course(), course(reaged=(ReAge(after(0), after(9)),))
    for facts in (account(plain, agreed), account(agreed, plain)):
        assert day_of(facts, DUE).counted_from == DUE
        assert first_payment_default(facts, after(30)) == after(1)


def test_re_ageing_counts_from_a_later_date_and_leaves_its_trace() -> None:
    """From the day of the agreement, with the days before as they were; the due date stays what it was."""
    facts = account(course(reaged=(ReAge(after(40), after(35)),)))
    assert dpds(facts, 38, 42) == [38, 39, 5, 6, 7]
    trace = day_of(facts, after(41))
    assert (trace.oldest_due_on, trace.counted_from, trace.reaged_on) == (DUE, after(35), after(40))
    assert day_of(facts, after(39)).reaged_on is None
    beside = day_of(replace(facts, courses=(*facts.courses, course(after(30)))), after(41))
    assert (beside.dpd, beside.oldest_due_on, beside.counted_from) == (11, DUE, after(30))
    ahead = account(course(reaged=(ReAge(after(40), after(60)),)))
    assert [day_of(ahead, after(n)).phase for n in (39, 40, 60, 61)] == [
        Phase.OVERDUE, Phase.PRE_DUE, Phase.DUE_DAY, Phase.OVERDUE,
    ]  # fmt: skip
    assert dpds(ahead, 59, 62) == [0, 0, 1, 2]


def test_re_ageing_never_makes_older_and_the_last_one_holds() -> None:
    """Also of two on one day, and whichever stands first."""
    assert dpds(account(course(reaged=(ReAge(after(9), after(-30)),))), 8, 10) == [8, 9, 10]
    one, two, same = (
        ReAge(after(20), after(20)),
        ReAge(after(30), after(25)),
        ReAge(after(30), after(28)),
    )
    assert dpds(account(course(reaged=(two, one))), 29, 31) == [9, 5, 6]
    assert dpds(account(course(reaged=(one, two, same))), 29, 31) == [9, 2, 3]


def test_first_payment_default() -> None:
    """The first obligation was overdue, not inside grace; it stays so after the money came; later ones do not count."""
    second = course(after(30))
    late = account(second, course(DUE, (after(6), 50_000)), profile=CARD)
    assert first_payment_default(late, after(3)) is None
    assert first_payment_default(late, after(60)) == after(4)
    assert first_payment_default(late, after(60), dpd=6) is None
    in_grace = account(second, course(DUE, (after(3), 50_000)), profile=CARD)
    assert first_payment_default(in_grace, after(60)) is None
    assert first_payment_default(account(course()), after(90), dpd=30) == after(30)
    assert first_payment_default(account(), DUE) is None


AMOUNT = 50_000
ENTRIES = st.lists(
    st.tuples(st.integers(-15, 120).map(after), st.sampled_from([1, 20_000, 49_000, 50_000, -20_000, -50_000])),
    max_size=4,
)  # fmt: skip


@st.composite
def accounts(draw: st.DrawFn, *, events: bool = True) -> Facts:
    """Make up an account of up to four bills with payments, reversals, re-ageings and pauses, in either origin."""
    courses = [
        course(
            after(draw(st.integers(0, 90))),
            *(draw(ENTRIES) if events else []),
            minimum_minor=draw(st.sampled_from([0, 5_000])),
            reaged=tuple(
                ReAge(after(on), after(on - back))
                for on, back in draw(
                    st.lists(st.tuples(st.integers(0, 120), st.integers(-20, 40)), max_size=2)
                )
            )
            if events
            else (),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    pauses = draw(
        st.lists(st.tuples(st.integers(-10, 100), st.integers(1, 40) | st.none()), max_size=2)
    )
    name = draw(st.sampled_from(["m", "cn_five_class", "cn_five_class_card", "fineract"]))
    return Facts(
        tuple(courses),
        Profile(
            grace_days=draw(st.sampled_from([0, 3])),
            tolerance_minor=draw(st.sampled_from([0, 1_000])),
            dpd_origin=draw(st.sampled_from(DpdOrigin)),
            dpd_paused_by=("moratorium",),
        ),
        buckets()[name],
        tuple(pause(first, None if length is None else first + length) for first, length in pauses),
    )


LIFE = dates(after(-25), after(200))


@given(accounts())
def test_without_an_event_the_count_never_falls_rises_by_one_and_skips_no_bucket(
    facts: Facts,
) -> None:
    """From a day to the next one on which nothing was paid, credited, reversed or re-aged."""
    eventful = {entry.on for each in facts.courses for entry in each.entries}
    eventful |= {each.on for one in facts.courses for each in one.reaged}
    found = history(facts, LIFE)
    assert found == tuple(day_of(facts, on) for on in LIFE)
    for old, new in pairwise(found):
        assert new.dpd >= 0
        assert new.bucket == facts.buckets.of(new.dpd)
        if new.on not in eventful:
            assert old.dpd <= new.dpd <= old.dpd + 1
            assert 0 <= facts.buckets.rank(new.bucket) - facts.buckets.rank(old.bucket) <= 1


@given(accounts(), st.integers(0, 3), st.integers(-10, 150), st.integers(1, AMOUNT))
def test_a_part_payment_moves_neither_count_nor_bucket(
    facts: Facts, which: int, n: int, minor: int
) -> None:
    """As long as more than the tolerance stays unpaid, now and on every later day."""
    paid = facts.courses[which % len(facts.courses)]
    on, tolerance = after(n), facts.profile.tolerance_minor
    later = [day for day in LIFE if day >= on]
    with_payment = replace(paid, entries=(*paid.entries, Entry(on, minor)))
    unpaid = [with_payment.unpaid_minor(day) for day in later if paid.unpaid_minor(day)]
    assume(on >= paid.issued_on and all(each > tolerance for each in unpaid))
    after_it = replace(
        facts, courses=tuple(with_payment if each is paid else each for each in facts.courses)
    )
    for old, new in zip(history(facts, LIFE), history(after_it, LIFE), strict=True):
        assert (old.dpd, old.bucket, old.phase) == (new.dpd, new.bucket, new.phase)
        assert new.arrears_minor <= old.arrears_minor


@given(accounts(), st.integers(-10, 100), st.integers(0, 60), st.integers(1, 2 * AMOUNT))
def test_a_payment_and_its_reversal_restore_count_bucket_and_arrears(
    facts: Facts, n: int, days: int, minor: int
) -> None:
    """From the day of the reversal on, exactly; before the payment nothing changes; all days, where both are of one."""
    first = facts.courses[0]
    there, back = Entry(after(n), minor), Entry(after(n + days), -minor)
    touched = replace(first, entries=(back, *first.entries, there))
    both = replace(facts, courses=(touched, *facts.courses[1:]))
    for old, new in zip(history(facts, LIFE), history(both, LIFE), strict=True):
        if not after(n) <= new.on < after(n + days):
            assert old == new
        else:
            assert new.dpd <= old.dpd


@given(accounts(), st.randoms())
def test_the_order_in_which_facts_are_told_changes_nothing(facts: Facts, order: Any) -> None:
    """Obligations, entries and pauses in any order give the same history."""
    shuffled = [
        replace(each, entries=tuple(order.sample(each.entries, len(each.entries))))
        for each in order.sample(facts.courses, len(facts.courses))
    ]
    other = replace(facts, courses=tuple(shuffled), pauses=facts.pauses[::-1])
    assert history(other, LIFE) == history(facts, LIFE)


@given(accounts(events=False))
def test_what_is_settled_has_no_days_past_due(facts: Facts) -> None:
    """Once everything is paid, the account is current on that very day."""
    on = after(120)
    paid = tuple(replace(each, entries=(Entry(on, AMOUNT),)) for each in facts.courses)
    assert day_of(replace(facts, courses=paid), on) == Day(
        on, 0, facts.buckets.names[0], Phase.SETTLED
    )


# Material arrears


def test_material_arrears_count_days_in_a_row_and_start_again() -> None:
    """Both limits must be exceeded, equal is not; one day below starts the row again; day 91 is the default."""
    rule = Materiality()
    assert not rule.is_breached(10_000, 500_000)
    assert not rule.is_breached(10_100, 1_010_000)
    assert rule.is_breached(10_101, 1_010_000)
    assert rule.is_breached(10_001, 500_000)
    late, cured = (20_000, 500_000), (10_000, 500_000)
    assert rule.counted([late, late, cured, late]) == (1, 2, 0, 1)
    counts = rule.counted([late] * 91)
    assert [rule.is_default(each) for each in counts] == [False] * 90 + [True]
    assert not rule.is_default(max(rule.counted([late] * 90 + [cured] + [late] * 90)))
    assert Materiality(share=Decimal("0.5")).counted([late]) == (0,)


def test_the_set_is_a_value() -> None:
    """Two readings of one file are equal."""
    assert isinstance(M, Buckets)
    assert buckets.__wrapped__() == buckets()
