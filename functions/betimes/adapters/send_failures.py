"""What a failed send means: surely not taken, or nobody knows. One table for each provider.

Only a failure from the tables below, answered with a status below 500, is a refusal. Everything
else is unknown: a timeout, a connection lost after the request left, any 5xx whatever its code
says, and any code that nobody has read and judged yet. Taking "no" for "unknown" costs a held
contact; taking "unknown" for "no" sends twice.

A test walks the service models of the installed botocore and fails on an error code that is not
listed here.
"""

from __future__ import annotations

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

from betimes.ports import Refused, Unknown


class Verdict(Enum):
    """What an error code says about the message."""

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
    "Throttling": Verdict.LATER,
    "ThrottlingException": Verdict.LATER,
    "UnrecognizedClientException": Verdict.LATER,
}

# SESv2 SendEmail, botocore 1.44.5.
SES: Final[Mapping[str, Verdict]] = {
    **_COMMON,
    "TooManyRequestsException": Verdict.LATER,
    "LimitExceededException": Verdict.LATER,
    # Restricted for good, in contrast to a pause.
    "AccountSuspendedException": Verdict.NEVER,
    "SendingPausedException": Verdict.LATER,
    "MessageRejected": Verdict.NEVER,
    "MailFromDomainNotVerifiedException": Verdict.LATER,
    # The configuration set is missing: our set-up, not the message.
    "NotFoundException": Verdict.LATER,
    "BadRequestException": Verdict.NEVER,
}

# SNS Publish to a phone number, botocore 1.44.5. Topics, endpoints and keys are not ours here, but
# the codes are listed.
SNS: Final[Mapping[str, Verdict]] = {
    **_COMMON,
    "InvalidParameter": Verdict.NEVER,
    "ParameterValueInvalid": Verdict.NEVER,
    "ValidationException": Verdict.NEVER,
    "NotFound": Verdict.NEVER,
    "EndpointDisabled": Verdict.NEVER,
    "PlatformApplicationDisabled": Verdict.NEVER,
    "AuthorizationError": Verdict.LATER,
    "InvalidSecurity": Verdict.LATER,
    "KMSDisabled": Verdict.LATER,
    "KMSInvalidState": Verdict.LATER,
    "KMSNotFound": Verdict.LATER,
    "KMSOptInRequired": Verdict.LATER,
    "KMSThrottling": Verdict.LATER,
    "KMSAccessDenied": Verdict.LATER,
    "InternalError": Verdict.UNKNOWN,
}

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
    code = failure.response.get("Error", {}).get("Code", "")
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if not 400 <= status < 500:
        return Unknown(f"http_{status}")
    match codes.get(code):
        case Verdict.LATER:
            return Refused(code, may_retry=True)
        case Verdict.NEVER:
            return Refused(code, may_retry=False)
        case Verdict.UNKNOWN:
            return Unknown(code)
        case None:
            return Unknown(f"unlisted:{code}")


def _in_handshake(failure: Exception) -> bool:
    if not isinstance(failure, SSLError):
        return False
    # botocore keeps urllib3's error, which keeps that of the ssl module.
    inner = failure.kwargs.get("error")
    causes = [inner, *getattr(inner, "args", ())]
    return any(isinstance(c, ssl.SSLError) and c.reason in _HANDSHAKE_REASONS for c in causes)
