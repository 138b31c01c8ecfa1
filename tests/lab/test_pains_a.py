"""The pains 1 to 23 and the defects D1 to D10 of other systems, where a diary cannot show them: see docs/pains.md.

Each test is called after the pain, and behind two underscores after what happens here instead.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from betimes.config import CHANNELS
from betimes.core import (
    ageing,
    agenda,
    calibration,
    gateway,
    keywords,
    message,
    pack,
    product,
    record,
    spend,
    treatment,
    workdays,
    zones,
)
from betimes.core.audit import Findings
from betimes.core.book import Snapshot
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.change import Change, SaveObligation
from betimes.core.contact import State
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import (
    AddRepayment,
    ChooseEntry,
    Command,
    PutFlight,
    PutHold,
)
from betimes.core.obligation import Obligation
from betimes.core.policies import Policies
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.core.treatment import MessageClass, Step, Treatment
from betimes.flows.close_day import DayClosed, close_day, reroll_all
from betimes.flows.dispatch import Dispatched
from betimes.flows.feed import complete
from betimes.flows.intake import Intake
from betimes.flows.sweep import Swept, sweep
from betimes.lab.memory import Memory
from betimes.lab.runner import report_of
from betimes.lab.world import TENANT, Arrived, Provider, World
from betimes.ports import Answer, Letter, Stores, Unknown
from tests.core import support
from tests.core.support import POLICIES, utc
from tests.flows.harness import (
    EMAIL,
    MINUTE,
    PHONE,
    STEP_AT,
    TOLD_AT,
    Interrupted,
    account,
    bill,
    bill_of,
    contact_of,
    dispatch_with,
    events_of,
    findings,
    money,
    of_b1,
    person,
    played_out,
    ready,
    records_of,
    tell,
    world,
)

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "functions" / "betimes"
STORIES = REPOSITORY / "tests" / "stories"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MAILBOXES = (
    "li",
    "refused",
    "busy",
    "hard",
    "soft",
    "complaint",
    "failed",
    "timeout-lost",
    "timeout-silent",
    "timeout-accepted",
    "crash",
)  # fmt: skip


def treated(line: Treatment) -> Policies:
    """Return the shipped policies with another default treatment."""
    return replace(POLICIES, treatment=line)


def from_file(name: str) -> Policies:
    """Return the policies with a treatment that stands beside a story."""
    path = STORIES / name
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return treated(treatment.parse(document, name, POLICIES.calendars))


def steps(*found: Step) -> Policies:
    """Return the policies with a treatment of these steps."""
    return treated(support.treatment(*found))


def decisions_of(here: World, borrower_id: str = "b1") -> list[Record]:
    """Return the decisions about a borrower, oldest first."""
    found = here.memory.of_borrower(TENANT, borrower_id)
    return [each for each in found if each.kind == record.DECISION]


def final(here: World, borrower_id: str = "b1") -> list[Record]:
    """Return the decisions that ended a step, oldest first: not that it waits."""
    return [each for each in decisions_of(here, borrower_id) if each.body["decision"] != "wait"]


def found_by(here: World, policies: Policies) -> Findings:
    """Return what the audit finds."""
    return report_of(here, policies).findings


# 1 to 8: reminding people who have paid, or whose money is under way


@pytest.mark.parametrize("heard_by", ["dispatch", "stream"])
@pytest.mark.parametrize(
    ("email", "phone", "channel"), [(EMAIL, "", "email"), ("", PHONE, "sms")], ids=["email", "sms"]
)
@pytest.mark.parametrize(
    "paid",
    [
        (money(paid_at=STEP_AT),),
        (money(paid_at=STEP_AT, obligation_id=""),),
        (money(paid_at=STEP_AT, credit=True),),
        (money("r1", 400, paid_at=STEP_AT), money("r2", 600, paid_at=STEP_AT, credit=True)),
        (money("r1", 1200, paid_at=STEP_AT),),
    ],
    ids=["repayment", "of the account", "credit note", "both", "too much"],
)
def test_reminder_sent_although_paid__nothing_goes_on_any_channel(
    paid: Sequence[AddRepayment], email: str, phone: str, channel: str, heard_by: str
) -> None:
    """Money lands after the contact is planned and before it is dispatched: no send, and one record that says paid."""
    here, contact_id = ready(email, phone)
    assert contact_of(here, contact_id).channel == channel
    here.clock.advance(STEP_AT + MINUTE)
    here.intake.take_in(TENANT, [of_b1(each) for each in paid], here.clock.now())
    if heard_by == "dispatch":
        assert here.dispatch.deliver(contact_id) is Dispatched.ENDED
    played_out(here)
    assert here.provider.asked == {}
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.CANCELLED, Reason.PAID)
    assert events_of(here, contact_id) == ["cancelled"]
    said = [r for r in records_of(here) if r.contact_id == contact_id and r.kind == record.EVENT]
    assert [r.body["reason"] for r in said] == ["paid"]
    assert {str(each.body["step"]) for each in decisions_of(here)} == {"D-3"}
    assert findings(here).all_kept


FRESH = from_file("freshness.toml")


def stale_world(fed_until: datetime | None) -> World:
    """Return a world whose treatment asks for repayments of the last 24 hours, with one bill due on 2026-03-09."""
    here = World(FRESH, TOLD_AT, shards=1)
    tell(here, person(), account(), bill())
    if fed_until is not None:
        here.clock.advance(fed_until)
        complete(here.stores, TENANT, fed_until, here.clock.now())
    return here


@pytest.mark.parametrize(
    ("fed_until", "now", "stale"),
    [
        ("2026-03-08 02:00", "2026-03-09 01:59", []),
        ("2026-03-08 02:00", "2026-03-09 02:00", [TENANT]),
        (None, "2026-03-02 02:00", [TENANT]),
    ],
    ids=["fresh to the last minute", "a day old", "never told"],
)
def test_reconcile_first_or_you_remind_payers__operations_are_told(
    fed_until: str | None, now: str, stale: list[str]
) -> None:
    """The close of the day names each lender whose newest repayment data are older than was agreed."""
    here = stale_world(utc(fed_until) if fed_until else None)
    assert close_day(here.memory, FRESH, shards=1, now=utc(now)).stale_feeds == stale
    # Where nothing was agreed, nothing is asked.
    assert close_day(here.memory, POLICIES, shards=1, now=utc(now)).stale_feeds == []


def test_reconcile_first_or_you_remind_payers__never_told_is_not_fresh() -> None:
    """A lender who has agreed to tell and never did: what comes before the due date goes, no demand does."""
    here = played_out(stale_world(None))
    assert [contact_of(here, a.letter.contact_id).step for a in here.provider.accepted] == ["T-1"]
    assert [(r.body["step"], r.body["reason"]) for r in final(here)] == [
        ("T-1", "due"),
        ("T+1", "stale_feed"),
        ("T+3", "stale_feed"),
    ]
    assert found_by(here, FRESH).all_kept


def crowd(policies: Policies = POLICIES) -> World:
    """Return a world of one borrower for each way a provider may answer, every third of whom pays a part on the way."""
    here = World(policies, TOLD_AT, shards=1)
    for n, mailbox in enumerate(MAILBOXES):
        who = f"b{n}"
        tell(here, person(f"{mailbox}@borrowers.example"), borrower_id=who)
        tell(here, account(f"a{n}"), bill(f"o{n}", account_id=f"a{n}"), borrower_id=who)
    here.run_until(utc("2026-03-07 00:00"))
    for n in range(0, len(MAILBOXES), 3):
        paid = money("r1", 250, obligation_id=f"o{n}", account_id=f"a{n}", paid_at=TOLD_AT)
        tell(here, paid, borrower_id=f"b{n}")
    return played_out(here)


def test_a_reminder_that_no_record_explains__every_send_has_its_decision() -> None:
    """Whatever the provider answers: before each accepted message stand the decision to send it, which saw money owed,
    and the claim with the very text; and the amount in the text is what was owed then.
    """
    here = crowd()
    assert len(here.provider.accepted) > 40
    amounts = set()
    for arrived in here.provider.accepted:
        contact = contact_of(here, arrived.letter.contact_id)
        of_contact = [
            r for r in here.memory.of_borrower(TENANT, contact.borrower_id) if r.contact_id == contact.id
        ]  # fmt: skip
        [decided] = [r for r in of_contact if r.kind == record.DECISION]
        assert (decided.body["decision"], decided.at <= arrived.at) == ("send", True)
        assert int(str(decided.body["outstanding_minor"])) in (750, 1000)
        assert decided.body["step"] == contact.step
        claims = [r for r in of_contact if r.body.get("event") == "claimed"]
        claim = claims[arrived.letter.attempt - 1]
        assert claim.at <= arrived.at
        assert claim.body["text_sha256"] == arrived.letter.text.sha256
        part_paid = int(contact.borrower_id[1:]) % 3 == 0 and arrived.at > utc("2026-03-07 00:00")
        amount = "7.50" if part_paid else "10.00"
        assert f"{amount}元" in arrived.letter.text.body
        amounts.add(amount)
    assert amounts == {"7.50", "10.00"}
    assert findings(here).all_kept


def test_a_reminder_that_no_record_explains__nothing_else_can_send() -> None:
    """One place in the source makes contacts, and it appends the decision in the same transaction; one makes letters,
    behind the claim; and one hands them to a provider.
    """
    made: dict[str, list[str]] = {"CreateContact": [], "Letter": [], "send": []}
    for folder in ("core", "flows", "handlers"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    for name in _called(function):
                        if name in made:
                            made[name].append(f"{path.stem}.{function.name}")
    assert made["CreateContact"] == ["sweep.changes_of"]
    assert made["Letter"] == ["dispatch._claim"]
    # The others are messages to our own queues; one hands on to the sender that it stands around.
    sends = [each for each in made["send"] if not each.startswith("on_")]
    assert sends == ["dispatch._send", "endpoints.send"]


def _called(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


class Cancelled(Interrupted):
    """The stores of a world in which no transaction goes through."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, -1, lambda: None)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `ports.Store`."""
        self.step()
        raise Stale(tuple(range(len(changes))))


def test_sent_before_the_transaction_failed__a_cancelled_write_leaves_nothing() -> None:
    """Of a look: neither contact nor record nor anything on the way to a provider. Of a claim: no call. Of what was
    told: no bill. And what was not written is done by whoever comes next, once.
    """
    here = world()
    here.clock.advance(STEP_AT)
    before = here.memory.pages(TENANT, "b1")
    swept = sweep(Cancelled(here.memory).stores, POLICIES, 0, now=STEP_AT, limit=10)
    assert (swept.looks, swept.left, swept.contacts) == (1, 1, 0)
    assert here.memory.all_contacts() == []
    assert list(records_of(here)) == []
    assert not here.memory.ready
    assert here.memory.pages(TENANT, "b1") == before

    sweep(here.stores, POLICIES, 0, now=STEP_AT, limit=10)
    [contact] = here.memory.all_contacts()
    broken = dispatch_with(here, Cancelled(here.memory))
    assert broken.deliver(contact.id) is Dispatched.CONTESTED
    assert here.provider.asked == {}
    assert contact_of(here, contact.id) == contact

    with pytest.raises(Unavailable):
        Intake(Cancelled(here.memory).stores, POLICIES, 1).take_in(
            TENANT, [of_b1(bill("o2", seq=2))], STEP_AT
        )
    assert "o2" not in here.memory.pages(TENANT, "b1").obligations

    here.settle()
    assert len(here.provider.accepted) == 1
    assert findings(here).all_kept


# 9 to 16: duplicates and floods


@pytest.mark.parametrize(
    ("mailbox", "accepted"),
    [("li", 1), ("busy", 1), ("refused", 0), ("timeout-lost", 1), ("timeout-silent", 0), ("crash", 1)],
)  # fmt: skip
def test_duplicate_on_every_cron_run__480_sweeps_one_contact(mailbox: str, accepted: int) -> None:
    """A sweep every three minutes of the day on which one look comes due: one contact, one decision to send it."""
    here = world(f"{mailbox}@borrowers.example")
    looks = contacts = 0
    for n in range(480):
        here.clock.advance(utc("2026-03-05 16:00") + n * timedelta(minutes=3))
        swept = here.tick()
        looks += sum(each.looks for each in swept)
        contacts += sum(each.contacts for each in swept)
    assert here.clock.now() == utc("2026-03-06 15:57")
    assert (contacts, len(here.memory.all_contacts())) == (1, 1)
    assert [r.body["decision"] for r in decisions_of(here)] == ["send"]
    assert len(here.provider.accepted) == accepted
    assert looks < 10
    assert found_by(here, POLICIES).duplicates == ()


class AcceptsAndFails:
    """A provider that takes every message, answers with an error, and never says anything again."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def send(self, letter: Letter) -> Answer:
        """See `ports.Sender`."""
        self._provider.accepted.append(Arrived(letter, self._provider.clock.now()))
        return Unknown("HTTP 500")


@pytest.mark.parametrize(
    ("message_class", "sent"),
    [(MessageClass.COURTESY, 2), (MessageClass.OVERDUE, 1), (MessageClass.STATUTORY, 2)],
)
def test_22_second_reminders_in_a_day__unknown_is_recorded_and_bounded(
    message_class: MessageClass, sent: int
) -> None:
    """The provider answers an error after accepting: that nobody knows is on record, in plain sight, and there is a
    second message only where the class of the message allows one.
    """
    policies = steps(support.step(message_class=message_class, offset_days=1))
    here = World(policies, TOLD_AT, shards=1)
    sender = AcceptsAndFails(here.provider)
    here.dispatch = replace(here.dispatch, senders=dict.fromkeys(CHANNELS, sender))
    tell(here, person(), account(), bill())
    played_out(here)
    [contact] = here.memory.all_contacts()
    assert (contact.state, contact.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
    assert len(here.provider.accepted) == sent == contact.attempt
    again = ["tried_again", "claimed", "timed_out"] if sent == 2 else []
    assert events_of(here) == ["claimed", "timed_out", *again, "held"]
    reasons = [r.body["reason"] for r in records_of(here) if r.body.get("event") == "timed_out"]
    assert reasons == ["provider_timeout"] * sent
    assert found_by(here, policies).all_kept


def test_hourly_repeats__of_two_sweeps_one_loses_and_says_so() -> None:
    """The sweep overlaps itself: whenever the second one runs between two steps of the first, one of them makes the
    contact, and the other says that it made none.
    """
    lost = 0
    for at in count():
        here = world()
        here.clock.advance(STEP_AT)
        other: list[Swept] = []

        def second(here: World = here, other: list[Swept] = other) -> None:
            other.append(sweep(here.stores, POLICIES, 0, now=STEP_AT, limit=10))

        stores = Interrupted(here.memory, at, second)
        first = sweep(stores.stores, POLICIES, 0, now=STEP_AT, limit=10)
        if not stores.happened:
            break
        made = [first.contacts, other[0].contacts]
        assert sorted(made) == [0, 1]
        loser = first if first.contacts == 0 else other[0]
        assert (loser.contacts, dict(loser.decisions)) == (0, {})
        lost += first.contacts == 0 and first.looks == 1
        assert len(here.memory.all_contacts()) == 1
        assert len(decisions_of(here)) == 1
        here.settle()
        assert len(here.provider.accepted) == 1
        assert findings(here).all_kept
    assert lost >= 2, "the first one lost its claim, and before that its look"


def test_late_fee_every_hour__24_closes_of_one_day_are_one() -> None:
    """The day is closed every hour of one date: the same ageing each time, the same late interest, and nothing that is
    stored has changed.
    """
    here = World(POLICIES, TOLD_AT, shards=1)
    loan = account(product="jiebei_like", daily_rate=Decimal("0.0004"))
    tell(here, person(), loan, bill(principal_minor=100_000, amount_minor=100_000))
    here.run_until(utc("2026-04-19 16:00"))
    pages, records = here.memory.pages(TENANT, "b1"), list(records_of(here))
    results = []
    for hour in range(24):
        now = utc("2026-04-19 16:00") + hour * HOUR
        assert zones.local_date(now, "Asia/Shanghai") == date(2026, 4, 20)
        assert reroll_all(here.stores, POLICIES, shards=1, now=now) == []
        results.append(replace_at(close_day(here.memory, POLICIES, shards=1, now=now)))
    assert results == [results[0]] * 24
    [aged] = results[0].aged
    assert (aged.dpd, aged.bucket) == (42, "M2")
    # 41 days at 0.0006 of 1,000.00: 24.60.
    assert results[0].outstanding_minor == {"CNY M2": 102_460}
    assert here.memory.pages(TENANT, "b1") == pages
    assert list(records_of(here)) == records


def replace_at(closed: DayClosed) -> DayClosed:
    """Return the report without the instant of its run."""
    return replace(closed, at=TOLD_AT)


@pytest.mark.parametrize("mandate", ["", "8821"], ids=["pays himself", "is debited"])
@pytest.mark.parametrize("name", sorted(POLICIES.treatments))
def test_a_reminder_every_day_for_ever__every_treatment_ends(name: str, mandate: str) -> None:
    """Nobody ever pays, and where there is a mandate a debit fails every day for four months: there is a last contact,
    and no more contacts than the treatment has steps.
    """
    policies = treated(POLICIES.treatments[name])
    here = World(policies, TOLD_AT, shards=1)
    of_product = name if name in POLICIES.profiles else "card"
    tell(here, person(), account(product=of_product, mandate=mandate), bill())
    for n in range(120 if mandate else 0):
        here.run_until(utc("2026-03-09 04:00") + n * DAY)
        tell(here, failed_debit(f"f{n}", here.clock.now()))
    played_out(here, "2028-01-01 00:00")
    accepted = here.provider.accepted
    steps = len(policies.treatment.steps)
    assert min(6, steps) <= len(accepted) <= steps
    assert accepted[-1].at < utc("2026-03-09 00:00") + 31 * DAY
    assert bill_of(here).watch.look_at == agenda.NEVER
    assert found_by(here, policies).all_kept


def failed_debit(flight_id: str, at: datetime, reason: str = "insufficient_funds") -> PutFlight:
    """Return a debit of the whole bill that failed."""
    return PutFlight(
        flight_id, "a1", "o1", Means.DEBIT, 1000, FlightState.FAILED, at, at + HOUR, reason
    )


def test_a_reminder_every_day_for_ever__a_complaint_ends_it_and_names_the_contact() -> None:
    """The contact point is blocked at once, every step behind it says so, and the complaint is on record with the
    contact it was about.
    """
    here = played_out(world("complaint@borrowers.example"))
    [arrived] = here.provider.accepted
    [complaint] = [r for r in records_of(here) if r.body.get("event") == "complained"]
    assert complaint.contact_id == arrived.letter.contact_id
    head = here.memory.pages(TENANT, "b1").head
    assert head is not None
    assert [point.state for point in head.contact_points] == [PointState.COMPLAINED]
    assert {r.body["reason"] for r in final(here)[1:]} == {"contact_point_suppressed"}
    assert len(final(here)) == 8


IMPORTED = 2_000


def test_an_import_mails_every_old_debt__silence_until_an_entry_is_chosen() -> None:
    """Two thousand debts come in that are overdue for up to two months: nothing goes out, and every step that came
    due says why. Then an entry is chosen for the segment that is less than ten days late: from that day on these get
    the steps that are still to come, and nobody else gets anything.
    """
    here = World(POLICIES, TOLD_AT)
    told_on = zones.local_date(TOLD_AT, "Asia/Shanghai")
    late = {f"b{n}": 1 + n % 60 for n in range(IMPORTED)}
    for who, days in late.items():
        overdue = bill(
            f"o-{who}",
            account_id=f"a-{who}",
            issued_at=TOLD_AT - 90 * DAY,
            due_on=told_on - days * DAY,
        )
        answers = here.intake.take_in(
            TENANT,
            [
                of_b1(each, borrower_id=who)
                for each in (person(), account(f"a-{who}", product="huabei_like"), overdue)
            ],
            TOLD_AT,
        )
        assert set(answers) == {"stored"}
    here.settle()
    here.run_until(TOLD_AT + 2 * DAY)
    assert here.provider.asked == {}
    reasons = Counter(r.body["reason"] for who in late for r in decisions_of(here, who))
    assert set(reasons) == {"awaiting_entry"}
    assert reasons["awaiting_entry"] > IMPORTED

    chosen = {who for who, days in late.items() if days < 10}
    entry_on = told_on + 3 * DAY
    for who in sorted(chosen):
        tell(here, ChooseEntry(f"o-{who}", entry_on), borrower_id=who)
    here.run_until(TOLD_AT + 60 * DAY)
    got = Counter(
        contact_of(here, arrived.letter.contact_id).borrower_id
        for arrived in here.provider.accepted
    )
    assert set(got) == chosen
    first = min(zones.local_date(a.at, "Asia/Shanghai") for a in here.provider.accepted)
    assert first >= entry_on
    # What is still to come of T+3, T+7, T+15 and T+30 on that day and after it.
    for who, contacts in got.items():
        assert contacts == sum(offset - late[who] >= 3 for offset in (3, 7, 15, 30)), who
    assert found_by(here, POLICIES).all_kept


def test_mail_goes_out_in_test_mode__the_lab_has_no_real_sender() -> None:
    """The lab, in which stories, dry runs and demos play, knows the pretend provider and nothing else: in a fresh
    interpreter no module of it loads an AWS client or an adapter that sends, and a channel it does not pretend to have
    is an error, not a setting.
    """
    here = world()
    assert set(here.dispatch.senders) == set(CHANNELS)
    assert all(sender is here.provider for sender in here.dispatch.senders.values())
    modules = sorted(path.stem for path in (PACKAGE / "lab").glob("*.py"))
    program = (
        f"import sys, {', '.join('betimes.lab.' + name for name in modules if name != '__init__')}\n"
        "real = ('boto3', 'botocore', 'betimes.adapters.ses', 'betimes.adapters.sms', 'betimes.wiring', 'smtplib')\n"
        "print(*[name for name in real if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": "functions"},
    )  # fmt: skip
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


# 17 to 23: lost reminders


def lost_look(here: World) -> None:
    """Put the look of the bill where no sweep will find it in time."""
    move_look(here, agenda.NEVER)


def later_look(here: World) -> None:
    """Put the look of the bill behind its next step."""
    move_look(here, utc("2026-03-08 02:00"))


def no_look(here: World) -> None:
    """Take the bill off the agenda."""
    move_look(here, None)


def move_look(here: World, at: datetime | None) -> None:
    """Move a look behind the back of the flows."""
    before = bill_of(here)
    watch = replace(before.watch, look_at=at, seq=before.watch.seq + 1)
    moved = replace(before, watch=watch)
    here.memory.commit([SaveObligation(TENANT, "b1", moved, before.version, before.watch.seq)])


@pytest.mark.parametrize("gap", [lost_look, later_look, no_look])
def test_reminders_do_not_fire__an_injected_gap_is_found_the_same_day(
    gap: Callable[[World], None],
) -> None:
    """A look is lost before its step comes due: the close of that day names the bill, hours before the step is missed.
    Once it is, the step is named too. A day without a gap names nothing.
    """
    here = world()
    tell(here, bill("o2", seq=2))  # on the agenda, so that the walk meets the borrower
    gap(here)
    here.run_until(STEP_AT)
    night = utc("2026-03-06 15:30")
    closed = close_day(here.memory, POLICIES, shards=1, now=night)
    assert closed.stranded == ["o1"]
    assert closed.undecided == []
    after = close_day(here.memory, POLICIES, shards=1, now=utc("2026-03-07 03:00"))
    assert after.undecided == ["o1:D-3"]
    assert found_by(here, POLICIES).undecided == ("o1:D-3",)


def test_reminders_do_not_fire__what_waits_is_no_gap() -> None:
    """A month closed every hour, with a hold, nights, a transfer under way and old repayments: nothing is named."""
    here = World(FRESH, TOLD_AT, shards=1)
    tell(here, person(), account(), bill(), bill("o2", seq=2, due_on=date(2026, 3, 12)))
    tell(here, PutHold("h1", Kind.DISPUTE, TOLD_AT, utc("2026-03-08 15:00"), obligation_id="o1"))
    for hour in range(24 * 30):
        now = TOLD_AT + hour * HOUR
        here.run_until(now)
        if hour == 24 * 9:
            pending = PutFlight(
                "f1", "a1", "o2", Means.TRANSFER, 500, FlightState.PENDING, now, now + 8 * HOUR
            )
            tell(here, pending)
        if hour == 24 * 12 + 5:
            complete(here.stores, TENANT, now, now)
        closed = close_day(here.memory, FRESH, shards=1, now=now)
        assert (closed.stranded, closed.undecided) == ([], []), now
    assert {r.body["reason"] for r in decisions_of(here)} == {
        "due",
        "hold_dispute",
        "quiet_hours",
        "money_in_flight",
        "stale_feed",
    }


FOUR = steps(
    support.step("T-7", offset_days=-7),
    support.step("T-3", offset_days=-3),
    support.step("T-1", offset_days=-1),
    support.step("T0", offset_days=0, catch_up=timedelta(hours=12)),
)


def four_worlds() -> Iterator[tuple[str, Sequence[Command]]]:
    """Yield what may be told of a borrower and lead to any answer at all."""
    for mailbox in MAILBOXES:
        yield mailbox, (person(f"{mailbox}@borrowers.example"),)
    unconfirmed = ContactPoint("email", EMAIL, PointState.UNCONFIRMED)
    yield "nowhere", (person(""),)
    yield "unconfirmed", (person(contact_points=(unconfirmed,)),)
    yield "no hour in common", (person(zone_evidence=("Asia/Shanghai", "America/New_York")),)
    yield "disputed", (person(), PutHold("h1", Kind.DISPUTE, TOLD_AT))
    yield "opted out", (person(), PutHold("h1", Kind.OPT_OUT, TOLD_AT))


@pytest.mark.parametrize(
    "told", [told for _, told in four_worlds()], ids=[n for n, _ in four_worlds()]
)
@pytest.mark.parametrize("down", [False, True], ids=["up", "down for three days"])
def test_before_due_reminders_never_fire__four_steps_four_records(
    told: Sequence[Command], down: bool
) -> None:
    """At T-7, T-3, T-1 and T0: four decisions in this order, whatever the answer is, and each with a reason."""
    here = World(FOUR, TOLD_AT, shards=1)
    tell(here, *told, account(), bill(issued_at=TOLD_AT - 9 * DAY))
    if down:
        here.clock.advance(TOLD_AT + 6 * DAY)
    played_out(here)
    assert [r.body["step"] for r in final(here)] == ["T-7", "T-3", "T-1", "T0"]
    assert all(r.body["reason"] in set(Reason) for r in final(here))
    assert found_by(here, FOUR).all_kept


class Watching(Memory):
    """Stores that ask after each write whether every open bill it touched is planned for its next step."""

    def __init__(self, policies: Policies) -> None:
        super().__init__()
        self._policies = policies
        self.seen = 0

    def commit(self, changes: Sequence[Change]) -> None:
        """See `ports.Store`."""
        super().commit(changes)
        for change in changes:
            if isinstance(change, SaveObligation) and change.obligation.is_open:
                self._check(change.borrower_id, change.obligation)

    def _check(self, borrower_id: str, obligation: Obligation) -> None:
        snapshot = self.pages(TENANT, borrower_id).snapshot(obligation.id, self._policies.profiles)
        coming = agenda.next_step(snapshot, self._policies.treatment)
        look_at = obligation.watch.look_at
        assert look_at is not None
        if coming is not None:
            self.seen += 1
            assert look_at <= max(coming.at, coming.deadline), (coming.key, look_at)


@pytest.mark.parametrize("mailbox", MAILBOXES)
def test_endless_reminders_stop__no_write_leaves_a_step_unplanned(mailbox: str) -> None:
    """A step repeats eight times: after every single write the bill stands on the agenda for its successor, so no crash
    between two writes can end the series.
    """
    policies = from_file("pains/21_again_and_again.toml")
    here = World(policies, TOLD_AT, shards=1)
    here.memory = memory = Watching(policies)
    here.stores = Stores(memory, memory, memory, memory)
    here.intake = Intake(here.stores, policies, 1)
    here.dispatch = replace(here.dispatch, stores=here.stores)
    tell(here, person(f"{mailbox}@borrowers.example"), account(), bill())
    played_out(here)
    assert memory.seen > 9
    names = ["T-1", "T+7", *(f"T+7.{n}" for n in range(2, 9))]
    assert [r.body["step"] for r in final(here)] == names
    assert bill_of(here).watch.look_at == agenda.NEVER


LOST_DAY = from_file("pains/17_lost_day.toml")
MISSED = {
    "suppress:catch_up_exceeded",
    "suppress:merged_into_next",
    "suppress:planned_after_window",
}


@pytest.mark.parametrize("hours", [1, 7, 24, 31, 80])
def test_skipped_fires_without_a_trace__as_many_records_as_missed_looks(hours: int) -> None:
    """After an outage of any length the policy of each step decides: what the sweep reports as missed is what stands in
    the ledger, and is what the calendar says was missed.
    """
    here = World(LOST_DAY, TOLD_AT)
    down, up = utc("2026-03-09 01:00"), utc("2026-03-09 01:00") + hours * HOUR
    for n in range(60):
        due_on = date(2026, 3, 8) + timedelta(days=n % 9)
        tell(here, person(), borrower_id=f"b{n}")
        tell(here, account(f"a{n}"), bill(f"o{n}", account_id=f"a{n}", due_on=due_on), borrower_id=f"b{n}")  # fmt: skip
    here.run_until(down)
    here.clock.advance(up)
    tallies = Counter[str]()
    for swept in here.tick():
        tallies += swept.decisions
    reported = sum(number for word, number in tallies.items() if word in MISSED)
    recorded = [
        r
        for n in range(60)
        for r in decisions_of(here, f"b{n}")
        if r.at == up and f"suppress:{r.body['reason']}" in MISSED
    ]
    expected = [
        planned.key
        for n in range(60)
        for planned in agenda.plan(snapshot_of(here, n), LOST_DAY.treatment)
        if down < planned.at and planned.deadline <= up
    ]
    assert reported == len(recorded) == len(expected)
    assert (reported > 0) is (hours > 1)
    for written in recorded:
        late = LOST_DAY.treatment.step(str(written.body["step"])).late
        if late is treatment.Late.MISS:
            assert written.body["reason"] == "catch_up_exceeded"
    played_out(here)
    assert found_by(here, LOST_DAY).all_kept


def snapshot_of(here: World, n: int) -> Snapshot:
    """Return what a decision sees of the bill number n."""
    return here.memory.pages(TENANT, f"b{n}").snapshot(f"o{n}", POLICIES.profiles)


# Ordinary days, days with a gap and days with a fold: in Cairo and São Paulo at midnight, in Apia a whole day.
# Opening and closing by the packs, as their reader would write them down.
HOURS = {
    "CN": (time(8), time(22)),
    "US": (time(8), time(21)),
    "HOUSE": (time(9), time(20)),
}
CLOCKS = [
    ("Asia/Shanghai", "CN", date(2026, 3, 6)),
    ("America/New_York", "US", date(2026, 3, 8)),
    ("America/New_York", "US", date(2026, 11, 1)),
    ("Africa/Cairo", "HOUSE", date(2026, 4, 24)),
    ("Africa/Cairo", "HOUSE", date(2026, 10, 30)),
    ("America/Sao_Paulo", "HOUSE", date(2018, 11, 4)),
    ("America/Sao_Paulo", "HOUSE", date(2018, 2, 18)),
    ("Australia/Lord_Howe", "HOUSE", date(2026, 10, 4)),
    ("Australia/Lord_Howe", "HOUSE", date(2026, 4, 5)),
    ("Pacific/Apia", "HOUSE", date(2011, 12, 29)),
]


# Every half hour, and the last minutes before a window opens or closes.
TIMES = [
    *(time(half // 2, 30 * (half % 2)) for half in range(48)),
    *(time(hour, minute) for hour in (7, 8, 19, 20, 21) for minute in (58, 59)),
]


@pytest.mark.parametrize(("zone", "jurisdiction", "on"), CLOCKS)
def test_window_arithmetic_drops_reminders__none_falls_between_two_windows(
    zone: str, jurisdiction: str, on: date
) -> None:
    """A step at any time of a day, also a day on which the clock jumps: each goes once, at the first lawful
    minute from its instant on, as counted minute by minute on the borrower's own clock.
    """
    window = HOURS[jurisdiction]
    local = ZoneInfo(zone)
    start = zones.instant(on - 4 * DAY, time.min, zone)
    for send_at in TIMES:
        # A day after the due date: what speaks of a day to come is not said once it is over.
        overdue = MessageClass.OVERDUE
        policies = steps(
            support.step(offset_days=1, send_at=send_at, catch_up=2 * DAY, message_class=overdue)
        )
        here = World(policies, start, shards=1)
        tell(here, person(zone=zone, jurisdiction=jurisdiction), account())
        tell(here, bill(issued_at=start, due_on=on - DAY))
        [planned] = agenda.plan(here.memory.pages(TENANT, "b1").snapshot("o1"), policies.treatment)
        lawful = planned.at
        # The last ninety seconds count as closed: a message must have left before the window ends.
        while not _open(lawful, local, window) or not _open(
            lawful + timedelta(seconds=89), local, window
        ):
            lawful += MINUTE
        played_out(here, str((start + 12 * DAY).replace(tzinfo=None)))
        [arrived] = here.provider.accepted
        assert arrived.at == lawful, send_at
        assert [r.body["decision"] for r in final(here)] == ["send"]
        assert found_by(here, policies).all_kept


def _open(at: datetime, local: ZoneInfo, window: tuple[time, time]) -> bool:
    opens, closes = window
    return opens <= at.astimezone(local).time() < closes


# D1 to D10: defects in the code of other systems


DEBIT_REASONS = (
    "insufficient_funds",
    "account_closed",
    "mandate_revoked",
    "limit_exceeded",
    "bank_down",
)


@pytest.mark.parametrize("reason", DEBIT_REASONS)
def test_every_failed_debit_is_called_one_thing__the_reason_reaches_the_decision(
    reason: str,
) -> None:
    """A step for want of money and one for an account that is gone: each failure leads to its own step, by the word the
    provider gave, and to no other.
    """
    at_once = {"offset_days": 0, "send_at": None, "anchor": treatment.Anchor.DEBIT_FAILED}
    lacks = treatment.Conditions(debit_reasons=("insufficient_funds", "limit_exceeded"))
    gone = treatment.Conditions(debit_reasons=("account_closed", "mandate_revoked"))
    policies = steps(
        support.step("funds", when=lacks, template="debit_failed", **at_once),
        support.step("account", when=gone, template="overdue_help", **at_once),
    )
    here = World(policies, TOLD_AT, shards=1)
    tell(here, person(), account(mandate="8821"), bill())
    here.clock.advance(utc("2026-03-09 04:00"))
    # Another one before it, for another reason: what counts is the last word.
    other = "account_closed" if reason in lacks.debit_reasons else "insufficient_funds"
    tell(here, failed_debit("f0", here.clock.now() - 2 * HOUR, other))
    tell(here, failed_debit("f1", here.clock.now(), reason))
    seen = here.memory.pages(TENANT, "b1").snapshot("o1")
    assert [flight.reason for flight in seen.flights] == [other, reason]
    played_out(here)
    said = {r.body["step"]: (r.body["decision"], r.body["reason"]) for r in final(here)}
    sent, unsent = ("send", "due"), ("suppress", "condition_not_met")
    assert said == {
        "funds~2026-03-09": sent if reason in lacks.debit_reasons else unsent,
        "account~2026-03-09": sent if reason in gone.debit_reasons else unsent,
    }
    assert found_by(here, policies).all_kept


@pytest.mark.parametrize("name", sorted(POLICIES.treatments))
def test_a_configured_step_that_never_sends__every_shipped_step_does(name: str) -> None:
    """Of every shipped treatment each step reaches somebody: who never pays, who is debited in vain, or who breaks a
    promise.
    """
    policies = treated(POLICIES.treatments[name])
    of_product = name if name in POLICIES.profiles else "card"
    spoken: set[str] = set()
    for mandate, broken in (("", False), ("8821", False), ("", True)):
        here = World(policies, TOLD_AT, shards=1)
        tell(here, person(), account(product=of_product, mandate=mandate), bill())
        here.run_until(utc("2026-03-09 04:00"))
        if mandate:
            tell(here, failed_debit("f1", here.clock.now()))
        if broken:
            promise_on = date(2026, 3, 18)
            now = here.clock.now()
            tell(here, PutHold("h1", Kind.PROMISE, now, promise_minor=100, promise_on=promise_on))
        played_out(here)
        for arrived in here.provider.accepted:
            contact = contact_of(here, arrived.letter.contact_id)
            spoken.add(policies.treatment.step(contact.step).name)
            assert "((" not in arrived.letter.text.body
    assert spoken == {step.name for step in policies.treatment.steps}


def _treatment(document: Mapping[str, Any], source: str) -> Treatment:
    return treatment.parse(document, source, POLICIES.calendars)


PARSERS: Mapping[str, Callable[[Mapping[str, Any], str], object]] = {
    "treatments/*": _treatment,
    "products/*": product.parse,
    "rules/*": pack.parse,
    "keywords": keywords.parse,
    "templates/*": message.parse,
    "calendars/*": workdays.parse,
    "buckets": ageing.parse_buckets,
    "prices": spend.parse,
    "gateways/*": gateway.parse,
    "calibration": calibration.parse,
}
PACKS = PACKAGE / "packs"


def test_dead_settings_are_accepted__every_pack_is_tried() -> None:
    """No folder of packs, and no file beside them, is left out of the test below."""
    shipped = {path.relative_to(PACKS) for path in PACKS.rglob("*.toml")}
    # What the rules are tried with, and no settings: tests/law refuses a word there that it does not know.
    shipped = {path for path in shipped if path.parent.name != "vectors"}
    # Written by `betimes check --sign` and compared with what is loaded (tests/adapters/test_proofs.py).
    shipped -= {Path("proofs.toml")}
    # Words of the e-mails' frames, and the frames compiled with them: tests/core/test_publish.py compiles them again.
    shipped = {path for path in shipped if path.parent.name != "mail"}
    # Words of the hosted pages: each is used, and there in every language (tests/pages/test_words.py).
    shipped = {path for path in shipped if path.parent.name != "pages"}
    tried = {path.relative_to(PACKS) for glob in PARSERS for path in PACKS.glob(f"{glob}.toml")}
    assert tried == shipped


def tables_in(document: Mapping[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every table in a document, the document itself first."""
    yield path
    for key, value in document.items():
        if isinstance(value, dict):
            yield from tables_in(value, (*path, key))
        elif isinstance(value, list):
            for n, each in enumerate(value):
                if isinstance(each, dict):
                    yield from tables_in(each, (*path, key, n))


@pytest.mark.parametrize("packs", sorted(PARSERS))
def test_dead_settings_are_accepted__an_unknown_key_is_refused_in_every_file(packs: str) -> None:
    """In every table of every shipped file: one key more, and the file is refused by name and key."""
    parse = PARSERS[packs]
    for path in sorted(PACKS.glob(f"{packs}.toml")):
        text = path.read_text(encoding="utf-8")
        parse(tomllib.loads(text), path.name)
        for table in tables_in(tomllib.loads(text)):
            document: Any = tomllib.loads(text)
            place = document
            for key in table:
                place = place[key]
            place["retired_setting"] = True
            with pytest.raises(Rejected) as refused:
                parse(document, path.name)
            assert path.name in refused.value.message
            assert "retired_setting" in refused.value.message


class Down(Interrupted):
    """The stores of a world that are out of reach from call number `at` on."""

    def __init__(self, memory: Memory, at: int) -> None:
        super().__init__(memory, at, self._fail)

    def step(self) -> None:
        """Count a call, and fail from the given one on."""
        self.calls += 1
        if self.calls - 1 >= self._at:
            self._fail()

    def _fail(self) -> None:
        raise Unavailable("the store is out of reach")


def test_a_failed_job_uses_up_an_attempt__failing_before_the_call_is_free() -> None:
    """The job fails before the provider is called, at each point in turn and five times over: no attempt is counted,
    and when all is well again the message goes as the first one.
    """
    here, contact_id = ready()
    points = 0
    for at in count():
        stores = Down(here.memory, at)
        dispatch = dispatch_with(here, stores)
        if stores_reach_the_claim(here, at):
            break
        points += 1
        for _ in range(5):
            stores.calls = 0
            with pytest.raises(Unavailable):
                dispatch.deliver(contact_id)
        contact = contact_of(here, contact_id)
        assert (contact.attempt, contact.unknowns, contact.state) == (0, 0, State.READY)
    assert points >= 3
    assert here.dispatch.deliver(contact_id) is Dispatched.ACCEPTED
    contact = contact_of(here, contact_id)
    assert (contact.attempt, contact.unknowns) == (1, 0)
    assert len(here.provider.accepted) == 1


def stores_reach_the_claim(here: World, calls: int) -> bool:
    """Return whether a dispatch has made its claim within so many calls to the stores; the world stays as it is."""
    seen: list[int] = []

    class Counting(Interrupted):
        def commit(self, changes: Sequence[Change]) -> None:
            seen.append(self.calls)
            raise Stale((0,))

    stores = Counting(here.memory, -1, lambda: None)
    dispatch_with(here, stores).deliver(here.memory.all_contacts()[0].id)
    return calls > seen[0]


@pytest.mark.parametrize("pending", [500, 1_100])
@pytest.mark.parametrize("limit", [70, 100_000])
def test_a_page_loop_over_a_set_it_changes__every_due_look_is_met(pending: int, limit: int) -> None:
    """More looks than a page, or a message, holds are due at one instant: each is decided, none is skipped because
    those before it have left the set.
    """
    here = World(POLICIES, TOLD_AT, shards=1)
    for n in range(pending):
        told = (person(), account(f"a{n}"), bill(f"o{n}", account_id=f"a{n}"))
        here.intake.take_in(TENANT, [of_b1(each, borrower_id=f"b{n}") for each in told], TOLD_AT)
    here.settle()
    here.clock.advance(STEP_AT)
    after, contacts = "", 0
    while True:
        swept = sweep(here.stores, POLICIES, 0, now=STEP_AT, limit=limit, after=after)
        contacts += swept.contacts
        if not swept.more:
            break
        after = swept.after
    assert contacts == len(here.memory.all_contacts()) == pending
    here.settle()
    assert len({arrived.letter.contact_id for arrived in here.provider.accepted}) == pending
    assert len(close_day(here.memory, POLICIES, shards=1, now=STEP_AT).stranded) == 0


# Days of March on which the second of two holds begins and ends; the first one lasts from the 10th to the 14th.
RELATIONS = {
    "before": (4, 8),
    "meets": (4, 10),
    "overlaps": (6, 12),
    "starts": (10, 12),
    "during": (11, 13),
    "finishes": (12, 14),
    "equals": (10, 14),
    "finished by": (8, 14),
    "contains": (6, 20),
    "started by": (10, 18),
    "overlapped by": (12, 18),
    "met by": (14, 18),
    "after": (16, 20),
}


@pytest.mark.parametrize("kinds", [(Kind.DISPUTE, Kind.DISPUTE), (Kind.COMPLAINT, Kind.MASS)])
@pytest.mark.parametrize("turned", [False, True], ids=["in order", "turned round"])
@pytest.mark.parametrize("relation", RELATIONS)
def test_a_pause_may_enclose_another__all_thirteen_relations(
    relation: str, turned: bool, kinds: tuple[Kind, Kind]
) -> None:
    """Both holds are accepted, in whatever order they are told; contact is stopped exactly while one of them is in
    force, and the step goes at the first instant at which neither is.
    """
    assert len(RELATIONS) == 13
    first, second = (10, 14), RELATIONS[relation]
    holds = [
        PutHold(f"h{n}", kind, noon(start), noon(end))
        for n, (kind, (start, end)) in enumerate(zip(kinds, (first, second), strict=True))
    ]
    for day in range(1, 22):
        policies = steps(
            support.step(offset_days=1, catch_up=30 * DAY, message_class=MessageClass.OVERDUE)
        )
        here = World(policies, TOLD_AT - 10 * DAY, shards=1)
        tell(here, person(), account())
        tell(here, bill(issued_at=here.clock.now(), due_on=date(2026, 3, day) - DAY))
        assert tell(here, *(reversed(holds) if turned else holds)) == ["stored", "stored"]
        played_out(here)
        # The step comes due at ten, two hours before noon.
        at = noon(day) - 2 * HOUR
        while stopped := [e for s, e in (first, second) if noon(s) <= at < noon(e)]:
            at = noon(max(stopped))
        [arrived] = here.provider.accepted
        assert arrived.at == at, (relation, day)
        assert found_by(here, policies).all_kept


def noon(day: int) -> datetime:
    """Return noon of a day of March 2026 in Shanghai."""
    return utc("2026-03-01 04:00") + (day - 1) * DAY
