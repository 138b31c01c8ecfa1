"""SMS through AWS End User Messaging (`pinpoint-sms-voice-v2`): SendTextMessage, one number a call.

What `adapters.sms` cannot do: our ids come back with every event (`Context`), and the carrier drops
a message that has become useless (`TimeToLive`). Events come through the configuration set and are
read by `wire.end_user_messaging_events`.

Source: AWS End User Messaging SMS, API reference, SendTextMessage.
"""

from __future__ import annotations

import re
from typing import Any, Final

from betimes import config
from betimes.adapters import send_failures
from betimes.adapters.sms import E164
from betimes.core.bounces import BAD_ADDRESS
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown

# Limits of the service's model.
MIN_LIVES_S: Final = 5
MAX_LIVES_S: Final = 259_200
MAX_BODY: Final = 1_600
_MAX_PRICE: Final = re.compile(r"[0-9]{0,2}\.[0-9]{1,5}", re.ASCII)


class EndUserMessaging:
    """A sender of channel "sms" (`ports.Sender`)."""

    def __init__(
        self,
        client: Any,
        *,
        configuration_set: str,
        origination: str = "",
        protect_configuration: str = "",
        max_price: str = "",
    ) -> None:
        """Send through a `pinpoint-sms-voice-v2` client of the sender kind (one attempt a call).

        `configuration_set` is the one whose events come back as feedback. `origination` is a pool, a number or a
        sender of ours, "" where the service may choose. `protect_configuration` holds the country rules of the
        account, "" for its default. `max_price` is the most that one message may cost, in US dollars as text
        ("0.05"), "" for any.

        Raises:
            ValueError: there is no configuration set, or `max_price` is of another form.
        """
        if not configuration_set:
            raise ValueError("without a configuration set no event would ever come back")
        if max_price and not _MAX_PRICE.fullmatch(max_price):
            raise ValueError("the highest price is written with a point, such as 0.05")
        self._client = client
        settings = {
            "ConfigurationSetName": configuration_set,
            "OriginationIdentity": origination,
            "ProtectConfigurationId": protect_configuration,
            "MaxPrice": max_price,
        }
        self._settings = {name: value for name, value in settings.items() if value}

    def send(self, letter: Letter) -> Answer:
        """Make one request to the service and return its answer; see `ports.Sender`.

        Without any request it returns Refused "bad_address" for a number that is not E.164, and "too_long" for a text
        above 1,600 characters. A number that opted out gives Refused "opted_out"; no event will come for it.
        """
        if not E164.fullmatch(letter.address):
            return Refused(BAD_ADDRESS, may_retry=False)
        if len(letter.text.body) > MAX_BODY:
            return Refused("too_long", may_retry=False)
        request = self._request(letter)
        try:
            response = self._client.send_text_message(**request)
        except send_failures.FAILURES as failure:
            return send_failures.answer_to(failure, send_failures.END_USER_MESSAGING)
        provider_id = response.get("MessageId")
        return Accepted(provider_id) if provider_id else Unknown("no_message_id")

    def _request(self, letter: Letter) -> dict[str, Any]:
        lives = min(max(letter.lives_s, MIN_LIVES_S), MAX_LIVES_S)
        return {
            "DestinationPhoneNumber": letter.address,
            "MessageBody": letter.text.body,
            # The route with the highest reliability, and the right class for a bill.
            "MessageType": "TRANSACTIONAL",
            "Context": {
                config.TAG_CONTACT: letter.contact_id,
                config.TAG_ATTEMPT: str(letter.attempt),
                config.TAG_TENANT: letter.tenant,
            },
            # Where nobody said how long it lives, the service's own 72 hours hold.
            **({"TimeToLive": lives} if letter.lives_s else {}),
            **self._settings,
        }
