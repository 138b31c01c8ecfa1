"""Rules of contact, asked about one step of one obligation: which jurisdictions bind, at which hours it may speak, and
what the law says of it at an instant.

`core.law` knows requests and nothing of obligations; this module says what a step is in the law's terms. A jurisdiction
without a pack of its own gets the rules of the house: what is unknown makes us quieter, never louder. Residence and
number may name several jurisdictions; then the rules of all of them bind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from betimes.core import zones
from betimes.core.book import Snapshot
from betimes.core.borrower import Borrower
from betimes.core.budget import token_of
from betimes.core.hold import Hold
from betimes.core.hours import Hours
from betimes.core.law import HOUSE, Effect, Event, Law, Request, Verdict
from betimes.core.rule import ConsentForm, ConsentTerms, Party, Purpose, Rule, Stage, WindowTerms
from betimes.core.treatment import MessageClass, Step
from betimes.core.values import dataclass, replace

# How far ahead an instant is searched that all clocks and all rules allow: longer than any shutdown for holidays. Where
# nothing is common for so long, better evidence is the way out and not waiting.
HORIZON: Final = timedelta(days=15)
_PURPOSES: Final = {
    MessageClass.COURTESY: Purpose.COURTESY,
    MessageClass.OVERDUE: Purpose.OVERDUE,
    MessageClass.STATUTORY: Purpose.STATUTORY,
}
# The longest prefix of a number that a pack claims, "+" included, is shorter.
_PREFIX: Final = 8
_KEPT: Final = 4096


class _Memory:
    """What `Rules` have worked out; no part of their value."""

    __slots__ = ("consents", "counts_days", "hours", "jurisdictions")

    def __init__(self) -> None:
        self.jurisdictions: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.counts_days: dict[tuple[str, ...], bool] = {}
        self.hours: dict[tuple[object, ...], Hours] = {}
        self.consents: dict[tuple[str, ...], tuple[tuple[Rule, ...], frozenset[str] | None]] = {}


Key = TypeVar("Key")
Found = TypeVar("Found")


def _kept(memory: dict[Key, Found], key: Key, found: Found) -> Found:
    """Keep what was found, starting anew where there is too much, and return it."""
    if len(memory) >= _KEPT:
        memory.clear()
    memory[key] = found
    return found


@dataclass(frozen=True, slots=True)
class Rules:
    """The law with the jurisdiction of the lender's licence, "" where it has no say."""

    law: Law
    licence: str = ""
    _memory: _Memory = field(init=False, compare=False, repr=False, default_factory=_Memory)

    def jurisdictions(self, borrower: Borrower) -> tuple[str, ...]:
        """Return the jurisdictions whose rules bind for a person: by residence, by each number, and by the licence.

        Source: `domain/rules.md` of the knowledge base, trap 30: who lives in New York with a Chinese number has both.
        """
        numbers = [p.address for p in borrower.contact_points if p.address.startswith("+")]
        # A prefix tells what the number belongs to; the rest of it is nobody's business here.
        key = (borrower.jurisdiction, *(number[:_PREFIX] for number in numbers))
        found = self._memory.jurisdictions.get(key)
        if found is None:
            names = {
                name
                for number in numbers or [""]
                for name in self.law.select(borrower.jurisdiction, number, self.licence)
            }
            found = _kept(self._memory.jurisdictions, key, tuple(sorted(names)))
        return found

    def candidates(self, jurisdiction: str) -> tuple[str, ...]:
        """Return the zones a borrower may live in of whom nothing is known but the jurisdiction.

        Where its pack lists none, and where there is no pack, these are the zones of the house: a spread around the
        world that has no hour of the house window in common, so that nobody is contacted before more is known.
        """
        pack = self.law.packs.get(self.law.resolve(jurisdiction))
        return (pack.zones if pack else ()) or self.law.packs[HOUSE].zones

    def hours(self, snapshot: Snapshot, step: Step, at: datetime, channel: str = "") -> Hours:
        """Return the hours at which a step may speak by the windows that bind it in the stage its debt has at `at`."""
        names = self.jurisdictions(snapshot.borrower)
        channel = channel or step.channels[0]
        key = (
            names,
            snapshot.borrower.zones,
            channel,
            _purpose(snapshot, step),
            stage_of(snapshot, at),
            snapshot.profile.name,
            snapshot.profile.kinds,
            _dpd(snapshot, at) if self._counts_days(names) else 0,
        )
        found = self._memory.hours.get(key)
        if found is None:
            asked = request(snapshot, step, at, channel)
            found = _kept(self._memory.hours, key, self.law.hours(asked, names))
        return found

    def _counts_days(self, names: tuple[str, ...]) -> bool:
        """Return whether a window of these jurisdictions binds only debts of some days past due."""
        found = self._memory.counts_days.get(names)
        if found is None:
            terms = [each.terms for each in self.law.chain(names)]
            found = any(
                isinstance(each, WindowTerms)
                and (each.dpd_at_least, each.dpd_at_most) != (None, None)
                for each in terms
            )
            _kept(self._memory.counts_days, names, found)
        return found

    def refused_by(
        self, snapshot: Snapshot, step: Step, at: datetime, channel: str
    ) -> tuple[Rule, ...]:
        """Return the binding rules by which nobody may speak by a channel at `at`, because the person refused it or a
        consent is missing; none where a step may. Asked of a statutory notice, they are those that close the channel
        for reminders: the notice takes another one, if there is one, and is never left out.
        """
        names = self.jurisdictions(snapshot.borrower)
        known = self._memory.consents.get(names)
        if known is None:
            known = _kept(self._memory.consents, names, self._about_consent(names))
        rules, needed_on = known
        if not snapshot.consents and needed_on is not None and channel not in needed_on:
            return ()
        asked = replace(request(snapshot, step, at, channel), consents=snapshot.consents)
        if asked.purpose is Purpose.STATUTORY:
            if not snapshot.consents:
                return ()
            asked = replace(asked, purpose=Purpose.OVERDUE)
        return tuple(rule for rule in rules if self.law.ask(rule, asked).effect is Effect.DENY)

    def _about_consent(
        self, names: tuple[str, ...]
    ) -> tuple[tuple[Rule, ...], frozenset[str] | None]:
        """Return the binding rules about consent, and the channels on which one asks for more than that nothing was
        refused; None: any.
        """
        found = tuple(
            rule
            for rule in self.law.chain(names)
            if isinstance(rule.terms, ConsentTerms) and rule.enforce.binds
            # Whoever speaks here speaks for the lender.
            if not rule.parties or Party.FIRST in rule.parties
        )
        needed: frozenset[str] = frozenset()
        for rule in found:
            terms = rule.terms
            assert isinstance(terms, ConsentTerms), "only these were taken"
            if terms.form is ConsentForm.NOT_REFUSED or set(terms.purposes) == {Purpose.MARKETING}:
                continue
            if not rule.channels:
                return found, None
            needed |= rule.channels
        return found, needed

    def verdict(self, snapshot: Snapshot, step: Step, at: datetime, channel: str) -> Verdict:
        """Return what all rules say of a step that speaks at `at` by a channel."""
        asked = request(snapshot, step, at, channel, past=True)
        return self.law.evaluate(asked, self.jurisdictions(snapshot.borrower))


def request(
    snapshot: Snapshot, step: Step, at: datetime, channel: str, *, past: bool = False
) -> Request:
    """Return a step as the law is asked about it, without what was before it unless `past` is asked for: touches,
    holds and what the person agreed to and refused.
    """
    borrower, obligation = snapshot.borrower, snapshot.obligation
    point = borrower.point(channel)
    days = _dpd(snapshot, at)
    return Request(
        at=at,
        channel=channel,
        purpose=_purpose(snapshot, step),
        stage=_stage(snapshot, days),
        zones=borrower.zones,
        by=borrower.tenant,
        product=snapshot.profile.name,
        kinds=snapshot.profile.kinds,
        debts=(obligation.id,),
        accounts=(obligation.account_id,),
        number="" if point is None else token_of(borrower.tenant, borrower.id, point.address),
        dpd=days,
        touches=snapshot.touches if past else (),
        events=events_of(snapshot.holds, channel) if past else (),
        consents=snapshot.consents if past else (),
    )


def stage_of(snapshot: Snapshot, at: datetime) -> Stage:
    """Return where the debt stands in law at `at`, by the civil dates of its zone: before, on or after its due date."""
    return _stage(snapshot, _dpd(snapshot, at))


def _stage(snapshot: Snapshot, days: int) -> Stage:
    if days < 0:
        return Stage.PRE_DUE
    if days == 0:
        return Stage.DUE_DAY
    return Stage.GRACE if days <= snapshot.profile.grace_days else Stage.OVERDUE


def _dpd(snapshot: Snapshot, at: datetime) -> int:
    return (zones.local_date(at, snapshot.zone) - snapshot.obligation.due_on).days


def _purpose(snapshot: Snapshot, step: Step) -> Purpose:
    announces = step.debit_template not in ("", step.template) and snapshot.has_mandate
    if announces and step.message_class is MessageClass.COURTESY:
        return Purpose.PRE_DEBIT
    return _PURPOSES[step.message_class]


def events_of(holds: Iterable[Hold], channel: str) -> tuple[Event, ...]:
    """Return holds as the law knows them, as far as they concern a channel."""
    return tuple(
        Event(str(hold.kind), hold.starts_at, hold.over_at)
        for hold in holds
        if hold.channel in ("", channel)
    )
