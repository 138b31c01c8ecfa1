"""The manifest `tape.json` of a tape: whose it is, what its rows leave open, which files it has.

It is put last: its arrival announces the tape. It names every file, because the reader may get
objects but not list them; sizes and row counts, where given, show a file that was cut off on its
way. An example is `events/tape.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from betimes.core import ids, zones
from betimes.core.errors import Rejected
from betimes.wire import tape
from betimes.wire.tape import TapeDefaults

MAX_BYTES: Final = 64 * 1024

# A name within the tape's own folder: no slash, no dot in front.
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def _id(text: str) -> str:
    if not ids.is_id(text):
        raise ValueError("must be 1 to 128 ASCII letters, digits, '.', '_', ':' or '-'")
    return text


def _zone(text: str) -> str:
    try:
        zones.zone(text)
    except Rejected:
        raise ValueError("must be an IANA time zone such as Asia/Shanghai") from None
    return text


def _file_name(text: str) -> str:
    if not _FILE_NAME.fullmatch(text):
        raise ValueError("must be a file name in the folder of the tape, without a path")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class File(_Strict):
    """What the sender says of a file, None for nothing; `rows` does not count the header."""

    bytes: int | None = Field(default=None, ge=0)
    rows: int | None = Field(default=None, ge=0)


class Manifest(_Strict):
    """A tape announced; `zone` is that of times without an offset and of most borrowers."""

    schema_version: Literal[1] = 1
    tenant: Annotated[str, AfterValidator(_id)]
    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    jurisdiction: str = Field(default="CN", pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    locale: str = Field(default="zh-CN", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")
    files: Mapping[Annotated[str, AfterValidator(_file_name)], File]

    def to_core(self) -> TapeDefaults:
        """Return what holds where a row does not say."""
        return TapeDefaults(self.zone, self.jurisdiction, self.locale)

    def kinds(self) -> dict[str, str]:
        """Return the file of each kind; see `wire.tape.kinds`, also for errors."""
        return tape.kinds(self.files)

    def check(self, name: str, *, size: int | None = None, rows: int | None = None) -> None:
        """Compare size in bytes or number of data rows with what was announced, if both are known.

        Raises:
            Rejected: code "incomplete_file", field = `name`.
        """
        announced = self.files[name]
        for found, wanted, what in (
            (size, announced.bytes, "bytes"),
            (rows, announced.rows, "data rows"),
        ):
            if found is not None and wanted is not None and found != wanted:
                raise Rejected(
                    "incomplete_file",
                    name,
                    f"{name} has {found} {what}, the manifest says {wanted}; "
                    "send file and manifest again",
                )

    def to_json(self) -> bytes:
        """Return the manifest as JSON; the same manifest gives the same bytes."""
        document = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(document, sort_keys=True, indent=2).encode() + b"\n"


def read(body: bytes) -> Manifest:
    """Return the manifest in `body`.

    Raises:
        Rejected: code "bad_manifest", field = the key at fault ("" for the document); or, for a
        tape that lacks a file or
            has one twice, what `wire.tape.kinds` raises.
    """
    if len(body) > MAX_BYTES:
        raise _bad("", f"is longer than {MAX_BYTES} bytes")
    try:
        manifest = Manifest.model_validate_json(body)
    except ValidationError as error:
        # Neither the input nor the name of a stranger's key is repeated.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        known = first["loc"][:1] if first["type"] != "extra_forbidden" else ()
        raise _bad("".join(map(str, known)), first["msg"]) from None
    manifest.kinds()
    return manifest


def _bad(field: str, problem: str) -> Rejected:
    place = f"tape.json, {field}" if field else "tape.json"
    return Rejected("bad_manifest", field, f"{place}: {problem}")
