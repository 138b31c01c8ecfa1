"""A transaction whose answer is lost is repeated under its token until the answer is definite.

moto ignores tokens, so this runs on ministack alone.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from betimes.adapters.dynamodb import Tables
from betimes.core.change import Append, SaveHead
from betimes.core.errors import Stale
from tests.contracts import tables
from tests.factories import BORROWER_ID, TENANT, borrower, record


class LosesAnswers:
    """A client whose first `lost` transactions are carried out and never answered."""

    def __init__(self, client: Any, lost: int) -> None:
        self._client = client
        self.lost = lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **parameters: Any) -> Any:
        answer = self._client.transact_write_items(**parameters)
        if self.lost:
            self.lost -= 1
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
        return answer


@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_answer_is_asked_for_again(
    ministack_client: Any, definitions: tables.Definitions, lost: int
) -> None:
    """The commit succeeds, although its conditions fail by now, and the change is there once."""
    client = LosesAnswers(ministack_client, lost)
    with tables.made(client, definitions, f"lost{lost}") as made:
        made._sleep = lambda _: None
        made.commit([SaveHead(borrower(), 0), Append(record())])
        assert client.lost == 0
        assert made.pages(TENANT, BORROWER_ID).head == borrower()
        assert len(made.of_borrower(TENANT, BORROWER_ID)) == 1


def test_the_same_content_later_is_another_transaction(ministack_tables: Tables) -> None:
    """A token is no memory of content: whoever commits the same thing again is told that it is there."""
    ministack_tables.commit([Append(record())])
    with pytest.raises(Stale):
        ministack_tables.commit([Append(record())])
