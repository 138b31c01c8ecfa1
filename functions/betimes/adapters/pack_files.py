"""The TOML files of the package's packs: found, read as UTF-8 and parsed; what goes wrong names the file."""

from __future__ import annotations

import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from betimes.core.errors import Rejected


def root() -> Traversable:
    """Return the folder of all packs."""
    return resources.files("betimes.packs")


def in_folder(folder: str) -> list[Traversable]:
    """Return the TOML files of a folder of the packs, in order of name."""
    files = (file for file in (root() / folder).iterdir() if file.name.endswith(".toml"))
    return sorted(files, key=lambda file: file.name)


def text(file: Traversable, place: str) -> str:
    """Return what a file says; `place` names it in errors.

    Raises:
        Rejected: code "bad_toml", where it is not UTF-8.
    """
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected(
            "bad_toml", "", f"{place}: byte {error.start + 1} is not UTF-8: save the file as UTF-8"
        ) from None


def parsed(text: str, place: str) -> dict[str, Any]:
    """Return the document in `text`; `place` names its file in errors.

    Raises:
        Rejected: code "bad_toml", where it is no TOML, which a date that does not exist makes it.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Rejected("bad_toml", "", f"{place}: is no TOML: {error}; correct it") from None


def document(file: Traversable, place: str) -> dict[str, Any]:
    """Return the parsed file; `place` names it in errors.

    Raises:
        Rejected: code "bad_toml", where it is not UTF-8 or no TOML.
    """
    return parsed(text(file, place), place)
