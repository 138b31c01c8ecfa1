"""Golden vectors of time: windows, conflicting zones, civil days, numbers, counting, effective dates, message parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from betimes.core import counting, zones
from betimes.core.hours import Hours, Timetable
from betimes.core.rule import (
    WEEKDAYS,
    Enforce,
    Force,
    Kind,
    Rule,
    Span,
    Status,
    Where,
    WindowTerms,
)
from betimes.core.segments import segments
from betimes.wire import phones
from tests.golden.vectors import GOLDEN

DAY = timedelta(days=1)
SEARCHED = 8 * DAY
COUNTING = {vector["id"]: vector for vector in GOLDEN["counting"]}
EFFECTIVE = {vector["id"]: vector for vector in GOLDEN["effective_dates"]}


def hours(opens: str, closes: str, *names: str, closes_inclusive: bool) -> Hours:
    """Return the hours of a rule with these edges on every day, by the clocks of some zones."""
    span = Span(time.fromisoformat(opens), time.fromisoformat(closes), closes_inclusive)
    rule = Rule(
        id="X.WINDOW",
        title="a window of the golden vectors",
        pack="X",
        kind=Kind.WINDOW,
        terms=WindowTerms(dict.fromkeys(WEEKDAYS, (span,)), Where.CONSUMER),
        parties=frozenset(),
        stages=frozenset(),
        purposes=frozenset(),
        channels=frozenset(),
        products=frozenset(),
        effective_from=date(1900, 1, 1),
        effective_to=None,
        force=Force.LAW,
        status=Status.VERIFIED,
        enforce=Enforce.HARD,
        citation="golden vectors",
    )
    return Hours(tuple(Timetable(rule, name, None) for name in names))


@pytest.mark.parametrize("vector", GOLDEN["windows"], ids=lambda vector: str(vector["id"]))
def test_windows(vector: dict[str, Any]) -> None:
    """To the second at both edges, which each rule bounds in its own way."""
    assert not vector["start_open"], "a window always contains its opening"
    window = hours(
        vector["start"],
        vector["end"],
        vector["zone"],
        closes_inclusive=not vector["end_open"],
    )
    for local, allowed in vector["rows"]:
        at = zones.instant(date(2026, 11, 24), time.fromisoformat(local), vector["zone"])
        assert window.open_at(at) is allowed, local
        assert (window.next_opening(at, at + SEARCHED) == at) is allowed, local


@pytest.mark.parametrize(
    ("names", "expected"),
    GOLDEN["zone_conflict"]["rows"],
    ids=lambda each: "+".join(map(str, each)),
)
def test_zone_conflict(names: list[str], expected: list[list[str]]) -> None:
    """The longest intervals that every candidate zone allows and that begin on 24 November 2026 UTC."""
    window = hours("08:00", "21:00", *names, closes_inclusive=False)
    start = datetime(2026, 11, 24, tzinfo=UTC)
    # Intervals are cut at both ends of what is asked for: a day more on either side leaves those of the day whole.
    around = window.intervals(start - DAY, start + 2 * DAY)
    found = tuple(each for each in around if start <= each[0] < start + DAY)
    assert found == tuple(
        (datetime.fromisoformat(opening), datetime.fromisoformat(closing))
        for opening, closing in expected
    )
    for opening, closing in found:
        assert window.next_opening(opening - timedelta(seconds=1), opening + SEARCHED) == opening
        assert window.closing(opening) == closing
    if not found:
        assert window.next_opening(start, start + SEARCHED) is None


@pytest.mark.parametrize(
    ("zone", "on", "length", "first"),
    [row[:4] for row in GOLDEN["civil_days"]["rows"]],
    ids=str,
)
def test_civil_days(zone: str, on: str, length: int, first: str) -> None:
    """How many hours a date has, and what clocks show when it begins."""
    day = date.fromisoformat(on)
    assert zones.day_hours(day, zone) == length
    began = zones.first_instant(day, zone)
    assert began is not None
    assert zones.local_time(began, zone) == time.fromisoformat(first)
    assert zones.local_date(began, zone) == day


@pytest.mark.parametrize(
    ("number", "expected"),
    GOLDEN["phone_zone_evidence"]["rows"],
    ids=[row[0] for row in GOLDEN["phone_zone_evidence"]["rows"]],
)
def test_phone_zone_evidence(number: str, expected: list[str]) -> None:
    """What the pinned version says, word for word; where it knows nothing, there are no candidates."""
    assert phones.evidence(number) == tuple(expected)
    assert phones.zones_of(number) == tuple(name for name in expected if name != "Etc/Unknown")


def _regf_cooloff(vector: dict[str, Any]) -> None:
    said = date.fromisoformat(vector["conversation"])
    assert counting.last_of(said, 7) == date.fromisoformat(vector["blocked_through"])
    assert counting.first_after(said, 7) == date.fromisoformat(vector["first_allowed"])


def _regf_7in7(vector: dict[str, Any]) -> None:
    calls = [date.fromisoformat(on) for on in vector["calls"]]
    cap = counting.Cap(most=7, days=7)
    for on, allowed in vector["rows"]:
        assert cap.allows(calls, date.fromisoformat(on)) is allowed, on
    refused, taken = (date.fromisoformat(on) for on, _ in vector["rows"])
    assert cap.next_allowed(calls, refused) == taken


def _uk_86b(vector: dict[str, Any]) -> None:
    trigger = date.fromisoformat(vector["trigger"])
    assert counting.last_of(trigger, 14) == date.fromisoformat(vector["latest"])


def _tila_21(vector: dict[str, Any]) -> None:
    mailed = date.fromisoformat(vector["mailed"])
    assert counting.earliest_due(mailed, 21) == date.fromisoformat(vector["not_late_before"])


CHECKS = {
    "regf-cooloff": _regf_cooloff,
    "regf-7in7": _regf_7in7,
    "uk-86b": _uk_86b,
    "tila-21": _tila_21,
}


@pytest.mark.parametrize("name", COUNTING)
def test_counting(name: str) -> None:
    """Which day is day 1, and which is the last; a new vector without a check fails."""
    CHECKS[name](COUNTING[name])


@pytest.mark.parametrize(
    ("decided_on", "send_on", "scope"), EFFECTIVE["tcpa-revoke-all"]["rows"], ids=str
)
def test_effective_dates_of_a_revocation(decided_on: str, send_on: str, scope: str) -> None:
    """The scope follows the planned day of sending, and not the day on which that was decided."""
    assert counting.revocation_scope(date.fromisoformat(send_on)) == scope
    assert EFFECTIVE["tcpa-revoke-all"]["evaluate_as_of"] == "planned send"
    assert decided_on < send_on


def test_the_day_of_the_decision_would_give_another_scope() -> None:
    """At least one vector tells the two days apart, so the tests above pin which one counts."""
    rows = EFFECTIVE["tcpa-revoke-all"]["rows"]
    assert any(counting.revocation_scope(date.fromisoformat(row[0])) != row[2] for row in rows)


@pytest.mark.parametrize(("send_on", "allowed"), EFFECTIVE["pboc-repair-text"]["rows"], ids=str)
def test_effective_dates_of_a_text(send_on: str, allowed: bool) -> None:
    """The sentence on credit repair is gone the day after its last one."""
    assert counting.credit_repair_may_be_named(date.fromisoformat(send_on)) is allowed


@pytest.mark.parametrize(
    ("chars", "count", "split"),
    GOLDEN["sms_segments_cn"]["rows"],
    ids=[str(row[0]) for row in GOLDEN["sms_segments_cn"]["rows"]],
)
def test_sms_segments_cn(chars: int, count: int, split: list[int]) -> None:
    """Up to 70 characters in one part, else 67 in each; the signature is part of the text."""
    signature = "【商户】"
    parts = segments(signature + "款" * (chars - len(signature)))
    assert parts == tuple(split)
    assert len(parts) == count
