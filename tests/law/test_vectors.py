"""Every rule of every pack answers its vectors, and has enough of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from betimes.core import pack
from betimes.core.rule import (
    QUIETER,
    ContentTerms,
    Enforce,
    Kind,
    Party,
    Purpose,
    Stage,
    Status,
    WindowTerms,
)
from tests.law import support

NAMES = tuple(support.packs())
DAY = timedelta(days=1)


@pytest.mark.parametrize("name", NAMES)
def test_each_vector_is_answered_as_it_expects(name: str) -> None:
    """A rule asked alone, as if enforced, says what its vector expects, and until when."""
    of = support.packs()[name]
    wrong = [
        f"{vector['rule']} at {vector['at']} ({vector.get('why', vector['case'])}): {said}, not "
        f"{vector['expect']} {vector.get('until', '')}"
        for vector in support.vectors()[name]
        if not support.fits(
            vector, said := support.ask(vector, of, support.texts(of, vector["rule"]))
        )
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_has_a_vector_of_every_case(name: str) -> None:
    """One allowed, one not, one at a boundary, one around its first day: none of them is left out."""
    of, found = support.packs()[name], support.by_rule(name)
    assert set(found) == {rule.id for rule in of.rules}
    for rule_id, vectors in found.items():
        assert {vector["case"] for vector in vectors} == set(support.CASES), rule_id
        assert {vector["expect"] for vector in vectors} <= set(support.ANSWERS), rule_id
        allowed = [vector for vector in vectors if vector["case"] == "allow"]
        assert any(vector["expect"] == "allow" for vector in allowed), rule_id
        denied = {vector["expect"] for vector in vectors if vector["case"] == "deny"}
        assert denied <= {"deny", "defer", "require"}, rule_id


@pytest.mark.parametrize("name", NAMES)
def test_effective_dates_are_met_on_both_sides(name: str) -> None:
    """Each first day has a vector on it and one on the day before, each last day likewise."""
    of, found = support.packs()[name], support.by_rule(name)
    for rule in of.rules:
        days = {
            support.local_day(vector, of)
            for vector in found[rule.id]
            if vector["case"] == "effective"
        }
        edges = {rule.effective_from}
        if rule.effective_to is not None:
            edges |= {rule.effective_to, rule.effective_to - DAY}
        before = rule.effective_from - DAY
        if not any(other.is_in_force(before) for other in support.texts(of, rule.id)):
            edges.add(before)
        assert edges <= days, f"{rule.id}: no vector on {sorted(edges - days)}"


def test_the_packs_fit_together() -> None:
    """No id stands in two packs, each refined pack and each calendar is there, and a file is called what it holds."""
    pack.check_all(support.packs().values(), support.known_calendars())
    for name, found in support.packs().items():
        assert found.name == name
    assert set(support.vectors()) == set(support.packs())


def test_status_decides_how_far_a_rule_binds() -> None:
    """Nothing binds hard on word that is not verified, a draft is off, and notices and figures wait for a name."""
    for found in support.packs().values():
        for rule in found.rules:
            if rule.status is Status.DRAFT:
                assert rule.enforce is Enforce.OFF, rule.id
            if rule.enforce is Enforce.HARD:
                assert rule.status is Status.VERIFIED, rule.id
            if rule.kind not in QUIETER and rule.enforce.binds:
                assert rule.status is Status.VERIFIED, rule.id
            if rule.effective_from.year == 1900:
                assert "start" in rule.note, f"{rule.id}: say that its start is not known"


def test_only_the_house_is_a_fallback() -> None:
    """A pack is never narrowed by the hours of the house, which hold where there is no pack."""
    assert [name for name, found in support.packs().items() if found.fallback] == ["HOUSE"]


def test_no_stage_of_a_debt_is_without_hours() -> None:
    """Of each country, in each stage and for both parties, some window binds today: a gap would mean day and night."""
    on = date(2026, 11, 24)
    missing = [
        f"{name}: {party} party, {stage}"
        for name, found in support.packs().items()
        if not found.refines
        for stage in Stage
        for party in Party
        if not any(
            rule.kind is Kind.WINDOW
            and rule.enforce.binds
            and rule.is_in_force(on)
            and not rule.purposes & {Purpose.MARKETING}
            and (not rule.stages or stage in rule.stages)
            and (not rule.parties or party in rule.parties)
            for rule in found.rules
        )
    ]
    assert not missing, "\n".join(missing)


def test_a_list_of_words_that_is_ours_does_not_bind_hard() -> None:
    """A law that bans threats does not list our words: the reading is labelled as ours, and bound with caution."""
    for found in support.packs().values():
        for rule in found.rules:
            if isinstance(rule.terms, ContentTerms) and rule.terms.must_not:
                assert rule.enforce is not Enforce.HARD, rule.id
                assert "house" in rule.note, f"{rule.id}: say whose list it is"


def test_the_house_hours_of_brazil_are_those_of_its_widest_state() -> None:
    """No state is known that allows a Sunday, a holiday or a Saturday evening; the guess for others does not."""
    hours = {
        name: next(rule.terms for rule in found.rules if isinstance(rule.terms, WindowTerms))
        for name, found in support.packs().items()
        if name == "BR" or name.startswith("BR-")
    }
    house = hours.pop("BR").days
    assert house == hours["BR-SP"].days
    assert not house["sun"] and not house["holiday"]
    assert all(not terms.days["sun"] and not terms.days["holiday"] for terms in hours.values())
