"""What the template means: bounds, ends for poison, alarms, encryption, names. Never counts of resources."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from betimes import config, outputs
from betimes.adapters import items, segments
from betimes.config import GONE, LOCAL_LINK_KEY, Env, Settings
from betimes.core.contact import State
from betimes.outputs import title
from betimes.wiring import World
from infra import FUNCTIONS as FUNCTIONS_FOLDER
from infra import ROOT, catalogue
from infra.catalogue import FUNCTIONS, QUEUE, SCHEDULES, STREAMS, WORK_QUEUES
from infra.page import KEY_LENGTH
from infra.template import Template

ENV_NAMES = {
    value
    for name, value in vars(Env).items()
    if not name.startswith("_") and isinstance(value, str)
}
LAST_STOPS = {f"{title(spec.name)}DeadLetters" for spec in WORK_QUEUES} | {
    f"{title(name)}Failures" for name in (*catalogue.TABLES, catalogue.SCHEDULE)
}


def function_of(template: Template, name: str) -> Mapping[str, Any]:
    return template.of("Lambda::Function")[f"{title(name)}Function"]


def variables_of(template: Template, name: str) -> dict[str, str]:
    """Return a function's environment, references as words."""
    variables = function_of(template, name)["Environment"]["Variables"]
    return {key: template.word(value) for key, value in variables.items()}


def mapping_of(template: Template, source: str) -> Mapping[str, Any]:
    """Return the one event source mapping that reads `source`."""
    (found,) = [
        each
        for each in template.of("Lambda::EventSourceMapping").values()
        if template.word(each["EventSourceArn"]) == source
    ]
    return found


# Queues


def test_a_queue_redrives_or_is_itself_the_end(template: Template) -> None:
    ends = set()
    for name, queue in template.of("SQS::Queue").items():
        redrive = queue.get("RedrivePolicy")
        if redrive is None:
            ends.add(name)
            continue
        end = template.word(redrive["deadLetterTargetArn"])
        assert end in LAST_STOPS, name
        assert redrive["maxReceiveCount"] == catalogue.MAX_RECEIVES >= 5
        end_queue = template.of("SQS::Queue")[end]
        assert end_queue["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"], name
    assert ends == LAST_STOPS


@pytest.mark.parametrize("name", sorted(LAST_STOPS))
def test_one_message_in_a_last_stop_is_an_alarm(template: Template, name: str) -> None:
    found = [
        each
        for each in template.of("CloudWatch::Alarm").values()
        if each["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and template.word(each["Dimensions"][0]["Value"]) == f"{name}.QueueName"
    ]
    (alarm,) = found
    assert alarm["Threshold"] == 1
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Statistic"] == "Maximum"
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 300, "an alarm within five minutes"


def test_every_queue_refuses_plain_http_and_is_encrypted(template: Template) -> None:
    guarded = set()
    for policy in template.of("SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny":
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                guarded |= {template.word(each) for each in policy["Queues"]}
    queues = template.of("SQS::Queue")
    assert guarded == set(queues)
    personal = {name for name, each in queues.items() if "KmsMasterKeyId" in each}
    assert personal == {"FeedbackQueue", "FeedbackDeadLetters"}
    assert all(queues[name]["SqsManagedSseEnabled"] for name in queues.keys() - personal)


@pytest.mark.parametrize("spec", WORK_QUEUES, ids=lambda spec: spec.name)
def test_a_queue_is_emptied_in_small_bounded_batches(
    template: Template, spec: catalogue.QueueSpec
) -> None:
    queue = template.of("SQS::Queue")[f"{title(spec.name)}Queue"]
    mapping = mapping_of(template, f"{title(spec.name)}Queue")
    assert template.word(mapping["FunctionName"]) == f"{title(spec.function)}Function"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 50
    assert mapping["BatchSize"] == spec.batch <= 10
    timeout = function_of(template, spec.function)["Timeout"]
    assert queue["VisibilityTimeout"] == 6 * timeout


@pytest.mark.parametrize("channel", sorted(catalogue.DELIVERIES))
def test_a_delivery_can_finish_its_batch_in_time(template: Template, channel: str) -> None:
    spec = QUEUE[channel]
    one_send = config.CONNECT_TIMEOUT_S + config.READ_TIMEOUT_S
    assert spec.batch <= 5
    assert spec.batch * one_send < function_of(template, spec.function)["Timeout"]


def test_the_api_gives_up_after_its_function(template: Template) -> None:
    default_ms = 30_000
    integrations = template.of("ApiGatewayV2::Integration").values()
    patience = [each.get("TimeoutInMillis", default_ms) for each in integrations]
    assert len(patience) == 2
    for name in ("on_request", "on_page"):
        assert function_of(template, name)["Timeout"] * 1000 < min(patience)


# Streams


@pytest.mark.parametrize("spec", STREAMS, ids=lambda spec: spec.table)
def test_a_stream_is_read_from_its_start_with_an_end_for_poison(
    template: Template, spec: catalogue.StreamSpec
) -> None:
    mapping = mapping_of(template, f"{title(spec.table)}Table.StreamArn")
    assert template.word(mapping["FunctionName"]) == f"{title(spec.function)}Function"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 5 <= mapping["MaximumRetryAttempts"] <= 10
    assert 60 <= mapping["MaximumRecordAgeInSeconds"] <= 21_600
    failures = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert template.word(failures) == f"{title(spec.table)}Failures"


def test_each_table_has_its_stream_view(template: Template) -> None:
    views = {
        name: table.get("StreamSpecification", {}).get("StreamViewType")
        for name, table in template.of("DynamoDB::Table").items()
    }
    assert views == {
        "BookTable": "KEYS_ONLY",
        "ContactsTable": "NEW_IMAGE",
        "LedgerTable": "NEW_IMAGE",
        # Messages pass by nobody else.
        "InboxTable": None,
    }


def test_only_the_inbox_forgets(template: Template) -> None:
    """Its messages go some time after they were of use; nothing else is deleted by itself."""
    forgets = {
        name: table["TimeToLiveSpecification"]
        for name, table in template.of("DynamoDB::Table").items()
        if "TimeToLiveSpecification" in table
    }
    assert forgets == {"InboxTable": {"AttributeName": GONE, "Enabled": True}}


def lets_through(template: Template, table: str, record: Mapping[str, Any]) -> bool:
    """Whether a stream record passes the filters of the table's mapping, by AWS's rules for the patterns we use."""
    filters = mapping_of(template, f"{title(table)}Table.StreamArn")["FilterCriteria"]["Filters"]
    return any(fits(json.loads(each["Pattern"]), record) for each in filters)


def fits(pattern: Mapping[str, Any], record: object) -> bool:
    if not isinstance(record, Mapping):
        return False
    for key, wanted in pattern.items():
        if isinstance(wanted, Mapping):
            if not fits(wanted, record.get(key)):
                return False
        elif key not in record or not any(meets(each, record[key]) for each in wanted):
            return False
    return True


def meets(condition: object, value: object) -> bool:
    match condition:
        case {"prefix": str(start)}:
            return isinstance(value, str) and value.startswith(start)
        case {"anything-but": list(others)}:
            return value not in others
        case str() | bool():
            return value == condition
        case _:
            raise AssertionError(f"a pattern this test cannot read: {condition}")


@pytest.mark.parametrize(
    ("event", "sort_key", "passes"),
    [
        ("INSERT", "obligation#o1", False),
        ("MODIFY", "obligation#o1", False),
        ("REMOVE", "obligation#o1", False),
        ("INSERT", "repayment#r1", True),
        ("MODIFY", "repayment#r1", True),
        ("INSERT", "head", False),
        ("MODIFY", "head", True),
        ("INSERT", "account#a1", False),
        ("INSERT", "owner", False),
    ],
)
def test_the_book_stream_wakes_the_planner_for_news_only(
    template: Template, event: str, sort_key: str, passes: bool
) -> None:
    """An update of an obligation moves its look and must not wake who moved it."""
    record = {"eventName": event, "dynamodb": {"Keys": {"pk": {"S": "t#b"}, "sk": {"S": sort_key}}}}
    assert lets_through(template, catalogue.BOOK, record) is passes


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("state", list(State))
def test_only_ready_contacts_that_are_offered_are_fanned_out(
    template: Template, state: State, offered: bool
) -> None:
    image = {items.STATE: {"S": state.value}, items.OFFERED: {"BOOL": offered}}
    record = {"eventName": "MODIFY", "dynamodb": {"NewImage": image}}
    passes = lets_through(template, catalogue.CONTACTS, record)
    assert passes is (state is State.READY and offered)


def test_a_removed_contact_is_not_fanned_out(template: Template) -> None:
    record = {"eventName": "REMOVE", "dynamodb": {"Keys": {"pk": {"S": "c1"}}}}
    assert not lets_through(template, catalogue.CONTACTS, record)


@pytest.mark.parametrize(
    ("event", "kind", "passes"),
    [("INSERT", "decision", True), ("INSERT", segments.KIND, False), ("REMOVE", "decision", False)],
)
def test_only_new_records_are_sealed_and_segments_are_not(
    template: Template, event: str, kind: str, passes: bool
) -> None:
    record = {"eventName": event, "dynamodb": {"NewImage": {items.KIND: {"S": kind}}}}
    assert lets_through(template, catalogue.LEDGER, record) is passes


# Functions


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_is_bounded_and_its_handler_exists(
    template: Template, spec: catalogue.FunctionSpec
) -> None:
    function = function_of(template, spec.name)
    assert function["Handler"] == f"betimes.handlers.{spec.module}.handler"
    path = FUNCTIONS_FOLDER / "betimes" / "handlers" / f"{spec.module}.py"
    assert path.is_file(), f"{path.relative_to(ROOT)} is missing"
    assert 1 <= function["Timeout"] <= 900
    assert 256 <= function["MemorySize"] <= 1024
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_is_told_names_of_the_configuration_and_no_others(
    template: Template, spec: catalogue.FunctionSpec
) -> None:
    variables = variables_of(template, spec.name)
    ours = {name for name in variables if name.startswith("BETIMES_")}
    assert ours == {Env.STAGE, *spec.environment} <= ENV_NAMES
    assert variables.keys() - ours == {
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_LOG_LEVEL",
        "PYTHONTZPATH",
    }
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == config.METRICS_NAMESPACE
    assert variables["PYTHONTZPATH"] == "", "zones come from the pinned tzdata alone"
    settings = Settings.read(variables)
    assert settings.stage == "dev"
    assert settings.clock_offset_s == 0


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_is_told_all_that_its_handler_reaches_for(
    template: Template, spec: catalogue.FunctionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever part of the world a handler names can be built from its environment alone, without a call to AWS."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    world = World(Settings.read(variables_of(template, spec.name)))
    source = (FUNCTIONS_FOLDER / "betimes" / "handlers" / f"{spec.module}.py").read_text()
    parts = sorted(set(re.findall(r"WORLD\.(\w+)", source)))
    assert parts, "a handler without a world has nothing to do"
    for part in parts:
        assert getattr(world, part) is not None
    if spec.module == "on_delivery":
        assert world.sender(spec.name.removeprefix("on_delivery_")) is not None


def test_every_name_of_the_configuration_reaches_a_function(template: Template) -> None:
    told = {name for spec in FUNCTIONS for name in variables_of(template, spec.name)}
    assert ENV_NAMES - told == {Env.CLOCK_OFFSET}


def test_names_stand_for_the_right_resources(template: Template) -> None:
    told: dict[str, set[str]] = {}
    for spec in FUNCTIONS:
        for name, value in variables_of(template, spec.name).items():
            told.setdefault(name, set()).add(value)
    assert told[Env.BOOK_TABLE] == {"BookTable"}
    assert told[Env.CONTACTS_TABLE] == {"ContactsTable"}
    assert told[Env.LEDGER_TABLE] == {"LedgerTable"}
    assert told[Env.SWEEP_QUEUE] == {"SweepQueue"}
    assert told[Env.FILES_QUEUE] == {"FilesQueue"}
    assert told[Env.CONTACTS_TOPIC] == {"ContactsTopic"}
    assert told[Env.FILES_BUCKET] == {"FilesBucket"}
    assert told[Env.EVIDENCE_BUCKET] == {"EvidenceBucket"}
    assert told[Env.CONFIGURATION_SET] == {"ConfigurationSet"}
    assert told[Env.SENDER_ADDRESS] == {"reminders@betimes.example"}
    assert told[Env.SHARDS] == {"4"}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_logs_to_its_own_group_with_an_end(
    template: Template, pocket: Template, spec: catalogue.FunctionSpec
) -> None:
    for each, days, stage in ((template, 30, "dev"), (pocket, 7, "local")):
        group = each.word(function_of(each, spec.name)["LoggingConfig"]["LogGroup"])
        log = each.of("Logs::LogGroup")[group]
        assert log["RetentionInDays"] == days
        assert log["LogGroupName"] == f"/aws/lambda/betimes-{stage}-{spec.name}"


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_errors_and_throttles_of_a_function_raise_alarms(
    template: Template, spec: catalogue.FunctionSpec
) -> None:
    watched = {
        each["MetricName"]
        for each in template.of("CloudWatch::Alarm").values()
        if each["Namespace"] == "AWS/Lambda"
        and template.word(each["Dimensions"][0]["Value"]) == f"{title(spec.name)}Function"
    }
    assert {"Errors", "Throttles"} <= watched


# Storage


@pytest.mark.parametrize("name", ["BookTable", "ContactsTable", "LedgerTable"])
def test_a_table_is_restorable_encrypted_and_kept(template: Template, name: str) -> None:
    table = template.of("DynamoDB::Table")[name]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert template.word(table["SSESpecification"]["KMSMasterKeyId"]) == "DataKey"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True
    whole = template.resource(name)
    assert (whole["DeletionPolicy"], whole["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_keys_and_the_agenda_are_those_of_the_configuration(template: Template) -> None:
    def schema(described: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(key["AttributeName"], key["KeyType"]) for key in described["KeySchema"]]

    tables = template.of("DynamoDB::Table")
    both = [(config.PARTITION_KEY, "HASH"), (config.SORT_KEY, "RANGE")]
    assert schema(tables["BookTable"]) == both
    assert schema(tables["LedgerTable"]) == both
    assert schema(tables["ContactsTable"]) == both[:1]
    (agenda,) = tables["BookTable"]["GlobalSecondaryIndexes"]
    assert agenda["IndexName"] == config.AGENDA_INDEX
    assert schema(agenda) == [(config.AGENDA_PARTITION, "HASH"), (config.AGENDA_SORT, "RANGE")]
    assert agenda["Projection"] == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["status", "version", "seq"],
    }
    types = {
        each["AttributeName"]: each["AttributeType"]
        for each in tables["BookTable"]["AttributeDefinitions"]
    }
    assert types == {
        config.PARTITION_KEY: "S",
        config.SORT_KEY: "S",
        config.AGENDA_PARTITION: "N",
        config.AGENDA_SORT: "S",
    }


@pytest.mark.parametrize("name", ["FilesBucket", "EvidenceBucket", "AccessLogsBucket"])
def test_a_bucket_is_private_encrypted_and_kept(template: Template, name: str) -> None:
    bucket = template.of("S3::Bucket")[name]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert algorithm == ("AES256" if name == "AccessLogsBucket" else "aws:kms")
    assert template.resource(name)["DeletionPolicy"] == "Retain"


def test_a_manifest_in_the_inbox_is_announced_without_a_custom_resource(template: Template) -> None:
    bucket = template.of("S3::Bucket")["FilesBucket"]
    (announced,) = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert template.word(announced["Queue"]) == "FilesQueue"
    assert announced["Event"] == "s3:ObjectCreated:*"
    assert announced["Filter"]["S3Key"]["Rules"] == [
        {"Name": "prefix", "Value": config.INBOX},
        {"Name": "suffix", "Value": f"/{config.MANIFEST}"},
    ]
    assert len(template.of("Lambda::Function")) == len(FUNCTIONS), "no function but ours"
    (policy,) = [
        name
        for name, each in template.of("SQS::QueuePolicy").items()
        if template.word(each["Queues"][0]) == "FilesQueue"
    ]
    assert policy in template.resource("FilesBucket")["DependsOn"]


def test_the_announcement_is_allowed_for_the_bucket_that_makes_it(template: Template) -> None:
    bucket = template.of("S3::Bucket")["FilesBucket"]["BucketName"]
    sources = [
        statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        for policy in template.of("SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "s3.amazonaws.com"}
    ]
    assert sources == [f"arn:aws:s3:::{bucket}"]


# Fan-out and feedback


@pytest.mark.parametrize("channel", sorted(catalogue.DELIVERIES))
def test_a_channel_gets_its_own_messages_raw(template: Template, channel: str) -> None:
    subscription = template.of("SNS::Subscription")[f"{title(channel)}Subscription"]
    assert template.word(subscription["TopicArn"]) == "ContactsTopic"
    assert template.word(subscription["Endpoint"]) == f"{title(channel)}Queue"
    assert subscription["FilterPolicy"] == {config.CHANNEL_ATTRIBUTE: [channel]}
    assert subscription["RawMessageDelivery"] is True
    redrive = subscription["RedrivePolicy"]["deadLetterTargetArn"]
    assert template.word(redrive) == f"{title(channel)}DeadLetters"


def test_what_the_provider_says_comes_back_encrypted(template: Template) -> None:
    (destination,) = template.of("SES::ConfigurationSetEventDestination").values()
    event = destination["EventDestination"]
    assert template.word(destination["ConfigurationSetName"]) == "ConfigurationSet"
    assert template.word(event["SnsDestination"]["TopicARN"]) == "FeedbackTopic"
    assert event["Enabled"] is True
    assert set(event["MatchingEventTypes"]) == {
        *("send", "delivery", "bounce", "complaint"),
        *("reject", "renderingFailure", "deliveryDelay"),
    }
    subscription = template.of("SNS::Subscription")["FeedbackSubscription"]
    assert template.word(subscription["Endpoint"]) == "FeedbackQueue"
    assert "FilterPolicy" not in subscription
    assert template.word(template.of("SNS::Topic")["FeedbackTopic"]["KmsMasterKeyId"]) == "DataKey"


def test_the_sender_signs_for_its_domain(template: Template) -> None:
    (identity,) = template.of("SES::EmailIdentity").values()
    assert identity["EmailIdentity"] == "betimes.example"
    assert (
        template.word(identity["ConfigurationSetAttributes"]["ConfigurationSetName"])
        == "ConfigurationSet"
    )


# Schedules and alarms

_RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_CRON_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))


def is_valid(expression: str) -> bool:
    """Whether EventBridge Scheduler takes an expression: a rate, or a cron of numbers and wildcards with one "?"."""
    if _RATE.fullmatch(expression):
        return True
    found = _CRON.fullmatch(expression)
    if found is None or (found[3] == "?") == (found[5] == "?"):
        return False
    return all(
        each in ("*", "?") or (each.isdigit() and low <= int(each) <= high)
        for each, (low, high) in zip(found.groups(), _CRON_LIMITS, strict=True)
    )


@pytest.mark.parametrize(
    "wrong",
    ["rate(1 minutes)", "rate(0 minutes)", "cron(0 17 * * * *)", "cron(0 24 * * ? *)", "cron(0 9)"],
)
def test_a_wrong_expression_is_seen(wrong: str) -> None:
    assert not is_valid(wrong)


def test_there_is_a_tick_and_a_close_and_no_schedule_a_reminder(template: Template) -> None:
    found = template.of("Scheduler::Schedule")
    assert {each["ScheduleExpression"] for each in found.values()} == {
        "rate(1 minute)",
        "cron(0 17 * * ? *)",
    }
    for each in found.values():
        assert is_valid(each["ScheduleExpression"])
        assert "ScheduleExpressionTimezone" not in each, "zones are ours to compute"
        assert each["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert template.word(each["Target"]["DeadLetterConfig"]["Arn"]) == "ScheduleFailures"
        assert template.word(each["Target"]["RoleArn"]) == "ScheduleRole"


def test_a_scheduled_call_that_fails_is_kept(template: Template) -> None:
    """The scheduler calls asynchronously, so Lambda has to have a place for what a function did not do."""
    kept = {
        template.word(each["FunctionName"]): template.word(
            each["DestinationConfig"]["OnFailure"]["Destination"]
        )
        for each in template.of("Lambda::EventInvokeConfig").values()
    }
    assert kept == {f"{title(spec.function)}Function": "ScheduleFailures" for spec in SCHEDULES}


@pytest.mark.parametrize("metric", ["Undecided", "StaleFeeds", "ProofsEnding"])
def test_what_the_close_of_day_counts_is_an_alarm(template: Template, metric: str) -> None:
    """Work that nobody decided, and repayments that are not fresh: one is enough."""
    alarm = template.of("CloudWatch::Alarm")[f"{metric}Alarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (config.METRICS_NAMESPACE, metric)
    service = variables_of(template, "on_close_day")["POWERTOOLS_SERVICE_NAME"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    assert alarm["Threshold"] == 1
    assert alarm["Statistic"] == "Maximum"


def test_a_clock_that_stopped_is_an_alarm(template: Template) -> None:
    for name in ("OnTick", "OnCloseDay"):
        alarm = template.of("CloudWatch::Alarm")[f"{name}StoppedAlarm"]
        assert alarm["TreatMissingData"] == "breaching"
        assert alarm["ComparisonOperator"] == "LessThanThreshold"


def test_every_alarm_says_what_is_wrong_and_tells_somebody(template: Template) -> None:
    for name, alarm in template.of("CloudWatch::Alarm").items():
        assert [template.word(each) for each in alarm["AlarmActions"]] == ["AlarmTopic"], name
        assert len(alarm["AlarmDescription"]) > 30, name


# The API


def test_every_route_needs_a_signature_and_leaves_a_line(template: Template) -> None:
    is_open = {
        route["RouteKey"]: route["AuthorizationType"] != "AWS_IAM"
        for route in template.of("ApiGatewayV2::Route").values()
    }
    # A borrower signs in nowhere: what a link may do stands in its token.
    pages = {f"{method} /l/{{token}}" for method in ("GET", "HEAD", "POST")}
    assert {key for key, open_ in is_open.items() if open_} == pages
    assert "ANY /{proxy+}" in is_open
    (stage,) = template.of("ApiGatewayV2::Stage").values()
    assert template.word(stage["AccessLogSettings"]["DestinationArn"]) == "HttpApiLog"
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    line = stage["AccessLogSettings"]["Format"]
    assert "sourceIp" not in line
    assert "$context.path" not in line, "ids of accounts stand in paths"


# Settings, local and otherwise


def test_runtime_and_architecture_are_settings(pocket: Template) -> None:
    for function in pocket.of("Lambda::Function").values():
        assert (function["Runtime"], function["Architectures"]) == ("python3.12", ["x86_64"])
    (layer,) = pocket.of("Lambda::LayerVersion").values()
    assert layer["CompatibleRuntimes"] == ["python3.12"]


def test_only_the_local_stage_has_a_shifted_clock(template: Template, pocket: Template) -> None:
    for spec in FUNCTIONS:
        assert Env.CLOCK_OFFSET not in variables_of(template, spec.name)
        shifted = variables_of(pocket, spec.name)
        assert Settings.read(shifted).clock_offset_s == -3600


def test_the_local_stage_leaves_nothing_behind(pocket: Template) -> None:
    for kind in ("DynamoDB::Table", "S3::Bucket", "KMS::Key"):
        for name in pocket.of(kind):
            assert pocket.resource(name)["DeletionPolicy"] == "Delete", name
    for table in pocket.of("DynamoDB::Table").values():
        assert not table.get("DeletionProtectionEnabled")


def test_both_stages_have_the_same_resources_but_for_the_mailbox(
    template: Template, pocket: Template
) -> None:
    """What runs on one machine is what is deployed: no second description of the system."""
    assert set(pocket.body["Resources"]) - {"AlarmMailbox"} == set(template.body["Resources"])


def test_everything_that_can_carry_tags_does(pocket: Template) -> None:
    wanted = {"project": "betimes", "betimes:stage": "local", "team": "loans"}
    for kind in ("DynamoDB::Table", "SQS::Queue", "SNS::Topic", "S3::Bucket", "Lambda::Function"):
        for name, each in pocket.of(kind).items():
            tags = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            assert wanted.items() <= tags.items(), name


# The template as a whole


def test_outputs_name_everything_a_deployment_is_used_by(template: Template) -> None:
    constants = {
        value
        for name, value in inspect.getmembers(outputs)
        if name[0].isalpha() and name.isupper() and isinstance(value, str)
        # There is one where a gateway sends.
    } - {outputs.GATEWAY_KEY}
    wanted = {
        *constants,
        *(outputs.function_name(spec.name) for spec in FUNCTIONS),
        *(outputs.queue_url(spec.name) for spec in WORK_QUEUES),
        *(outputs.dead_letters_url(spec.name) for spec in WORK_QUEUES),
        *(outputs.failures_url(name) for name in (*catalogue.TABLES, catalogue.SCHEDULE)),
    }
    assert set(template.outputs) == wanted
    assert template.word(template.outputs[outputs.BOOK_TABLE]) == "BookTable"
    assert template.word(template.outputs[outputs.queue_url(catalogue.SWEEP)]) == "SweepQueue"
    assert template.word(template.outputs[outputs.function_name("on_tick")]) == "OnTickFunction"


def test_no_secret_stands_in_the_template(template: Template) -> None:
    text = json.dumps(template.body)
    assert not re.search(r"AKIA[0-9A-Z]{16}|-----BEGIN|xox[bap]-", text)
    for spec in FUNCTIONS:
        for name in variables_of(template, spec.name):
            assert not re.search(r"SECRET|TOKEN|PASSWORD|CREDENTIAL|API_KEY", name), name
    assert not template.of("IAM::User")
    assert not template.of("IAM::AccessKey")


def test_the_template_stays_far_from_the_limits(template: Template) -> None:
    """CloudFormation takes a megabyte and 500 resources."""
    size = len(json.dumps(template.body))
    resources = len(template.body["Resources"])
    print(f"template: {size:,} bytes, {resources} resources")
    assert size < 1_000_000
    assert resources < 400


def test_a_template_without_code_refuses_to_be_deployed(template: Template) -> None:
    rule = template.body["Rules"]["CodeIsBundled"]["Assertions"][0]["Assert"]
    accepted, given = rule["Fn::Contains"]
    assert given == {"Ref": "Bundle"}
    assert template.body["Parameters"]["Bundle"]["Default"] not in accepted


def test_cfn_lint_has_no_complaint(cloud: Any) -> None:
    """W3005 is CDK's own DependsOn, harmless."""
    (path,) = cloud.folder.glob("*.template.json")
    linter = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run(
        [str(linter), "--ignore-checks", "W3005", "--", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_key_that_everybody_knows_signs_on_a_developer_s_machine_only(
    template: Template, pocket: Template
) -> None:
    """A deployment's first key is made by AWS and stands in no template."""
    assert LOCAL_LINK_KEY in str(pocket.resource("LinkKeys"))
    assert LOCAL_LINK_KEY not in str(template.body)
    made = template.resource("LinkKeys")["Properties"]
    assert "SecretString" not in made
    assert made["GenerateSecretString"]["PasswordLength"] == KEY_LENGTH


def test_links_have_a_bound_of_their_own(template: Template) -> None:
    """Whoever tries tokens leaves the lenders' requests their room, and every route named exists by then."""
    stage = template.resource("HttpApiStage")
    bounds = stage["Properties"]["RouteSettings"]
    routes = {
        name: each["RouteKey"]
        for name, each in template.of("ApiGatewayV2::Route").items()
        if "/l/{token}" in each["RouteKey"]
    }
    assert set(bounds) == set(routes.values())
    general = stage["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert all(0 < each["ThrottlingRateLimit"] < general for each in bounds.values())
    assert set(routes) <= set(stage["DependsOn"])
