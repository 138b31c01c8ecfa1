"""Months of a pretend book: the promises, the stored state and the digest, however the book is cut into lots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest

from betimes.core import decide, intake
from betimes.core.contact import Contact
from betimes.core.hold import KINDS, Kind
from betimes.core.obligation import Obligation
from betimes.core.reason import Reason
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


# Every role of the pretend lender, and every fault of the platform.
LONG = Months(date(2025, 1, 1), 200, 200, 7, ZONE)


@pytest.fixture(scope="module")
def totals() -> Totals:
    """Three months of thirty-six borrowers."""
    return play(SHORT, POLICIES)


@pytest.fixture(scope="module")
def long() -> Totals:
    """Half a year of two hundred borrowers."""
    return play(LONG, POLICIES)


def test_every_promise_is_kept_and_every_state_is_that_of_its_facts(totals: Totals) -> None:
    """Through outages, holds, reversals, duplicates and whatever else the lender comes up with."""
    assert totals.findings.all_kept, totals.findings
    assert not totals.restated
    assert totals.all_kept
    assert not totals.rejected, "a pretend lender tells nothing that is refused"
    assert totals.borrowers == 36
    assert totals.sent > 100


def test_every_promise_is_kept_in_a_book_that_holds_everything(long: Totals) -> None:
    """The larger one, in several lots."""
    assert long.all_kept, (long.findings, long.restated)
    assert not long.rejected


def test_everything_that_the_lab_is_there_for_happens(long: Totals) -> None:
    """Every reason that can come of the shipped treatments, so that none of them is proved by never happening.

    Left out is what only other policies lead to: closed days, stale feeds, addresses that are not confirmed, and caps
    and consents of places where nobody of the book lives (tests/stories shows them).
    """
    reasons = {reason for _, reason in long.reasons}
    never = {"closed_day", "stale_feed", "contact_point_unconfirmed", "no_common_window", "not_yet"}
    never |= {"contact_cap", "forbidden_by_rule"}
    # Learnt of addresses from reports, and no list of addresses is kept there.
    never |= {"address_resting"}
    # Said on our own pages (tests/pages), and not by lenders.
    never |= {"hold_paid_claim", "one_reminder_wanted", "own_quiet_hours"}
    decided = {str(reason) for reason in Reason if reason not in _OF_CONTACTS}
    assert reasons >= decided - never, sorted(decided - never - reasons)
    assert not reasons & never, "it does happen: take it off the list"


# Reasons that only a contact has, and no decision.
_OF_CONTACTS = {
    *(Reason.REDATED, Reason.ACCEPTED, Reason.PROVIDER_REFUSED, Reason.PROVIDER_BUSY),
    *(Reason.PROVIDER_TIMEOUT, Reason.LEASE_EXPIRED, Reason.ONE_MORE_ATTEMPT, Reason.HELD_UNKNOWN),
    *(Reason.DELIVERED, Reason.BOUNCED_HARD, Reason.BOUNCED_SOFT, Reason.PROVIDER_FAILED),
    *(Reason.COMPLAINED, Reason.NO_RECEIPT, Reason.BUDGET_SPENT),
}


def test_every_kind_of_hold_and_of_money_in_flight_stops_contact(long: Totals) -> None:
    """And some money is on its way to an account, not to a debt."""
    told = {kind: meaning for kind, meaning in KINDS.items() if kind is not Kind.PAID_CLAIM}
    for meaning in told.values():
        assert long.reasons["wait", meaning.reason] or long.reasons["suppress", meaning.reason]
    assert all(long.told[f"hold {kind}"] for kind in told)
    for means, state in (
        *[("debit", end) for end in ("pending", "settled", "failed")],
        *[("transfer", end) for end in ("pending", "settled", "failed")],
        *[("refund", end) for end in ("pending", "settled")],
    ):
        assert long.told[f"{means} {state}"], (means, state)
    assert long.told["money for the account"]


def test_the_faults_of_the_platform_happen_too(long: Totals) -> None:
    """A queue that is late and repeats itself, workers that die, and a provider that answers in every way."""
    for word in ("late", "again", "died", *_ANSWERS):
        assert long.deliveries[word], word
    assert {"ACCEPTED", "DELIVERED", "REFUSED", "UNKNOWN", "FAILED", "CANCELLED"} <= set(
        long.states
    )
    assert {"UNDELIVERED_HARD", "UNDELIVERED_SOFT"} <= set(long.states)
    assert {"redated", "paid", "held_unknown", "provider_refused"} <= set(long.ends)


_ANSWERS = ("accepted", "refused", "put_back", "unknown", "ended", "not_now", "not_ready")


def test_a_defect_in_the_rules_breaks_the_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: no hold stops anything; every list of the audit is part of the verdict."""
    monkeypatch.setattr(decide, "stopping", lambda *_, **__: None)
    broken = play(replace(SHORT, borrowers=9), POLICIES)
    assert not broken.all_kept
    assert broken.totals(0)["against_policy"] == len(broken.findings.against_policy) > 0


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
