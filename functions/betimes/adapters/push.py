"""Mobile push through SNS platform endpoints: Publish to one endpoint, one payload for its platform.

Two texts (docs/decisions/0017): `text.subject` is all that a locked screen is given; `text.body`
travels as data, and the app shows it after unlocking. SNS reports nothing about a delivery, so the
data hold our ids, and the app acknowledges with them. A message and its repetition have one id for
the phone, which shows the later one in place of the earlier.

An endpoint that SNS has disabled (the app is gone, the token is old) gives Refused
"endpoint_disabled": to be treated as a hard bounce of the address, since no event will come
(`core.bounces.ends_address`).

Source: Amazon SNS developer guide, "Publishing with platform-specific payloads" and "Time to live
for mobile push"; Apple, "Generating a remote notification"; Firebase Cloud Messaging, HTTP v1 API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from betimes import config
from betimes.adapters import send_failures
from betimes.core.bounces import BAD_ADDRESS
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown

# arn:aws:sns:<region>:<account>:endpoint/<platform>/<application>/<id>
_ENDPOINT: Final = re.compile(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:endpoint/([A-Z_]+)/[A-Za-z0-9._-]{1,256}/[A-Za-z0-9-]{1,64}",
    re.ASCII,
)
# APNs and FCM take 4 kB each; Baidu does too.
MAX_PAYLOAD: Final = 4_096
# FCM keeps a message at most four weeks; the other services are not stricter.
MAX_LIVES_S: Final = 2_419_200
_TEXT: Final = "text"


class Push:
    """The sender of channel "push" (`ports.Sender`); an address is the ARN of a platform endpoint."""

    def __init__(self, client: Any) -> None:
        """Send through an SNS `client` of the sender kind (one attempt a call)."""
        self._client = client

    def send(self, letter: Letter) -> Answer:
        """Make one request to SNS and return its answer; see `ports.Sender`.

        Without any request it returns Refused "bad_address" for what is no endpoint of APNs, FCM or Baidu,
        "no_lock_text" where the text has no subject, and "too_long" for a payload above 4,096 bytes.
        """
        endpoint = _ENDPOINT.fullmatch(letter.address)
        if endpoint is None or endpoint[1] not in _PAYLOADS:
            return Refused(BAD_ADDRESS, may_retry=False)
        if not letter.text.subject.strip():
            return Refused("no_lock_text", may_retry=False)
        platform = endpoint[1]
        payload = _json(_PAYLOADS[platform](letter))
        if len(payload.encode()) > MAX_PAYLOAD:
            return Refused("too_long", may_retry=False)
        try:
            response = self._client.publish(
                TargetArn=letter.address,
                MessageStructure="json",
                # SNS wants a default, which no platform of ours ever shows.
                Message=_json({"default": letter.text.subject, platform: payload}),
                MessageAttributes=_attributes(letter, platform),
            )
        except send_failures.FAILURES as failure:
            return send_failures.answer_to(failure, send_failures.SNS)
        provider_id = response.get("MessageId")
        return Accepted(provider_id) if provider_id else Unknown("no_message_id")


def _data(letter: Letter) -> dict[str, str]:
    """Return what the app gets and no locked screen shows."""
    return {
        config.TAG_CONTACT: letter.contact_id,
        config.TAG_ATTEMPT: str(letter.attempt),
        _TEXT: letter.text.body,
    }


def _apns(letter: Letter) -> dict[str, Any]:
    # No "content-available" and no "mutable-content": nothing but the app in use reads the data.
    return {"aps": {"alert": letter.text.subject, "sound": "default"}, "betimes": _data(letter)}


def _fcm(letter: Letter) -> dict[str, Any]:
    lives = {"ttl": f"{_lives_s(letter)}s"} if letter.lives_s else {}
    return {
        "fcmV1Message": {
            "message": {
                "notification": {"title": letter.text.subject},
                "data": _data(letter),
                "android": {
                    "priority": "high",
                    "notification": {"tag": letter.contact_id, "visibility": "PRIVATE"},
                    **lives,
                },
            }
        }
    }


def _baidu(letter: Letter) -> dict[str, Any]:
    return {
        "title": letter.text.subject,
        "description": letter.text.subject,
        "custom_content": _data(letter),
    }


_PAYLOADS: Final[Mapping[str, Callable[[Letter], dict[str, Any]]]] = {
    "APNS": _apns,
    "APNS_SANDBOX": _apns,
    "BAIDU": _baidu,
    # SNS keeps the old name for the endpoints of Firebase Cloud Messaging.
    "GCM": _fcm,
}
# The names of the attribute, which differ from those of the platform.
_TTL: Final[Mapping[str, tuple[str, ...]]] = {
    "APNS": ("APNS",),
    "APNS_SANDBOX": ("APNS_SANDBOX",),
    "BAIDU": ("BAIDU",),
    "GCM": ("FCM", "GCM"),
}


def _attributes(letter: Letter, platform: str) -> dict[str, dict[str, str]]:
    values = {}
    if letter.lives_s:
        values = {f"{name}.TTL": str(_lives_s(letter)) for name in _TTL[platform]}
    if platform.startswith("APNS"):
        # Apple wants the type named, shows an alert at once, and replaces one of the same id.
        values |= {
            "APNS.PUSH_TYPE": "alert",
            "APNS.PRIORITY": "10",
            "APNS.COLLAPSE_ID": letter.contact_id,
        }
    return {
        f"AWS.SNS.MOBILE.{name}": {"DataType": "String", "StringValue": value}
        for name, value in values.items()
    }


def _lives_s(letter: Letter) -> int:
    return min(letter.lives_s, MAX_LIVES_S)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
