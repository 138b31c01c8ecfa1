"""The spend ledger in DynamoDB: one item for a day's sum, one for each message counted (`ports.Spend`).

The sum moves by single conditional updates, which hold the limit whoever counts at the same time.
The entries say what of it belongs to which message, so that a repeated question changes nothing. No
transaction joins the two: all messages of a day share one sum, and transactions on one item would
mostly wait for one another. The order of writes decides what a crash between them leaves: a message
is added to the sum before it has an entry, and is corrected in its entry before the sum, so that the
sum is then too high by one message, or still holds its estimate. `recounted` adds up the entries,
which are the truth.

The items stand in the Book, in partitions that no borrower can have: "@" is in no id.

Source: DynamoDB Developer Guide, "Conditional writes".
"""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters.attributes import Item, flag, number, number_or_zero, number_value, text_value
from betimes.adapters.failures import failure
from betimes.adapters.keys import SEPARATOR, assert_ids
from betimes.config import PARTITION_KEY, SORT_KEY
from betimes.core.errors import Stale, Unavailable
from betimes.core.spend import Day, Spent

# Stands where a borrower's id stands in other partitions.
SPEND: Final = "@spend"
SUM: Final = "sum"
ENTRY: Final = "entry"
# Tries of one correction against others of the same message; answers of one paginated Query.
MAX_TRIES: Final = 5
MAX_ANSWERS: Final = 10_000

_MICRO: Final = "micro"
_MESSAGES: Final = "messages"
_TRUED: Final = "trued"
_IS_TRUE: Final = "is_true"


class SpendLedger:
    """Sums and entries on DynamoDB (`ports.Spend`); `client` is a low-level boto3 client, `table` the Book.

    Holds no state and may be shared by threads.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def spent(self, day: Day) -> Spent:
        """See `ports.Spend.spent`."""
        item = self._item(_key(day, SUM))
        return Spent(*(number_or_zero(item, name) for name in (_MICRO, _MESSAGES, _TRUED)))

    def recounted(self, day: Day) -> Spent:
        """Return what the entries of the day come to, whatever its sum says; read over all of them.

        Raises:
            Unavailable: out of reach.
        """
        entries = [item for item in self._entries(day) if number(item, _MICRO)]
        return Spent(
            sum(number(item, _MICRO) for item in entries),
            len(entries),
            sum(1 for item in entries if flag(item, _IS_TRUE)),
        )

    def estimate(self, day: Day, key: str, micro: int, *, limit: int) -> bool:
        """See `ports.Spend.estimate`."""
        assert micro >= 0, "a price is never below nothing"
        entry = _entry_key(day, key)
        if number_or_zero(self._item(entry), _MICRO):
            return True
        try:
            self._add(day, micro, 1, 0, limit=limit)
        except Stale:
            return False
        try:
            self._put(entry, micro, is_true=False, seen=0)
        except Stale:
            # Somebody else has counted the same message meanwhile.
            self._add(day, -micro, -1, 0)
        return True

    def true_up(self, day: Day, key: str, micro: int) -> bool:
        """See `ports.Spend.true_up`."""
        assert micro >= 0, "a price is never below nothing"
        entry = _entry_key(day, key)
        for _ in range(MAX_TRIES):
            item = self._item(entry)
            if not item:
                return False
            seen, was_true = number(item, _MICRO), flag(item, _IS_TRUE)
            if seen == micro and was_true:
                return True
            try:
                self._put(entry, micro, is_true=True, seen=seen)
            except Stale:
                continue
            self._add(
                day,
                micro - seen,
                (micro > 0) - (seen > 0),
                (micro > 0) - (seen > 0 and was_true),
            )
            return True
        raise Unavailable(f"others corrected the same message {MAX_TRIES} times")

    def _add(self, day: Day, micro: int, messages: int, trued: int, *, limit: int = 0) -> None:
        """Add to the sum; Stale where it would go over the limit."""
        names = {"#micro": _MICRO, "#messages": _MESSAGES, "#trued": _TRUED}
        values = {":micro": micro, ":messages": messages, ":trued": trued}
        condition = {}
        if limit:
            if micro > limit:
                raise Stale
            values[":most"] = limit - micro
            condition = {
                "ConditionExpression": "attribute_not_exists(#micro) OR #micro <= :most",
            }
        self._call(
            "update_item",
            Key=_key(day, SUM),
            UpdateExpression="ADD #micro :micro, #messages :messages, #trued :trued",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={name: number_value(value) for name, value in values.items()},
            **condition,
        )

    def _put(self, entry: Item, micro: int, *, is_true: bool, seen: int) -> None:
        """Write an entry over one that counts `seen`, or over none where that is 0; Stale where it has changed."""
        absent = "attribute_not_exists(#micro) OR " if not seen else ""
        self._call(
            "put_item",
            Item={**entry, _MICRO: number_value(micro), _IS_TRUE: {"BOOL": is_true}},
            ConditionExpression=f"{absent}#micro = :seen",
            ExpressionAttributeNames={"#micro": _MICRO},
            ExpressionAttributeValues={":seen": number_value(seen)},
        )

    def _entries(self, day: Day) -> list[Item]:
        found: list[Item] = []
        start: dict[str, Any] = {}
        for _ in range(MAX_ANSWERS):
            answer = self._call(
                "query",
                KeyConditionExpression="#pk = :pk AND begins_with(#sk, :entry)",
                ExpressionAttributeNames={"#pk": PARTITION_KEY, "#sk": SORT_KEY},
                ExpressionAttributeValues={
                    ":pk": text_value(_partition(day)),
                    ":entry": text_value(f"{ENTRY}{SEPARATOR}"),
                },
                ConsistentRead=True,
                **start,
            )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        raise AssertionError(f"a day of spending needs more than {MAX_ANSWERS} reads")

    def _item(self, key: Item) -> Item:
        found: Item = self._call("get_item", Key=key, ConsistentRead=True).get("Item", {})
        return found

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(
                TableName=self._table, **parameters
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        return answer


def _partition(day: Day) -> str:
    return SEPARATOR.join((day.tenant, SPEND, day.channel, day.currency, day.on.isoformat()))


def _entry_key(day: Day, key: str) -> Item:
    assert_ids(key)
    return _key(day, f"{ENTRY}{SEPARATOR}{key}")


def _key(day: Day, sort: str) -> Item:
    return {PARTITION_KEY: text_value(_partition(day)), SORT_KEY: text_value(sort)}
