"""Runs of whole books: compared with an oracle that knows nothing of the code but the eight days of the treatment."""

from __future__ import annotations

import csv
import lzma
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from betimes.core.borrower import ContactPoint
from betimes.core.contact import Contact
from betimes.core.errors import Rejected
from betimes.core.intake import AddObligation, AddRepayment, PutAccount, PutBorrower
from betimes.flows.intake import Told
from betimes.lab.runner import AFTERMATH, Event, LabRun, run, run_at
from betimes.local.tape import feed, prepare
from tests.core.support import POLICIES, utc

REPOSITORY = Path(__file__).parents[2]
CASH_LOANS = REPOSITORY.parent / "shared" / "data" / "tapes" / "cash-loans"
needs_tape = pytest.mark.skipif(
    not CASH_LOANS.is_dir(),
    reason="the real tapes are not part of the repository and not beside it",
)

# The treatment, written down once more: step, days from the due date, first channel.
STEPS = (
    ("D-3", -3, "email"), ("D-1", -1, "email"), ("D0", 0, "sms"), ("D+1", 1, "sms"),
    ("D+3", 3, "sms"), ("D+7", 7, "email"), ("D+15", 15, "email"), ("D+30", 30, "email"),
)  # fmt: skip
LAGOS = "Africa/Lagos"


@dataclass(frozen=True)
class Debt:
    """What the oracle knows of one obligation."""

    id: str
    zone: str
    issued_at: datetime
    due_on: date
    minor: int
    payments: tuple[tuple[datetime, int], ...]
    channels: tuple[str, ...] = ("email", "sms")


def expected(debts: Iterable[Debt], end: datetime) -> Counter[tuple[str, str, datetime, str, int]]:
    """Return the messages there must be: for each obligation exactly the steps whose instant lies at or after its
    issue, before the money was all there, and not after the end; with channel and the amount still owed.
    """
    messages: Counter[tuple[str, str, datetime, str, int]] = Counter()
    for debt in debts:
        for step, days, first in STEPS:
            local = datetime.combine(
                debt.due_on + timedelta(days=days), time(10), ZoneInfo(debt.zone)
            )
            at = local.astimezone(UTC)
            owed = debt.minor - sum(minor for paid_at, minor in debt.payments if paid_at <= at)
            if debt.channels and debt.issued_at <= at <= end and owed > 0:
                channel = first if first in debt.channels else debt.channels[0]
                messages[debt.id, step, at, channel, owed] += 1
    return messages


def sent(done: LabRun) -> Counter[tuple[str, str, datetime, str, int]]:
    """Return the messages there were, as the provider accepted them."""
    contacts = {contact.id: contact for contact in done.report.contacts}
    found: Counter[tuple[str, str, datetime, str, int]] = Counter()
    for arrived in done.world.provider.accepted:
        one = contacts[arrived.letter.contact_id]
        found[one.obligation_id, one.step, arrived.at, one.channel, one.amount.minor] += 1
    return found


ZONES = ("Asia/Shanghai", LAGOS, "America/New_York")


def made_up(
    seed: int, count: int = 60, zones: Sequence[str] = ZONES
) -> tuple[list[Debt], list[Event]]:
    """Return a book drawn with `seed`: three zones, part payments, early, late and missing ones, some at ten sharp,
    some borrowers with one channel or none; as the oracle and as the lab see it.
    """
    chance = random.Random(seed)
    debts: list[Debt] = []
    told: list[tuple[datetime, int, Told]] = []
    start = utc("2026-01-01 00:00")
    for n in range(count):
        zone = chance.choice(zones)
        channels = chance.choice([("email", "sms"), ("email", "sms"), ("sms",), ("email",), ()])
        issued_at = start + timedelta(minutes=chance.randrange(90 * 24 * 60))
        due_on = (issued_at + timedelta(days=chance.randrange(2, 40))).date()
        minor = chance.randrange(1, 500_000)
        payments: list[tuple[datetime, int]] = []
        left = minor
        while left and chance.random() < 0.8:
            part = left if chance.random() < 0.6 else chance.randrange(1, left + 1)
            day = due_on + timedelta(days=chance.randrange(-5, 35))
            sharp = datetime.combine(day, time(10), ZoneInfo(zone)).astimezone(UTC)
            paid_at = (
                sharp
                if chance.random() < 0.2
                else sharp + timedelta(seconds=chance.randrange(-90_000, 90_000))
            )
            payments.append((max(paid_at, issued_at), part))
            left -= part
        debts.append(Debt(f"o{n}", zone, issued_at, due_on, minor, tuple(payments), channels))
        points = {"email": f"b{n}@borrowers.example", "sms": "+447700900001"}
        person = PutBorrower(
            chance.choice(["zh-CN", "en"]), zone, "CN",
            tuple(ContactPoint(channel, points[channel]) for channel in channels),
        )  # fmt: skip
        opening = (person, PutAccount(f"a{n}", "card", "CNY", issued_at.date()))
        bill = AddObligation(f"o{n}", f"a{n}", 1, issued_at, due_on, minor, minor)
        told.append((issued_at, 0, Told(f"a{n}", f"b{n}", opening)))
        told.append((issued_at, 2, Told(f"a{n}", f"b{n}", (bill,))))
        for k, (paid_at, part) in enumerate(payments):
            money = AddRepayment(f"r{n}-{k}", f"o{n}", f"a{n}", paid_at, part)
            told.append((paid_at, 1, Told(f"a{n}", f"b{n}", (money,))))
    told.sort(key=lambda each: each[:2])
    return debts, [Event(at, what, f"made-up:{k}") for k, (at, _, what) in enumerate(told)]


@cache
def ran(seed: int) -> LabRun:
    """Return the run of a made-up book."""
    return run(made_up(seed)[1], POLICIES)


@pytest.mark.parametrize("seed", range(6))
def test_a_book_gets_exactly_the_messages_of_the_oracle(seed: int) -> None:
    """Each obligation each step that found it unpaid, once, at ten of its own zone, on the right channel, with the
    right amount; and nothing else. Every promise is kept.
    """
    debts, events = made_up(seed)
    end = events[-1].at + AFTERMATH
    assert sent(ran(seed)) == expected(debts, end)
    assert ran(seed).report.findings.all_kept
    assert ran(seed).rejected == []
    assert ran(seed).report.obligations == len(debts)


def test_the_oracle_is_not_empty_and_not_everything() -> None:
    """Guards the test above: paid and unpaid steps, part amounts and both channels occur."""
    debts, events = made_up(0)
    messages = expected(debts, events[-1].at + AFTERMATH)
    unpaid = expected(
        [Debt(**{**vars(debt), "payments": ()}) for debt in debts], events[-1].at + AFTERMATH
    )
    assert 100 < len(messages) < len(unpaid)
    assert {channel for _, _, _, channel, _ in messages} == {"email", "sms"}
    by_debt = defaultdict(set)
    for debt_id, _, _, _, owed in messages:
        by_debt[debt_id].add(owed)
    assert any(len(owed) > 1 for owed in by_debt.values())


def test_a_wrong_message_would_be_seen() -> None:
    """Guards the comparison: one payment moved across a step's instant makes the two differ."""
    debts, events = made_up(0)
    end = events[-1].at + AFTERMATH
    for k, debt in enumerate(debts):
        if debt.payments and debt.channels:
            early = Debt(**{**vars(debt), "payments": ((debt.issued_at, debt.minor),)})
            changed = [*debts[:k], early, *debts[k + 1 :]]
            if expected([early], end) != expected([debt], end):
                assert sent(ran(0)) != expected(changed, end)
                return
    raise AssertionError("no payment of the made-up book matters")


def test_two_runs_are_the_same_run() -> None:
    """The same digest and the same lines; another book has another digest."""
    again = run(made_up(1)[1], POLICIES)
    assert again.report == ran(1).report
    assert again.report.digest == ran(1).report.digest
    assert ran(0).report.digest != ran(1).report.digest


def test_one_fen_more_is_another_digest() -> None:
    """Whatever a borrower reads is in it."""
    debts, events = made_up(2, 10)
    first = run(events, POLICIES).report.digest
    target = next(debt for debt in debts if expected([debt], events[-1].at))
    changed = [_one_more(event, target.id) for event in events]
    assert run(changed, POLICIES).report.digest != first


def _one_more(event: Event, obligation_id: str) -> Event:
    commands = tuple(
        AddObligation(
            c.obligation_id, c.account_id, c.seq, c.issued_at, c.due_on, c.principal_minor + 1, c.amount_minor + 1
        )
        if isinstance(c, AddObligation) and c.obligation_id == obligation_id
        else c
        for c in event.told.commands
    )  # fmt: skip
    return Event(
        event.at, Told(event.told.account_id, event.told.borrower_id, commands), event.place
    )


def at_once(contacts: Sequence[Contact], at: datetime) -> dict[str, tuple[str, int]]:
    """Return text and amount of the contacts decided and sent at an instant, by id."""
    return {
        one.id: (one.text_sha256, one.amount.minor)
        for one in contacts
        if one.decided_at == at == one.sent_at
    }


@pytest.mark.parametrize("nth", range(4))
def test_a_book_told_at_once_gets_the_messages_of_that_instant(nth: int) -> None:
    """What the pocket cloud does on one morning is what the lab does on that morning, on the four busiest ones of a
    book in one zone: the same contacts, the same texts, and no others.
    """
    debts, events = made_up(3, 120, zones=ZONES[:1])
    end = events[-1].at + AFTERMATH
    mornings = Counter(at for _, _, at, _, _ in expected(debts, end))
    [(at, count)] = mornings.most_common(4)[nth : nth + 1]
    lab, morning = run(events, POLICIES, end=at), run_at(events, POLICIES, at)
    wanted = at_once(lab.report.contacts, at)
    assert len(wanted) == count
    assert at_once(morning.report.contacts, at) == wanted
    assert {one.id for one in morning.report.sent} == set(wanted)
    assert morning.report.findings.all_kept


def test_nothing_after_the_end_is_told() -> None:
    """An end before the first event leaves an empty world; no events and no end is an empty tape."""
    _, events = made_up(4, 5)
    before = run(events, POLICIES, end=events[0].at - timedelta(seconds=1))
    assert (before.report.obligations, before.report.contacts) == (0, ())
    assert run([], POLICIES, end=events[0].at).report.obligations == 0
    with pytest.raises(Rejected) as caught:
        run([], POLICIES)
    assert caught.value.code == "empty_tape"


def test_what_is_rejected_is_named_with_its_place() -> None:
    """It stops nothing else, and outcomes are counted."""
    _, events = made_up(5, 5)
    bad = Told("a0", "b0", (AddRepayment("r", "o0", "a0", events[-1].at, 0),))
    done = run([*events, Event(events[-1].at, bad, "repayments.csv:9")], POLICIES)
    assert [(place, rejected.code) for place, rejected in done.rejected] == [
        ("repayments.csv:9", "bad_amount")
    ]
    assert sum(done.outcomes.values()) == len(events)


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of the real tape."""
    with lzma.open(CASH_LOANS / f"{name}.csv.xz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lagos(text: str) -> datetime:
    """Return the instant of a local time of the tape."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(LAGOS)).astimezone(UTC)


@needs_tape
def test_real_loans_get_exactly_the_messages_of_the_oracle(tmp_path: Path) -> None:
    """The first 600 loans of the real tape, read here from its files and nowhere else: the same messages to the
    second.
    """
    payments = defaultdict(list)
    for row in rows("repayments"):
        payments[row["obligation_id"]].append((lagos(row["paid_at"]), int(row["amount_minor"])))
    debts = [
        Debt(
            row["obligation_id"], LAGOS, lagos(row["issued_at"]), date.fromisoformat(row["due_on"]),
            int(row["amount_minor"]), tuple(payments[row["obligation_id"]]),
        )
        for row in rows("obligations")[:600]
    ]  # fmt: skip
    prepare(CASH_LOANS, tmp_path / "tape", zone=LAGOS, limit=600)
    fed = feed(tmp_path / "tape", zone=LAGOS)
    events = [
        Event(
            each.at,
            Told(each.account_id, each.borrower_id, each.commands),
            f"{each.file}:{each.line}",
        )
        for each in fed.timed
    ]
    done = run(events, POLICIES)
    end = events[-1].at + AFTERMATH
    assert done.report.obligations == 600
    assert (fed.bad, done.rejected) == ((), [])
    assert sent(done) == expected(debts, end)
    assert sum(sent(done).values()) > 600
    assert done.report.findings.all_kept
