"""Pages for people: blocks of text that become Markdown or one HTML file, both from the same words.

Whatever stands in a text is shown and never obeyed: signs of Markdown and HTML are escaped, runs of white space are one
space, and characters that nobody sees, or that change the order in which others are read, are shown by their number.
The HTML needs nothing beside itself, runs no script, and reads well on paper, on a phone and aloud.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, assert_never

from betimes.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """An id, a key or a hash: letters of one width."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """Words in another language (a BCP 47 tag) than the page's."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an anchor of this page, or of the page called `page` where that is not ""."""

    text: str
    page: str = ""
    anchor: str = ""


Inline = str | Code | Strong | Said | Link
Line = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph; one that `stands_out` is framed."""

    line: Line
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what is said of each."""

    rows: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has as many cells as `head`."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.head) for row in self.rows), "rows are as wide as the head"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of lines."""

    items: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a title; `anchor` is what links call it, "" where none does."""

    title: Line
    blocks: tuple[Block, ...]
    anchor: str = ""


Block = Para | Facts | Table | Bullets | Section


@dataclass(frozen=True, slots=True)
class Page:
    """A page called `name` (of its file, without an ending), in the language of the product."""

    name: str
    title: str
    blocks: tuple[Block, ...]


LANGUAGE: Final = "en"
# Of text and what it stands on, by where they are used; each pair has a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3).
COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "body": ("#1a1a1a", "#ffffff"),
    "a": ("#0b4f9e", "#ffffff"),
    "dt": ("#4a4a4a", "#ffffff"),
    "th": ("#1a1a1a", "#eeeeee"),
    "code": ("#1a1a1a", "#f2f2f2"),
    ".note": ("#1a1a1a", "#fff6d6"),
}
_COLOURED: Final = "\n".join(
    f"{where} {{ color: {ink}; background: {paper}; }}" for where, (ink, paper) in COLOURS.items()
)
_STYLE: Final = f"""{_COLOURED}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }}
body {{ overflow-wrap: anywhere; }}
h1, h2, h3, h4 {{ line-height: 1.25; }}
h3 {{ border-top: 1px solid #767676; padding-top: 1rem; }}
code {{ font-family: ui-monospace, monospace; font-size: 0.9em; }}
dl {{ display: grid; grid-template-columns: minmax(7rem, 11rem) 1fr; gap: 0.25rem 1rem; margin: 0.5rem 0; }}
dd {{ margin: 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: 0.9rem; }}
th, td {{ border: 1px solid #767676; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }}
.note {{ border: 1px solid #767676; padding: 0.5rem 0.75rem; }}
a:focus-visible {{ outline: 3px solid #0b4f9e; outline-offset: 2px; }}
@media (max-width: 32rem) {{ dl {{ grid-template-columns: 1fr; gap: 0; }} dd {{ margin-bottom: 0.5rem; }} }}
@page {{ margin: 2cm 1.5cm; }}
@media print {{
  body {{ max-width: none; padding: 0; font-size: 10pt; }}
  a {{ color: inherit; text-decoration: none; }}
  th, code, .note {{ background: none; }}
  h2, h3, dt {{ break-after: avoid; }}
  tr, .note {{ break-inside: avoid; }}
  .wide {{ overflow: visible; }}
}}"""
# Nothing of what a text says can load or run anything, should an escape ever fail.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_HAN: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff][\u3000-\u303f\u3400-\u9fff\uf900-\uffef]*")
_MARKS: Final = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])")
_AT_START: Final = re.compile(r"^(\d+)([.)])|^([-+#=])")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})


def shown(text: str) -> str:
    """Return a text in one line, every hidden character as ⟨U+202E⟩."""
    one_line = " ".join(text.split())
    return "".join(
        f"⟨U+{ord(each):04X}⟩" if unicodedata.category(each) in _HIDDEN else each
        for each in one_line
    )


def markdown(page: Page) -> str:
    """Return a page as Markdown (CommonMark with tables), with a final line break."""
    parts = [f"# {_plain_mark(page.title)}", *_blocks_md(page.blocks, 2)]
    return "\n\n".join(parts) + "\n"


def html(page: Page) -> str:
    """Return a page as one HTML 5 file that needs nothing beside itself."""
    title = escape(shown(page.title))
    return "\n".join(
        (
            "<!DOCTYPE html>",
            f'<html lang="{LANGUAGE}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>\n{_STYLE}\n</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{_han(page.title)}</h1>",
            *_blocks_html(page.blocks, 2),
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def _blocks_md(blocks: Iterable[Block], level: int) -> Iterable[str]:
    for block in blocks:
        match block:
            case Para():
                text = _AT_START.sub(_guarded, _line_md(block.line))
                yield f"> {text}" if block.stands_out else text
            case Facts():
                yield "\n".join(
                    f"- **{_plain_mark(name)}:** {_line_md(line)}" for name, line in block.rows
                )
            case Bullets():
                yield "\n".join(
                    f"- {_AT_START.sub(_guarded, _line_md(line))}" for line in block.items
                )
            case Table():
                rows = [_row_md(map(_plain_mark, block.head)), _row_md("---" for _ in block.head)]
                yield "\n".join(rows + [_row_md(map(_line_md, row)) for row in block.rows])
            case Section():
                if block.anchor:
                    yield f'<a id="{escape(shown(block.anchor))}"></a>'
                yield f"{'#' * level} {_line_md(block.title)}"
                yield from _blocks_md(block.blocks, level + 1)
            case _ as never:
                assert_never(never)


def _guarded(found: re.Match[str]) -> str:
    """Return the start of a paragraph that would be taken for a list or a heading, made harmless."""
    return f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}"


def _row_md(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line_md(line: Line) -> str:
    return "".join(map(_inline_md, line))


def _inline_md(inline: Inline) -> str:
    match inline:
        case str():
            return _plain_mark(inline)
        case Said():
            return _plain_mark(inline.text)
        case Strong():
            return f"**{_plain_mark(inline.text)}**" if inline.text.strip() else ""
        case Code():
            return _code_md(shown(inline.text))
        case Link():
            target = f"{inline.page}.md" if inline.page else ""
            anchor = f"#{inline.anchor}" if inline.anchor else ""
            return f"[{_plain_mark(inline.text)}](<{escape(shown(target + anchor))}>)"
        case _ as never:
            assert_never(never)


def _code_md(text: str) -> str:
    """Return a text between more backticks than it has on end; in a table the bar is escaped even there."""
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{gap}{text}{gap}{fence}".replace("|", "\\|")


def _plain_mark(text: str) -> str:
    """Return a text of which Markdown and the HTML inside it see letters only; spaces at its ends stay."""
    edges = (" " if text[:1].isspace() else "", " " if text[1:][-1:].isspace() else "")
    marked = _MARKS.sub(lambda found: f"\\{found[0]}", shown(text))
    return edges[0] + escape(marked, quote=False) + edges[1]


def _blocks_html(blocks: Iterable[Block], level: int) -> Iterable[str]:
    for block in blocks:
        match block:
            case Para():
                kind = ' class="note"' if block.stands_out else ""
                yield f"<p{kind}>{_line_html(block.line)}</p>"
            case Facts():
                rows = (
                    f"<dt>{_han(name)}</dt><dd>{_line_html(line)}</dd>" for name, line in block.rows
                )
                yield "\n".join(("<dl>", *rows, "</dl>"))
            case Bullets():
                yield "\n".join(
                    ("<ul>", *(f"<li>{_line_html(line)}</li>" for line in block.items), "</ul>")
                )
            case Table():
                yield from _table_html(block)
            case Section():
                anchor = f' id="{escape(shown(block.anchor))}"' if block.anchor else ""
                yield f"<section{anchor}>"
                yield f"<h{level}>{_line_html(block.title)}</h{level}>"
                yield from _blocks_html(block.blocks, level + 1)
                yield "</section>"
            case _ as never:
                assert_never(never)


def _table_html(table: Table) -> Iterable[str]:
    head = "".join(f'<th scope="col">{_han(each)}</th>' for each in table.head)
    yield f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>'
    yield "<tbody>"
    for row in table.rows:
        yield f"<tr>{''.join(f'<td>{_line_html(cell)}</td>' for cell in row)}</tr>"
    yield "</tbody>"
    yield "</table></div>"


def _line_html(line: Line) -> str:
    return "".join(map(_inline_html, line))


def _inline_html(inline: Inline) -> str:
    match inline:
        case str():
            return _han(inline)
        case Said():
            language = escape(shown(inline.language))
            return f'<span lang="{language}">{escape(shown(inline.text))}</span>'
        case Strong():
            return f"<strong>{_han(inline.text)}</strong>"
        case Code():
            return f"<code>{_han(inline.text)}</code>"
        case Link():
            target = f"{inline.page}.html" if inline.page else ""
            anchor = f"#{inline.anchor}" if inline.anchor else ""
            return f'<a href="{escape(shown(target + anchor))}">{_han(inline.text)}</a>'
        case _ as never:
            assert_never(never)


def _han(text: str) -> str:
    """Return a text for HTML, Chinese in it named so, that it is read aloud and drawn as such."""
    edges = (" " if text[:1].isspace() else "", " " if text[1:][-1:].isspace() else "")
    named = _HAN.sub(lambda found: f'<span lang="zh">{found[0]}</span>', escape(shown(text)))
    return edges[0] + named + edges[1]
