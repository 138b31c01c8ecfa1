"""SMS through a provider's HTTP interface, spelt out in a profile (`core.gateway`, `packs/gateways`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from betimes.adapters import pack_files
from betimes.adapters.guarded_https import GuardedHttps, NoAnswer, NotSent
from betimes.core import bounces, gateway
from betimes.core.errors import Rejected, Unavailable
from betimes.core.gateway import Means, Profile
from betimes.core.values import dataclass
from betimes.ports import Accepted, Answer, Letter, Refused, Unknown

FOLDER: Final = "gateways"
MAX_TEXT: Final = 1_600
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_REFUSALS: Final = {
    Means.REFUSED: "refused",
    Means.BAD_ADDRESS: bounces.BAD_ADDRESS,
    Means.OPTED_OUT: bounces.OPTED_OUT,
}
_LATER: Final = {
    Means.BUSY: "busy",
    Means.DAILY_QUOTA: bounces.DAILY_QUOTA,
    Means.SPEND_LIMIT: bounces.SPEND_LIMIT,
}


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """The lender's account with a provider: its name there, what is shown as the sender, and where the secret is."""

    name: str
    sender: str
    secret: Callable[[], str]


def profile(name: str) -> Profile:
    """Return the shipped profile `name`.

    Raises:
        Rejected: code "bad_gateway" or "bad_toml"; the message names file and key.
    """
    file = f"{name}.toml"
    return gateway.parse(pack_files.document(pack_files.root() / FOLDER / file, file), file)


class HttpSms:
    """A sender of channel "sms" (`ports.Sender`)."""

    def __init__(self, client: GuardedHttps, spelt: Profile, account: GatewayAccount) -> None:
        self._client = client
        self._profile = spelt
        self._account = account

    def send(self, letter: Letter) -> Answer:
        """Make one request and return what the profile says of its answer; see `ports.Sender`.

        Without any request a number that is not E.164 gives Refused "bad_address", a text above 1,600 characters
        "too_long" and one with half a character "bad_text"; a secret that is out of reach "no_secret" and one that no
        header can hold "bad_header", which may be tried again: somebody can mend it.
        """
        if not _E164.fullmatch(letter.address):
            return Refused(bounces.BAD_ADDRESS, may_retry=False)
        if len(letter.text.body) > MAX_TEXT:
            return Refused("too_long", may_retry=False)
        try:
            made = gateway.request(self._profile, self._values(letter))
        except Unavailable:
            return Refused("no_secret", may_retry=True)
        except Rejected as why:
            return Refused(why.code, may_retry=why.code == "bad_header")
        try:
            status = self._client.post(made.url, made.headers, made.body)
        except NotSent as why:
            # The address is the provider's, and says nothing about the number.
            return Refused(f"gateway_{why.code}", may_retry=True)
        except NoAnswer:
            return Unknown("no_answer")
        means, identity = gateway.meaning(self._profile, status.code, status.body)
        if means is Means.ACCEPTED:
            return Accepted(identity) if identity else Unknown("no_message_id")
        if means is Means.THROTTLED:
            return Refused(
                "throttled", may_retry=True, throttled=True, retry_after_s=status.retry_after_s
            )
        if means in _LATER:
            return Refused(_LATER[means], may_retry=True)
        if means in _REFUSALS:
            return Refused(_REFUSALS[means], may_retry=False)
        return Unknown(f"http_{status.code}")

    def _values(self, letter: Letter) -> dict[str, str]:
        return {
            "account": self._account.name,
            "sender": self._account.sender,
            "secret": self._account.secret(),
            "number": letter.address,
            "text": letter.text.body,
            "contact_id": letter.contact_id,
            "attempt": str(letter.attempt),
            "tenant": letter.tenant,
            "lives_s": str(letter.lives_s),
        }
