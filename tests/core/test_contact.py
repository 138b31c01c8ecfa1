"""The machine of a contact's states: a table, walked through exhaustively."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations, permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.contact import (
    ENDED_UNSENT,
    EVIDENCE,
    MOVES,
    Contact,
    Event,
    IllegalMove,
    State,
    moved,
    rank,
)
from betimes.core.money import Money
from betimes.core.reason import Reason
from betimes.core.treatment import MessageClass
from tests.factories import NOW, contact

CHANNELS = ("email", "sms")
OURS = [event for event in Event if event not in EVIDENCE]

# Written down once more by hand: what we ourselves may do, and nothing else.
ALLOWED = {
    "READY": {"claimed": "SENDING", "cancelled": "CANCELLED", "suppressed": "SUPPRESSED", "expired": "EXPIRED",
              "held": "UNKNOWN", "paced": "READY"},
    "SENDING": {"put_back": "READY", "refused": "REFUSED", "timed_out": "UNKNOWN", "held": "UNKNOWN"},
    "UNKNOWN": {"tried_again": "READY", "held": "UNKNOWN"},
    "ACCEPTED": {"receipt_overdue": "NO_RECEIPT"},
    "IN_TRANSIT": {"receipt_overdue": "NO_RECEIPT"},
}  # fmt: skip


@pytest.mark.parametrize(("state", "event", "channel"), list(product(State, OURS, CHANNELS)))
def test_our_own_acts_are_legal_from_exactly_the_states_named(
    state: State, event: Event, channel: str
) -> None:
    """Every other move of ours raises, in every state and on every channel."""
    wanted = ALLOWED.get(state, {}).get(event)
    if wanted is None:
        with pytest.raises(IllegalMove):
            moved(state, event, channel)
    else:
        assert moved(state, event, channel) == wanted


@pytest.mark.parametrize(("state", "event", "channel"), list(product(State, EVIDENCE, CHANNELS)))
def test_evidence_only_raises_the_rank(state: State, event: Event, channel: str) -> None:
    """From a lower rank it leads to its state, from an equal or higher one and from an unsent end nowhere; it never
    raises an error, however late it comes.
    """
    after = moved(state, event, channel)
    if state in ENDED_UNSENT or rank(EVIDENCE[event], channel) <= rank(state, channel):
        assert after is state
    else:
        assert after is EVIDENCE[event]
        assert rank(after, channel) > rank(state, channel)


def test_ranks_are_a_ladder_without_ties() -> None:
    """On each channel all states but the unsent ends stand on rungs of their own; evidence stands above our
    verdicts.
    """
    for channel in CHANNELS:
        ranks = {state: rank(state, channel) for state in State if state not in ENDED_UNSENT}
        assert len(set(ranks.values())) == len(ranks)
        assert min(ranks.values()) > 0
        ours = max(ranks[s] for s in (State.READY, State.SENDING, State.UNKNOWN, State.REFUSED))
        assert all(ranks[state] > ours for state in EVIDENCE.values())
    assert {rank(state, "sms") for state in ENDED_UNSENT} == {0}


def test_a_mail_can_bounce_after_its_delivery_and_a_text_can_arrive_after_its_failure() -> None:
    """The two channels rank the two ends the other way round; an unknown channel ranks as SMS does."""
    assert moved(State.DELIVERED, Event.BOUNCED_HARD, "email") is State.UNDELIVERED_HARD
    assert moved(State.UNDELIVERED_HARD, Event.DELIVERED, "email") is State.UNDELIVERED_HARD
    assert moved(State.UNDELIVERED_HARD, Event.DELIVERED, "sms") is State.DELIVERED
    assert moved(State.DELIVERED, Event.BOUNCED_HARD, "sms") is State.DELIVERED
    assert rank(State.DELIVERED, "push") == rank(State.DELIVERED, "sms")


def test_only_two_moves_go_down() -> None:
    """A sure refusal for now, and one more attempt where the class allows it (specification S9)."""
    down = {
        (state, event)
        for (state, event), after in MOVES.items()
        if after not in ENDED_UNSENT and rank(after, "sms") < rank(state, "sms")
    }
    assert down == {(State.SENDING, Event.PUT_BACK), (State.UNKNOWN, Event.TRIED_AGAIN)}


def test_unsent_ends_are_reached_from_ready_only_and_never_left() -> None:
    """Nothing that may have gone out is ever called cancelled."""
    assert {state for (state, _), after in MOVES.items() if after in ENDED_UNSENT} == {State.READY}
    for state, event in product(ENDED_UNSENT, Event):
        try:
            assert moved(state, event, "email") is state
        except IllegalMove:
            assert event in OURS


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("start", [State.SENDING, State.UNKNOWN, State.ACCEPTED, State.NO_RECEIPT])
def test_evidence_may_come_in_any_order(start: State, channel: str) -> None:
    """All permutations of four reports, each twice in a row: one state at the end, the highest of them."""
    for events in product(EVIDENCE, repeat=4):
        if list(events) != sorted(events):
            continue
        ends = set()
        for order in permutations(events):
            state = start
            for event in order:
                state = moved(moved(state, event, channel), event, channel)
            ends.add(state)
        best = max((start, *(EVIDENCE[event] for event in events)), key=lambda s: rank(s, channel))
        assert ends == {best}


REPORTS = st.lists(
    st.tuples(st.sampled_from(sorted(EVIDENCE)), st.integers(0, 100)), min_size=1, max_size=6
)


@given(REPORTS, st.sampled_from(CHANNELS))
def test_the_earliest_report_tells_when_it_was_accepted(
    reports: list[tuple[Event, int]], channel: str
) -> None:
    """In whatever order the reports come, `sent_at` is that of the earliest."""
    one = contact(state=State.SENDING, channel=channel)
    for event, minutes in reports:
        one = one.after(event, Reason.ACCEPTED, NOW + timedelta(minutes=minutes))
    assert one.sent_at == NOW + timedelta(minutes=min(minutes for _, minutes in reports))


@pytest.mark.parametrize("channel", [*CHANNELS, "push", "inbox", "webhook"])
@pytest.mark.parametrize("start", [State.SENDING, State.UNKNOWN, State.REFUSED, State.NO_RECEIPT])
def test_a_row_is_a_fold_of_its_reports(start: State, channel: str) -> None:
    """All orders of every three reports about two attempts, each at its own instant, with one of them twice: one row.
    Four of them: a tenth of all, every event among them; `REPORTS` has six at random.
    """
    one = contact(state=start, channel=channel, attempt=2, refusals=(1,), changed_at=NOW)
    for number, events in enumerate(
        [*combinations(sorted(EVIDENCE), 3), *[*combinations(sorted(EVIDENCE), 4)][::10]]
    ):
        reports = [
            (event, NOW + timedelta(minutes=(7 * n + number) % 5), 1 + (n + number) % 2)
            for n, event in enumerate(events)
        ]
        ends = set()
        for order in permutations(reports):
            row = one
            for event, at, attempt in (*order, order[0]):
                row = row.after(event, Reason.ACCEPTED, at, attempt=attempt)
            ends.add(repr(row))
        assert len(ends) == 1


FOLDED = st.lists(
    st.tuples(st.sampled_from(sorted(EVIDENCE)), st.integers(0, 5), st.integers(1, 2)),
    min_size=1,
    max_size=6,
)


@given(FOLDED, st.sampled_from([*CHANNELS, "push", "inbox", "webhook"]), st.randoms())
def test_six_reports_in_any_order_and_number_make_one_row(
    reports: list[tuple[Event, int, int]], channel: str, random: Any
) -> None:
    """Shuffled and repeated; the reasons are those of `flows.feedback`."""
    ends = []
    extra = [random.choice(reports) for _ in range(3)]
    for order in (reports, random.sample([*reports, *extra], len(reports) + 3)):
        row = contact(state=State.SENDING, channel=channel, attempt=2, changed_at=NOW)
        for event, minutes, attempt in order:
            at = NOW + timedelta(minutes=minutes)
            row = row.after(event, Reason.ACCEPTED, at, attempt=attempt)
        ends.append(row)
    assert ends[0] == ends[1]


def test_evidence_does_not_touch_what_ended_unsent() -> None:
    """A stray report leaves a cancelled contact as it is."""
    ended = contact(state=State.CANCELLED, reason=Reason.PAID)
    assert ended.after(Event.DELIVERED, Reason.DELIVERED, NOW) == ended


def test_a_contact_that_may_have_gone_is_held_and_not_called_unsent() -> None:
    """After an unknown attempt a READY contact cannot be cancelled, suppressed or expired: it ends UNKNOWN, held."""
    for event in (Event.CANCELLED, Event.SUPPRESSED, Event.EXPIRED):
        sure = contact().ended_unsent(event, Reason.PAID, NOW)
        assert sure.state in ENDED_UNSENT
        assert sure.reason is Reason.PAID
        held = contact(unknowns=1, attempt=1).ended_unsent(event, Reason.PAID, NOW)
        assert (held.state, held.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
        assert held.is_finished


def test_a_claim_counts_its_attempt_and_takes_a_lease() -> None:
    """The claimed contact says what is being sent, until when, and is offered to nobody else."""
    claimed = contact().claimed(NOW, timedelta(seconds=60), "abc", Money(5, "CNY"), point=3)
    assert (claimed.state, claimed.attempt, claimed.offered) == (State.SENDING, 1, False)
    assert claimed.lease_until == NOW + timedelta(seconds=60)
    assert (claimed.text_sha256, claimed.amount) == ("abc", Money(5, "CNY"))
    assert claimed.point == 3
    with pytest.raises(IllegalMove):
        claimed.claimed(NOW, timedelta(seconds=60), "abc", Money(5, "CNY"), point=3)


@pytest.mark.parametrize(
    ("unknowns", "state", "reason"),
    [
        (0, State.REFUSED, Reason.PROVIDER_REFUSED),
        (1, State.UNKNOWN, Reason.HELD_UNKNOWN),
    ],
)
def test_a_refusal_says_nothing_about_an_earlier_attempt(
    unknowns: int, state: State, reason: Reason
) -> None:
    """Refused is what surely never went; after an unknown attempt the contact is held."""
    sending = contact(state=State.SENDING, attempt=2, unknowns=unknowns, lease_until=NOW)
    refused = sending.refused(NOW)
    assert (refused.state, refused.reason, refused.lease_until) == (state, reason, None)
    assert refused.is_finished


def test_an_unknown_attempt_is_counted_and_its_lease_is_over() -> None:
    """Counted once each; nothing but a running attempt can become unknown."""
    lost = contact(state=State.SENDING, attempt=1, lease_until=NOW).unknown(
        Reason.LEASE_EXPIRED, NOW
    )
    assert (lost.state, lost.unknowns, lost.lease_until) == (State.UNKNOWN, 1, None)
    with pytest.raises(IllegalMove):
        lost.unknown(Reason.LEASE_EXPIRED, NOW)


@pytest.mark.parametrize(
    ("message_class", "unknowns", "allowed"),
    [
        (MessageClass.COURTESY, 1, True),
        (MessageClass.COURTESY, 2, False),
        (MessageClass.OVERDUE, 1, False),
        (MessageClass.OVERDUE, 2, False),
    ],
)
def test_one_more_attempt_is_for_courtesies_and_once(
    message_class: MessageClass, unknowns: int, allowed: bool
) -> None:
    """What is counted by law is held at the first unknown outcome."""
    lost = contact(state=State.UNKNOWN, message_class=message_class, unknowns=unknowns)
    assert lost.may_try_again is allowed


def test_only_what_is_ready_is_offered_again() -> None:
    """Each offer is counted."""
    again = contact(offered=False).offered_again()
    assert (again.offers, again.offered) == (2, True)
    with pytest.raises(AssertionError):
        contact(state=State.SENDING).offered_again()


@pytest.mark.parametrize("state", list(State))
def test_the_agenda_waits_for_exactly_what_is_unfinished(state: State) -> None:
    """READY, SENDING and UNKNOWN are; an unknown one that is held is not."""
    unfinished = state in (State.READY, State.SENDING, State.UNKNOWN)
    assert contact(state=state).is_finished is not unfinished
    assert contact(state=state, reason=Reason.HELD_UNKNOWN).is_finished is (
        not unfinished or state is State.UNKNOWN
    )


def test_a_contact_holds_no_address() -> None:
    """Ids and hashes only: no field is made for an address, a name or a text."""
    fields = set(Contact.__dataclass_fields__)
    assert not fields & {"address", "email", "phone", "name", "text", "body", "subject"}
    assert replace(contact(), step="D0").step == "D0"
