"""The frames of e-mails that are part of the package: compiled HTML, used only where it was made from what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from betimes.adapters import pack_files
from betimes.core.errors import Rejected
from betimes.core.mail import Frame

FOLDER: Final = "mail"
WORDS: Final = "words.toml"
LAYOUT: Final = "layout.mjml"
COMPILED: Final = "compiled.toml"
# Files that what is said by e-mail rests on, but for the HTML: its hash stands in the last one.
FILES: Final = (f"{FOLDER}/{LAYOUT}", f"{FOLDER}/{WORDS}", f"{FOLDER}/{COMPILED}")
_WORDS: Final = frozenset(
    "lang title button minimum_cost late_cost help service_phone code stop footer foot labels".split()
)
_HEAD: Final = """\
# The HTML of each frame and the SHA-256 of the source it was made from. Written by `betimes publish --frames`: do not
# edit it, run it again.
"""


@lru_cache(maxsize=1)
def frames() -> Mapping[str, Frame]:
    """Return the frames by language.

    Raises:
        Rejected: code "stale_frame", where the HTML was not made from layout and words as they are, or is not what was
            made; "bad_frame", where words are missing; "bad_toml".
    """
    place = f"{FOLDER}/{COMPILED}"
    compiled = pack_files.document(pack_files.root() / FOLDER / COMPILED, place)
    found = {}
    for locale, words in words_by_locale().items():
        row = compiled.get(locale)
        html = row.get("html") if isinstance(row, Mapping) else None
        if not isinstance(html, str) or not isinstance(row, Mapping):
            raise _stale(place, locale, "there is none")
        if row.get("source") != source_digest(locale):
            raise _stale(place, locale, f"it was made from another {LAYOUT} or {WORDS}")
        if row.get("sha256") != _digest(html):
            raise _stale(place, locale, "it was changed by hand")
        found[locale] = Frame(locale, html, words["foot"], MappingProxyType(words["labels"]))
    return MappingProxyType(found)


def words_by_locale() -> dict[str, dict[str, Any]]:
    """Return the words of the frames by language.

    Raises:
        Rejected: code "bad_frame", where a language has not just the words that the layout needs; "bad_toml".
    """
    place = f"{FOLDER}/{WORDS}"
    document = pack_files.document(pack_files.root() / FOLDER / WORDS, place)
    for locale, words in document.items():
        keys = set(words) if isinstance(words, Mapping) else set()
        wrong = sorted(keys ^ _WORDS)
        if wrong:
            raise Rejected(
                "bad_frame",
                wrong[0],
                f"{place} [{locale}]: {wrong[0]!r} is missing or unknown; a language has {', '.join(sorted(_WORDS))}",
            )
    return document


def source(locale: str) -> str:
    """Return the MJML of one language: the layout with its words in it, escaped; marks of templates are still there."""
    text = pack_files.text(pack_files.root() / FOLDER / LAYOUT, f"{FOLDER}/{LAYOUT}")
    for name, words in words_by_locale()[locale].items():
        if isinstance(words, str):
            text = text.replace(f"[[w.{name}]]", _escaped(words))
    return text


def source_digest(locale: str) -> str:
    """Return the SHA-256 of the MJML of one language."""
    return _digest(source(locale))


def write(html: Mapping[str, str]) -> str:
    """Write compiled HTML by language in place of what there is, and return where it is.

    Raises:
        Rejected: code "bad_out", where the packs cannot be written to.
    """
    file = Path(str(pack_files.root())) / FOLDER / COMPILED
    lines = [_HEAD]
    for locale, text in html.items():
        assert "'''" not in text, "a literal text of TOML ends with three quotes"
        lines.append(
            f"\n[{locale}]\nsource = \"{source_digest(locale)}\"\nsha256 = \"{_digest(text)}\"\nhtml = '''{text}'''\n"
        )
    try:
        file.write_text("".join(lines), "utf-8")
    except OSError as error:
        raise Rejected(
            "bad_out",
            "--frames",
            f"{file} cannot be written: {error.strerror}; compile in a clone of the repository",
        ) from None
    frames.cache_clear()
    return str(file)


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _stale(place: str, locale: str, why: str) -> Rejected:
    return Rejected(
        "stale_frame",
        locale,
        f"{place}: the frame of {locale} may not be used: {why}; run 'betimes publish --frames'",
    )
