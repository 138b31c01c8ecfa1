"""What it costs to ask all rules about one contact: `betimes bench rules`.

Every request is another borrower's at another second, with twenty touches of its own, so nothing that was worked out
for one consumer helps the next: what is shared is the law and the day, as it is in a sweep. Beside it stands what the
first contact of a kind costs, before anything was worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from time import thread_time_ns
from typing import Final

from betimes.core.consent import Consent, Ledger
from betimes.core.law import Event, Law, Request
from betimes.core.rule import ConsentForm, Party, Purpose, Stage
from betimes.core.touch import Direction, Touch
from betimes.core.values import dataclass, replace

RUNS: Final = 2_000
FRESH_RUNS: Final = 20
TOUCHES: Final = 20
# What one evaluation may cost in the middle of all: a sweep asks this of every contact.
LIMIT_US: Final = 50

# Requests of a context lie within this time from its start, so that none leaves the hours it begins in.
_SPREAD_S: Final = 7_200
_CHINESE: Final = (
    "【好借】您的账单已逾期3天，应还1200.00元，请通过应用还款。如需协助请联系客服。拒收请回复R"
)
_ENGLISH: Final = (
    "Example Lending: your payment of 1,200.00 is 3 days late. Pay in the app, or call us if you need help. "
    "Reply STOP to stop texts."
)


@dataclass(frozen=True, slots=True)
class Context:
    """Contacts of one kind: `like` with another borrower, second and history each, under the rules of some packs."""

    name: str
    jurisdictions: tuple[str, ...]
    like: Request


def _call(at: datetime, *zones: str) -> Request:
    return Request(
        at=at,
        channel="call",
        purpose=Purpose.OVERDUE,
        stage=Stage.OVERDUE,
        zones=zones,
        by="lender",
        product="consumer_loan",
        dpd=3,
        language="en",
        text=_ENGLISH,
    )


def _by_agency(request: Request) -> Request:
    return replace(request, party=Party.THIRD, by="agency")


_DAY: Final = datetime(2026, 11, 24, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
# Ten in the morning in China, on a day on which calls and texts are allowed.
_CHINA: Final = replace(_call(_DAY + 2 * _HOUR, "Asia/Shanghai"), language="zh-CN", text=_CHINESE)

CONTEXTS: Final = (
    Context("CN", ("CN",), _CHINA),
    Context("CN, at night", ("CN",), replace(_CHINA, at=_DAY + 15 * _HOUR)),
    Context(
        "US-NYC, by an agency",
        ("US-NYC",),
        _by_agency(_call(_DAY + 15 * _HOUR, "America/New_York")),
    ),
    Context("GB", ("GB",), _call(_DAY + 10 * _HOUR, "Europe/London")),
    Context(
        "BR-SP, number of CN",
        ("BR-SP", "CN"),
        replace(
            _call(_DAY + 11 * _HOUR, "America/Sao_Paulo", "Asia/Shanghai"),
            number_zones=("Asia/Shanghai",),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds for one evaluation, over `runs` of them: the median, the 99th percentile and the worst, and the
    median of the first evaluation of a law that knows nothing yet. `rules` are those that answered, `asked` those of
    them that are about such a contact.
    """

    runs: int
    rules: int
    asked: int
    median_us: float
    p99_us: float
    worst_us: float
    fresh_us: float


def measure(
    law: Law,
    jurisdictions: Collection[str] = ("CN",),
    runs: int = RUNS,
    like: Request = _CHINA,
    timer: Callable[[], int] = thread_time_ns,
) -> Measured:
    """Return what one evaluation of an overdue call costs, in time of the processor: what else runs is not counted.

    `timer` counts nanoseconds.
    """
    assert runs >= 1, "nothing is measured in no run"
    spent: list[int] = []
    verdict = law.evaluate(next(requests(1, like)), jurisdictions)
    for request in requests(runs, like):
        before = timer()
        verdict = law.evaluate(request, jurisdictions)
        spent.append(timer() - before)
    spent.sort()
    return Measured(
        runs=runs,
        rules=len(verdict.answers),
        asked=sum(answer.applies for answer in verdict.answers),
        median_us=median(spent) / 1000,
        p99_us=spent[(len(spent) - 1) * 99 // 100] / 1000,
        worst_us=spent[-1] / 1000,
        fresh_us=_fresh(law, jurisdictions, min(runs, FRESH_RUNS), like, timer),
    )


def _fresh(
    law: Law,
    jurisdictions: Collection[str],
    runs: int,
    like: Request,
    timer: Callable[[], int],
) -> float:
    spent: list[int] = []
    for request in requests(runs, like):
        unread = Law(law.packs, law.calendars)
        before = timer()
        unread.evaluate(request, jurisdictions)
        spent.append(timer() - before)
    return median(spent) / 1000


def measure_all(
    law: Law, runs: int = RUNS, contexts: Sequence[Context] = CONTEXTS
) -> tuple[tuple[Context, Measured], ...]:
    """Return each context with what one evaluation of it costs, in one run."""
    return tuple((each, measure(law, each.jurisdictions, runs, each.like)) for each in contexts)


def requests(count: int, like: Request = _CHINA) -> Iterator[Request]:
    """Yield as many contacts like one, each with another borrower of a lender, `TOUCHES` touches, a hold that is over,
    and two consents.
    """
    for n in range(count):
        at = like.at + timedelta(seconds=n % _SPREAD_S, microseconds=n)
        yield replace(
            like,
            at=at,
            debts=(f"o{n}",),
            accounts=(f"a{n}",),
            number=f"n{n}",
            touches=tuple(_touch(n, place, at) for place in range(TOUCHES)),
            events=(Event("promise", at - timedelta(days=20), at - timedelta(days=9)),),
            consents=_consents(at),
        )


def _touch(borrower: int, place: int, at: datetime) -> Touch:
    """Return one of twenty touches: two today, the others over the nine days before, calls and texts in turn."""
    is_call = place % 2 == 0
    hours = 1 + place if place < 2 else 11 * place
    by_agency = place % 5 == 0
    return Touch(
        id=f"t{borrower}.{place}",
        at=at - timedelta(hours=hours, seconds=37 * place),
        channel="call" if is_call else "sms",
        direction=Direction.IN if place == 7 else Direction.OUT,
        connected=place % 4 == 0,
        party=Party.THIRD if by_agency else Party.FIRST,
        by="agency" if by_agency else "lender",
        debts=(f"o{borrower}",),
        accounts=(f"a{borrower}",),
        number=f"n{borrower}",
    )


def _consents(at: datetime) -> Ledger:
    return tuple(
        Consent(
            id=f"c{place}",
            purpose=purpose,
            channel="",
            address="",
            form=ConsentForm.EXPRESS,
            given_at=at - timedelta(days=300),
            evidence="contract",
            source="lender",
        )
        for place, purpose in enumerate((Purpose.OVERDUE, Purpose.COURTESY))
    )
