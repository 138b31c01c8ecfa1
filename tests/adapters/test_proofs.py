"""Policies are used only as they were proved: whatever changed since is named, with the way out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

from betimes import cli
from betimes.adapters import calendars, law_packs, pack_files, packs, proofs
from betimes.config import Settings
from betimes.core.errors import Rejected
from betimes.wiring import World
from infra import proved

READ_ONCE: tuple[tuple[ModuleType, str], ...] = (
    (packs, "policies"),
    (packs, "drafts"),
    (packs, "treatments"),
    (packs, "profiles"),
    (packs, "buckets"),
    (law_packs, "law"),
    (calendars, "calendar"),
)
DEFAULT = "treatments/default.toml"
JIEBEI = "treatments/jiebei_like.toml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packs, which is read in their place."""
    with resources.as_file(resources.files("betimes.packs")) as shipped:
        copied = shutil.copytree(shipped, tmp_path / "packs")
    monkeypatch.setattr(pack_files, "root", lambda: copied)
    for module, name in READ_ONCE:
        monkeypatch.setattr(module, name, cache(getattr(module, name).__wrapped__))
    return copied


def edit(file: Path, before: str, after: str) -> None:
    """Replace the first `before` in a file."""
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")


def refused() -> str:
    """Return why the policies may not be used."""
    with pytest.raises(Rejected) as caught:
        packs.policies("default", "A Lender")
    assert (caught.value.code, caught.value.field) == ("unproved_policy", "treatment")
    assert "betimes check --sign" in caught.value.message
    return caught.value.message


def test_what_is_shipped_is_what_was_proved() -> None:
    """The certificate in the repository is current: run `betimes check --sign` after changing a pack."""
    proofs.require(packs.drafts("default", "A Lender"))
    proved.check("default")
    assert packs.policies("default", "A Lender") is not None


def test_the_certificate_covers_a_year_and_every_place() -> None:
    """Each shipped treatment, wherever it is meant for and one of its products is used."""
    drafts = packs.drafts("default", "A Lender")
    certificates = proofs.read()
    assert set(certificates) == set(drafts.treatments)
    for name, each in certificates.items():
        assert (each.last - each.first).days >= 399
        assert each.jurisdictions == proofs.places(drafts.treatments[name], drafts)
        assert each.cases > 10_000


CHANGES = [
    (DEFAULT, '"10:00"', '"10:30"', "'default'", f"{DEFAULT} has changed"),
    (DEFAULT, "catch_up_hours = 14", "catch_up_hours = 24", "'default'", f"{DEFAULT} has changed"),
    ("rules/CN.toml", "most = 3", "most = 2", "'app_first'", "rules/CN.toml has changed"),
    ("rules/HOUSE.toml", '"09:00"', '"08:00"', "'app_first'", "rules/HOUSE.toml has changed"),
    ("products/jiebei_like.toml", "grace_days = 0", "grace_days = 1", "'jiebei_like'", "products/jiebei_like.toml has"),
    ("templates/in_grace.toml", "[en.sms]", "# other words\n[en.sms]", "'huabei_like'", "templates/in_grace.toml has"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after", "treatment", "message"), CHANGES)
def test_what_changed_since_is_refused(
    folder: Path, file: str, before: str, after: str, treatment: str, message: str
) -> None:
    """A step, a cap, an hour, a product, a text: by those who run it and by those who deploy it."""
    edit(folder / file, before, after)
    said = refused()
    assert treatment in said
    assert message in said
    with pytest.raises(proved.UnprovedError, match="has changed since the proof"):
        proved.check("default", folder)


def test_trying_out_needs_no_proof(folder: Path) -> None:
    """`betimes check` and `betimes plan` read drafts."""
    edit(folder / DEFAULT, '"10:00"', '"10:30"')
    drafts = packs.drafts("default", "A Lender")
    hour = drafts.treatment.steps[0].send_at
    assert hour is not None
    assert hour.minute == 30


def test_a_function_does_not_start_with_it(folder: Path) -> None:
    """The composition root refuses as the command does."""
    edit(folder / DEFAULT, '"10:00"', '"10:30"')
    with pytest.raises(Rejected, match="has changed since the proof"):
        _ = World(Settings()).policies


def _new_version(folder: Path) -> None:
    text = (folder / JIEBEI).read_text("utf-8")
    later = text.replace("\nentry", "\neffective_from = 2027-06-01\nentry", 1)
    (folder / "treatments/jiebei_like@2.toml").write_text(later, "utf-8")


def _new_treatment(folder: Path) -> None:
    text = (folder / JIEBEI).read_text("utf-8").replace('"jiebei_like"', '"mine"', 1)
    (folder / "treatments/mine.toml").write_text(text, "utf-8")


def _new_pack(folder: Path) -> None:
    """A state of its own, whose people the rules of the country stood for so far."""
    text = (folder / "rules/US-CA.toml").read_text("utf-8")
    text = text.replace('"US-CA"', '"US-TX"', 1).replace("US.CA.", "US.TX.")
    (folder / "rules/US-TX.toml").write_text(text, "utf-8")


def _new_product(folder: Path) -> None:
    text = (folder / "products/medical.toml").read_text("utf-8")
    (folder / "products/dental.toml").write_text(text.replace('"medical"', '"dental"', 1), "utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_new_version, "jiebei_like@2.toml is used now and was not part of the proof"),
        (_new_treatment, "there is no proof of it"),
        (_new_product, "dental.toml is used now and was not part of the proof"),
        (lambda folder: (folder / "products/medical.toml").unlink(), "was part of the proof and is not used now"),
        (lambda folder: (folder / "proofs.toml").unlink(), "there is no proof of it"),
        (lambda folder: (folder / "proofs.toml").write_text("form = 2\n"), "is not as 'betimes check"),
        (lambda folder: edit(folder / "proofs.toml", "form = 2", "form = 1"), "is of form 1"),
        (lambda folder: edit(folder / "proofs.toml", "last = 2", "last = 1 # 2"), "is not as"),
        (lambda folder: (folder / "treatments/sparse.toml").unlink(), "it was proved with the others and is not there"),
        (_new_pack, "rules/ (which packs there are) has changed"),
        (lambda folder: edit(folder / "keywords.toml", "\n", "\n# other words\n"), "keywords.toml has changed"),
        (lambda folder: edit(folder / "proofs.toml", '"CN", ', ""), "it is not proved for CN"),
    ],
)  # fmt: skip
def test_what_was_no_part_of_the_proof_is_refused(
    folder: Path, change: Callable[[Path], object], message: str
) -> None:
    """A version, a treatment, a product too many or too few, and a certificate that is none."""
    change(folder)
    assert message in refused()


@pytest.mark.parametrize("change", [_new_version, _new_treatment, _new_product])
def test_a_deployment_refuses_a_file_that_no_proof_names(
    folder: Path, change: Callable[[Path], None]
) -> None:
    """Before anything is built."""
    change(folder)
    with pytest.raises(proved.UnprovedError, match="is part of no proof"):
        proved.check("default", folder)


def test_a_proof_ends_with_its_last_due_date() -> None:
    """That day is proved, the next one is not; sixty days before it is said."""
    drafts = packs.drafts("default", "A Lender")
    certificates = proofs.read()
    last = min(each.last for each in certificates.values())
    proofs.require(drafts, last)
    with pytest.raises(Rejected, match=f"its proof ended with {last}; run 'betimes check --sign'"):
        proofs.require(drafts, last + timedelta(days=1))
    # What is deployed goes on: it names no day.
    proofs.require(drafts)
    proved.check("default", on=last)
    with pytest.raises(proved.UnprovedError, match=f"its proof ended with {last}"):
        proved.check("default", on=last + timedelta(days=1))
    assert proofs.ending(certificates, last - timedelta(days=61)) == {}
    soon = proofs.ending(certificates, last - timedelta(days=60))
    assert last in soon.values()


def test_another_licence_is_another_proof() -> None:
    """Its rules bind beside those of every place, and nobody asked about both together."""
    with pytest.raises(Rejected, match="for the licence none, and that of SG binds too in CN, EU"):
        packs.policies("default", "A Lender", "SG")


def test_a_licence_that_adds_nothing_needs_no_other_proof(folder: Path) -> None:
    """Where a treatment is meant for places under it only."""
    drafts = packs.drafts("default", "A Lender", "CN")
    china = ("huabei_like", "jiebei_like")
    for name in china:
        proofs._require_licence(drafts.treatments[name], proofs.read()[name], drafts)
    edit(folder / "proofs.toml", 'licence = ""', 'licence = "SG"')
    assert "for the licence SG, and that of none binds too in CN" in refused()


def test_another_default_is_another_proof(folder: Path) -> None:
    """Products that name no treatment would get one that was proved without them."""
    with pytest.raises(Rejected, match="of the proof and is not used now"):
        packs.policies("jiebei_like", "A Lender")
    with pytest.raises(proved.UnprovedError, match="products that name none"):
        proved.check("jiebei_like", folder)
    (folder / "proofs.toml").unlink()
    with pytest.raises(proved.UnprovedError, match="is not there"):
        proved.check("default", folder)


def test_whoever_signs_again_may_use_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is proved is signed, with the others as they were; what is refused is not."""
    edit(folder / JIEBEI, '"11:00"', '"11:30"')
    assert "jiebei_like.toml has changed" in refused()
    kept = proofs.read()["default"]
    sign = ["check", "--sign", "--treatment", "jiebei_like", "--from", "2026-11-24"]
    assert cli.main(sign) == 0
    assert "signed: " in capsys.readouterr().out
    assert proofs.read()["default"] == kept
    assert proofs.read()["jiebei_like"].first == date(2026, 11, 24)
    assert packs.policies.__wrapped__("default", "A Lender") is not None
    before = (folder / "proofs.toml").read_bytes()
    edit(folder / JIEBEI, 'send_at = "10:00"', 'send_at = "23:30"')
    for module, name in READ_ONCE:
        getattr(module, name).cache_clear()
    assert cli.main(sign) == 1
    assert "nothing is signed" in capsys.readouterr().out
    assert (folder / "proofs.toml").read_bytes() == before


def test_a_deployment_refuses_a_licence_that_no_proof_knows() -> None:
    """Functions would not start under it: what cdk refuses is what they would refuse."""
    for licence in ("CN", "SG", "US-MA"):
        with pytest.raises(proved.UnprovedError, match=f"that of {licence} binds too in"):
            proved.check("default", licence=licence)
        with pytest.raises(Rejected, match=f"that of {licence} binds too in"):
            packs.policies("default", "A Lender", licence)
    proved.check("default", licence="")


def test_who_serves_one_place_needs_the_proof_for_that_one() -> None:
    """A lender in China under China's licence takes in borrowers of China; nothing else has to be proved with it."""
    proved.check("default", licence="CN", serves=("CN",))
    found = packs.policies("default", "A Lender", "CN", ("CN",))
    assert [found.is_served(name) for name in ("CN", "US", "US-MA", "DE", "XX")] == [
        True,
        False,
        False,
        False,
        False,
    ]
    everybody = packs.policies("default", "A Lender")
    assert all(everybody.is_served(name) for name in ("CN", "US-MA", "DE", "XX"))
    union = packs.policies("default", "A Lender", "", ("EU", "HOUSE"))
    assert union.is_served("DE"), "its pack is that of the union"
    assert union.is_served("XX"), "whom no pack knows is under that of the house"
    assert not union.is_served("GB")
    with pytest.raises(proved.UnprovedError, match="that of CN binds too in US"):
        proved.check("default", licence="CN", serves=("CN", "US"))
