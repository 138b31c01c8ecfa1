"""The table of error codes: every code has one family, and what is not listed says so."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from betimes.adapters import failures
from betimes.adapters.failures import FAMILIES, REASONS, UNLISTED, failure
from betimes.core.errors import Stale, Unavailable

SECRET = "+8613800000000"


def error(code: str, **response: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": SECRET}, **response}, "PutItem")


@pytest.mark.parametrize("code", FAMILIES)
def test_a_listed_code_becomes_its_family(code: str) -> None:
    """The family is the one in the table, and nothing of the service's message is repeated."""
    found = failure(error(code))
    assert type(found) is FAMILIES[code]
    assert SECRET not in str(found)
    assert UNLISTED not in str(found)


def test_no_code_is_listed_twice() -> None:
    """A code in two rows would have two meanings."""
    rows = [*failures._NOT_NOW, *failures._SOMEBODY_WAS_FIRST, *failures._WE_ARE_WRONG]
    assert len(rows) == len(set(rows)) == len(FAMILIES)


def test_an_unlisted_code_may_be_tried_later_and_says_so() -> None:
    """An alarm can look for the words."""
    found = failure(error("BrandNewException"))
    assert isinstance(found, Unavailable)
    assert UNLISTED in str(found)
    assert "BrandNewException" in str(found)


@pytest.mark.parametrize("code", [*REASONS, "BrandNewReason"])
def test_a_cancelled_transaction_is_read_by_its_reasons(code: str) -> None:
    """The reason decides, wherever it stands; an unlisted one may be tried later and says so."""
    reasons = [{"Code": "None"}, {"Code": code, "Message": SECRET}, {}]
    found = failure(error(failures.CANCELLED, CancellationReasons=reasons))
    assert type(found) is REASONS.get(code, Unavailable)
    assert SECRET not in str(found)
    assert (UNLISTED in str(found)) is (code not in REASONS)
    if isinstance(found, Stale):
        assert found.failed == (1,)


def test_a_wrong_action_outweighs_a_failed_condition() -> None:
    """A mistake of ours is not hidden by somebody else's write."""
    reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "ValidationError"}]
    assert isinstance(
        failure(error(failures.CANCELLED, CancellationReasons=reasons)), AssertionError
    )


def test_a_cancelled_transaction_without_reasons_is_no_no() -> None:
    """Nothing is concluded from silence."""
    assert isinstance(failure(error(failures.CANCELLED)), Unavailable)


def test_nobody_answered() -> None:
    """No connection may be tried later; a request that botocore refuses to send is a mistake of ours."""
    lost = EndpointConnectionError(endpoint_url="http://127.0.0.1")
    assert isinstance(failure(lost), Unavailable)
    assert isinstance(failure(ParamValidationError(report=SECRET)), AssertionError)
    assert SECRET not in str(failure(ParamValidationError(report=SECRET)))
