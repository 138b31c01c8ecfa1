"""The buckets: files that lenders drop and get back, evidence that must stay, and the access log of both."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from betimes.config import INBOX, MANIFEST, RESULTS
from infra.keys import removal
from infra.logical import pin
from infra.settings import InfraSettings

# Tapes hold personal data: long enough to ask about a file, no longer. The truth is in the tables by then.
TAPE_DAYS = 90
OLD_VERSION_DAYS = 30
ACCESS_LOG_DAYS = 365


class Buckets(Construct):
    """`files` (inbox/, results/) and `evidence` (segments/, reports/), private, TLS only, versioned, logged.

    A manifest put into the inbox is announced on the files queue. The bucket says so itself: CDK's own way would add a
    custom resource with a function and a wide role for one property.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        key: kms.IKey,
        files_queue: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._logs = self._access_logs()
        self.files = self._bucket("Files", key)
        for prefix in (INBOX, RESULTS):
            self.files.add_lifecycle_rule(
                id=f"expire-{prefix.rstrip('/')}",
                prefix=prefix,
                expiration=cdk.Duration.days(TAPE_DAYS),
                noncurrent_version_expiration=cdk.Duration.days(OLD_VERSION_DAYS),
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
            )
        self._announce_manifests(files_queue)
        self.evidence = self._bucket("Evidence", key, lock_days=settings.evidence_lock_days)

    def _bucket(self, name: str, key: kms.IKey, *, lock_days: int = 0) -> s3.Bucket:
        lock = (
            s3.ObjectLockRetention.compliance(cdk.Duration.days(lock_days)) if lock_days else None
        )
        bucket = s3.Bucket(
            self,
            name,
            bucket_name=self._name(name),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            object_lock_enabled=True if lock_days else None,
            object_lock_default_retention=lock,
            server_access_logs_bucket=self._logs,
            server_access_logs_prefix=f"{name.lower()}/",
            removal_policy=removal(self._settings),
        )
        pin(bucket, f"{name}Bucket")
        return bucket

    def _access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            bucket_name=self._name("AccessLogs"),
            # Server access logs can be delivered to buckets with S3's own encryption only.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(ACCESS_LOG_DAYS))],
            removal_policy=removal(self._settings),
        )
        pin(bucket, "AccessLogsBucket")
        return bucket

    def _announce_manifests(self, queue: sqs.Queue) -> None:
        permission = queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ManifestsOfTheInbox",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    # By name, not by reference: the bucket waits for this policy, so the policy cannot wait for it.
                    "ArnEquals": {
                        "aws:SourceArn": f"arn:{cdk.Stack.of(self).partition}:s3:::{self._name('Files')}"
                    },
                    "StringEquals": {"aws:SourceAccount": self._settings.account},
                },
            )
        )
        bucket = self.files.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[
                                s3.CfnBucket.FilterRuleProperty(name="prefix", value=INBOX),
                                s3.CfnBucket.FilterRuleProperty(
                                    name="suffix", value=f"/{MANIFEST}"
                                ),
                            ]
                        )
                    ),
                )
            ]
        )
        # S3 sends a test message when the notification is set, so the permission has to stand first.
        if permission.policy_dependable is not None:
            bucket.node.add_dependency(permission.policy_dependable)

    def _name(self, name: str) -> str:
        """Return the bucket's global name; fixed, so that the queue's policy can say it before the bucket exists."""
        settings = self._settings
        return f"betimes-{settings.stage}-{name.lower()}-{settings.account}-{settings.region}"
