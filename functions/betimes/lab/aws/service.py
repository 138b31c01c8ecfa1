"""What the pretend services have in common: their operations, and the state they are set back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from betimes.core.values import dataclass
from betimes.lab.aws import errors

Parameters = Mapping[str, Any]
Act = Callable[[Parameters], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a client: the parameters that it needs and that it may have, and what it does."""

    required: frozenset[str]
    allowed: frozenset[str]
    act: Act


def operation(act: Act, required: str, optional: str = "") -> Operation:
    """Return an operation; parameters are named in texts with spaces between."""
    needed = frozenset(required.split())
    return Operation(needed, needed | frozenset(optional.split()), act)


class Service:
    """One service, or several that share what they know."""

    # The operations of the client of each service, by their names in boto3.
    offered: Mapping[str, Mapping[str, Operation]]

    def kept(self) -> object:
        """Return the state, for `restore`; what happens later does not change it."""
        raise NotImplementedError

    def restore(self, kept: Any) -> None:
        """Set the state back to what `kept` returned."""
        raise NotImplementedError

    def conflict(self, operation: str, asked: Parameters) -> Exception:
        """Return the error of a request that meets another transaction at its item."""
        raise errors.NotModelled(f"{operation} meets no transactions: {', '.join(asked)}")

    def partly(self, operation: str, asked: Parameters) -> dict[str, Any]:
        """Do a part of a batch and return the answer that says which part was not done."""
        raise errors.NotModelled(f"{operation} is no batch: {', '.join(asked)}")
