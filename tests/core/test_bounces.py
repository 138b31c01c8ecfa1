"""Bounces: what a message that came back says about the address, and when an address rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import bounces
from betimes.core.bounces import BounceClass, Resting, bounce_class, rests_until

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
HARD, COUNT, IGNORE = BounceClass.HARD, BounceClass.SOFT_COUNT, BounceClass.SOFT_IGNORE


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("Permanent/General", HARD),
        ("Permanent/NoEmail/5.1.1", HARD),
        ("Permanent/OnAccountSuppressionList", HARD),
        ("Permanent/General/5.7.1", HARD),
        ("Complaint/OnAccountSuppressionList", HARD),
        ("Transient/General/5.4.4", HARD),
        ("Transient/General/4.4.7", COUNT),
        ("Transient/CustomTimeoutExceeded", COUNT),
        ("Transient/MailboxFull/4.2.2", COUNT),
        ("Transient/MailboxFull", COUNT),
        ("Transient/General/4.4.1", COUNT),
        ("Undetermined/Undetermined", COUNT),
        ("Undetermined/Undetermined/5.4.4", COUNT),
        ("Transient/MessageTooLarge", IGNORE),
        ("Transient/ContentRejected/5.6.0", IGNORE),
        ("Transient/AttachmentRejected", IGNORE),
        ("Transient/General/5.3.4", IGNORE),
        ("Transient/General/5.2.3", IGNORE),
        ("Transient/General/5.7.1", IGNORE),
        ("Undetermined/Undetermined/5.7.26", IGNORE),
        ("TEXT_UNREACHABLE", COUNT),
        ("TEXT_CARRIER_UNREACHABLE", COUNT),
        ("TEXT_TTL_EXPIRED", COUNT),
        ("TEXT_INVALID", HARD),
        ("TEXT_BLOCKED", HARD),
        ("TEXT_CARRIER_BLOCKED", HARD),
        ("TEXT_SPAM", IGNORE),
        ("TEXT_PROTECT_BLOCKED", IGNORE),
        ("", COUNT),
        ("Levitated/Upwards/9.9.9", COUNT),
    ],
)
def test_each_code_gets_its_class(detail: str, expected: BounceClass) -> None:
    """The table of classes: the address, its state for now, or the message; what is unknown counts."""
    assert bounce_class(detail) is expected


@given(st.text(max_size=60))
def test_no_code_breaks_the_classifier_and_none_but_permanent_ends_an_address(detail: str) -> None:
    """Whatever a provider makes up, there is an answer, and an address is not given up for it."""
    known = detail.startswith(("Permanent", "Transient", "Complaint", "TEXT_"))
    assert bounce_class(detail) is not HARD or known


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("smtp; 550 5.1.1 The account of b@example.com does not exist", "5.1.1"),
        ("5.0.0 smtp; 550 5.4.4 Invalid domain", "5.4.4"),
        ("smtp; 550 5.0.0 no", "5.0.0"),
        ("smtp; 452 from 4.2.2.2: 4.2.2.", "4.2.2"),
        ("smtp; 250 2.0.0 OK", ""),
        ("smtp; 550 15.4.4 and 5.4.4444", ""),
        ("", ""),
    ],
)
def test_of_what_a_server_says_only_its_code_is_kept(said: str, status: str) -> None:
    """The most telling status of a failure is found; addresses of machines and people are not."""
    assert bounces.status_of(said) == status


def test_refusals_that_no_event_follows_say_what_they_are() -> None:
    """A dead endpoint and an impossible address end the address; an opt-out is something else."""
    assert [code for code in CODES if bounces.ends_address(code)] == [
        bounces.BAD_ADDRESS,
        bounces.ENDPOINT_DISABLED,
    ]
    assert [code for code in CODES if bounces.is_opt_out(code)] == [bounces.OPTED_OUT]


CODES = (
    bounces.BAD_ADDRESS,
    bounces.ENDPOINT_DISABLED,
    bounces.OPTED_OUT,
    bounces.DAILY_QUOTA,
    bounces.SPEND_LIMIT,
    "MessageRejected",
    "too_long",
)


def days(*numbers: float) -> list[datetime]:
    return [NOON + timedelta(days=number) for number in numbers]


def test_the_fifth_bounce_in_a_fortnight_rests_an_address_for_a_week() -> None:
    """Four do nothing; the fifth within 14 days does, counted from itself."""
    assert rests_until(days(0, 1, 2, 3), None, Resting()) is None
    assert rests_until(days(0, 1, 2, 3, 4), None, Resting()) == NOON + timedelta(days=11)


def test_bounces_a_fortnight_apart_do_not_count_together() -> None:
    """The window is open at its start: 14 days to the instant are over."""
    assert rests_until(days(0, 1, 2, 3, 14), None, Resting()) is None
    assert rests_until(days(0, 1, 2, 3, 13.99), None, Resting()) is not None


def test_a_delivery_clears_what_came_before_it() -> None:
    """Success counts for more than any number of failures before."""
    assert rests_until(days(0, 1, 2, 3, 4), NOON + timedelta(days=5), Resting()) is None
    assert rests_until(days(0, 1, 2, 3, 4, 6), NOON + timedelta(days=0.5), Resting()) is not None


def test_a_probe_that_bounces_is_a_new_reason_to_rest() -> None:
    """After the rest one message may go; where it comes back, another week begins."""
    rested = NOON + timedelta(days=11)
    assert rests_until([*days(0, 1, 2, 3, 4), rested], None, Resting()) == rested + timedelta(
        days=7
    )


def test_the_order_in_which_bounces_are_told_does_not_matter() -> None:
    """Reports come in any order; the answer is the same."""
    rule = Resting(limit=3)
    answers = {rests_until(order, None, rule) for order in permutations(days(0, 2, 5, 30))}
    assert answers == {NOON + timedelta(days=12)}


@pytest.mark.parametrize("limit", [0, 21, -1])
def test_a_limit_out_of_range_is_our_own_error(limit: int) -> None:
    """An address rests after 1 to 20 bounces, nothing else can be set."""
    with pytest.raises(AssertionError, match="1 to 20"):
        Resting(limit=limit)
