"""What is known of the tenants' own servers, in the Book (`ports.Endpoints`): one item a tenant, under its version.

The items stand in partitions that no borrower can have: "@" is in no id.
"""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters.attributes import (
    Item,
    instant_fields,
    instant_or_none,
    number,
    number_fields,
    number_or_zero,
    number_value,
    text,
    text_fields,
    text_or_empty,
    text_value,
)
from betimes.adapters.failures import failure
from betimes.adapters.keys import SEPARATOR, assert_ids
from betimes.config import PARTITION_KEY, SORT_KEY
from betimes.core.endpoints import Endpoint, Why

# Stands where a borrower's id stands in other partitions.
ENDPOINT: Final = "@endpoint"
WEBHOOK: Final = "webhook"

_VERSION: Final = "version"
_ADDRESS: Final = "address"
_FAILING_SINCE: Final = "failing_since"
_FAILED_AT: Final = "failed_at"
_FAILURES: Final = "failures"
_WORKED_AT: Final = "worked_at"
_OFF_AT: Final = "off_at"
_WHY: Final = "why"


class EndpointBook:
    """Endpoints on DynamoDB; `client` is a low-level boto3 client, `table` the Book.

    Holds no state and may be shared by threads.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def endpoint(self, tenant: str) -> Endpoint:
        """See `ports.Endpoints.endpoint`."""
        answer = self._call("get_item", Key=_key(tenant), ConsistentRead=True)
        item = answer.get("Item")
        return endpoint_from(tenant, item) if item else Endpoint(tenant)

    def save(self, endpoint: Endpoint) -> None:
        """See `ports.Endpoints.save`."""
        seen = endpoint.version - 1
        condition: dict[str, Any] = {
            "ConditionExpression": f"attribute_not_exists({PARTITION_KEY})",
        }
        if seen:
            condition = {
                "ConditionExpression": "#version = :seen",
                "ExpressionAttributeNames": {"#version": _VERSION},
                "ExpressionAttributeValues": {":seen": number_value(seen)},
            }
        self._call("put_item", Item=endpoint_item(endpoint), **condition)

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(
                TableName=self._table, **parameters
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        return answer


def endpoint_item(endpoint: Endpoint) -> Item:
    """Return an endpoint as an item."""
    return {
        **_key(endpoint.tenant),
        _VERSION: number_value(endpoint.version),
        _ADDRESS: text_value(endpoint.address),
        **instant_fields(_FAILING_SINCE, endpoint.failing_since),
        **instant_fields(_FAILED_AT, endpoint.failed_at),
        **number_fields(_FAILURES, endpoint.failures),
        **instant_fields(_WORKED_AT, endpoint.worked_at),
        **instant_fields(_OFF_AT, endpoint.off_at),
        **text_fields(_WHY, endpoint.why or ""),
    }


def endpoint_from(tenant: str, item: Item) -> Endpoint:
    """Return the endpoint in an item."""
    why = text_or_empty(item, _WHY)
    return Endpoint(
        tenant,
        text(item, _ADDRESS),
        instant_or_none(item, _FAILING_SINCE),
        instant_or_none(item, _FAILED_AT),
        number_or_zero(item, _FAILURES),
        instant_or_none(item, _WORKED_AT),
        instant_or_none(item, _OFF_AT),
        Why(why) if why else None,
        number(item, _VERSION),
    )


def _key(tenant: str) -> Item:
    assert_ids(tenant)
    return {
        PARTITION_KEY: text_value(f"{tenant}{SEPARATOR}{ENDPOINT}"),
        SORT_KEY: text_value(WEBHOOK),
    }
