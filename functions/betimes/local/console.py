"""What a person sees at the prompt: progress on a terminal, silence in a pipe, tables that line up with Chinese
text.
"""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import TextIO

# What changes faster than this on a terminal flickers and is not read.
STEADY_S = 0.2


class Progress:
    """One line on the terminal that says how far a long piece of work has got; nothing where there is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._shown = self._stream.isatty()
        self._last = ""

    def say(self, text: str) -> None:
        """Replace the line by `text`."""
        if self._shown and text != self._last:
            self._stream.write(f"\r\x1b[2K{text}")
            self._stream.flush()
            self._last = text

    def count(self, what: str, done: int, total: int) -> None:
        """Show `done` of `total`, in whole percent."""
        if self._shown and total:
            self.say(f"{what} … {100 * done // total} %")

    def clear(self) -> None:
        """Take the line away."""
        if self._shown and self._last:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._last = ""


def steady(
    say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[str], None]:
    """Return `say` as something that may be called often: five times a second at most it really speaks."""
    spoke_at = float("-inf")

    def seldom(text: str) -> None:
        nonlocal spoke_at
        if clock() - spoke_at >= STEADY_S:
            spoke_at = clock()
            say(text)

    return seldom


def width(text: str) -> int:
    """Return how many columns `text` takes on a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, columns: int) -> str:
    """Return `text` in at most so many columns; where something is left out it ends with "…"."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept + character) >= columns:
            break
        kept += character
    return f"{kept}…"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return a table with a rule below the header: the first `left` columns to the left, the others to the right."""
    all_rows = [list(header), *map(list, rows)]
    widths = [max(width(row[n]) for row in all_rows) for n in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell + " " * (widths[n] - width(cell))
            if n < left
            else " " * (widths[n] - width(cell)) + cell
            for n, cell in enumerate(row)
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * w for w in widths), *map(line, rows)])


def indented(text: str, by: str = "    ") -> str:
    """Return `text` with every line moved to the right."""
    return "\n".join(by + line if line else "" for line in text.splitlines())
