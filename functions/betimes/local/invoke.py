"""`betimes invoke`: one handler, one event; against the running pocket cloud, else on memory stores."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

from betimes import outputs, wiring
from betimes.adapters.fanout import Notice
from betimes.config import CHANNELS, Env, Settings
from betimes.core.errors import Rejected
from betimes.core.links import Keys
from betimes.flows.seal import Segment
from betimes.lab.endpoints import MemoryEndpoints
from betimes.lab.inbox import MemoryInbox
from betimes.lab.inbox import Sender as InboxSender
from betimes.lab.memory import Memory
from betimes.lab.world import Provider, VirtualClock
from betimes.local.up import RUNNING, running
from betimes.ports import Sender, Stores

HANDLERS = (
    "on_request",
    "on_file",
    "on_tick",
    "on_sweep",
    "on_book_change",
    "on_contact",
    "on_delivery",
    "on_feedback",
    "on_ledger",
    "on_close_day",
    "on_page",
)


def invoke(handler: str, event_file: Path, *, root: Path) -> int:
    """Run `handler` on the event in `event_file`, print its answer as JSON, and return 0; 1 if it raised.

    Raises:
        Rejected: there is no such handler, or the file holds no JSON object.
    """
    if handler not in HANDLERS:
        raise Rejected(
            "unknown_handler", "HANDLER", f"{handler!r} is none of {', '.join(HANDLERS)}"
        )
    event = _event(event_file)
    noted = (root / RUNNING).exists()
    note = running(root)
    if note is not None:
        print(f"on the pocket cloud at {note['endpoint']}", file=sys.stderr)
        answer = _on_the_cloud(handler, event, note)
    else:
        if noted:
            print(f"{RUNNING} was left by a cloud that is gone; removed", file=sys.stderr)
        print(
            "in this process, on empty memory stores; `betimes up` gives it a cloud",
            file=sys.stderr,
        )
        answer = _in_memory(handler, event)
    print(json.dumps(answer, indent=2, ensure_ascii=False, default=str))
    return 1 if isinstance(answer, dict) and "errorType" in answer else 0


def _event(file: Path) -> dict[str, Any]:
    try:
        event = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Rejected("no_event", str(file), error.strerror or "cannot be read") from None
    except ValueError as error:
        raise Rejected("bad_event", str(file), f"is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise Rejected("bad_event", str(file), "is not a JSON object")
    return event


def _on_the_cloud(handler: str, event: Mapping[str, Any], note: Mapping[str, Any]) -> Any:
    import boto3

    function = f"{handler}_email" if handler == "on_delivery" else handler
    client = boto3.client(
        "lambda",
        endpoint_url=note["endpoint"],
        region_name=note["region"],
        aws_access_key_id=note["account"],
        aws_secret_access_key="local",  # noqa: S106  # the embedded AWS asks for any
    )
    answer = client.invoke(
        FunctionName=note["outputs"][outputs.function_name(function)],
        Payload=json.dumps(event).encode(),
    )
    return json.loads(answer["Payload"].read() or b"null")


def _in_memory(handler: str, event: dict[str, Any]) -> Any:
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "betimes")
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Betimes")
    os.environ[Env.FILES_BUCKET] = "files"
    # By name, as Lambda finds them: nothing here imports a handler.
    module = importlib.import_module(f"betimes.handlers.{handler}")
    logger = importlib.import_module("betimes.handlers.batches").logger
    vars(module)["WORLD"] = memory_world()
    # Standard output is for the answer alone; in Lambda the log goes there.
    for log in logger.handlers:
        if isinstance(log, logging.StreamHandler):
            log.setStream(sys.stderr)
    return module.handler(event, _Context())


@dataclass
class _Recorded:
    """Queue and topic of the memory world: what goes in is shown on standard error."""

    name: str

    def send(self, bodies: Sequence[str], delay_s: int = 0) -> None:  # noqa: ARG002  # the queue's shape
        for body in bodies:
            print(f"{self.name} ← {body}", file=sys.stderr)

    def publish(self, notices: Sequence[Notice]) -> tuple[int, ...]:
        for notice in notices:
            print(f"{self.name} ← {notice.channel} {notice.body}", file=sys.stderr)
        return ()


@dataclass
class _Folder:
    """A bucket in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def open(self, key: str) -> BufferedReader:
        if key not in self.objects:
            raise Rejected("no_such_object", "key", f"{key} is not in the bucket")
        return BufferedReader(BytesIO(self.objects[key]))

    def put(self, key: str, data: bytes, content_type: str) -> None:  # noqa: ARG002  # the bucket's shape
        self.objects[key] = data
        print(f"bucket ← {key} ({len(data)} bytes)", file=sys.stderr)

    def size(self, key: str) -> int | None:
        return len(self.objects[key]) if key in self.objects else None


@dataclass
class _Segments:
    """The chain of segments in memory."""

    chain: list[Segment] = field(default_factory=list)

    def last(self) -> tuple[int, str]:
        return (self.chain[-1].number, self.chain[-1].hash) if self.chain else (0, "")

    def append(self, segment: Segment) -> None:
        self.chain.append(segment)


class _Ring:
    """The keys of links in memory: nobody's, and those that the sample events are signed with."""

    def keys(self) -> Keys:
        return Keys(1, {1: b"k" * 64})


def memory_world() -> wiring.World:
    """Return a world like a deployed function's, on empty memory stores and a pretend provider."""
    memory, inbox = Memory(), MemoryInbox()
    world = wiring.World(Settings())
    provider = Provider(VirtualClock(world.clock.now()))
    parts: dict[str, Any] = {
        "stores": Stores(memory, memory, memory, memory),
        "sweep_queue": _Recorded("sweep queue"),
        "files_queue": _Recorded("files queue"),
        "fanout": _Recorded("contacts topic"),
        "files": _Folder(),
        "evidence": _Folder(),
        "segments": _Segments(),
        "key_ring": _Ring(),
        "inbox": inbox,
        "endpoints": MemoryEndpoints(),
    }
    # The parts are cached properties: what is set here is what handlers find.
    vars(world).update(parts)
    senders: dict[str, Sender] = {
        **dict.fromkeys(CHANNELS, provider),
        "inbox": InboxSender(inbox, provider.clock),
    }
    vars(world)["dispatch"] = wiring.dispatch_of(world, senders)
    return world


class _Context:
    """What handlers read of a Lambda context."""

    function_name = "betimes-invoke"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:betimes-invoke"
    aws_request_id = "invoke"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000
