"""The test of the test: the net of `tests/canary.py` catches each leak there can be, and nothing else."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from aws_lambda_powertools.metrics import MetricUnit
from moto import mock_aws

from betimes.core.errors import Rejected, Unavailable, Uncertain
from betimes.handlers import batches
from tests import canary
from tests.canary import Net, personal_in
from tests.handlers import told

REPOSITORY = Path(__file__).parents[1]
EMAIL, PHONE = told.EMAIL, told.PHONE


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (EMAIL, ["address"]),
        ("<zhao+1@mail.lender.example>", ["address"]),
        (f"sent to {PHONE}.", ["number"]),
        ("+8613800000000", ["number"]),
        (canary.NAME, ["name"]),
        ("亲爱的李小红：", ["name"]),
        ("CNY 1,200.00 is due", ["amount"]),
        ("1200.00元", ["amount"]),
        ("amount_minor=120000", ["amount"]),
        ("{'owed': 118000}", ["amount"]),
        (f"{EMAIL}: 1,180.00", ["address", "amount"]),
    ],
)
def test_personal_data_is_known_in_every_form(text: str, kinds: list[str]) -> None:
    """Addresses and numbers of whomever, the tests' names, and their amounts as texts and figures."""
    assert personal_in(text) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c_tov7vxuz4j3pxapj7nd5rryjx2",
        "default@c09156c5b2b4, cycle 1@2026-03-09",
        "2026-03-06T02:00:13.120000+00:00",
        "2026-11-24 05:02:00,118+0800",
        "arn:aws:sqs:us-east-1:123456789012:EmailQueue",
        "from reminders@betimes.example",
        "digest 120000ab118000",
        "conditions failed at (0, 12)",
    ],
)
def test_ids_instants_and_hashes_are_nobodys(text: str) -> None:
    """What logs are made of is no personal data."""
    assert personal_in(text) == []


@pytest.mark.parametrize("said", [EMAIL, PHONE, canary.NAME, "1,200.00"])
def test_a_log_that_leaks_is_caught(net: Net, said: str) -> None:
    """In the message, in its arguments, in a field beside it, and in the words of an error that is logged."""
    plain = logging.getLogger("betimes.planted")
    plain.warning("sent to " + said)
    assert net.take()
    plain.warning("sent to %s", said)
    assert net.take()
    plain.warning("sent", extra={"to": said})
    assert net.take()
    try:
        raise ValueError(said)
    except ValueError:
        plain.exception("failed")
    assert net.take()
    try:
        try:
            raise KeyError(said)
        except KeyError as error:
            raise RuntimeError("failed") from error
    except RuntimeError:
        plain.exception("failed")
    assert net.take()


def test_a_log_of_the_functions_own_logger_is_caught(net: Net) -> None:
    """That one does not hand its records on, and adds keys of its own when it writes."""
    batches.logger.info("sent", extra={"detail": PHONE})
    assert net.take()
    batches.logger.append_keys(borrower=EMAIL)
    try:
        batches.logger.info("sent")
    finally:
        batches.logger.remove_keys(["borrower"])
    assert net.take()
    batches.logger.info("sent", extra={"contact_id": "c_1", "tally": {"accepted": 3}})
    assert not net.take()


def test_a_metric_that_leaks_is_caught(net: Net) -> None:
    """In its name, its value, and in what stands beside it."""
    batches.count(f"Sent{EMAIL}", 1)
    batches.count("Owed", 120_000)
    assert len(net.take()) == 2
    batches.metrics.add_dimension(name="to", value=PHONE)
    batches.metrics.add_metric(name="Sent", unit=MetricUnit.Count, value=1)
    batches.metrics.flush_metrics()
    assert len(net.take()) == 1


def test_an_error_of_ours_that_leaks_is_caught_when_it_is_made(net: Net) -> None:
    """Whether or not anybody logs it."""
    for error in (
        Rejected("bad_email", "email", f"{EMAIL} is no address"),
        Rejected("bad_email", EMAIL, "is no address"),
        Unavailable(f"no answer for {PHONE}"),
        Uncertain(f"{canary.NAME} may have got it"),
    ):
        assert str(error) is not None
    assert len(net.take()) == 4


def test_a_message_that_leaks_is_caught_but_in_the_queue_that_may(net: Net) -> None:
    """Dead letters are what came into a queue: so nothing personal may come into one."""
    with mock_aws():
        sqs = boto3.client("sqs")
        for name in ("EmailQueue", "EmailDeadLetters", *canary.PERSONAL_QUEUES):
            url = sqs.create_queue(QueueName=name)["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=EMAIL)
            assert bool(net.take()) is (name not in canary.PERSONAL_QUEUES)
        sqs.send_message(
            QueueUrl=sqs.get_queue_url(QueueName="EmailQueue")["QueueUrl"],
            MessageBody="{}",
            MessageAttributes={"to": {"DataType": "String", "StringValue": PHONE}},
        )
        assert net.take()


PLANTED = f"""
import logging

def test_leaks():
    logging.getLogger("betimes").warning("sent to {EMAIL}")

def test_does_not():
    logging.getLogger("betimes").warning("sent")
"""


def test_a_test_that_leaks_fails(tmp_path: Path) -> None:
    """With the fixture as every test has it: the one that leaks ends in an error, its neighbour passes."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import _net, net\n", "utf-8")
    (tmp_path / "test_planted.py").write_text(PLANTED, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'functions'}"},
    )
    assert "2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "ERROR test_planted.py::test_leaks" in done.stdout
    assert "address in" in done.stdout
