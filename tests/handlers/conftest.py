"""The whole deployment in moto, in this process, with a clock that stands still."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from moto import mock_aws

from betimes.adapters import clients
from betimes.handlers import batches
from betimes.lab.world import VirtualClock
from infra.template import Template
from tests.contracts import tables
from tests.handlers import told
from tests.handlers.cloud import Cloud, synthesized
from tests.handlers.pump import Pump


@pytest.fixture(scope="session")
def template(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template, kept between runs as long as what it is made of stays the same."""
    key = f"betimes/handlers/{tables.fingerprint()}"
    kept: dict[str, Any] | None = pytestconfig.cache and pytestconfig.cache.get(key, None)
    if kept is not None:
        return Template(kept)
    made = synthesized(tmp_path_factory.mktemp("handlers"))
    if pytestconfig.cache:
        pytestconfig.cache.set(key, made.body)
    return made


@pytest.fixture(scope="session")
def one_client() -> Callable[..., Any]:
    """The factory of clients, each made once in a run: making one takes a good part of a second."""
    return cache(clients.client)


@pytest.fixture(scope="module")
def cloud(template: Template, one_client: Callable[..., Any]) -> Iterator[Cloud]:
    """The deployment's tables, queues, topics and buckets, for all tests of a module; `fresh` empties them."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(clients, "client", one_client)
        yield Cloud(template)


@pytest.fixture
def fresh(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Pump]:
    """What makes an empty deployment, at the instant at which the story begins, in place of the one made before."""

    def make() -> Pump:
        cloud.empty()
        return Pump(cloud, monkeypatch, VirtualClock(told.TOLD_AT))

    return make


@pytest.fixture
def pump(fresh: Callable[[], Pump]) -> Pump:
    """The deployment in motion, with nothing in it."""
    return fresh()


@pytest.fixture
def with_bill(pump: Pump) -> Pump:
    """The same with one borrower, one account and one bill told, and nothing due yet."""
    told.bill(pump)
    return pump


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the handlers log."""
    written = io.StringIO()
    for handler in batches.logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written
