"""The certificate of the policies: for which treatments `betimes check --sign` found a proof, and with which files.

Policies are used only where what is loaded is what was proved, file by file: a treatment in all its versions, the
products that use it, its texts, the rule packs of the places it is meant for, the calendars these count by, and the
words that borrowers answer with. The lender's licence, and which packs and treatments there are, must be those of the
proof, and a proof ends with the last due date that was asked about. The certificate says that the check was run, not
who ran it: it guards against a change that nobody asked about, not against somebody who writes the certificate by
hand (docs/guarantees.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from betimes.adapters import mail_frames, pack_files
from betimes.core.errors import Rejected
from betimes.core.law import HOUSE
from betimes.core.policies import DIGEST, Policies
from betimes.core.product import PLAIN, Profile
from betimes.core.proof import FORM
from betimes.core.rule import NoticeTerms, NoticeUnit, Rule, WindowTerms
from betimes.core.treatment import Treatment
from betimes.core.workdays import Calendar

FILE: Final = "proofs.toml"
WAY_OUT: Final = (
    "run 'betimes check --sign', which proves it anew or shows how it would break a rule"
)
# Stands for debts of products that have no profile, among the files that a proof rests on.
NO_PRODUCT: Final = "products/ (debts of products without a profile)"
# And for which packs there are: one that is added is the law of people whom another one stood for.
PACKS: Final = "rules/ (which packs there are)"
KEYWORDS: Final = "keywords.toml"
# How long before its end a proof is said to end.
WARN_DAYS: Final = 60
_HEAD: Final = """\
# What `betimes check --sign` proved, and the SHA-256 of each file it was proved with. Policies whose files differ are
# refused. Written by that command: do not edit it, run it again.
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was proved of one treatment: the places, each asked for itself with the lender's licence ("" none), the due
    dates, how many cases, and the files by name with the SHA-256 of each.
    """

    treatment: str
    jurisdictions: tuple[str, ...]
    licence: str
    first: date
    last: date
    cases: int
    files: Mapping[str, str]


def users(treatment: Treatment, policies: Policies) -> tuple[Profile, ...]:
    """Return the products whose debts a treatment is for; the default one has those without a profile among them."""
    default = policies.treatment.name
    using = [
        each for each in policies.profiles.values() if (each.treatment or default) == treatment.name
    ]
    return (*using, PLAIN) if treatment.name == default or not using else tuple(using)


def users_in(
    treatment: Treatment, jurisdictions: Iterable[str], policies: Policies
) -> tuple[Profile, ...]:
    """Return those of its products that are used in a place: not those whose dates are of a zone elsewhere."""
    rules = policies.rules
    there = {zone for name in jurisdictions if name != HOUSE for zone in rules.candidates(name)}
    return tuple(each for each in users(treatment, policies) if not each.zone or each.zone in there)


def meant_for(treatment: Treatment, policies: Policies) -> tuple[str, ...]:
    """Return the places that a treatment is meant for, of any of its versions; all packs where one names none."""
    named = [version.jurisdictions for version in treatment.versions()]
    if not all(named):
        return tuple(sorted(policies.rules.law.packs))
    return tuple(sorted({name for names in named for name in names}))


def places(treatment: Treatment, policies: Policies) -> tuple[str, ...]:
    """Return the places that a treatment has to be proved for: where it is meant to be used and a product of it is."""
    meant = meant_for(treatment, policies)
    return tuple(name for name in meant if users_in(treatment, (name,), policies))


def files_of(treatment: Treatment, policies: Policies, licence: str) -> dict[str, str]:
    """Return the files that a proof of a treatment under a licence rests on, by name, with the SHA-256 of what each
    says.
    """
    names = {version.place for version in treatment.versions()}
    found = {}
    for profile in users(treatment, policies):
        if profile is PLAIN:
            found[NO_PRODUCT] = "asked"
        else:
            names.add(f"products/{profile.name}.toml")
    for version in treatment.versions():
        texts = {name for step in version.steps for name in step.templates}
        names |= {f"templates/{name}.toml" for name in (*texts, *[DIGEST] * version.digest)}
    law = policies.rules.law
    beside = (licence,) if licence else ()
    rules = [rule for name in places(treatment, policies) for rule in law.chain((name, *beside))]
    names |= {KEYWORDS, *mail_frames.FILES}
    found[PACKS] = _digest("\n".join(sorted(law.packs)))
    found |= {
        f"rules/{name}.toml": law.packs[name].sha256 for name in {rule.pack for rule in rules}
    }
    for calendar in _calendars(treatment, rules, policies):
        found[f"calendars/{calendar.name}"] = _digest(_dates(calendar))
    for name in names:
        file = pack_files.root().joinpath(*name.split("/"))
        found[name] = _digest(pack_files.text(file, name))
    return dict(sorted(found.items()))


def _calendars(
    treatment: Treatment, rules: Iterable[Rule], policies: Policies
) -> dict[Calendar, None]:
    """Return the calendars that decide on which days something is open or due."""
    law = policies.rules.law
    found = {each.calendar: None for each in treatment.versions() if each.calendar is not None}
    for rule in rules:
        terms = rule.terms
        asks = isinstance(terms, WindowTerms) or (
            isinstance(terms, NoticeTerms) and terms.unit is NoticeUnit.BUSINESS_DAYS
        )
        own = terms.calendar if isinstance(terms, WindowTerms) else ""
        name = own or law.packs[rule.pack].calendar
        if asks and name in law.calendars:
            found[law.calendars[name]] = None
    return found


def _dates(calendar: Calendar) -> str:
    """Return all that a calendar decides by, as text; where it was read from is of no account."""
    parts = (calendar.published, calendar.holidays, calendar.workdays, calendar.weekend)
    return "\n".join(" ".join(str(each) for each in sorted(part)) for part in parts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read() -> dict[str, Certificate]:
    """Return the certificates by treatment; none where there is no file.

    Raises:
        Rejected: code "unproved_policy", where the file is not what `betimes check --sign` writes.
    """
    file = pack_files.root() / FILE
    if not file.is_file():
        return {}
    document = pack_files.document(file, FILE)
    try:
        if document["form"] != FORM:
            raise _unproved(
                "", f"{FILE} is of form {document['form']}, this release asks for {FORM}"
            )
        return {name: _certificate(name, row) for name, row in document["proof"].items()}
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _unproved("", f"{FILE} is not as 'betimes check --sign' writes it") from None


def _certificate(name: str, row: Mapping[str, Any]) -> Certificate:
    files = {str(file): str(digest) for file, digest in row["files"].items()}
    return Certificate(
        name,
        tuple(row["jurisdictions"]),
        str(row["licence"]),
        _date(row["first"]),
        _date(row["last"]),
        int(row["cases"]),
        files,
    )


def _date(value: object) -> date:
    if type(value) is not date:
        raise ValueError("no date")
    return value


def today() -> date:
    """Return the day by which proofs end, in UTC."""
    return datetime.now(UTC).date()


def ending(certificates: Mapping[str, Certificate], on: date) -> dict[str, date]:
    """Return the treatments whose proofs end within `WARN_DAYS` days from a day, or have ended, with their last day."""
    return {
        name: each.last
        for name, each in sorted(certificates.items())
        if each.last <= on + timedelta(days=WARN_DAYS)
    }


def require(policies: Policies, on: date | None = None) -> None:
    """Refuse policies of which a treatment is not proved just as it is loaded, or, where a day is given, not for it.

    Functions name no day: what runs does not stop at night because a proof has ended. Every contact is asked about by
    every rule again, the close of day raises an alarm from `WARN_DAYS` days before, and nothing is deployed afterwards.

    Raises:
        Rejected: code "unproved_policy"; the message names the treatment, the file that differs, and the way out.
    """
    certificates = read()
    for name in sorted(set(certificates) - set(policies.treatments)):
        raise _unproved(name, "it was proved with the others and is not there any more")
    for name, treatment in sorted(policies.treatments.items()):
        certificate = certificates.get(name)
        if certificate is None:
            raise _unproved(name, f"there is no proof of it in {FILE}")
        if on is not None and on > certificate.last:
            raise _unproved(name, f"its proof ended with {certificate.last}")
        _require_licence(treatment, certificate, policies)
        missing = sorted(set(_served(treatment, policies)) - set(certificate.jurisdictions))
        if missing:
            raise _unproved(name, f"it is not proved for {', '.join(missing)}")
        difference = _difference(
            certificate.files, files_of(treatment, policies, certificate.licence)
        )
        if difference:
            raise _unproved(name, difference)


def _served(treatment: Treatment, policies: Policies) -> list[str]:
    """Return the places that a treatment is meant for and whose borrowers are taken in."""
    return [name for name in places(treatment, policies) if policies.is_served(name)]


def _require_licence(treatment: Treatment, certificate: Certificate, policies: Policies) -> None:
    """Refuse a licence whose rules bind beside those of a place, where the two were not asked about together."""
    law, licence = policies.rules.law, policies.rules.licence
    if licence == certificate.licence:
        return
    # Where a place is under the licence anyway, that licence adds nothing.
    apart = [
        name
        for name in _served(treatment, policies)
        if certificate.licence or (licence and law.chain((name, licence)) != law.chain((name,)))
    ]
    if apart:
        raise _unproved(
            treatment.name,
            f"it is proved for the licence {certificate.licence or 'none'}, and that of {licence or 'none'} binds too "
            f"in {', '.join(apart)}; say --licence too, or mean the treatment for fewer places ('jurisdictions')",
        )


def _difference(proved: Mapping[str, str], loaded: Mapping[str, str]) -> str:
    """Return the first difference between what was proved and what is loaded, "" where there is none."""
    changed = sorted(name for name in loaded if name in proved and proved[name] != loaded[name])
    new = sorted(set(loaded) - set(proved))
    gone = sorted(set(proved) - set(loaded))
    for names, what in (
        (changed, "has changed since the proof"),
        (new, "is used now and was not part of the proof"),
        (gone, "was part of the proof and is not used now"),
    ):
        if names:
            more = len(changed) + len(new) + len(gone) - 1
            return f"{names[0]} {what}" + (f" (and {more} more differ)" if more else "")
    return ""


def _unproved(name: str, why: str) -> Rejected:
    what = f"treatments/{name}.toml: the treatment {name!r} may not be used: {why}" if name else why
    return Rejected("unproved_policy", "treatment", f"{what}; {WAY_OUT}")


def write(certificates: Mapping[str, Certificate]) -> str:
    """Write the certificates in place of those there are, and return where they are.

    Raises:
        Rejected: code "bad_out", where the packs cannot be written to.
    """
    lines = [_HEAD, f"form = {FORM}\n"]
    for name, each in sorted(certificates.items()):
        quoted = ", ".join(f'"{place}"' for place in each.jurisdictions)
        lines += [
            f'\n[proof."{name}"]\n',
            f"jurisdictions = [{quoted}]\n",
            f'licence = "{each.licence}"\n',
            f"first = {each.first}\nlast = {each.last}\ncases = {each.cases}\n",
            f'\n[proof."{name}".files]\n',
        ]
        lines += [f'"{file}" = "{digest}"\n' for file, digest in sorted(each.files.items())]
    file = Path(str(pack_files.root())) / FILE
    beside = file.with_name(f"{FILE}.new")
    try:
        beside.write_text("".join(lines), "utf-8")
        beside.replace(file)
    except OSError as error:
        raise Rejected(
            "bad_out",
            "--sign",
            f"{file} cannot be written: {error.strerror}; sign in a clone of the repository",
        ) from None
    return str(file)
