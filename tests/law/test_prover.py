"""The prover refuses every bad policy planted here by the right rule, and lets each one that is only near to it pass.

Each counterexample of hours, of a cap, of a notice and of words is played back through the law itself, as a contact is
when it is sent: the rule that the prover names is the one that answers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.law import Effect, Given, Request, Trigger
from betimes.core.proof import Asked, Counterexample, Proof, Refusal
from betimes.core.prover_facts import PURPOSES, stage_on
from betimes.core.rule import NoticeTerms, Party, ProductKind, Purpose, Stage
from betimes.core.touch import Touch
from betimes.core.treatment import line
from betimes.core.values import replace

from .planted import (
    POLICIES,
    Change,
    Policy,
    add,
    debited,
    enforced,
    hours,
    law,
    most,
    off,
    only,
    penalty,
    product,
    step,
    top,
    treatment,
    words,
)

AGENCY = Party.THIRD
# What a lawyer has signed that texts hold, without being found in them word by word.
SIGNED = {
    "statement_ready": frozenset({"statement"}),
    "overdue_help": frozenset({"the regulator's information sheet"}),
}
MANY = {"class": "statutory", "template": "overdue_help"}
BILL = {"class": "statutory", "template": "statement_ready"}
OVERDUE, STATUTORY = {"class": "overdue"}, {"class": "statutory"}
REPAIR = words("overdue_help", "zh-CN", "email", "代办修复")
EIGHT = ("D-3", "D-1", "D0", "D+1", "D+3", "D+7", "D+15", "D+30")
# A loan that its name does not tell, and its kind does.
LOAN = product(name="my_loan", kinds=(ProductKind.FIXED_SUM,))
HUABEI = POLICIES.profiles["huabei_like"]


def at(name: str, hour: str, catch_up: int = 1) -> Change:
    """Return what moves a step to another hour, with little time to be late."""
    return step(name, send_at=hour, catch_up_hours=catch_up)


def sums(count: int, first: int = 12) -> list[Change]:
    """Return what adds steps on the days behind the first overdue one, two on each."""
    return [
        add(name=f"x{n}", offset_days=1 + n // 2, send_at=f"{first + 2 * (n % 2)}:00", catch_up_hours=1)
        for n in range(count)
    ]  # fmt: skip


def minutes(count: int) -> list[Change]:
    """Return what adds texts within one minute."""
    return [add(name=f"x{n}", send_at=f"10:00:{10 + n}") for n in range(count)]


def plain(place: str, *changes: Change, of: str = "default", **more: Any) -> Callable[[], Policy]:
    """Return what makes a policy for one place: a shipped treatment with changes."""
    return lambda: Policy(treatment(*changes, of=of), (place,), **more)


def of_fixed_sum(*changes: Change, signed: bool = True) -> Callable[[], Policy]:
    """Return what makes a policy for a loan in Great Britain, of which arrears are told by law."""
    loan = (product(name="fixed_sum"),)
    return plain("GB", *changes, products=loan, disclosures=SIGNED if signed else {})


def of_card(*changes: Change) -> Callable[[], Policy]:
    """Return what makes a policy for a card in the United States, whose bill comes three weeks before it is due."""
    return plain("US", *changes, products=(product(name="card"),), disclosures=SIGNED)


def saying(place: str, *more: str) -> Callable[[], Policy]:
    """Return what makes a policy in which a text says more: template, locale, channel, and what."""
    return lambda: Policy(treatment(), (place,), templates=words(*more))


def event(name: str, anchor: str, template: str, **keys: Any) -> Change:
    """Return what adds a step that goes at once where something happens, which may be on any day."""
    more = {"send_at": "at_once", "offset_days": 0, "channels": ["email", "sms"], **keys}
    return add(name=name, anchor=anchor, template=template, **more)


def on_days(*days: int) -> list[Change]:
    """Return what leaves demands on these days only, with a day to be late, told together."""
    more = [add(name=f"+{day}", offset_days=day) for day in days[1:]]
    return [only("D+1"), step("D+1", offset_days=days[0]), *more, top(digest=True)]


# Of New York City only what it says of how often: words are asked about elsewhere.
OFTEN = law("US.NYC.OPTOUT", off)
DEBIT_FAILS = event("debit", "debit_failed", "debit_failed", **{"class": "courtesy"})
PROMISE_BREAKS = event("promise", "promise_broken", "promise_broken")
HOLD_ENDS = event("hold", "hold_lifted", "overdue_help")
# Three texts on the due day, and one before it: with two debts that is four on a day.
EVE = [
    only("D-1", "D0"),
    at("D-1", "11:30", 2),
    at("D0", "09:00", 2),
    add(name="x0", send_at="13:00"),
    add(name="x1", send_at="18:00"),
    top(digest=True),
]


HOURS, CAP, PACE, NOTICE = Asked.HOURS, Asked.CAP, Asked.PACE, Asked.NOTICE
CONTENT, DEBIT, CALC, CLASS = Asked.CONTENT, Asked.DEBIT, Asked.CALC, Asked.CLASS
# What is planted, and the rule that must be named
BAD: dict[str, tuple[Callable[[], Policy], Asked, str]] = {
    # Hours
    "late in the evening, China": (plain("CN", at("D0", "22:30")), HOURS, "CN.CBA.TIME"),
    "past its own day, China": (plain("CN", at("D0", "23:00", 12)), HOURS, "CN.CBA.TIME"),
    "before dawn, Britain": (plain("GB", at("D+1", "05:00", 2)), HOURS, "UK.CONC.TIME"),
    "late in the evening, America": (plain("US", at("D0", "21:30")), HOURS, "US.FIRST.TIME"),
    "an agency's text at night": (plain("US", at("D+1", "21:30"), party=AGENCY), HOURS, "US.REGF.TIME"),
    "California has hours of its own": (plain("US-CA", at("D0", "21:30")), HOURS, "US.CA.TIME"),
    "evening, Hong Kong": (plain("HK", at("D0", "20:30")), HOURS, "HK.HOUSE.TIME"),
    "evening, Singapore": (plain("SG", at("D0", "20:30")), HOURS, "SG.HOUSE.TIME"),
    "evening, Indonesia": (plain("ID", at("D0", "20:15")), HOURS, "ID.OJK.TIME"),
    "a demand after seven, India": (plain("IN", at("D+1", "19:30")), HOURS, "IN.RBI.TIME"),
    "night, Philippines": (plain("PH", at("D0", "23:00")), HOURS, "PH.BSP"),
    "evening, Europe": (plain("EU", at("D0", "20:30")), HOURS, "EU.QUIET"),
    "evening where no file reaches": (plain("HOUSE", at("D0", "21:00", 2)), HOURS, "HOUSE.TIME"),
    "a Sunday, São Paulo": (plain("BR-SP", law=law("BR.HOUSE.TIME", off)), HOURS, "BR.SP"),
    "a weekend, Rio": (plain("BR-RJ"), HOURS, "BR.RJ"),
    "a Sunday, Alagoas": (plain("BR-AL"), HOURS, "BR.AL"),
    "a weekend, Amazonas": (plain("BR-AM"), HOURS, "BR.AM"),
    "a weekend, Espírito Santo": (plain("BR-ES"), HOURS, "BR.ES"),
    "a debit that fails in the evening": (
        plain("CN", step("debit", catch_up_hours=2), products=(HUABEI,), of="huabei_like"), HOURS, "CN.CBA.TIME",
    ),
    "hours that one night in spring has not": (
        plain("GB", only("D0"), at("D0", "01:10"), law=law("UK.CONC.TIME", hours(time(1), time(2))), days=400),
        HOURS, "UK.CONC.TIME",
    ),
    # Pace and steps that are never sent
    "a gap longer than a step may wait": (plain("CN", top(min_gap_hours=60)), PACE, "HOUSE.STEP.NEVER"),
    "a demand before the due date": (plain("CN", step("D-1", **OVERDUE)), CLASS, "HOUSE.STEP.NEVER"),
    # Caps
    "three texts in a week, Massachusetts": (plain("US-MA"), CAP, "US.MA.CREDITOR"),
    "the same by an agency": (plain("US-MA", party=AGENCY), CAP, "US.MA.AGENCY"),
    "four contacts in a week, New York City": (plain("US-NYC"), CAP, "US.NYC"),
    "two debts, late and on time": (plain("CN", step("D-1", catch_up_hours=24)), CAP, "CN.CIVIL.PEACE"),
    "two debts where no file reaches": (plain("HOUSE", step("D-1", catch_up_hours=24)), CAP, "HOUSE.CAP"),
    "four steps a day": (plain("CN", only("D+1"), *sums(4)), CAP, "CN.CIVIL.PEACE"),
    "eight texts of an agency in a week": (plain("US", only("D+1"), *sums(8), party=AGENCY), CAP, "US.REGF.LIMIT"),
    "four texts in a minute": (plain("CN", only("D+1"), *minutes(3)), CAP, "CN.SMS.OTHER.BAIDU.MINUTE"),
    "a debit that fails between two demands": (plain("US-NYC", *on_days(1, 2, 4), DEBIT_FAILS), CAP, "US.NYC"),
    "a debit that fails days later": (plain("US-NYC", *on_days(10, 11, 12), DEBIT_FAILS), CAP, "US.NYC"),
    "a debit that fails day after day": (plain("US-NYC", *on_days(20), DEBIT_FAILS), CAP, "US.NYC"),
    "a promise broken day after day": (plain("US-NYC", *on_days(20), PROMISE_BREAKS), CAP, "US.NYC"),
    "holds that end day after day": (plain("US-NYC", *on_days(20), HOLD_ENDS), CAP, "US.NYC"),
    "promises about two debts": (plain("CN", *on_days(1), PROMISE_BREAKS), CAP, "CN.CIVIL.PEACE"),
    "two debts due a day apart, told together": (plain("CN", *EVE), CAP, "CN.CIVIL.PEACE"),
    "one late into the day of another debt": (
        plain("CN", only("D+1"), *sums(2), step("x1", catch_up_hours=24), top(digest=True)), CAP, "CN.CIVIL.PEACE",
    ),
    "a cap made smaller": (plain("CN", law=law("CN.CIVIL.PEACE", most(1))), CAP, "CN.CIVIL.PEACE"),
    # Notices
    "no notice of arrears": (of_fixed_sum(), NOTICE, "UK.CCA.86B"),
    "a notice of arrears too late": (of_fixed_sum(step("D+15", **MANY)), NOTICE, "UK.CCA.86B"),
    "a notice that a cap could stop": (of_fixed_sum(step("D+7", template="overdue_help")), NOTICE, "UK.CCA.86B"),
    "a notice that holds too little": (of_fixed_sum(step("D+7", **MANY), signed=False), NOTICE, "UK.CCA.86B"),
    "no bill before it is due": (of_card(), NOTICE, "US.TILA.21"),
    "a bill twenty days before it is due": (of_card(step("D-3", offset_days=-20, **BILL)), NOTICE, "US.TILA.21"),
    # Debits and figures
    "a debit every day": (plain("US", products=(debited("loan", 1, daily=True),)), DEBIT, "US.NACHA"),
    "three debits of a short loan": (plain("GB", products=(debited("short_term", 3),)), DEBIT, "UK.CONC.CPA"),
    "three debits of a payday loan": (plain("US", products=(debited("covered_loan", 3),)), DEBIT, "US.PAYDAY.2STRIKE"),
    "double interest": (plain("CN", products=(penalty("2.0"),), law=law("CN.PENALTY", enforced)), CALC, "CN.PENALTY"),
    # Classes and words
    "statutory so that nothing stops it": (plain("CN", step("D+15", **STATUTORY)), CLASS, "HOUSE.STEP.CLASS"),
    "statutory by a rule that is only shown": (
        plain("IN", step("D-3", **STATUTORY), products=(product(name="loan"),)), CLASS, "HOUSE.STEP.CLASS",
    ),
    "statutory by the rule of another product": (
        plain("GB", step("D+7", **MANY), products=(LOAN, product(name="other")), disclosures=SIGNED),
        CLASS, "HOUSE.STEP.CLASS",
    ),
    "no notice of arrears of a loan by its kind": (plain("GB", products=(LOAN,)), NOTICE, "UK.CCA.86B"),
    "a demand that is called a courtesy": (
        plain("CN", only("D+15"), step("D+15", **{"class": "courtesy"})), CONTENT, "HOUSE.STEP.WORDS",
    ),
    "a text for late debts before": (plain("CN", step("D-1", template="overdue")), CONTENT, "HOUSE.STEP.WORDS"),
    "overdue, says a reminder": (saying("CN", "due_soon", "zh-CN", "sms", "逾期"), CONTENT, "CN.WORDS.PREDUE"),
    "past due, says a reminder": (saying("US", "due_soon", "en", "email", "past due"), CONTENT, "US.WORDS.PREDUE"),
    "a court, says a demand": (saying("CN", "overdue", "zh-CN", "sms", "法院"), CONTENT, "CN.CBA.BAN"),
    "police, says a demand": (saying("US-CA", "overdue", "en", "email", "police"), CONTENT, "US.CA.CONDUCT"),
    "a bailiff, says an offer": (saying("GB", "overdue_help", "en", "email", "bailiff"), CONTENT, "UK.CONC.MISLEAD"),
    "advertising in a reminder": (saying("CN", "due_soon", "zh-CN", "sms", "红包"), CONTENT, "CN.SMS.SERVICE"),
    "an agency that tells no way out": (plain("US", party=AGENCY), CONTENT, "US.REGF.OPTOUT"),
    "repair for money, while that text held": (
        plain("CN", templates=REPAIR, first=date(2026, 1, 5)),
        CONTENT, "CN.CREDIT.REPAIR",
    ),
}  # fmt: skip

# What looks like one of these and breaks nothing
GOOD: dict[str, Callable[[], Policy]] = {
    "evening, with the next morning to go": plain("CN", at("D+1", "21:50", 14)),
    "the last minutes of the day, China": plain("CN", at("D0", "21:55")),
    "a reminder after seven, India": plain("IN", at("D-1", "19:30")),
    "a demand before seven, India": plain("IN", at("D+1", "18:30")),
    "hours that every night has": plain(
        "GB", only("D0"), at("D0", "02:10"), law=law("UK.CONC.TIME", hours(time(2), time(3))), days=400
    ),
    "two reminders in a week, Massachusetts": plain("US-MA", only("D-3", "D0")),
    "three contacts in a week, New York City": plain("US-NYC", only("D+1", "D+3", "D+7", "D+15"), law=OFTEN),
    "one debt's three steps a day, told together": plain("CN", only("D+1"), *sums(2), top(digest=True)),
    "a debit that fails, and a pace": plain(
        "US-NYC", *on_days(1), DEBIT_FAILS, top(min_gap_hours=84), step("debit", late="miss"), law=OFTEN
    ),
    "a promise broken where calls are what counts": plain("HK", *on_days(20), PROMISE_BREAKS),
    "a weekend that may be missed, Rio": plain("BR-RJ", *(step(n, late="miss") for n in EIGHT)),
    "a notice of arrears in time": of_fixed_sum(step("D+7", **MANY)),
    "a notice of arrears of a loan by its kind": plain(
        "GB", step("D+7", **MANY), products=(LOAN,), disclosures=SIGNED
    ),
    "a notice for the one product that it is about": plain(
        "GB",
        step("D+7", **MANY, when={"products": ["my_loan"]}),
        products=(LOAN, product(name="other")),
        disclosures=SIGNED,
    ),
    "a bill 23 days before it is due": of_card(step("D-3", offset_days=-23, **BILL)),
    "a debit and two more": plain("US", products=(debited("loan", 3),)),
    "two debits of a short loan": plain("GB", products=(debited("short_term", 2),)),
    "half as much again": plain("CN", products=(penalty("1.5"),), law=law("CN.PENALTY", enforced)),
    "overdue, says a demand": saying("CN", "overdue", "zh-CN", "sms", "逾期"),
    "police, where no rule has the word": saying("GB", "overdue", "en", "email", "police"),
    "repair for money, after that text": saying("CN", "overdue_help", "zh-CN", "email", "代办修复"),
}  # fmt: skip


def refusal(policy: Policy) -> Refusal:
    """Return why a policy is refused."""
    answer = policy.asked()
    assert isinstance(answer, Refusal)
    return answer


@pytest.mark.parametrize("name", BAD)
def test_a_bad_policy_is_refused_by_the_right_rule(name: str) -> None:
    """Each with its rule, its citation, a problem and a way out; and the rule binds."""
    make, asked, rule_id = BAD[name]
    found = {(each.asked, each.rule_id): each for each in refusal(make()).counterexamples}
    assert (asked, rule_id) in found
    one = found[asked, rule_id]
    assert one.citation
    assert one.problem
    assert one.way_out
    assert one.enforce.binds


@pytest.mark.parametrize("name", GOOD)
def test_what_is_only_near_to_it_is_proved(name: str) -> None:
    """The check refuses what is wrong, not what is unusual."""
    answer = GOOD[name]()
    proof = answer.asked()
    assert isinstance(proof, Proof), [
        each.problem for each in getattr(proof, "counterexamples", ())
    ]
    assert proof.cases > 0


def test_enough_is_planted() -> None:
    """And of every kind of question."""
    assert len(BAD) >= 30
    assert {asked for _, asked, _ in BAD.values()} == set(Asked)


# Played back through the law


def request_of(one: Counterexample, policy: Policy) -> Request:
    """Return the contact of a counterexample as the law is asked about it when it is sent."""
    assert one.at is not None
    named = next(
        each
        for version in policy.treatment.versions()
        for each in version.steps
        if each.name == one.step
    )
    profile = next(each for each in policy.products if each.name == one.product)
    on = zones.local_date(one.at, profile.zone or one.zones[0])
    day = (on - one.due_on).days
    if one.asked is Asked.HOURS and named.anchor == "debit_failed":
        # It counts from an event of its day.
        day = 0
    return Request(
        at=one.at,
        channel=one.channel,
        purpose=PURPOSES[named.message_class],
        stage=stage_on(day, profile),
        zones=one.zones,
        party=policy.party,
        product=profile.name,
        debts=("debt 1",),
        accounts=("account",),
        number="number",
        dpd=day,
    )  # fmt: skip


def of_kind(asked: Asked) -> list[str]:
    """Return the planted policies that a pack's rule refuses by this kind of question."""
    return [
        name for name, (_, each, rule_id) in BAD.items() if each is asked and "STEP" not in rule_id
    ]


def counterexample(name: str) -> tuple[Policy, Counterexample]:
    """Return a planted policy with the counterexample of its rule."""
    make, asked, rule_id = BAD[name]
    policy = make()
    found = refusal(policy).counterexamples
    return policy, next(e for e in found if (e.asked, e.rule_id) == (asked, rule_id))


@pytest.mark.parametrize("name", of_kind(Asked.HOURS))
def test_the_law_itself_puts_off_what_is_out_of_hours(name: str) -> None:
    """At the instant of the counterexample, and until the step is too late."""
    policy, one = counterexample(name)
    asked = request_of(one, policy)
    answers = {each.rule_id: each for each in policy.law.evaluate(asked, policy.places).answers}
    assert answers[one.rule_id].effect is Effect.DEFER
    until = answers[one.rule_id].until
    named = next(each for each in policy.treatment.steps if each.name == one.step)
    assert until is not None
    if "past its own day" not in name:
        # A minute and a half before it is over nothing is begun any more.
        assert until >= asked.at + named.catch_up - timedelta(seconds=90)


@pytest.mark.parametrize("name", of_kind(Asked.CAP))
def test_the_law_itself_stops_what_is_over_a_cap(name: str) -> None:
    """With the contacts before it on record; and not with one of them fewer."""
    policy, one = counterexample(name)
    asked = request_of(one, policy)
    before = [
        Touch(
            f"t{n}",
            sent.at,
            one.channel,
            party=policy.party,
            debts=("debt 1",),
            accounts=("account",),
            number="number",
        )
        for n, sent in enumerate(one.contacts[:-1])
    ]
    assert before

    def effect(touches: list[Touch]) -> Effect:
        told = replace(asked, touches=tuple(touches))
        verdict = policy.law.evaluate(told, policy.places)
        return next(each.effect for each in verdict.answers if each.rule_id == one.rule_id)

    assert effect(before) is Effect.DEFER
    assert effect(before[1:]) is Effect.ALLOW


@pytest.mark.parametrize("name", of_kind(Asked.NOTICE))
def test_the_law_itself_misses_the_notice(name: str) -> None:
    """Where it is given when the counterexample says, or not at all."""
    policy, one = counterexample(name)
    rule = next(each for each in policy.law.chain(policy.places) if each.id == one.rule_id)
    assert isinstance(rule.terms, NoticeTerms)
    before = rule.terms.trigger == "due"
    zone = one.zones[0]
    trigger = zones.instant(one.due_on + timedelta(days=0 if before else 1), time.min, zone)
    at_ = trigger if before else trigger + timedelta(days=20)
    asked = Request(
        at=at_,
        channel="email",
        purpose=Purpose.STATUTORY,
        stage=Stage.DUE_DAY if before else Stage.OVERDUE,
        zones=one.zones,
        product=one.product,
        kinds=next(each.kinds for each in policy.products if each.name == one.product),
        notices_given=(Given(rule.id, one.at),) if one.at is not None else (),
        triggers=(Trigger(rule.terms.trigger, trigger),),
    )
    answer = policy.law.ask(rule, asked)
    assert answer.effect is Effect.REQUIRE or answer.facts["missed"] is True


@pytest.mark.parametrize("name", of_kind(Asked.CONTENT))
def test_the_law_itself_denies_the_words(name: str) -> None:
    """Read in the stage that the counterexample names."""
    policy, one = counterexample(name)
    rule = next(each for each in policy.law.chain(policy.places) if each.id == one.rule_id)
    file, _, rest = one.problem.partition("templates/")[2].partition(".toml [")
    locale, _, channel = rest.partition("]")[0].rpartition(".")
    body = policy.templates[file].bodies[locale, channel]
    stage = Stage(one.problem.partition("stage ")[2].partition(":")[0])
    asked = Request(
        at=zones.instant(one.due_on, time(12), "UTC"),
        channel=channel,
        purpose=Purpose.COURTESY if stage is Stage.PRE_DUE else Purpose.OVERDUE,
        stage=stage,
        zones=("UTC",),
        party=policy.party,
        language=locale,
        text=body.text,
    )
    assert policy.law.ask(rule, asked).effect is Effect.DENY


# What is smallest, and what cannot be asked


def test_the_counterexample_is_the_smallest() -> None:
    """One zone rather than two, and the earliest due date."""
    policy = Policy(treatment(at("D0", "21:30")), ("US",))
    one = refusal(policy).smallest
    assert len(one.zones) == 1
    assert one.due_on == policy.first


def test_both_places_bind_together() -> None:
    """What either alone allows is refused where one of them forbids it: China's evening is Singapore's night."""
    late = treatment(at("D0", "20:30"))
    assert isinstance(Policy(late, ("CN",)).asked(), Proof)
    both = refusal(Policy(late, ("CN", "SG")))
    assert {each.rule_id for each in both.counterexamples} == {"SG.HOUSE.TIME"}


def test_more_kinds_than_anybody_reads_are_refused() -> None:
    """Each tag doubles the borrowers that a treatment tells apart."""
    tags = [step("D-3", when={"tags": [f"t{n}" for n in range(13)]})]
    bounds = [step(name, when={"min_minor": n + 2}) for n, name in enumerate(("D-1", "D0", "D+1"))]
    with pytest.raises(Rejected) as caught:
        Policy(treatment(*tags, *bounds), ("CN",)).asked()
    assert caught.value.code == "too_many_kinds"


def test_a_condition_does_not_hide_a_step() -> None:
    """A step for a few is asked about with one of these few."""
    few = treatment(
        step("D0", send_at="22:30", catch_up_hours=1, when={"tags": ["vip"], "mandate": True})
    )
    one = refusal(Policy(few, ("CN",))).smallest
    assert one.borrower == "with auto-debit, tagged vip"


def test_an_earlier_version_is_asked_about_too() -> None:
    """What comes due under it is still sent by it."""
    bad = treatment(at("D0", "22:30"), top(effective_to=date(2026, 12, 20)))
    good = treatment(top(effective_from=date(2026, 12, 20)))
    one = refusal(Policy(line([bad, good]), ("CN",))).smallest
    assert one.rule_id == "CN.CBA.TIME"
    assert one.due_on < date(2026, 12, 20)
