"""What the first release stored is read, and written again, by the tables of today."""

from __future__ import annotations

import pytest

from betimes.adapters import items
from betimes.adapters.actions import Table
from betimes.adapters.dynamodb import Tables
from betimes.core.change import SaveAccount, changes_between
from betimes.core.errors import Stale
from tests.contracts.conftest import MINISTACK, MOTO
from tests.factories import BORROWER_ID, TENANT, account, borrower, flight, hold, obligation

OF = (TENANT, BORROWER_ID)


@pytest.fixture(params=[MOTO, MINISTACK])
def stored(request: pytest.FixtureRequest) -> Tables:
    """Tables that hold a borrower, an account and a bill in part paid, in the form of the first release."""
    tables: Tables = request.getfixturevalue(f"{request.param}_tables")
    contract = items.account_item(*OF, account())
    del contract[items.VERSION]
    bill = items.obligation_item(*OF, obligation()) | {"paid_minor": {"N": "2500"}}
    for item in (items.borrower_item(borrower()), contract, bill):
        tables._client.put_item(TableName=tables._names[Table.BOOK], Item=item)
    return tables


def test_it_is_read(stored: Tables) -> None:
    """The account has the first version, and the bill its money."""
    found = stored.pages(*OF)
    assert found.head == borrower()
    assert found.accounts == {"a1": account(version=1)}
    assert found.obligations["o1"].paid_minor == 2_500
    assert found.obligations["o1"].paid.total == 2_500


def test_it_is_changed(stored: Tables) -> None:
    """Whatever was read can be written: every part of it, with what is new beside it."""
    before = stored.pages(*OF)
    after = before.with_account(account(mandate="1234")).with_hold(hold()).with_flight(flight())
    stored.commit(changes_between(before, after))
    found = stored.pages(*OF)
    assert found.accounts == {"a1": account(mandate="1234", version=2, tally=1)}
    assert (found.holds, found.flights) == ({"h1": hold()}, {"f1": flight()})
    assert found.obligations == before.obligations


def test_an_account_without_a_version_is_won_once(stored: Tables) -> None:
    """Its missing version counts as the first one, and as no other."""
    for seen in (0, 2):
        with pytest.raises(Stale):
            stored.commit([SaveAccount(*OF, account(version=seen + 1), seen)])
    claim = SaveAccount(*OF, account(version=2), 1)
    stored.commit([claim])
    with pytest.raises(Stale):
        stored.commit([claim])
