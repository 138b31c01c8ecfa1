"""Text messages through AWS End User Messaging: the configuration set that every message names, and its events.

Source: AWS End User Messaging SMS user guide, "Event types".
"""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_smsvoice as smsvoice
from constructs import Construct

from infra.feedback import Feedback
from infra.logical import pin
from infra.settings import InfraSettings

SERVICE: Final = "sms-voice.amazonaws.com"
# What `wire.end_user_messaging_events` reads.
EVENTS: Final = ("TEXT_ALL",)


class TextMessages(Construct):
    """`name` is that of the configuration set."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: InfraSettings, feedback: Feedback
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = f"betimes-{settings.stage}"
        permission = feedback.admit(SERVICE, "EventsOfTextMessages")
        made = smsvoice.CfnConfigurationSet(
            self,
            "ConfigurationSet",
            configuration_set_name=self.name,
            event_destinations=[
                smsvoice.CfnConfigurationSet.EventDestinationProperty(
                    event_destination_name="feedback",
                    enabled=True,
                    matching_event_types=list(EVENTS),
                    sns_destination=smsvoice.CfnConfigurationSet.SnsDestinationProperty(
                        topic_arn=feedback.topic.topic_arn
                    ),
                )
            ],
        )
        pin(made, "TextConfigurationSet")
        if permission is not None:
            made.node.add_dependency(permission)
