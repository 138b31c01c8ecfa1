"""The rule book: one page for each pack, an index of them, and a page about what changed between two states of them.

It is made for the person who answers for the rules: what each one says in a plain sentence, whom it binds, since when,
on whose word, how far it is enforced and what the platform does with it; and below that every parameter as the file
states it. What the book says of enforcement is what `core.law` does, not what the law demands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from betimes.core import rule_words, sign_off
from betimes.core.page import (
    Bullets,
    Code,
    Facts,
    Inline,
    Line,
    Link,
    Page,
    Para,
    Said,
    Section,
    Strong,
    Table,
)
from betimes.core.rule import Kind, Pack, Residency, Rule, Status, WindowTerms
from betimes.core.rule_changes import Change, Direction, PackChange, RuleChange, parameters, text
from betimes.core.workdays import Calendar

_NO_CALENDARS: Final[Mapping[str, Calendar]] = MappingProxyType({})
INDEX: Final = "index"
CHANGES: Final = "changes"
NOT_ADVICE: Final = (
    "This is not legal advice. It says what the rule packs hold and what the platform does with them, not what the law "
    "demands of anybody. A lawyer of the lender reads each rule beside its source before it is relied on."
)
_SIGNING: Final = (
    (
        "Who signs a pack has compared each rule with the text of the law, and answers for it to the lender. The "
        "platform does not check who wrote a name."
    ),
    (
        "What is signed is what the pack says: each key of it and of its rules. A signature holds the digest of that; "
        "where anything of it changes later, the signature does not hold, and this book and betimes check say so. A "
        "comment or the layout of the file may change."
    ),
    (
        "Packs come from us unsigned: nobody at the lender has answered for them yet. An unsigned pack is enforced as "
        "its rules say; the signature is for the lender and its supervisor, and changes no decision."
    ),
    (
        "betimes rulebook --sign-off NAME --packs CN writes the signature into the pack's file. The page of the pack "
        "says what is signed; read it before."
    ),
    (
        'A rule "signed by" somebody is enforced on word that is not verified, because the one named answers for it. '
        "Without a name such a rule can only make us quieter; it never makes us send, and never changes money."
    ),
)
_ENFORCED: Final = (
    ("enforced", "it binds: on a text that was read, or on the word of somebody who signs for it"),
    (
        "enforced with caution",
        "it binds just as much, as it makes us quieter: on word not verified, or by our reading; decisions say so",
    ),
    ("binding", "it binds, but is about figures, debits or records, and stops no contact"),
    ("shown only", "it is evaluated and recorded, and stops and demands nothing"),
    ("switched off", "it stands in the book and is not evaluated; every draft is"),
)
_UNSAID: Final = "not limited by this pack"
# How many years of a calendar a page lists: that of the page, and those that dates are worked out in ahead.
_YEARS: Final = 3
# What a rule's own table of parameters leaves out, because it stands above it.
_TOLD_ABOVE: Final = frozenset(
    {"id", "title", "kind", "party", "stages", "purposes", "channels", "products", "from", "to"}
    | {"force", "status", "enforce", "citation", "source", "note", "signed_by"}
)


def pages(
    packs: Iterable[Pack], on: date, calendars: Mapping[str, Calendar] = _NO_CALENDARS
) -> tuple[Page, ...]:
    """Return the index and the page of each pack, in order of name, as of the day `on`. The dates of a pack's calendar
    are listed where it is one of `calendars`.
    """
    found = sorted(packs, key=lambda pack: pack.name)
    known = frozenset(pack.name for pack in found)
    return (_index(found, on), *(pack_page(pack, on, known, calendars) for pack in found))


def pack_page(
    pack: Pack,
    on: date,
    known: Collection[str] = (),
    calendars: Mapping[str, Calendar] = _NO_CALENDARS,
) -> Page:
    """Return the page of a pack as of the day `on`; `known` are the packs whose pages stand beside it and are
    linked, `calendars` those whose dates are listed where the pack names them.
    """
    anchors = _anchors(pack)
    contents = tuple(
        (
            Link(rule.id, anchor=anchor),
            f" {rule.title} ({rule_words.standing(rule, on)}; {_in_short(rule)}; {rule.status})",
        )
        for rule, anchor in zip(pack.rules, anchors, strict=True)
    )
    rules = tuple(_rule(*each, on) for each in zip(pack.rules, anchors, strict=True))
    return Page(
        pack.name,
        f"{pack.title} ({pack.name}): rules of contact",
        (
            Para((NOT_ADVICE,), stands_out=True),
            _pack_facts(pack, on, known),
            Section(("Contents",), (Bullets(contents),), "contents"),
            Section(("Where data may live",), (_residency(pack.residency),), "residency"),
            *_calendars(pack, on, calendars),
            Section(("Rules",), rules, "rules"),
            _signing(),
        ),
    )


def changes_page(changes: Sequence[PackChange]) -> Page:
    """Return the page about what changed; it says so where nothing did."""
    title = "What changed in the rules"
    if not changes:
        return Page(CHANGES, title, (Para(("Nothing: both hold the same packs, word for word.",)),))
    return Page(
        CHANGES,
        title,
        (
            Para((_summary(changes),)),
            Para((NOT_ADVICE,), stands_out=True),
            *(_pack_change(change) for change in changes),
        ),
    )


def _index(packs: Sequence[Pack], on: date) -> Page:
    rows = []
    for pack in packs:
        count = Counter(rule_words.standing(rule, on) for rule in pack.rules)
        rows.append(
            (
                (Link(pack.name, pack.name),),
                (pack.title,),
                (pack.refines or "–",),
                (str(count["in force"]),),
                (str(count["not yet in force"]),),
                (str(count["ended"]),),
                (str(count[rule_words.DRAFT]),),
                (sign_off.standing(pack).value,),
                (Code(pack.sha256[:12]) if pack.sha256 else "not known",),
            )
        )
    head = (
        *("pack", "of", "refines", "rules in force", "not yet", "ended", "drafts", "signed"),
        "hash, its first 12 digits",
    )
    return Page(
        INDEX,
        f"Rules of contact, as of {on}",
        (
            Para((NOT_ADVICE,), stands_out=True),
            Para((_signatures(packs),), stands_out=True),
            Table(head, tuple(rows)),
            Section(
                ("How well a text is known",),
                (Bullets(tuple((rule_words.STATUSES[status],) for status in Status)),),
                "status",
            ),
            Section(
                ("How far a rule is enforced",),
                (Facts(tuple((name, (said,)) for name, said in _ENFORCED)),),
                "enforcement",
            ),
            _signing(),
        ),
    )


def _signatures(packs: Sequence[Pack]) -> str:
    """Return how many packs somebody answers for as they are, in a sentence."""
    count = Counter(sign_off.standing(pack) for pack in packs)
    if count[sign_off.Standing.UNSIGNED] == len(packs):
        return "Nobody has signed any of these packs."
    signed, changed, unsigned = (count[each] for each in sign_off.Standing)
    return (
        f"Of {_many(len(packs), 'pack')} {signed} signed as it stands here, {changed} changed since it was signed, "
        f"{unsigned} not signed."
    )


def _signing() -> Section:
    return Section(
        ("What signing means",), (Bullets(tuple((each,) for each in _SIGNING)),), "signing"
    )


def _in_short(rule: Rule) -> str:
    """Return how far a rule binds in a few words; how well its text is known stands beside it."""
    return re.split("[:;,]", rule_words.enforcement(rule))[0]


def _anchors(pack: Pack) -> tuple[str, ...]:
    """Return what links call each rule: its id; with its first day where a version before it has the id."""
    ids = [rule.id for rule in pack.rules]
    return tuple(
        f"{rule.id}@{rule.effective_from}" if rule.id in ids[:n] else rule.id
        for n, rule in enumerate(pack.rules)
    )


def _pack_facts(pack: Pack, on: date, known: Collection[str]) -> Facts:
    count = Counter(rule_words.standing(rule, on) for rule in pack.rules)
    of_days = ("in force", "not yet in force", "ended")
    numbers = "{} in force, {} not yet, {} ended".format(*(count[each] for each in of_days))
    if drafts := count[rule_words.DRAFT]:
        numbers += f", {drafts} drafts or of doubtful scope"
    rows: list[tuple[str, Line]] = [
        ("As of", (str(on),)),
        ("Rules", (numbers,)),
    ]  # fmt: skip
    if pack.refines:
        wider: Inline = Link(pack.refines, pack.refines) if pack.refines in known else pack.refines
        rows.append(("Refines", (wider, ", whose rules bind too: the most restrictive wins")))
    if pack.covers:
        countries = f"{text(pack.covers)}: each while it has no pack of its own"
        rows.append(("Stands for", (countries,)))
    if pack.fallback:
        rows.append(("Holds", ("only where a jurisdiction has no pack of its own",)))
    rows += [
        ("Time zones", (f"{text(pack.zones)}, for somebody of whom nothing else is known",) if pack.zones else ("–",)),
        ("Numbers", (text(pack.phones),)),
        ("Calendar", (text(pack.calendar),)),
        ("Signed", (Strong(f"{sign_off.words(pack)}."),)),
        ("Digest of what it says", (Code(sign_off.digest(pack)),)),
        ("Hash of the file", (Code(pack.sha256) if pack.sha256 else "not known",)),
    ]  # fmt: skip
    return Facts(tuple(rows))


def _residency(residency: Residency | None) -> Facts | Para:
    if residency is None:
        said = (
            "The pack states no limit of its own, and no deployment is refused because of it. That is not to say that "
            "the law allows data to live anywhere."
        )
        return Para((said,))
    does = {
        True: "a deployment that serves this pack from elsewhere is refused when it is synthesized",
        False: "nothing is refused because of it",
    }[residency.enforce.binds]
    return Facts(
        (
            ("AWS partitions", (text(residency.partitions) if residency.partitions else _UNSAID,)),
            ("AWS regions", (text(residency.regions) if residency.regions else _UNSAID,)),
            ("Known", (rule_words.STATUSES[residency.status],)),
            ("Enforcement", (f"{residency.enforce}: {does}",)),
            ("Citation", (residency.citation,)),
        )
    )


def _calendars(pack: Pack, on: date, calendars: Mapping[str, Calendar]) -> Iterable[Section]:
    """Yield a section for each calendar that the pack or one of its windows counts by: its dates, and on what word."""
    named = {pack.calendar} | {
        rule.terms.calendar for rule in pack.rules if isinstance(rule.terms, WindowTerms)
    }
    for name in sorted(named & set(calendars)):
        calendar = calendars[name]
        status = {each.value: said for each, said in rule_words.STATUSES.items()}
        rows: list[tuple[str, Line]] = [
            ("Known", (status.get(calendar.status, calendar.status),)),
            ("Source", (calendar.source,)),
            ("Weekend", (rule_words.weekdays(calendar.weekend),)),
        ]
        for year in range(on.year, on.year + _YEARS):
            if year not in calendar.published:
                rows.append(
                    (f"{year}", ("not published: every day keeps to the hours of holidays too",))
                )
                continue
            rows.append((f"Holidays {year}", (_dates(calendar.holidays, year),)))
            if any(each.year == year for each in calendar.workdays):
                rows.append((f"Make-up workdays {year}", (_dates(calendar.workdays, year),)))
        yield Section((f"Calendar {name}",), (Facts(tuple(rows)),), f"calendar-{name}")


def _dates(days: Iterable[date], year: int) -> str:
    return ", ".join(str(day) for day in sorted(days) if day.year == year) or "none"


def _rule(rule: Rule, anchor: str, on: date) -> Section:
    return Section(
        (Code(rule.id), f" {rule.title}"),
        (
            Para((Strong(rule_words.sentence(rule)),)),
            Facts(tuple(_rule_facts(rule, on))),
            Section(("As the file states it",), (_parameters(rule),)),
        ),
        anchor,
    )


def _rule_facts(rule: Rule, on: date) -> Iterable[tuple[str, Line]]:
    yield "Kind", (rule.kind.value,)
    yield "Binds", (rule_words.binds(rule),)
    yield "Stages", (rule_words.stages(rule),)
    yield "Purposes", (rule_words.purposes(rule),)
    yield "Channels", (rule_words.channels(rule),)
    yield "Products", (rule_words.products(rule),)
    yield "Holds", (f"{rule_words.effective(rule)}; {rule_words.standing(rule, on)} on {on}",)
    yield "What it is", (rule_words.FORCES[rule.force],)
    yield "Known", (rule_words.STATUSES[rule.status],)
    yield "Enforcement", (Strong(rule_words.enforcement(rule)), f" ({rule.enforce})")
    yield "The platform", (rule_words.done(rule),)
    yield "Citation", (rule.citation,)
    for name, said in (("Source", rule.source), ("Note", rule.note)):
        if said:
            yield name, (said,)
    yield "Signed by", (rule.signed_by or "nobody",)


def _parameters(rule: Rule) -> Table:
    rows = []
    for key, value in parameters(rule).items():
        if key in _TOLD_ABOVE:
            continue
        language = key.rpartition(".")[2] if rule.kind is Kind.CONTENT else ""
        is_said = key.startswith(("content.must.", "content.must_not.")) and language != "*"
        rows.append(((Code(key),), (Said(value, language) if is_said else value,)))
    return Table(("key", "value"), tuple(rows))


def _summary(changes: Sequence[PackChange]) -> str:
    rules = [rule for change in changes for rule in change.rules]
    added = sum(rule.old is None for rule in rules)
    removed = sum(rule.new is None for rule in rules)
    effects = Counter(rule.direction for rule in rules)
    return (
        f"{_many(len(changes), 'pack')} changed; {_many(len(rules), 'rule')}: {added} added, {removed} removed, "
        f"{len(rules) - added - removed} changed. {effects[Direction.TIGHTER]} bind more, {effects[Direction.LOOSER]} "
        f"bind less, {effects[Direction.NO_EFFECT]} are not enforced, and of {effects[Direction.UNTOLD]} it cannot be "
        "told from the values alone."
    )


def _many(n: int, unit: str) -> str:
    return f"{n} {unit}" if n == 1 else f"{n} {unit}s"


def _pack_change(change: PackChange) -> Section:
    pack = change.pack
    said: tuple[Para | Table, ...] = ()
    if change.old is None:
        said = (Para(("The pack is new.",)),)
    elif change.new is None:
        said = (Para(("The pack is gone.",)),)
    elif change.changes:
        lines = (_words(each) for each in change.changes)
        said = (Para((" ".join(lines),)), _changed(change.changes))
        if not change.rules and [each.key for each in change.changes] == ["sha256"]:
            said += (Para(("No rule says anything else: only comments or layout differ.",)),)
    return Section(
        (f"{pack.title} ({pack.name})",),
        (*said, *(_rule_change(each) for each in change.rules)),
        pack.name,
    )


def _rule_change(change: RuleChange) -> Section:
    rule = change.rule
    what = "changed"
    blocks: list[Para | Table] = []
    if change.old is None or change.new is None:
        what = "added" if change.old is None else "removed"
        verb = "It says" if change.old is None else "It said"
        blocks.append(Para((f"{verb}: {rule_words.sentence(rule)}",)))
        blocks.append(Para((f"{rule_words.effective(rule)}; {rule_words.enforcement(rule)}",)))
    else:
        was = change.old
        what = "changed" if (was.id, was.pack) == (rule.id, rule.pack) else f"was {was.id}"
        if was.pack != rule.pack:
            what += f" of {was.pack}"
        before, now = rule_words.sentence(change.old), rule_words.sentence(change.new)
        if before != now:
            blocks += [Para((f"Before: {before}",)), Para((f"Now: {now}",))]
        blocks.append(Para((" ".join(_words(each) for each in change.changes),)))
        blocks.append(_changed(change.changes))
    effect = f", {change.direction}" if change.direction else ""
    title = (Code(rule.id), f" {rule.title} (from {rule.effective_from}): {what}{effect}")
    return Section(title, tuple(blocks), f"{rule.id}@{rule.effective_from}")


def _words(change: Change) -> str:
    """Return a change in words: "cap.most was 3 and is 2: tightened."."""
    effect = f": {change.direction}" if change.direction else ""
    if not change.old:
        return f"{change.key} is there now, {change.new}{effect}."
    if not change.new:
        return f"{change.key} is gone, it was {change.old}{effect}."
    return f"{change.key} was {change.old} and is {change.new}{effect}."


def _changed(changes: Iterable[Change]) -> Table:
    rows = tuple(
        (
            (Code(each.key),),
            (each.old or "–",),
            (each.new or "–",),
            (each.direction.value,),
        )
        for each in changes
    )
    return Table(("key", "old", "new", "what it does"), rows)
