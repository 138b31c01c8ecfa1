"""A loan told by its terms is stored whole or not at all, whatever waits for it and whoever writes at the same time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from betimes.core.errors import Rejected
from betimes.core.intake import Outcome
from betimes.core.opening import Bill, Loan, Prepayment, Settling
from betimes.core.policies import Policies
from betimes.core.schedule import Terms, schedule
from betimes.core.statement import Forward, Purchase
from betimes.flows.intake import Intake
from betimes.flows.openings import tell_bill, tell_loan
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES
from tests.flows.harness import TOLD_AT, Interrupted, account, money, person, tell

# As many months as an account may owe at once.
LONG = replace(POLICIES.profiles["jiebei_like"], name="long", max_months=72)
MANY: Policies = replace(POLICIES, profiles={**POLICIES.profiles, "long": LONG})
TERMS = Terms(7_200_000, "CNY", 72, date(2026, 2, 15), daily_rate=Decimal("0.0003"))
LOAN = Loan(TERMS, TOLD_AT - timedelta(days=10))


def world() -> World:
    """Return a world in which a borrower has an account of a loan and one of a bill."""
    here = World(MANY, TOLD_AT, shards=1)
    answers = tell(
        here, person(), account("a1", product="long"), account("a2", product="huabei_like")
    )
    assert set(answers) == {"stored"}
    return here


def told(here: World, loan: Loan = LOAN, intake: Intake | None = None) -> Outcome:
    return tell_loan(intake or here.intake, TENANT, "b1", "a1", loan, here.clock.now())


def owed(here: World) -> int:
    pages = here.memory.pages(TENANT, "b1")
    return sum(each.outstanding.minor for each in pages.obligations.values())


def test_the_longest_loan_is_one_transaction() -> None:
    """72 obligations, each with its look; told again, nothing is written."""
    here = world()
    assert told(here) is Outcome.STORED
    assert owed(here) == sum(row.amount_minor for row in schedule(TERMS, LONG))
    assert told(here) is Outcome.UNCHANGED


def test_money_that_waited_for_the_rows_of_a_loan_is_credited() -> None:
    """More of it than one transaction takes beside the rows themselves."""
    here = world()
    for n in range(90):
        row = f"a1-{n % 3 + 1:03d}"
        tell(here, money(f"early-{n}", 100, obligation_id=row, paid_at=TOLD_AT))
    assert told(here) is Outcome.STORED
    pages = here.memory.pages(TENANT, "b1")
    assert all(repayment.matched for repayment in pages.repayments.values())
    whole = sum(row.amount_minor for row in schedule(TERMS, LONG))
    assert owed(here) == whole - 90 * 100
    assert told(here) is Outcome.UNCHANGED


@pytest.mark.parametrize("at", range(3))
def test_another_writer_in_between_is_no_harm(at: int) -> None:
    """Wherever a payment for the account comes in, the loan is told whole, and the payment counts."""
    here = world()
    between = Interrupted(
        here.memory, at, lambda: tell(here, money("r1", 500, obligation_id="a1-001"))
    )
    told(here, intake=Intake(between.stores, MANY, 1))
    here.settle()
    assert between.happened
    # What came in between telling and matching is matched when the loan is told again.
    told(here)
    whole = sum(row.amount_minor for row in schedule(TERMS, LONG))
    assert owed(here) == whole - 500


def test_a_settlement_too_large_for_one_transaction_is_finished_by_telling_it_again() -> None:
    """72 rows and a credit note for each; a worker that dies between the parts leaves nothing that stays."""
    here = world()
    told(here)
    minor = 7_200_000 + 7_200_000 * 14 * 3 // 10_000
    loan = replace(LOAN, settling=Settling("s1", TOLD_AT, minor))

    class Died(Exception):
        pass

    def dies() -> None:
        raise Died

    # Read, read and commit of the first part, then the read of the second.
    between = Interrupted(here.memory, 3, dies)
    with pytest.raises(Died):
        told(here, loan, Intake(between.stores, MANY, 1))
    assert 0 < owed(here) < sum(row.amount_minor for row in schedule(TERMS, LONG))
    assert told(here, loan) is Outcome.STORED
    assert owed(here) == 0
    assert told(here, loan) is Outcome.UNCHANGED


def test_a_payment_ahead_that_is_refused_leaves_no_loan_behind() -> None:
    """Nothing of the loan it was told with is stored: here the payment lies in the future, there it is too much."""
    here = world()
    shorter = Loan(replace(TERMS, months=6), LOAN.issued_at)
    ahead = TOLD_AT + timedelta(hours=1)
    for payment in (Prepayment("p1", ahead, 10_000), Prepayment("p1", TOLD_AT, 10**9)):
        with pytest.raises(Rejected):
            told(here, replace(shorter, prepayments=(payment,)))
    assert here.memory.pages(TENANT, "b1").obligations == {}


def test_a_bill_takes_over_only_from_one_that_is_known() -> None:
    """Otherwise what revolves would be asked for twice as soon as the other bill arrives."""
    here = world()
    bought = Purchase("p", date(2026, 2, 10), date(2026, 2, 11), 5_000)
    bill = Bill(date(2026, 3, 1), 10, (bought,), forward=Forward(revolving_minor=900))
    with pytest.raises(Rejected) as caught:
        tell_bill(here.intake, TENANT, "b1", "a2", bill, TOLD_AT)
    assert (caught.value.code, caught.value.field) == ("unknown_obligation", "before_id")
    assert here.memory.pages(TENANT, "b1").obligations == {}
    alone = replace(bill, forward=Forward())
    assert tell_bill(here.intake, TENANT, "b1", "a2", alone, TOLD_AT) is Outcome.STORED
    assert tell_bill(here.intake, TENANT, "b1", "a2", alone, TOLD_AT) is Outcome.UNCHANGED
