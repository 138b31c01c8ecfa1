"""Permission for a contact outside the platform: what a person, an agency or another system of the lender is told when
it asks before it acts.

The answer rests on the same facts as our own contacts: the money first, then money under way, a minimum that was met,
repayments that are not fresh and debts that have not entered, then holds, then the room in the budget, then the law
with all its rules. A number of elsewhere says, as at a send, where the person may be as well. A contact that speaks of
several debts is asked about for each of them, since they may stand in different stages, and the strictest answer holds.
What the caller does not say makes the answer stricter: no debts named means all that are open, no number means the
touches of every number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from betimes.core import zones
from betimes.core.allowed import Ask, Never, first_allowed
from betimes.core.book import Pages, Snapshot
from betimes.core.borrower import Borrower, ContactPoint, PointState
from betimes.core.budget import Budget, token_of
from betimes.core.consent import Consent, Refusal
from betimes.core.decide import FEED_RETRY, awaits_entry, counting, is_out_of_arrears, is_unfed
from betimes.core.errors import Rejected
from betimes.core.hold import stopping
from betimes.core.law import Law
from betimes.core.policies import Policies
from betimes.core.question import Answer, Effect, Event, Given, Request, Trigger, Verdict
from betimes.core.reason import Reason
from betimes.core.rule import ConsentTerms, Party, Purpose, Recipient, Rule, Stage, Status
from betimes.core.rules import HORIZON, events_of, stage_of
from betimes.core.touch import ONE_WAY, Touch
from betimes.core.treatment import MessageClass
from betimes.core.values import dataclass, replace

# How long a permission may be acted on, and within which it may be asked for again under its id.
GOOD_FOR: Final = timedelta(hours=1)
# Rounds over the debts of a contact in search of an instant that the law of each of them allows.
_ROUNDS: Final = 20

# What a hold is asked about a contact of a purpose; advertising is no more urgent than courtesy.
_CLASSES: Final = {
    Purpose.STATUTORY: MessageClass.STATUTORY,
    Purpose.OVERDUE: MessageClass.OVERDUE,
    Purpose.PRE_DEBIT: MessageClass.COURTESY,
    Purpose.COURTESY: MessageClass.COURTESY,
    Purpose.MARKETING: MessageClass.COURTESY,
}
# Before anything a rule could name.
_EVER: Final = datetime.min.replace(tzinfo=UTC)
# The stricter, the higher.
_RANK: Final = {Effect.ALLOW: 0, Effect.REQUIRE: 1, Effect.DEFER: 2, Effect.DENY: 3}
# Purposes that are not about money that somebody owes, or that nothing but the law stops.
_BESIDE_MONEY: Final = frozenset({Purpose.STATUTORY, Purpose.MARKETING})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A contact that somebody outside wants to make now.

    `touch_id` is the caller's id for it, needed to reserve. `by` "" is the lender itself. `address` is the number or
    address that will be used, "" where that is not said; `number_zones` are those of the number's area, in which the
    person may be too unless their own zone is one of them. `debts` are
    obligations, none: all that are open. The other fields are those of `core.question.Request`.
    """

    channel: str
    purpose: Purpose
    touch_id: str = ""
    reserve: bool = False
    party: Party = Party.FIRST
    by: str = ""
    debts: tuple[str, ...] = ()
    address: str = ""
    number_zones: tuple[str, ...] = ()
    recipient: Recipient = Recipient.BORROWER
    reveals_debt: bool = True
    borrower_unreachable: bool = False
    agreed_hours: bool = False
    language: str = ""
    text: str = ""
    notices_given: tuple[Given, ...] = ()
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class Permission:
    """What is said: ALLOW; REQUIRE, which allows it if the notices named are given too; DEFER, not before `until`, and
    then to be asked again; DENY, which time does not heal.

    `until` of what is allowed is the end of the time in which it may be acted on: no later than anything that is known
    to begin then and stops it. `next_allowed_at`, of what is
    deferred, is the first instant at which the law lets it be, by what is known now (at `until` a window may be
    closed); None where there is none within `core.rules.HORIZON`. `rule_ids` are the rules that stop it, `reasons` what
    the platform itself knows against it, `notices` the rules by which a notice is owed, each in order. `answers` are
    those of all rules, by id, the strictest where several debts were asked about; `statuses` how well the rules are
    known on which this rests.
    """

    effect: Effect
    until: datetime | None = None
    rule_ids: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notices: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    statuses: tuple[Status, ...] = ()
    next_allowed_at: datetime | None = None

    @property
    def is_given(self) -> bool:
        """Whether the contact may be made."""
        return self.effect in (Effect.ALLOW, Effect.REQUIRE)


# What the platform itself knows against a contact; DENY, or DEFER with the instant until which.
_Against = tuple[Reason, datetime | None]


def touch_of(tenant: str, borrower_id: str, wanted: Wanted, now: datetime) -> Touch:
    """Return the touch that is reserved for a contact at `now` (UTC).

    Until the outcome is told, the worst is taken for it: somebody may be speaking with the borrower right now, and
    whoever asks meanwhile must not come second. A text has no other outcome than that it was submitted.
    """
    spoken = wanted.channel not in ONE_WAY
    return Touch(
        id=wanted.touch_id,
        at=now,
        channel=wanted.channel,
        connected=spoken,
        conversation=spoken,
        message_left=spoken,
        party=wanted.party,
        by=wanted.by or tenant,
        debts=wanted.debts,
        number=token_of(tenant, borrower_id, wanted.address),
        recipient=wanted.recipient,
        purpose=wanted.purpose,
        reserved=True,
    )


def permission(
    pages: Pages,
    wanted: Wanted,
    policies: Policies,
    now: datetime,
    ahead: tuple[Touch, ...] = (),
    *,
    fed_at: datetime | None = None,
) -> Permission:
    """Return whether the contact may be made at `now` (UTC); the touch under its own id does not count against it, and
    those that are `ahead`, planned and of higher priority, do. `fed_at` is up to when the lender's repayments are
    known to be complete, None where that was never told.

    Raises:
        Rejected: code "unknown_borrower", "unknown_obligation", or "unknown_zone" for a zone of the number.
    """
    head = pages.head
    if head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before its contacts")
    if any(debt not in pages.obligations for debt in wanted.debts):
        raise Rejected("unknown_obligation", "debts", "this borrower owes no such thing")
    budget = pages.budget
    if wanted.touch_id:
        budget = budget.without(wanted.touch_id, wanted.by or head.tenant)
    about = _concerned(pages, wanted, policies, fed_at)
    names = _jurisdictions(head, wanted, policies)
    law = policies.rules.law
    chain = law.chain(names)

    def requests_at(at: datetime) -> list[Request]:
        return [
            replace(
                each,
                touches=(*budget.touches, *ahead),
                events=_events(pages, wanted, each),
                consents=pages.consents,
            )
            for each in _requests(head, wanted, about, at)
        ]

    def said_at(at: datetime) -> Permission:
        against = [
            *_money(about, wanted, policies, at),
            *_held(pages, about, wanted, at),
            *_address(head, wanted),
            *_room(budget, wanted, at),
        ]
        return _folded([law.evaluate(each, names) for each in requests_at(at)], against, chain)

    requests = requests_at(now)
    said = said_at(now)
    if said.effect is Effect.DEFER:
        start, deadline = max(said.until or now, now), now + HORIZON
        # At the midnights of a debt it becomes a day older, and may come to another stage.
        changes = {at for each in about for at in zones.midnights(each.zone, start, deadline)}
        asks = [lambda at, n=n: requests_at(at)[n] for n in range(len(requests))]
        found = _next(law, names, asks, start, deadline, sorted(changes))
        return replace(said, next_allowed_at=found)
    if not said.is_given:
        return said
    # Caps count by the day, and rules begin and end with one: tomorrow all has to be asked again.
    tomorrow = [zones.first_instant(_day_after(now, zone), zone) for zone in _zones(head, wanted)]
    ends = [now + GOOD_FOR, *(each for each in tomorrow if each is not None)]
    for each in requests:
        hours = law.hours(each, names)
        ends += [hours.closing(now)] if hours.open_at(now) else []
    until = min(ends)
    known = {at for at in _changes(pages, about, policies, chain) if now < at < until}
    stops = (at for at in sorted(known) if not said_at(at).is_given)
    return replace(said, until=next(stops, until))


def _changes(
    pages: Pages, about: Sequence[Snapshot], policies: Policies, chain: Iterable[Rule]
) -> Iterator[datetime]:
    """Yield instants at which something on record may begin to stop a contact: a hold begins, repayments are no more
    fresh, a consent ends.
    """
    yield from (hold.starts_at for hold in pages.holds.values())
    for snapshot in about:
        if snapshot.fed_at is not None:
            yield snapshot.fed_at + policies.treatment_of(snapshot.profile).fresh_within
    terms = [rule.terms for rule in chain]
    lasts = {each.valid_days for each in terms if isinstance(each, ConsentTerms)} - {0}
    for entry in pages.consents:
        if isinstance(entry, Consent):
            ends = (entry.valid_until, entry.revoked_at)
            yield from (at for at in ends if at is not None)
            yield from (entry.given_at + timedelta(days=days) for days in lasts)
        elif isinstance(entry, Refusal):
            yield entry.at


def _zones(head: Borrower, wanted: Wanted) -> tuple[str, ...]:
    """Return every zone in which the person may be, with those of a number that does not fit the person's own."""
    fits = head.zone in wanted.number_zones
    return tuple(dict.fromkeys((*head.zones, *(() if fits else wanted.number_zones))))


def _next(
    law: Law,
    names: Sequence[str],
    asks: Sequence[Ask],
    at: datetime,
    deadline: datetime,
    changes: Sequence[datetime],
) -> datetime | None:
    """Return the first instant from `at` on at which the law lets the contact be about each of its debts, by what is
    known now and by the age of each debt then; None where there is none before the deadline.
    """
    # Each round comes to an instant that one debt allows and none before it does.
    for _ in range(_ROUNDS):
        start = at
        for ask in asks:
            found = first_allowed(law, names, ask, at, deadline, changes=changes)
            if isinstance(found, Never):
                return None
            at = found.at
        if at == start:
            return at
    return None


def _day_after(now: datetime, zone: str) -> date:
    return zones.local_date(now, zone) + timedelta(days=1)


def _concerned(
    pages: Pages, wanted: Wanted, policies: Policies, fed_at: datetime | None
) -> list[Snapshot]:
    """Return the debts that the contact is about."""
    debts = wanted.debts or [o.id for o in pages.obligations.values() if o.is_open]
    return [pages.snapshot(debt, policies.profiles, fed_at=fed_at) for debt in dict.fromkeys(debts)]


def _money(
    about: Sequence[Snapshot], wanted: Wanted, policies: Policies, now: datetime
) -> Iterator[_Against]:
    """Yield that something was paid, or the minimum of it, or that it may have been: with the money that is under way,
    or untold; or that the lender has not let the debt enter yet. All as `core.decide` has it.
    """
    if wanted.purpose in _BESIDE_MONEY:
        return
    if not about or any(not snapshot.obligation.is_open for snapshot in about):
        yield Reason.PAID, None
    for snapshot in about:
        patience = timedelta(hours=snapshot.profile.debit.patience_hours)
        for flight in snapshot.flights:
            until = flight.silent_until(patience)
            if until is not None and now < until:
                yield Reason.MONEY_IN_FLIGHT, until
        line, obligation = policies.treatment_of(snapshot.profile), snapshot.obligation
        if awaits_entry(snapshot, line):
            yield Reason.AWAITING_ENTRY, None
        entry_on, zone = obligation.entry_on, snapshot.borrower.zone
        if entry_on is not None and zones.local_date(now, zone) < entry_on:
            yield Reason.BEFORE_ENTRY, _midnight(entry_on, zone)
        is_late = zones.local_date(now, snapshot.zone) > obligation.due_on
        if not is_late and wanted.purpose is not Purpose.OVERDUE:
            continue
        if obligation.is_open and is_out_of_arrears(snapshot, now):
            yield Reason.MINIMUM_PAID, None
        if is_unfed(snapshot, line, now):
            # Whoever tells of repayments may do so at any moment.
            yield Reason.STALE_FEED, now + FEED_RETRY


def _midnight(on: date, zone: str) -> datetime:
    """Return the first instant of a day, of the next one where the zone never had it."""
    while (found := zones.first_instant(on, zone)) is None:
        on += timedelta(days=1)
    return found


def _held(
    pages: Pages, about: Sequence[Snapshot], wanted: Wanted, now: datetime
) -> Iterator[_Against]:
    """Yield the holds that stop such a contact about any of its debts."""
    in_scope = {hold.id: hold for snapshot in about for hold in snapshot.holds}
    holds = (in_scope if about else pages.holds).values()
    for channel in ("", wanted.channel):
        hold = stopping(holds, _CLASSES[wanted.purpose], now, channel=channel)
        if hold is not None:
            yield hold.meaning.reason, hold.over_at


def _address(head: Borrower, wanted: Wanted) -> Iterator[_Against]:
    """Yield that the address bounced, was complained of or opted out, or is not known to be the borrower's."""
    for point in (*head.contact_points, *head.blocked):
        if _is_meant(point, wanted) and point.state is not PointState.ACTIVE:
            unconfirmed = point.state is PointState.UNCONFIRMED
            yield (
                Reason.CONTACT_POINT_UNCONFIRMED
                if unconfirmed
                else Reason.CONTACT_POINT_SUPPRESSED,
                None,
            )


def _is_meant(point: ContactPoint, wanted: Wanted) -> bool:
    return point.channel == wanted.channel and point.address == wanted.address


def _room(budget: Budget, wanted: Wanted, now: datetime) -> Iterator[_Against]:
    if budget.is_full(now) and wanted.purpose is not Purpose.STATUTORY:
        yield Reason.CONTACT_CAP, budget.full_until


def _requests(
    head: Borrower, wanted: Wanted, about: Sequence[Snapshot], now: datetime
) -> Iterator[Request]:
    """Yield what the law is asked: once for each debt; where there is none, as before and as after it is due."""
    bare = Request(
        at=now,
        channel=wanted.channel,
        purpose=wanted.purpose,
        stage=Stage.OVERDUE,
        zones=_zones(head, wanted),
        party=wanted.party,
        by=wanted.by or head.tenant,
        number=token_of(head.tenant, head.id, wanted.address),
        number_zones=wanted.number_zones,
        agreed_hours=wanted.agreed_hours,
        recipient=wanted.recipient,
        reveals_debt=wanted.reveals_debt,
        borrower_unreachable=wanted.borrower_unreachable,
        language=wanted.language,
        text=wanted.text,
        notices_given=wanted.notices_given,
        triggers=wanted.triggers,
    )
    if not about:
        yield bare
        yield replace(bare, stage=Stage.PRE_DUE)
    for snapshot in about:
        obligation = snapshot.obligation
        yield replace(
            bare,
            stage=stage_of(snapshot, now),
            product=snapshot.profile.name,
            kinds=snapshot.profile.kinds,
            debts=(obligation.id,),
            accounts=(obligation.account_id,),
            dpd=(zones.local_date(now, snapshot.zone) - obligation.due_on).days,
        )


def _events(pages: Pages, wanted: Wanted, request: Request) -> tuple[Event, ...]:
    """Return the holds that concern a request; one about no debt is concerned by all of the borrower's."""
    concerning = (
        hold
        for hold in pages.holds.values()
        if not request.debts or hold.concerns(request.accounts[0], request.debts[0])
    )
    return events_of(concerning, wanted.channel)


def _jurisdictions(head: Borrower, wanted: Wanted, policies: Policies) -> tuple[str, ...]:
    """Return the jurisdictions that bind for the person, and for the number that will be called."""
    names = {*policies.rules.jurisdictions(head)}
    if wanted.address.startswith("+"):
        names |= {*policies.rules.law.select("", wanted.address)}
    return tuple(sorted(names))


def _folded(
    verdicts: Sequence[Verdict], against: Sequence[_Against], chain: Iterable[Rule]
) -> Permission:
    """Return the strictest of what the law, by the rules of `chain`, and the platform say. Where the budget is full,
    each rule that looks at it stands in the way.
    """
    effects = [verdict.effect for verdict in verdicts]
    effects += [Effect.DENY if until is None else Effect.DEFER for _, until in against]
    notices = {each for verdict in verdicts for each in verdict.requires}
    effect = max(effects, key=_RANK.__getitem__)
    if effect is Effect.ALLOW and notices:
        effect = Effect.REQUIRE
    untils = [verdict.until for verdict in verdicts] + [until for _, until in against]
    strictest: dict[str, Answer] = {}
    for answer in (each for verdict in verdicts for each in verdict.answers):
        known = strictest.get(answer.rule_id)
        if known is None or _strictness(answer) > _strictness(known):
            strictest[answer.rule_id] = answer
    found = {status for verdict in verdicts for status in verdict.statuses}
    stopping_rules = {each for verdict in verdicts for each in verdict.rule_ids}
    reasons = tuple(dict.fromkeys(reason for reason, _ in against))
    if Reason.CONTACT_CAP in reasons:
        full = [rule for each in verdicts for rule in counting(chain, each.answers)]
        stopping_rules |= {rule.id for rule in full}
        found |= {rule.status for rule in full}
    return Permission(
        effect,
        max((until for until in untils if until is not None), default=None)
        if effect is Effect.DEFER
        else None,
        tuple(sorted(stopping_rules)),
        reasons,
        tuple(sorted(notices)),
        tuple(strictest[rule_id] for rule_id in sorted(strictest)),
        tuple(status for status in Status if status in found),
    )


def _strictness(answer: Answer) -> tuple[int, bool, datetime]:
    return _RANK[answer.effect], answer.applies, answer.until or _EVER
