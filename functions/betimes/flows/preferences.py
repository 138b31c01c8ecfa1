"""A borrower's wishes, read and replaced: by the lender over the API, by the person on the page of a link."""

from __future__ import annotations

from datetime import datetime

from betimes.core import preferences
from betimes.core.errors import Rejected
from betimes.core.intake import Outcome, PutPreferences
from betimes.core.policies import Policies
from betimes.core.preferences import Preferences
from betimes.flows.intake import Intake, Told
from betimes.ports import Stores


def preferences_of(stores: Stores, tenant: str, borrower_id: str) -> Preferences:
    """Return the wishes of a borrower; those of somebody who told none are `preferences.NONE`.

    Raises:
        Rejected: code "unknown_borrower".
        Stale: the pages stayed torn; ask again.
    """
    head = stores.book.pages(tenant, borrower_id).head
    if head is None:
        raise Rejected("unknown_borrower", "borrower_id", "this borrower is not known")
    return head.preferences


def prefer(
    intake: Intake, tenant: str, borrower_id: str, wanted: Preferences, now: datetime
) -> Outcome:
    """Replace the wishes of a borrower and return whether they are others than before.

    Raises:
        Rejected: code "bad_preferences" or "unknown_borrower".
        Unavailable: the stores cannot write now; it may be repeated.
    """
    checked = preferences.checked(
        wanted, channels=preferences.CHANNELS, languages=languages(intake.policies)
    )
    told = Told("", borrower_id, (PutPreferences(checked),))
    [answer] = intake.take_in(tenant, [told], now)
    if isinstance(answer, Rejected):
        raise answer
    return answer


def languages(policies: Policies) -> tuple[str, ...]:
    """Return the languages that every template can be had in, the lender's own first, the rest in order."""
    of_each = [{body[0] for body in each.bodies} for each in policies.templates.values()]
    common = set[str]().union(*of_each).intersection(*of_each)
    return (policies.default_locale, *sorted(common - {policies.default_locale}))
