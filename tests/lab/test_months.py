"""Months of a pretend book: the promises, the stored state and the digest, however the book is cut into lots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest

from betimes.core import intake
from betimes.core.contact import Contact
from betimes.core.obligation import Obligation
from betimes.core.record import Record
from betimes.lab import months as played
from betimes.lab.months import Months, Totals, play
from tests.core.support import POLICIES

ZONE = "Asia/Shanghai"
SHORT = Months(date(2025, 1, 1), 100, 36, 7, ZONE)


@contextmanager
def lots_of(borrower_days: int) -> Iterator[None]:
    """Cut books into lots of another size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(played, "LOT", borrower_days)
        yield


@pytest.fixture(scope="module")
def totals() -> Totals:
    """Three months of thirty-six borrowers: nearly every role of the pretend lender is among them."""
    return play(SHORT, POLICIES)


def test_every_promise_is_kept_and_every_state_is_that_of_its_facts(totals: Totals) -> None:
    """Through outages, holds, reversals, duplicates and whatever else the lender comes up with."""
    assert totals.findings.all_kept, totals.findings
    assert not totals.restated
    assert totals.all_kept
    assert not totals.rejected, "a pretend lender tells nothing that is refused"
    assert totals.borrowers == 36
    assert totals.sent > 100


def test_it_is_no_quiet_book(totals: Totals) -> None:
    """Every reason that a healthy platform has for silence occurs, and none is left to chance alone."""
    reasons = {reason for _, reason in totals.reasons}
    assert reasons >= {
        "due",
        "paid",
        "minimum_paid",
        "money_in_flight",
        "awaiting_entry",
        "in_digest",
        "too_soon",
        "hold_dispute",
        "hold_promise",
        "hold_complaint",
        "hold_deceased",
        "hold_bankruptcy",
        "hold_mass",
    }, sorted(reasons)


def test_the_same_seed_gives_the_same_digest_in_lots_of_any_size(totals: Totals) -> None:
    """Borrowers never meet, so how many are played at once changes nothing; another seed changes everything."""
    with lots_of(7 * SHORT.days):
        again = play(SHORT, POLICIES)
    assert again.digest == totals.digest
    assert again.totals(0) == totals.totals(0)
    other = play(replace(SHORT, seed=8, borrowers=4), POLICIES)
    assert other.digest != play(replace(SHORT, borrowers=4), POLICIES).digest


def test_what_is_written_is_what_is_counted(totals: Totals) -> None:
    """Lot by lot, each contact and each decision once."""
    contacts: list[Contact] = []
    decisions: list[Record] = []
    told: list[int] = []

    def keep(some: Sequence[Contact], others: Sequence[Record]) -> None:
        contacts.extend(some)
        decisions.extend(others)

    with lots_of(16 * SHORT.days):
        play(SHORT, POLICIES, written=keep, progress=lambda done, _: told.append(done))
    assert told == [16, 32, 36]
    assert len({contact.id for contact in contacts}) == len(contacts)
    assert sum(contact.sent_at is not None for contact in contacts) == totals.sent
    assert len(decisions) == totals.decisions


def test_memory_does_not_grow_with_days() -> None:
    """A lot holds borrower-days: twice the days are played by half the borrowers at once, and what a lot has in memory
    at its end stays about the same.
    """

    def most(days: int) -> int:
        sizes: list[int] = []
        with lots_of(2_000):
            play(
                Months(date(2025, 1, 1), days, 10, 7, ZONE),
                POLICIES,
                written=lambda contacts, decisions: sizes.append(len(contacts) + len(decisions)),
            )
        return max(sizes)

    assert most(400) <= 1.5 * most(200)


def test_a_state_that_is_not_that_of_its_facts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: every fifth fen that comes in is kept out of what is stored."""
    honest = intake._standing

    def forgetful(obligation: Obligation, *rest: object) -> Obligation:
        found = honest(obligation, *rest)  # type: ignore[arg-type]  # passed on as they came
        return replace(found, paid_minor=found.paid_minor * 4 // 5)

    monkeypatch.setattr(intake, "_standing", forgetful)
    honest_restated = intake.restated

    def asked(*arguments: object) -> list[str]:
        monkeypatch.setattr(intake, "_standing", honest)
        found = honest_restated(*arguments)  # type: ignore[arg-type]  # passed on as they came
        monkeypatch.setattr(intake, "_standing", forgetful)
        return found

    monkeypatch.setattr(intake, "restated", asked)
    assert play(replace(SHORT, borrowers=6), POLICIES).restated
