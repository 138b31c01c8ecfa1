"""The list of addresses: what became of a message to one holds for everybody who has it, and until it is released."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from betimes.core import bounces
from betimes.core.borrower import PointState
from betimes.core.consent import Refusal, Switch
from betimes.core.contact import Event, State
from betimes.core.errors import Rejected
from betimes.core.feedback import ProviderEvent
from betimes.core.reason import Reason
from betimes.core.suppression import Listed, Scope, Why
from betimes.flows.addresses import AddressList
from betimes.flows.dispatch import Dispatched
from betimes.flows.feedback import hear
from betimes.lab.links import LocalBlind
from betimes.lab.memory import Memory
from betimes.lab.world import TENANT, World
from betimes.ports import Answer, Letter, Refused
from tests.core.support import POLICIES
from tests.flows.harness import (
    EMAIL,
    PHONE,
    STEP_AT,
    TOLD_AT,
    account,
    bill,
    chains_hold,
    contact_of,
    findings,
    person,
    swept,
    tell,
)

BLIND = LocalBlind()
INDEX = BLIND.index(TENANT, "email", EMAIL)


def world_of(*borrowers: str, phone: str = "") -> World:
    """Return a world in which these borrowers share one e-mail address and have a bill each."""
    here = World(POLICIES, TOLD_AT, shards=1, blind=BLIND)
    for each in borrowers:
        told = (
            person(EMAIL, phone),
            account(f"a-{each}"),
            bill(f"o-{each}", account_id=f"a-{each}"),
        )
        assert set(tell(here, *told, borrower_id=each)) == {"stored"}
    return here


def due_of(*borrowers: str, phone: str = "") -> tuple[World, dict[str, str]]:
    """Return such a world at the first step, and the contact of each borrower, which nobody has taken yet."""
    here = world_of(*borrowers, phone=phone)
    swept(here)
    found = {contact_of(here, each).borrower_id: each for each in here.memory.ready}
    here.memory.ready.clear()
    return here, found


def report(
    contact_id: str, event: Event, detail: str = "Permanent/General", at: int = 1
) -> ProviderEvent:
    """Return a report so many minutes after the step."""
    when = STEP_AT + timedelta(minutes=at)
    return ProviderEvent(contact_id, 1, event, when, f"{event}-{at}-{contact_id}", detail)


def listed(here: World) -> Listed:
    """Return what is known of the shared address."""
    return here.memory.listed(TENANT, INDEX, "email")


def point(here: World, borrower_id: str) -> PointState:
    """Return the state of a borrower's e-mail address."""
    head = here.memory.pages(TENANT, borrower_id).head
    assert head is not None
    found = head.point("email")
    assert found is not None
    return found.state


def kept_by(here: World) -> AddressList:
    """Return the list as lenders keep it."""
    return AddressList(here.stores, here.memory, BLIND)


def test_an_address_that_bounced_is_not_written_to_for_another_borrower() -> None:
    """The second contact ends unsent, its borrower's point is closed, and the step goes by the next channel."""
    here, contacts = due_of("b1", "b2", phone=PHONE)
    here.dispatch.deliver(contacts["b1"])
    here.provider.reports.clear()
    hear(here.stores, report(contacts["b1"], Event.BOUNCED_HARD))
    assert [(e.scope, e.why) for e in listed(here).standing] == [(Scope.ALL, Why.HARD_BOUNCE)]
    assert here.dispatch.deliver(contacts["b2"]) is Dispatched.ENDED
    ended = contact_of(here, contacts["b2"])
    assert (ended.state, ended.reason) == (State.SUPPRESSED, Reason.CONTACT_POINT_SUPPRESSED)
    assert point(here, "b2") is PointState.BOUNCED
    assert listed(here).borrowers == ("b1", "b2")
    here.run_until(STEP_AT + timedelta(minutes=30))
    others = [a.letter for a in here.provider.accepted if a.letter.contact_id != contacts["b1"]]
    [other] = [each for each in others if each.borrower_id == "b2" or each.address == PHONE][-1:]
    assert other.text.channel == "sms"
    assert chains_hold(here)
    assert not any(vars_of(findings(here)))


def vars_of(found: object) -> list[object]:
    """Return what an audit found, list by list."""
    return [getattr(found, name) for name in found.__dataclass_fields__]  # type: ignore[attr-defined]  # a dataclass


@pytest.mark.parametrize("step", range(8))
def test_a_bounce_between_reading_and_claiming_stops_the_claim(step: int) -> None:
    """Whenever the address is closed before the claim: the transaction holds only for what was read of it."""
    from tests.flows.harness import Interrupted

    here, contacts = due_of("b1", "b2")
    here.dispatch.deliver(contacts["b1"])
    here.provider.reports.clear()

    def closed() -> None:
        hear(here.stores, report(contacts["b1"], Event.BOUNCED_HARD))

    class Between(Interrupted):
        def listed(self, tenant: str, index: str, channel: str) -> Listed:
            self.step()
            return self._memory.listed(tenant, index, channel)

    stores = Between(here.memory, step, closed)
    both = replace(stores.stores, addresses=stores)  # type: ignore[arg-type]  # reads alone are asked of it
    claimed_before = len(here.provider.accepted)
    done = replace(here.dispatch, stores=both).deliver(contacts["b2"])
    sent = len(here.provider.accepted) > claimed_before
    assert done is (Dispatched.ACCEPTED if sent else Dispatched.ENDED)
    # Only where it closed after the claim, or not at all, has a message gone.
    assert sent is (not stores.happened or here.memory.get(contacts["b2"]).attempt == 1)  # type: ignore[union-attr]  # it exists
    if not sent:
        assert contact_of(here, contacts["b2"]).attempt == 0


def test_the_claim_checks_what_was_read_of_the_address() -> None:
    """A claim over an address that changed after the read is decided again, and does not go."""
    here, contacts = due_of("b1", "b2")
    here.dispatch.deliver(contacts["b1"])
    here.provider.reports.clear()

    class Lagging:
        """A list that is closed by somebody right after it was read for the first time."""

        def __init__(self, memory: Memory) -> None:
            self._memory, self.reads = memory, 0

        def listed(self, tenant: str, index: str, channel: str) -> Listed:
            found = self._memory.listed(tenant, index, channel)
            self.reads += 1
            if self.reads == 1:
                hear(here.stores, report(contacts["b1"], Event.BOUNCED_HARD))
            return found

    lagging = Lagging(here.memory)
    stores = replace(here.stores, addresses=lagging)  # type: ignore[arg-type]  # reads alone are asked of it
    before = len(here.provider.accepted)
    assert replace(here.dispatch, stores=stores).deliver(contacts["b2"]) is Dispatched.ENDED
    assert (len(here.provider.accepted), lagging.reads) == (before, 2)


def test_a_complaint_closes_reminders_and_leaves_other_borrowers_points_alone() -> None:
    """It is listed for reminders and marketing only; a point stands for everything and is not closed for it."""
    here, contacts = due_of("b1", "b2")
    here.dispatch.deliver(contacts["b1"])
    here.provider.reports.clear()
    hear(here.stores, report(contacts["b1"], Event.COMPLAINED))
    scopes = {entry.scope for entry in listed(here).standing}
    assert scopes == {Scope.REMINDER, Scope.MARKETING}
    assert here.dispatch.deliver(contacts["b2"]) is Dispatched.ENDED
    assert (point(here, "b1"), point(here, "b2")) == (PointState.COMPLAINED, PointState.ACTIVE)
    assert contact_of(here, contacts["b2"]).reason is Reason.CONTACT_POINT_SUPPRESSED


@pytest.mark.parametrize("by_refusal", [True, False])
def test_an_opt_out_is_what_the_person_said(by_refusal: bool) -> None:
    """Whether a report or the answer itself tells of it: point, address and the ledger of consents all know."""
    here, contacts = due_of("b1")

    class OptedOut:
        def send(self, letter: Letter) -> Answer:
            return Refused(bounces.OPTED_OUT, may_retry=False)

    if by_refusal:
        replace(here.dispatch, senders={"email": OptedOut()}).deliver(contacts["b1"])
    else:
        here.dispatch.deliver(contacts["b1"])
        here.provider.reports.clear()
        hear(here.stores, report(contacts["b1"], Event.FAILED, bounces.OPTED_OUT))
    said = here.memory.pages(TENANT, "b1").consents
    refusals = {each.switch for each in said if isinstance(each, Refusal)}
    assert refusals == {Switch.REMINDER, Switch.MARKETING}
    assert point(here, "b1") is PointState.OPTED_OUT
    assert [(e.scope, e.why) for e in listed(here).standing] == [(Scope.ALL, Why.OPT_OUT)]


def test_a_release_opens_the_points_that_were_closed_and_says_so_in_the_ledger() -> None:
    """For every borrower concerned; an older report that comes late closes nothing again."""
    here, contacts = due_of("b1", "b2")
    here.dispatch.deliver(contacts["b1"])
    here.provider.reports.clear()
    hear(here.stores, report(contacts["b1"], Event.BOUNCED_HARD))
    here.dispatch.deliver(contacts["b2"])
    at = STEP_AT + timedelta(hours=1)
    after = kept_by(here).release(TENANT, INDEX, "email", None, "ana", "moved back", at)
    assert (after.standing, after.borrowers) == ((), ())
    assert {point(here, each) for each in ("b1", "b2")} == {PointState.ACTIVE}
    for each in ("b1", "b2"):
        told = [r.body for r in here.memory.of_borrower(TENANT, each)][-1]
        assert (told["event"], told["by"], told["reason"]) == (
            "suppression_released",
            "ana",
            "moved back",
        )
        assert EMAIL not in str(told)
    late = replace(report(contacts["b1"], Event.BOUNCED_HARD), key="late")
    hear(here.stores, late)
    assert listed(here).standing == ()
    with pytest.raises(Rejected) as none:
        kept_by(here).release(TENANT, INDEX, "email", None, "ana", "again", at)
    assert none.value.code == "not_suppressed"


def test_what_a_lender_lists_is_not_written_to() -> None:
    """For the scope it names, with who and why; told again it is one entry, and nobody may stay unnamed."""
    here, contacts = due_of("b1")
    kept = kept_by(here)
    for _ in range(2):
        kept.add(TENANT, INDEX, "email", Scope.REMINDER, "ana", "a former tenant's", STEP_AT)
    assert [(e.why, e.by, e.note) for e in listed(here).entries] == [
        (Why.LENDER, "ana", "a former tenant's")
    ]
    assert here.dispatch.deliver(contacts["b1"]) is Dispatched.ENDED
    assert not here.provider.accepted
    assert point(here, "b1") is PointState.ACTIVE
    for by, because, field in (("", "x", "by"), ("ana", " ", "reason"), ("a\nb", "x", "by")):
        with pytest.raises(Rejected) as wrong:
            kept.add(TENANT, INDEX, "email", Scope.ALL, by, because, STEP_AT)
        assert (wrong.value.code, wrong.value.field) == ("bad_suppression", field)


def rested(here: World, contact_id: str, times: int = 5) -> None:
    """Let the shared address bounce softly so many times."""
    for n in range(times):
        hear(here.stores, report(contact_id, Event.BOUNCED_SOFT, "Transient/MailboxFull", at=n + 1))


@pytest.mark.parametrize(("phone", "reason"), [("", Reason.DUE), (PHONE, Reason.ADDRESS_RESTING)])
def test_after_five_soft_bounces_an_address_rests(phone: str, reason: Reason) -> None:
    """The next channel takes the step; where there is none, it waits or ends, and nothing is spent."""
    here, contacts = due_of("b1", "b2", phone=phone)
    here.dispatch.deliver(contacts["b1"])
    here.provider.reports.clear()
    rested(here, contacts["b1"], 4)
    assert listed(here).rests_until(STEP_AT) is None
    rested(here, contacts["b1"])
    assert listed(here).rests_until(STEP_AT + timedelta(hours=1)) is not None
    before = len(here.provider.accepted)
    here.dispatch.deliver(contacts["b2"])
    after = contact_of(here, contacts["b2"])
    assert after.attempt == 0 and after.reason in (reason, Reason.ADDRESS_RESTING)
    assert len(here.provider.accepted) == before
    assert point(here, "b2") is PointState.ACTIVE
    if phone:
        assert after.state is State.SUPPRESSED
        here.run_until(STEP_AT + timedelta(minutes=30))
        assert here.provider.accepted[-1].letter.text.channel == "sms"


def test_a_delivery_ends_the_count_and_reports_may_come_in_any_order() -> None:
    """The same is known of an address whatever order its reports come in."""
    seen = set()
    bounce = (Event.BOUNCED_SOFT, "Transient/MailboxFull")
    told = [(*bounce, 1), (*bounce, 3), (Event.BOUNCED_HARD, "Permanent/General", 4)]
    for order in permutations(told):
        found = Listed(TENANT, INDEX, "email")
        for event, detail, minute in order:
            found = found.heard(event, detail, STEP_AT + timedelta(minutes=minute), "c1")
        seen.add(found)
    assert len(seen) == 1
    [found] = seen
    delivered = found.heard(Event.DELIVERED, "", STEP_AT + timedelta(minutes=2), "c1")
    assert delivered.bounced_at == (STEP_AT + timedelta(minutes=3),)


def test_a_message_that_was_at_fault_says_nothing_of_the_address() -> None:
    """Too large, or spam: nothing is counted."""
    found = Listed(TENANT, INDEX, "email")
    at: datetime = STEP_AT
    assert found.heard(Event.BOUNCED_SOFT, "Transient/MessageTooLarge", at, "c1") is found


def test_an_index_is_blind() -> None:
    """Another one for each tenant and channel, the same however an address is spelt, and nothing of it shows."""
    spelt = {BLIND.index(TENANT, "email", each) for each in (EMAIL, EMAIL.upper(), f" {EMAIL} ")}
    assert spelt == {INDEX}
    others = {BLIND.index("other", "email", EMAIL), BLIND.index(TENANT, "sms", EMAIL)}
    assert INDEX not in others and len(others) == 2
    assert "li" not in INDEX.removeprefix("x_")
