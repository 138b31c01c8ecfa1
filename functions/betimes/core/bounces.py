"""What a message that came back says about the address, and what an answer of "no" does.

Theory
------
That a message was not delivered and that its address is bad are two facts. A full mailbox is full for a week; a mail
that was too large says nothing about the mailbox at all. So where a contact stands is decided by the kind of event
(`core.contact`), and what becomes of the address by its class:

- HARD: the address does not take messages: not used until it changes or is confirmed anew.
- SOFT_COUNT: for now it does not: counted, and after several within a while it rests (`rests_until`).
- SOFT_IGNORE: the message was at fault: nothing happens to the address, and whoever wrote the template is told.

The class is computed from the detail of an event, which holds codes of the provider only. The codes stay on record and
the judgement may change.

Source: RFC 3463 for enhanced status codes; Amazon SES developer guide, "Bounce object"; AWS End User Messaging SMS user
guide, "Event types for SMS, MMS, and voice".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from betimes.core.values import dataclass

# Details of events and codes of refusals that all adapters write alike, whatever their providers call them.
OPTED_OUT: Final = "opted_out"
ENDPOINT_DISABLED: Final = "endpoint_disabled"
BAD_ADDRESS: Final = "bad_address"
DAILY_QUOTA: Final = "daily_quota"
SPEND_LIMIT: Final = "spend_limit"


class BounceClass(StrEnum):
    """What an undelivered message says about its address; see the theory above."""

    HARD = "hard"
    SOFT_COUNT = "soft_count"
    SOFT_IGNORE = "soft_ignore"


# RFC 3463: class, subject and detail of an enhanced status code; nothing else of the same shape around it.
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# Subtypes by which SES says that the message was at fault.
_MESSAGE_AT_FAULT: Final = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
# RFC 3463: 2.3 "message length exceeds administrative limit", 3.4 "message too big for system"; subject 6 is the
# content of the message, subject 7 the policy of the receiver about it or its sender.
_STATUS_AT_FAULT: Final = frozenset({("2", "3"), ("3", "4")})
_SUBJECTS_AT_FAULT: Final = frozenset({"6", "7"})
# RFC 3463: "unable to route". SES calls it transient, but the domain does not take mail.
_UNROUTABLE: Final = "5.4.4"

# Where SES or a carrier has judged already. Spam is a judgement of the text, a protect configuration our own setting.
_TEXTS: Final = {
    "TEXT_INVALID": BounceClass.HARD,
    "TEXT_BLOCKED": BounceClass.HARD,
    "TEXT_CARRIER_BLOCKED": BounceClass.HARD,
    "TEXT_SPAM": BounceClass.SOFT_IGNORE,
    "TEXT_PROTECT_BLOCKED": BounceClass.SOFT_IGNORE,
    "TEXT_UNREACHABLE": BounceClass.SOFT_COUNT,
    "TEXT_CARRIER_UNREACHABLE": BounceClass.SOFT_COUNT,
    # We ended it ourselves, by its time to live: the phone may just have been off.
    "TEXT_TTL_EXPIRED": BounceClass.SOFT_COUNT,
}


def status_of(said: str) -> str:
    """Return the enhanced status code (RFC 3463) of a failure in what a mail server said, "" if there is none.

    The first one that says more than "other or undefined" (`5.0.0`), else the first. What a server says may hold an
    address, its code never does.
    """
    found = [each[0] for each in _STATUS.finditer(said) if each[1] != "2"]
    telling = [code for code in found if not code.endswith(".0.0")]
    return (telling or found or [""])[0]


def detail_of(kind: str, subtype: str, status: str = "") -> str:
    """Return the detail of an e-mail's bounce: `Transient/MailboxFull/4.2.2`, without the last part where no server
    gave a status.
    """
    return "/".join((kind, subtype, *([status] if status else ())))


def bounce_class(detail: str) -> BounceClass:
    """Return what the detail of a bounce, hard or soft, says about the address. Never raises.

    `detail` is what `detail_of` makes for an e-mail, the type of the event for an SMS. A code that is not known counts
    as SOFT_COUNT: an address is given up for what somebody has read and judged only.
    """
    known = _TEXTS.get(detail)
    if known is not None:
        return known
    kind, _, rest = detail.partition("/")
    subtype, _, status = rest.partition("/")
    # "Complaint": SES sent nothing, because the person had complained before.
    if kind in ("Permanent", "Complaint"):
        return BounceClass.HARD
    if kind == "Transient" and status == _UNROUTABLE:
        return BounceClass.HARD
    if subtype in _MESSAGE_AT_FAULT or _is_about_the_message(status):
        return BounceClass.SOFT_IGNORE
    return BounceClass.SOFT_COUNT


def _is_about_the_message(status: str) -> bool:
    found = _STATUS.fullmatch(status)
    if found is None:
        return False
    return found[2] in _SUBJECTS_AT_FAULT or (found[2], found[3]) in _STATUS_AT_FAULT


def ends_address(code: str) -> bool:
    """Return whether a final refusal with this code (`ports.Refused.code`) says of the address what a hard bounce does.

    No event will ever come for a refusal, so whoever records it has to block the contact point as well.
    """
    return code in (BAD_ADDRESS, ENDPOINT_DISABLED)


def is_opt_out(code: str) -> bool:
    """Return whether the code of a refusal, or the detail of an event, says that the person opted out of the channel.

    It is a refusal by the person and not a fault of the address: it belongs among what they said (`core.said`).
    """
    return code == OPTED_OUT


@dataclass(frozen=True, slots=True)
class Resting:
    """How many soft bounces an address may have within `window` before it rests for `rest`.

    Raises:
        AssertionError: `limit` is not 1 to 20, or a span is not positive.
    """

    limit: int = 5
    window: timedelta = timedelta(days=14)
    rest: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        assert 1 <= self.limit <= 20, "an address rests after 1 to 20 soft bounces"
        assert self.window > timedelta() and self.rest > timedelta(), "spans are positive"


def rests_until(
    bounced_at: Sequence[datetime], delivered_at: datetime | None, rule: Resting
) -> datetime | None:
    """Return until when (UTC) an address rests for its soft bounces, None if it has no reason to.

    `bounced_at` are the instants of its bounces of class SOFT_COUNT, in any order; those up to the last delivery no
    longer count. The window is closed at its end and open at its start. After the rest one message may go: a further
    bounce within the window is a new reason to rest, a delivery clears them all. The answer may lie in the past.
    """
    counted = sorted(at for at in bounced_at if delivered_at is None or at > delivered_at)
    until = None
    for place in range(rule.limit - 1, len(counted)):
        if counted[place] - counted[place - rule.limit + 1] < rule.window:
            until = counted[place] + rule.rest
    return until
