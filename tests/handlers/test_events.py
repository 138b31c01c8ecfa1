"""The sample events in `events/`: real shapes that every handler takes, and one story when they are run in order."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from betimes.config import INBOX, MANIFEST
from betimes.core import ids
from betimes.lab.world import TENANT
from infra.catalogue import STREAMS
from tests.handlers import told
from tests.handlers.cloud import fits
from tests.handlers.pump import Pump

EVENTS = Path(__file__).parents[2] / "events"
FILES = sorted(path.stem for path in EVENTS.glob("on_*.json"))
# The shards of a deployment with default settings, which on_sweep.json rests on.
SHARDS = 4

# Every file in the order of the story, with the instant at which it happens.
STORY = [
    ("2026-03-01T01:00:00", "on_file"),
    ("2026-03-01T01:01:30", "on_file_continued"),
    ("2026-03-01T02:00:00", "on_request"),
    ("2026-03-01T02:00:00", "on_request_account"),
    ("2026-03-01T02:00:00", "on_request_obligation"),
    ("2026-03-01T02:00:00", "on_request_bad"),
    ("2026-03-01T02:00:00", "on_request_feed"),
    ("2026-03-06T02:00:00", "on_tick"),
    ("2026-03-06T02:00:12", "on_sweep"),
    ("2026-03-06T02:00:12", "on_contact"),
    ("2026-03-06T02:00:13", "on_delivery"),
    ("2026-03-06T02:00:14", "on_feedback_send"),
    ("2026-03-06T02:00:16", "on_feedback_delivery"),
    ("2026-03-06T02:00:17", "on_ledger"),
    ("2026-03-06T02:30:01", "on_feedback_delay"),
    ("2026-03-06T03:10:42", "on_feedback_bounce_transient"),
    ("2026-03-06T03:10:43", "on_feedback_bounce_permanent"),
    ("2026-03-06T03:15:00", "on_request_hold"),
    ("2026-03-06T08:15:31", "on_feedback_complaint"),
    ("2026-03-06T09:00:00", "on_request_lift"),
    ("2026-03-06T09:35:00", "on_request_may_contact"),
    ("2026-03-06T09:39:00", "on_request_touches"),
    ("2026-03-06T09:41:00", "on_request_consents"),
    ("2026-03-06T09:45:00", "on_request_reply"),
    ("2026-03-06T09:46:00", "on_request_consents_all"),
    ("2026-03-06T09:47:00", "on_page"),
    ("2026-03-06T09:48:00", "on_request_preferences"),
    ("2026-03-06T09:49:00", "on_request_inbox"),
    ("2026-03-06T17:00:00", "on_close_day"),
    ("2026-03-07T01:00:00", "on_request_flight"),
    ("2026-03-07T04:00:01", "on_request_repayment"),
    ("2026-03-07T04:00:02", "on_book_change"),
    ("2026-03-07T10:30:01", "on_request_reversal"),
    ("2026-03-07T10:40:00", "on_request_amendment"),
    ("2026-03-07T10:45:00", "on_request_entry"),
    ("2026-03-07T10:46:00", "on_request_account_loan"),
    ("2026-03-07T10:46:01", "on_request_loan"),
    ("2026-03-07T10:47:00", "on_request_account_line"),
    ("2026-03-07T10:47:01", "on_request_statement"),
    ("2026-03-07T11:00:00", "on_request_timeline"),
]


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


def function_of(pump: Pump, name: str) -> str:
    """Return the logical id of the function whose handler a file is for; the first of two channels."""
    modules = {f: m.__name__.rpartition(".")[2] for f, m in pump.modules.items()}
    fitting = [
        f for f, module in modules.items() if name == module or name.startswith(f"{module}_")
    ]
    assert fitting, f"{name}.json is for no handler"
    return min(fitting)


def succeeded(answer: dict[str, Any]) -> bool:
    """Whether a handler did everything that its event asked for."""
    return not answer.get("batchItemFailures") and bool(answer.get("statusCode", 200) == 200)


def a_tape(pump: Pump) -> None:
    """Put the tape that on_file.json announces into the bucket, without announcing it."""
    folder = f"{INBOX}demo-2026-03/"
    accounts = "account_id,product,currency\na-2001,card,CNY\n"
    obligations = (
        "obligation_id,account_id,seq,issued_at,due_on,principal_minor,amount_minor\n"
        "o-2001,a-2001,1,2026-02-09T10:00:00,2026-03-20,5000,5000\n"
    )
    manifest = {"tenant": TENANT, "files": {"accounts.csv": {}, "obligations.csv": {}}}
    pump.cloud.put_object("FilesBucket", f"{folder}accounts.csv", accounts.encode())
    pump.cloud.put_object("FilesBucket", f"{folder}obligations.csv", obligations.encode())
    pump.cloud.put_object("FilesBucket", folder + MANIFEST, json.dumps(manifest).encode())


def test_the_story_has_every_file() -> None:
    """No sample event is left out of the tests or of the table in events/README.md."""
    readme = (EVENTS / "README.md").read_text("utf-8")

    assert sorted(name for _, name in STORY) == FILES
    assert [name for name in FILES if f"`{name}.json`" not in readme] == []


def test_every_handler_has_a_sample(pump: Pump) -> None:
    """Each function of the deployment but those of the other channels has at least one event."""
    functions = {function_of(pump, name) for name in FILES}

    assert functions == set(pump.modules) - {
        "OnDeliverySmsFunction",
        "OnDeliveryPushFunction",
        "OnDeliveryInboxFunction",
        "OnDeliveryWebhookFunction",
    }


def test_the_events_tell_one_story(pump: Pump) -> None:
    """Run in order, each is taken: a bill is told, reminded of once, reported on, paid and paid back."""
    for world in pump.worlds.values():
        world.settings = replace(world.settings, shards=SHARDS)
    a_tape(pump)

    answers = {}
    for at, name in STORY:
        pump.clock.advance(datetime.fromisoformat(at).replace(tzinfo=UTC))
        answers[name] = pump.invoke(function_of(pump, name), load(name))

    bad = answers.pop("on_request_bad")
    assert [name for name, answer in answers.items() if not succeeded(answer)] == []
    assert (bad["statusCode"], told.error_in(bad)["code"]) == (400, "bad_request")
    (mail,) = pump.mails()
    assert mail["To"] == told.EMAIL
    assert pump.contacts() == [("D-3", "UNDELIVERED_HARD", "bounced_hard")]
    timeline = json.loads(answers["on_request_timeline"]["body"])["timeline"]
    assert timeline[0]["what"] == "send"
    assert "complained" in [record["reason"] for record in timeline]
    assert answers["on_close_day"]["obligations"] == 2
    for what in (
        *("feed", "lift", "flight", "repayment", "reversal", "amendment", "entry", "touches"),
        *("account_loan", "loan", "account_line", "statement", "consents", "preferences"),
    ):
        assert json.loads(answers[f"on_request_{what}"]["body"]) == {"outcome": "stored"}, what
    reply = json.loads(answers["on_request_reply"]["body"])
    assert (reply["outcome"], reply["meaning"], reply["needs_person"]) == ("stored", "unsure", True)
    said = json.loads(answers["on_request_consents_all"]["body"])["consents"]
    assert [each["kind"] for each in said] == ["consent"] * 3 + ["refusal"] * 3
    permission = json.loads(answers["on_request_may_contact"]["body"])
    assert (permission["effect"], permission["reserved"]) == ("allow", True)
    assert "Message settings" in answers["on_page"]["body"]
    hold = json.loads(answers["on_request_hold"]["body"])
    assert hold == {"outcome": "stored", "sent_inside": [told.contact_id("D-3", 0)]}


def test_the_ids_of_the_story_hold_together() -> None:
    """The sweep names the borrower's shard, and contact and ledger record are those that sweep would make."""
    shard = json.loads(load("on_sweep")["Records"][0]["body"])["shard"]
    contact = load("on_contact")["Records"][0]["dynamodb"]["NewImage"]
    record = load("on_ledger")["Records"][0]["dynamodb"]["NewImage"]

    assert shard == ids.shard_of(TENANT, told.BORROWER, SHARDS)
    assert contact["pk"]["S"] == record["contact_id"]["S"] == told.contact_id("D-3", 0)
    assert record["pk"]["S"] == f"{TENANT}#{told.BORROWER}"


@pytest.mark.parametrize("spec", STREAMS, ids=lambda spec: spec.function)
def test_stream_samples_pass_their_filter(spec: Any) -> None:
    """A sample that its event source mapping would hold back shows nobody anything."""
    for record in load(spec.function)["Records"]:
        assert any(fits(pattern, record) for pattern in spec.filters)


def test_queue_samples_carry_the_digest_of_their_body() -> None:
    """What looks like SQS's own digest is one."""
    for name in FILES:
        for record in load(name).get("Records", []):
            if record["eventSource"] == "aws:sqs":
                assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_samples_name_nobody(name: str) -> None:
    """Every address is of a reserved domain and every number of a range kept free for fiction."""
    text = (EVENTS / f"{name}.json").read_text("utf-8")
    words = text.replace("\\", " ").replace('"', " ").replace("<", " ").replace(">", " ").split()

    domains = {word.rpartition("@")[2] for word in words if "@" in word and "." in word}
    numbers = [word for word in words if word.startswith("+") and len(word) > 8]
    assert all(domain.endswith((".example", "example.com")) for domain in domains)
    assert all(number.startswith("+4477009") for number in numbers)
