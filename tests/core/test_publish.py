"""The gate of publishing: what ships passes, and whatever is taken out of it is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from betimes.adapters import mail_frames
from betimes.core import message, publish
from betimes.core.errors import Rejected
from betimes.core.mail_markup import contrast, read
from betimes.core.message import CAPS, CHANNELS, VARIABLES, Body, Template, render
from betimes.core.publish import Level, blocking, fixtures, lengths, lint
from betimes.core.rule import ContentTerms
from betimes.local import frames
from tests.core.support import POLICIES

ON = date(2026, 11, 24)
LAW = POLICIES.rules.law
RULES = [
    rule
    for name in sorted(LAW.packs)
    for rule in LAW.packs[name].rules
    if isinstance(rule.terms, ContentTerms)
]
SHIPPED = POLICIES.templates


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_template_passes(name: str) -> None:
    """Without a single finding, in both languages on all four channels."""
    template = SHIPPED[name]
    assert set(template.bodies) == {(loc, ch) for loc in ("zh-CN", "en") for ch in CHANNELS}
    assert lint(template, RULES, ON) == ()
    assert all(each.usual <= publish.MAX_PARTS for each in lengths(template))


Change = Callable[[Body], Body]


def swapped(old: str, new: str, part: str = "text") -> Change:
    """Return a change of one part of a body, which has to hold what is taken out."""

    def change(body: Body) -> Body:
        assert old in getattr(body, part), f"{old} is not in it"
        return replace(body, **{part: getattr(body, part).replace(old, new)})

    return change


def added(text: str, part: str = "text") -> Change:
    """Return a change that writes something behind a part."""
    return lambda body: replace(body, **{part: getattr(body, part) + text})


def inside(markup: str) -> Change:
    """Return a change that puts markup in front of the end of an e-mail's HTML."""
    return swapped("</body>", f"{markup}</body>", "html")


ADDRESS = "https://evil.example/x"
MUTANTS: list[tuple[str, str, str, str, Change]] = [
    ("missing_fact", "due_soon", "en", "sms", swapped("((amount))", "money")),
    ("missing_fact", "due_soon", "en", "push", swapped("((due))", "soon")),
    ("missing_fact", "overdue", "zh-CN", "inbox", swapped("((overdue_days|days))", "几天")),
    ("missing_fact", "debit_coming", "en", "push", swapped("((instrument|tail))", "you know")),
    ("missing_fact", "due_soon", "en", "email", swapped("((due))", "soon", "html")),
    ("missing_fact", "due_soon", "en", "inbox", swapped("((amount))", "((if minimum))((amount))((end))")),
    ("missing_paid", "due_soon", "zh-CN", "sms", swapped("忽略。", "。")),
    ("missing_help", "due_soon", "en", "inbox", swapped("talk to", "see")),
    ("banned_words", "due_soon", "en", "email", added(" Or the police comes.")),
    ("banned_words", "due_soon", "zh-CN", "email", swapped("请在到期日", "否则报警，法院见。请在到期日", "html")),
    ("private", "due_soon", "en", "push", swapped("please open", "loan: open", "subject")),
    ("private", "due_soon", "en", "email", added(" ((amount))", "subject")),
    ("unseen_character", "due_soon", "en", "push", added("\u202e")),
    ("unseen_character", "due_soon", "zh-CN", "inbox", added("\u200b", "subject")),
    ("does_not_render", "due_soon", "en", "sms", added("x" * 1_600)),
    ("does_not_render", "due_soon", "en", "email", inside(f"<p>{'x' * 100_000}</p>")),
    ("long_subject", "due_soon", "en", "email", added("x" * 60, "subject")),
    ("long_lock_text", "due_soon", "en", "push", added(" quickly", "subject")),
    ("long_push", "due_soon", "zh-CN", "push", added("好" * 700)),
    ("long_sms", "due_soon", "en", "sms", added("x" * 460)),
    ("oversized_sms", "due_soon", "zh-CN", "sms", added("好" * 600)),
    ("costly_sign", "due_soon", "en", "sms", added(" It’s yours.")),
    ("bad_signature", "due_soon", "zh-CN", "sms", swapped("【((lender))】", "((lender))")),
    ("bad_sign", "due_soon", "zh-CN", "sms", added("￥")),
    ("adjacent_variables", "due_soon", "zh-CN", "sms", swapped("待还((amount))", "待还((lender))((amount))")),
    ("variable_link", "due_soon", "zh-CN", "sms", added("((if link))看((link))看((end))")),
    ("foreign_link", "due_soon", "en", "inbox", added(f" See {ADDRESS}")),
    ("foreign_link", "due_soon", "en", "sms", added(" See www.bank.example")),
    ("foreign_link", "due_soon", "en", "email", inside(f'<a href="{ADDRESS}">Go</a>')),
    ("foreign_link", "due_soon", "en", "email", swapped('href="((link))"', 'href="((lender))"', "html")),
    (
        "unworded_link",
        "due_soon",
        "en",
        "email",
        swapped("Choose how we write to you", "((lender))", "html"),
    ),
    ("foreign_resource", "due_soon", "en", "email", inside(f'<img src="{ADDRESS}" alt="">')),
    ("foreign_resource", "due_soon", "en", "email", inside("<script>1</script>")),
    ("missing_alt", "due_soon", "en", "email", inside(f'<img src="{ADDRESS}">')),
    ("slot_in_attribute", "due_soon", "en", "email", inside('<p title="((lender))">x</p>')),
    ("layout_table", "due_soon", "en", "email", swapped('role="presentation"', "", "html")),
    ("layout_table", "due_soon", "en", "email", swapped('th scope="row"', "th", "html")),
    ("wrong_language", "due_soon", "en", "email", swapped('<html lang="en"', '<html lang="zh"', "html")),
    ("no_title", "due_soon", "en", "email", swapped("<title>A service message", "<title>", "html")),
    ("low_contrast", "due_soon", "en", "email", swapped("#333333", "#999999", "html")),
    ("broken_html", "due_soon", "en", "email", swapped("</body>", "</div></body>", "html")),
    (
        "broken_html",
        "due_soon",
        "en",
        "email",
        inside("((if minimum))<p>((end))x((if minimum))</p>((end))((if pay_by))<p>((end))"),
    ),
    ("no_way_out", "due_soon", "en", "email", swapped("((stop_link))", "us")),
    ("no_html", "due_soon", "en", "email", lambda body: replace(body, html="")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "name", "locale", "channel", "change"),
    MUTANTS,
    ids=[f"{code}-{n}" for n, (code, *_) in enumerate(MUTANTS)],
)
def test_what_is_taken_out_or_put_in_is_named(
    code: str, name: str, locale: str, channel: str, change: Change
) -> None:
    """By its code, with the place, a sentence and a way out; and it blocks."""
    template = SHIPPED[name]
    body = change(template.bodies[locale, channel])
    bodies = {**template.bodies, (locale, channel): body}
    broken = replace(template, bodies=bodies)
    found = [each for each in blocking(broken, lint(broken, RULES, ON)) if each.code == code]
    assert found
    assert found[0].place.startswith(f"{name} [{locale}.{channel}]")
    assert found[0].sentence
    assert found[0].fix


def test_a_language_that_is_missing_is_named() -> None:
    """An error for the one all fall back to, a warning for another, which stands with a reason."""
    template = SHIPPED["due_soon"]
    for locale, level in (("zh-CN", Level.ERROR), ("en", Level.WARNING)):
        left = {key: body for key, body in template.bodies.items() if key != (locale, "sms")}
        less = replace(template, bodies=left)
        (found,) = lint(less, RULES, ON)
        assert (found.code, found.level) == ("missing_language", level)
        assert blocking(less, [found]) == (found,)
        reasoned = replace(less, accepted={"missing_language": "only Chinese is spoken there"})
        assert (blocking(reasoned, [found]) == ()) is (level is Level.WARNING)


def test_only_variables_are_no_message() -> None:
    """Gateways turn it away."""
    body = Body("zh-CN", "sms", "", "【((lender))】((amount))，((due))")
    template = Template("t@0", "t", {("zh-CN", "sms"): body})
    assert "only_variables" in {each.code for each in lint(template)}


def test_the_frames_are_compiled_from_their_sources() -> None:
    """Compiled again they are the same, byte by byte; so nobody edits what is compiled."""
    made = frames.compiled()
    assert {name: each.html for name, each in mail_frames.frames().items()} == made


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white has 21; the well-known grey that just passes is #767676."""
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#767676", "#ffffff") > 4.5 > contrast("#777777", "#ffffff")


def test_a_value_never_becomes_markup() -> None:
    """A lender's name full of it is shown as it is written, and tears nothing."""
    body = SHIPPED["due_soon"].bodies["en", "email"]
    hostile = '<script>alert("1")</script> & </td>'
    values = next(iter(fixtures(body))) | {"lender": hostile}
    seen = read(render(body, values).html)
    assert not seen.unbalanced
    assert not seen.forbidden
    assert hostile in seen.words


PIECES = st.lists(
    st.sampled_from(
        [
            *(f"(({name}))" for name in VARIABLES),
            *(f"((if {name}))" for name in ("minimum", "debit_at", "link", "items", "name")),
            *("((due|short))", "((overdue_days|days))", "((end))", "a word ", "字，", "\n\n"),
            *("<b>", "&", '"', "{0}", "%s"),
        ]
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=150, deadline=None)
@given(PIECES, st.sampled_from(CHANNELS), st.sampled_from(["en", "zh-CN"]))
def test_what_the_gate_lets_render_renders_with_any_values(
    pieces: list[str], channel: str, locale: str
) -> None:
    """Within the caps of its channel, without a slot left, and its HTML with every tag closed."""
    parts = {"text": "".join(pieces), **({} if channel == "sms" else {"subject": "((lender))"})}
    try:
        template = message.parse({"name": "t", locale: {channel: parts}}, "t", mail_frames.frames())
    except Rejected:
        assume(False)
    body = template.bodies[locale, channel]
    stopped = {"does_not_render", "broken_html"} & {each.code for each in lint(template)}
    torn = any(piece.startswith("((if") for piece in pieces) and "\n\n" in pieces
    assert not stopped or torn
    for values in fixtures(body) if not stopped else ():
        text = render(body, values)
        assert "((" not in f"{text.subject}{text.body}{text.html}"
        assert len(text.body) <= CAPS[channel]
