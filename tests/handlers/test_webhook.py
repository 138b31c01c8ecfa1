"""A tenant's own server over the HTTP API and in the deployment: how it has answered, and being switched on again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from betimes.adapters.guarded_https import GuardedHttps, Status
from betimes.core.endpoints import Outcome
from betimes.core.message import Text
from betimes.lab.world import TENANT
from betimes.ports import Accepted, Answer, Letter, Refused
from betimes.wiring import World
from tests.handlers import told
from tests.handlers.pump import Pump

URL = "https://hooks.lender.example/in"
SECRET = "whsec_" + "a2tr" * 10
WEBHOOK, ON = f"/v1/{TENANT}/webhook", f"/v1/{TENANT}/webhook/on"


def sent(pump: Pump) -> Answer:
    """Return what the deployed function's own sender answers to one letter."""
    world = pump.worlds["OnDeliveryWebhookFunction"]
    text = Text("inbox", "en", "Bill due", "CNY 12.00 is due.")
    letter = Letter("c_" + "a" * 26, 1, TENANT, "", text, borrower_id="b1")
    return World.sender(world, "webhook").send(letter)


def hooked(pump: Pump, patch: pytest.MonkeyPatch, status: int) -> list[str]:
    """Give the tenant a server that answers with a status, and return where what it is asked is kept."""
    asked: list[str] = []

    def post(
        self: GuardedHttps, url: str, headers: dict[str, str], body: bytes, *, most: int
    ) -> Status:
        asked.append(url)
        return Status(status, 0)

    patch.setattr(GuardedHttps, "post", post)
    pump.cloud.client["secretsmanager"].put_secret_value(
        SecretId=pump.cloud.refs["Webhooks"],
        SecretString=json.dumps({TENANT: {"url": URL, "secrets": [SECRET]}}),
    )
    return asked


def test_a_deployment_knows_no_server_until_somebody_names_one(pump: Pump) -> None:
    """The secret is made without tenants: nothing is sent, and nothing waits."""
    pump.cloud.client["secretsmanager"].put_secret_value(
        SecretId=pump.cloud.refs["Webhooks"], SecretString="{}"
    )
    assert sent(pump) == Refused("no_endpoint", may_retry=False)
    assert pump.request("GET", WEBHOOK) == (
        200,
        {
            "schema_version": 1,
            "is_on": True,
            "why": None,
            "off_at": None,
            "failing_since": None,
            "failures": 0,
        },
    )


def test_a_server_that_is_gone_is_shown_and_switched_on_again(
    pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked no more before that; switching on twice changes nothing more."""
    asked = hooked(pump, monkeypatch, 410)
    assert sent(pump) == Refused("endpoint_gone", may_retry=False)
    assert sent(pump) == Refused("endpoint_off", may_retry=False)
    assert asked == [URL]
    _, found = pump.request("GET", WEBHOOK)
    assert (found["is_on"], found["why"], found["off_at"]) == (
        False,
        "gone",
        "2026-03-01T02:00:00.000000Z",
    )
    status, found = pump.request("PUT", ON)
    assert (status, found["is_on"], found["why"]) == (200, True, None)
    before = pump.tables()
    assert pump.request("PUT", ON) == (200, found)
    assert pump.tables() == before
    hooked(pump, monkeypatch, 204)
    assert sent(pump) == Accepted("c_" + "a" * 26)


def test_what_is_shown_of_a_failing_server(pump: Pump) -> None:
    """Since when, and how often."""
    store = pump.worlds["OnRequestFunction"].endpoints
    known = store.endpoint(TENANT).at(URL)
    for hours in (0, 1, 2):
        known = known.after(Outcome.FAILURE, told.TOLD_AT + timedelta(hours=hours))
    store.save(replace(known, version=1))
    _, found = pump.request("GET", WEBHOOK)
    assert (found["is_on"], found["failures"]) == (True, 3)
    assert found["failing_since"] == "2026-03-01T02:00:00.000000Z"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PUT", "/on")])
def test_a_tenant_has_an_id(pump: Pump, method: str, path: str) -> None:
    """Anything else is refused before it is a key."""
    status, found = pump.request(method, f"/v1/t%231/webhook{path}")
    assert (status, found["error"]["code"]) in ((400, "bad_id"), (404, "unknown_route"))
