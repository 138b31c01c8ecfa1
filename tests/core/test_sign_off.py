"""A signature holds for what a pack says, and for nothing it says later."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from betimes.adapters import law_packs, pack_files
from betimes.core import sign_off
from betimes.core.errors import Rejected
from betimes.core.pack import parse
from betimes.core.rule import Pack, Signature
from betimes.core.sign_off import Standing, digest, standing, written
from betimes.core.values import replace
from tests.core.rule_mutants import mutants, pack_mutants, packs

PACKS = pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.name)
ON = date(2026, 11, 24)


def text_of(pack: Pack) -> str:
    """Return the file of a shipped pack."""
    return (pack_files.root() / law_packs.FOLDER / f"{pack.name}.toml").read_text("utf-8")


def read(text: str, pack: Pack) -> Pack:
    """Return the pack that a text holds."""
    return parse(tomllib.loads(text), f"{pack.name}.toml")


def signed(pack: Pack) -> Pack:
    """Return a pack that somebody signed."""
    return replace(pack, signed=Signature("A. Lawyer", ON, digest(pack)))


@PACKS
def test_nobody_has_signed_what_is_shipped(pack: Pack) -> None:
    """A name in a shipped pack would be one of ours, and we are nobody's lawyers."""
    assert standing(pack) is Standing.UNSIGNED
    assert sign_off.words(pack) == "nobody has signed this pack"


@PACKS
def test_whatever_changes_ends_the_signature(pack: Pack) -> None:
    """Each parameter of the pack and of each rule; not the hash of the file, which a comment changes."""
    of = signed(pack)
    assert standing(of) is Standing.SIGNED
    for key, mutant in pack_mutants(of):
        expected = Standing.SIGNED if key == "sha256" else Standing.CHANGED
        assert standing(mutant) is expected, key
    for rule in of.rules:
        alone = signed(replace(pack, rules=(rule,)))
        for key, changed in mutants(rule):
            assert standing(replace(alone, rules=(changed,))) is Standing.CHANGED, (rule.id, key)
    assert standing(replace(of, rules=of.rules[1:])) is Standing.CHANGED


@PACKS
def test_a_signature_is_written_into_the_file_and_nothing_else_is(pack: Pack) -> None:
    """It holds when it is read back, also with a comment more; a second one takes its place."""
    first = Signature('A. "B" Lawyer, 合规部', ON, digest(pack))
    once = written(text_of(pack), first)
    found = read(once, pack)
    assert (found.signed, standing(found)) == (first, Standing.SIGNED)
    assert replace(found, signed=None) == replace(pack, sha256="")
    assert standing(read(f"# Another comment.\n{once}\n", pack)) is Standing.SIGNED
    second = replace(first, by="C. Lawyer")
    assert written(once, second) == written(text_of(pack), second)
    assert once.count("[signed]") == 1


def test_the_words_tell_who_signed_and_whether_it_holds() -> None:
    """Name and day, and the way out where the pack has changed."""
    of = signed(packs()[0])
    assert sign_off.words(of) == "signed by A. Lawyer on 2026-11-24"
    changed = sign_off.words(replace(of, title="Elsewhere"))
    assert "changed since it was signed by A. Lawyer on 2026-11-24" in changed
    assert "sign anew" in changed


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"by": "A. Lawyer", "on": ON}, "signed.digest"),
        ({"by": "TBD", "on": ON, "digest": "0" * 64}, "signed.by"),
        ({"by": "?", "on": ON, "digest": "0" * 64}, "signed.by"),
        ({"by": "a\nb", "on": ON, "digest": "0" * 64}, "signed.by"),
        ({"by": "x" * 121, "on": ON, "digest": "0" * 64}, "signed.by"),
        ({"by": "A. Lawyer", "on": "2026-11-24", "digest": "0" * 64}, "signed.on"),
        ({"by": "A. Lawyer", "on": ON, "digest": "abc"}, "signed.digest"),
        ({"by": "A. Lawyer", "on": ON, "digest": "0" * 64, "for": "all"}, "signed.for"),
    ],
)
def test_a_signature_of_nobody_is_refused(table: dict[str, object], key: str) -> None:
    """Name, day and digest are all of it; a digest of something else is none of the form, but a pack that changed."""
    pack = packs()[0]
    document = tomllib.loads(text_of(pack))
    with pytest.raises(Rejected) as caught:
        parse({**document, "signed": table}, f"{pack.name}.toml")
    assert (caught.value.code, caught.value.field) == ("bad_rule", key)
    whole = {"by": "A. Lawyer", "on": ON, "digest": "0" * 64}
    assert standing(parse({**document, "signed": whole}, "x.toml")) is Standing.CHANGED
