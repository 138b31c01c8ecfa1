"""Messages: exactly the facts, in the borrower's language, and nothing that must not be said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.book import Snapshot
from betimes.core.errors import Rejected
from betimes.core.message import (
    VARIABLES,
    Body,
    Item,
    Moment,
    Template,
    Text,
    parse,
    render,
    values,
)
from betimes.core.money import Money
from betimes.core.product import Profile
from betimes.core.segments import segments
from tests.core.support import POLICIES, TREATMENT, snapshot, utc
from tests.factories import account, watch

LENDER = "Betimes Demo"
NOON = utc("2026-03-09 04:00")
DUE = date(2026, 3, 9)
PRE_DUE = ("due_soon", "due_today")
# The only texts that are sent of nothing but what is overdue.
OVERDUE = ("overdue", "overdue_help")
# What each text must name, beside the sender: a due date or a number of days alone says nothing.
NAMES = {
    "due_soon": ("amount", "due", "minimum"),
    "due_today": ("amount", "due", "minimum"),
    "statement_ready": ("amount", "due", "debit_at", "instrument"),
    "debit_coming": ("amount", "due", "debit_at", "instrument"),
    "debit_failed": ("amount", "due", "debit_at", "instrument"),
    "in_grace": ("amount", "due", "minimum"),
    "overdue": ("amount", "due", "overdue_days"),
    "overdue_help": ("amount", "due", "overdue_days"),
    "promise_broken": ("amount", "due"),
    "digest": ("items",),
}
# The basic characters of GSM 03.38: with any other one an SMS holds 70 characters in place of 160.
GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

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
        "as_of": DUE,
        "pay_by": None,
        "instrument": None,
        "debit_at": None,
        "items": None,
    }
    found = {**default, **changes}
    if found["items"] is None and "items" not in changes:
        found["items"] = (
            Item("Bank A", found["amount"], found["due"]),
            Item("Bank B", Money(500, "CNY"), found["due"] + timedelta(days=1)),
        )
    return found


def debited(**changes: Any) -> dict[str, Any]:
    """Return the same variables where the amount will be debited tomorrow at half past eleven."""
    tomorrow = Moment(DUE + timedelta(days=1), time(11, 30), DUE)
    return facts(**{"debit_at": tomorrow, "instrument": "8821", **changes})


def said(text: Text) -> str:
    """Return subject and body in one."""
    return f"{text.subject}\n{text.body}"


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_every_shipped_text_renders_with_every_fact(name: str, body: Body) -> None:
    """No slot is left, no condition shows, what it must name stands in it, and the subject is one line."""
    for make, amount, minimum, due, days in product(
        (facts, debited), AMOUNTS, MINIMA, DAYS, (0, 1, 30, 400)
    ):
        known = make(amount=amount, minimum=minimum, due=due, overdue_days=days)
        text = render(body, known)
        assert not re.search(r"\(\(|\)\)|None|if minimum", said(text))
        assert amount.decimal() in text.body
        assert str(due.year) in text.body
        assert str(due.day) in text.body
        assert LENDER in said(text)
        assert "\n" not in text.subject
        assert (text.subject == "") is (body.channel == "sms")
        for variable in NAMES[name]:
            assert shown(known[variable], body) in text.body


def shown(value: Any, body: Body) -> str:
    """Return a value as the text of a body writes it, "" for none."""
    slot = replace(body, subject="", text="((amount))", html="")
    return "" if value is None else render(slot, {"amount": value}).body


def test_every_template_is_named_here() -> None:
    """One that is added says what it must name."""
    assert set(NAMES) == set(POLICIES.templates)


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_an_sms_is_short(name: str, body: Body) -> None:
    """Two parts with usual amounts, three for a list; English in the characters of which 153 fit into a part."""
    if body.channel != "sms":
        return
    parts = 3 if name == "digest" else 2
    for make, minimum in product((facts, debited), (None, Money(12_000, "CNY"))):
        pay_by = DUE + timedelta(days=14)
        text = render(body, make(minimum=minimum, overdue_days=15, pay_by=pay_by)).body
        if body.locale == "en":
            assert set(text) <= GSM_7
            assert len(text) <= parts * 153
        else:
            assert len(segments(text)) <= parts


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
    """The words of the vocabulary's list (section 9): no insult, threat, false urgency, selling or untruth; nothing is
    overdue in a text that may be sent before it is.
    """
    for make, minimum in product((facts, debited), MINIMA):
        words = said(render(body, make(minimum=minimum, overdue_days=3))).lower()
        assert not [word for word in BANNED if word in words]
        if name not in OVERDUE:
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


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_announcement_of_a_debit_says_what_must_be_where_by_when(locale: str) -> None:
    """And never asks for a payment."""
    template = POLICIES.templates["debit_coming"]
    text = render(template.bodies[locale, "email"], debited(amount=Money(31_240, "CNY"))).body
    if locale == "en":
        wanted = "CNY 312.40 in the account ending in 8821 by 11:30 tomorrow"
        asks = ["please pay", "still to pay"]
    else:
        wanted = "在明天11:30之前，在尾号8821的账户中备足312.40元"
        asks = ["请还款", "请尽快还款", "待还"]
    assert wanted in text
    assert not [words for words in asks if words in text.lower()]


def test_every_step_has_words_in_both_languages_on_its_channels() -> None:
    """Chinese and English, by e-mail and by SMS; what is overdue is said by texts of the overdue class only."""
    for step in TREATMENT.steps:
        template = POLICIES.templates[step.template]
        for locale, channel in product(("zh-CN", "en"), step.channels):
            assert (locale, channel) in template.bodies
        assert (step.template in PRE_DUE) is (step.offset_days <= 0)


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_every_text_says_what_to_do_if_it_has_been_paid(name: str, body: Body) -> None:
    """Nobody sees a payment that has not arrived (specification, section 4): every text says so, also one that only
    announces a debit: who has paid by hand need not keep the money there twice.
    """
    for known in (facts(), debited()):
        text = render(body, known).body
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
        ("zh-CN", Moment(DUE, time(11, 30), DUE), "今天11:30"),
        ("zh-CN", Moment(DUE, time(9, 5), DUE - timedelta(days=1)), "明天09:05"),
        ("zh-CN", Moment(DUE, time(0), DUE - timedelta(days=2)), "2026年3月9日00:00"),
        ("en", Moment(DUE, time(19), DUE), "19:00 today"),
        ("en", Moment(date(2026, 1, 1), time(11, 30), date(2025, 12, 31)), "11:30 tomorrow"),
        ("en", Moment(DUE, time(11, 30), date(2026, 3, 6)), "11:30 on 9 March 2026"),
    ],
)
def test_a_value_is_written_by_its_type_and_the_locale(locale: str, value: Any, shown: str) -> None:
    """Authors never format money or dates, and a value is never read as a template."""
    body = Body(locale, "sms", "", "<((amount))>")
    assert render(body, facts(amount=value)).body == f"<{shown}>"


TWO = (
    Item("Bank A", Money(10_000, "CNY"), DUE),
    Item("Bank B", Money(5, "JPY"), DUE, Moment(DUE, time(11, 30), DUE), "8821"),
)


@pytest.mark.parametrize(
    ("locale", "channel", "listed"),
    [
        (
            "en",
            "email",
            (
                "- Bank A: CNY 100.00 (due 9 March 2026)\n"
                "- Bank B: JPY 5 (due 9 March 2026, debited: have it in the account ending in 8821 by 11:30 today)"
            ),
        ),
        (
            "en",
            "sms",
            (
                "Bank A: CNY 100.00 (due 9 March 2026); "
                "Bank B: JPY 5 (due 9 March 2026, debited: have it in the account ending in 8821 by 11:30 today)"
            ),
        ),
        (
            "zh-CN",
            "email",
            (
                "- Bank A：100.00元（2026年3月9日到期）\n"
                "- Bank B：JPY 5（2026年3月9日到期，自动扣款：请于今天11:30前在尾号8821的账户中备足）"
            ),
        ),
        (
            "zh-CN",
            "sms",
            (
                "Bank A：100.00元（2026年3月9日到期）；"
                "Bank B：JPY 5（2026年3月9日到期，自动扣款：请于今天11:30前在尾号8821的账户中备足）"
            ),
        ),
    ],
)
def test_a_list_has_lines_by_email_and_is_one_sentence_by_sms(
    locale: str, channel: str, listed: str
) -> None:
    """Each with its creditor, its amount and its due date; what will be debited says where it must be by when."""
    body = Body(locale, channel, "", "((if items))((items))((end)).")
    assert render(body, facts(items=TWO)).body == f"{listed}."
    assert render(body, facts(items=None)).body == "."


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
    found = values(seen, now=NOON, lender=LENDER)
    assert set(found) == set(VARIABLES)
    assert found["amount"] == Money(118_000, "CNY")
    assert found["minimum"] == Money(10_000, "CNY")
    assert (found["due"], found["overdue_days"]) == (DUE, 0)
    for days, shown in ((-9, 0), (0, 0), (1, 1), (31, 31)):
        later = values(seen, now=NOON + timedelta(days=days), lender=LENDER)
        assert later["overdue_days"] == shown


@pytest.mark.parametrize(("minimum", "paid"), [(0, 0), (12_000, 12_000), (12_000, 13_000)])
def test_a_minimum_that_is_met_or_absent_is_not_spoken_of(minimum: int, paid: int) -> None:
    """None, so that its condition hides it."""
    found = values(snapshot(minimum_minor=minimum, paid_minor=paid), now=NOON, lender=LENDER)
    assert found["minimum"] is None


def with_debit(again_daily: bool = False, mandate: str = "8821", **fields: Any) -> Snapshot:
    """Return the bill due on 9 March, debited at 11:30 and 19:00 unless its minimum has switched that off."""
    huabei = POLICIES.profiles["huabei_like"]
    profile: Profile = replace(huabei, debit=replace(huabei.debit, again_daily=again_daily))
    return replace(snapshot(**fields), account=account(mandate=mandate), profile=profile)


@pytest.mark.parametrize(
    ("seen", "at", "expected"),
    [
        # Days before, the evening before, the morning of the day; from an attempt on the next one counts.
        (with_debit(), "2026-03-06 10:00", Moment(DUE, time(11, 30), date(2026, 3, 6))),
        (with_debit(), "2026-03-08 10:00", Moment(DUE, time(11, 30), date(2026, 3, 8))),
        (with_debit(), "2026-03-09 11:29", Moment(DUE, time(11, 30), DUE)),
        (with_debit(), "2026-03-09 11:30", Moment(DUE, time(19), DUE)),
        # After the last attempt: none, or every day anew.
        (with_debit(), "2026-03-09 19:00", None),
        (with_debit(), "2026-03-10 10:00", None),
        (with_debit(True), "2026-03-09 19:00", Moment(date(2026, 3, 10), time(11, 30), DUE)),
        (with_debit(True), "2026-03-20 12:00", Moment(date(2026, 3, 20), time(19), date(2026, 3, 20))),
        (with_debit(True), "2026-03-20 23:00", Moment(date(2026, 3, 21), time(11, 30), date(2026, 3, 20))),
        # No mandate, or one that the minimum has switched off; a part of the minimum does not.
        (with_debit(mandate=""), "2026-03-08 10:00", None),
        (with_debit(minimum_minor=100, paid_minor=100), "2026-03-08 10:00", None),
        (
            with_debit(minimum_minor=100, paid_minor=99),
            "2026-03-08 10:00",
            Moment(DUE, time(11, 30), date(2026, 3, 8)),
        ),
    ],
)  # fmt: skip
def test_the_debit_that_is_announced_is_the_next_one(
    seen: Snapshot, at: str, expected: Moment | None
) -> None:
    """With the account it is taken from, and both or neither; an item of a list says the same."""
    now = utc(at) - timedelta(hours=8)
    found = values(seen, now=now, lender=LENDER, along=())
    assert found["debit_at"] == expected
    assert found["instrument"] == ("8821" if expected else None)
    amount = seen.owed(now)
    assert found["items"] == (Item(LENDER, amount, DUE, expected, "8821" if expected else ""),)


def test_a_list_names_each_creditor_and_what_is_owed_to_it() -> None:
    """The obligation itself first; without a creditor of record it is the lender's own. None where no list is asked."""
    own, other = (
        snapshot(),
        replace(snapshot(paid_minor=20_000), account=account(creditor="Bank B")),
    )
    found = values(own, now=NOON, lender=LENDER, along=(other,))
    assert found["items"] == (
        Item(LENDER, Money(120_000, "CNY"), DUE),
        Item("Bank B", Money(100_000, "CNY"), DUE),
    )
    assert values(own, now=NOON, lender=LENDER)["items"] is None


def test_a_deadline_that_a_step_has_set_can_be_named() -> None:
    """None as long as no step did, and once it is over."""
    assert values(snapshot(), now=NOON, lender=LENDER)["pay_by"] is None
    for days, named in ((0, True), (1, False)):
        found = values(
            snapshot(watch=watch(pay_by=DUE)), now=NOON + timedelta(days=days), lender=LENDER
        )
        assert (found["pay_by"] == DUE) is named
    seen = snapshot(watch=watch(pay_by=date(2026, 3, 23)))
    found = values(seen, now=NOON, lender=LENDER)
    body = Body("en", "sms", "", "((if pay_by))by ((pay_by))((end))")
    assert render(body, found).body == "by 23 March 2026"


def test_the_amount_is_that_of_the_day_in_the_zone_of_the_product() -> None:
    """`as_of` names the day; a minute past midnight in Shanghai is a day more, wherever the borrower is."""
    seen = replace(with_debit(), borrower=replace(snapshot().borrower, zone="America/New_York"))
    for at, day in (("2026-03-09 15:59", 9), ("2026-03-09 16:00", 10)):
        found = values(seen, now=utc(at), lender=LENDER)
        assert found["as_of"] == date(2026, 3, day)
        assert found["overdue_days"] == day - 9


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
        document(subject="What is shown nowhere"),
        document(subject=""),
        {"name": "t", "en": {"email": {"text": "a"}}},
        {"name": "t", "en": {"email": {"text": "a", "subject": " "}}},
        {"name": "t", "en": {"fax": {"text": "a"}}},
        {"name": "t", "klingon": {"sms": {"text": "a"}}},
        {"name": "t", "zh_CN": {"sms": {"text": "a"}}},
        {"name": "t", "zh-cn": {"sms": {"text": "a"}}},
        {"name": "t", "EN": {"sms": {"text": "a"}}},
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
        document("((items))"),
        document("((if due))x((end))"),
        document("((if debit_at))((pay_by))((end))"),
        document("((if instrument))((debit_at))((end))"),
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
            *(f"((if {v}))" for v in ("minimum", "debit_at", "instrument", "items", "pay_by")),
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


@given(PIECES, st.booleans(), st.booleans())
def test_what_is_published_always_renders(
    pieces: list[str], with_minimum: bool, with_debit: bool
) -> None:
    """A template is refused, or it renders with any facts and leaves no slot: it cannot fail at the send."""
    try:
        template: Template = parse(document("".join(pieces)), "x")
    except Rejected as rejected:
        assert rejected.code == "bad_template"
        return
    body = template.body("en", "sms", "en")
    known = debited(pay_by=DUE) if with_debit else facts(items=None)
    text = render(body, {**known, "minimum": Money(1, "CNY") if with_minimum else None})
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
