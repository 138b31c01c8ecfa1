"""Rules of contact: in this release the daily window in which a jurisdiction allows contact.

A window is a half-open interval [opens, closes) of the borrower's local time. A jurisdiction without a pack of its own
gets the house window, which is narrower than any pack shipped: what is unknown makes us quieter, never louder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from betimes.core import zones
from betimes.core.errors import Rejected

HOUSE = "HOUSE"
STATUSES = ("verified", "secondary", "unverified", "draft")


@dataclass(frozen=True, slots=True)
class Window:
    """When contact is allowed, with the citation it rests on and how well that citation is known."""

    id: str
    jurisdiction: str
    opens: time
    closes: time
    status: str
    citation: str

    def allows(self, at: datetime, zone: str) -> bool:
        """Return whether contact is allowed at the instant `at`; true at `opens`, false at `closes`."""
        return self.opens <= zones.local_time(at, zone) < self.closes

    def next_opening(self, at: datetime, zone: str) -> datetime:
        """Return the first allowed instant that is not before `at` (UTC)."""
        if self.allows(at, zone):
            return at
        today = zones.local_date(at, zone)
        for day in range(3):
            opening = zones.instant(today + timedelta(days=day), self.opens, zone)
            if opening >= at:
                return opening
        raise AssertionError("a daily window opens within two days")

    def closing(self, at: datetime, zone: str) -> datetime:
        """Return the instant at which the window that allows `at` closes (UTC)."""
        assert self.allows(at, zone), "asked for the closing of a window that is not open"
        today = zones.local_date(at, zone)
        closing = zones.instant(today, self.closes, zone)
        if closing <= at:
            # Clocks were set back across the closing: the window is open a second time.
            closing = zones.instant(today, self.closes, zone, second=True)
        assert closing > at
        return closing


@dataclass(frozen=True, slots=True)
class Rules:
    """The windows of all loaded packs by jurisdiction; always holds the house window."""

    windows: Mapping[str, Window]

    def window(self, jurisdiction: str) -> Window:
        """Return the window for `jurisdiction`, the house window where it has no pack."""
        return self.windows.get(jurisdiction) or self.windows[HOUSE]


_KEYS = {"id", "jurisdiction", "opens", "closes", "status", "citation"}


def parse_window(document: Mapping[str, Any], source: str) -> Window:
    """Return the window rule in a parsed TOML document; `source` names the file in errors.

    Raises:
        Rejected: code "bad_rule", when a key is unknown, missing or of the wrong form, when the window is empty, or
        when
            there is no citation.
    """
    for key in sorted(set(document) ^ _KEYS):
        raise _bad(source, key, "is unknown" if key in document else "is missing")
    try:
        opens, closes = (time.fromisoformat(document[key]) for key in ("opens", "closes"))
    except (TypeError, ValueError) as error:
        raise _bad(source, "opens", str(error)) from None
    if opens.tzinfo is not None or closes.tzinfo is not None:
        raise _bad(source, "opens", "is the borrower's local time and carries no zone")
    if opens >= closes:
        raise _bad(source, "closes", "lies before the window opens")
    if document["status"] not in STATUSES:
        raise _bad(source, "status", f"is none of {', '.join(STATUSES)}")
    for key in ("id", "jurisdiction", "citation"):
        if not isinstance(document[key], str) or not document[key]:
            raise _bad(source, key, "is no text")
    return Window(
        id=document["id"],
        jurisdiction=document["jurisdiction"],
        opens=opens,
        closes=closes,
        status=document["status"],
        citation=document["citation"],
    )


def _bad(source: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_rule", key, f"{source}: {key!r} {problem}")
