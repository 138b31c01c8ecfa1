"""One HTTPS request to an address that somebody else has chosen, and to nowhere but the public internet.

Whoever may tell us an address could name a machine of our own network, or the metadata service of the one we run on
(server-side request forgery). So the name is resolved here, every address it stands for has to be public, and the
connection goes to the very address that was checked: a name that answers otherwise the second time is not asked again.
No redirect is followed, no proxy is used, and of the answer no more is read than the beginning.

Source: OWASP, "Server-Side Request Forgery Prevention Cheat Sheet"; IANA special-purpose address registries.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from betimes.config import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from betimes.core.values import dataclass

PORT: Final = 443
# Of an answer's body, in bytes: what says more is not understood.
MAX_ANSWER: Final = 64 * 1024
# Translated to an IPv4 address behind it, which may be any (RFC 6052, RFC 8215).
_TRANSLATED: Final = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)

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
        if found.sixtofour or found.teredo or any(found in each for each in _TRANSLATED):
            return False
    return found.is_global and not found.is_multicast


def resolved(host: str) -> Sequence[str]:
    """Return the IP addresses of a name. Raises OSError where it has none."""
    found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


@dataclass(frozen=True, slots=True)
class GuardedHttps:
    """Makes requests; the defaults are for the world, others for a test's own server."""

    context: ssl.SSLContext
    resolve: Resolve = resolved
    permits: Callable[[str], bool] = is_public
    port: int = PORT
    connect_s: float = CONNECT_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Status:
        """Make exactly one POST request and return the answer's status.

        Raises:
            NotSent: "bad_address", the address is not plain https on the usual port, names no host but an IP address,
                or leads to an address that is not public; "unreachable" or "bad_certificate", nothing was said.
            NoAnswer: it was sent, at least in part, and no answer was understood in time.
        """
        host, path = _target(url)
        line = self._connected(host)
        try:
            line.request("POST", path, body, dict(headers))
            answer = line.getresponse()
            wait_s = _seconds(answer.getheader("Retry-After"))
            return Status(answer.status, wait_s, answer.read(MAX_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(type(error).__name__) from None
        finally:
            line.close()

    def _connected(self, host: str) -> http.client.HTTPSConnection:
        try:
            addresses = self.resolve(host)
        except OSError:
            raise NotSent("unreachable", for_good=False) from None
        # One that is not public among others is enough to turn the name away.
        if not addresses or not all(self.permits(each) for each in addresses):
            raise NotSent("bad_address", for_good=True)
        line = http.client.HTTPSConnection(host, self.port, context=self.context)
        try:
            plain = socket.create_connection((addresses[0], self.port), self.connect_s)
        except OSError:
            raise NotSent("unreachable", for_good=False) from None
        try:
            line.sock = self.context.wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            code = "bad_certificate" if isinstance(error, ssl.SSLError) else "unreachable"
            raise NotSent(code, for_good=False) from None
        line.sock.settimeout(self.read_s)
        return line


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
    # A name has a dot and ends in letters: "10.0.0.1", "[::1]", "0x7f.1" and "localhost" are none.
    if "." not in host or not host.rpartition(".")[2].isalpha():
        raise bad
    path = parts.path or "/"
    return host, f"{path}?{parts.query}" if parts.query else path


def _seconds(text: str | None) -> int:
    """Return the seconds of a Retry-After header, 0 for a date or nonsense, an hour at most."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 9):
        return 0
    return min(int(text), 3_600)
