"""The inbox: a message is in it once, newest first, and what is told of it stays, in whatever order it is told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from betimes.adapters.inbox import Inbox, InboxTable, entry_from, entry_item
from betimes.core import ids
from betimes.core.contact import Event
from betimes.core.errors import Rejected
from betimes.core.inbox import KEPT, Entry
from betimes.core.message import Text
from betimes.core.values import replace
from betimes.lab import inbox as lab
from betimes.lab.inbox import MemoryInbox
from betimes.lab.world import VirtualClock
from betimes.ports import Accepted, Letter, Sender
from betimes.ports import Inbox as Port
from tests.contracts.tables import INBOX

NOW = datetime(2026, 3, 6, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
_numbers = itertools.count()


def contact(number: int) -> str:
    return ids.contact_id("t1", "b1", "o1", "2026-03-09", str(number), 0)


def letter(number: int, *, attempt: int = 1, borrower_id: str = "b1", body: str = "text") -> Letter:
    """Return the letter of a contact that was decided `number` hours after NOW, and is of use for a day."""
    return Letter(
        contact(number),
        attempt,
        "t1",
        borrower_id,
        Text("inbox", "zh-CN", f"账单 {number}", body),
        lives_s=86_400,
        borrower_id=borrower_id,
        decided_at=NOW + number * HOUR,
    )


class Box:
    """The way in and the way out of one inbox, and the clock of the way in."""

    def __init__(self, sender: Sender, port: Port, clock: VirtualClock) -> None:
        self.sender, self.port, self.clock = sender, port, clock

    def all(self, now: datetime, *, limit: int = 2, borrower_id: str = "b1") -> list[Entry]:
        """Return what stands in the inbox, page by page."""
        found: list[Entry] = []
        after = ""
        for _ in range(100):
            page = self.port.listing("t1", borrower_id, now, limit=limit, after=after)
            assert len(page.entries) <= limit
            found += page.entries
            after = page.after
            if not after:
                return found
        raise AssertionError("an inbox without end")


@pytest.fixture(params=["memory", "moto", "ministack"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """An empty inbox of one implementation."""
    clock = VirtualClock(NOW)
    if request.param == "memory":
        memory = MemoryInbox()
        yield Box(lab.Sender(memory, clock), memory, clock)
        return
    tables = request.getfixturevalue(f"{request.param}_tables")
    client: Any = request.getfixturevalue(f"{request.param}_client")
    name = tables._names["book"].removesuffix("book") + INBOX
    yield Box(Inbox(client, name, clock), InboxTable(client, name), clock)


def test_a_message_is_stored_as_it_was_written(box: Box) -> None:
    """With when it was decided and stored, and how long it is of use."""
    assert box.sender.send(letter(0, body="您的账单将于3月9日到期")) == Accepted(contact(0))
    assert box.all(NOW) == [
        Entry(
            "t1",
            "b1",
            contact(0),
            1,
            decided_at=NOW,
            stored_at=NOW,
            useful_until=NOW + timedelta(days=1),
            locale="zh-CN",
            subject="账单 0",
            body="您的账单将于3月9日到期",
        )
    ]


def test_a_message_is_there_once_however_often_it_is_handed_over(box: Box) -> None:
    """Again at once, and as another attempt hours later with another text: the first one stays, and each is told that
    it is there.
    """
    for attempt in (1, 1, 2):
        again = letter(0, attempt=attempt, body=f"text {attempt}")
        assert box.sender.send(again) == Accepted(contact(0))
        box.clock.advance(box.clock.now() + HOUR)
    [found] = box.all(NOW)
    assert (found.attempt, found.body, found.stored_at) == (1, "text 1", NOW)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_newest_come_first_page_by_page(box: Box, limit: int) -> None:
    """By when they were decided, whenever they were stored; nobody else's among them."""
    for number in (3, 0, 4, 1, 2):
        box.sender.send(letter(number))
    box.sender.send(letter(5, borrower_id="b2"))
    found = [each.contact_id for each in box.all(NOW, limit=limit)]
    assert found == [contact(number) for number in (4, 3, 2, 1, 0)]
    assert [each.contact_id for each in box.all(NOW, borrower_id="b2")] == [contact(5)]


def test_a_page_goes_on_in_the_inbox_that_is_asked(box: Box) -> None:
    """Where a page ended in one inbox says nothing about another; what is no such place is refused."""
    for number in range(4):
        box.sender.send(letter(number))
        box.sender.send(replace(letter(number, borrower_id="b2"), contact_id=contact(number + 10)))
    page = box.port.listing("t1", "b1", NOW, limit=2)
    other = box.port.listing("t1", "b2", NOW, limit=100, after=page.after)
    assert {each.borrower_id for each in other.entries} == {"b2"}
    for wrong in ("x", "2026", f"{page.after}#", "t1#b1"):
        with pytest.raises(Rejected) as refused:
            box.port.listing("t1", "b1", NOW, limit=2, after=wrong)
        assert (refused.value.code, refused.value.field) == ("bad_page", "after")


def test_what_is_gone_is_listed_and_counted_no_more(box: Box) -> None:
    """From the very instant on: it may be deleted later."""
    box.sender.send(letter(0))
    box.clock.advance(NOW + HOUR)
    box.sender.send(letter(1))
    gone_at = NOW + timedelta(days=1) + KEPT
    assert (len(box.all(gone_at - timedelta(seconds=1))), box.port.unread("t1", "b1", NOW)) == (
        2,
        2,
    )
    assert [each.contact_id for each in box.all(gone_at)] == [contact(1)]
    assert box.port.unread("t1", "b1", gone_at) == 1


def test_what_is_told_stays_in_any_order_and_number(box: Box) -> None:
    """The earliest instants, and what was read was seen."""
    tellings = [(Event.SEEN, 3), (Event.READ, 5), (Event.READ, 2), (Event.SEEN, 4)]
    for number, order in enumerate(itertools.permutations(tellings)):
        box.sender.send(letter(number))
        for event, hours in (*order, *order):
            place = (NOW + number * HOUR, contact(number))
            assert box.port.mark("t1", "b1", *place, event, NOW + hours * HOUR)
    marks = {(each.seen_at, each.read_at) for each in box.all(NOW)}
    assert marks == {(NOW + 2 * HOUR, NOW + 2 * HOUR)}


def test_unread_is_what_nobody_has_read(box: Box) -> None:
    """Seeing is not reading."""
    for number in range(3):
        box.sender.send(letter(number))
    box.port.mark("t1", "b1", NOW, contact(0), Event.SEEN, NOW)
    assert box.port.unread("t1", "b1", NOW) == 3
    box.port.mark("t1", "b1", NOW, contact(0), Event.READ, NOW)
    assert (box.port.unread("t1", "b1", NOW), box.port.unread("t1", "b2", NOW)) == (2, 0)


def test_of_a_message_that_is_not_there_nothing_is_kept(box: Box) -> None:
    """It has been deleted, or never was: there is none afterwards either."""
    for event in (Event.SEEN, Event.READ):
        assert not box.port.mark("t1", "b1", NOW, contact(0), event, NOW)
    assert box.all(NOW) == []


def test_an_item_is_the_message_again() -> None:
    """Whatever has been told of it, and where it has no subject."""
    whole = Entry(
        "t1", "b1", contact(0), 2, NOW, NOW, NOW + HOUR, "en", "s", "b", seen_at=NOW, read_at=NOW
    )
    for entry in (whole, replace(whole, subject="", seen_at=None, read_at=None)):
        assert entry_from(entry_item(entry)) == entry
        assert "账" not in repr(replace(entry, body="账", subject="账"))
