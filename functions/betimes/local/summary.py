"""The tables that `betimes run` and `betimes lab` print about a report, and the files they write."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from betimes.config import CHANNELS
from betimes.core import report as reports
from betimes.core.audit import Findings
from betimes.core.contact import Contact, State
from betimes.core.errors import Rejected
from betimes.core.policies import Policies
from betimes.core.record import Record
from betimes.core.report import Line, Report
from betimes.core.treatment import ANCHORED
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


@dataclass(slots=True)
class Spoken:
    """What was sent, what was not, and why, by treatment and step; a step that recurs counts as one.

    `versions` are the ids of the treatments that decided anything.
    """

    versions: set[str] = field(default_factory=set)
    sent: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unsent: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, report: Report) -> Spoken:
        """Return what a report has to say."""
        spoken = cls()
        spoken.add(report.contacts, report.decisions)
        return spoken

    def add(self, contacts: Iterable[Contact], decisions: Iterable[Record]) -> None:
        """Add contacts and decisions."""
        for contact in contacts:
            self.versions.add(contact.treatment)
            place = _name(contact.treatment), contact.step.partition(ANCHORED)[0]
            if contact.sent_at is None:
                self.unsent[place] += 1
            else:
                self.sent[*place, contact.channel] += 1
        for decision in decisions:
            body = decision.body
            self.versions.add(str(body["treatment"]))
            name, step = _name(str(body["treatment"])), str(body["step"]).partition(ANCHORED)[0]
            self.reasons[name, step, str(body["decision"]), str(body["reason"])] += 1

    def places(self, policies: Policies) -> list[tuple[str, str]]:
        """Return treatment and step of every row: each treatment that spoke, the default one first, with all of its
        steps in its own order.
        """
        lines = {policies.treatment.name: policies.treatment, **policies.treatments}
        names = {_name(version) for version in self.versions}
        found = []
        for name in sorted(names, key=lambda each: (each != policies.treatment.name, each)):
            every = list(lines[name].versions())
            # Ids of another edition of the packs, such as an older ledger holds, are read by all that there is now.
            versions = [version for version in every if version.id in self.versions] or every
            steps = [step.name for version in versions for step in version.steps]
            found += [(name, step) for step in dict.fromkeys(steps)]
        return found

    def table(self, policies: Policies, *, reasons: bool) -> str:
        """Return step × channel: what was sent and what was not; with `reasons` also what waits and what was
        suppressed, and for which reason. Where several treatments spoke, each has its name above its steps.
        """
        places = self.places(policies)
        names = list(dict.fromkeys(name for name, _ in places))
        indent = "  " if len(names) > 1 else ""
        rows = []
        for name in names:
            if indent:
                rows.append([name])
            rows += [
                [f"{indent}{step}", *self._cells({(of, step)}, reasons=reasons)]
                for of, step in places
                if of == name
            ]
        rows.append(["all", *self._cells(set(places), reasons=reasons, named=False)])
        header = ["step", *(f"sent by {channel}" for channel in CHANNELS), "not sent"]
        header += ["waiting", "suppressed"] if reasons else ["all"]
        shown = table(header, [row + [""] * (len(header) - len(row)) for row in rows])
        again = dict.fromkeys(filter(None, (_repeated(step) for _, step in places)))
        return "\n".join([shown, *(["", *again] if again else [])])

    def _cells(
        self, places: set[tuple[str, str]], *, reasons: bool, named: bool = True
    ) -> list[str]:
        sent = [
            sum(n for (*place, by), n in self.sent.items() if by == channel and (*place,) in places)
            for channel in CHANNELS
        ]
        unsent = sum(self.unsent[place] for place in places)
        cells = [f"{n or '·'}" for n in (*sent, unsent)]
        if not reasons:
            return [*cells, f"{sum(sent) + unsent or '·'}"]
        for wanted in ("wait", "suppress"):
            counts: Counter[str] = Counter()
            for (name, step, kind, reason), n in self.reasons.items():
                if kind == wanted and (name, step) in places:
                    counts[reason] += n
            cells.append(_reasons(counts) if named else f"{counts.total() or '·'}")
        return cells

    def footer(self) -> str:
        """Return which treatments spoke, by the ids that decision records hold."""
        ids = sorted(self.versions)
        if not ids:
            return "no treatment spoke"
        return f"treatment{'' if len(ids) == 1 else 's'} {', '.join(ids)}"


def _name(version: str) -> str:
    return version.partition("@")[0]


def _repeated(step: str) -> str:
    """Return what the name of a step's later time means, "" for any other step."""
    first, _, number = step.rpartition(".")
    if not first or not number.isdecimal():
        return ""
    nth = {"2": "second", "3": "third"}.get(number, f"{number}th")
    return f"{step} is the {nth} time of {first}"


def _reasons(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items())) or "·"


def came_back(report: Report, unsubscribed: Collection[str]) -> str:
    """Return the table of what came back of messages: how many, one borrower each, and what followed; "" for none.

    `unsubscribed` are the contacts by whose link somebody unsubscribed.
    """
    instead = {contact.cause: contact for contact in report.contacts if contact.cause}
    found: dict[str, list[Contact]] = {kind: [] for kind in _CAME_BACK}
    for contact in report.contacts:
        if contact.id in unsubscribed:
            found["unsubscribed"].append(contact)
        elif contact.complained_at is not None:
            found["complaint"].append(contact)
        elif contact.state in _OUTCOMES:
            found[_OUTCOMES[contact.state]].append(contact)
    rows = []
    for kind, contacts in found.items():
        if not contacts:
            continue
        # Where something followed, that one tells more.
        told = min(contacts, key=lambda contact: (contact.id not in instead, contact.borrower_id))
        then = [_CAME_BACK[kind]]
        if told.id in instead:
            then.append(f"the step goes by {instead[told.id].channel}")
        elif told.failure is not None:
            then.append("the step has no other channel for it")
        rows.append(
            [kind, f"{len(contacts):,}", told.borrower_id, "; ".join(filter(None, then)) or "·"]
        )
    if not rows:
        return ""
    return table(["of a message", "how many", "such as", "and then"], rows, left=4)


# What came back, in the order of the table, and what always follows from it.
_CAME_BACK: Final = {
    "delivered": "",
    "soft bounce": "",
    "hard bounce": "the address is not used again",
    "complaint": "the address is not used again",
    "unsubscribed": "no more reminders by this channel",
    "refused": "",
}
_OUTCOMES: Final = {
    State.DELIVERED: "delivered",
    State.UNDELIVERED_SOFT: "soft bounce",
    State.UNDELIVERED_HARD: "hard bounce",
    State.REFUSED: "refused",
    State.FAILED: "refused",
}


def promises(report: Report) -> str:
    """Return the verdict on a report."""
    return verdict(report.findings)


def verdict(findings: Findings) -> str:
    """Return the counts that must be zero, and a verdict in words with the first cases of each that is not."""
    line = "   ".join(f"{name} {count}" for name, count in findings.counts.items())
    if findings.all_kept:
        return f"{line}   → every promise kept"
    cases = [
        f"  {name}: {', '.join(found[:5])}{' …' if len(found) > 5 else ''}"
        for name, found in findings.lists.items()
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
