"""What SES tells us about a mail: event notifications through an SNS topic and a queue.

The models name only what we use and ignore all else in a provider's payload: SES adds fields
without notice, and a new one must not stop feedback. Everything of our own stays strict. No error
repeats what was in the payload, since it holds addresses.

Source: Amazon SES developer guide, "Contents of event data that Amazon SES publishes to Amazon
SNS".
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from betimes import config
from betimes.core import zones
from betimes.core.contact import Event
from betimes.core.errors import Rejected
from betimes.core.feedback import ProviderEvent

_PROVIDER: Final = "ses"
# SES sends this sentence to the topic once, when the event destination is made.
_GREETING: Final = "Successfully validated SNS topic for Amazon SES event publishing"
# RFC 3463: 5.4.4 is "unable to route". SES calls it transient, but the domain does not take mail.
_UNROUTABLE: Final = re.compile(r"(?<![\d.])5\.4\.4(?![\d.])")


class _Payload(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


class Mail(_Payload):
    """The mail an event is about; `tags` are there only for mail sent with a configuration set."""

    timestamp: AwareDatetime
    message_id: str = Field(min_length=1)
    tags: dict[str, list[str]] = {}

    def tag(self, name: str) -> str:
        """Return the first value of a tag, "" if the mail does not carry it."""
        return next(iter(self.tags.get(name, ())), "")


class _SesEvent(_Payload):
    mail: Mail

    def _event(
        self, event: Event, at: datetime, *, identity: str = "", detail: str = ""
    ) -> ProviderEvent | None:
        """Return the core event, or None for a mail that does not carry our tags.

        `identity` tells events of the same type about the same mail apart; the instant does where
        there is none.

        Raises:
            Rejected: code "bad_event", when the tag of the attempt is not a number.
        """
        contact_id = self.mail.tag(config.TAG_CONTACT)
        attempt = self.mail.tag(config.TAG_ATTEMPT)
        if not contact_id or not attempt:
            return None
        if not (attempt.isascii() and attempt.isdecimal()):
            raise Rejected("bad_event", "mail.tags", f"tag {config.TAG_ATTEMPT} is not a number")
        instant = zones.to_text(at)
        key = "#".join((_PROVIDER, self.mail.message_id, event.value, identity or instant))
        return ProviderEvent(contact_id, int(attempt), event, zones.from_text(instant), key, detail)


class Send(_SesEvent):
    """SES accepted the mail and will try to deliver it."""

    event_type: Literal["Send"]

    def to_core(self) -> ProviderEvent | None:
        """Return the event as evidence of acceptance."""
        return self._event(Event.ACCEPTED, self.mail.timestamp)


class DeliveryFacts(_Payload):
    """When the receiver's server took the mail."""

    timestamp: AwareDatetime


class Delivery(_SesEvent):
    """The receiver's server took the mail."""

    event_type: Literal["Delivery"]
    delivery: DeliveryFacts

    def to_core(self) -> ProviderEvent | None:
        """Return the event as evidence of delivery."""
        return self._event(Event.DELIVERED, self.delivery.timestamp)


class BouncedRecipient(_Payload):
    """What the receiver's server said; both parts may be missing."""

    status: str | None = None
    diagnostic_code: str | None = None


class BounceFacts(_Payload):
    """Kind, time and identity of a bounce."""

    bounce_type: Literal["Permanent", "Transient", "Undetermined"]
    bounce_sub_type: str = ""
    bounced_recipients: tuple[BouncedRecipient, ...] = ()
    timestamp: AwareDatetime
    feedback_id: str = ""

    @property
    def is_hard(self) -> bool:
        """Whether the address is bad: permanent, or transient for want of a route."""
        if self.bounce_type == "Permanent":
            return True
        said = (f"{r.status} {r.diagnostic_code}" for r in self.bounced_recipients)
        return self.bounce_type == "Transient" and any(_UNROUTABLE.search(s) for s in said)


class Bounce(_SesEvent):
    """The mail came back, at once or late."""

    event_type: Literal["Bounce"]
    bounce: BounceFacts

    def to_core(self) -> ProviderEvent | None:
        """Return the event as a hard or a soft bounce; the detail is `type/subtype`."""
        facts = self.bounce
        return self._event(
            Event.BOUNCED_HARD if facts.is_hard else Event.BOUNCED_SOFT,
            facts.timestamp,
            identity=facts.feedback_id,
            detail=f"{facts.bounce_type}/{facts.bounce_sub_type}",
        )


class ComplaintFacts(_Payload):
    """Kind, time and identity of a complaint."""

    timestamp: AwareDatetime
    feedback_id: str = ""
    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None


class Complaint(_SesEvent):
    """The borrower marked the mail as unwanted, or is on a list for having done so."""

    event_type: Literal["Complaint"]
    complaint: ComplaintFacts

    def to_core(self) -> ProviderEvent | None:
        """Return the event as a complaint; the detail is the subtype, else the receiver's kind."""
        facts = self.complaint
        return self._event(
            Event.COMPLAINED,
            facts.timestamp,
            identity=facts.feedback_id,
            detail=facts.complaint_sub_type or facts.complaint_feedback_type or "",
        )


class Failure(_SesEvent):
    """SES accepted the mail and then did not send it: a virus, or a failed rendering."""

    event_type: Literal["Reject", "Rendering Failure"]

    def to_core(self) -> ProviderEvent | None:
        """Return the event as a failure at the mail's own time; the detail is its type."""
        return self._event(Event.FAILED, self.mail.timestamp, detail=self.event_type)


class DelayFacts(_Payload):
    """Kind and time of a delay."""

    timestamp: AwareDatetime
    delay_type: str = ""


class Delay(_SesEvent):
    """The receiver's server did not take the mail yet; SES goes on trying."""

    event_type: Literal["DeliveryDelay"]
    delivery_delay: DelayFacts

    def to_core(self) -> ProviderEvent | None:
        """Return the event as progress; the detail is the kind of delay."""
        facts = self.delivery_delay
        return self._event(Event.DELAYED, facts.timestamp, detail=facts.delay_type)


class Engagement(_Payload):
    """What the reader did with the mail: not our business, switched off, harmless if it comes."""

    event_type: Literal["Open", "Click", "Subscription"]

    def to_core(self) -> None:
        """Return None: there is nothing to fold into a contact."""


SesEvent = Annotated[
    Send | Delivery | Bounce | Complaint | Failure | Delay | Engagement,
    Field(discriminator="event_type"),
]
_EVENT: Final[TypeAdapter[Any]] = TypeAdapter(SesEvent)


def parse(body: str) -> ProviderEvent | None:
    """Return what one queue message says, or None for one that is not about a contact of ours.

    `body` is SNS's envelope, or the bare event where the subscription delivers raw messages.

    Raises:
        Rejected: code "bad_event", when it is not JSON or not an event we know; `field` is the
            place, and the message repeats nothing of the payload.
    """
    fields = _object(body)
    if "eventType" not in fields and isinstance(fields.get("Message"), str):
        if fields["Message"].startswith(_GREETING):
            return None
        fields = _object(fields["Message"])
    try:
        event: Send | Delivery | Bounce | Complaint | Failure | Delay | Engagement = (
            _EVENT.validate_python(fields)
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Rejected("bad_event", place, f"{place or 'event'}: {first['type']}") from None
    return event.to_core()


def _object(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError:
        raise Rejected("bad_event", "", "the message is not JSON") from None
    if not isinstance(fields, dict):
        raise Rejected("bad_event", "", "the message is not an object")
    return fields
