"""The words of the hosted pages: the same in every language, and none that no page says."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping

import pytest

from betimes.adapters import pages
from betimes.adapters.pack_files import document, root
from tests.house.test_house import PACKAGE

WORDS = {
    name: document(root() / "pages" / f"{name}.toml", f"pages/{name}.toml")
    for name in pages.LANGUAGES
}
SOURCE = "".join(
    (PACKAGE / path).read_text("utf-8")
    for path in ("adapters/pages.py", "handlers/on_page.py", "flows/answer.py", "core/links.py")
)

QUOTED = set(re.findall(r"""["'][a-z_]+["']""", SOURCE))


def _each(words: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str, str]]:
    for section, said in words.items():
        for key, text in said.items():
            yield section, key, text


def _slots(text: str) -> set[str]:
    return set(string.Template(text).get_identifiers())


def test_every_language_says_the_same() -> None:
    """Section by section and word by word, with the same slots in each."""
    first, *others = (
        {(section, key): _slots(text) for section, key, text in _each(words)}
        for words in WORDS.values()
    )
    assert first
    for other in others:
        assert other == first


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_no_word_is_said_by_no_page(language: str) -> None:
    """Each section and each key is named in the code that shows it."""
    unsaid = [
        f"{section}.{key}"
        for section, key, _ in _each(WORDS[language])
        if section not in ("channel", "own") and not {f'"{key}"', f"'{key}'"} & QUOTED
    ]
    assert unsaid == []


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_no_word_is_empty(language: str) -> None:
    """A section or key without text would leave a hole on a page."""
    assert all(text.strip() for _, _, text in _each(WORDS[language]))
