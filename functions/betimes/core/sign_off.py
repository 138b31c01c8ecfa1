"""Signing a pack: somebody has compared its rules with the law, and answers for them by name and day.

What is signed is what the pack says: each key of it and of each of its rules, with every default written out. Comments
and layout are not signed, and neither is the signature itself. Where the pack says anything else later, the signature
does not hold: the rule book and `betimes check` say so. Nobody checks here who wrote a name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from betimes.core.rule import Pack, Signature

MOST_NAME: Final = 120
# The table of a signature with what belongs to it: everything up to the next table.
_TABLE: Final = re.compile(r"^[ \t]*\[signed\][^\n]*\n(?:(?![ \t]*\[)[^\n]*\n?)*", re.MULTILINE)
_FIRST_RULE: Final = re.compile(r"^[ \t]*\[\[rule\]\]", re.MULTILINE)


class Standing(StrEnum):
    """Whether anybody answers for a pack as it is now."""

    SIGNED = "signed"
    CHANGED = "changed since it was signed"
    UNSIGNED = "not signed"


def digest(pack: Pack) -> str:
    """Return the SHA-256, in hex, of what a pack says; of two files that differ in comments only it is the same."""
    said = {
        each.name: _plain(getattr(pack, each.name))
        for each in dataclasses.fields(pack)
        if each.name not in ("sha256", "signed")
    }
    canonical = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def standing(pack: Pack) -> Standing:
    """Return whether the pack is signed, and still says what was signed."""
    if pack.signed is None:
        return Standing.UNSIGNED
    return Standing.SIGNED if pack.signed.digest == digest(pack) else Standing.CHANGED


def words(pack: Pack) -> str:
    """Return who signed a pack and whether that holds, in words."""
    if pack.signed is None:
        return "nobody has signed this pack"
    by = f"by {pack.signed.by} on {pack.signed.on}"
    if standing(pack) is Standing.SIGNED:
        return f"signed {by}"
    return f"changed since it was signed {by}: the signature does not hold; read what changed, and sign anew"


def written(text: str, signature: Signature) -> str:
    """Return the text of a pack's file with that signature in place of any before it, ahead of the first rule."""
    bare = _TABLE.sub("", text)
    table = (
        f"[signed]\nby = {json.dumps(signature.by, ensure_ascii=False)}\non = {signature.on}\n"
        f'digest = "{signature.digest}"\n\n'
    )
    found = _FIRST_RULE.search(bare)
    place = len(bare) if found is None else found.start()
    return bare[:place] + table + bare[place:]


def _plain(value: object) -> object:
    """Return a value of a pack as JSON has it, the same for equal values: sets in order, numbers and dates as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int) else str(value)
