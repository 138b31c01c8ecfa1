"""Errors carry what their catcher needs, and nothing about a person."""

from __future__ import annotations

import pickle

from betimes.core.errors import Rejected, Stale, Unavailable


def test_a_refusal_survives_the_way_between_processes() -> None:
    """Code, field and message come back whole."""
    error = pickle.loads(pickle.dumps(Rejected("bad_amount", "amount_minor", "too little")))
    assert (error.code, error.field, error.message) == ("bad_amount", "amount_minor", "too little")
    assert str(error) == "too little"


def test_a_lost_race_says_which_conditions_failed() -> None:
    """By position; none where only a conflict was reported."""
    assert Stale((1, 3)).failed == (1, 3)
    assert Stale().failed == ()


def test_whoever_must_wait_is_told_how_long() -> None:
    """A second, unless the service says otherwise."""
    assert Unavailable("throttled").retry_after_s == 1
    assert Unavailable("throttled", 30).retry_after_s == 30
