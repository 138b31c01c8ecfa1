"""The budget at work: attempts are counted at the claim and given back where surely nobody was tried; two who contact
one person at once never break a cap; and what comes first in law has its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betimes.core.change import Change, SaveBudget
from betimes.core.contact import State
from betimes.core.decision import Wait
from betimes.core.intake import ReportTouches
from betimes.core.law import Effect
from betimes.core.permission import Wanted
from betimes.core.policies import Policies
from betimes.core.reason import Reason
from betimes.core.rule import Purpose
from betimes.core.touch import Touch
from betimes.core.treatment import MessageClass
from betimes.flows.dispatch import Dispatched
from betimes.flows.permission import may_contact
from betimes.lab.world import TENANT, World
from betimes.ports import Accepted, Answer, Refused, Unknown
from tests.core.support import POLICIES, utc
from tests.factories import touch
from tests.flows.harness import (
    MINUTE,
    Interrupted,
    account,
    bill,
    chains_hold,
    contact_of,
    dispatch_with,
    empty_world,
    money,
    person,
    records_of,
    swept,
    tell,
)
from tests.flows.test_dispatch import Provider, delivered

# Ten in the morning in Shanghai; of the jurisdiction there is no pack: three contacts a day.
AT = utc("2026-03-09 02:00")
TODAY = date(2026, 3, 9)
MORNING = AT - timedelta(hours=1)
HOUR = timedelta(hours=1)


def owing(*due: date, told: int = 0, policies: Policies = POLICIES) -> World:
    """Return a world in which a person owes bills due on these days, o1 first, and others were in touch `told` times
    this morning; what is due at `AT` is decided, and its contacts wait for their workers.
    """
    here = empty_world()
    tell(here, person(jurisdiction="XX"), account())
    for n, on in enumerate(due, start=1):
        issued = utc("2026-03-08 03:00")
        tell(here, bill(f"o{n}", seq=n, due_on=on, issued_at=issued))
    here.clock.advance(MORNING + MINUTE)
    if told:
        called = [touch(id=f"t{n}", at=MORNING, channel="call", by="x") for n in range(told)]
        tell(here, ReportTouches(tuple(called)))
    swept(here, AT)
    return here


def contacts(here: World) -> dict[str, str]:
    """Return the contact of each bill."""
    return {each.obligation_id: each.id for each in here.memory.all_contacts()}


def counted(here: World) -> Sequence[Touch]:
    """Return the touches of the platform itself."""
    touches = here.memory.pages(TENANT, "b1").budget.touches
    return [each for each in touches if each.by == TENANT]


def ids_of(here: World) -> list[str]:
    """Return the attempts that are counted, as the number behind the contact's id."""
    return [each.id.partition(":")[2] for each in counted(here)]


# Attempts


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (Accepted("p-1"), ["1"]),
        (Unknown("timeout"), ["1"]),
        (Refused("X", may_retry=True), []),
        (Refused("X", may_retry=False), []),
    ],
)
def test_an_attempt_counts_unless_it_surely_was_not_made(answer: Answer, left: list[str]) -> None:
    """It is counted before it is made, and given back with the answer that nobody was tried."""
    here = owing(TODAY)
    seen: list[list[str]] = []
    provider = Provider([answer], lambda: seen.append(ids_of(here)))
    delivered(here, contacts(here)["o1"], provider)
    assert seen == [["1"]]
    assert ids_of(here) == left


def test_each_attempt_is_counted_for_itself() -> None:
    """The first attempt, of which nobody knows, is not forgotten for the second; one that is refused is given back."""
    for answer, left in ((Accepted("p-2"), ["1", "2"]), (Refused("X", may_retry=False), ["1"])):
        here = owing(TODAY)
        contact_id = contacts(here)["o1"]
        delivered(here, contact_id, Provider([Unknown("timeout")]))
        swept(here, AT + 35 * MINUTE)
        assert contact_of(here, contact_id).state is State.READY
        delivered(here, contact_id, Provider([answer]))
        assert ids_of(here) == left
        assert [each.at for each in counted(here)] == [AT, AT + 35 * MINUTE][: len(left)]


def test_what_may_have_gone_counts_against_the_second_attempt() -> None:
    """Two others and an attempt of unknown outcome are three: there is no room for one more on that day."""
    here = owing(TODAY, told=2)
    contact_id = contacts(here)["o1"]
    delivered(here, contact_id, Provider([Unknown("timeout")]))
    swept(here, AT + 35 * MINUTE)
    provider = Provider([Accepted("p-2")])
    assert delivered(here, contact_id, provider) is Dispatched.ENDED
    assert provider.letters == []
    assert contact_of(here, contact_id).state is State.UNKNOWN


def test_what_surely_was_not_made_stands_in_no_way() -> None:
    """Though its room could not be given back: while nothing of a contact is unknown, none of it has gone."""
    here = owing(TODAY, told=2)
    contact_id = contacts(here)["o1"]
    delivered(here, contact_id, Provider([Refused("X", may_retry=True)]))
    pages = here.memory.pages(TENANT, "b1")
    left = touch(id=f"{contact_id}:1", at=AT, by=TENANT)
    here.memory.commit([SaveBudget.of(pages, pages.budget.with_touch(left, AT))])
    here.clock.advance(AT + MINUTE)
    assert delivered(here, contact_id, Provider([Accepted("p-2")])) is Dispatched.ACCEPTED
    assert ids_of(here) == ["2"]


def test_the_outcome_matters_more_than_the_room() -> None:
    """Where somebody else counts again and again, the refusal is on record and the room is not given back."""
    here = owing(TODAY)
    contact_id = contacts(here)["o1"]

    class Contested(Interrupted):
        def commit(self, changes: Sequence[Change]) -> None:
            pages = here.memory.pages(TENANT, "b1")
            if any(isinstance(each, SaveBudget) for each in changes) and pages.budget.version:
                here.memory.commit([SaveBudget.of(pages, pages.budget)])
            super().commit(changes)

    stores = Contested(here.memory, 99, lambda: None).stores
    provider = Provider([Refused("X", may_retry=True)])
    assert delivered(here, contact_id, provider, stores=stores) is Dispatched.PUT_BACK
    assert ids_of(here) == ["1"]


# Two at once


@pytest.mark.parametrize("at", range(9))
def test_two_workers_never_break_a_cap(at: int) -> None:
    """One place is left today, two debts want it: whoever claims second, at whatever point, decides again."""
    here = owing(TODAY, TODAY, told=2)
    ready = contacts(here)
    plain = Interrupted(here.memory, -1, lambda: None)
    stores = Interrupted(here.memory, at, lambda: dispatch_with(here, plain).deliver(ready["o2"]))
    dispatch_with(here, stores).deliver(ready["o1"])
    if not stores.happened:
        dispatch_with(here, plain).deliver(ready["o2"])
    assert len(counted(here)) == 1
    assert sum(here.provider.asked[each] for each in ready.values()) == 1
    assert chains_hold(here)


@pytest.mark.parametrize("at", range(9))
def test_two_workers_never_break_the_pace(at: int) -> None:
    """A treatment leaves an hour between two contacts: of two that are claimed at once, one waits for it."""
    paced = replace(POLICIES, treatment=replace(POLICIES.treatment, min_gap=HOUR))
    here = owing(TODAY, TODAY)
    ready = contacts(here)
    plain = Interrupted(here.memory, -1, lambda: None)
    stores = Interrupted(
        here.memory,
        at,
        lambda: dispatch_with(here, plain, policies=paced).deliver(ready["o2"]),
    )
    dispatch_with(here, stores, policies=paced).deliver(ready["o1"])
    assert len(counted(here)) == 1
    assert sum(here.provider.asked[each] for each in ready.values()) == 1


@pytest.mark.parametrize("at", range(9))
def test_a_worker_and_somebody_outside_never_break_a_cap(at: int) -> None:
    """One place is left today: a permission that is given while a contact is claimed, or the contact, and not both."""
    here = owing(TODAY, told=2)
    said: list[Effect] = []

    def ask() -> None:
        wanted = Wanted("call", Purpose.OVERDUE, "call-1", reserve=True, by="agency-7")
        said.append(may_contact(here.stores, POLICIES, TENANT, "b1", wanted, AT).effect)

    stores = Interrupted(here.memory, at, ask)
    dispatch_with(here, stores).deliver(contacts(here)["o1"])
    if not stores.happened:
        ask()
    assert said in ([Effect.ALLOW], [Effect.DEFER])
    assert len(here.memory.pages(TENANT, "b1").budget.touches) == 3


# What comes first


def late_and_due(told: int) -> World:
    """Return a world in which o1 is due today, a courtesy, and o2 was due yesterday, which is overdue."""
    return owing(TODAY, date(2026, 3, 8), told=told)


def test_courtesy_leaves_the_last_place_to_what_is_overdue() -> None:
    """Both are due at ten and courtesy comes to its worker first: it waits, and the overdue one goes."""
    here = late_and_due(told=2)
    ready = contacts(here)
    assert contact_of(here, ready["o2"]).message_class is MessageClass.OVERDUE
    assert delivered(here, ready["o1"], Provider([Accepted("p-1")])) is Dispatched.NOT_NOW
    assert delivered(here, ready["o2"], Provider([Accepted("p-2")])) is Dispatched.ACCEPTED
    assert [each.debts for each in counted(here)] == [("o2",)]


def test_with_room_for_both_both_go() -> None:
    """Nothing is kept back that nobody needs."""
    here = late_and_due(told=1)
    for contact_id in contacts(here).values():
        assert delivered(here, contact_id, Provider([Accepted("p")])) is Dispatched.ACCEPTED


def test_a_place_that_is_not_used_is_free_again() -> None:
    """The overdue bill is paid before its message went: courtesy waits no longer than until that is known."""
    here = late_and_due(told=2)
    ready = contacts(here)
    delivered(here, ready["o1"], Provider([Accepted("p-1")]))
    assert contact_of(here, ready["o1"]).state is State.READY
    tell(here, replace(money(), obligation_id="o2", paid_at=AT))
    here.run_until(AT + 11 * MINUTE)
    assert {here.provider.asked[each] for each in (ready["o1"], ready["o2"])} == {1, 0}
    assert [each.debts for each in counted(here)] == [("o1",)]


def test_what_is_planned_for_later_today_comes_first_too() -> None:
    """A permission for courtesy is not given in the morning where the last place will be needed at ten; it is, once
    what was planned for then has been paid.
    """
    here = empty_world()
    tell(here, person(jurisdiction="XX"), account())
    tell(here, bill(due_on=date(2026, 3, 8)), bill("o2", seq=2, due_on=date(2026, 3, 20)))
    early = AT - 30 * MINUTE
    here.clock.advance(early)
    called = tuple(touch(id=f"t{n}", at=MORNING, channel="call", by="x") for n in range(2))
    tell(here, ReportTouches(called))

    def ask(purpose: Purpose) -> tuple[Effect, tuple[str, ...]]:
        wanted = Wanted("call", purpose, by="agency-7", debts=("o2",))
        said = may_contact(here.stores, POLICIES, TENANT, "b1", wanted, early)
        return said.effect, said.rule_ids

    assert ask(Purpose.COURTESY) == (Effect.DEFER, ("HOUSE.CAP",))
    assert ask(Purpose.OVERDUE) == (Effect.ALLOW, ())
    assert ask(Purpose.STATUTORY) == (Effect.ALLOW, ())
    tell(here, replace(money(), paid_at=early - MINUTE))
    assert ask(Purpose.COURTESY) == (Effect.ALLOW, ())


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations(["o1", "o2", "o3", "agency"]),
    told=st.integers(0, 3),
    again=st.integers(0, 2),
)
def test_in_whatever_order_they_come_the_first_in_law_has_its_place(
    order: list[str], told: int, again: int
) -> None:
    """Two courtesies, an agency's courtesy and an overdue message: this one is refused only where others had taken all
    places before it was planned; and the cap holds.
    """
    here = owing(TODAY, TODAY, date(2026, 3, 8), told=told)
    ready = contacts(here)
    overdue = Provider([Accepted("p")])
    for name in order * (again + 1):
        if name == "agency":
            wanted = Wanted("call", Purpose.COURTESY, "call-1", reserve=True, by="agency-7")
            may_contact(here.stores, POLICIES, TENANT, "b1", wanted, AT)
        elif name in ready:
            provider = overdue if name == "o3" else Provider([Accepted("p")])
            delivered(here, ready[name], provider)
    assert len(overdue.letters) == (1 if told < 3 else 0)
    assert len(here.memory.pages(TENANT, "b1").budget.touches) <= 3


def test_what_waits_for_another_says_for_which() -> None:
    """The decision names the rule, and the step that has the place."""
    here = late_and_due(told=2)
    ready = contacts(here)
    contact = contact_of(here, ready["o1"])
    pages = here.memory.pages(TENANT, "b1")
    flow = here.dispatch
    asked = [
        flow._asked(pages.snapshot(spoke.obligation_id, POLICIES.profiles), spoke)
        for spoke in contact.everything
    ]
    asked = [replace(each, decision=flow._decide(contact, each, AT)) for each in asked]
    [left] = [flow._leaving_room(contact, pages, each, AT, None) for each in asked]
    assert isinstance(left.decision, Wait)
    assert left.decision.reason is Reason.CONTACT_CAP
    assert left.decision.facts["leaves_room_for"] == "o2~D+1"
    assert left.decision.facts["rule"] == "HOUSE.CAP"


# On record


def test_what_is_asked_and_told_is_on_record() -> None:
    """Answers and reports stand in one chain of the person, each with its rules; a report told twice stands once."""
    here = owing(TODAY, told=2)
    wanted = Wanted("call", Purpose.OVERDUE, "call-1", reserve=True, by="agency-7")
    for n in range(3):
        asked = replace(wanted, touch_id=f"call-{n}")
        may_contact(here.stores, POLICIES, TENANT, "b1", asked, AT)
    again = touch(id="t0", at=MORNING, channel="call", by="x")
    tell(here, ReportTouches((again,)))
    outside = [each for each in records_of(here) if each.kind == "outside"]
    assert [each.body["event"] for each in outside] == ["touches_told", *["may_contact"] * 3]
    assert [each.body.get("state") for each in outside][1:] == ["allow", "defer", "defer"]
    assert [each.prev for each in outside] == ["", *[each.hash for each in outside[:-1]]]
    assert here.memory.pages(TENANT, "b1").budget.chain == outside[-1].hash
    last = outside[-1].body
    assert (last["rule"], last["rule_status"]) == ("HOUSE.CAP", "unverified")
    assert (last["HOUSE.CAP counted"], last["HOUSE.CAP most"]) == (3, 3)
    assert last["until"] == "2026-03-09T16:00:00.000000Z"
    assert outside[0].body["touch 1"].startswith("t0 2026-03-09T01:00:00")  # type: ignore[union-attr]
    assert chains_hold(here)


# Channels


def test_a_cap_on_texts_that_fills_before_the_send_sends_nothing_twice() -> None:
    """A contact made for a text takes no other channel, and its step is over with it; the next step goes by mail, as a
    contact of its own slot.
    """
    here = empty_world()
    at = utc("2026-03-09 14:00")  # ten in Boston
    boston = person(phone="+16175550123", zone="America/New_York", jurisdiction="US-MA")
    tell(here, boston, account(), bill("o1", issued_at=utc("2026-03-09 02:00")))
    swept(here, at)
    [text] = here.memory.all_contacts()
    assert (text.channel, text.slot) == ("sms", 0)
    called = [
        touch(id=f"t{n}", at=at - HOUR, channel="call", by="", debts=("o1",)) for n in range(2)
    ]
    # Telling of them lets the contact's worker run too.
    tell(here, ReportTouches(tuple(called)))
    assert contact_of(here, text.id).reason is Reason.CONTACT_CAP
    for hour in range(1, 6):
        swept(here, at + hour * HOUR)
    assert [each.id for each in here.memory.all_contacts()] == [text.id]
    provider = Provider([Accepted("p-1")])
    swept(here, at + 24 * HOUR)
    [mail] = [each for each in here.memory.all_contacts() if each.id != text.id]
    assert (mail.step, mail.channel, mail.slot) == ("D+1", "email", 1)
    assert delivered(here, mail.id, provider) is Dispatched.ACCEPTED
    assert delivered(here, mail.id, provider) is Dispatched.NOT_READY
    [letter] = provider.letters
    assert (letter.contact_id, letter.address) == (mail.id, "li@borrowers.example")
    assert chains_hold(here)
