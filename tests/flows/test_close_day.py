"""Close of day: everything open is aged, and a step without its decision is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from betimes.core.change import SaveObligation
from betimes.flows import close_day as flow
from betimes.flows.close_day import TOLERANCE, close_borrower, close_day
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES, TICK, utc
from tests.flows.harness import (
    account,
    bill,
    bill_of,
    empty_world,
    money,
    person,
    played_out,
    tell,
    world,
)

DEADLINE = utc("2026-03-07 02:00")  # of D-3


def closed(here: World, now: str | None = None) -> flow.DayClosed:
    """Return the report of a close of day."""
    at = utc(now) if now else here.clock.now()
    return close_day(here.memory, POLICIES, shards=1, now=at)


def test_open_bills_are_counted_and_aged() -> None:
    """By bucket and currency, with what is still owed; settled ones are not."""
    here = world()
    tell(here, bill("o2", seq=2, due_on=date(2026, 4, 30)), bill("o3", seq=3), bill("o4", seq=4))
    tell(here, money(minor=400), money("r2", obligation_id="o4"))
    report = closed(here, "2026-04-09 02:00")
    assert report.obligations == 3
    assert report.buckets == {"M0": 1, "M2": 2}
    assert report.outstanding_minor == {"CNY M0": 1000, "CNY M2": 1600}
    assert report.at == utc("2026-04-09 02:00")


def test_the_day_of_a_borrower_is_that_of_the_zone() -> None:
    """At 17:00 UTC the tenth has begun in Shanghai and not in London."""
    here = world()
    tell(here, person("x@borrowers.example", zone="Europe/London"), account("a2"), borrower_id="b2")
    tell(here, bill("o2", account_id="a2"), borrower_id="b2")
    assert closed(here, "2026-03-09 17:00").buckets == {"M1": 1, "M0": 1}


def test_a_step_without_its_decision_is_named() -> None:
    """From an hour after its deadline on: the sweep has its own pace."""
    here = world()
    edge = DEADLINE + TOLERANCE
    before = close_day(here.memory, POLICIES, shards=1, now=edge - TICK)
    assert before.undecided == []
    assert close_day(here.memory, POLICIES, shards=1, now=edge).undecided == ["o1:D-3"]


def test_a_day_that_was_swept_has_nothing_undecided() -> None:
    """Up to the end of the treatment, when an open bill has no step left and is still found."""
    here = played_out(world())
    report = closed(here)
    assert (report.undecided, report.stranded, report.obligations) == ([], [], 1)
    assert report.buckets == {"M3": 1}


def test_a_bill_that_fell_off_the_agenda_is_named() -> None:
    """Planted: open, and nobody will ever look at it; found through another bill of the same borrower."""
    here = world()
    tell(here, bill("o2", seq=2))
    lost = bill_of(here, "o2")
    stranded = replace(lost, watch=replace(lost.watch, look_at=None, seq=lost.watch.seq + 1))
    here.memory.commit([SaveObligation(TENANT, "b1", stranded, lost.version, lost.watch.seq)])
    assert closed(here).stranded == ["o2"]


@pytest.mark.parametrize("page", [1, 2, 3, 200])
def test_every_borrower_is_met_once(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, with several bills each; a bill behind the end of its treatment too."""
    monkeypatch.setattr(flow, "PAGE", page)
    here = empty_world()
    for n in range(5):
        borrower_id, account_id = f"b{n}", f"a{n}"
        tell(here, person(f"b{n}@borrowers.example"), account(account_id), borrower_id=borrower_id)
        for k in range(n % 3 + 1):
            tell(here, bill(f"o{n}{k}", account_id=account_id, seq=k + 1), borrower_id=borrower_id)
    assert closed(here).obligations == 9
    assert closed(played_out(here)).obligations == 9


def test_shards_are_walked_to_the_last() -> None:
    """All of them."""
    here = World(POLICIES, utc("2026-03-01 02:00"), shards=4)
    for n in range(12):
        tell(here, person(f"b{n}@borrowers.example"), account(f"a{n}"), borrower_id=f"b{n}")
        tell(here, bill(f"o{n}", account_id=f"a{n}"), borrower_id=f"b{n}")
    assert len(here.memory.shards()) > 1
    assert close_day(here.memory, POLICIES, shards=4, now=here.clock.now()).obligations == 12


def test_a_settled_borrower_adds_nothing() -> None:
    """However long ago the bill was due."""
    here = world()
    tell(here, money())
    report = flow.DayClosed(at=here.clock.now())
    close_borrower(
        report, here.memory.pages(TENANT, "b1"), POLICIES, here.clock.now() + timedelta(days=99)
    )
    assert (report.obligations, report.undecided, report.stranded) == (0, [], [])


def test_a_step_that_came_due_before_the_money_is_named() -> None:
    """Planted: settled after D-3 came due, D-3 undecided, off the agenda; named from an hour after the money."""
    here = world()
    paid_at = utc("2026-03-06 03:00")
    here.clock.advance(paid_at)
    tell(here, money(paid_at=paid_at), bill("o2", seq=2))
    paid = bill_of(here)
    lost = replace(paid, watch=replace(paid.watch, look_at=None, seq=paid.watch.seq + 1))
    here.memory.commit([SaveObligation(TENANT, "b1", lost, paid.version, paid.watch.seq)])
    edge = paid_at + TOLERANCE
    assert close_day(here.memory, POLICIES, shards=1, now=edge - TICK).undecided == []
    assert close_day(here.memory, POLICIES, shards=1, now=edge).undecided == ["o1:D-3"]


def test_a_step_that_was_explained_by_the_money_is_not_named() -> None:
    """Swept as it should be: late steps have their decision, and later ones fell away."""
    here = world()
    here.clock.advance(utc("2026-03-06 03:00"))
    tell(here, money(paid_at=here.clock.now()), bill("o2", seq=2))
    played_out(here)
    report = closed(here)
    assert (report.undecided, report.stranded, report.obligations) == ([], [], 1)
