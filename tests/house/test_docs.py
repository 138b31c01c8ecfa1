"""docs/policies.md and README.md: every example is read or run, every message shown is the one that is given, and every
key that a file may have stands in its table.
"""

from __future__ import annotations

import copy
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from betimes.adapters import calendars, packs
from betimes.adapters.packs import policies
from betimes.cli import main
from betimes.core import ageing, hold, message, pack, product, rule, treatment, workdays
from betimes.core.errors import Rejected
from betimes.core.policies import Policies
from betimes.core.treatment import Treatment

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "policies.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A block of TOML: of which kind, in which file, and the message it leads to, "" where it is right."""

    kind: str
    file: str
    text: str
    is_change: bool
    refused: str

    @property
    def document(self) -> dict[str, Any]:
        """The parsed file; a change is laid over the example of the same file that is right."""
        found = tomllib.loads(self.text)
        return _laid(_right(self.file), found) if self.is_change else found


def _examples() -> list[Example]:
    fences = [(each[1], each[2].split(), each[3]) for each in FENCE.finditer(PAGE)]
    found = []
    for n, (language, words, text) in enumerate(fences):
        if language != "toml":
            continue
        kind, file, *flags = words
        refused = fences[n + 1][2].strip() if flags else ""
        assert not flags or fences[n + 1][0] == "text", f"{file}: a refusal shows its message"
        found.append(Example(kind, file, text, flags == ["change"], refused))
    return found


def _laid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _laid(base[key], value) if isinstance(value, dict) else value
    return merged


EXAMPLES = _examples()
SHIPPED = policies("default", "Betimes Demo")


def _right(file: str) -> dict[str, Any]:
    [text] = [each.text for each in EXAMPLES if each.file == file and not each.refused]
    return tomllib.loads(text)


def _line(file: str, found: Treatment) -> Treatment:
    """Return the line of a treatment with the versions of it that are shown and right, `found` among them."""
    versions = [found]
    for each in EXAMPLES:
        if each.kind == "treatment" and not each.refused and each.file != file:
            other = _treatment(each)
            if other.name == found.name:
                versions.append(other)
    return treatment.line(versions)


def _treatment(example: Example, document: Mapping[str, Any] | None = None) -> Treatment:
    known = {name: calendars.calendar(name) for name in calendars.shipped()}
    return treatment.parse(document or example.document, f"treatments/{example.file}", known)


def read(example: Example, document: Mapping[str, Any] | None = None) -> Policies | None:
    """Read an example, or another document in its place, as the packs are read; a product or a treatment together with
    everything that is shipped.
    """
    document, name = document or example.document, example.file.removesuffix(".toml")
    match example.kind:
        case "product":
            profile = product.parse(document, f"products/{example.file}")
            assert profile.name == name
            return replace(SHIPPED, profiles={**SHIPPED.profiles, name: profile})
        case "treatment":
            line = _line(example.file, _treatment(example, document))
            assert line.name == name.partition("@")[0]
            return replace(SHIPPED, treatments={**SHIPPED.treatments, line.name: line})
        case "calendar":
            workdays.parse(document, f"calendars/{example.file}")
        case "buckets":
            ageing.parse_buckets(document, example.file)
        case "rules":
            found = pack.parse(document, f"rules/{example.file}")
            assert found.name == name
        case "template":
            message.parse(document, f"templates/{example.file}")
        case _:
            raise AssertionError(f"there is no kind {example.kind!r}")
    return None


RIGHT = [each for each in EXAMPLES if not each.refused]
WRONG = [each for each in EXAMPLES if each.refused]


@pytest.mark.parametrize("example", RIGHT, ids=[f"{each.kind}-{each.file}" for each in RIGHT])
def test_an_example_is_read(example: Example) -> None:
    """As it stands, together with the packs that are shipped."""
    read(example)


@pytest.mark.parametrize("example", WRONG, ids=[each.refused[:60] for each in WRONG])
def test_what_is_refused_is_refused_in_the_words_shown(example: Example) -> None:
    """Code, field and message as the page shows them; "…" stands for what is left out."""
    with pytest.raises(Rejected) as refused:
        read(example)
    error = refused.value
    shown = ".+".join(re.escape(part) for part in example.refused.split("…"))
    assert re.fullmatch(shown, f"{error.code} ({error.field}): {error.message}")


def test_there_is_an_example_of_every_kind() -> None:
    """Right and wrong, so that nothing here passes because it was not found."""
    kinds = {"product", "treatment", "calendar", "buckets", "rules", "template"}
    assert {each.kind for each in RIGHT} == kinds
    assert {each.kind for each in WRONG} == kinds


KEYS: Mapping[str, frozenset[str]] = {
    "Products": frozenset(product._PROFILE),
    "Late interest": frozenset(product._LATE),
    "Allocation": frozenset(product.ORDERS),
    "Monthly bills": frozenset(product._BILLING),
    "Auto-debit": frozenset(product._DEBIT),
    "Stages of work": frozenset(product._STAGE),
    "The treatment": frozenset(treatment._KEYS),
    "A step": frozenset(treatment._STEP_KEYS | treatment._MORE_KEYS) | frozenset(treatment.Anchor),
    "Late: what becomes of a step that could not go in time": frozenset(treatment.Late),
    "Conditions": frozenset(treatment._WHEN_KEYS),
    "Holds in policies": frozenset(hold.Kind),
    "Calendars": frozenset(workdays._KEYS),
    "Bucket sets": frozenset({"source", "origin", "edges"}),
    "A pack": frozenset(pack._PACK_KEYS),
    "Where data may live": frozenset(pack._RESIDENCY_KEYS),
    "A rule": frozenset(pack._RULE_KEYS) - frozenset(rule.Kind),
    "How far a rule binds": frozenset(rule.Enforce),
    "Kinds": frozenset(rule.Kind),
    "Window": frozenset(pack._WINDOW),
    "Hours of a day": frozenset(field.name for field in fields(rule.Span)),
    "Cap": frozenset(pack._CAP),
    "Cool-off": frozenset(pack._COOLOFF),
    "Notice": frozenset(pack._NOTICE),
    "Suppress": frozenset(pack._SUPPRESS),
    "Consent": frozenset(pack._CONSENT),
    "Content": frozenset(pack._CONTENT),
    "Recipient": frozenset(pack._RECIPIENT),
    "Debit": frozenset(pack._DEBIT),
    "Retain": frozenset(pack._RETAIN),
    "Calc": frozenset(pack._CALC),
    "Templates": frozenset(message.VARIABLES),
}


@pytest.mark.parametrize("heading", KEYS)
def test_every_key_has_one_row_and_no_other_has(heading: str) -> None:
    """In the tables of the section that is about it."""
    rows = re.findall(r"^\| `([^`]+)` \|", _section(heading), re.MULTILINE)
    assert sorted(rows) == sorted(str(key) for key in KEYS[heading])


WORDS: Mapping[tuple[str, str], Iterable[str]] = {
    ("Where data may live", "partitions"): pack.PARTITIONS,
    ("A rule", "party"): rule.Party,
    ("A rule", "stages"): rule.Stage,
    ("A rule", "purposes"): rule.Purpose,
    ("A rule", "channels"): pack.CHANNELS,
    ("A rule", "force"): rule.Force,
    ("A rule", "status"): rule.Status,
    ("Window", "where"): rule.Where,
    ("Cap", "unit"): rule.Unit,
    ("Cap", "per"): rule.Per,
    ("Cap", "scope"): rule.Scope,
    ("Cap", "pool"): rule.Pool,
    ("Cap", "excludes"): pack.EXCLUSIONS,
    ("Cool-off", "after"): rule.CooloffAfter,
    ("Notice", "bound"): rule.Bound,
    ("Notice", "unit"): rule.NoticeUnit,
    ("Notice", "bypasses"): pack.BYPASSES,
    ("Suppress", "events"): set(pack.EVENTS) - set(hold.Kind),
    ("Suppress", "stops"): rule.Stops,
    ("Consent", "form"): rule.ConsentForm,
    ("Consent", "reach"): pack.REACHES,
}


@pytest.mark.parametrize(("heading", "key"), WORDS)
def test_every_word_a_rule_may_use_stands_in_the_row_of_its_key(heading: str, key: str) -> None:
    """Beside words that only explain, such as `n`, the names of other keys and of calendars."""
    [meaning] = re.findall(rf"^\| `{key}` \| (.+) \| [^|]+ \|$", _section(heading), re.MULTILINE)
    shown = set(re.findall(r"`([^`]+)`", meaning))
    words = set(WORDS[heading, key])
    assert words <= shown
    assert shown - words <= {"n", "zone", "calendar", "[]"}


def test_every_recipient_is_named() -> None:
    """Above the table, as two of its keys use them."""
    above, _, _ = _section("Recipient").partition("\n| ")
    assert set(re.findall(r"`([a-z_]+)`", above)) == set(rule.Recipient)


# Where each table of keys can be tried: a file that is right, and the way to the table in it; in a list of rules a kind
# stands for the first rule of it.
TRIED: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "Products": ("products/my_loan.toml", ()),
    "Late interest": ("products/my_loan.toml", ("late",)),
    "Monthly bills": ("products/huabei_like.toml", ("billing",)),
    "Auto-debit": ("products/huabei_like.toml", ("debit",)),
    "Stages of work": ("products/home_improvement.toml", ("stage", 0)),
    "The treatment": ("treatments/default.toml", ()),
    "A step": ("treatments/default.toml", ("step", 0)),
    "Calendars": ("calendars/MY_BANK.toml", ()),
    "Bucket sets": ("buckets/buckets.toml", ("weeks",)),
    "A pack": ("rules/KE.toml", ()),
    "Where data may live": ("rules/CN.toml", ("residency",)),
    "A rule": ("rules/KE.toml", ("rule", "cap")),
    "Window": ("rules/KE.toml", ("rule", "window", "window")),
    "Hours of a day": ("rules/KE.toml", ("rule", "window", "window", "days", "mon", 0)),
    "Cap": ("rules/KE.toml", ("rule", "cap", "cap")),
    "Cool-off": ("rules/US.toml", ("rule", "cooloff", "cooloff")),
    "Notice": ("rules/CN.toml", ("rule", "notice", "notice")),
    "Suppress": ("rules/GB.toml", ("rule", "suppress", "suppress")),
    "Consent": ("rules/US.toml", ("rule", "consent", "consent")),
    "Recipient": ("rules/CN.toml", ("rule", "recipient", "recipient")),
    "Debit": ("rules/US.toml", ("rule", "debit", "debit")),
    "Retain": ("rules/CN.toml", ("rule", "retain", "retain")),
    "Calc": ("rules/CN.toml", ("rule", "calc", "calc")),
}


def _section(heading: str) -> str:
    sections = re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
    [text] = [each for each in sections if each.startswith(f"{heading}\n")]
    return text


def _file(place: str) -> Example:
    """Return a file that is right: one of the page, else one that is shipped."""
    kind, _, name = place.partition("/")
    found = [each for each in RIGHT if each.file == name]
    if found:
        return found[0]
    text = (resources.files("betimes.packs") / place).read_text("utf-8")
    kind = kind if kind == "rules" else kind.removesuffix("s")
    return Example(kind, name, text, is_change=False, refused="")


@pytest.mark.parametrize("heading", TRIED)
def test_what_the_page_says_must_be_stated_is_what_must_be_stated(heading: str) -> None:
    """A key with "refused" under "left out" is refused where it is, and no other is; "–" says that it depends."""
    place, path = TRIED[heading]
    example = _file(place)
    rows = re.findall(r"^\| `([^`]+)` \| .+ \| ([^|]+) \|$", _section(heading), re.MULTILINE)
    table = _at(example.document, path)
    tried = {key: left_out for key, left_out in rows if left_out != "–"}
    for key, left_out in tried.items():
        if key not in table:
            assert left_out != "refused", key
            continue
        refused = not _is_read(example, path, key)
        assert refused is left_out.startswith("refused"), key


def _at(document: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    """Return the table of a document that a way of `TRIED` leads to."""
    found: Any = document
    for step in path:
        if isinstance(found, list) and isinstance(step, str):
            found = next(each for each in found if each["kind"] == step)
        else:
            found = found[step]
    table: dict[str, Any] = found
    return table


def _is_read(example: Example, path: tuple[str | int, ...], key: str) -> bool:
    document = copy.deepcopy(example.document)
    del _at(document, path)[key]
    try:
        read(example, document)
    except Rejected:
        return False
    return True


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_what_the_readme_shows_is_what_is_printed(
    readme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each block that begins with "$ betimes"; "…" stands for lines that are left out, or for a part of a line."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    sessions = [each[3] for each in FENCE.finditer(text) if each[3].startswith("$ betimes ")]
    assert len(sessions) >= 2
    for session in sessions:
        command, _, shown = session.partition("\n")
        assert main(shlex.split(command.removeprefix("$ betimes "))) == 0
        printed = capsys.readouterr().out.strip()
        parts = re.split(r"^…\n", shown.strip() + "\n", flags=re.MULTILINE)
        wanted = r"(?:.*\n)*?".join(re.escape(part).replace("…", ".+") for part in parts)
        assert re.fullmatch(wanted, printed + "\n"), command


def test_the_packs_that_the_readme_names_are_shipped() -> None:
    """Products and treatments behind the names used in the commands."""
    assert {"huabei_like", "jiebei_like"} <= set(packs.profiles())
    assert {"default", "huabei_like", "jiebei_like"} <= set(packs.treatments())
