"""What comes of asking whether a treatment could break a rule: a proof, or a refusal with its smallest counterexamples.

`core.prover` makes them; whoever activates a policy keeps the proof and shows the refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from betimes.core.rule import Enforce, Status
from betimes.core.values import dataclass

# Raised where what is asked, or how a treatment is planned, changes so that a proof of before says nothing any more.
FORM: Final = 2

# Rules of the prover itself, which stand in no pack: what a treatment may not be, whatever the law.
NEVER_RULE: Final = "HOUSE.STEP.NEVER"
CLASS_RULE: Final = "HOUSE.STEP.CLASS"
WORDS_RULE: Final = "HOUSE.STEP.WORDS"
OWN_RULES: Final = {
    NEVER_RULE: "Betimes, docs/guarantees.md: a step that its own treatment keeps from being sent is no step",
    CLASS_RULE: "Betimes, docs/guarantees.md: only a notice that a rule demands is statutory, for it passes caps and "
    "opt-outs",
    WORDS_RULE: "Betimes, docs/guarantees.md: words for a debt that is late are not used before it is late, nor "
    "declared a courtesy then",
}


class Asked(StrEnum):
    """What was asked of the treatment."""

    HOURS = "hours"
    CAP = "cap"
    PACE = "pace"
    NOTICE = "notice"
    CONTENT = "content"
    DEBIT = "debit"
    CALC = "calc"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Sent:
    """One contact of a counterexample: the step, of which of the debts (from 1), and the instant (UTC)."""

    step: str
    debt: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One way in which a treatment breaks a rule, or is stopped by it for good.

    `zones` are those of the borrower, the one whose clock steps keep first; none where the place is of no account.
    `borrower` says in words who it is, "" anybody. `due_on` is the due date, or the first day on which what was found
    holds. `at` is the instant (UTC) of the contact, None where no contact is meant. `contacts` are those that count
    together, in order of time. `position` is the place of the step in the treatment, from 0.
    """

    asked: Asked
    rule_id: str
    citation: str
    status: Status
    enforce: Enforce
    product: str
    due_on: date
    problem: str
    way_out: str
    zones: tuple[str, ...] = ()
    borrower: str = ""
    step: str = ""
    position: int = 0
    channel: str = ""
    at: datetime | None = None
    contacts: tuple[Sent, ...] = ()

    @property
    def size(self) -> tuple[int, date, int, int, str]:
        """What the smallest is found by: fewest zones, earliest date, first step, fewest contacts, first rule by id."""
        return (len(self.zones), self.due_on, self.position, len(self.contacts), self.rule_id)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is no fault: about a rule or a step, what it is, and how many cases it concerns (0: not
    counted).
    """

    about: str
    what: str
    cases: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What was asked: a treatment, the jurisdictions whose rules bind together, the days on which debts fall due, and
    the packs (name, SHA-256 of the file) that the answer rests on.
    """

    treatment: str
    jurisdictions: tuple[str, ...]
    first: date
    last: date
    packs: tuple[tuple[str, str], ...]
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """No case of `cases` breaks a rule. `classes` is how many of them were worked out: the others are equal to one of
    these by shifting. `notes` say what was shifted, what may be missed by the treatment's own word, and what was not
    asked here.
    """

    subject: Subject
    cases: int
    classes: int
    shifted: tuple[Note, ...] = ()
    missed: tuple[Note, ...] = ()
    not_proved: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The treatment could break a rule. `counterexamples` has the smallest one for each rule and kind of question, the
    smallest of all first; never empty.
    """

    subject: Subject
    cases: int
    classes: int
    counterexamples: tuple[Counterexample, ...]

    @property
    def smallest(self) -> Counterexample:
        """The counterexample to read first."""
        return self.counterexamples[0]


def smallest_of_each(found: Iterable[Counterexample]) -> tuple[Counterexample, ...]:
    """Return the smallest counterexample of each rule and kind of question, in order of size."""
    kept: dict[tuple[Asked, str], Counterexample] = {}
    for each in found:
        key = (each.asked, each.rule_id)
        if key not in kept or each.size < kept[key].size:
            kept[key] = each
    return tuple(sorted(kept.values(), key=lambda each: each.size))
