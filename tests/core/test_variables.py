"""Variables of messages: written by their type, and cleaned before they become one."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import message
from betimes.core.errors import Rejected
from betimes.core.message import Around, Body, render
from betimes.core.money import Money
from betimes.core.variables import (
    MAX_NAME,
    STYLES,
    TABLE,
    Code,
    Kind,
    MaskedName,
    Phone,
    ShortLink,
    clean,
    is_plain_https,
    link,
    masked,
    written,
)

DAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("value", "style", "chinese", "english"),
    [
        (Money(123_450, "CNY"), "", "1,234.50元", "CNY 1,234.50"),
        (Money(123_450, "CNY"), "plain", "1,234.50元", "CNY 1,234.50"),
        (Money(123_450, "CNY"), "code", "CNY 1,234.50", "CNY 1,234.50"),
        (Money(1, "KWD"), "plain", "KWD 0.001", "KWD 0.001"),
        (DAY, "long", "2026年3月9日", "9 March 2026"),
        (DAY, "short", "3月9日", "9 Mar"),
        (0, "days", "0天", "0 days"),
        (1, "days", "1天", "1 day"),
        (31, "days", "31天", "31 days"),
        (31, "plain", "31", "31"),
        ("8821", "", "8821", "8821"),
        ("8821", "tail", "尾号8821", "ending in 8821"),
        (MaskedName("王"), "", "王**", "王**"),
        (Code("7KQ2-M9XD"), "", "7KQ2-M9XD", "7KQ2-M9XD"),
        (Phone("+86 400-000"), "", "+86 400-000", "+86 400-000"),
        (ShortLink("https://a.example/p/x"), "", *("https://a.example/p/x",) * 2),
    ],
)
def test_a_value_is_written_by_its_type_its_style_and_the_language(
    value: Any, style: str, chinese: str, english: str
) -> None:
    """Also through a template that names the style."""
    assert written(value, "zh-CN", "sms", style) == chinese
    assert written(value, "en-GB", "sms", style) == english
    slot = f"((amount|{style}))" if style else "((amount))"
    assert render(Body("zh-Hans", "sms", "", slot), {"amount": value}).body == chinese


def test_every_kind_has_a_variable_and_each_style_is_written() -> None:
    """The tables fit each other, and the first style is what no style means."""
    assert {each.kind for each in TABLE.values()} == set(Kind)
    examples: dict[Kind, Any] = {
        Kind.MONEY: Money(5, "CNY"),
        Kind.DATE: DAY,
        Kind.COUNT: 3,
        Kind.ACCOUNT: "8821",
    }
    assert set(examples) == set(STYLES)
    for kind, styles in STYLES.items():
        plain = written(examples[kind], "en", "sms")
        assert written(examples[kind], "en", "sms", styles[0]) == plain
        assert len({written(examples[kind], "zh", "sms", style) for style in styles}) == 2


def test_what_goes_with_another_is_as_optional_as_that() -> None:
    """So a condition over the one is enough for both."""
    for each in TABLE.values():
        assert not each.goes_with or (each.optional and TABLE[each.goes_with].optional)


def test_a_style_of_another_type_stops_the_send() -> None:
    """Publishing rules it out."""
    for value, style in ((DAY, "days"), (3, "tail"), (Money(1, "CNY"), "long"), ("x", "code")):
        with pytest.raises(AssertionError):
            written(value, "en", "sms", style)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("  Bank\tof\n the\r\nNorth ", "Bank of the North"),
        ("A\u202eB\u200bC\x00D\u2028E\u2066", "ABCD E"),
        ("Bank https://evil.example/x now", "Bank now"),
        ("see www.evil.example", "see"),
        ("a hthttp://x.example/tp://evil.example", "a"),
        ("王小明", "王小明"),
        ("x" * 200, "x" * MAX_NAME),
        ("\u200b\x07", ""),
    ],
)
def test_a_name_from_outside_is_cleaned(text: str, left: str) -> None:
    """On one line, without control, bidirectional and unseen characters, without addresses, and short."""
    assert clean(text) == left


@given(st.text(max_size=200))
def test_nothing_unseen_and_no_address_is_left(text: str) -> None:
    """Whatever is given; cleaning twice changes nothing."""
    left = clean(text)
    assert len(left) <= MAX_NAME
    assert not any(unicodedata.category(each)[0] == "C" for each in left)
    assert "https://" not in left.lower()
    assert clean(left) == left


def test_one_character_of_a_name_is_shown() -> None:
    """The first letter; a name without any is none."""
    assert masked("王小明") == MaskedName("王")
    assert masked("  1. Wang") == MaskedName("W")
    assert masked("\u202e!!") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/x",
        "javascript:alert(1)",
        'https://a.example/"onclick=x',
        "https://a.example/x y",
        "https://a.example/<b>",
        "https://user@a.example/x",
        "https://a.example:8443/x",
        "https://a.example/\nx",
        "https://ä.example/x",
        "https:///x",
        "https://a.example/((amount))",
        "https://a.example/" + "x" * 500,
        "https://[bad/x",
        "",
    ],
)
def test_no_other_address_becomes_a_link(url: str) -> None:
    """Https in plain characters, on a host of ours, and nothing that could end an attribute."""
    assert not is_plain_https(url)
    assert link(url, ("a.example",)) is None
    with pytest.raises(AssertionError):
        ShortLink(url)


def test_a_link_leads_to_a_host_of_ours() -> None:
    """Exactly: neither above nor below it."""
    assert link("https://a.example/x", ("a.example",)) == ShortLink("https://a.example/x")
    for host in ("example", "b.a.example", "a.example.evil"):
        assert link(f"https://{host}/x", ("a.example",)) is None


def test_what_surrounds_a_message_is_whole() -> None:
    """A link without the code by which it can be trusted is none."""
    with pytest.raises(AssertionError):
        Around(link=ShortLink("https://a.example/x"))
    for wrong in ("12", "call us", "+86 (1) x"):
        with pytest.raises(AssertionError):
            Phone(wrong)
    with pytest.raises(AssertionError):
        Code("<b>")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n((amount.__class__))", "line 2: '((amount.__class__))' reaches into a value"),
        ("((upper(amount)))", "line 1: '((upper(amount))' is a call"),
        ("x\n\n((amount|safe|x))", "line 3: '((amount|safe|x))' has a filter"),
        ("((amount[0]))", "line 1: '((amount[0]))' reaches into a value"),
        ("((amount + 1))", "is a slot of the wrong form"),
        ("((due|days))", "line 1: 'due|days' is no style of due: there is long, short"),
        ("((lender|upper))", "is no style of lender: there is none"),
        ("a\n((else))", "line 2: 'else' is not a variable"),
        ("((if minimum|code))x((end))", "cannot be a condition"),
    ],
)
def test_what_reaches_for_more_is_refused_by_line_and_construct(text: str, said: str) -> None:
    """Attributes, items, calls, filters and arithmetic, before anything is sent."""
    with pytest.raises(Rejected) as refused:
        message.parse({"name": "t", "en": {"sms": {"text": text}}}, "t.toml")
    assert refused.value.code == "bad_template"
    assert said in refused.value.message
