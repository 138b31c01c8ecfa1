"""Roll rates: movements between days that account for every account, and rates that add up to one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.adapters.buckets import buckets
from betimes.core.ageing import Course, Entry, Facts, ReAge, history
from betimes.core.product import PLAIN
from betimes.core.rolls import (
    Exit,
    Kind,
    Level,
    Position,
    Rolls,
    Turn,
    Weight,
    counted,
    kind,
    rolls,
    turns,
)

M = buckets()["m"]
BETWEEN = (date(2026, 3, 31), date(2026, 4, 30))
STATES = [*M.names, *Exit]
BOOKS = st.dictionaries(
    st.integers(0, 30).map(str),
    st.builds(Position, st.sampled_from(STATES), st.integers(0, 10**12)),
    max_size=30,
)


def moved(before: dict[str, Position], after: dict[str, Position]) -> Rolls:
    """Return the movements of a month in M buckets."""
    return rolls(before, after, buckets=M, between=BETWEEN)


def book(**states: str) -> dict[str, Position]:
    """Return positions of 100.00 each."""
    return {key: Position(state, 10_000) for key, state in states.items()}


@given(BOOKS, BOOKS)
def test_every_row_adds_up_to_exactly_one(
    before: dict[str, Position], after: dict[str, Position]
) -> None:
    """By number and by balance, as fractions; there is a row for what held anything, and for nothing else."""
    found = moved(before, after)
    for weight in Weight:
        rates = found.rates(weight)
        for row in rates.values():
            assert sum(row.values()) == 1
            assert list(row) == STATES
            assert all(0 <= rate <= 1 for rate in row.values())
        held = {
            each.state
            for each in before.values()
            if weight is Weight.COUNT or each.balance_minor > 0
        }
        assert set(rates) == held - {Exit.OUTSIDE}


@given(BOOKS, BOOKS)
def test_counts_of_two_days_differ_exactly_by_the_movements(
    before: dict[str, Position], after: dict[str, Position]
) -> None:
    """What was in each state, less what left it, plus what came, is what is in it."""
    found = moved(before, after)
    assert found.carried(counted(before.values())) == counted(after.values())
    assert sum(found.kinds().values()) == len({**before, **after})


@given(BOOKS, BOOKS, st.data())
def test_parts_of_a_book_add_up_to_the_book(
    before: dict[str, Position], after: dict[str, Position], data: st.DataObject
) -> None:
    """However it is divided."""
    part = data.draw(st.sets(st.sampled_from(sorted({**before, **after}) or ["none"])))
    one, other = (
        moved(
            {key: each for key, each in before.items() if (key in part) is inside},
            {key: each for key, each in after.items() if (key in part) is inside},
        )
        for inside in (True, False)
    )
    assert one + other == moved(before, after)


def test_parts_of_different_periods_do_not_add_up() -> None:
    """Nor of different levels or bucket sets."""
    one = moved({}, {})
    for other in (
        replace(one, to_on=date(2026, 5, 31)),
        replace(one, level=Level.BORROWER),
        replace(one, buckets=buckets()["sma"]),
    ):
        with pytest.raises(AssertionError):
            _ = one + other


def test_a_state_outside_the_set_is_a_mistake() -> None:
    """SMA-1 is no M bucket."""
    with pytest.raises(AssertionError):
        moved(book(a="SMA-1"), {})


def test_the_roll_rate_is_what_reached_the_next_bucket() -> None:
    """Of three in M1, one of them with half the balance: one rolled, one cured, one was paid off."""
    before = {"a": Position("M1", 20_000), "b": Position("M1", 10_000), "c": Position("M1", 10_000)}
    found = moved(before, book(a="M2", b="M0", c="paid_off"))
    assert found.roll_rate("M1") == Fraction(1, 3)
    assert found.roll_rate("M1", Weight.BALANCE) == Fraction(1, 2)
    assert found.roll_rate("M2") is None
    assert found.roll_rate("M3+") is None
    assert moved(book(a="M3+"), book(a="M3+")).roll_rate("M3+") is None
    assert found.rates()["M1"]["paid_off"] == Fraction(1, 3)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("M1", "M1", Kind.STAY),
        ("M1", "M2", Kind.FORWARD),
        ("M1", "M3+", Kind.FORWARD),
        ("M0", "M1", Kind.FORWARD),
        ("M3", "M1", Kind.PARTIAL_CURE),
        ("M3", "M0", Kind.CURE),
        ("M1", "paid_off", Kind.PAID_OFF),
        ("M3+", "charged_off", Kind.CHARGED_OFF),
        ("charged_off", "paid_off", Kind.PAID_OFF),
        ("charged_off", "charged_off", Kind.STAY),
        ("outside", "M0", Kind.ENTERED),
        ("outside", "paid_off", Kind.PAID_OFF),
        ("M2", "outside", Kind.LEFT),
        ("paid_off", "M2", Kind.REOPENED),
    ],
)
def test_kinds_of_movement(before: str, after: str, expected: Kind) -> None:
    """A return to 0 is a cure, to a lower bucket a partial one."""
    assert kind(before, after, M) is expected
    assert moved(book(a=before), book(a=after)).kinds() == {expected: 1}


DUE = date(2026, 3, 9)


def lived(*courses: Course) -> tuple[Turn, ...]:
    """Return the changes of bucket of an account over half a year."""
    days = [DUE + timedelta(days=n) for n in range(-5, 180)]
    return turns(history(Facts(courses, PLAIN, M), days), M)


def bill(
    number: int = 0, *, entries: tuple[Entry, ...] = (), reaged: tuple[ReAge, ...] = ()
) -> Course:
    """Return a bill of 500.00, due 30 days after the one before it."""
    due_on = DUE + timedelta(days=30 * number)
    return Course(due_on - timedelta(days=20), due_on, 50_000, entries=entries, reaged=reaged)


def test_turns_of_a_history() -> None:
    """Forward one bucket at a time, a partial cure when the oldest is paid, a cure when all is."""
    on = [DUE + timedelta(days=n) for n in range(100)]
    first = bill(entries=(Entry(on[70], 50_000),))
    second = bill(1, entries=(Entry(on[75], 50_000),))
    assert lived(first, second) == (
        Turn(on[1], "M0", "M1", Kind.FORWARD),
        Turn(on[31], "M1", "M2", Kind.FORWARD),
        Turn(on[61], "M2", "M3", Kind.FORWARD),
        Turn(on[70], "M3", "M2", Kind.PARTIAL_CURE),
        Turn(on[75], "M2", "M0", Kind.CURE),
    )


def test_a_re_ageing_is_no_cure() -> None:
    """Nobody paid: terms were changed. What is paid later is a cure."""
    on = [DUE + timedelta(days=n) for n in range(100)]
    again = bill(reaged=(ReAge(on[40], on[39]),), entries=(Entry(on[50], 50_000),))
    assert lived(again)[2:] == (
        Turn(on[40], "M2", "M1", Kind.RE_AGED),
        Turn(on[50], "M1", "M0", Kind.CURE),
    )


def test_only_a_fall_on_the_day_of_an_agreement_is_a_re_ageing() -> None:
    """A payment the day after is a partial cure; a rise on that day, by a reversal of another bill, is a rise."""
    on = [DUE + timedelta(days=n) for n in range(100)]
    agreed = bill(1, reaged=(ReAge(on[40], on[39]),))
    paid = bill(entries=(Entry(on[41], 50_000),))
    assert lived(paid, agreed)[2] == Turn(on[41], "M2", "M1", Kind.PARTIAL_CURE)
    back = bill(entries=(Entry(on[5], 50_000), Entry(on[40], -50_000)))
    assert Turn(on[40], "M1", "M2", Kind.FORWARD) in lived(back, agreed)


def test_a_reversal_brings_the_bucket_back_at_once() -> None:
    """From M0 to where it would have been, without the buckets between: the days were late all along."""
    on = [DUE + timedelta(days=n) for n in range(100)]
    back = bill(entries=(Entry(on[5], 50_000), Entry(on[40], -50_000)))
    assert lived(back)[:3] == (
        Turn(on[1], "M0", "M1", Kind.FORWARD),
        Turn(on[5], "M1", "M0", Kind.CURE),
        Turn(on[40], "M0", "M2", Kind.FORWARD),
    )
