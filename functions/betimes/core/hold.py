"""Holds: typed, scoped, dated stops of contact.

A hold is never merged with another one: each stands for itself, and contact is stopped as long as any of them covers
the instant. So holds may overlap in every way, enclose each other, begin in the past or be lifted before they begin,
and none of it needs a rule.

What a hold stops and what lifts it follow from its kind (`KINDS`). "All but statutory" leaves what the law obliges a
lender to send; nothing stops that but the law itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum

from betimes.core.reason import Reason
from betimes.core.treatment import MessageClass
from betimes.core.values import dataclass


class Kind(StrEnum):
    """Why contact is stopped."""

    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    PROMISE = "promise"
    COMPLAINT = "complaint"
    BEREAVEMENT = "bereavement"
    MORATORIUM = "moratorium"
    DECEASED = "deceased"
    BANKRUPTCY = "bankruptcy"
    MILITARY = "military"
    ATTORNEY = "attorney"
    MASS = "mass"
    OPT_OUT = "opt_out"
    PAID_CLAIM = "paid_claim"


_COURTESY = frozenset({MessageClass.COURTESY})
_COLLECTION = frozenset({MessageClass.OVERDUE})
_ALL_BUT_STATUTORY = frozenset({MessageClass.COURTESY, MessageClass.OVERDUE})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of hold stops, the reason it gives, and what lifts it, in words."""

    stops: frozenset[MessageClass]
    reason: Reason
    lifted_by: str


KINDS: Mapping[Kind, Meaning] = {
    Kind.DISPUTE: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_DISPUTE, "its end, or the answer to the dispute"
    ),
    Kind.HARDSHIP: Meaning(_COLLECTION, Reason.HOLD_HARDSHIP, "its end, or a new arrangement"),
    Kind.PROMISE: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_PROMISE, "the end of the promised day, kept or broken"
    ),
    Kind.COMPLAINT: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_COMPLAINT, "its end, or the answer to the complaint"
    ),
    Kind.BEREAVEMENT: Meaning(_ALL_BUT_STATUTORY, Reason.HOLD_BEREAVEMENT, "its end"),
    Kind.MORATORIUM: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_MORATORIUM, "the end that the law or the order names"
    ),
    Kind.DECEASED: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_DECEASED, "a person, where the report was wrong"
    ),
    Kind.BANKRUPTCY: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_BANKRUPTCY, "a person, when the case is over"
    ),
    Kind.MILITARY: Meaning(_COLLECTION, Reason.HOLD_MILITARY, "the end of the service"),
    Kind.ATTORNEY: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_ATTORNEY, "a person, when the representation ends"
    ),
    Kind.MASS: Meaning(
        _ALL_BUT_STATUTORY,
        Reason.HOLD_MASS,
        "its end, which a ramp sets apart from person to person",
    ),
    Kind.OPT_OUT: Meaning(_COURTESY, Reason.HOLD_OPT_OUT, "the borrower, by opting in again"),
    # The person's word that it is paid: nothing is booked on it, and the money, when it comes, ends the matter.
    Kind.PAID_CLAIM: Meaning(
        _ALL_BUT_STATUTORY, Reason.HOLD_PAID_CLAIM, "its end, where no money was told until then"
    ),
}


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold of one borrower, on the half-open interval from `starts_at` to its end (UTC).

    The scope is what is named: an account, an obligation, a channel; with nothing named, the borrower. `ends_at` None
    means until it is lifted. A promise names the amount (minor units) and the day; `paid_before_minor` is what the
    obligations concerned had received when it was made. `told_at` is when the platform heard of it, which may be after
    `starts_at`. `owner` names who set it, as an id. `revision` counts how often it was told with another content.
    `reopened_from` is the lift that was taken back when the hold was opened again, None if it never was.
    """

    id: str
    kind: Kind
    starts_at: datetime
    told_at: datetime
    ends_at: datetime | None = None
    lifted_at: datetime | None = None
    account_id: str = ""
    obligation_id: str = ""
    channel: str = ""
    promise_minor: int = 0
    promise_on: date | None = None
    paid_before_minor: int = 0
    owner: str = ""
    revision: int = 1
    reopened_from: datetime | None = None

    @property
    def over_at(self) -> datetime | None:
        """The first instant at which it stops nothing any more; None while nobody knows."""
        ends = [at for at in (self.ends_at, self.lifted_at) if at is not None]
        return min(ends, default=None)

    @property
    def meaning(self) -> Meaning:
        """What its kind stops and what lifts it."""
        return KINDS[self.kind]

    def covers(self, at: datetime) -> bool:
        """Return whether it is in force at `at`: from its start on, no more at its end."""
        over_at = self.over_at
        return self.starts_at <= at and (over_at is None or at < over_at)

    def concerns(self, account_id: str, obligation_id: str) -> bool:
        """Return whether an obligation of an account is in its scope, on whatever channel."""
        return self.account_id in ("", account_id) and self.obligation_id in ("", obligation_id)

    def stops(self, message_class: MessageClass) -> bool:
        """Return whether its kind stops messages of this class."""
        return message_class in self.meaning.stops

    def is_kept(self, paid_minor: int) -> bool:
        """Return whether a promise is kept, given what the obligations concerned have received in all."""
        return paid_minor - self.paid_before_minor >= self.promise_minor


def stopping(
    holds: Iterable[Hold], message_class: MessageClass, at: datetime, *, channel: str = ""
) -> Hold | None:
    """Return the hold that stops messages of a class at `at` for longest, None where none does.

    With `channel` only the holds on that channel count, without it only those on every channel. A hold of unknown end
    outlasts all others; among equals the one with the lowest id is named, so the answer has one form.
    """
    active = [
        hold
        for hold in holds
        if hold.channel == channel and hold.covers(at) and hold.stops(message_class)
    ]
    if not active:
        return None
    open_ended = [hold for hold in active if hold.over_at is None]
    if open_ended:
        return min(open_ended, key=lambda hold: hold.id)
    last = max(hold.over_at for hold in active if hold.over_at is not None)
    return min((hold for hold in active if hold.over_at == last), key=lambda hold: hold.id)


def intervals(
    holds: Iterable[Hold], kinds: Iterable[str], *, until: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Return when any hold of these kinds was in force before `until`: disjoint intervals in order of time."""
    wanted = set(kinds)
    spans = sorted(
        (hold.starts_at, min(hold.over_at or until, until))
        for hold in holds
        if hold.kind in wanted and hold.starts_at < min(hold.over_at or until, until)
    )
    joined: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)
