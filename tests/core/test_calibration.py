"""The measured figures: the pack agrees with itself, spreads agree with it, and a wrong pack is refused by name."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from importlib import resources
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import calibration
from betimes.core.calibration import POINTS, Spread
from betimes.core.errors import Rejected

FIGURES = tomllib.loads((resources.files("betimes.packs") / "calibration.toml").read_text("utf-8"))
MEASURED = calibration.parse(FIGURES, "calibration.toml")
SOURCES = ("instalment", "statement")
DRAWS = 200_000


def spread_of(name: str) -> Spread:
    found = getattr(MEASURED, name)
    assert isinstance(found, Spread)
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_bins_have_no_gap_and_sum_to_one(name: str) -> None:
    """To the last of five digits, which is as the sources have them."""
    bins = FIGURES[name]["bins"]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(bins))
    assert abs(sum(share for _, _, share in bins) - 100_000) <= 1


@pytest.mark.parametrize("name", SOURCES)
def test_every_measured_daily_hazard_is_met_within_a_point(name: str) -> None:
    """Also far out, where few are left; and the hazards do not contradict the bins."""
    spread = spread_of(name)
    hazards = FIGURES[name]["daily_hazards"]
    for day, hazard in enumerate(hazards, start=FIGURES[name]["first_hazard_day"]):
        unpaid = sum(spread.weight(later) for later in range(day, spread.last + 1))
        assert abs(spread.weight(day) / unpaid - hazard / 10_000) <= 0.01, day


@pytest.mark.parametrize("name", SOURCES)
def test_the_spread_holds_the_share_of_every_bin(name: str) -> None:
    """So the distance to the source is rounding and nothing else, and the late share is the measured one."""
    spread = spread_of(name)
    total = spread.cumulative[-1]
    for low, high, share in FIGURES[name]["bins"]:
        weight = sum(spread.weight(day) for day in range(low, high + 1))
        assert abs(weight / total - share / 100_000) <= 0.00002
    late = sum(spread.weight(day) for day in range(1, spread.last + 1)) / total
    assert abs(late - FIGURES[name]["late_share"] / 10_000) <= 0.0001


@pytest.mark.parametrize("name", SOURCES)
def test_evenly_spaced_points_draw_the_measured_histogram(name: str) -> None:
    """What `draw` returns over its whole range lies within 0.001 of the source."""
    spread = spread_of(name)
    drawn = [spread.draw(n * POINTS // DRAWS) for n in range(DRAWS)]
    distance = sum(
        abs(sum(low <= day <= high for day in drawn) / DRAWS - share / 100_000)
        for low, high, share in FIGURES[name]["bins"]
    )
    assert distance <= 0.001


def test_hours_and_weekdays_are_all_there() -> None:
    """24 and 7 of them, each with some weight."""
    assert [MEASURED.hours.weight(hour) > 0 for hour in range(24)] == [True] * 24
    assert [MEASURED.weekdays.weight(day) for day in range(7)] == FIGURES["paid_weekdays"]
    assert MEASURED.hours.last == 23 and MEASURED.weekdays.last == 6


def test_late_payers_are_late_again() -> None:
    """As measured, per 10,000."""
    assert (MEASURED.late_after_late, MEASURED.late_after_on_time) == (3949, 1439)


def test_the_chance_of_never_paying_follows_the_measured_rolls() -> None:
    """The chain of counts, solved: it solves its own equation, rises with every month, and ends at certainty."""
    rolls = MEASURED.rolls
    chance = {status: rolls.never_paid(status) for status in rolls.order}
    for status in "1234":
        row = rolls.counts[rolls.order.index(status)]
        ahead = sum(
            count * chance[to] for to, count in zip(rolls.order, row, strict=True) if to in "12345"
        )
        assert abs(chance[status] - ahead / sum(row)) <= 10
    assert chance["5"] == 10**9
    assert 0 < chance["0"] < chance["1"] < chance["2"] < chance["3"] < chance["4"] < chance["5"]
    # One late month is mostly cured, four are mostly not; one current month in two thousand starts the long way.
    assert 0.015 < chance["1"] / 10**9 < 0.016 and 0.74 < chance["4"] / 10**9 < 0.75
    assert 0.0004 < chance["0"] / 10**9 < 0.0006
    assert rolls.stock("1") == 10_737


@given(st.integers(-5, 5), st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_weights_are_those_the_spread_was_made_of(first: int, weights: list[int]) -> None:
    """And nothing outside of it has any."""
    spread = Spread.of(first, weights)
    assert [spread.weight(n) for n in range(first, spread.last + 1)] == weights
    assert spread.weight(first - 1) == spread.weight(spread.last + 1) == 0
    if sum(weights):
        assert spread.weight(spread.draw(POINTS - 1)) > 0


def _changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(FIGURES)
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "about"),
    [
        (lambda d: d.pop("paid_hours"), "paid_hours"),
        (lambda d: d["paid_hours"].pop(), "paid_hours needs 24"),
        (lambda d: d.update(paid_weekdays=[1, 2, 3, 4, 5, 6]), "paid_weekdays needs 7"),
        (lambda d: d.update(paid_weekdays=[1, 2, 3, 4, 5, 6, -1]), "none of them negative"),
        (lambda d: d.pop("late_after_late"), "late_after_late"),
        (lambda d: d.update(late_after_on_time="often"), "often"),
        (lambda d: d.update(partial_share=None), "calibration"),
        (lambda d: d["rolls"].pop("order"), "order"),
        (lambda d: d["rolls"]["counts"].pop(), "8 rows of 8"),
        (lambda d: d["rolls"]["counts"][3].pop(), "8 rows of 8"),
        (lambda d: d["rolls"]["counts"][3].__setitem__(0, -1), "below zero"),
        (lambda d: d["rolls"]["counts"].__setitem__(2, [0] * 8), "empty"),
        (lambda d: d["rolls"].update(order=list("ABCDEFGH")), "statuses"),
        (lambda d: d.update(rolls=7), "calibration"),
        (lambda d: d["instalment"].pop("bins"), "bins"),
        (lambda d: d["instalment"]["bins"].pop(3), "follow"),
        (lambda d: d["instalment"]["bins"].__setitem__(12, [31, 60, 1]), "hazards pay more"),
    ],
)
def test_a_malformed_pack_is_refused_by_its_name(
    change: Callable[[dict[str, Any]], object], about: str
) -> None:
    """With the reason; nothing of it is used."""
    with pytest.raises(Rejected, match=r"calibration-test\.toml") as refused:
        calibration.parse(_changed(change), "calibration-test.toml")
    assert refused.value.code == "bad_calibration"
    assert about in refused.value.message
