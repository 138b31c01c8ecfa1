"""Permission and reports over the HTTP API: what one caller reserves or tells, the next one hears of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.handlers import told
from tests.handlers.pump import Pump

# The day before the bill is due, noon in Shanghai.
NOON = datetime(2026, 3, 8, 4, 0, tzinfo=UTC)
MAY = told.path("may-contact")
TOUCHES = told.path("touches")


def wanted(n: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the body of somebody who wants to call about the bill."""
    default = {
        "channel": "call",
        "purpose": "courtesy",
        "touch_id": f"call-{n}",
        "reserve": True,
        "by": "agency-7",
        "debts": [told.OBLIGATION],
    }
    return {**default, **fields}


def called(n: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the body of a report of one call that nobody answered."""
    call = {
        "id": f"call-{n}",
        "at": "2026-03-08T12:00:00+08:00",
        "channel": "call",
        "by": "agency-7",
        "debts": [told.OBLIGATION],
    }
    return {"touches": [{**call, **fields}]}


@pytest.fixture
def owing(with_bill: Pump) -> Pump:
    """A deployment in which the bill is due tomorrow."""
    with_bill.clock.advance(NOON)
    return with_bill


def test_room_is_given_once(owing: Pump) -> None:
    """Each reservation takes room from all who ask after it, until there is none."""
    effects = []
    for n in range(8):
        status, answer = owing.request("POST", MAY, wanted(n))
        assert status == 200
        effects.append((answer["effect"], answer["reserved"]))
    given = effects.index(("defer", False))
    assert 0 < given < 8
    assert effects == [("allow", True)] * given + [("defer", False)] * (8 - given)
    # All of it comes with the rules that decided and those that did not.
    assert answer["rule_ids"]
    assert set(answer["rule_ids"]) < {rule["rule_id"] for rule in answer["rules"]}


def test_what_was_not_made_gives_its_room_back(owing: Pump) -> None:
    """Told that nobody tried, the next one may."""
    n = 0
    while owing.request("POST", MAY, wanted(n))[1]["reserved"]:
        n += 1
    nothing = called(0, attempt=False)
    assert owing.request("POST", TOUCHES, nothing) == (200, {"outcome": "stored"})
    assert owing.request("POST", MAY, wanted(n))[1]["reserved"]


def test_a_repeated_post_changes_nothing(owing: Pump) -> None:
    """The same report and the same question twice leave the tables as they are."""
    owing.request("POST", TOUCHES, called(2))
    first = owing.request("POST", MAY, wanted(1))
    before = owing.tables()
    assert owing.request("POST", TOUCHES, called(2)) == (200, {"outcome": "unchanged"})
    assert owing.request("POST", MAY, wanted(1)) == first
    assert owing.tables() == before


def test_a_plain_number_is_not_kept(owing: Pump) -> None:
    """Not in the budget, not in an answer: a token stands for it."""
    owing.request("POST", TOUCHES, called(number=told.PHONE))
    said = owing.answer("POST", MAY, json.dumps(wanted(1, number=told.PHONE)))
    assert said["statusCode"] == 200
    assert told.PHONE[1:] not in json.dumps(owing.tables(), default=str) + said["body"]


REFUSED: list[tuple[str, dict[str, Any], int, str, str]] = [
    (MAY, wanted(debts=["o-canary"]), 404, "unknown_obligation", "debts"),
    (MAY, wanted(touch_id=""), 422, "bad_touch", "touch_id"),
    (MAY, wanted(touch_id="a canary"), 400, "bad_id", "touch_id"),
    (MAY, wanted(number="canary"), 422, "bad_phone", "number"),
    (MAY, wanted(channel="canary"), 400, "bad_request", "channel"),
    (MAY, wanted(canary=1), 400, "bad_request", "canary"),
    (TOUCHES, {"touches": []}, 400, "bad_request", "touches"),
    (TOUCHES, called(id="a canary"), 400, "bad_id", "touches.0.id"),
    (TOUCHES, called(debts=["o-canary"]), 404, "unknown_obligation", "debts"),
    (TOUCHES, called(at="2026-03-08T12:10:01+08:00"), 422, "in_the_future", "at"),
    (TOUCHES, called(at="2026-02-01T11:59:59+08:00"), 422, "too_old", "at"),
    (
        TOUCHES,
        {"touches": [*called(0)["touches"], *called(1, accounts=["canary"])["touches"]]},
        404,
        "unknown_account",
        "touches.1.accounts",
    ),
]


def test_a_refusal_says_what_is_wrong_and_leaves_no_trace(owing: Pump) -> None:
    """Each wrong request gets its status, code and field, and nothing of it is stored or comes back."""
    before = owing.tables()
    for path, body, *wanted_ in REFUSED:
        answer = owing.answer("POST", path, json.dumps(body))
        error = told.error_in(answer)
        assert [answer["statusCode"], error["code"], error["field"]] == wanted_, body
        assert "canary" not in answer["body"] or error["field"] == "canary"
    assert owing.tables() == before


def test_a_stranger_is_not_found(owing: Pump) -> None:
    """Nobody may be contacted, and nothing told, of a borrower who is not known."""
    for path, body in (("may-contact", wanted()), ("touches", called())):
        answer = owing.answer("POST", told.path(path, borrower="b-9"), json.dumps(body))
        assert (answer["statusCode"], told.error_in(answer)["code"]) == (404, "unknown_borrower")
