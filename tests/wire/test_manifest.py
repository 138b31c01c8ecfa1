"""The manifest of a tape: strict, complete, and silent about what strangers wrote into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from betimes.core.errors import Rejected
from betimes.wire import manifest
from betimes.wire.manifest import File, Manifest
from betimes.wire.tape import TapeDefaults

FILES: dict[str, dict[str, int]] = {
    "accounts.csv.xz": {"rows": 2, "bytes": 120},
    "obligations.csv": {},
}


def body(**changes: Any) -> bytes:
    document = {"schema_version": 1, "tenant": "bank", "files": FILES, **changes}
    return json.dumps({k: v for k, v in document.items() if v is not None}).encode()


def test_a_manifest_says_what_rows_leave_open() -> None:
    """Zone, jurisdiction and locale have defaults; files are found by kind."""
    read = manifest.read(body())
    assert read.tenant == "bank"
    assert read.to_core() == TapeDefaults("Asia/Shanghai", "CN", "zh-CN")
    assert read.kinds() == {"accounts": "accounts.csv.xz", "obligations": "obligations.csv"}
    read = manifest.read(body(zone="Africa/Lagos", jurisdiction="NG", locale="en-NG"))
    assert read.to_core() == TapeDefaults("Africa/Lagos", "NG", "en-NG")


def test_the_example_is_a_manifest() -> None:
    """The example beside the events of the handlers is read, and says everything that can be said."""
    example = Path(__file__).parents[2] / "events" / "tape.json"
    read = manifest.read(example.read_bytes())
    assert read.to_json() == example.read_bytes()
    assert read.model_fields_set == set(Manifest.model_fields)


def test_a_manifest_comes_back() -> None:
    """What is written is read again, and the same manifest gives the same bytes."""
    made = Manifest(tenant="bank", files={"accounts.csv": File(rows=3), "obligations.csv": File()})
    assert manifest.read(made.to_json()) == made
    assert manifest.read(made.to_json()).to_json() == made.to_json()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tenant": None}, "tenant"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": "bank#1"}, "tenant"),
        ({"tenant": 5}, "tenant"),
        ({"schema_version": 2}, "schema_version"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"jurisdiction": "china"}, "jurisdiction"),
        ({"locale": "zh_CN"}, "locale"),
        ({"locale": "zh-CN\n"}, "locale"),
        ({"files": None}, "files"),
        ({"files": {"../accounts.csv": {}}}, "files"),
        ({"files": {"a/accounts.csv": {}}}, "files"),
        ({"files": {".accounts.csv": {}}}, "files"),
        ({"files": {"accounts.csv": {"rows": -1}}}, "files"),
        ({"files": {"accounts.csv": {"rows": "3"}}}, "files"),
        ({"files": {"accounts.csv": {"lines": 3}}}, ""),
        ({"somebody@else.example": 1}, ""),
    ],
)
def test_a_bad_manifest_is_refused(changes: dict[str, Any], field: str) -> None:
    """The refusal names the key at fault and repeats nothing that a stranger wrote."""
    with pytest.raises(Rejected) as caught:
        manifest.read(body(**changes))
    assert (caught.value.code, caught.value.field) == ("bad_manifest", field)
    for word in ("Mars", "china", "zh_CN", "bank#1", "somebody", "accounts"):
        assert word not in caught.value.message


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b" " * (manifest.MAX_BYTES + 1)])
def test_what_is_no_manifest_is_refused(raw: bytes) -> None:
    """Anything but a small JSON object is refused as a manifest."""
    with pytest.raises(Rejected) as caught:
        manifest.read(raw)
    assert caught.value.code == "bad_manifest"


def test_a_manifest_without_the_files_of_a_tape_is_refused() -> None:
    """What is missing is said before anything is opened."""
    with pytest.raises(Rejected) as caught:
        manifest.read(body(files={"accounts.csv": {}}))
    assert (caught.value.code, caught.value.field) == ("missing_file", "obligations")


def test_a_file_that_was_cut_off_is_found() -> None:
    """Size and rows are compared where both sides know them."""
    read = manifest.read(body())
    read.check("accounts.csv.xz", size=120, rows=2)
    read.check("obligations.csv", size=1, rows=1)
    for found in ({"size": 119}, {"rows": 1}):
        with pytest.raises(Rejected) as caught:
            read.check("accounts.csv.xz", **found)
        assert (caught.value.code, caught.value.field) == ("incomplete_file", "accounts.csv.xz")
