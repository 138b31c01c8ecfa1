"""Tables in an emulator, made from the definitions in the synthesized template: no second description of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from betimes.adapters.dynamodb import Tables

TABLE_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
# What decides how a table answers. The rest (encryption, backups, tags, protection) refers to resources that are not
# there; streams are left out because with them moto keeps a copy of the table for each transaction.
ANSWERING = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")

# The argument of `Tables` that names each table, by the table's logical id.
ARGUMENTS = {"BookTable": "book", "ContactsTable": "contacts", "LedgerTable": "ledger"}
# The one beside them, for a port of its own.
INBOX = "inbox"
NAMES = {**ARGUMENTS, "InboxTable": INBOX}

Definitions = Mapping[str, Mapping[str, Any]]

ROOT = Path(__file__).resolve().parents[2]


def fingerprint() -> str:
    """Return a hash of everything that the table definitions depend on: the infrastructure's code, our names, CDK."""
    sources = [*sorted((ROOT / "infra").glob("**/*.py")), ROOT / "functions/betimes/config.py"]
    digest = hashlib.sha256(version("aws-cdk-lib").encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def definitions_in(folder: Path) -> Definitions:
    """Return what `create_table` needs for each table of the template in a cloud assembly, by argument of `Tables`."""
    (template,) = folder.glob("*.template.json")
    resources = json.loads(template.read_text())["Resources"]
    found = {
        NAMES[name]: {
            key: resource["Properties"][key] for key in ANSWERING if key in resource["Properties"]
        }
        for name, resource in resources.items()
        if resource["Type"] in TABLE_TYPES
    }
    assert set(found) == set(NAMES.values()), "the template has exactly the four tables"
    return found


@contextmanager
def made(client: Any, definitions: Definitions, prefix: str) -> Iterator[Tables]:
    """Make the tables, empty, under names that start with `prefix`; they are gone afterwards."""
    names = {argument: f"{prefix}-{argument}" for argument in definitions}
    for argument, definition in definitions.items():
        client.create_table(TableName=names[argument], **definition)
    try:
        yield Tables(client, book=names["book"], contacts=names["contacts"], ledger=names["ledger"])
    finally:
        for name in names.values():
            client.delete_table(TableName=name)
