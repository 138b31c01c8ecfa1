"""The difference of packs names every key, and what it calls tightened lets no more through."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta

import pytest

from betimes.adapters import law_packs
from betimes.core import rule_changes
from betimes.core.consent import Consent, Ledger, Refusal, Switch
from betimes.core.law import Law
from betimes.core.pack import EVENTS
from betimes.core.question import Effect, Event, Request
from betimes.core.rule import (
    ConsentForm,
    Enforce,
    Pack,
    Party,
    Purpose,
    Recipient,
    Residency,
    Rule,
    Span,
    Stage,
    Status,
    WindowTerms,
)
from betimes.core.rule_changes import Direction, diff, parameters
from betimes.core.rule_words import NO_CONTACT
from betimes.core.touch import Direction as Way
from betimes.core.touch import Touch
from betimes.core.values import replace
from tests.core.rule_mutants import having, mutants, pack_mutants, packs

PACKS = pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.name)
T, L = Direction.TIGHTER, Direction.LOOSER
BACK = {T: L, L: T}


def keys(old: Pack, new: Pack) -> list[tuple[str, Direction]]:
    """Return the keys that differ, of packs and rules, with what each does."""
    (change,) = diff([old], [new])
    found = [*change.changes, *(each for rule in change.rules for each in rule.changes)]
    return [(each.key, each.direction) for each in found]


def rule_named(name: str) -> Rule:
    """Return the first version of a shipped rule."""
    return next(rule for pack in packs() for rule in pack.rules if rule.id == name)


def change(rule: Rule, **terms: object) -> tuple[str, Direction]:
    """Return the one key that differs with other terms, and what it does."""
    alone = replace(packs()[0], rules=(rule,))
    (found,) = keys(alone, replace(alone, rules=(having(rule, **terms),)))
    return found


@PACKS
def test_a_pack_does_not_differ_from_itself(pack: Pack) -> None:
    """Nor do all of them together, in any order."""
    assert diff([pack], [replace(pack, rules=tuple(reversed(pack.rules)))]) == ()
    assert diff(packs(), reversed(packs())) == ()


@PACKS
def test_every_key_that_changed_is_named(pack: Pack) -> None:
    """Of a rule with one parameter changed, that key and no other, its id among them."""
    for rule in pack.rules:
        alone = replace(pack, rules=(rule,))
        for key, mutant in mutants(rule):
            changed = replace(alone, rules=(mutant,))
            if key == "kind":
                assert "kind" in dict(keys(alone, changed))
            else:
                assert [each for each, _ in keys(alone, changed)] == [key], rule.id


@PACKS
def test_every_key_of_a_pack_that_changed_is_named(pack: Pack) -> None:
    """Title, zones, numbers, residency, hash: that key and no other."""
    for key, mutant in pack_mutants(pack):
        assert [each for each, _ in keys(pack, mutant)] == [key]


@PACKS
def test_back_again_is_the_opposite(pack: Pack) -> None:
    """What tightens one way loosens the other way; what cannot be told cannot be told either way."""
    for rule in pack.rules:
        alone = replace(pack, rules=(rule,))
        for key, mutant in mutants(rule):
            if key in ("id", "kind"):
                continue
            changed = replace(alone, rules=(mutant,))
            there, back = keys(alone, changed), keys(changed, alone)
            assert [(each, BACK.get(does, does)) for each, does in there] == back, (rule.id, key)


ZONES = ("Asia/Shanghai", "America/New_York", "Europe/London", "America/Sao_Paulo")
CHANNELS = ("call", "ai_call", "sms", "email", "push", "letter")
TEXTS = (
    "",
    "Your bill is due. Reply STOP or 拒收请回复R",
    "overdue 逾期 police x",
    "x unsubscribe",
    "plain",
)


def request(chance: random.Random) -> Request:
    """Return any contact, with a past that may stop it."""
    at = datetime(2027, 3, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(60 * 24 * 30))

    def past() -> datetime:
        return at - timedelta(minutes=chance.randrange(60 * 24 * chance.choice((1, 3, 9, 40))))

    def flag() -> bool:
        return chance.random() < 0.5

    touches = tuple(
        Touch(
            id=str(n), at=past(), channel=chance.choice(CHANNELS), direction=chance.choice((Way.OUT, Way.OUT, Way.IN)),
            connected=flag(), conversation=flag(), message_left=flag(), party=chance.choice(list(Party)),
            by=chance.choice(("", "a", "b")), debts=chance.choice(((), ("1",), ("2",))),
            number=chance.choice(("", "n", "m")), recipient=chance.choice((Recipient.BORROWER, Recipient.CONTACT)),
            excluded=chance.choice(((), (), ("consented",), ("x",))),
        )
        for n in range(chance.choice((0, 1, 3, 9, 60)))
    )  # fmt: skip
    purpose = chance.choice(list(Purpose))
    consents: Ledger = (
        *(Consent(f"c{n}", purpose, "", "", form, past(), "", "") for n, form in enumerate(ConsentForm) if flag()),
        *(Refusal("r", Switch.REMINDER, chance.choice(CHANNELS), "n", past()) for _ in range(chance.randrange(2))),
    )  # fmt: skip
    events = tuple(
        Event(
            chance.choice((*EVENTS, "cure", "promise")),
            past(),
            chance.choice((None, at + timedelta(days=3))),
        )
        for _ in range(chance.choice((0, 0, 1, 5)))
    )
    return Request(
        at=at, channel=chance.choice(CHANNELS), purpose=purpose, stage=chance.choice(list(Stage)),
        zones=(chance.choice(ZONES),), party=chance.choice(list(Party)), by=chance.choice(("", "a")),
        debts=chance.choice(((), ("1",))), number=chance.choice(("", "n")), dpd=chance.choice((-3, 0, 7, 8, 60, 61)),
        agreed_hours=flag(), recipient=chance.choice(list(Recipient)), reveals_debt=flag(), borrower_unreachable=flag(),
        touches=touches, events=events, consents=consents, language=chance.choice(("", "en", "zh-CN", "zz")),
        text=chance.choice(TEXTS),
    )  # fmt: skip


@PACKS
def test_what_is_called_tightened_lets_no_more_through(pack: Pack) -> None:
    """Of any contacts, a rule that was tightened allows none that it stopped before, and the other way round."""
    shipped = law_packs.law()
    chance = random.Random(pack.name)
    requests = [request(chance) for _ in range(60)]
    for rule in pack.rules:
        if rule.kind in NO_CONTACT or not rule.enforce.binds:
            continue
        alone = replace(pack, rules=(rule,))
        law = Law({**shipped.packs, pack.name: alone}, shipped.calendars)
        for key, mutant in mutants(rule):
            if key in ("id", "kind", "enforce"):
                continue
            ((_, does),) = keys(alone, replace(alone, rules=(mutant,)))
            if does not in BACK:
                continue
            for asked in requests:
                before = law.ask(rule, asked).effect is Effect.ALLOW
                after = law.ask(mutant, asked).effect is Effect.ALLOW
                assert not (does is T and after and not before), (rule.id, key, asked)
                assert not (does is L and before and not after), (rule.id, key, asked)


def test_what_the_values_tell_is_told() -> None:
    """One example for each sort of figure; the words of a rule tell nothing."""
    calls, time_rule = rule_named("CN.NIFA.CALLS"), rule_named("CN.GBT.TIME")
    assert change(calls, most=2) == ("cap.most", T)
    assert change(calls, most=4) == ("cap.most", L)
    assert change(calls, unit="any") == ("cap.unit", T)
    assert change(calls, pool="own") == ("cap.pool", L)
    assert change(rule_named("US.MA.CREDITOR"), n=3600) == ("cap.n", L)
    assert change(time_rule, unless_agreed=False) == ("window.unless_agreed", T)
    assert change(time_rule, dpd_at_most=60) == ("window.dpd_at_most", L)
    assert change(rule_named("US.REGF.CONV7"), days=8) == ("cooloff.days", T)
    assert change(rule_named("US.TILA.21"), n=22)[1] is T
    assert change(rule_named("UK.CCA.86B"), n=20)[1] is L
    assert change(rule_named("CN.RETAIN.HOUSE"), max_months=0) == ("retain.max_months", L)
    assert change(rule_named("US.PAYDAY.2STRIKE"), max_consecutive_failures=3)[1] is L
    assert change(rule_named("CN.SMS.CONSENT"), form=ConsentForm.WRITTEN) == ("consent.form", T)
    assert change(rule_named("US.REGF.LOCATE"), reveal_debt=True) == ("recipient.reveal_debt", L)


@pytest.mark.parametrize(
    ("spans", "does"),
    [
        ((Span(time(9), time(22)),), T),
        ((Span(time(8), time(21)),), T),
        ((Span(time(8), time(22), closes_inclusive=True),), L),
        ((Span(time(7), None),), L),
        ((Span(time(9), time(12)), Span(time(13), time(22))), T),
        ((Span(time(7), time(21)),), Direction.UNTOLD),
        ((), T),
    ],
)
def test_hours_are_compared_as_sets_of_instants(spans: tuple[Span, ...], does: Direction) -> None:
    """Shorter within the old ones is tighter, longer around them looser, shifted is neither."""
    rule = rule_named("CN.GBT.TIME")
    assert isinstance(rule.terms, WindowTerms)
    days = {**rule.terms.days, "sat": spans}
    assert change(rule, days=days) == ("window.days.sat", does)


def test_switching_a_rule_on_tightens_and_off_loosens() -> None:
    """Off to cautious binds more; between cautious and hard nothing follows; what binds nobody has no effect."""
    pack = packs()[0]
    rule = rule_named("CN.NIFA.CALLS")

    def does(old: Enforce, new: Enforce, most: int = 3) -> dict[str, Direction]:
        now = replace(having(rule, most=most), enforce=new)
        return dict(
            keys(replace(pack, rules=(replace(rule, enforce=old),)), replace(pack, rules=(now,)))
        )

    assert does(Enforce.OFF, Enforce.CAUTIOUS) == {"enforce": T}
    assert does(Enforce.HARD, Enforce.SHOWN) == {"enforce": L}
    assert does(Enforce.CAUTIOUS, Enforce.HARD) == {"enforce": Direction.UNTOLD}
    assert does(Enforce.OFF, Enforce.SHOWN) == {"enforce": Direction.NO_EFFECT}
    assert does(Enforce.OFF, Enforce.OFF, most=2) == {"cap.most": Direction.NO_EFFECT}
    assert does(Enforce.OFF, Enforce.HARD, most=9)["cap.most"] is Direction.UNTOLD


def test_versions_of_a_rule_are_paired_by_day_and_then_in_order() -> None:
    """A first day that moved is a change of that day; a version more is one added."""
    pack = next(each for each in packs() if each.name == "US")
    old, new = (rule for rule in pack.rules if rule.id == "US.TCPA.REVOKEALL")
    both = replace(pack, rules=(old, new))
    later = replace(new, effective_from=new.effective_from + timedelta(days=9))
    assert keys(both, replace(pack, rules=(old, later))) == [("from", L)]
    (change,) = diff([replace(pack, rules=(old,))], [both])
    assert [(each.old, each.new) for each in change.rules] == [(None, new)]


def test_residency_tightens_where_fewer_regions_remain() -> None:
    """Fewer regions, or any at all where all were allowed; none of it where the residency is not enforced."""
    pack = packs()[0]
    two = Residency(("aws",), ("ap-south-1", "ap-south-2"), Status.VERIFIED, Enforce.HARD, "a law")
    bound = replace(pack, residency=two)

    def does(residency: Residency | None) -> dict[str, Direction]:
        return dict(keys(bound, replace(pack, residency=residency)))

    assert does(replace(two, regions=("ap-south-1",))) == {"residency.regions": T}
    assert does(replace(two, regions=())) == {"residency.regions": L}
    assert does(replace(two, partitions=())) == {"residency.partitions": L}
    assert does(replace(two, enforce=Enforce.OFF)) == {"residency.enforce": L}
    assert does(None)["residency.enforce"] is L
    shown = replace(pack, residency=replace(two, enforce=Enforce.SHOWN))
    none = replace(pack, residency=replace(two, enforce=Enforce.SHOWN, regions=()))
    assert keys(shown, none) == [("residency.regions", Direction.NO_EFFECT)]


def test_lists_that_look_alike_are_told_apart() -> None:
    """One phrase with a comma in it is not two phrases, and a note "–" is not an empty one."""
    rule = rule_named("HK.CODE")
    one = having(rule, must_not={"en": ("a, b",)})
    two = having(rule, must_not={"en": ("a", "b")})
    assert parameters(one)["content.must_not.en"] == '"a, b"'
    assert parameters(two)["content.must_not.en"] == "a, b"
    alone = replace(packs()[0], rules=(one,))
    assert [key for key, _ in keys(alone, replace(alone, rules=(two,)))] == ["content.must_not.en"]
    nothing = replace(one, note=rule_changes.NOTHING)
    empty = replace(one, note="")
    assert keys(replace(alone, rules=(nothing,)), replace(alone, rules=(empty,))) == [
        ("note", Direction.UNTOLD)
    ]


def test_what_changed_at_once_is_told_each_for_itself() -> None:
    """A number, a date, a title and a note of one rule: four keys, and the words do not hide what the number does."""
    rule = rule_named("CN.NIFA.CALLS")
    alone = replace(packs()[0], rules=(rule,))
    now = replace(having(rule, most=2), title="Another title", note="Another note")
    (found,) = diff([alone], [replace(alone, rules=(now,))])
    (told,) = found.rules
    assert [each.key for each in told.changes] == ["title", "note", "cap.most"]
    assert told.direction is T
    both = replace(now, effective_from=now.effective_from + timedelta(days=1))
    (found,) = diff([alone], [replace(alone, rules=(both,))])
    assert [each.key for each in found.rules[0].changes] == ["title", "from", "note", "cap.most"]
    assert found.rules[0].direction is Direction.BOTH


def test_a_rule_that_was_renamed_is_one_change() -> None:
    """With what else changed of it; an unlike rule that came is one added, and the old one one removed."""
    rule, other = rule_named("CN.NIFA.CALLS"), rule_named("CN.CBA.VISIT")
    alone = replace(packs()[0], rules=(rule,))
    renamed = replace(having(rule, most=2), id="CN.NIFA.TALKS")
    (found,) = diff([alone], [replace(alone, rules=(renamed,))])
    (told,) = found.rules
    assert [(each.key, each.old, each.new) for each in told.changes] == [
        ("id", "CN.NIFA.CALLS", "CN.NIFA.TALKS"),
        ("cap.most", "3", "2"),
    ]
    assert told.direction is T
    (found,) = diff([alone], [replace(alone, rules=(other,))])
    assert {(each.old, each.new) for each in found.rules} == {(rule, None), (None, other)}


def test_a_rule_that_moved_to_another_pack_is_one_change() -> None:
    """It stands with the pack it is in now, and says where it was; nothing is left of it in the old one."""
    china, france = (replace(packs()[0], name=name, rules=()) for name in ("CN", "FR"))
    rule = rule_named("CN.NIFA.CALLS")
    moved = replace(rule, id="FR.CALLS", pack="FR")
    (found,) = diff(
        [replace(china, rules=(rule,)), france], [china, replace(france, rules=(moved,))]
    )
    assert found.pack.name == "FR"
    (told,) = found.rules
    assert [(each.key, each.old, each.new) for each in told.changes] == [
        ("pack", "CN", "FR"),
        ("id", "CN.NIFA.CALLS", "FR.CALLS"),
    ]
    assert told.direction is Direction.UNTOLD


def test_a_day_without_hours_is_called_closed() -> None:
    """In the parameters and in what changed; a list without entries is still nothing."""
    rule = rule_named("BR.SP")
    assert parameters(rule)["window.days.sun"] == "closed"
    alone = replace(packs()[0], rules=(rule,))
    assert isinstance(rule.terms, WindowTerms)
    shut = having(rule, days={**rule.terms.days, "sat": ()})
    (found,) = diff([alone], [replace(alone, rules=(shut,))])
    assert (found.rules[0].changes[0].new, parameters(rule)["channels"]) == ("closed", "any")
