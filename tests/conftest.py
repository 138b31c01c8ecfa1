"""For every test: dummy credentials, no real profile, and no way out of this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from betimes.adapters import proofs
from infra import proved
from tests import canary

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    # No profile of the person who runs the tests is ever read.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # moto does not know the hosts that newer SDKs make from the account.
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
}


@pytest.fixture(scope="session", autouse=True)
def _dummy_credentials() -> Iterator[None]:
    """No test sees an AWS setting of the shell it was started from."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_day_that_is_proved() -> Iterator[None]:
    """A checkout is tested alike in whatever year; that a proof ends has tests that name the day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proved, "today", lambda: proofs.read()["default"].first)
        yield


@pytest.fixture(scope="session", autouse=True)
def _net() -> Iterator[canary.Net]:
    """Whatever is said in this process goes through one net."""
    net = canary.Net()
    with canary.spread(net):
        yield net


@pytest.fixture(autouse=True)
def net(_net: canary.Net) -> Iterator[canary.Net]:
    """No test leaks personal data: what it says in logs, metrics, errors of ours and messages holds none.

    What a fixture of a wider scope leaks is found at the first test that uses it.
    """
    yield _net
    leaks = _net.take()
    assert not leaks, "personal data where none may be:\n" + "\n".join(leaks)


class LeftThisMachine(BaseException):
    """A test tried to reach another machine; no `except Exception` may hide it."""


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """No connection leaves the loopback interface, and no name of another machine is looked up."""
    connect, connect_ex, getaddrinfo = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        return connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host and not _is_loopback(host):
            raise LeftThisMachine(f"a test looked up {host!r}")
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


def _check(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise LeftThisMachine(f"a test connected to {address[0]!r}")


def _is_loopback(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name.startswith("127.") or name in ("localhost", "::1")
