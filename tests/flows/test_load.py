"""Load: a tape is taken in once, from any row on, and whatever is not taken in is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from betimes.core.errors import Rejected, Unavailable
from betimes.core.intake import AddObligation, AddRepayment, Command, PutAccount, ReportTouches
from betimes.core.said import Act, Statement, TellConsents
from betimes.flows import load as flow
from betimes.flows.intake import Intake, Told
from betimes.flows.load import DONE, STAGES, UNMATCHED, Line, Progress, begin, load
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES
from tests.factories import touch
from tests.flows.harness import (
    TOLD_AT,
    Broken,
    WorkerGone,
    account,
    bill,
    bill_of,
    empty_world,
    money,
    person,
)


@dataclass
class MadeTape:
    """A tape of made-up rows."""

    rows: dict[str, list[Line]]
    name: str = "t1"
    tenant: str = TENANT
    problem: Rejected | None = None

    def check(self) -> Sequence[str]:
        """See `flows.load.Tape`."""
        if self.problem:
            raise self.problem
        return ["accounts.csv: column branch is left aside"]

    def lines(self, stage: str, after: int) -> Iterator[Line]:
        """See `flows.load.Tape`."""
        assert stage in STAGES
        yield from self.rows.get(stage, [])[after:]


@dataclass
class Kept:
    """Results in memory."""

    bodies: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, body: bytes) -> None:
        """See `flows.load.Results`."""
        self.bodies[name] = body

    def get(self, name: str) -> bytes:
        """See `flows.load.Results`."""
        return self.bodies[name]

    @property
    def result(self) -> dict[str, Any]:
        """The tape's own result."""
        document: dict[str, Any] = json.loads(self.bodies["result.json"])
        return document

    def rows(self, kind: str) -> list[tuple[str, int, str, str]]:
        """Return file, line, key and code of the rows of a kind."""
        found = [json.loads(line) for line in self.bodies[f"{kind}.jsonl"].splitlines()]
        return [(row["file"], row["line"], row["key"], row["code"]) for row in found]


def line(
    number: int,
    key: str,
    *commands: Command,
    account_id: str = "",
    borrower_id: str = "",
    notice: str = "",
) -> Line:
    """Return a row that tells something."""
    return Line(number, key, Told(account_id, borrower_id, commands), notice)


def bad(number: int, key: str = "") -> Line:
    """Return a row that cannot be read."""
    return Line(number, key, Rejected("bad_integer", "amount_minor", "must be a whole number"))


def accounts(*numbers: int, email: bool = True) -> list[Line]:
    """Return rows of accounts, each of its own borrower."""
    return [
        line(
            n + 1,
            f"a{n}",
            person(f"b{n}@borrowers.example" if email else ""),
            account(f"a{n}"),
            account_id=f"a{n}",
            borrower_id=f"b{n}",
            notice="" if email else "no_contact_point",
        )
        for n in numbers
    ]


def bills(*numbers: int) -> list[Line]:
    """Return rows of bills, one for each account of that number."""
    return [
        line(n + 1, f"o{n}", bill(f"o{n}", account_id=f"a{n}"), account_id=f"a{n}") for n in numbers
    ]


def payments(*numbers: int, minor: int = 1000) -> list[Line]:
    """Return rows of payments for the bills of that number."""
    return [
        line(
            n + 1,
            f"r{n}",
            money(f"r{n}", minor, obligation_id=f"o{n}", account_id=f"a{n}"),
            account_id=f"a{n}",
        )
        for n in numbers
    ]


def stops(*numbers: int) -> list[Line]:
    """Return rows of refusals of the borrowers of that number."""
    return [
        line(
            n + 1,
            f"s{n}",
            TellConsents((Statement(f"s{n}", Act.REFUSE, TOLD_AT, channel="sms"),)),
            borrower_id=f"b{n}",
        )
        for n in numbers
    ]


def calls(*numbers: int) -> list[Line]:
    """Return rows of calls about the bills of that number, by account."""
    return [
        line(
            n + 1,
            f"t{n}",
            ReportTouches((touch(id=f"t{n}", at=TOLD_AT, debts=(f"o{n}",)),)),
            account_id=f"a{n}",
        )
        for n in numbers
    ]


TAPE = MadeTape(
    {
        "accounts": [*accounts(1, 2, 3), bad(5, "a4"), *accounts(5, email=False)],
        "repayments": [
            *payments(1),
            *payments(2, minor=400),
            *payments(3, minor=1001),
            bad(5),
            *payments(5, minor=0),
            # A bill that never comes, an account that never comes, and bad money for one that never comes.
            line(7, "r7", money("r7", obligation_id="o77", account_id="a1"), account_id="a1"),
            line(8, "r8", money("r8", obligation_id="o8", account_id="a8"), account_id="a8"),
            line(9, "r9", money("r9", 0, obligation_id="o9", account_id="a9"), account_id="a9"),
        ],
        "obligations": [*bills(1, 2, 3), *bills(4), bad(6, "o6"), *bills(5)],
        "touches": [*calls(1, 2), bad(4), *calls(8), *calls(1)],
        "consents": [*stops(1), *stops(1), bad(4), *stops(8)],
    }
)
ROWS = {stage: len(TAPE.rows[stage]) for stage in STAGES}


def loaded(
    here: World,
    tape: MadeTape = TAPE,
    *,
    pieces: int = 0,
    start: Progress | None = None,
    results: Kept | None = None,
) -> tuple[Kept, Progress]:
    """Load a tape to its end; with `pieces` it stops after so many chunks each time and goes on from what it said."""
    results = results or Kept()
    progress = start or begin(tape, results)
    while progress.stage != DONE:
        left = [pieces or -1]

        def enough(left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] == 0

        progress = load(here.intake, tape, results, progress, clock=here.clock, enough=enough)
        progress = Progress.from_json(progress.to_json())
    return results, progress


def state(here: World) -> Any:
    """Return the whole book as it stands."""
    return here.memory.everyone(), [here.memory.owner(TENANT, f"a{n}") for n in range(10)]


def test_a_tape_is_taken_in_and_every_other_row_is_named() -> None:
    """Rows that cannot be read, rows that are refused, and rows with something to say about them; counts by outcome."""
    here = empty_world()
    results, progress = loaded(here)
    assert progress.stage == DONE
    assert results.rows("rejected") == [
        ("accounts", 5, "a4", "bad_integer"),
        ("consents", 4, "", "bad_integer"),
        ("consents", 9, "s8", "unknown_borrower"),
        ("repayments", 5, "", "bad_integer"),
        ("repayments", 6, "r5", "bad_amount"),
        ("repayments", 9, "r9", "bad_amount"),
        ("obligations", 5, "o4", "unknown_account"),
        ("obligations", 6, "o6", "bad_integer"),
        ("touches", 4, "", "bad_integer"),
        ("touches", 9, "t8", "unknown_account"),
    ]
    assert results.rows("noted") == [
        ("accounts", 6, "a5", "no_contact_point"),
        ("obligations", 4, "o3", "overpaid"),
        ("repayments", 7, "r7", "unknown_obligation"),
        ("repayments", 8, "r8", "unknown_obligation"),
    ]
    assert results.result["state"] == "loaded"
    assert results.result["notices"] == ["accounts.csv: column branch is left aside"]
    assert results.result["counts"] == {
        "accounts.stored": 4, "accounts.rejected": 1,
        "consents.stored": 1, "consents.unchanged": 1, "consents.rejected": 2,
        "repayments.kept": 5, "repayments.rejected": 3, "repayments.unmatched": 2,
        "obligations.stored": 3, "obligations.overpaid": 1, "obligations.rejected": 2,
        "touches.stored": 2, "touches.unchanged": 1, "touches.rejected": 2,
    }  # fmt: skip


def test_money_comes_before_debts() -> None:
    """A bill that has been paid arrives paid: no sweep in between can remind of it."""
    here = empty_world()
    progress = begin(TAPE, Kept())
    while progress.stage != DONE:
        progress = load(here.intake, TAPE, Kept(), progress, clock=here.clock, enough=lambda: True)
        for pages in here.memory.everyone():
            for obligation in pages.obligations.values():
                paid = [
                    r.amount.minor
                    for r in pages.repayments.values()
                    if r.obligation_id == obligation.id
                ]
                assert obligation.paid_minor == sum(paid)
        if progress.stage == UNMATCHED and progress.row:
            break


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_pieces_of_any_size_give_the_same_result(
    size: int, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of one row or of a hundred, all at once or continued after each: the same book and the same results."""
    expected_world = empty_world()
    expected, _ = loaded(expected_world)
    monkeypatch.setattr(flow, "CHUNK", size)
    here = empty_world()
    results, _ = loaded(here, pieces=pieces)
    assert {
        name: results.bodies[name] for name in ("result.json", "rejected.jsonl", "noted.jsonl")
    } == {name: expected.bodies[name] for name in ("result.json", "rejected.jsonl", "noted.jsonl")}
    assert [p.obligations for p in here.memory.everyone()] == [
        replace_seq(p.obligations, q.obligations)
        for p, q in zip(expected_world.memory.everyone(), here.memory.everyone(), strict=True)
    ]


def replace_seq(expected: Any, found: Any) -> Any:
    """Return the expected bills with the number of writes of the ones found: it depends on how rows were grouped."""
    return {
        key: replace(
            each, version=found[key].version, watch=replace(each.watch, seq=found[key].watch.seq)
        )
        for key, each in expected.items()
    }


@pytest.mark.parametrize(
    ("stage", "row"), [(stage, row) for stage in STAGES for row in range(ROWS[stage] + 1)]
)
def test_a_tape_can_be_continued_from_any_row_again(stage: str, row: int) -> None:
    """After a whole load, from any row of any stage: nothing changes in the book, and nothing new is refused."""
    here = empty_world()
    loaded(here)
    before = state(here)
    loaded(here, start=Progress("t1", stage, row))
    assert state(here) == before


def test_loading_twice_changes_nothing_and_says_so() -> None:
    """Every row that was taken in is answered "unchanged"; the same rows are refused for the same reasons."""
    here = empty_world()
    first, _ = loaded(here)
    before = state(here)
    second, _ = loaded(here)
    assert state(here) == before
    assert second.rows("rejected") == first.rows("rejected")
    outcomes = {key.partition(".")[2] for key in second.result["counts"]}
    assert outcomes == {"unchanged", "rejected", "unmatched"}


def test_a_worker_may_die_at_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue delivers its last message again: the tape is taken in, once, whatever was stored by then."""
    monkeypatch.setattr(flow, "CHUNK", 3)
    expected = empty_world()
    refused = loaded(expected)[0].rows("rejected")
    facts = [(p.obligations.keys(), p.repayments.keys()) for p in expected.memory.everyone()]
    at = 0
    while True:
        here = empty_world()
        results = Kept()
        last = begin(TAPE, results)
        dying = Intake(Broken(here.memory, at).stores, POLICIES, 1)
        try:
            while last.stage != DONE:
                last = load(dying, TAPE, results, last, clock=here.clock, enough=lambda: True)
            break
        except WorkerGone:
            at += 1
        loaded(here, start=last, results=results)
        assert results.rows("rejected") == refused
        assert [
            (p.obligations.keys(), p.repayments.keys()) for p in here.memory.everyone()
        ] == facts
        for pages in here.memory.everyone():
            assert not pages.is_torn
        assert here.memory.pages(TENANT, "b2").obligations["o2"].paid_minor == 400
    assert at >= 20


def test_a_tape_that_cannot_be_trusted_is_refused_whole() -> None:
    """Nothing of it is stored, and its result says why."""
    here, results = empty_world(), Kept()
    tape = replace(
        TAPE, problem=Rejected("missing_column", "due_on", "obligations.csv has no column due_on")
    )
    assert begin(tape, results).stage == DONE
    assert results.result == {
        "tape": "t1",
        "state": "refused",
        "error": {
            "code": "missing_column",
            "field": "due_on",
            "message": "obligations.csv has no column due_on",
        },
    }
    assert here.memory.everyone() == []


def test_a_tape_without_repayments_or_with_nothing_is_loaded() -> None:
    """Empty result files are written, so that whoever reads them finds them."""
    here = empty_world()
    results, _ = loaded(here, MadeTape({"accounts": accounts(1), "obligations": bills(1)}))
    assert bill_of(here).is_open
    assert results.rows("rejected") == results.rows("noted") == []
    results, _ = loaded(empty_world(), MadeTape({}))
    assert results.result["counts"] == {}


def test_a_row_that_says_nothing_is_no_mistake() -> None:
    """A statement of zero asks for nothing."""
    here = empty_world()
    tape = MadeTape({"accounts": accounts(1), "obligations": [line(2, "s1", account_id="a1")]})
    results, _ = loaded(here, tape)
    assert results.result["counts"] == {"accounts.stored": 1, "obligations.unchanged": 1}


def test_a_store_out_of_reach_leaves_the_progress_where_it_was() -> None:
    """The error goes to the caller; what was stored stays, and going on from the old progress completes the tape."""

    class OutOfReach(Broken):
        def _die(self) -> None:
            raise Unavailable("throttled")

    here, results = empty_world(), Kept()
    progress = begin(TAPE, results)
    with pytest.raises(Unavailable):
        load(
            Intake(OutOfReach(here.memory, 9).stores, POLICIES, 1), TAPE, results, progress,
            clock=here.clock, enough=lambda: False,
        )  # fmt: skip
    loaded(here, start=progress)
    assert not bill_of(here).is_open


def test_progress_travels_as_text_without_personal_data() -> None:
    """It comes back as it was; anything else is refused."""
    here = empty_world()
    results = Kept()
    progress = begin(TAPE, results)
    while progress.stage != DONE:
        progress = load(here.intake, TAPE, results, progress, clock=here.clock, enough=lambda: True)
        text = progress.to_json()
        assert Progress.from_json(text) == progress
        assert "borrowers.example" not in text
    assert here.clock.now() == TOLD_AT
    for text in ("", "{}", "[]", "null", '{"tape": "t", "parts": 3, "notices": []}', '{"x": 1}'):
        with pytest.raises(Rejected) as caught:
            Progress.from_json(text)
        assert caught.value.code == "bad_message"


def test_results_name_rows_and_repeat_no_cell() -> None:
    """File, line, own id, code, field and the way out."""
    results, _ = loaded(empty_world())
    for kind in ("rejected", "noted"):
        for row in results.bodies[f"{kind}.jsonl"].splitlines():
            assert set(json.loads(row)) == {"file", "line", "key", "code", "field", "message"}
    everything = b"".join(results.bodies.values())
    assert b"borrowers.example" not in everything


def test_the_rows_of_this_test_are_what_they_say() -> None:
    """Guards the tests above: the tape has commands of all kinds."""
    kinds = {
        type(command)
        for rows in TAPE.rows.values()
        for each in rows
        if isinstance(each.told, Told)
        for command in each.told.commands
    }
    assert {PutAccount, AddObligation, AddRepayment} <= kinds
