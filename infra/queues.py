"""Every queue: work queues with their dead letters, and failure queues for streams and schedules."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from betimes.outputs import title
from infra.catalogue import MAX_RECEIVES, SCHEDULE, STREAMS, QueueSpec
from infra.logical import pin
from infra.nag import acknowledge

# The longest SQS keeps a message: a dead letter waits for a person, also over holidays.
DEAD_LETTER_RETENTION = cdk.Duration.days(14)


class Queues(Construct):
    """`work` and `dead_letters` by queue name, `failures` by table name or "schedule"; TLS only, encrypted at rest.

    Queues that carry ids only use SQS's own encryption, so that `on_tick` and `on_sweep` need no key. Those that
    name people use the data key.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, specs: Collection[QueueSpec], key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.dead_letters: Mapping[str, sqs.Queue] = {
            spec.name: self._last_stop(f"{title(spec.name)}DeadLetters", personal=spec.personal)
            for spec in specs
        }
        self.work: Mapping[str, sqs.Queue] = {spec.name: self._work(spec) for spec in specs}
        self.failures: Mapping[str, sqs.Queue] = {
            source: self._last_stop(f"{title(source)}Failures", personal=False)
            for source in (*(spec.table for spec in STREAMS), SCHEDULE)
        }
        for queue in self.failures.values():
            acknowledge(
                queue,
                "SQS3",
                because="This queue is itself where failed work ends: an alarm stands on it and a person empties it.",
            )

    @property
    def last_stops(self) -> Mapping[str, sqs.Queue]:
        """Every queue nothing reads by itself, under its logical id: one message in one is an alarm."""
        dead = {f"{title(name)}DeadLetters": queue for name, queue in self.dead_letters.items()}
        failed = {f"{title(name)}Failures": queue for name, queue in self.failures.items()}
        return {**dead, **failed}

    def _work(self, spec: QueueSpec) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            f"{title(spec.name)}Queue",
            visibility_timeout=cdk.Duration.seconds(spec.visibility_s),
            retention_period=cdk.Duration.hours(spec.retention_h),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters[spec.name], max_receive_count=MAX_RECEIVES
            ),
            enforce_ssl=True,
            encryption=self._encryption(spec.personal),
            encryption_master_key=self._key if spec.personal else None,
        )
        pin(queue, f"{title(spec.name)}Queue")
        return queue

    def _last_stop(self, logical_id: str, *, personal: bool) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            logical_id,
            retention_period=DEAD_LETTER_RETENTION,
            enforce_ssl=True,
            encryption=self._encryption(personal),
            encryption_master_key=self._key if personal else None,
        )
        pin(queue, logical_id)
        return queue

    @staticmethod
    def _encryption(personal: bool) -> sqs.QueueEncryption:
        return sqs.QueueEncryption.KMS if personal else sqs.QueueEncryption.SQS_MANAGED
