"""Pretend people pay when measured people pay: by day, weekday and hour, late again or not, in part, or never."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources

import pytest

from betimes.core.calibration import POINTS
from betimes.lab import habits
from betimes.lab.habits import Chance, Payer, Plan, Source, habit
from betimes.measured import measured

FIGURES = tomllib.loads((resources.files("betimes.packs") / "calibration.toml").read_text("utf-8"))
PLANS = 100_000
# So many obligations one after the other, as a borrower of long standing has.
EACH = 20
SOURCES = list(Source)


@dataclass(frozen=True)
class Paid:
    """An obligation that a pretend borrower pays, and how the one before was paid."""

    due_on: date
    plan: Plan
    was_late: bool | None

    @property
    def on(self) -> date:
        return self.due_on + timedelta(days=self.plan.days)

    @property
    def is_late(self) -> bool:
        return self.plan.days > 0


@cache
def paid(source: Source) -> tuple[Paid, ...]:
    """Return many payments, due on every day of the year alike."""
    found = []
    for number in range(PLANS // EACH):
        payer = Payer(Chance(f"test:{number}"), source)
        due_on = date(2026, 1, 1) + timedelta(days=number % 365)
        for _ in range(EACH):
            was_late = payer.was_late
            plan = payer.plan(due_on, earliest=-10_000)
            if plan is None:
                break
            found.append(Paid(due_on, plan, was_late))
            due_on += timedelta(days=30)
    return tuple(found)


def share(source: Source, *, low: int, high: int) -> float:
    return sum(low <= each.plan.days <= high for each in paid(source)) / len(paid(source))


@pytest.mark.parametrize("source", SOURCES)
def test_the_timing_of_payments_is_that_of_the_source(source: Source) -> None:
    """The histogram lies within 0.02, the late share within half a point."""
    bins = FIGURES[source]["bins"]
    found = [share(source, low=low, high=high) for low, high, _ in bins]
    distance = sum(abs(f - b[2] / 100_000) for f, b in zip(found, bins, strict=True))
    assert distance <= 0.02
    assert abs(share(source, low=1, high=99) - FIGURES[source]["late_share"] / 10_000) <= 0.005


@pytest.mark.parametrize("source", SOURCES)
def test_daily_hazards_lie_within_a_point(source: Source) -> None:
    """Drawn, on every day on which enough are unpaid to tell; without chance, on every measured day."""
    days = Counter(each.plan.days for each in paid(source))
    exact = {
        day: sum(spread.weight(day) / spread.cumulative[-1] for spread in half) / 7 * part
        for half, part in zip(habit(source).days, parts(source), strict=True)
        for day in range(half[0].first, half[0].last + 1)
    }
    hazards = FIGURES[source]["daily_hazards"]
    for day, hazard in enumerate(hazards, start=FIGURES[source]["first_hazard_day"]):
        left = sum(count for later, count in days.items() if later >= day)
        if left >= 10_000:
            assert abs(days[day] / left - hazard / 10_000) <= 0.01, day
        unpaid = sum(weight for later, weight in exact.items() if later >= day)
        assert abs(exact[day] / unpaid - hazard / 10_000) <= 0.01, day


def parts(source: Source) -> tuple[float, float]:
    late = habit(source).share / 10**9
    return 1 - late, late


@pytest.mark.parametrize("source", SOURCES)
def test_hours_and_weekdays_are_those_measured(source: Source) -> None:
    """Within 0.03, although the days from the due day are those of the source as well."""
    hours = Counter(each.plan.at.hour for each in paid(source))
    weekdays = Counter(each.on.weekday() for each in paid(source))
    for found, wanted in ((hours, FIGURES["paid_hours"]), (weekdays, FIGURES["paid_weekdays"])):
        count = len(paid(source))
        shares = [n / sum(wanted) for n in wanted]
        assert sum(abs(found[n] / count - part) for n, part in enumerate(shares)) <= 0.03


@pytest.mark.parametrize("source", SOURCES)
def test_who_was_late_is_late_again(source: Source) -> None:
    """By the measured difference; the level is what keeps the late share of the source."""
    late_again = {
        was_late: [each.is_late for each in paid(source) if each.was_late is was_late]
        for was_late in (False, True)
    }
    rate = {was_late: sum(again) / len(again) for was_late, again in late_again.items()}
    kept = (FIGURES["late_after_late"] - FIGURES["late_after_on_time"]) / 10_000
    assert abs(rate[True] - rate[False] - kept) <= 0.015
    if source is Source.CASH_LOANS:
        # The source of the habit itself: both levels are near those measured.
        assert abs(rate[True] - FIGURES["late_after_late"] / 10_000) <= 0.02
        assert abs(rate[False] - FIGURES["late_after_on_time"] / 10_000) <= 0.02


@pytest.mark.parametrize("source", SOURCES)
def test_part_payments_are_as_frequent_as_measured(source: Source) -> None:
    """Within half a point."""
    partly = sum(each.plan.in_part for each in paid(source)) / len(paid(source))
    assert abs(partly - FIGURES["partial_share"] / 10_000) <= 0.005


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("earliest", [-10_000, -19, -9])
def test_fitted_days_keep_all_their_margins(source: Source, earliest: int) -> None:
    """For due days spread evenly over the week: days from the due day and weekdays of payment to one in 100,000."""
    timing = getattr(measured(), source)
    for half in habit(source, earliest).days:
        days = range(half[0].first, half[0].last + 1)
        assert half[0].first in (max(timing.first, earliest), 1)
        whole = sum(spread.cumulative[-1] for spread in half)
        of_days = sum(timing.weight(day) for day in days)
        for day in days:
            found = sum(spread.weight(day) for spread in half) / whole
            assert abs(found - timing.weight(day) / of_days) <= 1e-5
        for n in range(7):
            found = sum(
                spread.weight(day) / whole
                for due, spread in enumerate(half)
                for day in days
                if (due + day) % 7 == n
            )
            assert abs(found - measured().weekdays.weight(n) / 9_999) <= 1e-5


def test_nobody_pays_before_there_is_anything_to_pay() -> None:
    """The first possible day counts, also where it lies after the due day."""
    for earliest in (-9, -1, 0, 3, 40):
        for seed in range(300):
            payer = Payer(Chance(f"{seed}"), Source.INSTALMENTS)
            plan = payer.plan(date(2026, 3, 10), earliest=earliest, fitted_to=-9)
            assert plan is None or plan.days >= earliest


def test_the_highest_points_are_late() -> None:
    """At the share that follows from how the obligation before was paid; the ends of the range are days of it."""
    cash = habit(Source.CASH_LOANS)
    due_on = date(2026, 3, 10)
    for was_late, chance in ((None, cash.share), (False, cash.after[0]), (True, cash.after[1])):
        edge = POINTS - chance * POINTS // 10**9
        for point, is_late in ((0, False), (edge - 1, False), (edge, True), (POINTS - 1, True)):
            day = cash.day(point, due_on, was_late=was_late, earliest=-10_000)
            assert (day > 0) is is_late
    assert cash.after[0] < cash.share < cash.after[1]


def test_some_never_pay_and_nothing_is_paid_after_it() -> None:
    """As often as the rolls of the card panel have it: one obligation in two thousand is the first."""
    first = Counter(
        Payer(Chance(f"never:{n}"), Source.INSTALMENTS).plan(date(2026, 3, 10), earliest=-9) is None
        for n in range(40_000)
    )
    assert abs(first[True] / 40_000 - measured().rolls.never_paid("0") / 10**9) <= 0.0003
    payer = Payer(Chance("x"), Source.INSTALMENTS, stopped=True)
    assert payer.plan(date(2026, 3, 10), earliest=-9) is None


def test_debts_of_a_book_taken_over_are_as_old_as_those_of_the_panel() -> None:
    """Eight of ten one month late, one in eight more than five; the older, the rarer they are ever paid."""
    drawn = [habits.long_late(n, Chance(f"old:{n}")) for n in range(20_000)]
    months = Counter(days // 30 for days, _ in drawn)
    late = sum(measured().rolls.stock(status) for status in "12345")
    for status in range(1, 6):
        wanted = measured().rolls.stock(str(status)) / late
        assert abs(months[status] / len(drawn) - wanted) <= 0.01
    never = Counter(days // 30 for days, is_never in drawn if is_never)
    assert never[1] / months[1] < 0.03 and never[5] == months[5]
    # Also where few are taken over, one of them never pays.
    assert any(is_never for _, is_never in drawn[:2])


def test_the_rest_of_a_part_payment_follows_within_weeks() -> None:
    """On a day after the part, rarely on a weekend."""
    chance = Chance("rest")
    first_on = date(2026, 3, 10)
    days = [habits.days_until_rest(chance, first_on) for _ in range(5_000)]
    assert min(days) == 1 and max(days) == habits.REST_WITHIN_DAYS
    weekend = sum((first_on + timedelta(days=each)).weekday() >= 5 for each in days)
    assert 0.08 < weekend / len(days) < 0.18


def test_chance_is_the_same_everywhere() -> None:
    """Whatever the hash seed: a text is hashed by the generator itself."""
    chance = Chance("7:2026-01-01:1")
    assert [chance.below(1000) for _ in range(5)] == [594, 457, 94, 978, 713]
    assert all(2 <= chance.between(2, 4) <= 4 for _ in range(50))
    assert {chance.one_of("a", "b") for _ in range(50)} == {"a", "b"}
    assert all(0 <= chance.small(10) < 10 for _ in range(50))
