"""The chain of sealed ledger segments: the documents in S3, and one item for each in the Ledger table that names its
hash.

The item is written last and only if its number is free, so two writers cannot both continue the same chain; the loser's
document stays behind unnamed and means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from betimes.adapters.objects import Bucket
from betimes.config import PARTITION_KEY, SEGMENTS, SORT_KEY
from betimes.core.errors import Stale
from betimes.flows.seal import Segment

# A partition of its own: no borrower's key has this form.
_PARTITION = "@segments"
KIND = "segment"


@dataclass(frozen=True, slots=True)
class Segments:
    """Reads and continues the chain; `client` is a low-level DynamoDB client."""

    client: Any
    table: str
    bucket: Bucket

    def last(self) -> tuple[int, str]:
        """Return number and hash of the newest segment; (0, "") before the first."""
        answer = self.client.query(
            TableName=self.table,
            KeyConditionExpression=f"{PARTITION_KEY} = :partition",
            ExpressionAttributeValues={":partition": {"S": _PARTITION}},
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=True,
        )
        for item in answer["Items"]:
            return int(item["number"]["N"]), item["hash"]["S"]
        return 0, ""

    def append(self, segment: Segment) -> None:
        """Store a segment behind the newest one.

        Raises:
            Stale: another segment took this number; seal again behind it.
        """
        self.bucket.put(SEGMENTS + segment.name, segment.document(), "application/x-ndjson")
        try:
            self.client.put_item(
                TableName=self.table,
                Item={
                    PARTITION_KEY: {"S": _PARTITION},
                    SORT_KEY: {"S": f"{segment.number:012d}"},
                    "kind": {"S": KIND},
                    "number": {"N": str(segment.number)},
                    "hash": {"S": segment.hash},
                    "prev": {"S": segment.prev},
                    "object": {"S": SEGMENTS + segment.name},
                },
                ConditionExpression=f"attribute_not_exists({PARTITION_KEY})",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise Stale from None
            raise
