"""What SES tells us about a mail: event notifications through an SNS topic and a queue.

The models name only what we use and ignore all else in a provider's payload: SES adds fields
without notice, and a new one must not stop feedback. Everything of our own stays strict. No error
repeats what was in the payload, since it holds addresses.

Source: Amazon SES developer guide, "Contents of event data that Amazon SES publishes to Amazon
SNS".
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from betimes import config
from betimes.core import bounces, zones
from betimes.core.bounces import BounceClass
from betimes.core.contact import Event
from betimes.core.feedback import ProviderEvent
from betimes.wire.envelopes import attempt_of, bad_event, json_object, message_of

_PROVIDER: Final = "ses"
# SES sends this sentence to the topic once, when the event destination is made.
_GREETING: Final = "Successfully validated SNS topic for Amazon SES event publishing"
_COMPLAINT: Final = "Complaint"
_LISTED: Final = "OnAccountSuppressionList"


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
        number = attempt_of(attempt, f"mail.tags.{config.TAG_ATTEMPT}")
        instant = zones.to_text(at)
        key = "#".join((_PROVIDER, self.mail.message_id, event.value, identity or instant))
        return ProviderEvent(contact_id, number, event, zones.from_text(instant), key, detail)


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
    def detail(self) -> str:
        """What SES and the receiver's server said, in codes only: `Transient/MailboxFull/4.2.2`."""
        # One mail has one recipient.
        said = " ".join(
            f"{each.status or ''} {each.diagnostic_code or ''}" for each in self.bounced_recipients
        )
        return bounces.detail_of(self.bounce_type, self.bounce_sub_type, bounces.status_of(said))


class Bounce(_SesEvent):
    """The mail came back, at once or late."""

    event_type: Literal["Bounce"]
    bounce: BounceFacts

    def to_core(self) -> ProviderEvent | None:
        """Return the event as a hard or a soft bounce; the detail is `type/subtype/status` (`core.bounces`)."""
        facts = self.bounce
        hard = bounces.bounce_class(facts.detail) is BounceClass.HARD
        return self._event(
            Event.BOUNCED_HARD if hard else Event.BOUNCED_SOFT,
            facts.timestamp,
            identity=facts.feedback_id,
            detail=facts.detail,
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
        """Return the event as a complaint; the detail is the subtype, else the receiver's kind.

        For an address that SES has on its list for an earlier complaint it is a hard bounce: SES reports a complaint
        and has sent nothing, and a complaint would prove delivery.
        """
        facts = self.complaint
        if facts.complaint_sub_type == _LISTED:
            return self._event(
                Event.BOUNCED_HARD,
                facts.timestamp,
                identity=facts.feedback_id,
                detail=bounces.detail_of(_COMPLAINT, _LISTED),
            )
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


class Topic(_Payload):
    """One topic of a contact list and whether its mails are wanted."""

    subscription_status: str = ""


class Preferences(_Payload):
    """What a person wants of a contact list from now on."""

    unsubscribe_all: bool = False
    topic_subscription_status: tuple[Topic, ...] = ()

    @property
    def is_opt_out(self) -> bool:
        """Whether anything of it was refused."""
        return self.unsubscribe_all or any(
            topic.subscription_status == "OptOut" for topic in self.topic_subscription_status
        )


class SubscriptionFacts(_Payload):
    """When a person changed what they want, and to what."""

    timestamp: AwareDatetime
    new_topic_preferences: Preferences


class Subscription(_SesEvent):
    """The borrower used SES's own way to unsubscribe, where somebody has switched it on."""

    event_type: Literal["Subscription"]
    subscription: SubscriptionFacts

    def to_core(self) -> ProviderEvent | None:
        """Return the event as evidence of delivery with the detail "opted_out", or None for one who wants the mails.

        Only who has got a mail can act on it. That they opted out is to be recorded besides (`core.bounces`).
        """
        facts = self.subscription
        if not facts.new_topic_preferences.is_opt_out:
            return None
        return self._event(
            Event.DELIVERED,
            facts.timestamp,
            identity=f"{bounces.OPTED_OUT}#{zones.to_text(facts.timestamp)}",
            detail=bounces.OPTED_OUT,
        )


class Engagement(_Payload):
    """What the reader did with the mail: not our business, switched off, harmless if it comes."""

    event_type: Literal["Open", "Click"]

    def to_core(self) -> None:
        """Return None: there is nothing to fold into a contact."""


_Known = Send | Delivery | Bounce | Complaint | Failure | Delay | Subscription | Engagement
SesEvent = Annotated[_Known, Field(discriminator="event_type")]
_EVENT: Final[TypeAdapter[Any]] = TypeAdapter(SesEvent)


def parse(body: str) -> ProviderEvent | None:
    """Return what one queue message says, or None for one that is not about a contact of ours.

    `body` is SNS's envelope, or the bare event where the subscription delivers raw messages.

    Raises:
        Rejected: code "bad_event", when it is not JSON or not an event we know; `field` is the
            place, and the message repeats nothing of the payload.
    """
    fields = json_object(body)
    inside = message_of(fields)
    if "eventType" not in fields and inside is not None:
        if inside.startswith(_GREETING):
            return None
        fields = json_object(inside)
    try:
        event: _Known = _EVENT.validate_python(fields)
    except ValidationError as error:
        raise bad_event(error) from None
    return event.to_core()
