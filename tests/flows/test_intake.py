"""Intake: all that is told is stored once, whoever writes at the same time, and money is never lost on the way."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.book import Pages
from betimes.core.change import Change, Park
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import Command
from betimes.flows.intake import MAX_TRIES, Answer, Intake, Told
from betimes.lab.memory import Memory
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES
from tests.flows.harness import (
    TOLD_AT,
    Broken,
    Interrupted,
    WorkerGone,
    account,
    back,
    bill,
    bill_of,
    empty_world,
    money,
    of_b1,
    person,
    world,
)


def intake_over(stores: Interrupted) -> Intake:
    """Return the intake over interrupted stores."""
    return Intake(stores.stores, POLICIES, 1)


def told(here: World, *items: Told) -> list[Answer]:
    """Return the answers to everything told in one go; nothing else happens."""
    return here.intake.take_in(TENANT, items, TOLD_AT)


def codes(answers: Sequence[Answer]) -> list[str]:
    """Return each answer as a word: its outcome or the code of its refusal."""
    return [answer.code if isinstance(answer, Rejected) else str(answer) for answer in answers]


def nameless(*commands: Command, account_id: str = "a1") -> Told:
    """Return something told about an account, whose borrower the source leaves open."""
    return Told(account_id, "", commands)


def test_answers_come_in_the_order_of_what_was_told() -> None:
    """Across borrowers, refused ones in between; a refused one leaves no trace and stops no other."""
    here = empty_world()
    items = [
        of_b1(person(), account()),
        of_b1(person(zone="Mars/Olympus"), borrower_id="b2"),
        of_b1(bill()),
        of_b1(account("a3"), borrower_id="b3"),
        of_b1(money(minor=1001)),
        of_b1(person(), account()),
    ]
    assert codes(told(here, *items)) == [
        "stored", "unknown_zone", "stored", "unknown_borrower", "overpaid", "unchanged",
    ]  # fmt: skip
    assert here.memory.pages(TENANT, "b2").head is None
    assert here.memory.pages(TENANT, "b3").accounts == {}


def test_commands_told_together_hold_together() -> None:
    """A bill that is refused takes the account told with it back."""
    here = empty_world()
    assert codes(told(here, of_b1(person(), account(), bill(amount_minor=0)))) == ["bad_amount"]
    pages = here.memory.pages(TENANT, "b1")
    assert (pages.head, pages.accounts) == (None, {})
    assert here.memory.owner(TENANT, "a1").borrower_id == ""


def test_an_account_has_one_holder() -> None:
    """Another borrower cannot take it, in this batch or later; its bills stay with the first."""
    here = world()
    assert codes(told(here, of_b1(person(), account(), borrower_id="b2"))) == ["account_taken"]
    assert here.memory.pages(TENANT, "b2").head is None
    assert codes(told(here, of_b1(account(limit_minor=5)))) == ["replaced"]


def test_a_bill_told_of_another_person_than_its_holder_says_so() -> None:
    """Nothing is to be created first."""
    here = empty_world()
    told(here, of_b1(person(), account()), of_b1(person(), borrower_id="b2"))
    for borrower_id in ("b2", "b3"):
        assert codes(told(here, of_b1(bill(), borrower_id=borrower_id))) == ["account_taken"]


def test_tenants_do_not_meet() -> None:
    """The same ids of two tenants are two borrowers, two accounts and two bills."""
    here = world()
    answers = here.intake.take_in("other", [of_b1(person(), account(), bill())], TOLD_AT)
    assert codes(answers) == ["stored"]
    here.intake.take_in("other", [of_b1(money())], TOLD_AT)
    assert bill_of(here).paid_minor == 0
    assert here.memory.pages("other", "b1").obligations["o1"].paid_minor == 1000


def test_a_bill_of_an_unknown_account_is_refused_and_money_is_kept() -> None:
    """Nobody knows yet whose it is; bad money is refused even then."""
    here = empty_world()
    items = [nameless(bill()), nameless(money()), nameless(money("r2", minor=0)), nameless(back())]
    assert codes(told(here, *items)) == ["unknown_account", "kept", "bad_amount", "unknown_account"]
    assert [r.id for r in here.memory.owner(TENANT, "a1").parked] == ["r1"]


def test_parked_money_arrives_with_its_account() -> None:
    """All of it, once; nothing stays parked, and the bill that follows is paid."""
    here = empty_world()
    assert codes(told(here, nameless(money("r1", 400)), nameless(money("r2", 600)))) == ["kept"] * 2
    assert codes(told(here, nameless(money("r1", 400)))) == ["unchanged"]
    told(here, of_b1(person(), account()))
    owner = here.memory.owner(TENANT, "a1")
    assert (owner.borrower_id, owner.parked) == ("b1", ())
    told(here, nameless(bill()))
    assert not bill_of(here).is_open
    assert codes(told(here, nameless(money("r1", 400)))) == ["unchanged"]
    assert bill_of(here).paid_minor == 1000


def test_money_and_its_account_may_be_told_in_one_go() -> None:
    """In either order."""
    for order in (1, -1):
        here = empty_world()
        items = [nameless(money()), of_b1(person(), account(), bill())][::order]
        assert "kept" in codes(told(here, *items))
        assert not bill_of(here).is_open


SOMEBODY: dict[str, Sequence[Told]] = {
    "pays": [of_b1(money("r9", 100))],
    "is told anew": [of_b1(person("new@borrowers.example"))],
    "bills again": [of_b1(bill("o9", seq=9))],
    "changes the account": [of_b1(account(limit_minor=9))],
    "tells the same": [of_b1(money("r1", 300)), of_b1(bill("o2", seq=2))],
    "parks": [nameless(money("r9", 100, obligation_id="o3", account_id="a2"), account_id="a2")],
}
OURS: Sequence[Told] = [
    of_b1(money("r1", 300)),
    of_b1(bill("o2", seq=2)),
    of_b1(account("a2")),
    of_b1(bill("o3", seq=3, account_id="a2")),
    of_b1(person(locale="en")),
]


@pytest.mark.parametrize("name", sorted(SOMEBODY))
def test_whoever_writes_in_between_nothing_is_lost(name: str) -> None:
    """Before each call of ours to the store somebody else tells something: both are stored, as if one had come
    after the other.
    """
    at = 0
    while True:
        here = world()
        stores = Interrupted(here.memory, at, lambda here=here: told(here, *SOMEBODY[name]))  # type: ignore[misc]
        intake_over(stores).take_in(TENANT, OURS, TOLD_AT)
        if not stores.happened:
            break
        expected = world()
        told(expected, *OURS)
        told(expected, *SOMEBODY[name])
        ours, theirs = (each.memory.pages(TENANT, "b1") for each in (here, expected))
        assert set(ours.repayments) == set(theirs.repayments)
        assert set(ours.accounts) == set(theirs.accounts)
        assert {b.id: (b.paid_minor, b.is_open) for b in ours.obligations.values()} == {
            b.id: (b.paid_minor, b.is_open) for b in theirs.obligations.values()
        }
        assert ours.head is not None
        assert theirs.head is not None
        assert ours.head.unmatched == theirs.head.unmatched
        assert not ours.is_torn
        assert here.memory.owner(TENANT, "a2").parked == ()
        at += 1
    assert at >= 3


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("first", ["bill", "money"])
def test_money_and_its_bill_told_at_once_find_each_other(at: int, first: str) -> None:
    """Whoever of the two writes between any two calls of the other: the bill is paid, nothing waits."""
    here = empty_world()
    told(here, of_b1(person(), account()))
    one, other = (bill(), money()) if first == "bill" else (money(), bill())
    shelf = Interrupted(here.memory, at, lambda: told(here, of_b1(other)))
    intake_over(shelf).take_in(TENANT, [of_b1(one)], TOLD_AT)
    if not shelf.happened:
        told(here, of_b1(other))
    assert not bill_of(here).is_open
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None and head.unmatched == 0


def test_a_bill_with_very_much_money_waiting_is_paid_by_all_of_it() -> None:
    """A hundred and twenty payments wait for one bill: more than one transaction takes, and never half of them."""
    here = empty_world()
    told(here, of_b1(person(), account()))
    for n in range(120):
        told(here, of_b1(money(f"r{n:03d}", minor=10)))
    told(here, of_b1(bill()))
    assert bill_of(here).paid_minor == 1200
    assert bill_of(here).watch.look_at is None


@pytest.mark.parametrize("at", range(24))
def test_a_crash_while_parked_money_arrives_leaves_no_bill_without_it(at: int) -> None:
    """Wherever the worker dies, a bill is refused until the account has all its money."""
    here = empty_world()
    told(here, *[nameless(money(f"r{n:03d}", minor=10)) for n in range(100)])

    def die() -> None:
        raise WorkerGone

    shelf = Interrupted(here.memory, at, die)
    with contextlib.suppress(WorkerGone):
        intake_over(shelf).take_in(TENANT, [of_b1(person(), account())], TOLD_AT)
    if (
        codes(told(here, of_b1(bill()))) == ["unknown_account"]
        or not here.memory.pages(TENANT, "b1").accounts
    ):
        told(here, of_b1(person(), account()), of_b1(bill()))
    assert not bill_of(here).is_open


def test_more_parked_money_than_a_transaction_takes_arrives_all_the_same() -> None:
    """A hundred and fifty payments that came before the account end with the borrower, none parked, none twice."""
    here = empty_world()
    many = [nameless(money(f"r{n:03d}", minor=1)) for n in range(150)]
    told(here, *many)
    assert codes(told(here, of_b1(person(), account()), of_b1(bill()))) == ["stored", "stored"]
    assert here.memory.owner(TENANT, "a1").parked == ()
    assert bill_of(here).paid_minor == 150


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("second", [0, 1, 2, 3])
def test_money_that_is_parked_while_its_account_arrives_is_not_stranded(
    first: int, second: int
) -> None:
    """The account arrives before any call of the one who parks, and more money is parked before any call of the one
    who brings the account: in the end all of it is with the borrower and nothing is parked.
    """
    here = empty_world()
    parking = Interrupted(
        here.memory,
        second,
        lambda: intake_over(Interrupted(here.memory, -1, lambda: None)).take_in(
            TENANT, [nameless(money("r2", 600))], TOLD_AT
        ),
    )
    arriving = Interrupted(
        here.memory,
        first,
        lambda: intake_over(parking).take_in(TENANT, [of_b1(person(), account())], TOLD_AT),
    )
    answers = intake_over(arriving).take_in(TENANT, [nameless(money("r1", 400))], TOLD_AT)
    assert codes(answers) == ["kept"]
    told(here, of_b1(person(), account()), nameless(money("r2", 600)), of_b1(bill()))
    assert here.memory.owner(TENANT, "a1").parked == ()
    assert bill_of(here).paid_minor == 1000


def test_a_worker_may_die_at_any_call_and_the_source_tells_again() -> None:
    """Whatever had been stored by then: the second telling completes it, once."""
    at = 0
    while True:
        here = world()
        try:
            intake_over(Broken(here.memory, at)).take_in(TENANT, OURS, TOLD_AT)
            break
        except WorkerGone:
            at += 1
        told(here, *OURS)
        pages = here.memory.pages(TENANT, "b1")
        assert pages.obligations["o1"].paid_minor == 300
        assert set(pages.obligations) == {"o1", "o2", "o3"}
        assert codes(told(here, *OURS)) == ["unchanged"] * len(OURS)
    assert at >= 3


def test_other_writers_who_keep_winning_send_the_caller_away() -> None:
    """After a bounded number of tries, with nothing half stored."""
    here = world()
    always = _Always(here.memory)
    with pytest.raises(Unavailable):
        intake_over(always).take_in(TENANT, [of_b1(money())], TOLD_AT)
    assert always.calls >= MAX_TRIES
    assert bill_of(here).paid_minor == 0
    with pytest.raises(Unavailable):
        intake_over(_Always(here.memory)).take_in(
            TENANT, [nameless(money(account_id="a9"), account_id="a9")], TOLD_AT
        )


def test_a_read_that_stays_torn_is_tried_again() -> None:
    """A torn read is nobody's mistake: it costs a try, and no more."""
    here = world()
    torn = _Torn(here.memory, 3)
    assert codes(intake_over(torn).take_in(TENANT, [of_b1(money())], TOLD_AT)) == ["stored"]


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_what_does_not_fit_one_transaction_is_split(count: int) -> None:
    """Any number of bills of one borrower in one go; every one is answered and stored."""
    here = world()
    items = [of_b1(bill(f"x{n}", seq=n + 2)) for n in range(count)]
    assert Counter(codes(told(here, *items))) == {"stored": count}
    assert len(here.memory.pages(TENANT, "b1").obligations) == count + 1


def test_a_refused_item_in_a_split_stops_no_other() -> None:
    """The answers stay in order."""
    here = world()
    items = [of_b1(bill(f"x{n}", seq=n + 2, amount_minor=n % 7)) for n in range(150)]
    answers = codes(told(here, *items))
    assert answers == ["stored" if n % 7 else "bad_amount" for n in range(150)]


EVENTS: Sequence[Callable[[], Told]] = [
    lambda: of_b1(person(), account()),
    lambda: nameless(bill()),
    lambda: nameless(bill("o2", seq=2, amount_minor=500)),
    lambda: nameless(money("r1", 400)),
    lambda: nameless(money("r2", 600)),
    lambda: nameless(money("r3", 700, obligation_id="o2")),
    lambda: of_b1(back("r2", TOLD_AT)),
]


@given(st.permutations(range(len(EVENTS))), st.lists(st.integers(0, len(EVENTS) - 1), max_size=4))
def test_no_order_of_files_changes_the_end(order: list[int], again: list[int]) -> None:
    """Account, bills, money and reversal in any order, some twice; whatever was refused is told again at the end,
    as a source would. Always the same amounts paid, and nothing parked or unmatched.
    """
    here = empty_world()
    for n in [*order, *again, *range(len(EVENTS))]:
        told(here, EVENTS[n]())
    assert bill_of(here).paid_minor == 400
    assert bill_of(here).is_open
    assert bill_of(here, "o2").paid_minor == 700
    assert not bill_of(here, "o2").is_open
    owner, head = here.memory.owner(TENANT, "a1"), here.memory.pages(TENANT, "b1").head
    assert owner.parked == ()
    assert head is not None
    assert head.unmatched == 0


def test_the_same_money_told_in_two_ways_is_one_receipt() -> None:
    """Parked without a name and told with one."""
    here = empty_world()
    told(here, nameless(money()))
    assert codes(told(here, of_b1(person(), account(), bill()), of_b1(money()))) == [
        "stored",
        "unchanged",
    ]
    assert bill_of(here).paid_minor == 1000


def test_money_from_the_future_is_not_parked_either() -> None:
    """Refused as everywhere."""
    late = money(paid_at=TOLD_AT + timedelta(hours=1))
    assert codes(told(empty_world(), nameless(late))) == ["in_the_future"]


class _Always(Interrupted):
    """Stores in which somebody else always wins."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, -1, lambda: None)

    def commit(self, changes: Sequence[Change]) -> None:
        self.step()
        raise Stale((0,))


class _Torn(Interrupted):
    """Stores whose first reads of a borrower stay torn."""

    def __init__(self, memory: Memory, reads: int) -> None:
        super().__init__(memory, -1, lambda: None)
        self._reads = reads

    def pages(self, tenant: str, borrower_id: str) -> Pages:
        self._reads -= 1
        if self._reads >= 0:
            raise Stale
        return super().pages(tenant, borrower_id)


def test_a_second_parking_does_not_replace_the_first() -> None:
    """Two who park at once: both receipts are kept."""
    here = empty_world()
    stores = Interrupted(here.memory, 1, lambda: told(here, nameless(money("r2", 600))))
    intake_over(stores).take_in(TENANT, [nameless(money("r1", 400))], TOLD_AT)
    assert {r.id for r in here.memory.owner(TENANT, "a1").parked} == {"r1", "r2"}
    with pytest.raises(Stale):
        here.memory.commit(
            [Park(TENANT, replace(here.memory.owner(TENANT, "a1").parked[0], id="r3"))]
        )
