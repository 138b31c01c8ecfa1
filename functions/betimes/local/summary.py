"""The tables that `betimes run` and `betimes lab` print about a report, and the files they write."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from betimes.config import CHANNELS
from betimes.core import report as reports
from betimes.core.report import Report
from betimes.core.treatment import Treatment
from betimes.local.console import table


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
    rows = [
        [
            step.name,
            *(str(sent[step.name, channel] or "·") for channel in CHANNELS),
            str(open_contacts[step.name] or "·"),
            _reasons(by_kind["wait"].get(step.name)),
            _reasons(by_kind["suppress"].get(step.name)),
        ]
        for step in treatment.steps
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
    """Return the four counts that must be zero, and a verdict in words with the first cases of each that is not."""
    findings = report.findings
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


def write_out(out: Path, report: Report, rejected: Sequence[reports.Line]) -> None:
    """Write contacts.jsonl, decisions.jsonl and rejected.jsonl into the directory `out`, which is made if need be."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "contacts.jsonl").write_text(
        reports.jsonl(map(reports.contact_line, report.contacts)), encoding="utf-8"
    )
    (out / "decisions.jsonl").write_text(
        reports.jsonl(map(reports.decision_line, report.decisions)), encoding="utf-8"
    )
    (out / "rejected.jsonl").write_text(reports.jsonl(rejected), encoding="utf-8")


def json_line(report: Report, seconds: float) -> str:
    """Return the one JSON object of `--json`."""
    return json.dumps(report.totals(seconds))
