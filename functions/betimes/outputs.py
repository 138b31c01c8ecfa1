"""Ids of the stack's outputs: what `betimes run`, an operator or another stack looks up after a deployment.

They are stable: code outside `infra/` reads a deployed stack by these ids alone, and `infra/` takes them from here.
Names of functions, queues and channels follow one rule each, so the helpers below give the id for any of them.
"""

from __future__ import annotations

from typing import Final

API_ENDPOINT: Final = "ApiEndpoint"
BOOK_TABLE: Final = "BookTableName"
CONTACTS_TABLE: Final = "ContactsTableName"
LEDGER_TABLE: Final = "LedgerTableName"
INBOX_TABLE: Final = "InboxTableName"
FILES_BUCKET: Final = "FilesBucketName"
EVIDENCE_BUCKET: Final = "EvidenceBucketName"
CONTACTS_TOPIC: Final = "ContactsTopicArn"
FEEDBACK_TOPIC: Final = "FeedbackTopicArn"
ALARM_TOPIC: Final = "AlarmTopicArn"
CONFIGURATION_SET: Final = "ConfigurationSetName"
SENDER_IDENTITY: Final = "SenderIdentity"
TICK_SCHEDULE: Final = "TickScheduleName"
CLOSE_DAY_SCHEDULE: Final = "CloseDayScheduleName"
DATA_KEY: Final = "DataKeyArn"
GATEWAY_KEY: Final = "GatewayKeyArn"
WEBHOOKS: Final = "WebhooksArn"
_FUNCTION: Final = "FunctionName"


def title(name: str) -> str:
    """Return `name` in the spelling of logical ids: `on_delivery_email` becomes `OnDeliveryEmail`."""
    return "".join(part.capitalize() for part in name.split("_"))


def function_name(function: str) -> str:
    """Return the output id that holds the deployed name of `function`, for example `OnSweepFunctionName`."""
    return f"{title(function)}{_FUNCTION}"


def is_function_name(output: str) -> bool:
    """Return whether an output id is one that `function_name` gives."""
    return output.endswith(_FUNCTION)


def queue_url(queue: str) -> str:
    """Return the output id that holds the URL of a work queue, for example `SweepQueueUrl`."""
    return f"{title(queue)}QueueUrl"


def dead_letters_url(queue: str) -> str:
    """Return the output id that holds the URL of a work queue's dead letters, for example `SweepDeadLettersUrl`."""
    return f"{title(queue)}DeadLettersUrl"


def failures_url(source: str) -> str:
    """Return the output id that holds the URL of a failure queue: of a table's stream, or of the schedules."""
    return f"{title(source)}FailuresUrl"
