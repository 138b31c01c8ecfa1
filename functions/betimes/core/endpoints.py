"""The life of a lender's endpoint: how its failures are waited out, and when it is given up.

Theory
------
A webhook is delivered at least once. Its id is its contact's on every attempt, so a receiver that keeps ids takes
nothing twice, and what failed, or what nobody knows the outcome of, is simply sent again: after a while that grows from
attempt to attempt, since whoever is down is not helped by being asked more often. Each wait is moved a little, by the
contact's own id and nothing else, so that all that failed in one moment does not come back in one moment.

An endpoint is a small machine, folded from its answers:

    WORKING --failure--> FAILING --failures for LASTING, and no success--> OFF
    FAILING --success--> WORKING            any --"gone" (410)--> OFF
    OFF --a person--> WORKING

While it is OFF nothing is sent to it: a step takes its next channel, and operations are told. Nothing switches it on
again but a person, or another address. Answers of several workers may be folded in any order of arrival: a success that
is older than the failures it meets does not end them.

Source: Standard Webhooks 1.0.0, "Deliverability and Reliability" (retries with a growing delay and jitter; endpoints
that fail for days are disabled, and somebody is told; 410 ends).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from betimes.core.values import dataclass, replace

# After how long a contact is sent again, by the number of attempts that failed; the last one for all that come after.
# The standard's first two, at once and after five seconds, are below what the agenda tells apart.
WAITS: Final = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# By how much a wait is longer at most, in thousandths of it.
JITTER: Final = 200
# How long an endpoint fails, without any success, before it is given up, and at least how often.
LASTING: Final = timedelta(days=5)
LEAST: Final = 10
# Failures closer to each other count as one: whoever sends much does not give up sooner, nor write more.
COUNTED_EVERY: Final = timedelta(minutes=5)
# Codes of refusals (`ports.Refused`): the endpoint says that it is gone for good; it is off, and nothing was sent.
GONE: Final = "endpoint_gone"
IS_OFF: Final = "endpoint_off"
# Of these operations are told: a person has to do something.
OFF: Final = frozenset({GONE, IS_OFF})
# Refusals that no endpoint has spoken: they say nothing of it.
NOT_ASKED: Final = frozenset({"no_secret", "no_endpoint", "too_long", "bad_text", IS_OFF})


class Outcome(StrEnum):
    """What an answer says of an endpoint."""

    SUCCESS = "success"
    FAILURE = "failure"
    GONE = "gone"


class Why(StrEnum):
    """Why an endpoint is given nothing."""

    LASTING = "lasting_failure"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is known of a tenant's endpoint; instants are UTC.

    `address` is a hash that tells one address from another, "" before any was met. `failing_since` is the first failure
    since the last success, None while it works, and `failures` how many counted since. `off_at` and `why` say since
    when and why nothing is sent to it. `version` rises with each write, 0 before it is stored.
    """

    tenant: str
    address: str = ""
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    failures: int = 0
    worked_at: datetime | None = None
    off_at: datetime | None = None
    why: Why | None = None
    version: int = 0

    @property
    def is_off(self) -> bool:
        """Whether nothing is sent to it."""
        return self.off_at is not None

    def at(self, url: str) -> Endpoint:
        """Return what is known of the endpoint at an address: nothing, where another one was known."""
        address = hashlib.sha256(url.encode()).hexdigest()[:16]
        if self.address in ("", address):
            return replace(self, address=address)
        return Endpoint(self.tenant, address, version=self.version)

    def after(self, outcome: Outcome, at: datetime) -> Endpoint:
        """Return the endpoint after an answer `at` an instant; the same where the answer is nothing new."""
        if self.is_off:
            return self
        if outcome is Outcome.GONE:
            return replace(self, off_at=at, why=Why.GONE)
        if outcome is Outcome.SUCCESS:
            return self._worked(at)
        return self._failed(at)

    def switched_on(self) -> Endpoint:
        """Return the endpoint as one that has never failed; the same where it has not."""
        if not self.is_off and self.failing_since is None:
            return self
        return Endpoint(self.tenant, self.address, worked_at=self.worked_at, version=self.version)

    def _worked(self, at: datetime) -> Endpoint:
        if self.failed_at is None or at < self.failed_at:
            # It worked all the time; when it last did is kept only where it says something.
            return self
        return Endpoint(self.tenant, self.address, worked_at=at, version=self.version)

    def _failed(self, at: datetime) -> Endpoint:
        if self.worked_at is not None and at <= self.worked_at:
            return self
        if self.failed_at is None or self.failing_since is None:
            return replace(self, failing_since=at, failed_at=at, failures=1)
        if at < self.failed_at + COUNTED_EVERY:
            return self
        failed = replace(self, failed_at=at, failures=self.failures + 1)
        if failed.failures >= LEAST and at - self.failing_since >= LASTING:
            return replace(failed, off_at=at, why=Why.LASTING)
        return failed


def wait_after(contact_id: str, failed: int) -> timedelta:
    """Return how long a contact waits after its attempt number `failed`, from 1: the same each time, and up to a fifth
    longer than `WAITS` says.
    """
    assert failed >= 1, "somebody waits for what has failed"
    wait = WAITS[min(failed, len(WAITS)) - 1]
    seed = hashlib.sha256(f"{contact_id}#{failed}".encode()).digest()
    return wait + wait * (int.from_bytes(seed[:4]) % (JITTER + 1)) // 1000
