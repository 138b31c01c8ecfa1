"""The contact budget of a person: all touches of the last weeks, in one item that every claim and every report writes.

Laws count together what a lender, its agencies and its products do to one person. So the count has one place and one
version: two who claim a contact for the same person in the same instant cannot both commit, because both write the
budget under the version they saw. A caller outside the platform reserves its touch before it acts and tells the outcome
under the same id; a reservation whose outcome is never told goes on counting, which is the quieter guess, until the
days that a cap or a cool-off counts are over.

A contact of the platform is counted at its claim, before anything is sent, and each of its attempts for itself
(`attempt_id`), for it is attempts that laws count. Of an attempt there are three outcomes. A provider that surely did
not take it: nobody was tried, and the room is given back with the outcome. A provider that took it: it counts, also
where the message is not delivered later. Nobody knows: it may have gone, so it counts, against a second attempt of the
same contact as well; where there is no room for both, a message may be lost, and no cap is ever broken. The pace and
the deadlines of a treatment are no law: for them all attempts of a contact are one.

What is kept is bounded in time and in room. What falls out of time counts for nothing any more. Where there are more
touches than there is room, the oldest are counted out and the budget says until when they might have counted
(`full_until`): until then nobody can say that a cap has room, and whoever asks has to wait.

A contact with somebody else than the borrower is kept without end, since a rule may allow it so many times and no more
(`max_contacts`): of each kind of person and number the last few, which is as many as such a rule may name.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from betimes.core import ids
from betimes.core.rule import Recipient, Unit
from betimes.core.touch import Touch
from betimes.core.values import dataclass, replace

# How far back touches are kept that do not last. No cap and no cool-off may look back further than this.
KEEP: Final = timedelta(days=35)
MAX_TOUCHES: Final = 400
# Touches kept without end: of one number and kind of person, and of all of them.
MAX_OF_ONE: Final = 5
MAX_LASTING: Final = 100
# Room for the touches of one person, in characters as `_room_of` counts them: well below the 400 KB of an item.
MAX_ROOM: Final = 200_000
# What a touch takes besides its names.
_BARE: Final = 80


@dataclass(frozen=True, slots=True)
class Budget:
    """The touches of one person, in order of (instant, id, by); an id stands once for each who did it (`by`). `version`
    rises with every write and is 0 before the first.

    `full_until` is None while nothing had to be counted out; else the instant (UTC) from which on what was counted out
    would count for nothing. `chain` is the hash of the last ledger record about permissions and reports, "" before one.
    """

    version: int = 0
    touches: tuple[Touch, ...] = ()
    full_until: datetime | None = None
    chain: str = ""

    def is_full(self, at: datetime) -> bool:
        """Return whether touches that might count at `at` had to be counted out: then the caps are not known, and any
        contact but a statutory one waits until `full_until`.
        """
        return self.full_until is not None and at < self.full_until

    def find(self, touch_id: str, by: str) -> Touch | None:
        """Return the touch with an id by a tenant or an agency, None where there is none."""
        own = (touch for touch in self.touches if touch.id == touch_id and touch.by == by)
        return next(own, None)

    def without(self, touch_id: str, by: str) -> Budget:
        """Return the budget without the touch of that id by a tenant or an agency: what somebody who reserved already
        is held against.
        """
        kept = tuple([each for each in self.touches if each.id != touch_id or each.by != by])
        return self if len(kept) == len(self.touches) else replace(self, touches=kept)

    def without_attempts(self, contact_id: str) -> Budget:
        """Return the budget without any attempt of a contact of the platform, for one of which surely none has gone."""
        attempts = attempt_id(contact_id)
        kept = tuple([touch for touch in self.touches if not touch.id.startswith(attempts)])
        return self if len(kept) == len(self.touches) else replace(self, touches=kept)

    def with_touch(self, touch: Touch, now: datetime) -> Budget:
        """Return the budget with `touch`, in place of one with the same id by the same, and without what is older than
        `KEEP` at `now` (UTC) and does not last; a touch exactly that old is kept.

        Of more than `MAX_TOUCHES`, or more than `MAX_ROOM`, the newest are kept beside those that last. The version
        stays: it rises where the change is written.
        """
        found = [each for each in self.touches if each.id != touch.id or each.by != touch.by]
        found.append(touch)
        lasting = _lasting(found)
        oldest = now - KEEP
        others = [each for each in found if each.at >= oldest and each not in lasting]
        others.sort(key=_place)
        full_until = self.full_until if self.is_full(now) else None
        fits = _fitting(others, MAX_TOUCHES - len(lasting), MAX_ROOM - sum(map(_room_of, lasting)))
        if fits < len(others):
            out = others[-fits - 1].at + KEEP
            full_until = out if full_until is None else max(out, full_until)
        kept = sorted([*lasting, *others[len(others) - fits :]], key=_place)
        return replace(self, touches=tuple(kept), full_until=full_until)


NO_BUDGET: Final = Budget()


def _place(touch: Touch) -> tuple[datetime, str, str]:
    return touch.at, touch.id, touch.by


def attempt_id(contact_id: str, attempt: int | str = "") -> str:
    """Return the id of the touch that an attempt of a contact is; without an attempt, how those of all of them begin.

    A contact's id is of a form that nobody else's touch may have, so these never meet another one.
    """
    return f"{contact_id}:{attempt}"


# Remembered: every question about a step asks for it, and there are several a message.
@lru_cache(maxsize=4096)
def token_of(tenant: str, borrower_id: str, address: str) -> str:
    """Return what stands for a number or an address of a borrower in touches, requests and consents; "" for none.

    The same for all callers, so that their touches meet; another one for every borrower, so that no two of them can be
    joined by it. It is a pseudonym and not anonymous: a hash (SHA-256) without a key, so whoever knows tenant and
    borrower can try all numbers until one fits. Keep it as you keep the number.
    """
    return "n_" + ids.digest_id(tenant, borrower_id, address) if address else ""


def lasts(touch: Touch) -> bool:
    """Return whether a touch is kept without end: one with somebody else than the borrower, which there may be only so
    many of.
    """
    return touch.recipient is not Recipient.BORROWER and touch.counts(Unit.ANY)


def _lasting(touches: list[Touch]) -> list[Touch]:
    """Return the touches that are kept without end: the newest of each kind of person and number, and where these are
    too many, the last one of each before the last but one of any.
    """
    last = sorted(filter(lasts, touches), key=_place, reverse=True)
    ranks: dict[tuple[Recipient, str], int] = {}
    ranked: list[tuple[int, Touch]] = []
    for touch in last:
        one = (touch.recipient, touch.number)
        rank = ranks[one] = ranks.get(one, 0) + 1
        if rank <= MAX_OF_ONE:
            ranked.append((rank, touch))
    ranked.sort(key=lambda each: each[0])
    return [touch for _, touch in ranked[:MAX_LASTING]]


def _fitting(touches: list[Touch], most: int, room: int) -> int:
    """Return how many of the newest of `touches`, which are in order of time, fit: at most so many, in so much room."""
    for n, touch in enumerate(reversed(touches)):
        room -= _room_of(touch)
        if room < 0 or n == most:
            return n
    return len(touches)


def _room_of(touch: Touch) -> int:
    """Return about how many characters a touch takes as it is stored."""
    names = (*touch.debts, *touch.accounts, *touch.products, *touch.excluded)
    return (
        _BARE
        + len(touch.id)
        + len(touch.by)
        + len(touch.number)
        + sum(map(len, names))
        + 4 * len(names)
    )
