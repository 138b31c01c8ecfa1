"""The four tables, by life-cycle.

Book is the mutable truth, Contacts the outbox and the state machine of each contact, Ledger the append-only record, and
Inbox what borrowers read in the lender's app.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from betimes.config import (
    AGENDA_INDEX,
    AGENDA_PARTITION,
    AGENDA_SORT,
    GONE,
    PARTITION_KEY,
    SORT_KEY,
)
from betimes.outputs import title
from infra.catalogue import BOOK, CONTACTS, INBOX, LEDGER
from infra.keys import removal
from infra.logical import pin
from infra.settings import InfraSettings

# What a sweep may decide Wait or Suppress from without reading the borrower. Never an attribute that a claim
# updates: every claim would then write the index too.
AGENDA_PROJECTION: Final = ("status", "version", "seq")

_TEXT: Final = dynamodb.AttributeType.STRING
_PARTITION: Final = dynamodb.Attribute(name=PARTITION_KEY, type=_TEXT)
_SORT: Final = dynamodb.Attribute(name=SORT_KEY, type=_TEXT)


class Tables(Construct):
    """`by_name` holds the tables under the names of the catalogue; `book` is the one with the agenda index.

    Each is billed by request, restorable to any second of the last 35 days, encrypted with the data key, and
    protected from deletion outside the local stage. Streams: Book KEYS_ONLY, because its reader loads the truth
    anyway and images would carry personal data; Contacts and Ledger NEW_IMAGE, because their items hold ids and
    reasons only; Inbox none, because its items hold messages. Those are deleted once they are gone.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._key = key
        self.book = self._table(BOOK, dynamodb.StreamViewType.KEYS_ONLY, sort=True)
        self.book.add_global_secondary_index(
            index_name=AGENDA_INDEX,
            partition_key=dynamodb.Attribute(
                name=AGENDA_PARTITION, type=dynamodb.AttributeType.NUMBER
            ),
            sort_key=dynamodb.Attribute(name=AGENDA_SORT, type=_TEXT),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(AGENDA_PROJECTION),
        )
        self.by_name: Mapping[str, dynamodb.Table] = {
            BOOK: self.book,
            CONTACTS: self._table(CONTACTS, dynamodb.StreamViewType.NEW_IMAGE, sort=False),
            LEDGER: self._table(LEDGER, dynamodb.StreamViewType.NEW_IMAGE, sort=True),
            INBOX: self._table(INBOX, None, sort=True, gone=GONE),
        }

    @property
    def agenda_arn(self) -> str:
        """The ARN of the Book's agenda index, for roles."""
        return f"{self.book.table_arn}/index/{AGENDA_INDEX}"

    def stream_arn(self, name: str) -> str:
        """Return the ARN of the stream of table `name`."""
        arn = self.by_name[name].table_stream_arn
        assert arn is not None, f"{name} has no stream"
        return arn

    def _table(
        self,
        name: str,
        view: dynamodb.StreamViewType | None,
        *,
        sort: bool,
        gone: str | None = None,
    ) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            title(name),
            partition_key=_PARTITION,
            sort_key=_SORT if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._key,
            stream=view,
            time_to_live_attribute=gone,
            deletion_protection=not self._settings.is_local,
            removal_policy=removal(self._settings),
        )
        pin(table, f"{title(name)}Table")
        return table
