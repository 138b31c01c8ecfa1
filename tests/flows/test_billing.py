"""What a provider says a message has cost takes the place of the estimate, in any order and any number of copies."""

from __future__ import annotations

from typing import Any

from betimes.core.contact import Event
from betimes.core.feedback import Cost, ProviderEvent
from betimes.core.values import replace
from betimes.flows.billing import settle
from betimes.flows.dispatch import Dispatched
from betimes.ports import Accepted
from tests.flows.harness import STEP_AT
from tests.flows.test_dispatch import Provider
from tests.flows.test_dispatch_pace import TODAY, Kept


def reported(contact_id: str, **fields: Any) -> ProviderEvent:
    """Return a report with its cost."""
    event = ProviderEvent(contact_id, 1, Event.DELIVERED, STEP_AT, "k", "", Cost(250, "USD"))
    return replace(event, **fields)


def test_the_cost_replaces_the_estimate_once() -> None:
    """Told twice it counts once; a report without a cost changes nothing."""
    kept = Kept()
    assert kept.deliver(Provider([Accepted("p-1")])) is Dispatched.ACCEPTED
    for _ in range(2):
        assert settle(kept.here.stores, kept.spend, reported(kept.contact_id))
    assert not settle(kept.here.stores, kept.spend, reported(kept.contact_id, cost=None))
    spent = kept.spend.spent(TODAY)
    assert (spent.micro, spent.messages, spent.trued) == (250, 1, 1)


def test_what_was_never_estimated_is_not_counted() -> None:
    """Another attempt, another currency, somebody else's message."""
    kept = Kept()
    assert kept.deliver(Provider([Accepted("p-1")])) is Dispatched.ACCEPTED
    stores = kept.here.stores
    assert not settle(stores, kept.spend, reported(kept.contact_id, attempt=2))
    assert not settle(stores, kept.spend, reported(kept.contact_id, cost=Cost(1, "CNY")))
    assert not settle(stores, kept.spend, reported("c_of_nobody"))
    assert kept.spend.spent(TODAY).micro == 100
