"""What a borrower agreed to and refused, as lenders tell it and as borrowers answer: commands, and the entries they put
into the ledger of a person (`core.consent`).

Only entries are added. A command carries ids, so told twice it adds nothing; an id with other content is refused.
Taking a consent back says that the person wants no more, so it is a refusal too, also where the law asks for no
consent. Nothing but a lift, or the person's own START, ends a refusal: a consent that is told later does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from betimes.core import consent, ids, keywords, zones
from betimes.core.book import Pages
from betimes.core.budget import token_of
from betimes.core.consent import Consent, Entry, Ledger, Reach, Refusal, Switch
from betimes.core.errors import Rejected
from betimes.core.keywords import Meaning, Reply
from betimes.core.policies import Policies
from betimes.core.rule import ConsentForm, ConsentTerms, Purpose
from betimes.core.values import dataclass, replace

# How far the clock of whoever tells may run ahead of ours.
TOLERANCE: Final = timedelta(minutes=10)
# Ids of what is told; entries of the ledger add an ending to them.
MAX_ID: Final = 100
# The longest reference to a proof.
MAX_EVIDENCE: Final = 200
# Statements that one request may tell of.
MAX_STATEMENTS: Final = 50
# Entries kept of one person; beyond that only plain refusals are.
MAX_ENTRIES: Final = 1000
YEARS: Final = range(1970, 2200)
# What a consent to reminders, or to marketing, is consent to. A statutory notice asks for none.
PURPOSES: Final = {
    Switch.REMINDER: (Purpose.PRE_DEBIT, Purpose.COURTESY, Purpose.OVERDUE),
    Switch.MARKETING: (Purpose.MARKETING,),
}


class Act(StrEnum):
    """What was done: a consent given, a contact refused, a consent taken back, a refusal taken back."""

    GRANT = "grant"
    REFUSE = "refuse"
    REVOKE = "revoke"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a person said at `at` (UTC), told under `id`; revoke and lift name the id of the consent or refusal.

    `switch` is what about, reminders or marketing; `channel` "" any; `address` the plain number or address, "" any, of
    which only a token is kept. `form` and `valid_until` are those of a grant. `evidence` says where the proof lies,
    `by` who recorded it, "" the lender. What a revoke or a lift says beside its id, instant and evidence is left aside.
    """

    id: str
    act: Act
    at: datetime
    switch: Switch = Switch.REMINDER
    channel: str = ""
    address: str = ""
    form: ConsentForm = ConsentForm.OPT_IN
    evidence: str = ""
    by: str = ""
    language: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TellConsents:
    """Tell what a person agreed to, refused, or took back; at most `MAX_STATEMENTS`, applied in their order."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class TellReply:
    """Tell what a person answered by `channel` from `address` (plain; only a token is kept) at `at` (UTC), as it was
    read by `core.keywords`; the text itself is not kept. `message_id` is the provider's.
    """

    message_id: str
    channel: str
    address: str
    at: datetime
    reply: Reply


def consented(pages: Pages, command: TellConsents, policies: Policies, now: datetime) -> Pages:
    """Return the pages with what is new of the statements in the ledger; the same pages where nothing is.

    Raises:
        Rejected: code "unknown_borrower", "bad_id", "bad_consent", "in_the_future", "bad_date", "duplicate_id",
            "unknown_consent"; the field names the statement, and nothing of the command is in any pages.
    """
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before its consents")
    if not 1 <= len(command.statements) <= MAX_STATEMENTS:
        raise Rejected(
            "bad_consent", "consents", f"a request has 1 to {MAX_STATEMENTS} of them; send several"
        )
    for n, statement in enumerate(command.statements):
        try:
            pages = _stated(pages, statement, policies, now)
        except Rejected as rejected:
            many = len(command.statements) > 1
            field = f"consents.{n}.{rejected.field}" if many else rejected.field
            raise Rejected(rejected.code, field, rejected.message) from None
    return pages


def answered(pages: Pages, command: TellReply, policies: Policies, now: datetime) -> Pages:
    """Return the pages with what an answer closes or opens; the same pages where it does neither, or did so before.

    What is not understood closes its channel for reminders and marketing until a person has read it and lifts that:
    the entry is there, provisional, under the id of the message. HELP and PAID close nothing.

    Raises:
        Rejected: code "unknown_borrower", "bad_id", "in_the_future", "bad_date", or "duplicate_id" where the id stands
            for another answer.
    """
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before its replies")
    _check_id(command.message_id, "message_id")
    _check_instant(command.at, "at", now)
    address = token_of(pages.tenant, pages.borrower_id, command.address)
    if command.reply.meaning is Meaning.START:
        for switch in (Switch.REMINDER, Switch.MARKETING):
            for entry in consent.lift(pages.consents, switch, command.channel, address, command.at):
                pages = _added(pages, replace(entry, told_at=now))
        return pages
    reaches = {
        switch: _reach(pages, policies, switch, command.channel, command.at)
        for switch in (Switch.REMINDER, Switch.MARKETING)
    }
    told = keywords.refusals(
        command.reply,
        message_id=command.message_id,
        channel=command.channel,
        address=address,
        at=min(command.at, now),
        reaches=reaches,
        evidence=command.message_id,
    )
    for entry in told:
        pages = _refused(pages, entry, "message_id", policies, now)
    return pages


def _stated(pages: Pages, said: Statement, policies: Policies, now: datetime) -> Pages:
    _check_id(said.id, "id")
    _check_instant(said.at, "at", now)
    if len(said.evidence) > MAX_EVIDENCE or not said.evidence.isprintable():
        raise Rejected(
            "bad_consent",
            "evidence",
            f"the proof is named in at most {MAX_EVIDENCE} plain characters",
        )
    match said.act:
        case Act.GRANT:
            return _granted(pages, said, now)
        case Act.REFUSE:
            refusal = _refusal(pages, said, said.id, policies, now)
            return _refused(pages, refusal, "id", policies, now)
        case Act.REVOKE:
            return _revoked(pages, said, policies, now)
        case Act.LIFT:
            return _lifted(pages, said, now)


def _granted(pages: Pages, said: Statement, now: datetime) -> Pages:
    if said.form is ConsentForm.NOT_REFUSED:
        raise Rejected("bad_consent", "form", "silence is no consent: opt_in, express or written")
    if not said.evidence:
        raise Rejected("bad_consent", "evidence", "a consent says where the proof of it lies")
    if said.valid_until is not None:
        if said.valid_until <= said.at:
            raise Rejected("bad_consent", "valid_until", "a consent ends after it was given")
        _check_year(said.valid_until, "valid_until")
    for purpose in PURPOSES[said.switch]:
        entry = Consent(
            id=f"{said.id}:{purpose}",
            purpose=purpose,
            channel=said.channel,
            address=token_of(pages.tenant, pages.borrower_id, said.address),
            form=said.form,
            given_at=said.at,
            evidence=said.evidence,
            source=said.by or pages.tenant,
            language=said.language,
            valid_until=said.valid_until,
            told_at=now,
        )
        old = _first(pages.consents, entry.id)
        if old is None:
            if any(_first(pages.consents, each) for each in _other_ids(said)):
                raise _taken("id")
            pages = _added(pages, entry)
        elif not isinstance(old, Consent) or replace(entry, told_at=old.told_at) != old:
            raise _taken("id")
    return pages


def _other_ids(said: Statement) -> list[str]:
    """Return the ids that a refusal, or a consent about the other switch, would have under the id of a grant."""
    others = [
        purpose for switch in PURPOSES if switch is not said.switch for purpose in PURPOSES[switch]
    ]
    return [said.id, *(f"{said.id}:{purpose}" for purpose in others)]


def _refusal(
    pages: Pages, said: Statement, identity: str, policies: Policies, now: datetime
) -> Refusal:
    reach, media = _reach(pages, policies, said.switch, said.channel, said.at)
    return Refusal(
        id=identity,
        switch=said.switch,
        channel=said.channel,
        address=token_of(pages.tenant, pages.borrower_id, said.address),
        # A clock that runs ahead must not let anything out.
        at=min(said.at, now),
        reach=reach,
        media=media,
        evidence=said.evidence,
        source=said.by or pages.tenant,
    )


def _reach(
    pages: Pages, policies: Policies, switch: Switch, channel: str, at: datetime
) -> tuple[Reach, frozenset[str]]:
    """Return how far the law makes a refusal reach; see `consent.reach_of`. Never less than its channel."""
    assert pages.head is not None
    rules = policies.rules
    names = rules.jurisdictions(pages.head)
    on = zones.local_date(at, pages.head.zone)
    reach, media = consent.reach_of(rules.law.chain(names), switch, channel, on)
    return consent.wider(reach, Reach.CHANNEL), media


def _refused(
    pages: Pages, refusal: Refusal, field: str, policies: Policies, now: datetime
) -> Pages:
    """Return the pages with a refusal and the ends of the consents that it takes back; `field` names its id."""
    old = _first(pages.consents, refusal.id)
    if old is not None:
        if not isinstance(old, Refusal) or _content(old) != _content(refusal):
            raise _taken(field)
        return pages
    due_at = _obey_by(pages, policies, refusal)
    for end in consent.revoke(pages.consents, refusal, due_at):
        pages = _added(pages, replace(end, told_at=now))
    return _added(pages, replace(refusal, told_at=now))


def _revoked(pages: Pages, said: Statement, policies: Policies, now: datetime) -> Pages:
    """Return the pages with a consent taken back: its ends, and a refusal as far as it went."""
    given = [each for each in _found(pages.consents, said.id) if isinstance(each, Consent)]
    if not given:
        raise Rejected("unknown_consent", "id", "this borrower has given no consent with this id")
    identity = f"{said.id}:revoked"
    if _first(pages.consents, identity) is not None:
        return pages
    if said.at < given[0].given_at:
        raise Rejected("bad_consent", "at", "a consent is taken back after it was given")
    first = given[0]
    switch = consent.switch_of(first.purpose)
    reach, media = _reach(pages, policies, switch, first.channel, said.at)
    refusal = Refusal(
        id=identity,
        switch=switch,
        channel=first.channel,
        address=first.address,
        at=min(said.at, now),
        reach=reach,
        media=media,
        evidence=said.evidence,
        source=said.by or pages.tenant,
    )
    due_at = _obey_by(pages, policies, refusal)
    ended = {each.id for each in given if each.revoked_at is not None}
    for each in given:
        if each.id not in ended:
            end = replace(each, revoked_at=refusal.at, revocation_due_at=due_at, told_at=now)
            pages = _added(pages, end)
    return _refused(pages, refusal, "id", policies, now)


def _lifted(pages: Pages, said: Statement, now: datetime) -> Pages:
    """Return the pages with a refusal lifted, or both that an answer with this id made."""
    given = [each for each in _found(pages.consents, said.id) if isinstance(each, Refusal)]
    if not given:
        raise Rejected("unknown_consent", "id", "this borrower has no refusal with this id")
    lifted = {each.id for each in given if each.lifted_at is not None}
    for each in given:
        if each.id in lifted:
            continue
        if said.at < each.at:
            raise Rejected("bad_consent", "at", "a refusal is lifted after it was made")
        pages = _added(pages, replace(each, lifted_at=said.at, told_at=now))
    return pages


def _found(ledger: Ledger, identity: str) -> Iterator[Entry]:
    """Yield the entries with an id, and those that one statement or answer with it made."""
    endings = ("", *(f":{each}" for each in (*Purpose, *Switch)))
    ids = {identity + ending for ending in endings}
    return (each for each in ledger if each.id in ids)


def _first(ledger: Ledger, identity: str) -> Entry | None:
    return next((each for each in ledger if each.id == identity), None)


def _content(refusal: Refusal) -> tuple[object, ...]:
    """Return what makes a refusal told again the same one; how far it reaches is the law's, and may have changed."""
    return refusal.switch, refusal.channel, refusal.address, refusal.words, refusal.provisional


def _obey_by(pages: Pages, policies: Policies, refusal: Refusal) -> datetime:
    """Return by when the law wants a refusal to be obeyed: the latest that all binding rules about it allow."""
    assert pages.head is not None
    rules, zone = policies.rules, pages.head.zone
    on = zones.local_date(refusal.at, zone)
    days = [
        rule.terms.revoked_within_days
        for rule in rules.law.chain(rules.jurisdictions(pages.head))
        if isinstance(rule.terms, ConsentTerms)
        and rule.enforce.binds
        and rule.is_in_force(on)
        and (not rule.channels or refusal.channel in ("", *rule.channels))
        and refusal.switch in map(consent.switch_of, rule.terms.purposes)
    ]
    return consent.obey_by(refusal.at, min(days, default=0), zone, None)


def _added(pages: Pages, entry: Entry) -> Pages:
    # Whoever says no is heard, however often.
    is_plain_no = isinstance(entry, Refusal) and not entry.provisional and entry.lifted_at is None
    if len(pages.consents) >= MAX_ENTRIES and not is_plain_no:
        raise Rejected(
            "too_many_consents",
            "consents",
            f"{MAX_ENTRIES} entries are kept of one borrower; set a hold of kind opt_out instead",
        )
    return pages.with_entry(entry)


def _taken(field: str) -> Rejected:
    return Rejected("duplicate_id", field, "this id is stored with other content; take a new one")


def _check_id(identity: str, field: str) -> None:
    if not ids.is_id(identity) or len(identity) > MAX_ID:
        raise Rejected("bad_id", field, f"an id has 1 to {MAX_ID} letters, digits or . _ : -")


def _check_instant(at: datetime, field: str, now: datetime) -> None:
    _check_year(at, field)
    if at > now + TOLERANCE:
        raise Rejected("in_the_future", field, "what a person said does not lie in the future")


def _check_year(at: datetime, field: str) -> None:
    if at.year not in YEARS:
        raise Rejected("bad_date", field, f"{field} lies in a year from {YEARS[0]} to {YEARS[-1]}")
