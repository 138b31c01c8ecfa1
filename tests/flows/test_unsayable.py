"""The words of a message at the moment of sending: what a rule forbids is not sent, and is on record with its rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from betimes.core import unsayable
from betimes.core.book import Snapshot
from betimes.core.contact import State
from betimes.core.message import Template, Text
from betimes.core.reason import Reason
from betimes.core.record import DECISION
from betimes.core.rule import Recipient
from betimes.core.wording import PRIVATE_RULE
from betimes.flows.dispatch import Dispatched
from betimes.lab.world import World
from tests.core.support import POLICIES, RULES, step
from tests.factories import borrower, obligation
from tests.flows.harness import (
    PHONE,
    STEP_AT,
    chains_hold,
    contact_of,
    findings,
    played_out,
    ready,
    records_of,
)

LEAD = "【((lender))】您好，这是您的账单提醒。如您不是本人，请忽略并删除本短信。"


def delivered(here: World, contact_id: str, **policies: Any) -> Dispatched:
    """Deliver a contact under other policies."""
    done = replace(here.dispatch, policies=replace(POLICIES, **policies)).deliver(contact_id)
    assert isinstance(done, Dispatched)
    return done


def saying(text: str, subject: str = "") -> Mapping[str, Template]:
    """Return the shipped templates, of which the first step's says something else by e-mail and by SMS."""
    shipped = POLICIES.templates["due_soon"]
    bodies = {
        key: replace(body, text=text, subject=(subject or body.subject) if body.subject else "")
        for key, body in shipped.bodies.items()
    }
    return {**POLICIES.templates, "due_soon": replace(shipped, bodies=bodies)}


def refused_by(here: World) -> list[tuple[object, object]]:
    """Return rule and words of each decision that a rule forbids."""
    return [
        (record.body["rule"], record.body["words"])
        for record in records_of(here)
        if record.kind == DECISION and record.body["reason"] == Reason.FORBIDDEN_BY_RULE
    ]


def test_a_text_that_breaks_no_rule_goes() -> None:
    """The shipped one."""
    here, contact_id = ready()
    assert here.dispatch.deliver(contact_id) is Dispatched.ACCEPTED
    assert refused_by(here) == []


@pytest.mark.parametrize(
    "text", ["您的账单已逾期", "您的账单已逾\u200b期", "将移交公 安处理", "逾.期"]
)
def test_a_banned_word_in_a_template_is_not_sent(text: str) -> None:
    """Nobody is written to; the contact ends, and the record names rule and word."""
    here, contact_id = ready()
    assert delivered(here, contact_id, templates=saying(text)) is Dispatched.ENDED
    assert not here.provider.accepted
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.CANCELLED, Reason.FORBIDDEN_BY_RULE)
    [(rule, words)] = refused_by(here)
    assert (rule, words) in {("CN.WORDS.PREDUE", "逾期"), ("CN.CBA.BAN", "公安")}
    assert chains_hold(here)


def test_a_banned_word_in_the_name_of_the_lender_is_not_sent() -> None:
    """No check of templates knows the name; the text that was rendered with it is asked."""
    here, contact_id = ready()
    assert delivered(here, contact_id, lender="催收中心") is Dispatched.ENDED
    assert refused_by(here) == [("CN.WORDS.PREDUE", "催收")]


@pytest.mark.parametrize(
    ("text", "subject"),
    [("您好", "您有一笔贷款"), ("您好", "((lender)) ((amount))")],
)
def test_a_subject_that_tells_of_a_debt_is_not_sent(text: str, subject: str) -> None:
    """By a rule of the house."""
    here, contact_id = ready()
    assert delivered(here, contact_id, templates=saying(text, subject)) is Dispatched.ENDED
    assert [rule for rule, _ in refused_by(here)] == [PRIVATE_RULE]


@pytest.mark.parametrize(
    ("text", "goes"),
    [("((amount))请于到期日处理", False), (f"{LEAD}((amount))请于到期日处理", True)],
)
def test_a_locked_screen_shows_no_amount(text: str, goes: bool) -> None:
    """A text message names it behind what a locked screen shows."""
    here, contact_id = ready(email="", phone=PHONE)
    result = delivered(here, contact_id, templates=saying(text))
    assert result is (Dispatched.ACCEPTED if goes else Dispatched.ENDED)
    assert refused_by(here) == ([] if goes else [(PRIVATE_RULE, "amount")])


def test_the_next_step_is_not_lost_with_it() -> None:
    """Its own words may be said, and the audit finds nothing missing."""
    here, contact_id = ready()
    delivered(here, contact_id, templates=saying("您的账单已逾期"))
    played_out(here)
    assert here.provider.accepted
    assert not findings(here).undecided


@pytest.mark.parametrize("name", sorted(POLICIES.templates))
def test_nothing_goes_to_anybody_else(name: str) -> None:
    """No text of ours may be said to a relative or an employer, by the rules of any place."""
    for place in ("CN", "US", "GB", "IN", "HK", "XX"):
        here = Snapshot(borrower(jurisdiction=place), obligation())
        for (locale, channel), body in POLICIES.templates[name].bodies.items():
            text = Text(channel, locale, body.subject, "您好")
            for recipient in (Recipient.CONTACT, Recipient.EMPLOYER):
                found = unsayable.against(RULES, [(here, step())], body, text, STEP_AT, recipient)
                assert PRIVATE_RULE in str(found["rule"]), (name, place, recipient)
