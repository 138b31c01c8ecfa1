"""`betimes rulebook`: the rule packs as pages for the person who answers for them, that person's signature, and what
changed between two states.

The pages are those of the packs that are shipped. Two states of packs are two folders or files of anywhere, such as a
checkout of last month's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Final

from betimes.adapters import calendars, law_packs, pack_files
from betimes.core import page, rulebook, sign_off
from betimes.core.errors import Rejected
from betimes.core.pack import parse, signer
from betimes.core.page import Page
from betimes.core.rule import Pack, Signature
from betimes.core.rule_changes import diff
from betimes.local.summary import make_out

MARKDOWN: Final = "md"
HTML: Final = "html"
BOTH: Final = "both"
FORMATS: Final = (MARKDOWN, HTML, BOTH)
# Where the pages go unless told: beside what one works on, and seen at once.
OUT: Final = Path("rulebook")


def write(*, out: Path | None, names: Collection[str], form: str, on: date) -> int:
    """Write the index and a page for each shipped pack, of those called `names` where any are, and return 0.

    Raises:
        Rejected: code "unknown_pack", field "--packs"; "bad_out", field "--out"; as `law_packs.law`, when a shipped
            pack is wrong.
    """
    folder = out or OUT
    packs = _chosen(law_packs.law().packs.values(), names)
    named = {pack.calendar for pack in packs} & set(calendars.shipped())
    listed = {name: calendars.calendar(name) for name in sorted(named)}
    pages = rulebook.pages(packs, on, {**law_packs.law().calendars, **listed})
    _save(pages, folder, form or BOTH)
    first = folder / f"{rulebook.INDEX}.{MARKDOWN if form == MARKDOWN else HTML}"
    print(
        f"{len(packs)} packs, {sum(len(each.rules) for each in packs)} rules, as of {on}: {first}"
    )
    for each in packs:
        if sign_off.standing(each) is sign_off.Standing.CHANGED:
            print(f"{each.name}: {sign_off.words(each)}")
    return 0


def sign(name: str, *, names: Collection[str], on: date) -> int:
    """Sign the shipped packs called `names`, in their files, and return 0; all of them or none.

    Raises:
        Rejected: code "bad_options", field "--packs" where none is named, "--sign-off" where the name is none;
            "unknown_pack", field "--packs"; "bad_out", where a file cannot be written; as `law_packs.law`, when a
            shipped pack is wrong.
    """
    if not names:
        problem = "names what is signed; add --packs CN,US-MA: nobody signs what they did not name"
        raise Rejected("bad_options", "--packs", problem)
    try:
        by = signer(name)
    except ValueError as error:
        raise Rejected("bad_options", "--sign-off", str(error)) from None
    texts = {}
    for pack in _chosen(law_packs.law().packs.values(), names):
        path = Path(str(pack_files.root())) / law_packs.FOLDER / f"{pack.name}.toml"
        signature = Signature(by, on, sign_off.digest(pack))
        texts[path] = sign_off.written(_text(path), signature)
        # What was written is read again: the signature, and nothing else, is new.
        read = parse(pack_files.parsed(texts[path], path.name), path.name)
        if read.signed != signature or sign_off.standing(read) is not sign_off.Standing.SIGNED:
            problem = f"{path} cannot be signed by this command: its [signed] is not a table of its own; remove it"
            raise Rejected("bad_out", "--sign-off", problem)
    for path, text in texts.items():
        _save_text(path, text)
        print(f"signed by {by} on {on}: {path}")
    print("The files are others now: run 'betimes check --sign', without which no policy is used.")
    return 0


def compare(old: Path, new: Path, *, out: Path | None, names: Collection[str], form: str) -> int:
    """Print what changed from `old` to `new`, folders or files of packs, or write it to `out`; return 0 where nothing
    did, else 1.

    Raises:
        Rejected: code "missing_file", field "--diff", when one is not there or holds no pack; "duplicate_pack", when a
            folder holds two of one name; "unknown_pack", field "--packs", when neither has it; "bad_options", when both
            forms are to be printed; "bad_out"; a pack is wrong (`core.pack.parse`), the message names its file.
    """
    if out is None and form == BOTH:
        problem = "writes two files, and --out does not say where; add --out DIR, or choose one"
        raise Rejected("bad_options", "--format", problem)
    before, after = _read(old), _read(new)
    known = {pack.name for pack in (*before, *after)}
    _check(names, known)
    changes = diff(
        *([pack for pack in each if not names or pack.name in names] for each in (before, after))
    )
    made = rulebook.changes_page(changes)
    if out is None:
        print(page.html(made) if form == HTML else page.markdown(made), end="")
    else:
        _save((made,), out, form or BOTH)
        first = out / f"{made.name}.{MARKDOWN if form == MARKDOWN else HTML}"
        print(f"{len(changes)} packs changed: {first}")
    return 1 if changes else 0


def _chosen(packs: Iterable[Pack], names: Collection[str]) -> list[Pack]:
    found = list(packs)
    _check(names, {pack.name for pack in found})
    return [pack for pack in found if not names or pack.name in names]


def _check(names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            problem = f"there is no pack {name!r}; there are: {', '.join(sorted(known))}"
            raise Rejected("unknown_pack", "--packs", problem)


def _read(place: Path) -> list[Pack]:
    """Return the packs of a folder or of one file, in order of file name."""
    files = sorted(place.glob("*.toml")) if place.is_dir() else [place]
    if not files or not all(file.is_file() for file in files):
        what = "holds no .toml file" if place.is_dir() else "is not there"
        problem = f"{place} {what}; name a folder of packs, or one pack's file"
        raise Rejected("missing_file", "--diff", problem)
    packs: dict[str, Pack] = {}
    for file in files:
        text = _text(file)
        digest = hashlib.sha256(text.encode()).hexdigest()
        pack = parse(pack_files.parsed(text, str(file)), str(file), digest)
        if pack.name in packs:
            problem = f"{file}: 'pack' {pack.name!r} is the name of another file's pack too: leave one out"
            raise Rejected("duplicate_pack", "pack", problem)
        packs[pack.name] = pack
    return list(packs.values())


def _text(file: Path) -> str:
    try:
        return pack_files.text(file, str(file))
    except OSError as error:
        reason = error.strerror or "no reason given"
        problem = f"{file} cannot be read: {reason}"
        raise Rejected("missing_file", "--diff", problem) from None


def _save(pages: Iterable[Page], folder: Path, form: str) -> None:
    make_out(folder)
    for each in pages:
        if form != HTML:
            _save_text(folder / f"{each.name}.{MARKDOWN}", page.markdown(each))
        if form != MARKDOWN:
            _save_text(folder / f"{each.name}.{HTML}", page.html(each))


def _save_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise Rejected("bad_out", "--out", f"{path}: {reason}") from None
