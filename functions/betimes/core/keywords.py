"""What an answer means: one of a few words on which the platform acts by itself, or something for a person to read.

Only a text that is nothing but words of one list, and courtesies around them, is acted on. Everything else is UNSURE:
"stop by the branch", "don't stop", "I'll pay Friday, stop", words of two lists, or nothing known at all. It goes to a
person, and reminders rest on that channel until the person has answered, since a refusal may be worded in any way. So a
refusal can at worst be obeyed too widely and for too long, and never be missed.

The lists are data with citation and status, `packs/keywords.toml`. Texts are compared as `wording.words`; a refusal is
also known by its letters alone ("S T O P").

Source: 47 CFR 64.1200(a)(10) (revocation by any reasonable means); the lists name their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from betimes.core.consent import Reach, Refusal, Switch, wider
from betimes.core.errors import Rejected
from betimes.core.rule import Status
from betimes.core.values import dataclass, replace
from betimes.core.wording import contains, words

# Longer than anything that is but keywords and courtesy; what is longer is read by a person.
MAX_WORDS: Final = 16


class Meaning(StrEnum):
    """What somebody answered. PAID is their word that they have paid; nothing is booked on it."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    PAID = "paid"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One keyword as its list writes it. `alone`: it means so only as the whole answer. `reach` is how far it asks to
    reach by itself, None: as the law says.
    """

    text: str
    meaning: Meaning
    language: str
    status: Status
    citation: str
    alone: bool = False
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class Keywords:
    """All lists: phrases and fillers by their words, and phrases that stop by their letters."""

    phrases: Mapping[tuple[str, ...], Phrase]
    fillers: frozenset[tuple[str, ...]]
    letters: Mapping[str, Phrase]


# Without a list everything is read by a person.
NO_KEYWORDS: Final = Keywords(MappingProxyType({}), frozenset(), MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer means. `keyword` is the phrase that decided, as its list writes it; of an UNSURE one a phrase in
    it, one that stops before all others; "" none. `reach` is how far that asks to reach by itself, None: as the law
    says.
    """

    meaning: Meaning
    keyword: str = ""
    reach: Reach | None = None
    language: str = ""

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to read the answer."""
        return self.meaning is Meaning.UNSURE

    @property
    def closes(self) -> bool:
        """Whether reminders stop on it: it is a refusal, or may be one that nobody has read yet."""
        return self.meaning in (Meaning.STOP, Meaning.UNSURE)


def read(text: str, keywords: Keywords) -> Reply:
    """Return what the answer `text` means; UNSURE where it is not nothing but keywords of one meaning and courtesies.

    An empty text is UNSURE too: somebody answered, maybe with a picture. A keyword that stands `alone` counts only as
    the whole answer, or beside a longer one of its meaning ("TD 退订"). START reopens, so only words of a verified list
    do it. A text that holds a word of refusal is STOP or UNSURE and never anything else. Never raises.
    """
    said = words(text)
    whole = keywords.phrases.get(said) or keywords.letters.get("".join(said))
    if whole is not None:
        return _reply(whole, whole.meaning)
    held = [
        phrase
        for spoken, phrase in keywords.phrases.items()
        if not phrase.alone and contains(said, spoken)
    ]
    # The longest says most: STOP ALL before STOP.
    held.sort(key=lambda phrase: (phrase.meaning is not Meaning.STOP, -len(phrase.text)))
    if not held:
        return Reply(Meaning.UNSURE)
    meaning = held[0].meaning
    # A refusal in it is the first of them, so what holds one can mean nothing else.
    doubtful = any(phrase.meaning is Meaning.UNSURE for phrase in held)
    if doubtful or not _is_all(said, meaning, keywords):
        meaning = Meaning.UNSURE
    return _reply(held[0], meaning)


def refusals(
    reply: Reply,
    *,
    message_id: str,
    channel: str,
    address: str,
    at: datetime,
    reaches: Mapping[Switch, tuple[Reach, frozenset[str]]] = MappingProxyType({}),
    topic: str = "",
    sender: str = "",
    evidence: str = "",
) -> tuple[Refusal, ...]:
    """Return what an answer by `channel` from `address` (a token) at `at` puts into the ledger; nothing unless it
    closes.

    A refusal is one of reminders and one of marketing: two entries for two switches, each lifted by itself. `reaches`
    is how far, and over which media, the law lets each of them reach (`consent.reach_of`; missing: the channel); it
    reaches as far as its own words ask where that is more. An UNSURE answer closes the channel it came by,
    provisionally, until a person has read it and lifts or replaces it. Ids follow from `message_id`, so that an answer
    delivered twice is one.
    """
    if not reply.closes:
        return ()
    told: list[Refusal] = []
    for switch in (Switch.REMINDER, Switch.MARKETING):
        reach, media = Reach.CHANNEL, frozenset[str]()
        if not reply.needs_person:
            reach, media = reaches.get(switch, (reach, media))
            reach = reach if reply.reach is None else wider(reach, reply.reach)
        told.append(
            Refusal(
                f"{message_id}:{switch}",
                switch,
                channel,
                address,
                at,
                reach,
                words=reply.keyword,
                evidence=evidence,
                topic=topic,
                sender=sender,
                media=media,
                source="reply",
                provisional=reply.needs_person,
            )
        )
    return tuple(told)


def _reply(phrase: Phrase, meaning: Meaning) -> Reply:
    if meaning is Meaning.START and phrase.status is not Status.VERIFIED:
        meaning = Meaning.UNSURE
    reach = phrase.reach if meaning is Meaning.STOP else None
    return Reply(meaning, phrase.text, reach, phrase.language)


def _is_all(said: tuple[str, ...], meaning: Meaning, keywords: Keywords) -> bool:
    """Return whether a text is nothing but keywords of one meaning and fillers, one behind the other."""
    if len(said) > MAX_WORDS:
        return False
    ends = {0}
    for start in range(len(said)):
        if start in ends:
            for end in range(start + 1, len(said) + 1):
                part = said[start:end]
                phrase = keywords.phrases.get(part)
                if part in keywords.fillers or (phrase is not None and phrase.meaning is meaning):
                    ends.add(end)
    return len(said) in ends


_KEYS: Final = {"meaning", "language", "phrases", "status", "citation"}
_OPTIONAL: Final = {"alone", "reach"}
_FILLER_KEYS: Final = {"language", "phrases"}


def parse(document: Mapping[str, Any], source: str) -> Keywords:
    """Return the keywords in a parsed TOML document; `source` names the file in errors.

    The document holds tables `[[words]]` with `meaning`, `language`, `phrases`, `status`, `citation` and, where wanted,
    `alone` (true or false) and `reach`; and tables `[[filler]]` with `language` and `phrases`. One phrase may stand in
    lists of several languages, if it means the same in all; the first list is the one that answers name.

    Raises:
        Rejected: code "bad_keywords", field = key, when a key is unknown, missing or of the wrong form; when a phrase
        has
            no word, stands in one list twice, has two meanings, is also a filler, or holds a phrase that stops and
            means START, HELP or PAID; when no phrase stops.
    """
    for key in sorted(set(document) - {"words", "filler"}):
        raise _bad(source, key, "is unknown; known: filler, words")
    phrases: dict[tuple[str, ...], Phrase] = {}
    for place, row in _rows(document, "words", source):
        listed = _listed(row, place, _KEYS, _OPTIONAL)
        wanted = _phrase(row, place)
        for spoken, text in listed.items():
            known = phrases.setdefault(spoken, replace(wanted, text=text))
            if known.meaning is not wanted.meaning or known.alone is not wanted.alone:
                raise _bad(
                    place,
                    "phrases",
                    f"holds {text!r}, which has another meaning in another list; leave one out",
                )
    fillers: set[tuple[str, ...]] = set()
    for place, row in _rows(document, "filler", source):
        for spoken, text in _listed(row, place, _FILLER_KEYS, set()).items():
            if spoken in phrases:
                raise _bad(place, "phrases", f"holds {text!r}, which is a keyword; leave one out")
            fillers.add(spoken)
    stops = {spoken: each for spoken, each in phrases.items() if each.meaning is Meaning.STOP}
    if not stops:
        raise _bad(source, "words", "holds no phrase that stops: nobody could refuse; add a list")
    for spoken, phrase in phrases.items():
        if phrase.meaning in (Meaning.STOP, Meaning.UNSURE):
            continue
        for stop, other in stops.items():
            if contains(spoken, stop):
                raise _bad(
                    source,
                    "phrases",
                    f"holds {phrase.text!r}, in which {other.text!r} stops; leave one out",
                )
    letters = {"".join(spoken): phrase for spoken, phrase in stops.items()}
    return Keywords(MappingProxyType(phrases), frozenset(fillers), MappingProxyType(letters))


def _rows(
    document: Mapping[str, Any], key: str, source: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = document.get(key, [])
    if not isinstance(rows, list):
        raise _bad(source, key, f"is no list of tables: write [[{key}]]")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise _bad(source, key, f"is no list of tables: write [[{key}]]")
        yield f"{source} [[{key}]] {number}", row


def _listed(
    row: Mapping[str, Any], place: str, needed: set[str], optional: set[str]
) -> dict[tuple[str, ...], str]:
    """Return the phrases of a row by their words, once its keys are known to be right."""
    for key in sorted(set(row) - needed - optional):
        raise _bad(place, key, f"is unknown; known: {', '.join(sorted(needed | optional))}")
    for key in sorted(needed - set(row)):
        raise _bad(place, key, "is missing")
    for key in sorted(needed - {"phrases"}):
        if not isinstance(row[key], str) or not row[key].strip():
            raise _bad(place, key, "is no text: write it in quotes")
    if not isinstance(row["phrases"], list) or not row["phrases"]:
        raise _bad(place, "phrases", 'is no list of phrases: write ["STOP"]')
    found: dict[tuple[str, ...], str] = {}
    for text in row["phrases"]:
        if not isinstance(text, str) or not (spoken := words(text)):
            raise _bad(place, "phrases", f"holds {text!r}, in which there is no word; correct it")
        if spoken in found:
            raise _bad(place, "phrases", f"holds {text!r} twice, as it is compared; leave one out")
        found[spoken] = text
    return found


def _phrase(row: Mapping[str, Any], place: str) -> Phrase:
    """Return what all phrases of a row have in common."""
    alone = row.get("alone", False)
    if not isinstance(alone, bool):
        raise _bad(place, "alone", "is neither true nor false")
    reach = row.get("reach")
    if reach is not None and reach not in list(Reach):
        raise _bad(place, "reach", f"is none of {', '.join(Reach)}")
    for key, known in (("meaning", list(Meaning)), ("status", list(Status))):
        if row[key] not in known:
            raise _bad(place, key, f"is none of {', '.join(known)}")
    return Phrase(
        text="",
        meaning=Meaning(row["meaning"]),
        language=row["language"],
        status=Status(row["status"]),
        citation=row["citation"],
        alone=alone,
        reach=None if reach is None else Reach(reach),
    )


def _bad(place: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_keywords", key, f"{place}: {key!r} {problem}")
