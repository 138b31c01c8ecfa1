"""Close of day: ages what is open and asks whether every step that came due has its decision.

The walk goes along the agenda's shards, but what it checks is read from the borrowers' pages and computed anew from
treatment, calendar and zone; nothing of the sweep's own bookkeeping is believed but the list of decided steps.

Not seen: a borrower none of whose obligations is on the agenda. A single open obligation that lost its look is found
by no walk along the agenda, and a settled one is checked only where the walk meets its borrower. Finding those takes a
walk over the whole table, which is for an export of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, timedelta

from betimes.core import forecast, zones
from betimes.core.ageing import Phase, day_of
from betimes.core.agenda import Planned, plan
from betimes.core.arrears import age_of, facts_of
from betimes.core.book import Pages, Snapshot
from betimes.core.change import MAX_CHANGES, changes_between
from betimes.core.decide import decide, from_opening
from betimes.core.decision import Wait
from betimes.core.errors import Stale
from betimes.core.hold import Kind
from betimes.core.intake import reroll, waiting_for
from betimes.core.pace import Gauge
from betimes.core.policies import Policies
from betimes.core.treatment import MessageClass
from betimes.core.values import dataclass
from betimes.flows.ahead import would_go
from betimes.flows.sweep import ITS_OWN
from betimes.ports import Book, Stores

PAGE = 200
# A step may be this long past its deadline before its missing decision is an alarm: the sweep has its own pace.
TOLERANCE = timedelta(hours=1)
DAY = timedelta(days=1)
FAR_AHEAD = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass
class DayClosed:
    """The report of one close of day. Amounts are minor units by currency and bucket.

    `aged` is the history of the day: each account with anything past due, its days past due, bucket and arrears, those
    first whose borrower was written to longest ago.
    `undecided` names steps without a decision that are past their deadline, or that came due before the money did;
    `missed_notices` statutory notices among the steps that were not sent by their deadline; `stranded` open
    obligations that are not on the agenda, or stand on it for later than they should. `stale_feeds` names the tenants
    whose repayments are older than a treatment of theirs allows. `promises` counts promises to pay that ended on this
    day, kept and broken. `provisional` counts due dates whose calendar is still to come. `broken` names the borrowers
    of whom nothing could be told, as "borrower (error)": they stop no other's close, and their figures are missing in
    all others. `coming` is what is planned for each channel in the day ahead.
    """

    at: datetime
    obligations: int = 0
    buckets: Counter[str] = field(default_factory=Counter)
    outstanding_minor: Counter[str] = field(default_factory=Counter)
    aged: list[Aged] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    missed_notices: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)
    stale_feeds: list[str] = field(default_factory=list)
    promises: Counter[str] = field(default_factory=Counter)
    provisional: int = 0
    broken: list[str] = field(default_factory=list)
    coming: dict[str, forecast.Planned] = field(default_factory=dict)

    def add(self, other: DayClosed) -> None:
        """Add what another report found on the same day."""
        self.obligations += other.obligations
        self.buckets += other.buckets
        self.outstanding_minor += other.outstanding_minor
        self.aged += other.aged
        self.undecided += other.undecided
        self.missed_notices += other.missed_notices
        self.stranded += other.stranded
        self.stale_feeds += other.stale_feeds
        self.promises += other.promises
        self.provisional += other.provisional
        self.broken += other.broken
        for channel, planned in other.coming.items():
            self.coming.setdefault(channel, forecast.Planned()).update(planned)


@dataclass(frozen=True, slots=True)
class Aged:
    """An account at the close of a day on which something of it was past due; `arrears_minor` in its currency.

    `contacted_at` is when its borrower was last written to about anything still owed or paid since, in its present
    cycle; "" for never.
    """

    borrower_id: str
    account_id: str
    dpd: int
    bucket: str
    arrears_minor: int
    currency: str
    contacted_at: str = ""


@dataclass(frozen=True, slots=True)
class Redated:
    """A due date that a published calendar has moved."""

    borrower_id: str
    obligation_id: str
    before: date
    after: date


def close_day(book: Book, policies: Policies, *, shards: int, now: datetime) -> DayClosed:
    """Return the report at `now` over every borrower with an obligation on the agenda.

    Raises:
        Unavailable: the book is out of reach; run it again, it only reads.
    """
    closed = DayClosed(at=now)
    agreed: dict[str, timedelta] = {}
    for pages in _borrowers(book, shards):
        theirs = DayClosed(at=now)
        try:
            close_borrower(theirs, pages, policies, now)
        except ITS_OWN as error:
            closed.broken.append(f"{pages.borrower_id} ({type(error).__name__})")
        else:
            closed.add(theirs)
        for account in pages.accounts.values():
            fresh = policies.treatment_of(policies.profile(account)).fresh_within
            if fresh:
                agreed[pages.tenant] = min(fresh, agreed.get(pages.tenant, fresh))
    for tenant, fresh in sorted(agreed.items()):
        fed_at = book.fed_until(tenant)
        if fed_at is None or now >= fed_at + fresh:
            closed.stale_feeds.append(tenant)
    closed.aged.sort(key=lambda aged: (aged.contacted_at, aged.borrower_id, aged.account_id))
    return closed


def close_borrower(closed: DayClosed, pages: Pages, policies: Policies, now: datetime) -> None:
    """Add one borrower's open obligations to the report, and the steps of any that have no decision."""
    for obligation in pages.obligations.values():
        snapshot = pages.snapshot(obligation.id, policies.profiles)
        missing = _undecided(snapshot, policies, now)
        closed.undecided += [f"{obligation.id}:{planned.key}" for planned in missing]
        closed.missed_notices += [
            f"{obligation.id}:{planned.key}"
            for planned in missing
            if planned.step.message_class is MessageClass.STATUTORY
        ]
        if not obligation.is_open:
            continue
        closed.obligations += 1
        bucket = policies.buckets_of(snapshot.profile).of(age_of(snapshot, now).dpd)
        closed.buckets[bucket] += 1
        key = f"{obligation.amount.currency} {bucket}"
        closed.outstanding_minor[key] += snapshot.owed(now).minor
        closed.provisional += obligation.provisional
        _count_coming(closed, snapshot, policies, now)
        if _is_stranded(pages, snapshot, policies, now):
            closed.stranded.append(obligation.id)
    _age_accounts(closed, pages, policies, now)
    _count_promises(closed, pages, now)


def _count_coming(closed: DayClosed, snapshot: Snapshot, policies: Policies, now: datetime) -> None:
    """Count what would go out about one obligation in the day ahead, by what is known now."""
    treatment = policies.treatment_of(snapshot.profile)
    until = now + DAY
    for each in plan(snapshot, treatment):
        if each.at >= until:
            return
        if each.key in snapshot.obligation.watch.decided or each.deadline <= now:
            continue
        went = would_go(policies, snapshot, treatment, each, max(now, each.at), until)
        if went is not None:
            at, send = went
            closed.coming.setdefault(send.channel, forecast.Planned()).add(at, send.not_after)


def foreseen(closed: DayClosed, gauges: Mapping[str, Gauge | None]) -> dict[str, forecast.Forecast]:
    """Return the forecast of each channel for which anything is planned; `gauges` is what is known of its provider's
    pace, None, or no entry, where nothing is.
    """
    found = {}
    for channel, planned in sorted(closed.coming.items()):
        gauge = gauges.get(channel)
        left = gauge.quota.per_day if gauge is not None and gauge.quota.per_day else None
        rate = gauge.ceiling if gauge is not None else 0
        found[channel] = forecast.forecast(planned, rate=rate, left=left)
    return found


def _age_accounts(closed: DayClosed, pages: Pages, policies: Policies, now: datetime) -> None:
    """Add the accounts with anything past due to the history of the day."""
    late = {
        obligation.account_id
        for obligation in pages.obligations.values()
        if obligation.is_open
        and age_of(pages.snapshot(obligation.id, policies.profiles), now).phase
        in (Phase.GRACE, Phase.OVERDUE)
    }
    assert pages.head is not None
    spoken = [at for each in pages.obligations.values() for _, at in each.watch.spoken]
    contacted_at = zones.to_text(max(spoken)) if spoken else ""
    for account_id in sorted(late):
        account = pages.accounts[account_id]
        zone = policies.profile(account).zone or pages.head.zone
        day = day_of(facts_of(pages, account_id, policies), zones.local_date(now, zone))
        closed.aged.append(
            Aged(
                pages.borrower_id,
                account_id,
                day.dpd,
                day.bucket,
                day.arrears_minor,
                account.currency,
                contacted_at,
            )
        )


def _count_promises(closed: DayClosed, pages: Pages, now: datetime) -> None:
    for hold in pages.holds.values():
        over_at = hold.over_at
        if hold.kind is Kind.PROMISE and over_at is not None and now - DAY < over_at <= now:
            paid = sum(
                obligation.paid_minor
                for obligation in pages.obligations.values()
                if hold.concerns(obligation.account_id, obligation.id)
            )
            closed.promises["kept" if hold.is_kept(paid) else "broken"] += 1


def reroll_all(stores: Stores, policies: Policies, *, shards: int, now: datetime) -> list[Redated]:
    """Move every open due date to where the calendars in force put it, and return what moved.

    A calendar that was published since moves what it concerns at the next close of day; done twice, nothing moves.
    What others write at the same time is left to the next close, and so is a due date with which more would change than
    one transaction holds; it stays provisional and is counted as that.

    Raises:
        Unavailable: the stores are out of reach.
    """
    moved: list[Redated] = []
    if not any(profile.calendar for profile in policies.profiles.values()):
        return moved
    for pages in list(_borrowers(stores.book, shards)):
        try:
            moved += _rerolled(stores, policies, pages, list(pages.obligations), now)
        except ITS_OWN:
            continue  # the close of the day names it
    return moved


def _rerolled(
    stores: Stores, policies: Policies, before: Pages, only: Sequence[str], now: datetime
) -> list[Redated]:
    """Return what moved of some obligations of a borrower, stored in as many transactions as it takes."""
    if before.head is None:
        return []
    after = reroll(before, policies, now, only)
    changes = changes_between(before, after)
    if len(changes) > MAX_CHANGES:
        moved: list[Redated] = []
        half = len(only) // 2
        for part in (only[:half], only[half:]) if half else ():
            pages = stores.book.pages(before.tenant, before.borrower_id)
            moved += _rerolled(stores, policies, pages, part, now)
        return moved
    if not changes:
        return []
    try:
        stores.store.commit(changes)
    except Stale:
        return []
    return [
        Redated(before.borrower_id, new.id, old.due_on, new.due_on)
        for new in after.obligations.values()
        if (old := before.obligations[new.id]).due_on != new.due_on
    ]


def _is_stranded(pages: Pages, snapshot: Snapshot, policies: Policies, now: datetime) -> bool:
    """Return whether an open obligation is not looked at when it has to be: so a lost look is found on the same day,
    and not only once its step is missed.
    """
    obligation, watch = snapshot.obligation, snapshot.obligation.watch
    if watch.look_at is None:
        return True
    if watch.contact_id or any(waiting_for(pages, obligation.id)):
        # The review of a contact and the money that waits set the look, not the plan.
        return False
    treatment = policies.treatment_of(snapshot.profile)
    decision = decide(snapshot, treatment, policies.rules, now)
    if decision is None:
        return False
    look_at = decision.until if isinstance(decision, Wait) else now
    return watch.look_at > look_at + TOLERANCE


def _undecided(snapshot: Snapshot, policies: Policies, now: datetime) -> list[Planned]:
    obligation, settled_at = snapshot.obligation, snapshot.obligation.settled_at
    treatment = policies.treatment_of(snapshot.profile)
    return [
        planned
        for each in plan(snapshot, treatment)
        if each.key not in obligation.watch.decided
        for planned in (from_opening(each, policies.rules.hours(snapshot, each.step, each.at)),)
        # A step that came due only once the money was there falls away.
        if (settled_at is None or max(planned.at, obligation.known_at) < settled_at)
        and now >= (settled_at or planned.deadline) + TOLERANCE
    ]


def _borrowers(book: Book, shards: int) -> Iterable[Pages]:
    """Yield the pages of each borrower with anything on the agenda, once."""
    seen: set[tuple[str, str]] = set()
    for shard in range(shards):
        after = ""
        while True:
            page = book.due(shard, FAR_AHEAD, limit=PAGE, after=after)
            for due in page.looks:
                key = (due.tenant, due.borrower_id)
                if key not in seen:
                    seen.add(key)
                    yield book.pages(*key)
            after = page.after
            if not after:
                break
