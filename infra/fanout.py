"""Fan-out of contacts: one topic, one queue a channel, chosen by the message attribute `channel`.

Lenders and partners can subscribe to the same topic. A message that SNS cannot put into a channel's queue goes to that
channel's dead letters, so nothing is lost between the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from betimes.config import CHANNEL_ATTRIBUTE, CHANNELS
from betimes.outputs import title
from infra.logical import pin


class Fanout(Construct):
    """The topic `contacts` and its subscriptions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        work: Mapping[str, sqs.Queue],
        dead_letters: Mapping[str, sqs.Queue],
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        pin(self.topic, "ContactsTopic")
        for channel in CHANNELS:
            if channel not in work:
                continue
            subscribe(
                self.topic,
                work[channel],
                dead_letters[channel],
                logical_id=f"{title(channel)}Subscription",
                filter_policy={
                    CHANNEL_ATTRIBUTE: sns.SubscriptionFilter.string_filter(allowlist=[channel])
                },
            )


def subscribe(
    topic: sns.Topic,
    queue: sqs.Queue,
    dead_letters: sqs.Queue,
    *,
    logical_id: str,
    filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None,
) -> None:
    """Deliver `topic` raw into `queue`, and what cannot be delivered into `dead_letters`.

    Only this topic may write to either queue through SNS.
    """
    subscription = sns.Subscription(
        topic,
        logical_id,
        topic=topic,
        protocol=sns.SubscriptionProtocol.SQS,
        endpoint=queue.queue_arn,
        raw_message_delivery=True,
        filter_policy=filter_policy,
        dead_letter_queue=dead_letters,
    )
    pin(subscription, logical_id)
    # `sns.Subscription` itself lets the topic write to the dead letters.
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="DeliveryBySns",
            principals=[iam.ServicePrincipal("sns.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
        )
    )
