"""The proof can fail: each defect that the audit is there to find is planted in the rules, in a small world, and named.

Without the defect the same world is found in order, so it is the defect that is found and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

import pytest

from betimes.core import decide, look
from betimes.core.agenda import NEVER, Planned
from betimes.core.audit import Findings
from betimes.core.contact import Contact
from betimes.core.decision import Suppress
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import AmendObligation, ChooseEntry, PutFlight, PutHold
from betimes.core.obligation import Obligation
from betimes.core.policies import Policies
from betimes.core.product import PLAIN
from betimes.core.reason import Reason
from betimes.core.treatment import Entry, Fallback, MessageClass
from betimes.lab.runner import report_of
from betimes.lab.world import TENANT, World
from tests.core.support import DAY, POLICIES, TREATMENT, step, utc
from tests.flows.harness import STEP_AT, TOLD_AT, account, bill, money, person, tell

HOUR = timedelta(hours=1)
END = utc("2026-03-20 00:00")
# Weekends and public holidays.
CALENDAR = next(iter(POLICIES.calendars.values()))


def by(*steps: object, **fields: object) -> Policies:
    """Return the shipped policies with another default treatment."""
    more = {"steps": steps, **fields} if steps else fields
    return replace(POLICIES, treatment=replace(TREATMENT, **more))  # type: ignore[arg-type]  # fields of Treatment


def told(policies: Policies, *commands: object) -> World:
    """Return a world in which somebody has been told of, with a card, and then the commands."""
    here = World(policies, TOLD_AT, shards=1)
    answers = tell(here, person(), account(), *commands)  # type: ignore[arg-type]  # commands
    assert set(answers) == {"stored"}, answers
    return here


def findings(here: World) -> Findings:
    return report_of(here, here.policies).findings


def held() -> World:
    """A dispute over the whole life of the bill."""
    return told(POLICIES, bill(), PutHold("h1", Kind.DISPUTE, TOLD_AT))


def held_by_sms() -> World:
    """A complaint about messages to the phone, of somebody who has no other address."""
    here = World(POLICIES, TOLD_AT, shards=1)
    stop = PutHold("h1", Kind.COMPLAINT, TOLD_AT, channel="sms")
    tell(here, person("", "+8613800000000"), account(), bill(), stop)
    return here


def under_way(obligation_id: str = "o1", state: FlightState = FlightState.PENDING) -> World:
    """Money that is expected for a week, or came and is to be told."""
    flight = PutFlight(
        "f1", "a1", obligation_id, Means.DEBIT, 1000, state, TOLD_AT, TOLD_AT + 8 * DAY
    )
    return told(POLICIES, bill(), flight)


def of_account() -> World:
    """Money for whatever the account owes."""
    return under_way("")


def paced() -> World:
    """Two steps an hour apart, where twenty are asked for."""
    close = (step("one"), step("two", send_at=time(11)))
    return told(by(*close, min_gap=20 * HOUR), bill())


def paced_in_person() -> World:
    """Two bills of one person, reminded of on the same day."""
    day = (step("one", catch_up=6 * HOUR),)
    other = bill("o2", due_on=date(2026, 3, 10))
    first = replace(by(*day, min_gap=30 * HOUR))
    return told(first, bill(), other)


def closed() -> World:
    """A step that comes due before a weekend and may go late, once the hours are over."""
    late = step("late", send_at=time(23, 30), catch_up=90 * HOUR)
    return told(by(late, calendar=CALENDAR, closed=frozenset({"weekend"})), bill())


def in_grace() -> World:
    """A demand on the day after the due date of a product with three days of grace."""
    demand = step("D+1", offset_days=1, template="overdue", message_class=MessageClass.OVERDUE)
    policies = by(demand)
    graced = {**policies.profiles, "graced": replace(PLAIN, name="graced", grace_days=3)}
    here = World(replace(policies, profiles=graced), TOLD_AT, shards=1)
    tell(here, person(), account(product="graced"), bill())
    return here


def awaited() -> World:
    """A bill that was overdue when it was told, and nobody has said where to begin."""
    old = bill(issued_at=TOLD_AT - 20 * DAY, due_on=date(2026, 2, 28))
    return told(by(entry=Entry.CHOSEN), old)


def not_begun() -> World:
    """The same, and somebody has chosen a day that is to come."""
    here = awaited()
    tell(here, ChooseEntry("o1", date(2026, 3, 10)))
    return here


def minimum_paid() -> World:
    """A bill of which the minimum was paid before it fell due."""
    return told(POLICIES, bill(minimum_minor=100), money(minor=100))


def paid() -> World:
    """A bill that was paid long before its first step."""
    return told(POLICIES, bill(), money())


@dataclass(frozen=True)
class Plant:
    """Rules of `core.decide` that are put out of order, what stands there instead, and what must be found then."""

    names: str
    world: Callable[[], World]
    found: str
    instead: Callable[..., object] = lambda *_: None

    def __str__(self) -> str:
        return f"{self.names} in {self.world.__name__}"


def unheld(*_: object, **__: object) -> None:
    return None


def nothing(*_: object) -> Iterator[object]:
    return iter(())


PLANTS = [
    Plant("stopping", held, "hold_dispute", unheld),
    Plant("stopping", held_by_sms, "hold_complaint", unheld),
    Plant("_silent_until", under_way, "money_in_flight", nothing),
    Plant("_silent_until", of_account, "money_in_flight", nothing),
    Plant("_closed_or_too_soon", paced, "too_soon"),
    Plant("_closed_or_too_soon", paced_in_person, "too_soon"),
    Plant("_closed_or_too_soon", closed, "closed_day"),
    Plant("_not_meant", in_grace, "in_grace"),
    Plant("_not_meant", not_begun, "before_entry"),
    Plant("awaits_entry", awaited, "awaiting_entry", lambda *_: False),
    Plant("_out_of_arrears _not_meant", minimum_paid, "minimum_paid"),
]


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_rule_that_is_put_out_of_order_is_found(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what went out although something forbade it."""
    honest = plant.world()
    honest.run_until(END)
    assert findings(honest).all_kept, findings(honest)
    for name in plant.names.split():
        monkeypatch.setattr(decide, name, plant.instead)
    here = plant.world()
    here.run_until(END)
    found = findings(here).against_policy
    assert found and all(named.endswith(f" {plant.found}") for named in found), findings(here)


def test_a_reminder_of_what_was_paid_is_found() -> None:
    """The stored state says that it is open: the money says otherwise."""
    here = paid()
    bill_ = here.memory.pages(TENANT, "b1").obligations["o1"]
    assert not bill_.is_open
    watch = replace(bill_.watch, look_at=STEP_AT)
    put(here, replace(bill_, settled_at=None, paid_minor=0, watch=watch))
    here.run_until(STEP_AT)
    assert findings(here).after_payment


def put(here: World, obligation: Obligation) -> None:
    """Put an obligation into the store past all rules."""
    pages = here.memory.pages(TENANT, "b1")
    here.memory._move_look(pages, obligation)
    here.memory._put(pages.with_obligation(obligation))


def test_a_reminder_of_what_was_paid_after_an_amendment_is_found() -> None:
    """The bill had become smaller, and that much was paid."""
    smaller = AmendObligation("o1", 1, date(2026, 3, 9), 900, 900)
    here = told(POLICIES, bill(), smaller, money(minor=900))
    settled = here.memory.pages(TENANT, "b1").obligations["o1"]
    assert not settled.is_open
    watch = replace(settled.watch, look_at=STEP_AT)
    put(here, replace(settled, settled_at=None, watch=watch))
    here.run_until(STEP_AT)
    assert findings(here).after_payment


def test_a_step_that_a_digest_took_along_and_its_own_contact_said_too_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other bill forgets that it was decided."""
    honest = look._taken_along

    def forgetful(looked: look.Looked, *rest: object) -> look.Looked:
        after = honest(looked, *rest)  # type: ignore[arg-type]  # passed on as they came
        *others, last = after.others
        forgot = replace(last.watch, decided=(), look_at=STEP_AT + HOUR)
        return replace(after, others=(*others, replace(last, watch=forgot)))

    def two() -> World:
        here = told(by(step("D-3"), digest=True), bill(), bill("o2"))
        here.run_until(END)
        return here

    assert findings(two()).all_kept
    monkeypatch.setattr(look, "_taken_along", forgetful)
    assert findings(two()).duplicates == ("o2:D-3",)


def failing(email: str = "hard@borrowers.example") -> World:
    """A step by e-mail, else by SMS, of somebody whose mailbox does not exist."""
    here = World(by(step("D-3", channels=("email", "sms"))), TOLD_AT, shards=1)
    tell(here, person(email, "+8613800000000"), account(), bill())
    here.run_until(END)
    return here


def test_a_second_channel_without_a_failure_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that follows a bounce is no duplicate; the same after a delivery is."""
    assert len(failing().provider.accepted) == 2
    assert findings(failing()).all_kept
    monkeypatch.setattr(Contact, "failure", property(lambda self: Fallback.HARD))
    here = failing("li@borrowers.example")
    assert len(here.provider.accepted) == 2
    assert findings(here).duplicates == ("o1:D-3",)


def test_a_channel_taken_twice_is_found() -> None:
    """The second contact took the place of one that failed; a third took the place of none."""
    here = failing()
    again = here.provider.accepted[-1]
    here.provider.accepted.append(again)
    assert findings(here).duplicates == ("o1:D-3",)


def test_a_lost_look_of_a_new_cycle_is_found() -> None:
    """The same steps were decided before the due date moved."""
    here = told(POLICIES, bill())
    here.run_until(utc("2026-03-08 12:00"))
    assert findings(here).all_kept
    tell(here, AmendObligation("o1", 1, date(2026, 3, 20), 1000, 1000))
    moved = here.memory.pages(TENANT, "b1").obligations["o1"]
    put(here, replace(moved, watch=replace(moved.watch, look_at=NEVER)))
    here.run_until(utc("2026-03-18 12:00"))
    assert findings(here).undecided == ("o1:D-3",)


@pytest.mark.parametrize("reason", ["PAID", "MERGED_INTO_NEXT", "CATCH_UP_EXCEEDED", "HOLD_MASS"])
def test_a_reason_that_is_not_true_is_no_decision(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step is not sent, and the record says why; the facts say nothing of the kind."""
    here = told(POLICIES, bill())

    def lie(*asked: object) -> Suppress | None:
        key = next(each.key for each in asked if isinstance(each, Planned))
        facts = asked[-1]
        if key != "D-1":
            return None
        return Suppress(key, Reason[reason], facts)  # type: ignore[arg-type]  # facts seen

    monkeypatch.setattr(decide, "_not_meant", lie)
    here.run_until(END)
    assert findings(here).undecided == ("o1:D-1",)
