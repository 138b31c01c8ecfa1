"""`betimes rulebook` writes the book, tells what changed, and answers wrong input with code 2 and the way out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from betimes import cli
from betimes.adapters import law_packs, pack_files

SHIPPED = Path(str(pack_files.root())) / law_packs.FOLDER


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return the exit code, what was printed, and what was said about errors."""
    try:
        code = cli.main(["rulebook", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the shipped packs."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in SHIPPED.glob("*.toml"):
        shutil.copy(file, folder)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace the first `old` in a file."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_every_shipped_pack_has_a_page_in_both_forms(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And there is an index that leads to each; a second run writes the same bytes."""
    code, out, _ = run(capsys, "--out", str(tmp_path / "book"), "--on", "2026-11-24")
    assert code == 0
    assert str(tmp_path / "book" / "index.html") in out
    names = {"index", *law_packs.law().packs}
    found = {path.name: path.read_bytes() for path in (tmp_path / "book").iterdir()}
    assert set(found) == {f"{name}.{form}" for name in names for form in ("md", "html")}
    for name in law_packs.law().packs:
        assert f'<a href="{name}.html">'.encode() in found["index.html"]
    assert "关注".encode() in found["CN.html"]
    run(capsys, "--out", str(tmp_path / "again"), "--on", "2026-11-24")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == found


def test_only_the_packs_and_the_form_that_are_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Names with a comma between them; one form is half of the files."""
    code, out, _ = run(capsys, "--packs", "CN, US", "--format", "md", "--out", str(tmp_path))
    assert code == 0
    assert "index.md" in out
    assert {path.name for path in tmp_path.iterdir()} == {"index.md", "CN.md", "US.md"}


def test_without_a_folder_the_book_lies_beside_what_one_works_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In `rulebook`, which is told."""
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "--packs", "PH")
    assert code == 0
    assert "rulebook/index.html" in out
    assert (tmp_path / "rulebook" / "PH.html").exists()


def test_equal_packs_end_with_0_and_others_with_1(
    capsys: pytest.CaptureFixture[str], copy: Path
) -> None:
    """The difference names what changed, in words and as a table."""
    code, out, _ = run(capsys, "--diff", str(SHIPPED), str(copy))
    assert (code, "Nothing" in out) == (0, True)
    edit(copy / "CN.toml", "most = 3", "most = 2")
    code, out, _ = run(capsys, "--diff", str(SHIPPED), str(copy))
    assert code == 1
    assert "cap.most was 3 and is 2: tightened." in out
    assert "| `cap.most` | 3 | 2 | tightened |" in out
    code, out, _ = run(capsys, "--diff", str(SHIPPED), str(copy), "--packs", "US")
    assert code == 0


def test_two_files_can_be_compared(capsys: pytest.CaptureFixture[str], copy: Path) -> None:
    """A pack with itself of another day; a comment that changed is told as such."""
    edit(copy / "HK.toml", "# ", "#  ")
    code, out, _ = run(capsys, "--diff", str(SHIPPED / "HK.toml"), str(copy / "HK.toml"))
    assert code == 1
    assert "No rule says anything else" in out


def test_the_difference_is_written_where_it_is_wanted(
    capsys: pytest.CaptureFixture[str], copy: Path, tmp_path: Path
) -> None:
    """In both forms, or printed as HTML."""
    (copy / "PH.toml").unlink()
    code, out, _ = run(capsys, "--diff", str(SHIPPED), str(copy), "--out", str(tmp_path / "out"))
    assert code == 1
    assert "changes.html" in out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"changes.md", "changes.html"}
    code, out, _ = run(capsys, "--diff", str(SHIPPED), str(copy), "--format", "html")
    assert code == 1
    assert out.startswith("<!DOCTYPE html>")
    assert "The pack is gone." in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--packs", "XX"), "unknown_pack (--packs): there is no pack 'XX'; there are: BR,"),
        (("--packs", "CN,"), "--packs: must be names with a comma between them"),
        (("--format", "pdf"), "--format: invalid choice"),
        (("--on", "2026-02-30"), "--on: '2026-02-30' is not a date"),
        (("--diff", "a"), "--diff: expected 2 arguments"),
        (("--diff", "no/such", "no/such"), "missing_file (--diff): no/such is not there; name"),
        (("--diff", ".", "."), "missing_file (--diff): . holds no .toml file"),
        (("--diff", "a", "b", "--on", "2026-01-01"), "bad_options (--on)"),
        (("--diff", "a", "b", "--format", "both"), "bad_options (--format): writes two files"),
        (("--out", "a-file"), "bad_out (--out): a-file cannot be a directory"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    """With code 2 and the option that is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("")
    code, out, error = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "cap"', 'kind = "hat"', "bad_rule (kind)"),
        ('pack = "HK"', "pack = ", "bad_toml: "),
        ('pack = "HK"', 'pack = "ID"\nids = "HK"', "duplicate_pack (pack): "),
    ],
)
def test_a_wrong_pack_is_refused_by_its_file(
    capsys: pytest.CaptureFixture[str], copy: Path, old: str, new: str, said: str
) -> None:
    """A word there is none of, no TOML, two packs of one name: with code 2, never a difference of half of them."""
    edit(copy / "HK.toml", old, new)
    code, out, error = run(capsys, "--diff", str(SHIPPED), str(copy))
    assert (code, out) == (2, "")
    assert said in error
    assert str(copy / ("ID.toml" if "duplicate" in said else "HK.toml")) in error


def test_a_file_that_cannot_be_written_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where a folder stands in its place."""
    (tmp_path / "PH.md").mkdir()
    code, _, error = run(capsys, "--packs", "PH", "--out", str(tmp_path))
    assert code == 2
    assert "bad_out (--out)" in error
    assert "PH.md" in error


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the packs, read and signed in their place; its folder of rules."""
    with resources.as_file(resources.files("betimes.packs")) as packs:
        copied = shutil.copytree(packs, tmp_path / "packs")
    monkeypatch.setattr(pack_files, "root", lambda: copied)
    law_packs.law.cache_clear()
    yield copied / law_packs.FOLDER
    law_packs.law.cache_clear()


def test_a_pack_is_signed_and_the_book_says_so(
    capsys: pytest.CaptureFixture[str], shipped: Path, tmp_path: Path
) -> None:
    """Only what is named; a change ends it, and signing anew mends that."""
    sign = ("--sign-off", "A. Lawyer", "--packs", "PH,HK", "--on", "2025-03-03")
    before = (shipped / "CN.toml").read_text("utf-8")
    code, out, _ = run(capsys, *sign)
    assert code == 0
    assert out.count("signed by A. Lawyer on 2025-03-03: ") == 2
    assert "betimes check --sign" in out
    assert (shipped / "CN.toml").read_text("utf-8") == before

    def book() -> tuple[str, str, str]:
        law_packs.law.cache_clear()
        _, said, _ = run(capsys, "--out", str(tmp_path / "book"), "--format", "md")
        index, page = (
            (tmp_path / "book" / f"{name}.md").read_text("utf-8") for name in ("index", "PH")
        )
        return said, index, page

    said, index, page = book()
    assert "signed by A. Lawyer on 2025-03-03." in page
    assert "2 signed as it stands here, 0 changed since" in index
    edit(shipped / "PH.toml", "22:00", "21:00")
    said, index, page = book()
    assert "PH: changed since it was signed by A. Lawyer on 2025-03-03" in said
    assert (
        "changed since it was signed by A. Lawyer on 2025-03-03: the signature does not hold"
        in page
    )
    assert "1 signed as it stands here, 1 changed since" in index
    law_packs.law.cache_clear()
    assert run(capsys, "--sign-off", "C. Lawyer", "--packs", "PH", "--on", "2025-03-04")[0] == 0
    _, _, page = book()
    assert "signed by C. Lawyer on 2025-03-04." in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sign-off", "A. Lawyer"), "bad_options (--packs)"),
        (("--sign-off", "tbd", "--packs", "PH"), "bad_options (--sign-off)"),
        (("--sign-off", " ", "--packs", "PH"), "bad_options (--sign-off)"),
        (("--sign-off", "A. Lawyer", "--packs", "XX"), "unknown_pack (--packs)"),
        (("--sign-off", "A. Lawyer", "--packs", "PH", "--on", "2150-01-01"), "bad_options (--on)"),
        (("--sign-off", "A. Lawyer", "--packs", "PH", "--out", "x"), "bad_options (--out)"),
        (("--sign-off", "A. Lawyer", "--packs", "PH", "--diff", "a", "b"), "bad_options (--diff)"),
    ],
)
def test_a_signature_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], shipped: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Nothing named, nobody named, a day to come; and nothing is written."""
    before = {path: path.read_bytes() for path in shipped.glob("*.toml")}
    code, out, error = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in error
    assert {path: path.read_bytes() for path in shipped.glob("*.toml")} == before
