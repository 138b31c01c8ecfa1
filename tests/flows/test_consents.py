"""Consents and refusals in the flows: what a person says reaches what was decided and has not gone yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from betimes.adapters.packs import keywords as shipped
from betimes.core.change import Change
from betimes.core.consent import Consent, Switch, stands
from betimes.core.contact import State
from betimes.core.decide import decide
from betimes.core.decision import Send
from betimes.core.errors import Rejected, Unavailable
from betimes.core.intake import Command
from betimes.core.keywords import read
from betimes.core.law import Effect
from betimes.core.permission import Wanted
from betimes.core.reason import Reason
from betimes.core.rule import ConsentForm, Purpose
from betimes.core.said import MAX_STATEMENTS, Act, Statement, TellConsents, TellReply
from betimes.core.treatment import MessageClass
from betimes.flows.dispatch import Dispatched
from betimes.flows.permission import may_contact
from betimes.lab.world import TENANT, World
from betimes.ports import Accepted
from tests.core.support import POLICIES
from tests.flows.harness import (
    EMAIL,
    STEP_AT,
    TOLD_AT,
    account,
    bill,
    chains_hold,
    contact_of,
    empty_world,
    of_b1,
    person,
    ready,
    records_of,
    swept,
    tell,
)
from tests.flows.test_dispatch import Provider, delivered

PHONE = "+8613800000000"


def refuses(channel: str, identity: str = "s1", **fields: Any) -> TellConsents:
    """Return the refusal of reminders by a channel."""
    return TellConsents((Statement(identity, Act.REFUSE, TOLD_AT, channel=channel, **fields),))


def answers(text: str) -> TellReply:
    """Return an answer by e-mail."""
    return TellReply("m1", "email", EMAIL, TOLD_AT, read(text, shipped()))


def test_what_was_decided_is_not_sent_once_it_is_refused() -> None:
    """The contact was ready; whoever claims it hears of the refusal, and the record names the rule."""
    here, contact_id = ready()
    tell(here, refuses("email"))
    provider = Provider([Accepted("p-1")])
    delivered(here, contact_id, provider)
    assert provider.letters == []
    ended = contact_of(here, contact_id)
    assert (ended.state, ended.reason) == (State.CANCELLED, Reason.FORBIDDEN_BY_RULE)
    rules = {rule for each in records_of(here) for rule in str(each.body.get("rule")).split(",")}
    assert {"HOUSE.STOP", "CN.PIPL.BASIS"} <= rules
    assert chains_hold(here)


def test_a_refusal_between_the_decision_and_the_claim_wins() -> None:
    """Told while dispatch has read and not yet written, it makes the claim fail."""
    here, contact_id = ready()
    commit, tried = here.memory.commit, list[int]()

    class Late:
        def commit(self, changes: Sequence[Change]) -> None:
            if not tried:
                tried.append(1)
                here.intake.take_in(TENANT, [of_b1(refuses("email"))], here.clock.now())
            commit(changes)

    stores = replace(here.dispatch.stores, store=Late())
    provider = Provider([Accepted("p-1")])
    dispatch = replace(here.dispatch, stores=stores, senders={"email": provider})
    assert dispatch.deliver(contact_id) is Dispatched.ENDED
    assert provider.letters == []


def test_the_next_channel_is_taken() -> None:
    """Refused on the channel that comes first, the step goes by the next one."""
    channels = list[str]()
    for refused in ("", "first"):
        here = empty_world()
        tell(here, person(EMAIL, PHONE), account())
        if refused:
            tell(here, refuses(channels[0]))
        tell(here, bill())
        swept(here)
        [contact] = here.memory.all_contacts()
        channels.append(contact.channel)
    assert sorted(channels) == ["email", "sms"]


def test_with_every_channel_refused_the_record_names_the_rule() -> None:
    """Nothing is sent, and why is on record."""
    here = empty_world()
    tell(here, person(EMAIL, PHONE), account(), refuses(""), bill())
    swept(here)
    assert here.memory.all_contacts() == []
    body = records_of(here)[-1].body
    assert (body["decision"], body["reason"]) == ("suppress", "forbidden_by_rule")
    assert body["rule"] == "CN.PIPL.BASIS,HOUSE.STOP"
    assert body["rule_status"] == "unverified,verified"


@pytest.mark.parametrize(("text", "goes"), [("STOP", False), ("why?", False), ("HELP", True)])
def test_an_answer_stops_what_comes_next(text: str, goes: bool) -> None:
    """A plain no, and what nobody has read yet; a request for help does not."""
    here, contact_id = ready()
    tell(here, answers(text))
    provider = Provider([Accepted("p-1")])
    delivered(here, contact_id, provider)
    assert bool(provider.letters) is goes


def test_marketing_refused_stops_no_reminder() -> None:
    """The switches never mix."""
    here, contact_id = ready()
    tell(here, refuses("email", switch=Switch.MARKETING))
    assert delivered(here, contact_id, Provider([Accepted("p")])) is Dispatched.ACCEPTED


def test_an_id_taken_twice_is_refused_and_stops_nothing_else() -> None:
    """The answer says so, and what was stored stands."""
    here, _ = ready()
    tell(here, refuses("email"))
    [answer] = tell(here, refuses("sms"))
    assert isinstance(answer, Rejected)
    assert answer.code == "duplicate_id"
    assert len(here.memory.pages(TENANT, "b1").consents) == 1


def test_nobody_can_refuse_a_statutory_notice() -> None:
    """It avoids a channel that was refused, and goes by the first one where all are."""
    here = empty_world()
    tell(here, person(EMAIL, PHONE), account(), bill())
    here.clock.advance(STEP_AT)
    treatment = POLICIES.treatment
    steps = tuple(
        replace(each, message_class=MessageClass.STATUTORY, channels=("sms", "email"))
        for each in treatment.steps
    )
    notices = replace(treatment, steps=steps)
    gone = []
    for refused in ("email", "sms"):
        tell(here, refuses(refused, f"s-{refused}"))
        snapshot = here.memory.pages(TENANT, "b1").snapshot("o1", POLICIES.profiles)
        decision = decide(snapshot, notices, POLICIES.rules, STEP_AT, step=steps[0].name)
        assert isinstance(decision, Send)
        gone.append(decision.channel)
    assert gone == ["sms", "sms"]
    only_sms = replace(snapshot, consents=snapshot.consents[1:])
    decision = decide(only_sms, notices, POLICIES.rules, STEP_AT, step=steps[0].name)
    assert isinstance(decision, Send)
    assert decision.channel == "email"


def grants(identities: Sequence[str]) -> TellConsents:
    """Return consents to reminders by e-mail."""
    return TellConsents(
        tuple(
            Statement(each, Act.GRANT, TOLD_AT, channel="email", evidence="call 7")
            for each in identities
        )
    )


def no_more(here: World) -> bool:
    """Return whether reminders by e-mail are closed and no consent to them is left."""
    pages = here.memory.pages(TENANT, "b1")
    ended = {each.id for each in pages.consents if isinstance(each, Consent) and each.revoked_at}
    given = {each.id for each in pages.consents if isinstance(each, Consent)}
    found = stands(pages.consents, Switch.REMINDER, "email", "", Purpose.OVERDUE, TOLD_AT)
    return ended == given and not found.allowed


@pytest.mark.parametrize("command", [answers("STOP"), refuses("email"), refuses("")])
def test_no_number_of_consents_outweighs_a_no(command: Command) -> None:
    """More than one transaction can end: the refusal stands, and they end behind it."""
    here = empty_world()
    tell(here, person(EMAIL, PHONE))
    for n in range(4):
        assert tell(here, grants([f"g{n}-{i}" for i in range(MAX_STATEMENTS)])) == ["stored"]
    assert tell(here, command) == ["stored"]
    assert no_more(here)
    assert tell(here, command) == ["unchanged"]


def test_a_refusal_is_stored_before_the_consents_end() -> None:
    """Where the worker dies after the first transaction, nothing goes out any more; told again, it is finished."""
    here = empty_world()
    tell(here, person(EMAIL, PHONE))
    tell(here, grants([f"g{n}" for n in range(20)]))
    commit, commits = here.memory.commit, list[int]()

    class Dies:
        def commit(self, changes: Sequence[Change]) -> None:
            if commits:
                raise Unavailable("the worker died")
            commits.append(len(changes))
            commit(changes)

    dying = replace(here.intake, stores=replace(here.intake.stores, store=Dies()))
    with pytest.raises(Unavailable):
        dying.take_in(TENANT, [of_b1(answers("STOP"))], here.clock.now())
    ledger = here.memory.pages(TENANT, "b1").consents
    assert not stands(ledger, Switch.REMINDER, "email", "", Purpose.OVERDUE, TOLD_AT).allowed
    assert not no_more(here)
    tell(here, answers("STOP"))
    assert no_more(here)


@pytest.mark.parametrize("act", [Act.GRANT, Act.REVOKE, Act.REFUSE])
def test_a_list_of_statements_as_long_as_may_be_is_stored(act: Act) -> None:
    """Of each act, also where each takes something back."""
    here = empty_world()
    tell(here, person(EMAIL, PHONE))
    names = [f"g{n}" for n in range(MAX_STATEMENTS)]
    assert tell(here, grants(names)) == ["stored"]
    identities = [f"x{each}" if act is Act.REFUSE else each for each in names]
    said = [Statement(each, act, TOLD_AT, channel="email") for each in identities]
    if act is not Act.GRANT:
        assert tell(here, TellConsents(tuple(said))) == ["stored"]
        assert no_more(here)


def test_a_mistake_beside_a_refusal_does_not_lose_it() -> None:
    """The list is rejected by name, and the refusal in it is obeyed; the rest waits for a right one."""
    here, contact_id = ready()
    wrong = Statement("g1", Act.GRANT, TOLD_AT, channel="sms")
    fine = replace(wrong, id="g2", evidence="call 7")
    statements = (fine, *refuses("email").statements, wrong)
    for _ in range(2):
        [answer] = tell(here, TellConsents(statements))
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.field) == ("bad_consent", "consents.2.evidence")
        assert "the refusals beside it are taken" in answer.message
        assert [each.id for each in here.memory.pages(TENANT, "b1").consents] == ["s1"]
    provider = Provider([Accepted("p-1")])
    delivered(here, contact_id, provider)
    assert provider.letters == []


WAYS = ("sms", "email", "call", "ai_call", "push", "inbox", "letter", "visit", "webhook")


@pytest.mark.parametrize("jurisdiction", ["CN", "US-MA", "GB", "DE", "IN", "HK", "BR-SP", "XX"])
def test_marketing_refused_stops_marketing_everywhere(jurisdiction: str) -> None:
    """By each channel, under each law, also where no law says so; reminders by it are none of that."""
    here = empty_world()
    tell(here, person(EMAIL, PHONE, jurisdiction=jurisdiction))
    grant = Statement(
        "g", Act.GRANT, TOLD_AT, Switch.MARKETING, form=ConsentForm.WRITTEN, evidence="contract"
    )
    tell(here, TellConsents((grant,)))
    for channel in WAYS:
        tell(here, refuses(channel, f"s-{channel}", switch=Switch.MARKETING))
        asked = {
            purpose: may_contact(
                here.stores, here.policies, TENANT, "b1", Wanted(channel, purpose), TOLD_AT
            )
            for purpose in (Purpose.MARKETING, Purpose.OVERDUE)
        }
        assert asked[Purpose.MARKETING].effect is Effect.DENY
        assert "HOUSE.STOP.MARKETING" in asked[Purpose.MARKETING].rule_ids
        assert "HOUSE.STOP.MARKETING" not in asked[Purpose.OVERDUE].rule_ids
