"""The writes of one transaction, as values, each with the condition under which it holds.

A list of changes is committed whole or not at all (`ports.Store.commit`). Nothing is ever read and then written without
such a condition.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from betimes.core.book import Pages
from betimes.core.borrower import Account, Borrower
from betimes.core.budget import Budget
from betimes.core.consent import Entry
from betimes.core.contact import Contact, State
from betimes.core.flight import Flight
from betimes.core.hold import Hold
from betimes.core.obligation import Obligation, Repayment
from betimes.core.record import Record
from betimes.core.suppression import Listed
from betimes.core.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class SaveHead:
    """Store the head of a borrower, if its stored version is `seen`; 0 means it must not exist."""

    head: Borrower
    seen: int


@dataclass(frozen=True, slots=True)
class CheckHead:
    """Hold only if the head of the borrower has version `seen`."""

    tenant: str
    borrower_id: str
    seen: int


@dataclass(frozen=True, slots=True)
class SaveAccount:
    """Store an account in the borrower's pages, if its stored version is `seen`; 0 means it must not exist.

    The version rises with every fact about the account's money: two who replay it at once never both write.
    """

    tenant: str
    borrower_id: str
    account: Account
    seen: int


@dataclass(frozen=True, slots=True)
class SaveOwner:
    """Store who holds an account, if nobody else is known to hold it and `seen` repayments are parked for it.

    Money parked after the taker looked would otherwise wait for ever. With `borrower_id` "" nobody takes it yet: only
    `left`, the number of repayments that stay parked, is stored.
    """

    tenant: str
    account_id: str
    borrower_id: str
    seen: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class SaveObligation:
    """Store an obligation, if its stored version and watch.seq are the ones seen; (0, 0) means it must not exist."""

    tenant: str
    borrower_id: str
    obligation: Obligation
    seen_version: int
    seen_seq: int


@dataclass(frozen=True, slots=True)
class CheckObligation:
    """Hold only if the obligation is open and has version `seen`."""

    tenant: str
    borrower_id: str
    obligation_id: str
    seen: int


@dataclass(frozen=True, slots=True)
class CheckNoObligation:
    """Hold only if the obligation does not exist: money may wait for it only as long as it is not there."""

    tenant: str
    borrower_id: str
    obligation_id: str


@dataclass(frozen=True, slots=True)
class SaveRepayment:
    """Store a repayment: a new one that must not exist, or (`known`) a change of one that must."""

    tenant: str
    borrower_id: str
    repayment: Repayment
    known: bool


@dataclass(frozen=True, slots=True)
class SaveHold:
    """Store a hold; guarded by the head, which is written in the same transaction."""

    tenant: str
    borrower_id: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class SaveFlight:
    """Store money in flight; guarded by the head, which is written in the same transaction."""

    tenant: str
    borrower_id: str
    flight: Flight


@dataclass(frozen=True, slots=True)
class SaveBudget:
    """Store the contact budget of a person, if its stored version is `seen`; 0 means it must not exist.

    Every claim of a contact and every report of a touch writes it, with a version one above `seen`: of two who count
    for one person at once, one must look again.
    """

    tenant: str
    borrower_id: str
    budget: Budget
    seen: int

    @classmethod
    def of(cls, before: Pages, budget: Budget) -> SaveBudget:
        """Return the write of `budget` over that of the pages as they were read, with the version it then has."""
        seen = before.budget.version
        return cls(before.tenant, before.borrower_id, replace(budget, version=seen + 1), seen)


@dataclass(frozen=True, slots=True)
class AppendEntry:
    """Append a consent, a refusal or the end of one to the ledger of a person under its `number`, from 1, which must be
    free; guarded by the head, which is written in the same transaction.
    """

    tenant: str
    borrower_id: str
    number: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class SaveFeed:
    """Store up to when (UTC) a lender's repayments are known to be complete; one that is not later than what is stored
    changes nothing and is no error.
    """

    tenant: str
    complete_until: datetime


@dataclass(frozen=True, slots=True)
class SaveListed:
    """Store what is known of an address, if its stored version is `seen`; 0 means that nothing is stored of it."""

    listed: Listed
    seen: int

    @classmethod
    def of(cls, before: Listed, after: Listed) -> SaveListed:
        """Return the write of `after` over `before`, with the version it then has."""
        return cls(replace(after, version=before.version + 1), before.version)


@dataclass(frozen=True, slots=True)
class CheckListed:
    """Hold only if what is known of an address has version `seen`; 0 means that nothing is."""

    tenant: str
    index: str
    channel: str
    seen: int


@dataclass(frozen=True, slots=True)
class Park:
    """Keep a repayment for an account that nobody is known to hold and for which `seen` were parked before."""

    tenant: str
    repayment: Repayment
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Unpark:
    """Remove a parked repayment; part of the transaction that takes it into the borrower's pages."""

    tenant: str
    account_id: str
    repayment_id: str


@dataclass(frozen=True, slots=True)
class CreateContact:
    """Store a contact that must not exist."""

    contact: Contact


@dataclass(frozen=True, slots=True)
class MoveContact:
    """Store a contact anew, if its stored state, attempt and chain are the ones seen.

    The chain is the fence: every move appends a record, so a contact that anyone else moved has another chain.
    """

    contact: Contact
    seen_state: State
    seen_attempt: int
    seen_chain: str

    @classmethod
    def of(cls, before: Contact, after: Contact) -> MoveContact:
        """Return the move from `before` to `after`."""
        assert before.id == after.id
        return cls(after, before.state, before.attempt, before.chain)


@dataclass(frozen=True, slots=True)
class Append:
    """Append a sealed record to the ledger; it must not exist."""

    record: Record


Change = (
    SaveHead
    | CheckHead
    | SaveAccount
    | SaveOwner
    | SaveObligation
    | CheckObligation
    | CheckNoObligation
    | SaveRepayment
    | SaveHold
    | SaveFlight
    | SaveBudget
    | AppendEntry
    | SaveFeed
    | SaveListed
    | CheckListed
    | Park
    | Unpark
    | CreateContact
    | MoveContact
    | Append
)

_Page = TypeVar("_Page")
# What a page was, None where it is new, and what it is.
_Pair = tuple[_Page | None, _Page]

# DynamoDB's limit on the items of one transaction.
MAX_CHANGES = 100


def in_parts(head: Change, looks: Sequence[Change]) -> list[list[Change]]:
    """Return changes that each stand alone, such as looks, in transactions that fit, each behind the check `head`."""
    size = MAX_CHANGES - 1
    return [[head, *looks[n : n + size]] for n in range(0, len(looks), size)]


def changes_between(before: Pages, after: Pages) -> list[Change]:
    """Return the guarded writes that turn the stored pages `before` into `after`; empty when nothing differs.

    Versions rise here and nowhere else: the head's and an obligation's `version` by one when a fact of theirs differs,
    an account's with every fact about its money, an obligation's `watch.seq` by one with every write. When only parts
    below the head change, the head is checked at the version seen; a hold, a flight, a consent or an account counts as
    a change of the head, so that whoever decided without it must decide again. A new obligation and money for it, told
    at the same time, change nothing of each other's: so money that waits checks that its obligation is absent. Who
    holds a new account is not in the pages: whoever adds one adds `SaveOwner` too. A contact budget guards itself and
    asks for nothing of the head.
    """
    tenant, borrower_id = before.tenant, before.borrower_id
    changes: list[Change] = []
    awaited: set[str] = set()
    # The new versions of obligations, and the accounts about whose money a fact is told.
    versions: dict[str, int] = {}
    moved: set[str] = set()
    for old, obligation in _differing(before.obligations, after.obligations):
        saved = _obligation_change(tenant, borrower_id, old, obligation)
        changes.append(saved)
        versions[obligation.id] = saved.obligation.version
        if saved.obligation.version != saved.seen_version:
            moved.add(obligation.account_id)
    for known_one, repayment in _differing(before.repayments, after.repayments):
        known = known_one is not None
        changes.append(SaveRepayment(tenant, borrower_id, repayment, known))
        moved.add(repayment.account_id)
        if not repayment.matched and repayment.obligation_id:
            awaited.add(repayment.obligation_id)
    holds = [
        SaveHold(tenant, borrower_id, hold) for _, hold in _differing(before.holds, after.holds)
    ]
    flights = [
        SaveFlight(tenant, borrower_id, flight)
        for _, flight in _differing(before.flights, after.flights)
    ]
    known_entries = len(before.consents)
    assert after.consents[:known_entries] == before.consents, "the ledger of consents only grows"
    said = [
        AppendEntry(tenant, borrower_id, number, entry)
        for number, entry in enumerate(after.consents[known_entries:], start=known_entries + 1)
    ]
    told = {account.id for _, account in _differing(before.accounts, after.accounts)}
    accounts = _account_changes(before, after, told | moved, versions)
    checks = [
        CheckNoObligation(tenant, borrower_id, obligation_id)
        for obligation_id in sorted(awaited)
        if obligation_id not in after.obligations
    ]
    changes = [*accounts, *changes, *holds, *flights, *said, *checks]
    touched = bool(told or holds or flights or said)
    head = _head_change(before, after, guard=bool(changes), touched=touched)
    counted = after.budget is not before.budget and after.budget != before.budget
    budget = [SaveBudget.of(before, after.budget)] if counted else []
    return [*head, *changes, *budget]


def _differing(before: Mapping[str, _Page], after: Mapping[str, _Page]) -> list[_Pair[_Page]]:
    """Return what is new or other in `after`, each with what it was before, None where it is new."""
    if before is after:
        return []
    return [
        (old, new)
        for key, new in after.items()
        # Nearly all of them are the very same values: compare only what may differ.
        if (old := before.get(key)) is not new and old != new
    ]


def _account_changes(
    before: Pages, after: Pages, written: Container[str], versions: Mapping[str, int]
) -> list[SaveAccount]:
    """Return the writes of accounts that are `written`, each with the tally of what it will hold; `versions` are those
    of the obligations that are written too.
    """
    writes = []
    for account_id, account in after.accounts.items():
        if account_id in written:
            old = before.accounts.get(account_id)
            seen = old.version if old else 0
            stored = {id_: obligation.version for id_, obligation in after.obligations.items()}
            tally = after.tally(account_id, {**stored, **versions})
            saved = replace(account, version=seen + 1, tally=tally)
            writes.append(SaveAccount(before.tenant, before.borrower_id, saved, seen))
    return writes


def _obligation_change(
    tenant: str, borrower_id: str, old: Obligation | None, new: Obligation
) -> SaveObligation:
    seen_version, seen_seq = (old.version, old.watch.seq) if old else (0, 0)
    facts_differ = old is None or replace(old, watch=new.watch) != new
    return SaveObligation(
        tenant,
        borrower_id,
        replace(
            new,
            version=seen_version + facts_differ,
            watch=replace(new.watch, seq=seen_seq + 1),
        ),
        seen_version,
        seen_seq,
    )


def _head_change(before: Pages, after: Pages, *, guard: bool, touched: bool) -> list[Change]:
    """Return the head's own change, or its check; `touched` says that something below it counts as a change of it."""
    old, new = before.head, after.head
    if new is not None and (new != old or touched):
        seen = old.version if old else 0
        return [SaveHead(replace(new, version=seen + 1, held=after.held), seen)]
    if guard and new is not None:
        return [CheckHead(after.tenant, after.borrower_id, new.version)]
    return []
