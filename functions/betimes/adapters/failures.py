"""What an error of an AWS service means: one table from its code to a family of `core.errors`.

This is the table for calls that may be repeated: reads, conditional writes, queues and files. What
an answer to a send means stands elsewhere (`adapters.send_failures`), because there the same
silence may hide a message that went out.

A code that is not in the table becomes `Unavailable` and says that it is unlisted, so that an alarm
can ask for a line here.

Source: the error sections of the API references of DynamoDB, S3, SQS, SNS and KMS; "Common Errors"
of the AWS APIs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ParamValidationError

from betimes.core.errors import Stale, Unavailable

# Stands in the message of every failure whose code the table lacks.
UNLISTED: Final = "unlisted error code"

Family = type[Stale] | type[Unavailable] | type[AssertionError]

_NOT_NOW: Final = (
    # Throttled
    *("ProvisionedThroughputExceededException", "RequestLimitExceeded", "LimitExceededException"),
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled"),
    *("RequestThrottledException", "TooManyRequestsException", "SlowDown", "OverLimit"),
    *("KmsThrottled", "KMSThrottlingException", "KMSThrottling", "BandwidthLimitExceeded"),
    # Out of order
    *("InternalError", "InternalFailure", "InternalServerError", "InternalServerErrorException"),
    *("ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "503", "500"),
    *("RequestTimeoutException", "KMSInternalException", "DependencyTimeoutException"),
    # Somebody else is at it
    *("TransactionConflictException", "TransactionInProgressException"),
    *("ConditionalRequestConflict", "OperationAborted", "ReplicatedWriteConflictException"),
    # Credentials that the next invocation renews
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired"),
)
_SOMEBODY_WAS_FIRST: Final = (
    "ConditionalCheckFailedException",
    # S3's answer to If-None-Match and If-Match.
    "PreconditionFailed",
)
_WE_ARE_WRONG: Final = (
    # The call
    *("ValidationException", "ValidationError", "SerializationException", "InvalidParameter"),
    *("InvalidParameterValue", "InvalidAttributeValue", "MissingParameter", "InvalidAction"),
    *("IdempotentParameterMismatchException", "ItemCollectionSizeLimitExceededException"),
    *("InvalidRequest", "InvalidArgument", "InvalidMessageContents", "BatchRequestTooLong"),
    *("AWS.SimpleQueueService.BatchRequestTooLong", "RequestEntityTooLarge", "EntityTooLarge"),
    # The deployment
    *("AccessDenied", "AccessDeniedException", "AuthorizationError", "KMSAccessDeniedException"),
    *("ResourceNotFoundException", "NoSuchBucket", "NotFound", "QueueDoesNotExist"),
    *("AWS.SimpleQueueService.NonExistentQueue", "UnrecognizedClientException"),
    *("InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch"),
    *("KMSDisabledException", "KMSNotFoundException", "KMSInvalidStateException"),
)

FAMILIES: Final[Mapping[str, Family]] = {
    **dict.fromkeys(_NOT_NOW, Unavailable),
    **dict.fromkeys(_SOMEBODY_WAS_FIRST, Stale),
    **dict.fromkeys(_WE_ARE_WRONG, AssertionError),
}

# Why an action cancelled its transaction, in the words of CancellationReasons.
CANCELLED: Final = "TransactionCanceledException"
_CONDITION: Final = "ConditionalCheckFailed"
REASONS: Final[Mapping[str, Family]] = {
    _CONDITION: Stale,
    "TransactionConflict": Unavailable,
    "ProvisionedThroughputExceeded": Unavailable,
    "ThrottlingError": Unavailable,
    "RequestLimitExceeded": Unavailable,
    "ItemCollectionSizeLimitExceeded": AssertionError,
    "ValidationError": AssertionError,
    "AccessDenied": AssertionError,
    "DuplicateItem": AssertionError,
}
_NO_REASON: Final = "None"


def failure(error: ClientError | BotoCoreError) -> Stale | Unavailable | AssertionError:
    """Return the error of ours that `error` means, to be raised from it.

    Its message holds codes only, no data.

    Stale carries in `failed` the positions of the actions whose conditions did not hold, in the
    order of the transaction. A wrong action outweighs a failed condition, and a failed condition a
    conflict: the condition is a definite no.
    """
    if isinstance(error, ClientError):
        return _answered(error)
    # Nobody answered. What botocore refused to send at all is a mistake of ours.
    family = (
        AssertionError if isinstance(error, ParamValidationError | NoRegionError) else Unavailable
    )
    return family(type(error).__name__)


def _answered(error: ClientError) -> Stale | Unavailable | AssertionError:
    code = error.response.get("Error", {}).get("Code", "")
    where = f"{error.operation_name}: {code}"
    if code == CANCELLED:
        return _cancelled(error.response, where)
    family = FAMILIES.get(code)
    if family is None:
        return Unavailable(f"{where} ({UNLISTED})")
    return Stale() if issubclass(family, Stale) else family(where)


def _cancelled(response: Mapping[str, Any], where: str) -> Stale | Unavailable | AssertionError:
    codes = [reason.get("Code", _NO_REASON) for reason in response.get("CancellationReasons", ())]
    named = sorted({code for code in codes if code != _NO_REASON})
    families = {REASONS.get(code) for code in named}
    where = f"{where} [{', '.join(named)}]"
    if AssertionError in families:
        return AssertionError(where)
    if Stale in families:
        return Stale(tuple(n for n, code in enumerate(codes) if code == _CONDITION))
    return Unavailable(f"{where} ({UNLISTED})" if None in families or not named else where)
