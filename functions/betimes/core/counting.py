"""Counting days as laws count them: which day is day 1, whether the last day is still inside, and which text of a rule
was in force on a day.

All dates are civil dates in the zone that the rule names (most often the borrower's). Nothing here knows hours: when on
a day contact is allowed is the business of `core.rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from betimes.core.values import dataclass

_DAY = timedelta(days=1)


def last_of(first: date, days: int) -> date:
    """Return the last of `days` days that begin with `first`: day 1 is `first` itself, so one day ends on it.

    The latest day of a notice to be given "within 14 days beginning with" the trigger, and the last day on which a
    conversation on `first` forbids the next call.

    Source: Consumer Credit Act 1974 s 86B (UK); 12 CFR 1006.14(b)(2)(i)(B): the date of the conversation is day 1.
    """
    assert days >= 1, "a period has a first day"
    return first + (days - 1) * _DAY


def first_after(first: date, days: int) -> date:
    """Return the day after `days` days that begin with `first`: the first on which contact is allowed again.

    A conversation on Monday 1 June and a cool-off of 7 days: Monday 8 June.

    Source: 12 CFR 1006.14(b)(2)(i)(B): no call within 7 consecutive days, the day of the conversation being the first.
    """
    return last_of(first, days) + _DAY


def earliest_due(mailed: date, days: int) -> date:
    """Return the first date that lies at least `days` full days after `mailed`; the day of mailing does not count.

    A card statement mailed on 1 March with 21 days: a payment is not late before 22 March.

    Source: 15 USC 1666b(a) (TILA 163): mailed or delivered at least 21 days before the due date.
    """
    assert days >= 0, "a statement is not mailed after its due date"
    return mailed + days * _DAY


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` of what is counted in any `days` consecutive civil days, the first and the last inside.

    What is counted (attempts, conversations), and for which debt, person or number, is up to whoever passes the days.
    """

    most: int
    days: int

    def __post_init__(self) -> None:
        """Refuse a cap that counts nothing."""
        assert self.most >= 1 and self.days >= 1, "a cap allows something in some days"

    def allows(self, counted: Iterable[date], on: date) -> bool:
        """Return whether one more on the day `on` leaves every run of `days` days that contains `on` within the cap.

        `counted` holds the day of each one so far, in any order, a day as often as it counts. Days after `on` count
        too, because a call of an agency may be reported late; days further away than `days` - 1 are of no account.

        Source: 12 CFR 1006.14(b)(2)(i)(A): more than seven times within seven consecutive days.
        """
        by_day = Counter(counted)
        return all(
            sum(by_day[start + n * _DAY] for n in range(self.days)) < self.most
            for start in (on - n * _DAY for n in range(self.days))
        )

    def next_allowed(self, counted: Iterable[date], on: date) -> date:
        """Return the first day, not before `on`, on which one more is allowed; see `allows`."""
        days = list(counted)
        # From `days` days after the last one counted on, nothing is in the way.
        while not self.allows(days, on):
            on += _DAY
        return on


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value in force from the day `effective_from` until before `effective_to`; None there: until further notice.

    `citation` is the text that says so.
    """

    value: T
    citation: str
    effective_from: date
    effective_to: date | None = None

    def __post_init__(self) -> None:
        """Refuse a period without a day."""
        assert self.effective_to is None or self.effective_from < self.effective_to, self.citation

    def is_in_force(self, on: date) -> bool:
        """Return whether the value applies on the day `on`: on the first day yes, on `effective_to` no more."""
        return self.effective_from <= on and (self.effective_to is None or on < self.effective_to)


def in_force(values: Sequence[Dated[T]], send_on: date, otherwise: T) -> T:
    """Return the value in force on the day of sending, `otherwise` when there is none; `otherwise` is the quieter one.

    `send_on` is the planned day of sending, whatever day the decision is made on: what is planned on 29 January for
    1 February follows the text of 1 February, and dispatch asks again on the day itself.

    Raises:
        AssertionError: two values are in force on that day; the periods of a rule do not overlap.
    """
    found = [each for each in values if each.is_in_force(send_on)]
    assert len(found) <= 1, f"two texts in force on {send_on}: {[each.citation for each in found]}"
    return found[0].value if found else otherwise


class Scope(StrEnum):
    """How far a revocation of consent reaches: the matter it was said about, or all between that caller and person."""

    TOPIC = "topic"
    PERSON = "person"


# US.TCPA.REVOKEALL. Read in secondary sources.
REVOCATION_SCOPE = (
    Dated(
        Scope.TOPIC,
        "47 CFR 64.1200(a)(10), in force since 2025-04-11; its reach to unrelated matters was put off",
        effective_from=date(2025, 4, 11),
        effective_to=date(2027, 1, 31),
    ),
    Dated(
        Scope.PERSON,
        "47 CFR 64.1200(a)(10), reaching unrelated matters of the same caller",
        effective_from=date(2027, 1, 31),
    ),
)


def revocation_scope(send_on: date) -> Scope:
    """Return how far a revocation reaches for a message that is to go out on `send_on`; the whole person when in doubt.

    Source: 47 CFR 64.1200(a)(10) (US.TCPA.REVOKE, US.TCPA.REVOKEALL).
    """
    return in_force(REVOCATION_SCOPE, send_on, otherwise=Scope.PERSON)


# CN.CREDIT.REPAIR: overdue amounts up to 10,000 yuan of 2020 to 2025 are cleared when repaid by 2026-03-31, the day
# included.
CREDIT_REPAIR = (
    Dated(
        value=True,
        citation="People's Bank of China, notice of 2025-12-22 on one-off credit repair",
        effective_from=date(2025, 12, 22),
        effective_to=date(2026, 4, 1),
    ),
)


def credit_repair_may_be_named(send_on: date) -> bool:
    """Return whether a message that is to go out on `send_on` may say that repaying in time clears a small overdue.

    The last day is 2026-03-31; afterwards the sentence would be untrue.

    Source: People's Bank of China, notice of 2025-12-22 (CN.CREDIT.REPAIR).
    """
    return in_force(CREDIT_REPAIR, send_on, otherwise=False)
