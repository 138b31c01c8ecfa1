"""Reasons: why a step was sent, waits or was not sent, and why a contact is in its state.

Every reason has a story in tests/stories that produces it and a line in docs/reasons.md.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One word per cause, the true one; the closed list behind every decision and every contact state."""

    # Send
    DUE = "due"
    # Wait
    NOT_YET = "not_yet"
    QUIET_HOURS = "quiet_hours"
    # Suppress: nothing to say
    PAID = "paid"
    MINIMUM_PAID = "minimum_paid"
    # Suppress: nowhere to say it
    NO_CONTACT_POINT = "no_contact_point"
    CONTACT_POINT_SUPPRESSED = "contact_point_suppressed"
    # Suppress: too late to say it
    PLANNED_AFTER_WINDOW = "planned_after_window"
    CATCH_UP_EXCEEDED = "catch_up_exceeded"
    QUIET_UNTIL_TOO_LATE = "quiet_until_too_late"
    # Contact: what became of it
    ACCEPTED = "accepted"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_TIMEOUT = "provider_timeout"
    LEASE_EXPIRED = "lease_expired"
    ONE_MORE_ATTEMPT = "one_more_attempt"
    HELD_UNKNOWN = "held_unknown"
    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"
    BOUNCED_SOFT = "bounced_soft"
    PROVIDER_FAILED = "provider_failed"
    COMPLAINED = "complained"
