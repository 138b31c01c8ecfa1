"""Money in flight: a debit that was submitted, a transfer that is pending, a refund that runs. It silences contact
until its result is known: nobody whose money is under way is asked to pay.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from betimes.core.obligation import Repayment
from betimes.core.values import dataclass


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

    `since` is when it was submitted, `expected_by` when its result should be known or should have been, `ended_at` when
    it settled or failed, None before. `told_at` is when the platform heard of the present state; None says that it is
    not known. `reason` is the provider's word for a failure, such as insufficient_funds; never a text. `revision`
    counts how often it was told with another content.
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
    told_at: datetime | None = None
    revision: int = 1

    def concerns(self, account_id: str, obligation_id: str) -> bool:
        """Return whether it is money for this obligation of this account."""
        return self.account_id == account_id and self.obligation_id in ("", obligation_id)

    def silent_until(self, patience: timedelta) -> datetime | None:
        """Return the instant from which on it silences nothing any more, None if it silences nothing at all.

        A pending one silences until its result is overdue by `patience`; a settled one for `patience` after it settled
        and was told, the time that the repayment itself may take to be told, and never shorter than if nobody had told.
        """
        match self.state:
            case FlightState.PENDING:
                return self.expected_by + patience
            case FlightState.SETTLED:
                assert self.ended_at is not None, "a settled flight has ended"
                return (
                    max(self.ended_at, self.told_at or self.ended_at, self.expected_by) + patience
                )
            case FlightState.SCHEDULED | FlightState.FAILED:
                return None


def answered(flights: Iterable[Flight], repayments: Iterable[Repayment]) -> frozenset[str]:
    """Return the ids of the settled flights whose money is there, as a repayment: nothing more is to be waited for.

    A flight is answered by the first repayment of its account and obligation that was told after the flight began, of
    exactly its amount: a credit note for a refund, any other money for a debit or a transfer. One repayment answers one
    flight, the older first. Money in parts or in other amounts answers none; then the flight's patience decides.
    """
    # What the platform never heard as told answers nothing.
    told = [(each.told_at, each.id, each) for each in repayments if each.matched and each.told_at]
    left = [each for *_, each in sorted(told, key=lambda row: row[:2])]
    found = set()
    for flight in sorted(flights, key=lambda each: (each.since, each.id)):
        if flight.state is not FlightState.SETTLED:
            continue
        answer = next((each for each in left if _answers(each, flight)), None)
        if answer is not None:
            left.remove(answer)
            found.add(flight.id)
    return frozenset(found)


def _answers(repayment: Repayment, flight: Flight) -> bool:
    whole = "" in (flight.obligation_id, repayment.obligation_id)
    return (
        repayment.account_id == flight.account_id
        and (whole or repayment.obligation_id == flight.obligation_id)
        and repayment.amount.minor == flight.amount_minor
        and repayment.credit is (flight.means is Means.REFUND)
        and repayment.told_at is not None
        and repayment.told_at >= flight.since
    )
