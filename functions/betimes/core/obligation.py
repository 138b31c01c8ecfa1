"""What is owed: an obligation, the repayments that settle it, and how far the platform has got with it (its watch).

`paid_minor` moves by the amount of each repayment as it is taken in or reversed, in the same write that stores the
repayment. It is never summed up from a read of the repayments: a Query is not a snapshot of a transaction, so a sum
could miss one (DynamoDB Developer Guide, transaction isolation levels). The sum stands only in the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from betimes.core.money import Money


@dataclass(frozen=True, slots=True)
class Watch:
    """How far the platform has got with one obligation.

    `look_at` is the instant of the next look, None once there is nothing to look at (settled). `decided` names the
    steps that have their decision in this cycle, in order of decision. `contact_id` is the contact not yet finished,
    "" if none. `chain` is the hash of the obligation's last ledger record. `seq` rises with every write of the item.
    """

    shard: int
    look_at: datetime | None = None
    decided: tuple[str, ...] = ()
    contact_id: str = ""
    chain: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Obligation:
    """Anything with an amount and a due date: an instalment or a statement.

    `due_on` is a civil date in the borrower's zone. `minimum_minor` is the minimum payment, 0 where the product has
    none. `version` rises when a fact changes (amount, due date, money received), not when only the watch moves.
    `stored_at` is when the platform first heard of it. `settled_at` is the instant at which it was known to be paid in
    full, None while it is open.
    """

    id: str
    account_id: str
    seq: int
    issued_at: datetime
    due_on: date
    amount: Money
    principal_minor: int
    minimum_minor: int
    stored_at: datetime
    watch: Watch
    paid_minor: int = 0
    settled_at: datetime | None = None
    version: int = 0

    @property
    def outstanding(self) -> Money:
        """What is still owed: never negative, 0 once paid in full or overpaid."""
        return Money(max(0, self.amount.minor - self.paid_minor), self.amount.currency)

    @property
    def overpaid_minor(self) -> int:
        """Money received above what is owed, in minor units; 0 if none."""
        return max(0, self.paid_minor - self.amount.minor)

    @property
    def is_open(self) -> bool:
        """Whether anything is still owed."""
        return self.settled_at is None

    @property
    def minimum_is_met(self) -> bool:
        """Whether a minimum payment exists and has been received: the account is then not in arrears for this bill."""
        return 0 < self.minimum_minor <= self.paid_minor

    @property
    def cycle(self) -> str:
        """The part of a contact's identity that a new due date renews."""
        return f"{self.seq}@{self.due_on.isoformat()}"


@dataclass(frozen=True, slots=True)
class Repayment:
    """Money received for an obligation at `paid_at`; taken back again once `reversed_at` is set."""

    id: str
    obligation_id: str
    account_id: str
    paid_at: datetime
    amount: Money
    matched: bool = False
    reversed_at: datetime | None = None
