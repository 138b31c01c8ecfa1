"""A second evaluator of the law of contact, to judge the first one by: it scans minute by minute.

It is written from the terms of rules alone (`core.rule`), with `zoneinfo` and integers, and shares no code with
`core.law`, `core.hours`, `core.touch`, `core.zones` and `core.counting`. It knows minutes only: windows, histories and
events of its cases begin and end on whole minutes, so the first lawful instant of a case is a whole minute too. What
clocks show is asked of the database for each hour and minute; nothing is worked out from its changes of clocks.

    python -m tests.law.brute --cases 100000 --seed 1

compares `next_allowed` with the scan on random cases, and prints how many, how many differ, and how long it took.
"""

from __future__ import annotations

import argparse
import sys
import time as clock
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from betimes.core.allowed import Allowed, Never, next_allowed
from betimes.core.consent import Consent, Reach, Refusal, Switch
from betimes.core.law import Law
from betimes.core.question import Effect, Event, Request
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
    Party,
    Per,
    Pool,
    Purpose,
    Recipient,
    RecipientTerms,
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
from tests.law import support

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = 1440
# Before all that is asked about.
_LONG_AGO: Final = date(2000, 1, 1)
_FIRST_ORDINAL: Final = date(1970, 1, 1).toordinal()

# Whether a rule stops the contact at a minute (minutes since 1970, UTC).
Stop = Callable[[int], bool]


def minute_of(at: datetime) -> int:
    """Return the whole minutes from 1970 to `at`, which must be one."""
    minutes, rest = divmod(at - EPOCH, _MINUTE)
    assert not rest, f"{at} is no whole minute"
    return minutes


def instant_of(minute: int) -> datetime:
    """Return the instant (UTC) of a minute."""
    return EPOCH + minute * _MINUTE


@lru_cache(maxsize=40_000)
def _offsets(zone: str, day: int) -> array[int]:
    """Return how many minutes clocks of the zone are ahead of UTC, for each minute of a UTC day.

    Clocks are asked at both ends of each hour, and at each minute of an hour whose ends differ.
    """
    info = ZoneInfo(zone)
    start = EPOCH + timedelta(days=day)

    def ahead(n: int) -> int:
        offset = (start + n * _MINUTE).astimezone(info).utcoffset()
        assert offset is not None
        return int(offset.total_seconds()) // 60

    found = array("h")
    for hour in range(0, _DAY, 60):
        first, last = ahead(hour), ahead(hour + 59)
        found.extend([first] * 60 if first == last else [ahead(hour + n) for n in range(60)])
    return found


def local(zone: str, minute: int) -> int:
    """Return what clocks of the zone show at a minute, as minutes since 1970-01-01 00:00 of that clock."""
    day, n = divmod(minute, _DAY)
    return minute + _offsets(zone, day)[n]


def local_day(zone: str, minute: int) -> int:
    """Return the civil date in the zone at a minute, as days since 1970-01-01."""
    return local(zone, minute) // _DAY


@lru_cache(maxsize=40_000)
def _date(day: int) -> date:
    return date.fromordinal(_FIRST_ORDINAL + day)


# Rules


def stops(rule: Rule, request: Request, calendar: Calendar | None) -> Stop | None:
    """Return whether and when the rule stops the contact, None where it never does. `calendar` knows the holidays."""
    if rule.enforce not in (Enforce.HARD, Enforce.CAUTIOUS) or not _is_about(rule, request):
        return None
    stop = _stop(rule, request, calendar)
    if stop is None or isinstance(rule.terms, WindowTerms):
        return stop  # A window asks each of its clocks for itself.
    begins, ends = rule.effective_from, rule.effective_to
    own = rule.terms.zone if isinstance(rule.terms, CapTerms | CooloffTerms) else ""
    zones = (own,) if own else request.zones
    if ends is None and begins <= _LONG_AGO:
        return stop

    def in_force(minute: int) -> bool:
        days = [_date(local_day(zone, minute)) for zone in zones]
        return any(begins <= day and (ends is None or day < ends) for day in days)

    return lambda minute: in_force(minute) and stop(minute)


def _is_about(rule: Rule, request: Request) -> bool:
    return (
        (not rule.parties or request.party in rule.parties)
        and (not rule.stages or request.stage in rule.stages)
        and (not rule.purposes or request.purpose in rule.purposes)
        and (not rule.channels or request.channel in rule.channels)
        and (not rule.products or not request.product or request.product in rule.products)
    )


def _stop(rule: Rule, request: Request, calendar: Calendar | None) -> Stop | None:
    terms = rule.terms
    statutory = request.purpose is Purpose.STATUTORY
    match terms:
        case WindowTerms():
            return _closed(rule, terms, request, calendar)
        case CapTerms():
            return None if statutory else _spent(rule, terms, request)
        case CooloffTerms():
            return None if statutory else _cooling(terms, request)
        case SuppressTerms():
            return _suppressed(terms, request)
        case ConsentTerms():
            return _refused(terms, request, rule.channels)
        case RecipientTerms():
            return _wrong_person(terms, request)
    # The others are about no contact, ask for a notice, or read a text, and no case has one.
    return None


def _closed(
    rule: Rule, terms: WindowTerms, request: Request, calendar: Calendar | None
) -> Stop | None:
    if terms.unless_agreed and request.agreed_hours:
        return None
    if terms.dpd_at_least is not None and request.dpd < terms.dpd_at_least:
        return None
    if terms.dpd_at_most is not None and request.dpd > terms.dpd_at_most:
        return None
    zones = {
        Where.CONSUMER: request.zones,
        Where.ADDRESS: request.address_zones or request.zones,
        Where.NUMBER: request.number_zones or request.zones,
        Where.FIXED: (terms.zone,),
    }[terms.where]
    days: dict[int, list[list[tuple[int, int]]]] = {}

    def all_must_hold(day: int) -> list[list[tuple[int, int]]]:
        """Return lists of hours [first minute, minute after the last), one of each list must hold the time."""
        on = _date(day)
        if on < rule.effective_from or (rule.effective_to and on >= rule.effective_to):
            return []
        usual = _hours(terms.days.get(WEEKDAYS[on.weekday()], ()))
        if HOLIDAY not in terms.days:
            return [usual]
        festive = _hours(terms.days[HOLIDAY])
        if calendar is None or on.year not in calendar.published:
            return [usual, festive]
        return [festive] if on in calendar.holidays else [usual]

    def stop(minute: int) -> bool:
        for zone in zones:
            day, time_of_day = divmod(local(zone, minute), _DAY)
            if day not in days:
                days[day] = all_must_hold(day)
            for hours in days[day]:
                if not any(opens <= time_of_day < closes for opens, closes in hours):
                    return True
        return False

    return stop


def _hours(spans: Sequence[Span]) -> list[tuple[int, int]]:
    found = []
    for span in spans:
        opens = span.opens.hour * 60 + span.opens.minute
        closes = _DAY if span.closes is None else span.closes.hour * 60 + span.closes.minute
        # A span that contains its closing time contains that minute's first instant, which is what is asked for.
        found.append((opens, closes + int(span.closes_inclusive)))
    return found


def _counts(touch: Touch, unit: Unit) -> bool:
    if touch.direction is Direction.IN:
        return False
    text = touch.channel in ("sms", "email", "push", "inbox", "letter", "webhook")
    match unit:
        case Unit.CONVERSATION:
            return touch.conversation
        case Unit.CONNECTED:
            return touch.connected or touch.conversation
        case Unit.MESSAGE:
            return touch.message_left or (text and touch.attempt)
        case _:
            return touch.attempt or touch.connected or touch.conversation or touch.message_left


def _together(scope: Scope, request: Request, touches: Sequence[Touch]) -> list[list[Touch]]:
    """Return the touches that count together with the request: one list for each debt or account it is about."""
    if scope is Scope.PERSON:
        return [list(touches)]
    asked: tuple[str, ...]
    match scope:
        case Scope.PRODUCT:
            asked, named = (request.product,), [touch.products for touch in touches]
        case Scope.DEBT:
            asked, named = request.debts, [touch.debts for touch in touches]
        case Scope.ACCOUNT:
            asked, named = request.accounts, [touch.accounts for touch in touches]
        case _:
            asked = (request.number,)
            named = [(touch.number,) if touch.number else () for touch in touches]
    # What is not known may be the one that is asked about.
    groups = [key for key in asked if key] or [""]
    return [
        [touch for touch, of in zip(touches, named, strict=True) if not (key and of) or key in of]
        for key in groups
    ]


def _spent(rule: Rule, terms: CapTerms, request: Request) -> Stop | None:
    if terms.counted and request.channel not in terms.counted:
        return None
    one_way = request.channel in ("sms", "email", "push", "inbox", "letter")
    if one_way and terms.unit in (Unit.CONNECTED, Unit.CONVERSATION):
        return None  # Nobody answers it.
    channels = terms.counted or tuple(rule.channels)
    counted = [
        touch
        for touch in request.touches
        if _counts(touch, terms.unit)
        and (not channels or touch.channel in channels)
        and not set(touch.excluded) & set(terms.excludes)
        and _is_pooled(terms.pool, touch, request)
    ]
    groups = [
        [minute_of(t.at) for t in group] for group in _together(terms.scope, request, counted)
    ]
    if terms.per is Per.ROLLING:
        length = terms.n // 60

        def rolled(minute: int) -> bool:
            # Every run of so many minutes that holds this one ends here or at a later touch within reach.
            return any(
                sum(end - length < at <= end for at in group) >= terms.most
                for group in groups
                for end in {minute, *(at for at in group if minute <= at < minute + length)}
            )

        return rolled
    length = 1 if terms.per is Per.CALENDAR_DAY else terms.n
    zones = (terms.zone,) if terms.zone else request.zones
    days = [
        (zone, Counter(local_day(zone, at) for at in group)) for zone in zones for group in groups
    ]

    def spent(minute: int) -> bool:
        for zone, by_day in days:
            today = local_day(zone, minute)
            for first in range(today - length + 1, today + 1):
                if sum(by_day[first + n] for n in range(length)) >= terms.most:
                    return True
        return False

    return spent


def _is_pooled(pool: Pool, touch: Touch, request: Request) -> bool:
    match pool:
        case Pool.OWN:
            return not touch.by or touch.by == request.by
        case Pool.LENDER:
            return touch.party is Party.FIRST
        case _:
            return True


def _cooling(terms: CooloffTerms, request: Request) -> Stop:
    zones = (terms.zone,) if terms.zone else request.zones
    if terms.after is CooloffAfter.CONVERSATION:
        groups = _together(terms.scope, request, [t for t in request.touches if t.conversation])
        starts = {minute_of(t.at) for group in groups for t in group}
    else:
        starts = {minute_of(e.starts_at) for e in request.events if e.kind == terms.after.value}

    def cooling(minute: int) -> bool:
        return any(
            start <= minute and local_day(zone, minute) - local_day(zone, start) < terms.days
            for start in starts
            for zone in zones
        )

    return cooling


def _suppressed(terms: SuppressTerms, request: Request) -> Stop | None:
    hit = {
        Stops.COURTESY: {Purpose.COURTESY, Purpose.MARKETING},
        Stops.COLLECTION: {Purpose.OVERDUE},
        Stops.ALL_BUT_STATUTORY: set(Purpose) - {Purpose.STATUTORY},
        Stops.ALL: set(Purpose),
    }[terms.stops]
    is_late = request.stage not in (Stage.PRE_DUE, Stage.DUE_DAY, Stage.GRACE)
    if terms.stops is Stops.COLLECTION and is_late:
        hit.add(
            Purpose.COURTESY
        )  # What comes after the due day is collection, whatever it is called.
    if request.purpose not in hit:
        return None
    spans = []
    for event in request.events:
        if event.kind in terms.events:
            begins = minute_of(event.starts_at)
            ends = [minute_of(event.ends_at)] if event.ends_at else []
            if terms.days:
                ends.append(begins + terms.days * _DAY)
            spans.append((begins, min(ends, default=1 << 40)))
    return lambda minute: any(begins <= minute < ends for begins, ends in spans)


def _refused(terms: ConsentTerms, request: Request, media: Collection[str]) -> Stop | None:
    if request.purpose is Purpose.STATUTORY or (
        terms.purposes and request.purpose not in terms.purposes
    ):
        return None
    switch = Switch.MARKETING if request.purpose is Purpose.MARKETING else Switch.REMINDER
    order = list(ConsentForm)
    enough = order[order.index(terms.form) :]
    refusals, given = [], []

    def reaches(entry: Refusal, reach: str, over: Collection[str]) -> bool:
        # Nobody says here what a refusal was about, so a matter is every matter.
        same = entry.channel == request.channel
        if reach == "address":
            return same and entry.address in ("", request.number)
        if reach == "channel" or (over and request.channel not in over):
            return same
        return reach != "sender" or entry.sender in ("", request.by)

    for entry in request.consents:
        if isinstance(entry, Refusal) and entry.switch is switch:
            spread = not media or entry.channel in media
            if reaches(entry, entry.reach.value, ()) or (
                spread and reaches(entry, terms.reach, media)
            ):
                lifted = minute_of(entry.lifted_at) if entry.lifted_at else 1 << 40
                refusals.append((minute_of(entry.at), lifted))
        elif (
            isinstance(entry, Consent)
            and entry.purpose is request.purpose
            and entry.channel in ("", request.channel)
            and entry.form in enough
        ):
            ends = [minute_of(at) for at in (entry.revoked_at, entry.valid_until) if at]
            if terms.valid_days:
                ends.append(minute_of(entry.given_at) + terms.valid_days * _DAY)
            given.append((minute_of(entry.given_at), min(ends, default=1 << 40)))

    def refused(minute: int) -> bool:
        if any(begins <= minute < ends for begins, ends in refusals):
            return True
        if terms.form is ConsentForm.NOT_REFUSED:
            return False
        return not any(begins <= minute < ends for begins, ends in given)

    return refused


def _wrong_person(terms: RecipientTerms, request: Request) -> Stop | None:
    who = request.recipient
    if who in terms.allowed:
        return None
    may_pass_it_on = request.borrower_unreachable and who in terms.if_unreachable
    if may_pass_it_on and (terms.reveal_debt or not request.reveals_debt):
        return None
    return lambda minute: True


# The law as a whole


def binding(law: Law, jurisdictions: Collection[str]) -> list[Rule]:
    """Return every rule of the packs named or of their country, of those they refine, and of the house.

    The house that is a fallback is there for a jurisdiction that has no pack, not even that of its country or of the
    union it belongs to; only what it says of consent is always there.
    """
    names = set()
    is_unknown = False
    for jurisdiction in jurisdictions:
        parts = jurisdiction.split("-")
        wider = ["-".join(parts[:n]) for n in range(len(parts), 0, -1)]
        of_many = [pack.name for pack in law.packs.values() if parts[0] in pack.covers]
        name = next((each for each in [*wider, *of_many] if each in law.packs), "")
        is_unknown = is_unknown or not name
        while name:
            names.add(name)
            name = law.packs[name].refines
    house = law.packs["HOUSE"]
    if is_unknown or not house.fallback:
        names.add("HOUSE")
    rules = [rule for name in sorted(names) for rule in law.packs[name].rules]
    if "HOUSE" not in names:
        rules += [rule for rule in house.rules if rule.kind is Kind.CONSENT]
    return rules


class Scan:
    """The law held against one request; asks one minute after the other."""

    def __init__(self, law: Law, jurisdictions: Collection[str], request: Request) -> None:
        """Take the law, the packs that bind, and the contact."""
        self._stops: list[tuple[str, Stop]] = []
        for rule in binding(law, jurisdictions):
            named = rule.terms.calendar if isinstance(rule.terms, WindowTerms) else ""
            name = named or law.packs[rule.pack].calendar
            stop = stops(rule, request, law.calendars.get(name))
            if stop is not None:
                self._stops.append((rule.id, stop))

    def stopped_by(self, minute: int) -> set[str]:
        """Return the ids of the rules that stop the contact at a minute."""
        return {rule_id for rule_id, stop in self._stops if stop(minute)}

    def is_stopped_by(self, rule_id: str, minute: int) -> bool:
        """Return whether the rule of that id stops the contact at a minute."""
        return any(each == rule_id and stop(minute) for each, stop in self._stops)

    def first(self, minute: int, deadline: int) -> int | None:
        """Return the first minute in [minute, deadline) that nothing stops, None where there is none."""
        ordered = [stop for _, stop in self._stops]
        while minute < deadline:
            for place, stop in enumerate(ordered):
                if stop(minute):
                    # Who stops this minute most likely stops the next one too, and is asked first.
                    if place:
                        ordered.insert(0, ordered.pop(place))
                    break
            else:
                return minute
            minute += 1
        return None


# Random cases

# Zones, each with dates around which its clocks or its calendar do something.
ZONES: Final = {
    "America/New_York": ("2026-03-08", "2026-11-01", "2026-11-26", "2024-03-10"),
    "America/Los_Angeles": ("2026-03-08", "2026-11-01"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30", "2023-04-28"),
    "America/Sao_Paulo": ("2018-11-04", "2018-02-18", "2017-10-15", "2026-02-16"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Pacific/Apia": ("2011-12-30", "2011-09-24", "2021-04-04"),
    "Europe/London": ("2026-03-29", "2026-10-25", "2026-12-25"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "Asia/Shanghai": ("2026-02-17", "2026-10-01", "2026-12-31"),
    "Asia/Kolkata": ("2026-07-01", "2028-02-29"),
    "Asia/Jakarta": ("2026-03-20",),
    "Asia/Kathmandu": ("2026-05-10",),
    "America/Nuuk": ("2026-03-28", "2026-10-24", "2023-03-25"),
    "Pacific/Chatham": ("2026-04-05", "2026-09-27"),
    "Pacific/Honolulu": ("2026-08-21",),
    "Pacific/Kiritimati": ("2026-01-01",),
    "America/St_Johns": ("2006-10-29", "2006-04-02", "2026-03-08"),
    "Antarctica/Troll": ("2026-03-29", "2026-10-25"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Asia/Gaza": ("2026-03-28", "2022-03-27"),
}
CHANNELS: Final = ("call", "ai_call", "sms", "email", "push", "letter", "visit")
KINDS: Final = {
    Kind.WINDOW: 36,
    Kind.CAP: 34,
    Kind.COOLOFF: 12,
    Kind.SUPPRESS: 10,
    Kind.CONSENT: 6,
    Kind.RECIPIENT: 2,
}
EVENTS: Final = ("dispute", "promise", "moratorium", "cure", "bereavement")


@dataclass(frozen=True, slots=True)
class Case:
    """One question: the law, the packs that bind, the contact, and the time to search."""

    law: Law
    jurisdictions: tuple[str, ...]
    request: Request
    not_before: datetime
    deadline: datetime


# Kinds of events that rules of the shipped packs know.
HELD: Final = (
    "moratorium",
    "crisis",
    "complaint",
    "preference",
    "attorney",
    "bereavement",
    "festival",
    "military",
    "late_statement",
)
# Of the shipped packs: who lives where, and a zone of it in which something happens.
SHIPPED: Final = (
    (("CN",), "Asia/Shanghai"),
    (("US-NYC",), "America/New_York"),
    (("US-MA",), "America/New_York"),
    (("US-CA",), "America/Los_Angeles"),
    (("GB",), "Europe/London"),
    (("IN",), "Asia/Kolkata"),
    (("ID",), "Asia/Jakarta"),
    (("BR-SP",), "America/Sao_Paulo"),
    (("BR-RJ", "CN"), "America/Sao_Paulo"),
    (("PH",), "Asia/Shanghai"),
    (("CN", "US-NYC"), "America/New_York"),
    (("GB", "US-CA"), "America/Los_Angeles"),
    (("HK", "CN"), "Asia/Shanghai"),
    (("EU", "GB"), "Europe/London"),
    (("QQ",), "Pacific/Apia"),
)


def draw(random: Random) -> Case:
    """Return a random case: five in six of a made-up law, the others of the packs that are shipped."""
    if random.random() < 1 / 6:
        jurisdictions, zone = random.choice(SHIPPED)
        case = _drawn(random, zone)
        events = tuple(replace(e, kind=random.choice(HELD)) for e in case.request.events)
        request = replace(case.request, events=events)
        return replace(case, law=support.law(), jurisdictions=jurisdictions, request=request)
    return _drawn(random, random.choice(list(ZONES)))


def _drawn(random: Random, zone: str) -> Case:
    focus = date.fromisoformat(random.choice(ZONES[zone]))
    zones = (zone, *random.sample(sorted(set(ZONES) - {zone}), random.choice((0, 0, 0, 1, 1, 2))))
    start = _midnight(focus) + timedelta(minutes=random.randrange(-3 * _DAY, _DAY))
    if random.random() < 0.5:
        # At night: what is lawful at once is soon compared.
        night = local(zone, minute_of(start)) % _DAY
        start += timedelta(minutes=(random.randrange(-4 * 60, 8 * 60) - night))
    length = random.choice((_DAY, 2 * _DAY, 3 * _DAY, 4 * _DAY, 4 * _DAY))
    if random.random() < 0.03:
        length = 12 * _DAY
    end = start + timedelta(minutes=random.randrange(length // 3, length) + 1)
    calendars = {"c": _calendar(random, focus)}
    packs = {
        name: _pack(random, name, refines, focus, zone)
        for name, refines in (("HOUSE", ""), ("AA", ""), ("AA-B", "AA"), ("ZZ", ""))
    }
    jurisdictions = random.choice(
        (("AA",), ("AA-B",), ("AA", "ZZ"), ("AA-B", "ZZ"), ("AA-XX",), ("QQ",))
    )
    request = _request(random, zones, start, end)
    return Case(Law(packs, calendars), jurisdictions, request, start, end)


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)


def _calendar(random: Random, focus: date) -> Calendar:
    near = [focus + timedelta(days=n) for n in range(-4, 10)]
    published = frozenset({focus.year}) if random.random() < 0.8 else frozenset({focus.year + 1})
    holidays = frozenset(day for day in near if day.year in published and random.random() < 0.2)
    return Calendar("c", "AA", "made up", published, holidays)


def _pack(random: Random, name: str, refines: str, focus: date, zone: str) -> Pack:
    rules: list[Rule] = []
    for n in range(random.choice((0, 1, 1, 2) if name == "HOUSE" else (1, 2, 3, 4))):
        rules += _versions(random, f"{name.replace('-', '.')}.R{n}", name, focus, zone)
    fallback = name == "HOUSE" and random.random() < 0.5
    return Pack(name, name, refines, (), (), "", tuple(rules), fallback=fallback)


def _versions(random: Random, rule_id: str, pack: str, focus: date, zone: str) -> list[Rule]:
    """Return a rule, or two versions of one that follow each other."""
    near = focus + timedelta(days=random.randrange(-3, 4))
    old, rule = date(2000, 1, 1), _rule(random, rule_id, pack, zone)
    match random.choice("fffffffromtbv"):
        case "r":
            return [replace(rule, effective_from=near)]
        case "t":
            return [replace(rule, effective_to=near)]
        case "b":
            days = timedelta(days=random.randrange(1, 4))
            return [replace(rule, effective_from=near, effective_to=near + days)]
        case "v":
            later = replace(rule, terms=_terms(random, rule.kind, zone), effective_from=near)
            return [replace(rule, effective_from=old, effective_to=near), later]
    return [rule]


def _some(random: Random, words: Iterable[str], share: float) -> frozenset[str]:
    chosen = frozenset(word for word in words if random.random() < 0.7)
    return chosen if random.random() < share else frozenset()


def _rule(random: Random, rule_id: str, pack: str, zone: str) -> Rule:
    kind = random.choices(list(KINDS), list(KINDS.values()))[0]
    if rule_id.endswith("R0") and random.random() < 0.6:
        kind = Kind.WINDOW  # What keeps no hours is lawful at once and soon compared.
    return Rule(
        id=rule_id,
        title=rule_id,
        pack=pack,
        kind=kind,
        terms=_terms(random, kind, zone),
        parties=frozenset(random.choice(((), (), (), (Party.FIRST,), (Party.THIRD,)))),
        stages=frozenset(random.choice(((), (), (), (Stage.PRE_DUE, Stage.OVERDUE)))),
        purposes=frozenset(random.choice(((), (), (), (Purpose.OVERDUE, Purpose.COURTESY)))),
        channels=_some(random, CHANNELS, 0.2),
        products=frozenset(random.choice(((), (), (), (), ("card",), ("card", "loan")))),
        effective_from=date(2000, 1, 1),
        effective_to=None,
        force=Force.LAW,
        status=Status.VERIFIED,
        enforce=random.choices(list(Enforce), (75, 19, 4, 2))[0],
        citation="made up",
    )


def _terms(random: Random, kind: Kind, zone: str) -> Terms:
    match kind:
        case Kind.WINDOW:
            return _window(random, zone)
        case Kind.CAP:
            return _cap(random, zone)
        case Kind.COOLOFF:
            return CooloffTerms(
                after=random.choice(list(CooloffAfter)),
                days=random.choice((1, 2, 3, 7)),
                scope=random.choice((Scope.DEBT, Scope.PERSON, Scope.PRODUCT, Scope.NUMBER)),
                zone=random.choice(("", "", zone, "Asia/Shanghai")),
            )
        case Kind.SUPPRESS:
            return SuppressTerms(
                events=tuple(random.sample(EVENTS, random.randrange(2, 5))),
                stops=random.choice(list(Stops)),
                days=random.choice((0, 0, 2, 5)),
            )
        case Kind.CONSENT:
            return ConsentTerms(
                form=random.choices(list(ConsentForm), (70, 15, 10, 5))[0],
                purposes=random.choice(((), (Purpose.OVERDUE,), (Purpose.MARKETING,))),
                reach=random.choice(("channel", *(each.value for each in Reach))),
                valid_days=random.choice((0, 0, 1, 3)),
            )
        case _:
            return RecipientTerms(
                allowed=(Recipient.BORROWER, Recipient.GUARANTOR),
                if_unreachable=(Recipient.CONTACT,),
                reveal_debt=random.random() < 0.5,
            )


_EDGES: Final = tuple(
    time.fromisoformat(text)
    for text in (
        "00:00",
        "00:30",
        "01:30",
        "02:15",
        "02:45",
        "06:00",
        "08:00",
        "09:00",
        "10:30",
        "14:00",
        "19:00",
        "20:00",
        "21:00",
        "22:00",
        "23:30",
        "23:59",
    )
)


def _window(random: Random, zone: str) -> WindowTerms:
    usual = _spans(random)
    days = dict.fromkeys(WEEKDAYS, usual)
    for name in random.sample(WEEKDAYS, random.choice((0, 0, 1, 2))):
        days[name] = _spans(random) if random.random() < 0.5 else ()
    if random.random() < 0.4:
        days[HOLIDAY] = _spans(random) if random.random() < 0.5 else ()
    where = random.choice(list(Where))
    return WindowTerms(
        days=MappingProxyType(days),
        where=where,
        zone=random.choice((zone, zone, "Asia/Shanghai")) if where is Where.FIXED else "",
        calendar=random.choice(("c", "c", "c", "unheard-of")) if HOLIDAY in days else "",
        unless_agreed=random.random() < 0.25,
        dpd_at_least=random.choice((None, None, None, 1, 30)),
        dpd_at_most=random.choice((None, None, None, 60)),
    )


def _spans(random: Random) -> tuple[Span, ...]:
    if random.random() < 0.7:
        opens, closes = random.choice(((8, 21), (8, 22), (9, 20), (8, 19), (9, 19)))
        return (Span(time(opens), time(closes), random.random() < 0.5),)
    edges = sorted(random.sample(_EDGES, random.choice((2, 2, 4))))
    spans = [
        Span(opens, closes, random.random() < 0.3)
        for opens, closes in zip(edges[::2], edges[1::2], strict=True)
    ]
    if random.random() < 0.3:
        spans[-1] = Span(spans[-1].opens, None)
    return tuple(spans)


def _cap(random: Random, zone: str) -> CapTerms:
    per = random.choice(list(Per))
    n = {
        Per.CALENDAR_DAY: 1,
        Per.ROLLING: random.choice((3600, 6 * 3600, 86_400, 2 * 86_400, 7 * 86_400)),
        Per.CONSECUTIVE_DAYS: random.choice((1, 2, 3, 7)),
    }[per]
    return CapTerms(
        most=random.choice((1, 1, 1, 2, 3, 5)),
        unit=random.choice(list(Unit)),
        per=per,
        scope=random.choice((Scope.PERSON, Scope.DEBT, *Scope)),
        n=n,
        pool=random.choice((Pool.ALL, *Pool)),
        counted=tuple(sorted(_some(random, CHANNELS, 0.15))),
        excludes=random.choice(((), ("consented",), ("consented", "attorney"))),
        zone=random.choice(("", "", zone, "Asia/Shanghai")),
    )


def _request(random: Random, zones: tuple[str, ...], start: datetime, end: datetime) -> Request:
    def moment() -> datetime:
        """Return a minute most often shortly before the search, sometimes long before or within it."""
        if random.random() < 0.2:
            return start + timedelta(minutes=random.randrange((end - start) // _MINUTE + 1))
        return start - timedelta(minutes=random.randrange(random.choice((1, 2, 9)) * _DAY))

    def other_zones() -> tuple[str, ...]:
        return tuple(random.sample(sorted(ZONES), random.choice((0, 0, 0, 1, 2))))

    purposes = (70, 12, 10, 8)
    return Request(
        at=start,
        channel=random.choice(CHANNELS),
        purpose=random.choices(
            (Purpose.OVERDUE, Purpose.COURTESY, Purpose.STATUTORY, Purpose.MARKETING), purposes
        )[0],
        stage=random.choice((Stage.OVERDUE, Stage.OVERDUE, Stage.PRE_DUE, Stage.GRACE)),
        zones=zones,
        party=random.choice((Party.FIRST, Party.FIRST, Party.THIRD)),
        by=random.choice(("lender", "agency")),
        product=random.choice(("card", "loan")),
        debts=random.choice((("d1",), ("d1", "d2"))),
        accounts=("a1",),
        number=random.choice(("n1", "n2")),
        address_zones=other_zones(),
        number_zones=other_zones(),
        dpd=random.choice((0, 1, 30, 60, 61)),
        agreed_hours=random.random() < 0.2,
        recipient=random.choices(
            (Recipient.BORROWER, Recipient.CONTACT, Recipient.EMPLOYER), (90, 7, 3)
        )[0],
        reveals_debt=random.random() < 0.5,
        borrower_unreachable=random.random() < 0.5,
        touches=tuple(_touch(random, n, moment()) for n in range(random.choice((0, 2, 5, 10, 20)))),
        events=tuple(_event(random, moment()) for _ in range(random.choice((0, 1, 2, 3)))),
        consents=tuple(_entry(random, n, moment()) for n in range(random.choice((0, 0, 1, 3)))),
    )


def _touch(random: Random, n: int, at: datetime) -> Touch:
    connected = random.random() < 0.6
    return Touch(
        id=f"t{n}",
        at=at,
        channel=random.choice(CHANNELS),
        direction=random.choices(list(Direction), (85, 15))[0],
        attempt=random.random() < 0.95,
        connected=connected,
        conversation=connected and random.random() < 0.6,
        message_left=random.random() < 0.2,
        party=random.choice(list(Party)),
        by=random.choice(("lender", "agency")),
        debts=random.choice((("d1",), ("d2",), ("d1", "d2"), ("d3",), ())),
        accounts=random.choice((("a1",), ("a2",), ())),
        products=random.choice((("card",), ("loan",), ())),
        number=random.choice(("n1", "n2", "")),
        excluded=random.choice(((), (), (), ("consented",), ("attorney",), ("out_of_service",))),
    )


def _event(random: Random, at: datetime) -> Event:
    lasts = timedelta(minutes=random.randrange(1, 5 * _DAY))
    return Event(random.choice(EVENTS), at, random.choice((None, at + lasts, at + lasts)))


def _entry(random: Random, n: int, at: datetime) -> Consent | Refusal:
    lasts = timedelta(minutes=random.randrange(1, 5 * _DAY))
    ends = random.choice((None, at + lasts))
    channel = random.choice(CHANNELS)
    if random.random() < 0.3:
        switch = random.choice((Switch.MARKETING, Switch.REMINDER))
        return Refusal(
            f"e{n}",
            switch,
            channel,
            random.choice(("", "n1", "n2")),
            at,
            random.choice((Reach.CHANNEL, *Reach)),
            lifted_at=ends,
            sender=random.choice(("", "lender", "agency")),
        )
    return Consent(
        id=f"e{n}",
        purpose=random.choice((Purpose.OVERDUE, Purpose.OVERDUE, Purpose.MARKETING)),
        channel=random.choice(("", channel)),
        address="",
        form=random.choice((ConsentForm.OPT_IN, ConsentForm.EXPRESS, ConsentForm.WRITTEN)),
        given_at=at,
        evidence="made up",
        source="made up",
        revoked_at=ends,
    )


# The comparison


def differences(case: Case, found: Allowed | Never, random: Random) -> Iterator[str]:
    """Yield in words where `found` and the law differ from the scan in a case; nothing where they agree."""
    scan = Scan(case.law, case.jurisdictions, case.request)
    start, deadline = minute_of(case.not_before), minute_of(case.deadline)
    first = scan.first(start, deadline)
    match found:
        case Allowed() if first is None:
            yield f"allowed at {found.at}, by the scan never"
        case Allowed():
            if found.at != instant_of(first or 0):
                yield f"allowed at {found.at}, by the scan at {instant_of(first or 0)}"
        case Never() if first is not None:
            yield f"never by {found.rule_ids}, by the scan at {instant_of(first)}"
        case Never():
            yield from _holes(found, scan, start, deadline)
    for _ in range(2):
        minute = random.randrange(start, deadline + _DAY)
        at = instant_of(minute)
        verdict = case.law.evaluate(replace(case.request, at=at), case.jurisdictions)
        said = {
            each.rule_id
            for each in verdict.answers
            if each.effect in (Effect.DENY, Effect.DEFER) and each.enforce.binds and each.in_force
        }
        if said != (stopped := scan.stopped_by(minute)):
            yield f"at {at} stopped by {sorted(said)}, by the scan by {sorted(stopped)}"


def _holes(never: Never, scan: Scan, start: int, deadline: int) -> Iterator[str]:
    """Yield where the proof does not hold: a gap between gaps, or a minute that the rule named does not stop."""
    at = instant_of(start)
    for gap in never.gaps:
        if gap.start != at:
            yield f"the proof leaves out {at} to {gap.start}"
        at = gap.end
        # An end may lie one tick after a minute; the minute itself is still inside.
        first, last = -((EPOCH - gap.start) // _MINUTE), -((EPOCH - gap.end) // _MINUTE)
        for minute in range(first, last):
            if not scan.is_stopped_by(gap.rule_id, minute):
                yield f"{gap.rule_id} does not stop {instant_of(minute)}, as the proof says"
                break
    if at != instant_of(deadline):
        yield f"the proof ends at {at}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cases were compared, how many ended never and at once, and what differs, by number of the case."""

    cases: int
    never: int
    at_once: int
    differ: tuple[str, ...]
    # By what happened ("at_once", "later", "never") and the kind of a rule that stopped the contact on the way, by what
    # was in the case, and by which time it was.
    mix: Counter[tuple[str, str]]


def run(seed: int, numbers: Sequence[int]) -> Tally:
    """Compare the cases of these numbers; a case follows from the seed and its number alone."""
    never = at_once = 0
    differ: list[str] = []
    mix: Counter[tuple[str, str]] = Counter()
    for n in numbers:
        random = Random(f"{seed}:{n}")
        case = draw(random)
        found = next_allowed(
            case.law, case.jurisdictions, case.request, case.not_before, case.deadline
        )
        differ += [f"case {n}: {text}" for text in differences(case, found, random)][:1]
        is_at_once = isinstance(found, Allowed) and found.at == case.not_before
        never += isinstance(found, Never)
        at_once += is_at_once
        end = "at once" if is_at_once else "never" if isinstance(found, Never) else "later"
        mix.update((end, what) for what in traits(case, found))
    return Tally(len(numbers), never, at_once, tuple(differ), mix)


def traits(case: Case, found: Allowed | Never) -> set[str]:
    """Return what is in a case and what played a part in its answer, to be counted."""
    rules = binding(case.law, case.jurisdictions)
    kinds = {rule.id: rule.kind.value for rule in rules}
    start, end = case.not_before, case.deadline
    last = found.at if isinstance(found, Allowed) else end
    words = {"all"}
    scan = Scan(case.law, case.jurisdictions, case.request)
    words |= {f"stopped first by {kinds[each]}" for each in scan.stopped_by(minute_of(start))}
    if isinstance(found, Never):
        words |= {f"a gap of {kinds[gap.rule_id]}" for gap in found.gaps}
        words |= {"a gap of two rules"} if len(found.rule_ids) > 1 else set()
    words |= {"shipped packs"} if case.law is support.law() else set()
    words |= {"several packs bind"} if len({rule.pack for rule in rules}) > 1 else set()
    words |= {"several zones"} if len(case.request.zones) > 1 else set()
    words |= {"with touches"} if case.request.touches else set()
    words |= {"statutory"} if case.request.purpose is Purpose.STATUTORY else set()
    for zone in case.request.zones:
        offsets = {
            _offsets(zone, day)[0]
            for day in range(minute_of(start) // _DAY, minute_of(end) // _DAY + 2)
        }
        words |= {"clocks change"} if len(offsets) > 1 else set()
    first_day, last_day = start.date() - timedelta(days=1), last.date() + timedelta(days=1)
    for calendar in case.law.calendars.values():
        near = any(first_day <= day <= last_day for day in calendar.holidays)
        if near and any(HOLIDAY in r.terms.days for r in rules if isinstance(r.terms, WindowTerms)):
            words.add("a holiday is near, and a window knows holidays")
    if any(
        day is not None and first_day <= day <= end.date() + timedelta(days=1)
        for rule in rules
        for day in (rule.effective_from, rule.effective_to)
    ):
        words.add("a rule begins or ends")
    return words


def main(arguments: Sequence[str]) -> int:
    """Compare as many cases as asked for and print what came of it; 1 when any differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.law.brute", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes; the cases stay the same")
    wanted = parser.parse_args(arguments)
    began = clock.monotonic()
    parts = [range(job, wanted.cases, wanted.jobs) for job in range(wanted.jobs)]
    if wanted.jobs == 1:
        tallies = [run(wanted.seed, parts[0])]
    else:
        with ProcessPoolExecutor(wanted.jobs) as pool:
            tallies = list(pool.map(run, [wanted.seed] * wanted.jobs, parts))
    differ = [text for tally in tallies for text in tally.differ]
    for text in differ[:20]:
        print(f"seed {wanted.seed}, {text}")
    mix = sum((tally.mix for tally in tallies), Counter[tuple[str, str]]())
    ends = ("at once", "later", "never")
    print(f"{'':48}{''.join(f'{end:>9}' for end in ends)}")
    for what in sorted({what for _, what in mix}):
        print(f"{what:48}{''.join(f'{mix[end, what]:9}' for end in ends)}")
    print(
        f"{sum(tally.cases for tally in tallies)} cases, {len(differ)} mismatches, "
        f"{sum(tally.at_once for tally in tallies)} lawful at once, "
        f"{sum(tally.never for tally in tallies)} never, {clock.monotonic() - began:.0f} s"
    )
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
