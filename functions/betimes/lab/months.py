"""Months of a pretend book through the flows, with the platform's own faults, audited to the last borrower.

Borrowers never meet in the platform: what happens to one depends on nobody else. So a long book is played in lots, each
from its first day to its last, audited, added to the totals and forgotten. A lot holds a fixed number of borrower-days:
the more days, the fewer borrowers at once, and memory follows neither the days nor the borrowers.

After a lot has been played, three questions are asked of it, none of them answered by the flows themselves: are the
promises kept (`core.audit`), does a replay of all facts give what is stored, and what does a day's close report.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, time, timedelta
from typing import Final

from betimes.core import intake, record, report, zones
from betimes.core.audit import Arrival, Findings, audit
from betimes.core.book import Pages
from betimes.core.contact import Contact
from betimes.core.errors import Rejected
from betimes.core.policies import Policies
from betimes.core.record import Record
from betimes.core.values import dataclass, replace
from betimes.flows.close_day import DayClosed, close_borrower
from betimes.lab import lender
from betimes.lab.lender import Outage
from betimes.lab.runner import Event
from betimes.lab.world import TENANT, Faults, World

# Borrower-days of one lot.
LOT: Final = 20_000
# What the queue between the sweep and the dispatch does wrong.
FAULTS: Final = Faults(late_in=29, twice_in=23)
_BLINK: Final = timedelta(microseconds=1)
_DIGITS: Final = 2**256


@dataclass
class Totals:
    """What months of a book came to. `digest` does not depend on the order or the lots in which it was played.

    `by_step` counts contacts accepted by step, `reasons` decisions by kind and reason, `states` and `ends` contacts by
    the state they are left in and its reason, `deliveries` what became of what the queue handed over, with what it did
    wrong ("late", "again") and the workers that died. `restated` names accounts for
    which a replay of all facts gives something else than what is stored. `closed` is the close of the last day.
    """

    closed: DayClosed
    borrowers: int = 0
    obligations: int = 0
    decisions: int = 0
    sent: int = 0
    by_step: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    restated: list[str] = field(default_factory=list)
    fold: int = 0

    @property
    def all_kept(self) -> bool:
        """Whether every promise was kept and every stored state is that of its facts."""
        return self.findings.all_kept and not self.restated

    @property
    def digest(self) -> str:
        """Hex of a sum of SHA-256 over all contacts and decisions, instants included: equal for equal months."""
        return f"{self.fold:064x}"

    def totals(self, seconds: float) -> dict[str, str | int | float]:
        """Return the one JSON object that `--json` prints."""
        kinds: Counter[str] = Counter()
        for (kind, _), count in self.reasons.items():
            kinds[kind] += count
        return {
            "borrowers": self.borrowers,
            "obligations": self.obligations,
            "decisions": self.decisions,
            "sent": self.sent,
            "suppressed": kinds["suppress"],
            "waiting": kinds["wait"],
            **self.findings.counts,
            "restated": len(self.restated),
            "seconds": round(seconds, 3),
            "digest": self.digest,
        }

    def add(self, world: World, policies: Policies) -> tuple[list[Contact], list[Record]]:
        """Add a world that has been played to its end; return its contacts and its decisions, in order."""
        memory, now = world.memory, world.clock.now()
        contacts = list(memory.all_contacts())
        records = [
            written
            for pages in memory.everyone()
            for written in memory.of_borrower(pages.tenant, pages.borrower_id)
        ]
        arrivals = [Arrival(each.letter.contact_id, each.at) for each in world.provider.accepted]
        found = audit(memory.everyone(), contacts, records, arrivals, policies, now=now)
        self.findings += found
        for pages in memory.everyone():
            self._add_borrower(pages, policies, now)
        self.deliveries.update(world.dispatched)
        self.deliveries.update(late=world.late, again=world.repeated, died=world.died)
        decided = [written for written in records if written.kind == record.DECISION]
        for decision in decided:
            self.decisions += 1
            self.reasons[str(decision.body["decision"]), str(decision.body["reason"])] += 1
        for contact in contacts:
            self.states[contact.state] += 1
            self.ends[contact.reason] += 1
            if contact.sent_at is not None:
                self.sent += 1
                self.by_step[contact.step.partition("~")[0]] += 1
        for line in (
            *(report.contact_line(contact) for contact in contacts),
            *(report.decision_line(decision) for decision in decided),
        ):
            hashed = hashlib.sha256(report.jsonl([line]).encode()).digest()
            self.fold = (self.fold + int.from_bytes(hashed)) % _DIGITS
        return contacts, decided

    def _add_borrower(self, pages: Pages, policies: Policies, now: datetime) -> None:
        self.borrowers += 1
        self.obligations += len(pages.obligations)
        close_borrower(self.closed, pages, policies, now)
        self.restated += [
            f"{pages.borrower_id}/{account_id}"
            for account_id in intake.restated(pages, policies, now)
        ]


@dataclass(frozen=True, slots=True)
class Months:
    """A long book: from `start` on for `days`, so many borrowers, decided by `seed`."""

    start: date
    days: int
    borrowers: int
    seed: int
    zone: str

    @property
    def lots(self) -> Iterator[tuple[int, int]]:
        """Yield each lot as the number of its first borrower and how many they are."""
        size = max(1, LOT // self.days)
        for first in range(1, self.borrowers + 1, size):
            yield first, min(size, self.borrowers + 1 - first)


def play(
    months: Months,
    policies: Policies,
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
    written: Callable[[Sequence[Contact], Sequence[Record]], None] = lambda *_: None,
) -> Totals:
    """Return what the months come to. `progress` hears of borrowers played, `written` gets each lot's outcome."""
    start_at = zones.instant(months.start, time(), months.zone)
    end = zones.instant(months.start + timedelta(days=months.days), time(), months.zone)
    totals = Totals(DayClosed(at=end))
    for first, count in months.lots:
        book = lender.book(
            months.start,
            months.days,
            count,
            months.seed,
            months.zone,
            first=first,
            profiles=policies.profiles,
            calendars=policies.calendars,
        )
        world = World(policies, start_at, shards=1, faults=FAULTS)
        for event in _as_it_reaches_us(book.events, book.outages):
            _happen(world, event, book.outages, totals)
        _pass(world, end, book.outages)
        totals.told += book.counts
        written(*totals.add(world, policies))
        progress(first + count - 1, months.borrowers)
    return totals


def _as_it_reaches_us(events: Iterator[Event], outages: Sequence[Outage]) -> Iterator[Event]:
    """Yield events as the platform hears of them: what is told while it is down arrives when it is back, in order."""
    for event in events:
        down = next((o for o in outages if o.starts_at <= event.at < o.ends_at and o.deaf), None)
        yield event if down is None else replace(event, at=down.ends_at)


def _happen(world: World, event: Event, outages: Sequence[Outage], totals: Totals) -> None:
    _pass(world, event.at - _BLINK, outages)
    world.clock.advance(event.at)
    for answer in world.tell([event.told], tenant=TENANT):
        if isinstance(answer, Rejected):
            totals.rejected[answer.code] += 1


def _pass(world: World, until: datetime, outages: Sequence[Outage]) -> None:
    """Let time pass; while the platform is down nothing is swept, and when it is back everything that waited is."""
    for outage in outages:
        if world.clock.now() < outage.starts_at <= until:
            world.run_until(outage.starts_at - _BLINK)
        if outage.starts_at <= until < outage.ends_at:
            world.clock.advance(until)
            return
        if world.clock.now() < outage.ends_at <= until:
            world.clock.advance(outage.ends_at)
    world.run_until(until)
