"""Reading the HTML of an e-mail for what the gate of publishing asks: language, tables, images, links, colours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from html.parser import HTMLParser
from typing import Final

from betimes.core.values import dataclass

_VOID: Final = frozenset("area base br col hr img input link meta source wbr".split())
_FORBIDDEN: Final = frozenset(
    "audio base embed form iframe input link object script svg video".split()
)
_COLOUR: Final = re.compile(r"#([0-9a-fA-F]{6})\b")
_UNSEEN: Final = frozenset({"style", "title", "head"})
# Where red, green and blue stand in #rrggbb, and what each adds to the luminance; and the light that a screen reflects.
_WEIGHTS: Final = ((1, Decimal("0.2126")), (3, Decimal("0.7152")), (5, Decimal("0.0722")))
_FLARE: Final = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Image:
    """An image: where it is read from, and its alternative text, None without one."""

    source: str
    alt: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its address, and what is read of it."""

    address: str
    words: str


@dataclass(frozen=True, slots=True)
class Markup:
    """What an e-mail's HTML holds. `tables` counts those with cells and neither a role nor heads of rows; `contrasts`
    gives the ratio of each pair of colours, text and ground, in which a word is written; `unbalanced` says which tag is
    not closed, "" where all are.
    """

    language: str
    title: str
    words: str
    images: tuple[Image, ...]
    links: tuple[Link, ...]
    tables: int
    forbidden: tuple[str, ...]
    attributes_with_slots: tuple[str, ...]
    contrasts: Mapping[tuple[str, str], Decimal]
    unbalanced: str


def read(markup: str) -> Markup:
    """Return what an e-mail's HTML holds. Conditional comments of mail programs are comments and not read."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return Markup(
        reader.language,
        reader.title,
        "".join(reader.words),
        tuple(reader.images),
        tuple(Link(address, "".join(words)) for address, words in reader.links),
        reader.bare_tables,
        tuple(sorted(reader.forbidden)),
        tuple(sorted(reader.slotted)),
        {pair: contrast(*pair) for pair in sorted(reader.pairs)},
        reader.unbalanced or (f"<{reader.open[-1]}> stays open" if reader.open else ""),
    )


def contrast(text: str, ground: str) -> Decimal:
    """Return the contrast of two colours such as #1a1a1a, 1 to 21. Source: WCAG 2.2, relative luminance."""
    lighter, darker = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (lighter + _FLARE) * (darker + _FLARE) ** -1


def _luminance(colour: str) -> Decimal:
    return sum(
        (weight * _light(int(colour[at : at + 2], 16)) for at, weight in _WEIGHTS), Decimal()
    )


def _light(level: int) -> Decimal:
    """Return the light of one channel of sRGB, 0 to 1, from its level, 0 to 255.

    The formulas of WCAG with level/255 put in for their share: 0.04045 lies between the levels 10 and 11.
    """
    if level <= 10:
        return level * Decimal("3294.6") ** -1
    return ((level + Decimal("14.025")) * Decimal("269.025") ** -1) ** Decimal("2.4")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language = ""
        self.title = ""
        self.words: list[str] = []
        self.images: list[Image] = []
        self.links: list[tuple[str, list[str]]] = []
        self.bare_tables = 0
        self.forbidden: set[str] = set()
        self.slotted: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()
        self.unbalanced = ""
        self.open: list[str] = []
        self._colours = [("#000000", "#ffffff")]
        # Of each open table: whether it is known for what it is, and whether it has cells.
        self._tables: list[tuple[bool, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if "((" in value and not (tag == "a" and name == "href"):
                self.slotted.add(f"{tag} {name}")
        if tag == "html":
            self.language = given.get("lang", "")
        if tag in _FORBIDDEN or any(name.startswith("on") for name in given):
            self.forbidden.add(tag)
        if tag == "img":
            self.images.append(Image(given.get("src", ""), given.get("alt")))
        if tag == "a":
            self.links.append((given.get("href", ""), []))
        if tag == "table":
            self._tables.append((bool(given.get("role")), False))
        if tag in ("td", "th") and self._tables:
            known, _ = self._tables[-1]
            self._tables[-1] = (known or (tag == "th" and "scope" in given), True)
        if tag not in _VOID:
            self.open.append(tag)
            self._colours.append(_coloured(given, *self._colours[-1]))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.unbalanced = self.unbalanced or f"</{tag}> closes nothing that is open"
            return
        self.open.pop()
        self._colours.pop()
        if tag == "table" and self._tables:
            known, has_cells = self._tables.pop()
            self.bare_tables += has_cells and not known

    def handle_data(self, data: str) -> None:
        if "title" in self.open:
            self.title += data
        if not data.strip() or _UNSEEN & set(self.open):
            return
        self.words.append(data)
        if "a" in self.open:
            self.links[-1][1].append(data)
        self.pairs.add(self._colours[-1])


def _coloured(given: Mapping[str, str], text: str, ground: str) -> tuple[str, str]:
    style = {
        name.strip().lower(): value
        for name, _, value in (part.partition(":") for part in given.get("style", "").split(";"))
    }
    own = _COLOUR.search(style.get("color", ""))
    behind = _COLOUR.search(
        style.get("background-color", "") or style.get("background", "") or given.get("bgcolor", "")
    )
    return (
        own[0].lower() if own else text,
        behind[0].lower() if behind else ground,
    )
