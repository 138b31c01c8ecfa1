"""The finite cases of a treatment: which borrowers it tells apart, and how the steps of a due date lie in time.

A treatment asks a borrower for tags, bands, amounts, a currency and a mandate. Of all borrowers there are those few
kinds whose answers differ. For one kind the plan of a due date is that of the planner itself (`core.agenda.plan`); the
plan of another due date is the same plan, shifted, if nothing that the planner looks at differs by more than the
shift: the clocks of the borrower's zone and of the product's zone, the versions in force, and the days that the
treatment closes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from typing import Final

from betimes.core import agenda, rules, zones
from betimes.core.agenda import MAX_CLOSED_DAYS, Planned
from betimes.core.arrears import age_of
from betimes.core.book import Snapshot
from betimes.core.borrower import Account, Borrower
from betimes.core.errors import Rejected
from betimes.core.flight import Flight
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Watch
from betimes.core.product import PLAIN, Profile
from betimes.core.treatment import Anchor, Conditions, Step, Treatment
from betimes.core.values import dataclass, replace

DAY: Final = timedelta(days=1)
# More kinds of borrowers than this no compliance officer has an overview of.
MAX_KINDS: Final = 4096
_MAX_TAGS: Final = 12
# What is owed where no condition asks for an amount, in minor units.
_SOME_MINOR: Final = 100_000
_SOME_CURRENCY: Final = "CNY"
# Bills come once a month: how many days a month may have.
MONTHS: Final = (28, 29, 30, 31)
_LONG_BEFORE: Final = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of borrower and debt, as far as a treatment tells them apart."""

    mandate: bool = False
    tags: tuple[str, ...] = ()
    score_band: str = ""
    currency: str = _SOME_CURRENCY
    minor: int = _SOME_MINOR

    def __str__(self) -> str:
        """Return the kind in words."""
        words = ["with auto-debit" if self.mandate else "without auto-debit"]
        words += [f"tagged {tag}" for tag in self.tags]
        words += [f"score band {self.score_band}"] if self.score_band else []
        if self.minor != _SOME_MINOR or self.currency != _SOME_CURRENCY:
            words.append(f"owes {self.minor} minor units of {self.currency}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Scene:
    """A kind of borrower, a product, and how many days before the due date a bill comes, under a treatment.

    `profile` has only what a plan asks of a product.
    """

    treatment: Treatment
    profile: Profile
    kind: Kind
    billed_before: int

    def own(self, zone: str) -> str:
        """Return the zone in which the debt's dates are counted."""
        return self.profile.zone or zone

    def snapshot(
        self, where: tuple[str, ...], due_on: date, flights: tuple[Flight, ...] = ()
    ) -> Snapshot:
        """Return a debt that falls due on a day and of which nothing has been said or paid yet."""
        kind, own = self.kind, self.own(where[0])
        issued_at = zones.instant(due_on - self.billed_before * DAY, time.min, own)
        obligation = Obligation(
            id="o1",
            account_id="a1",
            seq=1,
            issued_at=issued_at,
            due_on=due_on,
            amount=Money(kind.minor, kind.currency),
            principal_minor=kind.minor,
            minimum_minor=0,
            stored_at=issued_at,
            watch=Watch(0),
        )
        borrower = Borrower(
            tenant="",
            id="b1",
            locale="",
            zone=where[0],
            jurisdiction="",
            zone_evidence=where[1:],
            tags=kind.tags,
            score_band=kind.score_band,
        )
        mandate = "0000" if kind.mandate else ""
        account = Account("a1", self.profile.name, kind.currency, due_on, mandate=mandate)
        owing = {"o1": obligation}
        return Snapshot(borrower, obligation, account, self.profile, (), flights, owing)

    def speaking(self, snapshot: Snapshot) -> tuple[Planned, ...]:
        """Return the steps that will speak of a debt, as they are planned, in order of time."""
        found = []
        for each in agenda.plan(snapshot, self.treatment):
            age = age_of(snapshot, each.at)
            is_late = zones.local_date(each.at, snapshot.zone) > snapshot.obligation.due_on
            told = each.told_at
            if (
                agenda.is_meant_now(each.step.when, snapshot, each.at, age.dpd)
                and not agenda.is_untrue(each.step, is_late, age.phase)
                and (told is None or told < each.at + each.step.catch_up)
            ):
                found.append(each)
        return tuple(found)


def plain_conditions(treatment: Treatment) -> Treatment:
    """Return a treatment whose steps do not ask why a debit failed: any reason may come, so every such step is
    meant.
    """
    steps = tuple(
        replace(each, when=replace(each.when, debit_reasons=()))
        if each.when.debit_reasons
        else each
        for each in treatment.steps
    )
    earlier = plain_conditions(treatment.earlier) if treatment.earlier is not None else None
    if steps == treatment.steps and earlier is treatment.earlier:
        return treatment
    return replace(treatment, steps=steps, earlier=earlier)


def counted(profile: Profile) -> Profile:
    """Return a profile with only what plans, stages and purposes ask of a product; late interest is left out."""
    return replace(
        PLAIN,
        id=profile.id,
        name=profile.name,
        kinds=profile.kinds,
        zone=profile.zone,
        family=profile.family,
        grace_days=profile.grace_days,
        dpd_origin=profile.dpd_origin,
        debit=profile.debit,
    )


def scenes(treatment: Treatment, profile: Profile) -> tuple[Scene, ...]:
    """Return every case of a treatment and a product but for dates and places.

    Raises:
        Rejected: code "too_many_kinds", where conditions tell more than `MAX_KINDS` kinds of borrowers apart.
    """
    simple = plain_conditions(treatment)
    profile_counted = counted(profile)
    return tuple(
        Scene(simple, profile_counted, kind, gap)
        for gap in gaps(treatment, profile)
        for kind in kinds(simple, profile_counted)
    )


def kinds(treatment: Treatment, profile: Profile) -> tuple[Kind, ...]:
    """Return one borrower of each kind that the treatment tells apart, the plainest first."""
    steps = _steps(treatment)
    whens = [step.when for step in steps]
    tags = sorted({tag for when in whens for tag in (*when.tags, *when.without_tags)})
    bands, currencies, amounts = _bands(whens), _currencies(whens), _amounts(whens)
    count = 2 ** (min(len(tags), _MAX_TAGS) + 1) * len(bands) * len(currencies) * len(amounts)
    if count > MAX_KINDS:
        raise Rejected(
            "too_many_kinds",
            "when",
            f"{treatment.place}: 'when' tells {count} kinds of borrowers apart, more than {MAX_KINDS}: "
            "nobody can prove or read that; use fewer tags, bands and amounts",
        )
    found: dict[object, Kind] = {}
    flags = product((False, True), repeat=len(tags))
    for mandate, chosen, band, currency, minor in product(
        (False, True), flags, bands, currencies, amounts
    ):
        has = tuple(tag for tag, is_set in zip(tags, chosen, strict=True) if is_set)
        kind = Kind(mandate, has, band, currency, minor)
        found.setdefault(_answers(Scene(treatment, profile, kind, 1), steps), kind)
    return tuple(found.values())


def _answers(scene: Scene, steps: Sequence[Step]) -> object:
    """Return what steps make of a kind of borrower: two kinds with equal answers are one."""
    snapshot = scene.snapshot(("UTC",), date(2000, 1, 3))
    at = snapshot.obligation.issued_at
    return tuple(
        (
            agenda.is_meant_now(
                replace(step.when, min_dpd=None, max_dpd=None), snapshot, at, dpd=0
            ),
            rules.request(snapshot, step, at, step.channels[0]).purpose,
            step.anchor is Anchor.DEBIT_FAILED and scene.kind.mandate,
        )
        for step in steps
    )


def _steps(treatment: Treatment) -> list[Step]:
    return [step for version in treatment.versions() for step in version.steps]


def _bands(whens: Sequence[Conditions]) -> list[str]:
    return ["", *sorted({band for when in whens for band in when.score_bands})]


def _currencies(whens: Sequence[Conditions]) -> list[str]:
    named = sorted({when.currency for when in whens if when.currency})
    others = (each for each in (_SOME_CURRENCY, "USD", "EUR") if each not in named)
    return [next(others, _SOME_CURRENCY), *named]


def _amounts(whens: Sequence[Conditions]) -> list[int]:
    """Return amounts on both sides of each bound, that of no account first."""
    low = {when.min_minor for when in whens if when.min_minor is not None}
    high = {when.max_minor for when in whens if when.max_minor is not None}
    edges = low | {each - 1 for each in low} | high | {each + 1 for each in high}
    return [_SOME_MINOR, *sorted(each for each in edges if each > 0 and each != _SOME_MINOR)]


def gaps(treatment: Treatment, profile: Profile) -> tuple[int, ...]:
    """Return by how many days a bill may come before its due date, as far as any step counts from it."""
    steps = _steps(treatment)
    if all(step.anchor is not Anchor.STATEMENT for step in steps):
        return (max(_LONG_BEFORE, 1 - min(step.offset_days for step in steps)),)
    if profile.billing is None:
        return MONTHS
    return tuple(
        sorted(
            {
                due - bill if due > bill else due - bill + month
                for due, bill in profile.billing.due_days.items()
                for month in MONTHS
            }
        )
    )


@dataclass(frozen=True, slots=True)
class Clocks:
    """The changes of a zone's clocks within some days: the instants, in order, and by how much."""

    zone: str
    instants: tuple[datetime, ...]
    shifts: tuple[timedelta, ...]

    def between(
        self, start: datetime, end: datetime, base: datetime
    ) -> tuple[tuple[timedelta, timedelta], ...]:
        """Return the changes in [start, end), each counted from `base`."""
        first, last = bisect_left(self.instants, start), bisect_left(self.instants, end)
        return tuple((self.instants[n] - base, self.shifts[n]) for n in range(first, last))

    @property
    def slack(self) -> timedelta:
        """By how much two times of day may lie closer or further apart than the clocks say."""
        total = timedelta()
        reached = [total]
        for shift in self.shifts:
            total += shift
            reached.append(total)
        return max(reached) - min(reached)


@lru_cache(maxsize=256)
def clocks(zone: str, first: date, last: date) -> Clocks:
    """Return the changes of clocks in a zone on the UTC days from `first` to `last`."""
    instants: list[datetime] = []
    shifts: list[timedelta] = []
    before: timedelta | None = None
    for n in range((last - first).days + 1):
        for stretch in zones.stretches(first + n * DAY, zone):
            if before is not None and stretch.offset != before:
                instants.append(stretch.start)
                shifts.append(stretch.offset - before)
            before = stretch.offset
    return Clocks(zone, tuple(instants), tuple(shifts))


@dataclass(frozen=True, slots=True)
class Span:
    """How far the steps of a due date reach: from `before` days before it to `after` days behind it, all inside."""

    before: int
    after: int


def span_of(scene: Scene) -> Span:
    """Return the days around a due date on which anything of a plan may lie, with room for clocks of two zones."""
    before, after = scene.billed_before, 0
    closed = MAX_CLOSED_DAYS if any(v.closed for v in scene.treatment.versions()) else 0
    for step in _steps(scene.treatment):
        before = max(before, -step.offset_days)
        late = -(-step.catch_up // DAY)
        after = max(after, step.offset_days + late)
    # Nothing is planned before the bill; of a bill long ago only the steps are of interest.
    if all(step.anchor is not Anchor.STATEMENT for step in _steps(scene.treatment)):
        before = max(0, *(-step.offset_days for step in _steps(scene.treatment)))
    return Span(before + 2, after + closed + 3)


def plan_key(scene: Scene, zone: str, due_on: date, span: Span, base: datetime) -> object:
    """Return all that the plan of a due date depends on but for a shift: two due dates with equal keys have the same
    plan, counted from `base`, the midnight of the due date by the borrower's clocks.
    """
    treatment, own = scene.treatment, scene.own(zone)
    start, end = base - span.before * DAY, base + span.after * DAY
    first, last = (due_on - (span.before + 2) * DAY), (due_on + (span.after + 2) * DAY)
    key: list[object] = [_clocks_around(zone, first).between(start, end, base)]
    if own != zone:
        theirs = zones.instant(due_on, time.min, own)
        key += [theirs - base, _clocks_around(own, first).between(start, end, base)]
    for version in treatment.versions():
        if version.earlier is not None:
            days = (version.effective_from - due_on).days
            key.append(min(max(days, -span.before - 2), span.after + 2))
        if version.closed:
            key.append(tuple(version.is_open(first + n * DAY) for n in range((last - first).days)))
    return tuple(key)


def _clocks_around(zone: str, on: date) -> Clocks:
    # In pieces of whole years, so that few are remembered.
    return clocks(zone, date(on.year - 1, 1, 1), date(on.year + 2, 12, 31))


def utc_days(start: datetime, end: datetime) -> range:
    """Return the ordinals of the UTC days from that of `start` to that of `end`."""
    return range(start.astimezone(UTC).toordinal(), end.astimezone(UTC).toordinal() + 1)
