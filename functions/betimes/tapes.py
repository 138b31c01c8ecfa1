"""A loan tape in a bucket, as the load flow reads it: the manifest, the files it names, and where the results go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from itertools import islice
from typing import TYPE_CHECKING

from betimes.config import INBOX, MANIFEST, RESULTS
from betimes.core.errors import Rejected
from betimes.flows.intake import Told
from betimes.flows.load import Line
from betimes.wire import manifest, tape
from betimes.wire.tape import BadRow, Kind, Row

if TYPE_CHECKING:
    from betimes.adapters.objects import Bucket

# The files that can serve a stage of loading, with how each is to be read.
_SERVES = {
    "accounts": ((Kind.ACCOUNTS, Kind.ACCOUNTS),),
    "repayments": (
        (Kind.REPAYMENTS, Kind.REPAYMENTS),
        (Kind.STATEMENTS, Kind.STATEMENTS_REPAYMENTS),
    ),
    "obligations": (
        (Kind.OBLIGATIONS, Kind.OBLIGATIONS),
        (Kind.STATEMENTS, Kind.STATEMENTS_OBLIGATIONS),
    ),
    "touches": ((Kind.TOUCHES, Kind.TOUCHES),),
    "consents": ((Kind.CONSENTS, Kind.CONSENTS),),
}


def tape_in(key: str) -> str:
    """Return the name of the tape whose manifest has this key.

    Raises:
        Rejected: code "not_a_manifest"; the key is not of the form inbox/<name>/tape.json.
    """
    name = key.removeprefix(INBOX).removesuffix(f"/{MANIFEST}")
    if key != f"{INBOX}{name}/{MANIFEST}" or not name or "/" in name:
        raise Rejected("not_a_manifest", "key", f"a tape is announced by {INBOX}<name>/{MANIFEST}")
    return name


@dataclass
class TapeInBucket:
    """The tape called `name`; see `flows.load.Tape`. Times are read in the manifest's zone."""

    bucket: Bucket
    name: str

    @cached_property
    def _manifest(self) -> manifest.Manifest:
        with self.bucket.open(f"{INBOX}{self.name}/{MANIFEST}") as stream:
            return manifest.read(stream.read(manifest.MAX_BYTES + 1))

    @property
    def tenant(self) -> str:
        """See `flows.load.Tape`."""
        return self._manifest.tenant

    def check(self) -> Sequence[str]:
        """See `flows.load.Tape`."""
        notices = []
        for kind, file in self._manifest.kinds().items():
            with self._open(file) as stream:
                extra = tape.header(kind, stream, file).extra
            with self._open(file) as stream:
                rows = tape.verify(kind, stream, file)
            size = self.bucket.size(f"{INBOX}{self.name}/{file}")
            self._manifest.check(file, size=size, rows=rows)
            notices += [f"{file}: column {column} is left aside" for column in extra]
        return notices

    def lines(self, stage: str, after: int) -> Iterator[Line]:
        """See `flows.load.Tape`."""
        found = self._manifest.kinds()
        for file_kind, kind in _SERVES[stage]:
            if file_kind in found:
                file = found[file_kind]
                with self._open(file) as stream:
                    rows = tape.rows(kind, stream, file, self._manifest.to_core())
                    yield from (_line(row) for row in islice(rows, after, None))

    def _open(self, file: str) -> BufferedReader:
        return self.bucket.open(f"{INBOX}{self.name}/{file}")


def _line(row: Row | BadRow) -> Line:
    if isinstance(row, BadRow):
        return Line(row.line, row.key, Rejected(row.code, row.field, row.message))
    told = Told(row.account_id, row.borrower_id, row.commands)
    return Line(row.line, row.key, told, row.notice)


@dataclass(frozen=True, slots=True)
class ResultsInBucket:
    """Results of one tape; see `flows.load.Results`."""

    bucket: Bucket
    tape: str

    def put(self, name: str, body: bytes) -> None:
        """See `flows.load.Results`."""
        self.bucket.put(f"{RESULTS}{self.tape}/{name}", body, "application/json")

    def get(self, name: str) -> bytes:
        """See `flows.load.Results`."""
        with self.bucket.open(f"{RESULTS}{self.tape}/{name}") as stream:
            return stream.read()
