"""Rules about some kinds of product bind the products that say they are one of them."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest

from betimes.adapters import packs
from betimes.core import pack, product
from betimes.core.errors import Rejected
from betimes.core.law import Event, Request
from betimes.core.product import PLAIN
from betimes.core.rule import ProductKind, Purpose, Stage
from betimes.core.rules import request
from betimes.core.values import replace

from .planted import LAW, treatment
from .planted import product as made

SHIPPED = resources.files("betimes.packs") / "products"
AT = datetime(2027, 3, 10, 17, tzinfo=UTC)
LATE = Event("late_statement", datetime(2027, 3, 8, 17, tzinfo=UTC), None)


def document(name: str = "single_payment", **keys: Any) -> dict[str, Any]:
    """Return a shipped product as it is written, with some keys changed."""
    return {**tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8")), **keys}


def asked(**keys: Any) -> Request:
    """Return a demand in the United States whose bill came late."""
    return Request(
        at=AT,
        channel="email",
        purpose=Purpose.OVERDUE,
        stage=Stage.OVERDUE,
        zones=("America/New_York",),
        events=(LATE,),
        **keys,
    )


def applies(rule_id: str, asked: Request) -> bool:
    """Return whether a rule of the United States is about a contact."""
    answers = {each.rule_id: each for each in LAW.evaluate(asked, ("US",)).answers}
    return answers[rule_id].applies


@pytest.mark.parametrize(
    ("keys", "binds"),
    [
        ({"product": "gold", "kinds": ("card",)}, True),
        ({"product": "gold", "kinds": ("bnpl", "card")}, True),
        ({"product": "card"}, True),
        ({"product": ""}, True),
        ({"product": "gold", "kinds": ("fixed_sum",)}, False),
        ({"product": "plain"}, False),
    ],
)
def test_a_rule_about_cards_binds_what_is_a_card(keys: dict[str, Any], binds: bool) -> None:
    """By its kind, by its name, and where nobody knows what it is; the one asked before it is of no account."""
    LAW.evaluate(asked(product="gold"), ("US",))
    assert applies("US.TILA.21.LATE", asked(**keys)) is binds


def test_a_step_is_asked_about_by_the_kinds_of_its_product() -> None:
    """As the planner, the prover and whoever asks for permission do."""
    from betimes.core.cases import scenes

    steps = treatment()
    card = made(name="gold", kinds=(ProductKind.CARD,))
    scene = scenes(steps, card)[0]
    snapshot = scene.snapshot(("America/New_York",), AT.date())
    found = request(snapshot, steps.steps[0], AT, "email")
    assert (found.product, found.kinds) == ("gold", ("card",))
    assert request(replace(snapshot, profile=PLAIN), steps.steps[0], AT, "email").kinds == ()


def test_a_file_says_the_kinds() -> None:
    """In any order, each once; of the words that packs use."""
    read = product.parse(document(kinds=["single", "fixed_sum"]), "products/x.toml")
    assert read.kinds == (ProductKind.FIXED_SUM, ProductKind.SINGLE)
    without = document()
    del without["kinds"]
    assert product.parse(without, "products/x.toml").kinds == ()


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["crad"], "is not one of bnpl, card"),
        (["card", "card"], "names a kind of product twice"),
        ("card", "is no list"),
        ([7], "is not one of"),
    ],
)
def test_any_other_word_is_refused(kinds: object, said: str) -> None:
    """With the file, the key and what it may be."""
    with pytest.raises(Rejected, match=said) as caught:
        product.parse(document(kinds=kinds), "products/x.toml")
    assert (caught.value.code, caught.value.field) == ("bad_product", "kinds")
    assert "products/x.toml" in caught.value.message


def test_products_and_packs_have_the_same_words() -> None:
    """Every word that a shipped rule names is one that a product can say; each shipped product says what it is."""
    named = {name for each in LAW.packs.values() for rule in each.rules for name in rule.products}
    assert named <= set(ProductKind)
    assert set(pack.PRODUCTS) == set(ProductKind)
    for name in packs.profiles():
        assert "kinds" in document(name)
