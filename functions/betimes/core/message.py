"""Messages: templates in a logic-less form, rendered to the exact text a borrower gets, and the hash of that text.

A template is text with slots `((amount))` and conditions `((if minimum)) … ((end))`. There is no attribute access, no
call, no arithmetic and no loop, so a template can neither leak nor fail at the send. Values arrive typed (money,
dates), and their type formats them for the locale; authors never format money.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from betimes.core.book import Snapshot
from betimes.core.errors import Rejected
from betimes.core.money import Money

VARIABLES = ("lender", "amount", "minimum", "due", "overdue_days")
_OPTIONAL = ("minimum",)
_TOKEN = re.compile(r"\(\(\s*(if\s+)?([a-z_]+)\s*\)\)")
# From a condition to its end, as `_mark` shows them.
_HIDDEN = re.compile("\x01.*?\x02", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Body:
    """One template for one locale and channel. `subject` is empty where the channel has none."""

    locale: str
    channel: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """All bodies of one template; `id` is `name@hash` of its content."""

    id: str
    name: str
    bodies: Mapping[tuple[str, str], Body]

    def body(self, locale: str, channel: str, default_locale: str) -> Body:
        """Return the body for the borrower's locale: exact, else same language, else the default locale.

        Raises:
            KeyError: the template has no body for the channel in the default locale either.
        """
        language = locale.split("-", maxsplit=1)[0]
        exact = self.bodies.get((locale, channel))
        same = [
            b
            for (loc, ch), b in self.bodies.items()
            if ch == channel and loc.split("-")[0] == language
        ]
        return exact or (same[0] if same else self.bodies[default_locale, channel])


@dataclass(frozen=True, slots=True)
class Text:
    """What the borrower reads."""

    channel: str
    locale: str
    subject: str
    body: str

    @property
    def sha256(self) -> str:
        """The hex SHA-256 of channel, locale, subject and body as canonical JSON: the identity of the text."""
        canonical = json.dumps(
            [self.channel, self.locale, self.subject, self.body],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


def values(
    snapshot: Snapshot, *, today: date, lender: str
) -> dict[str, Money | date | int | str | None]:
    """Return the typed variables of a message about the snapshot's obligation.

    `overdue_days` is 0 until the due date is over. `minimum` is what is missing of the minimum payment, None where
    there is none or it has been met.
    """
    obligation = snapshot.obligation
    missing = obligation.minimum_minor - obligation.paid_minor
    return {
        "lender": lender,
        "amount": obligation.outstanding,
        "minimum": Money(missing, obligation.amount.currency)
        if obligation.minimum_minor and missing > 0
        else None,
        "due": obligation.due_on,
        "overdue_days": max(0, (today - obligation.due_on).days),
    }


def render(body: Body, variables: Mapping[str, Money | date | int | str | None]) -> Text:
    """Return the text of `body` with the variables in it.

    Raises:
        AssertionError: a slot is left empty or unknown; publishing a template rules that out.
    """
    return Text(
        body.channel,
        body.locale,
        _fill(body.subject, body.locale, variables),
        _fill(body.text, body.locale, variables),
    )


def _fill(text: str, locale: str, variables: Mapping[str, Money | date | int | str | None]) -> str:
    out: list[str] = []
    shown, end = True, 0
    for token in _TOKEN.finditer(text):
        if shown:
            out.append(text[end : token.start()])
        end = token.end()
        condition, name = token.groups()
        if condition:
            shown = variables[name] is not None
        elif name == "end":
            shown = True
        elif shown:
            value = variables[name]
            assert value is not None, f"(({name})) has no value"
            out.append(_format(value, locale))
    if shown:
        out.append(text[end:])
    return "".join(out)


_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def _format(value: Money | date | int | str, locale: str) -> str:
    chinese = locale.startswith("zh")
    match value:
        case Money(_, "CNY") if chinese:
            return f"{value.decimal()}元"
        case Money():
            return f"{value.currency} {value.decimal()}"
        case date() if chinese:
            return f"{value.year}年{value.month}月{value.day}日"
        case date():
            return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
        case _:
            return str(value)


def parse(document: Mapping[str, Any], source: str) -> Template:
    """Return the template in a parsed TOML document; `source` names the file in errors.

    The document holds `name` and tables `[<locale>.<channel>]` with `text` and, for e-mail, `subject`.

    Raises:
        Rejected: code "bad_template", when a slot is unknown, an `if` is not closed or not over an optional variable,
        an
            optional variable is used outside its `if`, or a key is unknown.
    """
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise _bad(source, "name", "is missing")
    bodies = {}
    for locale, channels in document.items():
        if locale == "name":
            continue
        if not isinstance(channels, Mapping):
            raise _bad(source, locale, "is unknown")
        for channel, parts in channels.items():
            place = f"{source} [{locale}.{channel}]"
            if not isinstance(parts, Mapping):
                raise _bad(place, channel, "is not a table")
            for key in sorted(set(parts) - {"subject", "text"}):
                raise _bad(place, key, "is unknown")
            for key in sorted(parts):
                if not isinstance(parts[key], str):
                    raise _bad(place, key, "is no text")
            body = Body(locale, channel, parts.get("subject", ""), parts.get("text", ""))
            if not body.text:
                raise _bad(place, "text", "is empty")
            if "\n" in body.subject or "\r" in body.subject:
                raise _bad(place, "subject", "has more than one line")
            _check(body.subject, place)
            _check(body.text, place)
            bodies[locale, channel] = body
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    return Template(f"{name}@{hashlib.sha256(canonical).hexdigest()[:12]}", name, bodies)


def _check(text: str, place: str) -> None:
    inside = ""
    for token in _TOKEN.finditer(text):
        condition, name = token.groups()
        if condition:
            if name not in _OPTIONAL or inside:
                raise _bad(place, name, "cannot be a condition here")
            inside = name
        elif name == "end":
            if not inside:
                raise _bad(place, name, "closes nothing")
            inside = ""
        elif name not in VARIABLES:
            raise _bad(place, name, "is not a variable of a message")
        elif name in _OPTIONAL and inside != name:
            raise _bad(place, name, f"may be missing: use it inside ((if {name}))")
    if inside:
        raise _bad(place, inside, "opens a condition that is not closed")
    # What is left is text in its own right, also where what stands under a condition is hidden.
    for rest in (_TOKEN.sub("", text), _HIDDEN.sub("", _TOKEN.sub(_mark, text))):
        if "((" in rest or "))" in rest:
            raise _bad(place, "((", "has a slot of the wrong form")


def _mark(token: re.Match[str]) -> str:
    condition, name = token.groups()
    return "\x01" if condition else "\x02" if name == "end" else "\x00"


def _bad(place: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_template", key, f"{place}: {key!r} {problem}")
