"""Pages show what they are given and obey none of it; their HTML is whole, and can be read by anybody."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import page, rulebook
from betimes.core.page import (
    Block,
    Bullets,
    Code,
    Facts,
    Link,
    Page,
    Para,
    Said,
    Section,
    Strong,
    Table,
)
from tests.core.rule_mutants import packs

VOID = {"meta", "br", "img", "link", "input", "hr"}
EVIL = (
    "<script>alert(1)</script>",
    "</style><script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; &amp; &#60;i&#62;",
    "[a](javascript:alert(1)) ![b](http://x) <http://x>",
    "# no heading\n\n- no list\n1. one\n```\ncode",
    "| a | b |",
    "`tick` ``ticks`` *star* _line_ ~~gone~~ \\",
    "\\*star\\* \\[a](b) \\`tick",
    "1. one",
    "- item",
    "+ item",
    "> quote",
    "=== ",
    "abc\u202edef\u200bghi\x00\x1b[31m\ue000",
)


class Reader(HTMLParser):
    """Reads HTML strictly: what opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def values(self, name: str) -> list[str]:
        """Return the values of an attribute, wherever it stands."""
        return [
            value or "" for _, attrs in self.tags for key, value in attrs.items() if key == name
        ]


def every_block(text: str) -> Page:
    """Return a page that has a text at every place where one can stand."""
    line = (text, Code(text), Strong(text), Said(text, "hi"), Link(text, "page", "there"))
    blocks: tuple[Block, ...] = (
        Para(line),
        Para((text,), stands_out=True),
        Facts(((text, line),)),
        Bullets((line, (text,))),
        Table((text, "b"), ((line, (text,)),)),
        Section((text,), (Para((text,)),), text),
    )
    return Page("name", text, blocks)


def tags(text: str) -> list[str]:
    """Return the tags of a page, as they come."""
    return [tag for tag, _ in Reader(text).tags]


PLAIN = tags(page.html(every_block("plain")))


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_a_tag(evil: str) -> None:
    """Whatever a text holds, the HTML has the tags of any other, and shows it."""
    html = page.html(every_block(evil))
    read = Reader(html)
    assert tags(html) == PLAIN
    assert page.shown(evil) in read.text


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_no_text_at_all_becomes_a_tag(text: str) -> None:
    """For any text; Chinese may be wrapped in its language."""
    found = [
        tag for tag, attrs in Reader(page.html(every_block(text))).tags if attrs != {"lang": "zh"}
    ]
    assert found == PLAIN


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_markup_of_markdown(evil: str) -> None:
    """No heading, list, table, link, image, HTML or emphasis that was not asked for."""
    made = page.markdown(Page("name", "title", (Para((evil,)), Para(("last",)))))
    heading, text, last = made.rstrip("\n").split("\n\n")
    assert (heading, last) == ("# title", "last")
    assert "\n" not in text
    assert not re.match(r"([#>|=+-]|\d+[.)])", text)
    assert "<" not in text
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*\[\]|~]", text)


def test_a_table_has_as_many_cells_whatever_stands_in_them() -> None:
    """A bar in a text is no end of a cell, in code neither."""
    made = page.markdown(Page("n", "t", (Table(("a|b", "c"), (((Code("x|`y"),), ("|",)),)),)))
    for line in made.splitlines()[2:]:
        assert len(re.findall(r"(?<!\\)\|", line)) == 3, line


def test_what_nobody_sees_is_shown_by_its_number() -> None:
    """A mark that turns the order of reading, a space without width, a control character."""
    assert page.shown("ab\u202ec\u200bd\x07") == "ab⟨U+202E⟩c⟨U+200B⟩d⟨U+0007⟩"
    assert page.shown(" a\n\n b\t c ") == "a b c"


@pytest.mark.parametrize("name", ["index", *(pack.name for pack in packs())])
def test_a_page_of_the_book_is_whole_and_needs_nothing_beside_itself(name: str) -> None:
    """One language, one title, a viewport, unique anchors, links that lead somewhere, no script, nothing loaded."""
    made = {each.name: each for each in rulebook.pages(packs(), date(2026, 11, 24))}
    html = page.html(made[name])
    read = Reader(html)
    assert html.startswith("<!DOCTYPE html>\n")
    assert ("html", {"lang": "en"}) in read.tags
    assert ("meta", {"charset": "utf-8"}) in read.tags
    assert sum(tag == "title" for tag, _ in read.tags) == 1
    assert sum(tag == "h1" for tag, _ in read.tags) == 1
    assert "width=device-width" in " ".join(read.values("content"))
    assert "default-src 'none'" in " ".join(read.values("content"))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.tags}
    assert not read.values("src") and "url(" not in html and "@import" not in html
    anchors = read.values("id")
    assert len(set(anchors)) == len(anchors)
    for target in read.values("href"):
        file, _, anchor = target.partition("#")
        assert file.removesuffix(".html") in made if file else anchor in anchors, target
    assert "@media print" in html


def test_headings_do_not_skip_a_level() -> None:
    """Who listens to a page finds the way by its headings."""
    made = rulebook.pages(packs(), date(2026, 11, 24))
    for each in made:
        levels = [
            int(tag[1]) for tag, _ in Reader(page.html(each)).tags if re.fullmatch("h[1-6]", tag)
        ]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_chinese_is_named_as_such_and_other_words_by_their_language() -> None:
    """So that it is read aloud and drawn in its own letters."""
    html = page.html(
        Page("n", "t", (Para(("Five classes: 关注(一) from", Said("conta em atraso", "pt"))),))
    )
    assert 'Five classes: <span lang="zh">关注</span>(' in html
    assert '<span lang="pt">conta em atraso</span>' in html


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("where", page.COLOURS)
def test_text_stands_out_from_what_it_stands_on(where: str) -> None:
    """4.5 to 1 or more, and no colour in the style that is not one of a pair, a line or a frame."""
    dark, light = sorted(map(luminance, page.COLOURS[where]))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert (
        f"{where} {{ color: {page.COLOURS[where][0]}; background: {page.COLOURS[where][1]}; }}"
        in page.html(Page("n", "t", ()))
    )


def test_a_table_whose_rows_are_not_as_wide_as_its_head_is_a_mistake() -> None:
    """It would shift what stands under which head."""
    with pytest.raises(AssertionError):
        Table(("a", "b"), ((("1",),),))
