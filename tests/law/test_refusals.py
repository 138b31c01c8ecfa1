"""What forbids words is asked alone before each message; it says what the whole law says of them."""

from __future__ import annotations

import pytest

from betimes.core.law import Law
from betimes.core.question import Effect
from betimes.core.rule import CalcTerms, DebitTerms, Kind, RetainTerms
from tests.law import support

KINDS = frozenset({Kind.CONTENT, Kind.RECIPIENT})
NAMES = tuple(support.packs())


@pytest.mark.parametrize("name", NAMES)
def test_the_part_says_what_the_whole_says(name: str) -> None:
    """For every vector of a pack: the same refusals, in the same order, and no other."""
    law: Law = support.law()
    of = support.packs()[name]
    refused = 0
    figures = {
        rule.id for rule in of.rules if isinstance(rule.terms, CalcTerms | DebitTerms | RetainTerms)
    }
    for vector in support.vectors()[name]:
        if vector["rule"] in figures:
            # Its vectors ask for figures, and no contact.
            continue
        where = tuple(vector.get("zones", of.zones[:1]))
        asked = support.request(vector, where)
        about = {rule.id for rule in law.chain((name,)) if rule.kind in KINDS}
        whole = [
            answer
            for answer in law.evaluate(asked, (name,)).answers
            if answer.rule_id in about and answer.effect is Effect.DENY and answer.enforce.binds
        ]
        assert list(law.refusals(asked, (name,), KINDS)) == whole, vector
        refused += len(whole)
    # A pack that forbids words has a vector in which it does.
    binding = [rule for rule in law.chain((name,)) if rule.kind in KINDS and rule.enforce.binds]
    assert bool(refused) >= bool([rule for rule in binding if rule.pack == name])
