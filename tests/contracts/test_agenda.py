"""The agenda: what is due is found, oldest first, page by page, and what is not to be looked at is not in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from betimes.core.change import SaveObligation
from betimes.core.obligation import Obligation
from betimes.ports import DueLook, Page, Stores
from tests.factories import NOW, SHARD, TENANT, obligation, settled, watch

MINUTE = timedelta(minutes=1)


def put(stores: Stores, borrower_id: str, stored: Obligation, *seen: int) -> None:
    stores.store.commit([SaveObligation(TENANT, borrower_id, stored, *(seen or (0, 0)))])


def bill(look_at: datetime | None, *, shard: int = SHARD, seq: int = 1) -> Obligation:
    return obligation(watch=watch(look_at=look_at, shard=shard, seq=seq))


def walk(stores: Stores, now: datetime, *, limit: int) -> Iterator[Page]:
    """Yield all pages of the shard; fails where they do not end."""
    after = ""
    for _ in range(20):
        page = stores.book.due(SHARD, now, limit=limit, after=after)
        yield page
        after = page.after
        if not after:
            return
    raise AssertionError("the pages of a shard do not end")


def looks(stores: Stores, now: datetime = NOW, *, limit: int = 10) -> list[DueLook]:
    return [look for page in walk(stores, now, limit=limit) for look in page.looks]


def test_an_empty_shard_has_nothing_due(stores: Stores) -> None:
    """No rows, and nowhere to go on."""
    assert stores.book.due(SHARD, NOW, limit=10) == Page(())


def test_a_look_is_due_from_its_instant_on(stores: Stores) -> None:
    """It is found at its very instant, and not a microsecond earlier."""
    put(stores, "b1", bill(NOW))
    assert looks(stores, NOW - timedelta(microseconds=1)) == []
    assert looks(stores) == [DueLook(TENANT, "b1", "o1", NOW)]


def test_looks_come_oldest_first(stores: Stores) -> None:
    """However they were written, whoever waits longest is first, and there is no lower bound."""
    order = [5, 1, 4, 0, 3]
    for minutes in order:
        put(stores, f"b{minutes}", bill(NOW - minutes * MINUTE))
    put(stores, "b9", bill(NOW - timedelta(days=900)))
    found = [look.borrower_id for look in looks(stores)]
    assert found == ["b9", "b5", "b4", "b3", "b1", "b0"]


def test_pages_are_walked_to_the_end(stores: Stores) -> None:
    """No page is longer than asked for, and together they hold every row once, equal instants too."""
    for n in range(7):
        put(stores, f"b{n}", bill(NOW - (n // 3) * MINUTE))
    sheets = list(walk(stores, NOW, limit=2))
    assert all(len(sheet.looks) <= 2 for sheet in sheets)
    found = [look for sheet in sheets for look in sheet.looks]
    assert [look.look_at for look in found] == sorted(look.look_at for look in found)
    assert sorted(look.borrower_id for look in found) == [f"b{n}" for n in range(7)]


def test_rows_that_move_between_pages_hide_no_others(stores: Stores) -> None:
    """A sweep that decides a page and goes on meets every row that was behind it."""
    for n in range(6):
        put(stores, f"b{n}", bill(NOW - (10 - n) * MINUTE))
    first = stores.book.due(SHARD, NOW, limit=2)
    for look in first.looks:
        put(stores, look.borrower_id, bill(NOW + MINUTE, seq=2), 1, 1)
    second = stores.book.due(SHARD, NOW, limit=10, after=first.after)
    assert [look.borrower_id for look in second.looks] == ["b2", "b3", "b4", "b5"]


def test_shards_are_apart(stores: Stores) -> None:
    """Each shard lists its own obligations only."""
    put(stores, "b1", bill(NOW))
    put(stores, "b2", bill(NOW, shard=SHARD + 1))
    assert [look.borrower_id for look in looks(stores)] == ["b1"]


def test_a_moved_look_is_listed_once(stores: Stores) -> None:
    """Moving a look takes its old row away in the same write."""
    put(stores, "b1", bill(NOW - MINUTE))
    put(stores, "b1", bill(NOW, seq=2), 1, 1)
    assert looks(stores) == [DueLook(TENANT, "b1", "o1", NOW)]


def test_what_is_settled_leaves_the_agenda(stores: Stores) -> None:
    """Settling takes the row away in the same write; an obligation without a look has none."""
    put(stores, "b1", bill(NOW))
    put(stores, "b2", bill(None))
    put(stores, "b1", settled(version=2, watch=watch(look_at=None, seq=2)), 1, 1)
    assert looks(stores) == []


def test_what_is_reopened_returns(stores: Stores) -> None:
    """A reversed payment puts the obligation back on the agenda."""
    put(stores, "b1", settled())
    put(stores, "b1", obligation(version=2, watch=watch(look_at=NOW, seq=2)), 1, 1)
    assert looks(stores) == [DueLook(TENANT, "b1", "o1", NOW)]


def test_several_bills_of_one_borrower_stand_alone(stores: Stores) -> None:
    """Each obligation has its own row."""
    put(stores, "b1", bill(NOW - MINUTE))
    other = obligation(id="o2", watch=watch(look_at=NOW))
    put(stores, "b1", other)
    assert [look.obligation_id for look in looks(stores)] == ["o1", "o2"]
