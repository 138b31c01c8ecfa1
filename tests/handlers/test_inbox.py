"""The inbox over the HTTP API, in the deployment: stored through the queue, listed, acknowledged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betimes.adapters.items import contact_from
from betimes.core.change import CreateContact
from betimes.core.contact import Contact, State
from betimes.core.message import Text
from betimes.core.values import replace
from betimes.lab.world import TENANT
from betimes.ports import Letter
from betimes.wire import hints
from tests.handlers import told
from tests.handlers.pump import Pump

INBOX, ACKNOWLEDGE = told.path("inbox"), told.path("acknowledgements")
OTHER = "c_" + "b" * 26


def delivered(pump: Pump) -> Contact:
    """Return the contact of the first step, which has gone by the inbox instead."""
    pump.clock.advance(told.D_3)
    pump.tick()
    pump.drain("SweepQueue")
    store = pump.worlds["OnSweepFunction"].stores
    [written] = [contact_from(item) for item in pump.cloud.items("ContactsTable")]
    mine = replace(written, id=OTHER, channel="inbox")
    store.store.commit([CreateContact(mine)])
    pump.skip("ContactsTable")
    queue = pump.cloud.refs["InboxQueue"]
    pump.cloud.client["sqs"].send_message(QueueUrl=queue, MessageBody=hints.encode(OTHER))
    pump.drain("InboxQueue")
    found = store.contacts.get(OTHER)
    assert found is not None
    return found


def said(sign: str = "opened", **fields: Any) -> dict[str, Any]:
    """Return the body of one acknowledgement."""
    one = {"contact_id": OTHER, "sign": sign, "at": "2026-03-06T10:05:00+08:00", "attempt": 1}
    return {"acknowledgements": [{**one, **fields}]}


def test_a_message_is_listed_and_acknowledged(with_bill: Pump) -> None:
    """What was claimed stands in the table, and nowhere else; told twice, the tables are as they were."""
    pump = with_bill
    assert pump.request("GET", INBOX) == (
        200,
        {
            "schema_version": 1,
            "borrower_id": told.BORROWER,
            "unread": 0,
            "messages": [],
            "after": None,
        },
    )
    contact = delivered(pump)
    assert contact.state is State.ACCEPTED
    _, found = pump.request("GET", INBOX)
    [message] = found["messages"]
    assert (found["unread"], message["contact_id"], message["read_at"]) == (1, OTHER, None)
    assert "1,200.00" in message["text"]
    pump.clock.advance(told.D_1)
    assert pump.request("POST", ACKNOWLEDGE, said()) == (200, {"outcomes": ["moved"]})
    before = pump.tables()
    assert pump.request("POST", ACKNOWLEDGE, said()) == (200, {"outcomes": ["repeated"]})
    assert pump.tables() == before
    _, found = pump.request("GET", INBOX)
    assert (found["unread"], found["messages"][0]["read_at"]) == (0, "2026-03-06T02:05:00.000000Z")
    _, lines = pump.request("GET", told.path("timeline"))
    [read] = [each for each in lines["timeline"] if each["what"] == "read"]
    assert (read["contact_id"], read["state"]) == (OTHER, "DELIVERED")


def test_an_inbox_is_read_page_by_page(with_bill: Pump) -> None:
    """`after` of one page is that of the next; a limit or a place of another form is refused."""
    contact = delivered(with_bill)
    older = Letter(
        "c_" + "d" * 26,
        1,
        contact.tenant,
        "",
        Text("inbox", "en", "Older", "text"),
        borrower_id=contact.borrower_id,
        decided_at=told.TOLD_AT,
    )
    assert with_bill.worlds["OnDeliveryInboxFunction"].sender("inbox").send(older)
    seen, after = [], ""
    for _ in range(2):
        answer = with_bill.invoke("OnRequestFunction", asking(f"limit=1&after={after}"))
        page = json.loads(answer["body"])
        seen += [each["contact_id"] for each in page["messages"]]
        after = page["after"]
    assert (seen, page["unread"]) == ([OTHER, older.contact_id], 2)
    for query in ("limit=0", "limit=101", "limit=x", "limit=%C2%B2", "after=bm8", "after=%ff"):
        answer = with_bill.invoke("OnRequestFunction", asking(query))
        assert answer["statusCode"] == 400
        assert '"code": "bad_page"' in answer["body"]


def asking(query: str) -> dict[str, Any]:
    """Return the event of a GET of the inbox with a query."""
    from urllib.parse import parse_qsl

    from tests.handlers.pump import http

    event = http("GET", INBOX, None)
    return {**event, "rawQueryString": query, "queryStringParameters": dict(parse_qsl(query))}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (said("wiped"), 400, "bad_request", "acknowledgements.0.sign"),
        (said(contact_id="c_1"), 400, "bad_id", "acknowledgements.0.contact_id"),
        (said(contact_id="c_" + "a" * 26), 404, "unknown_contact", "acknowledgements.0.contact_id"),
        (said(attempt=2), 409, "not_sent", "acknowledgements.0.attempt"),
        (said(at="2026-03-06T10:05:00"), 400, "bad_request", "acknowledgements.0.at"),
        ({"acknowledgements": []}, 400, "bad_request", "acknowledgements"),
    ],
)
def test_what_is_wrong_is_refused(
    with_bill: Pump, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    """With its status, code and field."""
    delivered(with_bill)
    got, found = with_bill.request("POST", ACKNOWLEDGE, body)
    assert (got, found["error"]["code"], found["error"]["field"]) == (status, code, field)


def test_an_app_tells_nothing_of_an_e_mail(with_bill: Pump) -> None:
    """No app shows it, whatever it tells."""
    with_bill.sweep_at(told.D_3)
    [contact] = [contact_from(item) for item in with_bill.cloud.items("ContactsTable")]
    got, found = with_bill.request("POST", ACKNOWLEDGE, said(contact_id=contact.id))
    assert (got, found["error"]["code"]) == (422, "not_shown")


def test_nobody_reads_the_inbox_of_somebody_unknown(pump: Pump) -> None:
    """Nor of another tenant's borrower."""
    for path in (INBOX, told.path("inbox", tenant=f"{TENANT}2")):
        status, found = pump.request("GET", path)
        assert (status, found["error"]["code"]) == (404, "unknown_borrower")
