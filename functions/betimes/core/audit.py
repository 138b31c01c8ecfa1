"""The audit: were the promises kept? Computed from repayments, steps and arrivals, not from what the flows say of
themselves.

It repeats nothing of `core.decide`: money owed at an instant is replayed from the repayments, the local hour is taken
from the zones, and a due step is any planned step of the treatment whose instant found the obligation open.

Money counts from when the platform was told of it until it was told that it was taken back, so a message before a
backdated payment breaks no promise, and one between a payment and its reversal does.

Not seen: what an obligation was before it was amended. Of an amended one the audit asks what the platform knew then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from betimes.core import record, zones
from betimes.core.agenda import plan
from betimes.core.book import Pages, Snapshot, contract_rate, debts_of, receipt_of, value_date
from betimes.core.contact import Contact
from betimes.core.obligation import Obligation, Repayment
from betimes.core.policies import Policies
from betimes.core.product import Leftover
from betimes.core.record import Record
from betimes.core.replay import Standing, replay
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
    unsaid = {
        (r.contact_id, r.obligation_id)
        for r in decisions
        if r.contact_id and r.body["decision"] == "suppress" and r.body["reason"] != "in_digest"
    }
    undecided: list[str] = []
    money = _Money(policies)
    books: dict[tuple[str, str], Pages] = {}
    for pages in everyone:
        books[pages.tenant, pages.borrower_id] = pages
        for obligation in pages.obligations.values():
            undecided += _undecided(pages, obligation, decided, money, now)
    return Findings(
        undecided=tuple(undecided),
        duplicates=_duplicates(by_id, arrivals, unsaid),
        after_payment=tuple(
            f"{arrival.contact_id}:{obligation_id}"
            if by_id[arrival.contact_id].also
            else arrival.contact_id
            for arrival in arrivals
            for obligation_id, _ in _spoken_of(by_id[arrival.contact_id], unsaid)
            if not money.is_owed(
                _pages(books, by_id[arrival.contact_id]), obligation_id, arrival.at
            )
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


def _spoken_of(contact: Contact, unsaid: Container[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Return the obligations, each with its step, that a contact spoke of when it was sent."""
    steps = ((contact.obligation_id, contact.step), *contact.also)
    if not contact.also:
        return steps
    return [step for step in steps if (contact.id, step[0]) not in unsaid]


def _stands(decision: Record, now: datetime) -> bool:
    """Whether a decision still answers for its step at `now`: a wait does until its time is over."""
    return decision.body["decision"] != "wait" or str(decision.body["until"]) > zones.to_text(now)


def _undecided(
    pages: Pages,
    obligation: Obligation,
    decided: set[tuple[str, str, str, str]],
    money: _Money,
    now: datetime,
) -> list[str]:
    assert pages.head is not None
    snapshot = pages.snapshot(obligation.id, money.policies.profiles)
    missing = []
    for planned in plan(snapshot, money.policies.treatment_of(snapshot.profile)):
        key = (pages.tenant, pages.borrower_id, obligation.id, planned.key)
        # A step falls away when the money was there at its instant, or before the platform heard of the debt.
        seen_at = max(planned.at, obligation.known_at)
        is_due = planned.at <= now and key not in decided
        if is_due and money.is_owed(pages, obligation.id, seen_at):
            missing.append(f"{obligation.id}:{planned.key}")
    return missing


def _receipts(pages: Pages, account_id: str, at: datetime) -> Sequence[Repayment]:
    """Return the money of an account that the platform knew of at `at`, whether or not the flows have matched it: that
    is theirs to do.
    """
    return [
        repayment
        for repayment in pages.repayments.values()
        if repayment.account_id == account_id
        and (repayment.told_at or repayment.paid_at) <= at
        and (
            repayment.reversed_at is None
            or (repayment.reversal_told_at or repayment.reversed_at) > at
        )
    ]


@dataclass
class _Money:
    """What was owed when, by all the money the platform had been told of. Replays are kept: between two things told of
    an account nothing about its money changes.
    """

    policies: Policies
    _kept: dict[tuple[str, str, str, int, int, int], Mapping[str, Standing]] = field(
        default_factory=dict
    )

    def is_owed(self, pages: Pages, obligation_id: str, at: datetime) -> bool:
        """Return whether an obligation was owed at `at`; money for other debts, or none, may have reached it too."""
        snapshot = pages.snapshot(obligation_id, self.policies.profiles)
        obligation, profile = snapshot.obligation, snapshot.profile
        if obligation.revision:
            return not obligation.was_settled(at)
        receipts = [
            receipt
            for receipt in _receipts(pages, obligation.account_id, at)
            if receipt.amount.currency in ("", obligation.amount.currency)
        ]
        keeps = profile.leftover is Leftover.KEPT
        within_reach = sum(
            receipt.amount.minor
            for receipt in receipts
            if receipt.obligation_id in ("", obligation.id) or not keeps
        )
        # Only where all that money could be enough is it worth a replay.
        if within_reach < obligation.amount.minor - profile.tolerance_minor:
            return True
        in_time = sum(
            receipt.amount.minor
            for receipt in receipts
            if receipt.obligation_id == obligation.id
            and value_date(receipt.paid_at, profile, snapshot.zone) <= obligation.due_on
        )
        if in_time >= obligation.amount.minor:
            # Money named for it, before any of it was late: nothing else has a say.
            return False
        standings = self._standings(pages, snapshot, receipts, at)
        return obligation.id not in standings or not standings[obligation.id].is_settled

    def _standings(
        self, pages: Pages, snapshot: Snapshot, receipts: Sequence[Repayment], at: datetime
    ) -> Mapping[str, Standing]:
        account_id, zone = snapshot.obligation.account_id, snapshot.zone
        owing = [
            other
            for other in pages.obligations.values()
            if other.account_id == account_id and other.stored_at <= at
        ]
        told = [r for r in pages.repayments.values() if (r.told_at or r.paid_at) <= at]
        key = (pages.tenant, pages.borrower_id, account_id, len(owing), len(told), len(receipts))
        if key not in self._kept:
            self._kept[key] = replay(
                debts_of(
                    owing,
                    pages.holds.values(),
                    snapshot.profile,
                    zone,
                    zones.local_date(at, zone),
                ),
                [receipt_of(receipt, snapshot.profile, zone) for receipt in receipts],
                snapshot.profile,
                contract_rate(snapshot.account, snapshot.profile),
            ).standings
        return self._kept[key]


def _snapshot(books: Mapping[tuple[str, str], Pages], contact: Contact) -> Snapshot:
    return books[contact.tenant, contact.borrower_id].snapshot(contact.obligation_id)


def _pages(books: Mapping[tuple[str, str], Pages], contact: Contact) -> Pages:
    return books[contact.tenant, contact.borrower_id]


def _place(
    books: Mapping[tuple[str, str], Pages],
    contact: Contact,
    decision: Record | None,
    policies: Policies,
) -> tuple[Window, Sequence[str]]:
    """Return the window and the zones that the contact's decision saw; today's, where no record tells."""
    borrower = _snapshot(books, contact).borrower
    seen = decision.body if decision is not None else {}
    rule = next((w for w in policies.rules.windows.values() if w.id == seen.get("rule")), None)
    window = rule or policies.rules.window(borrower.jurisdiction)
    return window, str(seen.get("zone", ",".join(borrower.zones))).split(",")


def _in_window(window: Window, zone_names: Sequence[str], at: datetime) -> bool:
    return all(_in_one(window, name, at) for name in zone_names)


def _in_one(window: Window, zone: str, at: datetime) -> bool:
    local = at.astimezone(zones.zone(zone))
    since_midnight = timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    opens = timedelta(hours=window.opens.hour, minutes=window.opens.minute)
    closes = timedelta(hours=window.closes.hour, minutes=window.closes.minute)
    inside = opens <= since_midnight < closes
    return inside or (window.closes_inclusive and since_midnight == closes)


def _second_attempts(contact: Contact) -> int:
    """Return how many further messages the policy allowed: one after an unknown outcome, none once counted by law."""
    return min(1, contact.unknowns) if contact.message_class is not MessageClass.OVERDUE else 0


def _duplicates(
    by_id: Mapping[str, Contact],
    arrivals: Sequence[Arrival],
    unsaid: Container[tuple[str, str]],
) -> tuple[str, ...]:
    """Return the steps for which more than one message arrived, less the second attempts a policy allowed and
    recorded.
    """
    per_step: dict[tuple[str, str, str, str, str], list[str]] = defaultdict(list)
    for arrival in arrivals:
        contact = by_id[arrival.contact_id]
        for obligation_id, step in _spoken_of(contact, unsaid):
            # A digest names the cycle of its first obligation only.
            cycle = contact.cycle if obligation_id == contact.obligation_id else ""
            bill = (contact.tenant, contact.borrower_id, obligation_id)
            per_step[*bill, cycle, step].append(contact.id)
    found = []
    for (_, _, obligation_id, _, step), ids in per_step.items():
        allowed = 1 + max(_second_attempts(by_id[contact_id]) for contact_id in ids)
        if len(ids) > allowed or len(Counter(ids)) > 1:
            found.append(f"{obligation_id}:{step}")
    return tuple(found)
