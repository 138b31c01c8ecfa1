"""The program that runs inside ministack's own Python: ministack, plus a few lines that let us see what it does.

`emulator.py` starts this file as a script, so it imports nothing of ours. It adds four things to
ministack 1.5.33:

- It ends itself when its standard input closes. The emulator holds the other end, so even a killed
  parent leaves nothing.
- `GET /_betimes/letters?after=N` gives back every message that SES or SNS accepted, as it was sent:
  ministack itself keeps neither headers nor tags of a raw mail, nor the time of an SMS.
- `GET /_betimes/state` says what is still to be done: messages in queues, records before the readers
  of streams, functions that run. ministack shows the queues only. This is the one place that looks
  at its inner names; the tests of `drain.py` break here first when a new version has others.
- Readers of streams get batches. ministack hands on each record the moment it is written and ignores
  the batching window of a mapping, so a reader would run hundreds of times where AWS runs it ten
  times. Here a batch is handed on when it is full, or WINDOW_S after its first record was seen.
"""

# ruff: noqa: SLF001  # See the last point above.

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import signal
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LETTERS_PATH = "/_betimes/letters"
STATE_PATH = "/_betimes/state"
# Letters in one answer; the reader asks again with a higher `after`.
PAGE = 500

# Long enough to gather what one function writes, short enough that nobody waits for it.
WINDOW_S = 0.3

_MAIL_PATH = "/v2/email/outbound-emails"
_letters: list[dict[str, Any]] = []


class Observed:
    """ministack's ASGI application with the two routes of this module in front."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer our routes, record what goes to a person, pass everything else through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == LETTERS_PATH:
            after = parse_qs(scope["query_string"].decode()).get("after", ["0"])[0]
            await _answer(send, _letters[int(after) :][:PAGE])
        elif scope["path"] == STATE_PATH:
            await _answer(send, state())
        elif scope["method"] == "POST" and _may_reach_a_person(scope):
            await self._record(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _record(self, scope: Message, receive: Receive, send: Send) -> None:
        asked, said, status = bytearray(), bytearray(), 0

        async def hear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def speak(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            said.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, hear, speak)
        if status == 200:
            letter = _mail(asked, said) if scope["path"] == _MAIL_PATH else _sms(asked, said)
            if letter is not None:
                _letters.append({"at": time.time(), **letter})


def _may_reach_a_person(scope: Message) -> bool:
    """Whether the request sends a mail, or goes to SNS, where a text message may be meant."""
    if scope["path"] == _MAIL_PATH:
        return True
    signed = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return b"/sns/aws4_request" in signed


def _mail(asked: bytearray, said: bytearray) -> dict[str, Any]:
    request, response = json.loads(asked), json.loads(said)
    return {
        "channel": "email",
        "id": response["MessageId"],
        "to": request.get("Destination", {}).get("ToAddresses", []),
        "raw": request.get("Content", {}).get("Raw", {}).get("Data", ""),
        "tags": {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])},
        "source": request.get("FromEmailAddress", ""),
        "configuration_set": request.get("ConfigurationSetName", ""),
    }


def _sms(asked: bytearray, said: bytearray) -> dict[str, Any] | None:
    form = {name: values[0] for name, values in parse_qs(asked.decode()).items()}
    if form.get("Action") != "Publish" or "PhoneNumber" not in form:
        return None
    answered = re.search(r"<MessageId>([^<]+)</MessageId>", said.decode())
    assert answered is not None, "SNS accepted an SMS without an id"
    return {
        "channel": "sms",
        "id": answered[1],
        "to": [form["PhoneNumber"]],
        "raw": base64.b64encode(form.get("Message", "").encode()).decode(),
    }


def state() -> dict[str, Any]:
    """Return what is still to be done, as one look at ministack's memory.

    `mark` differs from an earlier one whenever a function was run or a record was written in between.
    A queue with `reader` false is where failed work ends.
    """
    functions = importlib.import_module("ministack.services.lambda_svc")
    workers = importlib.import_module("ministack.core.lambda_runtime")
    queues = importlib.import_module("ministack.services.sqs")
    mappings = [mapping for _account, _region, mapping in functions._iter_all_esms()]
    streams = [_stream(functions, key, mapping) for key, mapping in functions._esms._data.items()]
    # One mapping's batch is counted here before its function is, and until its messages are deleted.
    dispatched = sum(functions._esm_inflight.values())
    used = [one.last_used for pool in list(workers._workers.values()) for one in list(pool)]
    known = [each for each in streams if each is not None]
    return {
        "running": max(functions.executions_in_flight()[0], dispatched),
        "mark": [max(used, default=0.0), sum(each["end"] for each in known), len(_letters)],
        "queues": [
            _queue(queue, {mapping.get("EventSourceArn") for mapping in mappings})
            for queue in list(queues._queues._data.values())
        ],
        "streams": known,
    }


def _queue(queue: dict[str, Any], sources: set[str]) -> dict[str, Any]:
    messages, now = list(queue["messages"]), time.time()
    hidden = [message["visible_at"] for message in messages if message["visible_at"] > now]
    return {
        "name": queue["name"],
        "reader": queue["attributes"].get("QueueArn") in sources,
        "messages": len(messages),
        "hidden": len(hidden),
        "wakes_in_s": round(min(hidden) - now, 3) if hidden else 0.0,
    }


def _stream(functions: Any, key: tuple[str, str, str], mapping: dict[str, Any]) -> Any:
    source = mapping.get("EventSourceArn", "")
    if ":dynamodb:" not in source or not mapping.get("Enabled", True):
        return None
    tables = importlib.import_module("ministack.services.dynamodb")
    account, region, _uuid = key
    table = source.split("/")[1]
    end = tables.stream_end_position(table, account_id=account, region=region)
    read = functions._dynamodb_stream_positions._data.get(key, 0)
    return {
        "table": table,
        "function": mapping["FunctionName"],
        "end": end,
        "behind": end - read,
        "failing": mapping.get("LastProcessingResult") == "FAILED",
    }


def gather(
    read: Callable[..., list[Any]],
    wake: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[..., list[Any]]:
    """Return `read` (records of a table from a position on, at most a limit) with a batching window.

    Less than a full batch is no batch until WINDOW_S after its first record was seen; then `wake` is
    set, so that the reader asks again. Those who name an account and region are not the mappings'
    reader: they get what is there.
    """
    opened: dict[str, float] = {}

    def gathered(table: str, position: int, limit: int, **scope: Any) -> list[Any]:
        records = read(table, position, limit, **scope)
        if scope or not records:
            return records
        now = clock()
        if table not in opened:
            opened[table] = now
            timer = threading.Timer(WINDOW_S, wake.set)
            timer.daemon = True
            timer.start()
        if len(records) < limit and now - opened[table] < WINDOW_S:
            return []
        del opened[table]
        return records

    return gathered


async def _answer(send: Send, value: object) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


def _leave_with_parent() -> None:
    # Below the level of `sys.stdin`, whose lock would be held at exit. Nobody ever writes.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run ministack, observed, until it is told to stop or its parent is gone."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    tables = vars(importlib.import_module("ministack.services.dynamodb"))
    wake = importlib.import_module("ministack.core.concurrency").esm_wake
    tables["stream_records_since"] = gather(tables["stream_records_since"], wake)
    ministack = importlib.import_module("ministack.app")
    vars(ministack)["app"] = Observed(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
