"""What an app tells of a message, and the contact point that every borrower has without being told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from betimes.core.borrower import IMPLICIT, ContactPoint, PointState
from betimes.core.contact import Contact, Event, State
from betimes.core.errors import Rejected
from betimes.core.inbox import Acknowledged, Sign, reported
from betimes.core.intake import PutBorrower
from betimes.core.reason import Reason
from tests.factories import NOW, borrower, contact

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)


def sent(**fields: object) -> Contact:
    """Return a message of an inbox that was claimed at NOW and accepted."""
    default = {
        "channel": "inbox",
        "state": State.ACCEPTED,
        "attempt": 1,
        "claimed_at": NOW,
        "sent_at": NOW,
        "taken": (1,),
    }
    return replace(contact(), **{**default, **fields})  # type: ignore[arg-type]  # fields of one


def told(sign: Sign, minutes: int = 1, attempt: int = 0) -> Acknowledged:
    return Acknowledged(contact().id, sign, NOW + minutes * MINUTE, attempt)


@pytest.mark.parametrize(
    ("sign", "event"),
    [
        (Sign.SHOWN, Event.DELIVERED),
        (Sign.SEEN, Event.SEEN),
        (Sign.DISMISSED, Event.SEEN),
        (Sign.OPENED, Event.READ),
    ],
)
@pytest.mark.parametrize("channel", ["inbox", "push"])
def test_each_sign_is_a_report(channel: str, sign: Sign, event: Event) -> None:
    """With the instant that was told, of the last attempt where none is named, and the app's word as its detail."""
    found = reported(sent(channel=channel), told(sign), LATER)
    assert found is not None
    assert (found.event, found.at, found.attempt, found.detail) == (event, NOW + MINUTE, 1, sign)


def test_what_is_known_is_no_report() -> None:
    """The same again, or later; what shows that it was so earlier is one."""
    seen = sent().after(Event.SEEN, Reason.DELIVERED, NOW + 5 * MINUTE)
    assert reported(seen, told(Sign.SEEN, 5), LATER) is None
    assert reported(seen, told(Sign.DISMISSED, 9), LATER) is None
    assert reported(seen, told(Sign.SHOWN, 9), LATER) is None
    assert reported(seen, told(Sign.SEEN, 4), LATER) is not None
    assert reported(seen, told(Sign.OPENED, 9), LATER) is not None


def test_a_wrong_clock_does_not_reach_beyond_what_can_be() -> None:
    """Neither before the message was handed over, nor after now."""
    early, late = told(Sign.SEEN, -600), told(Sign.SEEN, 6_000)
    found = [reported(sent(), each, LATER) for each in (early, late)]
    assert [each.at for each in found if each] == [NOW, LATER]


def test_any_order_of_signs_leaves_the_same_contact() -> None:
    """Also where each is told twice: what is no report any more would have changed nothing."""
    tellings = [told(Sign.SHOWN, 1), told(Sign.SEEN, 3), told(Sign.OPENED, 4), told(Sign.SEEN, 2)]
    ends = set()
    for order in permutations(tellings):
        here = sent()
        for each in (*order, *order):
            found = reported(here, each, LATER)
            if found is not None:
                here = here.after(found.event, Reason.DELIVERED, found.at, attempt=found.attempt)
        ends.add((here.state, here.seen_at, here.read_at, here.changed_at, here.taken))
    assert ends == {(State.DELIVERED, NOW + 2 * MINUTE, NOW + 4 * MINUTE, NOW + MINUTE, (1,))}


@pytest.mark.parametrize(
    ("fields", "attempt", "code"),
    [
        ({"channel": "email"}, 0, "not_shown"),
        ({"channel": "sms"}, 1, "not_shown"),
        ({"attempt": 0, "state": State.READY, "taken": ()}, 0, "not_sent"),
        ({"attempt": 0, "state": State.CANCELLED, "taken": ()}, 0, "not_sent"),
        ({}, 2, "not_sent"),
    ],
)
def test_what_no_app_can_know_is_refused(
    fields: dict[str, object], attempt: int, code: str
) -> None:
    """A channel that no app shows, and what was never sent: nothing would call it delivered."""
    with pytest.raises(Rejected) as refused:
        reported(sent(**fields), told(Sign.SEEN, attempt=attempt), LATER)
    assert refused.value.code == code


def test_everybody_has_an_inbox_until_somebody_says_otherwise() -> None:
    """Its address is the borrower's id; blocked, it stays so, and nothing else comes with it."""
    person = borrower()
    assert {"inbox", "webhook"} == IMPLICIT
    for channel in IMPLICIT:
        assert person.point(channel) == ContactPoint(channel, person.id)
        blocked = person.blocking(channel, 0, PointState.OPTED_OUT)
        point = blocked.point(channel)
        assert point is not None
        assert point.state is PointState.OPTED_OUT
        assert blocked.blocking(channel, 0, PointState.OPTED_OUT) == blocked
        assert len(blocked.contact_points) == len(person.contact_points) + 1
    assert person.blocking("push", 0, PointState.OPTED_OUT) == person
    assert person.point("push") is None


def test_being_told_anew_lifts_no_block_of_an_inbox() -> None:
    """A lender that tells a borrower again names no inbox: the block is kept among those of old addresses."""
    from betimes.core.book import Pages
    from betimes.core.intake import accept
    from tests.core.support import POLICIES

    person = borrower().blocking("inbox", 0, PointState.OPTED_OUT)
    pages = Pages(person.tenant, person.id).with_head(person)
    command = PutBorrower(person.locale, person.zone, person.jurisdiction, ())
    after, _ = accept(pages, command, POLICIES, shards=1, now=NOW)
    assert after.head is not None
    point = after.head.point("inbox")
    assert point is not None
    assert point.state is PointState.OPTED_OUT
    assert after.head.blocking("inbox", 0, PointState.BOUNCED) == after.head
