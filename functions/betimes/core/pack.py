"""Rule packs: the rules of one jurisdiction, read from a parsed TOML document, and refused where they are wrong.

What is wrong is told with file, rule and key. A wrong pack is refused whole: a rule left out silently would make us
louder. Three things are looked for. Each value has the form and the words that `core.rule` has. A rule makes sense in
itself: a window opens before it closes, a cap lets at least one through. And a pack does not claim more than is known
of its text: a draft is off, and what rests on word that is not verified binds hard only where somebody signs for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from betimes.core import zones
from betimes.core.budget import KEEP, MAX_OF_ONE
from betimes.core.errors import Rejected
from betimes.core.hold import Kind as HoldKind
from betimes.core.pack_fit import check_fit
from betimes.core.rule import (
    HOLIDAY,
    QUIETER,
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
    ProductKind,
    Purpose,
    Recipient,
    RecipientTerms,
    Residency,
    RetainTerms,
    Rule,
    Scope,
    Signature,
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
from betimes.core.sign_off import MOST_NAME
from betimes.core.values import replace

CHANNELS: Final = (
    "call",
    "ai_call",
    "sms",
    "email",
    "push",
    "inbox",
    "letter",
    "visit",
    "webhook",
)
# What may stop contact: the kinds of holds, and facts that no hold has a kind for.
EVENTS: Final = (
    *HoldKind,
    "calamity",
    "cease",
    "crisis",
    "festival",
    "forbearance",
    "late_notice",
    "late_statement",
    "notice_missing",
    "preference",
    "time_barred",
    "wedding",
    "work_refused",
)
# Reasons for which a contact does not count against a cap.
EXCLUSIONS: Final = ("attorney", "consented", "in_litigation", "out_of_service", "requested")
BYPASSES: Final = ("cap", "optout")
REACHES: Final = ("address", "channel", "topic", "sender", "all")
PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")
# Events of which a notice has to be given. Whoever asks about a contact tells them by these words.
TRIGGERS: Final = (
    "agency_assigned",
    "arrears",
    "arrears_notice",
    "collector_contact",
    "credit_dispute",
    "debit",
    "default_action",
    "default_sum_interest",
    "due",
    "first_communication",
    "missed_payment",
    "negative_report",
    "next_statement_end",
    "statement",
    "varying_debit",
)
# Sorts of products that a law tells apart; a rule may name a product of the lender beside them (`check_all`).
PRODUCTS: Final = tuple(each.value for each in ProductKind)


class Sort(StrEnum):
    """What a figure of a rule is: words; whole numbers; an hour of the day; a share, 0 to 1; or any number above."""

    WORDS = "words"
    WHOLE = "whole numbers"
    HOUR = "whole hours from 0 to 24"
    SHARE = "shares from 0 to 1"
    NUMBER = "numbers"


# Figures that rules are about: those of a product profile, and those of the reference that no profile states yet.
PARAMETERS: Final[Mapping[str, Sort]] = {
    "agency.assessed_months_ago": Sort.WHOLE,
    "agency.contract": Sort.WORDS,
    "all_in_cost.shown": Sort.WORDS,
    "allocation": Sort.WORDS,
    "allocation.above_minimum": Sort.WORDS,
    "call_consent.days": Sort.WHOLE,
    "caller.prefix": Sort.WORDS,
    "ccd2.measures": Sort.WORDS,
    "credit_limit_minor": Sort.WHOLE,
    "cut_off.hour": Sort.HOUR,
    "debit.part_payment": Sort.WORDS,
    "default.above_dpd": Sort.WHOLE,
    "default.material_minor": Sort.WHOLE,
    "default.material_share": Sort.SHARE,
    "dlt.template_registered": Sort.WORDS,
    "dpd_origin": Sort.WORDS,
    "due_roll": Sort.WORDS,
    "five_class.doubtful_above_dpd": Sort.WHOLE,
    "five_class.loss_above_dpd": Sort.WHOLE,
    "five_class.noted_above_dpd": Sort.WHOLE,
    "five_class.substandard_above_dpd": Sort.WHOLE,
    "forbearance.offered": Sort.WORDS,
    "grace_days": Sort.WHOLE,
    "impact_assessment": Sort.WORDS,
    "late.compound": Sort.WORDS,
    "late.daily_rate": Sort.SHARE,
    "late.multiplier": Sort.NUMBER,
    "late_fee.share_of_cost": Sort.SHARE,
    "late_fee.share_of_minimum": Sort.SHARE,
    "late_notice.interest": Sort.NUMBER,
    "military.mapr": Sort.NUMBER,
    "military.yearly_rate": Sort.NUMBER,
    "month_end": Sort.WORDS,
    "npa.above_dpd": Sort.WHOLE,
    "partition": Sort.WORDS,
    "partner.listed": Sort.WORDS,
    "reassigned_numbers.checked": Sort.WORDS,
    "sms.characters": Sort.WHOLE,
    "sms.characters_of_a_part": Sort.WHOLE,
    "sms.characters_of_one_part": Sort.WHOLE,
    "spending_on_missed_payment": Sort.WORDS,
    "term_months": Sort.WHOLE,
    "tolerance_minor": Sort.WHOLE,
    "understanding.measured": Sort.WORDS,
    "validation_period.days": Sort.WHOLE,
    "visit.staff": Sort.WHOLE,
}

MAX_DAYS: Final = 36_500
MAX_SECONDS: Final = 366 * 86_400
MAX_COUNT: Final = 1_000
# A carrier counts by the minute at the least; fewer seconds are days or hours that somebody forgot to convert.
MIN_ROLLING: Final = 60
# Before and after these years a date is a slip of the pen.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
MIN_CITATION: Final = 5

# Civil days that surely lie within what is kept: one of them may have 25 hours, and each zone has its own.
_DAYS_KEPT: Final = KEEP.days - 1
_TOO_LONG: Final = f"looks back further than contacts are kept, which is {KEEP.days} days: write"

_PACK: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*|HOUSE")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PREFIX: Final = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*")
_ID: Final = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)+")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_LANGUAGE: Final = re.compile(r"\*|[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{0,6}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_PLACEHOLDER: Final = re.compile(
    r"\b(todo|tbd|tba|fixme|xxx+|lorem ipsum)\b|\A\W*(n/?a|none|nothing|unknown|citation|source|law|later)\W*\Z",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(r"[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?")


class _Wrong(ValueError):
    """What is wrong with the value of a key, and the way out; `key` is dotted where tables are nested."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key

    def within(self, key: str) -> _Wrong:
        """Return the same problem with the key of the table around it."""
        return type(self)(f"{key}.{self.key}" if self.key else key, str(self))

    def rejected(self, place: str) -> Rejected:
        """Return the error that is told; `place` is the file, and the rule in it."""
        key = self.key or "rule"
        return Rejected("bad_rule", key, f"{place}: {key!r} {self}")


class _Unsigned(_Wrong):
    """A rule binds further than its status carries, and nobody answers for it."""

    def rejected(self, place: str) -> Rejected:
        return Rejected("unsigned_rule", self.key, f"{place}: {self.key!r} {self}")


def parse(document: Mapping[str, Any], source: str, sha256: str = "") -> Pack:
    """Return the pack in a parsed TOML document; `source` names the file in errors, `sha256` is the hash of its text.

    The rules stand in order of id and effective date. Two versions of one rule share its id and have effective periods
    that do not overlap; each is a `Rule` of its own.

    Raises:
        Rejected: field = the key, dotted inside a table; the message names file, rule and key. Code "bad_rule", when a
            key is unknown or missing (the citation too), when a value is of the wrong form (an unknown zone too), or
            when values contradict each other; "unsigned_rule", when a rule binds further than its status carries and
            nobody signs for it, and when a draft is not off; "overlapping_rule", when two versions of one rule hold on
            one day; "contradicting_rule", when rules that bind together leave nothing (`core.pack_fit`).
    """
    try:
        read = _table(document, _PACK_KEYS, {"pack", "title", "rule"})
        pack = Pack(
            name=read["pack"],
            title=read["title"],
            refines=read.get("refines", ""),
            zones=read.get("zones", ()),
            phones=read.get("phones", ()),
            calendar=read.get("calendar", ""),
            rules=(),
            residency=read.get("residency"),
            sha256=sha256,
            fallback=read.get("fallback", False),
            covers=read.get("covers", ()),
            signed=read.get("signed"),
        )
        _check_pack(pack)
    except _Wrong as wrong:
        raise wrong.rejected(source) from None
    begins = read.get("ids", pack.name.replace("-", "."))
    rules = [_rule(each, n, pack, begins, source) for n, each in enumerate(read["rule"], 1)]
    rules.sort(key=lambda rule: (rule.id, rule.effective_from))
    _check_versions(rules, source)
    check_fit([(rule, source) for rule in rules])
    return replace(pack, rules=tuple(rules))


def check_all(
    packs: Iterable[Pack],
    calendars: Collection[str] | None = None,
    folder: str = "",
    products: Collection[str] | None = None,
) -> None:
    """Refuse packs that do not fit together; a pack's file is called what the pack is called, and lies in `folder`.

    `calendars` are the names of the calendars there are, `products` those of the lender's products, which rules may
    name beside `PRODUCTS`; None: not asked.

    Raises:
        Rejected: code "duplicate_pack", when two packs have one name; "unknown_pack", when one refines a pack that is
            not among them; "pack_cycle", when packs refine each other in a circle; "duplicate_rule", when a rule's id
            stands in two packs; "unknown_calendar", when a pack or a rule names a calendar there is none of;
            "bad_rule", when two packs cover one country, when a rule names a product there is none of, or when
            nowhere is allowed by the residency of a pack and by that of one it refines; "contradicting_rule", when
            rules of a pack and of those it refines leave nothing together (`core.pack_fit`).
    """

    def file(name: str) -> str:
        return f"{folder}/{name}.toml" if folder else f"{name}.toml"

    by_name: dict[str, Pack] = {}
    owner: dict[str, str] = {}
    covered: dict[str, str] = {}
    for pack in packs:
        place = file(pack.name)
        if pack.name in by_name:
            problem = "is the name of two packs: rename one of them"
            raise Rejected("duplicate_pack", "pack", f"{place}: 'pack' {problem}")
        by_name[pack.name] = pack
        for rule in pack.rules:
            first = owner.setdefault(rule.id, pack.name)
            if first != pack.name:
                problem = f"stands in {file(first)} too: a rule belongs to one pack, rename one"
                raise Rejected("duplicate_rule", "id", f"{place}: {rule.id}: 'id' {problem}")
        for country in pack.covers:
            first = covered.setdefault(country, pack.name)
            if first != pack.name:
                problem = f"names {country}, which {file(first)} covers too: leave it out of one"
                raise Rejected("bad_rule", "covers", f"{place}: 'covers' {problem}")
        if calendars is not None:
            _check_calendars(pack, calendars, place)
        if products is not None:
            _check_products(pack, (*PRODUCTS, *sorted(set(products) - set(PRODUCTS))), place)
    for pack in by_name.values():
        _check_refined(pack, by_name, file)


def _check_calendars(pack: Pack, calendars: Collection[str], place: str) -> None:
    named = [("calendar", pack.calendar, place)]
    named += [
        ("window.calendar", rule.terms.calendar, f"{place}: {rule.id}")
        for rule in pack.rules
        if isinstance(rule.terms, WindowTerms)
    ]
    for key, name, where in named:
        if name and name not in calendars:
            known = ", ".join(sorted(calendars))
            problem = f"names {name!r}; there are: {known}"
            raise Rejected("unknown_calendar", key, f"{where}: {key!r} {problem}")


def _check_products(pack: Pack, known: Collection[str], place: str) -> None:
    for rule in pack.rules:
        for name in sorted(rule.products - set(known)):
            near = get_close_matches(name, known, n=1)
            meant = f"is {near[0]!r} meant? There" if near else "there"
            problem = f"holds {name!r}, which is no product: {meant} are {', '.join(known)}"
            raise Rejected("bad_rule", "products", f"{place}: {rule.id}: 'products' {problem}")


def _check_refined(pack: Pack, by_name: Mapping[str, Pack], file: Callable[[str], str]) -> None:
    passed = [pack.name]
    while (name := by_name[passed[-1]].refines) != "":
        place = file(passed[-1])
        if name not in by_name:
            problem = f"names {name!r}, and there is no such pack: correct it, or add {file(name)}"
            raise Rejected("unknown_pack", "refines", f"{place}: 'refines' {problem}")
        if name in passed:
            problem = f"leads back to {name}: {' -> '.join([*passed, name])}; end the circle"
            raise Rejected("pack_cycle", "refines", f"{place}: 'refines' {problem}")
        if (key := _nowhere(pack.residency, by_name[name].residency)) != "":
            problem = f"shares nothing with that of {file(name)}, which it refines: data could live nowhere"
            key, place = f"residency.{key}", file(pack.name)
            raise Rejected("bad_rule", key, f"{place}: {key!r} {problem}; correct one of them")
        passed.append(name)
    if pack.refines:
        check_fit([(rule, file(name)) for name in passed for rule in by_name[name].rules])


def _nowhere(one: Residency | None, other: Residency | None) -> str:
    """Return the key in which two binding residencies have nothing in common, "" where they do."""
    if one is None or other is None or not (one.enforce.binds and other.enforce.binds):
        return ""
    for key, ours, theirs in (
        ("partitions", one.partitions, other.partitions),
        ("regions", one.regions, other.regions),
    ):
        if ours and theirs and not set(ours) & set(theirs):
            return key
    return ""


def _check_pack(pack: Pack) -> None:
    if pack.phones and pack.refines:
        raise _Wrong("phones", "belong to a country: a number does not tell a region for certain")
    if pack.fallback and pack.refines:
        raise _Wrong("fallback", "is for a pack that stands alone: leave out refines")
    if pack.covers and (pack.refines or pack.fallback):
        raise _Wrong(
            "covers", "is for a pack of several countries: it refines none and is no fallback"
        )
    if pack.name in pack.covers:
        raise _Wrong("covers", "names the pack itself: leave it out")


def _rule(given: object, n: int, pack: Pack, begins: str, source: str) -> Rule:
    """Return one rule of a pack; `n` counts the rules of the file from 1, for one that has no id to be named by."""
    name = given.get("id") if isinstance(given, Mapping) else None
    place = f"{source}: {name if isinstance(name, str) and name else f'rule {n}'}"
    try:
        rule = _read_rule(given, pack)
        if not f"{rule.id}.".startswith(f"{begins}."):
            problem = f"does not begin with {begins}, as the ids of this pack do: rename the rule, or move it"
            raise _Wrong("id", problem)
    except _Wrong as wrong:
        raise wrong.rejected(place) from None
    return rule


def _read_rule(given: object, pack: Pack) -> Rule:
    read = _table(given, _RULE_KEYS, _RULE_NEEDED)
    kind: Kind = read["kind"]
    for other in Kind:
        if (other in read) != (other is kind):
            what = "is missing: the terms of a rule stand in a table named like its kind"
            extra = f"is of another kind than {kind}: remove it, or make it a rule of its own"
            raise _Wrong(other.value, what if other is kind else extra)
    try:
        terms = _TERMS[kind](read[kind], pack)
    except _Wrong as wrong:
        raise wrong.within(kind) from None
    rule = Rule(
        id=read["id"],
        title=read["title"],
        pack=pack.name,
        kind=kind,
        terms=terms,
        parties=frozenset(read.get("party", ())),
        stages=frozenset(read.get("stages", ())),
        purposes=frozenset(read.get("purposes", ())),
        channels=frozenset(read.get("channels", ())),
        products=frozenset(read.get("products", ())),
        effective_from=read["from"],
        effective_to=read.get("to"),
        force=read["force"],
        status=read["status"],
        enforce=read["enforce"],
        citation=read["citation"],
        source=read.get("source", ""),
        note=read.get("note", ""),
        signed_by=read.get("signed_by", ""),
    )
    if rule.effective_to is not None and rule.effective_from >= rule.effective_to:
        raise _Wrong("to", "is not after 'from': a rule is in force until before 'to'")
    _check_enforced(rule)
    return rule


def _check_enforced(rule: Rule) -> None:
    """Refuse a rule that binds further than its status carries.

    Word that is not verified may make us quieter, labelled so; it may make us send, or change money, only where
    somebody answers for it by name.
    """
    if rule.status is Status.DRAFT and rule.enforce is not Enforce.OFF:
        problem = 'is not "off", and the rule is a draft or of doubtful scope: switch it off'
        raise _Unsigned("enforce", problem)
    if rule.status is Status.VERIFIED or rule.signed_by or not rule.enforce.binds:
        return
    if rule.enforce is Enforce.HARD:
        problem = (
            f'is "hard" on word that is {rule.status}: say "cautious", or name who signs for it'
        )
        raise _Unsigned("enforce", f"{problem} in signed_by")
    if rule.kind not in QUIETER:
        problem = f'binds on word that is {rule.status}, and a {rule.kind} makes us send or changes money: say "shown"'
        raise _Unsigned("enforce", f"{problem} or name who signs for it in signed_by")


def _check_versions(rules: list[Rule], source: str) -> None:
    """Refuse two versions of one rule that hold on one day or are of two kinds; `rules` are in order of id and date."""
    for before, after in pairwise(rules):
        if before.id != after.id:
            continue
        place = f"{source}: {after.id}"
        if before.kind is not after.kind:
            problem = (
                f"is {after.kind}, and was {before.kind}: give the other kind an id of its own"
            )
            raise Rejected("bad_rule", "kind", f"{place}: 'kind' {problem}")
        if before.effective_to is None or after.effective_from < before.effective_to:
            problem = f"is {after.effective_from}, and the version from {before.effective_from} still holds: end it"
            raise Rejected("overlapping_rule", "from", f"{place}: 'from' {problem}")


# Readers: each returns a value, or raises ValueError with what is wrong and the way out.
_Reader = Callable[[Any], Any]


def _table(given: object, readers: Mapping[str, _Reader], needed: Iterable[str]) -> dict[str, Any]:
    """Return the values of a table as their readers return them.

    Raises:
        _Wrong: a key is unknown or missing, or a reader refuses its value.
    """
    if not isinstance(given, Mapping):
        raise _Wrong("", "is not a table of keys: write it as one")
    for key in sorted(set(given) - set(readers)):
        known = ", ".join(sorted(readers))
        near = get_close_matches(str(key), sorted(map(str, readers)), n=1)
        meant = (
            f"is {near[0]!r} meant? Else remove it; there are"
            if near
            else "remove it, or use one of"
        )
        raise _Wrong(str(key), f"is not known here: {meant} {known}")
    for key in sorted(set(needed) - set(given)):
        raise _Wrong(key, "is missing: state it")
    read = {}
    for key, value in given.items():
        try:
            read[key] = readers[key](value)
        except _Wrong as wrong:
            raise wrong.within(key) from None
        except ValueError as error:
            raise _Wrong(key, str(error)) from None
    return read


def _anything(value: object) -> object:
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is no text: write it in quotes, and not empty")
    return value


def _text_or_nothing(value: object) -> str:
    return "" if value == "" else _text(value)


def _like(form: re.Pattern[str], example: str) -> _Reader:
    def read(value: object) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise ValueError(f"is not of the form {example}: correct it")
        return value

    return read


def _or_nothing(reader: _Reader) -> _Reader:
    return lambda value: "" if value == "" else reader(value)


def _word(words: type[StrEnum]) -> _Reader:
    def read(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in tuple(words):
            raise ValueError(f"is not one of {', '.join(words)}: choose one")
        return words(value)

    return read


def _choice(choices: Collection[str]) -> _Reader:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}: choose one")
        return str(value)

    return read


def _known(what: str, words: Collection[str]) -> _Reader:
    """One of a long list of words: what may be meant is told first, and then all there are."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            near = get_close_matches(str(value), words, n=1)
            meant = f"is {near[0]!r} meant? There" if near else "there"
            raise ValueError(f"is no {what} that is known: {meant} are {', '.join(words)}")
        return value

    return read


def _list(reader: _Reader) -> _Reader:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("is no list: write it in square brackets")
        found = []
        for each in value:
            try:
                found.append(reader(each))
            except _Wrong:
                raise
            except ValueError as error:
                raise ValueError(f"holds {each!r}, which {error}") from None
        if len(set(found)) != len(found):
            twice = next(each for each in found if found.count(each) > 1)
            raise ValueError(f"names {twice!s} twice: leave one out")
        return tuple(found)

    return read


def _some(reader: _Reader) -> _Reader:
    def read(value: object) -> tuple[Any, ...]:
        found: tuple[Any, ...] = _list(reader)(value)
        if not found:
            raise ValueError("is empty: name at least one")
        return found

    return read


def _narrowing(reader: _Reader) -> _Reader:
    """A list that narrows whom a rule binds: an empty one might mean all or none, so it is refused."""

    def read(value: object) -> tuple[Any, ...]:
        found: tuple[Any, ...] = _list(reader)(value)
        if not found:
            raise ValueError(
                "is empty: name at least one, or leave the key out where all are meant"
            )
        return found

    return read


def _rows(value: object) -> list[object]:
    if not isinstance(value, list) or not value:
        raise ValueError("is no list of rules: write each as [[rule]]")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false: write one of them without quotes")
    return value


def _whole(least: int, most: int) -> _Reader:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"is no whole number from {least} to {most}: correct it")
        return value

    return read


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('is no decimal in quotes: write it as "1.5"')
    return Decimal(value)


def _day(value: object) -> date:
    if type(value) is not date:
        raise ValueError("is no date: write it as 2026-03-09, without quotes and without a time")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(
            f"is {value}, which is not in the years {FIRST_YEAR} to {LAST_YEAR}: correct the year; where a start is "
            f"not known, write {FIRST_YEAR}-01-01 and say so in the note"
        )
    return value


def _citation(value: object) -> str:
    said = _text(value).strip()
    if _PLACEHOLDER.search(said) or not any(each.isalpha() for each in said):
        raise ValueError(
            f"is {said!r}, which cites nothing: name the provision, or say that no text was read and on what the rule "
            "rests instead"
        )
    if len(said) < MIN_CITATION:
        raise ValueError(
            f"is {said!r}, shorter than {MIN_CITATION} characters: name law and provision so that they can be found"
        )
    return str(value)


def _zone(value: object) -> str:
    try:
        zones.zone(str(value))
    except Rejected:
        raise ValueError("is no IANA time zone: write a name such as Asia/Shanghai") from None
    return str(value)


def _clock(value: object) -> time:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError('is no local time in quotes: write it as "08:00" or "21:30:00"')
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise ValueError('is no time of day: write "00:00" to "23:59:59"') from None


def _span(value: object) -> Span:
    readers = {"opens": _clock, "closes": _clock, "closes_inclusive": _truth}
    span = Span(**{"closes": None, **_table(value, readers, {"opens"})})
    if span.closes is None:
        if span.closes_inclusive:
            raise _Wrong("closes_inclusive", "has no time to mean: state closes, or leave it out")
    elif span.opens >= span.closes:
        raise _Wrong("closes", "is not after 'opens': a span stays within one day")
    return span


def _spans(value: object) -> tuple[Span, ...]:
    spans: tuple[Span, ...] = _list(_span)(value)
    for before, after in pairwise(spans):
        if before.closes is None or after.opens <= before.closes:
            raise ValueError("has spans that overlap, touch or are not in order: correct them")
    return spans


def _days(value: object) -> Mapping[str, tuple[Span, ...]]:
    """Return the spans of each day of the week, and of holidays where given; "every" stands for all seven days."""
    keys = dict.fromkeys((*WEEKDAYS, HOLIDAY, "every"), _spans)
    days: dict[str, tuple[Span, ...]] = _table(value, keys, ())
    every = days.pop("every", None)
    if every is not None:
        for day in WEEKDAYS:
            if day in days:
                raise _Wrong("every", f"is told beside {day!r}: name the days one by one")
            days[day] = every
    for day in WEEKDAYS:
        if day not in days:
            raise _Wrong(day, "is missing: a day on which contact is never allowed is []")
    if not any(days.values()):
        raise _Wrong("", "never opens: nobody could ever be contacted")
    if all(spans == (Span(time(), None),) for spans in days.values()):
        raise _Wrong("", "never closes: leave the rule out")
    return MappingProxyType(days)


def _phrases(value: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError('is no table of phrases by language: write { en = ["..."] }')
    readers = dict.fromkeys(value, _some(_text))
    language = _like(_LANGUAGE, 'en, zh-CN, zh-Hant-HK or "*"')
    for key in value:
        try:
            language(key)
        except ValueError as error:
            raise _Wrong(str(key), str(error)) from None
    return MappingProxyType(_table(value, readers, ()))


def _residency(value: object) -> Residency:
    residency = Residency(**_table(value, _RESIDENCY_KEYS, _RESIDENCY_KEYS))
    if not residency.partitions and not residency.regions:
        raise _Wrong("partitions", "and regions are empty, which allows all: name some")
    china = [region for region in residency.regions if region.startswith("cn-")]
    if residency.partitions and bool(china) and "aws-cn" not in residency.partitions:
        raise _Wrong("regions", f"holds {china[0]!r}, which lies in the partition aws-cn: name it")
    if residency.partitions == ("aws-cn",) and len(china) < len(residency.regions):
        other = next(region for region in residency.regions if region not in china)
        problem = f"holds {other!r}, which does not lie in the partition aws-cn: correct one"
        raise _Wrong("regions", problem)
    if residency.status is Status.DRAFT and residency.enforce is not Enforce.OFF:
        raise _Unsigned("enforce", 'is not "off", and the text is a draft')
    if residency.enforce is Enforce.HARD and residency.status is not Status.VERIFIED:
        problem = f'is "hard" on word that is {residency.status}: say "cautious"'
        raise _Unsigned("enforce", problem)
    return residency


def _signature(value: object) -> Signature:
    return Signature(**_table(value, _SIGNED_KEYS, _SIGNED_KEYS))


def signer(value: object) -> str:
    """Return the name of somebody who signs.

    Raises:
        ValueError: it is empty, in more lines than one, or longer than a name is; the message says the way out.
    """
    said = _text(value)
    if said != said.strip() or not said.isprintable() or len(said) > MOST_NAME:
        raise ValueError(
            f"is no name in one line of {MOST_NAME} characters or fewer: write who answers for the pack"
        )
    if not any(each.isalpha() for each in said) or _PLACEHOLDER.search(said):
        raise ValueError(f"is {said!r}, which names nobody: write who answers for the pack")
    return said


# Terms of each kind, and what in them makes no sense together.
def _window(given: object, pack: Pack) -> WindowTerms:
    terms = WindowTerms(**_table(given, _WINDOW, {"days"}))
    if (terms.where is Where.FIXED) != bool(terms.zone):
        raise _Wrong("zone", 'belongs to where = "fixed", and to nothing else: add or remove it')
    if HOLIDAY in terms.days and not (terms.calendar or pack.calendar):
        raise _Wrong("days.holiday", "needs a calendar: name it here, or for the pack")
    if terms.calendar and HOLIDAY not in terms.days:
        raise _Wrong("calendar", "is named, but no hours of holidays are: add days.holiday")
    least, most = terms.dpd_at_least, terms.dpd_at_most
    if least is not None and most is not None and least > most:
        raise _Wrong("dpd_at_most", "is below dpd_at_least: no debt is that many days past due")
    return terms


def _cap(given: object, _pack: Pack) -> CapTerms:
    terms = CapTerms(**_table(given, _CAP, {"most", "unit", "per", "scope"}))
    stated = isinstance(given, Mapping) and "n" in given
    if (terms.per is Per.CALENDAR_DAY) == stated:
        raise _Wrong(
            "n", "counts the seconds or days of rolling and consecutive_days, which need it"
        )
    if terms.per is Per.ROLLING and terms.n < MIN_ROLLING:
        raise _Wrong(
            "n",
            f"is {terms.n} seconds, and no rule counts by less than {MIN_ROLLING}: for days write "
            f'per = "consecutive_days", or {terms.n * 86_400} for {terms.n} days of 24 hours',
        )
    if terms.per is not Per.ROLLING and terms.n > MAX_DAYS:
        raise _Wrong("n", f"is more days than {MAX_DAYS}: is it meant in seconds?")
    if terms.per is Per.ROLLING and terms.zone:
        raise _Wrong("zone", "means nothing to rolling seconds: remove it")
    if terms.per is Per.ROLLING and timedelta(seconds=terms.n) > KEEP:
        limit = f"{KEEP // timedelta(seconds=1)} seconds"
        raise _Wrong("n", f"{_TOO_LONG} {limit} or fewer, or leave the rule out")
    if terms.per is Per.CONSECUTIVE_DAYS and terms.n > _DAYS_KEPT:
        raise _Wrong("n", f"{_TOO_LONG} {_DAYS_KEPT} civil days or fewer, or leave the rule out")
    return terms


def _cooloff(given: object, _pack: Pack) -> CooloffTerms:
    terms = CooloffTerms(**_table(given, _COOLOFF, {"after", "days", "scope"}))
    if terms.after is CooloffAfter.CONVERSATION and terms.days > _DAYS_KEPT:
        raise _Wrong("days", f"{_TOO_LONG} {_DAYS_KEPT} civil days or fewer, or leave the rule out")
    return terms


def _notice(given: object, pack: Pack) -> NoticeTerms:
    terms = NoticeTerms(**_table(given, _NOTICE, {"trigger", "bound", "n", "unit"}))
    after = terms.bound is Bound.AT_MOST_AFTER
    if terms.trigger_is_day_one and (not after or terms.unit is NoticeUnit.HOURS):
        raise _Wrong("trigger_is_day_one", "counts days after the trigger: leave it out here")
    if after and not terms.n:
        raise _Wrong("n", "is 0, which leaves no time after the trigger")
    if terms.unit is NoticeUnit.BUSINESS_DAYS and not pack.calendar:
        raise _Wrong("unit", "needs a calendar of business days: name it for the pack")
    return terms


def _suppress(given: object, _pack: Pack) -> SuppressTerms:
    return SuppressTerms(**_table(given, _SUPPRESS, {"events"}))


def _consent(given: object, _pack: Pack) -> ConsentTerms:
    return ConsentTerms(**_table(given, _CONSENT, {"form", "purposes"}))


def _content(given: object, _pack: Pack) -> ContentTerms:
    terms = ContentTerms(**_table(given, _CONTENT, ()))
    if not (terms.must or terms.must_not or terms.disclosure):
        raise _Wrong("must", "is missing, and so are must_not and disclosure: state one")
    for language, phrases in terms.must.items():
        banned = [
            _squeezed(each)
            for key in (language, "*")
            for each in terms.must_not.get(key, ())
        ]  # fmt: skip
        if phrases and all(any(bad in _squeezed(good) for bad in banned) for good in phrases):
            raise _Wrong(f"must.{language}", "asks for nothing but words that must_not bans")
    return terms


def _squeezed(phrase: str) -> str:
    return "".join(phrase.casefold().split())


def _recipient(given: object, _pack: Pack) -> RecipientTerms:
    terms = RecipientTerms(**_table(given, _RECIPIENT, {"allowed"}))
    if set(terms.allowed) & set(terms.if_unreachable):
        raise _Wrong("if_unreachable", "names somebody who is always allowed: leave one out")
    if not terms.if_unreachable and (terms.max_contacts or terms.unreachable_misses):
        key = "max_contacts" if terms.max_contacts else "unreachable_misses"
        raise _Wrong(key, "is about those in if_unreachable, and there are none")
    return terms


def _debit(given: object, _pack: Pack) -> DebitTerms:
    terms = DebitTerms(**_table(given, _DEBIT, ()))
    if not (terms.max_consecutive_failures or terms.max_representments):
        raise _Wrong("max_consecutive_failures", "and max_representments are missing: state one")
    if bool(terms.max_representments) != bool(terms.window_days):
        raise _Wrong("window_days", "belongs to max_representments: give both or none")
    return terms


def _retain(given: object, _pack: Pack) -> RetainTerms:
    terms = RetainTerms(**_table(given, _RETAIN, {"what"}))
    if not (terms.min_months or terms.max_months):
        raise _Wrong("min_months", "and max_months are missing: state one")
    if terms.max_months and terms.min_months > terms.max_months:
        raise _Wrong("max_months", "is below min_months: records cannot be kept and not be kept")
    return terms


def _calc(given: object, _pack: Pack) -> CalcTerms:
    terms = CalcTerms(**_table(given, _CALC, {"parameter"}))
    bounded = terms.at_least is not None or terms.at_most is not None
    if bounded == bool(terms.one_of):
        raise _Wrong("one_of", "and bounds are two ways to say what a figure may be: give one")
    if terms.at_least is not None and terms.at_most is not None and terms.at_least > terms.at_most:
        raise _Wrong("at_most", "is below at_least: no figure would do")
    sort = PARAMETERS[terms.parameter]
    if bounded and sort is Sort.WORDS:
        key = "at_least" if terms.at_least is not None else "at_most"
        raise _Wrong(
            key, f"bounds {terms.parameter}, which is told in words: name them in one_of instead"
        )
    if terms.one_of and sort is not Sort.WORDS:
        raise _Wrong(
            "one_of", f"names words for {terms.parameter}, of which rules bound {sort}: use bounds"
        )
    for key, figure in (("at_least", terms.at_least), ("at_most", terms.at_most)):
        if figure is not None and not _fits(figure, sort):
            raise _Wrong(
                key,
                f"is {figure}, and {terms.parameter} is told in {sort}, none below 0: correct it",
            )
    return terms


def _fits(figure: Decimal, sort: Sort) -> bool:
    """Return whether a number can bound figures of that sort."""
    if figure < 0:
        return False
    if sort in (Sort.WHOLE, Sort.HOUR) and figure != figure.to_integral_value():
        return False
    return figure <= {Sort.HOUR: 24, Sort.SHARE: 1}.get(sort, figure)


_BIND_DAYS: Final = _whole(0, MAX_DAYS)
_SOME_DAYS: Final = _whole(1, MAX_DAYS)
_NAME: Final = _like(_WORD, "a_word_in_small_letters")
_CHANNELS: Final = _list(_choice(CHANNELS))
_CALENDAR: Final = _or_nothing(_like(re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*"), "CN or US-MA"))

_WINDOW: Final[Mapping[str, _Reader]] = {
    "days": _days,
    "where": _word(Where),
    "zone": _zone,
    "calendar": _CALENDAR,
    "unless_agreed": _truth,
    "dpd_at_least": _BIND_DAYS,
    "dpd_at_most": _BIND_DAYS,
}
_CAP: Final[Mapping[str, _Reader]] = {
    "most": _whole(1, MAX_COUNT),
    "unit": _word(Unit),
    "per": _word(Per),
    "scope": _word(Scope),
    "n": _whole(1, MAX_SECONDS),
    "pool": _word(Pool),
    "counted": _CHANNELS,
    "excludes": _list(_choice(EXCLUSIONS)),
    "zone": _zone,
}
_COOLOFF: Final[Mapping[str, _Reader]] = {
    "after": _word(CooloffAfter),
    "days": _SOME_DAYS,
    "scope": _word(Scope),
    "zone": _zone,
}
_NOTICE: Final[Mapping[str, _Reader]] = {
    "trigger": _known("trigger", TRIGGERS),
    "bound": _word(Bound),
    "n": _BIND_DAYS,
    "unit": _word(NoticeUnit),
    "trigger_is_day_one": _truth,
    "content": _list(_text),
    "bypasses": _list(_choice(BYPASSES)),
}
_SUPPRESS: Final[Mapping[str, _Reader]] = {
    "events": _some(_choice(EVENTS)),
    "stops": _word(Stops),
    "days": _BIND_DAYS,
}
_CONSENT: Final[Mapping[str, _Reader]] = {
    "form": _word(ConsentForm),
    "purposes": _some(_word(Purpose)),
    "revoked_within_days": _BIND_DAYS,
    "reach": _choice(REACHES),
    "keywords": _list(_text),
    "valid_days": _BIND_DAYS,
}
_CONTENT: Final[Mapping[str, _Reader]] = {
    "must": _phrases,
    "must_not": _phrases,
    "disclosure": _text,
}
_RECIPIENT: Final[Mapping[str, _Reader]] = {
    "allowed": _some(_word(Recipient)),
    "if_unreachable": _list(_word(Recipient)),
    "reveal_debt": _truth,
    "max_contacts": _whole(0, MAX_OF_ONE),
    "unreachable_misses": _whole(0, MAX_COUNT),
}
_DEBIT: Final[Mapping[str, _Reader]] = {
    "max_consecutive_failures": _whole(1, MAX_COUNT),
    "max_representments": _whole(1, MAX_COUNT),
    "window_days": _SOME_DAYS,
    "scope": _word(Scope),
}
_RETAIN: Final[Mapping[str, _Reader]] = {
    "what": _NAME,
    "min_months": _whole(1, MAX_COUNT),
    "max_months": _whole(1, MAX_COUNT),
}
_CALC: Final[Mapping[str, _Reader]] = {
    "parameter": _known("parameter", PARAMETERS),
    "at_least": _decimal,
    "at_most": _decimal,
    "one_of": _some(_text),
}
_TERMS: Final[Mapping[Kind, Callable[[object, Pack], Terms]]] = {
    Kind.WINDOW: _window,
    Kind.CAP: _cap,
    Kind.COOLOFF: _cooloff,
    Kind.NOTICE: _notice,
    Kind.SUPPRESS: _suppress,
    Kind.CONSENT: _consent,
    Kind.CONTENT: _content,
    Kind.RECIPIENT: _recipient,
    Kind.DEBIT: _debit,
    Kind.RETAIN: _retain,
    Kind.CALC: _calc,
}
_RULE_KEYS: Final[Mapping[str, _Reader]] = {
    "id": _like(_ID, "US.REGF.TIME"),
    "title": _text,
    "kind": _word(Kind),
    "party": _narrowing(_word(Party)),
    "stages": _narrowing(_word(Stage)),
    "purposes": _narrowing(_word(Purpose)),
    "channels": _narrowing(_choice(CHANNELS)),
    "products": _narrowing(_NAME),
    "from": _day,
    "to": _day,
    "force": _word(Force),
    "status": _word(Status),
    "enforce": _word(Enforce),
    "citation": _citation,
    "source": _text_or_nothing,
    "note": _text_or_nothing,
    "signed_by": _text_or_nothing,
    **dict.fromkeys(Kind, _anything),
}
_RULE_NEEDED: Final = frozenset(
    {"id", "title", "kind", "from", "force", "status", "enforce", "citation"}
)
_RESIDENCY_KEYS: Final[Mapping[str, _Reader]] = {
    "partitions": _list(_choice(PARTITIONS)),
    "regions": _list(_like(_REGION, "cn-north-1")),
    "status": _word(Status),
    "enforce": _word(Enforce),
    "citation": _citation,
}
_SIGNED_KEYS: Final[Mapping[str, _Reader]] = {
    "by": signer,
    "on": _day,
    "digest": _like(
        re.compile(r"[0-9a-f]{64}"), "64 hex digits, as 'betimes rulebook --sign-off' writes them"
    ),
}
_PACK_KEYS: Final[Mapping[str, _Reader]] = {
    "pack": _like(_PACK, "CN, US-MA or HOUSE"),
    "title": _text,
    "refines": _or_nothing(_like(_PACK, "US")),
    "zones": _list(_zone),
    "phones": _list(_like(_PHONE, "+86")),
    "calendar": _CALENDAR,
    "fallback": _truth,
    "covers": _list(_like(_COUNTRY, "DE")),
    "ids": _like(_PREFIX, "UK"),
    "residency": _residency,
    "signed": _signature,
    "rule": _rows,
}
