"""Policies: a set in which a step has no words is refused before anything is decided by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from betimes.adapters.packs import policies
from betimes.core.errors import Rejected
from betimes.core.law import HOUSE
from betimes.core.message import Template
from betimes.core.rule import Force, Kind, Status
from tests.core.support import POLICIES, TREATMENT, step, treatment

PAIRS = sorted({(each.template, channel) for each in TREATMENT.steps for channel in each.channels})


def without(name: str, locale: str, channel: str) -> dict[str, Template]:
    """Return the shipped templates less one text."""
    template = POLICIES.templates[name]
    bodies = {key: body for key, body in template.bodies.items() if key != (locale, channel)}
    return {**POLICIES.templates, name: replace(template, bodies=bodies)}


@pytest.mark.parametrize(("name", "channel"), PAIRS)
def test_a_step_without_words_is_refused(name: str, channel: str) -> None:
    """For each template and channel that a step uses, in the default locale; another locale may be missing."""
    with pytest.raises(Rejected) as caught:
        replace(POLICIES, templates=without(name, "zh-CN", channel))
    assert caught.value.code == "missing_body"
    assert name in caught.value.message
    replace(POLICIES, templates=without(name, "en", channel))


def test_an_unknown_template_or_channel_is_refused() -> None:
    """The message names the step."""
    for bad in (step("odd", template="nothing"), step("odd", channels=("email", "fax"))):
        with pytest.raises(Rejected) as caught:
            replace(POLICIES, treatment=treatment(bad))
        assert (caught.value.code, caught.value.field) == ("missing_body", "template")
        assert ".toml: step odd: 'template'" in caught.value.message


def test_words_for_auto_debit_and_for_a_digest_are_named_by_their_key() -> None:
    """Not by that of the words without them."""
    with pytest.raises(Rejected) as caught:
        replace(POLICIES, treatment=treatment(step("odd", debit_template="debit_comin")))
    assert caught.value.field == "debit_template"
    assert "odd: 'debit_template' needs the template 'debit_comin'" in caught.value.message
    with pytest.raises(Rejected) as caught:
        replace(
            POLICIES,
            treatment=replace(treatment(step("odd")), digest=True),
            templates=without("digest", "zh-CN", "sms"),
        )
    assert caught.value.field == "digest"


def test_the_default_locale_must_have_every_text() -> None:
    """German has none."""
    with pytest.raises(Rejected):
        replace(POLICIES, default_locale="de")
    assert replace(POLICIES, default_locale="en").default_locale == "en"


def test_what_is_shipped_is_complete_and_an_unknown_treatment_is_refused() -> None:
    """The error names what there is."""
    assert policies("default", "A Lender").lender == "A Lender"
    with pytest.raises(Rejected) as caught:
        policies("harsh", "A Lender")
    assert caught.value.code == "unknown_treatment"


def test_every_rule_cites_its_source_and_says_how_sure_it_is() -> None:
    """No rule of any pack without a citation, none called verified that does not say where it was read; the hours of
    the house claim no law.
    """
    packs = POLICIES.rules.law.packs
    for name, pack in packs.items():
        assert pack.name == name
        assert pack.rules
        for rule in pack.rules:
            assert rule.pack == name, rule.id
            assert rule.citation.strip(), rule.id
            assert rule.source.strip() or rule.status is not Status.VERIFIED, rule.id
    house = [rule for rule in packs[HOUSE].rules if rule.kind is Kind.WINDOW]
    assert [rule.status for rule in house] == [Status.UNVERIFIED]
    assert [rule.force for rule in house] == [Force.HOUSE]
