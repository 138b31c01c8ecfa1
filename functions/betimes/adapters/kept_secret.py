"""One text that only this deployment and somebody else know, from AWS Secrets Manager."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from betimes.core.errors import Unavailable
from betimes.ports import Clock

# How long it is kept in memory: a new one is known everywhere after that.
KEPT: Final = timedelta(minutes=5)


class Secret:
    """The text of one secret, read again when it is older than `KEPT` by `clock`."""

    def __init__(self, client: Any, secret: str, clock: Clock) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock
        self._read_at: datetime | None = None
        self._text = ""

    def text(self) -> str:
        """Return the text.

        Raises:
            Unavailable: it cannot be read, or is empty; nothing of it is in the message.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        now = self._clock.now()
        if self._read_at is None or now >= self._read_at + KEPT:
            try:
                text = self._client.get_secret_value(SecretId=self._secret)["SecretString"]
            except (BotoCoreError, ClientError) as error:
                raise Unavailable(f"a secret cannot be read: {type(error).__name__}") from None
            if not text.strip():
                raise Unavailable("a secret is empty: put the account's own there")
            self._text, self._read_at = text.strip(), now
        return self._text
