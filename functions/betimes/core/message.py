"""Messages: templates in a logic-less form, rendered to the exact text a borrower gets, and the hash of that text.

A template is text with slots `((amount))` and conditions `((if minimum)) … ((end))`. There is no attribute access, no
call, no arithmetic and no loop, so a template can neither leak nor fail at the send. Values arrive typed (money,
dates), and their type formats them for the locale; authors never format money.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from betimes.core import zones
from betimes.core.ageing import Phase
from betimes.core.arrears import spoken_age
from betimes.core.book import Snapshot
from betimes.core.errors import Rejected
from betimes.core.money import Money
from betimes.core.treatment import CHANNELS
from betimes.core.values import dataclass

VARIABLES = (
    "lender",
    "amount",
    "minimum",
    "due",
    "overdue_days",
    "as_of",
    "pay_by",
    "instrument",
    "debit_at",
    "items",
)
_OPTIONAL = ("minimum", "pay_by", "instrument", "debit_at", "items")
# What is there whenever something else is: the account is named where a debit is announced.
_GOES_WITH = {"instrument": "debit_at"}
_TOKEN = re.compile(r"\(\(\s*(if\s+)?([a-z_]+)\s*\)\)")
# A language tag (BCP 47) as it is written: language, script and region, such as zh-CN or zh-Hant-HK.
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_EMAIL = "email"
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


@dataclass(frozen=True, slots=True)
class Moment:
    """A local date and time as a borrower reads it on the civil date `today`: "11:30 tomorrow"."""

    on: date
    at: time
    today: date


@dataclass(frozen=True, slots=True)
class Item:
    """One of several amounts in one message: to whom it is owed, how much, and until when; and by when it must be in
    which account, where it will be debited.
    """

    creditor: str
    amount: Money
    due_on: date
    debit_at: Moment | None = None
    instrument: str = ""


Value = Money | date | int | str | Moment | tuple[Item, ...] | None


def values(
    snapshot: Snapshot, *, now: datetime, lender: str, along: Sequence[Snapshot] | None = None
) -> dict[str, Value]:
    """Return the typed variables of a message about the snapshot's obligation at the instant `now`.

    `amount` is what is owed then, late interest of that day included, and `as_of` is that day. `overdue_days` are the
    days past due of the debt's age, which knows of pauses and of a re-ageing; 0 until the due date is over. `minimum`
    is what is missing of the minimum payment, None where there is none or it has been met. `instrument` and `debit_at`
    are None without a coming auto-debit, `pay_by` without a deadline that a step has set and that is not over. `items`
    lists this obligation and those `along`, None where none is asked for.
    """
    obligation = snapshot.obligation
    today = zones.local_date(now, snapshot.zone)
    age = spoken_age(snapshot, now)
    missing = obligation.minimum_minor - obligation.received_minor
    pay_by, debit_at = obligation.watch.pay_by, _coming_debit(snapshot, now)
    return {
        "lender": lender,
        "amount": snapshot.owed(now),
        "minimum": Money(missing, obligation.amount.currency)
        if obligation.minimum_minor and missing > 0
        else None,
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
    }


def _item(snapshot: Snapshot, now: datetime, lender: str) -> Item:
    creditor = snapshot.account.creditor if snapshot.account is not None else ""
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


def render(body: Body, variables: Mapping[str, Value]) -> Text:
    """Return the text of `body` with the variables in it.

    Raises:
        AssertionError: a slot is left empty or unknown; publishing a template rules that out.
    """
    return Text(
        body.channel,
        body.locale,
        _fill(body.subject, body, variables),
        _fill(body.text, body, variables),
    )


def _fill(text: str, body: Body, variables: Mapping[str, Value]) -> str:
    out: list[str] = []
    shown = True
    for before, condition, name in _tokens(text):
        if shown:
            out.append(before)
        if condition:
            shown = variables[name] is not None
        elif name in ("", "end"):
            shown = True
        elif shown:
            value = variables[name]
            assert value is not None, f"(({name})) has no value"
            out.append(_format(value, body.locale, body.channel))
    return "".join(out)


# Remembered: few templates, very many messages.
@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[tuple[str, bool, str], ...]:
    """Return each slot or condition of a template's text: the words before it, whether it is a condition, and its name;
    "" at the end of the text.
    """
    found, end = [], 0
    for token in _TOKEN.finditer(text):
        found.append((text[end : token.start()], bool(token[1]), token[2]))
        end = token.end()
    return (*found, (text[end:], False, ""))


_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def _format(value: Value, locale: str, channel: str) -> str:
    chinese = locale.startswith("zh")
    match value:
        case Money(_, "CNY") if chinese:
            return f"{value.decimal()}元"
        case Money():
            return f"{value.currency} {value.decimal()}"
        case Moment():
            return _moment(value, locale, channel)
        case tuple():
            return _list(value, locale, channel)
        case date() if chinese:
            return f"{value.year}年{value.month}月{value.day}日"
        case date():
            return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
        case _:
            return str(value)


def _moment(moment: Moment, locale: str, channel: str) -> str:
    chinese = locale.startswith("zh")
    clock = f"{moment.at:%H:%M}"
    match (moment.on - moment.today).days:
        case 0:
            return f"今天{clock}" if chinese else f"{clock} today"
        case 1:
            return f"明天{clock}" if chinese else f"{clock} tomorrow"
        case _:
            day = _format(moment.on, locale, channel)
            return f"{day}{clock}" if chinese else f"{clock} on {day}"


def _list(items: tuple[Item, ...], locale: str, channel: str) -> str:
    """Return one line for each item by e-mail, one sentence by SMS, which has no lines to spare."""
    chinese = locale.startswith("zh")
    lines = []
    for item in items:
        amount = _format(item.amount, locale, channel)
        until = _until(item, locale, channel)
        lines.append(
            f"{item.creditor}：{amount}（{until}）"
            if chinese
            else f"{item.creditor}: {amount} ({until})"
        )
    if channel == "email":
        return "\n".join(f"- {line}" for line in lines)
    return ("；" if chinese else "; ").join(lines)


def _until(item: Item, locale: str, channel: str) -> str:
    """Return when an amount is due, and where it will be debited instead: what must be in which account by when."""
    chinese = locale.startswith("zh")
    due = _format(item.due_on, locale, channel)
    if item.debit_at is None:
        return f"{due}到期" if chinese else f"due {due}"
    by = _moment(item.debit_at, locale, channel)
    if chinese:
        return f"{due}到期，自动扣款：请于{by}前在尾号{item.instrument}的账户中备足"
    return f"due {due}, debited: have it in the account ending in {item.instrument} by {by}"


def parse(document: Mapping[str, Any], source: str) -> Template:
    """Return the template in a parsed TOML document; `source` names the file in errors.

    The document holds `name` and tables `[<locale>.<channel>]` with `text` and, for e-mail, `subject`.

    Raises:
        Rejected: code "bad_template", when a slot is unknown, an `if` is not closed or not over an optional variable,
            an optional variable is used outside its `if`, a key, locale or channel is unknown, an e-mail has no subject
            or something else has one.
    """
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise _bad(source, "name", "is missing: give it the name of the file")
    bodies = {}
    for locale, channels in document.items():
        if locale == "name":
            continue
        if not isinstance(channels, Mapping):
            raise _bad(source, locale, "is unknown: a template has a name and texts, [zh-CN.sms]")
        if not _LOCALE.fullmatch(locale):
            raise _bad(source, locale, "is no language tag: write it as zh-CN, en or zh-Hant-HK")
        for channel, parts in channels.items():
            bodies[locale, channel] = _body(
                locale, channel, parts, f"{source} [{locale}.{channel}]"
            )
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    return Template(f"{name}@{hashlib.sha256(canonical).hexdigest()[:12]}", name, bodies)


def _body(locale: str, channel: str, parts: object, place: str) -> Body:
    if channel not in CHANNELS:
        raise _bad(place, channel, f"is no channel: use one of {', '.join(CHANNELS)}")
    if not isinstance(parts, Mapping):
        raise _bad(place, channel, "is not a table: write its text under the heading")
    for key in sorted(set(parts) - {"subject", "text"}):
        raise _bad(place, key, "is unknown: there are subject and text")
    for key in sorted(parts):
        if not isinstance(parts[key], str):
            raise _bad(place, key, "is no text: write it in quotes")
    body = Body(locale, channel, parts.get("subject", ""), parts.get("text", ""))
    if not body.text:
        raise _bad(place, "text", "is empty: write what the borrower reads")
    if "\n" in body.subject or "\r" in body.subject:
        raise _bad(place, "subject", "has more than one line: keep it on one")
    if channel == _EMAIL and not body.subject.strip():
        raise _bad(place, "subject", "is missing: an e-mail needs one")
    if channel != _EMAIL and "subject" in parts:
        raise _bad(place, "subject", f"is shown nowhere: leave it out for {channel}")
    _check(body.subject, place)
    _check(body.text, place)
    return body


def _check(text: str, place: str) -> None:
    inside = ""
    for token in _TOKEN.finditer(text):
        condition, name = token.groups()
        if condition:
            if name not in _OPTIONAL or inside:
                raise _bad(
                    place,
                    name,
                    f"cannot be a condition here: use {', '.join(_OPTIONAL)}, not inside another",
                )
            inside = name
        elif name == "end":
            if not inside:
                raise _bad(place, name, "closes nothing: write ((if …)) before it, or leave it out")
            inside = ""
        elif name not in VARIABLES:
            raise _bad(place, name, f"is not a variable of a message: use {', '.join(VARIABLES)}")
        elif name in _OPTIONAL and inside not in (name, _GOES_WITH.get(name)):
            raise _bad(place, name, f"may be missing: use it inside ((if {name}))")
    if inside:
        raise _bad(place, inside, "opens a condition that is not closed: write ((end)) behind it")
    # What is left is text in its own right, also where what stands under a condition is hidden.
    for rest in (_TOKEN.sub("", text), _HIDDEN.sub("", _TOKEN.sub(_mark, text))):
        if "((" in rest or "))" in rest:
            raise _bad(place, "((", "has a slot of the wrong form: write it as ((amount))")


def _mark(token: re.Match[str]) -> str:
    condition, name = token.groups()
    return "\x01" if condition else "\x02" if name == "end" else "\x00"


def _bad(place: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_template", key, f"{place}: {key!r} {problem}")
