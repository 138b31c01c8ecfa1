"""The product profiles that are part of the package: all of them parse, and each can be found by its name."""

from __future__ import annotations

import io
import tomllib
from importlib import resources
from typing import Any

import pytest

from betimes.adapters import packs
from betimes.adapters.buckets import buckets
from betimes.adapters.calendars import calendar
from betimes.adapters.packs import profiles
from betimes.core.errors import Rejected
from betimes.core.product import Family, parse

SHIPPED = sorted(
    file.name.removesuffix(".toml")
    for file in (resources.files("betimes.packs") / "products").iterdir()
    if file.name.endswith(".toml")
)
# "unverified" holds the first of them; "contract" leaves the value to the lender.
STATUS = ("verified", "secondary", "design", "contract")
OURS = (
    "name",
    "family",
    "method",
    "treatment",
)  # what a profile is, not what is known of a product


def text(name: str) -> str:
    """Return the file of a shipped profile."""
    return (resources.files("betimes.packs") / "products" / f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_parses_and_is_found_by_the_name_of_its_file(name: str) -> None:
    """With the id of its content."""
    assert profiles()[name] == parse(tomllib.loads(text(name)), f"products/{name}.toml")
    assert profiles()[name].id.startswith(f"{name}@")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_says_how_well_its_values_are_known(name: str) -> None:
    """Behind the value, above its table, or at the head of the file for all that is not marked otherwise."""
    head, _, body = text(name).partition("\nname = ")
    if "unless it says otherwise" in head:
        return
    for block in body.split("\n\n"):
        lines = block.splitlines()
        if any(line.startswith("#") and has_status(line) for line in lines):
            continue
        settings = [line for line in lines if " = " in line and line.split()[0] not in OURS]
        assert [line for line in settings if not has_status(line)] == []


def has_status(line: str) -> bool:
    """Return whether a line says how well something is known."""
    return any(word in line.lower() for word in STATUS)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_shipped_profile_names_is_shipped_too(name: str) -> None:
    """Its treatment, its calendar, and a bucket set that counts days as it does."""
    profile = profiles()[name]
    assert buckets()[profile.buckets].origin in (None, profile.dpd_origin)
    if profile.calendar:
        assert calendar(profile.calendar).name == profile.calendar
    if profile.treatment:
        treatments = resources.files("betimes.packs") / "treatments"
        assert (treatments / f"{profile.treatment}.toml").is_file()


def test_the_products_of_the_mission_are_shipped() -> None:
    """Both families of the method, one payment, and the three scenarios."""
    mission = "huabei_like jiebei_like single_payment education medical home_improvement".split()
    assert set(mission) <= set(profiles())
    assert {profile.family for profile in profiles().values()} == set(Family)


def test_profiles_are_in_order_of_name_and_cannot_be_changed() -> None:
    """The mapping is shared by everybody who asks for it."""
    assert list(profiles()) == SHIPPED
    assert profiles() is profiles()
    with pytest.raises(TypeError):
        profiles()["mine"] = profiles()["education"]  # type: ignore[index]  # that it fails is the test


def test_a_profile_called_otherwise_than_its_file_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So two files cannot hold one product."""
    document: dict[str, Any] = tomllib.load(io.BytesIO(text("education").encode()))
    monkeypatch.setattr(packs, "_documents", lambda _: [("products/school.toml", document)])
    with pytest.raises(Rejected) as caught:
        profiles.__wrapped__()
    assert (caught.value.code, caught.value.field) == ("bad_product", "name")
    assert "products/school.toml" in caught.value.message
