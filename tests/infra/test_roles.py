"""Every role may do exactly what stands here: the second copy of the table in `infra/roles.py`."""

from __future__ import annotations

import pytest

from betimes.outputs import title
from infra.catalogue import FUNCTIONS
from infra.template import Statement, Template

STREAM = "dynamodb:DescribeStream GetRecords GetShardIterator ListStreams"
RECEIVE = "sqs:ReceiveMessage DeleteMessage GetQueueAttributes"
LOG = "logs:CreateLogStream PutLogEvents"

INTAKE = "dynamodb:Query PutItem DeleteItem ConditionCheckItem"
LOOK = {
    "BookTable": "dynamodb:Query PutItem ConditionCheckItem",
    "ContactsTable": "dynamodb:GetItem PutItem",
    "LedgerTable": "dynamodb:PutItem",
}

DELIVERY = {**LOOK, "BookTable": f"{LOOK['BookTable']} GetItem UpdateItem"}

# Resource (with "via" and services for the key, with "!" in front for a denial) -> "service:Action Action …".
ALLOWED: dict[str, dict[str, str]] = {
    "on_request": {
        "BookTable": f"{INTAKE} GetItem",
        "LedgerTable": "dynamodb:Query PutItem",
        "ContactsTable": "dynamodb:GetItem PutItem",
        "InboxTable": "dynamodb:Query UpdateItem",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
    },
    "on_file": {
        "BookTable": INTAKE,
        "FilesQueue": f"{RECEIVE} SendMessage",
        "FilesBucket": "s3:ListBucket",
        "FilesBucket/inbox/*": "s3:GetObject",
        "FilesBucket/results/*": "s3:GetObject PutObject",
        "DataKey via dynamodb s3": "kms:Decrypt",
        "DataKey via s3": "kms:GenerateDataKey",
    },
    "on_tick": {"SweepQueue": "sqs:SendMessage", "ScheduleFailures": "sqs:SendMessage"},
    "on_sweep": {
        **LOOK,
        "SweepQueue": f"{RECEIVE} SendMessage",
        "BookTable/index/agenda": "dynamodb:Query",
        "DataKey via dynamodb": "kms:Decrypt",
    },
    "on_book_change": {
        **LOOK,
        "BookTable.StreamArn": STREAM,
        "BookFailures": "sqs:SendMessage",
        "DataKey via dynamodb": "kms:Decrypt",
    },
    "on_contact": {
        "ContactsTable.StreamArn": STREAM,
        "ContactsFailures": "sqs:SendMessage",
        "ContactsTopic": "sns:Publish",
        "DataKey via dynamodb": "kms:Decrypt",
    },
    "on_delivery_email": {
        **DELIVERY,
        "EmailQueue": f"{RECEIVE} SendMessage",
        "*": "ses:GetAccount",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
        "arn:aws:ses:us-east-1:000000000000:identity/betimes.example": "ses:SendEmail SendRawEmail",
        "arn:aws:ses:us-east-1:000000000000:configuration-set/ConfigurationSet": (
            "ses:SendEmail SendRawEmail"
        ),
    },
    "on_delivery_sms": {
        **DELIVERY,
        "SmsQueue": f"{RECEIVE} SendMessage",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
        "*": "sns:Publish GetSMSAttributes",
        "! arn:aws:sns:*": "sns:Publish",
    },
    "on_delivery_push": {
        **DELIVERY,
        "PushQueue": f"{RECEIVE} SendMessage",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
        "arn:aws:sns:us-east-1:000000000000:endpoint/*": "sns:Publish",
    },
    "on_delivery_webhook": {
        **DELIVERY,
        "WebhookQueue": f"{RECEIVE} SendMessage",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "Webhooks": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
    },
    "on_delivery_inbox": {
        **DELIVERY,
        "InboxQueue": f"{RECEIVE} SendMessage",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
        "InboxTable": "dynamodb:PutItem",
    },
    "on_feedback": {
        "FeedbackQueue": RECEIVE,
        "BookTable": "dynamodb:Query PutItem GetItem UpdateItem",
        "ContactsTable": "dynamodb:GetItem PutItem",
        "LedgerTable": "dynamodb:PutItem",
        "DataKey via dynamodb sqs": "kms:Decrypt",
    },
    "on_ledger": {
        "LedgerTable.StreamArn": STREAM,
        "LedgerFailures": "sqs:SendMessage",
        "LedgerTable": "dynamodb:PutItem Query",
        "EvidenceBucket/segments/*": "s3:PutObject",
        "DataKey via dynamodb": "kms:Decrypt",
        "DataKey via s3": "kms:GenerateDataKey",
    },
    "on_close_day": {
        "ScheduleFailures": "sqs:SendMessage",
        "BookTable": "dynamodb:Query GetItem PutItem ConditionCheckItem",
        "BookTable/index/agenda": "dynamodb:Query",
        "EvidenceBucket/reports/*": "s3:PutObject",
        "DataKey via dynamodb": "kms:Decrypt",
        "DataKey via s3": "kms:GenerateDataKey",
    },
    "on_page": {
        "BookTable": INTAKE,
        "ContactsTable": "dynamodb:GetItem",
        "LinkKeys": "secretsmanager:GetSecretValue",
        "DataKey via dynamodb secretsmanager": "kms:Decrypt",
    },
}

# What no function may ever do, whatever the table says.
NEVER = {
    "dynamodb:Scan",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
    "iam:PassRole",
    "s3:DeleteObject",
}
# What has no ARN: a phone number, and what an account is allowed.
WITHOUT_ARN = {
    ("on_delivery_sms", "sns:Publish"),
    ("on_delivery_sms", "sns:GetSMSAttributes"),
    ("on_delivery_email", "ses:GetAccount"),
}
FUNCTION_NAMES = [spec.name for spec in FUNCTIONS]


def granted(template: Template, function: str) -> set[str]:
    """Return one line for each permission of a function's role."""
    return {line(each) for each in template.statements(f"{title(function)}Role")}


def line(statement: Statement) -> str:
    services = " ".join(name.partition(".")[0] for name in statement.via.split())
    denied = "! " if statement.effect == "Deny" else ""
    via = f" via {services}" if services else ""
    return f"{denied}{statement.resource}{via} <- {statement.action}"


def allowed(function: str) -> set[str]:
    """Return the lines of the table, and writing to the function's own log."""
    lines = set()
    for resource, actions in {**ALLOWED[function], f"{title(function)}Log": LOG}.items():
        service, _, names = actions.partition(":")
        lines |= {f"{resource} <- {service}:{name}" for name in names.split()}
    return lines


def difference(found: set[str], wanted: set[str]) -> str:
    """Return the two columns that differ, as text; "" if nothing does."""
    rows = [f"{each:<100} | -" for each in sorted(found - wanted)]
    rows += [f"{'-':<100} | {each}" for each in sorted(wanted - found)]
    return "\n".join([f"{'granted':<100} | allowed", *rows]) if rows else ""


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_a_role_grants_exactly_its_row(template: Template, function: str) -> None:
    unlike = difference(granted(template, function), allowed(function))
    assert not unlike, f"{function}\n{unlike}"


def test_one_action_too_many_or_too_few_is_seen(template: Template) -> None:
    wanted = allowed("on_sweep")
    found = granted(template, "on_sweep") - {"BookTable/index/agenda <- dynamodb:Query"}
    found.add("ContactsTable <- dynamodb:DeleteItem")
    shown = difference(found, wanted)
    assert "ContactsTable <- dynamodb:DeleteItem" in shown
    assert "| BookTable/index/agenda <- dynamodb:Query" in shown


def test_every_role_has_a_row_and_one_user(template: Template) -> None:
    roles = set(template.of("IAM::Role"))
    assert roles == {f"{title(name)}Role" for name in ALLOWED} | {"ScheduleRole"}
    assert not template.of("IAM::Policy"), "permissions stand in the role itself"
    used = [template.word(each["Role"]) for each in template.of("Lambda::Function").values()]
    assert sorted(used) == sorted(roles - {"ScheduleRole"})


def test_the_scheduler_may_call_two_functions_and_keep_what_failed(template: Template) -> None:
    assert {line(each) for each in template.statements("ScheduleRole")} == {
        "OnTickFunction <- lambda:InvokeFunction",
        "OnCloseDayFunction <- lambda:InvokeFunction",
        "ScheduleFailures <- sqs:SendMessage",
    }


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_no_wildcard_and_nothing_administrative(template: Template, function: str) -> None:
    for each in template.statements(f"{title(function)}Role"):
        assert "*" not in each.action, each
        assert each.action not in NEVER, each
        if each.resource == "*":
            assert (function, each.action) in WITHOUT_ARN, each


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_the_ledger_is_appended_to_and_read_but_never_changed(
    template: Template, function: str
) -> None:
    actions = {
        each.action
        for each in template.statements(f"{title(function)}Role")
        if each.resource == "LedgerTable"
    }
    assert actions <= {"dynamodb:PutItem", "dynamodb:Query"}


def test_sms_reaches_phones_and_no_topic(template: Template) -> None:
    statements = set(template.statements("OnDeliverySmsRole"))
    assert Statement("Allow", "sns:Publish", "*") in statements
    assert Statement("Deny", "sns:Publish", "arn:aws:sns:*") in statements


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_the_key_is_used_through_a_service_only(template: Template, function: str) -> None:
    for each in template.statements(f"{title(function)}Role"):
        if each.resource == "DataKey":
            assert each.via, f"{function} could decrypt by itself"


def test_an_exception_to_everything_is_refused() -> None:
    planted = Template(
        {
            "Resources": {
                "PlantedRole": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "Policies": [
                            {
                                "PolicyDocument": {
                                    "Statement": [
                                        {
                                            "Effect": "Allow",
                                            "Action": "sns:Publish",
                                            "NotResource": "arn:aws:sns:*",
                                        }
                                    ]
                                }
                            }
                        ]
                    },
                }
            }
        }
    )
    with pytest.raises(ValueError, match="NotResource"):
        list(planted.statements("PlantedRole"))


def test_topics_and_queues_admit_one_writer_each(template: Template) -> None:
    """Whoever may put something into a queue or topic from outside is a service acting for our own resource."""
    writers = set()
    for kind in ("SQS::QueuePolicy", "SNS::TopicPolicy"):
        for policy in template.of(kind).values():
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Deny":
                    continue
                conditions = statement["Condition"]
                assert {"aws:SourceArn", "aws:SourceAccount"} & {
                    key for each in conditions.values() for key in each
                }, statement
                target = template.word(statement["Resource"])
                writers.add((statement["Principal"]["Service"], statement["Action"], target))
    sns, send = "sns.amazonaws.com", "sqs:SendMessage"
    assert writers == {
        ("s3.amazonaws.com", send, "FilesQueue"),
        (sns, send, "EmailQueue"),
        (sns, send, "EmailDeadLetters"),
        (sns, send, "SmsQueue"),
        (sns, send, "SmsDeadLetters"),
        (sns, send, "PushQueue"),
        (sns, send, "PushDeadLetters"),
        (sns, send, "InboxQueue"),
        (sns, send, "InboxDeadLetters"),
        (sns, send, "WebhookQueue"),
        (sns, send, "WebhookDeadLetters"),
        (sns, send, "FeedbackQueue"),
        (sns, send, "FeedbackDeadLetters"),
        ("ses.amazonaws.com", "sns:Publish", "FeedbackTopic"),
    }
