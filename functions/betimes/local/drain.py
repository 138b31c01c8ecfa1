"""Waiting until all work is done, and saying what is not.

Quiet means, in one look at the emulator: no function runs, every queue that has a reader is empty
(visible, hidden and delayed messages), every reader of a stream stands at its end. One look can
fall between two of ministack's steps, so several in a row must show it, with nothing run or written
in between. A queue without a reader is where failed work ends: a message in it is a failure.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from betimes.local.emulator import Emulator
from betimes.local.host import STATE_PATH

# Looks that must agree. An S3 notification is on its way for some milliseconds and in no queue.
CALM_LOOKS: Final = 4
LOOK_AGAIN_S: Final = 0.05
# While there is work, looking takes time from those who do it.
LOOK_WHILE_BUSY_S: Final = 0.2
# Failed messages that a report names, for each queue.
NAMED: Final = 20

_MESSAGES_PATH: Final = "/_ministack/sqs/messages"


class NotDrained(Exception):
    """Work is left at the deadline, or nothing will move before it; the message says where."""


class WorkFailed(Exception):
    """Everything is quiet, but messages lie where failed work ends; the message has their ids."""


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """One queue: `hidden` of its `messages` cannot be received yet, the first one in `wakes_in_s`."""

    name: str
    has_reader: bool
    messages: int
    hidden: int
    wakes_in_s: float


@dataclass(frozen=True, slots=True)
class StreamLoad:
    """One stream and its reader: records not yet read, and whether the last batch failed."""

    table: str
    function: str
    behind: int
    failing: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What is still to be done at one moment. `mark` changes when a function ran or a record came."""

    running: int
    queues: tuple[QueueLoad, ...]
    streams: tuple[StreamLoad, ...]
    mark: tuple[float, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing runs and nothing waits for a reader."""
        return not (self.running or self.waiting or self.behind)

    @property
    def waiting(self) -> int:
        """Messages in queues that have a reader."""
        return sum(queue.messages for queue in self.queues if queue.has_reader)

    @property
    def behind(self) -> int:
        """Stream records not yet read."""
        return sum(stream.behind for stream in self.streams)

    @property
    def failed(self) -> tuple[QueueLoad, ...]:
        """The queues without a reader that have messages."""
        return tuple(queue for queue in self.queues if not queue.has_reader and queue.messages)

    def cannot_move_within(self, seconds: float) -> bool:
        """Whether all that is left is hidden messages, none of which comes back in time."""
        left = [queue for queue in self.queues if queue.has_reader and queue.messages]
        return (
            bool(left)
            and not self.running
            and not self.behind
            and all(queue.hidden == queue.messages and queue.wakes_in_s > seconds for queue in left)
        )


def wait_until_quiet(
    emulator: Emulator,
    outputs: Mapping[str, str],
    *,
    deadline_s: float,
    progress: Callable[[Load], None] | None = None,
) -> float:
    """Return after how many seconds everything was done; `progress` is told each look.

    `outputs` are those of the stack: the report calls a queue or table by its output.

    Raises:
        NotDrained: after `deadline_s` seconds, or earlier if all that is left is messages that come
            back too late (a failed batch is hidden for six times its function's timeout).
        WorkFailed: all is quiet, and a dead-letter or failure queue is not empty.
        EmulatorFailed: the emulator does not answer.
    """
    started = time.monotonic()
    calm = stuck = 0
    mark: tuple[float, ...] = ()
    while True:
        load = look(emulator)
        if progress is not None:
            progress(load)
        left_s = deadline_s - (time.monotonic() - started)
        same = load.mark == mark
        mark = load.mark
        calm = calm + 1 if load.is_done and same else 0
        stuck = stuck + 1 if load.cannot_move_within(left_s) and same else 0
        if calm >= CALM_LOOKS:
            if load.failed:
                raise WorkFailed("\n".join(_report(emulator, outputs, load)))
            return time.monotonic() - started
        if stuck >= CALM_LOOKS or left_s <= 0:
            raise NotDrained("\n".join(_report(emulator, outputs, load)))
        time.sleep(LOOK_AGAIN_S if load.is_done else LOOK_WHILE_BUSY_S)


def look(emulator: Emulator) -> Load:
    """Return what is still to be done now."""
    state = emulator.read(STATE_PATH)
    return Load(
        running=state["running"],
        queues=tuple(
            QueueLoad(
                each["name"],
                each["reader"],
                each["messages"],
                each["hidden"],
                each["wakes_in_s"],
            )
            for each in state["queues"]
        ),
        streams=tuple(
            StreamLoad(each["table"], each["function"], each["behind"], each["failing"])
            for each in state["streams"]
        ),
        mark=tuple(state["mark"]),
    )


def _report(emulator: Emulator, outputs: Mapping[str, str], load: Load) -> Iterator[str]:
    names = {value.rpartition("/")[2]: output for output, value in outputs.items()}
    if load.running:
        yield f"{load.running} functions are running"
    for stream in load.streams:
        if stream.behind:
            state = "; its last batch failed" if stream.failing else ""
            table = names.get(stream.table, stream.table)
            yield f"{table}: {stream.behind} records not read by {stream.function}{state}"
    for queue in load.queues:
        if queue.has_reader and queue.messages:
            hidden = (
                f", {queue.hidden} hidden, the first for {queue.wakes_in_s:.0f} s more"
                if queue.hidden
                else ""
            )
            yield f"{names.get(queue.name, queue.name)}: {queue.messages} messages{hidden}"
    for queue in load.failed:
        ids = ", ".join(_failed_ids(emulator, queue.name))
        yield f"{names.get(queue.name, queue.name)}: {queue.messages} failed messages: {ids}"
    yield f"What the functions said: {emulator.log}"


def _failed_ids(emulator: Emulator, queue: str) -> Iterator[str]:
    """Yield for each message its id and the ids in its body; nothing else of a body is repeated."""
    url = f"{emulator.endpoint}/{emulator.account}/{queue}"
    accounts = emulator.read(f"{_MESSAGES_PATH}?{urlencode({'QueueUrl': url})}")["messages"]
    found = [
        message
        for regions in accounts.values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    ]
    for message in found[:NAMED]:
        ids = [f"{name}={value}" for name, value in _ids_in(message["Body"])]
        yield " ".join([message["MessageId"], *ids])
    if len(found) > NAMED:
        yield f"and {len(found) - NAMED} more"


def _ids_in(body: str) -> Iterator[tuple[str, Any]]:
    try:
        fields = json.loads(body)
    except ValueError:
        return
    if isinstance(fields, dict):
        for name, value in fields.items():
            if name.endswith("_id") and isinstance(value, str | int):
                yield name, value
