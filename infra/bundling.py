"""What goes into the functions: our code as one asset, the wheels of requirements/lambda.lock as one layer. No Docker.

Bundles live under `.local/bundles/`, named by a hash of all that goes into them, so a second synth finds them and
an unfinished one is never taken for a whole one. `none` stands for both with an empty folder: synth then needs
nothing at all.
"""

from __future__ import annotations

import compileall
import hashlib
import platform
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import FUNCTIONS, ROOT
from infra.settings import BUNDLE_NONE, BUNDLE_RELEASE, InfraSettings

LOCK: Final = ROOT / "requirements" / "lambda.lock"
BUNDLES_FOLDER: Final = ROOT / ".local" / "bundles"
# Not part of the deployed package: the pretend world, the pocket cloud and the prompt of a person.
LEFT_OUT: Final = frozenset({"betimes/lab", "betimes/local", "betimes/cli.py"})
# Of the wheels, what no function asks for: places and carriers of telephone numbers are 20 MB, most of that package.
# Its zones (`phonenumbers.timezone`) need none of it. Stubs are for tools.
UNUSED: Final = (
    "phonenumbers/geodata",
    "phonenumbers/geocoder.py",
    "phonenumbers/carrierdata",
    "phonenumbers/carrier.py",
    "phonenumbers/prefix.py",
    "phonenumbers/**/*.pyi",
)
# Changes whenever the way of building changes, so that an old bundle is not taken for a new one.
_RECIPE: Final = "2"
_MANYLINUX: Final = {
    "arm64": "aarch64-manylinux_2_28",
    "x86_64": "x86_64-manylinux_2_28",
}


class BundlingError(Exception):
    """The wheels could not be fetched; the message says what was tried and how to synthesize without code."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder to be uploaded and the hash that stands for its content."""

    path: Path
    digest: str


def code_bundle(settings: InfraSettings) -> Bundle:
    """Return the folder that becomes /var/task: `betimes` less LEFT_OUT, with bytecode if this Python may write it."""
    if settings.bundle == BUNDLE_NONE:
        return _nothing("code")
    compiled = _can_compile(settings)
    digest = _digest(_RECIPE, f"compiled={compiled}", settings.runtime, *_source_digests())

    def fill(folder: Path) -> None:
        for source in _sources():
            target = folder / source.relative_to(FUNCTIONS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        if compiled:
            _compile(folder)

    return _cached("code", digest, fill)


def wheels_bundle(settings: InfraSettings) -> Bundle:
    """Return the folder that becomes /opt: `python/` with every wheel of the lock, checked against its hashes, less
    UNUSED.

    Raises:
        BundlingError: uv could not install them, for example offline on a first run.
    """
    if settings.bundle == BUNDLE_NONE:
        return _nothing("wheels")
    choice = _platform_options(settings)
    host = "" if settings.bundle == BUNDLE_RELEASE else f"{platform.platform()} {sys.version}"
    compiled = _can_compile(settings)
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    digest = _digest(_RECIPE, f"compiled={compiled}", lock, host, *choice)

    def fill(folder: Path) -> None:
        target = folder / "python"
        _install(target, choice)
        # Entry points of a machine have no place in a layer, and foreign bytecode is dead weight.
        shutil.rmtree(target / "bin", ignore_errors=True)
        for cache in list(target.rglob("__pycache__")):
            shutil.rmtree(cache)
        _leave_out(target)
        if compiled:
            _compile(target)

    return _cached("wheels", digest, fill)


def _platform_options(settings: InfraSettings) -> tuple[str, ...]:
    """Return uv's options: for AWS the runtime's platform and wheels only, else the Python that runs here."""
    if settings.bundle != BUNDLE_RELEASE:
        return ("--python", sys.executable)
    version = settings.runtime.removeprefix("python")
    return (
        *("--python-platform", _MANYLINUX[settings.architecture]),
        *("--python-version", version, "--only-binary", ":all:"),
    )


def _install(target: Path, choice: tuple[str, ...]) -> None:
    command = [
        *(_uv(), "pip", "install", "--quiet", "--require-hashes", "--no-deps"),
        *("--target", str(target), "-r", str(LOCK), *choice),
    ]
    # The command is ours, from the first word to the last.
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BundlingError(
            f"{' '.join(command)}\n{done.stderr.strip()}\n"
            f"To look at the template without code, use the context bundle={BUNDLE_NONE}."
        )


def _leave_out(target: Path) -> None:
    """Remove from installed wheels what is UNUSED; a version that has it no more is fine."""
    for pattern in UNUSED:
        for path in list(target.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _uv() -> str:
    """Return the uv of this environment, else the one on the PATH."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise BundlingError("uv is neither in this environment nor on the PATH")
    return found


def _sources() -> Iterator[Path]:
    """Yield the files of the package that are deployed, sorted."""
    for path in sorted(FUNCTIONS.rglob("*")):
        relative = path.relative_to(FUNCTIONS).as_posix()
        left_out = any(relative == each or relative.startswith(f"{each}/") for each in LEFT_OUT)
        if path.is_file() and not left_out and "__pycache__" not in path.parts:
            yield path


def _source_digests() -> Iterator[str]:
    for path in _sources():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        yield f"{path.relative_to(FUNCTIONS).as_posix()} {content}"


def _can_compile(settings: InfraSettings) -> bool:
    """Bytecode is valid for one minor version: that of the runtime has to be the one that runs here."""
    return settings.runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"


def _compile(folder: Path) -> None:
    """Write bytecode that is taken without looking at the source's date, which an archive does not keep."""
    compileall.compile_dir(
        folder,
        quiet=2,
        stripdir=str(folder),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _nothing(name: str) -> Bundle:
    def fill(folder: Path) -> None:
        (folder / "README").write_text("Synthesized with bundle=none: nothing to run here.\n")

    return _cached(f"none-{name}", _digest(_RECIPE, name), fill)


def _cached(name: str, digest: str, fill: Callable[[Path], None]) -> Bundle:
    """Return the bundle of this digest, built beside its place and moved there whole if it was not there yet."""
    place = BUNDLES_FOLDER / f"{name}-{digest[:16]}"
    if not place.exists():
        BUNDLES_FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUNDLES_FOLDER, prefix=f".{name}-") as scratch:
            built = Path(scratch) / "bundle"
            built.mkdir()
            fill(built)
            try:
                built.rename(place)
            except OSError:
                # Another synth was faster; its bundle has the same content. Anything else is a real failure.
                if not place.exists():
                    raise
    return Bundle(place, digest)
