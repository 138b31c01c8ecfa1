"""Touches: what has already been between a lender, those who collect for it, and one consumer; what caps and cool-offs
count.

That somebody was tried, that somebody answered, that the debt was spoken of and that a message was left are four facts
and none is worked out from another: laws count different ones, and one touch may count in several pools.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from betimes.core.rule import Party, Purpose, Recipient, Unit
from betimes.core.values import dataclass

# Channels whose contact is a text: once it was submitted, a message has been left.
TEXTS = frozenset({"sms", "email", "push", "inbox", "letter", "webhook"})
# Texts that nobody answers and nobody talks in. What a lender does behind its webhook is not known.
ONE_WAY = TEXTS - {"webhook"}


class Direction(StrEnum):
    """Who started it: the lender or its agency (out), or the consumer (in)."""

    OUT = "out"
    IN = "in"


# Members by a name of this module: to look one up in its class takes longer than to ask a touch about it.
_OUT: Final = Direction.OUT
_CONNECTED: Final = Unit.CONNECTED
_CONVERSATION: Final = Unit.CONVERSATION
_MESSAGE: Final = Unit.MESSAGE


@dataclass(frozen=True, slots=True)
class Touch:
    """One contact, or one try, that is on record; `at` is its instant (UTC).

    `channel` is one of call, ai_call, sms, email, push, inbox, letter, visit, webhook. `attempt`: it was tried, which a
    text is once it was submitted; `connected`: somebody answered; `conversation`: the debt was spoken of with the
    borrower; `message_left`: a voicemail, or a message with somebody. `by` is who did it, a tenant or an agency.
    `debts`, `accounts` and `products` are what it was about; empty: not known, so it counts for each. `number` stands
    for the number or address and is never the plain one; "": not known. `excluded` names reasons for which a law may
    leave it out of its count, such as "consented", "out_of_service", "attorney". `reserved`: somebody has permission
    for it and has not told the outcome; its facts are the worst that may come of it.
    """

    id: str
    at: datetime
    channel: str
    direction: Direction = Direction.OUT
    attempt: bool = True
    connected: bool = False
    conversation: bool = False
    message_left: bool = False
    party: Party = Party.FIRST
    by: str = ""
    debts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    number: str = ""
    recipient: Recipient = Recipient.BORROWER
    excluded: tuple[str, ...] = ()
    purpose: Purpose = Purpose.OVERDUE
    reserved: bool = False

    def counts(self, unit: Unit) -> bool:
        """Return whether a cap on `unit` counts it. What the consumer started counts for no cap.

        Each later fact stands for those it cannot be without: who was spoken to was connected, and was tried.
        """
        return bool(counted((self,), unit))


def counted(touches: Iterable[Touch], unit: Unit) -> list[Touch]:
    """Return those of `touches` that a cap on `unit` counts, in their order; see `Touch.counts`."""
    # Written out and in one pass each: at every contact this is asked of every touch on record.
    if unit is _CONNECTED:
        return [
            each
            for each in touches
            if each.direction is _OUT and (each.connected or each.conversation)
        ]
    if unit is _CONVERSATION:
        return [each for each in touches if each.direction is _OUT and each.conversation]
    if unit is _MESSAGE:
        return [
            each
            for each in touches
            if each.direction is _OUT
            and (each.message_left or (each.attempt and each.channel in TEXTS))
        ]
    return [
        each
        for each in touches
        if each.direction is _OUT
        and (each.attempt or each.connected or each.conversation or each.message_left)
    ]
