"""Files of others: from plain, .gz or .xz bytes to lines of text, without trusting any of it.

Everything streams: a file is never held in memory, and what would exhaust us stops while it is
being read. A line is what ends in a line feed; quoted fields may not hold one, so that a quote left
open costs its row and no other.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, Protocol

from betimes.core.errors import Rejected

PLAIN: Final = ".csv"
# What a file of a tape may be packed with, by the end of its name.
SUFFIXES: Final = (PLAIN, ".csv.gz", ".csv.xz")

CHUNK: Final = 64 * 1024
MAX_LINE: Final = 64 * 1024
MAX_BYTES: Final = 20 * 10**9
# Tables pack 5 : 1 to 20 : 1, a bomb of zeros 1000 : 1 and more (measured). Small files are left
# alone.
MAX_RATIO: Final = 100
RATIO_COUNTS_FROM: Final = 1024 * 1024
# `xz -9` needs 65 MiB to unpack.
MAX_UNPACKING_MEMORY: Final = 128 * 1024 * 1024

_BOM: Final = b"\xef\xbb\xbf"


class _Unpacker(Protocol):
    """What `lzma.LZMADecompressor` offers; `zlib` is made to look like it."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """One member of a gzip file."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


def _xz() -> _Unpacker:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_UNPACKING_MEMORY)


_UNPACKERS: Final[dict[str, Callable[[], _Unpacker]]] = {".gz": _Gzip, ".xz": _xz}


def lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Yield the lines of the file called `name`, without their ends (LF or CRLF).

    The end of the name says how it is packed. UTF-8, strictly; a byte order mark at the start is
    left out. Lines may be empty.

    Raises:
        Rejected: field = `name`, code "truncated_archive", "bad_archive", "archive_bomb",
        "file_too_large", "not_utf8" or
            "line_too_long". Raised where the fault is met: lines before it have been yielded.
    """
    number, rest = 0, b""
    for chunk in chunks(stream, name):
        *whole, rest = (rest + chunk).rsplit(b"\n", 1)
        for block in whole:
            texts = _texts(block, number, name)
            number += len(texts)
            yield from texts
        if len(rest) > MAX_LINE:
            raise _too_long(name, number + 1)
    if rest:
        yield from _texts(rest, number, name)


def _texts(block: bytes, before: int, name: str) -> list[str]:
    """Return the lines of a block, which come after so many others; decodes them all at once."""
    # Only the first can be longer than a chunk: the others lie within one.
    if block.find(b"\n", 0, MAX_LINE + 1) < 0 and len(block) > MAX_LINE:
        raise _too_long(name, before + 1)
    if not before:
        block = block.removeprefix(_BOM)
    try:
        texts = block.decode().split("\n")
    except UnicodeDecodeError as error:
        number = before + block.count(b"\n", 0, error.start) + 1
        message = f"{name} line {number} is not UTF-8; export the file as UTF-8 and send it again"
        raise Rejected("not_utf8", name, message) from None
    return [text.removesuffix("\r") for text in texts] if b"\r" in block else texts


def _too_long(name: str, number: int) -> Rejected:
    return Rejected(
        "line_too_long",
        name,
        f"{name} line {number} is longer than {MAX_LINE} bytes; send CSV with one row a line",
    )


def chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the unpacked bytes of the file called `name` in pieces of at most `CHUNK` bytes.

    Raises:
        Rejected: as in `lines`, for what can be wrong with an archive.
    """
    unpacker = next((new for end, new in _UNPACKERS.items() if name.endswith(end)), None)
    meter = _Meter(name)
    if unpacker is None:
        while data := stream.read(CHUNK):
            meter.count(len(data), len(data))
            yield data
        return
    try:
        yield from _unpacked(stream, name, unpacker, meter)
    except (lzma.LZMAError, zlib.error):
        raise Rejected(
            "bad_archive",
            name,
            f"{name} is not the archive its name says, or it is damaged; pack and send it again",
        ) from None


class _Meter:
    """Counts what went in and what came out, and stops a file that grows beyond measure."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._packed = 0
        self._unpacked = 0

    def count(self, packed: int, unpacked: int) -> None:
        self._packed += packed
        self._unpacked += unpacked
        if self._unpacked > MAX_BYTES:
            raise Rejected(
                "file_too_large",
                self._name,
                f"{self._name} holds more than {MAX_BYTES} bytes; send it as several tapes",
            )
        if self._unpacked > max(RATIO_COUNTS_FROM, MAX_RATIO * self._packed):
            raise Rejected(
                "archive_bomb",
                self._name,
                f"{self._name} grows more than {MAX_RATIO} times when unpacked; send it unpacked",
            )


def _unpacked(
    stream: BinaryIO, name: str, new: Callable[[], _Unpacker], meter: _Meter
) -> Iterator[bytes]:
    """Yield the content of an archive, which may be several streams one after the other."""
    data, finished = b"", 0
    part: _Unpacker | None = None
    while True:
        if not data and (part is None or part.needs_input):
            data = stream.read(CHUNK)
            meter.count(len(data), 0)
            if not data:
                break
        if part is None:
            # Zeros may fill up the space between and behind streams.
            data = data.lstrip(b"\0") if finished else data
            if not data:
                continue
            part = new()
        out = part.decompress(data, CHUNK)
        data = b""
        meter.count(0, len(out))
        if part.eof:
            data, part, finished = part.unused_data, None, finished + 1
        yield out
    if part is not None or not finished:
        raise Rejected(
            "truncated_archive",
            name,
            f"{name} ends in the middle of the archive; send the whole file again",
        )
