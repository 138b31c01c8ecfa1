"""Packs of rules are read whole or refused with file, rule and key."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.budget import KEEP, MAX_OF_ONE
from betimes.core.errors import Rejected
from betimes.core.pack import EVENTS, TRIGGERS, check_all, parse
from betimes.core.rule import (
    HOLIDAY,
    WEEKDAYS,
    CalcTerms,
    CapTerms,
    ContentTerms,
    Enforce,
    Kind,
    NoticeTerms,
    Pack,
    Party,
    Per,
    Span,
    Stage,
    Status,
    Where,
    WindowTerms,
)

FILE = "rules/XX.toml"
TERMS: dict[str, dict[str, Any]] = {
    "window": {"days": {"every": [{"opens": "08:00", "closes": "21:00"}]}},
    "cap": {"most": 3, "unit": "attempt", "per": "calendar_day", "scope": "person"},
    "cooloff": {"after": "conversation", "days": 7, "scope": "debt"},
    "notice": {"trigger": "debit", "bound": "at_least_before", "n": 24, "unit": "hours"},
    "suppress": {"events": ["moratorium"]},
    "consent": {"form": "opt_in", "purposes": ["marketing"]},
    "content": {"must_not": {"en": ["police"]}},
    "recipient": {"allowed": ["borrower"], "if_unreachable": ["contact"]},
    "debit": {"max_consecutive_failures": 2},
    "retain": {"what": "record", "min_months": 24},
    "calc": {"parameter": "late.multiplier", "at_least": "1.3", "at_most": "1.5"},
}
Change = Callable[[dict[str, Any]], object]


def row(kind: str = "window", **changes: Any) -> dict[str, Any]:
    """Return a rule of a kind as a file has it."""
    return {
        "id": f"XX.{kind.upper()}",
        "title": "A rule",
        "kind": kind,
        "from": date(2026, 1, 1),
        "force": "law",
        "status": "verified",
        "enforce": "hard",
        "citation": "Law 1, article 2",
        kind: copy.deepcopy(TERMS[kind]),
        **changes,
    }


def document(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a pack as a file has it."""
    return {"pack": "XX", "title": "Somewhere", "rule": list(rules or (row(),)), **changes}


def pack(name: str = "XX", refines: str = "", *rules: dict[str, Any]) -> Pack:
    """Return a pack that refines another one."""
    of = rules or (row(id=f"{name.replace('-', '.')}.TIME"),)
    return parse(document(*of, pack=name, refines=refines), f"{name}.toml")


def refused(of: dict[str, Any]) -> Rejected:
    """Return the error with which a document is refused; it names the file."""
    with pytest.raises(Rejected) as caught:
        parse(of, FILE)
    assert caught.value.message.startswith(f"{FILE}: ")
    return caught.value


def test_a_pack_is_read_into_values() -> None:
    """All of a pack and of a rule arrives, lists as sets where their order says nothing."""
    found = parse(
        document(
            row(
                party=["first"],
                stages=["overdue"],
                purposes=["overdue"],
                channels=["sms"],
                products=["card"],
                to=date(2027, 1, 1),
                source="a page",
                note="a note",
                signed_by="a lawyer",
            ),
            refines="YY",
            zones=["Asia/Shanghai"],
            calendar="CN",
        ),
        FILE,
        "abc",
    )
    assert (found.name, found.title, found.refines) == ("XX", "Somewhere", "YY")
    assert (found.zones, found.calendar, found.sha256) == (("Asia/Shanghai",), "CN", "abc")
    (rule,) = found.rules
    assert (rule.id, rule.pack, rule.kind) == ("XX.WINDOW", "XX", Kind.WINDOW)
    assert (set(rule.parties), set(rule.stages)) == ({Party.FIRST}, {Stage.OVERDUE})
    assert (set(rule.channels), set(rule.products)) == ({"sms"}, {"card"})
    assert (rule.effective_from, rule.effective_to) == (date(2026, 1, 1), date(2027, 1, 1))
    assert (rule.status, rule.enforce) == (Status.VERIFIED, Enforce.HARD)
    assert (rule.source, rule.note, rule.signed_by) == ("a page", "a note", "a lawyer")


def test_what_is_left_out_applies_to_anybody() -> None:
    """A rule without party, stage, channel or product names nobody in particular."""
    (rule,) = parse(document(), FILE).rules
    assert not (rule.parties or rule.stages or rule.purposes or rule.channels or rule.products)
    assert rule.effective_to is None


@pytest.mark.parametrize(
    ("language", "known"),
    [
        *(("en", True), ("zh-CN", True), ("zh-Hant", True), ("zh-Hant-HK", True), ("es-419", True)),
        *(("fil", True), ("*", True), ("EN", False), ("zh-cn", False), ("zh_CN", False)),
        *(("zh-HK-Hant", False), ("english", False), ("", False)),
    ],
)
def test_phrases_stand_under_a_language_tag(language: str, known: bool) -> None:
    """Language, script and region as they are written, as in the names of texts."""
    of = document(row("content", content={"must_not": {language: ["police"]}}))
    if known:
        (rule,) = parse(of, FILE).rules
        assert isinstance(rule.terms, ContentTerms)
        assert dict(rule.terms.must_not) == {language: ("police",)}
    else:
        assert "zh-Hant-HK" in refused(of).message


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_each_kind_is_read(kind: str) -> None:
    """The table named like the kind becomes the terms of that kind."""
    (rule,) = parse(document(row(kind)), FILE).rules
    assert rule.kind is Kind(kind)
    assert type(rule.terms).__name__.lower() == f"{kind}terms"


def test_every_day_stands_for_seven() -> None:
    """The word "every" gives all days of the week the same spans, and a holiday only where it is told."""
    (rule,) = parse(document(row()), FILE).rules
    assert isinstance(rule.terms, WindowTerms)
    assert tuple(rule.terms.days) == WEEKDAYS
    assert set(rule.terms.days.values()) == {(Span(time(8), time(21)),)}
    window = {"days": {**TERMS["window"]["days"], HOLIDAY: []}, "calendar": "CN"}
    (rule,) = parse(document(row(window=window)), FILE).rules
    assert isinstance(rule.terms, WindowTerms)
    assert rule.terms.days[HOLIDAY] == ()


def test_a_span_may_end_with_the_day_and_may_hold_its_end() -> None:
    """Without "closes" a span lasts to the end of the day; "closes_inclusive" is false unless told."""
    spans = [
        {"opens": "08:00", "closes": "12:00:30", "closes_inclusive": True},
        {"opens": "13:00"},
    ]
    (rule,) = parse(document(row(window={"days": {"every": spans}})), FILE).rules
    assert isinstance(rule.terms, WindowTerms)
    assert rule.terms.days["sun"] == (
        Span(time(8), time(12, 0, 30), closes_inclusive=True),
        Span(time(13), None),
    )


def test_figures_are_exact() -> None:
    """Decimals are read from text, so that no share is nearly what the file says."""
    (rule,) = parse(document(row("calc")), FILE).rules
    assert rule.terms == CalcTerms("late.multiplier", Decimal("1.3"), Decimal("1.5"))


def test_versions_of_a_rule_follow_one_another() -> None:
    """Two texts of a rule share its id, the one ends on the day the other begins, and they come in order of time."""
    found = parse(
        document(row("cap", **{"from": date(2027, 1, 31)}), row("cap", to=date(2027, 1, 31))), FILE
    )
    assert [rule.effective_from for rule in found.rules] == [date(2026, 1, 1), date(2027, 1, 31)]
    for day in (date(2026, 1, 1), date(2027, 1, 30), date(2027, 1, 31)):
        assert sum(rule.is_in_force(day) for rule in found.rules) == 1


@pytest.mark.parametrize("ends", [None, date(2027, 2, 1)])
def test_versions_that_overlap_are_refused(ends: date | None) -> None:
    """Two texts that hold on one day contradict each other, also where the first has no end."""
    first = row("cap", **({"to": ends} if ends else {}))
    error = refused(document(first, row("cap", **{"from": date(2027, 1, 31)})))
    assert (error.code, error.field) == ("overlapping_rule", "from")
    assert "XX.CAP" in error.message


def test_versions_of_two_kinds_are_refused() -> None:
    """What was a cap is not a window from next year on under the same id."""
    later = row("window", id="XX.CAP", **{"from": date(2027, 1, 1)})
    error = refused(document(row("cap", to=date(2027, 1, 1)), later))
    assert (error.code, error.field) == ("bad_rule", "kind")


def _set(*path: str, to: object) -> Change:
    def change(of: dict[str, Any]) -> None:
        inside: Any = of
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = to

    return change


def _drop(key: str) -> Change:
    return lambda of: of.pop(key)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (_set("jurisdiction", to="XX"), "jurisdiction"),
        (_drop("title"), "title"),
        (_drop("rule"), "rule"),
        (_set("rule", to=[]), "rule"),
        (_set("pack", to="somewhere"), "pack"),
        (_set("zones", to=["Asia/Shangai"]), "zones"),
        (_set("zones", to=["localtime"]), "zones"),
        (_set("zones", to=["Asia/Shanghai", "Asia/Shanghai"]), "zones"),
        (_set("zones", to="Asia/Shanghai"), "zones"),
        (_set("phones", to=["86"]), "phones"),
        (_set("calendar", to="China!"), "calendar"),
        (_set("fallback", to="yes"), "fallback"),
    ],
)
def test_a_pack_with_a_wrong_key_is_refused(change: Change, key: str) -> None:
    """Unknown, missing and malformed keys of a pack are named."""
    of = document()
    change(of)
    error = refused(of)
    assert (error.code, error.field) == ("bad_rule", key)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"refines": "YY", "phones": ["+1"]}, "phones"),
        ({"refines": "YY", "fallback": True}, "fallback"),
    ],
)
def test_a_pack_that_contradicts_itself_is_refused(changes: dict[str, Any], key: str) -> None:
    """Phones belong to a country, a fallback stands alone."""
    error = refused(document(**changes))
    assert (error.code, error.field) == ("bad_rule", key)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (_set("unit", to="days"), "unit"),
        (_drop("citation"), "citation"),
        (_set("citation", to=" "), "citation"),
        (_drop("from"), "from"),
        (_drop("force"), "force"),
        (_drop("status"), "status"),
        (_drop("enforce"), "enforce"),
        (_drop("kind"), "kind"),
        (_set("kind", to="curfew"), "kind"),
        (_set("id", to="hours"), "id"),
        (_set("force", to="custom"), "force"),
        (_set("status", to="known"), "status"),
        (_set("enforce", to="soft"), "enforce"),
        (_set("party", to=["second"]), "party"),
        (_set("stages", to=["late"]), "stages"),
        (_set("purposes", to=["collection"]), "purposes"),
        (_set("channels", to=["fax"]), "channels"),
        (_set("channels", to="sms"), "channels"),
        (_set("from", to="2026-01-01"), "from"),
        (_set("from", to=datetime(2026, 1, 1)), "from"),
        (_set("to", to=date(2026, 1, 1)), "to"),
        (_drop("window"), "window"),
        (_set("cap", to=TERMS["cap"]), "cap"),
        (_set("window", to=[]), "window"),
    ],
)
def test_a_rule_with_a_wrong_key_is_refused(change: Change, key: str) -> None:
    """Unknown, missing and malformed keys of a rule are named, with the rule."""
    wrong = row()
    change(wrong)
    error = refused(document(row("cap"), wrong))
    assert (error.code, error.field) == ("bad_rule", key)
    assert (wrong["id"] if wrong["id"] == "XX.WINDOW" else "hours") in error.message


def test_a_rule_that_is_no_table_is_named_by_its_place() -> None:
    """A rule without an id is named by the place it has in the file."""
    nameless = row()
    del nameless["id"]
    assert "rule 2" in refused(document(row("cap"), nameless)).message
    of = document()
    of["rule"].append("window")
    assert "rule 2" in refused(of).message


EVERY = TERMS["window"]["days"]
NIGHT = {"opens": "21:00", "closes": "08:00"}


@pytest.mark.parametrize(
    ("kind", "terms", "key"),
    [
        ("window", {"hours": 1}, "hours"),
        ("window", {"days": {"every": [NIGHT]}}, "days.every.closes"),
        (
            "window",
            {"days": {"every": [{"opens": "08:00", "closes": "08:00"}]}},
            "days.every.closes",
        ),
        ("window", {"days": {"every": [{"opens": "8:00"}]}}, "days.every.opens"),
        ("window", {"days": {"every": [{"opens": "24:00"}]}}, "days.every.opens"),
        ("window", {"days": {"every": [{"closes": "08:00"}]}}, "days.every.opens"),
        (
            "window",
            {"days": {"every": [{"opens": "08:00", "closes_inclusive": True}]}},
            "days.every.closes_inclusive",
        ),
        (
            "window",
            {"days": {"every": [{"opens": "08:00"}, {"opens": "12:00", "closes": "13:00"}]}},
            "days.every",
        ),
        ("window", {"days": {"every": []}}, "days"),
        ("window", {"days": {"every": [{"opens": "00:00"}]}}, "days"),
        ("window", {"days": {**EVERY, "mon": []}}, "days.every"),
        ("window", {"days": {"mon": []}}, "days.tue"),
        ("window", {"days": {**EVERY, "someday": []}}, "days.someday"),
        ("window", {"days": {**EVERY, "holiday": []}}, "days.holiday"),
        ("window", {"calendar": "CN"}, "calendar"),
        ("window", {"where": "fixed"}, "zone"),
        ("window", {"zone": "Asia/Shanghai"}, "zone"),
        ("window", {"where": "fixed", "zone": "Asia/Nowhere"}, "zone"),
        ("window", {"where": "here"}, "where"),
        ("window", {"unless_agreed": 1}, "unless_agreed"),
        ("window", {"dpd_at_least": 61, "dpd_at_most": 60}, "dpd_at_most"),
        ("cap", {"most": 0}, "most"),
        ("cap", {"most": True}, "most"),
        ("cap", {"most": 3.0}, "most"),
        ("cap", {"unit": "call"}, "unit"),
        ("cap", {"per": "rolling"}, "n"),
        ("cap", {"per": "consecutive_days"}, "n"),
        ("cap", {"per": "consecutive_days", "n": 604_800}, "n"),
        ("cap", {"n": 7}, "n"),
        ("cap", {"per": "rolling", "n": 60, "zone": "Asia/Shanghai"}, "zone"),
        ("cap", {"zone": "Mars/Base"}, "zone"),
        ("cap", {"pool": "everybody"}, "pool"),
        ("cap", {"counted": ["fax"]}, "counted"),
        ("cap", {"excludes": ["busy"]}, "excludes"),
        ("cooloff", {"days": 0}, "days"),
        ("cooloff", {"after": "storm"}, "after"),
        ("notice", {"n": -1}, "n"),
        ("notice", {"bound": "at_most_after", "n": 0}, "n"),
        ("notice", {"trigger_is_day_one": True}, "trigger_is_day_one"),
        ("notice", {"bound": "at_most_after", "trigger_is_day_one": True}, "trigger_is_day_one"),
        ("notice", {"unit": "business_days"}, "unit"),
        ("notice", {"unit": "weeks"}, "unit"),
        ("notice", {"trigger": "Due day"}, "trigger"),
        ("notice", {"bypasses": ["window"]}, "bypasses"),
        ("suppress", {"events": []}, "events"),
        ("suppress", {"events": ["rain"]}, "events"),
        ("suppress", {"stops": "some"}, "stops"),
        ("consent", {"purposes": []}, "purposes"),
        ("consent", {"form": "nod"}, "form"),
        ("consent", {"reach": "house"}, "reach"),
        ("content", {"must_not": {}}, "must_not"),
        ("content", {"must_not": {"english": ["police"]}}, "must_not.english"),
        ("content", {"must_not": {"en": []}}, "must_not.en"),
        ("content", {"must_not": {"en": [""]}}, "must_not.en"),
        ("content", {"must": {"en": ["the Police knows"]}}, "must.en"),
        ("content", {"must": {"en": ["P O L I C E"]}, "must_not": {"*": ["police"]}}, "must.en"),
        ("recipient", {"allowed": []}, "allowed"),
        ("recipient", {"allowed": ["borrower", "contact"]}, "if_unreachable"),
        ("recipient", {"if_unreachable": [], "max_contacts": 1}, "max_contacts"),
        ("recipient", {"max_contacts": MAX_OF_ONE + 1}, "max_contacts"),
        ("recipient", {"if_unreachable": [], "unreachable_misses": 3}, "unreachable_misses"),
        ("debit", {"max_representments": 2}, "window_days"),
        ("debit", {"window_days": 180}, "window_days"),
        ("debit", {"max_consecutive_failures": 0}, "max_consecutive_failures"),
        ("retain", {"max_months": 12}, "max_months"),
        ("retain", {"min_months": 0}, "min_months"),
        ("calc", {"at_least": 1.3}, "at_least"),
        ("calc", {"at_most": "1.2"}, "at_most"),
        ("calc", {"one_of": ["1.4"]}, "one_of"),
    ],
)
def test_terms_that_make_no_sense_are_refused(kind: str, terms: dict[str, Any], key: str) -> None:
    """Malformed and contradictory terms are refused with the rule and the key, dotted inside its table."""
    wrong = row(kind)
    wrong[kind].update(copy.deepcopy(terms))
    error = refused(document(wrong))
    assert (error.code, error.field) == ("bad_rule", f"{kind}.{key}")
    assert wrong["id"] in error.message


@pytest.mark.parametrize("kind", ["content", "debit", "retain", "calc"])
def test_terms_that_say_nothing_are_refused(kind: str) -> None:
    """A rule without any word, limit or bound would answer nothing."""
    bare = {"retain": {"what": "record"}, "calc": {"parameter": "grace_days"}}
    assert refused(document(row(kind, **{kind: bare.get(kind, {})}))).field.startswith(f"{kind}.")


@pytest.mark.parametrize(
    ("kind", "status", "enforce", "signed", "is_read"),
    [
        ("window", "verified", "hard", "", True),
        ("window", "secondary", "hard", "", False),
        ("window", "unverified", "hard", "", False),
        ("window", "unverified", "hard", "Ms Wen, counsel", True),
        ("window", "unverified", "cautious", "", True),
        ("window", "draft", "cautious", "Ms Wen, counsel", False),
        ("window", "draft", "shown", "", False),
        ("window", "draft", "off", "", True),
        ("notice", "verified", "hard", "", True),
        ("notice", "secondary", "cautious", "", False),
        ("notice", "secondary", "cautious", "Ms Wen, counsel", True),
        ("notice", "secondary", "shown", "", True),
        ("calc", "unverified", "cautious", "", False),
        ("calc", "unverified", "off", "", True),
    ],
)
def test_status_carries_enforcement(
    kind: str, status: str, enforce: str, signed: str, is_read: bool
) -> None:
    """Word that is not verified may make us quieter; to bind hard, send or change money it takes a name; a draft is
    off.
    """
    of = document(row(kind, status=status, enforce=enforce, signed_by=signed))
    if is_read:
        assert parse(of, FILE).rules[0].enforce is Enforce(enforce)
    else:
        error = refused(of)
        assert (error.code, error.field) == ("unsigned_rule", "enforce")


RESIDENCY = {
    "partitions": ["aws-cn"],
    "regions": ["cn-north-1"],
    "status": "verified",
    "enforce": "hard",
    "citation": "Law 3",
}


def test_a_residency_is_read() -> None:
    """Partitions and regions arrive in their order."""
    found = parse(document(residency=RESIDENCY), FILE).residency
    assert found is not None
    assert (found.partitions, found.regions) == (("aws-cn",), ("cn-north-1",))


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"partitions": ["azure"]}, "bad_rule", "partitions"),
        ({"partitions": ["aws"]}, "bad_rule", "regions"),
        ({"partitions": [], "regions": []}, "bad_rule", "partitions"),
        ({"regions": ["Peking"]}, "bad_rule", "regions"),
        ({"regions": ["cn-north-1", "us-east-1"]}, "bad_rule", "regions"),
        ({"citation": ""}, "bad_rule", "citation"),
        ({"status": "unverified"}, "unsigned_rule", "enforce"),
        ({"status": "draft", "enforce": "shown"}, "unsigned_rule", "enforce"),
    ],
)
def test_a_wrong_residency_is_refused(changes: dict[str, Any], code: str, key: str) -> None:
    """A residency is cited, names what there is and binds no further than its status carries."""
    error = refused(document(residency={**RESIDENCY, **changes}))
    assert (error.code, error.field) == (code, f"residency.{key}")


@pytest.mark.parametrize(
    "said",
    [
        *("todo", "tbd", "?", "???", "n/a", "None", "unknown", "-", "Law", "§ 86", "Law 1, Todo: find the article"),
        *("fixme", "12345", "to be found; TBA"),
    ],
)  # fmt: skip
def test_a_citation_that_cites_nothing_is_refused(said: str) -> None:
    """A word that holds the place, signs without letters, too few characters: of a rule and of where data may live."""
    error = refused(document(row(citation=said)))
    assert (error.code, error.field) == ("bad_rule", "citation")
    assert "XX.WINDOW" in error.message and repr(said) in error.message
    residency = {**RESIDENCY, "citation": said}
    assert refused(document(residency=residency)).field == "residency.citation"


@pytest.mark.parametrize("said", ["CONC 7.9.1R", "民法典第1033条", "s 86B", "House rule, no law"])
def test_a_short_citation_that_cites_is_read(said: str) -> None:
    """A section of a law is short in any language."""
    assert parse(document(row(citation=said)), FILE).rules[0].citation == said


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(1026, 1, 1), date(2200, 1, 1)])
def test_a_year_that_nobody_means_is_refused(day: date) -> None:
    """A slip of the pen in a first or a last day; the first and the last year that are meant pass."""
    key = "from" if day.year < 1900 else "to"
    error = refused(document(row() | {key: day}))
    assert (error.field, "1900 to 2199" in error.message) == (key, True)
    parse(document(row() | {"from": date(1900, 1, 1), "to": date(2199, 12, 31)}), FILE)


def test_seconds_that_are_days_are_refused() -> None:
    """Seven on end are days that somebody did not convert; the minute of a carrier passes."""
    terms = {**TERMS["cap"], "per": "rolling"}
    error = refused(document(row("cap", cap={**terms, "n": 7})))
    assert (error.code, error.field) == ("bad_rule", "cap.n")
    assert "7 seconds" in error.message and "604800" in error.message
    assert refused(document(row("cap", cap={**terms, "n": 59}))).field == "cap.n"
    parse(document(row("cap", cap={**terms, "n": 60})), FILE)


def test_an_event_that_nobody_tells_is_refused() -> None:
    """A notice of such an event would never be owed; the words there are stand in the message."""
    error = refused(document(row("notice", notice={**TERMS["notice"], "trigger": "arears"})))
    assert (error.code, error.field) == ("bad_rule", "notice.trigger")
    assert "XX.NOTICE" in error.message and "is 'arrears' meant?" in error.message
    assert all(word in error.message for word in TRIGGERS)


@pytest.mark.parametrize(
    ("terms", "key"),
    [
        ({"parameter": "late.multiplyer", "at_most": "1.5"}, "calc.parameter"),
        ({"parameter": "late.multiplier", "at_least": "-1"}, "calc.at_least"),
        ({"parameter": "grace_days", "at_least": "2.5"}, "calc.at_least"),
        ({"parameter": "cut_off.hour", "at_least": "25"}, "calc.at_least"),
        ({"parameter": "default.material_share", "at_least": "1.01"}, "calc.at_least"),
        ({"parameter": "grace_days", "one_of": ["three"]}, "calc.one_of"),
        ({"parameter": "dpd_origin", "at_most": "3"}, "calc.at_most"),
    ],
)
def test_a_figure_that_makes_no_sense_is_refused(terms: dict[str, Any], key: str) -> None:
    """A figure there is none of, words of a number, numbers of a word, half a day, more than all."""
    error = refused(document(row("calc", calc=terms)))
    assert (error.code, error.field) == ("bad_rule", key)
    assert "XX.CALC" in error.message


def test_a_product_is_a_sort_that_is_known_or_one_of_the_lender() -> None:
    """A misspelt product would leave the rule without anybody to bind."""
    of = parse(document(row(products=["crad"])), FILE)
    with pytest.raises(Rejected) as caught:
        check_all([of], folder="rules", products=["huabei_like"])
    assert (caught.value.code, caught.value.field) == ("bad_rule", "products")
    assert caught.value.message.startswith("rules/XX.toml: XX.WINDOW: 'products' holds 'crad'")
    assert "is 'card' meant?" in caught.value.message and "huabei_like" in caught.value.message
    for name in ("card", "huabei_like"):
        check_all(
            [parse(document(row(products=[name])), FILE)], folder="rules", products=["huabei_like"]
        )


def hours(opens: str, closes: str = "", **more: Any) -> dict[str, Any]:
    """Return the terms of a window that is the same on every day."""
    span = {"opens": opens, **({"closes": closes} if closes else {})}
    return {"days": {"every": [span]}, **more}


@pytest.mark.parametrize(
    ("morning", "evening", "fits"),
    [
        ({}, {}, False),
        ({}, {"enforce": "shown"}, True),
        ({"party": ["first"]}, {"party": ["third"]}, True),
        ({"stages": ["pre_due", "grace"]}, {"stages": ["overdue", "grace"]}, False),
        ({"stages": ["pre_due"]}, {"stages": ["overdue"]}, True),
        ({"channels": ["sms"]}, {"channels": ["call", "email"]}, True),
        ({"channels": ["sms"]}, {}, False),
        ({"purposes": ["marketing"]}, {"purposes": ["overdue", "courtesy"]}, True),
        ({"products": ["card"]}, {"products": ["bnpl"]}, True),
        ({"products": ["card"]}, {}, False),
        ({"to": date(2027, 1, 1)}, {"from": date(2027, 1, 1)}, True),
        ({"to": date(2027, 1, 2)}, {"from": date(2027, 1, 1)}, False),
        ({"window": hours("08:00", "12:00", dpd_at_most=60)}, {"window": hours("18:00", dpd_at_least=61)}, True),
        ({"window": hours("08:00", "12:00", dpd_at_most=61)}, {"window": hours("18:00", dpd_at_least=61)}, False),
        ({"window": hours("08:00", "12:00", where="address")}, {}, True),
        ({"window": hours("08:00", "18:00")}, {}, False),
        ({"window": hours("08:00", "18:01")}, {}, True),
    ],
)  # fmt: skip
def test_hours_that_never_open_together_are_refused(
    morning: dict[str, Any], evening: dict[str, Any], fits: bool
) -> None:
    """Of one pack and of one that refines it; where both rules can mean one contact by one clock."""
    one = row(**{"id": "XX.A", "window": hours("08:00", "12:00"), **morning})
    other = row(**{"id": "XX.B", "window": hours("18:00"), **evening})
    city = parse(document({**other, "id": "XX.Y.B"}, pack="XX-Y", refines="XX"), FILE)
    land = parse(document(one), FILE)
    if fits:
        parse(document(one, other), FILE)
        check_all([land, city])
        return
    error = refused(document(one, other))
    assert (error.code, error.field) == ("contradicting_rule", "window.days")
    assert "XX.A" in error.message and "XX.B" in error.message and "party" in error.message
    with pytest.raises(Rejected) as caught:
        check_all([land, city], folder="rules")
    assert caught.value.code == "contradicting_rule"
    assert "XX.A (rules/XX.toml)" in caught.value.message or "XX.Y.B" in caught.value.message


def test_a_closing_time_that_is_held_is_shared_with_what_opens_then() -> None:
    """One instant is enough: it is odd, and still no contradiction."""
    early = {"days": {"every": [{"opens": "08:00", "closes": "18:00", "closes_inclusive": True}]}}
    parse(document(row(id="XX.A", window=early), row(id="XX.B", window=hours("18:00"))), FILE)


def test_three_windows_may_contradict_each_other_though_no_two_do() -> None:
    """Then all of them are named."""
    spans = [("08:00", "10:00"), ("12:00", "14:00"), ("16:00", "18:00")]
    rows = []
    for n in range(3):
        both = [spans[n], spans[(n + 1) % 3]]
        every = [{"opens": opens, "closes": closes} for opens, closes in sorted(both)]
        rows.append(row(id=f"XX.{n}A", window={"days": {"every": every}}))
    for n in range(3):
        parse(document(*(each for place, each in enumerate(rows) if place != n)), FILE)
    message = refused(document(*rows)).message
    assert all(f"XX.{n}A" in message for n in range(3))


def test_weekdays_that_never_meet_are_refused_and_holidays_may_meet() -> None:
    """One rule opens on the days on which the other one is closed; where both open on holidays they do meet."""
    open_, days = [{"opens": "08:00", "closes": "20:00"}], list(WEEKDAYS)
    work = {day: open_ if n < 5 else [] for n, day in enumerate(days)}
    rest = {day: [] if n < 5 else open_ for n, day in enumerate(days)}
    rows = [row(id="XX.A", window={"days": work}), row(id="XX.B", window={"days": rest})]
    assert refused(document(*rows)).code == "contradicting_rule"
    for each in rows:
        each["window"]["days"]["holiday"] = open_
    parse(document(*rows, calendar="XX"), FILE)


def test_records_that_must_be_kept_and_must_not_be_are_refused() -> None:
    """Within one rule and between two of them about the same records; of others nothing follows."""
    terms = {"what": "record", "min_months": 60}
    error = refused(document(row("retain", retain={**terms, "max_months": 24})))
    assert (error.code, error.field) == ("bad_rule", "retain.max_months")
    long, short = row("retain", retain=terms), row("retain", id="XX.SHORT")
    short["retain"] = {"what": "record", "max_months": 24}
    for both in ((long, short), (short, long)):
        error = refused(document(*both))
        assert error.code == "contradicting_rule"
        assert "XX.RETAIN" in error.message and "XX.SHORT" in error.message
    short["retain"]["what"] = "recording"
    parse(document(long, short), FILE)


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ({"parameter": "grace_days", "at_least": "3"}, {"parameter": "grace_days", "at_most": "2"}, False),
        ({"parameter": "grace_days", "at_least": "2"}, {"parameter": "grace_days", "at_most": "2"}, True),
        ({"parameter": "grace_days", "at_least": "3"}, {"parameter": "term_months", "at_most": "2"}, True),
        ({"parameter": "month_end", "one_of": ["clip"]}, {"parameter": "month_end", "one_of": ["roll"]}, False),
    ],
)  # fmt: skip
def test_figures_that_no_product_could_have_are_refused(
    one: dict[str, str], other: dict[str, str], fits: bool
) -> None:
    """Bounds that do not meet, words of which none is in both."""
    rows = row("calc", id="XX.A", calc=one), row("calc", id="XX.B", calc=other)
    if fits:
        parse(document(*rows), FILE)
    else:
        assert refused(document(*rows)).code == "contradicting_rule"


def _refused_together(*packs: Pack, calendars: tuple[str, ...] | None = None) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check_all(packs, calendars, "rules")
    assert caught.value.message.startswith("rules/"), "the folder belongs to the place"
    return caught.value


def test_packs_that_fit_together_pass() -> None:
    """A city refines a region, a region a country; calendars are there where they are asked for."""
    check_all([pack(), pack("XX-A", "XX"), pack("XX-A-1", "XX-A")], ())


def test_an_unknown_pack_to_refine_is_refused() -> None:
    """The file that names it is told."""
    error = _refused_together(pack("XX-A", "XX"))
    assert (error.code, error.field) == ("unknown_pack", "refines")
    assert "XX-A.toml" in error.message


def test_a_circle_of_packs_is_refused() -> None:
    """No pack narrows itself by way of others, nor hangs on those that do."""
    error = _refused_together(pack("AA", "BB"), pack("BB", "CC"), pack("CC", "BB"))
    assert (error.code, error.field) == ("pack_cycle", "refines")
    assert "BB -> CC -> BB" in error.message
    assert _refused_together(pack("AA", "AA")).code == "pack_cycle"


def test_a_rule_belongs_to_one_pack() -> None:
    """One id in two packs would be two rules of one name in the record."""
    both = [parse(document(row("cap"), pack=name, ids="XX"), name) for name in ("AA", "BB")]
    error = _refused_together(*both)
    assert (error.code, error.field) == ("duplicate_rule", "id")
    assert "rules/AA.toml" in error.message
    assert error.message.startswith("rules/BB.toml: XX.CAP: ")


def test_two_packs_of_one_name_are_refused() -> None:
    """The later one would win silently."""
    assert _refused_together(pack(), pack()).code == "duplicate_pack"


def test_an_unknown_calendar_is_refused() -> None:
    """Where the calendars are known, a pack and a window name one of them."""
    holidays = {"days": {**EVERY, HOLIDAY: []}, "calendar": "YY"}
    error = _refused_together(pack("XX", "", row(window=holidays)), calendars=("CN",))
    assert (error.code, error.field) == ("unknown_calendar", "window.calendar")
    of = parse(document(calendar="YY"), FILE)
    assert _refused_together(of, calendars=("CN",)).field == "calendar"
    check_all([of])


def test_an_id_begins_with_the_name_of_its_pack() -> None:
    """Whoever reads an id in a decision knows the file; a pack whose ids have another word says which."""
    error = refused(document(row(id="YY.TIME")))
    assert (error.code, error.field) == ("bad_rule", "id")
    assert error.message.startswith(f"{FILE}: YY.TIME: 'id' does not begin with XX")
    assert refused(document(row(id="XXL.TIME"))).field == "id"
    assert refused(document(row(id="XX.TIME"), ids="YY")).field == "id"
    parse(document(row(id="YY.TIME"), ids="YY"), FILE)
    parse(document(row(id="XX.A"), pack="XX-A"), FILE)


@pytest.mark.parametrize("key", ["party", "stages", "purposes", "channels", "products"])
def test_an_empty_list_is_not_taken_for_all(key: str) -> None:
    """Who writes it may mean nobody; so it is asked."""
    error = refused(document({**row(), key: []}))
    assert (error.code, error.field) == ("bad_rule", key)
    assert "leave the key out where all are meant" in error.message


@pytest.mark.parametrize(
    ("kind", "terms", "longest", "key"),
    [
        ("cap", {"per": "rolling"}, KEEP // timedelta(seconds=1), "n"),
        ("cap", {"per": "consecutive_days"}, KEEP.days - 1, "n"),
        ("cooloff", {}, KEEP.days - 1, "days"),
    ],
)
def test_nothing_looks_back_further_than_contacts_are_kept(
    kind: str, terms: dict[str, Any], longest: int, key: str
) -> None:
    """What is kept no more would be counted as if it had never been; a civil day may have 25 hours."""
    for length, is_read in ((longest, True), (longest + 1, False)):
        of = document(row(kind, **{kind: {**TERMS[kind], **terms, key: length}}))
        if is_read:
            parse(of, FILE)
            continue
        error = refused(of)
        assert (error.code, error.field) == ("bad_rule", f"{kind}.{key}")
        assert f"contacts are kept, which is {KEEP.days} days" in error.message
    after = {"after": "promise", "days": 90, "scope": "debt"}
    parse(document(row("cooloff", cooloff=after)), FILE)


def test_a_pack_covers_countries_that_no_other_one_does() -> None:
    """Of two, nobody could tell which binds; and a pack that refines one is no country's."""
    wide = parse(document(covers=["DE", "FR"]), FILE)
    assert wide.covers == ("DE", "FR")
    other = parse(document(row(id="YY.TIME"), pack="YY", covers=["FR"]), "rules/YY.toml")
    error = _refused_together(wide, other)
    assert (error.code, error.field) == ("bad_rule", "covers")
    assert "rules/YY.toml: 'covers' names FR, which rules/XX.toml covers too" in error.message
    for changes in ({"refines": "US"}, {"fallback": True}):
        assert refused(document(covers=["DE"], **changes)).field == "covers"
    for covers in (["XX"], ["Germany"], ["DE", "DE"], "DE"):
        assert refused(document(covers=covers)).field == "covers"


def test_a_residency_leaves_room_with_the_pack_it_refines() -> None:
    """Else no stack could serve the region; what is only shown contradicts nobody."""
    wide = parse(document(residency=RESIDENCY), FILE)
    of = {**RESIDENCY, "partitions": ["aws"], "regions": ["eu-central-1"]}
    rule = row(id="XX.A.TIME")
    narrow = parse(document(rule, pack="XX-A", refines="XX", residency=of), "rules/XX-A.toml")
    error = _refused_together(wide, narrow)
    assert (error.code, error.field) == ("bad_rule", "residency.partitions")
    assert "rules/XX-A.toml: 'residency.partitions' shares nothing" in error.message
    shown = {**of, "enforce": "shown"}
    check_all([wide, parse(document(rule, pack="XX-A", refines="XX", residency=shown), FILE)])


def test_every_hold_may_stop_contact() -> None:
    """Kinds of holds are words of suppress rules, each once."""
    assert {"moratorium", "deceased", "dispute", "cease"} <= set(EVENTS)
    assert len(set(EVENTS)) == len(EVENTS)


def test_a_window_names_whose_clock_it_means() -> None:
    """A fixed zone is named with it; the address and the number need none."""
    fixed = {**TERMS["window"], "where": "fixed", "zone": "America/New_York"}
    (rule,) = parse(document(row(window=fixed)), FILE).rules
    assert isinstance(rule.terms, WindowTerms)
    assert (rule.terms.where, rule.terms.zone) == (Where.FIXED, "America/New_York")


def test_a_cap_and_a_notice_are_read_with_their_units() -> None:
    """Seconds of a rolling cap and business days of a notice stay what they are."""
    rolling = {**TERMS["cap"], "per": "rolling", "n": 86_400, "counted": ["sms"]}
    notice = {**TERMS["notice"], "unit": "business_days"}
    found = parse(
        document(row("cap", cap=rolling), row("notice", notice=notice), calendar="CN"), FILE
    )
    cap, told = (rule.terms for rule in found.rules)
    assert isinstance(cap, CapTerms)
    assert (cap.per, cap.n, cap.counted) == (Per.ROLLING, 86_400, ("sms",))
    assert isinstance(told, NoticeTerms)
    assert told.bypasses == ("cap", "optout")


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 10**30, 0.5, "", "x", [], [[]], [{}], {}, {"x": {}}, date(2026, 1, 1), time(8)]
)


@given(kind=st.sampled_from(list(TERMS)), odd=ODD, data=st.data())
def test_whatever_stands_there_is_read_or_refused(kind: str, odd: Any, data: st.DataObject) -> None:
    """No value of whatever type makes the loader fail in another way than by refusing the pack."""
    of = document(row(kind), residency=copy.deepcopy(RESIDENCY), zones=["Asia/Shanghai"])
    inside: Any = of
    while isinstance(inside, dict | list) and inside:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inside[key], dict | list) or data.draw(st.booleans()):
            inside[key] = odd
            break
        inside = inside[key]
    try:
        parse(of, FILE)
    except Rejected as error:
        assert error.message.startswith(FILE)
