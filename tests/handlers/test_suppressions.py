"""The list of addresses over the HTTP API: listed, closed, released, and refused with a word why."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from betimes.lab.world import TENANT
from tests.handlers import told
from tests.handlers.pump import Pump, http

PLACE = f"/v1/{TENANT}/suppressions"
RELEASES = f"{PLACE}/releases"
ASKED = {
    "channel": "email",
    "address": told.EMAIL,
    "scope": "reminder",
    "by": "ana",
    "reason": "told by telephone",
}


def test_a_lender_closes_and_releases_an_address(pump: Pump) -> None:
    """Told twice it is one entry; the address itself is nowhere in the answers; released by the index of the list."""
    status, first = pump.request("POST", PLACE, ASKED)
    assert status == 200
    assert pump.request("POST", PLACE, ASKED) == (200, first)
    [entry] = first["entries"]
    assert (entry["why"], entry["scope"], entry["by"]) == ("lender", "reminder", "ana")
    status, page = pump.request("GET", PLACE)
    assert (status, page["after"]) == (200, None)
    assert [row["index"] for row in page["suppressions"]] == [first["index"]]
    assert told.EMAIL not in str((first, page))

    named = {"channel": "email", "index": first["index"], "by": "bo", "reason": "a mistake"}
    status, after = pump.request("POST", RELEASES, named)
    assert status == 200
    [entry] = after["entries"]
    assert (entry["released_by"], entry["released_for"]) == ("bo", "a mistake")
    status, refused = pump.request("POST", RELEASES, named)
    assert (status, refused["error"]["code"]) == (409, "not_suppressed")


@pytest.mark.parametrize(
    ("place", "wrong", "code"),
    [
        (PLACE, {"channel": "sms", "address": "no number"}, "bad_phone"),
        (PLACE, {"address": ""}, "bad_address"),
        (PLACE, {"channel": "inbox", "address": "b1"}, "bad_address"),
        (PLACE, {"by": " "}, "bad_suppression"),
        (PLACE, {"scope": "everything"}, "bad_request"),
        (RELEASES, {"index": "x_" + "0" * 32}, "bad_request"),
        (RELEASES, {"address": ""}, "bad_request"),
        (RELEASES, {"reason": ""}, "bad_suppression"),
    ],
)
def test_what_cannot_be_listed_is_refused(
    pump: Pump, place: str, wrong: dict[str, Any], code: str
) -> None:
    """With the code of what is wrong, and nothing is listed."""
    _, refused = pump.request("POST", place, {**ASKED, **wrong})
    assert refused["error"]["code"] == code
    assert pump.request("GET", PLACE)[1]["suppressions"] == []


@pytest.mark.parametrize("after", ["99", "0#address", "x"])
def test_a_page_that_no_page_named_is_refused(pump: Pump, after: str) -> None:
    """Whoever makes a place up is told so."""
    mark = base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")
    event = {**http("GET", PLACE), "rawQueryString": f"after={mark}"}
    answer = pump.invoke("OnRequestFunction", {**event, "queryStringParameters": {"after": mark}})
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (400, "bad_page")
