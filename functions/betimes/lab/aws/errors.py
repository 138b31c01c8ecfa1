"""What goes wrong at the client boundary, in botocore's own shapes: codes, statuses and timeouts.

The only module of the lab that knows botocore: adapters catch its exceptions, so a pretend AWS has to raise them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

# Operations whose name in the API is not their Python name in capitals.
_NAMES: Final = {"get_sms_attributes": "GetSMSAttributes"}
# What each service says when it is asked too often.
_THROTTLED: Final = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "sqs": ("RequestThrottled", 403),
    "sns": ("Throttling", 400),
    "s3": ("SlowDown", 503),
    "sesv2": ("TooManyRequestsException", 429),
    "secretsmanager": ("ThrottlingException", 400),
    "pinpoint-sms-voice-v2": ("ThrottlingException", 400),
}
_BROKEN: Final = {
    "dynamodb": "InternalServerError",
    "sns": "InternalError",
    "s3": "InternalError",
    "pinpoint-sms-voice-v2": "InternalServerException",
    "secretsmanager": "InternalServiceError",
}
# What botocore's standard mode tries again by itself, among what is raised here.
_AGAIN: Final = frozenset(
    {"TransactionInProgressException"} | {code for code, _ in _THROTTLED.values()}
)


class NotModelled(BaseException):
    """A call, a parameter or an expression that the pretend AWS does not know; no code of ours may take it for an
    answer of AWS.
    """


class Crashed(BaseException):
    """The process that made the call is gone; no code of ours may catch its own death."""


def refusal(
    operation: str,
    code: str,
    message: str = "",
    status: int = 400,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Exception:
    """Return an answer of AWS that is an error; `more` stands beside "Error" in the response."""
    response: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0},
        **more,
    }
    error: Exception = ClientError(response, name_of(operation))
    return error


def name_of(operation: str) -> str:
    """Return the name of an operation in the API: "GetItem" for "get_item"."""
    return _NAMES.get(operation) or "".join(part.title() for part in operation.split("_"))


def code_of(error: ClientError) -> str:
    """Return the code of an error answer."""
    code: str = error.response["Error"]["Code"]
    return code


def throttled(service: str, operation: str) -> Exception:
    """Return the error of a service that was asked too often; nothing was done."""
    code, status = _THROTTLED[service]
    return refusal(operation, code, "Rate exceeded", status)


def broken(service: str, operation: str) -> Exception:
    """Return the error of a service that is out of order; whether anything was done, it does not say."""
    return refusal(operation, _BROKEN.get(service, "InternalFailure"), "Internal error", 500)


def silence(service: str) -> ReadTimeoutError:
    """Return the error of a call that nobody answered in time."""
    return ReadTimeoutError(endpoint_url=f"https://{service}.pretend.invalid")


def may_repeat(error: ClientError | BotoCoreError) -> bool:
    """Return whether botocore's standard mode would make the call again by itself."""
    if not isinstance(error, ClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or code_of(error) in _AGAIN
