"""Permission with reservation: counted once, under the version that was seen, for as long as nobody says more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from betimes.core.errors import Rejected, Unavailable
from betimes.core.hold import Kind
from betimes.core.intake import Outcome, PutHold, ReportTouches
from betimes.core.law import Effect
from betimes.core.permission import GOOD_FOR, Permission, Wanted
from betimes.core.reason import Reason
from betimes.core.rule import Party, Purpose, Recipient
from betimes.core.touch import Direction, Touch
from betimes.flows.feed import complete
from betimes.flows.permission import MAX_TRIES, may_contact
from betimes.lab.world import TENANT, World
from betimes.ports import Stores
from tests.core.support import POLICIES, TICK, utc
from tests.factories import touch
from tests.flows.harness import Interrupted, account, bill, empty_world, person, records_of, tell

# The day after the due date, noon in Shanghai; of the jurisdiction there is no pack: three contacts a day.
NOON = utc("2026-03-10 04:00")
MINUTE = timedelta(minutes=1)
CALL = Wanted("call", Purpose.OVERDUE, "call-1", reserve=True, by="agency-7", debts=("o1",))


def owing() -> World:
    """Return a world in which somebody owes a bill since yesterday, and nothing of it has been said."""
    here = empty_world()
    tell(here, person(email="", jurisdiction="XX"), account(), bill())
    here.clock.advance(NOON)
    return here


def ask(
    here: World, wanted: Wanted = CALL, now: datetime = NOON, *, stores: Stores | None = None
) -> Permission:
    """Return what is said to somebody who asks."""
    return may_contact(stores or here.stores, POLICIES, TENANT, "b1", wanted, now)


def touches(here: World) -> tuple[Touch, ...]:
    """Return what the budget holds."""
    return here.memory.pages(TENANT, "b1").budget.touches


def report(here: World, *told: Touch) -> None:
    """Tell what has been."""
    answers = tell(here, ReportTouches(told))
    assert set(answers) <= {Outcome.STORED, Outcome.UNCHANGED}


def test_a_reservation_is_counted_at_once() -> None:
    """Three reserve, and for the fourth there is no room, whoever asks."""
    here = owing()
    for n in range(3):
        assert ask(here, replace(CALL, touch_id=f"call-{n}", by=f"agency-{n}")).is_given
    said = ask(here, replace(CALL, touch_id="call-4", by="agency-9"))
    assert (said.effect, said.rule_ids) == (Effect.DEFER, ("HOUSE.CAP",))
    assert [each.id for each in touches(here)] == ["call-0", "call-1", "call-2"]
    assert all(each.reserved for each in touches(here))


def test_to_ask_takes_no_room() -> None:
    """Without a reservation, and where the answer is no, nothing is counted; that it was asked is on record."""
    here = owing()
    assert ask(here, replace(CALL, reserve=False)).is_given
    assert ask(here, replace(CALL, reserve=False, touch_id="")).is_given
    assert ask(here, now=utc("2026-03-10 15:00")).effect is Effect.DEFER
    assert touches(here) == ()
    assert [r.body["state"] for r in records_of(here)] == ["allow", "allow", "defer"]


def test_asked_again_it_is_the_same_reservation() -> None:
    """A lost answer may be asked for again within the hour: counted once, and good no longer than at first."""
    here = owing()
    first = ask(here)
    again = ask(here, now=NOON + 20 * MINUTE)
    assert first.until == again.until == NOON + GOOD_FOR
    assert [each.at for each in touches(here)] == [NOON]
    assert here.memory.pages(TENANT, "b1").budget.version == 1


@pytest.mark.parametrize(
    ("wanted", "now"),
    [
        (CALL, NOON + GOOD_FOR),
        (CALL, NOON - TICK),
        (replace(CALL, debts=()), NOON),
        (replace(CALL, channel="sms"), NOON),
        (replace(CALL, address="+8613800000000"), NOON),
        (replace(CALL, debts=(), reserve=False), NOON),
    ],
)
def test_an_id_stands_for_one_contact(wanted: Wanted, now: datetime) -> None:
    """After the hour, or for another contact, the id is used up: else it would carry yesterday's attempt away."""
    here = owing()
    ask(here)
    with pytest.raises(Rejected) as caught:
        ask(here, wanted, now)
    assert (caught.value.code, caught.value.field) == ("duplicate_id", "touch_id")
    assert [each.at for each in touches(here)] == [NOON]


def test_each_caller_has_ids_of_its_own() -> None:
    """Two agencies with the same id have two reservations, and each is counted against the other."""
    here = owing()
    for by in ("agency-7", "agency-8"):
        assert ask(here, replace(CALL, by=by)).is_given
    assert [(each.id, each.by) for each in touches(here)] == [
        ("call-1", "agency-7"),
        ("call-1", "agency-8"),
    ]
    assert ask(here, replace(CALL, touch_id="call-2")).is_given
    assert ask(here, replace(CALL, by="agency-9")).effect is Effect.DEFER
    assert ask(here).is_given


def test_a_conversation_told_by_a_clock_ahead_counts_at_once() -> None:
    """Nobody may call again in the minutes by which somebody's clock is ahead; the record says what was told."""
    here = empty_world()
    american = person(email="", jurisdiction="US", zone="America/New_York")
    tell(here, american, account(), bill())
    noon = utc("2026-03-10 16:00")
    here.clock.advance(noon)
    wanted = replace(CALL, party=Party.THIRD, reserve=False)
    assert ask(here, wanted, noon).is_given
    talk = touch(
        id="in-1",
        at=noon + 9 * MINUTE,
        direction=Direction.IN,
        attempt=False,
        connected=True,
        conversation=True,
        party=Party.THIRD,
    )
    report(here, talk)
    said = ask(here, wanted, noon)
    assert (said.effect, said.rule_ids) == (Effect.DEFER, ("US.REGF.CONV7",))
    [line] = [r.body["touch 1"] for r in records_of(here) if r.body["event"] == "touches_told"]
    assert str(line).split() == [
        "in-1",
        "2026-03-10T16:00:00.000000Z",
        "in",
        "call",
        "agency-7",
        "connected",
        "conversation",
    ]


def test_repayments_that_are_told_are_heard_of() -> None:
    """A treatment that wants them fresh: a call waits until the lender says that they are."""
    here = owing()
    line = replace(POLICIES.treatment, fresh_within=timedelta(hours=24))
    fresh = replace(POLICIES, treatment=line)
    said = may_contact(here.stores, fresh, TENANT, "b1", CALL, NOON)
    assert (said.effect, said.reasons) == (Effect.DEFER, (Reason.STALE_FEED,))
    complete(here.stores, TENANT, NOON, NOON)
    assert may_contact(here.stores, fresh, TENANT, "b1", CALL, NOON).is_given


def test_who_may_be_spoken_to_once_is_not_spoken_to_again() -> None:
    """Somebody asked where the borrower is: once, also when five weeks are over and others have been called since."""
    here = empty_world()
    american = person(email="", jurisdiction="US", zone="America/New_York")
    tell(here, american, account(), bill())
    noon = utc("2026-03-10 16:00")
    here.clock.advance(noon)
    where = replace(
        CALL,
        party=Party.THIRD,
        address="+12125550123",
        recipient=Recipient.CONTACT,
        reveals_debt=False,
        borrower_unreachable=True,
    )
    assert ask(here, where, noon).is_given
    later = noon + timedelta(days=99)
    here.clock.advance(later)
    report(here, touch(id="other", at=later))
    said = ask(here, replace(where, touch_id="call-2"), later)
    assert (said.effect, said.rule_ids) == (Effect.DENY, ("US.REGF.LOCATE",))


def test_an_outcome_takes_the_place_of_its_reservation() -> None:
    """Told under the same id it counts as what it was; the id is not to be had again."""
    here = owing()
    ask(here)
    called = touch(id="call-1", at=NOON + 5 * MINUTE, debts=("o1",))
    here.clock.advance(NOON + 6 * MINUTE)
    report(here, called)
    [found] = touches(here)
    assert (found.at, found.attempt, found.connected, found.reserved) == (
        called.at,
        True,
        False,
        False,
    )
    with pytest.raises(Rejected, match="another touch"):
        ask(here, now=NOON + 7 * MINUTE)


def test_a_reservation_that_is_never_told_goes_on_counting() -> None:
    """Hours later it still takes its room; told as not made, it gives it back."""
    here = owing()
    for n in range(3):
        ask(here, replace(CALL, touch_id=f"call-{n}"))
    later = NOON + 5 * GOOD_FOR
    here.clock.advance(later)
    fourth = replace(CALL, touch_id="call-4")
    assert ask(here, fourth, later).effect is Effect.DEFER
    report(here, touch(id="call-0", at=NOON, debts=("o1",), attempt=False))
    assert ask(here, fourth, later).is_given


def test_a_reservation_has_an_id() -> None:
    """Without one nobody could tell what became of it."""
    with pytest.raises(Rejected) as caught:
        ask(owing(), replace(CALL, touch_id=""))
    assert (caught.value.code, caught.value.field) == ("bad_touch", "touch_id")


def test_somebody_unknown_is_refused() -> None:
    """With the code that says so, whether or not anything is to be reserved."""
    with pytest.raises(Rejected) as caught:
        may_contact(owing().stores, POLICIES, TENANT, "b9", CALL, NOON)
    assert caught.value.code == "unknown_borrower"


def _rival(here: World) -> None:
    assert ask(here, replace(CALL, touch_id="rival")).is_given


def _hold(here: World) -> None:
    tell(here, PutHold("h1", Kind.DECEASED, NOON))


@pytest.mark.parametrize(
    ("between", "effect"), [(_rival, Effect.DEFER), (_hold, Effect.DENY)], ids=["rival", "hold"]
)
def test_of_two_who_ask_at_once_one_gets_the_last_room(
    between: Callable[[World], None], effect: Effect
) -> None:
    """Both saw room for one: whoever writes second looks again and hears no; so does one who saw no hold."""
    here = owing()
    for n in range(2):
        ask(here, replace(CALL, touch_id=f"call-{n}"))
    stores = Interrupted(here.memory, 1, lambda: between(here))
    said = ask(here, replace(CALL, touch_id="late"), stores=stores.stores)
    assert stores.happened
    assert said.effect is effect
    assert "late" not in [each.id for each in touches(here)]


def test_who_never_wins_is_asked_to_come_back() -> None:
    """After some tries against others who write, nothing is reserved and the caller is told to try later."""
    here = owing()

    class Contested(Interrupted):
        def step(self) -> None:
            n = here.memory.pages(TENANT, "b1").budget.version
            report(here, touch(id=f"r{n}", at=NOON - timedelta(days=2) + n * MINUTE))

    with pytest.raises(Unavailable):
        ask(here, stores=Contested(here.memory, 0, lambda: None).stores)
    assert len(touches(here)) >= MAX_TRIES
    assert "call-1" not in [each.id for each in touches(here)]
