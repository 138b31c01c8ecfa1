"""How long a receipt may take: after that, silence is a fact of its own (`State.NO_RECEIPT`), and a verdict of ours.

Which channels have receipts at all depends on the provider. A channel without any stays ACCEPTED for good: that nothing
is said of a message there says nothing of it.

Source: Amazon SES API reference, DeliveryOptions (`MaxDeliverySeconds`: 14 hours by default and at most); AWS End User
Messaging SMS, message events (72 hours); Amazon SNS developer guide: SMS and mobile push report to CloudWatch logs
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

# After the last instant at which a provider may still deliver, for its report to arrive.
REPORTED_WITHIN: Final = timedelta(hours=1)
# What SES tries by default, and at most.
MAX_DELIVERY: Final = timedelta(seconds=50_400)

# By channel and provider; what is not here has no receipts.
_LIMITS: Final[Mapping[tuple[str, str], timedelta]] = MappingProxyType(
    {
        ("email", "ses"): MAX_DELIVERY + REPORTED_WITHIN,
        ("email", "sim"): MAX_DELIVERY + REPORTED_WITHIN,
        ("sms", "eum"): timedelta(hours=72),
        ("sms", "http"): timedelta(hours=72),
        ("sms", "sim"): timedelta(hours=72),
    }
)
# The providers of a deployment that chooses none.
BASELINE: Final[Mapping[str, str]] = MappingProxyType(
    {"email": "ses", "sms": "sns", "push": "sns", "inbox": "own", "webhook": "https"}
)


def limits(providers: Mapping[str, str]) -> Mapping[str, timedelta]:
    """Return, for each channel that has receipts, how long after its acceptance a message's may come. `providers` names
    the provider of each channel, without what follows a colon, such as the profile of a gateway.
    """
    found = {
        channel: _LIMITS.get((channel, provider.partition(":")[0]))
        for channel, provider in providers.items()
    }
    return MappingProxyType({channel: limit for channel, limit in found.items() if limit})


DEFAULT: Final = limits(BASELINE)
