"""One emulator for the tests of a module, and functions small enough to be written in a test."""

from __future__ import annotations

import io
import textwrap
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from betimes.local.emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


class Cloud:
    """An emulator, and short ways to put something onto it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def function(self, name: str, source: str, **environment: str) -> str:
        """Create a function whose module is `source` (with a `handler`) and return its ARN."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("module.py", textwrap.dedent(source))
        created = self.emulator.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=f"arn:aws:iam::{self.emulator.account}:role/any",
            Handler="module.handler",
            Timeout=20,
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": environment},
        )
        return str(created["FunctionArn"])

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Create a queue and return its URL and its ARN."""
        sqs = self.emulator.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def table(self, name: str) -> str:
        """Create a table with a stream and return the ARN of the stream."""
        created = self.emulator.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        return str(created["TableDescription"]["LatestStreamArn"])

    def mapping(self, source: str, function: str, **options: Any) -> None:
        """Let `function` read the queue or stream `source`."""
        self.emulator.client("lambda").create_event_source_mapping(
            EventSourceArn=source, FunctionName=function, **options
        )


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A fresh emulator; starting one takes 0.3 s."""
    with Emulator(ROOT) as emulator:
        yield Cloud(emulator)


def group_of(pid: int) -> set[int]:
    """Return the living processes of a process group."""
    members = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group = status.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == pid and state != "Z":
            members.add(int(status.parent.name))
    return members


def gone(pid: int) -> bool:
    """Return whether the process group of `pid` ends within PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not group_of(pid):
            return True
        time.sleep(0.02)
    return False
