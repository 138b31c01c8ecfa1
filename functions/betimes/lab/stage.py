"""The stage of a story: its world and clock, who owes what, and how the words of its lines are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta

from betimes.core import money, zones
from betimes.core.audit import Findings
from betimes.core.book import Snapshot
from betimes.core.policies import Policies
from betimes.core.receipts import BASELINE
from betimes.core.rule import Status
from betimes.core.spend import ANYWHERE, Price, Prices
from betimes.core.values import dataclass, replace
from betimes.flows.intake import Answer, Told
from betimes.flows.pacing import Pace, Pacing
from betimes.lab.links import LocalBlind
from betimes.lab.pacing import MemoryLimiter, MemorySpend, VirtualPatience
from betimes.lab.world import TENANT, VirtualClock, World

BLINK = timedelta(microseconds=1)
# A word, or several in quotation marks; what follows a # outside of them is a comment.
_WORD = re.compile(r'"([^"]*)"|#.*|(\S+)')


class StoryFailed(AssertionError):
    """A line of a story is not what happened; the message names the line and what happened instead."""


@dataclass
class Played:
    """A story that came true: which reasons it showed, and what the audit found at its end."""

    reasons: set[str] = field(default_factory=set)
    findings: Findings | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The words of a line behind its verb, and the instant it stands at."""

    at: datetime
    words: tuple[str, ...]


@dataclass
class Stage:
    """The world of a story in the middle of it.

    `budgets` are how many messages a day may be paid for on a channel. `owners` names the borrower of each account,
    `accounts` the account of each obligation, repayment and flight, and `holders` the borrower of each hold. `heard`
    counts the messages that a line has named.
    """

    policies: Policies
    zone: str = "Asia/Shanghai"
    world: World | None = None
    budgets: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    bills: dict[str, list[str]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    heard: int = 0
    asleep_until: datetime | None = None
    told: Sequence[Told] = ()
    answers: Sequence[Answer] = ()
    played: Played = field(default_factory=Played)

    def at(self, text: str) -> datetime:
        """Return the instant of a local `YYYY-MM-DD HH:MM[:SS]`."""
        local = datetime.fromisoformat(text)
        return zones.instant(local.date(), local.time(), self.zone)

    def here(self, at: datetime) -> World:
        """Return the world, created at `at` if nothing has happened yet."""
        if self.world is None:
            self.world = World(self.policies, at, blind=LocalBlind())
            if self.budgets:
                self.world.dispatch = replace(
                    self.world.dispatch, pacing=budgeted(self.world.clock, self.budgets)
                )
        return self.world

    @property
    def running(self) -> World:
        """The world, once something has happened in it."""
        assert self.world is not None, "a story begins with something told"
        return self.world

    def let_pass(self, until: datetime) -> None:
        """Let time pass; during an outage nothing is swept, at its end everything that waited is."""
        world = self.running
        if self.asleep_until is not None:
            if until < self.asleep_until:
                world.clock.advance(until)
                return
            world.clock.advance(self.asleep_until)
            self.asleep_until = None
        world.run_until(until)

    def borrower_of(self, obligation_id: str) -> str:
        """Return who owes the obligation.

        Raises:
            KeyError: no line has told of it.
        """
        return self.owners[self.accounts[obligation_id]]

    def snapshot(self, obligation_id: str) -> Snapshot:
        """Return what a decision would see of an obligation."""
        memory = self.running.memory
        pages = memory.pages(TENANT, self.borrower_of(obligation_id))
        fed_at = memory.fed_until(TENANT)
        return pages.snapshot(obligation_id, self.policies.profiles, fed_at=fed_at)


def budgeted(clock: VirtualClock, budgets: Mapping[str, int]) -> Pacing:
    """Return a pace without any limit but those of money: each message costs the millionth part of a dollar."""
    price = Price(1, "USD", Status.DRAFT)
    return Pacing(
        Pace(MemoryLimiter(), {}),
        MemorySpend(),
        Prices({(provider, channel, ANYWHERE): price for channel, provider in BASELINE.items()}),
        clock,
        VirtualPatience(clock),
        {(TENANT, channel): messages for channel, messages in budgets.items()},
    )


def words_of(line: str) -> list[str]:
    """Return the words of a line; what stands in quotation marks is one word, and a comment is none."""
    found = []
    for word in _WORD.finditer(line):
        if word.group().startswith("#"):
            break
        found.append(word.group(2) if word.group(2) is not None else word.group(1))
    return found


def options(words: Sequence[str], sizes: Mapping[str, int]) -> dict[str, str]:
    """Return the options in the words by name; each is followed by as many words as `sizes` says, 0 for all the rest.

    Raises:
        ValueError: an option is unknown, stands twice, or lacks words.
    """
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        name = rest.pop(0)
        if name not in sizes or name in found:
            raise ValueError(f"{name!r} is no option here; there are: {', '.join(sorted(sizes))}")
        size = sizes[name] or len(rest)
        if len(rest) < max(1, size):
            raise ValueError(f"{name!r} lacks words")
        found[name] = " ".join(rest[:size])
        rest = rest[size:]
    return found


def minor(text: str, currency: str) -> int:
    """Return `1200.00` as minor units of the currency.

    Raises:
        ValueError: it does not have the decimals of the currency.
    """
    whole, _, part = text.replace(",", "").partition(".")
    digits = money.minor_units(currency)
    if len(part) != digits:
        raise ValueError(f"{text} does not have {digits} decimals")
    return int(whole + part)


def day(text: str) -> date:
    """Return the date of `2026-03-09`."""
    return date.fromisoformat(text)
