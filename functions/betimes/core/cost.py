"""What it costs to pay late or to pay only the minimum: a figure a borrower can decide by, never less than the truth.

A figure is the interest of thirty days on all that stays unpaid, also on what the product charges none for: so it is
"at most". It is given where the product states late terms, and nowhere else.
"""

from __future__ import annotations

import decimal
from datetime import datetime
from decimal import Decimal
from typing import Final

from betimes.core import late
from betimes.core.book import Snapshot, contract_rate
from betimes.core.money import Money
from betimes.core.product import Family, Rounding

DAYS: Final = 30
_EXACT: Final = decimal.Context(prec=60)


def of_delay(snapshot: Snapshot, now: datetime) -> Money | None:
    """Return the most that thirty days without any payment cost in late interest, None where the product charges none
    or does not say; fees of the contract are not in it.
    """
    return _interest(snapshot, snapshot.owed(now).minor)


def of_minimum(snapshot: Snapshot, now: datetime) -> Money | None:
    """Return the most that thirty days cost in interest where only what is missing of the minimum is paid; None where
    the debt is no bill of a revolving line, the minimum is all there is, or the product does not say.
    """
    obligation = snapshot.obligation
    missing = max(0, obligation.minimum_minor - obligation.received_minor)
    rest = snapshot.owed(now).minor - missing
    if snapshot.profile.family is not Family.REVOLVING or not obligation.minimum_minor or rest <= 0:
        return None
    return _interest(snapshot, rest)


def _interest(snapshot: Snapshot, unpaid_minor: int) -> Money | None:
    profile = snapshot.profile
    rate = late.daily_rate(profile, contract_rate(snapshot.account, profile))
    if not rate or unpaid_minor <= 0:
        return None
    if profile.late.compound:
        grown = _EXACT.power(_EXACT.add(Decimal(1), rate), DAYS)
        interest = _EXACT.multiply(Decimal(unpaid_minor), _EXACT.subtract(grown, Decimal(1)))
    else:
        interest = late.accrue(unpaid_minor, rate, DAYS)
    minor = late.rounded(interest, Rounding.UP)
    return Money(minor, snapshot.obligation.amount.currency) if minor else None
