"""What AWS End User Messaging tells us about an SMS: events of the configuration set, through SNS and a queue.

The models name only what we use and ignore all else in a provider's payload, as `wire.ses_events`
do. The event's own ids are in `context`, which comes back as it was sent.

A carrier may report a failure first and go on trying: a failure that is not final counts as progress
(`core.contact`: for an SMS a delivery outranks a failure in any case). TEXT_UNKNOWN, which the
service makes up itself after 72 hours of silence, is no receipt and says nothing: our own timer
does.

Source: AWS End User Messaging SMS user guide, "Event types for SMS, MMS, and voice" and "Example
event data".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from betimes import config
from betimes.core import zones
from betimes.core.contact import Event
from betimes.core.errors import Rejected
from betimes.core.feedback import Cost, ProviderEvent
from betimes.wire.envelopes import attempt_of, bad_event, json_object, message_of

_PROVIDER: Final = "eum"
# What the service charges in.
_CURRENCY: Final = "USD"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# 2200-01-01 in milliseconds: a year beyond is none of ours.
_LATEST_MS: Final = 7_258_118_400_000

# What each type says whether it is final or not, and what it says once it is final.
_ANY: Final = {
    "TEXT_QUEUED": Event.ACCEPTED,
    "TEXT_SENT": Event.ACCEPTED,
    "TEXT_PENDING": Event.DELAYED,
    "TEXT_DELIVERED": Event.DELIVERED,
    "TEXT_INVALID_MESSAGE": Event.FAILED,
    "TEXT_TTL_EXPIRED": Event.BOUNCED_SOFT,
}
_FINAL: Final = {
    # The carrier took it. Whether it says this or TEXT_DELIVERED in the end depends on the country.
    "TEXT_SUCCESSFUL": Event.DELIVERED,
    "TEXT_UNREACHABLE": Event.BOUNCED_SOFT,
    "TEXT_CARRIER_UNREACHABLE": Event.BOUNCED_SOFT,
    "TEXT_INVALID": Event.BOUNCED_HARD,
    "TEXT_BLOCKED": Event.BOUNCED_HARD,
    "TEXT_CARRIER_BLOCKED": Event.BOUNCED_HARD,
    "TEXT_SPAM": Event.BOUNCED_HARD,
    "TEXT_PROTECT_BLOCKED": Event.BOUNCED_HARD,
}
_SILENT: Final = frozenset({"TEXT_UNKNOWN"})
TYPES: Final = frozenset({*_ANY, *_FINAL, *_SILENT})


class TextEvent(BaseModel):
    """One report about one SMS."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, hide_input_in_errors=True
    )

    event_type: str
    event_timestamp: int = Field(ge=0, le=_LATEST_MS)
    message_id: str = Field(min_length=1, max_length=256)
    is_final: bool = False
    context: dict[str, str] = {}
    total_message_price: Decimal = Field(default=Decimal(0), ge=0, le=1_000_000)
    total_carrier_fee: Decimal = Field(default=Decimal(0), ge=0, le=1_000_000)

    @property
    def price_micros(self) -> int:
        """What the message cost with the carrier's fee, in millionths of a US dollar, rounded up."""
        paid = (self.total_message_price + self.total_carrier_fee) * 1_000_000
        return int(paid.to_integral_value("ROUND_CEILING"))

    def to_core(self) -> ProviderEvent | None:
        """Return the core event, or None where nothing is said: no ids of ours, or TEXT_UNKNOWN.

        Raises:
            Rejected: code "bad_event", the type is not known, or the attempt is not a number.
        """
        contact_id = self.context.get(config.TAG_CONTACT, "")
        attempt = self.context.get(config.TAG_ATTEMPT, "")
        if not contact_id or not attempt:
            return None
        number = attempt_of(attempt, f"context.{config.TAG_ATTEMPT}")
        if self.event_type not in TYPES:
            raise Rejected("bad_event", "eventType", "eventType: unknown")
        event = self._event()
        if event is None:
            return None
        at = _EPOCH + timedelta(milliseconds=self.event_timestamp)
        final = "final" if self.is_final else ""
        key = "#".join((_PROVIDER, self.message_id, self.event_type, final, zones.to_text(at)))
        micro = self.price_micros
        cost = Cost(micro, _CURRENCY) if micro else None
        return ProviderEvent(contact_id, number, event, at, key, self.event_type, cost)

    def _event(self) -> Event | None:
        if self.event_type in _SILENT:
            return None
        if self.event_type in _FINAL and not self.is_final:
            return Event.DELAYED
        return _ANY.get(self.event_type) or _FINAL[self.event_type]


def read(body: str) -> TextEvent | None:
    """Return the event in one queue message, in SNS's envelope or bare, or None for one whose context holds no ids of
    ours, whatever else is in it.

    Raises:
        Rejected: code "bad_event", it is not JSON or not an event of this service; `field` is the place, and the
            message repeats nothing of the payload.
    """
    fields = json_object(body)
    inside = message_of(fields)
    if "eventType" not in fields and inside is not None:
        fields = json_object(inside)
    if "eventType" not in fields:
        raise Rejected("bad_event", "eventType", "eventType: missing")
    if not _is_ours(fields.get("context")):
        return None
    try:
        return TextEvent.model_validate(fields)
    except ValidationError as error:
        raise bad_event(error) from None


def parse(body: str) -> ProviderEvent | None:
    """Return what one queue message says about a contact, or None for one that says nothing about any of ours.

    Raises:
        Rejected: code "bad_event", see `read`.
    """
    event = read(body)
    return event.to_core() if event is not None else None


def _is_ours(context: Any) -> bool:
    """Return whether both of our ids came back. Somebody else may send through the same set, also voice or media."""
    return isinstance(context, dict) and bool(
        context.get(config.TAG_CONTACT) and context.get(config.TAG_ATTEMPT)
    )
