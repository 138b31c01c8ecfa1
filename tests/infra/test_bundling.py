"""What is deployed: the package without its pretend world, valid bytecode, and nothing when nothing is asked for."""

from __future__ import annotations

import marshal
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest

from infra import FUNCTIONS, bundling
from infra.bundling import BundlingError, code_bundle, wheels_bundle
from infra.settings import InfraSettings

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundling, "BUNDLES_FOLDER", tmp_path / "bundles")


def local(**changes: object) -> InfraSettings:
    return InfraSettings.from_mapping(
        {"stage": "local", "bundle": "local", "runtime": HERE, **changes}
    )


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_package_goes_without_lab_pocket_cloud_and_prompt() -> None:
    bundle = code_bundle(local())
    sources = {name for name in names(bundle.path) if not name.endswith(".pyc")}
    assert "betimes/config.py" in sources
    assert "betimes/core/decide.py" in sources
    assert not {name for name in sources if name.startswith(("betimes/lab/", "betimes/local/"))}
    assert "betimes/cli.py" not in sources
    assert sources <= names(FUNCTIONS)


def test_bytecode_is_taken_without_a_look_at_dates() -> None:
    """An archive does not keep the date of a source, so bytecode that is checked against it would never be used."""
    bundle = code_bundle(local())
    (compiled,) = (bundle.path / "betimes" / "__pycache__").glob("config.*.pyc")
    header, code = compiled.read_bytes()[:16], compiled.read_bytes()[16:]
    unchecked_hash = 0b01
    assert int.from_bytes(header[4:8], "little") == unchecked_hash
    assert not marshal.loads(code).co_filename.startswith("/"), "no path of the building machine"


def test_bytecode_of_another_python_is_left_out() -> None:
    other = "python3.14" if HERE != "python3.14" else "python3.13"
    assert not list(code_bundle(local(runtime=other)).path.rglob("*.pyc"))


def test_the_same_sources_are_one_bundle() -> None:
    first = code_bundle(local())
    assert code_bundle(local()) == first


def test_a_changed_source_is_another_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "functions" / "betimes"
    package.mkdir(parents=True)
    source = package / "config.py"
    monkeypatch.setattr(bundling, "FUNCTIONS", package.parent)
    source.write_text("A = 1\n")
    first = code_bundle(local())
    source.write_text("A = 2\n")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "config.pyc").write_bytes(b"left over")
    second = code_bundle(local())
    assert first.digest != second.digest
    assert names(first.path) == names(second.path)


def test_nothing_is_built_for_a_look_at_the_template() -> None:
    assert names(code_bundle(InfraSettings()).path) == {"README"}
    assert names(wheels_bundle(InfraSettings()).path) == {"README"}


def test_wheels_that_cannot_be_had_are_a_clear_failure_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    with pytest.raises(BundlingError, match="bundle=none"):
        wheels_bundle(InfraSettings(bundle="release"))
    assert not list((tmp_path / "bundles").iterdir())


def test_a_release_asks_for_wheels_of_the_runtime_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def note(target: Path, choice: tuple[str, ...]) -> None:
        target.mkdir()
        asked.append(choice)

    monkeypatch.setattr(bundling, "_install", note)
    arm = wheels_bundle(InfraSettings(bundle="release"))
    intel = wheels_bundle(InfraSettings(bundle="release", architecture="x86_64"))
    assert arm.digest != intel.digest
    assert [choice[1] for choice in asked] == ["aarch64-manylinux_2_28", "x86_64-manylinux_2_28"]
    for choice in asked:
        assert choice[2:] == ("--python-version", "3.13", "--only-binary", ":all:")


def installed(target: Path, choice: tuple[str, ...]) -> None:
    """Stand in for uv: one wheel of the lock, as it is installed here."""
    package = Path(phonenumbers.__file__).parent
    shutil.copytree(package, target / package.name, ignore=shutil.ignore_patterns("__pycache__"))


def test_zones_of_numbers_are_found_without_places_and_carriers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a fresh interpreter that has nothing but the two bundles; 20 MB stay at home."""
    monkeypatch.setattr(bundling, "_install", installed)
    code, wheels = code_bundle(local()), wheels_bundle(local())
    layer = wheels.path / "python"
    assert names(layer)
    assert not {name for name in names(layer) if re.search(r"geo|carrier|prefix|[.]pyi$", name)}
    assert sum(path.stat().st_size for path in layer.rglob("*.py")) < 4_000_000
    program = (
        "from betimes.wire import phones\n"
        "import phonenumbers\n"
        "print(phonenumbers.__file__, *phones.zones_of('+19072000000'), phones.zones_of('+15'))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": os.pathsep.join((str(code.path), str(layer)))},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    used = layer / "phonenumbers" / "__init__.py"
    assert done.stdout.split(" ", 1) == [str(used), "America/Adak America/Anchorage ()\n"]


def test_nothing_imports_what_is_left_out() -> None:
    """None of our modules names a part of the package that a function would not find."""
    parts = {Path(each).stem for each in bundling.UNUSED if "*" not in each}
    assert {"geocoder", "carrier", "prefix"} <= parts
    named = {
        word
        for source in FUNCTIONS.rglob("*.py")
        for line in source.read_text("utf-8").splitlines()
        if "import" in line and "phonenumbers" in line
        for word in re.split(r"\W+", line)
    }
    assert "time_zones_for_number" in named
    assert not parts & named
