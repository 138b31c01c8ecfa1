"""SES events: the real shapes, what each means to a contact, and what is not ours."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from betimes.core.bounces import bounce_class, is_opt_out
from betimes.core.contact import Event, State, moved
from betimes.core.errors import Rejected
from betimes.core.feedback import ProviderEvent
from betimes.wire import ses_events

EVENTS = Path(__file__).parents[2] / "events"
NAMES = ("send", "delivery", "bounce_permanent", "bounce_transient", "complaint", "delay")
CONTACT = "c_tov7vxuz4j3pxapj7nd5rryjx2"
MESSAGE = "010001957b3c4d5e-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-000000"
FEEDBACK = "010001957b3d6f70-1b2c3d4e-5f60-4182-93a4-b5c6d7e8f90a-000000"


def body(name: str) -> str:
    event = json.loads((EVENTS / f"on_feedback_{name}.json").read_text())
    text: str = event["Records"][0]["body"]
    return text


def payload(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(json.loads(body(name))["Message"])
    return event


def parsed(name: str) -> ProviderEvent:
    event = ses_events.parse(body(name))
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("name", "event", "at", "identity", "detail"),
    [
        ("send", Event.ACCEPTED, "02:00:13.412", "2026-03-06T02:00:13.412000Z", ""),
        ("delivery", Event.DELIVERED, "02:00:15.117", "2026-03-06T02:00:15.117000Z", ""),
        (
            "bounce_permanent",
            Event.BOUNCED_HARD,
            "02:00:16.220",
            FEEDBACK,
            "Permanent/General/5.1.1",
        ),
        (
            "bounce_transient",
            Event.BOUNCED_SOFT,
            "03:10:41.006",
            FEEDBACK,
            "Transient/MailboxFull/4.2.2",
        ),
        ("complaint", Event.COMPLAINED, "08:15:30.000", FEEDBACK, "abuse"),
        (
            "delay",
            Event.DELAYED,
            "02:30:00.095",
            "2026-03-06T02:30:00.095000Z",
            "TransientCommunicationFailure",
        ),
    ],
)
def test_each_event_becomes_its_evidence(
    name: str, event: Event, at: str, identity: str, detail: str
) -> None:
    """An event in SNS's envelope gives contact, attempt, evidence, time, identity and code."""
    assert parsed(name) == ProviderEvent(
        contact_id=CONTACT,
        attempt=1,
        event=event,
        at=datetime.fromisoformat(f"2026-03-06T{at}+00:00"),
        key=f"ses#{MESSAGE}#{event}#{identity}",
        detail=detail,
    )
    assert parsed(name).at.tzinfo is UTC


@pytest.mark.parametrize("name", NAMES)
def test_raw_delivery_means_the_same(name: str) -> None:
    """The event is the same with and without the envelope."""
    assert ses_events.parse(json.dumps(payload(name))) == parsed(name)


@pytest.mark.parametrize("event_type", ["Reject", "Rendering Failure"])
def test_what_ses_did_not_send_after_all_has_failed(event_type: str) -> None:
    """A virus or a failed rendering is a technical failure at the mail's own time."""
    event = ses_events.parse(
        json.dumps(
            {
                "eventType": event_type,
                "mail": payload("send")["mail"],
                "reject": {"reason": "Bad content"},
                "failure": {"errorMessage": "for borrower@example.com", "templateName": "t"},
            }
        )
    )

    assert event is not None
    assert (event.event, event.detail) == (Event.FAILED, event_type)
    assert event.at == parsed("send").at


@pytest.mark.parametrize(
    ("kind", "status", "diagnostic", "expected"),
    [
        ("Transient", "5.4.4", None, Event.BOUNCED_HARD),
        ("Transient", None, "smtp; 550 5.4.4 Invalid domain", Event.BOUNCED_HARD),
        ("Transient", "4.4.7", "smtp; 550 4.4.7 Message expired", Event.BOUNCED_SOFT),
        ("Transient", "5.4.47", "smtp; 550 15.4.4 something else", Event.BOUNCED_SOFT),
        ("Transient", None, None, Event.BOUNCED_SOFT),
        ("Undetermined", None, None, Event.BOUNCED_SOFT),
        ("Undetermined", "5.4.4", None, Event.BOUNCED_SOFT),
        ("Permanent", None, None, Event.BOUNCED_HARD),
    ],
)
def test_a_bounce_is_hard_when_the_address_is_bad(
    kind: str, status: str | None, diagnostic: str | None, expected: Event
) -> None:
    """Permanent is hard, and so is transient for want of a route (5.4.4); all others are soft."""
    event = payload("bounce_transient")
    recipient = {"emailAddress": "borrower@example.com"}
    recipient |= {"status": status} if status else {}
    recipient |= {"diagnosticCode": diagnostic} if diagnostic else {}
    event["bounce"] |= {"bounceType": kind, "bouncedRecipients": [recipient]}

    result = ses_events.parse(json.dumps(event))

    assert result is not None
    assert result.event is expected


def test_a_complaint_of_a_listed_address_is_no_delivery() -> None:
    """SES sends nothing to who complained before, and reports a complaint: nobody has got that mail."""
    event = payload("complaint")
    event["complaint"] |= {"complaintSubType": "OnAccountSuppressionList"}

    result = ses_events.parse(json.dumps(event))

    assert result is not None
    assert result.event is Event.BOUNCED_HARD
    assert result.detail == "Complaint/OnAccountSuppressionList"
    assert bounce_class(result.detail) == "hard"


REPORTS = EVENTS / "reports"


def report(name: str) -> str:
    return (REPORTS / f"ses_{name}.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "event", "detail", "what"),
    [
        ("no_email", Event.BOUNCED_HARD, "Permanent/NoEmail/5.1.1", "hard"),
        ("suppressed", Event.BOUNCED_HARD, "Permanent/OnAccountSuppressionList", "hard"),
        ("unroutable", Event.BOUNCED_HARD, "Transient/General/5.4.4", "hard"),
        ("expired", Event.BOUNCED_SOFT, "Transient/General/4.4.7", "soft_count"),
        ("timeout", Event.BOUNCED_SOFT, "Transient/CustomTimeoutExceeded", "soft_count"),
        ("mailbox_full", Event.BOUNCED_SOFT, "Transient/MailboxFull/4.2.2", "soft_count"),
        ("undetermined", Event.BOUNCED_SOFT, "Undetermined/Undetermined", "soft_count"),
        ("too_large", Event.BOUNCED_SOFT, "Transient/MessageTooLarge/5.3.4", "soft_ignore"),
        ("content", Event.BOUNCED_SOFT, "Transient/ContentRejected/5.6.0", "soft_ignore"),
        ("policy", Event.BOUNCED_SOFT, "Transient/General/5.7.1", "soft_ignore"),
    ],
)
def test_a_bounce_keeps_the_codes_by_which_it_is_judged(
    name: str, event: Event, detail: str, what: str
) -> None:
    """State and class follow from type, subtype and status; no word of the server is kept."""
    parsed = ses_events.parse(report(f"bounce_{name}"))

    assert parsed is not None
    assert (parsed.event, parsed.detail) == (event, detail)
    assert bounce_class(parsed.detail) == what
    assert "example" not in repr(parsed)


def test_every_sample_of_a_bounce_is_judged() -> None:
    """No sample lies there unread."""
    names = {path.stem.removeprefix("ses_bounce_") for path in REPORTS.glob("ses_bounce_*.json")}
    assert len(names) == 10
    assert all(ses_events.parse(report(f"bounce_{name}")) for name in names)


def test_who_unsubscribes_at_ses_has_got_the_mail_and_opted_out() -> None:
    """SES's own way to unsubscribe proves delivery, and says that the person opted out."""
    parsed = ses_events.parse(report("subscription"))

    assert parsed is not None
    assert (parsed.event, parsed.detail) == (Event.DELIVERED, "opted_out")
    assert is_opt_out(parsed.detail)
    assert parsed.key.endswith("#delivered#opted_out#2026-03-06T03:00:17.910000Z")


@pytest.mark.parametrize(
    ("preferences", "opted_out"),
    [
        ({"unsubscribeAll": True, "topicSubscriptionStatus": []}, True),
        ({"topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptOut"}]}, True),
        ({"topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptIn"}]}, False),
        ({}, False),
    ],
)
def test_a_wish_to_get_mails_changes_nothing(preferences: dict[str, Any], opted_out: bool) -> None:
    """Only a refusal is reported; consent is not taken from a provider's list."""
    event = json.loads(json.loads(report("subscription"))["Message"])
    event["subscription"]["newTopicPreferences"] = preferences

    assert (ses_events.parse(json.dumps(event)) is not None) is opted_out


@pytest.mark.parametrize("event_type", ["Open", "Click"])
def test_engagement_is_not_our_business(event_type: str) -> None:
    """Events about reading change nothing."""
    event = {"eventType": event_type, "mail": payload("send")["mail"]}

    assert ses_events.parse(json.dumps(event)) is None


@pytest.mark.parametrize("missing", ["contact_id", "attempt", None])
def test_a_mail_without_our_ids_is_not_ours(missing: str | None) -> None:
    """Mail that somebody else sent through the same set, or without one, is passed over."""
    event = payload("delivery")
    if missing:
        del event["mail"]["tags"][missing]
    else:
        del event["mail"]["tags"]

    assert ses_events.parse(json.dumps(event)) is None


def test_the_greeting_of_a_new_topic_is_passed_over() -> None:
    """SES's one sentence to a new topic is not JSON and not an error."""
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."

    assert ses_events.parse(json.dumps({"Type": "Notification", "Message": greeting})) is None


def test_fields_that_ses_adds_do_not_stop_feedback() -> None:
    """Unknown fields at every level of a provider's payload are ignored."""
    event = payload("bounce_permanent")
    for part in (event, event["mail"], event["bounce"], event["bounce"]["bouncedRecipients"][0]):
        part["newField"] = {"nested": True}

    assert ses_events.parse(json.dumps(event)) == parsed("bounce_permanent")


def broken() -> list[tuple[str, str]]:
    cases = [("not json", "borrower@example.com"), ("not an object", '["borrower@example.com"]')]
    for change in (
        {"eventType": "Levitation"},
        {"eventType": None},
        {"bounce": None},
        {"bounce": payload("bounce_permanent")["bounce"] | {"bounceType": "Elastic"}},
        {"bounce": payload("bounce_permanent")["bounce"] | {"timestamp": "yesterday"}},
        {"bounce": payload("bounce_permanent")["bounce"] | {"timestamp": "2026-03-06T02:00:16"}},
        {"mail": None},
    ):
        cases.append((str(list(change)), json.dumps(payload("bounce_permanent") | change)))
    attempt = copy.deepcopy(payload("send"))
    attempt["mail"]["tags"]["attempt"] = ["first"]
    cases.append(("attempt", json.dumps(attempt)))
    cases.append(("envelope", json.dumps({"Type": "Notification", "Message": "hello"})))
    return cases


@pytest.mark.parametrize("text", [text for _, text in broken()], ids=[name for name, _ in broken()])
def test_what_nobody_understands_is_rejected_without_repeating_it(text: str) -> None:
    """An event we cannot read goes to the dead letters, and its error holds no address."""
    with pytest.raises(Rejected) as caught:
        ses_events.parse(text)

    assert caught.value.code == "bad_event"
    assert "example" not in str(caught.value) + caught.value.field


def test_the_same_event_twice_has_one_key_and_two_events_have_two() -> None:
    """The key recognises a repetition, and tells apart all events of one mail."""
    events = [parsed(name) for name in NAMES]
    later = payload("delay")
    later["deliveryDelay"]["timestamp"] = "2026-03-06T03:30:00.095Z"
    again = ses_events.parse(json.dumps(later))

    assert again is not None
    assert len({event.key for event in [*events, again]}) == len(events) + 1
    assert [parsed(name).key for name in NAMES] == [event.key for event in events]


def test_any_order_of_events_ends_in_the_same_state() -> None:
    """Late, early and repeated events of one mail leave the same contact behind."""
    events = [parsed(name).event for name in ("send", "delay", "delivery", "bounce_permanent")]
    ends = set()
    for order in permutations([*events, events[0]]):
        state = State.SENDING
        for event in order:
            state = moved(state, event, "email")
        ends.add(state)

    assert ends == {State.UNDELIVERED_HARD}


@pytest.mark.parametrize("name", NAMES)
def test_an_event_comes_after_its_mail(name: str) -> None:
    """The examples are possible days: nothing is reported before the mail left."""
    assert parsed(name).at - parsed("send").at >= timedelta(0)
