"""What several senders' tests share: a server of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters import tls


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, made once a run."""
    return tls.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(pem: Path) -> Iterator[tls.Server]:
    """A server that counts what it is asked."""
    with tls.running(pem) as made:
        yield made
