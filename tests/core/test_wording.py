"""Words of messages: found whatever their dress, never inside another word, and nothing private in the open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import message
from betimes.core.message import Item, Moment, Value
from betimes.core.money import Money
from betimes.core.rule import (
    ContentTerms,
    Enforce,
    Force,
    Kind,
    Party,
    Purpose,
    Recipient,
    Rule,
    Stage,
    Status,
)
from betimes.core.wording import (
    BODY,
    PREVIEW,
    PREVIEW_COLUMNS,
    PRIVATE_FIELDS,
    PRIVATE_RULE,
    SUBJECT,
    Finding,
    Wording,
    contains,
    fields_of,
    holds,
    lint,
    preview_of,
    words,
)
from tests.core.support import POLICIES

ON = date(2026, 11, 24)

CALM = ContentTerms(
    must_not={
        "zh": ("逾期", "催收", "征信", "起诉", "公安", "法院", "立案"),
        "en": ("overdue", "collection agency", "legal action", "credit bureau", "court", "police"),
    }
)
THREAT = ContentTerms(
    must_not={
        "zh": ("起诉", "公安", "法院", "立案", "律师函", "失信被执行人"),
        "en": ("legal action", "court", "police", "arrest", "lawsuit"),
    }
)
NO_ADS = ContentTerms(
    must_not={"zh": ("优惠", "抽奖", "提额"), "en": ("special offer", "discount")}
)
IGNORE = ContentTerms(
    must={"zh": ("如您已还款，请忽略", "如已还款请忽略"), "en": ("please ignore this",)}
)


def rule(rule_id: str, terms: ContentTerms, *stages: Stage) -> Rule:
    """Return a content rule of these stages, of any other kind of contact, in force for long."""
    return Rule(
        id=rule_id,
        title="a rule",
        pack="T",
        kind=Kind.CONTENT,
        terms=terms,
        parties=frozenset(),
        stages=frozenset(stages),
        purposes=frozenset(),
        channels=frozenset(),
        products=frozenset(),
        effective_from=date(2020, 1, 1),
        effective_to=None,
        force=Force.HOUSE,
        status=Status.UNVERIFIED,
        enforce=Enforce.CAUTIOUS,
        citation="made up",
    )


PRE_DUE_IS_CALM = rule("T.CALM", CALM, Stage.PRE_DUE, Stage.DUE_DAY, Stage.GRACE)
NEVER_A_THREAT = rule("T.THREAT", THREAT)
SERVICE_ONLY = rule("T.ADS", NO_ADS)
SAYS_IGNORE = rule("T.IGNORE", IGNORE)
RULES = (PRE_DUE_IS_CALM, NEVER_A_THREAT, SERVICE_ONLY, SAYS_IGNORE)

CALL = Wording("", "en", Stage.PRE_DUE, Purpose.COURTESY, "sms")


def said(body: str, language: str = "en", stage: Stage = Stage.PRE_DUE) -> Wording:
    """Return a message by SMS with nothing else to it."""
    return replace(CALL, body=body, language=language, stage=stage)


def phrases(found: tuple[Finding, ...]) -> list[str]:
    """Return what was found, in order."""
    return [each.phrase for each in found]


# Words


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Your loan is OVERDUE!", "overdue"),
        ("Ｌｅｇａｌ　Ａｃｔｉｏｎ will follow", "legal action"),
        ("legal\n  action", "Legal-Action"),
        ("legal 🔥 action", "legal action"),
        ("le\u200bgal action", "legal action"),
        ("您已逾 期 三天", "逾期"),
        ("【银行】逾。期", "逾期"),
        ("移交法院立案", "法院"),
        ("PROCÈS immédiat", "proces"),
        ("कानूनी कार्रवाई होगी", "कानूनी कार्रवाई"),
        ("법원에 출석", "법원"),
        ("50 % off", "%"),
        ("we call the p.o.l.i.c.e", "police"),
        ("we call the P O L I C E now", "police"),
        ("this is a p o l i c e matter", "police"),
        ("p. o. l. i. c. e.", "police"),
        ("pol*ice", "police"),
        ("over-due", "overdue"),
        ("o\u00adverdue", "overdue"),
        ("po\ufe0flice", "police"),
        ("po\u3164lice", "police"),
        ("legal/act-ion", "legal action"),
        ("【银行】逾 - * . 期", "逾期"),
        ("逾\u200b期", "逾期"),
        ("ＯＶＥＲＤＵＥ", "overdue"),
        ("ｐｏｌｉｃｅ\u200d！", "police"),
        ("STRASSE", "straße"),
        ("催收Police催收", "police"),
        ("【银行】您好", "【"),
    ],
)
def test_a_phrase_is_found_in_any_dress(text: str, phrase: str) -> None:
    """Case, width, accents, punctuation, emoji, spaces and marks that nobody sees hide nothing."""
    assert holds(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("sender", "end"),
        ("the weekend", "end"),
        ("courtesy", "court"),
        ("legally actionable", "legal action"),
        ("期逾", "逾期"),
        ("action legal", "legal action"),
        ("carried over. Due on 5 May", "overdue"),
        ("the balance carried over due 5 May", "overdue"),
        ("policeman", "police"),
        ("1,200.00", "20"),
        ("overdue", ""),
        ("overdue", "  "),
        ("", "overdue"),
    ],
)
def test_a_phrase_is_not_found_inside_a_word_or_out_of_order(text: str, phrase: str) -> None:
    """Latin words end where they end; an empty phrase is nowhere."""
    assert not holds(text, phrase)


@given(st.text(max_size=40))
def test_comparing_twice_is_comparing_once(text: str) -> None:
    """What has been made plain stays as it is."""
    assert words(" ".join(words(text))) == words(text)


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=3))
def test_words_follow_one_another(text: list[str], wanted: list[str]) -> None:
    """Exactly where the joined text holds the joined phrase between gaps."""
    held = f" {' '.join(wanted)} " in f" {' '.join(text)} " if wanted else False
    assert contains(text, wanted) == held


@given(
    st.text(alphabet="ab 期逾.", max_size=12), st.text(alphabet="ab 期逾.", min_size=1, max_size=3)
)
def test_what_the_words_hold_is_found(text: str, phrase: str) -> None:
    """Whatever follows one another as words; more is found only where signs or spaces part letters."""
    found = holds(text, phrase)
    if contains(words(text), words(phrase)):
        assert found
    elif words(phrase):
        assert not found or "".join(words(phrase)) in "".join(words(text))


@given(
    st.sampled_from(["police", "overdue", "legal action", "逾期", "公安", "법원"]),
    st.lists(st.sampled_from(["", ".", "-", "\u200b", "*", "\u2060", "_", "，"]), min_size=12),
    st.sampled_from(["", "Dear Sir, ", "您好！", "- "]),
)
def test_signs_between_letters_hide_nothing(phrase: str, signs: list[str], before: str) -> None:
    """Whatever stands between them, if it is no space and no letter."""
    letters = "".join(f"{letter}{sign}" for letter, sign in zip(phrase, signs, strict=False))
    assert holds(f"{before}{letters} follows", phrase)


# Rules


@pytest.mark.parametrize(
    ("body", "language", "phrase"),
    [
        ("您的账单即将逾期，如已还款请忽略", "zh-CN", "逾期"),
        ("将移交催收，如已还款请忽略", "zh-CN", "催收"),
        ("影响您的征信，如已还款请忽略", "zh-Hans-CN", "征信"),
        ("We hand over to a collection agency. Please ignore this.", "en", "collection agency"),
        ("Avoid becoming OVERDUE; please ignore this", "en-GB", "overdue"),
    ],
)
def test_a_message_before_the_due_day_does_not_read_as_collection(
    body: str, language: str, phrase: str
) -> None:
    """In each language; once the debt is overdue the same words are no fault of this rule."""
    assert phrases(lint(said(body, language), RULES, ON)) == [phrase]
    assert not lint(said(body, language, Stage.OVERDUE), RULES, ON)


@pytest.mark.parametrize("stage", list(Stage))
def test_police_and_court_are_threatened_at_no_stage(stage: Stage) -> None:
    """The finding names rule, place and phrase."""
    body = "将起诉至法院。如已还款请忽略"
    found = lint(said(body, "zh-CN", stage), (NEVER_A_THREAT,), ON)
    assert [(each.rule_id, each.place, each.phrase) for each in found] == [
        ("T.THREAT", BODY, "起诉"),
        ("T.THREAT", BODY, "法院"),
    ]
    assert all("leave it out" in each.message and each.binds for each in found)


def test_banned_words_are_found_in_subject_and_preview_too() -> None:
    """Each place by its own name."""
    mail = replace(said("please ignore this"), subject="Legal action", preview="Court")
    assert [(each.place, each.phrase) for each in lint(mail, (NEVER_A_THREAT,), ON)] == [
        (SUBJECT, "legal action"),
        (PREVIEW, "court"),
    ]


def test_required_words_must_be_there_in_the_language_of_the_message() -> None:
    """One of the alternatives, in subject or body; no wording for the language cannot be right."""
    assert not lint(said("If paid, please ignore this."), (SAYS_IGNORE,), ON)
    assert not lint(replace(said("x"), subject="Please ignore this"), (SAYS_IGNORE,), ON)
    assert not lint(said("如 已还款 请忽略", "zh"), (SAYS_IGNORE,), ON)
    missing = lint(said("Pay."), (SAYS_IGNORE,), ON)
    assert [(each.place, each.phrase) for each in missing] == [("", "please ignore this")]
    foreign = lint(said("por favor ignore", "es"), (SAYS_IGNORE,), ON)
    assert [each.phrase for each in foreign] == [""]
    assert "no wording in es" in foreign[0].message
    # A preview may be cut off: what stands only there was not said.
    assert lint(replace(said("Pay."), preview="please ignore this"), (SAYS_IGNORE,), ON)


def test_the_list_nearest_to_the_language_counts() -> None:
    """Region, language, another region of it, any; banned words come from all of these."""
    near = ContentTerms(
        must={"en-GB": ("ta",), "en": ("thanks",), "*": ("ok",)},
        must_not={"zh-CN": ("逾期",), "*": ("spam",), "en": ("late",)},
    )
    law = (rule("T.NEAR", near),)
    assert not lint(said("ta", "en-GB"), law, ON)
    assert not lint(said("thanks", "en-US"), law, ON)
    assert not lint(said("ok", "fr"), law, ON)
    assert not lint(said("ok"), (rule("T.ANY", ContentTerms(must={"*": ("ok",)})),), ON)
    only = ContentTerms(must={"zh-CN": ("退订",)})
    assert not lint(said("退订", "zh-Hant-HK"), (rule("T.ONLY", only),), ON)
    assert phrases(lint(said("ok 逾期 spam late", "zh-TW"), law, ON)) == ["逾期", "spam"]
    assert phrases(lint(said("ok 逾期 spam late", ""), law, ON)) == ["逾期", "spam", "late"]


def test_a_disclosure_without_words_is_signed_for() -> None:
    """What no list of words can hold, the one who publishes the text answers for."""
    law = (rule("T.COST", ContentTerms(disclosure="all-in cost")),)
    assert "all-in cost" in lint(said("x"), law, ON)[0].message
    signed = replace(said("x"), disclosures=frozenset({"all-in cost"}))
    assert not lint(signed, law, ON)


def test_a_rule_is_asked_only_where_it_applies() -> None:
    """Kind, party, stage, purpose, channel, product, its dates to the day, and whether it is evaluated at all."""
    text = replace(said("court"), product="card")
    assert lint(text, (NEVER_A_THREAT,), ON)
    for other in (
        replace(NEVER_A_THREAT, parties=frozenset({Party.THIRD})),
        replace(NEVER_A_THREAT, stages=frozenset({Stage.OVERDUE})),
        replace(NEVER_A_THREAT, purposes=frozenset({Purpose.STATUTORY})),
        replace(NEVER_A_THREAT, channels=frozenset({"email"})),
        replace(NEVER_A_THREAT, products=frozenset({"bnpl"})),
        replace(NEVER_A_THREAT, enforce=Enforce.OFF),
        replace(NEVER_A_THREAT, effective_from=date(2026, 11, 25)),
        replace(NEVER_A_THREAT, effective_to=ON),
    ):
        assert not lint(text, (other,), ON)
    for same in (
        replace(NEVER_A_THREAT, parties=frozenset({Party.FIRST})),
        replace(NEVER_A_THREAT, channels=frozenset({"sms"}), products=frozenset({"card"})),
        replace(NEVER_A_THREAT, effective_from=ON, effective_to=date(2026, 11, 25)),
    ):
        assert lint(text, (same,), ON)
    shown = replace(NEVER_A_THREAT, enforce=Enforce.SHOWN)
    assert not lint(text, (shown,), ON)[0].binds


# Templates


def test_the_name_of_a_slot_is_no_word_of_the_message() -> None:
    """((overdue_days)) is filled in; nobody reads "overdue". Words around a slot do not touch."""
    law = (PRE_DUE_IS_CALM, NEVER_A_THREAT)
    assert not lint(said("days: ((overdue_days)). legal ((amount)) action"), law, ON)


def test_every_variant_of_a_template_is_read() -> None:
    """A banned word under a condition counts, one that forms where a condition is hidden too."""
    law = (NEVER_A_THREAT,)
    assert phrases(lint(said("Hello ((if pay_by))court ((pay_by))((end))"), law, ON)) == ["court"]
    joined = "legal ((if minimum))((minimum)) ((end))action"
    assert phrases(lint(said(joined), law, ON)) == ["legal action"]
    apart = "legal ((if minimum))or other ((end))((amount)) action"
    assert not lint(said(apart), law, ON)


def test_required_words_under_a_condition_are_not_enough() -> None:
    """They must be there whatever a borrower's facts are."""
    hidden = said("Pay. ((if pay_by))Please ignore this.((end))")
    assert phrases(lint(hidden, (SAYS_IGNORE,), ON)) == ["please ignore this"]
    assert not lint(said("Pay((if pay_by)) soon((end)). Please ignore this."), (SAYS_IGNORE,), ON)


# What is private


def test_nothing_private_stands_in_a_subject_or_on_a_locked_screen() -> None:
    """By the slots of a template; the lender's name may be seen, and the body is the borrower's own."""
    mail = replace(
        CALL,
        channel="email",
        subject="((lender)): ((amount))",
        preview="card ending ((instrument))",
        body="((amount)) ((due))",
    )
    assert [(each.rule_id, each.place, each.phrase) for each in lint(mail, (), ON)] == [
        (PRIVATE_RULE, SUBJECT, "amount"),
        (PRIVATE_RULE, PREVIEW, "instrument"),
    ]
    assert not lint(replace(mail, subject="((lender))", preview=""), (), ON)


def test_private_facts_are_found_in_a_rendered_text() -> None:
    """By their values, in any dress; an empty one is no fact."""
    facts = {"amount": "CNY 1,200.00", "product": "花呗", "account": "6789", "creditor": ""}
    mail = replace(CALL, subject="花 呗 bill", preview="cny 1,200.00 · tail 6789", private=facts)
    assert [(each.place, each.phrase) for each in lint(mail, (), ON)] == [
        (SUBJECT, "product"),
        (PREVIEW, "account"),
        (PREVIEW, "amount"),
    ]


@pytest.mark.parametrize("recipient", list(Recipient))
def test_a_third_party_reads_nothing_private(recipient: Recipient) -> None:
    """Neither a contact nor an employer; who is liable or stands for the borrower may, and where a rule lets them."""
    text = replace(said("((amount)) ((lender))"), recipient=recipient)
    is_other = recipient in (Recipient.CONTACT, Recipient.EMPLOYER)
    assert phrases(lint(text, (), ON)) == (["amount"] if is_other else [])
    assert not lint(replace(text, reveals_debt=True), (), ON)
    assert phrases(lint(replace(text, reveals_debt=True, subject="((due))"), (), ON)) == ["due"]


def test_a_condition_shows_nothing() -> None:
    """Only slots do."""
    assert fields_of("((if minimum))Hello ((lender))((end)) ((amount))") == {"lender", "amount"}


def test_every_variable_of_a_message_is_private_or_known_to_be_harmless() -> None:
    """A new variable has to be put on one side or the other."""
    assert set(message.VARIABLES) - PRIVATE_FIELDS == {"lender", "as_of", "service_phone"}


def test_a_locked_screen_shows_the_start_of_a_text_message() -> None:
    """To the last column that fits; a slot that is cut is shown whole; of an e-mail or a push it shows the subject."""
    assert preview_of("sms", "x" * 500) == "x" * PREVIEW_COLUMNS
    assert preview_of("sms", "short") == "short"
    assert preview_of("push", "short") == preview_of("inbox", "short") == ""
    assert preview_of("sms", "期" * 500) == "期" * (PREVIEW_COLUMNS // 2)
    assert preview_of("sms", f"x{'期' * 500}") == f"x{'期' * (PREVIEW_COLUMNS // 2)}"
    assert preview_of("email", "((amount))") == preview_of("letter", "x") == ""
    for before in range(PREVIEW_COLUMNS - 12, PREVIEW_COLUMNS + 1):
        body = "x" * before + "((amount)) and more"
        shown = fields_of(preview_of("sms", body))
        assert shown == ({"amount"} if before < PREVIEW_COLUMNS else set())


def test_the_preview_of_a_template_holds_that_of_each_of_its_texts() -> None:
    """However short the lender's name, and with each condition shown and hidden."""
    start = "((lender)): " + "x" * 40 + "((if pay_by)) by ((pay_by))((end))"
    seen = preview_of("sms", start + "y" * 16 + "((amount))")
    assert fields_of(seen) == {"lender", "pay_by", "amount"}
    unseen = preview_of("sms", start + "y" * 17 + "((amount))")
    assert fields_of(unseen) == {"lender", "pay_by"}
    long = "x" * 59 + "((if pay_by))" + "z" * 300 + "((end))y((amount))"
    assert fields_of(preview_of("sms", long)) == set()


@pytest.mark.parametrize(
    ("channel", "subject", "body", "found"),
    [
        ("email", "((lender)): a payment is due today", "x", [(SUBJECT, "due")]),
        ("email", "Your ＯＶＥＲ\u200bＤＵＥ account", "x", [(SUBJECT, "overdue")]),
        ("sms", "", "Debt collection: call us", [(PREVIEW, "debt"), (PREVIEW, "collection")]),
        ("sms", "", "A loan of yours", [(PREVIEW, "loan")]),
        ("sms", "", "((amount)) to pay", [(PREVIEW, "amount")]),
        ("push", "A loan of yours", "x", [(SUBJECT, "loan")]),
        ("push", "((amount)) to pay", "((amount))", [(SUBJECT, "amount")]),
        ("sms", "", "x" * PREVIEW_COLUMNS + " overdue ((amount))", []),
        ("letter", "", "overdue ((amount))", []),
    ],
)
def test_nobody_is_told_of_a_debt_before_the_message_is_opened(
    channel: str, subject: str, body: str, found: list[tuple[str, str]]
) -> None:
    """Neither by its amount nor by a word that gives it away; inside, it may stand."""
    text = replace(said(body), channel=channel, subject=subject, preview=preview_of(channel, body))
    assert [(each.place, each.phrase) for each in lint(text, (), ON)] == found
    assert all(each.rule_id == PRIVATE_RULE for each in lint(text, (), ON))


def test_a_language_that_is_not_known_is_any_of_them() -> None:
    """What one of the lists asks for will do, and every list bans."""
    law = (rule("T.ASK", ContentTerms(must={"en": ("reply stop",), "zh": ("退订",)})),)
    assert not lint(said("please REPLY, stop", ""), law, ON)
    assert phrases(lint(said("x", ""), law, ON)) == ["reply stop"]
    assert phrases(lint(said("逾期 police", ""), (PRE_DUE_IS_CALM,), ON)) == ["逾期", "police"]


# What ships

_STAGES: Mapping[str, tuple[Stage, ...]] = {
    "statement_ready": (Stage.PRE_DUE,),
    "due_soon": (Stage.PRE_DUE,),
    "due_today": (Stage.DUE_DAY,),
    "debit_coming": (Stage.PRE_DUE, Stage.DUE_DAY),
    "debit_failed": (Stage.DUE_DAY, Stage.GRACE, Stage.OVERDUE),
    "in_grace": (Stage.GRACE,),
    "digest": (Stage.PRE_DUE, Stage.DUE_DAY, Stage.GRACE, Stage.OVERDUE),
    "overdue": (Stage.OVERDUE,),
    "overdue_help": (Stage.OVERDUE,),
    "promise_broken": (Stage.OVERDUE,),
}
LAW = POLICIES.rules.law
# Every content rule that binds a lender's own messages.
CONTENT = tuple(
    each
    for name in sorted(LAW.packs)
    for each in LAW.packs[name].rules
    if isinstance(each.terms, ContentTerms) and each.enforce.binds
)
SHIPPED = [
    (name, locale, channel)
    for name, template in sorted(POLICIES.templates.items())
    for locale, channel in template.bodies
]


def shipped(name: str, locale: str, channel: str, stage: Stage) -> Wording:
    """Return a shipped template as it is judged at a stage, with what a locked screen shows of it."""
    body = POLICIES.templates[name].bodies[locale, channel]
    preview = preview_of(channel, body.text)
    return Wording(body.text, locale, stage, Purpose.COURTESY, channel, body.subject, preview)


@pytest.mark.parametrize(("name", "locale", "channel"), SHIPPED)
def test_shipped_templates_keep_to_the_words(name: str, locale: str, channel: str) -> None:
    """At each stage they are used in: calm before the debt is late, no threat, no advertisement, nothing of the debt in
    a subject or on a locked screen, and always the words for somebody who has paid.
    """
    for stage in _STAGES.get(name, tuple(Stage)):
        assert lint(shipped(name, locale, channel, stage), RULES, ON) == ()


@pytest.mark.parametrize(("name", "locale", "channel"), SHIPPED)
@pytest.mark.parametrize("jurisdiction", sorted(LAW.packs))
def test_shipped_templates_keep_to_the_words_of_every_jurisdiction(
    jurisdiction: str, name: str, locale: str, channel: str
) -> None:
    """For each stage and class they are sent in, by the rules that bind a lender's own messages."""
    rules = LAW.chain((jurisdiction,))
    for stage in _STAGES.get(name, tuple(Stage)):
        for purpose in (Purpose.COURTESY, Purpose.PRE_DEBIT, Purpose.OVERDUE, Purpose.STATUTORY):
            text = replace(shipped(name, locale, channel, stage), purpose=purpose)
            assert [each for each in lint(text, rules, ON) if each.binds] == []


def test_every_rule_about_words_finds_a_planted_one_in_every_shipped_template() -> None:
    """Each phrase that a shipped pack bans, planted at the end of each shipped text in its language: named by rule."""
    for each in LAW.packs.values():
        for one in each.rules:
            if not isinstance(one.terms, ContentTerms) or one.enforce is Enforce.OFF:
                continue
            bare = replace(one, parties=frozenset(), purposes=frozenset(), channels=frozenset())
            bare = replace(bare, stages=frozenset(), products=frozenset(), effective_to=None)
            bare = replace(bare, effective_from=date(1900, 1, 1))
            for language, phrase in _banned_in(one.terms):
                for name, locale, channel in SHIPPED:
                    if language not in ("*", locale, locale.split("-")[0]):
                        continue
                    text = shipped(name, locale, channel, Stage.OVERDUE)
                    bad = replace(text, body=f"{text.body} {phrase}")
                    found = lint(bad, (bare,), ON)
                    assert (one.id, BODY, phrase) in [(f.rule_id, f.place, f.phrase) for f in found]


def _banned_in(terms: ContentTerms) -> list[tuple[str, str]]:
    return [(language, phrase) for language, all_ in terms.must_not.items() for phrase in all_]


@pytest.mark.parametrize(("name", "locale", "channel"), SHIPPED)
def test_no_shipped_template_is_for_anybody_but_the_borrower(
    name: str, locale: str, channel: str
) -> None:
    """Sent to a relative or an employer, each of them would tell of the debt, and the linter says so."""
    for recipient in (Recipient.CONTACT, Recipient.EMPLOYER):
        text = replace(shipped(name, locale, channel, Stage.OVERDUE), recipient=recipient)
        assert {each.rule_id for each in lint(text, (), ON) if each.place == BODY} == {PRIVATE_RULE}


DEBIT_AT = Moment(date(2026, 11, 25), time(11, 30), ON)
AMOUNT = Money(120_000, "CNY")
VALUES: Mapping[str, Value] = {
    "lender": "Betimes Demo",
    "amount": AMOUNT,
    "minimum": Money(12_000, "CNY"),
    "due": date(2026, 11, 25),
    "overdue_days": 3,
    "as_of": ON,
    "pay_by": date(2026, 11, 26),
    "instrument": "6789",
    "debit_at": DEBIT_AT,
    "items": (Item("Betimes Demo", AMOUNT, date(2026, 11, 25), DEBIT_AT, "6789"),),
}
BARE = {**VALUES, "minimum": None, "pay_by": None, "instrument": None, "debit_at": None}


LONG_NAME = "The First Consolidated Savings and Consumer Finance Company of the North, Limited"
MANY = tuple(
    Item(
        f"{LONG_NAME} {n}", Money(999_999_999_999, "CNY"), date(2026, 11, 20 + n), DEBIT_AT, "6789"
    )
    for n in range(5)
)
EDGES: Mapping[str, Mapping[str, Value]] = {
    "everything": VALUES,
    "nothing that may be missing": BARE,
    "the smallest amount": {**BARE, "amount": Money(1, "CNY"), "overdue_days": 1},
    "the largest amount": {**VALUES, "amount": Money(999_999_999_999, "CNY")},
    "a short name": {**BARE, "lender": "A"},
    "a long name": {**VALUES, "lender": LONG_NAME},
    "many debts": {**VALUES, "lender": "A", "items": MANY},
}


@pytest.mark.parametrize("edge", list(EDGES))
@pytest.mark.parametrize(("name", "locale", "channel"), SHIPPED)
def test_a_rendered_text_is_judged_like_its_template(
    name: str, locale: str, channel: str, edge: str
) -> None:
    """Whatever the borrower's facts: every rule of every jurisdiction lets it pass, and nobody else learns of them."""
    variables = EDGES[edge]
    text = message.render(POLICIES.templates[name].bodies[locale, channel], variables)
    amount = variables["amount"]
    assert isinstance(amount, Money)
    preview = preview_of(channel, text.body)
    facts = {"amount": str(amount.decimal()), "instrument": "6789", "due": "2026"}
    for stage in _STAGES.get(name, tuple(Stage)):
        rendered = Wording(
            *(text.body, locale, stage, Purpose.COURTESY, channel, text.subject, preview),
            private=facts,
        )
        assert lint(rendered, (*RULES, *CONTENT), ON) == ()


def test_a_planted_word_is_found_in_each_shipped_template() -> None:
    """The linter reads all of them, at their start and at their end."""
    for name, locale, channel in SHIPPED:
        text = shipped(name, locale, channel, Stage.OVERDUE)
        word = "法院" if locale.startswith("zh") else "court"
        for body in (f"{word} {text.body}", f"{text.body} {word}"):
            assert phrases(lint(replace(text, body=body), RULES, ON)) == [word]
