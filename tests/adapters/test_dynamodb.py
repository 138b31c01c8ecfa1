"""The DynamoDB stores against a client that answers as told: lost, torn, throttled and cancelled answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from betimes.adapters import items
from betimes.adapters.actions import BUILDERS
from betimes.adapters.dynamodb import (
    BACKOFF_S,
    MAX_ANSWERS,
    MAX_KEYS,
    MAX_READS,
    MAX_TRIES,
    Tables,
)
from betimes.core.change import (
    Append,
    Change,
    CheckHead,
    CreateContact,
    Park,
    SaveFeed,
    SaveHead,
    SaveOwner,
)
from betimes.core.errors import Stale, Unavailable
from betimes.core.ids import digest_id
from tests.factories import (
    ACCOUNT_ID,
    BORROWER_ID,
    NOW,
    OBLIGATION_ID,
    TENANT,
    borrower,
    contact,
    early,
    record,
)

HEAD = items.borrower_item(borrower(unmatched=1))
WAITING = items.repayment_item(TENANT, BORROWER_ID, early())
WRITTEN: dict[str, Any] = {}


@dataclass
class Client:
    """Gives its answers in order, the last one for ever; keeps the parameters of each call."""

    answers: Sequence[dict[str, Any] | Exception]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**parameters: Any) -> dict[str, Any]:
            answer = self.answers[min(len(self.calls), len(self.answers) - 1)]
            self.calls.append((operation, parameters))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def all(self, name: str) -> list[Any]:
        """Return the parameter `name` of every call, None where a call has none."""
        return [parameters.get(name) for _, parameters in self.calls]


@dataclass
class World:
    """The stores over a client, and the pauses they made (seconds)."""

    client: Client
    pauses: list[float] = field(default_factory=list)

    @property
    def tables(self) -> Tables:
        return Tables(
            self.client,
            book="B",
            contacts="C",
            ledger="L",
            sleep=self.pauses.append,
            jitter=lambda: 1.0,
        )


def world(*answers: dict[str, Any] | Exception) -> World:
    return World(Client(answers))


def error(code: str, **response: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}, **response}, "Operation")


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    return error("TransactionCanceledException", CancellationReasons=reasons)


def found(*found_items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Items": list(found_items), **more}


# Torn reads


def test_a_torn_read_is_repeated() -> None:
    """Pages whose head counts a repayment that is not there yet are read again and then whole."""
    here = world(found(HEAD), found(HEAD, WAITING))
    pages = here.tables.pages(TENANT, BORROWER_ID)
    assert set(pages.repayments) == {"r1"}
    assert here.client.all("ConsistentRead") == [True, True]


def test_a_read_that_stays_torn_is_given_up() -> None:
    """After three torn reads the caller is told to come back, not given half a truth."""
    here = world(found(HEAD))
    with pytest.raises(Stale):
        here.tables.pages(TENANT, BORROWER_ID)
    assert len(here.client.calls) == MAX_READS


# Paging


def test_a_long_partition_is_read_to_its_end() -> None:
    """Every answer names where the next one starts."""
    key = {"pk": {"S": "x"}}
    here = world(found(HEAD, LastEvaluatedKey=key), found(WAITING))
    assert not here.tables.pages(TENANT, BORROWER_ID).is_torn
    assert here.client.all("ExclusiveStartKey") == [None, key]


def test_a_partition_without_end_is_an_error() -> None:
    """Reading stops at its bound instead of going on for ever."""
    here = world(found(LastEvaluatedKey={"pk": {"S": "x"}}))
    with pytest.raises(AssertionError):
        here.tables.of_borrower(TENANT, BORROWER_ID)
    assert len(here.client.calls) == MAX_ANSWERS


def test_the_agenda_goes_on_where_it_stopped() -> None:
    """The token of a page starts the next query; rows need the keys of the index only."""
    key = {
        "pk": {"S": f"{TENANT}#{BORROWER_ID}"},
        "sk": {"S": f"obligation#{OBLIGATION_ID}"},
        "shard": {"N": "2"},
        "look_at": {"S": "2026-03-01T02:00:00.000000Z"},
    }
    here = world(found(key, LastEvaluatedKey=key), found())
    first = here.tables.due(2, NOW, limit=1)
    assert [(look.borrower_id, look.look_at) for look in first.looks] == [(BORROWER_ID, NOW)]
    last = here.tables.due(2, NOW, limit=1, after=first.after)
    assert last.after == ""
    assert here.client.all("ExclusiveStartKey") == [None, key]
    assert here.client.all("Limit") == [1, 1]


# Transactions


def test_a_conflict_is_tried_again_under_the_same_token() -> None:
    """Another transaction in the way is not a no; the pauses grow, and the token stays."""
    here = world(cancelled("None", "TransactionConflict"), cancelled("ThrottlingError"), WRITTEN)
    here.tables.commit([SaveHead(borrower(), 0), Append(record())])
    tokens = here.client.all("ClientRequestToken")
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert 1 <= len(tokens[0]) <= 36
    assert here.pauses == [BACKOFF_S, 2 * BACKOFF_S]


def test_each_commit_has_a_token_of_its_own() -> None:
    """The same content committed again is another transaction: else two workers could both win a claim."""
    here = world(WRITTEN)
    here.tables.commit([Append(record())])
    here.tables.commit([Append(record())])
    first, second = here.client.all("ClientRequestToken")
    assert first != second


@pytest.mark.parametrize(
    "trouble",
    [
        error("ThrottlingException"),
        error("ProvisionedThroughputExceededException"),
        error("InternalServerError"),
        error("TransactionInProgressException"),
        error("NobodyKnowsThisOne"),
        cancelled("TransactionConflict"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1"),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1"),
    ],
    ids=str,
)
def test_trouble_passes_or_is_given_up(trouble: Exception) -> None:
    """What may pass is tried a bounded number of times; then the caller is asked to come back."""
    passing = world(*[trouble] * (MAX_TRIES - 1), WRITTEN)
    passing.tables.commit([Append(record())])
    lasting = world(trouble)
    with pytest.raises(Unavailable):
        lasting.tables.commit([Append(record())])
    assert len(lasting.client.calls) == MAX_TRIES
    assert len(set(lasting.client.all("ClientRequestToken"))) == 1
    assert len(lasting.pauses) == MAX_TRIES - 1


def test_a_no_is_final() -> None:
    """A failed condition is not tried again, and outweighs a conflict beside it."""
    here = world(cancelled("TransactionConflict", "ConditionalCheckFailed", "None"))
    with pytest.raises(Stale) as stale:
        here.tables.commit([SaveHead(borrower(), 0), CreateContact(contact()), Append(record())])
    assert stale.value.failed == (1,)
    assert len(here.client.calls) == 1


def test_positions_count_changes_not_actions() -> None:
    """Parking makes two actions; whichever fails, the change is named, and what follows keeps its place."""
    here = world(cancelled("None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"))
    with pytest.raises(Stale) as stale:
        here.tables.commit([Append(record()), Park(TENANT, early()), CreateContact(contact())])
    assert stale.value.failed == (1, 2)


FEED = SaveFeed(TENANT, NOW)


def test_a_feed_that_was_overtaken_is_left_out() -> None:
    """What is beside it is written all the same, as a transaction of its own: one token never has two contents."""
    here = world(cancelled("None", "ConditionalCheckFailed"), WRITTEN)
    here.tables.commit([Append(record()), FEED])
    sizes = [len(requests) for requests in here.client.all("TransactItems")]
    assert sizes == [2, 1]
    assert len(set(here.client.all("ClientRequestToken"))) == 2
    assert here.pauses == []


def test_an_overtaken_feed_alone_needs_no_other_try() -> None:
    """Nothing is left to be written, and nobody hears of an error."""
    here = world(cancelled("ConditionalCheckFailed"))
    here.tables.commit([FEED])
    assert len(here.client.calls) == 1


def test_an_overtaken_feed_does_not_move_the_places() -> None:
    """What fails in the second try is named by its place in the whole list."""
    here = world(
        cancelled("ConditionalCheckFailed", "None", "None"),
        cancelled("None", "ConditionalCheckFailed"),
    )
    with pytest.raises(Stale) as stale:
        here.tables.commit([FEED, Append(record()), CreateContact(contact())])
    assert stale.value.failed == (2,)


def test_a_feed_is_read_consistently() -> None:
    """One read, of the tenant's own item; none that was never told."""
    here = world(found(items.feed_item(TENANT, NOW)), found())
    assert here.tables.fed_until(TENANT) == NOW
    assert here.tables.fed_until(TENANT) is None
    assert here.client.all("ConsistentRead") == [True, True]


@pytest.mark.parametrize(
    "mistake",
    [error("ValidationException"), error("AccessDeniedException"), cancelled("ValidationError")],
    ids=str,
)
def test_a_mistake_of_ours_stops_at_once(mistake: Exception) -> None:
    """A wrong request is not repeated and is called what it is."""
    here = world(mistake)
    with pytest.raises(AssertionError):
        here.tables.commit([Append(record())])
    assert len(here.client.calls) == 1


def test_nothing_is_sent_for_nothing() -> None:
    """An empty commit makes no request."""
    here = world(WRITTEN)
    here.tables.commit([])
    assert here.client.calls == []


@pytest.mark.parametrize(
    "changes",
    [
        [SaveHead(borrower(), 0), CheckHead(TENANT, BORROWER_ID, 1)],
        [Append(record()), Append(record())],
        [Park(TENANT, early()), SaveOwner(TENANT, ACCOUNT_ID, BORROWER_ID)],
    ],
)
def test_two_changes_of_one_item_are_our_mistake(changes: list[Change]) -> None:
    """DynamoDB refuses two actions on one item; so do we, before anything is sent."""
    here = world(WRITTEN)
    with pytest.raises(AssertionError):
        here.tables.commit(changes)
    assert here.client.calls == []


def test_every_kind_of_change_has_a_builder() -> None:
    """The table of builders is the union of changes, no more and no less."""
    assert set(BUILDERS) == set(get_args(Change))


# Batches


def test_contacts_are_read_in_batches() -> None:
    """More ids than one call takes are split; doubles are asked for once, missing ones are left out."""
    wanted = [f"c{digest_id(str(n))}" for n in range(MAX_KEYS + 1)]
    here = world(
        {"Responses": {"C": [items.contact_item(contact(id=wanted[0]))]}},
        {"Responses": {"C": [items.contact_item(contact(id=wanted[-1]))]}},
    )
    read = here.tables.contacts([*wanted, wanted[0]])
    assert set(read) == {wanted[0], wanted[-1]}
    sizes = [len(request["C"]["Keys"]) for request in here.client.all("RequestItems")]
    assert sizes == [MAX_KEYS, 1]


def test_unprocessed_keys_are_asked_for_again() -> None:
    """What a batch left out is read next, and both parts come back."""
    left = {"C": {"Keys": [{"pk": {"S": "c2"}}], "ConsistentRead": True}}
    here = world(
        {"Responses": {"C": [items.contact_item(contact(id="c1"))]}, "UnprocessedKeys": left},
        {"Responses": {"C": [items.contact_item(contact(id="c2"))]}, "UnprocessedKeys": {}},
    )
    assert set(here.tables.contacts(["c1", "c2"])) == {"c1", "c2"}
    assert here.client.all("RequestItems")[1] == left
    assert here.pauses == [BACKOFF_S]


def test_keys_that_stay_unprocessed_are_given_up() -> None:
    """A batch has a bounded number of tries."""
    left = {"C": {"Keys": [{"pk": {"S": "c1"}}]}}
    here = world({"Responses": {}, "UnprocessedKeys": left})
    with pytest.raises(Unavailable):
        here.tables.contacts(["c1"])
    assert len(here.client.calls) == MAX_TRIES


def test_no_ids_are_no_call() -> None:
    """Nobody asked for is nobody read."""
    here = world(WRITTEN)
    assert here.tables.contacts([]) == {}
    assert here.client.calls == []


# Reads in trouble


def test_a_read_in_trouble_is_unavailable() -> None:
    """A read that fails is not repeated here, because botocore has already tried again."""
    here = world(error("ThrottlingException"))
    with pytest.raises(Unavailable):
        here.tables.get("c1")
    assert len(here.client.calls) == 1
