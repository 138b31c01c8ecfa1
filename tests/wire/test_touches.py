"""Touches and permissions over the wire: each field arrives, and no plain number or address goes further."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from betimes.core.budget import token_of
from betimes.core.errors import Rejected
from betimes.core.intake import MAX_NAMED, MAX_REPORTED
from betimes.core.pack import CHANNELS
from betimes.core.permission import Permission, Wanted
from betimes.core.question import Answer, Effect, Given, Trigger
from betimes.core.reason import Reason
from betimes.core.rule import Enforce, Party, Purpose, Recipient, Status
from betimes.core.touch import Direction, Touch
from betimes.wire.answers import permission_out
from betimes.wire.requests import TouchesIn, WantedIn
from tests.wire.test_requests import AT, TEN, read

PHONE = "+12135550100"
CALL = {"id": "t1", "at": AT, "channel": "call"}
WANTED = {"channel": "call", "purpose": "overdue"}


def touch(**told: Any) -> Touch:
    """Return the one touch of a report."""
    [found] = read(TouchesIn, touches=[{**CALL, **told}]).to_core().touches
    return found


def test_a_touch_with_everything() -> None:
    """Each field stands in the touch."""
    found = touch(
        direction="in",
        attempt=False,
        connected=True,
        conversation=True,
        message_left=True,
        party="third",
        by="agency-7",
        debts=["o1"],
        accounts=["a1"],
        products=["card"],
        recipient="employer",
        excluded=["consented"],
        purpose="statutory",
    )
    assert found == Touch(
        "t1",
        TEN,
        "call",
        direction=Direction.IN,
        attempt=False,
        connected=True,
        conversation=True,
        message_left=True,
        party=Party.THIRD,
        by="agency-7",
        debts=("o1",),
        accounts=("a1",),
        products=("card",),
        recipient=Recipient.EMPLOYER,
        excluded=("consented",),
        purpose=Purpose.STATUTORY,
    )
    assert found.at.tzinfo is UTC


def test_a_bare_touch_is_an_attempt() -> None:
    """What is left out says nothing: no fact but the attempt, no debt, no number."""
    assert touch() == Touch("t1", TEN, "call")


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_can_be_told(channel: str) -> None:
    """Also those that the platform itself does not send on."""
    assert touch(channel=channel).channel == channel
    assert read(WantedIn, channel=channel, purpose="overdue").to_core().channel == channel


@pytest.mark.parametrize(
    "told",
    [
        {"channel": "fax"},
        {"direction": "sideways"},
        {"excluded": ["reserved"]},
        {"reserved": True},
        {"attempt": "yes"},
        {"at": "2026-03-01T10:00:00"},
        {"at": 1772330400},
        {"debts": ["o1"] * (MAX_NAMED + 1)},
        {"number": "x" * 255},
        {"id": None},
    ],
)
def test_what_is_no_touch_is_refused(told: dict[str, Any]) -> None:
    """A word there is none of, a type that would have to be bent, an instant of no zone, too much of anything."""
    with pytest.raises(ValidationError):
        touch(**told)


@pytest.mark.parametrize("n", [0, MAX_REPORTED + 1])
def test_a_report_has_a_size(n: int) -> None:
    """At least one touch, and no more than one command takes."""
    with pytest.raises(ValidationError):
        read(TouchesIn, touches=[CALL] * n)


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"id": "a b"}, "bad_id", "touches.1.id"),
        ({"by": "a b"}, "bad_id", "touches.1.by"),
        ({"debts": ["a b"]}, "bad_id", "touches.1.debts"),
        ({"accounts": [""]}, "bad_id", "touches.1.accounts"),
        ({"number": "02135550100"}, "bad_phone", "touches.1.number"),
    ],
)
def test_a_refusal_names_the_touch(told: dict[str, Any], code: str, field: str) -> None:
    """By its place in the report, from 0."""
    report = read(TouchesIn, touches=[CALL, {**CALL, **told}])
    with pytest.raises(Rejected) as caught:
        report.to_core()
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_letter_goes_to_an_address() -> None:
    """Only channels that ring a number ask for one."""
    letter = {**CALL, "channel": "letter", "number": "1 Example Street"}
    command = read(TouchesIn, touches=[CALL, letter, {**CALL, "number": PHONE}]).to_core()
    assert command.addresses == ("", "1 Example Street", PHONE)
    kept = command.of("bank", "b1")
    assert [each.number for each in kept] == [
        token_of("bank", "b1", address) for address in command.addresses
    ]
    assert PHONE[1:] not in repr(kept)


def test_a_permission_with_everything() -> None:
    """Each field stands in what is wanted, and the number brings the zones of its area."""
    wanted = read(
        WantedIn,
        **WANTED,
        touch_id="t1",
        reserve=True,
        party="third",
        by="agency-7",
        debts=["o1"],
        number=PHONE,
        recipient="guarantor",
        reveals_debt=False,
        borrower_unreachable=True,
        agreed_hours=True,
        language="zh-CN",
        text="…",
        notices_given=[{"rule_id": "US.REGF.NOTICE", "at": AT}],
        triggers=[{"kind": "due", "at": AT}],
    ).to_core()
    assert wanted == Wanted(
        "call",
        Purpose.OVERDUE,
        "t1",
        reserve=True,
        party=Party.THIRD,
        by="agency-7",
        debts=("o1",),
        address=PHONE,
        number_zones=("America/Los_Angeles",),
        recipient=Recipient.GUARANTOR,
        reveals_debt=False,
        borrower_unreachable=True,
        agreed_hours=True,
        language="zh-CN",
        text="…",
        notices_given=(Given("US.REGF.NOTICE", TEN),),
        triggers=(Trigger("due", TEN),),
    )
    bare = read(WantedIn, **WANTED).to_core()
    assert bare == Wanted("call", Purpose.OVERDUE)
    assert all(
        getattr(wanted, each.name) != getattr(bare, each.name) for each in fields(Wanted)[2:]
    )


@pytest.mark.parametrize(
    "told",
    [
        {"purpose": "fun"},
        {"channel": "pigeon"},
        {"at": AT},
        {"text": "x" * 20_001},
        {"language": "Chinese!"},
        {"notices_given": [{"rule_id": "x", "at": AT}]},
        {"triggers": [{"kind": "Due", "at": AT}]},
    ],
)
def test_what_cannot_be_wanted_is_refused(told: dict[str, Any]) -> None:
    """An instant least of all: permission is asked for now."""
    with pytest.raises(ValidationError):
        read(WantedIn, **{**WANTED, **told})


def test_what_is_published_of_a_permission() -> None:
    """The exact shape that callers rely on; a change of it is a new schema version."""
    said = Permission(
        Effect.DEFER,
        TEN,
        ("A.B",),
        (Reason.MONEY_IN_FLIGHT,),
        ("C.D",),
        (
            Answer("A.B", Effect.DEFER, Status.SECONDARY, Enforce.CAUTIOUS, {"counted": 3}, TEN),
            Answer("C.D", Effect.REQUIRE, Status.VERIFIED, Enforce.HARD, {"missed": False}),
        ),
        (Status.SECONDARY,),
    )
    assert permission_out(said, Wanted("call", Purpose.OVERDUE, "t1", reserve=True)) == {
        "schema_version": 1,
        "effect": "defer",
        "until": "2026-03-01T02:00:00.000000Z",
        "next_allowed_at": None,
        "reserved": False,
        "rule_ids": ["A.B"],
        "reasons": ["money_in_flight"],
        "notices": ["C.D"],
        "statuses": ["secondary"],
        "rules": [
            {
                "rule_id": "A.B",
                "effect": "defer",
                "status": "secondary",
                "enforce": "cautious",
                "in_force": True,
                "until": "2026-03-01T02:00:00.000000Z",
                "facts": {"counted": 3},
            },
            {
                "rule_id": "C.D",
                "effect": "require",
                "status": "verified",
                "enforce": "hard",
                "in_force": True,
                "until": None,
                "facts": {"missed": False},
            },
        ],
    }
    allowed = replace(said, effect=Effect.ALLOW, until=datetime(2026, 3, 1, tzinfo=UTC))
    assert permission_out(allowed, Wanted("call", Purpose.OVERDUE, "t1", reserve=True))["reserved"]
    assert not permission_out(allowed, Wanted("call", Purpose.OVERDUE))["reserved"]
