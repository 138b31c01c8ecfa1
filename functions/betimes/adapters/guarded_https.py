"""One HTTPS request to an address that somebody else has chosen, and to nowhere but the public internet.

Whoever may tell us an address could name a machine of our own network, or the metadata service of the one we run on
(server-side request forgery). So the name is resolved here, every address it stands for has to be public, and the
connection goes to the very address that was checked: a name that answers otherwise the second time is not asked again.
No redirect is followed, no proxy is used, and of the answer no more is read than the beginning.

A server that says its answer a byte at a time never exceeds a timeout of one read. So connection, request and answer
have one deadline together, and each step is given what is left of it.

Source: OWASP, "Server-Side Request Forgery Prevention Cheat Sheet"; IANA special-purpose address registries.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from betimes.config import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from betimes.core.values import dataclass

PORT: Final = 443
# Of an answer's body, in bytes: what says more is not understood.
MAX_ANSWER: Final = 64 * 1024
# Of an answer altogether, with its headers and what goes before it.
MAX_READ: Final = 4 * MAX_ANSWER
# Of the addresses behind a name: where the first does not answer, nothing was said to anybody yet.
MAX_TRIED: Final = 3
# The shortest wait there is: 0 would mean not to wait at all.
_MOMENT_S: Final = 0.001
# What is routed at all; loopback, link-local and unique-local addresses, and those that NAT64 translates, lie outside
# (RFC 4291, section 2.4; RFC 6052).
_ROUTED: Final = ipaddress.IPv6Network("2000::/3")
# RFC 1123 and RFC 5891: a name has a dot, and its last label begins with a letter, so "10.0.0.1" and "0x7f.1" are none.
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Visible characters and blanks of one line (RFC 9110, section 5.5).
_VALUE: Final = re.compile(r"[\x20-\x7e]*")

Resolve = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Status:
    """An answer: the status, how many seconds it asks to wait, 0 where it does not say, and how its body begins."""

    code: int
    retry_after_s: int
    body: bytes = b""


class NotSent(Exception):
    """The request surely did not reach anybody; `code` says why, `for_good` that it never will at this address."""

    def __init__(self, code: str, *, for_good: bool) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


class NoAnswer(Exception):
    """The request may have been taken: nobody knows."""


def is_public(address: str) -> bool:
    """Return whether an IP address, as text, is one of the public internet; False for what is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped
        if inner is not None:
            return is_public(str(inner))
        # Tunnels name an IPv4 address inside: nothing that should be asked lives behind one.
        if found.sixtofour or found.teredo or found not in _ROUTED:
            return False
    return found.is_global and not found.is_multicast


def resolved(host: str) -> Sequence[str]:
    """Return the IP addresses of a name. Raises OSError where it has none."""
    found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


@dataclass(frozen=True, slots=True)
class GuardedHttps:
    """Makes requests; the defaults are for the world, others for a test's own server. `connect_s` bounds what goes
    before the request at each address, and both together the whole call, but for the question to the name server.
    """

    context: ssl.SSLContext
    resolve: Resolve = resolved
    permits: Callable[[str], bool] = is_public
    port: int = PORT
    connect_s: float = CONNECT_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S
    clock: Callable[[], float] = time.monotonic

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, most: int = MAX_ANSWER
    ) -> Status:
        """Make exactly one POST request and return the answer's status and up to `most` bytes of its body.

        With `most` 0 the status is all that is waited for.

        Raises:
            NotSent: "bad_header", one is not a line of ASCII; "bad_address", the address is not plain https on the
                usual port, names no host but an IP address, or leads to an address that is not public; "unreachable" or
                "bad_certificate", nothing was said.
            NoAnswer: it was sent, at least in part, and no answer was understood in time.
        """
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or not _VALUE.fullmatch(value):
                raise NotSent("bad_header", for_good=True)
        host, path = _target(url)
        deadline = self.clock() + self.connect_s + self.read_s
        asking = http.client.HTTPSConnection(host, self.port, context=self.context)
        # Nobody else is ever connected to by name.
        asking.auto_open = 0
        asking.sock = line = _Line(self._connected(host, deadline), deadline, self.clock)
        try:
            asking.request("POST", path, body, dict(headers))
            answer = asking.getresponse()
            wait_s = _seconds(answer.getheader("Retry-After"))
            return Status(answer.status, wait_s, answer.read(most) if most else b"")
        except (OSError, ValueError, http.client.HTTPException) as error:
            # ValueError: a length of nonsense in an answer of several parts.
            raise NoAnswer(type(error).__name__) from None
        finally:
            line.hang_up()

    def _connected(self, host: str, deadline: float) -> ssl.SSLSocket:
        """Return the connection to the first of the name's addresses that answers as the name."""
        try:
            addresses = self.resolve(host)
        except (OSError, UnicodeError):
            raise NotSent("unreachable", for_good=False) from None
        # One that is not public among others is enough to turn the name away.
        if not addresses or not all(self.permits(each) for each in addresses):
            raise NotSent("bad_address", for_good=True)
        refused = NotSent("unreachable", for_good=False)
        for address in list(dict.fromkeys(addresses))[:MAX_TRIED]:
            left = deadline - self.read_s - self.clock()
            if left <= 0:
                # The name server took the time.
                break
            try:
                plain = socket.create_connection((address, self.port), left)
            except OSError:
                continue
            plain.settimeout(max(deadline - self.read_s - self.clock(), _MOMENT_S))
            try:
                return self.context.wrap_socket(plain, server_hostname=host)
            except OSError as error:
                plain.close()
                if isinstance(error, ssl.SSLError):
                    refused = NotSent("bad_certificate", for_good=False)
        raise refused


class _Line:
    """A connection as `http.client` uses one; whatever is said on it has been said by the deadline."""

    def __init__(self, sock: ssl.SSLSocket, deadline: float, clock: Callable[[], float]) -> None:
        self._sock = sock
        self._deadline = deadline
        self._clock = clock
        self._left = MAX_READ

    def sendall(self, data: bytes) -> None:
        """Say all of it. Raises OSError where the deadline passes before."""
        rest = memoryview(data)
        while rest:
            self._hurry()
            rest = rest[self._sock.send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what the other side says."""
        assert mode == "rb", "an answer is read as bytes"
        return io.BufferedReader(_Heard(self))

    def read_into(self, buffer: Any) -> int:
        """Read what there is. Raises OSError where the deadline passes before, or where it is more than an answer."""
        self._hurry()
        count = self._sock.recv_into(buffer, min(len(buffer), self._left) or 1)
        self._left -= count
        if self._left <= 0:
            raise OSError("the answer is too long")
        return count

    def close(self) -> None:
        """Do nothing: `http.client` closes a line before it reads the answer from the file that it made of it."""

    def hang_up(self) -> None:
        """Close the connection."""
        self._sock.close()

    def _hurry(self) -> None:
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)


class _Heard(io.RawIOBase):
    """What comes over a line."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase.readinto`."""
        return self._line.read_into(buffer)


def world() -> GuardedHttps:
    """Return the client for the public internet, with the machine's certificate authorities."""
    return GuardedHttps(ssl.create_default_context())


def _target(url: str) -> tuple[str, str]:
    bad = NotSent("bad_address", for_good=True)
    if not url.isascii() or not url.isprintable() or set(url) & set(" \"'<>\\^`{|}"):
        raise bad
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise bad from None
    host = parts.hostname or ""
    if parts.scheme != "https" or "@" in parts.netloc or parts.fragment or port not in (None, PORT):
        raise bad
    if not _NAME.fullmatch(host):
        raise bad
    path = parts.path or "/"
    return host, f"{path}?{parts.query}" if parts.query else path


def _seconds(text: str | None) -> int:
    """Return the seconds of a Retry-After header, 0 for a date or nonsense, an hour at most."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 9):
        return 0
    return min(int(text), 3_600)
