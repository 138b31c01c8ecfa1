"""Answers: a refusal is never missed, nothing is reopened by mistake, and doubt goes to a person."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.adapters import pack_files
from betimes.core.consent import Reach, Switch, lift, stands
from betimes.core.errors import Rejected
from betimes.core.keywords import MAX_WORDS, Keywords, Meaning, Phrase, Reply, parse, read, refusals
from betimes.core.rule import Purpose, Status
from betimes.core.wording import words

DOCUMENT = pack_files.document(pack_files.root() / "keywords.toml", "keywords.toml")
SHIPPED = parse(DOCUMENT, "keywords.toml")
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

EN = Phrase("", Meaning.STOP, "en", Status.VERIFIED, "made up")
STOPS = sorted(each.text for each in SHIPPED.phrases.values() if each.meaning is Meaning.STOP)
LONG_STOPS = [text for text in STOPS if not SHIPPED.phrases[words(text)].alone]


def meaning(text: str) -> Meaning:
    """Return what the shipped lists make of an answer."""
    return read(text, SHIPPED).meaning


@pytest.mark.parametrize(
    "text",
    [
        *("STOP", "STOP.", "stop please", "Stop!!!", "ＳＴＯＰ", "S T O P", "s.t.o.p", "Ⓢⓣⓞⓟ"),
        *(
            "🛑 Stop 🙏",
            "\u200bSTO\u200bP\n",
            "STOPALL",
            "stop all",
            "Unsubscribe",
            "CANCEL",
            "end",
        ),
        *("Quit", "revoke", "OPT OUT", "opt-out", "optout"),
        *("退订", "退 订。", "請退訂", "我要退订，谢谢", "拒收", "取消", "TD 退订"),
        *("TD", "td", "ＴＤ", "T", "t.", "R", "r!"),
        *("BAJA", "baja por favor", "cancelar", "SAIR", "Parar", "BERHENTI", "tolong berhenti"),
        *("बंद करें", "कृपया बंद", "ARRÊT", "arret", "Désabonner, merci"),
    ],
)
def test_a_refusal_is_understood(text: str) -> None:
    """In each language, whatever its case, width, accents, punctuation, emoji and spaces."""
    assert meaning(text) is Meaning.STOP


@pytest.mark.parametrize(
    "text",
    [
        *("I'll pay Friday, stop", "stop by the branch", "don't stop", "do not stop", "stop start"),
        *("Stop? No, go on", "cancel my payment", "un stop", "can I cancel tomorrow", "no pare"),
        *(
            "我不要退订",
            "取消退订",
            "取消还款",
            "请取消退订",
            "不要取消",
            "没还了",
            "回复TD吗",
            "T恤",
            "R please",
        ),
        *("weekend", "sender", "ok", "yes", "", "👍", "...", "Call my lawyer"),
        *("not paid", "I have not paid", "start paying?", "stop " * (MAX_WORDS + 1)),
    ],
)
def test_anything_else_goes_to_a_person(text: str) -> None:
    """Mixed content, a denial, a word inside another, and what nobody listed."""
    reply = read(text, SHIPPED)
    assert reply.meaning is Meaning.UNSURE
    assert reply.needs_person
    assert reply.closes


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("START", Meaning.START),
        ("unstop!", Meaning.START),
        ("start please", Meaning.START),
        ("HELP", Meaning.HELP),
        ("帮助", Meaning.HELP),
        ("I've paid, thanks", Meaning.PAID),
        ("已还款", Meaning.PAID),
        ("Sudah bayar", Meaning.PAID),
    ],
)
def test_other_answers_are_understood(text: str, wanted: Meaning) -> None:
    """They close nothing and nobody has to read them."""
    reply = read(text, SHIPPED)
    assert reply.meaning is wanted
    assert not reply.closes
    assert not reply.needs_person
    assert reply.reach is None


def test_only_words_of_a_verified_list_reopen() -> None:
    """What nobody has read is a hint for a person; refusals and words of help count from any list."""
    assert read("resume", SHIPPED) == Reply(Meaning.UNSURE, "RESUME", None, "en")
    assert meaning("恢复") is Meaning.UNSURE
    for status in Status:
        start = replace(EN, text="go", meaning=Meaning.START, status=status)
        stop = replace(EN, text="no", status=status)
        lists = Keywords({("go",): start, ("no",): stop}, frozenset(), {"no": stop})
        verified = status is Status.VERIFIED
        assert read("go", lists).meaning is (Meaning.START if verified else Meaning.UNSURE)
        assert read("no", lists).meaning is Meaning.STOP


def test_letters_count_only_as_the_whole_answer() -> None:
    """Beside any word they decide nothing; beside a longer refusal they do not disturb it."""
    for letter in ("R", "T", "TD"):
        assert meaning(letter) is Meaning.STOP
        assert meaning(f"{letter} please") is Meaning.UNSURE
        assert meaning(f"plan {letter}") is Meaning.UNSURE
        assert meaning(f"回{letter}退订") is Meaning.STOP


def test_the_answer_names_the_keyword_that_decided() -> None:
    """The longest one, as its list writes it; of an unclear answer the refusal in it, for the person who reads."""
    assert read("please stop all!", SHIPPED) == Reply(Meaning.STOP, "STOP ALL", Reach.SENDER, "en")
    assert read("取消订阅", SHIPPED) == Reply(Meaning.STOP, "取消订阅", None, "zh")
    assert read("help, how do I stop?", SHIPPED) == Reply(Meaning.UNSURE, "STOP", None, "en")
    assert read("subscribe? no, stop", SHIPPED).keyword == "STOP"
    assert read("I paid the bill", SHIPPED).keyword == "I PAID"


def test_the_lists_mirror_those_of_the_law_and_of_the_provider() -> None:
    """A provider blocks a number on its own list without a word to us; a notice would be lost behind it.

    Source: 47 CFR 64.1200(a)(10); AWS End User Messaging SMS, required opt-out keywords.
    """
    law = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
    provider = ("ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD")
    for word in (*law, *provider):
        assert meaning(word) is Meaning.STOP


# Properties

DRESS = st.sampled_from(
    ["", " ", "!", ".", "...", "🛑", "🙏🏽", "\n", "，", "。", "“", "\u200d", "\u3000", "❤\ufe0f"]
)
CASES = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])


def wide(text: str) -> str:
    """Return the text in full-width letters."""
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


@given(st.sampled_from(STOPS), DRESS, DRESS, CASES, st.booleans())
def test_a_refusal_alone_is_a_refusal_in_any_dress(
    text: str, before: str, after: str, case: Any, is_wide: bool
) -> None:
    """Case, width, punctuation, emoji and spaces around it change nothing."""
    dressed = before + case(wide(text) if is_wide else text) + after
    assert meaning(dressed) is Meaning.STOP


@given(st.sampled_from(LONG_STOPS), st.text(max_size=20), st.text(max_size=20))
def test_a_text_with_a_refusal_is_never_anything_but_one_or_doubt(
    text: str, before: str, after: str
) -> None:
    """Whatever stands around the word."""
    assert read(f"{before} {text} {after}", SHIPPED).closes


@given(st.sampled_from(LONG_STOPS), st.sampled_from(sorted(SHIPPED.phrases)), st.booleans())
def test_a_refusal_beside_any_keyword_closes(
    text: str, other: tuple[str, ...], is_first: bool
) -> None:
    """START, HELP and PAID are not heard beside a word that refuses."""
    pair = (text, " ".join(other)) if is_first else (" ".join(other), text)
    assert read(" ".join(pair), SHIPPED).closes


@given(st.text(max_size=60))
def test_reading_is_the_same_for_the_words_alone(text: str) -> None:
    """Comparing a text that has already been made plain changes nothing; no text fails."""
    plain = " ".join(words(text))
    assert words(plain) == words(text)
    assert read(plain, SHIPPED) == read(text, SHIPPED)


@given(st.text(alphabet="stopan \u200b.!🛑", max_size=12))
def test_nothing_near_a_refusal_reopens(text: str) -> None:
    """Texts made of its letters are a refusal, START's own word, or doubt."""
    reply = read(text, SHIPPED)
    assert reply.closes or reply.keyword in ("START", "UNSTOP")


# Into the ledger


def test_a_refusal_is_one_of_reminders_and_one_of_marketing() -> None:
    """Two entries for two switches, at the reach of the law or of the words, whichever takes in the other."""
    told = refusals(
        read("STOP", SHIPPED),
        message_id="m7",
        channel="sms",
        address="n1",
        at=AT,
        reaches={Switch.REMINDER: (Reach.TOPIC, frozenset({"sms", "call"}))},
        topic="loan-1",
        evidence="sha256:1",
    )
    assert [(each.id, each.switch) for each in told] == [
        ("m7:reminder", Switch.REMINDER),
        ("m7:marketing", Switch.MARKETING),
    ]
    assert [(each.reach, each.media) for each in told] == [
        (Reach.TOPIC, frozenset({"sms", "call"})),
        (Reach.CHANNEL, frozenset()),
    ]
    assert {(each.topic, each.words, each.evidence) for each in told} == {
        ("loan-1", "STOP", "sha256:1")
    }
    assert not any(each.provisional for each in told)
    everything = refusals(
        read("stopall", SHIPPED), message_id="m8", channel="sms", address="n1", at=AT
    )
    assert {each.reach for each in everything} == {Reach.SENDER}
    by_law = refusals(
        read("stopall", SHIPPED),
        message_id="m8",
        channel="sms",
        address="n1",
        at=AT,
        reaches=dict.fromkeys(Switch, (Reach.ALL, frozenset[str]())),
    )
    assert {each.reach for each in by_law} == {Reach.ALL}


def test_doubt_closes_the_channel_until_a_person_has_answered() -> None:
    """Reminders rest, a statutory notice takes another medium; lifted, all is as before."""
    unread = refusals(
        read("I'll pay Friday, stop", SHIPPED),
        message_id="m9",
        channel="sms",
        address="n1",
        at=AT,
        reaches=dict.fromkeys(Switch, (Reach.ALL, frozenset[str]())),
    )
    assert all(each.provisional and each.reach is Reach.CHANNEL for each in unread)
    later = AT + timedelta(hours=1)
    asked = ("sms", "n2", Purpose.OVERDUE, later)
    assert not stands(unread, Switch.REMINDER, *asked).allowed
    assert stands(unread, Switch.REMINDER, "email", "e1", Purpose.OVERDUE, later).allowed
    lifted = lift(unread, Switch.REMINDER, "sms", "n1", later)
    assert stands((*unread, *lifted), Switch.REMINDER, *asked).allowed


def test_other_answers_put_nothing_into_the_ledger() -> None:
    """A word of payment or of help refuses nothing."""
    for text in ("START", "HELP", "PAID"):
        assert not refusals(
            read(text, SHIPPED), message_id="m1", channel="sms", address="n1", at=AT
        )


# The lists themselves


def test_every_shipped_list_has_its_citation_and_its_language() -> None:
    """English, Chinese, Spanish, Portuguese, Hindi, Indonesian and French can refuse."""
    assert all(each.citation and each.language for each in SHIPPED.phrases.values())
    refusing = {row["language"] for row in DOCUMENT["words"] if row["meaning"] == "stop"}
    assert refusing == {"en", "zh", "es", "pt-BR", "hi", "id", "fr"}


GOOD = """
[[words]]
meaning = "stop"
language = "en"
phrases = ["STOP"]
status = "verified"
citation = "made up"

[[words]]
meaning = "start"
language = "en"
phrases = ["START"]
status = "verified"
citation = "made up"

[[filler]]
language = "en"
phrases = ["please"]
"""


@pytest.mark.parametrize(
    ("before", "after", "field", "said"),
    [
        ('meaning = "stop"', 'meaning = "halt"', "meaning", "none of stop, start, help"),
        ('meaning = "stop"', 'meaning = "help"', "words", "nobody could refuse"),
        ('language = "en"', "", "language", "is missing"),
        ('language = "en"', "language = 7", "language", "is no text"),
        ('status = "verified"', 'status = "sure"', "status", "none of verified"),
        ('citation = "made up"', 'citation = ""', "citation", "is no text"),
        ('["STOP"]', "[]", "phrases", "no list of phrases"),
        ('["STOP"]', '"STOP"', "phrases", "no list of phrases"),
        ('["STOP"]', '["STOP", "stop."]', "phrases", "twice"),
        ('["STOP"]', '["!!"]', "phrases", "no word"),
        ('["STOP"]', "[7]", "phrases", "no word"),
        ('["START"]', '["stop"]', "phrases", "another meaning"),
        ('["START"]', '["do not stop"]', "phrases", "'STOP' stops"),
        ('["please"]', '["stop"]', "phrases", "is a keyword"),
        ('meaning = "stop"', 'meaning = "stop"\nalone = 1', "alone", "neither true nor false"),
        ('meaning = "stop"', 'meaning = "stop"\nreach = "far"', "reach", "none of address"),
        ('meaning = "stop"', 'meaning = "stop"\nnote = "x"', "note", "is unknown"),
        ("[[filler]]", "[[fillers]]", "fillers", "is unknown"),
        ("[[filler]]", "[filler]", "filler", "no list of tables"),
        ("\n[[words]]", "filler = ['x']\n[[words]]", "filler", "no list of tables"),
    ],
)
def test_a_wrong_list_is_refused_with_its_place(
    before: str, after: str, field: str, said: str
) -> None:
    """The message names the file, the list, the key and what to do."""
    text = GOOD.replace(before, after, 1)
    if text.startswith("filler"):
        text = text.partition("[[filler]]")[0]
    with pytest.raises(Rejected) as caught:
        parse(tomllib.loads(text), "keywords.toml")
    assert (caught.value.code, caught.value.field) == ("bad_keywords", field)
    assert caught.value.message.startswith("keywords.toml")
    assert said in caught.value.message


def test_a_phrase_is_alone_in_all_lists_or_in_none() -> None:
    """Which of two lists counts would hang on their order."""
    other = GOOD.replace('"en"\nphrases = ["STOP"]', '"fr"\nalone = true\nphrases = ["STOP"]')
    with pytest.raises(Rejected) as caught:
        parse(tomllib.loads(GOOD + other), "keywords.toml")
    assert (caught.value.code, caught.value.field) == ("bad_keywords", "phrases")


def test_a_phrase_may_stand_in_lists_of_several_languages() -> None:
    """With one meaning; the first list is the one that answers name."""
    twice = GOOD.replace('"START"', '"GO"') + GOOD.replace('"START"', '"RUN"').replace(
        '"en"', '"id"'
    )
    lists = parse(tomllib.loads(twice), "keywords.toml")
    assert read("stop", lists).language == "en"
    assert read("run", lists).language == "id"
