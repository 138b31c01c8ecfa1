"""The real handler of the hosted pages over memory stores, with one message sent, and a bridge from HTTP to it.

The bridge is what the HTTP API of AWS is in between: it turns a request into an event of payload format 2.0 and the
handler's answer into a response. It listens on the loopback interface only.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from betimes import wiring
from betimes.config import LINKS, Settings
from betimes.core import links
from betimes.core.book import Pages
from betimes.core.contact import Contact
from betimes.core.links import Action, Keys, Link
from betimes.core.values import replace
from betimes.handlers import on_page
from betimes.lab.world import TENANT, World
from tests.flows import harness

KEYS = Keys(1, {1: b"a key of the tests, 32 bytes long"})
PAY = "https://pay.lender.example/start"
HOSTS = "pay.lender.example"


@dataclass
class _Ring:
    """Where the keys come from in a test."""

    held: Keys = KEYS

    def keys(self) -> Keys:
        return self.held


class _Context:
    """What the handler is told of its invocation, of which it reads nothing."""


@dataclass
class Deployment:
    """A lab world with one message sent by e-mail about one bill of the borrower b1, and the pages over its stores."""

    here: World
    contact: Contact
    world: wiring.World
    ring: _Ring = field(default_factory=_Ring)
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def pages(self) -> Pages:
        """The borrower's pages as they are stored."""
        return self.here.memory.pages(TENANT, "b1")

    def token(self, action: Action, **fields: Any) -> str:
        """Return a token that came with the message, issued on the day it was sent."""
        made = Link(TENANT, self.contact.id, action, harness.STEP_AT.date())
        return links.token(self.ring.held, replace(made, **fields))

    def get(self, token: str, query: str = "", method: str = "GET") -> dict[str, Any]:
        """Open a link and return the handler's answer."""
        return self.call(method, LINKS + token, query)

    def post(self, token: str, query: str = "", **form: str) -> dict[str, Any]:
        """Send a form to a link and return the handler's answer."""
        body = urlencode({name.replace("List_Un", "List-Un"): v for name, v in form.items()})
        return self.call("POST", LINKS + token, query, body.encode())

    def call(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes = b"",
        kind: str = "application/x-www-form-urlencoded",
    ) -> dict[str, Any]:
        """Hand one request to the handler, as the HTTP API does, and return its answer."""
        self.requests.append((method, path))
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "ANY /l/{token}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": kind} if body else {},
            "requestContext": {"http": {"method": method, "path": path}},
            "isBase64Encoded": bool(body),
        }
        if body:
            event["body"] = base64.b64encode(body).decode()
        before = on_page.WORLD
        on_page.WORLD = self.world
        try:
            return on_page.handler(event, _Context())  # type: ignore[arg-type]  # it reads nothing
        finally:
            on_page.WORLD = before


def deployment(**person: Any) -> Deployment:
    """Return a deployment in which one reminder went out on 2026-03-06, and it is noon of that day in Shanghai."""
    here, contact_id = harness.ready(phone=harness.PHONE, **person)
    here.dispatch.deliver(contact_id)
    here.settle()
    contact = harness.contact_of(here, contact_id)
    assert contact.point, "the message went out"
    here.clock.advance(datetime.fromisoformat("2026-03-06T04:00:00+00:00"))
    world = wiring.World(Settings(link_hosts=HOSTS, pay_url=PAY), here.clock)
    made = Deployment(here, contact, world)
    parts = {
        "stores": here.stores,
        "policies": here.policies,
        "intake": here.intake,
        "key_ring": made.ring,
    }
    # The parts are cached properties: what is set here is what the handler finds.
    vars(world).update(parts)
    return made


@contextmanager
def served(made: Deployment) -> Iterator[str]:
    """Serve the pages on the loopback interface and give the base of their addresses."""
    lock = threading.Lock()

    class Bridge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._bridge()

        def do_POST(self) -> None:
            self._bridge()

        def do_HEAD(self) -> None:
            self._bridge()

        def _bridge(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            parts = urlsplit(self.path)
            with lock:
                answer = made.call(
                    self.command,
                    parts.path,
                    parts.query,
                    body,
                    self.headers.get("content-type", ""),
                )
            sent = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep tokens out of every log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bridge) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
