"""What a borrower asks of us: by which channel first, at which hours not, in which language, how much, how often.

These are wishes within what is permitted: they make us quieter or choose among what is allowed, and never open what the
law, a refusal or the lender's treatment closes. A statutory notice keeps to language and order of channels and to
nothing else: what the law obliges a lender to say is said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.values import dataclass

# Own quiet hours last at most so long: what they leave open still has to meet the hours of the law.
MAX_QUIET: Final = timedelta(hours=14)
# The channels that a person may put in order; what goes to a lender's own systems is none of them.
CHANNELS: Final = ("email", "inbox", "push", "sms")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The wishes of one borrower; each default is no wish.

    `channels` are those wanted first, in order. Quiet hours go from `quiet_from` until before `quiet_until` by the
    clock of the borrower's zone, over midnight where the end is the earlier; both or none. `language` "" is the
    lender's choice. `one_reminder`: of each bill one courtesy reminder and no second. `digest`: what may be said on one
    day comes in one message.
    """

    channels: tuple[str, ...] = ()
    quiet_from: time | None = None
    quiet_until: time | None = None
    language: str = ""
    one_reminder: bool = False
    digest: bool = False


NONE: Final = Preferences()


def checked(
    wanted: Preferences, *, channels: Collection[str], languages: Collection[str]
) -> Preferences:
    """Return preferences that can be kept, with channels and languages among those given.

    Raises:
        Rejected: code "bad_preferences"; the field says which, the message what would be right.
    """
    if len(set(wanted.channels)) != len(wanted.channels):
        raise _wrong("channels", "name each channel once")
    if not set(wanted.channels) <= set(channels):
        raise _wrong("channels", f"a channel is one of {', '.join(sorted(channels))}")
    if wanted.language and wanted.language not in languages:
        raise _wrong("language", f"a language is one of {', '.join(sorted(languages))}")
    if (wanted.quiet_from is None) != (wanted.quiet_until is None):
        raise _wrong("quiet_from", "quiet hours have a beginning and an end, or neither")
    if wanted.quiet_from is not None and wanted.quiet_until is not None:
        if wanted.quiet_from.tzinfo or wanted.quiet_until.tzinfo:
            raise _wrong("quiet_from", "quiet hours are by the clock of the borrower's own zone")
        long = length(wanted.quiet_from, wanted.quiet_until)
        if not timedelta() < long <= MAX_QUIET:
            raise _wrong("quiet_until", "quiet hours last 1 minute to 14 hours")
    return wanted


def length(start: time, end: time) -> timedelta:
    """Return how long hours from `start` to `end` last by the clock, over midnight where the end is the earlier; zero
    where both are the same.
    """
    return (_since_midnight(end) - _since_midnight(start)) % _DAY


def ordered(channels: Sequence[str], wanted: Preferences) -> tuple[str, ...]:
    """Return the channels of a step, those wanted first in the order wanted; none is added and none is left out."""
    first = [channel for channel in wanted.channels if channel in channels]
    return (*first, *(channel for channel in channels if channel not in first))


def quiet_until(wanted: Preferences, zone: str, at: datetime) -> datetime | None:
    """Return when the quiet hours that cover `at` (UTC) are over, None where none do.

    They begin with their first instant and are over at their last. Where clocks skip an edge it lies at the jump.
    """
    if wanted.quiet_from is None or wanted.quiet_until is None:
        return None
    today = zones.local_date(at, zone)
    for on in (today - _DAY, today):
        start, end = _stretch(wanted.quiet_from, wanted.quiet_until, zone, on)
        if start <= at < end:
            return end
    return None


def _stretch(start: time, end: time, zone: str, on: date) -> tuple[datetime, datetime]:
    ends_on = on if start < end else on + _DAY
    return zones.instant(on, start, zone), zones.instant(ends_on, end, zone)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _wrong(field: str, message: str) -> Rejected:
    return Rejected("bad_preferences", field, message)
