"""What the simulated provider tells us: its own form, strict, since both ends are ours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from betimes.core import zones
from betimes.core.contact import EVIDENCE, Event
from betimes.core.feedback import ProviderEvent
from betimes.wire.envelopes import bad_event, json_object, message_of

PROVIDER: Final = "sim"


def _is_instant(text: str) -> str:
    zones.from_text(text)
    return text


def _is_evidence(event: Event) -> Event:
    if event not in EVIDENCE:
        raise ValueError("an act of ours is no report of a provider")
    return event


class SimEvent(BaseModel):
    """One report of the simulator, see `adapters.sim`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: Literal["sim"]
    schema_version: Literal[1]
    message_id: str = Field(min_length=1, max_length=256)
    report: int = Field(ge=0, le=9)
    contact_id: str = Field(min_length=1, max_length=64)
    attempt: int = Field(ge=1)
    event: Annotated[Event, AfterValidator(_is_evidence)]
    at: Annotated[str, AfterValidator(_is_instant)]
    detail: str = Field(default="", max_length=64)

    def to_core(self) -> ProviderEvent:
        """Return the core event; its key is that of the message and of the report's place among its reports."""
        at: datetime = zones.from_text(self.at)
        key = "#".join((PROVIDER, self.message_id, self.event.value, str(self.report)))
        return ProviderEvent(self.contact_id, self.attempt, self.event, at, key, self.detail)


def parse(body: str) -> ProviderEvent:
    """Return what one queue message of the simulator says; `body` is the event, bare or in SNS's envelope.

    Raises:
        Rejected: code "bad_event", it has another form; `field` is the place.
    """
    fields = json_object(body)
    inside = message_of(fields)
    if "provider" not in fields and inside is not None:
        fields = json_object(inside)
    try:
        return SimEvent.model_validate(fields).to_core()
    except ValidationError as error:
        raise bad_event(error) from None
