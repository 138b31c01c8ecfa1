"""Messages: templates in a logic-less form, rendered to the exact text a borrower gets, and the hash of that text.

A template is text with slots `((amount))`, `((due|short))` and conditions `((if minimum)) … ((end))`. There is no
attribute access, no call, no arithmetic and no loop, so a template can neither leak nor fail at the send. Values arrive
typed (`core.variables`), and their type writes them for the locale; authors never format money.
"""

from __future__ import annotations

import hashlib
import html as markup
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from betimes.core import cost, mail, variables, zones
from betimes.core.ageing import Phase
from betimes.core.arrears import spoken_age
from betimes.core.book import Snapshot
from betimes.core.errors import Rejected
from betimes.core.money import Money
from betimes.core.values import dataclass
from betimes.core.variables import STYLES, TABLE, Code, Item, MaskedName, Moment, Phone, ShortLink

__all__ = [
    "CAPS",
    "CHANNELS",
    "SPEAKS",
    "VARIABLES",
    "WITH_SUBJECT",
    "Around",
    "Body",
    "Item",
    "Moment",
    "Template",
    "Text",
    "Value",
    "parse",
    "render",
    "values",
]

VARIABLES = tuple(TABLE)
# Channels that a template may have words for; which of them are used is a treatment's.
CHANNELS: Final = ("email", "sms", "push", "inbox")
# A lender's server that sends on its own ways is given the words of the inbox.
SPEAKS_AS: Final[Mapping[str, str]] = MappingProxyType({"webhook": "inbox"})
# Where a subject is: an e-mail's, what a locked screen shows of a push, the title in the list of an inbox.
WITH_SUBJECT: Final = frozenset({"email", "push", "inbox"})
# What a template speaks of, which says what it has to name (`core.publish`).
SPEAKS: Final = ("reminder", "debit", "overdue", "list")
# The longest text of each channel, in characters, and of the HTML of an e-mail; of a push in bytes.
CAPS: Final[Mapping[str, int]] = MappingProxyType(
    {"sms": 1_600, "push": 4_000, "email": 100_000, "inbox": 100_000}
)
_OPTIONAL = tuple(name for name, each in TABLE.items() if each.optional)
# What is there whenever something else is: the account is named where a debit is announced.
_GOES_WITH = {name: each.goes_with for name, each in TABLE.items() if each.goes_with}
_TOKEN = re.compile(r"\(\(\s*(if\s+)?([a-z_]+)(?:\|([a-z]+))?\s*\)\)")
# A language tag (BCP 47) as it is written: language, script and region, such as zh-CN or zh-Hant-HK.
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_EMAIL = "email"
# From a condition to its end, as `_mark` shows them.
_HIDDEN = re.compile("\x01.*?\x02", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Body:
    """One template for one locale and channel. `subject` is empty where the channel has none, and `html` is of an
    e-mail only; both hold slots as `text` does.
    """

    locale: str
    channel: str
    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """All bodies of one template; `id` is `name@hash` of its content, that of its frame included. `accepted` are
    codes of warnings that publishing gives, each with the reason why they stand.
    """

    id: str
    name: str
    bodies: Mapping[tuple[str, str], Body]
    speaks: str = "reminder"
    accepted: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def body(self, locale: str, channel: str, default_locale: str) -> Body:
        """Return the body for the borrower's locale: exact, else same language, else the default locale.

        Raises:
            KeyError: the template has no body for the channel in the default locale either.
        """
        language = locale.split("-", maxsplit=1)[0]
        channel = SPEAKS_AS.get(channel, channel)
        exact = self.bodies.get((locale, channel))
        same = [
            b
            for (loc, ch), b in self.bodies.items()
            if ch == channel and loc.split("-")[0] == language
        ]
        return exact or (same[0] if same else self.bodies[default_locale, channel])


@dataclass(frozen=True, slots=True)
class Text:
    """What the borrower reads: `html` says the same as `body` and is for e-mail only, "" where there is none."""

    channel: str
    locale: str
    subject: str
    body: str
    html: str = ""

    @property
    def sha256(self) -> str:
        """The hex SHA-256 of channel, locale, subject, body and HTML, where there is one, as canonical JSON: the
        identity of the text.
        """
        html = [self.html] if self.html else []
        canonical = json.dumps(
            [self.channel, self.locale, self.subject, self.body, *html],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


Value = variables.Value | None


@dataclass(frozen=True, slots=True)
class Around:
    """What a message shows beside the facts of a debt: "" or None for what there is not.

    `link` is where the borrower can pay or tell what is the matter, `stop_link` where they choose how we write, `code`
    tells a genuine message: all three or none (`core.links`). `service_phone` is the lender's. `name` is the borrower's
    as the lender told it; one character of it is shown.
    """

    link: ShortLink | None = None
    stop_link: ShortLink | None = None
    code: Code | None = None
    service_phone: Phone | None = None
    name: MaskedName | None = None

    def __post_init__(self) -> None:
        page = (self.link, self.stop_link, self.code)
        assert all(page) or not any(page), "link, stop_link and code come together"


NOTHING_AROUND: Final = Around()


def values(
    snapshot: Snapshot,
    *,
    now: datetime,
    lender: str,
    along: Sequence[Snapshot] | None = None,
    around: Around = NOTHING_AROUND,
) -> dict[str, Value]:
    """Return the typed variables of a message about the snapshot's obligation at the instant `now`.

    `amount` is what is owed then, late interest of that day included, and `as_of` is that day. `overdue_days` are the
    days past due of the debt's age, which knows of pauses and of a re-ageing; 0 until the due date is over. `minimum`
    is what is missing of the minimum payment, None where there is none or it has been met. `instrument` and `debit_at`
    are None without a coming auto-debit, `pay_by` without a deadline that a step has set and that is not over. `items`
    lists this obligation and those `along`, None where none is asked for. `minimum_cost` and `late_cost` are what
    thirty days of paying only the minimum, or nothing, cost at most in interest; None where the product does not say
    (`core.cost`). The rest is what is `around` the message.
    """
    obligation = snapshot.obligation
    today = zones.local_date(now, snapshot.zone)
    age = spoken_age(snapshot, now)
    missing = obligation.minimum_minor - obligation.received_minor
    minimum = (
        Money(missing, obligation.amount.currency)
        if obligation.minimum_minor and missing > 0
        else None
    )
    pay_by, debit_at = obligation.watch.pay_by, _coming_debit(snapshot, now)
    return {
        "lender": lender,
        "amount": snapshot.owed(now),
        "minimum": minimum,
        "due": obligation.due_on,
        "overdue_days": age.dpd if age.phase in (Phase.GRACE, Phase.OVERDUE) else 0,
        "as_of": today,
        "pay_by": pay_by if pay_by is not None and pay_by >= today else None,
        "instrument": snapshot.account.mandate
        if debit_at is not None and snapshot.account is not None
        else None,
        "debit_at": debit_at,
        "items": None
        if along is None
        else tuple(_item(each, now, lender) for each in (snapshot, *along)),
        # Of a list no single figure would be true.
        "minimum_cost": cost.of_minimum(snapshot, now) if minimum and along is None else None,
        "late_cost": cost.of_delay(snapshot, now) if along is None else None,
        "name": around.name,
        "link": around.link,
        "stop_link": around.stop_link,
        "code": around.code,
        "service_phone": around.service_phone,
    }


def _item(snapshot: Snapshot, now: datetime, lender: str) -> Item:
    creditor = variables.clean(snapshot.account.creditor if snapshot.account is not None else "")
    debit_at = _coming_debit(snapshot, now)
    return Item(
        creditor or lender,
        snapshot.owed(now),
        snapshot.obligation.due_on,
        debit_at,
        snapshot.account.mandate if debit_at is not None and snapshot.account is not None else "",
    )


def _coming_debit(snapshot: Snapshot, now: datetime) -> Moment | None:
    """Return the next debit window on the due date, or on the days after it where a debit is tried daily."""
    windows = snapshot.profile.debit.windows
    if not snapshot.has_mandate or not windows:
        return None
    today = zones.local_date(now, snapshot.zone)
    on = snapshot.obligation.due_on
    if on < today:
        if not snapshot.profile.debit.again_daily:
            return None
        on = today
    for day in (on, on + timedelta(days=1)):
        for at in windows:
            if zones.instant(day, at, snapshot.zone) > now:
                return Moment(day, at, today)
        if not snapshot.profile.debit.again_daily:
            return None
    return None


def render(body: Body, known: Mapping[str, Value]) -> Text:
    """Return the text of `body` with the variables in it; what is optional may be left out of `known`.

    In the HTML of an e-mail each value is escaped.

    Raises:
        AssertionError: a slot is left empty or unknown, or the text is longer than its channel takes (`CAPS`);
            publishing a template rules both out.
    """
    text = Text(
        body.channel,
        body.locale,
        _fill(body.subject, body, known),
        _fill(body.text, body, known),
        _fill(body.html, body, known, escape=True) if body.html else "",
    )
    most = CAPS[body.channel]
    size = len(text.body.encode()) if body.channel == "push" else len(text.body)
    assert max(size, len(text.html.encode())) <= most, f"{body.channel} takes {most} at most"
    return text


def _fill(text: str, body: Body, known: Mapping[str, Value], *, escape: bool = False) -> str:
    out: list[str] = []
    shown = True
    for before, condition, name, style in _tokens(text):
        if shown:
            out.append(before)
        if condition:
            shown = known.get(name) is not None
        elif name in ("", "end"):
            shown = True
        elif shown:
            value = known.get(name)
            assert value is not None, f"(({name})) has no value"
            said = variables.written(value, body.locale, body.channel, style)
            out.append(markup.escape(said).replace("\n", "<br>") if escape else said)
    return "".join(out)


# Remembered: few templates, very many messages.
@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[tuple[str, bool, str, str], ...]:
    """Return each slot or condition of a template's text: the words before it, whether it is a condition, its name, and
    its style; name and style are "" at the end of the text.
    """
    found, end = [], 0
    for token in _TOKEN.finditer(text):
        found.append((text[end : token.start()], bool(token[1]), token[2], token[3] or ""))
        end = token.end()
    return (*found, (text[end:], False, "", ""))


def parse(
    document: Mapping[str, Any],
    source: str,
    frames: Mapping[str, mail.Frame] = MappingProxyType({}),
) -> Template:
    """Return the template in a parsed TOML document; `source` names the file in errors.

    The document holds `name`, what it `speaks` of, why warnings of publishing are `accepted`, and tables
    `[<locale>.<channel>]` with `text` and, where the channel has one, `subject`; an e-mail also with the `facts` that
    its HTML lists. An e-mail in a language that has a frame gets HTML, and the frame's foot under its text.

    Raises:
        Rejected: code "bad_template", when a slot is unknown or asks for a style its type has not, an `if` is not
        closed
            or not over an optional variable, an optional variable is used outside its `if`, a key, locale or channel is
            unknown, or a subject is missing or shown nowhere. The message names file, table, line and construct.
    """
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise _bad(source, "name", "is missing: give it the name of the file")
    speaks = document.get("speaks", "reminder")
    if speaks not in SPEAKS:
        raise _bad(source, "speaks", f"is not one of {', '.join(SPEAKS)}: choose one")
    bodies = {}
    for locale, channels in document.items():
        if locale in ("name", "speaks", "accepted"):
            continue
        if not isinstance(channels, Mapping):
            raise _bad(source, locale, "is unknown: a template has a name and texts, [zh-CN.sms]")
        if not _LOCALE.fullmatch(locale):
            raise _bad(source, locale, "is no language tag: write it as zh-CN, en or zh-Hant-HK")
        for channel, parts in channels.items():
            bodies[locale, channel] = _body(
                locale, channel, parts, f"{source} [{locale}.{channel}]", frames.get(locale)
            )
    # Everything that a borrower may read is in it, also what comes from the frame.
    framed = [[each.text, each.html] for each in bodies.values() if each.html]
    whole = [document, framed] if framed else document
    canonical = json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()
    return Template(
        f"{name}@{hashlib.sha256(canonical).hexdigest()[:12]}",
        name,
        bodies,
        speaks,
        _accepted(document.get("accepted", {}), source),
    )


def _accepted(reasons: object, source: str) -> Mapping[str, str]:
    if not isinstance(reasons, Mapping) or not all(
        isinstance(each, str) and each.strip() for each in reasons.values()
    ):
        raise _bad(source, "accepted", "gives no reason: write why behind each code, in quotes")
    return MappingProxyType(dict(reasons))


def _body(locale: str, channel: str, parts: object, place: str, frame: mail.Frame | None) -> Body:
    if channel not in CHANNELS:
        raise _bad(place, channel, f"is no channel: use one of {', '.join(CHANNELS)}")
    if not isinstance(parts, Mapping):
        raise _bad(place, channel, "is not a table: write its text under the heading")
    known = {"subject", "text"} | ({"facts"} if channel == _EMAIL else set())
    for key in sorted(set(parts) - known):
        raise _bad(place, key, f"is unknown: there are {' and '.join(sorted(known))}")
    for key in sorted(set(parts) - {"facts"}):
        if not isinstance(parts[key], str):
            raise _bad(place, key, "is no text: write it in quotes")
    subject, text = parts.get("subject", ""), parts.get("text", "")
    if not text.strip():
        raise _bad(place, "text", "is empty: write what the borrower reads")
    if "\n" in subject or "\r" in subject:
        raise _bad(place, "subject", "has more than one line: keep it on one")
    if channel in WITH_SUBJECT and not subject.strip():
        what = "an e-mail" if channel == _EMAIL else f"{channel}"
        raise _bad(place, "subject", f"is missing: {what} needs one")
    if channel not in WITH_SUBJECT and "subject" in parts:
        raise _bad(place, "subject", f"is shown nowhere: leave it out for {channel}")
    _check(subject, place)
    _check(text, place)
    html = ""
    facts = _facts(parts.get("facts", []), place)
    if channel == _EMAIL and frame is not None:
        html = mail.composed(frame, subject, text, facts)
        _check(html, f"{place} in packs/mail")
        text = mail.footed(frame, text)
        _check(text, f"{place} in packs/mail")
    return Body(locale, channel, subject, text, html)


def _facts(names: object, place: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _bad(place, "facts", 'is no list of variables: write it as ["amount", "due"]')
    for name in names:
        if name not in mail.FACTS:
            raise _bad(place, name, f"is not listed as a fact: use {', '.join(mail.FACTS)}")
    return tuple(names)


_ANY_SLOT = re.compile(r"\(\((.*?)\)\)", re.DOTALL)


def _check(text: str, place: str) -> None:
    inside = ""
    for token in _TOKEN.finditer(text):
        condition, name, style = token.groups()
        where = f"{place} line {text.count(chr(10), 0, token.start()) + 1}"
        if condition:
            if name not in _OPTIONAL or inside or style:
                raise _bad(
                    where,
                    name,
                    f"cannot be a condition here: use {', '.join(_OPTIONAL)}, not inside another",
                )
            inside = name
        elif name == "end":
            if not inside or style:
                raise _bad(where, name, "closes nothing: write ((if …)) before it, or leave it out")
            inside = ""
        elif name not in VARIABLES:
            raise _bad(where, name, f"is not a variable of a message: use {', '.join(VARIABLES)}")
        elif name in _OPTIONAL and inside not in (name, _GOES_WITH.get(name)):
            raise _bad(where, name, f"may be missing: use it inside ((if {name}))")
        elif style and style not in STYLES.get(TABLE[name].kind, ()):
            known = ", ".join(STYLES.get(TABLE[name].kind, ())) or "none"
            raise _bad(where, f"{name}|{style}", f"is no style of {name}: there is {known}")
    if inside:
        raise _bad(place, inside, "opens a condition that is not closed: write ((end)) behind it")
    # What is left is text in its own right, also where what stands under a condition is hidden.
    for rest in (_TOKEN.sub("", text), _HIDDEN.sub("", _TOKEN.sub(_mark, text))):
        if "((" in rest or "))" in rest:
            raise _bad_slot(text, place)


def _bad_slot(text: str, place: str) -> Rejected:
    """Return the refusal of what is written as a slot and is none, by its line and its construct."""
    for slot in _ANY_SLOT.finditer(text):
        if not _TOKEN.fullmatch(slot[0]):
            line = text.count("\n", 0, slot.start()) + 1
            shown = slot[0] if len(slot[0]) <= 40 else f"{slot[0][:40]}…"
            return _bad(
                f"{place} line {line}", shown, f"{_construct(slot[1])}: write it as ((amount))"
            )
    return _bad(place, "((", "has a slot of the wrong form: write it as ((amount))")


def _construct(inner: str) -> str:
    for sign, what in (
        ("(", "is a call, and templates call nothing"),
        (".", "reaches into a value, and templates read none but whole variables"),
        ("[", "reaches into a value, and templates read none but whole variables"),
        ("|", "has a filter or style of the wrong form"),
    ):
        if sign in inner:
            return what
    return "is a slot of the wrong form"


def _mark(token: re.Match[str]) -> str:
    condition, name, _ = token.groups()
    return "\x01" if condition else "\x02" if name == "end" else "\x00"


def _bad(place: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_template", key, f"{place}: {key!r} {problem}")
