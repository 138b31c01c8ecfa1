"""Permission: a caller outside the platform asks whether it may contact somebody, and may reserve the contact.

A reservation is a touch in the person's contact budget, written under the version that was seen, so of two callers who
ask in the same instant only one gets the last room there is. The outcome is told later under the same id
(`core.intake.ReportTouches`); what is never told goes on counting as the worst that may have come of it. Every answer
is a ledger record (`core.outside`), and takes no room unless it reserves; asked again about what it has reserved, a
caller hears what it heard, and nothing is written.
"""

from __future__ import annotations

from datetime import datetime

from betimes.core.book import Pages
from betimes.core.change import Append, CheckHead, SaveBudget
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import checked_touch
from betimes.core.outside import answered
from betimes.core.permission import GOOD_FOR, Permission, Wanted, permission, touch_of
from betimes.core.policies import Policies
from betimes.core.touch import Touch
from betimes.core.values import replace
from betimes.flows.ahead import expected
from betimes.flows.sweep import fed_until
from betimes.ports import Stores

# Tries against other writers before the caller is asked to come back.
MAX_TRIES = 8


def may_contact(
    stores: Stores,
    policies: Policies,
    tenant: str,
    borrower_id: str,
    wanted: Wanted,
    now: datetime,
) -> Permission:
    """Return whether the contact may be made at `now` (UTC), with the answers of all rules; reserved where that was
    wanted and it may.

    Asked again under the same id within `core.permission.GOOD_FOR`, the same contact is the same reservation.

    Raises:
        Rejected: as `core.permission.permission` and `core.intake.checked_touch`; code "duplicate_id" where the id
            stands for a touch that is older, other, or has been told.
        Unavailable: other writers kept winning; nothing is reserved.
    """
    for _ in range(MAX_TRIES):
        pages = stores.book.pages(tenant, borrower_id)
        touch = _own(pages, wanted, now)
        fed_at = fed_until(stores, policies, tenant)
        coming: tuple[Touch, ...] = ()
        if pages.head is not None:
            coming = expected(stores, policies, pages, wanted.purpose, now, fed_at=fed_at)
        answer = permission(pages, wanted, policies, now, coming, fed_at=fed_at)
        assert pages.head is not None, "nothing is said of somebody unknown"
        known = pages.budget.find(touch.id, touch.by) if touch is not None else None
        if known is not None and wanted.reserve and answer.is_given:
            # Answered before: the reservation stands as it was made, and so does its end.
            ends_at = known.at + GOOD_FOR
            return replace(answer, until=min(answer.until or ends_at, ends_at))
        budget = pages.budget
        if touch is not None and wanted.reserve and answer.is_given:
            budget = budget.with_touch(touch, now)
        budget, written = answered(pages, wanted, answer, budget, now)
        try:
            # What stops contact comes with the head: a hold set meanwhile wins.
            stores.store.commit(
                [
                    CheckHead(tenant, borrower_id, pages.head.version),
                    SaveBudget.of(pages, budget),
                    Append(written),
                ]
            )
        except Stale:
            continue
        return answer
    raise Unavailable(f"other writers kept winning {MAX_TRIES} times for one borrower")


def _own(pages: Pages, wanted: Wanted, now: datetime) -> Touch | None:
    """Return the touch that a contact would be, None without an id."""
    if not wanted.touch_id:
        if wanted.reserve:
            raise Rejected("bad_touch", "touch_id", "a reservation needs an id of its own")
        return None
    if pages.head is None:
        return None
    asked = touch_of(pages.tenant, pages.borrower_id, wanted, now)
    try:
        touch = checked_touch(pages, asked, now)
    except Rejected as rejected:
        field = "touch_id" if rejected.field == "id" else rejected.field
        raise Rejected(rejected.code, field, rejected.message) from None
    known = pages.budget.find(touch.id, touch.by)
    if known is None:
        return touch
    if replace(touch, at=known.at) != known or not known.at <= now < known.at + GOOD_FOR:
        raise Rejected(
            "duplicate_id",
            "touch_id",
            "this id stands for another touch, or an older one; take a new one",
        )
    return touch
