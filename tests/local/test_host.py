"""What is put in front of ministack, as far as it is ours."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from betimes.local import host
from betimes.local.host import WINDOW_S, Observed, gather

PATIENCE_S = 30.0


class Stream:
    """A stream of numbers and a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.records: list[int] = []
        self.now = 100.0
        self.wake = threading.Event()
        self.read = gather(self._since, self.wake, lambda: self.now)

    def _since(self, _table: str, position: int, limit: int, **_scope: Any) -> list[int]:
        return self.records[position : position + limit]


def test_records_are_gathered_for_the_length_of_the_window() -> None:
    """The first record opens the window; what comes before it closes is in the same batch."""
    stream = Stream()
    stream.records = [1]
    assert stream.read("table", 0, 10) == []
    stream.records = [1, 2, 3]
    stream.now += WINDOW_S * 0.9
    assert stream.read("table", 0, 10) == []
    stream.now += WINDOW_S * 0.2
    assert stream.read("table", 0, 10) == [1, 2, 3]
    stream.records.append(4)
    assert stream.read("table", 3, 10) == [], "the next batch has a window of its own"


def test_a_full_batch_does_not_wait() -> None:
    """As many records as fit a batch are handed on at once, also when they were already gathering."""
    stream = Stream()
    stream.records = [1]
    assert stream.read("table", 0, 2) == []
    stream.records = [1, 2, 3]
    assert stream.read("table", 0, 2) == [1, 2]


def test_the_reader_is_woken_when_the_window_closes() -> None:
    """Nobody has to write another record for the last ones to be read."""
    stream = Stream()
    stream.records = [1]
    assert stream.read("table", 0, 10) == []
    assert stream.wake.wait(PATIENCE_S)


def test_other_readers_get_what_is_there() -> None:
    """GetRecords names an account and a region and is not made to wait; an empty stream opens nothing."""
    stream = Stream()
    assert stream.read("table", 0, 10) == []
    stream.records = [1]
    assert stream.read("table", 0, 10, account_id="000000000000", region="us-east-1") == [1]
    assert not stream.wake.is_set()


@pytest.mark.parametrize(("status", "kept"), [(200, 1), (400, 0), (500, 0)])
def test_only_what_was_accepted_is_kept(
    status: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail that the provider refused reached nobody; request and answer pass through unchanged."""
    letters: list[Any] = []
    monkeypatch.setattr(host, "_letters", letters)
    asked = json.dumps({"Destination": {"ToAddresses": ["b1@example.com"]}}).encode()
    passed: list[Any] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        passed.append((await receive())["body"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b'{"MessageId": "m-1"}'})

    async def receive() -> Any:
        return {"type": "http.request", "body": asked}

    async def send(message: Any) -> None:
        passed.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v2/email/outbound-emails", "headers": []}
    asyncio.run(Observed(app)(scope, receive, send))
    assert len(letters) == kept
    assert passed[0] == asked
    assert passed[1]["status"] == status
    assert passed[2]["body"] == b'{"MessageId": "m-1"}'
