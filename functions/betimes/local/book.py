"""The book a command works on: a tape given by the user, or the demo book; cut and completed the same way for all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.lab import demo
from betimes.local.tape import Prepared, prepare

DEFAULT_ZONE = "Asia/Shanghai"
SEND_HOUR = "10:00"
FUTURE_DAYS = 500
# What was due longer ago is past the last step of the default treatment: a lender going live leaves it out.
PAST_DAYS = 35


@dataclass(frozen=True, slots=True)
class OpenBook:
    """A prepared tape in a directory that lasts as long as the `with` block."""

    folder: Path
    prepared: Prepared
    is_demo: bool


@contextmanager
def opened(
    tape: Path | None,
    *,
    zone: str,
    as_of: datetime | None,
    limit: int | None = None,
    demo_at: datetime,
) -> Iterator[OpenBook]:
    """Open the tape in the directory `tape`, or the demo book as of `demo_at` where there is none.

    With `as_of` only what was known then; with `limit` only the first so many obligations. The demo book has its
    rehearsal in it where it is a moment's: played through months, it is one of people who pay as people pay.

    Raises:
        Rejected: the tape lacks a file or a column, is truncated, or its zone is unknown.
    """
    with tempfile.TemporaryDirectory(prefix="betimes-tape-") as scratch:
        source = tape
        if source is None:
            source = Path(scratch) / "demo"
            # Without `as_of` the whole history is played, and payments go on behind the day it was made for.
            if as_of is None:
                until, since = demo_at + timedelta(days=FUTURE_DAYS), None
            else:
                until, since = as_of, zones.local_date(as_of, zone) - timedelta(days=PAST_DAYS)
            demo.write_demo(
                source,
                as_of=demo_at,
                zone=zone,
                until=until,
                since=since,
                rehearsal=as_of is not None,
            )
        folder = Path(scratch) / "tape"
        prepared = prepare(source, folder, zone=zone, as_of=as_of, limit=limit)
        yield OpenBook(folder, prepared, is_demo=tape is None)


def instant(text: str, zone: str) -> datetime:
    """Return the instant `text` means: `2017-03-15T10:00+08:00`, local in `zone` without an offset, 10:00 for a date
    alone.

    Raises:
        Rejected: code "bad_instant".
    """
    try:
        if len(text) == 10:
            text += f"T{SEND_HOUR}"
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(
            "bad_instant", "", f"{text!r} is not an instant such as 2017-03-15T10:00+08:00"
        ) from None
    if at.tzinfo is None:
        return zones.instant(at.date(), at.time(), zone)
    return at.astimezone(UTC)
