"""Rules of contact: which law binds a step of an obligation, at which hours it may speak, and what the law answers."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import zones
from betimes.core.book import Snapshot
from betimes.core.borrower import Borrower, ContactPoint
from betimes.core.hold import Kind as HoldKind
from betimes.core.hours import Hours, Timetable
from betimes.core.law import HOUSE, Effect, Law
from betimes.core.product import PLAIN
from betimes.core.rule import (
    WEEKDAYS,
    CapTerms,
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
from betimes.core.rules import HORIZON, Rules, request, stage_of
from betimes.core.treatment import MessageClass
from tests.core.support import DAY, RULES, SECOND, TICK, ZONES, snapshots, step, utc
from tests.factories import NOW, account, borrower, budget, hold, obligation, touch

PACKS = RULES.law.packs
SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
COURTESY = step()
OVERDUE = step("D+3", offset_days=3, message_class=MessageClass.OVERDUE)


def person(jurisdiction: str, *names: str, numbers: tuple[str, ...] = ()) -> Borrower:
    """Return somebody of a jurisdiction who may be in any of some zones, with an address and these numbers."""
    points = [ContactPoint("email", "li@example.com", since=1)]
    points += [ContactPoint("sms", number, since=1) for number in numbers]
    zone, *evidence = names or (SHANGHAI,)
    return borrower(
        jurisdiction=jurisdiction,
        zone=zone,
        zone_evidence=tuple(evidence),
        contact_points=tuple(points),
    )


def bill(who: Borrower, **fields: Any) -> Snapshot:
    """Return that person's open bill, due on 2026-03-09."""
    return Snapshot(who, obligation(), **fields)


def told(hours: Hours) -> list[tuple[str, str]]:
    """Return the rules behind hours and by which clocks they are read."""
    return sorted((table.rule.id, table.zone) for table in hours.tables)


def rule(terms: Terms, kind: Kind, name: str = "X.RULE") -> Rule:
    """Return a rule of the pack X about any contact."""
    return Rule(
        id=name,
        title="made up for a test",
        pack="X",
        kind=kind,
        terms=terms,
        parties=frozenset(),
        stages=frozenset(),
        purposes=frozenset(),
        channels=frozenset(),
        products=frozenset(),
        effective_from=date(1900, 1, 1),
        effective_to=None,
        force=Force.LAW,
        status=Status.VERIFIED,
        enforce=Enforce.HARD,
        citation="made up for a test",
    )


def law(*rules: Rule) -> Law:
    """Return a law of these rules, which are those of the jurisdiction X, and of a house without any."""
    pack = Pack("X", "X", "", (SHANGHAI,), ("+86",), "", rules)
    house = Pack(HOUSE, "the house", "", ("UTC",), (), "", (), fallback=True)
    return Law({"X": pack, HOUSE: house}, {})


ONE_A_DAY = Rules(
    law(rule(CapTerms(1, Unit.ATTEMPT, Per.CALENDAR_DAY, Scope.PERSON), Kind.CAP, "X.CAP"))
)


# Which jurisdictions bind


@pytest.mark.parametrize(
    ("residence", "numbers", "expected"),
    [
        ("CN", (), ("CN",)),
        ("CN", ("+8613800000000",), ("CN",)),
        ("US", ("+8613800000000",), ("CN", "US")),
        ("US-NYC", ("+8613800000000",), ("CN", "US-NYC")),
        ("US-TX", ("+12025550100",), ("US",)),
        ("CN", ("+85291234567", "+12025550100"), ("CN", "HK", "US")),
        ("CN", ("+99900000000",), ("CN", HOUSE)),
        ("ZZ", (), ("ZZ",)),
        ("", ("+8613800000000",), ("CN",)),
        ("", (), ()),
    ],
)
def test_residence_and_every_number_bind(
    residence: str, numbers: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Trap 30: who lives in New York with a Chinese number has the rules of both; an e-mail address says nothing."""
    who = person(residence, numbers=numbers)
    assert RULES.jurisdictions(who) == expected
    assert RULES.jurisdictions(who) == expected, "what is remembered is the same"


def test_the_licence_binds_too() -> None:
    """A lender with a licence of Singapore keeps its rules wherever its borrowers are."""
    licensed = Rules(RULES.law, "SG")
    assert licensed.jurisdictions(person("US")) == ("SG", "US")
    assert licensed.jurisdictions(person("US", numbers=("+8613800000000",))) == ("CN", "SG", "US")


@pytest.mark.parametrize(
    "prefix", sorted(prefix for pack in PACKS.values() for prefix in pack.phones)
)
def test_every_prefix_that_a_pack_claims_is_told_from_a_number(prefix: str) -> None:
    """Whatever digits follow, and with a number of another prefix remembered before."""
    owners = {name for name, pack in PACKS.items() if prefix in pack.phones}
    for rest in ("2025550100", "0000000000"):
        assert owners <= set(RULES.jurisdictions(person("ZZ", numbers=(prefix + rest,))))


def test_both_laws_close_the_day_of_who_has_two() -> None:
    """Trap 30: the hours are those that China and the United States allow, by the clock of New York."""
    both = RULES.hours(bill(person("US", NEW_YORK, numbers=("+8613800000000",))), COURTESY, NOW)
    assert told(both) == [
        ("CN.CBA.TIME", NEW_YORK),
        ("CN.GBT.TIME", NEW_YORK),
        ("CN.HOUSE.TIME", NEW_YORK),
        ("US.FIRST.TIME", NEW_YORK),
    ]
    assert both.intervals(utc("2026-03-02 05:00"), utc("2026-03-03 05:00")) == (
        (utc("2026-03-02 13:00"), utc("2026-03-03 02:00") + TICK),
    )


# What is unknown


@pytest.mark.parametrize("jurisdiction", ["ZZ", "ZZ-1", ""])
def test_an_unknown_jurisdiction_gets_the_hours_of_the_house(jurisdiction: str) -> None:
    """Nine to eight by the borrower's clock, and no other window."""
    house = RULES.hours(bill(person(jurisdiction)), COURTESY, NOW)
    assert told(house) == [("HOUSE.TIME", SHANGHAI)]
    assert house.intervals(utc("2026-03-01 16:00"), utc("2026-03-02 16:00")) == (
        (utc("2026-03-02 01:00"), utc("2026-03-02 12:00")),
    )


def test_the_house_does_not_narrow_who_has_a_pack() -> None:
    """China opens at eight and closes at ten; the house is asked for the unknown only."""
    china = RULES.hours(bill(person("CN")), COURTESY, NOW)
    assert "HOUSE.TIME" not in china.rule_ids
    assert china.intervals(utc("2026-03-01 16:00"), utc("2026-03-02 16:00")) == (
        (utc("2026-03-02 00:00"), utc("2026-03-02 14:00")),
    )


def test_the_house_is_quieter_before_the_due_date_than_every_country() -> None:
    """What is unknown makes us quieter: its hours lie inside those of each country for the same person, on every day
    of two weeks. Brazil alone is quieter still, at weekends.
    """
    start, end = utc("2026-03-01 16:00"), utc("2026-03-15 16:00")
    house = RULES.hours(bill(person("ZZ")), COURTESY, start).intervals(start, end)
    assert len(house) == 14
    for name, pack in PACKS.items():
        if not pack.refines and not pack.fallback:
            due_later = Snapshot(person(name), obligation(due_on=date(2026, 4, 9)))
            theirs = RULES.hours(due_later, COURTESY, start)
            for opening, closing in house:
                if name == "BR" and opening.weekday() >= 5:
                    assert (
                        theirs.closing(opening) < closing
                        if theirs.open_at(opening)
                        else opening.weekday() == 6
                    )
                    continue
                assert theirs.open_at(opening), name
                assert theirs.closing(opening) >= closing, name


def test_a_jurisdiction_says_where_its_people_may_live() -> None:
    """China keeps one time, a state without a pack is somewhere in its country; of a jurisdiction without a pack, and
    of a pack without zones, nothing is known, so the zones of the house count.
    """
    assert RULES.candidates("CN") == (SHANGHAI,)
    assert RULES.candidates("US-MA") == (NEW_YORK,)
    assert RULES.candidates("US-TX") == RULES.candidates("US") == PACKS["US"].zones
    assert RULES.candidates("ZZ") == RULES.candidates("") == PACKS[HOUSE].zones
    silent = Law({**PACKS, "X": replace(PACKS["CN"], zones=())}, RULES.law.calendars)
    assert Rules(silent).candidates("X") == PACKS[HOUSE].zones


def test_the_zones_of_the_house_have_no_hour_in_common() -> None:
    """On no day of four years: whoever may live anywhere is not contacted on a guess."""
    nowhere = RULES.hours(bill(person("ZZ", *RULES.candidates("ZZ"))), COURTESY, NOW)
    assert {zone for _, zone in told(nowhere)} == set(PACKS[HOUSE].zones)
    assert nowhere.next_opening(utc("2026-01-01 00:00"), utc("2030-01-01 00:00")) is None


def test_the_fifty_states_share_a_part_of_every_day() -> None:
    """From eight in Hawaii until nine in New York, that very instant included: on each day of a year, and no more."""
    us = RULES.hours(bill(person("US", *RULES.candidates("US"))), COURTESY, NOW)
    assert us.open_at(zones.instant(date(2026, 11, 24), time(21), NEW_YORK))
    shared = us.intervals(utc("2026-01-01 12:00"), utc("2027-01-01 12:00"))
    assert len(shared) == 365
    for opening, closing in shared:
        assert zones.local_time(opening, "Pacific/Honolulu") == time(8)
        assert zones.local_time(closing - TICK, NEW_YORK) == time(21)


@pytest.mark.parametrize("name", sorted(PACKS))
def test_who_is_somewhere_can_be_contacted_within_the_horizon(name: str) -> None:
    """No weekend and no holiday of a year for which calendars are published lasts longer than we look ahead."""
    hours = RULES.hours(bill(person(name, RULES.candidates(name)[0])), COURTESY, NOW)
    start = utc("2026-01-01 00:00")
    for n in range(350):
        assert hours.next_opening(start + n * DAY, start + n * DAY + HORIZON) is not None


# Where a debt stands


@pytest.mark.parametrize(
    ("at", "grace_days", "expected"),
    [
        ("2026-03-08 15:59", 3, Stage.PRE_DUE),
        ("2026-03-08 16:00", 3, Stage.DUE_DAY),
        ("2026-03-09 15:59", 3, Stage.DUE_DAY),
        ("2026-03-09 16:00", 3, Stage.GRACE),
        ("2026-03-12 15:59", 3, Stage.GRACE),
        ("2026-03-12 16:00", 3, Stage.OVERDUE),
        ("2026-03-09 15:59", 0, Stage.DUE_DAY),
        ("2026-03-09 16:00", 0, Stage.OVERDUE),
    ],
)
def test_a_stage_changes_with_the_civil_date(at: str, grace_days: int, expected: Stage) -> None:
    """Due on 9 March in Shanghai, eight hours ahead of UTC: each stage begins at midnight there, grace is the days
    after the due day, and with none the day after is overdue.
    """
    seen = bill(person("CN"), profile=replace(PLAIN, grace_days=grace_days))
    assert stage_of(seen, utc(at)) is expected
    assert stage_of(seen, utc(at) + 59 * SECOND) is expected
    assert request(seen, COURTESY, utc(at), "email").stage is expected


def test_a_stage_goes_by_the_clock_of_the_product() -> None:
    """Where the product has a zone, the borrower's clock does not move the due date."""
    seen = bill(person("CN"), profile=replace(PLAIN, zone=NEW_YORK))
    midnight = zones.instant(date(2026, 3, 9), time(0), NEW_YORK)
    assert stage_of(seen, midnight - TICK) is Stage.PRE_DUE
    assert stage_of(seen, midnight) is Stage.DUE_DAY


# What a step is in law


@pytest.mark.parametrize(
    ("fields", "mandate", "expected"),
    [
        ({}, "", Purpose.COURTESY),
        ({}, "6789", Purpose.COURTESY),
        ({"debit_template": "debit_coming"}, "6789", Purpose.PRE_DEBIT),
        ({"debit_template": "debit_coming"}, "", Purpose.COURTESY),
        ({"debit_template": "due_soon"}, "6789", Purpose.COURTESY),
        (
            {"debit_template": "debit_coming", "message_class": MessageClass.OVERDUE},
            "6789",
            Purpose.OVERDUE,
        ),
        (
            {"debit_template": "debit_coming", "message_class": MessageClass.STATUTORY},
            "6789",
            Purpose.STATUTORY,
        ),
    ],
)
def test_a_reminder_that_announces_a_debit_is_one(
    fields: dict[str, Any], mandate: str, expected: Purpose
) -> None:
    """A courtesy step with words of its own for auto-debit, where there is one; what it is else, its class says."""
    seen = bill(person("CN"), account=account(mandate=mandate))
    assert request(seen, step(**fields), NOW, "email").purpose is expected


def test_a_request_tells_the_facts_of_the_step() -> None:
    """All zones, the debt and its account, days past due by the clock of the debt, and never a plain number."""
    seen = bill(person("US", NEW_YORK, SHANGHAI, numbers=("+8613800000000",)))
    asked = request(seen, OVERDUE, utc("2026-03-12 12:00"), "sms")
    assert asked.zones == (NEW_YORK, SHANGHAI)
    assert (asked.by, asked.debts, asked.accounts) == ("bank", ("o1",), ("a1",))
    assert (asked.dpd, asked.purpose) == (3, Purpose.OVERDUE)
    assert request(seen, OVERDUE, utc("2026-03-06 12:00"), "sms").dpd == -3
    assert asked.number and "138" not in asked.number
    assert request(seen, OVERDUE, NOW, "call").number == ""


# What is remembered of hours


@given(
    st.lists(st.tuples(snapshots(), st.integers(-20, 90)), min_size=2, max_size=6),
    st.sampled_from(["CN", "US", "US-MA", "IN", "PH", "BR-SP", "ZZ"]),
    st.sampled_from([COURTESY, OVERDUE]),
    st.sampled_from(["", "sms", "call"]),
)
def test_hours_are_those_of_each_borrower_whoever_was_asked_before(
    asked: list[tuple[Snapshot, int]], jurisdiction: str, about: Any, channel: str
) -> None:
    """Property: one memory for many borrowers, stages and days past due answers as the law does when asked directly."""
    rules = Rules(RULES.law)
    for _ in range(2):
        for made_up, days in asked:
            seen = replace(made_up, borrower=replace(made_up.borrower, jurisdiction=jurisdiction))
            due = seen.obligation.due_on
            at = datetime(due.year, due.month, due.day, 12, tzinfo=UTC) + days * DAY
            plain = request(seen, about, at, channel or "email")
            direct = RULES.law.hours(plain, rules.jurisdictions(seen.borrower))
            assert told(rules.hours(seen, about, at, channel)) == told(direct)


def test_two_borrowers_alike_share_their_hours() -> None:
    """Who they are is of no account; their zones, stage and days past due are where a rule asks for them."""
    rules = Rules(RULES.law)
    first = rules.hours(bill(person("CN")), COURTESY, NOW)
    other = bill(replace(person("CN"), id="b2", tenant="another"))
    assert rules.hours(other, COURTESY, NOW + DAY) is first
    assert told(rules.hours(bill(person("CN", NEW_YORK)), COURTESY, NOW)) != told(first)


def test_hours_follow_the_stage_and_the_days_past_due() -> None:
    """India has other hours for recovery, the Philippines up to sixty days past due; each is told anew."""
    rules = Rules(RULES.law)
    due = utc("2026-03-09 04:00")
    india, philippines = bill(person("IN", "Asia/Kolkata")), bill(person("PH", "Asia/Manila"))
    assert rules.hours(india, COURTESY, due).rule_ids == ("IN.HOUSE.TIME",)
    assert rules.hours(india, COURTESY, due + DAY).rule_ids == ("IN.RBI.TIME",)
    for days, expected in ((60, "PH.BSP"), (61, "PH.HOUSE.TIME"), (60, "PH.BSP")):
        assert rules.hours(philippines, OVERDUE, due + days * DAY).rule_ids == (expected,)


def test_hours_follow_the_purpose_and_the_product() -> None:
    """A window of one product, and one of what is overdue, are each told to those they are about, in any order."""
    terms = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(8), time(9)),)), Where.CONSUMER)
    cards = replace(rule(terms, Kind.WINDOW, "X.CARDS"), products=frozenset({"card"}))
    late = replace(rule(terms, Kind.WINDOW, "X.LATE"), purposes=frozenset({Purpose.OVERDUE}))
    rules = Rules(law(cards, late))
    card = bill(person("X"), profile=replace(PLAIN, name="card"))
    loan = bill(person("X"), profile=replace(PLAIN, name="loan"))
    for _ in range(2):
        assert rules.hours(card, COURTESY, NOW).rule_ids == ("X.CARDS",)
        assert rules.hours(loan, COURTESY, NOW).rule_ids == ()
        assert rules.hours(card, OVERDUE, NOW).rule_ids == ("X.CARDS", "X.LATE")
        assert rules.hours(loan, OVERDUE, NOW).rule_ids == ("X.LATE",)


def test_a_step_is_asked_about_by_its_first_channel() -> None:
    """Unless another one is named."""
    terms = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(time(8), time(9)),)), Where.CONSUMER)
    by_sms = replace(rule(terms, Kind.WINDOW), channels=frozenset({"sms"}))
    rules = Rules(law(by_sms))
    seen = bill(person("X"))
    assert rules.hours(seen, step(channels=("email", "sms")), NOW).tables == ()
    assert told(rules.hours(seen, step(channels=("email", "sms")), NOW, "sms")) == [
        ("X.RULE", SHANGHAI)
    ]
    assert told(rules.hours(seen, step(channels=("sms", "email")), NOW)) == [("X.RULE", SHANGHAI)]


# What the law says at an instant


def test_a_cap_defers_to_the_first_day_with_room() -> None:
    """One contact a day, and there was one this morning: not before midnight in Shanghai, and then again."""
    seen = bill(person("X"), budget=budget(touch()))
    verdict = ONE_A_DAY.verdict(seen, COURTESY, NOW, "email")
    assert (verdict.effect, verdict.until) == (Effect.DEFER, utc("2026-03-01 16:00"))
    assert verdict.rule_ids == ("X.CAP",)
    assert ONE_A_DAY.verdict(seen, COURTESY, NOW + DAY, "email").effect is Effect.ALLOW
    assert ONE_A_DAY.verdict(bill(person("X")), COURTESY, NOW, "email").effect is Effect.ALLOW


def test_a_statutory_notice_is_beyond_a_cap() -> None:
    """What the law obliges a lender to send is not stopped by how often others were in touch."""
    seen = bill(person("X"), budget=budget(touch()))
    notice = step(message_class=MessageClass.STATUTORY)
    assert ONE_A_DAY.verdict(seen, notice, NOW, "email").effect is Effect.ALLOW


def test_holds_are_what_the_law_knows_as_events() -> None:
    """In force until they end or are lifted, on all channels or on the one they name."""
    rules = Rules(law(rule(SuppressTerms(("dispute",)), Kind.SUPPRESS)))
    ends = NOW + 7 * DAY

    def verdict(**fields: Any) -> tuple[Effect, datetime | None]:
        seen = bill(person("X"), holds=(hold(**fields),))
        found = rules.verdict(seen, COURTESY, NOW, "email")
        return found.effect, found.until

    assert verdict() == (Effect.DEFER, ends)
    assert verdict(channel="email") == (Effect.DEFER, ends)
    assert verdict(channel="sms") == (Effect.ALLOW, None)
    assert verdict(kind=HoldKind.HARDSHIP) == (Effect.ALLOW, None)
    assert verdict(ends_at=None) == (Effect.DENY, None)
    assert verdict(lifted_at=NOW) == (Effect.ALLOW, None)
    assert verdict(lifted_at=NOW + TICK) == (Effect.DEFER, NOW + TICK)


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        ("07:59:59.999999", False),
        ("08:00:00", True),
        ("08:00:01", True),
        ("12:00:00", True),
        ("21:59:59", True),
        ("21:59:59.999999", True),
        ("22:00:00", False),
        ("22:00:01", False),
        ("23:59:59", False),
        ("00:00:00", False),
    ],
)
def test_a_verdict_and_hours_agree_at_the_edges(local: str, allowed: bool) -> None:
    """China, half open: allowed at the very opening, no more at the very closing."""
    seen = bill(person("CN"))
    at = zones.instant(date(2026, 3, 6), time.fromisoformat(local), SHANGHAI)
    assert RULES.hours(seen, COURTESY, at).open_at(at) is allowed
    verdict = RULES.verdict(seen, COURTESY, at, "email")
    assert (verdict.effect is Effect.ALLOW) is allowed
    if not allowed:
        assert verdict.rule_ids == ("CN.CBA.TIME", "CN.GBT.TIME", "CN.HOUSE.TIME")
        hours = RULES.hours(seen, COURTESY, at)
        assert verdict.until == hours.next_opening(at, at + HORIZON)


# Hours on every day of every zone


def window(opens: time, closes: time, *names: str) -> Hours:
    """Return the hours of a window, the same on each day, by the clocks of some zones."""
    terms = WindowTerms(dict.fromkeys(WEEKDAYS, (Span(opens, closes),)), Where.CONSUMER)
    return Hours(tuple(Timetable(rule(terms, Kind.WINDOW), name, None) for name in names))


def _changes_of_clocks(name: str, first: int, last: int) -> list[datetime]:
    """Return the instants from year `first` to `last` at which clocks of the zone change, by bisection."""
    zone = zoneinfo.ZoneInfo(name)
    found = []
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    while at < end:
        after = at + timedelta(days=10)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            low, high = at, after
            while high - low > SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        at = after
    return found


def test_no_zone_of_the_world_opens_the_window_at_night() -> None:
    """All IANA zones, all changes of clocks of two years: one second around each edge of that and the next day."""
    checked = 0
    for name in sorted(zoneinfo.available_timezones()):
        changes = _changes_of_clocks(name, 2026, 2027)
        if not changes:
            continue  # Among these is "Factory", which is no zone to us.
        china = RULES.hours(bill(person("CN", name)), COURTESY, utc("2026-06-01 00:00"))
        house = RULES.hours(bill(person("ZZ", name)), COURTESY, utc("2026-06-01 00:00"))
        for change in changes:
            for day in range(-1, 3):
                on = zones.local_date(change + day * DAY, name)
                for hours, first, last in ((china, 8, 22), (house, 9, 20)):
                    opens = zones.instant(on, time(first), name)
                    closes = zones.instant(on, time(last), name)
                    assert hours.open_at(opens)
                    assert not hours.open_at(opens - TICK)
                    assert hours.closing(opens) == closes
                    assert hours.next_opening(opens - SECOND, closes) == opens
                    for edge in (closes - SECOND, closes, closes + SECOND):
                        wall = edge.astimezone(zoneinfo.ZoneInfo(name)).time()
                        assert hours.open_at(edge) is (time(first) <= wall < time(last))
                    checked += 1
    assert checked > 1_000


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(ZONES),
    st.integers(0, 22),
    st.integers(1, 23),
)
def test_any_window_answers_at_any_instant(
    naive: datetime, zone: str, one: int, other: int
) -> None:
    """Whatever its hours, from 1975 to 2100: the next opening is allowed and not before, and a closing lies ahead."""
    if one == other:
        other += 1
    hours = window(time(min(one, other)), time(max(one, other)), zone)
    at = naive.replace(tzinfo=UTC)
    opening = hours.next_opening(at, at + 2 * DAY + TICK)
    assert opening is not None and opening >= at
    assert (opening == at) is hours.open_at(at)
    assert hours.open_at(opening)
    assert hours.closing(opening) > opening


def test_a_window_that_closes_in_a_gap_closes_at_the_gap() -> None:
    """New York skips 02:00 to 03:00 on 8 March 2026, at 07:00 UTC: a window until half past two is closed from then."""
    hours = window(time(1), time(2, 30), NEW_YORK)
    assert hours.closing(utc("2026-03-08 06:30")) == utc("2026-03-08 07:00")
    assert not hours.open_at(utc("2026-03-08 07:00"))


def test_a_window_that_is_open_from_midnight_is_open_in_both_hours_of_a_fold() -> None:
    """In New York the hour after one o'clock comes twice: a window until half past one closes twice."""
    hours = window(time(0), time(1, 30), NEW_YORK)
    second = utc("2026-11-01 06:10")
    assert hours.open_at(second)
    assert hours.closing(second) == utc("2026-11-01 06:30")


def test_a_window_inside_a_gap_does_not_open_that_day() -> None:
    """No clock shows a time of it; it opens the day after. Nor does any window on a date that never was."""
    start = utc("2026-03-08 06:30")
    hours = window(time(2, 10), time(2, 50), NEW_YORK)
    assert hours.next_opening(start, start + 2 * DAY) == utc("2026-03-09 06:10")
    apia, start = window(time(8), time(22), "Pacific/Apia"), utc("2011-12-30 08:00")
    assert apia.next_opening(start, start + 2 * DAY) == utc("2011-12-30 18:00")
    assert zones.local_date(utc("2011-12-30 18:00"), "Pacific/Apia") == date(2011, 12, 31)


def test_a_window_goes_on_where_its_closing_is_skipped_together_with_the_night() -> None:
    """Nuuk jumps from 23:00 to midnight: a window of all day but the last half hour has no break in that night."""
    hours = window(time(0), time(23, 30), "America/Nuuk")
    assert hours.closing(utc("2026-03-28 12:00")) == utc("2026-03-30 00:30")


def test_common_hours_that_come_only_with_a_change_of_clocks_are_found() -> None:
    """On 8 March 2026 New York comes an hour nearer to Berlin. What begins before the end of the search is found."""
    hours = window(time(9), time(14, 30), NEW_YORK, "Europe/Berlin")
    opening = utc("2026-03-08 13:00")
    assert hours.next_opening(opening - HORIZON, opening + TICK) == opening
    assert hours.next_opening(opening - HORIZON, opening) is None
    assert hours.closing(opening) == utc("2026-03-08 13:30")


def test_common_hours_are_told_to_the_microsecond() -> None:
    """Open in New York and in Shanghai is the instant itself; at the closing it is the next common opening."""
    both = window(time(8), time(20), NEW_YORK, SHANGHAI)
    last = utc("2026-11-25 01:00") - TICK
    assert both.next_opening(last, last + HORIZON) == last
    assert both.next_opening(last + TICK, last + HORIZON) == utc("2026-11-26 00:00")
    assert both.intervals(utc("2026-11-24 12:00"), utc("2026-11-25 12:00")) == (
        (utc("2026-11-25 00:00"), utc("2026-11-25 01:00")),
    )
