"""What callers outside the platform ask and tell, as ledger records: why each of them was told what it was told.

These records are chained per person, and the contact budget, which every answer and every report writes, keeps the hash
of the last one. They hold ids, rules and facts, and a token where a number was named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from betimes.core import record, zones
from betimes.core.book import Pages
from betimes.core.budget import Budget, token_of
from betimes.core.permission import Permission, Wanted
from betimes.core.record import Record
from betimes.core.rule import Recipient, Unit
from betimes.core.touch import Direction, Touch
from betimes.core.values import replace

# The events of such records.
ASKED = "may_contact"
TOLD = "touches_told"
RELEASED = "suppression_released"


def answered(
    pages: Pages, wanted: Wanted, said: Permission, budget: Budget, now: datetime
) -> tuple[Budget, Record]:
    """Return `budget` with the record of an answer at the end of its chain, and that record: what was asked, what was
    answered, and of each rule that decided its status and the facts it used.
    """
    found = {answer.rule_id: answer for answer in said.answers}
    body: dict[str, str | int] = {
        "event": ASKED,
        "state": said.effect,
        "reason": ",".join(said.reasons),
        "until": "" if said.until is None else zones.to_text(said.until),
        "next_allowed_at": (
            "" if said.next_allowed_at is None else zones.to_text(said.next_allowed_at)
        ),
        "rule": ",".join(said.rule_ids),
        "rule_status": ",".join(said.statuses),
        "notices": ",".join(said.notices),
        "rules_asked": len(said.answers),
        "channel": wanted.channel,
        "purpose": wanted.purpose,
        "party": wanted.party,
        "by": wanted.by or pages.tenant,
        "recipient": wanted.recipient,
        "touch_id": wanted.touch_id,
        "reserved": int(wanted.reserve and said.is_given),
        "debts": ",".join(wanted.debts),
        "number": token_of(pages.tenant, pages.borrower_id, wanted.address),
        "borrower_version": pages.head.version if pages.head is not None else 0,
        "budget_version": pages.budget.version,
        "touches": len(pages.budget.touches),
    }
    for rule_id in dict.fromkeys((*said.rule_ids, *said.notices)):
        answer = found[rule_id]
        body[f"{rule_id} status"] = answer.status
        for name, value in answer.facts.items():
            body[f"{rule_id} {name}"] = int(value) if isinstance(value, bool) else value
    return _chained(pages, budget, body, now)


def told(before: Pages, after: Pages, now: datetime) -> tuple[Pages, Record | None]:
    """Return the pages after a report with its record at the end of the chain, and that record; None, and the pages as
    they are, where no touch was told that was not known.
    """
    if after.budget is before.budget:
        return after, None
    known = {(touch.by, touch.id): touch for touch in before.budget.touches}
    new = [each for each in after.budget.touches if known.get((each.by, each.id)) != each]
    if not new:
        return after, None
    body: dict[str, str | int] = {"event": TOLD, "touches": len(new)}
    for n, touch in enumerate(new, start=1):
        body[f"touch {n}"] = " ".join(_words(touch))
    budget, written = _chained(before, after.budget, body, now)
    return after.with_budget(budget), written


def noted(pages: Pages, body: Mapping[str, str | int], now: datetime) -> tuple[Budget, Record]:
    """Return the person's budget with the record of what somebody at the lender did at the end of its chain, and that
    record; `body` names the event and holds ids, states and words of staff, no address.
    """
    return _chained(pages, pages.budget, dict(body), now)


def _words(touch: Touch) -> Iterable[str]:
    yield from (touch.id, zones.to_text(touch.at), touch.direction, touch.channel, touch.by)
    # What the person began counts for no cap; that it was a conversation starts a cool-off all the same.
    yield from (unit for unit in Unit if touch.counts(unit) or _has_come_in(touch, unit))
    yield from [f"to:{touch.recipient}"] if touch.recipient is not Recipient.BORROWER else ()
    yield from (f"not:{why}" for why in touch.excluded)
    yield from (f"debt:{debt}" for debt in touch.debts)


def _has_come_in(touch: Touch, unit: Unit) -> bool:
    """Return whether something the person began was of a kind."""
    if touch.direction is not Direction.IN:
        return False
    return {
        Unit.CONNECTED: touch.connected or touch.conversation,
        Unit.CONVERSATION: touch.conversation,
        Unit.MESSAGE: touch.message_left,
    }.get(unit, False)


def _chained(
    pages: Pages, budget: Budget, body: dict[str, str | int], now: datetime
) -> tuple[Budget, Record]:
    prev = pages.budget.chain
    version = pages.budget.version
    written = Record(
        # In the order of the versions that were seen: of two who ask at once, one asks again.
        id=record.record_id(now, str(body["event"]), str(version), prev, place=version % 1000),
        kind=record.OUTSIDE,
        tenant=pages.tenant,
        borrower_id=pages.borrower_id,
        obligation_id="",
        contact_id="",
        at=now,
        body=body,
        prev=prev,
    ).sealed()
    return replace(budget, chain=written.hash), written
