"""Dispatch: decided again, claimed under conditions, sent once, recorded under a fence; whoever breaks in, and
whenever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from betimes.core import bounces, links
from betimes.core.borrower import PointState
from betimes.core.change import MAX_CHANGES, Change
from betimes.core.contact import Event, State
from betimes.core.decide import CLOSING_MARGIN
from betimes.core.errors import Stale, Unavailable
from betimes.core.feedback import ProviderEvent
from betimes.core.intake import AmendObligation, Command
from betimes.core.links import Action, Issued, Keys
from betimes.core.look import REOFFER
from betimes.core.reason import Reason
from betimes.core.treatment import MessageClass
from betimes.flows.dispatch import MAX_TRIES, Dispatched
from betimes.flows.feedback import hear
from betimes.flows.intake import Told
from betimes.lab.world import GUARD, LEASE, TENANT, World
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown
from tests.core.support import POLICIES, SECOND, TICK, utc
from tests.flows.harness import (
    EMAIL,
    MINUTE,
    PHONE,
    STEP_AT,
    Broken,
    Interrupted,
    WorkerGone,
    account,
    bill,
    bill_of,
    chains_hold,
    contact_of,
    dispatch_with,
    empty_world,
    events_of,
    findings,
    money,
    of_b1,
    person,
    played_out,
    ready,
    records_of,
    swept,
    tell,
    world,
)

NOBODY = 10_000


@dataclass
class Provider:
    """A provider that gives these answers in turn, the last one for ever; `while_it_answers` happens during each
    call.
    """

    answers: list[Answer]
    while_it_answers: Callable[[], object] = lambda: None
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> Answer:
        """See `ports.Sender`."""
        self.letters.append(letter)
        self.while_it_answers()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def delivered(here: World, contact_id: str, provider: Provider, **fields: Any) -> Dispatched:
    """Deliver a contact through another provider."""
    senders = {"email": provider, "sms": provider}
    done = replace(here.dispatch, senders=senders, **fields).deliver(contact_id)
    assert isinstance(done, Dispatched)
    return done


# The plain way


def test_a_contact_is_claimed_sent_and_recorded() -> None:
    """One letter with the ids that travel with it; contact and ledger say when, what and by whom it was accepted."""
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ACCEPTED
    [letter] = provider.letters
    assert (letter.contact_id, letter.attempt, letter.address) == (contact_id, 1, EMAIL)
    sent = contact_of(here, contact_id)
    assert (sent.state, sent.reason, sent.sent_at) == (State.ACCEPTED, Reason.ACCEPTED, STEP_AT)
    assert (sent.provider_id, sent.lease_until) == ("p-1", None)
    assert sent.text_sha256 == letter.text.sha256
    assert "10.00元" in letter.text.body
    assert events_of(here) == ["claimed", "accepted"]
    assert chains_hold(here)


def test_what_was_accepted_is_waited_for_no_more() -> None:
    """The outcome leaves the obligation to be looked at for its next step: nobody has to look at the contact again."""
    here, contact_id = ready()
    assert bill_of(here).watch.contact_id == contact_id
    delivered(here, contact_id, Provider([Accepted("p-1")]))
    watch = bill_of(here).watch
    assert watch.contact_id == ""
    assert watch.look_at is not None
    assert watch.look_at > STEP_AT + REOFFER


@pytest.mark.parametrize("command", [money(minor=400), person(locale="en")])
def test_what_is_told_during_the_call_leaves_the_contact_to_its_review(command: Command) -> None:
    """The look that the outcome would set was planned from what is no longer so: the review plans it anew."""
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")], lambda: tell(here, command))
    assert delivered(here, contact_id, provider) is Dispatched.ACCEPTED
    watch = bill_of(here).watch
    assert (watch.contact_id, watch.look_at) == (contact_id, STEP_AT + REOFFER)
    assert contact_of(here, contact_id).state is State.ACCEPTED
    swept(here, STEP_AT + REOFFER)
    assert bill_of(here).watch.contact_id == ""


def test_a_second_delivery_does_nothing() -> None:
    """Of the same message, however often the queue delivers it, and of an id that is nobody's."""
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    delivered(here, contact_id, provider)
    before = records_of(here)
    for _ in range(3):
        assert delivered(here, contact_id, provider) is Dispatched.NOT_READY
    assert delivered(here, "c_nobody", provider) is Dispatched.NOT_READY
    assert len(provider.letters) == 1
    assert records_of(here) == before


def test_the_amount_said_is_the_amount_owed_at_the_claim() -> None:
    """A part payment after the decision is in the text, and in the contact's own record of it."""
    here, contact_id = ready()
    tell(here, money(minor=400))
    here.memory.ready.clear()
    provider = Provider([Accepted("p-1")])
    delivered(here, contact_id, provider)
    assert "6.00元" in provider.letters[0].text.body
    assert contact_of(here, contact_id).amount.minor == 600


def test_a_refusal_for_good_ends_the_contact() -> None:
    """Surely not accepted, and no attempt more."""
    here, contact_id = ready()
    assert (
        delivered(here, contact_id, Provider([Refused("X", may_retry=False)])) is Dispatched.REFUSED
    )
    refused = contact_of(here, contact_id)
    assert (refused.state, refused.reason) == (State.REFUSED, Reason.PROVIDER_REFUSED)
    assert (refused.sent_at, refused.lease_until) == (None, None)


class Signed:
    """Links of the tests, and how often they were asked for."""

    keys = Keys(1, {1: b"a key of the tests, 32 bytes long"})
    page = "https://remind.lender.example/l/"

    def issued(self, tenant: str, contact_id: str, on: date) -> Issued:
        """See `ports.Links`."""
        return links.issued(self.keys, self.page, tenant, contact_id, on)


def test_a_message_carries_its_own_links_and_code() -> None:
    """Each opens what it is for, of this contact and tenant; the code is the message's; an e-mail can be unsubscribed
    from with one click, and says how long it is of use.
    """
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider, links=Signed()) is Dispatched.ACCEPTED
    (letter,) = provider.letters
    issued = Signed().issued(TENANT, contact_id, STEP_AT.date())
    for shown in (issued.pay, issued.preferences, issued.code):
        assert shown in letter.text.body
        assert shown in letter.text.html
    assert letter.unsubscribe == issued.unsubscribe
    for url, action in (
        (issued.pay, Action.PAY),
        (issued.preferences, Action.PREFERENCES),
        (issued.unsubscribe, Action.UNSUBSCRIBE),
    ):
        link = links.opened(Signed.keys, url.removeprefix(Signed.page), STEP_AT)
        assert (link.tenant, link.contact_id, link.action) == (TENANT, contact_id, action)
    assert 0 < letter.lives_s <= 24 * 3_600
    assert contact_of(here, contact_id).text_sha256 == letter.text.sha256


def test_an_sms_is_no_mail_and_nothing_is_linked_without_pages() -> None:
    """One-click unsubscription is of e-mails alone; without pages a message has no link and no code."""
    here, contact_id = ready("", PHONE)
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider, links=Signed()) is Dispatched.ACCEPTED
    assert provider.letters[0].unsubscribe == ""
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ACCEPTED
    assert provider.letters[0].unsubscribe == ""
    assert "https://" not in provider.letters[0].text.body


def test_links_that_cannot_be_signed_claim_nothing() -> None:
    """The keys are out of reach: nothing was sent, the queue delivers again."""
    here, contact_id = ready()

    class OutOfReach:
        def issued(self, tenant: str, contact_id: str, on: date) -> Issued:
            raise Unavailable("the keys of links cannot be read")

    provider = Provider([Accepted("p-1")])
    with pytest.raises(Unavailable):
        delivered(here, contact_id, provider, links=OutOfReach())
    assert contact_of(here, contact_id).state is State.READY
    assert not provider.letters
    assert delivered(here, contact_id, provider) is Dispatched.ACCEPTED


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (bounces.BAD_ADDRESS, PointState.BOUNCED),
        (bounces.ENDPOINT_DISABLED, PointState.BOUNCED),
        (bounces.OPTED_OUT, PointState.OPTED_OUT),
        ("X", PointState.ACTIVE),
    ],
)
def test_a_refusal_that_ends_an_address_blocks_it(code: str, state: PointState) -> None:
    """No report will ever come to do it; a refusal for any other reason says nothing of the address."""
    here, contact_id = ready()
    assert delivered(here, contact_id, Provider([Refused(code, may_retry=False)])) is (
        Dispatched.REFUSED
    )
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert [point.state for point in head.contact_points] == [state]
    here.run_until(STEP_AT + timedelta(days=30))
    assert bool(here.provider.accepted) is (state is PointState.ACTIVE)
    assert chains_hold(here)


def test_an_address_that_was_replaced_meanwhile_is_not_blocked() -> None:
    """The provider refuses the one that the letter went to; the one told while it answered has refused nothing."""
    here, contact_id = ready()
    provider = Provider(
        [Refused(bounces.BAD_ADDRESS, may_retry=False)],
        while_it_answers=lambda: tell(here, person("new@borrowers.example")),
    )
    assert delivered(here, contact_id, provider) is Dispatched.REFUSED
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert [(point.address, point.state) for point in head.contact_points] == [
        ("new@borrowers.example", PointState.ACTIVE)
    ]


def test_a_busy_provider_puts_the_contact_back_however_often() -> None:
    """It waits for its review, is not offered at once, and is never refused for good."""
    here, contact_id = ready()
    provider = Provider([Refused("Throttled", may_retry=True)])
    for attempt in range(1, 20):
        assert delivered(here, contact_id, provider) is Dispatched.PUT_BACK
        waiting = contact_of(here, contact_id)
        assert (waiting.state, waiting.reason) == (State.READY, Reason.PROVIDER_BUSY)
        assert (waiting.attempt, waiting.offered, waiting.unknowns) == (attempt, False, 0)
        assert not here.memory.ready
    assert chains_hold(here)


@pytest.mark.parametrize(("busy", "sent"), [(40, True), (48 * 60, False)])
def test_a_provider_may_be_busy_as_long_as_the_contact_lives(busy: int, sent: bool) -> None:
    """Forty minutes cost nothing; a provider without room until the contact ends is named as the reason."""
    here = world()
    free_at = STEP_AT + busy * MINUTE

    class Busy:
        def send(self, letter: Letter) -> Answer:
            free = here.clock.now() >= free_at
            return here.provider.send(letter) if free else Refused("Throttled", may_retry=True)

    here.dispatch = replace(here.dispatch, senders={"email": Busy(), "sms": Busy()})
    here.run_until(STEP_AT + timedelta(days=1))
    [one] = here.memory.all_contacts()
    if sent:
        assert [arrived.at for arrived in here.provider.accepted] == [free_at]
    else:
        assert (one.state, one.reason) == (State.EXPIRED, Reason.PROVIDER_BUSY)
    assert chains_hold(here)


def test_a_refusal_after_an_unknown_attempt_is_held() -> None:
    """The first message may have arrived: the contact ends unknown, in plain sight."""
    here, contact_id = ready()
    provider = Provider([Unknown("timeout"), Refused("X", may_retry=False)])
    delivered(here, contact_id, provider)
    swept(here, STEP_AT + 15 * MINUTE)
    assert delivered(here, contact_id, provider) is Dispatched.UNKNOWN
    held = contact_of(here, contact_id)
    assert (held.state, held.reason, held.unknowns) == (State.UNKNOWN, Reason.HELD_UNKNOWN, 1)
    assert held.is_finished
    assert events_of(here)[-1] == "held"


def test_no_answer_is_unknown_and_never_retried_blindly() -> None:
    """The attempt is counted as unknown; delivering again does nothing until the review has spoken."""
    here, contact_id = ready()
    provider = Provider([Unknown("read timeout")])
    assert delivered(here, contact_id, provider) is Dispatched.UNKNOWN
    lost = contact_of(here, contact_id)
    assert (lost.state, lost.reason, lost.unknowns) == (State.UNKNOWN, Reason.PROVIDER_TIMEOUT, 1)
    assert delivered(here, contact_id, provider) is Dispatched.NOT_READY
    assert len(provider.letters) == 1


# Decided again


def test_money_that_came_after_the_decision_cancels_the_contact() -> None:
    """Nothing is sent; the contact is cancelled, the decision not to send it is on record, the agenda is done."""
    here, contact_id = ready()
    here.intake.take_in("demo", [_told(money())], here.clock.now())
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ENDED
    assert provider.letters == []
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.CANCELLED, Reason.PAID)
    assert records_of(here)[-1].kind in ("decision", "event")
    assert {str(r.body["reason"]) for r in records_of(here)} == {"due", "paid"}
    assert played_out(here).provider.accepted == []
    assert bill_of(here).watch.look_at is None
    assert chains_hold(here)


@pytest.mark.parametrize(
    ("phone", "email", "state", "reason"),
    [
        ("", "", State.SUPPRESSED, Reason.NO_CONTACT_POINT),
        # Another channel would do, but this contact is for this one.
        (PHONE, "", State.SUPPRESSED, Reason.NO_CONTACT_POINT),
    ],
)
def test_an_address_that_is_gone_suppresses_the_contact(
    phone: str, email: str, state: State, reason: Reason
) -> None:
    """Nothing is sent to an address the borrower no longer has."""
    here, contact_id = ready()
    here.intake.take_in("demo", [_told(person(email, phone))], here.clock.now())
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ENDED
    assert provider.letters == []
    assert (contact_of(here, contact_id).state, contact_of(here, contact_id).reason) == (
        state,
        reason,
    )


def test_a_new_address_is_used_at_once() -> None:
    """The letter goes to the address of the claim, not to that of the decision."""
    here, contact_id = ready()
    here.intake.take_in("demo", [_told(person("new@borrowers.example"))], here.clock.now())
    provider = Provider([Accepted("p-1")])
    delivered(here, contact_id, provider)
    assert provider.letters[0].address == "new@borrowers.example"


def test_a_blocked_address_is_not_used() -> None:
    """A complaint about another message came in between."""
    here, contact_id = ready()
    complaint = ProviderEvent(contact_id, 0, Event.COMPLAINED, STEP_AT, "k", "")
    other = _second_bill(here)
    here.dispatch.deliver(other)
    hear(here.stores, replace(complaint, contact_id=other))
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ENDED
    assert contact_of(here, contact_id).reason is Reason.CONTACT_POINT_SUPPRESSED
    assert provider.letters == []


def test_a_blocked_address_is_not_used_where_another_channel_would_do() -> None:
    """The step could go by SMS, but this contact is for e-mail: it is suppressed, and nothing goes to the blocked
    one.
    """
    here, contact_id = ready(EMAIL, PHONE)
    other = _second_bill(here)
    here.dispatch.deliver(other)
    hear(here.stores, ProviderEvent(other, 0, Event.BOUNCED_HARD, STEP_AT, "k"))
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ENDED
    assert contact_of(here, contact_id).reason is Reason.CONTACT_POINT_SUPPRESSED
    assert provider.letters == []


def test_a_late_message_is_not_sent() -> None:
    """Delivered a day later the contact expires: the queue's message is a hint of any age."""
    here, contact_id = ready()
    here.clock.advance(STEP_AT + timedelta(days=1))
    assert delivered(here, contact_id, Provider([Accepted("p-1")])) is Dispatched.ENDED
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.EXPIRED, Reason.CATCH_UP_EXCEEDED)


@pytest.mark.parametrize(("early", "sent"), [(TICK, True), (timedelta(), False)])
def test_a_claim_needs_its_margin_before_the_window_closes(early: timedelta, sent: bool) -> None:
    """Until ninety seconds before 22:00 it is still sent, from then on no more."""
    here, contact_id = ready()
    here.clock.advance(utc("2026-03-06 14:00") - CLOSING_MARGIN - early)
    provider = Provider([Accepted("p-1")])
    done = delivered(here, contact_id, provider)
    assert (done is Dispatched.ACCEPTED) is sent
    assert len(provider.letters) == sent


def test_at_night_a_contact_waits_for_the_morning() -> None:
    """A borrower who has moved to a zone where it is night: the contact lives as long as its step, and goes when the
    step comes due there, at 15:00 UTC.
    """
    here, contact_id = ready()
    here.intake.take_in("demo", [_told(person(zone="America/New_York"))], here.clock.now())
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.NOT_NOW
    assert provider.letters == []
    assert contact_of(here, contact_id).state is State.READY
    assert bill_of(here).watch.look_at == utc("2026-03-06 15:00")
    here.run_until(utc("2026-03-06 15:00"))
    assert [arrived.at for arrived in here.provider.accepted] == [utc("2026-03-06 15:00")]


def test_a_contact_that_may_go_later_is_looked_at_then() -> None:
    """In London the step comes due at 10:00 UTC, before the contact ends: it stays READY and its look is moved
    there.
    """
    here, contact_id = ready()
    here.intake.take_in(
        "demo", [_told(person(zone="Europe/London", jurisdiction="GB"))], here.clock.now()
    )
    assert delivered(here, contact_id, Provider([Accepted("p-1")])) is Dispatched.NOT_NOW
    assert contact_of(here, contact_id).state is State.READY
    assert bill_of(here).watch.look_at == utc("2026-03-06 10:00")
    here.run_until(utc("2026-03-06 10:00"))
    assert [arrived.at for arrived in here.provider.accepted] == [utc("2026-03-06 10:00")]
    assert findings(here).all_kept


def test_a_window_that_became_narrower_keeps_its_margin() -> None:
    """The borrower falls under the house window after the decision: half a minute before 20:00 nothing is claimed,
    though the contact was made for a window until 22:00.
    """
    here, contact_id = ready()
    here.intake.take_in("demo", [_told(person(jurisdiction="ZZ"))], here.clock.now())
    here.clock.advance(utc("2026-03-06 12:00") - 30 * SECOND)
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.NOT_NOW
    assert provider.letters == []
    # At nine in the morning the window opens, an hour before the step has had its day.
    assert bill_of(here).watch.look_at == utc("2026-03-07 01:00")


def test_what_may_have_gone_is_held_and_not_called_cancelled() -> None:
    """Money comes while a second attempt is waiting: the first one may have arrived, so the contact ends unknown."""
    here, contact_id = ready("timeout-lost@borrowers.example")
    here.dispatch.deliver(contact_id)
    swept(here, STEP_AT + 15 * MINUTE)
    assert contact_of(here, contact_id).reason is Reason.ONE_MORE_ATTEMPT
    here.intake.take_in("demo", [_told(money())], here.clock.now())
    assert here.dispatch.deliver(contact_id) is Dispatched.ENDED
    held = contact_of(here, contact_id)
    assert (held.state, held.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
    assert events_of(here)[-1] == "held"
    assert played_out(here).provider.accepted == []


# The lease


@pytest.mark.parametrize(("late", "called"), [(timedelta(), True), (TICK, False)])
def test_a_call_starts_within_its_lease_or_not_at_all(late: timedelta, called: bool) -> None:
    """A worker that sleeps between claim and call does not wake up and send: up to 30 seconds it may, not a moment
    more.
    """
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    slow = _SlowClock(here, LEASE - GUARD + late)
    done = delivered(here, contact_id, provider, clock=slow)
    assert len(provider.letters) == called
    assert (done is Dispatched.ACCEPTED) is called
    if not called:
        assert contact_of(here, contact_id).state is State.SENDING
        swept(here, STEP_AT + LEASE)
        assert contact_of(here, contact_id).reason in (Reason.LEASE_EXPIRED, Reason.DUE)


def test_a_worker_that_lost_its_lease_does_not_overwrite_what_is_known() -> None:
    """The provider answers after the review has called the attempt unknown: the answer is evidence like any other,
    and later evidence moves it on.
    """
    here, contact_id = ready()
    swept(here, STEP_AT)

    def review() -> None:
        swept(here, STEP_AT + 11 * MINUTE)

    provider = Provider([Accepted("p-1")], while_it_answers=review)
    assert delivered(here, contact_id, provider) is Dispatched.ACCEPTED
    late = contact_of(here, contact_id)
    assert (late.state, late.provider_id) == (State.ACCEPTED, "p-1")
    assert events_of(here) == ["claimed", "timed_out", "accepted"]
    evidence = ProviderEvent(contact_id, 1, Event.DELIVERED, STEP_AT + 12 * MINUTE, "k")
    hear(here.stores, evidence)
    assert contact_of(here, contact_id).state is State.DELIVERED
    assert chains_hold(here)


def test_a_report_that_overtakes_the_answer_is_not_undone() -> None:
    """Delivered before the answer came back: the answer is on record as a fact, the state stays."""
    here, contact_id = ready()

    def report() -> None:
        hear(here.stores, ProviderEvent(contact_id, 1, Event.DELIVERED, STEP_AT, "k"))

    answers: dict[str, Answer] = {
        "accepted": Accepted("p-1"),
        "timed_out": Unknown("timeout"),
        "put_back": Refused("X", may_retry=True),
        "refused": Refused("X", may_retry=False),
    }
    for event, answer in answers.items():
        here, contact_id = ready()
        delivered(here, contact_id, Provider([answer], while_it_answers=report))
        after = contact_of(here, contact_id)
        assert (after.state, after.unknowns) == (State.DELIVERED, 0)
        assert after.provider_id == ("p-1" if event == "accepted" else "")
        assert events_of(here) == ["claimed", "delivered", event]
        assert chains_hold(here)


def test_the_answer_of_a_second_attempt_is_kept_when_the_first_one_is_heard_of() -> None:
    """A report of attempt 1 settles the contact while attempt 2 is on its way: the id of attempt 2 is on record."""
    here, contact_id = ready()
    delivered(here, contact_id, Provider([Unknown("timeout")]))
    swept(here, STEP_AT + 15 * MINUTE)

    def report() -> None:
        hear(here.stores, ProviderEvent(contact_id, 1, Event.ACCEPTED, here.clock.now(), "k"))

    delivered(here, contact_id, Provider([Accepted("p-2")], while_it_answers=report))
    assert contact_of(here, contact_id).provider_id == "p-2"
    assert any(
        (r.body.get("attempt"), r.body.get("provider_id")) == (2, "p-2") for r in records_of(here)
    )
    assert chains_hold(here)


@pytest.mark.parametrize("answer", [Accepted("p-1"), Refused("X", may_retry=True), Unknown("t")])
def test_a_conflict_of_writes_does_not_cost_the_outcome(answer: Answer) -> None:
    """The store was busy, nobody moved the contact: the outcome is written as if nothing had happened."""
    ends = []
    for conflicts in (0, 2):
        here, contact_id = ready()

        class Conflicting(Interrupted):
            left = conflicts

            def commit(self, changes: Sequence[Change], here: World = here) -> None:
                self.step()
                if self.calls > 3 and self.left:
                    self.left -= 1
                    raise Stale
                here.memory.commit(changes)

        stores = Conflicting(here.memory, NOBODY, lambda: None).stores
        delivered(here, contact_id, Provider([answer]), stores=stores)
        ends.append((contact_of(here, contact_id), records_of(here)))
    assert ends[0] == ends[1]
    assert ends[0][0].state is not State.SENDING


def test_an_outcome_that_other_writers_keep_off_the_record_is_not_passed_over() -> None:
    """After a bounded number of tries the error goes to the caller."""
    here, contact_id = ready()

    class Losing(Interrupted):
        def commit(self, changes: Sequence[Change]) -> None:
            self.step()
            if self.calls > 3:
                raise Stale((0,))
            here.memory.commit(changes)

    losing = Losing(here.memory, NOBODY, lambda: None)
    with pytest.raises(Unavailable):
        delivered(here, contact_id, Provider([Accepted("p-1")]), stores=losing.stores)
    assert losing.calls == 3 + 2 * MAX_TRIES


def test_a_step_that_no_longer_applies_ends_its_contact() -> None:
    """The borrower moved east, and the step lies before the bill was issued: cancelled, with a decision on record."""
    here, contact_id = ready(issued_at=STEP_AT - 30 * MINUTE)
    here.intake.take_in("demo", [_told(person(zone="Asia/Tokyo"))], here.clock.now())
    provider = Provider([Accepted("p-1")])
    assert delivered(here, contact_id, provider) is Dispatched.ENDED
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.CANCELLED, Reason.PLANNED_AFTER_WINDOW)
    last = records_of(here)[-1].body
    assert (last["decision"], last["reason"]) == ("suppress", "planned_after_window")
    assert provider.letters == []
    assert chains_hold(here)


def test_records_of_one_instant_are_read_in_the_order_they_were_made() -> None:
    """Decided, claimed and accepted at one instant; or decided, ended, and decided not to send."""
    here, contact_id = ready()
    delivered(here, contact_id, Provider([Accepted("p-1")]))
    words = [r.body.get("decision") or r.body["event"] for r in records_of(here)]
    assert words == ["send", "claimed", "accepted"]
    here, contact_id = ready()
    here.intake.take_in("demo", [_told(money())], here.clock.now())
    delivered(here, contact_id, Provider([Accepted("p-1")]))
    words = [r.body.get("decision") or r.body["event"] for r in records_of(here)]
    assert words == ["send", "cancelled", "suppress"]


# Other writers


def test_after_three_lost_races_the_queue_delivers_again() -> None:
    """Nothing was sent; the contact is as it was."""
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    store = _Contested(here)
    stores = replace(here.stores, store=store)
    assert delivered(here, contact_id, provider, stores=stores) is Dispatched.CONTESTED
    assert store.tries == MAX_TRIES
    assert provider.letters == []
    assert contact_of(here, contact_id).state is State.READY


def test_a_store_out_of_reach_before_the_claim_sends_nothing() -> None:
    """The error goes to the caller, whose queue delivers again."""
    here, contact_id = ready()
    provider = Provider([Accepted("p-1")])
    stores = replace(here.stores, store=_OutOfReach())
    with pytest.raises(Unavailable):
        delivered(here, contact_id, provider, stores=stores)
    assert provider.letters == []


def test_a_step_the_treatment_no_longer_has_stops_us() -> None:
    """Our mistake, before anything is sent."""
    here, contact_id = ready()
    policies = replace(
        POLICIES, treatment=replace(POLICIES.treatment, steps=POLICIES.treatment.steps[1:])
    )
    provider = Provider([Accepted("p-1")])
    with pytest.raises(AssertionError):
        delivered(here, contact_id, provider, policies=policies)
    assert provider.letters == []


BREAK_INS: dict[str, Callable[[World, str], object]] = {
    "pays": lambda here, _: here.intake.take_in("demo", [_told(money())], here.clock.now()),
    "pays a part": lambda here, _: here.intake.take_in(
        "demo", [_told(money(minor=400))], here.clock.now()
    ),
    "moves away": lambda here, _: here.intake.take_in(
        "demo", [_told(person("new@borrowers.example"))], here.clock.now()
    ),
    "is forgotten": lambda here, _: here.intake.take_in(
        "demo", [_told(person(""))], here.clock.now()
    ),
    "complains": lambda here, contact_id: hear(
        here.stores, ProviderEvent(contact_id, 1, Event.COMPLAINED, STEP_AT, "k")
    ),
    "is delivered": lambda here, contact_id: hear(
        here.stores, ProviderEvent(contact_id, 1, Event.DELIVERED, STEP_AT, "k")
    ),
    "another worker": lambda here, contact_id: here.dispatch.deliver(contact_id),
    "a sweep": lambda here, _: swept(here, here.clock.now()),
    "a late sweep": lambda here, _: swept(here, here.clock.now() + 10 * MINUTE),
    "a very late sweep": lambda here, _: swept(here, here.clock.now() + 26 * MINUTE),
    "a day's outage": lambda here, _: here.clock.advance(STEP_AT + timedelta(days=2)),
    "another bill": lambda here, _: _second_bill(here),
}
EMAILS = (
    "li",
    "busy",
    "refused",
    "timeout-lost",
    "timeout-silent",
    "timeout-accepted",
    "hard",
    "complaint",
)


def claims(here: World) -> int:
    """Return how many claims are on record, of whatever contact."""
    return sum(r.body.get("event") == "claimed" for r in records_of(here))


@pytest.mark.parametrize("mailbox", EMAILS)
@pytest.mark.parametrize("name", sorted(BREAK_INS))
def test_whoever_breaks_in_and_whenever_every_promise_is_kept(name: str, mailbox: str) -> None:
    """Before each single call that dispatch makes, to a store or to the provider, somebody else does his whole
    work. Then all streams are drained and the treatment runs to its end: the audit finds nothing, chains hold,
    nobody is sent more than the policy allows, and once the money is there nothing is claimed any more.
    """
    at = 0
    while True:
        here, contact_id = ready(f"{mailbox}@borrowers.example")
        claimed = attempt = 0

        def between(here: World = here, contact_id: str = contact_id) -> None:
            nonlocal claimed, attempt
            BREAK_INS[name](here, contact_id)
            claimed, attempt = claims(here), contact_of(here, contact_id).attempt

        stores = Interrupted(here.memory, at, between)
        dispatch_with(here, stores).deliver(contact_id)
        if not stores.happened:
            break
        here.memory.ready.append(contact_id)
        played_out(here)
        found = findings(here)
        assert not (found.duplicates or found.undecided or found.out_of_window)
        sent = Counter(arrived.letter.contact_id for arrived in here.provider.accepted)
        one = contact_of(here, contact_id)
        assert sent[contact_id] <= 1 + min(1, one.unknowns)
        assert one.is_finished
        assert chains_hold(here)
        if name in ("pays", "is forgotten"):
            assert claims(here) == claimed
        if name == "moves away":
            later = [a.letter for a in here.provider.accepted if a.letter.attempt > attempt]
            assert {letter.address for letter in later} <= {"new@borrowers.example"}
        assert not bill_of(here).watch.contact_id
        at += 1
    assert at >= 3


def test_a_due_date_that_moves_away_and_back_is_a_new_one() -> None:
    """A contact of the day that was given up stands in nobody's way: what is due again is said, once."""
    here, contact_id = ready()
    due_on = bill_of(here).due_on
    for revision, moved_to in enumerate((due_on + timedelta(days=20), due_on), start=1):
        tell(here, AmendObligation("o1", revision, moved_to, 1000, 1000))
    here.run_until(STEP_AT + timedelta(days=1))
    assert (contact_of(here, contact_id).state, contact_of(here, contact_id).reason) == (
        State.CANCELLED,
        Reason.REDATED,
    )
    [letter] = here.provider.accepted
    assert letter.letter.contact_id != contact_id
    assert findings(here).all_kept


def test_a_contact_is_not_given_up_for_a_reason_that_is_gone() -> None:
    """The borrower had no address; before any call of the dispatch that is about to suppress the contact, the
    address is back: the contact is sent.
    """
    for at in range(3):
        here, contact_id = ready()
        here.intake.take_in("demo", [_told(person(""))], here.clock.now())
        stores = Interrupted(
            here.memory,
            at,
            lambda here=here: here.intake.take_in("demo", [_told(person())], here.clock.now()),  # type: ignore[misc]
        )
        assert dispatch_with(here, stores).deliver(contact_id) is Dispatched.ACCEPTED
        assert stores.happened


@pytest.mark.parametrize("mailbox", ["li", "busy", "timeout-lost", "timeout-accepted"])
def test_two_workers_with_one_message_send_once(mailbox: str) -> None:
    """Interleaved at every pair of calls: while one is stopped before any of its calls, the other is stopped before
    any of its own and the first one's queue delivers a third time. One call reaches the provider for each claim,
    and only what the policy allows is accepted.
    """
    for first in range(12):
        for second in range(12):
            here, contact_id = ready(f"{mailbox}@borrowers.example")
            third = Interrupted(here.memory, NOBODY, lambda: None)
            inner = Interrupted(
                here.memory,
                second,
                lambda here=here, third=third, contact_id=contact_id: dispatch_with(  # type: ignore[misc]
                    here, third
                ).deliver(contact_id),
            )
            outer = Interrupted(
                here.memory,
                first,
                lambda here=here, inner=inner, contact_id=contact_id: dispatch_with(  # type: ignore[misc]
                    here, inner
                ).deliver(contact_id),
            )
            dispatch_with(here, outer).deliver(contact_id)
            assert here.provider.asked[contact_id] == claims(here)
            assert claims(here) == 1 or (mailbox == "busy" and claims(here) <= 3)
            assert len(here.provider.accepted) <= 1
            assert chains_hold(here)


@pytest.mark.parametrize("mailbox", EMAILS)
@pytest.mark.parametrize("paid", [False, True])
def test_a_worker_may_die_at_any_call(mailbox: str, paid: bool) -> None:
    """Its process is gone before any call it makes; the queue delivers again, the review settles what nobody knows,
    and every promise is kept. Paid in the meantime or not.
    """
    at = 0
    while True:
        here, contact_id = ready(f"{mailbox}@borrowers.example")
        try:
            dispatch_with(here, Broken(here.memory, at)).deliver(contact_id)
            break
        except WorkerGone:
            at += 1
        claimed = contact_of(here, contact_id).state is not State.READY
        if paid:
            here.clock.advance(STEP_AT + SECOND)
            tell(here, money(paid_at=STEP_AT + SECOND))
        here.memory.ready.append(contact_id)
        played_out(here)
        sent = Counter(arrived.letter.contact_id for arrived in here.provider.accepted)
        assert findings(here).all_kept
        assert sent[contact_id] <= 1 + min(1, contact_of(here, contact_id).unknowns)
        assert contact_of(here, contact_id).is_finished
        assert chains_hold(here)
        if paid and not claimed:
            assert not sent
    assert at >= 5


def test_what_is_counted_by_law_is_never_tried_twice() -> None:
    """An overdue contact whose worker died is held, however long the treatment goes on."""
    here = empty_world()
    tell(
        here, person("crash@borrowers.example"), account(), bill(issued_at=utc("2026-03-09 03:00"))
    )
    played_out(here, "2026-03-11 01:00")
    [overdue] = here.memory.all_contacts()
    assert (overdue.step, overdue.message_class) == ("D+1", MessageClass.OVERDUE)
    assert (overdue.state, overdue.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
    assert here.provider.asked[overdue.id] == 1


# Helpers


def _told(command: Command) -> Told:
    return of_b1(command)


def _second_bill(here: World) -> str:
    """Tell another bill of the same borrower whose first step has come due too; return its contact."""
    here.intake.take_in("demo", [_told(bill("o2", seq=2))], here.clock.now())
    swept(here, here.clock.now())
    made = {c.id for c in here.memory.all_contacts() if c.obligation_id == "o2"}
    return made.pop()


class _SlowClock:
    """A clock that jumps ahead after it was read for the claim."""

    def __init__(self, here: World, jump: timedelta) -> None:
        self._here, self._jump, self._reads = here, jump, 0

    def now(self) -> datetime:
        self._reads += 1
        if self._reads == 2:
            self._here.clock.advance(self._here.clock.now() + self._jump)
        return self._here.clock.now()


class _Contested:
    """A store in which somebody else always wins."""

    def __init__(self, here: World) -> None:
        self.tries = 0

    def commit(self, changes: Sequence[Change]) -> None:
        assert len(changes) <= MAX_CHANGES
        self.tries += 1
        raise Stale((0,))


class _OutOfReach:
    """A store that does not answer."""

    def commit(self, changes: Sequence[Change]) -> None:
        raise Unavailable("no answer")
