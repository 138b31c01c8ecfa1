"""Arrears from the Book: how old what a borrower owes is, today and on any day gone by.

`core.ageing` counts; this module hands it the facts. The age of today follows from what stands on the obligation; that
of an earlier day is replayed from the money, by value date, so a payment that is told late changes every day it
concerns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from betimes.core import zones
from betimes.core.ageing import Course, Entry, Facts, Pause, ReAge, Standing, standing
from betimes.core.book import Pages, Snapshot, contract_rate, debts_of, receipt_of
from betimes.core.hold import Hold
from betimes.core.obligation import Obligation, Repayment
from betimes.core.replay import replay

if TYPE_CHECKING:
    # The policies hold the texts, and what a text says of the age comes from here.
    from betimes.core.policies import Policies


def pauses_of(holds: Iterable[Hold], zone: str) -> tuple[Pause, ...]:
    """Return the civil days of each hold as a pause of its kind; which kinds count is the product's to say.

    A hold on one channel is about how to write to somebody: no day counts less for it.
    """
    found = []
    for hold in (each for each in holds if not each.channel):
        over_at = hold.over_at
        starts_on = zones.local_date(hold.starts_at, zone)
        if over_at is None:
            found.append(Pause(starts_on, None, hold.kind))
        elif over_at > hold.starts_at:
            # The day on which it ends counts again, unless the hold fills it to its last instant.
            resumes_on = zones.local_date(over_at - timedelta(microseconds=1), zone)
            full = zones.local_date(over_at, zone) != resumes_on
            found.append(
                Pause(starts_on, resumes_on + timedelta(days=1) if full else resumes_on, hold.kind)
            )
    return tuple(found)


def unpaid_minor(obligation: Obligation) -> int:
    """Return what is missing from what keeps an obligation from being late: of its minimum where it has one."""
    if not obligation.is_open:
        return 0
    needed = obligation.minimum_minor or obligation.amount.minor
    return max(0, needed - obligation.received_minor)


def counted_from(obligation: Obligation) -> date:
    """Return the date that days past due are counted from: the due date, or a later one after a re-ageing."""
    return max(obligation.due_on, obligation.aged_from or obligation.due_on)


def age_of(snapshot: Snapshot, at: datetime) -> Standing:
    """Return phase and days past due of an obligation at the close of the local day of `at`, as it stands now."""
    return _aged(snapshot, at, unpaid_minor(snapshot.obligation))


def _aged(snapshot: Snapshot, at: datetime, missing_minor: int) -> Standing:
    zone = snapshot.zone
    return standing(
        counted_from(snapshot.obligation),
        missing_minor,
        zones.local_date(at, zone),
        snapshot.profile,
        pauses_of(snapshot.holds, zone) if snapshot.profile.dpd_paused_by else (),
    )


def spoken_age(snapshot: Snapshot, at: datetime) -> Standing:
    """Return the age that words about an obligation go by: that of `age_of`, but late interest that is left when the
    bill itself is paid is spoken of as old as the bill. Where a minimum was met nothing is late, whatever is left.
    """
    obligation = snapshot.obligation
    if not obligation.is_open or obligation.minimum_minor:
        return age_of(snapshot, at)
    return _aged(snapshot, at, snapshot.profile.tolerance_minor + 1)


def facts_of(pages: Pages, account_id: str, policies: Policies) -> Facts:
    """Return everything that ageing needs to know of an account, for any day.

    Raises:
        KeyError: the account is not in these pages.
    """
    assert pages.head is not None, "an account never stands without its borrower"
    account = pages.accounts[account_id]
    profile = policies.profile(account)
    zone = profile.zone or pages.head.zone
    owing = [o for o in pages.obligations.values() if o.account_id == account_id]
    entries = _entries(pages, account_id, policies)
    return Facts(
        courses=tuple(
            Course(
                issued_on=zones.local_date(obligation.issued_at, zone),
                due_on=obligation.due_on,
                amount_minor=obligation.amount.minor,
                minimum_minor=obligation.minimum_minor,
                entries=tuple(entries.get(obligation.id, ())),
                reaged=_reaged(obligation),
                pauses=pauses_of(
                    (h for h in pages.holds.values() if h.obligation_id == obligation.id), zone
                ),
            )
            for obligation in owing
        ),
        profile=profile,
        buckets=policies.buckets_of(profile),
        pauses=pauses_of(
            (
                hold
                for hold in pages.holds.values()
                if not hold.obligation_id and hold.account_id in ("", account_id)
            ),
            zone,
        ),
    )


def _reaged(obligation: Obligation) -> tuple[ReAge, ...]:
    if obligation.aged_from is None or obligation.aged_on is None:
        return ()
    return (ReAge(obligation.aged_on, obligation.aged_from),)


def _entries(pages: Pages, account_id: str, policies: Policies) -> dict[str, list[Entry]]:
    """Return what each obligation of an account received and gave back, by value date.

    The account is replayed as it stood at the close of every day on which money moved; the differences are the entries.
    """
    assert pages.head is not None
    account = pages.accounts[account_id]
    profile = policies.profile(account)
    zone = profile.zone or pages.head.zone
    owing = [o for o in pages.obligations.values() if o.account_id == account_id]
    money = [r for r in pages.repayments.values() if r.account_id == account_id and r.matched]
    days = {zones.local_date(r.paid_at, zone) for r in money}
    days |= {zones.local_date(r.reversed_at, zone) for r in money if r.reversed_at is not None}
    entries: dict[str, list[Entry]] = {}
    before: dict[str, int] = {}
    for on in sorted(days):
        found = replay(
            debts_of(owing, pages.holds.values(), profile, zone, on),
            [receipt_of(r, profile, zone) for r in money if _counts(r, on, zone)],
            profile,
            contract_rate(account, profile),
        )
        for debt_id, reached in found.standings.items():
            minor = reached.paid.total - reached.paid.penalty
            if minor != before.get(debt_id, 0):
                entries.setdefault(debt_id, []).append(Entry(on, minor - before.get(debt_id, 0)))
                before[debt_id] = minor
    return entries


def _counts(repayment: Repayment, on: date, zone: str) -> bool:
    """Return whether money had come by the close of the day and had not gone back by then."""
    if zones.local_date(repayment.paid_at, zone) > on:
        return False
    back = repayment.reversed_at
    return back is None or zones.local_date(back, zone) > on
