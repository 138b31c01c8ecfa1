"""`betimes check`: what it prints, how it ends, and what it says to options that cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from betimes import cli
from betimes.adapters import pack_files, packs, proofs
from betimes.local import check

FROM = ("--from", "2026-11-24")
SHIPPED = Path(str(pack_files.root())) / "treatments" / "default.toml"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return the exit code, what was printed, and what was said about errors."""
    try:
        code = cli.main(["check", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A treatment in a file of its own, which speaks on the due day at half past ten in the evening."""
    text = SHIPPED.read_text("utf-8").replace('"default"', '"mine"', 1)
    before, step, after = text.partition('name = "D0"')
    after = after.replace('"10:00"', '"22:30"', 1).replace(
        "catch_up_hours = 12", "catch_up_hours = 1", 1
    )
    file = tmp_path / "mine.toml"
    file.write_text(before + step + after, "utf-8")
    return file


def test_every_shipped_treatment_is_proved_where_it_is_meant_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All zones, a year of due dates, every product; what was asked of nobody is named."""
    code, out, _ = run(capsys, *FROM)
    assert code == 0
    drafts = packs.drafts("default", "")
    wanted = sum(len(proofs.places(each, drafts)) for each in drafts.treatments.values())
    assert f"{wanted} of {wanted} proved" in out
    assert "REFUSED" not in out
    assert "not proved" in out


def test_a_bad_treatment_is_refused_with_its_smallest_case(
    capsys: pytest.CaptureFixture[str], late: Path
) -> None:
    """Rule, citation, borrower, date, step, and the way out; it ends with 1."""
    code, out, _ = run(capsys, "--treatment", str(late), "--packs", "CN", *FROM, "--days", "30")
    assert code == 1
    assert "REFUSED  mine@" in out
    for said in (
        "CN.CBA.TIME (hours;",
        "step D0 is due Tuesday 2026-11-24 22:30",
        "Asia/Shanghai",
        "citation: ",
        "way out: ",
    ):
        assert said in out
    assert "0 of 1 proved" in out


def test_as_json_it_is_one_object(capsys: pytest.CaptureFixture[str], late: Path) -> None:
    """With the same case, and the packs it rests on by their SHA-256."""
    chosen = ("--treatment", str(late), "--packs", "CN,SG", *FROM, "--days", "30", "--json")
    code, out, _ = run(capsys, *chosen)
    told = json.loads(out)
    assert code == 1
    assert told["proved"] is False
    assert told["signed"] == ""
    china, singapore = told["results"]
    assert china["jurisdictions"] == ["CN"]
    assert len(china["packs"]["CN"]) == 64
    case = china["counterexamples"][0]
    assert (case["rule"], case["step"], case["due_on"]) == ("CN.CBA.TIME", "D0", "2026-11-24")
    assert case["at"] == "2026-11-24T14:30:00.000000Z"
    assert {each["rule"] for each in singapore["counterexamples"]} >= {"SG.HOUSE.TIME"}


def test_two_places_bind_together(capsys: pytest.CaptureFixture[str]) -> None:
    """With a plus between them they are one question; with a comma two."""
    code, out, _ = run(capsys, "--treatment", "default", "--packs", "CN+SG", *FROM, "--days", "10")
    assert code == 0
    assert "CN+SG" in out
    assert "1 of 1 proved" in out


def test_a_licence_binds_beside_each_place(capsys: pytest.CaptureFixture[str], late: Path) -> None:
    """By its rules, and not by its clocks: nobody lives there for it."""
    evening = late.read_text("utf-8").replace('"22:30"', '"20:30"')
    late.write_text(evening, "utf-8")
    asked = ("--treatment", str(late), "--packs", "CN", *FROM, "--days", "20")
    assert run(capsys, *asked)[0] == 0
    code, out, _ = run(capsys, *asked, "--licence", "SG")
    assert code == 1
    assert "SG.HOUSE.TIME" in out
    assert "CN+SG" in out
    assert "Asia/Singapore" not in out


def test_what_no_proof_covers_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Pairs of places, other licences, more debts, other places and products, and steps that nothing stops."""
    _, out, _ = run(capsys, "--treatment", "default", "--packs", "CN,US", *FROM, "--days", "3")
    said = out.partition("not proved, while")[2]
    assert "people whose number belongs to another place" in said
    assert "another licence than none" in said
    assert "three debts of one person" in said
    assert "default for people of BR, BR-AL" in said
    assert (
        "default with card_like, whose dates are those of Asia/Shanghai, for people of US" in said
    )
    assert "statutory" not in said
    file = tmp_path / "mine.toml"
    text = SHIPPED.read_text("utf-8").replace('"default"', '"mine"', 1)
    file.write_text(text.replace('class = "overdue"', 'class = "statutory"', 1), "utf-8")
    _, out, _ = run(capsys, "--treatment", str(file), "--packs", "GB", *FROM, "--days", "3")
    assert "mine has statutory steps: they pass caps and opt-outs" in out


def test_a_proof_that_ends_soon_is_told() -> None:
    """Sixty days before, in what `betimes check` prints."""
    last = proofs.read()["sparse"].last
    sparse = packs.drafts("default", "").treatments["sparse"]
    wish = check.Wish(("sparse",), (), last, 1, today=last)
    (line,) = check._ending(wish, [sparse])
    assert f"the signed proof of sparse ends with {last}" in line
    assert check._ending(replace(wish, today=last - timedelta(days=61)), [sparse]) == []


def test_progress_is_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe gets what was found and nothing else."""
    _, _, err = run(capsys, "--treatment", "huabei_like", *FROM, "--days", "5")
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--treatment", "nope"), "unknown_treatment"),
        (("--treatment", "nope.toml"), "missing_file"),
        (("--packs", "XX"), "unknown_pack"),
        (("--packs", "CN,,US"), "is no list such as"),
        (("--days", "0"), "must be a whole number from 1"),
        (("--from", "yesterday"), "is not a date such as"),
        (("--notice", "D0"), "is not of the form STEP=RULE"),
        (("--notice", "D0=CN.NOPE"), "is no notice rule"),
        (("--notice", "D9=US.TILA.21"), "there is no step 'D9'"),
        (("--default", "nope"), "unknown_treatment"),
        (("--sign", "--packs", "CN"), "--sign signs just that"),
        (("--sign", "--days", "30"), "--sign signs just that"),
        (("--sign", "--party", "third"), "--sign signs just that"),
        (("--sign", "--treatment", "mine.toml"), "--sign signs just that"),
        (("--sign", "--notice", "D0=CN.CREDIT.NOTICE"), "--notice"),
        (("--licence", "XY"), "no pack for the licence 'XY'"),
    ],
)
def test_what_cannot_be_is_said_with_the_way_out(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """It ends with 2 before anything is asked, and nothing is signed."""
    before = proofs.read()
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert said in err
    assert proofs.read() == before


def test_a_treatment_for_a_place_there_is_none_of_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """By its own file, with the places there are."""
    file = tmp_path / "mine.toml"
    text = SHIPPED.read_text("utf-8").replace('"default"', '"mine"', 1)
    file.write_text(text.replace('"CN", ', '"XX", ', 1), "utf-8")
    code, _, err = run(capsys, "--treatment", str(file))
    assert code == 2
    assert "unknown_pack" in err
    assert "mine.toml" in err


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"[[["])
def test_a_file_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bad: bytes
) -> None:
    """Not UTF-8, or no TOML."""
    file = tmp_path / "mine.toml"
    file.write_bytes(bad)
    code, _, err = run(capsys, "--treatment", str(file))
    assert code == 2
    assert "mine.toml" in err
