"""The policy packs that are part of the package, read into core values, and used only as they were proved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from betimes.adapters import calendars, law_packs, mail_frames, pack_files, proofs
from betimes.adapters.buckets import buckets
from betimes.core import keywords as keyword_lists
from betimes.core import message, product, treatment
from betimes.core.errors import Rejected
from betimes.core.keywords import Keywords
from betimes.core.message import Template
from betimes.core.policies import Policies
from betimes.core.product import Profile
from betimes.core.rules import Rules
from betimes.core.treatment import Treatment
from betimes.core.values import replace
from betimes.core.workdays import Calendar


@lru_cache(maxsize=8)
def policies(
    treatment_name: str, lender: str, licence: str = "", serves: tuple[str, ...] = ()
) -> Policies:
    """Return the shipped policies with the treatment called `treatment_name`, speaking for `lender`: all proved for the
    jurisdictions that a deployment `serves`, all they are meant for where it names none.

    Raises:
        Rejected: what `drafts` raises; or a treatment is not proved as it stands ("unproved_policy").
    """
    found = replace(drafts(treatment_name, lender, licence), serves=frozenset(serves))
    proofs.require(found)
    return found


@lru_cache(maxsize=8)
def drafts(treatment_name: str, lender: str, licence: str = "") -> Policies:
    """Return the policies whether proved or not: to ask about them and to try them out, never to contact anybody.

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
    law = law_packs.law()
    if licence and not law.resolve(licence):
        known = ", ".join(sorted(law.packs))
        raise Rejected(
            "unknown_pack",
            "licence",
            f"there is no pack for the licence {licence!r}; there are: {known}",
        )
    return Policies(
        treatment=lines[treatment_name],
        rules=Rules(law, licence),
        templates=_templates(),
        lender=lender,
        treatments=lines,
        profiles=profiles(),
        calendars=_calendars(),
        buckets=buckets(),
        keywords=keywords(),
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


@lru_cache(maxsize=1)
def keywords() -> Keywords:
    """Return the words that borrowers answer with, from `packs/keywords.toml`.

    Raises:
        Rejected: code "bad_keywords" or "bad_toml"; the message names file and key.
    """
    name = "keywords.toml"
    return keyword_lists.parse(pack_files.document(pack_files.root() / name, name), name)


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


def _templates() -> Mapping[str, Template]:
    found = {}
    for place, document in _documents("templates"):
        template = message.parse(document, place, mail_frames.frames())
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
