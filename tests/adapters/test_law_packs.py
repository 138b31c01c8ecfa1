"""The shipped packs as one law: what they need is loaded, whom they stand for, and how well they are known."""

from __future__ import annotations

import pytest

from betimes.adapters import law_packs
from betimes.adapters.packs import drafts, policies
from betimes.cli import main
from betimes.config import Env, Settings
from betimes.core.errors import Rejected
from betimes.core.law import HOUSE
from betimes.core.rule import ConsentTerms, Force, NoticeTerms, NoticeUnit, Status
from betimes.wiring import from_environment

LAW = law_packs.law()
MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()


def test_business_days_are_counted_by_a_calendar_that_is_loaded() -> None:
    """For notices, and for the days within which a revocation has to be obeyed."""
    asked = 0
    for pack in LAW.packs.values():
        for rule in pack.rules:
            terms = rule.terms
            if (isinstance(terms, NoticeTerms) and terms.unit is NoticeUnit.BUSINESS_DAYS) or (
                isinstance(terms, ConsentTerms) and terms.revoked_within_days
            ):
                asked += 1
                assert pack.calendar in LAW.calendars, rule.id
    assert asked


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_state_has_the_pack_of_the_union(member: str) -> None:
    """By residence, with a region too, and without the rules of the house."""
    assert LAW.resolve(member) == LAW.resolve(f"{member}-X1") == "EU"
    assert LAW.select(member) == ("EU",)
    ids = {rule.id for rule in LAW.chain(LAW.select(member))}
    assert "EU.QUIET" in ids
    assert "HOUSE.TIME" not in ids


def test_the_union_has_27_members_and_a_prefix_for_each() -> None:
    """Who moved away with a number of theirs is bound by it as well."""
    union = LAW.packs["EU"]
    assert sorted(union.covers) == sorted(MEMBERS)
    assert len(set(union.phones)) == len(MEMBERS)
    assert LAW.select("DE", "+4917612345678") == ("EU",)
    assert LAW.select("US", "+33612345678") == ("EU", "US")


@pytest.mark.parametrize("country", ["NO", "IS", "LI", "CH", "UA"])
def test_who_is_no_member_is_not_taken_for_one(country: str) -> None:
    """Also of the European Economic Area: nobody read which texts hold there."""
    assert LAW.resolve(country) == ""
    assert "HOUSE.TIME" in {rule.id for rule in LAW.chain(LAW.select(country))}


@pytest.mark.parametrize("country", ["HK", "SG", "GB", "CN", "IN", "ID", "PH"])
def test_a_country_with_a_pack_keeps_it(country: str) -> None:
    """Nobody else covers it."""
    assert LAW.resolve(country) == country


def test_what_was_read_says_where() -> None:
    """A rule that is better known than by hearsay names its source; a figure of the house has none in any text."""
    for pack in LAW.packs.values():
        for rule in pack.rules:
            if rule.status in (Status.VERIFIED, Status.SECONDARY):
                assert rule.source, f"{rule.id}: {rule.status} without a source"
                assert rule.force is not Force.HOUSE, f"{rule.id}: no text says it"


def test_a_licence_binds_beside_residence_and_number() -> None:
    """Of the environment, by way of the settings; one that nobody knows is refused."""
    world = from_environment({Env.LICENCE: "US-TX"})
    assert world.settings.licence == "US-TX"
    assert drafts("default", "A Lender", "US-TX").rules.licence == "US-TX"
    with pytest.raises(Rejected, match="that of US-TX binds too in CN") as unproved:
        _ = world.policies
    assert unproved.value.code == "unproved_policy"
    assert LAW.select("CN", "", "US-TX") == ("CN", "US")
    assert Settings.read({}).licence == ""
    with pytest.raises(Rejected, match="no pack for the licence 'XY'") as refused:
        policies("default", "A Lender", "XY")
    assert (refused.value.code, refused.value.field) == ("unknown_pack", "licence")
    assert HOUSE in LAW.packs


def test_lab_takes_a_licence_and_refuses_one_nobody_knows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The rules of the licence bind in the months that are played."""
    played = ["lab", "--days", "3", "--borrowers", "2", "--licence"]
    assert main([*played, "GB"]) == 0
    assert main([*played, "XY"]) == 2
    assert "unknown_pack (licence): there is no pack for the licence 'XY'" in (
        capsys.readouterr().err
    )
