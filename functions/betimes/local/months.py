"""`betimes lab --days N`: months of a pretend book, with every trouble the platform knows, and what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Self, TextIO

from betimes.adapters.packs import policies
from betimes.config import Settings
from betimes.core import report as reports
from betimes.core.contact import Contact
from betimes.core.record import Record
from betimes.lab.months import Months, Totals, play
from betimes.local import summary
from betimes.local.console import Progress, table

# Reasons named in the table; the rest is one line.
REASONS_NAMED = 40


def months(
    *, start: date, days: int, borrowers: int, seed: int, zone: str, out: Path | None, as_json: bool
) -> int:
    """Play the months and print what came of them; return the exit code: 0 if every promise was kept.

    Raises:
        Rejected: nothing can be written to `out`, or the zone is unknown.
    """
    summary.make_out(out)
    settings = Settings()
    wanted = Months(start, days, borrowers, seed, zone)
    progress = Progress()
    began = time.perf_counter()
    with _Files(out) as files:
        totals = play(
            wanted,
            policies(settings.treatment, settings.lender),
            progress=lambda done, of: progress.count("playing", done, of),
            written=files.write,
        )
    progress.clear()
    seconds = time.perf_counter() - began
    if as_json:
        print(json.dumps(totals.totals(seconds)))
    else:
        _print(totals, wanted, seconds, out)
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


def _print(totals: Totals, wanted: Months, seconds: float, out: Path | None) -> None:
    print(
        f"{totals.borrowers:,} borrowers, {totals.obligations:,} obligations, {wanted.days} days from "
        f"{wanted.start} ({wanted.zone}), seed {wanted.seed}"
    )
    print()
    print(table(["what was told", "times"], _counted(totals.told.items())))
    if totals.rejected:
        print()
        print(table(["rejected", "times"], _counted(totals.rejected.items())))
    print()
    print(table(["sent by step", "messages"], _counted(totals.by_step.items())))
    print()
    reasons = [
        (f"{kind} {reason}", count)
        for (kind, reason), count in totals.reasons.most_common(REASONS_NAMED)
    ]
    print(table(["decisions", "times"], [[name, f"{count:,}"] for name, count in reasons]))
    print()
    print(table(["open at the end", "obligations"], _counted(totals.closed.buckets.items())))
    print()
    print(summary.verdict(totals.findings))
    if totals.restated:
        print(f"  restated: {', '.join(totals.restated[:5])}")
    else:
        print("restated 0   → a replay of all facts gives every stored state")
    print(f"digest {totals.digest[:16]}…   {seconds:.1f} s")
    if out is not None:
        print(f"wrote contacts.jsonl and decisions.jsonl to {out}")


def _counted(counts: object) -> list[list[str]]:
    rows = sorted(counts, key=lambda row: (-row[1], row[0]))  # type: ignore[call-overload]  # items of a Counter
    return [[str(name), f"{count:,}"] for name, count in rows]
