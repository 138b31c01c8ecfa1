"""The rule book leaves nothing out, links to what is there, and tells what changed."""

from __future__ import annotations

import re
from datetime import date

import pytest

from betimes.adapters import law_packs
from betimes.core import page, rule_words, rulebook
from betimes.core.rule import Pack
from betimes.core.rule_changes import diff
from betimes.core.values import replace
from tests.core.rule_mutants import having, mutants, pack_mutants, packs

ON = date(2026, 11, 24)
PACKS = pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.name)


def written(pack: Pack) -> tuple[str, str]:
    """Return the page of a pack in both forms."""
    made = rulebook.pack_page(pack, ON)
    return page.markdown(made), page.html(made)


@PACKS
def test_every_parameter_of_every_rule_stands_on_the_page(pack: Pack) -> None:
    """Whatever is changed of a rule, its page is another one, in both forms."""
    for rule in pack.rules:
        alone = replace(pack, rules=(rule,))
        before = written(alone)
        for key, mutant in mutants(rule):
            after = written(replace(alone, rules=(mutant,)))
            assert after[0] != before[0] and after[1] != before[1], f"{rule.id}: {key}"


@PACKS
def test_every_parameter_of_a_pack_stands_on_its_page(pack: Pack) -> None:
    """Whatever is changed of a pack itself, its page is another one, in both forms."""
    before = written(pack)
    for key, mutant in pack_mutants(pack):
        after = written(mutant)
        assert after[0] != before[0] and after[1] != before[1], key


@PACKS
def test_a_rule_is_told_whole(pack: Pack) -> None:
    """Sentence, citation, who is bound, how far it is enforced, what the platform does, since when, who signed."""
    made = page.markdown(rulebook.pack_page(pack, ON))
    for rule in pack.rules:
        for said in (
            rule_words.binds(rule),
            rule_words.done(rule),
            rule_words.enforcement(rule),
            f"{rule_words.effective(rule)}; {rule_words.standing(rule, ON)} on {ON}",
        ):
            assert said in made, f"{rule.id}: {said}"
    assert pack.sha256 in made
    assert rulebook.NOT_ADVICE in made
    assert "What signing means" in made


def test_each_rule_of_a_pack_has_an_anchor_and_the_contents_lead_there() -> None:
    """Two versions of one rule have two anchors: the id, and the id with the day."""
    pack = next(each for each in packs() if each.name == "US")
    html = page.html(rulebook.pack_page(pack, ON))
    anchors = re.findall(r'<section id="([^"]+)"', html)
    assert len(set(anchors)) == len(anchors)
    versions = [rule for rule in pack.rules if rule.id == "US.TCPA.REVOKEALL"]
    assert len(versions) == 2
    assert {"US.TCPA.REVOKEALL", f"US.TCPA.REVOKEALL@{versions[1].effective_from}"} <= set(anchors)
    linked = re.findall(r'<a href="#([^"]+)"', html)
    assert sorted(linked) == sorted(each for each in anchors if each.startswith("US."))


def test_links_lead_to_pages_that_are_written() -> None:
    """Of one pack alone, the pack it refines is named and not linked."""
    found = {each.name: each for each in packs()}
    both = rulebook.pages([found["US"], found["US-MA"]], ON)
    alone = rulebook.pages([found["US-MA"]], ON)
    assert [each.name for each in both] == ["index", "US", "US-MA"]
    assert '<a href="US.html">US</a>' in page.html(both[2])
    assert "US.html" not in page.html(alone[1])
    assert "<dd>US, whose rules bind too" in page.html(alone[1])
    assert '<a href="US-MA.html">US-MA</a>' in page.html(both[0])
    assert "[US-MA](<US-MA.md>)" in page.markdown(both[0])


def test_the_day_decides_what_is_in_force() -> None:
    """A rule is not yet in force before its first day, in force on it, and ended on the day it holds no more."""
    pack = next(each for each in packs() if each.name == "CN")
    rule = next(each for each in pack.rules if each.effective_to is not None)
    assert rule.effective_to is not None
    for on, said in (
        (date.fromordinal(rule.effective_from.toordinal() - 1), "not yet in force"),
        (rule.effective_from, "in force"),
        (date.fromordinal(rule.effective_to.toordinal() - 1), "in force"),
        (rule.effective_to, "ended"),
    ):
        made = page.markdown(rulebook.pack_page(replace(pack, rules=(rule,)), on))
        assert f"{rule.effective_to}; {said} on {on}" in made


def test_the_order_in_which_packs_are_given_does_not_matter() -> None:
    """The same packs make the same pages, byte for byte."""
    assert rulebook.pages(packs(), ON) == rulebook.pages(reversed(packs()), ON)


def test_what_changed_is_told_in_words_and_as_a_table() -> None:
    """A cap that was lowered: both sentences, the key with both values, and that it binds more."""
    old = next(each for each in packs() if each.name == "CN")
    rule = next(each for each in old.rules if each.id == "CN.NIFA.CALLS")
    lower = having(rule, most=2)
    new = replace(old, rules=tuple(lower if each is rule else each for each in old.rules))
    made = page.markdown(rulebook.changes_page(diff([old], [new])))
    assert "1 pack changed; 1 rule: 0 added, 0 removed, 1 changed. 1 bind more" in made
    assert "(from 2024-05-15): changed, tightened" in made
    assert "Before: At most 3 connected calls" in made
    assert "Now: At most 2 connected calls" in made
    assert "cap.most was 3 and is 2: tightened." in made
    assert "| `cap.most` | 3 | 2 | tightened |" in made
    back = page.markdown(rulebook.changes_page(diff([new], [old])))
    assert "cap.most was 2 and is 3: loosened." in back


def test_packs_that_come_and_go_are_told() -> None:
    """All rules of a new pack are added, all of one that is gone removed."""
    pack = next(each for each in packs() if each.name == "PH")
    came = page.markdown(rulebook.changes_page(diff([], [pack])))
    assert "The pack is new." in came
    assert f"{len(pack.rules)} added, 0 removed" in came
    assert "added, tightened" in came
    gone = page.markdown(rulebook.changes_page(diff([pack], [])))
    assert "The pack is gone." in gone
    assert "removed, loosened" in gone


def test_a_comment_that_changed_is_a_change_of_what_is_signed() -> None:
    """The hash is another, and the page says that no rule is."""
    pack = packs()[0]
    made = page.markdown(rulebook.changes_page(diff([pack], [replace(pack, sha256="0" * 64)])))
    assert "`sha256`" in made
    assert "No rule says anything else" in made


def test_nothing_changed_is_said_so() -> None:
    """An empty difference is a page too."""
    assert "Nothing" in page.markdown(rulebook.changes_page(()))


def test_the_dates_of_a_calendar_are_listed_with_their_status() -> None:
    """Of the year of the page and the two after it; a year that is not published is said to be none."""
    pack = next(each for each in packs() if each.name == "BR-SP")
    calendars = law_packs.law().calendars
    made = page.markdown(rulebook.pack_page(pack, ON, (), calendars))
    assert "Calendar BR-SP" in made
    assert "2026-07-09" in made and "2028-07-09" in made
    assert "unverified: common knowledge, no text was read" in made
    assert "Saturday and Sunday" in made
    later = page.markdown(rulebook.pack_page(pack, date(2028, 1, 1), (), calendars))
    assert "2029" in later and "not published" in later and "2026-07-09" not in later
    assert "Calendar BR-SP" not in page.markdown(rulebook.pack_page(pack, ON))


def test_the_book_says_plainly_that_nobody_has_signed() -> None:
    """On the index, and on each page."""
    made = [page.markdown(each) for each in rulebook.pages(packs(), ON)]
    assert "Nobody has signed any of these packs." in made[0]
    assert all("nobody has signed this pack" in each for each in made[1:])


def test_a_rule_that_binds_is_called_enforced() -> None:
    """On word that is not verified too: how well a text is known is said beside it, and is no excuse."""
    pack = next(each for each in packs() if each.name == "CN")
    made = page.markdown(rulebook.pack_page(pack, ON))
    assert re.search("CN.GBT.TIME.*in force; enforced with caution; secondary", made)
    assert "; not verified)" not in made


def test_no_limit_of_a_pack_is_not_told_as_leave() -> None:
    """A pack that says nothing of where data may live allows nothing by that."""
    pack = next(each for each in packs() if each.residency is None)
    made = page.markdown(rulebook.pack_page(pack, ON))
    assert "any region" not in made
    assert "states no limit of its own" in made


def test_a_rule_that_was_renamed_is_told_with_its_old_name() -> None:
    """In the title of what changed."""
    old = next(each for each in packs() if each.name == "CN")
    rule = next(each for each in old.rules if each.id == "CN.NIFA.CALLS")
    named = replace(having(rule, most=2), id="CN.NIFA.TALKS")
    new = replace(old, rules=tuple(named if each is rule else each for each in old.rules))
    made = page.markdown(rulebook.changes_page(diff([old], [new])))
    assert "1 rule: 0 added, 0 removed, 1 changed" in made
    assert "was CN.NIFA.CALLS, tightened" in made
    assert "id was CN.NIFA.CALLS and is CN.NIFA.TALKS." in made
    assert "cap.most was 3 and is 2: tightened." in made
