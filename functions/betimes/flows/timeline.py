"""A borrower's timeline: every decision and every event of every contact, in order, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from betimes.core import record
from betimes.core.record import Record
from betimes.core.values import dataclass
from betimes.ports import Ledger


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline. `what` is "send", "wait" or "suppress" for a decision, else the event of a contact.
    `cause` is, of a decision to take a step up again, the contact that failed; "" of any other.
    """

    at: datetime
    obligation_id: str
    step: str
    what: str
    reason: str
    contact_id: str
    channel: str
    state: str
    record_id: str
    cause: str = ""


def timeline(ledger: Ledger, tenant: str, borrower_id: str) -> Sequence[Entry]:
    """Return everything decided about and done for a borrower, oldest first; empty for one who is unknown."""
    return [entry(written) for written in ledger.of_borrower(tenant, borrower_id)]


def entry(written: Record) -> Entry:
    """Return the line of one ledger record."""
    body = written.body
    what = body["decision"] if written.kind == record.DECISION else body["event"]
    return Entry(
        at=written.at,
        obligation_id=written.obligation_id,
        step=str(body.get("step", "")),
        what=str(what),
        reason=str(body.get("reason", "")),
        contact_id=written.contact_id,
        channel=str(body.get("channel", "")),
        state=str(body.get("state", "")),
        record_id=written.id,
        cause=str(body.get("cause", "")),
    )
