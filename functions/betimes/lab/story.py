"""Stories: dated plain-text diaries of what lenders tell and what borrowers get, played in the lab.

    treatment default
    borrower  b1 zh-CN Asia/Shanghai CN email=li@borrowers.example sms=+447700900001
    2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
    2026-03-06 10:00  contact  o1 step D-3 email
    2026-03-08 14:10  pay      p1 o1 CNY 1200.00
    2026-03-09 10:00  silence  o1 because paid

Times are local to the zone of the diary (`zone`, default Asia/Shanghai). Verbs that tell: `bill`, `pay`, `reverse`,
`outage until <time>` (nothing is swept until then), `borrower` (also in mid-story: replaces the person). Verbs that
ask: `contact` (exactly this message is accepted at exactly this instant), `silence` (nothing is, and the reason is this
one), `state` (what became of a step's contact). A story fails at any message that no `contact` line names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from betimes.core import money, zones
from betimes.core.agenda import plan
from betimes.core.audit import Findings
from betimes.core.book import Snapshot
from betimes.core.borrower import ContactPoint
from betimes.core.contact import Contact
from betimes.core.decide import decide
from betimes.core.decision import Send
from betimes.core.errors import Rejected
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    PutAccount,
    PutBorrower,
    ReverseRepayment,
)
from betimes.core.policies import Policies
from betimes.flows.intake import Told
from betimes.lab.runner import report_of
from betimes.lab.world import TENANT, World

_BLINK = timedelta(microseconds=1)


class StoryFailed(AssertionError):
    """A line of a story is not what happened; the message names the line and what happened instead."""


@dataclass
class Played:
    """A story that came true: which reasons it showed, and what the audit found at its end."""

    reasons: set[str] = field(default_factory=set)
    findings: Findings | None = None


@dataclass
class _Stage:
    """The world of a story in the middle of it."""

    policies: Policies
    zone: str = "Asia/Shanghai"
    world: World | None = None
    homes: dict[str, str] = field(default_factory=dict)
    heard: int = 0
    expected: int = 0
    asleep_until: datetime | None = None
    played: Played = field(default_factory=Played)

    def at(self, text: str) -> datetime:
        """Return the instant of a local `YYYY-MM-DD HH:MM[:SS]`."""
        local = datetime.fromisoformat(text)
        return zones.instant(local.date(), local.time(), self.zone)

    def here(self, at: datetime) -> World:
        """Return the world, created at `at` if nothing has happened yet."""
        if self.world is None:
            self.world = World(self.policies, at)
        return self.world

    def borrower_of(self, obligation_id: str) -> str:
        """Return who owes the obligation."""
        return self.homes[obligation_id]


def play(lines: Iterable[str], policies: Policies) -> Played:
    """Play a story to its end and return what it showed.

    Raises:
        StoryFailed: something else happened, or a promise was broken; names the line.
    """
    stage = _Stage(policies)
    people: list[str] = []
    for number, raw in enumerate(lines, start=1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        try:
            if line.startswith("zone "):
                stage.zone = line.split()[1]
            elif line.startswith("borrower "):
                people.append(line)
            else:
                _timed(stage, line, people)
        except (StoryFailed, Rejected) as problem:
            raise StoryFailed(f"line {number}: {line}\n  {problem}") from None
        except (ValueError, IndexError, KeyError) as problem:
            raise StoryFailed(f"line {number}: {line}\n  cannot be read: {problem!r}") from None
    return _ended(stage)


def _ended(stage: _Stage) -> Played:
    assert stage.world is not None, "a story has at least one timed line"
    _no_surprise(stage)
    stage.played.findings = report_of(stage.world, stage.policies).findings
    return stage.played


def _timed(stage: _Stage, line: str, people: list[str]) -> None:
    day, clock, verb, *rest = line.split()
    at = stage.at(f"{day} {clock}")
    world = stage.here(at)
    for person in people:
        _borrower(stage, person.split()[1:])
    people.clear()
    if verb in ("contact", "silence", "state"):
        _let_pass(stage, at)
        _ASK[verb](stage, at, rest)
    else:
        _let_pass(stage, at - _BLINK)
        world.clock.advance(at)
        _TELL[verb](stage, at, rest)


def _let_pass(stage: _Stage, until: datetime) -> None:
    """Let time pass; during an outage nothing is swept, at its end everything that waited is."""
    assert stage.world is not None
    if stage.asleep_until is not None:
        if until < stage.asleep_until:
            stage.world.clock.advance(until)
            return
        stage.world.clock.advance(stage.asleep_until)
        stage.asleep_until = None
    stage.world.run_until(until)


def _tell(stage: _Stage, told: Told) -> None:
    assert stage.world is not None
    for answer in stage.world.tell([told]):
        if isinstance(answer, Rejected):
            raise StoryFailed(f"rejected: {answer.code}: {answer.message}")


def _borrower(stage: _Stage, words: list[str]) -> None:
    borrower_id, locale, zone, jurisdiction, *points = words
    command = PutBorrower(
        locale,
        zone,
        jurisdiction,
        tuple(_point(point) for point in points),
    )
    _tell(stage, Told("", borrower_id, (command,)))


def _point(text: str) -> ContactPoint:
    channel, _, address = text.partition("=")
    return ContactPoint(channel, address)


def _person(stage: _Stage, at: datetime, words: list[str]) -> None:
    _borrower(stage, words)


def _bill(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`bill o1 b1 CNY 1200.00 due 2026-03-09 [minimum 120.00] [issued 2026-03-01]`; issued now unless it says when."""
    obligation_id, borrower_id, currency, amount, *pairs = words
    more = dict(zip(pairs[::2], pairs[1::2], strict=True))
    issued_at = stage.at(f"{more['issued']} 00:00") if "issued" in more else at
    account_id = f"{borrower_id}-{currency}"
    minor = _minor(amount, currency)
    _tell(
        stage,
        Told(
            account_id,
            borrower_id,
            (
                PutAccount(account_id, "story", currency, issued_at.date()),
                AddObligation(
                    obligation_id,
                    account_id,
                    1,
                    issued_at,
                    date.fromisoformat(more["due"]),
                    minor,
                    minor,
                    _minor(more["minimum"], currency) if "minimum" in more else 0,
                ),
            ),
        ),
    )
    stage.homes[obligation_id] = borrower_id


def _pay(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`pay p1 o1 CNY 1200.00`."""
    repayment_id, obligation_id, currency, amount = words
    borrower_id = stage.borrower_of(obligation_id)
    stage.homes[repayment_id] = borrower_id
    account_id = f"{borrower_id}-{currency}"
    command = AddRepayment(repayment_id, obligation_id, account_id, at, _minor(amount, currency))
    _tell(stage, Told(account_id, borrower_id, (command,)))


def _reverse(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`reverse p1`."""
    _tell(stage, Told("", stage.homes[words[0]], (ReverseRepayment(words[0], at),)))


def _outage(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`outage until 2026-03-07 09:00`."""
    stage.asleep_until = stage.at(" ".join(words[1:3]))


def _contact(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`contact o1 step D-3 email [amount 1200.00]`: the next message accepted is this one, now."""
    obligation_id, _, step, channel, *more = words
    assert stage.world is not None
    accepted = stage.world.provider.accepted
    if stage.heard >= len(accepted):
        raise StoryFailed(f"nothing was sent; {_because(stage, obligation_id)}")
    # Messages accepted at one instant may be told in any order.
    now = [n for n in range(stage.heard, len(accepted)) if accepted[n].at == at]
    for n in now:
        contact = stage.world.memory.get(accepted[n].letter.contact_id)
        assert contact is not None
        if (contact.obligation_id, contact.step, contact.channel) == (obligation_id, step, channel):
            accepted[stage.heard], accepted[n] = accepted[n], accepted[stage.heard]
            break
    else:
        raise StoryFailed(f"not sent then; accepted next: {_named(stage, stage.heard)}")
    if more and contact.amount.minor != _minor(more[1], contact.amount.currency):
        raise StoryFailed(f"the amount in it is {contact.amount.decimal()}")
    stage.heard += 1
    stage.played.reasons.add("due")


def _silence(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`silence o1 because paid`: nothing more was sent up to now, and this is why."""
    obligation_id, _, reason = words
    _no_surprise(stage)
    reasons = _reasons(stage, obligation_id, at)
    if reason not in reasons:
        raise StoryFailed(f"silent, but because of {', '.join(sorted(reasons)) or 'nothing'}")
    stage.played.reasons.add(reason)


def _state(stage: _Stage, at: datetime, words: list[str]) -> None:
    """`state o1 step D-3 UNKNOWN because held_unknown`."""
    obligation_id, _, step, state, _, reason = words
    found = [c for c in _contacts(stage, obligation_id) if c.step == step]
    if not found:
        raise StoryFailed(f"no contact for {step}; {_because(stage, obligation_id)}")
    if (found[-1].state, found[-1].reason) != (state, reason):
        raise StoryFailed(f"it is {found[-1].state} because {found[-1].reason}")
    stage.played.reasons.add(reason)


_TELL = {
    "borrower": _person,
    "bill": _bill,
    "pay": _pay,
    "reverse": _reverse,
    "outage": _outage,
}
_ASK = {"contact": _contact, "silence": _silence, "state": _state}


def _no_surprise(stage: _Stage) -> None:
    assert stage.world is not None
    if len(stage.world.provider.accepted) > stage.heard:
        raise StoryFailed(f"a message that no line names: {_named(stage, stage.heard)}")


def _named(stage: _Stage, n: int) -> str:
    assert stage.world is not None
    arrived = stage.world.provider.accepted[n]
    contact = stage.world.memory.get(arrived.letter.contact_id)
    assert contact is not None
    local = arrived.at.astimezone(zones.zone(stage.zone))
    return (
        f"{local:%Y-%m-%d %H:%M:%S} {contact.obligation_id} step {contact.step} {contact.channel}"
    )


def _contacts(stage: _Stage, obligation_id: str) -> list[Contact]:
    assert stage.world is not None
    found = [c for c in stage.world.memory.all_contacts() if c.obligation_id == obligation_id]
    return sorted(found, key=lambda c: c.decided_at)


def _reasons(stage: _Stage, obligation_id: str, at: datetime) -> set[str]:
    """Return why an obligation is silent at `at`: what a decision says now of the step that is due, what was recorded
    at the last instant at which anything was, and where the last contact stands.
    """
    assert stage.world is not None
    pages = stage.world.memory.pages(TENANT, stage.borrower_of(obligation_id))
    snapshot = pages.snapshot(obligation_id)
    reasons = set()
    decision = decide(
        snapshot, stage.policies.treatment, stage.policies.rules, at, step=_due(stage, snapshot, at)
    )
    if decision is not None and not isinstance(decision, Send):
        reasons.add(str(decision.reason))
    records = [
        record
        for record in stage.world.memory.of_borrower(TENANT, snapshot.borrower.id)
        if record.obligation_id == obligation_id
    ]
    reasons |= {str(r.body["reason"]) for r in records if r.at == records[-1].at}
    return reasons | {str(contact.reason) for contact in _contacts(stage, obligation_id)[-1:]}


def _due(stage: _Stage, snapshot: Snapshot, at: datetime) -> str:
    """Return the latest step whose instant has come, else the first one."""
    steps = plan(snapshot, stage.policies.treatment)
    come = [planned for planned in steps if planned.at <= at]
    return (come[-1] if come else steps[0]).step.name


def _because(stage: _Stage, obligation_id: str) -> str:
    assert stage.world is not None
    why = _reasons(stage, obligation_id, stage.world.clock.now())
    return f"silent because of {', '.join(sorted(why)) or 'nothing'}"


def _minor(text: str, currency: str) -> int:
    """Return `1200.00` as minor units of the currency."""
    whole, _, part = text.partition(".")
    digits = money.minor_units(currency)
    if len(part) != digits:
        raise ValueError(f"{text} does not have {digits} decimals")
    return int(whole + part)
