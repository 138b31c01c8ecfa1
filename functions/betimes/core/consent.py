"""Consents and refusals: what a person has agreed to, what they want no more, and what stands of both at an instant.

Three switches never mix. A refusal of marketing stops marketing and nothing else. A refusal of reminders stops
reminders as far as it reaches: an address, a medium, a matter, a sender, or all. A statutory notice is stopped by
neither; where a refusal has closed a medium, the notice goes by another permitted one (`open_media`), so that it
neither disturbs the person where they said stop nor gets lost behind a provider that blocks the number silently.

The ledger is append-only. A revocation, a lift or another end is the same entry once more, with its end filled in. Of
several ends of one id the quieter counts, the earlier of a consent and the later of a refusal, so entries may arrive in
any order and more than once without changing the answer. What is unknown makes us quieter.

How far a refusal reaches is asked of the law at the instant of sending, not only at that of the refusal: one of 2026
reaches everything of its caller from 2027-01-31 on, when the rule in force says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from betimes.core import zones
from betimes.core.rule import ConsentForm, ConsentTerms, Party, Purpose, Rule
from betimes.core.values import dataclass, replace
from betimes.core.workdays import Calendar, Unpublished, add_workdays


class Switch(StrEnum):
    """Which of the three switches. Nobody can refuse the third; asked of it, a refusal of reminders closes a medium."""

    MARKETING = "marketing"
    REMINDER = "reminder"
    STATUTORY = "statutory"


class Reach(StrEnum):
    """How far a refusal reaches: one address on its medium; the medium; one matter on all media; one sender on all
    media; everything.
    """

    ADDRESS = "address"
    CHANNEL = "channel"
    TOPIC = "topic"
    SENDER = "sender"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agreed to: contact for `purpose` by `channel` ("" any) at `address` (a token, never the plain one;
    "" any), from `given_at` until before `revoked_at` and `valid_until` (None: no end).

    `evidence` says where the proof lies, `source` who recorded it, `told_at` when we heard of this entry.
    `revocation_due_at` is by when the law wants a revocation to be obeyed; it is kept for the record, since we obey at
    once.
    """

    id: str
    purpose: Purpose
    channel: str
    address: str
    form: ConsentForm
    given_at: datetime
    evidence: str
    source: str
    language: str = ""
    revoked_at: datetime | None = None
    revocation_due_at: datetime | None = None
    valid_until: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a person wants no more, from `at` on until before `lifted_at` (None: until it is lifted).

    `channel` and `address` (a token) are where it was said or what it is about, "" unknown or any. `topic` is the
    matter and `sender` the party it was said to, for those reaches; "" reaches every one. `media` are the channels
    over which a topic, a sender or all spreads, empty: all. `provisional`: words a person has yet to read; they stop
    us meanwhile. `told_at` is when we heard of this entry.
    """

    id: str
    switch: Switch
    channel: str
    address: str
    at: datetime
    reach: Reach = Reach.CHANNEL
    words: str = ""
    evidence: str = ""
    lifted_at: datetime | None = None
    topic: str = ""
    sender: str = ""
    media: frozenset[str] = frozenset()
    source: str = ""
    provisional: bool = False
    told_at: datetime | None = None

    def __post_init__(self) -> None:
        assert self.switch is not Switch.STATUTORY, "nobody can refuse a statutory notice"


@dataclass(frozen=True, slots=True)
class Reassigned:
    """The address went to somebody else at `at`: no consent of before counts there, whichever its form."""

    id: str
    address: str
    at: datetime
    evidence: str = ""
    source: str = ""


Entry = Consent | Refusal | Reassigned
Ledger = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether nothing is refused, and on which entry that rests: the id of what stops us, or of the strongest consent,
    "" where nothing is on record. `form` is that consent's, NOT_REFUSED without one, None where something stops us.
    """

    allowed: bool
    because: str
    form: ConsentForm | None


_STRENGTH: Final = {form: place for place, form in enumerate(ConsentForm)}
_DAY: Final = timedelta(days=1)
# Reaches that leave the medium on which the words were said.
_WIDE: Final = frozenset({Reach.TOPIC, Reach.SENDER, Reach.ALL})
# What each reach takes in; two of which neither takes in the other are both taken in by a sender.
_TAKES_IN: Final = {
    Reach.ADDRESS: frozenset({Reach.ADDRESS}),
    Reach.CHANNEL: frozenset({Reach.ADDRESS, Reach.CHANNEL}),
    Reach.TOPIC: frozenset({Reach.ADDRESS, Reach.TOPIC}),
    Reach.SENDER: frozenset({Reach.ADDRESS, Reach.CHANNEL, Reach.TOPIC, Reach.SENDER}),
    Reach.ALL: frozenset(Reach),
}


def switch_of(purpose: Purpose) -> Switch:
    """Return the switch that a contact for `purpose` hangs on."""
    if purpose is Purpose.MARKETING:
        return Switch.MARKETING
    return Switch.STATUTORY if purpose is Purpose.STATUTORY else Switch.REMINDER


def stands(
    ledger: Ledger,
    switch: Switch,
    channel: str,
    address: str,
    purpose: Purpose,
    at: datetime,
    *,
    topic: str = "",
    sender: str = "",
) -> Standing:
    """Return how a contact for `purpose` by `channel` at `address` (a token) stands at the instant `at`.

    `allowed` says that nothing refuses it; whether a law wants more than that is for `allows`. For the switch STATUTORY
    it says whether the medium is open: where it is not, the notice goes by another one and is never left out.

    An entry counts from its own instant on, and no more at that of its end. An address, topic or sender that is not
    known ("") may be the one refused, so it is; only a number that went to somebody else must be named to be closed.
    The order of the ledger, and an entry in it twice, make no difference. Never raises.
    """
    asked = _Asked(channel, address, topic, sender)
    stopped = _stopped(ledger, switch, asked, at, ())
    if stopped:
        return Standing(False, stopped, None)
    best = _strongest(ledger, purpose, asked, at, 0)
    if best is None:
        return Standing(True, "", ConsentForm.NOT_REFUSED)
    return Standing(True, best.id, best.form)


def allows(
    ledger: Ledger,
    terms: ConsentTerms,
    purpose: Purpose,
    channel: str,
    address: str,
    at: datetime,
    *,
    topic: str = "",
    sender: str = "",
    media: Collection[str] = (),
) -> bool:
    """Return whether the rule with `terms`, in force at `at`, lets a contact for `purpose` by `channel` at `address`
    be.

    It does where nothing stops the contact, neither as far as a refusal reached when it was made nor as far as this
    rule makes it reach today (over `media`, the channels of the rule; empty: all), and where a consent of the form it
    asks for stands that is no older than its `valid_days` (days of 24 hours; 0: any age). What is not known is no
    consent.

    A purpose the rule does not name is let be; a rule that names none means all but statutory notices, which none
    stops unless it names them.
    """
    if purpose not in terms.purposes and (terms.purposes or purpose is Purpose.STATUTORY):
        return True
    asked = _Asked(channel, address, topic, sender)
    law = ((Reach(terms.reach), frozenset(media)),)
    if _stopped(ledger, switch_of(purpose), asked, at, law):
        return False
    if terms.form is ConsentForm.NOT_REFUSED:
        return True
    best = _strongest(ledger, purpose, asked, at, terms.valid_days)
    return best is not None and _STRENGTH[best.form] >= _STRENGTH[terms.form]


def open_media(
    ledger: Ledger,
    media: Sequence[tuple[str, str]],
    purpose: Purpose,
    at: datetime,
    *,
    topic: str = "",
    sender: str = "",
) -> tuple[tuple[str, str], ...]:
    """Return those of `media`, pairs of channel and address, that no refusal closes for `purpose`, in the order given.

    None for a statutory notice does not mean that it may be left out: it needs a medium that is not among these.
    """
    switch = switch_of(purpose)
    return tuple(
        (channel, address)
        for channel, address in media
        if not _stopped(ledger, switch, _Asked(channel, address, topic, sender), at, ())
    )


def reach_of(
    rules: Iterable[Rule], switch: Switch, channel: str, on: date, *, party: Party | None = None
) -> tuple[Reach, frozenset[str]]:
    """Return how far a refusal on `switch` by `channel` reaches on the day `on`, and over which media (empty: all).

    It is the narrowest reach that takes in those of all binding consent rules in force on the day that are about the
    switch, the channel and the party (None: any); the channel where there is no such rule. So a rule about marketing
    does not widen a refusal of reminders, nor the other way round.

    Source: 12 CFR 1006.6(e) (address); 6 RCNY 2-190 ff. (medium); 47 CFR 64.1200(a)(10) (matter, from 2027-01-31 all).
    """
    reaches: list[Reach] = []
    media: list[frozenset[str]] = []
    for rule in rules:
        terms = rule.terms
        if (
            isinstance(terms, ConsentTerms)
            and rule.enforce.binds
            and rule.is_in_force(on)
            and (not rule.channels or not channel or channel in rule.channels)
            and (not rule.parties or party is None or party in rule.parties)
            and (not terms.purposes or switch in map(switch_of, terms.purposes))
        ):
            reaches.append(Reach(terms.reach))
            if reaches[-1] in _WIDE:
                media.append(rule.channels)
    if not reaches:
        return Reach.CHANNEL, frozenset()
    widest = reaches[0]
    for reach in reaches[1:]:
        widest = wider(widest, reach)
    over = frozenset[str]() if not all(media) else frozenset[str]().union(*media)
    return widest, over


def wider(one: Reach, other: Reach) -> Reach:
    """Return the narrowest reach that takes in both; of a channel and a topic, neither of which holds the other, a
    sender.
    """
    both = {one, other}
    return min(
        (reach for reach in Reach if both <= _TAKES_IN[reach]),
        key=lambda reach: len(_TAKES_IN[reach]),
    )


def obey_by(
    at: datetime, business_days: int, zone_name: str, calendar: Calendar | None
) -> datetime:
    """Return the last instant by which a revocation of the instant `at` must be obeyed: the end of the last of so many
    business days after its civil day in the zone; `at` itself for 0.

    Without a calendar, or in a year it does not publish, all days count: that is never later. For the record and for
    those who must obey with us; we obey at once.

    Source: 47 CFR 64.1200(a)(10), ten business days from receipt.
    """
    assert business_days >= 0, "a deadline lies ahead"
    if not business_days:
        return at
    received = zones.local_date(at, zone_name)
    try:
        days = calendar and add_workdays(received, business_days, calendar)
    except Unpublished:
        days = None
    last = days or received + business_days * _DAY
    return zones.instant(last + _DAY, time(), zone_name)


def revoke(ledger: Ledger, refusal: Refusal, due_at: datetime | None = None) -> tuple[Consent, ...]:
    """Return the consents that `refusal` takes back whole, each with its end, to be appended; in order of the ledger.

    A consent for any channel, address or matter outlives a refusal of one of them, which stops contact there by itself.
    Words that a person has yet to read take nothing back. `due_at` is the deadline of the law, from `obey_by`.
    """
    if refusal.provisional:
        return ()
    ends, _ = _ends(ledger)
    found: dict[str, Consent] = {}
    for entry in ledger:
        if not isinstance(entry, Consent) or switch_of(entry.purpose) is not refusal.switch:
            continue
        open_still = (end := ends.get(entry.id)) is None or refusal.at < end
        if entry.given_at <= refusal.at and open_still and _is_within(entry, refusal):
            found[entry.id] = replace(entry, revoked_at=refusal.at, revocation_due_at=due_at)
    return tuple(found.values())


def lift(
    ledger: Ledger, switch: Switch, channel: str, address: str, at: datetime
) -> tuple[Refusal, ...]:
    """Return the refusals of `switch` said by `channel` at `address` that stand at `at`, lifted, to be appended.

    A person takes back what they said, at the place where they said it: START lifts the STOP of the same number,
    however far that reached, and no other. Consents it took back stay so; a START that counts as one is a new entry.
    """
    _, lifts = _ends(ledger)
    found: dict[str, Refusal] = {}
    for entry in ledger:
        if (
            isinstance(entry, Refusal)
            and (entry.switch, entry.channel, entry.address) == (switch, channel, address)
            and entry.at <= at
            and not _is_over(lifts.get(entry.id), at)
        ):
            found[entry.id] = replace(entry, lifted_at=at)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a contact would go."""

    channel: str
    address: str
    topic: str
    sender: str


def _is_over(end: datetime | None, at: datetime) -> bool:
    return end is not None and end <= at


def _ends(ledger: Ledger) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """Return when consents end and when refusals are lifted, by id: the earliest end, the latest lift on record."""
    ends: dict[str, datetime] = {}
    lifts: dict[str, datetime] = {}
    for entry in ledger:
        if isinstance(entry, Consent):
            for end in (entry.revoked_at, entry.valid_until):
                if end is not None:
                    ends[entry.id] = min(end, ends.get(entry.id, end))
        elif isinstance(entry, Refusal) and entry.lifted_at is not None:
            lifts[entry.id] = max(entry.lifted_at, lifts.get(entry.id, entry.lifted_at))
    return ends, lifts


def _stopped(
    ledger: Ledger,
    switch: Switch,
    asked: _Asked,
    at: datetime,
    law: tuple[tuple[Reach, frozenset[str]], ...],
) -> str:
    """Return the id of the earliest entry that stops the contact, "" where none does.

    `law` are reaches that count beside a refusal's own, each with its media.
    """
    if not ledger:
        return ""
    # A notice nobody can refuse takes care of a medium that is closed for reminders.
    wanted = Switch.MARKETING if switch is Switch.MARKETING else Switch.REMINDER
    _, lifts = _ends(ledger)
    found: list[tuple[datetime, str]] = []
    for entry in ledger:
        if isinstance(entry, Refusal):
            if entry.switch is not wanted or at < entry.at or _is_over(lifts.get(entry.id), at):
                continue
            if _reaches(entry, entry.reach, entry.media, asked) or any(
                _reaches(entry, reach, media, asked)
                for reach, media in law
                # A rule about some media says nothing about words that were about another one.
                if not media or entry.channel in ("", *media)
            ):
                found.append((entry.at, entry.id))
        elif (
            isinstance(entry, Reassigned)
            and entry.address == asked.address
            and entry.at <= at
            and not _is_theirs_again(ledger, entry, at)
        ):
            found.append((entry.at, entry.id))
    return min(found)[1] if found else ""


def _reaches(refusal: Refusal, reach: Reach, media: frozenset[str], asked: _Asked) -> bool:
    match reach:
        case Reach.ADDRESS:
            here = _may_be(refusal.address, asked.address)
            return here and _may_be(refusal.channel, asked.channel)
        case Reach.CHANNEL:
            return _may_be(refusal.channel, asked.channel)
    if media and asked.channel not in media:
        return _may_be(refusal.channel, asked.channel)
    if reach is Reach.TOPIC:
        return _may_be(refusal.topic, asked.topic)
    return reach is Reach.ALL or _may_be(refusal.sender, asked.sender)


def _may_be(one: str, other: str) -> bool:
    """Return whether two words may mean the same, where "" is not known."""
    return not one or not other or one == other


def _is_theirs_again(ledger: Ledger, lost: Reassigned, at: datetime) -> bool:
    """Return whether a consent that names the address was given after it had gone, and stands."""
    ends, _ = _ends(ledger)
    return any(
        isinstance(entry, Consent)
        and entry.address == lost.address
        and lost.at < entry.given_at <= at
        and not _is_over(ends.get(entry.id), at)
        for entry in ledger
    )


def _strongest(
    ledger: Ledger, purpose: Purpose, asked: _Asked, at: datetime, valid_days: int
) -> Consent | None:
    """Return the strongest consent that stands, of equal ones the latest; None without any."""
    if not ledger:
        return None
    ends, _ = _ends(ledger)
    # What was agreed to for a number before it went to somebody else never counts there again.
    since = [
        each.at
        for each in ledger
        if isinstance(each, Reassigned)
        if each.address == asked.address and each.at <= at
    ]
    lost_at = max(since, default=None)
    best: Consent | None = None
    for entry in ledger:
        if (
            isinstance(entry, Consent)
            and entry.purpose is purpose
            and entry.channel in ("", asked.channel)
            and entry.address in ("", asked.address)
            and entry.given_at <= at
            and not _is_over(ends.get(entry.id), at)
            and (not valid_days or at < entry.given_at + valid_days * _DAY)
            and (lost_at is None or entry.given_at > lost_at)
            and (best is None or _rank(entry) > _rank(best))
        ):
            best = entry
    return best


def _rank(consent: Consent) -> tuple[int, datetime, str]:
    return _STRENGTH[consent.form], consent.given_at, consent.id


def _is_within(consent: Consent, refusal: Refusal) -> bool:
    """Return whether all that a consent gives lies where the refusal reaches."""
    on_channel = refusal.channel in ("", consent.channel)
    match refusal.reach:
        case Reach.ADDRESS:
            return on_channel and refusal.address in ("", consent.address)
        case Reach.CHANNEL:
            return on_channel
    if refusal.reach is not Reach.ALL and (refusal.topic or refusal.sender):
        return False
    if not refusal.media or (consent.channel and consent.channel == refusal.channel):
        return True
    return consent.channel in refusal.media
