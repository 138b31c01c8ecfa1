"""Rules in plain words: each parameter is said, and what is said of enforcement is what is enforced."""

from __future__ import annotations

from datetime import date, time

import pytest

from betimes.core import rule_words
from betimes.core.rule import Enforce, Party, Span, Status
from betimes.core.rule_changes import parameters
from betimes.core.rule_words import sentence
from betimes.core.values import replace
from tests.core.rule_mutants import having, mutants, packs

RULES = {rule.id: rule for pack in packs() for rule in reversed(pack.rules)}
SAID = {
    "CN.NIFA.CALLS": (
        "At most 3 connected calls (AI voice included) a day to one person, counted over the lender and its "
        "agencies, by the clock of Asia/Shanghai."
    ),
    "US.MA.CREDITOR": (
        "At most 2 attempts at contact by telephone call, AI voice call or text message in any 7 days on end "
        "about one debt, counting only those of the lender."
    ),
    "US.REGF.7IN7": (
        "At most 7 attempted calls (AI voice included) in any 7 consecutive days about one debt, counting "
        "only those of whoever asks, by the consumer's clock; not counted: those the consumer consented to, "
        "those to a number out of service and those to an attorney."
    ),
    "CN.SMS.ALIYUN": (
        "At most 50 messages left or submitted by text message in any 24 hours on end to one number, counted "
        "over everybody on record."
    ),
    "US.REGF.CONV7": (
        "After a conversation, no contact by telephone call or AI voice call about the same debt for 7 days, "
        "of which the day it happened is the first, by the consumer's clock; one that the borrower started "
        "counts too."
    ),
    "CN.GBT.TIME": (
        "Contact only in these hours, by the clock of each place where the consumer may be: every day 08:00 "
        "to 22:00. A consumer who agreed to other hours is not bound by it."
    ),
    "BR.SP": (
        "Contact only in these hours, by the clock of each place where the consumer may be: Monday to Friday "
        "08:00 to 20:00; Saturday 08:00 to 14:00; Sunday closed; holidays closed."
    ),
    "US.MA.HOUSEHOLD.TIME": (
        "Contact only in these hours, by the clock of America/New_York: every day 08:00 to 21:00 (21:00 "
        "itself too)."
    ),
    "IN.EMANDATE": (
        "A notice is given at least 24 hours before: debit. It states: merchant, amount, date and time, "
        "reference and purpose. No cap and no opt-out stops it."
    ),
    "UK.CCA.86B": (
        "A notice is given within 14 days after: arrears, whose day is the first of them. It states: the "
        "regulator's information sheet. No cap and no opt-out stops it."
    ),
    "UK.BREATH": (
        "While one of these is on record, everything but statutory notices stops, for 60 days from its start "
        "at most: moratorium."
    ),
    "CN.SMS.CONSENT": (
        "Contact by text message for marketing needs an opt-in. A refusal or revocation reaches everything of"
        " this sender and counts at once."
    ),
    "US.REGF.LOCATE": (
        "Contact only with the borrower, a guarantor, a spouse who is liable and the borrower's attorney. "
        "Where the borrower cannot be reached, also with a contact person, who must not learn of the debt, at"
        " most 1 time each."
    ),
    "CN.SMS.CONSENT.OPTOUT": (
        'A message (text message) holds one of these: zh-CN "拒收请回复R", "退订回T", "退订回TD".'
    ),
    "US.PAYDAY.2STRIKE": (
        "After 2 failed debits in a row, counted together for one person, no more is tried."
    ),
    "CN.RETAIN.HOUSE": ("Records are kept 60 months, no shorter and no longer: contact evidence."),
    "CN.PENALTY": ("This figure is at least 1.3 and at most 1.5: late.multiplier."),
}


@pytest.mark.parametrize(("rule", "said"), SAID.items(), ids=SAID)
def test_a_rule_is_said_in_plain_words(rule: str, said: str) -> None:
    """One example for each kind, and for each way to count."""
    assert sentence(RULES[rule]) == said


def test_no_parameter_is_left_out_of_the_sentence() -> None:
    """Whatever is changed in the terms of any shipped rule, it says something else."""
    for rule in RULES.values():
        for key, mutant in mutants(rule):
            # A time in which nothing is presented anew is no rule (`core.pack` refuses it).
            idle = key == "debit.window_days" and not parameters(rule)[
                "debit.max_representments"
            ].strip("0")
            if key.startswith(f"{rule.kind}.") and not idle:
                assert sentence(mutant) != sentence(rule), f"{rule.id}: {key}"


@pytest.mark.parametrize(
    ("enforce", "status", "signed_by", "said"),
    [
        (Enforce.HARD, Status.VERIFIED, "", "enforced"),
        (Enforce.HARD, Status.SECONDARY, "A. Lawyer", "enforced on the word of A. Lawyer, who signs for it: the text"),
        (Enforce.CAUTIOUS, Status.SECONDARY, "", "enforced with caution: the text is not verified, it binds"),
        (Enforce.CAUTIOUS, Status.SECONDARY, "A. Lawyer", "enforced with caution on the word of A. Lawyer"),
        (Enforce.CAUTIOUS, Status.VERIFIED, "", "enforced with caution"),
        (Enforce.SHOWN, Status.VERIFIED, "", "shown only"),
        (Enforce.OFF, Status.DRAFT, "", "switched off: draft"),
        (Enforce.OFF, Status.VERIFIED, "", "switched off"),
    ],
)  # fmt: skip
def test_enforcement_is_said_with_whose_word_it_is(
    enforce: Enforce, status: Status, signed_by: str, said: str
) -> None:
    """On a text that was read, on somebody's word, with caution, shown, or not at all."""
    rule = replace(RULES["CN.NIFA.CALLS"], enforce=enforce, status=status, signed_by=signed_by)
    assert rule_words.enforcement(rule).startswith(said)


def test_what_stops_no_contact_is_not_called_enforced() -> None:
    """Figures, debits and records bind somebody, and the page says that no contact is stopped."""
    for rule in RULES.values():
        if rule.kind in rule_words.NO_CONTACT and rule.enforce.binds:
            assert "no contact is stopped by it" in rule_words.enforcement(rule)
            assert "No contact is stopped by it" in rule_words.done(rule)


def test_what_is_not_enforced_does_nothing() -> None:
    """A rule that is off or shown stops nothing, and says so."""
    rule = RULES["CN.NIFA.CALLS"]
    assert rule_words.done(replace(rule, enforce=Enforce.OFF)).startswith("Nothing")
    assert "stops and demands nothing" in rule_words.done(replace(rule, enforce=Enforce.SHOWN))


def test_whom_a_rule_binds_is_said_of_each_party() -> None:
    """The lender, who collects for it, or both; none named is both."""
    rule = RULES["CN.NIFA.CALLS"]
    first, third = (rule_words.binds(replace(rule, parties=frozenset({party}))) for party in Party)
    assert first == "the lender itself (first party)"
    assert third.endswith("(third party)")
    both = {
        rule_words.binds(replace(rule, parties=each)) for each in (frozenset(), frozenset(Party))
    }
    assert len(both) == 1
    assert "first party" in both.pop()


def test_the_last_day_is_not_one_of_them() -> None:
    """A rule holds until before `to`."""
    rule = replace(
        RULES["CN.NIFA.CALLS"], effective_from=date(2026, 1, 1), effective_to=date(2026, 2, 1)
    )
    assert rule_words.effective(rule) == "from 2026-01-01 until before 2026-02-01"
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1))
    said = [rule_words.standing(rule, on) for on in days]
    assert said == ["not yet in force", "in force", "in force", "ended"]


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ((), "closed"),
        ((Span(time(0), None),), "all day"),
        ((Span(time(6), None),), "06:00 to the end of the day"),
        ((Span(time(8), time(12)), Span(time(13, 30, 15), time(20), closes_inclusive=True)),
         "08:00 to 12:00 and 13:30:15 to 20:00 (20:00 itself too)"),
    ],
)  # fmt: skip
def test_hours_are_said_to_the_second_where_they_have_any(
    spans: tuple[Span, ...], said: str
) -> None:
    """And whether the last instant belongs to them."""
    assert rule_words.spans(spans) == said


def test_one_of_a_thing_is_said_as_one() -> None:
    """It is 1 call, and 2 calls."""
    assert "1 connected call " in sentence(having(RULES["CN.NIFA.CALLS"], most=1))
