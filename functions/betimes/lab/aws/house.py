"""The tables of the house in a pretend AWS, under short names.

A second description of what infra makes, for worlds that are made a thousand times: a test holds it against the
synthesized template.
"""

from __future__ import annotations

from typing import Any, Final

from betimes.config import AGENDA_INDEX, AGENDA_PARTITION, AGENDA_SORT, PARTITION_KEY, SORT_KEY
from betimes.lab.aws.dynamodb import DynamoDB

BOOK: Final = "book"
CONTACTS: Final = "contacts"
LEDGER: Final = "ledger"

_PK: Final = {"AttributeName": PARTITION_KEY, "KeyType": "HASH"}
_SK: Final = {"AttributeName": SORT_KEY, "KeyType": "RANGE"}
_PK_TYPE: Final = {"AttributeName": PARTITION_KEY, "AttributeType": "S"}
_SK_TYPE: Final = {"AttributeName": SORT_KEY, "AttributeType": "S"}

# What CreateTable takes, by the name of the table.
DEFINITIONS: Final[dict[str, dict[str, Any]]] = {
    BOOK: {
        "KeySchema": [_PK, _SK],
        "AttributeDefinitions": [
            _PK_TYPE,
            _SK_TYPE,
            {"AttributeName": AGENDA_PARTITION, "AttributeType": "N"},
            {"AttributeName": AGENDA_SORT, "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": AGENDA_INDEX,
                "KeySchema": [
                    {"AttributeName": AGENDA_PARTITION, "KeyType": "HASH"},
                    {"AttributeName": AGENDA_SORT, "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["status", "version", "seq"],
                },
            }
        ],
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
    },
    CONTACTS: {
        "KeySchema": [_PK],
        "AttributeDefinitions": [_PK_TYPE],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
    },
    LEDGER: {
        "KeySchema": [_PK, _SK],
        "AttributeDefinitions": [_PK_TYPE, _SK_TYPE],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
    },
}


def make_tables(dynamodb: DynamoDB) -> None:
    """Make all tables, empty."""
    for name, definition in DEFINITIONS.items():
        dynamodb.make(name, definition)
