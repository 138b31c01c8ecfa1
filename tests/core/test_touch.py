"""Touches: four facts apart, and which of them a cap counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from betimes.core.rule import Unit
from betimes.core.touch import ONE_WAY, TEXTS, Direction, Touch, counted

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
TRIED = Touch("t", AT, "call")
FACTS = ("attempt", "connected", "conversation", "message_left")


def touched(channel: str = "call", /, **facts: bool) -> Touch:
    """Return a touch of which only `facts` are true."""
    fields: dict[str, Any] = dict.fromkeys(FACTS, False) | facts
    return replace(TRIED, channel=channel, **fields)


EVERY = tuple(
    touched(channel, **dict(zip(FACTS, facts, strict=True)))
    for channel in ("call", "sms")
    for facts in product((False, True), repeat=len(FACTS))
)


def test_an_unanswered_call_is_an_attempt_and_nothing_else() -> None:
    """Reg F counts it, the Chinese cap on connected calls does not."""
    assert [unit for unit in Unit if TRIED.counts(unit)] == [Unit.ATTEMPT, Unit.ANY]


@pytest.mark.parametrize(
    ("fact", "units"),
    [
        ("connected", {Unit.ATTEMPT, Unit.CONNECTED, Unit.ANY}),
        ("conversation", {Unit.ATTEMPT, Unit.CONNECTED, Unit.CONVERSATION, Unit.ANY}),
        ("message_left", {Unit.ATTEMPT, Unit.MESSAGE, Unit.ANY}),
    ],
)
def test_a_later_fact_stands_for_what_it_cannot_be_without(fact: str, units: set[Unit]) -> None:
    """An agency that reports a conversation and no attempt has made an attempt."""
    touch = touched(**{fact: True})
    assert {unit for unit in Unit if touch.counts(unit)} == units


def test_a_text_that_was_submitted_is_a_message() -> None:
    """Providers count on submit, even when the message is never delivered; a call is none unless one was left."""
    for channel in TEXTS:
        assert replace(TRIED, channel=channel).counts(Unit.MESSAGE)
    for channel in ("call", "ai_call", "visit"):
        assert not replace(TRIED, channel=channel).counts(Unit.MESSAGE)
    assert not replace(TRIED, channel="sms", attempt=False).counts(Unit.MESSAGE)


def test_what_the_consumer_started_counts_for_no_cap() -> None:
    """Caps are on those who collect; that an inbound call starts a cool-off is another matter."""
    for touch in EVERY:
        inbound = replace(touch, direction=Direction.IN)
        assert not any(inbound.counts(unit) for unit in Unit)


def test_nothing_that_did_not_happen_counts() -> None:
    """A touch of which no fact is true is a row without weight."""
    assert not any(touched().counts(unit) for unit in Unit)


def test_a_list_is_counted_as_each_of_it() -> None:
    """The pass over many touches and the question to one of them agree, in order."""
    for unit in Unit:
        assert counted(EVERY, unit) == [touch for touch in EVERY if touch.counts(unit)]


def test_texts_that_nobody_answers_leave_out_the_webhook() -> None:
    """What a lender does behind its webhook may be a call."""
    assert {"webhook"} == TEXTS - ONE_WAY
