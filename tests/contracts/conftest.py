"""The implementations of the ports that must behave alike: the twin in memory, and DynamoDB by two emulators."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from betimes.adapters import clients
from betimes.adapters.dynamodb import Tables
from betimes.lab.memory import Memory
from betimes.ports import Stores
from tests.contracts import ministack, tables

MEMORY, MOTO, MINISTACK = "memory", "moto", "ministack"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def definitions(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> tables.Definitions:
    """The tables of the synthesized template, kept between runs as long as what they are made of stays the same."""
    key = f"betimes/tables/{tables.fingerprint()}"
    kept: tables.Definitions | None = pytestconfig.cache and pytestconfig.cache.get(key, None)
    if kept is not None:
        return kept
    from infra.app import build
    from infra.settings import InfraSettings

    folder = tmp_path_factory.mktemp("tables")
    build(InfraSettings(), folder).synth()
    found = tables.definitions_in(folder)
    if pytestconfig.cache:
        pytestconfig.cache.set(key, found)
    return found


@pytest.fixture(scope="session")
def ministack_client() -> Iterator[Any]:
    """A client of a ministack that lives as long as the test run."""
    if not ministack.PYTHON.exists():
        pytest.skip("ministack is not installed in .local/ministack: contracts run on moto alone")
    with ministack.running() as url:
        yield clients.client("dynamodb", region=ministack.REGION, endpoint=url)


@pytest.fixture(scope="session")
def moto_client() -> Any:
    """A client that moto answers while `mock_aws` is on; one for all, because making one takes a second."""
    return clients.client("dynamodb", region=ministack.REGION)


@pytest.fixture
def moto_tables(moto_client: Any, definitions: tables.Definitions) -> Iterator[Tables]:
    """Empty tables in moto, in this process."""
    with mock_aws(), tables.made(moto_client, definitions, MOTO) as made:
        yield made


@pytest.fixture
def ministack_tables(ministack_client: Any, definitions: tables.Definitions) -> Iterator[Tables]:
    """Empty tables in ministack."""
    with tables.made(ministack_client, definitions, f"t{next(_numbers)}") as made:
        yield made


@pytest.fixture(params=[MEMORY, MOTO, MINISTACK])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Empty stores of one implementation; every test that takes them runs once for each."""
    if request.param == MEMORY:
        memory = Memory()
        return Stores(memory, memory, memory, memory, memory)
    found: Tables = request.getfixturevalue(f"{request.param}_tables")
    return Stores(found, found, found, found, found)
