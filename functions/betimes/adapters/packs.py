"""The policy packs that are part of the package, read into core values."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

from betimes.core import message, rules, treatment
from betimes.core.errors import Rejected
from betimes.core.policies import Policies


@lru_cache(maxsize=8)
def policies(treatment_name: str, lender: str) -> Policies:
    """Return the shipped policies with the treatment called `treatment_name`, speaking for `lender`.

    Raises:
        Rejected: a pack is malformed, or there is no such treatment; the message names file and key.
    """
    treatments = {
        name: treatment.parse(document, name) for name, document in _documents("treatments")
    }
    if treatment_name not in {t.name for t in treatments.values()}:
        raise Rejected(
            "unknown_treatment",
            "treatment",
            f"there is no treatment {treatment_name!r}; shipped: {', '.join(sorted(treatments))}",
        )
    windows = [rules.parse_window(document, name) for name, document in _documents("rules")]
    templates = [message.parse(document, name) for name, document in _documents("templates")]
    return Policies(
        treatment=next(t for t in treatments.values() if t.name == treatment_name),
        rules=rules.Rules({window.jurisdiction: window for window in windows}),
        templates={template.name: template for template in templates},
        lender=lender,
    )


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
