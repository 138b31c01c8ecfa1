"""Consents and refusals: three switches that never mix, reaches by rule, and a ledger whose order does not matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.consent import (
    Consent,
    Entry,
    Ledger,
    Reach,
    Reassigned,
    Refusal,
    Standing,
    Switch,
    allows,
    lift,
    obey_by,
    open_media,
    reach_of,
    revoke,
    stands,
    switch_of,
    wider,
)
from betimes.core.rule import (
    ConsentForm,
    ConsentTerms,
    Enforce,
    Force,
    Kind,
    Party,
    Purpose,
    Rule,
    Status,
)
from betimes.core.workdays import Calendar

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
HOME, WORK = "n1", "n2"
REMINDER = Switch.REMINDER
REMINDERS = (Purpose.PRE_DEBIT, Purpose.OVERDUE, Purpose.COURTESY)

STOP = Refusal("r1", Switch.REMINDER, "sms", HOME, AT, Reach.ADDRESS)
GIVEN = Consent("c1", Purpose.COURTESY, "sms", HOME, ConsentForm.EXPRESS, AT, "form 7", "branch")


def is_open(
    *ledger: Entry,
    channel: str = "sms",
    address: str = HOME,
    purpose: Purpose = Purpose.COURTESY,
    at: datetime = AT + DAY,
    topic: str = "",
    sender: str = "",
) -> bool:
    """Return whether nothing refuses the contact, on the switch of its purpose."""
    switch = switch_of(purpose)
    return stands(ledger, switch, channel, address, purpose, at, topic=topic, sender=sender).allowed


def terms(
    form: ConsentForm = ConsentForm.NOT_REFUSED,
    reach: str = "address",
    purposes: tuple[Purpose, ...] = REMINDERS,
    valid_days: int = 0,
) -> ConsentTerms:
    """Return the terms of a consent rule."""
    return ConsentTerms(form, purposes, reach=reach, valid_days=valid_days)


def rule(
    reach: str,
    *,
    channels: tuple[str, ...] = (),
    since: date = date(2025, 4, 11),
    until: date | None = None,
    enforce: Enforce = Enforce.CAUTIOUS,
) -> Rule:
    """Return a consent rule that reaches so far."""
    return Rule(
        id=f"T.{reach}",
        title="a rule",
        pack="T",
        kind=Kind.CONSENT,
        terms=terms(reach=reach),
        parties=frozenset(),
        stages=frozenset(),
        purposes=frozenset(),
        channels=frozenset(channels),
        products=frozenset(),
        effective_from=since,
        effective_to=until,
        force=Force.REGULATION,
        status=Status.SECONDARY,
        enforce=enforce,
        citation="made up",
    )


# Three switches


def test_a_marketing_opt_out_stops_marketing_and_nothing_else() -> None:
    """Reminders and statutory notices go on by the same number."""
    no_ads = replace(STOP, switch=Switch.MARKETING)
    assert not is_open(no_ads, purpose=Purpose.MARKETING)
    for purpose in (*REMINDERS, Purpose.STATUTORY):
        assert is_open(no_ads, purpose=purpose)


def test_a_reminder_opt_out_stops_every_reminder_and_leaves_marketing() -> None:
    """No purpose of a reminder is let through, and the switch of marketing has not moved."""
    for purpose in REMINDERS:
        assert not is_open(STOP, purpose=purpose)
    assert is_open(STOP, purpose=Purpose.MARKETING)


def test_a_statutory_notice_is_never_stopped_and_goes_by_another_medium() -> None:
    """The rule lets it be; the medium that was closed is not among those it may go by."""
    assert allows((STOP,), terms(), Purpose.STATUTORY, "sms", HOME, AT + DAY)
    ways = (("sms", HOME), ("email", "m1"), ("letter", "a1"))
    open_ways = open_media((STOP,), ways, Purpose.STATUTORY, AT + DAY)
    assert open_ways == (("email", "m1"), ("letter", "a1"))
    closed = replace(STOP, channel="", address="", reach=Reach.ALL)
    assert open_media((closed,), ways, Purpose.STATUTORY, AT + DAY) == ()
    assert allows((closed,), terms(), Purpose.STATUTORY, "letter", "a1", AT + DAY)


def test_nobody_can_refuse_a_statutory_notice() -> None:
    """A refusal on that switch is a mistake of ours."""
    with pytest.raises(AssertionError):
        Refusal("r1", Switch.STATUTORY, "sms", HOME, AT)


def test_a_rule_that_names_statutory_notices_asks_consent_for_them() -> None:
    """A prerecorded call may need consent whatever it says; then the notice takes another medium."""
    strict = terms(ConsentForm.EXPRESS, purposes=(Purpose.STATUTORY,))
    assert not allows((), strict, Purpose.STATUTORY, "ai_call", HOME, AT)
    agreed = replace(GIVEN, purpose=Purpose.STATUTORY, channel="ai_call")
    assert allows((agreed,), strict, Purpose.STATUTORY, "ai_call", HOME, AT)


# Reaches


def test_reg_f_stops_one_address_only() -> None:
    """Source: 12 CFR 1006.6(e), the opt-out is of that address or number."""
    assert not is_open(STOP)
    assert is_open(STOP, address=WORK)
    assert is_open(STOP, channel="email", address="m1")


def test_new_york_city_stops_the_medium() -> None:
    """Every number for texts is closed, e-mail is not."""
    stop = replace(STOP, reach=Reach.CHANNEL)
    assert not is_open(stop, address=WORK)
    assert is_open(stop, channel="email", address="m1")


def test_a_topic_reaches_all_media_but_no_other_matter() -> None:
    """A revocation by text covers calls about the same matter; another loan is another matter."""
    stop = replace(
        STOP, reach=Reach.TOPIC, topic="loan-1", media=frozenset({"sms", "call", "ai_call"})
    )
    assert not is_open(stop, channel="call", address=WORK, topic="loan-1")
    assert is_open(stop, channel="call", address=WORK, topic="loan-2")
    assert is_open(stop, channel="email", address="m1", topic="loan-1")
    # A matter that is not known may be the one.
    assert not is_open(stop, channel="call", address=WORK)


def test_a_sender_is_refused_on_all_its_media_and_another_sender_on_none() -> None:
    """China: the refusal is of the one whose signature the text bears."""
    stop = replace(STOP, reach=Reach.SENDER, sender="bank")
    assert not is_open(stop, channel="email", address="m1", sender="bank")
    assert is_open(stop, channel="email", address="m1", sender="agency")
    assert is_open(stop, sender="agency", address=HOME)


def test_the_place_where_it_was_said_is_closed_also_outside_of_its_media() -> None:
    """A refusal by e-mail under a rule about calls closes the e-mail too."""
    stop = replace(STOP, channel="email", reach=Reach.ALL, media=frozenset({"call"}))
    assert not is_open(stop, channel="email")
    assert not is_open(stop, channel="call")
    assert is_open(stop, channel="letter")


def test_an_unknown_address_may_be_the_one_refused() -> None:
    """On the same medium only."""
    assert not is_open(STOP, address="")
    assert not is_open(replace(STOP, address=""), address=WORK)
    assert is_open(STOP, channel="call", address="")


def test_revoke_all_reaches_old_refusals_once_it_is_in_force() -> None:
    """The law is that of the instant of sending: planned in January for February, all is closed (trap 26)."""
    told = replace(STOP, reach=Reach.TOPIC, topic="loan-1", media=frozenset({"sms", "call"}))
    robo = ("sms", "call")
    before = terms(reach="topic")
    after = terms(reach="all")
    for channel in robo:
        assert allows(
            (told,), before, Purpose.OVERDUE, channel, WORK, AT + DAY, topic="loan-2", media=robo
        )
        assert not allows(
            (told,), after, Purpose.OVERDUE, channel, WORK, AT + DAY, topic="loan-2", media=robo
        )


def test_a_rule_about_calls_says_nothing_of_words_about_email() -> None:
    """An unsubscribe by e-mail is not a revocation for robocalls by itself."""
    mail = replace(STOP, channel="email", address="m1")
    assert allows(
        (mail,), terms(reach="all"), Purpose.OVERDUE, "call", HOME, AT + DAY, media=("call", "sms")
    )
    assert not allows((mail,), terms(reach="all"), Purpose.OVERDUE, "call", HOME, AT + DAY)


def test_reach_of_follows_the_rules_in_force() -> None:
    """A matter until 2027-01-31, from then on everything; a rule that is off or only shown asks nothing."""
    robo = ("sms", "call")
    switchover = date(2027, 1, 31)
    tcpa = (
        rule("topic", channels=robo, until=switchover),
        rule("all", channels=robo, since=switchover),
    )
    assert reach_of(tcpa, REMINDER, "sms", date(2027, 1, 30)) == (Reach.TOPIC, frozenset(robo))
    assert reach_of(tcpa, REMINDER, "sms", switchover) == (Reach.ALL, frozenset(robo))
    assert reach_of(tcpa, REMINDER, "email", switchover) == (Reach.CHANNEL, frozenset())
    assert reach_of((), REMINDER, "sms", switchover) == (Reach.CHANNEL, frozenset())
    for weak in (Enforce.SHOWN, Enforce.OFF):
        shown = (rule("all", enforce=weak), rule("address"))
        assert reach_of(shown, REMINDER, "sms", switchover) == (Reach.ADDRESS, frozenset())


def test_reach_of_takes_in_what_all_rules_ask() -> None:
    """A medium and a matter together are a sender; a rule for all media lifts the bound on media."""
    both = (rule("channel"), rule("topic", channels=("sms",)))
    assert reach_of(both, REMINDER, "sms", date(2026, 1, 1)) == (Reach.SENDER, frozenset({"sms"}))
    anywhere = (*both, rule("sender"))
    assert reach_of(anywhere, REMINDER, "sms", date(2026, 1, 1)) == (Reach.SENDER, frozenset())


def test_reach_of_asks_only_rules_about_the_switch_and_the_party() -> None:
    """A rule about marketing does not widen a refusal of reminders; one about agencies does not bind the lender."""
    ads = replace(rule("all"), terms=terms(reach="all", purposes=(Purpose.MARKETING,)))
    agency = replace(rule("sender"), parties=frozenset({Party.THIRD}))
    law, on = (ads, agency, rule("address")), date(2026, 1, 1)
    assert reach_of(law, REMINDER, "sms", on)[0] is Reach.SENDER
    assert reach_of(law, REMINDER, "sms", on, party=Party.THIRD)[0] is Reach.SENDER
    assert reach_of(law, REMINDER, "sms", on, party=Party.FIRST)[0] is Reach.ADDRESS
    assert reach_of(law, Switch.MARKETING, "sms", on)[0] is Reach.ALL
    unnamed = replace(rule("all"), terms=terms(reach="all", purposes=()))
    assert reach_of((unnamed,), REMINDER, "sms", on)[0] is Reach.ALL


@given(st.sampled_from(Reach), st.sampled_from(Reach), st.sampled_from(Reach))
def test_wider_is_a_join(one: Reach, two: Reach, three: Reach) -> None:
    """The order in which rules are read makes no difference."""
    assert wider(one, two) == wider(two, one)
    assert wider(one, wider(two, three)) == wider(wider(one, two), three)
    assert wider(one, one) is one
    assert wider(one, Reach.ALL) is Reach.ALL
    assert wider(one, Reach.ADDRESS) is one


# Forms, ends and edges


def test_unknown_consent_is_no_consent() -> None:
    """A rule that asks for any form finds none in an empty ledger; one that asks only for no refusal is content."""
    for form in ConsentForm:
        allowed = allows((), terms(form), Purpose.COURTESY, "sms", HOME, AT)
        assert allowed is (form is ConsentForm.NOT_REFUSED)


def test_a_form_is_enough_for_itself_and_all_weaker_ones() -> None:
    """Written counts as express, opt-in does not."""
    forms = list(ConsentForm)
    for has, asked in ((has, asked) for has in forms for asked in forms):
        allowed = allows(
            (replace(GIVEN, form=has),), terms(asked), Purpose.COURTESY, "sms", HOME, AT
        )
        assert allowed is (forms.index(has) >= forms.index(asked))


def test_a_consent_is_for_its_purpose_channel_and_address() -> None:
    """An empty channel or address stands for all; a purpose stands for itself."""
    asked = terms(ConsentForm.OPT_IN)
    assert allows((GIVEN,), asked, Purpose.COURTESY, "sms", HOME, AT)
    assert not allows((GIVEN,), asked, Purpose.OVERDUE, "sms", HOME, AT)
    assert not allows((GIVEN,), asked, Purpose.COURTESY, "call", HOME, AT)
    assert not allows((GIVEN,), asked, Purpose.COURTESY, "sms", WORK, AT)
    anywhere = replace(GIVEN, channel="", address="")
    assert allows((anywhere,), asked, Purpose.COURTESY, "call", WORK, AT)


def test_a_purpose_that_a_rule_does_not_name_is_let_be() -> None:
    """A rule that names none means all but statutory notices."""
    asked = terms(ConsentForm.WRITTEN, purposes=(Purpose.MARKETING,))
    assert allows((), asked, Purpose.COURTESY, "sms", HOME, AT)
    assert not allows((), asked, Purpose.MARKETING, "sms", HOME, AT)
    unnamed = terms(ConsentForm.WRITTEN, purposes=())
    assert not allows((), unnamed, Purpose.COURTESY, "sms", HOME, AT)
    assert allows((), unnamed, Purpose.STATUTORY, "sms", HOME, AT)


def test_entries_count_from_their_instant_until_before_their_end() -> None:
    """One tick on either side of each edge."""
    end = AT + DAY
    asked = terms(ConsentForm.EXPRESS)
    for ended in (replace(GIVEN, revoked_at=end), replace(GIVEN, valid_until=end)):
        at_edges = [
            allows((ended,), asked, Purpose.COURTESY, "sms", HOME, at)
            for at in (AT - TICK, AT, end - TICK, end)
        ]
        assert at_edges == [False, True, True, False]
    lifted = replace(STOP, lifted_at=end)
    refused = [not is_open(lifted, at=at) for at in (AT - TICK, AT, end - TICK, end)]
    assert refused == [False, True, True, False]


def test_of_several_ends_the_quieter_counts() -> None:
    """The earlier end of a consent, the later lift of a refusal, in any order."""
    asked = terms(ConsentForm.EXPRESS)
    early = replace(GIVEN, revoked_at=AT + DAY, valid_until=AT + 2 * DAY)
    late = replace(GIVEN, revoked_at=AT + 2 * DAY)
    for ledger in permutations((GIVEN, early, late)):
        assert allows(ledger, asked, Purpose.COURTESY, "sms", HOME, AT + DAY - TICK)
        assert not allows(ledger, asked, Purpose.COURTESY, "sms", HOME, AT + DAY)
    lifts = (replace(STOP, lifted_at=AT + DAY), replace(STOP, lifted_at=AT + 2 * DAY))
    for refusals in permutations((STOP, *lifts)):
        assert not is_open(*refusals, at=AT + 2 * DAY - TICK)
        assert is_open(*refusals, at=AT + 2 * DAY)


def test_a_consent_may_grow_too_old_for_a_rule() -> None:
    """Texts are validated anew every 60 days: to the last tick before, and no more then."""
    asked = terms(ConsentForm.EXPRESS, valid_days=60)
    assert allows((GIVEN,), asked, Purpose.COURTESY, "sms", HOME, AT + 60 * DAY - TICK)
    assert not allows((GIVEN,), asked, Purpose.COURTESY, "sms", HOME, AT + 60 * DAY)


def test_a_refusal_outweighs_a_consent_until_it_is_lifted() -> None:
    """Also a consent that is given later: what was said is taken back where it was said."""
    later = replace(GIVEN, given_at=AT + 2 * DAY)
    at = AT + 3 * DAY
    assert not allows((STOP, later), terms(ConsentForm.EXPRESS), Purpose.COURTESY, "sms", HOME, at)
    taken_back = lift((STOP, later), Switch.REMINDER, "sms", HOME, AT + 2 * DAY)
    assert allows(
        (STOP, later, *taken_back), terms(ConsentForm.EXPRESS), Purpose.COURTESY, "sms", HOME, at
    )


def test_standing_names_what_it_rests_on() -> None:
    """The earliest refusal, else the strongest consent, else nothing."""
    asked = (Switch.REMINDER, "sms", HOME, Purpose.COURTESY, AT + DAY)
    second = replace(STOP, id="r0", at=AT + TICK)
    written = replace(GIVEN, id="c0", form=ConsentForm.WRITTEN)
    assert stands((), *asked) == Standing(True, "", ConsentForm.NOT_REFUSED)
    assert stands((GIVEN, written), *asked) == Standing(True, "c0", ConsentForm.WRITTEN)
    assert stands((second, GIVEN, STOP), *asked) == Standing(False, "r1", None)


# Numbers that change hands


def test_a_number_that_went_to_somebody_else_has_no_consent_left() -> None:
    """No form of consent of before counts there, not even one for any address; other addresses are untouched."""
    lost = Reassigned("x1", HOME, AT + DAY)
    at = AT + 2 * DAY
    anywhere = replace(GIVEN, id="c2", address="")
    entries: Ledger = (GIVEN, anywhere, lost)
    for ledger in permutations(entries):
        assert not allows(ledger, terms(), Purpose.COURTESY, "sms", HOME, at)
        assert allows(ledger, terms(ConsentForm.EXPRESS), Purpose.COURTESY, "sms", WORK, at)
        assert allows(ledger, terms(), Purpose.COURTESY, "sms", HOME, AT + DAY - TICK)
        # A notice that nobody may refuse does not go to a stranger either.
        assert open_media(ledger, [("sms", HOME), ("sms", WORK)], Purpose.STATUTORY, at) == (
            ("sms", WORK),
        )


def test_a_consent_given_afterwards_makes_the_number_theirs_again() -> None:
    """What was agreed to before does not come back with it."""
    lost = Reassigned("x1", HOME, AT + DAY)
    fresh = replace(GIVEN, id="c3", form=ConsentForm.OPT_IN, given_at=AT + 2 * DAY)
    at = AT + 3 * DAY
    ledger = (fresh, lost, GIVEN)
    assert allows(ledger, terms(ConsentForm.OPT_IN), Purpose.COURTESY, "sms", HOME, at)
    assert not allows(ledger, terms(ConsentForm.EXPRESS), Purpose.COURTESY, "sms", HOME, at)
    same = replace(fresh, given_at=AT + DAY)
    assert not allows((lost, same), terms(), Purpose.COURTESY, "sms", HOME, at)
    wide = (replace(same, address="", form=ConsentForm.WRITTEN), fresh, lost)
    assert not allows(wide, terms(ConsentForm.EXPRESS), Purpose.COURTESY, "sms", HOME, at)
    gone = replace(fresh, revoked_at=AT + 2 * DAY + TICK)
    assert not allows((*ledger, gone), terms(), Purpose.COURTESY, "sms", HOME, at)


# Revoking and lifting


def test_a_refusal_takes_back_what_lies_within_its_reach() -> None:
    """A consent for any number outlives a refusal of one, which stops contact there by itself."""
    wide = replace(GIVEN, id="c2", address="")
    ads = replace(GIVEN, id="c3", purpose=Purpose.MARKETING)
    due = AT + 14 * DAY
    stop = replace(STOP, at=AT + DAY)
    ledger = (GIVEN, wide, ads)
    ended = revoke(ledger, stop, due)
    assert ended == (replace(GIVEN, revoked_at=AT + DAY, revocation_due_at=due),)
    medium = revoke(ledger, replace(stop, reach=Reach.CHANNEL))
    assert [each.id for each in medium] == ["c1", "c2"]
    assert not revoke(ledger, replace(stop, reach=Reach.ALL, provisional=True))
    assert not revoke((*ledger, *ended), replace(stop, at=AT + 2 * DAY))
    everything = revoke(ledger, replace(stop, reach=Reach.ALL))
    assert [each.id for each in everything] == ["c1", "c2"]
    for narrower in (
        replace(stop, reach=Reach.TOPIC, topic="loan-1"),
        replace(stop, reach=Reach.ALL, channel="call", media=frozenset({"call"})),
        replace(stop, at=AT - TICK),
    ):
        assert not revoke(ledger, narrower)


def test_start_lifts_the_stop_of_the_same_number_and_no_other() -> None:
    """However far the stop reached; the switch of marketing, another number and a later stop stay."""
    far = replace(STOP, reach=Reach.ALL)
    others = (
        replace(STOP, id="r2", address=WORK),
        replace(STOP, id="r3", channel="call"),
        replace(STOP, id="r4", switch=Switch.MARKETING),
        replace(STOP, id="r5", at=AT + 2 * DAY),
    )
    lifted = lift((far, *others), Switch.REMINDER, "sms", HOME, AT + DAY)
    assert lifted == (replace(far, lifted_at=AT + DAY),)
    assert not lift((far, *lifted), Switch.REMINDER, "sms", HOME, AT + DAY)


# Deadlines


OFFICE = Calendar(
    name="office",
    jurisdiction="US",
    source="made up",
    published=frozenset({2026}),
    holidays=frozenset({date(2026, 11, 26)}),
)


def test_ten_business_days_end_with_the_tenth() -> None:
    """From a Tuesday: Thanksgiving and two weekends are passed over; the end of Wednesday, New York time."""
    due = obey_by(AT, 10, "America/New_York", OFFICE)
    assert due == datetime(2026, 12, 10, 5, 0, tzinfo=UTC)


def test_a_deadline_counts_from_the_civil_day_where_the_person_is() -> None:
    """At 02:00 UTC it is still the day before in New York."""
    early = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert obey_by(early, 1, "America/New_York", OFFICE) == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    assert obey_by(early, 1, "Asia/Shanghai", OFFICE) == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)


def test_an_unpublished_year_makes_the_deadline_shorter_and_never_longer() -> None:
    """All days count where the calendar does not know, or where there is none; zero days are at once."""
    late = datetime(2026, 12, 28, 15, 0, tzinfo=UTC)
    assert obey_by(late, 10, "America/New_York", OFFICE) == datetime(2027, 1, 8, 5, 0, tzinfo=UTC)
    assert obey_by(late, 10, "America/New_York", None) == datetime(2027, 1, 8, 5, 0, tzinfo=UTC)
    assert obey_by(late, 0, "America/New_York", OFFICE) == late


# Replay


INSTANTS = st.sampled_from([AT + n * DAY for n in range(6)])
CHANNELS = st.sampled_from(["", "sms", "call"])
ADDRESSES = st.sampled_from(["", HOME, WORK])
ENDS = st.none() | INSTANTS
ENTRIES = st.one_of(
    st.builds(
        Consent,
        st.sampled_from(["c1", "c2"]),
        st.sampled_from(Purpose),
        CHANNELS,
        ADDRESSES,
        st.sampled_from(ConsentForm),
        INSTANTS,
        st.just("form"),
        st.just("branch"),
        revoked_at=ENDS,
        valid_until=ENDS,
    ),
    st.builds(
        Refusal,
        st.sampled_from(["r1", "r2"]),
        st.sampled_from([Switch.REMINDER, Switch.MARKETING]),
        CHANNELS,
        ADDRESSES,
        INSTANTS,
        st.sampled_from(Reach),
        lifted_at=ENDS,
        media=st.sampled_from([frozenset[str](), frozenset({"sms"})]),
    ),
    st.builds(Reassigned, st.sampled_from(["x1", "x2"]), st.sampled_from([HOME, WORK]), INSTANTS),
)
LEDGERS = st.lists(ENTRIES, max_size=6).map(tuple)


@given(LEDGERS, st.data(), st.sampled_from(Purpose), INSTANTS)
def test_replay_in_any_order_and_twice_gives_the_same_answer(
    ledger: Ledger, data: st.DataObject, purpose: Purpose, at: datetime
) -> None:
    """Whatever the store hands back first, and however often."""
    again = data.draw(st.permutations([*ledger, *ledger]))
    asked = (switch_of(purpose), "sms", HOME, purpose, at)
    one, other = stands(ledger, *asked), stands(tuple(again), *asked)
    assert (one.allowed, one.because, one.form) == (other.allowed, other.because, other.form)
    for form in ConsentForm:
        law = terms(form, purposes=(purpose,), reach="all")
        assert allows(ledger, law, purpose, "sms", HOME, at) == allows(
            tuple(again), law, purpose, "sms", HOME, at
        )


@given(LEDGERS, st.sampled_from(Purpose), INSTANTS, INSTANTS, st.sampled_from(Reach))
def test_a_refusal_only_ever_makes_us_quieter(
    ledger: Ledger, purpose: Purpose, at: datetime, said_at: datetime, reach: Reach
) -> None:
    """No contact that was closed opens because somebody said no."""
    no = Refusal("new", Switch.REMINDER, "sms", HOME, said_at, reach)
    asked = (switch_of(purpose), "call", WORK, purpose, at)
    assert stands(ledger, *asked).allowed >= stands((*ledger, no), *asked).allowed


@given(LEDGERS, INSTANTS)
def test_no_ledger_stops_a_statutory_notice(ledger: Ledger, at: datetime) -> None:
    """The rule about reminders lets it be whatever is on record."""
    assert allows(ledger, terms(ConsentForm.WRITTEN), Purpose.STATUTORY, "letter", "a1", at)


@given(LEDGERS, INSTANTS)
def test_a_wider_rule_never_opens_what_a_narrower_one_closes(ledger: Ledger, at: datetime) -> None:
    """Over the join of reaches."""
    for one in Reach:
        for other in Reach:
            narrow = allows(ledger, terms(reach=one), Purpose.COURTESY, "sms", HOME, at)
            wide = allows(ledger, terms(reach=wider(one, other)), Purpose.COURTESY, "sms", HOME, at)
            assert narrow >= wide
