"""A deployment is refused where its policies are not those that were proved.

`betimes check --sign` writes for each treatment which files it was proved with (`packs/proofs.toml`). They are compared
here before anything is built, so that nothing is deployed that the functions would refuse when they start
(`betimes.adapters.proofs`, which asks for more and is out of reach here).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from infra import FUNCTIONS

PACKS: Final = FUNCTIONS / "betimes" / "packs"
FILE: Final = "proofs.toml"
WAY_OUT: Final = (
    "run 'betimes check --sign', which proves it anew or shows how it would break a rule"
)
# Folders of which every file belongs to some proof.
_WHOLE: Final = ("treatments", "products")
# What the treatment of products without a profile was proved with, as `betimes.adapters.proofs` writes it.
_NO_PRODUCT: Final = "products/ (debts of products without a profile)"


class UnprovedError(ValueError):
    """The policies are not those that were proved; the message names the file and the way out."""


def check(
    treatment: str,
    folder: Path = PACKS,
    *,
    licence: str = "",
    serves: tuple[str, ...] = (),
    on: date | None = None,
) -> None:
    """Refuse policies of which a file differs from what was proved, with `treatment` for products that name none; and
    proofs without the lender's `licence` for those it `serves` (none named: all places a treatment is meant for), or
    that have ended by the day `on`, today if none is given.

    Raises:
        UnprovedError: a file has changed, is new or is gone; the treatment was proved for other products or without the
            rules of the licence; or a proof has ended.
    """
    document = _read(folder / FILE)
    on = on or today()
    for name, row in document.items():
        if on > row["last"]:
            raise _unproved(name, f"its proof ended with {row['last']}")
        apart = _apart(licence, serves, row)
        if apart:
            raise _unproved(
                name,
                f"it is proved for the licence {row['licence'] or 'none'}, and that of {licence or 'none'} binds too "
                f"in {', '.join(apart)}; say --licence too, or mean the treatment for fewer places ('jurisdictions')",
            )
    proofs: dict[str, Mapping[str, str]] = {name: row["files"] for name, row in document.items()}
    known: set[str] = set()
    for name, files in proofs.items():
        for file, digest in files.items():
            if not file.endswith(".toml"):
                continue
            known.add(file)
            path = folder / file
            if not path.is_file():
                raise _unproved(name, f"{file} was part of its proof and is not there")
            if hashlib.sha256(path.read_text("utf-8").encode()).hexdigest() != digest:
                raise _unproved(name, f"{file} has changed since the proof")
    for place in _WHOLE:
        for path in sorted((folder / place).glob("*.toml")):
            if f"{place}/{path.name}" not in known:
                raise UnprovedError(f"{place}/{path.name} is part of no proof in {FILE}; {WAY_OUT}")
    if _NO_PRODUCT not in proofs.get(treatment, {}):
        raise _unproved(
            treatment, "it is not proved as the treatment of products that name none (--default)"
        )


def _apart(licence: str, serves: tuple[str, ...], row: Mapping[str, Any]) -> list[str]:
    """Return the places in which a licence binds beside the rules that were asked about."""
    if licence == row["licence"]:
        return []
    # A place is under the licence of the place it lies in anyway.
    return [
        place
        for place in row["jurisdictions"]
        if (not serves or place in serves)
        and (row["licence"] or not f"{place}-".startswith(f"{licence}-"))
    ]


def today() -> date:
    """Return the day by which proofs end, in UTC."""
    return datetime.now(UTC).date()


def _read(file: Path) -> dict[str, Mapping[str, Any]]:
    """Return what is written of each treatment: `jurisdictions`, `licence`, `last` and `files`."""
    try:
        document: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8"))
        return {
            name: {
                "jurisdictions": [str(place) for place in row["jurisdictions"]],
                "licence": str(row["licence"]),
                "last": date.fromisoformat(str(row["last"])),
                "files": dict(row["files"]),
            }
            for name, row in document["proof"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        message = f"{FILE} is not there, or not as 'betimes check --sign' writes it; {WAY_OUT}"
        raise UnprovedError(message) from None


def _unproved(name: str, why: str) -> UnprovedError:
    return UnprovedError(f"the treatment {name!r} may not be deployed: {why}; {WAY_OUT}")
