"""The inbox in use: a step that goes by it is stored there, shown, and what the app tells of it is on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betimes.core.consent import Switch
from betimes.core.contact import Contact, State
from betimes.core.errors import Rejected
from betimes.core.inbox import Acknowledged, Sign
from betimes.core.policies import Policies
from betimes.core.said import Act, Statement, TellConsents
from betimes.core.treatment import Fallback
from betimes.flows.feedback import Heard
from betimes.flows.inbox import Reading
from betimes.flows.timeline import timeline
from betimes.lab import inbox as lab
from betimes.lab.inbox import MemoryInbox
from betimes.lab.world import TENANT, World
from betimes.ports import Answer, Letter, Unknown
from tests.core.support import POLICIES, TREATMENT, step
from tests.flows.harness import STEP_AT, TOLD_AT, account, bill, person, tell

B1 = (TENANT, "b1")
MINUTE = timedelta(minutes=1)


def by(*channels: str, **fields: Any) -> Policies:
    """Return policies of one step by these channels."""
    one = step(channels=channels, **fields)
    return replace(POLICIES, treatment=replace(TREATMENT, steps=(one,)))


class LosesAnswers:
    """An inbox whose first answer is lost, after the message was stored."""

    def __init__(self, inner: lab.Sender) -> None:
        self._inner = inner
        self.asked = 0

    def send(self, letter: Letter) -> Answer:
        self.asked += 1
        answer = self._inner.send(letter)
        return Unknown("lost") if self.asked == 1 else answer


class Here:
    """A world whose inbox is one in memory, with a bill that comes due in three days."""

    def __init__(self, policies: Policies, *, loses: bool = False, email: str = "") -> None:
        self.world = World(policies, TOLD_AT, shards=1)
        self.inbox = MemoryInbox()
        self.sender: lab.Sender | LosesAnswers = lab.Sender(self.inbox, self.world.clock)
        if loses:
            self.sender = LosesAnswers(self.sender)
        senders = {**self.world.dispatch.senders, "inbox": self.sender}
        self.world.dispatch = replace(self.world.dispatch, senders=senders)
        self.reading = Reading(self.world.stores, self.inbox)
        tell(self.world, person(email), account(), bill())

    @property
    def contact(self) -> Contact:
        [found] = self.world.memory.all_contacts()
        return found

    def tells(self, *told: tuple[Sign, int]) -> tuple[Heard, ...]:
        """Tell of the one contact: each a sign and how many minutes after the step it was so."""
        said = [Acknowledged(self.contact.id, sign, STEP_AT + n * MINUTE) for sign, n in told]
        return self.reading.acknowledge(*B1, said, STEP_AT + 60 * MINUTE)


def test_somebody_without_any_address_is_written_to_in_the_app() -> None:
    """No e-mail, no number: the inbox is there, and what stands in it is what was rendered."""
    here = Here(by("email", "inbox"))
    here.world.run_until(STEP_AT)
    assert (here.contact.channel, here.contact.state) == ("inbox", State.ACCEPTED)
    shown = here.reading.show(*B1, STEP_AT, limit=10)
    [entry] = shown.listing.entries
    assert (entry.contact_id, shown.unread) == (here.contact.id, 1)
    assert "10.00" in entry.body
    assert STEP_AT < entry.useful_until <= STEP_AT + timedelta(days=1)


def test_what_the_app_tells_is_on_the_contact_and_in_the_timeline() -> None:
    """Told twice it changes nothing more, whoever asks; read messages are counted no more."""
    here = Here(by("inbox"))
    here.world.run_until(STEP_AT)
    assert here.tells((Sign.SHOWN, 1), (Sign.SEEN, 2)) == (Heard.MOVED, Heard.NOTED)
    assert here.tells((Sign.OPENED, 3)) == (Heard.NOTED,)
    before = here.contact
    again = here.tells((Sign.OPENED, 3), (Sign.SEEN, 2), (Sign.SHOWN, 1), (Sign.OPENED, 9))
    assert set(again) == {Heard.REPEATED}
    assert here.contact == before
    assert (before.state, before.seen_at, before.read_at) == (
        State.DELIVERED,
        STEP_AT + 2 * MINUTE,
        STEP_AT + 3 * MINUTE,
    )
    shown = here.reading.show(*B1, STEP_AT, limit=10)
    [entry] = shown.listing.entries
    assert (entry.seen_at, entry.read_at, shown.unread) == (before.seen_at, before.read_at, 0)
    what = [each.what for each in timeline(here.world.memory, *B1)]
    assert what == ["send", "claimed", "accepted", "delivered", "seen", "read"]


def test_a_worker_that_died_between_contact_and_inbox_is_mended_by_repeating() -> None:
    """The contact knows, the inbox does not: the same telling again lets both know."""
    here = Here(by("inbox"))
    here.world.run_until(STEP_AT)
    forgets = MemoryInbox()
    Reading(here.world.stores, forgets).acknowledge(
        *B1, [Acknowledged(here.contact.id, Sign.OPENED, STEP_AT)], STEP_AT
    )
    assert here.reading.show(*B1, STEP_AT, limit=1).unread == 1
    assert here.tells((Sign.OPENED, 0)) == (Heard.REPEATED,)
    assert here.reading.show(*B1, STEP_AT, limit=1).unread == 0


def test_a_lost_answer_is_tried_again_and_stores_nothing_twice() -> None:
    """Also of a message that the law counts: the second attempt meets the first."""
    here = Here(by("inbox"), loses=True)
    here.world.run_until(STEP_AT + timedelta(hours=2))
    assert isinstance(here.sender, LosesAnswers)
    assert here.sender.asked == 2
    assert (here.contact.state, here.contact.attempt) == (State.ACCEPTED, 2)
    [entry] = here.reading.show(*B1, STEP_AT, limit=10).listing.entries
    assert entry.attempt == 1


def test_whoever_refused_the_inbox_finds_nothing_in_it() -> None:
    """A refusal on the channel closes it like any other; another channel of the step is taken."""
    here = Here(by("inbox", "email"), email="li@borrowers.example")
    no = Statement("s1", Act.REFUSE, TOLD_AT, Switch.REMINDER, "inbox", evidence="call-9")
    assert tell(here.world, TellConsents((no,))) == ["stored"]
    here.world.run_until(STEP_AT)
    assert here.contact.channel == "email"


def test_the_inbox_is_where_a_step_goes_whose_message_failed() -> None:
    """An address that bounces: the same step, within the same rules, by the next channel."""
    here = Here(by("email", "inbox", fallback=frozenset(Fallback)), email="hard@borrowers.example")
    here.world.run_until(STEP_AT + timedelta(hours=1))
    channels = {each.channel: each.state for each in here.world.memory.all_contacts()}
    assert channels == {"email": State.UNDELIVERED_HARD, "inbox": State.ACCEPTED}


def test_nobody_tells_of_a_message_that_is_somebody_elses() -> None:
    """Another borrower's, another tenant's, or nobody's; of several tellings none is heard where one is wrong."""
    here = Here(by("inbox"))
    here.world.run_until(STEP_AT)
    before = here.contact
    own = Acknowledged(before.id, Sign.OPENED, STEP_AT)
    nobodys = replace(own, contact_id="c_" + "a" * 26)
    for tenant, borrower_id, told, field in (
        (TENANT, "b2", [own], "acknowledgements.0.contact_id"),
        ("other", "b1", [own], "acknowledgements.0.contact_id"),
        (TENANT, "b1", [own, nobodys], "acknowledgements.1.contact_id"),
        (TENANT, "b1", [own, replace(own, attempt=9)], "acknowledgements.1.attempt"),
    ):
        with pytest.raises(Rejected) as refused:
            here.reading.acknowledge(tenant, borrower_id, told, STEP_AT)
        assert refused.value.field == field
    assert here.contact == before
    with pytest.raises(Rejected, match="not known"):
        here.reading.show(TENANT, "b2", STEP_AT, limit=1)
