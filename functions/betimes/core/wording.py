"""What a message must and must not say: required words, banned words, and nothing private where others may read it.

The words themselves are data, content rules of the packs; this module finds them. Texts are compared as `words`, so
that neither case nor width, accents, punctuation nor emoji hide a word, and "end" is not found in "sender".

A text is either what a borrower reads or a template as it is written, with slots `((amount))` and conditions
`((if minimum)) … ((end))`; of a template every variant is read, with each of its conditions shown and hidden.

What this does not do: it does not understand. A threat in words that no rule lists passes, so do words in look-alike
letters of another script or with a space inside them; and a listed word is refused in a sentence that denies it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Final, Literal

from betimes.core.rule import ContentTerms, Enforce, Party, Purpose, Recipient, Rule, Stage
from betimes.core.values import dataclass

# The rule that findings about private matters name; it needs no words and stands in no pack.
PRIVATE_RULE: Final = "HOUSE.CONTENT.PRIVATE"
# Variables of a message (`core.message`) and names of facts that tell others of a debt. Whose message it is they may
# see.
PRIVATE_FIELDS: Final = frozenset(
    {
        "amount",
        "minimum",
        "due",
        "overdue_days",
        "pay_by",
        "instrument",
        "debit_at",
        "items",
        "name",
        "minimum_cost",
        "late_cost",
        "link",
        "stop_link",
        "code",
        "creditor",
        "product",
        "account",
    }
)
# Who is spoken to without being liable or standing for somebody who is.
OTHERS: Final = frozenset({Recipient.CONTACT, Recipient.EMPLOYER})
# Columns of a text that a locked screen shows before anybody touches it: a line or two, by the phone. A choice of this
# house, see docs/decisions/0017-what-a-locked-screen-shows.md.
PREVIEW_COLUMNS: Final = 60
# Words that tell whoever sees a subject or a locked screen of a debt, by language; not what a message may say inside.
HINTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": (
            *("overdue", "past due", "due", "debt", "debts", "owe", "owed", "arrears", "unpaid"),
            *("collection", "collections", "collector", "delinquent", "loan", "repayment", "repay"),
        ),
        "zh": (
            *("逾期", "欠款", "欠费", "债", "催", "还款", "待还", "应还", "贷款", "借款", "征信"),
            *("債", "還款", "待還", "應還", "貸款", "徵信"),
        ),
        "es": ("vencido", "vencida", "deuda", "mora", "moroso", "cobranza", "préstamo"),
        "pt": ("vencido", "vencida", "dívida", "atraso", "cobrança", "inadimplente", "empréstimo"),
        "id": ("utang", "hutang", "tunggakan", "menunggak", "penagihan", "jatuh tempo", "pinjaman"),
    }
)
ANY: Final = "*"
SUBJECT, PREVIEW, BODY = "subject", "preview", "body"

_SLOT = re.compile(r"\(\(\s*(if\s+)?([a-z_]+)(?:\|[a-z]+)?\s*\)\)")
# A slot, or one character of the text.
_PIECE: Final = re.compile(_SLOT.pattern + "|.", re.DOTALL)
_ACCENT: Final = re.compile("[\u0300-\u036f]")
# Letters and marks that nobody sees beside those of category Cf: fillers and variations.
_UNSEEN: Final = (
    range(0x115F, 0x1161),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0x3164, 0x3165),
    range(0xFE00, 0xFE10),
    range(0xFFA0, 0xFFA1),
    range(0xE0100, 0xE01F0),
)
_DASH: Final = "-"
# Between words: anything with a space in it, and signs alone.
_SPACES: Final = re.compile("-* [ -]*")
_SIGNS: Final = re.compile("--+")
# Scripts that are written without spaces between words, or whose words grow endings; each character is a word here.
_DENSE: Final = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Burmese
    range(0x1100, 0x1200),  # Hangul letters
    range(0x1780, 0x1800),  # Khmer
    range(0x3040, 0x3130),  # Kana, Bopomofo
    range(0x3400, 0x4DC0),  # Han
    range(0x4E00, 0xA000),  # Han
    range(0xAC00, 0xD7B0),  # Hangul
    range(0xF900, 0xFB00),  # Han, compatibility
    range(0x20000, 0x40000),  # Han
)
_DENSE_CLASS: Final = "".join(f"{chr(each.start)}-{chr(each.stop - 1)}" for each in _DENSE)
_EACH: Final = re.compile(f"[{_DENSE_CLASS}]")
# A letter of a script that parts its words.
_LETTER: Final = f"[^ {_DENSE_CLASS}-]"
# Three of them or more, each for itself.
_SPELT: Final = re.compile(f"(?<!{_LETTER}){_LETTER}(?:[ -]{_LETTER}(?!{_LETTER})){{2,}}")
# A template has four conditions of its own kind at most; more would be another language.
_MAX_CONDITIONS: Final = 8
# Languages whose phrases one rule keeps ready; as many as a lender writes in.
_LANGUAGES_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Wording:
    """A message as it is to be judged.

    `subject` and `preview` are "" where there is none; `preview` is what a locked screen shows (`preview_of`).
    `language` is a tag such as "zh-CN", "" not known. `private` are private facts as they stand in a rendered text, by
    name ("amount": "1200.00元"); a template names them in its slots. `disclosures` are those that the text is signed to
    hold. `reveals_debt`: whether somebody who is not liable may learn of the debt nevertheless.
    """

    body: str
    language: str
    stage: Stage
    purpose: Purpose
    channel: str
    subject: str = ""
    preview: str = ""
    recipient: Recipient = Recipient.BORROWER
    party: Party = Party.FIRST
    product: str = ""
    kinds: tuple[str, ...] = ()
    private: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    disclosures: frozenset[str] = frozenset()
    reveals_debt: bool = False

    def places(self) -> tuple[tuple[str, str], ...]:
        """Return the parts of the message that hold any text, each with its name, in the order they are read."""
        parts = ((SUBJECT, self.subject), (PREVIEW, self.preview), (BODY, self.body))
        return tuple((place, text) for place, text in parts if text)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a message: the rule, the place ("" the message as a whole), the phrase found, or a phrase that
    would do where one is missing, and the fault in words. `binds`: whether the rule may stop the message.
    """

    rule_id: str
    place: str
    phrase: str
    message: str
    binds: bool = True


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text for comparing: without case, width, accents, punctuation, symbols and emoji.

    A script that needs no spaces gives one word for each character, so that a space inside hides nothing; vowel signs
    of Indic scripts stay. Marks that are not seen (a zero-width space) join what they split. Applied to its own
    result, joined by spaces, it changes nothing.

    Source: UAX 15 (NFKC), Unicode 3.13 (case folding).
    """
    return tuple(_EACH.sub(r" \g<0> ", _marked(text)).replace(_DASH, " ").split())


def _marked(text: str) -> str:
    """Return the words of a text with what stands between them: a dash for each sign, a space for each space."""
    plain = _normal("NFKC", _normal("NFKC", text).casefold())
    bare = _ACCENT.sub("", _normal("NFKD", plain.casefold()))
    return _normal("NFC", bare).translate(_PARTS)


def _normal(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    # Most texts are, which is told sooner than done.
    return text if unicodedata.is_normalized(form, text) else unicodedata.normalize(form, text)


class _Parts(dict[int, str]):
    """How each character counts in a word, by its code point: as itself, as nothing, or as what parts words. Filled as
    texts are read, so that most of them are read without asking again.
    """

    def __missing__(self, code: int) -> str:
        part = self[code] = _part(chr(code))
        return part


def _part(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Cf", "Me") or any(ord(character) in unseen for unseen in _UNSEEN):
        return ""
    if kind[0] in "LMN":
        return character
    return " " if character.isspace() else _DASH


_PARTS: Final = _Parts()


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as phrases are looked for in it: `letters` without any gap, `marked` with gaps of one character each, and
    as it is.
    """

    letters: str
    marked: str
    text: str


@lru_cache(maxsize=1024)
def _said(text: str) -> _Said:
    marked = _SIGNS.sub(_DASH, _SPACES.sub(" ", _marked(text)))
    marked = _SPELT.sub(_joined, marked)
    letters = marked.replace(" ", "").replace(_DASH, "")
    return _Said(letters, marked, text)


def _joined(spelt: re.Match[str]) -> str:
    """Return a word that was spelt, "p o l i c e", as one with signs between its letters."""
    return spelt[0].replace(" ", _DASH)


class _Phrase:
    """A phrase, ready to be looked for.

    A word is found where signs stand between its letters ("o-v-e-r-d-u-e") or where it is spelt with spaces, and its
    words with anything between them; before and behind it no letter of a script that parts its words by spaces.
    """

    __slots__ = ("_letters", "_pattern", "_sign", "text")

    def __init__(self, phrase: str) -> None:
        self.text = phrase
        found = words(phrase)
        self._letters = "".join(found)
        # A phrase without any word, such as "【】" or "%", is looked for as it is, but for width.
        self._sign = "" if found else unicodedata.normalize("NFKC", phrase).strip()
        between = f"{_DASH}?"
        spoken = "[ -]?".join(between.join(map(re.escape, word)) for word in found)
        before = "" if _EACH.match(self._letters) else f"(?<!{_LETTER})"
        behind = "" if _EACH.match(self._letters[-1:]) else f"(?!{_LETTER})"
        self._pattern = re.compile(before + spoken + behind)

    def is_in(self, said: _Said) -> bool:
        """Return whether a text holds the phrase."""
        if not self._letters:
            return bool(self._sign) and self._sign in _normal("NFKC", said.text)
        # Most texts do not even have its letters, which is told much sooner.
        return self._letters in said.letters and self._pattern.search(said.marked) is not None


@lru_cache(maxsize=4096)
def _phrase(phrase: str) -> _Phrase:
    return _Phrase(phrase)


def holds(text: str, phrase: str) -> bool:
    """Return whether `text` holds `phrase` as whole words, however it is dressed up: see `words`; nor do signs between
    letters hide a word, nor spaces between all of them.

    A phrase without any word, such as "【】" or "%", is looked for as it is, but for width; an empty one is nowhere.
    """
    return _phrase(phrase).is_in(_said(text))


def contains(text: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether the words `wanted` follow one another in those of `text`; none at all are in no text."""
    if not wanted:
        return False
    size = len(wanted)
    seen, phrase = tuple(text), tuple(wanted)
    return any(seen[at : at + size] == phrase for at in range(len(seen) - size + 1))


def fields_of(text: str) -> frozenset[str]:
    """Return the variables whose values a template's text shows; one that is only a condition is not shown."""
    return frozenset(
        name for condition, name in _SLOT.findall(text) if not condition and name != "end"
    )


def preview_of(channel: str, body: str) -> str:
    """Return what a locked screen shows of a message's body: the first `PREVIEW_COLUMNS` columns of a text message,
    nothing of any other, of which it shows the subject. A character of East Asia takes two columns.

    Of a template it is the longest part that may be shown: a slot counts as one column, what stands under a condition
    as none, and a slot that begins within the part is in it.
    """
    if channel != "sms":
        return ""
    left, hidden = PREVIEW_COLUMNS, False
    for piece in _PIECE.finditer(body):
        if left <= 0 and not hidden:
            return body[: piece.start()]
        condition, name = piece[1], piece[2]
        if name is None:
            left -= 0 if hidden else _columns(piece[0])
        elif condition or name == "end":
            hidden = bool(condition)
        elif not hidden:
            left -= 1
    return body


def _columns(character: str) -> int:
    """Return how wide a character is on a screen. Source: UAX 11 (East Asian Width)."""
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def lint(message: Wording, rules: Iterable[Rule], on: date) -> tuple[Finding, ...]:
    """Return what is wrong with a message on the civil day `on`, in the order of the rules; what is private comes last.

    Rules of another kind, party, stage, purpose, channel or product, not in force that day or switched off are passed
    over. The result is empty where nothing is wrong, as far as the rules know.
    """
    found: list[Finding] = []
    for rule in rules:
        if _applies(rule, message, on) and isinstance(rule.terms, ContentTerms):
            binds = rule.enforce.binds
            found += (
                Finding(rule.id, place, phrase, fault, binds)
                for place, phrase, fault in faults(rule.terms, message)
            )
    return (*found, *_private(message))


def _applies(rule: Rule, message: Wording, on: date) -> bool:
    return (
        rule.enforce is not Enforce.OFF
        and rule.is_in_force(on)
        and (not rule.parties or message.party in rule.parties)
        and (not rule.stages or message.stage in rule.stages)
        and (not rule.purposes or message.purpose in rule.purposes)
        and (not rule.channels or message.channel in rule.channels)
        and rule.is_about(message.product, message.kinds)
    )


class Content:
    """The phrases of one content rule; made once for a rule and asked about many texts.

    Banned words come from all lists of the message's language whatever its region, required ones from the list nearest
    to it; both from the list of any language as well, and from all lists where the language is not known ("").
    """

    __slots__ = ("_lists", "_terms")

    def __init__(self, terms: ContentTerms) -> None:
        self._terms = terms
        self._lists: dict[str, tuple[tuple[_Phrase, ...], tuple[_Phrase, ...]]] = {}

    def banned(self, text: str, language: str) -> str:
        """Return the first phrase of a text that must not be said, "" if there is none."""
        said = _said(text)
        return next((each.text for each in self._by(language)[0] if each.is_in(said)), "")

    def lacks(self, text: str, language: str) -> str | None:
        """Return a phrase that would do where a rendered text says none of those it must, "" where no wording is known
        for its language; None where nothing is missing.
        """
        if not self._terms.must:
            return None
        said, wanted = _said(text), self._by(language)[1]
        if any(each.is_in(said) for each in wanted):
            return None
        return wanted[0].text if wanted else ""

    def _by(self, language: str) -> tuple[tuple[_Phrase, ...], tuple[_Phrase, ...]]:
        found = self._lists.get(language)
        if found is None:
            if len(self._lists) >= _LANGUAGES_KEPT:
                self._lists.clear()
            found = self._lists[language] = (
                tuple(map(_phrase, _banned(self._terms.must_not, language))),
                tuple(map(_phrase, _required(self._terms.must, language))),
            )
        return found


def faults(terms: ContentTerms, message: Wording) -> tuple[tuple[str, str, str], ...]:
    """Return where a message breaks the terms of one rule, as (place, phrase, fault in words).

    Banned words are looked for in every place. Required ones may stand in the subject or the body, outside of
    conditions; where there is no list for the language, the message cannot be right. Which lists count: see `Content`.
    """
    found: list[tuple[str, str, str]] = []
    for phrase in _banned(terms.must_not, message.language):
        found += (
            (place, phrase, f"{phrase!r} must not be said here: leave it out")
            for place, text in message.places()
            if _is_shown(text, phrase)
        )
    called = terms.disclosure or "required words"
    if terms.must:
        wanted = _required(terms.must, message.language)
        if not wanted:
            known = ", ".join(sorted(terms.must))
            fault = f"{called}: no wording in {message.language or 'an unknown language'} ({known})"
            found.append(("", "", fault))
        elif not any(_says(message, phrase) for phrase in wanted):
            found.append(("", wanted[0], f"{called} are missing: say {' or '.join(wanted)}"))
    elif terms.disclosure and terms.disclosure not in message.disclosures:
        found.append(("", "", f"{called}: the text is not signed to hold it"))
    return tuple(found)


def _is_shown(text: str, phrase: str) -> bool:
    """Return whether any variant of a text has the phrase in it."""
    return any(holds(part, phrase) for variant in _variants(text) for part in variant)


def _says(message: Wording, phrase: str) -> bool:
    """Return whether every variant of the message has the phrase in its subject or body."""
    return any(
        all(any(holds(part, phrase) for part in variant) for variant in _variants(text))
        for text in (message.subject, message.body)
        if text
    )


def _banned(lists: Mapping[str, tuple[str, ...]], language: str) -> tuple[str, ...]:
    base = _base(language)
    wanted = (
        phrases
        for tag, phrases in lists.items()
        if tag == ANY or not language or _base(tag) == base
    )
    return tuple(dict.fromkeys(phrase for phrases in wanted for phrase in phrases))


def _required(lists: Mapping[str, tuple[str, ...]], language: str) -> tuple[str, ...]:
    if not language:
        return tuple(dict.fromkeys(phrase for phrases in lists.values() for phrase in phrases))
    same = (phrases for tag, phrases in lists.items() if _base(tag) == _base(language))
    near = lists.get(language) or lists.get(_base(language)) or next(same, ())
    return (*near, *lists.get(ANY, ()))


def _base(language: str) -> str:
    return language.split("-", maxsplit=1)[0].casefold()


def _private(message: Wording) -> Iterable[Finding]:
    """Return what somebody else may learn: on a locked screen, in a subject, or as the recipient. These are private
    facts, and before the message is opened words that hint at a debt (`HINTS`).
    """
    others = message.recipient in OTHERS and not message.reveals_debt
    hints = _banned(HINTS, message.language)
    for place, text in message.places():
        if place == BODY and not others:
            continue
        who = f"a {message.recipient}" if others else f"whoever sees the {place}"
        shown = fields_of(text) & PRIVATE_FIELDS
        shown |= {name for name, value in message.private.items() if holds(text, value)}
        for name in sorted(shown):
            fault = f"'{name}' is private and {who} would read it: leave it out"
            yield Finding(PRIVATE_RULE, place, name, fault)
        for phrase in hints:
            if _is_shown(text, phrase):
                fault = f"{phrase!r} tells {who} of a debt: leave it out"
                yield Finding(PRIVATE_RULE, place, phrase, fault)


# Remembered: few templates, judged by many rules.
@lru_cache(maxsize=1024)
def _variants(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the texts a template may become, each as its parts between slots; a rendered text is its own only part.

    Raises:
        AssertionError: it has more conditions than any template may have.
    """
    names = list(dict.fromkeys(name for condition, name in _SLOT.findall(text) if condition))
    assert len(names) <= _MAX_CONDITIONS, "a template with so many conditions is none"
    found = []
    for chosen in product((True, False), repeat=len(names)):
        shown = dict(zip(names, chosen, strict=True))
        found.append(_variant(text, shown))
    return tuple(dict.fromkeys(found))


def _variant(text: str, shown: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the parts of a text between slots where the conditions named in `shown` hold or do not."""
    parts, visible, end = [""], True, 0
    for slot in _SLOT.finditer(text):
        if visible:
            parts[-1] += text[end : slot.start()]
        condition, name = slot.groups()
        if condition:
            visible = shown[name]
        elif name == "end":
            visible = True
        elif visible:
            parts.append("")
        end = slot.end()
    if visible:
        parts[-1] += text[end:]
    return tuple(parts)
