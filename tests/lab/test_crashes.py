"""Every fault at every request of a contact's life, and pairs of them: no promise is broken, and a defect that is
planted is found.

What is not lived here, all pairs, `python -m tests.lab.crashes` lives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from betimes.adapters import send_failures
from betimes.adapters.dynamodb import Tables
from betimes.core.contact import Contact, State
from betimes.core.reason import Reason
from betimes.lab.aws import house
from betimes.lab.aws.cloud import Fault
from betimes.ports import Refused
from tests.lab import crashes
from tests.lab.crashes import HELD, OTHER, PAID, SCENARIOS, Happens, Life, Scenario, run, wrong_with

COURTESY, OVERDUE, SILENT, SMS = SCENARIOS
# One pair in so many is lived in the gate.
EVERY = 20

scenarios = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)


def at_send(life: Life) -> int:
    """Return the number of the request to the provider in a life in which nothing goes wrong."""
    life.live({})
    (number,) = (n for n, p in enumerate(life.trace) if p.service in ("sesv2", "sns"))
    return number


@scenarios
def test_nothing_goes_wrong(scenario: Scenario) -> None:
    """Sent once, and whatever the provider reports is known."""
    life = Life(scenario)
    life.live({})
    assert wrong_with(life) == []
    assert len(life.sent) == 1
    assert life.contact().state is (State.DELIVERED if scenario.reports else State.ACCEPTED)


@scenarios
def test_every_single_fault(scenario: Scenario) -> None:
    """Crashes, lost requests and replies, conflicts, other workers, money and holds, before every request."""
    tally = run(Life(scenario))
    assert tally.wrong == {}
    # Every request of the plain life, and each of the eleven or twelve things that can happen there.
    assert tally.lives > 60
    assert any("UNKNOWN" in end or "sent 2" in end for end in tally.ends) is (scenario != COURTESY)


@scenarios
def test_pairs_of_faults(scenario: Scenario) -> None:
    """One pair in twenty; which ones depends on nothing but their order."""
    tally = run(Life(scenario), every=EVERY)
    assert tally.wrong == {}
    assert tally.lives > 200


def test_a_life_is_the_same_again() -> None:
    """A plan decides everything: two worlds that live it make the same requests and leave the same ledger."""
    plan: dict[int, Happens] = {2: OTHER, 5: Fault.REPLY_LOST}
    lives = [Life(OVERDUE), Life(OVERDUE)]
    lives[0].live({3: Fault.CRASH_AFTER})
    for life in lives:
        life.live(plan)
    first, second = ([p.operation for p in life.trace] for life in lives)
    assert first == second
    assert lives[0].records() == lives[1].records()


@pytest.mark.parametrize("scenario", [OVERDUE, SILENT, SMS], ids=lambda each: each.name)
def test_an_answer_that_never_came_is_unknown(scenario: Scenario) -> None:
    """It stands in the ledger; a report settles it, what is overdue is held without one, a courtesy goes once more."""
    life = Life(scenario)
    life.live({at_send(life): Fault.REPLY_LOST})
    events = [str(r.body["event"]) for r in life.records() if r.kind == "event"]
    assert "timed_out" in events
    contact = life.contact()
    if scenario == OVERDUE:
        assert (contact.state, len(life.sent)) == (State.DELIVERED, 1)
    elif scenario == SILENT:
        assert (contact.state, contact.reason) == (State.UNKNOWN, Reason.HELD_UNKNOWN)
        assert len(life.sent) == 1
    else:
        assert (contact.state, contact.unknowns, len(life.sent)) == (State.ACCEPTED, 1, 2)


def test_a_hold_after_a_throttle_is_named() -> None:
    """The reason why it never went is what stopped it to the end."""
    life = Life(COURTESY)
    send = at_send(life)
    life.live({send: Fault.THROTTLED, send + 1: HELD})
    assert life.contact().state is State.EXPIRED
    assert life.contact().reason is Reason.HOLD_DISPUTE


# Defects that are planted


class UncheckedBook(Tables):
    """Claims without asking whether debt and borrower are still as they were rendered."""

    fenced = True

    def _transact(self, requests: Sequence[Mapping[str, Any]]) -> None:
        super()._transact(list(self._claim(requests)) if _claims(requests) else requests)

    def _claim(self, requests: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for request in requests:
            ((verb, asked),) = request.items()
            if asked["TableName"] == house.BOOK:
                continue
            kept = asked if self.fenced else {name: asked[name] for name in ("TableName", "Item")}
            yield {verb: kept}


class Unfenced(UncheckedBook):
    """Claims without asking whether anything is as it was seen."""

    fenced = False


def _claims(requests: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        asked.get("Item", {}).get("state") == {"S": State.SENDING.value}
        for request in requests
        for asked in request.values()
    )


def complaints(life: Life) -> set[str]:
    """Return what is found wrong with a life by every single fault."""
    return set(run(life).wrong)


def test_a_claim_without_a_fence_is_found() -> None:
    """Two workers send the same attempt."""
    assert "one attempt was sent twice" in complaints(Life(OVERDUE, tables=Unfenced))


def test_a_claim_that_does_not_look_at_the_debt_is_found() -> None:
    """A payment between reading and claiming is not seen."""
    found = complaints(Life(OVERDUE, tables=UncheckedBook))
    assert f"sent after {PAID}" in found
    assert f"sent after {HELD}" in found


def test_a_second_attempt_after_an_unknown_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is overdue goes at most once."""
    monkeypatch.setattr(Contact, "may_try_again", property(lambda _: True))
    assert any(each.startswith("sent 2 times") for each in complaints(Life(SILENT)))


def test_a_client_that_repeats_by_itself_is_found() -> None:
    """A sender's client makes one attempt a call; one that makes three sends twice."""
    assert "one attempt was sent twice" in complaints(Life(OVERDUE, sender_repeats=True))


def test_silence_that_is_taken_for_a_refusal_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether it went, so it may not go again as if it had not."""
    monkeypatch.setattr(send_failures, "answer_to", lambda *_: Refused("silence", may_retry=True))
    found = complaints(Life(SILENT))
    assert "more sends than attempts whose end is on record as unknown" in found


def test_the_command_says_what_was_lived(capsys: pytest.CaptureFixture[str]) -> None:
    """The full mode is a command; it prints counts, and fails where a promise was broken."""
    assert crashes.main(["--scenario", SMS.name, "--every", "1000"]) == 0
    assert "courtesy by SMS: " in capsys.readouterr().out
