"""Intake: what a lender tells us becomes guarded writes to borrowers' pages.

Everything told about one borrower goes into as few transactions as fit, each against the pages as they were read; when
somebody else wrote in between, the pages are read again and the commands are applied anew. Commands carry their ids, so
taking in the same thing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime

from betimes.core import intake, said
from betimes.core.book import Owner, Pages
from betimes.core.change import (
    MAX_CHANGES,
    Append,
    Change,
    CheckHead,
    Park,
    SaveFlight,
    SaveHead,
    SaveHold,
    SaveObligation,
    SaveOwner,
    Unpark,
    changes_between,
    in_parts,
)
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    Command,
    LiftHold,
    Outcome,
    PutAccount,
    PutFlight,
    PutHold,
)
from betimes.core.obligation import Repayment
from betimes.core.outside import told as told_of_touches
from betimes.core.policies import Policies
from betimes.core.said import TellConsents, TellReply
from betimes.core.values import dataclass, replace
from betimes.ports import Stores

# Tries against other writers before the caller is asked to come back.
MAX_TRIES = 8
# Holders of accounts remembered before the memory starts afresh: some 20 MB.
MAX_HOLDERS = 100_000
# Parked repayments taken in by one transaction: each is three writes of it at most.
MAX_ADOPTED = 30


@dataclass(frozen=True, slots=True)
class Told:
    """Something a source told us: commands that hold together or not at all.

    `borrower_id` is "" where the source leaves it to the account who the borrower is.
    """

    account_id: str
    borrower_id: str
    commands: tuple[Command, ...]


Answer = Outcome | Rejected

# What may be told before the account is known to be whose.
_OF_AN_ACCOUNT = (AddObligation, AddRepayment)

# Money that settles more debts at once than one transaction can write.
_TOO_MUCH = Rejected(
    "too_many_open",
    "account_id",
    "this would change more obligations than can be written at once; tell it for one obligation at a time",
)


@dataclass
class _Applied:
    """The pages with some items applied, the answers to them, and what is written beside the pages.

    `more` says that an account has more parked money than one transaction takes: look again.
    """

    pages: Pages
    answers: list[Answer] = field(default_factory=list)
    beside: list[Change] = field(default_factory=list)
    more: bool = False


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
        """Return the answer to each of `told`, in the same order. A rejected one leaves no trace and stops no other;
        only what a list of statements refuses is obeyed, whatever else is wrong with the list.

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
            try:
                owner = self._owner(tenant, item.account_id)
                if owner.borrower_id:
                    # The account arrived in this very moment: take the ordinary way.
                    return self._group(tenant, owner.borrower_id, [item], now)[0]
                for parked in owner.parked:
                    if parked.id == repayment.id:
                        return _again(parked, repayment)
                self.stores.store.commit([Park(tenant, repayment, owner.parkings)])
            except Stale:
                continue
            return Outcome.KEPT
        raise Unavailable(f"other writers kept winning {MAX_TRIES} times for one account")

    def _group(
        self, tenant: str, borrower_id: str, items: Sequence[Told], now: datetime
    ) -> list[Answer]:
        """Return the answers to everything told about one borrower, stored in as many transactions as it takes."""
        answers: list[Answer] = []
        tries = 0
        while tries < MAX_TRIES:
            tries += 1
            try:
                before = self.stores.book.pages(tenant, borrower_id)
                applied = self._applied(before, items, now)
                pages, written = told_of_touches(before, applied.pages, now)
                changes = [*changes_between(before, pages), *applied.beside]
                changes += [Append(written)] if written is not None else []
                if len(changes) > MAX_CHANGES and len(items) > 1:
                    half = len(items) // 2
                    return [
                        *self._group(tenant, borrower_id, items[:half], now),
                        *self._group(tenant, borrower_id, items[half:], now),
                    ]
                if len(changes) > MAX_CHANGES:
                    if not self._stored_in_parts(before, items[0], changes, now):
                        return [_TOO_MUCH]
                else:
                    self.stores.store.commit(changes)
            except Stale:
                continue
            answers = _joined(answers, applied.answers)
            if not applied.more:
                return answers
            tries = 0
        raise Unavailable(f"other writers kept winning {MAX_TRIES} times for one borrower")

    def _stored_in_parts(
        self, before: Pages, item: Told, changes: Sequence[Change], now: datetime
    ) -> bool:
        """Store what does not fit one transaction as facts first and looks after them; return whether that is possible.

        A stop that restates more money than fits is stored alone, and the money account by account behind it. If the
        worker dies on the way, replan sets the looks, and the stop told again restates the money.

        Raises:
            Stale: somebody else wrote, and nothing is stored.
        """
        facts = [change for change in changes if not _is_look(change)]
        looks = [change for change in changes if _is_look(change)]
        restates = len(facts) > MAX_CHANGES
        if restates:
            facts, looks = [change for change in facts if isinstance(change, _STOPS)], []
            if not all(isinstance(each, PutHold | LiftHold | PutFlight) for each in item.commands):
                return False
        if facts:
            self.stores.store.commit(facts)
        for part in in_parts(_seen(facts, before), looks):
            try:
                self.stores.store.commit(part)
            except Stale:
                break  # the facts have woken replan, which sets the rest
        if restates:
            for account_id in before.accounts:
                self._restate(before, item, account_id, now)
        return True

    def _restate(self, before: Pages, item: Told, account_id: str, now: datetime) -> None:
        for _ in range(MAX_TRIES):
            try:
                pages = after = self.stores.book.pages(before.tenant, before.borrower_id)
                for command in item.commands:
                    if isinstance(command, PutHold | LiftHold):
                        kind = pages.holds[command.hold_id].kind
                        after = intake.restated_by(after, kind, account_id, self.policies, now)
                self.stores.store.commit(changes_between(pages, after))
            except Stale:
                continue
            return

    def _applied(self, pages: Pages, items: Sequence[Told], now: datetime) -> _Applied:
        applied = _Applied(pages)
        for item in items:
            try:
                self._apply(applied, item, now)
            except Rejected as rejected:
                applied.answers.append(self._but_refusals(applied, item, rejected, now))
        return applied

    def _but_refusals(
        self, applied: _Applied, item: Told, rejected: Rejected, now: datetime
    ) -> Rejected:
        """Apply what a rejected list of statements refuses, since a no is never lost for what stands beside it, and
        return the answer to the list.
        """
        match item.commands:
            case [TellConsents() as command]:
                told = said.refusals_of(applied.pages, command, self.policies, now)
            case _:
                return rejected
        if told is None:
            return rejected
        before = applied.pages
        applied.pages, _ = intake.accept(before, told, self.policies, shards=self.shards, now=now)
        applied.more |= said.is_unfinished(before, applied.pages)
        heard = f"{rejected.message}; the refusals beside it are taken"
        return Rejected(rejected.code, rejected.field, heard)

    def _apply(self, applied: _Applied, item: Told, now: datetime) -> None:
        """Apply one item to the pages, whole or not at all."""
        pages, outcome = applied.pages, Outcome.UNCHANGED
        beside: list[Change] = []
        more = False
        for command in item.commands:
            owner = None
            if isinstance(command, PutAccount):
                owner = self._free_owner(pages, command.account_id)
            elif isinstance(command, _OF_AN_ACCOUNT) and command.account_id not in pages.accounts:
                # Money for an account we know to be somebody else's must not be kept here, and a debt on it is no
                # debt of an account that is still to come.
                self._free_owner(pages, command.account_id)
            known = pages
            pages, did = intake.accept(pages, command, self.policies, shards=self.shards, now=now)
            if isinstance(command, TellConsents | TellReply):
                applied.more |= said.is_unfinished(known, pages)
            outcome = did if did is not Outcome.UNCHANGED else outcome
            if isinstance(command, AddObligation):
                more |= any(intake.waiting_for(pages, command.obligation_id))
            if owner is None or owner.borrower_id:
                continue
            more |= len(owner.parked) > MAX_ADOPTED
            if more:
                # The account is stored with the last of its money, so no bill of it can be stored before.
                pages = replace(pages, accounts=applied.pages.accounts)
            for repayment in owner.parked[:MAX_ADOPTED]:
                pages = intake.adopt(pages, repayment, self.policies, now)
                beside.append(Unpark(pages.tenant, repayment.account_id, repayment.id))
            beside.append(_taken(owner, "" if more else pages.borrower_id))
            if more:
                break
        applied.pages = pages
        applied.answers.append(outcome)
        applied.beside += beside
        applied.more |= more

    def _owner(self, tenant: str, account_id: str) -> Owner:
        owner = self.stores.book.owner(tenant, account_id)
        if owner.is_torn:
            raise Stale
        return owner

    def _free_owner(self, pages: Pages, account_id: str) -> Owner:
        owner = self._owner(pages.tenant, account_id)
        if owner.borrower_id not in ("", pages.borrower_id):
            raise Rejected("account_taken", "account_id", "the account belongs to another borrower")
        return owner


# A stop with the head that guards it.
_STOPS = (SaveHead, SaveHold, SaveFlight)


def _is_look(change: Change) -> bool:
    """Return whether a change moves nothing but the look of an obligation, which any replan would move as well."""
    if not isinstance(change, SaveObligation):
        return False
    return 0 < change.seen_version == change.obligation.version


def _seen(facts: Sequence[Change], before: Pages) -> CheckHead:
    """Return the check of the head as it is once the facts are stored."""
    assert before.head is not None, "nobody without a head owes anything"
    saved = [change.head.version for change in facts if isinstance(change, SaveHead)]
    return CheckHead(before.tenant, before.borrower_id, max([before.head.version, *saved]))


def _again(parked: Repayment, told: Repayment) -> Answer:
    """Return the answer to money that is parked already."""
    if replace(parked, told_at=told.told_at) != told:
        return Rejected(
            "duplicate_id", "repayment_id", "this repayment is stored with other content"
        )
    return Outcome.UNCHANGED


def _taken(owner: Owner, borrower_id: str) -> SaveOwner:
    """Return the change that gives the account to the borrower, or only counts down what stays parked."""
    left = max(0, len(owner.parked) - MAX_ADOPTED)
    return SaveOwner(owner.tenant, owner.account_id, borrower_id, owner.parkings, left)


def _joined(before: Sequence[Answer], now: Sequence[Answer]) -> list[Answer]:
    """Return the answers after one more part: what a part stored is not unchanged because a later one finds it
    stored.
    """
    if not before:
        return list(now)
    return [
        old if new is Outcome.UNCHANGED and not isinstance(old, Rejected) else new
        for old, new in zip(before, now, strict=True)
    ]
