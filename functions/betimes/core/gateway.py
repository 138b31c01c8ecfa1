"""HTTP gateways for text messages as data: what a provider wants to be sent, and what its answers mean.

Where AWS sends no SMS, and where a lender has a contract of its own, there is nearly always an HTTP interface: a POST
with number and text, and an answer with a code. A profile says how both are spelt. It has no code in it: a slot such as
`((number))` stands for a value inside a text, and the request is built as a document and encoded afterwards, so a value
can never become a part of the structure.

An answer means what the first rule says that fits it. Where none fits, a 4xx is a refusal for good, and everything else
unknown: nobody is told that something was sent, or that it was not, because a profile forgot a code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from betimes.core.errors import Rejected
from betimes.core.rule import Status
from betimes.core.values import dataclass

_T = TypeVar("_T", bound=StrEnum)

_SLOT: Final = re.compile(r"\(\(([a-z_]+)\)\)")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
# What a slot may stand for: the first two are the deployment's, the third is kept with the secrets.
SLOTS: Final = frozenset(
    "account sender secret number text contact_id attempt tenant lives_s".split()
)
# Who holds a message's address must not see these in the provider's log of addresses.
_IN_URL: Final = frozenset({"account"})
# Headers that are made with the request, or say how it is cut.
_OURS: Final = frozenset({"connection", "content-length", "host", "te", "transfer-encoding"})
_TYPE: Final = "Content-Type"
# Of one line, in ASCII (RFC 9110, section 5.5).
_HEADER: Final = re.compile(r"[\x20-\x7e]*")
_KEYS: Final = frozenset({"url", "encoding", "citation", "status", "headers", "body", "answer"})
_ANSWER_KEYS: Final = frozenset({"id", "rule"})
_RULE_KEYS: Final = frozenset({"http", "at", "equals", "means"})


class Encoding(StrEnum):
    """How the fields of a request are written."""

    JSON = "json"
    FORM = "form"


class Means(StrEnum):
    """What an answer says of the message; see `ports.Answer` for the three it becomes."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    BUSY = "busy"
    REFUSED = "refused"
    BAD_ADDRESS = "bad_address"
    OPTED_OUT = "opted_out"
    DAILY_QUOTA = "daily_quota"
    SPEND_LIMIT = "spend_limit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """Fits an answer with one of the statuses `http` (none: any) and, where `at` is a path such as `error.code` into a
    body of JSON, one of the values `equals` there, compared as text.
    """

    http: tuple[int, ...]
    at: str
    equals: tuple[str, ...]
    means: Means


@dataclass(frozen=True, slots=True)
class Profile:
    """How one provider is spoken to. `id_at` is the path of the message's id in an answer."""

    name: str
    url: str
    encoding: Encoding
    headers: Mapping[str, str]
    body: Mapping[str, str]
    id_at: str
    rules: tuple[AnswerRule, ...]
    citation: str
    status: Status


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted where."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def parse(document: Mapping[str, Any], source: str) -> Profile:
    """Return the profile in a parsed TOML file; `source` names it in errors, and without its ending the profile.

    Raises:
        Rejected: code "bad_gateway", field = the key at fault.
    """
    _only(document, _KEYS, source, "")
    answer = _table(document, "answer", source)
    _only(answer, _ANSWER_KEYS, source, "answer.")
    url = _text(document, "url", source)
    if not _is_https(_SLOT.sub("x", url)):
        raise _bad(source, "url", "is an https address")
    _known_slots(url, _IN_URL, "url", source)
    headers = _texts(document, "headers", source)
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _HEADER.fullmatch(value):
            raise _bad(source, f"headers.{name}", "is a header of one line, in ASCII")
        if name.lower() in _OURS:
            raise _bad(source, f"headers.{name}", "is not a profile's to say")
        _known_slots(value, frozenset({"secret", "account"}), f"headers.{name}", source)
    body = _texts(document, "body", source)
    for name, value in body.items():
        _known_slots(value, SLOTS, f"body.{name}", source)
    if not {"number", "text"} <= {slot for value in body.values() for slot in _SLOT.findall(value)}:
        raise _bad(source, "body", "has to hold ((number)) and ((text))")
    rules = answer.get("rule")
    if not isinstance(rules, list) or not rules:
        raise _bad(source, "answer.rule", "says at least what being accepted looks like")
    return Profile(
        name=source.removesuffix(".toml"),
        url=url,
        encoding=_choice(document, "encoding", Encoding, source),
        headers=MappingProxyType(headers),
        body=MappingProxyType(body),
        id_at=_text(answer, "id", source),
        rules=tuple(_rule(each, n, source) for n, each in enumerate(rules, start=1)),
        citation=_text(document, "citation", source),
        status=_choice(document, "status", Status, source),
    )


def request(profile: Profile, values: Mapping[str, str]) -> Request:
    """Return the request for the values of all `SLOTS`; the values are encoded, never read.

    Raises:
        Rejected: code "bad_text", where a value holds half a character, or "bad_header", where one that a header is
            made of is not a line of ASCII; field = the slot or header, and the message repeats nothing.
    """
    assert set(values) == SLOTS, "every slot has a value"
    for name, value in values.items():
        if not _is_text(value):
            raise Rejected("bad_text", name, "the text holds half of a character")
    fields = {name: _filled(text, values) for name, text in profile.body.items()}
    headers = {name: _filled(text, values) for name, text in profile.headers.items()}
    for name, value in headers.items():
        if not _HEADER.fullmatch(value):
            raise Rejected("bad_header", name, "account and secret are one line of ASCII each")
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    if profile.encoding is Encoding.JSON:
        content, body = "application/json", json.dumps(fields, ensure_ascii=False).encode()
    else:
        content, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
    if not any(name.lower() == _TYPE.lower() for name in headers):
        headers[_TYPE] = content
    return Request(_filled(profile.url, quoted), headers, body)


def meaning(profile: Profile, http: int, body: bytes) -> tuple[Means, str]:
    """Return what an answer means and the provider's id for the message, "" where it has none; the id is text that can
    be stored. Never raises.
    """
    document = _document(body)
    found = next((rule.means for rule in profile.rules if _fits(rule, http, document)), None)
    if found is None:
        found = Means.REFUSED if 400 <= http < 500 else Means.UNKNOWN
    return found, _at(document, profile.id_at).encode("utf-8", "replace").decode()


def _fits(rule: AnswerRule, http: int, document: object) -> bool:
    if rule.http and http not in rule.http:
        return False
    return not rule.at or _at(document, rule.at) in rule.equals


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _at(document: object, path: str) -> str:
    for key in path.split("."):
        if not isinstance(document, Mapping):
            return ""
        document = document.get(key)
    is_plain = isinstance(document, str | int) and not isinstance(document, bool)
    return str(document)[:256] if is_plain else ""


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: values[slot[1]], text)


def _rule(document: object, number: int, source: str) -> AnswerRule:
    place = f"answer.rule {number}"
    if not isinstance(document, Mapping):
        raise _bad(source, place, "is a table")
    _only(document, _RULE_KEYS, source, f"{place}.", needed=frozenset({"means"}))
    http = document.get("http", [])
    if not isinstance(http, list) or not all(
        type(each) is int and 100 <= each <= 599 for each in http
    ):
        raise _bad(source, f"{place}.http", "is a list of HTTP statuses")
    at, equals = document.get("at", ""), document.get("equals", [])
    if not isinstance(at, str) or not isinstance(equals, list) or bool(at) != bool(equals):
        raise _bad(source, f"{place}.at", "is a path, and equals a list of what may stand there")
    if not all(type(each) in (str, int) for each in equals):
        raise _bad(source, f"{place}.equals", "is a list of texts and whole numbers")
    if not http and not at:
        raise _bad(source, place, "fits every answer; say http or at")
    means = _choice(document, "means", Means, source)
    return AnswerRule(tuple(http), at, tuple(str(each) for each in equals), means)


def _only(
    document: Mapping[str, Any],
    keys: frozenset[str],
    source: str,
    place: str,
    *,
    needed: frozenset[str] | None = None,
) -> None:
    for key in sorted(set(document) - keys):
        raise _bad(source, f"{place}{key}", "is not known here")
    for key in sorted((keys if needed is None else needed) - set(document)):
        raise _bad(source, f"{place}{key}", "is missing")


def _table(document: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    found = document[key]
    if not isinstance(found, Mapping):
        raise _bad(source, key, "is a table")
    return found


def _texts(document: Mapping[str, Any], key: str, source: str) -> dict[str, str]:
    found = dict(_table(document, key, source))
    for name, value in found.items():
        if not isinstance(value, str):
            raise _bad(source, f"{key}.{name}", "is a text in quotes")
    return found


def _text(document: Mapping[str, Any], key: str, source: str) -> str:
    found = document[key]
    if not isinstance(found, str) or not found:
        raise _bad(source, key, "is a text in quotes")
    return found


def _choice(document: Mapping[str, Any], key: str, kind: type[_T], source: str) -> _T:
    try:
        return kind(document[key])
    except ValueError:
        raise _bad(source, key, f"is one of {', '.join(kind)}") from None


def _is_https(url: str) -> bool:
    try:
        return url.startswith("https://") and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _is_text(value: str) -> bool:
    """Return whether a text can be written: half of a pair of surrogates cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _known_slots(text: str, allowed: frozenset[str], key: str, source: str) -> None:
    rest = _SLOT.sub("", text)
    if "((" in rest or "))" in rest:
        raise _bad(source, key, "a slot is written as ((number)), in small letters")
    for name in _SLOT.findall(text):
        if name not in allowed:
            raise _bad(source, key, f"(({name})) does not go here; {', '.join(sorted(allowed))} do")


def _bad(source: str, key: str, message: str) -> Rejected:
    return Rejected("bad_gateway", key, f"{source}: {key} {message}")
