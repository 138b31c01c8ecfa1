"""Rules in plain words: what a rule says, whom it binds, how far, and what the platform does with it.

The sentence of a rule is made from its terms alone, so it cannot say anything else than what is enforced; title,
citation and note are the words of whoever wrote the pack. No parameter is left out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import groupby
from typing import Final, TypeVar, assert_never

from betimes.core.rule import (
    HOLIDAY,
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
    Party,
    Per,
    Pool,
    Purpose,
    Recipient,
    RecipientTerms,
    RetainTerms,
    Rule,
    Scope,
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

Word = TypeVar("Word", Stage, Purpose)

CHANNELS: Final[Mapping[str, str]] = {
    "call": "telephone call",
    "ai_call": "AI voice call",
    "sms": "text message",
    "email": "e-mail",
    "push": "push message",
    "inbox": "message in the app",
    "letter": "letter",
    "visit": "visit",
    "webhook": "webhook",
}
PARTIES: Final[Mapping[Party, str]] = {
    Party.FIRST: "the lender itself (first party)",
    Party.THIRD: "who collects for it or bought the debt (third party)",
}
STAGES: Final[Mapping[Stage, str]] = {
    Stage.PRE_DUE: "before the due day",
    Stage.DUE_DAY: "on the due day",
    Stage.GRACE: "in the grace period",
    Stage.OVERDUE: "overdue",
    Stage.DEFAULT_NOTICE: "under a default notice",
    Stage.CHARGED_OFF: "charged off",
    Stage.MORATORIUM: "in a moratorium",
}
PURPOSES: Final[Mapping[Purpose, str]] = {
    Purpose.STATUTORY: "statutory notices",
    Purpose.PRE_DEBIT: "announcements of a debit",
    Purpose.OVERDUE: "reminders of what is overdue",
    Purpose.COURTESY: "reminders before anything is late",
    Purpose.MARKETING: "marketing",
}
FORCES: Final[Mapping[Force, str]] = {
    Force.LAW: "law",
    Force.REGULATION: "regulation of an authority",
    Force.STANDARD: "standard",
    Force.SELF_REGULATION: "self-regulation of the industry",
    Force.CONTRACT: "contract",
    Force.PLATFORM: "terms of a platform or carrier",
    Force.HOUSE: "rule of the house, no statute behind it",
}
DRAFT: Final = "a draft"
STATUSES: Final[Mapping[Status, str]] = {
    Status.VERIFIED: "verified: the text itself was read",
    Status.SECONDARY: "secondary: known from others, the text itself was not read",
    Status.UNVERIFIED: "unverified: common knowledge, no text was read",
    Status.DRAFT: "draft, or of doubtful scope",
}
_RECIPIENTS: Final[Mapping[Recipient, str]] = {
    Recipient.BORROWER: "the borrower",
    Recipient.GUARANTOR: "a guarantor",
    Recipient.SPOUSE_LIABLE: "a spouse who is liable",
    Recipient.CONTACT: "a contact person",
    Recipient.ATTORNEY: "the borrower's attorney",
    Recipient.EMPLOYER: "the employer",
}
_CALLS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"call"}): "",
    frozenset({"ai_call"}): " (by an AI voice)",
    frozenset({"call", "ai_call"}): " (AI voice included)",
}
_SCOPES: Final[Mapping[Scope, str]] = {
    Scope.DEBT: "about one debt",
    Scope.ACCOUNT: "about one account",
    Scope.PRODUCT: "about one product",
    Scope.PERSON: "to one person",
    Scope.NUMBER: "to one number",
    Scope.ADDRESS: "to one address",
}
_SAME: Final[Mapping[Scope, str]] = {
    Scope.DEBT: "about the same debt",
    Scope.ACCOUNT: "about the same account",
    Scope.PRODUCT: "about the same product",
    Scope.PERSON: "with the same person",
    Scope.NUMBER: "to the same number",
    Scope.ADDRESS: "to the same address",
}
_POOLS: Final[Mapping[Pool, str]] = {
    Pool.OWN: "counting only those of whoever asks",
    Pool.LENDER: "counting only those of the lender",
    Pool.LENDER_AND_AGENCIES: "counted over the lender and its agencies",
    Pool.ALL: "counted over everybody on record",
}
_EXCLUDED: Final[Mapping[str, str]] = {
    "attorney": "those to an attorney",
    "consented": "those the consumer consented to",
    "in_litigation": "those in a lawsuit",
    "out_of_service": "those to a number out of service",
    "requested": "those the consumer asked for",
}
_STOPS: Final[Mapping[Stops, str]] = {
    Stops.COURTESY: "reminders before anything is late and marketing stop",
    Stops.COLLECTION: "collection stops",
    Stops.ALL_BUT_STATUTORY: "everything but statutory notices stops",
    Stops.ALL: "everything stops, statutory notices too",
}
_FORMS: Final[Mapping[ConsentForm, str]] = {
    ConsentForm.NOT_REFUSED: "is allowed unless it was refused",
    ConsentForm.OPT_IN: "needs an opt-in",
    ConsentForm.EXPRESS: "needs express consent",
    ConsentForm.WRITTEN: "needs consent in writing",
}
_REACHES: Final[Mapping[str, str]] = {
    "address": "the one address",
    "channel": "the channel",
    "topic": "the one matter, on all channels",
    "sender": "everything of this sender",
    "all": "everything",
}
_DAYS: Final = dict(
    zip(WEEKDAYS, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(), strict=True)
)
_SECONDS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
# A rule about no single contact (`core.judges`).
NO_CONTACT: Final = frozenset({Kind.DEBIT, Kind.RETAIN, Kind.CALC})
_DONE: Final[Mapping[Kind, str]] = {
    Kind.WINDOW: "A contact outside these hours waits for the next opening; where none comes in time it is not sent. "
    "The decision names the rule.",
    Kind.CAP: "A contact too many waits until one more fits; where that is too late it is not sent. The decision names "
    "the rule. Statutory notices are not stopped by it.",
    Kind.COOLOFF: "A contact waits until the time is over; where that is too late it is not sent. The decision names "
    "the rule. Statutory notices are not stopped by it.",
    Kind.NOTICE: "Where the event is on record and the notice was not given, decisions demand it, with its deadline, "
    "and say when it was missed. It stops no contact.",
    Kind.SUPPRESS: "A contact waits until what is on record is over; where no end is known it is not sent. The "
    "decision names the rule.",
    Kind.CONSENT: "A contact without it is not sent, and the decision names the rule. What is not known is no consent.",
    Kind.CONTENT: "A message that breaks it is not sent, and the decision names the rule.",
    Kind.RECIPIENT: "A contact with anybody else is not sent, and the decision names the rule.",
    Kind.DEBIT: "No contact is stopped by it: it is for whoever plans a debit.",
    Kind.RETAIN: "No contact is stopped by it: it is for whoever clears records.",
    Kind.CALC: "No contact is stopped by it: it is for whoever sets such a figure.",
}


def sentence(rule: Rule) -> str:
    """Return what the terms of a rule say, in a plain sentence or a few; whom it binds stands beside it (`binds`)."""
    said = _said(rule.terms, rule.channels)
    return f"{said[0].upper()}{said[1:]}."


def binds(rule: Rule) -> str:
    """Return whom a rule binds."""
    if not rule.parties or rule.parties == frozenset(Party):
        return "the lender itself (first party), and who collects for it or bought the debt (third party)"
    return _and(PARTIES[party] for party in sorted(rule.parties))


def stages(rule: Rule) -> str:
    """Return at which stages of a debt a rule applies."""
    return _all_of(rule.stages, STAGES)


def purposes(rule: Rule) -> str:
    """Return for which contacts a rule applies, by what they are for."""
    return _all_of(rule.purposes, PURPOSES)


def channels(rule: Rule) -> str:
    """Return on which channels a rule applies."""
    return _and(channel(each) for each in _in_order(rule.channels)) or "any"


def products(rule: Rule) -> str:
    """Return to which products a rule applies."""
    return _and(_plain(each) for each in sorted(rule.products)) or "any"


def effective(rule: Rule) -> str:
    """Return the days on which a rule holds."""
    if rule.effective_to is None:
        return f"from {rule.effective_from} until further notice"
    return f"from {rule.effective_from} until before {rule.effective_to}"


def standing(rule: Rule, on: date) -> str:
    """Return whether a rule is in force on a day: "in force", "not yet in force" or "ended"; of a draft, that it is
    one, since no day brings it into force.
    """
    if rule.status is Status.DRAFT:
        return DRAFT
    if rule.is_in_force(on):
        return "in force"
    return "not yet in force" if on < rule.effective_from else "ended"


def enforcement(rule: Rule) -> str:
    """Return how far a rule binds, and on whose word."""
    verified = rule.status is Status.VERIFIED
    if rule.kind in NO_CONTACT and rule.enforce.binds:
        said = "binding, and no contact is stopped by it"
        signed = f"; {rule.signed_by} signs for it" if rule.signed_by else ""
        return said if verified else f"{said}; the text is not verified{signed}"
    by = f"on the word of {rule.signed_by}, who signs for it"
    match rule.enforce:
        case Enforce.HARD if verified or not rule.signed_by:
            return "enforced"
        case Enforce.HARD:
            return f"enforced {by}: the text is not verified, and every decision says so"
        case Enforce.CAUTIOUS if verified:
            return "enforced with caution: it makes us quieter, and every decision says so"
        case Enforce.CAUTIOUS if rule.signed_by:
            return (
                f"enforced with caution {by}: the text is not verified, and every decision says so"
            )
        case Enforce.CAUTIOUS:
            return (
                "enforced with caution: the text is not verified, it binds as it makes us quieter, and every decision "
                "says so"
            )
        case Enforce.SHOWN:
            return "shown only"
        case Enforce.OFF:
            return "switched off: draft" if rule.status is Status.DRAFT else "switched off"
        case _ as never:
            assert_never(never)


def done(rule: Rule) -> str:
    """Return what the platform does with a rule, on the days on which it is in force."""
    if rule.enforce is Enforce.OFF:
        return "Nothing: it stands in the book and is not evaluated."
    if rule.enforce is Enforce.SHOWN and rule.kind in NO_CONTACT:
        return "Nothing is refused because of it: it is about no single contact, and stands here to be known."
    if rule.enforce is Enforce.SHOWN:
        return "It is evaluated and recorded with every decision, and stops and demands nothing."
    return _DONE[rule.kind]


def channel(name: str) -> str:
    """Return what a channel is called; one that has no words is called by its name."""
    return CHANNELS.get(name, _plain(name))


def spans(of: tuple[Span, ...]) -> str:
    """Return the hours of a day in words: "08:00 to 21:00 (21:00 itself too)", "closed", "all day"."""
    return _and(_span(each) for each in of) or "closed"


def weekdays(of: Collection[int]) -> str:
    """Return days of the week by name, 0 for Monday: "Saturday and Sunday", "none"."""
    return _and(name for n, name in enumerate(_DAYS.values()) if n in of) or "none"


def phrases(table: Mapping[str, tuple[str, ...]]) -> str:
    """Return phrases by language: 'en "stop", "quit"; any language "TD"'."""
    return "; ".join(
        f"{'any language' if language == '*' else language} {_quoted(said)}"
        for language, said in table.items()
    )


def _said(terms: Terms, channels: frozenset[str]) -> str:
    match terms:
        case WindowTerms():
            return _window(terms, channels)
        case CapTerms():
            return _cap(terms, channels)
        case CooloffTerms():
            return _cooloff(terms, channels)
        case NoticeTerms():
            return _notice(terms)
        case SuppressTerms():
            return _suppress(terms, channels)
        case ConsentTerms():
            return _consent(terms, channels)
        case ContentTerms():
            return _content(terms, channels)
        case RecipientTerms():
            return _recipient(terms, channels)
        case DebitTerms():
            return _debit(terms)
        case RetainTerms():
            return _retain(terms)
        case CalcTerms():
            return _calc(terms)
        case _ as never:
            assert_never(never)


def _window(terms: WindowTerms, channels: frozenset[str]) -> str:
    week = [(_DAYS[day], spans(terms.days[day])) for day in WEEKDAYS if day in terms.days]
    hours = "; ".join(
        f"{_stretch([day for day, _ in days])} {said}"
        for said, days in ((said, list(each)) for said, each in groupby(week, lambda row: row[1]))
    )
    if HOLIDAY in terms.days:
        calendar = f" (calendar {terms.calendar})" if terms.calendar else ""
        hours += f"; holidays{calendar} {spans(terms.days[HOLIDAY])}"
    clock = {
        Where.CONSUMER: "by the clock of each place where the consumer may be",
        Where.ADDRESS: "by the clock of the postal address",
        Where.NUMBER: "by the clock of the number's area",
        Where.FIXED: f"by the clock of {terms.zone}",
    }[terms.where]
    said = f"{_contact(channels)} only in these hours, {clock}: {hours}"
    if terms.calendar and HOLIDAY not in terms.days:
        said += f" (calendar {terms.calendar})"
    if terms.zone and terms.where is not Where.FIXED:
        said += f" ({terms.zone})"
    dpd = _range(terms.dpd_at_least, terms.dpd_at_most)
    if dpd:
        said += f". It binds debts {dpd} days past due"
    if terms.unless_agreed:
        said += ". A consumer who agreed to other hours is not bound by it"
    return said


def _cap(terms: CapTerms, channels: frozenset[str]) -> str:
    counted = _counted(terms.unit, terms.most, frozenset(terms.counted) or channels)
    parts = [
        f"at most {terms.most} {counted} {_period(terms)} {_SCOPES[terms.scope]}",
        _POOLS[terms.pool],
    ]
    if terms.per is not Per.ROLLING or terms.zone:
        parts.append(_clock(terms.zone))
    said = ", ".join(parts)
    if terms.excludes:
        said += (
            f"; not counted: {_and(_EXCLUDED.get(each, _plain(each)) for each in terms.excludes)}"
        )
    return said


def _counted(unit: Unit, most: int, channels: frozenset[str]) -> str:
    """Return what a cap counts: "connected calls", "attempts at contact by text message or visit"."""
    s = "" if most == 1 else "s"
    if channels in _CALLS:
        noun = {
            Unit.ATTEMPT: f"attempted call{s}",
            Unit.CONNECTED: f"connected call{s}",
            Unit.CONVERSATION: f"conversation{s} by call",
            Unit.MESSAGE: f"message{s} left by call",
            Unit.ANY: f"call{s} or attempt{s} at one",
        }[unit]
        return noun + _CALLS[channels]
    noun = {
        Unit.ATTEMPT: f"attempt{s} at contact",
        Unit.CONNECTED: f"contact{s} that somebody answered",
        Unit.CONVERSATION: f"conversation{s} about the debt",
        Unit.MESSAGE: f"message{s} left or submitted",
        Unit.ANY: f"contact{s} or attempt{s} at contact",
    }[unit]
    return noun + (_by(channels) or " on any channel")


def _period(terms: CapTerms) -> str:
    match terms.per:
        case Per.CALENDAR_DAY:
            return "a day" if terms.n == 1 else f"a day ({terms.n})"
        case Per.CONSECUTIVE_DAYS:
            return f"in any {_many(terms.n, 'consecutive day')}"
        case Per.ROLLING:
            return f"in any {_time(terms.n)} on end"


def _cooloff(terms: CooloffTerms, channels: frozenset[str]) -> str:
    event = {
        CooloffAfter.CONVERSATION: "a conversation",
        CooloffAfter.CURE: "everything late was paid",
        CooloffAfter.PROMISE: "a promise to pay",
    }[terms.after]
    said = f"after {event}, no contact{_by(channels)} {_SAME[terms.scope]} for {_many(terms.days, 'day')}"
    said += f", of which the day it happened is the first, {_clock(terms.zone)}"
    if terms.after is CooloffAfter.CONVERSATION:
        said += "; one that the borrower started counts too"
    return said


def _notice(terms: NoticeTerms) -> str:
    unit = {
        NoticeUnit.HOURS: "hour",
        NoticeUnit.DAYS: "day",
        NoticeUnit.BUSINESS_DAYS: "business day",
    }[terms.unit]
    event = _plain(terms.trigger)
    if terms.bound is Bound.AT_LEAST_BEFORE:
        least = (
            f"at least {_many(terms.n, unit)} before" if terms.n else f"before (0 {unit}s at least)"
        )
        said = f"a notice is given {least}: {event}"
    else:
        said = f"a notice is given within {_many(terms.n, unit)} after: {event}"
    if terms.trigger_is_day_one:
        said += ", whose day is the first of them"
    if terms.content:
        said += f". It states: {_and(terms.content)}"
    by = {"cap": "cap", "optout": "opt-out"}
    bypassed = [by.get(each, _plain(each)) for each in terms.bypasses]
    said += (
        f". No {' and no '.join(bypassed)} stops it" if bypassed else ". Caps and opt-outs stop it"
    )
    return said


def _suppress(terms: SuppressTerms, channels: frozenset[str]) -> str:
    said = f"while one of these is on record, {_STOPS[terms.stops]}"
    if channels:
        said += f", as far as it goes{_by(channels)}"
    if terms.days:
        said += f", for {_many(terms.days, 'day')} from its start at most"
    return f"{said}: {', '.join(map(_plain, terms.events))}"


def _consent(terms: ConsentTerms, channels: frozenset[str]) -> str:
    about = _and(PURPOSES[each] for each in terms.purposes) or "anything but statutory notices"
    said = f"contact{_by(channels)} for {about} {_FORMS[terms.form]}"
    if terms.valid_days:
        said += f", not older than {_many(terms.valid_days, 'day')}"
    said += f". A refusal or revocation reaches {_REACHES.get(terms.reach, _plain(terms.reach))}"
    days = terms.revoked_within_days
    said += (
        f" and counts within {_many(days, 'business day')} (here: at once)"
        if days
        else " and counts at once"
    )
    if terms.keywords:
        said += f". Words of refusal: {_quoted(terms.keywords)}"
    return said


def _content(terms: ContentTerms, channels: frozenset[str]) -> str:
    by = _or(channel(each) for each in _in_order(channels))
    message = f"a message ({by})" if by else "a message"
    parts = []
    if terms.must:
        parts.append(f"{message} holds one of these: {phrases(terms.must)}")
    if terms.must_not:
        parts.append(f"{message} holds none of these: {phrases(terms.must_not)}")
    if terms.disclosure:
        parts.append(f"{message} discloses: {_plain(terms.disclosure)}")
    return ". ".join(part[0].upper() + part[1:] for part in parts) or f"{message} may say anything"


def _recipient(terms: RecipientTerms, channels: frozenset[str]) -> str:
    allowed = _and(_RECIPIENTS[each] for each in terms.allowed) or "nobody"
    said = f"contact{_by(channels)} only with {allowed}"
    if not terms.if_unreachable:
        more = "" if not terms.reveal_debt else ". Others may learn of the debt"
    else:
        others = _or(_RECIPIENTS[each] for each in terms.if_unreachable)
        more = f". Where the borrower cannot be reached, also with {others}, who "
        more += "may learn of the debt" if terms.reveal_debt else "must not learn of the debt"
    if terms.max_contacts:
        more += f", at most {_many(terms.max_contacts, 'time')} each"
    if terms.unreachable_misses:
        more += f". {_many(terms.unreachable_misses, 'missed attempt')} in a row stand for that"
    return said + more


def _debit(terms: DebitTerms) -> str:
    parts = []
    together = f"for one {_plain(terms.scope)}"
    if terms.max_consecutive_failures:
        failures = _many(terms.max_consecutive_failures, "failed debit")
        parts.append(f"after {failures} in a row, counted together {together}, no more is tried")
    if terms.max_representments:
        again = _many(terms.max_representments, "time")
        days = _many(terms.window_days, "day")
        parts.append(f"a debit that came back is presented anew at most {again}, within {days}")
    if not terms.max_consecutive_failures and terms.scope is not Scope.PERSON:
        parts.append(f"counted together {together}")
    return "; ".join(parts)


def _retain(terms: RetainTerms) -> str:
    what = _plain(terms.what)
    least, most = terms.min_months, terms.max_months
    if least and least == most:
        return f"records are kept {_many(least, 'month')}, no shorter and no longer: {what}"
    parts = []
    if least:
        parts.append(f"at least {_many(least, 'month')}")
    if most:
        parts.append(f"at most {_many(most, 'month')}")
    return f"records are kept {_and(parts) or 'as long as anybody likes'}: {what}"


def _calc(terms: CalcTerms) -> str:
    parts = []
    if terms.at_least is not None:
        parts.append(f"at least {terms.at_least}")
    if terms.at_most is not None:
        parts.append(f"at most {terms.at_most}")
    if terms.one_of:
        parts.append(_or(terms.one_of))
    return f"this figure is {_and(parts) or 'anything'}: {terms.parameter}"


def _contact(channels: frozenset[str]) -> str:
    return f"contact{_by(channels)}"


def _by(channels: frozenset[str]) -> str:
    """Return " by text message or letter", "" for any channel."""
    names = _or(channel(each) for each in _in_order(channels))
    return f" by {names}" if names else ""


def _in_order(channels: Collection[str]) -> list[str]:
    known = list(CHANNELS)
    return sorted(channels, key=lambda each: (known.index(each) if each in known else 99, each))


def _clock(zone: str) -> str:
    return f"by the clock of {zone}" if zone else "by the consumer's clock"


def _time(seconds: int) -> str:
    """Return a time in the largest unit it is whole in: "24 hours", "7 days"; one day is said in hours."""
    for length, unit in _SECONDS:
        if not seconds % length and (unit != "day" or seconds > length):
            return _many(seconds // length, unit)
    raise AssertionError("every whole number is one of seconds")


def _range(least: int | None, most: int | None) -> str:
    if least is None and most is None:
        return ""
    if least is None:
        return f"at most {most}"
    return f"at least {least}" if most is None else f"from {least} to {most}"


def _span(span: Span) -> str:
    opens = f"{span.opens:%H:%M:%S}".removesuffix(":00")
    if span.closes is None:
        return (
            f"{opens} to the end of the day" if span.opens.isoformat() > "00:00:00" else "all day"
        )
    closes = f"{span.closes:%H:%M:%S}".removesuffix(":00")
    return f"{opens} to {closes}{f' ({closes} itself too)' if span.closes_inclusive else ''}"


def _stretch(days: list[str]) -> str:
    if len(days) == len(WEEKDAYS):
        return "every day"
    if len(days) > 2:
        return f"{days[0]} to {days[-1]}"
    return _and(days)


def _all_of(given: Collection[Word], words: Mapping[Word, str]) -> str:
    """Return the words for what is given, in the order of `words`; "any" for nothing."""
    return _and(said for word, said in words.items() if word in given) or "any"


def _and(parts: Iterable[str]) -> str:
    """Return "a, b and c"; "" for nothing."""
    return _listed(parts, "and")


def _or(parts: Iterable[str]) -> str:
    return _listed(parts, "or")


def _listed(parts: Iterable[str], word: str) -> str:
    *head, last = list(parts) or [""]
    return f"{', '.join(head)} {word} {last}" if head else last


def _many(n: int, unit: str) -> str:
    return f"{n:,} {unit}" if n == 1 else f"{n:,} {unit}s"


def _quoted(said: Iterable[str]) -> str:
    return ", ".join(f'"{each}"' for each in said)


def _plain(name: str) -> str:
    return name.replace("_", " ")
