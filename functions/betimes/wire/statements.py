"""Monthly card statements as obligations and repayments.

A statement row says what was billed for a month and how much money came in during that month. The
bill of month m, if above zero, becomes an obligation that is issued when m is over and due on the
15th of m + 1. The money of month m pays the bill of m - 1. No pay day is known: it is drawn from
the measured days of payment, within the month, by a hash of the payment's id, so every reading
draws the same; ids of such payments start with "drawn-" to say so.

Money for a bill that the tape does not hold (the month before the first) is passed on all the same:
the book keeps it until the bill arrives. Only where the tape itself shows that nothing was billed
is there nothing to pay.
"""

from __future__ import annotations

import calendar
import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.core.intake import AddObligation, AddRepayment
from betimes.measured import measured
from betimes.wire.cells import Cells

DUE_DAY: Final = 15
DRAWN: Final = "drawn-"
# Leaves room for the month and the mark of a drawn payment in an id of 128 characters.
MAX_ACCOUNT_ID: Final = 100
COLUMNS: Final = ("account_id", "month", "bill_minor", "paid_in_month_minor")


@dataclass(frozen=True, slots=True)
class _Month:
    """What a month of statements means in one zone; most rows share theirs with thousands."""

    before: date
    label: str
    label_before: str
    issued_at: datetime
    due_on: date
    last_day: int


@lru_cache(maxsize=1024)
def _month(first: date, zone: str) -> _Month:
    last_day = calendar.monthrange(first.year, first.month)[1]
    after = first + timedelta(days=last_day)
    before = (first - timedelta(days=1)).replace(day=1)
    return _Month(
        before=before,
        label=first.isoformat()[:7],
        label_before=before.isoformat()[:7],
        issued_at=zones.instant(after, time(), zone),
        due_on=after.replace(day=DUE_DAY),
        last_day=last_day,
    )


def bill(cells: Cells, zone: str) -> tuple[str, AddObligation | None]:
    """Return the id of the row's bill and the obligation it becomes, None where nothing is billed.

    `seq` counts months since the year 0: it rises by one a month and does not depend on where a
    tape starts.

    Raises:
        Rejected: a cell of the row is wrong.
    """
    account_id, month, billed, _ = _read(cells)
    facts = _month(month, zone)
    obligation_id = f"{account_id}:{facts.label}"
    if billed <= 0:
        return obligation_id, None
    return obligation_id, AddObligation(
        obligation_id=obligation_id,
        account_id=account_id,
        seq=month.year * 12 + month.month,
        issued_at=facts.issued_at,
        due_on=facts.due_on,
        principal_minor=billed,
        amount_minor=billed,
    )


def _read(cells: Cells) -> tuple[str, date, int, int]:
    """Return account, month, bill and money of a row; both readings refuse the same rows."""
    account_id, month, billed, paid = COLUMNS
    found = cells.id(account_id)
    if len(found) > MAX_ACCOUNT_ID:
        raise Rejected(
            "bad_id",
            account_id,
            f"{account_id} is longer than {MAX_ACCOUNT_ID} characters; bills get their ids from it",
        )
    return found, cells.month(month), cells.signed(billed), cells.whole(paid)


@dataclass(slots=True)
class Payments:
    """Reads the repayments of a statements file in the order of its rows.

    Keeps the accounts whose latest month had no bill, nothing else; months of an account come in
    order.
    """

    zone: str
    _unbilled: dict[str, date] = field(default_factory=dict)

    def payment(self, cells: Cells) -> tuple[str, AddRepayment | None]:
        """Return the id of the row's repayment and the repayment.

        It is None where no money came in, or where nothing was billed the month before.

        Raises:
            Rejected: a cell of the row is wrong.
        """
        account_id, month, billed, paid = _read(cells)
        facts = _month(month, self.zone)
        had_no_bill = self._unbilled.pop(account_id, None) == facts.before
        if billed <= 0:
            self._unbilled[account_id] = month
        obligation_id = f"{account_id}:{facts.label_before}"
        payment_id = DRAWN + obligation_id
        if not paid or had_no_bill:
            return payment_id, None
        return payment_id, AddRepayment(
            repayment_id=payment_id,
            obligation_id=obligation_id,
            account_id=account_id,
            paid_at=drawn_at(payment_id, month, self.zone),
            amount_minor=paid,
        )


def drawn_at(payment_id: str, month: date, zone: str) -> datetime:
    """Return the instant at which this payment is taken to be made, in the month from `month` on.

    Drawn from the measured days around a due date and hours of a day; depends on nothing but the
    arguments.
    """
    chance = hashlib.sha256(payment_id.encode()).digest()
    latest = _month(month, zone).last_day - DUE_DAY
    figures = measured()
    days = figures.statement.draw(_point(chance[:8]), low=1 - DUE_DAY, high=latest)
    hour = figures.hours.draw(_point(chance[8:16]))
    at = time(hour, chance[16] * 60 // 256, chance[17] * 60 // 256)
    return zones.instant(month.replace(day=DUE_DAY) + timedelta(days=days), at, zone)


def _point(chance: bytes) -> int:
    return int.from_bytes(chance, "big")
