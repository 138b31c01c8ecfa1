"""The 32 traps of the law of contact, as the reference numbers them: one test each, by the shipped packs.

What is known of each rule is in `packs/`; where a trap is about money, dates or the platform itself, the test asks that
part and not the law. A story here is a diary as in `tests/stories`.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from betimes.adapters import pack_files
from betimes.adapters.calendars import calendar
from betimes.adapters.packs import profiles
from betimes.core import allowed, ids, keywords, late, zones
from betimes.core.ageing import Phase, standing
from betimes.core.allowed import Allowed, Never, next_allowed, or_else
from betimes.core.consent import (
    Consent,
    Entry,
    Reach,
    Reassigned,
    Refusal,
    Switch,
    allows,
    open_media,
    reach_of,
    stands,
)
from betimes.core.counting import earliest_due
from betimes.core.dates import add_months
from betimes.core.errors import Rejected
from betimes.core.hold import KINDS
from betimes.core.hold import Kind as HoldKind
from betimes.core.law import Law
from betimes.core.money import minor_units
from betimes.core.pack import parse
from betimes.core.pack_checks import is_debit_allowed, is_figure_allowed
from betimes.core.product import DayCount, Family, Method, Profile, Rounding
from betimes.core.question import Answer, Effect, Event, Given, Request, Trigger, Verdict
from betimes.core.rule import (
    CalcTerms,
    ConsentForm,
    ConsentTerms,
    DebitTerms,
    Enforce,
    Party,
    Purpose,
    Recipient,
    Stage,
    Status,
)
from betimes.core.schedule import Terms, rounded, schedule
from betimes.core.statement import Chosen, cycles
from betimes.core.touch import Direction, Touch
from betimes.core.treatment import MessageClass
from betimes.core.wording import PRIVATE_RULE, Wording, lint, preview_of
from betimes.core.workdays import DayKind, Unpublished
from betimes.lab.story import play
from tests.core.support import POLICIES
from tests.law.support import documents, law, packs, texts

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SHANGHAI = "Asia/Shanghai"
NEW_YORK = "America/New_York"
LOS_ANGELES = "America/Los_Angeles"


def utc(text: str) -> datetime:
    """Return the instant of `2026-03-06 02:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def in_zone(text: str, zone: str = SHANGHAI) -> datetime:
    """Return the instant at which clocks of a zone show `2026-03-06 10:00`; the first of two."""
    clock = datetime.fromisoformat(text)
    return zones.instant(clock.date(), clock.time(), zone)


def contact(at: datetime, *where: str, **facts: object) -> Request:
    """Return a call of a lender about an overdue debt, by the clocks of Shanghai unless others are named."""
    usual = {
        "channel": "call",
        "purpose": Purpose.OVERDUE,
        "stage": Stage.OVERDUE,
        "by": "lender",
        "debts": ("d1",),
        "number": "n1",
    }
    return Request(at=at, zones=where or (SHANGHAI,), **(usual | facts))  # type: ignore[arg-type]  # facts of a request


def by_agency(at: datetime, *where: str, **facts: object) -> Request:
    """Return a call of an agency."""
    return contact(at, *where, **({"party": Party.THIRD, "by": "agency"} | facts))


def asked(request: Request, *jurisdictions: str) -> Verdict:
    """Return what the shipped law of these jurisdictions says."""
    return law().evaluate(request, jurisdictions)


def stopped_by(request: Request, *jurisdictions: str) -> set[str]:
    """Return the ids of all binding rules that stop a contact, now or for good."""
    return {
        each.rule_id
        for each in asked(request, *jurisdictions).answers
        if each.enforce.binds and each.effect in (Effect.DENY, Effect.DEFER)
    }


def said(rule_id: str, request: Request) -> Answer:
    """Return what one rule says, as if it were enforced; of several texts the one in force."""
    pack = next(pack for pack in packs().values() if texts(pack, rule_id))
    answers = [law().ask(rule, request) for rule in texts(pack, rule_id)]
    return next((each for each in answers if each.in_force), answers[-1])


def touches(times: Iterable[datetime], **facts: object) -> tuple[Touch, ...]:
    """Return calls that nobody answered, unless other facts are named."""
    usual: dict[str, object] = {"channel": "call", "number": "n1", "debts": ("d1",)}
    return tuple(
        Touch(id=f"t{n}", at=at, **(usual | facts))  # type: ignore[arg-type]  # facts of a touch
        for n, at in enumerate(times)
    )


def first(
    request: Request, jurisdictions: Collection[str], within: timedelta = 10 * DAY
) -> datetime:
    """Return the first lawful instant from the request's own on."""
    found = next_allowed(law(), jurisdictions, request, request.at, request.at + within)
    assert isinstance(found, Allowed), found
    return found.at


def story(text: str) -> None:
    """Play a diary; every line of it has to come true and every promise to be kept."""
    found = play(text.splitlines(), POLICIES).findings
    assert found is not None
    assert found.all_kept, found


def test_trap_01_zones_that_conflict_or_are_not_known() -> None:
    """A number of New York and an address in California leave ten hours, with Hawaii eight; of nobody, none at all."""
    day = utc("2026-11-24 12:00")
    both = by_agency(day, NEW_YORK, LOS_ANGELES)
    # Nine in the evening is inside, to the microsecond.
    ten_hours = (utc("2026-11-24 16:00"), utc("2026-11-25 02:00") + TICK)
    assert law().hours(both, ("US",)).intervals(day, day + DAY) == (ten_hours,)
    three = by_agency(day, NEW_YORK, LOS_ANGELES, "Pacific/Honolulu")
    eight_hours = (utc("2026-11-24 18:00"), utc("2026-11-25 02:00") + TICK)
    assert law().hours(three, ("US",)).intervals(day, day + DAY) == (eight_hours,)
    # Windows of one date in each zone would leave an hour of Shanghai's next day out.
    far = contact(day, NEW_YORK, SHANGHAI)
    assert law().hours(far, ("US", "CN")).intervals(day, day + DAY) == (
        (utc("2026-11-24 13:00"), utc("2026-11-24 13:00") + TICK),
        (utc("2026-11-25 00:00"), utc("2026-11-25 02:00") + TICK),
    )
    nowhere = contact(day, *packs()["HOUSE"].zones)
    found = next_allowed(law(), ("XX",), nowhere, day, day + 30 * DAY)
    assert isinstance(found, Never)
    assert found.rule_ids == ("HOUSE.TIME",)


def test_trap_02_the_edges_of_a_window() -> None:
    """Eight sharp is open; nine in the evening is inside in one law and ten outside in another; each to the second."""
    for rule_id, zone, opens, closes, inclusive in (
        ("US.REGF.TIME", NEW_YORK, "08:00:00", "21:00:00", True),
        ("CN.GBT.TIME", SHANGHAI, "08:00:00", "22:00:00", False),
        ("IN.RBI.TIME", "Asia/Kolkata", "08:00:00", "19:00:00", True),
        ("ID.OJK.TIME", "Asia/Jakarta", "08:00:00", "20:00:00", False),
    ):
        start, end = (in_zone(f"2026-11-24 {clock}", zone) for clock in (opens, closes))
        for at, effect in (
            (start - SECOND, Effect.DEFER),
            (start, Effect.ALLOW),
            (end - SECOND, Effect.ALLOW),
            (end, Effect.ALLOW if inclusive else Effect.DEFER),
            (end + SECOND, Effect.DEFER),
        ):
            assert said(rule_id, by_agency(at, zone)).effect is effect, (rule_id, at)
    # What a queue hands over two seconds before closing is asked again when it is sent.
    late_evening = in_zone("2026-11-24 21:59:58")
    assert first(contact(late_evening), ("CN",)) == late_evening
    assert first(contact(late_evening + 2 * SECOND), ("CN",)) == in_zone("2026-11-25 08:00")


def test_trap_03_a_replayed_message_is_decided_anew() -> None:
    """A redrive at night or after the payment sends nothing, and what is decided twice is one contact."""
    morning = contact(in_zone("2026-11-24 10:00"))
    assert asked(morning, "CN").effect is Effect.ALLOW
    redriven = replace(morning, at=in_zone("2026-11-24 23:10"))
    assert asked(redriven, "CN").until == in_zone("2026-11-25 08:00")
    one = ("t1", "b1", "o1", "2026-03", "D-3", 0)
    assert ids.contact_id(*one) == ids.contact_id(*one)
    assert ids.contact_id(*one) != ids.contact_id(*one[:-1], 1)
    story(
        """
        borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
        2026-03-01 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09
        2026-03-06 09:00  outage   until 2026-03-06 23:00
        2026-03-06 23:00  silence  o1 because quiet_hours
        2026-03-07 07:00  pay      p1 o1 CNY 100.00
        2026-03-07 08:00  silence  o1 because paid
        """
    )


def test_trap_04_one_attempt_feeds_several_pools() -> None:
    """China counts a person over lenders and products, and a number; Regulation F a debt; the city an account."""
    noon = in_zone("2026-11-24 12:00")
    calls = touches(
        [noon - n * HOUR for n in (1, 2, 3)],
        connected=True,
        by="another",
        party=Party.THIRD,
        debts=("d9",),
        products=("card",),
    )
    asking = contact(noon, product="loan", touches=calls)
    assert {"CN.GBT.CALLS", "CN.NIFA.CALLS"} <= stopped_by(asking, "CN")
    assert said("CN.CBA.ATTEMPTS", asking).facts["counted"] == 3
    assert said("CN.CBA.ATTEMPTS", replace(asking, number="n2")).facts["counted"] == 0
    evening = in_zone("2026-11-24 18:00", NEW_YORK)
    week = touches([evening - n * DAY for n in range(7)], by="agency", accounts=("a1",))
    about = by_agency(evening, NEW_YORK, touches=week, accounts=("a1",))
    assert said("US.REGF.7IN7", about).effect is Effect.DEFER
    other_debt = replace(about, debts=("d2",))
    assert said("US.REGF.7IN7", other_debt).effect is Effect.ALLOW
    assert said("US.NYC", other_debt).effect is Effect.DEFER
    assert said("US.NYC", replace(other_debt, accounts=("a2",))).effect is Effect.ALLOW
    assert said("US.MA.AGENCY", about).effect is Effect.DEFER
    assert said("US.MA.AGENCY", other_debt).effect is Effect.ALLOW


def test_trap_05_an_attempt_a_connection_and_a_conversation_differ() -> None:
    """Seven rings nobody answers are attempts and no connection; a call the borrower makes starts the cool-off."""
    evening = in_zone("2026-06-05 18:00", NEW_YORK)
    rings = touches([evening - n * HOUR for n in range(1, 8)], by="agency")
    assert said("US.REGF.7IN7", by_agency(evening, NEW_YORK, touches=rings)).effect is Effect.DEFER
    assert said("CN.GBT.CALLS", contact(evening, touches=rings)).effect is Effect.ALLOW
    # They called about one debt and raised a second one.
    inbound = touches(
        [evening - DAY],
        direction=Direction.IN,
        connected=True,
        conversation=True,
        debts=("d1", "d2"),
    )
    for debt, effect in (("d1", Effect.DEFER), ("d2", Effect.DEFER), ("d3", Effect.ALLOW)):
        request = by_agency(evening, NEW_YORK, debts=(debt,), touches=inbound)
        assert said("US.REGF.CONV7", request).effect is effect, debt
        assert said("US.REGF.7IN7", request).facts["counted"] == 0
    answered = touches([evening - DAY], connected=True)
    assert said("US.REGF.CONV7", by_agency(evening, NEW_YORK, touches=answered)).effect is (
        Effect.ALLOW
    )


def test_trap_06_seven_consecutive_days_are_inclusive() -> None:
    """A conversation on Monday 1 June: no call through Sunday the 7th, the first at eight on Monday the 8th."""
    spoken = touches([in_zone("2026-06-01 20:59", NEW_YORK)], connected=True, conversation=True)
    sunday = by_agency(in_zone("2026-06-07 20:59", NEW_YORK), NEW_YORK, touches=spoken)
    assert "US.REGF.CONV7" in stopped_by(sunday, "US")
    assert first(replace(sunday, at=spoken[0].at), ("US",)) == in_zone("2026-06-08 08:00", NEW_YORK)


def test_trap_07_a_rolling_day_is_no_natural_day() -> None:
    """Fifty texts before midnight: one provider waits 24 hours from the first, the other until midnight in China."""
    evening = in_zone("2026-11-24 23:00")
    # A text whose sending failed was submitted all the same.
    texts_sent = touches([evening + n * SECOND for n in range(50)], channel="sms")
    before = contact(in_zone("2026-11-24 23:30"), channel="sms", touches=texts_sent)
    assert said("CN.SMS.OTHER.BAIDU.DAY", before).until == in_zone("2026-11-25 00:00")
    after = replace(before, at=in_zone("2026-11-25 00:00"))
    assert said("CN.SMS.OTHER.BAIDU.DAY", after).effect is Effect.ALLOW
    assert said("CN.SMS.ALIYUN", after).until == evening + DAY
    assert said("CN.SMS.ALIYUN", replace(before, at=evening + DAY)).effect is Effect.ALLOW
    assert said("CN.SMS.ALIYUN", replace(before, at=evening + DAY - SECOND)).effect is Effect.DEFER
    # The day of the national standard is China's, wherever the person is.
    calls = touches([in_zone("2026-11-24 23:59")] * 3, connected=True)
    abroad = contact(in_zone("2026-11-25 00:00"), NEW_YORK, touches=calls)
    assert said("CN.GBT.CALLS", abroad).effect is Effect.ALLOW


def test_trap_08_neither_cap_nor_opt_out_stops_a_mandatory_notice() -> None:
    """Arrears in Britain and a report in China demand their notice; it goes by the letter where texts are refused."""
    noon = utc("2026-06-10 12:00")
    owed = contact(
        noon,
        "Europe/London",
        channel="sms",
        product="fixed_sum",
        triggers=(Trigger("arrears", utc("2026-06-01 09:00")),),
    )
    assert asked(owed, "GB").requires == ("UK.CCA.86B",)
    told = replace(owed, notices_given=(Given("UK.CCA.86B", utc("2026-06-05 09:00")),))
    assert asked(told, "GB").requires == ()
    report = (Trigger("negative_report", noon + DAY),)
    assert asked(contact(noon, triggers=report), "CN").requires == ("CN.CREDIT.NOTICE",)
    # India's notice before a debit is known from others only: it is shown, not demanded.
    debit = contact(noon, "Asia/Kolkata", triggers=(Trigger("debit", noon + 3 * DAY),))
    assert said("IN.EMANDATE", debit).effect is Effect.REQUIRE
    first_talk = (Trigger("first_communication", noon - DAY),)
    validation = by_agency(noon, NEW_YORK, triggers=first_talk)
    assert said("US.REGF.VALID", validation).effect is Effect.REQUIRE
    # Three calls today and no more texts wanted: a reminder stays, a notice goes.
    since = utc("2026-01-01 00:00")
    ledger: tuple[Entry, ...] = (Refusal("r1", Switch.REMINDER, "sms", "n1", since),)
    calls = touches([noon - n * HOUR for n in range(1, 4)], connected=True)
    reminder = contact(noon, channel="sms", consents=ledger, touches=calls)
    assert stopped_by(reminder, "CN") == {"CN.PIPL.BASIS", "CN.CIVIL.PEACE", "HOUSE.STOP"}
    notice = replace(reminder, purpose=Purpose.STATUTORY)
    assert asked(notice, "CN").effect is Effect.ALLOW
    media = (("sms", "n1"), ("letter", "a1"))
    assert open_media(ledger, media, Purpose.STATUTORY, noon) == (("letter", "a1"),)
    # An opt-out of marketing has nothing to do with it.
    marketing: tuple[Entry, ...] = (Refusal("r2", Switch.MARKETING, "sms", "n1", since),)
    assert open_media(marketing, media, Purpose.STATUTORY, noon) == media


def test_trap_09_how_far_an_opt_out_reaches() -> None:
    """An address under Regulation F, a medium in the city, a matter or all under the TCPA, the sender in China."""
    noon = in_zone("2026-11-24 12:00", NEW_YORK)
    refused = Refusal("r1", Switch.REMINDER, "sms", "n1", noon - DAY, Reach.ADDRESS)
    for number, effect in (("n1", Effect.DENY), ("n2", Effect.ALLOW)):
        request = by_agency(noon, NEW_YORK, channel="sms", number=number, consents=(refused,))
        assert said("US.REGF.OPTOUT.REACH", request).effect is effect
    consents = [
        Consent(f"c{n}", Purpose.OVERDUE, channel, "", ConsentForm.EXPRESS, noon - 9 * DAY, "", "")
        for n, channel in enumerate(("sms", "email"))
    ]
    by_medium = (*consents, replace(refused, reach=Reach.CHANNEL))
    for channel, effect in (("sms", Effect.DENY), ("email", Effect.ALLOW)):
        request = contact(noon, NEW_YORK, channel=channel, number="", consents=by_medium)
        assert said("US.NYC.CONSENT", request).effect is effect
    marketing = texts(packs()["CN"], "CN.SMS.CONSENT")
    assert reach_of(marketing, Switch.MARKETING, "sms", noon.date())[0] is Reach.SENDER
    tcpa = texts(packs()["US"], "US.TCPA.REVOKEALL")
    for on, reach in ((date(2027, 1, 30), Reach.TOPIC), (date(2027, 1, 31), Reach.ALL)):
        assert reach_of(tcpa, Switch.REMINDER, "sms", on)[0] is reach
    # The number went to somebody else: nothing agreed for it counts there any more.
    given = replace(consents[0], address="n1")
    gone = (given, Reassigned("x1", "n1", noon - DAY))
    terms = ConsentTerms(form=ConsentForm.EXPRESS, purposes=(Purpose.OVERDUE,))
    assert allows((given,), terms, Purpose.OVERDUE, "sms", "n1", noon)
    assert not allows(gone, terms, Purpose.OVERDUE, "sms", "n1", noon)


def test_trap_10_keywords_and_what_only_looks_like_one() -> None:
    """Words of refusal in any dress stop; a sentence around one goes to a person, and stops meanwhile."""
    lists = keywords.parse(
        pack_files.document(pack_files.root() / "keywords.toml", "keywords.toml"), "keywords.toml"
    )
    for text in ("STOP.", "stop please", "🛑 Stop 🙏", "退订", "TD", "R", "拒收", "ＳＴＯＰ"):
        assert keywords.read(text, lists).meaning is keywords.Meaning.STOP, text
    # What a provider blocks by itself is on the list too, else a statutory notice is lost there.
    assert keywords.read("REMOVE", lists).meaning is keywords.Meaning.STOP
    reply = keywords.read("I'll pay Friday, stop", lists)
    assert reply.needs_person
    at = utc("2026-11-24 12:00")
    ledger = keywords.refusals(reply, message_id="m1", channel="sms", address="n1", at=at)
    assert all(each.provisional for each in ledger)
    assert not stands(ledger, Switch.REMINDER, "sms", "n1", Purpose.OVERDUE, at).allowed
    # Whoever writes so closes texts for a notice as well: it goes by another medium.
    media = (("sms", "n1"), ("letter", "a1"))
    assert open_media(ledger, media, Purpose.STATUTORY, at) == (("letter", "a1"),)


def test_trap_11_races_with_a_payment() -> None:
    """Paid a second before the step; told twice; reversed; pending; in part; backdated, which undoes what was late."""
    story(
        """
        borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
        2026-03-01 08:00     bill     o1 b1 CNY 100.00 due 2026-03-09
        2026-03-06 09:59:59  pay      p1 o1 CNY 100.00
        2026-03-06 09:59:59  again
        2026-03-06 10:00     silence  o1 because paid
        2026-03-07 12:00     reverse  p1
        2026-03-08 10:00     contact  o1 step D-1 email amount 100.00
        2026-03-08 20:00     pay      p2 o1 CNY 40.00
        2026-03-09 09:00     debit    f1 o1 CNY 60.00 pending by 2026-03-09 20:00
        2026-03-09 10:00     silence  o1 because money_in_flight
        2026-03-09 18:00     debit    f1 o1 CNY 60.00 settled
        2026-03-09 18:00     pay      p3 o1 CNY 60.00
        2026-03-10 10:00     silence  o1 because paid
        """
    )
    story(
        """
        borrower b1 zh-CN Asia/Shanghai CN
        2026-03-08 12:00     account  a1 b1 CNY huabei_like
        2026-03-08 12:00     bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
        2026-03-13 09:00     dpd      o1 4 phase overdue
        2026-03-13 09:00     owed     o1 CNY 100.15
        2026-03-13 10:00     pay      p1 o1 CNY 100.00 on 2026-03-09 23:59
        2026-03-13 10:00     again
        2026-03-13 11:00     owed     o1 CNY 0.00
        2026-03-13 11:00     dpd      o1 0 phase settled on 2026-03-12
        """
    )


def test_trap_12_tolerance_and_grace() -> None:
    """9.99 and 10.00 short are paid, 10.01 is not; the third day is grace, the fourth is late; dpd counts all along."""
    card = Profile(grace_days=3, tolerance_minor=10_00)
    due = date(2026, 3, 9)
    for short, phase in ((9_99, Phase.SETTLED), (10_00, Phase.SETTLED), (10_01, Phase.OVERDUE)):
        assert standing(due, short, due + 4 * DAY, card).phase is phase, short
    for days, phase in ((0, Phase.DUE_DAY), (3, Phase.GRACE), (4, Phase.OVERDUE)):
        found = standing(due, 50_00, due + days * DAY, card)
        assert (found.phase, found.dpd) == (phase, days)
    for rule_id, figure in (("CN.CARD.GRACE", "3"), ("CN.CARD.GRACE.SHORT", "1000")):
        (rule,) = texts(packs()["CN"], rule_id)
        assert isinstance(rule.terms, CalcTerms)
        assert is_figure_allowed(rule.terms, Decimal(figure))
        assert not is_figure_allowed(rule.terms, Decimal(figure) - 1)


def test_trap_13_a_bill_day_that_moves_in_mid_cycle() -> None:
    """One long or one short cycle: each begins where the last one ended, so no day is billed twice or never."""
    billing = profiles()["huabei_like"].billing
    assert billing is not None
    for day, lengths in ((15, [30, 35, 31, 30]), (20, [30, 40, 31, 30])):
        choices = [Chosen(date(2026, 6, 1), 10), Chosen(date(2026, 7, 20), day)]
        found = cycles(choices, billing, date(2026, 10, 1))
        assert [(each.bill_on - each.opens_on).days for each in found] == lengths
        assert all(one.bill_on == other.opens_on for one, other in pairwise(found))
        assert [each.due_on.day for each in found] == [10, day, day, day]


def test_trap_14_ends_of_months_leap_years_and_years_not_published() -> None:
    """The 31st comes back after February, 2028 has a 29th, a Saturday may be a workday, and 2027 is not guessed."""
    assert [add_months(date(2028, 1, 31), n).day for n in range(4)] == [31, 29, 31, 30]
    assert add_months(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert add_months(date(2026, 12, 31), 2) == date(2027, 2, 28)
    china = calendar("CN")
    assert china.kind(date(2026, 2, 14)) is DayKind.MAKE_UP
    assert date(2026, 2, 14).weekday() == 5
    with pytest.raises(Unpublished):
        china.is_workday(date(2027, 2, 11))
    # Where the year is not published, a day that could be a holiday is closed.
    zone = "America/Sao_Paulo"
    for day, closed in (("2027-03-06", False), ("2029-03-03", True)):
        saturday = contact(in_zone(f"{day} 12:00", zone), zone)
        assert ("BR.SP" in stopped_by(saturday, "BR-SP")) is closed, day


def test_trap_15_before_the_due_day_nothing_reads_as_collection() -> None:
    """逾期, 催收 and 征信 turn a friendly text into collection; police and courts are banned at any time."""
    noon = in_zone("2026-03-06 12:00")
    for text in ("您的账单逾期", "请勿催收", "将影响征信", "逾 期"):
        early = contact(
            noon,
            channel="sms",
            stage=Stage.PRE_DUE,
            purpose=Purpose.COURTESY,
            language="zh-CN",
            text=text,
        )
        assert stopped_by(early, "CN") == {"CN.WORDS.PREDUE"}, text
        late_text = replace(early, stage=Stage.OVERDUE, purpose=Purpose.OVERDUE)
        assert asked(late_text, "CN").effect is Effect.ALLOW
    for stage in (Stage.PRE_DUE, Stage.OVERDUE):
        threat = contact(noon, channel="sms", stage=stage, language="zh-CN", text="法院立案")
        assert "CN.CBA.BAN" in stopped_by(threat, "CN")
    english = contact(
        noon,
        "Europe/London",
        stage=Stage.PRE_DUE,
        purpose=Purpose.COURTESY,
        language="en-GB",
        text="Your payment is past due",
    )
    assert "UK.WORDS.PREDUE" in stopped_by(english, "GB")


def test_trap_16_what_others_read_over_a_shoulder() -> None:
    """An amount in a subject, on a locked screen or told to others is found; in the body of a mail it may stand."""
    body = "Dear customer, a payment of 1,200.00 is due."

    def found(
        channel: str, subject: str = "", recipient: Recipient = Recipient.BORROWER
    ) -> list[str]:
        message = Wording(
            body=body,
            subject=subject,
            preview=preview_of(channel, body),
            language="en",
            stage=Stage.PRE_DUE,
            purpose=Purpose.COURTESY,
            channel=channel,
            recipient=recipient,
            private={"amount": "1,200.00"},
        )
        findings = lint(message, (), date(2026, 3, 6))
        return sorted({each.place for each in findings if each.rule_id == PRIVATE_RULE})

    assert found("email", "A message from your bank") == []
    assert found("email", "1,200.00 is due") == ["subject"]
    assert found("sms") == ["preview"]
    assert found("email", recipient=Recipient.EMPLOYER) == ["body"]
    # To somebody else, nothing that reveals a debt, in whatever words.
    noon = in_zone("2026-03-06 12:00")
    for reveals, effect in ((True, Effect.DENY), (False, Effect.ALLOW)):
        asking = contact(
            noon, recipient=Recipient.CONTACT, reveals_debt=reveals, borrower_unreachable=True
        )
        assert said("CN.CBA.THIRD", asking).effect is effect


def test_trap_17_who_must_be_left_alone_at_once() -> None:
    """A stop works from its instant to its end; statutory notices pass; a moratorium stops interest in Britain."""
    for kind in set(HoldKind) - {HoldKind.OPT_OUT}:
        assert MessageClass.OVERDUE in KINDS[kind].stops, kind
        assert MessageClass.STATUTORY not in KINDS[kind].stops, kind
    begins = utc("2026-06-01 10:00")
    event = (Event("moratorium", begins),)
    asking = contact(begins, "Europe/London", events=event)
    assert "UK.BREATH" in stopped_by(asking, "GB")
    assert "UK.BREATH" not in stopped_by(replace(asking, at=begins - SECOND), "GB")
    assert said("UK.BREATH", asking).until == begins + 60 * DAY
    assert first(asking, ("GB",), 70 * DAY) == begins + 60 * DAY
    notice = replace(asking, purpose=Purpose.STATUTORY)
    assert asked(notice, "GB").effect is Effect.ALLOW
    for word in ("attorney", "cease", "preference"):
        noon = in_zone("2026-06-02 12:00", NEW_YORK)
        agency = by_agency(noon, NEW_YORK, events=(Event(word, begins),))
        assert "US.REGF.PREF" in stopped_by(agency, "US"), word
    start, end = date(2026, 6, 1), date(2026, 7, 31)
    assert late.charged_days(start, end) == 60
    assert late.charged_days(start, end, ((start, end),)) == 0
    story(
        """
        borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
        2026-03-01 08:00     bill     o1 b1 CNY 100.00 due 2026-03-09
        2026-03-06 09:59:59  hold     h1 b1 bereavement until 2026-03-08 09:00
        2026-03-06 10:00     silence  o1 because hold_bereavement
        2026-03-08 10:00     contact  o1 step D-1 email
        2026-03-08 11:00     hold     h2 b1 deceased
        2026-03-30 10:00     silence  o1 because hold_deceased
        """
    )


def test_trap_18_while_a_complaint_or_dispute_is_open() -> None:
    """All but statutory notices rests; India's draft keeps the agency away; China answers within 20 days."""
    for kind in (HoldKind.COMPLAINT, HoldKind.DISPUTE):
        assert KINDS[kind].stops == {MessageClass.COURTESY, MessageClass.OVERDUE}
    noon = in_zone("2026-11-24 12:00", "Asia/Kolkata")
    complaint = (Event("complaint", noon - DAY),)
    agency = by_agency(noon, "Asia/Kolkata", events=complaint)
    assert said("IN.RBI.2026.COMPLAINT", agency).effect is Effect.DENY
    lender = contact(noon, "Asia/Kolkata", events=complaint)
    assert said("IN.RBI.2026.COMPLAINT", lender).effect is Effect.ALLOW
    # It is a draft: it is in the book, and nobody is bound by it.
    assert "IN.RBI.2026.COMPLAINT" not in {each.rule_id for each in asked(agency, "IN").answers}
    told = in_zone("2026-11-01 12:00")
    dispute = (Trigger("credit_dispute", told),)
    for at, missed in (("2026-11-21 23:59:59", False), ("2026-11-22 00:00", True)):
        asking = contact(in_zone(at), triggers=dispute)
        answer = said("CN.CREDIT.5Y.DISPUTE", asking)
        assert (answer.effect, answer.facts["missed"]) == (Effect.REQUIRE, missed)


def test_trap_19_festivals_and_bereavement_are_personal_and_states_have_their_own_days() -> None:
    """São Paulo closes on 9 July, Rio does not; both close on national days; a person's own days are on record."""
    zone = "America/Sao_Paulo"
    # A Thursday.
    ninth = contact(in_zone("2026-07-09 12:00", zone), zone)
    assert "BR.SP" in stopped_by(ninth, "BR-SP")
    assert "BR.RJ" not in stopped_by(ninth, "BR-RJ")
    assert first(ninth, ("BR-SP",)) == in_zone("2026-07-10 08:00", zone)
    for day in ("2026-09-07", "2026-11-15"):
        national = contact(in_zone(f"{day} 12:00", zone), zone)
        assert "BR.SP" in stopped_by(national, "BR-SP")
        assert "BR.RJ" in stopped_by(national, "BR-RJ")
    saturday = contact(in_zone("2026-07-11 13:59:59", zone), zone)
    assert asked(saturday, "BR-SP").effect is Effect.ALLOW
    assert "BR.SP" in stopped_by(replace(saturday, at=saturday.at + SECOND), "BR-SP")
    noon = in_zone("2026-11-08 12:00", "Asia/Kolkata")
    for kind in ("festival", "bereavement", "wedding"):
        event = (Event(kind, noon - HOUR, noon + DAY),)
        asking = contact(noon, "Asia/Kolkata", events=event)
        assert said("IN.RBI.2026", asking).until == noon + DAY


def test_trap_20_auto_debits() -> None:
    """Two failures in a row are the last; each retry in India has its own notice; nobody is asked while one runs."""
    (strikes,) = texts(packs()["US"], "US.PAYDAY.2STRIKE")
    assert isinstance(strikes.terms, DebitTerms)
    assert strikes.terms.scope.value == "person"
    assert [is_debit_allowed(strikes.terms, failures=n) for n in (0, 1, 2)] == [True, True, False]
    noon = utc("2026-11-24 06:00")
    debits = tuple(Trigger("debit", noon + n * DAY) for n in (2, 4))
    given = (Given("IN.EMANDATE", noon - HOUR),)
    retry = contact(noon, "Asia/Kolkata", triggers=debits, notices_given=given)
    answer = said("IN.EMANDATE", retry)
    assert answer.effect is Effect.REQUIRE
    assert answer.until == noon + 3 * DAY
    both = replace(retry, notices_given=(*given, Given("IN.EMANDATE", noon)))
    assert said("IN.EMANDATE", both).effect is Effect.ALLOW
    story(
        """
        borrower b1 en Asia/Shanghai CN email=li@borrowers.example
        2026-03-08 12:00  account  a1 b1 CNY jiebei_like mandate 1111
        2026-03-08 12:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1
        2026-03-09 09:00  debit    f1 o1 CNY 100.00 pending by 2026-03-09 20:00
        2026-03-09 10:00  silence  o1 step T0 because money_in_flight
        2026-03-09 15:00  debit    f1 o1 CNY 100.00 settled
        2026-03-09 15:00  pay      p1 o1 CNY 100.00
        2026-03-10 10:00  silence  o1 because paid
        """
    )


def test_trap_21_the_text_states_the_true_cut_off() -> None:
    """A debit runs before the day is over: the text names its hour, not midnight; a card's cut-off is five at least."""
    story(
        """
        borrower b1 en Asia/Shanghai CN email=li@borrowers.example
        2026-03-01 08:00  account  a1 b1 CNY huabei_like mandate 8821
        2026-03-01 08:00  bill     o1 b1 CNY 312.40 due 2026-03-09 account a1
        2026-03-02 10:00  contact  o1 step bill email
        2026-03-06 10:00  contact  o1 step T-3 email
        2026-03-06 10:00  text     o1 contains "by 11:30 on 9 March 2026"
        2026-03-08 09:00  pay      p1 o1 CNY 312.40
        2026-03-09 10:00  silence  o1 because paid
        """
    )
    (cut_off,) = texts(packs()["US"], "US.TILA.DUE")
    assert isinstance(cut_off.terms, CalcTerms)
    assert is_figure_allowed(cut_off.terms, Decimal(17))
    assert not is_figure_allowed(cut_off.terms, Decimal(16))


def test_trap_22_a_late_statement_poisons_the_due_date() -> None:
    """Mailed on 1 March: nothing is late before the 22nd; until then collection rests, and a statement was owed."""
    assert earliest_due(date(2026, 3, 1), 21) == date(2026, 3, 22)
    due = Trigger("due", in_zone("2026-03-20 17:00", NEW_YORK))
    mailed = in_zone("2026-03-01 09:00", NEW_YORK)
    asking = contact(
        in_zone("2026-03-15 12:00", NEW_YORK),
        NEW_YORK,
        product="card",
        triggers=(due,),
        notices_given=(Given("US.TILA.21", mailed),),
        events=(Event("late_statement", mailed),),
    )
    assert "US.TILA.21.LATE" in stopped_by(asking, "US")
    assert said("US.TILA.21.LATE", asking).until == mailed + 21 * DAY
    assert said("US.TILA.21", asking).effect is Effect.REQUIRE
    in_time = replace(
        asking, notices_given=(Given("US.TILA.21", in_zone("2026-02-27 23:59", NEW_YORK)),)
    )
    assert said("US.TILA.21", in_time).effect is Effect.ALLOW


def test_trap_23_fourteen_days_beginning_with() -> None:
    """The trigger is day 1: of arrears on 1 June the last day is the 14th; on the 15th the notice is late."""
    arrears = (Trigger("arrears", utc("2026-06-01 09:00")),)
    for at, missed in (("2026-06-14 22:59:59", False), ("2026-06-14 23:00", True)):
        asking = contact(utc(at), "Europe/London", product="fixed_sum", triggers=arrears)
        answer = said("UK.CCA.86B", asking)
        assert (answer.effect, answer.facts["missed"]) == (Effect.REQUIRE, missed)
    # What is missed stops interest and enforcement until it is given.
    late_notice = (Event("late_notice", utc("2026-06-14 23:00")),)
    asking = contact(utc("2026-06-16 12:00"), "Europe/London", events=late_notice)
    assert "UK.CCA.86D" in stopped_by(asking, "GB")


def test_trap_24_rounding() -> None:
    """Cut off, a published table comes out; halves go three ways; currencies have no, two or three digits."""
    terms = Terms(
        principal_minor=6000_00,
        currency="CNY",
        months=3,
        start=date(2026, 6, 15),
        daily_rate=Decimal("0.0003"),
    )
    last = {}
    for mode in (Rounding.DOWN, Rounding.HALF_UP):
        profile = Profile(
            name="trap",
            family=Family.INSTALMENT,
            method=Method.EQUAL_INSTALMENT,
            rounding=mode,
            day_count=DayCount.ACT_365F,
        )
        rows = schedule(terms, profile)
        assert sum(row.principal_minor for row in rows) == 6000_00
        last[mode] = (rows[0].amount_minor, rows[-1].amount_minor, rows[-1].interest_minor)
    assert last[Rounding.DOWN] == (2036_70, 2036_72, 18_76)
    assert last[Rounding.HALF_UP][0] == 2036_71
    assert last[Rounding.HALF_UP][2] == 18_77
    half = Fraction(5, 2)
    modes = (Rounding.DOWN, Rounding.HALF_EVEN, Rounding.HALF_UP)
    assert [rounded(half, mode) for mode in modes] == [2, 2, 3]
    assert [rounded(half + 1, mode) for mode in modes] == [3, 4, 4]
    assert [minor_units(each) for each in ("JPY", "CNY", "KWD")] == [0, 2, 3]


def test_trap_25_a_lender_itself_is_bound() -> None:
    """In each of these places a first-party call at night, or once too often, is stopped."""
    for name, zone in (
        ("US-MA", NEW_YORK),
        ("CN", SHANGHAI),
        ("IN", "Asia/Kolkata"),
        ("ID", "Asia/Jakarta"),
        ("BR-SP", "America/Sao_Paulo"),
    ):
        night = contact(in_zone("2026-11-24 23:30", zone), zone)
        assert night.party is Party.FIRST
        assert stopped_by(night, name), name
    noon = in_zone("2026-11-24 12:00", NEW_YORK)
    calls = touches([noon - n * DAY for n in (1, 2, 3)], accounts=("a1",))
    asking = contact(noon, NEW_YORK, touches=calls, accounts=("a1",))
    assert "US.NYC" in stopped_by(asking, "US-NYC")
    assert "US.MA.CREDITOR" in stopped_by(asking, "US-MA")
    # Regulation F itself is not about a creditor.
    assert not any(each.startswith("US.REGF") for each in stopped_by(asking, "US"))


def test_trap_26_the_text_in_force_is_that_of_the_planned_send() -> None:
    """What is planned in January for 1 February reaches all; a notice of the bank is gone after its last day."""
    rules = law().chain(("US",))
    planned_on, sent_on = date(2027, 1, 30), date(2027, 2, 1)
    assert reach_of(rules, Switch.REMINDER, "sms", planned_on)[0] is not Reach.ALL
    assert reach_of(rules, Switch.REMINDER, "sms", sent_on)[0] is Reach.ALL
    # A refusal of calls, recorded as far as it reached when it was made, stops texts of another matter only then.
    refused = Refusal(
        "r1", Switch.REMINDER, "call", "n1", utc("2026-12-01 00:00"), topic="loan", sender="lender"
    )
    (until, since) = texts(packs()["US"], "US.TCPA.REVOKEALL")
    for rule, stops in ((until, False), (since, True)):
        assert isinstance(rule.terms, ConsentTerms)
        about = (rule.terms, Purpose.OVERDUE, "sms", "n1", utc("2027-02-01 18:00"))
        assert allows((refused,), *about, topic="card", media=rule.channels) is not stops
    for at, in_force in (("2026-03-31 23:59:59", True), ("2026-04-01 00:00", False)):
        offer = contact(in_zone(at), channel="sms", language="zh-CN", text="代办修复")
        answer = said("CN.CREDIT.REPAIR", offer)
        assert answer.in_force is in_force
        assert (answer.effect is Effect.DENY) is in_force


def test_trap_27_each_rule_says_how_well_it_is_known() -> None:
    """A decision names the statuses it rests on; what is not verified never binds hard, and hearsay is not in."""
    night = asked(contact(in_zone("2026-11-24 23:00")), "CN")
    status = {rule.id: rule.status for rule in packs()["CN"].rules}
    assert "CN.GBT.TIME" in night.rule_ids
    assert set(night.statuses) == {status[each] for each in night.rule_ids}
    assert Status.VERIFIED not in night.statuses
    for pack in packs().values():
        for rule in pack.rules:
            assert (
                rule.status is Status.VERIFIED
                or rule.signed_by
                or (rule.enforce is not Enforce.HARD)
            ), rule.id
            assert rule.status is not Status.DRAFT or rule.enforce is Enforce.OFF, rule.id
    document = documents()["ID"]
    rows = [{**row, "enforce": "hard"} for row in document["rule"]]
    with pytest.raises(Rejected, match=r"ID\.OJK\.TIME") as caught:
        parse({**document, "rule": rows}, "ID.toml")
    assert caught.value.code == "unsigned_rule"
    # One source has "no collection after 90 days" in Indonesia.
    zone = "Asia/Jakarta"
    very_late = contact(in_zone("2026-11-24 12:00", zone), zone, dpd=91)
    assert asked(very_late, "ID").effect is Effect.ALLOW


def test_trap_28_texts_do_not_count_as_calls() -> None:
    """Ten texts and mails in a week leave the seven calls of Regulation F untouched; a ringless voicemail is one."""
    evening = in_zone("2026-11-24 18:00", NEW_YORK)
    for channel, counted in (("sms", 0), ("email", 0), ("push", 0), ("call", 7), ("ai_call", 7)):
        week = touches([evening - n * HOUR for n in range(1, 8)], channel=channel, by="agency")
        answer = said("US.REGF.7IN7", by_agency(evening, NEW_YORK, touches=week))
        assert answer.facts["counted"] == counted, channel
        assert (answer.effect is Effect.DEFER) is bool(counted)


def test_trap_29_no_urgency_opens_the_night() -> None:
    """Whatever a contact is for, quiet hours bind it, in every pack that has hours for it."""
    for name, zone in (
        ("CN", SHANGHAI),
        ("GB", "Europe/London"),
        ("US", NEW_YORK),
        ("IN", "Asia/Kolkata"),
        ("ID", "Asia/Jakarta"),
        ("HK", "Asia/Hong_Kong"),
        ("SG", "Asia/Singapore"),
    ):
        for purpose in Purpose:
            night = contact(in_zone("2026-11-24 23:30", zone), zone, purpose=purpose)
            verdict = asked(night, name)
            assert verdict.effect is not Effect.ALLOW, (name, purpose)
            assert any(
                each.effect is Effect.DEFER and each.enforce.binds for each in verdict.answers
            ), (name, purpose)


def test_trap_30_a_chinese_number_in_new_york() -> None:
    """Rules are chosen by residence, number and licence; all of them bind, and the decision holds each."""
    assert law().select("US-NYC", "+8613800000000", "CN") == ("CN", "US-NYC")
    assert law().select("US-TX", "+8613800000000") == ("CN", "US")
    assert law().select("US-NYC", "+12125550100", "GB") == ("GB", "US", "US-NYC")
    chosen = law().select("US-NYC", "+8613800000000")
    both = (NEW_YORK, SHANGHAI)
    # Half past eight in New York is half past nine in the evening in Shanghai; an hour later it is night by either law.
    evening = asked(contact(utc("2026-11-24 13:30"), *both), *chosen)
    assert evening.rule_ids == ("US.FIRST.TIME",)
    night = contact(utc("2026-11-24 14:30"), *both)
    assert {"CN.CBA.TIME", "CN.GBT.TIME", "US.FIRST.TIME"} <= stopped_by(night, *chosen)
    assert {"CN.CBA.BAN", "US.NYC"} <= {each.rule_id for each in evening.answers}
    assert first(night, chosen) == utc("2026-11-25 00:00")


def test_trap_31_where_data_may_live() -> None:
    """China's stay in the partition of China, India's in India; a pack that names no partition there is refuses."""
    residency = packs()["CN"].residency
    assert residency is not None
    assert residency.partitions == ("aws-cn",)
    assert set(residency.regions) == {"cn-north-1", "cn-northwest-1"}
    assert (residency.status, residency.enforce) == (Status.VERIFIED, Enforce.HARD)
    india = packs()["IN"].residency
    assert india is not None
    assert set(india.regions) == {"ap-south-1", "ap-south-2"}
    document = documents()["CN"]
    wrong = {**document, "residency": {**document["residency"], "partitions": ["aws-moon"]}}
    with pytest.raises(Rejected, match="partitions"):
        parse(wrong, "CN.toml")


def test_trap_32_clocks() -> None:
    """The instant is an argument; a night may have ten hours or twelve; a schedule that fires late is asked anew."""
    for function in (next_allowed, or_else, Law.evaluate, Law.ask):
        source = inspect.getsource(inspect.getmodule(function) or allowed)
        assert "now(" not in source
        assert "today(" not in source
    # A schedule that fires at 21:59:30 and is a minute late finds the window closed.
    fired = in_zone("2026-11-24 21:59:30")
    assert asked(contact(fired), "CN").effect is Effect.ALLOW
    assert asked(contact(fired + 60 * SECOND), "CN").until == in_zone("2026-11-25 08:00")
    # 2026-11-01 has 25 hours in New York: from nine in the evening to eight are eleven, and then twelve.
    for day, hours in (("2026-10-30", 11), ("2026-10-31", 12), ("2026-03-07", 10)):
        closed = in_zone(f"{day} 21:00", NEW_YORK)
        opened = first(by_agency(closed + SECOND, NEW_YORK), ("US",))
        assert opened - closed == hours * HOUR, day
        assert zones.local_time(opened, NEW_YORK) == time(8)


def test_no_trap_is_without_a_test() -> None:
    """The reference numbers 32: each has a test of its own here, by its number, that says what it is about."""
    named = [name for name in globals() if name.startswith("test_trap_")]
    numbers = sorted(int(name.split("_")[2]) for name in named)
    assert sorted(set(numbers)) == list(range(1, 33))
    assert all(inspect.getdoc(globals()[name]) for name in named)
