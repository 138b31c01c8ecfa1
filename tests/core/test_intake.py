"""Intake: every command is taken in once, whatever the order, and what is wrong is refused with its code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.book import Pages
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.errors import Rejected
from betimes.core.intake import (
    CLOCK_TOLERANCE,
    AddObligation,
    AddRepayment,
    Command,
    Outcome,
    PutAccount,
    PutBorrower,
    ReverseRepayment,
    accept,
    adopt,
    checked_repayment,
)
from betimes.core.money import Money
from tests.core.support import POLICIES, utc

NOW = utc("2026-03-01 02:00")
LATER = NOW + timedelta(hours=5)
EMAIL = ContactPoint("email", "li@example.com")
EMPTY = Pages("bank", "b1")

PERSON = PutBorrower("zh-CN", "Asia/Shanghai", "CN", (EMAIL,))
ACCOUNT = PutAccount("a1", "card", "CNY", date(2024, 5, 6))
BILL = AddObligation("o1", "a1", 1, NOW - timedelta(days=1), date(2026, 3, 9), 1000, 1000)
MONEY = AddRepayment("r1", "o1", "a1", NOW, 400)
BACK = ReverseRepayment("r1", NOW + timedelta(minutes=1))


def told(commands: Iterable[Command], pages: Pages = EMPTY, now: datetime = NOW) -> Pages:
    """Return the pages after the commands, none of which is refused."""
    for command in commands:
        pages, _ = accept(pages, command, POLICIES, shards=4, now=now)
    return pages


def outcome(pages: Pages, command: Command, now: datetime = NOW) -> Outcome:
    """Return what a command does."""
    return accept(pages, command, POLICIES, shards=4, now=now)[1]


def code(pages: Pages, command: Command, now: datetime = NOW) -> tuple[str, str]:
    """Return code and field of the refusal of a command."""
    with pytest.raises(Rejected) as caught:
        accept(pages, command, POLICIES, shards=4, now=now)
    return caught.value.code, caught.value.field


READY = told([PERSON, ACCOUNT])
OWING = told([BILL], READY)


def test_a_new_bill_is_open_and_on_the_agenda() -> None:
    """It is looked at when its first step comes due, in the shard of its borrower."""
    bill = OWING.obligations["o1"]
    assert bill.is_open
    assert bill.stored_at == NOW
    assert bill.watch.look_at == utc("2026-03-06 02:00")
    assert 0 <= bill.watch.shard < 4


@pytest.mark.parametrize(
    ("pages", "command", "expected"),
    [
        (EMPTY, replace(PERSON, zone="Mars/Olympus"), ("unknown_zone", "zone")),
        (
            EMPTY,
            replace(PERSON, contact_points=(EMAIL, EMAIL)),
            ("duplicate_channel", "contact_points"),
        ),
        (EMPTY, ACCOUNT, ("unknown_borrower", "borrower_id")),
        (READY, replace(ACCOUNT, currency="RMB"), ("unknown_currency", "currency")),
        (READY, replace(ACCOUNT, limit_minor=-1), ("negative_amount", "limit_minor")),
        (READY, replace(ACCOUNT, limit_minor=10**15 + 1), ("bad_amount", "limit_minor")),
        (OWING, replace(ACCOUNT, currency="USD"), ("currency_changed", "currency")),
        (EMPTY, BILL, ("unknown_account", "account_id")),
        (READY, replace(BILL, account_id="a2"), ("unknown_account", "account_id")),
        (READY, replace(BILL, amount_minor=0), ("bad_amount", "amount_minor")),
        (READY, replace(BILL, amount_minor=-1), ("bad_amount", "amount_minor")),
        (READY, replace(BILL, amount_minor=10**15 + 1), ("bad_amount", "amount_minor")),
        (READY, replace(BILL, principal_minor=-1), ("negative_amount", "principal_minor")),
        (READY, replace(BILL, principal_minor=10**15 + 1), ("bad_amount", "principal_minor")),
        (READY, replace(BILL, minimum_minor=-1), ("bad_minimum", "minimum_minor")),
        (READY, replace(BILL, minimum_minor=1001), ("bad_minimum", "minimum_minor")),
        (READY, replace(BILL, due_on=date(2026, 2, 27)), ("due_before_issue", "due_on")),
        (READY, replace(BILL, due_on=date(9999, 12, 31)), ("bad_date", "due_on")),
        (READY, replace(BILL, issued_at=utc("0001-01-01 00:00")), ("bad_date", "issued_at")),
        (OWING, replace(BILL, amount_minor=999), ("duplicate_id", "obligation_id")),
        (OWING, replace(BILL, due_on=date(2026, 3, 10)), ("duplicate_id", "obligation_id")),
        (EMPTY, MONEY, ("unknown_borrower", "borrower_id")),
        (OWING, replace(MONEY, amount_minor=0), ("bad_amount", "amount_minor")),
        (OWING, replace(MONEY, amount_minor=10**15 + 1), ("bad_amount", "amount_minor")),
        (OWING, replace(MONEY, paid_at=utc("0001-01-01 00:00")), ("bad_date", "paid_at")),
        (OWING, replace(MONEY, currency="USD"), ("wrong_currency", "currency")),
        (OWING, replace(MONEY, currency="RMB"), ("unknown_currency", "currency")),
        (OWING, replace(MONEY, account_id="a2"), ("wrong_account", "account_id")),
        (OWING, BACK, ("unknown_repayment", "repayment_id")),
    ],
)
def test_what_is_wrong_is_refused_with_its_code(
    pages: Pages, command: Command, expected: tuple[str, str]
) -> None:
    """One code per mistake, naming the field."""
    assert code(pages, command) == expected


def test_whom_a_deployment_does_not_serve_is_refused() -> None:
    """No policy was proved for them there; whoever may go on is named."""
    china = replace(POLICIES, serves=frozenset({"CN"}))
    assert accept(EMPTY, PERSON, china, shards=4, now=NOW)
    abroad = replace(PERSON, jurisdiction="US-MA")
    with pytest.raises(Rejected, match=r"of US-MA are not served here.*served are: CN") as caught:
        accept(EMPTY, abroad, china, shards=4, now=NOW)
    assert (caught.value.code, caught.value.field) == ("not_served", "jurisdiction")
    assert accept(EMPTY, abroad, POLICIES, shards=4, now=NOW)


def test_money_from_the_future_is_refused_beyond_the_tolerance() -> None:
    """A source's clock may run ahead by five minutes, for a payment and for taking one back."""
    edge = NOW + CLOCK_TOLERANCE
    late = edge + timedelta(microseconds=1)
    assert outcome(OWING, replace(MONEY, paid_at=edge)) is Outcome.STORED
    assert code(OWING, replace(MONEY, paid_at=late)) == ("in_the_future", "paid_at")
    paid = told([MONEY], OWING)
    assert outcome(paid, replace(BACK, reversed_at=edge)) is Outcome.STORED
    assert code(paid, replace(BACK, reversed_at=late)) == ("in_the_future", "reversed_at")


def test_a_reversal_does_not_lie_before_its_payment() -> None:
    """At the same instant it may."""
    paid = told([MONEY], OWING)
    assert outcome(paid, replace(BACK, reversed_at=NOW)) is Outcome.STORED
    early = replace(BACK, reversed_at=NOW - timedelta(microseconds=1))
    assert code(paid, early) == ("reversed_before_paid", "reversed_at")
    ancient = replace(BACK, reversed_at=utc("0001-01-01 00:00"))
    assert code(paid, ancient) == ("bad_date", "reversed_at")


@pytest.mark.parametrize(
    "fields",
    [{"obligation_id": "o2"}, {"account_id": "a2"}, {"paid_at": LATER}, {"amount_minor": 1}],
)
def test_a_repayment_id_stands_for_one_receipt(fields: dict[str, Any]) -> None:
    """The same id with other content is refused."""
    paid = told(
        [replace(MONEY, obligation_id="o9")],
        told([PutAccount("a2", "x", "CNY", date(2024, 1, 1))], OWING),
    )
    assert code(paid, replace(replace(MONEY, obligation_id="o9"), **fields), LATER) == (
        "duplicate_id",
        "repayment_id",
    )


@pytest.mark.parametrize(
    "address",
    [
        "", "li", "li@", "@example.com", "li@example", "li @example.com", "li@exa mple.com", "李@example.com",
        "li@example.com,wang@example.com", "li@example.com;x", "Li <li@example.com>", "li@a@example.com",
        "li@example.com\nBcc: x@example.com", "li\x00@example.com", "a" * 250 + "@b.cd", '"li"@example.com',
    ],
)  # fmt: skip
def test_what_no_provider_could_take_is_no_email_address(address: str) -> None:
    """One plain address of one recipient; and the refusal never quotes it."""
    with pytest.raises(Rejected) as caught:
        told([replace(PERSON, contact_points=(ContactPoint("email", address),))])
    assert caught.value.code == "bad_email"
    assert not address or address not in caught.value.message


@pytest.mark.parametrize(
    "number",
    ["", "+", "13900000001", "+86 13800000000", "+86-138", "+123456", "+1234567890123456", "++8613800000000",
     "+861380000000a", "+８６１３８００００００００", "+8613800000000\n", "tel:+8613800000000"],
)  # fmt: skip
def test_what_is_not_e164_is_no_phone_number(number: str) -> None:
    """A plus and 7 to 15 ASCII digits; and the refusal never quotes it."""
    with pytest.raises(Rejected) as caught:
        told([replace(PERSON, contact_points=(ContactPoint("sms", number),))])
    assert caught.value.code == "bad_phone"
    assert len(number) < 5 or number not in caught.value.message


@pytest.mark.parametrize("number", ["+1234567", "+123456789012345"])
def test_the_shortest_and_the_longest_number_are_taken(number: str) -> None:
    """7 and 15 digits."""
    told([replace(PERSON, contact_points=(ContactPoint("sms", number),))])


def test_replacing_a_person_does_not_lift_a_bounce() -> None:
    """The same address keeps its block, another one starts anew, and one not named is forgotten."""
    assert READY.head is not None
    bounced = replace(READY.head, contact_points=(replace(EMAIL, state=PointState.BOUNCED),))
    blocked = READY.with_head(bounced)
    assert outcome(blocked, PERSON) is Outcome.UNCHANGED
    other = told(
        [replace(PERSON, contact_points=(ContactPoint("email", "wang@example.com"),))], blocked
    )
    assert other.head is not None
    point = other.head.point("email")
    assert point is not None
    assert point.state is PointState.ACTIVE
    none = told([replace(PERSON, contact_points=())], blocked)
    assert none.head is not None
    assert none.head.contact_points == ()


def test_a_block_that_the_lender_tells_of_is_kept() -> None:
    """An opt-out of an address that was in use is not overlooked."""
    out = replace(EMAIL, state=PointState.OPTED_OUT)
    pages = told([replace(PERSON, contact_points=(out,))], READY)
    assert pages.head is not None
    assert pages.head.point("email") == replace(out, since=1)


def test_part_payments_settle_a_bill_with_the_last_unit() -> None:
    """One minor unit short it is open; with it it is settled at the instant that was heard of."""
    short = told([replace(MONEY, amount_minor=999)], OWING, LATER)
    bill = short.obligations["o1"]
    assert (bill.is_open, bill.outstanding) == (True, Money(1, "CNY"))
    full = told([replace(MONEY, repayment_id="r2", amount_minor=1)], short, LATER)
    bill = full.obligations["o1"]
    assert (bill.is_open, bill.settled_at, bill.outstanding.minor) == (False, LATER, 0)
    assert bill.watch.look_at is None


def test_more_than_was_owed_is_stored_and_said() -> None:
    """Whichever came first, the money or the bill."""
    much = replace(MONEY, amount_minor=1001)
    assert outcome(OWING, much) is Outcome.OVERPAID
    kept = told([much], READY)
    assert outcome(kept, BILL) is Outcome.OVERPAID
    bill = told([BILL], kept).obligations["o1"]
    assert (bill.overpaid_minor, bill.outstanding.minor) == (1, 0)


def test_a_reversal_brings_the_arrears_and_the_agenda_back() -> None:
    """As if the payment had never been, but for the receipt and its reversal."""
    paid = told([replace(MONEY, amount_minor=1000)], OWING)
    assert paid.obligations["o1"].watch.look_at is None
    back = told([BACK], paid)
    assert back.obligations["o1"] == replace(
        OWING.obligations["o1"], watch=back.obligations["o1"].watch
    )
    assert back.obligations["o1"].watch.look_at == utc("2026-03-06 02:00")
    assert back.repayments["r1"].reversed_at == BACK.reversed_at


def test_money_is_kept_until_its_bill_arrives() -> None:
    """Kept money waits on the head's list and is matched by the bill; reversed money is matched and credits nothing."""
    kept = told([MONEY], READY)
    assert outcome(READY, MONEY) is Outcome.KEPT
    assert kept.head is not None
    assert (kept.head.unmatched, kept.is_torn) == (1, False)
    met = told([BILL], kept)
    assert met.head is not None
    assert (met.head.unmatched, met.is_torn) == (0, False)
    assert met.obligations["o1"].paid_minor == 400
    assert met.repayments["r1"].matched
    assert told([BACK, BILL], kept).obligations["o1"].paid_minor == 0


def test_a_bill_that_arrives_paid_is_never_looked_at() -> None:
    """Money before debts: no sweep in between can remind of it."""
    met = told([BILL], told([replace(MONEY, amount_minor=1000)], READY))
    assert met.obligations["o1"].settled_at == NOW
    assert met.obligations["o1"].watch.look_at is None


@pytest.mark.parametrize("fields", [{"account_id": "a2"}, {"currency": "USD"}])
def test_money_for_another_account_or_in_another_currency_is_not_taken_for_the_bill(
    fields: dict[str, Any],
) -> None:
    """It stays waiting, in sight, and the bill stays open."""
    dollars = told([replace(PutAccount("a2", "x", "USD", date(2024, 1, 1)))], READY)
    kept = told([replace(MONEY, **fields)], dollars if "account_id" in fields else told([PERSON]))
    met = told([ACCOUNT, BILL], kept)
    assert met.obligations["o1"].paid_minor == 0
    assert met.head is not None
    assert met.head.unmatched == 1


def test_parked_money_is_adopted_once() -> None:
    """Whether its bill is known by then or not; a second adoption changes nothing."""
    parked = checked_repayment(MONEY, "", NOW)
    for pages in (READY, OWING):
        adopted = adopt(pages, parked, POLICIES, NOW)
        assert adopt(adopted, parked, POLICIES, NOW) is adopted
        assert not adopted.is_torn
        assert adopted.repayments["r1"].matched is (pages is OWING)
        assert told([BILL], adopted).obligations["o1"].paid_minor == 400


@pytest.mark.parametrize("command", [PERSON, ACCOUNT, BILL, MONEY, BACK])
def test_the_same_command_twice_changes_nothing(command: Command) -> None:
    """Not even when it comes later: the second one is answered "unchanged" and the pages are the same object."""
    pages = told([PERSON, ACCOUNT, BILL, MONEY, BACK])
    again, did = accept(pages, command, POLICIES, shards=4, now=LATER)
    assert did is Outcome.UNCHANGED
    assert again is pages


REPAYMENTS = st.lists(
    st.tuples(st.sampled_from(["o1", "o2"]), st.integers(1, 1500), st.booleans()), max_size=6
)


def _history(payments: Sequence[tuple[str, int, bool]]) -> list[Command]:
    """Return two bills, the payments, and the reversals of some of them."""
    commands: list[Command] = [BILL, replace(BILL, obligation_id="o2", seq=2, minimum_minor=100)]
    for n, (obligation_id, minor, reverse) in enumerate(payments):
        commands.append(AddRepayment(f"r{n}", obligation_id, "a1", NOW, minor))
        if reverse:
            commands.append(ReverseRepayment(f"r{n}", NOW))
    return commands


@given(REPAYMENTS, st.randoms(use_true_random=False), st.data())
def test_no_order_and_no_repetition_changes_what_is_owed(
    payments: list[tuple[str, int, bool]], random: Any, data: st.DataObject
) -> None:
    """Bills, payments and reversals in any order (a reversal after its payment), some of them twice: the same
    amounts paid, the same settled, computed here by plain addition; money is neither made nor lost, and no read
    looks torn.
    """
    commands = _history(payments)
    mixed = commands + data.draw(st.lists(st.sampled_from(commands), max_size=4))
    random.shuffle(mixed)
    mixed.sort(key=lambda command: isinstance(command, ReverseRepayment))
    pages = told(mixed, READY)
    for obligation_id in ("o1", "o2"):
        sums = [m for o, m, reverse in payments if o == obligation_id and not reverse]
        bill = pages.obligations[obligation_id]
        assert bill.paid_minor == sum(sums)
        assert bill.is_open is (sum(sums) < 1000)
        assert bill.outstanding.minor == max(0, 1000 - sum(sums))
        assert bill.overpaid_minor == max(0, sum(sums) - 1000)
        assert (bill.watch.look_at is None) is not bill.is_open
    assert pages.head is not None
    assert pages.head.unmatched == 0
    assert not pages.is_torn


@given(REPAYMENTS, st.randoms(use_true_random=False))
def test_amounts_are_right_after_every_command(
    payments: list[tuple[str, int, bool]], random: Any
) -> None:
    """Not only at the end: at each point what is paid is never negative and equals the matched, unreversed receipts."""
    commands = _history(payments)
    random.shuffle(commands)
    commands.sort(key=lambda command: isinstance(command, ReverseRepayment))
    pages = READY
    for command in commands:
        pages = told([command], pages)
        assert not pages.is_torn
        for bill in pages.obligations.values():
            receipts = [
                r.amount.minor
                for r in pages.repayments.values()
                if r.obligation_id == bill.id and r.matched and r.reversed_at is None
            ]
            assert bill.paid_minor == sum(receipts) >= 0
            assert all(r.matched for r in pages.repayments.values() if r.obligation_id == bill.id)


@given(
    st.lists(
        st.sampled_from([PERSON, ACCOUNT, BILL, MONEY, BACK, replace(MONEY, amount_minor=0)]),
        max_size=8,
    )
)
def test_a_refused_command_leaves_no_trace(commands: list[Command]) -> None:
    """In any order, sensible or not: each is taken in or refused, and a refused one changes no page."""
    pages = EMPTY
    for command in commands:
        before = pages
        try:
            pages, _ = accept(pages, command, POLICIES, shards=4, now=LATER)
        except Rejected as rejected:
            assert rejected.code
            assert pages == before
