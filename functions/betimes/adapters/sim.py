"""The simulated provider: every outcome of a message can be rehearsed, and nothing ever reaches a person.

The recipient chooses what happens (docs/simulator.md): the local part of an e-mail address, the last
two digits of a number that Ofcom keeps free for drama, the name of a push address. Everything else is
delivered. What a real provider would report is handed to `publish`, with our ids and in a form of its
own that `wire.sim_events` reads; the same letter gives the same answer, the same id and the same
reports, apart from their instants.

Source: Ofcom, "Telephone numbers for use in TV and radio drama programmes" (mobile: 07700 900000 to
900999); the idea of magic recipients after the mailbox simulator of Amazon SES.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from betimes.core import bounces, zones
from betimes.core.contact import Event
from betimes.core.errors import Unavailable
from betimes.ports import Accepted, Answer, Clock, Letter, Refused, Unknown

PROVIDER: Final = "sim"
CHANNELS: Final = ("email", "sms", "push")
# SQS holds a message back for up to 900 seconds.
SLOW_S: Final = 900
_SOON_S: Final = 1
_LATE_S: Final = 30
RETRY_AFTER_S: Final = 5


class Scene(StrEnum):
    """What happens to a message; the value is the magic recipient."""

    DELIVERED = "delivered"
    SOFT = "soft"
    HARD = "hard"
    COMPLAINT = "complaint"
    OPTOUT = "optout"
    SLOW = "slow"
    TIMEOUT_ACCEPTED = "timeout-accepted"
    TIMEOUT_LOST = "timeout-lost"
    THROTTLE = "throttle"
    REFUSED = "refused"


# +44 7700 900 and three digits; the last two choose, the third from the end only tells numbers apart.
_DRAMA: Final = re.compile(r"\+447700900[0-9]([0-9]{2})", re.ASCII)
NUMBERS: Final[Mapping[str, Scene]] = {
    f"{number:02}": scene for number, scene in enumerate(Scene, start=1)
}
_NAMES: Final[Mapping[str, Scene]] = {scene.value: scene for scene in Scene}
_PUSH: Final = re.compile(r"sim:([a-z-]+)(\+.*)?", re.ASCII)

# What a provider of the channel says of it, in the words that `core.bounces` reads.
_SOFT: Final = {
    "email": bounces.detail_of("Transient", "MailboxFull", "4.2.2"),
    "sms": "TEXT_UNREACHABLE",
}
_HARD: Final = {
    "email": bounces.detail_of("Permanent", "General", "5.1.1"),
    "sms": "TEXT_INVALID",
}


@dataclass(frozen=True, slots=True)
class _Report:
    """One report: `after_s` seconds after the answer."""

    event: Event
    after_s: int = _SOON_S
    detail: str = ""


Publish = Callable[[str, int], None]


class Sim:
    """A sender of any channel (`ports.Sender`) that sends nothing."""

    def __init__(self, channel: str, publish: Publish, clock: Clock) -> None:
        """Play a provider of `channel`; reports go to `publish(body, delay_s)`, which must come back at once.

        `delay_s` is how long the report is to be held back, 0 to 900; where nothing can be held back it may be ignored,
        since each report carries its own instant. `publish` may raise `Unavailable`.

        Raises:
            ValueError: it does not play that channel.
        """
        if channel not in CHANNELS:
            raise ValueError(f"the simulator plays {', '.join(CHANNELS)}")
        self._channel = channel
        self._publish = publish
        self._clock = clock

    def send(self, letter: Letter) -> Answer:
        """Return the answer that the recipient stands for, and publish what would be reported; see `ports.Sender`.

        Where a report cannot be published the answer is Unknown "report_lost": somebody would wait for it in vain.
        """
        scene = scene_of(self._channel, letter.address)
        try:
            for place, report in enumerate(_reports(scene, self._channel, letter.attempt)):
                self._publish(self._body(letter, report, place), report.after_s)
        except Unavailable:
            return Unknown("report_lost")
        return _answer(scene, self._channel, letter)

    def _body(self, letter: Letter, report: _Report, place: int) -> str:
        at = self._clock.now() + timedelta(seconds=report.after_s)
        return json.dumps(
            {
                "provider": PROVIDER,
                "schema_version": 1,
                "message_id": provider_id(letter),
                "report": place,
                "contact_id": letter.contact_id,
                "attempt": letter.attempt,
                "event": report.event.value,
                "at": zones.to_text(at),
                "detail": report.detail,
            }
        )


def provider_id(letter: Letter) -> str:
    """Return the simulator's id for one attempt of a contact, the same each time."""
    return f"{PROVIDER}-{letter.contact_id}-{letter.attempt}"


def scene_of(channel: str, address: str) -> Scene:
    """Return what happens to a message for this address: DELIVERED for all that is not in the table.

    Of an e-mail address the part before "@" counts, up to a "+", in lower case.
    """
    if channel == "sms":
        number = _DRAMA.fullmatch(address)
        return NUMBERS.get(number[1], Scene.DELIVERED) if number else Scene.DELIVERED
    if channel == "push":
        named = _PUSH.fullmatch(address)
        name = named[1] if named else ""
    else:
        name = address.rpartition("@")[0].partition("+")[0].lower()
    return _NAMES.get(name, Scene.DELIVERED)


def _answer(scene: Scene, channel: str, letter: Letter) -> Answer:
    match scene:
        case Scene.TIMEOUT_ACCEPTED | Scene.TIMEOUT_LOST:
            return Unknown("ReadTimeoutError")
        case Scene.THROTTLE if letter.attempt == 1:
            return Refused(
                "Throttling", may_retry=True, throttled=True, retry_after_s=RETRY_AFTER_S
            )
        case Scene.REFUSED:
            return Refused("MessageRejected", may_retry=False)
        case Scene.OPTOUT if channel == "sms":
            return Refused(bounces.OPTED_OUT, may_retry=False)
        case Scene.HARD | Scene.OPTOUT if channel == "push":
            return Refused(bounces.ENDPOINT_DISABLED, may_retry=False)
        case _:
            return Accepted(provider_id(letter))


def _reports(scene: Scene, channel: str, attempt: int) -> tuple[_Report, ...]:
    """Return what is reported of an attempt, in order; nothing of what was surely not taken."""
    accepted = _Report(Event.ACCEPTED, 0)
    delivered = (accepted, _Report(Event.DELIVERED))
    match scene:
        case Scene.SOFT if channel == "push":
            # A phone that is off: taken, and never heard of again.
            return (accepted,)
        case Scene.SOFT:
            return (accepted, _Report(Event.BOUNCED_SOFT, detail=_SOFT[channel]))
        case Scene.HARD | Scene.OPTOUT if channel == "push":
            return ()
        case Scene.HARD:
            return (accepted, _Report(Event.BOUNCED_HARD, detail=_HARD[channel]))
        case Scene.OPTOUT if channel == "sms":
            return ()
        case Scene.OPTOUT:
            return (*delivered, _Report(Event.DELIVERED, _LATE_S, bounces.OPTED_OUT))
        case Scene.COMPLAINT if channel == "email":
            return (*delivered, _Report(Event.COMPLAINED, _LATE_S, "abuse"))
        case Scene.SLOW:
            return (accepted, _Report(Event.DELAYED), _Report(Event.DELIVERED, SLOW_S))
        case Scene.TIMEOUT_ACCEPTED:
            return (_Report(Event.ACCEPTED, _LATE_S), _Report(Event.DELIVERED, _LATE_S))
        case Scene.TIMEOUT_LOST | Scene.REFUSED:
            return ()
        case Scene.THROTTLE if attempt == 1:
            return ()
        case _:
            return delivered
