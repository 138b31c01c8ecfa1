"""Money in flight: a debit that was submitted, a transfer that is pending, a refund that runs. It silences contact
until its result is known: nobody whose money is under way is asked to pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Means(StrEnum):
    """How the money travels."""

    DEBIT = "debit"
    TRANSFER = "transfer"
    REFUND = "refund"


class FlightState(StrEnum):
    """How far it is. SETTLED and FAILED are ends and never left; a message that comes late changes nothing."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    SETTLED = "settled"
    FAILED = "failed"


RANK = {
    FlightState.SCHEDULED: 1,
    FlightState.PENDING: 2,
    FlightState.SETTLED: 3,
    FlightState.FAILED: 3,
}


@dataclass(frozen=True, slots=True)
class Flight:
    """Money under way for an obligation, or for whatever the account owes (`obligation_id` "").

    `since` is when it was submitted, `expected_by` when its result should be known, `ended_at` when it settled or
    failed, None before. `reason` is the provider's word for a failure, such as insufficient_funds; never a text.
    """

    id: str
    account_id: str
    obligation_id: str
    means: Means
    amount_minor: int
    state: FlightState
    since: datetime
    expected_by: datetime
    ended_at: datetime | None = None
    reason: str = ""

    def concerns(self, account_id: str, obligation_id: str) -> bool:
        """Return whether it is money for this obligation of this account."""
        return self.account_id == account_id and self.obligation_id in ("", obligation_id)

    def silent_until(self, patience: timedelta) -> datetime | None:
        """Return the instant from which on it silences nothing any more, None if it silences nothing at all.

        A pending one silences until its result is overdue by `patience`; a settled one for `patience` after it settled,
        the time that the repayment itself may take to be told.
        """
        match self.state:
            case FlightState.PENDING:
                return self.expected_by + patience
            case FlightState.SETTLED:
                assert self.ended_at is not None, "a settled flight has ended"
                return self.ended_at + patience
            case FlightState.SCHEDULED | FlightState.FAILED:
                return None
