"""The tables that `betimes run` and `betimes lab` print about a report, and the files they write."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from betimes.config import CHANNELS
from betimes.core import report as reports
from betimes.core.audit import Findings
from betimes.core.errors import Rejected
from betimes.core.report import Line, Report
from betimes.core.treatment import Treatment
from betimes.local.console import table
from betimes.local.tape import Prepared, Source

WRITTEN: Final = "contacts.jsonl, decisions.jsonl, rejected.jsonl and noted.jsonl"
# Lines named for each kind of fault; the files of `--out` name all of them.
LINES_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a tape that were not taken in, and those that were with something to say about them.

    Each is a line with file ("accounts", "obligations" or "repayments"), line, key, code, field and message. The line
    is that of the file the user gave, whose name `sources` knows.
    """

    rejected: Sequence[Line]
    noted: Sequence[Line]
    sources: Mapping[str, Source]

    @classmethod
    def of(
        cls,
        rejected: Iterable[Mapping[str, Any]],
        noted: Iterable[Mapping[str, Any]],
        sources: Mapping[str, Source],
    ) -> Rows:
        """Return the rows in order of file and line; those given name lines of the copy that was loaded."""

        def placed(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
            found = [{**row, "line": sources[row["file"]].line(row["line"])} for row in rows]
            order = list(sources)
            return sorted(found, key=lambda row: (order.index(str(row["file"])), row["line"]))

        return cls(placed(rejected), placed(noted), sources)

    def text(self, *, written: bool) -> str:
        """Return them for a person: one line for each kind of fault, with the first lines of the file it is in.

        Unless all of them have been `written` to files, it says how to see the others.
        """
        out = []
        cut = False
        for title, rows in (("Rejected", self.rejected), ("Noted", self.noted)):
            out.append(f"{title:<10}{len(rows) or 'no'} row{'' if len(rows) == 1 else 's'}")
            kinds: dict[tuple[str, str, str], list[str]] = {}
            for row in rows:
                key = (str(row["file"]), str(row["code"]), str(row["message"]))
                kinds.setdefault(key, []).append(str(row["line"]))
            for (file, code, message), lines in kinds.items():
                more = len(lines) > LINES_NAMED
                cut |= more
                where = ", ".join(lines[:LINES_NAMED]) + (" …" if more else "")
                name = self.sources[file].name
                out.append(f"          {len(lines)} × {code}: {message} ({name} line {where})")
        if cut and not written:
            out.append("          --out DIR names every row in rejected.jsonl and noted.jsonl")
        return "\n".join(out)


def left_out(prepared: Prepared, limit: int | None) -> str:
    """Return what a limit let through and the instant did not, " (…)"; "" if there is none."""
    if limit is None or not prepared.issued_later:
        return ""
    were = "was" if prepared.issued_later == 1 else "were"
    return f" (of the first {limit:,} obligations, {prepared.issued_later:,} {were} issued later)"


def make_out(out: Path | None) -> None:
    """Make the directory of `--out`, if one is wanted, before any work is done for it.

    Raises:
        Rejected: code "bad_out"; nothing can be written there.
    """
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or "it cannot be made"
        raise Rejected("bad_out", "--out", f"{out} cannot be a directory: {reason}") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise Rejected("bad_out", "--out", f"{out} cannot be written to")


def steps_table(report: Report, treatment: Treatment) -> str:
    """Return step × channel: what was sent, what waits, and what was suppressed for which reason."""
    sent = Counter((c.step, c.channel) for c in report.sent)
    open_contacts = Counter(c.step for c in report.contacts if c.sent_at is None)
    by_kind: dict[str, dict[str, Counter[str]]] = {"wait": {}, "suppress": {}}
    for decision in report.decisions:
        kind = str(decision.body["decision"])
        if kind in by_kind:
            reasons = by_kind[kind].setdefault(str(decision.body["step"]), Counter())
            reasons[str(decision.body["reason"])] += 1
    # The default treatment first, in its order; then what products with a treatment of their own have.
    names = [step.name for step in treatment.steps]
    spoken = {str(d.body["step"]) for d in report.decisions} | {c.step for c in report.contacts}
    rows = [
        [
            name,
            *(str(sent[name, channel] or "·") for channel in CHANNELS),
            str(open_contacts[name] or "·"),
            _reasons(by_kind["wait"].get(name)),
            _reasons(by_kind["suppress"].get(name)),
        ]
        for name in [*names, *sorted(spoken - set(names))]
    ]
    totals = [
        "all",
        *(str(sum(n for (_, c), n in sent.items() if c == channel)) for channel in CHANNELS),
        str(sum(open_contacts.values()) or "·"),
        str(sum(report.count("wait").values()) or "·"),
        str(sum(report.count("suppress").values()) or "·"),
    ]
    header = [
        "step",
        *(f"sent by {channel}" for channel in CHANNELS),
        "not sent",
        "waiting",
        "suppressed",
    ]
    return table(header, [*rows, totals])


def _reasons(counts: Counter[str] | None) -> str:
    if not counts:
        return "·"
    return ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))


def promises(report: Report) -> str:
    """Return the verdict on a report."""
    return verdict(report.findings)


def verdict(findings: Findings) -> str:
    """Return the four counts that must be zero, and a verdict in words with the first cases of each that is not."""
    rows = {
        "undecided": findings.undecided,
        "duplicates": findings.duplicates,
        "after_payment": findings.after_payment,
        "out_of_window": findings.out_of_window,
    }
    line = "   ".join(f"{name} {len(found)}" for name, found in rows.items())
    if findings.all_kept:
        return f"{line}   → every promise kept"
    cases = [
        f"  {name}: {', '.join(found[:5])}{' …' if len(found) > 5 else ''}"
        for name, found in rows.items()
        if found
    ]
    return "\n".join([f"{line}   → BROKEN", *cases])


def write_out(out: Path, report: Report, rows: Rows) -> None:
    """Write the files `WRITTEN` into the directory `out`."""
    (out / "contacts.jsonl").write_text(
        reports.jsonl(map(reports.contact_line, report.contacts)), encoding="utf-8"
    )
    (out / "decisions.jsonl").write_text(
        reports.jsonl(map(reports.decision_line, report.decisions)), encoding="utf-8"
    )
    (out / "rejected.jsonl").write_text(reports.jsonl(rows.rejected), encoding="utf-8")
    (out / "noted.jsonl").write_text(reports.jsonl(rows.noted), encoding="utf-8")


def json_line(report: Report, seconds: float) -> str:
    """Return the one JSON object of `--json`."""
    return json.dumps(report.totals(seconds))
