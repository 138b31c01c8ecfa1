"""The instant of `--as-of`: whatever offset it is written with, the flows are handed UTC."""

from datetime import UTC, datetime

import pytest

from betimes.core.errors import Rejected
from betimes.local.book import instant


@pytest.mark.parametrize(
    "text", ["2026-03-09T10:00+08:00", "2026-03-09T10:00", "2026-03-09", "2026-03-09T02:00Z"]
)
def test_an_instant_is_in_utc_however_it_is_written(text: str) -> None:
    """An offset of its own is no reason to hand on another clock: the core takes UTC only."""
    at = instant(text, "Asia/Shanghai")
    assert at == datetime(2026, 3, 9, 2, tzinfo=UTC)
    assert at.tzinfo is UTC


def test_what_is_no_instant_is_refused() -> None:
    """The message says what one looks like."""
    with pytest.raises(Rejected, match="2017-03-15T10:00"):
        instant("tomorrow", "Asia/Shanghai")
