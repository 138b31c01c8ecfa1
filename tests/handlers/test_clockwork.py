"""The clockwork: ticks, sweeps that go on, closing the day, and the settings that all functions start from."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from betimes import wiring
from betimes.config import Env, SettingMissing
from betimes.core.look import Looked
from betimes.core.policies import Policies
from betimes.flows import sweep as flow
from betimes.handlers import on_sweep
from betimes.ports import DueLook, Stores
from tests.handlers import told
from tests.handlers.pump import Pump


def test_a_tick_asks_for_every_shard(pump: Pump) -> None:
    """One tick puts one message for each shard on the sweep queue."""
    pump.worlds["OnTickFunction"] = wiring.from_environment(
        {Env.SWEEP_QUEUE: pump.cloud.refs["SweepQueue"], Env.SHARDS: "23"}
    )
    assert pump.invoke("OnTickFunction", {}) == {"shards": 23}

    sqs, shards = pump.cloud.client["sqs"], []
    while pump.cloud.has_messages("SweepQueue"):
        answer = sqs.receive_message(QueueUrl=pump.cloud.refs["SweepQueue"], MaxNumberOfMessages=10)
        shards += [json.loads(each["Body"])["shard"] for each in answer["Messages"]]
    assert sorted(shards) == list(range(23))


def _bill_others(pump: Pump) -> None:
    """Tell three more bills, each of another borrower: of one person's the law lets few through in a day."""
    for n in range(2, 5):
        borrower = f"b-{n}"
        pump.put(told.path(borrower=borrower), told.borrower())
        pump.put(told.path("accounts", f"a-{n}", borrower=borrower), told.account())
        bill = told.obligation(account_id=f"a-{n}")
        pump.put(told.path("obligations", f"o-{n}", borrower=borrower), bill)


def test_a_sweep_that_is_not_done_goes_on(with_bill: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more due than one message may look at, the shard goes on in a further message until it is done."""
    pump = with_bill
    _bill_others(pump)
    monkeypatch.setattr(on_sweep, "LIMIT", 1)

    pump.sweep_at(told.D_3)

    assert [state for _, state, _ in pump.contacts()] == ["ACCEPTED"] * 4
    assert len(pump.mails()) == 4
    # One message for each shard of the tick, and at least one for each further look.
    assert pump.calls["OnSweepFunction"] >= 2 + 3


def test_a_broken_bill_fails_its_message_and_stops_no_other(
    with_bill: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep goes on behind it, in further messages too; the message that met it ends among the dead letters."""
    pump, look_once = with_bill, flow.look_once
    _bill_others(pump)

    def sour(
        stores: Stores, policies: Policies, due: DueLook, now: datetime, fed: flow.Fed | None = None
    ) -> Looked | None:
        assert due.obligation_id != told.OBLIGATION, "an item that somebody changed"
        return look_once(stores, policies, due, now, fed)

    with monkeypatch.context() as patch:
        patch.setattr(on_sweep, "LIMIT", 1)
        patch.setattr(flow, "look_once", sour)
        pump.sweep_at(told.D_3)
    assert len(pump.mails()) == 3
    assert pump.cloud.waiting("SweepDeadLetters") == 1

    pump.sweep_at(told.D_3 + timedelta(minutes=1))
    assert len(pump.mails()) == 4


def test_a_second_tick_in_the_same_minute_decides_nothing_anew(with_bill: Pump) -> None:
    """What has been looked at is not due any more: the tables stay as they are."""
    pump = with_bill
    pump.sweep_at(told.D_3)
    before = pump.tables()

    pump.sweep_at(told.D_3 + timedelta(seconds=30))
    assert pump.tables() == before


def test_closing_the_day_twice_gives_the_same_report(with_bill: Pump) -> None:
    """It only reads: the tables stay as they are, and the report of an instant has one name and content."""
    pump = with_bill
    before = pump.tables()

    first = pump.invoke("OnCloseDayFunction", {})
    report = pump.cloud.object("EvidenceBucket", first["report"])
    assert pump.invoke("OnCloseDayFunction", {}) == first
    assert pump.cloud.object("EvidenceBucket", first["report"]) == report
    assert pump.tables() == before


def test_only_the_local_stage_may_shift_its_clock() -> None:
    """A function outside the local deployment does not start with a shifted clock; the message names the setting."""
    shifted = {Env.STAGE: "prod", Env.CLOCK_OFFSET: "-3600"}
    with pytest.raises(ValueError, match=Env.CLOCK_OFFSET):
        wiring.from_environment(shifted)

    local = wiring.from_environment({**shifted, Env.STAGE: "local"})
    exact = wiring.from_environment({Env.STAGE: "prod", Env.CLOCK_OFFSET: "0"})
    apart = exact.clock.now() - local.clock.now()
    assert timedelta(minutes=59) < apart < timedelta(minutes=61)


def test_a_number_that_is_none_stops_the_function_at_its_start() -> None:
    """A setting of the wrong form is found before any work is done."""
    with pytest.raises(ValueError, match="four"):
        wiring.from_environment({Env.SHARDS: "four"})


@pytest.mark.parametrize(
    ("function", "event", "name"),
    [
        ("OnTickFunction", {}, Env.SWEEP_QUEUE),
        ("OnCloseDayFunction", {}, Env.BOOK_TABLE),
        ("OnLedgerFunction", {"Records": []}, Env.LEDGER_TABLE),
        ("OnContactFunction", {"Records": []}, Env.CONTACTS_TOPIC),
    ],
)
def test_a_missing_setting_is_named(
    pump: Pump, function: str, event: dict[str, object], name: str
) -> None:
    """A function without a setting that it needs says which environment variable it is."""
    pump.worlds[function] = wiring.from_environment({})

    with pytest.raises(SettingMissing, match=name):
        pump.invoke(function, event)


def test_an_unknown_channel_has_no_sender(pump: Pump) -> None:
    """A deployment does not pretend to have channels that it has not."""
    with pytest.raises(KeyError, match="pigeon"):
        wiring.World.sender(pump.worlds["OnDeliveryEmailFunction"], "pigeon")
