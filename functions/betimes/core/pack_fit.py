"""Whether rules that bind together leave anything: hours in which contact is allowed, a time for which records are
kept, a figure that a product may have.

Each rule may make sense alone and two of them none: hours of the morning in one and of the evening in another one let
nobody be contacted, and nobody would be told why. Rules are asked together where they apply to the same contact: of one
pack, and of a pack and those it refines. Rules that are only shown, or off, contradict nobody.

Hours are compared by one clock. Those by the consumer's clock and those by the clock of a fixed zone are not compared,
as there is always somewhere that both are open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from itertools import combinations, product
from typing import Final

from betimes.core.errors import Rejected
from betimes.core.rule import (
    HOLIDAY,
    WEEKDAYS,
    CalcTerms,
    Party,
    Purpose,
    RetainTerms,
    Rule,
    Span,
    Stage,
    WindowTerms,
)

Placed = tuple[Rule, str]

# A moment of a day and whether it is the end of it: what closes at the very end is after its last second.
_End = tuple[time, bool]
_Hours = tuple[tuple[_End, _End], ...]
_OTHER: Final = "another"
_BOTH: Final = "cannot be kept together"
_DAYS: Final = tuple((day, is_holiday) for is_holiday in (False, True) for day in WEEKDAYS)


def check_fit(rules: Sequence[Placed]) -> None:
    """Refuse rules that leave nothing together; each stands beside the file it is in.

    Raises:
        Rejected: code "contradicting_rule"; the message names both rules (or all, where only more than two leave
            nothing), the key, and for whom.
    """
    bound = [placed for placed in rules if placed[0].enforce.binds]
    clocks: dict[tuple[str, str], list[Placed]] = {}
    for placed in bound:
        if isinstance(terms := placed[0].terms, WindowTerms):
            clocks.setdefault((terms.where, terms.zone), []).append(placed)
    for windows in clocks.values():
        _check_windows(windows)
    for one, other in combinations(bound, 2):
        if one[0].kind is other[0].kind and _meet(one[0], other[0]):
            _check_retained(one, other)
            _check_figures(one, other)


def _check_windows(windows: Sequence[Placed]) -> None:
    asked: set[tuple[int, ...]] = set()
    for whom, together in _cases([rule for rule, _ in windows]):
        if len(together) < 2 or together in asked:
            continue
        asked.add(together)
        # The fewest that leave nothing are named: two, where two do.
        found = [windows[n] for n in together]
        if not _is_ever_open(found):
            pairs = (pair for pair in combinations(found, 2) if not _is_ever_open(pair))
            why = f"{whom}: nobody could be contacted"
            _refuse(list(next(pairs, found)), "window.days", "never opens together", why)


def _refuse(found: Sequence[Placed], key: str, how: str, why: str) -> None:
    """Raise the error at the last of the rules; `how` is how it stands to the others."""
    last, place = found[-1]
    others = " and ".join(f"{rule.id} ({where})" for rule, where in found[:-1])
    problem = f"{place}: {last.id}: {key!r} {how} with {others}, {why}; correct one of them"
    raise Rejected("contradicting_rule", key, problem)


def _cases(rules: Sequence[Rule]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the sorts of contacts that the rules tell apart, in words, each with the places of those that apply."""
    days = sorted(
        {day for rule in rules for day in (rule.effective_from, rule.effective_to) if day}
    )
    late = sorted({each for rule in rules for each in _late(rule)})
    parts = (
        _classes(list(Party), [rule.parties for rule in rules]),
        _classes(list(Stage), [rule.stages for rule in rules]),
        _classes(list(Purpose), [rule.purposes for rule in rules]),
        _classes(
            [*sorted({each for rule in rules for each in rule.channels}), _OTHER],
            [rule.channels for rule in rules],
        ),
        _classes(
            [*sorted({each for rule in rules for each in rule.products}), _OTHER],
            [rule.products for rule in rules],
        ),
        {
            day: frozenset(n for n, rule in enumerate(rules) if rule.is_in_force(day))
            for day in days
        },
        {dpd: frozenset(n for n, rule in enumerate(rules) if _is_about(rule, dpd)) for dpd in late},
    )
    for case in product(*(part.items() for part in parts)):
        together = frozenset.intersection(*(places for _, places in case))
        party, stage, purpose, channel, _, day, _ = (value for value, _ in case)
        by = "" if channel == _OTHER else f" by {channel}"
        whom = f"for the {party} party at the stage {stage}, purpose {purpose}{by}, from {day}"
        yield whom, tuple(sorted(together))


def _classes(
    values: Sequence[str], named: Sequence[Collection[str]]
) -> Mapping[object, frozenset[int]]:
    """Return one value of each class that the rules tell apart, with the places of the rules that apply to it."""
    found: dict[frozenset[int], str] = {}
    for value in values:
        places = frozenset(n for n, each in enumerate(named) if not each or value in each)
        found.setdefault(places, value)
    return {value: places for places, value in found.items()}


def _late(rule: Rule) -> Iterable[int]:
    """Return days past due at which the rule begins or ends to apply."""
    yield 0
    if isinstance(rule.terms, WindowTerms):
        if rule.terms.dpd_at_least is not None:
            yield rule.terms.dpd_at_least
        if rule.terms.dpd_at_most is not None:
            yield rule.terms.dpd_at_most + 1


def _is_about(rule: Rule, dpd: int) -> bool:
    terms = rule.terms
    if not isinstance(terms, WindowTerms):
        return True
    least, most = terms.dpd_at_least, terms.dpd_at_most
    return (least is None or least <= dpd) and (most is None or dpd <= most)


def _is_ever_open(windows: Iterable[Placed]) -> bool:
    """Return whether there is a day of the week, holiday or not, on which all of the windows are open together."""
    terms = [rule.terms for rule, _ in windows if isinstance(rule.terms, WindowTerms)]
    for day, is_holiday in _DAYS:
        hours: _Hours | None = None
        for each in terms:
            other = _hours(each, day, is_holiday)
            hours = other if hours is None else tuple(_shared(hours, other))
        if hours:
            return True
    return False


def _hours(terms: WindowTerms, day: str, is_holiday: bool) -> _Hours:
    name = HOLIDAY if is_holiday and HOLIDAY in terms.days else day
    return tuple(_ends(span) for span in terms.days[name])


def _ends(span: Span) -> tuple[_End, _End]:
    closes = time.max if span.closes is None else span.closes
    return (span.opens, False), (closes, span.closes is None or span.closes_inclusive)


def _shared(one: _Hours, other: _Hours) -> Iterator[tuple[_End, _End]]:
    for opens, closes in one:
        for begins, ends in other:
            start, end = max(opens, begins), min(closes, ends)
            # Equal instants are shared where the one that ends there holds its end, which makes it the greater.
            if start < end:
                yield start, end


def _meet(one: Rule, other: Rule) -> bool:
    """Return whether both rules can apply to one contact, or to one product."""
    for field in ("parties", "stages", "purposes", "channels", "products"):
        ours, theirs = getattr(one, field), getattr(other, field)
        if ours and theirs and not ours & theirs:
            return False
    return max(one.effective_from, other.effective_from) < min(
        one.effective_to or date.max, other.effective_to or date.max
    )


def _check_retained(one: Placed, other: Placed) -> None:
    ours, theirs = one[0].terms, other[0].terms
    if not (isinstance(ours, RetainTerms) and isinstance(theirs, RetainTerms)):
        return
    if ours.what != theirs.what:
        return
    for least, most in ((ours, theirs), (theirs, ours)):
        if 0 < most.max_months < least.min_months:
            kept = f"{least.min_months} months at least and {most.max_months} at most"
            key = "retain.max_months" if most is theirs else "retain.min_months"
            _refuse([one, other], key, _BOTH, f"{least.what} is kept {kept}")


def _check_figures(one: Placed, other: Placed) -> None:
    ours, theirs = one[0].terms, other[0].terms
    if not (isinstance(ours, CalcTerms) and isinstance(theirs, CalcTerms)):
        return
    if ours.parameter != theirs.parameter:
        return
    told = f"no {ours.parameter} would do"
    if ours.one_of and theirs.one_of and not set(ours.one_of) & set(theirs.one_of):
        _refuse([one, other], "calc.one_of", _BOTH, told)
    least = [each.at_least for each in (ours, theirs) if each.at_least is not None]
    most = [each.at_most for each in (ours, theirs) if each.at_most is not None]
    if least and most and max(least) > min(most):
        key = "calc.at_most" if theirs.at_most in most else "calc.at_least"
        _refuse([one, other], key, _BOTH, told)
