"""One borrower's pages of the Book, as read in one go, and a snapshot of one obligation in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from betimes.core.borrower import Account, Borrower
from betimes.core.obligation import Obligation, Repayment


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a decision sees: a borrower and one obligation, each tied to its version."""

    borrower: Borrower
    obligation: Obligation


@dataclass(frozen=True, slots=True)
class Pages:
    """Everything the Book holds about one borrower. `head` is None when nothing is known of the person yet."""

    tenant: str
    borrower_id: str
    head: Borrower | None = None
    accounts: Mapping[str, Account] = field(default_factory=dict)
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    repayments: Mapping[str, Repayment] = field(default_factory=dict)

    @property
    def is_torn(self) -> bool:
        """Whether this read shows half of a transaction and must be repeated.

        Source: DynamoDB Developer Guide, transactions are only read-committed against Query.
        """
        waiting = sum(not repayment.matched for repayment in self.repayments.values())
        return self.head is not None and waiting != self.head.unmatched

    def snapshot(self, obligation_id: str) -> Snapshot:
        """Return the snapshot of one obligation.

        Raises:
            KeyError: it is not in these pages.
        """
        assert self.head is not None, "an obligation never stands without its borrower"
        return Snapshot(self.head, self.obligations[obligation_id])

    def with_head(self, head: Borrower) -> Pages:
        """Return these pages with another head."""
        return replace(self, head=head)

    def with_account(self, account: Account) -> Pages:
        """Return these pages with `account` added or replaced."""
        return replace(self, accounts={**self.accounts, account.id: account})

    def with_obligation(self, obligation: Obligation) -> Pages:
        """Return these pages with `obligation` added or replaced."""
        return replace(self, obligations={**self.obligations, obligation.id: obligation})

    def with_repayment(self, repayment: Repayment) -> Pages:
        """Return these pages with `repayment` added or replaced."""
        return replace(self, repayments={**self.repayments, repayment.id: repayment})


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds an account, and the repayments that arrived before the account did.

    `borrower_id` is "" as long as the account is unknown. `parkings` is the number of repayments parked, as the owner's
    own item has it: whoever takes the account must have seen all of them.
    """

    tenant: str
    account_id: str
    borrower_id: str = ""
    parked: tuple[Repayment, ...] = ()
    parkings: int = 0

    @property
    def is_torn(self) -> bool:
        """Whether this read shows half of a transaction and must be repeated; see `Pages.is_torn`."""
        return self.parkings != len(self.parked)
