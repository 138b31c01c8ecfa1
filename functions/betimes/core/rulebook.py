"""The rule book: one page for each pack, an index of them, and a page about what changed between two states of them.

It is made for the person who answers for the rules: what each one says in a plain sentence, whom it binds, since when,
on whose word, how far it is enforced and what the platform does with it; and below that every parameter as the file
states it. What the book says of enforcement is what `core.law` does, not what the law demands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final

from betimes.core import rule_words
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
from betimes.core.rule import Kind, Pack, Residency, Rule, Status
from betimes.core.rule_changes import Change, Direction, PackChange, RuleChange, parameters, text

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
        "What is signed is the text of the file, told apart by its SHA-256: one character changed, be it in a comment, "
        "gives another hash, and the file is read and signed anew."
    ),
    (
        'A rule "signed by" somebody is enforced on word that is not verified, because the one named answers for it. '
        "Without a name such a rule can only make us quieter; it never makes us send, and never changes money."
    ),
)
_ENFORCED: Final = (
    ("enforced", "it binds: on a text that was read, or on the word of somebody who signs for it"),
    ("binding", "it binds, but is about figures, debits or records, and stops no contact"),
    (
        "not verified",
        "it makes us quieter on word that is not verified, and every decision says so",
    ),
    ("shown only", "it is evaluated and recorded, and stops and demands nothing"),
    ("switched off", "it stands in the book and is not evaluated; every draft is"),
)
# What a rule's own table of parameters leaves out, because it stands above it.
_TOLD_ABOVE: Final = frozenset(
    {"id", "title", "kind", "party", "stages", "purposes", "channels", "products", "from", "to"}
    | {"force", "status", "enforce", "citation", "source", "note", "signed_by"}
)


def pages(packs: Iterable[Pack], on: date) -> tuple[Page, ...]:
    """Return the index and the page of each pack, in order of name, as of the day `on`."""
    found = sorted(packs, key=lambda pack: pack.name)
    known = frozenset(pack.name for pack in found)
    return (_index(found, on), *(pack_page(pack, on, known) for pack in found))


def pack_page(pack: Pack, on: date, known: Collection[str] = ()) -> Page:
    """Return the page of a pack as of the day `on`; `known` are the packs whose pages stand beside it and are
    linked.
    """
    anchors = _anchors(pack)
    contents = tuple(
        (
            Link(rule.id, anchor=anchor),
            f" {rule.title} ({rule_words.standing(rule, on)}; {_in_short(rule)})",
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
                (Code(pack.sha256[:12]) if pack.sha256 else "–",),
            )
        )
    head = (
        *("pack", "of", "refines", "rules in force", "not yet", "ended", "drafts"),
        "hash, its first 12 digits",
    )
    return Page(
        INDEX,
        f"Rules of contact, as of {on}",
        (
            Para((NOT_ADVICE,), stands_out=True),
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


def _signing() -> Section:
    return Section(
        ("What signing means",), (Bullets(tuple((each,) for each in _SIGNING)),), "signing"
    )


def _in_short(rule: Rule) -> str:
    return rule_words.enforcement(rule).partition(":")[0]


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
        ("Hash of the file", (Code(pack.sha256) if pack.sha256 else "not known",)),
    ]  # fmt: skip
    return Facts(tuple(rows))


def _residency(residency: Residency | None) -> Facts | Para:
    if residency is None:
        return Para(("The pack states no limit: data of its borrowers may live in any region.",))
    does = {
        True: "a deployment that serves this pack from elsewhere is refused when it is synthesized",
        False: "nothing is refused because of it",
    }[residency.enforce.binds]
    return Facts(
        (
            ("AWS partitions", (text(residency.partitions) if residency.partitions else "any",)),
            ("AWS regions", (text(residency.regions) if residency.regions else "any",)),
            ("Known", (rule_words.STATUSES[residency.status],)),
            ("Enforcement", (f"{residency.enforce}: {does}",)),
            ("Citation", (residency.citation,)),
        )
    )


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
