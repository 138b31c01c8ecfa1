"""A decision about one step of one obligation: send it, wait, or do not send it; always with a reason and the facts
seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from betimes.core.reason import Reason
from betimes.core.values import dataclass

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Send:
    """Contact the borrower now, through `channel` (position `slot` in the step's list), before `not_after` (UTC).

    `deadline` is until when the step may go at all: where the hours of contact close before it, they open again.
    """

    step: str
    reason: Reason
    facts: Facts
    channel: str
    slot: int
    not_after: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until` (UTC): the step may go then."""

    step: str
    reason: Reason
    facts: Facts
    until: datetime


@dataclass(frozen=True, slots=True)
class Suppress:
    """This step is not sent, for good."""

    step: str
    reason: Reason
    facts: Facts


Decision = Send | Wait | Suppress
