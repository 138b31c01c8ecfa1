"""One borrower's pages of the Book, as read in one go, and a snapshot of one obligation in them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from betimes.core import late, zones
from betimes.core.borrower import Account, Borrower
from betimes.core.budget import NO_BUDGET, Budget
from betimes.core.consent import Entry, Ledger
from betimes.core.flight import Flight, FlightState, answered
from betimes.core.hold import Hold, intervals
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment
from betimes.core.product import PLAIN, Profile
from betimes.core.replay import Debt, Receipt, Standing, owed
from betimes.core.touch import Touch
from betimes.core.values import dataclass, replace

Profiles = Mapping[str, Profile]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a decision sees: a borrower and one obligation, each tied to its version, with the account, the product, and
    the holds and flights that concern them.

    A settled flight whose money is there already is left out. `owing` is everything the borrower owes. `fed_at` is up
    to when the lender's repayments are known to be complete, None where that was never told. `budget` has all touches
    of the person, whatever they were about; `consents` all that the person agreed to and refused, in order of telling.
    """

    borrower: Borrower
    obligation: Obligation
    account: Account | None = None
    profile: Profile = PLAIN
    holds: tuple[Hold, ...] = ()
    flights: tuple[Flight, ...] = ()
    owing: Mapping[str, Obligation] = field(default_factory=dict, repr=False)
    fed_at: datetime | None = None
    budget: Budget = NO_BUDGET
    consents: Ledger = ()

    @property
    def touches(self) -> tuple[Touch, ...]:
        """What has been between this person and all who contact them, in order of time."""
        return self.budget.touches

    def spoken_beside(self, contact: Container[tuple[str, str]], since: datetime) -> list[datetime]:
        """Return when, after `since`, anything that the borrower owes was last spoken of, in any cycle, by each step
        that is not among those of `contact`, given as (obligation id, key).
        """
        return [
            at
            for other in self.owing.values()
            for step, at in other.watch.spoken
            if at > since and (other.id, step) not in contact
        ]

    @property
    def zone(self) -> str:
        """The zone of the obligation's civil dates: the product's, or the borrower's where the product has none."""
        return self.profile.zone or self.borrower.zone

    @property
    def has_mandate(self) -> bool:
        """Whether the obligation is collected by auto-debit: a mandate is in force, and no minimum switched it off."""
        if self.account is None or not self.account.mandate:
            return False
        return not (self.profile.debit.off_by_minimum and self.obligation.minimum_is_met)

    def owed(self, at: datetime) -> Money:
        """Return what a payment at the instant `at` would have to be, late interest included; 0 once settled."""
        obligation = self.obligation
        on = value_date(at, self.profile, self.zone)
        if not obligation.is_open or (on <= obligation.due_on and not obligation.accrued):
            # Nothing is late, or not yet.
            return obligation.outstanding
        rate = contract_rate(self.account, self.profile)
        if not late.daily_rate(self.profile, rate):
            return obligation.outstanding
        frozen = frozen_days(self.holds, self.profile, self.zone, on)
        debt, standing = debt_of(obligation, self.zone), standing_of(obligation)
        parts = owed(debt, standing, on, self.profile, rate, frozen)
        return Money(parts.total, obligation.amount.currency)


def contract_rate(account: Account | None, profile: Profile) -> Decimal:
    """Return the contract's daily rate: the account's own, else the product's."""
    return (account.daily_rate if account is not None else Decimal(0)) or profile.daily_rate


def debt_of(obligation: Obligation, zone: str, frozen: tuple[tuple[date, date], ...] = ()) -> Debt:
    """Return an obligation as `core.replay` sees it; `frozen` as `frozen_days` gives it for the obligation's holds."""
    return Debt(
        obligation.id,
        obligation.seq,
        zones.local_date(obligation.issued_at, zone),
        obligation.due_on,
        obligation.billed,
        obligation.minimum_minor,
        frozen,
    )


def debts_of(
    owing: Iterable[Obligation], holds: Iterable[Hold], profile: Profile, zone: str, until: date
) -> list[Debt]:
    """Return the obligations of an account as `core.replay` sees them, each with the days up to `until` on which the
    holds that concern it stop its late interest.
    """
    all_holds = tuple(holds)
    return [
        debt_of(
            each,
            zone,
            frozen_days(
                (hold for hold in all_holds if hold.concerns(each.account_id, each.id)),
                profile,
                zone,
                until,
            ),
        )
        for each in owing
    ]


def value_date(at: datetime, profile: Profile, zone: str) -> date:
    """Return the civil date that money paid at `at` counts from: after the product's cut-off, the next day's."""
    return _value_date(at, profile.cut_off, zone)


# Remembered: every replay of an account asks it again of all its money.
@lru_cache(maxsize=8192)
def _value_date(at: datetime, cut_off: time, zone: str) -> date:
    on = zones.local_date(at, zone)
    after = zones.local_time(at, zone).replace(microsecond=0) > cut_off
    return on + timedelta(days=1) if after else on


def receipt_of(repayment: Repayment, profile: Profile, zone: str) -> Receipt:
    """Return a repayment as `core.replay` sees it; one after the product's cut-off counts from the next day."""
    return Receipt(
        repayment.id,
        value_date(repayment.paid_at, profile, zone),
        repayment.paid_at,
        repayment.amount.minor,
        repayment.obligation_id,
        repayment.credit,
    )


def standing_of(obligation: Obligation) -> Standing:
    """Return what the last replay left of an obligation."""
    return Standing(
        obligation.paid,
        obligation.accrued,
        obligation.accrued_to or obligation.due_on,
        obligation.overpaid_minor,
        "" if obligation.is_open else "settled",
    )


def frozen_days(
    holds: Iterable[Hold], profile: Profile, zone: str, until: date
) -> tuple[tuple[date, date], ...]:
    """Return the civil days, half-open, on which the product's late interest does not accrue because of a hold.

    A hold on one channel is about how to write to somebody and changes nothing of what is owed.
    """
    if not profile.late.frozen_by:
        return ()
    holds = (hold for hold in holds if not hold.channel)
    end = zones.instant(until + timedelta(days=1), time.min, zone)
    return tuple(
        (zones.local_date(start, zone), zones.local_date(over, zone))
        for start, over in intervals(holds, profile.late.frozen_by, until=end)
    )


@dataclass(frozen=True, slots=True)
class Pages:
    """Everything the Book holds about one borrower. `head` is None when nothing is known of the person yet."""

    tenant: str
    borrower_id: str
    head: Borrower | None = None
    accounts: Mapping[str, Account] = field(default_factory=dict)
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    repayments: Mapping[str, Repayment] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    flights: Mapping[str, Flight] = field(default_factory=dict)
    budget: Budget = NO_BUDGET
    consents: Ledger = ()

    @property
    def is_torn(self) -> bool:
        """Whether this read shows half of a transaction and must be repeated.

        Source: DynamoDB Developer Guide, transactions are only read-committed against Query.
        """
        if self.head is None:
            return False
        waiting = sum(not repayment.matched for repayment in self.repayments.values())
        if waiting != self.head.unmatched or self.held != self.head.held:
            return True
        versions = {id_: obligation.version for id_, obligation in self.obligations.items()}
        return any(
            account.tally not in (0, self.tally(account_id, versions))
            for account_id, account in self.accounts.items()
        )

    @property
    def held(self) -> int:
        """A number that rises with every change of a hold or a flight and with every consent in these pages; the head
        has that of its own.
        """
        holds = sum(hold.revision for hold in self.holds.values())
        flights = sum(flight.revision for flight in self.flights.values())
        return holds + flights + len(self.consents)

    def tally(self, account_id: str, versions: Mapping[str, int]) -> int:
        """Return a number that rises with every fact about an account's money; the account has that of its last write.

        `versions` are those of the obligations as stored.
        """
        owing = sum(
            versions[obligation.id]
            for obligation in self.obligations.values()
            if obligation.account_id == account_id
        )
        return owing + sum(
            1 + repayment.matched + (repayment.reversed_at is not None)
            for repayment in self.repayments.values()
            if repayment.account_id == account_id
        )

    def snapshot(
        self,
        obligation_id: str,
        profiles: Profiles | None = None,
        *,
        fed_at: datetime | None = None,
    ) -> Snapshot:
        """Return the snapshot of one obligation, with its product's profile among `profiles`.

        Raises:
            KeyError: it is not in these pages.
        """
        assert self.head is not None, "an obligation never stands without its borrower"
        obligation = self.obligations[obligation_id]
        account = self.accounts.get(obligation.account_id)
        product = account.product if account is not None else ""
        return Snapshot(
            self.head,
            obligation,
            account,
            (profiles or {}).get(product, PLAIN),
            tuple(
                hold
                for hold in self.holds.values()
                if hold.concerns(obligation.account_id, obligation.id)
            ),
            self._flights_of(obligation),
            self.obligations,
            fed_at,
            self.budget,
            self.consents,
        )

    def _flights_of(self, obligation: Obligation) -> tuple[Flight, ...]:
        """Return the flights that concern an obligation; for an open one without those whose money is there."""
        account_id, id_ = obligation.account_id, obligation.id
        found = tuple([each for each in self.flights.values() if each.concerns(account_id, id_)])
        if not obligation.is_open or all(
            flight.state is not FlightState.SETTLED for flight in found
        ):
            return found
        over = answered(self.flights.values(), self.repayments.values())
        return tuple(flight for flight in found if flight.id not in over)

    def with_head(self, head: Borrower) -> Pages:
        """Return these pages with another head."""
        return replace(self, head=head)

    def with_account(self, account: Account) -> Pages:
        """Return these pages with `account` added or replaced."""
        return replace(self, accounts={**self.accounts, account.id: account})

    def with_obligation(self, obligation: Obligation) -> Pages:
        """Return these pages with `obligation` added or replaced."""
        return replace(self, obligations={**self.obligations, obligation.id: obligation})

    def with_hold(self, hold: Hold) -> Pages:
        """Return these pages with `hold` added or replaced."""
        return replace(self, holds={**self.holds, hold.id: hold})

    def with_flight(self, flight: Flight) -> Pages:
        """Return these pages with `flight` added or replaced."""
        return replace(self, flights={**self.flights, flight.id: flight})

    def with_budget(self, budget: Budget) -> Pages:
        """Return these pages with another contact budget."""
        return replace(self, budget=budget)

    def with_entry(self, entry: Entry) -> Pages:
        """Return these pages with a consent, a refusal or the end of one behind those before it."""
        return replace(self, consents=(*self.consents, entry))

    def with_repayment(self, repayment: Repayment) -> Pages:
        """Return these pages with `repayment` added or replaced."""
        return replace(self, repayments={**self.repayments, repayment.id: repayment})


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds an account, and the repayments that arrived before the account did.

    `borrower_id` is "" as long as the account is unknown. `parkings` is the number of repayments parked, as the owner's
    own item has it: whoever takes the account must have seen all of them.
    """

    tenant: str
    account_id: str
    borrower_id: str = ""
    parked: tuple[Repayment, ...] = ()
    parkings: int = 0

    @property
    def is_torn(self) -> bool:
        """Whether this read shows half of a transaction and must be repeated; see `Pages.is_torn`."""
        return self.parkings != len(self.parked)
