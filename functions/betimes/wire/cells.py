"""The cells of one row: each is read into a value, or refused with a message naming its column.

A cell may hold anything, an address in the wrong column included; so no message quotes one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from betimes.core import ids, money, zones
from betimes.core.errors import Rejected

# Years beyond these are typing errors, and arithmetic with them would leave the calendar.
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
# 15 digits: far above any debt in the weakest currency, far below what a store can hold exactly.
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
# The forms that the HTTP API shares.
WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
# A rate is exact in any store; whether it makes sense is the core's to say.
RATE: Final = re.compile(r"[0-9](?:[.][0-9]{1,12})?")
# The last characters of a card or account, never a whole number.
TAIL: Final = re.compile(r"[A-Za-z0-9]{1,6}")
# The name of a firm in any script, on one line, in which nothing invisible turns the direction of writing around.
CREDITOR: Final = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]{1,64}"
)
# A place in a schedule, or a month counted from the year 0; beyond this it is an amount in the wrong column.
MAX_SEQ: Final = 10**6
MAX_TAGS: Final = 32
MAX_ZONES: Final = 16
# The cell of a borrower of whose zone nothing is known; an empty one takes the tape's.
UNKNOWN_ZONE: Final = "unknown"

_FLAGS: Final = {"yes": True, "no": False}
_ID_CHARACTERS: Final = "1 to 128 ASCII letters, digits, '.', '_', ':' or '-'"
_WORDS: Final = "1 to 32 ASCII letters, digits, '.', '_' or '-'"
LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
JURISDICTION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def split(line: str) -> list[str]:
    """Return the fields of a line of CSV.

    Raises:
        Rejected: code "malformed_row", a quote is not closed on the line or stands inside a field.
    """
    if '"' not in line:
        return line.split(",")
    try:
        fields: list[str] = next(csv.reader([line], strict=True))
    except csv.Error:
        raise Rejected(
            "malformed_row",
            "",
            "the quotes of this row do not match; a field with a comma or quote stands in quotes, "
            "quotes inside it are doubled, and a row ends where its line ends",
        ) from None
    return fields


class Cells:
    """One row by column name. A column that the file does not have reads as an empty cell."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def has(self, column: str) -> bool:
        """Return whether the file has the column."""
        return column in self._fields

    def text(self, column: str) -> str:
        """Return the cell as it stands, "" if the file has no such column."""
        return self._fields.get(column, "")

    def id(self, column: str, *, default: str | None = None) -> str:
        """Return an id; `default`, if given, for an empty cell.

        Raises:
            Rejected: code "missing_id" or "bad_id".
        """
        text = self.text(column)
        if not text:
            if default is not None:
                return default
            raise Rejected("missing_id", column, f"{column} is empty; give every row its id")
        if not ids.is_id(text):
            raise Rejected(
                "bad_id",
                column,
                f"{column} must be {_ID_CHARACTERS}",
            )
        return text

    def whole(self, column: str, *, default: int | None = None) -> int:
        """Return a whole number that is not negative; `default`, if given, for an empty cell.

        Raises:
            Rejected: code "bad_integer" or "negative_amount".
        """
        number = self.signed(column, default=default)
        if number < 0:
            raise Rejected("negative_amount", column, f"{column} must not be negative")
        return number

    def place(self, column: str) -> int:
        """Return a place in a sequence, from 1 to MAX_SEQ.

        Raises:
            Rejected: code "bad_integer" or "negative_amount".
        """
        number = self.whole(column)
        if not 1 <= number <= MAX_SEQ:
            raise Rejected("bad_integer", column, f"{column} must be from 1 to {MAX_SEQ}")
        return number

    def signed(self, column: str, *, default: int | None = None) -> int:
        """Return a whole number of either sign; `default`, if given, for an empty cell.

        Raises:
            Rejected: code "bad_integer".
        """
        text = self.text(column)
        if not text and default is not None:
            return default
        if not _WHOLE.fullmatch(text):
            raise Rejected(
                "bad_integer",
                column,
                f"{column} must be a whole number of at most 15 digits, without blanks, "
                "separators or decimals; amounts are in minor units",
            )
        return int(text)

    def day(self, column: str) -> date:
        """Return a civil date.

        Raises:
            Rejected: code "bad_date".
        """
        day = _day(self.text(column))
        if day is None:
            raise Rejected("bad_date", column, f"{column} must be a date of the form 2026-03-09")
        return day

    def month(self, column: str) -> date:
        """Return the first day of a month.

        Raises:
            Rejected: code "bad_month".
        """
        first = _first_of(self.text(column))
        if first is None:
            raise Rejected("bad_month", column, f"{column} must be a month of the form 2026-03")
        return first

    def instant(self, column: str, zone: str) -> datetime:
        """Return an instant (UTC); a cell without an offset is local time in `zone`.

        Raises:
            Rejected: code "bad_instant".
        """
        at = _instant(self.text(column), zone)
        if at is None:
            raise Rejected(
                "bad_instant",
                column,
                f"{column} must be a date and time of the form 2026-03-09T10:00:00, "
                "with an offset such as +08:00 or without one",
            )
        return at

    def currency(self, column: str) -> str:
        """Return a currency code.

        Raises:
            Rejected: code "unknown_currency".
        """
        text = self.text(column)
        try:
            money.minor_units(text)
        except Rejected as rejected:
            raise Rejected(
                rejected.code, column, f"{column} must be an active ISO 4217 code such as CNY"
            ) from None
        return text

    def zone(self, column: str, *, default: str) -> str:
        """Return the name of a zone; `default` for an empty cell, "" for one that says it is unknown.

        Raises:
            Rejected: code "unknown_zone".
        """
        text = self.text(column) or default
        if text == UNKNOWN_ZONE:
            return ""
        wanted = f"must be an IANA time zone such as Asia/Shanghai, or {UNKNOWN_ZONE!r}"
        _check_zone(column, text, wanted)
        return text

    def zones(self, column: str) -> tuple[str, ...]:
        """Return the zones in a list; none for an empty cell.

        Raises:
            Rejected: code "unknown_zone", or "too_many" where there are more than MAX_ZONES.
        """
        names = self._list(column, MAX_ZONES)
        for name in names:
            _check_zone(column, name, "must be IANA time zones with ';' between them")
        return names

    def words(self, column: str) -> tuple[str, ...]:
        """Return the short names in a list, each once; none for an empty cell.

        Raises:
            Rejected: code "bad_name", or "too_many" where there are more than MAX_TAGS.
        """
        found = self._list(column, MAX_TAGS)
        for text in found:
            if not WORD.fullmatch(text):
                raise Rejected("bad_name", column, f"{column} must be {_WORDS} with ';' between")
        return found

    def word(self, column: str, *, default: str | None = None) -> str:
        """Return a short name; `default`, if given, for an empty cell.

        Raises:
            Rejected: code "bad_name".
        """
        return self._matching(column, default, WORD, "bad_name", _WORDS)

    def tail(self, column: str) -> str:
        """Return the last characters of a card or account, "" for an empty cell.

        Raises:
            Rejected: code "bad_name".
        """
        wanted = "the last 1 to 6 letters or digits of the card or account, never all of them"
        return self._matching(column, "", TAIL, "bad_name", wanted)

    def title(self, column: str) -> str:
        """Return the name of a firm in any script, "" for an empty cell.

        Raises:
            Rejected: code "bad_name".
        """
        return self._matching(column, "", CREDITOR, "bad_name", "a name of at most 64 characters")

    def rate(self, column: str) -> Decimal:
        """Return a rate, 0 for an empty cell.

        Raises:
            Rejected: code "bad_rate".
        """
        wanted = "a decimal such as 0.0005, with at most 12 digits behind the point"
        return Decimal(self._matching(column, "", RATE, "bad_rate", wanted) or 0)

    def ids(self, column: str, most: int) -> tuple[str, ...]:
        """Return the ids in a list, each once; none for an empty cell.

        Raises:
            Rejected: code "bad_id", or "too_many" where there are more than `most`.
        """
        found = self._list(column, most)
        if not all(ids.is_id(each) for each in found):
            raise Rejected(
                "bad_id", column, f"{column} must be ids with ';' between: {_ID_CHARACTERS}"
            )
        return found

    def choice(self, column: str, words: Sequence[str], *, default: str = "") -> str:
        """Return one of `words`; `default` for an empty cell, unless that is "".

        Raises:
            Rejected: code "bad_word".
        """
        text = self.text(column) or default
        if text not in words:
            raise Rejected("bad_word", column, f"{column} must be one of {', '.join(words)}")
        return text

    def choices(self, column: str, words: Sequence[str]) -> tuple[str, ...]:
        """Return those of `words` that stand in a list, each once; none for an empty cell.

        Raises:
            Rejected: code "bad_word".
        """
        found = self._list(column, len(words))
        if not set(found) <= set(words):
            known = ", ".join(words)
            raise Rejected("bad_word", column, f"{column} must be of {known}, with ';' between")
        return found

    def flag(self, column: str, *, default: bool = False) -> bool:
        """Return whether the cell says yes; `default` for an empty one.

        Raises:
            Rejected: code "bad_flag".
        """
        text = self.text(column)
        if text and text not in _FLAGS:
            raise Rejected("bad_flag", column, f"{column} must be yes, no or empty")
        return _FLAGS.get(text, default)

    def locale(self, column: str, *, default: str) -> str:
        """Return a language tag; `default` for an empty cell.

        Raises:
            Rejected: code "bad_locale".
        """
        return self._matching(column, default, LOCALE, "bad_locale", "a language tag such as zh-CN")

    def jurisdiction(self, column: str, *, default: str) -> str:
        """Return a jurisdiction; `default` for an empty cell.

        Raises:
            Rejected: code "bad_jurisdiction".
        """
        wanted = "an ISO 3166 code such as CN or US-NY"
        return self._matching(column, default, JURISDICTION, "bad_jurisdiction", wanted)

    def _matching(
        self, column: str, default: str | None, form: re.Pattern[str], code: str, wanted: str
    ) -> str:
        """Return the cell if it is of a form; for an empty one `default`, of whatever form, unless that is None."""
        text = self.text(column)
        if not text and default is not None:
            return default
        if not form.fullmatch(text):
            raise Rejected(code, column, f"{column} must be {wanted}")
        return text

    def _list(self, column: str, most: int) -> tuple[str, ...]:
        """Return the parts of a list, each once, in order; blanks around a part do not count, nor do empty parts."""
        parts = dict.fromkeys(part.strip() for part in self.text(column).split(";"))
        found = tuple(part for part in parts if part)
        if len(found) > most:
            raise Rejected("too_many", column, f"{column} has more than {most} entries")
        return found


def _check_zone(column: str, name: str, wanted: str) -> None:
    try:
        zones.zone(name)
    except Rejected as rejected:
        raise Rejected(rejected.code, column, f"{column} {wanted}") from None


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


@lru_cache(maxsize=1024)
def _first_of(month: str) -> date | None:
    return _day(month + "-01") if _MONTH.fullmatch(month) else None


def _instant(text: str, zone: str) -> datetime | None:
    if not _INSTANT.fullmatch(text) or not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return zones.instant(at.date(), at.time(), zone) if at.tzinfo is None else at.astimezone(UTC)
