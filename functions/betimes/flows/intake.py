"""Intake: what a lender tells us becomes guarded writes to borrowers' pages.

Everything told about one borrower goes into as few transactions as fit, each against the pages as they were read; when
somebody else wrote in between, the pages are read again and the commands are applied anew. Commands carry their ids, so
taking in the same thing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from betimes.core import intake
from betimes.core.book import Owner, Pages
from betimes.core.change import (
    MAX_CHANGES,
    Change,
    Park,
    SaveOwner,
    Unpark,
    changes_between,
)
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import AddRepayment, Command, Outcome, PutAccount
from betimes.core.obligation import Repayment
from betimes.core.policies import Policies
from betimes.ports import Stores

# Tries against other writers before the caller is asked to come back.
MAX_TRIES = 8
# Holders of accounts remembered before the memory starts afresh: some 20 MB.
MAX_HOLDERS = 100_000


@dataclass(frozen=True, slots=True)
class Told:
    """Something a source told us: commands that hold together or not at all.

    `borrower_id` is "" where the source leaves it to the account who the borrower is.
    """

    account_id: str
    borrower_id: str
    commands: tuple[Command, ...]


Answer = Outcome | Rejected


@dataclass(frozen=True, slots=True)
class Intake:
    """The flow with what it needs; `shards` is the number of agenda shards for new obligations.

    Who holds an account never changes once it is known, so the flow remembers it: files name accounts again and again.
    """

    stores: Stores
    policies: Policies
    shards: int
    holders: dict[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)

    def take_in(self, tenant: str, told: Sequence[Told], now: datetime) -> list[Answer]:
        """Return the answer to each of `told`, in the same order. A rejected one leaves no trace and stops no other.

        `now` is when the platform hears of it (UTC).

        Raises:
            Unavailable: the store cannot write now, or other writers kept winning; what has been stored stays stored.
        """
        answers: dict[int, Answer] = {}
        groups: dict[str, list[tuple[int, Told]]] = {}
        for n, item in enumerate(told):
            borrower_id = item.borrower_id or self.holder(tenant, item.account_id)
            if borrower_id:
                groups.setdefault(borrower_id, []).append((n, item))
            else:
                answers[n] = self._without_owner(tenant, item, now)
        for borrower_id, items in groups.items():
            for (n, _), answer in zip(
                items, self._group(tenant, borrower_id, [i for _, i in items], now), strict=True
            ):
                answers[n] = answer
        return [answers[n] for n in range(len(told))]

    def holder(self, tenant: str, account_id: str) -> str:
        """Return the id of the borrower who holds an account, "" while nobody is known to."""
        key = (tenant, account_id)
        if key not in self.holders:
            found = self.stores.book.owner(tenant, account_id).borrower_id
            if not found:
                return ""
            if len(self.holders) >= MAX_HOLDERS:
                self.holders.clear()
            self.holders[key] = found
        return self.holders[key]

    def _without_owner(self, tenant: str, item: Told, now: datetime) -> Answer:
        """Return the answer to something about an account nobody is known to hold: money is parked, the rest
        refused.
        """
        match item.commands:
            case [AddRepayment() as command]:
                try:
                    repayment = intake.checked_repayment(command, "", now)
                except Rejected as rejected:
                    return rejected
                return self._park(tenant, item, repayment, now)
            case _:
                return Rejected(
                    "unknown_account",
                    "account_id",
                    "the account is not known; create it first",
                )

    def _park(self, tenant: str, item: Told, repayment: Repayment, now: datetime) -> Answer:
        for _ in range(MAX_TRIES):
            owner = self.stores.book.owner(tenant, item.account_id)
            if owner.borrower_id:
                # The account arrived in this very moment: take the ordinary way.
                return self._group(tenant, owner.borrower_id, [item], now)[0]
            if repayment in owner.parked:
                return Outcome.UNCHANGED
            try:
                self.stores.store.commit([Park(tenant, repayment, owner.parkings)])
            except Stale:
                continue
            return Outcome.KEPT
        raise Unavailable(f"other writers kept winning {MAX_TRIES} times for one account")

    def _group(
        self, tenant: str, borrower_id: str, items: Sequence[Told], now: datetime
    ) -> list[Answer]:
        for _ in range(MAX_TRIES):
            try:
                before = self.stores.book.pages(tenant, borrower_id)
            except Stale:
                continue
            after, answers, extra = self._applied(before, items, now)
            changes = [*changes_between(before, after), *extra]
            if len(changes) > MAX_CHANGES and len(items) > 1:
                half = len(items) // 2
                return [
                    *self._group(tenant, borrower_id, items[:half], now),
                    *self._group(tenant, borrower_id, items[half:], now),
                ]
            try:
                self.stores.store.commit(changes)
            except Stale:
                continue
            return answers
        raise Unavailable(f"other writers kept winning {MAX_TRIES} times for one borrower")

    def _applied(
        self, pages: Pages, items: Sequence[Told], now: datetime
    ) -> tuple[Pages, list[Answer], list[Change]]:
        answers: list[Answer] = []
        unparked: list[Change] = []
        for item in items:
            try:
                pages, answer, adopted = self._apply(pages, item, now)
            except Rejected as rejected:
                answers.append(rejected)
            else:
                answers.append(answer)
                unparked += adopted
        return pages, answers, unparked

    def _apply(
        self, pages: Pages, item: Told, now: datetime
    ) -> tuple[Pages, Outcome, list[Change]]:
        outcome = Outcome.UNCHANGED
        adopted: list[Change] = []
        for command in item.commands:
            is_new = isinstance(command, PutAccount) and command.account_id not in pages.accounts
            owner = self._free_owner(pages, item.account_id) if is_new else None
            pages, did = intake.accept(
                pages, command, self.policies.treatment, shards=self.shards, now=now
            )
            outcome = did if did is not Outcome.UNCHANGED else outcome
            if owner is None:
                continue
            adopted.append(
                SaveOwner(pages.tenant, item.account_id, pages.borrower_id, owner.parkings)
            )
            for repayment in owner.parked:
                pages = intake.adopt(pages, repayment, self.policies.treatment, now)
                adopted.append(Unpark(pages.tenant, repayment.account_id, repayment.id))
        return pages, outcome, adopted

    def _free_owner(self, pages: Pages, account_id: str) -> Owner:
        owner = self.stores.book.owner(pages.tenant, account_id)
        if owner.borrower_id not in ("", pages.borrower_id):
            raise Rejected("account_taken", "account_id", "the account belongs to another borrower")
        return owner
