"""The most contacts that a run of time can hold, where each may be anywhere between two instants.

A cap counts contacts in runs of time: any so many seconds on end, or any so many civil days. A step has an earliest
and a latest instant; where in between it is sent follows from outages, holds and hours. The most that a run can hold
is found among the runs that begin just before the latest instant of some contact: moving a run forward until it would
lose its first contact loses none of the others, whose latest instants lie behind. So the maximum over these few runs
is the maximum over all of them.

Instants are either absolute (`datetime`) or counted from the midnight of a due date (`timedelta`); both work alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from betimes.core.values import dataclass

# datetime or timedelta: what can be compared, and moved by a timedelta.
At = TypeVar("At", bound=Any)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Hull(Generic[At]):
    """A contact that happens at some instant from `earliest` until before `latest`, or at `earliest` if these are one.

    `waits`: it keeps the pace of the treatment, which a statutory notice does not. The rule asked about may stop it
    from `bound_from` until before `bound_until`, both None if it never may; a contact that is not bound counts all the
    same.
    """

    name: str
    debt: int
    earliest: At
    latest: At
    waits: bool
    bound_from: At | None
    bound_until: At | None

    def is_bound(self, start: At, end: At) -> bool:
        """Return whether the rule may stop the contact at some instant from `start` until before `end`."""
        if self.bound_from is None or self.bound_until is None:
            return False
        return bool(self.bound_from < end and start < self.bound_until)


@dataclass(frozen=True, slots=True)
class Run(Generic[At]):
    """A run of time from `start` until before `end`, and the contacts that it can hold, in order of time."""

    start: At
    end: At
    holds: tuple[Hull[At], ...]


def runs_of(length: timedelta) -> Callable[[Any], tuple[tuple[Any, Any], ...]]:
    """Return what gives, for a contact's latest instant, the run of `length` that begins just before it."""

    def run(latest: Any) -> tuple[tuple[Any, Any], ...]:
        return ((latest - _TICK, latest - _TICK + length),)

    return run


def fullest(
    hulls: Sequence[Hull[At]],
    runs: Callable[[At], Sequence[tuple[At, At]]],
    gap: timedelta,
    most: int,
) -> Run[At] | None:
    """Return the first run that can hold more than `most` contacts of which one is bound, None where there is none.

    `runs` gives the runs [start, end) to look at for the latest instant of a contact: all that could lose it by moving
    on. `gap` is the least time between two contacts that wait, 0 for none: of these no more fit than one for each
    `gap`, begun or full. That bound may be above what could happen, never below.
    """
    for hull in sorted(hulls, key=lambda each: (each.latest, each.earliest)):
        last = hull.latest if hull.earliest < hull.latest else hull.earliest + _TICK
        for start, end in runs(last):
            inside = [
                each
                for each in hulls
                if each.earliest < end and (each.latest > start or each.earliest >= start)
            ]
            if len(inside) <= most or not any(each.is_bound(start, end) for each in inside):
                continue
            if gap:
                # As many as fit when the first stands at the start: one for each gap, and one for what is left over.
                room = -((start - end) // gap)
                paced = [each for each in inside if each.waits]
                held = sorted(paced, key=lambda each: (each.latest, each.earliest))[:room]
                inside = [each for each in inside if not each.waits or each in held]
                if len(inside) <= most:
                    continue
            inside.sort(key=lambda each: (max(each.earliest, start), each.latest))
            return Run(start, end, tuple(inside))
    return None
