"""What is known of the tenants' own servers: kept under its version, in memory and on DynamoDB alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from betimes.adapters.endpoints import EndpointBook, endpoint_from, endpoint_item
from betimes.core.endpoints import Endpoint, Outcome, Why
from betimes.core.errors import Stale
from betimes.flows.endpoints import switch_on
from betimes.lab.endpoints import MemoryEndpoints
from betimes.ports import Endpoints
from tests.factories import NOW

URL = "https://hooks.lender.example/"


@pytest.fixture(params=["memory", "moto", "ministack"])
def book(request: pytest.FixtureRequest) -> Endpoints:
    """An empty store of one implementation."""
    if request.param == "memory":
        return MemoryEndpoints()
    tables = request.getfixturevalue(f"{request.param}_tables")
    client = request.getfixturevalue(f"{request.param}_client")
    return EndpointBook(client, tables._names["book"])


def test_of_a_new_one_nothing_is_known(book: Endpoints) -> None:
    """But the tenant."""
    assert book.endpoint("t1") == Endpoint("t1")


def test_each_write_is_one_above_what_it_saw(book: Endpoints) -> None:
    """Of two who saw the same, the second is told; so is one who saw nothing, and one who saw what was never there."""
    first = replace(Endpoint("t1").at(URL).after(Outcome.FAILURE, NOW), version=1)
    book.save(first)
    assert book.endpoint("t1") == first
    for version in (1, 3):
        with pytest.raises(Stale):
            book.save(replace(first, version=version))
    second = replace(first.after(Outcome.GONE, NOW + timedelta(hours=1)), version=2)
    book.save(second)
    assert book.endpoint("t1") == second
    assert book.endpoint("t2") == Endpoint("t2")


def test_switched_on_it_is_as_new_and_again_it_is_the_same(book: Endpoints) -> None:
    """The second time writes nothing."""
    book.save(replace(Endpoint("t1").at(URL).after(Outcome.GONE, NOW), version=1))
    on = switch_on(book, "t1")
    assert (on.is_off, on.version) == (False, 2)
    assert switch_on(book, "t1") == book.endpoint("t1") == on
    assert switch_on(book, "t2") == Endpoint("t2")


def test_an_item_is_the_endpoint_again() -> None:
    """With everything, and with nothing."""
    full = Endpoint("t1", "ab", NOW, NOW, 3, NOW, NOW, Why.LASTING, 7)
    for each in (full, Endpoint("t1", "ab", version=1)):
        assert endpoint_from("t1", endpoint_item(each)) == each
