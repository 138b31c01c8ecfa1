"""`next_allowed` against examples, against its own proofs, and against a scan of every minute."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from types import MappingProxyType

import pytest

from betimes.core.allowed import (
    OWN,
    Allowed,
    Ask,
    Expired,
    Gap,
    How,
    Never,
    Way,
    first_allowed,
    next_allowed,
    or_else,
)
from betimes.core.consent import Consent
from betimes.core.law import Law
from betimes.core.question import Effect, Event, Request, Verdict
from betimes.core.rule import (
    HOLIDAY,
    WEEKDAYS,
    CapTerms,
    ConsentForm,
    ConsentTerms,
    CooloffAfter,
    CooloffTerms,
    Enforce,
    Force,
    Kind,
    Pack,
    Per,
    Purpose,
    Rule,
    Scope,
    Span,
    Stage,
    Status,
    SuppressTerms,
    Terms,
    Unit,
    Where,
    WindowTerms,
)
from betimes.core.touch import Touch
from betimes.core.workdays import Calendar
from tests.law import brute

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SHANGHAI = "Asia/Shanghai"


def at(text: str) -> datetime:
    """Return the instant of `2026-03-06 02:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(opens: int, closes: int, *, inclusive: bool = False, zone: str = "") -> WindowTerms:
    """Return the same hours on all days."""
    spans = (Span(time(opens), time(closes), inclusive),)
    return WindowTerms(
        days=MappingProxyType(dict.fromkeys(WEEKDAYS, spans)),
        where=Where.FIXED if zone else Where.CONSUMER,
        zone=zone,
    )


KINDS: Mapping[type[Terms], Kind] = {
    WindowTerms: Kind.WINDOW,
    CapTerms: Kind.CAP,
    CooloffTerms: Kind.COOLOFF,
    SuppressTerms: Kind.SUPPRESS,
    ConsentTerms: Kind.CONSENT,
}


def rule(
    rule_id: str,
    terms: Terms,
    *,
    begins: date = date(2000, 1, 1),
    ends: date | None = None,
    enforce: Enforce = Enforce.HARD,
    channels: Collection[str] = (),
) -> Rule:
    """Return a rule for everybody."""
    return Rule(
        id=rule_id,
        title=rule_id,
        pack="AA",
        kind=KINDS[type(terms)],
        terms=terms,
        parties=frozenset(),
        stages=frozenset(),
        purposes=frozenset(),
        channels=frozenset(channels),
        products=frozenset(),
        effective_from=begins,
        effective_to=ends,
        force=Force.LAW,
        status=Status.VERIFIED,
        enforce=enforce,
        citation="made up",
    )


def law(*rules: Rule, calendars: Collection[Calendar] = ()) -> Law:
    """Return a law of one jurisdiction, AA, and a house without rules."""
    packs = {
        "AA": Pack("AA", "AA", "", (), (), "", rules),
        "HOUSE": Pack("HOUSE", "House", "", (), (), "", ()),
    }
    return Law(packs, {each.name: each for each in calendars})


def request(
    *zones: str,
    channel: str = "call",
    purpose: Purpose = Purpose.OVERDUE,
    touches: tuple[Touch, ...] = (),
    events: tuple[Event, ...] = (),
) -> Request:
    """Return a contact by the clocks of `zones`, Shanghai's if none is named."""
    return Request(
        at=at("2026-01-01 00:00"),
        channel=channel,
        purpose=purpose,
        stage=Stage.OVERDUE,
        zones=zones or (SHANGHAI,),
        debts=("d1",),
        touches=touches,
        events=events,
    )


def ask(law: Law, request: Request, not_before: str, deadline: str) -> Allowed | Never:
    """Return the answer for the jurisdiction AA between two instants."""
    return next_allowed(law, ("AA",), request, at(not_before), at(deadline))


def call(when: str, *, conversation: bool = False) -> Touch:
    """Return a call on record."""
    return Touch(when, at(when), "call", connected=conversation, conversation=conversation)


DAYTIME = law(rule("AA.TIME", window(8, 22)))


# The scan of every minute


def test_the_search_agrees_with_a_scan_of_every_minute() -> None:
    """Random cases, seed 20: the same first instant, or a proof in which every minute holds; all ends occur."""
    tally = brute.run(20, range(1_200))
    assert tally.differ == (), tally.differ[:3]
    assert tally.never > 200
    assert tally.at_once > 200
    assert tally.cases - tally.never - tally.at_once > 200


class _Forgetful(Law):
    """A law that answers as if the rules of one kind bound nobody."""

    forgets: Kind

    def evaluate(self, request: Request, jurisdictions: Collection[str]) -> Verdict:
        """Return the verdict of a law in which rules of the kind are only shown."""
        packs = {
            name: replace(
                pack,
                rules=tuple(
                    replace(each, enforce=Enforce.SHOWN) if each.kind is self.forgets else each
                    for each in pack.rules
                ),
            )
            for name, pack in self.packs.items()
        }
        return Law(packs, self.calendars).evaluate(request, jurisdictions)


def test_the_scan_finds_a_law_that_forgets_a_kind_of_rule() -> None:
    """A planted defect for each kind of the cases: rules of that kind let everything through, and the scan says so."""
    for kind in brute.KINDS:
        planted = type("Planted", (_Forgetful,), {"forgets": kind})
        differ: list[str] = []
        for n in range(1_500):
            random = Random(f"planted:{n}")
            case = brute.draw(random)
            if all(each.kind is not kind for each in brute.binding(case.law, case.jurisdictions)):
                continue
            case = replace(case, law=planted(case.law.packs, case.law.calendars))
            found = next_allowed(
                case.law, case.jurisdictions, case.request, case.not_before, case.deadline
            )
            differ += brute.differences(case, found, random)
            if differ:
                break
        assert differ, kind


# The first lawful instant


def test_a_lawful_instant_is_its_own_answer() -> None:
    """`not_before` itself, to the microsecond, with the verdict of that instant."""
    found = ask(DAYTIME, request(), "2026-03-06 01:23:45.678901", "2026-03-07 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-06 01:23:45.678901")
    assert found.verdict.effect is Effect.ALLOW


def test_at_night_the_answer_is_the_next_opening() -> None:
    """22:00:00 in Shanghai is closed, 08:00:00 of the next day is the first open instant."""
    found = ask(DAYTIME, request(), "2026-03-06 14:00", "2026-03-08 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-07 00:00")


def test_an_instant_in_another_zone_is_answered_in_utc() -> None:
    """`not_before` and the deadline may carry any zone."""
    east = timezone(8 * HOUR)
    begins = datetime(2026, 3, 6, 23, tzinfo=east)
    found = next_allowed(DAYTIME, ("AA",), request(), begins, begins + DAY)
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-07 00:00")
    assert found.at.tzinfo is UTC


def test_the_deadline_itself_is_too_late() -> None:
    """The window opens exactly at the deadline: never. A microsecond later: just in time."""
    assert isinstance(ask(DAYTIME, request(), "2026-03-06 15:00", "2026-03-07 00:00"), Never)
    deadline = at("2026-03-07 00:00") + TICK
    found = next_allowed(DAYTIME, ("AA",), request(), at("2026-03-06 15:00"), deadline)
    assert isinstance(found, Allowed)


def test_a_closing_time_that_is_inside_is_one_instant() -> None:
    """21:00:00 where the rule contains it; a microsecond later the next morning."""
    inclusive = law(rule("AA.TIME", window(8, 21, inclusive=True)))
    nine = at("2026-03-06 13:00")
    found = next_allowed(inclusive, ("AA",), request(), nine, nine + DAY)
    later = next_allowed(inclusive, ("AA",), request(), nine + TICK, nine + DAY)
    assert isinstance(found, Allowed)
    assert found.at == nine
    assert isinstance(later, Allowed)
    assert later.at == at("2026-03-07 00:00")


def test_hours_that_begin_in_a_gap_begin_at_its_end() -> None:
    """Cairo skips 00:00 to 01:00 on 2026-04-24: what opens at midnight opens an hour late by the clock, at 22:00Z."""
    found = ask(
        law(rule("AA.TIME", window(0, 6))),
        request("Africa/Cairo"),
        "2026-04-23 12:00",
        "2026-04-24 12:00",
    )
    assert isinstance(found, Allowed)
    assert found.at == at("2026-04-23 22:00")


def test_a_full_day_gives_way_at_midnight_and_hours_then_decide() -> None:
    """Three calls on a civil day: the fourth waits for the next day's opening, not for midnight."""
    cap = CapTerms(most=3, unit=Unit.ATTEMPT, per=Per.CALENDAR_DAY, scope=Scope.PERSON)
    rules = law(rule("AA.CAP", cap), rule("AA.TIME", window(8, 22)))
    calls = tuple(call(f"2026-03-06 0{n}:00") for n in (1, 2, 3))
    found = ask(rules, request(touches=calls), "2026-03-06 04:00", "2026-03-09 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-07 00:00")


def test_a_rolling_cap_gives_way_to_the_second() -> None:
    """One in 24 hours: the next is lawful exactly 24 hours later, and not one microsecond before."""
    terms = CapTerms(most=1, unit=Unit.ATTEMPT, per=Per.ROLLING, scope=Scope.PERSON, n=24 * 60 * 60)
    contact = request(touches=(call("2026-03-06 03:00:07"),))
    found = ask(law(rule("AA.CAP", terms)), contact, "2026-03-06 04:00", "2026-03-09 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-07 03:00:07")


def test_consent_given_while_the_search_goes_on_opens_the_way() -> None:
    """No until is known of a missing consent: the search goes on at the entry on record that changes it."""
    terms = ConsentTerms(form=ConsentForm.OPT_IN, purposes=(Purpose.OVERDUE,))
    given = Consent(
        id="c1",
        purpose=Purpose.OVERDUE,
        channel="call",
        address="",
        form=ConsentForm.OPT_IN,
        given_at=at("2026-03-06 05:30"),
        evidence="made up",
        source="made up",
    )
    contact = replace(request(), consents=(given,))
    rules = law(rule("AA.CONSENT", terms))
    found = ask(rules, contact, "2026-03-06 04:00", "2026-03-07 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-06 05:30")
    assert isinstance(ask(rules, request(), "2026-03-06 04:00", "2026-03-07 00:00"), Never)


def test_a_rule_that_ends_opens_the_way_at_midnight() -> None:
    """A consent rule that ends on 7 March denies through the 6th, by the consumer's calendar."""
    terms = ConsentTerms(form=ConsentForm.WRITTEN, purposes=(Purpose.OVERDUE,))
    rules = law(rule("AA.CONSENT", terms, ends=date(2026, 3, 7)))
    found = ask(rules, request(), "2026-03-05 04:00", "2026-03-09 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-06 16:00")


def test_a_rule_in_force_by_one_of_two_clocks_is_in_force() -> None:
    """It ends on 7 March: until midnight of the later of the two calendars."""
    terms = ConsentTerms(form=ConsentForm.WRITTEN, purposes=(Purpose.OVERDUE,))
    rules = law(rule("AA.CONSENT", terms, ends=date(2026, 3, 7)))
    contact = request(SHANGHAI, "America/New_York")
    found = ask(rules, contact, "2026-03-05 04:00", "2026-03-09 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-07 05:00")


def test_a_date_the_zone_never_had_still_ends_a_rule() -> None:
    """Apia went from 29 to 31 December 2011: what ends on the 30th ends where the 31st begins."""
    terms = ConsentTerms(form=ConsentForm.WRITTEN, purposes=(Purpose.OVERDUE,))
    rules = law(rule("AA.CONSENT", terms, ends=date(2011, 12, 30)))
    found = ask(rules, request("Pacific/Apia"), "2011-12-29 00:00", "2012-01-02 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2011-12-30 10:00")


def test_a_new_text_is_asked_from_its_first_day_on() -> None:
    """Hours of nine to ten from 7 March on; the old text, eight to twenty-two, would have opened an hour before."""
    rules = law(
        rule("AA.TIME", window(8, 22), ends=date(2026, 3, 7)),
        rule("AA.TIME", window(9, 10), begins=date(2026, 3, 7)),
    )
    found = ask(rules, request(), "2026-03-06 15:00", "2026-03-09 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at("2026-03-07 01:00")


def test_an_opening_beyond_the_horizon_is_found() -> None:
    """A rule that opens on holidays only, and the next holiday is 80 days away: the search does not give up before."""
    on = date(2026, 3, 6) + 80 * DAY
    calendar = Calendar("c", "AA", "made up", frozenset({2026}), frozenset({on}))
    terms = WindowTerms(days=MappingProxyType({HOLIDAY: (Span(time(10), time(12)),)}), calendar="c")
    rules = law(rule("AA.TIME", terms), calendars=(calendar,))
    found = ask(rules, request(), "2026-03-06 00:00", "2026-12-01 00:00")
    assert isinstance(found, Allowed)
    assert found.at == at(f"{on} 02:00")


def test_a_statutory_notice_passes_a_cap_and_keeps_hours() -> None:
    """The cap stops a reminder for the day; the notice goes at the opening."""
    cap = CapTerms(most=1, unit=Unit.ATTEMPT, per=Per.CALENDAR_DAY, scope=Scope.PERSON)
    rules = law(rule("AA.CAP", cap), rule("AA.TIME", window(8, 22)))
    done = (call("2026-03-06 01:00"),)
    notice = request(purpose=Purpose.STATUTORY, touches=done)
    assert isinstance(ask(rules, notice, "2026-03-06 02:00", "2026-03-06 12:00"), Allowed)
    assert isinstance(ask(rules, notice, "2026-03-06 15:00", "2026-03-06 23:00"), Never)
    reminder = request(touches=done)
    assert isinstance(ask(rules, reminder, "2026-03-06 02:00", "2026-03-06 12:00"), Never)


def test_a_rule_that_is_only_shown_stops_nothing() -> None:
    """SHOWN is recorded in the verdict and neither delays a contact nor stands in a proof."""
    shown = law(
        rule("AA.SHOWN", window(1, 2), enforce=Enforce.SHOWN), rule("AA.TIME", window(8, 22))
    )
    found = ask(shown, request(), "2026-03-06 04:00", "2026-03-07 00:00")
    assert isinstance(found, Allowed)
    assert [each.rule_id for each in found.verdict.answers] == ["AA.SHOWN", "AA.TIME"]
    never = ask(shown, request(), "2026-03-06 15:00", "2026-03-06 20:00")
    assert isinstance(never, Never)
    assert never.rule_ids == ("AA.TIME",)


# The proof that there is none


def test_the_proof_names_the_rules_that_close_the_time_between_them() -> None:
    """A cool-off closes two days and the night goes on; gaps follow one another and each holds for its rule alone."""
    cooloff = CooloffTerms(after=CooloffAfter.CONVERSATION, days=3, scope=Scope.PERSON)
    rules = law(rule("AA.COOL", cooloff), rule("AA.TIME", window(8, 22)))
    contact = request(touches=(call("2026-03-06 03:00", conversation=True),))
    assert isinstance(ask(rules, contact, "2026-03-06 01:00", "2026-03-06 03:00"), Allowed)
    never = ask(rules, contact, "2026-03-06 03:00", "2026-03-09 00:00")
    assert isinstance(never, Never)
    assert never.gaps == (
        Gap("AA.COOL", at("2026-03-06 03:00"), at("2026-03-08 16:00")),
        Gap("AA.TIME", at("2026-03-08 16:00"), at("2026-03-09 00:00")),
    )
    assert never.rule_ids == ("AA.TIME", "AA.COOL")
    assert never.verdict.effect is Effect.DEFER
    assert never.verdict.rule_ids == ("AA.TIME",)
    assert never.facts["opens_at"] == "2026-03-09T00:00:00.000000Z"


def test_of_two_rules_the_one_that_lasts_is_named() -> None:
    """Both close the night; the one that opens an hour later covers it alone, whichever comes first by id."""
    for early, late in ((7, 8), (8, 7)):
        rules = law(rule("AA.A", window(early, 22)), rule("AA.B", window(late, 22)))
        never = ask(rules, request(), "2026-03-06 15:00", "2026-03-07 00:00")
        assert isinstance(never, Never)
        assert never.rule_ids == ("AA.A" if early > late else "AA.B",)


def test_three_clocks_without_an_hour_in_common_are_a_proof() -> None:
    """Los Angeles, London and Shanghai from nine to twenty: never in a year, by the one rule."""
    house = law(rule("AA.TIME", window(9, 20)))
    contact = request("America/Los_Angeles", "Europe/London", SHANGHAI)
    never = ask(house, contact, "2026-01-01 00:00", "2027-01-01 00:00")
    assert isinstance(never, Never)
    assert never.gaps == (Gap("AA.TIME", at("2026-01-01 00:00"), at("2027-01-01 00:00")),)


def test_a_hold_without_an_end_is_a_proof_for_good() -> None:
    """Nobody knows when a dispute is over: one gap up to the deadline, and the event is named."""
    rules = law(rule("AA.HOLD", SuppressTerms(events=("dispute",))))
    contact = request(events=(Event("dispute", at("2026-03-01 00:00")),))
    never = ask(rules, contact, "2026-03-06 00:00", "2030-01-01 00:00")
    assert isinstance(never, Never)
    assert never.gaps == (Gap("AA.HOLD", at("2026-03-06 00:00"), at("2030-01-01 00:00")),)
    assert never.facts["event"] == "dispute"
    assert never.verdict.effect is Effect.DENY


def test_no_time_is_no_proof_of_anything() -> None:
    """Where the deadline does not lie after the beginning there is no instant, no gap and no rule to blame."""
    for deadline in ("2026-03-06 04:00", "2026-03-05 00:00"):
        never = ask(DAYTIME, request(), "2026-03-06 04:00", deadline)
        assert isinstance(never, Never)
        assert never.gaps == ()
        assert never.rule_ids == ()


# What to do instead


def other(found: Way | Expired) -> tuple[str, How, datetime]:
    """Return channel, manner and instant of a way."""
    assert isinstance(found, Way)
    return found.request.channel, found.how, found.request.at


def always(asked: Request) -> Ask:
    """Return a contact that stays the same at all instants."""
    return lambda _: asked


def instead(
    law: Law, *others: Request, not_before: str = "2026-03-06 15:00", earliest: str = ""
) -> Way | Expired:
    """Return what becomes of a call that is meant for the night before 2026-03-07 08:00 in Shanghai."""
    return or_else(
        law,
        ("AA",),
        [always(each) for each in (request(), *others)],
        earliest=at(earliest) if earliest else None,
        not_before=at(not_before),
        deadline=at("2026-03-07 00:00"),
    )


CALLS_BY_DAY = law(rule("AA.TIME", window(8, 22), channels=("call", "sms")))


def test_what_is_lawful_in_time_stays_as_it_was_meant() -> None:
    """An evening hour is left: nothing is brought forward and no other channel taken."""
    found = instead(DAYTIME, request(channel="email"), not_before="2026-03-06 13:00")
    assert other(found) == ("call", How.AS_MEANT, at("2026-03-06 13:00"))


def test_what_would_expire_at_night_is_brought_forward() -> None:
    """From the earliest instant the caller allows, once no channel is open in time."""
    found = instead(CALLS_BY_DAY, request(channel="sms"), earliest="2026-03-06 13:30")
    assert other(found) == ("call", How.BROUGHT_FORWARD, at("2026-03-06 13:30"))
    found = instead(CALLS_BY_DAY, request(channel="email"), earliest="2026-03-06 13:30")
    assert other(found) == ("email", How.OTHER_CHANNEL, at("2026-03-06 15:00"))


def test_a_channel_whose_hours_are_open_takes_its_place() -> None:
    """The first of the others that may speak at night; texts keep the same hours as calls here, letters do not."""
    others = [request(channel=name) for name in ("sms", "letter", "email")]
    found = instead(CALLS_BY_DAY, *others)
    assert other(found) == ("letter", How.OTHER_CHANNEL, at("2026-03-06 15:00"))


def test_where_no_way_is_left_the_contact_expires_and_the_rules_are_named() -> None:
    """The proofs cover the time from the earliest instant on for the contact as it was meant, and each other one."""
    rules = law(
        rule("AA.TIME", window(8, 22)),
        rule("AA.LETTERS", SuppressTerms(events=("dispute",)), channels=("letter",)),
    )
    letter = request(channel="letter", events=(Event("dispute", at("2026-03-01 00:00")),))
    found = instead(rules, letter, earliest="2026-03-06 14:30")
    assert isinstance(found, Expired)
    assert found.rule_ids == ("AA.TIME", "AA.LETTERS")
    assert found.last_rule_ids == ("AA.TIME", "AA.LETTERS")
    meant, by_letter = found.nevers
    assert meant.gaps[0].start == at("2026-03-06 14:30")
    assert meant.gaps[-1].end == by_letter.gaps[-1].end == at("2026-03-07 00:00")


# What is another contact from some instant on, and what the asker itself keeps to


def test_a_contact_that_changes_is_asked_about_anew() -> None:
    """Due tomorrow it may not be at noon, overdue it may: found behind the midnight, proved closed without it."""
    rules = law(replace(rule("AA.EARLY", window(20, 22)), stages=frozenset({Stage.PRE_DUE})))
    midnight, start, end = (at(f"2026-03-0{day}") for day in ("6 16:00", "6 15:00", "7 08:00"))

    def asked(now: datetime) -> Request:
        stage = Stage.OVERDUE if now >= midnight else Stage.PRE_DUE
        return replace(request(), stage=stage)

    found = first_allowed(rules, ("AA",), asked, start, end, changes=[midnight])
    assert isinstance(found, Allowed)
    assert found.at == midnight
    unchanged = first_allowed(rules, ("AA",), asked, start, end)
    assert isinstance(unchanged, Never)
    assert unchanged.gaps == (Gap("AA.EARLY", start, end),)
    early = first_allowed(rules, ("AA",), always(asked(start)), start, end, changes=[midnight])
    assert isinstance(early, Never)
    assert early.gaps == (Gap("AA.EARLY", start, end),)


@pytest.mark.parametrize(("seconds", "goes"), [(91, True), (90, False), (1, False)])
def test_what_would_be_begun_just_before_the_closing_waits(seconds: int, goes: bool) -> None:
    """At ninety seconds before it or less; the rule that closes then is the one that is named."""
    closing, margin = at("2026-03-06 14:00"), timedelta(seconds=90)
    start = closing - seconds * SECOND
    found = next_allowed(DAYTIME, ("AA",), request(), start, closing + 12 * HOUR, margin=margin)
    assert isinstance(found, Allowed)
    assert found.at == (start if goes else at("2026-03-07 00:00"))
    if not goes:
        never = next_allowed(DAYTIME, ("AA",), request(), start, closing, margin=margin)
        assert isinstance(never, Never)
        assert [(gap.start, gap.end) for gap in never.gaps] == [(start, closing)]
        assert never.rule_ids == ("AA.TIME",)


def test_a_pace_of_the_asker_is_no_rule() -> None:
    """Its time is passed over, and a gap that is its own names no rule."""
    start, monday = at("2026-03-06 04:00"), at("2026-03-09 04:00")

    def pace(now: datetime) -> datetime:
        return max(now, monday)

    found = next_allowed(DAYTIME, ("AA",), request(), start, monday + DAY, pace=pace)
    assert isinstance(found, Allowed)
    assert found.at == monday
    never = next_allowed(DAYTIME, ("AA",), request(), start, monday, pace=pace)
    assert isinstance(never, Never)
    assert never.gaps == (Gap(OWN, start, monday),)
    assert never.rule_ids == ()
