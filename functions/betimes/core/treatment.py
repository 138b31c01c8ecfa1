"""A treatment: the ordered steps of contact around a due date, read from a data file.

Its identity is the hash of its content, so a decision record names exactly the policy it rested on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from betimes.core import zones
from betimes.core.errors import Rejected


class MessageClass(StrEnum):
    """What a message is in law and in tone; decides what an unknown outcome leads to (`core.contact`)."""

    COURTESY = "courtesy"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Step:
    """One planned contact: `offset_days` from the due date at the borrower's local time `send_at`.

    `channels` are tried in order. A step may go out late by less than `catch_up`; after that it is missed.
    """

    name: str
    offset_days: int
    send_at: time
    channels: tuple[str, ...]
    template: str
    message_class: MessageClass
    catch_up: timedelta

    def instant(self, due_on: date, zone: str) -> datetime:
        """Return when this step comes due for a due date in `zone` (UTC)."""
        return zones.instant(due_on + timedelta(days=self.offset_days), self.send_at, zone)


@dataclass(frozen=True, slots=True)
class Treatment:
    """Steps in order of time. `id` is `name@hash` with the first 12 hex digits of the content's SHA-256."""

    id: str
    name: str
    steps: tuple[Step, ...]

    def step(self, name: str) -> Step:
        """Return the step called `name`.

        Raises:
            KeyError: the treatment has no such step.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


# A step further from the due date than this is a typing error, and arithmetic with it could leave the calendar.
MAX_DAYS = 3660
_STEP_KEYS = {"name", "offset_days", "send_at", "channels", "template", "class", "catch_up_hours"}


def parse(document: Mapping[str, Any], source: str) -> Treatment:
    """Return the treatment in a parsed TOML document; `source` names the file in errors.

    Raises:
        Rejected: code "bad_treatment", field = key, when a key is unknown, missing or of the wrong form, when a step
        name
            occurs twice, or when the steps are not in order of time.
    """
    unknown = set(document) - {"name", "step"}
    if unknown:
        raise _bad(source, min(unknown), "is not a key of a treatment")
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise _bad(source, "name", "is missing")
    rows = document.get("step")
    if not isinstance(rows, list) or not rows:
        raise _bad(source, "step", "holds no step")
    steps = tuple(_step(row, f"{source} step {n}") for n, row in enumerate(rows, start=1))
    for before, after in pairwise(steps):
        if (before.offset_days, before.send_at) >= (after.offset_days, after.send_at):
            raise _bad(source, "step", f"{after.name} does not come after {before.name}")
    if len({step.name for step in steps}) != len(steps):
        raise _bad(source, "name", "two steps have the same name")
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str).encode()
    return Treatment(f"{name}@{hashlib.sha256(canonical).hexdigest()[:12]}", name, steps)


def _step(row: Mapping[str, Any], place: str) -> Step:
    if not isinstance(row, Mapping):
        raise _bad(place, "step", "is not a table")
    for key in sorted(set(row) ^ _STEP_KEYS):
        raise _bad(place, key, "is unknown" if key in row else "is missing")
    try:
        send_at = time.fromisoformat(row["send_at"])
        message_class = MessageClass(row["class"])
    except (TypeError, ValueError) as error:
        raise _bad(place, "step", str(error)) from None
    if send_at.tzinfo is not None:
        raise _bad(place, "send_at", "is the borrower's local time and carries no zone")
    return Step(
        name=_word(row, "name", place),
        offset_days=_whole(row, "offset_days", place, range(-MAX_DAYS, MAX_DAYS + 1)),
        send_at=send_at,
        channels=_channels(row, place),
        template=_word(row, "template", place),
        message_class=message_class,
        catch_up=timedelta(hours=_whole(row, "catch_up_hours", place, range(1, MAX_DAYS * 24))),
    )


def _word(row: Mapping[str, Any], key: str, place: str) -> str:
    word = row[key]
    if not isinstance(word, str) or not word:
        raise _bad(place, key, "is no text")
    return word


def _whole(row: Mapping[str, Any], key: str, place: str, allowed: range) -> int:
    number = row[key]
    if type(number) is not int or number not in allowed:
        raise _bad(place, key, f"is no whole number from {allowed[0]} to {allowed[-1]}")
    return number


def _channels(row: Mapping[str, Any], place: str) -> tuple[str, ...]:
    channels = row["channels"]
    if not isinstance(channels, list) or not channels:
        raise _bad(place, "channels", "is no list of channels")
    if not all(isinstance(channel, str) for channel in channels):
        raise _bad(place, "channels", "holds something that is no text")
    if len(set(channels)) != len(channels):
        raise _bad(place, "channels", "names a channel twice")
    return tuple(channels)


def _bad(place: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_treatment", key, f"{place}: {key!r} {problem}")
