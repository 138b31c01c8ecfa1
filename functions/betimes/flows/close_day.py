"""Close of day: ages what is open and asks whether every step that came due has its decision.

The walk goes along the agenda's shards, but what it checks is read from the borrowers' pages and computed anew from
treatment, calendar and zone; nothing of the sweep's own bookkeeping is believed but the list of decided steps.

Not seen: a borrower none of whose obligations is on the agenda. A single open obligation that lost its look is found
by no walk along the agenda, and a settled one is checked only where the walk meets its borrower. Finding those takes a
walk over the whole table, which is for an export of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from betimes.core import zones
from betimes.core.ageing import age
from betimes.core.agenda import plan
from betimes.core.book import Pages, Snapshot
from betimes.core.policies import Policies
from betimes.ports import Book

PAGE = 200
# A step may be this long past its deadline before its missing decision is an alarm: the sweep has its own pace.
TOLERANCE = timedelta(hours=1)
FAR_AHEAD = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass
class DayClosed:
    """The report of one close of day. Amounts are minor units by currency and bucket.

    `undecided` names steps without a decision that are past their deadline, or that came due before the money did;
    `stranded` open obligations that are not on the agenda.
    """

    at: datetime
    obligations: int = 0
    buckets: Counter[str] = field(default_factory=Counter)
    outstanding_minor: Counter[str] = field(default_factory=Counter)
    undecided: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)


def close_day(book: Book, policies: Policies, *, shards: int, now: datetime) -> DayClosed:
    """Return the report at `now` over every borrower with an obligation on the agenda.

    Raises:
        Unavailable: the book is out of reach; run it again, it only reads.
    """
    closed = DayClosed(at=now)
    for pages in _borrowers(book, shards):
        close_borrower(closed, pages, policies, now)
    return closed


def close_borrower(closed: DayClosed, pages: Pages, policies: Policies, now: datetime) -> None:
    """Add one borrower's open obligations to the report, and the steps of any that have no decision."""
    for obligation in pages.obligations.values():
        snapshot = pages.snapshot(obligation.id)
        closed.undecided += _undecided(snapshot, policies, now)
        if not obligation.is_open:
            continue
        _, bucket = age(obligation, zones.local_date(now, snapshot.borrower.zone))
        closed.obligations += 1
        closed.buckets[bucket] += 1
        key = f"{obligation.amount.currency} {bucket}"
        closed.outstanding_minor[key] += obligation.outstanding.minor
        if obligation.watch.look_at is None:
            closed.stranded.append(obligation.id)


def _undecided(snapshot: Snapshot, policies: Policies, now: datetime) -> list[str]:
    obligation, settled_at = snapshot.obligation, snapshot.obligation.settled_at
    return [
        f"{obligation.id}:{planned.step.name}"
        for planned in plan(snapshot, policies.treatment)
        if planned.step.name not in obligation.watch.decided
        # A step that came due only once the money was there falls away.
        and (settled_at is None or max(planned.at, obligation.stored_at) < settled_at)
        and now >= (settled_at or planned.deadline) + TOLERANCE
    ]


def _borrowers(book: Book, shards: int) -> Iterable[Pages]:
    """Yield the pages of each borrower with anything on the agenda, once."""
    seen: set[tuple[str, str]] = set()
    for shard in range(shards):
        after = ""
        while True:
            page = book.due(shard, FAR_AHEAD, limit=PAGE, after=after)
            for due in page.looks:
                key = (due.tenant, due.borrower_id)
                if key not in seen:
                    seen.add(key)
                    yield book.pages(*key)
            after = page.after
            if not after:
                break
