"""Treatments: read strictly, so that a typing error is refused where it is written and not found at the send."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable
from datetime import date, time, timedelta
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes import config
from betimes.adapters.calendars import calendar
from betimes.core.errors import Rejected
from betimes.core.treatment import (
    CHANNELS,
    REACHED_NOBODY,
    Fallback,
    MessageClass,
    line,
    parse,
)
from tests.core.support import TREATMENT, utc

SHIPPED: dict[str, Any] = tomllib.loads(
    (resources.files("betimes.packs") / "treatments" / "default.toml").read_text("utf-8")
)


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Return the shipped treatment's document after `change`."""
    document = copy.deepcopy(SHIPPED)
    change(document)
    return document


def first(**fields: Any) -> dict[str, Any]:
    """Return the shipped document with other fields in its first step."""
    return changed(lambda document: document["step"][0].update(fields))


def test_the_shipped_treatment_has_eight_steps_around_the_due_date() -> None:
    """Three before or on it, in the courtesy class; five after it, counted by law."""
    offsets = [step.offset_days for step in TREATMENT.steps]
    assert offsets == [-3, -1, 0, 1, 3, 7, 15, 30]
    for step in TREATMENT.steps:
        courtesy = step.message_class is MessageClass.COURTESY
        assert courtesy is (step.offset_days <= 0)
        assert step.send_at == time(10)


def test_due_today_is_never_said_tomorrow() -> None:
    """The step of the due day is over by the end of the day, in every step that says so."""
    step = TREATMENT.step("D0")
    assert step.catch_up <= timedelta(hours=24) - timedelta(hours=10)


def test_a_step_comes_due_at_the_borrowers_own_hour() -> None:
    """Its instant is a civil date and a local time in the borrower's zone."""
    step = TREATMENT.step("D-3")
    assert step.instant(date(2026, 3, 9), "Asia/Shanghai") == utc("2026-03-06 02:00")
    assert step.instant(date(2026, 3, 9), "America/New_York") == utc("2026-03-06 15:00")


def test_a_step_is_found_by_its_name_or_not_at_all() -> None:
    """An unknown name is an error, never another step."""
    assert TREATMENT.step("D0").name == "D0"
    with pytest.raises(KeyError):
        TREATMENT.step("D+2")


def test_the_id_is_made_of_the_content() -> None:
    """The same content has the same id; any change of any field has another one."""
    assert parse(SHIPPED, "x").id == parse(copy.deepcopy(SHIPPED), "y").id
    for fields in (
        {"name": "D-4"},
        {"offset_days": -4},
        {"send_at": "10:01"},
        {"channels": ["sms", "email"]},
        {"template": "due_today"},
        {"class": "overdue"},
        {"catch_up_hours": 23},
    ):
        assert parse(first(**fields), "x").id != parse(SHIPPED, "x").id


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "a"},
        {"name": "a", "step": []},
        {"name": "a", "step": {}},
        {"name": "a", "step": [1]},
        {"name": "", "step": SHIPPED["step"]},
        {"name": 1, "step": SHIPPED["step"]},
        {**SHIPPED, "steps": []},
        first(extra=1),
        changed(lambda d: d["step"][0].pop("channels")),
        first(name=""),
        first(name=3),
        first(offset_days="-3"),
        first(offset_days=-3.5),
        first(offset_days=True),
        first(offset_days=10**9),
        first(send_at="25:00"),
        first(send_at=10),
        first(send_at="10:00+08:00"),
        first(channels="email"),
        first(channels=[]),
        first(channels=["email", "email"]),
        first(channels=[1]),
        first(channels=["fax"]),
        first(send_at=time(10)),
        first(send_at=""),
        first(**{"class": "legal"}),
        first(**{"class": ["courtesy"]}),
        {**SHIPPED, "calendar": ["CN"], "closed": ["holiday"]},
        first(template=""),
        first(template=None),
        {**SHIPPED, "step": [{**SHIPPED["step"][0], "class": "threat"}]},
        first(catch_up_hours=0),
        first(catch_up_hours=-1),
        first(catch_up_hours=float("inf")),
        first(catch_up_hours=10**12),
        first(fallback="hard"),
        first(fallback=["bounced"]),
        first(fallback=["hard", "hard"]),
        first(fallback=[1]),
        first(fallback=None),
        # Not in order of time, twice at one time, twice one name.
        changed(lambda d: d["step"].reverse()),
        first(offset_days=-1),
        first(name="D-1"),
    ],
)
def test_a_typing_error_is_refused_where_it_stands(document: dict[str, Any]) -> None:
    """Whatever is missing, unknown or of the wrong form: "bad_treatment", with the place in the message."""
    with pytest.raises(Rejected) as caught:
        parse(document, "treatments/x.toml")
    assert caught.value.code == "bad_treatment"
    assert "treatments/x.toml" in caught.value.message
    assert re.search("[:;,] |correct", caught.value.message.partition("' ")[2]), "the way out"
    assert not re.search("isoformat|valid MessageClass|must be in", caught.value.message)


def test_a_step_takes_its_next_channel_after_what_it_names() -> None:
    """What reached nobody where it says nothing; else any failures, or none at all."""
    assert parse(SHIPPED, "x").steps[0].fallback == REACHED_NOBODY
    assert {str(each) for each in REACHED_NOBODY} == {"hard", "refused", "failed"}
    assert parse(first(fallback=[]), "x").steps[0].fallback == frozenset()
    assert parse(first(fallback=list(map(str, Fallback))), "x").steps[0].fallback == set(Fallback)


def test_a_calendar_there_is_none_of_is_named_with_its_file() -> None:
    """And with those there are."""
    calendars = {"CN": calendar("CN")}
    with pytest.raises(Rejected) as caught:
        parse({**SHIPPED, "calendar": "XX", "closed": ["holiday"]}, "treatments/x.toml", calendars)
    assert caught.value.code == "unknown_calendar"
    assert caught.value.message == "treatments/x.toml: 'calendar' names 'XX'; there are: CN"


def test_a_second_version_without_a_first_day_does_not_overlap_itself() -> None:
    """Two files of one content have one hash, and are two files."""
    one, two = (parse(SHIPPED, f"treatments/default{n}.toml") for n in ("", "@2"))
    assert one.id == two.id
    with pytest.raises(Rejected) as caught:
        line([one, two])
    assert (caught.value.code, caught.value.field) == ("overlapping_version", "effective_from")
    start = "treatments/default@2.toml: 'effective_from' is missing, as it is in treatments/default.toml:"
    assert caught.value.message.startswith(start)


def test_the_channels_of_words_are_those_that_are_deployed() -> None:
    """Two lists, because the core knows no deployment."""
    assert CHANNELS == config.CHANNELS


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(SHIPPED["step"][0])), JUNK)
def test_no_value_of_a_field_breaks_the_reader(field: str, value: Any) -> None:
    """A field holding anything at all is read or refused; nothing else happens."""
    try:
        parsed = parse(first(**{field: value}), "x")
    except Rejected as rejected:
        assert rejected.code == "bad_treatment"
    else:
        assert len(parsed.steps) == 8


def test_a_step_after_a_contact_counts_from_a_step_with_a_date() -> None:
    """An event may bring its step any number of times: of which of them it would be "after" nobody could say."""
    rows = [
        {"name": "debit", "anchor": "debit_failed", "send_at": "at_once", "offset_days": 0},
        {"name": "again", "anchor": "contact", "after": "debit", "offset_days": 1},
    ]
    shared = {
        "send_at": "10:00",
        "catch_up_hours": 12,
        "class": "overdue",
        "template": "debit_failed",
        "channels": ["sms"],
    }
    document = {"name": "t", "defaults": shared, "step": rows}
    with pytest.raises(Rejected, match="name a step that counts from a date") as raised:
        parse(document, "treatments/t.toml", {})
    assert (raised.value.code, raised.value.field) == ("bad_treatment", "after")
