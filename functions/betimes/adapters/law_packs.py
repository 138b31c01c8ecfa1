"""The rule packs that are part of the package, read into one law."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from betimes.adapters import calendars, pack_files
from betimes.core import pack
from betimes.core.errors import Rejected
from betimes.core.law import HOUSE, Law
from betimes.core.rule import HOLIDAY, ConsentTerms, NoticeTerms, NoticeUnit, Pack, WindowTerms
from betimes.core.workdays import Calendar

FOLDER: Final = "rules"
PRODUCTS: Final = "products"


@lru_cache(maxsize=1)
def law() -> Law:
    """Return the shipped packs as one law, with the calendars that their rules need; read once.

    Raises:
        Rejected: a pack is malformed or they do not fit together (`core.pack.parse`, `check_all`), or the house has no
            pack or no zones ("bad_rule"); the message names file, rule and key.
    """
    packs = {}
    for file in pack_files.in_folder(FOLDER):
        place = f"{FOLDER}/{file.name}"
        text = pack_files.text(file, place)
        read = pack.parse(
            pack_files.parsed(text, place), place, hashlib.sha256(text.encode()).hexdigest()
        )
        wanted = f"{read.name}.toml"
        if file.name != wanted:
            message = (
                f"{place}: 'pack' is {read.name!r}: call the file {wanted}, or correct the key"
            )
            raise Rejected("bad_rule", "pack", message)
        packs[read.name] = read
    products = [file.name.removesuffix(".toml") for file in pack_files.in_folder(PRODUCTS)]
    pack.check_all(packs.values(), calendars.shipped(), FOLDER, products)
    house = packs.get(HOUSE)
    if house is None or not house.zones:
        what = "is missing" if house is None else "lists no zones"
        raise Rejected(
            "bad_rule",
            "pack" if house is None else "zones",
            f"{FOLDER}/{HOUSE}.toml: {what}: everybody whose jurisdiction has no file needs them; write the file",
        )
    return Law(packs, _calendars(packs))


def _calendars(packs: Mapping[str, Pack]) -> dict[str, Calendar]:
    """Return the calendars that a rule asks for a day; one that is only named for later is not read."""
    names = set()
    for each in packs.values():
        for rule in each.rules:
            terms = rule.terms
            if isinstance(terms, WindowTerms) and HOLIDAY in terms.days:
                names.add(terms.calendar or each.calendar)
            elif (isinstance(terms, NoticeTerms) and terms.unit is NoticeUnit.BUSINESS_DAYS) or (
                isinstance(terms, ConsentTerms) and terms.revoked_within_days
            ):
                names.add(each.calendar)
    return {name: calendars.calendar(name) for name in sorted(names) if name}
