"""Load: a loan tape becomes facts in the Book, chunk by chunk, and a result that names every row not taken in and why.

Files are taken in the order accounts, consents, repayments, obligations, touches. Money before debts: a repayment waits
for its obligation, so an obligation that has been paid arrives paid, and no sweep that runs in between can remind of
it. What has been said about a debt comes after it.

Everything is read once before anything is stored, so a truncated archive or a missing column refuses the whole tape.
After that each row stands alone. Loading is idempotent and can be continued from any row: the same chunk twice changes
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from betimes.core.book import Pages
from betimes.core.errors import Rejected
from betimes.core.intake import AddRepayment, Outcome
from betimes.core.values import dataclass, replace
from betimes.flows.intake import Intake, Told
from betimes.ports import Clock

# Rows taken in between two looks at the time that is left.
CHUNK = 500
STAGES = ("accounts", "consents", "repayments", "obligations", "touches")
UNMATCHED = "unmatched"
DONE = "done"

# Rows not taken in, and rows taken in with something to say about them.
REJECTED = "rejected"
NOTED = "noted"


NOTICES = {
    "no_contact_point": "taken in; this borrower has no address and no number, so nothing can be sent",
}


REMARKS = {
    Outcome.OVERPAID: (
        "overpaid",
        "amount_minor",
        "taken in; the obligation has now received more than was owed",
    ),
    Outcome.REPLACED: (
        "replaced",
        "account_id",
        "taken in; the account was known with other content, and this one holds now",
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its line number, its own id, and what it tells, or why it cannot be read.

    `notice` is the code of something worth saying about a row that is taken in, "" if nothing.
    """

    number: int
    key: str
    told: Told | Rejected
    notice: str = ""


class Tape(Protocol):
    """A loan tape that can be read any number of times."""

    @property
    def name(self) -> str:
        """The tape's name, unique within the tenant."""

    @property
    def tenant(self) -> str:
        """Whose tape it is."""

    def check(self) -> Sequence[str]:
        """Read everything once; return notices (ignored columns).

        Raises:
            Rejected: a file is missing, truncated, not what it claims to be, or lacks a column.
        """

    def lines(self, stage: str, after: int) -> Iterator[Line]:
        """Yield the rows of a stage's file behind the first `after` ones, in order; none if the tape has no such
        file.
        """


class Results(Protocol):
    """Where results go."""

    def put(self, name: str, body: bytes) -> None:
        """Store a result under its name, replacing one of the same name."""

    def get(self, name: str) -> bytes:
        """Return the result stored under `name`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a tape has got: the stage, the rows of it that are done, and the counts so far, by `stage.outcome`."""

    tape: str
    stage: str = STAGES[0]
    row: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def is_behind(self, other: Progress) -> bool:
        """Return whether `other` has got further with the same tape."""
        return _place(self) < _place(other)

    def to_json(self) -> str:
        """Return the progress as text for a queue message; holds no personal data."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Progress:
        """Return the progress that `to_json` wrote.

        Raises:
            Rejected: code "bad_message", if the text is something else.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            return cls(
                **{
                    **document,
                    "parts": tuple(document["parts"]),
                    "notices": tuple(document["notices"]),
                }
            )
        except (ValueError, TypeError, KeyError):
            raise Rejected("bad_message", "", "not a continuation of a tape") from None


def begin(tape: Tape, results: Results) -> Progress:
    """Check a tape and return its first progress; a tape that is refused is DONE at once and its result says why."""
    try:
        notices = tape.check()
    except Rejected as rejected:
        error = {"code": rejected.code, "field": rejected.field, "message": rejected.message}
        progress = Progress(tape.name, stage=DONE)
        results.put("result.json", _json({"tape": tape.name, "state": "refused", "error": error}))
        return progress
    return Progress(tape.name, notices=tuple(notices))


def load(
    intake: Intake,
    tape: Tape,
    results: Results,
    progress: Progress,
    *,
    clock: Clock,
    enough: Callable[[], bool],
) -> Progress:
    """Take in chunks from where `progress` stands until the tape is done or `enough()`; return how far it got.

    Raises:
        Unavailable: a store is out of reach; continue from the same progress later.
    """
    while progress.stage != DONE:
        lines = tape.lines(_file_of(progress.stage), progress.row)
        while chunk := list(islice(lines, CHUNK)):
            if progress.stage == UNMATCHED:
                progress = _unmatched(intake, tape, results, progress, chunk)
            else:
                progress = _take_in(intake, tape, results, progress, chunk, clock.now())
            if enough():
                return progress
        progress = _next_stage(progress)
    _finish(tape, results, progress)
    return progress


_ORDER = (*STAGES, UNMATCHED, DONE)


def _place(progress: Progress) -> tuple[int, int]:
    return _ORDER.index(progress.stage), progress.row


def _file_of(stage: str) -> str:
    return "repayments" if stage == UNMATCHED else stage


def _next_stage(progress: Progress) -> Progress:
    return replace(progress, stage=_ORDER[_ORDER.index(progress.stage) + 1], row=0)


def _take_in(
    intake: Intake,
    tape: Tape,
    results: Results,
    progress: Progress,
    chunk: Sequence[Line],
    now: datetime,
) -> Progress:
    told = [line.told for line in chunk if not isinstance(line.told, Rejected)]
    answers = iter(intake.take_in(tape.tenant, told, now))
    rejected: list[Mapping[str, object]] = []
    noted: list[Mapping[str, object]] = []
    counts = dict(progress.counts)
    for line in chunk:
        answer = line.told if isinstance(line.told, Rejected) else next(answers)
        word = "rejected" if isinstance(answer, Rejected) else str(answer)
        counts[f"{progress.stage}.{word}"] = counts.get(f"{progress.stage}.{word}", 0) + 1
        if isinstance(answer, Rejected):
            rejected.append(_row(progress.stage, line, answer.code, answer.field, answer.message))
        elif answer in REMARKS:
            code, field_name, message = REMARKS[answer]
            noted.append(_row(progress.stage, line, code, field_name, message))
        elif line.notice:
            noted.append(_row(progress.stage, line, line.notice, "", NOTICES[line.notice]))
    progress = _kept(progress, results, REJECTED, rejected)
    progress = _kept(progress, results, NOTED, noted)
    return replace(progress, row=progress.row + len(chunk), counts=counts)


def _unmatched(
    intake: Intake, tape: Tape, results: Results, progress: Progress, chunk: Sequence[Line]
) -> Progress:
    """Name the repayments of the chunk that still wait for their obligation."""
    counts = dict(progress.counts)
    rows = []
    seen: dict[str, Pages] = {}
    for line in chunk:
        if isinstance(line.told, Rejected) or not _waits(intake, tape.tenant, line.told, seen):
            continue
        counts["repayments.unmatched"] = counts.get("repayments.unmatched", 0) + 1
        message = "kept; it is matched when its obligation arrives"
        rows.append(_row("repayments", line, "unknown_obligation", "obligation_id", message))
    progress = _kept(progress, results, NOTED, rows)
    return replace(progress, row=progress.row + len(chunk), counts=counts)


def _waits(intake: Intake, tenant: str, told: Told, seen: dict[str, Pages]) -> bool:
    """Return whether the money told of still waits; `seen` keeps the pages read for a chunk, by account."""
    book = intake.stores.book
    pages = seen.get(told.account_id)
    if pages is None:
        owner = book.owner(tenant, told.account_id)
        borrower_id = told.borrower_id or owner.borrower_id
        if not borrower_id:
            parked = {repayment.id: repayment for repayment in owner.parked}
            pages = Pages(tenant, "", repayments=parked)
        else:
            pages = book.pages(tenant, borrower_id)
        seen[told.account_id] = pages
    return any(
        isinstance(command, AddRepayment)
        and command.repayment_id in pages.repayments
        and not pages.repayments[command.repayment_id].matched
        for command in told.commands
    )


def _kept(
    progress: Progress, results: Results, kind: str, rows: Sequence[Mapping[str, object]]
) -> Progress:
    """Return the progress with the chunk's rows of one kind stored as a part of their own; as it is when there are
    none.
    """
    if not rows:
        return progress
    part = f"{kind}-{progress.stage}-{progress.row:09d}.jsonl"
    results.put(part, b"".join(_json(row) for row in rows))
    return replace(progress, parts=(*progress.parts, part))


def _row(stage: str, line: Line, code: str, field_name: str, message: str) -> Mapping[str, object]:
    return {
        "file": stage,
        "line": line.number,
        "key": line.key,
        "code": code,
        "field": field_name,
        "message": message,
    }


def _finish(tape: Tape, results: Results, progress: Progress) -> None:
    for kind in (REJECTED, NOTED):
        parts = [part for part in progress.parts if part.startswith(f"{kind}-")]
        results.put(f"{kind}.jsonl", b"".join(results.get(part) for part in parts))
    results.put(
        "result.json",
        _json(
            {
                "tape": tape.name,
                "state": "loaded",
                "counts": dict(progress.counts),
                "notices": list(progress.notices),
                "rejected": f"{REJECTED}.jsonl",
                "noted": f"{NOTED}.jsonl",
            }
        ),
    )


def _json(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n").encode()
