"""What is owed: an obligation, the repayments that settle it, and how far the platform has got with it (its watch).

The facts are the repayments; what an obligation has received, its late interest and whether it is settled are derived
from all of its account's facts by `core.replay` whenever one of them is told, and stored in the same write. A Query is
not a snapshot of a transaction, so a replay could miss a fact that is just being written: the account's version, which
rises with each fact and guards the write, makes that replay fail and be done again (DynamoDB Developer Guide,
transaction isolation levels).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from betimes.core import zones
from betimes.core.allocation import NOTHING, Parts
from betimes.core.money import Money
from betimes.core.values import dataclass


class Tried(NamedTuple):
    """A channel of a step that is used up: the step's key, the channel's position, and the contact that failed on
    it.
    """

    step: str
    slot: int
    contact_id: str


@dataclass(frozen=True, slots=True)
class Watch:
    """How far the platform has got with one obligation.

    `look_at` is the instant of the next look, None once there is nothing to look at (settled). `decided` names the
    steps that have their decision in this cycle, in order of decision. `contact_id` is the contact not yet finished,
    "" if none. `chain` is the hash of the obligation's last ledger record. `seq` rises with every write of the item.
    `spoken` keeps when each step of this cycle was last claimed for a provider, and of earlier cycles what still counts
    (`core.agenda.renewed`). `pay_by` is the new deadline that a step has set, None as long as none did; the due date
    itself never moves for it. `tried` are the channels of this cycle's steps by which a message failed and its step was
    taken up again. `awaits` names contacts, finished as far as the agenda goes, that the next look asks about: whether
    a receipt came, or what has failed since; `ask_at` is when to ask at the latest, None where any look will do.
    """

    shard: int
    look_at: datetime | None = None
    decided: tuple[str, ...] = ()
    contact_id: str = ""
    chain: str = ""
    seq: int = 0
    spoken: tuple[tuple[str, datetime], ...] = ()
    pay_by: date | None = None
    tried: tuple[Tried, ...] = ()
    awaits: tuple[str, ...] = ()
    ask_at: datetime | None = None

    def slots_tried(self, step: str) -> frozenset[int]:
        """Return the positions of the channels that the step with this key used up."""
        return frozenset(tried.slot for tried in self.tried if tried.step == step)

    def last_tried(self, step: str) -> Tried | None:
        """Return the last channel that the step with this key used up, None where there is none."""
        return next((tried for tried in reversed(self.tried) if tried.step == step), None)


@dataclass(frozen=True, slots=True)
class Obligation:
    """Anything with an amount and a due date: an instalment or a statement.

    `due_on` is a civil date in the borrower's zone. `minimum_minor` is the minimum payment, 0 where the product has
    none. `version` rises when a fact changes (amount, due date, money received), not when only the watch moves.
    `stored_at` is when the platform first heard of it. `settled_at` is the instant at which it was known to be paid in
    full, None while it is open; `spans` keeps the earlier times at which it was, until money was taken back.

    `paid_minor` is all money it has received, `paid` the part of it that settled something, by component. `accrued` is
    the late interest, exact and in minor units, charged up to `accrued_to`. `nominal_on` is the due date before it was
    moved to a business day, None where it was not; `provisional` says that the calendar of that year is not published.
    `redated_at` is when its due date was last moved, None if never. `aged_from` is the date that days past due are
    counted from after a re-ageing, agreed on `aged_on`. `entry_on` is the first day on which a step may speak of a
    debt that was overdue when it was first told. `revision` is the lender's count of amendments,
    `amended_at` when the last one was told, None where there was none.
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
    fee_minor: int = 0
    paid: Parts = NOTHING
    accrued: Decimal = Decimal(0)
    accrued_to: date | None = None
    overpaid_minor: int = 0
    spans: tuple[tuple[datetime, datetime], ...] = ()
    nominal_on: date | None = None
    provisional: bool = False
    aged_from: date | None = None
    entry_on: date | None = None
    revision: int = 0
    redated_at: datetime | None = None
    aged_on: date | None = None
    amended_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """When the platform first knew of the present due date: no step of it could be decided before."""
        return self.redated_at or self.stored_at

    @property
    def billed(self) -> Parts:
        """What the lender billed, by component: interest is what is neither principal nor fee."""
        principal = min(self.principal_minor, self.amount.minor - self.fee_minor)
        interest = self.amount.minor - self.fee_minor - principal
        return Parts(0, self.fee_minor, interest, principal)

    @property
    def outstanding(self) -> Money:
        """What is still owed of the bill itself, late interest apart: never negative, 0 once settled."""
        if not self.is_open:
            return Money(0, self.amount.currency)
        return Money(max(0, self.amount.minor - self.received_minor), self.amount.currency)

    @property
    def is_open(self) -> bool:
        """Whether anything is still owed."""
        return self.settled_at is None

    @property
    def minimum_is_met(self) -> bool:
        """Whether a minimum payment exists and has been received: the account is then not in arrears for this bill."""
        return 0 < self.minimum_minor <= self.received_minor

    @property
    def received_minor(self) -> int:
        """Money received for the bill itself: what paid late interest met no part of it."""
        return self.paid_minor - self.paid.penalty

    def was_settled(self, at: datetime) -> bool:
        """Return whether it was known to be settled at the instant `at`."""
        now = self.settled_at is not None and self.settled_at <= at
        return now or any(start <= at < end for start, end in self.spans)

    @property
    def cycle(self) -> str:
        """The part of a contact's identity that a new due date renews, also one that it had before."""
        cycle = f"{self.seq}@{self.due_on.isoformat()}"
        return cycle if self.redated_at is None else f"{cycle}~{zones.to_text(self.redated_at)}"


def due_of(cycle: str) -> date:
    """Return the due date that an obligation had in a cycle, given as `Obligation.cycle` gives it."""
    return date.fromisoformat(cycle.partition("@")[2].partition("~")[0])


@dataclass(frozen=True, slots=True)
class Repayment:
    """Money received at `paid_at` (its value date, which may lie in the past) for an obligation, or with
    `obligation_id` "" for whatever the account owes; taken back again once `reversed_at` is set.

    `told_at` and `reversal_told_at` are when the platform heard of it. `matched` says that its obligation, or its
    account where it names none, is known. `credit` marks a credit note, such as a refund after billing.
    """

    id: str
    obligation_id: str
    account_id: str
    paid_at: datetime
    amount: Money
    matched: bool = False
    reversed_at: datetime | None = None
    told_at: datetime | None = None
    reversal_told_at: datetime | None = None
    credit: bool = False
