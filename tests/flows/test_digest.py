"""Digests: one contact about several debts, whatever happens to one of them between the decision and the send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest

from betimes.core.contact import State
from betimes.core.hold import Kind
from betimes.core.intake import AmendObligation, Command, PutHold
from betimes.core.reason import Reason
from betimes.core.record import DECISION
from betimes.flows.dispatch import Dispatched
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES, utc
from tests.flows.harness import (
    EMAIL,
    MINUTE,
    PHONE,
    TOLD_AT,
    account,
    bill,
    empty_world,
    money,
    person,
    swept,
    tell,
)

STEP_AT = utc("2026-03-07 02:00")  # T-3 of bills due on 2026-03-10: ten in Shanghai
DUE = date(2026, 3, 10)
HUABEI, JIEBEI = "huabei_like", "jiebei_like"


def book(*products: str, email: str = EMAIL, phone: str = "", due_on: date = DUE) -> World:
    """Return a world of one person who owes CNY 10.00 of each product on one day: o1 on account a1, and so on."""
    here = empty_world()
    tell(here, person(email, phone))
    for n, product in enumerate(products, start=1):
        tell(here, account(f"a{n}", product=product), owed(n, due_on))
    return here


def owed(n: int, due_on: date = DUE, **fields: Any) -> Command:
    return bill(f"o{n}", account_id=f"a{n}", due_on=due_on, **fields)


def ready(here: World) -> str:
    """Sweep at the step's instant and return the one contact that is ready."""
    here.run_until(STEP_AT - MINUTE)
    swept(here, STEP_AT)
    contact_id = here.memory.ready.popleft()
    assert not here.memory.ready, "several debts, one contact"
    return contact_id


def told(here: World, *commands: Command) -> None:
    """Tell something five minutes later, while the contact waits to be dispatched."""
    here.clock.advance(here.clock.now() + 5 * MINUTE)
    tell(here, *commands)


def said(here: World, obligation_id: str) -> list[tuple[str, str]]:
    """Return decision and reason of everything recorded about a debt from the step on, in order."""
    return [
        (str(each.body["decision"]), str(each.body["reason"]))
        for each in here.memory.of_borrower(TENANT, "b1")
        if each.kind == DECISION and each.obligation_id == obligation_id and each.at >= STEP_AT
    ]


def texts(here: World, since: datetime = STEP_AT) -> Sequence[str]:
    return [each.letter.text.body for each in here.provider.accepted if each.at >= since]


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing is brought to dispatch but by the test itself."""
    monkeypatch.setattr(World, "_deliver", lambda *_: None)
    return monkeypatch


def test_two_products_that_prefer_other_channels_share_one_contact() -> None:
    """Huabei writes first, Jiebei sends an SMS first: one contact on a channel that both may use."""
    here = book(HUABEI, JIEBEI, phone=PHONE)
    here.run_until(utc("2026-03-08 02:00"))
    assert len(texts(here)) == 1
    assert "；" in texts(here)[0] or texts(here)[0].count("10.00元") == 2
    assert said(here, "o1")[-1] == ("send", "due")
    assert said(here, "o2")[-1] == ("suppress", "in_digest")


def test_two_classes_of_message_keep_their_distance_and_neither_is_lost() -> None:
    """The day after the due date one debt is in grace, the other overdue: the second one waits for the pace, and goes
    the next morning, before its time is over.
    """
    here = book(HUABEI, JIEBEI, phone=PHONE)
    here.run_until(utc("2026-03-12 03:00"))
    sent = [each.at for each in here.provider.accepted if each.at >= utc("2026-03-11 00:00")]
    assert sent == [utc("2026-03-11 02:00"), utc("2026-03-12 00:00")]


def test_the_rest_is_spoken_of_when_the_first_is_paid(held_back: pytest.MonkeyPatch) -> None:
    """Also where the other one's treatment has no step of that name: the digest is no step's own text."""
    here = book(JIEBEI, HUABEI)
    contact_id = ready(here)
    told(here, money())
    assert here.dispatch.deliver(contact_id) is Dispatched.ACCEPTED
    assert said(here, "o1")[-1] == ("suppress", "paid")
    assert said(here, "o2")[-1] == ("suppress", "in_digest")
    assert texts(here)[0].count("10.00元") == 1


def test_what_was_redated_is_left_out_and_the_rest_goes(held_back: pytest.MonkeyPatch) -> None:
    """Whichever of them it is: its step is one of the cycle that is over."""
    for moved, other in (("o1", "o2"), ("o2", "o1")):
        here = book(HUABEI, HUABEI)
        contact_id = ready(here)
        told(here, AmendObligation(moved, 1, date(2026, 3, 25), 1000, 1000))
        assert here.dispatch.deliver(contact_id) is Dispatched.ACCEPTED
        assert ("suppress", "redated") in said(here, moved)
        assert said(here, other)[-1][1] in ("due", "in_digest")
        assert texts(here)[0].count("10.00元") == 1


def test_a_digest_of_which_nothing_is_left_says_so_of_each(held_back: pytest.MonkeyPatch) -> None:
    """Both paid: no message, and of both that they were paid, not that they were spoken of."""
    here = book(HUABEI, HUABEI)
    contact_id = ready(here)
    told(here, money(), money("r2", obligation_id="o2", account_id="a2"))
    here.dispatch.deliver(contact_id)
    assert texts(here) == []
    assert here.memory.get(contact_id).state is State.CANCELLED  # type: ignore[union-attr]  # it exists
    here.run_until(STEP_AT + 30 * MINUTE)
    assert here.memory.get(contact_id).reason is Reason.PAID  # type: ignore[union-attr]  # it exists
    assert said(here, "o2")[-1] == ("suppress", "paid"), "and not that it was spoken of"


def test_what_is_held_when_the_digest_goes_is_decided_for_itself(
    held_back: pytest.MonkeyPatch,
) -> None:
    """A dispute of one debt stops that one alone. Its step is undecided again, and the dispute is what it ends with."""
    here = book(HUABEI, HUABEI)
    contact_id = ready(here)
    told(here, PutHold("h1", Kind.DISPUTE, STEP_AT, utc("2026-03-08 00:30"), obligation_id="o2"))
    assert here.dispatch.deliver(contact_id) is Dispatched.ACCEPTED
    assert texts(here)[0].count("10.00元") == 1
    assert said(here, "o2")[-1] == ("wait", "hold_dispute")
    held_back.undo()
    here.run_until(utc("2026-03-09 03:00"))
    assert ("suppress", "hold_dispute") in said(here, "o2")
    assert len(texts(here)) == 2, "the next step speaks of both again"
    assert texts(here)[1].count("10.00元") == 2


def test_an_expired_digest_names_the_true_cause(held_back: pytest.MonkeyPatch) -> None:
    """One paid, the other disputed until the end: neither of them was late."""
    here = book(HUABEI, HUABEI)
    contact_id = ready(here)
    told(here, money(), PutHold("h1", Kind.DISPUTE, STEP_AT, obligation_id="o2"))
    held_back.undo()
    here.run_until(utc("2026-03-08 03:00"))
    contact = here.memory.get(contact_id)
    assert contact is not None
    assert contact.sent_at is None
    assert contact.reason is Reason.PAID
    assert said(here, "o2")[-1] == ("suppress", "hold_dispute")


def test_a_surely_refused_contact_was_not_spoken() -> None:
    """It uses up no pace, and a deadline that it was to set is not set."""
    here = book(HUABEI, email="refused@borrowers.example")
    here.run_until(STEP_AT + MINUTE)
    (owing,) = here.memory.pages(TENANT, "b1").obligations.values()
    assert owing.watch.decided[-1] == "T-3"
    assert owing.watch.spoken == ()


def test_a_digest_speaks_of_no_debt_whose_money_waits_to_be_matched() -> None:
    """It may have been paid: whoever matches that money decides when it is looked at."""
    here = empty_world()
    tell(here, person(), account("a1", product=HUABEI), account("a2", product=HUABEI), owed(1))
    tell(here, *(money(f"w{n}", 20, obligation_id="o2", account_id="a2") for n in range(50)))
    here.intake.take_in(TENANT, [], TOLD_AT)
    from betimes.core import intake

    pages = here.memory.pages(TENANT, "b1")
    pages, _ = intake.accept(pages, owed(2), POLICIES, shards=1, now=TOLD_AT)
    assert pages.head is not None
    assert pages.head.unmatched == 10
    here.memory._pages[TENANT, "b1"] = pages
    here.run_until(STEP_AT + MINUTE)
    assert len(texts(here)) == 1
    assert "8.00" not in texts(here)[0]
    assert "2.00" not in texts(here)[0]
