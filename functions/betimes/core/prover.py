"""The prover: shows that no contact of a treatment can break a rule, or finds the smallest case in which one would.

The theory. A treatment has finitely many cases: the kinds of borrowers it tells apart, the products that use it, the
zones of the jurisdictions and the pairs of zones that may conflict, and the due dates of a horizon. All of them are
enumerated. Each is planned by the planner of the run time (`core.agenda`), asked as the run time asks (`core.rules`),
and held against the law's own hours, judges and words: nothing is proved about a model of them. Cases that are equal
but for a shift are worked out once: equal plan (`core.cases.plan_key`), equal hours on the days it touches.

What a treatment can do at worst is found without guessing at outages: each step has a first and a last lawful instant,
and a cap must hold wherever in between each of them is sent (`core.densest`). Where a bound is not exact it errs
towards refusing. docs/guarantees.md says what is proved, why these are all cases, and what is not proved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Final

from betimes.core.cases import DAY, scenes
from betimes.core.inquiry import Inquiry
from betimes.core.law import Law
from betimes.core.message import Template
from betimes.core.product import Profile
from betimes.core.proof import Note, Proof, Refusal, Subject, smallest_of_each
from betimes.core.prover_caps import Counting
from betimes.core.prover_facts import (
    ask_classes,
    ask_debits,
    ask_figures,
    ask_words,
    note_the_rest,
)
from betimes.core.prover_notices import Notices
from betimes.core.prover_times import Ground, Hearing, Place, Scenery
from betimes.core.rule import Party
from betimes.core.treatment import Treatment

# A year and the weeks around it: every change of clocks, every holiday, every day of the week and of the month.
HORIZON_DAYS: Final = 400


def prove(
    treatment: Treatment,
    law: Law,
    jurisdictions: Collection[str],
    profiles: Sequence[Profile],
    templates: Mapping[str, Template],
    *,
    first: date,
    days: int = HORIZON_DAYS,
    party: Party = Party.FIRST,
    notices: Mapping[str, str] | None = None,
    disclosures: Mapping[str, frozenset[str]] | None = None,
    licence: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Proof | Refusal:
    """Return the proof that a treatment keeps the rules of `jurisdictions`, which bind together, or why it is refused.

    Asked are all versions of the treatment, for debts of each of `profiles` that fall due on any of `days` days from
    `first`; where a version begins after `first`, until `days` days from its beginning. `notices` names, by a step's
    name, the rule whose notice the step gives, where its trigger is no event of a treatment. `disclosures` names what
    templates are signed to hold. `licence` is the lender's, whose rules bind beside those of each place, "" none.
    `progress` is told how many of how many cases of borrowers and places are done.

    Raises:
        Rejected: code "too_many_kinds", where conditions tell more kinds of borrowers apart than anybody could read.
    """
    begins = [each.effective_from for each in treatment.versions() if each.earlier is not None]
    inquiry = Inquiry(
        treatment,
        law,
        tuple(jurisdictions),
        tuple(profiles),
        templates,
        first,
        max([first, *begins]) + (days - 1) * DAY,
        party,
        notices or {},
        disclosures or {},
        licence,
    )
    ask_debits(inquiry)
    ask_figures(inquiry)
    ask_classes(inquiry)
    ask_words(inquiry)
    _ask_times(inquiry, progress or (lambda _done, _total: None))
    note_the_rest(inquiry)
    return _answer(inquiry)


def _ask_times(inquiry: Inquiry, progress: Callable[[int, int], None]) -> None:
    sceneries = [
        Scenery(inquiry, scene, names)
        for profile, names in inquiry.groups
        for scene in scenes(inquiry.treatment, profile)
    ]
    everywhere = list(inquiry.places())
    # Places with fewer zones first: a counterexample there is smaller than any with more.
    for n, where in enumerate(everywhere):
        ground = Ground(inquiry, where, sceneries)
        for scenery in sceneries:
            place = Place(scenery, ground)
            Hearing(place).ask()
            Counting(place).ask()
            Notices(place).ask()
        progress(n + 1, len(everywhere))


def _answer(inquiry: Inquiry) -> Proof | Refusal:
    law = inquiry.law
    names = sorted({rule.pack for rule in law.chain(inquiry.jurisdictions)})
    subject = Subject(
        inquiry.treatment.id,
        inquiry.jurisdictions,
        inquiry.first,
        inquiry.last,
        tuple((name, law.packs[name].sha256) for name in names),
        tuple(sorted(profile.id for profile in inquiry.profiles)),
    )
    if inquiry.found:
        found = smallest_of_each(inquiry.found.values())
        return Refusal(subject, inquiry.cases, inquiry.classes, found)
    return Proof(
        subject,
        inquiry.cases,
        inquiry.classes,
        _notes(inquiry.shifted, "sent later than it is meant, when the hours open"),
        _notes(inquiry.missed, "not sent, as the treatment lets it be"),
        tuple(inquiry.notes),
    )


def _notes(counts: Mapping[str, int], what: str) -> tuple[Note, ...]:
    return tuple(Note(about, what, cases) for about, cases in counts.items())
