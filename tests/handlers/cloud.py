"""The deployment in moto: tables, queues, topics and buckets as the synthesized template defines them.

Nothing of the deployment is described a second time: what a function is told, who reads which queue or stream, in
batches of what size and through which filter, all of it is read from the template.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.ses.models import ses_backends
from moto.sqs.models import sqs_backends

from betimes.adapters import clients
from betimes.adapters.attributes import Item
from infra.template import Template
from tests.contracts.tables import ANSWERING

# With its stream a table of a handler's test answers as in the cloud; tables of the contract tests have none.
TABLE_KEYS = (*ANSWERING, "StreamSpecification")
KINDS = (
    "DynamoDB::Table",
    "Lambda::EventSourceMapping",
    "Lambda::Function",
    "S3::Bucket",
    "SES::ConfigurationSet",
    "SecretsManager::Secret",
    "SNS::Subscription",
    "SNS::Topic",
    "SQS::Queue",
)
REGION = "us-east-1"
# The sender of the default settings.
SENDER = "reminders@betimes.example"
SERVICES = ("dynamodb", "dynamodbstreams", "s3", "secretsmanager", "sesv2", "sns", "sqs")


def synthesized(folder: Path) -> Template:
    """Return the template with default settings, less what no handler meets; functions have no code in it."""
    # CDK takes seconds to import, and most runs find the template of an earlier one.
    from infra.app import build
    from infra.settings import BUNDLE_NONE, InfraSettings

    build(InfraSettings(bundle=BUNDLE_NONE), folder).synth()
    whole = Template.in_folder(folder)
    kept = {f"AWS::{kind}" for kind in KINDS}
    resources = whole.body["Resources"]
    return Template({"Resources": {k: r for k, r in resources.items() if r["Type"] in kept}})


@dataclass(frozen=True, slots=True)
class Source:
    """An event source mapping: the queue or table it reads, the function it calls, and what it lets through."""

    source: str
    is_stream: bool
    function: str
    batch: int
    patterns: tuple[Mapping[str, Any], ...]

    def lets_through(self, record: Mapping[str, Any]) -> bool:
        """Whether the function gets this record: any pattern fits, or there is none."""
        return not self.patterns or any(fits(pattern, record) for pattern in self.patterns)


def fits(pattern: object, value: object) -> bool:
    """Return whether an event fits a filter pattern: every key of it, any entry of a list.

    Source: Lambda developer guide, "Filter rule syntax".
    """
    match pattern:
        case dict():
            return isinstance(value, Mapping) and all(
                key in value and fits(wanted, value[key]) for key, wanted in pattern.items()
            )
        case list():
            return any(_fits_one(wanted, value) for wanted in pattern)
    raise AssertionError(f"a filter pattern of an unknown form: {pattern!r}")


def _fits_one(wanted: object, value: object) -> bool:
    match wanted:
        case {"prefix": str(prefix)}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"anything-but": list(others)}:
            return value not in others
        case str() | bool():
            return value == wanted
    raise AssertionError(f"a filter rule of an unknown form: {wanted!r}")


class Cloud:
    """What the template describes, made in moto; everything is found by its logical id."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.client = {service: clients.client(service) for service in SERVICES}
        self.refs: dict[str, str] = {}
        self.arns: dict[str, str] = {}
        self.streams: dict[str, str] = {}
        self._make_tables()
        self._make_queues()
        self._make_topics()
        self._make_buckets()
        self._make_secrets()
        # moto knows no GetAccount: an account out of its sandbox.
        self.client["sesv2"].get_account = lambda: {
            "SendQuota": {
                "Max24HourSend": 50_000.0,
                "MaxSendRate": 1_000.0,
                "SentLast24Hours": 0.0,
            },
            "SendingEnabled": True,
        }
        self.client["sesv2"].create_email_identity(EmailIdentity=SENDER)
        for name in template.of("SES::ConfigurationSet"):
            self.client["sesv2"].create_configuration_set(ConfigurationSetName=name)
            self.refs[name] = name

    def _make_tables(self) -> None:
        for name, properties in self.template.of("DynamoDB::Table").items():
            definition = {key: properties[key] for key in TABLE_KEYS if key in properties}
            if "StreamSpecification" in definition:
                definition["StreamSpecification"] = {
                    "StreamEnabled": True,
                    **definition["StreamSpecification"],
                }
            made = self.client["dynamodb"].create_table(TableName=name, **definition)
            self.refs[name] = name
            if "StreamSpecification" in definition:
                self.streams[name] = made["TableDescription"]["LatestStreamArn"]

    def _make_secrets(self) -> None:
        for name, properties in self.template.of("SecretsManager::Secret").items():
            text = properties.get("SecretString")
            if text is None:
                made = properties["GenerateSecretString"]
                text = json.dumps(
                    {
                        **json.loads(made["SecretStringTemplate"]),
                        made["GenerateStringKey"]: "k" * made["PasswordLength"],
                    }
                )
            stored = self.client["secretsmanager"].create_secret(Name=name, SecretString=text)
            self.refs[name] = stored["ARN"]

    def _make_queues(self) -> None:
        queues = self.template.of("SQS::Queue")
        # Dead letters first: the others refer to them.
        for name in sorted(queues, key=lambda name: "RedrivePolicy" in queues[name]):
            attributes = {
                key: str(queues[name][key])
                for key in ("VisibilityTimeout", "MessageRetentionPeriod")
                if key in queues[name]
            }
            if redrive := queues[name].get("RedrivePolicy"):
                attributes["RedrivePolicy"] = json.dumps(
                    {**redrive, "deadLetterTargetArn": self.arn(redrive["deadLetterTargetArn"])}
                )
            url = self.client["sqs"].create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
            self.refs[name] = url
            self.arns[name] = self.client["sqs"].get_queue_attributes(
                QueueUrl=url, AttributeNames=["QueueArn"]
            )["Attributes"]["QueueArn"]

    def _make_topics(self) -> None:
        for name in self.template.of("SNS::Topic"):
            self.refs[name] = self.client["sns"].create_topic(Name=name)["TopicArn"]
        for properties in self.template.of("SNS::Subscription").values():
            if properties["Protocol"] != "sqs":
                continue
            attributes = {"RawMessageDelivery": json.dumps(properties["RawMessageDelivery"])}
            if policy := properties.get("FilterPolicy"):
                attributes["FilterPolicy"] = json.dumps(policy)
            self.client["sns"].subscribe(
                TopicArn=self.refs[properties["TopicArn"]["Ref"]],
                Protocol="sqs",
                Endpoint=self.arn(properties["Endpoint"]),
                Attributes=attributes,
            )

    def _make_buckets(self) -> None:
        for name, properties in self.template.of("S3::Bucket").items():
            bucket = properties["BucketName"]
            self.client["s3"].create_bucket(Bucket=bucket)
            self.refs[name] = bucket
            announced = properties.get("NotificationConfiguration", {}).get("QueueConfigurations")
            if announced:
                self.client["s3"].put_bucket_notification_configuration(
                    Bucket=bucket,
                    NotificationConfiguration={
                        "QueueConfigurations": [self._announcement(each) for each in announced]
                    },
                )

    def _announcement(self, configured: Mapping[str, Any]) -> dict[str, Any]:
        rules = configured["Filter"]["S3Key"]["Rules"]
        return {
            "QueueArn": self.arn(configured["Queue"]),
            "Events": [configured["Event"]],
            "Filter": {"Key": {"FilterRules": rules}},
        }

    def arn(self, reference: Mapping[str, Any]) -> str:
        """Return the ARN of a queue that the template refers to by Fn::GetAtt."""
        return self.arns[reference["Fn::GetAtt"][0]]

    # What the functions are

    def functions(self) -> Iterator[tuple[str, ModuleType, dict[str, str]]]:
        """Yield each function's logical id, its handler's module, and the environment it is given."""
        for name, properties in self.template.of("Lambda::Function").items():
            module, _, attribute = properties["Handler"].rpartition(".")
            assert attribute == "handler"
            variables = properties["Environment"]["Variables"]
            environment = {
                key: value if isinstance(value, str) else self.refs[value["Ref"]]
                for key, value in variables.items()
            }
            yield name, importlib.import_module(module), environment

    def mappings(self) -> list[Source]:
        """Return all event source mappings."""
        return [
            Source(
                source=properties["EventSourceArn"]["Fn::GetAtt"][0],
                is_stream=properties["EventSourceArn"]["Fn::GetAtt"][1] == "StreamArn",
                function=properties["FunctionName"]["Ref"],
                batch=properties["BatchSize"],
                patterns=tuple(
                    json.loads(each["Pattern"])
                    for each in properties.get("FilterCriteria", {}).get("Filters", ())
                ),
            )
            for properties in self.template.of("Lambda::EventSourceMapping").values()
        ]

    # What is in it

    def empty(self) -> None:
        """Take everything out, past moto's API: making all of it anew for each test would take most of the time."""
        for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables.values():
            table.items.clear()
            if table.stream_shard is not None:
                table.stream_shard.items.clear()
        for queue in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values():
            queue._messages.clear()
            queue._pending_messages.clear()
        for bucket in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.values():
            bucket.keys.clear()
        ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages.clear()

    def items(self, table: str) -> list[Item]:
        """Return every item of a table in order of key."""
        answer = self.client["dynamodb"].scan(TableName=self.refs[table])
        assert "LastEvaluatedKey" not in answer, "a table of a test is tiny"
        found: list[Item] = answer["Items"]
        return sorted(found, key=lambda item: (item["pk"]["S"], item.get("sk", {"S": ""})["S"]))

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Return the objects of a bucket by key, in order."""
        listed = self.client["s3"].list_objects_v2(Bucket=self.refs[bucket], Prefix=prefix)
        return {
            entry["Key"]: self.object(bucket, entry["Key"]) for entry in listed.get("Contents", ())
        }

    def object(self, bucket: str, key: str) -> bytes:
        """Return one object."""
        body: bytes = self.client["s3"].get_object(Bucket=self.refs[bucket], Key=key)["Body"].read()
        return body

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object; the bucket announces it where the template says so."""
        self.client["s3"].put_object(Bucket=self.refs[bucket], Key=key, Body=body)

    # Without a call: most looks at a queue or a stream find nothing, and a call to moto takes some milliseconds.

    def has_messages(self, queue: str) -> bool:
        """Whether a queue has messages to be received now."""
        found = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[queue]
        return bool(found.approximate_number_of_messages)

    def records(self, table: str) -> int:
        """Return how many records a table's stream has held so far."""
        found = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table]
        assert found.stream_shard is not None
        return len(found.stream_shard.items)

    def waiting(self, queue: str) -> int:
        """Return how many messages are on a queue, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client["sqs"].get_queue_attributes(
            QueueUrl=self.refs[queue], AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)
