"""Loan tapes through the bucket: what is taken in, what is refused and why, and that nothing depends on luck."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from betimes.config import INBOX, MANIFEST, RESULTS
from betimes.core.errors import Unavailable
from betimes.flows import load
from betimes.lab.world import TENANT
from tests.handlers import told
from tests.handlers.pump import Pump, plain

ACCOUNTS = """\
account_id,borrower_id,product,currency,opened_on,email,phone
a-1,b-1,cash-loan,CNY,2025-03-09,one@example.com,
a-2,b-2,cash-loan,CNY,2025-03-09,,+447700900123
a-3,b-3,cash-loan,JPY,2025-03-09,three@example.com,
"""
REPAYMENTS = """\
repayment_id,obligation_id,account_id,paid_at,amount_minor
r-1,o-1,a-1,2026-02-20T10:00:00,60000
r-2,o-2,a-2,2026-02-20T10:00:00,120000
"""
OBLIGATIONS = """\
obligation_id,account_id,seq,issued_at,due_on,principal_minor,amount_minor
o-1,a-1,1,2026-02-09T10:00:00,2026-03-09,118000,120000
o-2,a-2,1,2026-02-09T10:00:00,2026-03-09,118000,120000
o-3,a-3,1,2026-02-09T10:00:00,2026-03-09,118000,120000
"""
TAPE = {"accounts.csv": ACCOUNTS, "repayments.csv": REPAYMENTS, "obligations.csv": OBLIGATIONS}


def drop(pump: Pump, files: Mapping[str, str | bytes], name: str = "march") -> dict[str, Any]:
    """Put a tape into the inbox, its manifest last, let it be loaded, and return its result."""
    for file, body in files.items():
        data = body.encode() if isinstance(body, str) else body
        pump.cloud.put_object("FilesBucket", f"{INBOX}{name}/{file}", data)
    manifest = {"schema_version": 1, "tenant": TENANT, "files": {file: {} for file in files}}
    pump.cloud.put_object("FilesBucket", f"{INBOX}{name}/{MANIFEST}", json.dumps(manifest).encode())
    pump.settle()
    result: dict[str, Any] = json.loads(result_of(pump, "result.json", name))
    return result


def result_of(pump: Pump, file: str, name: str = "march") -> bytes:
    return pump.cloud.object("FilesBucket", f"{RESULTS}{name}/{file}")


def rows(pump: Pump, kind: str, name: str = "march") -> list[tuple[str, int, str, str]]:
    """Return file, line, code and field of each row that the result names as "rejected" or "noted"."""
    lines = [json.loads(line) for line in result_of(pump, f"{kind}.jsonl", name).splitlines()]
    assert all(line["message"] for line in lines)
    return [(line["file"], line["line"], line["code"], line["field"]) for line in lines]


def status(pump: Pump) -> dict[str, str]:
    """Return the status of each obligation in the book."""
    return {
        item["sk"]["S"].partition("#")[2]: item["status"]["S"]
        for item in pump.cloud.items("BookTable")
        if item["sk"]["S"].startswith("obligation#")
    }


TOUCHES = """\
touch_id,at,channel,borrower_id,account_id,by,debts,number,conversation
t-1,2026-02-27T11:00:00,call,b-1,,agency-7,o-1,+447700900123,yes
t-2,2026-02-27T11:00:00,call,,a-2,agency-7,,,
t-3,2026-02-27T11:00:00,call,b-9,,agency-7,,,
t-4,2026-02-27T11:00:00,pigeon,b-1,,agency-7,,,
t-5,2026-01-02T11:00:00,call,b-1,,agency-7,,,
t-6,2026-02-27T11:00:00,call,b-1,,agency-7,o-2,,
t-1,2026-02-27T11:00:00,call,b-1,,agency-7,o-1,+447700900123,yes
"""
TOUCH_COUNTS = {"touches.stored": 2, "touches.rejected": 4, "touches.unchanged": 1}


def touched(pump: Pump) -> dict[str, int]:
    """Return how many touches the budget of each borrower holds."""
    return {
        item["pk"]["S"].partition("#")[2]: len(item["touches"]["L"])
        for item in pump.cloud.items("BookTable")
        if item["sk"]["S"] == "budget"
    }


def test_touches_come_with_a_tape_or_on_their_own(pump: Pump) -> None:
    """Each is counted once, each bad line is named with its file, line and code, and told again nothing changes."""
    assert drop(pump, {**TAPE, "touches.csv": TOUCHES})["counts"].items() >= TOUCH_COUNTS.items()
    wrong = [
        ("touches", 4, "unknown_borrower", "borrower_id"),
        ("touches", 5, "bad_word", "channel"),
        ("touches", 6, "too_old", "at"),
        ("touches", 7, "unknown_obligation", "debts"),
    ]
    assert rows(pump, "rejected") == wrong
    assert touched(pump) == {"b-1": 1, "b-2": 1}
    before = pump.tables()

    alone = drop(pump, {"touches.csv": TOUCHES}, "alone")

    assert alone["counts"] == {"touches.unchanged": 3, "touches.rejected": 4}
    assert rows(pump, "rejected", "alone") == wrong
    assert pump.tables()["BookTable"] == before["BookTable"]


def test_a_tape_is_loaded_and_its_bills_are_reminded_of(pump: Pump) -> None:
    """Accounts, then money, then bills: what is paid arrives paid, and only what is owed is reminded of."""
    result = drop(pump, TAPE)

    assert (result["state"], result["tape"]) == ("loaded", "march")
    assert result["counts"] == {
        "accounts.stored": 3,
        "repayments.kept": 2,
        "obligations.stored": 3,
    }
    assert result["notices"] == []
    assert rows(pump, "rejected") == rows(pump, "noted") == []
    assert status(pump) == {"o-1": "open", "o-2": "settled", "o-3": "open"}

    pump.sweep_at(told.D_3)
    said = {mail["To"]: plain(mail) for mail in pump.mails()}
    assert set(said) == {"one@example.com", "three@example.com"}
    assert "600.00元" in said["one@example.com"]
    assert "JPY 120,000" in said["three@example.com"]


def test_rows_that_are_wrong_are_named_and_stop_no_other(pump: Pump) -> None:
    """Each bad row is in rejected.jsonl with its line and reason; every good row beside it is in the book."""
    accounts = ACCOUNTS + 'a-4,b-4,cash-loan,CNY,2025-03-09,"four@example.com\n'
    accounts += "a-5,b-5,cash-loan,XXX,2025-03-09,five@example.com,\n"
    accounts += "a-6,b-6,cash-loan,CNY,2025-03-09,six at example,\n"
    accounts += "a-1,b-9,cash-loan,CNY,2025-03-09,nine@example.com,\n"
    repayments = REPAYMENTS + "r-1,o-1,a-1,2026-02-20T10:00:00,1\n"
    repayments += "r-4,o-1,a-1,2026-02-20T10:00:00,-5\n"
    repayments += "r-5,o-1,a-1,yesterday,5\n"
    obligations = OBLIGATIONS + "o-4,a-1,1,2026-02-09T10:00:00,2026-02-08,118000,120000\n"
    obligations += "o-5,a-1,1,2026-02-09T10:00:00,2026-03-09,118000,-120000\n"
    obligations += "o-6,a-99,1,2026-02-09T10:00:00,2026-03-09,118000,120000\n"
    obligations += "o-1,a-1,1,2026-02-09T10:00:00,2026-03-09,118000,130000\n"
    obligations += "o-8,a-1,1\n"
    obligations += "o-7,a-1,2,2026-02-09T10:00:00,2026-03-09,118000,120000\n"
    files = {
        "accounts.csv": accounts,
        "repayments.csv": repayments,
        "obligations.csv": obligations,
    }

    result = drop(pump, files)

    assert rows(pump, "rejected") == [
        ("accounts", 5, "malformed_row", ""),
        ("accounts", 6, "unknown_currency", "currency"),
        ("accounts", 7, "bad_email", "email"),
        ("accounts", 8, "account_taken", "account_id"),
        ("repayments", 4, "duplicate_id", "repayment_id"),
        ("repayments", 5, "negative_amount", "amount_minor"),
        ("repayments", 6, "bad_instant", "paid_at"),
        ("obligations", 5, "due_before_issue", "due_on"),
        ("obligations", 6, "negative_amount", "amount_minor"),
        ("obligations", 7, "unknown_account", "account_id"),
        ("obligations", 8, "duplicate_id", "obligation_id"),
        ("obligations", 9, "malformed_row", ""),
    ]
    assert result["state"] == "loaded"
    assert result["counts"]["accounts.rejected"] == 4
    assert result["counts"]["repayments.rejected"] == 3
    assert result["counts"]["obligations.rejected"] == 5
    assert set(status(pump)) == {"o-1", "o-2", "o-3", "o-7"}


def test_results_repeat_nothing_that_a_row_holds(pump: Pump) -> None:
    """A canary in every cell of rows of every kind comes back in no result, only lines and columns do."""
    bad = "canary@example.com"
    files = {
        file: body + ",".join([bad] * (body.splitlines()[0].count(",") + 1)) + "\n"
        for file, body in TAPE.items()
    }
    drop(pump, files)

    results = pump.cloud.objects("FilesBucket", RESULTS)
    assert len(rows(pump, "rejected")) == 3
    assert not any(b"canary" in body for body in results.values())


def test_money_for_an_unknown_bill_waits_for_a_later_tape(pump: Pump) -> None:
    """It is kept and named; the tape that brings the bill finds it paid, also where the account came later too."""
    early = {
        **TAPE,
        "repayments.csv": "repayment_id,obligation_id,account_id,paid_at,amount_minor\n"
        "r-8,o-8,a-1,2026-02-20T10:00:00,120000\n"
        "r-9,o-9,a-9,2026-02-20T10:00:00,120000\n",
    }
    result = drop(pump, early)
    assert result["counts"]["repayments.kept"] == result["counts"]["repayments.unmatched"] == 2
    assert rows(pump, "noted") == [
        ("repayments", 2, "unknown_obligation", "obligation_id"),
        ("repayments", 3, "unknown_obligation", "obligation_id"),
    ]

    late = {
        "accounts.csv": ACCOUNTS + "a-9,b-9,cash-loan,CNY,2025-03-09,nine@example.com,\n",
        "obligations.csv": OBLIGATIONS
        + "o-8,a-1,2,2026-02-09T10:00:00,2026-03-09,118000,120000\n"
        + "o-9,a-9,1,2026-02-09T10:00:00,2026-03-09,118000,120000\n",
    }
    drop(pump, late, "april")
    assert (status(pump)["o-8"], status(pump)["o-9"]) == ("settled", "settled")
    assert rows(pump, "noted", "april") == []


def test_an_overpayment_is_taken_in_and_noted(pump: Pump) -> None:
    """Money above what is owed is not turned away: the bill is settled, and the row is named."""
    drop(pump, TAPE)
    more = {**TAPE, "repayments.csv": REPAYMENTS + "r-3,o-1,a-1,2026-02-21T10:00:00,60001\n"}
    result = drop(pump, more, "april")

    assert result["counts"]["repayments.overpaid"] == 1
    assert rows(pump, "noted", "april") == [("repayments", 4, "overpaid", "amount_minor")]
    assert status(pump)["o-1"] == "settled"


def test_a_borrower_who_cannot_be_reached_is_noted(pump: Pump) -> None:
    """A person without address and number is taken in and named: nothing can be sent to them."""
    accounts = ACCOUNTS + "a-4,b-4,cash-loan,CNY,2025-03-09,,\n"
    result = drop(pump, {**TAPE, "accounts.csv": accounts})

    assert result["counts"]["accounts.stored"] == 4
    assert rows(pump, "noted") == [("accounts", 5, "no_contact_point", "")]


@pytest.mark.parametrize(
    ("files", "code", "field"),
    [
        (
            {
                "accounts.csv": ACCOUNTS,
                "obligations.csv.xz": lzma.compress(OBLIGATIONS.encode())[:-9],
            },
            "truncated_archive",
            "obligations.csv.xz",
        ),
        (
            {"accounts.csv": ACCOUNTS, "obligations.csv.xz": OBLIGATIONS},
            "bad_archive",
            "obligations.csv.xz",
        ),
        (
            {**TAPE, "obligations.csv": OBLIGATIONS.replace("due_on", "due")},
            "missing_column",
            "due_on",
        ),
        ({"accounts.csv": ACCOUNTS}, "missing_file", "obligations"),
        ({**TAPE, "repayments.csv": b"\xff\xfe"}, "not_utf8", "repayments.csv"),
        ({**TAPE, "obligations.csv": ""}, "empty_file", "obligations.csv"),
    ],
    ids=["cut off", "no archive", "no column", "no file", "no text", "empty"],
)
def test_a_tape_that_cannot_be_trusted_is_refused_whole(
    pump: Pump, files: dict[str, str | bytes], code: str, field: str
) -> None:
    """Nothing of it is stored, the result says why, and the message does not come back."""
    before = pump.tables()

    result = drop(pump, files)

    assert result["state"] == "refused"
    assert (result["error"]["code"], result["error"]["field"]) == (code, field)
    assert result["error"]["message"]
    assert pump.tables() == before
    assert pump.cloud.waiting("FilesQueue") == pump.cloud.waiting("FilesDeadLetters") == 0


def test_a_manifest_that_is_none_is_refused(pump: Pump) -> None:
    """A broken announcement gets a result too, and repeats nothing of what was in it."""
    pump.cloud.put_object("FilesBucket", f"{INBOX}march/{MANIFEST}", b'{"canary": 1}')
    pump.settle()

    body = result_of(pump, "result.json")
    assert json.loads(body)["error"]["code"] == "bad_manifest"
    assert b"canary" not in body


def test_a_file_that_the_manifest_names_and_nobody_put_is_refused(pump: Pump) -> None:
    """The manifest came before its file: the result says which one is missing."""
    manifest = {"tenant": TENANT, "files": {"accounts.csv": {}, "obligations.csv": {}}}
    pump.cloud.put_object("FilesBucket", f"{INBOX}march/accounts.csv", ACCOUNTS.encode())
    pump.cloud.put_object("FilesBucket", f"{INBOX}march/{MANIFEST}", json.dumps(manifest).encode())
    pump.settle()

    result = json.loads(result_of(pump, "result.json"))
    assert result["state"] == "refused"
    assert "obligations.csv" in result["error"]["message"]


def everything_at_once(pump: Pump) -> tuple[dict[str, list[Any]], list[bytes]]:
    """Load a tape with some of everything and return the tables and the results."""
    files = {
        "accounts.csv": ACCOUNTS
        + "a-4,b-4,cash-loan,XXX,2025-03-09,,\na-5,b-5,card,CNY,2025-03-09,,\n",
        "repayments.csv": REPAYMENTS + "r-8,o-8,a-1,2026-02-20T10:00:00,1\nr-9,o-1,a-1,never,1\n",
        "obligations.csv": OBLIGATIONS + "o-9,a-9,1,2026-02-09T10:00:00,2026-03-09,1,1\n",
    }
    drop(pump, files)
    # Versions count the writes of an item: fewer rows a message are more writes.
    facts = {
        table: [{k: v for k, v in item.items() if k not in ("version", "seq")} for item in items]
        for table, items in pump.tables().items()
    }
    return facts, [
        result_of(pump, file) for file in ("result.json", "rejected.jsonl", "noted.jsonl")
    ]


def test_a_tape_that_takes_several_messages_ends_the_same(
    fresh: Callable[[], Pump], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time for more than two rows a message, tables and results are those of one message."""
    expected = everything_at_once(fresh())

    monkeypatch.setattr(load, "CHUNK", 2)
    pump = fresh()
    pump.context.remaining_ms = 1_000
    assert everything_at_once(pump) == expected
    assert pump.calls["OnFileFunction"] > 8


def test_an_announcement_that_comes_twice_does_no_harm(fresh: Callable[[], Pump]) -> None:
    """The second loading counts every row as unchanged; tables and what is said of single rows stay the same."""
    tables, results = everything_at_once(fresh())

    pump = fresh()
    pump.copies = 2
    again = everything_at_once(pump)
    assert again[0] == tables
    assert again[1][1:] == results[1:]


def test_a_store_that_fails_in_the_middle_does_no_harm(
    fresh: Callable[[], Pump], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message comes back, the tape begins anew, and the tables are those of a calm day."""
    tables, results = everything_at_once(fresh())

    pump = fresh()
    world = pump.worlds["OnFileFunction"]
    take_in, calls = world.intake.take_in, [0]

    def failing(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise Unavailable("throttled")
        return take_in(*arguments)

    monkeypatch.setattr(type(world.intake), "take_in", lambda _, *rest: failing(*rest))
    again = everything_at_once(pump)

    assert calls[0] > 3
    assert again[0] == tables
    # The rows of the first attempt are said to be unchanged in the second.
    assert again[1][1:] == results[1:]


def test_the_same_tape_twice_changes_nothing(pump: Pump) -> None:
    """Loaded again, under its own or another name, every row is unchanged and so are the tables."""
    drop(pump, TAPE)
    before = pump.tables()

    for name in ("march", "april"):
        result = drop(pump, TAPE, name)
        assert result["counts"] == {
            "accounts.unchanged": 3,
            "repayments.unchanged": 2,
            "obligations.unchanged": 3,
        }
    assert pump.tables() == before


def test_a_name_with_blanks_is_read(pump: Pump) -> None:
    """S3 announces keys in the form of URLs."""
    assert drop(pump, TAPE, "march 2026 + rest")["state"] == "loaded"


def test_an_unknown_column_is_left_aside_and_said(pump: Pump) -> None:
    """A file may have more than we read; the result names the columns that were left aside."""
    accounts = "\n".join(line + ",x" for line in ACCOUNTS.splitlines()) + "\n"
    result = drop(pump, {**TAPE, "accounts.csv": accounts})

    assert result["notices"] == ["accounts.csv: column x is left aside"]
