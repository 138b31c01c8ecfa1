"""Messages: exactly the facts, in the borrower's language, and nothing that must not be said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.errors import Rejected
from betimes.core.message import VARIABLES, Body, Template, Text, parse, render, values
from betimes.core.money import Money
from tests.core.support import POLICIES, TREATMENT, snapshot

LENDER = "Betimes Demo"
DUE = date(2026, 3, 9)
PRE_DUE = ("due_soon", "due_today")

BODIES = [
    pytest.param(name, body, id=f"{name}-{locale}-{channel}")
    for name, template in sorted(POLICIES.templates.items())
    for (locale, channel), body in sorted(template.bodies.items())
]

# Facts at the edges: one unit, a thousand million, no minimum, one missing unit of it, the first and the last day.
AMOUNTS = (
    Money(1, "CNY"),
    Money(120_000, "CNY"),
    Money(10**15, "CNY"),
    Money(5, "JPY"),
    Money(7, "KWD"),
)
MINIMA = (None, Money(1, "CNY"))
DAYS = (date(2026, 1, 1), date(2026, 12, 31), date(2024, 2, 29))


def facts(**changes: Any) -> dict[str, Any]:
    """Return the variables of a message about CNY 1,200.00 due on 9 March 2026."""
    default = {
        "lender": LENDER,
        "amount": Money(120_000, "CNY"),
        "minimum": None,
        "due": DUE,
        "overdue_days": 0,
    }
    return {**default, **changes}


def said(text: Text) -> str:
    """Return subject and body in one."""
    return f"{text.subject}\n{text.body}"


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_every_shipped_text_renders_with_every_fact(name: str, body: Body) -> None:
    """No slot is left, no condition shows, the amount and the due date stand in it, and the subject is one line."""
    for amount, minimum, due, days in product(AMOUNTS, MINIMA, DAYS, (0, 1, 30, 400)):
        text = render(body, facts(amount=amount, minimum=minimum, due=due, overdue_days=days))
        assert not re.search(r"\(\(|\)\)|None|if minimum", said(text))
        assert amount.decimal() in text.body
        assert str(due.year) in text.body
        assert str(due.day) in text.body
        assert LENDER in said(text)
        assert "\n" not in text.subject
        assert (text.subject == "") is (body.channel == "sms")
        if name in PRE_DUE:
            assert minimum is None or minimum.decimal() in text.body
        else:
            assert str(days) in text.body


BANNED = (
    "debtor", "defaulter", "delinquent", "老赖", "欠款", "dunning", "collection", "催收", "催款",
    "征信", "credit record", "公安", "法院", "立案", "起诉", "police", "court", "lawsuit",
    "final notice", "last warning", "immediate action", "family", "employer", "家人", "单位", "通讯录",
    "congratulations", "limit raised", "borrow more", "恭喜", "提额", "unsubscribe", "退订",
    "we have sent", "you have received",
)  # fmt: skip
UNTRUE_BEFORE_DUE = re.compile(r"\b(overdue|late|arrears|penalty)\b|逾期|违约|罚")
DISCLOSING = ("debt", "loan", "amount", "欠", "贷", "元", "CNY", "1,200", "overdue", "逾期")


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_no_text_says_what_must_not_be_said(name: str, body: Body) -> None:
    """The words of the vocabulary's list (section 9): no insult, threat, false urgency, selling or untruth; before
    the due date is over nothing is overdue.
    """
    for minimum in MINIMA:
        words = said(render(body, facts(minimum=minimum, overdue_days=3))).lower()
        assert not [word for word in BANNED if word in words]
        if name in PRE_DUE:
            assert not UNTRUE_BEFORE_DUE.search(words)


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_a_subject_discloses_nothing(name: str, body: Body) -> None:
    """Whoever sees the subject line learns neither that there is a debt nor how much."""
    subject = render(body, facts(overdue_days=3)).subject
    assert not [word for word in DISCLOSING if word.lower() in subject.lower()]


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_the_minimum_never_stands_alone(name: str, body: Body) -> None:
    """Where it is named, the full amount and what the minimum costs are named too."""
    text = render(body, facts(minimum=Money(77, "CNY"))).body
    if "0.77" in text:
        assert "1,200.00" in text
        assert "interest" in text or "利息" in text


def test_every_step_has_words_in_both_languages_on_its_channels() -> None:
    """Chinese and English, by e-mail and by SMS; what is overdue is said by texts of the overdue class only."""
    for step in TREATMENT.steps:
        template = POLICIES.templates[step.template]
        for locale, channel in product(("zh-CN", "en"), step.channels):
            assert (locale, channel) in template.bodies
        assert (step.template in PRE_DUE) is (step.offset_days <= 0)


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_every_text_says_what_to_do_if_it_has_been_paid(name: str, body: Body) -> None:
    """Nobody sees a payment that has not arrived (specification, section 4): every text says so."""
    text = render(body, facts()).body
    assert "如" in text if body.locale == "zh-CN" else "you have" in text
    assert "忽略" in text or "ignore" in text


@pytest.mark.parametrize(
    ("locale", "value", "shown"),
    [
        ("zh-CN", Money(120_000, "CNY"), "1,200.00元"),
        ("zh-CN", Money(120_000, "USD"), "USD 1,200.00"),
        ("en", Money(120_000, "CNY"), "CNY 1,200.00"),
        ("en-GB", Money(5, "JPY"), "JPY 5"),
        ("zh-CN", date(2026, 3, 9), "2026年3月9日"),
        ("en", date(2026, 3, 9), "9 March 2026"),
        ("en", date(2026, 12, 31), "31 December 2026"),
        ("en", 7, "7"),
        ("en", "((amount))", "((amount))"),
    ],
)
def test_a_value_is_written_by_its_type_and_the_locale(locale: str, value: Any, shown: str) -> None:
    """Authors never format money or dates, and a value is never read as a template."""
    body = Body(locale, "sms", "", "<((amount))>")
    assert render(body, facts(amount=value)).body == f"<{shown}>"


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("zh-CN", "zh-CN"),
        ("en", "en"),
        ("en-GB", "en"),
        ("zh-HK", "zh-CN"),
        ("de", "zh-CN"),
        ("", "zh-CN"),
    ],
)
def test_a_borrower_reads_the_nearest_language(locale: str, expected: str) -> None:
    """Exact, else the same language, else the default."""
    template = POLICIES.templates["due_soon"]
    assert template.body(locale, "email", "zh-CN").locale == expected


def test_a_channel_without_words_is_an_error() -> None:
    """Publishing rules it out."""
    with pytest.raises(KeyError):
        POLICIES.templates["due_soon"].body("en", "fax", "zh-CN")


def test_the_values_are_those_of_the_obligation() -> None:
    """What is still owed, what is missing of the minimum, and days counted from the end of the due day."""
    seen = snapshot(minimum_minor=12_000, paid_minor=2_000)
    found = values(seen, today=DUE, lender=LENDER)
    assert set(found) == set(VARIABLES)
    assert found["amount"] == Money(118_000, "CNY")
    assert found["minimum"] == Money(10_000, "CNY")
    assert (found["due"], found["overdue_days"]) == (DUE, 0)
    for days, shown in ((-9, 0), (0, 0), (1, 1), (31, 31)):
        later = values(seen, today=DUE + timedelta(days=days), lender=LENDER)
        assert later["overdue_days"] == shown


@pytest.mark.parametrize(("minimum", "paid"), [(0, 0), (12_000, 12_000), (12_000, 13_000)])
def test_a_minimum_that_is_met_or_absent_is_not_spoken_of(minimum: int, paid: int) -> None:
    """None, so that its condition hides it."""
    found = values(snapshot(minimum_minor=minimum, paid_minor=paid), today=DUE, lender=LENDER)
    assert found["minimum"] is None


def test_a_condition_shows_and_hides_whole() -> None:
    """Between `if` and `end` all or nothing; what follows is untouched."""
    body = Body("en", "sms", "", "a((if minimum))b((minimum))c((end))d((amount))e")
    assert render(body, facts()).body == "adCNY 1,200.00e"
    assert render(body, facts(minimum=Money(1, "CNY"))).body == "abCNY 0.01cdCNY 1,200.00e"


def test_a_slot_without_a_value_stops_the_send() -> None:
    """An empty slot never reaches a borrower."""
    with pytest.raises(AssertionError):
        render(Body("en", "sms", "", "((minimum))"), facts())


def document(text: str = "((amount))", **more: Any) -> dict[str, Any]:
    """Return a template with one text."""
    return {"name": "t", "en": {"sms": {"text": text, **more}}}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"name": ""},
        {"name": 3, "en": {"sms": {"text": "a"}}},
        {"name": "t", "colour": "red"},
        {"name": "t", "en": {"sms": "text"}},
        {"name": "t", "en": {"sms": ["text"]}},
        {"name": "t", "en": {"sms": {}}},
        document(""),
        document(footer="x"),
        document(subject="one\ntwo"),
        document(subject="one\rtwo"),
        document(subject=3),
        document(subject="((name))"),
        {"name": "t", "en": {"sms": {"text": 3}}},
        document("((name))"),
        document("((amount.__class__))"),
        document("((amount)"),
        document("(amount))"),
        document("((amount|safe))"),
        document("((amount + 1))"),
        document("((Amount))"),
        document("(())"),
        document("((if amount))x((end))"),
        document("((if minimum))x"),
        document("x((end))"),
        document("((if minimum))((if minimum))x((end))((end))"),
        document("((minimum))"),
        document("((if minimum))x((end))((minimum))"),
        document("((for x in y))"),
        document("((((due))amount))"),
        # Hidden, the condition leaves a slot behind that was none before.
        document("(((if minimum))x((end))(due)((if minimum))x((end)))"),
        document("{{amount}} ((amount"),
    ],
)
def test_a_hostile_template_is_refused_before_it_is_used(broken: dict[str, Any]) -> None:
    """Unknown slots, attribute access, arithmetic, open or nested conditions, unknown keys: "bad_template"."""
    with pytest.raises(Rejected) as caught:
        parse(broken, "templates/x.toml")
    assert caught.value.code == "bad_template"
    assert "templates/x.toml" in caught.value.message


PIECES = st.lists(
    st.sampled_from(
        [
            *(f"(({v}))" for v in VARIABLES),
            "((if minimum))",
            "((end))",
            "text",
            "(",
            ")",
            "{0}",
            "%s",
        ]
    ),
    max_size=8,
)


@given(PIECES, st.booleans())
def test_what_is_published_always_renders(pieces: list[str], with_minimum: bool) -> None:
    """A template is refused, or it renders with any facts and leaves no slot: it cannot fail at the send."""
    try:
        template: Template = parse(document("".join(pieces)), "x")
    except Rejected as rejected:
        assert rejected.code == "bad_template"
        return
    body = template.body("en", "sms", "en")
    text = render(body, facts(minimum=Money(1, "CNY") if with_minimum else None))
    assert "((" not in text.body
    assert "None" not in text.body


def test_the_hash_is_the_identity_of_the_text() -> None:
    """Equal texts have equal hashes; a change of channel, locale, subject or body changes it; and no two texts run
    into each other.
    """
    text = Text("sms", "en", "a", "b")
    assert text.sha256 == Text("sms", "en", "a", "b").sha256
    others = {
        replace(text, **change).sha256
        for change in (
            {"channel": "email"},
            {"locale": "de"},
            {"subject": "ab", "body": ""},
            {"body": "b "},
        )
    }
    assert len(others | {text.sha256}) == 5


def test_the_id_of_a_template_is_made_of_its_content() -> None:
    """So a record names exactly the words that were used."""
    assert parse(document(), "x").id == parse(document(), "y").id
    assert parse(document(), "x").id != parse(document("((amount)) "), "x").id
