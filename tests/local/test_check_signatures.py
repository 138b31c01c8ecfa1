"""`betimes check` tells who answers for the packs it asked, and refuses unsigned ones only where that is asked for."""

from __future__ import annotations

import json
from datetime import date

import pytest

from betimes import cli
from betimes.adapters import law_packs
from betimes.core import sign_off
from betimes.core.law import Law
from betimes.core.rule import Pack, Signature
from betimes.core.values import replace

SPARSE = ("check", "--treatment", "sparse", "--packs", "BR-SP", "--from", "2026-12-01")


def signed(pack: Pack) -> Pack:
    """Return a pack that somebody signed."""
    return replace(pack, signed=Signature("A. Lawyer", date(2026, 1, 2), sign_off.digest(pack)))


def use(monkeypatch: pytest.MonkeyPatch, *changed: Pack) -> None:
    """Use the shipped law with some packs changed."""
    shipped = law_packs.law()
    law = Law({**shipped.packs, **{pack.name: pack for pack in changed}}, shipped.calendars)
    monkeypatch.setattr(law_packs, "law", lambda: law)


def test_unsigned_packs_are_named_and_not_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the pack that one refines; where signatures are asked for it ends with 1."""
    assert cli.main(list(SPARSE)) == 0
    assert "not signed by anybody: BR, BR-SP" in capsys.readouterr().out
    assert cli.main([*SPARSE, "--signed-packs"]) == 1
    capsys.readouterr()
    assert cli.main([*SPARSE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["packs"] == {
        "BR": "not signed",
        "BR-SP": "not signed",
    }


def test_a_pack_that_changed_since_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is told of packs that are signed as they are."""
    packs = law_packs.law().packs
    land, state = signed(packs["BR"]), signed(packs["BR-SP"])
    use(monkeypatch, land, state)
    assert cli.main([*SPARSE, "--signed-packs"]) == 0
    assert "signed by" not in capsys.readouterr().out
    use(monkeypatch, land, replace(state, title="Elsewhere"))
    assert cli.main(list(SPARSE)) == 0
    assert (
        "BR-SP: changed since it was signed by A. Lawyer on 2026-01-02" in capsys.readouterr().out
    )
    assert cli.main([*SPARSE, "--signed-packs"]) == 1
