"""Ageing: days past due and the bucket they fall into."""

from __future__ import annotations

from datetime import date

from betimes.core.obligation import Obligation

# Upper edges of the buckets in days past due; above the last one is M3+.
_EDGES = ((0, "C"), (30, "M1"), (60, "M2"), (90, "M3"))


def days_past_due(due_on: date, today: date) -> int:
    """Return whole days from the due date to `today`, both civil dates in the borrower's zone.

    Positive when overdue, 0 on the due date itself, negative before it. Never raises.
    """
    return (today - due_on).days


def bucket(dpd: int) -> str:
    """Return the bucket of `dpd`: C up to 0, M1 1-30, M2 31-60, M3 61-90, M3+ above."""
    return next((name for edge, name in _EDGES if dpd <= edge), "M3+")


def age(obligation: Obligation, today: date) -> tuple[int, str]:
    """Return DPD (never below 0) and bucket of an open obligation; a met minimum keeps the account current.

    A settled obligation is (0, "C").
    """
    if not obligation.is_open or obligation.minimum_is_met:
        return 0, "C"
    dpd = max(0, days_past_due(obligation.due_on, today))
    return dpd, bucket(dpd)
