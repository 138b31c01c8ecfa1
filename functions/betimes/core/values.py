"""Values: dataclasses that the type checker keeps frozen and the interpreter builds at full speed.

A frozen dataclass sets each field through `object.__setattr__`, and `dataclasses.replace` goes through `__init__` once
more: together a fifth of the lab's time (docs/decisions/0015). The gate refuses an assignment to a field of a value
(mypy, as for any frozen dataclass), so the interpreter need not. Import `dataclass` and `replace` from here in core,
flows, ports and lab; to the reader and to mypy they are those of the standard library.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:

    def dataclass(cls=None, /, *, frozen=False, **options):
        """Return the class as a dataclass; a frozen one is hashed by its fields and keeps plain assignments."""
        if frozen:
            options["unsafe_hash"] = True
        made = dataclasses.dataclass(**options)
        return made if cls is None else made(cls)

    def replace(value, /, **changes):
        """Return a copy of a value with other values in the fields named.

        Raises:
            KeyError: there is no such field.
        """
        kind = type(value)
        every, places = _shape(kind)
        parts = list(every(value))
        for name, part in changes.items():
            parts[places[name]] = part
        return kind(*parts)


@lru_cache(maxsize=512)
def _shape(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, int]]:
    """Return what reads all fields of a kind of value at once, and the place of each field."""
    names = [each.name for each in dataclasses.fields(kind)]
    places = {name: place for place, name in enumerate(names)}
    if len(names) > 1:
        return attrgetter(*names), places
    # A getter of one attribute returns it bare.
    return lambda value: tuple(getattr(value, name) for name in names), places
