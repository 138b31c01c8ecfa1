"""Reading a whole deployment back: every item of the three tables as core values, for the report and the audit.

A scan of everything is right for one machine and nowhere else; no deployed function has the permission to scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from betimes.adapters import items, keys
from betimes.adapters.segments import KIND as SEGMENT
from betimes.config import PARTITION_KEY
from betimes.core.book import Pages
from betimes.core.contact import Contact
from betimes.core.record import Record

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Everything:
    """All that a deployment holds."""

    everyone: tuple[Pages, ...]
    contacts: tuple[Contact, ...]
    records: tuple[Record, ...]
    segments: int


def everything(client: Any, *, book: str, contacts: str, ledger: str) -> Everything:
    """Return everything in the three tables; `client` is a low-level DynamoDB client."""
    partitions: dict[tuple[str, str], list[Item]] = {}
    for item in _scan(client, book):
        key = item[PARTITION_KEY]["S"]
        if not keys.is_of_tenants(key):
            partitions.setdefault(keys.borrower_of(key), []).append(item)
    lines = list(_scan(client, ledger))
    records = [item for item in lines if item["kind"]["S"] != SEGMENT]
    return Everything(
        everyone=tuple(
            items.pages_from(tenant, borrower_id, found)
            for (tenant, borrower_id), found in sorted(partitions.items())
        ),
        contacts=tuple(items.contact_from(item) for item in _scan(client, contacts)),
        records=tuple(items.record_from(item) for item in records),
        segments=len(lines) - len(records),
    )


def _scan(client: Any, table: str) -> Iterator[Item]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
