"""A rehearsal: a bill comes due, the simulator plays the provider, and its reports are folded as they come."""

from __future__ import annotations

from collections import deque

import pytest

from betimes.adapters.sim import Scene, Sim
from betimes.core.borrower import PointState
from betimes.core.contact import Contact, State
from betimes.flows.dispatch import Dispatch
from betimes.flows.feedback import hear
from betimes.lab.world import GUARD, LEASE, TENANT, World
from betimes.wire import reports
from tests.core.support import POLICIES
from tests.flows.harness import chains_hold, contact_of, ready


def rehearsed(email: str, *, early: bool = False, twice: bool = False) -> tuple[World, Contact]:
    """Return the world and the contact after one send to `email` and all reports of it; `early` ones are heard before
    the answer is on record.
    """
    here, contact_id = ready(email)
    waiting: deque[str] = deque()

    def publish(body: str, delay_s: int) -> None:
        waiting.append(body)
        if early:
            listen()

    def listen() -> None:
        while waiting:
            reported = reports.parse(waiting.popleft())
            assert reported is not None
            for _ in range(2 if twice else 1):
                hear(here.stores, reported)

    senders = {"email": Sim("email", publish, here.clock)}
    Dispatch(here.stores, POLICIES, senders, here.clock, LEASE, GUARD).deliver(contact_id)
    listen()
    return here, contact_of(here, contact_id)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(
    ("scene", "state", "point"),
    [
        (Scene.DELIVERED, State.DELIVERED, PointState.ACTIVE),
        (Scene.SOFT, State.UNDELIVERED_SOFT, PointState.ACTIVE),
        (Scene.HARD, State.UNDELIVERED_HARD, PointState.BOUNCED),
        (Scene.COMPLAINT, State.DELIVERED, PointState.COMPLAINED),
        (Scene.SLOW, State.DELIVERED, PointState.ACTIVE),
        (Scene.TIMEOUT_ACCEPTED, State.DELIVERED, PointState.ACTIVE),
        (Scene.TIMEOUT_LOST, State.UNKNOWN, PointState.ACTIVE),
        (Scene.THROTTLE, State.READY, PointState.ACTIVE),
        (Scene.REFUSED, State.REFUSED, PointState.ACTIVE),
    ],
)
def test_a_rehearsal_ends_where_the_recipient_says(
    scene: Scene, state: State, point: PointState, early: bool, twice: bool
) -> None:
    """Contact and address end as with a real provider, however early and often its reports come."""
    here, contact = rehearsed(f"{scene}@sim.example", early=early, twice=twice)

    assert contact.state is state
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert [each.state for each in head.contact_points] == [point]
    assert chains_hold(here)


def test_an_accepted_rehearsal_keeps_the_simulators_id() -> None:
    """The contact names the message as the simulator does, from contact and attempt."""
    _, contact = rehearsed("delivered@sim.example")

    assert contact.provider_id == f"sim-{contact.id}-1"
