"""The event simulator: what SES would report about each mail, published to the feedback topic.

ministack sends no bounce, complaint or delivery events. The recipient chooses what happens, by the
table of the simulated provider (docs/simulator.md): `hard+b7@sim.example` bounces. Here SES has taken
every mail, so a recipient that stands for an answer of the provider (throttle, timeout) is delivered
to, and `refused` is rejected afterwards. Three more names are of events alone: `doubled`, `reordered`
and `silent`. Any other address is delivered to.

Source: Amazon SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from betimes.adapters.sim import SLOW_S, Scene, scene_of
from betimes.local.emulator import Emulator
from betimes.local.mailbox import EMAIL, Delivered

Event = dict[str, Any]

# SNS takes at most ten messages in a batch.
_BATCH: Final = 10
_SUBJECT: Final = "Amazon SES Email Event Notification"
_REPORTING_HOST: Final = "a8-31.smtp-out.example"
_DELAY_LASTS: Final = timedelta(hours=12)


def publish(
    emulator: Emulator,
    topic_arn: str,
    mails: Iterable[Delivered],
    *,
    sent_at: datetime,
    heard_at: datetime,
) -> int:
    """Publish the events of each mail in order and return how many; messages of other channels have none.

    `sent_at` is when SES took the mails, `heard_at` when the receivers' servers answered (UTC,
    aware): the same arguments give the same bytes.
    """
    topic = emulator.client("sns")
    texts = [
        json.dumps(event, ensure_ascii=False)
        for mail in mails
        if mail.channel == EMAIL
        for event in events_of(mail, sent_at=sent_at, heard_at=heard_at, account=emulator.account)
    ]
    for start in range(0, len(texts), _BATCH):
        answer = topic.publish_batch(
            TopicArn=topic_arn,
            PublishBatchRequestEntries=[
                {"Id": str(place), "Message": text, "Subject": _SUBJECT}
                for place, text in enumerate(texts[start : start + _BATCH])
            ],
        )
        assert not answer.get("Failed"), f"the topic refused {len(answer['Failed'])} events"
    return len(texts)


def events_of(
    mail: Delivered, *, sent_at: datetime, heard_at: datetime, account: str
) -> list[Event]:
    """Return the events of one mail as SES writes them, in the order in which they are published."""
    name = mail.to.partition("@")[0].partition("+")[0].lower()
    scene = _EVENTS_ALONE.get(name) or _SCENES.get(scene_of(EMAIL, mail.to), _delivery)
    return list(scene(_Facts(mail, sent_at, heard_at, account)))


class _Facts:
    """One mail's events, each made from the same facts."""

    def __init__(
        self, mail: Delivered, sent_at: datetime, heard_at: datetime, account: str
    ) -> None:
        self._mail = mail
        self._sent_at = sent_at
        self._heard_at = heard_at
        self._account = account

    def send(self) -> Event:
        return self._event("Send", "send", {})

    def delivery(self, after: timedelta = timedelta()) -> Event:
        taken_at = self._heard_at + after
        facts = {
            "timestamp": _text(taken_at),
            "processingTimeMillis": (taken_at - self._sent_at) // timedelta(milliseconds=1),
            "recipients": [self._mail.to],
            "smtpResponse": "250 2.0.0 OK queued",
            "reportingMTA": _REPORTING_HOST,
        }
        return self._event("Delivery", "delivery", facts)

    def bounce(self, kind: str, subtype: str, status: str, diagnostic: str) -> Event:
        recipient = {
            "emailAddress": self._mail.to,
            "action": "failed",
            "status": status,
            "diagnosticCode": diagnostic,
        }
        facts = {
            "feedbackId": self._feedback_id("bounce"),
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [recipient],
            "timestamp": _text(self._heard_at),
            "reportingMTA": f"dns; {_REPORTING_HOST}",
        }
        return self._event("Bounce", "bounce", facts)

    def complaint(self) -> Event:
        facts = {
            "feedbackId": self._feedback_id("complaint"),
            "complaintSubType": None,
            "complainedRecipients": [{"emailAddress": self._mail.to}],
            "timestamp": _text(self._heard_at),
            "userAgent": "ExampleMail feedback loop/1.0",
            "complaintFeedbackType": "abuse",
            "arrivalDate": _text(self._heard_at),
        }
        return self._event("Complaint", "complaint", facts)

    def delay(self) -> Event:
        recipient = {
            "emailAddress": self._mail.to,
            "status": "4.4.1",
            "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
        }
        facts = {
            "timestamp": _text(self._heard_at),
            "delayType": "TransientCommunicationFailure",
            "expirationTime": _text(self._heard_at + _DELAY_LASTS),
            "delayedRecipients": [recipient],
        }
        return self._event("DeliveryDelay", "deliveryDelay", facts)

    def reject(self) -> Event:
        return self._event("Reject", "reject", {"reason": "Bad content"})

    def _feedback_id(self, kind: str) -> str:
        return f"{self._mail.provider_id.partition('@')[0]}-{kind}"

    def _event(self, name: str, key: str, facts: Mapping[str, Any]) -> Event:
        return {"eventType": name, "mail": self._mail_object(), key: dict(facts)}

    def _mail_object(self) -> Event:
        mail = self._mail
        tags = {name: [value] for name, value in mail.tags.items()}
        return {
            "timestamp": _text(self._sent_at),
            "source": mail.source,
            "sourceArn": f"arn:aws:ses:us-east-1:{self._account}:identity/{_domain(mail.source)}",
            "sendingAccountId": self._account,
            "messageId": mail.provider_id,
            "destination": [mail.to],
            "headersTruncated": False,
            "headers": [{"name": name, "value": value} for name, value in mail.headers],
            "commonHeaders": {
                "from": [mail.source],
                "to": [mail.to],
                "messageId": mail.provider_id,
                "subject": mail.subject,
            },
            # Our tags come back only for mail sent with a configuration set, as at SES.
            "tags": {
                "ses:operation": ["SendEmail"],
                "ses:configuration-set": [mail.configuration_set],
                "ses:from-domain": [_domain(mail.source)],
                **tags,
            }
            if mail.configuration_set
            else {},
        }


def _delivery(facts: _Facts) -> Iterator[Event]:
    yield facts.send()
    yield facts.delivery()


def _bounce_hard(facts: _Facts) -> Iterator[Event]:
    yield facts.send()
    yield facts.bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown")


def _bounce_soft(facts: _Facts) -> Iterator[Event]:
    yield facts.send()
    yield facts.bounce("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full")


def _complaint(facts: _Facts) -> Iterator[Event]:
    yield from _delivery(facts)
    yield facts.complaint()


def _slow(facts: _Facts) -> Iterator[Event]:
    yield facts.send()
    yield facts.delay()
    yield facts.delivery(timedelta(seconds=SLOW_S))


def _rejected(facts: _Facts) -> Iterator[Event]:
    yield facts.send()
    yield facts.reject()


def _doubled(facts: _Facts) -> Iterator[Event]:
    for event in _delivery(facts):
        yield event
        yield event


def _reordered(facts: _Facts) -> Iterator[Event]:
    yield from reversed(list(_complaint(facts)))


def _silent(_facts: _Facts) -> Iterator[Event]:
    yield from ()


_SCENES: Final[Mapping[Scene, Callable[[_Facts], Iterator[Event]]]] = {
    Scene.HARD: _bounce_hard,
    Scene.SOFT: _bounce_soft,
    Scene.COMPLAINT: _complaint,
    Scene.SLOW: _slow,
    Scene.REFUSED: _rejected,
}
# What happens to the events, not to the mail: for tests of whoever hears them.
_EVENTS_ALONE: Final[Mapping[str, Callable[[_Facts], Iterator[Event]]]] = {
    "doubled": _doubled,
    "reordered": _reordered,
    "silent": _silent,
}


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _text(at: datetime) -> str:
    """Return an instant as SES writes it: UTC, with milliseconds."""
    assert at.tzinfo is not None, "an instant carries its zone"
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
