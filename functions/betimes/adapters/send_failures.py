"""What a failed send means: surely not taken, or nobody knows. One table for each provider.

Only a failure from the tables below, answered with a status below 500, is a refusal. Everything
else is unknown: a timeout, a connection lost after the request left, any 5xx whatever its code
says, and any code that nobody has read and judged yet. Taking "no" for "unknown" costs a held
contact; taking "unknown" for "no" sends twice.

A throttle is a refusal of the pace and not of the message (`Refused.throttled`): whoever sends waits
and spends no retry. Three codes are the same for all providers, since something has to be done about
them: "opted_out", "endpoint_disabled" (`core.bounces`), and of a quota for a whole day "daily_quota",
which pauses a channel, or "spend_limit", which pauses it until a person raises the limit.

A test walks the service models of the installed botocore and fails on an error code that is not
listed here.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from enum import Enum
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from betimes.core import bounces
from betimes.ports import Refused, Unknown


class Verdict(Enum):
    """What an error code says about the message."""

    PACE = "surely not taken; too much at once, and time alone mends that"
    # Also where a person can mend the set-up in the meantime.
    LATER = "surely not taken; the same send can succeed later"
    NEVER = "surely not taken; this message will never be"
    UNKNOWN = "may have been taken"


# Everything a botocore client raises for a call. Anything else is a defect of ours and not an
# answer.
FAILURES: Final = (BotoCoreError, ClientError, ResponseParserError)

# Answers of the common front of AWS services, before the service has seen the request.
_COMMON: Final[Mapping[str, Verdict]] = {
    "AccessDenied": Verdict.LATER,
    "AccessDeniedException": Verdict.LATER,
    "ExpiredToken": Verdict.LATER,
    "ExpiredTokenException": Verdict.LATER,
    "IncompleteSignature": Verdict.LATER,
    "InvalidClientTokenId": Verdict.LATER,
    "InvalidSignatureException": Verdict.LATER,
    "MissingAuthenticationToken": Verdict.LATER,
    "MissingAuthenticationTokenException": Verdict.LATER,
    "OptInRequired": Verdict.LATER,
    "RequestExpired": Verdict.LATER,
    "SignatureDoesNotMatch": Verdict.LATER,
    "Throttling": Verdict.PACE,
    "ThrottlingException": Verdict.PACE,
    "UnrecognizedClientException": Verdict.LATER,
}

# SESv2 SendEmail, botocore 1.44.5.
SES: Final[Mapping[str, Verdict]] = {
    **_COMMON,
    "TooManyRequestsException": Verdict.PACE,
    "LimitExceededException": Verdict.PACE,
    # Restricted for good, in contrast to a pause.
    "AccountSuspendedException": Verdict.NEVER,
    "SendingPausedException": Verdict.LATER,
    "MessageRejected": Verdict.NEVER,
    "MailFromDomainNotVerifiedException": Verdict.LATER,
    # The configuration set is missing: our set-up, not the message.
    "NotFoundException": Verdict.LATER,
    "BadRequestException": Verdict.NEVER,
}

# SNS Publish to a phone number or to an endpoint of mobile push, botocore 1.44.5. Topics and keys
# are not ours here, but the codes are listed.
SNS: Final[Mapping[str, Verdict]] = {
    **_COMMON,
    "InvalidParameter": Verdict.NEVER,
    "ParameterValueInvalid": Verdict.NEVER,
    "ValidationException": Verdict.NEVER,
    "NotFound": Verdict.NEVER,
    "EndpointDisabled": Verdict.NEVER,
    # A member of the SNS model, though not of Publish: the account has the number on its list.
    "OptedOut": Verdict.NEVER,
    # Its certificate or key has run out, for all phones at once: our set-up, not the message.
    "PlatformApplicationDisabled": Verdict.LATER,
    "AuthorizationError": Verdict.LATER,
    "InvalidSecurity": Verdict.LATER,
    "KMSDisabled": Verdict.LATER,
    "KMSInvalidState": Verdict.LATER,
    "KMSNotFound": Verdict.LATER,
    "KMSOptInRequired": Verdict.LATER,
    "KMSThrottling": Verdict.PACE,
    "KMSAccessDenied": Verdict.LATER,
    "InternalError": Verdict.UNKNOWN,
}

# SendTextMessage of End User Messaging SMS (pinpoint-sms-voice-v2), botocore 1.44.5. What a code
# means there can depend on its reason, see below.
END_USER_MESSAGING: Final[Mapping[str, Verdict]] = {
    **_COMMON,
    # The account's standing: a person has to mend it.
    "AccessDeniedException": Verdict.LATER,
    "ConflictException": Verdict.LATER,
    # A pool, sender or configuration set of ours is missing.
    "ResourceNotFoundException": Verdict.LATER,
    "ServiceQuotaExceededException": Verdict.PACE,
    "ValidationException": Verdict.NEVER,
    "InternalServerException": Verdict.UNKNOWN,
}

# DynamoDB PutItem, botocore 1.44.5. That the item is there already is no failure of a send: see `adapters.inbox`.
DYNAMODB: Final[Mapping[str, Verdict]] = {
    **_COMMON,
    "ProvisionedThroughputExceededException": Verdict.PACE,
    "RequestLimitExceeded": Verdict.PACE,
    "InvalidEndpointException": Verdict.LATER,
    "ReplicatedWriteConflictException": Verdict.UNKNOWN,
    "ResourceNotFoundException": Verdict.LATER,
    "TransactionConflictException": Verdict.LATER,
    "ItemCollectionSizeLimitExceededException": Verdict.NEVER,
    "ValidationException": Verdict.NEVER,
    "InternalServerError": Verdict.UNKNOWN,
}

# Reasons of that service that are about the person or the number, and not about our set-up. A
# ConflictException with any other reason can be mended by a person, so it can succeed later.
_REASONS_OF_THE_NUMBER: Final = frozenset(
    {
        "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
        "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
    }
)
_REASON_OPTED_OUT: Final = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
_REASONS_OF_A_DAY: Final = frozenset(
    {"DAILY_DESTINATION_CALL_LIMIT", "DAILY_NOTIFY_TIER_MESSAGE_LIMIT"}
)
_REASONS_OF_MONEY: Final = frozenset(
    {
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_NOTIFY",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE",
    }
)

# Refusals that only the words of the message tell apart. The words are read and never passed on:
# they may name an address.
_A_DAY: Final = re.compile(r"\bdaily\b", re.IGNORECASE)
_OPTED_OUT: Final = re.compile(r"\bopted[ -]out\b", re.IGNORECASE)
# RFC 9110, section 10.2.3, the form in seconds. An hour is more than any provider means.
_MAX_RETRY_AFTER_S: Final = 3600

# Raised before a byte of the request can have left.
_BEFORE_THE_REQUEST: Final = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ProxyConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoRegionError,
)

# OpenSSL's reasons that exist only inside a handshake. Other TLS errors can come while the answer
# is read. A handshake that times out is reported as a read timeout and therefore counts as unknown.
_HANDSHAKE_REASONS: Final = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)


def answer_to(
    failure: BotoCoreError | ClientError | ResponseParserError, codes: Mapping[str, Verdict]
) -> Refused | Unknown:
    """Return what `failure` of a send means under the provider's table `codes`; never raises.

    `code` and `cause` are provider codes or names of exceptions, never messages: those may hold an
    address.
    """
    if isinstance(failure, ClientError):
        return _judged(failure, codes)
    name = type(failure).__name__
    if isinstance(failure, ParamValidationError):
        return Refused(name, may_retry=False)
    if isinstance(failure, _BEFORE_THE_REQUEST) or _in_handshake(failure):
        return Refused(name, may_retry=True)
    return Unknown(name)


def _judged(failure: ClientError, codes: Mapping[str, Verdict]) -> Refused | Unknown:
    error = failure.response.get("Error", {})
    code = error.get("Code", "")
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if not 400 <= status < 500:
        return Unknown(f"http_{status}")
    match codes.get(code):
        case Verdict.PACE:
            return _too_fast(failure, code)
        case Verdict.LATER | Verdict.NEVER as verdict:
            return _refused(failure, code, may_retry=verdict is Verdict.LATER)
        case Verdict.UNKNOWN:
            return Unknown(code)
        case None:
            return Unknown(f"unlisted:{code}")


def _refused(failure: ClientError, code: str, *, may_retry: bool) -> Refused:
    """Return a refusal by its code, and by its reason or words where they say more about the person than the code."""
    reason = failure.response.get("Reason", "")
    words = failure.response.get("Error", {}).get("Message", "")
    if code == "EndpointDisabled":
        return Refused(bounces.ENDPOINT_DISABLED, may_retry=False)
    opted_out = code == "InvalidParameter" and _OPTED_OUT.search(words)
    if code == "OptedOut" or reason == _REASON_OPTED_OUT or opted_out:
        return Refused(bounces.OPTED_OUT, may_retry=False)
    if reason in _REASONS_OF_THE_NUMBER:
        return Refused(code, may_retry=False)
    return Refused(code, may_retry)


def _too_fast(failure: ClientError, code: str) -> Refused:
    reason = failure.response.get("Reason", "")
    words = failure.response.get("Error", {}).get("Message", "")
    if reason in _REASONS_OF_MONEY:
        code = bounces.SPEND_LIMIT
    elif reason in _REASONS_OF_A_DAY or _A_DAY.search(words):
        code = bounces.DAILY_QUOTA
    headers = failure.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return Refused(
        code, may_retry=True, throttled=True, retry_after_s=_seconds(headers.get("retry-after", ""))
    )


def _seconds(text: str) -> int:
    """Return the whole seconds of a Retry-After header, 0 for a date or anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        return 0
    return min(int(text), _MAX_RETRY_AFTER_S)


def _in_handshake(failure: Exception) -> bool:
    if not isinstance(failure, SSLError):
        return False
    # botocore keeps urllib3's error, which keeps that of the ssl module.
    inner = failure.kwargs.get("error")
    causes = [inner, *getattr(inner, "args", ())]
    return any(isinstance(c, ssl.SSLError) and c.reason in _HANDSHAKE_REASONS for c in causes)
