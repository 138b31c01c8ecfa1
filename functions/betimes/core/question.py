"""What is asked of the law about one contact, and what it answers.

A request holds all that a rule may want to know, as of the instant of sending; nothing else is looked up. An answer is
what one rule says, a verdict what all of them say together. `core.law` is where they meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from betimes.core.consent import Ledger
from betimes.core.rule import Enforce, Party, Purpose, Recipient, Stage, Status
from betimes.core.touch import Touch
from betimes.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something on record that may stop this contact, from `starts_at` until before `ends_at` (UTC; None: no end is
    known). `kind` is a word of `core.pack.EVENTS`, or "cure" or "promise" for a cool-off; `what` says more, for people.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A notice that was given: the rule by which it was owed, and the instant (UTC)."""

    rule_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a notice hangs on: `kind` as rules name it ("due", "debit", "arrears") and its instant, past or ahead."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A contact that wants to be, as of the instant `at` of sending (UTC).

    `zones` are all in which the consumer may be, at least one; `address_zones` and `number_zones` those of the postal
    address and of the number's area, empty: `zones`. `by` is who asks, a tenant or an agency. `number` stands for the
    number or address to be used and is never the plain one.

    `product` is the lender's name for it, `kinds` are what the law knows it as (`core.rule.ProductKind`).

    What is not known makes us quieter: "" for `product` is bound by rules of every product; "" for `number` and no
    `debts` or `accounts` count the touches of all of them; "" for `language` is any of them.

    `dpd` are days past due, below 0 before the due day. `agreed_hours`: the consumer agreed to other hours than the law
    has. `touches` and `events` are those of this person that concern this contact, in any order; for a date in the past
    pass those that were on record then. `consents` is the ledger of consents and refusals. `text` is the rendered
    message with its subject; "": its content is not asked about.
    """

    at: datetime
    channel: str
    purpose: Purpose
    stage: Stage
    zones: tuple[str, ...]
    party: Party = Party.FIRST
    by: str = ""
    product: str = ""
    kinds: tuple[str, ...] = ()
    debts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    number: str = ""
    address_zones: tuple[str, ...] = ()
    number_zones: tuple[str, ...] = ()
    dpd: int = 0
    agreed_hours: bool = False
    recipient: Recipient = Recipient.BORROWER
    reveals_debt: bool = True
    borrower_unreachable: bool = False
    touches: tuple[Touch, ...] = ()
    events: tuple[Event, ...] = ()
    consents: Ledger = ()
    language: str = ""
    text: str = ""
    notices_given: tuple[Given, ...] = ()
    triggers: tuple[Trigger, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a request of nobody's clock, and an instant that is not in UTC."""
        assert self.zones, "a request names the zones the consumer may be in"
        assert self.at.tzinfo is UTC, "an instant is in UTC"


class Effect(StrEnum):
    """What a rule says: nothing against it; no, and time does not heal it; not before an instant; a notice is owed."""

    ALLOW = "allow"
    DENY = "deny"
    DEFER = "defer"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule says, on which status of its text, how far it binds, and the `facts` it used.

    `until` is the first instant at which this rule alone no more stands in the way (DEFER), or the last one at which
    the notice is in time (REQUIRE). `notice` is the trigger of a notice that is owed. A rule that was not in force, or
    is not about such a contact, allows it: `facts` then hold "applies" false and "because".
    """

    rule_id: str
    effect: Effect
    status: Status
    enforce: Enforce
    facts: Mapping[str, str | int | bool]
    until: datetime | None = None
    notice: str = ""
    in_force: bool = True

    @property
    def applies(self) -> bool:
        """Whether the rule was in force and is about such a contact."""
        return bool(self.facts.get("applies", True))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all rules say together: DENY if a binding one does; else DEFER if a binding one does; else ALLOW.

    `answers` are those of all rules that are not switched off, in order of id. `until`, of a DEFER, is the latest of
    theirs: before it the contact is not lawful, at it all has to be asked again. `requires` are the ids of binding
    rules by which a notice is owed; that stops no other contact.
    """

    effect: Effect
    answers: tuple[Answer, ...]
    until: datetime | None = None
    requires: tuple[str, ...] = ()

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The binding rules that decided, in order of id: those that say DENY, or DEFER; none for ALLOW."""
        if self.effect is Effect.ALLOW:
            return ()
        return tuple(answer.rule_id for answer in self._rested_on())

    @property
    def statuses(self) -> tuple[Status, ...]:
        """How well the rules are known on which this rests, each status once, the best first.

        These are the rules that decided; for ALLOW all binding ones that are about such a contact.
        """
        found = {answer.status for answer in self._rested_on()}
        return tuple(status for status in Status if status in found)

    def _rested_on(self) -> list[Answer]:
        binding = [answer for answer in self.answers if answer.enforce.binds]
        if self.effect is Effect.ALLOW:
            return [answer for answer in binding if answer.applies]
        return [answer for answer in binding if answer.effect is self.effect]
