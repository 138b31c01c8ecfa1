"""What a borrower agrees to and refuses: what is told, what is answered, and what stands in the ledger afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betimes.adapters.packs import keywords as shipped
from betimes.core.book import Pages
from betimes.core.budget import token_of
from betimes.core.change import AppendEntry, SaveHead, changes_between
from betimes.core.consent import Consent, Refusal, Switch, stands
from betimes.core.errors import Rejected
from betimes.core.intake import Command, Outcome
from betimes.core.keywords import Meaning, read
from betimes.core.rule import ConsentForm, Purpose
from betimes.core.said import (
    MAX_ENDS,
    MAX_ENTRIES,
    MAX_STATEMENTS,
    TOLERANCE,
    Act,
    Statement,
    TellConsents,
    TellReply,
    is_unfinished,
    refusals_of,
)
from tests.core.support import POLICIES, TICK
from tests.core.test_intake import BILL, EMPTY, NOW, OWING, READY, code, outcome, told

HOUR = timedelta(hours=1)
PHONE = "+8613800000000"


def says(act: Act, identity: str = "s1", **fields: Any) -> TellConsents:
    """Return the command that tells of one statement, made an hour ago."""
    asked = {"at": NOW - HOUR, "channel": "sms", "evidence": "call-7", **fields}
    return TellConsents((Statement(identity, act, **asked),))


def answers(text: str, message_id: str = "m1", **fields: Any) -> TellReply:
    """Return the command that tells of an answer by SMS, read by the shipped lists."""
    asked = {"channel": "sms", "address": PHONE, "at": NOW - HOUR, **fields}
    return TellReply(message_id, reply=read(text, shipped()), **asked)


def open_for(pages: Pages, purpose: Purpose = Purpose.OVERDUE, channel: str = "sms") -> bool:
    """Return whether nothing that was said stops a contact now."""
    switch = Switch.MARKETING if purpose is Purpose.MARKETING else Switch.REMINDER
    address = token_of("bank", "b1", PHONE)
    return stands(pages.consents, switch, channel, address, purpose, NOW).allowed


GRANT, REFUSE = says(Act.GRANT), says(Act.REFUSE)
MANY = TellConsents(REFUSE.statements * (MAX_STATEMENTS + 1))


@pytest.mark.parametrize(
    ("pages", "command", "expected"),
    [
        (EMPTY, REFUSE, ("unknown_borrower", "borrower_id")),
        (EMPTY, answers("STOP"), ("unknown_borrower", "borrower_id")),
        (OWING, TellConsents(()), ("bad_consent", "consents")),
        (OWING, MANY, ("bad_consent", "consents")),
        (OWING, says(Act.REFUSE, ""), ("bad_id", "id")),
        (OWING, says(Act.REFUSE, "x" * 101), ("bad_id", "id")),
        (OWING, answers("STOP", "m 1"), ("bad_id", "message_id")),
        (OWING, says(Act.REFUSE, at=NOW + TOLERANCE + TICK), ("in_the_future", "at")),
        (OWING, answers("STOP", at=NOW + TOLERANCE + TICK), ("in_the_future", "at")),
        (OWING, says(Act.REFUSE, at=NOW.replace(year=1969)), ("bad_date", "at")),
        (OWING, says(Act.REFUSE, evidence="x" * 201), ("bad_consent", "evidence")),
        (OWING, says(Act.REFUSE, evidence="a\nb"), ("bad_consent", "evidence")),
        (OWING, says(Act.GRANT, evidence=""), ("bad_consent", "evidence")),
        (OWING, says(Act.GRANT, form=ConsentForm.NOT_REFUSED), ("bad_consent", "form")),
        (OWING, says(Act.GRANT, valid_until=NOW - HOUR), ("bad_consent", "valid_until")),
        (OWING, says(Act.REVOKE), ("unknown_consent", "id")),
        (OWING, says(Act.LIFT), ("unknown_consent", "id")),
        (told([REFUSE], OWING), says(Act.REVOKE), ("unknown_consent", "id")),
        (told([GRANT], OWING), says(Act.LIFT), ("unknown_consent", "id")),
        (told([REFUSE], OWING), says(Act.LIFT, at=NOW - 2 * HOUR), ("bad_consent", "at")),
        (told([GRANT], OWING), says(Act.REVOKE, at=NOW - 2 * HOUR), ("bad_consent", "at")),
        (told([REFUSE], OWING), says(Act.REFUSE, channel="email"), ("duplicate_id", "id")),
        (told([REFUSE], OWING), GRANT, ("duplicate_id", "id")),
        (told([GRANT], OWING), says(Act.GRANT, evidence="other"), ("duplicate_id", "id")),
        (
            told([GRANT], OWING),
            says(Act.GRANT, switch=Switch.MARKETING),
            ("duplicate_id", "id"),
        ),
        (told([answers("STOP")], OWING), answers("??"), ("duplicate_id", "message_id")),
        (
            OWING,
            TellConsents((*REFUSE.statements, *says(Act.LIFT, "s2").statements)),
            ("unknown_consent", "consents.1.id"),
        ),
    ],
)
def test_what_is_wrong_is_refused(
    pages: Pages, command: Command, expected: tuple[str, str]
) -> None:
    """One code per mistake, naming the field, and of several statements which one."""
    assert code(pages, command) == expected


@pytest.mark.parametrize(
    "commands",
    [
        [REFUSE],
        [GRANT],
        [GRANT, says(Act.REVOKE, at=NOW)],
        [REFUSE, says(Act.LIFT, at=NOW)],
        [answers("STOP")],
        [answers("what?")],
        [answers("STOP"), answers("START", "m2", at=NOW)],
    ],
)
def test_told_twice_adds_nothing(commands: list[Command]) -> None:
    """Each command may be repeated, also when all behind it has come: the ledger stays what it is."""
    pages = told(commands, OWING)
    assert pages.consents
    for command in commands:
        assert outcome(pages, command) is Outcome.UNCHANGED


def test_a_consent_to_reminders_is_one_to_each_kind_of_them() -> None:
    """With form, evidence, source and when we heard of it; of the address only a token."""
    pages = told([says(Act.GRANT, address=PHONE, by="agency-7", form=ConsentForm.WRITTEN)], OWING)
    assert [each.id for each in pages.consents] == ["s1:pre_debit", "s1:courtesy", "s1:overdue"]
    assert pages.consents[2] == Consent(
        "s1:overdue",
        Purpose.OVERDUE,
        "sms",
        token_of("bank", "b1", PHONE),
        ConsentForm.WRITTEN,
        NOW - HOUR,
        "call-7",
        "agency-7",
        told_at=NOW,
    )
    assert PHONE[1:] not in repr(pages.consents)


def test_the_three_switches_never_mix() -> None:
    """Marketing refused leaves reminders alone, and the other way round; no word of the person is about notices."""
    no_ads = told([says(Act.REFUSE, switch=Switch.MARKETING)], OWING)
    assert (open_for(no_ads), open_for(no_ads, Purpose.MARKETING)) == (True, False)
    no_reminders = told([REFUSE], OWING)
    assert (open_for(no_reminders), open_for(no_reminders, Purpose.MARKETING)) == (False, True)
    assert open_for(no_reminders, channel="email")


def test_taking_a_consent_back_is_a_refusal_too() -> None:
    """Each of its purposes ends, with the day by which the law wants it obeyed, and the channel is closed."""
    pages = told([GRANT, says(Act.REVOKE, at=NOW)], OWING)
    assert not open_for(pages)
    ends = [each for each in pages.consents if isinstance(each, Consent) and each.revoked_at]
    assert [(each.revoked_at, each.revocation_due_at) for each in ends] == [(NOW, NOW)] * 3
    assert [each.id for each in pages.consents if isinstance(each, Refusal)] == ["s1:revoked"]


def test_a_consent_told_later_lifts_no_refusal() -> None:
    """Whoever reopens a channel says so."""
    pages = told([REFUSE, says(Act.GRANT, "s2", at=NOW)], OWING)
    assert not open_for(pages)
    assert open_for(told([says(Act.LIFT, at=NOW)], pages))


def test_a_clock_that_runs_ahead_lets_nothing_out() -> None:
    """A refusal counts from when we heard of it at the latest."""
    assert not open_for(told([says(Act.REFUSE, at=NOW + TOLERANCE)], OWING))
    assert not open_for(told([answers("STOP", at=NOW + TOLERANCE)], OWING))


@pytest.mark.parametrize(
    ("text", "meaning", "is_open", "provisional"),
    [
        ("STOP", Meaning.STOP, False, False),
        ("退订", Meaning.STOP, False, False),
        ("TD", Meaning.STOP, False, False),
        ("please ask my lawyer", Meaning.UNSURE, False, True),
        ("", Meaning.UNSURE, False, True),
        ("HELP", Meaning.HELP, True, False),
    ],
)
def test_an_answer_closes_its_channel_or_nothing(
    text: str, meaning: Meaning, is_open: bool, provisional: bool
) -> None:
    """What nobody understood closes the channel until a person has read it, and is on record under its message."""
    command = answers(text)
    assert command.reply.meaning is meaning
    pages = told([command], OWING)
    assert open_for(pages) is open_for(pages, Purpose.MARKETING) is is_open
    assert open_for(pages, channel="email")
    refusals = [each for each in pages.consents if isinstance(each, Refusal)]
    assert [each.id for each in refusals] == ([] if is_open else ["m1:reminder", "m1:marketing"])
    assert all(each.provisional is provisional and each.evidence == "m1" for each in refusals)


def test_a_person_who_has_read_an_answer_lifts_it_by_its_message() -> None:
    """Both of its entries at once."""
    pages = told([answers("?"), says(Act.LIFT, "m1", at=NOW)], OWING)
    assert open_for(pages)
    assert open_for(pages, Purpose.MARKETING)


def test_start_lifts_the_stop_of_the_same_place_and_no_other() -> None:
    """What the lender told of another channel stands; what was said later than the START as well."""
    stopped = told([answers("STOP"), says(Act.REFUSE, channel="email")], OWING)
    pages = told([answers("START", "m2", at=NOW)], stopped)
    assert (open_for(pages), open_for(pages, channel="email")) == (True, False)
    late = told([answers("START", "m2", at=NOW - 2 * HOUR)], stopped)
    assert not open_for(late)


def test_the_head_guards_what_the_person_said() -> None:
    """Whoever decided without it must decide again: the head's version rises, and so does its count."""
    changes = changes_between(OWING, told([REFUSE], OWING))
    assert isinstance(changes[0], SaveHead)
    assert changes[0].head.held == (OWING.head.held if OWING.head else 0) + 1
    [appended] = [each for each in changes if isinstance(each, AppendEntry)]
    assert (appended.number, appended.entry.id) == (1, "s1")
    before = told([REFUSE], OWING)
    [second] = [
        each
        for each in changes_between(before, told([says(Act.LIFT, at=NOW)], before))
        if isinstance(each, AppendEntry)
    ]
    assert second.number == 2


def test_a_ledger_only_grows() -> None:
    """Pages that forgot something are never stored."""
    before = told([REFUSE], OWING)
    with pytest.raises(AssertionError, match="only grows"):
        changes_between(before, replace(before, consents=()))


def test_a_read_between_two_words_is_torn() -> None:
    """The head counts them."""
    pages = told([REFUSE], OWING)
    assert pages.head is not None
    stored = pages.with_head(replace(pages.head, held=pages.held))
    assert not stored.is_torn
    assert replace(stored, consents=()).is_torn


def test_a_contact_that_waits_is_looked_at_again() -> None:
    """What was decided and not claimed hears of it at once."""
    pages = told([BILL], READY)
    bill = pages.obligations["o1"]
    waits = replace(bill, watch=replace(bill.watch, contact_id="c1", look_at=NOW + HOUR))
    after = told([REFUSE], pages.with_obligation(waits))
    assert after.obligations["o1"].watch.look_at == NOW


def test_there_is_an_end_to_what_is_kept() -> None:
    """No consent is added beyond it; whoever says no is heard, in whichever words, and what stands can be ended."""
    pages = told([REFUSE], OWING)
    full = replace(pages, consents=pages.consents * MAX_ENTRIES)
    with pytest.raises(Rejected) as caught:
        told([says(Act.GRANT, "s2", channel="email")], full)
    assert caught.value.code == "too_many_consents"
    assert "hold" not in caught.value.message
    for text in ("STOP", "?"):
        assert len(told([answers(text)], full).consents) == MAX_ENTRIES + 2
    assert open_for(told([says(Act.LIFT, at=NOW)], full))


def test_a_refusal_at_the_end_of_what_is_kept_ends_consents_too() -> None:
    """Their ends are no consents."""
    pages = told([GRANT], OWING)
    filler = told([says(Act.REFUSE, "s9", channel="visit")], OWING).consents
    full = replace(pages, consents=(*pages.consents, *filler * MAX_ENTRIES))
    after = told([says(Act.REFUSE, "s2")], full)
    assert not open_for(after)
    assert len(after.consents) == len(full.consents) + 4


def test_a_refusal_stands_before_what_it_takes_back() -> None:
    """Its entries come first, and of many consents one pass ends some; told again, it ends the others."""
    pages = told([says(Act.GRANT, f"g{n}") for n in range(20)], OWING)
    once = told([answers("STOP")], pages)
    added = once.consents[len(pages.consents) :]
    assert [each.id for each in added[:2]] == ["m1:reminder", "m1:marketing"]
    assert len(added) == MAX_ENDS
    assert is_unfinished(pages, once)
    after = once
    for _ in range(3):
        after = told([answers("STOP")], after)
    ended = {each.id for each in after.consents if isinstance(each, Consent) and each.revoked_at}
    assert len(ended) == 60
    assert outcome(after, answers("STOP")) is Outcome.UNCHANGED


@pytest.mark.parametrize("act", [Act.REFUSE, Act.REVOKE])
def test_a_refusal_said_again_after_it_was_lifted_holds(act: Act) -> None:
    """Under the id of the first; each of the three told once more changes nothing, and the second is lifted by it."""
    known = told([GRANT], OWING) if act is Act.REVOKE else OWING
    lifted = "s1:revoked" if act is Act.REVOKE else "s1"
    minutes = [timedelta(minutes=n) for n in range(5)]
    commands = [
        says(act, at=NOW - minutes[4]),
        says(Act.LIFT, lifted, at=NOW - minutes[3]),
        says(act, at=NOW - minutes[2]),
    ]
    pages = told(commands, known)
    assert not open_for(pages)
    assert pages.consents[-1].id == f"{lifted}:again2"
    for command in commands:
        assert outcome(pages, command) is Outcome.UNCHANGED
    reopened = told([says(Act.LIFT, lifted, at=NOW - minutes[1])], pages)
    assert open_for(reopened)
    assert not open_for(told([says(act, at=NOW)], reopened))


def test_a_stop_delivered_again_after_a_start_holds() -> None:
    """Said later, it is another one, whatever the provider calls it."""
    start = answers("START", "m2", at=NOW - TICK)
    pages = told([answers("STOP"), start], OWING)
    assert open_for(told([answers("STOP")], pages))
    assert not open_for(told([answers("STOP", at=NOW)], pages))


def test_two_clocks_that_differ_lose_no_revocation() -> None:
    """One dated a little before its consent takes it back all the same."""
    pages = told([says(Act.GRANT), says(Act.REVOKE, at=NOW - HOUR - TOLERANCE)], OWING)
    assert not open_for(pages)


def test_what_a_rejected_list_refuses_can_be_had() -> None:
    """The refusals, and a consent only where it is taken back beside it; nothing else, and nothing wrong."""
    refuse, grant = REFUSE.statements, says(Act.GRANT, "g1", channel="email").statements
    revoke = says(Act.REVOKE, "g1", at=NOW).statements
    early = says(Act.REVOKE, "g1", at=NOW - 2 * HOUR).statements
    wrong = says(Act.REFUSE, "x y").statements
    bad = says(Act.LIFT, "s9").statements

    def of(*statements: Statement) -> tuple[Statement, ...]:
        found = refusals_of(OWING, TellConsents(statements), POLICIES, NOW)
        return found.statements if found else ()

    assert of(*bad, *refuse, *grant, *revoke, *wrong) == (*refuse, *grant, *revoke)
    assert of(*bad, *grant, *early) == ()
    assert of(*bad, *grant, *refuse) == refuse
    assert refusals_of(EMPTY, REFUSE, POLICIES, NOW) is None
    assert refusals_of(OWING, MANY, POLICIES, NOW) is None
