"""The feed: a lender says up to when everything that was paid has been told."""

from __future__ import annotations

from datetime import datetime

from betimes.core.change import SaveFeed
from betimes.core.errors import Rejected
from betimes.core.intake import CLOCK_TOLERANCE, YEARS, Outcome
from betimes.ports import Stores


def complete(stores: Stores, tenant: str, until: datetime, now: datetime) -> Outcome:
    """Record that a tenant's repayments are complete up to `until` (UTC); UNCHANGED if that was known, or more.

    Raises:
        Rejected: code "bad_date" or "in_the_future": nobody knows what will be paid.
        Unavailable: the store is out of reach.
    """
    field = "complete_until"
    if until.year not in YEARS:
        raise Rejected("bad_date", field, f"{field} lies in a year from {YEARS[0]} to {YEARS[-1]}")
    if until > now + CLOCK_TOLERANCE:
        raise Rejected("in_the_future", field, "nobody knows what will be paid; check the clock")
    known = stores.book.fed_until(tenant)
    if known is not None and until <= known:
        return Outcome.UNCHANGED
    stores.store.commit([SaveFeed(tenant, until)])
    return Outcome.STORED
