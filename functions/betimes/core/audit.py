"""The audit: were the promises kept? Computed from repayments, steps and arrivals, not from what the flows say of
themselves.

It repeats nothing of `core.decide`: money owed at an instant is summed from the repayments, the local hour is taken
from the zone, and a due step is any step of the treatment whose instant found the obligation open.

Not seen: a repayment carries when it was made and taken back, not when the platform was told of either. So a message
after a payment is not found once that payment has been taken back with a date before the message, and one before a
backdated payment is named once that payment has been taken back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from betimes.core import record, zones
from betimes.core.book import Pages, Snapshot
from betimes.core.contact import Contact
from betimes.core.obligation import Obligation, Repayment
from betimes.core.policies import Policies
from betimes.core.record import Record
from betimes.core.rules import Window
from betimes.core.treatment import MessageClass


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that a provider accepted: for which contact, and when (UTC)."""

    contact_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """What the audit found; every list is empty when the promises were kept. Each entry names the thing concerned."""

    undecided: tuple[str, ...]
    duplicates: tuple[str, ...]
    after_payment: tuple[str, ...]
    out_of_window: tuple[str, ...]

    @property
    def all_kept(self) -> bool:
        """Whether nothing was found."""
        return not (self.undecided or self.duplicates or self.after_payment or self.out_of_window)


def audit(
    everyone: Iterable[Pages],
    contacts: Sequence[Contact],
    records: Sequence[Record],
    arrivals: Sequence[Arrival],
    policies: Policies,
    *,
    now: datetime,
) -> Findings:
    """Return what is wrong at `now`, with everything drained: nothing may be due and undecided any more."""
    by_id = {contact.id: contact for contact in contacts}
    decisions = [r for r in records if r.kind == record.DECISION]
    decided = {
        (r.tenant, r.borrower_id, r.obligation_id, str(r.body["step"]))
        for r in decisions
        if _stands(r, now)
    }
    sends = {r.contact_id: r for r in decisions if r.contact_id}
    undecided: list[str] = []
    books: dict[tuple[str, str], Pages] = {}
    for pages in everyone:
        books[pages.tenant, pages.borrower_id] = pages
        for obligation in pages.obligations.values():
            undecided += _undecided(pages, obligation, decided, policies, now)
    return Findings(
        undecided=tuple(undecided),
        duplicates=_duplicates(by_id, arrivals),
        after_payment=tuple(
            arrival.contact_id
            for arrival in arrivals
            if not _owed(books, by_id[arrival.contact_id], arrival.at)
        ),
        out_of_window=tuple(
            arrival.contact_id
            for arrival in arrivals
            if not _in_window(
                *_place(books, by_id[arrival.contact_id], sends.get(arrival.contact_id), policies),
                arrival.at,
            )
        ),
    )


def _stands(decision: Record, now: datetime) -> bool:
    """Whether a decision still answers for its step at `now`: a wait does until its time is over."""
    return decision.body["decision"] != "wait" or str(decision.body["until"]) > zones.to_text(now)


def _undecided(
    pages: Pages,
    obligation: Obligation,
    decided: set[tuple[str, str, str, str]],
    policies: Policies,
    now: datetime,
) -> list[str]:
    assert pages.head is not None
    receipts = _receipts(pages, obligation)
    missing = []
    for step in policies.treatment.steps:
        at = step.instant(obligation.due_on, pages.head.zone)
        due = obligation.issued_at <= at <= now
        key = (pages.tenant, pages.borrower_id, obligation.id, step.name)
        if due and key not in decided:
            # A step falls away when the money was there at its instant, or before the platform heard of the debt.
            seen_at = max(at, obligation.stored_at)
            if _received(receipts, seen_at) < obligation.amount.minor:
                missing.append(f"{obligation.id}:{step.name}")
    return missing


def _receipts(pages: Pages, obligation: Obligation) -> Sequence[Repayment]:
    """Return the money for an obligation, whether or not the flows have matched it: that is theirs to do."""
    return [
        repayment
        for repayment in pages.repayments.values()
        if repayment.obligation_id == obligation.id
        and repayment.account_id == obligation.account_id
        and repayment.amount.currency in ("", obligation.amount.currency)
    ]


def _received(receipts: Sequence[Repayment], at: datetime) -> int:
    return sum(
        repayment.amount.minor
        for repayment in receipts
        if repayment.paid_at <= at and (repayment.reversed_at is None or repayment.reversed_at > at)
    )


def _snapshot(books: Mapping[tuple[str, str], Pages], contact: Contact) -> Snapshot:
    return books[contact.tenant, contact.borrower_id].snapshot(contact.obligation_id)


def _owed(books: Mapping[tuple[str, str], Pages], contact: Contact, at: datetime) -> bool:
    """Whether the contact's obligation was owed at `at`, for all that the platform can have been told by then."""
    pages = books[contact.tenant, contact.borrower_id]
    obligation = pages.obligations[contact.obligation_id]
    receipts = _receipts(pages, obligation)
    # Where nothing was ever taken back, `settled_at` is when the money was told: a payment told later is backdated.
    told_later = obligation.settled_at is not None and obligation.settled_at > at
    if told_later and all(receipt.reversed_at is None for receipt in receipts):
        return True
    return _received(receipts, at) < obligation.amount.minor


def _place(
    books: Mapping[tuple[str, str], Pages],
    contact: Contact,
    decision: Record | None,
    policies: Policies,
) -> tuple[Window, str]:
    """Return the window and the zone that the contact's decision saw; today's, where no record tells."""
    borrower = _snapshot(books, contact).borrower
    seen = decision.body if decision is not None else {}
    rule = next((w for w in policies.rules.windows.values() if w.id == seen.get("rule")), None)
    window = rule or policies.rules.window(borrower.jurisdiction)
    return window, str(seen.get("zone", borrower.zone))


def _in_window(window: Window, zone: str, at: datetime) -> bool:
    local = at.astimezone(zones.zone(zone))
    minute = local.hour * 60 + local.minute
    opens = window.opens.hour * 60 + window.opens.minute
    closes = window.closes.hour * 60 + window.closes.minute
    return opens <= minute < closes


def _second_attempts(contact: Contact) -> int:
    """Return how many further messages the policy allowed: one after an unknown outcome, none once counted by law."""
    return min(1, contact.unknowns) if contact.message_class is MessageClass.COURTESY else 0


def _duplicates(by_id: Mapping[str, Contact], arrivals: Sequence[Arrival]) -> tuple[str, ...]:
    """Return the steps for which more than one message arrived, less the second attempts a policy allowed and
    recorded.
    """
    per_step: dict[tuple[str, str, str, str, str], list[str]] = defaultdict(list)
    for arrival in arrivals:
        contact = by_id[arrival.contact_id]
        bill = (contact.tenant, contact.borrower_id, contact.obligation_id)
        per_step[*bill, contact.cycle, contact.step].append(contact.id)
    found = []
    for (_, _, obligation_id, _, step), ids in per_step.items():
        allowed = 1 + max(_second_attempts(by_id[contact_id]) for contact_id in ids)
        if len(ids) > allowed or len(Counter(ids)) > 1:
            found.append(f"{obligation_id}:{step}")
    return tuple(found)
