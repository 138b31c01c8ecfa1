"""Requests of the HTTP API: each becomes the command it stands for, and what is left out means what it says."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel, ValidationError

from betimes.core.borrower import ContactPoint, PointState
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    AmendObligation,
    ChooseEntry,
    LiftHold,
    PutAccount,
    PutBorrower,
    PutFlight,
    PutHold,
)
from betimes.wire.requests import (
    AccountIn,
    AmendmentIn,
    BorrowerIn,
    EntryIn,
    FeedIn,
    FlightIn,
    HoldIn,
    LiftIn,
    ObligationIn,
    RepaymentIn,
)

TEN = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
AT, LATER = "2026-03-01T10:00:00+08:00", "2026-03-01T12:00:00+08:00"
SHANGHAI, LOS_ANGELES = "Asia/Shanghai", "America/Los_Angeles"

Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], **fields: Any) -> Model:
    """Return a request as it comes over the wire."""
    return model.model_validate_json(json.dumps(fields))


def person(**fields: Any) -> PutBorrower:
    return read(BorrowerIn, **fields).to_core()


def test_a_borrower_with_everything() -> None:
    """Each field of the request stands in the command; a tag told twice is one."""
    command = person(
        locale="en",
        zone="America/New_York",
        jurisdiction="US-NY",
        email="a@b.example",
        phone="+447700900001",
        phone_unconfirmed=True,
        zone_evidence=[LOS_ANGELES],
        tags=["vip", "staff", "vip"],
        score_band="B2",
    )
    points = (
        ContactPoint("email", "a@b.example"),
        ContactPoint("sms", "+447700900001", PointState.UNCONFIRMED),
    )
    assert command == PutBorrower(
        "en",
        "America/New_York",
        "US-NY",
        points,
        (LOS_ANGELES,),
        ("vip", "staff"),
        "B2",
    )


@pytest.mark.parametrize(
    ("fields", "zone", "evidence"),
    [
        # The number fits the zone, or says nothing.
        ({"zone": SHANGHAI, "phone": "+8613800138000"}, SHANGHAI, ()),
        ({"zone": SHANGHAI, "phone": "+447700900123"}, SHANGHAI, ()),
        ({"zone": SHANGHAI}, SHANGHAI, ()),
        ({"zone": "America/Adak", "phone": "+19072000000"}, "America/Adak", ()),
        # It does not: all of its candidates count beside the zone.
        ({"zone": SHANGHAI, "phone": "+13105550123"}, SHANGHAI, (LOS_ANGELES,)),
        (
            {"zone": LOS_ANGELES, "phone": "+19072000000"},
            LOS_ANGELES,
            ("America/Adak", "America/Anchorage"),
        ),
        # What was told comes first, and nothing stands twice.
        (
            {"zone": SHANGHAI, "phone": "+13105550123", "zone_evidence": ["Asia/Urumqi"] * 2},
            SHANGHAI,
            ("Asia/Urumqi", LOS_ANGELES),
        ),
        # Unknown: the candidates of the number are all there is, or there is nothing.
        (
            {"zone": "", "jurisdiction": "US", "phone": "+13105550123"},
            "",
            (LOS_ANGELES,),
        ),
        ({"zone": ""}, "", ()),
        # Not told: China has one zone, other countries are not guessed.
        ({}, SHANGHAI, ()),
        ({"phone": "+13105550123"}, SHANGHAI, (LOS_ANGELES,)),
        ({"jurisdiction": "US"}, "", ()),
        # No number at all in the field for one: intake will refuse it, evidence it is none.
        ({"zone": SHANGHAI, "phone": "call me"}, SHANGHAI, ()),
    ],
)
def test_a_number_is_evidence_and_no_location(
    fields: dict[str, Any], zone: str, evidence: tuple[str, ...]
) -> None:
    """The zone told stays the zone; a number that does not fit it adds all of its candidates."""
    command = person(**fields)
    assert (command.zone, command.zone_evidence) == (zone, evidence)


def test_an_account_names_rate_mandate_and_creditor() -> None:
    """The rate is exact; what is left out is nothing."""
    told = {"product": "jiebei_like", "currency": "CNY", "opened_on": "2025-03-09"}
    full = read(AccountIn, **told, daily_rate="0.0005", mandate="8821", creditor="某消费金融公司")
    opened_on = date(2025, 3, 9)
    assert full.to_core("a1") == PutAccount(
        "a1", "jiebei_like", "CNY", opened_on, 0, Decimal("0.0005"), "8821", "某消费金融公司"
    )
    bare = read(AccountIn, **told).to_core("a1")
    assert bare == PutAccount("a1", "jiebei_like", "CNY", opened_on)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("daily_rate", "0.0005\n"),
        ("daily_rate", ".5"),
        ("daily_rate", "1e-4"),
        ("daily_rate", "0." + "1" * 13),
        ("daily_rate", "NaN"),
        ("mandate", "8821\n"),
        ("mandate", "6222020200001234"),
        ("creditor", "a\nb"),
        ("creditor", "a\u2028b"),
        ("creditor", "x" * 65),
    ],
)
def test_texts_of_an_account_have_a_form(field: str, text: str) -> None:
    """Nothing of another form passes, least of all the whole number of a card."""
    told = {"product": "card", "currency": "CNY", "opened_on": "2025-03-09", field: text}
    with pytest.raises(ValidationError):
        read(AccountIn, **told)


def test_an_obligation_and_its_amendment_name_their_fee() -> None:
    """The fee stands in the command, and the amendment carries its number."""
    amounts = {"principal_minor": 900, "amount_minor": 1000, "minimum_minor": 100, "fee_minor": 60}
    bill = read(ObligationIn, account_id="a1", issued_at=AT, due_on="2026-03-09", **amounts)
    due_on = date(2026, 3, 9)
    assert bill.to_core("o1") == AddObligation("o1", "a1", 1, TEN, due_on, 900, 1000, 100, 60)
    amended = read(AmendmentIn, due_on="2026-03-09", aged_from="2026-03-05", **amounts)
    wanted = AmendObligation("o1", 12, due_on, 900, 1000, 100, 60, date(2026, 3, 5))
    assert amended.to_core("o1", "12") == wanted


@pytest.mark.parametrize("revision", ["", "one", "-1", "+1", "1.0", "٣", "1" * 10, "1\n"])
def test_a_revision_is_a_number(revision: str) -> None:
    """What stands in the path is digits, and few."""
    body = read(AmendmentIn, due_on="2026-03-09", principal_minor=1, amount_minor=1)
    with pytest.raises(Rejected, match="counted from 1") as caught:
        body.to_core("o1", revision)
    assert (caught.value.code, caught.value.field) == ("bad_revision", "revision")


def test_a_repayment_may_leave_the_obligation_to_the_account() -> None:
    """Without one, or with an empty one, the account's order decides."""
    told = {"account_id": "a1", "paid_at": AT, "amount_minor": 5}
    wanted = AddRepayment("r1", "", "a1", TEN, 5)
    assert read(RepaymentIn, **told).to_core("r1") == wanted
    assert read(RepaymentIn, **told, obligation_id="").to_core("r1") == wanted
    note = read(RepaymentIn, **told, obligation_id="o1", currency="CNY", credit=True)
    assert note.to_core("r1") == AddRepayment("r1", "o1", "a1", TEN, 5, "CNY", credit=True)


def test_money_under_way() -> None:
    """A flight stands in the command word for word; without an obligation it is for the whole account."""
    told = {"account_id": "a1", "means": "transfer", "amount_minor": 5, "state": "pending"}
    body = read(FlightIn, **told, obligation_id="o1", at=AT, expected_by=LATER)
    assert body.to_core("f1") == PutFlight(
        "f1", "a1", "o1", Means.TRANSFER, 5, FlightState.PENDING, TEN, NOON
    )
    whole = read(FlightIn, **told, at=AT, expected_by=LATER).to_core("f1")
    assert whole.obligation_id == ""


@pytest.mark.parametrize("state", ["settled", "failed"])
@pytest.mark.parametrize("expected_by", [None, AT, LATER])
def test_a_result_may_come_later_than_expected(state: str, expected_by: str | None) -> None:
    """The same request is told again with another state: when the result was expected matters no more."""
    told = {"account_id": "a1", "means": "debit", "amount_minor": 5, "state": state, "at": LATER}
    body = read(FlightIn, **told, expected_by=expected_by, reason="insufficient_funds")
    command = body.to_core("f1")
    assert (command.at, command.expected_by, command.reason) == (NOON, NOON, "insufficient_funds")


@pytest.mark.parametrize("state", ["scheduled", "pending"])
def test_a_result_to_come_is_expected_some_time(state: str) -> None:
    """Otherwise the flight would silence for ever."""
    told = {"account_id": "a1", "means": "debit", "amount_minor": 5, "state": state, "at": AT}
    with pytest.raises(Rejected) as caught:
        read(FlightIn, **told).to_core("f1")
    assert (caught.value.code, caught.value.field) == ("bad_request", "expected_by")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_hold_can_be_told(kind: Kind) -> None:
    """With nothing named it stops the whole borrower, from its start on."""
    assert read(HoldIn, kind=kind, starts_at=AT).to_core("h1") == PutHold("h1", kind, TEN)


def test_a_hold_with_everything() -> None:
    """Scope, end, promise and owner stand in the command."""
    body = read(
        HoldIn,
        kind="promise",
        starts_at=AT,
        ends_at=LATER,
        account_id="a1",
        obligation_id="o1",
        channel="sms",
        promise_minor=500,
        promise_on="2026-03-05",
        owner="agent-7",
    )
    assert body.to_core("h1") == PutHold(
        hold_id="h1",
        kind=Kind.PROMISE,
        starts_at=TEN,
        ends_at=NOON,
        account_id="a1",
        obligation_id="o1",
        channel="sms",
        promise_minor=500,
        promise_on=date(2026, 3, 5),
        owner="agent-7",
    )
    assert read(LiftIn, lifted_at=LATER).to_core("h1") == LiftHold("h1", NOON)


def test_entry_and_feed() -> None:
    """A date and an instant, as told."""
    entry = read(EntryIn, entry_on="2026-03-20").to_core("o1")
    assert entry == ChooseEntry("o1", date(2026, 3, 20))
    assert read(FeedIn, complete_until=AT).complete_until == TEN
