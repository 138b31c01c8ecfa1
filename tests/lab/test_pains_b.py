"""The pains 24 to 46 and the defects D11 to D20 that no diary can tell; each test is named after its pain."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.ageing import history
from betimes.core.agenda import plan
from betimes.core.arrears import facts_of
from betimes.core.audit import Findings
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.contact import State
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import (
    AddRepayment,
    AmendObligation,
    Command,
    PutFlight,
    PutHold,
    ReverseRepayment,
)
from betimes.core.message import Text
from betimes.core.money import Money
from betimes.core.policies import Policies
from betimes.core.product import DebitTerms
from betimes.core.product import parse as parse_product
from betimes.core.treatment import parse
from betimes.flows.close_day import TOLERANCE, close_day, reroll_all
from betimes.flows.dispatch import Dispatched
from betimes.flows.holds import sent_inside
from betimes.flows.sweep import sweep
from betimes.flows.timeline import timeline
from betimes.lab.runner import report_of
from betimes.lab.story import play
from betimes.lab.world import TENANT, World
from tests.core.support import POLICIES, TICK, utc
from tests.flows.harness import (
    EMAIL,
    MINUTE,
    PHONE,
    STEP_AT,
    TOLD_AT,
    account,
    back,
    bill,
    bill_of,
    contact_of,
    empty_world,
    events_of,
    money,
    of_b1,
    person,
    played_out,
    ready,
    records_of,
    swept,
    tell,
    world,
)

PACKS = Path(__file__).parents[2] / "functions" / "betimes" / "packs"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def policies_with(steps: Sequence[dict[str, Any]], **keys: Any) -> Policies:
    """Return the shipped policies with these steps for every product."""
    document = {"name": "pain", "step": list(steps), **keys}
    treatment = parse(document, "pain.toml", POLICIES.calendars)
    return replace(POLICIES, treatment=treatment, profiles={})


def row(name: str = "T-3", **keys: Any) -> dict[str, Any]:
    """Return a step as a file has it: three days before the due date at ten, by e-mail."""
    default = {
        "name": name,
        "offset_days": -3,
        "send_at": "10:00",
        "channels": ["email"],
        "template": "due_soon",
        "class": "courtesy",
        "catch_up_hours": 24,
    }
    return {**default, **keys}


def findings(here: World) -> Findings:
    """Return what the audit finds in the world as it stands, by its own policies."""
    return report_of(here, here.policies).findings


def texts(here: World) -> list[Text]:
    """Return the messages that the provider has accepted, oldest first."""
    return [arrived.letter.text for arrived in here.provider.accepted]


def told_only(here: World, *commands: Command) -> None:
    """Take something in, and let nothing that follows from it happen yet."""
    answers = here.intake.take_in(TENANT, [of_b1(*commands)], here.clock.now())
    assert answers == ["stored"]


# 24


def _far_away(profile: str, own: str, zone: str) -> World:
    """Return a world with a bill of a product that counts its days in `own`, played out for a borrower in `zone`."""
    product = replace(POLICIES.profiles[profile], zone=own, treatment="")
    here = World(replace(POLICIES, profiles={"far": product}), TOLD_AT, shards=1)
    tell(here, person(zone=zone), account(product="far"), bill())
    return played_out(here)


def test_due_date_off_by_one_day__no_demand_while_the_day_lasts_where_it_counts() -> None:
    """Ten in the morning in Shanghai is the evening before in New York: the demand waits for the end of the due date
    there, at noon, and says one day, not none.
    """
    here = _far_away("single_payment", "America/New_York", "Asia/Shanghai")
    first, second = here.provider.accepted[3:5]
    assert (first.at, second.at) == (utc("2026-03-10 04:00"), utc("2026-03-12 02:00"))
    assert "（2026年3月9日）已过1天" in first.letter.text.body


def test_due_date_off_by_one_day__due_today_is_not_said_when_it_is_over_where_it_counts() -> None:
    """Ten in the morning in Los Angeles is the next day in Shanghai: "due today" is missed, and on record as that."""
    here = _far_away("single_payment", "Asia/Shanghai", "America/Los_Angeles")
    sent = [contact.step for contact in here.memory.all_contacts()]
    assert sorted(sent) == sorted(["D-3", "D-1", "D+1", "D+3", "D+7", "D+15", "D+30"])
    [missed] = [r for r in records_of(here) if r.body["step"] == "D0"]
    assert missed.body["reason"] == "catch_up_exceeded"
    assert findings(here).all_kept


# 27


@pytest.mark.parametrize(
    ("rows", "key", "problem"),
    [
        ([row(send_at="00:00"), row(send_at="10:00")], "name", "two steps have the same name"),
        ([row(send_at="10:00"), row(send_at="10:00")], "name", "two steps have the same name"),
        ([row(), row("T-3 again")], "step", "does not come after"),
        ([{k: v for k, v in row().items() if k != "send_at"}], "send_at", "is missing"),
        ([row(send_at=date(2026, 3, 6))], "send_at", "is no local time in quotes"),
        ([row(send_at=datetime(2026, 3, 6, 10))], "send_at", "is no local time in quotes"),
        ([row(send_at="2026-03-06")], "send_at", "is no local time in quotes"),
        ([row(send_at="10:00+08:00")], "send_at", "carries no zone"),
        ([row(send_at="at_once")], "send_at", "the anchor due is only a date"),
        ([row(send_at=["00:00", "10:00"])], "send_at", "is no local time in quotes"),
        ([row(send_on="2026-03-06")], "send_on", "is unknown"),
    ],
)  # fmt: skip
def test_fires_at_midnight_and_at_the_set_time__only_one_instant_can_be_said(
    rows: list[dict[str, Any]], key: str, problem: str
) -> None:
    """A step has one time of day, and one only; what says it twice, or only a date, is refused with its file."""
    with pytest.raises(Rejected) as refused:
        policies_with(rows)
    assert (refused.value.code, refused.value.field) == ("bad_treatment", key)
    assert problem in refused.value.message
    assert refused.value.message.startswith("pain.toml")


def test_fires_at_midnight_and_at_the_set_time__it_fires_once() -> None:
    """At its time, and not when the date begins; a time in the defaults gives way to that of the step."""
    keys = row()
    defaults = {key: keys.pop(key) for key in ("channels", "template", "class", "catch_up_hours")}
    here = World(
        policies_with([keys], defaults={**defaults, "send_at": "00:00"}), TOLD_AT, shards=1
    )
    tell(here, person(), account(), bill())
    played_out(here)
    assert [arrived.at for arrived in here.provider.accepted] == [STEP_AT]


# 30


@given(
    st.lists(st.tuples(st.integers(0, 40 * 24), st.integers(1, 3), st.sampled_from(["o1", "o2"])), max_size=8),
    st.lists(st.integers(0, 40), max_size=2),
)  # fmt: skip
def test_a_part_payment_skips_a_state__no_step_before_its_predecessor(
    parts: list[tuple[int, int, str]], outages: list[int]
) -> None:
    """Whatever parts of two bills are paid and when, and through days without a sweep: each step of each bill gets its
    decision behind the one before it, and its due date is its own.
    """
    here = world()
    tell(here, bill("o2", seq=2, due_on=date(2026, 3, 20), amount_minor=2000, principal_minor=2000))
    down = {TOLD_AT + day * DAY for day in outages}
    for n, (hours, hundreds, name) in enumerate(sorted(parts)):
        at = TOLD_AT + hours * HOUR + MINUTE
        if any(start <= at < start + DAY for start in down):
            here.clock.advance(at)
        else:
            here.run_until(at)
        tell(here, money(f"r{n}", hundreds * 100, obligation_id=name, paid_at=here.clock.now()))
    played_out(here)
    for name in ("o1", "o2"):
        snapshot = here.memory.pages(TENANT, "b1").snapshot(name, POLICIES.profiles)
        steps = plan(snapshot, POLICIES.treatment)
        decided = snapshot.obligation.watch.decided
        assert decided == tuple(step.key for step in steps)[: len(decided)]
        on_record = [
            r for r in records_of(here) if r.kind == "decision" and r.obligation_id == name
        ]
        first = [str(r.body["step"]) for r in on_record if r.body["decision"] != "wait"]
        assert list(dict.fromkeys(first)) == list(decided)
        assert all(r.body["due_on"] == str(snapshot.obligation.due_on) for r in on_record)
    assert findings(here).all_kept


# 31

PAID_ON = utc("2026-03-20 03:00")
FACTS: dict[str, Command] = {
    "payment": AddRepayment("r1", "o1", "a1", PAID_ON, 60_000),
    "credit": AddRepayment("c1", "o1", "a1", PAID_ON - DAY, 50_000, credit=True),
    "account": AddRepayment("r2", "", "a1", PAID_ON - 2 * DAY, 12_345),
    "bounced": AddRepayment("r3", "o1", "a1", PAID_ON - 5 * DAY, 30_000),
}


def _after(order: Sequence[str], product: str) -> tuple[object, ...]:
    """Return how a bill of CNY 1,200.00 stands after the facts and looks, told an hour apart in this order."""
    here = World(POLICIES, utc("2026-03-06 02:00"), shards=1)
    amount: dict[str, Any] = {
        "amount_minor": 120_000,
        "principal_minor": 120_000,
        "minimum_minor": 12_000,
    }
    tell(here, person(), account(product=product), bill(issued_at=here.clock.now(), **amount))
    here.run_until(PAID_ON)
    for what in order:
        here.clock.advance(here.clock.now() + HOUR)
        if what == "look":
            here.tick()
        else:
            tell(here, FACTS[what])
    here.run_until(utc("2026-03-21 02:00"))
    tell(here, ReverseRepayment("r3", utc("2026-03-21 01:00")))
    here.run_until(utc("2026-04-01 02:00"))
    pages = here.memory.pages(TENANT, "b1")
    found = pages.obligations["o1"]
    days = [date(2026, 3, 6) + n * DAY for n in range(27)]
    assert findings(here).all_kept
    return (
        found.paid, found.paid_minor, found.accrued, found.accrued_to, found.overpaid_minor, found.is_open,
        pages.snapshot("o1", POLICIES.profiles).owed(here.clock.now()),
        history(facts_of(pages, "a1", POLICIES), days),
    )  # fmt: skip


@pytest.mark.parametrize("product", ["card_like", "jiebei_like_adds"])
def test_race_of_payment_and_overdue__all_orders_one_state(product: str) -> None:
    """A payment, a credit note, money for the account, money that bounces and a look, in all 120 orders: the same money
    by component, the same late interest to the last digit, the same age on every day.
    """
    orders = list(permutations([*FACTS, "look"]))
    assert len(orders) == 120
    first = _after(orders[0], product)
    assert all(_after(order, product) == first for order in orders[1:])


@pytest.mark.parametrize("order", [*permutations(["payment", "credit", "look"])], ids="-".join)
def test_race_of_payment_and_overdue__a_credit_clears_it(order: tuple[str, ...]) -> None:
    """Payment and credit note together settle an overdue bill whichever comes first, and nothing is said after it."""
    here = world()
    here.run_until(utc("2026-03-12 01:00"))
    assert [text.channel for text in texts(here)] == ["email"] * 4
    facts = {
        "payment": money("r1", 600, paid_at=here.clock.now()),
        "credit": money("c1", 400, paid_at=here.clock.now(), credit=True),
    }
    for what in order:
        here.clock.advance(here.clock.now() + MINUTE)
        here.tick() if what == "look" else tell(here, facts[what])
    assert not bill_of(here).is_open
    played_out(here)
    assert len(texts(here)) == 4
    assert close_day(here.memory, POLICIES, shards=1, now=here.clock.now()).obligations == 0


# 32


def test_part_paid_is_asked_for_in_full__paid_between_decision_and_dispatch() -> None:
    """999 of 1,000 fen arrive when the contact is READY already: the text says what remains, and so does its record."""
    here, contact_id = ready()
    here.clock.advance(STEP_AT + TICK)
    told_only(here, money(minor=999))
    here.memory.ready.append(contact_id)
    here.settle()
    [text] = texts(here)
    assert "0.01元" in text.body
    assert "10.00" not in text.body
    assert contact_of(here, contact_id).amount == Money(1, "CNY")


# 34


def test_a_pause_entered_late_cannot_be_backdated__what_went_out_inside_is_listed() -> None:
    """A dispute of the eighth is told on the tenth: what went out in those two days is named, and no other message."""
    here = world()
    here.run_until(utc("2026-03-10 04:00"))
    assert [arrived.at for arrived in here.provider.accepted] == [
        utc(f"2026-03-{day} 02:00") for day in ("06", "08", "09", "10")
    ]
    told = PutHold("h1", Kind.DISPUTE, utc("2026-03-08 00:00"), utc("2026-03-10 02:00"), owner="u7")
    assert tell(here, told) == ["stored"]
    hold = here.memory.pages(TENANT, "b1").holds["h1"]
    assert (hold.starts_at, hold.told_at) == (utc("2026-03-08 00:00"), utc("2026-03-10 04:00"))
    found = sent_inside(here.stores, TENANT, "b1", hold)
    assert [contact_of(here, each).step for each in found] == ["D-1", "D0"]


def test_a_hold_on_one_bill_freezes_that_bill_and_no_other() -> None:
    """What is asked for is what settles it: two bills of one account in dispute one by one, and paid to the fen."""
    here = World(POLICIES, TOLD_AT, shards=1)
    product = account(product="home_improvement")
    terms: dict[str, Any] = {
        "due_on": date(2026, 3, 9),
        "amount_minor": 1_000_000,
        "principal_minor": 1_000_000,
    }
    tell(here, person(), product, bill(**terms), bill("o2", seq=2, **terms))
    here.run_until(utc("2026-04-01 02:00"))
    tell(here, PutHold("h1", Kind.DISPUTE, utc("2026-03-20 02:00"), obligation_id="o1"))
    tell(here, PutHold("h2", Kind.DISPUTE, utc("2026-03-20 02:00"), channel="sms"))
    pages = here.memory.pages(TENANT, "b1")
    now = here.clock.now()
    asked = {name: pages.snapshot(name, POLICIES.profiles).owed(now).minor for name in ("o1", "o2")}
    # 0.02 % a day from the 15th on, grace being over: five days until the dispute, and seventeen without one.
    assert asked == {"o1": 1_000_000 + 5 * 200, "o2": 1_000_000 + 17 * 200}
    for name, minor in asked.items():
        tell(here, money(f"r-{name}", minor, obligation_id=name, paid_at=now))
        assert not bill_of(here, name).is_open
        assert bill_of(here, name).overpaid_minor == 0


# 35


def test_a_backdated_repayment__all_twenty_days_change_and_nobody_is_written_to() -> None:
    """Paid on the 30th and closed, and then it turns out that it was paid on the 11th: every day since is current."""
    here = world()
    days = [date(2026, 3, 11) + n * DAY for n in range(20)]
    here.run_until(utc("2026-03-30 02:00"))
    tell(here, money("r1", paid_at=here.clock.now()))
    before = history(facts_of(here.memory.pages(TENANT, "b1"), "a1", POLICIES), days)
    assert [day.dpd for day in before] == [*range(2, 21), 0]
    sent, records = len(texts(here)), len(records_of(here))
    tell(here, money("r2", paid_at=utc("2026-03-11 02:00")))
    after = history(facts_of(here.memory.pages(TENANT, "b1"), "a1", POLICIES), days)
    assert {(day.dpd, day.bucket, day.arrears_minor) for day in after} == {(0, "M0", 0)}
    played_out(here)
    assert (len(texts(here)), len(records_of(here))) == (sent, records)
    assert bill_of(here).overpaid_minor == 1000


# 36


@pytest.mark.parametrize("phone", ["", PHONE], ids=["one channel", "two channels"])
@pytest.mark.parametrize(
    "scope",
    [{}, {"account_id": "a1"}, {"obligation_id": "o1"}, {"channel": "email"}],
    ids=["borrower", "account", "obligation", "channel"],
)
@pytest.mark.parametrize("kind", [Kind.COMPLAINT, Kind.OPT_OUT])
def test_mahnstopp__it_stops_what_is_ready(scope: dict[str, Any], phone: str, kind: Kind) -> None:
    """Set between the decision and the dispatch, whatever its scope: nothing goes, and the reason is on record."""
    here, contact_id = ready(EMAIL, phone)
    here.clock.advance(STEP_AT + MINUTE)
    told_only(here, PutHold("h1", kind, here.clock.now(), owner="u7", **scope))
    here.memory.ready.append(contact_id)
    here.settle()
    assert texts(here) == []
    here.run_until(utc("2026-03-07 03:00"))
    assert texts(here) == []
    assert contact_of(here, contact_id).state in (State.CANCELLED, State.EXPIRED)
    assert contact_of(here, contact_id).reason == f"hold_{kind}"
    assert here.memory.pages(TENANT, "b1").holds["h1"].owner == "u7"
    assert findings(here).all_kept


@pytest.mark.parametrize(
    "scope",
    [{"account_id": "a2"}, {"obligation_id": "o2"}, {"channel": "sms"}],
    ids=["account", "obligation", "channel"],
)
def test_mahnstopp__it_stops_nothing_else(scope: dict[str, Any]) -> None:
    """Another account, another bill, another channel: the contact that is READY goes."""
    here, contact_id = ready(EMAIL, PHONE)
    later = date(2026, 6, 1)
    told_only(here, account("a2"))
    told_only(here, bill("o2", account_id="a2", due_on=later, issued_at=STEP_AT))
    told_only(here, PutHold("h1", Kind.COMPLAINT, here.clock.now(), **scope))
    here.memory.ready.append(contact_id)
    here.settle()
    assert [text.channel for text in texts(here)] == ["email"]


# 38


def test_reminder_to_the_wrong_contact__changed_between_decision_and_dispatch() -> None:
    """The lender hears that others read the mailbox while a contact for it is READY: it is not used, and the true
    reason is on record, although there is a number as well; the next step goes to that.
    """
    here, contact_id = ready(EMAIL, PHONE)
    here.clock.advance(STEP_AT + MINUTE)
    shared = ContactPoint("email", EMAIL, PointState.UNCONFIRMED)
    told_only(here, person(contact_points=(shared, ContactPoint("sms", PHONE))))
    here.memory.ready.append(contact_id)
    here.settle()
    assert texts(here) == []
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.SUPPRESSED, "contact_point_unconfirmed")
    here.run_until(utc("2026-03-08 03:00"))
    assert [text.channel for text in texts(here)] == ["sms"]


def test_reminder_to_the_wrong_contact__the_choice_stands_in_the_record() -> None:
    """The claim names channel and contact point, by the version of the borrower that brought it in, and no address."""
    here = world()
    changed = person("new@borrowers.example")
    tell(here, changed)
    since = here.memory.pages(TENANT, "b1").head
    assert since is not None
    here.run_until(utc("2026-03-08 03:00"))
    claims = [r.body for r in records_of(here) if r.body.get("event") == "claimed"]
    assert [(c["channel"], c["point"]) for c in claims] == [("email", since.version)] * 2
    tell(here, person("newer@borrowers.example"))
    played_out(here, "2026-03-09 03:00")
    last = [r.body for r in records_of(here) if r.body.get("event") == "claimed"][-1]
    assert last["point"] == since.version + 1
    assert not any("borrowers.example" in str(r.canonical()) for r in records_of(here))


# 39


def test_one_mail_per_customer__three_debts_one_contact_one_pace() -> None:
    """Three bills of two products: one contact, one message, and the pace knows of one instant only."""
    here = World(POLICIES, TOLD_AT, shards=1)
    for n, product in enumerate(["huabei_like", "huabei_like", "jiebei_like"], start=1):
        tell(
            here,
            person(),
            account(f"a{n}", product=product, creditor=f"Bank {'ABA'[n - 1]}"),
            bill(f"o{n}", account_id=f"a{n}"),
        )
    here.run_until(STEP_AT)
    contacts = [c for c in here.memory.all_contacts() if c.decided_at == STEP_AT]
    (digest,) = contacts
    assert [(s.obligation_id, s.step) for s in digest.everything] == [
        ("o1", "T-3"), ("o2", "T-3"), ("o3", "T-3")
    ]  # fmt: skip
    body = texts(here)[-1].body
    assert [body.count(name) for name in ("Bank A", "Bank B", "10.00元")] == [2, 1, 3]
    pages = here.memory.pages(TENANT, "b1")
    seen = pages.snapshot("o1", POLICIES.profiles)
    assert max(seen.spoken_beside((), since=TOLD_AT)) == STEP_AT


# 40


def test_which_reminders_has_this_client_had__one_page_with_reasons() -> None:
    """Sent and not sent, in order of time, each with its step and its reason; a year of it is what its dates say."""
    here = world()
    here.run_until(utc("2026-03-08 03:00"))
    tell(here, money(minor=400, paid_at=here.clock.now()))
    here.run_until(utc("2026-03-08 23:00"))
    tell(here, PutHold("h1", Kind.DISPUTE, here.clock.now(), utc("2026-03-10 12:00")))
    here.run_until(utc("2026-03-12 03:00"))
    tell(here, money("r2", 600, paid_at=here.clock.now()))
    played_out(here)
    page = timeline(here.memory, TENANT, "b1")
    assert [each.at for each in page] == sorted(each.at for each in page)
    decided = [
        (each.step, each.what, each.reason)
        for each in page
        if each.what in ("send", "suppress", "wait")
    ]
    assert decided == [
        ("D-3", "send", "due"),
        ("D-1", "send", "due"),
        ("D0", "wait", "hold_dispute"),
        ("D0", "suppress", "hold_dispute"),
        ("D+1", "wait", "hold_dispute"),
        ("D+1", "send", "due"),
        ("D+3", "send", "due"),
    ]  # fmt: skip
    sent = [each.contact_id for each in page if each.what == "accepted"]
    assert len(sent) == len(set(sent)) == len(texts(here)) == 4
    assert all(each.reason and each.step for each in page)
    assert {each.at.year for each in page} == {2026}


def test_which_reminders_has_this_client_had__the_oldest_contact_comes_first() -> None:
    """The close of the day lists what is past due by its last contact: never, long ago, this morning; another debt of
    the same person counts as well.
    """
    here = empty_world()
    for n, email in enumerate(["", EMAIL, EMAIL, EMAIL], start=1):
        due: dict[str, Any] = {"due_on": date(2026, 3, 9 if n != 3 else 19)}
        theirs: list[Command] = [
            person(email),
            account(f"a{n}"),
            bill(f"o{n}", account_id=f"a{n}", **due),
        ]
        tell(here, *theirs, borrower_id=f"b{n}")
    held = PutHold("h1", Kind.COMPLAINT, utc("2026-03-09 03:00"))
    tell(here, held, borrower_id="b2")
    tell(here, account("a5"), bill("o5", account_id="a5"), borrower_id="b3")
    here.run_until(utc("2026-03-20 03:00"))
    closed = close_day(here.memory, POLICIES, shards=4, now=here.clock.now())
    assert [(each.borrower_id, each.account_id, each.contacted_at[:10]) for each in closed.aged] == [
        ("b1", "a1", ""),
        ("b2", "a2", "2026-03-09"),
        ("b4", "a4", "2026-03-16"),
        ("b3", "a3", "2026-03-20"),
        ("b3", "a5", "2026-03-20"),
    ]  # fmt: skip


# 41


def test_wrong_language__a_fallback_is_seen_and_never_mixes() -> None:
    """Of French there is no text: the claim's record names the language that was written, and the text is of one."""
    for locale, written in (
        ("fr", "zh-CN"),
        ("en-GB", "en"),
        ("zh-TW", "zh-CN"),
        ("zh-CN", "zh-CN"),
    ):
        here = empty_world()
        tell(here, person(locale=locale), account(), bill())
        here.run_until(STEP_AT)
        [claim] = [r.body for r in records_of(here) if r.body.get("event") == "claimed"]
        assert claim["locale"] == written
        [text] = texts(here)
        assert text.locale == written
        assert ("CNY 10.00" in text.body, "9 March 2026" in text.body) == (written == "en",) * 2
        assert ("10.00元" in text.body, "2026年3月9日" in text.body) == (written == "zh-CN",) * 2


def test_wrong_language__the_lenders_own_language_must_be_there() -> None:
    """A step whose template has no text in the default locale is refused on load: there is always a way to fall."""
    with pytest.raises(Rejected, match="has no text for email in fr"):
        replace(POLICIES, default_locale="fr")


# 43


def test_a_new_deadline__a_digest_never_hides_it() -> None:
    """A reminder that sets a deadline speaks alone: the list of a digest could not name it."""
    steps = [row("R", offset_days=1, template="overdue", deadline_days=14, **{"class": "overdue"})]
    policies = policies_with(steps, digest=True)
    here = World(policies, TOLD_AT, shards=1)
    tell(here, person(), account(), bill(), bill("o2", seq=2))
    here.run_until(utc("2026-03-10 03:00"))
    assert ["2026年3月24日" in text.body for text in texts(here)] == [True, True]
    assert bill_of(here, "o2").watch.pay_by == date(2026, 3, 24)


# 44


def _notice(hours: int = 24) -> Policies:
    return policies_with([row("notice", **{"class": "statutory", "catch_up_hours": hours})])


def test_the_required_notice_was_never_sent__the_close_of_day_names_it() -> None:
    """Nobody swept: from an hour after its deadline on the daily audit names the notice, and names it apart."""
    here = World(_notice(), TOLD_AT, shards=1)
    tell(here, person(), account(), bill())
    edge = STEP_AT + DAY + TOLERANCE
    before = close_day(here.memory, here.policies, shards=1, now=edge - TICK)
    assert (before.missed_notices, before.undecided) == ([], [])
    closed = close_day(here.memory, here.policies, shards=1, now=edge)
    assert closed.missed_notices == closed.undecided == ["o1:notice"]


def test_the_required_notice__nothing_but_the_law_stops_it() -> None:
    """A dispute, an opt-out and a debit on its way: it goes, is on record, and the audit is silent."""
    here = World(_notice(), TOLD_AT, shards=1)
    tell(here, person(), account(), bill())
    tell(here, *(PutHold(f"h-{kind}", kind, TOLD_AT) for kind in Kind if kind is not Kind.PROMISE))
    flight = PutFlight(
        "f1", "a1", "o1", Means.DEBIT, 1000, FlightState.PENDING, TOLD_AT, utc("2026-03-20 00:00")
    )
    tell(here, flight)
    here.run_until(STEP_AT)
    assert len(texts(here)) == 1
    closed = close_day(here.memory, here.policies, shards=1, now=STEP_AT + 2 * DAY)
    assert closed.missed_notices == []


# 45


@pytest.mark.parametrize(
    ("ahead", "answer"),
    [(timedelta(days=14), "stored"), (timedelta(days=14) - TICK, "short_notice"), (-MINUTE, "short_notice")],
)  # fmt: skip
def test_notice_before_a_debit__too_little_is_said_when_it_is_stored(
    ahead: timedelta, answer: str
) -> None:
    """Fourteen days are enough, a moment less is not; the debit is kept all the same, and once however often told."""
    sepa = replace(
        POLICIES.profiles["jiebei_like"], debit=DebitTerms(windows=(time(12),), notice_days=14)
    )
    here = World(replace(POLICIES, profiles={"sepa": sepa}), TOLD_AT, shards=1)
    tell(here, person(), account(product="sepa", mandate="8821"), bill(due_on=date(2026, 4, 1)))
    at = TOLD_AT + ahead
    debit = PutFlight(
        "f1", "a1", "o1", Means.DEBIT, 1000, FlightState.SCHEDULED, at, at + DAY
    )  # fmt: skip
    assert tell(here, debit) == [answer]
    assert here.memory.pages(TENANT, "b1").flights["f1"].state is FlightState.SCHEDULED
    assert tell(here, debit) == ["unchanged"]


def test_notice_before_a_debit__a_product_file_states_it() -> None:
    """In days, under `debit`; and what is no number of days is refused."""
    document = tomllib.loads((PACKS / "products" / "jiebei_like.toml").read_text(encoding="utf-8"))
    document["debit"]["notice_days"] = 14
    assert parse_product(document, "sepa.toml").debit.notice_days == 14
    for wrong in (-1, "14", 1.5, True):
        document["debit"]["notice_days"] = wrong
        with pytest.raises(Rejected, match="notice_days"):
            parse_product(document, "sepa.toml")


# 46

LADDER = """
borrower b1 en Asia/Shanghai CN email=first@borrowers.example
2026-03-05 12:00  account  a1 b1 CNY huabei_like
2026-03-05 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
2026-03-06 10:00  contact  o1 step T-3 email
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-09 10:00  contact  o1 step T0 email
2026-03-10 10:00  contact  o1 step T+1 email
2026-03-12 10:00  contact  o1 step T+3 email
2026-03-16 10:00  contact  o1 step T+7 email
2026-03-16 12:00  pay      p1 o1 CNY 100.35
"""


def test_too_complex__one_file_of_less_than_forty_lines_runs_the_whole_ladder() -> None:
    """The shipped treatment, comments included, and the six steps it promises, played from ten lines of text."""
    lines = (PACKS / "treatments" / "huabei_like.toml").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 40
    played = play(LADDER.splitlines(), POLICIES)
    assert played.findings is not None
    assert played.findings.all_kept


# D11


def _broken_world() -> World:
    """Return a world of two bills, of which one cannot be looked at: the zone of its borrower is gone."""
    here = world()
    tell(here, person("x@borrowers.example"), account("a2", product="medical"), borrower_id="b2")
    tell(here, bill("o2", account_id="a2"), borrower_id="b2")
    pages = here.memory.pages(TENANT, "b2")
    assert pages.head is not None
    lost = replace(pages.head, zone="Nowhere/Lost")
    here.memory._pages[TENANT, "b2"] = pages.with_head(lost)  # no command would take it in
    return here


def test_an_error_is_only_logged__the_close_of_day_names_it() -> None:
    """What cannot be looked at is named by the sweep and by the close of the day, and stops neither."""
    here = _broken_world()
    here.clock.advance(STEP_AT)
    [shard] = here.memory.shards()
    tally = sweep(here.stores, POLICIES, shard, now=STEP_AT, limit=10)
    assert tally.broken == ("b2/o2 (Rejected)",)
    assert tally.contacts == 1
    closed = close_day(here.memory, POLICIES, shards=1, now=STEP_AT + 2 * DAY)
    assert closed.broken == ["b2 (Rejected)"]
    assert (closed.obligations, closed.undecided) == (1, [])
    # A calendar was published: the others' due dates are looked at all the same.
    assert reroll_all(here.stores, POLICIES, shards=1, now=STEP_AT) == []


# D13, D16


@pytest.mark.parametrize("count", [1, 7, 30])
def test_one_notice_for_each_step_at_most__any_number_of_steps(count: int) -> None:
    """Steps on as many days in a row, looked at only every third day: one decision each, none lost for a missed day."""
    steps = [row(f"S{n}", offset_days=n - 40, catch_up_hours=100) for n in range(count)]
    here = World(policies_with(steps), utc("2026-01-02 02:00"), shards=1)
    tell(here, person(), account(), bill(issued_at=here.clock.now()))
    for n in range(30):
        here.clock.advance(utc("2026-01-03 03:00") + 3 * n * DAY)
        here.tick()
    decided = [r for r in records_of(here) if r.kind == "decision" and r.body["decision"] != "wait"]
    assert [r.body["step"] for r in decided] == [f"S{n}" for n in range(count)]
    reasons = {str(r.body["reason"]) for r in decided}
    assert reasons <= {"due", "merged_into_next"}
    assert len(texts(here)) >= count // 3
    assert findings(here).all_kept


# D17


def test_a_claim_of_a_day__claimed_is_the_step_of_the_bill() -> None:
    """Two bills on one day, both of their steps, and each once: whatever the machine's clock says, and told as often as
    it may be.
    """
    here = world()
    tell(here, bill("o2", seq=2))
    swept(here)
    first = list(here.memory.ready)
    assert len(set(first)) == 2
    here.memory.ready.extend(first * 3)
    here.settle()
    assert here.dispatched[Dispatched.ACCEPTED] == 2
    assert len(texts(here)) == 2
    # Another cycle is another claim: the due date has moved, and the step speaks of the new one.
    tell(here, AmendObligation("o1", 1, date(2026, 3, 10), 1000, 1000))
    here.run_until(utc("2026-03-07 03:00"))
    steps = [(c.obligation_id, c.cycle, c.step) for c in here.memory.all_contacts()]
    assert len(steps) == len(set(steps)) == 3


# D18


@pytest.mark.parametrize("paid_first", ["o1", "o2"])
def test_a_case_closes_when_all_parts_do(paid_first: str) -> None:
    """[unpaid, paid] and [paid, unpaid]: a contact about both goes for the one that is left, in either order, and the
    account is past due until both are paid.
    """
    policies = policies_with([row(), row("T+1", offset_days=1)], digest=True)
    here = World(policies, TOLD_AT, shards=1)
    tell(
        here,
        person(),
        account(),
        bill(),
        bill("o2", seq=2, amount_minor=2000, principal_minor=2000),
    )
    here.clock.advance(STEP_AT)
    sweep(here.stores, policies, 0, now=STEP_AT, limit=1)
    [contact] = here.memory.all_contacts()
    assert {contact.obligation_id, *(spoke.obligation_id for spoke in contact.also)} == {"o1", "o2"}
    paid = {"o1": 1000, "o2": 2000}
    told_only(here, money("r1", paid[paid_first], obligation_id=paid_first, paid_at=STEP_AT))
    here.clock.advance(STEP_AT + MINUTE)
    here.settle()
    [text] = texts(here)
    left = {"o1": "20.00元", "o2": "10.00元"}[paid_first]
    gone = {"o1": "10.00元", "o2": "20.00元"}[paid_first]
    assert left in text.body
    assert gone not in text.body
    here.run_until(utc("2026-03-12 02:00"))
    days = [date(2026, 3, 12)]
    assert history(facts_of(here.memory.pages(TENANT, "b1"), "a1", policies), days)[0].dpd == 3
    [other] = {"o1", "o2"} - {paid_first}
    tell(here, money("r2", paid[other], obligation_id=other, paid_at=here.clock.now()))
    assert history(facts_of(here.memory.pages(TENANT, "b1"), "a1", policies), days)[0].dpd == 0
    assert findings(here).all_kept


# D20


def test_a_schedule_that_nobody_can_cancel__cancelled_by_its_key() -> None:
    """The same bill, cycle and step give the same id, so what is planned is found again and cancelled by it."""
    here, contact_id = ready()
    other, same_id = ready()
    assert (contact_id, other.memory.get(contact_id)) == (same_id, here.memory.get(contact_id))
    here.clock.advance(STEP_AT + TICK)
    tell(here, money())
    assert contact_of(here, contact_id).state is State.CANCELLED
    assert texts(here) == []
    assert events_of(here, contact_id) == ["cancelled"]


def test_a_text_baked_in_at_creation__the_amount_is_that_of_the_send() -> None:
    """Between decision and dispatch a part is paid, or taken back, or the bill amended: the text says what is owed."""
    cases: list[tuple[list[Command], str]] = [
        ([money(minor=400)], "6.00元"),
        ([money(minor=400), back("r1", STEP_AT)], "10.00元"),
        ([AmendObligation("o1", 1, date(2026, 3, 9), 700, 700)], "7.00元"),
    ]
    for told, owed in cases:
        here, contact_id = ready()
        here.clock.advance(STEP_AT + TICK)
        for command in told:
            told_only(here, command)
        here.memory.ready.append(contact_id)
        here.settle()
        [text] = texts(here)
        assert owed in text.body
