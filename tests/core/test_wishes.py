"""What a borrower asks of us: wishes that can be kept, and decisions that keep them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import preferences, zones
from betimes.core.book import Snapshot
from betimes.core.borrower import ContactPoint
from betimes.core.decide import CLOSING_MARGIN, decide
from betimes.core.decision import Decision, Send, Suppress, Wait
from betimes.core.errors import Rejected
from betimes.core.preferences import NONE, Preferences
from betimes.core.reason import Reason
from betimes.core.treatment import MessageClass
from tests.core.support import POLICIES, RULES, TREATMENT, ZONES, utc
from tests.factories import borrower, obligation, watch

POINTS = (ContactPoint("email", "li@x.example"), ContactPoint("sms", "+8613900000001"))
STEP_AT = utc("2026-03-06 02:00")  # D-3 of a bill due on 2026-03-09: ten in Shanghai
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
channels = st.lists(st.sampled_from(preferences.CHANNELS), unique=True).map(tuple)


def said(
    wishes: Preferences,
    now: datetime = STEP_AT,
    step: str = "D-3",
    message_class: MessageClass | None = None,
    spoken: tuple[tuple[str, datetime], ...] = (),
) -> Decision:
    """Return the decision about a step of somebody with these wishes, whose bill is due on 2026-03-09."""
    steps = tuple(
        each if message_class is None else replace(each, message_class=message_class)
        for each in TREATMENT.steps
    )
    person = borrower(contact_points=POINTS, preferences=wishes)
    debt = obligation(due_on=date(2026, 3, 9), watch=watch(spoken=spoken))
    found = decide(Snapshot(person, debt), replace(TREATMENT, steps=steps), RULES, now, step=step)
    assert found is not None
    return found


def test_the_wanted_channel_goes_first_and_its_slot_stays() -> None:
    """A wish for SMS puts it before e-mail; the slot is still the place in the step's own list, so ids stay."""
    default, wanted = said(NONE), said(Preferences(channels=("sms",)))
    assert isinstance(default, Send)
    assert isinstance(wanted, Send)
    assert (default.channel, default.slot) == ("email", 0)
    assert (wanted.channel, wanted.slot) == ("sms", 1)


def test_a_wish_for_a_channel_that_the_step_has_not_adds_none() -> None:
    """Push is not among the step's channels: it goes as the treatment says."""
    decision = said(Preferences(channels=("push",)))
    assert isinstance(decision, Send)
    assert decision.channel == "email"


def test_own_quiet_hours_make_a_reminder_wait() -> None:
    """It waits for their end, and goes in that very instant; in the margin before they begin it waits as well."""
    wishes = Preferences(quiet_from=time(20), quiet_until=time(10, 30))
    decision = said(wishes)
    assert isinstance(decision, Wait)
    assert decision.reason is Reason.OWN_QUIET_HOURS
    assert decision.until == STEP_AT + timedelta(minutes=30)
    assert isinstance(said(wishes, decision.until), Send)

    wishes = Preferences(quiet_from=time(20), quiet_until=time(9, 30))
    begins = STEP_AT + timedelta(hours=10)
    assert isinstance(said(wishes, begins - CLOSING_MARGIN - timedelta(seconds=1)), Send)
    assert isinstance(said(wishes, begins - CLOSING_MARGIN), Wait)


def test_quiet_hours_over_the_deadline_end_the_step_for_that_reason() -> None:
    """Nothing is sent into quiet hours, however late it is; the record says whose hours they were."""
    wishes = Preferences(quiet_from=time(9), quiet_until=time(23))
    assert isinstance(said(wishes, utc("2026-03-08 13:30"), step="D-1"), Wait)
    last = said(wishes, utc("2026-03-08 15:00"), step="D-1")
    assert isinstance(last, Suppress)
    assert last.reason is Reason.OWN_QUIET_HOURS


def test_no_wish_holds_back_what_the_law_demands() -> None:
    """A statutory notice goes in own quiet hours and after any reminder; its channel is still the one wanted."""
    wishes = Preferences(
        channels=("sms",), quiet_from=time(8), quiet_until=time(22), one_reminder=True
    )
    spoken = (("D-7", STEP_AT - timedelta(days=4)),)
    decision = said(wishes, message_class=MessageClass.STATUTORY, spoken=spoken)
    assert isinstance(decision, Send)
    assert decision.channel == "sms"


def test_of_one_reminder_there_is_no_second() -> None:
    """Another courtesy step of the bill has spoken: not sent. The same step's second attempt, a statutory step before,
    and the first reminder are no second one.
    """
    one = Preferences(one_reminder=True)
    before = (("D-3", STEP_AT),)
    second = said(one, utc("2026-03-08 02:00"), step="D-1", spoken=before)
    assert isinstance(second, Suppress)
    assert second.reason is Reason.ONE_REMINDER_WANTED

    assert isinstance(said(one), Send)
    assert isinstance(said(one, spoken=before), Send)
    assert isinstance(said(NONE, utc("2026-03-08 02:00"), step="D-1", spoken=before), Send)


def test_a_word_about_arrears_is_no_reminder() -> None:
    """Who wants one reminder still hears that a bill is overdue."""
    spoken = (("D-3", STEP_AT),)
    decision = said(Preferences(one_reminder=True), utc("2026-03-10 02:00"), "D+1", spoken=spoken)
    assert isinstance(decision, Send)


@given(st.sampled_from(TREATMENT.steps), channels)
def test_an_order_keeps_all_channels_and_adds_none(step: object, wanted: tuple[str, ...]) -> None:
    """A permutation, whatever is wanted; without a wish it is the step's own order."""
    own = step.channels  # type: ignore[attr-defined]  # hypothesis gives a step
    found = preferences.ordered(own, Preferences(channels=wanted))
    assert sorted(found) == sorted(own)
    assert preferences.ordered(own, NONE) == own


@given(
    clocks,
    clocks,
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
)
def test_quiet_hours_cover_what_the_clock_shows(
    start: time, end: time, zone: str, at: datetime
) -> None:
    """Away from a change of clocks an instant is quiet if the wall clock is between the two ends; the end is later."""
    wishes = Preferences(quiet_from=start, quiet_until=end)
    until = preferences.quiet_until(wishes, zone, at)
    days = (timedelta(days=-2), timedelta(), timedelta(days=2))
    offsets = {(at + d).astimezone(zones.zone(zone)).utcoffset() for d in days}
    if len(offsets) > 1 or start == end:
        return
    wall = zones.local_time(at, zone)
    inside = start <= wall < end if start < end else wall >= start or wall < end
    assert (until is not None) is inside
    if until is not None:
        assert at < until <= at + timedelta(days=1)
        assert preferences.quiet_until(wishes, zone, until) is None


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        (Preferences(channels=("sms", "sms")), "channels"),
        (Preferences(channels=("pigeon",)), "channels"),
        (Preferences(language="tlh"), "language"),
        (Preferences(quiet_from=time(20)), "quiet_from"),
        (Preferences(quiet_until=time(20)), "quiet_from"),
        (Preferences(quiet_from=time(20), quiet_until=time(20)), "quiet_until"),
        (Preferences(quiet_from=time(20), quiet_until=time(10, 1)), "quiet_until"),
        (Preferences(quiet_from=time(20, tzinfo=UTC), quiet_until=time(21)), "quiet_from"),
    ],
)
def test_wishes_that_cannot_be_kept_are_refused(wishes: Preferences, field: str) -> None:
    """The refusal names the field."""
    with pytest.raises(Rejected) as caught:
        preferences.checked(wishes, channels=("sms", "email"), languages=("zh-CN", "en"))
    assert (caught.value.code, caught.value.field) == ("bad_preferences", field)


def test_fourteen_hours_of_quiet_are_kept() -> None:
    """The longest there may be, over midnight."""
    wishes = Preferences(("sms",), time(20), time(10), "en", one_reminder=True, digest=True)
    assert preferences.checked(wishes, channels=("sms",), languages=("en",)) == wishes
    assert POLICIES.default_locale == "zh-CN"
