"""What changed between two states of the rule packs: rule by rule, key by key, and whether it binds more or less.

A rule is told apart by pack, id and the day it holds from; of versions without a partner of the same day, the first is
paired with the first. A change is called tightened or loosened only where that follows from the two values alone:
fewer contacts, shorter hours, more events that stop. Where neither follows, nothing is said; and of a rule that binds
nobody before or after, its terms have no effect either way.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Any, Final

from betimes.core import rule_words
from betimes.core.rule import (
    Bound,
    ConsentForm,
    ContentTerms,
    NoticeTerms,
    Pack,
    Party,
    Pool,
    Purpose,
    Rule,
    Scope,
    Span,
    Stage,
    Stops,
    Unit,
    WindowTerms,
)
from betimes.core.values import dataclass

NOTHING: Final = "–"
ANY: Final = "any"
_BARE: Final = re.compile(r"[\w.+/*-]+")


class Direction(StrEnum):
    """What a change does: it binds more, or less; it binds nobody; or neither can be told from the values."""

    TIGHTER = "tightened"
    LOOSER = "loosened"
    BOTH = "tightened in part, loosened in part"
    NO_EFFECT = "no effect: not enforced"
    UNTOLD = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One key that differs: its values as text, "" where the key is not there."""

    key: str
    old: str
    new: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A version of a rule that differs; None: it is not there. `changes` are empty for one added or removed. One that
    was renamed or moved to another pack is one change, with "id" or "pack" among its keys, and stands with the pack it
    is in now.
    """

    old: Rule | None
    new: Rule | None
    changes: tuple[Change, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule as it is now, or as it was where it is gone."""
        found = self.new or self.old
        assert found is not None, "a change is of something"
        return found

    @property
    def direction(self) -> Direction:
        """What an added or a removed rule does; of a changed one, what all its changes do that could do anything: its
        words do not.
        """
        if self.old is None or self.new is None:
            if not self.rule.enforce.binds:
                return Direction.NO_EFFECT
            return Direction.LOOSER if self.new is None else Direction.TIGHTER
        found = {change.direction for change in self.changes if change.key not in _WORDS}
        if found == {Direction.NO_EFFECT}:
            return Direction.NO_EFFECT
        found -= {Direction.NO_EFFECT}
        if found >= {Direction.TIGHTER, Direction.LOOSER}:
            return Direction.BOTH
        return found.pop() if len(found) == 1 else Direction.UNTOLD


@dataclass(frozen=True, slots=True)
class PackChange:
    """A pack that differs; None: it is not there. `changes` are those of the pack itself, `rules` those of its
    rules.
    """

    old: Pack | None
    new: Pack | None
    changes: tuple[Change, ...] = ()
    rules: tuple[RuleChange, ...] = ()

    @property
    def pack(self) -> Pack:
        """The pack as it is now, or as it was where it is gone."""
        found = self.new or self.old
        assert found is not None, "a change is of something"
        return found


def diff(old: Iterable[Pack], new: Iterable[Pack]) -> tuple[PackChange, ...]:
    """Return the packs that differ, in order of name, with what differs in them; empty where nothing does.

    The hash of a pack's file is part of the pack: a comment that changed is a change, because the text is signed.
    """
    before = {pack.name: pack for pack in old}
    after = {pack.name: pack for pack in new}
    found = (_pack_change(before.get(name), after.get(name)) for name in sorted({*before, *after}))
    return _with_moves([each for each in found if each is not None])


def pack_parameters(pack: Pack) -> Mapping[str, str]:
    """Return what a pack's file says of the pack itself, by key, as text, in the order of the file."""
    return {key: text(value) for key, value in _pack_values(pack).items()}


def parameters(rule: Rule) -> Mapping[str, str]:
    """Return what a rule's file says, by key (dotted inside a table), as text, in the order of the file.

    Every parameter is there, also one that the file leaves out and that has its default.
    """
    return {key: _told(key, value) for key, value in _values(rule).items()}


def text(value: object) -> str:
    """Return a value of a pack as text: `NOTHING` where there is none, spans and lists in one line."""
    match value:
        case None | "" | () | []:
            return NOTHING
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case tuple() | list():
            if any(isinstance(each, Span) for each in value):
                return rule_words.spans(tuple(value))
            return ", ".join(map(_word, value))
        case _:
            return str(value)


def _told(key: str, value: object) -> str:
    """Return the value of a key as text; a day without hours is closed."""
    if key.startswith("window.days.") and isinstance(value, tuple):
        return rule_words.spans(value)
    return text(value)


def _word(value: object) -> str:
    """Return a word as it is; what could be taken for several, or for the list's own signs, in quotes."""
    word = str(value)
    return word if _BARE.fullmatch(word) else json.dumps(word, ensure_ascii=False)


def _pack_values(pack: Pack) -> Mapping[str, object]:
    said: dict[str, object] = {
        "title": pack.title,
        "refines": pack.refines,
        "zones": pack.zones,
        "phones": pack.phones,
        "calendar": pack.calendar,
        "fallback": pack.fallback,
        "covers": pack.covers,
    }
    if pack.residency is not None:
        for each in dataclasses.fields(pack.residency):
            said[f"residency.{each.name}"] = getattr(pack.residency, each.name)
    if pack.signed is not None:
        for each in dataclasses.fields(pack.signed):
            said[f"signed.{each.name}"] = getattr(pack.signed, each.name)
    if pack.sha256:
        said["sha256"] = pack.sha256
    return said


def _values(rule: Rule) -> Mapping[str, object]:
    said: dict[str, object] = {
        "id": rule.id,
        "title": rule.title,
        "kind": rule.kind,
        "party": sorted(rule.parties) or ANY,
        "stages": sorted(rule.stages) or ANY,
        "purposes": sorted(rule.purposes) or ANY,
        "channels": sorted(rule.channels) or ANY,
        "products": sorted(rule.products) or ANY,
        "from": rule.effective_from,
        "to": rule.effective_to,
        "force": rule.force,
        "status": rule.status,
        "enforce": rule.enforce,
        "citation": rule.citation,
        "source": rule.source,
        "note": rule.note,
        "signed_by": rule.signed_by,
    }
    for each in dataclasses.fields(rule.terms):
        value = getattr(rule.terms, each.name)
        key = f"{rule.kind}.{each.name}"
        # Each entry of a table has a key of its own; an empty table has none, and says nothing.
        if isinstance(value, Mapping):
            said |= {f"{key}.{name}": value[name] for name in value}
        else:
            said[key] = value
    return said


def _pack_change(old: Pack | None, new: Pack | None) -> PackChange | None:
    if old is None:
        assert new is not None, "one of the two has it"
        return PackChange(None, new, (), tuple(RuleChange(None, rule) for rule in new.rules))
    if new is None:
        return PackChange(old, None, (), tuple(RuleChange(rule, None) for rule in old.rules))
    changes = _changes(_pack_values(old), _pack_values(new), _Packs(old, new))
    rules = _rule_changes(old, new)
    return PackChange(old, new, changes, rules) if changes or rules else None


def _rule_changes(old: Pack, new: Pack) -> tuple[RuleChange, ...]:
    before, after = _by_id(old), _by_id(new)
    found = []
    for name in sorted({*before, *after}):
        for was, now in _paired(before.get(name, []), after.get(name, [])):
            changes: tuple[Change, ...] = ()
            if was is not None and now is not None:
                changes = _changes(_values(was), _values(now), _Rules(was, now))
                if not changes:
                    continue
            found.append(RuleChange(was, now, changes))
    return tuple(found)


def _with_moves(found: list[PackChange]) -> tuple[PackChange, ...]:
    """Return the changes of packs with each rule that went under one id and came under another one told as one."""
    gone = [change for each in found for change in each.rules if change.new is None]
    renamed: list[tuple[RuleChange, RuleChange]] = []
    for came in (change for each in found for change in each.rules if change.old is None):
        alike = [each for each in gone if _is_same(each.rule, came.rule)]
        if alike:
            was = max(alike, key=lambda each: _likeness(each.rule, came.rule))
            gone.remove(was)
            renamed.append((was, came))
    if not renamed:
        return tuple(found)
    merged = []
    for each in found:
        rules = []
        for change in each.rules:
            pair = next((pair for pair in renamed if change in pair), None)
            if pair is None:
                rules.append(change)
            elif change is pair[1]:
                rules.append(_renamed(pair[0].rule, pair[1].rule))
        merged.append(PackChange(each.old, each.new, each.changes, tuple(rules)))
    # Of two packs by hand, one may have had nothing else than the rule that moved.
    return tuple(
        each
        for each in merged
        if each.changes or each.rules or each.old is None or each.new is None
    )


def _renamed(old: Rule, new: Rule) -> RuleChange:
    changes = _changes(_values(old), _values(new), _Rules(old, new))
    if old.pack != new.pack:
        changes = (Change("pack", old.pack, new.pack, Direction.UNTOLD), *changes)
    return RuleChange(old, new, changes)


def _likeness(one: Rule, other: Rule) -> int:
    """Return how many of the things that make a rule what it is are the same."""
    return sum(
        getattr(one, name) == getattr(other, name)
        for name in ("terms", "title", "citation", "effective_from", "pack")
    )


def _is_same(one: Rule, other: Rule) -> bool:
    """Return whether a rule may be another one under a new name: of its kind, with its terms or its title, and with
    most of what else it says.
    """
    return (
        one.kind is other.kind
        and one.id != other.id
        and (one.terms == other.terms or one.title == other.title)
        and _likeness(one, other) >= 3
    )


def _by_id(pack: Pack) -> Mapping[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in sorted(pack.rules, key=lambda each: each.effective_from):
        found.setdefault(rule.id, []).append(rule)
    return found


def _paired(old: list[Rule], new: list[Rule]) -> list[tuple[Rule | None, Rule | None]]:
    """Return the versions of one rule with their partners: of the same day first, then in order of their days."""
    days = {rule.effective_from for rule in old} & {rule.effective_from for rule in new}
    was = {rule.effective_from: rule for rule in old}
    now = {rule.effective_from: rule for rule in new}
    pairs: list[tuple[Rule | None, Rule | None]] = [(was[day], now[day]) for day in days]
    pairs += zip_longest(
        (rule for rule in old if rule.effective_from not in days),
        (rule for rule in new if rule.effective_from not in days),
    )
    return sorted(pairs, key=lambda pair: (pair[1] or pair[0] or old[0]).effective_from)


_Teller = Callable[[Any, Any], Direction]


def _changes(
    old: Mapping[str, object], new: Mapping[str, object], tell: _Packs | _Rules
) -> tuple[Change, ...]:
    keys = [*old, *(key for key in new if key not in old)]
    return tuple(
        Change(
            key,
            _told(key, old[key]) if key in old else "",
            _told(key, new[key]) if key in new else "",
            tell.direction(key, old.get(key), new.get(key)),
        )
        for key in keys
        if key not in old or key not in new or old[key] != new[key]
    )


class _Packs:
    """Tells what a change of a pack's own keys does."""

    def __init__(self, old: Pack, new: Pack) -> None:
        kept = (old.residency, new.residency)
        self._bound = [each is not None and each.enforce.binds for each in kept]

    def direction(self, key: str, old: object, new: object) -> Direction:
        """Return what it does that the value of a key is another now; None: there is none."""
        if key == "zones":
            return _wider(old, new)
        if not key.startswith("residency."):
            return Direction.UNTOLD
        if not any(self._bound):
            return Direction.NO_EFFECT if key in _RESIDENCY else Direction.UNTOLD
        if key == "residency.enforce":
            return _higher(*self._bound)
        return _RESIDENCY[key](old, new) if all(self._bound) and key in _RESIDENCY else _UNTOLD


class _Rules:
    """Tells what a change of a rule's keys does."""

    def __init__(self, old: Rule, new: Rule) -> None:
        self._old, self._new = old, new
        self._bound = [old.enforce.binds, new.enforce.binds]

    def direction(self, key: str, old: object, new: object) -> Direction:
        """Return what it does that the value of a key is another now; None: there is none."""
        if key in _WORDS:
            return Direction.UNTOLD
        if not any(self._bound):
            return Direction.NO_EFFECT
        if key == "enforce":
            return _higher(*self._bound)
        if not all(self._bound) or self._old.kind is not self._new.kind:
            return Direction.UNTOLD
        match self._old.terms, self._new.terms:
            case (WindowTerms() as was, WindowTerms() as now) if key.startswith("window.days."):
                return _hours(was.days, now.days, key.removeprefix("window.days."))
            case (ContentTerms() as was, ContentTerms() as now) if key.startswith("content.must."):
                return _wording(was.must, now.must, key.removeprefix("content.must."))
            case (ContentTerms(), ContentTerms()) if key.startswith("content.must_not."):
                return _wider(old or (), new or ())
        if any(
            getattr(self._old.terms, field) != getattr(self._new.terms, field)
            for field in _SAME_UNIT.get(key, ())
        ):
            return Direction.UNTOLD
        if key == "notice.n" and isinstance(self._new.terms, NoticeTerms):
            before = self._new.terms.bound is Bound.AT_LEAST_BEFORE
            return (_higher if before else _lower)(old, new)
        return _RULE[key](old, new) if key in _RULE else Direction.UNTOLD


def _hours(
    old: Mapping[str, tuple[Span, ...]], new: Mapping[str, tuple[Span, ...]], day: str
) -> Direction:
    """Return what other hours of a day do; holidays without hours of their own have those of their weekday."""
    before = [old[day]] if day in old else list(old.values())
    after = [new[day]] if day in new else list(new.values())
    pairs = [(was, now) for was in before for now in after]
    tighter = all(_within(now, was) for was, now in pairs)
    looser = all(_within(was, now) for was, now in pairs)
    if tighter == looser:
        return Direction.UNTOLD
    return Direction.TIGHTER if tighter else Direction.LOOSER


def _within(inner: tuple[Span, ...], outer: tuple[Span, ...]) -> bool:
    wide = [_ends(span) for span in outer]
    return all(
        any(opens <= start and end <= closes for opens, closes in wide)
        for start, end in map(_ends, inner)
    )


def _ends(span: Span) -> tuple[tuple[time, bool], tuple[time, bool]]:
    """Return both ends of a span so that they can be compared; the end of the day is after its last instant."""
    closes = time.max if span.closes is None else span.closes
    return (span.opens, False), (closes, span.closes is None or span.closes_inclusive)


def _wording(
    old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]], language: str
) -> Direction:
    """Return what other required words do: one of them is enough, and a language without any is refused."""
    if not old or not new:
        return Direction.TIGHTER if new else Direction.LOOSER
    return _narrower(old.get(language, ()), new.get(language, ()))


def _higher(old: Any, new: Any) -> Direction:
    """Return the direction of a value that binds more the higher it is."""
    if old == new:
        return Direction.UNTOLD
    return Direction.TIGHTER if new > old else Direction.LOOSER


def _lower(old: Any, new: Any) -> Direction:
    return _higher(new, old)


def _ranked(teller: _Teller, rank: Callable[[Any], Any]) -> _Teller:
    return lambda old, new: teller(rank(old), rank(new))


def _wider(old: Any, new: Any) -> Direction:
    """Return the direction of a list that binds more the more stand in it."""
    was, now = set(old), set(new)
    if was == now or not (was <= now or now <= was):
        return Direction.UNTOLD
    return Direction.TIGHTER if was < now else Direction.LOOSER


def _narrower(old: Any, new: Any) -> Direction:
    return _wider(new, old)


def _or_any(teller: _Teller, nothing: object) -> _Teller:
    """Return a teller of lists of which `nothing` stands for every entry there may be."""
    flip = {Direction.TIGHTER: Direction.LOOSER, Direction.LOOSER: Direction.TIGHTER}
    more = teller((), ("more",))

    def told(old: Any, new: Any) -> Direction:
        if old == nothing:
            return flip[more]
        return more if new == nothing else teller(old, new)

    return told


def _known(teller: _Teller) -> _Teller:
    """Return a teller of lists that says nothing of an empty one."""
    return lambda old, new: teller(old, new) if old and new else Direction.UNTOLD


def _zero_last(n: int) -> tuple[bool, int]:
    """Return the rank of a number of which 0 means no limit."""
    return n == 0, n


def _none_first(n: Any) -> tuple[bool, Any]:
    return (False, 0) if n is None else (True, n)


def _none_last(n: Any) -> tuple[bool, Any]:
    return (True, 0) if n is None else (False, n)


_UNTOLD: Final = Direction.UNTOLD
# Keys that bind nobody to anything: they say what a rule is called and who says so.
_WORDS: Final = frozenset(
    {"id", "title", "kind", "force", "status", "citation", "source", "note", "signed_by"}
)
_APPLIES: Final = _or_any(_wider, ANY)
# What each unit takes in (`core.touch.counted`).
_UNITS: Final[Mapping[Unit, frozenset[Unit]]] = {
    Unit.MESSAGE: frozenset({Unit.MESSAGE}),
    Unit.CONVERSATION: frozenset({Unit.CONVERSATION}),
    Unit.CONNECTED: frozenset({Unit.CONVERSATION, Unit.CONNECTED}),
    Unit.ATTEMPT: frozenset({Unit.MESSAGE, Unit.CONVERSATION, Unit.CONNECTED, Unit.ATTEMPT}),
    Unit.ANY: frozenset({Unit.MESSAGE, Unit.CONVERSATION, Unit.CONNECTED, Unit.ATTEMPT}),
}
# Where two have one rank, neither takes in the other.
_POOLS: Final = {Pool.OWN: 0, Pool.LENDER: 0, Pool.LENDER_AND_AGENCIES: 1, Pool.ALL: 2}
_STOPS: Final = {Stops.COURTESY: 0, Stops.COLLECTION: 0, Stops.ALL_BUT_STATUTORY: 1, Stops.ALL: 2}
_REACHES: Final = {"address": 0, "channel": 1, "topic": 1, "sender": 2, "all": 3}
_TO_PERSON: Final = _ranked(_higher, lambda scope: scope is Scope.PERSON)
_LIMIT: Final = _ranked(_lower, _zero_last)
_RESIDENCY: Final[Mapping[str, _Teller]] = {
    "residency.partitions": _or_any(_narrower, ()),
    "residency.regions": _or_any(_narrower, ()),
    "residency.enforce": _higher,
}
# Figures that say something about each other only where these are the same.
_SAME_UNIT: Final[Mapping[str, tuple[str, ...]]] = {
    "cap.n": ("per",),
    "notice.n": ("bound", "unit"),
    "notice.trigger_is_day_one": ("bound", "unit"),
    "calc.at_least": ("parameter",),
    "calc.at_most": ("parameter",),
    "calc.one_of": ("parameter",),
    "retain.min_months": ("what",),
    "retain.max_months": ("what",),
}
_RULE: Final[Mapping[str, _Teller]] = {
    "party": _ranked(_wider, lambda given: Party if given == ANY else given),
    "stages": _ranked(_wider, lambda given: Stage if given == ANY else given),
    "purposes": _ranked(_wider, lambda given: Purpose if given == ANY else given),
    "channels": _APPLIES,
    "products": _APPLIES,
    "from": _lower,
    "to": _ranked(_higher, _none_last),
    "window.unless_agreed": _lower,
    "window.dpd_at_least": _ranked(_lower, _none_first),
    "window.dpd_at_most": _ranked(_higher, _none_last),
    "cap.most": _lower,
    "cap.n": _higher,
    "cap.unit": lambda old, new: _wider(_UNITS[old], _UNITS[new]),
    "cap.scope": _TO_PERSON,
    "cap.pool": _ranked(_higher, _POOLS.__getitem__),
    "cap.counted": _known(_wider),
    "cap.excludes": _narrower,
    "cooloff.days": _higher,
    "cooloff.scope": _TO_PERSON,
    "notice.trigger_is_day_one": _higher,
    "notice.content": _wider,
    "suppress.events": _wider,
    "suppress.stops": _ranked(_higher, _STOPS.__getitem__),
    "suppress.days": _ranked(_higher, _zero_last),
    "consent.form": _ranked(_higher, list(ConsentForm).index),
    "consent.purposes": _wider,
    "consent.revoked_within_days": _lower,
    "consent.reach": _ranked(_higher, lambda reach: _REACHES.get(reach, 0)),
    "consent.keywords": _wider,
    "consent.valid_days": _LIMIT,
    "content.disclosure": _ranked(_higher, bool),
    "recipient.allowed": _narrower,
    "recipient.if_unreachable": _narrower,
    "recipient.reveal_debt": _lower,
    "recipient.max_contacts": _LIMIT,
    "recipient.unreachable_misses": _ranked(_higher, _zero_last),
    "debit.max_consecutive_failures": _LIMIT,
    "debit.max_representments": _LIMIT,
    "debit.window_days": _higher,
    "debit.scope": _TO_PERSON,
    "retain.min_months": _higher,
    "retain.max_months": _LIMIT,
    "calc.at_least": _ranked(_higher, _none_first),
    "calc.at_most": _ranked(_lower, _none_last),
    "calc.one_of": _known(_narrower),
}
