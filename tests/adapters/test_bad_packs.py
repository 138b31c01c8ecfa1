"""A mistake in any file of the packs refuses them all: the message names file and key, in our words."""

from __future__ import annotations

import re
import shutil
from functools import cache
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

from betimes.adapters import calendars, law_packs, pack_files, packs
from betimes.core.errors import Rejected
from betimes.core.policies import Policies

PRODUCT = "products/jiebei_like.toml"
TREATMENT = "treatments/huabei_like.toml"
TEMPLATE = "templates/due_soon.toml"
US = "rules/US.toml"
# What is read once, and in these tests anew for each of them.
READ_ONCE: tuple[tuple[ModuleType, str], ...] = (
    (packs, "drafts"),
    (packs, "treatments"),
    (packs, "profiles"),
    (packs, "buckets"),
    (law_packs, "law"),
    (calendars, "calendar"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packs, which is read in their place."""
    with resources.as_file(resources.files("betimes.packs")) as shipped:
        copied = shutil.copytree(shipped, tmp_path / "packs")
    monkeypatch.setattr(pack_files, "root", lambda: copied)
    for module, name in READ_ONCE:
        monkeypatch.setattr(module, name, cache(getattr(module, name).__wrapped__))
    return copied


def load() -> Policies:
    """Return the policies in the copy, proved or not."""
    return packs.drafts("default", "A Lender")


def refusal() -> Rejected:
    """Return why the packs are refused; in no words of Python's own."""
    with pytest.raises(Rejected) as caught:
        load()
    assert not re.search("isoformat|is not a valid|must be in|codec", caught.value.message)
    return caught.value


def test_a_copy_of_what_is_shipped_is_read(folder: Path) -> None:
    """And every calendar that is a file with it, though nobody names it."""
    named = {profile.calendar for profile in load().profiles.values()}
    assert "US" not in named
    assert set(load().calendars) == {"BR", "BR-AM", "BR-ES", "BR-RJ", "BR-SP", "CN", "US"}


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "field", "message"),
    [
        (PRODUCT, 'buckets = "m"', 'buckets = "mm"', "unknown_buckets", "buckets", "names 'mm'"),
        (PRODUCT, 'buckets = "m"', 'buckets = "sma"', "unknown_buckets", "dpd_origin", "'sma'"),
        (
            "products/medical.toml",
            'calendar = "CN"',
            'calendar = "XX"',
            "unknown_calendar",
            "calendar",
            "there are: BR, BR-AM, BR-ES, BR-RJ, BR-SP, CN, US",
        ),
        (
            TREATMENT,
            "digest = true",
            'digest = true\ncalendar = "XX"',
            "unknown_calendar",
            "calendar",
            "there are: BR, BR-AM, BR-ES, BR-RJ, BR-SP, CN, US",
        ),
        (
            TREATMENT,
            'template = "due_soon", late',
            'template = "due_son", late',
            "missing_body",
            "template",
            "step T-3: 'template'",
        ),
        (
            TREATMENT,
            'debit_template = "debit_coming"',
            'debit_template = "debit_comin"',
            "missing_body",
            "debit_template",
            "step T-3: 'debit_template'",
        ),
        (TREATMENT, '"11:00"', "11:00:00", "bad_treatment", "send_at", "in quotes"),
        (TREATMENT, '"11:00"', '"25:00"', "bad_treatment", "send_at", 'write it as "10:00"'),
        (TREATMENT, '"courtesy"', '"legal"', "bad_treatment", "class", "courtesy, overdue"),
        (
            TREATMENT,
            'channels = ["email", "sms"]\nclass',
            'channels = ["fax"]\nclass',
            "bad_treatment",
            "channels",
            '"email", "sms"',
        ),
        (TEMPLATE, "[en.sms]", "[en.fax]", "bad_template", "fax", "email, sms"),
        (TEMPLATE, "[en.sms]", "[klingon.sms]", "bad_template", "klingon", "zh-CN"),
        (TEMPLATE, "[en.sms]", '[en.sms]\nsubject = "x"', "bad_template", "subject", "leave it out"),
        (TEMPLATE, 'name = "due_soon"', 'name = "due"', "bad_template", "name", "templates/due.toml"),
        (US, 'pack = "US"', 'pack = "CN"\nids = "US"', "bad_rule", "pack", "call the file CN.toml"),
        (US, '"21:00"', '"25:00"', "bad_rule", "window.days.every.closes", "US.REGF.TIME: "),
        (US, '"21:00"', '"25:00"', "bad_rule", "window.days.every.closes", "time of day"),
        (US, '"21:00"', "21:00:00", "bad_rule", "window.days.every.closes", "in quotes"),
        (US, "from = 2021-11-30", 'from = "2021"', "bad_rule", "from", "US.REGF.7IN7: 'from'"),
        (US, 'kind = "cap"', 'kind = "lid"', "bad_rule", "kind", "choose one"),
        (US, 'per = "consecutive', 'every = "consecutive', "bad_rule", "cap.every", "known"),
        (US, '"America/Adak"', '"America/Adek"', "bad_rule", "zones", "IANA time zone"),
        (US, 'status = "verified"', 'status = "secondary"', "unsigned_rule", "enforce", '"cautious"'),
        (US, 'status = "verified"', 'status = "draft"', "unsigned_rule", "enforce", "switch it off"),
        (US, '"US.REGF.CONV7"', '"US.REGF.7IN7"', "bad_rule", "kind", "an id of its own"),
        ("rules/HOUSE.toml", "\nzones", "\n# zones", "bad_rule", "zones", "lists no zones"),
        ("calendars/US.toml", "workdays = []", "workday = []", "bad_calendar", "workday", "known"),
        ("calendars/US.toml", "2025-01-01,", "2024-01-01,", "bad_calendar", "holidays", "2024"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file(
    folder: Path, file: str, before: str, after: str, code: str, field: str, message: str
) -> None:
    """One mistake at a time, in a file that is right but for it."""
    text = (folder / file).read_text("utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), "utf-8")
    error = refusal()
    assert (error.code, error.field) == (code, field)
    assert error.message.startswith(file)
    assert message in error.message


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "field", "message"),
    [
        (US, 'calendar = "US"', 'calendar = "XX"', "unknown_calendar", "calendar", "there are: BR, "),
        ("rules/US-MA.toml", '"US"', '"USA"', "bad_rule", "refines", "of the form US"),
        ("rules/US-MA.toml", '"US"', '"XX"', "unknown_pack", "refines", "names 'XX'"),
        (US, 'refines = ""\n', 'refines = "US-MA"\n', "bad_rule", "phones", "belong to a country"),
        ("rules/BR-AL.toml", 'refines = "BR"', 'refines = "BR-AL"', "pack_cycle", "refines", ""),
        (US, '"US.REGF.EXCL"', '"US.MA.CREDITOR"', "duplicate_rule", "id", "one pack"),
    ],
)  # fmt: skip
def test_packs_that_do_not_fit_together_are_refused(
    folder: Path, file: str, before: str, after: str, code: str, field: str, message: str
) -> None:
    """Each is named with its file and what it names; the file is told with or without its folder."""
    text = (folder / file).read_text("utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), "utf-8")
    error = refusal()
    assert (error.code, error.field) == (code, field)
    assert file.removeprefix("rules/") in error.message
    assert message in error.message


def test_packs_that_refine_each_other_by_a_detour_are_refused(folder: Path) -> None:
    """Two that are right by themselves; the way around is told."""
    for name, refined in (("US-CA", "US-NYC"), ("US-NYC", "US-CA")):
        file = folder / f"rules/{name}.toml"
        text = file.read_text("utf-8")
        assert 'refines = "US"' in text
        file.write_text(text.replace('refines = "US"', f'refines = "{refined}"'), "utf-8")
    error = refusal()
    assert (error.code, error.field) == ("pack_cycle", "refines")
    assert "US-CA -> US-NYC -> US-CA" in error.message


def test_an_email_without_a_subject_is_refused(folder: Path) -> None:
    """Many providers take it, and no borrower opens it."""
    text = (folder / TEMPLATE).read_text("utf-8")
    (folder / TEMPLATE).write_text(re.sub(r'\nsubject = "[^"]+"', "", text), "utf-8")
    error = refusal()
    assert (error.code, error.field) == ("bad_template", "subject")


@pytest.mark.parametrize(
    "file", [PRODUCT, TREATMENT, TEMPLATE, US, "calendars/US.toml", "buckets.toml"]
)
@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\n[[["])
def test_a_file_that_cannot_be_read_is_named(folder: Path, file: str, bad: bytes) -> None:
    """Not UTF-8, or no TOML."""
    (folder / file).write_bytes((folder / file).read_bytes() + bad)
    error = refusal()
    assert error.code == "bad_toml"
    assert error.message.startswith(f"{file}: ")


def test_without_rules_of_the_house_nothing_is_read(folder: Path) -> None:
    """Whoever lives where no file reaches would have no rules."""
    (folder / "rules/HOUSE.toml").unlink()
    error = refusal()
    assert (error.code, error.field) == ("bad_rule", "pack")
    assert error.message.startswith("rules/HOUSE.toml: is missing")


@pytest.mark.parametrize(
    ("file", "copied", "code"),
    [
        ("rules/CN.toml", "rules/CN2.toml", "bad_rule"),
        (TEMPLATE, "templates/due_soon_2.toml", "bad_template"),
        (PRODUCT, "products/jiebei.toml", "bad_product"),
        (TREATMENT, "treatments/nope@2.toml", "bad_treatment"),
        ("calendars/US.toml", "calendars/UK.toml", "bad_calendar"),
    ],
)
def test_two_files_cannot_hold_one_thing(folder: Path, file: str, copied: str, code: str) -> None:
    """A file is called what it holds, so the second one is refused."""
    shutil.copy(folder / file, folder / copied)
    error = refusal()
    assert error.code == code
    assert error.message.startswith(copied)


def test_a_second_version_without_its_day_names_both_files(folder: Path) -> None:
    """Also where it says nothing else than the first."""
    shutil.copy(folder / TREATMENT, folder / "treatments/huabei_like@2.toml")
    error = refusal()
    assert (error.code, error.field) == ("overlapping_version", "effective_from")
    assert error.message.startswith("treatments/huabei_like@2.toml: 'effective_from' is missing")
    assert TREATMENT in error.message


def test_the_words_of_a_later_version_are_looked_for_in_its_own_file(folder: Path) -> None:
    """Where its step stands."""
    text = (folder / TREATMENT).read_text("utf-8")
    later = text.replace("\nentry", "\neffective_from = 2026-01-01\nentry", 1)
    (folder / "treatments/huabei_like@2.toml").write_text(
        later.replace('"in_grace"', '"in_gras"', 1), "utf-8"
    )
    assert refusal().message.startswith("treatments/huabei_like@2.toml: step T+1: 'template'")


def test_china_is_not_asked_for_where_nothing_names_it(folder: Path) -> None:
    """It is the one calendar that costs an import."""
    for file in (folder / "products").iterdir():
        text = file.read_text("utf-8")
        if 'calendar = "CN"' in text:
            file.write_text(text.replace('calendar = "CN"', 'calendar = "US"'), "utf-8")
    assert set(load().calendars) == {"BR", "BR-AM", "BR-ES", "BR-RJ", "BR-SP", "US"}
