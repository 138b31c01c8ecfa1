"""Permission: the money first, then the budget, then all rules; the strictest answer over all debts holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from betimes.core.book import Pages
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.budget import KEEP, Budget, token_of
from betimes.core.decide import FEED_RETRY
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind as HoldKind
from betimes.core.intake import AddRepayment, ChooseEntry, Command, PutFlight, PutHold
from betimes.core.law import HOUSE, Effect, Given, Law, Trigger
from betimes.core.permission import GOOD_FOR, Permission, Wanted, permission, touch_of
from betimes.core.policies import Policies
from betimes.core.reason import Reason
from betimes.core.rule import (
    WEEKDAYS,
    Bound,
    CapTerms,
    ConsentForm,
    ConsentTerms,
    CooloffAfter,
    CooloffTerms,
    Enforce,
    Force,
    Kind,
    NoticeTerms,
    NoticeUnit,
    Pack,
    Party,
    Per,
    Purpose,
    Recipient,
    Rule,
    Scope,
    Span,
    Stage,
    Status,
    Stops,
    SuppressTerms,
    Terms,
    Unit,
    Where,
    WindowTerms,
)
from betimes.core.rules import Rules
from betimes.core.said import Act, Statement, TellConsents
from betimes.core.touch import TEXTS, Touch
from betimes.core.treatment import Entry
from tests.core.support import POLICIES, TICK, utc
from tests.core.test_intake import ACCOUNT, BILL, EMPTY, PERSON, told
from tests.factories import touch

# Somebody in Shanghai of whose jurisdiction there is no pack: the house rules, from 09:00 to 20:00, three a day.
TOLD_AT = utc("2026-03-01 02:00")
PERSON_XX = replace(PERSON, jurisdiction="XX")
OWING = told([PERSON_XX, ACCOUNT, BILL])
# The day after the due date, noon in Shanghai.
NOON = utc("2026-03-10 04:00")
HOUR = timedelta(hours=1)
CALL = Wanted("call", Purpose.OVERDUE, debts=("o1",))


def asked(
    pages: Pages = OWING,
    wanted: Wanted = CALL,
    now: datetime = NOON,
    policies: Policies = POLICIES,
) -> Permission:
    """Return what is said to a contact."""
    return permission(pages, wanted, policies, now)


def after(*commands: Command, pages: Pages = OWING, now: datetime = NOON) -> Pages:
    """Return the pages after commands told at noon."""
    return told(commands, pages, now)


def counted(*touches: Touch, pages: Pages = OWING) -> Pages:
    """Return the pages with these touches in the budget."""
    return pages.with_budget(Budget(1, touches))


def calls(n: int, at: datetime = NOON - HOUR) -> list[Touch]:
    """Return calls that nobody answered, a minute apart."""
    return [touch(id=f"t{k}", at=at + k * timedelta(minutes=1)) for k in range(n)]


def law(*rules: tuple[str, Kind, Terms]) -> Policies:
    """Return the policies under a law of these rules of the house and no others."""
    made = [
        Rule(
            id=name,
            title=name,
            pack=HOUSE,
            kind=kind,
            terms=terms,
            parties=frozenset(),
            stages=frozenset(),
            purposes=frozenset(),
            channels=frozenset(),
            products=frozenset(),
            effective_from=date(1900, 1, 1),
            effective_to=None,
            force=Force.HOUSE,
            status=Status.VERIFIED,
            enforce=Enforce.HARD,
            citation="a test",
        )
        for name, kind, terms in rules
    ]
    house = Pack(HOUSE, "test", "", ("Asia/Shanghai",), (), "", tuple(made))
    return replace(POLICIES, rules=Rules(Law({HOUSE: house}, {})))


def test_a_lawful_contact_is_allowed_for_an_hour() -> None:
    """With every rule answered; it may be acted on for an hour."""
    said = asked()
    assert said.effect is Effect.ALLOW
    assert said.is_given
    assert said.until == NOON + GOOD_FOR
    assert (said.rule_ids, said.reasons, said.notices) == ((), (), ())
    ids = [answer.rule_id for answer in said.answers]
    assert ids == sorted(ids)
    assert {"HOUSE.TIME", "HOUSE.CAP"} <= set(ids)


def test_a_permission_ends_when_the_hours_close() -> None:
    """Half an hour before the window closes it is good for half an hour."""
    closing = utc("2026-03-10 12:00")
    assert asked(now=closing - HOUR / 2).until == closing
    said = asked(now=closing)
    assert (said.effect, said.until) == (Effect.DEFER, utc("2026-03-11 01:00"))
    assert said.rule_ids == ("HOUSE.TIME",)


def test_a_permission_ends_with_the_day() -> None:
    """Caps count by the day: what is reserved today must not be used tomorrow."""
    said = asked(now=utc("2026-03-10 15:30"), policies=law())
    assert (said.effect, said.until) == (Effect.ALLOW, utc("2026-03-10 16:00"))


def test_a_cap_counts_all_callers() -> None:
    """Three today by whomever are all there may be; the fourth waits for midnight, and its own touch is not one."""
    assert asked(counted(*calls(2))).effect is Effect.ALLOW
    full = counted(*calls(2), touch(id="own", at=NOON - HOUR / 2, by="bank"))
    said = asked(full)
    assert (said.effect, said.rule_ids) == (Effect.DEFER, ("HOUSE.CAP",))
    assert said.until == utc("2026-03-10 16:00")
    assert asked(full, replace(CALL, touch_id="own")).effect is Effect.ALLOW


def test_nobody_who_has_paid_is_contacted() -> None:
    """Not about what was paid, named or as the last thing owed; the law may still be owed a notice."""
    paid = after(AddRepayment("r1", "o1", "a1", TOLD_AT, 1000))
    for wanted in (CALL, replace(CALL, debts=())):
        said = asked(paid, wanted)
        assert (said.effect, said.reasons, said.until) == (Effect.DENY, (Reason.PAID,), None)
    statutory = replace(CALL, purpose=Purpose.STATUTORY)
    assert asked(paid, statutory).effect is Effect.ALLOW
    assert asked(paid, replace(statutory, debts=())).effect is Effect.ALLOW


def test_money_under_way_is_waited_for() -> None:
    """Until its result is overdue by the product's patience."""
    pending = PutFlight(
        "f1", "a1", "o1", Means.DEBIT, 1000, FlightState.PENDING, NOON - HOUR, NOON + HOUR
    )
    said = asked(after(pending))
    assert (said.effect, said.reasons) == (Effect.DEFER, (Reason.MONEY_IN_FLIGHT,))
    assert said.until is not None
    assert asked(after(pending), now=said.until - TICK).effect is Effect.DEFER
    assert Reason.MONEY_IN_FLIGHT not in asked(after(pending), now=said.until).reasons
    assert asked(after(pending), replace(CALL, purpose=Purpose.STATUTORY)).is_given


def test_a_full_budget_waits() -> None:
    """Where touches had to be counted out nobody can say that there is room; a statutory notice goes nevertheless."""
    full = OWING.with_budget(Budget(1, (), NOON + KEEP))
    said = asked(full)
    assert (said.effect, said.reasons, said.until) == (
        Effect.DEFER,
        (Reason.CONTACT_CAP,),
        NOON + KEEP,
    )
    assert asked(full, replace(CALL, purpose=Purpose.STATUTORY)).is_given
    assert asked(OWING.with_budget(Budget(1, (), NOON))).is_given


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (PointState.OPTED_OUT, Reason.CONTACT_POINT_SUPPRESSED),
        (PointState.BOUNCED, Reason.CONTACT_POINT_SUPPRESSED),
        (PointState.UNCONFIRMED, Reason.CONTACT_POINT_UNCONFIRMED),
        (PointState.ACTIVE, None),
    ],
)
def test_a_closed_address_is_closed_for_all(state: PointState, reason: Reason | None) -> None:
    """An address that opted out of us is not to be written to by an agency either, also once it was replaced."""
    assert OWING.head is not None
    point = ContactPoint("email", "li@example.com", state)
    mail = replace(CALL, channel="email", address="li@example.com")
    for fields in ({"contact_points": (point,)}, {"contact_points": (), "blocked": (point,)}):
        said = asked(OWING.with_head(replace(OWING.head, **fields)), mail)
        assert said.reasons == (() if reason is None else (reason,))
        assert said.is_given is (reason is None)


def test_a_hold_stops_everybody() -> None:
    """A hold of the whole borrower, or on the debt, until it is over; one on another debt does not."""
    said = asked(after(PutHold("h1", HoldKind.DECEASED, TOLD_AT)))
    assert (said.effect, said.reasons) == (Effect.DENY, (Reason.HOLD_DECEASED,))
    said = asked(after(PutHold("h1", HoldKind.DISPUTE, TOLD_AT, NOON + HOUR)))
    assert (said.effect, said.until) == (Effect.DEFER, NOON + HOUR)
    assert asked(after(PutHold("h1", HoldKind.OPT_OUT, TOLD_AT))).is_given
    courtesy = replace(CALL, purpose=Purpose.COURTESY)
    assert not asked(after(PutHold("h1", HoldKind.OPT_OUT, TOLD_AT)), courtesy).is_given
    two = told([replace(BILL, obligation_id="o2", seq=2)], OWING)
    other = after(PutHold("h1", HoldKind.DISPUTE, TOLD_AT, obligation_id="o2"), pages=two)
    assert asked(other).is_given
    # Without a debt named it is about all of them, so the strictest answer holds.
    assert not asked(other, replace(CALL, debts=())).is_given


def test_the_strictest_of_several_debts_holds() -> None:
    """Each debt is asked about in its own stage: what is forbidden for one is forbidden."""
    early = replace(BILL, obligation_id="o2", seq=2, due_on=date(2026, 4, 9))
    two = told([early], OWING)
    house = POLICIES.rules.law.packs[HOUSE]
    window = next(rule for rule in house.rules if rule.kind is Kind.WINDOW)
    late = replace(window, id="HOUSE.LATE", stages=frozenset({Stage.OVERDUE, Stage.GRACE}))
    strict = replace(POLICIES, rules=Rules(Law({HOUSE: replace(house, rules=(late,))}, {})))
    night = utc("2026-03-10 14:00")
    assert asked(two, replace(CALL, debts=("o2",)), night, strict).is_given
    assert asked(two, replace(CALL, debts=("o1", "o2")), night, strict).effect is Effect.DEFER
    assert asked(two, replace(CALL, debts=()), night, strict).effect is Effect.DEFER


def test_each_rule_is_answered_once_by_its_strictest_word() -> None:
    """Of several debts the answer that stops is shown, not the one that lets go, whichever is asked first."""
    two = told([replace(BILL, obligation_id="o2", seq=2)], OWING)
    cap = law(("HOUSE.DEBT", Kind.CAP, CapTerms(1, Unit.ATTEMPT, Per.CALENDAR_DAY, Scope.DEBT)))
    called = counted(replace(calls(1)[0], debts=("o1",)), pages=two)
    for debts in (("o1", "o2"), ("o2", "o1")):
        said = asked(called, replace(CALL, debts=debts), policies=cap)
        assert [(answer.rule_id, answer.effect) for answer in said.answers] == [
            ("HOUSE.DEBT", Effect.DEFER)
        ]


def test_what_time_does_not_heal_outweighs_what_it_does() -> None:
    """At night an employer is refused, not put off."""
    night = utc("2026-03-10 14:00")
    said = asked(wanted=replace(CALL, recipient=Recipient.EMPLOYER), now=night)
    assert (said.effect, said.until) == (Effect.DENY, None)
    paid = after(AddRepayment("r1", "o1", "a1", TOLD_AT, 1000))
    said = asked(paid, now=night)
    assert (said.effect, said.until, said.reasons) == (Effect.DENY, None, (Reason.PAID,))


def test_rules_hear_of_holds() -> None:
    """A rule that suppresses sees the holds on the debt, on any channel or on this one, and of no other debt."""
    rules = law(("HOUSE.WEDDING", Kind.SUPPRESS, SuppressTerms(("hardship",), Stops.ALL)))
    two = told([replace(BILL, obligation_id="o2", seq=2)], OWING)
    hold = PutHold("h1", HoldKind.HARDSHIP, TOLD_AT, obligation_id="o1")
    statutory = replace(CALL, purpose=Purpose.STATUTORY)
    held = after(hold, pages=two)
    assert asked(held, statutory, policies=rules).rule_ids == ("HOUSE.WEDDING",)
    assert asked(held, replace(statutory, debts=("o2",)), policies=rules).is_given
    mail = after(replace(hold, channel="email"), pages=two)
    assert asked(mail, statutory, policies=rules).is_given
    assert not asked(mail, replace(statutory, channel="email"), policies=rules).is_given


@pytest.mark.parametrize("stage", [Stage.OVERDUE, Stage.PRE_DUE])
def test_about_no_debt_the_rules_of_both_stages_bind(stage: Stage) -> None:
    """Where nothing is owed, nobody can say which stage a contact is in."""
    house = POLICIES.rules.law.packs[HOUSE]
    window = next(rule for rule in house.rules if rule.kind is Kind.WINDOW)
    rules = (replace(window, stages=frozenset({stage})),)
    strict = replace(POLICIES, rules=Rules(Law({HOUSE: replace(house, rules=rules)}, {})))
    nothing = told([replace(PERSON, jurisdiction="XX")])
    wanted = Wanted("email", Purpose.MARKETING)
    assert asked(nothing, wanted, utc("2026-03-10 14:00"), strict).effect is Effect.DEFER
    assert asked(nothing, wanted, NOON, strict).effect is Effect.ALLOW


def test_a_notice_that_is_owed_is_asked_for() -> None:
    """The contact may be made, with the notice; once that was given it is simply allowed."""
    terms = NoticeTerms("due", Bound.AT_LEAST_BEFORE, 3, NoticeUnit.DAYS)
    rules = law(("HOUSE.NOTICE", Kind.NOTICE, terms))
    due = Trigger("due", NOON + timedelta(days=10))
    said = asked(wanted=replace(CALL, triggers=(due,)), policies=rules)
    assert (said.effect, said.notices, said.is_given) == (
        Effect.REQUIRE,
        ("HOUSE.NOTICE",),
        True,
    )
    given = replace(CALL, triggers=(due,), notices_given=(Given("HOUSE.NOTICE", NOON - HOUR),))
    assert asked(wanted=given, policies=rules).effect is Effect.ALLOW


def test_who_is_spoken_to_is_asked() -> None:
    """An employer is nobody to speak to, and time does not heal that."""
    said = asked(wanted=replace(CALL, recipient=Recipient.EMPLOYER))
    assert (said.effect, said.until) == (Effect.DENY, None)
    assert said.rule_ids == ("HOUSE.WHO",)


def test_the_number_has_a_law_and_clocks_of_its_own() -> None:
    """A number of Los Angeles binds its zone where windows ask for it, and the packs of its country."""
    american = replace(CALL, address="+12135550100", number_zones=("America/Los_Angeles",))
    ids = {answer.rule_id for answer in asked(wanted=american).answers}
    assert any(name.startswith("US.") for name in ids)
    assert not any(name.startswith("US.") for name in {a.rule_id for a in asked().answers})


@pytest.mark.parametrize(
    ("pages", "wanted", "code"),
    [
        (EMPTY, CALL, "unknown_borrower"),
        (OWING, replace(CALL, debts=("o9",)), "unknown_obligation"),
    ],
)
def test_what_cannot_be_asked_is_refused(pages: Pages, wanted: Wanted, code: str) -> None:
    """Somebody nobody knows, and a debt that is not theirs."""
    with pytest.raises(Rejected) as caught:
        asked(pages, wanted)
    assert caught.value.code == code


def _facts(found: Touch) -> Sequence[bool]:
    return found.attempt, found.connected, found.conversation, found.message_left


@pytest.mark.parametrize("channel", ["call", "ai_call", "visit", "sms", "letter", "webhook"])
def test_a_reservation_is_the_worst_that_may_come(channel: str) -> None:
    """A call may be a conversation already; a text is submitted and nothing more."""
    wanted = replace(CALL, channel=channel, touch_id="t1", address="x", party=Party.THIRD)
    found = touch_of("bank", "b1", wanted, NOON)
    spoken = channel not in TEXTS - {"webhook"}
    assert _facts(found) == (True, spoken, spoken, spoken)
    assert found.reserved
    assert (found.by, found.number, found.party) == (
        "bank",
        token_of("bank", "b1", "x"),
        Party.THIRD,
    )


def test_no_fact_makes_it_more_permissive_by_silence() -> None:
    """What the caller leaves out is no way around: without a number the touches of every number count."""
    cap = CapTerms(6, Unit.ATTEMPT, Per.CALENDAR_DAY, Scope.NUMBER)
    policies = law(("HOUSE.NUMBER", Kind.CAP, cap))
    here = token_of("bank", "b1", "+861380000")
    pages = counted(*(replace(each, number=here) for each in calls(6)))
    assert not asked(pages, replace(CALL, address=""), policies=policies).is_given
    assert not asked(pages, replace(CALL, address="+861380000"), policies=policies).is_given
    assert asked(pages, replace(CALL, address="+861390000"), policies=policies).is_given


def test_who_has_to_wait_hears_until_when() -> None:
    """Three calls today: the cap has room from midnight, and nobody may call before nine."""
    said = asked(counted(*calls(3)))
    assert (said.effect, said.until) == (Effect.DEFER, utc("2026-03-10 16:00"))
    assert said.next_allowed_at == utc("2026-03-11 01:00")
    assert asked(counted(*calls(3)), now=said.next_allowed_at).is_given
    assert asked().next_allowed_at is None


def test_what_is_ahead_counts_as_if_it_had_been_made() -> None:
    """Two calls today and one contact that is planned: no room, for as long as it is planned."""
    coming = touch(id="o2~D+1", at=NOON + HOUR, reserved=True)
    pages = counted(*calls(2))
    assert permission(pages, CALL, POLICIES, NOON).is_given
    assert permission(pages, CALL, POLICIES, NOON, (coming,)).effect is Effect.DEFER


def test_the_next_instant_is_one_of_the_age_that_the_debt_has_then() -> None:
    """Of a debt that is due today and overdue tomorrow: tomorrow's hours are those of an overdue one, and a
    rule about its first days ends with them.
    """

    def hours(name: str, opens: int, stage: Stage, until: int | None = None) -> Rule:
        spans = (Span(time(opens), time(opens + 2)),)
        terms = WindowTerms(dict.fromkeys(WEEKDAYS, spans), Where.CONSUMER, dpd_at_most=until)
        only = law((name, Kind.WINDOW, terms)).rules.law.packs[HOUSE].rules[0]
        return replace(only, stages=frozenset({stage}))

    def said(*rules: Rule) -> datetime | None:
        house = Pack(HOUSE, "test", "", ("Asia/Shanghai",), (), "", rules)
        policies = replace(POLICIES, rules=Rules(Law({HOUSE: house}, {})))
        found = asked(now=NOON - timedelta(days=1), policies=policies)
        assert found.effect is Effect.DEFER
        return found.next_allowed_at

    due = hours("X.DUE", 8, Stage.DUE_DAY)
    assert said(due, hours("X.LATE", 14, Stage.OVERDUE)) == utc("2026-03-10 06:00")
    late = [hours("X.LATE", 14, Stage.OVERDUE), hours("X.NEW", 8, Stage.OVERDUE, until=3)]
    assert said(due, *late) == utc("2026-03-13 06:00")


def test_a_number_of_elsewhere_narrows_the_hours() -> None:
    """Nine in Shanghai is four in the morning in Moscow: a number from there must be awake too, as at a send; one
    that fits the zone of the person adds nothing.
    """
    far = replace(CALL, address="+74951234567", number_zones=("Europe/Moscow",))
    early = utc("2026-03-10 01:30")
    assert asked(now=early).is_given
    said = asked(wanted=far, now=early)
    assert (said.effect, said.next_allowed_at) == (Effect.DEFER, utc("2026-03-10 06:00"))
    assert asked(wanted=far, now=utc("2026-03-10 06:00")).is_given
    # Somebody who has moved within a country of several zones keeps a number that may be of each.
    fits = replace(far, address="", number_zones=("Asia/Shanghai", "Europe/Moscow"))
    assert asked(wanted=fits, now=early).is_given


def test_a_permission_ends_with_the_day_of_the_number_too() -> None:
    """Where it is midnight first, all has to be asked again first."""
    far = replace(CALL, number_zones=("Asia/Tokyo",))
    said = asked(wanted=far, now=utc("2026-03-10 14:30"), policies=law())
    assert said.until == utc("2026-03-10 15:00")


def with_treatment(**fields: object) -> Policies:
    """Return the policies with some fields of their treatment changed."""
    line = replace(POLICIES.treatment, **fields)  # type: ignore[arg-type]  # fields of Treatment
    return replace(POLICIES, treatment=line)


@pytest.mark.parametrize(
    ("purpose", "now", "given"),
    [
        (Purpose.OVERDUE, NOON, False),
        (Purpose.COURTESY, NOON, False),
        (Purpose.OVERDUE, NOON - timedelta(days=1), False),
        (Purpose.COURTESY, NOON - timedelta(days=1), True),
        (Purpose.STATUTORY, NOON, True),
        (Purpose.MARKETING, NOON, True),
    ],
)
def test_nobody_is_dunned_who_has_paid_the_minimum(
    purpose: Purpose, now: datetime, given: bool
) -> None:
    """Nothing is late then, so nobody outside may say so, as our own texts may not; to the due day the rest is due."""
    bill = replace(BILL, minimum_minor=100)
    paid = told([bill, AddRepayment("r1", "o1", "a1", TOLD_AT, 100)], told([PERSON_XX, ACCOUNT]))
    said = asked(paid, replace(CALL, purpose=purpose), now)
    assert said.is_given is given
    assert said.reasons == (() if given else (Reason.MINIMUM_PAID,))
    assert said.effect is (Effect.ALLOW if given else Effect.DENY)


def test_repayments_that_are_not_fresh_are_waited_for() -> None:
    """Nobody knows who has paid since: an overdue call waits, and one that is allowed ends when they grow stale."""
    fresh = with_treatment(fresh_within=timedelta(hours=24))
    said = asked(policies=fresh)
    assert (said.effect, said.reasons, said.until) == (
        Effect.DEFER,
        (Reason.STALE_FEED,),
        NOON + FEED_RETRY,
    )
    fed_at = NOON - timedelta(hours=24) + HOUR / 2
    said = permission(OWING, CALL, fresh, NOON, fed_at=fed_at)
    assert (said.effect, said.until) == (Effect.ALLOW, NOON + HOUR / 2)
    assert not permission(OWING, CALL, fresh, NOON + HOUR / 2, fed_at=fed_at).is_given
    early = NOON - timedelta(days=1)
    assert asked(wanted=replace(CALL, purpose=Purpose.COURTESY), now=early, policies=fresh).is_given
    for purpose in (Purpose.STATUTORY, Purpose.MARKETING):
        assert asked(wanted=replace(CALL, purpose=purpose), policies=fresh).is_given


def test_a_debt_told_when_overdue_waits_for_its_entry() -> None:
    """Until the lender has chosen its day nobody speaks of it, and then from that day on."""
    chosen = with_treatment(entry=Entry.CHOSEN)
    late = told([PERSON_XX, ACCOUNT, BILL], now=NOON)
    said = asked(late, policies=chosen)
    assert (said.effect, said.reasons) == (Effect.DENY, (Reason.AWAITING_ENTRY,))
    assert asked(late, replace(CALL, purpose=Purpose.STATUTORY), policies=chosen).is_given
    assert asked(OWING, policies=chosen).is_given
    entered = after(ChooseEntry("o1", date(2026, 3, 12)), pages=late)
    said = asked(entered, policies=chosen)
    assert (said.effect, said.reasons, said.until) == (
        Effect.DEFER,
        (Reason.BEFORE_ENTRY,),
        utc("2026-03-11 16:00"),
    )
    assert asked(entered, now=utc("2026-03-12 04:00"), policies=chosen).is_given


def test_a_permission_ends_where_a_stop_is_known_to_begin() -> None:
    """A hold that begins in ten minutes ends it; one that stops no such contact, or concerns another debt, does not."""
    soon = NOON + HOUR / 6
    dispute = PutHold("h1", HoldKind.DISPUTE, soon, NOON + timedelta(days=3))
    assert asked(after(dispute)).until == soon
    assert asked(after(dispute), now=soon).effect is Effect.DEFER
    assert asked(after(replace(dispute, kind=HoldKind.OPT_OUT))).until == NOON + GOOD_FOR
    assert asked(after(replace(dispute, channel="email"))).until == NOON + GOOD_FOR
    assert asked(after(replace(dispute, channel="call"))).until == soon
    two = told([replace(BILL, obligation_id="o2", seq=2)], OWING)
    assert asked(after(replace(dispute, obligation_id="o2"), pages=two)).until == NOON + GOOD_FOR


def test_a_permission_ends_with_the_consent_it_rests_on() -> None:
    """A consent that ends within the hour ends it, where a rule wants one."""
    terms = ConsentTerms(ConsentForm.OPT_IN, (Purpose.OVERDUE,))
    policies = law(("HOUSE.ASK", Kind.CONSENT, terms))
    ends = NOON + HOUR / 4
    grant = Statement("g1", Act.GRANT, NOON - HOUR, channel="call", evidence="e", valid_until=ends)
    agreed = after(TellConsents((grant,)))
    assert not asked(policies=policies).is_given
    assert asked(agreed, policies=policies).until == ends
    assert not asked(agreed, now=ends, policies=policies).is_given
    week = law(("HOUSE.ASK", Kind.CONSENT, replace(terms, valid_days=7)))
    old = replace(grant, at=ends - timedelta(days=7), valid_until=None)
    assert asked(after(TellConsents((old,))), policies=week).until == ends
    assert asked(agreed).until == NOON + GOOD_FOR


def test_a_full_budget_names_the_rules_that_look_at_it() -> None:
    """Those about such a contact, and no others: nobody can say which of them has room."""
    cap = CapTerms(9, Unit.ATTEMPT, Per.CALENDAR_DAY, Scope.PERSON)
    mail = replace(cap, counted=("email",))
    talk = CooloffTerms(CooloffAfter.CONVERSATION, 7, Scope.DEBT)
    rules = (("X.ALL", Kind.CAP, cap), ("X.MAIL", Kind.CAP, mail), ("X.TALK", Kind.COOLOFF, talk))
    policies = law(*rules, ("X.PAID", Kind.COOLOFF, replace(talk, after=CooloffAfter.CURE)))
    full = OWING.with_budget(Budget(1, (), NOON + KEEP))
    said = asked(full, policies=policies)
    assert (said.reasons, said.rule_ids) == ((Reason.CONTACT_CAP,), ("X.ALL", "X.TALK"))
    assert said.statuses == (Status.VERIFIED,)
    assert asked(full, replace(CALL, purpose=Purpose.STATUTORY), policies=policies).rule_ids == ()
