"""SMS through Amazon SNS: Publish to a phone number.

It is the baseline, since it needs no set-up. What it cannot do, `end_user_messaging` can:

- It carries no id of ours and reports nothing back to us, so an accepted SMS gets no receipt and an
  unknown one no evidence.
- It has no time to live: `Letter.lives_s` is not honoured, and a carrier may deliver up to 72 hours
  later, in quiet hours or after the money came.
- Of a number that opted out it keeps a list for the whole account. Where it says so in its answer,
  that is Refused "opted_out"; it may also accept the message and drop it.
- Behind the monthly spend limit it accepts messages and drops them; the limit is to be watched in
  its metrics.

Source: Amazon SNS developer guide, "Mobile text messaging (SMS)".
"""

from __future__ import annotations

import re
from typing import Any, Final

from betimes.adapters import send_failures
from betimes.core.bounces import BAD_ADDRESS
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown

# ITU-T E.164: at most 15 digits after the plus sign; the first is not 0. No country has fewer than
# 7 in all.
E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_ATTRIBUTES: Final = {
    # Transactional: the route with the highest reliability, and the right class for a bill.
    "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
}


class Sms:
    """The sender of channel "sms" (`ports.Sender`)."""

    def __init__(self, client: Any) -> None:
        """Send through an SNS `client` of the sender kind (one attempt a call)."""
        self._client = client

    def send(self, letter: Letter) -> Answer:
        """Make one request to SNS and return its answer; see `ports.Sender`.

        A number that is not E.164 gives Refused "bad_address", not to be tried again, without any
        request.
        """
        if not E164.fullmatch(letter.address):
            return Refused(BAD_ADDRESS, may_retry=False)
        try:
            response = self._client.publish(
                PhoneNumber=letter.address,
                Message=letter.text.body,
                MessageAttributes=_ATTRIBUTES,
            )
        except send_failures.FAILURES as failure:
            return send_failures.answer_to(failure, send_failures.SNS)
        provider_id = response.get("MessageId")
        return Accepted(provider_id) if provider_id else Unknown("no_message_id")
