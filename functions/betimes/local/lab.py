"""`betimes lab`: a book played through the flows on memory stores and a virtual clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from betimes.adapters.packs import drafts, policies
from betimes.config import Settings
from betimes.core import zones
from betimes.core.report import Line
from betimes.flows.intake import Told
from betimes.flows.load import NOTICES, REMARKS
from betimes.lab.runner import Event, LabRun, run, run_at
from betimes.lab.world import TENANT
from betimes.local import summary
from betimes.local.book import OpenBook, opened
from betimes.local.console import Progress
from betimes.local.summary import Rows, Spoken
from betimes.local.tape import Feed, Timed, feed
from betimes.wire.tape import Kind


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
    licence: str = "",
) -> int:
    """Play a tape, or the demo book, and print what came of it; return the exit code: 0 if every promise was kept.

    `start` and `end` bound the time played; with `as_of` everything known then is told at once and swept once, which is
    what `betimes run` does on the pocket cloud. `licence` is the jurisdiction of the lender's, "" where it has no say.

    Raises:
        Rejected: the tape cannot be read at all, nobody knows the licence, or nothing can be written to `out`.
    """
    summary.make_out(out)
    began = time.perf_counter()
    progress = Progress()
    progress.say("reading the tape")
    settings = Settings()
    # Nobody is contacted in a game, so a licence may be tried before anything is proved with it.
    known = drafts if licence else policies
    policy = known(settings.treatment, settings.lender, licence)
    with opened(tape, zone=zone, as_of=as_of, limit=limit, demo_at=as_of or now) as book:
        fed = feed(book.folder, zone=zone)
        events = events_of(fed, as_of or start)
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
    progress.clear()
    seconds = time.perf_counter() - began
    rows = Rows.of(_rejected(fed, done), _noted(fed, done, as_of or end), book.prepared.sources)
    if out is not None:
        summary.write_out(out, done.report, rows)
    if as_json:
        print(summary.json_line(done.report, seconds))
    else:
        spoken = Spoken.of(done.report)
        _print(done, spoken, rows, book, limit, zone, out)
        print(f"digest {done.report.digest[:16]}…   {seconds:.1f} s   {spoken.footer()}")
        if out is not None:
            print(f"wrote {summary.WRITTEN} to {out}")
    return 0 if done.report.findings.all_kept else 1


def events_of(fed: Feed, start: datetime | None) -> list[Event]:
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
            _place(timed),
        )
        for timed in timed_from
    ]


def _rejected(fed: Feed, done: LabRun) -> Iterator[Line]:
    """Yield the rows that could not be read, then those that were refused."""
    for bad in fed.bad:
        yield _row(bad.kind, bad.line, bad.key, bad.code, bad.field, bad.message)
    of = {_place(timed): timed for timed in fed.timed}
    for place, refused in done.rejected:
        timed = of[place]
        yield _row(timed.kind, timed.line, timed.key, refused.code, refused.field, refused.message)


def _noted(fed: Feed, done: LabRun, until: datetime | None) -> Iterator[Line]:
    """Yield the rows taken in by `until` with something to say about them, as `flows.load` does on the pocket cloud."""
    refused = {place for place, _ in done.rejected}
    waiting = _waiting(done)
    for timed in fed.timed:
        place = _place(timed)
        if place in refused or (until is not None and timed.at > until):
            continue
        if place in done.remarked:
            remark = REMARKS[done.remarked[place]]
            yield _row(timed.kind, timed.line, timed.key, *remark)
        elif timed.notice:
            message = NOTICES[timed.notice]
            yield _row(timed.kind, timed.line, timed.key, timed.notice, "", message)
        if timed.kind == Kind.REPAYMENTS and _waits(timed, done, waiting):
            yield _row(
                timed.kind,
                timed.line,
                timed.key,
                "unknown_obligation",
                "obligation_id",
                "kept; it is matched when its obligation arrives",
            )


def _waiting(done: LabRun) -> set[tuple[str, str]]:
    """Return account and id of all money of known borrowers that still waits for its obligation."""
    return {
        (repayment.account_id, repayment.id)
        for pages in done.world.memory.everyone()
        for repayment in pages.repayments.values()
        if not repayment.matched
    }


def _waits(timed: Timed, done: LabRun, waiting: set[tuple[str, str]]) -> bool:
    if (timed.account_id, timed.key) in waiting:
        return True
    parked = done.world.memory.owner(TENANT, timed.account_id).parked
    return any(repayment.id == timed.key for repayment in parked)


def _place(timed: Timed) -> str:
    return f"{timed.kind}:{timed.line}"


def _row(file: str, line: int, key: str, code: str, field: str, message: str) -> Line:
    return {
        "file": file,
        "line": line,
        "key": key,
        "code": code,
        "field": field,
        "message": message,
    }


def _print(
    done: LabRun,
    spoken: Spoken,
    rows: Rows,
    book: OpenBook,
    limit: int | None,
    zone: str,
    out: Path | None,
) -> None:
    report = done.report
    ended = done.world.clock.now().astimezone(zones.zone(zone))
    print(
        f"{report.obligations:,} obligations{summary.left_out(book.prepared, limit)}, "
        f"played until {ended:%Y-%m-%d %H:%M} ({zone})"
    )
    for notice in book.prepared.notices:
        print(f"note      {notice}")
    print(rows.text(written=out is not None))
    print()
    print(spoken.table(done.world.policies, reasons=True))
    print()
    print(summary.promises(report))
