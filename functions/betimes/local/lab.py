"""`betimes lab`: a book played through the flows on memory stores and a virtual clock."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from betimes.adapters.packs import policies
from betimes.config import Settings
from betimes.core import zones
from betimes.core.report import Line
from betimes.flows.intake import Told
from betimes.lab.runner import Event, LabRun, run, run_at
from betimes.local import summary
from betimes.local.book import opened
from betimes.local.console import Progress
from betimes.local.tape import Feed, feed


def lab(
    *,
    tape: Path | None,
    zone: str,
    start: datetime | None,
    end: datetime | None,
    as_of: datetime | None,
    limit: int | None,
    out: Path | None,
    as_json: bool,
    now: datetime,
) -> int:
    """Play a tape, or the demo book, and print what came of it; return the exit code: 0 if every promise was kept.

    `start` and `end` bound the time played; with `as_of` everything known then is told at once and swept once, which is
    what `betimes run` does on the pocket cloud.

    Raises:
        Rejected: the tape cannot be read at all.
    """
    began = time.perf_counter()
    progress = Progress()
    progress.say("reading the tape")
    settings = Settings()
    policy = policies(settings.treatment, settings.lender)
    with opened(tape, zone=zone, as_of=as_of, limit=limit, demo_at=as_of or now) as book:
        fed = feed(book.folder, zone=zone)
        events = _events(fed, as_of or start)
        if as_of is not None:
            done = run_at(events, policy, as_of)
        else:
            done = run(
                events,
                policy,
                end=end,
                progress=lambda n, total: (
                    progress.count("playing", n, total) if not n % 500 else None
                ),
            )
        notices = book.prepared.notices
    progress.clear()
    seconds = time.perf_counter() - began
    rejected = _rejected(fed, done)
    if out is not None:
        summary.write_out(out, done.report, rejected)
    if as_json:
        print(summary.json_line(done.report, seconds))
    else:
        _print(done, rejected, notices, zone, seconds, out)
    return 0 if done.report.findings.all_kept else 1


def _events(fed: Feed, start: datetime | None) -> list[Event]:
    """Return the tape as events in order; what happened before `start` is told then: money before debts, as tapes
    are.
    """
    timed_from = sorted(
        fed.timed, key=lambda timed: (max(timed.at, start) if start else timed.at, timed.order)
    )
    return [
        Event(
            max(timed.at, start) if start else timed.at,
            Told(timed.account_id, timed.borrower_id, timed.commands),
            f"{timed.file}:{timed.line}",
        )
        for timed in timed_from
    ]


def _rejected(fed: Feed, done: LabRun) -> list[Line]:
    unread: list[Line] = [
        {
            "file": bad.kind,
            "line": bad.line,
            "key": bad.key,
            "code": bad.code,
            "field": bad.field,
            "message": bad.message,
        }
        for bad in fed.bad
    ]
    refused: list[Line] = [
        {
            "file": place.rpartition(":")[0],
            "line": int(place.rpartition(":")[2]),
            "key": "",
            "code": rejected.code,
            "field": rejected.field,
            "message": rejected.message,
        }
        for place, rejected in done.rejected
    ]
    return [*unread, *refused]


def _print(
    done: LabRun,
    rejected: list[Line],
    notices: tuple[str, ...],
    zone: str,
    seconds: float,
    out: Path | None,
) -> None:
    report, treatment = done.report, done.world.policies.treatment
    ended = done.world.clock.now().astimezone(zones.zone(zone))
    print(f"{report.obligations:,} obligations, played until {ended:%Y-%m-%d %H:%M} ({zone})")
    for notice in notices:
        print(f"  note: {notice}")
    if rejected:
        print(f"  {len(rejected):,} rows not taken in:")
        for row in rejected[:10]:
            print(f"    {row['file']} line {row['line']}: {row['code']}: {row['message']}")
        if len(rejected) > 10:
            print("    … --out DIR writes all of them to rejected.jsonl")
    print()
    print(summary.steps_table(report, treatment))
    print()
    print(summary.promises(report))
    print(f"digest {report.digest[:16]}…   {seconds:.1f} s   treatment {treatment.id}")
    if out is not None:
        print(f"wrote contacts.jsonl, decisions.jsonl and rejected.jsonl to {out}")
