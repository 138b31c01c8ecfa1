"""A TLS server of a test's own that counts what it is asked, and a client that may ask it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from betimes.adapters.guarded_https import GuardedHttps

HOST = "hooks.lender.example"
LOOPBACK = "127.0.0.1"


@dataclass
class Server:
    """A server with a certificate for HOST: it answers with `status`, 0 not at all, and keeps what it was asked.

    `drips` is an answer that it says a byte at a time, hundredths of a second apart, whatever else it is told.
    """

    client: GuardedHttps
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drips: bytes = b""
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def at(self, **fields: Any) -> GuardedHttps:
        """Return a client whose names all lead here, but for what `fields` say."""
        return replace(self.client, **fields)


def certificate(folder: Path) -> Path:
    """Write a certificate for HOST that vouches for itself, with its key, and return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@contextmanager
def running(pem: Path) -> Iterator[Server]:
    """Run a server with the certificate in a file until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            named = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append((self.path, named, body))
            if made.drips:
                self._drip()
                return
            if made.status == 0:
                made.over.wait()
                return
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            self.wfile.write(made.body)

        def _drip(self) -> None:
            with suppress(OSError):
                for byte in made.drips:
                    if made.over.wait(0.01):
                        return
                    self.wfile.write(bytes([byte]))

        def log_message(self, *_: object) -> None:
            return

    http = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    http.daemon_threads = True
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    http.socket = tls.wrap_socket(http.socket, server_side=True)
    client = GuardedHttps(
        ssl.create_default_context(cafile=str(pem)),
        resolve=lambda host: [LOOPBACK],
        permits=lambda address: address == LOOPBACK,
        port=http.server_address[1],
        connect_s=0.5,
        read_s=0.5,
    )
    made = Server(client)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        http.shutdown()
        thread.join()
        http.server_close()
