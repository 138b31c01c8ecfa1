"""A pretend AWS in memory, at the boundary of the boto3 client: exactly the calls that our adapters make.

Theory
------
Everything that is asked of AWS is a numbered point. Before it happens, a hook may say what goes wrong there: the
process dies before or after, the request or the reply is lost, the service has no room or is out of order, somebody
else holds the item. The hook may also do something of its own there, such as letting another worker run. A world on
this cloud is a pure function of what is asked, of the clock and of the random numbers it is given: there are no
threads, no time of the machine, and nothing that depends on the order of a set.

A call that is not modelled, a parameter that no adapter uses, an expression of another form: each stops the test
(`NotModelled`), so that nothing is ever true here by an oversight. What differs from AWS on purpose is listed in
docs/fake-aws.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.core.values import dataclass
from betimes.lab.aws import errors
from betimes.lab.aws.dynamodb import DynamoDB
from betimes.lab.aws.messages import Messages
from betimes.lab.aws.providers import Providers
from betimes.lab.aws.service import Parameters, Service
from betimes.lab.aws.stored import Objects, Secrets

__all__ = ["Client", "Cloud", "Fault", "Point"]

# botocore's standard mode: so many attempts of one call.
STANDARD_ATTEMPTS: Final = 3


class Fault(Enum):
    """What goes wrong with one request."""

    CRASH_BEFORE = "the process dies, nothing was asked"
    CRASH_AFTER = "it was done, and the process dies before it reads the reply"
    REQUEST_LOST = "nothing was done, and nobody answers"
    REPLY_LOST = "it was done, and nobody answers"
    THROTTLED = "nothing was done: too much at once"
    BROKEN = "nothing was done, and the service only says that it is out of order"
    CONFLICT = "nothing was done: another transaction is at the item"
    PARTIAL = "a part of a batch was not done, and the answer says which"


@dataclass(frozen=True, slots=True)
class Point:
    """One request: its number from 0, the service and the operation as boto3 names them, and what is asked."""

    number: int
    service: str
    operation: str
    asked: Parameters = field(repr=False, compare=False, hash=False)


Hook = Callable[[Point], Fault | None]


class Cloud:
    """The services, the points, and the clients that reach them.

    `hook` is asked before each request; None is a cloud in which nothing goes wrong. `points` counts the requests.
    """

    def __init__(self, clock: Callable[[], datetime], chance: random.Random) -> None:
        """Make an empty cloud; `clock` gives the instant (UTC) and `chance` everything that AWS leaves to chance."""
        self.clock = clock
        self.hook: Hook | None = None
        self.points = 0
        self.dynamodb = DynamoDB(clock)
        self.messages = Messages(clock, chance)
        self.providers = Providers(clock)
        self.objects = Objects()
        self.secrets = Secrets()
        self._services: Mapping[str, Service] = {
            "dynamodb": self.dynamodb,
            "sqs": self.messages,
            "sns": self.messages,
            "sesv2": self.providers,
            "pinpoint-sms-voice-v2": self.providers,
            "s3": self.objects,
            "secretsmanager": self.secrets,
        }
        self.messages.to_phone = self.providers.text

    def client(self, service: str, *, sends: bool = False) -> Client:
        """Return a client as `adapters.clients.client` makes it: one that sends makes one attempt, others three.

        The attempts follow one another at once. Each is a point of its own.
        """
        if service not in self._services:
            raise errors.NotModelled(f"there is no pretend {service}")
        return Client(self, service, self._services[service], 1 if sends else STANDARD_ATTEMPTS)

    def kept(self) -> object:
        """Return everything that is stored, recorded and under way, for `restore`; nothing of it ever changes."""
        return self.points, [each.kept() for each in self._each()]

    def restore(self, kept: Any) -> None:
        """Set the cloud back to what `kept` returned; the hook stays."""
        self.points, found = kept
        for each, state in zip(self._each(), found, strict=True):
            each.restore(state)

    def _each(self) -> tuple[Service, ...]:
        return (self.dynamodb, self.messages, self.providers, self.objects, self.secrets)

    def ask(self, service: str, operation: str, asked: Parameters, act: _Act) -> dict[str, Any]:
        """Let one request happen, as the hook will have it."""
        number = self.points
        self.points = number + 1
        hook = self.hook
        fault = hook(Point(number, service, operation, asked)) if hook is not None else None
        if fault is None:
            return act(asked)
        match fault:
            case Fault.CRASH_BEFORE:
                raise errors.Crashed
            case Fault.CRASH_AFTER:
                _done(act, asked)
                raise errors.Crashed
            case Fault.REPLY_LOST:
                _done(act, asked)
                raise errors.silence(service)
            case Fault.REQUEST_LOST:
                raise errors.silence(service)
            case Fault.THROTTLED:
                raise errors.throttled(service, operation)
            case Fault.BROKEN:
                raise errors.broken(service, operation)
            case Fault.CONFLICT:
                raise self._services[service].conflict(operation, asked)
            case Fault.PARTIAL:
                return self._services[service].partly(operation, asked)


_Act = Callable[[Parameters], dict[str, Any]]


def _done(act: _Act, asked: Parameters) -> None:
    """Do what was asked; that it was refused is lost with the reply."""
    try:
        act(asked)
    except ClientError:
        return


class Client:
    """What boto3 would give for one service, as far as our adapters call it."""

    def __init__(self, cloud: Cloud, service: str, behind: Service, attempts: int) -> None:
        self._cloud = cloud
        self._service = service
        self._behind = behind
        self._attempts = attempts

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        known = self._behind.offered[self._service].get(operation)
        if known is None:
            raise errors.NotModelled(f"{self._service}: no adapter calls {operation}")
        ask, service, attempts = self._cloud.ask, self._service, self._attempts
        required, allowed, act = known.required, known.allowed, known.act

        def call(**asked: Any) -> dict[str, Any]:
            if not required <= asked.keys() <= allowed:
                other = sorted(asked.keys() - allowed) or sorted(required - asked.keys())
                raise errors.NotModelled(f"{service}.{operation}: {', '.join(other)}")
            left = attempts
            while True:
                left -= 1
                try:
                    return ask(service, operation, asked, act)
                except (ClientError, BotoCoreError) as error:
                    if not left or not errors.may_repeat(error):
                        raise

        # Found once, and then a plain attribute.
        self.__dict__[operation] = call
        return call
