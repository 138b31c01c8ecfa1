"""`betimes check`: whether a treatment could break a rule of the places it is used in: a proof, or the smallest case.

A treatment is asked about with the products that use it. A product whose dates are those of a zone of its own is used
where that zone is one of the place's; elsewhere only where somebody asks for just that. What is proved may be signed:
policies are used only as they were signed (`adapters.proofs`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from betimes.adapters import calendars, law_packs, pack_files, packs, proofs
from betimes.core import sign_off, zones
from betimes.core import treatment as treatments
from betimes.core.errors import Rejected
from betimes.core.law import HOUSE, Law
from betimes.core.policies import Policies
from betimes.core.product import Profile
from betimes.core.proof import Counterexample, Note, Proof, Refusal
from betimes.core.prover import HORIZON_DAYS, prove
from betimes.core.rule import Kind, Pack, Party
from betimes.core.treatment import MessageClass, Treatment
from betimes.core.values import replace
from betimes.local import publish
from betimes.local.console import Progress

DEFAULT: Final = "default"
# Contacts of a counterexample that are printed; `--json` has all.
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for: treatments by name or file, none for all; sets of jurisdictions, none for those a
    treatment is meant for; the first due date; how many days; who contacts; which step gives which rule's notice; the
    treatment of products that name none; whether what is proved is signed; and whether it ends with 1 where a pack that
    was asked is not signed, or has changed since. `licence` is the lender's, and `today` the day by which proofs end,
    None: that of the clock.
    """

    treatments: tuple[str, ...]
    jurisdictions: tuple[tuple[str, ...], ...]
    first: date
    days: int
    party: Party = Party.FIRST
    notices: Mapping[str, str] | None = None
    default: str = DEFAULT
    sign: bool = False
    signed_packs: bool = False
    licence: str = ""
    today: date | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    treatment: Treatment
    jurisdictions: tuple[str, ...]
    profiles: tuple[Profile, ...]


def check(wish: Wish, *, as_json: bool) -> int:
    """Ask, print what came of it, and return 0 where all is proved, 1 where something is refused; one JSON object with
    `as_json`. With `wish.sign` what is proved is signed, where nothing is refused.

    Raises:
        Rejected: code "unknown_treatment", "unknown_pack" and "bad_options" for what the command line names;
            "missing_file" and what reading a file raises; "too_many_kinds" as the prover gives it; "bad_out" where the
            certificate cannot be written; "unpublishable", where a template may not be signed.
    """
    if wish.sign:
        _check_whole(wish)
    law = law_packs.law()
    policies, chosen = _treatments(wish)
    asked = [each for treatment in chosen for each in _cases(treatment, wish, law, policies)]
    _check_notices(wish, law, chosen)
    progress = Progress()
    results: list[Proof | Refusal] = []
    started = time.perf_counter()
    for each in asked:
        what = f"{each.treatment.name} in {'+'.join(each.jurisdictions)}"
        results.append(
            prove(
                each.treatment,
                law,
                each.jurisdictions,
                each.profiles,
                policies.templates,
                first=_first(each.treatment, wish.first),
                days=wish.days,
                party=wish.party,
                notices=wish.notices,
                licence=wish.licence,
                progress=partial(progress.count, what),
            )
        )
    progress.clear()
    seconds = time.perf_counter() - started
    refused = any(isinstance(each, Refusal) for each in results)
    if wish.sign:
        _check_texts(policies, wish.first)
    signed = _sign(chosen, asked, results, policies) if wish.sign and not refused else ""
    answered = {each.name: sign_off.standing(each) for each in _asked_packs(results, law)}
    if wish.signed_packs and any(
        each is not sign_off.Standing.SIGNED for each in answered.values()
    ):
        refused = True
    limits = _limits(chosen, asked, policies)
    ending = _ending(wish, chosen)
    if as_json:
        more = {"packs": answered, "limits": limits, "ending": ending, "signed": signed}
        print(json.dumps({**_document(results, seconds), **more}, ensure_ascii=False))
    else:
        print(_text(results, law, seconds))
        told = [f"  {line}" for line in limits]
        print(
            "\n".join(
                ["not proved, while each contact is asked about when it is sent:", *told, *ending]
            )
        )
        if wish.sign:
            print(
                f"\nsigned: {signed}" if signed else "\nnothing is signed: correct what is refused"
            )
    return 1 if refused else 0


def _check_whole(wish: Wish) -> None:
    """Refuse to sign less than the whole: a treatment that is not shipped, other places or days, or an agency's."""
    named = [name for name in wish.treatments if name.endswith(".toml")]
    for is_less, option in (
        (bool(named), "--treatment"),
        (bool(wish.jurisdictions), "--packs"),
        (wish.days < HORIZON_DAYS, "--days"),
        (wish.party is not Party.FIRST, "--party"),
        # Who gives that notice is no part of what is signed.
        (bool(wish.notices), "--notice"),
    ):
        if is_less:
            raise Rejected(
                "bad_options",
                option,
                "asks for another thing than what is used, and --sign signs just that; leave one of the two out; a "
                "file becomes one that is used in packs/treatments",
            )


def _check_texts(policies: Policies, on: date) -> None:
    """Refuse to sign policies with a template that publishing refuses: what is signed is what may be sent.

    Raises:
        Rejected: code "unpublishable"; the message has the first thing that is wrong.
    """
    wrong = publish.refused(policies, on)
    if wrong:
        more = f" (and {len(wrong) - 1} more; see betimes publish)" if len(wrong) > 1 else ""
        raise Rejected("unpublishable", "--sign", f"{wrong[0]}{more}")


def _sign(
    chosen: Sequence[Treatment],
    asked: Sequence[_Asked],
    results: Sequence[Proof | Refusal],
    policies: Policies,
) -> str:
    """Write the certificates of the treatments that were proved beside those of the others; return where they are."""
    kept = {name: each for name, each in _signed().items() if name in policies.treatments}
    for treatment in chosen:
        proved = [
            (each.jurisdictions, result)
            for each, result in zip(asked, results, strict=True)
            if each.treatment.name == treatment.name
        ]
        kept[treatment.name] = proofs.Certificate(
            treatment.name,
            tuple(sorted(name for names, _ in proved for name in names)),
            policies.rules.licence,
            max((result.subject.first for _, result in proved), default=date.min),
            min((result.subject.last for _, result in proved), default=date.max),
            sum(result.cases for _, result in proved),
            proofs.files_of(treatment, policies, policies.rules.licence),
        )
    return proofs.write(kept)


def _signed() -> Mapping[str, proofs.Certificate]:
    """Return the certificates there are; none where the file cannot be used, which signing mends."""
    try:
        return proofs.read()
    except Rejected:
        return {}


def _first(treatment: Treatment, asked: date) -> date:
    """Return the first due date to ask about: a treatment that is not effective yet is asked from its first day on."""
    oldest = list(treatment.versions())[-1]
    return max(asked, oldest.effective_from)


def _treatments(wish: Wish) -> tuple[Policies, list[Treatment]]:
    """Return the policies, with a treatment from a file among them, and the treatments to ask about."""
    policies = packs.drafts(wish.default, "", wish.licence)
    chosen = []
    for named in wish.treatments or sorted(policies.treatments):
        if not named.endswith(".toml"):
            if named not in policies.treatments:
                raise Rejected(
                    "unknown_treatment",
                    "--treatment",
                    f"there is no treatment {named!r}; shipped: {', '.join(sorted(policies.treatments))}; a file ends "
                    "with .toml",
                )
            chosen.append(policies.treatments[named])
            continue
        read = _read(Path(named))
        known = {**policies.treatments, read.name: read}
        default = read if read.name == DEFAULT else policies.treatment
        # Whoever makes policies refuses a step without words.
        policies = replace(policies, treatments=known, treatment=default)
        chosen.append(read)
    return policies, chosen


def _read(file: Path) -> Treatment:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Rejected(
            "missing_file", "--treatment", f"{file} is no file that can be read as UTF-8"
        ) from None
    document = pack_files.parsed(text, str(file))
    name = document.get("calendar", "")
    known = [each for each in calendars.shipped() if each == name]
    return treatments.parse(document, str(file), {each: calendars.calendar(each) for each in known})


def _cases(treatment: Treatment, wish: Wish, law: Law, policies: Policies) -> list[_Asked]:
    """Return where a treatment is asked about, each with the products that use it there."""
    for name in (name for names in wish.jurisdictions for name in names):
        if name != HOUSE and not law.resolve(name):
            raise _unknown_pack(name, "--packs", "", law)
    if wish.jurisdictions:
        return [
            _Asked(
                treatment,
                names,
                # Asked for by name: also what is not used there.
                proofs.users_in(treatment, names, policies) or proofs.users(treatment, policies),
            )
            for names in wish.jurisdictions
        ]
    for name in proofs.meant_for(treatment, policies):
        if name not in law.packs:
            raise _unknown_pack(name, "jurisdictions", f"{treatment.place}: ", law)
    return [
        _Asked(treatment, (name,), proofs.users_in(treatment, (name,), policies))
        for name in proofs.places(treatment, policies)
    ]


def _unknown_pack(name: str, field: str, place: str, law: Law) -> Rejected:
    return Rejected(
        "unknown_pack",
        field,
        f"{place}there is no pack {name!r}; there are: {', '.join(sorted(law.packs))}",
    )


def _limits(chosen: Sequence[Treatment], asked: Sequence[_Asked], policies: Policies) -> list[str]:
    """Return what no proof covers of the treatments that were asked about, a line each."""
    licence = policies.rules.licence or "none"
    lines = [
        "people whose number belongs to another place than they live in: both bind (ask with --packs CN+US)",
        f"lenders with another licence than {licence} (--licence)",
        "three debts of one person and more; two of which each has another treatment",
        "two debts that fall due on one day and are told together (digest), where something holds one of them back",
    ]
    known = set(policies.rules.law.packs)
    for treatment in chosen:
        about = [each for each in asked if each.treatment is treatment]
        where = {name for each in about for name in each.jurisdictions}
        lines.append(
            f"{treatment.name} for people of {', '.join(sorted(known - where)) or 'nowhere'}"
        )
        for profile in proofs.users(treatment, policies):
            out = {
                name
                for each in about
                if profile not in each.profiles
                for name in each.jurisdictions
            }
            if out:
                lines.append(
                    f"{treatment.name} with {profile.name}, whose dates are those of {profile.zone}, for people of "
                    f"{', '.join(sorted(out))}"
                )
        if any(
            step.message_class is MessageClass.STATUTORY
            for version in treatment.versions()
            for step in version.steps
        ):
            lines.append(
                f"{treatment.name} has statutory steps: they pass caps and opt-outs also where no rule demands them, "
                "that is for people of other places and with other products than those proved"
            )
    return lines


def _ending(wish: Wish, chosen: Sequence[Treatment]) -> list[str]:
    """Return which proofs of the treatments end soon, or have ended, a line each."""
    names = {each.name for each in chosen}
    signed = {name: each for name, each in _signed().items() if name in names}
    return [
        f"the signed proof of {name} ends with {last}: sign again before, or nothing starts after it"
        for name, last in proofs.ending(signed, wish.today or proofs.today()).items()
    ]


def _check_notices(wish: Wish, law: Law, chosen: Sequence[Treatment]) -> None:
    """Refuse a notice of a step or a rule that is not there."""
    notices = {
        rule.id for pack in law.packs.values() for rule in pack.rules if rule.kind is Kind.NOTICE
    }
    steps = {step.name for each in chosen for version in each.versions() for step in version.steps}
    for step, rule_id in (wish.notices or {}).items():
        problem = ""
        if step not in steps:
            problem = f"there is no step {step!r}; there are: {', '.join(sorted(steps))}"
        elif rule_id not in notices:
            problem = f"{rule_id!r} is no notice rule; there are: {', '.join(sorted(notices))}"
        if problem:
            raise Rejected("bad_options", "--notice", problem)


# What is printed


def _text(results: Sequence[Proof | Refusal], law: Law, seconds: float) -> str:
    lines: list[str] = []
    for each in results:
        subject = each.subject
        where = "+".join(subject.jurisdictions)
        word = "proved " if isinstance(each, Proof) else "REFUSED"
        products = ", ".join(name.partition("@")[0] for name in subject.products)
        lines.append(f"{word}  {subject.treatment}  {where}  ({products})")
        lines.append(
            f"         {each.cases:,} cases, {each.classes:,} of them worked out; due dates {subject.first} to "
            f"{subject.last}"
        )
        if isinstance(each, Proof):
            lines += _notes(each)
        else:
            for found in each.counterexamples:
                lines += ["", *_counterexample(found)]
            lines.append("")
    proved = sum(isinstance(each, Proof) for each in results)
    cases = sum(each.cases for each in results)
    lines += ["", f"{proved} of {len(results)} proved; {cases:,} cases in {seconds:.1f} s"]
    lines += _not_proved(results, law)
    lines += _signatures(_asked_packs(results, law))
    return "\n".join(lines)


def _notes(proof: Proof) -> list[str]:
    lines = []
    for notes in (proof.shifted, proof.missed):
        if notes:
            told = ", ".join(f"{note.about} ({note.cases:,})" for note in notes)
            lines.append(f"         {notes[0].what}: {told}")
    return lines


def _counterexample(found: Counterexample) -> list[str]:
    """Return the lines of a counterexample: the rule first, then the case, then the way out."""
    lines = [
        f"  {found.rule_id} ({found.asked}; {found.status}, {found.enforce})",
        f"    {found.problem}.",
    ]
    facts = [f"product {found.product}" if found.product else ""]
    facts += [f"due {found.due_on}" if found.zones else f"from {found.due_on}"]
    facts += [f"borrower in {' or '.join(found.zones)}" if found.zones else ""]
    facts += [found.borrower]
    facts += [f"step {found.step} by {found.channel}" if found.step else ""]
    facts += [f"at {zones.to_text(found.at)}" if found.at else ""]
    lines.append(f"    case: {'; '.join(each for each in facts if each)}")
    if found.contacts:
        more = len(found.contacts) - _SHOWN
        lines += [
            f"      {zones.to_text(each.at)}  step {each.step}, debt {each.debt}"
            for each in found.contacts[:_SHOWN]
        ]
        lines += [f"      and {more} more"] if more > 0 else []
    lines += [f"    citation: {found.citation}", f"    way out: {found.way_out}"]
    return lines


def _asked_packs(results: Sequence[Proof | Refusal], law: Law) -> list[Pack]:
    """Return the packs whose rules were asked, with those they refine, in order of name."""
    asked = [law.resolve(name) or HOUSE for each in results for name in each.subject.jurisdictions]
    names = set()
    while asked:
        if (name := asked.pop()) not in names:
            names.add(name)
            asked += [law.packs[name].refines] if law.packs[name].refines else []
    return [law.packs[name] for name in sorted(names)]


def _signatures(packs: Sequence[Pack]) -> list[str]:
    """Return which packs nobody answers for, and which have changed since somebody did."""
    unsigned = [each.name for each in packs if each.signed is None]
    lines = [f"not signed by anybody: {', '.join(unsigned)}"] if unsigned else []
    return lines + [
        f"{each.name}: {sign_off.words(each)}"
        for each in packs
        if sign_off.standing(each) is sign_off.Standing.CHANGED
    ]


def _not_proved(results: Sequence[Proof | Refusal], law: Law) -> list[str]:
    """Return the notices that no proof covers, each with why: a reader must not take them for proved."""
    notices = {
        rule.id for pack in law.packs.values() for rule in pack.rules if rule.kind is Kind.NOTICE
    }
    found = {
        note.about: note.what
        for each in results
        if isinstance(each, Proof)
        for note in each.not_proved
        if note.about in notices
    }
    if not found:
        return []
    lines = [
        "not proved (other rules are asked of each contact when it is sent; --json lists them):"
    ]
    return lines + [f"  {name}: {found[name]}" for name in sorted(found)]


def _document(results: Sequence[Proof | Refusal], seconds: float) -> dict[str, Any]:
    """Return the object of `--json`."""
    return {
        "proved": all(isinstance(each, Proof) for each in results),
        "cases": sum(each.cases for each in results),
        "seconds": round(seconds, 3),
        "results": [_result(each) for each in results],
    }


def _result(each: Proof | Refusal) -> dict[str, Any]:
    subject = each.subject
    told: dict[str, Any] = {
        "treatment": subject.treatment,
        "jurisdictions": list(subject.jurisdictions),
        "products": list(subject.products),
        "packs": dict(subject.packs),
        "first": str(subject.first),
        "last": str(subject.last),
        "proved": isinstance(each, Proof),
        "cases": each.cases,
        "classes": each.classes,
    }
    if isinstance(each, Proof):
        for name in ("shifted", "missed", "not_proved"):
            notes: tuple[Note, ...] = getattr(each, name)
            told[name] = [
                {"about": note.about, "what": note.what, "cases": note.cases} for note in notes
            ]
    else:
        told["counterexamples"] = [_case(found) for found in each.counterexamples]
    return told


def _case(found: Counterexample) -> dict[str, Any]:
    return {
        "asked": str(found.asked),
        "rule": found.rule_id,
        "citation": found.citation,
        "status": str(found.status),
        "enforce": str(found.enforce),
        "product": found.product,
        "borrower": found.borrower,
        "zones": list(found.zones),
        "due_on": str(found.due_on),
        "step": found.step,
        "channel": found.channel,
        "at": zones.to_text(found.at) if found.at else "",
        "contacts": [
            {"step": each.step, "debt": each.debt, "at": zones.to_text(each.at)}
            for each in found.contacts
        ],
        "problem": found.problem,
        "way_out": found.way_out,
    }
