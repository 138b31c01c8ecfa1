"""The gate of publishing: what would be wrong with the messages of a template, found before anybody gets one.

Every body is rendered with each of its conditions shown and hidden, over values at the edges. What is refused when a
template is read (`core.message.parse`) is not asked again here; what a law requires of it is `betimes check`'s.

Errors block. A warning stands where the template says why it is accepted.

Source: WCAG 2.2, 1.1.1 (alternative text), 1.3.1 (tables), 1.4.3 (contrast 4.5), 2.4.4 (worded links), 3.1.1
(language); public template rules of Chinese carriers' gateways (signature, signs, variables, addresses).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import product
from typing import Final
from urllib.parse import urlsplit

from betimes.core import sms_parts, wording
from betimes.core.mail_markup import Markup, read
from betimes.core.message import CAPS, Body, Template, Text, Value, render
from betimes.core.money import Money
from betimes.core.rule import Purpose, Rule, Stage
from betimes.core.values import dataclass
from betimes.core.variables import (
    TABLE,
    Code,
    Item,
    Kind,
    MaskedName,
    Moment,
    Phone,
    ShortLink,
)

MAX_SUBJECT: Final = 78
MAX_LOCK: Final = 40
# Parts of a text message with values of usual size, and with those at the edges.
MAX_PARTS: Final = 3
MOST_PARTS: Final = 10
MIN_CONTRAST: Final = Decimal("4.5")
# What a template has to name, by what it speaks of; what may be missing stands in its condition.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "reminder": ("lender", "amount", "due"),
    "debit": ("lender", "amount", "due", "debit_at", "instrument"),
    "overdue": ("lender", "amount", "due", "overdue_days"),
    "list": ("lender", "items"),
}
# Phrases of which one has to stand outside of conditions, by language: nobody sees a payment that has not arrived, and
# whoever cannot pay needs to know that talking helps.
PAID: Final = {
    "zh": ("已还款请忽略", "已还款，请忽略"),
    "en": ("paid, please ignore",),
}
HELP: Final = {"zh": ("联系",), "en": ("contact", "talk to")}
_STAGES: Final = {
    "reminder": (Stage.PRE_DUE,),
    "debit": (Stage.PRE_DUE, Stage.DUE_DAY),
    "overdue": (Stage.OVERDUE,),
    "list": (Stage.PRE_DUE, Stage.DUE_DAY, Stage.GRACE, Stage.OVERDUE),
}
# A template's signature, and signs that mainland gateways turn away.
_SIGNATURE: Final = re.compile(r"【\(\(\s*lender\s*\)\)】")
_TURNED_AWAY: Final = "¥￥【】★^_&"
_SLOT: Final = re.compile(r"\(\(\s*(if\s+)?([a-z_]+)(?:\|[a-z]+)?\s*\)\)")
_CONDITIONAL: Final = re.compile(r"\(\(\s*if\s+[a-z_]+\s*\)\).*?\(\(\s*end\s*\)\)", re.DOTALL)
_ADDRESS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)[^\s\"'<>，。）]+", re.IGNORECASE)
_TODAY: Final = date(2026, 12, 9)


class Level(StrEnum):
    """Whether a finding blocks, or may stand with a reason."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: a code, where, a sentence, and the way out."""

    code: str
    place: str
    sentence: str
    fix: str
    level: Level = Level.ERROR


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text message of a template gets: the alphabet, and the parts with usual values and at the edges."""

    place: str
    alphabet: str
    usual: int
    most: int


def lint(
    template: Template,
    rules: Iterable[Rule] = (),
    on: date = date(2026, 1, 1),
    *,
    hosts: Sequence[str] = (),
    default_locale: str = "zh-CN",
    lender: str = "",
) -> tuple[Finding, ...]:
    """Return what is wrong with a template, in the order of its bodies; empty where it may be published.

    Content `rules` in force `on` that day say which words are banned; `hosts` are those an address in a text may lead
    to. Names at the edges are those of this module, and `lender` beside them, where one is given.
    """
    known = tuple(rules)
    found = [*_languages(template, default_locale)]
    for body in template.bodies.values():
        found += _body(template, body, known, on, hosts, lender)
    return tuple(dict.fromkeys(found))


def blocking(template: Template, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that keep a template from being published: errors, and warnings without a reason."""
    return tuple(
        each
        for each in findings
        if each.level is Level.ERROR or not template.accepted.get(each.code)
    )


def lengths(template: Template) -> tuple[Length, ...]:
    """Return how long each text message of a template gets, whatever its conditions show."""
    found = []
    for body in template.bodies.values():
        if body.channel != "sms":
            continue
        counted = [
            [sms_parts.parts(render(body, each).body) for each in values]
            for values in ([*_usual(body)], [*fixtures(body)])
        ]
        usual, most = (max(len(each.lengths) for each in of) for of in counted)
        found.append(Length(_place(template, body), counted[1][0].alphabet, usual, most))
    return tuple(found)


# Values at the edges


def fixtures(body: Body, lender: str = "") -> Iterator[dict[str, Value]]:
    """Yield the values that a body is rendered with: each of its conditions shown and hidden, with 0, 1, 2 and 31 days,
    the least and a large amount, short and long names.
    """
    chinese = body.locale.startswith("zh")
    long = lender or ("示例消费金融股份有限公司" if chinese else "Example Finance Co")
    creditor = "示例" * 15 if chinese else "The First Consolidated Savings Bank of the North"
    edges = (
        (0, 1, "A", 1),
        (1, 999_999_999, long, 2),
        (2, 123_450, long, 1),
        (31, 999_999_999, long, 2),
    )
    for hidden in _hidden(body):
        for days, minor, name, count in edges:
            yield _values(days, minor, name, creditor, count, hidden)


def _usual(body: Body) -> Iterator[dict[str, Value]]:
    chinese = body.locale.startswith("zh")
    lender, creditor = ("示例金融", "示例银行") if chinese else ("Example Bank", "Example Bank")
    for hidden in _hidden(body):
        yield _values(15, 123_450, lender, creditor, 2, hidden)


def _hidden(body: Body) -> Iterator[frozenset[str]]:
    named = f"{body.subject}{body.text}{body.html}"
    conditions = sorted({name for condition, name in _SLOT.findall(named) if condition})
    for chosen in product((False, True), repeat=len(conditions)):
        yield frozenset(
            name for name, is_hidden in zip(conditions, chosen, strict=True) if is_hidden
        )


def _values(
    days: int, minor: int, lender: str, creditor: str, count: int, hidden: frozenset[str]
) -> dict[str, Value]:
    amount, due = Money(minor, "CNY"), _TODAY - timedelta(days=days)
    debit_at = Moment(_TODAY + timedelta(days=min(days, 2)), time(23, 30), _TODAY)
    items = tuple(Item(creditor, amount, due, debit_at, "8821") for _ in range(count))
    known: dict[str, Value] = {
        "lender": lender,
        "amount": amount,
        "minimum": amount,
        "due": due,
        "overdue_days": days,
        "as_of": _TODAY,
        "pay_by": _TODAY + timedelta(days=14),
        "instrument": "8821",
        "debit_at": debit_at,
        "items": items,
        "name": MaskedName("王"),
        "minimum_cost": amount,
        "late_cost": amount,
        "link": ShortLink(f"https://example.com/p/{'x' * 80}"),
        "stop_link": ShortLink(f"https://example.com/s/{'x' * 80}"),
        "code": Code("7KQ2-M9XD"),
        "service_phone": Phone("400-000-0000"),
    }
    for name in hidden:
        known[name] = None
        known |= {each: None for each, of in TABLE.items() if of.goes_with == name}
    return known


# The checks


def _languages(template: Template, default_locale: str) -> Iterator[Finding]:
    channels = {channel for _, channel in template.bodies}
    locales = {locale for locale, _ in template.bodies}
    for channel, locale in product(sorted(channels), sorted(locales | {default_locale})):
        if (locale, channel) in template.bodies:
            continue
        default = locale == default_locale
        yield Finding(
            "missing_language",
            f"{template.name} [{locale}.{channel}]",
            f"there is no text for {channel} in {locale}, so "
            + ("nobody can fall back to it" if default else f"{default_locale} is sent instead"),
            f"write [{locale}.{channel}]",
            Level.ERROR if default else Level.WARNING,
        )


def _body(
    template: Template,
    body: Body,
    rules: Sequence[Rule],
    on: date,
    hosts: Sequence[str],
    lender: str,
) -> Iterator[Finding]:
    place = _place(template, body)
    yield from _characters(body, place)
    yield from _facts(template, body, place)
    yield from _words(template, body, rules, on, place)
    yield from _addresses(body, hosts, place)
    try:
        texts = [render(body, values) for values in fixtures(body, lender)]
    except AssertionError as error:
        yield Finding("does_not_render", place, f"a text cannot be made: {error}", "shorten it")
        return
    yield from _sizes(body, texts, place)
    match body.channel:
        case "sms":
            yield from _sms(body, texts, place)
        case "email":
            yield from _mail(body, texts, hosts, place)
        case _:
            pass


def _place(template: Template, body: Body) -> str:
    return f"{template.name} [{body.locale}.{body.channel}]"


def _characters(body: Body, place: str) -> Iterator[Finding]:
    for part, text in (("subject", body.subject), ("text", body.text)):
        for number, line in enumerate(text.split("\n"), start=1):
            for character in line:
                if unicodedata.category(character)[0] == "C":
                    yield Finding(
                        "unseen_character",
                        place,
                        f"line {number} of {part} has U+{ord(character):04X}, which nobody sees",
                        "take it out",
                    )


def _facts(template: Template, body: Body, place: str) -> Iterator[Finding]:
    whole = f"{body.subject}\n{body.text}"
    always = wording.fields_of(_CONDITIONAL.sub("", whole))
    for name in REQUIRED[template.speaks]:
        shown = wording.fields_of(whole) if TABLE[name].optional else always
        if name not in shown:
            yield Finding(
                "missing_fact",
                place,
                f"a text that speaks of {template.speaks} has to name {name}",
                f"write (({name})) into it"
                + (f", inside ((if {name}))" if TABLE[name].optional else ""),
            )
        if body.html and name not in wording.fields_of(body.html):
            yield Finding(
                "missing_fact", place, f"the HTML does not name {name}", f'add "{name}" to facts'
            )
    language = body.locale.split("-", maxsplit=1)[0]
    plain = _CONDITIONAL.sub("", body.text)
    asked: list[tuple[str, Mapping[str, tuple[str, ...]], str]] = [
        ("missing_paid", PAID, "what to do where it has been paid")
    ]
    if body.channel != "sms":
        asked.append(("missing_help", HELP, "that talking helps where paying is difficult"))
    for code, phrases, what in asked:
        if language not in phrases:
            yield Finding(
                "unknown_words",
                place,
                f"nobody has said which words of {language} say {what}",
                "let a person read it, and accept this with their name",
                Level.WARNING,
            )
        elif not any(phrase in plain for phrase in phrases[language]):
            yield Finding(code, place, f"it does not say {what}", f"say {phrases[language][0]!r}")


def _words(
    template: Template, body: Body, rules: Sequence[Rule], on: date, place: str
) -> Iterator[Finding]:
    shown = [body.text]
    if body.html:
        shown.append(html.unescape(re.sub(r"<[^>]*>", "\n", _visible(body.html))))
    for stage, text in product(_STAGES[template.speaks], shown):
        said = wording.Wording(
            text,
            body.locale,
            stage,
            Purpose.COURTESY,
            body.channel,
            body.subject,
            wording.preview_of(body.channel, body.text),
        )
        for each in wording.lint(said, rules, on):
            # Words that one jurisdiction requires are not required everywhere: `betimes check` asks for them.
            if each.place and each.binds:
                private = each.rule_id == wording.PRIVATE_RULE
                code = "private" if private else "banned_words"
                yield Finding(code, f"{place} {each.place}", each.message, f"see {each.rule_id}")


def _visible(markup: str) -> str:
    without = re.sub(r"<!--.*?-->", "", markup, flags=re.DOTALL)
    return re.sub(r"<(style|title|head)\b.*?</\1>", "", without, flags=re.DOTALL)


def _addresses(body: Body, hosts: Sequence[str], place: str) -> Iterator[Finding]:
    for address in _ADDRESS.findall(body.subject + "\n" + body.text):
        parts = urlsplit(address)
        if parts.scheme != "https" or parts.hostname not in hosts:
            yield Finding(
                "foreign_link",
                place,
                f"{address} is not https on a host of ours",
                f"use ((link)), or one of {', '.join(hosts) or 'no address at all'}",
            )


def _sizes(body: Body, texts: Sequence[Text], place: str) -> Iterator[Finding]:
    subject = max((each.subject for each in texts), key=len)
    if len(subject) > MAX_SUBJECT and body.channel != "push":
        yield Finding(
            "long_subject", place, f"{len(subject)} characters: {subject}", f"at most {MAX_SUBJECT}"
        )
    if body.channel == "push" and len(subject) > MAX_LOCK:
        yield Finding(
            "long_lock_text", place, f"{len(subject)} characters: {subject}", f"at most {MAX_LOCK}"
        )
    if body.channel == "push":
        size = max(len(each.body.encode()) for each in texts)
        # Half of it is left for what the app is told beside the text.
        if size > CAPS["push"] // 2:
            yield Finding("long_push", place, f"{size} bytes", f"at most {CAPS['push'] // 2}")


def _sms(body: Body, texts: Sequence[Text], place: str) -> Iterator[Finding]:
    usual = max(len(sms_parts.parts(render(body, each).body).lengths) for each in _usual(body))
    most = max(len(sms_parts.parts(each.body).lengths) for each in texts)
    if most > MOST_PARTS:
        yield Finding(
            "oversized_sms", place, f"it takes up to {most} parts", f"at most {MOST_PARTS}"
        )
    if usual > MAX_PARTS:
        yield Finding(
            "long_sms",
            place,
            f"with usual values it takes {usual} parts, each of which is paid for",
            f"shorten it to {MAX_PARTS}, or accept it with a reason",
            Level.WARNING,
        )
    for sign in sorted(set(body.text)):
        if sms_parts.folded(sign) != sign and sms_parts.is_gsm7(sms_parts.folded(body.text)):
            yield Finding(
                "costly_sign",
                place,
                f"{sign!r} makes each part hold 67 characters in place of 153",
                f"write {sms_parts.folded(sign)!r}",
            )
    if body.locale in ("zh", "zh-CN") or body.locale.startswith("zh-Hans"):
        yield from _mainland(body, place)


def _mainland(body: Body, place: str) -> Iterator[Finding]:
    signatures = _SIGNATURE.findall(body.text)
    if len(signatures) != 1 or not _SIGNATURE.match(body.text):
        yield Finding(
            "bad_signature",
            place,
            "a text message begins with its signature, once",
            "begin with 【((lender))】",
        )
    words = _SLOT.sub("\x00", _SIGNATURE.sub("", body.text))
    for sign in _TURNED_AWAY:
        if sign in words:
            yield Finding("bad_sign", place, f"{sign!r} is turned away by gateways", "leave it out")
    slots = _SLOT.sub(lambda each: "" if each[1] or each[2] == "end" else "\x00", body.text)
    if re.search("\x00\\s*\x00", slots):
        yield Finding(
            "adjacent_variables", place, "two variables touch", "write a word between them"
        )
    if not re.sub(r"[\x00\s【】\W]", "", slots):
        yield Finding("only_variables", place, "it has no words of its own", "write some")
    if any(TABLE[name].kind is Kind.LINK for name in wording.fields_of(body.text)):
        yield Finding(
            "variable_link", place, "a changing address is turned away", "leave the link out"
        )


def _mail(body: Body, texts: Sequence[Text], hosts: Sequence[str], place: str) -> Iterator[Finding]:
    if not body.html:
        yield Finding(
            "no_html", place, "there is no frame for its language", "add it to packs/mail"
        )
        return
    if "stop_link" not in wording.fields_of(body.text) & wording.fields_of(body.html):
        yield Finding(
            "no_way_out",
            place,
            "whoever gets a reminder can choose how we write",
            "put ((stop_link)) into the text and the HTML",
        )
    # Once as it is written, slots and all; and as it is read, each variant.
    yield from _markup(body, read(body.html), hosts, place)
    for each in dict.fromkeys(_shapes(texts)):
        problem = read(each).unbalanced
        if problem:
            yield Finding("broken_html", place, f"{problem} in a variant", "close what you open")
            return


def _shapes(texts: Sequence[Text]) -> Iterator[str]:
    """Yield one text of each shape, with every condition shown, with each hidden, and with all hidden."""
    by_size = sorted({len(each.html): each.html for each in texts}.items())
    step = max(1, len(by_size) // 8)
    yield from (markup for _, markup in (*by_size[::step], by_size[-1]))


def _markup(body: Body, seen: Markup, hosts: Sequence[str], place: str) -> Iterator[Finding]:
    if seen.language != body.locale:
        yield Finding(
            "wrong_language", place, f"lang is {seen.language!r}", f"write lang={body.locale!r}"
        )
    if not seen.title.strip():
        yield Finding("no_title", place, "the document has no title", "give it one")
    if seen.tables:
        yield Finding(
            "layout_table",
            place,
            f"{seen.tables} tables without a role or heads of rows",
            'write role="presentation", or th with a scope',
        )
    for image in seen.images:
        if image.alt is None:
            yield Finding(
                "missing_alt", place, "an image has no alternative text", 'write alt="" or words'
            )
        if urlsplit(image.source).scheme != "https" or urlsplit(image.source).hostname not in hosts:
            yield Finding(
                "foreign_resource", place, "an image is read from elsewhere", "use a host of ours"
            )
    for tag in seen.forbidden:
        yield Finding("foreign_resource", place, f"<{tag}> is not for e-mails", "take it out")
    for link in seen.links:
        slot = _SLOT.fullmatch(link.address)
        name = slot[2] if slot and not slot[1] else ""
        known = name in TABLE and TABLE[name].kind is Kind.LINK
        parts = urlsplit(link.address)
        if not known and (parts.scheme != "https" or parts.hostname not in hosts):
            yield Finding(
                "foreign_link", place, "a link leads elsewhere", "use ((link)) or ((stop_link))"
            )
        if not _SLOT.sub("", link.words).strip() or _ADDRESS.search(link.words):
            yield Finding("unworded_link", place, "a link says not where it leads", "give it words")
    for name in seen.attributes_with_slots:
        yield Finding(
            "slot_in_attribute", place, f"{name} holds a slot", "only the href of a link may be one"
        )
    for pair, ratio in seen.contrasts.items():
        if ratio < MIN_CONTRAST:
            yield Finding(
                "low_contrast",
                place,
                f"{pair[0]} on {pair[1]} has {ratio:.2f}",
                f"choose colours of {MIN_CONTRAST} or more",
            )
    if len(seen.words) < 40:
        yield Finding("only_images", place, "hardly a word can be read", "write the text as text")
