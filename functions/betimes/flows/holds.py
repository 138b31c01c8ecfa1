"""Holds that were told late: what had gone out before anybody told us that it should not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from betimes.core import record
from betimes.core.contact import Event
from betimes.core.hold import Hold
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.ports import Stores

# What only a message can cause that a provider took: whoever else reports it, it has gone.
_WENT_OUT = frozenset(
    {
        Event.ACCEPTED,
        Event.DELAYED,
        Event.DELIVERED,
        Event.BOUNCED_SOFT,
        Event.BOUNCED_HARD,
        Event.COMPLAINED,
    }
)


def sent_inside(stores: Stores, tenant: str, borrower_id: str, hold: Hold) -> tuple[str, ...]:
    """Return the ids of the contacts that providers took while the hold, as it stands now, was in force, oldest first.

    Empty where it begins after the last of them, as most holds do. A contact lies inside from the start of the hold on
    and no more at its end, by the first record that shows it to have gone. It must be about what the hold is about: its
    channel, and for a digest any of the obligations it speaks of. What a hold of the kind would not have stopped is
    listed too: the class of a message is not on record, and whoever told of the hold wants to know what the person got.
    A contact whose outcome is unknown is not listed before there is evidence.

    Raises:
        Stale: the borrower's pages stayed torn; ask again.
    """
    records = stores.ledger.of_borrower(tenant, borrower_id)
    account_of: dict[str, str] = {}
    if hold.account_id:
        pages = stores.book.pages(tenant, borrower_id)
        account_of = {debt.id: debt.account_id for debt in pages.obligations.values()}
    spoken_of = _obligations(records)
    return tuple(
        contact_id
        for contact_id, (at, channel) in _gone(records).items()
        if hold.covers(at)
        and hold.channel in ("", channel)
        and any(
            hold.concerns(account_of.get(obligation_id, ""), obligation_id)
            for obligation_id in spoken_of.get(contact_id, ())
        )
    )


def _gone(records: Sequence[Record]) -> dict[str, tuple[datetime, str]]:
    """Return for each contact that has gone the instant of the first record that shows it, and the channel, oldest
    first.
    """
    found: dict[str, tuple[datetime, str]] = {}
    for written in sorted(records, key=lambda each: each.at):
        if written.kind == record.EVENT and written.body["event"] in _WENT_OUT:
            found.setdefault(written.contact_id, (written.at, str(written.body["channel"])))
    return found


def _obligations(records: Sequence[Record]) -> dict[str, set[str]]:
    """Return the obligations each contact speaks of: its own, and those whose last word is that they stand in it."""
    found: dict[str, set[str]] = {}
    for written in records:
        if not written.contact_id:
            continue
        named = found.setdefault(written.contact_id, set())
        if written.kind == record.EVENT or _is_in_it(written):
            named.add(written.obligation_id)
        else:
            named.discard(written.obligation_id)
    return found


def _is_in_it(written: Record) -> bool:
    body = written.body
    return body["decision"] == "send" or body.get("reason") == Reason.IN_DIGEST
