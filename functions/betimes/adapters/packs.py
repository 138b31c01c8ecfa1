"""The policy packs that are part of the package, read into core values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from betimes.adapters.buckets import buckets
from betimes.core import message, product, rules, treatment
from betimes.core.errors import Rejected
from betimes.core.policies import Policies
from betimes.core.product import Profile
from betimes.core.treatment import Treatment
from betimes.core.workdays import Calendar


@lru_cache(maxsize=8)
def policies(treatment_name: str, lender: str) -> Policies:
    """Return the shipped policies with the treatment called `treatment_name`, speaking for `lender`.

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
    windows = [rules.parse_window(document, name) for name, document in _documents("rules")]
    templates = [message.parse(document, name) for name, document in _documents("templates")]
    return Policies(
        treatment=lines[treatment_name],
        rules=rules.Rules({window.jurisdiction: window for window in windows}),
        templates={template.name: template for template in templates},
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
        Rejected: a file is malformed ("bad_treatment", "bad_toml"), is not called what its treatment is called, or two
            versions overlap ("overlapping_version"); the message names file and key.
    """
    versions: dict[str, list[Treatment]] = {}
    sources: dict[str, str] = {}
    documents = _documents("treatments")
    calendars = _calendars() if any("calendar" in document for _, document in documents) else {}
    for place, document in documents:
        version = treatment.parse(document, place, calendars)
        if place.removesuffix(".toml").partition("@")[0] != f"treatments/{version.name}":
            raise Rejected(
                "bad_treatment",
                "name",
                f"{place}: 'name' is {version.name!r}: give both the same name",
            )
        versions.setdefault(version.name, []).append(version)
        sources[version.id] = place
    return MappingProxyType({name: treatment.line(of, sources) for name, of in versions.items()})


def _calendars() -> Mapping[str, Calendar]:
    """Return the calendars that the shipped products and treatments roll by; none is read that nobody names."""
    named = {profile.calendar for profile in profiles().values() if profile.calendar}
    named |= {
        str(document["calendar"])
        for _, document in _documents("treatments")
        if "calendar" in document
    }
    if not named:
        return {}
    from betimes.adapters.calendars import calendar

    return {name: calendar(name) for name in sorted(named)}


@lru_cache(maxsize=1)
def profiles() -> Mapping[str, Profile]:
    """Return the shipped product profiles by name, in order of name; read once, the mapping cannot be changed.

    Raises:
        Rejected: a profile is malformed ("bad_product", "bad_toml"), or is not called what its file is called; the
            message names file and key.
    """
    found = {}
    for place, document in _documents("products"):
        profile = product.parse(document, place)
        # So two files can never hold one product, and a product is found where it is looked for.
        if place != f"products/{profile.name}.toml":
            raise Rejected(
                "bad_product",
                "name",
                f"{place}: 'name' is {profile.name!r}: give both the same name",
            )
        found[profile.name] = profile
    return MappingProxyType(found)


def _documents(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the parsed TOML files of a pack folder with their names, in order of name."""
    files = sorted(
        (
            file
            for file in (resources.files("betimes.packs") / folder).iterdir()
            if file.name.endswith(".toml")
        ),
        key=lambda file: file.name,
    )
    documents = []
    for file in files:
        try:
            documents.append((f"{folder}/{file.name}", tomllib.loads(file.read_text("utf-8"))))
        except tomllib.TOMLDecodeError as error:
            raise Rejected("bad_toml", "", f"{folder}/{file.name}: {error}") from None
    return documents
