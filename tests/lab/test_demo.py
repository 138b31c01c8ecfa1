"""The demo book: the same every time, believable, reachable by nobody, and accepted by the real intake."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest

from betimes.adapters import packs, sim
from betimes.core import calibration, intake, zones
from betimes.core.book import Pages
from betimes.core.calibration import POINTS, Spread
from betimes.core.errors import Rejected
from betimes.core.intake import AddObligation, AddRepayment, Outcome
from betimes.lab import demo
from betimes.measured import measured
from betimes.wire import tape
from betimes.wire.tape import BadRow, Row, TapeDefaults

ZONE = "Asia/Shanghai"
AS_OF = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)
FILES = ("accounts.csv", "obligations.csv", "repayments.csv")
FIGURES = tomllib.loads((resources.files("betimes.packs") / "calibration.toml").read_text("utf-8"))


def written(target: Path, as_of: datetime = AS_OF, *, borrowers: int = 500, seed: int = 7) -> Path:
    demo.write_demo(target, as_of=as_of, borrowers=borrowers, seed=seed, zone=ZONE)
    return target


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_and_instant_give_the_same_bytes(tmp_path: Path) -> None:
    """Nothing but the arguments decides; another seed gives another book."""
    first, again, other = (tmp_path / name for name in "abc")
    written(first, borrowers=60)
    written(again, borrowers=60)
    written(other, borrowers=60, seed=8)
    for name in FILES:
        assert (first / name).read_bytes() == (again / name).read_bytes()
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_later_the_same_day_only_money_is_added(tmp_path: Path) -> None:
    """The civil date decides the book; the instant decides how much of it is known."""
    morning = written(tmp_path / "morning", AS_OF)
    evening = written(tmp_path / "evening", AS_OF + timedelta(hours=10))
    assert table(morning, "accounts.csv") == table(evening, "accounts.csv")
    early, late = table(morning, "repayments.csv"), table(evening, "repayments.csv")
    assert len(early) < len(late)
    assert all(row in late for row in early)


def test_nothing_is_known_before_it_happens(tmp_path: Path) -> None:
    """No row is issued or paid after the instant, yet the whole book holds such payments."""
    folder = written(tmp_path)
    issued = [datetime.fromisoformat(row["issued_at"]) for row in table(folder, "obligations.csv")]
    paid = [datetime.fromisoformat(row["paid_at"]) for row in table(folder, "repayments.csv")]
    assert max(issued) <= AS_OF and max(paid) <= AS_OF
    book = demo.generate(date(2026, 3, 9), borrowers=500, seed=7, zone=ZONE)
    assert max(payment.paid_at for payment in book.repayments) > AS_OF


def test_the_book_has_what_the_tour_needs(tmp_path: Path) -> None:
    """Products, languages, zones, and borrowers who can be reached by one way, both or none."""
    rows = table(written(tmp_path), "accounts.csv")
    people = {row["borrower_id"]: row for row in rows}
    assert len(people) == 500
    assert 1.3 <= len(rows) / len(people) <= 1.5
    assert {row["currency"] for row in rows} == {"CNY"}
    assert {row["product"] for row in rows} == {"huabei", "jiebei"}
    locales = Counter(row["locale"] for row in people.values())
    assert 0.62 <= locales["zh-CN"] / 500 <= 0.75 and set(locales) == {"zh-CN", "en"}
    homes = Counter((row["zone"], row["jurisdiction"]) for row in people.values())
    assert homes[ZONE, "CN"] > 440
    assert {home for home, _ in homes.items()} == {
        (ZONE, "CN"),
        ("Asia/Urumqi", "CN"),
        ("Europe/London", "GB"),
        ("America/New_York", "US"),
    }
    ways = Counter((bool(row["email"]), bool(row["phone"])) for row in people.values())
    assert 3 <= ways[False, False] <= 20
    assert 12 <= ways[False, True] <= 40
    assert ways[True, True] > 440


def test_nobody_can_be_reached_by_it(tmp_path: Path) -> None:
    """Every address is of a reserved domain, every number of the range kept free for drama, and there are no names."""
    rows = table(written(tmp_path), "accounts.csv")
    assert not {"name", "first_name", "last_name"} & set(rows[0])
    for row in rows:
        if row["email"]:
            assert row["email"].endswith("@borrowers.example")
        if row["phone"]:
            assert row["phone"].startswith("+447700900") and len(row["phone"]) == 13


def test_a_rehearsal_adds_one_borrower_for_each_thing_that_comes_back(tmp_path: Path) -> None:
    """Nothing else changes; each has an address that the simulator knows by its name, and a number where texts arrive,
    and owes a bill that falls due tomorrow.
    """
    written(tmp_path / "plain", borrowers=40)
    folder = tmp_path / "rehearsed"
    demo.write_demo(folder, as_of=AS_OF, borrowers=40, seed=7, zone=ZONE, rehearsal=True)
    plain, rows = table(tmp_path / "plain", "accounts.csv"), table(folder, "accounts.csv")
    assert rows[: len(plain)] == plain
    added = rows[len(plain) :]
    assert {row["borrower_id"] for row in added} == {f"b-{name}" for name in demo.REHEARSED}
    for row in added:
        scene = row["borrower_id"].removeprefix("b-")
        assert sim.scene_of("email", row["email"]) == scene
        assert sim.scene_of("sms", row["phone"]) is sim.Scene.DELIVERED
        assert re.fullmatch(r"\+447700900[0-9]{3}", row["phone"])
    assert len({row["phone"] for row in added}) == len(added)
    bills = {row["borrower_id"]: row for row in table(folder, "obligations.csv")}
    assert {bills[row["borrower_id"]]["due_on"] for row in added} == {"2026-03-10"}
    for name in ("obligations.csv", "repayments.csv"):
        before = table(tmp_path / "plain", name)
        assert table(folder, name)[: len(before)] == before


def test_a_borrower_has_one_truth(tmp_path: Path) -> None:
    """All accounts of a borrower repeat the same person, so the order of rows does not matter."""
    said: dict[str, set[tuple[str, ...]]] = {}
    for row in table(written(tmp_path), "accounts.csv"):
        person = tuple(row[c] for c in ("email", "phone", "locale", "zone", "jurisdiction"))
        said.setdefault(row["borrower_id"], set()).add(person)
    assert {len(persons) for persons in said.values()} == {1}


def rows_of(folder: Path, kind: str) -> list[Row]:
    name = f"{kind}.csv"
    with (folder / name).open("rb") as stream:
        found = list(tape.rows(kind, stream, name, TapeDefaults(ZONE)))
    assert not [row for row in found if isinstance(row, BadRow)]
    return [row for row in found if isinstance(row, Row)]


def test_intake_accepts_every_row(tmp_path: Path) -> None:
    """The reader reads and the core stores every row; money fits its obligation, a little of it is too much."""
    folder = written(tmp_path)
    policies = packs.policies("default", "Test Bank")
    pages: dict[str, Pages] = {}
    owner = {row.account_id: row.borrower_id for row in rows_of(folder, "accounts")}
    outcomes: Counter[tuple[str, Outcome]] = Counter()
    for kind in ("accounts", "obligations", "repayments"):
        for row in rows_of(folder, kind):
            borrower_id = owner[row.account_id]
            for command in row.commands:
                try:
                    after, outcome = intake.accept(
                        pages.get(borrower_id, Pages("t", borrower_id)),
                        command,
                        policies,
                        shards=4,
                        now=AS_OF,
                    )
                except Rejected as rejected:
                    pytest.fail(f"{kind} line {row.line}: {rejected.message}")
                pages[borrower_id] = after
                outcomes[kind, outcome] += 1
    assert outcomes["obligations", Outcome.STORED] == len(rows_of(folder, "obligations"))
    repayments = len(rows_of(folder, "repayments"))
    over = outcomes["repayments", Outcome.OVERPAID]
    assert outcomes["repayments", Outcome.STORED] + over == repayments
    assert 0 < over < 0.03 * repayments
    owed = [o for p in pages.values() for o in p.obligations.values()]
    assert any(o.minimum_is_met and o.is_open for o in owed), "somebody has paid the minimum only"
    assert any(0 < o.paid_minor < o.amount.minor for o in owed)


@cache
def _owed_on(today: date) -> list[tuple[AddObligation, datetime | None]]:
    """Return the obligations of that day's book with the instant at which each is paid in full."""
    book = demo.generate(today, borrowers=500, seed=7, zone=ZONE)
    settled: dict[str, datetime] = {}
    for payment in book.repayments:
        settled[payment.obligation_id] = payment.paid_at
    return [(o, settled.get(o.obligation_id)) for _, o in book.obligations]


@pytest.mark.parametrize(
    "today",
    [
        date(2024, 2, 29),
        date(2025, 12, 31),
        *(date(2026, m, d) for m in (3, 6) for d in (1, 5, 12, 31 - m % 5)),
    ],
)
def test_on_every_date_some_step_is_due(today: date) -> None:
    """At 10:00 of any day somebody still owes at each step up to the due day, within a week and a month after it."""
    at = zones.instant(today, datetime.min.time().replace(hour=10), ZONE)
    due: Counter[int] = Counter(
        (today - o.due_on).days
        for o, settled_at in _owed_on(today)
        if o.issued_at <= at and (settled_at is None or settled_at > at)
    )
    for offset in (-3, -1, 0):
        assert due[offset], f"no obligation at D{offset:+d}"
    assert any(due[days] for days in range(1, 8)), "nobody is overdue"
    assert any(due[days] for days in range(8, 31)), "nobody is long overdue"


def bins_of(name: str) -> list[tuple[int, int, float]]:
    return [(low, high, share / 100_000) for low, high, share in FIGURES[name]["bins"]]


@cache
def first_days(product: str) -> list[int]:
    """Return pay day minus due day of each first payment in a large whole book, for one product."""
    book = demo.generate(date(2026, 3, 9), borrowers=15_000, seed=11, zone=ZONE)
    zone_of = {h.account.account_id: h.person.zone for h in book.holdings}
    kind_of = {h.account.account_id: h.account.product for h in book.holdings}
    first: dict[str, AddRepayment] = {}
    for payment in book.repayments:
        first.setdefault(payment.obligation_id, payment)
    return [
        (zones.local_date(first[o.obligation_id].paid_at, zone_of[o.account_id]) - o.due_on).days
        for _, o in book.obligations
        if kind_of[o.account_id] == product
    ]


def l1(days: Iterable[int], bins: list[tuple[int, int, float]]) -> float:
    found = list(days)
    return sum(
        abs(sum(low <= day <= high for day in found) / len(found) - share)
        for low, high, share in bins
    )


def test_cash_loans_are_paid_when_measured_loans_were() -> None:
    """The histogram of first payments lies within 0.02 of the source, the late share within half a point."""
    days = first_days("jiebei")
    assert len(days) > 20_000
    assert l1(days, bins_of("instalment")) <= 0.02
    late = sum(day > 0 for day in days) / len(days)
    assert abs(late - FIGURES["instalment"]["late_share"] / 10_000) <= 0.005


def test_bills_are_late_as_often_and_as_long_as_measured() -> None:
    """Bills exist for too short a time to be paid weeks ahead, so only what comes after the due day is compared."""
    days = first_days("huabei")
    assert len(days) > 20_000
    late = sum(day > 0 for day in days) / len(days)
    assert abs(late - FIGURES["statement"]["late_share"] / 10_000) <= 0.005
    assert l1(days, [b for b in bins_of("statement") if b[0] > 0]) <= 0.02
    # Due on the 20th; a bill of the 1st in Shanghai is one of the day before in New York.
    assert min(days) == -20


def test_part_payments_are_as_frequent_as_measured() -> None:
    """The share of obligations whose first payment is not enough lies within half a point of the source."""
    book = demo.generate(date(2026, 3, 9), borrowers=4_000, seed=3, zone=ZONE)
    twice = sum(payment.repayment_id.endswith("-p2") for payment in book.repayments)
    assert abs(twice / len(book.obligations) - FIGURES["partial_share"] / 10_000) <= 0.005


def test_hours_are_those_measured() -> None:
    """Local hours of payment lie within 0.03 of the source."""
    book = demo.generate(date(2026, 3, 9), borrowers=6_000, seed=5, zone=ZONE)
    zone_of = {h.account.account_id: h.person.zone for h in book.holdings}
    hours = [zones.local_time(p.paid_at, zone_of[p.account_id]).hour for p in book.repayments]
    wanted = FIGURES["paid_hours"]
    assert l1(hours, [(h, h, share / sum(wanted)) for h, share in enumerate(wanted)]) <= 0.03


@pytest.mark.parametrize("name", ["instalment", "statement"])
def test_the_pack_holds_together(name: str) -> None:
    """Bins are gapless and sum to one, and the days drawn have the measured daily hazards within a point."""
    bins = FIGURES[name]["bins"]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(bins))
    assert abs(sum(share for _, _, share in bins) - 100_000) <= 1
    spread: Spread = getattr(measured(), name)
    weight = [b - a for a, b in pairwise((0, *spread.cumulative))]
    first = FIGURES[name]["first_hazard_day"]
    for day, hazard in enumerate(FIGURES[name]["daily_hazards"], start=first):
        unpaid = sum(weight[day - spread.first :])
        assert abs(weight[day - spread.first] / unpaid - hazard / 10_000) <= 0.01


def test_a_draw_covers_its_range_and_nothing_else() -> None:
    """The lowest and the highest point give the ends of the range; numbers without weight are never drawn."""
    spread = Spread.of(-1, [3, 0, 1])
    assert spread.draw(0) == -1 and spread.draw(POINTS - 1) == 1
    assert spread.draw(POINTS * 3 // 4 - 1) == -1 and spread.draw(POINTS * 3 // 4) == 1
    assert spread.draw(0, low=0) == spread.draw(POINTS - 1, low=0) == 1
    assert spread.draw(POINTS - 1, high=0) == -1
    assert spread.draw(0, low=-99, high=99) == -1
    with pytest.raises(AssertionError):
        spread.draw(0, low=0, high=0)


@pytest.mark.parametrize(
    "change",
    [
        {"paid_hours": [1, 2]},
        {"partial_share": "many"},
        {"instalment": {}},
        {
            "instalment": {
                "bins": [[0, 1, 5], [3, 4, 5]],
                "first_hazard_day": 0,
                "daily_hazards": [],
            }
        },
        {"statement": None},
    ],
)
def test_a_malformed_pack_is_refused(change: dict[str, object]) -> None:
    """A pack with a gap, a wrong length or a missing key is refused by its file name."""
    with pytest.raises(Rejected, match=r"figures\.toml"):
        calibration.parse({**FIGURES, **change}, "figures.toml")
