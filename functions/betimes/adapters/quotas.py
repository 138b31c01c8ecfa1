"""What providers say they allow: SES, SNS text messages, End User Messaging, and settings (`ports.Quotas`).

Only SES states a rate. SNS and End User Messaging state how much money they will spend in a month and
nothing of their pace, which depends on the account and on the numbers it sends from: for them the
rate is a setting, and the statement says whether anything goes at all.

Source: SES API v2, GetAccount; SNS, GetSMSAttributes; End User Messaging SMS, DescribeSpendLimits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters.failures import failure
from betimes.core.errors import Unavailable
from betimes.core.pace import Quota
from betimes.core.values import dataclass
from betimes.ports import Quotas

# What SES says for a rate or a day without a limit.
_UNLIMITED: Final = -1
_TEXT_LIMIT: Final = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"
# A higher rate than any account was granted; beyond it figures would only cost digits.
MOST: Final = 10**9
MAX_PAGES: Final = 10


@dataclass(frozen=True, slots=True)
class Fixed:
    """A quota that is a setting: of a gateway that states none, of push, of the simulator."""

    quota: Quota

    def read(self) -> Quota:
        """See `ports.Quotas.read`."""
        return self.quota


class Lazily:
    """A quota whose reader is made when it is first read: a function that sends on one channel needs one client."""

    def __init__(self, make: Callable[[], Quotas]) -> None:
        self._make = make
        self._made: Quotas | None = None

    def read(self) -> Quota:
        """See `ports.Quotas.read`."""
        if self._made is None:
            self._made = self._make()
        return self._made.read()


class SesQuotas:
    """The account's sending quota at SES, in recipients; `client` is a sesv2 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self) -> Quota:
        """See `ports.Quotas.read`. A day without a limit has `per_day` 0; a paused account is not open."""
        account = _called(self._client.get_account)
        stated = account.get("SendQuota")
        if not stated:
            raise Unavailable("GetAccount states no quota")
        per_day = stated["Max24HourSend"]
        return Quota(
            _thousandfold(stated["MaxSendRate"]),
            # A quota of no mail at all is not one without a limit.
            0 if per_day == _UNLIMITED else max(1, int(per_day)),
            # What is counted of a message that was sent in part is rounded against us.
            -int(-stated["SentLast24Hours"] // 1),
            is_open=bool(account.get("SendingEnabled")) and per_day != 0,
        )


class SnsQuotas:
    """The account's limit of money for text messages at SNS; `rate` (parts per 1,000 s) is a setting."""

    def __init__(self, client: Any, *, rate: int) -> None:
        self._client = client
        self._rate = rate

    def read(self) -> Quota:
        """See `ports.Quotas.read`. An account whose limit was never raised spends 1 US dollar a month."""
        answer = _called(self._client.get_sms_attributes, attributes=["MonthlySpendLimit"])
        limit = answer.get("attributes", {}).get("MonthlySpendLimit", "1")
        return _with_money(self._rate, int(limit) if limit.isdecimal() else 0)


class EndUserMessagingQuotas:
    """The account's limit of money for text messages at End User Messaging; `rate` (parts per 1,000 s) is a setting."""

    def __init__(self, client: Any, *, rate: int) -> None:
        self._client = client
        self._rate = rate

    def read(self) -> Quota:
        """See `ports.Quotas.read`. The limit is the enforced one, which may lie below the most that is allowed."""
        start: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            answer = _called(self._client.describe_spend_limits, **start)
            for limit in answer.get("SpendLimits", ()):
                if limit["Name"] == _TEXT_LIMIT:
                    return _with_money(self._rate, limit["EnforcedLimit"])
            if not answer.get("NextToken"):
                break
            start = {"NextToken": answer["NextToken"]}
        raise Unavailable(f"DescribeSpendLimits states no {_TEXT_LIMIT}")


def _with_money(rate: int, limit: int) -> Quota:
    return Quota(rate, is_open=limit > 0, spend_limit=limit)


def _thousandfold(rate: float) -> int:
    """Return units per 1,000 s of a stated rate per second, rounded down."""
    return MOST if rate == _UNLIMITED else min(MOST, int(rate * 1000))


def _called(call: Any, **parameters: Any) -> dict[str, Any]:
    """Return a statement.

    Raises:
        Unavailable: whatever went wrong: without a statement the last one holds.
    """
    try:
        answer: dict[str, Any] = call(**parameters)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(str(failure(error))) from error
    return answer
