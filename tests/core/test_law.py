"""The law of a contact: which rules are asked, what each kind answers, exact at its edges, and all of them together."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import values, zones
from betimes.core.consent import Consent, Refusal, Switch
from betimes.core.hours import HORIZON
from betimes.core.law import Answer, Effect, Event, Given, Law, Request, Trigger, Verdict
from betimes.core.rule import (
    WEEKDAYS,
    Bound,
    CalcTerms,
    CapTerms,
    ConsentForm,
    ConsentTerms,
    ContentTerms,
    CooloffAfter,
    CooloffTerms,
    DebitTerms,
    Enforce,
    Force,
    Kind,
    NoticeTerms,
    NoticeUnit,
    Pack,
    Party,
    Per,
    Pool,
    Purpose,
    Recipient,
    RecipientTerms,
    RetainTerms,
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
from betimes.core.touch import Direction, Touch
from betimes.core.workdays import Calendar
from betimes.lab import bench_rules
from tests.core.support import DAY, SECOND, TICK, ZONES, utc

SHANGHAI, NEW_YORK, LOS_ANGELES = "Asia/Shanghai", "America/New_York", "America/Los_Angeles"
# A Monday, 10:00 in Shanghai.
NOW = utc("2026-06-01 02:00")
HOUR = timedelta(hours=1)

KINDS: dict[type[Any], Kind] = {
    WindowTerms: Kind.WINDOW,
    CapTerms: Kind.CAP,
    CooloffTerms: Kind.COOLOFF,
    NoticeTerms: Kind.NOTICE,
    SuppressTerms: Kind.SUPPRESS,
    ConsentTerms: Kind.CONSENT,
    ContentTerms: Kind.CONTENT,
    RecipientTerms: Kind.RECIPIENT,
    DebitTerms: Kind.DEBIT,
    RetainTerms: Kind.RETAIN,
    CalcTerms: Kind.CALC,
}
CALENDAR = Calendar(
    name="XX",
    jurisdiction="XX",
    source="made up for a test",
    published=frozenset({2026}),
    holidays=frozenset({date(2026, 6, 8)}),
)
ASKED = Request(NOW, "call", Purpose.OVERDUE, Stage.OVERDUE, (SHANGHAI,), by="lender")
TRIED = Touch("t", NOW, "call", by="lender")


def rule(terms: Terms, name: str = "XX.RULE", **fields: Any) -> Rule:
    """Return a rule that is in force, verified and hard, about every contact unless `fields` say otherwise."""
    given: dict[str, Any] = {
        "id": name,
        "title": "a rule",
        "pack": "XX",
        "kind": KINDS[type(terms)],
        "terms": terms,
        "parties": frozenset(),
        "stages": frozenset(),
        "purposes": frozenset(),
        "channels": frozenset(),
        "products": frozenset(),
        "effective_from": date(2000, 1, 1),
        "effective_to": None,
        "force": Force.LAW,
        "status": Status.VERIFIED,
        "enforce": Enforce.HARD,
        "citation": "made up for a test",
    }
    return Rule(**(given | fields))


def pack(name: str, *rules: Rule, **fields: Any) -> Pack:
    """Return a pack with these rules, each its own."""
    given: dict[str, Any] = {"refines": "", "zones": (), "phones": (), "calendar": ""}
    given |= fields
    own = tuple(values.replace(each, pack=name) for each in rules)
    return Pack(name=name, title=name, rules=own, **given)


def law(*rules: Rule) -> Law:
    """Return the law of one jurisdiction XX with these rules, and a house without any."""
    packs = {"HOUSE": pack("HOUSE"), "XX": pack("XX", *rules, calendar="XX")}
    return Law(packs, {"XX": CALENDAR})


def ask(one: Rule, request: Request = ASKED, /, **fields: Any) -> Answer:
    """Return what one rule says, asked by itself; `fields` change the request."""
    return law(one).ask(one, replace(request, **fields))


def verdict(*rules: Rule, **fields: Any) -> Verdict:
    """Return what some rules say together."""
    return law(*rules).evaluate(replace(ASKED, **fields), ["XX"])


def said(answer: Answer | Verdict) -> tuple[str, datetime | None]:
    """Return effect and instant of an answer."""
    return answer.effect.value, answer.until


ALLOW = ("allow", None)
DENY = ("deny", None)


def defer(until: datetime) -> tuple[str, datetime]:
    """Return the answer of a rule that lets through from `until` on."""
    return "defer", until


def cap(most: int, per: Per = Per.CALENDAR_DAY, n: int = 1, **fields: Any) -> CapTerms:
    """Return a cap on attempts, counted for the person unless `fields` say otherwise."""
    given: dict[str, Any] = {"unit": Unit.ATTEMPT, "scope": Scope.PERSON}
    return CapTerms(most=most, per=per, n=n, **(given | fields))


def at(*instants: datetime, **fields: Any) -> tuple[Touch, ...]:
    """Return a touch at each instant."""
    return tuple(replace(TRIED, id=f"t{n}", at=each, **fields) for n, each in enumerate(instants))


WINDOW = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(8), time(22)),)))


class TestSelection:
    """Which rules bind."""

    LAW = Law(
        {
            "HOUSE": pack("HOUSE", rule(WINDOW, "HOUSE.RULE")),
            "US": pack("US", rule(WINDOW, "US.RULE"), phones=("+1",)),
            "CA": pack("CA", rule(WINDOW, "CA.RULE"), phones=("+1",)),
            "US-NY": pack("US-NY", rule(WINDOW, "US.NY.RULE"), refines="US"),
            "US-NY-NYC": pack("US-NY-NYC", rule(WINDOW, "US.NYC.RULE"), refines="US-NY"),
            "PR": pack("PR", rule(WINDOW, "PR.RULE"), phones=("+1787",), refines="US"),
            "CN": pack("CN", rule(WINDOW, "CN.RULE"), phones=("+86",)),
        },
        {},
    )

    @staticmethod
    def ids(rules: tuple[Rule, ...]) -> list[str]:
        """Return the ids of rules."""
        return [each.id for each in rules]

    def test_a_pack_brings_what_it_refines_and_the_house(self) -> None:
        """City, state, country, house: each rule once, in order of id."""
        chain = self.LAW.chain(["US-NY-NYC", "US"])
        assert self.ids(chain) == ["HOUSE.RULE", "US.NY.RULE", "US.NYC.RULE", "US.RULE"]

    @pytest.mark.parametrize(
        ("jurisdiction", "rules"),
        [
            ("US-TX", ["HOUSE.RULE", "US.RULE"]),
            ("US-NY-BUF", ["HOUSE.RULE", "US.NY.RULE", "US.RULE"]),
            ("FR", ["HOUSE.RULE"]),
            ("FR-75", ["HOUSE.RULE"]),
        ],
    )
    def test_a_jurisdiction_without_a_pack_has_that_of_its_region_or_country(
        self, jurisdiction: str, rules: list[str]
    ) -> None:
        """Else the house alone."""
        assert self.ids(self.LAW.chain([jurisdiction])) == rules

    def test_a_fallback_pack_never_narrows_a_jurisdiction_that_has_a_pack(self) -> None:
        """It holds where one of several has none, where none is named, and where it is named itself."""
        packs = {**self.LAW.packs, "HOUSE": pack("HOUSE", rule(WINDOW, "H.RULE"), fallback=True)}
        some = Law(packs, {})
        assert self.ids(some.chain(["US"])) == ["US.RULE"]
        assert self.ids(some.chain(["US-TX"])) == ["US.RULE"]
        assert self.ids(some.chain(["FR"])) == ["H.RULE"]
        assert self.ids(some.chain(["US", "FR"])) == ["H.RULE", "US.RULE"]
        assert self.ids(some.chain([])) == ["H.RULE"]
        assert self.ids(some.chain(["US", "HOUSE"])) == ["H.RULE", "US.RULE"]

    def test_residence_number_and_licence_bind_together(self) -> None:
        """Trap 30: a Chinese number, a home in New York, a licence of New York City."""
        assert self.LAW.select("US-NY", "+8613800000000") == ("CN", "US-NY")
        assert self.LAW.select("US-TX", "+8613800000000", "US-NY-NYC") == (
            "CN",
            "US",
            "US-NY-NYC",
        )

    def test_the_longest_prefix_tells_where_a_number_belongs(self) -> None:
        """+1787 is Puerto Rico alone; a prefix that two packs claim binds by both."""
        assert self.LAW.select("", "+17875550100") == ("PR",)
        assert self.LAW.select("", "+12125550100") == ("CA", "US")

    def test_the_unknown_keeps_its_name_or_is_the_house(self) -> None:
        """So the fallback of the house holds for it beside the packs that are known."""
        assert self.LAW.select("FR", "+33100000000") == ("FR", "HOUSE")
        assert self.LAW.select("") == ()

    def test_a_law_without_a_house_is_none(self) -> None:
        """An unknown jurisdiction would have no rule at all."""
        with pytest.raises(AssertionError, match="house"):
            Law({}, {})

    def test_what_a_law_has_worked_out_is_no_part_of_it(self) -> None:
        """A copy with other packs answers by them, and a law that was sent elsewhere answers as before."""
        closed = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(12), time(13)),)))
        first = law(rule(WINDOW))
        assert first.evaluate(ASKED, ["XX"]).effect is Effect.ALLOW
        changed = values.replace(first, packs={**first.packs, "XX": pack("XX", rule(closed))})
        assert changed.evaluate(ASKED, ["XX"]).effect is Effect.DEFER
        assert first.evaluate(ASKED, ["XX"]).effect is Effect.ALLOW
        sent = pickle.loads(pickle.dumps(values.replace(first, calendars={})))
        assert sent.evaluate(ASKED, ["XX"]).effect is Effect.ALLOW


class TestApplies:
    """Which contacts a rule is about."""

    @pytest.mark.parametrize(
        ("fields", "because"),
        [
            ({"parties": frozenset({Party.THIRD})}, "party"),
            ({"stages": frozenset({Stage.PRE_DUE, Stage.GRACE})}, "stage"),
            ({"purposes": frozenset({Purpose.COURTESY})}, "purpose"),
            ({"channels": frozenset({"sms", "email"})}, "channel"),
            ({"products": frozenset({"card"})}, "product"),
        ],
    )
    def test_a_rule_about_others_lets_through_and_says_so(
        self, fields: dict[str, Any], because: str
    ) -> None:
        """The closed window of another party, stage, purpose, channel or product stops nothing."""
        closed = rule(WINDOW, **fields)
        night = {"at": utc("2026-06-01 15:00"), "product": "loan"}
        answer = ask(closed, **night)
        assert said(answer) == ALLOW
        assert answer.facts == {"applies": False, "because": because}
        assert answer.in_force and not answer.applies
        assert verdict(closed, **night).answers == (answer,)
        assert verdict(closed, **night).statuses == ()

    def test_a_product_that_is_not_known_may_be_any(self) -> None:
        """What is unknown makes us quieter."""
        closed = rule(WINDOW, products=frozenset({"card"}))
        assert ask(closed, at=utc("2026-06-01 15:00")).effect is Effect.DEFER

    @pytest.mark.parametrize("terms", [DebitTerms(2), RetainTerms("calls", 24), CalcTerms("grace")])
    def test_rules_that_are_not_about_contact_let_it_through(self, terms: Terms) -> None:
        """They are asked elsewhere, and are in the list of answers all the same."""
        assert ask(rule(terms)).facts == {"applies": False, "because": "kind"}

    def test_a_rule_is_in_force_from_its_first_day_until_before_its_end(self) -> None:
        """By the civil date of the consumer: from midnight in Shanghai on, to the microsecond."""
        terms = WindowTerms(dict.fromkeys(WEEKDAYS, ()) | {"sun": (Span(time(8), time(9)),)})
        dated = rule(terms, effective_from=date(2026, 6, 1), effective_to=date(2026, 6, 3))
        starts, ends = utc("2026-05-31 16:00"), utc("2026-06-02 16:00")
        for instant, in_force in [
            (starts - TICK, False),
            (starts, True),
            (ends - TICK, True),
            (ends, False),
        ]:
            answer = ask(dated, at=instant)
            assert answer.in_force is in_force
            assert said(answer) == (defer(ends) if in_force else ALLOW)
            assert verdict(dated, at=instant).answers == (answer,)
        assert ask(dated, at=ends).facts == {"applies": False, "because": "not in force"}

    def test_in_force_by_one_clock_is_in_force(self) -> None:
        """In Shanghai it is 1 July already, in New York not yet; a rule with a zone of its own asks that alone."""
        instant = utc("2026-06-30 20:00")
        both = {"at": instant, "zones": (NEW_YORK, SHANGHAI)}
        july: dict[str, Any] = {"effective_from": date(2026, 7, 1)}
        dated = rule(cap(1), **july)
        assert ask(dated, at=instant, zones=(NEW_YORK,)).in_force is False
        assert ask(dated, **both).in_force is True
        assert ask(rule(cap(1, zone=NEW_YORK), **july), **both).in_force is False
        fixed = values.replace(WINDOW, where=Where.FIXED, zone=SHANGHAI)
        assert ask(rule(fixed, **july), at=instant, zones=(NEW_YORK,)).in_force is True
        for one in (dated, rule(cap(1, zone=NEW_YORK), **july), rule(fixed, **july)):
            assert verdict(one, **both).answers == (ask(one, **both),)

    @given(
        hours=st.lists(st.integers(-60, 60), min_size=2, max_size=8),
        places=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    )
    def test_what_is_in_force_is_asked_anew_near_a_change(
        self, hours: list[int], places: list[str]
    ) -> None:
        """Property: whatever was asked before, a law answers like a fresh one, on each side of a first and last day."""
        rules = (
            rule(cap(1), "A.RULE", effective_from=date(2026, 6, 2)),
            rule(cap(2), "A.RULE", effective_to=date(2026, 6, 2)),
            rule(cap(1, zone=NEW_YORK), "B.RULE", effective_to=date(2026, 6, 1)),
            rule(WINDOW, "C.RULE", effective_from=date(2026, 6, 1), effective_to=date(2026, 6, 3)),
        )
        shared = law(*rules)
        for hour in hours:
            for where in (tuple(places), *((each,) for each in places)):
                request = replace(ASKED, at=NOW + hour * HOUR, zones=where)
                together = shared.evaluate(request, ["XX"])
                assert together == law(*rules).evaluate(request, ["XX"])
                in_force = {each.rule_id for each in together.answers if each.in_force}
                assert in_force == {each.id for each in rules if ask(each, request).in_force}

    def test_texts_of_a_rule_follow_one_another(self) -> None:
        """Each day has the answer of its own text; the day is that of sending, whenever it was planned."""
        until_june = rule(cap(3), effective_to=date(2026, 7, 1))
        since_july = rule(cap(1), effective_from=date(2026, 7, 1))
        both = law(until_june, since_july)
        for day, most in [
            ("2026-06-30 02:00", 3),
            ("2026-07-01 02:00", 1),
            ("2027-01-01 02:00", 1),
        ]:
            (answer,) = both.evaluate(replace(ASKED, at=utc(day)), ["XX"]).answers
            assert answer.facts["most"] == most or not answer.facts.get("applies", True)
        june = [each.facts for each in both.evaluate(ASKED, ["XX"]).answers]
        assert june == [{"counted": 0, "most": 3}]

    def test_a_rule_that_is_off_gives_no_answer_unless_it_is_asked_itself(self) -> None:
        """It is in the book; so that it can be tested before it is switched on, `ask` answers."""
        off = rule(cap(1), enforce=Enforce.OFF)
        touches = at(NOW - HOUR)
        assert verdict(off, touches=touches).answers == ()
        assert [each.id for each in law(off).chain(["XX"])] == ["XX.RULE"]
        assert ask(off, touches=touches).effect is Effect.DEFER

    def test_a_rule_that_is_shown_stops_nothing(self) -> None:
        """It is answered and recorded."""
        shown = rule(cap(1), enforce=Enforce.SHOWN)
        together = verdict(shown, touches=at(NOW - HOUR))
        assert together.effect is Effect.ALLOW and together.until is None
        assert [each.effect for each in together.answers] == [Effect.DEFER]
        assert together.statuses == ()


class TestFold:
    """What rules say together."""

    CLOSED = rule(WINDOW, "B.WINDOW")
    CAP = rule(cap(1), "A.CAP", status=Status.SECONDARY, enforce=Enforce.CAUTIOUS)
    WHO = rule(RecipientTerms((Recipient.BORROWER,)), "C.WHO")
    NIGHT = utc("2026-06-01 15:00")

    @pytest.mark.parametrize("name", ["A.A", "B.A", "C.WHO"])
    def test_one_no_is_a_no(self, name: str) -> None:
        """DENY outweighs DEFER, wherever it stands; the rules that decided are those that denied."""
        together = verdict(
            self.CLOSED,
            self.CAP,
            values.replace(self.WHO, id=name),
            at=self.NIGHT,
            touches=at(self.NIGHT - HOUR),
            recipient=Recipient.EMPLOYER,
        )
        assert said(together) == DENY
        assert together.rule_ids == (name,)
        assert together.statuses == (Status.VERIFIED,)
        ids = [each.rule_id for each in together.answers]
        assert ids == sorted(["A.CAP", "B.WINDOW", name])

    def test_what_waits_waits_for_the_last(self) -> None:
        """The day has room again at midnight, and the window opens at eight."""
        together = verdict(
            self.CLOSED, self.CAP, self.WHO, at=self.NIGHT, touches=at(self.NIGHT - HOUR)
        )
        assert said(together) == defer(utc("2026-06-02 00:00"))
        assert together.rule_ids == ("A.CAP", "B.WINDOW")
        assert together.statuses == (Status.VERIFIED, Status.SECONDARY)

    def test_a_yes_rests_on_all_that_bind_and_are_about_it(self) -> None:
        """A cautious rule that lets through is part of what the yes rests on."""
        together = verdict(self.CLOSED, self.CAP, self.WHO)
        assert said(together) == ALLOW
        assert together.rule_ids == ()
        assert together.statuses == (Status.VERIFIED, Status.SECONDARY)

    def test_a_notice_that_is_owed_stops_nothing_else(self) -> None:
        """It is named beside the answer; one that is only shown is not."""
        terms = NoticeTerms("arrears", Bound.AT_MOST_AFTER, 14, NoticeUnit.DAYS)
        together = verdict(
            rule(terms, "D.NOTICE"),
            rule(terms, "E.NOTICE", enforce=Enforce.SHOWN),
            triggers=(Trigger("arrears", NOW - DAY),),
        )
        assert said(together) == ALLOW
        assert together.requires == ("D.NOTICE",)
        assert [each.effect for each in together.answers] == [Effect.REQUIRE, Effect.REQUIRE]

    def test_a_request_names_a_clock_and_an_instant_in_utc(self) -> None:
        """Without, it could not be answered, and is a mistake of ours."""
        with pytest.raises(AssertionError, match="zones"):
            replace(ASKED, zones=())
        with pytest.raises(AssertionError, match="UTC"):
            replace(ASKED, at=NOW.astimezone(zones.zone(SHANGHAI)))


class TestWindow:
    """Hours; their arithmetic is tested with `core.hours`."""

    def test_a_closed_window_says_when_it_opens(self) -> None:
        """And an open one lets through to its last microsecond."""
        closes = utc("2026-06-01 14:00")
        assert said(ask(rule(WINDOW), at=closes - TICK)) == ALLOW
        answer = ask(rule(WINDOW), at=closes)
        assert said(answer) == defer(utc("2026-06-02 00:00"))
        assert answer.facts == {"zones": SHANGHAI, "opens_at": "2026-06-02T00:00:00.000000Z"}

    @pytest.mark.parametrize(
        ("where", "opens"),
        [
            (Where.CONSUMER, "2026-06-02 00:00"),
            (Where.ADDRESS, "2026-06-01 23:00"),
            (Where.NUMBER, "2026-06-02 01:00"),
            (Where.FIXED, "2026-06-01 18:00"),
        ],
    )
    def test_the_clock_is_the_one_the_rule_means(self, where: Where, opens: str) -> None:
        """Eight in the morning in Shanghai, Tokyo, Jakarta or Honolulu; it is asked at 23:00 in Shanghai."""
        zone = "Pacific/Honolulu" if where is Where.FIXED else ""
        terms = values.replace(WINDOW, where=where, zone=zone)
        some = replace(
            ASKED,
            at=utc("2026-06-01 15:00"),
            address_zones=("Asia/Tokyo",),
            number_zones=("Asia/Jakarta",),
        )
        assert said(ask(rule(terms), some)) == defer(utc(opens))
        if where is not Where.FIXED:
            unknown = replace(some, address_zones=(), number_zones=())
            assert said(ask(rule(terms), unknown)) == defer(utc("2026-06-02 00:00"))

    def test_places_with_no_hour_in_common_are_no_matter_of_waiting(self) -> None:
        """Los Angeles, London and Shanghai: DENY, and better evidence is the way out."""
        terms = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(8), time(19)),)))
        answer = ask(rule(terms), zones=(LOS_ANGELES, "Europe/London", SHANGHAI))
        assert said(answer) == DENY
        assert answer.facts["opens_at"] == ""

    def test_who_agreed_to_other_hours_is_bound_only_where_the_rule_says_so(self) -> None:
        """GB/T 45251: "unless agreed"; Reg F knows no such thing."""
        night = {"at": utc("2026-06-01 15:00"), "agreed_hours": True}
        assert ask(rule(WINDOW), **night).effect is Effect.DEFER
        answer = ask(rule(values.replace(WINDOW, unless_agreed=True)), **night)
        assert said(answer) == ALLOW and answer.facts["because"] == "agreed"

    @pytest.mark.parametrize(("dpd", "bound"), [(29, False), (30, True), (60, True), (61, False)])
    def test_a_window_may_bind_some_days_past_due_only(self, dpd: int, bound: bool) -> None:
        """The Philippines: 06 to 22 unless more than 60 days past due. Both edges are inside."""
        terms = values.replace(WINDOW, dpd_at_least=30, dpd_at_most=60)
        answer = ask(rule(terms), at=utc("2026-06-01 15:00"), dpd=dpd)
        assert (answer.effect is Effect.DEFER) is bound
        assert answer.applies is bound

    def test_the_hours_of_a_contact_are_those_of_the_windows_that_bind_it(self) -> None:
        """The narrowest of several; a window of others, or one that is shown, is not among them."""
        night = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(20), time(21)),)))
        narrow = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(9), time(23)),)))
        some = law(
            rule(WINDOW, "A.RULE"),
            rule(narrow, "B.RULE"),
            rule(night, "C.RULE", enforce=Enforce.SHOWN),
            rule(night, "D.RULE", parties=frozenset({Party.THIRD})),
            rule(values.replace(night, dpd_at_least=90), "E.RULE"),
            rule(values.replace(night, unless_agreed=True), "F.RULE"),
        )
        start = utc("2026-05-31 16:00")
        agreed = replace(ASKED, agreed_hours=True)
        hours = some.hours(agreed, ["XX"])
        assert hours.intervals(start, start + DAY) == (
            (utc("2026-06-01 01:00"), utc("2026-06-01 14:00")),
        )
        assert hours.closed_by(utc("2026-06-01 00:30")) == ("B.RULE",)
        assert some.hours(ASKED, ["XX"]).intervals(start, start + DAY) == (
            (utc("2026-06-01 12:00"), utc("2026-06-01 13:00")),
        )

    @given(
        start=st.integers(0, 400),
        places=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    )
    def test_verdict_and_hours_agree(self, start: int, places: list[str]) -> None:
        """Property: where only windows bind, a contact is allowed if and only if the hours are open."""
        some = law(
            rule(WINDOW, "A.RULE", effective_from=date(2026, 6, 3)),
            rule(WINDOW, "B.RULE", effective_to=date(2026, 6, 3)),
        )
        instant = utc("2026-05-31 00:00") + start * timedelta(minutes=17)
        request = replace(ASKED, at=instant, zones=tuple(places))
        hours = some.hours(request, ["XX"])
        together = some.evaluate(request, ["XX"])
        assert (together.effect is Effect.ALLOW) is hours.open_at(instant)
        if together.effect is Effect.DEFER:
            assert together.until is not None
            opening = hours.next_opening(instant, instant + HORIZON)
            assert opening is None or instant < together.until <= opening


class TestCap:
    """Counting."""

    def test_one_more_has_to_fit(self) -> None:
        """Three a day: after two there is room, after three not before midnight of the consumer's clock."""
        three = rule(cap(3))
        times = NOW - HOUR, NOW - 2 * HOUR, NOW - 3 * HOUR / 2
        two = ask(three, touches=at(*times[:2]))
        assert said(two) == ALLOW and two.facts == {"counted": 2, "most": 3}
        full = ask(three, touches=at(*times))
        assert said(full) == defer(utc("2026-06-01 16:00"))
        assert full.facts == {"counted": 3, "most": 3}

    def test_a_day_is_that_of_the_clock_the_rule_names(self) -> None:
        """23:59:59.999999 yesterday is another day, midnight is today."""
        midnight = utc("2026-05-31 16:00")
        one = rule(cap(1))
        assert said(ask(one, touches=at(midnight - TICK))) == ALLOW
        assert said(ask(one, touches=at(midnight))) == defer(midnight + DAY)
        in_utc = rule(cap(1, zone="UTC"))
        assert said(ask(in_utc, touches=at(midnight))) == ALLOW
        assert said(ask(in_utc, touches=at(NOW - HOUR))) == defer(utc("2026-06-02 00:00"))

    def test_every_clock_that_may_be_theirs_must_have_room(self) -> None:
        """New York's day goes on when Shanghai's is over."""
        both = {"zones": (SHANGHAI, NEW_YORK), "touches": at(NOW - HOUR)}
        assert said(ask(rule(cap(1)), **both)) == defer(utc("2026-06-01 16:00"))
        later = both | {"at": utc("2026-06-01 03:59"), "touches": at(utc("2026-06-01 01:00"))}
        assert said(ask(rule(cap(1)), **later)) == defer(utc("2026-06-01 16:00"))

    def test_rolling_seconds_are_open_at_their_start(self) -> None:
        """Trap 7: exactly 24 hours ago no longer counts, a microsecond less does."""
        rolling = rule(cap(2, Per.ROLLING, 86_400))
        answer = ask(rolling, touches=at(NOW - DAY, NOW - HOUR))
        assert said(answer) == ALLOW and answer.facts["counted"] == 1
        touches = at(NOW - HOUR, NOW - DAY + TICK)
        assert said(ask(rolling, touches=touches)) == defer(NOW + TICK)

    def test_seven_days_on_end_count_both_ends(self) -> None:
        """Trap 6: seven calls on Monday 1 June leave no room through Sunday 7, and room on Monday 8."""
        reg_f = rule(cap(7, Per.CONSECUTIVE_DAYS, 7, scope=Scope.DEBT))
        seven = at(*(NOW + n * SECOND for n in range(7)))
        eighth = utc("2026-06-07 16:00")
        for instant, expected in [
            (NOW + HOUR, defer(eighth)),
            (eighth - TICK, defer(eighth)),
            (eighth, ALLOW),
        ]:
            assert said(ask(reg_f, at=instant, touches=seven)) == expected
        assert said(ask(reg_f, at=NOW + HOUR, touches=seven[:6])) == ALLOW

    def test_what_lies_ahead_counts_too(self) -> None:
        """A call reported for tomorrow fills the week of today's; the run of days need not end today."""
        week = rule(cap(2, Per.CONSECUTIVE_DAYS, 7))
        assert said(ask(week, touches=at(NOW - 6 * DAY, NOW + 6 * DAY))) == ALLOW
        around = at(NOW - 3 * DAY, NOW + 3 * DAY)
        assert said(ask(week, touches=around)) == defer(utc("2026-06-04 16:00"))
        day = rule(cap(2, Per.ROLLING, 86_400))
        assert said(ask(day, touches=at(NOW - 13 * HOUR, NOW + 13 * HOUR))) == ALLOW
        assert said(ask(day, touches=at(NOW - 11 * HOUR, NOW + 13 * HOUR))) == ALLOW
        around = at(NOW - 6 * HOUR, NOW + 6 * HOUR)
        assert said(ask(day, touches=around)) == defer(NOW + 18 * HOUR)

    @pytest.mark.parametrize(
        ("unit", "channels", "counted"),
        [
            (Unit.ATTEMPT, frozenset({"call"}), 5),
            (Unit.CONNECTED, frozenset({"call"}), 3),
            (Unit.CONVERSATION, frozenset({"call"}), 1),
            (Unit.MESSAGE, frozenset({"call"}), 1),
            (Unit.MESSAGE, frozenset({"call", "sms"}), 2),
            (Unit.ANY, frozenset(), 6),
        ],
    )
    def test_one_contact_counts_in_each_pool_by_that_pools_unit(
        self, unit: Unit, channels: frozenset[str], counted: int
    ) -> None:
        """Traps 4 and 5: attempts, connected calls, conversations and messages of one day, each counted as it is."""
        touches = (
            *at(NOW - HOUR, NOW - 2 * HOUR, connected=True),
            *at(NOW - 3 * HOUR, connected=True, conversation=True),
            *at(NOW - 4 * HOUR, message_left=True),
            *at(NOW - 5 * HOUR),
            *at(NOW - 6 * HOUR, channel="sms"),
            *at(NOW - 7 * HOUR, direction=Direction.IN, connected=True),
        )
        some = rule(cap(9, unit=unit), channels=channels)
        assert ask(some, touches=touches).facts["counted"] == counted

    def test_texts_do_not_count_as_calls(self) -> None:
        """Trap 28: what counts are the channels named; without any, those the rule is about."""
        touches = at(NOW - HOUR, channel="sms")
        calls = rule(cap(1), channels=frozenset({"call", "ai_call"}))
        assert said(ask(calls, touches=touches)) == ALLOW
        pooled = rule(cap(1, counted=("call", "sms")), channels=frozenset({"call"}))
        assert ask(pooled, touches=touches).effect is Effect.DEFER
        assert ask(rule(cap(1, counted=("call", "sms"))), channel="sms", touches=touches).applies

    def test_a_cap_stops_only_what_would_count(self) -> None:
        """A letter is no call, and nobody is put through by a text; a webhook may be anything."""
        full = at(NOW - HOUR, connected=True)
        assert ask(rule(cap(1, counted=("call",))), channel="letter", touches=full).applies is False
        connected = rule(cap(1, unit=Unit.CONNECTED))
        assert said(ask(connected, channel="sms", touches=full)) == ALLOW
        assert ask(connected, channel="webhook", touches=full).effect is Effect.DEFER
        assert ask(connected, channel="visit", touches=full).effect is Effect.DEFER

    def test_what_the_law_leaves_out_is_left_out(self) -> None:
        """Reg F: consented, out of service, to the attorney; another reason leaves nothing out."""
        terms = rule(cap(1, excludes=("consented", "attorney")))
        assert said(ask(terms, touches=at(NOW - HOUR, excluded=("attorney", "x")))) == ALLOW
        assert ask(terms, touches=at(NOW - HOUR, excluded=("x",))).effect is Effect.DEFER

    @pytest.mark.parametrize(
        ("pool", "counted"),
        [(Pool.OWN, 2), (Pool.LENDER, 3), (Pool.LENDER_AND_AGENCIES, 4), (Pool.ALL, 4)],
    )
    def test_a_pool_says_whose_contacts_count(self, pool: Pool, counted: int) -> None:
        """Own: of the same caller, or of one that is not known."""
        touches = (
            *at(NOW - HOUR, by="lender"),
            *at(NOW - HOUR, by=""),
            *at(NOW - HOUR, by="other"),
            *at(NOW - HOUR, by="agency", party=Party.THIRD),
        )
        assert ask(rule(cap(9, pool=pool)), touches=touches).facts["counted"] == counted
        own = rule(cap(9, pool=Pool.OWN))
        assert ask(own, touches=touches, by="").facts["counted"] == 4

    def test_the_worst_debt_decides(self) -> None:
        """Two calls about one of two debts fill a cap of two; room is there when both have it."""
        week = rule(cap(2, Per.CONSECUTIVE_DAYS, 7, scope=Scope.DEBT))
        touches = (
            *at(NOW - 2 * DAY, NOW - DAY, debts=("a", "c")),
            *at(NOW - 6 * DAY, debts=("b",)),
        )
        assert said(ask(week, debts=("b",), touches=touches)) == ALLOW
        both = ask(week, debts=("b", "a"), touches=touches)
        assert said(both) == defer(utc("2026-06-05 16:00"))
        assert both.facts == {"counted": 2, "most": 2, "debt": "a"}
        assert said(ask(week, debts=("d",), touches=touches)) == ALLOW

    @pytest.mark.parametrize(
        ("scope", "here", "there", "unknown"),
        [
            (Scope.DEBT, {"debts": ("a",)}, {"debts": ("b",)}, {"debts": ()}),
            (Scope.ACCOUNT, {"accounts": ("a",)}, {"accounts": ("b",)}, {"accounts": ()}),
            (Scope.PRODUCT, {"products": ("a",)}, {"products": ("b",)}, {"products": ()}),
            (Scope.NUMBER, {"number": "a"}, {"number": "b"}, {"number": ""}),
            (Scope.ADDRESS, {"number": "a"}, {"number": "b"}, {"number": ""}),
        ],
    )
    def test_a_scope_says_what_counts_together(
        self, scope: Scope, here: dict[str, Any], there: dict[str, Any], unknown: dict[str, Any]
    ) -> None:
        """The same debt, account, product or number; what is not known, on either side, may be the same."""
        one = rule(cap(1, scope=scope))
        request = {"product": "a"} if scope is Scope.PRODUCT else here
        nobody = {"product": ""} if scope is Scope.PRODUCT else unknown
        assert ask(one, touches=at(NOW - HOUR, **here), **request).effect is Effect.DEFER
        assert ask(one, touches=at(NOW - HOUR, **there), **request).effect is Effect.ALLOW
        assert ask(one, touches=at(NOW - HOUR, **unknown), **request).effect is Effect.DEFER
        assert ask(one, touches=at(NOW - HOUR, **there), **nobody).effect is Effect.DEFER
        person = rule(cap(1))
        assert ask(person, touches=at(NOW - HOUR, **there), **request).effect is Effect.DEFER

    def test_a_statutory_notice_is_beyond_caps(self) -> None:
        """It is sent however often the person was contacted."""
        answer = ask(rule(cap(1)), purpose=Purpose.STATUTORY, touches=at(NOW - HOUR))
        assert answer.facts == {"applies": False, "because": "statutory"}

    def test_a_cap_is_over_when_its_rule_is(self) -> None:
        """Room is there at the end of the rule if that comes first."""
        month = rule(cap(1, Per.CONSECUTIVE_DAYS, 30), effective_to=date(2026, 6, 10))
        assert said(ask(month, touches=at(NOW - HOUR))) == defer(utc("2026-06-09 16:00"))
        both = ask(month, touches=at(NOW - HOUR), zones=(SHANGHAI, NEW_YORK))
        assert said(both) == defer(utc("2026-06-10 04:00"))

    def test_a_day_that_a_zone_never_had_is_passed_over(self) -> None:
        """Apia went from 29 to 31 December 2011: room is there when the 31st begins."""
        instant = utc("2011-12-30 05:00")
        answer = ask(rule(cap(1)), at=instant, zones=("Pacific/Apia",), touches=at(instant - HOUR))
        assert said(answer) == defer(utc("2011-12-30 10:00"))

    def test_clocks_set_back_over_midnight_do_not_split_a_day(self) -> None:
        """St. John's, 2010-11-07 00:01: back to 23:01 of the 6th, so that its last hour comes twice."""
        zone = "America/St_Johns"
        change = utc("2010-11-07 02:31")
        assert zones.local_date(change - SECOND, zone) == date(2010, 11, 7)
        assert zones.local_date(change, zone) == date(2010, 11, 6)
        one = rule(cap(1))
        second_visit = {"at": change + SECOND, "zones": (zone,)}
        assert said(ask(one, touches=at(change - SECOND), **second_visit)) == ALLOW
        before = at(change - 2 * HOUR)
        assert said(ask(one, touches=before, **second_visit)) == defer(utc("2010-11-07 03:30"))
        assert said(ask(one, touches=before, at=change - SECOND, zones=(zone,))) == ALLOW
        after = at(change + HOUR / 2)
        assert ask(one, touches=after, at=change - 2 * HOUR, zones=(zone,)).effect is Effect.DEFER

    @given(data=st.data())
    def test_a_cap_counts_as_a_count_of_every_run_does(self, data: st.DataObject) -> None:
        """Property: against a plain count over all runs of days or stretches of seconds that contain the contact. What
        waits is full until a moment before its instant, and has room at it.
        """
        per = data.draw(st.sampled_from(Per))
        n = {Per.CALENDAR_DAY: 1, Per.CONSECUTIVE_DAYS: data.draw(st.integers(1, 4))}.get(
            per, data.draw(st.sampled_from([3600, 86_400, 200_000]))
        )
        terms = cap(data.draw(st.integers(1, 3)), per, n)
        zone = data.draw(st.sampled_from(ZONES))
        start = data.draw(st.sampled_from([NOW, utc("2026-03-08 06:00"), utc("2011-12-30 08:00")]))
        offsets = data.draw(st.lists(st.integers(-300, 120), max_size=7))
        times = [start + each * timedelta(minutes=20) for each in offsets]
        request = replace(ASKED, at=start, zones=(zone,), touches=at(*times))
        answer = ask(rule(terms), request)
        assert (answer.effect is Effect.ALLOW) is fits(terms, times, start, zone)
        if answer.until is not None:
            assert fits(terms, times, answer.until, zone)
            for step in range(40):
                probe = start + (answer.until - TICK - start) * step // 40
                assert not fits(terms, times, probe, zone)
            assert not fits(terms, times, answer.until - TICK, zone)


def fits(terms: CapTerms, times: list[datetime], instant: datetime, zone: str) -> bool:
    """Return whether one more fits, by the definition: no run that contains it holds more than the cap."""
    if terms.per is Per.ROLLING:
        length = timedelta(seconds=terms.n)
        ends = [each for each in times if instant <= each < instant + length]
        return all(
            sum(end - length < each <= end for each in times) < terms.most
            for end in [instant, *ends]
        )
    on = zones.local_date(instant, zone)
    days = [zones.local_date(each, zone) for each in times]
    return all(
        sum(first <= day <= first + (terms.n - 1) * DAY for day in days) < terms.most
        for first in (on - n * DAY for n in range(terms.n))
    )


class TestCooloff:
    """Days without contact after something happened."""

    CONV7 = rule(CooloffTerms(CooloffAfter.CONVERSATION, 7, Scope.DEBT))

    def test_the_day_of_a_conversation_is_the_first(self) -> None:
        """Trap 6: Monday 1 June, so no call through Sunday 7, and the first one on Monday 8."""
        spoken = at(NOW, conversation=True, debts=("a",))
        monday = utc("2026-06-07 16:00")
        for instant, expected in [
            (NOW + HOUR, defer(monday)),
            (monday - TICK, defer(monday)),
            (monday, ALLOW),
            (NOW - TICK, ALLOW),
        ]:
            answer = ask(self.CONV7, at=instant, debts=("a",), touches=spoken)
            assert said(answer) == expected
        answer = ask(self.CONV7, at=NOW + HOUR, debts=("a",), touches=spoken)
        assert answer.facts == {
            "after": "conversation",
            "active": True,
            "started_at": "2026-06-01T02:00:00.000000Z",
        }

    def test_a_call_of_the_consumer_starts_it_for_each_debt_they_raise(self) -> None:
        """Trap 5: inbound, and two debts spoken of; a third is free, and a call without talk starts nothing."""
        raised = at(NOW - HOUR, direction=Direction.IN, conversation=True, debts=("a", "b"))
        assert ask(self.CONV7, debts=("b",), touches=raised).effect is Effect.DEFER
        assert ask(self.CONV7, debts=("c", "a"), touches=raised).effect is Effect.DEFER
        assert said(ask(self.CONV7, debts=("c",), touches=raised)) == ALLOW
        assert said(ask(self.CONV7, debts=("b",), touches=at(NOW - HOUR, connected=True))) == ALLOW

    def test_the_last_conversation_counts(self) -> None:
        """In any order, and by every clock that may be theirs."""
        spoken = at(NOW - DAY, NOW - 5 * DAY, NOW - 3 * DAY, conversation=True)
        assert said(ask(self.CONV7, touches=spoken)) == defer(utc("2026-06-06 16:00"))
        both = ask(self.CONV7, touches=spoken, zones=(SHANGHAI, NEW_YORK))
        # It was 30 May in New York, so its week ends there on 6 June at four in the morning, UTC.
        assert said(both) == defer(utc("2026-06-06 16:00"))

    def test_a_cure_or_promise_starts_one_too(self) -> None:
        """By its event; of another kind, or one that has yet to begin, it starts nothing."""
        cure = rule(CooloffTerms(CooloffAfter.CURE, 3, Scope.PERSON))
        happened = (Event("cure", NOW - HOUR),)
        assert said(ask(cure, events=happened)) == defer(utc("2026-06-03 16:00"))
        assert said(ask(cure, events=(Event("promise", NOW - HOUR),))) == ALLOW
        assert said(ask(cure, events=(Event("cure", NOW + TICK),))) == ALLOW
        promise = rule(CooloffTerms(CooloffAfter.PROMISE, 1, Scope.PERSON, zone="UTC"))
        assert said(ask(promise, events=(Event("promise", NOW),))) == defer(NOW + 22 * HOUR)

    def test_a_cool_off_is_over_when_its_rule_is(self) -> None:
        """And a statutory notice knows none."""
        ending = rule(
            CooloffTerms(CooloffAfter.CURE, 9, Scope.PERSON), effective_to=date(2026, 6, 2)
        )
        happened = {"events": (Event("cure", NOW),)}
        assert said(ask(ending, **happened)) == defer(utc("2026-06-01 16:00"))
        assert said(ask(ending, purpose=Purpose.STATUTORY, **happened)) == ALLOW


class TestSuppress:
    """What stops contact while it is on record."""

    RULE = rule(SuppressTerms(("dispute", "hardship")))

    def test_it_stops_from_its_start_until_before_its_end(self) -> None:
        """To the microsecond; what is of another kind stops nothing."""
        event = Event("dispute", NOW, NOW + DAY)
        for instant, expected in [
            (NOW - TICK, ALLOW),
            (NOW, defer(NOW + DAY)),
            (NOW + DAY - TICK, defer(NOW + DAY)),
            (NOW + DAY, ALLOW),
        ]:
            assert said(ask(self.RULE, at=instant, events=(event,))) == expected
        assert said(ask(self.RULE, events=(replace(event, kind="promise"),))) == ALLOW
        assert ask(self.RULE, events=(event,)).facts == {"active": True, "event": "dispute"}

    def test_what_nobody_knows_the_end_of_is_a_no(self) -> None:
        """Time alone does not heal it, also where it only begins before another one ends."""
        open_ended = Event("dispute", NOW - DAY)
        ends = Event("hardship", NOW - DAY, NOW + DAY)
        assert said(ask(self.RULE, events=(ends, open_ended))) == DENY
        assert said(ask(self.RULE, events=(ends, Event("dispute", NOW + DAY)))) == DENY
        assert said(ask(self.RULE, events=(ends, Event("dispute", NOW + DAY + TICK)))) == defer(
            NOW + DAY
        )

    def test_one_that_begins_before_the_last_is_over_goes_on(self) -> None:
        """Overlapping or touching, in any order: the instant is that of the last end."""
        chain = (
            Event("dispute", NOW + DAY, NOW + 3 * DAY),
            Event("hardship", NOW - DAY, NOW + DAY),
            Event("hardship", NOW - 2 * DAY, NOW + HOUR),
            Event("dispute", NOW + 4 * DAY, NOW + 5 * DAY),
        )
        assert said(ask(self.RULE, events=chain)) == defer(NOW + 3 * DAY)

    def test_a_rule_may_bound_it_by_days(self) -> None:
        """Ten days of 24 hours from its start, or its own end if that comes first."""
        ten = rule(SuppressTerms(("work_refused",), days=10))
        start = NOW - 10 * DAY
        assert said(ask(ten, events=(Event("work_refused", start),))) == ALLOW
        assert said(ask(ten, events=(Event("work_refused", start + TICK),))) == defer(NOW + TICK)
        short = Event("work_refused", NOW - DAY, NOW + DAY)
        assert said(ask(ten, events=(short,))) == defer(NOW + DAY)

    @pytest.mark.parametrize(
        ("stops", "stopped"),
        [
            (Stops.COURTESY, {Purpose.COURTESY, Purpose.MARKETING}),
            (Stops.COLLECTION, {Purpose.OVERDUE}),
            (Stops.ALL_BUT_STATUTORY, set(Purpose) - {Purpose.STATUTORY}),
            (Stops.ALL, set(Purpose)),
        ],
    )
    def test_a_stop_reaches_as_far_as_it_says(self, stops: Stops, stopped: set[Purpose]) -> None:
        """Before a debt is late; nothing but ALL stops a statutory notice."""
        some = rule(SuppressTerms(("dispute",), stops))
        events = (Event("dispute", NOW),)
        found = {
            purpose
            for purpose in Purpose
            if ask(some, purpose=purpose, stage=Stage.PRE_DUE, events=events).effect is Effect.DENY
        }
        assert found == stopped

    def test_what_is_sent_late_is_collection_whatever_it_calls_itself(self) -> None:
        """A courtesy reminder about a debt that is overdue is stopped with collection; in grace it is not."""
        some = rule(SuppressTerms(("hardship",), Stops.COLLECTION))
        courtesy = {"purpose": Purpose.COURTESY, "events": (Event("hardship", NOW),)}
        assert said(ask(some, stage=Stage.OVERDUE, **courtesy)) == DENY
        assert said(ask(some, stage=Stage.GRACE, **courtesy)) == ALLOW

    def test_a_stop_is_over_when_its_rule_is(self) -> None:
        """The end of the rule comes before that of the dispute."""
        ending = rule(SuppressTerms(("dispute",)), effective_to=date(2026, 6, 2))
        events = (Event("dispute", NOW, NOW + 9 * DAY),)
        assert said(ask(ending, events=events)) == defer(utc("2026-06-01 16:00"))


class TestConsent:
    """Consents and refusals; their ledger is tested with `core.consent`."""

    OPT_IN = rule(ConsentTerms(ConsentForm.OPT_IN, (Purpose.COURTESY,)))
    GIVEN = Consent(
        "c", Purpose.COURTESY, "", "", ConsentForm.EXPRESS, NOW - DAY, "contract", "lender"
    )
    STOP = Refusal("r", Switch.REMINDER, "sms", "", NOW - HOUR)

    def test_what_needs_consent_is_a_no_without(self) -> None:
        """Time gives none; what the rule does not name needs none."""
        courtesy = {"purpose": Purpose.COURTESY}
        assert said(ask(self.OPT_IN, **courtesy)) == DENY
        assert said(ask(self.OPT_IN, consents=(self.GIVEN,), **courtesy)) == ALLOW
        assert ask(self.OPT_IN, consents=(self.GIVEN,), **courtesy).facts == {
            "form": "opt_in",
            "stands": True,
        }
        assert said(ask(self.OPT_IN, purpose=Purpose.OVERDUE)) == ALLOW

    def test_a_refusal_stops_reminders_and_no_statutory_notice(self) -> None:
        """The switch of reminders is not that of notices; a rule without purposes means all but these."""
        any_purpose = rule(ConsentTerms(ConsentForm.NOT_REFUSED, ()))
        text = {"channel": "sms", "consents": (self.STOP,)}
        assert said(ask(any_purpose, **text)) == DENY
        assert said(ask(any_purpose, **(text | {"at": NOW - 2 * HOUR}))) == ALLOW
        notice = ask(any_purpose, purpose=Purpose.STATUTORY, **text)
        assert said(notice) == ALLOW and not notice.applies


class TestContent:
    """Words that must be there, or must not."""

    @pytest.mark.parametrize(
        ("text", "allowed"),
        [
            ("请于明日还款。回复 TD 退订", True),
            ("公安局已经介入。回TD退订", False),
            ("公 安局。回TD退订", False),
            ("公\u200b安局。回TD退订", False),
            ("请于明日还款", False),
            ("请于明日还款，回ＴＤ退订", True),
        ],
    )
    def test_words_are_found_without_case_width_and_spaces(self, text: str, allowed: bool) -> None:
        """Banned words hide behind spaces and signs that nobody sees; full-width letters are letters."""
        words = rule(ContentTerms(must={"zh-CN": ("td退订",)}, must_not={"zh-CN": ("公安",)}))
        assert said(ask(words, text=text, language="zh-CN")) == (ALLOW if allowed else DENY)

    def test_one_of_the_alternatives_is_enough(self) -> None:
        """Of the language, or of all languages."""
        words = rule(ContentTerms(must={"en": ("Reply STOP", "unsubscribe"), "*": ("退订",)}))
        for text in ("reply  stop to end", "UNSUBSCRIBE here", "退订"):
            assert said(ask(words, text=text, language="en")) == ALLOW
        assert ask(words, text="pay now", language="en").facts == {"lacks": "Reply STOP"}

    def test_a_ban_of_a_language_holds_in_that_language(self) -> None:
        """One of "*" holds in all; where the language is not known, every ban does."""
        words = rule(ContentTerms(must_not={"en": ("police",), "de": ("Kind",), "*": ("公安",)}))
        assert said(ask(words, text="Be kind", language="en")) == ALLOW
        assert said(ask(words, text="Be kind", language="")) == DENY
        assert ask(words, text="The POLICE", language="en-GB").facts == {"holds": "police"}
        assert said(ask(words, text="公安", language="fr")) == DENY

    def test_what_is_banned_in_a_language_is_banned_in_all_its_regions(self) -> None:
        """A list for "zh-CN" holds for "zh-TW" too, since its readers understand both; what must be said is nearer."""
        words = rule(ContentTerms(must_not={"zh-CN": ("警察",), "zh": ("坐牢",)}))
        for language in ("zh", "zh-CN", "zh-TW", "zh-Hant-HK"):
            assert said(ask(words, text="警察", language=language)) == DENY
            assert said(ask(words, text="坐牢", language=language)) == DENY
        near = rule(ContentTerms(must={"zh-CN": ("退订",), "zh-TW": ("退訂",)}))
        assert ask(near, text="退订", language="zh-TW").facts == {"lacks": "退訂"}
        assert said(ask(near, text="退訂", language="zh-TW")) == ALLOW

    def test_a_word_is_found_in_any_dress_and_in_no_other_word(self) -> None:
        """The judge has no eyes of its own: it finds what the linter finds (`core.wording`)."""
        words = rule(ContentTerms(must_not={"en": ("police", "legal action"), "zh": ("公安",)}))
        for text in (
            "p.o.l.i.c.e",
            "Ｐｏｌｉｃｅ",
            "po\u200blice",
            "LEGAL\n- action",
            "legal-ac/tion",
        ):
            assert said(ask(words, text=text, language="en")) == DENY, text
        for text in ("policeman", "illegal actions", "the legal. Actionable", "pol ice"):
            assert said(ask(words, text=text, language="en")) == ALLOW, text
        assert said(ask(words, text="公\u200b 安", language="zh-CN")) == DENY

    def test_a_language_without_a_wording_is_refused(self) -> None:
        """Nobody can say that the words that must be there are there."""
        words = rule(ContentTerms(must={"en": ("reply stop",)}))
        assert ask(words, text="Répondez STOP", language="fr").facts == {"lacks": ""}
        assert said(ask(words, text="Répondez STOP, reply stop", language="")) == ALLOW

    def test_content_is_not_asked_of_a_contact_without_text(self) -> None:
        """A call, or a plan before it is rendered; the answer says so."""
        answer = ask(rule(ContentTerms(must={"en": ("x",)})))
        assert said(answer) == ALLOW and answer.facts["because"] == "no text"

    def test_content_binds_a_statutory_notice(self) -> None:
        """It is beyond caps and refusals, and not beyond what may be said."""
        words = rule(ContentTerms(must_not={"*": ("police",)}))
        assert said(ask(words, text="police", purpose=Purpose.STATUTORY)) == DENY


class TestRecipient:
    """Who may be spoken to."""

    RULE = rule(
        RecipientTerms(
            (Recipient.BORROWER, Recipient.GUARANTOR),
            if_unreachable=(Recipient.CONTACT,),
            max_contacts=2,
            unreachable_misses=3,
        )
    )
    FRIEND = replace(ASKED, recipient=Recipient.CONTACT, reveals_debt=False, number="f")
    LOST = replace(FRIEND, borrower_unreachable=True)

    def test_others_are_no_matter_of_waiting(self) -> None:
        """Borrower and guarantor yes, the employer never, a contact only where the borrower is lost."""
        assert said(ask(self.RULE)) == ALLOW
        assert said(ask(self.RULE, recipient=Recipient.GUARANTOR)) == ALLOW
        assert said(ask(self.RULE, self.LOST, recipient=Recipient.EMPLOYER)) == DENY
        assert said(ask(self.RULE, self.FRIEND)) == DENY
        answer = ask(self.RULE, self.LOST)
        assert said(answer) == ALLOW
        assert answer.facts == {
            "recipient": "contact",
            "unreachable": True,
            "reveals_debt": False,
            "contacts": 0,
        }

    def test_others_learn_of_the_debt_only_where_the_rule_lets_them(self) -> None:
        """Trap 16: a message that reveals it goes to nobody else."""
        assert said(ask(self.RULE, self.LOST, reveals_debt=True)) == DENY
        terms = RecipientTerms((), (Recipient.CONTACT,), reveal_debt=True)
        assert said(ask(rule(terms), self.LOST, reveals_debt=True)) == ALLOW

    def test_each_of_them_is_asked_no_more_than_so_often(self) -> None:
        """Counted by the number that was used; another person is another number, an unknown one may be the same."""
        once = at(NOW - DAY, recipient=Recipient.CONTACT, number="f")
        other = at(NOW - DAY, recipient=Recipient.CONTACT, number="g")
        unknown = at(NOW - DAY, recipient=Recipient.CONTACT)
        assert said(ask(self.RULE, self.LOST, touches=(*once, *other, *at(NOW - DAY)))) == ALLOW
        assert said(ask(self.RULE, self.LOST, touches=(*once, *unknown))) == DENY
        no_number = RecipientTerms((), (Recipient.CONTACT,))
        assert said(ask(rule(no_number), self.LOST, touches=9 * once)) == ALLOW

    def test_three_misses_in_a_row_are_a_borrower_who_is_lost(self) -> None:
        """CBA: the last three calls unanswered; texts say nothing, an answer or a call of their own ends the row."""
        misses = at(NOW - HOUR, NOW - 2 * HOUR, NOW - 3 * HOUR)
        text = at(NOW - HOUR / 2, channel="sms")
        assert said(ask(self.RULE, self.FRIEND, touches=(*text, *misses))) == ALLOW
        assert said(ask(self.RULE, self.FRIEND, touches=(*text, *misses[:2]))) == DENY
        answered = at(NOW - 5 * HOUR / 2, connected=True)
        assert said(ask(self.RULE, self.FRIEND, touches=(*misses, *answered))) == DENY
        theirs = at(NOW - HOUR / 2, direction=Direction.IN)
        assert said(ask(self.RULE, self.FRIEND, touches=(*misses, *theirs))) == DENY
        others = at(NOW - HOUR / 2, connected=True, recipient=Recipient.CONTACT)
        assert said(ask(self.RULE, self.FRIEND, touches=(*misses, *others))) == ALLOW


class TestNotice:
    """Notices that are owed."""

    ARREARS = rule(
        NoticeTerms("arrears", Bound.AT_MOST_AFTER, 14, NoticeUnit.DAYS, trigger_is_day_one=True)
    )
    DEBIT = rule(NoticeTerms("debit", Bound.AT_LEAST_BEFORE, 24, NoticeUnit.HOURS))

    @staticmethod
    def owed(one: Rule, trigger: datetime, *given_at: datetime, **fields: Any) -> Answer:
        """Return what a notice rule says of one trigger and the notices given."""
        given = tuple(Given("XX.RULE", each) for each in given_at)
        assert isinstance(one.terms, NoticeTerms)
        triggers = (Trigger(one.terms.trigger, trigger),)
        return ask(one, triggers=triggers, notices_given=given, **fields)

    def test_fourteen_days_beginning_with_the_day_of_the_trigger(self) -> None:
        """Trap 23: the last day is the trigger's and 13; to the last microsecond of it the notice is in time."""
        trigger = utc("2026-05-20 02:00")
        deadline = utc("2026-06-02 16:00") - TICK
        answer = self.owed(self.ARREARS, trigger)
        assert (answer.effect, answer.until, answer.notice) == (
            Effect.REQUIRE,
            deadline,
            "arrears",
        )
        assert answer.facts["missed"] is False
        assert self.owed(self.ARREARS, trigger, at=deadline).facts["missed"] is False
        assert self.owed(self.ARREARS, trigger, at=deadline + TICK).facts["missed"] is True
        later = {"at": NOW + 9 * DAY}
        in_time = self.owed(self.ARREARS, trigger, deadline, **later)
        assert said(in_time) == ALLOW and in_time.facts["missed"] is False
        late = self.owed(self.ARREARS, trigger, deadline + TICK, **later)
        assert said(late) == ALLOW and late.facts["missed"] is True

    def test_a_notice_after_its_trigger_is_given_after_it(self) -> None:
        """One from before the trigger, of another rule, or of the time to come is none."""
        trigger = NOW - DAY
        for given_at in (trigger - TICK, NOW + TICK):
            assert self.owed(self.ARREARS, trigger, given_at).effect is Effect.REQUIRE
        other = (Given("XX.OTHER", NOW - HOUR),)
        triggers = (Trigger("arrears", trigger),)
        answer = ask(self.ARREARS, triggers=triggers, notices_given=other)
        assert answer.effect is Effect.REQUIRE
        assert self.owed(self.ARREARS, NOW).effect is Effect.REQUIRE
        assert said(self.owed(self.ARREARS, NOW + TICK)) == ALLOW
        assert said(ask(self.ARREARS, triggers=(Trigger("debit", trigger),))) == ALLOW

    def test_twenty_four_hours_before_a_debit(self) -> None:
        """India: exactly 24 hours is in time, a microsecond less is not and the notice stays owed until the debit."""
        debit = NOW + 36 * HOUR
        answer = self.owed(self.DEBIT, debit)
        assert (answer.effect, answer.until) == (Effect.REQUIRE, NOW + 12 * HOUR)
        assert said(self.owed(self.DEBIT, debit, NOW - DAY)) == ALLOW
        in_time, late = debit - DAY, debit - DAY + TICK
        assert said(self.owed(self.DEBIT, debit, in_time, at=late)) == ALLOW
        too_late = self.owed(self.DEBIT, debit, late, at=late)
        assert too_late.effect is Effect.REQUIRE and too_late.facts["missed"] is True
        over = self.owed(self.DEBIT, debit, late, at=debit)
        assert said(over) == ALLOW and over.facts["missed"] is True

    def test_one_notice_serves_one_trigger(self) -> None:
        """Two debits, one notice: one is owed, with the deadline of the debit that has none."""
        debits = (Trigger("debit", NOW + 60 * HOUR), Trigger("debit", NOW + 30 * HOUR))
        once = (Given("XX.RULE", NOW - HOUR),)
        answer = ask(self.DEBIT, triggers=debits, notices_given=once)
        assert (answer.effect, answer.until) == (Effect.REQUIRE, NOW + 36 * HOUR)
        twice = (*once, Given("XX.RULE", NOW))
        assert said(ask(self.DEBIT, triggers=debits, notices_given=twice)) == ALLOW
        assert ask(self.DEBIT, triggers=debits).until == NOW + 6 * HOUR
        arrears = (Trigger("arrears", NOW - 30 * DAY), Trigger("arrears", NOW - 29 * DAY))
        late = ask(self.ARREARS, triggers=arrears, notices_given=once)
        assert late.effect is Effect.REQUIRE and late.facts["missed"] is True
        assert late.facts["trigger_at"] == zones.to_text(NOW - 29 * DAY)
        assert said(ask(self.ARREARS, triggers=arrears, notices_given=twice)) == ALLOW

    @pytest.mark.parametrize(
        ("bound", "n", "unit", "day_one", "trigger", "deadline"),
        [
            (Bound.AT_MOST_AFTER, 14, NoticeUnit.DAYS, False, "05-20", "06-03"),
            (Bound.AT_MOST_AFTER, 1, NoticeUnit.DAYS, True, "05-31", "05-31"),
            (Bound.AT_LEAST_BEFORE, 21, NoticeUnit.DAYS, False, "06-30", "06-09"),
            # Fri 5 June, a weekend, and a holiday on Mon 8.
            (Bound.AT_MOST_AFTER, 2, NoticeUnit.BUSINESS_DAYS, False, "06-05", "06-10"),
            (Bound.AT_MOST_AFTER, 2, NoticeUnit.BUSINESS_DAYS, True, "06-05", "06-09"),
            (Bound.AT_MOST_AFTER, 2, NoticeUnit.BUSINESS_DAYS, True, "06-06", "06-10"),
            (Bound.AT_LEAST_BEFORE, 2, NoticeUnit.BUSINESS_DAYS, False, "06-10", "06-05"),
        ],
    )
    def test_deadlines_are_whole_days(
        self, bound: Bound, n: int, unit: NoticeUnit, day_one: bool, trigger: str, deadline: str
    ) -> None:
        """To the end of the last day in the consumer's zone; Regulation Z: mailed 21 days before the due date."""
        one = rule(NoticeTerms("due", bound, n, unit, trigger_is_day_one=day_one))
        asked_at = utc("2026-06-05 15:00") if bound is Bound.AT_MOST_AFTER else NOW
        if trigger == "06-06":
            asked_at += DAY
        answer = self.owed(one, utc(f"2026-{trigger} 04:00"), at=asked_at)
        ends = utc(f"2026-{deadline} 16:00") - TICK
        assert (answer.effect, answer.until) == (Effect.REQUIRE, ends)

    @pytest.mark.parametrize(
        ("bound", "deadline"),
        [(Bound.AT_MOST_AFTER, "2027-01-05"), (Bound.AT_LEAST_BEFORE, "2026-12-19")],
    )
    def test_business_days_of_an_unpublished_year_are_counted_safely(
        self, bound: Bound, deadline: str
    ) -> None:
        """Every day may be a business day after the trigger, and hardly one before it."""
        one = rule(NoticeTerms("due", bound, 3, NoticeUnit.BUSINESS_DAYS))
        trigger = (
            utc("2027-01-03 04:00") if bound is Bound.AT_MOST_AFTER else utc("2027-01-04 04:00")
        )
        asked_at = trigger + HOUR if bound is Bound.AT_MOST_AFTER else NOW
        assert self.owed(one, trigger, at=asked_at).until == utc(f"{deadline} 16:00") - TICK

    def test_the_earliest_clock_sets_the_deadline(self) -> None:
        """Where two zones may be theirs, the day that ends first."""
        answer = self.owed(self.ARREARS, utc("2026-05-20 02:00"), zones=(SHANGHAI, NEW_YORK))
        # It was 19 May in New York, so its 14 days end on 2 June at four in the morning, UTC.
        assert answer.until == utc("2026-06-02 04:00") - TICK

    def test_a_notice_is_owed_whatever_contact_asks(self) -> None:
        """Channel and purpose of the rule are those of the notice; party and stage are those of the debt."""
        narrow = values.replace(
            self.ARREARS,
            channels=frozenset({"letter"}),
            purposes=frozenset({Purpose.STATUTORY}),
        )
        assert self.owed(narrow, NOW - DAY).effect is Effect.REQUIRE
        third = values.replace(self.ARREARS, parties=frozenset({Party.THIRD}))
        assert said(self.owed(third, NOW - DAY)) == ALLOW


class TestBench:
    """The measure of `betimes bench rules`."""

    def test_the_benchmark_asks_what_it_says(self) -> None:
        """Every request is new, has its twenty touches, and is answered by all rules; no time is asserted."""
        made = list(bench_rules.requests(3))
        assert len({request.debts for request in made}) == 3
        assert {len(request.touches) for request in made} == {bench_rules.TOUCHES}
        some = law(rule(WINDOW, "A.RULE"), rule(cap(9), "B.RULE"), rule(DebitTerms(2), "C.RULE"))
        measured = bench_rules.measure(some, ["XX"], runs=5)
        assert (measured.runs, measured.rules, measured.asked) == (5, 3, 2)
        assert 0 < measured.median_us <= measured.p99_us

    def test_two_evaluations_say_the_same(self) -> None:
        """What was worked out before changes no answer, whatever was asked in between."""
        rules = (rule(WINDOW, "A.RULE"), rule(cap(3), "B.RULE"), rule(cap(1), "C.RULE"))
        shared, made = law(*rules), list(bench_rules.requests(20))
        fresh: Callable[[Request], Verdict] = lambda request: law(*rules).evaluate(request, ["XX"])  # noqa: E731  # one line says it
        together = [shared.evaluate(request, ["XX"]) for request in made]
        assert together == [fresh(request) for request in made]
        assert together == [shared.evaluate(request, ["XX"]) for request in made]
