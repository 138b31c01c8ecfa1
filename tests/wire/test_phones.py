"""Telephone numbers: what they say about zones is evidence, and nothing is no permission."""

from __future__ import annotations

import subprocess
import sys
import zoneinfo
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import zones
from betimes.wire import phones

FUNCTIONS = Path(phones.__file__).parents[2]


def test_the_data_are_those_the_vectors_were_read_from() -> None:
    """Another version of the package may answer otherwise: then the golden vectors are read again, and compared."""
    assert version("phonenumbers") == "9.0.43"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "+1",
        "13800138000",
        "+86 138 0013 8000",
        "+8613800138000;ext=5",
        "+1800FLOWERS",
        "+٨٦١٣٨٠٠١٣٨٠٠٠",
        "+0012345678",
        "+999999999999",
        "+15550000000",
        "+80012345678",
        "+4477009001234567",
        "+8613800138000\n",
    ],
)
def test_what_is_no_number_or_has_no_place_says_nothing(number: str) -> None:
    """Not E.164, not valid, or valid and of no country: no candidates, and the library's own word for it is shown."""
    assert phones.zones_of(number) == ()
    assert phones.evidence(number) == ("Etc/Unknown",)


def test_a_toll_free_number_says_next_to_nothing() -> None:
    """It names every zone of its country code, which leaves hardly an hour in common."""
    names = phones.zones_of("+18005551212")
    assert len(names) > 30
    assert {"America/New_York", "Pacific/Honolulu", "Pacific/Guam"} <= set(names)


@given(st.from_regex(r"\+(1|44|55|62|7|61|86|20|1684)[0-9]{7,10}", fullmatch=True))
def test_every_candidate_is_a_zone(number: str) -> None:
    """Of the zone database we use, sorted, each once."""
    names = phones.zones_of(number)
    assert list(names) == sorted(set(names))
    for name in names:
        assert zones.zone(name)


def test_no_zone_of_the_package_is_unknown_to_us() -> None:
    """All that it can ever answer."""
    from phonenumbers.tzdata import TIMEZONE_DATA

    known = {name for names in TIMEZONE_DATA.values() for name in names}
    assert known - zoneinfo.available_timezones() == set()


def test_the_metadata_are_loaded_at_the_first_question() -> None:
    """Whoever imports the module and asks nothing does not pay for it."""
    program = "import sys, betimes.wire.phones\nprint('phonenumbers' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(FUNCTIONS)},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr


def test_a_number_that_fits_adds_nothing() -> None:
    """A zone among the candidates is confirmed by them; any other is joined by all of them, behind what was told."""
    alaska = ("America/Adak", "America/Anchorage")
    assert phones.joined("America/Anchorage", (), "+19072000000") == ()
    assert phones.joined("Asia/Shanghai", (), "+19072000000") == alaska
    assert phones.joined("", ("America/Anchorage",), "+19072000000") == alaska[::-1]
    assert phones.joined("Asia/Shanghai", ("Asia/Urumqi",), "") == ("Asia/Urumqi",)
