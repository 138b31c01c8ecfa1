"""`betimes plan BORROWER`: what will happen to one borrower, on which day, and why, if nothing more is told.

Nothing is predicted: what was known at the instant asked for is told to a world in memory, each fact when it happened,
and then time passes in that world with nothing more told. What decides and what renders the texts is what decides and
renders on AWS. A message stands where it is sent, with the amount of that day, not where it was decided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from betimes.adapters.packs import drafts
from betimes.config import Settings
from betimes.core import record, zones
from betimes.core.arrears import age_of
from betimes.core.book import Pages
from betimes.core.errors import Rejected
from betimes.core.money import Money
from betimes.core.policies import Policies
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.lab.runner import Event, LabRun, run
from betimes.lab.world import TENANT, World
from betimes.local.book import opened
from betimes.local.console import indented, table
from betimes.local.lab import events_of
from betimes.local.tape import feed


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that will happen: when (UTC), about what, and why; with the message, where one is sent.

    `decision` is send, wait or suppress, or "end" for a contact that is decided and never sent. `with_debt` is the debt
    whose message speaks of this one too, "" where it has one of its own.
    """

    at: datetime
    decided_at: datetime
    obligation_id: str
    step: str
    decision: str
    reason: str
    until: str
    channel: str
    amount: str
    with_debt: str
    text: str

    def line(self) -> Mapping[str, str]:
        """Return it as the object that `--json` prints."""
        return {
            "at": zones.to_text(self.at),
            "decided_at": zones.to_text(self.decided_at),
            "obligation_id": self.obligation_id,
            "step": self.step,
            "decision": self.decision,
            "reason": self.reason,
            "until": self.until,
            "channel": self.channel,
            "amount": self.amount,
            "with": self.with_debt,
            "text": self.text,
        }


def plan(
    borrower_id: str,
    *,
    tape: Path | None,
    zone: str,
    as_of: datetime,
    days: int,
    texts: bool,
    as_json: bool,
) -> int:
    """Print what will happen to the borrower from `as_of` on within `days`, and return 0.

    Raises:
        Rejected: code "unknown_borrower"; or the tape cannot be read.
    """
    settings = Settings()
    # Nothing is sent: what would happen may be seen before it is proved.
    policy = drafts(settings.treatment, settings.lender)
    with opened(tape, zone=zone, as_of=as_of, demo_at=as_of) as book:
        fed = feed(book.folder, zone=zone)
        events = _theirs([e for e in events_of(fed, None) if e.at <= as_of], borrower_id)
    if not events:
        raise Rejected(
            "unknown_borrower",
            "BORROWER",
            f"nothing is known of {borrower_id!r} at that instant; ids are those of the accounts file",
        )
    done = run(events, policy, end=as_of)
    pages = done.world.memory.pages(TENANT, borrower_id)
    coming = _coming(done, as_of, as_of + timedelta(days=days))
    if as_json:
        print(
            json.dumps({"owed": _owed(pages, policy, as_of), "coming": [c.line() for c in coming]})
        )
        return 0
    _print(pages, policy, coming, as_of, days, texts=texts)
    return 0


def _theirs(events: Sequence[Event], borrower_id: str) -> list[Event]:
    """Return what is told of one borrower: by name, or of an account that is theirs."""
    accounts = {e.told.account_id for e in events if e.told.borrower_id == borrower_id}
    return [
        event
        for event in events
        if event.told.borrower_id == borrower_id
        or (not event.told.borrower_id and event.told.account_id in accounts)
    ]


def _coming(done: LabRun, as_of: datetime, until: datetime) -> list[Coming]:
    world = done.world
    world.run_until(until)
    decided = [
        each
        for pages in world.memory.everyone()
        for each in world.memory.of_borrower(pages.tenant, pages.borrower_id)
        if each.kind == record.DECISION and each.at >= as_of
    ]
    return sorted((_said(world, each) for each in decided), key=lambda c: (c.at, c.obligation_id))


def _said(world: World, decision: Record) -> Coming:
    body = decision.body
    contact = world.memory.get(decision.contact_id) if decision.contact_id else None
    kind, reason, at = str(body["decision"]), str(body["reason"]), decision.at
    if kind == "send" and contact is not None:
        if contact.sent_at is not None:
            at = contact.sent_at
        else:
            kind, reason = "end", str(contact.reason)
    shared = reason == Reason.IN_DIGEST and contact is not None and contact.sent_at is not None
    sent = contact is not None and (kind == "send" or shared)
    letters = (arrived.letter for arrived in world.provider.accepted)
    text = next((x.text.body for x in letters if x.contact_id == decision.contact_id), "")
    return Coming(
        at=contact.sent_at if shared and contact is not None and contact.sent_at else at,
        decided_at=decision.at,
        obligation_id=decision.obligation_id,
        step=str(body["step"]),
        decision=kind,
        reason=reason,
        until=str(body["until"]),
        channel=contact.channel if sent and contact is not None else "",
        amount=f"{contact.amount.currency} {contact.amount.decimal()}"
        if kind == "send" and contact is not None
        else "",
        with_debt=contact.obligation_id if shared and contact is not None else "",
        text=text if kind == "send" else "",
    )


def _owed(pages: Pages, policy: Policies, at: datetime) -> list[Mapping[str, str | int]]:
    found: list[Mapping[str, str | int]] = []
    for snapshot in policy.snapshots(pages):
        owed, age = snapshot.owed(at), age_of(snapshot, at)
        if snapshot.obligation.is_open:
            found.append(
                {
                    "obligation_id": snapshot.obligation.id,
                    "product": snapshot.account.product if snapshot.account else "",
                    "due_on": snapshot.obligation.due_on.isoformat(),
                    "owed_minor": owed.minor,
                    "currency": owed.currency,
                    "dpd": age.dpd,
                    "phase": "minimum_met" if snapshot.obligation.minimum_is_met else age.phase,
                }
            )
    return found


def _print(
    pages: Pages,
    policy: Policies,
    coming: Sequence[Coming],
    as_of: datetime,
    days: int,
    *,
    texts: bool,
) -> None:
    assert pages.head is not None, "somebody of whom something is known"
    zone = zones.zone(pages.head.zone)
    print(f"{pages.borrower_id}, {', '.join(pages.head.zones)}, {pages.head.jurisdiction}")
    reached = ", ".join(f"{p.channel} {p.state}" for p in pages.head.contact_points)
    print(f"reached by: {reached or 'nothing'}")
    print()
    owed = _owed(pages, policy, as_of)
    if not owed:
        print("Nothing is owed.")
        return
    rows = [
        [
            str(row["obligation_id"]),
            str(row["product"]),
            str(row["due_on"]),
            f"{row['currency']} {Money(int(row['owed_minor']), str(row['currency'])).decimal()}",
            f"{row['dpd']} ({row['phase']})",
        ]
        for row in owed
    ]
    print(table(["owed", "product", "due", "amount", "dpd"], rows))
    print()
    print(f"If nothing more is told, within {days} days:")
    for each in coming:
        local = each.at.astimezone(zone)
        words = {
            "send": f"sends by {each.channel}, {each.amount}",
            "wait": f"waits: {each.reason}",
            "suppress": f"is not sent: {each.reason}",
            "end": f"is not sent: {each.reason}",
        }[each.decision]
        if each.with_debt:
            words = f"is in the message about {each.with_debt}"
        print(f"{local:%Y-%m-%d %H:%M}  {each.obligation_id:<20}  {each.step:<18}  {words}")
        if texts and each.text:
            print(indented(each.text.strip(), "    | "))
    if not coming:
        print("nothing.")
