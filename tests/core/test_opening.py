"""A loan told by its terms and a bill told by its purchases owe what schedule and statement say, however often told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from betimes.adapters.packs import profiles
from betimes.core.book import Pages
from betimes.core.errors import Rejected
from betimes.core.intake import (
    MAX_OPEN,
    AddObligation,
    AddRepayment,
    AmendObligation,
    Command,
    PutAccount,
    PutBorrower,
    ReverseRepayment,
    accept,
)
from betimes.core.opening import (
    PORTION,
    Bill,
    Loan,
    Prepayment,
    Running,
    Settling,
    Spread,
    bill_commands,
    close_bill,
    loan_commands,
    open_loan,
    portions,
    prepay_part,
    settle_early,
    spread_bill,
)
from betimes.core.product import Family, Method, Profile, Roll, Rounding
from betimes.core.schedule import Instalment, Terms, schedule, settle
from betimes.core.statement import Forward, Plan, Purchase, Refund, Supplied, cycle_in
from betimes.core.workdays import Calendar, Rolled
from betimes.core.zones import instant
from tests.core.support import POLICIES, utc
from tests.core.test_schedule import WEEK, WITHOUT_2027, drawn_by, loans

ZONE = "Asia/Shanghai"
NOW = utc("2045-01-01 04:00")
LOAN = profiles()["jiebei_like"]
HUABEI = profiles()["huabei_like"]
# Without late interest, which a bill that is paid late keeps to itself.
PLAIN_BILLS = replace(
    HUABEI, late=replace(HUABEI.late, daily_rate=Decimal(0), multiplier=Decimal(0))
)
START = date(2026, 6, 15)
ISSUED_AT = utc("2026-06-15 04:00")
TERMS = Terms(600_000, "CNY", 3, START, daily_rate=Decimal("0.0003"))
PERSON = PutBorrower("zh-CN", ZONE, "CN", ())


def noon(on: date) -> datetime:
    return instant(on, datetime.min.time().replace(hour=12), ZONE)


def book(
    commands: Iterable[Command],
    profile: Profile,
    calendar: Calendar = WEEK,
    pages: Pages | None = None,
) -> Pages:
    """Return the pages of a borrower with an account of this product after the commands, none of which is refused."""
    policies = replace(
        POLICIES,
        profiles={**POLICIES.profiles, profile.name: profile},
        calendars={**POLICIES.calendars, calendar.name: calendar},
    )
    account = PutAccount("a1", profile.name, "CNY", date(2020, 1, 1))
    for command in (PERSON, account, *commands):
        pages, _ = accept(pages or Pages("bank", "b1"), command, policies, shards=4, now=NOW)
    assert pages is not None
    return pages


def owed(pages: Pages) -> int:
    """Return what is still asked for in all."""
    return sum(each.outstanding.minor for each in pages.obligations.values())


def principal(commands: Iterable[Command]) -> int:
    return sum(each.principal_minor for each in commands if isinstance(each, AddObligation))


def told(loan: tuple[Terms, Profile], calendar: Calendar = WEEK) -> tuple[AddObligation, ...]:
    """Return a made-up loan as obligations; no example is one whose first date would move before the loan."""
    terms, profile = loan
    try:
        return open_loan("a1", terms, profile, calendar, issued_at=noon(terms.start))
    except Rejected as rejected:
        assume(rejected.field != "due_day")
        raise


def refusal(code: str, field: str) -> pytest.RaisesExc[Rejected]:
    return pytest.RaisesExc(Rejected, check=lambda e: (e.code, e.field) == (code, field))


# Loans


@given(loan=loans())
def test_the_obligations_of_a_loan_are_its_rows(loan: tuple[Terms, Profile]) -> None:
    """Principals add up to what was lent, interest is what is neither principal nor fee, and rows over nothing owe
    nothing.
    """
    terms, profile = loan
    made = told(loan)
    rows = [row for row in schedule(terms, profile, WEEK) if row.amount_minor]
    assert principal(made) == terms.principal_minor
    assert [each.obligation_id for each in made] == [f"a1-{row.number:03d}" for row in rows]
    for each, row in zip(made, rows, strict=True):
        assert each.seq == row.number
        assert each.amount_minor == row.amount_minor > 0
        assert each.amount_minor - each.principal_minor - each.fee_minor == row.interest_minor


@settings(max_examples=20)
@given(loan=loans(), published=st.sampled_from([WEEK, WITHOUT_2027]))
def test_due_dates_in_the_book_are_those_of_the_schedule(
    loan: tuple[Terms, Profile], published: Calendar
) -> None:
    """Moved once, by intake; provisional where the calendar is not published, and never for an unadjusted product."""
    terms, profile = replace(loan[0], months=min(loan[0].months, 14)), loan[1]
    profile = replace(profile, calendar="WEEK", accrual_roll=Roll.UNADJUSTED)
    pages = book(told((terms, profile), published), profile, published)
    for row in schedule(terms, profile, published):
        if row.amount_minor:
            stored = pages.obligations[f"a1-{row.number:03d}"]
            seen = (stored.due_on, stored.nominal_on or stored.due_on, stored.provisional)
            assert seen == (row.due.on, row.due.nominal_on, row.due.provisional)
    if profile.due_roll is Roll.UNADJUSTED:
        assert not any(each.provisional for each in pages.obligations.values())


def test_a_moved_and_a_provisional_date_are_there_to_be_seen() -> None:
    """15 August 2026 is a Saturday; of 2027 nothing is published, so 15 January stays and may move."""
    rolling = replace(LOAN, name="rolling", due_roll=Roll.FOLLOWING, calendar="WEEK")
    made = open_loan("a1", replace(TERMS, months=7), rolling, WITHOUT_2027, issued_at=ISSUED_AT)
    pages = book(made, rolling, WITHOUT_2027)
    saturday, unknown = pages.obligations["a1-002"], pages.obligations["a1-007"]
    assert made[1].due_on == date(2026, 8, 15)
    assert (saturday.due_on, saturday.provisional) == (date(2026, 8, 17), False)
    assert (unknown.due_on, unknown.provisional) == (date(2027, 1, 15), True)


def test_a_product_that_guesses_nothing_refuses_a_loan_beyond_its_calendar() -> None:
    """`unpublished = "refuse"`: no obligation is made, and the message names calendar, year and instalment."""
    strict = replace(LOAN, due_roll=Roll.FOLLOWING, calendar="WEEK", unpublished="refuse")
    terms = replace(TERMS, months=7)
    with refusal("calendar_ends", "calendar") as caught:
        open_loan("a1", terms, strict, WITHOUT_2027, issued_at=ISSUED_AT)
    for word in ("WEEK", "2027", "instalment 7"):
        assert word in caught.value.message
    assert len(open_loan("a1", replace(terms, months=6), strict, WITHOUT_2027, issued_at=ISSUED_AT))


@settings(max_examples=15)
@given(loan=loans())
def test_a_loan_told_twice_changes_nothing(loan: tuple[Terms, Profile]) -> None:
    """The same commands come out, and the book takes none of them in again."""
    profile = replace(loan[1], calendar="WEEK")
    made = told((loan[0], profile))
    pages = book(made, profile)
    assert told((loan[0], profile)) == made
    assert book(made, profile, pages=pages) == pages


@pytest.mark.parametrize(
    "name", ["principal_minor", "interest_minor", "fee_minor", "balance_minor"]
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_schedule_with_one_fen_changed_is_refused_whole(name: str, number: int) -> None:
    """No obligation of it is made; row and figure are named, and no amount."""
    rows = list(schedule(TERMS, LOAN))
    right = open_loan("a1", TERMS, LOAN, issued_at=ISSUED_AT, supplied=rows)
    assert right == open_loan("a1", TERMS, LOAN, issued_at=ISSUED_AT)
    row = rows[number - 1]
    rows[number - 1] = replace(row, **{name: getattr(row, name) + 1})
    with refusal("schedule_mismatch", f"{number}.{name}") as caught:
        open_loan("a1", TERMS, LOAN, issued_at=ISSUED_AT, supplied=rows)
    said = caught.value.message.replace(f"row {number}", "")
    assert not any(character.isdigit() for character in said)


def test_a_lender_s_own_dates_are_those_a_borrower_sees() -> None:
    """The Monday after the Saturday, not the Saturday."""
    rolling = replace(LOAN, due_roll=Roll.FOLLOWING, calendar="WEEK")
    theirs = [
        replace(row, due=Rolled(row.due.on, row.due.on)) for row in schedule(TERMS, rolling, WEEK)
    ]
    made = open_loan("a1", TERMS, rolling, WEEK, issued_at=ISSUED_AT, supplied=theirs)
    assert made[1].due_on == date(2026, 8, 15)
    theirs[1] = replace(theirs[1], due=Rolled(date(2026, 8, 15), date(2026, 8, 15)))
    with refusal("schedule_mismatch", "2.due"):
        open_loan("a1", TERMS, rolling, WEEK, issued_at=ISSUED_AT, supplied=theirs)


def test_a_lender_may_name_the_obligations() -> None:
    """Those it does not name get the account's id and the number."""
    made = open_loan("a1", TERMS, LOAN, issued_at=ISSUED_AT, names={2: "their-2"})
    assert [each.obligation_id for each in made] == ["a1-001", "their-2", "a1-003"]


def test_ids_that_grow_too_long_are_refused() -> None:
    """An account id of 128 characters leaves no room for a number."""
    with refusal("bad_id", "account_id"):
        open_loan("a" * 125, TERMS, LOAN, issued_at=ISSUED_AT)
    assert open_loan("a" * 124, TERMS, LOAN, issued_at=ISSUED_AT)


def test_a_loan_of_more_rows_than_an_account_may_owe_is_refused() -> None:
    """72 are taken, 73 are not; the message says what to do."""
    long = replace(LOAN, max_months=100)
    terms = replace(TERMS, principal_minor=10**8, months=MAX_OPEN)
    assert len(book(open_loan("a1", terms, long, issued_at=ISSUED_AT), long).obligations) == 72
    with refusal("too_many_open", "months") as caught:
        open_loan("a1", replace(terms, months=MAX_OPEN + 1), long, issued_at=ISSUED_AT)
    assert "73" in caught.value.message
    assert "72" in caught.value.message


# Prepaying and settling


@st.composite
def prepaid(
    draw: st.DrawFn,
) -> tuple[Terms, Profile, tuple[Instalment, ...], Prepayment, date]:
    """Make up a loan and a prepayment that it can have: terms, profile, rows, payment, value date."""
    terms, profile = draw(loans())
    terms = replace(terms, months=min(terms.months, 30), principal_minor=terms.principal_minor * 10)
    if terms.draws:
        terms = replace(terms, draws=tuple((on, minor * 10) for on, minor in terms.draws))
    profile = replace(profile, calendar="WEEK")
    told((terms, profile))
    rows = schedule(terms, profile, WEEK)
    last_draw = terms.draws[-1][0] if terms.draws else terms.start
    days = (rows[-1].accrues_to - last_draw).days
    assume(days > 1)
    on = last_draw + timedelta(days=draw(st.integers(0, days - 1)))
    ran = sum(row.accrues_to <= on for row in rows)
    due = settle(rows, on, terms, profile, paid=ran)
    assume(due.principal_minor > 10_000)
    minor = due.interest_minor + due.principal_minor * draw(st.integers(1, 99)) // 100
    keep = draw(st.sampled_from(["term", "instalment"]))
    return terms, profile, rows, Prepayment("p1", noon(on), minor, 1, keep), on


@settings(max_examples=30)
@given(loan=prepaid())
def test_after_a_prepayment_is_owed_what_its_schedule_says(
    loan: tuple[Terms, Profile, tuple[Instalment, ...], Prepayment, date],
) -> None:
    """Row by row; the prepayment is a debt that its money has met, and its principal with that of the rows left is what
    was lent.
    """
    terms, profile, rows, payment, on = loan
    after, commands = prepay_part("a1", rows, on, terms, profile, payment)
    made = told((terms, profile))
    pages = book((*made, *commands), profile)
    left = {f"a1-{row.number:03d}": row for row in after if row.number}
    for obligation_id, obligation in pages.obligations.items():
        row = left.get(obligation_id)
        asked = row.amount_minor if row is not None and obligation_id != "a1-p1" else 0
        assert obligation.outstanding.minor == asked
        assert obligation.overpaid_minor == 0
        if asked and row is not None:
            assert obligation.principal_minor == row.principal_minor
            assert obligation.fee_minor == row.fee_minor
            assert (obligation.nominal_on or obligation.due_on) == row.due.nominal_on
    apart = pages.obligations["a1-p1"]
    assert not apart.is_open
    assert apart.paid_minor == payment.amount_minor
    repaid = apart.principal_minor + sum(row.principal_minor for row in left.values())
    assert repaid == terms.principal_minor
    assert book((*made, *commands), profile, pages=pages) == pages
    paid = [each for each in pages.repayments.values() if not each.credit]
    assert [each.amount.minor for each in paid] == [payment.amount_minor]


def test_a_prepayment_that_is_taken_back_is_owed_with_the_row_of_its_period() -> None:
    """Nothing else changes, and nothing is lost."""
    on = date(2026, 7, 20)
    rows = schedule(TERMS, LOAN)
    after, commands = prepay_part(
        "a1", rows, on, TERMS, LOAN, Prepayment("p1", noon(on), 100_000, 1)
    )
    pages = book((*open_loan("a1", TERMS, LOAN, issued_at=ISSUED_AT), *commands), LOAN)
    before = owed(pages)
    assert before == sum(row.amount_minor for row in after if row.number)
    back = ReverseRepayment("p1", noon(on) + timedelta(hours=1))
    pages = book([back], LOAN, pages=pages)
    again = pages.obligations["a1-p1"]
    assert (again.outstanding.minor, again.due_on) == (100_000, date(2026, 8, 15))
    assert owed(pages) == before + 100_000


def test_a_prepayment_after_the_cut_off_or_before_a_weekend_is_never_late() -> None:
    """Its debt is due with the row of its period, however early a product's dates move."""
    early = replace(
        LOAN,
        name="early",
        due_roll=Roll.PRECEDING,
        calendar="WEEK",
        cut_off=datetime.min.time().replace(hour=11),
        late=replace(LOAN.late, daily_rate=Decimal("0.001")),
    )
    sunday = date(2026, 8, 9)
    rows = schedule(TERMS, early, WEEK)
    # Paid on the Saturday, an hour after the cut-off: its value date is the Sunday.
    payment = Prepayment("p1", noon(date(2026, 8, 8)), 100_000, 1)
    _, commands = prepay_part("a1", rows, sunday, TERMS, early, payment)
    made = open_loan("a1", TERMS, early, WEEK, issued_at=ISSUED_AT)
    apart = book((*made, *commands), early).obligations["a1-p1"]
    assert not apart.is_open
    assert apart.accrued == 0
    assert apart.overpaid_minor == 0


def test_two_prepayments_follow_each_other() -> None:
    """Each with its own revision; told with the loan from the start, or one after the other, the book is the same."""
    payments = (
        Prepayment("p1", noon(date(2026, 7, 20)), 100_000, 1, "instalment"),
        Prepayment("p2", noon(date(2026, 8, 3)), 50_000, 2, "term"),
    )
    dates = {"p1": date(2026, 7, 20), "p2": date(2026, 8, 3)}
    terms = replace(TERMS, months=12)
    pages = Pages("bank", "b1")
    for count in range(3):
        loan = Loan(terms, ISSUED_AT, prepayments=payments[:count])
        pages = book(loan_commands("a1", loan, LOAN, None, dates), LOAN, pages=pages)
    loan = Loan(terms, ISSUED_AT, prepayments=payments)
    at_once = book(loan_commands("a1", loan, LOAN, None, dates), LOAN)
    figures = [
        {id_: (o.outstanding, o.principal_minor) for id_, o in each.obligations.items()}
        for each in (pages, at_once)
    ]
    assert figures[0] == figures[1]
    with refusal("bad_terms", "prepayments.1.paid_at"):
        loan = Loan(terms, ISSUED_AT, prepayments=payments[::-1])
        loan_commands("a1", loan, LOAN, None, dates)


@settings(max_examples=30)
@given(loan=prepaid(), waive=st.booleans())
def test_settling_leaves_nothing_owed_but_what_was_due_before(
    loan: tuple[Terms, Profile, tuple[Instalment, ...], Prepayment, date], waive: bool
) -> None:
    """What came in is what settles the loan, and every row that was not due yet is closed."""
    terms, profile, rows, _, on = loan
    due = settle(rows, on, terms, profile, waive_later_fees=waive)
    assume(due.amount_minor)
    payment = Settling("s1", noon(on), due.amount_minor, waive_later_fees=waive)
    commands = settle_early("a1", rows, on, terms, profile, payment)
    made = told((terms, profile))
    pages = book((*made, *commands), profile)
    assert owed(pages) == sum(row.amount_minor for row in rows if row.due.on < on)
    received = [each for each in pages.repayments.values() if not each.credit]
    assert [each.amount.minor for each in received] == [due.amount_minor]
    assert all(each.overpaid_minor == 0 for each in pages.obligations.values())
    assert book((*made, *commands), profile, pages=pages) == pages


def test_another_amount_does_not_settle_a_loan() -> None:
    """One fen more or less, a day before the loan, or after its end; nothing of it is said back."""
    rows = schedule(TERMS, LOAN)
    on = date(2026, 7, 20)
    right = settle(rows, on, TERMS, LOAN).amount_minor
    for minor in (right - 1, right + 1):
        with refusal("schedule_mismatch", "amount_minor") as caught:
            settle_early("a1", rows, on, TERMS, LOAN, Settling("s1", noon(on), minor))
        assert str(right) not in caught.value.message
    for wrong in (START - timedelta(days=1), date(2026, 10, 1)):
        with refusal("bad_terms", "paid_at"):
            settle_early("a1", rows, wrong, TERMS, LOAN, Settling("s1", noon(wrong), right))


@pytest.mark.parametrize("minor", [1, 602, 402_332, 10**9])
def test_a_prepayment_that_makes_no_sense_says_no_amount_back(minor: int) -> None:
    """The field is the one that was told."""
    rows, on = schedule(TERMS, LOAN), date(2026, 7, 20)
    with refusal("bad_terms", "amount_minor") as caught:
        prepay_part("a1", rows, on, TERMS, LOAN, Prepayment("p1", noon(on), minor, 1))
    assert not any(character.isdigit() for character in caught.value.message)


def test_what_a_product_that_rounds_up_paid_too_early_can_come_back() -> None:
    """10.00 over seven rows of 2 and 0 leaves rows over nothing; after a prepayment one of them owes again."""
    profile = Profile(
        name="up",
        family=Family.INSTALMENT,
        method=Method.EQUAL_PRINCIPAL,
        rounding=Rounding.UP,
        max_months=60,
    )
    terms = Terms(8, "CNY", 6, START, annual_rate=Decimal(0))
    rows = schedule(terms, profile)
    assert [row.principal_minor for row in rows] == [2, 2, 2, 2, 0, 0]
    payment = Prepayment("p1", noon(START), 3, 1)
    after, commands = prepay_part("a1", rows, START, terms, profile, payment)
    assert [row.principal_minor for row in after[1:]] == [1, 1, 1, 1, 1, 0]
    assert [each.obligation_id for each in commands if isinstance(each, AddObligation)] == [
        "a1-p1",
        "a1-005",
    ]
    made = open_loan("a1", terms, profile, issued_at=ISSUED_AT)
    assert owed(book((*made, *commands), profile)) == 5


# Bills


AUGUST = date(2026, 8, 1)
CYCLE = cycle_in(AUGUST, HUABEI.billing, 10) if HUABEI.billing else None


def bought(id_: str, minor: int, on: date = date(2026, 7, 20)) -> Purchase:
    return Purchase(id_, on, on, minor)


def bill_of(month: str, *purchases: Purchase, **fields: Any) -> Bill:
    return Bill(date.fromisoformat(f"{month}-01"), 10, purchases, **fields)


def commands_of(*bills: Bill) -> list[Command]:
    return [
        command
        for bill in bills
        for command in bill_commands("a1", bill, HUABEI, "Asia/Shanghai")[1]
    ]


def test_a_bill_is_told_with_its_minimum_its_fee_and_its_month() -> None:
    """Issued at the start of its bill day, due on its nominal day, with the id that a tape would give it."""
    forward = Forward(fee_minor=500)
    (command,) = commands_of(bill_of("2026-08", bought("p", 100_000), forward=forward))
    assert command == AddObligation(
        "a1:2026-08",
        "a1",
        2026 * 12 + 8,
        instant(AUGUST, datetime.min.time(), ZONE),
        date(2026, 8, 10),
        100_000,
        100_500,
        10_500,
        500,
    )
    assert book([command], HUABEI).obligations["a1:2026-08"].due_on == date(2026, 8, 10)


@pytest.mark.parametrize(
    ("due_day", "month", "bill_on"),
    [
        (10, "2026-08-31", "2026-08-01"),
        (15, "2026-01-01", "2026-01-05"),
        (20, "2026-02-28", "2026-02-10"),
    ],
)
def test_the_month_of_a_bill_is_that_of_its_bill_day(
    due_day: int, month: str, bill_on: str
) -> None:
    """Whatever day of the month is named."""
    assert HUABEI.billing is not None
    cycle = cycle_in(date.fromisoformat(month), HUABEI.billing, due_day)
    assert (cycle.bill_on, cycle.due_on.day) == (date.fromisoformat(bill_on), due_day)
    assert cycle.holds(cycle.bill_on - timedelta(days=1))


def test_a_bill_over_nothing_is_no_obligation() -> None:
    """Nothing bought, or all of it given back."""
    refund = Refund("r", "p", date(2026, 7, 25), 100)
    assert commands_of(bill_of("2026-08")) == []
    assert commands_of(bill_of("2026-08", bought("p", 100), refunds=(refund,))) == []


@pytest.mark.parametrize("figure", ["bill_on", "due_on", "balance_minor", "minimum_minor"])
def test_a_bill_of_the_lender_s_own_is_only_checked(figure: str) -> None:
    """The first figure that differs refuses it."""
    right = Supplied(AUGUST, date(2026, 8, 10), 1000, 100)
    assert commands_of(bill_of("2026-08", bought("p", 1000), supplied=right))
    value = getattr(right, figure)
    change: dict[str, Any] = {
        figure: value + 1 if isinstance(value, int) else value + timedelta(days=1)
    }
    wrong = replace(right, **change)
    with refusal("statement_mismatch", figure):
        commands_of(bill_of("2026-08", bought("p", 1000), supplied=wrong))


def test_a_product_without_bills_has_none() -> None:
    """A loan's account is told loans."""
    with refusal("no_billing", "product"):
        bill_commands("a1", bill_of("2026-08"), LOAN, ZONE)


def paid(obligation_id: str, minor: int, on: date) -> AddRepayment:
    return AddRepayment(f"pay-{obligation_id}", obligation_id, "a1", noon(on), minor)


def test_what_revolves_leaves_the_bill_before() -> None:
    """After the minimum was paid: it is asked for once, on the new bill."""
    july = bill_of("2026-08", bought("p", 100_000))
    september = bill_of(
        "2026-09",
        bought("q", 5_000, date(2026, 8, 5)),
        forward=Forward(revolving_minor=90_000),
    )
    on_time = paid("a1:2026-08", 10_000, date(2026, 8, 9))
    pages = book([*commands_of(july), on_time, *commands_of(september)], PLAIN_BILLS)
    assert not pages.obligations["a1:2026-08"].is_open
    new = pages.obligations["a1:2026-09"]
    assert (new.outstanding.minor, new.minimum_minor) == (95_000, 9_500)
    assert book(commands_of(july, september), PLAIN_BILLS, pages=pages) == pages


def test_what_is_overdue_stays_on_the_bill_that_is() -> None:
    """Billed again, its days past due would begin anew; the lender's own figures still hold all of it."""
    figures = Supplied(date(2026, 9, 1), date(2026, 9, 10), 105_000, 100_500)
    september = bill_of(
        "2026-09",
        bought("q", 5_000, date(2026, 8, 5)),
        forward=Forward(overdue_minor=100_000),
        supplied=figures,
    )
    pages = book(commands_of(bill_of("2026-08", bought("p", 100_000)), september), HUABEI)
    old, new = pages.obligations["a1:2026-08"], pages.obligations["a1:2026-09"]
    assert (old.due_on, old.outstanding.minor) == (date(2026, 8, 10), 100_000)
    assert (new.outstanding.minor, new.minimum_minor) == (5_000, 500)


MINOR = st.integers(1, 10**6)


@given(new=MINOR, overdue=MINOR, revolving=st.integers(0, 10**6), credit=st.integers(0, 3 * 10**6))
def test_a_bill_is_asked_for_once_whatever_it_takes_over(
    new: int, overdue: int, revolving: int, credit: int
) -> None:
    """What is open on the bill before and on the new one is the balance of the new one."""
    before = AddObligation(
        "a1:2026-08",
        "a1",
        1,
        ISSUED_AT,
        date(2026, 8, 10),
        overdue + revolving,
        overdue + revolving,
    )
    forward = Forward(revolving, overdue, 0, credit)
    made, commands = bill_commands(
        "a1",
        bill_of("2026-09", bought("q", new, date(2026, 8, 5)), forward=forward),
        HUABEI,
        ZONE,
    )
    assert owed(book((before, *commands), PLAIN_BILLS)) == made.balance_minor


@given(
    amounts=st.lists(MINOR, min_size=1, max_size=3),
    asked=st.lists(st.tuples(MINOR, st.sampled_from([3, 6, 12])), max_size=3),
    rounding=st.sampled_from(Rounding),
)
def test_spreading_conserves_money_over_all_the_bills_that_follow(
    amounts: list[int], asked: list[tuple[int, int]], rounding: Rounding
) -> None:
    """Purchases and the fees of the plans are asked for in the end, no more and no less, also when told twice."""
    profile = replace(HUABEI, name="spreading", rounding=rounding)
    left, spreads, running = sum(amounts), [], []
    for n, (minor, months) in enumerate(asked):
        if minor <= left:
            left -= minor
            spreads.append(Spread(f"c{n}", date(2026, 8, 3), months, minor, revision=n + 1))
            running.append(Running(f"c{n}", AUGUST, months, minor))
    first = bill_of(
        "2026-08",
        *(bought(f"p{n}", minor) for n, minor in enumerate(amounts)),
        spreads=tuple(spreads),
    )
    names = [f"{2026 + (7 + n) // 12}-{(7 + n) % 12 + 1:02d}" for n in range(1, 14)]
    later = [bill_of(month, running=tuple(running)) for month in names]
    made = [bill_commands("a1", bill, profile, ZONE) for bill in (first, *later)]
    commands = [command for _, told in made for command in told]
    pages = book(commands, profile)
    fees = sum(o.fee_minor for o in pages.obligations.values() if o.is_open)
    assert owed(pages) == sum(amounts) + fees
    assert owed(pages) == sum(statement.balance_minor for statement, _ in made)
    plans = [p for statement, _ in made for p in statement.plans]
    assert fees == sum(plan.fee_minor for plan in plans)
    assert sum(plan.amount_minor for plan in plans) == sum(each.amount_minor for each in spreads)
    assert book(commands, profile, pages=pages) == pages


def test_the_minimum_of_what_is_left_of_a_bill_is_still_asked_for() -> None:
    """The bill is amended: a credit note over what was spread would count as a payment of the minimum."""
    spread = Spread("c1", date(2026, 8, 2), 3, 90_000)
    pages = book(commands_of(bill_of("2026-08", bought("p", 100_000), spreads=(spread,))), HUABEI)
    bill = pages.obligations["a1:2026-08"]
    assert (bill.outstanding.minor, bill.minimum_minor, bill.revision) == (10_000, 1_000, 1)
    assert not bill.minimum_is_met


def test_a_bill_that_is_spread_whole_is_closed_by_a_credit_note() -> None:
    """Nothing can be amended to nothing; its parts come with the bills that follow, and are due in full."""
    assert CYCLE is not None
    made, opened = close_bill("a1", CYCLE, HUABEI, [bought("p", 100_000)], zone=ZONE)
    _, plan, closing = spread_bill("a1", made, HUABEI, Spread("c1", date(2026, 8, 2), 3), zone=ZONE)
    (credit,) = closing
    assert isinstance(credit, AddRepayment)
    assert (credit.credit, credit.amount_minor) == (True, 100_000)
    assert [part.amount_minor for part in plan.parts] == [34_167, 34_167, 34_166]
    running = (Running("c1", AUGUST, 3, 100_000),)
    pages = book(
        [*opened, *closing, *commands_of(bill_of("2026-09", running=running))],
        HUABEI,
    )
    assert not pages.obligations["a1:2026-08"].is_open
    part = pages.obligations["a1:2026-09"]
    assert (part.amount.minor, part.minimum_minor) == (34_167, 34_167)


def test_a_part_stands_on_the_bill_of_its_own_month_only() -> None:
    """The third of three plans' parts on the third bill; a month later none is left."""
    running = (Running("c1", AUGUST, 3, 100_000),)
    found = [
        bill_commands("a1", bill_of(month, running=running), HUABEI, ZONE)[0].ids
        for month in ("2026-08", "2026-09", "2026-11", "2026-12")
    ]
    assert found == [frozenset(), {"c1/1"}, {"c1/3"}, frozenset()]


def test_a_plan_outside_of_the_tariff_is_refused() -> None:
    """As a conversion is."""
    with refusal("bad_conversion", "months"):
        commands_of(bill_of("2026-09", running=(Running("c1", AUGUST, 5, 100_000),)))


# Transactions


def written(commands: Sequence[Command]) -> int:
    """Return how many items some commands write, besides head and account."""
    items = set()
    for each in commands:
        assert isinstance(each, AddObligation | AmendObligation | AddRepayment)
        items.add(each.obligation_id)
        if isinstance(each, AddRepayment):
            items.add(each.repayment_id)
    return len(items)


@settings(max_examples=30)
@given(loan=prepaid())
def test_portions_keep_the_order_and_fit_a_transaction(
    loan: tuple[Terms, Profile, tuple[Instalment, ...], Prepayment, date],
) -> None:
    """Nothing is lost between them, and a loan that is only told is one."""
    terms, profile, rows, payment, on = loan
    _, commands = prepay_part("a1", rows, on, terms, profile, payment)
    made = told((terms, profile))
    everything = (*made, *commands)
    parts = portions(everything)
    assert tuple(command for part in parts for command in part) == everything
    assert all(written(part) <= PORTION for part in parts)
    assert portions(made) == (made,)
    assert portions(()) == ()


def test_a_draw_is_owed_by_the_rows_that_follow_it() -> None:
    """While money is paid out only interest is due; the obligations' principals still add up."""
    draws = ((START, 200_000), (date(2026, 7, 25), 400_000))
    terms = replace(TERMS, draws=draws)
    made = open_loan("a1", terms, LOAN, issued_at=ISSUED_AT)
    assert [each.principal_minor == 0 for each in made] == [True, False, False, False]
    rows = schedule(terms, LOAN)
    assert drawn_by(terms, rows[-1]) == principal(made) == 600_000


def test_a_plan_told_again_is_the_plan_that_was_made() -> None:
    """From its month, amount and number of parts alone."""
    spread = Spread("c1", date(2026, 8, 2), 3, 90_001)
    (plan,) = bill_commands(
        "a1", bill_of("2026-08", bought("p", 100_000), spreads=(spread,)), HUABEI, ZONE
    )[0].plans
    assert isinstance(plan, Plan)
    running = (Running("c1", AUGUST, 3, 90_001),)
    first, _ = bill_commands("a1", bill_of("2026-09", running=running), HUABEI, ZONE)
    assert first.balance_minor == plan.parts[0].amount_minor
