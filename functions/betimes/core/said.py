"""What a borrower agreed to and refused, as lenders tell it and as borrowers answer: commands, and the entries they put
into the ledger of a person (`core.consent`).

Only entries are added. A command carries ids, so told twice it adds nothing; an id with other content is refused.
Taking a consent back says that the person wants no more, so it is a refusal too, also where the law asks for no
consent. Nothing but a lift, or the person's own START, ends a refusal: a consent that is told later does not.

A refusal is never turned away for what stands around it. It is added before the consents that it takes back, which end
in as many passes as it takes; it counts beyond the end of what is kept; and one that was lifted and is said again, also
under the same id, is another entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
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
# Statements that one request may tell of: what they are themselves, three entries at most each, fits one transaction.
MAX_STATEMENTS: Final = 25
# Entries that one pass ends, beside what is said itself; the rest is for the next pass (`is_unfinished`).
MAX_ENDS: Final = 20
# Entries kept of one person; beyond that no consent is, and all that stops or ends something.
MAX_ENTRIES: Final = 1000
# The source of a refusal that a provider told of.
PROVIDER: Final = "provider"
# Behind the id of a refusal that was lifted and is told again, before its number.
_AGAIN: Final = ":again"
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
    """Tell what a person agreed to, refused, or took back; at most `MAX_STATEMENTS`, applied in their order.

    `unread` is what was wrong with others beside them, which could not be read; the whole is then rejected with it.
    """

    statements: tuple[Statement, ...]
    unread: Rejected | None = None


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
            "unknown_consent", "too_many_consents", or what `unread` has; the field names the statement, and nothing of
            the command is in any pages. What it refuses can be had from `refusals_of`.
    """
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "create the borrower before its consents")
    if not 1 <= len(command.statements) <= MAX_STATEMENTS:
        raise Rejected(
            "bad_consent",
            "consents",
            f"a request has 1 to {MAX_STATEMENTS} of them; send several requests",
        )
    if command.unread is not None:
        raise command.unread
    until = len(pages.consents) + MAX_ENDS
    for n, statement in enumerate(command.statements):
        try:
            pages = _stated(pages, statement, policies, now, until)
        except Rejected as rejected:
            many = len(command.statements) > 1
            field = f"consents.{n}.{rejected.field}" if many else rejected.field
            raise Rejected(rejected.code, field, rejected.message) from None
    return pages


def refusals_of(
    pages: Pages, command: TellConsents, policies: Policies, now: datetime
) -> TellConsents | None:
    """Return what a command that was rejected refuses all the same: its refusals and revocations, without those that
    are wrong themselves, with the consents they take back; None where it has none, or is too long to be looked at.
    """
    if pages.head is None or not 1 <= len(command.statements) <= MAX_STATEMENTS:
        return None
    revoked = {each.id for each in command.statements if each.act is Act.REVOKE}
    good: list[Statement] = []
    until = len(pages.consents) + MAX_ENDS
    for each in command.statements:
        if each.act is Act.LIFT or (each.act is Act.GRANT and each.id not in revoked):
            continue
        try:
            pages = _stated(pages, each, policies, now, until)
        except Rejected:
            continue
        good.append(each)
    # A consent that nothing good takes back was only looked at, and waits for its list to be right.
    taken_back = {each.id for each in good if each.act is Act.REVOKE}
    told = tuple(each for each in good if each.act is not Act.GRANT or each.id in taken_back)
    return TellConsents(told) if told else None


def is_unfinished(before: Pages, after: Pages) -> bool:
    """Return whether a pass may have left ends for the next: the same command, accepted once more, adds them."""
    return len(after.consents) - len(before.consents) >= MAX_ENDS


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
    until = len(pages.consents) + MAX_ENDS
    if command.reply.meaning is Meaning.START:
        for switch in (Switch.REMINDER, Switch.MARKETING):
            ends = consent.lift(pages.consents, switch, command.channel, address, command.at)
            pages = _ended(pages, ends, now, until)
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
        pages = _refused(pages, entry, "message_id", now)
    # Both refusals stand before anything ends: whatever comes between the passes, nothing goes out.
    for entry in told:
        pages = _taken_back(pages, entry, policies, now, until)
    return pages


def opted_out(
    pages: Pages, identity: str, channel: str, address: str, at: datetime, now: datetime
) -> Pages:
    """Return the pages with what a provider says a person told it: no more reminders and no marketing by a channel, at
    `address` (plain; only a token is kept). The same pages where that stands already.

    It reaches as far as its channel, whatever the law makes of a word to the lender. `identity` is of the message by
    which it became known.
    """
    if pages.head is None:
        return pages
    for switch in (Switch.REMINDER, Switch.MARKETING):
        refusal = Refusal(
            id=f"{identity}:{switch}",
            switch=switch,
            channel=channel,
            address=token_of(pages.tenant, pages.borrower_id, address),
            at=min(at, now),
            reach=Reach.CHANNEL,
            evidence=identity,
            source=PROVIDER,
        )
        pages = _refused(pages, refusal, "id", now)
    return pages


def _stated(pages: Pages, said: Statement, policies: Policies, now: datetime, until: int) -> Pages:
    """Return the pages after one statement; it ends what it takes back while the ledger is shorter than `until`."""
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
            pages = _refused(pages, refusal, "id", now)
            return _taken_back(pages, refusal, policies, now, until)
        case Act.REVOKE:
            return _revoked(pages, said, policies, now, until)
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
            if len(pages.consents) >= MAX_ENTRIES:
                raise Rejected(
                    "too_many_consents",
                    "consents",
                    f"{MAX_ENTRIES} entries are kept of one borrower; refusals are taken and consents no more",
                )
            pages = pages.with_entry(entry)
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


def _refused(pages: Pages, refusal: Refusal, field: str, now: datetime) -> Pages:
    """Return the pages with a refusal, the same ones where it is told again; `field` names its id.

    One that was lifted and is then said anew under its id is a further
    entry: the first is over for good.
    """
    known: dict[str, Entry] = {}
    lifts: dict[str, datetime] = {}
    for each in pages.consents:
        known.setdefault(each.id, each)
        if isinstance(each, Refusal) and each.lifted_at is not None:
            lifts[each.id] = max(each.lifted_at, lifts.get(each.id, each.lifted_at))
    for identity in _numbered(refusal.id):
        old = known.get(identity)
        if old is None:
            return pages.with_entry(replace(refusal, id=identity, told_at=now))
        if not isinstance(old, Refusal) or _content(old) != _content(refusal):
            if identity == refusal.id:
                raise _taken(field)
        elif identity not in lifts or refusal.at == old.at or refusal.at < lifts[identity]:
            return pages
    raise AssertionError("there is always one more number")


def _numbered(identity: str) -> Iterator[str]:
    """Yield the ids of a refusal and of its repetitions after it was lifted."""
    yield identity
    yield from (f"{identity}{_AGAIN}{n}" for n in count(2))


def _taken_back(
    pages: Pages, refusal: Refusal, policies: Policies, now: datetime, until: int
) -> Pages:
    """Return the pages with the ends of the consents that a refusal takes back."""
    due_at = _obey_by(pages, policies, refusal)
    return _ended(pages, consent.revoke(pages.consents, refusal, due_at), now, until)


def _ended(pages: Pages, ends: Sequence[Consent | Refusal], now: datetime, until: int) -> Pages:
    """Return the pages with as many of the ends as there is room for, in a ledger of `until` entries."""
    for end in ends[: max(0, until - len(pages.consents))]:
        pages = pages.with_entry(replace(end, told_at=now))
    return pages


def _revoked(pages: Pages, said: Statement, policies: Policies, now: datetime, until: int) -> Pages:
    """Return the pages with a consent taken back: its ends, and a refusal as far as it went."""
    given = [each for each in _found(pages.consents, said.id) if isinstance(each, Consent)]
    if not given:
        raise Rejected("unknown_consent", "id", "this borrower has given no consent with this id")
    first = given[0]
    if said.at < first.given_at - TOLERANCE:
        raise Rejected("bad_consent", "at", "a consent is taken back after it was given")
    switch = consent.switch_of(first.purpose)
    reach, media = _reach(pages, policies, switch, first.channel, said.at)
    refusal = Refusal(
        id=f"{said.id}:revoked",
        switch=switch,
        channel=first.channel,
        address=first.address,
        # Of two clocks that differ a little, no order of the two words follows.
        at=max(first.given_at, min(said.at, now)),
        reach=reach,
        media=media,
        evidence=said.evidence,
        source=said.by or pages.tenant,
    )
    pages = _refused(pages, refusal, "id", now)
    due_at = _obey_by(pages, policies, refusal)
    ended = {each.id for each in given if each.revoked_at is not None}
    own = [
        replace(each, revoked_at=refusal.at, revocation_due_at=due_at)
        for each in given
        if each.id not in ended
    ]
    pages = _ended(pages, own, now, until)
    return _taken_back(pages, refusal, policies, now, until)


def _lifted(pages: Pages, said: Statement, now: datetime) -> Pages:
    """Return the pages with a refusal lifted, or both that an answer with this id made; what was refused again under
    the id later stands.
    """
    given = [each for each in _found(pages.consents, said.id) if isinstance(each, Refusal)]
    if not given:
        raise Rejected("unknown_consent", "id", "this borrower has no refusal with this id")
    if all(said.at < each.at for each in given):
        raise Rejected("bad_consent", "at", "a refusal is lifted after it was made")
    lifted = {each.id for each in given if each.lifted_at is not None}
    for each in given:
        if each.id not in lifted and each.at <= said.at:
            pages = pages.with_entry(replace(each, lifted_at=said.at, told_at=now))
    return pages


def _found(ledger: Ledger, identity: str) -> Iterator[Entry]:
    """Yield the entries with an id, and those that one statement or answer with it made."""
    endings = ("", *(f":{each}" for each in (*Purpose, *Switch)))
    ids = {identity + ending for ending in endings}
    return (each for each in ledger if each.id in ids or _unnumbered(each) in ids)


def _unnumbered(entry: Entry) -> str:
    """Return the id under which a refusal was first told."""
    first, again, number = entry.id.rpartition(_AGAIN)
    return first if again and number.isdecimal() and isinstance(entry, Refusal) else entry.id


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
