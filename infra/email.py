"""E-mail: the sender's SES identity, the configuration set every message names, and the events that come back.

Events go to SNS and from there into the feedback queue (delivery of SES events through EventBridge is best effort
only).
"""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_ses as ses
from constructs import Construct

from infra.feedback import Feedback
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
    """`identity` and `configuration_set`; what SES reports goes to `feedback`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        feedback: Feedback,
    ) -> None:
        super().__init__(scope, construct_id)
        self.configuration_set = ses.ConfigurationSet(
            self,
            "ConfigurationSet",
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
            reputation_metrics=True,
        )
        pin(self.configuration_set, "ConfigurationSet")
        self._publish_events(feedback)
        self.identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(settings.sender_domain),
            configuration_set=self.configuration_set,
            # The event destination says it all; a second copy by mail would go to the sender's mailbox.
            feedback_forwarding=False,
        )
        pin(self.identity, "SenderIdentity")

    def _publish_events(self, feedback: Feedback) -> None:
        permission = feedback.admit("ses.amazonaws.com", "EventsOfSes")
        destination = ses.CfnConfigurationSetEventDestination(
            self,
            "Events",
            configuration_set_name=self.configuration_set.configuration_set_name,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name="feedback",
                enabled=True,
                matching_event_types=[_wire_name(event) for event in EVENTS],
                sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                    topic_arn=feedback.topic.topic_arn
                ),
            ),
        )
        pin(destination, "FeedbackEvents")
        # SES tries the topic when the destination is made, so the permission has to stand first.
        if permission is not None:
            destination.node.add_dependency(permission)


def _wire_name(event: ses.EmailSendingEvent) -> str:
    """Return the spelling of CloudFormation: `DELIVERY_DELAY` becomes `deliveryDelay`."""
    first, *rest = str(event.name).lower().split("_")
    return first + "".join(part.capitalize() for part in rest)
