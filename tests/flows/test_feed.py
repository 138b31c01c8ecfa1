"""The feed: up to when a lender's repayments are complete only ever moves forward, and never into the future."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from betimes.core.errors import Rejected
from betimes.core.intake import CLOCK_TOLERANCE, Outcome
from betimes.flows.feed import complete
from betimes.lab.world import TENANT
from tests.core.support import utc
from tests.flows.harness import MINUTE, TOLD_AT, empty_world


def test_it_moves_forward_only() -> None:
    """The latest instant holds; the same one again and an earlier one change nothing."""
    here = empty_world()
    assert here.memory.fed_until(TENANT) is None
    for until, outcome in (
        (TOLD_AT - MINUTE, Outcome.STORED),
        (TOLD_AT - MINUTE, Outcome.UNCHANGED),
        (TOLD_AT - 2 * MINUTE, Outcome.UNCHANGED),
        (TOLD_AT, Outcome.STORED),
    ):
        assert complete(here.stores, TENANT, until, TOLD_AT) is outcome
    assert here.memory.fed_until(TENANT) == TOLD_AT
    assert here.memory.fed_until("other") is None


@pytest.mark.parametrize(
    ("until", "code"),
    [
        (TOLD_AT + CLOCK_TOLERANCE + timedelta(microseconds=1), "in_the_future"),
        (utc("1969-12-31 23:59"), "bad_date"),
        (utc("2200-01-01 00:00"), "bad_date"),
    ],
)
def test_nobody_knows_what_will_be_paid(until: datetime, code: str) -> None:
    """A feed that is complete up to tomorrow would let reminders overtake today's money."""
    here = empty_world()
    with pytest.raises(Rejected) as caught:
        complete(here.stores, TENANT, until, TOLD_AT)
    assert (caught.value.code, caught.value.field) == (code, "complete_until")
    assert here.memory.fed_until(TENANT) is None
    assert complete(here.stores, TENANT, TOLD_AT + CLOCK_TOLERANCE, TOLD_AT) is Outcome.STORED
