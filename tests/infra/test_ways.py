"""Who sends on each channel is a setting: the template has what that provider needs, and nothing of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from betimes.config import Env
from infra import app
from infra.nag import guard
from infra.residency import closed_channels
from infra.settings import InfraSettings
from infra.template import Statement, Template


def made(folder: Path, **settings: str) -> Template:
    """Return the template of a deployment, which passed the guard."""
    built = app.build(InfraSettings(**settings), folder)  # type: ignore[arg-type]  # All are text here.
    guard(built)
    built.synth()
    return Template.in_folder(folder)


def actions(template: Template, role: str) -> set[tuple[str, str]]:
    """Return (resource, action) of all that a role allows."""
    return {
        (each.resource, each.action) for each in template.statements(role) if each.effect == "Allow"
    }


def variable(template: Template, function: str, name: str) -> str:
    """Return what a function is told under a name, references as words."""
    properties = template.of("Lambda::Function")[function]
    return template.word(properties["Environment"]["Variables"][name])


@pytest.fixture(scope="module")
def no_aws(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A deployment whose messages no service of AWS sends."""
    return made(
        tmp_path_factory.mktemp("no_aws"),
        providers="email=sim,sms=http:twilio,push=sim",
        gateway_account="acme/Acme",
        rates="sms=5",
        daily_limits="acme/sms=200",
    )


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Text messages through End User Messaging and push through SNS, no e-mail at all."""
    return made(tmp_path_factory.mktemp("texts"), providers="sms=eum,push=sns")


def test_the_platform_needs_no_provider_of_aws(no_aws: Template) -> None:
    """No identity, no topic of reports, no right to send; reports of the simulator go to the queue by themselves."""
    kinds = {each["Type"] for each in no_aws.body["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::SES", "AWS::SMSVOICE"))]
    sending = {
        action
        for name in ("OnDeliveryEmailRole", "OnDeliverySmsRole", "OnDeliveryPushRole")
        for _, action in actions(no_aws, name)
    }
    assert not [each for each in sending if each.startswith(("ses:", "sns:", "sms-voice:"))]
    assert "FeedbackTopic" not in no_aws.of("SNS::Topic")
    assert ("FeedbackQueue", "sqs:SendMessage") in actions(no_aws, "OnDeliveryEmailRole")
    assert "OnFeedbackFunction" in no_aws.of("Lambda::Function")
    assert variable(no_aws, "OnDeliveryPushFunction", Env.FEEDBACK_QUEUE) == "FeedbackQueue"


def test_a_gateway_gets_its_secret_and_nothing_else(no_aws: Template) -> None:
    """The one function that sends text messages may read it."""
    readers = {
        role
        for role in no_aws.of("IAM::Role")
        if any("GatewayKey" in each for each, _ in actions(no_aws, role))
    }
    assert readers == {"OnDeliverySmsRole"}
    assert variable(no_aws, "OnDeliverySmsFunction", Env.GATEWAY_KEY) == "GatewayKey"
    assert variable(no_aws, "OnDeliverySmsFunction", Env.GATEWAY_ACCOUNT) == "acme/Acme"
    assert variable(no_aws, "OnDeliverySmsFunction", Env.RATES) == "sms=5"
    assert variable(no_aws, "OnDeliverySmsFunction", Env.DAILY_LIMITS) == "acme/sms=200"


def test_the_tenants_servers_are_known_to_their_sender_alone(
    tmp_path_factory: pytest.TempPathFactory, no_aws: Template
) -> None:
    """Who asks nobody over https has no such secret; it is made without any tenant."""
    assert "Webhooks" not in no_aws.of("SecretsManager::Secret")
    asking = made(tmp_path_factory.mktemp("webhook"), providers="webhook=https")
    assert asking.of("SecretsManager::Secret")["Webhooks"]["SecretString"] == "{}"
    readers = {
        role
        for role in asking.of("IAM::Role")
        if any("Webhooks" in each for each, _ in actions(asking, role))
    }
    assert readers == {"OnDeliveryWebhookRole"}
    assert variable(asking, "OnDeliveryWebhookFunction", Env.WEBHOOKS) == "Webhooks"


def test_the_inbox_is_written_by_its_sender_and_told_of_by_the_api(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Nobody else reaches what borrowers read, and no service of AWS sends it."""
    own = made(tmp_path_factory.mktemp("inbox"), providers="inbox=own")
    found = {
        (role, action)
        for role in own.of("IAM::Role")
        for resource, action in actions(own, role)
        if resource == "InboxTable"
    }
    assert found == {
        ("OnDeliveryInboxRole", "dynamodb:PutItem"),
        ("OnRequestRole", "dynamodb:Query"),
        ("OnRequestRole", "dynamodb:UpdateItem"),
    }


def test_text_messages_of_end_user_messaging_report_to_the_topic(texts: Template) -> None:
    """Its events go to the topic, which admits this service alone, and from there into the queue."""
    [made] = texts.of("SMSVOICE::ConfigurationSet").values()
    [destination] = made["EventDestinations"]
    assert texts.word(destination["SnsDestination"]["TopicArn"]) == "FeedbackTopic"
    assert destination["MatchingEventTypes"] == ["TEXT_ALL"]
    publishers = {
        statement["Principal"]["Service"]
        for policy in texts.of("SNS::TopicPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }
    assert publishers == {"sms-voice.amazonaws.com"}
    key = texts.of("KMS::Key")["DataKey"]["KeyPolicy"]["Statement"]
    services = [each["Principal"]["Service"] for each in key if "Service" in each["Principal"]]
    assert services == [["sms-voice.amazonaws.com", "sns.amazonaws.com"]]
    assert variable(texts, "OnDeliverySmsFunction", Env.SMS_CONFIGURATION_SET) == "betimes-dev"


def test_each_sends_by_its_own_service_only(texts: Template) -> None:
    """Text messages may not be sent past the configuration set, and push goes to endpoints of this account."""
    arn = "arn:aws:sms-voice:us-east-1:000000000000"
    allowed = {
        resource
        for resource, action in actions(texts, "OnDeliverySmsRole")
        if action == "sms-voice:SendTextMessage"
    }
    assert allowed == {
        f"{arn}:configuration-set/betimes-dev",
        *(f"{arn}:{kind}/*" for kind in ("pool", "phone-number", "sender-id")),
    }
    assert not [each for _, each in actions(texts, "OnDeliverySmsRole") if each == "sns:Publish"]
    push = Statement("Allow", "sns:Publish", "arn:aws:sns:us-east-1:000000000000:endpoint/*")
    assert push in set(texts.statements("OnDeliveryPushRole"))


def test_a_channel_without_a_provider_keeps_its_queue(texts: Template) -> None:
    """What is meant for it waits where an alarm sees it."""
    assert "OnDeliveryEmailFunction" not in texts.of("Lambda::Function")
    assert "EmailQueue" in texts.of("SQS::Queue")
    assert "EmailQueueAgeAlarm" in texts.of("CloudWatch::Alarm")
    readers = {
        texts.word(each["EventSourceArn"])
        for each in texts.of("Lambda::EventSourceMapping").values()
    }
    assert "EmailQueue" not in readers


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"providers": "fax=ses"}, "'fax' is no channel"),
        ({"providers": "email=gmail"}, "email is sent by ses, sim"),
        ({"providers": "sms=http"}, "sms is sent by sns, eum, http:PROFILE, sim"),
        ({"providers": "sms=sns:x"}, "sms is sent by"),
        ({"providers": "sms=sns,sms=eum"}, "named twice"),
        ({"providers": "sms"}, "is no NAME=VALUE"),
        ({"providers": "sms=http:nobody"}, "http: and one of twilio"),
        ({"providers": "sms=http:twilio"}, "NAME/SENDER"),
        ({"rates": "sms=0"}, "whole number above 0"),
        ({"rates": "fax=1"}, "is no channel"),
        ({"daily_limits": "sms=200"}, "no TENANT/CHANNEL"),
        ({"daily_limits": "acme/sms=2.5"}, "whole number above 0"),
    ],
)
def test_what_cannot_be_deployed_is_refused_in_words(settings: dict[str, str], says: str) -> None:
    """The message says what there is instead."""
    with pytest.raises(ValueError, match=says):
        InfraSettings(**settings)  # type: ignore[arg-type]  # All are text here.


def test_in_china_only_what_aws_lacks_is_closed() -> None:
    """A gateway of the lender's own is open there."""
    gateway = InfraSettings(
        region="cn-north-1", providers="email=ses,sms=http:twilio", gateway_account="acme/Acme"
    )
    assert set(closed_channels("cn-north-1", gateway.ways)) == {"email"}
    assert closed_channels("eu-central-1", gateway.ways) == {}
