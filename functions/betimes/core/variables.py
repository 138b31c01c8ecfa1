"""The variables of messages: what each is, which may be missing, and how its type writes it in each language.

A template names variables and at most a style of each, `((due|short))`; everything else about how a value looks is
decided here. Texts that come from outside (names) are cleaned before they become a value: see `clean`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from betimes.core.money import Money
from betimes.core.values import dataclass

# The longest name that comes from outside, in characters: a creditor, a borrower.
MAX_NAME: Final = 60
# Longer addresses are cut by some mail programs and phones.
MAX_LINK: Final = 500
_URL: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S*", re.IGNORECASE)
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{2,24}")
_CODE: Final = re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){0,3}")
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)


class Kind(StrEnum):
    """The type of a variable. Only its type writes a value."""

    LENDER = "lender"
    MONEY = "money"
    DATE = "date"
    COUNT = "count"
    NAME = "name"
    ACCOUNT = "account"
    MOMENT = "moment"
    ITEMS = "items"
    LINK = "link"
    CODE = "code"
    PHONE = "phone"


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


@dataclass(frozen=True, slots=True)
class MaskedName:
    """What a message may show of a person's name: its first character. Made by `masked`."""

    shown: str

    def __post_init__(self) -> None:
        assert len(self.shown) == 1, "one character of a name is shown"


@dataclass(frozen=True, slots=True)
class ShortLink:
    """An https address of ours, as a message shows it. Made by `link`, which knows which hosts are ours."""

    url: str

    def __post_init__(self) -> None:
        assert is_plain_https(self.url), "a link of a message is a plain https address"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number of the lender's, as it is written: digits, spaces, hyphens, brackets, a plus in front."""

    number: str

    def __post_init__(self) -> None:
        assert is_phone(self.number), "a telephone number has 3 to 25 digits and signs"


@dataclass(frozen=True, slots=True)
class Code:
    """The code by which a borrower can tell a genuine message, such as 7KQ2-M9XD (`core.links`)."""

    shown: str

    def __post_init__(self) -> None:
        assert _CODE.fullmatch(self.shown), "a code has groups of four letters or digits"


Value = Money | date | int | str | Moment | MaskedName | ShortLink | Phone | Code | tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its type, whether it may be missing, and the variable it is there with: shown inside a condition
    over that one.
    """

    kind: Kind
    optional: bool = False
    goes_with: str = ""


# Every variable that a message may name.
TABLE: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "lender": Variable(Kind.LENDER),
        "amount": Variable(Kind.MONEY),
        "minimum": Variable(Kind.MONEY, optional=True),
        "due": Variable(Kind.DATE),
        "overdue_days": Variable(Kind.COUNT),
        "as_of": Variable(Kind.DATE),
        "pay_by": Variable(Kind.DATE, optional=True),
        "instrument": Variable(Kind.ACCOUNT, optional=True, goes_with="debit_at"),
        "debit_at": Variable(Kind.MOMENT, optional=True),
        "items": Variable(Kind.ITEMS, optional=True),
        "name": Variable(Kind.NAME, optional=True),
        "minimum_cost": Variable(Kind.MONEY, optional=True),
        "late_cost": Variable(Kind.MONEY, optional=True),
        "link": Variable(Kind.LINK, optional=True),
        "stop_link": Variable(Kind.LINK, optional=True, goes_with="link"),
        "code": Variable(Kind.CODE, optional=True, goes_with="link"),
        "service_phone": Variable(Kind.PHONE, optional=True),
    }
)
# The styles of each type; the first one is meant where none is named.
STYLES: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        Kind.MONEY: ("plain", "code"),
        Kind.DATE: ("long", "short"),
        Kind.COUNT: ("plain", "days"),
        Kind.ACCOUNT: ("plain", "tail"),
    }
)


def clean(text: str, most: int = MAX_NAME) -> str:
    """Return a text from outside as a message may show it: on one line, without control, bidirectional and unseen
    characters, without web addresses, cut to `most` characters. "" where nothing is left.
    """
    seen = "".join(_seen(each) for each in text)
    # What is left when one address is taken out may be another.
    while (bare := _URL.sub(" ", seen)) != seen:
        seen = bare
    return " ".join(seen.split())[:most].strip()


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if character.isspace() or kind in ("Zl", "Zp"):
        return " "
    return "" if kind[0] == "C" else character


def masked(name: str) -> MaskedName | None:
    """Return what may be shown of a person's name, None where nothing of it can be shown."""
    for character in clean(name):
        if unicodedata.category(character)[0] == "L":
            return MaskedName(character)
    return None


def link(url: str, hosts: tuple[str, ...]) -> ShortLink | None:
    """Return an address as a message may show it, None where it is no plain https address on one of `hosts`."""
    if not is_plain_https(url) or urlsplit(url).hostname not in hosts:
        return None
    return ShortLink(url)


def is_plain_https(url: str) -> bool:
    """Return whether an address is https, in printable ASCII without quotes, spaces or brackets, with no name or
    password and no other port in it, and short enough for every program.
    """
    if not url.isascii() or not url.isprintable() or set(url) & set(" \"'<>\\^`{|}()"):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        len(url) <= MAX_LINK
        and parts.scheme == "https"
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and port in (None, 443)
    )


def is_phone(number: str) -> bool:
    """Return whether a text is a telephone number as one may be shown."""
    return bool(_PHONE.fullmatch(number))


def written(value: Value, locale: str, channel: str, style: str = "") -> str:
    """Return a value as its type writes it for a locale, one of the `STYLES` of the type or "" for the first.

    Chinese is written for every `zh`, English for everything else. A list has a line for each item where the channel
    has lines, and is one sentence in a text message or a push.

    Raises:
        AssertionError: the type has no such style; publishing rules that out.
    """
    chinese = locale.startswith("zh")
    match value, style:
        case Money(_, "CNY"), "" | "plain" if chinese:
            return f"{value.decimal()}元"
        case Money(), "" | "plain" | "code":
            return f"{value.currency} {value.decimal()}"
        case Moment(), "":
            return _moment(value, locale, channel)
        case tuple(), "":
            return _list(value, locale, channel)
        case date(), "" | "long":
            if chinese:
                return f"{value.year}年{value.month}月{value.day}日"
            return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
        case date(), "short":
            if chinese:
                return f"{value.month}月{value.day}日"
            return f"{value.day} {_MONTHS[value.month - 1][:3]}"
        case int(), "days":
            return f"{value}天" if chinese else f"{value} day{'' if value == 1 else 's'}"
        case MaskedName(shown), "":
            return f"{shown}**"
        case str(), "tail":
            return f"尾号{value}" if chinese else f"ending in {value}"
        case ((ShortLink(shown) | Phone(shown) | Code(shown)), ""):
            return shown
        case ((str() | int()), "" | "plain"):
            return str(value)
        case _:
            raise AssertionError(f"{type(value).__name__} is not written as {style!r}")


def _moment(moment: Moment, locale: str, channel: str) -> str:
    chinese = locale.startswith("zh")
    clock = f"{moment.at:%H:%M}"
    match (moment.on - moment.today).days:
        case 0:
            return f"今天{clock}" if chinese else f"{clock} today"
        case 1:
            return f"明天{clock}" if chinese else f"{clock} tomorrow"
        case _:
            day = written(moment.on, locale, channel)
            return f"{day}{clock}" if chinese else f"{clock} on {day}"


def _list(items: tuple[Item, ...], locale: str, channel: str) -> str:
    chinese = locale.startswith("zh")
    lines = []
    for item in items:
        amount = written(item.amount, locale, channel)
        until = _until(item, locale, channel)
        lines.append(
            f"{item.creditor}：{amount}（{until}）"
            if chinese
            else f"{item.creditor}: {amount} ({until})"
        )
    if channel in ("email", "inbox"):
        return "\n".join(f"- {line}" for line in lines)
    return ("；" if chinese else "; ").join(lines)


def _until(item: Item, locale: str, channel: str) -> str:
    """Return when an amount is due, and where it will be debited instead: what must be in which account by when."""
    chinese = locale.startswith("zh")
    due = written(item.due_on, locale, channel)
    if item.debit_at is None:
        return f"{due}到期" if chinese else f"due {due}"
    by = _moment(item.debit_at, locale, channel)
    if chinese:
        return f"{due}到期，自动扣款：请于{by}前在尾号{item.instrument}的账户中备足"
    return f"due {due}, debited: have it in the account ending in {item.instrument} by {by}"
