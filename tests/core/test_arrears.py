"""Arrears: the age of what the Book holds, today and on any day gone by."""

from __future__ import annotations

from datetime import date, timedelta

from betimes.core.ageing import Phase, history
from betimes.core.arrears import age_of, facts_of, pauses_of
from betimes.core.book import Pages
from betimes.core.hold import Hold, Kind
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    AmendObligation,
    Command,
    PutAccount,
    PutBorrower,
    PutHold,
    ReverseRepayment,
    accept,
)
from tests.core.support import POLICIES, utc

DUE = date(2026, 3, 9)
DAY = timedelta(days=1)
BILL = AddObligation("o1", "a1", 1, utc("2026-03-01 00:00"), DUE, 100_000, 100_000)
TOLD: tuple[Command, ...] = (
    PutBorrower("zh-CN", "Asia/Shanghai", "CN", ()),
    PutAccount("a1", "jiebei_like", "CNY", date(2026, 1, 1)),
    BILL,
)


def book(*commands: tuple[str, Command]) -> Pages:
    """Return the pages after the bill and the commands, each with the UTC time at which it is told."""
    pages = Pages("bank", "b1")
    opening = [("2026-03-01 00:00", command) for command in TOLD]
    for at, command in (*opening, *commands):
        pages, _ = accept(pages, command, POLICIES, shards=4, now=utc(at))
    return pages


def ages(pages: Pages, first: date, last: date) -> list[int]:
    """Return the days past due of the account at the close of each day."""
    facts = facts_of(pages, "a1", POLICIES)
    days = [first + n * DAY for n in range((last - first).days + 1)]
    return [day.dpd for day in history(facts, days)]


def paid(minor: int, at: str, name: str = "r1") -> AddRepayment:
    return AddRepayment(name, "o1", "a1", utc(at), minor)


def test_a_repayment_twenty_days_back_changes_all_twenty_days() -> None:
    """Whatever was reported then: the history is that of the facts known now."""
    late = book()
    assert ages(late, date(2026, 3, 9), date(2026, 3, 30)) == list(range(22))
    told = book(("2026-03-30 04:00", paid(100_000, "2026-03-10 04:00")))
    assert ages(told, date(2026, 3, 9), date(2026, 3, 30)) == [0] * 22


def test_a_part_payment_changes_no_day() -> None:
    """The oldest unpaid debt is still the same."""
    told = book(("2026-03-12 04:00", paid(40_000, "2026-03-12 04:00")))
    assert ages(told, date(2026, 3, 9), date(2026, 3, 20)) == list(range(12))


def test_what_was_taken_back_was_there_in_between() -> None:
    """Paid on the 11th, taken back on the 15th: current in between, and as old as ever after it."""
    told = book(
        ("2026-03-11 04:00", paid(100_000, "2026-03-11 04:00")),
        ("2026-03-15 04:00", ReverseRepayment("r1", utc("2026-03-15 04:00"))),
    )
    assert ages(told, date(2026, 3, 10), date(2026, 3, 16)) == [1, 0, 0, 0, 0, 6, 7]


def test_a_re_ageing_leaves_the_days_before_it_as_they_were() -> None:
    """From the day of the agreement on the count begins anew."""
    told = book(
        (
            "2026-03-20 04:00",
            AmendObligation("o1", 1, DUE, 100_000, 100_000, aged_from=date(2026, 3, 20)),
        )
    )
    assert ages(told, date(2026, 3, 18), date(2026, 3, 22)) == [9, 10, 0, 1, 2]
    seen = told.snapshot("o1", POLICIES.profiles)
    assert age_of(seen, utc("2026-03-22 04:00")).dpd == 2


def test_today_is_the_last_day_of_the_history() -> None:
    """Both ways of asking give one answer."""
    for at in ("2026-03-05", "2026-03-09", "2026-03-10", "2026-04-20"):
        pages = book()
        seen = pages.snapshot("o1", POLICIES.profiles)
        (day,) = history(facts_of(pages, "a1", POLICIES), [date.fromisoformat(at)])
        assert age_of(seen, utc(f"{at} 04:00")).dpd == day.dpd


def test_a_hold_counts_the_days_it_fills() -> None:
    """One that ends in the middle of a day does not take that day."""
    start, noon = utc("2026-03-09 16:00"), utc("2026-03-12 04:00")
    for ends_at, resumes_on in (
        (noon, date(2026, 3, 12)),
        (utc("2026-03-12 16:00"), date(2026, 3, 13)),
        (None, None),
    ):
        (pause,) = pauses_of([Hold("h1", Kind.DISPUTE, start, start, ends_at)], "Asia/Shanghai")
        assert (pause.starts_on, pause.resumes_on) == (date(2026, 3, 10), resumes_on)


def test_a_backdated_pause_recomputes_the_age() -> None:
    """Staff hear of it two days later; the product says that a dispute stops the count."""
    pages = book()
    account = pages.accounts["a1"]
    pages, _ = accept(
        pages,
        PutAccount("a1", "medical", account.currency, account.opened_on),
        POLICIES,
        shards=4,
        now=utc("2026-03-02 00:00"),
    )
    assert ages(pages, date(2026, 3, 14), date(2026, 3, 16)) == [5, 6, 7]
    hold = PutHold("h1", Kind.DISPUTE, utc("2026-03-11 16:00"), utc("2026-03-14 16:00"))
    pages, _ = accept(pages, hold, POLICIES, shards=4, now=utc("2026-03-16 04:00"))
    assert ages(pages, date(2026, 3, 10), date(2026, 3, 16)) == [1, 2, 2, 2, 2, 3, 4]
    seen = age_of(pages.snapshot("o1", POLICIES.profiles), utc("2026-03-16 04:00"))
    assert (seen.dpd, seen.phase) == (4, Phase.GRACE), "paused days do not use up grace either"
