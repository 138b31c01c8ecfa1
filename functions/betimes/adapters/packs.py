"""The policy packs that are part of the package, read into core values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from betimes.adapters import calendars, pack_files
from betimes.adapters.buckets import buckets
from betimes.core import message, product, rules, treatment
from betimes.core.errors import Rejected
from betimes.core.message import Template
from betimes.core.policies import Policies
from betimes.core.product import Profile
from betimes.core.rules import Rules
from betimes.core.treatment import Treatment
from betimes.core.workdays import Calendar


@lru_cache(maxsize=8)
def policies(treatment_name: str, lender: str) -> Policies:
    """Return the shipped policies with the treatment called `treatment_name`, speaking for `lender`.

    Every file is read, also one that nothing names; only China's calendar, which is no file, waits until it is named.

    Raises:
        Rejected: a pack is malformed, or there is no such treatment; the message names file and key.
    """
    lines = treatments()
    if treatment_name not in lines:
        raise Rejected(
            "unknown_treatment",
            "treatment",
            f"there is no treatment {treatment_name!r}; shipped: {', '.join(sorted(lines))}",
        )
    return Policies(
        treatment=lines[treatment_name],
        rules=_rules(),
        templates=_templates(),
        lender=lender,
        treatments=lines,
        profiles=profiles(),
        calendars=_calendars(),
        buckets=buckets(),
    )


@lru_cache(maxsize=1)
def treatments() -> Mapping[str, Treatment]:
    """Return the shipped treatments by name, each the newest version of its line.

    A version of its own stands in a file of its own, such as `huabei_like@2.toml`.

    Raises:
        Rejected: a file is malformed ("bad_treatment", "bad_toml"), names a calendar there is none of
            ("unknown_calendar"), is not called what its treatment is called, or two versions overlap
            ("overlapping_version"); the message names file and key.
    """
    versions: dict[str, list[Treatment]] = {}
    documents = _documents("treatments")
    for place, document in documents:
        _check_calendar(document.get("calendar", ""), place)
    known = _calendars()
    for place, document in documents:
        version = treatment.parse(document, place, known)
        _check_name("bad_treatment", "name", version.name, place)
        versions.setdefault(version.name, []).append(version)
    return MappingProxyType({name: treatment.line(of) for name, of in versions.items()})


def _calendars() -> Mapping[str, Calendar]:
    """Return the calendars that are files, and China's where a product or a treatment rolls by it."""
    named = {profile.calendar for profile in profiles().values()}
    named |= {str(document.get("calendar")) for _, document in _documents("treatments")}
    return {
        name: calendars.calendar(name)
        for name in calendars.shipped()
        if name != calendars.CHINA or name in named
    }


def _check_calendar(name: object, place: str) -> None:
    """Refuse a name behind which there is no calendar; what is no text is for the parser to refuse."""
    if name and isinstance(name, str) and name not in calendars.shipped():
        raise Rejected(
            "unknown_calendar",
            "calendar",
            f"{place}: 'calendar' names {name!r}; there are: {', '.join(calendars.shipped())}",
        )


@lru_cache(maxsize=1)
def profiles() -> Mapping[str, Profile]:
    """Return the shipped product profiles by name, in order of name; read once, the mapping cannot be changed.

    Raises:
        Rejected: a profile is malformed ("bad_product", "bad_toml"), names a calendar there is none of
            ("unknown_calendar"), or is not called what its file is called; the message names file and key.
    """
    found = {}
    for place, document in _documents("products"):
        profile = product.parse(document, place)
        _check_name("bad_product", "name", profile.name, place)
        _check_calendar(profile.calendar, place)
        found[profile.name] = profile
    return MappingProxyType(found)


def _rules() -> Rules:
    """Return the contact windows; the one of the house is among them, with zones for those of whom nothing is known."""
    windows = {}
    for place, document in _documents("rules"):
        window = rules.parse_window(document, place)
        _check_name("bad_rule", "jurisdiction", window.jurisdiction, place)
        windows[window.jurisdiction] = window
    house = windows.get(rules.HOUSE)
    if house is None or not house.zones:
        what = "is missing" if house is None else "lists no zones"
        raise Rejected(
            "bad_rule",
            "jurisdiction" if house is None else "zones",
            f"rules/{rules.HOUSE}.toml: {what}: everybody whose jurisdiction has no file needs them; write the file",
        )
    return Rules(windows)


def _templates() -> Mapping[str, Template]:
    found = {}
    for place, document in _documents("templates"):
        template = message.parse(document, place)
        _check_name("bad_template", "name", template.name, place)
        found[template.name] = template
    return found


def _check_name(code: str, key: str, name: str, place: str) -> None:
    """Refuse a file that is not called what it holds: two files could hold one thing, and the later one would win.

    What stands behind an "@" tells versions of a treatment apart and is no part of the name.
    """
    folder, _, file = place.removesuffix(".toml").partition("/")
    called, at, version = file.partition("@") if folder == "treatments" else (file, "", "")
    if called != name:
        wanted = f"{folder}/{name}{at}{version}.toml"
        message = f"{place}: {key!r} is {name!r}: call the file {wanted}, or correct the key"
        raise Rejected(code, key, message)


def _documents(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the parsed TOML files of a pack folder with their names, in order of name."""
    places = ((f"{folder}/{file.name}", file) for file in pack_files.in_folder(folder))
    return [(place, pack_files.document(file, place)) for place, file in places]
