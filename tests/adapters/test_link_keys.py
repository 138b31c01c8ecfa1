"""The keys of links come from a secret: its form, its age, and what happens where it cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from betimes.adapters.link_keys import KEPT, LinkKeys, parsed
from betimes.core.errors import Unavailable
from betimes.lab.world import VirtualClock

ONE, TWO = "a" * 64, "b" * 64
NOW = datetime(2026, 3, 6, 2, tzinfo=UTC)


def text(**fields: Any) -> str:
    """Return a secret with these fields."""
    return json.dumps(fields)


def test_a_secret_is_read_and_kept_for_five_minutes() -> None:
    """A change of keys is seen when what is in memory is five minutes old, and not before."""
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        client.create_secret(Name="links", SecretString=text(current="1", **{"1": ONE}))
        clock = VirtualClock(NOW)
        ring = LinkKeys(client, "links", clock)
        assert (ring.keys().current, ring.keys().secrets) == (1, {1: ONE.encode()})

        client.put_secret_value(
            SecretId="links", SecretString=text(current="2", **{"1": ONE, "2": TWO})
        )
        clock.advance(NOW + KEPT - timedelta(seconds=1))
        assert ring.keys().current == 1
        clock.advance(NOW + KEPT)
        assert ring.keys().current == 2
        assert ring.keys().secrets == {1: ONE.encode(), 2: TWO.encode()}


def test_a_secret_that_is_not_there_is_no_answer() -> None:
    """Unavailable, with the kind of the error and nothing else."""
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        with pytest.raises(Unavailable, match="cannot be read: ResourceNotFoundException"):
            LinkKeys(client, "links", VirtualClock(NOW)).keys()


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "no json",
        "[]",
        "3",
        text(**{"1": ONE}),
        text(current="2", **{"1": ONE}),
        text(current="x", **{"1": ONE}),
        text(current="1", **{"1": "short"}),
        text(current="1", **{"1": 7}),
        text(current="256", **{"256": ONE}),
        text(current="0", **{"0": ONE}),
    ],
)
def test_a_secret_of_another_form_is_refused_without_showing_it(wrong: str) -> None:
    """Whatever is wrong, the message has nothing of what the secret holds."""
    with pytest.raises(Unavailable) as caught:
        parsed(wrong)
    assert ONE not in str(caught.value)
    assert "short" not in str(caught.value)
