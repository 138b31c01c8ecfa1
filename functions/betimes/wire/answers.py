"""What the HTTP API says of permissions, replies and consents, as JSON-shaped values."""

from __future__ import annotations

import base64
from datetime import datetime, time
from typing import Any

from betimes.core import zones
from betimes.core.consent import Consent, Entry, Ledger, Reassigned
from betimes.core.endpoints import Endpoint
from betimes.core.inbox import Entry as Message
from betimes.core.inbox import Listing
from betimes.core.keywords import Reply
from betimes.core.permission import Permission, Wanted
from betimes.core.preferences import Preferences
from betimes.core.question import Answer
from betimes.core.suppression import Listed


def permission_out(permission: Permission, wanted: Wanted) -> dict[str, Any]:
    """Return a permission with the answers of all rules; its two instants are null where time has no say."""
    return {
        "schema_version": 1,
        "effect": permission.effect,
        "until": None if permission.until is None else zones.to_text(permission.until),
        "next_allowed_at": (
            None
            if permission.next_allowed_at is None
            else zones.to_text(permission.next_allowed_at)
        ),
        "reserved": wanted.reserve and permission.is_given,
        "rule_ids": list(permission.rule_ids),
        "reasons": list(permission.reasons),
        "notices": list(permission.notices),
        "statuses": list(permission.statuses),
        "rules": [_rule(answer) for answer in permission.answers],
    }


def reply_out(outcome: str, reply: Reply) -> dict[str, Any]:
    """Return how an answer was understood; `needs_person` says that somebody has to read it and to lift what it closed,
    or to leave it closed.
    """
    return {
        "outcome": outcome,
        "meaning": reply.meaning,
        "keyword": reply.keyword,
        "language": reply.language,
        "needs_person": reply.needs_person,
    }


def preferences_out(borrower_id: str, wishes: Preferences) -> dict[str, Any]:
    """Return what a borrower asks of us; null and "" are no wish."""
    return {
        "schema_version": 1,
        "borrower_id": borrower_id,
        "channels": list(wishes.channels),
        "quiet_from": _clock(wishes.quiet_from),
        "quiet_until": _clock(wishes.quiet_until),
        "language": wishes.language,
        "one_reminder": wishes.one_reminder,
        "digest": wishes.digest,
    }


def endpoint_out(endpoint: Endpoint) -> dict[str, Any]:
    """Return how a lender's own server has answered; `why` and the instants are null where there is nothing to say."""
    return {
        "schema_version": 1,
        "is_on": not endpoint.is_off,
        "why": endpoint.why,
        "off_at": _instant(endpoint.off_at),
        "failing_since": _instant(endpoint.failing_since),
        "failures": endpoint.failures,
    }


def inbox_out(borrower_id: str, listing: Listing, unread: int) -> dict[str, Any]:
    """Return a page of an inbox; `after` is null on the last page, and instants are null before anything was told."""
    return {
        "schema_version": 1,
        "borrower_id": borrower_id,
        "unread": unread,
        "messages": [_message(entry) for entry in listing.entries],
        "after": page_mark(listing.after) or None,
    }


def _message(entry: Message) -> dict[str, Any]:
    return {
        "contact_id": entry.contact_id,
        "attempt": entry.attempt,
        "at": zones.to_text(entry.decided_at),
        "useful_until": zones.to_text(entry.useful_until),
        "locale": entry.locale,
        "subject": entry.subject,
        "text": entry.body,
        "seen_at": _instant(entry.seen_at),
        "read_at": _instant(entry.read_at),
    }


def page_mark(place: str) -> str:
    """Return where a page ended in a form that an address can hold, "" for nowhere."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_in(mark: str) -> str:
    """Return what `page_mark` was made of; something that is no place where it was made by somebody else."""
    try:
        return base64.b64decode(mark + "=" * (-len(mark) % 4), b"-_", validate=True).decode()
    except ValueError:
        return mark


def listed_out(listed: Listed) -> dict[str, Any]:
    """Return what is known of an address: its blind index, and what closes it or did; never the address."""
    return {
        "index": listed.index,
        "channel": listed.channel,
        "soft_bounces": len(listed.bounced_at),
        "entries": [
            {
                "scope": entry.scope,
                "why": entry.why,
                "since": zones.to_text(entry.since),
                "by": entry.by,
                "reason": entry.note,
                "released_at": (
                    None if entry.released_at is None else zones.to_text(entry.released_at)
                ),
                "released_by": entry.released_by,
                "released_for": entry.released_for,
            }
            for entry in listed.entries
        ],
    }


def _clock(at: time | None) -> str | None:
    return None if at is None else at.isoformat()


def consents_out(borrower_id: str, ledger: Ledger) -> dict[str, Any]:
    """Return all that a person agreed to and refused, in order of telling; an entry that ends an earlier one has its
    id. `provisional` are answers that nobody had read when they came.
    """
    return {
        "schema_version": 1,
        "borrower_id": borrower_id,
        "consents": [_entry(entry) for entry in ledger],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    common = {"id": entry.id, "evidence": entry.evidence, "source": entry.source}
    if isinstance(entry, Consent):
        return {
            **common,
            "kind": "consent",
            "purpose": entry.purpose,
            "channel": entry.channel,
            "form": entry.form,
            "at": zones.to_text(entry.given_at),
            "ended_at": _instant(entry.revoked_at),
            "obey_by": _instant(entry.revocation_due_at),
            "valid_until": _instant(entry.valid_until),
            "told_at": _instant(entry.told_at),
        }
    if isinstance(entry, Reassigned):
        return {**common, "kind": "reassigned", "at": zones.to_text(entry.at)}
    return {
        **common,
        "kind": "refusal",
        "switch": entry.switch,
        "channel": entry.channel,
        "reach": entry.reach,
        "words": entry.words,
        "provisional": entry.provisional,
        "at": zones.to_text(entry.at),
        "ended_at": _instant(entry.lifted_at),
        "told_at": _instant(entry.told_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else zones.to_text(at)


def _rule(answer: Answer) -> dict[str, Any]:
    return {
        "rule_id": answer.rule_id,
        "effect": answer.effect,
        "status": answer.status,
        "enforce": answer.enforce,
        "in_force": answer.in_force,
        "until": None if answer.until is None else zones.to_text(answer.until),
        "facts": dict(answer.facts),
    }
