"""The pretend lender: everything a platform has to cope with, in order of time, the same for the same seed, in memory
that does not grow with days, and accepted by the real intake.
"""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
import tomllib
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest

from betimes.core import intake, zones
from betimes.core.allocation import Parts
from betimes.core.book import Pages
from betimes.core.borrower import ContactPoint
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    AmendObligation,
    ChooseEntry,
    Command,
    LiftHold,
    PutAccount,
    PutBorrower,
    PutFlight,
    PutHold,
    ReverseRepayment,
)
from betimes.core.replay import Receipt
from betimes.lab import customer, lender, troubles
from betimes.lab.customer import Contract, Customer, Debt, Frame
from betimes.lab.habits import Chance, Payer, Source
from betimes.lab.lender import book
from betimes.lab.runner import Event
from tests.core.support import POLICIES

REPOSITORY = Path(__file__).parents[2]
START, DAYS, BORROWERS, SEED, ZONE = date(2026, 1, 1), 365, 200, 7, "Asia/Shanghai"
END = START + timedelta(days=DAYS)
FIGURES = tomllib.loads((resources.files("betimes.packs") / "calibration.toml").read_text("utf-8"))
T = TypeVar("T", bound=Command)


@cache
def played() -> tuple[tuple[Event, ...], Counter[str]]:
    """Return every event of a book of two hundred over a year, and its counts."""
    pretend = book(START, DAYS, BORROWERS, SEED, ZONE, calendars=POLICIES.calendars)
    return tuple(pretend.events), pretend.counts


def told(kind: type[T], events: Iterable[Event] | None = None) -> Iterator[tuple[Event, T]]:
    """Yield every command of a kind with the event that tells it, in order of time."""
    for event in played()[0] if events is None else events:
        for command in event.told.commands:
            if isinstance(command, kind):
                yield event, command


def once(kind: type[T]) -> list[tuple[Event, T]]:
    """Return every command of a kind as it was first told."""
    seen: set[object] = set()
    found = []
    for event, command in told(kind):
        if (key := (event.told.borrower_id, command)) not in seen:
            seen.add(key)
            found.append((event, command))
    return found


def digest(borrowers: int = 20, days: int = 120, seed: int = SEED) -> str:
    marks = hashlib.sha256()
    for event in book(START, days, borrowers, seed, ZONE).events:
        marks.update(repr(event).encode())
    return marks.hexdigest()


def test_events_come_in_order_of_time_and_end_with_the_book() -> None:
    """None before the first day, none after the last, and each says where it stands."""
    events, _ = played()
    assert all(before.at <= after.at for before, after in pairwise(events))
    assert zones.instant(START, time(), ZONE) <= events[0].at
    assert events[-1].at < zones.instant(END, time(), ZONE)
    assert len({event.place for event in events}) == len(events)


def test_the_same_seed_tells_the_same_story() -> None:
    """Another seed or length tells another."""
    assert digest() == digest()
    assert digest() != digest(seed=SEED + 1)
    assert digest() != digest(days=121)


def test_the_story_does_not_depend_on_the_hash_seed() -> None:
    """Two interpreters that hash texts differently tell the same."""
    code = (
        "import hashlib, datetime; from betimes.lab.lender import book\n"
        "told = book(datetime.date(2026, 1, 1), 60, 12, 7, 'Asia/Shanghai').events\n"
        "print(hashlib.sha256(''.join(map(repr, told)).encode()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY / "functions")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_more_borrowers_change_nobody() -> None:
    """The first ten are told the same in a book of ten and in one of thirty."""
    few = list(book(START, 100, 10, SEED, ZONE).events)
    many = list(book(START, 100, 30, SEED, ZONE).events)
    names = {event.told.borrower_id for event in few}
    assert few == [event for event in many if event.told.borrower_id in names]


def test_a_book_can_be_told_in_lots() -> None:
    """Borrowers numbered from a first one on are those of the whole book."""
    whole = list(book(START, 100, 12, SEED, ZONE).events)
    lots = [
        *book(START, 100, 5, SEED, ZONE).events,
        *book(START, 100, 7, SEED, ZONE, first=6).events,
    ]
    assert sorted(map(repr, whole)) == sorted(map(repr, lots))


def test_every_kind_of_event_occurs() -> None:
    """All that the lab has to play, in a book of two hundred over a year."""
    _, counts = played()
    commands = (PutBorrower, PutAccount, AddObligation, AmendObligation, ChooseEntry, AddRepayment,
                ReverseRepayment, PutFlight, PutHold, LiftHold)  # fmt: skip
    happened = (
        *(command.__name__ for command in commands),
        # That it is paid is said by borrowers, on our own pages.
        *(f"hold {kind}" for kind in Kind if kind is not Kind.PAID_CLAIM),
        *(
            f"debit {state}"
            for state in (FlightState.PENDING, FlightState.SETTLED, FlightState.FAILED)
        ),
        "transfer pending", "transfer settled", "transfer failed", "refund pending", "refund settled",
        "part payments", "overpayments", "unnamed payments", "heard late", "reversals", "again",
        "money before its obligation", "refunds before billing", "refunds after billing", "revolved",
        "bills converted", "due days chosen", "due dates moved", "arrangements", "aged anew",
        "prepaid in part", "repaid early", "disputes upheld", "promises kept", "promises broken",
        "backdated holds", "taken over", "borrowers changed",
    )  # fmt: skip
    assert [name for name in happened if not counts[name]] == []


def test_the_products_of_the_book_are_all_there() -> None:
    """Bills, loans, single payments, education, medical, work by stages; with mandates and without."""
    accounts = {command.account_id: command for _, command in told(PutAccount)}
    assert {account.product for account in accounts.values()} == set(lender.PRODUCTS)
    debited = Counter(bool(account.mandate) for account in accounts.values())
    assert debited[True] > 20 and debited[False] > 20


def test_shares_are_near_what_they_are_set_to() -> None:
    """Of many: part payments as measured, reversals, repeats, late and unnamed ones as chosen."""
    pretend = book(START, 365, 500, 3, ZONE)
    first: set[str] = set()
    for _, payment in told(AddRepayment, pretend.events):
        if not payment.credit:
            first.add(payment.repayment_id.rpartition("-")[0])
    counts, payments = pretend.counts, pretend.counts["payments"]
    assert payments > 5_000
    assert abs(counts["part payments"] / len(first) - FIGURES["partial_share"] / 10_000) <= 0.012
    assert abs(counts["reversals"] / payments - customer.REVERSED / 10_000) <= 0.005
    assert abs(counts["heard late"] / payments - customer.HEARD_LATE / 10_000) <= 0.005
    assert 0.004 <= counts["again"] / counts["AddRepayment"] <= 0.03
    kept, broken = counts["promises kept"], counts["promises broken"]
    assert 0.3 <= kept / (kept + broken) <= 0.7
    # Most debits on a due day fail for those who were going to be late, and are tried again every day.
    assert 0.1 <= counts["debit settled"] / counts["debit pending"] <= 0.6
    assert counts["debit settled"] + counts["debit failed"] >= 0.98 * counts["debit pending"]


# Days


def local(at: datetime, zone: str) -> datetime:
    return at.astimezone(zones.zone(zone))


@cache
def first_payments() -> tuple[tuple[str, date, datetime], ...]:
    """Return source, due date and local time of the first payment of each obligation in a larger book."""
    pretend = book(START, 540, 900, 5, ZONE)
    homes: dict[str, str] = {}
    due: dict[str, tuple[str, date, str]] = {}
    moved: set[str] = set()
    first: dict[str, datetime] = {}
    for event in pretend.events:
        added = [c for c in event.told.commands if isinstance(c, AddObligation)]
        for command in event.told.commands:
            match command:
                case PutBorrower(zone=zone):
                    homes[event.told.borrower_id] = zone
                case AddObligation(obligation_id=id_, account_id=account_id, due_on=due_on):
                    mark = account_id[:2]
                    cash = mark == "sp" or (mark == "jb" and len(added) == 1)
                    source = "cash" if cash else mark if mark in ("hb", "tk", "hi") else "plan"
                    zone = ZONE if mark in ("hb", "jb", "tk") else homes[event.told.borrower_id]
                    due[id_] = (source, due_on, zone)
                case AmendObligation(obligation_id=id_, due_on=due_on) if due_on != due[id_][1]:
                    moved.add(id_)
                case AddRepayment(credit=False, repayment_id=payment_id, paid_at=at):
                    id_ = payment_id.rpartition("-")[0]
                    first[id_] = min(at, first.get(id_, at))
    begin, end = START + timedelta(days=100), START + timedelta(days=540 - 95)
    return tuple(
        (source, due_on, local(first[id_], zone))
        for id_, (source, due_on, zone) in due.items()
        if id_ in first and id_ not in moved and begin <= due_on < end
    )


@pytest.mark.parametrize(("mark", "name"), [("cash", "instalment"), ("plan", "statement")])
def test_loans_are_paid_when_those_of_their_source_were(mark: str, name: str) -> None:
    """As near to the histogram as chance lets so few come: 0.02 and what a sample of this size differs by."""
    days = [(at.date() - due_on).days for source, due_on, at in first_payments() if source == mark]
    assert len(days) > 2_000
    bins = [(low, high, share / 100_000) for low, high, share in FIGURES[name]["bins"]]
    distance = sum(
        abs(sum(low <= day <= high for day in days) / len(days) - part) for low, high, part in bins
    )
    by_chance = sum((part * (1 - part) / len(days)) ** 0.5 for _, _, part in bins)
    assert distance <= 0.02 + by_chance
    late = sum(day > 0 for day in days) / len(days)
    assert abs(late - FIGURES[name]["late_share"] / 10_000) <= 0.02


def test_bills_are_late_as_often_as_measured() -> None:
    """They exist for days only, so nobody pays them weeks ahead; being late is as the source has it."""
    days = [(at.date() - due_on).days for source, due_on, at in first_payments() if source == "hb"]
    assert min(days) >= -10
    late = sum(day > 0 for day in days) / len(days)
    assert abs(late - FIGURES["statement"]["late_share"] / 10_000) <= 0.015


def test_people_pay_at_measured_hours_and_on_measured_weekdays() -> None:
    """Within 0.03 of the source, but for what a sample of this size differs by; debits do not change it."""
    found = [at for _, _, at in first_payments()]
    for of, key in (
        (Counter(at.hour for at in found), "paid_hours"),
        (Counter(at.weekday() for at in found), "paid_weekdays"),
    ):
        shares = [share / sum(FIGURES[key]) for share in FIGURES[key]]
        by_chance = sum((part * (1 - part) / len(found)) ** 0.5 for part in shares)
        distance = sum(abs(of[n] / len(found) - part) for n, part in enumerate(shares))
        assert distance <= 0.03 + by_chance


# What a platform may rely on


def test_intake_accepts_all_of_it_and_agrees_on_what_is_owed() -> None:
    """Nothing is refused; and what lender and platform compute by themselves is the same: whatever is open long after
    its due date has never been paid by anybody.
    """
    pages: dict[str, Pages] = {}
    for event in played()[0]:
        borrower_id = event.told.borrower_id
        for command in event.told.commands:
            before = pages.get(borrower_id, Pages("t", borrower_id))
            try:
                after, _ = intake.accept(before, command, POLICIES, shards=4, now=event.at)
            except Rejected as rejected:
                pytest.fail(f"{event.place}: {rejected.code} {rejected.field}: {rejected.message}")
            pages[borrower_id] = after
    long_due = [
        (obligation, page)
        for page in pages.values()
        for obligation in page.obligations.values()
        if obligation.due_on < END - timedelta(days=75)
    ]
    still_open = [(obligation, page) for obligation, page in long_due if obligation.is_open]
    assert len(long_due) > 1_500 and 0 < len(still_open) < 0.01 * len(long_due)
    for obligation, page in still_open:
        paid = [r.id for r in page.repayments.values() if r.id.startswith(f"{obligation.id}-p")]
        assert paid == [], obligation.id
    assert sum(page.head is not None and page.head.unmatched for page in pages.values()) == 0


def test_money_comes_before_its_obligation_late_and_dated_back() -> None:
    """Some before anybody knows what it pays, some weeks after it was paid; never before it was paid."""
    known = {command.obligation_id: event.at for event, command in reversed(once(AddObligation))}
    payments = [(event, each) for event, each in once(AddRepayment) if not each.credit]
    assert any(
        each.obligation_id and event.at < known[each.obligation_id] for event, each in payments
    )
    lags = [event.at - each.paid_at for event, each in payments]
    assert min(lags) > timedelta(0)
    assert timedelta(days=10) < max(lags) <= timedelta(days=customer.HEARD_LATE_DAYS)


def test_reversals_follow_their_repayments_within_days() -> None:
    """Also where the repayment itself is told late, or twice."""
    paid = {each.repayment_id: (event.at, each) for event, each in reversed(once(AddRepayment))}
    for event, back in once(ReverseRepayment):
        told_at, payment = paid[back.repayment_id]
        assert told_at < event.at and payment.paid_at < back.reversed_at <= event.at
        assert back.reversed_at - payment.paid_at <= timedelta(days=6)


def test_what_is_told_again_is_the_same() -> None:
    """Within hours, word for word."""
    events, counts = played()
    again = [event for event in events if event.place.endswith("(again)")]
    assert len(again) == counts["again"] > 20
    latest: dict[object, datetime] = {}
    for event in events:
        if event.place.endswith("(again)"):
            assert timedelta(0) < event.at - latest[event.told] <= timedelta(hours=6)
        latest[event.told] = event.at
    assert not any(isinstance(event.told.commands[0], PutBorrower) for event in again)


def test_a_flight_is_pending_before_it_ends_and_ends_once() -> None:
    """Debits at the product's windows on the due day or after it; a settled one comes with its money."""
    states: dict[str, list[tuple[datetime, PutFlight]]] = defaultdict(list)
    for event, flight in once(PutFlight):
        states[flight.flight_id].append((event.at, flight))
    mandated = {each.account_id for _, each in told(PutAccount) if each.mandate}
    received = {
        (each.account_id, each.amount_minor, each.paid_at) for _, each in once(AddRepayment)
    }
    windows = {
        name: {(at.hour, at.minute) for at in POLICIES.profiles[name].debit.windows}
        for name in ("huabei_like", "jiebei_like")
    }
    endless = 0
    for each in states.values():
        pending, *ends = [flight for _, flight in each]
        assert pending.state is FlightState.PENDING and len(ends) <= 1
        endless += not ends
        if pending.means is Means.DEBIT:
            product = "huabei_like" if pending.account_id.startswith("hb") else "jiebei_like"
            at = local(pending.at, ZONE)
            assert (at.hour, at.minute) in windows[product]
            assert pending.account_id in mandated
        for end in ends:
            assert end.at >= pending.at and end.expected_by >= end.at
            if end.state is FlightState.FAILED:
                assert end.reason
            elif end.means is not Means.REFUND:
                assert (end.account_id, end.amount_minor, end.at) in received
    assert 0 < endless < 0.1 * len(states)
    reasons = {flight.reason for each in states.values() for _, flight in each}
    assert {"insufficient_funds", "card_closed", "rejected_by_bank"} <= reasons


def test_overdue_loans_are_debited_every_day_and_bills_only_on_the_due_day() -> None:
    """As the products have it."""
    due = {each.obligation_id: each.due_on for _, each in told(AddObligation)}
    due |= {each.obligation_id: each.due_on for _, each in told(AmendObligation)}
    days: dict[str, set[int]] = defaultdict(set)
    for _, flight in told(PutFlight):
        if flight.means is Means.DEBIT and flight.state is FlightState.PENDING:
            on = local(flight.at, ZONE).date()
            days[flight.obligation_id].add((on - due[flight.obligation_id]).days)
    bills = set().union(*(each for id_, each in days.items() if id_.startswith("hb")))
    loans = set().union(*(each for id_, each in days.items() if id_.startswith("jb")))
    assert bills <= {0} and {0, 1, 2, 3} <= loans


def test_holds_overlap_enclose_and_begin_in_the_past() -> None:
    """And their scopes are the borrower, an account, an obligation and a channel."""
    holds: dict[str, list[PutHold]] = defaultdict(list)
    for event, hold in once(PutHold):
        holds[event.told.borrower_id].append(hold)
    pairs = [
        (one, other)
        for each in holds.values()
        for one in each
        for other in each
        if one.ends_at and other.ends_at and one.hold_id != other.hold_id
    ]
    assert any(
        one.starts_at < other.starts_at and one.ends_at > other.ends_at
        for one, other in pairs
        if one.ends_at and other.ends_at
    )
    assert any(
        one.starts_at < other.starts_at < one.ends_at < other.ends_at
        for one, other in pairs
        if one.ends_at and other.ends_at
    )
    assert any(one.ends_at == other.starts_at for one, other in pairs)
    assert any(hold.starts_at < event.at - timedelta(days=3) for event, hold in once(PutHold))
    scopes = {
        (bool(h.account_id), bool(h.obligation_id), bool(h.channel)) for _, h in once(PutHold)
    }
    assert {
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    } <= scopes


def test_a_hold_is_known_before_it_is_lifted() -> None:
    """And is lifted at the instant it is told to be, or never."""
    known = {(event.told.borrower_id, hold.hold_id): event.at for event, hold in once(PutHold)}
    for event, lift in once(LiftHold):
        assert known[event.told.borrower_id, lift.hold_id] < event.at == lift.lifted_at


def test_a_disaster_stops_everybody_in_the_area_and_lets_go_one_by_one() -> None:
    """The same hold for many within minutes; its ends are spread over ten days."""
    area = {
        event.told.borrower_id
        for event, person in told(PutBorrower)
        if troubles.AREA_TAG in person.tags
    }
    struck = [(event, hold) for event, hold in once(PutHold) if hold.kind is Kind.MASS]
    assert {hold.hold_id for _, hold in struck} == {"mass-1", "mass-2"}
    second = [(event, hold) for event, hold in struck if hold.hold_id == "mass-2"]
    assert {event.told.borrower_id for event, _ in second} == area and len(area) > 10
    told_at = [event.at for event, _ in second]
    assert max(told_at) - min(told_at) <= timedelta(minutes=10)
    assert len({hold.starts_at for _, hold in second}) == 1
    assert len({hold.ends_at for _, hold in second}) == troubles.RAMP_DAYS


def test_amendments_are_counted_and_follow_their_obligation() -> None:
    """Each with the next number, none over nothing."""
    known = {each.obligation_id: event.at for event, each in reversed(once(AddObligation))}
    revisions: Counter[str] = Counter()
    for event, each in once(AmendObligation):
        revisions[each.obligation_id] += 1
        assert each.revision == revisions[each.obligation_id]
        assert known[each.obligation_id] < event.at and each.amount_minor > 0
    assert any(each.aged_from for _, each in once(AmendObligation))


def test_a_debt_taken_over_waits_for_somebody_to_choose_where_to_begin() -> None:
    """It was overdue when it was told; the choice comes days later."""
    due = {each.obligation_id: (event.at, each) for event, each in reversed(once(AddObligation))}
    chosen = once(ChooseEntry)
    for event, choice in chosen:
        told_at, debt = due[choice.obligation_id]
        assert debt.due_on < told_at.date()
        assert timedelta(hours=9) < event.at - told_at < timedelta(days=11)
        assert choice.entry_on >= local(event.at, ZONE).date()
    assert len(chosen) >= 5


def test_people_live_in_many_zones_and_some_in_nobody_knows_which() -> None:
    """With tags and score bands; addresses and numbers are reserved ones."""
    people = [person for _, person in told(PutBorrower)]
    assert {ZONE, "America/New_York", "Europe/London", "Africa/Cairo", "Australia/Lord_Howe"} <= {
        person.zone for person in people
    }
    assert sum(bool(person.zone_evidence) for person in people) >= 4
    assert {person.score_band for person in people} == set("abcde")
    assert all(person.tags for person in people)
    for person in people:
        for point in person.contact_points:
            assert point.address.endswith("@borrowers.example") or point.address.startswith(
                "+447700900"
            )


def test_some_owe_two_things_on_one_day() -> None:
    """A bill and an instalment of one person: one message must do."""
    due: dict[tuple[str, date], set[str]] = defaultdict(set)
    for event, each in once(AddObligation):
        due[event.told.borrower_id, each.due_on].add(each.account_id[:2])
    assert sum({"hb", "jb"} <= accounts for accounts in due.values()) > 20


def test_the_platform_fails_for_a_day_and_for_six_hours() -> None:
    """Both on days on which much falls due, inside of the book, the day first."""
    lost, short = book(START, 540, 1, SEED, ZONE).outages
    assert lost.ends_at - lost.starts_at == timedelta(days=1)
    assert short.ends_at - short.starts_at == timedelta(hours=6)
    assert local(lost.starts_at, ZONE).day == 9 and local(short.starts_at, ZONE).hour == 9
    assert lost.ends_at < short.starts_at
    assert short.ends_at < zones.instant(START + timedelta(days=540), time(), ZONE)


def test_the_counts_are_those_of_what_was_told() -> None:
    """Counted as it is told."""
    _, counts = played()
    for kind in (AddObligation, AddRepayment, PutFlight, PutHold):
        assert counts[kind.__name__] == sum(1 for _ in told(kind))


def peak(days: int) -> int:
    """Return the most memory that reading a book of a hundred takes, without what is bounded anyway: the cache of
    instants, and circles of objects that wait for the collector.
    """
    gc.collect()
    gc.freeze()
    tracemalloc.start()
    for n, _ in enumerate(book(START, days, 100, SEED, ZONE).events):
        if n % 100 == 0:
            zones.instant.cache_clear()
            gc.collect()
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    gc.unfreeze()
    return highest


def test_memory_does_not_grow_with_days() -> None:
    """Three times as many days take at most 1.3 times the memory."""
    peak(30)
    assert peak(540) <= 1.3 * peak(180)


# The lender's own arithmetic


def owing(receipts: list[tuple[int, int]]) -> tuple[Customer, Debt]:
    """Return a debt of 1,000 and 50 of interest due on 10 March that received (day of March, minor units)."""
    profiles = lender.shipped()
    at = zones.instant(date(2026, 3, 1), time(), ZONE)
    frame = Frame(SEED, START, DAYS, ZONE, profiles, {}, at, at + timedelta(days=300))
    chance = Chance("x")
    who = Customer(1, frame, PutBorrower("en", ZONE, "CN", ()), chance, lambda *_: None)
    contract = Contract(
        "a1", profiles["jiebei_like"], date(2026, 3, 1), ZONE, Payer(chance, Source.CASH_LOANS),
        rate=profiles["huabei_like"].late.daily_rate,
    )  # fmt: skip
    debt = Debt(
        contract, "a1-1", 1, at, date(2026, 3, 10), date(2026, 3, 10),
        Parts(interest=5_000, principal=100_000),
    )  # fmt: skip
    for n, (day, minor) in enumerate(receipts):
        on = date(2026, 3, day)
        paid_at = zones.instant(on, time(12), ZONE)
        debt.receipts.append(Receipt(f"r{n}", on, paid_at, minor, debt.id))
    return who, debt


@pytest.mark.parametrize(
    ("receipts", "on", "owed"),
    [
        ([], 9, 105_000),
        ([], 10, 105_000),
        # 100,000 · 0.0005 · 1.5 = 75 a day from the day after the due date on.
        ([], 12, 105_075),
        ([], 13, 105_150),
        ([(5, 40_000)], 10, 65_000),
        ([(5, 105_000)], 10, 0),
        ([(5, 105_000)], 30, 0),
        ([(5, 110_000)], 10, 0),
        ([(12, 105_075)], 20, 0),
        ([(12, 105_000)], 12, 75),
    ],
)
def test_what_is_owed_is_what_the_core_says(
    receipts: list[tuple[int, int]], on: int, owed: int
) -> None:
    """Before the due date the sum, after it with late interest."""
    who, debt = owing(receipts)
    assert who.owed(debt, date(2026, 3, on)) == owed
    assert debt.settled is (owed == 0)
    assert debt.over_minor == (5_000 if receipts == [(5, 110_000)] else 0)


def test_contact_points_name_each_channel_once() -> None:
    """As intake asks for; a few have none, or a phone only, and those who rehearse a provider's answers an address."""
    ways = Counter(
        tuple(sorted(point.channel for point in person.contact_points))
        for person in {e.told.borrower_id: p for e, p in told(PutBorrower)}.values()
    )
    assert set(ways) == {(), ("sms",), ("email",), ("email", "sms")}
    assert ways["email", "sms"] > 160
    assert ContactPoint("sms", "+447700900000").channel == "sms"


def test_some_addresses_rehearse_what_a_provider_may_answer() -> None:
    """By the number of the borrower, whatever else befalls them; all of them are reserved."""
    people = {event.told.borrower_id: person for event, person in reversed(list(told(PutBorrower)))}
    rehearsed = {
        point.address.partition("@")[0]
        for person in people.values()
        for point in person.contact_points
        if point.channel == "email" and not point.address.startswith("b-")
    }
    assert rehearsed == set(lender._REHEARSED.values())
    assert all(
        point.address.endswith("@borrowers.example")
        for person in people.values()
        for point in person.contact_points
        if point.channel == "email"
    )


def test_a_due_date_is_moved_while_its_reminder_waits_for_the_provider() -> None:
    """Of whoever's provider is busy: minutes after the step of three days before."""
    busy = f"b{troubles.BUSY:05d}"
    moved = [
        zones.local_time(event.at, ZONE)
        for event, change in once(AmendObligation)
        if event.told.borrower_id == busy
    ]
    assert time(10, 5) in moved


def test_a_step_may_come_due_between_the_choice_of_an_entry_and_its_day() -> None:
    """Of some debts that were taken over: fifteen days after the due date."""
    due = {each.obligation_id: each.due_on for _, each in told(AddObligation)}
    between = [
        choice
        for event, choice in once(ChooseEntry)
        if zones.local_date(event.at, ZONE)
        < due[choice.obligation_id] + timedelta(days=15)
        < choice.entry_on
    ]
    assert between


def test_transfers_of_every_third_borrower_name_the_account_only() -> None:
    """All other money in flight names its debt."""
    of_account = [
        (int(event.told.borrower_id[1:]), flight)
        for event, flight in told(PutFlight)
        if not flight.obligation_id
    ]
    assert of_account
    assert all(number % 3 == 0 and f.means is Means.TRANSFER for number, f in of_account)
