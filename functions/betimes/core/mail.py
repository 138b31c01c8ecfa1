"""The HTML of an e-mail: a frame that was compiled once for each language, with a template's own words put into it.

A frame is `packs/mail/layout.mjml` compiled with the words of one language; it holds marks `[[paragraphs]]` that a
template's words replace when it is read. What comes out is a text with slots as any other, rendered by `core.message`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Final

from betimes.core.values import dataclass
from betimes.core.variables import TABLE

# Variables that the table of facts may list, in the order a template gives them.
FACTS: Final = ("amount", "minimum", "due", "debit_at", "instrument", "pay_by", "overdue_days")
# What a template's words replace in a frame.
MARKS: Final = ("heading", "paragraphs", "facts")
_STYLED: Final = {"overdue_days": "overdue_days|days", "instrument": "instrument|tail"}
_CONDITION: Final = re.compile(r"\(\(\s*(?:if\s+[a-z_]+|end)\s*\)\)")
_CELL: Final = "padding:8px 0;border-bottom:1px solid #d9d9d9;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of one language: HTML with marks, the foot of the text part, and what each fact is called."""

    locale: str
    html: str
    foot: str
    labels: Mapping[str, str]


def composed(frame: Frame, subject: str, text: str, facts: Sequence[str]) -> str:
    """Return the HTML of one e-mail, its slots still open: subject as heading, text as paragraphs, facts as a table.

    A paragraph ends with an empty line; a line break stays one. The author's words are escaped.
    """
    parts = {
        "heading": html.escape(subject),
        "paragraphs": _paragraphs(text),
        "facts": "".join(_row(name, frame) for name in facts),
    }
    return re.sub(r"\[\[([a-z]+)\]\]", lambda mark: parts[mark[1]], frame.html)


def footed(frame: Frame, text: str) -> str:
    """Return the text part of an e-mail with the foot of the frame under it."""
    return f"{text.rstrip()}\n\n{frame.foot.strip()}\n"


def _paragraphs(text: str) -> str:
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        words = html.escape(paragraph.strip(), quote=False).replace("\n", "<br>")
        # A line that holds nothing but the end of a condition is none of the borrower's.
        words = re.sub(r"<br>(\(\(\s*end\s*\)\))", r"\1<br>", words).removesuffix("<br>")
        found.append(f'<p style="margin:0 0 14px">{words}</p>')
    return "".join(found)


def _row(name: str, frame: Frame) -> str:
    label = html.escape(frame.labels[name])
    row = (
        f'<tr><th scope="row" style="{_CELL};text-align:left;font-weight:normal;color:#555555">{label}</th>'
        f'<td style="{_CELL};text-align:right;font-weight:bold;color:#1a1a1a">(({_STYLED.get(name, name)}))</td></tr>'
    )
    if not TABLE[name].optional:
        return row
    return f"((if {TABLE[name].goes_with or name})){row}((end))"
