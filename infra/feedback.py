"""Where providers that AWS runs report: one topic, and behind it the feedback queue."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from infra.fanout import subscribe
from infra.logical import pin


class Feedback(Construct):
    """The `topic` of reports; bounces and complaints name the recipient, so it is encrypted like its queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        account: str,
        key: kms.IKey,
        queue: sqs.Queue,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._account = account
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True, master_key=key)
        pin(self.topic, "FeedbackTopic")
        subscribe(self.topic, queue, dead_letters, logical_id="FeedbackSubscription")

    def admit(self, service: str, sid: str) -> IDependable | None:
        """Let a service publish for this account, and return what has to stand before it is told of the topic."""
        permission = self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self._account}},
            )
        )
        return permission.policy_dependable
