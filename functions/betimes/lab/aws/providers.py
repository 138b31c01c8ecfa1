"""The pretend SES, and the ways to a phone: what was sent is recorded, and nothing else happens.

A reply that is lost leaves its effect here, as with a real provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from betimes.core.values import dataclass
from betimes.lab.aws.errors import refusal
from betimes.lab.aws.service import Parameters, Service, operation


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that a provider took. `tags` are those that travel with it; an SMS through SNS has none.

    Address and body are left out of its repr.
    """

    id: str
    channel: str
    at: datetime
    tags: Mapping[str, str]
    address: str = field(repr=False)
    body: bytes = field(repr=False)


class Providers(Service):
    """What was sent, in order, and what the account says of itself."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.sent: list[Sent] = []
        # Codes that addresses are refused with.
        self.refusals: dict[str, str] = {}
        self.account: dict[str, Any] = {
            "SendingEnabled": True,
            "SendQuota": {"MaxSendRate": 14.0, "Max24HourSend": 50_000.0, "SentLast24Hours": 0.0},
        }
        self.spend_limits: list[dict[str, Any]] = []
        mail = {
            "send_email": operation(
                self._email,
                "FromEmailAddress Destination Content EmailTags ConfigurationSetName",
            ),
            "get_account": operation(lambda _: self.account, ""),
        }
        phones = {
            "send_text_message": operation(
                self._text_message,
                "DestinationPhoneNumber MessageBody MessageType Context ConfigurationSetName",
                "TimeToLive OriginationIdentity ProtectConfigurationId MaxPrice",
            ),
            "describe_spend_limits": operation(
                lambda _: {"SpendLimits": self.spend_limits}, "", "NextToken"
            ),
        }
        self.offered = {"sesv2": mail, "pinpoint-sms-voice-v2": phones}

    def kept(self) -> object:
        """See `Service.kept`."""
        return tuple(self.sent), dict(self.refusals)

    def restore(self, kept: Any) -> None:
        """See `Service.restore`."""
        sent, refusals = kept
        self.sent, self.refusals = list(sent), dict(refusals)

    def text(self, asked: Parameters) -> dict[str, Any]:
        """Take a Publish of SNS to a phone or to an endpoint."""
        phone = asked.get("PhoneNumber")
        channel = "sms" if phone else "push"
        address = phone or asked["TargetArn"]
        return self._take("publish", channel, address, {}, asked["Message"].encode())

    def _email(self, asked: Parameters) -> dict[str, Any]:
        (address,) = asked["Destination"]["ToAddresses"]
        tags = {tag["Name"]: tag["Value"] for tag in asked["EmailTags"]}
        data: bytes = asked["Content"]["Raw"]["Data"]
        return self._take("send_email", "email", address, tags, data)

    def _text_message(self, asked: Parameters) -> dict[str, Any]:
        address = asked["DestinationPhoneNumber"]
        body = asked["MessageBody"].encode()
        return self._take("send_text_message", "sms", address, dict(asked["Context"]), body)

    def _take(
        self, operation: str, channel: str, address: str, tags: Mapping[str, str], body: bytes
    ) -> dict[str, Any]:
        code = self.refusals.get(address)
        if code is not None:
            raise refusal(operation, code)
        identity = f"{channel}-{len(self.sent) + 1:08d}"
        self.sent.append(Sent(identity, channel, self._clock(), tags, address, body))
        return {"MessageId": identity}
