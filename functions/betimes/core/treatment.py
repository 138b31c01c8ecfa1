"""A treatment: the steps of contact around what is owed, read from a data file.

A step counts from an anchor: the due date, the statement date, a debit that failed, an earlier contact, a promise that
was broken, a hold that ended, or the payment deadline that a step has set. Its conditions say for whom it is meant.

The identity of a version is the hash of its content, so a decision record names exactly the policy it rested on. A
treatment is a line of versions: each holds for the steps that come due from its effective date on, so what came due
under an earlier version stays with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, TypeVar

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.values import dataclass, replace
from betimes.core.workdays import Calendar, Unpublished

Word = TypeVar("Word", bound=StrEnum)

# The channels that words can be written for, as `config.CHANNELS` has them; the core knows no deployment.
CHANNELS: Final = ("email", "sms", "push", "inbox", "webhook")


class MessageClass(StrEnum):
    """What a message is in law and in tone; decides what an unknown outcome leads to (`core.contact`) and which holds
    stop it (`core.hold`). A statutory notice is one the law obliges a lender to send.
    """

    COURTESY = "courtesy"
    OVERDUE = "overdue"
    STATUTORY = "statutory"


class Anchor(StrEnum):
    """What a step counts from."""

    DUE = "due"
    STATEMENT = "statement"
    DEADLINE = "deadline"
    DEBIT_FAILED = "debit_failed"
    CONTACT = "contact"
    PROMISE_BROKEN = "promise_broken"
    HOLD_LIFTED = "hold_lifted"


# Anchors that may come any number of times: each time makes an occurrence of the step, with a key of its own.
_EVENTS = frozenset({Anchor.DEBIT_FAILED, Anchor.PROMISE_BROKEN, Anchor.HOLD_LIFTED})


class Late(StrEnum):
    """What becomes of a step that could not go in time: sent late, merged into the next step, or recorded as missed."""

    SEND = "send"
    MERGE = "merge"
    MISS = "miss"


class Fallback(StrEnum):
    """How a message failed, where that lets its step go by the next of its channels: the address is bad, the provider
    surely did not take it, took it and failed technically, could not deliver it for now, or said nothing in time.
    """

    HARD = "hard"
    REFUSED = "refused"
    FAILED = "failed"
    SOFT = "soft"
    NO_RECEIPT = "no_receipt"


# In these ways a message reached nobody, and no second one can be a copy of it.
REACHED_NOBODY: Final = frozenset({Fallback.HARD, Fallback.REFUSED, Fallback.FAILED})


class Entry(StrEnum):
    """What happens to a debt that is overdue when it is first told: its coming steps speak at once, or nothing goes out
    until a day of entry is chosen.
    """

    AT_ONCE = "at_once"
    CHOSEN = "chosen"


# How late a step may be and still count as in time, where it may not be sent late.
ON_TIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Conditions:
    """For whom a step is meant. None, and empty, mean that it does not matter.

    `min_minor` and `max_minor` bound what is owed, `min_dpd` and `max_dpd` the days past due; all are inclusive. `tags`
    are all required, `without_tags` none allowed. `debit_reasons` are the provider's words for failures, of which the
    last debit that failed had one. There is no condition on age, gender or place: those would discriminate.
    """

    mandate: bool | None = None
    min_minor: int | None = None
    max_minor: int | None = None
    min_dpd: int | None = None
    max_dpd: int | None = None
    currency: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    score_bands: tuple[str, ...] = ()
    debit_reasons: tuple[str, ...] = ()


ANYBODY = Conditions()


@dataclass(frozen=True, slots=True)
class Step:
    """One planned contact: `offset_days` from its anchor at the borrower's local time `send_at`, or, with `send_at`
    None, at the anchor's own instant.

    `channels` are tried in order. A step may go out late by less than `catch_up`; after that it is missed. `after`
    names the step whose contact is the anchor. With a mandate `debit_template` takes the place of `template`. A step
    with `deadline_days` sets a new payment deadline so many days after it is sent. `fallback` names the failures after
    which it is taken up again by the next of its channels.
    """

    name: str
    offset_days: int
    send_at: time | None
    channels: tuple[str, ...]
    template: str
    message_class: MessageClass
    catch_up: timedelta
    anchor: Anchor = Anchor.DUE
    late: Late = Late.SEND
    when: Conditions = ANYBODY
    after: str = ""
    debit_template: str = ""
    deadline_days: int = 0
    fallback: frozenset[Fallback] = REACHED_NOBODY

    def instant(self, on: date, zone: str) -> datetime:
        """Return when this step comes due for an anchor on the civil date `on` in `zone` (UTC)."""
        assert self.send_at is not None, "a step at its anchor's instant has no time of its own"
        return zones.instant(on + timedelta(days=self.offset_days), self.send_at, zone)

    def template_for(self, has_mandate: bool) -> str:
        """Return the name of the template, for an obligation with or without auto-debit."""
        return self.debit_template if has_mandate and self.debit_template else self.template

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of all templates it may use."""
        return tuple(name for name in (self.template, self.debit_template) if name)


@dataclass(frozen=True, slots=True)
class Treatment:
    """One version of a treatment. `id` is `name@hash` with the first 12 hex digits of the content's SHA-256.

    It holds for steps that come due from `effective_from` on, and `earlier` for those before. `min_gap` is the least
    time between two contacts of one person. On days that `calendar` closes nobody is contacted: a step that falls on
    one moves to the next open day. With `fresh_within` set, overdue steps wait while the lender's repayments are
    older. `jurisdictions` are the places it is meant for, and proved for before it may be used; none: wherever there is
    a pack of rules. `source` names the file it was read from, "" where it was read from none.
    """

    id: str
    name: str
    steps: tuple[Step, ...]
    effective_from: date = date.min
    effective_to: date = date.max
    earlier: Treatment | None = None
    entry: Entry = Entry.AT_ONCE
    min_gap: timedelta = timedelta()
    digest: bool = False
    calendar: Calendar | None = None
    closed: frozenset[str] = frozenset()
    fresh_within: timedelta = timedelta()
    jurisdictions: tuple[str, ...] = ()
    source: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        """The file that errors name."""
        return self.source or f"treatments/{self.name}.toml"

    def versions(self) -> Iterable[Treatment]:
        """Yield this version and those before it, newest first."""
        version: Treatment | None = self
        while version is not None:
            yield version
            version = version.earlier

    def at(self, on: date) -> Treatment:
        """Return the version that is effective on the civil date `on`; the oldest one for a date before them all."""
        version = self
        while version.earlier is not None and on < version.effective_from:
            version = version.earlier
        return version

    def step(self, key: str) -> Step:
        """Return the step with a key (its name and, behind a "~", its anchor's), in the newest version that has it.

        Raises:
            KeyError: no version has such a step.
        """
        name = key.partition(ANCHORED)[0]
        for version in self.versions():
            for step in version.steps:
                if step.name == name:
                    return step
        raise KeyError(name)

    def has(self, key: str) -> bool:
        """Return whether any version has a step with this key."""
        name = key.partition(ANCHORED)[0]
        return any(step.name == name for version in self.versions() for step in version.steps)

    def version(self, identity: str) -> Treatment:
        """Return the version with this id, the newest one if none has it."""
        # Nearly always it is the newest that is asked for.
        if identity == self.id:
            return self
        return next((v for v in self.versions() if v.id == identity), self)

    def is_open(self, on: date) -> bool:
        """Return whether contact is allowed on the civil date `on`: true where the treatment closes no days.

        In a year whose calendar is not published only the weekend is known to be closed.
        """
        if self.calendar is None or not self.closed:
            return True
        try:
            return str(self.calendar.kind(on)) not in self.closed
        except Unpublished:
            return not ("weekend" in self.closed and on.weekday() in self.calendar.weekend)


# Between a step's name and the anchor it counts from, where a step may occur more than once.
ANCHORED = "~"
# A step further from its anchor than this is a typing error, and arithmetic with it could leave the calendar.
MAX_DAYS = 3660
MAX_REPEATS = 60
_KEYS = {
    "name",
    "step",
    "defaults",
    "effective_from",
    "effective_to",
    "entry",
    "min_gap_hours",
    "digest",
    "calendar",
    "closed",
    "fresh_within_hours",
    "jurisdictions",
}
_STEP_KEYS = {"name", "offset_days", "send_at", "channels", "template", "class", "catch_up_hours"}
_MORE_KEYS = {
    "anchor",
    "late",
    "when",
    "after",
    "debit_template",
    "deadline_days",
    "fallback",
    "repeat_days",
    "repeat_times",
}
_CLOSED = {"holiday", "weekend"}
_WHEN_KEYS = {
    "mandate",
    "min_minor",
    "max_minor",
    "min_dpd",
    "max_dpd",
    "currency",
    "products",
    "tags",
    "without_tags",
    "score_bands",
    "debit_reasons",
}


def parse(
    document: Mapping[str, Any], source: str, calendars: Mapping[str, Calendar] | None = None
) -> Treatment:
    """Return the treatment in a parsed TOML document; `source` names the file in errors.

    Keys that all steps share may stand once in `defaults`. `calendar` names one of `calendars`.

    Raises:
        Rejected: code "bad_treatment", field = key, when a key is unknown, missing or of the wrong form, when a step
            name occurs twice, when the steps of one anchor are not in order of time, or when an anchor is not there;
            "unknown_calendar", when there is no calendar of that name.
    """
    for key in sorted(set(document) - _KEYS):
        raise _bad(source, key, f"is not a key of a treatment; keys are {_listed(_KEYS)}")
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise _bad(source, "name", "is missing: give it the name of the file")
    steps = _steps(document, source)
    _check_order(steps, source)
    calendar = _word(document, "calendar", source) if "calendar" in document else None
    if calendar is not None and calendar not in (calendars or {}):
        raise Rejected(
            "unknown_calendar",
            "calendar",
            f"{source}: 'calendar' names {calendar!r}; there are: {_listed(calendars or ())}",
        )
    closed = frozenset(_words(document, "closed", source)) if "closed" in document else frozenset()
    if not closed <= _CLOSED:
        raise _bad(source, "closed", f"names something else than {_listed(_CLOSED)}: keep to them")
    if bool(closed) is not (calendar is not None):
        raise _bad(source, "closed", "and 'calendar' come together: one says when, the other what")
    effective_from = _date(document, "effective_from", source, date.min)
    effective_to = _date(document, "effective_to", source, date.max)
    if effective_from >= effective_to:
        raise _bad(
            source, "effective_to", "does not lie after 'effective_from': correct one of the two"
        )
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str).encode()
    return Treatment(
        id=f"{name}@{hashlib.sha256(canonical).hexdigest()[:12]}",
        name=name,
        steps=steps,
        effective_from=effective_from,
        effective_to=effective_to,
        entry=_choice(document, "entry", source, Entry, Entry.AT_ONCE),
        min_gap=_hours(document, "min_gap_hours", source),
        digest=_flag(document, "digest", source),
        calendar=(calendars or {}).get(calendar) if calendar is not None else None,
        closed=closed,
        fresh_within=_hours(document, "fresh_within_hours", source),
        jurisdictions=_some(document, "jurisdictions", source),
        source=source,
    )


def line(versions: Sequence[Treatment]) -> Treatment:
    """Return the newest of the versions of one treatment, each linked to the one before it.

    Raises:
        Rejected: code "overlapping_version", when two versions hold for the same day, or a gap lies between them.
    """
    ordered = sorted(versions, key=lambda version: version.effective_from)
    for before, after in pairwise(ordered):
        named = before.effective_to < date.max
        if after.effective_from == date.min:
            raise Rejected(
                "overlapping_version",
                "effective_from",
                f"{after.place}: 'effective_from' is missing, as it is in {before.place}: two versions of "
                f"{after.name!r} would hold on every day; say from which day on the later one holds",
            )
        if before.effective_from == after.effective_from or (
            named and before.effective_to > after.effective_from
        ):
            raise Rejected(
                "overlapping_version",
                "effective_from",
                f"{after.place}: 'effective_from' {after.effective_from} overlaps {before.place}: two "
                f"versions of {after.name!r} would hold on one day; let the earlier one end with 'effective_to'",
            )
        if named and before.effective_to < after.effective_from:
            raise Rejected(
                "overlapping_version",
                "effective_from",
                f"{after.place}: 'effective_from' {after.effective_from} leaves a gap behind "
                f"{before.place}, which ends on {before.effective_to}: let one follow the other",
            )
    linked: Treatment | None = None
    for version in ordered:
        linked = replace(version, earlier=linked)
    assert linked is not None, "a line has a version"
    return linked


def _steps(document: Mapping[str, Any], source: str) -> tuple[Step, ...]:
    rows = document.get("step")
    if not isinstance(rows, list) or not rows:
        raise _bad(source, "step", "holds no step: write at least one")
    defaults = document.get("defaults", {})
    if not isinstance(defaults, Mapping):
        raise _bad(source, "defaults", "is not a table: write its keys under [defaults]")
    shared = (_STEP_KEYS | _MORE_KEYS) - {"name"}
    for key in sorted(set(defaults) - shared):
        raise _bad(f"{source} defaults", key, f"is unknown: keys are {_listed(shared)}")
    steps: list[Step] = []
    for n, row in enumerate(rows, start=1):
        place = f"{source} step {n}"
        if not isinstance(row, Mapping):
            raise _bad(place, "step", "is not a table: write its keys in braces")
        steps += _repeated({**defaults, **row}, place)
    if len({step.name for step in steps}) != len(steps):
        raise _bad(source, "name", "two steps have the same name: give each its own")
    names = [step.name for step in steps]
    recurring = {step.name for step in steps if step.anchor in _EVENTS}
    for step in steps:
        if step.anchor is Anchor.CONTACT and step.after not in names:
            raise _bad(
                source,
                "after",
                f"of step {step.name} names no step: {step.after!r}; there are {', '.join(names)}",
            )
        if step.after in recurring:
            raise _bad(
                source,
                "after",
                f"of step {step.name} names {step.after!r}, which an event may bring any number of times: name a step "
                "that counts from a date, or let this one count from the event itself",
            )
        if step.anchor is Anchor.DEADLINE and not any(s.deadline_days for s in steps):
            raise _bad(
                source,
                "anchor",
                f"of step {step.name}: no step sets a deadline; give one deadline_days",
            )
    return tuple(steps)


def _check_order(steps: Sequence[Step], source: str) -> None:
    """Refuse steps of one date anchor that are not written in order of time: a reader must see what comes first."""
    for anchor in (Anchor.DUE, Anchor.STATEMENT, Anchor.DEADLINE):
        of_anchor = [step for step in steps if step.anchor is anchor]
        for before, after in pairwise(of_anchor):
            earlier = (before.offset_days, before.send_at or time.min)
            later = (after.offset_days, after.send_at or time.min)
            if earlier > later or (earlier == later and before.when == after.when):
                raise _bad(
                    source,
                    "step",
                    f"{after.name} does not come after {before.name}: write them in order of time",
                )


def _repeated(row: Mapping[str, Any], place: str) -> list[Step]:
    """Return the steps of one row: one, or as many as it repeats, the second one called `<name>.2`."""
    first = _step(row, place)
    if "repeat_days" not in row and "repeat_times" not in row:
        return [first]
    for key in ("repeat_days", "repeat_times"):
        if key not in row:
            raise _bad(place, key, "is missing: a step repeats every so many days, so many times")
    every = _whole(row, "repeat_days", place, range(1, MAX_DAYS))
    times = _whole(row, "repeat_times", place, range(2, MAX_REPEATS + 1))
    return [
        first,
        *(
            replace(
                first, name=f"{first.name}.{n}", offset_days=first.offset_days + (n - 1) * every
            )
            for n in range(2, times + 1)
        ),
    ]


def _step(row: Mapping[str, Any], place: str) -> Step:
    for key in sorted(set(row) - _STEP_KEYS - _MORE_KEYS):
        raise _bad(place, key, f"is unknown: keys are {_listed(_STEP_KEYS | _MORE_KEYS)}")
    for key in sorted(_STEP_KEYS - set(row)):
        raise _bad(place, key, "is missing: state it in the step or in defaults")
    name = _word(row, "name", place)
    if ANCHORED in name:
        raise _bad(
            place, "name", f"holds a {ANCHORED!r}, which stands before an anchor: leave it out"
        )
    anchor = _choice(row, "anchor", place, Anchor, Anchor.DUE)
    at_once = row["send_at"] == "at_once"
    if at_once and anchor in (Anchor.DUE, Anchor.STATEMENT, Anchor.DEADLINE):
        raise _bad(
            place,
            "send_at",
            f'is no time of day, and the anchor {anchor} is only a date: write "10:00"',
        )
    if (anchor is Anchor.CONTACT) is not ("after" in row):
        raise _bad(place, "after", "and anchor 'contact' come together: it names the step before")
    offset = _whole(row, "offset_days", place, range(-MAX_DAYS, MAX_DAYS + 1))
    if offset < 0 and anchor not in (Anchor.DUE, Anchor.DEADLINE):
        raise _bad(
            place,
            "offset_days",
            f"lies before its anchor: nobody knows of {anchor} before; use 0 or more",
        )
    return Step(
        name=name,
        offset_days=offset,
        send_at=None if at_once else _time(row, place),
        channels=_channels(row, place),
        template=_word(row, "template", place),
        message_class=_choice(row, "class", place, MessageClass, MessageClass.COURTESY),
        catch_up=timedelta(hours=_whole(row, "catch_up_hours", place, range(1, MAX_DAYS * 24))),
        anchor=anchor,
        late=_choice(row, "late", place, Late, Late.SEND),
        when=_conditions(row, place),
        after=_word(row, "after", place) if "after" in row else "",
        debit_template=_word(row, "debit_template", place) if "debit_template" in row else "",
        deadline_days=_whole(row, "deadline_days", place, range(1, MAX_DAYS))
        if "deadline_days" in row
        else 0,
        fallback=_fallback(row, place) if "fallback" in row else REACHED_NOBODY,
    )


def _fallback(row: Mapping[str, Any], place: str) -> frozenset[Fallback]:
    """Return the failures that a step names; none of them is a word too: then it takes no other channel."""
    named = row["fallback"]
    if named == []:
        return frozenset()
    words = _words(row, "fallback", place)
    for word in words:
        if word not in set(Fallback):
            raise _bad(
                place,
                "fallback",
                f"names {word!r}; there are {', '.join(Fallback)}: choose of them",
            )
    if len(set(words)) != len(words):
        raise _bad(place, "fallback", "names a failure twice: leave one out")
    return frozenset(map(Fallback, words))


def _time(row: Mapping[str, Any], place: str) -> time:
    value = row["send_at"]
    try:
        send_at = time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        send_at = None
    if send_at is None:
        raise _bad(place, "send_at", 'is no local time in quotes: write it as "10:00"')
    if send_at.tzinfo is not None:
        raise _bad(
            place, "send_at", "is the borrower's local time and carries no zone: leave it out"
        )
    return send_at


def _conditions(row: Mapping[str, Any], place: str) -> Conditions:
    table = row.get("when", {})
    if table == {}:
        return ANYBODY
    if not isinstance(table, Mapping):
        raise _bad(place, "when", "is not a table: write its conditions in braces")
    for key in sorted(set(table) - _WHEN_KEYS):
        raise _bad(f"{place} when", key, f"is no condition: there are {_listed(_WHEN_KEYS)}")
    where = f"{place} when"
    amounts = range(10**15 + 1)
    found = Conditions(
        mandate=_flag(table, "mandate", where) if "mandate" in table else None,
        min_minor=_bound(table, "min_minor", where, amounts),
        max_minor=_bound(table, "max_minor", where, amounts),
        min_dpd=_bound(table, "min_dpd", where, range(MAX_DAYS)),
        max_dpd=_bound(table, "max_dpd", where, range(MAX_DAYS)),
        currency=_word(table, "currency", where) if "currency" in table else "",
        products=_some(table, "products", where),
        tags=_some(table, "tags", where),
        without_tags=_some(table, "without_tags", where),
        score_bands=_some(table, "score_bands", where),
        debit_reasons=_some(table, "debit_reasons", where),
    )
    for key, low, high in (
        ("max_minor", found.min_minor, found.max_minor),
        ("max_dpd", found.min_dpd, found.max_dpd),
    ):
        if low is not None and high is not None and low > high:
            raise _bad(
                where, key, "is below its minimum: the step would never go; correct one of the two"
            )
    return found


def _bound(table: Mapping[str, Any], key: str, place: str, allowed: range) -> int | None:
    return _whole(table, key, place, allowed) if key in table else None


def _some(table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    return tuple(_words(table, key, place)) if key in table else ()


def _word(row: Mapping[str, Any], key: str, place: str) -> str:
    word = row[key]
    if not isinstance(word, str) or not word:
        raise _bad(place, key, "is no text: write it in quotes")
    return word


def _words(row: Mapping[str, Any], key: str, place: str) -> list[str]:
    words = row[key]
    if not isinstance(words, list) or not words or not all(isinstance(w, str) and w for w in words):
        raise _bad(place, key, "is no list of words: write them in quotes, in square brackets")
    return words


def _whole(row: Mapping[str, Any], key: str, place: str, allowed: range) -> int:
    number = row[key]
    if type(number) is not int or number not in allowed:
        raise _bad(place, key, f"is no whole number from {allowed[0]} to {allowed[-1]}: correct it")
    return number


def _hours(row: Mapping[str, Any], key: str, place: str) -> timedelta:
    if key not in row:
        return timedelta()
    return timedelta(hours=_whole(row, key, place, range(1, MAX_DAYS * 24)))


def _flag(row: Mapping[str, Any], key: str, place: str) -> bool:
    flag = row.get(key, False)
    if not isinstance(flag, bool):
        raise _bad(place, key, "is neither true nor false: write one of them without quotes")
    return flag


def _date(row: Mapping[str, Any], key: str, place: str, default: date) -> date:
    value = row.get(key, default)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _bad(place, key, "is no date: write it as 2026-03-01, without quotes")
    return value


def _choice(row: Mapping[str, Any], key: str, place: str, words: type[Word], default: Word) -> Word:
    try:
        return words(row.get(key, default))
    except (TypeError, ValueError):
        raise _bad(place, key, f"is none of {', '.join(words)}: choose one") from None


def _channels(row: Mapping[str, Any], place: str) -> tuple[str, ...]:
    channels, known = row["channels"], ", ".join(f'"{each}"' for each in CHANNELS)
    if not isinstance(channels, list) or not channels:
        raise _bad(place, "channels", f"is no list of channels: write [{known}]")
    for channel in channels:
        if channel not in CHANNELS:
            raise _bad(place, "channels", f"holds {channel!r}, which is no channel: use {known}")
    if len(set(channels)) != len(channels):
        raise _bad(place, "channels", "names a channel twice: leave one out")
    return tuple(channels)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _bad(place: str, key: str, problem: str) -> Rejected:
    return Rejected("bad_treatment", key, f"{place}: {key!r} {problem}")
