"""The parts in which a text message travels, in either of its alphabets: what it costs before it is sent.

`core.segments` is the Chinese carriers' case, always UCS-2; here the alphabet follows from the characters.
"""

from __future__ import annotations

from typing import Final

from betimes.core.segments import segments
from betimes.core.values import dataclass

# 3GPP TS 23.038 section 6.2.1: the basic characters, and those that take an escape before them.
BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("^{}[]\\~|€\f")
WHOLE: Final = 160
PART: Final = 153
# Signs that word processors put in and that make a text three times as long; each with what is typed for it.
FOLDS: Final = {
    "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u202f": " ",
    "\u2011": "-", "\u200b": "", "\u2060": "", "\ufeff": "", "´": "'", "`": "'",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """How a text travels: "gsm7" or "ucs2", and the lengths of its parts in septets or UTF-16 units."""

    alphabet: str
    lengths: tuple[int, ...]


def parts(text: str) -> Parts:
    """Return the parts of a text message; none for an empty text.

    In GSM-7 a part holds 160 septets, or 153 of several; an extended character takes two, which never stand in two
    parts. One character outside makes the whole text UCS-2: 70, or 67 of several.

    Source: 3GPP TS 23.038 section 6.2.1, TS 23.040 section 9.2.3.24.1.
    """
    if not is_gsm7(text):
        return Parts("ucs2", segments(text))
    widths = [2 if character in EXTENDED else 1 for character in text]
    if sum(widths) <= WHOLE:
        return Parts("gsm7", (sum(widths),) if text else ())
    lengths = [0]
    for width in widths:
        if lengths[-1] + width > PART:
            lengths.append(0)
        lengths[-1] += width
    return Parts("gsm7", tuple(lengths))


def is_gsm7(text: str) -> bool:
    """Return whether a text stays in the alphabet of which 160 characters make a part."""
    return all(character in BASIC or character in EXTENDED for character in text)


def folded(text: str) -> str:
    """Return a text with the signs of word processors as they are typed on a keyboard. Shown to an author, never done
    to a text that is sent.
    """
    return "".join(FOLDS.get(character, character) for character in text)
