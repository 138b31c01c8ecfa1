"""Channel "inbox": a contact is a message in the fourth table, which the lender's own app shows.

No messaging service has a part in it, so it is open wherever there is a database. The write holds only where the
message is not there yet, and its key is the same on each attempt: repeated after whatever answer was lost, it stores
nothing twice.

Here alone a rendered message is kept, since this is where it is read: the table is encrypted with the deployment's
key, has no stream, and forgets each message some time after it has ceased to be of use (`core.inbox.KEPT`).

Source: DynamoDB Developer Guide, "Conditional writes", "Time to live" (items that have expired are still read until
they are deleted, so reads leave them out).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters import keys, send_failures
from betimes.adapters.attributes import (
    Item,
    instant,
    instant_or_none,
    instant_value,
    number,
    number_value,
    text,
    text_or_empty,
    text_value,
)
from betimes.adapters.failures import failure
from betimes.config import GONE, PARTITION_KEY, SORT_KEY
from betimes.core import zones
from betimes.core.contact import Event
from betimes.core.errors import Stale
from betimes.core.inbox import MAX_COUNTED, MAX_PAGE, Entry, Listing, checked_place
from betimes.flows.inbox import entry_of
from betimes.ports import Accepted, Answer, Clock, Letter, Refused

# DynamoDB takes items of up to 400 KB; what is beside the words is short.
MAX_WORDS: Final = 350 * 1024
# Answers of one paginated Query, each of up to 1 MB.
MAX_ANSWERS: Final = 16
_TAKEN: Final = "ConditionalCheckFailedException"
_ABSENT: Final = f"attribute_not_exists({PARTITION_KEY})"

_ATTEMPT: Final = "attempt"
_STORED_AT: Final = "stored_at"
_USEFUL_UNTIL: Final = "useful_until"
_LOCALE: Final = "locale"
_SUBJECT: Final = "subject"
_BODY: Final = "body"
_SEEN_AT: Final = "seen_at"
_READ_AT: Final = "read_at"


class Inbox:
    """The sender of channel "inbox" (`ports.Sender`); an address is not looked at."""

    def __init__(self, client: Any, table: str, clock: Clock) -> None:
        """Write with a DynamoDB `client` of the sender kind (one attempt a call)."""
        self._client = client
        self._table = table
        self._clock = clock

    def send(self, letter: Letter) -> Answer:
        """Make one request and return its answer; see `ports.Sender`. A message that is there already is Accepted.

        Without any request it returns Refused "too_long" above 350 KB and "bad_text" for half a character.
        """
        try:
            size = len((letter.text.subject + letter.text.body).encode())
        except UnicodeEncodeError:
            return Refused("bad_text", may_retry=False)
        if size > MAX_WORDS:
            return Refused("too_long", may_retry=False)
        entry = entry_of(letter, self._clock.now())
        try:
            self._client.put_item(
                TableName=self._table, Item=entry_item(entry), ConditionExpression=_ABSENT
            )
        except send_failures.FAILURES as problem:
            if isinstance(problem, ClientError) and problem.response["Error"]["Code"] == _TAKEN:
                return Accepted(letter.contact_id)
            return send_failures.answer_to(problem, send_failures.DYNAMODB)
        return Accepted(letter.contact_id)


class InboxTable:
    """What stands in the inboxes (`ports.Inbox`); `client` is a low-level boto3 client.

    Holds no state and may be shared by threads.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def listing(
        self, tenant: str, borrower_id: str, now: datetime, *, limit: int, after: str = ""
    ) -> Listing:
        """See `ports.Inbox.listing`."""
        assert 1 <= limit <= MAX_PAGE, "a page has 1 to 100 messages"
        start: dict[str, Any] = {}
        if checked_place(after):
            # The partition is that of whoever asks, whatever the text says.
            key = {PARTITION_KEY: text_value(keys.partition(tenant, borrower_id))}
            start = {"ExclusiveStartKey": {**key, SORT_KEY: text_value(after)}}
        answer = self._query(tenant, borrower_id, now, f"#{GONE} > :now", Limit=limit, **start)
        last = answer.get("LastEvaluatedKey")
        return Listing(
            tuple(entry_from(item) for item in answer["Items"]),
            text(last, SORT_KEY) if last else "",
        )

    def unread(self, tenant: str, borrower_id: str, now: datetime) -> int:
        """See `ports.Inbox.unread`."""
        counted = 0
        start: dict[str, Any] = {}
        for _ in range(MAX_ANSWERS):
            answer = self._query(
                tenant,
                borrower_id,
                now,
                f"#{GONE} > :now AND attribute_not_exists({_READ_AT})",
                Select="COUNT",
                **start,
            )
            counted += answer["Count"]
            if counted >= MAX_COUNTED or "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return min(counted, MAX_COUNTED)

    def mark(
        self,
        tenant: str,
        borrower_id: str,
        decided_at: datetime,
        contact_id: str,
        event: Event,
        at: datetime,
    ) -> bool:
        """See `ports.Inbox.mark`."""
        assert event in (Event.SEEN, Event.READ), "nothing else happens to an entry"
        key = keys.entry_key(tenant, borrower_id, decided_at, contact_id)
        names = (_SEEN_AT, _READ_AT) if event is Event.READ else (_SEEN_AT,)
        return all(self._earliest(key, name, at) for name in names)

    def _earliest(self, key: Item, name: str, at: datetime) -> bool:
        """Keep an instant unless an earlier one is kept, and return whether the message is there."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET #name = :at",
                ConditionExpression=(
                    f"attribute_exists({PARTITION_KEY}) AND"
                    " (attribute_not_exists(#name) OR #name > :at)"
                ),
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":at": instant_value(at)},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            found = failure(error)
            if isinstance(found, Stale):
                assert isinstance(error, ClientError), "only an answer says that a condition failed"
                return bool(error.response.get("Item"))
            raise found from error
        return True

    def _query(
        self, tenant: str, borrower_id: str, now: datetime, only: str, **more: Any
    ) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#key = :key",
                FilterExpression=only,
                ExpressionAttributeNames={"#key": PARTITION_KEY, f"#{GONE}": GONE},
                ExpressionAttributeValues={
                    ":key": text_value(keys.partition(tenant, borrower_id)),
                    ":now": number_value(_second(now)),
                },
                ScanIndexForward=False,
                **more,
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        return answer


def entry_item(entry: Entry) -> Item:
    """Return a message as an item."""
    marks = {_SEEN_AT: entry.seen_at, _READ_AT: entry.read_at}
    words = {_SUBJECT: entry.subject, _BODY: entry.body}
    return {
        **keys.entry_key(entry.tenant, entry.borrower_id, entry.decided_at, entry.contact_id),
        _ATTEMPT: number_value(entry.attempt),
        _STORED_AT: instant_value(entry.stored_at),
        _USEFUL_UNTIL: instant_value(entry.useful_until),
        _LOCALE: text_value(entry.locale),
        GONE: number_value(_second(entry.gone_at)),
        **{name: text_value(value) for name, value in words.items() if value},
        **{name: instant_value(at) for name, at in marks.items() if at is not None},
    }


def entry_from(item: Item) -> Entry:
    """Return the message in an item."""
    tenant, borrower_id = keys.borrower_of(text(item, PARTITION_KEY))
    decided_at, _, contact_id = text(item, SORT_KEY).partition(keys.SEPARATOR)
    return Entry(
        tenant,
        borrower_id,
        contact_id,
        number(item, _ATTEMPT),
        zones.from_text(decided_at),
        instant(item, _STORED_AT),
        instant(item, _USEFUL_UNTIL),
        text(item, _LOCALE),
        text_or_empty(item, _SUBJECT),
        text_or_empty(item, _BODY),
        instant_or_none(item, _SEEN_AT),
        instant_or_none(item, _READ_AT),
    )


def _second(at: datetime) -> int:
    return int(at.timestamp())
