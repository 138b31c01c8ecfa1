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
    CLOSED_DAY = "closed_day"
    TOO_SOON = "too_soon"
    OWN_QUIET_HOURS = "own_quiet_hours"
    CONTACT_CAP = "contact_cap"
    STALE_FEED = "stale_feed"
    AWAITING_ENTRY = "awaiting_entry"
    # Suppress: nothing to say
    PAID = "paid"
    MINIMUM_PAID = "minimum_paid"
    IN_GRACE = "in_grace"
    CONDITION_NOT_MET = "condition_not_met"
    IN_DIGEST = "in_digest"
    BEFORE_ENTRY = "before_entry"
    REDATED = "redated"
    ONE_REMINDER_WANTED = "one_reminder_wanted"
    # Wait or suppress: money is under way, or contact is stopped
    MONEY_IN_FLIGHT = "money_in_flight"
    HOLD_DISPUTE = "hold_dispute"
    HOLD_HARDSHIP = "hold_hardship"
    HOLD_PROMISE = "hold_promise"
    HOLD_COMPLAINT = "hold_complaint"
    HOLD_BEREAVEMENT = "hold_bereavement"
    HOLD_MORATORIUM = "hold_moratorium"
    HOLD_DECEASED = "hold_deceased"
    HOLD_BANKRUPTCY = "hold_bankruptcy"
    HOLD_MILITARY = "hold_military"
    HOLD_ATTORNEY = "hold_attorney"
    HOLD_MASS = "hold_mass"
    HOLD_OPT_OUT = "hold_opt_out"
    HOLD_PAID_CLAIM = "hold_paid_claim"
    # Suppress: nowhere to say it
    NO_CONTACT_POINT = "no_contact_point"
    CONTACT_POINT_SUPPRESSED = "contact_point_suppressed"
    CONTACT_POINT_UNCONFIRMED = "contact_point_unconfirmed"
    ADDRESS_RESTING = "address_resting"
    NO_COMMON_WINDOW = "no_common_window"
    FORBIDDEN_BY_RULE = "forbidden_by_rule"
    # Suppress: too late to say it
    PLANNED_AFTER_WINDOW = "planned_after_window"
    CATCH_UP_EXCEEDED = "catch_up_exceeded"
    QUIET_UNTIL_TOO_LATE = "quiet_until_too_late"
    MERGED_INTO_NEXT = "merged_into_next"
    # Contact: what became of it
    ACCEPTED = "accepted"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_BUSY = "provider_busy"
    BUDGET_SPENT = "budget_spent"
    PROVIDER_TIMEOUT = "provider_timeout"
    LEASE_EXPIRED = "lease_expired"
    ONE_MORE_ATTEMPT = "one_more_attempt"
    HELD_UNKNOWN = "held_unknown"
    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"
    BOUNCED_SOFT = "bounced_soft"
    NO_RECEIPT = "no_receipt"
    PROVIDER_FAILED = "provider_failed"
    COMPLAINED = "complained"
