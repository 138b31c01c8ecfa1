"""Golden vectors of ageing: what is owed and late under grace and tolerance, days past due, bucket edges."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from betimes.adapters.buckets import buckets
from betimes.core.ageing import (
    Delinquency,
    Phase,
    dpd_of,
    entry_days,
    months_late,
    standing,
)
from betimes.core.product import DpdOrigin, Profile
from tests.golden.vectors import GOLDEN

OWING: dict[str, Any] = GOLDEN["owing"]
DPD: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in GOLDEN["dpd"]}
ORIGINS = sorted(name for name, vector in DPD.items() if "dpd_origin" in vector)


def minor(text: str) -> int:
    """Return fen of an amount in yuan."""
    return int(Decimal(text) * 100)


CARD = Profile(grace_days=OWING["grace_days"], tolerance_minor=minor(OWING["tolerance"]))


@pytest.mark.parametrize("row", OWING["rows"], ids=lambda row: f"{row[0]} {row[1]}")
def test_owing(row: list[Any]) -> None:
    """Grace and tolerance change phase and whether anything is unpaid, never the count of days."""
    as_of, unpaid, overdue, dpd, state = row
    due_on = date.fromisoformat(OWING["due"])
    found = standing(due_on, minor(unpaid), date.fromisoformat(as_of), CARD)
    assert (found.overdue, found.dpd, found.phase) == (overdue, dpd, Phase(state))


def matches(name: str, origin: DpdOrigin) -> bool:
    """Return whether a vector comes out when days are counted from `origin`."""
    vector, profile = DPD[name], Profile(dpd_origin=origin)
    if "events" in vector:
        days = entry_days(date.fromisoformat(vector["due"]), buckets()["sma"], profile)
        events: dict[str, str] = vector["events"]
        return {stage: on.isoformat() for stage, on in days.items()} == events
    return all(
        dpd_of(date.fromisoformat(due), date.fromisoformat(as_of), profile) == dpd
        for due, as_of, dpd in vector["rows"]
    )


@pytest.mark.parametrize("name", ORIGINS)
def test_dpd(name: str) -> None:
    """Each vector comes out with its own origin and with no other: the parameter is pinned, not only the result."""
    assert [origin for origin in DpdOrigin if matches(name, origin)] == [DPD[name]["dpd_origin"]]


@pytest.mark.parametrize("method", list(Delinquency))
def test_mba_and_ots(method: Delinquency) -> None:
    """One unpaid instalment, two ways of counting, a month apart."""
    vector = DPD["mba-ots"]
    due_on = date.fromisoformat(vector["first_unpaid_due"])
    column = vector["cols"].index(method)
    for row in vector["rows"]:
        as_of = date.fromisoformat(row[0])
        assert months_late(due_on, as_of, method, vector["due_day_of_month"]) == row[column]
        assert all(
            months_late(due_on, as_of, other) != row[column]
            for other in Delinquency
            if other is not method
        )


@pytest.mark.parametrize("vector", GOLDEN["buckets"], ids=lambda vector: vector["id"])
def test_buckets(vector: dict[str, Any]) -> None:
    """The shipped set has these edges, and each edge belongs to its bucket."""
    found = buckets()[vector["id"].replace("-", "_")]
    assert {each.name: [each.first, each.last] for each in found.ranges} == vector["edges"]
    assert [[dpd, found.of(dpd)] for dpd, _ in vector["rows"]] == vector["rows"]
