"""E-mail: the sender's SES identity, the configuration set every message names, and the events that come back.

Events go to SNS and from there into the feedback queue (delivery of SES events through EventBridge is best effort
only).
"""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.fanout import subscribe
from infra.logical import pin
from infra.settings import InfraSettings

# What `on_feedback` has a transition for. Opens and clicks are not asked for: they are tracking, not evidence.
EVENTS: Final = (
    ses.EmailSendingEvent.SEND,
    ses.EmailSendingEvent.DELIVERY,
    ses.EmailSendingEvent.BOUNCE,
    ses.EmailSendingEvent.COMPLAINT,
    ses.EmailSendingEvent.REJECT,
    ses.EmailSendingEvent.RENDERING_FAILURE,
    ses.EmailSendingEvent.DELIVERY_DELAY,
)


class Email(Construct):
    """`identity`, `configuration_set` and the `feedback` topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        key: kms.IKey,
        feedback_queue: sqs.Queue,
        feedback_dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        # Bounces and complaints name the recipient, so the topic is encrypted like the queue behind it.
        self.feedback = sns.Topic(self, "Feedback", enforce_ssl=True, master_key=key)
        pin(self.feedback, "FeedbackTopic")
        subscribe(
            self.feedback,
            feedback_queue,
            feedback_dead_letters,
            logical_id="FeedbackSubscription",
        )
        self.configuration_set = ses.ConfigurationSet(
            self,
            "ConfigurationSet",
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
            reputation_metrics=True,
        )
        pin(self.configuration_set, "ConfigurationSet")
        self._publish_events(settings)
        self.identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(settings.sender_domain),
            configuration_set=self.configuration_set,
            # The event destination says it all; a second copy by mail would go to the sender's mailbox.
            feedback_forwarding=False,
        )
        pin(self.identity, "SenderIdentity")

    def _publish_events(self, settings: InfraSettings) -> None:
        permission = self.feedback.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsOfSes",
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.feedback.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": settings.account}},
            )
        )
        destination = ses.CfnConfigurationSetEventDestination(
            self,
            "Events",
            configuration_set_name=self.configuration_set.configuration_set_name,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name="feedback",
                enabled=True,
                matching_event_types=[_wire_name(event) for event in EVENTS],
                sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                    topic_arn=self.feedback.topic_arn
                ),
            ),
        )
        pin(destination, "FeedbackEvents")
        # SES tries the topic when the destination is made, so the permission has to stand first.
        if permission.policy_dependable is not None:
            destination.node.add_dependency(permission.policy_dependable)


def _wire_name(event: ses.EmailSendingEvent) -> str:
    """Return the spelling of CloudFormation: `DELIVERY_DELAY` becomes `deliveryDelay`."""
    first, *rest = str(event.name).lower().split("_")
    return first + "".join(part.capitalize() for part in rest)
