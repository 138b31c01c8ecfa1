"""Webhooks in use: failures are waited out longer and longer, an endpoint that never answers is given up, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from betimes.core.borrower import ContactPoint
from betimes.core.contact import Contact, State
from betimes.core.endpoints import GONE, IS_OFF, LASTING, LEAST, Endpoint, Why, wait_after
from betimes.core.errors import Stale, Unavailable
from betimes.core.message import Text
from betimes.core.policies import Policies
from betimes.core.treatment import Fallback, MessageClass
from betimes.flows.endpoints import Watched, switch_on
from betimes.lab.endpoints import MemoryEndpoints
from betimes.lab.world import TENANT, VirtualClock, World
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown
from tests.flows.harness import EMAIL, STEP_AT, TOLD_AT, account, bill, person, tell
from tests.flows.test_inbox import by

URL = "https://hooks.lender.example/"
HOUR = timedelta(hours=1)
DOWN = Unknown("http_503")
AWAY = Refused("unreachable", may_retry=True)


class Server:
    """A lender's server that answers as it is told to, and keeps when it was asked."""

    def __init__(self, clock: VirtualClock, answer: Answer) -> None:
        self.clock, self.answer = clock, answer
        self.asked: list[tuple[datetime, Letter]] = []

    def send(self, letter: Letter) -> Answer:
        self.asked.append((self.clock.now(), letter))
        return self.answer


class Here:
    """A world with one bill, whose lender has a server of its own."""

    def __init__(self, policies: Policies, answer: Answer) -> None:
        self.world = World(policies, TOLD_AT, shards=1)
        self.server = Server(self.world.clock, answer)
        self.endpoints = MemoryEndpoints()
        self.url = URL
        self.heard: list[str] = []
        self.watched = Watched(
            self.server, self.endpoints, lambda tenant: self.url, self.world.clock
        )
        senders = {**self.world.dispatch.senders, "webhook": self.watched}
        self.world.dispatch = replace(
            self.world.dispatch, senders=senders, notice=self.heard.append
        )
        tell(self.world, person(EMAIL), account(), bill())

    @property
    def contact(self) -> Contact:
        [found] = self.world.memory.all_contacts()
        return found

    def gaps(self) -> list[timedelta]:
        """Return how long lay between one attempt and the next."""
        return [later - earlier for (earlier, _), (later, _) in pairwise(self.server.asked)]


def letter() -> Letter:
    return Letter("c_1", 1, TENANT, "", Text("inbox", "en", "s", "b"))


@pytest.mark.parametrize("answer", [DOWN, AWAY, Refused("http_404", may_retry=True)])
@pytest.mark.parametrize("kind", [MessageClass.COURTESY, MessageClass.STATUTORY])
def test_what_fails_is_sent_again_after_a_growing_while(answer: Answer, kind: MessageClass) -> None:
    """Also where nobody knows whether it was taken: the same id each time, until the step is over."""
    here = Here(by("webhook", message_class=kind), answer)
    here.world.run_until(STEP_AT + 9 * HOUR)
    gaps = here.gaps()
    assert len(gaps) == 4
    for number, gap in enumerate(gaps, start=1):
        wait = wait_after(here.contact.id, number)
        # A contact that goes for the first time is looked at ten minutes later in any case.
        assert wait <= gap <= max(wait, timedelta(minutes=10)) + timedelta(minutes=1)
    assert gaps == sorted(gaps)
    here.server.answer = Accepted("x")
    # The next one waits for the hours of the law.
    here.world.run_until(STEP_AT + 30 * HOUR)
    assert (here.contact.state, here.contact.attempt) == (State.ACCEPTED, 6)
    assert {each.contact_id for _, each in here.server.asked} == {here.contact.id}


def test_a_lost_answer_counts_the_person_once() -> None:
    """Both attempts are one message to whoever keeps ids: the law counts one."""
    here = Here(by("webhook"), DOWN)
    here.world.run_until(STEP_AT + 2 * HOUR)
    here.server.answer = Accepted("x")
    here.world.run_until(STEP_AT + 8 * HOUR)
    assert (here.contact.state, here.contact.attempt > 2) == (State.ACCEPTED, True)
    touches = here.world.memory.pages(TENANT, "b1").budget.touches
    assert len(touches) == 1


def test_an_endpoint_that_is_gone_is_asked_no_more_and_told() -> None:
    """The step takes its next channel, the borrower is not blocked, and a person switches it on."""
    here = Here(
        by("webhook", "email", fallback=frozenset(Fallback)), Refused(GONE, may_retry=False)
    )
    here.world.run_until(STEP_AT + HOUR)
    assert {each.channel: each.state for each in here.world.memory.all_contacts()} == {
        "webhook": State.REFUSED,
        "email": State.DELIVERED,
    }
    assert here.heard == [IS_OFF]
    assert here.endpoints.endpoint(TENANT).why is Why.GONE
    head = here.world.memory.pages(TENANT, "b1").head
    assert head is not None
    assert head.contact_points == (ContactPoint("email", EMAIL, since=1),)
    asked = len(here.server.asked)
    assert here.watched.send(letter()) == Refused(IS_OFF, may_retry=False)
    assert len(here.server.asked) == asked
    here.server.answer = Accepted("x")
    switch_on(here.endpoints, TENANT)
    assert here.watched.send(letter()) == Accepted("x")


def failing(here: Here, times: int, every: timedelta) -> None:
    for _ in range(times):
        here.watched.send(letter())
        here.world.clock.advance(here.world.clock.now() + every)


def test_days_without_a_success_switch_it_off() -> None:
    """The first message after that is refused without a request; another address is asked."""
    here = Here(by("email"), DOWN)
    failing(here, LEAST, LASTING // LEAST)
    assert not here.endpoints.endpoint(TENANT).is_off
    failing(here, 1, HOUR)
    assert here.endpoints.endpoint(TENANT).why is Why.LASTING
    assert here.watched.send(letter()) == Refused(IS_OFF, may_retry=False)
    here.url = f"{URL}new"
    assert here.watched.send(letter()) == DOWN
    assert not here.endpoints.endpoint(TENANT).is_off


def test_a_success_now_and_then_keeps_it_on() -> None:
    """However often it fails between."""
    here = Here(by("email"), DOWN)
    for _ in range(3):
        failing(here, LEAST, LASTING // (LEAST + 1))
        here.server.answer = Accepted("x")
        failing(here, 1, HOUR)
        here.server.answer = DOWN
    assert not here.endpoints.endpoint(TENANT).is_off


def test_a_server_that_works_costs_no_write() -> None:
    """Nor does one that fails again within minutes."""
    here = Here(by("email"), Accepted("x"))
    failing(here, 3, HOUR)
    assert here.endpoints.endpoint(TENANT) == Endpoint(TENANT)
    here.server.answer = DOWN
    failing(here, 100, timedelta(seconds=1))
    assert here.endpoints.endpoint(TENANT).version == 1


class Contested(MemoryEndpoints):
    """A store in which somebody else is always first, or that is out of reach once something was sent."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        super().__init__()
        self.error = error
        self.saves = 0

    def save(self, endpoint: Endpoint) -> None:
        self.saves += 1
        raise self.error()


@pytest.mark.parametrize("error", [Stale, lambda: Unavailable("away")])
def test_nothing_comes_between_an_answer_and_its_contact(error: Callable[[], Exception]) -> None:
    """What cannot be kept of the endpoint is left to the next answer."""
    clock = VirtualClock(TOLD_AT)
    store = Contested(error)
    watched = Watched(Server(clock, DOWN), store, lambda tenant: URL, clock)
    assert watched.send(letter()) == DOWN
    assert store.saves >= 1


def test_where_nobody_can_say_nothing_is_sent() -> None:
    """The contact is claimed by then: an answer, and no error."""

    class Away(MemoryEndpoints):
        def endpoint(self, tenant: str) -> Endpoint:
            raise Unavailable("away")

    clock = VirtualClock(TOLD_AT)
    server = Server(clock, DOWN)
    watched = Watched(server, Away(), lambda tenant: URL, clock)
    assert watched.send(letter()) == Refused("no_secret", may_retry=True)
    assert server.asked == []


def test_a_tenant_without_a_server_has_no_endpoint_to_keep() -> None:
    """The sender says so, and nothing is written."""
    clock = VirtualClock(TOLD_AT)
    store = MemoryEndpoints()
    nowhere = Refused("no_endpoint", may_retry=False)
    watched = Watched(Server(clock, nowhere), store, lambda tenant: "", clock)
    assert watched.send(letter()) == nowhere
    assert store.endpoint(TENANT) == Endpoint(TENANT)
