"""`betimes lab --days N`: months of a pretend book, with every trouble the platform knows, and what came of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Self, TextIO

from betimes.adapters.packs import drafts, policies
from betimes.config import Settings
from betimes.core import report as reports
from betimes.core import zones
from betimes.core.contact import Contact
from betimes.core.flight import FlightState, Means
from betimes.core.policies import Policies
from betimes.core.record import Record
from betimes.lab import lender
from betimes.lab.lender import Outage
from betimes.lab.months import Months, Totals, play
from betimes.local import summary
from betimes.local.console import Progress, table
from betimes.local.summary import Spoken

# Reasons named in the table; the rest is one line.
REASONS_NAMED = 40
AGAIN = "told again"
FLIGHTS = frozenset(f"{means} {state}" for means in Means for state in FlightState)


def months(
    *,
    start: date,
    days: int,
    borrowers: int,
    seed: int,
    zone: str,
    out: Path | None,
    as_json: bool,
    licence: str = "",
) -> int:
    """Play the months and print what came of them; return the exit code: 0 if every promise was kept.

    Raises:
        Rejected: nothing can be written to `out`, or the zone or the licence is unknown.
    """
    summary.make_out(out)
    settings = Settings()
    wanted = Months(start, days, borrowers, seed, zone)
    # Nobody is contacted in a game, so a licence may be tried before anything is proved with it.
    known = drafts if licence else policies
    policy = known(settings.treatment, settings.lender, licence)
    spoken = Spoken()
    progress = Progress()
    began = perf_counter()
    with _Files(out) as files:

        def played(contacts: Sequence[Contact], decisions: Sequence[Record]) -> None:
            spoken.add(contacts, decisions)
            files.write(contacts, decisions)

        totals = play(
            wanted,
            policy,
            progress=lambda done, of: progress.count("playing", done, of),
            written=played,
        )
    progress.clear()
    seconds = perf_counter() - began
    if as_json:
        print(json.dumps(totals.totals(seconds)))
    else:
        _print(totals, wanted, spoken, policy, seconds, out)
    return 0 if totals.all_kept else 1


class _Files:
    """contacts.jsonl and decisions.jsonl in a directory, written lot by lot; nothing without a directory."""

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self._open: list[TextIO] = []

    def __enter__(self) -> Self:
        if self._out is not None:
            for name in ("contacts.jsonl", "decisions.jsonl"):
                self._open.append((self._out / name).open("w", encoding="utf-8"))
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open:
            file.close()

    def write(self, contacts: Sequence[Contact], decisions: Sequence[Record]) -> None:
        """Append one lot."""
        if self._open:
            to_contacts, to_decisions = self._open
            to_contacts.write(reports.jsonl(map(reports.contact_line, contacts)))
            to_decisions.write(reports.jsonl(map(reports.decision_line, decisions)))


def _print(
    totals: Totals,
    wanted: Months,
    spoken: Spoken,
    policy: Policies,
    seconds: float,
    out: Path | None,
) -> None:
    print(
        f"{totals.borrowers:,} of {wanted.borrowers:,} borrowers had entered, {totals.obligations:,} obligations, "
        f"{wanted.days} days from {wanted.start} ({wanted.zone}), seed {wanted.seed}"
    )
    for outage in _outages(wanted, policy):
        print(_outage(outage, wanted.zone))
    commands, happened = _told(totals.told)
    print()
    print(table(["commands told", "times"], commands))
    if happened:
        print()
        print(table(["what happened (counts overlap)", "times"], happened))
    if totals.rejected:
        print()
        print(table(["rejected", "times"], _counted(totals.rejected)))
    print()
    print(spoken.table(policy, reasons=False))
    print()
    states = Counter({str(state).lower(): count for state, count in totals.states.items()})
    print(
        table(
            ["contacts by state", "contacts"],
            [*_counted(states), ["all (send due)", f"{states.total():,}"]],
        )
    )
    queue = totals.deliveries
    print()
    print(
        f"faults played: the queue handed over {queue['late']:,} late and {queue['again']:,} twice; "
        f"{queue['died']:,} workers died"
    )
    print()
    print(table(["decisions", "times"], _reasons(totals.reasons)))
    if totals.closed.buckets:
        print()
        print(table(["open at the end", "obligations"], _counted(totals.closed.buckets)))
    print()
    print(summary.verdict(totals.findings))
    if totals.restated:
        print(f"  restated: {', '.join(totals.restated[:5])}")
    else:
        print("restated 0   → a replay of all facts gives every stored state")
    print(f"digest {totals.digest[:16]}…   {seconds:.1f} s   {spoken.footer()}")
    if out is not None:
        print(f"wrote contacts.jsonl and decisions.jsonl to {out}")


def _outages(wanted: Months, policy: Policies) -> Sequence[Outage]:
    """Return the times without the platform that were played: those of the book that began before its end."""
    book = lender.book(
        wanted.start,
        wanted.days,
        0,
        wanted.seed,
        wanted.zone,
        profiles=policy.profiles,
        calendars=policy.calendars,
    )
    end = zones.instant(wanted.start + timedelta(days=wanted.days), time(), wanted.zone)
    return [outage for outage in book.outages if outage.starts_at < end]


def _outage(outage: Outage, zone: str) -> str:
    began, ended = (
        f"{at.astimezone(zones.zone(zone)):%Y-%m-%d %H:%M}"
        for at in (outage.starts_at, outage.ends_at)
    )
    heard = "heard only afterwards" if outage.deaf else "taken in"
    return f"down {began} to {ended}: nothing was decided or sent, what was told was {heard}"


def _told(told: Counter[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows of commands, which sum up, holds and money in flight by kind below theirs, and those of what
    happened in the borrowers' lives and on the way, which is told by commands or not at all.
    """
    commands = Counter({name: count for name, count in told.items() if name[:1].isupper()})
    parts: dict[str, Counter[str]] = {"PutHold": Counter(), "PutFlight": Counter()}
    happened: Counter[str] = Counter()
    for name, count in (told - commands).items():
        first, _, rest = name.partition(" ")
        if first == "hold":
            parts["PutHold"][rest] = count
        elif name in FLIGHTS:
            parts["PutFlight"][name] = count
        else:
            happened[AGAIN if name == "again" else name] = count
    rows = []
    for row in _counted(commands):
        rows.append(row)
        rows += [[f"  {name}", count] for name, count in _counted(parts.get(row[0], Counter()))]
    return [*rows, ["all", f"{commands.total():,}"]], _counted(happened)


def _reasons(reasons: Counter[tuple[str, str]]) -> list[list[str]]:
    """Return the rows of decisions by kind and reason, the rarest together in one."""
    named = reasons.most_common(REASONS_NAMED)
    rows = [[f"{kind} {reason}", f"{count:,}"] for (kind, reason), count in named]
    rest = reasons.total() - sum(count for _, count in named)
    if rest:
        rows.append([f"{len(reasons) - len(named)} other reasons", f"{rest:,}"])
    return [*rows, ["all", f"{reasons.total():,}"]]


def _counted(counts: Counter[str]) -> list[list[str]]:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [[name, f"{count:,}"] for name, count in rows]
