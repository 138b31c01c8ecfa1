"""Feedback: reports may come late, twice and in any order, and leave the same contact behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import bounces
from betimes.core.borrower import PointState
from betimes.core.change import Change
from betimes.core.contact import EVIDENCE, Contact, Event, State
from betimes.core.errors import Stale, Unavailable
from betimes.core.feedback import ProviderEvent
from betimes.core.reason import Reason
from betimes.flows.feedback import MAX_TRIES, Heard, hear
from betimes.lab.world import TENANT, World
from tests.flows.harness import (
    EMAIL,
    PHONE,
    STEP_AT,
    Broken,
    Interrupted,
    WorkerGone,
    chains_hold,
    contact_of,
    events_of,
    of_b1,
    person,
    ready,
    records_of,
)

LATER = STEP_AT + timedelta(minutes=1)


def sent(email: str = EMAIL, phone: str = "") -> tuple[World, str]:
    """Return a world in which the first step's message was accepted, and its contact."""
    here, contact_id = ready(email, phone)
    here.dispatch.deliver(contact_id)
    here.provider.reports.clear()
    return here, contact_id


def report(contact_id: str, event: Event, seconds: int = 0, key: str = "") -> ProviderEvent:
    """Return a report so many seconds after the acceptance."""
    at = LATER + timedelta(seconds=seconds)
    return ProviderEvent(contact_id, 1, event, at, key or f"{event}-{seconds}")


def row(one: Contact) -> dict[str, Any]:
    """Return what a contact says, apart from the chain of its records."""
    fields = {name: getattr(one, name) for name in Contact.__dataclass_fields__}
    return {name: value for name, value in fields.items() if name != "chain"}


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        (Event.ACCEPTED, State.ACCEPTED, Reason.ACCEPTED),
        (Event.DELAYED, State.IN_TRANSIT, Reason.ACCEPTED),
        (Event.FAILED, State.FAILED, Reason.PROVIDER_FAILED),
        (Event.BOUNCED_SOFT, State.UNDELIVERED_SOFT, Reason.BOUNCED_SOFT),
        (Event.DELIVERED, State.DELIVERED, Reason.DELIVERED),
        (Event.BOUNCED_HARD, State.UNDELIVERED_HARD, Reason.BOUNCED_HARD),
        (Event.COMPLAINED, State.DELIVERED, Reason.DELIVERED),
    ],
)
def test_each_report_leads_to_its_state(event: Event, state: State, reason: Reason) -> None:
    """And is on record as what it is, with the reason of its own; none is forgotten."""
    here, contact_id = sent()
    heard = hear(here.stores, report(contact_id, event))
    assert heard is (Heard.NOTED if event is Event.ACCEPTED else Heard.MOVED)
    after = contact_of(here, contact_id)
    assert (after.state, after.reason, after.sent_at) == (state, reason, STEP_AT)
    assert events_of(here)[-1] == event
    recorded = Reason.COMPLAINED if event is Event.COMPLAINED else reason
    assert str(recorded) in {str(r.body["reason"]) for r in records_of(here)}


@pytest.mark.parametrize("event", [Event.DELIVERED, Event.FAILED, Event.BOUNCED_HARD])
def test_a_report_of_an_opt_out_ends_the_channel(event: Event) -> None:
    """Whatever became of the message: the address is not used again, and why is on record with the person."""
    here, contact_id = sent()
    hear(here.stores, replace(report(contact_id, event), detail=bounces.OPTED_OUT))
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert [point.state for point in head.contact_points] == [PointState.OPTED_OUT]
    here.run_until(STEP_AT + timedelta(days=30))
    assert len(here.provider.accepted) == 1


def test_the_same_report_twice_is_one_record() -> None:
    """However often it comes, in between others too."""
    here, contact_id = sent()
    delivered, bounced = (
        report(contact_id, Event.DELIVERED),
        report(contact_id, Event.BOUNCED_HARD, 5),
    )
    hear(here.stores, delivered)
    hear(here.stores, bounced)
    before = (contact_of(here, contact_id), records_of(here))
    for again in (delivered, bounced, delivered):
        assert hear(here.stores, again) is Heard.REPEATED
    assert (contact_of(here, contact_id), records_of(here)) == before


def test_two_reports_of_one_instant_are_two_records() -> None:
    """Told apart by their keys: a provider may report the same thing twice for two reasons."""
    here, contact_id = sent()
    for key in ("a", "b"):
        assert hear(here.stores, report(contact_id, Event.DELAYED, key=key)) is not Heard.REPEATED
    assert events_of(here).count("delayed") == 2
    assert chains_hold(here)


def test_a_report_about_nobody_we_know_changes_nothing() -> None:
    """Another system's message."""
    here, _ = sent()
    before = records_of(here)
    assert hear(here.stores, report("c_other", Event.COMPLAINED)) is Heard.NOT_OURS
    assert records_of(here) == before


REPORTS = st.lists(
    st.tuples(st.sampled_from(sorted(EVIDENCE)), st.integers(0, 3)),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(REPORTS, st.randoms(use_true_random=False), st.data(), st.booleans())
def test_no_order_and_no_repetition_changes_the_end(
    reports: list[tuple[Event, int]], random: Any, data: st.DataObject, by_sms: bool
) -> None:
    """Any reports, shuffled, some of them repeated: the same contact, one record for each, one chain, and the same
    contact point usable or not.
    """
    ends = []
    extra = data.draw(st.lists(st.sampled_from(reports), max_size=4))
    for heard in (reports, reports + extra):
        order = random.sample(heard, len(heard))
        here, contact_id = sent("", PHONE) if by_sms else sent()
        for event, seconds in order:
            hear(here.stores, report(contact_id, event, seconds))
        head = here.memory.pages(TENANT, "b1").head
        assert head is not None
        usable = [point.state is PointState.ACTIVE for point in head.contact_points]
        ends.append((row(contact_of(here, contact_id)), usable))
        assert len(events_of(here)) == 2 + len(reports)
        assert chains_hold(here)
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("event", "facet"),
    [
        (Event.COMPLAINED, "complained_at"),
        (Event.UNSUBSCRIBED, "unsubscribed_at"),
        (Event.SEEN, "seen_at"),
        (Event.READ, "read_at"),
    ],
)
def test_what_a_reader_does_is_a_fact_beside_the_state(event: Event, facet: str) -> None:
    """Only ever added, with the earliest instant; whatever else is reported, also a bounce, leaves it."""
    here, contact_id = sent()
    for reported in (
        report(contact_id, event, 9),
        report(contact_id, Event.BOUNCED_HARD, 11),
        report(contact_id, event, 3),
    ):
        hear(here.stores, reported)
    after = contact_of(here, contact_id)
    assert getattr(after, facet) == LATER + timedelta(seconds=3)
    assert after.state is State.UNDELIVERED_HARD


def test_two_attempts_that_were_taken_are_a_confirmed_duplicate() -> None:
    """Known from whatever evidence of each, in any order; two reports about one attempt are none."""
    for order in permutations((1, 1, 2)):
        here, contact_id = ready("timeout-silent@borrowers.example")
        here.dispatch.deliver(contact_id)
        for place, attempt in enumerate(order):
            event = replace(report(contact_id, Event.ACCEPTED, place), attempt=attempt)
            assert contact_of(here, contact_id).duplicates_confirmed is (
                {1, 2} <= set(order[:place])
            )
            hear(here.stores, event)
        assert contact_of(here, contact_id).taken == (1, 2)


@pytest.mark.parametrize("mailbox", ["refused", "busy"])
def test_evidence_against_a_refusal_is_a_contradiction(mailbox: str) -> None:
    """Our reading of the provider's answer is wrong, and the contact says so; evidence of another attempt does not."""
    here, contact_id = ready(f"{mailbox}@borrowers.example")
    here.dispatch.deliver(contact_id)
    refused = contact_of(here, contact_id)
    assert refused.refusals == (1,)
    hear(here.stores, replace(report(contact_id, Event.DELIVERED), attempt=2))
    assert not contact_of(here, contact_id).provider_contradiction
    hear(here.stores, report(contact_id, Event.DELIVERED, 1))
    assert contact_of(here, contact_id).provider_contradiction


@pytest.mark.parametrize("mailbox", ["timeout-lost", "busy"])
def test_evidence_settles_what_nobody_knew(mailbox: str) -> None:
    """Of an unknown attempt, or of one put back: delivered is delivered, and no second attempt follows."""
    here, contact_id = ready(f"{mailbox}@borrowers.example")
    here.dispatch.deliver(contact_id)
    hear(here.stores, report(contact_id, Event.DELIVERED))
    assert contact_of(here, contact_id).state is State.DELIVERED
    assert here.dispatch.deliver(contact_id) == "not_ready"


@pytest.mark.parametrize(
    ("event", "state"), [(Event.BOUNCED_HARD, "bounced"), (Event.COMPLAINED, "complained")]
)
def test_a_hard_bounce_or_a_complaint_blocks_the_contact_point(event: Event, state: str) -> None:
    """That of the contact's channel only, in the same write; whoever was about to send to it has to look again."""
    here, contact_id = sent(EMAIL, PHONE)
    before = here.memory.pages(TENANT, "b1").head
    assert before is not None
    hear(here.stores, report(contact_id, event))
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert head.version == before.version + 1
    states = {point.channel: str(point.state) for point in head.contact_points}
    assert states == {"email": state, "sms": "active"}
    hear(here.stores, report(contact_id, event, 9))
    again = here.memory.pages(TENANT, "b1").head
    assert again == head


@pytest.mark.parametrize(
    "event", [e for e in EVIDENCE if e not in (Event.BOUNCED_HARD, Event.COMPLAINED)]
)
def test_no_other_report_blocks_anything(event: Event) -> None:
    """A full mailbox, a delay or a failure of the provider is not the address's fault."""
    here, contact_id = sent()
    before = here.memory.pages(TENANT, "b1").head
    hear(here.stores, report(contact_id, event))
    assert here.memory.pages(TENANT, "b1").head == before


def test_a_borrower_without_that_contact_point_is_left_as_it_is() -> None:
    """The address was taken away in the meantime."""
    here, contact_id = sent()
    here.intake.take_in(TENANT, [of_b1(person(""))], STEP_AT)
    before = here.memory.pages(TENANT, "b1").head
    assert hear(here.stores, report(contact_id, Event.COMPLAINED)) is Heard.MOVED
    assert here.memory.pages(TENANT, "b1").head == before


@pytest.mark.parametrize("event", [Event.BOUNCED_HARD, Event.COMPLAINED])
def test_a_late_report_does_not_block_another_address(event: Event) -> None:
    """The address the message went to was replaced before the report came: the new one has done nothing."""
    here, contact_id = sent()
    here.intake.take_in(TENANT, [of_b1(person("new@borrowers.example"))], STEP_AT)
    before = here.memory.pages(TENANT, "b1").head
    assert hear(here.stores, report(contact_id, event)) is Heard.MOVED
    assert here.memory.pages(TENANT, "b1").head == before


def test_an_address_put_again_is_the_same_address() -> None:
    """Telling of a person once more, in other words or not, does not save the address from its bounce."""
    here, contact_id = sent()
    for locale in ("zh-CN", "en"):
        here.intake.take_in(TENANT, [of_b1(person(locale=locale))], STEP_AT)
    hear(here.stores, report(contact_id, Event.BOUNCED_HARD))
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert head.contact_points[0].state is PointState.BOUNCED


def test_a_blocked_address_that_comes_back_is_still_blocked() -> None:
    """Taken away or replaced in between, once and again."""
    here, contact_id = sent()
    hear(here.stores, report(contact_id, Event.COMPLAINED))
    for between in ("", "new@borrowers.example"):
        for email in (between, EMAIL):
            here.intake.take_in(TENANT, [of_b1(person(email))], STEP_AT)
        head = here.memory.pages(TENANT, "b1").head
        assert head is not None
        assert head.contact_points[0].state is PointState.COMPLAINED
        assert head.blocked == ()


@pytest.mark.parametrize("first", [Event.DELIVERED, Event.COMPLAINED])
@pytest.mark.parametrize("second", [Event.DELIVERED, Event.COMPLAINED, Event.BOUNCED_HARD])
def test_two_reports_at_once_are_both_heard(first: Event, second: Event) -> None:
    """One breaks in before each call of the other: one record each, the state of the higher rank."""
    at = 0
    while True:
        here, contact_id = sent()
        stores = Interrupted(
            here.memory,
            at,
            lambda here=here, contact_id=contact_id: hear(
                here.stores, report(contact_id, second, 1)
            ),  # type: ignore[misc]
        )
        hear(stores.stores, report(contact_id, first))
        if not stores.happened:
            break
        assert sorted(events_of(here)[2:]) == sorted([first, second])
        wanted = State.UNDELIVERED_HARD if second is Event.BOUNCED_HARD else State.DELIVERED
        assert contact_of(here, contact_id).state is wanted
        assert chains_hold(here)
        at += 1
    assert at >= 2


def test_a_worker_may_die_at_any_call() -> None:
    """The report is delivered again: heard once, and the address is blocked."""
    at = 0
    while True:
        here, contact_id = sent()
        try:
            hear(Broken(here.memory, at).stores, report(contact_id, Event.COMPLAINED))
            break
        except WorkerGone:
            at += 1
        hear(here.stores, report(contact_id, Event.COMPLAINED))
        assert events_of(here).count("complained") == 1
        head = here.memory.pages(TENANT, "b1").head
        assert head is not None
        assert head.contact_points[0].state is PointState.COMPLAINED
    assert at >= 3


def test_other_writers_who_keep_winning_send_the_report_back() -> None:
    """After a bounded number of tries."""
    here, contact_id = sent()

    class Always(Interrupted):
        def commit(self, changes: Sequence[Change]) -> None:
            self.step()
            raise Stale((0,))

    always = Always(here.memory, -1, lambda: None)
    with pytest.raises(Unavailable):
        hear(always.stores, report(contact_id, Event.DELIVERED))
    assert always.calls == 2 * MAX_TRIES


def test_a_torn_read_costs_a_try_and_no_more() -> None:
    """The address is blocked all the same."""
    here, contact_id = sent()

    class Torn(Interrupted):
        torn = 2

        def pages(self, tenant: str, borrower_id: str) -> Any:
            self.torn -= 1
            if self.torn >= 0:
                raise Stale
            return super().pages(tenant, borrower_id)

    assert (
        hear(Torn(here.memory, -1, lambda: None).stores, report(contact_id, Event.COMPLAINED))
        is Heard.MOVED
    )


def test_all_orders_of_the_life_of_a_mail_end_alike() -> None:
    """Accepted, delayed, delivered, bounced, complained: 120 orders, one end."""
    events = (Event.ACCEPTED, Event.DELAYED, Event.DELIVERED, Event.BOUNCED_HARD, Event.COMPLAINED)
    ends = []
    for order in permutations(events):
        here, contact_id = sent()
        for event in order:
            hear(here.stores, report(contact_id, event))
        ends.append(row(contact_of(here, contact_id)))
    assert all(end == ends[0] for end in ends)
    assert ends[0]["state"] is State.UNDELIVERED_HARD


def test_a_stray_report_about_a_cancelled_contact_is_noted() -> None:
    """It stays cancelled; the report is on record, where it can be asked about."""
    here, contact_id = ready()
    one = contact_of(here, contact_id)
    cancelled = replace(one, state=State.CANCELLED, reason=Reason.PAID)
    here.memory._contacts[contact_id] = cancelled
    assert hear(here.stores, report(contact_id, Event.DELIVERED)) is Heard.NOTED
    after = contact_of(here, contact_id)
    assert (after.state, after.reason, after.sent_at) == (State.CANCELLED, Reason.PAID, None)
