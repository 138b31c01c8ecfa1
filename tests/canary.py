"""The canary: while a test runs, nothing of a person reaches a log, a metric, an error of ours or a queue's message.

Every log record of this process is looked at, as it was made and as its handler writes it, every metric, the words of
every error of ours when it is made, and every message that comes into a queue of the pretend cloud. What must not be
there: any e-mail address and any telephone number, whoever's, and the names and amounts that the tests give to their
borrowers. `tests/conftest.py` sets the net for every test; a test that leaks on purpose takes its catch out of it.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from aws_lambda_powertools.metrics import Metrics
from moto.sqs.models import Queue

from betimes.core.errors import Rejected, Stale, Unavailable, Uncertain

NAME: Final = "Li Xiaohong"
NAMES: Final = (NAME, "李小红")
# Those of the bill in `tests/factories.py` and `tests/handlers/told.py`, in minor units.
AMOUNTS: Final = (120_000, 118_000)
# The lender's own address stands in settings, not in a person's book; the others are examples in messages of ours that
# say how an address and a number are written.
OURS: Final = re.compile(
    r"reminders@betimes\.example|name@host\.example|the E\.164 form \+8613800000000"
)
# Bounces and complaints name the recipient: this queue and its dead letters are encrypted with the data key
# (tests/infra/test_stack.py), and nothing else is.
PERSONAL_QUEUES: Final = ("FeedbackQueue", "FeedbackDeadLetters")

# A second version of a treatment is a file such as default@2.toml.
_EMAIL: Final = re.compile(r"[\w.+-]+@(?![0-9]+\.toml\b)[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{9,14}(?![0-9])")
_AMOUNT: Final = re.compile(
    r"(?<![\w.,:])(?:"
    + "|".join(
        form
        for minor in AMOUNTS
        for whole, part in (divmod(minor, 100),)
        for form in (str(minor), rf"{whole}\.{part:02}", rf"{whole:,}\.{part:02}", f"{whole:,}")
    )
    + r")(?!\w)",
    re.ASCII,
)
# What tools of the tests say of themselves.
_TOOLS: Final = ("hypothesis", "selenium", "moto", "werkzeug", "faker")
# What a record has beside what its writer put there, and what makes no sense to search.
_PLUMBING: Final = frozenset(
    {"created", "msecs", "relativeCreated", "thread", "process", "lineno", "levelno"}
    | {"pathname", "filename", "module", "funcName", "threadName", "processName", "levelname"}
    | {"exc_info", "exc_text", "stack_info"}
)


def personal_in(text: str) -> list[str]:
    """Return the kinds of personal data in a text: "address", "number", "name", "amount"; empty where it has none."""
    found = []
    text = OURS.sub("", text)
    if _EMAIL.search(text):
        found.append("address")
    if _PHONE.search(text):
        found.append("number")
    if any(name in text for name in NAMES):
        found.append("name")
    if _AMOUNT.search(text):
        found.append("amount")
    return found


@dataclass
class Net:
    """What was caught since it was last emptied: where, which kinds, and the words themselves."""

    leaks: list[str] = field(default_factory=list)

    def look(self, where: str, *said: object) -> None:
        """Note each of the things `said` at `where` that holds personal data."""
        for each in said:
            text = each if isinstance(each, str) else repr(each)
            kinds = personal_in(text)
            if kinds:
                self.leaks.append(f"{where}: {' and '.join(kinds)} in {text[:300]!r}")

    def take(self) -> list[str]:
        """Return what was caught, and empty the net."""
        leaks, self.leaks = self.leaks, []
        return leaks


def words_of(error: BaseException) -> str:
    """Return all that a log would say of an error, with its causes and contexts; without lines of source."""
    said: list[str] = []
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        said += traceback.format_exception_only(each)
        said += [repr(each), *map(repr, each.args), *getattr(each, "__notes__", ())]
        left += [each.__cause__, None if each.__suppress_context__ else each.__context__]
    return "\n".join(said)


@contextmanager
def spread(net: Net) -> Iterator[None]:
    """Let all that is said in this process go through `net` while the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        _around(patch, logging.Logger, "handle", lambda _, record: _record(net, record))
        _around(patch, logging.StreamHandler, "emit", lambda its, record: _line(net, its, record))
        for name in ("add_metric", "add_dimension", "add_metadata"):
            _around(patch, Metrics, name, lambda _, *a, **k: net.look("metric", *a, *k.values()))
        for kind in (Rejected, Stale, Unavailable, Uncertain):
            _around(patch, kind, "__init__", lambda its, *a, **k: _error(net, its, a, k))
        _around(patch, Queue, "add_message", lambda its, message: _queued(net, its, message))
        yield


def _around(patch: pytest.MonkeyPatch, kind: type, name: str, look: Callable[..., None]) -> None:
    """Have `look` see each call of a method, with the object it is called on first."""
    plain = getattr(kind, name)

    def looked(self: Any, *args: Any, **kwargs: Any) -> Any:
        look(self, *args, **kwargs)
        return plain(self, *args, **kwargs)

    patch.setattr(kind, name, looked)


def _record(net: Net, record: logging.LogRecord) -> None:
    if record.name.split(".")[0] in _TOOLS:
        return
    extra = {key: value for key, value in vars(record).items() if key not in _PLUMBING}
    error = record.exc_info[1] if record.exc_info else None
    net.look(f"log {record.name}", record.getMessage(), extra)
    if error is not None:
        net.look(f"error logged by {record.name}", words_of(error))


def _line(net: Net, handler: logging.Handler, record: logging.LogRecord) -> None:
    # A handler of pytest's own writes the source lines of a test too.
    if record.name.split(".")[0] in _TOOLS or type(handler).__module__.startswith("_pytest"):
        return
    if record.exc_info is None:
        net.look(f"log line of {record.name}", handler.format(record))


def _error(
    net: Net, error: BaseException, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    net.look(type(error).__name__, *args, *kwargs.values())


def _queued(net: Net, queue: Any, message: Any) -> None:
    if queue.name not in PERSONAL_QUEUES:
        net.look(f"message in {queue.name}", message.body, str(message.message_attributes))
