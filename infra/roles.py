"""What each function may do: one role a function, every action written by hand.

CDK's `grant_*` helpers are not used: they add Scan, BatchWriteItem, `kms:ReEncrypt*` and the like, and their
effect cannot be read here. `tests/infra/test_roles.py` holds a second copy of this table on purpose and compares
it with the template, so a change has to be meant twice.

A transaction needs the permissions of its parts and `ConditionCheckItem`. The Ledger is written by PutItem only,
in every role; nobody may scan, and nobody may administer a table, queue or bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from betimes.config import INBOX, REPORTS, RESULTS, SEGMENTS
from betimes.outputs import title
from infra import catalogue
from infra.logical import pin
from infra.nag import acknowledge
from infra.residency import url_suffix_of


class Target(StrEnum):
    """Everything a function may touch; `stack.py` knows the ARN of each."""

    BOOK = "Book"
    AGENDA = "Agenda"
    CONTACTS = "Contacts"
    LEDGER = "Ledger"
    INBOX = "Inbox"
    BOOK_STREAM = "BookStream"
    CONTACTS_STREAM = "ContactsStream"
    LEDGER_STREAM = "LedgerStream"
    SWEEP_QUEUE = "SweepQueue"
    FILES_QUEUE = "FilesQueue"
    EMAIL_QUEUE = "EmailQueue"
    SMS_QUEUE = "SmsQueue"
    PUSH_QUEUE = "PushQueue"
    INBOX_QUEUE = "InboxQueue"
    WEBHOOK_QUEUE = "WebhookQueue"
    FEEDBACK_QUEUE = "FeedbackQueue"
    BOOK_FAILURES = "BookFailures"
    CONTACTS_FAILURES = "ContactsFailures"
    LEDGER_FAILURES = "LedgerFailures"
    SCHEDULE_FAILURES = "ScheduleFailures"
    CONTACTS_TOPIC = "ContactsTopic"
    FILES = "Files"
    INBOX_FILES = "InboxFiles"
    RESULT_FILES = "ResultFiles"
    SEGMENT_FILES = "SegmentFiles"
    REPORT_FILES = "ReportFiles"
    SENDER = "Sender"
    CONFIGURATION_SET = "ConfigurationSet"
    LINK_KEYS = "LinkKeys"
    DATA_KEY = "DataKey"
    ANY_PHONE = "AnyPhone"
    ANY_TOPIC = "AnyTopic"
    ACCOUNT = "Account"
    ANY_ENDPOINT = "AnyEndpoint"
    TEXT_SET = "TextSet"
    ANY_POOL = "AnyPool"
    ANY_NUMBER = "AnyNumber"
    ANY_SENDER = "AnySender"
    GATEWAY_KEY = "GatewayKey"
    WEBHOOKS = "Webhooks"


@dataclass(frozen=True, slots=True)
class Access:
    """One statement: these actions on these targets. `via` limits a KMS key to use through the named services."""

    targets: tuple[Target, ...]
    actions: tuple[str, ...]
    via: tuple[str, ...] = ()
    effect: iam.Effect = iam.Effect.ALLOW


def _on(*targets: Target, do: str, via: tuple[str, ...] = ()) -> Access:
    """Return an access with the actions of `do`, given as "service:Action Action …"."""
    service, _, names = do.partition(":")
    return Access(targets, tuple(f"{service}:{name}" for name in names.split()), via)


def _stream(stream: Target, failures: Target) -> tuple[Access, ...]:
    return (
        _on(stream, do="dynamodb:DescribeStream GetRecords GetShardIterator ListStreams"),
        _on(failures, do="sqs:SendMessage"),
    )


def _queue(queue: Target) -> Access:
    return _on(queue, do="sqs:ReceiveMessage DeleteMessage GetQueueAttributes")


def _tables_key(*more: str) -> Access:
    """Reading or writing a table encrypted with our key means decrypting the table's own key, through DynamoDB only."""
    return _on(Target.DATA_KEY, do="kms:Decrypt", via=("dynamodb", *more))


# Intake takes parked repayments away, so it alone deletes.
_INTAKE: Final = _on(Target.BOOK, do="dynamodb:Query PutItem DeleteItem ConditionCheckItem")
# A look decides, creates and moves contacts, and says so in the ledger.
_LOOK: Final = (
    _on(Target.BOOK, do="dynamodb:Query PutItem ConditionCheckItem"),
    _on(Target.CONTACTS, do="dynamodb:GetItem PutItem"),
    _on(Target.LEDGER, do="dynamodb:PutItem"),
)
# A delivery decides again; a contact that may not go now moves its obligation's look, so it writes all that a look
# does.
_DELIVERY: Final = (
    *_LOOK,
    # The provider's pace and the tenants' spending: single conditional updates.
    _on(Target.BOOK, do="dynamodb:GetItem UpdateItem"),
    # The links of a message are signed.
    _on(Target.LINK_KEYS, do="secretsmanager:GetSecretValue"),
    _tables_key("secretsmanager"),
)

ACCESS: Final[Mapping[str, tuple[Access, ...]]] = {
    catalogue.ON_REQUEST: (
        _INTAKE,
        # Touches, answers to may-contact and what an app acknowledges are records, the last of them of a contact.
        _on(Target.LEDGER, do="dynamodb:Query PutItem"),
        _on(Target.CONTACTS, do="dynamodb:GetItem PutItem"),
        _on(Target.INBOX, do="dynamodb:Query UpdateItem"),
        # How a tenant's own server has answered.
        _on(Target.BOOK, do="dynamodb:GetItem"),
        # Staff ask whether a code is that of a message of ours.
        _on(Target.LINK_KEYS, do="secretsmanager:GetSecretValue"),
        _tables_key("secretsmanager"),
    ),
    catalogue.ON_FILE: (
        _INTAKE,
        _queue(Target.FILES_QUEUE),
        _on(Target.FILES_QUEUE, do="sqs:SendMessage"),
        _on(Target.INBOX_FILES, do="s3:GetObject"),
        _on(Target.RESULT_FILES, do="s3:GetObject PutObject"),
        # Without it S3 answers 403 and not 404 to a file that a manifest names and nobody put there.
        _on(Target.FILES, do="s3:ListBucket"),
        _tables_key("s3"),
        _on(Target.DATA_KEY, do="kms:GenerateDataKey", via=("s3",)),
    ),
    catalogue.ON_TICK: (
        _on(Target.SWEEP_QUEUE, do="sqs:SendMessage"),
        _on(Target.SCHEDULE_FAILURES, do="sqs:SendMessage"),
    ),
    catalogue.ON_SWEEP: (
        _queue(Target.SWEEP_QUEUE),
        _on(Target.SWEEP_QUEUE, do="sqs:SendMessage"),
        _on(Target.AGENDA, do="dynamodb:Query"),
        *_LOOK,
        _tables_key(),
    ),
    catalogue.ON_BOOK_CHANGE: (
        *_stream(Target.BOOK_STREAM, Target.BOOK_FAILURES),
        *_LOOK,
        _tables_key(),
    ),
    catalogue.ON_CONTACT: (
        *_stream(Target.CONTACTS_STREAM, Target.CONTACTS_FAILURES),
        _on(Target.CONTACTS_TOPIC, do="sns:Publish"),
        _tables_key(),
    ),
    catalogue.ON_DELIVERY_EMAIL: (
        _queue(Target.EMAIL_QUEUE),
        _on(Target.EMAIL_QUEUE, do="sqs:SendMessage"),
        *_DELIVERY,
    ),
    catalogue.ON_DELIVERY_SMS: (
        _queue(Target.SMS_QUEUE),
        _on(Target.SMS_QUEUE, do="sqs:SendMessage"),
        *_DELIVERY,
    ),
    catalogue.ON_DELIVERY_PUSH: (
        _queue(Target.PUSH_QUEUE),
        _on(Target.PUSH_QUEUE, do="sqs:SendMessage"),
        *_DELIVERY,
    ),
    catalogue.ON_DELIVERY_WEBHOOK: (
        _queue(Target.WEBHOOK_QUEUE),
        _on(Target.WEBHOOK_QUEUE, do="sqs:SendMessage"),
        *_DELIVERY,
    ),
    catalogue.ON_DELIVERY_INBOX: (
        _queue(Target.INBOX_QUEUE),
        _on(Target.INBOX_QUEUE, do="sqs:SendMessage"),
        *_DELIVERY,
    ),
    catalogue.ON_FEEDBACK: (
        _queue(Target.FEEDBACK_QUEUE),
        # A hard bounce blocks the contact point on the borrower's head; a price that is told corrects an estimate.
        _on(Target.BOOK, do="dynamodb:Query PutItem GetItem UpdateItem"),
        _on(Target.CONTACTS, do="dynamodb:GetItem PutItem"),
        _on(Target.LEDGER, do="dynamodb:PutItem"),
        _tables_key("sqs"),
    ),
    catalogue.ON_LEDGER: (
        *_stream(Target.LEDGER_STREAM, Target.LEDGER_FAILURES),
        _on(Target.LEDGER, do="dynamodb:PutItem Query"),
        _on(Target.SEGMENT_FILES, do="s3:PutObject"),
        _tables_key(),
        _on(Target.DATA_KEY, do="kms:GenerateDataKey", via=("s3",)),
    ),
    catalogue.ON_CLOSE_DAY: (
        _on(Target.SCHEDULE_FAILURES, do="sqs:SendMessage"),
        # The whole agenda by shard instead of a Scan: it holds every obligation that still has something to come. A due
        # date that a newly published calendar moves is written.
        _on(Target.AGENDA, do="dynamodb:Query"),
        _on(Target.BOOK, do="dynamodb:Query GetItem PutItem ConditionCheckItem"),
        _on(Target.REPORT_FILES, do="s3:PutObject"),
        _tables_key(),
        _on(Target.DATA_KEY, do="kms:GenerateDataKey", via=("s3",)),
    ),
    catalogue.ON_PAGE: (
        _INTAKE,
        # The contact that a link came with says whom it is about.
        _on(Target.CONTACTS, do="dynamodb:GetItem"),
        _on(Target.LINK_KEYS, do="secretsmanager:GetSecretValue"),
        _tables_key("secretsmanager"),
    ),
}

_SIMULATED: Final = (
    # What it would report goes the way of all reports, which is encrypted.
    _on(Target.FEEDBACK_QUEUE, do="sqs:SendMessage"),
    _on(Target.DATA_KEY, do="kms:Decrypt GenerateDataKey", via=("sqs",)),
)
# What the function that sends on a channel may do beside its row, by who sends.
WAYS: Final[Mapping[tuple[str, str], tuple[Access, ...]]] = {
    (catalogue.EMAIL, "ses"): (
        # SES v2 asks for SendRawEmail when the content of its SendEmail is raw MIME, which ours is.
        _on(Target.SENDER, Target.CONFIGURATION_SET, do="ses:SendEmail SendRawEmail"),
        _on(Target.ACCOUNT, do="ses:GetAccount"),
    ),
    (catalogue.SMS, "sns"): (
        # A phone number has no ARN: publishing to one means "*". The denial takes every topic out of it again.
        _on(Target.ANY_PHONE, do="sns:Publish"),
        Access((Target.ANY_TOPIC,), ("sns:Publish",), effect=iam.Effect.DENY),
        _on(Target.ACCOUNT, do="sns:GetSMSAttributes"),
    ),
    (catalogue.SMS, "eum"): (
        _on(
            *(Target.TEXT_SET, Target.ANY_POOL, Target.ANY_NUMBER, Target.ANY_SENDER),
            do="sms-voice:SendTextMessage",
        ),
        _on(Target.ACCOUNT, do="sms-voice:DescribeSpendLimits"),
    ),
    (catalogue.SMS, "http"): (_on(Target.GATEWAY_KEY, do="secretsmanager:GetSecretValue"),),
    (catalogue.PUSH, "sns"): (_on(Target.ANY_ENDPOINT, do="sns:Publish"),),
    (catalogue.WEBHOOK, "https"): (_on(Target.WEBHOOKS, do="secretsmanager:GetSecretValue"),),
    (catalogue.INBOX, "own"): (_on(Target.INBOX, do="dynamodb:PutItem"),),
    (catalogue.EMAIL, "sim"): _SIMULATED,
    (catalogue.SMS, "sim"): _SIMULATED,
    (catalogue.PUSH, "sim"): _SIMULATED,
}


def access_of(function: str, ways: Mapping[str, str]) -> tuple[Access, ...]:
    """Return all that a function may do where `ways` says who sends on each channel."""
    found = ACCESS[function]
    for channel, provider in ways.items():
        if catalogue.DELIVERIES.get(channel) == function:
            found += WAYS[channel, provider.partition(":")[0]]
    return found


# Which part of a bucket each target is.
PREFIXES: Final = {
    Target.INBOX_FILES: INBOX,
    Target.RESULT_FILES: RESULTS,
    Target.SEGMENT_FILES: SEGMENTS,
    Target.REPORT_FILES: REPORTS,
}


def make_role(
    scope: Construct,
    function: str,
    *,
    ways: Mapping[str, str],
    arns: Mapping[Target, str],
    log_group_arn: str,
    region: str,
) -> iam.Role:
    """Return the role of `function`: its row of ACCESS, what its provider needs, and writing to its own log group."""
    granted = access_of(function, ways)
    targets = frozenset(target for access in granted for target in access.targets)
    logs = iam.PolicyStatement(
        sid="WriteOwnLog",
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[log_group_arn],
    )
    statements = [_statement(access, arns, region) for access in granted]
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=f"Betimes {function}",
        inline_policies={"Access": iam.PolicyDocument(statements=[logs, *statements])},
    )
    pin(role, f"{title(function)}Role")
    for target, prefix in sorted(PREFIXES.items()):
        if target in targets:
            bucket = "Files" if target in (Target.INBOX_FILES, Target.RESULT_FILES) else "Evidence"
            acknowledge(
                role,
                f"IAM5[Resource::<{bucket}Bucket.Arn>/{prefix}*]",
                because=f"Objects under {prefix} are named by their content; the prefix is the narrowest ARN there is.",
            )
    if Target.ANY_PHONE in targets or Target.ACCOUNT in targets:
        acknowledge(
            role,
            "IAM5[Resource::*]",
            because="A phone number has no ARN, so publishing an SMS needs '*', and the same role denies every topic; "
            "an account's quota has none either.",
        )
    for target in sorted(targets & _ANY_OF_OURS):
        acknowledge(
            role,
            f"IAM5[Resource::{arns[target]}]",
            because="Apps and numbers come and go without a deployment; all of them are this account's own.",
        )
    return role


_ANY_OF_OURS: Final = frozenset(
    {Target.ANY_ENDPOINT, Target.ANY_POOL, Target.ANY_NUMBER, Target.ANY_SENDER}
)


def _statement(access: Access, arns: Mapping[Target, str], region: str) -> iam.PolicyStatement:
    suffix = url_suffix_of(region)
    services = [f"{service}.{region}.{suffix}" for service in access.via]
    return iam.PolicyStatement(
        sid=_sid(access),
        effect=access.effect,
        actions=list(access.actions),
        resources=[arns[target] for target in access.targets],
        conditions={"StringEquals": {"kms:ViaService": services}} if services else None,
    )


def _sid(access: Access) -> str:
    """Return a readable statement id, distinct inside each role, for example `AllowBookQuery`."""
    first = access.actions[0].partition(":")[2]
    through = [f"Via{service.title()}" for service in access.via]
    return "".join([access.effect.name.title(), *access.targets, first, *through])


def object_arns(files_arn: str, evidence_arn: str) -> Iterator[tuple[Target, str]]:
    """Yield the object ARNs of each part of the two buckets."""
    for target, prefix in PREFIXES.items():
        files = target in (Target.INBOX_FILES, Target.RESULT_FILES)
        yield target, f"{files_arn if files else evidence_arn}/{prefix}*"
