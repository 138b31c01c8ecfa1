"""Openings: a lender tells a loan by its terms or a bill by its purchases, and the obligations they mean are taken in.

The account says which product it is of, and the product's profile everything that terms leave open. All figures are
right, or refused, before the first write; what then goes in is one transaction, or for a long loan that is settled a
few, each of which a repetition finds done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from betimes.core import opening
from betimes.core.book import Pages, receipt_of
from betimes.core.borrower import Account
from betimes.core.errors import Rejected
from betimes.core.intake import AddObligation, AddRepayment, Command, Outcome, checked_repayment
from betimes.core.opening import Bill, Loan, Prepayment, Settling
from betimes.core.product import Profile
from betimes.core.values import dataclass
from betimes.flows.intake import Intake, Told


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is opened: the account with its product, and the zone of its civil dates."""

    pages: Pages
    account: Account
    profile: Profile
    zone: str


def tell_loan(
    intake: Intake, tenant: str, borrower_id: str, account_id: str, loan: Loan, now: datetime
) -> Outcome:
    """Return what telling a loan did: "unchanged" where all of it was known.

    Raises:
        Rejected: as `core.opening.loan_commands` and `core.intake.accept` give it; code "unknown_account";
            "unknown_profile", where no file describes the account's product; "wrong_currency". Nothing is stored.
        Stale: the borrower's pages stayed torn; ask again.
        Unavailable: the store cannot write now, or other writers kept winning.
    """
    place = _place(intake, tenant, borrower_id, account_id)
    if loan.terms.currency != place.account.currency:
        raise Rejected(
            "wrong_currency", "currency", f"the account is kept in {place.account.currency}"
        )
    commands = opening.loan_commands(
        account_id,
        loan,
        place.profile,
        intake.policies.calendars.get(place.profile.calendar),
        {payment.repayment_id: _value_date(place, payment, now) for payment in loan.payments},
    )
    return _take_in(intake, place, commands, now)


def tell_bill(
    intake: Intake, tenant: str, borrower_id: str, account_id: str, bill: Bill, now: datetime
) -> Outcome:
    """Return what telling a bill did: "unchanged" where all of it was known, or nothing is asked for.

    Raises:
        Rejected: as `core.opening.bill_commands` and `core.intake.accept` give it; code "unknown_account";
            "unknown_profile"; "unknown_obligation", field "before_id", where the bill is to take over what is left of
            one that is not known. Nothing is stored.
        Stale: the borrower's pages stayed torn; ask again.
        Unavailable: the store cannot write now, or other writers kept winning.
    """
    place = _place(intake, tenant, borrower_id, account_id)
    _, commands = opening.bill_commands(account_id, bill, place.profile, place.zone)
    told = {each.obligation_id for each in commands if isinstance(each, AddObligation)}
    for command in commands:
        if not isinstance(command, AddRepayment) or command.obligation_id in told:
            continue
        # The credit would wait for ever, and its amount be asked for on both bills.
        if command.obligation_id not in place.pages.obligations:
            raise Rejected(
                "unknown_obligation",
                "before_id",
                "the bill before is not known; name it in before_id, or tell it first",
            )
    return _take_in(intake, place, commands, now)


def _place(intake: Intake, tenant: str, borrower_id: str, account_id: str) -> _Place:
    pages = intake.stores.book.pages(tenant, borrower_id)
    account = pages.accounts.get(account_id)
    if pages.head is None or account is None:
        raise Rejected(
            "unknown_account", "account_id", "create the account before a loan or a bill"
        )
    profile = intake.policies.profiles.get(account.product)
    if profile is None:
        raise Rejected(
            "unknown_profile",
            "product",
            "no profile describes the product of this account; tell its obligations instead, or give the account one "
            f"of {', '.join(sorted(intake.policies.profiles))}",
        )
    return _Place(pages, account, profile, profile.zone or pages.head.zone)


def _value_date(place: _Place, payment: Prepayment | Settling, now: datetime) -> date:
    """Return the date on which a payment counts, as it will when it is taken in."""
    command = AddRepayment(
        payment.repayment_id, "", place.account.id, payment.paid_at, payment.amount_minor
    )
    repayment = checked_repayment(command, place.account.currency, now)
    return receipt_of(repayment, place.profile, place.zone).on


def _take_in(intake: Intake, place: _Place, commands: Sequence[Command], now: datetime) -> Outcome:
    outcome = Outcome.UNCHANGED
    waiting = Counter(
        repayment.obligation_id
        for repayment in place.pages.repayments.values()
        if not repayment.matched
    )
    for part in opening.portions(commands, waiting):
        told = Told(place.account.id, place.pages.borrower_id, part)
        [answer] = intake.take_in(place.pages.tenant, [told], now)
        if isinstance(answer, Rejected):
            raise answer
        if answer is not Outcome.UNCHANGED:
            outcome = answer
    return outcome
