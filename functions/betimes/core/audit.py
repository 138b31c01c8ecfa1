"""The audit: were the promises kept? Computed from repayments, holds, flights, steps and arrivals, not from what the
flows say of themselves.

It repeats nothing of `core.decide`: money owed at an instant is replayed from the repayments, the local hour is taken
from the zones, what stops contact is asked of the holds and the flights, and a due step is any planned step of the
treatment whose instant found the obligation open. A reason not to send is believed only where the facts bear it out.

Money counts from when the platform was told of it until it was told that it was taken back, so a message before a
backdated payment breaks no promise, and one between a payment and its reversal does.

Not seen: what an obligation was before it was last amended, a hold before its dates were last set anew, and who had
which mandate, tag or score then. Of an obligation before its amendment the audit asks what the platform knew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from functools import cached_property

from betimes.core import ageing, record, zones
from betimes.core.ageing import Phase
from betimes.core.agenda import Planned, plan
from betimes.core.arrears import pauses_of
from betimes.core.book import Pages, contract_rate, debts_of, receipt_of, value_date
from betimes.core.budget import token_of
from betimes.core.consent import Consent, Reassigned, Refusal, Switch, stands
from betimes.core.contact import ENDED_UNSENT, FAILURES, REPEATABLE, Contact, Event, Spoke
from betimes.core.flight import Flight, FlightState, Means
from betimes.core.hold import Hold
from betimes.core.obligation import Obligation, Repayment, due_of
from betimes.core.policies import Policies
from betimes.core.product import PLAIN, Leftover, Profile
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.core.replay import Standing, replay
from betimes.core.rule import Purpose
from betimes.core.rules import request
from betimes.core.treatment import ANCHORED, Anchor, Entry, Late, MessageClass, Step, Treatment
from betimes.core.values import dataclass, replace

# Between a claim and the provider's answer at most so much time passes: two claims a gap apart may arrive closer.
_IN_CALL = timedelta(seconds=90)
# Each of these reports that a message did not arrive, whatever becomes known later.
_FAILED_STATES = frozenset(map(str, FAILURES))
# A step that was decided as not meant for the debt takes nothing up.
_TAKES_NOTHING = frozenset({Reason.CONDITION_NOT_MET, Reason.BEFORE_ENTRY})


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that a provider accepted: for which contact, and when (UTC)."""

    contact_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """What the audit found; every list is empty when the promises were kept. Each entry names the thing concerned.

    `against_policy` names messages that a hold, money in flight, the pace, the calendar, the age of the debt, its
    entry or the person's own refusal forbade when they went, as "contact:obligation reason".
    """

    undecided: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    after_payment: tuple[str, ...] = ()
    out_of_window: tuple[str, ...] = ()
    against_policy: tuple[str, ...] = ()

    @property
    def lists(self) -> Mapping[str, tuple[str, ...]]:
        """The lists by name, in the order in which they are printed."""
        return {
            "undecided": self.undecided,
            "duplicates": self.duplicates,
            "after_payment": self.after_payment,
            "out_of_window": self.out_of_window,
            "against_policy": self.against_policy,
        }

    @property
    def counts(self) -> Mapping[str, int]:
        """How many each list holds, by its name."""
        return {name: len(found) for name, found in self.lists.items()}

    @property
    def all_kept(self) -> bool:
        """Whether nothing was found."""
        return not any(self.lists.values())

    def __add__(self, other: Findings) -> Findings:
        """Return these findings and the others behind them."""
        return Findings(*(self.lists[name] + other.lists[name] for name in self.lists))


def audit(
    everyone: Iterable[Pages],
    contacts: Sequence[Contact],
    records: Sequence[Record],
    arrivals: Sequence[Arrival],
    policies: Policies,
    *,
    now: datetime,
) -> Findings:
    """Return what is wrong at `now`, with everything drained: nothing may be due and undecided any more."""
    books = {
        (pages.tenant, pages.borrower_id): _Facts(pages, policies.profiles) for pages in everyone
    }
    by_id = {contact.id: contact for contact in contacts}
    decisions = [r for r in records if r.kind == record.DECISION]
    messages = _messages(by_id, records, decisions, arrivals)
    money = _Money()
    ledger = _Ledger(policies, by_id, _by_step(decisions), _spoken(messages), money, now)
    sends = {(r.contact_id, r.obligation_id): r for r in decisions if r.contact_id}
    policy = _Policy(policies, sends, money)
    failed = _failed(records)
    return Findings(
        undecided=tuple(
            named
            for facts in books.values()
            for obligation in facts.pages.obligations.values()
            for named in ledger.undecided(facts, obligation)
        ),
        duplicates=_duplicates(
            (
                (each.contact, policy.once(books[each.person], each, spoke))
                for each in messages
                for spoke in each.spoken
            ),
            _replaced(decisions, failed),
        ),
        after_payment=tuple(
            f"{each.contact.id}:{spoke.obligation_id}" if each.contact.also else each.contact.id
            for each in messages
            for spoke in each.spoken
            if not money.is_owed(books[each.person], spoke.obligation_id, each.at)
        ),
        out_of_window=tuple(
            each.contact.id for each in messages if not policy.in_window(books[each.person], each)
        ),
        against_policy=tuple(
            f"{each.contact.id}:{spoke.obligation_id} {reason}"
            for each, before in _with_the_one_before(messages, failed)
            for spoke in each.spoken
            for reason in policy.against(books[each.person], each, spoke, before)
        ),
    )


# What was said


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that arrived, with what it spoke of."""

    contact: Contact
    at: datetime
    spoken: tuple[Spoke, ...]

    @property
    def person(self) -> tuple[str, str]:
        return self.contact.tenant, self.contact.borrower_id


def _messages(
    by_id: Mapping[str, Contact],
    records: Iterable[Record],
    decisions: Iterable[Record],
    arrivals: Iterable[Arrival],
) -> list[_Message]:
    """Return every arrival with what it spoke of: of a digest what its attempt was not decided to leave out."""
    digests = {contact_id for contact_id, contact in by_id.items() if contact.also}
    claims: dict[str, list[datetime]] = defaultdict(list)
    for r in records if digests else ():
        if r.contact_id in digests and r.body.get("event") == Event.CLAIMED:
            claims[r.contact_id].append(r.at)
    unsaid: dict[tuple[str, str], set[datetime]] = defaultdict(set)
    for r in decisions if digests else ():
        if r.contact_id in digests and _leaves_out(r):
            unsaid[r.contact_id, r.obligation_id].add(r.at)
    for instants in claims.values():
        instants.sort()
    found = []
    for arrival in arrivals:
        contact = by_id[arrival.contact_id]
        spoken: tuple[Spoke, ...] = contact.everything
        if contact.also:
            claimed = claims[contact.id]
            attempt = bisect_right(claimed, arrival.at)
            # Left out by this attempt; where no claim is on record, by any.
            spoken = tuple(
                spoke
                for spoke in spoken
                if not (
                    claimed[attempt - 1] in unsaid[contact.id, spoke.obligation_id]
                    if attempt
                    else unsaid[contact.id, spoke.obligation_id]
                )
            )
        found.append(_Message(contact, arrival.at, spoken))
    return found


def _leaves_out(decision: Record) -> bool:
    """Return whether a decision about a digest says that it does not speak of its obligation."""
    body = decision.body
    return body["decision"] in ("suppress", "wait") and body["reason"] != Reason.IN_DIGEST


def _spoken(messages: Iterable[_Message]) -> set[tuple[str, Spoke]]:
    return {(each.contact.id, spoke) for each in messages for spoke in each.spoken}


def _with_the_one_before(
    messages: Iterable[_Message], failed: Mapping[str, datetime]
) -> Iterator[tuple[_Message, datetime | None]]:
    """Yield each message with when another contact last reached the same person before it, None if none did. One that
    was known to have failed by then reached nobody.
    """
    of_person: dict[tuple[str, str], list[_Message]] = defaultdict(list)
    for each in messages:
        of_person[each.person].append(each)
    for theirs in of_person.values():
        theirs.sort(key=lambda each: each.at)
        for place, each in enumerate(theirs):
            earlier = (
                one
                for one in (theirs[n] for n in range(place - 1, -1, -1))
                if one.contact.id not in failed or failed[one.contact.id] > each.at
            )
            yield (
                each,
                next((one.at for one in earlier if one.contact.id != each.contact.id), None),
            )


def _second_attempts(contact: Contact) -> int:
    """Return how many further messages the policy allowed: one after an unknown outcome, none once counted by law; by a
    channel that takes two attempts for one, each.
    """
    if contact.channel in REPEATABLE:
        return contact.unknowns
    return min(1, contact.unknowns) if contact.message_class is not MessageClass.OVERDUE else 0


def _failed(records: Iterable[Record]) -> Mapping[str, datetime]:
    """Return when each contact was first known to have failed, for those that were."""
    found: dict[str, datetime] = {}
    for each in records:
        if each.kind == record.EVENT and each.body.get("state") in _FAILED_STATES:
            at = min(each.at, found.get(each.contact_id, each.at))
            found[each.contact_id] = at
    return found


def _replaced(
    decisions: Iterable[Record], failed: Mapping[str, datetime]
) -> set[tuple[str, str, str]]:
    """Return which contacts were replaced for which steps, as (contact, obligation, step): those that were known to
    have failed when it was decided that the step is taken up again because of them.
    """
    return {
        (cause, each.obligation_id, str(each.body["step"]))
        for each in decisions
        if (cause := str(each.body.get("cause", ""))) in failed and failed[cause] <= each.at
    }


def _duplicates(
    said: Iterable[tuple[Contact, Spoke]], replaced: Container[tuple[str, str, str]]
) -> tuple[str, ...]:
    """Return the steps for which more than one message arrived, less the second attempts a policy allowed and
    recorded, and less those that were known to have failed when another took their place. A digest speaks of a step as
    much as a contact of its own.
    """
    per_step: dict[tuple[str, str, Spoke], list[Contact]] = defaultdict(list)
    for contact, spoke in said:
        if (contact.id, spoke.obligation_id, spoke.step) not in replaced:
            per_step[contact.tenant, contact.borrower_id, spoke].append(contact)
    found = []
    for (*_, spoke), contacts in per_step.items():
        allowed = 1 + max(map(_second_attempts, contacts))
        if len(contacts) > allowed or len(Counter(contact.id for contact in contacts)) > 1:
            found.append(f"{spoke.obligation_id}:{spoke.step}")
    return tuple(found)


# What was decided

_Key = tuple[str, str, str, str]


def _by_step(decisions: Iterable[Record]) -> Mapping[_Key, Sequence[Record]]:
    """Return the decisions about each obligation and step; what ended with its due date answers for no step."""
    found: dict[_Key, list[Record]] = defaultdict(list)
    for each in decisions:
        if each.body["reason"] != Reason.REDATED:
            found[each.tenant, each.borrower_id, each.obligation_id, str(each.body["step"])].append(
                each
            )
    return found


@dataclass(frozen=True)
class _Ledger:
    """The decisions on record, and what bears them out."""

    policies: Policies
    contacts: Mapping[str, Contact]
    decisions: Mapping[_Key, Sequence[Record]]
    spoken: set[tuple[str, Spoke]]
    money: _Money
    now: datetime

    def undecided(self, facts: _Facts, obligation: Obligation) -> list[str]:
        """Return the steps of an obligation that were due while it was owed and have no decision that holds."""
        pages = facts.pages
        snapshot = pages.snapshot(obligation.id, self.policies.profiles)
        steps = plan(snapshot, self.policies.treatment_of(snapshot.profile))
        missing = []
        for place, planned in enumerate(steps):
            if planned.at > self.now:
                continue
            answers = self._answers(facts, obligation, planned)
            if any(self._stands(facts, obligation, planned, r, steps[place:]) for r in answers):
                continue
            # A step falls away when the money was there at its instant, or before the platform heard of the debt.
            seen_at = max(planned.at, obligation.known_at)
            if self.money.is_owed(facts, obligation.id, seen_at):
                missing.append(f"{obligation.id}:{planned.key}")
        return missing

    def _answers(self, facts: _Facts, obligation: Obligation, planned: Planned) -> Sequence[Record]:
        """Return the decisions about a step in the obligation's present cycle; those of an earlier one too where the
        step does not count from the due date, unless its contact ended with that cycle.
        """
        pages = facts.pages
        key = (pages.tenant, pages.borrower_id, obligation.id, planned.key)
        due_on = obligation.due_on.isoformat()
        lasts = _outlasts(planned.step, planned.key)
        return [
            r
            for r in self.decisions.get(key, ())
            if r.body.get("due_on", due_on) == due_on or (lasts and self._was_said(r))
        ]

    def _was_said(self, decision: Record) -> bool:
        """Return whether a decision was not one to send what then ended unsent."""
        contact = self.contacts.get(decision.contact_id)
        return contact is None or contact.state not in ENDED_UNSENT

    def _stands(
        self,
        facts: _Facts,
        obligation: Obligation,
        planned: Planned,
        decision: Record,
        steps: Sequence[Planned],
    ) -> bool:
        """Return whether a decision still answers for its step: a wait until its time is over, and a reason not to
        send only where the facts bear it out. `steps` are the planned one and those behind it.
        """
        body, pages = decision.body, facts.pages
        if body["decision"] == "wait":
            return str(body["until"]) > zones.to_text(self.now)
        if body["decision"] == "send":
            return True
        match body["reason"]:
            case Reason.IN_DIGEST:
                return self._stands_in(obligation, decision)
            case Reason.PAID:
                step_at = str(body.get("step_at", ""))
                instants = [decision.at, *([zones.from_text(step_at)] if step_at else [])]
                return not all(self.money.is_owed(facts, obligation.id, at) for at in instants)
            case Reason.MERGED_INTO_NEXT:
                return self._is_taken_up(facts, obligation, steps)
            case Reason.CATCH_UP_EXCEEDED:
                # A claim needs some time before the deadline.
                return decision.at + _IN_CALL >= planned.deadline
            case Reason.MONEY_IN_FLIGHT:
                return any(facts.flights(obligation))
            case str() as reason if reason.startswith("hold_"):
                return any(
                    hold.meaning.reason == reason
                    and hold.concerns(obligation.account_id, obligation.id)
                    for hold in pages.holds.values()
                )
        return True

    def _stands_in(self, obligation: Obligation, decision: Record) -> bool:
        """Return whether a digest spoke of a step, may still do so, or ended in a way that allows no second word."""
        contact = self.contacts.get(decision.contact_id)
        if contact is None:
            return False
        due_on = str(decision.body.get("due_on", obligation.due_on))
        meant = (obligation.id, str(decision.body["step"]), date.fromisoformat(due_on))
        spoke = next(
            (s for s in contact.also if (s.obligation_id, s.step, due_of(s.cycle)) == meant), None
        )
        if spoke is None:
            return False
        if (contact.id, spoke) in self.spoken:
            return True
        # What ended unsent, or went without it, has left the step to be decided anew.
        return contact.state not in ENDED_UNSENT and contact.sent_at is None

    def _is_taken_up(self, facts: _Facts, obligation: Obligation, steps: Sequence[Planned]) -> bool:
        """Return whether a step behind the first one could take it up: one that is still to come, was decided as one
        that is meant, or that money has made fall away. A step that may be sent late needs it before its time is over.
        """
        merged, *behind = steps
        ends_at = merged.at + merged.step.catch_up
        if merged.step.late is not Late.MERGE:
            behind = [later for later in behind if later.at < ends_at]
        return any(
            later.at > self.now
            or not self.money.is_owed(facts, obligation.id, later.at)
            or any(map(_speaks, self._answers(facts, obligation, later)))
            for later in behind
        ) or any(
            # What came due behind an event is gone from the plan if the event is, such as a promise kept after all.
            ANCHORED in step and each.at >= merged.at and _speaks(each)
            for (*bill, step), theirs in self.decisions.items()
            if bill == [facts.pages.tenant, facts.pages.borrower_id, obligation.id]
            for each in theirs
        )


def _speaks(decision: Record) -> bool:
    """Return whether a decision is one about a step that was meant for the debt."""
    return decision.body["reason"] not in _TAKES_NOTHING


# What was known


@dataclass
class _Facts:
    """One borrower's facts, ready to be asked about any instant."""

    pages: Pages
    profiles: Mapping[str, Profile]

    def profile(self, obligation: Obligation) -> Profile:
        """Return the product of an obligation."""
        account = self.pages.accounts.get(obligation.account_id)
        return self.profiles.get(account.product if account is not None else "", PLAIN)

    @property
    def home(self) -> str:
        """The borrower's zone."""
        assert self.pages.head is not None, "an obligation never stands without its borrower"
        return self.pages.head.zone

    @cached_property
    def _money(self) -> Mapping[str, Sequence[Repayment]]:
        found: dict[str, list[Repayment]] = defaultdict(list)
        for repayment in self.pages.repayments.values():
            found[repayment.account_id].append(repayment)
        return found

    @cached_property
    def _flights(self) -> Mapping[tuple[str, str], Sequence[Flight]]:
        found: dict[tuple[str, str], list[Flight]] = defaultdict(list)
        for flight in self.pages.flights.values():
            found[flight.account_id, flight.obligation_id].append(flight)
        return found

    def flights(self, obligation: Obligation) -> Iterator[Flight]:
        """Yield the flights that concern an obligation."""
        yield from self._flights.get((obligation.account_id, obligation.id), ())
        yield from self._flights.get((obligation.account_id, ""), ())

    @cached_property
    def _changes(self) -> Mapping[str, Sequence[datetime]]:
        """When the platform was told of an account's money and debts, in order of time."""
        found: dict[str, list[datetime | None]] = defaultdict(list)
        for account_id, theirs in self._money.items():
            for repayment in theirs:
                found[account_id].append(repayment.told_at or repayment.paid_at)
                found[account_id].append(repayment.reversal_told_at or repayment.reversed_at)
        for each in self.pages.obligations.values():
            found[each.account_id] += [each.stored_at, each.amended_at, each.redated_at]
        return {
            account_id: sorted(at for at in instants if at is not None)
            for account_id, instants in found.items()
        }

    def told(self, account_id: str, at: datetime) -> int:
        """Return how many things the platform had been told of an account's money and debts by `at`."""
        return bisect_right(self._changes.get(account_id, ()), at)

    def receipts(self, account_id: str, at: datetime) -> list[Repayment]:
        """Return the money of an account that the platform knew of at `at`, whether or not the flows have matched it:
        that is theirs to do.
        """
        return [
            repayment
            for repayment in self._money.get(account_id, ())
            if (repayment.told_at or repayment.paid_at) <= at
            and (
                repayment.reversed_at is None
                or (repayment.reversal_told_at or repayment.reversed_at) > at
            )
        ]


@dataclass
class _Money:
    """What was owed when, by all the money the platform had been told of. Replays are kept: between two things told of
    an account nothing about its money changes.
    """

    _kept: dict[tuple[str, str, str, int], Mapping[str, Standing] | None] = field(
        default_factory=dict
    )

    def is_owed(self, facts: _Facts, obligation_id: str, at: datetime) -> bool:
        """Return whether an obligation was owed at `at`; money for other debts, or none, may have reached it too."""
        obligation = facts.pages.obligations[obligation_id]
        if not _had_these_terms(obligation, at):
            return not obligation.was_settled(at)
        profile = facts.profile(obligation)
        receipts, within_reach = self._within_reach(facts, obligation, profile, at)
        # Only where all that money could be enough is it worth a replay.
        if within_reach < obligation.amount.minor - profile.tolerance_minor:
            return True
        zone = profile.zone or facts.home
        in_time = sum(
            receipt.amount.minor
            for receipt in receipts
            if receipt.obligation_id == obligation.id
            and value_date(receipt.paid_at, profile, zone) <= obligation.due_on
        )
        if in_time >= obligation.amount.minor:
            # Money named for it, before any of it was late: nothing else has a say.
            return False
        standings = self._standings(facts, obligation, receipts, at)
        if standings is None:
            return not obligation.was_settled(at)
        return obligation.id not in standings or not standings[obligation.id].is_settled

    def unpaid_minor(self, facts: _Facts, obligation: Obligation, at: datetime) -> int | None:
        """Return what was missing at `at` from what keeps an obligation from being late; None if that is not known any
        more. Where money could not be enough it is the least that was missing. Late interest that is left of a bill
        without a minimum is as late as the bill.
        """
        if not _had_these_terms(obligation, at):
            return None
        needed = obligation.minimum_minor or obligation.amount.minor
        profile = facts.profile(obligation)
        receipts, within_reach = self._within_reach(facts, obligation, profile, at)
        if within_reach < needed - profile.tolerance_minor:
            return needed - within_reach
        standings = self._standings(facts, obligation, receipts, at)
        if standings is None or obligation.id not in standings:
            return None
        found = standings[obligation.id]
        if found.is_settled:
            return 0
        missing = max(0, needed - (found.paid.total - found.paid.penalty))
        return missing if obligation.minimum_minor else max(missing, profile.tolerance_minor + 1)

    def _within_reach(
        self, facts: _Facts, obligation: Obligation, profile: Profile, at: datetime
    ) -> tuple[list[Repayment], int]:
        """Return the money of the obligation's account known at `at`, and how much of it could be for it."""
        receipts = [
            receipt
            for receipt in facts.receipts(obligation.account_id, at)
            if receipt.amount.currency in ("", obligation.amount.currency)
        ]
        keeps = profile.leftover is Leftover.KEPT
        return receipts, sum(
            receipt.amount.minor
            for receipt in receipts
            if receipt.obligation_id in ("", obligation.id) or not keeps
        )

    def _standings(
        self, facts: _Facts, obligation: Obligation, receipts: Sequence[Repayment], at: datetime
    ) -> Mapping[str, Standing] | None:
        """Return how the debts of an obligation's account stood at `at`; None if one of them was amended since."""
        pages, account_id = facts.pages, obligation.account_id
        key = (pages.tenant, pages.borrower_id, account_id, facts.told(account_id, at))
        if key in self._kept:
            return self._kept[key]
        profile = facts.profile(obligation)
        zone = profile.zone or facts.home
        owing = [
            other
            for other in pages.obligations.values()
            if other.account_id == account_id and other.stored_at <= at
        ]
        found = None
        if all(_had_these_terms(other, at) for other in owing):
            found = replay(
                debts_of(owing, pages.holds.values(), profile, zone, zones.local_date(at, zone)),
                [receipt_of(receipt, profile, zone) for receipt in receipts],
                profile,
                contract_rate(pages.accounts.get(account_id), profile),
            ).standings
        self._kept[key] = found
        return found


def _had_these_terms(obligation: Obligation, at: datetime) -> bool:
    """Return whether an obligation was at `at` what it is now, money apart."""
    if obligation.revision and obligation.amended_at is None:
        return False
    changes = (obligation.amended_at, obligation.redated_at)
    return all(changed_at is None or changed_at <= at for changed_at in changes)


# What was allowed


@dataclass(frozen=True)
class _Policy:
    """What forbids a message, asked of the facts. `sends` are the last decisions about a contact and an obligation."""

    policies: Policies
    sends: Mapping[tuple[str, str], Record]
    money: _Money

    def against(
        self, facts: _Facts, said: _Message, spoke: Spoke, before: datetime | None
    ) -> Iterator[Reason]:
        """Yield what forbade a message to speak of an obligation; `before` is when another one reached the person."""
        obligation = facts.pages.obligations[spoke.obligation_id]
        version = self._version(facts, said, obligation)
        known = version.has(spoke.step)
        message_class = (
            version.step(spoke.step).message_class if known else said.contact.message_class
        )
        today = zones.local_date(said.at, self._places(facts, said)[0])
        if message_class is not MessageClass.STATUTORY:
            if _is_silenced(facts, obligation, said.at):
                yield Reason.MONEY_IN_FLIGHT
            if before is not None and said.at - before < version.min_gap - _IN_CALL:
                yield Reason.TOO_SOON
            if not version.is_open(today):
                yield Reason.CLOSED_DAY
            yield from _before_entry(facts, obligation, spoke, version, today)
        if self._is_refused(facts, said, message_class):
            yield Reason.FORBIDDEN_BY_RULE
        yield from _held(facts, obligation, message_class, said)
        yield from self._of_age(facts, said, spoke, version, message_class)

    def _is_refused(self, facts: _Facts, said: _Message, message_class: MessageClass) -> bool:
        """Return whether the person was known to have refused a channel when a message was started on it."""
        ledger = facts.pages.consents
        if not ledger or message_class is MessageClass.STATUTORY:
            return False
        contact = said.contact
        started = said.at - _IN_CALL
        known = tuple(each for each in ledger if _told_at(each) <= started)
        borrower = facts.pages.head
        assert borrower is not None, "a contact never stands without its borrower"
        # Which address it was is not on record: an address that is not the present one may have been refused too.
        point = borrower.point(contact.channel)
        address = token_of(borrower.tenant, borrower.id, point.address) if point else ""
        purpose = Purpose.OVERDUE if message_class is MessageClass.OVERDUE else Purpose.COURTESY
        return not stands(
            known, Switch.REMINDER, contact.channel, address, purpose, started
        ).allowed

    def once(self, facts: _Facts, said: _Message, spoke: Spoke) -> Spoke:
        """Return what was spoken of as what may be spoken of once: of what does not count from the due date in no cycle
        again.
        """
        version = self._version(facts, said, facts.pages.obligations[spoke.obligation_id])
        if version.has(spoke.step) and _outlasts(version.step(spoke.step), spoke.step):
            return spoke._replace(cycle="")
        return spoke

    def in_window(self, facts: _Facts, said: _Message) -> bool:
        """Return whether a message arrived at an hour that the law allows, wherever the person may be."""
        borrower = facts.pages.head
        assert borrower is not None, "a contact never stands without its borrower"
        snapshot = facts.pages.snapshot(said.contact.obligation_id, self.policies.profiles)
        obligation = snapshot.obligation
        step = self._version(facts, said, obligation).step(said.contact.step)
        asked = request(snapshot, step, said.at, said.contact.channel)
        rules = self.policies.rules
        seen = self.sends.get((said.contact.id, obligation.id))
        asked = replace(asked, zones=self._places(facts, said))
        known = seen.body.get("jurisdiction") if seen is not None else None
        names = str(known).split(",") if known else rules.jurisdictions(borrower)
        return rules.law.hours(asked, names).open_at(said.at)

    def _places(self, facts: _Facts, said: _Message) -> tuple[str, ...]:
        """Return the zones that the contact's decision saw; today's, where no record tells."""
        borrower = facts.pages.head
        assert borrower is not None, "a contact never stands without its borrower"
        decision = self.sends.get((said.contact.id, said.contact.obligation_id))
        seen = decision.body if decision is not None else {}
        return tuple(str(seen.get("zone", ",".join(borrower.zones))).split(","))

    def _version(self, facts: _Facts, said: _Message, obligation: Obligation) -> Treatment:
        """Return the version of the treatment by which a message speaks of an obligation."""
        line = self.policies.treatment_of(facts.profile(obligation))
        if obligation.id == said.contact.obligation_id:
            return line.version(said.contact.treatment)
        decision = self.sends.get((said.contact.id, obligation.id))
        return line if decision is None else line.version(str(decision.body.get("treatment", "")))

    def _of_age(
        self,
        facts: _Facts,
        said: _Message,
        spoke: Spoke,
        version: Treatment,
        message_class: MessageClass,
    ) -> Iterator[Reason]:
        """Yield what the age of the debt forbade: a demand for what is not overdue, a word of arrears with the minimum
        paid, a step for other days past due.
        """
        obligation = facts.pages.obligations[spoke.obligation_id]
        demands = message_class is MessageClass.OVERDUE
        when = version.step(spoke.step).when if version.has(spoke.step) else None
        bounded = when is not None and not (when.min_dpd is None and when.max_dpd is None)
        speaks_of_arrears = demands or self._came_after_due(facts, said, spoke)
        if not (speaks_of_arrears or bounded):
            return
        unpaid = self.money.unpaid_minor(facts, obligation, said.at)
        where = _age(facts, obligation, spoke, unpaid, said.at)
        if speaks_of_arrears and where.phase is Phase.SETTLED:
            yield Reason.MINIMUM_PAID if obligation.minimum_minor else Reason.PAID
        elif demands and where.phase is not Phase.OVERDUE:
            yield Reason.IN_GRACE if where.phase is Phase.GRACE else Reason.NOT_YET
        if bounded and when is not None and not obligation.revision:
            at_least, at_most = when.min_dpd, when.max_dpd
            if (at_least is not None and where.dpd < at_least) or (
                at_most is not None and where.dpd > at_most
            ):
                yield Reason.CONDITION_NOT_MET

    def _came_after_due(self, facts: _Facts, said: _Message, spoke: Spoke) -> bool:
        """Return whether the step of a message came due after the debt had, by its decision."""
        decision = self.sends.get((said.contact.id, spoke.obligation_id))
        step_at = str(decision.body.get("step_at", "")) if decision is not None else ""
        if not step_at:
            return False
        profile = facts.profile(facts.pages.obligations[spoke.obligation_id])
        zone = profile.zone or facts.home
        return zones.local_date(zones.from_text(step_at), zone) > _due_on(spoke)


def _outlasts(step: Step, key: str) -> bool:
    """Return whether a step is the same one when the due date has moved: it counts from the statement or an event."""
    return step.anchor is Anchor.STATEMENT or ANCHORED in key


def _due_on(spoke: Spoke) -> date:
    """Return the due date in a cycle."""
    return due_of(spoke.cycle)


def _age(
    facts: _Facts, obligation: Obligation, spoke: Spoke, unpaid: int | None, at: datetime
) -> ageing.Standing:
    """Return how old a debt was at `at` by the due date of the cycle spoken of; unpaid where nobody knows any more."""
    profile = facts.profile(obligation)
    zone = profile.zone or facts.home
    on, counted_from = zones.local_date(at, zone), _due_on(spoke)
    if obligation.aged_from is not None and obligation.aged_on is not None:
        agreed = obligation.aged_on < on or (
            obligation.aged_on == on and _had_these_terms(obligation, at)
        )
        counted_from = max(counted_from, obligation.aged_from) if agreed else counted_from
    holds = (
        hold
        for hold in facts.pages.holds.values()
        if hold.told_at <= at and hold.concerns(obligation.account_id, obligation.id)
    )
    return ageing.standing(
        counted_from,
        profile.tolerance_minor + 1 if unpaid is None else unpaid,
        on,
        profile,
        pauses_of(holds, zone) if profile.dpd_paused_by else (),
    )


def _held(
    facts: _Facts, obligation: Obligation, message_class: MessageClass, said: _Message
) -> Iterator[Reason]:
    """Yield the reasons of the holds that were known and in force when a message went."""
    for hold in facts.pages.holds.values():
        if (
            hold.told_at <= said.at
            and hold.covers(said.at)
            and hold.channel in ("", said.contact.channel)
            and hold.stops(message_class)
            and hold.concerns(obligation.account_id, obligation.id)
            and _always_held(hold)
        ):
            yield hold.meaning.reason


def _told_at(entry: Consent | Refusal | Reassigned) -> datetime:
    told_at = None if isinstance(entry, Reassigned) else entry.told_at
    return told_at or (entry.given_at if isinstance(entry, Consent) else entry.at)


def _always_held(hold: Hold) -> bool:
    """Return whether a hold has stopped from the first what it stops now: no more than a lift has changed it."""
    lifts = hold.lifted_at is not None
    return hold.revision == 1 or (hold.revision == 2 and lifts and hold.reopened_from is None)


def _is_silenced(facts: _Facts, obligation: Obligation, at: datetime) -> bool:
    """Return whether money for an obligation was known to be under way at `at`."""
    flights = list(facts.flights(obligation))
    if not flights:
        return False
    patience = timedelta(hours=facts.profile(obligation).debit.patience_hours)
    return any(_silences(facts, flight, patience, at) for flight in flights)


def _silences(facts: _Facts, flight: Flight, patience: timedelta, at: datetime) -> bool:
    told_at = flight.told_at or flight.since
    if at < told_at:
        # It has ended since: until then it was what had been told before.
        ended = flight.state in (FlightState.SETTLED, FlightState.FAILED)
        was_pending = ended and flight.revision == 2 and flight.since <= at
        return was_pending and at < flight.expected_by + patience
    until = flight.silent_until(patience)
    if until is None or at >= until:
        return False
    return flight.state is FlightState.PENDING or not _is_answered(facts, flight, at)


def _is_answered(facts: _Facts, flight: Flight, at: datetime) -> bool:
    """Return whether the money of a settled flight had come by `at`, as a repayment of just its amount, whatever became
    of it then.
    """
    return any(
        repayment.account_id == flight.account_id
        and repayment.amount.minor == flight.amount_minor
        and repayment.credit is (flight.means is Means.REFUND)
        and flight.since <= (repayment.told_at or repayment.paid_at) <= at
        for repayment in facts.pages.repayments.values()
    )


def _before_entry(
    facts: _Facts, obligation: Obligation, spoke: Spoke, version: Treatment, today: date
) -> Iterator[Reason]:
    """Yield why nothing was to be said yet of a debt that was overdue when it was first told."""
    told_on = zones.local_date(obligation.stored_at, facts.home)
    if version.entry is not Entry.CHOSEN or told_on <= _due_on(spoke):
        return
    if obligation.entry_on is None:
        yield Reason.AWAITING_ENTRY
    elif today < obligation.entry_on:
        yield Reason.BEFORE_ENTRY
