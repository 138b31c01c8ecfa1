"""What a telephone number says about time zones.

A number is evidence, not a location: people move and keep it, one area code may lie in two zones, and the mobile
numbers of a country of several zones may all point to its capital. So the answer is a set of candidates, to be joined
with what else is known (`zone_evidence` of a borrower), never the zone itself.

The data are those of the package `phonenumbers` (libphonenumber). A new version may answer otherwise: that is a change
of data to look at, which a test pinned to the version shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from betimes.core.errors import Rejected

# What the library says of a number it can place nowhere (ICU's name for it).
UNKNOWN = "Etc/Unknown"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# Channels whose address is a telephone number.
_RINGING = frozenset({"call", "ai_call", "sms"})


def evidence(number: str) -> tuple[str, ...]:
    """Return what the library says about the zones of an E.164 number, word for word, sorted.

    One entry `Etc/Unknown` where it cannot say: the number is not valid, belongs to no place (+800), or is no number of
    E.164 form at all. A toll-free number names all zones of its country code, which for +1 is some forty. Never raises.
    """
    # Imported at the first question: the metadata of all countries cost about 0.12 s and 15 MB.
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import time_zones_for_number

    if not _E164.fullmatch(number):
        return (UNKNOWN,)
    try:
        return tuple(sorted(time_zones_for_number(parse(number))))
    except NumberParseException:
        return (UNKNOWN,)


def checked_address(channel: str, address: str) -> str:
    """Return the number or address that a contact by `channel` uses, "" where it is not told.

    Raises:
        Rejected: code "bad_phone", field "number", where the channel rings a number and this is none.
    """
    if address and channel in _RINGING and not _E164.fullmatch(address):
        raise Rejected("bad_phone", "number", "a phone number has the E.164 form +8613800000000")
    return address


def zones_of(number: str) -> tuple[str, ...]:
    """Return the candidate zones (IANA) of an E.164 number, sorted; none where nothing can be said. Never raises.

    None is no permission: where nothing is known, the candidates of the jurisdiction apply (`Rules.candidates`).
    """
    return tuple(name for name in evidence(number) if name != UNKNOWN)


def joined(zone: str, told: Sequence[str], number: str) -> tuple[str, ...]:
    """Return the zone evidence about a borrower: what was `told`, and what the number says unless `zone` is part of it.

    Each name once, in order; may be empty. `zone` is the borrower's own, "" where it is unknown. A number adds nothing
    to a zone that it fits, and all of its candidates to one that it does not: nobody knows then which of them holds.
    `number` is E.164, "" without one. Never raises.

    Source: 12 CFR 1006.6(b)(1), conflicting facts about a location: convenient at every one.
    """
    said = zones_of(number) if number else ()
    return tuple(dict.fromkeys((*told, *(() if zone in said else said))))
