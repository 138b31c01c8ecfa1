"""Refusals at intake of what would be stored and mean something else than was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from betimes.core.hold import Kind
from betimes.core.intake import LiftHold, Outcome, PutHold
from betimes.core.product import MAX_DAILY_RATE
from tests.core.test_intake import ACCOUNT, NOW, OWING, READY, code, outcome, told

HOUR = timedelta(hours=1)
DISPUTE = PutHold("h1", Kind.DISPUTE, NOW)
PROMISE = PutHold("h1", Kind.PROMISE, NOW, promise_minor=300, promise_on=date(2026, 3, 6))


@pytest.mark.parametrize("rate", ["0.03", "0.9", "1", "0.008000000001", "-0.0001"])
def test_a_rate_that_no_product_may_have_no_account_may_have(rate: str) -> None:
    """A percentage written for a part of one; the limit is that of products."""
    account = replace(ACCOUNT, daily_rate=Decimal(rate))
    assert code(READY, account) == ("bad_rate", "daily_rate")
    assert outcome(READY, replace(ACCOUNT, daily_rate=MAX_DAILY_RATE)) is Outcome.REPLACED


def test_a_promise_has_no_end_but_its_day() -> None:
    """Neither one that it would not keep to, nor one before it was made."""
    assert outcome(OWING, PROMISE) is Outcome.STORED
    assert code(OWING, replace(PROMISE, ends_at=NOW + HOUR)) == ("bad_hold", "ends_at")
    for on in (date(2026, 2, 1), date(1970, 1, 1)):
        assert code(OWING, replace(PROMISE, promise_on=on)) == ("bad_hold", "promise_on")


def test_a_hold_is_lifted_once() -> None:
    """Told again it changes nothing; at another instant it is refused, be that sooner or later."""
    lift = LiftHold("h1", NOW)
    lifted = told([DISPUTE, lift], OWING)
    assert outcome(lifted, lift) is Outcome.UNCHANGED
    for at in (NOW - HOUR, NOW + timedelta(minutes=1)):
        assert code(lifted, replace(lift, lifted_at=at)) == ("hold_lifted", "lifted_at")
