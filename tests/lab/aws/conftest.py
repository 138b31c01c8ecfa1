"""The pretend AWS and moto, to be asked the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from betimes.adapters import clients
from betimes.lab.aws import house
from betimes.lab.aws.cloud import Cloud
from betimes.lab.world import VirtualClock

REGION = "us-east-1"
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)

# Where moto answers otherwise than AWS documents, by the test that shows it; docs/fake-aws.md has the table.
MOTO_DIFFERS = {
    "test_a_token_makes_a_transaction_happen_once": "ignores ClientRequestToken",
    "test_a_token_with_other_parameters_is_refused": "ignores ClientRequestToken",
    "test_a_number_has_one_form": "keeps 1.00 as it was given",
    "test_a_number_has_38_digits": "takes longer numbers",
    "test_a_page_that_ends_with_the_last_item_names_it": "knows that nothing follows",
    "test_a_transaction_holds_four_megabytes": "takes more",
    "test_conditions[moto-#n > :v-names9-values9-False]": "compares texts with numbers",
    "test_a_put_that_is_wrong[moto-value missing]": "takes a value that is missing for nothing",
    "test_a_put_that_is_wrong[moto-name missing]": "takes a name that is missing for nothing",
    "test_a_put_that_is_wrong[moto-value unused]": "takes values that are not used",
    "test_a_put_that_is_wrong[moto-half a condition]": "reads half a condition",
    "test_a_query_that_is_wrong[moto-no limit]": "takes a limit of 0",
    "test_a_query_that_is_wrong[moto-no index]": "answers with another error",
    "test_a_query_that_is_wrong[moto-value unused]": "takes values that are not used",
}


@dataclass(frozen=True)
class Aws:
    """Clients by service, with a queue, a topic, a bucket and a secret."""

    client: Callable[[str], Any]
    queue: str
    topic: str
    bucket: str
    secret: str
    received: Callable[[str], list[str]]

    @property
    def db(self) -> Any:
        """The client of DynamoDB."""
        return self.client("dynamodb")


@pytest.fixture
def clock() -> VirtualClock:
    """The clock of the pretend AWS."""
    return VirtualClock(START)


@pytest.fixture
def cloud(clock: VirtualClock) -> Cloud:
    """A pretend AWS with the tables of the house."""
    made = Cloud(clock.now, random.Random(1))
    house.make_tables(made.dynamodb)
    return made


@pytest.fixture(scope="session")
def moto_clients() -> dict[str, Any]:
    """Clients that moto answers while `mock_aws` is on."""
    services = ("dynamodb", "sqs", "sns", "s3", "secretsmanager")
    return {service: clients.client(service, region=REGION) for service in services}


@pytest.fixture(params=["pretend", "moto"])
def aws(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[Aws]:
    """One implementation; every test that takes it runs once for each."""
    if request.param == "pretend":
        yield _pretend(cloud)
        return
    differs = [MOTO_DIFFERS.get(name) for name in (request.node.originalname, request.node.name)]
    for reason in filter(None, differs):
        request.applymarker(pytest.mark.xfail(reason=f"moto {reason}", strict=True))
    with mock_aws():
        yield _moto(request.getfixturevalue("moto_clients"))


def _pretend(cloud: Cloud) -> Aws:
    from betimes.lab.aws.messages import Subscription

    cloud.messages.make_queue("https://sqs/email")
    cloud.messages.make_queue("https://sqs/sms")
    cloud.messages.make_topic(
        "arn:contacts", [Subscription("https://sqs/email", "channel", ("email",))]
    )
    cloud.objects.make("files")
    cloud.secrets.texts["key"] = "a text"

    def received(url: str) -> list[str]:
        return [record["body"] for record in cloud.messages.receive(url)]

    made: dict[str, Any] = {}
    return Aws(
        lambda service: made.setdefault(service, cloud.client(service)),
        "https://sqs/email",
        "arn:contacts",
        "files",
        "key",
        received,
    )


def _moto(found: dict[str, Any]) -> Aws:
    for name, definition in house.DEFINITIONS.items():
        without = {key: part for key, part in definition.items() if key != "StreamSpecification"}
        found["dynamodb"].create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **without)
    sqs, sns = found["sqs"], found["sns"]
    queue = sqs.create_queue(QueueName="email")["QueueUrl"]
    topic = sns.create_topic(Name="contacts")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": '{"channel": ["email"]}'},
    )
    found["s3"].create_bucket(Bucket="files")
    found["secretsmanager"].create_secret(Name="key", SecretString="a text")

    def received(url: str) -> list[str]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", ())]

    return Aws(found.__getitem__, queue, topic, "files", "key", received)
